//! Damage on disk, anywhere: noticed, never handed out, and undone where one whole copy is left.

use std::fs;
use std::path::Path;

use medlock_dag::{Block, Cid, dag_cbor_block, file, raw_block};
use medlock_store::{Embedded, Error, Replica, Replicated, Store};

use crate::stub::{Answer, Stub};
use crate::{Random, assert_holds, assert_lacks, blocks, content, files, kubo, node, open_when_free, when_free};
use medlock_kubo_daemon::Daemon;

/// How often a repository is damaged.
const ROUNDS: usize = 150;
/// For stubs that hang.
const TIMEOUT_MS: u64 = 200;

/// Records as they are: envelopes that link to payloads, of one block and of many. The roots, and all blocks.
fn records() -> (Vec<Cid>, Vec<Block>) {
    let (mut roots, mut all) = (Vec::new(), Vec::new());
    for i in 0..12_usize {
        let (payload, blocks) = file(&content(if i == 5 { 700_000 } else { 900 + i }));
        let cid = payload.to_bytes();
        let link = [
            &b"\x82\x18"[..],
            &[i as u8 + 24],
            b"\xd8\x2a\x58",
            &[cid.len() as u8 + 1, 0],
            &cid,
        ];
        let envelope = dag_cbor_block(link.concat());
        roots.push(envelope.cid);
        all.extend(blocks);
        all.push(envelope);
    }
    (roots, all)
}

fn replicated(replicas: Vec<Replica>, quorum: usize) -> Store {
    Store::Replicated(Replicated::new(replicas, quorum).unwrap())
}

