//! Error bodies: problem details (RFC 9457) whose `type` is stable and meant for programs.
use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};

/// Every problem a gateway answers with. The slug, once published, never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A field, a header, a path segment or the body is not what the route takes; `field` names it.
    BadRequest,
    /// There is no such route, or it does not take the method.
    NoRoute,
    /// Only media types are accepted that the route does not answer with.
    NotAcceptable,
    /// The route needs a session: sign in.
    NoSession,
    /// The session has ended, or was revoked: sign in again.
    SessionExpired,
    /// The sign-in message or its signature was refused; `reason` says why.
    SignInRefused,
    /// Forbidden, or there is no such chart, record or object. One answer for both, so that asking
    /// tells nothing about what exists; `reason` is that of a decision, with the same merging.
    ForbiddenOrUnknown,
    /// The read receipt does not fit this gateway, this read or this reader; `reason` says why.
    ReceiptInvalid,
    /// A receipt with this nonce was seen before.
    ReceiptReplayed,
    /// No receipt of the caller is on file for this version: POST one to `reads` first.
    ReceiptMissing,
    /// The record is not shredded: that is done on chain, and for good, before what is kept of it is removed.
    NotShredded,
    PayloadTooLarge,
    /// The upload is not a well-formed CAR v1 stream of blocks that match their CIDs.
    CarInvalid,
    /// A limit on requests, sessions or uploads was met; Retry-After says when to come back.
    TooMany,
    /// The gateway does not relay operations.
    RelayOff,
    /// Not an operation for this gateway to relay; `reason` says why: `malformed`, `chain-id`, `contract`, `gas`.
    OperationInvalid,
    /// The contracts would refuse the operation; `reason` is the error's name in the ABI, `revert` the error. Nothing was paid.
    OperationRefused,
    /// Another operation was submitted under this Idempotency-Key.
    IdempotencyKeyReused,
    /// The account, or the gateway, has had its day's share of relayed operations or gas; Retry-After says when to come back.
    RelayQuota,
    /// The gateway has no money left to pay with: its operator has to send it some.
    RelayUnfunded,
    /// The request's body came too slowly, or stopped coming.
    Timeout,
    /// The gateway has as much at work as it takes on, or did not get done in time; Retry-After says when to come back.
    Busy,
    /// The chain cannot be asked; nothing is decided without it.
    ChainDown,
    /// The endpoint serves another chain than the deployment's.
    ChainMismatch,
    /// The chain knows what was asked about, the index does not yet; Retry-After says when to come back.
    IndexBehind,
    /// The node gives no proof of the verdict's block; it may have forgotten the state of one that is long past.
    ProofUnavailable,
    /// The store does not hold the block that the chain points to.
    BlockMissing,
    /// The store's bytes do not match their CID, or are not the kind of block that belongs in this place: an envelope
    /// of another record, a directory of another chart. None of them are served.
    BlockCorrupt,
    /// The gateway's storage has no room; nothing of the upload counts. Its operator has to make room.
    StorageFull,
    /// The gateway failed. Its log has the cause under the request id.
    Internal,
}

impl Kind {
    pub const ALL: [Kind; 30] = [
        Kind::BadRequest,
        Kind::NoRoute,
        Kind::NotAcceptable,
        Kind::NoSession,
        Kind::SessionExpired,
        Kind::SignInRefused,
        Kind::ForbiddenOrUnknown,
        Kind::ReceiptInvalid,
        Kind::ReceiptReplayed,
        Kind::ReceiptMissing,
        Kind::NotShredded,
        Kind::PayloadTooLarge,
        Kind::CarInvalid,
        Kind::TooMany,
        Kind::RelayOff,
        Kind::OperationInvalid,
        Kind::OperationRefused,
        Kind::IdempotencyKeyReused,
        Kind::RelayQuota,
        Kind::RelayUnfunded,
        Kind::Timeout,
        Kind::Busy,
        Kind::ChainDown,
        Kind::ChainMismatch,
        Kind::IndexBehind,
        Kind::ProofUnavailable,
        Kind::BlockMissing,
        Kind::BlockCorrupt,
        Kind::StorageFull,
        Kind::Internal,
    ];

