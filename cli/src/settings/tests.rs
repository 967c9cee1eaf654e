use super::*;

fn file(text: &str, service: &str) -> Result<File, clap::Error> {
    let path = PathBuf::from("medlock.toml");
    let empty = File {
        path,
        values: BTreeMap::new(),
    };
    empty.with(text, service, &Cli::command())
}

fn refusal(text: &str, service: &str) -> String {
    let said = file(text, service).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("medlock.toml"), "{said}");
    said
}

/// A value that the argument takes, and that is not what it has without one.
fn sample(arg: &clap::Arg) -> String {
    let name = arg.get_long().unwrap_or_default();
    match arg.get_default_values().first().and_then(|value| value.to_str()) {
        _ if matches!(arg.get_action(), ArgAction::SetTrue) => "true".into(),
        _ if name == "metrics" || name == "listen" => "\"127.0.0.1:9\"".into(),
        Some(number) if number.parse::<u64>().is_ok() => format!("{}", number.parse::<u64>().unwrap() - 1),
        _ if name == "store-quorum" => "1".into(),
        _ if name == "trusted-proxies" => "[\"127.0.0.1\", \"10.0.0.0/8\"]".into(),
        _ if matches!(arg.get_action(), ArgAction::Append) => "[\"http://a.example\", \"http://b.example\"]".into(),
        _ => "\"somewhere\"".into(),
    }
}

#[test]
fn every_setting_has_a_variable_and_a_place_in_the_file() {
    let command = Cli::command();
    for service in SERVICES {
        let names = names(&command, service);
        assert!(names.len() > 8, "{service}: {}", names.len());
        let mut text = String::new();
        for (name, arg) in &names {
            assert!(arg.get_env().is_some(), "{service} --{name} has no variable");
            // One that 1 is the least of keeps it; accounts are not addresses of services.
            let sample = match name.as_str() {
                "rpc-quorum" => "1".into(),
                "custodian" => {
                    r#"["0x00000000000000000000000000000000000000c1", "0x00000000000000000000000000000000000000c2"]"#
                        .into()
                }
                _ => sample(arg),
            };
            text += &format!("{name} = {sample}\n");
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("medlock.toml");
        std::fs::write(&path, &text).unwrap();
        let line = ["medlock", service, "--config", path.to_str().unwrap()].map(OsString::from);
        let cli = parse(line).unwrap_or_else(|error| panic!("{text}{error}"));
        match cli.command {
            args::Command::Gateway(gateway) => {
                let from_file: Vec<_> = gateway.settings.iter().map(|setting| setting.from).collect();
                assert_eq!(from_file, vec![Source::File; names.len()], "{:?}", gateway.settings);
                assert!(gateway.index_read_only && gateway.follow.every_header);
                assert_eq!(gateway.store.stores, ["http://a.example", "http://b.example"]);
                assert_eq!(gateway.anchor_minutes, 9);
            }
            args::Command::Index(index) => assert_eq!((index.db.as_str(), index.run.ready_lag), ("somewhere", 63)),
            other => panic!("{other:?}"),
        }
        assert_eq!(cli.global.rpc, ["http://a.example", "http://b.example"]);
        assert_eq!(cli.global.deployment.as_deref(), Some(Path::new("somewhere")));
    }
}

#[test]
fn a_table_goes_before_what_stands_above_it_and_is_for_one_service() {
    let text =
        "db = \"both.db\"\nmetrics = \"127.0.0.1:1\"\n[gateway]\nmetrics = \"127.0.0.1:2\"\n[index]\nready-lag = 5\n";
    let values = |service| file(text, service).unwrap().values;
    let of_gateway = BTreeMap::from([
        ("db".to_owned(), vec!["both.db".to_owned()]),
        ("metrics".to_owned(), vec!["127.0.0.1:2".to_owned()]),
    ]);
    assert_eq!(values("gateway"), of_gateway);
    let of_index = BTreeMap::from([
        ("db".to_owned(), vec!["both.db".to_owned()]),
        ("metrics".to_owned(), vec!["127.0.0.1:1".to_owned()]),
        ("ready-lag".to_owned(), vec!["5".to_owned()]),
    ]);
    assert_eq!(values("index"), of_index);
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_line_and_no_secret() {
    let cases = [
        ("\nlisten-on = \"127.0.0.1:1\"\n", "line 2: `listen-on` is no setting"),
        (
            "db = \"a\"\n[gateway]\nready-lag = 5\n",
            "line 3: `ready-lag` is no setting of `medlock gateway`",
        ),
        ("[gatewy]\nlisten = \"127.0.0.1:1\"\n", "`gatewy` is no setting"),
        ("config = \"other.toml\"\n", "`config` is no setting"),
        ("from-genesis = true\n", "`from-genesis` is no setting"),
        ("key = \"me.key\"\n", "`key` is no setting"),
        ("poll-ms = 1.5\n", "line 1: `poll-ms` is to be text"),
        ("rpc = [[\"a\"]]\n", "`rpc` is to be text"),
        ("db = [\"a\", \"b\"]\n", "`db` is one value"),
        ("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n", "line 2"),
    ];
    for (text, wanted) in cases {
        let said = refusal(text, "gateway");
        assert!(said.contains(wanted), "{text}: {said}");
    }
    let said = refusal("state = \"postgres://medlock:hunter2@db/medlock\n", "gateway");
    assert!(said.contains("line 1") && !said.contains("hunter2"), "{said}");
}

#[test]
fn of_a_secret_is_shown_where_it_leads() {
    let cases = [
        ("rpc", "wss://node.example/v2/KEY", "wss://node.example/…"),
        ("rpc", "http://127.0.0.1:8547", "http://127.0.0.1:8547"),
        (
            "db",
            "postgres://medlock:PASSWORD@db:5432/medlock",
            "postgres://db:5432/…",
        ),
        ("state", "postgres://medlock:PASS@WORD@db", "postgres://db/…"),
        // Where a password ends cannot be told: nothing of it is shown.
        (
            "db",
            "postgres://medlock:PASS/WORD@db/medlock",
            "a URL that cannot be read/…",
        ),
        ("db", "index.db", "index.db"),
        ("public-url", "https://records.example", "https://records.example"),
    ];
    for (name, value, wanted) in cases {
        assert_eq!(shown(name, value), wanted);
    }
}
