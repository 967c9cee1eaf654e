//! ExplanationOfBenefit: for the patient, what was asked for, what was decided, and how it stands on chain.
use alloy_primitives::B256;
use medlock_abi::terms::claim_state;

use super::{
    Category, Claim, ClaimResponse, Coding, Insurance, Item, Outcome, Reference, Refused, Status, Total,
    element::{Identifier, concept},
    money::money,
    response::{Adjudication, reason_coding},
    system,
    write::Element,
};
use crate::time::DateTime;

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

/// An ExplanationOfBenefit of R4. `response`: of the last decision, where there is a document of one; both documents have been checked against
/// the chain ([`crate::document`]).
///
/// # Errors
/// [`Refused`], of what cannot stand in the claim or the response.
pub fn explanation(claim: &Claim, response: Option<&ClaimResponse>, chain: &ChainState) -> Result<String, Refused> {
    claim.write()?;
    response.map(ClaimResponse::write).transpose()?;
    let is_over = matches!(chain.state, claim_state::REVERSED | claim_state::WITHDRAWN);
    let status = if is_over { Status::Cancelled } else { Status::Active };
    let submitted = Total {
        category: Category::Submitted.coding(),
        amount: claim.total,
    };
    let totals = response.map_or(&[][..], |response| &response.totals);
    let totals = if totals.is_empty() {
        std::slice::from_ref(&submitted)
    } else {
        totals
    };
    let whole = response.map_or(&[][..], |response| &response.adjudication);
    let kind = Coding::new(system::CLAIM_TYPE, claim.kind.code());
    Ok(Element::resource("ExplanationOfBenefit")
        .with("extension", extensions(chain))
        .with("identifier", [Identifier::claim(chain.claim).element()])
        .with("status", status.code())
        .with("type", concept([&kind]))
        .with("use", claim.purpose.code())
        .with("patient", claim.patient.element())
        .with("created", DateTime::at(chain.changed_at).as_str())
        .with("insurer", claim.insurer.element())
        .with("provider", claim.provider.element())
        .with("claim", Reference::claim(chain.claim).element())
        .with("outcome", outcome(chain.state, response).code())
        .with_some(
            "disposition",
            response.and_then(|response| response.disposition.as_ref()),
        )
        .with_all("insurance", claim.insurance.iter().map(Insurance::element_of_benefit))
        .with_all("item", claim.items.iter().map(|own| item(own, response)))
        .with_all("adjudication", whole.iter().map(Adjudication::element))
        .with_all("total", totals.iter().map(Total::element))
        .with_some("payment", payment(response, chain))
        .to_json())
}

fn extensions(chain: &ChainState) -> Vec<Element> {
    let state = Element::new()
        .with("url", system::EXTENSION_CLAIM_STATE)
        .with("valueCode", claim_state::text(chain.state));
    let reason = reason_coding(chain.reason_code).map(|coding| {
        Element::new()
            .with("url", system::EXTENSION_CLAIM_REASON)
            .with("valueCoding", coding.element())
    });
    [state].into_iter().chain(reason).collect()
}

/// An appeal leaves what was decided before it, and more is to come.
fn outcome(state: u8, response: Option<&ClaimResponse>) -> Outcome {
    match state {
        claim_state::APPROVED
        | claim_state::PARTLY_APPROVED
        | claim_state::DENIED
        | claim_state::PAID
        | claim_state::REVERSED => Outcome::Complete,
        claim_state::WITHDRAWN if response.is_some() => Outcome::Complete,
        _ if response.is_some() => Outcome::Partial,
        _ => Outcome::Queued,
    }
}

fn item(item: &Item, response: Option<&ClaimResponse>) -> Element {
    let answers = response.map_or(&[][..], |response| &response.items);
    let answer = answers.iter().find(|answer| answer.sequence == item.sequence);
    let lines = answer.map_or(&[][..], |answer| &answer.adjudication);
    item.element()
        .with_all("adjudication", lines.iter().map(Adjudication::element))
}

fn payment(response: Option<&ClaimResponse>, chain: &ChainState) -> Option<Element> {
    let (amount, paid_at) = (response?.benefit()?, chain.paid_at?);
    if chain.state != claim_state::PAID {
        return None;
    }
    let date = DateTime::at(paid_at).day();
    Some(
        Element::new()
            .with("type", concept([&Coding::new(system::PAYMENT_TYPE, "complete")]))
            .with("amount", money(amount))
            .with_some("date", date.as_ref().map(crate::time::Day::as_str)),
    )
}
