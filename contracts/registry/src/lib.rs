//! `registry`: who is credentialed, by whom, until when; who belongs to which organisation; which encryption keys are whose.
//!
//! What was so at a time past stays known: what ends is kept, and views that end in `At` answer for any time.
//! An interval is from inclusive, to exclusive; for a block's own second they tell of its end.
//!
//! Implements [`IRegistry`] of `medlock-abi`, which holds every event and error. It must never hold
//! personal data, nor a key that is not public. Start reading at [`Registry`]; how a slot is packed
//! stands in [`slots`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod slots;
#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, U32, U64};
use medlock_abi::{
    link::{self, Placeholder, linked},
    registry::IRegistry,
    terms::{TIME_MOST, credential_status as status, role, suite},
};
use medlock_calls::log;
use stylus_sdk::{
    abi::Bytes,
    prelude::*,
    storage::{StorageAddress, StorageB256, StorageMap, StorageU32, StorageVec},
};

use crate::slots::{CredentialHead, Epoch, IssuerHead, KeyHead, Membership};

/// Every error a method can answer with; the fields are documented in [`IRegistry`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    ZeroAddress(IRegistry::ZeroAddress),
    NotActor(IRegistry::NotActor),
    NotOwner(IRegistry::NotOwner),
    NotPendingOwner(IRegistry::NotPendingOwner),
    NotIssuer(IRegistry::NotIssuer),
    NotCredentialIssuer(IRegistry::NotCredentialIssuer),
    NoCredential(IRegistry::NoCredential),
    CredentialStatus(IRegistry::CredentialStatus),
    IssuerEpochEnded(IRegistry::IssuerEpochEnded),
    NoRoles(IRegistry::NoRoles),
    ExpiryInPast(IRegistry::ExpiryInPast),
    TimeTooLarge(IRegistry::TimeTooLarge),
    NotOrganisation(IRegistry::NotOrganisation),
    NotMember(IRegistry::NotMember),
    MemberSerial(IRegistry::MemberSerial),
    OwnMember(IRegistry::OwnMember),
    KeyLength(IRegistry::KeyLength),
    UnknownSuite(IRegistry::UnknownSuite),
    KeyVersion(IRegistry::KeyVersion),
    UnknownKey(IRegistry::UnknownKey),
    KeyAlreadyRevoked(IRegistry::KeyAlreadyRevoked),
}

static OWNER: Placeholder = link::OWNER;
static RELAY: Placeholder = link::RELAY;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Registry {
    /// Zero: the first one, [`OWNER`].
    owner: StorageAddress,
    /// Who may accept ownership. Zero: nobody.
    pending: StorageAddress,
    /// How many accounts have ever been issuers: the last number given.
    issuer_count: StorageU32,
    /// See [`IssuerHead`].
    issuers: StorageMap<Address, StorageB256>,
    /// By [`IssuerHead::key`]; see [`Epoch`].
    epochs: StorageMap<U64, StorageB256>,
    credentials: StorageMap<Address, Credential>,
    /// By organisation, then member.
    members: StorageMap<Address, StorageMap<Address, Member>>,
    keys: StorageMap<Address, Keys>,
}

#[storage]
pub struct Credential {
    /// See [`CredentialHead`].
    head: StorageB256,
    document: StorageB256,
    /// Those before, oldest first; ascending by the time of issue, and no two at once.
    past: StorageVec<PastCredential>,
}

#[storage]
pub struct PastCredential {
    /// See [`CredentialHead`].
    head: StorageB256,
    document: StorageB256,
}

#[storage]
pub struct Member {
    /// See [`Membership`].
    head: StorageB256,
    /// Those before, oldest first.
    past: StorageVec<StorageB256>,
}

#[storage]
pub struct Keys {
    /// 0: none published.
    latest: StorageU32,
    /// By version, from 1 to the latest.
    versions: StorageMap<U32, Key>,
}

#[storage]
pub struct Key {
    /// See [`KeyHead`].
    head: StorageB256,
    /// keccak256 of the key bytes, which stand in the event.
    digest: StorageB256,
}

/// (issuer, roles, issued at, expiry, ended at, document, status, current).
type CredentialFacts = (Address, u64, u64, u64, u64, B256, u8, bool);
/// (version, suite, valid from, revoked at, keccak256 of the key, current).
type KeyFacts = (u32, u16, u64, u64, B256, bool);

#[public]
impl Registry {
    pub fn owner(&self) -> Address {
        let owner = self.owner.get();
        if owner.is_zero() { linked(&OWNER) } else { owner }
    }

