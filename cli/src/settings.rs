//! Settings of `medlock gateway` from a file: they take the place of defaults, so that flags and variables are stronger.
use std::{collections::BTreeMap, ffi::OsString, path::Path};

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, parser::ValueSource};
use toml_edit::{Document, Value};

use crate::args::{Cli, Command as Asked};

/// A settings file is some dozen lines.
const FILE_BYTES_MOST: u64 = 64 * 1024;
/// Of the program's own options, those that a gateway heeds.
const GLOBAL: [&str; 3] = ["home", "rpc", "deployment"];

/// A setting as it is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    /// `None`: not set.
    pub value: Option<String>,
    /// flag, environment, file or default
    pub source: &'static str,
}

/// The command line, with what its `--config` file adds.
///
/// # Errors
/// Where the file cannot be read, has an unknown key, or a value of the wrong type. Other faults of the command line end the
/// process, as clap says.
pub fn parse() -> anyhow::Result<Cli> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let cli = Cli::try_parse_from_file(&args)?;
    Ok(cli.unwrap_or_else(|error| error.exit()))
}

impl Cli {
    /// [`parse`] of `args`; the inner error is of the command line.
    ///
    /// # Errors
    /// As of [`parse`].
    pub fn try_parse_from_file(args: &[OsString]) -> anyhow::Result<Result<Self, clap::Error>> {
        let read = |command: Command| {
            let matches = command.try_get_matches_from(args)?;
            Cli::from_arg_matches(&matches).map(|cli| (cli, matches))
        };
        let (mut cli, mut matches) = match read(Cli::command()) {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Err(error)),
        };
        let Asked::Gateway(gateway) = &cli.command else {
            return Ok(Ok(cli));
        };
        let mut file = BTreeMap::new();
        if let Some(path) = &gateway.config {
            file = load(path)?;
            (cli, matches) = match read(with_defaults(&file)) {
                Ok(parsed) => parsed,
                Err(error) => return Ok(Err(error)),
            };
        }
        if let (Asked::Gateway(gateway), Some(matches)) = (&mut cli.command, matches.subcommand_matches("gateway")) {
            gateway.settings = sources(matches, &file);
        }
        Ok(Ok(cli))
    }
}

/// The values of a file, by option. Each is what its flag takes.
fn load(path: &Path) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let shown = path.display();
    let length = std::fs::metadata(path).with_context(|| format!("read {shown}"))?.len();
    if length > FILE_BYTES_MOST {
        bail!("{shown} is larger than {FILE_BYTES_MOST} bytes");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("read {shown}"))?;
    values(&text).with_context(|| format!("settings of {shown}"))
}

fn values(text: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let line = |at: Option<usize>| {
        let before = text.as_bytes().get(..at.unwrap_or(0)).unwrap_or_default();
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    };
    // The error's own text repeats the line, and with it a password.
    let document = Document::parse(text).map_err(|error| {
        let line = line(error.span().map(|span| span.start));
        anyhow::anyhow!("line {line}: {}", error.message())
    })?;
    let known = options();
    let mut values = BTreeMap::new();
    for (key, item) in document.as_table().iter() {
        let place = document.as_table().key(key).and_then(|key| key.span());
        let line = line(place.map(|span| span.start));
        let arg = known.iter().find(|arg| arg.get_long() == Some(key));
        let Some(arg) = arg else {
            bail!("line {line}: there is no setting {key}");
        };
        let wanted = wanted(arg);
        let value = item.as_value().and_then(|value| taken(value, wanted));
        let value = value.with_context(|| format!("line {line}: {key} must be {}", wanted.text()))?;
        // The flag's own parser, as of this line alone.
        for one in &value {
            let alone = BTreeMap::from([(arg.get_id().to_string(), vec![one.clone()])]);
            let tried = with_defaults(&alone).try_get_matches_from(["medlock", "gateway"]);
            if tried.is_err() {
                bail!("line {line}: {key} has a value that --{key} does not take");
            }
        }
        values.insert(arg.get_id().to_string(), value);
    }
    Ok(values)
}

