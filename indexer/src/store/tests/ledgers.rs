//! The three ledgers, written down again from the ABI: random calls, and what the index must answer after them.
use super::{ChartModel, Contracts, DEPLOYMENT, Dice, GENESIS, KINDS, Mined, commit, dump::dump, id, open, push, who};
use crate::{ClaimsOf, Index, Page, ShipmentsOf, View, When, tables::Value};
use alloy::primitives::{Address, B256, IntoLogData, LogData, U256, keccak256};
use medlock_abi::{
    claims::IClaims,
    supply::ISupply,
    terms::{batch as flag, claim_state as state, participant as status, shipment, trial as terms},
    trials::ITrials,
};
use std::collections::{BTreeMap, BTreeSet};

const PARTIES: u64 = 5;
const CLAIMS: usize = 6;

#[derive(Clone, Default)]
pub struct Ledgers {
    claims: BTreeMap<B256, Claim>,
    /// Namespace, provider and fingerprint to the last claim.
    services: BTreeMap<(Address, Address, B256), B256>,
    insurers: BTreeMap<Address, (u32, bool)>,
    /// By insurer, currency, version: accepted, token, scale.
    currencies: BTreeMap<(Address, u16, u32), (bool, Address, u8)>,
    batches: BTreeMap<B256, Batch>,
    /// By batch and first package.
    units: BTreeMap<(B256, u32), Unit>,
    /// From number 1: holder, the step before, shipment.
    steps: Vec<(Address, u64, u64)>,
    shipments: BTreeMap<u64, Shipment>,
    /// Batch, number, from, to.
    recalls: Vec<(B256, u8, u32, u32)>,
    /// By serial: batch, package, by.
    dispensed: BTreeMap<B256, (B256, u32, Address)>,
    trials: BTreeMap<B256, Trial>,
}

#[derive(Clone)]
struct Claim {
    chart: B256,
    provider: Address,
    insurer: Address,
    fingerprint: B256,
    shared: bool,
    submitted_at: u64,
    state: u8,
    serial: u8,
    deadline: u64,
    rounds: u8,
    appeals: u8,
    amount: B256,
    reason_code: u16,
    /// Record, and when its version and its first one were written.
    links: Vec<(B256, Option<(u64, u64)>)>,
}

#[derive(Clone)]
struct Batch {
    maker: Address,
    gtin: u64,
    lot: B256,
    packages: u32,
    recalls: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    to: u32,
    /// As the contract packs them: where it stood when it was offered, and what it was offered for.
    step: u64,
    last: u64,
    decommissioned: u8,
}

#[derive(Clone)]
struct Shipment {
    from: Address,
    to: Address,
    kind: u8,
    state: u8,
    offered_at: u64,
    items: Vec<(B256, u32)>,
}

#[derive(Clone)]
struct Trial {
    sponsor: Address,
    registered_at: u64,
    /// Re-consent, and how many were enrolled before.
    versions: Vec<(bool, u32)>,
    state: u8,
    locked_at: u64,
    /// Serial, active, enrolled, last sequence.
    sites: BTreeMap<Address, (u32, bool, u32, u32)>,
    participants: BTreeMap<Address, Participant>,
    /// Site, sequence, flags, in their order.
    batches: Vec<(Address, u32, u8)>,
    data: B256,
    results: Vec<B256>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Participant {
    site: Address,
    number: u32,
    version: u8,
    status: u8,
    since: u64,
}

/// What [`Ledgers::reached`] tells of, where nothing is missing.
pub fn everything() -> BTreeSet<String> {
    let claims = (1..=u8::MAX).map(state::text).filter(|text| *text != "unknown-state");
    let others = [
        "appealed twice",
        "inherited",
        "returned",
        "decommissioned",
        "dispensed",
        "recalled twice",
        "corrected",
    ];
    let terms = shipment::STATES.iter().chain(&terms::STATES).chain(&status::ALL);
    let texts = claims.chain(others).chain(terms.map(|(text, _)| *text));
    texts.map(String::from).collect()
}

fn named(terms: &[(&str, u8)], number: u8) -> String {
    terms
        .iter()
        .find(|(_, of)| *of == number)
        .map(|(text, _)| *text)
        .unwrap()
        .into()
}

fn log(contract: Address, event: &impl IntoLogData) -> (Address, LogData) {
    (contract, event.to_log_data())
}

impl Ledgers {
    /// What there is of each kind.
    pub fn reached(&self) -> BTreeSet<String> {
        let claims = self.claims.values().map(|claim| state::text(claim.state).into());
        let appealed = self.claims.values().filter(|claim| claim.appeals == 2);
        let shipments = self.shipments.values().map(|head| named(&shipment::STATES, head.state));
        // A unit of somebody's that was never offered itself: where it stands was told of the one that it was cut from.
        let offered = |key: &(B256, u32)| self.shipments.values().any(|head| head.items.contains(key));
        let inherited = self
            .units
            .iter()
            .filter(|(key, unit)| unit.last != unit.step && !offered(key));
        let returned = self.shipments.values().filter(|head| head.kind == shipment::RETURN);
        let gone = self.units.values().filter(|unit| unit.decommissioned != 0);
        let trials = self.trials.values().map(|trial| named(&terms::STATES, trial.state));
        let takers = self.trials.values().flat_map(|trial| trial.participants.values());
        let takers = takers.map(|held| named(&status::ALL, held.status));
        let corrected = self.trials.values().filter(|trial| trial.results.len() > 1);
        let recalled = self.batches.values().filter(|batch| batch.recalls > 1);
        claims
            .chain(appealed.map(|_| "appealed twice".into()))
            .chain(shipments)
            .chain(inherited.map(|_| "inherited".into()))
            .chain(returned.map(|_| "returned".into()))
            .chain(gone.map(|_| "decommissioned".into()))
            .chain(self.dispensed.iter().map(|_| "dispensed".into()))
            .chain(recalled.map(|_| "recalled twice".into()))
            .chain(trials)
            .chain(takers)
            .chain(corrected.map(|_| "corrected".into()))
            .collect()
    }

