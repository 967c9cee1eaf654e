//! Members who act for an organisation, and the organisation's keys that are kept for them.
use medlock_abi::terms::suite;
use medlock_api::{Memberships, Reads, header::ORGANISATION};
use medlock_vault::{Membership, MembershipScope, membership::MEMBERSHIP_BYTES_MAX};

use super::*;

impl World {
    /// Somebody new, with funds.
    async fn newcomer(&self) -> PrivateKeySigner {
        let signer = PrivateKeySigner::random();
        let ether = format!("{:#x}", 10u128.pow(19));
        self.rpc("anvil_setBalance", json!([signer.address(), ether])).await;
        signer
    }

    pub(super) async fn set_member(&self, organisation: &PrivateKeySigner, member: Address, expiry: u64) {
        let actor = organisation.address();
        let set = IRegistry::setMemberCall {
            actor,
            member,
            serial: self.member_serial(actor, member).await,
            expiry,
        };
        self.send(organisation, self.deployment.registry, set).await;
    }

    pub(super) async fn remove_member(&self, organisation: &PrivateKeySigner, member: Address) {
        let actor = organisation.address();
        let remove = IRegistry::removeMemberCall {
            actor,
            member,
            serial: self.member_serial(actor, member).await,
        };
        self.send(organisation, self.deployment.registry, remove).await;
    }

    async fn member_serial(&self, organisation: Address, member: Address) -> u32 {
        let call = IRegistry::memberOfCall { organisation, member };
        self.ask_of(self.deployment.registry, call).await.serial
    }

    async fn publish(&self, party: &PrivateKeySigner, version: u32) {
        let key = EncryptionKey::generate(&mut UnwrapErr(getrandom::SysRng), Suite::X25519);
        let publish = IRegistry::publishKeyCall {
            actor: party.address(),
            version,
            suite: suite::X25519,
            key: key.public_key().as_bytes().to_vec().into(),
        };
        self.send(party, self.deployment.registry, publish).await;
    }

    /// A membership block of the first keys of both.
    pub(super) fn sealed_membership(&self, organisation: Address, member: Address) -> Vec<u8> {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let domain = Domain {
            chain_id: self.deployment.chain_id,
            records: self.deployment.records.into_array(),
        };
        let scope = MembershipScope {
            organisation: organisation.into_array(),
            member: member.into_array(),
            organisation_key_version: 1,
            member_key_version: 1,
        };
        let [key, recipient] = [(); 2].map(|()| EncryptionKey::generate(&mut rng, Suite::X25519));
        let sealed = Membership::seal(&mut rng, &domain, &scope, &recipient.public_key(), &[&key]).unwrap();
        sealed.encode()
    }
}

fn keys_of(account: Address) -> String {
    format!("/v1/memberships/{account}/keys")
}

