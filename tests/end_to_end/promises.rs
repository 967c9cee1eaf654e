//! One test per promise made to a user (DESIGN.md, "Promises to keep"), as far as they are kept today.

use std::collections::BTreeSet;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    providers::Provider,
    signers::SignerSync,
};
use medlock_abi::{
    records::IRecords::{self, IRecordsErrors},
    relay::IRelay,
};
use medlock_client::{
    Error, Fault, GrantTerms, Identity, Metadata,
    api::{Operation, RelayRequest},
    identity::rng,
    now,
    terms::{self, action, purpose},
};
use medlock_fhir::Label;
use medlock_tests::{World, eventually, files, patient_request, small_bundle, treat, treatment};
use medlock_vault::Secrets;

/// Promise 1. Everything that the services keep is searched for plaintext and for every private key.
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_never_holds_plaintext_or_a_private_key() {
    let world = World::start().await;
    let secrets = [
        Secrets::generate(&mut rng(), medlock_client::Suite::default()),
        Secrets::generate(&mut rng(), medlock_client::Suite::default()),
    ];
    let patient = world.as_client(Identity::new(&secrets[0]).unwrap()).await;
    let clinic = world.clinic().await;
    let (chart, _) = patient
        .open_chart(&medlock_client::default_labels(), medlock_client::Suite::default())
        .await
        .unwrap();
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
    let open = clinic.chart(chart).await.unwrap();
    let bundle = small_bundle();
    open.import(&bundle, |_, _| ()).await.unwrap();
    assert_eq!(open.export(treat(), |_, _| ()).await.unwrap().as_slice(), bundle);

    let text = String::from_utf8(bundle).unwrap();
    let family = between(&text, "\"family\"", "\"", "\"");
    let mut needles: Vec<Vec<u8>> = vec![
        family.as_bytes().to_vec(),
        b"resourceType".to_vec(),
        b"snomed".to_vec(),
        b"application/fhir+json".to_vec(),
        b"allergies".to_vec(),
    ];
    for key in [
        secrets[0].account.expose(),
        secrets[0].encryption.expose(),
        secrets[0].root.expose(),
    ] {
        needles.push(key.to_vec());
        needles.push(alloy::hex::encode(key).into_bytes());
    }
    let mut searched = 0;
    world
        .restart(|home| {
            for file in files(home) {
                // The development chain's owner key file is encrypted, and the owner's own.
                let bytes = std::fs::read(&file).unwrap();
                searched += bytes.len();
                for needle in &needles {
                    let found = bytes.windows(needle.len()).any(|window| window == needle.as_slice());
                    assert!(!found, "{} holds {:?}", file.display(), String::from_utf8_lossy(needle));
                }
            }
        })
        .await;
    assert!(searched > 100_000, "only {searched} bytes were searched");
}

/// Promise 2.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_reader_is_refused_within_a_second_and_cannot_open_later_versions() {
    revoked_readers(&World::start().await).await;
}

