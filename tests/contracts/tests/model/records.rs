//! Charts, record pointers, grants; and who may do what.
use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, keccak256};
use medlock_abi::{
    records::IRecords::{self, *},
    terms::{BATCH_MOST, COMPARTMENTS, SERIAL_MOST, TIME_MOST, action, power, reason, record_status, role},
};

use super::{Contract, FactsAsked, Model, Refusal, View, acts, end, is_before, require, stated, views};

#[derive(Default)]
pub struct Records {
    pub charts: BTreeMap<B256, Chart>,
}

pub struct Chart {
    pub controller: Address,
    pub offered: Option<Address>,
    pub grant_epoch: u32,
    pub directory_version: u32,
    pub directory: B256,
    pub control_epoch: u32,
    pub exceptional: bool,
    /// All grants were ended, and no directory was set since.
    pub rotation_due: bool,
    pub records: BTreeMap<B256, Record>,
    pub batches: BTreeMap<B256, Batch>,
    pub grants: BTreeMap<Address, Grant>,
}

pub struct Record {
    pub author: Address,
    pub created_at: u64,
    pub version: u32,
    pub compartment: u8,
    pub status: u8,
    pub codec: u8,
    /// `None`: shredded.
    pub pointer: Option<B256>,
}

#[derive(Clone, Copy)]
pub struct Batch {
    pub author: Address,
    pub created_at: u64,
    pub count: u32,
    pub compartment: u8,
    pub codec: u8,
}

pub struct Grant {
    pub epoch: u32,
    pub since: u32,
    pub serial: u8,
    pub compartments: u64,
    pub purposes: u32,
    pub actions: u8,
    pub not_before: u64,
    pub expiry: Option<u64>,
}

acts! { Records;
    openChartCall => open_chart,
    offerControlCall => offer_control,
    acceptControlCall => accept_control,
    setDirectoryCall => set_directory,
    setExceptionalCall => set_exceptional,
    addRecordsCall => add_records,
    amendRecordCall => amend_record,
    enterInErrorCall => enter_in_error,
    shredRecordCall => shred_record,
    addBatchCall => add_batch,
    takeFromBatchCall => take_from_batch,
    grantCall => grant,
    setKeyringsCall => set_keyrings,
    revokeCall => revoke,
    revokeAllCall => revoke_all,
}

views! { Records;
    neighboursCall => |_, model| neighboursReturn {
        registry: model.addresses.registry,
        exceptions: model.addresses.exceptions,
        relay: model.addresses.relay,
    },
    offeredToCall => |call, model| {
        model.records.charts.get(&call.chart).and_then(|chart| chart.offered).unwrap_or_default()
    },
    chartOfCall => |call, model| match model.records.charts.get(&call.chart) {
        Some(chart) => chartOfReturn {
            controller: chart.controller,
            grantEpoch: chart.grant_epoch,
            directoryVersion: chart.directory_version,
            directory: chart.directory,
            controlEpoch: chart.control_epoch,
            exceptional: chart.exceptional,
            rotationDue: chart.rotation_due,
        },
        None => chartOfReturn {
            controller: Address::ZERO,
            grantEpoch: 0,
            directoryVersion: 0,
            directory: B256::ZERO,
            controlEpoch: 0,
            exceptional: false,
            rotationDue: false,
        },
    },
    recordOfCall => |call, model| match model.records.record(call.chart, call.recordId) {
        Some(record) => recordOfReturn {
            author: record.author,
            createdAt: record.created_at,
            version: record.version,
            compartment: record.compartment,
            status: record.status,
            codec: record.codec,
            pointer: record.pointer.unwrap_or_default(),
        },
        None => recordOfReturn {
            author: Address::ZERO,
            createdAt: 0,
            version: 0,
            compartment: 0,
            status: record_status::CURRENT,
            codec: 0,
            pointer: B256::ZERO,
        },
    },
    batchOfCall => |call, model| match model.records.batch(call.chart, call.root) {
        Some(batch) => batchOfReturn {
            author: batch.author,
            createdAt: batch.created_at,
            count: batch.count,
            compartment: batch.compartment,
            codec: batch.codec,
        },
        None => batchOfReturn { author: Address::ZERO, createdAt: 0, count: 0, compartment: 0, codec: 0 },
    },
    verifyBatchCall => |call, model| {
        model.records.is_leaf(call.chart, call.root, call.index, call.recordId, call.pointer, &call.proof)
    },
    grantOfCall => |call, model| match model.records.charts.get(&call.chart).and_then(|chart| chart.grants.get(&call.grantee)) {
        Some(grant) => grantOfReturn {
            epoch: grant.epoch,
            since: grant.since,
            serial: grant.serial,
            terms: GrantTerms {
                compartments: grant.compartments,
                purposes: grant.purposes,
                actions: grant.actions,
                notBefore: grant.not_before,
                expiry: stated(grant.expiry),
            },
        },
        None => grantOfReturn {
            epoch: 0,
            since: 0,
            serial: 0,
            terms: GrantTerms { compartments: 0, purposes: 0, actions: 0, notBefore: 0, expiry: 0 },
        },
    },
    decideCall => |call, model| {
        let reason = model.decide(&call.question);
        decideReturn { allowed: reason < 16, reason }
    },
}

