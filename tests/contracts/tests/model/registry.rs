//! Who is credentialed, by whom, until when, and with which key.
use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, U256, keccak256};
use medlock_abi::{
    registry::IRegistry::{self, *},
    terms::{TIME_MOST, credential_status, role, suite},
};

use super::{Contract, Model, Refusal, acts, end, is_before, require, stated, views};

#[derive(Default)]
pub struct Registry {
    pub owner: Address,
    pub pending: Option<Address>,
    pub issuers: BTreeMap<Address, Issuer>,
    /// Oldest first; the last is the present one.
    pub credentials: BTreeMap<Address, Vec<Credential>>,
    /// By organisation and member; oldest first.
    pub members: BTreeMap<(Address, Address), Vec<Membership>>,
    /// The first has version 1.
    pub keys: BTreeMap<Address, Vec<Key>>,
}

pub struct Issuer {
    pub number: u32,
    /// When each epoch ended. The first is number 1.
    pub epochs: Vec<Option<u64>>,
}

#[derive(Clone)]
pub struct Credential {
    pub issuer: Address,
    pub epoch: u32,
    pub roles: u64,
    pub issued_at: u64,
    pub expiry: Option<u64>,
    pub ended_at: Option<u64>,
    pub status: u8,
    pub document: B256,
}

#[derive(Clone)]
pub struct Membership {
    pub since: u64,
    pub expiry: Option<u64>,
    pub ended_at: Option<u64>,
    /// By its organisation, before another one began.
    pub is_removed: bool,
}

pub struct Key {
    pub suite: u16,
    pub valid_from: u64,
    pub revoked_at: Option<u64>,
    pub digest: B256,
}

acts! { Registry;
    transferOwnershipCall => transfer_ownership,
    acceptOwnershipCall => accept_ownership,
    setIssuerCall => set_issuer,
    issueCredentialCall => issue_credential,
    suspendCredentialCall => suspend_credential,
    reinstateCredentialCall => reinstate_credential,
    revokeCredentialCall => revoke_credential,
    setMemberCall => set_member,
    removeMemberCall => remove_member,
    publishKeyCall => publish_key,
    revokeKeyCall => revoke_key,
}

views! { Registry;
    ownerCall => |_, model| model.registry.owner,
    relayCall => |_, model| model.addresses.relay,
    pendingOwnerCall => |_, model| model.registry.pending.unwrap_or_default(),
    issuerOfCall => |call, model| match model.registry.issuers.get(&call.issuer) {
        Some(issuer) => issuerOfReturn { number: issuer.number, epoch: issuer.epoch(), active: issuer.is_active() },
        None => issuerOfReturn { number: 0, epoch: 0, active: false },
    },
    credentialOfCall => |call, model| {
        let facts = model.registry.credential_facts(call.party, model.now);
        credentialOfReturn {
            issuer: facts.issuer,
            roles: facts.roles,
            issuedAt: facts.issuedAt,
            expiry: facts.expiry,
            endedAt: facts.endedAt,
            document: facts.document,
            status: facts.status,
            current: facts.current,
        }
    },
    credentialAtCall => |call, model| model.registry.credential_facts(call.party, call.at),
    hasRolesCall => |call, model| model.registry.has_roles(call.party, call.roles, model.now),
    hasRolesAtCall => |call, model| model.registry.has_roles(call.party, call.roles, call.at),
    isMemberCall => |call, model| model.registry.may_act_for(call.organisation, call.member, 0, model.now),
    isMemberAtCall => |call, model| model.registry.may_act_for(call.organisation, call.member, 0, call.at),
    mayActForCall => |call, model| model.registry.may_act_for(call.organisation, call.member, call.roles, model.now),
    mayActForAtCall => |call, model| model.registry.may_act_for(call.organisation, call.member, call.roles, call.at),
    memberOfCall => |call, model| {
        match model.registry.members.get(&(call.organisation, call.member)).and_then(|all| all.last()) {
            Some(last) => memberOfReturn {
                since: last.since,
                expiry: stated(last.expiry),
                endedAt: stated(last.ended_at),
                serial: model.registry.member_serial(call.organisation, call.member),
            },
            None => memberOfReturn { since: 0, expiry: 0, endedAt: 0, serial: 0 },
        }
    },
    keyOfCall => |call, model| {
        let facts = model.registry.key_facts(call.party, model.now);
        keyOfReturn {
            version: facts.version,
            suite: facts.suite,
            validFrom: facts.validFrom,
            revokedAt: facts.revokedAt,
            digest: facts.digest,
            current: facts.current,
        }
    },
    keyAtCall => |call, model| model.registry.key_facts(call.party, call.at),
}

