use alloy_primitives::{FixedBytes, keccak256};
use alloy_sol_types::{SolStruct, SolType};
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use medlock_abi::{
    relay::IRelay::{NewRecord, Resealed},
    signed::domain,
};
use proptest::prelude::*;
use stylus_sdk::testing::TestVM;

use super::*;
use crate::eip712::Operation;

const REGISTRY: Address = Address::new(link::REGISTRY);
const RECORDS: Address = Address::new(link::RECORDS);
const EXCEPTIONS: Address = Address::new(link::EXCEPTIONS);
const CLAIMS: Address = Address::new(link::CLAIMS);
const SUPPLY: Address = Address::new(link::SUPPLY);
const TRIALS: Address = Address::new(link::TRIALS);
const RELAY: Address = Address::repeat_byte(0xdd);
const RELAYER: Address = Address::repeat_byte(0x01);
const WALLET: Address = Address::repeat_byte(0x02);
const NOW: u64 = 1_800_000_000;
const CHAIN: u64 = 412_346;
const ECRECOVER: Address = Address::with_last_byte(1);
const ORDER: U256 = alloy_primitives::uint!(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256);

/// A relay, called by somebody who is none of the signers.
///
/// The test VM answers a call that it was not told of with success, and hands out the data of the answer mocked last; so what is
/// expected of the contract concerned is a revert, and the answer about the signature is mocked behind it.
struct World {
    vm: TestVM,
    relay: Relay,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        vm.set_chain_id(CHAIN);
        vm.set_contract_address(RELAY);
        vm.set_sender(RELAYER);
        let relay = Relay::from(&vm);
        Self { vm, relay }
    }

    /// From here on the contract concerned refuses this operation's call, and this call alone.
    fn expects_call(&self, case: &Case) {
        self.vm.mock_call(case.to, case.call.clone(), U256::ZERO, Err(vec![]));
    }

    /// From here on ecrecover says what it would say.
    fn recovers(&self, digest: B256, signature: &[u8]) {
        let mut input = [&digest[..], &[0; 31], &signature[64..65], &signature[..64]].concat();
        input.resize(128, 0);
        let answer = recovered(digest, signature).map_or(vec![], |signer| signer.into_word().to_vec());
        self.vm.mock_static_call(ECRECOVER, input, Ok(answer));
    }

    /// Submits with the signature of `key`.
    fn submit(&mut self, case: &Case, key: &SigningKey) -> Result<(), Failure> {
        let signature = sign(key, case.digest);
        self.recovers(case.digest, &signature);
        (case.submit)(&mut self.relay, signature.into())
    }

    /// The signer is a contract that answers so.
    fn is_contract(&self, account: Address, digest: B256, signature: &[u8], answer: Result<Vec<u8>, Vec<u8>>) {
        self.vm.set_code(account, vec![0xfe]);
        let call = medlock_calls::isValidSignatureCall {
            digest,
            signature: signature.to_vec().into(),
        };
        self.vm.mock_static_call(account, call.abi_encode(), answer);
    }

    fn events(&self) -> Vec<IRelay::IRelayEvents> {
        self.vm
            .get_emitted_logs()
            .iter()
            .map(|(topics, data)| alloy_sol_types::SolEventInterface::decode_raw_log(topics, data).unwrap())
            .collect()
    }
}

/// One operation, what `alloy` makes of it by the ABI alone, and how it is submitted.
struct Case {
    name: &'static str,
    signer: Address,
    struct_hash: B256,
    /// For the relay of [`World`].
    digest: B256,
    to: Address,
    /// The call that it stands for.
    call: Vec<u8>,
    submit: Box<Submit>,
}

type Submit = dyn Fn(&mut Relay, Bytes) -> Result<(), Failure>;

impl Case {
    fn new<T: SolStruct>(
        operation: &T,
        signer: Address,
        to: Address,
        method: impl SolCall,
        submit: impl Fn(&mut Relay, Bytes) -> Result<(), Failure> + 'static,
    ) -> Self {
        Self::of_bytes(operation, signer, to, method.abi_encode(), submit)
    }

    fn of_bytes<T: SolStruct>(
        operation: &T,
        signer: Address,
        to: Address,
        call: Vec<u8>,
        submit: impl Fn(&mut Relay, Bytes) -> Result<(), Failure> + 'static,
    ) -> Self {
        Self {
            name: T::NAME,
            signer,
            struct_hash: operation.eip712_hash_struct(),
            digest: operation.eip712_signing_hash(&domain(CHAIN, RELAY)),
            to,
            call,
            submit: Box::new(submit),
        }
    }

    fn digest_for(&self, chain: u64, contract: Address) -> B256 {
        let separator = domain(chain, contract).separator();
        keccak256([b"\x19\x01", &separator[..], &self.struct_hash[..]].concat())
    }

