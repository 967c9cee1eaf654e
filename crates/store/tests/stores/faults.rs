//! A node that lies, hangs, breaks off or answers with errors ends in a typed error: never in wrong bytes, never in an
//! endless wait.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use medlock_dag::{BLOCK_BYTES_MAX, Block, dag_cbor_block, raw_block};
use medlock_store::{Error, Kubo, KuboOptions, Store};

use crate::stub::{Answer, Stub};
use crate::{PATIENT_MS, content, kubo};

/// For what never answers.
const TIMEOUT_MS: u64 = 300;

/// What is expected of an error, by name so that a table can hold it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Unreachable,
    Timeout,
    Node(u16),
    BadAnswer,
    Corrupt,
    OtherCid,
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::Unreachable { .. } => Kind::Unreachable,
        Error::Timeout { .. } => Kind::Timeout,
        Error::Node { status, .. } => Kind::Node(*status),
        Error::BadAnswer { .. } => Kind::BadAnswer,
        Error::Corrupt { .. } => Kind::Corrupt,
        Error::OtherCid { .. } => Kind::OtherCid,
        other => panic!("{other}"),
    }
}

fn block() -> Block {
    raw_block(content(5000))
}

fn json(text: &str) -> Answer {
    Answer::Whole(200, text.as_bytes().to_vec())
}

