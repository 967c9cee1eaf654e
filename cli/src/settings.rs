//! Settings of the services from a file: whatever `medlock gateway` and `medlock index` take as a flag may stand in the TOML file that
//! `--config` names, under the flag's name. The command line goes before the environment, that before the file, that before the defaults.
//!
//! The file's values become defaults of the command line, so that what reads and checks a flag reads and checks them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, error::ErrorKind, parser::ValueSource};
use serde::Serialize;
use toml_edit::{Document, Item, Table, Value};

use crate::args::{self, Cli};

/// Commands that run a service, and so have settings; each may have a table of its own in the file.
const SERVICES: [&str; 2] = ["gateway", "index"];
/// Of the options that every command has, those that a service heeds.
const COMMON: [&str; 3] = ["home", "rpc", "deployment"];
/// Not settings: what is asked for, once; and where the settings are.
const NO_SETTINGS: [&str; 3] = ["config", "from-genesis", "help"];
/// May hold a password or an access key, so that no more of them is shown than where they lead.
const SECRET: [&str; 4] = ["rpc", "db", "state", "store"];
/// What is shown of a value ends so that has more to it.
const CUT: &str = "/…";
/// A file of settings is a page or two.
const FILE_BYTES_MOST: u64 = 64 * 1024;

/// A setting as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// As its flag is called.
    pub name: String,
    /// To be shown: without what is secret. None: it is not set, and has no default.
    pub value: Option<String>,
    pub from: Source,
}

