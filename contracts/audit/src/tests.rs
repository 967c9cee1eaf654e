use std::sync::LazyLock;

use alloy_primitives::{FixedBytes, keccak256};
use alloy_sol_types::{SolCall, SolStruct};
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use medlock_abi::{audit::IAudit::IAuditEvents, signed::domain};
use stylus_sdk::testing::TestVM;

use super::*;

mod history;

const REGISTRY: Address = Address::new(link::REGISTRY);
const AUDIT: Address = Address::repeat_byte(0xdd);
const STRANGER: Address = Address::repeat_byte(0x05);
const ECRECOVER: Address = Address::with_last_byte(1);
const CHAIN: u64 = 412_346;
const ROOT: B256 = FixedBytes::repeat_byte(0x11);
const OTHER_ROOT: B256 = FixedBytes::repeat_byte(0x12);
const ORDER: U256 = alloy_primitives::uint!(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256);

/// The contract on its own.
///
/// The test VM answers a static call that it was not told of with success, and hands out the data of the answer mocked last. So what
/// is to fail is mocked as a failure, and what is to succeed is mocked behind it.
struct World {
    vm: TestVM,
    audit: Audit,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_chain_id(CHAIN);
        vm.set_contract_address(AUDIT);
        let audit = Audit::from(&vm);
        Self { vm, audit }
    }

    /// The contract, called by `sender`.
    fn by(&mut self, sender: Address) -> &mut Audit {
        self.vm.set_sender(sender);
        &mut self.audit
    }

    fn registry_says(&self, party: Address, answer: Result<Vec<u8>, Vec<u8>>) {
        let call = hasRolesCall {
            party,
            roles: role::GATEWAY,
        };
        self.vm.mock_static_call(REGISTRY, call.abi_encode(), answer);
    }

    /// Anchors as a current gateway, behind its last anchor.
    fn anchor(&mut self, gateway: Address, root: B256, count: u32) -> Anchor {
        self.registry_says(gateway, Ok(word(1)));
        let (index, _, previous) = self.audit.head_of(gateway);
        assert_eq!(self.by(gateway).anchor(previous, root, count), Ok(index));
        Anchor {
            gateway,
            index,
            previous,
            root,
            count,
        }
    }

    /// From here on ecrecover says what it would say; but somebody else than `gateway` is nobody.
    fn recovers(&self, gateway: Address, signed: &[(&Anchor, &[u8])]) {
        let mut inputs = Vec::new();
        for (statement, signature) in signed.iter().filter(|(_, signature)| signature.len() == 65) {
            let digest = digest_of(statement, CHAIN, AUDIT);
            let signer = recovered(digest, signature).filter(|signer| *signer == gateway);
            inputs.push((signer, recover_input(digest, signature)));
        }
        // Nobody first, so that the data handed out are the gateway's.
        inputs.sort_by_key(|(signer, _)| signer.is_some());
        for (signer, input) in inputs {
            let answer = signer.map(|signer| signer.into_word().to_vec()).ok_or(vec![]);
            self.vm.mock_static_call(ECRECOVER, input, answer);
        }
    }

    fn prove_equivocation(&mut self, first: (&Anchor, Vec<u8>), second: (&Anchor, Vec<u8>)) -> Result<(), Error> {
        self.recovers(first.0.gateway, &[(first.0, &first.1), (second.0, &second.1)]);
        self.by(STRANGER)
            .prove_equivocation(first.0.clone(), first.1.into(), second.0.clone(), second.1.into())
    }

    fn prove_deviation(&mut self, statement: &Anchor, signature: Vec<u8>) -> Result<(), Error> {
        self.recovers(statement.gateway, &[(statement, &signature)]);
        self.by(STRANGER).prove_deviation(statement.clone(), signature.into())
    }

    fn events(&self) -> Vec<IAuditEvents> {
        self.vm
            .get_emitted_logs()
            .iter()
            .map(|(topics, data)| alloy_sol_types::SolEventInterface::decode_raw_log(topics, data).unwrap())
            .collect()
    }

    fn last_event(&self) -> IAuditEvents {
        self.events().pop().unwrap()
    }
}

/// The keys of gateways 1 to 4, each made once, for it takes milliseconds without optimisation.
static KEYS: LazyLock<[SigningKey; 4]> =
    LazyLock::new(|| [1, 2, 3, 4].map(|n| SigningKey::from_slice(&[n; 32]).unwrap()));

