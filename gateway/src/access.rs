//! Who may do what, asked of the contract at the latest block, every time.
//!
//! Privacy: what the caller may not see reads as if it did not exist. A chart that is unknown answers like one
//! without a grant, a record that is unknown like one that is out of reach ([`merged`]).
use alloy::primitives::{Address, B256};
use medlock_abi::{
    records::IRecords::{GrantTerms, Question},
    terms::{DELEGATE_DEPTH_MOST, action, reason},
};
use medlock_api::{Kind, Problem, Purpose};

use crate::{
    chain::Block,
    problem::{Failure, Result},
    state::Gateway,
};

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
    /// Holds a grant in force.
    Grantee(GrantTerms),
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
        match &self.role {
            Role::Controller => u64::MAX,
            Role::Grantee(terms) if terms.actions & action::READ != 0 && terms.purposes != 0 => terms.compartments,
            Role::Grantee(_) => 0,
        }
    }

    /// # Errors
    /// `ForbiddenOrUnknown` for a grantee.
    pub fn controller_only(&self) -> Result<()> {
        match self.role {
            Role::Controller => Ok(()),
            Role::Grantee(_) => Err(forbidden(reason::NO_GRANT)),
        }
    }
}

impl Gateway {
    /// What `account` is to `chart` at the latest block.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown` for whoever is neither its controller nor a grantee at present; chain trouble.
    pub async fn standing(&self, chart: B256, account: Address) -> Result<Standing> {
        let block = self.latest().await?;
        let found = self.chain.chart_of(&block, chart).await?;
        let role = if !found.controller.is_zero() && found.controller == account {
            Role::Controller
        } else {
            let grant = self.chain.grant_of(&block, chart, account).await?;
            if found.controller.is_zero() || grant.terms.compartments == 0 {
                return Err(forbidden(reason::NO_GRANT));
            }
            let moment = block.time.max(self.now());
            match out_of_force(grant.epoch, found.grantEpoch, &grant.terms, block.time, moment) {
                Some(why) => return Err(forbidden(why)),
                None => Role::Grantee(grant.terms),
            }
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

    /// Whether `reader` may read this version for `purpose`, decided by the contract at the latest block, and where
    /// its envelope is. The pointer of the latest version is the chain's; what was before is the index's to say.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`, alike for what is refused and for what does not exist; `IndexBehind`; chain trouble.
    pub async fn readable(
        &self,
        (chart, record_id, version): (B256, B256, u32),
        reader: Address,
        purpose: Purpose,
    ) -> Result<Readable> {
        let block = self.latest().await?;
        let record = self.chain.record_of(&block, chart, record_id).await?;
        let exists = record.version != 0;
        // Of an unknown record the compartment is 0 here too: the question is asked all the same, so that
        // refusal and absence take the same steps.
        let question = Question {
            chart,
            grantee: reader,
            member: Address::ZERO,
            compartment: record.compartment,
            recordId: record_id,
            purpose: purpose.bit(),
            action: action::READ,
        };
        let why = self.decide_now(&block, question, block.time.max(self.now())).await?;
        if !reason::is_allowed(why) {
            return Err(unreadable(why, exists));
        }
        if version == 0 || version > record.version {
            return Err(unreadable(reason::UNKNOWN_RECORD, exists));
        }
        let (pointer, previous) = if record.version == 1 {
            (record.pointer, B256::ZERO)
        } else {
            let index = self.index_at(&block).await?;
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
        let mut ends = u64::MAX;
        match why {
            reason::RULE => {
                let rule = self.chain.rule_of(block, chart, question.recordId, grantee).await?;
                ends = end(rule.expiry);
            }
            reason::EMERGENCY => ends = self.chain.emergency_of(block, chart, grantee).await?.until,
            reason::DELEGATE => {
                let mut delegate = grantee;
                // Nobody's powers outlive their giver's; each entry is looked at all the same, up to the controller's own.
                for _ in 0..DELEGATE_DEPTH_MOST {
                    let entry = self.chain.delegate_of(block, chart, delegate).await?;
                    ends = ends.min(end(entry.expiry));
                    if entry.depth <= 1 {
                        break;
                    }
                    delegate = entry.parent;
                }
            }
            _ => {}
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
    fn a_writer_without_read_sees_no_compartment() {
        let standing = |actions, purposes| Standing {
            block: Block {
                number: 1,
                hash: B256::ZERO,
                time: 1,
            },
            controller: Address::ZERO,
            grant_epoch: 0,
            directory_version: 1,
            directory: B256::ZERO,
            role: Role::Grantee(GrantTerms {
                compartments: 6,
                purposes,
                actions,
                notBefore: 0,
                expiry: 0,
            }),
        };
        assert_eq!(standing(action::WRITE, 1).readable(), 0);
        assert_eq!(standing(action::READ, 0).readable(), 0);
        assert_eq!(standing(action::READ, 1).readable(), 6);
    }
}
