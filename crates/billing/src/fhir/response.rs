//! ClaimResponse: what an insurer decides.
use std::collections::BTreeSet;

use alloy_primitives::B256;
use medlock_abi::{
    claims::IClaims::{Adjudicated, ClaimSubmitted},
    terms::{claim_reason, claim_state},
};
use rand_core::CryptoRng;

use super::{
    Claim, Coding, Fault, Kind, Reference, Refused, Status, Use,
    claim::{check_sequences, read_kind},
    differ,
    element::{codes, concept},
    money::{money, sum},
    read::{self, Node, Object},
    system,
    write::Element,
};
use crate::{Amount, Salt, document::Verdict, time::DateTime};

pub(super) const NAME: &str = "ClaimResponse";
/// As of a claim: it has as many lines.
pub const RESPONSE_BYTES_MAX: usize = super::CLAIM_BYTES_MAX;
/// Lines of one item, or of the whole: one of each category.
const ADJUDICATIONS_MAX: usize = 32;

codes! {
    /// R4 `remittance-outcome`: how far the processing is, not what came of it. A denial is `complete`.
    Outcome {
        Queued = "queued",
        Complete = "complete",
        Error = "error",
        Partial = "partial",
    }
}

codes! {
    /// R4 `adjudication`. An insurer may have others.
    Category {
        Submitted = "submitted",
        Copay = "copay",
        Eligible = "eligible",
        Deductible = "deductible",
        Unallocated = "unallocdeduct",
        EligiblePercent = "eligpercent",
        Tax = "tax",
        /// What is paid.
        Benefit = "benefit",
    }
}

impl Category {
    #[must_use]
    pub fn coding(self) -> Coding {
        Coding::new(system::ADJUDICATION, self.code())
    }

