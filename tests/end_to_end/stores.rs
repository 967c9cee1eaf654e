//! The gateway's stores through their life: replicas, a lost disk, garbage, erasure, a chart carried away in a file.

use std::{path::Path, time::Duration};

use alloy::primitives::B256;
use medlock::stores::Stores;
use medlock_client::{Client, Error, Metadata, NewDocument, api::Purpose};
use medlock_dag::car;
use medlock_gateway::Upkeep;
use medlock_kubo_daemon::Repo;
use medlock_store::{Kubo, KuboOptions};
use medlock_tests::{Settings, World, eventually, files, patient_request, small_bundle, treat, treatment};

/// Round after round. An upload and its transaction take a fraction of the grace, on a busy machine too.
const ALWAYS: Upkeep = Upkeep {
    every: Duration::from_millis(50),
    grace: Duration::from_secs(4),
};

fn note(record_id: B256, content: &[u8]) -> NewDocument {
    NewDocument {
        record_id,
        compartment: 4,
        metadata: Metadata::default(),
        content: content.into(),
    }
}

/// Bytes of all packs in a folder of blocks.
fn pack_bytes(dir: &Path) -> u64 {
    let packs = files(&dir.join("packs"));
    // Some may go meanwhile.
    let lengths = packs.iter().filter_map(|path| std::fs::metadata(path).ok());
    lengths.map(|metadata| metadata.len()).sum()
}

fn forget_index_and_receipts(home: &Path) {
    for path in std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("index.db") || name.starts_with("gateway.") {
            std::fs::remove_file(&path).unwrap();
        }
    }
}

async fn export(client: &Client, chart: B256, purpose: Purpose) -> Result<Vec<u8>, Error> {
    let open = client.chart(chart).await?;
    open.export(purpose, |_, _| ()).await.map(|bytes| bytes.to_vec())
}

