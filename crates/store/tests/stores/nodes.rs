//! What only real IPFS nodes can show.

use std::fs;
use std::path::{Path, PathBuf};

use medlock_dag::{CHUNK_BYTES, FileReader, LINKS_MAX, file, raw_block};
use medlock_store::{Error, Kubo, KuboOptions, Reach, Store};

use crate::{assert_holds, assert_lacks, blocks, content, node};
use medlock_kubo_daemon::{Daemon, Repo};

#[test]
fn predicted_cids_are_those_of_ipfs_add() {
    let repo = Repo::init();
    let full = LINKS_MAX * CHUNK_BYTES;
    let around = |bytes: usize| [bytes - 1, bytes, bytes + 1];
    let sizes = [[0, 1, 1000], around(CHUNK_BYTES), around(2 * CHUNK_BYTES), around(full)];
    let content = content(full + 1);
    for bytes in sizes.concat() {
        let args = [
            "add",
            "--quieter",
            "--only-hash",
            "--cid-version=1",
            "--raw-leaves",
            "--chunker=size-262144",
            "--hash=sha2-256",
        ];
        let theirs = repo.ipfs(&args, &content[..bytes]);
        assert_eq!(file(&content[..bytes]).0.to_string(), theirs, "{bytes} bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_is_a_file_to_ipfs_and_what_it_adds_is_one_to_us() {
    let daemon = Daemon::offline();
    let store = Store::Kubo(node(&daemon));
    let text = "Penicillin: anaphylaxis. ".repeat(40_000);
    let (root, payload) = file(text.as_bytes());
    store.put(payload).await.unwrap();
    assert_eq!(daemon.repo.ipfs(&["cat", &root.to_string()], b""), text.trim());

    let theirs = content(900_000);
    let args = [
        "add",
        "--quieter",
        "--cid-version=1",
        "--raw-leaves",
        "--chunker=size-262144",
    ];
    let root = daemon.repo.ipfs(&args, &theirs).parse().unwrap();
    assert_eq!(read(&store, root).await, theirs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_exchange_a_payload_over_loopback() {
    let [a, b] = [(); 2].map(|()| Repo::init().start(&[]));
    let content = content(1_500_000);
    let (root, payload) = file(&content);
    Store::Kubo(node(&a)).put(payload.clone()).await.unwrap();
    assert_lacks(&Store::Kubo(node(&b)), &payload).await;

    let addresses = a.repo.ipfs(&["id", "--format=<addrs>"], b"");
    let loopback = addresses
        .lines()
        .find(|address| address.starts_with("/ip4/127.0.0.1/tcp/"));
    b.repo.ipfs(&["swarm", "connect", loopback.unwrap()], b"");
    let options = KuboOptions {
        reach: Reach::Peers,
        ..KuboOptions::default()
    };
    let with_peers = Kubo::new(&b.url, options).unwrap();
    assert_eq!(read(&Store::Kubo(with_peers), root).await, content);
    // It has them itself now, if unpinned.
    assert_holds(&Store::Kubo(node(&b)), &payload).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_keeps_a_block_wrongly_is_noticed_and_repaired() {
    let daemon = Daemon::offline();
    let store = Store::Kubo(node(&daemon));
    let batch = blocks(3, "damaged in the node's repository");
    store.put(batch.clone()).await.unwrap();
    let path = find(&daemon.repo.path().join("blocks"), &batch[1].bytes).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[3] ^= 0x20;
    fs::remove_file(&path).unwrap();
    fs::write(&path, &bytes).unwrap();

    let error = store.get(&batch[1].cid).await.unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt { cid, .. } if **cid == batch[1].cid),
        "{error}"
    );
    assert_eq!(store.repair(batch.clone()).await.unwrap(), 1);
    assert_holds(&store, &batch).await;
    // Pinned again: it outlives the node's own collection.
    daemon.repo.ipfs(&["repo", "gc", "--quiet"], b"");
    assert_holds(&store, &batch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pins_of_others_are_neither_removed_nor_swept() {
    let daemon = Daemon::offline();
    let store = Store::Kubo(node(&daemon));
    let text = content(600_000);
    let root = daemon
        .repo
        .ipfs(&["add", "--quieter", "--cid-version=1", "--raw-leaves"], &text);
    let (ours, theirs) = (raw_block(b"ours".to_vec()), file(&text).1);
    store.put(vec![ours.clone()]).await.unwrap();
    assert_eq!(store.begin_gc().unwrap().sweep([]).await.unwrap().removed, 1);
    assert_lacks(&store, &[ours]).await;
    assert_holds(&store, &theirs).await;

    let leaf = theirs.iter().find(|block| block.cid.to_string() != root).unwrap();
    let removal = store.remove(vec![leaf.cid]).await.unwrap();
    assert_eq!((removal.removed, removal.unconfirmed.len()), (0, 1));
    assert!(removal.unconfirmed[0].reason.contains("pinned"), "{removal:?}");
    assert_holds(&store, &theirs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_is_an_error_and_loses_nothing() {
    let mut daemon = Daemon::offline();
    let store = Store::Kubo(node(&daemon));
    let batch = blocks(40, "killed");
    store.put(batch.clone()).await.unwrap();
    daemon.kill();
    assert!(matches!(store.get(&batch[0].cid).await, Err(Error::Unreachable { .. })));
    assert!(matches!(store.put(batch.clone()).await, Err(Error::Unreachable { .. })));
    let removal = store.remove(vec![batch[0].cid]).await.unwrap();
    assert_eq!((removal.removed, removal.unconfirmed.len()), (0, 1));
    let daemon = daemon.restart();
    assert_holds(&Store::Kubo(node(&daemon)), &batch).await;
}

/// The file `root`, each block checked.
async fn read(store: &Store, root: medlock_dag::Cid) -> Vec<u8> {
    let mut reader = FileReader::new(root, u64::MAX).unwrap();
    let mut bytes = Vec::new();
    while let Some(cid) = reader.wanted() {
        let block = store.get(&cid).await.unwrap().expect("a block is missing");
        bytes.extend(reader.accept(block).unwrap());
    }
    bytes
}

/// The file below `dir` that holds `content`.
fn find(dir: &Path, content: &[u8]) -> Option<PathBuf> {
    fs::read_dir(dir).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, content)
        } else {
            (fs::read(&path).unwrap() == content).then_some(path)
        }
    })
}
