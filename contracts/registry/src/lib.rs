//! `registry`: who is credentialed, by whom, until when, and with which encryption key.
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

use alloy_primitives::{Address, B256};
use medlock_abi::{
    registry::IRegistry,
    terms::{TIME_MOST, suite},
};
use stylus_sdk::{
    abi::Bytes,
    prelude::*,
    storage::{StorageAddress, StorageB256, StorageBool, StorageMap, StorageU64},
};

use crate::slots::{CredentialHead, KeyHead};

/// Every error a method can answer with; the fields are documented in [`IRegistry`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    AlreadyInitialized(IRegistry::AlreadyInitialized),
    ZeroAddress(IRegistry::ZeroAddress),
    NotOwner(IRegistry::NotOwner),
    NotPendingOwner(IRegistry::NotPendingOwner),
    NotIssuer(IRegistry::NotIssuer),
    NotCredentialIssuer(IRegistry::NotCredentialIssuer),
    NoCredential(IRegistry::NoCredential),
    NoRoles(IRegistry::NoRoles),
    ExpiryInPast(IRegistry::ExpiryInPast),
    TimeTooLarge(IRegistry::TimeTooLarge),
    KeyLength(IRegistry::KeyLength),
    UnknownSuite(IRegistry::UnknownSuite),
}

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Registry {
    /// Zero until initialised, never zero afterwards.
    owner: StorageAddress,
    /// Who may accept ownership. Zero: nobody.
    pending: StorageAddress,
    issuers: StorageMap<Address, StorageBool>,
    credentials: StorageMap<Address, Credential>,
    keys: StorageMap<Address, Key>,
}

#[storage]
pub struct Credential {
    /// See [`CredentialHead`].
    head: StorageB256,
    roles: StorageU64,
    document: StorageB256,
}

#[storage]
pub struct Key {
    /// See [`KeyHead`].
    head: StorageB256,
    /// keccak256 of the key bytes, which stand in the event.
    digest: StorageB256,
}

#[public]
impl Registry {
    /// Sets the first owner. By anyone, once: the deployer does it at once and reads it back.
    ///
    /// # Errors
    /// `AlreadyInitialized`, `ZeroAddress`.
    /// # Events
    /// `Initialized`.
    pub fn initialize(&mut self, owner: Address) -> Result<(), Error> {
        if !self.owner.get().is_zero() {
            return Err(IRegistry::AlreadyInitialized {}.into());
        }
        require_address(owner)?;
        self.owner.set(owner);
        self.vm().log(IRegistry::Initialized { owner });
        Ok(())
    }

    pub fn owner(&self) -> Address {
        self.owner.get()
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
        self.vm().log(IRegistry::OwnershipTransferStarted { owner, pending });
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
        let previous = self.owner.get();
        self.owner.set(caller);
        self.pending.set(Address::ZERO);
        self.vm().log(IRegistry::OwnershipTransferred {
            previous,
            owner: caller,
        });
        Ok(())
    }

    /// Lets an issuer issue, or ends that together with every credential it has issued. By the owner.
    ///
    /// # Errors
    /// `NotOwner`, `ZeroAddress`.
    /// # Events
    /// `IssuerSet`.
    pub fn set_issuer(&mut self, issuer: Address, active: bool) -> Result<(), Error> {
        self.require_owner()?;
        require_address(issuer)?;
        self.issuers.setter(issuer).set(active);
        self.vm().log(IRegistry::IssuerSet { issuer, active });
        Ok(())
    }

    pub fn is_issuer(&self, issuer: Address) -> bool {
        self.issuers.getter(issuer).get()
    }

    /// Issues or replaces the credential of `party`. By an active issuer; a current credential of
    /// another issuer is not replaced, since that would revoke it.
    ///
    /// # Errors
    /// `NotIssuer`, `ZeroAddress`, `NoRoles`, `TimeTooLarge`, `ExpiryInPast`, `NotCredentialIssuer`.
    /// # Events
    /// `CredentialIssued`.
    pub fn issue_credential(&mut self, party: Address, roles: u64, expiry: u64, document: B256) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        if !self.is_issuer(caller) {
            return Err(IRegistry::NotIssuer { caller }.into());
        }
        require_address(party)?;
        if roles == 0 {
            return Err(IRegistry::NoRoles {}.into());
        }
        if expiry > TIME_MOST {
            return Err(IRegistry::TimeTooLarge { time: expiry }.into());
        }
        let now = self.vm().block_timestamp();
        if expiry != 0 && expiry <= now {
            return Err(IRegistry::ExpiryInPast { expiry, now }.into());
        }
        let held = self.credential_head(party);
        if held.issuer != caller && self.is_current(&held) {
            return Err(IRegistry::NotCredentialIssuer {
                caller,
                issuer: held.issuer,
            }
            .into());
        }