    /// One random call that one of the contracts would take, at `now`: its events.
    pub fn call(&mut self, charts: &BTreeMap<B256, ChartModel>, dice: &mut Dice, now: u64) -> Vec<(Address, LogData)> {
        match dice.below(3) {
            // Few, so that much becomes of each.
            0 if self.claims.len() < CLAIMS && dice.one_in(3) => self.submit(charts, dice, now),
            0 => self.call_claims(dice, now),
            1 => self.call_supply(dice, now),
            _ => self.call_trials(dice, now),
        }
    }

    fn submit(&mut self, charts: &BTreeMap<B256, ChartModel>, dice: &mut Dice, now: u64) -> Vec<(Address, LogData)> {
        let (claim, provider, insurer) = (id(dice.number()), who(dice.below(PARTIES)), who(dice.below(PARTIES)));
        let (chart, model) = match charts.iter().nth(dice.below(3) as usize) {
            Some((chart, model)) => (*chart, Some(model)),
            None => (id(1), None),
        };
        let shared = self.insurers.get(&insurer).is_some_and(|setting| setting.1);
        let namespace = if shared { Address::ZERO } else { insurer };
        let fingerprint = id(500 + dice.below(4));
        let previous = self.services.insert((namespace, provider, fingerprint), claim);
        let records = model.into_iter().flat_map(|model| &model.records);
        let mut links: Vec<_> = records
            .take(1 + dice.below(3) as usize)
            .map(|(record, model)| (*record, model.pointer, Some((model.created_at, model.first_created_at))))
            .collect();
        // A pointer that the chain has not told of: the contract would refuse it, the tables need not.
        links.push((id(600), id(601), None));
        let submitted = IClaims::ClaimSubmitted {
            claim,
            chart,
            insurer,
            provider,
            by: who(dice.below(PARTIES)),
            document: id(dice.number()),
            fingerprint,
            currency: 978,
            billed: id(dice.number()),
            links: links
                .iter()
                .map(|(record, pointer, _)| IClaims::Link {
                    recordId: *record,
                    pointer: *pointer,
                })
                .collect(),
            currencyVersion: 1,
            shared,
            previous: previous.unwrap_or_default(),
            deadline: now + 30,
        };
        let model = Claim {
            chart,
            provider,
            insurer,
            fingerprint,
            shared,
            submitted_at: now,
            state: state::RECEIVED,
            serial: 1,
            deadline: now + 30,
            rounds: 0,
            appeals: 0,
            amount: B256::ZERO,
            reason_code: 0,
            links: links.iter().map(|(record, _, at)| (*record, *at)).collect(),
        };
        self.claims.insert(claim, model);
        vec![log(DEPLOYMENT.claims, &submitted)]
    }

    fn call_claims(&mut self, dice: &mut Dice, now: u64) -> Vec<(Address, LogData)> {
        let (by, insurer) = (who(dice.below(PARTIES)), who(dice.below(PARTIES)));
        if dice.one_in(5) {
            if dice.one_in(2) {
                let setting = self.insurers.entry(insurer).or_default();
                *setting = (setting.0 + 1, !setting.1);
                let (serial, shared) = *setting;
                let set = IClaims::InsurerSet {
                    insurer,
                    serial,
                    shared,
                    by,
                };
                return vec![log(DEPLOYMENT.claims, &set)];
            }
            let currency = 900 + dice.below(2) as u16;
            let of_currency = self
                .currencies
                .range((insurer, currency, 0)..=(insurer, currency, u32::MAX));
            let version = of_currency.count() as u32 + 1;
            let setting = (dice.one_in(2), who(dice.below(9)), dice.below(36) as u8);
            self.currencies.insert((insurer, currency, version), setting);
            let set = IClaims::CurrencySet {
                insurer,
                currency,
                version,
                accepted: setting.0,
                token: setting.1,
                scale: setting.2,
                by,
            };
            return vec![log(DEPLOYMENT.claims, &set)];
        }
        let nth = dice.below(self.claims.len().max(1) as u64) as usize;
        let Some((claim, model)) = self.claims.iter_mut().nth(nth) else {
            return vec![];
        };
        let (claim, serial, document, deadline) =
            (*claim, model.serial + 1, id(dice.number()), now + 1 + dice.below(60));
        let undecided = matches!(model.state, state::RECEIVED | state::IN_REVIEW | state::APPEALED);
        let appealable = matches!(model.state, state::DENIED | state::PARTLY_APPROVED);
        let payable = matches!(model.state, state::APPROVED | state::PARTLY_APPROVED);
        let reason_code = 1 + dice.below(12) as u16;
        let data = match dice.below(9) {
            0 | 1 if matches!(model.state, state::RECEIVED | state::APPEALED) => {
                model.state = state::IN_REVIEW;
                IClaims::ReviewBegun { claim, serial, by }.to_log_data()
            }
            2 if undecided && model.rounds < 3 => {
                (model.state, model.deadline) = (state::INFORMATION_REQUESTED, deadline);
                model.rounds += 1;
                IClaims::InformationRequested {
                    claim,
                    serial,
                    by,
                    document,
                    deadline,
                }
                .to_log_data()
            }
            _ if model.state == state::INFORMATION_REQUESTED => {
                (model.state, model.deadline) = (state::IN_REVIEW, deadline);
                IClaims::InformationProvided {
                    claim,
                    serial,
                    by,
                    document,
                    deadline,
                }
                .to_log_data()
            }
            3 | 4 if undecided => {
                let decided = [state::APPROVED, state::PARTLY_APPROVED, state::DENIED][dice.below(3) as usize];
                model.amount = if decided == state::DENIED {
                    B256::ZERO
                } else {
                    id(dice.number())
                };
                model.reason_code = if decided == state::APPROVED { 0 } else { reason_code };
                model.deadline = deadline;
                model.state = decided;
                IClaims::Adjudicated {
                    claim,
                    serial,
                    by,
                    state: decided,
                    amount: model.amount,
                    reasonCode: model.reason_code,
                    document,
                    deadline: model.deadline,
                }
                .to_log_data()
            }
            0 | 5 if appealable && model.appeals < 2 => {
                (model.state, model.deadline) = (state::APPEALED, deadline);
                model.appeals += 1;
                IClaims::Appealed {
                    claim,
                    serial,
                    by,
                    document,
                    deadline,
                }
                .to_log_data()
            }
            6 if model.state == state::PARTLY_APPROVED => {
                (model.state, model.deadline) = (state::APPROVED, deadline);
                IClaims::PartAccepted {
                    claim,
                    serial,
                    by,
                    deadline,
                }
                .to_log_data()
            }
            6 | 7 if payable => {
                (model.state, model.deadline) = (state::PAID, 0);
                if dice.one_in(2) {
                    IClaims::Paid {
                        claim,
                        serial,
                        by,
                        remittance: document,
                    }
                    .to_log_data()
                } else {
                    IClaims::PaidInToken {
                        claim,
                        serial,
                        by,
                        token: who(7),
                        // Over all 64-bit numbers.
                        value: U256::from(dice.number()) << 90,
                    }
                    .to_log_data()
                }
            }
            7 if payable || model.state == state::PAID => {
                (model.state, model.deadline, model.reason_code) = (state::REVERSED, 0, reason_code);
                IClaims::Reversed {
                    claim,
                    serial,
                    by,
                    reasonCode: reason_code,
                }
                .to_log_data()
            }
            8 if undecided || appealable => {
                (model.state, model.deadline) = (state::WITHDRAWN, 0);
                IClaims::Withdrawn { claim, serial, by }.to_log_data()
            }
            _ => return vec![],
        };
        model.serial = serial;
        vec![(DEPLOYMENT.claims, data)]
    }

