//! What is sealed to the parties of a claim, and whether it opens what stands on chain.
//!
//! Both documents are canonical dag-cbor, with one encoding for each: maps of
//!
//! | claim document | | decision | |
//! |---|---|---|---|
//! | `v` | 1 | `v` | 1 |
//! | `claim` | bytes: the FHIR Claim, as the provider wrote it | `claim` | 32 bytes: the claim's id |
//! | `links` | list of (record, pointer), 32 bytes each | `state` | approved, partly approved or denied (`terms::claim_state`) |
//! | `salt` | 32 bytes, of `billed` | `amount` | (ISO 4217 number, minor units, salt of 32 bytes), or null |
//! | `service` | (encounter, system, code, day, provider of 20 bytes) | `reason` | number of `terms::claim_reason`, or null |
//! | | | `response` | bytes: the FHIR ClaimResponse |
//!
//! Another version, another encoding and what is cut short are refused. All that stands beside the resource is compared by
//! `check`, with the event and with the resource; so are the resource's amounts, service and records, and its parties where they are named by
//! account or chart.
use std::fmt;

use alloy_primitives::{Address, B256};
use medlock_abi::{
    claims::IClaims::{Adjudicated, ClaimSubmitted, Link, NewClaim},
    terms::{claim::LINKS_MOST, claim_reason, claim_state},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::{ByteArray, ByteBuf};
use zeroize::Zeroizing;

use crate::{
    Amount, Currency, FingerprintKey, Salt, Service,
    chain::{claim_id, commit_approved, commit_billed, new_claim},
    fhir::{CLAIM_BYTES_MAX, Claim, ClaimResponse, Outcome, Reference, Refused, Status, Use},
    fingerprint::{ServiceError, fingerprint},
};

/// The resource, and what stands beside it.
pub const DOCUMENT_BYTES_MAX: usize = CLAIM_BYTES_MAX + 16 * 1024;
const FORMAT_VERSION: u64 = 1;

/// Why bytes are no document, or a claim can be made none. None repeats what they hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("the document has {given} bytes, more than {DOCUMENT_BYTES_MAX}")]
    TooLarge { given: usize },
    #[error("the document is of format {version}, and this program knows {FORMAT_VERSION}: update it")]
    UnknownVersion { version: u64 },
    #[error("the bytes are no such document, or not all of it")]
    Malformed,
    #[error("the document is not encoded in the one way that it has")]
    NotCanonical,
    #[error("a claim rests on 1 to {LINKS_MOST} records; the document names {given}")]
    LinkCount { given: usize },
    #[error("the decision's state, amount and reason do not go together")]
    Verdict,
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Claim(#[from] Refused),
}

/// What does not match. None repeats what the document holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("what was submitted has another id")]
    ClaimId,
    #[error("the service, or the provider that the claim names, is another's than the claim on chain")]
    Provider,
    #[error("the claim names another insurer")]
    Insurer,
    #[error("the claim names another chart's patient")]
    Chart,
    #[error("the fingerprint is not that of the service")]
    Fingerprint,
    #[error("the records or their versions are others than those on chain")]
    Links,
    #[error("the claim cannot be read: {0}")]
    Claim(Refused),
    #[error("the claim's status is not active")]
    Status,
    #[error("the claim is an enquiry: its use is not claim")]
    Use,
    #[error("the claim's first item is another service")]
    Service,
    #[error("the claim names a record that is not linked, or of another chart")]
    Record,
    #[error("the currency is another")]
    Currency,
    #[error("total and salt do not open what is billed")]
    Billed,
    #[error("the decision is about another claim")]
    OtherClaim,
    #[error("the decision's state is another")]
    State,
    #[error("amount and salt do not open what is approved")]
    Approved,
    #[error("the reason is another")]
    Reason,
    #[error("more is approved than billed")]
    AboveBilled,
    #[error("all is said to be approved, and the amount is less than what is billed")]
    NotTheWhole,
    #[error("a part is said to be approved, and the amount is all or nothing")]
    NotAPart,
    #[error("the response cannot be read: {0}")]
    Response(Refused),
    #[error("the response is not active and complete")]
    Outcome,
    #[error("the response's total benefit is not what is approved")]
    Benefit,
    #[error("the response's reason is another")]
    ResponseReason,
}

/// All that does not match; one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatches(pub Vec<Mismatch>);

