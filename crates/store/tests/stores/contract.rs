//! What every kind of store does.

use std::process::Command;

use medlock_dag::{BLOCK_BYTES_MAX, Block, Cid, dag_cbor_block, digest, file, raw_block, raw_cid};
use medlock_store::{Embedded, Error, Healed, Replicated, Store};

use crate::{assert_holds, assert_lacks, blocks, content, envelope, node, until};
use medlock_kubo_daemon::Daemon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    keeps_the_contract(Store::open(dir.path()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ipfs_node_keeps_the_contract() {
    let daemon = Daemon::offline();
    keeps_the_contract(Store::Kubo(node(&daemon))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replicated_store_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::offline();
    let replicas = vec![Embedded::open(dir.path()).unwrap().into(), node(&daemon).into()];
    keeps_the_contract(Store::Replicated(Replicated::new(replicas, 2).unwrap())).await;
}

#[tokio::test]
async fn an_embedded_store_is_open_in_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let lock = dir.path().join("lock");
    let free = || {
        Command::new("flock")
            .arg("--nonblock")
            .arg(&lock)
            .arg("true")
            .status()
            .unwrap()
            .success()
    };
    let store = Store::open(dir.path()).unwrap();
    assert!(!free());
    drop(store);
    // A test beside this one that starts a program shares our open files for a moment.
    until("the lock is free", async || free()).await;
}

async fn keeps_the_contract(store: Store) {
    // In a task, as a server calls it.
    tokio::spawn(keeps_each_part_of_it(store)).await.unwrap();
}

async fn keeps_each_part_of_it(store: Store) {
    gives_back_what_it_was_given(&store).await;
    refuses_what_is_never_stored(&store).await;
    removes_for_good(&store).await;
    repairs_what_is_missing(&store).await;
    heals_what_roots_lead_to(&store).await;
    carries_what_it_has(&store).await;
    sweeps_what_no_root_leads_to(&store).await;
    never_sweeps_what_is_being_added(&store).await;
}

async fn gives_back_what_it_was_given(store: &Store) {
    let batch = [
        vec![
            raw_block(vec![]),
            raw_block(content(BLOCK_BYTES_MAX)),
            dag_cbor_block(b"\xa0".to_vec()),
            // Named dag-cbor by whoever sent it, and not: it harms nobody else.
            dag_cbor_block(b"\xff not dag-cbor".to_vec()),
        ],
        file(&content(600_000)).1,
        blocks(300, "small"),
    ]
    .concat();
    assert_lacks(store, &batch[..20]).await;
    store.put(vec![]).await.unwrap();
    store.put(batch.clone()).await.unwrap();
    assert_holds(store, &batch).await;
    // Again, with doubles.
    store.put([&batch[..3], &batch[..3]].concat()).await.unwrap();
    assert_holds(store, &batch[..4]).await;
    // The codec is not part of what is stored.
    let raw = raw_cid(digest(&batch[2].cid).unwrap());
    assert_eq!(store.get(&raw).await.unwrap().unwrap().bytes, b"\xa0");
}

async fn refuses_what_is_never_stored(store: &Store) {
    let v0: Cid = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH".parse().unwrap();
    assert!(matches!(store.get(&v0).await, Err(Error::Block(_))));
    assert!(matches!(store.has(&v0).await, Err(Error::Block(_))));
    assert!(matches!(store.remove(vec![v0]).await, Err(Error::Block(_))));
    let good = raw_block(b"in bad company".to_vec());
    let large = raw_block(vec![0; BLOCK_BYTES_MAX + 1]);
    assert!(matches!(
        store.put(vec![good.clone(), large]).await,
        Err(Error::Block(_))
    ));
    assert_lacks(store, &[good]).await;
}

async fn removes_for_good(store: &Store) {
    let (root, payload) = file(&content(700_000));
    let batch = [payload, blocks(5, "removed")].concat();
    store.put(batch.clone()).await.unwrap();
    // A leaf before the node that links to it, and one that never was.
    let mut doomed = vec![batch[0].cid, batch[5].cid, raw_block(b"never there".to_vec()).cid];
    doomed.retain(|cid| *cid != root);
    let removal = store.remove(doomed.clone()).await.unwrap();
    assert_eq!(removal.unconfirmed, []);
    assert_eq!(removal.removed, 2);
    assert_eq!(store.remove(doomed.clone()).await.unwrap().removed, 0);
    let (gone, kept): (Vec<Block>, Vec<Block>) = batch.into_iter().partition(|block| doomed.contains(&block.cid));
    assert_lacks(store, &gone).await;
    assert_holds(store, &kept).await;
    store.put(gone.clone()).await.unwrap();
    assert_holds(store, &gone).await;
}

async fn repairs_what_is_missing(store: &Store) {
    let batch = blocks(3, "repaired");
    store.put(batch[1..].to_vec()).await.unwrap();
    assert!(store.repair(batch.clone()).await.unwrap() >= 1);
    assert_eq!(store.repair(batch.clone()).await.unwrap(), 0);
    assert_holds(store, &batch).await;
}

async fn heals_what_roots_lead_to(store: &Store) {
    let (root, payload) = file(&content(900_000));
    let envelope = envelope(&root);
    store
        .put([&payload[..], std::slice::from_ref(&envelope)].concat())
        .await
        .unwrap();
    let healed = store.heal([envelope.cid]).await.unwrap();
    let whole = Healed {
        live: payload.len() + 1,
        ..Healed::default()
    };
    assert_eq!(healed, whole);
    // What nobody has is named; what it leads to cannot be.
    let _ = store.remove(vec![root]).await.unwrap();
    let healed = store.heal([envelope.cid]).await.unwrap();
    assert_eq!((healed.live, healed.repaired, healed.failed), (1, 0, vec![]));
    assert_eq!(healed.lost.iter().map(|lost| lost.0).collect::<Vec<_>>(), [root]);
}

async fn carries_what_it_has(store: &Store) {
    let (root, payload) = file(&content(500_000));
    let envelope = envelope(&root);
    let batch = [&payload[..], std::slice::from_ref(&envelope)].concat();
    store.put(batch.clone()).await.unwrap();
    let mut car = Vec::new();
    let exported = store.export(&[envelope.cid], &mut car).await.unwrap();
    assert_eq!((exported.blocks, exported.missing), (batch.len() as u64, vec![]));
    let removal = store
        .remove(batch.iter().map(|block| block.cid).collect())
        .await
        .unwrap();
    assert_eq!(removal.removed, batch.len());
    assert_eq!(store.import(&car[..]).await.unwrap().roots, [envelope.cid]);
    assert_holds(store, &batch).await;
}

async fn sweeps_what_no_root_leads_to(store: &Store) {
    let (root, payload) = file(&content(800_000));
    let envelope = envelope(&root);
    let live = [payload.clone(), vec![envelope.clone()]].concat();
    let (garbage, again, fresh) = (blocks(30, "garbage"), blocks(5, "again"), blocks(5, "fresh"));
    let (kept, never) = (blocks(5, "kept"), blocks(2, "never"));
    store.put([&live[..], &garbage, &again, &kept].concat()).await.unwrap();

    let gc = store.begin_gc().unwrap();
    assert!(matches!(store.begin_gc(), Err(Error::GcUnderWay)));
    store.put(fresh.clone()).await.unwrap();
    store.put(again.clone()).await.unwrap();
    // To keep what is there is to put it again, without its bytes.
    let cids = |blocks: &[Block]| blocks.iter().map(|block| block.cid).collect::<Vec<_>>();
    let missing = store.keep(cids(&[&never[..], &kept].concat())).await.unwrap();
    assert_eq!(missing, cids(&never));
    let swept = gc.sweep([envelope.cid]).await.unwrap();
    assert!(swept.removed >= garbage.len(), "{swept:?}");
    assert_eq!(
        (swept.live, &swept.missing[..], &swept.failed[..]),
        (live.len(), &[][..], &[][..])
    );
    assert_lacks(store, &garbage).await;
    assert_holds(store, &[&live[..], &again, &fresh, &kept].concat()).await;

    // Dropped, a collection sweeps nothing. Fresh is only what was put since it began.
    drop(store.begin_gc().unwrap());
    assert_holds(store, &again).await;
    // A payload that was shredded holds nothing up.
    assert_eq!(store.remove(vec![root]).await.unwrap().removed, 1);
    let swept = store.begin_gc().unwrap().sweep([envelope.cid]).await.unwrap();
    assert_eq!((swept.live, swept.missing), (2, vec![root]));
    assert_lacks(store, &[&again[..], &fresh, &kept, &payload].concat()).await;
    assert_eq!(store.keep(cids(&kept)).await.unwrap(), cids(&kept));
    assert_holds(store, &[envelope]).await;
}

async fn never_sweeps_what_is_being_added(store: &Store) {
    for round in 0..10 {
        let batch = blocks(20, &format!("round {}", round / 2));
        let gc = store.begin_gc().unwrap();
        let adds = batch.chunks(5).map(|part| {
            let (store, part) = (store.clone(), part.to_vec());
            tokio::spawn(async move { store.put(part).await })
        });
        let adds = adds.collect::<Vec<_>>();
        let swept = gc.sweep([]).await.unwrap();
        assert_eq!(swept.failed, []);
        for add in adds {
            add.await.unwrap().unwrap();
        }
        assert_holds(store, &batch).await;
    }
}