    /// Who may call in the name of whoever signed.
    pub fn relay(&self) -> Address {
        linked(&RELAY)
    }

    pub fn pending_owner(&self) -> Address {
        self.pending.get()
    }

    /// Names the next owner, who must accept. By the owner; naming themselves withdraws an offer.
    ///
    /// # Errors
    /// `NotOwner`, `ZeroAddress`.
    /// # Events
    /// `OwnershipTransferStarted`.
    pub fn transfer_ownership(&mut self, pending: Address) -> Result<(), Error> {
        let owner = self.require_owner()?;
        require_address(pending)?;
        self.pending.set(pending);
        log(self.vm(), IRegistry::OwnershipTransferStarted { owner, pending });
        Ok(())
    }

    /// Takes the ownership that was offered. By the pending owner.
    ///
    /// # Errors
    /// `NotPendingOwner`.
    /// # Events
    /// `OwnershipTransferred`.
    pub fn accept_ownership(&mut self) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        // The zero address sends no transactions, so "nobody" cannot accept.
        if caller != self.pending.get() || caller.is_zero() {
            return Err(IRegistry::NotPendingOwner { caller }.into());
        }
        let previous = self.owner();
        self.owner.set(caller);
        self.pending.set(Address::ZERO);
        log(
            self.vm(),
            IRegistry::OwnershipTransferred {
                previous,
                owner: caller,
            },
        );
        Ok(())
    }

    /// Lets an account issue credentials from now on, in its next epoch; or ends its epoch, and with it, for good,
    /// every credential of that epoch. Nothing happens where it is so already. By the owner.
    ///
    /// # Errors
    /// `NotOwner`, `ZeroAddress`.
    /// # Events
    /// `IssuerSet`.
    pub fn set_issuer(&mut self, issuer: Address, active: bool) -> Result<(), Error> {
        self.require_owner()?;
        require_address(issuer)?;
        let mut head = self.issuer_head(issuer);
        if self.is_active(head) == active {
            return Ok(());
        }
        let mut ended_at = self.now();
        if active {
            // Numbers and epochs: one more each transaction, and 2^32 of them cannot be paid for.
            if head.number == 0 {
                head.number = self.issuer_count.get().to::<u32>() + 1;
                self.issuer_count.set(U32::from(head.number));
            }
            head.epoch += 1;
            ended_at = 0;
            self.issuers.setter(issuer).set(head.to_word());
        }
        self.epochs
            .setter(U64::from(head.key()))
            .set(Epoch { issuer, ended_at }.to_word());
        log(
            self.vm(),
            IRegistry::IssuerSet {
                issuer,
                number: head.number,
                epoch: head.epoch,
                active,
            },
        );
        Ok(())
    }

    /// (number, epoch, active).
    pub fn issuer_of(&self, issuer: Address) -> (u32, u32, bool) {
        let head = self.issuer_head(issuer);
        (head.number, head.epoch, self.is_active(head))
    }

    /// Issues or replaces the credential of `party`. By an active issuer; what another issuer has issued, and
    /// has not ended or only suspended, is not replaced, since that would revoke it or undo the suspension.
    ///
    /// # Errors
    /// `NotIssuer`, `ZeroAddress`, `NoRoles`, `TimeTooLarge`, `ExpiryInPast`, `NotCredentialIssuer`.
    /// # Events
    /// `CredentialIssued`.
    pub fn issue_credential(&mut self, party: Address, roles: u64, expiry: u64, document: B256) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        let issuer = self.issuer_head(caller);
        if !self.is_active(issuer) {
            return Err(IRegistry::NotIssuer { caller }.into());
        }
        require_address(party)?;
        if roles == 0 {
            return Err(IRegistry::NoRoles {}.into());
        }
        let now = self.now();
        require_expiry(expiry, now)?;
        let mut held = self.credential_head(party);
        let epoch = self.epoch(held.issuer);
        let is_kept = matches!(held.status, status::ISSUED | status::SUSPENDED)
            && (held.expiry == 0 || now < held.expiry)
            && epoch.ended_at == 0;
        if is_kept && epoch.issuer != caller {
            return Err(IRegistry::NotCredentialIssuer {
                caller,
                issuer: epoch.issuer,
            }
            .into());
        }

        if held.status == status::ISSUED {
            held.status = status::REPLACED;
            held.ended_at = now;
        }
        let next = CredentialHead {
            issuer,
            roles,
            issued_at: now,
            expiry,
            ended_at: 0,
            status: status::ISSUED,
        };
        self.begin_credential(party, held, next, document);

        log(
            self.vm(),
            IRegistry::CredentialIssued {
                party,
                issuer: caller,
                issuerEpoch: issuer.epoch,
                roles,
                expiry,
                document,
            },
        );
        Ok(())
    }

    /// Puts the credential of `party` out of force until it is reinstated. By its issuer, active or not, or the owner.
    ///
    /// # Errors
    /// `NoCredential`, `NotCredentialIssuer`, `CredentialStatus` (suspended or revoked before).
    /// # Events
    /// `CredentialSuspended`.
    pub fn suspend_credential(&mut self, party: Address) -> Result<(), Error> {
        let (caller, mut head) = self.require_power_over(party)?;
        require_status(party, &head, status::ISSUED)?;
        head.status = status::SUSPENDED;
        head.ended_at = self.now();
        self.credentials.setter(party).head.set(head.to_word());
        log(self.vm(), IRegistry::CredentialSuspended { party, by: caller });
        Ok(())
    }

    /// Puts a suspended credential in force again, from now. By its issuer or the owner. One whose issuer was
    /// dismissed since, or that has expired, is not to be revived: a new one is wanted.
    ///
    /// # Errors
    /// `NoCredential`, `NotCredentialIssuer`, `CredentialStatus` (not suspended), `IssuerEpochEnded`, `ExpiryInPast`.
    /// # Events
    /// `CredentialReinstated`.
    pub fn reinstate_credential(&mut self, party: Address) -> Result<(), Error> {
        let (caller, held) = self.require_power_over(party)?;
        require_status(party, &held, status::SUSPENDED)?;
        let epoch = self.epoch(held.issuer);
        if epoch.ended_at != 0 {
            return Err(IRegistry::IssuerEpochEnded {
                issuer: epoch.issuer,
                epoch: held.issuer.epoch,
            }
            .into());
        }
        let now = self.now();
        require_expiry(held.expiry, now)?;

        let next = CredentialHead {
            issued_at: now,
            ended_at: 0,
            status: status::ISSUED,
            ..held
        };
        let document = self.credentials.getter(party).document.get();
        self.begin_credential(party, held, next, document);

        log(
            self.vm(),
            IRegistry::CredentialReinstated {
                party,
                issuer: epoch.issuer,
                issuerEpoch: held.issuer.epoch,
                roles: held.roles,
                expiry: held.expiry,
                document,
                by: caller,
            },
        );
        Ok(())
    }

    /// Ends the credential of `party` for good. By its issuer, active or not, or the owner.
    ///
    /// # Errors
    /// `NoCredential`, `NotCredentialIssuer`, `CredentialStatus` (revoked before).
    /// # Events
    /// `CredentialRevoked`.
    pub fn revoke_credential(&mut self, party: Address) -> Result<(), Error> {
        let (caller, mut head) = self.require_power_over(party)?;
        // A suspended one has been out of force since then, and stays so.
        if head.status != status::SUSPENDED {
            require_status(party, &head, status::ISSUED)?;
            head.ended_at = self.now();
        }
        head.status = status::REVOKED;
        self.credentials.setter(party).head.set(head.to_word());
        log(self.vm(), IRegistry::CredentialRevoked { party, by: caller });
        Ok(())
    }

    /// (issuer, roles, issued at, expiry, ended at, document, status, current). What has ended stays readable.
    pub fn credential_of(&self, party: Address) -> CredentialFacts {
        self.credential_at(party, self.now())
    }

    /// As [`Self::credential_of`], of the last one that was issued (or reinstated) at or before `at`.
    pub fn credential_at(&self, party: Address, at: u64) -> CredentialFacts {
        let (head, index) = self.find_credential(party, at);
        let credential = self.credentials.getter(party);
        let document = match index.and_then(|index| credential.past.getter(index)) {
            Some(past) => past.document.get(),
            None if head.issuer.number == 0 => B256::ZERO,
            None => credential.document.get(),
        };
        (
            self.epoch(head.issuer).issuer,
            head.roles,
            head.issued_at,
            head.expiry,
            head.ended_at,
            document,
            head.status,
            self.is_in_force(&head, at),
        )
    }

    /// True where `party` holds a current credential with every bit of `roles`.
    pub fn has_roles(&self, party: Address, roles: u64) -> bool {
        self.has_roles_at(party, roles, self.now())
    }

    /// True where `party` held a credential in force at `at` with every bit of `roles`.
    pub fn has_roles_at(&self, party: Address, roles: u64, at: u64) -> bool {
        let (head, _) = self.find_credential(party, at);
        head.roles & roles == roles && self.is_in_force(&head, at)
    }

    /// Makes `member` a member of the actor from now on, or sets another expiry. By an organisation with a current
    /// credential, for itself; by the relay, for whoever signed. Nobody asks the member, so being one is no statement of theirs.
    ///
    /// It names the serial of what it replaces: what was signed before a removal, and not submitted, brings nobody back.
    ///
    /// # Errors
    /// `NotActor`, `NotOrganisation`, `ZeroAddress`, `OwnMember`, `TimeTooLarge`, `ExpiryInPast`, `MemberSerial`.
    /// # Events
    /// `MemberSet`.
    pub fn set_member(&mut self, actor: Address, member: Address, serial: u32, expiry: u64) -> Result<(), Error> {
        self.require_actor(actor)?;
        if !self.has_roles(actor, role::ORGANISATION) {
            return Err(IRegistry::NotOrganisation { actor }.into());
        }
        require_address(member)?;
        if member == actor {
            return Err(IRegistry::OwnMember { organisation: actor }.into());
        }
        let now = self.now();
        require_expiry(expiry, now)?;
        let mut held = self.membership(actor, member);
        require_serial(serial, &held)?;

        let mut members = self.members.setter(actor);
        let mut slot = members.setter(member);
        if held.since != 0 {
            if held.ended_at == 0 {
                held.ended_at = now;
            }
            slot.past.push(held.to_word());
        }
        let next = Membership {
            since: now,
            expiry,
            ended_at: 0,
            // One more each transaction: 2^32 of them cannot be paid for.
            serial: serial + 1,
        };
        slot.head.set(next.to_word());

        log(
            self.vm(),
            IRegistry::MemberSet {
                organisation: actor,
                member,
                expiry,
            },
        );
        Ok(())
    }

    /// Ends a membership of the actor, whether or not its own credential is current. By the organisation; by the relay, for
    /// whoever signed.
    ///
    /// # Errors
    /// `NotActor`, `NotMember` (never, or removed before), `MemberSerial`.
    /// # Events
    /// `MemberRemoved`.
    pub fn remove_member(&mut self, actor: Address, member: Address, serial: u32) -> Result<(), Error> {
        self.require_actor(actor)?;
        let mut head = self.membership(actor, member);
        if head.since == 0 || head.ended_at != 0 {
            return Err(IRegistry::NotMember {
                organisation: actor,
                member,
            }
            .into());
        }
        require_serial(serial, &head)?;
        head.ended_at = self.now();
        head.serial += 1;
        let mut members = self.members.setter(actor);
        members.setter(member).head.set(head.to_word());
        log(
            self.vm(),
            IRegistry::MemberRemoved {
                organisation: actor,
                member,
            },
        );
        Ok(())
    }

    /// True where the membership is in force and the organisation's credential is current.
    pub fn is_member(&self, organisation: Address, member: Address) -> bool {
        self.may_act_for(organisation, member, 0)
    }

    /// [`Self::is_member`], as it was at `at`.
    pub fn is_member_at(&self, organisation: Address, member: Address, at: u64) -> bool {
        self.may_act_for_at(organisation, member, 0, at)
    }

    /// True where `member` is a member of an organisation that holds every bit of `roles`.
    pub fn may_act_for(&self, organisation: Address, member: Address, roles: u64) -> bool {
        self.may_act_for_at(organisation, member, roles, self.now())
    }

    /// [`Self::may_act_for`], as it was at `at`.
    pub fn may_act_for_at(&self, organisation: Address, member: Address, roles: u64, at: u64) -> bool {
        self.find_membership(organisation, member, at).stands_at(at)
            && self.has_roles_at(organisation, roles | role::ORGANISATION, at)
    }

    /// (since, expiry, ended at, serial) of the present membership or the last one.
    pub fn member_of(&self, organisation: Address, member: Address) -> (u64, u64, u64, u32) {
        let head = self.membership(organisation, member);
        (head.since, head.expiry, head.ended_at, head.serial)
    }

    /// Publishes the actor's next encryption key. By anyone, for themselves; by the relay, for whoever signed. It names the
    /// version that follows, so what was signed once is not published twice.
    ///
    /// # Errors
    /// `NotActor`, `UnknownSuite`, `KeyLength`, `KeyVersion`.
    /// # Events
    /// `KeyPublished`, with the key itself.
    pub fn publish_key(&mut self, actor: Address, version: u32, suite: u16, key: Bytes) -> Result<(), Error> {
        self.require_actor(actor)?;
        let length = match suite {
            suite::X25519 => suite::X25519_KEY_BYTES,
            suite::XWING => suite::XWING_KEY_BYTES,
            _ => return Err(IRegistry::UnknownSuite { suite }.into()),
        };
        if key.len() != length {
            return Err(IRegistry::KeyLength {
                suite,
                length: alloy_primitives::U256::from(key.len()),
            }
            .into());
        }
        // One more each transaction: 2^32 of them cannot be paid for.
        let next = self.latest_key(actor) + 1;
        if version != next {
            return Err(IRegistry::KeyVersion { given: version, next }.into());
        }
        let head = KeyHead {
            suite,
            valid_from: self.now(),
            revoked_at: 0,
        };
        let digest = self.vm().native_keccak256(&key);
        let mut keys = self.keys.setter(actor);
        keys.latest.set(U32::from(version));
        let mut slot = keys.versions.setter(U32::from(version));
        slot.head.set(head.to_word());
        slot.digest.set(digest);
        log(
            self.vm(),
            IRegistry::KeyPublished {
                party: actor,
                version,
                suite,
                key: key.0.into(),
            },
        );
        Ok(())
    }

    /// Ends one of the caller's keys for good. By its party. After the latest key no earlier one takes its place.
    ///
    /// # Errors
    /// `UnknownKey`, `KeyAlreadyRevoked`.
    /// # Events
    /// `KeyRevoked`.
    pub fn revoke_key(&mut self, version: u32) -> Result<(), Error> {
        let party = self.vm().msg_sender();
        let mut head = self.key_head(party, version);
        if head.suite == 0 {
            return Err(IRegistry::UnknownKey {
                party,
                version,
                latest: self.latest_key(party),
            }
            .into());
        }
        if head.revoked_at != 0 {
            return Err(IRegistry::KeyAlreadyRevoked {
                party,
                version,
                revokedAt: head.revoked_at,
            }
            .into());
        }
        head.revoked_at = self.now();
        let mut keys = self.keys.setter(party);
        keys.versions.setter(U32::from(version)).head.set(head.to_word());
        log(self.vm(), IRegistry::KeyRevoked { party, version });
        Ok(())
    }

    /// (version, suite, valid from, revoked at, keccak256 of the key, current) of the latest key.
    pub fn key_of(&self, party: Address) -> KeyFacts {
        self.key_facts(party, self.latest_key(party), self.now())
    }

    /// As [`Self::key_of`], of the latest key that was published at or before `at`.
    pub fn key_at(&self, party: Address, at: u64) -> KeyFacts {
        let latest = self.latest_key(party);
        let version = begun_by(at, latest, &|index| self.key_head(party, index + 1).valid_from);
        self.key_facts(party, version, at)
    }
}

