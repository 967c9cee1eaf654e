//! `claims`, with a real chart, real grants and real credentials, and tokens of every kind.
use std::sync::OnceLock;

use alloy::{
    primitives::{Address, B256, U256},
    signers::local::PrivateKeySigner,
    sol,
    sol_types::{SolCall, SolEvent},
};
use medlock_abi::{
    claims::IClaims::{self, Link, NewClaim},
    exceptions::IExceptions,
    records::IRecords,
    registry::IRegistry,
    terms::{
        CODEC_DAG_CBOR, action,
        claim::{
            AMOUNT_MOST, APPEAL_DECISION_S, APPEAL_S, BATCH_MOST, DECISION_S, INFORMATION_S, LINKS_MOST, PAYMENT_S,
            SCALE_MOST,
        },
        claim_reason, claim_state as state, effect, purpose, reason, record_status, role,
    },
};
use medlock_contract_tests::{Done, OWNER};
use medlock_solidity::compile;

use super::{DAY_S, NOTE, SUBMITTER, Stage, Way, hash, party};

const CHART: B256 = B256::repeat_byte(0xc1);
const RECORDS: [B256; 2] = [B256::repeat_byte(0xe1), B256::repeat_byte(0xe2)];
const POINTERS: [B256; 2] = [B256::repeat_byte(0x71), B256::repeat_byte(0x72)];
const FINGERPRINT: B256 = B256::repeat_byte(0xf1);
const SALT: B256 = B256::repeat_byte(0x5a);
const LABS: u8 = 3;
/// Euro.
const EURO: u16 = 978;
/// In cents.
const AMOUNT: u64 = 12_345;

sol! {
    #[derive(Debug)]
    contract Token {
        function mint(address to, uint256 value) external;
        function approve(address spender, uint256 value) external returns (bool);
        function become(uint8 mood, address whom, bytes calldata what) external;
        function balanceOf(address who) external view returns (uint256);
        function hasSucceeded() external view returns (bool);
        function calls() external view returns (uint256);
    }
}

/// As `Token.sol` numbers them.
mod mood {
    pub const HONEST: u8 = 0;
    pub const SILENT: u8 = 1;
    pub const REFUSALS: [u8; 5] = [2, 3, 4, 5, 6];
    pub const CALLS_BACK: u8 = 7;
}

// ---- A life --------------------------------------------------------------------------------------------------------

#[test]
fn a_claim_is_reviewed_appealed_and_paid_by_its_parties_own_transactions() {
    live(Way::Own);
}

#[test]
fn a_claim_is_reviewed_appealed_and_paid_by_what_its_parties_signed_and_none_of_it_runs_twice() {
    live(Way::Signed);
}

fn live(way: Way) {
    let mut world = World::new(way);
    let (clinic, payer) = (world.clinic.clone(), world.payer.clone());
    let (provider, insurer) = (clinic.address(), payer.address());
    let new = world.new_claim();
    let submitted_at = world.stage.now();
    let done = world.stage.act(&clinic, world.submission(&clinic, vec![new.clone()]));
    let claim = world.id(&new);
    let deadline = submitted_at + DECISION_S;
    world.stage.told(
        &done,
        IClaims::ClaimSubmitted {
            claim,
            chart: CHART,
            insurer,
            provider,
            by: provider,
            document: new.document,
            fingerprint: FINGERPRINT,
            currency: EURO,
            billed: new.billed,
            links: new.links.clone(),
            currencyVersion: 1,
            shared: false,
            previous: B256::ZERO,
            deadline,
        },
    );
    let found = world.claim(claim);
    assert_eq!((found.provider, found.insurer), (provider, insurer));
    assert_eq!(
        (found.state, found.serial, found.deadline),
        (state::RECEIVED, 1, deadline)
    );
    assert_eq!(
        (found.currency, found.currencyVersion, found.submittedAt),
        (EURO, 1, submitted_at)
    );
    assert_eq!(world.service(insurer), (claim, true));

    world.stage.pass(DAY_S);
    let done = world.stage.act(
        &payer,
        IClaims::beginReviewCall {
            actor: insurer,
            claim,
            serial: 1,
        },
    );
    world.stage.told(
        &done,
        IClaims::ReviewBegun {
            claim,
            serial: 2,
            by: insurer,
        },
    );

    let asked = IClaims::requestInformationCall {
        actor: insurer,
        claim,
        serial: 2,
        document: NOTE,
    };
    let done = world.stage.act(&payer, asked);
    let deadline = world.stage.now() + INFORMATION_S;
    world.stage.told(
        &done,
        IClaims::InformationRequested {
            claim,
            serial: 3,
            by: insurer,
            document: NOTE,
            deadline,
        },
    );

    world.stage.pass(DAY_S);
    let answer = IClaims::provideInformationCall {
        actor: provider,
        claim,
        serial: 3,
        document: NOTE,
    };
    let done = world.stage.act(&clinic, answer);
    let deadline = world.stage.now() + DECISION_S;
    world.stage.told(
        &done,
        IClaims::InformationProvided {
            claim,
            serial: 4,
            by: provider,
            document: NOTE,
            deadline,
        },
    );

    let part = commitment(claim, 5_000);
    let done = world.decide(claim, 4, state::PARTLY_APPROVED, part, claim_reason::ABOVE_LIMIT);
    let deadline = world.stage.now() + APPEAL_S;
    world.stage.told(
        &done,
        IClaims::Adjudicated {
            claim,
            serial: 5,
            by: insurer,
            state: state::PARTLY_APPROVED,
            amount: part,
            reasonCode: claim_reason::ABOVE_LIMIT,
            document: NOTE,
            deadline,
        },
    );

    world.stage.pass(DAY_S);
    let done = world.stage.act(
        &clinic,
        IClaims::appealCall {
            actor: provider,
            claim,
            serial: 5,
            document: NOTE,
        },
    );
    let deadline = world.stage.now() + APPEAL_DECISION_S;
    world.stage.told(
        &done,
        IClaims::Appealed {
            claim,
            serial: 6,
            by: provider,
            document: NOTE,
            deadline,
        },
    );

    // What is decided and paid is what was claimed: consent was asked for then.
    world.revoke();
    let all = commitment(claim, AMOUNT);
    let paid_until = world.stage.now() + PAYMENT_S;
    let done = world.decide(claim, 6, state::APPROVED, all, 0);
    world.stage.told(
        &done,
        IClaims::Adjudicated {
            claim,
            serial: 7,
            by: insurer,
            state: state::APPROVED,
            amount: all,
            reasonCode: 0,
            document: NOTE,
            deadline: paid_until,
        },
    );
    let payment = IClaims::recordPaymentCall {
        actor: insurer,
        claim,
        serial: 7,
        remittance: NOTE,
    };
    let done = world.stage.act(&payer, payment);
    world.stage.told(
        &done,
        IClaims::Paid {
            claim,
            serial: 8,
            by: insurer,
            remittance: NOTE,
        },
    );
    let found = world.claim(claim);
    assert_eq!((found.state, found.serial, found.deadline), (state::PAID, 8, 0));
    assert_eq!(
        (found.rounds, found.appeals, found.reasonCode, found.amount),
        (1, 1, 0, all)
    );
    assert_eq!(world.service(insurer), (claim, true));

    let back = IClaims::reverseClaimCall {
        actor: insurer,
        claim,
        serial: 8,
        reasonCode: claim_reason::PAID_IN_ERROR,
    };
    let done = world.stage.act(&payer, back);
    world.stage.told(
        &done,
        IClaims::Reversed {
            claim,
            serial: 9,
            by: insurer,
            reasonCode: claim_reason::PAID_IN_ERROR,
        },
    );
    assert_eq!(world.service(insurer), (claim, false));
}

