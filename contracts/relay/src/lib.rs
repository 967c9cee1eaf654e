//! `relay`: operations that an account has signed off chain, and anyone may submit.
//!
//! It verifies who has signed and then makes one call, which it builds itself from the signed fields, to the contract concerned;
//! there `actor` is the signer. It holds no right of its own and no value. A call of a ledger it does not build: the signed bytes go as
//! they are, to one of three contracts whose every method that changes something takes its `actor` first, and that is the signer.
//!
//! Implements [`IRelay`] of `medlock-abi`, which holds every event and error. It must never forward bytes that the signer did not sign, or to
//! any other contract than a ledger, call in anyone's name but the signer's, or let a signature that `cancelAll` has voided pass. Start reading at
//! [`Relay::require_signed`]; what is signed stands in [`eip712`], what a passkey states in [`webauthn`].
//!
//! **Why nothing is used up.** Every operation names the state that it replaces (a directory's next version, a grant's or a delegation's
//! serial, a membership's, the unused ids of new records, the pointer that an amendment replaces, a key's next version; of the ledgers likewise, see their own pages), is final (a record
//! entered in error, one shredded), or, about an emergency, is void before the party's next one can begin ([`emergency::SIGNED_S_MOST`]), so it succeeds at most once, without a slot for it; and what stood before can never stand again. Of pointers that is
//! not checked here: each is the digest of an envelope that is bound to one version, and opens as no other. The signer's nonce is only compared: it counts how often they cancelled all.
//!
//! **What a failing signature leaves behind: nothing.** Whoever submits chooses the gas, so they can make an account (EIP-1271) run
//! out of it; any no reverts the whole transaction before anything was called or written, and the same signature may be submitted again.
//!
//! The SDK refuses every call into this contract while one is open. So an account that is asked for its signature and in turn asks
//! the relay something fails, and is taken to have said no.
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod eip712;
#[cfg(test)]
mod tests;
pub mod webauthn;
pub mod words;

use alloc::{string::String, vec, vec::Vec};

use alloy_primitives::{Address, B256, FixedBytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use medlock_abi::{
    exceptions::IExceptions,
    link::{self, Placeholder, linked},
    records::IRecords,
    registry::IRegistry,
    relay::{
        IRelay::{
            self, AddRecords, AmendRecord, BreakGlass, CancelAll, CloseEmergency, EnterInError, Grant, LedgerCall,
            OpenChart, PublishKey, RemoveMember, Revoke, RevokeAll, SetDelegate, SetDirectory, SetEmergencyAccess,
            SetMember, ShredRecord,
        },
        WebAuthn,
    },
    terms::{BATCH_MOST, emergency},
};
use medlock_calls::log;
use stylus_sdk::{
    abi::Bytes,
    call::call,
    prelude::*,
    storage::{StorageMap, StorageU256},
};

use crate::{eip712::Signed, words::Words};

/// Every error that the relay itself answers with; the fields are documented in [`IRelay`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    BadSignature(IRelay::BadSignature),
    SignatureExpired(IRelay::SignatureExpired),
    SignatureCancelled(IRelay::SignatureCancelled),
    DeadlineTooFar(IRelay::DeadlineTooFar),
    NotLedgerCall(IRelay::NotLedgerCall),
    BatchSize(IRelay::BatchSize),
}

/// Why an operation failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    Refused(Error),
    /// The contract concerned refused it: its revert data as it came.
    Passed(Vec<u8>),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl From<Failure> for Vec<u8> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error.into(),
            Failure::Passed(data) => data,
        }
    }
}

#[cfg(feature = "export-abi")]
impl stylus_sdk::abi::export::internal::InnerTypes for Failure {
    fn inner_types() -> Vec<stylus_sdk::abi::export::internal::InnerType> {
        Error::inner_types()
    }
}

static REGISTRY: Placeholder = link::REGISTRY;
static RECORDS: Placeholder = link::RECORDS;
static EXCEPTIONS: Placeholder = link::EXCEPTIONS;
static CLAIMS: Placeholder = link::CLAIMS;
static SUPPLY: Placeholder = link::SUPPLY;
static TRIALS: Placeholder = link::TRIALS;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Relay {
    /// By signer: how often they cancelled all.
    nonces: StorageMap<Address, StorageU256>,
}