impl Setting {
    /// Whether there is more to its value than is shown, which may be secret.
    pub fn is_cut(&self) -> bool {
        self.value.as_deref().is_some_and(|value| value.contains(CUT))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    CommandLine,
    Environment,
    File,
    Default,
}

impl Source {
    pub fn text(self) -> &'static str {
        match self {
            Self::CommandLine => "command line",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// The command line, with the file that it names.
///
/// # Errors
/// What clap says of the line, or of the file: where that cannot be read, says what no flag says, or says it wrongly.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let line: Vec<_> = line.into_iter().collect();
    let command = Cli::command();
    let matches = command.clone().try_get_matches_from(&line)?;
    let Some((service, of_service)) = service(&matches) else {
        return Cli::from_arg_matches(&matches);
    };
    let file = match of_service.get_one::<PathBuf>("config") {
        Some(path) => File::read(path, service, &command)?,
        None => File::default(),
    };
    // The line alone was taken, so what is refused now stands in the file.
    let matches = file
        .as_defaults(command.clone(), service)
        .try_get_matches_from(&line)
        .map_err(|error| file.refuses(&error))?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let (args::Command::Gateway(gateway), Some((_, of_service))) = (&mut cli.command, self::service(&matches)) {
        gateway.settings = settings(&command, service, of_service, &file);
    }
    Ok(cli)
}

fn service(matches: &ArgMatches) -> Option<(&'static str, &ArgMatches)> {
    let (name, matches) = matches.subcommand()?;
    let service = SERVICES.into_iter().find(|service| *service == name)?;
    Some((service, matches))
}

/// Of each setting of a service: its name, and the argument that reads it.
fn names(command: &Command, service: &str) -> Vec<(String, clap::Arg)> {
    let own = command.find_subcommand(service).into_iter();
    let own = own.flat_map(Command::get_arguments);
    let common = command.get_arguments();
    let common = common.filter(|arg| arg.get_long().is_some_and(|long| COMMON.contains(&long)));
    common
        .chain(own)
        .filter_map(|arg| Some((arg.get_long()?.to_owned(), arg.clone())))
        .filter(|(name, _)| !NO_SETTINGS.contains(&name.as_str()))
        .collect()
}

fn settings(command: &Command, service: &str, matches: &ArgMatches, file: &File) -> Vec<Setting> {
    let setting = |(name, arg): (String, clap::Arg)| {
        let id = arg.get_id().as_str();
        let values = matches.try_get_raw(id).ok().flatten();
        let values: Vec<_> = values
            .into_iter()
            .flatten()
            .map(|value| shown(&name, &value.to_string_lossy()))
            .collect();
        let from = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => Source::CommandLine,
            Some(ValueSource::EnvVariable) => Source::Environment,
            _ if file.values.contains_key(&name) => Source::File,
            _ => Source::Default,
        };
        let value = (!values.is_empty()).then(|| values.join(", "));
        Setting { name, value, from }
    };
    names(command, service).into_iter().map(setting).collect()
}

/// A value as it may be shown: of a URL that may hold a secret, where it leads.
fn shown(name: &str, value: &str) -> String {
    if !SECRET.contains(&name) || !value.contains("://") {
        return value.to_owned();
    }
    let label = medlock_indexer::label(value);
    let more = if label == value { "" } else { CUT };
    label + more
}

/// What a file says about a service.
#[derive(Debug, Default)]
struct File {
    path: PathBuf,
    /// By the flag's name.
    values: BTreeMap<String, Vec<String>>,
}

impl File {
    fn read(path: &Path, service: &str, command: &Command) -> Result<Self, clap::Error> {
        let file = Self {
            path: path.to_owned(),
            values: BTreeMap::new(),
        };
        let metadata = std::fs::metadata(path).map_err(|error| file.wrong(error))?;
        if !metadata.is_file() || metadata.len() > FILE_BYTES_MOST {
            return Err(file.wrong(format!("not a file of at most {FILE_BYTES_MOST} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| file.wrong(error))?;
        file.with(&text, service, command)
    }

    fn with(mut self, text: &str, service: &str, command: &Command) -> Result<Self, clap::Error> {
        // Its error quotes the line, which may hold a password.
        let document = Document::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.at(text, at, error.message())
        })?;
        let all: Vec<_> = SERVICES.map(|service| (service, names(command, service))).into();
        let known = |key: &str, of: &str| {
            let names = all.iter().find(|(service, _)| *service == of);
            names.is_some_and(|(_, names)| names.iter().any(|(name, _)| name == key))
        };
        // What stands above the tables first: a table goes before it.
        for (key, item) in document.iter() {
            let start = start(document.as_table(), key);
            if let (true, Some(table)) = (SERVICES.contains(&key), item.as_table_like()) {
                let entries: Vec<_> = table.iter().collect();
                for (name, item) in entries {
                    let start = item.span().map_or(start, |span| span.start);
                    if !known(name, key) {
                        return Err(self.at(text, start, &unknown(name, &format!("`medlock {key}`"))));
                    }
                    let values = values(item).ok_or_else(|| self.at(text, start, &mistyped(name)))?;
                    if key == service {
                        self.values.insert(name.to_owned(), values);
                    }
                }
                continue;
            }
            if !SERVICES.iter().any(|service| known(key, service)) {
                let whose = "`medlock gateway` or `medlock index`";
                return Err(self.at(text, start, &unknown(key, whose)));
            }
            let values = values(item).ok_or_else(|| self.at(text, start, &mistyped(key)))?;
            let in_table = document.get(service).and_then(|table| table.get(key)).is_some();
            if known(key, service) && !in_table {
                self.values.insert(key.to_owned(), values);
            }
        }
        for (name, arg) in names(command, service) {
            let several = matches!(arg.get_action(), ArgAction::Append);
            if self
                .values
                .get(&name)
                .is_some_and(|values| values.len() != 1 && !several)
            {
                return Err(self.wrong(format!("`{name}` is one value, not a list")));
            }
        }
        Ok(self)
    }

    /// `command` with what the file says in the place of the defaults.
    fn as_defaults(&self, command: Command, service: &str) -> Command {
        let names = names(&command, service);
        self.values.iter().fold(command, |command, (name, values)| {
            let Some((_, arg)) = names.iter().find(|(known, _)| known == name) else {
                return command;
            };
            let id = arg.get_id().as_str().to_owned();
            let values = values.clone();
            let set = move |arg: clap::Arg| arg.default_values(values);
            if COMMON.contains(&name.as_str()) {
                command.mut_arg(id, set)
            } else {
                command.mut_subcommand(service, |of_service| of_service.mut_arg(id, set))
            }
        })
    }

    fn at(&self, text: &str, offset: usize, why: &str) -> clap::Error {
        let before = text.get(..offset).unwrap_or(text);
        self.wrong(format!("line {}: {why}", before.matches('\n').count() + 1))
    }

    fn wrong(&self, why: impl std::fmt::Display) -> clap::Error {
        let text = format!("{}: {why}\n", self.path.display());
        clap::Error::raw(ErrorKind::ValueValidation, text)
    }

    /// clap's words about a flag, about the file.
    fn refuses(&self, error: &clap::Error) -> clap::Error {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        self.wrong(first.strip_prefix("error: ").unwrap_or(first))
    }
}

fn start(table: &Table, key: &str) -> usize {
    let span = table.key(key).and_then(toml_edit::Key::span);
    span.map_or(0, |span| span.start)
}

fn unknown(name: &str, whose: &str) -> String {
    format!("`{name}` is no setting of {whose} (see its --help)")
}

fn mistyped(name: &str) -> String {
    format!("`{name}` is to be text, a whole number, true or false, or a list of these")
}

/// What stands there, as a flag would be given it.
fn values(item: &Item) -> Option<Vec<String>> {
    match item.as_value()? {
        Value::Array(list) => list.iter().map(one).collect(),
        value => one(value).map(|value| vec![value]),
    }
}

fn one(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Boolean(flag) => Some(flag.value().to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