impl View for decideManyCall {
    const OF: Contract = Contract::Records;

    fn answer(&self, model: &Model) -> Result<Vec<u8>, Refusal> {
        require_size(self.questions.len())?;
        Ok(self.questions.iter().map(|question| model.decide(question)).collect())
    }
}

impl Grant {
    /// Of the chart's epoch, and within its time.
    pub fn in_force(&self, chart: &Chart, now: u64) -> bool {
        self.epoch == chart.grant_epoch && self.not_before <= now && is_before(now, self.expiry)
    }
}

impl Chart {
    /// Of the next directory. The end of all grants uses one up.
    pub fn next_version(&self) -> u32 {
        self.directory_version + if self.rotation_due { 2 } else { 1 }
    }

    /// Something may be sealed to the keys of the directory that stands, which is this one.
    pub fn require_sealed(&self, chart: B256, version: u32) -> Result<(), Refusal> {
        require!(!self.rotation_due, RotationDue { chart });
        require_version(version, self.directory_version)
    }

    /// A grant that `revokeAll` has not ended, in force or not.
    pub fn current_grant(&self, grantee: Address) -> Option<&Grant> {
        self.grants
            .get(&grantee)
            .filter(|grant| grant.epoch == self.grant_epoch)
    }
}

impl Records {
    pub fn record(&self, chart: B256, record_id: B256) -> Option<&Record> {
        self.charts.get(&chart)?.records.get(&record_id)
    }

    fn batch(&self, chart: B256, root: B256) -> Option<&Batch> {
        self.charts.get(&chart)?.batches.get(&root)
    }

    fn is_leaf(&self, chart: B256, root: B256, index: u32, record_id: B256, pointer: B256, proof: &[B256]) -> bool {
        let Some(batch) = self.batch(chart, root) else {
            return false;
        };
        index < batch.count && root_by_path(leaf_of(record_id, pointer), index, batch.count, proof) == Some(root)
    }
}

/// RFC 9162, 2.1.1: the hash of a leaf with these data.
pub fn leaf_of(record_id: B256, pointer: B256) -> B256 {
    keccak256([&[0][..], record_id.as_slice(), pointer.as_slice()].concat())
}

pub fn node_of(left: B256, right: B256) -> B256 {
    keccak256([&[1][..], left.as_slice(), right.as_slice()].concat())
}