#[test]
fn an_approved_part_is_paid_in_the_token_once_it_is_accepted() {
    for way in [Way::Own, Way::Signed] {
        let mut world = World::new(way);
        let token = world.token(2);
        let (clinic, payer) = (world.clinic.clone(), world.payer.clone());
        let claim = world.submitted();
        world.decide(
            claim,
            1,
            state::PARTLY_APPROVED,
            commitment(claim, AMOUNT),
            claim_reason::ABOVE_LIMIT,
        );
        let pay = |serial| payment(&payer, claim, serial, U256::from(AMOUNT));
        let open = IClaims::AppealWindowOpen {
            deadline: world.claim(claim).deadline,
        };
        world.stage.refused(&payer, pay(2), open);
        let accept = IClaims::acceptPartCall {
            actor: clinic.address(),
            claim,
            serial: 2,
        };
        world.stage.act(&clinic, accept);
        let value = U256::from(AMOUNT * 100);
        let by = payer.address();
        // The token has an event of its own neither here nor there.
        let done = world.stage.act(&payer, pay(3));
        world.stage.told(
            &done,
            IClaims::PaidInToken {
                claim,
                serial: 4,
                by,
                token,
                value,
            },
        );
        assert_eq!(world.balance(token, clinic.address()), value);
        assert_eq!(world.claim(claim).state, state::PAID);
    }
}

// ---- Consent and credentials ---------------------------------------------------------------------------------------

#[test]
fn a_grant_that_is_missing_revoked_expired_or_for_something_else_lets_nobody_claim() {
    type Edit = fn(&mut IRecords::GrantTerms);
    let edits: [(Edit, u8); 5] = [
        (
            |terms| terms.purposes = purpose::TREAT | purpose::HOPERAT,
            reason::PURPOSE,
        ),
        (|terms| terms.compartments = !(1 << LABS), reason::COMPARTMENT),
        (|terms| terms.actions = action::WRITE | action::SHARE, reason::ACTION),
        (|terms| terms.notBefore = crate::NOW + 1, reason::NOT_YET_VALID),
        (|terms| terms.expiry = crate::NOW + 1, reason::EXPIRED),
    ];
    for (edit, reason) in edits {
        let mut world = World::without_grant(Way::Own);
        let mut terms = terms();
        edit(&mut terms);
        world.grant(terms);
        if reason == reason::EXPIRED {
            world.stage.pass(1);
        }
        world.nobody_claims(RECORDS[0], reason);
    }
    let mut world = World::without_grant(Way::Own);
    world.nobody_claims(RECORDS[0], reason::NO_GRANT);
    world.grant(terms());
    world.revoke();
    world.nobody_claims(RECORDS[0], reason::NO_GRANT);
}

#[test]
fn the_end_of_all_grants_is_the_end_of_claims_and_not_of_those_that_stand() {
    let mut world = World::new(Way::Own);
    let claim = world.submitted();
    let patient = world.patient.address();
    let all = IRecords::revokeAllCall {
        actor: patient,
        chart: CHART,
        epoch: 2,
    };
    world.stage.world.must(patient, world.stage.world.records, all);
    let other = NewClaim {
        fingerprint: NOTE,
        ..world.new_claim()
    };
    let clinic = world.clinic.clone();
    let refusal = IClaims::NoConsent {
        recordId: RECORDS[0],
        reason: reason::REVOKED,
    };
    let call = world.submission(&clinic, vec![other]);
    world.stage.refused(&clinic, call, refusal);
    world.decide(claim, 1, state::APPROVED, commitment(claim, AMOUNT), 0);
}

