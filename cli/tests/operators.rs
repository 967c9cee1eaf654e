//! The files for operators in `deploy/compose` and `deploy/systemd`: they can be read, and whatever they tell the program exists in it.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::{CommandFactory, Parser};
use medlock::args::{Cli, Command as Medlock};
use yaml_rust2::{Yaml, YamlLoader, yaml::Hash};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A mapping with what its merge keys bring in.
fn merged(yaml: &Yaml) -> Hash {
    let mut own = yaml.as_hash().expect("a mapping").clone();
    let Some(base) = own.remove(&Yaml::String("<<".into())) else {
        return own;
    };
    let mut all = merged(&base);
    all.extend(own);
    all
}

fn get<'a>(hash: &'a Hash, key: &str) -> &'a Yaml {
    hash.get(&Yaml::String(key.into())).unwrap_or(&Yaml::BadValue)
}

/// The texts of a list, or the keys of a mapping.
fn names(yaml: &Yaml) -> Vec<String> {
    match yaml {
        Yaml::Array(list) => list
            .iter()
            .map(|item| item.as_str().expect("a text").to_owned())
            .collect(),
        Yaml::Hash(hash) => hash
            .keys()
            .map(|key| key.as_str().expect("a name").to_owned())
            .collect(),
        Yaml::BadValue => Vec::new(),
        other => panic!("{other:?} is neither list nor mapping"),
    }
}

/// What a list of texts or of mappings with a `source` refers to.
fn sources(yaml: &Yaml) -> Vec<String> {
    let items = yaml.as_vec().map_or(&[][..], Vec::as_slice);
    let source = |item: &Yaml| item.as_str().or(item["source"].as_str()).expect("a source").to_owned();
    items.iter().map(source).collect()
}

fn compose() -> Hash {
    let documents = YamlLoader::load_from_str(&read(&folder("compose/compose.yaml"))).unwrap();
    documents[0].as_hash().expect("a mapping").clone()
}

fn services() -> Vec<(String, Hash)> {
    let compose = compose();
    let services = get(&compose, "services").as_hash().unwrap();
    let services = services
        .iter()
        .map(|(name, service)| (name.as_str().unwrap().to_owned(), merged(service)));
    services.collect()
}

/// `${NAME}` and `${NAME:?why}` replaced.
fn filled(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        let (_, after) = after.split_once('}').expect("it is closed");
        out += before;
        out += "records.example";
        rest = after;
    }
    out + rest
}

fn parsed(args: &[String]) -> Cli {
    let line = std::iter::once("medlock".to_owned()).chain(args.iter().cloned());
    Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{args:?}: {error}"))
}

/// Every variable that the program reads as an option.
fn variables() -> BTreeSet<String> {
    fn collect(command: &clap::Command, into: &mut BTreeSet<String>) {
        let names = command.get_arguments().filter_map(clap::Arg::get_env);
        into.extend(names.map(|name| name.to_str().unwrap().to_owned()));
        command.get_subcommands().for_each(|command| collect(command, into));
    }
    let mut names = BTreeSet::new();
    collect(&Cli::command(), &mut names);
    names
}