impl fmt::Display for Mismatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the document does not open what stands on chain")?;
        for (index, mismatch) in self.0.iter().enumerate() {
            write!(f, "{} {mismatch}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Mismatches {}

/// What stands behind `NewClaim.document`.
#[derive(Clone)]
pub struct ClaimDocument {
    /// The FHIR Claim.
    pub claim: Vec<u8>,
    pub service: Service,
    pub links: Vec<Link>,
    /// Of the billed amount, which is the claim's total.
    pub salt: Salt,
}

#[derive(Serialize, Deserialize)]
struct ClaimWire {
    claim: ByteBuf,
    links: Vec<(ByteArray<32>, ByteArray<32>)>,
    salt: ByteArray<32>,
    service: (String, String, String, String, ByteArray<20>),
    v: u64,
}

impl ClaimDocument {
    /// Of a FHIR Claim that `provider` submits for the service that its first item is.
    ///
    /// # Errors
    /// [`DocumentError::Claim`], [`DocumentError::Service`], [`DocumentError::LinkCount`].
    pub fn new(claim: Vec<u8>, provider: Address, links: Vec<Link>, salt: Salt) -> Result<Self, DocumentError> {
        check_links(&links)?;
        let service = Claim::read(&claim)?.service(provider)?;
        Ok(Self {
            claim,
            service,
            links,
            salt,
        })
    }

    /// What is to be submitted, once the document is sealed; `document`: the digest of its envelope's CID.
    ///
    /// # Errors
    /// [`DocumentError::Claim`].
    pub fn submission(
        &self,
        chart: B256,
        insurer: Address,
        document: B256,
        key: &FingerprintKey,
    ) -> Result<NewClaim, DocumentError> {
        let total = Claim::read(&self.claim)?.total;
        Ok(NewClaim {
            chart,
            insurer,
            document,
            fingerprint: fingerprint(key, &self.service),
            currency: total.currency.numeric(),
            billed: commit_billed(document, total, &self.salt),
            links: self.links.clone(),
        })
    }

    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let service = &self.service;
        let links = self.links.iter();
        encode(&ClaimWire {
            claim: ByteBuf::from(self.claim.clone()),
            links: links.map(|link| (bytes(link.recordId), bytes(link.pointer))).collect(),
            salt: ByteArray::new(*self.salt.expose()),
            service: (
                service.encounter().to_owned(),
                service.system().to_owned(),
                service.code().to_owned(),
                service.day().as_str().to_owned(),
                ByteArray::new(service.provider().into_array()),
            ),
            v: FORMAT_VERSION,
        })
    }

    /// # Errors
    /// [`DocumentError::TooLarge`], [`DocumentError::UnknownVersion`], [`DocumentError::Malformed`], [`DocumentError::NotCanonical`],
    /// [`DocumentError::LinkCount`], [`DocumentError::Service`]. The FHIR Claim is read by [`Self::check`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let wire: ClaimWire = decode(bytes)?;
        let (encounter, system, code, day, provider) = &wire.service;
        let service = Service::new(encounter, system, code, day, Address::new(**provider))?;
        let links = wire.links.iter().map(|(record_id, pointer)| Link {
            recordId: B256::new(**record_id),
            pointer: B256::new(**pointer),
        });
        let links: Vec<_> = links.collect();
        check_links(&links)?;
        Ok(Self {
            claim: wire.claim.into_vec(),
            service,
            links,
            salt: Salt::from_bytes(wire.salt.into_array()),
        })
    }

    /// The claim, where this document is what stands behind `submitted`, an event of the `claims` contract; without the chart's `key`
    /// the fingerprint is not looked at.
    ///
    /// # Errors
    /// [`Mismatches`]: each of [`Mismatch::ClaimId`] to [`Mismatch::Billed`] that there is.
    pub fn check(&self, submitted: &ClaimSubmitted, key: Option<&FingerprintKey>) -> Result<Claim, Mismatches> {
        let mut found = Found::default();
        let is_id = claim_id(submitted.provider, &new_claim(submitted)) == submitted.claim;
        found.unless(is_id, Mismatch::ClaimId);
        let is_fingerprint = key.is_none_or(|key| fingerprint(key, &self.service) == submitted.fingerprint);
        found.unless(is_fingerprint, Mismatch::Fingerprint);
        found.unless(self.links == submitted.links, Mismatch::Links);
        let is_provider = self.service.provider() == submitted.provider;
        let claim = match Claim::read(&self.claim) {
            Ok(claim) => claim,
            Err(refused) => {
                found.unless(is_provider, Mismatch::Provider);
                return found.and(Mismatch::Claim(refused));
            }
        };
        // Who is named otherwise than by account or chart is known to the parties alone.
        let is_or_unknown = |party: &Reference, account| party.account_of().is_none_or(|named| named == account);
        let names_provider = is_or_unknown(&claim.provider, submitted.provider);
        found.unless(is_provider && names_provider, Mismatch::Provider);
        found.unless(is_or_unknown(&claim.insurer, submitted.insurer), Mismatch::Insurer);
        let is_chart = claim.patient.chart_of().is_none_or(|chart| chart == submitted.chart);
        found.unless(is_chart, Mismatch::Chart);
        found.unless(claim.status == Status::Active, Mismatch::Status);
        found.unless(claim.purpose == Use::Claim, Mismatch::Use);
        let service = claim.service(self.service.provider());
        found.unless(service.as_ref() == Ok(&self.service), Mismatch::Service);
        let is_linked = |record_id| submitted.links.iter().any(|link| link.recordId == record_id);
        let mut records = claim.records.iter();
        let are_linked = records.all(|record| record.chart == submitted.chart && is_linked(record.record_id));
        found.unless(are_linked, Mismatch::Record);
        found.unless(claim.total.currency.numeric() == submitted.currency, Mismatch::Currency);
        let billed = commit_billed(submitted.document, claim.total, &self.salt);
        found.unless(billed == submitted.billed, Mismatch::Billed);
        found.none(claim)
    }
}

