//! ExplanationOfBenefit: for the patient, what was asked for, what was decided, and how it stands on chain.
use alloy_primitives::B256;
use medlock_abi::{claims::IClaims::ClaimSubmitted, terms::claim_state};

use super::{
    CLAIM_BYTES_MAX, CareTeamMember, Category, Claim, ClaimResponse, Coding, Fault, INSURANCES_MAX, ITEMS_MAX,
    Insurance, Item, Kind, Outcome, RESPONSE_BYTES_MAX, Reference, Refused, Status, Total, Use,
    claim::{KNOWN_OF_ITEM, check_sequences, read_care_team, read_kind},
    differ,
    element::{Identifier, concept},
    money::money,
    read::{self, Node, Object},
    response::{Adjudication, is_or_unknown, read_adjudication, read_totals, reason_coding, reason_of},
    system,
    write::Element,
};
use crate::{
    Amount,
    time::{DateTime, Day},
};

pub(super) const NAME: &str = "ExplanationOfBenefit";
/// The claim, the response, and how it stands on chain.
pub const EXPLANATION_BYTES_MAX: usize = CLAIM_BYTES_MAX + RESPONSE_BYTES_MAX + 16 * 1024;
/// State and reason.
const EXTENSIONS_MAX: usize = 2;
/// Of [`system::PAYMENT_TYPE`]: what is approved is paid at once, or not.
const PAID_WHOLLY: &str = "complete";

/// How a claim stands on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainState {
    pub claim: B256,
    /// See `terms::claim_state`.
    pub state: u8,
    /// Of the last decision or the reversal; 0: none.
    pub reason_code: u16,
    /// Of the event that led to this state, UNIX seconds.
    pub changed_at: u64,
    /// Of the payment, where there was one that stands.
    pub paid_at: Option<u64>,
}

/// What an ExplanationOfBenefit of Medlock's says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub claim: B256,
    /// See `terms::claim_state`.
    pub state: u8,
    /// Of the last decision or the reversal.
    pub reason: Option<u16>,
    pub status: Status,
    pub kind: Kind,
    pub purpose: Use,
    pub patient: Reference,
    /// When the claim came to stand as it does.
    pub created: DateTime,
    pub insurer: Reference,
    pub provider: Reference,
    pub outcome: Outcome,
    pub disposition: Option<String>,
    pub care_team: Vec<CareTeamMember>,
    pub insurance: Vec<Cover>,
    pub items: Vec<ExplainedItem>,
    /// Of the claim as a whole.
    pub adjudication: Vec<Adjudication>,
    /// One at least, and one of each category at most.
    pub totals: Vec<Total>,
    pub payment: Option<Payment>,
}

/// An insurance of the claim's, which has no number here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    pub focal: bool,
    pub coverage: Reference,
}

/// An item of the claim, and what was decided of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedItem {
    pub item: Item,
    pub adjudication: Vec<Adjudication>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub amount: Amount,
    pub date: Day,
}

/// R4's; those that are not written here are told from what R4 does not have.
const KNOWN: [&str; 42] = [
    "status",
    "type",
    "subType",
    "use",
    "patient",
    "billablePeriod",
    "created",
    "enterer",
    "insurer",
    "provider",
    "priority",
    "fundsReserveRequested",
    "fundsReserve",
    "related",
    "prescription",
    "originalPrescription",
    "payee",
    "referral",
    "facility",
    "claim",
    "claimResponse",
    "outcome",
    "disposition",
    "preAuthRef",
    "preAuthRefPeriod",
    "careTeam",
    "supportingInfo",
    "diagnosis",
    "procedure",
    "precedence",
    "insurance",
    "accident",
    "item",
    "addItem",
    "adjudication",
    "total",
    "payment",
    "formCode",
    "form",
    "processNote",
    "benefitPeriod",
    "benefitBalance",
];

/// An ExplanationOfBenefit of R4. `response`: of the last decision, where there is a document of one; both documents have been checked against
/// the chain ([`crate::document`]).
///
/// # Errors
/// [`Refused`], of what cannot stand in the claim or the response.
pub fn explanation(claim: &Claim, response: Option<&ClaimResponse>, chain: &ChainState) -> Result<String, Refused> {
    claim.write()?;
    response.map(ClaimResponse::write).transpose()?;
    Explanation::of(claim, response, chain).write()
}

