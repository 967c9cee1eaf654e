//! Emergency kits, and what custodians release of them: who may put, see and remove what, and while what stands on chain.
use super::*;

use medlock_api::{Custody, Emergencies, EmergencyShares};
use medlock_vault::{
    Directory, EmergencyKit, KitBody, KitTerms, Recipient, SealedShare, VerifiedKit, emergency::party,
};

/// Three custodians, and the key of whoever breaks the glass.
struct Cast {
    world: World,
    custodians: Vec<(PrivateKeySigner, EncryptionKey)>,
    nurse: EncryptionKey,
    patient: String,
    clinic: String,
    stranger: String,
    /// Of the custodians.
    tokens: Vec<String>,
}

fn rng() -> impl medlock_vault::rand_core::CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

impl Cast {
    async fn assemble() -> Self {
        let world = World::with_chart().await;
        let key = || EncryptionKey::generate(&mut rng(), Suite::X25519);
        let custodians: Vec<_> = (0..3).map(|_| (PrivateKeySigner::random(), key())).collect();
        let mut tokens = Vec::new();
        for (custodian, _) in &custodians {
            tokens.push(world.sign_in(custodian).await);
        }
        Self {
            patient: world.sign_in(&world.patient).await,
            clinic: world.sign_in(&world.clinic).await,
            stranger: world.sign_in(&world.stranger).await,
            nurse: key(),
            custodians,
            tokens,
            world,
        }
    }

    fn domain(&self) -> Domain {
        Domain {
            chain_id: self.world.deployment.chain_id,
            records: self.world.deployment.records.into_array(),
        }
    }

    /// The patient's chart's, for its first directory.
    fn body(&self, serial: u32) -> KitBody {
        let block = &self.world.keys.as_ref().unwrap()[0];
        let directory = Directory::decode(&block.bytes).unwrap().body;
        self.body_of(&directory, serial)
    }

    fn body_of(&self, directory: &DirectoryBody, serial: u32) -> KitBody {
        let recipients: Vec<_> = self
            .custodians
            .iter()
            .map(|(who, key)| recipient(who.address(), key))
            .collect();
        let terms = KitTerms {
            compartments: 1 << LABS,
            threshold: 2,
            custodians: &recipients,
        };
        KitBody::make(&mut rng(), &self.domain(), &self.world.root, directory, serial, &terms).unwrap()
    }

    fn sign(&self, body: KitBody, signer: &PrivateKeySigner) -> EmergencyKit {
        let signature = signer.sign_hash_sync(&body.signing_hash(&self.domain())).unwrap();
        body.with_signature(signature.as_bytes().to_vec())
    }

    fn kit(&self, serial: u32) -> EmergencyKit {
        self.sign(self.body(serial), &self.world.patient)
    }

    fn put(&self, token: &str, chart: B256, kit: impl Into<reqwest::Body>) -> RequestBuilder {
        let path = format!("/v1/charts/{chart}/emergency");
        self.world.request(Method::PUT, &path).bearer_auth(token).body(kit)
    }

    fn get(&self, token: &str) -> RequestBuilder {
        self.world.get(token, &format!("/v1/charts/{CHART}/emergency"))
    }

    fn verified(&self, kit: EmergencyKit) -> VerifiedKit {
        let scope = medlock_vault::KitScope {
            domain: self.domain(),
            chart: CHART.0,
            directory_version: 1,
            serial: kit.body.serial,
        };
        kit.verify(&scope, self.world.patient.address()).unwrap()
    }

    /// This custodian's share, sealed to the clinic.
    fn share(&self, kit: &VerifiedKit, custodian: usize) -> SealedShare {
        let (who, key) = &self.custodians[custodian];
        let party = recipient(self.world.clinic.address(), &self.nurse);
        kit.release(&mut rng(), &who.address().into_array(), key, &party)
            .unwrap()
    }

    fn release(&self, custodian: usize, party: Address, share: &SealedShare) -> RequestBuilder {
        let path = format!("/v1/charts/{CHART}/emergency/shares/{party}");
        let request = self.world.request(Method::PUT, &path);
        request.bearer_auth(&self.tokens[custodian]).body(share.encode())
    }

