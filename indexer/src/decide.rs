//! The decision, as the `records` contract makes it, over facts read from SQL. Pure.
//!
//! The order of reasons is the contract's (`medlock_abi::terms::reason`); the two must change together.
use alloy::primitives::Address;
use medlock_abi::{
    records::IRecords::Question,
    terms::{COMPARTMENTS, reason},
};

/// What the tables hold, at one time, about the chart, the grantee and the record of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `None`: the chart was not open.
    pub controller: Option<Address>,
    pub grant_epoch: u32,
    pub grant: Option<GrantFacts>,
    /// The compartment of the record asked about. `None`: no such record.
    pub record_compartment: Option<u8>,
}

/// A grant as stored; not yet checked against the time or the chart's epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFacts {
    pub epoch: u32,
    pub compartments: u64,
    pub purposes: u32,
    pub actions: u8,
    /// UNIX seconds.
    pub not_before: u64,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
}

/// The reason for the answer to `question` at `at` (UNIX seconds). Allowed where [`reason::is_allowed`] says so.
pub fn decide(question: &Question, facts: &Facts, at: u64) -> u8 {
    if question.compartment >= COMPARTMENTS || !question.purpose.is_power_of_two() || !question.action.is_power_of_two()
    {
        return reason::MALFORMED;
    }
    let Some(controller) = facts.controller else {
        return reason::UNKNOWN_CHART;
    };
    let granted = if question.grantee == controller {
        reason::CONTROLLER
    } else {
        by_grant(question, facts, at)
    };
    if !reason::is_allowed(granted) || question.recordId.is_zero() {
        return granted;
    }
    match facts.record_compartment {
        None => reason::UNKNOWN_RECORD,
        Some(compartment) if compartment != question.compartment => reason::RECORD_COMPARTMENT,
        Some(_) => granted,
    }
}

fn by_grant(question: &Question, facts: &Facts, at: u64) -> u8 {
    let Some(grant) = &facts.grant else {
        return reason::NO_GRANT;
    };
    if grant.epoch < facts.grant_epoch {
        reason::REVOKED
    } else if at < grant.not_before {
        reason::NOT_YET_VALID
    } else if grant.expiry != 0 && at >= grant.expiry {
        reason::EXPIRED
    } else if (grant.compartments >> question.compartment) & 1 == 0 {
        reason::COMPARTMENT
    } else if grant.purposes & question.purpose == 0 {
        reason::PURPOSE
    } else if grant.actions & question.action == 0 {
        reason::ACTION
    } else {
        reason::GRANT
    }
}
