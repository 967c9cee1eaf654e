//! Vectors of what a lost root secret comes back from: shares and words.
use medlock_vault::{Domain, Recipient, SealedShare, SetScope, ShareSet, Suite};

use super::*;
use crate::mnemonic::STANDARD;

struct Custodian {
    account: [u8; 20],
    key: EncryptionKey,
}

/// A set of the vectors' root, what its shares are, and the case that lists it.
struct Made {
    set: ShareSet,
    sealed: Vec<SealedShare>,
    custodians: Vec<Custodian>,
    case: Value,
}

const SCOPE: SetScope = SetScope {
    domain: DOMAIN,
    owner: [0x0e; 20],
    version: 3,
};

fn make(name: &str, rng: &mut TestRng, scope: &SetScope, root: &RootSecret, threshold: u8, shares: u8) -> Made {
    let custodians: Vec<Custodian> = (1..=shares)
        .map(|number| Custodian {
            account: [0xc0 + number; 20],
            key: EncryptionKey::generate(
                &mut TestRng::new(&format!("medlock/vectors/shares/{number}")),
                Suite::X25519,
            ),
        })
        .collect();
    let recipients: Vec<_> = custodians
        .iter()
        .map(|custodian| Recipient {
            account: custodian.account,
            key_version: 2,
            key: custodian.key.public_key(),
        })
        .collect();
    let (set, sealed) = ShareSet::split(rng, scope, root, threshold, &recipients).unwrap();
    let anchored = set.clone().verify(scope, &set.digest()).unwrap();
    let listed: Vec<Value> = sealed
        .iter()
        .zip(&custodians)
        .map(|(sealed, custodian)| {
            let share = sealed.open(&anchored, &custodian.account, &custodian.key).unwrap();
            json!({
                "recipient": hex(custodian.account), "privateKey": hex(custodian.key.expose()),
                "sealed": hex(sealed.encode()), "index": share.index(), "opening": hex(share.expose()),
            })
        })
        .collect();
    let key = CompartmentKeys::derive(root, &binding().chart, 3, 2, Suite::X25519)
        .unwrap()
        .public_key();
    let case = json!({
        "name": name, "chainId": scope.domain.chain_id, "records": hex(scope.domain.records), "owner": hex(scope.owner),
        "version": scope.version, "digest": hex(set.digest()), "bytes": hex(set.encode()), "shares": listed,
        "threshold": threshold, "root": hex(root.expose()),
        "published": {"chart": hex(binding().chart), "compartment": 3, "epoch": 2, "suite": 1, "key": hex(key.as_bytes())},
    });
    Made {
        set,
        sealed,
        custodians,
        case,
    }
}

