use alloy_primitives::{FixedBytes, U256, keccak256};
use medlock_abi::{registry::IRegistry::IRegistryEvents, terms::role};
use stylus_sdk::testing::TestVM;

use super::*;

const OWNER: Address = Address::repeat_byte(0x01);
const ISSUER: Address = Address::repeat_byte(0x02);
const OTHER_ISSUER: Address = Address::repeat_byte(0x03);
const CLINIC: Address = Address::repeat_byte(0x04);
const STRANGER: Address = Address::repeat_byte(0x05);
const NOW: u64 = 1_800_000_000;
const DOCUMENT: B256 = FixedBytes::repeat_byte(0xd0);
const CLINIC_ROLES: u64 = role::ORGANISATION | role::PROVIDER;

/// An initialised registry with two issuers.
struct World {
    vm: TestVM,
    registry: Registry,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        let registry = Registry::from(&vm);
        let mut world = Self { vm, registry };
        world.by(OWNER).initialize(OWNER).unwrap();
        world.by(OWNER).set_issuer(ISSUER, true).unwrap();
        world.by(OWNER).set_issuer(OTHER_ISSUER, true).unwrap();
        world
    }

    /// The contract, called by `sender`.
    fn by(&mut self, sender: Address) -> &mut Registry {
        self.vm.set_sender(sender);
        &mut self.registry
    }

    fn issue(&mut self, expiry: u64) {
        self.by(ISSUER)
            .issue_credential(CLINIC, CLINIC_ROLES, expiry, DOCUMENT)
            .unwrap();
    }

    fn last_event(&self) -> IRegistryEvents {
        let (topics, data) = self.vm.get_emitted_logs().pop().unwrap();
        alloy_sol_types::SolEventInterface::decode_raw_log(&topics, &data).unwrap()
    }
}

#[test]
fn initialize_works_once_and_never_with_zero() {
    let vm = TestVM::new();
    let mut registry = Registry::from(&vm);
    assert_eq!(
        registry.initialize(Address::ZERO),
        Err(IRegistry::ZeroAddress {}.into())
    );
    registry.initialize(OWNER).unwrap();
    vm.set_sender(OWNER);
    assert_eq!(
        registry.initialize(STRANGER),
        Err(IRegistry::AlreadyInitialized {}.into())
    );
    assert_eq!(registry.owner(), OWNER);
}

#[test]
fn ownership_moves_in_two_steps_and_only_by_those_named() {
    let mut world = World::new();
    assert_eq!(
        world.by(STRANGER).transfer_ownership(STRANGER),
        Err(IRegistry::NotOwner { caller: STRANGER }.into())
    );
    assert_eq!(
        world.by(OWNER).transfer_ownership(Address::ZERO),
        Err(IRegistry::ZeroAddress {}.into())
    );
    // Nobody is pending: not even the zero address may accept.
    assert_eq!(
        world.by(Address::ZERO).accept_ownership(),
        Err(IRegistry::NotPendingOwner { caller: Address::ZERO }.into())
    );
    world.by(OWNER).transfer_ownership(CLINIC).unwrap();
    assert_eq!(world.registry.owner(), OWNER);
    assert_eq!(world.registry.pending_owner(), CLINIC);
    assert_eq!(
        world.by(STRANGER).accept_ownership(),
        Err(IRegistry::NotPendingOwner { caller: STRANGER }.into())
    );
    world.by(CLINIC).accept_ownership().unwrap();
    assert_eq!(world.registry.owner(), CLINIC);
    assert_eq!(world.registry.pending_owner(), Address::ZERO);
    assert_eq!(
        world.last_event(),
        IRegistryEvents::OwnershipTransferred(IRegistry::OwnershipTransferred {
            previous: OWNER,
            owner: CLINIC
        })
    );
    assert_eq!(
        world.by(OWNER).set_issuer(ISSUER, false),
        Err(IRegistry::NotOwner { caller: OWNER }.into())
    );
}

