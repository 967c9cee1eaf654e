//! Who may do what, asked of the contract at the latest block, every time.
//!
//! Privacy: what the caller may not see reads as if it did not exist. A chart that is unknown answers like one
//! without a grant, a record that is unknown like one that is out of reach ([`merged`]).
use alloy::primitives::{Address, B256};
use medlock_abi::{
    records::IRecords::{GrantTerms, Question, chartOfReturn},
    terms::{DELEGATE_DEPTH_MOST, action, power, purpose, reason},
};
use medlock_api::{Kind, Problem, Purpose};

use crate::{
    chain::Block,
    problem::{Failure, Result},
    state::Gateway,
};

/// Who asks, and for whom: an account for itself, or a member for its organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acting {
    /// Whose grants count.
    grantee: Address,
    /// Who acts for the grantee; zero: the grantee itself.
    member: Address,
}

impl Acting {
    pub fn for_itself(account: Address) -> Self {
        Self {
            grantee: account,
            member: Address::ZERO,
        }
    }

    /// Whether it is so, [`Gateway::require_member`] says.
    pub fn for_organisation(account: Address, organisation: Address) -> Self {
        Self {
            grantee: organisation,
            member: account,
        }
    }

    pub fn grantee(&self) -> Address {
        self.grantee
    }

    /// The account that has signed in.
    pub fn account(&self) -> Address {
        match self.is_in_person() {
            true => self.grantee,
            false => self.member,
        }
    }

    /// Zero: none.
    pub fn organisation(&self) -> Address {
        match self.is_in_person() {
            true => Address::ZERO,
            false => self.grantee,
        }
    }

    /// Nobody acts for somebody else.
    pub fn is_in_person(&self) -> bool {
        self.member.is_zero()
    }

    /// Whether this may read from a compartment, and a record unless it is zero.
    fn reading(&self, chart: B256, compartment: u8, record_id: B256, purpose: u32) -> Question {
        Question {
            chart,
            grantee: self.grantee,
            member: self.member,
            compartment,
            recordId: record_id,
            purpose,
            action: action::READ,
        }
    }
}

/// A version that may be read, and on what ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    pub block: Block,
    /// Of those that allow: `terms::reason`.
    pub reason: u8,
    /// sha2-256 digest of the version's envelope.
    pub pointer: B256,
    /// The same of the version before; zero for version 1.
    pub previous: B256,
    pub compartment: u8,
}

/// What an account is to a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Controller,
    /// Has some right at present.
    Other(Rights),
}

/// What an account that is not the controller has at present: at least one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Of a grant in force.
    pub terms: Option<GrantTerms>,
    /// Delegated, as bits of `terms::power`.
    pub powers: u8,
    /// The compartments for which it has broken the glass, as bits.
    pub emergency: u64,
}

/// A chart as the chain has it, and what the caller is to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub block: Block,
    pub controller: Address,
    pub grant_epoch: u32,
    pub directory_version: u32,
    pub directory: B256,
    pub role: Role,
}

impl Standing {
    /// The compartments that the caller may read for at least one purpose, as bits.
    pub fn readable(&self) -> u64 {
        let Role::Other(rights) = &self.role else {
            return u64::MAX;
        };
        if rights.powers & power::READ != 0 {
            return u64::MAX;
        }
        let granted = match &rights.terms {
            Some(terms) if terms.actions & action::READ != 0 && terms.purposes != 0 => terms.compartments,
            _ => 0,
        };
        granted | rights.emergency
    }

    /// Whether the caller sees everybody's grants: who may end them or seal new keys to their holders must.
    pub fn sees_grants(&self) -> bool {
        match &self.role {
            Role::Controller => true,
            Role::Other(rights) => rights.powers & (power::GRANT | power::REVOKE | power::DIRECTORY) != 0,
        }
    }

    /// # Errors
    /// `ForbiddenOrUnknown` for whoever is not the controller.
    pub fn controller_only(&self) -> Result<()> {
        match self.role {
            Role::Controller => Ok(()),
            Role::Other(_) => Err(forbidden(reason::NO_GRANT)),
        }
    }
}

impl Gateway {
    /// That whoever acts for an organisation is a member of it, by the chain at `block` and by the clock. It comes before any question about
    /// a chart: who is no member is told so, whether or not there is such a chart.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`; chain trouble.
    pub async fn require_member(&self, block: &Block, acting: Acting) -> Result<()> {
        match acting.is_in_person() || self.is_member(block, acting.grantee, acting.member).await? {
            true => Ok(()),
            false => Err(forbidden(reason::NOT_MEMBER)),
        }
    }