/// RFC 9162, 2.1.3.1 read backwards: which root an inclusion path of leaf `index` leads to, in a tree of `count` leaves. The path
/// through the subtree comes first, its sibling last.
pub fn root_by_path(leaf: B256, index: u32, count: u32, path: &[B256]) -> Option<B256> {
    if count == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (sibling, path) = path.split_last()?;
    // The largest power of two below `count`.
    let left = 1 << (count - 1).ilog2();
    if index < left {
        Some(node_of(root_by_path(leaf, index, left, path)?, *sibling))
    } else {
        Some(node_of(*sibling, root_by_path(leaf, index - left, count - left, path)?))
    }
}

impl Model {
    /// Why a question is answered as it is. Below 16: yes.
    pub fn decide(&self, question: &Question) -> u8 {
        if question.compartment >= COMPARTMENTS
            || question.purpose.count_ones() != 1
            || question.action.count_ones() != 1
        {
            return reason::MALFORMED;
        }
        let Some(chart) = self.records.charts.get(&question.chart) else {
            return reason::UNKNOWN_CHART;
        };
        let as_member = !question.member.is_zero();
        if as_member
            && !self
                .registry
                .may_act_for(question.grantee, question.member, 0, self.now)
        {
            return reason::NOT_MEMBER;
        }
        self.reason(chart, question)
    }

    /// As `decide`, of a sound question. Purpose 0: of a write, which needs none.
    pub fn reason(&self, chart: &Chart, question: &Question) -> u8 {
        let right = self.right(chart, question);
        if right >= 16 || question.recordId.is_zero() {
            return right;
        }
        match chart.records.get(&question.recordId) {
            None => reason::UNKNOWN_RECORD,
            Some(record) if record.compartment != question.compartment => reason::RECORD_COMPARTMENT,
            Some(record) if record.status == record_status::SHREDDED => reason::SHREDDED,
            Some(_) => right,
        }
    }

    /// By what right, whatever the record's own state.
    fn right(&self, chart: &Chart, question: &Question) -> u8 {
        let now = self.now;
        if question.grantee == chart.controller {
            return reason::CONTROLLER;
        }
        let facts = self.facts(&FactsAsked {
            chart: question.chart,
            grant_epoch: chart.grant_epoch,
            control_epoch: chart.control_epoch,
            grantee: question.grantee,
            member: question.member,
            compartment: question.compartment,
            record_id: question.recordId,
            purpose: question.purpose,
            action: question.action,
        });
        let grant = chart.grants.get(&question.grantee);
        let in_force = grant.filter(|grant| grant.in_force(chart, now));
        // What is wrong with the grant, taken alone.
        let fault = match (grant, in_force) {
            (None, _) => Some(reason::NO_GRANT),
            (Some(grant), None) => Some(if grant.epoch != chart.grant_epoch {
                reason::REVOKED
            } else if now < grant.not_before {
                reason::NOT_YET_VALID
            } else {
                reason::EXPIRED
            }),
            (_, Some(grant)) => {
                let has_purpose = question.purpose == 0 || grant.purposes & question.purpose != 0;
                if grant.compartments & 1 << question.compartment == 0 {
                    Some(reason::COMPARTMENT)
                } else if !has_purpose {
                    Some(reason::PURPOSE)
                } else if grant.actions & question.action == 0 {
                    Some(reason::ACTION)
                } else {
                    None
                }
            }
        };
        if facts.denied {
            // Named only to who has a grant in force; others learn nothing of rules.
            return match in_force {
                Some(_) => reason::DENIED,
                None => fault.unwrap(),
            };
        }
        let Some(fault) = fault else {
            return reason::GRANT;
        };
        // An allow rule stands in for the compartment alone, and is no older than the pair's grants.
        let is_added = fault == reason::COMPARTMENT
            && in_force.is_some_and(|grant| facts.allowed_since.is_some_and(|since| since >= grant.since));
        let needed = match question.action {
            action::READ => power::READ,
            action::WRITE => power::WRITE,
            action::SHARE => power::GRANT,
            _ => 0,
        };
        if is_added {
            reason::RULE
        } else if facts.powers & needed != 0 {
            reason::DELEGATE
        } else if facts.emergency {
            reason::EMERGENCY
        } else {
            fault
        }
    }