#[test]
fn only_active_issuers_issue_and_only_sound_credentials() {
    let mut world = World::new();
    let mut issue = |sender, party, roles, expiry| world.by(sender).issue_credential(party, roles, expiry, DOCUMENT);
    assert_eq!(
        issue(OWNER, CLINIC, 1, 0),
        Err(IRegistry::NotIssuer { caller: OWNER }.into())
    );
    assert_eq!(
        issue(ISSUER, Address::ZERO, 1, 0),
        Err(IRegistry::ZeroAddress {}.into())
    );
    assert_eq!(issue(ISSUER, CLINIC, 0, 0), Err(IRegistry::NoRoles {}.into()));
    assert_eq!(
        issue(ISSUER, CLINIC, 1, NOW),
        Err(IRegistry::ExpiryInPast { expiry: NOW, now: NOW }.into())
    );
    assert_eq!(
        issue(ISSUER, CLINIC, 1, TIME_MOST + 1),
        Err(IRegistry::TimeTooLarge { time: TIME_MOST + 1 }.into())
    );
    issue(ISSUER, CLINIC, CLINIC_ROLES, TIME_MOST).unwrap();
    assert_eq!(
        world.registry.credential_of(CLINIC),
        (ISSUER, CLINIC_ROLES, NOW, TIME_MOST, DOCUMENT, true)
    );
    assert_eq!(
        world.last_event(),
        IRegistryEvents::CredentialIssued(IRegistry::CredentialIssued {
            party: CLINIC,
            issuer: ISSUER,
            roles: CLINIC_ROLES,
            expiry: TIME_MOST,
            document: DOCUMENT
        })
    );
}

#[test]
fn has_roles_wants_every_bit_and_a_current_credential() {
    let mut world = World::new();
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
    assert!(!world.registry.has_roles(CLINIC, 0));
    world.issue(NOW + 10);
    assert!(world.registry.has_roles(CLINIC, CLINIC_ROLES));
    assert!(world.registry.has_roles(CLINIC, role::PROVIDER));
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER | role::INSURER));
    world.vm.set_block_timestamp(NOW + 9);
    assert!(world.registry.has_roles(CLINIC, role::PROVIDER));
    world.vm.set_block_timestamp(NOW + 10);
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
}

#[test]
fn a_dismissed_issuers_credentials_end_and_come_back_with_it() {
    let mut world = World::new();
    world.issue(0);
    world.by(OWNER).set_issuer(ISSUER, false).unwrap();
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
    assert!(!world.registry.credential_of(CLINIC).5);
    world.by(OWNER).set_issuer(ISSUER, true).unwrap();
    assert!(world.registry.has_roles(CLINIC, role::PROVIDER));
}

#[test]
fn another_issuer_replaces_a_credential_only_once_it_has_ended() {
    let mut world = World::new();
    world.issue(NOW + 10);
    let other = |world: &mut World| {
        world
            .by(OTHER_ISSUER)
            .issue_credential(CLINIC, role::INSURER, 0, DOCUMENT)
    };
    assert_eq!(
        other(&mut world),
        Err(IRegistry::NotCredentialIssuer {
            caller: OTHER_ISSUER,
            issuer: ISSUER
        }
        .into())
    );
    // Its own issuer may at any time.
    world.issue(NOW + 20);
    world.vm.set_block_timestamp(NOW + 20);
    other(&mut world).unwrap();
    assert_eq!(world.registry.credential_of(CLINIC).0, OTHER_ISSUER);
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
}

#[test]
fn a_credential_is_revoked_by_its_issuer_or_the_owner_and_once() {
    let mut world = World::new();
    assert_eq!(
        world.by(ISSUER).revoke_credential(CLINIC),
        Err(IRegistry::NoCredential { party: CLINIC }.into())
    );
    world.issue(0);
    for caller in [OTHER_ISSUER, CLINIC, STRANGER] {
        assert_eq!(
            world.by(caller).revoke_credential(CLINIC),
            Err(IRegistry::NotCredentialIssuer { caller, issuer: ISSUER }.into())
        );
    }
    world.by(OWNER).revoke_credential(CLINIC).unwrap();
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
    assert_eq!(
        world.registry.credential_of(CLINIC),
        (ISSUER, CLINIC_ROLES, NOW, 0, DOCUMENT, false)
    );
    assert_eq!(
        world.by(ISSUER).revoke_credential(CLINIC),
        Err(IRegistry::NoCredential { party: CLINIC }.into())
    );
    world.issue(0);
    world.by(ISSUER).revoke_credential(CLINIC).unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::CredentialRevoked(IRegistry::CredentialRevoked {
            party: CLINIC,
            by: ISSUER
        })
    );
}

