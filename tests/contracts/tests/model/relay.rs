//! Operations that an account has signed, submitted by anyone. Of the three kinds of signature, ECDSA.
use std::collections::BTreeMap;

use alloy::{
    primitives::{Address, B256, Signature, U256},
    sol_types::SolStruct,
};
use medlock_abi::{
    exceptions::IExceptions,
    records::IRecords,
    registry::IRegistry,
    relay::IRelay::{self, *},
    signed,
    terms::{BATCH_MOST, emergency},
};
use medlock_anvil::CHAIN_ID;

use super::{Act, Contract, Model, Refusal, acts, require, views};

#[derive(Default)]
pub struct Relay {
    /// How often a signer cancelled all.
    pub nonces: BTreeMap<Address, u64>,
}

acts! { Relay;
    cancelAllCall => |_: &cancelAllCall, model: &mut Model, caller| -> Result<(), Refusal> { model.cancel(caller); Ok(()) },
    cancelAllBySignatureCall => cancel_all_by_signature,
    openChartCall => open_chart,
    setDirectoryCall => set_directory,
    grantCall => grant,
    revokeCall => revoke,
    revokeAllCall => revoke_all,
    addRecordsCall => add_records,
    amendRecordCall => amend_record,
    enterInErrorCall => enter_in_error,
    shredRecordCall => shred_record,
    setDelegateCall => set_delegate,
    publishKeyCall => publish_key,
    setEmergencyAccessCall => set_emergency_access,
    breakGlassCall => break_glass,
    closeEmergencyCall => close_emergency,
    setMemberCall => set_member,
    removeMemberCall => remove_member,
}

views! { Relay;
    neighboursCall => |_, model| neighboursReturn {
        registry: model.addresses.registry,
        records: model.addresses.records,
        exceptions: model.addresses.exceptions,
        claims: model.addresses.claims,
        supply: model.addresses.supply,
        trials: model.addresses.trials,
    },
    nonceOfCall => |call, model| model.relay.nonce(call.signer),
}

impl Relay {
    pub fn nonce(&self, signer: Address) -> U256 {
        U256::from(self.nonces.get(&signer).copied().unwrap_or(0))
    }
}

/// Who has signed the digest: r, s, v, with v 27 or 28 and the lower s.
pub fn signer_of(digest: B256, signature: &[u8]) -> Option<Address> {
    if signature.len() != 65 || !matches!(signature[64], 27 | 28) {
        return None;
    }
    let parsed = Signature::from_raw(signature).ok()?;
    if parsed.normalize_s().is_some() {
        return None;
    }
    parsed.recover_address_from_prehash(&digest).ok()
}

impl Model {
    fn cancel(&mut self, signer: Address) {
        *self.relay.nonces.entry(signer).or_default() += 1;
        let nonce = self.relay.nonce(signer);
        self.tell(Contract::Relay, Cancelled { signer, nonce });
    }

    fn require_signed(
        &self,
        operation: &impl SolStruct,
        signer: Address,
        nonce: U256,
        deadline: U256,
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let now = U256::from(self.now);
        require!(now <= deadline, SignatureExpired { deadline, now });
        let current = self.relay.nonce(signer);
        require!(nonce == current, SignatureCancelled { nonce, current });
        let digest = operation.eip712_signing_hash(&signed::domain(CHAIN_ID, self.addresses.relay));
        require!(signer_of(digest, signature) == Some(signer), BadSignature { signer });
        Ok(())
    }

    /// Does what the method does where the signer calls it; what it returns, the submitter does not see.
    fn act_for_signer(&mut self, method: &impl Act) -> Result<(), Refusal> {
        let relay = self.addresses.relay;
        method.act(self, relay).map(|_| ())
    }
}

/// The signature holds over the call's operation.
macro_rules! require_signed {
    ($call:ident, $model:ident) => {{
        let operation = &$call.operation;
        let (signer, nonce, deadline) = (operation.signer, operation.nonce, operation.deadline);
        $model.require_signed(operation, signer, nonce, deadline, &$call.signature)?;
        operation.clone()
    }};
}

/// Before the signature is looked at, for which each one is hashed.
fn require_batch(given: usize) -> Result<(), Refusal> {
    let (given, most) = (given as u32, BATCH_MOST as u32);
    require!(given <= most, IRelay::BatchSize { given, most });
    Ok(())
}

fn cancel_all_by_signature(call: &cancelAllBySignatureCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.cancel(operation.signer);
    Ok(())
}

fn open_chart(call: &openChartCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRecords::openChartCall {
        actor: operation.signer,
        chart: operation.chart,
        directory: operation.directory,
    })
}

fn set_directory(call: &setDirectoryCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRecords::setDirectoryCall {
        actor: operation.signer,
        chart: operation.chart,
        version: operation.version,
        directory: operation.directory,
    })
}