    fn require_actor(&self, caller: Address, actor: Address) -> Result<(), Refusal> {
        require!(
            caller == actor || caller == self.addresses.relay,
            NotActor { caller, actor }
        );
        Ok(())
    }

    fn chart(&self, chart: B256) -> Result<&Chart, Refusal> {
        self.records.charts.get(&chart).ok_or(UnknownChart { chart }.into())
    }

    fn chart_mut(&mut self, chart: B256) -> &mut Chart {
        self.records.charts.get_mut(&chart).unwrap()
    }

    /// The controller, or a delegate with this power: then `true`. Of power 0: the controller alone.
    fn require_power(&self, caller: Address, actor: Address, chart_id: B256, power: u8) -> Result<bool, Refusal> {
        self.require_actor(caller, actor)?;
        let chart = self.chart(chart_id)?;
        if actor == chart.controller {
            return Ok(false);
        }
        let powers = self.powers(chart_id, actor, chart.control_epoch);
        require!(powers & power != 0, NotController { actor, power });
        Ok(true)
    }

    fn tell_delegate(&mut self, is_delegate: bool, chart: B256, delegate: Address, power: u8) {
        if is_delegate {
            self.tell(Contract::Records, ByDelegate { chart, delegate, power });
        }
    }

    /// Whether the actor may write to these compartments of the chart (and, unless zero, this record), for the organisation unless
    /// that is zero; and whether it takes a delegated power.
    pub fn require_writer(
        &self,
        actor: Address,
        chart_id: B256,
        organisation: Address,
        record_id: B256,
        compartments: &BTreeSet<u8>,
    ) -> Result<bool, Refusal> {
        let chart = self.chart(chart_id)?;
        let for_organisation = !organisation.is_zero();
        let (grantee, member) = if for_organisation {
            (organisation, actor)
        } else {
            (actor, Address::ZERO)
        };
        let (mut by_delegate, mut on_credential) = (false, for_organisation);
        for compartment in compartments {
            let question = Question {
                chart: chart_id,
                grantee,
                member,
                compartment: *compartment,
                recordId: record_id,
                purpose: 0,
                action: action::WRITE,
            };
            match self.reason(chart, &question) {
                reason::CONTROLLER => {}
                reason::DELEGATE => by_delegate = true,
                reason::GRANT | reason::RULE => on_credential = true,
                reason => {
                    return Err(NotWriter {
                        actor,
                        compartment: *compartment,
                        reason,
                    }
                    .into());
                }
            }
        }
        let is_provider = if for_organisation {
            self.registry.may_act_for(organisation, actor, role::PROVIDER, self.now)
        } else {
            self.registry.has_roles(actor, role::PROVIDER, self.now)
        };
        require!(!on_credential || is_provider, NotCredentialed { actor, organisation });
        Ok(by_delegate)
    }

    fn tell_writer(&mut self, by_delegate: bool, chart: B256, actor: Address, organisation: Address) {
        self.tell_delegate(by_delegate, chart, actor, power::WRITE);
        if !organisation.is_zero() {
            let event = ActedFor {
                chart,
                organisation,
                member: actor,
            };
            self.tell(Contract::Records, event);
        }
    }

    /// The next directory and the keyrings under it are sound; `ended` has no grant any more by then.
    fn require_rotation(
        &self,
        chart: B256,
        version: u32,
        directory: B256,
        keyrings: &[Keyring],
        ended: Option<Address>,
    ) -> Result<(), Refusal> {
        require_digest(directory)?;
        require_version(version, self.chart(chart)?.next_version())?;
        if !keyrings.is_empty() {
            require_size(keyrings.len())?;
        }
        self.require_keyrings(chart, keyrings, ended)
    }

    fn require_keyrings(&self, chart: B256, keyrings: &[Keyring], ended: Option<Address>) -> Result<(), Refusal> {
        for Keyring { grantee, keyring } in keyrings {
            require_digest(*keyring)?;
            let stays = self.chart(chart)?.current_grant(*grantee).is_some() && ended != Some(*grantee);
            require!(stays, NoGrant { grantee: *grantee });
        }
        Ok(())
    }