impl Issuer {
    fn epoch(&self) -> u32 {
        self.epochs.len() as u32
    }

    fn is_active(&self) -> bool {
        self.epochs.last().is_some_and(Option::is_none)
    }
}

impl Registry {
    pub fn is_issuer(&self, issuer: Address) -> bool {
        self.issuers.get(&issuer).is_some_and(Issuer::is_active)
    }

    pub fn credential(&self, party: Address) -> Option<&Credential> {
        self.credentials.get(&party)?.last()
    }

    pub fn epoch_end(&self, credential: &Credential) -> Option<u64> {
        self.issuers[&credential.issuer].epochs[credential.epoch as usize - 1]
    }

    /// The last one that began at or before `at`.
    fn credential_at(&self, party: Address, at: u64) -> Option<&Credential> {
        self.credentials
            .get(&party)?
            .iter()
            .rfind(|credential| credential.issued_at <= at)
    }

    fn is_current(&self, credential: &Credential, at: u64) -> bool {
        credential.issued_at <= at
            && is_before(at, credential.expiry)
            && is_before(at, credential.ended_at)
            && is_before(at, self.epoch_end(credential))
    }

    fn credential_facts(&self, party: Address, at: u64) -> credentialAtReturn {
        match self.credential_at(party, at) {
            Some(credential) => credentialAtReturn {
                issuer: credential.issuer,
                roles: credential.roles,
                issuedAt: credential.issued_at,
                expiry: stated(credential.expiry),
                endedAt: stated(credential.ended_at),
                document: credential.document,
                status: credential.status,
                current: self.is_current(credential, at),
            },
            None => credentialAtReturn {
                issuer: Address::ZERO,
                roles: 0,
                issuedAt: 0,
                expiry: 0,
                endedAt: 0,
                document: B256::ZERO,
                status: credential_status::NONE,
                current: false,
            },
        }
    }

    pub fn has_roles(&self, party: Address, roles: u64, at: u64) -> bool {
        self.credential_at(party, at)
            .is_some_and(|credential| credential.roles & roles == roles && self.is_current(credential, at))
    }

    /// How often it was set or removed.
    pub fn member_serial(&self, organisation: Address, member: Address) -> u32 {
        let all = self.members.get(&(organisation, member)).into_iter().flatten();
        all.map(|one| 1 + u32::from(one.is_removed)).sum()
    }

    /// `member` is one, and the organisation is one, with these roles.
    pub fn may_act_for(&self, organisation: Address, member: Address, roles: u64, at: u64) -> bool {
        let memberships = self.members.get(&(organisation, member));
        let last = memberships.and_then(|all| all.iter().rfind(|one| one.since <= at));
        last.is_some_and(|one| is_before(at, one.expiry) && is_before(at, one.ended_at))
            && self.has_roles(organisation, roles | role::ORGANISATION, at)
    }

    fn key_facts(&self, party: Address, at: u64) -> keyAtReturn {
        let keys = self.keys.get(&party).map_or(&[][..], Vec::as_slice);
        match keys.iter().rposition(|key| key.valid_from <= at) {
            Some(index) => keyAtReturn {
                version: index as u32 + 1,
                suite: keys[index].suite,
                validFrom: keys[index].valid_from,
                revokedAt: stated(keys[index].revoked_at),
                digest: keys[index].digest,
                current: is_before(at, keys[index].revoked_at),
            },
            None => keyAtReturn {
                version: 0,
                suite: 0,
                validFrom: 0,
                revokedAt: 0,
                digest: B256::ZERO,
                current: false,
            },
        }
    }

    fn held(&mut self, party: Address) -> &mut Credential {
        self.credentials.get_mut(&party).unwrap().last_mut().unwrap()
    }
}

fn transfer_ownership(call: &transferOwnershipCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    require!(caller == model.registry.owner, NotOwner { caller });
    require!(!call.pending.is_zero(), ZeroAddress {});
    model.registry.pending = Some(call.pending);
    let event = OwnershipTransferStarted {
        owner: caller,
        pending: call.pending,
    };
    model.tell(Contract::Registry, event);
    Ok(())
}