    fn is(self, coding: &Coding) -> bool {
        coding.code_of(system::ADJUDICATION) == Some(self.code())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimResponse {
    pub status: Status,
    pub kind: Kind,
    pub purpose: Use,
    pub patient: Reference,
    pub created: DateTime,
    pub insurer: Reference,
    pub requestor: Option<Reference>,
    /// The claim.
    pub request: Option<Reference>,
    pub outcome: Outcome,
    /// For people.
    pub disposition: Option<String>,
    pub items: Vec<ItemResponse>,
    /// Of the claim as a whole.
    pub adjudication: Vec<Adjudication>,
    /// One of each category at most.
    pub totals: Vec<Total>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemResponse {
    /// Of the claim's item.
    pub sequence: u32,
    pub adjudication: Vec<Adjudication>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjudication {
    pub category: Coding,
    pub amount: Option<Amount>,
    /// A number of `terms::claim_reason`; other systems' reasons are not kept.
    pub reason: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub category: Coding,
    pub amount: Amount,
}

const KNOWN: [&str; 26] = [
    "status",
    "type",
    "subType",
    "use",
    "patient",
    "created",
    "insurer",
    "requestor",
    "request",
    "outcome",
    "disposition",
    "preAuthRef",
    "preAuthPeriod",
    "payeeType",
    "item",
    "addItem",
    "adjudication",
    "total",
    "payment",
    "fundsReserve",
    "formCode",
    "form",
    "processNote",
    "communicationRequest",
    "insurance",
    "error",
];

impl ClaimResponse {
    /// Says what `verdict` does of `claim`, which `request` names. Of a part, which items it is for is the insurer's to add.
    #[must_use]
    pub fn decided(claim: &Claim, request: Reference, verdict: &Verdict, created: DateTime) -> Self {
        let paid = verdict.amount().unwrap_or(Amount::new(claim.total.currency, 0));
        let whole = |item: &super::Item| ItemResponse {
            sequence: item.sequence,
            adjudication: vec![Adjudication {
                category: Category::Benefit.coding(),
                amount: Some(item.net),
                reason: None,
            }],
        };
        let is_whole = matches!(verdict, Verdict::Approved { .. });
        Self {
            status: Status::Active,
            kind: claim.kind,
            purpose: claim.purpose,
            patient: claim.patient.clone(),
            created,
            insurer: claim.insurer.clone(),
            requestor: Some(claim.provider.clone()),
            request: Some(request),
            outcome: Outcome::Complete,
            disposition: None,
            items: claim.items.iter().filter(|_| is_whole).map(whole).collect(),
            adjudication: vec![Adjudication {
                category: Category::Benefit.coding(),
                amount: Some(paid),
                reason: verdict.reason(),
            }],
            totals: [(Category::Submitted, claim.total), (Category::Benefit, paid)]
                .map(|(category, amount)| Total {
                    category: category.coding(),
                    amount,
                })
                .into(),
        }
    }

    /// Reads a ClaimResponse of R4.
    ///
    /// # Errors
    /// [`Refused`]: where, and why.
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let object = read::resource(bytes, RESPONSE_BYTES_MAX, NAME, &KNOWN)?;
        let response = Self {
            status: Status::read(&object.required("status")?)?,
            kind: read_kind(&object)?,
            purpose: Use::read(&object.required("use")?)?,
            patient: object.required("patient")?.reference()?,
            created: object.required("created")?.time()?,
            insurer: object.required("insurer")?.reference()?,
            requestor: object.reference("requestor")?,
            request: object.reference("request")?,
            outcome: Outcome::read(&object.required("outcome")?)?,
            disposition: object.text("disposition")?,
            items: read_items(&object)?,
            adjudication: read_adjudication(&object)?,
            totals: read_totals(&object)?,
        };
        response.check_currency(&object)?;
        // Items that the insurer added are not read.
        if object.optional("addItem").is_none() {
            response.check_sums(&object)?;
        }
        Ok(response)
    }

    /// A ClaimResponse of R4 that [`ClaimResponse::read`] reads as this one.
    ///
    /// # Errors
    /// [`Refused`], of what cannot stand in a ClaimResponse; [`Fault::Reason`], of a number that is no reason.
    pub fn write(&self) -> Result<String, Refused> {
        let of_items = self.items.iter().flat_map(|item| &item.adjudication);
        let mut reasons = of_items.chain(&self.adjudication).filter_map(|line| line.reason);
        if reasons.any(|reason| reason_coding(reason).is_none()) {
            return Err(refused("adjudication.reason", Fault::Reason));
        }
        let json = self.to_json();
        Self::read(json.as_bytes())?;
        Ok(json)
    }

    fn to_json(&self) -> String {
        let kind = Coding::new(system::CLAIM_TYPE, self.kind.code());
        let items = self.items.iter().map(|item| {
            Element::new()
                .with("itemSequence", item.sequence)
                .with_all("adjudication", item.adjudication.iter().map(Adjudication::element))
        });
        Element::resource(NAME)
            .with("status", self.status.code())
            .with("type", concept([&kind]))
            .with("use", self.purpose.code())
            .with("patient", self.patient.element())
            .with("created", self.created.as_str())
            .with("insurer", self.insurer.element())
            .with_some("requestor", self.requestor.as_ref().map(Reference::element))
            .with_some("request", self.request.as_ref().map(Reference::element))
            .with("outcome", self.outcome.code())
            .with_some("disposition", self.disposition.as_ref())
            .with_all("item", items)
            .with_all("adjudication", self.adjudication.iter().map(Adjudication::element))
            .with_all("total", self.totals.iter().map(Total::element))
            .to_json()
    }

    /// What is paid in all, where it is said.
    #[must_use]
    pub fn benefit(&self) -> Option<Amount> {
        let mut totals = self.totals.iter();
        totals
            .find(|total| Category::Benefit.is(&total.category))
            .map(|total| total.amount)
    }

    /// Why it is not all that was asked for: the first reason of the whole that the ledger has.
    #[must_use]
    pub fn reason(&self) -> Option<u16> {
        self.adjudication.iter().find_map(|line| line.reason)
    }

    /// What it rules of `claim`, which has the id `id`. Its total of the category benefit is what is paid, also where that is nothing.
    ///
    /// # Errors
    /// [`Refused`], of the first element that no decision about this claim has.
    pub fn verdict(&self, id: B256, claim: &Claim, rng: &mut impl CryptoRng) -> Result<Verdict, Refused> {
        // What cannot be written could not be explained to the patient.
        self.write()?;
        self.check_about(id, claim)?;
        let amount = self.benefit().ok_or_else(|| refused("total", Fault::Missing))?;
        if amount.currency != claim.total.currency {
            return Err(refused("total", Fault::TwoCurrencies));
        }
        if amount.minor > claim.total.minor {
            return Err(refused("total", Fault::AboveBilled));
        }
        let of_reason = |fault| refused("adjudication.reason", fault);
        match self.reason() {
            None if amount == claim.total => Ok(Verdict::Approved {
                amount,
                salt: Salt::generate(rng),
            }),
            None => Err(of_reason(Fault::NoReason)),
            Some(reason) if !claim_reason::is_an_insurers(reason) => Err(of_reason(Fault::NotAnInsurers)),
            Some(reason) if amount.minor == 0 => Ok(Verdict::Denied { reason }),
            Some(_) if amount == claim.total => Err(of_reason(Fault::NeedlessReason)),
            Some(reason) => Ok(Verdict::PartlyApproved {
                amount,
                salt: Salt::generate(rng),
                reason,
            }),
        }
    }

    /// Parties that are named otherwise than by account or chart are known to them alone.
    fn check_about(&self, id: B256, claim: &Claim) -> Result<(), Refused> {
        let items: BTreeSet<_> = claim.items.iter().map(|item| item.sequence).collect();
        let names = self.request.as_ref().and_then(Reference::claim_of);
        let requestor = self.requestor.as_ref();
        let elements = [
            ("status", self.status == Status::Active, ACTIVE),
            ("outcome", self.outcome == Outcome::Complete, COMPLETE),
            ("use", self.purpose == claim.purpose, Fault::OtherThanClaim),
            ("type", self.kind == claim.kind, Fault::OtherThanClaim),
            ("request", names.is_none_or(|named| named == id), Fault::OtherClaim),
            (
                "patient",
                is_or_unknown(self.patient.chart_of(), claim.patient.chart_of()),
                Fault::OtherThanClaim,
            ),
            (
                "insurer",
                is_or_unknown(self.insurer.account_of(), claim.insurer.account_of()),
                Fault::OtherThanClaim,
            ),
            (
                "requestor",
                is_or_unknown(requestor.and_then(Reference::account_of), claim.provider.account_of()),
                Fault::OtherThanClaim,
            ),
            (
                "item.itemSequence",
                self.items.iter().all(|item| items.contains(&item.sequence)),
                Fault::OtherThanClaim,
            ),
        ];
        match elements.into_iter().find(|(_, holds, _)| !holds) {
            Some((element, _, fault)) => Err(refused(element, fault)),
            None => Ok(()),
        }
    }

    /// That all that `bytes`, which it was read from, have is read here: of the rest nothing could be said.
    ///
    /// # Errors
    /// [`Fault::Unread`], of the first other element.
    pub fn check_whole(&self, bytes: &[u8]) -> Result<(), Refused> {
        differ::check_whole(NAME, bytes, &self.to_json())
    }

    /// FHIRPath of each element that is otherwise in `other`.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<String> {
        differ::differing(NAME, &self.to_json(), &other.to_json())
    }

    /// FHIRPath of each element that is otherwise by the claim's events: all that can be said without its documents.
    #[must_use]
    pub fn differing_from_chain(&self, submitted: &ClaimSubmitted, adjudicated: &Adjudicated) -> Vec<String> {
        let named = self.request.as_ref().and_then(Reference::claim_of);
        let requestor = self.requestor.as_ref().and_then(Reference::account_of);
        let is_nothing = self.benefit().is_none_or(|amount| amount.minor == 0);
        differ::failing(
            NAME,
            &[
                ("request", named == Some(submitted.claim)),
                ("patient", is_or_unknown(self.patient.chart_of(), Some(submitted.chart))),
                (
                    "insurer",
                    is_or_unknown(self.insurer.account_of(), Some(submitted.insurer)),
                ),
                ("requestor", is_or_unknown(requestor, Some(submitted.provider))),
                ("outcome", self.outcome == Outcome::Complete),
                (
                    "adjudication.reason",
                    self.reason().unwrap_or(0) == adjudicated.reasonCode,
                ),
                ("total", is_nothing == (adjudicated.state == claim_state::DENIED)),
            ],
        )
    }

    fn check_currency(&self, object: &Object<'_>) -> Result<(), Refused> {
        let of_items = self.items.iter().flat_map(|item| &item.adjudication);
        let lines = of_items.chain(&self.adjudication).filter_map(|line| line.amount);
        let mut amounts = lines.chain(self.totals.iter().map(|total| total.amount));
        let Some(first) = amounts.next() else {
            return Ok(());
        };
        if amounts.all(|amount| amount.currency == first.currency) {
            Ok(())
        } else {
            Err(object.refused(Fault::TwoCurrencies))
        }
    }

    /// What is paid in all is what is paid for the items, where each item says it.
    fn check_sums(&self, object: &Object<'_>) -> Result<(), Refused> {
        let benefits: Option<Vec<_>> = self.items.iter().map(ItemResponse::benefit).collect();
        let paid = sum(benefits.unwrap_or_default()).map_err(|fault| object.refused_at("item", fault))?;
        match (paid, self.benefit()) {
            (Some(paid), Some(total)) if paid != total => Err(object.refused_at("total", Fault::Sum)),
            _ => Ok(()),
        }
    }
}

impl ItemResponse {
    fn benefit(&self) -> Option<Amount> {
        let mut lines = self.adjudication.iter();
        lines.find(|line| Category::Benefit.is(&line.category))?.amount
    }
}

impl Adjudication {
    pub(super) fn element(&self) -> Element {
        Element::new()
            .with("category", concept([&self.category]))
            .with_some("amount", self.amount.map(money))
            .with_some(
                "reason",
                self.reason
                    .and_then(reason_coding)
                    .as_ref()
                    .map(|coding| concept([coding])),
            )
    }
}

impl Total {
    pub(super) fn element(&self) -> Element {
        Element::new()
            .with("category", concept([&self.category]))
            .with("amount", money(self.amount))
    }
}

const ACTIVE: Fault = Fault::Code { allowed: &["active"] };
const COMPLETE: Fault = Fault::Code { allowed: &["complete"] };

fn refused(element: &str, fault: Fault) -> Refused {
    read::refused(&format!("{NAME}.{element}"), fault)
}

pub(super) fn is_or_unknown<T: PartialEq>(named: Option<T>, expected: Option<T>) -> bool {
    named.is_none() || expected.is_none() || named == expected
}

/// The number of a reason of the ledger; of other systems' reasons nothing.
///
/// # Errors
/// [`Fault::Reason`], of a name that the ledger does not have.
pub(super) fn reason_of(codings: &[Coding]) -> Result<Option<u16>, Fault> {
    let mut names = codings.iter().filter_map(|coding| coding.code_of(system::CLAIM_REASON));
    let Some(name) = names.next() else {
        return Ok(None);
    };
    let known = claim_reason::ALL.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| Some(*number)).ok_or(Fault::Reason)
}

/// `None` for a number that the ledger does not have.
pub(super) fn reason_coding(reason: u16) -> Option<Coding> {
    let mut known = claim_reason::ALL.iter();
    let (name, _) = known.find(|(_, number)| *number == reason)?;
    Some(Coding::new(system::CLAIM_REASON, name))
}

fn read_items(object: &Object<'_>) -> Result<Vec<ItemResponse>, Refused> {
    let mut items = Vec::new();
    for node in object.list("item", super::ITEMS_MAX)? {
        let item = node.object(&["itemSequence", "noteNumber", "adjudication", "detail"])?;
        let adjudication = read_adjudication(&item)?;
        if adjudication.is_empty() {
            return Err(item.refused_at("adjudication", Fault::Missing));
        }
        items.push(ItemResponse {
            sequence: item.required("itemSequence")?.positive()?,
            adjudication,
        });
    }
    check_sequences(object, "item", items.iter().map(|item| item.sequence))?;
    Ok(items)
}

pub(super) fn read_adjudication(object: &Object<'_>) -> Result<Vec<Adjudication>, Refused> {
    let mut lines = Vec::new();
    for node in object.list("adjudication", ADJUDICATIONS_MAX)? {
        let line = node.object(&["category", "reason", "amount", "value"])?;
        let category = read_category(&line)?;
        if lines.iter().any(|before: &Adjudication| before.category == category) {
            return Err(line.refused_at("category", Fault::Twice));
        }
        let reason = line
            .optional("reason")
            .map(Node::codings)
            .transpose()?
            .unwrap_or_default();
        lines.push(Adjudication {
            category,
            amount: line.money("amount")?,
            reason: reason_of(&reason).map_err(|fault| line.refused_at("reason", fault))?,
        });
    }
    Ok(lines)
}

pub(super) fn read_totals(object: &Object<'_>) -> Result<Vec<Total>, Refused> {
    let mut totals = Vec::new();
    for node in object.list("total", ADJUDICATIONS_MAX)? {
        let total = node.object(&["category", "amount"])?;
        let category = read_category(&total)?;
        if totals.iter().any(|before: &Total| before.category == category) {
            return Err(total.refused_at("category", Fault::Twice));
        }
        totals.push(Total {
            category,
            amount: total.required("amount")?.money()?,
        });
    }
    Ok(totals)
}

fn read_category(object: &Object<'_>) -> Result<Coding, Refused> {
    let codings = object.required("category")?.codings()?;
    // HL7's, where an insurer's own stands beside it.
    let of_hl7 = codings
        .iter()
        .find(|coding| coding.code_of(system::ADJUDICATION).is_some());
    let coding = of_hl7.or(codings.first()).cloned();
    coding.ok_or_else(|| object.refused_at("category.coding.code", Fault::Missing))
}