/// The second of two: all or none.
#[test]
fn a_rule_that_denies_one_record_denies_the_claim_that_rests_on_it() {
    let mut world = World::new(Way::Own);
    let (patient, insurer) = (world.patient.address(), world.payer.address());
    let rule = IExceptions::setRuleCall {
        actor: patient,
        chart: CHART,
        recordId: RECORDS[1],
        grantee: insurer,
        effect: effect::DENY,
        purposes: purpose::HPAYMT,
        actions: action::READ,
        expiry: 0,
    };
    world.stage.world.must(patient, world.stage.world.exceptions, rule);
    world.nobody_claims(RECORDS[1], reason::DENIED);
    let mut without = world.new_claim();
    without.links.truncate(1);
    let clinic = world.clinic.clone();
    world.stage.act(&clinic, world.submission(&clinic, vec![without]));
}

#[test]
fn a_record_that_is_unknown_amended_in_error_or_shredded_bears_no_claim() {
    let mut world = World::new(Way::Own);
    let (clinic, patient) = (world.clinic.clone(), world.patient.address());
    let (records, call) = (
        world.stage.world.records,
        world.submission(&clinic, vec![world.new_claim()]),
    );
    let mut unknown = call.clone();
    unknown.claims[0].links[1].recordId = NOTE;
    world
        .stage
        .refused(&clinic, unknown, IClaims::UnknownRecord { recordId: NOTE });
    // Of another chart, where it would be allowed.
    let mut elsewhere = call.clone();
    elsewhere.claims[0].chart = NOTE;
    world
        .stage
        .refused(&clinic, elsewhere, IClaims::UnknownRecord { recordId: RECORDS[0] });

    let amend = IRecords::amendRecordCall {
        actor: patient,
        chart: CHART,
        organisation: Address::ZERO,
        directoryVersion: 1,
        recordId: RECORDS[0],
        previous: POINTERS[0],
        codec: CODEC_DAG_CBOR,
        pointer: NOTE,
    };
    world.stage.world.must(patient, records, amend);
    let stale = IClaims::StalePointer {
        given: POINTERS[0],
        current: NOTE,
    };
    world.stage.refused(&clinic, call.clone(), stale);
    let mut call = call;
    call.claims[0].links[0].pointer = NOTE;
    let wrong = IRecords::enterInErrorCall {
        actor: patient,
        chart: CHART,
        organisation: Address::ZERO,
        recordId: RECORDS[0],
        previous: NOTE,
    };
    world.stage.world.must(patient, records, wrong);
    let status = |status| IClaims::RecordStatus {
        recordId: RECORDS[0],
        status,
    };
    world
        .stage
        .refused(&clinic, call.clone(), status(record_status::ENTERED_IN_ERROR));
    let shred = IRecords::shredRecordCall {
        actor: patient,
        chart: CHART,
        recordId: RECORDS[0],
    };
    world.stage.world.must(patient, records, shred);
    world.stage.refused(&clinic, call, status(record_status::SHREDDED));
}

#[test]
fn an_uncredentialed_provider_claims_nothing_and_from_no_uncredentialed_insurer() {
    let mut world = World::new(Way::Own);
    let (clinic, nurse, payer) = (world.clinic.clone(), party(7), world.payer.clone());
    let registry = world.stage.world.registry;
    let not_credentialed = |actor: &PrivateKeySigner, party: &PrivateKeySigner| IClaims::NotCredentialed {
        actor: actor.address(),
        party: party.address(),
        roles: role::PROVIDER,
    };
    // Nobody; with another role; in the name of an organisation that one is no member of.
    let call = world.submission(&nurse, vec![world.new_claim()]);
    world
        .stage
        .refused(&nurse, call.clone(), not_credentialed(&nurse, &nurse));
    world.stage.credential(
        nurse.address(),
        role::ALL.iter().map(|(_, bit)| bit).sum::<u64>() & !role::PROVIDER,
    );
    world.stage.refused(&nurse, call, not_credentialed(&nurse, &nurse));
    let for_clinic = IClaims::submitClaimsCall {
        organisation: clinic.address(),
        ..world.submission(&nurse, vec![world.new_claim()])
    };
    world
        .stage
        .refused(&nurse, for_clinic.clone(), not_credentialed(&nurse, &clinic));
    // A provider whose credential is suspended, for itself and for its members.
    let member = IRegistry::setMemberCall {
        actor: clinic.address(),
        member: nurse.address(),
        serial: 0,
        expiry: 0,
    };
    world.stage.world.must(clinic.address(), registry, member);
    world.stage.suspend(clinic.address());
    let call = world.submission(&clinic, vec![world.new_claim()]);
    world.stage.refused(&clinic, call, not_credentialed(&clinic, &clinic));
    world
        .stage
        .refused(&nurse, for_clinic.clone(), not_credentialed(&nurse, &clinic));
    world
        .stage
        .credential(clinic.address(), role::ORGANISATION | role::PROVIDER);
    world.stage.suspend(payer.address());
    let insurer = payer.address();
    world
        .stage
        .refused(&nurse, for_clinic.clone(), IClaims::NotInsurer { insurer });
    world.stage.credential(insurer, role::ORGANISATION | role::INSURER);
    world.stage.act(&nurse, for_clinic);
    assert_eq!(world.claim(world.id(&world.new_claim())).provider, clinic.address());
}