    fn rotate(&mut self, chart: B256, version: u32, directory: B256, keyrings: &[Keyring]) {
        let of = self.chart_mut(chart);
        (of.directory_version, of.directory, of.rotation_due) = (version, directory, false);
        let event = DirectorySet {
            chart,
            version,
            directory,
        };
        self.tell(Contract::Records, event);
        self.tell_keyrings(chart, keyrings);
    }

    fn tell_keyrings(&mut self, chart: B256, keyrings: &[Keyring]) {
        for Keyring { grantee, keyring } in keyrings {
            let event = KeyringSet {
                chart,
                grantee: *grantee,
                keyring: *keyring,
            };
            self.tell(Contract::Records, event);
        }
    }

    /// The record may be amended by this actor.
    fn require_amendable(
        &self,
        actor: Address,
        chart: B256,
        organisation: Address,
        record_id: B256,
        previous: B256,
    ) -> Result<bool, Refusal> {
        let record = self.require_record(chart, record_id)?;
        require!(
            record.status == record_status::CURRENT,
            RecordStatus {
                recordId: record_id,
                status: record.status
            }
        );
        let current = record.pointer.unwrap_or_default();
        require!(
            previous == current,
            StalePointer {
                given: previous,
                current
            }
        );
        let compartments = BTreeSet::from([record.compartment]);
        self.require_writer(actor, chart, organisation, record_id, &compartments)
    }

    fn require_record(&self, chart: B256, record_id: B256) -> Result<&Record, Refusal> {
        let record = self.chart(chart)?.records.get(&record_id);
        record.ok_or(UnknownRecord { recordId: record_id }.into())
    }

    /// By `exceptions`, which has just been told of something beside this chart's grants.
    pub(super) fn make_exceptional(&mut self, chart: B256) {
        if !std::mem::replace(&mut self.chart_mut(chart).exceptional, true) {
            self.tell(Contract::Records, MadeExceptional { chart });
        }
    }
}

fn require_digest(digest: B256) -> Result<(), Refusal> {
    require!(!digest.is_zero(), ZeroDigest {});
    Ok(())
}

fn require_id(id: B256) -> Result<(), Refusal> {
    require!(!id.is_zero(), ZeroId {});
    Ok(())
}

fn require_size(given: usize) -> Result<(), Refusal> {
    let most = BATCH_MOST;
    require!(
        (1..=most).contains(&given),
        BatchSize {
            given: given as u32,
            most: most as u32
        }
    );
    Ok(())
}

fn require_version(given: u32, expected: u32) -> Result<(), Refusal> {
    require!(given == expected, DirectoryVersion { given, expected });
    Ok(())
}

fn require_compartment(compartment: u8) -> Result<(), Refusal> {
    require!(compartment < COMPARTMENTS, CompartmentRange { compartment });
    Ok(())
}

fn open_chart(call: &openChartCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let &openChartCall {
        actor,
        chart,
        directory,
    } = call;
    model.require_actor(caller, actor)?;
    require_id(chart)?;
    require_digest(directory)?;
    require!(!model.records.charts.contains_key(&chart), ChartExists { chart });
    let opened = Chart {
        controller: actor,
        offered: None,
        grant_epoch: 1,
        directory_version: 1,
        directory,
        control_epoch: 0,
        exceptional: false,
        rotation_due: false,
        records: BTreeMap::new(),
        batches: BTreeMap::new(),
        grants: BTreeMap::new(),
    };
    model.records.charts.insert(chart, opened);
    let event = ChartOpened {
        chart,
        controller: actor,
        directory,
    };
    model.tell(Contract::Records, event);
    Ok(())
}

