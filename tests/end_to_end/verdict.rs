//! A verdict on file: whoever gets it checks it against the chain, and asks no gateway.

use medlock_tests::{World, fixture};
use serde_json::{Value, json};

use crate::program::{Person, code, text};

/// Nobody listens there.
const NO_GATEWAY: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_is_proved_by_the_chain_and_altered_ones_are_found_out() {
    let world = World::start().await;
    let patient = Person::new(&world, "patient").await;
    let insurer = Person::new(&world, "insurer").await;
    insurer.ok(&["keys", "publish"]);
    let opened = patient.ok(&["chart", "open"]);
    let chart = opened["chart"].as_str().unwrap().to_owned();
    let account = insurer.account();
    let terms = [
        "--compartments",
        "10",
        "--purposes",
        "HPAYMT",
        "--actions",
        "read",
        "--for",
        "90d",
    ];
    patient.ok(&[&["grant", "give", &chart, &account][..], &terms].concat());
    let file = |name: &str| world.home().join(name).to_str().unwrap().to_owned();
    let claims = medlock_fhir::Label::Claims.compartment().to_string();
    let check = |purpose: &str, more: &[&str]| {
        let asked = ["check", &chart, "--compartment", &claims, "--purpose", purpose];
        insurer.run(&[&asked[..], more].concat())
    };
    let (yes, no, bare) = (file("yes.json"), file("no.json"), file("bare.json"));
    assert_eq!(code(&check("HPAYMT", &["--prove", "--out", &yes])), 0);
    assert_eq!(code(&check("HRESCH", &["--prove", "--out", &no])), 7);
    assert_eq!(code(&check("HPAYMT", &["--out", &bare])), 0);
    let before = std::fs::read(&yes).unwrap();
    let again = check("HRESCH", &["--out", &yes]);
    assert_eq!(code(&again), 1, "{}", text(&again));
    assert_eq!(std::fs::read(&yes).unwrap(), before, "a file is never overwritten");

    // By somebody without a key, while no gateway is there.
    let verify = |file: &str, more: &[&str]| {
        world.medlock(None, &[&["verify", file, "--gateway", NO_GATEWAY][..], more].concat())
    };
    let shown = verify(&yes, &["--proved"]);
    assert_eq!(code(&shown), 0, "{}", text(&shown));
    assert!(
        text(&shown).contains("proved from the hash of block"),
        "{}",
        text(&shown)
    );
    assert_eq!(code(&verify(&no, &[])), 7);
    let unproved = verify(&bare, &[]);
    assert_eq!(code(&unproved), 0);
    assert!(text(&unproved).contains("the gateway's word"), "{}", text(&unproved));
    assert_eq!(code(&verify(&bare, &["--proved"])), 1);
    let whole: Value = serde_json::from_slice(&before).unwrap();
    let hash = whole["verdict"]["block_hash"].as_str().unwrap();
    // With the hash from elsewhere, no node is asked either.
    let offline = ["--proved", "--rpc", NO_GATEWAY, "--block-hash", hash];
    assert_eq!(code(&verify(&yes, &offline)), 0);
    let gateway = medlock::dev::gateway_key(&world.home().join("gateway.key"))
        .unwrap()
        .address()
        .to_string();
    assert_eq!(code(&verify(&yes, &["--signed-by", &gateway])), 0);

    // The grant is over: that of then stays true of then.
    patient.ok(&["grant", "revoke", &chart, &account]);
    assert_eq!(code(&check("HPAYMT", &[])), 7);
    assert_eq!(code(&verify(&yes, &["--proved"])), 0);

    let refused = |what: &str, altered: &Value, more: &[&str]| {
        let path = file("altered.json");
        std::fs::write(&path, altered.to_string()).unwrap();
        let output = verify(&path, more);
        assert_eq!(code(&output), 5, "{what}: {}", text(&output));
    };
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 13] = [
        ("another purpose", |v| v["verdict"]["purpose"] = json!("TREAT")),
        ("another chart", |v| {
            v["verdict"]["chart"] = v["verdict"]["block_hash"].clone()
        }),
        ("another grantee", |v| v["verdict"]["grantee"] = v["records"].clone()),
        ("another time", |v| {
            v["verdict"]["at"] = json!(v["verdict"]["at"].as_u64().unwrap() + 1)
        }),
        ("a no", |v| v["verdict"]["allowed"] = json!(false)),
        ("another reason", |v| v["verdict"]["reason_code"] = json!(1)),
        ("another block", |v| v["verdict"]["block_number"] = json!(1)),
        ("another deployment", |v| v["records"] = v["verdict"]["grantee"].clone()),
        ("another chain", |v| v["chain_id"] = json!(1)),
        ("another place", |v| v["index"] = json!(1)),
        ("another root", |v| v["root"] = v["verdict"]["chart"].clone()),
        ("a cut signature", |v| v["signature"] = json!("0x1234")),
        ("another grant", |v| {
            let slots = v["proof"]["records"]["slots"].as_array_mut().unwrap();
            let chart = slots[0]["value"].clone();
            slots[1]["value"] = chart;
        }),
    ];
    for (what, edit) in edits {
        let mut altered = whole.clone();
        edit(&mut altered);
        refused(what, &altered, &[]);
    }
    refused("by another", &whole, &["--signed-by", &account]);
    let other = world.dev.deployment.genesis_hash.to_string();
    refused("of another block", &whole, &["--block-hash", &other]);
    // The proof of another question's verdict.
    let mut exchanged: Value = serde_json::from_slice(&std::fs::read(&no).unwrap()).unwrap();
    exchanged["proof"] = whole["proof"].clone();
    let path = file("exchanged.json");
    std::fs::write(&path, exchanged.to_string()).unwrap();
    // It proves the no just as well, as both rest on the same words.
    assert_eq!(code(&verify(&path, &["--proved"])), 7);
    for junk in [b"{}".to_vec(), b"".to_vec(), fixture("bundles/infant.json")] {
        std::fs::write(&path, junk).unwrap();
        assert_eq!(code(&verify(&path, &[])), 1);
    }
}
