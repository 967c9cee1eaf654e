use alloy_primitives::{FixedBytes, U256, keccak256};
use medlock_abi::registry::IRegistry::IRegistryEvents;
use stylus_sdk::testing::TestVM;

use super::*;

mod history;

/// The first.
const OWNER: Address = Address::new(link::OWNER);
const ISSUER: Address = Address::repeat_byte(0x02);
const OTHER_ISSUER: Address = Address::repeat_byte(0x03);
const CLINIC: Address = Address::repeat_byte(0x04);
const STRANGER: Address = Address::repeat_byte(0x05);
const NURSE: Address = Address::repeat_byte(0x06);
const RELAY: Address = Address::new(link::RELAY);
const NOW: u64 = 1_800_000_000;
const DOCUMENT: B256 = FixedBytes::repeat_byte(0xd0);
const CLINIC_ROLES: u64 = role::ORGANISATION | role::PROVIDER;

/// A registry with two issuers.
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
        world.by(OWNER).set_issuer(ISSUER, true).unwrap();
        world.by(OWNER).set_issuer(OTHER_ISSUER, true).unwrap();
        world
    }

    /// The contract, called by `sender`.
    fn by(&mut self, sender: Address) -> &mut Registry {
        self.vm.set_sender(sender);
        &mut self.registry
    }

    fn at(&self, now: u64) {
        self.vm.set_block_timestamp(now);
    }

    /// For the organisation itself, who has read what stands.
    fn set_member(&mut self, organisation: Address, member: Address, expiry: u64) -> Result<(), Error> {
        let serial = self.registry.member_of(organisation, member).3;
        self.by(organisation).set_member(organisation, member, serial, expiry)
    }

    fn remove_member(&mut self, organisation: Address, member: Address) -> Result<(), Error> {
        let serial = self.registry.member_of(organisation, member).3;
        self.by(organisation).remove_member(organisation, member, serial)
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

/// Nobody has to call anything first: the owner of a new registry owns it, and nobody else does.
#[test]
fn first_owner_and_relay_are_constants_of_its_code() {
    let vm = TestVM::new();
    vm.set_block_timestamp(NOW);
    let registry = Registry::from(&vm);
    assert_eq!((registry.owner(), registry.relay()), (OWNER, RELAY));
    assert_eq!(registry.pending_owner(), Address::ZERO);
    let mut world = World { vm, registry };
    for caller in [STRANGER, RELAY, Address::new(link::REGISTRY), Address::ZERO] {
        let not_owner = || Err(IRegistry::NotOwner { caller }.into());
        assert_eq!(world.by(caller).set_issuer(caller, true), not_owner());
        assert_eq!(world.by(caller).transfer_ownership(caller), not_owner());
        assert_eq!(
            world.by(caller).accept_ownership(),
            Err(IRegistry::NotPendingOwner { caller }.into())
        );
    }
    assert!(world.vm.get_emitted_logs().is_empty());
    world.by(OWNER).set_issuer(ISSUER, true).unwrap();
    // What lies in other slots changes neither.
    for slot in 7..10 {
        world.vm.set_storage(U256::from(slot), STRANGER.into_word());
    }
    assert_eq!((world.registry.owner(), world.registry.relay()), (OWNER, RELAY));
}

/// Zero in the owner's slot is the first owner, and never comes back once there was another.
#[test]
fn the_first_owner_passes_ownership_on_in_two_steps_and_has_no_rights_afterwards() {
    let mut world = World::new();
    world.issue(0);
    let slot = |world: &World| world.vm.get_storage(U256::ZERO);
    assert_eq!(slot(&world), B256::ZERO);
    world.by(OWNER).transfer_ownership(NURSE).unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::OwnershipTransferStarted(IRegistry::OwnershipTransferStarted {
            owner: OWNER,
            pending: NURSE
        })
    );
    // Until it is accepted, the first owner is it; another offer takes the place of the first.
    assert_eq!(slot(&world), B256::ZERO);
    assert_eq!(
        world.by(NURSE).set_issuer(STRANGER, true),
        Err(IRegistry::NotOwner { caller: NURSE }.into())
    );
    world.by(OWNER).set_issuer(STRANGER, true).unwrap();
    world.by(OWNER).transfer_ownership(CLINIC).unwrap();
    for caller in [NURSE, OWNER, Address::ZERO] {
        assert_eq!(
            world.by(caller).accept_ownership(),
            Err(IRegistry::NotPendingOwner { caller }.into())
        );
    }
    world.by(CLINIC).accept_ownership().unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::OwnershipTransferred(IRegistry::OwnershipTransferred {
            previous: OWNER,
            owner: CLINIC
        })
    );
    assert_eq!(slot(&world), CLINIC.into_word());
    assert_eq!(world.registry.owner(), CLINIC);

    let not_owner = || Err(IRegistry::NotOwner { caller: OWNER }.into());
    let not_issuer = || {
        Err(IRegistry::NotCredentialIssuer {
            caller: OWNER,
            issuer: ISSUER,
        }
        .into())
    };
    assert_eq!(world.by(OWNER).set_issuer(ISSUER, false), not_owner());
    assert_eq!(world.by(OWNER).set_issuer(NURSE, true), not_owner());
    assert_eq!(world.by(OWNER).transfer_ownership(OWNER), not_owner());
    assert_eq!(
        world.by(OWNER).accept_ownership(),
        Err(IRegistry::NotPendingOwner { caller: OWNER }.into())
    );
    assert_eq!(world.by(OWNER).suspend_credential(CLINIC), not_issuer());
    assert_eq!(world.by(OWNER).revoke_credential(CLINIC), not_issuer());
    assert!(world.registry.has_roles(CLINIC, role::PROVIDER));
    // All of it is the new owner's; who may give it back, as to anybody.
    world.by(CLINIC).set_issuer(STRANGER, false).unwrap();
    world.by(CLINIC).transfer_ownership(OWNER).unwrap();
    world.by(OWNER).accept_ownership().unwrap();
    assert_eq!(slot(&world), OWNER.into_word());
    assert_eq!(
        world.last_event(),
        IRegistryEvents::OwnershipTransferred(IRegistry::OwnershipTransferred {
            previous: CLINIC,
            owner: OWNER
        })
    );
    world.by(OWNER).set_issuer(ISSUER, false).unwrap();
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
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
        (ISSUER, CLINIC_ROLES, NOW, TIME_MOST, 0, DOCUMENT, status::ISSUED, true)
    );
    assert_eq!(
        world.last_event(),
        IRegistryEvents::CredentialIssued(IRegistry::CredentialIssued {
            party: CLINIC,
            issuer: ISSUER,
            issuerEpoch: 1,
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
    world.at(NOW + 9);
    assert!(world.registry.has_roles(CLINIC, role::PROVIDER));
    world.at(NOW + 10);
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
}

#[test]
fn a_dismissed_issuers_credentials_end_and_stay_ended_when_it_comes_back() {
    let mut world = World::new();
    world.issue(0);
    world.by(ISSUER).suspend_credential(CLINIC).unwrap();
    world.by(ISSUER).reinstate_credential(CLINIC).unwrap();
    assert!(world.registry.has_roles(CLINIC, role::PROVIDER));
    assert_eq!(world.registry.issuer_of(ISSUER), (1, 1, true));
    world.at(NOW + 1);
    world.by(OWNER).set_issuer(ISSUER, false).unwrap();
    assert_eq!(world.registry.issuer_of(ISSUER), (1, 1, false));
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
    assert!(!world.registry.credential_of(CLINIC).7);
    assert_eq!(
        world.by(ISSUER).issue_credential(CLINIC, 1, 0, DOCUMENT),
        Err(IRegistry::NotIssuer { caller: ISSUER }.into())
    );
    world.at(NOW + 2);
    world.by(OWNER).set_issuer(ISSUER, true).unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::IssuerSet(IRegistry::IssuerSet {
            issuer: ISSUER,
            number: 1,
            epoch: 2,
            active: true
        })
    );
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
    // Not by the detour of a suspension, either.
    for by in [ISSUER, OWNER] {
        if by == ISSUER {
            world.by(by).suspend_credential(CLINIC).unwrap();
        }
        assert_eq!(
            world.by(by).reinstate_credential(CLINIC),
            Err(IRegistry::IssuerEpochEnded {
                issuer: ISSUER,
                epoch: 1
            }
            .into())
        );
    }
    // Another issuer is free to take the party on.
    world
        .by(OTHER_ISSUER)
        .issue_credential(CLINIC, role::PROVIDER, 0, DOCUMENT)
        .unwrap();
    assert!(world.registry.has_roles(CLINIC, role::PROVIDER));
    assert!(world.registry.has_roles_at(CLINIC, CLINIC_ROLES, NOW));
    assert!(!world.registry.has_roles_at(CLINIC, role::PROVIDER, NOW + 1));
}

#[test]
fn naming_an_issuer_again_or_dismissing_nobody_changes_nothing() {
    let mut world = World::new();
    world.issue(0);
    let events = world.vm.get_emitted_logs().len();
    world.by(OWNER).set_issuer(ISSUER, true).unwrap();
    world.by(OWNER).set_issuer(STRANGER, false).unwrap();
    assert_eq!(world.vm.get_emitted_logs().len(), events);
    assert_eq!(world.registry.issuer_of(ISSUER), (1, 1, true));
    assert_eq!(world.registry.issuer_of(OTHER_ISSUER), (2, 1, true));
    assert_eq!(world.registry.issuer_of(STRANGER), (0, 0, false));
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
    world.at(NOW + 20);
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
    world.at(NOW + 5);
    world.by(OWNER).revoke_credential(CLINIC).unwrap();
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
    assert_eq!(
        world.registry.credential_of(CLINIC),
        (ISSUER, CLINIC_ROLES, NOW, 0, NOW + 5, DOCUMENT, status::REVOKED, false)
    );
    let revoked = || {
        Err(IRegistry::CredentialStatus {
            party: CLINIC,
            status: status::REVOKED,
        }
        .into())
    };
    for by in [ISSUER, OWNER] {
        assert_eq!(world.by(by).revoke_credential(CLINIC), revoked());
        assert_eq!(world.by(by).suspend_credential(CLINIC), revoked());
        assert_eq!(world.by(by).reinstate_credential(CLINIC), revoked());
    }
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

fn key(byte: u8, length: usize) -> Bytes {
    Bytes::from(vec![byte; length])
}

#[test]
fn a_published_key_has_its_suites_length_and_the_next_version() {
    let mut world = World::new();
    for unknown in [0, 3, u16::MAX] {
        assert_eq!(
            world.by(CLINIC).publish_key(CLINIC, 1, unknown, key(1, 32)),
            Err(IRegistry::UnknownSuite { suite: unknown }.into())
        );
    }
    for (suite, lengths) in [
        (suite::X25519, [0, 31, 33, suite::XWING_KEY_BYTES]),
        (suite::XWING, [0, 1215, 1217, suite::X25519_KEY_BYTES]),
    ] {
        for length in lengths {
            assert_eq!(
                world.by(CLINIC).publish_key(CLINIC, 1, suite, key(1, length)),
                Err(IRegistry::KeyLength {
                    suite,
                    length: U256::from(length)
                }
                .into())
            );
        }
    }
    assert_eq!(world.registry.key_of(CLINIC), (0, 0, 0, 0, B256::ZERO, false));
    for (version, suite, length) in [(1, suite::X25519, 32), (2, suite::XWING, 1216), (3, suite::X25519, 32)] {
        let time = NOW + u64::from(version);
        world.at(time);
        for given in [0, version - 1, version + 1, u32::MAX] {
            assert_eq!(
                world.by(CLINIC).publish_key(CLINIC, given, suite, key(7, length)),
                Err(IRegistry::KeyVersion { given, next: version }.into())
            );
        }
        let bytes = key(version as u8, length);
        world
            .by(CLINIC)
            .publish_key(CLINIC, version, suite, bytes.clone())
            .unwrap();
        assert_eq!(
            world.registry.key_of(CLINIC),
            (version, suite, time, 0, keccak256(&bytes.0), true)
        );
        assert_eq!(
            world.last_event(),
            IRegistryEvents::KeyPublished(IRegistry::KeyPublished {
                party: CLINIC,
                version,
                suite,
                key: bytes.0.into()
            })
        );
    }
    assert_eq!(world.registry.key_of(STRANGER).0, 0);
}

#[test]
fn a_key_is_published_by_its_party_or_through_the_relay_and_by_nobody_else() {
    let mut world = World::new();
    for caller in [STRANGER, OWNER, ISSUER, Address::ZERO] {
        assert_eq!(
            world.by(caller).publish_key(CLINIC, 1, suite::X25519, key(1, 32)),
            Err(IRegistry::NotActor { caller, actor: CLINIC }.into())
        );
    }
    world
        .by(RELAY)
        .publish_key(CLINIC, 1, suite::X25519, key(1, 32))
        .unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::KeyPublished(IRegistry::KeyPublished {
            party: CLINIC,
            version: 1,
            suite: suite::X25519,
            key: vec![1; 32].into()
        })
    );
    assert_eq!(world.registry.key_of(RELAY).0, 0);
    // Nor may the party speak for the relay.
    assert_eq!(
        world.by(CLINIC).publish_key(RELAY, 1, suite::X25519, key(1, 32)),
        Err(IRegistry::NotActor {
            caller: CLINIC,
            actor: RELAY
        }
        .into())
    );
    // What was signed once is not published again, not even after it was revoked.
    world.by(CLINIC).revoke_key(1).unwrap();
    assert_eq!(
        world.by(RELAY).publish_key(CLINIC, 1, suite::X25519, key(1, 32)),
        Err(IRegistry::KeyVersion { given: 1, next: 2 }.into())
    );
    // The relay speaks for signers here alone.
    assert_eq!(
        world.by(RELAY).revoke_key(1),
        Err(IRegistry::UnknownKey {
            party: RELAY,
            version: 1,
            latest: 0
        }
        .into())
    );
    assert_eq!(
        world.by(RELAY).set_issuer(STRANGER, true),
        Err(IRegistry::NotOwner { caller: RELAY }.into())
    );
}

#[test]
fn a_revoked_key_is_told_of_and_no_earlier_one_takes_its_place() {
    let mut world = World::new();
    for version in 1..=2u8 {
        world.at(NOW + u64::from(version));
        world
            .by(CLINIC)
            .publish_key(CLINIC, u32::from(version), suite::X25519, key(version, 32))
            .unwrap();
    }
    world.at(NOW + 10);
    for version in [0, 3] {
        assert_eq!(
            world.by(CLINIC).revoke_key(version),
            Err(IRegistry::UnknownKey {
                party: CLINIC,
                version,
                latest: 2
            }
            .into())
        );
    }
    // Another's key has the caller's name on it or none.
    assert_eq!(
        world.by(OWNER).revoke_key(2),
        Err(IRegistry::UnknownKey {
            party: OWNER,
            version: 2,
            latest: 0
        }
        .into())
    );
    world.by(CLINIC).revoke_key(2).unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::KeyRevoked(IRegistry::KeyRevoked {
            party: CLINIC,
            version: 2
        })
    );
    let second = |current| (2, suite::X25519, NOW + 2, NOW + 10, keccak256([2; 32]), current);
    assert_eq!(world.registry.key_of(CLINIC), second(false));
    assert_eq!(world.registry.key_at(CLINIC, NOW + 9), second(true));
    assert_eq!(world.registry.key_at(CLINIC, NOW + 10), second(false));
    assert_eq!(world.registry.key_at(CLINIC, u64::MAX), second(false));
    let first = (1, suite::X25519, NOW + 1, 0, keccak256([1; 32]), true);
    assert_eq!(world.registry.key_at(CLINIC, NOW + 1), first);
    assert_eq!(world.registry.key_at(CLINIC, NOW).0, 0);
    world.at(NOW + 11);
    assert_eq!(
        world.by(CLINIC).revoke_key(2),
        Err(IRegistry::KeyAlreadyRevoked {
            party: CLINIC,
            version: 2,
            revokedAt: NOW + 10
        }
        .into())
    );
    world.by(CLINIC).revoke_key(1).unwrap();
    world
        .by(CLINIC)
        .publish_key(CLINIC, 3, suite::X25519, key(3, 32))
        .unwrap();
    assert!(world.registry.key_of(CLINIC).5);
}