        let mut credential = self.credentials.setter(party);
        credential.head.set(
            CredentialHead {
                issuer: caller,
                issued_at: now,
                expiry,
                revoked: false,
            }
            .to_word(),
        );
        credential.roles.set(alloy_primitives::U64::from(roles));
        credential.document.set(document);

        self.vm().log(IRegistry::CredentialIssued {
            party,
            issuer: caller,
            roles,
            expiry,
            document,
        });
        Ok(())
    }

    /// Ends the credential of `party` for good. By its issuer, active or not, or the owner.
    ///
    /// # Errors
    /// `NoCredential` (none, or revoked before), `NotCredentialIssuer`.
    /// # Events
    /// `CredentialRevoked`.
    pub fn revoke_credential(&mut self, party: Address) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        let mut head = self.credential_head(party);
        if head.issuer.is_zero() || head.revoked {
            return Err(IRegistry::NoCredential { party }.into());
        }
        if caller != head.issuer && caller != self.owner.get() {
            return Err(IRegistry::NotCredentialIssuer {
                caller,
                issuer: head.issuer,
            }
            .into());
        }
        head.revoked = true;
        self.credentials.setter(party).head.set(head.to_word());
        self.vm().log(IRegistry::CredentialRevoked { party, by: caller });
        Ok(())
    }

    /// (issuer, roles, issued at, expiry, document, current). A revoked credential stays readable.
    pub fn credential_of(&self, party: Address) -> (Address, u64, u64, u64, B256, bool) {
        let head = self.credential_head(party);
        let credential = self.credentials.getter(party);
        (
            head.issuer,
            credential.roles.get().to::<u64>(),
            head.issued_at,
            head.expiry,
            credential.document.get(),
            self.is_current(&head),
        )
    }

    /// True where `party` holds a current credential with every bit of `roles`.
    pub fn has_roles(&self, party: Address, roles: u64) -> bool {
        let held = self.credentials.getter(party).roles.get().to::<u64>();
        held & roles == roles && self.is_current(&self.credential_head(party))
    }

    /// Publishes the caller's next encryption key; anyone publishes for themselves.
    ///
    /// # Errors
    /// `UnknownSuite`, `KeyLength`.
    /// # Events
    /// `KeyPublished`, with the key itself.
    pub fn publish_key(&mut self, suite: u16, key: Bytes) -> Result<u32, Error> {
        if suite != suite::X25519 {
            return Err(IRegistry::UnknownSuite { suite }.into());
        }
        if key.len() != suite::X25519_KEY_BYTES {
            return Err(IRegistry::KeyLength {
                suite,
                length: alloy_primitives::U256::from(key.len()),
            }
            .into());
        }
        let party = self.vm().msg_sender();
        let valid_from = self.vm().block_timestamp();
        let digest = self.vm().native_keccak256(&key);
        let mut slot = self.keys.setter(party);
        // One more each transaction: 2^32 of them cannot be paid for.
        let version = KeyHead::from_word(slot.head.get()).version + 1;
        slot.head.set(
            KeyHead {
                version,
                suite,
                valid_from,
            }
            .to_word(),
        );
        slot.digest.set(digest);
        self.vm().log(IRegistry::KeyPublished {
            party,
            version,
            suite,
            key: key.0.into(),
        });
        Ok(version)
    }

    /// (version, suite, valid from, keccak256 of the key).
    pub fn key_of(&self, party: Address) -> (u32, u16, u64, B256) {
        let slot = self.keys.getter(party);
        let head = KeyHead::from_word(slot.head.get());
        (head.version, head.suite, head.valid_from, slot.digest.get())
    }
}

impl Registry {
    fn require_owner(&self) -> Result<Address, Error> {
        let caller = self.vm().msg_sender();
        if caller != self.owner.get() {
            return Err(IRegistry::NotOwner { caller }.into());
        }
        Ok(caller)
    }

    fn credential_head(&self, party: Address) -> CredentialHead {
        CredentialHead::from_word(self.credentials.getter(party).head.get())
    }

    /// Issued, not revoked, not expired, its issuer still active.
    fn is_current(&self, head: &CredentialHead) -> bool {
        !head.issuer.is_zero()
            && !head.revoked
            && (head.expiry == 0 || self.vm().block_timestamp() < head.expiry)
            && self.is_issuer(head.issuer)
    }
}

fn require_address(address: Address) -> Result<(), Error> {
    if address.is_zero() {
        return Err(IRegistry::ZeroAddress {}.into());
    }
    Ok(())
}