    /// Where a unit stands, and the open shipment that it is in.
    fn stands_at(&self, unit: Unit) -> (u64, u64) {
        if unit.step == unit.last {
            return (unit.step, 0);
        }
        let number = self.steps[unit.last as usize - 1].2;
        match self.shipments[&number].state {
            shipment::OPEN => (unit.step, number),
            shipment::ACCEPTED => (unit.last, 0),
            _ => (unit.step, 0),
        }
    }

    fn holder(&self, unit: Unit) -> Address {
        self.steps[self.stands_at(unit).0 as usize - 1].0
    }

    /// Holder, step before and shipment, from `step` back to the maker.
    fn custody(&self, mut step: u64) -> Vec<(u64, Address, u64)> {
        let mut chain = Vec::new();
        while step != 0 {
            let (holder, previous, shipment) = self.steps[step as usize - 1];
            chain.push((step, holder, shipment));
            step = previous;
        }
        chain
    }

    fn call_supply(&mut self, dice: &mut Dice, now: u64) -> Vec<(Address, LogData)> {
        let (by, document) = (who(dice.below(PARTIES)), id(dice.number()));
        let batch = *self.batches.keys().nth(dice.below(3) as usize).unwrap_or(&B256::ZERO);
        // What somebody may move, by holder.
        let at_rest: Vec<_> = self
            .units
            .iter()
            .filter(|(_, unit)| unit.decommissioned == 0 && self.stands_at(**unit).1 == 0)
            .map(|(key, unit)| (*key, *unit))
            .collect();
        let moved = at_rest.get(dice.below(at_rest.len().max(1) as u64) as usize).copied();
        match (dice.below(10), moved) {
            (0, _) if self.batches.len() < 4 => self.register(dice, by, document),
            (1 | 2, Some(((batch, unit), whole))) if whole.to - unit > 3 => {
                let cuts = vec![unit + 1, unit + 3];
                let ends = [(unit, unit + 1), (unit + 1, unit + 3), (unit + 3, whole.to)];
                for (from, to) in ends {
                    self.units.insert((batch, from), Unit { to, ..whole });
                }
                vec![log(DEPLOYMENT.supply, &ISupply::UnitSplit { batch, unit, cuts })]
            }
            (3..6, Some((_, unit))) => {
                let from = self.holder(unit);
                let own = at_rest.iter().filter(|(_, unit)| self.holder(*unit) == from);
                let items: Vec<_> = own.take(1 + dice.below(4) as usize).copied().collect();
                self.offer(dice, now, from, &items)
            }
            (6 | 7, _) => {
                let open: Vec<_> = self
                    .shipments
                    .iter_mut()
                    .filter(|(_, s)| s.state == shipment::OPEN)
                    .collect();
                let Some((number, head)) = open.into_iter().nth(dice.below(3) as usize) else {
                    return vec![];
                };
                let state = [
                    shipment::ACCEPTED,
                    shipment::ACCEPTED,
                    shipment::REFUSED,
                    shipment::WITHDRAWN,
                ];
                head.state = state[dice.below(4) as usize];
                let closed = ISupply::ShipmentClosed {
                    shipment: *number,
                    by: if head.state == shipment::WITHDRAWN {
                        head.from
                    } else {
                        head.to
                    },
                    state: head.state,
                    document,
                };
                vec![log(DEPLOYMENT.supply, &closed)]
            }
            (8, _) => {
                let Some(model) = self.batches.get_mut(&batch).filter(|model| model.recalls < 8) else {
                    return vec![];
                };
                let (number, from) = (model.recalls, dice.below(u64::from(model.packages)) as u32);
                model.recalls += 1;
                self.recalls.push((batch, number, from, model.packages));
                let issued = ISupply::RecallIssued {
                    batch,
                    by,
                    number,
                    from,
                    to: model.packages,
                    class: 1,
                    reasonCode: 2,
                    document,
                };
                vec![log(DEPLOYMENT.supply, &issued)]
            }
            (_, Some(((batch, unit), held))) if dice.one_in(4) => {
                let reason_code = 1 + dice.below(7) as u8;
                let gone = Unit {
                    decommissioned: reason_code,
                    ..held
                };
                self.units.insert((batch, unit), gone);
                let decommissioned = ISupply::Decommissioned {
                    batch,
                    unit,
                    by: self.holder(held),
                    reasonCode: reason_code,
                    document,
                };
                vec![log(DEPLOYMENT.supply, &decommissioned)]
            }
            (_, Some(((batch, unit), held))) => {
                let (serial, by) = (id(dice.number()), self.holder(held));
                self.dispensed.insert(serial, (batch, unit, by));
                let dispensed = ISupply::Dispensed {
                    batch,
                    serial,
                    by,
                    unit,
                    index: unit,
                    document,
                };
                vec![log(DEPLOYMENT.supply, &dispensed)]
            }
            _ => vec![],
        }
    }

