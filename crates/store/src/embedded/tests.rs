use std::os::unix::fs::symlink;

use medlock_dag::{dag_cbor_block, raw_block};

use super::*;

fn blocks(count: u32, bytes: usize) -> Vec<Block> {
    let block = |i: u32| {
        let mut content = i.to_be_bytes().to_vec();
        content.resize(bytes.max(4), i as u8);
        raw_block(content)
    };
    (0..count).map(block).collect()
}

/// All pack files, in order.
fn packs(dir: &Path) -> Vec<PathBuf> {
    let mut packs: Vec<_> = list(&dir.join("packs"))
        .unwrap()
        .iter()
        .flat_map(|shard| list(shard).unwrap())
        .collect();
    packs.sort_by_key(|path| pack_number(path));
    packs
}

async fn assert_holds(store: &Embedded, blocks: &[Block]) {
    for block in blocks {
        assert_eq!(store.get(&block.cid).await.unwrap().as_ref(), Some(block));
        assert!(store.has(&block.cid).await.unwrap());
    }
}

async fn assert_lacks(store: &Embedded, blocks: &[Block]) {
    for block in blocks {
        assert_eq!(store.get(&block.cid).await.unwrap(), None);
        assert!(!store.has(&block.cid).await.unwrap());
    }
}

#[tokio::test]
async fn keeps_blocks_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let batch = [
        blocks(2_000, 300),
        vec![dag_cbor_block(b"\xa0".to_vec()), raw_block(vec![])],
    ];
    let batch = batch.concat();
    let store = Embedded::open(dir.path()).unwrap();
    assert_lacks(&store, &batch[..10]).await;
    store.put(batch.clone()).await.unwrap();
    assert_eq!(packs(dir.path()).len(), 1, "one batch, one file, one sync");
    assert_holds(&store, &batch).await;
    drop(store);
    assert_holds(&Embedded::open(dir.path()).unwrap(), &batch).await;
}

#[tokio::test]
async fn putting_again_what_is_there_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let batch = blocks(10, 10);
    store.put(batch.clone()).await.unwrap();
    store.put(batch.clone()).await.unwrap();
    store.put(vec![]).await.unwrap();
    assert_eq!(packs(dir.path()).len(), 1);
    // Nor is a block kept twice when a batch has it twice, or new ones come with it.
    store.put([blocks(12, 10), blocks(12, 10)].concat()).await.unwrap();
    let sizes: Vec<_> = packs(dir.path())
        .iter()
        .map(|p| fs::metadata(p).unwrap().len())
        .collect();
    assert_eq!(sizes, [pack::table_bytes(10) + 100, pack::table_bytes(2) + 20]);
}

#[tokio::test]
async fn a_large_batch_takes_several_packs() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let batch = blocks(20, BLOCK_BYTES_MAX);
    store.put(batch.clone()).await.unwrap();
    let packs = packs(dir.path());
    assert_eq!(packs.len(), 3);
    for pack in packs {
        assert!(fs::metadata(pack).unwrap().len() <= (PACK_BYTES_MAX + BLOCK_BYTES_MAX) as u64);
    }
    assert_holds(&store, &batch).await;
}

#[tokio::test]
async fn removed_blocks_are_gone_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let (batch, other) = (blocks(10, 50), vec![raw_block(b"in another pack".to_vec())]);
    store.put(batch.clone()).await.unwrap();
    store.put(other.clone()).await.unwrap();

    let doomed = vec![batch[3].cid, batch[7].cid, batch[3].cid, raw_block(b"?".to_vec()).cid];
    assert_eq!(store.remove(doomed.clone()).await.unwrap().removed, 2);
    assert_eq!(store.remove(doomed).await.unwrap().removed, 0);
    let (gone, kept) = (
        [batch[3].clone(), batch[7].clone()],
        [&batch[..3], &batch[4..7], &batch[8..], &other].concat(),
    );
    assert_lacks(&store, &gone).await;
    assert_holds(&store, &kept).await;
    for pack in packs(dir.path()) {
        let bytes = fs::read(pack).unwrap();
        for block in &gone {
            assert!(!bytes.windows(50).any(|window| window == block.bytes));
        }
    }
    drop(store);

    let store = Embedded::open(dir.path()).unwrap();
    assert_lacks(&store, &gone).await;
    assert_holds(&store, &kept).await;
    // The last block of a pack takes the file with it.
    let removal = store
        .remove(kept.iter().map(|block| block.cid).collect())
        .await
        .unwrap();
    assert_eq!(removal.removed, kept.len());
    assert_eq!(packs(dir.path()), Vec::<PathBuf>::new());
    store.put(batch.clone()).await.unwrap();
    assert_holds(&store, &batch).await;
}