/// ERC-5267: (fields, name, version, chain, contract, salt, extensions).
type Domain = (FixedBytes<1>, String, String, U256, Address, B256, Vec<U256>);

#[public]
impl Relay {
    /// (registry, records, exceptions, claims, supply, trials).
    pub fn neighbours(&self) -> (Address, Address, Address, Address, Address, Address) {
        (
            linked(&REGISTRY),
            linked(&RECORDS),
            linked(&EXCEPTIONS),
            linked(&CLAIMS),
            linked(&SUPPLY),
            linked(&TRIALS),
        )
    }

    /// The domain of all that is signed for this contract (ERC-5267).
    #[selector(name = "eip712Domain")]
    pub fn eip712_domain(&self) -> Domain {
        (
            // Name, version, chain and contract; no salt, no extensions.
            FixedBytes([0x0f]),
            eip712::NAME.into(),
            eip712::VERSION.into(),
            U256::from(self.vm().chain_id()),
            self.vm().contract_address(),
            B256::ZERO,
            Vec::new(),
        )
    }

    /// What the next signature of `signer` must name.
    pub fn nonce_of(&self, signer: Address) -> U256 {
        self.nonces.get(signer)
    }

    /// Voids all that the caller has signed and nobody has submitted. By anyone, for themselves.
    ///
    /// # Events
    /// `Cancelled`.
    pub fn cancel_all(&mut self) {
        self.cancel(self.vm().msg_sender());
    }

    /// As [`Self::cancel_all`], for `operation.signer`. By anyone, with their signature.
    ///
    /// # Errors
    /// As [`Self::require_signed`].
    /// # Events
    /// `Cancelled`.
    pub fn cancel_all_by_signature(&mut self, operation: Words<CancelAll, 3>, signature: Bytes) -> Result<(), Error> {
        let signed = operation.signed();
        self.require_signed(&signed, signature)?;
        self.cancel(signed.signer);
        Ok(())
    }

    /// `IRecords.openChart`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn open_chart(&mut self, operation: Words<OpenChart, 5>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&RECORDS),
            IRecords::openChartCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRecords.setDirectory`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn set_directory(&mut self, operation: Words<SetDirectory, 6>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&RECORDS),
            IRecords::setDirectoryCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRecords.grant`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn grant(&mut self, operation: Words<Grant, 13>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(linked(&RECORDS), IRecords::grantCall::SELECTOR, operation.arguments())
    }