#[test]
fn a_suspended_credential_is_out_of_force_and_nobody_but_its_issuer_gets_round_that() {
    let mut world = World::new();
    world.issue(NOW + 100);
    world.at(NOW + 10);
    for caller in [OTHER_ISSUER, CLINIC, STRANGER] {
        let refused = || Err(IRegistry::NotCredentialIssuer { caller, issuer: ISSUER }.into());
        assert_eq!(world.by(caller).suspend_credential(CLINIC), refused());
        assert_eq!(world.by(caller).reinstate_credential(CLINIC), refused());
    }
    for method in [Registry::suspend_credential, Registry::reinstate_credential] {
        assert_eq!(
            method(world.by(ISSUER), STRANGER),
            Err(IRegistry::NoCredential { party: STRANGER }.into())
        );
    }
    let wrong = |status| Err(IRegistry::CredentialStatus { party: CLINIC, status }.into());
    assert_eq!(world.by(ISSUER).reinstate_credential(CLINIC), wrong(status::ISSUED));
    world.by(ISSUER).suspend_credential(CLINIC).unwrap();
    assert_eq!(world.by(ISSUER).suspend_credential(CLINIC), wrong(status::SUSPENDED));
    assert!(!world.registry.has_roles(CLINIC, role::PROVIDER));
    assert_eq!(
        world.registry.credential_of(CLINIC),
        (
            ISSUER,
            CLINIC_ROLES,
            NOW,
            NOW + 100,
            NOW + 10,
            DOCUMENT,
            status::SUSPENDED,
            false
        )
    );
    // Another issuer does not undo the suspension by issuing over it.
    assert_eq!(
        world.by(OTHER_ISSUER).issue_credential(CLINIC, 1, 0, DOCUMENT),
        Err(IRegistry::NotCredentialIssuer {
            caller: OTHER_ISSUER,
            issuer: ISSUER
        }
        .into())
    );
    world.at(NOW + 20);
    world.by(OWNER).reinstate_credential(CLINIC).unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::CredentialReinstated(IRegistry::CredentialReinstated {
            party: CLINIC,
            issuer: ISSUER,
            issuerEpoch: 1,
            roles: CLINIC_ROLES,
            expiry: NOW + 100,
            document: DOCUMENT,
            by: OWNER
        })
    );
    // From inclusive, to exclusive.
    let held = |at| world.registry.has_roles_at(CLINIC, role::PROVIDER, at);
    assert_eq!(
        [NOW - 1, NOW, NOW + 9, NOW + 10, NOW + 19, NOW + 20, NOW + 99, NOW + 100].map(held),
        [false, true, true, false, false, true, true, false]
    );
    // Suspended, then expired: gone, and anybody may issue anew.
    world.at(NOW + 99);
    world.by(ISSUER).suspend_credential(CLINIC).unwrap();
    world.at(NOW + 100);
    assert_eq!(
        world.by(ISSUER).reinstate_credential(CLINIC),
        Err(IRegistry::ExpiryInPast {
            expiry: NOW + 100,
            now: NOW + 100
        }
        .into())
    );
    world
        .by(OTHER_ISSUER)
        .issue_credential(CLINIC, role::INSURER, 0, DOCUMENT)
        .unwrap();
    assert_eq!(
        world.by(ISSUER).revoke_credential(CLINIC),
        Err(IRegistry::NotCredentialIssuer {
            caller: ISSUER,
            issuer: OTHER_ISSUER
        }
        .into())
    );
}