    fn shares(&self, token: &str) -> RequestBuilder {
        self.world.get(token, &format!("/v1/charts/{CHART}/emergency/shares"))
    }

    /// The parties that this custodian's share is due to.
    async fn due(&self, custodian: usize) -> Vec<Address> {
        let custody: Custody = ok(self.world.get(&self.tokens[custodian], "/v1/custody")).await;
        custody.emergencies.iter().map(|emergency| emergency.party).collect()
    }

    async fn emergencies(&self, token: &str) -> Vec<medlock_api::Emergency> {
        let path = format!("/v1/charts/{CHART}/emergencies");
        ok::<Emergencies>(self.world.get(token, &path)).await.emergencies
    }
}

fn recipient(account: Address, key: &EncryptionKey) -> Recipient {
    Recipient {
        account: account.into_array(),
        key_version: 1,
        key: key.public_key(),
    }
}

async fn done(request: RequestBuilder) {
    let (status, _, body) = answer(request, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&body));
    assert!(body.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kit_is_the_controllers_to_put_and_to_remove_and_is_shown_to_those_it_concerns() {
    let cast = Cast::assemble().await;
    let world = &cast.world;
    let kit = cast.kit(1);
    done(cast.get(&cast.patient)).await;
    for token in [&cast.clinic, &cast.stranger, &cast.tokens[0]] {
        refused(cast.put(token, CHART, kit.encode()), Kind::ForbiddenOrUnknown).await;
        refused(cast.get(token), Kind::ForbiddenOrUnknown).await;
    }
    refused(cast.put(&cast.patient, UNKNOWN, kit.encode()), Kind::ForbiddenOrUnknown).await;
    let malformed = async |kit: Vec<u8>| {
        let problem = refused(cast.put(&cast.patient, CHART, kit), Kind::BadRequest).await;
        assert_eq!(problem.field.as_deref(), Some("body"));
    };
    let mut cut = kit.encode();
    cut.pop();
    malformed(cut).await;
    malformed(Vec::new()).await;
    // Of a serial that our node does not know yet, and signed by somebody else.
    refused(cast.put(&cast.patient, CHART, cast.kit(2).encode()), Kind::IndexBehind).await;
    malformed(cast.sign(cast.body(1), &world.clinic).encode()).await;
    refused(cast.put(&cast.patient, CHART, vec![0; 70_000]), Kind::PayloadTooLarge).await;

    // Before it is allowed, for the serial that allowing it gives.
    done(cast.put(&cast.patient, CHART, kit.encode())).await;
    world.allow_emergency(true).await;
    done(cast.put(&cast.patient, CHART, kit.encode())).await;
    refused(cast.put(&cast.patient, CHART, cast.kit(2).encode()), Kind::IndexBehind).await;
    for token in [&cast.patient, &cast.tokens[0], &cast.tokens[2]] {
        assert_eq!(ok_bytes(cast.get(token)).await, kit.encode());
    }
    // A grant is no ground, broken glass is.
    for token in [&cast.clinic, &cast.stranger] {
        refused(cast.get(token), Kind::ForbiddenOrUnknown).await;
    }
    world.break_glass(u64::MAX).await;
    assert_eq!(ok_bytes(cast.get(&cast.clinic)).await, kit.encode());
    refused(cast.get(&cast.stranger), Kind::ForbiddenOrUnknown).await;

    let delete = |token: &str| {
        let path = format!("/v1/charts/{CHART}/emergency");
        world.request(Method::DELETE, &path).bearer_auth(token)
    };
    for token in [&cast.clinic, &cast.stranger, &cast.tokens[0]] {
        refused(delete(token), Kind::ForbiddenOrUnknown).await;
    }
    for _ in 0..2 {
        done(delete(&cast.patient)).await;
    }
    for token in [&cast.patient, &cast.clinic] {
        done(cast.get(token)).await;
    }
    refused(cast.get(&cast.tokens[0]), Kind::ForbiddenOrUnknown).await;
    cast.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_taken_and_handed_out_while_the_glass_is_broken_and_no_longer() {
    let cast = Cast::assemble().await;
    let (world, clinic) = (&cast.world, cast.world.clinic.address());
    let kit = cast.verified(cast.kit(1));
    done(cast.put(
        &cast.patient,
        CHART,
        cast.sign(kit.body().clone(), &world.patient).encode(),
    ))
    .await;
    world.allow_emergency(true).await;
    let share = cast.share(&kit, 0);
    let nothing = async || {
        // What custodians are told is a hint, by the index; what is released, the chain decides.
        refused(cast.release(0, clinic, &share), Kind::ForbiddenOrUnknown).await;
        refused(cast.shares(&cast.clinic), Kind::ForbiddenOrUnknown).await;
    };
    nothing().await;

    world.break_glass(1 << NOTES).await;
    let custody: Custody = ok(world.get(&cast.stranger, "/v1/custody")).await;
    assert!(custody.emergencies.is_empty(), "nobody else is told");
    for custodian in 0..3 {
        assert_eq!(cast.due(custodian).await, [clinic]);
    }
    let none: EmergencyShares = ok(cast.shares(&cast.clinic)).await;
    assert!(none.shares.is_empty());
    // To nobody but who broke it, and no share but one's own.
    let patient = world.patient.address();
    for party in [patient, world.stranger.address()] {
        refused(cast.release(0, party, &share), Kind::ForbiddenOrUnknown).await;
    }
    let (mut elsewhere, mut weaker) = (share.clone(), share.clone());
    elsewhere.recipient = world.stranger.address().into_array();
    weaker.set = [7; 32];
    for wrong in [&cast.share(&kit, 1), &elsewhere, &weaker] {
        refused(cast.release(0, clinic, wrong), Kind::BadRequest).await;
    }
    let path = format!("/v1/charts/{CHART}/emergency/shares/{clinic}");
    let garbage = world.request(Method::PUT, &path).bearer_auth(&cast.tokens[0]);
    refused(garbage.body(vec![7; 3000]), Kind::BadRequest).await;
    let others = world.request(Method::PUT, &path).bearer_auth(&cast.stranger);
    refused(others.body(share.encode()), Kind::ForbiddenOrUnknown).await;

    for _ in 0..2 {
        done(cast.release(0, clinic, &share)).await;
    }
    assert_eq!(cast.due(0).await, Vec::<Address>::new());
    assert_eq!(cast.due(1).await, [clinic]);
    let released: EmergencyShares = ok(cast.shares(&cast.clinic)).await;
    let [one] = &released.shares[..] else {
        panic!("{released:?}")
    };
    assert_eq!(one.custodian, cast.custodians[0].0.address());
    let sealed = SealedShare::decode(&one.share).unwrap();
    sealed.open(kit.set(), &clinic.into_array(), &cast.nurse).unwrap();
    for token in [&cast.patient, &cast.stranger, &cast.tokens[0]] {
        refused(cast.shares(token), Kind::ForbiddenOrUnknown).await;
    }
    // With another kit nothing of the first is left, and its shares are not taken.
    let another = cast.kit(1);
    done(cast.put(&cast.patient, CHART, another.encode())).await;
    let none: EmergencyShares = ok(cast.shares(&cast.clinic)).await;
    assert!(none.shares.is_empty());
    assert_eq!(cast.due(0).await, [clinic]);
    refused(cast.release(0, clinic, &share), Kind::BadRequest).await;
    let another = cast.verified(another);
    done(cast.release(2, clinic, &cast.share(&another, 2))).await;

    // The patient closes it.
    let close = IExceptions::closeEmergencyCall {
        actor: patient,
        chart: CHART,
        party: clinic,
    };
    world.send(&world.patient, world.deployment.exceptions, close).await;
    nothing().await;
    let closed = cast.emergencies(&cast.patient).await;
    assert!(!closed[0].open && closed[0].closed_at.is_some(), "{closed:?}");

    // Or forbids it; allowed again, it is still over, and the kit of before counts no more.
    let again = async || {
        world.rpc("evm_increaseTime", json!([emergency::AGAIN_S])).await;
        world.break_glass(u64::MAX).await;
        assert_eq!(cast.due(1).await, [clinic]);
        assert!(cast.emergencies(&cast.patient).await[0].open);
    };
    again().await;
    world.allow_emergency(false).await;
    nothing().await;
    assert!(!cast.emergencies(&cast.patient).await[0].open);
    world.allow_emergency(true).await;
    nothing().await;
    refused(cast.put(&cast.patient, CHART, cast.kit(1).encode()), Kind::BadRequest).await;
    done(cast.put(&cast.patient, CHART, cast.kit(3).encode())).await;

    // Or its time is over.
    again().await;
    world.rpc("evm_increaseTime", json!([emergency::OPEN_S])).await;
    world.rpc("evm_mine", json!([])).await;
    nothing().await;
    cast.world.stop().await;
}

/// Somebody opens a chart of their own and puts a victim's shares into the kit for it.
#[tokio::test(flavor = "multi_thread")]
async fn another_charts_shares_are_no_part_of_a_kit() {
    const OWN: B256 = B256::repeat_byte(0xe1);
    let cast = Cast::assemble().await;
    let world = &cast.world;
    let compartments = BTreeMap::from([(LABS, Suite::X25519)]);
    let body = DirectoryBody::first(&mut rng(), &world.root, &OWN.0, &compartments, &BTreeMap::new()).unwrap();
    world.open(&world.stranger, OWN, B256::repeat_byte(1)).await;
    let victims = cast.body(1);
    let mut copied = cast.body_of(&body, 1);
    done(cast.put(&cast.stranger, OWN, cast.sign(copied.clone(), &world.stranger).encode())).await;
    (copied.set, copied.shares) = (victims.set, victims.shares);
    let kit = cast.sign(copied.clone(), &world.stranger);
    refused(cast.put(&cast.stranger, OWN, kit.encode()), Kind::BadRequest).await;
    copied.set.owner = party(&OWN.0);
    let kit = cast.sign(copied, &world.stranger);
    refused(cast.put(&cast.stranger, OWN, kit.encode()), Kind::BadRequest).await;
    cast.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn emergencies_are_listed_to_the_patient_and_each_partys_own_to_the_party() {
    let cast = Cast::assemble().await;
    let world = &cast.world;
    let path = format!("/v1/charts/{CHART}/emergencies");
    for token in [&cast.patient, &cast.clinic, &cast.stranger] {
        assert!(cast.emergencies(token).await.is_empty());
    }
    world.allow_emergency(true).await;
    world.break_glass(1 << NOTES).await;
    world.rpc("evm_increaseTime", json!([emergency::AGAIN_S])).await;
    world.break_glass(u64::MAX).await;
    let listed = cast.emergencies(&cast.patient).await;
    assert_eq!(listed, cast.emergencies(&cast.clinic).await);
    let [second, first] = &listed[..] else {
        panic!("{listed:?}")
    };
    assert_eq!((first.compartments.0, second.compartments.0), (1 << NOTES, u64::MAX));
    assert!(first.opened_at + emergency::AGAIN_S <= second.opened_at);
    for one in &listed {
        assert_eq!((one.party, one.organisation), (world.clinic.address(), None));
        assert_eq!(one.until, one.opened_at + emergency::OPEN_S);
        assert_eq!((one.reason_code, one.closed_at), (emergency::LIFE_THREATENING, None));
        assert_eq!(one.reason, "life-threatening");
    }
    assert!(second.open && !first.open);
    let page: Emergencies = ok(world.get(&cast.patient, &format!("{path}?limit=1"))).await;
    let next = page.next.unwrap();
    let page: Emergencies = ok(world.get(&cast.patient, &format!("{path}?limit=1&after={next}"))).await;
    assert_eq!(page.emergencies, std::slice::from_ref(first));
    // Nobody else has any, on this chart or on one that there is not.
    assert!(cast.emergencies(&cast.stranger).await.is_empty());
    let unknown = format!("/v1/charts/{UNKNOWN}/emergencies");
    let none: Emergencies = ok(world.get(&cast.stranger, &unknown)).await;
    assert!(none.emergencies.is_empty());
    cast.world.stop().await;
}