    /// `IRecords.revoke`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// `BatchSize`, as `records` has it; as [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn revoke(&mut self, operation: Revoke, signature: Bytes) -> Result<(), Failure> {
        require_batch(operation.keyrings.len())?;
        let signed = eip712::revoke(&|bytes| self.vm().native_keccak256(bytes), &operation);
        self.require_signed(&signed, signature)?;
        let keyrings = operation
            .keyrings
            .into_iter()
            .map(|IRelay::Resealed { grantee, keyring }| IRecords::Keyring { grantee, keyring })
            .collect();
        let method = IRecords::revokeCall {
            actor: operation.signer,
            chart: operation.chart,
            grantee: operation.grantee,
            version: operation.version,
            directory: operation.directory,
            keyrings,
        };
        self.send_encoded(linked(&RECORDS), &method.abi_encode())
    }

    /// `IRecords.revokeAll`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn revoke_all(&mut self, operation: Words<RevokeAll, 5>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&RECORDS),
            IRecords::revokeAllCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRecords.addRecords`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// `BatchSize`, as `records` has it; as [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn add_records(&mut self, operation: AddRecords, signature: Bytes) -> Result<(), Failure> {
        require_batch(operation.records.len())?;
        let signed = eip712::add_records(&|bytes| self.vm().native_keccak256(bytes), &operation);
        self.require_signed(&signed, signature)?;
        let records = operation
            .records
            .into_iter()
            .map(
                |IRelay::NewRecord {
                     recordId,
                     compartment,
                     codec,
                     pointer,
                 }| IRecords::NewRecord {
                    recordId,
                    compartment,
                    codec,
                    pointer,
                },
            )
            .collect();
        let method = IRecords::addRecordsCall {
            actor: operation.signer,
            chart: operation.chart,
            organisation: operation.organisation,
            directoryVersion: operation.directoryVersion,
            records,
        };
        self.send_encoded(linked(&RECORDS), &method.abi_encode())
    }

    /// `IRecords.amendRecord`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn amend_record(&mut self, operation: Words<AmendRecord, 10>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&RECORDS),
            IRecords::amendRecordCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRecords.enterInError`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn enter_in_error(&mut self, operation: Words<EnterInError, 7>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&RECORDS),
            IRecords::enterInErrorCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRecords.shredRecord`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn shred_record(&mut self, operation: Words<ShredRecord, 5>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&RECORDS),
            IRecords::shredRecordCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IExceptions.setDelegate`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn set_delegate(&mut self, operation: Words<SetDelegate, 9>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&EXCEPTIONS),
            IExceptions::setDelegateCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRegistry.publishKey`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn publish_key(&mut self, operation: PublishKey, signature: Bytes) -> Result<(), Failure> {
        let signed = eip712::publish_key(&|bytes| self.vm().native_keccak256(bytes), &operation);
        self.require_signed(&signed, signature)?;
        let method = IRegistry::publishKeyCall {
            actor: operation.signer,
            version: operation.version,
            suite: operation.suite,
            key: operation.key,
        };
        self.send_encoded(linked(&REGISTRY), &method.abi_encode())
    }

    /// `IExceptions.setEmergencyAccess`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn set_emergency_access(
        &mut self,
        operation: Words<SetEmergencyAccess, 6>,
        signature: Bytes,
    ) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&EXCEPTIONS),
            IExceptions::setEmergencyAccessCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IExceptions.breakGlass`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// `DeadlineTooFar`; as [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn break_glass(&mut self, operation: Words<BreakGlass, 7>, signature: Bytes) -> Result<(), Failure> {
        self.about_emergency(
            operation.signed(),
            signature,
            IExceptions::breakGlassCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IExceptions.closeEmergency`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// `DeadlineTooFar`; as [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn close_emergency(&mut self, operation: Words<CloseEmergency, 5>, signature: Bytes) -> Result<(), Failure> {
        self.about_emergency(
            operation.signed(),
            signature,
            IExceptions::closeEmergencyCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRegistry.setMember`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn set_member(&mut self, operation: Words<SetMember, 6>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&REGISTRY),
            IRegistry::setMemberCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// `IRegistry.removeMember`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// As [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn remove_member(&mut self, operation: Words<RemoveMember, 5>, signature: Bytes) -> Result<(), Failure> {
        self.require_signed(&operation.signed(), signature)?;
        self.send(
            linked(&REGISTRY),
            IRegistry::removeMemberCall::SELECTOR,
            operation.arguments(),
        )
    }

    /// A method of `claims`, `supply` or `trials`. By anyone, with the signature of `operation.signer`.
    ///
    /// # Errors
    /// `NotLedgerCall`; as [`Self::require_signed`]; then those of the method that is called, unchanged.
    pub fn call_ledger(&mut self, operation: LedgerCall, signature: Bytes) -> Result<(), Failure> {
        let LedgerCall {
            signer, ledger, call, ..
        } = &operation;
        let is_ledger = [&CLAIMS, &SUPPLY, &TRIALS]
            .into_iter()
            .any(|name| linked(name) == *ledger);
        if !is_ledger || call.get(4..36) != Some(&signer.into_word()[..]) {
            return Err(IRelay::NotLedgerCall { ledger: *ledger }.into());
        }
        let signed = eip712::ledger_call(&|bytes| self.vm().native_keccak256(bytes), &operation);
        self.require_signed(&signed, signature)?;
        self.send_encoded(*ledger, call)
    }
}