#[test]
fn a_published_key_is_its_callers_and_each_has_the_next_version() {
    let mut world = World::new();
    let key = |byte: u8, length: usize| Bytes::from(vec![byte; length]);
    assert_eq!(
        world.by(CLINIC).publish_key(2, key(1, 32)),
        Err(IRegistry::UnknownSuite { suite: 2 }.into())
    );
    for length in [0, 31, 33] {
        assert_eq!(
            world.by(CLINIC).publish_key(suite::X25519, key(1, length)),
            Err(IRegistry::KeyLength {
                suite: suite::X25519,
                length: U256::from(length)
            }
            .into())
        );
    }
    assert_eq!(world.registry.key_of(CLINIC).0, 0);
    for version in 1..=2u8 {
        let time = NOW + u64::from(version);
        world.vm.set_block_timestamp(time);
        assert_eq!(
            world.by(CLINIC).publish_key(suite::X25519, key(version, 32)),
            Ok(u32::from(version))
        );
        assert_eq!(
            world.registry.key_of(CLINIC),
            (u32::from(version), suite::X25519, time, keccak256([version; 32]))
        );
        assert_eq!(
            world.last_event(),
            IRegistryEvents::KeyPublished(IRegistry::KeyPublished {
                party: CLINIC,
                version: u32::from(version),
                suite: suite::X25519,
                key: vec![version; 32].into()
            })
        );
    }
    assert_eq!(world.registry.key_of(STRANGER).0, 0);
}

#[test]
fn packed_words_give_back_what_went_in() {
    for revoked in [false, true] {
        let head = CredentialHead {
            issuer: ISSUER,
            issued_at: TIME_MOST,
            expiry: TIME_MOST - 1,
            revoked,
        };
        assert_eq!(CredentialHead::from_word(head.to_word()), head);
    }
    let head = KeyHead {
        version: u32::MAX - 1,
        suite: u16::MAX - 1,
        valid_from: TIME_MOST - 1,
    };
    assert_eq!(KeyHead::from_word(head.to_word()), head);
}

/// Proofs of storage (`eth_getProof`) are read by this layout: that of README.md.
#[test]
fn storage_lies_where_solidity_would_put_it() {
    let slot = |n: u8| U256::from(n);
    let entry = |key: Address, slot: u8| {
        U256::from_be_bytes(keccak256([key.into_word(), B256::with_last_byte(slot)].concat()).0)
    };
    let mut world = World::new();
    world.issue(0);
    world
        .by(CLINIC)
        .publish_key(suite::X25519, Bytes::from(vec![1; 32]))
        .unwrap();
    world.by(OWNER).transfer_ownership(CLINIC).unwrap();
    let read = |slot: U256| world.vm.get_storage(slot);

    assert_eq!(read(slot(0)), OWNER.into_word());
    assert_eq!(read(slot(1)), CLINIC.into_word());
    assert_eq!(read(entry(ISSUER, 2)), B256::with_last_byte(1));
    let credential = entry(CLINIC, 3);
    assert_eq!(CredentialHead::from_word(read(credential)).issuer, ISSUER);
    assert_eq!(read(credential + slot(1)), B256::from(U256::from(CLINIC_ROLES)));
    assert_eq!(read(credential + slot(2)), DOCUMENT);
    let key = entry(CLINIC, 4);
    assert_eq!(KeyHead::from_word(read(key)).version, 1);
    assert_eq!(read(key + slot(1)), keccak256([1; 32]));
}