    /// One of each type, of random values.
    fn all(seed: B256, signer: Address, nonce: U256, deadline: U256) -> Vec<Self> {
        let mut draw = Draw(seed);
        let open_chart = OpenChart {
            signer,
            chart: draw.word(),
            directory: draw.word(),
            nonce,
            deadline,
        };
        let set_directory = SetDirectory {
            signer,
            chart: draw.word(),
            version: draw.number() as u32,
            directory: draw.word(),
            nonce,
            deadline,
        };
        let grant = Grant {
            signer,
            chart: draw.word(),
            directoryVersion: draw.number() as u32,
            grantee: draw.address(),
            serial: draw.number() as u8,
            compartments: draw.number(),
            purposes: draw.number() as u32,
            actions: draw.number() as u8,
            notBefore: draw.number(),
            expiry: draw.number(),
            keyring: draw.word(),
            nonce,
            deadline,
        };
        let revoke = Revoke {
            signer,
            chart: draw.word(),
            grantee: draw.address(),
            version: draw.number() as u32,
            directory: draw.word(),
            keyrings: (0..draw.number() % 5)
                .map(|_| Resealed {
                    grantee: draw.address(),
                    keyring: draw.word(),
                })
                .collect(),
            nonce,
            deadline,
        };
        let revoke_all = RevokeAll {
            signer,
            chart: draw.word(),
            epoch: draw.number() as u32,
            nonce,
            deadline,
        };
        let add_records = AddRecords {
            signer,
            chart: draw.word(),
            organisation: draw.address(),
            directoryVersion: draw.number() as u32,
            records: (0..draw.number() % 5).map(|_| draw.record()).collect(),
            nonce,
            deadline,
        };
        let amend_record = AmendRecord {
            signer,
            chart: draw.word(),
            organisation: draw.address(),
            directoryVersion: draw.number() as u32,
            recordId: draw.word(),
            previous: draw.word(),
            codec: draw.number() as u8,
            pointer: draw.word(),
            nonce,
            deadline,
        };
        let enter_in_error = EnterInError {
            signer,
            chart: draw.word(),
            organisation: draw.address(),
            recordId: draw.word(),
            previous: draw.word(),
            nonce,
            deadline,
        };
        let shred_record = ShredRecord {
            signer,
            chart: draw.word(),
            recordId: draw.word(),
            nonce,
            deadline,
        };
        let set_delegate = SetDelegate {
            signer,
            chart: draw.word(),
            directoryVersion: draw.number() as u32,
            delegate: draw.address(),
            serial: draw.number() as u32,
            powers: draw.number() as u8,
            expiry: draw.number(),
            nonce,
            deadline,
        };
        let publish_key = PublishKey {
            signer,
            version: draw.number() as u32,
            suite: draw.number() as u16,
            key: (0..draw.number() % 100).map(|_| draw.number() as u8).collect(),
            nonce,
            deadline,
        };
        let ledger = [CLAIMS, SUPPLY, TRIALS][draw.number() as usize % 3];
        let ledger_call = LedgerCall {
            signer,
            ledger,
            call: draw.call_for(signer),
            nonce,
            deadline,
        };
        let set_emergency_access = SetEmergencyAccess {
            signer,
            chart: draw.word(),
            serial: draw.number() as u32,
            allowed: draw.number().is_multiple_of(2),
            nonce,
            deadline,
        };
        // An operation about an emergency is void soon.
        let soon = deadline.min(U256::from(NOW + emergency::SIGNED_S_MOST));
        let break_glass = BreakGlass {
            signer,
            chart: draw.word(),
            organisation: draw.address(),
            compartments: draw.number(),
            reasonCode: draw.number() as u16,
            nonce,
            deadline: soon,
        };
        let close_emergency = CloseEmergency {
            signer,
            chart: draw.word(),
            party: draw.address(),
            nonce,
            deadline: soon,
        };
        let set_member = SetMember {
            signer,
            member: draw.address(),
            serial: draw.number() as u32,
            expiry: draw.number(),
            nonce,
            deadline,
        };
        let remove_member = RemoveMember {
            signer,
            member: draw.address(),
            serial: draw.number() as u32,
            nonce,
            deadline,
        };
        vec![
            Self::new(
                &open_chart.clone(),
                signer,
                RECORDS,
                IRecords::openChartCall {
                    actor: signer,
                    chart: open_chart.chart,
                    directory: open_chart.directory,
                },
                move |relay, signature| relay.open_chart(words(&open_chart), signature),
            ),
            Self::new(
                &set_directory.clone(),
                signer,
                RECORDS,
                IRecords::setDirectoryCall {
                    actor: signer,
                    chart: set_directory.chart,
                    version: set_directory.version,
                    directory: set_directory.directory,
                },
                move |relay, signature| relay.set_directory(words(&set_directory), signature),
            ),
            Self::new(
                &grant.clone(),
                signer,
                RECORDS,
                IRecords::grantCall {
                    actor: signer,
                    chart: grant.chart,
                    directoryVersion: grant.directoryVersion,
                    grantee: grant.grantee,
                    serial: grant.serial,
                    terms: IRecords::GrantTerms {
                        compartments: grant.compartments,
                        purposes: grant.purposes,
                        actions: grant.actions,
                        notBefore: grant.notBefore,
                        expiry: grant.expiry,
                    },
                    keyring: grant.keyring,
                },
                move |relay, signature| relay.grant(words(&grant), signature),
            ),
            Self::new(
                &revoke.clone(),
                signer,
                RECORDS,
                IRecords::revokeCall {
                    actor: signer,
                    chart: revoke.chart,
                    grantee: revoke.grantee,
                    version: revoke.version,
                    directory: revoke.directory,
                    keyrings: revoke
                        .keyrings
                        .iter()
                        .map(|resealed| IRecords::Keyring {
                            grantee: resealed.grantee,
                            keyring: resealed.keyring,
                        })
                        .collect(),
                },
                move |relay, signature| relay.revoke(revoke.clone(), signature),
            ),
            Self::new(
                &revoke_all.clone(),
                signer,
                RECORDS,
                IRecords::revokeAllCall {
                    actor: signer,
                    chart: revoke_all.chart,
                    epoch: revoke_all.epoch,
                },
                move |relay, signature| relay.revoke_all(words(&revoke_all), signature),
            ),
            Self::new(
                &add_records.clone(),
                signer,
                RECORDS,
                IRecords::addRecordsCall {
                    actor: signer,
                    chart: add_records.chart,
                    organisation: add_records.organisation,
                    directoryVersion: add_records.directoryVersion,
                    records: add_records
                        .records
                        .iter()
                        .map(|record| IRecords::NewRecord {
                            recordId: record.recordId,
                            compartment: record.compartment,
                            codec: record.codec,
                            pointer: record.pointer,
                        })
                        .collect(),
                },
                move |relay, signature| relay.add_records(add_records.clone(), signature),
            ),
            Self::new(
                &amend_record.clone(),
                signer,
                RECORDS,
                IRecords::amendRecordCall {
                    actor: signer,
                    chart: amend_record.chart,
                    organisation: amend_record.organisation,
                    directoryVersion: amend_record.directoryVersion,
                    recordId: amend_record.recordId,
                    previous: amend_record.previous,
                    codec: amend_record.codec,
                    pointer: amend_record.pointer,
                },
                move |relay, signature| relay.amend_record(words(&amend_record), signature),
            ),
            Self::new(
                &enter_in_error.clone(),
                signer,
                RECORDS,
                IRecords::enterInErrorCall {
                    actor: signer,
                    chart: enter_in_error.chart,
                    organisation: enter_in_error.organisation,
                    recordId: enter_in_error.recordId,
                    previous: enter_in_error.previous,
                },
                move |relay, signature| relay.enter_in_error(words(&enter_in_error), signature),
            ),
            Self::new(
                &shred_record.clone(),
                signer,
                RECORDS,
                IRecords::shredRecordCall {
                    actor: signer,
                    chart: shred_record.chart,
                    recordId: shred_record.recordId,
                },
                move |relay, signature| relay.shred_record(words(&shred_record), signature),
            ),
            Self::new(
                &set_delegate.clone(),
                signer,
                EXCEPTIONS,
                IExceptions::setDelegateCall {
                    actor: signer,
                    chart: set_delegate.chart,
                    directoryVersion: set_delegate.directoryVersion,
                    delegate: set_delegate.delegate,
                    serial: set_delegate.serial,
                    powers: set_delegate.powers,
                    expiry: set_delegate.expiry,
                },
                move |relay, signature| relay.set_delegate(words(&set_delegate), signature),
            ),
            Self::new(
                &publish_key.clone(),
                signer,
                REGISTRY,
                IRegistry::publishKeyCall {
                    actor: signer,
                    version: publish_key.version,
                    suite: publish_key.suite,
                    key: publish_key.key.clone(),
                },
                move |relay, signature| relay.publish_key(publish_key.clone(), signature),
            ),
            Self::new(
                &set_emergency_access.clone(),
                signer,
                EXCEPTIONS,
                IExceptions::setEmergencyAccessCall {
                    actor: signer,
                    chart: set_emergency_access.chart,
                    serial: set_emergency_access.serial,
                    allowed: set_emergency_access.allowed,
                },
                move |relay, signature| relay.set_emergency_access(words(&set_emergency_access), signature),
            ),
            Self::new(
                &break_glass.clone(),
                signer,
                EXCEPTIONS,
                IExceptions::breakGlassCall {
                    actor: signer,
                    chart: break_glass.chart,
                    organisation: break_glass.organisation,
                    compartments: break_glass.compartments,
                    reasonCode: break_glass.reasonCode,
                },
                move |relay, signature| relay.break_glass(words(&break_glass), signature),
            ),
            Self::new(
                &close_emergency.clone(),
                signer,
                EXCEPTIONS,
                IExceptions::closeEmergencyCall {
                    actor: signer,
                    chart: close_emergency.chart,
                    party: close_emergency.party,
                },
                move |relay, signature| relay.close_emergency(words(&close_emergency), signature),
            ),
            Self::new(
                &set_member.clone(),
                signer,
                REGISTRY,
                IRegistry::setMemberCall {
                    actor: signer,
                    member: set_member.member,
                    serial: set_member.serial,
                    expiry: set_member.expiry,
                },
                move |relay, signature| relay.set_member(words(&set_member), signature),
            ),
            Self::new(
                &remove_member.clone(),
                signer,
                REGISTRY,
                IRegistry::removeMemberCall {
                    actor: signer,
                    member: remove_member.member,
                    serial: remove_member.serial,
                },
                move |relay, signature| relay.remove_member(words(&remove_member), signature),
            ),
            Self::of_bytes(
                &ledger_call.clone(),
                signer,
                ledger,
                ledger_call.call.to_vec(),
                move |relay, signature| relay.call_ledger(ledger_call.clone(), signature),
            ),
        ]
    }
}