/// Flips some bits of the packs below `dir`, or cuts one, or makes one longer: what it did.
fn damage(dir: &Path, random: &mut Random) -> String {
    let packs = files(&dir.join("packs"));
    let pack = &packs[random.below(packs.len())];
    let mut bytes = fs::read(pack).unwrap();
    let done = match random.below(6) {
        0 => {
            bytes.truncate(random.below(bytes.len()));
            format!("cut to {}", bytes.len())
        }
        1 => {
            bytes.extend(vec![0; 1 + random.below(100)]);
            format!("made longer, to {}", bytes.len())
        }
        // Half of these in the table, which is a small part of the file.
        nth => {
            let end = if nth < 4 { bytes.len().min(500) } else { bytes.len() };
            let flips = (0..=random.below(3)).map(|_| (random.below(end), random.below(8)));
            let flips = flips.collect::<std::collections::BTreeSet<_>>();
            for (at, bit) in &flips {
                bytes[*at] ^= 1 << bit;
            }
            format!("flipped {flips:?}")
        }
    };
    fs::write(pack, bytes).unwrap();
    format!("{}: {done}", pack.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_anywhere_is_noticed_and_healed_from_a_replica() {
    let mut random = Random::fresh();
    let (damaged, other, aside) = [(); 3].map(|()| tempfile::tempdir().unwrap()).into();
    let (roots, all) = records();
    let other = Embedded::open(other.path()).unwrap();
    let damaged = damaged.path();
    let first = replicated(vec![Embedded::open(damaged).unwrap().into(), other.clone().into()], 2);
    for part in all.chunks(9) {
        first.put(part.to_vec()).await.unwrap();
    }
    drop(first);
    let (mut salvages, mut lost) = (0, 0);
    for _ in 0..ROUNDS {
        let done = damage(damaged, &mut random);
        let mut noticed = 0;
        let store = match when_free(|| Embedded::open(damaged)).await {
            Ok(store) => store,
            Err(Error::DamagedPack { .. }) => {
                noticed += 1;
                salvages += 1;
                let salvaged = when_free(|| Embedded::salvage(damaged, aside.path())).await.unwrap();
                assert_eq!(salvaged.len(), 1, "{done}");
                lost += salvaged[0].lost.len();
                assert!(salvaged[0].aside.starts_with(aside.path()) && salvaged[0].aside.is_file());
                open_when_free(damaged).await
            }
            Err(error) => panic!("{done}: {error}"),
        };
        for block in &all {
            match store.get(&block.cid).await {
                Ok(Some(got)) => assert_eq!(&got, block, "{done}"),
                Ok(None) => {}
                Err(Error::Corrupt { .. }) => noticed += 1,
                Err(error) => panic!("{done}: {error}"),
            }
        }
        assert!(noticed > 0, "nobody noticed that {done}");

        let both = replicated(vec![store.clone().into(), other.clone().into()], 2);
        let healed = both.heal(roots.clone()).await.unwrap();
        assert_eq!(
            (healed.live, &healed.lost[..], &healed.failed[..]),
            (all.len(), &[][..], &[][..]),
            "{done}"
        );
        assert_holds(&Store::Embedded(store), &all).await;
        assert_eq!(both.heal(roots.clone()).await.unwrap().repaired, 0, "{done}");
    }
    assert!(
        salvages > ROUNDS / 4 && lost > 0,
        "{salvages} packs were salvaged, {lost} blocks lost"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_one_replica_left_everything_is_back() {
    let ((left, new), daemon) = (
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()),
        Daemon::offline(),
    );
    let (roots, all) = records();
    let left = Store::open(left.path()).unwrap();
    let garbage = blocks(5, "not live");
    left.put([&all[..], &garbage].concat()).await.unwrap();
    let Store::Embedded(one) = left else { unreachable!() };
    let new = Embedded::open(new.path()).unwrap();

    let store = replicated(vec![new.clone().into(), one.into(), node(&daemon).into()], 1);
    let healed = store.heal(roots.clone()).await.unwrap();
    assert_eq!((healed.live, healed.repaired), (all.len(), 2 * all.len()), "{healed:?}");
    assert_eq!((&healed.lost[..], &healed.failed[..]), (&[][..], &[][..]));
    drop(store);
    // Pinned on the node, too: its own collection takes nothing.
    daemon.repo.ipfs(&["repo", "gc", "--quiet"], b"");
    for store in [Store::Embedded(new), Store::Kubo(node(&daemon))] {
        assert_holds(&store, &all).await;
        assert_lacks(&store, &garbage).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_lost_its_pin_is_healed() {
    let daemon = Daemon::offline();
    let store = Store::Kubo(node(&daemon));
    let batch = blocks(3, "pinned");
    store.put(batch.clone()).await.unwrap();
    daemon.repo.ipfs(&["pin", "rm", &batch[1].cid.to_string()], b"");
    let healed = store.heal(batch.iter().map(|block| block.cid)).await.unwrap();
    assert_eq!((healed.live, healed.repaired), (3, 1));
    daemon.repo.ipfs(&["repo", "gc", "--quiet"], b"");
    assert_holds(&store, &batch).await;
}

#[tokio::test]
async fn healing_goes_on_where_a_replica_fails_and_asks_it_no_more() {
    let hanging = Stub::always(Answer::Hang).await;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (Embedded::open(one.path()).unwrap(), Embedded::open(two.path()).unwrap());
    let batch = blocks(5_000, "many");
    one.put(batch.clone()).await.unwrap();
    let replicas = vec![one.into(), two.clone().into(), kubo(&hanging.url, TIMEOUT_MS).into()];
    let healed = replicated(replicas, 1)
        .heal(batch.iter().map(|block| block.cid))
        .await
        .unwrap();
    assert_eq!(
        (healed.live, healed.repaired, &healed.lost[..]),
        (5_000, 5_000, &[][..])
    );
    assert_eq!(healed.failed.len(), 1);
    assert_eq!(healed.failed[0].0, hanging.url);
    assert!(hanging.requests() < 50, "{}", hanging.requests());
    assert_holds(&Store::Embedded(two), &batch[4_990..]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healing_never_brings_back_what_is_removed_meanwhile() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (Embedded::open(one.path()).unwrap(), Embedded::open(two.path()).unwrap());
    let store = replicated(vec![one.clone().into(), two.clone().into()], 1);
    for round in 0..20 {
        // In one of the two, so that healing writes.
        let batch = (0..100_u32)
            .map(|i| raw_block([round, 1].repeat(900 + i as usize)))
            .collect::<Vec<_>>();
        one.put(batch.clone()).await.unwrap();
        let cids = batch.iter().map(|block| block.cid).collect::<Vec<_>>();
        let (healing, roots) = (store.clone(), cids.clone());
        let healing = tokio::spawn(async move { healing.heal(roots).await });
        let removal = store.remove(cids).await.unwrap();
        assert_eq!(removal.unconfirmed, []);
        let _ = healing.await.unwrap().unwrap();
        for replica in [&one, &two] {
            assert_lacks(&Store::Embedded(replica.clone()), &batch).await;
        }
    }
}

#[tokio::test]
async fn damaged_packs_are_put_aside_outside_of_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    // Not while it is open.
    let aside = tempfile::tempdir().unwrap();
    assert!(matches!(
        Embedded::salvage(dir.path(), aside.path()),
        Err(Error::Locked { .. })
    ));
    drop(store);
    for aside in [dir.path().to_owned(), dir.path().join("packs/aside")] {
        let outcome = when_free(|| Embedded::salvage(dir.path(), &aside)).await;
        assert!(matches!(outcome, Err(Error::Io { .. })));
    }
    assert_eq!(fs::read_dir(dir.path().join("packs")).unwrap().count(), 0);
}