// ---- One claim for a service ---------------------------------------------------------------------------------------

#[test]
fn insurers_that_share_are_billed_for_a_service_once_among_all_of_them() {
    let mut world = World::new(Way::Own);
    let (clinic, first, second) = (world.clinic.clone(), world.payer.clone(), world.insurer(11));
    for insurer in [&first, &second] {
        let join = IClaims::setInsurerCall {
            actor: insurer.address(),
            insurer: insurer.address(),
            serial: 0,
            shared: true,
        };
        world.stage.act(insurer, join);
    }
    let claim = world.submitted();
    assert_eq!(world.service(Address::ZERO), (claim, true));
    assert_eq!(world.service(first.address()), (B256::ZERO, false));
    let to_second = NewClaim {
        insurer: second.address(),
        ..world.new_claim()
    };
    let again = world.submission(&clinic, vec![to_second.clone()]);
    let duplicate = || IClaims::DuplicateService { claim };
    world.stage.refused(&clinic, again.clone(), duplicate());
    // Under another document and amount, and denied while it may be appealed, it is the same service.
    let otherwise = NewClaim {
        document: SALT,
        billed: SALT,
        ..to_second.clone()
    };
    let call = world.submission(&clinic, vec![otherwise]);
    world.stage.refused(&clinic, call, duplicate());
    world.decide(claim, 1, state::DENIED, B256::ZERO, claim_reason::NOT_INSURED);
    world.stage.refused(&clinic, again.clone(), duplicate());
    // Another provider's claim with a fingerprint that it has copied is held against itself alone.
    let copycat = party(8);
    world.stage.credential(copycat.address(), role::PROVIDER);
    let copied = world.submission(&copycat, vec![to_second.clone()]);
    world.stage.act(&copycat, copied);
    world.stage.pass(APPEAL_S);
    assert_eq!(world.service(Address::ZERO), (claim, false));
    let done = world.stage.act(&clinic, again);
    let event = IClaims::ClaimSubmitted::decode_log_data(&done.logs[0].data).unwrap();
    assert!(event.shared);
    assert_eq!(event.previous, claim);
    assert_eq!(world.service(Address::ZERO), (world.id(&to_second), true));
}

#[test]
fn a_service_that_stands_twice_in_one_batch_keeps_all_of_it_out() {
    let mut world = World::new(Way::Own);
    let clinic = world.clinic.clone();
    let other = |fingerprint, document| NewClaim {
        fingerprint,
        document,
        ..world.new_claim()
    };
    let (one, two, again) = (other(FINGERPRINT, NOTE), other(SALT, NOTE), other(FINGERPRINT, SALT));
    let duplicate = IClaims::DuplicateService { claim: world.id(&one) };
    let call = world.submission(&clinic, vec![one.clone(), two.clone(), again]);
    world.stage.refused(&clinic, call, duplicate);
    let call = world.submission(&clinic, vec![two.clone(), two.clone()]);
    world
        .stage
        .refused(&clinic, call, IClaims::ClaimExists { claim: world.id(&two) });
    world.stage.act(&clinic, world.submission(&clinic, vec![one, two]));
}

#[test]
fn as_many_claims_and_links_as_may_be_are_taken_within_the_gas_of_a_transaction_and_one_more_is_not() {
    let mut world = World::new(Way::Own);
    let clinic = world.clinic.clone();
    let link = world.new_claim().links[0].clone();
    let claims = |count: usize, links: usize| -> Vec<NewClaim> {
        (1..=count)
            .map(|number| NewClaim {
                fingerprint: B256::with_last_byte(number as u8),
                links: vec![link.clone(); links],
                ..world.new_claim()
            })
            .collect()
    };
    let (many, most) = (claims(BATCH_MOST + 1, 1), claims(BATCH_MOST, LINKS_MOST));
    let (thick, none) = (claims(1, LINKS_MOST + 1), claims(1, 0));
    let call = world.submission(&clinic, many);
    let size = |given| IClaims::BatchSize { given, most: 16 };
    world.stage.refused(&clinic, call, size(17));
    let call = world.submission(&clinic, vec![]);
    world.stage.refused(&clinic, call, size(0));
    for (claims, given) in [(thick, 9), (none, 0)] {
        let call = world.submission(&clinic, claims);
        world
            .stage
            .refused(&clinic, call, IClaims::LinkCount { given, most: 8 });
    }
    let done = world.stage.act(&clinic, world.submission(&clinic, most));
    assert_eq!(done.logs.len(), BATCH_MOST);
    assert!(done.gas < 16_000_000, "{} gas", done.gas);
}

// ---- Order ---------------------------------------------------------------------------------------------------------