/// Of the patient, for now, with the nonce that they begin with.
fn cases() -> Vec<Case> {
    Case::all(B256::repeat_byte(7), address(&patient()), U256::ZERO, U256::from(NOW))
}

/// Random values, all of one seed.
struct Draw(B256);

impl Draw {
    fn word(&mut self) -> B256 {
        self.0 = keccak256(self.0);
        self.0
    }

    fn address(&mut self) -> Address {
        Address::from_word(self.word())
    }

    /// Some method's selector, the account, and what may follow.
    fn call_for(&mut self, actor: Address) -> alloy_primitives::Bytes {
        let selector = self.word();
        let more = (0..self.number() % 100)
            .map(|_| self.number() as u8)
            .collect::<Vec<_>>();
        [&selector[..4], &actor.into_word()[..], &more].concat().into()
    }

    fn record(&mut self) -> NewRecord {
        NewRecord {
            recordId: self.word(),
            compartment: self.number() as u8,
            codec: self.number() as u8,
            pointer: self.word(),
        }
    }

    /// The least and the greatest among them.
    fn number(&mut self) -> u64 {
        let word = self.word();
        match word[31] % 8 {
            0 => 0,
            1 => u64::MAX,
            _ => u64::from_be_bytes(word[..8].try_into().unwrap()),
        }
    }
}

/// The operation as it comes in.
fn words<T, const N: usize>(operation: &T) -> Words<T, N>
where
    T: Operation<N> + SolType<RustType = T> + SolValue<SolType = T>,
{
    Words::abi_decode_validate(&operation.abi_encode()).unwrap()
}

