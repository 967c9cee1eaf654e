//! Every answer of the chain is the model's.
use alloy::primitives::{Address, B256, U256};
use medlock_abi::{
    audit::IAudit,
    exceptions::IExceptions,
    records::IRecords::{self, Question},
    registry::IRegistry,
    relay::IRelay,
    terms::{action, purpose, role},
};

use super::{Dice, ISSUERS, STRANGER, World};
use crate::model::View;

impl World {
    /// Asks the chain and the model; what a view returns without a fault is given.
    fn ask<V: View>(&mut self, call: V) -> Option<V::Return> {
        self.tally.answers += 1;
        let expected = call.answer(&self.model);
        let of = V::OF.address(&self.chain);
        let output = self.chain.call(STRANGER, of, call.clone()).output;
        let same = match (&expected, &output) {
            (Ok(answer), Ok(output)) => V::abi_encode_returns(answer) == output[..],
            (Err(refusal), Err(revert)) => refusal.0 == revert[..],
            _ => false,
        };
        if !same {
            let expected = expected.map(|answer| alloy::hex::encode(V::abi_encode_returns(&answer)));
            let (seed, number, now) = (self.seed, self.tally.operations, self.model.now);
            panic!("SEED={seed} operation {number} at {now}: {call:?}\ncontract: {output:?}\nmodel: {expected:?}");
        }
        expected.ok()
    }