/// Names and values of an environment file.
fn environment(path: &Path) -> Vec<(String, String)> {
    let text = read(path);
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line: &str| {
        line.split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    lines
        .map(|line| pair(line).unwrap_or_else(|| panic!("{line}")))
        .collect()
}

#[test]
fn compose_gives_the_program_what_it_knows() {
    let mut runs = Vec::new();
    for (name, service) in services() {
        if get(&service, "image").as_str() != Some("medlock:local") {
            continue;
        }
        let args: Vec<String> = names(get(&service, "command"))
            .iter()
            .map(|text| filled(text))
            .collect();
        let cli = parsed(&args);
        assert_eq!(
            cli.global.deployment.as_deref(),
            Some(Path::new("/etc/medlock/deployment.json"))
        );
        match cli.command {
            Medlock::Gateway(gateway) => {
                assert!(gateway.index_read_only, "another service indexes");
                assert_eq!(gateway.public_url.as_deref(), Some("https://records.example"));
                let mut stores = gateway.store.stores.clone();
                stores.sort();
                assert_eq!(stores, ["http://kubo-a:5001", "http://kubo-b:5001"]);
                runs.push((name, "gateway", gateway.store.upkeep_hours > 0));
            }
            Medlock::Index(index) => runs.push((name, "index", index.run.metrics.is_some())),
            other => panic!("{name} runs {other:?}"),
        }
    }
    // One gateway looks after the stores.
    let upkeep = runs
        .iter()
        .filter(|(_, kind, flag)| *kind == "gateway" && *flag)
        .count();
    let of = |kind: &str| runs.iter().filter(|run| run.1 == kind).count();
    assert_eq!((of("gateway"), of("index"), upkeep), (2, 2, 1), "{runs:?}");
}

#[test]
fn what_compose_refers_to_is_there() {
    let compose = compose();
    let all = services();
    let known = |key: &str| names(get(&compose, key));
    let hosts: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
    let mut used: BTreeSet<(&str, String)> = BTreeSet::new();
    for (name, service) in &all {
        for key in ["networks", "secrets", "configs"] {
            let refers = match key {
                "networks" => names(get(service, key)),
                _ => sources(get(service, key)),
            };
            for refers in refers {
                assert!(known(key).contains(&refers), "{name}: {key} {refers}");
                used.insert((key, refers));
            }
        }
        for volume in names(get(service, "volumes")) {
            let volume = volume.split(':').next().unwrap().to_owned();
            assert!(known("volumes").contains(&volume), "{name}: volume {volume}");
            used.insert(("volumes", volume));
        }
        for other in names(get(service, "depends_on")) {
            assert!(hosts.contains(&other.as_str()), "{name} depends on {other}");
        }
    }
    for key in ["networks", "secrets", "configs", "volumes"] {
        for name in known(key) {
            assert!(used.contains(&(key, name.clone())), "nothing uses {key} {name}");
        }
    }
    // What the operator adds is named in the documentation, the rest is in the repository.
    let guide = read(&folder("../docs/deploy.md"));
    for key in ["secrets", "configs"] {
        for (name, entry) in get(&compose, key).as_hash().unwrap() {
            let file = entry["file"].as_str().unwrap().trim_start_matches("./");
            let is_there = folder("compose").join(file).is_file();
            assert!(is_there || guide.contains(&format!("`{file}`")), "{name:?}: {file}");
        }
    }
    // The proxy's backends are services, at the port that they listen on.
    let caddyfile = read(&folder("compose/Caddyfile"));
    let backends = caddyfile
        .lines()
        .find(|line| line.trim().starts_with("reverse_proxy"))
        .unwrap();
    let backends: Vec<_> = backends
        .split_whitespace()
        .filter_map(|word| word.split_once(':'))
        .collect();
    assert_eq!(backends.len(), 2);
    for (host, port) in backends {
        assert!(hosts.contains(&host) && port == "8480", "{host}:{port}");
    }
    assert_eq!(caddyfile.matches('{').count(), caddyfile.matches('}').count());
    // Databases, IPFS nodes and gateways are reached through the proxy alone.
    for (name, service) in &all {
        assert_eq!(get(service, "ports").is_badvalue(), name != "proxy", "{name}");
    }
    assert_eq!(
        get(get(&compose, "networks").as_hash().unwrap(), "back")["internal"].as_bool(),
        Some(true)
    );
}

#[test]
fn scripts_of_compose_are_sound_shell() {
    for script in ["primary.sh", "replica.sh"] {
        let path = folder("compose/postgres").join(script);
        let checked = Command::new("bash").arg("-n").arg(&path).output().unwrap();
        assert!(checked.status.success(), "{script}: {checked:?}");
    }
}

#[test]
fn variables_are_the_programs_own() {
    let known = variables();
    for file in ["compose/medlock.env.example", "systemd/medlock.env.example"] {
        for (name, value) in environment(&folder(file)) {
            assert!(known.contains(&name), "{file}: {name}");
            assert!(!value.is_empty(), "{file}: {name}");
        }
    }
    // The guide names no other either: of options, or read by the program itself.
    let guide = read(&folder("../docs/deploy.md"));
    let others = ["MEDLOCK_DEPLOYER_KEY", "MEDLOCK_PASSPHRASE", "MEDLOCK_HOST"];
    let words = guide.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    for name in words.filter(|word| word.starts_with("MEDLOCK_")) {
        assert!(known.contains(name) || others.contains(&name), "docs/deploy.md: {name}");
    }
}

/// Sections, names and values; a name may stand several times.
fn unit(name: &str) -> Vec<(String, String)> {
    let text = read(&folder("systemd").join(name));
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(key, _)| !key.starts_with('#'))
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

const UNITS: [&str; 2] = ["medlock-gateway.service", "medlock-index.service"];

#[test]
fn units_run_commands_that_the_program_knows_and_are_hardened() {
    let given: BTreeSet<_> = environment(&folder("systemd/medlock.env.example"))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for name in UNITS {
        let unit = unit(name);
        let values = |key: &str| -> Vec<&str> {
            let of = unit.iter().filter(|(found, _)| found == key);
            of.map(|(_, value)| value.as_str()).collect()
        };
        let [start] = values("ExecStart")[..] else {
            panic!("{name}: one command")
        };
        let mut words = start.split_whitespace();
        assert_eq!(words.next(), Some("/usr/local/bin/medlock"));
        let words: Vec<String> = words.map(str::to_owned).collect();
        for word in words
            .iter()
            .filter_map(|word| word.strip_prefix("${")?.strip_suffix('}'))
        {
            assert!(given.contains(word), "{name}: {word}");
        }
        let args: Vec<String> = words.iter().map(|word| filled(word)).collect();
        let command = parsed(&args).command;
        let fits = matches!(
            (name, command),
            ("medlock-gateway.service", Medlock::Gateway(_)) | ("medlock-index.service", Medlock::Index(_))
        );
        assert!(fits, "{name}");
        for setting in [
            "DynamicUser=yes",
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "ProtectHome=yes",
            "CapabilityBoundingSet=",
        ] {
            let (key, value) = setting.split_once('=').unwrap();
            assert_eq!(values(key), [value], "{name}");
        }
        // Keys come as credentials, databases in a file of root's; nothing secret is in the unit.
        assert_eq!(
            values("LoadCredential").len(),
            usize::from(name == "medlock-gateway.service")
        );
        assert!(values("Environment").is_empty(), "{name}");
    }
}

/// By systemd itself, with this build of the program in the place of the installed one.
#[test]
fn systemd_takes_the_units() {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_medlock");
    for name in UNITS {
        let text = read(&folder("systemd").join(name));
        assert!(text.contains("/usr/local/bin/medlock"));
        fs::write(dir.path().join(name), text.replace("/usr/local/bin/medlock", program)).unwrap();
    }
    let paths = UNITS.map(|name| dir.path().join(name));
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(&paths)
        .output()
        .unwrap_or_else(|error| panic!("systemd-analyze: {error}; Debian: apt-get install systemd"));
    let said = String::from_utf8_lossy(&verified.stderr);
    // It looks at the machine's own units, too, which are not ours to mend.
    let ours: Vec<_> = said.lines().filter(|line| line.contains("medlock-")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    let security = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .args(&paths)
        .output()
        .unwrap();
    assert!(
        security.status.success(),
        "exposure above 2.0 of 10:\n{}{}",
        String::from_utf8_lossy(&security.stdout),
        String::from_utf8_lossy(&security.stderr)
    );
}
