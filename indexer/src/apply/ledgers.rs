//! Events of the three ledgers: claims, supply, trials.
use super::{Act, Change, change};
use crate::tables::{Table, Value};
use alloy::primitives::{Address, B256, Bytes, U256};
use anyhow::Result;
use medlock_abi::{
    claims::IClaims::IClaimsEvents, supply::ISupply::ISupplyEvents, terms::claim_state, trials::ITrials::ITrialsEvents,
};

/// The serial of a claim that was just submitted.
const FIRST_SERIAL: u8 = 1;
/// Where the first unit of a batch begins.
const FIRST_UNIT: u32 = 0;
/// The version of a trial that was just registered, and why there is one.
const FIRST_VERSION: u8 = 1;
const NO_REASON: u8 = 0;

pub fn claims(event: &IClaimsEvents) -> Result<Vec<Change>> {
    use IClaimsEvents as E;
    Ok(match event {
        E::ClaimSubmitted(e) => {
            let mut changes = vec![change!(Begin Claim:
                e.claim, e.chart, e.provider, e.insurer, e.by, e.document, e.fingerprint, e.currency, e.billed,
                e.currencyVersion, e.shared, e.previous)];
            let links = e.links.iter().zip(0u8..);
            changes.extend(links.map(|(link, number)| {
                change!(Begin ClaimLink:
                e.claim, number, link.recordId, link.pointer)
            }));
            changes.push(Step::of(e.claim, FIRST_SERIAL, claim_state::RECEIVED, e.by).begin(e.document, e.deadline)?);
            changes
        }
        E::ReviewBegun(e) => vec![Step::of(e.claim, e.serial, claim_state::IN_REVIEW, e.by).follow()?],
        E::InformationRequested(e) => vec![
            Step {
                document: e.document,
                deadline: e.deadline,
                ..Step::of(e.claim, e.serial, claim_state::INFORMATION_REQUESTED, e.by)
            }
            .follow()?,
        ],
        E::InformationProvided(e) => vec![
            Step {
                document: e.document,
                deadline: e.deadline,
                ..Step::of(e.claim, e.serial, claim_state::IN_REVIEW, e.by)
            }
            .follow()?,
        ],
        E::Adjudicated(e) => vec![
            Step {
                document: e.document,
                amount: e.amount,
                reason_code: e.reasonCode,
                deadline: e.deadline,
                ..Step::of(e.claim, e.serial, e.state, e.by)
            }
            .follow()?,
        ],
        E::Appealed(e) => vec![
            Step {
                document: e.document,
                deadline: e.deadline,
                ..Step::of(e.claim, e.serial, claim_state::APPEALED, e.by)
            }
            .follow()?,
        ],
        E::PartAccepted(e) => vec![
            Step {
                deadline: e.deadline,
                ..Step::of(e.claim, e.serial, claim_state::APPROVED, e.by)
            }
            .follow()?,
        ],
        E::Paid(e) => vec![
            Step {
                document: e.remittance,
                ..Step::of(e.claim, e.serial, claim_state::PAID, e.by)
            }
            .follow()?,
        ],
        E::PaidInToken(e) => vec![
            Step {
                token: e.token,
                value: e.value,
                ..Step::of(e.claim, e.serial, claim_state::PAID, e.by)
            }
            .follow()?,
        ],
        E::Reversed(e) => vec![
            Step {
                reason_code: e.reasonCode,
                ..Step::of(e.claim, e.serial, claim_state::REVERSED, e.by)
            }
            .follow()?,
        ],
        E::Withdrawn(e) => vec![Step::of(e.claim, e.serial, claim_state::WITHDRAWN, e.by).follow()?],
        // Who set it stands in the event rows.
        E::InsurerSet(e) => vec![change!(Replace InsurerSetting: e.insurer, e.serial, e.shared)],
        E::CurrencySet(e) => vec![change!(Begin CurrencySetting:
            e.insurer, e.currency, e.version, e.accepted, e.token, e.scale)],
    })
}

/// A step of a claim. What its event does not tell is zero.
#[derive(Default)]
struct Step {
    claim: B256,
    serial: u8,
    state: u8,
    by: Address,
    document: B256,
    amount: B256,
    reason_code: u16,
    deadline: u64,
    token: Address,
    value: U256,
}