impl Explanation {
    /// What is to be said of a claim; as [`explanation`].
    #[must_use]
    pub fn of(claim: &Claim, response: Option<&ClaimResponse>, chain: &ChainState) -> Self {
        let submitted = || Total {
            category: Category::Submitted.coding(),
            amount: claim.total,
        };
        let totals = response.map(|response| response.totals.clone()).unwrap_or_default();
        Self {
            claim: chain.claim,
            state: chain.state,
            reason: reason(chain),
            status: status(chain.state),
            kind: claim.kind,
            purpose: claim.purpose,
            patient: claim.patient.clone(),
            created: DateTime::at(chain.changed_at),
            insurer: claim.insurer.clone(),
            provider: claim.provider.clone(),
            outcome: outcome(chain.state, response.is_some()),
            disposition: response.and_then(|response| response.disposition.clone()),
            care_team: claim.care_team.clone(),
            insurance: claim.insurance.iter().map(Cover::of).collect(),
            items: claim
                .items
                .iter()
                .map(|item| ExplainedItem::of(item, response))
                .collect(),
            adjudication: response
                .map(|response| response.adjudication.clone())
                .unwrap_or_default(),
            totals: if totals.is_empty() { vec![submitted()] } else { totals },
            payment: payment(response.and_then(ClaimResponse::benefit), chain),
        }
    }

    /// Reads what is written here, and nothing else: of other elements of R4 nothing could be said.
    ///
    /// # Errors
    /// [`Refused`]: where, and why.
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let object = read::resource(bytes, EXPLANATION_BYTES_MAX, NAME, &KNOWN)?;
        let (state, reason) = read_extensions(&object)?;
        let read = Self {
            claim: read_claim(&object)?,
            state,
            reason,
            status: Status::read(&object.required("status")?)?,
            kind: read_kind(&object)?,
            purpose: Use::read(&object.required("use")?)?,
            patient: object.required("patient")?.reference()?,
            created: object.required("created")?.time()?,
            insurer: object.required("insurer")?.reference()?,
            provider: object.required("provider")?.reference()?,
            outcome: Outcome::read(&object.required("outcome")?)?,
            disposition: object.text("disposition")?,
            care_team: read_care_team(&object)?,
            insurance: read_insurance(&object)?,
            items: read_items(&object)?,
            adjudication: read_adjudication(&object)?,
            totals: read_totals(&object)?,
            payment: read_payment(&object)?,
        };
        if read.totals.is_empty() {
            return Err(object.refused_at("total", Fault::Missing));
        }
        differ::check_whole(NAME, bytes, &read.to_json())?;
        Ok(read)
    }

    /// An ExplanationOfBenefit of R4 that [`Explanation::read`] reads as this one.
    ///
    /// # Errors
    /// [`Refused`], of what cannot stand in one.
    pub fn write(&self) -> Result<String, Refused> {
        let json = self.to_json();
        Self::read(json.as_bytes())?;
        Ok(json)
    }

    fn to_json(&self) -> String {
        let kind = Coding::new(system::CLAIM_TYPE, self.kind.code());
        Element::resource(NAME)
            .with("extension", self.extensions())
            .with("identifier", [Identifier::claim(self.claim).element()])
            .with("status", self.status.code())
            .with("type", concept([&kind]))
            .with("use", self.purpose.code())
            .with("patient", self.patient.element())
            .with("created", self.created.as_str())
            .with("insurer", self.insurer.element())
            .with("provider", self.provider.element())
            .with("claim", Reference::claim(self.claim).element())
            .with("outcome", self.outcome.code())
            .with_some("disposition", self.disposition.as_ref())
            .with_all("careTeam", self.care_team.iter().map(CareTeamMember::element))
            .with_all("insurance", self.insurance.iter().map(Cover::element))
            .with_all("item", self.items.iter().map(ExplainedItem::element))
            .with_all("adjudication", self.adjudication.iter().map(Adjudication::element))
            .with_all("total", self.totals.iter().map(Total::element))
            .with_some("payment", self.payment.as_ref().map(Payment::element))
            .to_json()
    }

    fn extensions(&self) -> Vec<Element> {
        let state = Element::new()
            .with("url", system::EXTENSION_CLAIM_STATE)
            .with("valueCode", claim_state::text(self.state));
        let reason = self.reason.and_then(reason_coding).map(|coding| {
            Element::new()
                .with("url", system::EXTENSION_CLAIM_REASON)
                .with("valueCoding", coding.element())
        });
        [state].into_iter().chain(reason).collect()
    }

    /// FHIRPath of each element that is otherwise in `other`.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<String> {
        differ::differing(NAME, &self.to_json(), &other.to_json())
    }

    /// FHIRPath of each element that is otherwise by the claim's event and how it stands: all that can be said without its documents.
    /// `has_response`: the last decision has a document.
    #[must_use]
    pub fn differing_from_chain(
        &self,
        submitted: &ClaimSubmitted,
        chain: &ChainState,
        has_response: bool,
    ) -> Vec<String> {
        let paid_on = self.payment.as_ref().map(|payment| payment.date.clone());
        let expected = paid_at(chain).filter(|_| has_response);
        differ::failing(
            NAME,
            &[
                (
                    "extension",
                    (self.claim, self.state, self.reason) == (chain.claim, chain.state, reason(chain)),
                ),
                ("status", self.status == status(chain.state)),
                ("patient", is_or_unknown(self.patient.chart_of(), Some(submitted.chart))),
                ("created", self.created == DateTime::at(chain.changed_at)),
                (
                    "insurer",
                    is_or_unknown(self.insurer.account_of(), Some(submitted.insurer)),
                ),
                (
                    "provider",
                    is_or_unknown(self.provider.account_of(), Some(submitted.provider)),
                ),
                ("outcome", self.outcome == outcome(chain.state, has_response)),
                ("payment", paid_on == expected),
            ],
        )
    }
}