    fn register(&mut self, dice: &mut Dice, maker: Address, document: B256) -> Vec<(Address, LogData)> {
        let (batch, packages) = (id(dice.number()), 1 + dice.below(40) as u32);
        let model = Batch {
            maker,
            gtin: dice.below(3),
            lot: id(dice.below(3)),
            packages,
            recalls: 0,
        };
        self.steps.push((maker, 0, 0));
        let step = self.steps.len() as u64;
        let whole = Unit {
            to: packages,
            step,
            last: step,
            decommissioned: 0,
        };
        self.units.insert((batch, 0), whole);
        let registered = ISupply::BatchRegistered {
            batch,
            maker,
            gtin: model.gtin,
            lot: model.lot,
            expiry: 9_999,
            root: id(dice.number()),
            count: packages,
            step,
            document,
        };
        self.batches.insert(batch, model);
        vec![log(DEPLOYMENT.supply, &registered)]
    }

    /// As the contract does it: units that come from one step go to one step.
    fn offer(
        &mut self,
        dice: &mut Dice,
        now: u64,
        from: Address,
        items: &[((B256, u32), Unit)],
    ) -> Vec<(Address, LogData)> {
        let to = who(dice.below(PARTIES));
        let earlier = |ledgers: &Self, unit: Unit| {
            let custody = ledgers.custody(ledgers.stands_at(unit).0);
            custody.into_iter().find(|(_, holder, _)| *holder == to)
        };
        let returns = items.iter().all(|(_, unit)| earlier(self, *unit).is_some());
        let sells = items.iter().all(|(_, unit)| earlier(self, *unit).is_none());
        if to == from || !(returns || sells) {
            return vec![];
        }
        let number = self.steps.len() as u64 + 1;
        let offered = ISupply::ShipmentOffered {
            shipment: number,
            from,
            to,
            kind: if sells { shipment::SALE } else { shipment::RETURN },
            document: id(dice.number()),
        };
        let mut logs = vec![log(DEPLOYMENT.supply, &offered)];
        let mut held_before = 0;
        for ((batch, first), unit) in items {
            let held = self.stands_at(*unit).0;
            let previous = match earlier(self, *unit) {
                None => held,
                Some((step, ..)) => self.steps[step as usize - 1].1,
            };
            if held != held_before {
                self.steps.push((to, previous, number));
                held_before = held;
            }
            let step = self.steps.len() as u64;
            let moved = Unit {
                step: held,
                last: step,
                ..*unit
            };
            self.units.insert((*batch, *first), moved);
            let offered = ISupply::UnitOffered {
                shipment: number,
                batch: *batch,
                unit: *first,
                held,
                step,
                previous,
            };
            logs.push(log(DEPLOYMENT.supply, &offered));
        }
        let model = Shipment {
            from,
            to,
            kind: offered.kind,
            state: shipment::OPEN,
            offered_at: now,
            items: items.iter().map(|(key, _)| *key).collect(),
        };
        self.shipments.insert(number, model);
        logs
    }