    /// Whether `member` may act for the organisation at `block`, and still may by the clock.
    pub async fn is_member(&self, block: &Block, organisation: Address, member: Address) -> Result<bool> {
        if !self.chain.is_member(block, organisation, member).await? {
            return Ok(false);
        }
        let moment = self.now();
        if moment <= block.time {
            return Ok(true);
        }
        let membership = self.chain.member_of(block, organisation, member).await?;
        let credential = self.chain.credential_of(block, organisation).await?;
        Ok(moment < end(membership.expiry).min(end(credential.expiry)))
    }

    /// What whoever acts is to `chart` at the latest block.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown` for whoever has no right at all at present, with what is wrong with the grant; chain trouble.
    pub async fn standing(&self, chart: B256, acting: Acting) -> Result<Standing> {
        let block = self.latest().await?;
        self.require_member(&block, acting).await?;
        self.standing_at(block, chart, acting).await
    }

    /// The same at `block`, which is a latest one, of a member who is one there.
    pub async fn standing_at(&self, block: Block, chart: B256, acting: Acting) -> Result<Standing> {
        let found = self.chain.chart_of(&block, chart).await?;
        // A chart is controlled in person.
        let controls = acting.is_in_person() && found.controller == acting.grantee;
        let role = if !found.controller.is_zero() && controls {
            Role::Controller
        } else {
            Role::Other(self.rights(&block, chart, &found, acting).await?)
        };
        Ok(Standing {
            block,
            controller: found.controller,
            grant_epoch: found.grantEpoch,
            directory_version: found.directoryVersion,
            directory: found.directory,
            role,
        })
    }

    /// What whoever acts has on a chart that they do not control, with the clock's word on what ends.
    async fn rights(&self, block: &Block, chart: B256, found: &chartOfReturn, acting: Acting) -> Result<Rights> {
        let account = acting.grantee;
        let grant = self.chain.grant_of(block, chart, account).await?;
        if found.controller.is_zero() {
            return Err(forbidden(reason::NO_GRANT));
        }
        let moment = block.time.max(self.now());
        let why = match grant.epoch {
            0 => Some(reason::NO_GRANT),
            _ => out_of_force(grant.epoch, found.grantEpoch, &grant.terms, block.time, moment),
        };
        let mut rights = Rights {
            terms: why.is_none().then_some(grant.terms),
            ..Rights::default()
        };
        // Delegates, and who has broken the glass, act in person.
        if found.exceptional && acting.is_in_person() {
            let opened = self.chain.emergency_of(block, chart, account).await?;
            // An emergency stands or ends for all its compartments.
            let compartment = (opened.compartments.trailing_zeros() % 64) as u8;
            let question = acting.reading(chart, compartment, B256::ZERO, purpose::ETREAT);
            let facts = self.chain.facts_of(block, found, &question).await?;
            if facts.powers != 0 && moment < self.delegation_ends(block, chart, account).await? {
                rights.powers = facts.powers;
            }
            if facts.emergency && moment < opened.until {
                rights.emergency = opened.compartments;
            }
        }
        match why {
            Some(why) if rights == Rights::default() => Err(forbidden(why)),
            _ => Ok(rights),
        }
    }

    /// Whether whoever acts may read this version for `purpose`, decided by the contract at the latest block, and where
    /// its envelope is. The pointer of the latest version is the chain's; what was before is the index's to say.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`, alike for what is refused and for what does not exist; `IndexBehind`; chain trouble.
    pub async fn readable(
        &self,
        (chart, record_id, version): (B256, B256, u32),
        acting: Acting,
        purpose: Purpose,
    ) -> Result<Readable> {
        let block = self.latest().await?;
        self.require_member(&block, acting).await?;
        let record = self.chain.record_of(&block, chart, record_id).await?;
        let exists = record.version != 0;
        // Of an unknown record the compartment is 0 here too: the question is asked all the same, so that
        // refusal and absence take the same steps.
        let question = acting.reading(chart, record.compartment, record_id, purpose.bit());
        let mut why = self
            .decide_now(&block, question.clone(), block.time.max(self.now()))
            .await?;
        if why == reason::DENIED {
            // Who may not use the compartment learns of no rule in it, as of no record.
            let apart = Question {
                recordId: B256::ZERO,
                ..question
            };
            if self.chain.decide(&block, apart).await? == reason::COMPARTMENT {
                why = reason::COMPARTMENT;
            }
        }
        if !reason::is_allowed(why) {
            return Err(unreadable(why, exists));
        }
        if version == 0 || version > record.version {
            return Err(unreadable(reason::UNKNOWN_RECORD, exists));
        }
        let (pointer, previous) = if record.version == 1 {
            (record.pointer, B256::ZERO)
        } else {
            let mut index = self.index_at(&block).await?;
            let indexed = index.record_version(chart, record_id, version).await?;
            let indexed = indexed.ok_or_else(|| Failure::from(Kind::IndexBehind))?;
            let latest = version == record.version;
            (if latest { record.pointer } else { indexed.pointer }, indexed.previous)
        };
        Ok(Readable {
            block,
            reason: why,
            pointer,
            previous,
            compartment: record.compartment,
        })
    }