pub async fn revoked_readers(world: &World) {
    let (patient, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    let record = clinic.records(chart, None).await.unwrap()[0].record_id;
    let before = open.read(record, None, treat()).await.unwrap();
    let held = open.keyring().await.unwrap();

    patient.revoke(chart, clinic.address()).await.unwrap();
    // The very first request after the receipt: there is nothing to wait for. The demo measures the milliseconds.
    let refused = open.read(record, None, treat()).await.err().expect("refused");
    assert!(matches!(&refused, Error::Problem { status: 403, .. }), "{refused}");
    assert!(clinic.records(chart, None).await.unwrap_err().is_refusal());
    let write = open.amend(&before, Metadata::default(), b"late").await.unwrap_err();
    assert!(write.is_refusal(), "{write}");

    let own = patient.chart(chart).await.unwrap();
    let before = own.read(record, None, patient_request()).await.unwrap();
    own.amend(&before, Metadata::default(), b"after the revocation")
        .await
        .unwrap();
    let sealed = own.fetch(record, None, patient_request()).await.unwrap();
    let state = patient.chart_state(chart).await.unwrap();
    let directory = patient.directory(chart, &state).await.unwrap();
    assert!(!held.is_empty());
    for keys in held.iter() {
        assert!(sealed.open(keys).is_err());
        assert!(directory.body.keys_at_epoch(keys, sealed.envelope.epoch).is_err());
    }
}

/// Promise 3, as far as one machine shows it: the database and the gateway are gone, the chain and the blocks are left.
#[tokio::test(flavor = "multi_thread")]
async fn chain_and_blocks_bring_everything_back() {
    let world = World::start().await;
    let (_, clinic, chart) = world.treated().await;
    let before = clinic.records(chart, None).await.unwrap();
    let identity = clinic.identity().clone();
    let world = world
        .restart(|home| {
            for file in std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path()) {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                if name.starts_with("index.db") || name.starts_with("gateway.") {
                    std::fs::remove_file(&file).unwrap();
                }
            }
        })
        .await;
    world.indexed().await;
    let clinic = world.dev.client(identity).await.unwrap();
    assert_eq!(clinic.records(chart, None).await.unwrap(), before);
    let exported = clinic
        .chart(chart)
        .await
        .unwrap()
        .export(treat(), |_, _| ())
        .await
        .unwrap();
    assert_eq!(exported.as_slice(), small_bundle());
}

/// Promise 4.
#[tokio::test(flavor = "multi_thread")]
async fn every_read_through_the_gateway_is_visible_to_the_patient() {
    visible_reads(&World::start().await).await;
}

pub async fn visible_reads(world: &World) {
    let (patient, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    let records = clinic.records(chart, None).await.unwrap();
    let mut expected = BTreeSet::new();
    for record in records.iter().take(5) {
        open.read(record.record_id, None, treat()).await.unwrap();
        expected.insert(record.record_id);
    }
    let reads = patient.reads(chart).await.unwrap();
    let seen: BTreeSet<B256> = reads.iter().map(|read| read.entry.receipt.record_id).collect();
    assert_eq!(seen, expected);
    for read in &reads {
        assert!(read.proven);
        assert_eq!(read.entry.receipt.reader, clinic.address());
    }
    // There are no other reads meanwhile.
    for pair in reads.windows(2) {
        assert_eq!(pair[1].entry.sequence, pair[0].entry.sequence + 1);
        assert_eq!(
            pair[1].entry.previous, pair[0].entry.hash,
            "each receipt hangs on the one before"
        );
    }
    let refused = clinic.reads(chart).await.unwrap_err();
    assert!(refused.is_refusal(), "the log is the patient's: {refused}");
}

/// Promise 5, at the level of the whole: what the gateway answers from SQL equals what the contract says, after a
/// restart and after a reorg. The indexer's own tests go through random histories.
#[tokio::test(flavor = "multi_thread")]
async fn the_index_equals_the_chain_after_restart_and_reorg() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let insurer = world.insurer().await;
    let ids = [patient.identity(), clinic.identity(), insurer.identity()].map(Clone::clone);
    let world = world.restart(|_| ()).await;
    let [patient, clinic, insurer] = {
        let [patient, clinic, insurer] = ids;
        [
            world.dev.client(patient).await.unwrap(),
            world.dev.client(clinic).await.unwrap(),
            world.dev.client(insurer).await.unwrap(),
        ]
    };
    let terms = GrantTerms {
        compartments: 1 << Label::Claims.compartment(),
        purposes: purpose::HPAYMT,
        actions: action::READ,
        notBefore: 0,
        expiry: now() + 1_000,
    };
    patient.grant(chart, insurer.address(), terms).await.unwrap();
    eventually("the grant is indexed", || async {
        let grants = patient.grants(Some(chart)).await.unwrap();
        (grants.len() == 2).then_some(())
    })
    .await;

    // The block with the grant is replaced by an empty one.
    world
        .chain()
        .provider()
        .raw_request::<_, serde_json::Value>("anvil_reorg".into(), (1u64, Vec::<U256>::new()))
        .await
        .unwrap();
    let on_chain = IRecords::grantOfCall {
        chart,
        grantee: insurer.address(),
    };
    let records = world.dev.deployment.records;
    let gone = world
        .chain()
        .call_at(records, on_chain, BlockId::latest())
        .await
        .unwrap();
    assert_eq!(gone.terms.actions, 0, "the reorg took the grant");
    eventually("the index follows the reorg", || async {
        let grants = patient.grants(Some(chart)).await.unwrap();
        (grants.len() == 1).then_some(())
    })
    .await;

    // Every question there is, asked of the contract and of SQL at the same block.
    world.indexed().await;
    let mut questions = Vec::new();
    for grantee in [
        clinic.address(),
        insurer.address(),
        patient.address(),
        Address::repeat_byte(1),
    ] {
        for compartment in 0..terms::COMPARTMENTS {
            for (_, purpose) in terms::purpose::ALL {
                for (_, action) in terms::action::ALL {
                    questions.push(IRecords::Question {
                        chart,
                        grantee,
                        member: Address::ZERO,
                        compartment,
                        recordId: B256::ZERO,
                        purpose,
                        action,
                    });
                }
            }
        }
    }
    let index = world.dev.indexer().index();
    let head = index.head().await.unwrap();
    let mut allowed = 0;
    for batch in questions.chunks(terms::BATCH_MOST) {
        let call = IRecords::decideManyCall {
            questions: batch.to_vec(),
        };
        let block = BlockId::Hash(head.hash.into());
        let by_contract = world.chain().call_at(records, call, block).await.unwrap();
        for (question, reason) in batch.iter().zip(by_contract) {
            let by_sql = index.decide(question, head.time).await.unwrap();
            assert_eq!(by_sql.reason, reason, "{question:?}");
            allowed += u32::from(by_sql.allowed);
        }
    }
    // The clinic: 17 compartments, one purpose, two actions. The patient: everything.
    assert_eq!(allowed, 17 * 2 + 64 * 7 * 3);
}