fn failure(message: &str) -> Answer {
    Answer::Whole(
        500,
        format!(r#"{{"Message":"{message}","Code":0,"Type":"error"}}"#).into_bytes(),
    )
}

/// Faults that any call can meet, and what they are to its caller.
fn faults() -> Vec<(Answer, Kind)> {
    // Neither a line nor JSON.
    let half = vec![b'{'; 2500];
    vec![
        (failure("the disk failed"), Kind::Node(500)),
        (Answer::Whole(500, b"<html>Bad Gateway".to_vec()), Kind::Node(500)),
        (Answer::Whole(403, b"".to_vec()), Kind::Node(403)),
        (Answer::Whole(302, b"".to_vec()), Kind::Node(302)),
        (Answer::Whole(204, b"".to_vec()), Kind::Node(204)),
        (Answer::Endless(500), Kind::Node(500)),
        (Answer::Endless(200), Kind::BadAnswer),
        // The bytes that came are not what was asked for, by their hash or their form.
        (Answer::Trailer(half.clone()), Kind::BadAnswer),
        (Answer::AbruptChunks(half.clone()), Kind::Unreachable),
        (Answer::AbruptLength(half.clone()), Kind::Unreachable),
        (Answer::Close, Kind::Unreachable),
        (Answer::Noise, Kind::Unreachable),
        (Answer::Hang, Kind::Timeout),
        (Answer::Stall(half), Kind::Timeout),
        (Answer::Drip, Kind::Timeout),
        (Answer::DripHeaders, Kind::Timeout),
    ]
}

/// The store of a stub that shows `fault`, patient unless the fault is that nothing comes.
fn store(stub: &Stub, fault: Kind) -> Kubo {
    let timeout_ms = if fault == Kind::Timeout { TIMEOUT_MS } else { PATIENT_MS };
    kubo(&stub.url, timeout_ms)
}

#[tokio::test]
async fn reading_meets_every_fault_with_an_error() {
    let block = block();
    let mut flipped = block.bytes.clone();
    flipped[4000] ^= 1;
    let wrong = [
        (Answer::Whole(200, flipped), Kind::Corrupt),
        (Answer::Whole(200, block.bytes[..4999].to_vec()), Kind::Corrupt),
        (Answer::Whole(200, [&block.bytes[..], b"x"].concat()), Kind::Corrupt),
        (Answer::Whole(200, b"".to_vec()), Kind::Corrupt),
        (Answer::Whole(200, vec![0; BLOCK_BYTES_MAX + 1]), Kind::BadAnswer),
    ];
    for (answer, expected) in faults().into_iter().chain(wrong) {
        let expected = match answer {
            Answer::Trailer(_) => Kind::Corrupt,
            _ => expected,
        };
        let stub = Stub::always(answer.clone()).await;
        let error = store(&stub, expected).get(&block.cid).await.unwrap_err();
        assert_eq!(kind(&error), expected, "{answer:?}: {error}");
        // And has a line to log that is a line.
        assert!(
            error.to_string().len() < 600 && !error.to_string().contains('\n'),
            "{error}"
        );
    }
    // All the bytes are all the bytes, whatever the node has to say about it.
    for answer in [
        Answer::Whole(200, block.bytes.clone()),
        Answer::Trailer(block.bytes.clone()),
    ] {
        let stub = Stub::always(answer).await;
        assert_eq!(
            kubo(&stub.url, PATIENT_MS).get(&block.cid).await.unwrap(),
            Some(block.clone())
        );
    }
}

#[tokio::test]
async fn asking_meets_every_fault_with_an_error() {
    let other = format!(r#"{{"Key":"{}","Size":4}}"#, raw_block(b"else".to_vec()).cid);
    let wrong = [
        (json(&other), Kind::BadAnswer),
        (json("{}"), Kind::BadAnswer),
        (json(""), Kind::BadAnswer),
    ];
    for (answer, expected) in faults().into_iter().chain(wrong) {
        let stub = Stub::always(answer.clone()).await;
        let error = store(&stub, expected).has(&block().cid).await.unwrap_err();
        assert_eq!(kind(&error), expected, "{answer:?}: {error}");
    }
    let stub = Stub::always(failure(
        "block was not found locally (offline): ipld: could not find bafk",
    ))
    .await;
    assert!(!kubo(&stub.url, PATIENT_MS).has(&block().cid).await.unwrap());
    assert_eq!(kubo(&stub.url, PATIENT_MS).get(&block().cid).await.unwrap(), None);
}

/// As Kubo answers to one block.
fn put(block: &Block) -> Answer {
    json(&format!(
        "{{\"Key\":\"{}\",\"Size\":{}}}\n",
        block.cid,
        block.bytes.len()
    ))
}

#[tokio::test]
async fn adding_meets_every_fault_with_an_error() {
    let block = block();
    let other = raw_block(b"else".to_vec());
    // The same digest, another codec.
    let cbor = dag_cbor_block(block.bytes.clone());
    let wrong_puts = [
        (put(&other), Kind::OtherCid),
        (put(&cbor), Kind::OtherCid),
        (json(r#"{"Key":"../../etc","Size":1}"#), Kind::OtherCid),
        (json("{}"), Kind::BadAnswer),
        (json(""), Kind::BadAnswer),
        (
            json(&format!(r#"{{"Key":"{0}"}}{{"Key":"{0}"}}"#, block.cid)),
            Kind::BadAnswer,
        ),
    ];
    let wrong_pins = [
        (json(&format!(r#"{{"Pins":["{}"]}}"#, other.cid)), Kind::BadAnswer),
        (json(r#"{"Pins":[]}"#), Kind::BadAnswer),
        (json(""), Kind::BadAnswer),
        // A collection that takes the block each time.
        (failure("pin: ipld: could not find bafk"), Kind::Node(500)),
    ];
    let wrong_lists = [
        (json(&pinned(&other)), Kind::BadAnswer),
        (json("{}"), Kind::BadAnswer),
        (json(""), Kind::BadAnswer),
    ];
    let cases = [
        ("pin/ls", faults().into_iter().chain(wrong_lists).collect()),
        ("block/put", faults().into_iter().chain(wrong_puts).collect::<Vec<_>>()),
        ("pin/add", faults().into_iter().chain(wrong_pins).collect()),
    ];
    for (call, answers) in cases {
        for (answer, expected) in answers {
            let (faulty, whole) = (answer.clone(), block.clone());
            let stub = Stub::start(move |target, _| {
                if target.contains(call) {
                    faulty.clone()
                } else if target.contains("pin/ls") {
                    failure("path 'bafk' is not pinned")
                } else {
                    put(&whole)
                }
            })
            .await;
            let error = store(&stub, expected).put(vec![block.clone()]).await.unwrap_err();
            assert_eq!(kind(&error), expected, "{call}, {answer:?}: {error}");
            assert!(stub.requests() <= 9, "{answer:?}: {} requests", stub.requests());
        }
    }
}

#[tokio::test]
async fn a_block_that_a_collection_took_before_it_was_pinned_is_put_again() {
    let block = block();
    let pins = format!(r#"{{"Pins":["{}"]}}"#, block.cid);
    let whole = block.clone();
    let stub = Stub::start(move |target, nth| match nth {
        0 | 3 => {
            assert!(target.contains("block/put"), "{target}");
            put(&whole)
        }
        1 | 4 => {
            assert!(target.contains("pin/ls"), "{target}");
            failure("path 'bafk' is not pinned")
        }
        2 => failure("pin: block was not found locally (offline): ipld: could not find bafk"),
        _ => json(&pins),
    })
    .await;
    kubo(&stub.url, PATIENT_MS).put(vec![block]).await.unwrap();
    assert_eq!(stub.requests(), 6);
}

#[tokio::test]
async fn what_is_pinned_is_not_pinned_again() {
    let blocks = [block(), raw_block(b"new".to_vec())];
    let (there, new) = (blocks[0].clone(), blocks[1].clone());
    let stub = Stub::start(move |target, _| match target {
        target if target.contains("block/put") => {
            let answers = [&there, &new].map(|block| format!(r#"{{"Key":"{}","Size":1}}"#, block.cid));
            json(&answers.concat())
        }
        target if target.contains("pin/ls") && target.contains(&there.cid.to_string()) => json(&pinned(&there)),
        target if target.contains("pin/ls") => failure("path 'bafk' is not pinned"),
        target => {
            assert!(target.contains("pin/add"), "{target}");
            assert!(!target.contains(&there.cid.to_string()), "{target}");
            json(&unpinned(&new))
        }
    })
    .await;
    kubo(&stub.url, PATIENT_MS).put(blocks.to_vec()).await.unwrap();
    assert_eq!(stub.requests(), 4);
}

fn pinned(block: &Block) -> String {
    format!(
        "{{\"Cid\":\"{}\",\"Name\":\"medlock\",\"Type\":\"recursive\"}}\n",
        block.cid
    )
}

fn unpinned(block: &Block) -> String {
    format!(r#"{{"Pins":["{}"]}}"#, block.cid)
}

#[tokio::test]
async fn removing_meets_every_fault_with_a_report() {
    let block = block();
    let unpinned = unpinned(&block);
    let removed = format!(r#"{{"Hash":"{}"}}"#, block.cid);
    let there = format!(r#"{{"Key":"{}","Size":5000}}"#, block.cid);
    for call in ["pin/rm", "block/rm", "block/stat"] {
        let lies = match call {
            // It says that it did, and did not.
            "block/stat" => vec![json(&there)],
            "block/rm" => vec![
                json(&format!(r#"{{"Hash":"{}","Error":"pinned: recursive"}}"#, block.cid)),
                json(r#"{"Hash":"x"}"#),
                json("no"),
                json(""),
            ],
            _ => vec![json(r#"{"Pins":[]}"#), json("")],
        };
        let answers = faults()
            .into_iter()
            .chain(lies.into_iter().map(|lie| (lie, Kind::BadAnswer)));
        for (answer, expected) in answers {
            let (faulty, unpinned, removed) = (answer.clone(), unpinned.clone(), removed.clone());
            let stub = Stub::start(move |target, _| match target {
                target if target.contains(call) => faulty.clone(),
                target if target.contains("block/stat") => failure("ipld: could not find bafk"),
                target if target.contains("pin/rm") => json(&unpinned),
                _ => json(&removed),
            })
            .await;
            let removal = store(&stub, expected).remove(vec![block.cid]).await.unwrap();
            let unconfirmed = removal.unconfirmed.iter().map(|one| (one.cid, one.store.as_str()));
            assert_eq!(
                unconfirmed.collect::<Vec<_>>(),
                [(block.cid, stub.url.as_str())],
                "{call}, {answer:?}"
            );
            assert_eq!(removal.removed, 0);
        }
    }
}

#[tokio::test]
async fn sweeping_meets_every_fault_with_an_error() {
    let pin = |name: &str| {
        format!(
            "{{\"Cid\":\"{}\",\"Name\":\"{name}\",\"Type\":\"recursive\"}}\n",
            block().cid
        )
    };
    for call in ["pin/ls", "pin/rm", "repo/gc"] {
        let wrong = match call {
            "pin/ls" => vec![
                // Cut in the middle of a line, with a clean end.
                (json(pin("medlock").trim_end()), Kind::BadAnswer),
                (json("{\"Cid\":1}\n"), Kind::BadAnswer),
                (json("<html>\n"), Kind::BadAnswer),
            ],
            "repo/gc" => vec![(json("{\"Error\":\"could not retrieve links\"}\n"), Kind::Node(200))],
            _ => vec![],
        };
        for (answer, expected) in faults().into_iter().chain(wrong) {
            let (faulty, pins, unpinned) = (answer.clone(), pin("medlock"), unpinned(&block()));
            let stub = Stub::start(move |target, _| match target {
                target if target.contains(call) => faulty.clone(),
                target if target.contains("pin/ls") => json(&pins),
                target if target.contains("pin/rm") => json(&unpinned),
                _ => json(""),
            })
            .await;
            let gc = Store::Kubo(store(&stub, expected)).begin_gc().unwrap();
            let error = gc.sweep([]).await.unwrap_err();
            assert_eq!(kind(&error), expected, "{call}, {answer:?}: {error}");
        }
    }
    // A pin of another's, which the node's filter by a part of the name lets through.
    let pins = pin("medlock-backup");
    let stub = Stub::start(move |target, _| match target {
        target if target.contains("pin/rm") => panic!("{target}"),
        target if target.contains("pin/ls") => json(&pins),
        _ => json(""),
    })
    .await;
    let gc = Store::Kubo(kubo(&stub.url, PATIENT_MS)).begin_gc().unwrap();
    assert_eq!(gc.sweep([]).await.unwrap().removed, 0);
}

#[tokio::test]
async fn repeats_what_is_safe_once_and_what_is_not_never() {
    let block = block();
    let bytes = block.bytes.clone();
    let stub = Stub::start(move |_, nth| match nth {
        0 => Answer::AbruptChunks(bytes[..100].to_vec()),
        _ => Answer::Whole(200, bytes.clone()),
    })
    .await;
    assert_eq!(
        kubo(&stub.url, PATIENT_MS).get(&block.cid).await.unwrap(),
        Some(block.clone())
    );
    assert_eq!(stub.requests(), 2);

    // Neither wrong bytes nor a failure nor silence get better by asking again.
    for answer in [Answer::Whole(200, b"no".to_vec()), failure("no"), Answer::Hang] {
        let stub = Stub::always(answer).await;
        kubo(&stub.url, TIMEOUT_MS).get(&block.cid).await.unwrap_err();
        assert_eq!(stub.requests(), 1);
    }

    // The answer to a second removal would be that there was nothing.
    let unpinned = unpinned(&block);
    let stub = Stub::start(move |target, _| match target {
        target if target.contains("pin/rm") => json(&unpinned),
        _ => Answer::Close,
    })
    .await;
    let removal = kubo(&stub.url, PATIENT_MS).remove(vec![block.cid]).await.unwrap();
    assert_eq!(removal.unconfirmed.len(), 1);
    assert_eq!(stub.requests(), 2);
}

#[tokio::test]
async fn a_time_out_is_for_the_whole_call() {
    let stub = Stub::always(Answer::Drip).await;
    let begun = Instant::now();
    let error = kubo(&stub.url, TIMEOUT_MS).get(&block().cid).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Timeout);
    assert!(begun.elapsed() >= Duration::from_millis(TIMEOUT_MS));
    // Many blocks, one silent node: it is not waited for once a block.
    let stub = Stub::always(Answer::Hang).await;
    let cids = (0..1000u32)
        .map(|i| raw_block(i.to_be_bytes().to_vec()).cid)
        .collect::<Vec<_>>();
    let removal = kubo(&stub.url, TIMEOUT_MS).remove(cids).await.unwrap();
    assert_eq!(removal.unconfirmed.len(), 1000);
    assert!(stub.requests() <= 16, "{}", stub.requests());
}

#[tokio::test]
async fn a_closed_port_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = kubo(&url, PATIENT_MS).get(&block().cid).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Unreachable);
    assert!(error.to_string().contains(&url), "{error}");
}

#[test]
fn refuses_urls_that_it_would_misuse() {
    for url in [
        "https://127.0.0.1:5001",
        "127.0.0.1:5001",
        "/ip4/127.0.0.1/tcp/5001",
        "http://user:secret@127.0.0.1:5001",
        "http://127.0.0.1:5001/api/v0",
        "http://127.0.0.1:5001/?x=y",
        "http://",
        "",
    ] {
        let Err(error) = Kubo::new(url, KuboOptions::default()) else {
            panic!("{url}");
        };
        assert!(matches!(error, Error::BadUrl { .. }), "{url}: {error}");
    }
    Kubo::new("http://[::1]:5001/", KuboOptions::default()).unwrap();
}
