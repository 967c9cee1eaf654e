//! Breaking the glass with everything real: a patient leaves keys with custodians, a provider without a grant breaks the glass, and
//! enough custodians make the chart readable. And all that must keep it shut.

use std::collections::BTreeSet;

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
};
use medlock_abi::records::IRecords::IRecordsErrors;
use medlock_client::{
    Client, Error, Fault, Metadata, NewDocument, PutOff, Renewal, api,
    api::Purpose,
    terms::{emergency, role},
};
use medlock_fhir::Label;
use medlock_tests::{
    Settings, World, eventually, patient_request,
    proxy::{Asked, Fate, Proxy},
    treat, treatment,
};
use medlock_vault::{EmergencyKit, KitScope, PublicKey, Recipient, Share, Suite, rand_core::Rng};
use reqwest::Method;

const LABS: B256 = B256::repeat_byte(1);
const NOTES: B256 = B256::repeat_byte(2);
const CONTENT: &[u8] = b"penicillin: anaphylaxis";

fn etreat() -> Purpose {
    Purpose::from_code("ETREAT").unwrap()
}

/// A patient with a record in two compartments, three custodians, and a provider without any grant.
struct Cast {
    world: World,
    patient: Client,
    chart: B256,
    custodians: Vec<Client>,
    nurse: Client,
}

impl Cast {
    async fn assemble(world: World) -> Self {
        let (patient, chart) = world.patient().await;
        let mut custodians = Vec::new();
        for _ in 0..3 {
            let custodian = world.newcomer().await;
            custodian.publish_key().await.unwrap();
            custodians.push(custodian);
        }
        let nurse = world.party(role::PROVIDER).await;
        let document = |record_id, label: Label| NewDocument {
            record_id,
            compartment: label.compartment(),
            metadata: Metadata::default(),
            content: CONTENT.into(),
        };
        let own = patient.chart(chart).await.unwrap();
        let documents = vec![document(LABS, Label::Labs), document(NOTES, Label::Sensitive)];
        own.add(documents, |_| ()).await.unwrap();
        Self {
            world,
            patient,
            chart,
            custodians,
            nurse,
        }
    }

    /// Two of three, for the first of the two records.
    async fn allow(&self) {
        let custodians: Vec<_> = self.custodians.iter().map(Client::address).collect();
        let labs = 1 << Label::Labs.compartment();
        self.patient
            .allow_emergency(self.chart, labs, &custodians, 2)
            .await
            .unwrap();
    }

    async fn break_glass(&self) -> Result<(), Error> {
        let code = emergency::LIFE_THREATENING;
        let broken = self.nurse.break_glass(self.chart, u64::MAX, code, Address::ZERO);
        broken.await.map(drop)
    }

    async fn read(&self, record: B256) -> Result<Vec<u8>, Error> {
        let open = self.nurse.chart(self.chart).await?;
        let read = open.read(record, None, etreat()).await?;
        Ok(read.content.to_vec())
    }

    /// How many shares this custodian releases at one look.
    async fn serve(&self, custodian: usize) -> usize {
        let served = self.custodians[custodian]
            .serve_custody_once(&mut PutOff::default())
            .await
            .unwrap();
        assert!(served.failed.is_empty(), "{served:?}");
        served.released
    }

    async fn nobody_releases(&self) {
        for custodian in 0..3 {
            assert_eq!(self.serve(custodian).await, 0);
        }
    }

    async fn later(&self, seconds: u64) {
        let chain = self.world.chain();
        let provider = chain.provider();
        let _: serde_json::Value = provider
            .raw_request("evm_increaseTime".into(), (seconds,))
            .await
            .unwrap();
        let _: serde_json::Value = provider.raw_request("evm_mine".into(), ()).await.unwrap();
    }
}

