//! What somebody shows about a claim, beside what the chain has of it, and its documents where they are open to us.

use alloy::primitives::B256;
use medlock_api::claims::{ClaimHistory, ClaimState};
use medlock_billing::fhir::{ChainState, ClaimResponse, Explanation, Outcome, Resource};

use super::{OpenClaim, adjudicated, last_decision, reason_code, submitted};
use crate::{
    Client,
    error::{Error, Result},
};

/// What [`Client::compare_claim_resource`] has found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ComparedClaim {
    pub claim: B256,
    /// FHIRPath of each element that is otherwise on chain or in the claim's documents.
    pub differs: Vec<String>,
    /// Whether its documents were open to us, as a party: amounts, items and all else that they alone tell were compared too.
    pub opened: bool,
}

impl Client {
    /// Compares a FHIR R4 ExplanationOfBenefit or ClaimResponse of whatever origin, of the form that we write, with the claim as it stands today: with
    /// the chain and, for its parties, with its documents, which are compared with the chain first.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where it is neither, or has more in it than can be compared; as [`Client::open_claim`].
    pub async fn compare_claim_resource(&self, bytes: &[u8]) -> Result<ComparedClaim> {
        let resource = Resource::read(bytes).map_err(Error::unsuitable)?;
        let claim = resource.claim().map_err(Error::unsuitable)?;
        let history = self.claim(claim).await?;
        let is_party = [history.claim.provider, history.claim.insurer].contains(&self.grantee());
        let open = match is_party {
            true => Some(self.open_history(history.clone(), None).await?),
            false => None,
        };
        let differs = match (resource, &open) {
            (Resource::Explanation(told), Some(open)) => told.differing(&open.told()),
            (Resource::Explanation(told), None) => {
                let has_response = last_decision(&history).is_some_and(|step| step.document.is_some());
                told.differing_from_chain(&submitted(&history), &chain_state(&history), has_response)
            }
            (Resource::Response(told), Some(open)) => compare_response(&told, bytes, open)?,
            (Resource::Response(told), None) => {
                told.check_whole(bytes).map_err(Error::unsuitable)?;
                match last_decision(&history).filter(|step| step.document.is_some()) {
                    Some(step) => told.differing_from_chain(&submitted(&history), &adjudicated(claim, step)),
                    None => undecided(&told),
                }
            }
        };
        Ok(ComparedClaim {
            claim,
            differs,
            opened: open.is_some(),
        })
    }
}

impl OpenClaim {
    /// What there is to be said of it today.
    fn told(&self) -> Explanation {
        let response = self.decision.as_ref().map(|(_, response)| response);
        Explanation::of(&self.claim, response, &chain_state(&self.history))
    }
}

/// How a claim stands. Its times are the gateway's word.
pub(super) fn chain_state(history: &ClaimHistory) -> ChainState {
    let claim = &history.claim;
    let paid = history.steps.iter().rfind(|step| step.state == ClaimState::Paid);
    ChainState {
        claim: claim.claim,
        state: claim.state.number(),
        reason_code: reason_code(claim.reason.as_deref()),
        changed_at: claim.stepped_at,
        paid_at: paid.filter(|_| claim.state == ClaimState::Paid).map(|step| step.at),
    }
}

/// An insurer's own response may have more in it than is read: then it is the decision's, byte for byte, or cannot be compared.
fn compare_response(told: &ClaimResponse, bytes: &[u8], open: &OpenClaim) -> Result<Vec<String>> {
    let Some((decision, response)) = &open.decision else {
        told.check_whole(bytes).map_err(Error::unsuitable)?;
        return Ok(undecided(told));
    };
    if decision.response == bytes {
        return Ok(Vec::new());
    }
    told.check_whole(bytes).map_err(Error::unsuitable)?;
    Ok(told.differing(response))
}

/// Beside a claim without a decision that has a response.
fn undecided(told: &ClaimResponse) -> Vec<String> {
    match told.outcome {
        Outcome::Queued => Vec::new(),
        _ => vec!["ClaimResponse.outcome".to_owned()],
    }
}
