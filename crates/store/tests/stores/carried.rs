//! Blocks that leave a store as a CAR stream and enter another.

use medlock_dag::{BLOCK_BYTES_MAX, Block, Cid, car, dag_cbor_block, file, raw_block};
use medlock_kubo_daemon::Daemon;
use medlock_store::{Error, Exported, Imported, Store};

use crate::{assert_holds, assert_lacks, blocks, content, envelope};

fn embedded() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

async fn export(store: &Store, roots: &[Cid]) -> (Vec<u8>, Exported) {
    let mut car = Vec::new();
    let exported = store.export(roots, &mut car).await.unwrap();
    (car, exported)
}

#[must_use]
fn is_car(error: &Error, expected: impl Fn(&car::Error) -> bool) -> bool {
    matches!(error, Error::Car(car) if expected(car))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_carries_all_that_the_roots_lead_to_and_nothing_else() {
    let ((_a, from), (_b, to)) = (embedded(), embedded());
    // More than is put at once, and a block that two records share.
    let large = (0..6).map(|i| raw_block(vec![i; BLOCK_BYTES_MAX])).collect::<Vec<_>>();
    let (payload, parts) = file(&content(3_000_000));
    let both = [b"\x82", &envelope(&payload).bytes[..], &envelope(&large[0].cid).bytes].concat();
    let envelopes = [envelope(&payload), dag_cbor_block(both), envelope(&large[0].cid)];
    let (live, garbage) = ([&parts[..], &large, &envelopes].concat(), blocks(5, "garbage"));
    from.put([&live[..], &garbage].concat()).await.unwrap();
    let roots = envelopes
        .iter()
        .chain(&large)
        .map(|block| block.cid)
        .collect::<Vec<_>>();

    let (mut reading, mut writing) = tokio::io::duplex(1000);
    let exporting = async {
        let exported = from.export(&roots, &mut writing).await.unwrap();
        drop(writing);
        exported
    };
    let (exported, imported) = futures::join!(exporting, to.import(&mut reading));
    assert_eq!((exported.blocks, &exported.missing[..]), (live.len() as u64, &[][..]));
    let expected = Imported {
        roots,
        blocks: exported.blocks,
        bytes: exported.bytes,
    };
    assert_eq!(imported.unwrap(), expected);
    assert_holds(&to, &live).await;
    assert_lacks(&to, &garbage).await;
}

#[tokio::test]
async fn what_a_store_lacks_is_named_and_what_is_damaged_ends_the_export() {
    let (dir, store) = embedded();
    let (payload, parts) = file(&content(600_000));
    let envelope = envelope(&payload);
    store.put(vec![envelope.clone()]).await.unwrap();
    let (car, exported) = export(&store, &[envelope.cid]).await;
    assert_eq!((exported.blocks, exported.missing), (1, vec![payload]));
    assert_eq!(car::read(&car).unwrap(), (vec![envelope.cid], vec![envelope.clone()]));

    store.put(parts).await.unwrap();
    let pack = crate::files(&dir.path().join("packs"))
        .into_iter()
        .max_by_key(|pack| pack.metadata().unwrap().len());
    let pack = pack.unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(pack, bytes).unwrap();
    let error = store.export(&[envelope.cid], &mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_stream_that_is_cut_or_altered_is_refused_and_none_of_the_altered_block_kept() {
    let (_dir, from) = embedded();
    let batch = (0..4).map(|i| raw_block(content(1000 + i))).collect::<Vec<_>>();
    from.put(batch.clone()).await.unwrap();
    let (car, _) = export(&from, &batch.iter().map(|block| block.cid).collect::<Vec<_>>()).await;
    let (_dir, to) = embedded();
    for end in (0..car.len()).step_by(13) {
        // Between two blocks it is a whole stream of fewer.
        if let Err(error) = to.import(&car[..end]).await {
            assert!(
                is_car(&error, |car| matches!(car, car::Error::Truncated { .. })),
                "{error}"
            );
        }
    }
    let (_dir, to) = embedded();
    let mut altered = car.clone();
    *altered.last_mut().unwrap() ^= 1;
    let error = to.import(&altered[..]).await.unwrap_err();
    assert!(is_car(&error, |car| matches!(car, car::Error::Block(_))), "{error}");
    assert_lacks(&to, &batch[3..]).await;
    assert_eq!(to.import(&car[..]).await.unwrap().blocks, 4);
    assert_holds(&to, &batch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_more_blocks_than_an_upload_may_have_is_imported() {
    let (_dir, store) = embedded();
    let block = |i: u64| raw_block(i.to_be_bytes().to_vec());
    let mut car = car::header(&[]).unwrap();
    for i in 0..=car::BLOCKS_MAX {
        car.extend(car::frame(&block(i)));
    }
    assert_eq!(store.import(&car[..]).await.unwrap().blocks, car::BLOCKS_MAX + 1);
    assert_holds(&store, &[block(0), block(car::BLOCKS_MAX)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ipfs_imports_what_we_export_and_we_what_it_exports() {
    let daemon = Daemon::offline();
    let (_a, from) = embedded();
    let text = content(60_000_000);
    let (root, parts) = file(&text);
    let envelope = envelope(&root);
    from.put([&parts[..], std::slice::from_ref(&envelope)].concat())
        .await
        .unwrap();
    let (ours, exported) = export(&from, &[envelope.cid]).await;
    assert_eq!(exported.blocks, parts.len() as u64 + 1);
    daemon.repo.ipfs(&["dag", "import"], &ours);
    let read = daemon.repo.ipfs_bytes(&["cat", &root.to_string()], b"");
    assert!(read == text);
    // The same blocks in the same order: the same bytes.
    let theirs = daemon
        .repo
        .ipfs_bytes(&["dag", "export", &envelope.cid.to_string()], b"");
    assert!(theirs == ours);

    // And what it added itself.
    let other = content(7_000_001);
    let args = [
        "add",
        "--quieter",
        "--cid-version=1",
        "--raw-leaves",
        "--chunker=size-262144",
    ];
    let added = daemon.repo.ipfs(&args, &other);
    let theirs = daemon.repo.ipfs_bytes(&["dag", "export", &added], b"");
    let (_b, to) = embedded();
    let imported = to.import(&theirs[..]).await.unwrap();
    let (root, parts): (Cid, Vec<Block>) = file(&other);
    assert_eq!((root.to_string(), imported.roots), (added, vec![root]));
    assert_eq!(imported.blocks, parts.len() as u64);
    assert_holds(&to, &parts).await;
}
