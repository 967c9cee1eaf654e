//! The decision, as the `records` contract makes it, over facts read from SQL or from proved storage.
//!
//! The order of reasons is the contract's (`medlock_abi::terms::reason`); the two must change together.
use medlock_abi::{
    records::IRecords::Question,
    terms::{COMPARTMENTS, DELEGATE_DEPTH_MOST, action, effect, power, purpose, reason, record_status},
    words::exceptions::Rule,
};

/// What the tables hold, at one time, about the chart, the grantee, the member and the record of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the grantee is the chart's controller. `None`: the chart was not open.
    pub is_controller: Option<bool>,
    pub control_epoch: u32,
    pub grant_epoch: u32,
    /// The question names no member, or a current one of the grantee.
    pub may_act: bool,
    pub grant: Option<GrantFacts>,
    /// Rules about the record, for the grantee, the member and everybody.
    pub rule_for_grantee: Option<Rule>,
    pub rule_for_member: Option<Rule>,
    pub rule_for_everybody: Option<Rule>,
    /// The grantee's own entry as a delegate, its giver's, and so on upwards.
    pub delegations: Vec<DelegateFacts>,
    pub emergency: Option<EmergencyFacts>,
    /// `None`: there is no such record.
    pub record: Option<RecordFacts>,
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
    /// The directory version at which the pair's grants began.
    pub since: u32,
}

/// A delegate's entry as stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DelegateFacts {
    pub serial: u32,
    pub powers: u8,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
    /// 1: given by the controller.
    pub depth: u8,
    pub parent_serial: u32,
    pub control_epoch: u32,
}

/// Broken glass, and the chart's emergency access beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmergencyFacts {
    pub compartments: u64,
    /// UNIX seconds.
    pub until: u64,
    pub grant_epoch: u32,
    pub serial: u32,
    pub access_allowed: bool,
    pub access_serial: u32,
    pub access_control_epoch: u32,
}

impl EmergencyFacts {
    /// Whether it holds at `at` (UNIX seconds), on a chart with these epochs, for the compartments that it names.
    pub fn is_open(&self, grant_epoch: u32, control_epoch: u32, at: u64) -> bool {
        at < self.until
            && self.grant_epoch == grant_epoch
            && self.access_allowed
            && self.access_serial == self.serial
            && self.access_control_epoch == control_epoch
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFacts {
    pub compartment: u8,
    /// See `medlock_abi::terms::record_status`.
    pub status: u8,
}

/// The reason for the answer to `question` at `at` (UNIX seconds). Allowed where [`reason::is_allowed`] says so.
pub fn decide(question: &Question, facts: &Facts, at: u64) -> u8 {
    if question.compartment >= COMPARTMENTS || !question.purpose.is_power_of_two() || !question.action.is_power_of_two()
    {
        return reason::MALFORMED;
    }
    let Some(is_controller) = facts.is_controller else {
        return reason::UNKNOWN_CHART;
    };
    if !facts.may_act {
        return reason::NOT_MEMBER;
    }
    let granted = if is_controller {
        reason::CONTROLLER
    } else {
        let since = facts.grant.as_ref().map_or(0, |grant| grant.since);
        let beside = beside(question, facts, at);
        reason::combine(by_grant(question, facts, at), since, question.action, beside)
    };
    if !reason::is_allowed(granted) || question.recordId.is_zero() {
        return granted;
    }
    match &facts.record {
        None => reason::UNKNOWN_RECORD,
        Some(record) if record.compartment != question.compartment => reason::RECORD_COMPARTMENT,
        Some(record) if record.status == record_status::SHREDDED => reason::SHREDDED,
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
    } else if !runs(grant.expiry, at) {
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

/// What stands beside the grant, as `factsOf` of `exceptions` says it.
fn beside(question: &Question, facts: &Facts, at: u64) -> reason::Facts {
    let in_person = question.member.is_zero();
    let powers = if in_person { powers(facts, at) } else { 0 };
    let matches = |rule: &&Rule| {
        runs(rule.expiry, at) && rule.purposes & question.purpose != 0 && rule.actions & question.action != 0
    };
    let denies = |rule: &Option<Rule>| {
        let rule = rule.as_ref().filter(matches);
        rule.is_some_and(|rule| rule.effect == effect::DENY)
    };
    // A rule for everybody spares delegates, as it spares the controller.
    let for_everybody = powers & power::of(question.action) == 0 && denies(&facts.rule_for_everybody);
    let allowed = facts.rule_for_grantee.as_ref().filter(matches);
    let allowed = allowed.filter(|rule| rule.effect == effect::ALLOW);
    reason::Facts {
        denied: denies(&facts.rule_for_grantee) || denies(&facts.rule_for_member) || for_everybody,
        allowed_since: allowed.map_or(0, |rule| rule.directory_version),
        powers,
        emergency: in_person && is_emergency(question, facts, at),
    }
}

/// The delegated powers in force: every entry up to the controller must be.
fn powers(facts: &Facts, at: u64) -> u8 {
    let mut serial = None;
    for entry in facts.delegations.iter().take(DELEGATE_DEPTH_MOST.into()) {
        let follows = serial.is_none_or(|serial| serial == entry.serial);
        if !follows || entry.powers == 0 || !runs(entry.expiry, at) || entry.control_epoch != facts.control_epoch {
            return 0;
        }
        if entry.depth == 1 {
            return facts.delegations[0].powers;
        }
        serial = Some(entry.parent_serial);
    }
    0
}

fn is_emergency(question: &Question, facts: &Facts, at: u64) -> bool {
    let Some(emergency) = &facts.emergency else {
        return false;
    };
    question.action == action::READ
        && question.purpose == purpose::ETREAT
        && (emergency.compartments >> question.compartment) & 1 == 1
        && emergency.is_open(facts.grant_epoch, facts.control_epoch, at)
}

/// Whether what expires at `expiry` (0: never) still runs.
fn runs(expiry: u64, at: u64) -> bool {
    expiry == 0 || at < expiry
}