#[test]
fn a_revoked_suspension_stays_ended_since_it_was_suspended() {
    let mut world = World::new();
    world.issue(0);
    world.at(NOW + 1);
    world.by(ISSUER).suspend_credential(CLINIC).unwrap();
    world.at(NOW + 2);
    world.by(ISSUER).revoke_credential(CLINIC).unwrap();
    assert_eq!(
        world.registry.credential_of(CLINIC),
        (ISSUER, CLINIC_ROLES, NOW, 0, NOW + 1, DOCUMENT, status::REVOKED, false)
    );
    assert!(world.registry.has_roles_at(CLINIC, role::PROVIDER, NOW));
    assert!(!world.registry.has_roles_at(CLINIC, role::PROVIDER, NOW + 1));
}

#[test]
fn past_credentials_are_told_with_their_own_terms() {
    let mut world = World::new();
    let document = |n: u64| B256::with_last_byte(n as u8);
    for n in 0..9 {
        world.at(NOW + 10 * n);
        world
            .by(ISSUER)
            .issue_credential(CLINIC, 1 << n, 0, document(n))
            .unwrap();
    }
    for n in 0..8 {
        for at in [NOW + 10 * n, NOW + 10 * n + 9] {
            assert_eq!(
                world.registry.credential_at(CLINIC, at),
                (
                    ISSUER,
                    1 << n,
                    NOW + 10 * n,
                    0,
                    NOW + 10 * n + 10,
                    document(n),
                    status::REPLACED,
                    true
                )
            );
        }
    }
    let present = (ISSUER, 1 << 8, NOW + 80, 0, 0, document(8), status::ISSUED, true);
    assert_eq!(world.registry.credential_at(CLINIC, u64::MAX), present);
    assert_eq!(world.registry.credential_of(CLINIC), present);
    let none = (Address::ZERO, 0, 0, 0, 0, B256::ZERO, status::NONE, false);
    assert_eq!(world.registry.credential_at(CLINIC, NOW - 1), none);
    assert_eq!(world.registry.credential_of(STRANGER), none);
}