fn key(n: u8) -> &'static SigningKey {
    &KEYS[usize::from(n) - 1]
}

fn account_of(key: &VerifyingKey) -> Address {
    let point = key.to_encoded_point(false);
    Address::from_raw_public_key(&point.as_bytes()[1..])
}

fn gateway(n: u8) -> Address {
    account_of(key(n).verifying_key())
}

/// By alloy, from the ABI alone.
fn hash_of_statement(statement: &Anchor) -> B256 {
    statement.eip712_hash_struct()
}

/// By alloy, from the ABI alone.
fn digest_of(statement: &Anchor, chain: u64, contract: Address) -> B256 {
    statement.eip712_signing_hash(&domain(chain, contract))
}

fn sign_digest(key: &SigningKey, digest: B256) -> Vec<u8> {
    let (signature, id) = key.sign_prehash_recoverable(&digest[..]).unwrap();
    [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat()
}

fn sign(key: &SigningKey, statement: &Anchor) -> Vec<u8> {
    sign_digest(key, digest_of(statement, CHAIN, AUDIT))
}

/// What ecrecover makes of it. `None`: nothing.
fn recovered(digest: B256, signature: &[u8]) -> Option<Address> {
    let id = RecoveryId::from_byte(signature[64].checked_sub(27)?)?;
    let signature = Signature::from_slice(&signature[..64]).ok()?;
    let key = VerifyingKey::recover_from_prehash(&digest[..], &signature, id).ok()?;
    Some(account_of(&key))
}

fn recover_input(digest: B256, signature: &[u8]) -> Vec<u8> {
    let mut input = [&digest[..], &[0; 31], &signature[64..65], &signature[..64]].concat();
    input.resize(128, 0);
    input
}

fn word(number: u8) -> Vec<u8> {
    B256::with_last_byte(number).to_vec()
}

fn statement(gateway: Address, index: u64, root: B256) -> Anchor {
    Anchor {
        gateway,
        index,
        previous: B256::ZERO,
        root,
        count: 3,
    }
}

fn bad_signature(gateway: Address) -> Result<(), Error> {
    Err(IAudit::BadSignature { gateway }.into())
}

fn same_anchor() -> Result<(), Error> {
    Err(IAudit::SameAnchor {}.into())
}

#[test]
fn its_registry_is_a_constant_of_its_code() {
    let vm = TestVM::new();
    assert_eq!(Audit::from(&vm).registry(), REGISTRY);
    // What lies in storage does not change it.
    for slot in 0..4 {
        vm.set_storage(U256::from(slot), STRANGER.into_word());
    }
    assert_eq!(Audit::from(&vm).registry(), REGISTRY);
}

/// Where no contract is at its address, a call succeeds and says nothing.
#[test]
fn nobody_is_a_gateway_before_the_registry_is_there() {
    let vm = TestVM::new();
    let mut audit = Audit::from(&vm);
    vm.set_sender(gateway(1));
    let refused = Err(IAudit::NotGateway { caller: gateway(1) }.into());
    assert_eq!(audit.anchor(B256::ZERO, ROOT, 1), refused);
}

#[test]
fn the_domain_is_that_of_erc_5267_and_of_the_statements() {
    let world = World::new();
    for (chain, contract) in [(CHAIN, AUDIT), (u64::MAX, STRANGER), (0, Address::ZERO)] {
        world.vm.set_chain_id(chain);
        world.vm.set_contract_address(contract);
        let (fields, name, version, chain_id, verifying_contract, salt, extensions) = world.audit.eip712_domain();
        assert_eq!(fields, FixedBytes([0x0f]));
        assert_eq!((salt, extensions), (B256::ZERO, vec![]));
        let told = alloy_sol_types::Eip712Domain::new(
            Some(name.into()),
            Some(version.into()),
            Some(chain_id),
            Some(verifying_contract),
            None,
        );
        assert_eq!(told, domain(chain, contract));
    }
}

#[test]
fn hashes_and_digests_are_those_that_alloy_makes_of_the_abi() {
    let world = World::new();
    let statements = [
        statement(gateway(1), 0, ROOT),
        statement(Address::ZERO, u64::MAX, B256::ZERO),
        Anchor {
            gateway: Address::repeat_byte(0xff),
            index: 1 << 63 | 2,
            previous: OTHER_ROOT,
            root: B256::repeat_byte(0xfe),
            count: u32::MAX,
        },
    ];
    for (chain, contract) in [(CHAIN, AUDIT), (u64::MAX, STRANGER), (1, AUDIT)] {
        world.vm.set_chain_id(chain);
        world.vm.set_contract_address(contract);
        for statement in &statements {
            let hash = world.audit.struct_hash(statement);
            assert_eq!(hash, hash_of_statement(statement));
            assert_eq!(world.audit.digest(hash), digest_of(statement, chain, contract));
        }
    }
}

#[test]
fn anchors_follow_each_other_and_each_gateway_has_its_own() {
    let mut world = World::new();
    let (one, two) = (gateway(1), gateway(2));
    assert_eq!(world.audit.head_of(one), (0, 0, B256::ZERO));
    let mut last = [B256::ZERO; 2];
    for n in 0..3u64 {
        for (place, gateway) in [one, two].into_iter().enumerate() {
            let root = B256::with_last_byte(1 + n as u8);
            let count = 10 + n as u32;
            let anchored = world.anchor(gateway, root, count);
            assert_eq!((anchored.index, anchored.previous), (n, last[place]));
            last[place] = hash_of_statement(&anchored);
            assert_eq!(
                world.last_event(),
                IAuditEvents::Anchored(IAudit::Anchored {
                    gateway,
                    index: n,
                    anchor: last[place],
                    previous: anchored.previous,
                    root,
                    count,
                })
            );
            assert_eq!(world.audit.anchor_of(gateway, n), last[place]);
            assert_eq!(world.audit.anchor_of(gateway, n + 1), B256::ZERO);
        }
    }
    assert_ne!(last[0], last[1]);
    assert_eq!(world.audit.head_of(one), (3, 33, last[0]));
    assert_eq!(world.audit.head_of(two), (3, 33, last[1]));
}

#[test]
fn an_anchor_has_a_root_and_receipts() {
    let mut world = World::new();
    let gateway = gateway(1);
    world.registry_says(gateway, Ok(word(1)));
    let audit = world.by(gateway);
    assert_eq!(audit.anchor(B256::ZERO, B256::ZERO, 1), Err(IAudit::ZeroRoot {}.into()));
    assert_eq!(audit.anchor(B256::ZERO, ROOT, 0), Err(IAudit::EmptyAnchor {}.into()));
    assert_eq!(audit.head_of(gateway), (0, 0, B256::ZERO));
    // The boundaries hold.
    assert_eq!(audit.anchor(B256::ZERO, ROOT, 1), Ok(0));
    let (_, _, last) = audit.head_of(gateway);
    assert_eq!(audit.anchor(last, ROOT, u32::MAX), Ok(1));
    let (anchors, receipts, last) = audit.head_of(gateway);
    assert_eq!((anchors, receipts), (2, 1 << 32));
    assert_eq!(audit.anchor(last, ROOT, u32::MAX), Ok(2));
    assert_eq!(audit.head_of(gateway).1, (1 << 33) - 1);
}

#[test]
fn an_anchor_names_the_one_before_so_that_it_cannot_stand_twice() {
    let mut world = World::new();
    let gateway = gateway(1);
    world.registry_says(gateway, Ok(word(1)));
    let refused = |given, current| Err(IAudit::PreviousAnchor { given, current }.into());
    assert_eq!(world.by(gateway).anchor(ROOT, ROOT, 3), refused(ROOT, B256::ZERO));
    let first = hash_of_statement(&world.anchor(gateway, ROOT, 3));
    for given in [B256::ZERO, ROOT, OTHER_ROOT] {
        assert_eq!(world.by(gateway).anchor(given, ROOT, 3), refused(given, first));
    }
    let second = hash_of_statement(&world.anchor(gateway, ROOT, 3));
    assert_ne!(first, second);
    assert_eq!(world.by(gateway).anchor(first, ROOT, 3), refused(first, second));
    assert_eq!(world.audit.head_of(gateway), (2, 6, second));
}

#[test]
fn only_a_current_gateway_anchors_and_no_answer_is_a_no() {
    let mut world = World::new();
    let gateway = gateway(1);
    let yes = word(1);
    for answer in [
        Ok(word(0)),
        Ok(word(2)),
        Ok(vec![0xff; 32]),
        Ok(vec![]),
        Ok(vec![1]),
        Err(yes.clone()),
        Err(vec![]),
    ] {
        world.registry_says(gateway, answer.clone());
        assert_eq!(
            world.by(gateway).anchor(B256::ZERO, ROOT, 3),
            Err(IAudit::NotGateway { caller: gateway }.into()),
            "{answer:?}"
        );
    }
    assert_eq!(world.events(), []);
    let first = world.anchor(gateway, ROOT, 3);
    // Asked anew each time.
    world.registry_says(gateway, Ok(word(0)));
    assert_eq!(
        world.by(gateway).anchor(hash_of_statement(&first), ROOT, 3),
        Err(IAudit::NotGateway { caller: gateway }.into())
    );
}

/// The receipts of [`an_anchored_tree`].
const LEAVES: u32 = 6;

/// A gateway's anchor over [`LEAVES`] receipts, behind another one, and their leaf hashes.
fn an_anchored_tree(world: &mut World) -> (Anchor, Vec<B256>) {
    let keccak = |bytes: &[u8]| keccak256(bytes);
    let leaves: Vec<_> = (0..LEAVES).map(|n| medlock_merkle::leaf(keccak, leaf(n))).collect();
    world.anchor(gateway(1), OTHER_ROOT, 1);
    let root = medlock_merkle::root(keccak, &leaves).unwrap();
    (world.anchor(gateway(1), root, LEAVES), leaves)
}

fn leaf(n: u32) -> B256 {
    B256::from(U256::from(1000 + n))
}

#[test]
fn a_receipt_is_verified_at_its_own_place_under_what_is_anchored_and_nothing_else() {
    let mut world = World::new();
    let (anchored, leaves) = an_anchored_tree(&mut world);
    let keccak = |bytes: &[u8]| keccak256(bytes);
    for n in 0..LEAVES {
        let proof = medlock_merkle::proof(keccak, &leaves, n as usize).unwrap();
        let verify = |statement: &Anchor, place, data| {
            let statement = statement.clone();
            world.audit.verify(statement, place, data, proof.clone())
        };
        for place in 0..LEAVES + 2 {
            assert_eq!(verify(&anchored, place, leaf(n)), place == n);
        }
        assert!(!verify(&anchored, n, leaf(n + 1)));
        // The leaf's hash is no leaf.
        assert!(!verify(&anchored, n, leaves[n as usize]));
        for changed in changes_of(&anchored) {
            assert!(!verify(&changed, n, leaf(n)), "{changed:?}");
        }
        let mut longer = proof.clone();
        longer.push(B256::ZERO);
        for proof in [longer, proof[1..].to_vec(), vec![], vec![B256::ZERO; 100]] {
            assert!(!world.audit.verify(anchored.clone(), n, leaf(n), proof));
        }
    }
}

#[test]
fn a_tree_of_one_receipt_is_verified_without_a_proof() {
    let mut world = World::new();
    let root = medlock_merkle::leaf(|bytes| keccak256(bytes), leaf(0));
    let anchored = world.anchor(gateway(1), root, 1);
    assert!(world.audit.verify(anchored.clone(), 0, leaf(0), vec![]));
    assert!(!world.audit.verify(anchored.clone(), 1, leaf(0), vec![]));
    // What is true of a statement that nobody has anchored is not true here.
    let next = Anchor {
        index: 1,
        previous: hash_of_statement(&anchored),
        ..anchored
    };
    assert!(!world.audit.verify(next.clone(), 0, leaf(0), vec![]));
    world.anchor(gateway(1), root, 1);
    assert!(world.audit.verify(next, 0, leaf(0), vec![]));
}

/// The same with each field changed in turn.
fn changes_of(statement: &Anchor) -> [Anchor; 5] {
    [
        Anchor {
            gateway: STRANGER,
            ..statement.clone()
        },
        Anchor {
            index: statement.index ^ 1,
            ..statement.clone()
        },
        Anchor {
            previous: B256::repeat_byte(0x77),
            ..statement.clone()
        },
        Anchor {
            root: B256::repeat_byte(0x78),
            ..statement.clone()
        },
        Anchor {
            count: statement.count + 1,
            ..statement.clone()
        },
    ]
}

#[test]
fn two_statements_for_one_index_are_proved_once_by_anyone_in_either_order() {
    let mut world = World::new();
    let gateway = gateway(1);
    let (a, b) = (statement(gateway, 7, ROOT), statement(gateway, 7, OTHER_ROOT));
    let (by_a, by_b) = (sign(key(1), &a), sign(key(1), &b));
    // Nothing was ever anchored, and the registry is not asked.
    world.registry_says(gateway, Err(vec![]));
    world
        .prove_equivocation((&a, by_a.clone()), (&b, by_b.clone()))
        .unwrap();
    assert_eq!(
        world.last_event(),
        IAuditEvents::EquivocationProved(IAudit::EquivocationProved {
            gateway,
            index: 7,
            first: hash_of_statement(&a),
            second: hash_of_statement(&b),
            by: STRANGER,
        })
    );
    assert_eq!(world.audit.equivocations_of(gateway), 1);
    let events = world.events().len();
    for _ in 0..2 {
        assert_eq!(
            world.prove_equivocation((&a, by_a.clone()), (&b, by_b.clone())),
            same_anchor()
        );
        assert_eq!(
            world.prove_equivocation((&b, by_b.clone()), (&a, by_a.clone())),
            same_anchor()
        );
    }
    assert_eq!(
        (world.audit.equivocations_of(gateway), world.events().len()),
        (1, events)
    );
    // A third statement makes two more pairs.
    let c = Anchor { count: 4, ..a.clone() };
    let by_c = sign(key(1), &c);
    world.prove_equivocation((&c, by_c.clone()), (&a, by_a)).unwrap();
    world.prove_equivocation((&b, by_b), (&c, by_c)).unwrap();
    assert_eq!(world.audit.equivocations_of(gateway), 3);
    // Only the mark has changed.
    assert_eq!(world.audit.head_of(gateway), (0, 0, B256::ZERO));
    assert_eq!(world.audit.equivocations_of(STRANGER), 0);
}

#[test]
fn statements_of_two_gateways_or_for_two_indexes_are_not_comparable() {
    let mut world = World::new();
    let first = statement(gateway(1), 7, ROOT);
    let [other_gateway, other_index, ..] = changes_of(&first);
    for other in [
        other_gateway,
        other_index,
        statement(gateway(2), 7, ROOT),
        statement(gateway(1), 7 + (1 << 32), OTHER_ROOT),
    ] {
        let (one, two) = (sign(key(1), &first), sign(key(1), &other));
        let not_comparable = Err(IAudit::NotComparable {}.into());
        assert_eq!(
            world.prove_equivocation((&first, one.clone()), (&other, two.clone())),
            not_comparable
        );
        assert_eq!(world.prove_equivocation((&other, two), (&first, one)), not_comparable);
    }
    assert_eq!(world.audit.equivocations_of(gateway(1)), 0);
}

#[test]
fn a_statement_does_not_contradict_itself() {
    let mut world = World::new();
    let anchored = world.anchor(gateway(1), ROOT, 3);
    let signature = sign(key(1), &anchored);
    assert_eq!(
        world.prove_equivocation((&anchored, signature.clone()), (&anchored, signature.clone())),
        same_anchor()
    );
    assert_eq!(world.prove_deviation(&anchored, signature), same_anchor());
    assert_eq!(world.audit.equivocations_of(gateway(1)), 0);
}

#[test]
fn whatever_differs_between_two_statements_for_one_index_contradicts() {
    let first = statement(gateway(1), 7, ROOT);
    let [_, _, changes @ ..] = changes_of(&first);
    for second in changes {
        let mut world = World::new();
        world
            .prove_equivocation((&first, sign(key(1), &first)), (&second, sign(key(1), &second)))
            .unwrap();
        assert_eq!(world.audit.equivocations_of(gateway(1)), 1);
    }
}

/// Signatures that are not the gateway's over this statement for this contract, as its key or another might give them.
fn unsound_signatures(statement: &Anchor) -> Vec<(&'static str, Vec<u8>)> {
    let good = sign(key(1), statement);
    let s = U256::from_be_slice(&good[32..64]);
    let high_s = [&good[..32], &(ORDER - s).to_be_bytes::<32>()[..], &[55 - good[64]]].concat();
    let flipped_v = [&good[..64], &[55 - good[64]]].concat();
    let low_v = [&good[..64], &[good[64] - 27]].concat();
    let eip_155 = [&good[..64], &[good[64] + 8]].concat();
    let other = Anchor {
        count: statement.count + 1,
        ..statement.clone()
    };
    vec![
        ("another key", sign(key(2), statement)),
        ("another statement", sign(key(1), &other)),
        (
            "another chain",
            sign_digest(key(1), digest_of(statement, CHAIN + 1, AUDIT)),
        ),
        (
            "another contract",
            sign_digest(key(1), digest_of(statement, CHAIN, REGISTRY)),
        ),
        (
            "the struct hash alone",
            sign_digest(key(1), hash_of_statement(statement)),
        ),
        ("high s", high_s),
        ("the other v", flipped_v),
        ("v from 0", low_v),
        ("v of a transaction", eip_155),
        ("one byte short", good[..64].to_vec()),
        ("one byte long", [&good[..], &[0]].concat()),
        ("none", vec![]),
        ("zeroes", vec![0; 65]),
    ]
}

#[test]
fn both_signatures_are_the_gateways_own_over_these_very_statements() {
    let mut world = World::new();
    let gateway = gateway(1);
    let (a, b) = (statement(gateway, 7, ROOT), statement(gateway, 7, OTHER_ROOT));
    for (name, unsound) in unsound_signatures(&a) {
        let sound = sign(key(1), &b);
        assert_eq!(
            world.prove_equivocation((&a, unsound.clone()), (&b, sound.clone())),
            bad_signature(gateway),
            "first: {name}"
        );
        assert_eq!(
            world.prove_equivocation((&b, sound), (&a, unsound)),
            bad_signature(gateway),
            "second: {name}"
        );
    }
    // Each signature belongs to its own statement.
    assert_eq!(
        world.prove_equivocation((&a, sign(key(1), &b)), (&b, sign(key(1), &a))),
        bad_signature(gateway)
    );
    assert_eq!(world.audit.equivocations_of(gateway), 0);
    assert_eq!(world.events(), []);
}

#[test]
fn a_deviation_is_signed_by_the_gateway_itself() {
    let mut world = World::new();
    let gateway = gateway(1);
    let anchored = world.anchor(gateway, ROOT, 3);
    let stated = Anchor {
        root: OTHER_ROOT,
        ..anchored.clone()
    };
    for (name, unsound) in unsound_signatures(&stated) {
        assert_eq!(
            world.prove_deviation(&stated, unsound),
            bad_signature(gateway),
            "{name}"
        );
    }
    // Here with the address that the precompile really gives.
    let signature = sign(key(2), &stated);
    let input = recover_input(digest_of(&stated, CHAIN, AUDIT), &signature);
    let other = account_of(key(2).verifying_key());
    world
        .vm
        .mock_static_call(ECRECOVER, input, Ok(other.into_word().to_vec()));
    let audit = world.by(gateway);
    assert_eq!(
        audit.prove_deviation(stated.clone(), signature.into()),
        bad_signature(gateway)
    );
    assert_eq!(audit.equivocations_of(gateway), 0);
    world.prove_deviation(&stated, sign(key(1), &stated)).unwrap();
}

#[test]
fn ecrecover_without_an_answer_or_with_zero_proves_nothing() {
    let mut world = World::new();
    // Nobody signs for the zero address, which ecrecover's failure must not be taken for.
    for gateway in [gateway(1), Address::ZERO] {
        let (a, b) = (statement(gateway, 0, ROOT), statement(gateway, 0, OTHER_ROOT));
        let (by_a, by_b) = (sign(key(1), &a), sign(key(1), &b));
        for answer in [
            Ok(vec![]),
            Ok(vec![0; 32]),
            Ok(vec![0; 31]),
            Err(gateway.into_word().to_vec()),
        ] {
            for (statement, signature) in [(&a, &by_a), (&b, &by_b)] {
                let input = recover_input(digest_of(statement, CHAIN, AUDIT), signature);
                world.vm.mock_static_call(ECRECOVER, input, answer.clone());
            }
            let (by_a, by_b) = (by_a.clone().into(), by_b.clone().into());
            let outcome = world.by(STRANGER).prove_equivocation(a.clone(), by_a, b.clone(), by_b);
            assert_eq!(outcome, bad_signature(gateway), "{answer:?}");
        }
    }
}

#[test]
fn a_signed_statement_that_was_not_anchored_is_proved_by_the_anchor_itself() {
    let mut world = World::new();
    let gateway = gateway(1);
    world.anchor(gateway, OTHER_ROOT, 1);
    let stated = Anchor {
        previous: world.audit.head_of(gateway).2,
        ..statement(gateway, 1, OTHER_ROOT)
    };
    let signature = sign(key(1), &stated);
    // About the future it contradicts nothing: whether by index or by gateway.
    let unknown = |gateway, index| Err(IAudit::UnknownAnchor { gateway, index }.into());
    assert_eq!(world.prove_deviation(&stated, signature.clone()), unknown(gateway, 1));
    let of_stranger = statement(STRANGER, 0, ROOT);
    assert_eq!(
        world.prove_deviation(&of_stranger, sign(key(1), &of_stranger)),
        unknown(STRANGER, 0)
    );
    let far = statement(gateway, u64::MAX, ROOT);
    assert_eq!(
        world.prove_deviation(&far, sign(key(1), &far)),
        unknown(gateway, u64::MAX)
    );

    let anchored = world.anchor(gateway, ROOT, 3);
    // The credential ends; the proof does not care.
    world.registry_says(gateway, Ok(word(0)));
    world.prove_deviation(&stated, signature.clone()).unwrap();
    assert_eq!(
        world.last_event(),
        IAuditEvents::EquivocationProved(IAudit::EquivocationProved {
            gateway,
            index: 1,
            first: hash_of_statement(&stated),
            second: hash_of_statement(&anchored),
            by: STRANGER,
        })
    );
    assert_eq!(world.audit.equivocations_of(gateway), 1);
    // The same pair counts once, whichever way it is proved.
    assert_eq!(world.prove_deviation(&stated, signature.clone()), same_anchor());
    let by_anchored = sign(key(1), &anchored);
    assert_eq!(
        world.prove_equivocation((&anchored, by_anchored), (&stated, signature)),
        same_anchor()
    );
    assert_eq!(world.audit.equivocations_of(gateway), 1);
    // What was anchored stands, and the marked gateway anchors on where the registry lets it.
    assert_eq!(world.audit.head_of(gateway), (2, 4, hash_of_statement(&anchored)));
    world.anchor(gateway, ROOT, 3);
    assert_eq!(world.audit.equivocations_of(gateway), 1);
}

#[test]
fn the_same_statements_anchored_again_after_a_reorg_contradict_nothing_and_others_do() {
    let statements: Vec<_> = {
        let mut world = World::new();
        [ROOT, OTHER_ROOT].map(|root| world.anchor(gateway(1), root, 3)).into()
    };
    let second = (&statements[1], sign(key(1), &statements[1]));
    // The chain has taken both back, and they are anchored again.
    let mut world = World::new();
    for told in &statements {
        assert_eq!(&world.anchor(gateway(1), told.root, told.count), told);
        let signature = sign(key(1), told);
        assert_eq!(world.prove_deviation(told, signature), same_anchor());
    }
    // Or in another order: then each that was handed out is a proof.
    let mut world = World::new();
    world.anchor(gateway(1), OTHER_ROOT, 3);
    world.anchor(gateway(1), ROOT, 3);
    world.prove_deviation(second.0, second.1).unwrap();
    let first = (&statements[0], sign(key(1), &statements[0]));
    world.prove_deviation(first.0, first.1).unwrap();
    assert_eq!(world.audit.equivocations_of(gateway(1)), 2);
}

#[test]
fn the_count_of_proofs_never_comes_back_to_none() {
    let mut world = World::new();
    let gateway = gateway(1);
    let head = GatewayHead {
        anchors: 5,
        receipts: 9,
        equivocations: u32::MAX,
    };
    world.audit.gateways.setter(gateway).head.set(head.to_word());
    let (a, b) = (statement(gateway, 7, ROOT), statement(gateway, 7, OTHER_ROOT));
    world
        .prove_equivocation((&a, sign(key(1), &a)), (&b, sign(key(1), &b)))
        .unwrap();
    assert_eq!(world.audit.equivocations_of(gateway), u32::MAX);
    assert_eq!(world.audit.head_of(gateway), (5, 9, B256::ZERO));
}

#[test]
fn packed_words_give_back_what_went_in_and_lie_as_solidity_packs_them() {
    let head = GatewayHead {
        anchors: u64::MAX - 1,
        receipts: u64::MAX - 2,
        equivocations: u32::MAX - 3,
    };
    assert_eq!(GatewayHead::from_word(head.to_word()), head);
    let head = GatewayHead {
        anchors: 1,
        receipts: 2,
        equivocations: 3,
    };
    let packed = U256::from(1) | U256::from(2) << 64 | U256::from(3) << 128;
    assert_eq!(head.to_word(), B256::from(packed));
}