impl Relay {
    /// `operation.signer` has signed it for this contract on this chain, has not cancelled it since, and its time has not passed:
    /// the second of the deadline is still in time.
    ///
    /// # Errors
    /// `SignatureExpired`, `SignatureCancelled`, `BadSignature`, in this order.
    #[inline(never)]
    fn require_signed(&self, operation: &Signed, signature: Bytes) -> Result<(), Error> {
        let &Signed {
            signer,
            nonce,
            deadline,
            ..
        } = operation;
        let now = U256::from(self.vm().block_timestamp());
        if now > deadline {
            return Err(IRelay::SignatureExpired { deadline, now }.into());
        }
        let current = self.nonces.get(signer);
        if nonce != current {
            return Err(IRelay::SignatureCancelled { nonce, current }.into());
        }
        let vm = self.vm();
        let keccak = |bytes: &[u8]| vm.native_keccak256(bytes);
        let digest = operation.digest(&keccak, vm.chain_id(), vm.contract_address());
        // The account's own key first: to ask whether it has code costs as much as to recover. Nobody has the key of a contract's
        // address; of an account with delegated code (EIP-7702) the key may do everything anyway.
        let is_signed = medlock_calls::recover(vm, digest, &signature) == Some(signer)
            || if vm.code_size(signer) > 0 {
                medlock_calls::is_valid_signature(vm, signer, digest, signature)
            } else {
                self.is_passkey_signature(signer, digest, &signature)
            };
        if !is_signed {
            return Err(IRelay::BadSignature { signer }.into());
        }
        Ok(())
    }

    /// An operation that ends with its deadline, before the party's next emergency: `exceptions` has no serial for it.
    fn about_emergency(
        &mut self,
        operation: Signed,
        signature: Bytes,
        selector: [u8; 4],
        arguments: &[B256],
    ) -> Result<(), Failure> {
        let deadline = operation.deadline;
        let most = U256::from(self.vm().block_timestamp() + emergency::SIGNED_S_MOST);
        if deadline > most {
            return Err(IRelay::DeadlineTooFar { deadline, most }.into());
        }
        self.require_signed(&operation, signature)?;
        self.send(linked(&EXCEPTIONS), selector, arguments)
    }

    /// `signature`: `abi.encode(WebAuthn)`.
    fn is_passkey_signature(&self, signer: Address, digest: B256, signature: &[u8]) -> bool {
        let vm = self.vm();
        WebAuthn::abi_decode_validate(signature).is_ok_and(|assertion| {
            webauthn::is_signed_by(
                signer,
                digest,
                &assertion,
                |bytes| vm.native_keccak256(bytes),
                |bytes| medlock_calls::sha256(vm, bytes),
                |hash, &WebAuthn { r, s, x, y, .. }| medlock_calls::p256_verify(vm, hash, r, s, x, y),
            )
        })
    }

    #[inline(never)]
    fn send(&mut self, to: Address, selector: [u8; 4], arguments: &[B256]) -> Result<(), Failure> {
        self.send_encoded(to, &[&selector[..], &arguments.concat()].concat())
    }

    /// The one call that changes state. Nothing was written before it, and nothing is afterwards.
    #[inline(never)]
    fn send_encoded(&mut self, to: Address, data: &[u8]) -> Result<(), Failure> {
        let context = Call::new_mutating(self);
        match call(self.vm(), context, to, data) {
            // What these methods return, if anything, is nothing that the submitter needs.
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Passed(error.into())),
        }
    }

    fn cancel(&mut self, signer: Address) {
        // One more each transaction: 2^256 of them cannot be paid for.
        let nonce = self.nonces.get(signer) + U256::ONE;
        self.nonces.setter(signer).set(nonce);
        log(self.vm(), IRelay::Cancelled { signer, nonce });
    }
}

/// Each keyring and each record is hashed: not before it is known how many there are. That there are none, `records` says.
fn require_batch(given: usize) -> Result<(), Error> {
    if given > BATCH_MOST {
        return Err(IRelay::BatchSize {
            // Calldata of 2^32 entries cannot be paid for.
            given: given as u32,
            most: BATCH_MOST as u32,
        }
        .into());
    }
    Ok(())
}