#[test]
fn nothing_is_decided_or_paid_out_of_order_by_the_other_side_or_by_what_was_read_before() {
    let mut world = World::new(Way::Own);
    let (clinic, payer, stranger) = (world.clinic.clone(), world.payer.clone(), party(9));
    let claim = world.submitted();
    let decision = |actor: &PrivateKeySigner, serial| IClaims::adjudicateCall {
        actor: actor.address(),
        claim,
        serial,
        state: state::APPROVED,
        amount: commitment(claim, AMOUNT),
        reasonCode: 0,
        document: NOTE,
    };
    let paid = |serial| IClaims::recordPaymentCall {
        actor: payer.address(),
        claim,
        serial,
        remittance: NOTE,
    };
    let in_state = |state| IClaims::ClaimState { claim, state };
    // A provider does not approve its own claim, nor does somebody else.
    for actor in [&clinic, &stranger] {
        let not_party = IClaims::NotParty {
            actor: actor.address(),
            party: payer.address(),
        };
        world.stage.refused(actor, decision(actor, 1), not_party);
    }
    world.stage.refused(&payer, paid(1), in_state(state::RECEIVED));
    let answer = IClaims::provideInformationCall {
        actor: clinic.address(),
        claim,
        serial: 1,
        document: NOTE,
    };
    world.stage.refused(&clinic, answer, in_state(state::RECEIVED));
    let early = IClaims::closeOverdueCall {
        actor: clinic.address(),
        claim,
        serial: 1,
    };
    let deadline = world.claim(claim).deadline;
    world.stage.refused(&clinic, early, IClaims::NotOverdue { deadline });
    let unknown = IClaims::adjudicateCall {
        claim: NOTE,
        ..decision(&payer, 1)
    };
    world
        .stage
        .refused(&payer, unknown, IClaims::UnknownClaim { claim: NOTE });

    // While information is asked for nothing is decided; once it is there, not by what was read before.
    let ask = |serial| IClaims::requestInformationCall {
        actor: payer.address(),
        claim,
        serial,
        document: NOTE,
    };
    let give = |serial| IClaims::provideInformationCall {
        actor: clinic.address(),
        claim,
        serial,
        document: NOTE,
    };
    for serial in [1, 3, 5] {
        world.stage.act(&payer, ask(serial));
        world.stage.refused(
            &payer,
            decision(&payer, serial + 1),
            in_state(state::INFORMATION_REQUESTED),
        );
        world.stage.act(&clinic, give(serial + 1));
        let stale = IClaims::ClaimSerial {
            given: serial,
            current: serial + 2,
        };
        world.stage.refused(&payer, decision(&payer, serial), stale);
    }
    world
        .stage
        .refused(&payer, ask(7), IClaims::InformationRounds { most: 3 });
    world.stage.act(&payer, decision(&payer, 7));
    // Once and for all: neither another decision, nor an appeal of what was approved, nor a way back for the provider.
    world
        .stage
        .refused(&payer, decision(&payer, 8), in_state(state::APPROVED));
    let appeal = IClaims::appealCall {
        actor: clinic.address(),
        claim,
        serial: 8,
        document: NOTE,
    };
    world.stage.refused(&clinic, appeal, in_state(state::APPROVED));
    let withdrawal = IClaims::withdrawCall {
        actor: clinic.address(),
        claim,
        serial: 8,
    };
    world.stage.refused(&clinic, withdrawal, in_state(state::APPROVED));
    world.stage.act(&payer, paid(8));
    world.stage.refused(&payer, paid(9), in_state(state::PAID));
}

#[test]
fn a_silent_insurer_has_denied_and_a_late_appeal_is_none() {
    let mut world = World::new(Way::Own);
    let (clinic, payer) = (world.clinic.clone(), world.payer.clone());
    let claim = world.submitted();
    world.stage.pass(DECISION_S);
    let close = |actor: &PrivateKeySigner| IClaims::closeOverdueCall {
        actor: actor.address(),
        claim,
        serial: 1,
    };
    let not_party = IClaims::NotParty {
        actor: payer.address(),
        party: clinic.address(),
    };
    world.stage.refused(&payer, close(&payer), not_party);
    let done = world.stage.act(&clinic, close(&clinic));
    let event = IClaims::Adjudicated::decode_log_data(&done.logs[0].data).unwrap();
    assert_eq!(
        (event.state, event.reasonCode),
        (state::DENIED, claim_reason::NO_ANSWER)
    );
    world.stage.pass(APPEAL_S);
    let appeal = IClaims::appealCall {
        actor: clinic.address(),
        claim,
        serial: 2,
        document: NOTE,
    };
    let over = IClaims::AppealWindowOver {
        deadline: event.deadline,
    };
    world.stage.refused(&clinic, appeal, over);
}

#[test]
fn an_insurer_states_no_reason_that_is_the_contracts_and_no_decision_that_says_two_things() {
    let mut world = World::new(Way::Own);
    let payer = world.payer.clone();
    let claim = world.submitted();
    let amount = commitment(claim, AMOUNT);
    let decision = |state, amount, reason_code| IClaims::adjudicateCall {
        actor: payer.address(),
        claim,
        serial: 1,
        state,
        amount,
        reasonCode: reason_code,
        document: NOTE,
    };
    let malformed = [
        (state::APPROVED, B256::ZERO, 0),
        (state::APPROVED, amount, claim_reason::OTHER),
        (state::PARTLY_APPROVED, amount, 0),
        (state::DENIED, amount, claim_reason::OTHER),
        (state::PAID, amount, 0),
        (0, B256::ZERO, 0),
    ];
    for (state, amount, code) in malformed {
        world
            .stage
            .refused(&payer, decision(state, amount, code), IClaims::MalformedDecision {});
    }
    for code in [claim_reason::NO_ANSWER, claim_reason::NO_INFORMATION, 99, u16::MAX] {
        let refusal = IClaims::UnknownReasonCode { reasonCode: code };
        world
            .stage
            .refused(&payer, decision(state::DENIED, B256::ZERO, code), refusal);
    }
}

// ---- Payment in a token --------------------------------------------------------------------------------------------

