//! Members who act for an organisation, by accounts and keys of their own.

use alloy::primitives::{Address, B256};
use medlock_abi::terms::role;
use medlock_client::{
    Client, Error, Identity, Metadata, NewDocument,
    identity::{self, rng},
};
use medlock_fhir::Label;
use medlock_tests::{
    World, patient_request,
    proxy::{Fate, Proxy},
    treat, treatment,
};
use medlock_vault::{Domain, EncryptionKey, Keyring, Membership, MembershipScope, PublicKey, Secrets, Suite};
use reqwest::Method;
use serde_json::json;

use crate::program::{Person, code, text};

fn domain(world: &World) -> Domain {
    Domain {
        chain_id: world.dev.deployment.chain_id,
        records: world.dev.deployment.records.into_array(),
    }
}

/// Somebody with a published key and no credential.
async fn doctor(world: &World) -> Client {
    let doctor = world.newcomer().await;
    doctor.publish_key().await.unwrap();
    doctor
}

fn note(byte: u8) -> NewDocument {
    NewDocument {
        record_id: B256::repeat_byte(byte),
        compartment: Label::Vitals.compartment(),
        metadata: Metadata::default(),
        content: vec![byte; 8].into(),
    }
}

fn reason<T>(result: Result<T, Error>) -> Option<String> {
    match result.err().expect("refused") {
        Error::Problem { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_reads_and_writes_what_was_granted_to_the_clinic_until_it_ends() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let doctor = doctor(&world).await;
    let none = doctor.acting_for(clinic.address()).await.err().expect("no member");
    assert!(matches!(none, Error::NotMember { .. }) && none.is_refusal(), "{none}");
    // It costs the clinic nothing.
    let relayed = clinic.clone().via_relay();
    assert!(relayed.set_member(doctor.address(), 0).await.unwrap().has_keys);

    let acting = doctor.acting_for(clinic.address()).await.unwrap();
    assert_eq!(acting.grants(None).await.unwrap().len(), 1);
    assert_eq!(reason(doctor.chart(chart).await), Some("no-grant".into()));
    let open = acting.chart(chart).await.unwrap();
    let listed = acting.records(chart, Some(Label::Vitals.compartment())).await.unwrap();
    let before = open.read(listed[0].record_id, None, treat()).await.unwrap();
    open.amend(&before, Metadata::default(), b"by the doctor")
        .await
        .unwrap();
    let relayed = acting.clone().via_relay().chart(chart).await.unwrap();
    relayed.add(vec![note(7)], |_| ()).await.unwrap();
    let own = patient.chart(chart).await.unwrap();
    for (record, content) in [
        (before.record_id, &b"by the doctor"[..]),
        (B256::repeat_byte(7), &[7; 8]),
    ] {
        assert_eq!(
            *own.read(record, None, patient_request()).await.unwrap().content,
            content
        );
        let written = own
            .client()
            .gateway()
            .await
            .unwrap()
            .versions(chart, record)
            .await
            .unwrap();
        assert_eq!(written.last().unwrap().author, doctor.address());
    }
    // Who read, and for whom, is what the reader has signed.
    let reads = patient.reads(chart).await.unwrap();
    let read = reads.iter().find(|read| read.entry.receipt.reader == doctor.address());
    let read = read.expect("the patient sees it");
    assert_eq!(read.entry.receipt.organisation, clinic.address());
    assert!(read.proven);
    let others = reads
        .iter()
        .filter(|read| read.entry.receipt.reader != doctor.address());
    assert!(others.into_iter().all(|read| read.entry.receipt.organisation.is_zero()));

    // On a chart of their own they act for themselves.
    let (mine, _) = acting
        .open_chart(&medlock_client::default_labels(), Suite::default())
        .await
        .unwrap();
    let my_own = acting.chart(mine).await.unwrap();
    my_own.add(vec![note(8)], |_| ()).await.unwrap();
    my_own
        .read(B256::repeat_byte(8), None, patient_request())
        .await
        .unwrap();
    acting.grant(mine, clinic.address(), treatment()).await.unwrap();
    let reads = acting.reads(mine).await.unwrap();
    assert!(reads.len() == 1 && reads[0].proven && reads[0].entry.receipt.organisation.is_zero());

    clinic.remove_member(doctor.address()).await.unwrap();
    assert_eq!(
        reason(open.read(before.record_id, None, treat()).await),
        Some("not-a-member".into())
    );
    let error = open.add(vec![note(9)], |_| ()).await.unwrap_err();
    assert!(error.is_refusal() && matches!(error, Error::Contract { .. }), "{error}");
    let ended = doctor.acting_for(clinic.address()).await.err().expect("removed");
    assert!(matches!(ended, Error::NotMember { .. }), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_after_the_rotation_stays_shut_to_who_was_removed() {
    let world = World::start().await;
    let mut secrets = Secrets::generate(&mut rng(), Suite::X25519);
    let clinic = world.as_client(Identity::new(&secrets).unwrap()).await;
    world
        .credential(clinic.address(), role::ORGANISATION | role::PROVIDER)
        .await;
    let (leaving, staying) = (doctor(&world).await, doctor(&world).await);
    let error = clinic.set_member(leaving.address(), 0).await.unwrap_err();
    assert!(
        matches!(error, Error::Usage(_)),
        "its own key is not published: {error}"
    );
    clinic.publish_key().await.unwrap();
    for member in [&leaving, &staying] {
        assert!(clinic.set_member(member.address(), 0).await.unwrap().has_keys);
        member.acting_for(clinic.address()).await.unwrap();
    }
    // Has no key of their own yet.
    let late = world.newcomer().await;
    assert!(!clinic.set_member(late.address(), 0).await.unwrap().has_keys);
    let waits = late.acting_for(clinic.address()).await.err().expect("no keys yet");
    assert!(matches!(waits, Error::NoMembershipKeys { .. }), "{waits}");

    clinic.remove_member(leaving.address()).await.unwrap();
    let held = secrets.encryption.clone();
    secrets.rotate_encryption(&mut rng(), Suite::X25519).unwrap();
    let clinic = world.as_client(Identity::new(&secrets).unwrap()).await;
    clinic.publish_key().await.unwrap();
    let old = staying.acting_for(clinic.address()).await.err().expect("an old key");
    assert!(matches!(old, Error::NoMembershipKeys { .. }), "{old}");
    let sealed = clinic.seal_to_members().await.unwrap();
    assert_eq!(
        (sealed.sealed, sealed.waiting),
        (vec![staying.address()], vec![late.address()])
    );
    late.publish_key().await.unwrap();
    let sealed = clinic.seal_to_members().await.unwrap();
    assert_eq!((sealed.sealed, sealed.waiting), (vec![late.address()], vec![]));
    assert!(
        clinic.seal_to_members().await.unwrap().sealed.is_empty(),
        "all have them"
    );
    late.acting_for(clinic.address()).await.unwrap();

    let (patient, chart) = world.patient().await;
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
    patient
        .chart(chart)
        .await
        .unwrap()
        .add(vec![note(1)], |_| ())
        .await
        .unwrap();
    let acting = staying.acting_for(clinic.address()).await.unwrap();
    let open = acting.chart(chart).await.unwrap();
    open.read(B256::repeat_byte(1), None, treat()).await.unwrap();
    let block = acting.gateway().await.unwrap().keyring(chart).await.unwrap();
    let keyring = Keyring::decode(&block).unwrap();
    let opens = |key: &EncryptionKey| {
        let grantee = clinic.address().into_array();
        keyring.open(&domain(&world), &chart.0, &grantee, key).is_ok()
    };
    assert_eq!((opens(&held), opens(&secrets.encryption)), (false, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_hands_out_false_keys_or_makes_up_members_is_found_out() {
    let gateway = Proxy::start().await;
    let world = World::behind(&gateway).await;
    let clinic = world.clinic().await;
    let (doctor, nurse) = (doctor(&world).await, doctor(&world).await);
    for member in [&doctor, &nurse] {
        clinic.set_member(member.address(), 0).await.unwrap();
    }
    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/keys"));
    nurse.acting_for(clinic.address()).await.unwrap();
    let nurses = heard.bytes();
    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/keys"));
    doctor.acting_for(clinic.address()).await.unwrap();
    let own = heard.bytes();

    let mut in_our_name = Membership::decode(&nurses).unwrap();
    in_our_name.scope.member = doctor.address().into_array();
    let mut flipped = own.clone();
    *flipped.last_mut().unwrap() ^= 1;
    // Anybody can seal to a published key.
    let published = doctor.party(doctor.address()).await.unwrap().key.unwrap();
    let recipient = PublicKey::new(Suite::X25519, &published.key).unwrap();
    let scope = MembershipScope {
        organisation: clinic.address().into_array(),
        member: doctor.address().into_array(),
        organisation_key_version: 1,
        member_key_version: published.version,
    };
    let mallorys = EncryptionKey::generate(&mut rng(), Suite::X25519);
    let forged = Membership::seal(&mut rng(), &domain(&world), &scope, &recipient, &[&mallorys]).unwrap();
    for (case, block, says) in [
        ("another member's", nurses, "another member"),
        ("another member's in our name", in_our_name.encode(), "does not open"),
        ("one bit flipped", flipped, "does not open"),
        ("nothing", Vec::new(), "malformed"),
        ("somebody else's keys", forged.encode(), "not the one on chain"),
    ] {
        gateway.rule(move |asked| match asked.is(Method::GET, "/keys") {
            true => Fate::replace(block.clone()),
            false => Fate::Forward,
        });
        match doctor.acting_for(clinic.address()).await.err().expect(case) {
            Error::Tampered { what, detail } => {
                assert_eq!(what, "what the organisation sealed to you", "{case}");
                assert!(detail.contains(says), "{case}: {detail}");
            }
            other => panic!("{case}: {other}"),
        }
    }

    // The organisation's keys go to no member that the chain does not know.
    let mallory = world.newcomer().await;
    mallory.publish_key().await.unwrap();
    let (made_up, organisation) = (mallory.address(), clinic.address());
    gateway.rule(move |asked| match asked.is(Method::GET, "/memberships") {
        true => Fate::json(move |page| {
            let made_up = json!({
                "organisation": organisation, "member": made_up, "expiry": 0, "since": 1, "in_force": true,
            });
            page["memberships"].as_array_mut().unwrap().push(made_up);
        }),
        false => Fate::Forward,
    });
    let sealed = clinic.seal_to_members().await.unwrap();
    assert!(sealed.sealed.is_empty() && sealed.waiting.is_empty(), "{sealed:?}");
    assert!(!gateway.seen().iter().any(|asked| {
        let path = format!("/v1/memberships/{made_up}/keys");
        asked.method == Method::PUT && asked.path.eq_ignore_ascii_case(&path)
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_sets_lists_and_removes_members_who_act_with_organisation() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let (clinic, doctor) = (Person::new(&world, "clinic").await, Person::new(&world, "doctor").await);
    let account: Address = clinic.account().parse().unwrap();
    world.credential(account, role::ORGANISATION | role::PROVIDER).await;
    clinic.ok(&["keys", "publish"]);
    patient.grant(chart, account, treatment()).await.unwrap();
    let (chart, for_clinic, member) = (chart.to_string(), account.to_string(), doctor.account());
    let organisation = ["--organisation", for_clinic.as_str()];

    let set = clinic.ok(&["member", "set", &member, "--for", "90d"]);
    assert_eq!(set["has_keys"], false);
    doctor.ok(&["keys", "publish"]);
    assert_eq!(
        code(&doctor.run(&[&["record", "list", &chart][..], &organisation].concat())),
        1,
        "no keys yet"
    );
    assert_eq!(
        clinic.ok(&["member", "seal"])["sealed"],
        json!([member.parse::<Address>().unwrap()])
    );
    let listed = doctor.ok(&["member", "list"]);
    assert_eq!(
        (&listed[0]["in_force"], &listed[0]["keys"]["current"]),
        (&json!(true), &json!(true))
    );

    let file = world.home().join("note.txt");
    std::fs::write(&file, "seen today").unwrap();
    let add = ["record", "add", &chart, file.to_str().unwrap(), "--compartment", "3"];
    let added = doctor.ok(&[&add[..], &organisation].concat());
    let record = added["record_id"].as_str().unwrap();
    assert_eq!(code(&doctor.run(&["record", "show", &chart, record])), 3);
    let shown = doctor.run(&[&["record", "show", &chart, record][..], &organisation].concat());
    assert_eq!((code(&shown), &*shown.stdout), (0, &b"seen today"[..]));
    let granted = doctor.ok(&[&["grant", "list"][..], &organisation].concat());
    assert_eq!(granted.as_array().unwrap().len(), 1);

    let removed = clinic.run(&["member", "remove", &member]);
    let said = text(&removed);
    assert!(
        removed.status.success() && said.contains("no member any more"),
        "{said}"
    );
    assert_eq!(
        code(&doctor.run(&[&["record", "list", &chart][..], &organisation].concat())),
        3
    );
    let again = clinic.run(&["member", "remove", &member]);
    assert_eq!(code(&again), 1, "{}", text(&again));
    // The file has both keys, and the new one is published.
    let secrets = identity::read(&clinic.key).unwrap().open(b"correct horse").unwrap();
    assert_eq!(secrets.retired.len(), 1);
    let key = patient.party(account).await.unwrap().key.unwrap();
    assert_eq!(
        (key.version, &key.key[..]),
        (2, secrets.encryption.public_key().as_bytes())
    );
}