#[test]
fn members_act_for_an_organisation_within_their_time_and_its_roles() {
    let mut world = World::new();
    let not_organisation = |actor| Err(IRegistry::NotOrganisation { actor }.into());
    assert_eq!(world.set_member(CLINIC, NURSE, 0), not_organisation(CLINIC));
    world
        .by(ISSUER)
        .issue_credential(STRANGER, role::PRACTITIONER | role::PROVIDER, 0, DOCUMENT)
        .unwrap();
    assert_eq!(world.set_member(STRANGER, NURSE, 0), not_organisation(STRANGER));
    world.issue(0);
    let mut set = |member, expiry| world.set_member(CLINIC, member, expiry);
    assert_eq!(set(Address::ZERO, 0), Err(IRegistry::ZeroAddress {}.into()));
    assert_eq!(
        set(CLINIC, 0),
        Err(IRegistry::OwnMember { organisation: CLINIC }.into())
    );
    assert_eq!(
        set(NURSE, NOW),
        Err(IRegistry::ExpiryInPast { expiry: NOW, now: NOW }.into())
    );
    for time in [TIME_MOST + 1, u64::MAX] {
        assert_eq!(set(NURSE, time), Err(IRegistry::TimeTooLarge { time }.into()));
    }
    assert!(!world.registry.is_member(CLINIC, NURSE));
    world.set_member(CLINIC, NURSE, NOW + 10).unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::MemberSet(IRegistry::MemberSet {
            organisation: CLINIC,
            member: NURSE,
            expiry: NOW + 10
        })
    );
    let registry = &world.registry;
    assert!(registry.is_member(CLINIC, NURSE));
    assert!(registry.may_act_for(CLINIC, NURSE, role::PROVIDER));
    assert!(!registry.may_act_for(CLINIC, NURSE, role::PROVIDER | role::INSURER));
    assert!(!registry.is_member(NURSE, CLINIC));
    assert!(!registry.is_member(CLINIC, CLINIC));
    // Being a member lends no role of one's own.
    assert!(!registry.has_roles(NURSE, role::PROVIDER));
    world.at(NOW + 9);
    assert!(world.registry.is_member(CLINIC, NURSE));
    world.at(NOW + 10);
    assert!(!world.registry.is_member(CLINIC, NURSE));

    world.set_member(CLINIC, NURSE, 0).unwrap();
    world.at(NOW + 20);
    assert_eq!(
        world.remove_member(STRANGER, NURSE),
        Err(IRegistry::NotMember {
            organisation: STRANGER,
            member: NURSE
        }
        .into())
    );
    world.remove_member(CLINIC, NURSE).unwrap();
    assert_eq!(
        world.last_event(),
        IRegistryEvents::MemberRemoved(IRegistry::MemberRemoved {
            organisation: CLINIC,
            member: NURSE
        })
    );
    assert!(!world.registry.may_act_for(CLINIC, NURSE, 0));
    assert_eq!(world.registry.member_of(CLINIC, NURSE), (NOW + 10, 0, NOW + 20, 3));
    assert_eq!(
        world.remove_member(CLINIC, NURSE),
        Err(IRegistry::NotMember {
            organisation: CLINIC,
            member: NURSE
        }
        .into())
    );
    let was = |at| world.registry.is_member_at(CLINIC, NURSE, at);
    assert_eq!(
        [NOW - 1, NOW, NOW + 9, NOW + 10, NOW + 19, NOW + 20, u64::MAX].map(was),
        [false, true, true, true, true, false, false]
    );
}