fn grant(call: &grantCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRecords::grantCall {
        actor: operation.signer,
        chart: operation.chart,
        directoryVersion: operation.directoryVersion,
        grantee: operation.grantee,
        serial: operation.serial,
        terms: IRecords::GrantTerms {
            compartments: operation.compartments,
            purposes: operation.purposes,
            actions: operation.actions,
            notBefore: operation.notBefore,
            expiry: operation.expiry,
        },
        keyring: operation.keyring,
    })
}

fn revoke(call: &revokeCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    require_batch(call.operation.keyrings.len())?;
    let operation = require_signed!(call, model);
    let keyrings = operation.keyrings.iter();
    model.act_for_signer(&IRecords::revokeCall {
        actor: operation.signer,
        chart: operation.chart,
        grantee: operation.grantee,
        version: operation.version,
        directory: operation.directory,
        keyrings: keyrings
            .map(|&IRelay::Resealed { grantee, keyring }| IRecords::Keyring { grantee, keyring })
            .collect(),
    })
}

fn revoke_all(call: &revokeAllCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRecords::revokeAllCall {
        actor: operation.signer,
        chart: operation.chart,
        epoch: operation.epoch,
    })
}

fn add_records(call: &addRecordsCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    require_batch(call.operation.records.len())?;
    let operation = require_signed!(call, model);
    let record = |record: &IRelay::NewRecord| IRecords::NewRecord {
        recordId: record.recordId,
        compartment: record.compartment,
        codec: record.codec,
        pointer: record.pointer,
    };
    model.act_for_signer(&IRecords::addRecordsCall {
        actor: operation.signer,
        chart: operation.chart,
        organisation: operation.organisation,
        directoryVersion: operation.directoryVersion,
        records: operation.records.iter().map(record).collect(),
    })
}

fn amend_record(call: &amendRecordCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRecords::amendRecordCall {
        actor: operation.signer,
        chart: operation.chart,
        organisation: operation.organisation,
        directoryVersion: operation.directoryVersion,
        recordId: operation.recordId,
        previous: operation.previous,
        codec: operation.codec,
        pointer: operation.pointer,
    })
}

fn enter_in_error(call: &enterInErrorCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRecords::enterInErrorCall {
        actor: operation.signer,
        chart: operation.chart,
        organisation: operation.organisation,
        recordId: operation.recordId,
        previous: operation.previous,
    })
}

fn shred_record(call: &shredRecordCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRecords::shredRecordCall {
        actor: operation.signer,
        chart: operation.chart,
        recordId: operation.recordId,
    })
}

fn set_delegate(call: &setDelegateCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IExceptions::setDelegateCall {
        actor: operation.signer,
        chart: operation.chart,
        directoryVersion: operation.directoryVersion,
        delegate: operation.delegate,
        serial: operation.serial,
        powers: operation.powers,
        expiry: operation.expiry,
    })
}

fn publish_key(call: &publishKeyCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRegistry::publishKeyCall {
        actor: operation.signer,
        version: operation.version,
        suite: operation.suite,
        key: operation.key,
    })
}

fn set_emergency_access(call: &setEmergencyAccessCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IExceptions::setEmergencyAccessCall {
        actor: operation.signer,
        chart: operation.chart,
        serial: operation.serial,
        allowed: operation.allowed,
    })
}

fn break_glass(call: &breakGlassCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    require_soon(model, call.operation.deadline)?;
    let operation = require_signed!(call, model);
    model.act_for_signer(&IExceptions::breakGlassCall {
        actor: operation.signer,
        chart: operation.chart,
        organisation: operation.organisation,
        compartments: operation.compartments,
        reasonCode: operation.reasonCode,
    })
}

fn close_emergency(call: &closeEmergencyCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    require_soon(model, call.operation.deadline)?;
    let operation = require_signed!(call, model);
    model.act_for_signer(&IExceptions::closeEmergencyCall {
        actor: operation.signer,
        chart: operation.chart,
        party: operation.party,
    })
}

/// Void before the party can break the glass again.
fn require_soon(model: &Model, deadline: U256) -> Result<(), Refusal> {
    let most = U256::from(model.now + emergency::SIGNED_S_MOST);
    require!(deadline <= most, DeadlineTooFar { deadline, most });
    Ok(())
}

fn set_member(call: &setMemberCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRegistry::setMemberCall {
        actor: operation.signer,
        member: operation.member,
        serial: operation.serial,
        expiry: operation.expiry,
    })
}

fn remove_member(call: &removeMemberCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let operation = require_signed!(call, model);
    model.act_for_signer(&IRegistry::removeMemberCall {
        actor: operation.signer,
        member: operation.member,
        serial: operation.serial,
    })
}