impl Cover {
    fn of(insurance: &Insurance) -> Self {
        Self {
            focal: insurance.focal,
            coverage: insurance.coverage.clone(),
        }
    }

    fn element(&self) -> Element {
        Element::new()
            .with("focal", self.focal)
            .with("coverage", self.coverage.element())
    }
}

impl ExplainedItem {
    fn of(item: &Item, response: Option<&ClaimResponse>) -> Self {
        let answers = response.map_or(&[][..], |response| &response.items);
        let answer = answers.iter().find(|answer| answer.sequence == item.sequence);
        Self {
            item: item.clone(),
            adjudication: answer.map(|answer| answer.adjudication.clone()).unwrap_or_default(),
        }
    }

    fn element(&self) -> Element {
        self.item
            .element()
            .with_all("adjudication", self.adjudication.iter().map(Adjudication::element))
    }
}

impl Payment {
    fn element(&self) -> Element {
        Element::new()
            .with("type", concept([&Coding::new(system::PAYMENT_TYPE, PAID_WHOLLY)]))
            .with("amount", money(self.amount))
            .with("date", self.date.as_str())
    }
}

/// One that the ledger has.
fn reason(chain: &ChainState) -> Option<u16> {
    Some(chain.reason_code).filter(|code| reason_coding(*code).is_some())
}

fn status(state: u8) -> Status {
    match state {
        claim_state::REVERSED | claim_state::WITHDRAWN => Status::Cancelled,
        _ => Status::Active,
    }
}

/// An appeal leaves what was decided before it, and more is to come.
fn outcome(state: u8, has_response: bool) -> Outcome {
    match state {
        claim_state::APPROVED
        | claim_state::PARTLY_APPROVED
        | claim_state::DENIED
        | claim_state::PAID
        | claim_state::REVERSED => Outcome::Complete,
        claim_state::WITHDRAWN if has_response => Outcome::Complete,
        _ if has_response => Outcome::Partial,
        _ => Outcome::Queued,
    }
}

fn payment(benefit: Option<Amount>, chain: &ChainState) -> Option<Payment> {
    Some(Payment {
        amount: benefit?,
        date: paid_at(chain)?,
    })
}

fn paid_at(chain: &ChainState) -> Option<Day> {
    let paid_at = chain.paid_at.filter(|_| chain.state == claim_state::PAID)?;
    DateTime::at(paid_at).day()
}