fn offer_control(call: &offerControlCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let &offerControlCall { actor, chart, to } = call;
    model.require_power(caller, actor, chart, 0)?;
    model.chart_mut(chart).offered = (!to.is_zero()).then_some(to);
    model.tell(Contract::Records, ControlOffered { chart, to });
    Ok(())
}

fn accept_control(call: &acceptControlCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart) = (call.actor, call.chart);
    model.require_actor(caller, actor)?;
    let offered = model.chart(chart)?.offered;
    require!(
        offered == Some(actor),
        NotOffered {
            actor,
            offered: offered.unwrap_or_default()
        }
    );
    model.require_rotation(chart, call.version, call.directory, &call.keyrings, Some(actor))?;
    let of = model.chart_mut(chart);
    (of.controller, of.offered) = (actor, None);
    of.control_epoch += 1;
    let had_grant = of.grants.remove(&actor).is_some();
    let event = ControlAccepted {
        chart,
        controller: actor,
        controlEpoch: of.control_epoch,
    };
    model.tell(Contract::Records, event);
    if had_grant {
        model.tell(Contract::Records, Revoked { chart, grantee: actor });
    }
    model.rotate(chart, call.version, call.directory, &call.keyrings);
    Ok(())
}

fn set_directory(call: &setDirectoryCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart) = (call.actor, call.chart);
    let is_delegate = model.require_power(caller, actor, chart, power::DIRECTORY)?;
    model.require_rotation(chart, call.version, call.directory, &[], None)?;
    model.tell_delegate(is_delegate, chart, actor, power::DIRECTORY);
    model.rotate(chart, call.version, call.directory, &[]);
    Ok(())
}

fn set_exceptional(call: &setExceptionalCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    require!(caller == model.addresses.exceptions, NotExceptions { caller });
    model.chart(call.chart)?;
    model.make_exceptional(call.chart);
    Ok(())
}

fn add_records(call: &addRecordsCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, organisation) = (call.actor, call.chart, call.organisation);
    require_size(call.records.len())?;
    for record in &call.records {
        require_id(record.recordId)?;
        require_digest(record.pointer)?;
        require_compartment(record.compartment)?;
    }
    model.require_actor(caller, actor)?;
    model.chart(chart)?.require_sealed(chart, call.directoryVersion)?;
    let compartments = call.records.iter().map(|record| record.compartment).collect();
    let by_delegate = model.require_writer(actor, chart, organisation, B256::ZERO, &compartments)?;
    let mut taken: BTreeSet<_> = model.chart(chart)?.records.keys().copied().collect();
    for record in &call.records {
        let record_id = record.recordId;
        require!(taken.insert(record_id), RecordExists { recordId: record_id });
    }

    model.tell_writer(by_delegate, chart, actor, organisation);
    for record in &call.records {
        let added = Record {
            author: actor,
            created_at: model.now,
            version: 1,
            compartment: record.compartment,
            status: record_status::CURRENT,
            codec: record.codec,
            pointer: Some(record.pointer),
        };
        model.chart_mut(chart).records.insert(record.recordId, added);
        let event = RecordAdded {
            chart,
            recordId: record.recordId,
            author: actor,
            compartment: record.compartment,
            codec: record.codec,
            pointer: record.pointer,
        };
        model.tell(Contract::Records, event);
    }
    Ok(())
}

fn amend_record(call: &amendRecordCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, organisation, record_id) = (call.actor, call.chart, call.organisation, call.recordId);
    require_digest(call.pointer)?;
    model.require_actor(caller, actor)?;
    model.chart(chart)?.require_sealed(chart, call.directoryVersion)?;
    let by_delegate = model.require_amendable(actor, chart, organisation, record_id, call.previous)?;
    model.tell_writer(by_delegate, chart, actor, organisation);
    let now = model.now;
    let record = model.chart_mut(chart).records.get_mut(&record_id).unwrap();
    record.author = actor;
    record.created_at = now;
    record.version += 1;
    record.codec = call.codec;
    record.pointer = Some(call.pointer);
    let event = RecordAmended {
        chart,
        recordId: record_id,
        author: actor,
        version: record.version,
        codec: call.codec,
        pointer: call.pointer,
        previous: call.previous,
    };
    model.tell(Contract::Records, event);
    Ok(())
}

