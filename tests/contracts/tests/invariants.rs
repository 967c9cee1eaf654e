//! What must hold whatever happens, read from the chain's events and answers alone: the model is not asked.
//!
//! 1. **Nobody else**: an allowed answer is the controller's, that of a delegate with the power in force, of a grantee within a grant of
//!    the current epoch, or of who broke the glass at most four hours ago, for reads for ETREAT on the compartments named.
//! 2. **Revoked is revoked**: from `Revoked` to the next `Granted` no answer about that grantee is by a grant or a rule.
//! 3. **All revoked**: from `AllRevoked` on none is by an earlier grant, nor by glass that was broken before.
//! 4. **Shredded is shredded**: no answer about the record is allowed, not even to the controller; it stays a tombstone without a
//!    pointer, and its id never stands for another record.
//! 5. **Deny wins** over grant, allow rule, delegated power and broken glass (a rule for everybody: over all but delegated power).
//! 6. **Never back**: directory version, grant epoch, control epoch, `exceptional`, serials of delegates and of emergency access.
//! 7. **No more than was given**: a delegate's powers in force are among those of each giver up to the controller, end no later
//!    than theirs, and the chain has at most three entries.
//! 8. **The author might write**: whoever wrote a record, version or batch could get an allowed answer for the action `write` when they
//!    wrote, and was a provider then, or a member of one, unless they were the controller or a delegate.
//! 9. **In one's own name**: whoever an event names as the one who acts is the one who called or signed.
//! 10. **Cool-down**: 24 hours or more from one opening to the next of the same party on the same chart; never longer than four.
//! 11. **Control passes by offer**: a controller changes to whom control was last offered, and the epoch by one.
//! 12. **Members**: nobody acts for an organisation after it has removed them.
//! 13. **Rotation before anything is sealed**: from `AllRevoked` to the next `DirectorySet` no record, version or batch is added, nothing is granted
//!     or delegated, and that directory's version is the one after the next.
use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    primitives::{Address, B256},
    sol_types::SolEventInterface,
};
use medlock_abi::{
    exceptions::IExceptions::{self, IExceptionsEvents as X},
    records::IRecords::{self, IRecordsEvents as R, Question},
    registry::IRegistry::{self, IRegistryEvents as G},
    terms::{
        action, effect, emergency, power, purpose,
        reason::{CONTROLLER, DELEGATE, EMERGENCY, GRANT, RULE, is_allowed},
        record_status, role,
    },
};
use medlock_contract_tests::Contracts;

use crate::model::{Contract, Event};

/// What the events have said so far, as far as something follows from it for good.
#[derive(Default)]
pub struct Watch {
    controllers: BTreeMap<B256, Address>,
    control_epochs: BTreeMap<B256, u32>,
    offers: BTreeMap<B256, Address>,
    /// The epoch that began with the last `AllRevoked`.
    epochs: BTreeMap<B256, u32>,
    /// The epoch of the last grant that was not revoked.
    granted: BTreeMap<(B256, Address), u32>,
    shredded: BTreeSet<(B256, B256)>,
    /// When it was opened, and until when it is.
    opened: BTreeMap<(B256, Address), (u64, u64)>,
    removed: BTreeSet<(Address, Address)>,
    /// All grants were ended, and no directory was set since.
    due: BTreeSet<B256>,
    /// Of the directory that stands.
    versions: BTreeMap<B256, u32>,
    /// Directory version, grant epoch, control epoch, exceptional, emergency access.
    heads: BTreeMap<B256, [u32; 5]>,
    serials: BTreeMap<(B256, Address), u32>,
}

impl Watch {
    /// What a transaction of `actor` told.
    pub fn read(&mut self, chain: &Contracts, events: &[Event], actor: Address, now: u64) {
        let mut organisation = Address::ZERO;
        // Who wrote what: of a chart, a record (zero: new) and a compartment.
        let mut written = BTreeSet::new();
        for event in events {
            let (topics, data) = (event.data.topics(), &event.data.data);
            match event.of {
                Contract::Registry => {
                    let event = G::decode_raw_log(topics, data).unwrap();
                    self.read_registry(&event, actor);
                }
                Contract::Records => {
                    let event = R::decode_raw_log(topics, data).unwrap();
                    match &event {
                        R::ActedFor(e) => {
                            assert_eq!(e.member, actor, "9. In one's own name");
                            organisation = e.organisation;
                        }
                        R::RecordAdded(e) => {
                            self.may_be_sealed(e.chart);
                            assert_eq!(e.author, actor, "9. In one's own name");
                            written.insert((e.chart, B256::ZERO, e.compartment));
                        }
                        R::BatchAdded(e) => {
                            self.may_be_sealed(e.chart);
                            assert_eq!(e.author, actor, "9. In one's own name");
                            written.insert((e.chart, B256::ZERO, e.compartment));
                        }
                        R::RecordAmended(e) => {
                            self.may_be_sealed(e.chart);
                            assert_eq!(e.author, actor, "9. In one's own name");
                            written.insert((e.chart, e.recordId, compartment_of(chain, e.chart, e.recordId)));
                        }
                        R::RecordEnteredInError(e) => {
                            assert_eq!(e.by, actor, "9. In one's own name");
                            written.insert((e.chart, e.recordId, compartment_of(chain, e.chart, e.recordId)));
                        }
                        _ => self.read_records(&event, actor),
                    }
                }
                Contract::Exceptions => {
                    let event = X::decode_raw_log(topics, data).unwrap();
                    self.read_exceptions(&event, actor, now);
                }
                Contract::Relay | Contract::Audit => {}
            }
        }
        for (chart, record_id, compartment) in written {
            might_write(chain, actor, organisation, chart, record_id, compartment);
        }
    }

