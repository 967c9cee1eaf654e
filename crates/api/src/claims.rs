//! Bodies of the claims ledger's routes.
use alloy_primitives::{Address, B256};
use medlock_abi::terms::{claim_reason, claim_state};
use serde::{Deserialize, Serialize};

/// Where a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ClaimState {
    Received,
    InReview,
    InformationRequested,
    Approved,
    PartlyApproved,
    Denied,
    Appealed,
    Paid,
    /// The approval or the payment was taken back, for good.
    Reversed,
    /// By the provider, for good.
    Withdrawn,
}

impl ClaimState {
    pub const ALL: [Self; 10] = [
        Self::Received,
        Self::InReview,
        Self::InformationRequested,
        Self::Approved,
        Self::PartlyApproved,
        Self::Denied,
        Self::Appealed,
        Self::Paid,
        Self::Reversed,
        Self::Withdrawn,
    ];

    /// Of `terms::claim_state`.
    #[must_use]
    pub fn from_number(state: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.number() == state)
    }

    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Received => claim_state::RECEIVED,
            Self::InReview => claim_state::IN_REVIEW,
            Self::InformationRequested => claim_state::INFORMATION_REQUESTED,
            Self::Approved => claim_state::APPROVED,
            Self::PartlyApproved => claim_state::PARTLY_APPROVED,
            Self::Denied => claim_state::DENIED,
            Self::Appealed => claim_state::APPEALED,
            Self::Paid => claim_state::PAID,
            Self::Reversed => claim_state::REVERSED,
            Self::Withdrawn => claim_state::WITHDRAWN,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        claim_state::text(self.number())
    }
}

/// The name of a reason of `terms::claim_reason`. `None`: 0, which is none; a number that this version does not know is written out.
#[must_use]
pub fn claim_reason_name(code: u16) -> Option<String> {
    let known = claim_reason::ALL.iter().find(|(_, number)| *number == code);
    match (known, code) {
        (_, 0) => None,
        (Some((name, _)), _) => Some((*name).to_owned()),
        (None, code) => Some(format!("unknown-{code}")),
    }
}

/// The number of a reason by its name.
#[must_use]
pub fn claim_reason_code(name: &str) -> Option<u16> {
    let known = claim_reason::ALL.iter().find(|(known, _)| *known == name);
    known.map(|(_, code)| *code)
}

body! {
    /// A claim as it stands. What was billed and approved is on chain as commitments alone: its documents tell the parties.
    pub struct Claim {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub claim: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub provider: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub insurer: Address,
        /// The provider, or its member.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub submitted_by: Address,
        /// UNIX seconds.
        pub submitted_at: u64,
        /// sha2-256 digest of the sealed document's CID (dag-cbor).
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub document: B256,
        /// The same for the same service of the chart by the same provider.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub fingerprint: B256,
        /// ISO 4217 numeric.
        pub currency: u16,
        /// keccak256(document, amount, salt).
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub billed: B256,
        /// Of the insurer's setting of the currency.
        pub currency_version: u32,
        /// The service is held in the registry that insurers share, and otherwise in the insurer's own.
        pub shared: bool,
        /// The claim that held the service before, and does not any more.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub previous: Option<B256>,
        pub state: ClaimState,
        /// Counts the claim's steps; the next step names it.
        pub serial: u8,
        /// UNIX seconds of the last step.
        pub stepped_at: u64,
        /// UNIX seconds of what is due next; absent: nothing is.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub deadline: Option<u64>,
        /// How often information was requested.
        pub rounds: u8,
        pub appeals: u8,
        /// keccak256(claim, amount, salt) of what the last decision has approved.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub approved: Option<B256>,
        /// Of the last decision, or of the reversal, by name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub reason: Option<String>,
        /// In which it was submitted.
        pub block: u64,
    }

    /// A step of a claim.
    pub struct ClaimStep {
        /// The claim's from here on; 1: it was submitted.
        pub serial: u8,
        /// The event's name in the ABI.
        pub event: String,
        pub state: ClaimState,
        /// A party, or its member.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub by: Address,
        /// UNIX seconds.
        pub at: u64,
        /// Of a sealed document, as in [`Claim::document`].
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub document: Option<B256>,
        /// Salted digest of the reference under which the insurer has paid.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub remittance: Option<B256>,
        /// As [`Claim::approved`].
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub amount: Option<B256>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub reason: Option<String>,
        /// UNIX seconds.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub deadline: Option<u64>,
        /// Of a payment through the contract.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub payment: Option<TokenPayment>,
        pub block: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub tx: B256,
    }

    pub struct TokenPayment {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub token: Address,
        /// In the token's own units, decimal.
        pub value: String,
    }

    /// A record that a claim rests on.
    pub struct ClaimLink {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub record_id: B256,
        /// Of the version that is meant.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub pointer: B256,
        /// UNIX seconds: when the chain was first told of that version; absent: it was not, before the claim.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub written_at: Option<u64>,
        /// UNIX seconds: the same of the record's first version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub created_at: Option<u64>,
    }

    /// `GET /v1/claims`, in the order in which they were submitted.
    pub struct Claims {
        pub claims: Vec<Claim>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// `GET /v1/claims/facts`: what there is to look for signs of fraud in, without opening a document.
    pub struct ClaimsFacts {
        pub facts: Vec<ClaimFacts>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// A claim, and the records that it rests on.
    pub struct ClaimFacts {
        pub claim: Claim,
        pub links: Vec<ClaimLink>,
    }

    /// `GET /v1/claims/{claim}`.
    pub struct ClaimHistory {
        pub claim: Claim,
        /// From its submission on.
        pub steps: Vec<ClaimStep>,
        pub links: Vec<ClaimLink>,
    }

    /// `GET /v1/insurers/{account}`: what a provider has to know before it submits a claim.
    pub struct Insurer {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub insurer: Address,
        /// Of its setting; 0: it has never set any.
        pub serial: u32,
        /// Its claims are held in the registry that insurers share.
        pub shared: bool,
        pub currencies: Vec<AcceptedCurrency>,
    }

    /// The latest setting of a currency.
    pub struct AcceptedCurrency {
        /// ISO 4217 numeric.
        pub currency: u16,
        pub version: u32,
        pub accepted: bool,
        /// Absent: it is paid outside of the chain.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex20>))]
        pub token: Option<Address>,
        /// One minor unit is 10^`scale` units of the token.
        pub scale: u8,
    }
}

#[cfg(test)]
mod tests {
    use super::{ClaimState, claim_reason_code, claim_reason_name};
    use medlock_abi::terms::claim_reason;

    #[test]
    fn every_state_is_written_as_the_terms_write_it() {
        for state in ClaimState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.text());
            assert_eq!(ClaimState::from_number(state.number()), Some(state));
        }
        for none in [0, 11, u8::MAX] {
            assert_eq!(ClaimState::from_number(none), None);
        }
    }

    #[test]
    fn every_reason_has_a_name_and_back() {
        for (name, code) in claim_reason::ALL {
            assert_eq!(claim_reason_name(code).as_deref(), Some(name));
            assert_eq!(claim_reason_code(name), Some(code));
        }
        assert_eq!(claim_reason_name(0), None);
        assert_eq!(claim_reason_name(99).as_deref(), Some("unknown-99"));
        assert_eq!(claim_reason_code("unknown-99"), None);
    }
}
