//! Who ends up with which keys: grants, expiry, revocation, and two writers at once.

use alloy::primitives::B256;
use medlock_abi::records::IRecords::IRecordsErrors;
use medlock_client::{
    Client, Error, Fault, GrantTerms, Identity, Metadata,
    api::Purpose,
    identity::rng,
    now,
    terms::{action, purpose},
};
use medlock_fhir::Label;
use medlock_tests::{World, eventually, treatment};
use medlock_vault::{Secrets, Suite};

fn code(code: &str) -> Purpose {
    Purpose::from_code(code).unwrap()
}

fn payment(expiry: u64) -> GrantTerms {
    GrantTerms {
        compartments: 1 << Label::Claims.compartment(),
        purposes: purpose::HPAYMT,
        actions: action::READ,
        notBefore: 0,
        expiry,
    }
}

async fn first_in(client: &Client, chart: B256, label: Label) -> B256 {
    let listed = client.records(chart, Some(label.compartment())).await.unwrap();
    listed.first().expect("the fixture has one").record_id
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_keeps_reading_and_whose_time_is_over_does_not() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let (staying, leaving) = (world.insurer().await, world.insurer().await);
    patient.grant(chart, staying.address(), payment(0)).await.unwrap();
    patient
        .grant(chart, leaving.address(), payment(now() + 5))
        .await
        .unwrap();
    let claim = first_in(&patient, chart, Label::Claims).await;
    let held = leaving.chart(chart).await.unwrap().keyring().await.unwrap();
    let old = staying.chart(chart).await.unwrap();
    old.read(claim, None, code("HPAYMT")).await.unwrap();

    // Its time passes, for everybody's clock.
    let expiry = leaving.grants(None).await.unwrap()[0].expiry;
    eventually("the grant expires", || async { (now() >= expiry).then_some(()) }).await;
    let revoked = patient.revoke(chart, clinic.address()).await.unwrap();
    assert_eq!(
        revoked.resealed,
        [staying.address()],
        "nobody whose time is over receives the new keys"
    );

    let own = patient.chart(chart).await.unwrap();
    let before = own.read(claim, None, code("PATRQT")).await.unwrap();
    own.amend(&before, Metadata::default(), b"after").await.unwrap();
    let sealed = own.fetch(claim, None, code("PATRQT")).await.unwrap();
    assert!(!held.is_empty() && held.iter().all(|keys| sealed.open(keys).is_err()));
    // The same open chart, and a fresh one: the rotated keys are found either way.
    assert_eq!(*old.read(claim, None, code("HPAYMT")).await.unwrap().content, b"after");
    let fresh = staying.chart(chart).await.unwrap();
    assert_eq!(
        *fresh.read(claim, None, code("HPAYMT")).await.unwrap().content,
        b"after"
    );
    // And back over the link to the epoch before.
    assert_eq!(
        *fresh.read(claim, Some(1), code("HPAYMT")).await.unwrap().content,
        *before.content
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_all_leaves_nobody_with_a_key() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    let record = first_in(&clinic, chart, Label::Vitals).await;
    let held = open.keyring().await.unwrap();
    patient.revoke_all(chart).await.unwrap();
    assert!(
        open.read(record, None, code("TREAT"))
            .await
            .err()
            .expect("refused")
            .is_refusal()
    );
    let own = patient.chart(chart).await.unwrap();
    let before = own.read(record, None, code("PATRQT")).await.unwrap();
    own.amend(&before, Metadata::default(), b"mine").await.unwrap();
    let sealed = own.fetch(record, None, code("PATRQT")).await.unwrap();
    assert!(held.iter().all(|keys| sealed.open(keys).is_err()));
    // A new grant starts anew, with history.
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
    let again = clinic.chart(chart).await.unwrap();
    assert_eq!(*again.read(record, None, code("TREAT")).await.unwrap().content, b"mine");
}

/// Otherwise the grantee would keep keys that no later revocation rotates.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_cannot_be_narrowed_into_keys_that_stay() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let narrower = GrantTerms {
        compartments: 1 << Label::Labs.compartment(),
        ..treatment()
    };
    let error = patient
        .grant(chart, clinic.address(), narrower.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::GrantNarrowed { .. }), "{error}");
    patient.revoke(chart, clinic.address()).await.unwrap();
    patient.grant(chart, clinic.address(), narrower).await.unwrap();
    let wider = patient.grant(chart, clinic.address(), treatment()).await;
    assert!(wider.is_ok(), "widening takes nothing away");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_record_do_not_overwrite_each_other() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let record = first_in(&clinic, chart, Label::Vitals).await;
    let (clinics, patients) = (clinic.chart(chart).await.unwrap(), patient.chart(chart).await.unwrap());
    let seen = clinics.read(record, None, code("TREAT")).await.unwrap();
    let also_seen = patients.read(record, None, code("PATRQT")).await.unwrap();
    patients
        .amend(&also_seen, Metadata::default(), b"the patient's")
        .await
        .unwrap();
    let error = clinics
        .amend(&seen, Metadata::default(), b"the clinic's")
        .await
        .unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Contract {
                fault: Fault::Records(IRecordsErrors::StalePointer(_)),
                ..
            }
        ),
        "{error}"
    );
    let now = clinics.read(record, None, code("TREAT")).await.unwrap();
    assert_eq!((now.version, &**now.content), (2, &b"the patient's"[..]));
    clinics.amend(&now, Metadata::default(), b"both").await.unwrap();
}