/// The relay passes on what an organisation has signed. Whoever submits it chooses when.
#[test]
fn attack_a_membership_that_was_signed_before_its_removal() {
    let mut world = World::new();
    world.issue(0);
    let stale = |given, current| Err(IRegistry::MemberSerial { given, current }.into());
    let clinic = world.registry.member_of(CLINIC, NURSE).3;
    assert_eq!(clinic, 0);
    world.by(RELAY).set_member(CLINIC, NURSE, 0, 0).unwrap();
    assert!(world.registry.is_member(CLINIC, NURSE));
    // Again, or what was signed for a longer time: nothing.
    assert_eq!(world.by(RELAY).set_member(CLINIC, NURSE, 0, 0), stale(0, 1));
    world.by(CLINIC).remove_member(CLINIC, NURSE, 1).unwrap();
    for serial in [0, 1] {
        assert_eq!(world.by(RELAY).set_member(CLINIC, NURSE, serial, 0), stale(serial, 2));
    }
    assert!(!world.registry.is_member(CLINIC, NURSE));
    // Nor does a removal end a later membership.
    world.by(CLINIC).set_member(CLINIC, NURSE, 2, 0).unwrap();
    assert_eq!(world.by(RELAY).remove_member(CLINIC, NURSE, 1), stale(1, 3));
    assert!(world.registry.is_member(CLINIC, NURSE));
    // Nobody but the relay speaks for an organisation.
    let not_actor = Err(IRegistry::NotActor {
        caller: STRANGER,
        actor: CLINIC,
    }
    .into());
    assert_eq!(world.by(STRANGER).set_member(CLINIC, NURSE, 3, 0), not_actor);
    assert_eq!(world.by(STRANGER).remove_member(CLINIC, NURSE, 3), not_actor);
}

