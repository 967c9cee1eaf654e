//! What is left of a shredded record.
use super::*;

use medlock_api::{Erasure, Remains};

fn remains(erasure: &Erasure) -> Vec<(u32, Remains, Remains)> {
    let each = erasure.versions.iter();
    each.map(|version| (version.version, version.envelope, version.payload))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sealed_keys_of_a_shredded_record_go_at_once_and_the_rest_with_upkeep() {
    use Remains::{Gone, Present};
    let world = World::with_chart().await;
    let first = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    let second = world.amend(&world.clinic, &first, LABS, b"labs again").await;
    let other = world.write(&world.clinic, B256::repeat_byte(2), LABS, b"others").await;
    for written in [&first, &second, &other] {
        world.store.put(written.blocks.clone()).await.unwrap();
    }
    let (clinic, patient) = (world.sign_in(&world.clinic).await, world.sign_in(&world.patient).await);
    let path = format!("/v1/charts/{CHART}/records/{}/erasure", first.record_id);
    for request in [world.get(&patient, &path), world.post(&patient, &path)] {
        refused(request, Kind::NotShredded).await;
    }
    let unknown = format!("/v1/charts/{CHART}/records/{UNKNOWN}/erasure");
    refused(world.post(&patient, &unknown), Kind::ForbiddenOrUnknown).await;

    world.shred(&world.patient, CHART, first.record_id).await;
    refused(world.post(&clinic, &path), Kind::ForbiddenOrUnknown).await;
    let erasure: Erasure = ok(world.get(&patient, &path)).await;
    assert_eq!(remains(&erasure), [(1, Present, Present), (2, Present, Present)]);
    assert_eq!((erasure.complete, erasure.versions[0].erased_at), (false, None));
    for _ in 0..2 {
        let erasure: Erasure = ok(world.post(&patient, &path)).await;
        assert_eq!(remains(&erasure), [(1, Gone, Present), (2, Gone, Present)]);
        assert!(!erasure.complete && erasure.versions.iter().all(|version| version.erased_at.is_some()));
    }
    for written in [&first, &second] {
        let envelope = &written.blocks.last().unwrap().cid;
        assert!(!world.store.has(envelope).await.unwrap());
        assert!(world.store.has(&written.payload).await.unwrap());
    }
    for _ in 0..2 {
        let (_, healed) = world.gateway.look_after(Duration::ZERO).await.unwrap();
        assert!(healed.lost.is_empty(), "{healed:?}");
    }
    let erasure: Erasure = ok(world.get(&patient, &path)).await;
    assert_eq!(remains(&erasure), [(1, Gone, Gone), (2, Gone, Gone)]);
    assert!(erasure.complete);
    // The other record is whole.
    ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &other, |_| ()))).await;
    ok_bytes(world.payload(&clinic, &other)).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_anothers_record_removed_by_pointing_to_it() {
    let world = World::with_chart().await;
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let (clinic, stranger) = (world.sign_in(&world.clinic).await, world.sign_in(&world.stranger).await);
    // A chart of one's own, with a record of the same id, whose pointer is that of the patient's record.
    let foreign = B256::repeat_byte(0xf0);
    let [directory, _] = world.keys.as_ref().unwrap().each_ref().map(digest);
    world.open(&world.stranger, foreign, directory).await;
    let record = (written.record_id, LABS, written.pointer);
    world.add(&world.stranger, foreign, record).await;
    world.shred(&world.stranger, foreign, written.record_id).await;
    let path = format!("/v1/charts/{foreign}/records/{}/erasure", written.record_id);
    let erasure: Erasure = ok(world.post(&stranger, &path)).await;
    assert_eq!(remains(&erasure), [(1, Remains::Foreign, Remains::Foreign)]);
    ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()))).await;
    ok_bytes(world.payload(&clinic, &written)).await;
    // Nor in another's chart.
    let path = format!("/v1/charts/{CHART}/records/{}/erasure", written.record_id);
    refused(world.post(&stranger, &path), Kind::ForbiddenOrUnknown).await;
    world.stop().await;
}