    fn may_be_sealed(&self, chart: B256) {
        assert!(!self.due.contains(&chart), "13. Rotation before anything is sealed");
    }

    fn read_registry(&mut self, event: &G, actor: Address) {
        match event {
            G::MemberSet(e) => {
                assert_eq!(e.organisation, actor, "9. In one's own name");
                self.removed.remove(&(e.organisation, e.member));
            }
            G::MemberRemoved(e) => {
                assert_eq!(e.organisation, actor, "9. In one's own name");
                self.removed.insert((e.organisation, e.member));
            }
            G::KeyPublished(e) => assert_eq!(e.party, actor, "9. In one's own name"),
            G::KeyRevoked(e) => assert_eq!(e.party, actor, "9. In one's own name"),
            G::CredentialIssued(e) => assert_eq!(e.issuer, actor, "9. In one's own name"),
            _ => {}
        }
    }

    fn read_records(&mut self, event: &R, actor: Address) {
        match event {
            R::ChartOpened(e) => {
                assert_eq!(e.controller, actor, "9. In one's own name");
                self.controllers.insert(e.chart, e.controller);
                self.control_epochs.insert(e.chart, 0);
                self.epochs.insert(e.chart, 1);
                self.versions.insert(e.chart, 1);
            }
            R::DirectorySet(e) => {
                let ahead = if self.due.remove(&e.chart) { 2 } else { 1 };
                let before = self.versions.insert(e.chart, e.version);
                assert_eq!(
                    before,
                    Some(e.version - ahead),
                    "13. Rotation before anything is sealed"
                );
            }
            R::KeyringSet(e) => self.may_be_sealed(e.chart),
            R::ControlOffered(e) => {
                assert_eq!(self.controllers[&e.chart], actor, "11. Control passes by offer");
                self.offers.insert(e.chart, e.to);
            }
            R::ControlAccepted(e) => {
                assert_eq!(e.controller, actor, "9. In one's own name");
                assert_eq!(self.offers.remove(&e.chart), Some(actor), "11. Control passes by offer");
                let before = self.control_epochs.insert(e.chart, e.controlEpoch);
                assert_eq!(before, Some(e.controlEpoch - 1), "11. Control passes by offer");
                self.controllers.insert(e.chart, e.controller);
            }
            R::ByDelegate(e) => assert_eq!(e.delegate, actor, "9. In one's own name"),
            R::RecordShredded(e) => {
                assert_eq!(self.controllers[&e.chart], actor, "9. In one's own name");
                self.shredded.insert((e.chart, e.recordId));
            }
            R::RecordTakenFromBatch(e) => {
                assert!(
                    !self.shredded.contains(&(e.chart, e.recordId)),
                    "4. Shredded is shredded"
                );
            }
            R::Granted(e) => {
                self.may_be_sealed(e.chart);
                self.granted.insert((e.chart, e.grantee), e.epoch);
            }
            R::Revoked(e) => {
                self.granted.remove(&(e.chart, e.grantee));
            }
            R::AllRevoked(e) => {
                self.due.insert(e.chart);
                assert_eq!(self.epochs.insert(e.chart, e.epoch), Some(e.epoch - 1), "6. Never back");
                self.opened.retain(|(chart, _), opened| {
                    if *chart == e.chart {
                        opened.1 = 0;
                    }
                    true
                });
            }
            _ => {}
        }
    }