    /// A few answers at random.
    pub(super) fn look_around(&mut self) {
        for _ in 0..1 + self.dice.below(2) {
            let question = self.question();
            self.decide(question);
        }
        let (chart, party) = (self.chart(), self.party());
        match self.dice.below(14) {
            0 => drop(self.ask(IRecords::chartOfCall { chart })),
            1 => self.look_at_grant(chart, party),
            2 => {
                let record_id = self.record_id(chart);
                self.look_at_record(chart, record_id);
            }
            3 => self.look_at_facts(chart),
            4 => self.look_at_delegate(chart, party),
            5 => self.look_at_emergency(chart, party),
            6 | 7 => {
                let at = self.some_time();
                self.look_at_party(party, at);
            }
            8 => {
                let (organisation, at) = (self.party(), self.some_time());
                self.look_at_member(organisation, party, at);
            }
            9 => drop(self.ask(IRelay::nonceOfCall { signer: party })),
            10 => self.look_at_gateway(party),
            11 => self.look_at_leaf(),
            12 => {
                let record_id = self.record_id(chart);
                self.look_at_rule(chart, record_id, party);
            }
            _ => {
                // None, some, as many as may be asked at once, and more.
                let count = self.dice.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 128, 129]);
                let questions: Vec<_> = (0..count).map(|_| self.question()).collect();
                let answers = self.ask(IRecords::decideManyCall { questions });
                assert_eq!(answers.is_some(), (1..=128).contains(&count));
            }
        }
    }

    /// All there is, and some that is not.
    pub(super) fn look_at_everything(&mut self) {
        let when = format!("SEED={} operation {}", self.seed, self.tally.operations);
        self.tally.words += self.replay.assert_same(&self.chain, &when) as u64;
        self.ask(IRegistry::ownerCall {});
        self.ask(IRegistry::pendingOwnerCall {});
        self.ask(IRegistry::relayCall {});
        self.ask(IRecords::neighboursCall {});
        self.ask(IExceptions::neighboursCall {});
        self.ask(IRelay::neighboursCall {});
        self.ask(IAudit::registryCall {});
        let parties = self.parties.clone();
        for issuer in ISSUERS.into_iter().chain(parties.clone()) {
            self.ask(IRegistry::issuerOfCall { issuer });
        }
        for party in parties.clone() {
            let now = self.model.now;
            self.look_at_party(party, now);
            let at = self.some_time();
            self.look_at_party(party, at);
            self.look_at_gateway(party);
            self.ask(IRelay::nonceOfCall { signer: party });
        }
        let members: Vec<_> = self.model.registry.members.keys().copied().collect();
        for (organisation, member) in members {
            let at = self.some_time();
            self.look_at_member(organisation, member, at);
        }
        let mut charts: Vec<B256> = self.model.records.charts.keys().copied().collect();
        charts.push(B256::repeat_byte(0xdd));
        for chart in charts {
            self.look_at_chart(chart);
        }
        for _ in 0..4 {
            let questions: Vec<_> = (0..128).map(|_| self.question()).collect();
            let reasons = self.ask(IRecords::decideManyCall {
                questions: questions.clone(),
            });
            for (question, reason) in questions.iter().zip(reasons.unwrap()) {
                self.tally.count_reason(reason);
                self.watch.answered(&self.chain, question, reason, self.model.now);
            }
        }
    }

    fn look_at_chart(&mut self, chart: B256) {
        self.ask(IRecords::chartOfCall { chart });
        self.ask(IRecords::offeredToCall { chart });
        self.ask(IExceptions::emergencyAccessOfCall { chart });
        self.watch
            .counters_have_not_gone_back(&self.chain, chart, &self.parties);
        for party in self.parties.clone() {
            self.look_at_grant(chart, party);
            self.look_at_delegate(chart, party);
            self.look_at_emergency(chart, party);
            self.watch
                .is_backed_by_givers(&self.chain, chart, party, self.model.now);
        }
        let beside = self.model.exceptions.charts.get(&chart);
        let rules: Vec<_> = beside
            .map(|beside| beside.rules.keys().copied().collect())
            .unwrap_or_default();
        for (record_id, grantee) in rules {
            self.look_at_rule(chart, record_id, grantee);
        }
        for _ in 0..10 {
            self.look_at_facts(chart);
        }
        let Some(of) = self.model.records.charts.get(&chart) else {
            return;
        };
        let batches: Vec<_> = of.batches.keys().copied().collect();
        let records: Vec<_> = of.records.keys().copied().collect();
        for root in batches {
            self.ask(IRecords::batchOfCall { chart, root });
        }
        for record_id in records {
            // Each of the many in one sweep of four.
            if self.dice.one_in(4) {
                self.look_at_record(chart, record_id);
            }
        }
        self.watch.tombstones_stay(&self.chain, chart);
    }

    fn decide(&mut self, question: Question) {
        let answer = self.ask(IRecords::decideCall {
            question: question.clone(),
        });
        let reason = answer.unwrap().reason;
        self.tally.count_reason(reason);
        self.watch.answered(&self.chain, &question, reason, self.model.now);
    }

    fn look_at_grant(&mut self, chart: B256, grantee: Address) {
        self.ask(IRecords::grantOfCall { chart, grantee });
    }

    fn look_at_record(&mut self, chart: B256, record_id: B256) {
        self.ask(IRecords::recordOfCall {
            chart,
            recordId: record_id,
        });
    }

    fn look_at_rule(&mut self, chart: B256, record_id: B256, grantee: Address) {
        for grantee in [grantee, Address::ZERO] {
            self.ask(IExceptions::ruleOfCall {
                chart,
                recordId: record_id,
                grantee,
            });
        }
    }

    fn look_at_delegate(&mut self, chart: B256, delegate: Address) {
        self.ask(IExceptions::delegateOfCall { chart, delegate });
        self.ask(IExceptions::powersOfCall { chart, delegate });
    }

    fn look_at_emergency(&mut self, chart: B256, party: Address) {
        self.ask(IExceptions::emergencyOfCall { chart, party });
    }

    /// With the chart's epochs, and with others.
    fn look_at_facts(&mut self, chart: B256) {
        let question = self.question();
        let of = self.model.records.charts.get(&chart);
        let (mut grant_epoch, mut control_epoch) = of.map_or((1, 0), |of| (of.grant_epoch, of.control_epoch));
        if self.dice.one_in(8) {
            (grant_epoch, control_epoch) = (self.dice.below(4) as u32, self.dice.below(4) as u32);
        }
        let purpose = self.dice.pick(&[0, question.purpose]);
        self.ask(IExceptions::factsOfCall {
            chart,
            grantEpoch: grant_epoch,
            controlEpoch: control_epoch,
            grantee: question.grantee,
            member: question.member,
            compartment: question.compartment,
            recordId: question.recordId,
            purpose,
            action: question.action,
        });
    }

    fn look_at_party(&mut self, party: Address, at: u64) {
        self.ask(IRegistry::credentialOfCall { party });
        self.ask(IRegistry::credentialAtCall { party, at });
        let roles = self
            .dice
            .pick(&[0, role::ORGANISATION, role::PROVIDER, role::GATEWAY | role::INSURER]);
        self.ask(IRegistry::hasRolesCall { party, roles });
        self.ask(IRegistry::hasRolesAtCall { party, roles, at });
        self.ask(IRegistry::keyOfCall { party });
        self.ask(IRegistry::keyAtCall { party, at });
    }

    fn look_at_member(&mut self, organisation: Address, member: Address, at: u64) {
        self.ask(IRegistry::memberOfCall { organisation, member });
        self.ask(IRegistry::isMemberCall { organisation, member });
        self.ask(IRegistry::isMemberAtCall {
            organisation,
            member,
            at,
        });
        let roles = self.dice.pick(&[0, role::PROVIDER, role::ORGANISATION | role::INSURER]);
        self.ask(IRegistry::mayActForCall {
            organisation,
            member,
            roles,
        });
        self.ask(IRegistry::mayActForAtCall {
            organisation,
            member,
            roles,
            at,
        });
    }

    fn look_at_gateway(&mut self, gateway: Address) {
        self.ask(IAudit::headOfCall { gateway });
        self.ask(IAudit::equivocationsOfCall { gateway });
        let anchors = self.model.audit.of(gateway);
        let statement = anchors.last().cloned().unwrap_or(IAudit::Anchor {
            gateway,
            index: 0,
            previous: B256::ZERO,
            root: B256::ZERO,
            count: 1,
        });
        let count = anchors.len() as u64;
        let index = self.dice.pick(&[0, count / 2, count, u64::MAX]);
        self.ask(IAudit::anchorOfCall { gateway, index });
        // An anchored root here is the hash of one leaf, or of two.
        let leaf = self.dice.pick(&[B256::from(U256::from(statement.count)), B256::ZERO]);
        let is_single = statement.count == 1;
        let proof = if is_single {
            vec![]
        } else {
            vec![crate::model::leaf_of_one(B256::ZERO)]
        };
        let leaf_index = self.dice.below(3) as u32;
        self.ask(IAudit::verifyCall {
            statement,
            leafIndex: leaf_index,
            leaf,
            proof,
        });
    }

    fn look_at_leaf(&mut self) {
        if let Some((chart, root, index, record_id, pointer, proof)) = self.leaf() {
            self.ask(IRecords::verifyBatchCall {
                chart,
                root,
                index,
                recordId: record_id,
                pointer,
                proof,
            });
        }
    }

    /// Half of them aimed at what somebody may do, or nearly.
    pub(super) fn question(&mut self) -> Question {
        let chart = self.chart();
        let mut question = self.any_question(chart);
        if self.dice.one_in(2) {
            return question;
        }
        let (Some(of), beside) = (
            self.model.records.charts.get(&chart),
            self.model.exceptions.charts.get(&chart),
        ) else {
            return question;
        };
        question.member = Address::ZERO;
        let kind = self.dice.below(8);
        match (kind, beside) {
            (0..3, Some(beside)) if !beside.rules.is_empty() => {
                let index = self.dice.below(beside.rules.len() as u64) as usize;
                let ((record_id, grantee), rule) = beside.rules.iter().nth(index).unwrap();
                question.recordId = *record_id;
                question.compartment = of.records[record_id].compartment;
                question.purpose = 1 << bit_of(&mut self.dice, rule.purposes.into());
                question.action = 1 << bit_of(&mut self.dice, rule.actions.into());
                if !grantee.is_zero() {
                    question.grantee = *grantee;
                }
            }
            (3 | 4, Some(beside)) if !beside.emergencies.is_empty() => {
                let index = self.dice.below(beside.emergencies.len() as u64) as usize;
                let (party, opened) = beside.emergencies.iter().nth(index).unwrap();
                question.grantee = *party;
                question.compartment = bit_of(&mut self.dice, opened.compartments);
                (question.purpose, question.action) = (purpose::ETREAT, action::READ);
                question.recordId = B256::ZERO;
            }
            _ if !of.grants.is_empty() => {
                let index = self.dice.below(of.grants.len() as u64) as usize;
                let (grantee, grant) = of.grants.iter().nth(index).unwrap();
                question.grantee = *grantee;
                question.compartment = bit_of(&mut self.dice, grant.compartments);
                question.purpose = 1 << bit_of(&mut self.dice, grant.purposes.into());
                question.action = 1 << bit_of(&mut self.dice, grant.actions.into());
                let compartment = question.compartment;
                let within = of
                    .records
                    .iter()
                    .filter(|(_, record)| record.compartment == compartment);
                let within: Vec<_> = within.map(|(id, _)| *id).take(5).collect();
                question.recordId = match within.as_slice() {
                    [] => B256::ZERO,
                    ids => self
                        .dice
                        .pick(&[B256::ZERO, ids[ids.len() / 2], ids[0], ids[ids.len() - 1]]),
                };
                // Somebody who acts for them, if anybody does.
                let members = self.model.registry.members.keys().filter(|(of, _)| of == grantee);
                let members: Vec<_> = members.map(|(_, member)| *member).collect();
                if !members.is_empty() && self.dice.one_in(3) {
                    question.member = self.dice.pick(&members);
                }
            }
            _ => {}
        }
        // One field may be another all the same.
        let other = self.any_question(chart);
        match self.dice.below(24) {
            0 => question.compartment = other.compartment,
            1 => question.purpose = other.purpose,
            2 => question.action = other.action,
            3 => question.recordId = other.recordId,
            4 => question.grantee = other.grantee,
            _ => {}
        }
        question
    }

    fn any_question(&mut self, chart: B256) -> Question {
        let record_id = if self.dice.one_in(3) {
            B256::ZERO
        } else {
            self.record_id(chart)
        };
        let of_record = self
            .model
            .records
            .record(chart, record_id)
            .map(|record| record.compartment);
        let compartment = match of_record {
            Some(compartment) if !self.dice.one_in(5) => compartment,
            _ => self.compartment(),
        };
        let (mut grantee, mut member) = (self.party(), Address::ZERO);
        if self.dice.one_in(8) {
            (grantee, member) = self.membership();
        }
        let purpose = match self.dice.below(40) {
            0 => self.dice.pick(&[0, 3, 1 << 31, u32::MAX]),
            1..14 => purpose::ETREAT,
            _ => 1 << self.dice.below(7),
        };
        let action = match self.dice.below(40) {
            0 => self.dice.pick(&[0, 3, 8, 128, 255]),
            1..24 => 1,
            _ => 1 << self.dice.below(3),
        };
        Question {
            chart,
            grantee,
            member,
            compartment,
            recordId: record_id,
            purpose,
            action,
        }
    }

    /// Past, present or to come; often where something begins or ends.
    fn some_time(&mut self) -> u64 {
        let now = self.model.now;
        match self.dice.below(6) {
            0 => 0,
            1 => now + self.dice.below(200_000),
            2 => u64::MAX,
            3 => {
                let party = self.party();
                let held = self.model.registry.credentials.get(&party);
                let begun: Vec<u64> = held
                    .map(|all| all.iter().map(|one| one.issued_at).collect())
                    .unwrap_or_default();
                match begun.as_slice() {
                    [] => now,
                    all => self.dice.pick(all) - self.dice.below(2),
                }
            }
            _ => super::moves::START + self.dice.below(now - super::moves::START + 1),
        }
    }
}

/// The number of one of the bits that are set; there is one.
fn bit_of(dice: &mut Dice, bits: u64) -> u8 {
    let skipped = dice.below(bits.count_ones().into());
    let left = (0..skipped).fold(bits, |bits, _| bits & (bits - 1));
    left.trailing_zeros() as u8
}