    fn call_trials(&mut self, dice: &mut Dice, now: u64) -> Vec<(Address, LogData)> {
        let (party, site, document) = (who(dice.below(PARTIES)), who(20 + dice.below(2)), id(dice.number()));
        let trial = id(700 + dice.below(2));
        let digests = [id(dice.number()), id(dice.number()), id(dice.number())];
        let Some(model) = self.trials.get_mut(&trial) else {
            let model = Trial {
                sponsor: party,
                registered_at: now,
                versions: vec![(false, 0)],
                state: terms::OPEN,
                locked_at: 0,
                sites: BTreeMap::new(),
                participants: BTreeMap::new(),
                batches: vec![],
                data: B256::ZERO,
                results: vec![],
            };
            self.trials.insert(trial, model);
            let registered = ITrials::TrialRegistered {
                trial,
                sponsor: party,
                registration: id(dice.number()),
                protocol: digests[0],
                plan: digests[1],
                form: digests[2],
                document,
            };
            return vec![log(DEPLOYMENT.trials, &registered)];
        };
        let data = model.call(trial, dice, now, (party, site), (document, digests));
        data.into_iter().map(|data| (DEPLOYMENT.trials, data)).collect()
    }
}

impl Trial {
    fn call(
        &mut self,
        trial: B256,
        dice: &mut Dice,
        now: u64,
        (participant, site): (Address, Address),
        (document, digests): (B256, [B256; 3]),
    ) -> Option<LogData> {
        let version = self.versions.len() as u8;
        let open = self.state == terms::OPEN;
        let active = self.sites.get(&site).is_some_and(|site| site.1);
        let data = match dice.below(13) {
            0 if open => {
                let enrolled = self.sites.values().map(|site| site.2).sum();
                let reconsent = dice.one_in(2);
                self.versions.push((reconsent, enrolled));
                ITrials::TrialAmended {
                    trial,
                    version: version + 1,
                    protocol: digests[0],
                    plan: digests[1],
                    form: digests[2],
                    reasonCode: 1,
                    reconsent,
                    document,
                }
                .to_log_data()
            }
            1 => {
                let held = self.sites.entry(site).or_default();
                (held.0, held.1) = (held.0 + 1, !held.1);
                ITrials::SiteSet {
                    trial,
                    site,
                    serial: held.0,
                    active: held.1,
                }
                .to_log_data()
            }
            2..5 if open && active => {
                let held = self.participants.entry(participant).or_insert(Participant {
                    site,
                    number: 0,
                    version: 0,
                    status: status::CONSENTED,
                    since: now,
                });
                if held.status == status::WITHDRAWN || held.version == version {
                    return None;
                }
                held.version = version;
                ITrials::Consented {
                    trial,
                    participant,
                    site: held.site,
                    version,
                    document,
                }
                .to_log_data()
            }
            5 | 6 => {
                let held = self.participants.get_mut(&participant);
                let held = held.filter(|held| held.status == status::CONSENTED)?;
                let site = self.sites.get_mut(&held.site)?;
                site.2 += 1;
                (held.number, held.status, held.since) = (site.2, status::ENROLLED, now);
                ITrials::Enrolled {
                    trial,
                    participant,
                    site: held.site,
                    number: held.number,
                }
                .to_log_data()
            }
            7 => {
                let held = self.participants.get_mut(&participant);
                let held = held.filter(|held| held.status != status::WITHDRAWN)?;
                (held.status, held.since) = (status::WITHDRAWN, now);
                ITrials::ParticipantWithdrew {
                    trial,
                    participant,
                    site: held.site,
                    number: held.number,
                }
                .to_log_data()
            }
            8..11 if open && active => {
                let sequence = 1 + dice.below(8) as u32;
                if self
                    .batches
                    .iter()
                    .any(|(of, taken, _)| (*of, *taken) == (site, sequence))
                {
                    return None;
                }
                let last = &mut self.sites.get_mut(&site)?.3;
                let flags = if sequence < *last { flag::OUT_OF_ORDER } else { 0 };
                *last = sequence.max(*last);
                self.data = keccak256([self.data, id(u64::from(sequence))].concat());
                self.batches.push((site, sequence, flags));
                ITrials::BatchAnchored {
                    trial,
                    site,
                    sequence,
                    from: now - 9,
                    to: now,
                    root: digests[0],
                    count: 3,
                    participants: vec![U256::from(dice.number()) << 150; 1 + dice.below(2) as usize],
                    flags,
                    version,
                    data: self.data,
                    document,
                }
                .to_log_data()
            }
            11 if open && dice.one_in(4) => {
                (self.state, self.locked_at) = (terms::LOCKED, now);
                ITrials::DataLocked {
                    trial,
                    batches: self.batches.len() as u32,
                    data: self.data,
                }
                .to_log_data()
            }
            11 if self.state == terms::LOCKED => {
                self.state = terms::CLOSED;
                ITrials::TrialClosed { trial }.to_log_data()
            }
            8..13 if self.state == terms::LOCKED => {
                let number = self.results.len() as u8;
                self.results.push(digests[0]);
                ITrials::ResultsAnchored {
                    trial,
                    number,
                    version,
                    plan: digests[1],
                    data: self.data,
                    results: digests[0],
                    document,
                }
                .to_log_data()
            }
            _ => return None,
        };
        Some(data)
    }
}

/// The index answers for the newest block, and for some earlier ones, as the ledgers stood at their ends. Gives what it was asked, each once.
pub async fn answers_match(index: &Index, chain: &[Mined], dice: &mut Dice) -> BTreeMap<String, Vec<Value>> {
    let mut asked = BTreeMap::new();
    let mut note = |view: View| asked.extend(view.asked.into_iter().map(|(sql, args)| (sql.to_owned(), args)));
    let newest = &chain[chain.len() - 1];
    let mut view = index.latest().await.unwrap();
    same(&mut view, &newest.after.ledgers).await;
    note(view);
    for _ in 0..2 {
        let then = &chain[dice.below(chain.len() as u64) as usize];
        let mut view = index.view(When::Block(then.block.number)).await.unwrap();
        same(&mut view, &then.after.ledgers).await;
        note(view);
    }
    asked
}

async fn same(view: &mut View, ledgers: &Ledgers) {
    same_claims(view, ledgers).await;
    same_supply(view, ledgers).await;
    same_trials(view, ledgers).await;
}

/// Pages of two, to the end.
macro_rules! all {
    ($page:ident => $rows:expr) => {{
        let mut all = Vec::new();
        loop {
            let $page = Page {
                after: all.last().map(position),
                limit: 2,
            };
            let rows = $rows.await.unwrap();
            let full = rows.len() == 2;
            all.extend(rows);
            if !full {
                break all;
            }
        }
    }};
}

trait Placed {
    fn position(&self) -> crate::Position;
}

fn position(row: &impl Placed) -> crate::Position {
    row.position()
}

macro_rules! placed {
    ($($row:ty)+) => {
        $(impl Placed for $row {
            fn position(&self) -> crate::Position {
                self.position
            }
        })+
    };
}
placed! { crate::Claim crate::DrugBatch crate::Shipment crate::Recall crate::Trial crate::Site crate::Participant crate::DataBatch }

impl Placed for crate::ClaimFacts {
    fn position(&self) -> crate::Position {
        self.claim.position
    }
}

async fn same_claims(view: &mut View, ledgers: &Ledgers) {
    for (claim, model) in &ledgers.claims {
        let found = view.claim(*claim).await.unwrap().unwrap();
        assert_eq!(
            (
                found.chart,
                found.provider,
                found.insurer,
                found.fingerprint,
                found.shared
            ),
            (
                model.chart,
                model.provider,
                model.insurer,
                model.fingerprint,
                model.shared
            )
        );
        assert_eq!(
            (found.state, found.serial, found.deadline, found.rounds, found.appeals),
            (model.state, model.serial, model.deadline, model.rounds, model.appeals)
        );
        assert_eq!(
            (found.submitted_at, found.amount, found.reason_code),
            (model.submitted_at, model.amount, model.reason_code)
        );
        let steps = view.claim_steps(*claim).await.unwrap();
        let serials: Vec<_> = steps.iter().map(|step| step.serial).collect();
        assert_eq!(serials, (1..=model.serial).collect::<Vec<_>>());
        let last = &steps[steps.len() - 1];
        assert_eq!((last.state, last.at), (model.state, found.stepped_at));
        let links = view.claim_links(*claim).await.unwrap();
        let links: Vec<_> = links
            .iter()
            .map(|link| (link.record_id, link.written_at.zip(link.created_at)))
            .collect();
        assert_eq!(links, model.links);
    }
    assert_eq!(view.claim(id(1)).await.unwrap(), None);
    let claims = || ledgers.claims.values();
    let charts: BTreeSet<_> = claims().map(|claim| claim.chart).collect();
    let providers: BTreeSet<_> = claims().map(|claim| claim.provider).collect();
    let insurers: BTreeSet<_> = claims().map(|claim| claim.insurer).collect();
    let charts = charts.into_iter().map(ClaimsOf::Chart);
    let providers = providers.into_iter().map(ClaimsOf::Provider);
    for of in charts
        .chain(providers)
        .chain(insurers.into_iter().map(ClaimsOf::Insurer))
    {
        let is_of = |claim: &Claim| match of {
            ClaimsOf::Chart(chart) => claim.chart == chart,
            ClaimsOf::Provider(provider) => claim.provider == provider,
            ClaimsOf::Insurer(insurer) => claim.insurer == insurer,
        };
        let expected = |state: Option<u8>| {
            let claims = ledgers.claims.iter().filter(|(_, claim)| is_of(claim));
            let claims = claims.filter(|(_, claim)| state.is_none_or(|state| claim.state == state));
            claims.map(|(claim, _)| *claim).collect::<BTreeSet<_>>()
        };
        for state in [None, Some(state::RECEIVED), Some(state::PAID)] {
            let listed = all!(page => view.claims(of, state, page));
            assert!(listed.is_sorted_by_key(|claim| claim.position));
            assert_eq!(
                listed.iter().map(|claim| claim.claim).collect::<BTreeSet<_>>(),
                expected(state)
            );
        }
        let facts = all!(page => view.claim_facts(of, 0, page));
        assert_eq!(facts.len(), expected(None).len());
        for fact in &facts {
            assert_eq!(view.claim_links(fact.claim.claim).await.unwrap(), fact.links);
        }
        let since = facts[facts.len() / 2].claim.submitted_at;
        let later = all!(page => view.claim_facts(of, since, page));
        let expected = facts.into_iter().filter(|fact| fact.claim.submitted_at >= since);
        assert_eq!(later, expected.collect::<Vec<_>>());
    }
    for ((namespace, provider, fingerprint), claim) in &ledgers.services {
        let last = view.last_claim_of_service(*namespace, *provider, *fingerprint).await;
        assert_eq!(last.unwrap(), Some(*claim));
        let same = all!(page => view.claims_of_service(*fingerprint, page));
        let expected = ledgers
            .claims
            .values()
            .filter(|claim| claim.fingerprint == *fingerprint);
        assert_eq!(same.len(), expected.count());
    }
    for party in (0..PARTIES).map(who) {
        let setting = view.insurer_setting(party).await.unwrap();
        let setting = setting.map(|setting| (setting.serial, setting.shared));
        assert_eq!(setting, ledgers.insurers.get(&party).copied());
        let latest = view.currency_settings(party).await.unwrap();
        let latest: BTreeMap<_, _> = latest.iter().map(|s| (s.currency, s.version)).collect();
        let of_party = ledgers.currencies.keys().filter(|(insurer, ..)| *insurer == party);
        // Later versions come later.
        let expected: BTreeMap<_, _> = of_party.map(|(_, currency, version)| (*currency, *version)).collect();
        assert_eq!(latest, expected);
    }
    for ((insurer, currency, version), setting) in &ledgers.currencies {
        let found = view.currency_setting(*insurer, *currency, *version).await.unwrap();
        assert_eq!(found.map(|s| (s.accepted, s.token, s.scale)), Some(*setting));
    }
}

async fn same_supply(view: &mut View, ledgers: &Ledgers) {
    for (batch, model) in &ledgers.batches {
        let found = view.drug_batch(*batch).await.unwrap().unwrap();
        assert_eq!(
            (found.maker, found.gtin, found.lot, found.packages, found.recalls),
            (model.maker, model.gtin, model.lot, model.packages, model.recalls)
        );
        let of_lot = all!(page => view.drug_batches_of_lot(model.gtin, model.lot, page));
        assert!(of_lot.contains(&found));
        let of_maker = all!(page => view.drug_batches_of(model.maker, page));
        assert!(of_maker.contains(&found));

        // All units in order, three at a time, leave nothing out.
        let mut units: Vec<crate::Unit> = Vec::new();
        loop {
            let page = view.units(*batch, units.last().map(|unit| unit.unit), 3).await.unwrap();
            units.extend_from_slice(&page);
            if page.len() < 3 {
                break;
            }
        }
        let expected = ledgers.units.range((*batch, 0)..=(*batch, u32::MAX));
        assert_eq!(units.len(), expected.clone().count());
        for (found, ((_, from), model)) in units.iter().zip(expected) {
            let (step, shipment) = ledgers.stands_at(*model);
            assert_eq!(
                (found.unit, found.to, found.decommissioned),
                (*from, model.to, model.decommissioned)
            );
            assert_eq!(
                (found.holder, found.step, found.last, found.shipment),
                (ledgers.holder(*model), step, model.last, shipment)
            );
            assert_eq!(view.unit(*batch, *from).await.unwrap().as_ref(), Some(found));
            for package in [*from, model.to - 1] {
                assert_eq!(view.unit_with(*batch, package).await.unwrap().as_ref(), Some(found));
            }
            for step in [found.step, found.last] {
                let custody = view.custody(*batch, step).await.unwrap();
                let custody: Vec<_> = custody.iter().map(|s| (s.step, s.holder, s.shipment)).collect();
                assert_eq!(custody, ledgers.custody(step));
            }
        }
        assert_eq!(view.unit_with(*batch, model.packages).await.unwrap(), None);
        assert_eq!(view.custody(*batch, 1_000_000).await.unwrap(), []);
        let recalls = view.recalls_of(*batch).await.unwrap();
        assert_eq!(recalls.len(), usize::from(model.recalls));
    }
    for party in (0..PARTIES).map(who) {
        let (mut held, mut after) = (Vec::new(), None);
        loop {
            let (some, more) = view.units_of(party, after, 3).await.unwrap();
            held.extend(some.iter().map(|unit| (unit.batch, unit.unit)));
            after = more;
            if more.is_none() {
                break;
            }
        }
        let expected = ledgers.units.iter().filter(|(_, unit)| ledgers.holder(**unit) == party);
        assert_eq!(held, expected.map(|(key, _)| *key).collect::<Vec<_>>());
        for open in [false, true] {
            let expected = |is_of: fn(&Shipment) -> Address| {
                let shipments = ledgers.shipments.iter();
                let shipments = shipments.filter(|(_, s)| is_of(s) == party && (!open || s.state == shipment::OPEN));
                shipments.map(|(number, s)| (*number, s.state)).collect::<Vec<_>>()
            };
            let sent = all!(page => view.shipments(ShipmentsOf::Sender(party), open, page));
            let sent: Vec<_> = sent.iter().map(|s| (s.shipment, s.state())).collect();
            assert_eq!(sent, expected(|s| s.from));
            let coming = all!(page => view.shipments(ShipmentsOf::Receiver(party), open, page));
            let coming: Vec<_> = coming.iter().map(|s| (s.shipment, s.state())).collect();
            assert_eq!(coming, expected(|s| s.to));
        }
    }
    for (number, model) in &ledgers.shipments {
        let found = view.shipment(*number).await.unwrap().unwrap();
        assert_eq!(
            (found.sender, found.receiver, found.state()),
            (model.from, model.to, model.state)
        );
        assert_eq!(found.offered_at, model.offered_at);
        let items = view.shipment_units(*number).await.unwrap();
        let items: Vec<_> = items.iter().map(|item| (item.batch, item.unit)).collect();
        assert_eq!(items, model.items);
    }
    let recalls = all!(page => view.recalls(page));
    let recalls: Vec<_> = recalls.iter().map(|r| (r.batch, r.number, r.from, r.to)).collect();
    assert_eq!(recalls, ledgers.recalls);
    for (serial, (batch, package, by)) in &ledgers.dispensed {
        let found = view.dispensings(*serial, Page::default()).await.unwrap();
        let found: Vec<_> = found.iter().map(|d| (d.batch, d.package, d.dispensed_by)).collect();
        assert_eq!(found, [(*batch, *package, *by)]);
    }
}

async fn same_trials(view: &mut View, ledgers: &Ledgers) {
    let all = all!(page => view.trials(page));
    assert_eq!(all.len(), ledgers.trials.len());
    for (trial, model) in &ledgers.trials {
        let found = view.trial(*trial).await.unwrap().unwrap();
        assert!(all.contains(&found));
        assert!(
            view.trials_of(model.sponsor, Page::default())
                .await
                .unwrap()
                .contains(&found)
        );
        let last_reconsent = model.versions.iter().rposition(|(reconsent, _)| *reconsent);
        assert_eq!(
            (found.registered_at, found.version, found.consent_version, found.state),
            (
                model.registered_at,
                model.versions.len() as u8,
                last_reconsent.map_or(1, |at| at as u8 + 1),
                model.state
            )
        );
        let participants = || model.participants.values();
        let gone = participants().filter(|held| held.status == status::WITHDRAWN && held.number > 0);
        assert_eq!(
            (found.enrolled, found.withdrawn),
            (
                participants().filter(|held| held.number > 0).count() as u32,
                gone.count() as u32
            )
        );
        assert_eq!(
            (found.batches, found.results, found.data),
            (model.batches.len() as u32, model.results.len() as u8, model.data)
        );
        let lock = found
            .lock
            .map_or((0, 0, B256::ZERO), |lock| (lock.at, lock.batches, lock.data));
        let locked = (model.locked_at, model.batches.len() as u32, model.data);
        assert_eq!(
            lock,
            if model.state == terms::OPEN {
                (0, 0, B256::ZERO)
            } else {
                locked
            }
        );

        let versions = view.trial_versions(*trial).await.unwrap();
        let versions: Vec<_> = versions.iter().map(|v| (v.reconsent, v.enrolled_before)).collect();
        assert_eq!(versions, model.versions);
        let sites = all!(page => view.sites(*trial, page));
        assert_eq!(sites.len(), model.sites.len());
        for site in sites {
            let (serial, active, enrolled, last) = model.sites[&site.site];
            let gone = participants().filter(|held| held.site == site.site && held.status == status::WITHDRAWN);
            let gone = gone.filter(|held| held.number > 0).count() as u32;
            assert_eq!(
                (
                    site.serial,
                    site.active,
                    site.enrolled,
                    site.withdrawn,
                    site.last_sequence
                ),
                (serial, active, enrolled, gone, last)
            );
            assert_eq!(view.site(*trial, site.site).await.unwrap(), Some(site));
            assert!(all!(page => view.sites_of(site.site, page)).contains(&site));
            let listed = all!(page => view.participants(*trial, site.site, page));
            let expected = participants().filter(|held| held.site == site.site);
            assert_eq!(listed.len(), expected.count());
        }
        for (account, held) in &model.participants {
            let found = view.participant(*trial, *account).await.unwrap().unwrap();
            let told = Participant {
                site: found.site,
                number: found.number,
                version: found.version,
                status: found.status,
                since: found.since,
            };
            assert_eq!(told, *held);
            assert!(all!(page => view.participations(*account, page)).contains(&found));
        }
        let batches = all!(page => view.data_batches(*trial, page));
        for batch in &batches {
            let found = view.data_batch(*trial, batch.site, batch.sequence).await.unwrap();
            assert_eq!(found.as_ref(), Some(batch));
        }
        let batches: Vec<_> = batches.iter().map(|b| (b.site, b.sequence, b.flags)).collect();
        assert_eq!(batches, model.batches);
        let results = view.trial_results(*trial).await.unwrap();
        let results: Vec<_> = results.iter().map(|result| result.results).collect();
        assert_eq!(results, model.results);
    }
}

/// An event of a thing that the tables have not, or one that is there already, is refused with words and leaves nothing.
#[tokio::test]
async fn an_event_of_a_ledger_that_contradicts_the_tables_is_named() {
    let (thing, other, account) = (id(1), id(2), who(1));
    let registered = ITrials::TrialRegistered {
        trial: thing,
        sponsor: account,
        registration: other,
        protocol: other,
        plan: other,
        form: other,
        document: other,
    };
    let offered = ISupply::ShipmentOffered {
        shipment: 7,
        from: account,
        to: who(2),
        kind: shipment::SALE,
        document: other,
    };
    let closed = ISupply::ShipmentClosed {
        shipment: 7,
        by: account,
        state: shipment::ACCEPTED,
        document: other,
    };
    let began = IClaims::ReviewBegun {
        claim: thing,
        serial: 2,
        by: account,
    };
    let split = ISupply::UnitSplit {
        batch: thing,
        unit: 0,
        cuts: vec![1, 2],
    };
    let moved = ISupply::UnitOffered {
        shipment: 7,
        batch: thing,
        unit: 0,
        held: 1,
        step: 7,
        previous: 1,
    };
    let enrolled = ITrials::Enrolled {
        trial: thing,
        participant: account,
        site: who(2),
        number: 1,
    };
    let resulted = ITrials::ResultsAnchored {
        trial: thing,
        number: 0,
        version: 1,
        plan: other,
        data: other,
        results: other,
        document: other,
    };
    let of_trial = |event: LogData| (DEPLOYMENT.trials, event);
    let supplied = |event: LogData| (DEPLOYMENT.supply, event);
    let begun = of_trial(registered.to_log_data());
    let cases = [
        (vec![(DEPLOYMENT.claims, began.to_log_data())], "ReviewBegun, log 0"),
        (vec![supplied(split.to_log_data())], "UnitSplit, log 0"),
        (vec![supplied(moved.to_log_data())], "UnitOffered, log 0"),
        (vec![supplied(closed.to_log_data())], "ShipmentClosed, log 0"),
        (
            vec![
                supplied(offered.to_log_data()),
                supplied(closed.to_log_data()),
                supplied(closed.to_log_data()),
            ],
            "ShipmentClosed, log 2",
        ),
        (vec![begun.clone(), begun.clone()], "TrialRegistered, log 1"),
        (vec![begun.clone(), of_trial(enrolled.to_log_data())], "Enrolled, log 1"),
        (vec![begun, of_trial(resulted.to_log_data())], "ResultsAnchored, log 1"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let path = kind.fresh(folder.path(), "index");
        let mut store = open(&path).await;
        let before = dump(&path).await;
        for (logs, named) in &cases {
            let mut chain = vec![Mined {
                block: GENESIS,
                logs: vec![],
                after: Contracts::default(),
            }];
            push(&mut chain, 1, logs.clone());
            let error = format!("{:#}", commit(&mut store, GENESIS, &chain[1..]).await.unwrap_err());
            assert!(
                error.contains(named) && error.contains("contradicts the tables"),
                "{error}"
            );
            assert_eq!(dump(&path).await, before);
        }
    }
}