fn patient() -> SigningKey {
    SigningKey::from_slice(&[0x11; 32]).unwrap()
}

fn stranger() -> SigningKey {
    SigningKey::from_slice(&[0x22; 32]).unwrap()
}

fn address(key: &SigningKey) -> Address {
    account_of(key.verifying_key())
}

fn account_of(key: &VerifyingKey) -> Address {
    Address::from_word(keccak256(&key.to_encoded_point(false).as_bytes()[1..]))
}

/// r, s, v, with the lower s.
fn sign(key: &SigningKey, digest: B256) -> Vec<u8> {
    let (signature, id) = key.sign_prehash_recoverable(&digest[..]).unwrap();
    [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat()
}

/// What ecrecover makes of it. `None`: nothing.
fn recovered(digest: B256, signature: &[u8]) -> Option<Address> {
    let id = RecoveryId::from_byte(signature[64].checked_sub(27)?)?;
    let signature = Signature::from_slice(&signature[..64]).ok()?;
    let key = VerifyingKey::recover_from_prehash(&digest[..], &signature, id).ok()?;
    Some(account_of(&key))
}

/// The other signature that fits.
fn with_high_s(signature: &[u8]) -> Vec<u8> {
    let s = ORDER - U256::from_be_slice(&signature[32..64]);
    [&signature[..32], &s.to_be_bytes::<32>()[..], &[55 - signature[64]]].concat()
}

fn bad_signature(signer: Address) -> Result<(), Failure> {
    Err(Error::from(IRelay::BadSignature { signer }).into())
}

/// The contract concerned was called with exactly what was expected, and refused; the data are of the last mock.
#[must_use]
fn is_called(result: &Result<(), Failure>) -> bool {
    matches!(result, Err(Failure::Passed(_)))
}

#[test]
fn its_neighbours_are_constants_of_its_code() {
    let vm = TestVM::new();
    let neighbours = (REGISTRY, RECORDS, EXCEPTIONS, CLAIMS, SUPPLY, TRIALS);
    assert_eq!(Relay::from(&vm).neighbours(), neighbours);
    // What lies in storage changes none of them.
    for slot in 0..4 {
        vm.set_storage(U256::from(slot), RELAYER.into_word());
    }
    assert_eq!(Relay::from(&vm).neighbours(), neighbours);
}

/// Not signed, not asked for a signature: whoever signs such a thing was made to.
#[test]
fn a_ledger_is_called_in_the_signers_name_and_nothing_else_is() {
    let key = patient();
    let signer = address(&key);
    let mut draw = Draw(B256::repeat_byte(9));
    let named = draw.call_for(signer);
    let deadline = U256::from(NOW);
    let mut attempts = vec![
        (CLAIMS, draw.call_for(RELAYER)),
        (SUPPLY, named.slice(..35)),
        (TRIALS, vec![].into()),
    ];
    for other in [REGISTRY, RECORDS, EXCEPTIONS, RELAY, ECRECOVER, Address::ZERO, signer] {
        attempts.push((other, named.clone()));
    }
    // An address with something in the bits above it is another word.
    let mut dirty = named.to_vec();
    dirty[4] = 1;
    attempts.push((CLAIMS, dirty.into()));
    for (ledger, call) in attempts {
        let mut world = World::new();
        let operation = LedgerCall {
            signer,
            ledger,
            call,
            nonce: U256::ZERO,
            deadline,
        };
        let digest = operation.eip712_signing_hash(&domain(CHAIN, RELAY));
        let signature = sign(&key, digest);
        world.recovers(digest, &signature);
        let refused = world.relay.call_ledger(operation, signature.into());
        assert_eq!(refused, Err(Error::from(IRelay::NotLedgerCall { ledger }).into()));
    }
}

#[test]
fn storage_lies_where_it_is_said_to() {
    let mut world = World::new();
    world.relay.cancel_all();
    let slot = keccak256([RELAYER.into_word(), B256::ZERO].concat());
    assert_eq!(world.vm.get_storage(slot.into()), B256::with_last_byte(1));
    let stored = world.vm.snapshot().storage;
    assert_eq!(stored.values().filter(|word| !word.is_zero()).count(), 1);
}

#[test]
fn its_domain_is_that_of_every_statement() {
    let world = World::new();
    let (fields, name, version, chain, contract, salt, extensions) = world.relay.eip712_domain();
    assert_eq!((fields, salt, extensions), (FixedBytes([0x0f]), B256::ZERO, vec![]));
    let told = alloy_sol_types::Eip712Domain::new(
        Some(name.into()),
        Some(version.into()),
        Some(chain),
        Some(contract),
        None,
    );
    assert_eq!(told, domain(CHAIN, RELAY));
}

#[test]
fn type_hashes_are_those_of_the_abi() {
    fn hash<T: SolStruct>() -> B256 {
        keccak256(T::eip712_encode_type().as_bytes())
    }
    fn check<T: Operation<N> + SolStruct, const N: usize>() {
        assert_eq!(T::TYPE.hash, hash::<T>(), "{}", T::NAME);
    }
    check::<OpenChart, 5>();
    check::<SetDirectory, 6>();
    check::<Grant, 13>();
    check::<RevokeAll, 5>();
    check::<AmendRecord, 10>();
    check::<EnterInError, 7>();
    check::<ShredRecord, 5>();
    check::<SetDelegate, 9>();
    check::<SetEmergencyAccess, 6>();
    check::<BreakGlass, 7>();
    check::<CloseEmergency, 5>();
    check::<SetMember, 6>();
    check::<RemoveMember, 5>();
    check::<CancelAll, 3>();
    // Wallets show it, and they sign five words.
    assert_eq!(
        RevokeAll::eip712_encode_type(),
        "RevokeAll(address signer,bytes32 chart,uint32 epoch,uint256 nonce,uint256 deadline)"
    );
    assert_eq!(eip712::REVOKE_HASH, hash::<Revoke>());
    assert_eq!(eip712::ADD_RECORDS_HASH, hash::<AddRecords>());
    assert_eq!(eip712::PUBLISH_KEY_HASH, hash::<PublishKey>());
    assert_eq!(eip712::LEDGER_CALL_HASH, hash::<LedgerCall>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// `Case` holds the digest and the call as `alloy` makes them.
    #[test]
    fn what_was_signed_is_called_and_nothing_else(seed: [u8; 32]) {
        let key = patient();
        let deadline = U256::from(NOW) + (U256::from_be_bytes(seed) >> 1);
        for case in Case::all(seed.into(), address(&key), U256::ZERO, deadline) {
            let mut world = World::new();
            prop_assert_eq!(world.submit(&case, &key), Ok(()), "{}", case.name);
            world.expects_call(&case);
            prop_assert!(is_called(&world.submit(&case, &key)), "{}", case.name);
        }
    }

    #[test]
    fn operations_of_words_hash_as_alloy_hashes_them(seed: [u8; 32], chain: u64) {
        let mut draw = Draw(seed.into());
        let operation = CancelAll { signer: draw.address(), nonce: draw.word().into(), deadline: draw.word().into() };
        let relay = draw.address();
        let signed = words(&operation).signed();
        prop_assert_eq!((signed.signer, signed.nonce, signed.deadline), (operation.signer, operation.nonce, operation.deadline));
        let digest = signed.digest(&|bytes| keccak256(bytes), chain, relay);
        prop_assert_eq!(digest, operation.eip712_signing_hash(&domain(chain, relay)));
    }

    /// A word is taken exactly where it is a value of the member's type.
    #[test]
    fn words_are_taken_where_the_struct_would_be(seed: [u8; 32], at in 0..13usize, byte in 0..32usize, value: u8) {
        let mut encoded = vec![0; 13 * 32];
        encoded[32..64].copy_from_slice(&seed);
        encoded[at * 32 + byte] = value;
        let taken = Words::<Grant, 13>::abi_decode_validate(&encoded);
        prop_assert_eq!(taken.is_ok(), <Grant as SolType>::abi_decode_validate(&encoded).is_ok());
    }

    /// The same, with a truth value among them.
    #[test]
    fn words_of_truth_are_taken_where_the_struct_would_be(at in 0..6usize, byte in 0..32usize, value: u8) {
        let mut encoded = vec![0; 6 * 32];
        encoded[at * 32 + byte] = value;
        let taken = Words::<SetEmergencyAccess, 6>::abi_decode_validate(&encoded);
        prop_assert_eq!(taken.is_ok(), <SetEmergencyAccess as SolType>::abi_decode_validate(&encoded).is_ok());
    }
}

#[test]
fn words_stand_for_the_struct_in_every_selector() {
    use stylus_sdk::function_selector as selector;
    for (given, declared) in [
        (
            selector!("openChart", Words<OpenChart, 5>, Bytes),
            IRelay::openChartCall::SELECTOR,
        ),
        (
            selector!("setDirectory", Words<SetDirectory, 6>, Bytes),
            IRelay::setDirectoryCall::SELECTOR,
        ),
        (selector!("grant", Words<Grant, 13>, Bytes), IRelay::grantCall::SELECTOR),
        (selector!("revoke", Revoke, Bytes), IRelay::revokeCall::SELECTOR),
        (
            selector!("revokeAll", Words<RevokeAll, 5>, Bytes),
            IRelay::revokeAllCall::SELECTOR,
        ),
        (
            selector!("addRecords", AddRecords, Bytes),
            IRelay::addRecordsCall::SELECTOR,
        ),
        (
            selector!("amendRecord", Words<AmendRecord, 10>, Bytes),
            IRelay::amendRecordCall::SELECTOR,
        ),
        (
            selector!("enterInError", Words<EnterInError, 7>, Bytes),
            IRelay::enterInErrorCall::SELECTOR,
        ),
        (
            selector!("shredRecord", Words<ShredRecord, 5>, Bytes),
            IRelay::shredRecordCall::SELECTOR,
        ),
        (
            selector!("setDelegate", Words<SetDelegate, 9>, Bytes),
            IRelay::setDelegateCall::SELECTOR,
        ),
        (
            selector!("publishKey", PublishKey, Bytes),
            IRelay::publishKeyCall::SELECTOR,
        ),
        (
            selector!("setEmergencyAccess", Words<SetEmergencyAccess, 6>, Bytes),
            IRelay::setEmergencyAccessCall::SELECTOR,
        ),
        (
            selector!("breakGlass", Words<BreakGlass, 7>, Bytes),
            IRelay::breakGlassCall::SELECTOR,
        ),
        (
            selector!("closeEmergency", Words<CloseEmergency, 5>, Bytes),
            IRelay::closeEmergencyCall::SELECTOR,
        ),
        (
            selector!("setMember", Words<SetMember, 6>, Bytes),
            IRelay::setMemberCall::SELECTOR,
        ),
        (
            selector!("removeMember", Words<RemoveMember, 5>, Bytes),
            IRelay::removeMemberCall::SELECTOR,
        ),
        (
            selector!("callLedger", LedgerCall, Bytes),
            IRelay::callLedgerCall::SELECTOR,
        ),
        (
            selector!("cancelAllBySignature", Words<CancelAll, 3>, Bytes),
            IRelay::cancelAllBySignatureCall::SELECTOR,
        ),
    ] {
        assert_eq!(given, declared);
    }
}

#[test]
fn revert_data_are_passed_on_unchanged() {
    let mut world = World::new();
    let data = IRecords::GrantSerial { given: 1, current: 2 };
    let reverted = alloy_sol_types::SolError::abi_encode(&data);
    world
        .vm
        .mock_call(RECORDS, vec![1, 2, 3], U256::ZERO, Err(reverted.clone()));
    let failure = world.relay.send_encoded(RECORDS, &[1, 2, 3]).unwrap_err();
    assert_eq!(Vec::from(failure), reverted);
    // Nothing at all is passed on as nothing.
    world.vm.mock_call(RECORDS, vec![1, 2, 3], U256::ZERO, Err(vec![]));
    let failure = world.relay.send_encoded(RECORDS, &[1, 2, 3]).unwrap_err();
    assert_eq!(Vec::from(failure), Vec::<u8>::new());
}

#[test]
fn an_operation_is_good_until_the_second_of_its_deadline() {
    let mut world = World::new();
    for case in cases() {
        world.vm.set_block_timestamp(NOW);
        assert_eq!(world.submit(&case, &patient()), Ok(()), "{}", case.name);
        world.vm.set_block_timestamp(NOW + 1);
        let expired = IRelay::SignatureExpired {
            deadline: U256::from(NOW),
            now: U256::from(NOW + 1),
        };
        assert_eq!(
            world.submit(&case, &patient()),
            Err(Error::from(expired).into()),
            "{}",
            case.name
        );
    }
}

#[test]
fn a_deadline_of_all_others_may_be_as_late_as_it_likes() {
    let mut world = World::new();
    for case in Case::all(B256::ZERO, address(&patient()), U256::ZERO, U256::MAX) {
        assert_eq!(world.submit(&case, &patient()), Ok(()), "{}", case.name);
    }
}

/// Whoever has seen a signed emergency must not open or close the next one with it.
#[test]
fn attack_replay_of_an_emergency_when_the_next_may_begin() {
    let mut world = World::new();
    let signer = address(&patient());
    let most = U256::from(NOW + emergency::SIGNED_S_MOST);
    let far = most + U256::ONE;
    let opening = BreakGlass {
        signer,
        chart: B256::with_last_byte(1),
        organisation: Address::ZERO,
        compartments: 1,
        reasonCode: emergency::OTHER,
        nonce: U256::ZERO,
        deadline: far,
    };
    let closing = CloseEmergency {
        signer,
        chart: B256::with_last_byte(1),
        party: signer,
        nonce: U256::ZERO,
        deadline: far,
    };
    let too_far = Err(Error::from(IRelay::DeadlineTooFar { deadline: far, most }).into());
    let signature = |digest| Bytes::from(sign(&patient(), digest));
    let domain = domain(CHAIN, RELAY);
    let signed = signature(opening.eip712_signing_hash(&domain));
    assert_eq!(world.relay.break_glass(words(&opening), signed), too_far);
    let signed = signature(closing.eip712_signing_hash(&domain));
    assert_eq!(world.relay.close_emergency(words(&closing), signed), too_far);
    // An emergency ends before four hours are over, and the next begins a day after it began.
    assert_eq!(emergency::OPEN_S + emergency::SIGNED_S_MOST, emergency::AGAIN_S);
}

#[test]
fn attack_replay_after_cancel_all() {
    let mut world = World::new();
    let signer = address(&patient());
    world.vm.set_sender(signer);
    world.relay.cancel_all();
    assert_eq!(world.relay.nonce_of(signer), U256::ONE);
    assert_eq!(world.relay.nonce_of(RELAYER), U256::ZERO);
    let cancelled = IRelay::SignatureCancelled {
        nonce: U256::ZERO,
        current: U256::ONE,
    };
    for case in cases() {
        world.expects_call(&case);
        assert_eq!(
            world.submit(&case, &patient()),
            Err(Error::from(cancelled.clone()).into()),
            "{}",
            case.name
        );
    }
    for case in Case::all(B256::ZERO, signer, U256::ONE, U256::MAX) {
        assert_eq!(world.submit(&case, &patient()), Ok(()), "{}", case.name);
    }
    // Nor is one from the future any good.
    for case in Case::all(B256::ZERO, signer, U256::from(2), U256::MAX) {
        assert!(world.submit(&case, &patient()).is_err(), "{}", case.name);
    }
    let events = world.events();
    assert!(matches!(
        &events[..],
        [IRelay::IRelayEvents::Cancelled(event)]
            if event.signer == signer && event.nonce == U256::ONE
    ));
}

#[test]
fn cancels_all_by_signature_once() {
    let mut world = World::new();
    let key = patient();
    let operation = CancelAll {
        signer: address(&key),
        nonce: U256::ZERO,
        deadline: U256::from(NOW),
    };
    let digest = operation.eip712_signing_hash(&domain(CHAIN, RELAY));
    let signature = sign(&key, digest);
    world.recovers(digest, &signature);
    let by = |world: &mut World, signature: &[u8]| {
        world
            .relay
            .cancel_all_by_signature(words(&operation), signature.to_vec().into())
    };
    assert_eq!(
        by(&mut world, &with_high_s(&signature)),
        Err(IRelay::BadSignature { signer: address(&key) }.into())
    );
    assert_eq!(by(&mut world, &signature), Ok(()));
    assert_eq!(world.relay.nonce_of(address(&key)), U256::ONE);
    assert_eq!(world.relay.nonce_of(RELAYER), U256::ZERO);
    let cancelled = IRelay::SignatureCancelled {
        nonce: U256::ZERO,
        current: U256::ONE,
    };
    assert_eq!(by(&mut world, &signature), Err(cancelled.into()));
    assert_eq!(world.relay.nonce_of(address(&key)), U256::ONE);
    assert_eq!(world.events().len(), 1);
}

#[test]
fn nothing_is_used_up_so_a_call_that_failed_may_be_submitted_again() {
    let mut world = World::new();
    for case in cases() {
        let before = world.vm.snapshot().storage;
        world.expects_call(&case);
        assert!(is_called(&world.submit(&case, &patient())), "{}", case.name);
        assert!(is_called(&world.submit(&case, &patient())), "{}", case.name);
        assert_eq!(world.vm.snapshot().storage, before);
    }
}

#[test]
fn attack_signature_for_another_chain_or_contract() {
    for case in cases() {
        for (chain, contract) in [(CHAIN + 1, RELAY), (CHAIN, RECORDS)] {
            let mut world = World::new();
            world.expects_call(&case);
            world.vm.set_chain_id(chain);
            world.vm.set_contract_address(contract);
            let hashed = case.digest_for(chain, contract);
            // Of the signer, for this very operation, but there it is read as somebody else's.
            let signature = sign(&patient(), case.digest);
            world.recovers(hashed, &signature);
            let result = (case.submit)(&mut world.relay, signature.into());
            assert_eq!(result, bad_signature(case.signer), "{}", case.name);
            // Signed for there, it is good there.
            let signature = sign(&patient(), hashed);
            world.recovers(hashed, &signature);
            assert!(is_called(&(case.submit)(&mut world.relay, signature.into())));
        }
    }
}

#[test]
fn attack_signature_of_somebody_else() {
    let mut world = World::new();
    for case in cases() {
        world.expects_call(&case);
        assert_eq!(
            world.submit(&case, &stranger()),
            bad_signature(case.signer),
            "{}",
            case.name
        );
    }
}

#[test]
fn attack_malleable_signature() {
    let mut world = World::new();
    for case in cases() {
        world.expects_call(&case);
        let high = with_high_s(&sign(&patient(), case.digest));
        // ecrecover itself takes both.
        world
            .vm
            .mock_static_call(ECRECOVER, vec![], Ok(case.signer.into_word().to_vec()));
        assert_eq!(
            (case.submit)(&mut world.relay, high.into()),
            bad_signature(case.signer),
            "{}",
            case.name
        );
    }
}

#[test]
fn attack_v_that_is_neither_27_nor_28() {
    let mut world = World::new();
    let case = &cases()[0];
    let good = sign(&patient(), case.digest);
    world
        .vm
        .mock_static_call(ECRECOVER, vec![], Ok(case.signer.into_word().to_vec()));
    for v in (0..=u8::MAX).filter(|v| !matches!(v, 27 | 28)) {
        let mut signature = good.clone();
        signature[64] = v;
        assert_eq!(
            (case.submit)(&mut world.relay, signature.into()),
            bad_signature(case.signer),
            "{v}"
        );
    }
}

#[test]
fn attack_signature_of_another_length() {
    let mut world = World::new();
    let case = &cases()[0];
    let good = sign(&patient(), case.digest);
    world
        .vm
        .mock_static_call(ECRECOVER, vec![], Ok(case.signer.into_word().to_vec()));
    // 64 bytes: compact (EIP-2098), v in the highest bit of s.
    let mut compact = good[..64].to_vec();
    compact[32] |= (good[64] - 27) << 7;
    let longer = [&good[..], &[0]].concat();
    for signature in [
        compact,
        longer,
        good[..63].to_vec(),
        vec![],
        vec![0; 32],
        vec![0xff; 640],
    ] {
        assert_eq!(
            (case.submit)(&mut world.relay, signature.clone().into()),
            bad_signature(case.signer),
            "{} bytes",
            signature.len()
        );
    }
}

#[test]
fn attack_zero_signer() {
    let mut world = World::new();
    for case in Case::all(B256::ZERO, Address::ZERO, U256::ZERO, U256::MAX) {
        world.expects_call(&case);
        // What ecrecover answers where it finds nobody, and what a contract that takes its empty answer for zero would see.
        for answer in [vec![], vec![0; 32]] {
            world.vm.mock_static_call(ECRECOVER, vec![], Ok(answer));
            let result = (case.submit)(&mut world.relay, sign(&patient(), case.digest).into());
            assert_eq!(result, bad_signature(Address::ZERO), "{}", case.name);
        }
    }
}

#[test]
fn asks_an_account_with_code_and_only_it() {
    let magic = medlock_calls::isValidSignatureCall::SELECTOR;
    let word = [&magic[..], &[0; 28]].concat();
    for case in Case::all(B256::ZERO, WALLET, U256::ZERO, U256::MAX) {
        let mut world = World::new();
        world.expects_call(&case);
        // Whatever it takes for a signature: here of any length, an empty one too.
        for length in [0, 1, 65, 200] {
            let signature = vec![0x5a; length];
            world.is_contract(WALLET, case.digest, &signature, Ok(word.clone()));
            let result = (case.submit)(&mut world.relay, signature.into());
            assert!(is_called(&result), "{}, {length} bytes", case.name);
        }
    }
}

#[test]
fn attack_account_that_reverts_or_answers_otherwise() {
    let magic = medlock_calls::isValidSignatureCall::SELECTOR;
    let word = [&magic[..], &[0; 28]].concat();
    let mut dirty = word.clone();
    dirty[31] = 1;
    let answers = [
        ("reverts with the magic value", Err(word.clone())),
        ("reverts without data", Err(vec![])),
        ("wrong magic", Ok([&[0xff; 4][..], &[0; 28]].concat())),
        ("true", Ok(B256::with_last_byte(1).to_vec())),
        ("right-aligned", Ok([&[0; 28][..], &magic].concat())),
        ("4 bytes", Ok(magic.to_vec())),
        ("31 bytes", Ok(word[..31].to_vec())),
        ("33 bytes", Ok([&word[..], &[0]].concat())),
        ("64 bytes", Ok([&word[..], &[0; 32]].concat())),
        ("padding that is not zero", Ok(dirty)),
        ("nothing", Ok(vec![])),
    ];
    for (what, answer) in answers {
        let mut world = World::new();
        for case in Case::all(B256::ZERO, WALLET, U256::ZERO, U256::MAX) {
            world.expects_call(&case);
            world.is_contract(WALLET, case.digest, &[1], answer.clone());
            assert_eq!(
                (case.submit)(&mut world.relay, vec![1].into()),
                bad_signature(WALLET),
                "{what}, {}",
                case.name
            );
        }
    }
}

#[test]
fn attack_key_of_an_account_that_has_code_by_now() {
    // An account that has code answers for itself: what its old key signs is for the code to judge (EIP-7702).
    let mut world = World::new();
    let case = &cases()[0];
    let signature = sign(&patient(), case.digest);
    world.is_contract(case.signer, case.digest, &signature, Err(vec![]));
    world.recovers(case.digest, &signature);
    world.is_contract(case.signer, case.digest, &signature, Err(vec![]));
    assert_eq!(
        (case.submit)(&mut world.relay, signature.into()),
        bad_signature(case.signer)
    );
}

#[test]
fn refuses_more_than_records_takes_before_it_hashes_them() {
    let mut world = World::new();
    let refused = IRelay::BatchSize {
        given: BATCH_MOST as u32 + 1,
        most: BATCH_MOST as u32,
    };
    let resealed = Resealed {
        grantee: WALLET,
        keyring: B256::repeat_byte(1),
    };
    let of = |count: usize| Revoke {
        signer: address(&patient()),
        chart: B256::repeat_byte(2),
        grantee: RELAYER,
        version: 2,
        directory: B256::repeat_byte(3),
        keyrings: vec![resealed.clone(); count],
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    assert_eq!(
        world.relay.revoke(of(BATCH_MOST + 1), Bytes::new()),
        Err(Error::from(refused.clone()).into())
    );
    let most = of(BATCH_MOST);
    let digest = most.eip712_signing_hash(&domain(CHAIN, RELAY));
    let signature = sign(&patient(), digest);
    world.recovers(digest, &signature);
    assert_eq!(world.relay.revoke(most, signature.into()), Ok(()));

    let record = Draw(B256::ZERO).record();
    let of = |count: usize| AddRecords {
        signer: address(&patient()),
        chart: B256::repeat_byte(2),
        organisation: Address::ZERO,
        directoryVersion: 1,
        records: vec![record.clone(); count],
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    assert_eq!(
        world.relay.add_records(of(BATCH_MOST + 1), Bytes::new()),
        Err(Error::from(refused).into())
    );
    let most = of(BATCH_MOST);
    let digest = most.eip712_signing_hash(&domain(CHAIN, RELAY));
    let signature = sign(&patient(), digest);
    world.recovers(digest, &signature);
    assert_eq!(world.relay.add_records(most, signature.into()), Ok(()));
}

/// What a passkey states is tested in `webauthn`; here, that the contract asks the precompile, and believes exactly its yes.
#[test]
fn takes_a_passkey_where_the_precompile_says_yes() {
    let p256 = Address::from_word(B256::from(U256::from(0x100)));
    let (x, y) = (B256::repeat_byte(0x31), B256::repeat_byte(0x32));
    let (r, s) = (B256::repeat_byte(0x33), B256::repeat_byte(0x34));
    let account = Address::from_word(keccak256([x, y].concat()));
    let yes = B256::with_last_byte(1);
    for case in Case::all(B256::ZERO, account, U256::ZERO, U256::MAX) {
        let challenge = webauthn::base64url(case.digest);
        let challenge = core::str::from_utf8(&challenge).unwrap();
        let assertion = WebAuthn {
            authenticatorData: [&[0; 32][..], &[5, 0, 0, 0, 1]].concat().into(),
            clientDataJson: std::format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"x"}}"#),
            r,
            s,
            x,
            y,
        };
        let signature = Bytes::from(assertion.abi_encode());
        let mut world = World::new();
        world.expects_call(&case);
        // The test VM answers sha256 with the same word.
        let input = [yes, r, s, x, y].concat();
        world.vm.mock_static_call(p256, input.clone(), Ok(yes.to_vec()));
        assert!(
            is_called(&(case.submit)(&mut world.relay, signature.clone())),
            "{}",
            case.name
        );

        for no in [
            Err(yes.to_vec()),
            Ok(vec![]),
            Ok(vec![0; 32]),
            Ok(vec![1]),
            Ok(B256::repeat_byte(1).to_vec()),
        ] {
            let mut world = World::new();
            let word = no.clone().unwrap_or_else(|data| data);
            if let Ok(hash) = B256::try_from(&word[..]) {
                let input = [hash, r, s, x, y].concat();
                world.vm.mock_static_call(p256, input, no);
            }
            let result = (case.submit)(&mut world.relay, signature.clone());
            assert_eq!(result, bad_signature(account), "{}", case.name);
        }

        // Of another account, of another operation, cut off.
        let mut world = World::new();
        world.vm.mock_static_call(p256, input, Ok(yes.to_vec()));
        for (at, byte) in [(32 * 6 + 5, 0xff), (32 * 4, 0xff), (signature.len() - 32 * 3, 0xff)] {
            let mut changed = signature.to_vec();
            changed[at] ^= byte;
            let result = (case.submit)(&mut world.relay, changed.into());
            assert_eq!(result, bad_signature(account), "{}, byte {at}", case.name);
        }
        let cut = signature.slice(..signature.len() - 32);
        assert_eq!((case.submit)(&mut world.relay, cut), bad_signature(account));
    }
}