fn enter_in_error(call: &enterInErrorCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, organisation, record_id) = (call.actor, call.chart, call.organisation, call.recordId);
    model.require_actor(caller, actor)?;
    let by_delegate = model.require_amendable(actor, chart, organisation, record_id, call.previous)?;
    model.tell_writer(by_delegate, chart, actor, organisation);
    let record = model.chart_mut(chart).records.get_mut(&record_id).unwrap();
    record.status = record_status::ENTERED_IN_ERROR;
    let event = RecordEnteredInError {
        chart,
        recordId: record_id,
        by: actor,
    };
    model.tell(Contract::Records, event);
    Ok(())
}

fn shred_record(call: &shredRecordCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (chart, record_id) = (call.chart, call.recordId);
    model.require_power(caller, call.actor, chart, 0)?;
    let status = model.require_record(chart, record_id)?.status;
    require!(
        status != record_status::SHREDDED,
        RecordStatus {
            recordId: record_id,
            status
        }
    );
    let record = model.chart_mut(chart).records.get_mut(&record_id).unwrap();
    (record.status, record.pointer) = (record_status::SHREDDED, None);
    let event = RecordShredded {
        chart,
        recordId: record_id,
    };
    model.tell(Contract::Records, event);
    Ok(())
}

fn add_batch(call: &addBatchCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, organisation, root) = (call.actor, call.chart, call.organisation, call.root);
    require_digest(root)?;
    require!(
        call.count != 0,
        BatchSize {
            given: 0,
            most: u32::MAX
        }
    );
    require_compartment(call.compartment)?;
    model.require_actor(caller, actor)?;
    model.chart(chart)?.require_sealed(chart, call.directoryVersion)?;
    require!(model.records.batch(chart, root).is_none(), BatchExists { root });
    let compartments = BTreeSet::from([call.compartment]);
    let by_delegate = model.require_writer(actor, chart, organisation, B256::ZERO, &compartments)?;
    model.tell_writer(by_delegate, chart, actor, organisation);
    let batch = Batch {
        author: actor,
        created_at: model.now,
        count: call.count,
        compartment: call.compartment,
        codec: call.codec,
    };
    model.chart_mut(chart).batches.insert(root, batch);
    let event = BatchAdded {
        chart,
        root,
        author: actor,
        compartment: call.compartment,
        codec: call.codec,
        count: call.count,
    };
    model.tell(Contract::Records, event);
    Ok(())
}

fn take_from_batch(call: &takeFromBatchCall, model: &mut Model, _: Address) -> Result<(), Refusal> {
    let (chart, root, record_id, pointer) = (call.chart, call.root, call.recordId, call.pointer);
    require_id(record_id)?;
    require_digest(pointer)?;
    require!(
        model
            .records
            .is_leaf(chart, root, call.index, record_id, pointer, &call.proof),
        NotInBatch {
            root,
            recordId: record_id
        }
    );
    let batch = *model.records.batch(chart, root).unwrap();
    let is_new = model.records.record(chart, record_id).is_none();
    require!(is_new, RecordExists { recordId: record_id });
    let record = Record {
        author: batch.author,
        created_at: batch.created_at,
        version: 1,
        compartment: batch.compartment,
        status: record_status::CURRENT,
        codec: batch.codec,
        pointer: Some(pointer),
    };
    model.chart_mut(chart).records.insert(record_id, record);
    let event = RecordTakenFromBatch {
        chart,
        recordId: record_id,
        root,
        author: batch.author,
        createdAt: batch.created_at,
        compartment: batch.compartment,
        codec: batch.codec,
        pointer,
    };
    model.tell(Contract::Records, event);
    Ok(())
}

