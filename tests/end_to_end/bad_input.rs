//! What bad input and hostile services get: a clear error, nothing released, nothing half-written.

use alloy::primitives::{Address, B256, keccak256};
use medlock_abi::records::IRecords::IRecordsErrors;
use medlock_client::{Client, Endpoints, Error, Fault, Identity, Metadata, NewDocument, api::Purpose, terms::reason};
use medlock_fhir::Label;
use medlock_tests::{World, files, fixture, treat, treatment};

fn failure<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}

async fn refused_import(client: &Client, chart: B256, bytes: &[u8]) -> Error {
    failure(client.chart(chart).await.unwrap().import(bytes, |_, _| ()).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_that_are_none_are_refused_whole() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let huge = vec![b' '; medlock_fhir::BUNDLE_BYTES_MAX + 1];
    let cases: [(&[u8], &str); 5] = [
        (b"not json", "not JSON"),
        (br#"{"resourceType":"Teapot","id":"p"}"#, "not a Bundle"),
        (br#"{"resourceType":"Bundle","type":"collection","entry":[]}"#, "no entries"),
        (
            br#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"MedicationOrder","id":"a"}}]}"#,
            "R4",
        ),
        (&huge, "several Bundles"),
    ];
    for (bytes, says) in cases {
        let error = refused_import(&patient, chart, bytes).await.to_string();
        assert!(error.contains(says), "{says:?} is not in: {error}");
    }
    assert_eq!(patient.records(chart, None).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_right_is_told_so_and_changes_nothing() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let stranger = world.newcomer().await;
    let record = clinic.records(chart, None).await.unwrap()[0].record_id;

    let unknown = failure(stranger.chart_state(B256::repeat_byte(7)).await);
    assert!(matches!(unknown, Error::UnknownChart { .. }), "{unknown}");
    let missing = failure(
        clinic
            .chart(chart)
            .await
            .unwrap()
            .read(B256::repeat_byte(9), None, treat())
            .await,
    );
    assert!(matches!(missing, Error::UnknownRecord { .. }), "{missing}");
    let version = failure(clinic.chart(chart).await.unwrap().read(record, Some(9), treat()).await);
    assert!(matches!(version, Error::UnknownVersion { latest: 1, .. }), "{version}");

    // A chart that is not granted and one that does not exist look the same.
    let not_granted = stranger.records(chart, None).await.unwrap_err().to_string();
    let absent = stranger
        .records(B256::repeat_byte(7), None)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(not_granted, absent);

    let not_controller = failure(stranger.grant(chart, clinic.address(), treatment()).await);
    assert!(
        matches!(not_controller, Error::NotController { .. }),
        "{not_controller}"
    );
    let purpose = Purpose::from_code("HRESCH").unwrap();
    let other_purpose = failure(clinic.chart(chart).await.unwrap().read(record, None, purpose).await);
    assert!(
        matches!(&other_purpose, Error::Problem { status: 403, reason: Some(reason), .. } if reason == "purpose-not-granted"),
        "{other_purpose:?}"
    );

    // A write grant without a credential is not enough.
    stranger.publish_key().await.unwrap();
    patient.grant(chart, stranger.address(), treatment()).await.unwrap();
    let open = stranger.chart(chart).await.unwrap();
    let before = open.read(record, None, treat()).await.unwrap();
    let uncredentialed = failure(open.amend(&before, Metadata::default(), b"x").await);
    assert!(
        matches!(
            &uncredentialed,
            Error::Contract {
                fault: Fault::Records(IRecordsErrors::NotCredentialed(_)),
                ..
            }
        ),
        "{uncredentialed}"
    );
    // A credential without a grant is not, either.
    let other_clinic = world.clinic().await;
    let refused = failure(other_clinic.chart(chart).await);
    assert!(refused.is_refusal(), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_grant_is_refused_with_its_reason() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let clinic = world.clinic().await;
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
    let document = NewDocument {
        record_id: B256::repeat_byte(1),
        compartment: Label::Labs.compartment(),
        metadata: Metadata::default(),
        content: b"5.4 mmol/L".to_vec().into(),
    };
    let open = clinic.chart(chart).await.unwrap();
    open.add(vec![document], |_| ()).await.unwrap();
    let before = open.read(B256::repeat_byte(1), None, treat()).await.unwrap();

    // Two days later, by the chain's clock.
    use alloy::providers::Provider;
    let chain = world.chain();
    let _: serde_json::Value = chain
        .provider()
        .raw_request("evm_increaseTime".into(), (172_800u64,))
        .await
        .unwrap();
    let _: serde_json::Value = chain.provider().raw_request("evm_mine".into(), ()).await.unwrap();
    let late = failure(open.read(B256::repeat_byte(1), None, treat()).await);
    assert!(
        matches!(&late, Error::Problem { status: 403, reason: Some(reason), .. } if reason == "expired"),
        "{late:?}"
    );
    let write = failure(open.amend(&before, Metadata::default(), b"late").await);
    let expired = |error: &Error| {
        matches!(error,
        Error::Contract { fault: Fault::Records(IRecordsErrors::NotWriter(e)), .. } if e.reason == reason::EXPIRED)
    };
    assert!(expired(&write), "{write:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_without_a_published_key_cannot_be_granted() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let error = failure(patient.grant(chart, Address::repeat_byte(5), treatment()).await);
    assert!(matches!(error, Error::NoPublishedKey { .. }), "{error}");
    assert_eq!(patient.grants(Some(chart)).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_are_down_or_others_are_named() {
    let world = World::start().await;
    let identity = Identity::generate().unwrap();
    let deployment = world.dev.deployment.clone();
    let nowhere = "http://127.0.0.1:9".to_owned();

    let endpoints = Endpoints {
        rpc: nowhere.clone(),
        gateway: world.dev.endpoints.gateway.clone(),
    };
    let no_chain = failure(Client::connect(&endpoints, deployment.clone(), identity.clone()).await);
    assert!(no_chain.is_transient(), "{no_chain}");

    let endpoints = Endpoints {
        rpc: world.dev.endpoints.rpc.clone(),
        gateway: nowhere,
    };
    let client = Client::connect(&endpoints, deployment.clone(), identity.clone())
        .await
        .unwrap();
    let no_gateway = failure(client.party(Address::ZERO).await);
    assert!(matches!(no_gateway, Error::GatewayUnreachable { .. }), "{no_gateway}");

    // Another World is another chain with the same id: its genesis differs, or its contracts are not there.
    let other = World::start().await;
    let mut mixed = deployment.clone();
    mixed.genesis_hash = keccak256(b"another chain");
    let wrong = failure(Client::connect(&world.dev.endpoints, mixed.clone(), identity.clone()).await);
    assert!(
        matches!(wrong, Error::Deployment(medlock_deployment::Error::OtherGenesis { .. })),
        "{wrong}"
    );
    let mut elsewhere = other.dev.deployment.clone();
    elsewhere.records = Address::repeat_byte(3);
    let wrong = failure(Client::connect(&other.dev.endpoints, elsewhere, identity).await);
    assert!(
        matches!(wrong, Error::Deployment(medlock_deployment::Error::MissingCode { .. })),
        "{wrong}"
    );
}

/// The store's files, with bytes flipped under the running gateway: no client ever takes them for a record.
#[tokio::test(flavor = "multi_thread")]
async fn altered_blocks_are_never_served_as_records() {
    use std::{fs::OpenOptions, os::unix::fs::FileExt};
    let world = World::start().await;
    let (_, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    open.keyring().await.unwrap();
    let records = clinic.records(chart, None).await.unwrap();
    let mut flipped = 0;
    for file in files(&world.home().join("blocks")) {
        let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
        // Envelopes have some 400 bytes and payloads a kilobyte at least: every one is hit.
        for at in (100..file.metadata().unwrap().len()).step_by(300) {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 1], at).unwrap();
            flipped += 1;
        }
    }
    assert!(flipped > 100, "{flipped} bytes were flipped");
    for record in records {
        let error = failure(open.read(record.record_id, None, treat()).await);
        let named = matches!(&error, Error::Tampered { .. })
            || matches!(&error, Error::Problem { kind, .. } if kind == "block-corrupt" || kind == "block-missing");
        assert!(named, "{error}");
    }
}

/// Tampering that hashes cannot show, because the liar recomputes them: caught by what the chain says and by the AAD.
#[tokio::test(flavor = "multi_thread")]
async fn swapped_and_cut_payloads_do_not_open() {
    let world = World::start().await;
    let (_, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    let records = clinic.records(chart, None).await.unwrap();
    let vitals = Label::Vitals.compartment();
    let same: Vec<_> = records
        .iter()
        .filter(|record| record.compartment == vitals)
        .take(2)
        .collect();
    let [first, second] = same[..] else {
        panic!("the fixture has two vital signs")
    };
    let a = open.fetch(first.record_id, None, treat()).await.unwrap();
    let b = open.fetch(second.record_id, None, treat()).await.unwrap();
    let keyring = open.keyring().await.unwrap();
    let keys = keyring
        .iter()
        .find(|keys| keys.compartment == first.compartment)
        .unwrap();
    let fails = |sealed: medlock_client::SealedDocument| matches!(sealed.open(keys), Err(Error::Tampered { .. }));
    let with = |envelope: &medlock_vault::Envelope, payload: &[u8], binding: &medlock_vault::Binding| {
        medlock_client::SealedDocument {
            binding: binding.clone(),
            pointer: a.pointer,
            envelope: envelope.clone(),
            payload: payload.to_vec(),
        }
    };
    assert!(with(&a.envelope, &a.payload, &a.binding).open(keys).is_ok());
    assert!(
        fails(with(&a.envelope, &b.payload, &a.binding)),
        "another record's payload"
    );
    assert!(
        fails(with(&b.envelope, &b.payload, &a.binding)),
        "another record's envelope and payload"
    );
    assert!(
        fails(with(&a.envelope, &a.payload[..a.payload.len() - 1], &a.binding)),
        "a byte short"
    );
    assert!(
        fails(with(&a.envelope, &a.payload[..100], &a.binding)),
        "cut to the header"
    );
    let mut altered = a.payload.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert!(fails(with(&a.envelope, &altered, &a.binding)), "one bit");
    let mut later = a.binding.clone();
    later.version += 1;
    assert!(
        fails(with(&a.envelope, &a.payload, &later)),
        "an old version for a new one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_import_is_completed_by_repeating_it() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    // Two batches.
    let bundle = fixture("bundles/toddler.json");
    let open = patient.chart(chart).await.unwrap();
    // Cut off after the first batch, as by Ctrl-C.
    let first_batch = {
        let open = open.clone();
        let bundle = bundle.clone();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let import = tokio::spawn(async move {
            let told = |done, _| sender.send(done).expect("the test listens");
            open.import(&bundle, told).await
        });
        let done = receiver.recv().await.expect("progress");
        import.abort();
        let _ = import.await;
        done as usize
    };
    world.indexed().await;
    let partial = patient.records(chart, None).await.unwrap().len();
    assert!(partial >= first_batch);
    let completed = open.import(&bundle, |_, _| ()).await.unwrap();
    assert!(partial < completed.records, "the import was cut off");
    assert_eq!(completed.stored.len() + partial, completed.records);
    world.indexed().await;
    assert_eq!(patient.records(chart, None).await.unwrap().len(), completed.records);
    let purpose = Purpose::from_code("PATRQT").unwrap();
    assert_eq!(open.export(purpose, |_, _| ()).await.unwrap().as_slice(), bundle);
}