/// What an insurer decides: its amounts are above nothing, and its reasons those that an insurer may state.
#[derive(Clone)]
pub enum Verdict {
    /// All that is billed.
    Approved {
        amount: Amount,
        salt: Salt,
    },
    PartlyApproved {
        amount: Amount,
        salt: Salt,
        reason: u16,
    },
    Denied {
        reason: u16,
    },
}

impl Verdict {
    /// See `terms::claim_state`.
    #[must_use]
    pub fn state(&self) -> u8 {
        match self {
            Self::Approved { .. } => claim_state::APPROVED,
            Self::PartlyApproved { .. } => claim_state::PARTLY_APPROVED,
            Self::Denied { .. } => claim_state::DENIED,
        }
    }

    #[must_use]
    pub fn amount(&self) -> Option<Amount> {
        self.opening().map(|(amount, _)| amount)
    }

    /// See `terms::claim_reason`.
    #[must_use]
    pub fn reason(&self) -> Option<u16> {
        match self {
            Self::Approved { .. } => None,
            Self::PartlyApproved { reason, .. } | Self::Denied { reason } => Some(*reason),
        }
    }

    /// What opens the commitment.
    #[must_use]
    pub fn opening(&self) -> Option<(Amount, &Salt)> {
        match self {
            Self::Approved { amount, salt } | Self::PartlyApproved { amount, salt, .. } => Some((*amount, salt)),
            Self::Denied { .. } => None,
        }
    }

    /// `adjudicate`'s `amount`; zero: nothing is approved.
    #[must_use]
    pub fn commitment(&self, claim: B256) -> B256 {
        self.opening()
            .map_or(B256::ZERO, |(amount, salt)| commit_approved(claim, amount, salt))
    }
}

/// What stands behind `Adjudicated.document`.
#[derive(Clone)]
pub struct Decision {
    /// The claim's id.
    pub claim: B256,
    pub verdict: Verdict,
    /// The FHIR ClaimResponse.
    pub response: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct DecisionWire {
    amount: Option<(u16, u64, ByteArray<32>)>,
    claim: ByteArray<32>,
    reason: Option<u16>,
    response: ByteBuf,
    state: u8,
    v: u64,
}

impl Decision {
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let opening = self.verdict.opening();
        encode(&DecisionWire {
            amount: opening.map(|(amount, salt)| {
                let salt = ByteArray::new(*salt.expose());
                (amount.currency.numeric(), amount.minor, salt)
            }),
            claim: bytes(self.claim),
            reason: self.verdict.reason(),
            response: ByteBuf::from(self.response.clone()),
            state: self.verdict.state(),
            v: FORMAT_VERSION,
        })
    }

