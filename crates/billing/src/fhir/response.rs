//! ClaimResponse: what an insurer decides.
use medlock_abi::terms::claim_reason;

use super::{
    Claim, Coding, Fault, Kind, Reference, Refused, Status, Use,
    claim::{check_sequences, read_kind},
    element::{codes, concept},
    money::{money, sum},
    read::{self, Node, Object},
    system,
    write::Element,
};
use crate::{Amount, document::Verdict, time::DateTime};

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
        let object = read::resource(bytes, RESPONSE_BYTES_MAX, "ClaimResponse", &KNOWN)?;
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
            return Err(read::refused("ClaimResponse.adjudication.reason", Fault::Reason));
        }
        let kind = Coding::new(system::CLAIM_TYPE, self.kind.code());
        let items = self.items.iter().map(|item| {
            Element::new()
                .with("itemSequence", item.sequence)
                .with_all("adjudication", item.adjudication.iter().map(Adjudication::element))
        });
        let json = Element::resource("ClaimResponse")
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
            .to_json();
        Self::read(json.as_bytes())?;
        Ok(json)
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

fn read_adjudication(object: &Object<'_>) -> Result<Vec<Adjudication>, Refused> {
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
        let mut names = reason.iter().filter_map(|coding| coding.code_of(system::CLAIM_REASON));
        let reason = names.next().map(|name| {
            let mut known = claim_reason::ALL.iter();
            let known = known.find(|(known, _)| *known == name);
            known
                .map(|(_, number)| *number)
                .ok_or_else(|| line.refused_at("reason", Fault::Reason))
        });
        lines.push(Adjudication {
            category,
            amount: line.money("amount")?,
            reason: reason.transpose()?,
        });
    }
    Ok(lines)
}

fn read_totals(object: &Object<'_>) -> Result<Vec<Total>, Refused> {
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
