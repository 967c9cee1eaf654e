//! Uploads that go on, and parts of payloads.
use super::*;

use medlock_api::{BlocksAsked, BlocksMissing};
use medlock_gateway::ASKED_MOST;

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_broken_off_is_told_what_is_missing() {
    let world = World::start().await;
    let token = world.sign_in(&world.stranger).await;
    let blocks: Vec<Block> = (0..4).map(|_| raw_block(rand32().to_vec())).collect();
    let ask = |digests: Vec<B256>| world.post(&token, "/v1/blocks/missing").json(&BlocksAsked { digests });
    let all: Vec<B256> = blocks.iter().map(digest).collect();
    let missing: BlocksMissing = ok(ask(all.clone())).await;
    assert_eq!(missing.missing, all);
    world
        .store
        .put(vec![blocks[1].clone(), blocks[2].clone()])
        .await
        .unwrap();
    let missing: BlocksMissing = ok(ask(all.clone())).await;
    assert_eq!(missing.missing, [all[0], all[3]]);
    for count in [0, ASKED_MOST + 1] {
        let problem = refused(ask(vec![UNKNOWN; count]), Kind::BadRequest).await;
        assert_eq!(problem.field.as_deref(), Some("digests"));
    }
    let _: BlocksMissing = ok(ask(vec![UNKNOWN; ASKED_MOST])).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_payload_comes_with_the_blocks_that_prove_its_place_and_no_others() {
    let world = World::with_chart().await;
    let content: Vec<u8> = std::iter::repeat_with(rand32).take(25_000).flatten().collect();
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, &content).await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let clinic = world.sign_in(&world.clinic).await;
    let path = format!(
        "/v1/charts/{CHART}/records/{}/versions/1/payload?entity-bytes=",
        written.record_id
    );
    refused(world.get(&clinic, &format!("{path}0:0")), Kind::ReceiptMissing).await;
    ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()))).await;
    let chunk = medlock_dag::CHUNK_BYTES as u64;
    let bytes = written.payload_bytes;
    assert!(bytes > 3 * chunk, "{bytes}");
    // All blocks but the envelope: the leaves, and the root.
    let leaves = written.blocks.len() - 2;
    let cases = [
        ("0:0".to_owned(), 0..1, 2),
        (format!("{}:{chunk}", chunk - 1), chunk - 1..chunk + 1, 3),
        (format!("{chunk}:*"), chunk..u64::MAX, leaves),
        ("0:*".to_owned(), 0..u64::MAX, leaves + 1),
        (format!("{bytes}:*"), bytes..u64::MAX, 1),
    ];
    for (asked, range, wanted) in cases {
        let car = ok_bytes(world.get(&clinic, &format!("{path}{asked}"))).await;
        let (roots, blocks) = car::read(&car).unwrap();
        assert_eq!((roots, blocks.len()), (vec![written.payload], wanted), "{asked}");
        let mut reader = FileReader::of_range(written.payload, bytes, range).unwrap();
        for block in blocks {
            reader.accept(block).unwrap();
        }
        reader.finish().unwrap();
    }
    for bad in ["", "1", "2:1", "-1:*", "a:b", "0:99999999999999999999"] {
        let problem = refused(world.get(&clinic, &format!("{path}{bad}")), Kind::BadRequest).await;
        assert_eq!(problem.field.as_deref(), Some("entity-bytes"), "{bad}");
    }
    world.stop().await;
}