impl Step {
    fn of(claim: B256, serial: u8, state: u8, by: Address) -> Self {
        Self {
            claim,
            serial,
            state,
            by,
            ..Self::default()
        }
    }

    /// The first of its claim.
    fn begin(self, document: B256, deadline: u64) -> Result<Change> {
        let first = Self {
            document,
            deadline,
            ..self
        };
        let change = first.follow()?;
        Ok(Change {
            act: Act::Begin,
            ..change
        })
    }

    fn follow(self) -> Result<Change> {
        Ok(change!(Follow ClaimStep:
            self.claim, self.serial, self.state, self.by, self.document, self.amount, self.reason_code,
            Value::int(self.deadline)?, self.token, self.value))
    }
}

pub fn supply(event: &ISupplyEvents) -> Result<Vec<Change>> {
    use ISupplyEvents as E;
    Ok(match event {
        E::BatchRegistered(e) => vec![
            change!(Begin DrugBatch:
                e.batch, e.maker, Value::int(e.gtin)?, e.lot, Value::int(e.expiry)?, e.root, e.count, Value::int(e.step)?,
                e.document),
            change!(Begin Unit: e.batch, FIRST_UNIT, FIRST_UNIT),
        ],
        E::UnitSplit(e) => {
            let cuts = e.cuts.iter();
            cuts.map(|cut| change!(Begin Unit: e.batch, *cut, e.unit)).collect()
        }
        E::ShipmentOffered(e) => vec![change!(Begin Shipment:
            Value::int(e.shipment)?, e.from, e.to, e.kind, e.document)],
        E::UnitOffered(e) => vec![change!(Begin UnitOffer:
            e.batch, e.unit, Value::int(e.step)?, Value::int(e.shipment)?, Value::int(e.held)?, Value::int(e.previous)?)],
        E::ShipmentClosed(e) => vec![
            change!(End Shipment: Value::int(e.shipment)?),
            change!(Begin ShipmentClosing: Value::int(e.shipment)?, e.state, e.by, e.document),
        ],
        E::RecallIssued(e) => vec![change!(Begin Recall:
            e.batch, e.number, e.from, e.to, e.class, e.reasonCode, e.by, e.document)],
        E::Dispensed(e) => vec![change!(Begin Dispensing: e.batch, e.serial, e.unit, e.index, e.by, e.document)],
        E::Decommissioned(e) => vec![change!(Begin Decommissioning:
            e.batch, e.unit, e.reasonCode, e.by, e.document)],
    })
}

pub fn trials(event: &ITrialsEvents) -> Result<Vec<Change>> {
    use ITrialsEvents as E;
    Ok(match event {
        E::TrialRegistered(e) => vec![
            change!(Begin Trial: e.trial, e.sponsor, e.registration, e.document),
            change!(Begin TrialVersion:
                e.trial, FIRST_VERSION, e.protocol, e.plan, e.form, NO_REASON, false, e.document),
        ],
        E::TrialAmended(e) => vec![change!(Begin TrialVersion:
            e.trial, e.version, e.protocol, e.plan, e.form, e.reasonCode, e.reconsent, e.document)],
        E::SiteSet(e) => vec![change!(Replace Site: e.trial, e.site, e.serial, e.active)],
        E::Consented(e) => vec![change!(Replace Consent: e.trial, e.participant, e.site, e.version, e.document)],
        E::Enrolled(e) => vec![change!(Begin Enrolment: e.trial, e.participant, e.site, e.number)],
        E::ParticipantWithdrew(e) => vec![change!(Begin Withdrawal: e.trial, e.participant, e.site, e.number)],
        E::BatchAnchored(e) => {
            let words = e.participants.iter().flat_map(U256::to_be_bytes::<32>);
            vec![change!(Begin DataBatch:
                e.trial, e.site, e.sequence, Value::int(e.from)?, Value::int(e.to)?, e.root, e.count,
                words.collect::<Bytes>(), e.flags, e.version, e.data, e.document)]
        }
        E::DataLocked(e) => vec![change!(Begin DataLock: e.trial, e.batches, e.data)],
        E::ResultsAnchored(e) => vec![change!(Begin TrialResult:
            e.trial, e.number, e.version, e.plan, e.data, e.results, e.document)],
        E::TrialClosed(e) => vec![change!(Begin TrialClosing: e.trial)],
    })
}