#[test]
fn share_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/shares");
    let root = RootSecret::generate(&mut rng);
    let two = make("2 of 3", &mut rng, &SCOPE, &root, 2, 3);
    let three = make("3 of 5", &mut rng, &SCOPE, &root, 3, 5);
    let zero = RootSecret::from_slice(&[0; 32]).unwrap();
    let all = make("32 of 32, of a root of zeros", &mut rng, &SCOPE, &zero, 32, 32);
    let other_owner = SetScope {
        owner: [0x0f; 20],
        ..SCOPE
    };
    let older = SetScope { version: 2, ..SCOPE };
    let elsewhere = SetScope {
        domain: Domain { chain_id: 1, ..DOMAIN },
        ..SCOPE
    };
    let of_other_owner = make("", &mut rng, &other_owner, &root, 3, 5);
    let of_older = make("", &mut rng, &older, &root, 3, 5);
    let of_elsewhere = make("", &mut rng, &elsewhere, &root, 3, 5);

    // A fourth: shares passed on to the account that recovers, in another order.
    let mut passed_on = three.case.clone();
    let new = EncryptionKey::generate(&mut rng, Suite::X25519);
    let recipient = Recipient {
        account: [0x99; 20],
        key_version: 1,
        key: new.public_key(),
    };
    let anchored = three.set.clone().verify(&SCOPE, &three.set.digest()).unwrap();
    let shares: Vec<Value> = [5, 1, 3]
        .iter()
        .map(|index| {
            let (sealed, custodian) = (&three.sealed[index - 1], &three.custodians[index - 1]);
            let share = sealed.open(&anchored, &custodian.account, &custodian.key).unwrap();
            let passed = share.seal_to(&mut rng, &anchored, &recipient).unwrap();
            json!({
                "recipient": hex(recipient.account), "privateKey": hex(new.expose()),
                "sealed": hex(passed.encode()), "index": index, "opening": hex(share.expose()),
            })
        })
        .collect();
    passed_on["name"] = "3 of 5, passed on to another account".into();
    passed_on["shares"] = shares.into();

    let none = || json!({"op": "none"});
    let replace = |from: &[u8], to: &[u8]| json!({"op": "replace", "from": hex(from), "to": hex(to)});
    let shares = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut list = three.case["shares"].as_array().unwrap()[..3].to_vec();
        change(&mut list);
        json!({"shares": list})
    };
    // The first share's block, changed.
    let first = |change: &dyn Fn(&mut SealedShare)| {
        shares(&|list| {
            let mut share = three.sealed[0].clone();
            change(&mut share);
            list[0]["sealed"] = hex(share.encode());
        })
    };
    // The first share's block, its bytes changed.
    let first_bytes = |edit: Value| shares(&|list| list[0]["sealed"] = hex(edited(&three.sealed[0].encode(), &edit)));
    let clear = |index: u8, opening: &[u8]| shares(&|list| list[0] = json!({"index": index, "opening": hex(opening)}));
    let opening = unhex(&three.case["shares"][0]["opening"]);
    let mut forged = opening.clone();
    forged[32] ^= 1;
    let mut salted = opening.clone();
    salted[0] ^= 1;
    // Sets that were altered and whose digest was replaced as well.
    let altered = |change: &dyn Fn(&mut ShareSet)| {
        let mut set = three.set.clone();
        change(&mut set);
        (hex(set.encode()), json!({"digest": hex(set.digest())}))
    };
    let in_clear = |mut with: Value| {
        let list = three.case["shares"].as_array().unwrap().iter();
        let list = list.map(|share| json!({"index": share["index"], "opening": share["opening"]}));
        with["shares"] = list.collect();
        with
    };
    let mut bad = vec![
        refused(
            "a share too few",
            1,
            none(),
            shares(&|list| list.truncate(2)),
            "TooFewShares",
        ),
        refused("no shares", 1, none(), shares(&|list| list.clear()), "TooFewShares"),
        refused(
            "a share twice",
            1,
            none(),
            shares(&|list| list[1] = list[0].clone()),
            "ShareTwice",
        ),
        refused("a forged share", 1, none(), clear(1, &forged), "ForgedShare"),
        refused("another salt", 1, none(), clear(1, &salted), "ForgedShare"),
        refused(
            "a share under another index",
            1,
            none(),
            clear(2, &opening),
            "ForgedShare",
        ),
        refused("a share of index 0", 1, none(), clear(0, &opening), "NoSuchShare"),
        refused("a share of index 6", 1, none(), clear(6, &opening), "NoSuchShare"),
        refused("a share cut short", 1, none(), clear(1, &opening[..63]), "InvalidKey"),
        refused(
            "another digest",
            1,
            none(),
            json!({"digest": hex([7; 32])}),
            "ShareScope",
        ),
        refused("another owner", 1, none(), json!({"owner": hex([7; 20])}), "ShareScope"),
        refused("another version", 1, none(), json!({"version": 4}), "ShareScope"),
        refused("another chain", 1, none(), json!({"chainId": 1}), "Unopened"),
        refused(
            "another contract",
            1,
            none(),
            json!({"records": hex([7; 20])}),
            "Unopened",
        ),
        refused(
            "another chain, shares in the clear",
            1,
            none(),
            in_clear(json!({"chainId": 1})),
            "ForgedShare",
        ),
        refused(
            "another published key",
            1,
            none(),
            json!({"published": all.case["published"]}),
            "RootMismatch",
        ),
        refused(
            "another private key",
            1,
            none(),
            shares(&|list| list[0]["privateKey"] = hex([7; 32])),
            "Unopened",
        ),
        refused(
            "another recipient",
            1,
            none(),
            shares(&|list| list[0]["recipient"] = hex([7; 20])),
            "ShareScope",
        ),
        refused(
            "a key version written in",
            1,
            none(),
            first(&|share| share.key_version = 3),
            "Unopened",
        ),
        refused(
            "an index written in",
            1,
            none(),
            first(&|share| share.index = 2),
            "Unopened",
        ),
        refused(
            "an index that is not in the set",
            1,
            none(),
            first(&|share| share.index = 6),
            "NoSuchShare",
        ),
        refused("an index of 0", 1, none(), first(&|share| share.index = 0), "Malformed"),
        refused(
            "an index of 33",
            1,
            none(),
            first(&|share| share.index = 33),
            "Malformed",
        ),
        refused(
            "another suite",
            1,
            none(),
            first(&|share| share.suite = Suite::XWing),
            "WrongSuite",
        ),
        refused(
            "another custodian's ciphertext",
            1,
            none(),
            first(&|share| share.sealed = three.sealed[1].sealed.clone()),
            "Unopened",
        ),
        refused(
            "an altered ciphertext",
            1,
            none(),
            first(&|share| share.sealed.ciphertext[0] ^= 1),
            "Unopened",
        ),
        refused(
            "a zero encapsulated key",
            1,
            none(),
            first(&|share| share.sealed.encapsulated = vec![0; 32]),
            "BadEncapsulatedKey",
        ),
        refused(
            "a share of a newer version",
            1,
            none(),
            first_bytes(replace(b"\x61v\x01", b"\x61v\x02")),
            "UnknownVersion",
        ),
        refused(
            "a share with an integer in two bytes",
            1,
            none(),
            first_bytes(replace(b"\x65index\x01", b"\x65index\x18\x01")),
            "Malformed",
        ),
        refused(
            "a share with a byte more",
            1,
            none(),
            first_bytes(json!({"op": "append", "hex": "00"})),
            "Malformed",
        ),
        refused(
            "a share's block cut",
            1,
            none(),
            first_bytes(json!({"op": "truncate", "bytes": 100})),
            "Malformed",
        ),
        refused(
            "a newer version",
            1,
            replace(b"\x61v\x01", b"\x61v\x02"),
            json!({}),
            "UnknownVersion",
        ),
        refused(
            "a set version of 0",
            1,
            replace(b"\x67version\x03", b"\x67version\x00"),
            json!({}),
            "Malformed",
        ),
        refused(
            "a threshold of 1",
            1,
            replace(b"\x69threshold\x03", b"\x69threshold\x01"),
            json!({}),
            "ShareCounts",
        ),
        refused(
            "a threshold over the shares",
            1,
            replace(b"\x69threshold\x03", b"\x69threshold\x06"),
            json!({}),
            "ShareCounts",
        ),
        refused(
            "a threshold in two bytes",
            1,
            replace(b"\x69threshold\x03", b"\x69threshold\x18\x03"),
            json!({}),
            "Malformed",
        ),
        refused(
            "a threshold lowered",
            1,
            replace(b"\x69threshold\x03", b"\x69threshold\x02"),
            json!({}),
            "ShareScope",
        ),
        refused(
            "a custodian twice",
            1,
            replace(&[0xc2; 20], &[0xc1; 20]),
            json!({}),
            "CustodianTwice",
        ),
        refused(
            "another custodian",
            1,
            replace(&[0xc2; 20], &[0x66; 20]),
            json!({}),
            "ShareScope",
        ),
        refused(
            "a byte more",
            1,
            json!({"op": "append", "hex": "00"}),
            json!({}),
            "Malformed",
        ),
        refused(
            "cut",
            1,
            json!({"op": "truncate", "bytes": three.set.encode().len() - 1}),
            json!({}),
            "Malformed",
        ),
    ];
    for (whose, made) in [
        ("owner", &of_other_owner),
        ("version", &of_older),
        ("chain", &of_elsewhere),
        ("set", &two),
    ] {
        let spliced = shares(&|list| list[0] = made.case["shares"][0].clone());
        bad.push(refused(
            &format!("a share of another {whose}"),
            1,
            none(),
            spliced,
            "ShareScope",
        ));
        let rewritten = shares(&|list| {
            let share = SealedShare {
                set: three.set.digest(),
                ..made.sealed[0].clone()
            };
            list[0]["sealed"] = hex(share.encode());
        });
        bad.push(refused(
            &format!("a share of another {whose}, rewritten to fit"),
            1,
            none(),
            rewritten,
            "Unopened",
        ));
        let in_clear = clear(1, &unhex(&made.case["shares"][0]["opening"]));
        bad.push(refused(
            &format!("a share of another {whose}, in the clear"),
            1,
            none(),
            in_clear,
            "ForgedShare",
        ));
    }
    for (name, change) in [
        (
            "a threshold lowered",
            &(|set: &mut ShareSet| set.threshold = 2) as &dyn Fn(&mut ShareSet),
        ),
        ("a threshold raised", &|set| set.threshold = 4),
        ("a custodian more", &|set| {
            let mut more = set.custodians[0].clone();
            more.account = [0x66; 20];
            set.custodians.push(more);
        }),
        ("a custodian less", &|set| set.custodians.truncate(4)),
        ("custodians reordered", &|set| set.custodians.swap(0, 1)),
        ("another set id", &|set| set.set_id[0] ^= 1),
        ("another commitment", &|set| set.custodians[0].commitment[0] ^= 1),
    ] {
        let (bytes, with) = altered(change);
        let edit = json!({"op": "replace", "from": hex(three.set.encode()), "to": bytes});
        let name = format!("{name}, digest and all");
        bad.push(refused(&name, 1, edit.clone(), with.clone(), "ShareScope"));
        bad.push(refused(
            &format!("{name}, shares in the clear"),
            1,
            edit,
            in_clear(with),
            "ForgedShare",
        ));
    }
    let opened = json!([two.case, three.case, all.case, passed_on]);
    let file = committed("shares.json", json!({"opened": opened, "refused": bad}));
    reading::shares(&file);
}