fn accept_ownership(_: &acceptOwnershipCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    require!(model.registry.pending == Some(caller), NotPendingOwner { caller });
    let previous = std::mem::replace(&mut model.registry.owner, caller);
    model.registry.pending = None;
    let owner = caller;
    model.tell(Contract::Registry, OwnershipTransferred { previous, owner });
    Ok(())
}

fn set_issuer(call: &setIssuerCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    require!(caller == model.registry.owner, NotOwner { caller });
    require!(!call.issuer.is_zero(), ZeroAddress {});
    if model.registry.is_issuer(call.issuer) == call.active {
        return Ok(());
    }
    let next = model.registry.issuers.len() as u32 + 1;
    let issuer = model.registry.issuers.entry(call.issuer).or_insert(Issuer {
        number: next,
        epochs: Vec::new(),
    });
    if call.active {
        issuer.epochs.push(None);
    } else {
        *issuer.epochs.last_mut().unwrap() = Some(model.now);
    }
    let event = IssuerSet {
        issuer: call.issuer,
        number: issuer.number,
        epoch: issuer.epoch(),
        active: call.active,
    };
    model.tell(Contract::Registry, event);
    Ok(())
}

fn require_expiry(expiry: u64, now: u64) -> Result<(), Refusal> {
    require!(expiry <= TIME_MOST, TimeTooLarge { time: expiry });
    require!(expiry == 0 || expiry > now, ExpiryInPast { expiry, now });
    Ok(())
}

fn issue_credential(call: &issueCredentialCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let now = model.now;
    let registry = &mut model.registry;
    require!(registry.is_issuer(caller), NotIssuer { caller });
    require!(!call.party.is_zero(), ZeroAddress {});
    require!(call.roles != 0, NoRoles {});
    require_expiry(call.expiry, now)?;
    if let Some(held) = registry.credential(call.party).cloned() {
        let stands = matches!(held.status, credential_status::ISSUED | credential_status::SUSPENDED)
            && is_before(now, held.expiry)
            && registry.epoch_end(&held).is_none();
        let issuer = held.issuer;
        require!(!stands || issuer == caller, NotCredentialIssuer { caller, issuer });
        if held.status == credential_status::ISSUED {
            let held = registry.held(call.party);
            (held.status, held.ended_at) = (credential_status::REPLACED, Some(now));
        }
    }
    let epoch = registry.issuers[&caller].epoch();
    registry.credentials.entry(call.party).or_default().push(Credential {
        issuer: caller,
        epoch,
        roles: call.roles,
        issued_at: now,
        expiry: end(call.expiry),
        ended_at: None,
        status: credential_status::ISSUED,
        document: call.document,
    });
    let event = CredentialIssued {
        party: call.party,
        issuer: caller,
        issuerEpoch: epoch,
        roles: call.roles,
        expiry: call.expiry,
        document: call.document,
    };
    model.tell(Contract::Registry, event);
    Ok(())
}

/// The credential of `party`, of which the caller disposes.
fn require_power_over(model: &Model, party: Address, caller: Address) -> Result<Credential, Refusal> {
    let held = model.registry.credential(party).ok_or(NoCredential { party })?.clone();
    let issuer = held.issuer;
    require!(
        caller == issuer || caller == model.registry.owner,
        NotCredentialIssuer { caller, issuer }
    );
    Ok(held)
}

fn suspend_credential(call: &suspendCredentialCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (party, now) = (call.party, model.now);
    let status = require_power_over(model, party, caller)?.status;
    require!(status == credential_status::ISSUED, CredentialStatus { party, status });
    let held = model.registry.held(party);
    (held.status, held.ended_at) = (credential_status::SUSPENDED, Some(now));
    model.tell(Contract::Registry, CredentialSuspended { party, by: caller });
    Ok(())
}

fn reinstate_credential(call: &reinstateCredentialCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (party, now) = (call.party, model.now);
    let held = require_power_over(model, party, caller)?;
    let status = held.status;
    require!(
        status == credential_status::SUSPENDED,
        CredentialStatus { party, status }
    );
    let (issuer, epoch) = (held.issuer, held.epoch);
    require!(
        model.registry.epoch_end(&held).is_none(),
        IssuerEpochEnded { issuer, epoch }
    );
    require_expiry(stated(held.expiry), now)?;
    let event = CredentialReinstated {
        party,
        issuer,
        issuerEpoch: epoch,
        roles: held.roles,
        expiry: stated(held.expiry),
        document: held.document,
        by: caller,
    };
    let all = model.registry.credentials.get_mut(&party).unwrap();
    all.push(Credential {
        issued_at: now,
        ended_at: None,
        status: credential_status::ISSUED,
        ..held
    });
    model.tell(Contract::Registry, event);
    Ok(())
}