fn read_extensions(object: &Object<'_>) -> Result<(u8, Option<u16>), Refused> {
    let mut nodes = object.list("extension", EXTENSIONS_MAX)?.into_iter();
    let state = nodes
        .next()
        .ok_or_else(|| object.refused_at("extension", Fault::Missing))?;
    let state = read_extension(state, system::EXTENSION_CLAIM_STATE, "valueCode")?;
    let name = state.text()?;
    let mut known = claim_state::RECEIVED..=claim_state::WITHDRAWN;
    let number = known.find(|number| claim_state::text(*number) == name);
    let number = number.ok_or_else(|| state.refused(Fault::State))?;
    let Some(node) = nodes.next() else {
        return Ok((number, None));
    };
    let reason = read_extension(node, system::EXTENSION_CLAIM_REASON, "valueCoding")?;
    let refused = reason.refused(Fault::Reason);
    let codings: Vec<_> = reason.coding()?.into_iter().collect();
    match reason_of(&codings) {
        Ok(Some(reason)) => Ok((number, Some(reason))),
        Ok(None) | Err(_) => Err(refused),
    }
}

/// The value of an extension, which has to be of this URL and type.
fn read_extension<'a>(node: Node<'a>, url: &str, value: &str) -> Result<Node<'a>, Refused> {
    let extension = node.object(&["url", value])?;
    let own = extension.required("url")?;
    if own.text()? != url {
        return Err(own.refused(Fault::Unread));
    }
    extension.required(value)
}

fn read_claim(object: &Object<'_>) -> Result<B256, Refused> {
    let mut identifiers = object.list("identifier", 1)?.into_iter();
    let identifier = identifiers
        .next()
        .ok_or_else(|| object.refused_at("identifier", Fault::Missing))?
        .identifier()?;
    let claim = identifier.as_ref().and_then(Identifier::claim_of);
    let claim = claim.ok_or_else(|| object.refused_at("identifier", Fault::NoClaim))?;
    if object.required("claim")?.reference()? != Reference::claim(claim) {
        return Err(object.refused_at("claim", Fault::OtherClaim));
    }
    Ok(claim)
}

fn read_insurance(object: &Object<'_>) -> Result<Vec<Cover>, Refused> {
    let mut all = Vec::new();
    for node in object.list("insurance", INSURANCES_MAX)? {
        let insurance = node.object(&["focal", "coverage", "preAuthRef"])?;
        all.push(Cover {
            focal: insurance.required("focal")?.boolean()?,
            coverage: insurance.required("coverage")?.reference()?,
        });
    }
    if all.is_empty() {
        return Err(object.refused_at("insurance", Fault::Missing));
    }
    Ok(all)
}

fn read_items(object: &Object<'_>) -> Result<Vec<ExplainedItem>, Refused> {
    let known = [&KNOWN_OF_ITEM[..], &["noteNumber", "adjudication"]].concat();
    let mut items = Vec::new();
    for node in object.list("item", ITEMS_MAX)? {
        let item = node.object(&known)?;
        items.push(ExplainedItem {
            item: Item::of(&item)?,
            adjudication: read_adjudication(&item)?,
        });
    }
    if items.is_empty() {
        return Err(object.refused_at("item", Fault::NoItem));
    }
    check_sequences(object, "item", items.iter().map(|explained| explained.item.sequence))?;
    Ok(items)
}

fn read_payment(object: &Object<'_>) -> Result<Option<Payment>, Refused> {
    let Some(node) = object.optional("payment") else {
        return Ok(None);
    };
    let known = ["type", "adjustment", "adjustmentReason", "date", "amount", "identifier"];
    let payment = node.object(&known)?;
    let codings = payment.required("type")?.codings()?;
    let is_whole = |coding: &Coding| coding.code_of(system::PAYMENT_TYPE) == Some(PAID_WHOLLY);
    if !codings.iter().any(is_whole) {
        let allowed = &[PAID_WHOLLY];
        return Err(payment.refused_at("type", Fault::Code { allowed }));
    }
    let date = payment.required("date")?;
    Ok(Some(Payment {
        amount: payment.required("amount")?.money()?,
        date: Day::parse(&date.text()?).ok_or_else(|| date.refused(Fault::Time))?,
    }))
}