    /// The contract's reason at `block`, and what it rests on again at `moment`: on an idle chain the clock of the
    /// latest block stands still, and no right must outlive its expiry by that.
    pub async fn decide_now(&self, block: &Block, question: Question, moment: u64) -> Result<u8> {
        let why = self.chain.decide(block, question.clone()).await?;
        if moment <= block.time {
            return Ok(why);
        }
        if ends_first(why) && moment >= self.grant_ends(block, question.chart, question.grantee).await? {
            return Ok(reason::EXPIRED);
        }
        if moment >= self.exception_ends(block, &question, why).await? {
            return Ok(reason::EXPIRED);
        }
        Ok(why)
    }

    /// When the exception ends that `why` rests on, UNIX seconds; never, or it rests on none: `u64::MAX`.
    pub async fn exception_ends(&self, block: &Block, question: &Question, why: u8) -> Result<u64> {
        let (chart, grantee) = (question.chart, question.grantee);
        match why {
            reason::RULE => {
                let rule = self.chain.rule_of(block, chart, question.recordId, grantee).await?;
                Ok(end(rule.expiry))
            }
            reason::EMERGENCY => Ok(self.chain.emergency_of(block, chart, grantee).await?.until),
            reason::DELEGATE => self.delegation_ends(block, chart, grantee).await,
            _ => Ok(u64::MAX),
        }
    }

    /// When the powers of a delegate end, UNIX seconds; never: `u64::MAX`. Nobody's outlive their giver's; each entry is
    /// looked at all the same, up to the controller's own.
    async fn delegation_ends(&self, block: &Block, chart: B256, mut delegate: Address) -> Result<u64> {
        let mut ends = u64::MAX;
        for _ in 0..DELEGATE_DEPTH_MOST {
            let entry = self.chain.delegate_of(block, chart, delegate).await?;
            ends = ends.min(end(entry.expiry));
            if entry.depth <= 1 {
                break;
            }
            delegate = entry.parent;
        }
        Ok(ends)
    }

    /// When the grant that the chain holds ends, UNIX seconds; never: `u64::MAX`.
    pub async fn grant_ends(&self, block: &Block, chart: B256, grantee: Address) -> Result<u64> {
        let grant = self.chain.grant_of(block, chart, grantee).await?;
        Ok(end(grant.terms.expiry))
    }
}

fn end(expiry: u64) -> u64 {
    match expiry {
        0 => u64::MAX,
        expiry => expiry,
    }
}

/// Whether an expired grant would have been the reason before `why`, in the contract's order.
pub fn ends_first(why: u8) -> bool {
    matches!(
        why,
        reason::GRANT
            | reason::COMPARTMENT
            | reason::PURPOSE
            | reason::ACTION
            | reason::UNKNOWN_RECORD
            | reason::RECORD_COMPARTMENT
            | reason::RULE
            | reason::DENIED
            | reason::SHREDDED
    )
}

/// Why a grant is not in force. The contract's order of reasons.
///
/// On an idle chain the latest block's clock stands still, and both ends err on the patient's side: a grant begins when
/// a block says so (`block_time`), as the contract has it, and ends by the clock too (`moment`, that or later).
fn out_of_force(epoch: u32, chart_epoch: u32, terms: &GrantTerms, block_time: u64, moment: u64) -> Option<u8> {
    if epoch < chart_epoch {
        Some(reason::REVOKED)
    } else if block_time < terms.notBefore {
        Some(reason::NOT_YET_VALID)
    } else if terms.expiry != 0 && moment >= terms.expiry {
        Some(reason::EXPIRED)
    } else {
        None
    }
}