#[test]
fn mnemonic_vectors_hold() {
    let opened: Vec<Value> = STANDARD
        .iter()
        .map(|(root, words)| json!({"root": root, "text": words}))
        .collect();
    let words = STANDARD[4].1;
    let bad = |name: &str, text: String, error: &str| json!({"name": name, "text": text, "error": error});
    let file = committed(
        "mnemonic.json",
        json!({
            "opened": opened,
            "refused": [
                bad("nothing", String::new(), "WordCount"),
                bad("23 words", words.rsplit_once(' ').unwrap().0.into(), "WordCount"),
                bad("25 words", format!("{words} length"), "WordCount"),
                bad("12 words, right by BIP-39", "legal winner thank year wave sausage worth useful legal winner thank yellow".into(), "WordCount"),
                bad("an unknown word", words.replace("private", "privat"), "UnknownWord"),
                bad("a word of another list", words.replace("diagram", "abaisser"), "UnknownWord"),
                bad("a prefix of four letters", words.replace("hamster", "hams"), "UnknownWord"),
                bad("two words swapped", words.replace("hamster diagram", "diagram hamster"), "WordChecksum"),
                bad("another last word", words.replace("delay length", "delay lens"), "WordChecksum"),
                bad("all the first word", ["abandon"; 24].join(" "), "WordChecksum"),
                bad("too long", format!("{words}{}", " ".repeat(1024)), "TooLarge"),
            ],
        }),
    );
    reading::mnemonic(&file);
}