#[test]
fn an_amount_that_was_not_approved_is_zero_or_would_overflow_is_not_paid() {
    let mut world = World::new(Way::Own);
    let token = world.token(SCALE_MOST);
    let (clinic, payer) = (world.clinic.clone(), world.payer.clone());
    let most = U256::from(AMOUNT_MOST);
    let too_large = |amount| IClaims::AmountTooLarge { amount, most };
    // Each is a claim of its own, and approved: the commitment hides what stands in it.
    for (number, amount) in [(1, U256::MAX), (2, U256::ONE << 255), (3, most + U256::ONE)] {
        let claim = world.approved(number, amount);
        world
            .stage
            .refused(&payer, payment(&payer, claim, 2, amount), too_large(amount));
        // What it would be if the bits above were not looked at, and with another salt.
        for other in [amount & most, U256::from(AMOUNT), U256::ZERO] {
            world
                .stage
                .refused(&payer, payment(&payer, claim, 2, other), IClaims::OtherAmount {});
        }
    }
    let zero = world.approved(4, U256::ZERO);
    world
        .stage
        .refused(&payer, payment(&payer, zero, 2, U256::ZERO), IClaims::ZeroAmount {});
    let claim = world.approved(5, most);
    let other_salt = IClaims::payInTokenCall {
        salt: NOTE,
        ..payment(&payer, claim, 2, most)
    };
    world.stage.refused(&payer, other_salt, IClaims::OtherAmount {});
    // The most of a currency at the largest scale is paid in full.
    world.stage.act(&payer, payment(&payer, claim, 2, most));
    let value = most * U256::from(10).pow(U256::from(SCALE_MOST));
    assert_eq!(world.balance(token, clinic.address()), value);
}

#[test]
fn a_token_that_refuses_lies_or_burns_leaves_the_claim_unpaid() {
    let mut world = World::new(Way::Own);
    let token = world.token(2);
    let (clinic, payer) = (world.clinic.clone(), world.payer.clone());
    let claim = world.approved(1, U256::from(AMOUNT));
    let pay = payment(&payer, claim, 2, U256::from(AMOUNT));
    for mood in mood::REFUSALS {
        world.become_(token, mood, Address::ZERO, vec![]);
        world
            .stage
            .refused(&payer, pay.clone(), IClaims::TokenRefused { token });
        assert_eq!(world.claim(claim).state, state::APPROVED, "mood {mood}");
    }
    // More than the allowance: the token itself reverts.
    world.become_(token, mood::HONEST, Address::ZERO, vec![]);
    world.approve(token, U256::from(AMOUNT * 100 - 1));
    world
        .stage
        .refused(&payer, pay.clone(), IClaims::TokenRefused { token });
    world.approve(token, U256::from(AMOUNT * 100));
    world.become_(token, mood::SILENT, Address::ZERO, vec![]);
    world.stage.act(&payer, pay);
    assert_eq!(world.balance(token, clinic.address()), U256::from(AMOUNT * 100));
}

/// By the insurer's own call, and by what it signed for another claim: through the relay, which is not entered.
#[test]
fn a_token_that_calls_back_is_paid_once_and_changes_nothing() {
    let mut world = World::new(Way::Own);
    let token = world.token(2);
    let (clinic, payer) = (world.clinic.clone(), world.payer.clone());
    let (claims, relay) = (world.stage.world.claims, world.stage.world.relay);
    let amount = U256::from(AMOUNT);
    let (first, second) = (world.approved(1, amount), world.approved(2, amount));
    let again = payment(&payer, first, 2, amount).abi_encode();
    let other = world
        .stage
        .sign(&payer, payment(&payer, second, 2, amount))
        .abi_encode();
    let view = IClaims::claimOfCall { claim: first }.abi_encode();
    for (number, (whom, what)) in (3..).zip([(claims, again), (relay, other), (claims, view)]) {
        world.become_(token, mood::CALLS_BACK, whom, what);
        let claim = world.approved(number, amount);
        world.stage.act(&payer, payment(&payer, claim, 2, amount));
        assert!(!world.ask_token(token, Token::hasSucceededCall {}));
        assert_eq!(world.claim(first).state, state::APPROVED);
        assert_eq!(world.claim(second).state, state::APPROVED);
        assert_eq!(world.claim(claim).state, state::PAID);
    }
    assert_eq!(world.ask_token(token, Token::callsCall {}), U256::from(3));
    assert_eq!(world.balance(token, clinic.address()), U256::from(3 * AMOUNT * 100));
}

/// The one that it had when the claim was submitted, or none.
#[test]
fn an_insurer_pays_in_no_token_that_it_has_named_since() {
    let mut world = World::new(Way::Own);
    let (clinic, payer) = (world.clinic.clone(), world.payer.clone());
    let insurer = payer.address();
    let amount = U256::from(AMOUNT);
    let before = world.approved(1, amount);
    let good = world.token(2);
    let after = world.approved(2, amount);
    let own = world.stage.world.bare.create(OWNER, token_code()).unwrap();
    let set = |version, token, scale| IClaims::setCurrencyCall {
        actor: insurer,
        insurer,
        currency: EURO,
        version,
        accepted: true,
        token,
        scale,
    };
    world.stage.act(&payer, set(3, own, 0));
    // No contract, and a call that was made before.
    world
        .stage
        .refused(&payer, set(4, SUBMITTER, 0), IClaims::NotToken { token: SUBMITTER });
    world
        .stage
        .refused(&payer, set(3, own, 0), IClaims::CurrencyVersion { given: 3, next: 4 });
    world
        .stage
        .refused(&payer, set(4, good, SCALE_MOST + 1), IClaims::MalformedCurrency {});
    let no_token = IClaims::NoToken {
        insurer,
        currency: EURO,
    };
    world
        .stage
        .refused(&payer, payment(&payer, before, 2, amount), no_token);
    world.stage.act(&payer, payment(&payer, after, 2, amount));
    assert_eq!(world.balance(good, clinic.address()), U256::from(AMOUNT * 100));
    assert_eq!(world.balance(own, clinic.address()), U256::ZERO);
}