/// The reason that may be told: what does not exist and what was not granted read the same.
pub fn merged(why: u8) -> u8 {
    match why {
        reason::UNKNOWN_CHART => reason::NO_GRANT,
        reason::RECORD_COMPARTMENT => reason::UNKNOWN_RECORD,
        why => why,
    }
}

pub fn forbidden(why: u8) -> Failure {
    Problem::new(Kind::ForbiddenOrUnknown)
        .reason(reason::text(merged(why)))
        .into()
}

/// For one record: beside [`merged`], a record in a compartment that was not granted reads as unknown.
///
/// About a record that does not exist the question was for compartment 0: what the grant lacks there says nothing, and
/// would tell absence from a compartment that was not granted.
pub fn unreadable(why: u8, exists: bool) -> Failure {
    forbidden(match why {
        reason::COMPARTMENT => reason::UNKNOWN_RECORD,
        reason::PURPOSE | reason::ACTION if !exists => reason::UNKNOWN_RECORD,
        why => why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(not_before: u64, expiry: u64) -> GrantTerms {
        GrantTerms {
            compartments: 1,
            purposes: 1,
            actions: action::READ,
            notBefore: not_before,
            expiry,
        }
    }

    #[test]
    fn a_grant_is_in_force_from_its_start_until_before_its_end() {
        let at = |terms, time| out_of_force(1, 1, &terms, time, time);
        assert_eq!(at(terms(10, 20), 9), Some(reason::NOT_YET_VALID));
        assert_eq!(at(terms(10, 20), 10), None);
        assert_eq!(at(terms(10, 20), 19), None);
        assert_eq!(at(terms(10, 20), 20), Some(reason::EXPIRED));
        assert_eq!(at(terms(0, 0), u64::MAX), None);
        assert_eq!(out_of_force(0, 1, &terms(0, 0), 5, 5), Some(reason::REVOKED));
        // No block for a while: what has not begun on chain has not begun, what has ended by the clock has ended.
        assert_eq!(out_of_force(1, 1, &terms(10, 20), 9, 15), Some(reason::NOT_YET_VALID));
        assert_eq!(out_of_force(1, 1, &terms(10, 20), 15, 25), Some(reason::EXPIRED));
    }

    #[test]
    fn absence_and_refusal_are_one_answer() {
        let body = |failure: Failure| serde_json::to_string(failure.problem()).unwrap();
        assert_eq!(
            body(forbidden(reason::UNKNOWN_CHART)),
            body(forbidden(reason::NO_GRANT))
        );
        let unknown = body(unreadable(reason::UNKNOWN_RECORD, false));
        assert_eq!(unknown, body(unreadable(reason::COMPARTMENT, true)));
        assert_eq!(unknown, body(unreadable(reason::RECORD_COMPARTMENT, true)));
        for asked_of_compartment_0 in [reason::COMPARTMENT, reason::PURPOSE, reason::ACTION] {
            assert_eq!(unknown, body(unreadable(asked_of_compartment_0, false)));
        }
        assert_ne!(unknown, body(unreadable(reason::PURPOSE, true)));
    }

    #[test]
    fn what_is_readable_is_what_grant_powers_and_emergency_add_up_to() {
        let standing = |rights: Rights| Standing {
            block: Block {
                number: 1,
                hash: B256::ZERO,
                time: 1,
            },
            controller: Address::ZERO,
            grant_epoch: 0,
            directory_version: 1,
            directory: B256::ZERO,
            role: Role::Other(rights),
        };
        let granted = |actions, purposes| Rights {
            terms: Some(GrantTerms {
                compartments: 6,
                purposes,
                actions,
                notBefore: 0,
                expiry: 0,
            }),
            ..Rights::default()
        };
        assert_eq!(standing(granted(action::WRITE, 1)).readable(), 0);
        assert_eq!(standing(granted(action::READ, 0)).readable(), 0);
        assert_eq!(standing(granted(action::READ, 1)).readable(), 6);
        let emergency = Rights {
            emergency: 8,
            ..granted(action::READ, 1)
        };
        assert_eq!(standing(emergency).readable(), 14);
        let with = |powers| {
            standing(Rights {
                powers,
                ..Rights::default()
            })
        };
        assert_eq!(with(power::READ).readable(), u64::MAX);
        assert_eq!(with(power::EVERY & !power::READ).readable(), 0);
        for seeing in [power::GRANT, power::REVOKE, power::DIRECTORY] {
            assert!(with(seeing).sees_grants());
        }
        assert!(!with(power::READ | power::WRITE | power::DELEGATE).sees_grants());
        assert!(with(power::EVERY).controller_only().is_err());
    }
}