    fn read_exceptions(&mut self, event: &X, actor: Address, now: u64) {
        match event {
            X::ByDelegate(e) => assert_eq!(e.delegate, actor, "9. In one's own name"),
            X::DelegateSet(e) => {
                self.may_be_sealed(e.chart);
                assert_eq!(e.parent, actor, "9. In one's own name");
            }
            X::DelegateRemoved(e) => assert_eq!(e.by, actor, "9. In one's own name"),
            X::EmergencyOpened(e) => {
                assert_eq!(e.party, actor, "9. In one's own name");
                assert_eq!(e.until, now + emergency::OPEN_S, "10. Cool-down");
                let before = self.opened.insert((e.chart, e.party), (now, e.until));
                assert!(
                    before.is_none_or(|(at, _)| at + emergency::AGAIN_S <= now),
                    "10. Cool-down"
                );
            }
            X::EmergencyClosed(e) => {
                assert_eq!(e.by, actor, "9. In one's own name");
                self.opened.get_mut(&(e.chart, e.party)).unwrap().1 = 0;
            }
            X::EmergencyAccessSet(e) if !e.allowed => {
                for ((chart, _), opened) in &mut self.opened {
                    if *chart == e.chart {
                        opened.1 = 0;
                    }
                }
            }
            _ => {}
        }
    }

    /// The chain has answered so, at this moment.
    pub fn answered(&self, chain: &Contracts, question: &Question, reason: u8, now: u64) {
        if !is_allowed(reason) {
            return;
        }
        let &Question {
            chart,
            grantee,
            member,
            compartment,
            recordId: record_id,
            purpose,
            action,
        } = question;
        let in_person = member.is_zero();
        let bit = 1_u64 << compartment;
        assert!(
            !self.shredded.contains(&(chart, record_id)),
            "4. Shredded is shredded: {question:?}"
        );
        assert!(
            in_person || !self.removed.contains(&(grantee, member)),
            "12. Members: {question:?}"
        );
        let holds = match reason {
            CONTROLLER => self.controllers[&chart] == grantee,
            GRANT | RULE => {
                assert_eq!(
                    self.granted.get(&(chart, grantee)),
                    Some(&self.epochs[&chart]),
                    "2. Revoked is revoked, 3. All revoked: {question:?}"
                );
                let grant = chain.ask(chain.records, IRecords::grantOfCall { chart, grantee });
                let terms = grant.terms;
                let in_time = terms.notBefore <= now && (terms.expiry == 0 || now < terms.expiry);
                let within = if reason == GRANT {
                    terms.compartments & bit != 0 && terms.purposes & purpose != 0 && terms.actions & action != 0
                } else {
                    let rule = rule_of(chain, chart, record_id, grantee);
                    rule.effect == effect::ALLOW && fits(&rule, purpose, action, now)
                };
                in_time && within
            }
            DELEGATE => in_person && powers_of(chain, chart, grantee) & power::of(action) != 0,
            EMERGENCY => {
                let opened = self.opened.get(&(chart, grantee));
                let party = grantee;
                let compartments = chain
                    .ask(chain.exceptions, IExceptions::emergencyOfCall { chart, party })
                    .compartments;
                in_person
                    && action == action::READ
                    && purpose == purpose::ETREAT
                    && compartments & bit != 0
                    && opened.is_some_and(|(at, until)| now < *until && now < at + emergency::OPEN_S)
            }
            _ => false,
        };
        assert!(holds, "1. Nobody else: {question:?} {reason}");
        if reason != CONTROLLER && !record_id.is_zero() {
            let denies = |whose| {
                let rule = rule_of(chain, chart, record_id, whose);
                rule.effect == effect::DENY && fits(&rule, purpose, action, now)
            };
            let is_delegate = in_person && powers_of(chain, chart, grantee) & power::of(action) != 0;
            assert!(!denies(grantee), "5. Deny wins: {question:?}");
            assert!(in_person || !denies(member), "5. Deny wins: {question:?}");
            assert!(is_delegate || !denies(Address::ZERO), "5. Deny wins: {question:?}");
        }
    }

    pub fn counters_have_not_gone_back(&mut self, chain: &Contracts, chart: B256, parties: &[Address]) {
        let of = chain.ask(chain.records, IRecords::chartOfCall { chart });
        let access = chain.ask(chain.exceptions, IExceptions::emergencyAccessOfCall { chart });
        let head = [
            of.directoryVersion,
            of.grantEpoch,
            of.controlEpoch,
            of.exceptional.into(),
            access.serial,
        ];
        let before = self.heads.insert(chart, head).unwrap_or_default();
        assert!(
            before.iter().zip(&head).all(|(before, now)| before <= now),
            "6. Never back"
        );
        assert_eq!(of.controller, self.controllers.get(&chart).copied().unwrap_or_default());
        for delegate in parties {
            let call = IExceptions::delegateOfCall {
                chart,
                delegate: *delegate,
            };
            let serial = chain.ask(chain.exceptions, call).serial;
            let before = self.serials.insert((chart, *delegate), serial);
            assert!(before.unwrap_or_default() <= serial, "6. Never back");
        }
    }

