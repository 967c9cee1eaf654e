//! Charts and parties move to post-quantum keys while everything goes on.

use medlock_client::{Error, Identity, Metadata, NewDocument, Suite, identity, terms};
use medlock_tests::{World, small_bundle, treat, treatment};
use medlock_vault::Secrets;

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_and_its_reader_move_to_post_quantum_keys() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.key");
    let secrets = Secrets::generate(&mut identity::rng(), Suite::X25519);
    identity::create(&file, &secrets, "correct horse").unwrap();
    let opened = || Identity::open(&file, "correct horse").unwrap();

    let (patient, chart) = world.patient().await;
    let before = world.as_client(opened()).await;
    before.publish_key().await.unwrap();
    let roles = terms::role::ORGANISATION | terms::role::PROVIDER;
    world.credential(before.address(), roles).await;
    patient.grant(chart, before.address(), treatment()).await.unwrap();
    let open = before.chart(chart).await.unwrap();
    let bundle = small_bundle();
    open.import(&bundle, |_, _| ()).await.unwrap();

    // Another key of the same kind: the keyring that is sealed to the one before still opens.
    let rotate = |suite: &str| {
        let output = world.medlock(Some(&file), &["keys", "rotate", "--suite", suite]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    rotate("x25519");
    let clinic = world.as_client(opened()).await;
    let export = async |client: &medlock_client::Client| {
        let open = client.chart(chart).await.unwrap();
        open.export(treat(), |_, _| ()).await.map(|bytes| bytes.to_vec())
    };
    assert_eq!(export(&clinic).await.unwrap(), bundle);

    // The chart goes ahead: whose key is weaker than the chart's waits, reads what it could, and can still write.
    let rotated = patient.rotate(chart, Some(Suite::XWing)).await.unwrap();
    assert_eq!((rotated.resealed.len(), rotated.waiting), (0, vec![clinic.address()]));
    assert_eq!(export(&clinic).await.unwrap(), bundle);
    let document = NewDocument {
        record_id: clinic.record_id(chart, b"sealed with X-Wing"),
        compartment: 1,
        metadata: Metadata {
            media_type: "text/plain".into(),
            ..Metadata::default()
        },
        content: b"for decades"[..].into(),
    };
    let record = document.record_id;
    let open = clinic.chart(chart).await.unwrap();
    open.add(vec![document], |_| ()).await.unwrap();
    let refused = open.read(record, None, treat()).await.err().unwrap();
    assert!(matches!(refused, Error::NoCompartmentKey { .. }), "{refused}");
    let grant = patient.grant(chart, clinic.address(), treatment()).await;
    let error = grant.err().unwrap();
    let weaker = matches!(error, Error::Vault(medlock_vault::Error::WeakerRecipient { .. }));
    assert!(weaker, "{error}");

    rotate("x-wing");
    let clinic = world.as_client(opened()).await;
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
    let open = clinic.chart(chart).await.unwrap();
    let read = open.read(record, None, treat()).await.unwrap();
    assert_eq!(&read.content[..], b"for decades");
    assert_eq!(export(&clinic).await.unwrap(), bundle);
    let sealed = open.fetch(record, None, treat()).await.unwrap();
    assert_eq!(sealed.envelope.suite, Suite::XWing);

    // A copy of the key file from before does not hold the new key.
    let stale = before.chart(chart).await.unwrap();
    let error = stale.read(record, None, treat()).await.err().unwrap();
    assert!(matches!(error, Error::Tampered { .. }), "{error}");
    // Later rotations stay with what the chart has, and hand the keys on.
    let rotated = patient.rotate(chart, None).await.unwrap();
    assert_eq!((rotated.resealed, rotated.waiting.len()), (vec![clinic.address()], 0));
    let state = patient.chart_state(chart).await.unwrap();
    let directory = patient.directory(chart, &state).await.unwrap();
    let entries = &directory.body.compartments;
    assert!(
        entries
            .iter()
            .all(|entry| entry.key.suite() == Suite::XWing && entry.epoch == 3)
    );
    assert_eq!(export(&clinic).await.unwrap(), bundle);
}