/// Promise 3 in full: the database, the gateway and a disk are lost; the chain and one replica bring all back, and the
/// new disk is a replica again.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_disk_is_made_whole_by_the_other_replica() {
    let disks = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let place = |at: usize| disks[at].path().join("blocks");
    let world = World::with(Settings {
        stores: Stores {
            places: vec![place(0).display().to_string(), place(1).display().to_string()],
            // Both have everything before anything is lost.
            quorum: Some(2),
        },
        upkeep: Some(ALWAYS),
        ..Settings::default()
    })
    .await;
    let (_, clinic, chart) = world.treated().await;
    let identity = clinic.identity().clone();
    let mut world = world;
    for lost in [0, 1] {
        let whole = pack_bytes(&place(1 - lost));
        assert!(whole > 10_000);
        world = world
            .restart(|home| {
                std::fs::remove_dir_all(place(lost)).unwrap();
                forget_index_and_receipts(home);
            })
            .await;
        world.indexed().await;
        let clinic = world.dev.client(identity.clone()).await.unwrap();
        assert_eq!(export(&clinic, chart, treat()).await.unwrap(), small_bundle());
        eventually("the new disk has every block", || async {
            (pack_bytes(&place(lost)) >= whole / 2).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shredded_or_replaced_goes_and_what_is_live_stays() {
    let world = World::with(Settings {
        upkeep: Some(ALWAYS),
        ..Settings::default()
    })
    .await;
    let (patient, clinic, chart) = world.treated().await;
    let open = patient.chart(chart).await.unwrap();
    let (kept, shredded) = (B256::repeat_byte(1), B256::repeat_byte(2));
    // Neither shares a block with another.
    let mut random = [vec![0; 300_000], vec![0; 300_000]];
    for content in &mut random {
        medlock_vault::rand_core::Rng::fill_bytes(&mut medlock_client::identity::rng(), content);
    }
    let documents = vec![note(kept, &random[0]), note(shredded, &random[1])];
    open.add(documents, |_| ()).await.unwrap();
    let before = open.read(kept, None, patient_request()).await.unwrap();
    open.amend(&before, Metadata::default(), b"second").await.unwrap();
    // An upload that came to nothing: no record refers to it.
    let orphan = medlock_dag::raw_block(vec![7; 200_000]);
    let orphan = car::write(&[orphan.cid], [&orphan]).unwrap();
    patient.restore(&orphan[..], |_| ()).await.unwrap();
    let blocks = world.home().join("blocks");
    let full = pack_bytes(&blocks);
    open.shred(shredded).await.unwrap();

    eventually(
        "the blocks of the shredded record and of the upload are gone",
        || async { (pack_bytes(&blocks) + 500_000 < full).then_some(()) },
    )
    .await;
    let refused = open.read(shredded, None, patient_request()).await.err().unwrap();
    assert!(
        matches!(&refused, Error::Problem { .. } | Error::Contract { .. }),
        "{refused:?}"
    );
    // Every version of what is not shredded is there.
    assert_eq!(
        *open.read(kept, Some(1), patient_request()).await.unwrap().content,
        random[0]
    );
    assert_eq!(
        *open.read(kept, None, patient_request()).await.unwrap().content,
        b"second"
    );
    assert_eq!(export(&clinic, chart, treat()).await.unwrap(), small_bundle());
    // Uploads go on while it is swept: nothing that is on its way is taken.
    for number in 10..40u8 {
        let record = B256::repeat_byte(number);
        open.add(vec![note(record, &[number; 3_000])], |_| ()).await.unwrap();
        assert_eq!(
            *open.read(record, None, patient_request()).await.unwrap().content,
            [number; 3_000]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_comes_back_from_a_backup() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let open = patient.chart(chart).await.unwrap();
    let record = B256::repeat_byte(9);
    open.add(vec![note(record, &vec![9; 700_000])], |_| ()).await.unwrap();
    let before = open.read(record, None, patient_request()).await.unwrap();
    open.amend(&before, Metadata::default(), b"second").await.unwrap();
    let mut backup = Vec::new();
    let backed_up = open.backup(&mut backup, |_| ()).await.unwrap();
    let versions = patient.records(chart, None).await.unwrap().len() as u64 + 1;
    assert_eq!((backed_up.versions, backed_up.shredded), (versions, 0));
    let denied = clinic.chart(chart).await.unwrap().backup(Vec::new(), |_| ()).await;
    assert!(denied.err().unwrap().is_refusal(), "a backup is the controller's");

    let (mine, theirs) = (patient.identity().clone(), clinic.identity().clone());
    let world = world
        .restart(|home| std::fs::remove_dir_all(home.join("blocks")).unwrap())
        .await;
    let patient = world.dev.client(mine).await.unwrap();
    let clinic = world.dev.client(theirs).await.unwrap();
    let lost = patient.chart(chart).await.err().unwrap();
    assert!(
        matches!(&lost, Error::Problem { kind, .. } if kind == "block-missing"),
        "{lost:?}"
    );
    let cut = patient
        .restore(&backup[..backup.len() - 1], |_| ())
        .await
        .err()
        .unwrap();
    assert!(matches!(&cut, Error::File(_)), "{cut:?}");
    let restored = patient.restore(&backup[..], |_| ()).await.unwrap();
    assert_eq!((restored.blocks, restored.bytes), (backed_up.blocks, backed_up.bytes));

    let open = patient.chart(chart).await.unwrap();
    assert_eq!(
        *open.read(record, Some(1), patient_request()).await.unwrap().content,
        vec![9; 700_000]
    );
    assert_eq!(
        *open.read(record, None, patient_request()).await.unwrap().content,
        b"second"
    );
    assert_eq!(
        export(&patient, chart, patient_request()).await.unwrap(),
        small_bundle()
    );
    // The grantees' keyrings were no part of it.
    let rotated = patient.rotate(chart, None).await.unwrap();
    assert_eq!(rotated.resealed, [clinic.address()]);
    assert_eq!(export(&clinic, chart, treat()).await.unwrap(), small_bundle());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_kept_in_an_ipfs_node_beside_a_folder() {
    let node = Repo::init().start(&["--offline"]);
    let disk = tempfile::tempdir().unwrap();
    let world = World::with(Settings {
        stores: Stores {
            places: vec![disk.path().display().to_string(), node.url.clone()],
            quorum: Some(2),
        },
        upkeep: Some(ALWAYS),
        ..Settings::default()
    })
    .await;
    let (patient, clinic, chart) = world.treated().await;
    let kubo = Kubo::new(&node.url, KuboOptions::default()).unwrap();
    let listed = clinic.records(chart, None).await.unwrap();
    for record in &listed {
        let envelope = medlock_dag::dag_cbor_cid(record.pointer.0);
        assert!(kubo.get(&envelope).await.unwrap().is_some());
    }
    // The folder is lost while the services are down; the node has all of it.
    let identity = clinic.identity().clone();
    let mine = patient.identity().clone();
    let world = world.restart(|_| std::fs::remove_dir_all(disk.path()).unwrap()).await;
    let clinic = world.dev.client(identity).await.unwrap();
    assert_eq!(export(&clinic, chart, treat()).await.unwrap(), small_bundle());
    // Erased in both.
    let patient = world.dev.client(mine).await.unwrap();
    let shredded = &listed[0];
    patient
        .chart(chart)
        .await
        .unwrap()
        .shred(shredded.record_id)
        .await
        .unwrap();
    eventually("the node has let go of the shredded record", || async {
        let envelope = medlock_dag::dag_cbor_cid(shredded.pointer.0);
        (!kubo.has(&envelope).await.unwrap()).then_some(())
    })
    .await;
    patient
        .grant(chart, world.insurer().await.address(), treatment())
        .await
        .unwrap();
}