#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Switch,
    Number,
    Text,
    Texts,
}

impl Wanted {
    fn text(self) -> &'static str {
        match self {
            Self::Switch => "true or false",
            Self::Number => "a number that is not negative",
            Self::Text => "a text",
            Self::Texts => "a text or a list of texts",
        }
    }
}

fn wanted(arg: &Arg) -> Wanted {
    let number = [
        clap::builder::ValueParser::from(clap::value_parser!(u64)).type_id(),
        clap::builder::ValueParser::from(clap::value_parser!(usize)).type_id(),
    ];
    match arg.get_action() {
        ArgAction::SetTrue => Wanted::Switch,
        ArgAction::Append => Wanted::Texts,
        _ if number.contains(&arg.get_value_parser().type_id()) => Wanted::Number,
        _ => Wanted::Text,
    }
}

fn taken(value: &Value, wanted: Wanted) -> Option<Vec<String>> {
    let one = match (wanted, value) {
        (Wanted::Switch, Value::Boolean(switch)) => switch.value().to_string(),
        (Wanted::Number, Value::Integer(number)) if *number.value() >= 0 => number.value().to_string(),
        (Wanted::Text | Wanted::Texts, Value::String(text)) => text.value().clone(),
        (Wanted::Texts, Value::Array(list)) => {
            return list.iter().map(|text| text.as_str().map(str::to_owned)).collect();
        }
        _ => return None,
    };
    Some(vec![one])
}

/// What a file may set.
fn options() -> Vec<Arg> {
    let command = Cli::command();
    let globals = command
        .get_arguments()
        .filter(|arg| GLOBAL.contains(&arg.get_id().as_str()));
    let gateway = command
        .find_subcommand("gateway")
        .into_iter()
        .flat_map(Command::get_arguments);
    let own = gateway.filter(|arg| arg.get_id() != "config" && arg.get_id() != "help");
    globals.chain(own).cloned().collect()
}

fn with_defaults(file: &BTreeMap<String, Vec<String>>) -> Command {
    let mut command = Cli::command();
    for (id, values) in file {
        let values = values.clone();
        let set = move |arg: Arg| arg.default_values(values);
        command = match GLOBAL.contains(&id.as_str()) {
            true => command.mut_arg(id, set),
            false => command.mut_subcommand("gateway", |gateway| gateway.mut_arg(id, set)),
        };
    }
    command
}

fn sources(matches: &ArgMatches, file: &BTreeMap<String, Vec<String>>) -> Vec<Setting> {
    let setting = |arg: Arg| {
        let id = arg.get_id().as_str();
        let source = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => "flag",
            Some(ValueSource::EnvVariable) => "environment",
            _ if file.contains_key(id) => "file",
            _ => "default",
        };
        let values = matches.get_raw(id).map(|values| {
            let shown: Vec<_> = values.map(|value| redacted(&value.to_string_lossy())).collect();
            shown.join(", ")
        });
        Setting {
            name: arg.get_long().unwrap_or(id).to_owned(),
            value: values,
            source,
        }
    };
    options().into_iter().map(setting).collect()
}

