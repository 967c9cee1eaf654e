//! Attacks on the contracts as they would be deployed, each by name. What stands in the way is asserted by the exact
//! revert; after each, what was attacked still stands.

mod gateways;

use alloy::{
    primitives::{Address, B256, Bytes, TxKind, U256, keccak256},
    signers::{SignerSync, local::PrivateKeySigner},
    sol,
    sol_types::{Eip712Domain, SolCall, SolError, SolEvent, SolStruct, SolValue},
};
use medlock_abi::{
    audit::IAudit,
    claims::IClaims,
    exceptions::IExceptions,
    records::IRecords,
    registry::IRegistry,
    relay::IRelay,
    signed,
    supply::ISupply,
    terms::{
        CODEC_DAG_CBOR, SERIAL_MOST, action, effect, emergency, power, purpose, reason, record_status, role, suite,
    },
    trials::ITrials,
};
use medlock_anvil::CHAIN_ID;
use medlock_contract_tests::{Contracts, Done, OWNER};
use medlock_solidity::compile;

use crate::{init_codes, world};

const CHART: B256 = B256::repeat_byte(0xc1);
const RECORD: B256 = B256::repeat_byte(0xe1);
const POINTER: B256 = B256::repeat_byte(0x71);
const KEYRING: B256 = B256::repeat_byte(0xf1);
const CLINIC: Address = Address::repeat_byte(0x02);
const INSURER: Address = Address::repeat_byte(0x03);
const STRANGER: Address = Address::repeat_byte(0x04);
const NURSE: Address = Address::repeat_byte(0x05);
const LABS: u8 = 3;
/// secp256k1's order.
const ORDER: U256 = U256::from_limbs([
    0xBFD2_5E8C_D036_4141,
    0xBAAE_DCE6_AF48_A03B,
    0xFFFF_FFFF_FFFF_FFFE,
    0xFFFF_FFFF_FFFF_FFFF,
]);

sol! {
    contract Account {
        function become(uint8 mood) external;
    }
    contract Greedy {
        function prepare(bytes calldata again) external;
        function execute(address to, bytes calldata data) external;
        function times() external view returns (uint256);
        function refusal() external view returns (bytes memory);
    }
    contract ConsentedPayout {
        error PaidBefore(bytes32 pointer);
        function pay(bytes32 chart, bytes32 recordId, address provider, uint256 amount) external;
    }
}

// ---- Signatures ----------------------------------------------------------------------------------------------------

#[test]
fn a_signed_grant_runs_once() {
    let mut stage = Stage::new();
    let grant = stage.signed_grant(|_| ());
    stage.world.must(STRANGER, stage.world.relay, grant.clone());
    assert_eq!(stage.reason(CLINIC), reason::GRANT);
    // Again: it names the serial that it has replaced.
    let again = IRecords::GrantSerial { given: 0, current: 1 };
    assert_eq!(stage.refused(STRANGER, stage.world.relay, grant), again.abi_encode());
}

#[test]
fn an_old_signed_grant_does_not_come_back_after_a_narrower_one() {
    let mut stage = Stage::new();
    let wide = stage.signed_grant(|grant| grant.compartments = u64::MAX);
    let narrow = stage.signed_grant(|grant| grant.compartments = 1 << LABS);
    stage.world.must(STRANGER, stage.world.relay, narrow);
    let overtaken = IRecords::GrantSerial { given: 0, current: 1 };
    assert_eq!(stage.refused(STRANGER, stage.world.relay, wide), overtaken.abi_encode());
    assert_eq!(stage.grant_of(CLINIC).terms.compartments, 1 << LABS);
}

#[test]
fn a_signed_grant_that_was_used_is_not_used_again_after_the_revocation() {
    let mut stage = Stage::new();
    let grant = stage.signed_grant(|_| ());
    stage.world.must(STRANGER, stage.world.relay, grant.clone());
    stage.revoke(CLINIC, 2);
    // The serial is free again, and yet: the directory has moved on.
    assert_eq!(stage.grant_of(CLINIC).serial, 0);
    let stale = IRecords::DirectoryVersion { given: 1, expected: 2 };
    assert_eq!(stage.refused(STRANGER, stage.world.relay, grant), stale.abi_encode());
    assert_eq!(stage.reason(CLINIC), reason::NO_GRANT);
}

#[test]
fn a_revocation_kills_every_signed_grant_that_nobody_has_submitted() {
    let mut stage = Stage::new();
    let to_clinic = stage.signed_grant(|_| ());
    let to_insurer = stage.signed_grant(|grant| grant.grantee = INSURER);
    let other = stage.signed_grant(|grant| grant.grantee = NURSE);
    stage.world.must(STRANGER, stage.world.relay, other);
    stage.revoke(NURSE, 2);
    let stale = IRecords::DirectoryVersion { given: 1, expected: 2 }.abi_encode();
    for grant in [to_clinic, to_insurer] {
        assert_eq!(stage.refused(STRANGER, stage.world.relay, grant), stale);
    }
    // So does a rotation.
    let grant = stage.signed_grant(|grant| grant.directoryVersion = 2);
    stage.rotate(3);
    let stale = IRecords::DirectoryVersion { given: 2, expected: 3 }.abi_encode();
    assert_eq!(stage.refused(STRANGER, stage.world.relay, grant), stale);
}

/// Also what was signed for the directory that would have been the next, and a directory itself.
#[test]
fn the_end_of_all_grants_kills_everything_that_nobody_has_submitted() {
    let mut stage = Stage::new();
    let (relay, patient) = (stage.world.relay, stage.patient());
    stage.grant(CLINIC);
    let directory = IRelay::SetDirectory {
        signer: patient,
        chart: CHART,
        version: 2,
        directory: KEYRING,
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let directory = IRelay::setDirectoryCall {
        signature: stage.sign(&directory),
        operation: directory,
    };
    let all = IRelay::RevokeAll {
        signer: patient,
        chart: CHART,
        epoch: 2,
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let all = IRelay::revokeAllCall {
        signature: stage.sign(&all),
        operation: all,
    };
    let revocation = IRelay::Revoke {
        signer: patient,
        chart: CHART,
        grantee: CLINIC,
        version: 2,
        directory: KEYRING,
        keyrings: vec![],
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let revocation = IRelay::revokeCall {
        signature: stage.sign(&revocation),
        operation: revocation,
    };
    let records = [1, 2].map(|version| stage.signed_records(version, &[RECORD]));
    let amendments = [1, 2].map(|version| stage.signed_amendment(version, POINTER, KEYRING));
    let grants = [1, 2].map(|version| stage.signed_grant(|grant| grant.directoryVersion = version));
    let delegations = [1, 2].map(|version| stage.signed_delegation(version));
    stage.world.must(STRANGER, relay, all.clone());
    assert_eq!(stage.reason(CLINIC), reason::REVOKED);

    let due = IRecords::RotationDue { chart: CHART }.abi_encode();
    for grant in grants.clone() {
        assert_eq!(stage.refused(STRANGER, relay, grant), due);
    }
    for delegation in delegations.clone() {
        assert_eq!(stage.refused(STRANGER, relay, delegation), due);
    }
    for record in records.clone() {
        assert_eq!(stage.refused(STRANGER, relay, record), due);
    }
    for amendment in amendments.clone() {
        assert_eq!(stage.refused(STRANGER, relay, amendment), due);
    }
    let no_grant = IRecords::NoGrant { grantee: CLINIC }.abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, revocation.clone()), no_grant);
    let stale = |given, expected| IRecords::DirectoryVersion { given, expected }.abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, directory.clone()), stale(2, 3));
    let again = IRecords::GrantEpoch { given: 2, expected: 3 };
    assert_eq!(stage.refused(STRANGER, relay, all), again.abi_encode());

    stage.rotate(3);
    for (grant, version) in grants.into_iter().zip([1, 2]) {
        assert_eq!(stage.refused(STRANGER, relay, grant), stale(version, 3));
    }
    for (delegation, version) in delegations.into_iter().zip([1, 2]) {
        assert_eq!(stage.refused(STRANGER, relay, delegation), stale(version, 3));
    }
    for (record, version) in records.into_iter().zip([1, 2]) {
        assert_eq!(stage.refused(STRANGER, relay, record), stale(version, 3));
    }
    for (amendment, version) in amendments.into_iter().zip([1, 2]) {
        assert_eq!(stage.refused(STRANGER, relay, amendment), stale(version, 3));
    }
    assert_eq!(stage.refused(STRANGER, relay, directory), stale(2, 4));
    assert_eq!(stage.reason(CLINIC), reason::REVOKED);
    // A grant that is given anew is not ended with keys from before.
    stage.grant(CLINIC);
    assert_eq!(stage.refused(STRANGER, relay, revocation), stale(2, 4));
    assert_eq!(stage.reason(CLINIC), reason::GRANT);
    assert_eq!(stage.powers(NURSE), 0);
}

/// Whoever has the right to: the old keys are those of grantees who lost theirs.
#[test]
fn nobody_seals_to_the_old_keys_between_the_end_of_all_grants_and_the_rotation() {
    let mut stage = Stage::new();
    let (records, exceptions, patient) = (stage.world.records, stage.world.exceptions, stage.patient());
    stage.writer(CLINIC);
    let delegation = IExceptions::setDelegateCall {
        actor: patient,
        chart: CHART,
        directoryVersion: 1,
        delegate: NURSE,
        serial: 0,
        powers: power::EVERY,
        expiry: 0,
    };
    stage.world.must(patient, exceptions, delegation);
    let own = stage.add_call(patient, vec![record(RECORD)]);
    stage.world.must(patient, records, own);
    let all = IRecords::revokeAllCall {
        actor: patient,
        chart: CHART,
        epoch: 2,
    };
    stage.world.must(patient, records, all);
    let due = IRecords::RotationDue { chart: CHART }.abi_encode();
    for actor in [patient, NURSE, CLINIC] {
        for version in [1, 2, 3] {
            let add = IRecords::addRecordsCall {
                directoryVersion: version,
                ..stage.add_call(actor, vec![record(B256::repeat_byte(0x51))])
            };
            assert_eq!(stage.refused(actor, records, add), due);
            let amend = IRecords::amendRecordCall {
                actor,
                chart: CHART,
                organisation: Address::ZERO,
                directoryVersion: version,
                recordId: RECORD,
                previous: POINTER,
                codec: CODEC_DAG_CBOR,
                pointer: KEYRING,
            };
            assert_eq!(stage.refused(actor, records, amend), due);
            let batch = IRecords::addBatchCall {
                actor,
                chart: CHART,
                organisation: Address::ZERO,
                directoryVersion: version,
                compartment: LABS,
                codec: CODEC_DAG_CBOR,
                root: B256::repeat_byte(0x52),
                count: 3,
            };
            assert_eq!(stage.refused(actor, records, batch), due);
        }
    }
    stage.rotate(3);
    let add = IRecords::addRecordsCall {
        directoryVersion: 3,
        ..stage.add_call(NURSE, vec![record(B256::repeat_byte(0x51))])
    };
    stage.world.must(NURSE, records, add);
}