#[test]
fn members_of_members_and_of_an_organisation_that_is_not_current_act_for_nobody() {
    let mut world = World::new();
    world.issue(0);
    world
        .by(ISSUER)
        .issue_credential(STRANGER, CLINIC_ROLES, 0, DOCUMENT)
        .unwrap();
    world.set_member(CLINIC, STRANGER, 0).unwrap();
    world.set_member(STRANGER, NURSE, 0).unwrap();
    assert!(world.registry.is_member(CLINIC, STRANGER) && world.registry.is_member(STRANGER, NURSE));
    assert!(!world.registry.is_member(CLINIC, NURSE));

    world.at(NOW + 1);
    world.by(ISSUER).suspend_credential(CLINIC).unwrap();
    assert!(!world.registry.is_member(CLINIC, STRANGER));
    assert!(world.registry.is_member_at(CLINIC, STRANGER, NOW));
    assert_eq!(
        world.set_member(CLINIC, NURSE, 0),
        Err(IRegistry::NotOrganisation { actor: CLINIC }.into())
    );
    // The memberships are the organisation's own word: they hold again when it is current again.
    world.at(NOW + 2);
    world.by(ISSUER).reinstate_credential(CLINIC).unwrap();
    assert!(world.registry.may_act_for(CLINIC, STRANGER, role::PROVIDER));
    assert!(!world.registry.may_act_for_at(CLINIC, STRANGER, role::PROVIDER, NOW + 1));
    // A credential without ORGANISATION does not bring them back.
    world.at(NOW + 3);
    world
        .by(ISSUER)
        .issue_credential(CLINIC, role::PROVIDER, 0, DOCUMENT)
        .unwrap();
    assert!(!world.registry.is_member(CLINIC, STRANGER));
    // Whose credential has ended may still put an end to memberships.
    world.by(ISSUER).revoke_credential(CLINIC).unwrap();
    world.remove_member(CLINIC, STRANGER).unwrap();
    assert_eq!(world.registry.member_of(CLINIC, STRANGER), (NOW, 0, NOW + 3, 2));
}

#[test]
fn packed_words_give_back_what_went_in() {
    let issuer = IssuerHead {
        number: u32::MAX - 1,
        epoch: u32::MAX - 2,
    };
    assert_eq!(IssuerHead::from_word(issuer.to_word()), issuer);
    let epoch = Epoch {
        issuer: ISSUER,
        ended_at: TIME_MOST - 1,
    };
    assert_eq!(Epoch::from_word(epoch.to_word()), epoch);
    let head = CredentialHead {
        issuer,
        roles: u64::MAX - 1,
        issued_at: TIME_MOST - 2,
        expiry: TIME_MOST - 3,
        ended_at: TIME_MOST - 4,
        status: 0xfe,
    };
    assert_eq!(CredentialHead::from_word(head.to_word()), head);
    let head = Membership {
        since: TIME_MOST - 5,
        expiry: TIME_MOST - 6,
        ended_at: TIME_MOST - 7,
        serial: u32::MAX - 3,
    };
    assert_eq!(Membership::from_word(head.to_word()), head);
    let head = KeyHead {
        suite: u16::MAX - 1,
        valid_from: TIME_MOST - 8,
        revoked_at: TIME_MOST - 9,
    };
    assert_eq!(KeyHead::from_word(head.to_word()), head);
}