fn is_fault(error: &Error, name: &str) -> bool {
    matches!(error, Error::Contract { fault, .. } if fault.name() == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_custodians_open_what_the_patient_left_until_the_patient_closes_it() {
    let cast = Cast::assemble(World::start().await).await;
    let (patient, nurse, chart) = (&cast.patient, &cast.nurse, cast.chart);
    let settings = patient.emergency_settings(chart).await.unwrap();
    assert!(!settings.allowed && settings.kit.is_none());
    let error = cast.break_glass().await.unwrap_err();
    assert!(is_fault(&error, "NoEmergencyAccess") && error.is_refusal(), "{error}");
    assert!(cast.read(LABS).await.unwrap_err().is_refusal());

    cast.allow().await;
    let settings = patient.emergency_settings(chart).await.unwrap();
    let kit = settings.kit.unwrap();
    assert!(settings.allowed && kit.current);
    assert_eq!(kit.compartments.0, 1 << Label::Labs.compartment());
    let custodians: Vec<_> = cast.custodians.iter().map(Client::address).collect();
    assert_eq!((kit.custodians, kit.threshold), (custodians, 2));
    cast.nobody_releases().await;

    // Without a credential nobody breaks the glass.
    let stranger = cast.world.newcomer().await;
    let error = stranger
        .break_glass(chart, u64::MAX, emergency::OTHER, Address::ZERO)
        .await
        .unwrap_err();
    assert!(is_fault(&error, "NotCredentialed") && error.is_refusal(), "{error}");

    cast.break_glass().await.unwrap();
    let pending = |released, error: &Error| matches!(error, Error::EmergencyPending { released: given, needed: 2, forged } if *given == released && forged.is_empty());
    let error = cast.read(LABS).await.unwrap_err();
    assert!(pending(0, &error) && error.is_transient(), "{error}");
    assert_eq!(cast.serve(0).await, 1);
    let error = cast.read(LABS).await.unwrap_err();
    assert!(pending(1, &error), "{error}");
    // At its next look there is nothing left to do.
    assert_eq!(cast.serve(0).await, 0);
    assert_eq!(cast.serve(1).await, 1);
    let ready = nurse.emergency_ready(chart).await.unwrap();
    assert_eq!((ready.released, ready.threshold, ready.ready), (2, 2, true));
    // The third is never needed.
    assert_eq!(cast.read(LABS).await.unwrap(), CONTENT);
    // What the patient did not leave stays shut, though the contract allows it.
    let error = cast.read(NOTES).await.unwrap_err();
    assert!(matches!(error, Error::NoCompartmentKey { .. }), "{error}");
    // For another purpose there is no ground.
    let open = nurse.chart(chart).await.unwrap();
    assert!(open.read(LABS, None, treat()).await.err().unwrap().is_refusal());

    let reads = patient.reads(chart).await.unwrap();
    assert!(reads.iter().any(|read| read.entry.receipt.reader == nurse.address()));
    for read in reads.iter().filter(|read| read.entry.receipt.reader == nurse.address()) {
        assert!(read.break_glass && read.proven, "{read:?}");
    }
    for listed in [patient.emergencies(chart).await, nurse.emergencies(chart).await] {
        let [one] = &listed.unwrap()[..] else {
            panic!("one emergency")
        };
        assert_eq!((one.party, one.open), (nurse.address(), true));
        assert_eq!(one.reason, "life-threatening");
    }

    patient.close_emergency(chart, nurse.address()).await.unwrap();
    assert!(cast.read(LABS).await.unwrap_err().is_refusal());
    assert!(open.read(LABS, None, etreat()).await.err().unwrap().is_refusal());
    assert!(nurse.emergency_keys(chart).await.err().unwrap().is_refusal());
    assert!(!patient.emergencies(chart).await.unwrap()[0].open);
    cast.nobody_releases().await;
    // Too soon after the last time.
    let error = cast.break_glass().await.unwrap_err();
    assert!(is_fault(&error, "CoolDown"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_custodian_releases_after_the_patient_forbids_it_or_time_is_over() {
    let cast = Cast::assemble(World::start().await).await;
    let (patient, chart) = (&cast.patient, cast.chart);
    cast.allow().await;
    cast.break_glass().await.unwrap();
    assert_eq!(cast.serve(0).await, 1);
    patient.forbid_emergency(chart).await.unwrap();
    cast.nobody_releases().await;
    assert!(cast.read(LABS).await.unwrap_err().is_refusal());
    let settings = patient.emergency_settings(chart).await.unwrap();
    assert!(!settings.allowed && settings.kit.is_none());

    // Allowed again: what was open stays over; the glass has to be broken anew, a day later.
    cast.allow().await;
    cast.nobody_releases().await;
    cast.later(emergency::AGAIN_S).await;
    cast.break_glass().await.unwrap();
    assert_eq!(cast.serve(0).await, 1);
    cast.later(emergency::OPEN_S).await;
    cast.nobody_releases().await;
    assert!(cast.read(LABS).await.unwrap_err().is_refusal());
    assert!(!patient.emergencies(chart).await.unwrap()[0].open);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kit_is_made_anew_for_every_rotation_and_opens_what_is_written_after_it() {
    let cast = Cast::assemble(World::start().await).await;
    let (patient, chart) = (&cast.patient, cast.chart);
    let clinic = cast.world.clinic().await;
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
    cast.allow().await;
    cast.break_glass().await.unwrap();
    for custodian in [0, 1] {
        assert_eq!(cast.serve(custodian).await, 1);
    }
    let open = cast.nurse.chart(chart).await.unwrap();
    assert_eq!(*open.read(LABS, None, etreat()).await.unwrap().content, CONTENT);

    let revoked = patient.revoke(chart, clinic.address()).await.unwrap();
    assert_eq!(revoked.kit, Renewal::Renewed);
    let kit = patient.emergency_settings(chart).await.unwrap().kit.unwrap();
    assert!(kit.current && kit.directory_version == 2);
    assert_eq!(kit.compartments.0, 1 << Label::Labs.compartment());
    let own = patient.chart(chart).await.unwrap();
    let before = own.read(LABS, None, patient_request()).await.unwrap();
    own.amend(&before, Metadata::default(), b"after").await.unwrap();
    // The keys of before do not open it, and custodians release their shares of the new ones at their next look.
    let error = open.read(LABS, None, etreat()).await.err().unwrap();
    assert!(matches!(error, Error::EmergencyPending { released: 0, .. }), "{error}");
    for custodian in [2, 0] {
        assert_eq!(cast.serve(custodian).await, 1);
    }
    assert_eq!(*open.read(LABS, None, etreat()).await.unwrap().content, b"after");
    // And back over the link to the epoch before.
    assert_eq!(*open.read(LABS, Some(1), etreat()).await.unwrap().content, CONTENT);
    assert_eq!(cast.read(LABS).await.unwrap(), b"after");

    assert_eq!(patient.rotate(chart, None).await.unwrap().kit, Renewal::Renewed);
    // A custodian without a key to seal to: the rotation stands, and that there is no kit is told.
    let keyless = cast.world.newcomer().await;
    let gone = &cast.custodians[1];
    let revoke = medlock_abi::registry::IRegistry::revokeKeyCall { version: 1 };
    gone.chain().send(gone.deployment().registry, revoke).await.unwrap();
    let all = patient.revoke_all(chart).await.unwrap();
    let Renewal::Failed { why } = &all.kit else {
        panic!("{:?}", all.kit)
    };
    assert!(why.contains(&gone.address().to_string()), "{why}");
    assert!(!patient.emergency_settings(chart).await.unwrap().kit.unwrap().current);
    let both = [keyless.address(), gone.address()];
    let error = patient.allow_emergency(chart, 1, &both, 2);
    assert!(matches!(error.await, Err(Error::NoPublishedKey { .. })));
    // With others it is good again. All grants were ended, and with them the emergency.
    let left = [cast.custodians[0].address(), cast.custodians[2].address()];
    let labs = 1 << Label::Labs.compartment();
    patient.allow_emergency(chart, labs, &left, 2).await.unwrap();
    assert!(patient.emergency_settings(chart).await.unwrap().kit.unwrap().current);
    cast.nobody_releases().await;
    cast.later(emergency::AGAIN_S).await;
    cast.break_glass().await.unwrap();
    for custodian in [0, 2] {
        assert_eq!(cast.serve(custodian).await, 1);
    }
    assert_eq!(cast.read(LABS).await.unwrap(), b"after");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_custodian_is_named_and_the_other_two_suffice() {
    let cast = Cast::assemble(World::start().await).await;
    let (nurse, chart, liar) = (&cast.nurse, cast.chart, &cast.custodians[1]);
    cast.allow().await;
    cast.break_glass().await.unwrap();
    let gateway = liar.gateway().await.unwrap();
    let kit = EmergencyKit::decode(&gateway.emergency_kit(chart).await.unwrap().unwrap()).unwrap();
    let scope = KitScope {
        domain: medlock_vault::Domain {
            chain_id: liar.deployment().chain_id,
            records: liar.deployment().records.into_array(),
        },
        chart: chart.0,
        directory_version: 1,
        serial: 1,
    };
    let kit = kit.verify(&scope, cast.patient.address()).unwrap();
    let published = gateway.party(nurse.address()).await.unwrap().key.unwrap();
    let recipient = Recipient {
        account: nurse.address().into_array(),
        key_version: published.version,
        key: PublicKey::new(Suite::X25519, &published.key).unwrap(),
    };
    let mut rng = medlock_client::identity::rng();
    let mut bytes = [0; 64];
    rng.fill_bytes(&mut bytes);
    let forged = Share::from_slice(2, &bytes).unwrap();
    let forged = forged.seal_to(&mut rng, kit.set(), &recipient).unwrap();
    gateway
        .release_share(chart, nurse.address(), forged.encode())
        .await
        .unwrap();
    assert_eq!(cast.serve(0).await, 1);
    let error = nurse.emergency_keys(chart).await.err().unwrap();
    assert!(
        matches!(&error, Error::EmergencyPending { released: 1, forged, .. } if *forged == [liar.address()]),
        "{error}"
    );
    assert_eq!(cast.serve(2).await, 1);
    let ready = nurse.emergency_ready(chart).await.unwrap();
    assert_eq!(
        (ready.released, ready.ready, ready.forged),
        (2, true, vec![liar.address()])
    );
    assert_eq!(cast.read(LABS).await.unwrap(), CONTENT);
}

/// A gateway that would have keys: it tells custodians of emergencies that there are not, and shows them kits that are not the patient's.
#[tokio::test(flavor = "multi_thread")]
async fn custodians_believe_the_chain_and_not_the_gateway() {
    let proxy = Proxy::start().await;
    let cast = Cast::assemble(World::behind(&proxy).await).await;
    let (chart, nurse, custodian) = (cast.chart, &cast.nurse, &cast.custodians[0]);
    cast.allow().await;
    // Nobody has broken the glass.
    let open = api::Custody {
        emergencies: vec![api::OpenEmergency {
            chart,
            party: nurse.address(),
            until: u64::MAX,
        }],
        next: None,
    };
    let body = serde_json::to_vec(&open).unwrap();
    let custody = |asked: &Asked| asked.is(Method::GET, "/v1/custody");
    proxy.rule(move |asked| match custody(asked) {
        true => Fate::replace(body.clone()),
        false => Fate::Forward,
    });
    let served = custodian.serve_custody_once(&mut PutOff::default()).await.unwrap();
    assert_eq!((served.released, served.not_open), (0, 1), "{served:?}");
    let seen: BTreeSet<_> = proxy.seen().iter().map(|asked| asked.method.to_string()).collect();
    assert!(!seen.contains("PUT"), "{seen:?}");

    // Somebody has, and the kit shown is another chart's, whose controller has signed it.
    proxy.honest();
    cast.break_glass().await.unwrap();
    let (other, theirs) = cast.world.patient().await;
    let custodians: Vec<_> = cast.custodians.iter().map(Client::address).collect();
    other.allow_emergency(theirs, 1, &custodians, 2).await.unwrap();
    let gateway = other.gateway().await.unwrap();
    let kit = gateway.emergency_kit(theirs).await.unwrap().unwrap();
    proxy.rule(move |asked| match asked.is(Method::GET, "/emergency") {
        true => Fate::replace(kit.clone()),
        false => Fate::Forward,
    });
    let served = custodian.serve_custody_once(&mut PutOff::default()).await.unwrap();
    assert_eq!(served.released, 0);
    assert!(
        matches!(&served.failed[..], [Error::Tampered { .. }]),
        "{:?}",
        served.failed
    );
    // Nor does the patient make the next kit after it.
    let settings = cast.patient.emergency_settings(chart).await;
    assert!(matches!(settings, Err(Error::Tampered { .. })), "{settings:?}");
    let rotated = cast.patient.rotate(chart, None).await.unwrap();
    assert!(matches!(rotated.kit, Renewal::Failed { .. }), "{:?}", rotated.kit);

    // A kit of before the rotation opens nothing any more.
    proxy.honest();
    let served = custodian.serve_custody_once(&mut PutOff::default()).await.unwrap();
    assert!(
        matches!(&served.failed[..], [Error::NoEmergencyKit { .. }]),
        "{:?}",
        served.failed
    );
}

/// In an emergency nobody must fail for want of money: without any, the gateway relays all of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_costs_nobody_anything() {
    let cast = Cast::assemble(World::start().await).await;
    let (patient, nurse) = (cast.patient.clone().via_relay(), cast.nurse.clone().via_relay());
    let custodians: Vec<_> = cast.custodians.iter().map(Client::address).collect();
    patient
        .allow_emergency(cast.chart, 1 << Label::Labs.compartment(), &custodians, 2)
        .await
        .unwrap();
    nurse
        .break_glass(cast.chart, u64::MAX, emergency::OTHER, Address::ZERO)
        .await
        .unwrap();
    assert!(patient.emergencies(cast.chart).await.unwrap()[0].open);
    nurse.close_emergency(cast.chart, nurse.address()).await.unwrap();
    patient.forbid_emergency(cast.chart).await.unwrap();
    let access = patient.emergency_settings(cast.chart).await.unwrap();
    assert!(!access.allowed && access.kit.is_none(), "{access:?}");
    // Nobody who is nobody is helped by that either.
    let stranger = medlock_client::Identity::generate().unwrap();
    let stranger = cast.world.dev.client(stranger).await.unwrap().via_relay();
    let error = stranger
        .break_glass(B256::repeat_byte(9), 1, emergency::OTHER, Address::ZERO)
        .await;
    let Err(Error::Contract { fault, .. }) = error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(fault, Fault::Records(IRecordsErrors::UnknownChart(_))),
        "{fault}"
    );
}

/// `medlock dev` has custodians of its own, and the commands do all of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_commands_allow_break_read_and_close() {
    let world = World::with(Settings {
        custodians: 3,
        ..Settings::default()
    })
    .await;
    let custodians: Vec<_> = world.dev.custodians.iter().map(Address::to_string).collect();
    assert_eq!(custodians.len(), 3);
    let config = reqwest::get(format!("{}/app/config.json", world.dev.gateway_url()));
    let config: serde_json::Value = config.await.unwrap().json().await.unwrap();
    let told: Vec<Address> = serde_json::from_value(config["custodians"].clone()).unwrap();
    assert_eq!(told, world.dev.custodians);

    let keys = ["patient", "nurse"].map(|name| world.home().join(format!("{name}.key")));
    let run = |key: &std::path::Path, args: &[&str]| {
        let output = world.medlock(Some(key), &[args, &["--json"]].concat());
        let said = serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_default();
        (output, said)
    };
    let done = |key: &std::path::Path, args: &[&str]| {
        let (output, said) = run(key, args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        said
    };
    let [patient, nurse] = &keys;
    let mut accounts = Vec::new();
    for key in &keys {
        let made = done(key, &["keys", "new", key.to_str().unwrap()]);
        let account: Address = made["account"].as_str().unwrap().parse().unwrap();
        world.fund(account).await;
        accounts.push(account);
    }
    world.credential(accounts[1], role::PROVIDER).await;
    done(nurse, &["keys", "publish"]);
    let opened = done(patient, &["chart", "open"]);
    let chart = opened["chart"].as_str().unwrap();
    let file = world.home().join("allergies.txt");
    std::fs::write(&file, CONTENT).unwrap();
    let added = done(
        patient,
        &["record", "add", chart, file.to_str().unwrap(), "--compartment", "1"],
    );
    let record = added["record_id"].as_str().unwrap();

    let allow = [
        "emergency",
        "allow",
        chart,
        "--compartments",
        "all",
        "--threshold",
        "2",
        "--custodian",
    ];
    done(patient, &[&allow[..], &[&custodians.join(",")]].concat());
    let shown = done(patient, &["emergency", "show", chart]);
    assert_eq!(
        (&shown["allowed"], &shown["kit"]["current"]),
        (&true.into(), &true.into())
    );
    let (output, _) = run(nurse, &["emergency", "break", chart, "--reason", "curiosity"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("life-threatening"));
    done(nurse, &["emergency", "break", chart, "--reason", "unable-to-consent"]);
    eventually("the custodians release", || async {
        (done(nurse, &["emergency", "ready", chart])["ready"] == true).then_some(())
    })
    .await;
    let out = world.home().join("read.txt");
    let show = [
        "record",
        "show",
        chart,
        record,
        "--purpose",
        "ETREAT",
        "--out",
        out.to_str().unwrap(),
    ];
    done(nurse, &show);
    assert_eq!(std::fs::read(&out).unwrap(), CONTENT);
    let listed = done(patient, &["emergency", "list", chart]);
    assert_eq!(
        (&listed[0]["open"], &listed[0]["reason"]),
        (&true.into(), &"unable-to-consent".into())
    );
    done(patient, &["emergency", "close", chart, &accounts[1].to_string()]);
    std::fs::remove_file(&out).unwrap();
    assert!(!run(nurse, &show).0.status.success());
    done(patient, &["emergency", "forbid", chart]);
    assert_eq!(
        done(patient, &["emergency", "show", chart])["kit"],
        serde_json::Value::Null
    );
}