fn revoke_credential(call: &revokeCredentialCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (party, now) = (call.party, model.now);
    let status = require_power_over(model, party, caller)?.status;
    require!(
        matches!(status, credential_status::ISSUED | credential_status::SUSPENDED),
        CredentialStatus { party, status }
    );
    let held = model.registry.held(party);
    // What was suspended has ended since then.
    held.ended_at.get_or_insert(now);
    held.status = credential_status::REVOKED;
    model.tell(Contract::Registry, CredentialRevoked { party, by: caller });
    Ok(())
}

/// Itself, or the relay, which has checked a signature.
fn require_actor(model: &Model, caller: Address, actor: Address) -> Result<(), Refusal> {
    require!(
        caller == actor || caller == model.addresses.relay,
        IRegistry::NotActor { caller, actor }
    );
    Ok(())
}

fn set_member(call: &setMemberCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (now, actor) = (model.now, call.actor);
    require_actor(model, caller, actor)?;
    require!(
        model.registry.has_roles(actor, role::ORGANISATION, now),
        NotOrganisation { actor }
    );
    require!(!call.member.is_zero(), ZeroAddress {});
    require!(call.member != actor, OwnMember { organisation: actor });
    require_expiry(call.expiry, now)?;
    let (given, current) = (call.serial, model.registry.member_serial(actor, call.member));
    require!(given == current, MemberSerial { given, current });
    let all = model.registry.members.entry((actor, call.member)).or_default();
    if let Some(held) = all.last_mut() {
        held.ended_at.get_or_insert(now);
    }
    all.push(Membership {
        since: now,
        expiry: end(call.expiry),
        ended_at: None,
        is_removed: false,
    });
    let event = MemberSet {
        organisation: actor,
        member: call.member,
        expiry: call.expiry,
    };
    model.tell(Contract::Registry, event);
    Ok(())
}

fn remove_member(call: &removeMemberCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (organisation, member, now) = (call.actor, call.member, model.now);
    require_actor(model, caller, organisation)?;
    let (given, current) = (call.serial, model.registry.member_serial(organisation, member));
    let held = model.registry.members.get_mut(&(organisation, member));
    let held = held
        .and_then(|all| all.last_mut())
        .filter(|held| held.ended_at.is_none())
        .ok_or(NotMember { organisation, member })?;
    require!(given == current, MemberSerial { given, current });
    held.ended_at = Some(now);
    held.is_removed = true;
    model.tell(Contract::Registry, MemberRemoved { organisation, member });
    Ok(())
}

fn publish_key(call: &publishKeyCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let actor = call.actor;
    require_actor(model, caller, actor)?;
    let length = match call.suite {
        suite::X25519 => suite::X25519_KEY_BYTES,
        suite::XWING => suite::XWING_KEY_BYTES,
        suite => return Err(UnknownSuite { suite }.into()),
    };
    require!(
        call.key.len() == length,
        KeyLength {
            suite: call.suite,
            length: U256::from(call.key.len())
        }
    );
    let now = model.now;
    let keys = model.registry.keys.entry(actor).or_default();
    let (given, next) = (call.version, keys.len() as u32 + 1);
    require!(given == next, KeyVersion { given, next });
    keys.push(Key {
        suite: call.suite,
        valid_from: now,
        revoked_at: None,
        digest: keccak256(&call.key),
    });
    let event = KeyPublished {
        party: actor,
        version: given,
        suite: call.suite,
        key: call.key.clone(),
    };
    model.tell(Contract::Registry, event);
    Ok(())
}

fn revoke_key(call: &revokeKeyCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (party, version, now) = (caller, call.version, model.now);
    let keys = model.registry.keys.entry(party).or_default();
    let latest = keys.len() as u32;
    require!((1..=latest).contains(&version), UnknownKey { party, version, latest });
    let key = &mut keys[version as usize - 1];
    if let Some(at) = key.revoked_at {
        return Err(KeyAlreadyRevoked {
            party,
            version,
            revokedAt: at,
        }
        .into());
    }
    key.revoked_at = Some(now);
    model.tell(Contract::Registry, KeyRevoked { party, version });
    Ok(())
}