fn acting(request: RequestBuilder, organisation: Address) -> RequestBuilder {
    request.header(ORGANISATION, organisation.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_reads_for_the_organisation_and_the_patient_sees_who_and_for_whom() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(labs.blocks.clone()).await.unwrap();
    let (doctor, clinic) = (world.newcomer().await, world.clinic.address());
    world.set_member(&world.clinic, doctor.address(), 0).await;
    let token = world.sign_in(&doctor).await;
    let chart = format!("/v1/charts/{CHART}");
    for path in [
        chart.clone(),
        format!("{chart}/directory"),
        format!("{chart}/keyring"),
        format!("{chart}/grants"),
        format!("{chart}/records"),
        format!("{chart}/records/{}/versions", labs.record_id),
    ] {
        assert_eq!(refusal(world.get(&token, &path)).await, "no-grant", "{path}");
        ok_bytes(acting(world.get(&token, &path), clinic)).await;
    }
    let grants = |request| async { ok::<medlock_api::Grants>(request).await.grants };
    assert!(grants(world.get(&token, "/v1/grants")).await.is_empty());
    let given = grants(acting(world.get(&token, "/v1/grants"), clinic)).await;
    assert_eq!(given.iter().map(|grant| grant.grantee).collect::<Vec<_>>(), [clinic]);

    // What is signed says for whom, and that is for whom it is asked.
    let for_clinic = || world.receipt(&doctor, &labs, |receipt| receipt.organisation = clinic);
    let alone = world.receipt(&doctor, &labs, |_| ());
    for request in [
        world.read(&token, &for_clinic()),
        acting(world.read(&token, &alone), clinic),
    ] {
        let problem = refused(request, Kind::ReceiptInvalid).await;
        assert_eq!(problem.reason.as_deref(), Some("organisation"));
    }
    assert_eq!(refusal(world.read(&token, &alone)).await, "no-grant");
    let (status, headers, _) = answer(acting(world.read(&token, &for_clinic()), clinic), None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["medlock-reason"], "grant");
    refused(world.payload(&token, &labs), Kind::ReceiptMissing).await;
    ok_bytes(acting(world.payload(&token, &labs), clinic)).await;

    let patient = world.sign_in(&world.patient).await;
    let log: Reads = ok(world.get(&patient, &format!("{chart}/reads"))).await;
    let [entry] = &log.reads[..] else { panic!("{log:?}") };
    assert_eq!(
        (entry.receipt.reader, entry.receipt.organisation),
        (doctor.address(), clinic)
    );
    let (chain_id, records) = (world.deployment.chain_id, world.deployment.records);
    assert_eq!(entry.hash, entry.link_hash(chain_id, records));
    let search = format!("/fhir/AuditEvent?patient={}", alloy::hex::encode(CHART));
    let bundle: Value = ok(world.get(&patient, &search)).await;
    let event = &bundle["entry"][0]["resource"];
    let did = |account: Address| format!("did:pkh:eip155:{chain_id}:{account:#x}");
    let who = |agent: usize| event["agent"][agent]["who"]["identifier"]["value"].as_str().unwrap();
    assert_eq!((who(0), who(1)), (&*did(doctor.address()), &*did(clinic)));
    // By the organisation's grant.
    let consent = event["entity"][3]["what"]["reference"].as_str().unwrap();
    let found: Value = ok(acting(world.get(&token, &format!("/fhir/{consent}")), clinic)).await;
    assert_eq!(found["id"].as_str(), consent.strip_prefix("Consent/"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_member_learns_nothing_of_a_chart_and_a_rule_denies_a_member_in_person() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(labs.blocks.clone()).await.unwrap();
    let (doctor, clinic) = (world.newcomer().await, world.clinic.address());
    let token = world.sign_in(&doctor).await;
    let get = |chart: B256, organisation| acting(world.get(&token, &format!("/v1/charts/{chart}")), organisation);
    // Of nobody's, of who is no organisation, and of oneself.
    for organisation in [clinic, world.patient.address(), doctor.address()] {
        for chart in [CHART, UNKNOWN] {
            assert_eq!(refusal(get(chart, organisation)).await, "not-a-member");
        }
        let request = world.receipt(&doctor, &labs, |receipt| receipt.organisation = organisation);
        assert_eq!(
            refusal(acting(world.read(&token, &request), organisation)).await,
            "not-a-member"
        );
        let given = acting(world.get(&token, "/v1/grants"), organisation);
        assert_eq!(refusal(given).await, "not-a-member");
        let search = world
            .get(&token, "/fhir/Consent")
            .header(ORGANISATION, organisation.to_string());
        assert_eq!(search.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    for odd in ["", "clinic", "0x0000000000000000000000000000000000000000"] {
        let request = world.get(&token, "/v1/grants").header(ORGANISATION, odd);
        let problem = refused(request, Kind::BadRequest).await;
        assert_eq!(problem.field.as_deref(), Some(ORGANISATION));
    }
    let twice = acting(acting(world.get(&token, "/v1/grants"), clinic), clinic);
    refused(twice, Kind::BadRequest).await;

    world.set_member(&world.clinic, doctor.address(), 0).await;
    ok_bytes(get(CHART, clinic)).await;
    assert_eq!(refusal(get(UNKNOWN, clinic)).await, "no-grant");
    let request = || world.receipt(&doctor, &labs, |receipt| receipt.organisation = clinic);
    ok_bytes(acting(world.read(&token, &request()), clinic)).await;
    let deny = rule(&world, &labs, doctor.address(), effect::DENY);
    world.send(&world.patient, world.deployment.exceptions, deny).await;
    assert_eq!(
        refusal(acting(world.read(&token, &request()), clinic)).await,
        "denied-by-rule"
    );
    let own = world.sign_in(&world.clinic).await;
    ok_bytes(world.read(&own, &world.receipt(&world.clinic, &labs, |_| ()))).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_is_refused_at_once_and_an_expired_one_by_the_clock_too() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(labs.blocks.clone()).await.unwrap();
    let (doctor, clinic) = (world.newcomer().await, world.clinic.address());
    let token = world.sign_in(&doctor).await;
    let request = || world.receipt(&doctor, &labs, |receipt| receipt.organisation = clinic);
    let every = |token: &str| {
        [
            acting(world.get(token, &format!("/v1/charts/{CHART}/keyring")), clinic),
            acting(world.read(token, &request()), clinic),
            acting(world.payload(token, &labs), clinic),
        ]
    };
    world.set_member(&world.clinic, doctor.address(), 0).await;
    for request in every(&token) {
        ok_bytes(request).await;
    }
    world.remove_member(&world.clinic, doctor.address()).await;
    for request in every(&token) {
        assert_eq!(refusal(request).await, "not-a-member");
    }

    let expiry = now() + 8;
    world.set_member(&world.clinic, doctor.address(), expiry).await;
    for request in every(&token) {
        ok_bytes(request).await;
    }
    eventually(async || (now() >= expiry).then_some(())).await;
    // No block says so yet.
    assert!(world.chain_time().await < expiry);
    for request in every(&token) {
        assert_eq!(refusal(request).await, "not-a-member");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_kept_by_an_organisation_for_a_member_and_given_to_that_member_alone() {
    let world = World::start().await;
    let (doctor, nurse) = (world.newcomer().await, world.newcomer().await);
    let (clinic, member) = (world.clinic.address(), doctor.address());
    let of_clinic = world.sign_in(&world.clinic).await;
    let (of_doctor, of_nurse) = (world.sign_in(&doctor).await, world.sign_in(&nurse).await);
    let put = |token: &str, to: Address, body: Vec<u8>| {
        let request = world.request(Method::PUT, &keys_of(to)).bearer_auth(token);
        request.body(body)
    };
    let block = world.sealed_membership(clinic, member);
    assert_eq!(refusal(put(&of_clinic, member, block.clone())).await, "not-a-member");
    world.set_member(&world.clinic, member, 0).await;
    assert_eq!(refusal(world.get(&of_doctor, &keys_of(clinic))).await, "no-grant");
    // By who is no organisation.
    let own = world.sealed_membership(nurse.address(), member);
    assert_eq!(refusal(put(&of_nurse, member, own)).await, "not-a-member");
    let mut large = block.clone();
    large.resize(MEMBERSHIP_BYTES_MAX + 1, 0);
    refused(put(&of_clinic, member, large), Kind::PayloadTooLarge).await;
    for (case, body) in [
        ("nothing", Vec::new()),
        ("another's member", world.sealed_membership(clinic, nurse.address())),
        (
            "another organisation's",
            world.sealed_membership(nurse.address(), member),
        ),
        ("a byte more", [&block[..], b"\0"].concat()),
    ] {
        let problem = refused(put(&of_clinic, member, body), Kind::BadRequest).await;
        assert_eq!(problem.field.as_deref(), Some("body"), "{case}");
    }
    let (status, _, _) = answer(put(&of_clinic, member, block.clone()), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(ok_bytes(world.get(&of_doctor, &keys_of(clinic))).await, block);
    for (token, organisation) in [(&of_nurse, clinic), (&of_clinic, member), (&of_clinic, clinic)] {
        assert_eq!(refusal(world.get(token, &keys_of(organisation))).await, "not-a-member");
    }

    let listed = async |token: &str| {
        let listed: Memberships = ok(world.get(token, "/v1/memberships")).await;
        assert_eq!(listed.next, None);
        listed.memberships
    };
    let current = async |token: &str| {
        let [membership] = &listed(token).await[..] else {
            panic!("not one")
        };
        assert_eq!((membership.organisation, membership.member), (clinic, member));
        membership.keys.as_ref().map(|keys| keys.current)
    };
    assert!(listed(&of_nurse).await.is_empty());
    // Neither has published the key that it says it stands between.
    assert_eq!(current(&of_doctor).await, Some(false));
    for party in [&world.clinic, &doctor] {
        world.publish(party, 1).await;
    }
    assert_eq!(current(&of_doctor).await, Some(true));
    assert_eq!(current(&of_clinic).await, Some(true));
    world.publish(&world.clinic, 2).await;
    assert_eq!(current(&of_clinic).await, Some(false));
    assert!(listed(&of_clinic).await[0].in_force);

    world.set_member(&world.clinic, nurse.address(), now() + 3600).await;
    let page = |query: &str| world.get(&of_clinic, &format!("/v1/memberships{query}"));
    let first: Memberships = ok(page("?limit=1")).await;
    let second: Memberships = ok(page(&format!("?limit=1&after={}", first.next.unwrap()))).await;
    let members = [&first.memberships[0], &second.memberships[0]].map(|membership| membership.member);
    assert_eq!(members, [member, nurse.address()]);
    assert_eq!(second.memberships[0].keys, None);

    world.remove_member(&world.clinic, member).await;
    assert_eq!(refusal(world.get(&of_doctor, &keys_of(clinic))).await, "not-a-member");
    assert!(listed(&of_doctor).await.is_empty());
    let remove = |token: &str| world.request(Method::DELETE, &keys_of(member)).bearer_auth(token);
    // Everybody removes their own.
    ok_bytes(remove(&of_nurse)).await;
    world.set_member(&world.clinic, member, 0).await;
    assert_eq!(ok_bytes(world.get(&of_doctor, &keys_of(clinic))).await, block);
    ok_bytes(remove(&of_clinic)).await;
    assert_eq!(refusal(world.get(&of_doctor, &keys_of(clinic))).await, "no-grant");
    world.stop().await;
}