#[tokio::test]
async fn a_damaged_block_is_reported_never_returned_and_repaired_by_putting_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let batch = blocks(3, 100);
    store.put(batch.clone()).await.unwrap();
    let path = &packs(dir.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(100).position(|window| window == batch[1].bytes).unwrap();
    bytes[at + 50] ^= 0x10;
    fs::write(path, &bytes).unwrap();

    let error = store.get(&batch[1].cid).await.unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt { cid, .. } if **cid == batch[1].cid),
        "{error}"
    );
    assert_holds(&store, &[batch[0].clone(), batch[2].clone()]).await;
    store.put(vec![batch[1].clone()]).await.unwrap();
    assert_holds(&store, &batch).await;
    drop(store);
    assert_holds(&Embedded::open(dir.path()).unwrap(), &batch).await;
}

#[tokio::test]
async fn a_truncated_pack_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let batch = blocks(3, 100);
    store.put(batch.clone()).await.unwrap();
    let path = packs(dir.path()).remove(0);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 250]).unwrap();
    let mut corrupt = 0;
    for block in &batch {
        match store.get(&block.cid).await {
            Ok(Some(got)) => assert_eq!(&got, block),
            Err(Error::Corrupt { .. }) => corrupt += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(corrupt, 3);
    drop(store);
    // At start every cut and every damage to the table is noticed.
    for end in 0..bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        assert!(
            matches!(Embedded::open(dir.path()), Err(Error::DamagedPack { .. })),
            "{end}"
        );
    }
    for at in 0..pack::table_bytes(3) as usize {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert!(
            matches!(Embedded::open(dir.path()), Err(Error::DamagedPack { .. })),
            "{at}"
        );
    }
    fs::write(&path, &bytes).unwrap();
    assert_holds(&Embedded::open(dir.path()).unwrap(), &batch).await;
}

#[tokio::test]
async fn a_flip_in_a_table_costs_one_block_at_most_and_a_cut_what_is_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let aside = tempfile::tempdir().unwrap();
    // Of different lengths, so that a wrong one leads astray; some so short that a flip makes them long.
    let batch = (0..7_u8)
        .map(|i| raw_block(vec![i; 3 + 150 * usize::from(i)]))
        .collect::<Vec<_>>();
    Embedded::open(dir.path()).unwrap().put(batch.clone()).await.unwrap();
    let path = packs(dir.path()).remove(0);
    let bytes = fs::read(&path).unwrap();
    let table_bytes = pack::table_bytes(batch.len()) as usize;
    let salvaged = |bad: &[u8], what: &str| {
        fs::write(&path, bad).unwrap();
        let mut salvaged = Embedded::salvage(dir.path(), aside.path()).unwrap();
        assert_eq!(salvaged.len(), 1, "{what}");
        let salvaged = salvaged.remove(0);
        assert_eq!(fs::read(&salvaged.aside).unwrap(), bad, "{what}");
        fs::remove_file(&salvaged.aside).unwrap();
        salvaged
    };
    for at in 0..table_bytes {
        let what = format!("bit {} of byte {at}", at % 8);
        let mut bad = bytes.clone();
        bad[at] ^= 1 << (at % 8);
        let salvaged = salvaged(&bad, &what);
        let in_entries = (20..table_bytes - 32).contains(&at);
        assert_eq!(salvaged.kept, batch.len() - usize::from(in_entries), "{what}");
        assert_eq!(salvaged.lost.len(), usize::from(in_entries), "{what}");
        let store = Embedded::open(dir.path()).unwrap();
        assert_eq!(store.inner.index().len(), salvaged.kept, "{what}");
    }
    for end in (0..bytes.len()).step_by(7) {
        let salvaged = salvaged(&bytes[..end], &format!("cut to {end}"));
        let blocks = pack::blocks(&bytes).unwrap();
        let (mut whole, mut to) = (0, table_bytes);
        for (_, block) in blocks {
            to += block.len();
            whole += usize::from(to <= end);
        }
        assert_eq!(salvaged.kept, whole, "cut to {end}");
    }
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Embedded::salvage(dir.path(), aside.path()).unwrap(), []);
    assert_holds(&Embedded::open(dir.path()).unwrap(), &batch).await;
}

#[tokio::test]
async fn what_is_no_pack_is_put_aside_whole() {
    let dir = tempfile::tempdir().unwrap();
    let batch = blocks(3, 10);
    Embedded::open(dir.path()).unwrap().put(batch.clone()).await.unwrap();
    let stray = packs(dir.path())[0].with_file_name("notes.txt");
    fs::write(&stray, b"?").unwrap();
    assert!(matches!(Embedded::open(dir.path()), Err(Error::DamagedPack { .. })));
    let aside = tempfile::tempdir().unwrap();
    let salvaged = Embedded::salvage(dir.path(), aside.path()).unwrap();
    assert_eq!((salvaged.len(), salvaged[0].kept, &salvaged[0].pack), (1, 0, &stray));
    assert_eq!(fs::read(aside.path().join("notes.txt")).unwrap(), b"?");
    assert_holds(&Embedded::open(dir.path()).unwrap(), &batch).await;
}