fn grant(call: &grantCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, grantee, terms) = (call.actor, call.chart, call.grantee, &call.terms);
    let is_delegate = model.require_power(caller, actor, chart, power::GRANT)?;
    let of = model.chart(chart)?;
    of.require_sealed(chart, call.directoryVersion)?;
    require!(!grantee.is_zero(), ZeroAddress {});
    require!(grantee != of.controller, GrantToController {});
    require_digest(call.keyring)?;
    require!(
        terms.compartments != 0 && terms.purposes != 0 && terms.actions != 0,
        EmptyGrant {}
    );
    let time = terms.notBefore.max(terms.expiry);
    require!(time <= TIME_MOST, IRecords::TimeTooLarge { time });
    require!(
        terms.expiry == 0 || terms.expiry > terms.notBefore && terms.expiry > model.now,
        GrantWindow {
            notBefore: terms.notBefore,
            expiry: terms.expiry
        }
    );
    let (current, since) = match of.current_grant(grantee) {
        Some(held) => (held.serial, held.since),
        None => (0, of.directory_version),
    };
    let given = call.serial;
    require!(given == current, GrantSerial { given, current });
    require!(current < SERIAL_MOST, LastSerial { grantee });

    let epoch = of.grant_epoch;
    let given = Grant {
        epoch,
        since,
        serial: current + 1,
        compartments: terms.compartments,
        purposes: terms.purposes,
        actions: terms.actions,
        not_before: terms.notBefore,
        expiry: end(terms.expiry),
    };
    model.tell_delegate(is_delegate, chart, actor, power::GRANT);
    model.chart_mut(chart).grants.insert(grantee, given);
    let event = Granted {
        chart,
        grantee,
        serial: current + 1,
        since,
        epoch,
        compartments: terms.compartments,
        purposes: terms.purposes,
        actions: terms.actions,
        notBefore: terms.notBefore,
        expiry: terms.expiry,
        keyring: call.keyring,
    };
    model.tell(Contract::Records, event);
    Ok(())
}

fn set_keyrings(call: &setKeyringsCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart) = (call.actor, call.chart);
    let is_delegate = model.require_power(caller, actor, chart, power::DIRECTORY)?;
    model.chart(chart)?.require_sealed(chart, call.directoryVersion)?;
    require_size(call.keyrings.len())?;
    model.require_keyrings(chart, &call.keyrings, None)?;
    model.tell_delegate(is_delegate, chart, actor, power::DIRECTORY);
    model.tell_keyrings(chart, &call.keyrings);
    Ok(())
}

fn revoke(call: &revokeCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, grantee) = (call.actor, call.chart, call.grantee);
    let is_delegate = model.require_power(caller, actor, chart, power::REVOKE)?;
    require!(
        model.chart(chart)?.current_grant(grantee).is_some(),
        NoGrant { grantee }
    );
    model.require_rotation(chart, call.version, call.directory, &call.keyrings, Some(grantee))?;
    model.tell_delegate(is_delegate, chart, actor, power::REVOKE);
    model.chart_mut(chart).grants.remove(&grantee);
    model.tell(Contract::Records, Revoked { chart, grantee });
    model.rotate(chart, call.version, call.directory, &call.keyrings);
    Ok(())
}

fn revoke_all(call: &revokeAllCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart) = (call.actor, call.chart);
    let is_delegate = model.require_power(caller, actor, chart, power::REVOKE)?;
    let (given, expected) = (call.epoch, model.chart(chart)?.grant_epoch + 1);
    require!(given == expected, GrantEpoch { given, expected });
    model.tell_delegate(is_delegate, chart, actor, power::REVOKE);
    let of = model.chart_mut(chart);
    (of.grant_epoch, of.rotation_due) = (given, true);
    model.tell(Contract::Records, AllRevoked { chart, epoch: given });
    Ok(())
}

/// As `leaf_of`, with one word of data.
pub fn leaf_of_one(data: B256) -> B256 {
    keccak256([&[0][..], data.as_slice()].concat())
}