impl Registry {
    fn now(&self) -> u64 {
        self.vm().block_timestamp()
    }

    fn require_actor(&self, actor: Address) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        // The relay has checked the actor's signature.
        if caller != actor && caller != linked(&RELAY) {
            return Err(IRegistry::NotActor { caller, actor }.into());
        }
        Ok(())
    }

    fn require_owner(&self) -> Result<Address, Error> {
        let caller = self.vm().msg_sender();
        if caller != self.owner() {
            return Err(IRegistry::NotOwner { caller }.into());
        }
        Ok(caller)
    }

    /// The caller and the credential of `party`, which the caller has issued or, as the owner, oversees.
    fn require_power_over(&self, party: Address) -> Result<(Address, CredentialHead), Error> {
        let caller = self.vm().msg_sender();
        let head = self.credential_head(party);
        if head.issuer.number == 0 {
            return Err(IRegistry::NoCredential { party }.into());
        }
        let issuer = self.epoch(head.issuer).issuer;
        if caller != issuer && caller != self.owner() {
            return Err(IRegistry::NotCredentialIssuer { caller, issuer }.into());
        }
        Ok((caller, head))
    }

    fn issuer_head(&self, issuer: Address) -> IssuerHead {
        IssuerHead::from_word(self.issuers.getter(issuer).get())
    }

    fn epoch(&self, issuer: IssuerHead) -> Epoch {
        Epoch::from_word(self.epochs.getter(U64::from(issuer.key())).get())
    }

    fn is_active(&self, issuer: IssuerHead) -> bool {
        issuer.number != 0 && self.epoch(issuer).ended_at == 0
    }

    fn credential_head(&self, party: Address) -> CredentialHead {
        CredentialHead::from_word(self.credentials.getter(party).head.get())
    }

    /// The last credential that began at or before `at`, and its place in the past; without one for the present.
    fn find_credential(&self, party: Address, at: u64) -> (CredentialHead, Option<u32>) {
        let credential = self.credentials.getter(party);
        let head = CredentialHead::from_word(credential.head.get());
        if head.issued_at <= at {
            return (head, None);
        }
        let past = |index: u32| match credential.past.getter(index as usize) {
            Some(past) => CredentialHead::from_word(past.head.get()),
            None => CredentialHead::default(),
        };
        match begun_by(at, credential.past.len() as u32, &|index| past(index).issued_at) {
            0 => (CredentialHead::default(), None),
            begun => (past(begun - 1), Some(begun - 1)),
        }
    }

    /// Not ended, not expired, and its issuer's epoch not ended, at `at`.
    fn is_in_force(&self, head: &CredentialHead, at: u64) -> bool {
        if !head.stands_at(at) {
            return false;
        }
        let ended_at = self.epoch(head.issuer).ended_at;
        ended_at == 0 || at < ended_at
    }

    /// Writes the present credential; `held`, if there is one, goes to the past.
    fn begin_credential(&mut self, party: Address, held: CredentialHead, next: CredentialHead, document: B256) {
        let mut credential = self.credentials.setter(party);
        if held.issuer.number != 0 {
            let held_document = credential.document.get();
            let mut past = credential.past.grow();
            past.head.set(held.to_word());
            past.document.set(held_document);
        }
        credential.head.set(next.to_word());
        credential.document.set(document);
    }

    fn membership(&self, organisation: Address, member: Address) -> Membership {
        Membership::from_word(self.members.getter(organisation).getter(member).head.get())
    }

    /// The last membership that began at or before `at`.
    fn find_membership(&self, organisation: Address, member: Address, at: u64) -> Membership {
        let head = self.membership(organisation, member);
        if head.since <= at {
            return head;
        }
        let members = self.members.getter(organisation);
        let slot = members.getter(member);
        let past = |index: u32| Membership::from_word(slot.past.get(index as usize).unwrap_or_default());
        match begun_by(at, slot.past.len() as u32, &|index| past(index).since) {
            0 => Membership::default(),
            begun => past(begun - 1),
        }
    }

    fn latest_key(&self, party: Address) -> u32 {
        self.keys.getter(party).latest.get().to::<u32>()
    }

    fn key_head(&self, party: Address, version: u32) -> KeyHead {
        let keys = self.keys.getter(party);
        KeyHead::from_word(keys.versions.getter(U32::from(version)).head.get())
    }

    fn key_facts(&self, party: Address, version: u32, at: u64) -> KeyFacts {
        let head = self.key_head(party, version);
        let keys = self.keys.getter(party);
        let digest = keys.versions.getter(U32::from(version)).digest.get();
        (
            version,
            head.suite,
            head.valid_from,
            head.revoked_at,
            digest,
            head.stands_at(at),
        )
    }
}