#[tokio::test]
async fn is_open_once_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let clone = store.clone();
    drop(store);
    let Err(error) = Embedded::open(dir.path()) else {
        panic!("opened twice")
    };
    let process = format!("in use by process {}", std::process::id());
    assert!(error.to_string().contains(&process), "{error}");
    drop(clone);
    Embedded::open(dir.path()).unwrap();
}

#[tokio::test]
async fn clears_away_what_a_crash_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let batch = blocks(2, 10);
    let store = Embedded::open(dir.path()).unwrap();
    store.put(batch.clone()).await.unwrap();
    drop(store);
    let left = dir.path().join("tmp").join("0000000000000001");
    fs::write(&left, b"medlock-pack-v1\n\0\0").unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    assert!(!left.exists());
    assert_holds(&store, &batch).await;
}

#[tokio::test]
async fn a_full_disk_keeps_nothing_of_the_batch_and_all_from_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let before = blocks(2, 10);
    store.put(before.clone()).await.unwrap();

    // The second pack of this batch is written to a device that is always full.
    let batch = blocks(10, BLOCK_BYTES_MAX);
    let full = store.inner.temp_path(2);
    symlink("/dev/full", &full).unwrap();
    let error = store.put(batch.clone()).await.unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert_lacks(&store, &batch).await;
    assert_holds(&store, &before).await;
    assert_eq!(packs(dir.path()).len(), 1);
    assert_eq!(list(&dir.path().join("tmp")).unwrap(), Vec::<PathBuf>::new());

    // Removal needs room as well, and loses nothing without it.
    symlink("/dev/full", store.inner.temp_path(0)).unwrap();
    let error = store.remove(vec![before[0].cid]).await.unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert_holds(&store, &before).await;

    store.put(batch.clone()).await.unwrap();
    assert_holds(&store, &batch).await;
}

#[tokio::test]
async fn a_block_in_two_packs_is_removed_from_both() {
    let dir = tempfile::tempdir().unwrap();
    let batch = blocks(3, 10);
    let store = Embedded::open(dir.path()).unwrap();
    store.put(batch.clone()).await.unwrap();
    drop(store);
    // As when somebody copies a pack in from a replica.
    let pack = packs(dir.path()).remove(0);
    fs::copy(&pack, pack.with_file_name("0000000000000100")).unwrap();

    let store = Embedded::open(dir.path()).unwrap();
    assert_holds(&store, &batch).await;
    assert_eq!(store.remove(vec![batch[1].cid]).await.unwrap().removed, 1);
    drop(store);
    let store = Embedded::open(dir.path()).unwrap();
    assert_lacks(&store, &batch[1..2]).await;
    assert_holds(&store, &[batch[0].clone(), batch[2].clone()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_a_pack_change_under_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let (kept, doomed) = (blocks(20, 64), blocks(60, 32));
    store.put([kept.clone(), doomed.clone()].concat()).await.unwrap();
    let reader = |store: Embedded, kept: Vec<Block>| async move {
        for _ in 0..20 {
            assert_holds(&store, &kept).await;
        }
    };
    let readers = [(); 3].map(|()| tokio::spawn(reader(store.clone(), kept.clone())));
    for block in &doomed {
        assert_eq!(store.remove(vec![block.cid]).await.unwrap().removed, 1);
    }
    for reader in readers {
        reader.await.unwrap();
    }
    assert_lacks(&store, &doomed).await;
}

#[tokio::test]
async fn refuses_cids_and_blocks_that_are_never_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let v0: Cid = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH".parse().unwrap();
    assert!(matches!(store.get(&v0).await, Err(Error::Block(_))));
    assert!(matches!(store.has(&v0).await, Err(Error::Block(_))));
    assert!(matches!(store.remove(vec![v0]).await, Err(Error::Block(_))));
    let good = raw_block(b"good".to_vec());
    let large = raw_block(vec![0; BLOCK_BYTES_MAX + 1]);
    assert!(matches!(
        store.put(vec![good.clone(), large]).await,
        Err(Error::Block(_))
    ));
    assert_lacks(&store, &[good]).await;
}

#[tokio::test]
async fn a_sweep_goes_by_its_own_collection_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let batch = blocks(3, 10);
    store.put(batch.clone()).await.unwrap();
    let first = store.begin_gc().unwrap();
    assert!(matches!(store.begin_gc(), Err(Error::GcUnderWay)));
    store.end_gc(first);
    let second = store.begin_gc().unwrap();
    // The first one's sweep, as when its future was dropped but its thread goes on.
    assert!(matches!(store.sweep(first, Arc::default()).await, Err(Error::GcEnded)));
    store.end_gc(first);
    store.put(batch[..1].to_vec()).await.unwrap();
    assert_eq!(store.sweep(second, Arc::default()).await.unwrap(), 2);
    assert_holds(&store, &batch[..1]).await;
    assert_lacks(&store, &batch[1..]).await;
}
