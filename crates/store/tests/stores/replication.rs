//! Several stores, some of which fail.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use medlock_dag::{Block, raw_block};
use medlock_store::{Embedded, Error, Replica, Replicated, Store};

use crate::stub::{Answer, Stub};
use crate::{assert_holds, assert_lacks, blocks, content, files, kubo, node, until};
use medlock_kubo_daemon::Daemon;

/// For stubs that hang.
const TIMEOUT_MS: u64 = 200;

fn embedded() -> (tempfile::TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    (dir, store)
}

fn replicated(replicas: Vec<Replica>, quorum: usize) -> Store {
    Store::Replicated(Replicated::new(replicas, quorum).unwrap())
}

/// Flips a bit of `block` in the packs below `dir`.
fn damage(dir: &Path, block: &Block) {
    let packs = files(dir).into_iter().find_map(|path| {
        let bytes = fs::read(&path).unwrap();
        let at = bytes
            .windows(block.bytes.len())
            .position(|window| window == block.bytes)?;
        Some((path, bytes, at))
    });
    let (path, mut bytes, at) = packs.expect("the block is in no pack");
    bytes[at + block.bytes.len() / 2] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn an_add_takes_a_quorum() {
    let stub = Stub::always(Answer::Whole(500, b"full".to_vec())).await;
    let ((_a, a), (_b, b)) = (embedded(), embedded());
    let replicas = vec![kubo(&stub.url, TIMEOUT_MS).into(), a.clone().into(), b.clone().into()];
    let batch = blocks(3, "quorum");
    let two = replicated(replicas.clone(), 2);
    two.put(batch.clone()).await.unwrap();
    assert_holds(&two, &batch).await;
    for store in [a, b] {
        assert_holds(&Store::Embedded(store), &batch).await;
    }
    let error = replicated(replicas, 3).put(batch).await.unwrap_err();
    let Error::Quorum {
        confirmed: 2,
        quorum: 3,
        failed,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0, stub.url);
    assert!(error.to_string().contains("full"), "{error}");
}

#[tokio::test]
async fn an_add_does_not_wait_for_a_replica_beyond_the_quorum() {
    let hanging = Stub::always(Answer::Hang).await;
    let (_dir, a) = embedded();
    // It would hang for as long as the test may take.
    let replicas = vec![kubo(&hanging.url, 600_000).into(), a.into()];
    replicated(replicas, 1).put(blocks(3, "fast")).await.unwrap();
}

#[test]
fn a_quorum_is_at_least_one_and_at_most_all() {
    let (_dir, a) = embedded();
    for (replicas, quorum) in [
        (vec![a.clone().into()], 0),
        (vec![a.into()], 2),
        (vec![], 0),
        (vec![], 1),
    ] {
        assert!(matches!(
            Replicated::new(replicas, quorum),
            Err(Error::BadQuorum { .. })
        ));
    }
}

#[tokio::test]
async fn reads_go_on_where_a_replica_lies_or_fails() {
    let block = raw_block(content(4000));
    let mut lie = block.bytes.clone();
    lie[17] ^= 1;
    for answer in [
        Answer::Whole(200, lie),
        Answer::Whole(500, b"{}".to_vec()),
        Answer::Trailer(block.bytes[..2000].to_vec()),
        Answer::AbruptChunks(block.bytes[..2000].to_vec()),
        Answer::Hang,
        Answer::Drip,
        Answer::Noise,
    ] {
        let stub = Stub::always(answer).await;
        let (_dir, a) = embedded();
        a.put(vec![block.clone()]).await.unwrap();
        let store = replicated(vec![kubo(&stub.url, TIMEOUT_MS).into(), a.into()], 1);
        assert_eq!(store.get(&block.cid).await.unwrap(), Some(block.clone()));
        assert!(store.has(&block.cid).await.unwrap());
        // Absent is what all of them say, not what those say that answer.
        let other = raw_block(b"other".to_vec()).cid;
        assert!(store.get(&other).await.is_err());
        assert!(store.has(&other).await.is_err());
    }
}

#[tokio::test]
async fn a_damaged_copy_is_never_read_and_repaired_behind_the_reader() {
    let ((dir, a), (_b, b)) = (embedded(), embedded());
    let batch = blocks(20, "damaged in the first replica");
    let store = replicated(vec![a.clone().into(), b.into()], 2);
    store.put(batch.clone()).await.unwrap();
    for block in batch.iter().step_by(7) {
        damage(dir.path(), block);
    }
    assert_holds(&store, &batch).await;
    until("the first replica is repaired", async || {
        for block in &batch {
            let Ok(Some(_)) = a.get(&block.cid).await else {
                return false;
            };
        }
        true
    })
    .await;
}

#[tokio::test]
async fn what_is_damaged_everywhere_is_an_error() {
    let ((da, a), (db, b)) = (embedded(), embedded());
    let block = raw_block(content(300));
    let store = replicated(vec![a.into(), b.into()], 2);
    store.put(vec![block.clone()]).await.unwrap();
    damage(da.path(), &block);
    damage(db.path(), &block);
    assert!(matches!(store.get(&block.cid).await, Err(Error::Corrupt { .. })));
    assert_eq!(store.repair(vec![block.clone()]).await.unwrap(), 2);
    assert_holds(&store, &[block]).await;
}

#[tokio::test]
async fn a_missing_copy_comes_back_by_repair_and_not_by_reading() {
    let ((_a, a), (_b, b)) = (embedded(), embedded());
    let batch = blocks(2, "missing");
    b.put(batch.clone()).await.unwrap();
    let store = replicated(vec![a.clone().into(), b.into()], 1);
    assert_holds(&store, &batch).await;
    assert_eq!(store.repair(batch[..1].to_vec()).await.unwrap(), 1);
    assert_eq!(store.repair(batch[..1].to_vec()).await.unwrap(), 0);
    let a = Store::Embedded(a);
    assert_holds(&a, &batch[..1]).await;
    assert_lacks(&a, &batch[1..]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_a_replica_missed_is_reported_and_not_read_back() {
    let (_a, a) = embedded();
    let daemon = Daemon::offline();
    let batch = blocks(3, "removed");
    let store = replicated(vec![a.clone().into(), node(&daemon).into()], 2);
    store.put(batch.clone()).await.unwrap();
    // Something else on the node holds on to one of them.
    let held = batch[1].cid.to_string();
    daemon.repo.ipfs(
        &[
            "pin",
            "add",
            "--recursive=false",
            "--name=other",
            &parent(&daemon, &held),
        ],
        b"",
    );
    daemon
        .repo
        .ipfs(&["pin", "add", "--name=other", &parent(&daemon, &held)], b"");

    let cids = batch.iter().map(|block| block.cid).collect::<Vec<_>>();
    let removal = store.remove(cids.clone()).await.unwrap();
    assert_eq!(removal.removed, 3);
    let unconfirmed = removal.unconfirmed.iter().map(|one| (one.cid, one.store.clone()));
    assert_eq!(unconfirmed.collect::<Vec<_>>(), [(batch[1].cid, daemon.url.clone())]);
    assert_lacks(&store, &batch).await;
    assert_holds(&Store::Kubo(node(&daemon)), &batch[1..2]).await;

    // Put again, it is wanted again.
    store.put(batch[1..2].to_vec()).await.unwrap();
    assert_holds(&store, &batch[1..2]).await;
}

/// A node of the daemon's that links to `cid`.
fn parent(daemon: &Daemon, cid: &str) -> String {
    let node = format!(r#"{{"link":{{"/":"{cid}"}}}}"#);
    daemon.repo.ipfs(&["dag", "put"], node.as_bytes())
}

#[tokio::test]
async fn a_removal_outruns_nothing_that_is_on_its_way() {
    let ((_a, a), (_b, b)) = (embedded(), embedded());
    let store = replicated(vec![a.clone().into(), b.clone().into()], 1);
    for round in 0..50 {
        let batch = blocks(20, &format!("round {round}"));
        // It returns while one of the replicas is still writing.
        store.put(batch.clone()).await.unwrap();
        let removal = store
            .remove(batch.iter().map(|block| block.cid).collect())
            .await
            .unwrap();
        assert_eq!(removal.unconfirmed, []);
        for replica in [&a, &b] {
            assert_lacks(&Store::Embedded(replica.clone()), &batch).await;
        }
    }
}

#[tokio::test]
async fn a_sweep_goes_on_where_a_replica_fails() {
    let stub = Stub::always(Answer::Whole(500, b"{}".to_vec())).await;
    let (_dir, a) = embedded();
    let batch = blocks(3, "swept");
    a.put(batch.clone()).await.unwrap();
    let store = replicated(vec![a.into(), kubo(&stub.url, TIMEOUT_MS).into()], 1);
    let swept = store.begin_gc().unwrap().sweep([batch[0].cid]).await.unwrap();
    assert_eq!((swept.removed, swept.live), (2, 1));
    assert_eq!(swept.failed.len(), 1);
    assert_eq!(swept.failed[0].0, stub.url);
    assert_holds(&store, &batch[..1]).await;
}

#[tokio::test]
async fn full_disks_are_told_from_other_failures() {
    let says = |message: &str| Answer::Whole(500, format!(r#"{{"Message":"{message}"}}"#).into_bytes());
    let full_stub = Stub::always(says("write /ipfs/blocks/.temp/temp-1: no space left on device")).await;
    let broken_stub = Stub::always(says("the disk failed")).await;
    let (node, broken) = (kubo(&full_stub.url, TIMEOUT_MS), kubo(&broken_stub.url, TIMEOUT_MS));
    let ((a_dir, a), (_b, b)) = (embedded(), embedded());
    // The first pack is written to a device that is always full.
    symlink("/dev/full", a_dir.path().join("tmp/0000000000000000")).unwrap();
    let batch = blocks(3, "full");
    let error = a.put(batch.clone()).await.unwrap_err();
    assert!(matches!(&error, Error::DiskFull { .. }) && error.is_full(), "{error}");
    let (a, b, node, broken) = (
        Replica::from(a),
        Replica::from(b),
        Replica::from(node),
        Replica::from(broken),
    );
    for (replicas, quorum, full) in [
        (vec![node.clone()], 1, true),
        (vec![b.clone(), node.clone()], 2, true),
        (vec![broken.clone()], 1, false),
        // Room would make two of three.
        (vec![b.clone(), node.clone(), broken.clone()], 2, true),
        // And not three of three.
        (vec![b, node, broken], 3, false),
    ] {
        let error = replicated(replicas, quorum).put(batch.clone()).await.unwrap_err();
        assert!(matches!(error, Error::Quorum { .. }), "{error}");
        assert_eq!(error.is_full(), full, "{error}");
    }
    // The number of the next pack: the one that failed took the first.
    symlink("/dev/full", a_dir.path().join("tmp/0000000000000001")).unwrap();
    let error = replicated(vec![a.clone()], 1).put(batch.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Quorum { .. }) && error.is_full(), "{error}");
    let store = replicated(vec![a], 1);
    store.put(batch.clone()).await.unwrap();
    assert_holds(&store, &batch).await;
}