    pub fn is_backed_by_givers(&self, chain: &Contracts, chart: B256, delegate: Address, now: u64) {
        let Some(controller) = self.controllers.get(&chart) else {
            return;
        };
        let powers = powers_of(chain, chart, delegate);
        if powers == 0 || delegate == *controller {
            return;
        }
        let own = chain.ask(chain.exceptions, IExceptions::delegateOfCall { chart, delegate });
        let expiry = own.expiry;
        let mut entry = own;
        for _ in 0..3 {
            assert_eq!(powers & !entry.powers, 0, "7. No more than was given");
            let outlives = entry.expiry != 0 && (expiry == 0 || expiry > entry.expiry);
            assert!(
                !outlives && (entry.expiry == 0 || now < entry.expiry),
                "7. No more than was given"
            );
            if entry.parent == *controller {
                return;
            }
            let call = IExceptions::delegateOfCall {
                chart,
                delegate: entry.parent,
            };
            let parent = chain.ask(chain.exceptions, call);
            assert_eq!(parent.serial, entry.parentSerial, "7. No more than was given");
            assert_ne!(parent.powers & power::DELEGATE, 0, "7. No more than was given");
            entry = parent;
        }
        panic!("7. No more than was given: a fourth entry");
    }

    pub fn tombstones_stay(&self, chain: &Contracts, chart: B256) {
        let of_chart = (chart, B256::ZERO)..=(chart, B256::repeat_byte(0xff));
        for (_, record_id) in self.shredded.range(of_chart) {
            let record = chain.ask(
                chain.records,
                IRecords::recordOfCall {
                    chart,
                    recordId: *record_id,
                },
            );
            assert_eq!(record.status, record_status::SHREDDED, "4. Shredded is shredded");
            assert!(record.pointer.is_zero(), "4. Shredded is shredded");
        }
    }
}

/// 8, asked right after: nothing that a write changes gives the right to it.
fn might_write(
    chain: &Contracts,
    actor: Address,
    organisation: Address,
    chart: B256,
    record_id: B256,
    compartment: u8,
) {
    let in_person = organisation.is_zero();
    let grantee = if in_person { actor } else { organisation };
    let grant = chain.ask(chain.records, IRecords::grantOfCall { chart, grantee });
    let rule = rule_of(chain, chart, record_id, grantee);
    // A write states no purpose: any that a grant, a rule or nobody limits will do.
    let purposes = [1, lowest(grant.terms.purposes), lowest(rule.purposes)];
    let questions = purposes.into_iter().map(|purpose| Question {
        chart,
        grantee,
        member: if in_person { Address::ZERO } else { actor },
        compartment,
        recordId: record_id,
        purpose,
        action: action::WRITE,
    });
    let call = IRecords::decideManyCall {
        questions: questions.collect(),
    };
    let reasons = chain.ask(chain.records, call);
    let reason = reasons.iter().find(|reason| is_allowed(**reason));
    let reason = *reason.unwrap_or_else(|| panic!("8. The author might write: {actor} in {chart}: {reasons:?}"));
    let roles = role::PROVIDER;
    let is_provider = if in_person {
        matches!(reason, CONTROLLER | DELEGATE)
            || chain.ask(chain.registry, IRegistry::hasRolesCall { party: actor, roles })
    } else {
        let call = IRegistry::mayActForCall {
            organisation,
            member: actor,
            roles,
        };
        chain.ask(chain.registry, call)
    };
    assert!(
        is_provider,
        "8. The author might write: {actor} in {chart} for {organisation}"
    );
}

/// The lowest bit alone.
fn lowest(bits: u32) -> u32 {
    bits & bits.wrapping_neg()
}

fn compartment_of(chain: &Contracts, chart: B256, record_id: B256) -> u8 {
    let call = IRecords::recordOfCall {
        chart,
        recordId: record_id,
    };
    chain.ask(chain.records, call).compartment
}

fn powers_of(chain: &Contracts, chart: B256, delegate: Address) -> u8 {
    chain.ask(chain.exceptions, IExceptions::powersOfCall { chart, delegate })
}

fn rule_of(chain: &Contracts, chart: B256, record_id: B256, grantee: Address) -> IExceptions::ruleOfReturn {
    let call = IExceptions::ruleOfCall {
        chart,
        recordId: record_id,
        grantee,
    };
    chain.ask(chain.exceptions, call)
}

fn fits(rule: &IExceptions::ruleOfReturn, purpose: u32, action: u8, now: u64) -> bool {
    (rule.expiry == 0 || now < rule.expiry) && rule.purposes & purpose != 0 && rule.actions & action != 0
}