/// The writer's directory is stale when it adds: the contract refuses, the client seals again to the rotated keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sealed_before_a_rotation_is_sealed_again() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let insurer = world.insurer().await;
    patient.grant(chart, insurer.address(), payment(0)).await.unwrap();
    let open = clinic.chart(chart).await.unwrap();
    patient.revoke(chart, insurer.address()).await.unwrap();
    let claim = medlock_client::NewDocument {
        record_id: B256::repeat_byte(3),
        compartment: Label::Claims.compartment(),
        metadata: Metadata::default(),
        content: b"a claim".to_vec().into(),
    };
    let stored = open.add(vec![claim], |_| ()).await.unwrap();
    assert_eq!(stored.len(), 1);
    let read = open.read(B256::repeat_byte(3), None, code("TREAT")).await.unwrap();
    assert_eq!(*read.content, b"a claim");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_keeps_for_itself_opens_for_it_alone_and_under_its_name() {
    let world = World::start().await;
    let mut secrets = Secrets::generate(&mut rng(), Suite::XWing);
    let clinic = world.as_client(Identity::new(&secrets).unwrap()).await;
    let kept = clinic.seal_own("names", b"Ida Lindgren").unwrap();
    assert!(!kept.windows(3).any(|bytes| bytes == b"Ida"));
    assert_ne!(kept, clinic.seal_own("names", b"Ida Lindgren").unwrap());
    assert_eq!(*clinic.open_own("names", &kept).unwrap(), b"Ida Lindgren");

    secrets.rotate_encryption(&mut rng(), Suite::X25519).unwrap();
    let clinic = world.as_client(Identity::new(&secrets).unwrap()).await;
    assert_eq!(
        *clinic.open_own("names", &kept).unwrap(),
        b"Ida Lindgren",
        "by a key of before"
    );

    let stranger = world.newcomer().await;
    let mut altered = kept.clone();
    *altered.last_mut().unwrap() ^= 1;
    for refused in [
        clinic.open_own("asked", &kept),
        clinic.open_own("names", &altered),
        clinic.open_own("names", &kept[..kept.len() - 1]),
        clinic.open_own("names", b""),
        stranger.open_own("names", &kept),
    ] {
        assert!(matches!(refused, Err(Error::Tampered { .. })), "{:?}", refused.err());
    }
}
