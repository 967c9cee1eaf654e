//! Facts from the contracts' storage.
use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use medlock_abi::{
    records::IRecords::Question,
    terms::DELEGATE_DEPTH_MOST,
    words::{
        exceptions::{Access, Delegate, Emergency, Rule, access_slot, delegate_slots, emergency_slot, rule_slot},
        records::{ChartHead, Grant, RecordHead, chart_slot, grant_slot, record_slot},
    },
};

use crate::{DelegateFacts, EmergencyFacts, Facts, GrantFacts, RecordFacts};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contract {
    Records,
    Exceptions,
}

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    pub contract: Contract,
    pub slot: B256,
}

/// What stands where, at one block.
pub type Words = BTreeMap<Slot, B256>;

/// What the facts cannot be told without; when these are known, there may be more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} words of storage are missing", .0.len())]
pub struct Missing(pub Vec<Slot>);

/// The facts about `question`, which must name no member: whether somebody is one stands in the registry.
///
/// # Errors
/// [`Missing`], empty where the question names a member.
pub fn facts(question: &Question, words: &Words) -> Result<Facts, Missing> {
    if !question.member.is_zero() {
        return Err(Missing(Vec::new()));
    }
    let mut reader = Reader {
        words,
        missing: Vec::new(),
    };
    let facts = reader.facts(question);
    match reader.missing.is_empty() {
        true => Ok(facts),
        false => Err(Missing(reader.missing)),
    }
}

struct Reader<'a> {
    words: &'a Words,
    missing: Vec<Slot>,
}

impl Reader<'_> {
    /// Zero where it is missing.
    fn word(&mut self, contract: Contract, slot: B256) -> B256 {
        let slot = Slot { contract, slot };
        self.words.get(&slot).copied().unwrap_or_else(|| {
            self.missing.push(slot);
            B256::ZERO
        })
    }

    fn facts(&mut self, question: &Question) -> Facts {
        let Question { chart, grantee, .. } = *question;
        let head = ChartHead::from_word(self.word(Contract::Records, chart_slot(chart)));
        let grant = Grant::from_word(self.word(Contract::Records, grant_slot(chart, grantee)));
        let mut facts = Facts {
            is_controller: (!head.controller.is_zero()).then_some(head.controller == grantee),
            control_epoch: head.control_epoch,
            grant_epoch: head.grant_epoch,
            may_act: true,
            grant: (grant.epoch != 0).then_some(GrantFacts {
                epoch: grant.epoch,
                compartments: grant.compartments,
                purposes: grant.purposes,
                actions: grant.actions,
                not_before: grant.not_before,
                expiry: grant.expiry,
                since: grant.since,
            }),
            ..Facts::default()
        };
        if !question.recordId.is_zero() {
            let slot = record_slot(chart, question.recordId);
            let record = RecordHead::from_word(self.word(Contract::Records, slot));
            facts.record = (record.version != 0).then_some(RecordFacts {
                compartment: record.compartment,
                status: record.status,
            });
        }
        // Where the chart has had none, the contract does not ask either.
        if head.exceptional {
            self.exceptions(question, &mut facts);
        }
        facts
    }

    fn exceptions(&mut self, question: &Question, facts: &mut Facts) {
        let Question { chart, grantee, .. } = *question;
        if !question.recordId.is_zero() {
            facts.rule_for_grantee = self.rule(question, grantee);
            facts.rule_for_everybody = self.rule(question, Address::ZERO);
        }
        let mut delegate = grantee;
        for _ in 0..DELEGATE_DEPTH_MOST {
            let [first, second] = delegate_slots(chart, delegate);
            let words = [first, second].map(|slot| self.word(Contract::Exceptions, slot));
            let entry = Delegate::from_words(words[0], words[1]);
            if entry.powers == 0 {
                break;
            }
            facts.delegations.push(DelegateFacts {
                serial: entry.serial,
                powers: entry.powers,
                expiry: entry.expiry,
                depth: entry.depth,
                parent_serial: entry.parent_serial,
                control_epoch: entry.control_epoch,
            });
            if entry.depth <= 1 {
                break;
            }
            delegate = entry.parent;
        }
        let access = Access::from_word(self.word(Contract::Exceptions, access_slot(chart)));
        let opened = self.word(Contract::Exceptions, emergency_slot(chart, grantee));
        let opened = Emergency::from_word(opened);
        facts.emergency = (opened.opened_at != 0).then_some(EmergencyFacts {
            compartments: opened.compartments,
            until: opened.until,
            grant_epoch: opened.grant_epoch,
            serial: opened.serial,
            access_allowed: access.allowed,
            access_serial: access.serial,
            access_control_epoch: access.control_epoch,
        });
    }

    fn rule(&mut self, question: &Question, grantee: Address) -> Option<Rule> {
        let slot = rule_slot(question.chart, question.recordId, grantee);
        let rule = Rule::from_word(self.word(Contract::Exceptions, slot));
        (rule.effect != 0).then_some(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question {
            chart: B256::repeat_byte(1),
            grantee: Address::repeat_byte(2),
            member: Address::ZERO,
            compartment: 3,
            recordId: B256::repeat_byte(4),
            purpose: 1,
            action: 1,
        }
    }

    fn of(contract: Contract, slot: B256) -> Slot {
        Slot { contract, slot }
    }

    #[test]
    fn says_what_is_missing_until_nothing_is() {
        let question = question();
        let chart = question.chart;
        let mut words = Words::new();
        let Missing(first) = facts(&question, &words).unwrap_err();
        assert_eq!(first.len(), 3);
        words.extend(first.iter().map(|slot| (*slot, B256::ZERO)));
        // A chart that is not there has nothing beside it.
        assert_eq!(facts(&question, &words).unwrap().is_controller, None);

        let head = ChartHead {
            controller: Address::repeat_byte(9),
            grant_epoch: 1,
            directory_version: 1,
            exceptional: true,
            rotation_due: false,
            control_epoch: 0,
        };
        words.insert(of(Contract::Records, chart_slot(chart)), head.to_word());
        let Missing(second) = facts(&question, &words).unwrap_err();
        assert_eq!(second.len(), 6);
        assert!(second.iter().all(|slot| slot.contract == Contract::Exceptions));
        words.extend(second.iter().map(|slot| (*slot, B256::ZERO)));
        assert_eq!(facts(&question, &words).unwrap().delegations, []);

        // A delegate of a delegate: the giver's entry is needed too.
        let parent = Address::repeat_byte(7);
        let entry = Delegate {
            parent,
            powers: 1,
            depth: 2,
            serial: 1,
            parent_serial: 5,
            ..Delegate::default()
        };
        let [first, second] = delegate_slots(chart, question.grantee);
        let (one, two) = entry.to_words();
        words.insert(of(Contract::Exceptions, first), one);
        words.insert(of(Contract::Exceptions, second), two);
        let Missing(third) = facts(&question, &words).unwrap_err();
        let wanted = delegate_slots(chart, parent).map(|slot| of(Contract::Exceptions, slot));
        assert_eq!(third, wanted);
    }

    #[test]
    fn a_member_is_the_registry_s_to_know() {
        let mut question = question();
        question.member = Address::repeat_byte(8);
        assert_eq!(facts(&question, &Words::new()), Err(Missing(vec![])));
    }
}