/// Promise 6. Signed before, kept back, and handed in after: by whoever has it, to a gateway that would pay.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_signature_cannot_undo_a_revocation() {
    old_signatures(&World::start().await).await;
}

pub async fn old_signatures(world: &World) {
    let (patient, clinic, chart) = world.treated().await;
    let state = patient.chart_state(chart).await.unwrap();
    let terms = treatment();
    let kept_back = Operation::Grant(IRelay::Grant {
        signer: patient.address(),
        chart,
        directoryVersion: state.directory_version,
        grantee: clinic.address(),
        serial: 1,
        compartments: terms.compartments,
        purposes: terms.purposes,
        actions: terms.actions,
        notBefore: 0,
        expiry: 0,
        keyring: B256::repeat_byte(1),
        nonce: U256::ZERO,
        deadline: U256::from(now() + 900),
    });
    let deployment = &world.dev.deployment;
    let digest = kept_back.signing_hash(deployment.chain_id, deployment.relay);
    let signature = patient.identity().key().unwrap().sign_hash_sync(&digest).unwrap();
    let request = RelayRequest {
        chain_id: deployment.chain_id,
        relay: deployment.relay,
        call: kept_back.call(signature.as_bytes().to_vec().into()).into(),
    };
    patient.revoke(chart, clinic.address()).await.unwrap();
    let gateway = clinic.gateway().await.unwrap();
    let refused = gateway.submit(&request).await.unwrap_err();
    assert!(
        matches!(
            &refused,
            Error::Contract {
                fault: Fault::Records(IRecordsErrors::DirectoryVersion(_)),
                ..
            }
        ),
        "{refused}"
    );
    assert!(clinic.records(chart, None).await.unwrap_err().is_refusal());
}

fn between<'a>(text: &'a str, after: &str, open: &str, close: &str) -> &'a str {
    let rest = &text[text.find(after).expect(after) + after.len()..];
    let rest = &rest[rest.find(open).expect(open) + open.len()..];
    &rest[..rest.find(close).expect(close)]
}
