//! Vectors of emergency kits: as a party opens them whom custodians have given their shares.
use medlock_vault::SealedShare;

use super::*;
use crate::emergency::{self, SCOPE};

/// A kit, two of whose three custodians have released their shares to somebody.
fn made(name: &str, version: u32, suite: Suite) -> Value {
    let kit = emergency::verified_of(version, suite);
    let (custodians, party) = (emergency::custodians(suite), emergency::Somebody::new(9, suite));
    let mut rng = TestRng::new(&format!("medlock/vectors/emergency/{name}"));
    let released = custodians[1..].iter().map(|custodian| {
        let share: SealedShare = kit
            .release(&mut rng, &custodian.account, &custodian.key, &party.recipient())
            .unwrap();
        hex(share.encode())
    });
    let released: Vec<Value> = released.collect();
    let (account, controller) = emergency::account("controller");
    let directory = emergency::directory(&SCOPE.chart, version, suite);
    let keys = directory
        .compartments
        .iter()
        .filter(|entry| emergency::CHOSEN >> entry.compartment & 1 == 1);
    let keys = keys.map(|entry| {
        let keys = CompartmentKeys::derive(&emergency::root(), &SCOPE.chart, entry.compartment, entry.epoch, suite);
        let keys = keys.unwrap();
        json!({
            "compartment": keys.compartment, "epoch": keys.epoch, "suite": suite.id(),
            "privateKey": hex(keys.private.expose()), "historyKey": hex(keys.history.unwrap().expose()),
        })
    });
    json!({
        "name": name, "chainId": DOMAIN.chain_id, "records": hex(DOMAIN.records), "chart": hex(SCOPE.chart),
        "directoryVersion": version, "serial": SCOPE.serial, "controller": hex(controller),
        "root": hex(emergency::root().expose()), "compartments": [3, 5], "bodyDigest": hex(kit.body().digest()),
        "signingHash": hex(kit.body().signing_hash(&DOMAIN)), "party": hex(party.account), "suite": suite.id(),
        "privateKey": hex(party.key.expose()), "released": released, "keys": keys.collect::<Vec<_>>(),
        "directory": hex(sign(directory, &DOMAIN, &account).encode()),
        "bytes": hex(emergency::sign(kit.body().clone(), &account).encode()),
    })
}

#[test]
fn emergency_vectors_hold() {
    let opened = vec![
        made("2 of 3", 5, Suite::X25519),
        made("2 of 3, under X-Wing", 5, Suite::XWing),
    ];
    let later = made("", 6, Suite::X25519);
    let bytes = unhex(&opened[0]["bytes"]);
    let none = || json!({"op": "none"});
    let (stranger, _) = emergency::account("stranger");
    let (account, _) = emergency::account("controller");
    // Altered, and signed anew by the controller.
    let resigned = |change: &dyn Fn(&mut medlock_vault::KitBody)| {
        let mut body = emergency::body(&SCOPE.chart, 5, Suite::X25519);
        change(&mut body);
        let signed = emergency::sign(body, &account).encode();
        json!({"op": "replace", "from": hex(&bytes), "to": hex(signed)})
    };
    let by_another = emergency::sign(emergency::body(&SCOPE.chart, 5, Suite::X25519), &stranger).encode();
    let refusals = vec![
        refused("another chart", 0, none(), json!({"chart": hex([7; 32])}), "KitScope"),
        refused(
            "another directory version",
            0,
            none(),
            json!({"directoryVersion": 6}),
            "KitScope",
        ),
        refused("another serial", 0, none(), json!({"serial": 4}), "KitScope"),
        refused("another chain", 0, none(), json!({"chainId": 1}), "NotController"),
        refused(
            "another contract",
            0,
            none(),
            json!({"records": hex([7; 20])}),
            "NotController",
        ),
        refused(
            "another controller",
            0,
            none(),
            json!({"controller": hex([7; 20])}),
            "NotController",
        ),
        refused(
            "signed by another",
            0,
            json!({"op": "replace", "from": hex(&bytes), "to": hex(by_another)}),
            json!({}),
            "NotController",
        ),
        refused(
            "one share",
            0,
            none(),
            json!({"released": [opened[0]["released"][0]]}),
            "TooFewShares",
        ),
        refused(
            "one share twice",
            0,
            none(),
            json!({"released": [opened[0]["released"][0], opened[0]["released"][0]]}),
            "ShareTwice",
        ),
        refused(
            "shares of another kit",
            0,
            none(),
            json!({"released": later["released"]}),
            "ShareScope",
        ),
        refused(
            "another party's key",
            0,
            none(),
            json!({"privateKey": hex([7; 32])}),
            "Unopened",
        ),
        refused(
            "another directory",
            0,
            none(),
            json!({"directory": later["directory"]}),
            "KitScope",
        ),
        refused(
            "a set of another owner",
            0,
            resigned(&|body| body.set.owner = [7; 20]),
            json!({}),
            "Malformed",
        ),
        refused(
            "a share left out",
            0,
            resigned(&|body| drop(body.shares.pop())),
            json!({}),
            "Malformed",
        ),
        refused(
            "shares out of order",
            0,
            resigned(&|body| body.shares.swap(0, 1)),
            json!({}),
            "Malformed",
        ),
        refused(
            "a keyring of a grantee",
            0,
            resigned(&|body| body.keyring.scope.grantee = [7; 20]),
            json!({}),
            "Malformed",
        ),
        refused(
            "another public key",
            0,
            resigned(&|body| body.key = emergency::Somebody::new(9, Suite::X25519).key.public_key()),
            json!({}),
            "RootMismatch",
        ),
        refused(
            "cut short",
            0,
            json!({"op": "truncate", "bytes": bytes.len() - 1}),
            json!({}),
            "Malformed",
        ),
        refused(
            "a byte more",
            0,
            json!({"op": "append", "hex": "00"}),
            json!({}),
            "Malformed",
        ),
    ];
    let file = committed("emergency.json", json!({"opened": opened, "refused": refusals}));
    reading::emergency(&file);
}