// ---- Calldata ------------------------------------------------------------------------------------------------------

#[test]
fn lengths_that_lie_about_claims_and_links_keep_nothing() {
    let mut world = World::new(Way::Own);
    let clinic = world.clinic.clone();
    let call = world.submission(&clinic, vec![world.new_claim()]);
    // The claims' offset and length, the claim's offset; of the claim, seventh: the links' offset; and their length.
    world
        .stage
        .lies_are_refused(clinic.address(), call.clone(), &[2, 3, 4, 11, 12]);
    let view = IClaims::claimIdOfCall {
        provider: clinic.address(),
        claim: world.new_claim(),
    };
    world.stage.lies_are_refused(clinic.address(), view, &[1, 8, 9]);
    // Dirt above an address, a number and a bool.
    let claims = world.stage.world.claims;
    let currency = IClaims::setCurrencyCall {
        actor: world.payer.address(),
        insurer: world.payer.address(),
        currency: EURO,
        version: 2,
        accepted: true,
        token: Address::ZERO,
        scale: 0,
    }
    .abi_encode();
    for word in 0..7 {
        let mut dirty = currency.clone();
        dirty[4 + word * 32] = 1;
        world.stage.refused_in_silence(world.payer.address(), claims, dirty);
    }
    world.stage.act(&clinic, call);
}

// ---- The world -----------------------------------------------------------------------------------------------------

/// The token's creation code: the compiler takes seconds.
fn token_code() -> &'static [u8] {
    static CODE: OnceLock<Vec<u8>> = OnceLock::new();
    CODE.get_or_init(|| compile("tests/contracts/tests/solidity/Token.sol", "Token"))
}

/// A chart with two records, a credentialed provider, and an insurer that takes euros.
struct World {
    stage: Stage,
    patient: PrivateKeySigner,
    clinic: PrivateKeySigner,
    payer: PrivateKeySigner,
}

impl World {
    /// The insurer may read all for payment.
    fn new(way: Way) -> Self {
        let mut world = Self::without_grant(way);
        world.grant(terms());
        world
    }

    fn without_grant(way: Way) -> Self {
        let mut world = Self {
            stage: Stage::new(way, |world| world.claims),
            patient: party(1),
            clinic: party(2),
            payer: party(3),
        };
        let patient = world.patient.address();
        let records = world.stage.world.records;
        let open = IRecords::openChartCall {
            actor: patient,
            chart: CHART,
            directory: NOTE,
        };
        world.stage.world.must(patient, records, open);
        let record = |(record_id, pointer)| IRecords::NewRecord {
            recordId: record_id,
            compartment: LABS,
            codec: CODEC_DAG_CBOR,
            pointer,
        };
        let add = IRecords::addRecordsCall {
            actor: patient,
            chart: CHART,
            organisation: Address::ZERO,
            directoryVersion: 1,
            records: RECORDS.into_iter().zip(POINTERS).map(record).collect(),
        };
        world.stage.world.must(patient, records, add);
        world
            .stage
            .credential(world.clinic.address(), role::ORGANISATION | role::PROVIDER);
        let payer = world.payer.clone();
        world.accept_euros(&payer);
        world
    }

    /// Another one, to whom all is granted as well.
    fn insurer(&mut self, number: u8) -> PrivateKeySigner {
        let insurer = party(number);
        self.accept_euros(&insurer);
        self.grant_to(insurer.address(), terms());
        insurer
    }

    fn accept_euros(&mut self, insurer: &PrivateKeySigner) {
        self.stage
            .credential(insurer.address(), role::ORGANISATION | role::INSURER);
        let accept = IClaims::setCurrencyCall {
            actor: insurer.address(),
            insurer: insurer.address(),
            currency: EURO,
            version: 1,
            accepted: true,
            token: Address::ZERO,
            scale: 0,
        };
        self.stage.act(insurer, accept);
    }

    fn grant(&mut self, terms: IRecords::GrantTerms) {
        self.grant_to(self.payer.address(), terms);
    }

    fn grant_to(&mut self, grantee: Address, terms: IRecords::GrantTerms) {
        let patient = self.patient.address();
        let grant = IRecords::grantCall {
            actor: patient,
            chart: CHART,
            directoryVersion: 1,
            grantee,
            serial: 0,
            terms,
            keyring: NOTE,
        };
        self.stage.world.must(patient, self.stage.world.records, grant);
    }

    fn revoke(&mut self) {
        let patient = self.patient.address();
        let revoke = IRecords::revokeCall {
            actor: patient,
            chart: CHART,
            grantee: self.payer.address(),
            version: 2,
            directory: SALT,
            keyrings: vec![],
        };
        self.stage.world.must(patient, self.stage.world.records, revoke);
    }