/// How many of `length` entries, ascending by time, began at or before `at`: at most 32 looks.
fn begun_by(at: u64, length: u32, began: &dyn Fn(u32) -> u64) -> u32 {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        if began(middle) <= at {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn require_address(address: Address) -> Result<(), Error> {
    if address.is_zero() {
        return Err(IRegistry::ZeroAddress {}.into());
    }
    Ok(())
}

/// None (0), or after `now` and small enough to be stored.
fn require_expiry(expiry: u64, now: u64) -> Result<(), Error> {
    if expiry > TIME_MOST {
        return Err(IRegistry::TimeTooLarge { time: expiry }.into());
    }
    if expiry != 0 && expiry <= now {
        return Err(IRegistry::ExpiryInPast { expiry, now }.into());
    }
    Ok(())
}

/// What the caller read is what stands.
fn require_serial(given: u32, held: &Membership) -> Result<(), Error> {
    let current = held.serial;
    if given != current {
        return Err(IRegistry::MemberSerial { given, current }.into());
    }
    Ok(())
}

fn require_status(party: Address, head: &CredentialHead, wanted: u8) -> Result<(), Error> {
    if head.status != wanted {
        return Err(IRegistry::CredentialStatus {
            party,
            status: head.status,
        }
        .into());
    }
    Ok(())
}