/// A URL's scheme and host: names, passwords, paths and queries may hold what is secret. Anything else is as it was.
#[must_use]
pub fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, more) = rest.split_at(end);
    let more = if matches!(more, "" | "/") { more } else { "/..." };
    match authority.rsplit_once('@') {
        Some((_, host)) if !more.contains('@') && !rest[end..].contains('@') => format!("{scheme}://...@{host}{more}"),
        None if !rest.contains('@') => format!("{scheme}://{authority}{more}"),
        // A slash in a password looks like the end of the host.
        _ => format!("{scheme}://..."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        values(text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_and_a_wrong_type_are_named_with_their_line() {
        assert_eq!(
            fault("dir = \"d\"\n\nlistn = \"x\""),
            "line 3: there is no setting listn"
        );
        assert_eq!(fault("config = \"x\""), "line 1: there is no setting config");
        assert_eq!(fault("[relay]\nkey = 1"), "line 1: there is no setting relay");
        assert_eq!(
            fault("\npoll-ms = \"5\""),
            "line 2: poll-ms must be a number that is not negative"
        );
        assert_eq!(
            fault("poll-ms = -5"),
            "line 1: poll-ms must be a number that is not negative"
        );
        assert_eq!(
            fault("store-quorum = true"),
            "line 1: store-quorum must be a number that is not negative"
        );
        assert_eq!(
            fault("index-read-only = 1"),
            "line 1: index-read-only must be true or false"
        );
        assert_eq!(fault("store = [1]"), "line 1: store must be a text or a list of texts");
        assert_eq!(fault("dir = [\"a\"]"), "line 1: dir must be a text");
        assert_eq!(
            fault("listen = \"nowhere\""),
            "line 1: listen has a value that --listen does not take"
        );
        assert_eq!(
            fault("poll-ms = 0"),
            "line 1: poll-ms has a value that --poll-ms does not take"
        );
        let broken = fault("dir = \"d\"\nstate = \"postgres://u:hunter2@h/d\" x");
        assert!(
            broken.starts_with("line 2: ") && !broken.contains("hunter2"),
            "{broken}"
        );
    }

    #[test]
    fn a_flag_is_stronger_than_the_file_and_the_file_than_a_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.toml");
        let text = "listen = \"127.0.0.1:1\"\ndir = \"filed\"\nrpc = [\"http://one/KEY\", \"http://two\"]\nindex-read-only = true\npoll-ms = 7\n";
        std::fs::write(&path, text).unwrap();
        let args = [
            "medlock",
            "gateway",
            "--config",
            path.to_str().unwrap(),
            "--dir",
            "flagged",
            "config",
            "check",
        ];
        let cli = Cli::try_parse_from_file(&args.map(OsString::from)).unwrap().unwrap();
        assert_eq!(cli.global.rpc, ["http://one/KEY", "http://two"]);
        let Asked::Gateway(gateway) = cli.command else { panic!() };
        assert_eq!(gateway.listen.port(), 1);
        assert_eq!(gateway.dir, Path::new("flagged"));
        assert!(gateway.index_read_only);
        assert_eq!((gateway.follow.poll_ms, gateway.follow.rpc_quorum), (7, 1));
        let of = |name: &str| {
            let setting = gateway.settings.iter().find(|setting| setting.name == name).unwrap();
            (setting.value.as_deref(), setting.source)
        };
        assert_eq!(of("listen"), (Some("127.0.0.1:1"), "file"));
        assert_eq!(of("dir"), (Some("flagged"), "flag"));
        assert_eq!(of("rpc"), (Some("http://one/..., http://two"), "file"));
        assert_eq!(of("rpc-quorum"), (Some("1"), "default"));
        assert_eq!(of("public-url"), (None, "default"));
    }

    #[test]
    fn nothing_secret_in_a_url_is_shown() {
        let cases = [
            (
                "postgres://medlock:hunter2@db:5432/medlock?x=hunter2",
                "postgres://...@db:5432/...",
            ),
            ("postgres://medlock:hun/ter2@db/medlock", "postgres://..."),
            ("https://node.example/v3/hunter2", "https://node.example/..."),
            ("https://node.example?key=hunter2", "https://node.example/..."),
            ("https://hunter2@node.example/", "https://...@node.example/"),
            ("http://127.0.0.1:5001", "http://127.0.0.1:5001"),
            (".medlock/gateway", ".medlock/gateway"),
        ];
        for (text, shown) in cases {
            assert_eq!(redacted(text), shown);
            assert!(!shown.contains("hunter") && !shown.contains("ter2"));
        }
    }
}