    /// # Errors
    /// [`DocumentError::TooLarge`], [`DocumentError::UnknownVersion`], [`DocumentError::Malformed`], [`DocumentError::NotCanonical`];
    /// [`DocumentError::Verdict`], of an unknown currency too. The FHIR ClaimResponse is read by [`Self::check`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let wire: DecisionWire = decode(bytes)?;
        let opening = match wire.amount {
            Some((numeric, minor, salt)) => {
                let currency = Currency::from_numeric(numeric).map_err(|_| DocumentError::Verdict)?;
                Some((Amount::new(currency, minor), Salt::from_bytes(salt.into_array())))
            }
            None => None,
        };
        if wire.reason.is_some_and(|reason| !claim_reason::is_an_insurers(reason)) {
            return Err(DocumentError::Verdict);
        }
        let verdict = match (wire.state, opening, wire.reason) {
            (claim_state::APPROVED, Some((amount, salt)), None) => Verdict::Approved { amount, salt },
            (claim_state::PARTLY_APPROVED, Some((amount, salt)), Some(reason)) => {
                Verdict::PartlyApproved { amount, salt, reason }
            }
            (claim_state::DENIED, None, Some(reason)) => Verdict::Denied { reason },
            _ => return Err(DocumentError::Verdict),
        };
        Ok(Self {
            claim: B256::new(wire.claim.into_array()),
            verdict,
            response: wire.response.into_vec(),
        })
    }

    /// The response, where this document is what stands behind `adjudicated`, an event of the `claims` contract, and decides about
    /// `billed`, the total of the claim's own document.
    ///
    /// # Errors
    /// [`Mismatches`]: each of [`Mismatch::Currency`] and [`Mismatch::OtherClaim`] to [`Mismatch::ResponseReason`] that there is.
    pub fn check(&self, adjudicated: &Adjudicated, billed: Amount) -> Result<ClaimResponse, Mismatches> {
        let mut found = Found::default();
        let (verdict, reason) = (&self.verdict, self.verdict.reason());
        found.unless(self.claim == adjudicated.claim, Mismatch::OtherClaim);
        found.unless(verdict.state() == adjudicated.state, Mismatch::State);
        let approved = verdict.commitment(adjudicated.claim);
        found.unless(approved == adjudicated.amount, Mismatch::Approved);
        found.unless(reason.unwrap_or(0) == adjudicated.reasonCode, Mismatch::Reason);
        if let Some(amount) = verdict.amount() {
            found.unless(amount.currency == billed.currency, Mismatch::Currency);
            let is_part = matches!(verdict, Verdict::PartlyApproved { .. });
            found.unless(amount.minor <= billed.minor, Mismatch::AboveBilled);
            found.unless(is_part || amount.minor >= billed.minor, Mismatch::NotTheWhole);
            found.unless(
                !is_part || (1..billed.minor).contains(&amount.minor),
                Mismatch::NotAPart,
            );
        }
        let response = match ClaimResponse::read(&self.response) {
            Ok(response) => response,
            Err(refused) => return found.and(Mismatch::Response(refused)),
        };
        let is_complete = response.status == Status::Active && response.outcome == Outcome::Complete;
        found.unless(is_complete, Mismatch::Outcome);
        let is_benefit = match verdict.amount() {
            Some(amount) => response.benefit() == Some(amount),
            None => response.benefit().is_none_or(|amount| amount.minor == 0),
        };
        found.unless(is_benefit, Mismatch::Benefit);
        found.unless(response.reason() == reason, Mismatch::ResponseReason);
        found.none(response)
    }
}

#[derive(Default)]
struct Found(Vec<Mismatch>);

impl Found {
    fn unless(&mut self, matches: bool, mismatch: Mismatch) {
        if !matches {
            self.0.push(mismatch);
        }
    }

    fn and<T>(mut self, mismatch: Mismatch) -> Result<T, Mismatches> {
        self.0.push(mismatch);
        Err(Mismatches(self.0))
    }

    fn none<T>(self, checked: T) -> Result<T, Mismatches> {
        if self.0.is_empty() {
            Ok(checked)
        } else {
            Err(Mismatches(self.0))
        }
    }
}

fn check_links(links: &[Link]) -> Result<(), DocumentError> {
    if (1..=LINKS_MOST).contains(&links.len()) {
        Ok(())
    } else {
        Err(DocumentError::LinkCount { given: links.len() })
    }
}

fn bytes(word: B256) -> ByteArray<32> {
    ByteArray::new(word.0)
}

fn encode(wire: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let bytes = serde_ipld_dagcbor::to_vec(wire).expect("integers, texts, bytes and lists of them, written to memory");
    Zeroizing::new(bytes)
}

/// Takes the one encoding alone: what decodes has to encode to the same bytes.
fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DocumentError> {
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::TooLarge { given: bytes.len() });
    }
    // First, so that a later format is named as such and not called malformed.
    if let Ok(Version { v: version }) = serde_ipld_dagcbor::from_slice(bytes)
        && version != FORMAT_VERSION
    {
        return Err(DocumentError::UnknownVersion { version });
    }
    let wire: T = serde_ipld_dagcbor::from_slice(bytes).map_err(|_| DocumentError::Malformed)?;
    if **encode(&wire) != *bytes {
        return Err(DocumentError::NotCanonical);
    }
    Ok(wire)
}