    /// Slug, HTTP status and title, in one table.
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Kind::BadRequest => ("bad-request", 400, "The request is not what this route takes"),
            Kind::NoRoute => ("no-route", 404, "There is no such route"),
            Kind::NotAcceptable => ("not-acceptable", 406, "The answer has no form that is accepted"),
            Kind::NoSession => ("no-session", 401, "Sign in first"),
            Kind::SessionExpired => ("session-expired", 401, "The session has ended; sign in again"),
            Kind::SignInRefused => ("sign-in-refused", 401, "The sign-in was refused"),
            Kind::ForbiddenOrUnknown => ("forbidden-or-unknown", 403, "Not permitted, or there is no such thing"),
            Kind::ReceiptInvalid => ("receipt-invalid", 422, "The read receipt was refused"),
            Kind::ReceiptReplayed => ("receipt-replayed", 409, "This read receipt was used before"),
            Kind::ReceiptMissing => ("receipt-missing", 403, "No read receipt is on file for this version"),
            Kind::NotShredded => ("not-shredded", 409, "The record is not shredded"),
            Kind::PayloadTooLarge => ("payload-too-large", 413, "The body is larger than this route takes"),
            Kind::CarInvalid => ("car-invalid", 422, "The upload is not a valid CAR stream"),
            Kind::TooMany => ("too-many", 429, "Too many requests"),
            Kind::RelayOff => ("relay-off", 404, "This gateway does not relay operations"),
            Kind::OperationInvalid => ("operation-invalid", 422, "This is not an operation to relay"),
            Kind::OperationRefused => ("operation-refused", 422, "The contracts refuse this operation"),
            Kind::IdempotencyKeyReused => (
                "idempotency-key-reused",
                409,
                "Another operation was submitted under this Idempotency-Key",
            ),
            Kind::RelayQuota => ("relay-quota", 429, "No more is relayed today"),
            Kind::RelayUnfunded => ("relay-unfunded", 503, "The gateway cannot pay at present"),
            Kind::Timeout => ("timeout", 408, "The request came too slowly"),
            Kind::Busy => ("busy", 503, "The gateway has too much to do at present"),
            Kind::ChainDown => ("chain-down", 503, "The chain cannot be asked at present"),
            Kind::ChainMismatch => (
                "chain-mismatch",
                503,
                "The endpoint serves another chain than the deployment's",
            ),
            Kind::IndexBehind => ("index-behind", 503, "The index has not reached this block yet"),
            Kind::ProofUnavailable => ("proof-unavailable", 502, "The node gives no proof of this block"),
            Kind::BlockMissing => ("block-missing", 502, "The store does not hold a block"),
            Kind::BlockCorrupt => ("block-corrupt", 502, "A block is corrupt, or not what belongs there"),
            Kind::StorageFull => ("storage-full", 507, "The gateway's storage is full"),
            Kind::Internal => ("internal", 500, "The gateway failed"),
        }
    }

    pub const fn slug(self) -> &'static str {
        self.row().0
    }
    pub const fn status(self) -> u16 {
        self.row().1
    }
    pub const fn title(self) -> &'static str {
        self.row().2
    }
    /// The `type` member: `urn:medlock:problem:<slug>`.
    pub fn urn(self) -> String {
        format!("{URN_PREFIX}{}", self.slug())
    }
    pub fn from_urn(urn: &str) -> Option<Self> {
        let slug = urn.strip_prefix(URN_PREFIX)?;
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

const URN_PREFIX: &str = "urn:medlock:problem:";

/// A problem details body (RFC 9457, section 3), with Medlock's extension members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{title}{}", detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default())]
pub struct Problem {
    /// `urn:medlock:problem:<slug>`; see [`Kind`].
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::problem_type))]
    pub kind_urn: String,
    pub title: String,
    pub status: u16,
    /// What is wrong with this request, for people. A 5xx has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The part of the request that is at fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// Stable text where a kind has more than one cause.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Digest of the block that is missing or corrupt.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
    pub digest: Option<B256>,
    /// A contract's error, as it was encoded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::HexBytes>))]
    pub revert: Option<Bytes>,
}

impl Problem {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind_urn: kind.urn(),
            title: kind.title().into(),
            status: kind.status(),
            detail: None,
            field: None,
            reason: None,
            digest: None,
            revert: None,
        }
    }
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
    pub fn digest(mut self, digest: B256) -> Self {
        self.digest = Some(digest);
        self
    }
    pub fn revert(mut self, revert: impl Into<Bytes>) -> Self {
        self.revert = Some(revert.into());
        self
    }
    /// `None` for a type that this version does not know (a newer gateway's, or a proxy's).
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_urn(&self.kind_urn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_type_of_its_own_that_leads_back_to_it() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_urn(&kind.urn()), Some(kind));
            assert!((400..600).contains(&kind.status()));
        }
        assert_eq!(Kind::from_urn("urn:medlock:problem:"), None);
        assert_eq!(Kind::from_urn("no-session"), None);
    }

    #[test]
    fn absent_members_are_left_out() {
        let json = serde_json::to_string(&Problem::new(Kind::NoSession)).unwrap();
        assert_eq!(
            json,
            r#"{"type":"urn:medlock:problem:no-session","title":"Sign in first","status":401}"#
        );
    }
}