/// Control may pass on in between; a second end of all grants changes neither what is due nor the version that ends it.
#[test]
fn a_rotation_that_is_due_stays_due_until_a_directory_two_versions_on() {
    let mut stage = Stage::new();
    let (records, patient) = (stage.world.records, stage.patient());
    stage.grant(CLINIC);
    for epoch in [2, 3] {
        let all = IRecords::revokeAllCall {
            actor: patient,
            chart: CHART,
            epoch,
        };
        stage.world.must(patient, records, all);
        assert!(stage.chart().rotationDue);
        assert_eq!(stage.directory_version(), 1);
    }
    let offer = IRecords::offerControlCall {
        actor: patient,
        chart: CHART,
        to: NURSE,
    };
    stage.world.must(patient, records, offer);
    let accept = |version| IRecords::acceptControlCall {
        actor: NURSE,
        chart: CHART,
        version,
        directory: KEYRING,
        keyrings: vec![],
    };
    for version in [1, 2, 4] {
        let refusal = IRecords::DirectoryVersion {
            given: version,
            expected: 3,
        };
        assert_eq!(stage.refused(NURSE, records, accept(version)), refusal.abi_encode());
        assert!(stage.chart().rotationDue);
    }
    stage.world.must(NURSE, records, accept(3));
    let chart = stage.chart();
    assert_eq!(
        (
            chart.controller,
            chart.grantEpoch,
            chart.directoryVersion,
            chart.rotationDue
        ),
        (NURSE, 3, 3, false)
    );
    let grant = stage.grant_call(NURSE, INSURER);
    stage.world.must(NURSE, records, grant);
}

#[test]
fn signed_records_are_added_once_and_all_or_none() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    let (second, third) = (B256::repeat_byte(0x51), B256::repeat_byte(0x52));
    let exists = IRecords::RecordExists { recordId: RECORD }.abi_encode();
    let both = stage.signed_records(1, &[RECORD, second]);
    stage.world.must(STRANGER, relay, both.clone());
    assert_eq!(stage.refused(STRANGER, relay, both.clone()), exists);
    // One of them is there already: the other is not added either.
    let third_first = stage.signed_records(1, &[third, RECORD]);
    assert_eq!(stage.refused(STRANGER, relay, third_first), exists);
    assert_eq!(stage.record_of(third).version, 0);
    // The id of a record that was shredded is not free again.
    for shredded in [RECORD, second] {
        let shred = IRecords::shredRecordCall {
            actor: stage.patient(),
            chart: CHART,
            recordId: shredded,
        };
        stage.world.must(stage.patient(), stage.world.records, shred);
    }
    assert_eq!(stage.refused(STRANGER, relay, both), exists);
    // None at all could be added again and again.
    let none = stage.signed_records(1, &[]);
    let refusal = IRecords::BatchSize { given: 0, most: 128 }.abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, none), refusal);
}

/// Before the first version, after the second, and beside another second.
#[test]
fn a_signed_amendment_replaces_what_it_names_and_nothing_else() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    let [second, third, other] = [0xb2, 0xb3, 0xb4].map(B256::repeat_byte);
    let first = stage.signed_amendment(1, POINTER, second);
    let rival = stage.signed_amendment(1, POINTER, other);
    let unknown = IRecords::UnknownRecord { recordId: RECORD }.abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, first.clone()), unknown);
    let added = stage.signed_records(1, &[RECORD]);
    stage.world.must(STRANGER, relay, added);
    stage.world.must(STRANGER, relay, first.clone());
    let stale = |current| {
        let given = POINTER;
        IRecords::StalePointer { given, current }.abi_encode()
    };
    for signed in [&first, &rival] {
        assert_eq!(stage.refused(STRANGER, relay, signed.clone()), stale(second));
    }
    let next = stage.signed_amendment(1, second, third);
    stage.world.must(STRANGER, relay, next);
    for signed in [&first, &rival] {
        assert_eq!(stage.refused(STRANGER, relay, signed.clone()), stale(third));
    }
    let found = stage.record_of(RECORD);
    assert_eq!((found.version, found.pointer), (3, third));
}

/// A mark names the version that its signer has read, and can be put once.
#[test]
fn a_signed_mark_of_an_error_is_not_put_on_a_corrected_version() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    let corrected = B256::repeat_byte(0xb2);
    let mark = stage.signed_error(POINTER);
    let added = stage.signed_records(1, &[RECORD]);
    stage.world.must(STRANGER, relay, added);
    let amendment = stage.signed_amendment(1, POINTER, corrected);
    stage.world.must(STRANGER, relay, amendment);
    let stale = IRecords::StalePointer {
        given: POINTER,
        current: corrected,
    };
    assert_eq!(stage.refused(STRANGER, relay, mark), stale.abi_encode());

    let mark = stage.signed_error(corrected);
    let amendment = stage.signed_amendment(1, corrected, KEYRING);
    stage.world.must(STRANGER, relay, mark.clone());
    let marked = IRecords::RecordStatus {
        recordId: RECORD,
        status: record_status::ENTERED_IN_ERROR,
    }
    .abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, mark), marked);
    assert_eq!(stage.refused(STRANGER, relay, amendment), marked);
}

#[test]
fn a_signed_shredding_is_for_good_and_the_controllers_alone() {
    let mut stage = Stage::new();
    let (relay, records, patient) = (stage.world.relay, stage.world.records, stage.patient());
    let shredding = stage.signed_shredding();
    let unknown = IRecords::UnknownRecord { recordId: RECORD }.abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, shredding.clone()), unknown);
    let added = stage.signed_records(1, &[RECORD]);
    stage.world.must(STRANGER, relay, added.clone());
    let amendment = stage.signed_amendment(1, POINTER, KEYRING);
    let mark = stage.signed_error(POINTER);
    stage.world.must(STRANGER, relay, shredding.clone());
    let shredded = IRecords::RecordStatus {
        recordId: RECORD,
        status: record_status::SHREDDED,
    }
    .abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, shredding.clone()), shredded);
    assert_eq!(stage.refused(STRANGER, relay, amendment), shredded);
    assert_eq!(stage.refused(STRANGER, relay, mark), shredded);
    let exists = IRecords::RecordExists { recordId: RECORD }.abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, added), exists);

    // Who has given control away shreds nothing by what was signed before.
    let other = B256::repeat_byte(0x51);
    let shredding = IRelay::ShredRecord {
        recordId: other,
        ..shredding.operation
    };
    let shredding = IRelay::shredRecordCall {
        signature: stage.sign(&shredding),
        operation: shredding,
    };
    let added = stage.signed_records(1, &[other]);
    stage.world.must(STRANGER, relay, added);
    let offer = IRecords::offerControlCall {
        actor: patient,
        chart: CHART,
        to: NURSE,
    };
    stage.world.must(patient, records, offer);
    let accept = IRecords::acceptControlCall {
        actor: NURSE,
        chart: CHART,
        version: 2,
        directory: KEYRING,
        keyrings: vec![],
    };
    stage.world.must(NURSE, records, accept);
    let refusal = IRecords::NotController {
        actor: patient,
        power: 0,
    };
    assert_eq!(stage.refused(STRANGER, relay, shredding), refusal.abi_encode());
}