    fn new_claim(&self) -> NewClaim {
        let link = |(record_id, pointer)| Link {
            recordId: record_id,
            pointer,
        };
        NewClaim {
            chart: CHART,
            insurer: self.payer.address(),
            document: NOTE,
            fingerprint: FINGERPRINT,
            currency: EURO,
            billed: hash(&[NOTE, U256::from(AMOUNT).into(), SALT]),
            links: RECORDS.into_iter().zip(POINTERS).map(link).collect(),
        }
    }

    fn submission(&self, actor: &PrivateKeySigner, claims: Vec<NewClaim>) -> IClaims::submitClaimsCall {
        IClaims::submitClaimsCall {
            actor: actor.address(),
            organisation: Address::ZERO,
            claims,
        }
    }

    /// The clinic's claim, submitted.
    fn submitted(&mut self) -> B256 {
        let (clinic, new) = (self.clinic.clone(), self.new_claim());
        self.stage.act(&clinic, self.submission(&clinic, vec![new.clone()]));
        self.id(&new)
    }

    /// A claim for service number `number`, approved with this amount.
    fn approved(&mut self, number: u8, amount: U256) -> B256 {
        let clinic = self.clinic.clone();
        let new = NewClaim {
            fingerprint: B256::with_last_byte(number),
            ..self.new_claim()
        };
        self.stage.act(&clinic, self.submission(&clinic, vec![new.clone()]));
        let claim = self.id(&new);
        let amount = hash(&[claim, amount.into(), SALT]);
        self.decide(claim, 1, state::APPROVED, amount, 0);
        claim
    }

    /// As whoever holds the submission computes it, which is as the contract does.
    fn id(&self, new: &NewClaim) -> B256 {
        let provider = self.clinic.address();
        let links: Vec<_> = new
            .links
            .iter()
            .flat_map(|link| [link.recordId, link.pointer])
            .collect();
        let id = hash(&[
            provider.into_word(),
            new.chart,
            new.insurer.into_word(),
            new.document,
            new.fingerprint,
            U256::from(new.currency).into(),
            new.billed,
            hash(&links),
        ]);
        let call = IClaims::claimIdOfCall {
            provider,
            claim: new.clone(),
        };
        assert_eq!(self.stage.world.ask(self.stage.ledger, call), id);
        id
    }

    #[track_caller]
    fn decide(&mut self, claim: B256, serial: u8, state: u8, amount: B256, reason_code: u16) -> Done {
        let payer = self.payer.clone();
        let call = IClaims::adjudicateCall {
            actor: payer.address(),
            claim,
            serial,
            state,
            amount,
            reasonCode: reason_code,
            document: NOTE,
        };
        self.stage.act(&payer, call)
    }

    #[track_caller]
    fn nobody_claims(&mut self, record_id: B256, reason: u8) {
        let clinic = self.clinic.clone();
        let call = self.submission(&clinic, vec![self.new_claim()]);
        let refusal = IClaims::NoConsent {
            recordId: record_id,
            reason,
        };
        self.stage.refused(&clinic, call, refusal);
    }

    fn claim(&self, claim: B256) -> IClaims::claimOfReturn {
        self.stage.world.ask(self.stage.ledger, IClaims::claimOfCall { claim })
    }

    fn service(&self, namespace: Address) -> (B256, bool) {
        let call = IClaims::serviceOfCall {
            namespace,
            provider: self.clinic.address(),
            fingerprint: FINGERPRINT,
        };
        let found = self.stage.world.ask(self.stage.ledger, call);
        (found.claim, found.holds)
    }

    /// The insurer's token for euros from now on, of which it has enough and may all be taken.
    fn token(&mut self, scale: u8) -> Address {
        let token = self.stage.world.bare.create(OWNER, token_code()).unwrap();
        let payer = self.payer.clone();
        let insurer = payer.address();
        let set = IClaims::setCurrencyCall {
            actor: insurer,
            insurer,
            currency: EURO,
            version: 2,
            accepted: true,
            token,
            scale,
        };
        self.stage.act(&payer, set);
        let mint = Token::mintCall {
            to: insurer,
            value: U256::MAX,
        };
        self.stage.world.must(OWNER, token, mint);
        self.approve(token, U256::MAX);
        token
    }

    fn approve(&mut self, token: Address, value: U256) {
        let spender = self.stage.ledger;
        self.stage
            .world
            .must(self.payer.address(), token, Token::approveCall { spender, value });
    }

    fn become_(&mut self, token: Address, mood: u8, whom: Address, what: Vec<u8>) {
        let call = Token::becomeCall {
            mood,
            whom,
            what: what.into(),
        };
        self.stage.world.must(OWNER, token, call);
    }

    fn balance(&self, token: Address, who: Address) -> U256 {
        self.ask_token(token, Token::balanceOfCall { who })
    }

    fn ask_token<C: SolCall>(&self, token: Address, call: C) -> C::Return {
        self.stage.world.ask(token, call)
    }
}

fn payment(payer: &PrivateKeySigner, claim: B256, serial: u8, amount: U256) -> IClaims::payInTokenCall {
    IClaims::payInTokenCall {
        actor: payer.address(),
        claim,
        serial,
        amount,
        salt: SALT,
    }
}

/// What opens to this amount of this claim.
fn commitment(claim: B256, amount: u64) -> B256 {
    hash(&[claim, U256::from(amount).into(), SALT])
}

fn terms() -> IRecords::GrantTerms {
    IRecords::GrantTerms {
        compartments: 1 << LABS,
        purposes: purpose::HPAYMT,
        actions: action::READ,
        notBefore: 0,
        expiry: 0,
    }
}