#[test]
fn what_was_signed_for_an_emergency_serves_no_other() {
    let mut stage = Stage::new();
    let (relay, exceptions, patient) = (stage.world.relay, stage.world.exceptions, stage.patient());
    stage.credential(patient, role::PROVIDER);
    let access = |stage: &Stage, serial, allowed| {
        let operation = IRelay::SetEmergencyAccess {
            signer: stage.patient(),
            chart: CHART,
            serial,
            allowed,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        let signature = stage.sign(&operation);
        IRelay::setEmergencyAccessCall { operation, signature }
    };
    let (allowing, forbidding) = (access(&stage, 0, true), access(&stage, 1, false));
    stage.world.must(STRANGER, relay, allowing.clone());

    let start = stage.world.bare.timestamp();
    let broken = |stage: &Stage, deadline| {
        let operation = IRelay::BreakGlass {
            signer: stage.patient(),
            chart: CHART,
            organisation: Address::ZERO,
            compartments: 1 << LABS,
            reasonCode: emergency::LIFE_THREATENING,
            nonce: U256::ZERO,
            deadline,
        };
        let signature = stage.sign(&operation);
        IRelay::breakGlassCall { operation, signature }
    };
    let most = U256::from(start + emergency::SIGNED_S_MOST);
    let too_far = IRelay::DeadlineTooFar {
        deadline: most + U256::ONE,
        most,
    };
    let far = broken(&stage, most + U256::ONE);
    assert_eq!(stage.refused(STRANGER, relay, far), too_far.abi_encode());
    let breaking = broken(&stage, most);
    stage.world.must(STRANGER, relay, breaking.clone());
    let emergency_of = |stage: &Stage| {
        let call = IExceptions::emergencyOfCall {
            chart: CHART,
            party: stage.patient(),
        };
        stage.world.ask(exceptions, call)
    };
    assert_eq!(emergency_of(&stage).until, start + emergency::OPEN_S);
    let operation = IRelay::CloseEmergency {
        signer: patient,
        chart: CHART,
        party: patient,
        nonce: U256::ZERO,
        deadline: most,
    };
    let signature = stage.sign(&operation);
    let closing = IRelay::closeEmergencyCall { operation, signature };
    stage.world.bare.set_timestamp(start + 60);
    stage.world.must(STRANGER, relay, closing.clone());
    assert_eq!(emergency_of(&stage).until, start + 60);

    // As soon as the glass may be broken again, both are void.
    stage.world.bare.set_timestamp(start + emergency::AGAIN_S);
    let expired = IRelay::SignatureExpired {
        deadline: most,
        now: U256::from(start + emergency::AGAIN_S),
    };
    assert_eq!(stage.refused(STRANGER, relay, breaking), expired.abi_encode());
    assert_eq!(stage.refused(STRANGER, relay, closing), expired.abi_encode());
    // And what allowed it allows nothing once it was forbidden.
    stage.world.must(STRANGER, relay, forbidding.clone());
    for (given, again) in [(0, allowing), (1, forbidding)] {
        let stale = IExceptions::EmergencySerial { given, current: 2 };
        assert_eq!(stage.refused(STRANGER, relay, again), stale.abi_encode());
    }
}

#[test]
fn a_membership_that_was_signed_before_its_removal_is_void() {
    let mut stage = Stage::new();
    let (relay, registry, organisation) = (stage.world.relay, stage.world.registry, stage.patient());
    let set = |stage: &Stage, serial| {
        let operation = IRelay::SetMember {
            signer: stage.patient(),
            member: NURSE,
            serial,
            expiry: 0,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        let signature = stage.sign(&operation);
        IRelay::setMemberCall { operation, signature }
    };
    let first = set(&stage, 0);
    let nobody = IRegistry::NotOrganisation { actor: organisation };
    assert_eq!(stage.refused(STRANGER, relay, first.clone()), nobody.abi_encode());
    stage.credential(organisation, role::ORGANISATION | role::PROVIDER);
    stage.world.must(STRANGER, relay, first.clone());
    let is_member = |stage: &Stage| {
        let call = IRegistry::isMemberCall {
            organisation,
            member: NURSE,
        };
        stage.world.ask(registry, call)
    };
    assert!(is_member(&stage));
    let operation = IRelay::RemoveMember {
        signer: organisation,
        member: NURSE,
        serial: 1,
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let signature = stage.sign(&operation);
    let removal = IRelay::removeMemberCall { operation, signature };
    let longer = set(&stage, 1);
    stage.world.must(STRANGER, relay, removal.clone());
    assert!(!is_member(&stage));
    for (given, again) in [(0, first), (1, longer)] {
        let stale = IRegistry::MemberSerial { given, current: 2 };
        assert_eq!(stage.refused(STRANGER, relay, again), stale.abi_encode());
    }
    // A later membership is not ended by it either.
    let later = set(&stage, 2);
    stage.world.must(STRANGER, relay, later);
    let stale = IRegistry::MemberSerial { given: 1, current: 3 };
    assert_eq!(stage.refused(STRANGER, relay, removal), stale.abi_encode());
    assert!(is_member(&stage));
    let squatter = IRegistry::NotActor {
        caller: STRANGER,
        actor: organisation,
    };
    let direct = IRegistry::setMemberCall {
        actor: organisation,
        member: NURSE,
        serial: 3,
        expiry: 0,
    };
    assert_eq!(stage.refused(STRANGER, registry, direct), squatter.abi_encode());
}

#[test]
fn cancelling_kills_whatever_was_signed_before() {
    let mut stage = Stage::new();
    let grant = stage.signed_grant(|_| ());
    let open = IRelay::OpenChart {
        signer: stage.patient(),
        chart: B256::repeat_byte(0xc2),
        directory: KEYRING,
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let signature = stage.sign(&open);
    stage
        .world
        .must(stage.patient(), stage.world.relay, IRelay::cancelAllCall {});
    let cancelled = IRelay::SignatureCancelled {
        nonce: U256::ZERO,
        current: U256::ONE,
    }
    .abi_encode();
    assert_eq!(stage.refused(STRANGER, stage.world.relay, grant), cancelled);
    let open = IRelay::openChartCall {
        operation: open,
        signature,
    };
    assert_eq!(stage.refused(STRANGER, stage.world.relay, open), cancelled);
    // By signature as well, and that only once.
    let cancel = IRelay::CancelAll {
        signer: stage.patient(),
        nonce: U256::ONE,
        deadline: U256::MAX,
    };
    let signature = stage.sign(&cancel);
    let cancel = IRelay::cancelAllBySignatureCall {
        operation: cancel,
        signature,
    };
    stage.world.must(STRANGER, stage.world.relay, cancel.clone());
    let cancelled = IRelay::SignatureCancelled {
        nonce: U256::ONE,
        current: U256::from(2),
    };
    assert_eq!(
        stage.refused(STRANGER, stage.world.relay, cancel),
        cancelled.abi_encode()
    );
}

#[test]
fn a_signature_for_another_chain_contract_name_or_version_is_none_here() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    let ours = signed::domain(CHAIN_ID, relay);
    let foreign = [
        signed::domain(42_161, relay),
        signed::domain(CHAIN_ID, stage.world.records),
        Eip712Domain {
            name: Some("Medlocks".into()),
            ..ours.clone()
        },
        Eip712Domain {
            version: Some("2".into()),
            ..ours.clone()
        },
        Eip712Domain {
            salt: Some(B256::ZERO),
            ..ours
        },
    ];
    let bad = bad_signature(stage.patient());
    for domain in foreign {
        let operation = stage.grant_operation();
        let signature = sign_hash(&stage.signer, operation.eip712_signing_hash(&domain));
        let grant = IRelay::grantCall { operation, signature };
        assert_eq!(stage.refused(STRANGER, relay, grant), bad, "{domain:?}");
    }
}

#[test]
fn a_signature_fits_every_field_of_its_own_operation_alone() {
    let mut stage = Stage::new();
    let (relay, patient) = (stage.world.relay, stage.patient());
    let edits: [fn(&mut IRelay::Grant); 13] = [
        |grant| grant.signer = STRANGER,
        |grant| grant.chart = B256::repeat_byte(9),
        |grant| grant.directoryVersion = 2,
        |grant| grant.grantee = INSURER,
        |grant| grant.serial = 1,
        |grant| grant.compartments = u64::MAX,
        |grant| grant.purposes = u32::MAX,
        |grant| grant.actions = u8::MAX,
        |grant| grant.notBefore = 1,
        |grant| grant.expiry = 1 << 39,
        |grant| grant.keyring = POINTER,
        |grant| grant.nonce = U256::ONE,
        |grant| grant.deadline = U256::MAX - U256::ONE,
    ];
    for edit in edits {
        let mut grant = stage.signed_grant(|_| ());
        edit(&mut grant.operation);
        let refusal = stage.refused(STRANGER, relay, grant.clone());
        let signer = grant.operation.signer;
        let expected = if grant.operation.nonce == U256::ZERO {
            bad_signature(signer)
        } else {
            IRelay::SignatureCancelled {
                nonce: U256::ONE,
                current: U256::ZERO,
            }
            .abi_encode()
        };
        assert_eq!(refusal, expected, "{:?}", grant.operation);
    }
    // Of the same fields in another operation neither.
    let directory = IRelay::SetDirectory {
        signer: patient,
        chart: CHART,
        version: 2,
        directory: KEYRING,
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let signature = stage.sign(&directory);
    let operation = IRelay::RevokeAll {
        signer: patient,
        chart: CHART,
        epoch: 2,
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let call = IRelay::revokeAllCall { operation, signature };
    assert_eq!(stage.refused(STRANGER, relay, call), bad_signature(patient));
}

#[test]
fn a_malleable_signature_is_refused_in_every_other_form() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    let grant = stage.signed_grant(|_| ());
    let signature = grant.signature.to_vec();
    let with_v = |v: u8| [&signature[..64], &[v]].concat();
    // EIP-2098, and whatever else libraries have taken.
    let mut compact = signature[..64].to_vec();
    compact[32] |= (signature[64] - 27) << 7;
    let forms = [
        mirrored(&signature),
        with_v(signature[64] - 27),
        with_v(signature[64] + 8),
        with_v(0),
        compact,
        [signature.clone(), vec![0]].concat(),
        signature[..64].to_vec(),
        vec![],
        vec![0; 65],
        vec![0xff; 65],
    ];
    let bad = bad_signature(stage.patient());
    for form in forms {
        let call = IRelay::grantCall {
            signature: form.clone().into(),
            ..grant.clone()
        };
        assert_eq!(
            stage.refused(STRANGER, relay, call),
            bad,
            "{}",
            alloy::hex::encode(form)
        );
    }
    stage.world.must(STRANGER, relay, grant);
}

#[test]
fn nobody_signs_for_the_zero_address() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    for signature in [vec![0; 65], [vec![1; 64], vec![27]].concat(), vec![]] {
        let mut operation = stage.grant_operation();
        operation.signer = Address::ZERO;
        let call = IRelay::grantCall {
            operation,
            signature: signature.into(),
        };
        assert_eq!(stage.refused(STRANGER, relay, call), bad_signature(Address::ZERO));
    }
}

#[test]
fn a_signature_is_good_until_its_deadline_and_not_a_second_longer() {
    let mut stage = Stage::new();
    let (relay, now) = (stage.world.relay, stage.world.bare.timestamp());
    let deadline = U256::from(now + 10);
    let first = stage.signed_grant(|grant| grant.deadline = deadline);
    let second = stage.signed_grant(|grant| (grant.deadline, grant.grantee) = (deadline, INSURER));
    stage.world.bare.set_timestamp(now + 10);
    stage.world.must(STRANGER, relay, first);
    stage.world.bare.set_timestamp(now + 11);
    let late = IRelay::SignatureExpired {
        deadline,
        now: U256::from(now + 11),
    };
    assert_eq!(stage.refused(STRANGER, relay, second), late.abi_encode());
}

#[test]
fn only_the_relay_speaks_for_others() {
    let mut stage = Stage::new();
    let (patient, records, exceptions) = (stage.patient(), stage.world.records, stage.world.exceptions);
    let refusal = IRecords::NotActor {
        caller: STRANGER,
        actor: patient,
    }
    .abi_encode();
    let grant = stage.grant_call(patient, CLINIC);
    assert_eq!(stage.refused(STRANGER, records, grant), refusal);
    let revoke = stage.revoke_call(patient, CLINIC, 2);
    assert_eq!(stage.refused(STRANGER, records, revoke), refusal);
    let delegate = stage.delegate_call(patient, STRANGER, 0, power::EVERY, 0);
    assert_eq!(stage.refused(STRANGER, exceptions, delegate), refusal);
    let key = IRegistry::publishKeyCall {
        actor: patient,
        version: 1,
        suite: suite::X25519,
        key: vec![6; 32].into(),
    };
    assert_eq!(stage.refused(STRANGER, stage.world.registry, key), refusal);
}

// ---- Smart accounts ------------------------------------------------------------------------------------------------

#[test]
fn a_smart_account_that_reverts_burns_lies_or_writes_confirms_nothing() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    let account = stage.smart_account();
    stage.open_by_account(account, B256::repeat_byte(0xc5));
    let operation = IRelay::Grant {
        signer: account,
        chart: B256::repeat_byte(0xc5),
        ..stage.grant_operation()
    };
    let call = IRelay::grantCall {
        operation,
        signature: vec![1, 2, 3].into(),
    };
    // Refuses, reverts, burns, short, long, dirty, writes, asks back.
    for mood in [1, 2, 3, 4, 5, 6, 8, 9] {
        stage.become_(account, mood);
        assert_eq!(
            stage.refused(STRANGER, relay, call.clone()),
            bad_signature(account),
            "mood {mood}"
        );
    }
    stage.become_(account, 0);
    let done = stage.world.must(STRANGER, relay, call);
    assert!(done.gas < 100_000, "{} gas", done.gas);
}

#[test]
fn a_smart_account_that_burns_its_gas_costs_a_bounded_amount() {
    let mut stage = Stage::new();
    let account = stage.smart_account();
    stage.open_by_account(account, B256::repeat_byte(0xc5));
    stage.become_(account, 3);
    let operation = IRelay::Grant {
        signer: account,
        chart: B256::repeat_byte(0xc5),
        ..stage.grant_operation()
    };
    let call = IRelay::grantCall {
        operation,
        signature: vec![].into(),
    };
    let done = stage.world.send(STRANGER, stage.world.relay, call);
    assert_eq!(done.output.unwrap_err(), bad_signature(account));
    assert!(done.gas < 300_000, "{} gas", done.gas);
}

#[test]
fn a_smart_account_that_changes_its_mind_decides_each_time_and_undoes_nothing() {
    let mut stage = Stage::new();
    let relay = stage.world.relay;
    let account = stage.smart_account();
    let chart = B256::repeat_byte(0xc5);
    stage.open_by_account(account, chart);
    stage.become_(account, 7);
    let operation = IRelay::Grant {
        signer: account,
        chart,
        ..stage.grant_operation()
    };
    let call = IRelay::grantCall {
        operation,
        signature: vec![].into(),
    };
    let night = stage.world.bare.timestamp() | 1;
    stage.world.bare.set_timestamp(night);
    assert_eq!(stage.refused(STRANGER, relay, call.clone()), bad_signature(account));
    stage.world.bare.set_timestamp(night + 1);
    stage.world.must(STRANGER, relay, call.clone());
    // What is done is done; and once.
    stage.world.bare.set_timestamp(night + 2);
    assert_eq!(stage.refused(STRANGER, relay, call.clone()), bad_signature(account));
    stage.world.bare.set_timestamp(night + 3);
    let again = IRecords::GrantSerial { given: 0, current: 1 };
    assert_eq!(stage.refused(STRANGER, relay, call), again.abi_encode());
}

#[test]
fn a_key_that_became_a_contract_signs_no_more_by_itself() {
    let mut stage = Stage::new();
    let account = stage.smart_account();
    stage.become_(account, 1);
    // Nobody has the key of a contract's address; whatever a recovery says does not count where there is code.
    let operation = IRelay::Grant {
        signer: account,
        ..stage.grant_operation()
    };
    let signature = stage.sign(&operation);
    let call = IRelay::grantCall { operation, signature };
    assert_eq!(stage.refused(STRANGER, stage.world.relay, call), bad_signature(account));
}

#[test]
fn a_provider_that_calls_back_while_it_is_paid_is_paid_once() {
    let mut stage = Stage::new();
    let (records, registry) = (stage.world.records, stage.world.registry);
    let source = "tests/contracts/tests/solidity/Accounts.sol";
    let greedy = stage.world.bare.create(OWNER, compile(source, "Greedy")).unwrap();
    let purse = compile("contracts/examples/src/ConsentedPayout.sol", "ConsentedPayout");
    // The insurer is the provider itself: the worst case.
    let purse = [purse, (records, registry, greedy).abi_encode()].concat();
    let purse = stage.world.bare.create(OWNER, purse).unwrap();
    let wealth = U256::from(1_000_000);
    stage
        .world
        .bare
        .send(OWNER, TxKind::Call(purse), Bytes::new(), wealth)
        .unwrap();
    stage.credential(greedy, role::PROVIDER);
    let patient = stage.patient();
    let grant = IRecords::grantCall {
        terms: IRecords::GrantTerms {
            purposes: purpose::HPAYMT,
            ..terms()
        },
        ..stage.grant_call(patient, greedy)
    };
    stage.world.must(patient, records, grant);
    let add = stage.add_call(greedy, vec![record(RECORD)]);
    let as_itself = |to, data: Vec<u8>| Greedy::executeCall { to, data: data.into() };
    stage.world.must(STRANGER, greedy, as_itself(records, add.abi_encode()));

    let pay = ConsentedPayout::payCall {
        chart: CHART,
        recordId: RECORD,
        provider: greedy,
        amount: U256::from(1_000),
    }
    .abi_encode();
    let again = pay.clone().into();
    stage.world.must(STRANGER, greedy, Greedy::prepareCall { again });
    stage.world.must(STRANGER, greedy, as_itself(purse, pay));
    // It was called once with the money, and its call back was refused.
    assert_eq!(stage.world.ask(greedy, Greedy::timesCall {}), U256::ONE);
    let refusal = ConsentedPayout::PaidBefore { pointer: POINTER }.abi_encode();
    assert_eq!(stage.world.ask(greedy, Greedy::refusalCall {}).to_vec(), refusal);
}

// ---- Writing -------------------------------------------------------------------------------------------------------

#[test]
fn an_unverified_provider_writes_nothing_whatever_was_granted() {
    let mut stage = Stage::new();
    stage.grant(STRANGER);
    let not_credentialed = |actor, organisation| IRecords::NotCredentialed { actor, organisation }.abi_encode();
    let add = stage.add_call(STRANGER, vec![record(RECORD)]);
    let records = stage.world.records;
    assert_eq!(
        stage.refused(STRANGER, records, add.clone()),
        not_credentialed(STRANGER, Address::ZERO)
    );
    // An insurer's credential is not a provider's; a suspended one is none; one that has expired neither.
    stage.credential(STRANGER, role::INSURER);
    assert!(stage.world.send(STRANGER, records, add.clone()).output.is_err());
    stage.credential(STRANGER, role::PROVIDER);
    let suspend = IRegistry::suspendCredentialCall { party: STRANGER };
    stage.world.must(OWNER, stage.world.registry, suspend);
    assert!(stage.world.send(STRANGER, records, add.clone()).output.is_err());
    // Membership in an organisation that has no grant; a grant of an organisation that one is no member of.
    stage.credential(CLINIC, role::ORGANISATION | role::PROVIDER);
    let for_clinic = IRecords::addRecordsCall {
        organisation: CLINIC,
        ..add
    };
    let no_grant = IRecords::NotWriter {
        actor: STRANGER,
        compartment: LABS,
        reason: reason::NO_GRANT,
    };
    assert_eq!(
        stage.refused(STRANGER, records, for_clinic.clone()),
        no_grant.abi_encode()
    );
    stage.grant(CLINIC);
    assert_eq!(
        stage.refused(STRANGER, records, for_clinic.clone()),
        not_credentialed(STRANGER, CLINIC)
    );
    let member = IRegistry::setMemberCall {
        actor: CLINIC,
        member: STRANGER,
        serial: 0,
        expiry: 0,
    };
    stage.world.must(CLINIC, stage.world.registry, member);
    stage.world.must(STRANGER, records, for_clinic);
}

#[test]
fn a_record_id_is_squatted_only_by_who_may_write_and_never_taken_over() {
    let mut stage = Stage::new();
    let records = stage.world.records;
    let refused = IRecords::NotWriter {
        actor: STRANGER,
        compartment: LABS,
        reason: reason::NO_GRANT,
    };
    // Seen before it is mined, by somebody without a grant: of no use.
    let squat = stage.add_call(STRANGER, vec![record(RECORD)]);
    assert_eq!(stage.refused(STRANGER, records, squat), refused.abi_encode());
    // By another writer: the second is told so, and the first's record stands under the first's name.
    stage.writer(CLINIC);
    stage.writer(NURSE);
    let first = stage.add_call(NURSE, vec![record(RECORD)]);
    stage.world.must(NURSE, records, first);
    let second = stage.add_call(CLINIC, vec![record(B256::repeat_byte(1)), record(RECORD)]);
    let exists = IRecords::RecordExists { recordId: RECORD };
    assert_eq!(stage.refused(CLINIC, records, second), exists.abi_encode());
    assert_eq!(stage.record_of(RECORD).author, NURSE);
    assert_eq!(stage.record_of(B256::repeat_byte(1)).version, 0);
    // In a chart of the squatter's own the id is another record.
    let own = B256::repeat_byte(0xc7);
    stage.open(STRANGER, own);
    let add = IRecords::addRecordsCall {
        chart: own,
        ..stage.add_call(STRANGER, vec![record(RECORD)])
    };
    stage.world.must(STRANGER, records, add);
    assert_eq!(stage.record_of(RECORD).author, NURSE);
}

#[test]
fn a_chart_id_that_somebody_was_faster_with_is_theirs_and_the_patient_is_told() {
    let mut stage = Stage::new();
    let (records, chart) = (stage.world.records, B256::repeat_byte(0xc8));
    stage.open(STRANGER, chart);
    let open = IRecords::openChartCall {
        actor: stage.patient(),
        chart,
        directory: KEYRING,
    };
    let exists = IRecords::ChartExists { chart };
    assert_eq!(stage.refused(stage.patient(), records, open), exists.abi_encode());
}

#[test]
fn a_batch_with_one_bad_item_leaves_nothing() {
    let mut stage = Stage::new();
    stage.writer(CLINIC);
    let records = stage.world.records;
    let bad = [
        IRecords::NewRecord {
            recordId: B256::ZERO,
            ..record(RECORD)
        },
        IRecords::NewRecord {
            pointer: B256::ZERO,
            ..record(RECORD)
        },
        IRecords::NewRecord {
            compartment: 64,
            ..record(RECORD)
        },
        IRecords::NewRecord {
            compartment: LABS + 1,
            ..record(RECORD)
        },
        record(B256::repeat_byte(1)),
    ];
    for bad in bad {
        let add = stage.add_call(
            CLINIC,
            vec![record(B256::repeat_byte(1)), record(B256::repeat_byte(2)), bad],
        );
        let done = stage.world.send(CLINIC, records, add);
        assert!(done.output.is_err());
        for id in [1, 2] {
            assert_eq!(stage.record_of(B256::repeat_byte(id)).version, 0);
        }
    }
    let keyrings = vec![
        IRecords::Keyring {
            grantee: CLINIC,
            keyring: KEYRING,
        },
        IRecords::Keyring {
            grantee: STRANGER,
            keyring: KEYRING,
        },
    ];
    let patient = stage.patient();
    let revoke = IRecords::revokeAllCall {
        actor: patient,
        chart: CHART,
        epoch: 2,
    };
    let keyrings = IRecords::setKeyringsCall {
        actor: patient,
        chart: CHART,
        directoryVersion: 1,
        keyrings,
    };
    let no_grant = IRecords::NoGrant { grantee: STRANGER };
    assert_eq!(stage.refused(patient, records, keyrings), no_grant.abi_encode());
    stage.world.must(patient, records, revoke);
}

#[test]
fn a_leaf_is_taken_from_no_batch_but_its_own() {
    let mut stage = Stage::new();
    stage.writer(CLINIC);
    let records = stage.world.records;
    let leaves: Vec<_> = (1..=5u8)
        .map(|n| (B256::repeat_byte(n), B256::repeat_byte(0x40 + n)))
        .collect();
    let keccak = |bytes: &[u8]| keccak256(bytes);
    let hashes: Vec<_> = leaves
        .iter()
        .map(|(id, pointer)| medlock_merkle::leaf_of_two(keccak, *id, *pointer))
        .collect();
    let root = medlock_merkle::root(keccak, &hashes).unwrap();
    let batch = IRecords::addBatchCall {
        actor: CLINIC,
        chart: CHART,
        organisation: Address::ZERO,
        directoryVersion: 1,
        compartment: LABS,
        codec: CODEC_DAG_CBOR,
        root,
        count: 5,
    };
    // Not in a compartment that one may not write to; not twice.
    let elsewhere = IRecords::addBatchCall {
        compartment: LABS + 1,
        ..batch.clone()
    };
    assert!(stage.world.send(CLINIC, records, elsewhere).output.is_err());
    stage.world.must(CLINIC, records, batch.clone());
    let exists = IRecords::BatchExists { root };
    assert_eq!(stage.refused(CLINIC, records, batch), exists.abi_encode());

    let take = |index: usize| IRecords::takeFromBatchCall {
        chart: CHART,
        root,
        index: index as u32,
        recordId: leaves[index].0,
        pointer: leaves[index].1,
        proof: medlock_merkle::proof(keccak, &hashes, index).unwrap(),
    };
    let refusal = |id| IRecords::NotInBatch { root, recordId: id }.abi_encode();
    let own = B256::repeat_byte(0xc7);
    stage.open(STRANGER, own);
    let edits: [fn(&mut IRecords::takeFromBatchCall); 7] = [
        |take| take.chart = B256::repeat_byte(0xc7),
        |take| take.index += 1,
        |take| take.recordId = B256::repeat_byte(9),
        |take| take.pointer = B256::repeat_byte(9),
        |take| take.proof.truncate(1),
        |take| take.proof.push(B256::ZERO),
        |take| take.index = u32::MAX,
    ];
    for edit in edits {
        let mut call = take(2);
        edit(&mut call);
        let id = call.recordId;
        assert_eq!(stage.refused(STRANGER, records, call), refusal(id));
    }
    stage.world.must(STRANGER, records, take(4));
    let taken = stage.record_of(leaves[4].0);
    assert_eq!((taken.author, taken.pointer, taken.version), (CLINIC, leaves[4].1, 1));
    let exists = IRecords::RecordExists { recordId: leaves[4].0 };
    assert_eq!(stage.refused(STRANGER, records, take(4)), exists.abi_encode());
    // Shredded is shredded: the batch does not bring it back.
    let patient = stage.patient();
    let shred = IRecords::shredRecordCall {
        actor: patient,
        chart: CHART,
        recordId: leaves[4].0,
    };
    stage.world.must(patient, records, shred);
    assert_eq!(stage.refused(STRANGER, records, take(4)), exists.abi_encode());
    assert_eq!(stage.record_of(leaves[4].0).pointer, B256::ZERO);
}

// ---- Delegates, rules, emergencies ---------------------------------------------------------------------------------

#[test]
fn delegations_make_no_circle_outlive_nobody_and_end_at_a_bounded_depth() {
    let mut stage = Stage::new();
    let (exceptions, patient, now) = (stage.world.exceptions, stage.patient(), stage.world.bare.timestamp());
    let [a, b, c, d] = [0xa1, 0xa2, 0xa3, 0xa4].map(Address::repeat_byte);
    let set = |stage: &mut Stage, by, to, serial, powers, expiry| {
        let call = stage.delegate_call(by, to, serial, powers, expiry);
        stage.world.send(by, exceptions, call).output
    };
    let passing = power::READ | power::DELEGATE;
    set(&mut stage, patient, a, 0, passing, now + 100).unwrap();
    // Longer than the giver, or for ever; more than the giver has; to oneself, the controller, one's giver.
    for expiry in [now + 101, 0] {
        let outlives = IExceptions::OutlivesParent {
            expiry,
            most: now + 100,
        }
        .abi_encode();
        assert_eq!(set(&mut stage, a, b, 0, passing, expiry), Err(outlives.into()));
    }
    let powers = IExceptions::Powers {
        given: passing | power::GRANT,
        most: passing,
    };
    assert_eq!(
        set(&mut stage, a, b, 0, passing | power::GRANT, now + 100),
        Err(powers.abi_encode().into())
    );
    set(&mut stage, a, b, 0, passing, now + 100).unwrap();
    set(&mut stage, b, c, 0, passing, now + 50).unwrap();
    for (by, to) in [(a, a), (a, patient), (b, a), (c, a), (c, b)] {
        let circle = IExceptions::DelegateOfSelf { delegate: to };
        assert_eq!(
            set(&mut stage, by, to, 1, power::READ, now + 10),
            Err(circle.abi_encode().into())
        );
    }
    let deep = IExceptions::DelegateDepth { most: 3 }.abi_encode();
    assert_eq!(set(&mut stage, c, d, 0, power::READ, now + 10), Err(deep.into()));
    // Somebody else's delegate is not to be replaced.
    set(&mut stage, patient, d, 0, power::EVERY, 0).unwrap();
    let other = IExceptions::OtherParent {
        delegate: d,
        parent: patient,
    };
    assert_eq!(
        set(&mut stage, a, d, 1, power::READ, now + 10),
        Err(other.abi_encode().into())
    );
    assert_eq!(stage.powers(d), power::EVERY);

    // The middle ends: so does what hangs on it, and naming it again revives nothing.
    assert_eq!(stage.powers(c), passing);
    let remove = IExceptions::removeDelegateCall {
        actor: a,
        chart: CHART,
        delegate: b,
    };
    stage.world.must(a, exceptions, remove);
    assert_eq!((stage.powers(b), stage.powers(c)), (0, 0));
    // The removal has moved the serial on: what was signed before it is void.
    let removed = IExceptions::DelegateSerial { given: 1, current: 2 };
    assert_eq!(
        set(&mut stage, a, b, 1, passing, now + 100),
        Err(removed.abi_encode().into())
    );
    set(&mut stage, a, b, 2, passing, now + 100).unwrap();
    assert_eq!((stage.powers(b), stage.powers(c)), (passing, 0));
    // The first one's time is over: everybody's is.
    stage.world.bare.set_timestamp(now + 99);
    assert_eq!(stage.powers(b), passing);
    stage.world.bare.set_timestamp(now + 100);
    assert_eq!((stage.powers(a), stage.powers(b)), (0, 0));
    assert_eq!(stage.reason(b), reason::NO_GRANT);
}

#[test]
fn a_delegate_does_no_more_than_its_powers_and_nothing_after_a_transfer() {
    let mut stage = Stage::new();
    let (exceptions, records, patient) = (stage.world.exceptions, stage.world.records, stage.patient());
    let call = stage.delegate_call(patient, NURSE, 0, power::GRANT, 0);
    stage.world.must(patient, exceptions, call);
    let grant = stage.grant_call(NURSE, CLINIC);
    stage.world.must(NURSE, records, grant);
    let not_controller = |power| IRecords::NotController { actor: NURSE, power }.abi_encode();
    let revoke = stage.revoke_call(NURSE, CLINIC, 2);
    assert_eq!(stage.refused(NURSE, records, revoke), not_controller(power::REVOKE));
    let offer = IRecords::offerControlCall {
        actor: NURSE,
        chart: CHART,
        to: NURSE,
    };
    assert_eq!(stage.refused(NURSE, records, offer), not_controller(0));
    let add = stage.add_call(NURSE, vec![record(RECORD)]);
    let no_write = IRecords::NotWriter {
        actor: NURSE,
        compartment: LABS,
        reason: reason::NO_GRANT,
    };
    assert_eq!(stage.refused(NURSE, records, add), no_write.abi_encode());

    let offer = IRecords::offerControlCall {
        actor: patient,
        chart: CHART,
        to: INSURER,
    };
    stage.world.must(patient, records, offer);
    let accept = IRecords::acceptControlCall {
        actor: INSURER,
        chart: CHART,
        version: 2,
        directory: KEYRING,
        keyrings: vec![],
    };
    stage.world.must(INSURER, records, accept);
    let grant = IRecords::grantCall {
        directoryVersion: 2,
        ..stage.grant_call(NURSE, STRANGER)
    };
    assert_eq!(stage.refused(NURSE, records, grant), not_controller(power::GRANT));
    let back = stage.grant_call(patient, STRANGER);
    let no_more = IRecords::NotController {
        actor: patient,
        power: power::GRANT,
    };
    assert_eq!(stage.refused(patient, records, back), no_more.abi_encode());
}

#[test]
fn an_allow_rule_does_not_outlive_the_grant_that_it_was_set_beside() {
    let mut stage = Stage::new();
    let patient = stage.patient();
    stage.writer(CLINIC);
    let add = stage.add_call(CLINIC, vec![record(RECORD)]);
    stage.world.must(CLINIC, stage.world.records, add);
    let elsewhere = IRecords::GrantTerms {
        compartments: 1 << (LABS + 1),
        ..terms()
    };
    let grant = IRecords::grantCall {
        terms: elsewhere.clone(),
        ..stage.grant_call(patient, INSURER)
    };
    stage.world.must(patient, stage.world.records, grant);
    stage.rule(INSURER, effect::ALLOW);
    assert_eq!(stage.reason_of_record(INSURER, Address::ZERO), reason::RULE);
    stage.revoke(INSURER, 2);
    assert_eq!(stage.reason_of_record(INSURER, Address::ZERO), reason::NO_GRANT);
    let grant = IRecords::grantCall {
        terms: elsewhere,
        directoryVersion: 2,
        ..stage.grant_call(patient, INSURER)
    };
    stage.world.must(patient, stage.world.records, grant);
    assert_eq!(stage.reason_of_record(INSURER, Address::ZERO), reason::COMPARTMENT);
    stage.rule(INSURER, effect::ALLOW);
    assert_eq!(stage.reason_of_record(INSURER, Address::ZERO), reason::RULE);
}

#[test]
fn who_is_denied_is_denied_by_every_way_in() {
    let mut stage = Stage::new();
    let (patient, registry) = (stage.patient(), stage.world.registry);
    stage.writer(CLINIC);
    stage.credential(CLINIC, role::ORGANISATION | role::PROVIDER);
    let member = IRegistry::setMemberCall {
        actor: CLINIC,
        member: NURSE,
        serial: 0,
        expiry: 0,
    };
    stage.world.must(CLINIC, registry, member);
    let add = stage.add_call(CLINIC, vec![record(RECORD)]);
    stage.world.must(CLINIC, stage.world.records, add);
    assert_eq!(stage.reason_of_record(CLINIC, NURSE), reason::GRANT);

    // The nurse, a neighbour: not for her eyes, though she works there.
    stage.rule(NURSE, effect::DENY);
    assert_eq!(stage.reason_of_record(CLINIC, NURSE), reason::DENIED);
    assert_eq!(stage.reason_of_record(CLINIC, Address::ZERO), reason::GRANT);
    // Nor by a grant or an emergency of her own.
    stage.grant(NURSE);
    assert_eq!(stage.reason_of_record(NURSE, Address::ZERO), reason::DENIED);
    stage.revoke(NURSE, 2);
    stage.credential(NURSE, role::PROVIDER);
    stage.break_glass(NURSE);
    assert_eq!(stage.reason_for(NURSE, RECORD, purpose::ETREAT), reason::NO_GRANT);
    assert_eq!(stage.reason_for(NURSE, B256::ZERO, purpose::ETREAT), reason::EMERGENCY);
    // Nor as a delegate, who is spared by a rule for everybody only.
    let call = stage.delegate_call(patient, NURSE, 0, power::READ, 0);
    stage.world.must(patient, stage.world.exceptions, call);
    assert_eq!(stage.reason_of_record(NURSE, Address::ZERO), reason::NO_GRANT);
    stage.rule(NURSE, effect::NONE);
    stage.rule(Address::ZERO, effect::DENY);
    assert_eq!(stage.reason_of_record(NURSE, Address::ZERO), reason::DELEGATE);
    assert_eq!(stage.reason_of_record(CLINIC, Address::ZERO), reason::DENIED);
    assert_eq!(stage.reason_of_record(patient, Address::ZERO), reason::CONTROLLER);
    // A delegate does not lift what was set against them.
    let call = stage.delegate_call(patient, NURSE, 1, power::GRANT, 0);
    stage.world.must(patient, stage.world.exceptions, call);
    stage.rule(NURSE, effect::DENY);
    let lift = IExceptions::setRuleCall {
        actor: NURSE,
        chart: CHART,
        recordId: RECORD,
        grantee: NURSE,
        effect: effect::NONE,
        purposes: 0,
        actions: 0,
        expiry: 0,
    };
    let own = IExceptions::OwnRule { actor: NURSE };
    assert_eq!(stage.refused(NURSE, stage.world.exceptions, lift), own.abi_encode());
}

#[test]
fn broken_glass_needs_the_patients_leave_ends_by_itself_and_cools_down() {
    let mut stage = Stage::new();
    let (exceptions, patient, start) = (stage.world.exceptions, stage.patient(), stage.world.bare.timestamp());
    let breaking = stage.glass_call(CLINIC);
    let no_access = IExceptions::NoEmergencyAccess { chart: CHART };
    stage.credential(CLINIC, role::PROVIDER);
    assert_eq!(
        stage.refused(CLINIC, exceptions, breaking.clone()),
        no_access.abi_encode()
    );
    let allow = |serial, allowed| IExceptions::setEmergencyAccessCall {
        actor: patient,
        chart: CHART,
        serial,
        allowed,
    };
    stage.world.must(patient, exceptions, allow(0, true));
    let stranger = IExceptions::NotCredentialed {
        actor: STRANGER,
        organisation: Address::ZERO,
    };
    let by_stranger = stage.glass_call(STRANGER);
    assert_eq!(stage.refused(STRANGER, exceptions, by_stranger), stranger.abi_encode());

    stage.world.must(CLINIC, exceptions, breaking.clone());
    let reason = |stage: &Stage| stage.reason_for(CLINIC, B256::ZERO, purpose::ETREAT);
    assert_eq!(reason(&stage), reason::EMERGENCY);
    // For treatment in an emergency, reading, these compartments; nothing else.
    assert_eq!(stage.reason(CLINIC), reason::NO_GRANT);
    stage.world.bare.set_timestamp(start + emergency::OPEN_S - 1);
    assert_eq!(reason(&stage), reason::EMERGENCY);
    stage.world.bare.set_timestamp(start + emergency::OPEN_S);
    assert_eq!(reason(&stage), reason::NO_GRANT);
    stage.world.bare.set_timestamp(start + emergency::AGAIN_S - 1);
    let cooling = IExceptions::CoolDown {
        from: start + emergency::AGAIN_S,
    };
    assert_eq!(
        stage.refused(CLINIC, exceptions, breaking.clone()),
        cooling.abi_encode()
    );
    stage.world.bare.set_timestamp(start + emergency::AGAIN_S);
    stage.world.must(CLINIC, exceptions, breaking);
    assert_eq!(reason(&stage), reason::EMERGENCY);
    // Off and on again within a second: nothing comes back.
    stage.world.must(patient, exceptions, allow(1, false));
    assert_eq!(reason(&stage), reason::NO_GRANT);
    stage.world.must(patient, exceptions, allow(2, true));
    assert_eq!(reason(&stage), reason::NO_GRANT);
}

// ---- Time, counters, keys ------------------------------------------------------------------------------------------

#[test]
fn a_grant_is_in_force_from_its_first_second_until_before_its_last() {
    let mut stage = Stage::new();
    let (patient, now) = (stage.patient(), stage.world.bare.timestamp());
    let grant = IRecords::grantCall {
        terms: IRecords::GrantTerms {
            notBefore: now + 10,
            expiry: now + 20,
            ..terms()
        },
        ..stage.grant_call(patient, CLINIC)
    };
    stage.world.must(patient, stage.world.records, grant);
    for (at, expected) in [
        (9, reason::NOT_YET_VALID),
        (10, reason::GRANT),
        (19, reason::GRANT),
        (20, reason::EXPIRED),
    ] {
        stage.world.bare.set_timestamp(now + at);
        assert_eq!(stage.reason(CLINIC), expected, "at {at}");
    }
}

#[test]
fn counters_end_in_a_refusal_and_never_begin_anew() {
    let mut stage = Stage::new();
    let patient = stage.patient();
    for serial in 0..SERIAL_MOST {
        let grant = IRecords::grantCall {
            serial,
            ..stage.grant_call(patient, CLINIC)
        };
        stage.world.must(patient, stage.world.records, grant);
    }
    let grant = IRecords::grantCall {
        serial: SERIAL_MOST,
        ..stage.grant_call(patient, CLINIC)
    };
    let last = IRecords::LastSerial { grantee: CLINIC };
    assert_eq!(stage.refused(patient, stage.world.records, grant), last.abi_encode());
    stage.revoke(CLINIC, 2);
    let grant = IRecords::grantCall {
        directoryVersion: 2,
        ..stage.grant_call(patient, CLINIC)
    };
    stage.world.must(patient, stage.world.records, grant);
    assert_eq!(stage.grant_of(CLINIC).serial, 1);
}

#[test]
fn a_key_is_never_swapped_unseen() {
    let mut stage = Stage::new();
    let registry = stage.world.registry;
    let publish = |version, byte: u8| IRegistry::publishKeyCall {
        actor: CLINIC,
        version,
        suite: suite::X25519,
        key: vec![byte; 32].into(),
    };
    stage.world.must(CLINIC, registry, publish(1, 1));
    // A version stands for ever; the next one is another event.
    for version in [0, 1, 3] {
        let refusal = IRegistry::KeyVersion {
            given: version,
            next: 2,
        };
        assert_eq!(
            stage.refused(CLINIC, registry, publish(version, 2)),
            refusal.abi_encode()
        );
    }
    let held = stage.world.ask(registry, IRegistry::keyOfCall { party: CLINIC });
    assert_eq!((held.version, held.digest), (1, keccak256([1; 32])));
    let done = stage.world.must(CLINIC, registry, publish(2, 2));
    assert_eq!(done.logs.len(), 1);
    let held = stage.world.ask(registry, IRegistry::keyOfCall { party: CLINIC });
    assert_eq!((held.version, held.digest), (2, keccak256([2; 32])));
}

/// Who speaks for signers, and who says what a chart's exceptions are, stands in the code.
#[test]
fn nobody_sets_a_contract_up_anew_or_passes_for_its_neighbour() {
    let mut stage = Stage::new();
    let world = &stage.world;
    let at = [
        world.registry,
        world.records,
        world.exceptions,
        world.relay,
        world.audit,
        world.claims,
        world.supply,
        world.trials,
    ];
    let [registry, records, exceptions, relay, audit, claims, supply, trials] = at;
    // As it was called when there was one.
    for signature in [
        "initialize(address)",
        "initialize(address,address)",
        "initialize(address,address,address)",
    ] {
        let mut data = keccak256(signature)[..4].to_vec();
        data.resize(4 + 3 * 32, 0x11);
        for contract in at {
            stage.refused_in_silence(STRANGER, contract, data.clone());
        }
    }
    let world = &stage.world;
    let found = world.ask(records, IRecords::neighboursCall {});
    assert_eq!(
        (found.registry, found.exceptions, found.relay),
        (registry, exceptions, relay)
    );
    let found = world.ask(exceptions, IExceptions::neighboursCall {});
    assert_eq!((found.records, found.registry, found.relay), (records, registry, relay));
    let found = world.ask(relay, IRelay::neighboursCall {});
    assert_eq!(
        (found.registry, found.records, found.exceptions),
        (registry, records, exceptions)
    );
    assert_eq!((found.claims, found.supply, found.trials), (claims, supply, trials));
    let found = world.ask(claims, IClaims::neighboursCall {});
    assert_eq!((found.records, found.registry, found.relay), (records, registry, relay));
    let found = world.ask(supply, ISupply::neighboursCall {});
    assert_eq!((found.registry, found.relay), (registry, relay));
    let found = world.ask(trials, ITrials::neighboursCall {});
    assert_eq!((found.registry, found.relay), (registry, relay));
    assert_eq!(world.ask(registry, IRegistry::relayCall {}), relay);
    assert_eq!(world.ask(audit, IAudit::registryCall {}), registry);
    let call = IRecords::setExceptionalCall { chart: CHART };
    let refusal = IRecords::NotExceptions { caller: STRANGER };
    assert_eq!(stage.refused(STRANGER, records, call), refusal.abi_encode());
}

/// Byte for byte the code of ours, and so with our neighbours; they know another address.
#[test]
fn a_relay_that_somebody_else_has_deployed_speaks_for_nobody_here() {
    let mut stage = Stage::new();
    let patient = stage.patient();
    let deployer = Address::repeat_byte(0x06);
    let [_, _, _, init_code, ..] = init_codes().clone();
    // It is active as it stands: a chain activates code, not contracts.
    let relay = stage.world.bare.create(deployer, init_code).unwrap();
    assert_ne!(relay, stage.world.relay);
    let found = stage.world.ask(relay, IRelay::neighboursCall {});
    assert_eq!(found.records, stage.world.records);

    // The patient was talked into signing for it; every method goes by each of the three that ask who speaks.
    let domain = signed::domain(CHAIN_ID, relay);
    let grant = stage.grant_operation();
    let grant = IRelay::grantCall {
        signature: sign_hash(&stage.signer, grant.eip712_signing_hash(&domain)),
        operation: grant,
    };
    let delegation = stage.signed_delegation(1).operation;
    let delegation = IRelay::setDelegateCall {
        signature: sign_hash(&stage.signer, delegation.eip712_signing_hash(&domain)),
        operation: delegation,
    };
    let key = IRelay::PublishKey {
        signer: patient,
        version: 1,
        suite: suite::X25519,
        key: vec![6; 32].into(),
        nonce: U256::ZERO,
        deadline: U256::MAX,
    };
    let key = IRelay::publishKeyCall {
        signature: sign_hash(&stage.signer, key.eip712_signing_hash(&domain)),
        operation: key,
    };
    let refusal = IRecords::NotActor {
        caller: relay,
        actor: patient,
    }
    .abi_encode();
    assert_eq!(stage.refused(STRANGER, relay, grant.clone()), refusal);
    assert_eq!(stage.refused(STRANGER, relay, delegation), refusal);
    assert_eq!(stage.refused(STRANGER, relay, key), refusal);
    // What was signed for one is nothing to the other.
    let bad = bad_signature(patient);
    assert_eq!(stage.refused(STRANGER, stage.world.relay, grant), bad);
    let ours = stage.signed_grant(|_| ());
    assert_eq!(stage.refused(STRANGER, relay, ours.clone()), bad);
    stage.world.must(STRANGER, stage.world.relay, ours);
}

#[test]
fn lengths_that_lie_are_refused_and_never_a_trap_that_keeps_something() {
    let mut stage = Stage::new();
    let records = stage.world.records;
    let patient = stage.patient();
    let good = IRecords::addRecordsCall {
        actor: patient,
        ..stage.add_call(patient, vec![record(RECORD), record(B256::repeat_byte(1))])
    }
    .abi_encode();
    // Cut anywhere; a length, or an offset, of 2^255, of 2^32, one more than there is.
    for cut in [4, 5, 35, 36, 100, good.len() - 32, good.len() - 1] {
        stage.refused_in_silence(patient, records, good[..cut].to_vec());
    }
    for word in [4, 5] {
        for value in [U256::ONE << 255, U256::from(1u64 << 32), U256::from(3), U256::MAX] {
            let mut lying = good.clone();
            lying[4 + word * 32..][..32].copy_from_slice(&value.to_be_bytes::<32>());
            stage.refused_in_silence(patient, records, lying);
        }
    }
    // Dirt above an address, a byte, a bool.
    let mut dirty = good.clone();
    dirty[4] = 1;
    stage.refused_in_silence(patient, records, dirty);
    assert_eq!(stage.record_of(RECORD).version, 0);
    // Value with a call, and no function at all.
    for (data, value) in [
        (good.clone(), 1),
        (vec![], 0),
        (vec![], 1),
        (vec![1, 2, 3], 0),
        (vec![9; 40], 0),
    ] {
        let result = stage
            .world
            .bare
            .send(patient, TxKind::Call(records), data, U256::from(value));
        assert!(!result.unwrap().is_success());
    }
    let done = stage.world.send_raw(patient, records, good);
    assert!(done.output.is_ok());
}

/// What a dictionary might be tried on: whatever stands on chain. Each is random, a digest of something that holds a secret
/// or random bytes, or says nothing of the patient; the client's own tests prove it of the client's values.
#[test]
fn nothing_that_is_stored_or_logged_is_a_plain_hash_of_what_can_be_guessed() {
    let mut stage = Stage::new();
    stage.writer(CLINIC);
    let add = stage.add_call(CLINIC, vec![record(RECORD)]);
    let done = stage.world.must(CLINIC, stage.world.records, add);
    let said: Vec<u8> = done
        .logs
        .iter()
        .flat_map(|log| [log.data.topics().concat(), log.data.data.to_vec()].concat())
        .collect();
    // Of a hundred million guessable names none: what is logged are the caller's words, addresses and small numbers, no hash
    // that the contract has computed of any of them.
    let words: Vec<_> = said.chunks(32).map(B256::from_slice).collect();
    let known = [
        IRecords::RecordAdded::SIGNATURE_HASH,
        CHART,
        RECORD,
        CLINIC.into_word(),
        B256::with_last_byte(LABS),
        B256::with_last_byte(CODEC_DAG_CBOR),
        POINTER,
    ];
    for word in words {
        assert!(known.contains(&word), "{word} was said by nobody");
    }
}

// ---- The stage -----------------------------------------------------------------------------------------------------

/// The contracts with one open chart, whose controller has a key that signs.
struct Stage {
    world: Contracts,
    signer: PrivateKeySigner,
}

impl Stage {
    fn new() -> Self {
        let mut stage = Self {
            world: world(),
            signer: PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).unwrap(),
        };
        stage.open(stage.patient(), CHART);
        let call = IRegistry::setIssuerCall {
            issuer: OWNER,
            active: true,
        };
        stage.world.must(OWNER, stage.world.registry, call);
        stage
    }

    fn patient(&self) -> Address {
        self.signer.address()
    }

    #[track_caller]
    fn refused(&mut self, from: Address, to: Address, call: impl SolCall) -> Vec<u8> {
        let Done { output, .. } = self.world.send(from, to, call);
        output.expect_err("it was done").to_vec()
    }

    /// The SDK refuses malformed calldata without a word; nothing of it may stay.
    #[track_caller]
    fn refused_in_silence(&mut self, from: Address, to: Address, data: Vec<u8>) {
        let result = self.world.bare.send(from, TxKind::Call(to), data, U256::ZERO).unwrap();
        assert!(
            matches!(&result, revm::context::result::ExecutionResult::Revert { output, .. } if output.is_empty()),
            "{result:?}"
        );
    }

    fn open(&mut self, actor: Address, chart: B256) {
        let call = IRecords::openChartCall {
            actor,
            chart,
            directory: B256::repeat_byte(0xd1),
        };
        self.world.must(actor, self.world.records, call);
    }

    fn sign<T: SolStruct>(&self, operation: &T) -> Bytes {
        let domain = signed::domain(CHAIN_ID, self.world.relay);
        sign_hash(&self.signer, operation.eip712_signing_hash(&domain))
    }

    fn grant_operation(&self) -> IRelay::Grant {
        let terms = terms();
        IRelay::Grant {
            signer: self.patient(),
            chart: CHART,
            directoryVersion: 1,
            grantee: CLINIC,
            serial: 0,
            compartments: terms.compartments,
            purposes: terms.purposes,
            actions: terms.actions,
            notBefore: terms.notBefore,
            expiry: terms.expiry,
            keyring: KEYRING,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        }
    }

    fn signed_grant(&self, edit: impl Fn(&mut IRelay::Grant)) -> IRelay::grantCall {
        let mut operation = self.grant_operation();
        edit(&mut operation);
        let signature = self.sign(&operation);
        IRelay::grantCall { operation, signature }
    }

    fn grant_call(&self, actor: Address, grantee: Address) -> IRecords::grantCall {
        IRecords::grantCall {
            actor,
            chart: CHART,
            directoryVersion: self.directory_version(),
            grantee,
            serial: 0,
            terms: terms(),
            keyring: KEYRING,
        }
    }

    fn grant(&mut self, grantee: Address) {
        let call = self.grant_call(self.patient(), grantee);
        self.world.must(self.patient(), self.world.records, call);
    }

    fn revoke_call(&self, actor: Address, grantee: Address, version: u32) -> IRecords::revokeCall {
        IRecords::revokeCall {
            actor,
            chart: CHART,
            grantee,
            version,
            directory: B256::repeat_byte(0xd0 + version as u8),
            keyrings: vec![],
        }
    }

    fn rotate(&mut self, version: u32) {
        let call = IRecords::setDirectoryCall {
            actor: self.patient(),
            chart: CHART,
            version,
            directory: B256::repeat_byte(0xd3),
        };
        self.world.must(self.patient(), self.world.records, call);
    }

    /// Of the nurse.
    fn signed_delegation(&self, version: u32) -> IRelay::setDelegateCall {
        let operation = IRelay::SetDelegate {
            signer: self.patient(),
            chart: CHART,
            directoryVersion: version,
            delegate: NURSE,
            serial: 0,
            powers: power::EVERY,
            expiry: 0,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        IRelay::setDelegateCall {
            signature: self.sign(&operation),
            operation,
        }
    }

    /// The patient's own.
    fn signed_records(&self, version: u32, ids: &[B256]) -> IRelay::addRecordsCall {
        let record = |&id: &B256| IRelay::NewRecord {
            recordId: id,
            compartment: LABS,
            codec: CODEC_DAG_CBOR,
            pointer: POINTER,
        };
        let operation = IRelay::AddRecords {
            signer: self.patient(),
            chart: CHART,
            organisation: Address::ZERO,
            directoryVersion: version,
            records: ids.iter().map(record).collect(),
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        IRelay::addRecordsCall {
            signature: self.sign(&operation),
            operation,
        }
    }

    /// Of the record, by its patient.
    fn signed_amendment(&self, version: u32, previous: B256, pointer: B256) -> IRelay::amendRecordCall {
        let operation = IRelay::AmendRecord {
            signer: self.patient(),
            chart: CHART,
            organisation: Address::ZERO,
            directoryVersion: version,
            recordId: RECORD,
            previous,
            codec: CODEC_DAG_CBOR,
            pointer,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        IRelay::amendRecordCall {
            signature: self.sign(&operation),
            operation,
        }
    }

    /// That the record was entered in error.
    fn signed_error(&self, previous: B256) -> IRelay::enterInErrorCall {
        let operation = IRelay::EnterInError {
            signer: self.patient(),
            chart: CHART,
            organisation: Address::ZERO,
            recordId: RECORD,
            previous,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        IRelay::enterInErrorCall {
            signature: self.sign(&operation),
            operation,
        }
    }

    fn signed_shredding(&self) -> IRelay::shredRecordCall {
        let operation = IRelay::ShredRecord {
            signer: self.patient(),
            chart: CHART,
            recordId: RECORD,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        IRelay::shredRecordCall {
            signature: self.sign(&operation),
            operation,
        }
    }

    fn revoke(&mut self, grantee: Address, version: u32) {
        let call = self.revoke_call(self.patient(), grantee, version);
        self.world.must(self.patient(), self.world.records, call);
    }

    fn credential(&mut self, party: Address, roles: u64) {
        let call = IRegistry::issueCredentialCall {
            party,
            roles,
            expiry: 0,
            document: KEYRING,
        };
        self.world.must(OWNER, self.world.registry, call);
    }

    /// A provider with a grant.
    fn writer(&mut self, party: Address) {
        self.credential(party, role::PROVIDER);
        self.grant(party);
    }

    fn add_call(&self, actor: Address, records: Vec<IRecords::NewRecord>) -> IRecords::addRecordsCall {
        IRecords::addRecordsCall {
            actor,
            chart: CHART,
            organisation: Address::ZERO,
            directoryVersion: self.directory_version(),
            records,
        }
    }

    fn delegate_call(
        &self,
        actor: Address,
        delegate: Address,
        serial: u32,
        powers: u8,
        expiry: u64,
    ) -> IExceptions::setDelegateCall {
        IExceptions::setDelegateCall {
            actor,
            chart: CHART,
            directoryVersion: self.directory_version(),
            delegate,
            serial,
            powers,
            expiry,
        }
    }

    fn powers(&self, delegate: Address) -> u8 {
        let call = IExceptions::powersOfCall { chart: CHART, delegate };
        self.world.ask(self.world.exceptions, call)
    }

    /// A rule of the patient's about the record, for reading.
    fn rule(&mut self, grantee: Address, effect: u8) {
        let is_rule = effect != effect::NONE;
        let call = IExceptions::setRuleCall {
            actor: self.patient(),
            chart: CHART,
            recordId: RECORD,
            grantee,
            effect,
            purposes: if is_rule { u32::MAX } else { 0 },
            actions: if is_rule { action::READ } else { 0 },
            expiry: 0,
        };
        self.world.must(self.patient(), self.world.exceptions, call);
    }

    fn glass_call(&self, actor: Address) -> IExceptions::breakGlassCall {
        IExceptions::breakGlassCall {
            actor,
            chart: CHART,
            organisation: Address::ZERO,
            compartments: 1 << LABS,
            reasonCode: emergency::LIFE_THREATENING,
        }
    }

    fn break_glass(&mut self, party: Address) {
        let allow = IExceptions::setEmergencyAccessCall {
            actor: self.patient(),
            chart: CHART,
            serial: 0,
            allowed: true,
        };
        self.world.must(self.patient(), self.world.exceptions, allow);
        let call = self.glass_call(party);
        self.world.must(party, self.world.exceptions, call);
    }

    fn smart_account(&mut self) -> Address {
        let code = compile("tests/contracts/tests/solidity/Accounts.sol", "Account");
        let code = [code, self.world.relay.abi_encode()].concat();
        self.world.bare.create(OWNER, code).unwrap()
    }

    /// By the relay, as a contract sends no transactions; the account confirms everything.
    fn open_by_account(&mut self, account: Address, chart: B256) {
        let operation = IRelay::OpenChart {
            signer: account,
            chart,
            directory: KEYRING,
            nonce: U256::ZERO,
            deadline: U256::MAX,
        };
        let signature = Bytes::new();
        let call = IRelay::openChartCall { operation, signature };
        self.world.must(STRANGER, self.world.relay, call);
    }

    fn become_(&mut self, account: Address, mood: u8) {
        self.world.must(STRANGER, account, Account::becomeCall { mood });
    }

    fn chart(&self) -> IRecords::chartOfReturn {
        let call = IRecords::chartOfCall { chart: CHART };
        self.world.ask(self.world.records, call)
    }

    fn directory_version(&self) -> u32 {
        self.chart().directoryVersion
    }

    fn grant_of(&self, grantee: Address) -> IRecords::grantOfReturn {
        let call = IRecords::grantOfCall { chart: CHART, grantee };
        self.world.ask(self.world.records, call)
    }

    fn record_of(&self, record: B256) -> IRecords::recordOfReturn {
        let call = IRecords::recordOfCall {
            chart: CHART,
            recordId: record,
        };
        self.world.ask(self.world.records, call)
    }

    /// Why `grantee` may or may not read the labs for treatment.
    fn reason(&self, grantee: Address) -> u8 {
        self.reason_for(grantee, B256::ZERO, purpose::TREAT)
    }

    fn reason_for(&self, grantee: Address, record: B256, purpose: u32) -> u8 {
        self.decide(grantee, Address::ZERO, record, purpose)
    }

    fn reason_of_record(&self, grantee: Address, member: Address) -> u8 {
        self.decide(grantee, member, RECORD, purpose::TREAT)
    }

    fn decide(&self, grantee: Address, member: Address, record: B256, purpose: u32) -> u8 {
        let question = IRecords::Question {
            chart: CHART,
            grantee,
            member,
            compartment: LABS,
            recordId: record,
            purpose,
            action: action::READ,
        };
        let answer = self.world.ask(self.world.records, IRecords::decideCall { question });
        assert_eq!(answer.allowed, reason::is_allowed(answer.reason));
        answer.reason
    }
}

fn sign_hash(signer: &PrivateKeySigner, hash: B256) -> Bytes {
    signer.sign_hash_sync(&hash).unwrap().as_bytes().to_vec().into()
}

/// The other of the two signatures that say the same, with the higher s.
fn mirrored(signature: &[u8]) -> Vec<u8> {
    let s = U256::from_be_slice(&signature[32..64]);
    [
        &signature[..32],
        &(ORDER - s).to_be_bytes::<32>(),
        &[if signature[64] == 27 { 28 } else { 27 }],
    ]
    .concat()
}

fn bad_signature(signer: Address) -> Vec<u8> {
    IRelay::BadSignature { signer }.abi_encode()
}

fn terms() -> IRecords::GrantTerms {
    IRecords::GrantTerms {
        compartments: 1 << LABS,
        purposes: purpose::TREAT,
        actions: action::READ | action::WRITE,
        notBefore: 0,
        expiry: 0,
    }
}

fn record(id: B256) -> IRecords::NewRecord {
    IRecords::NewRecord {
        recordId: id,
        compartment: LABS,
        codec: CODEC_DAG_CBOR,
        pointer: POINTER,
    }
}
