//! What handlers take from a request. Every refusal is a problem.
use std::{
    ops::Range,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256};
use anyhow::Context as _;
use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, JsonRejection},
    },
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use medlock_api::{Kind, Problem, claims::ClaimState, header::ORGANISATION};
use medlock_indexer::Page;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::{
    access::Acting,
    limits::Limit,
    origin::{self, Origin},
    problem::{Failure, Result},
    session::token_hash,
    state::Gateway,
    wire::Peer,
};

/// JSON bodies, but for questions: the largest is an operation to relay, or a Consent.
pub const JSON_BYTES_MOST: usize = 64 * 1024;
/// A JSON body is small: one that takes longer does not come. Shorter than the time a request has, so that a slow sender
/// is told from a slow gateway.
const JSON_TIMEOUT: Duration = Duration::from_secs(10);
/// Items in one page of a listing, whatever is asked for.
pub const PAGE_MOST: u32 = 500;

/// The account of the session that the request names.
pub struct Caller {
    pub account: Address,
    pub token_hash: B256,
    /// Whom it says it acts for.
    organisation: Option<Address>,
}

impl Caller {
    /// For whom the caller reads. Routes about the account itself do not ask.
    pub fn acting(&self) -> Acting {
        match self.organisation {
            None => Acting::for_itself(self.account),
            Some(organisation) => Acting::for_organisation(self.account, organisation),
        }
    }
}

impl FromRequestParts<Gateway> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self> {
        let header = parts.headers.get(header::AUTHORIZATION).ok_or(Kind::NoSession)?;
        let token = header
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "))
            .ok_or(Kind::NoSession)?;
        let token_hash = token_hash(token);
        let (account, expires_at) = gateway.db.session(token_hash).await?.ok_or(Kind::NoSession)?;
        let now = gateway.now();
        if now >= expires_at {
            return Err(Kind::SessionExpired.into());
        }
        gateway.limits.take(account, Limit::Requests, 1, now)?;
        Ok(Self {
            account,
            token_hash,
            organisation: organisation(&parts.headers)?,
        })
    }
}

/// # Errors
/// `BadRequest` for what is no account, and for several.
fn organisation(headers: &HeaderMap) -> Result<Option<Address>> {
    let mut named = headers.get_all(ORGANISATION).iter();
    let Some(value) = named.next() else {
        return Ok(None);
    };
    let account = value.to_str().ok().and_then(|text| text.parse::<Address>().ok());
    match account.filter(|account| !account.is_zero() && named.next().is_none()) {
        Some(account) => Ok(Some(account)),
        None => Err(Failure::bad_request(ORGANISATION, "one account: 0x and 40 hex digits")),
    }
}

/// How many requests without a session it counts as that an account's code is asked on the node: whoever sends a bad signature has a
/// sum done there that costs more than the request.
pub const CODE_ASKED_COSTS: u32 = 10;

/// On routes that need no session: one of the requests that its address has, and one of those that everybody together has.
pub struct Anybody {
    origin: Origin,
}

impl FromRequestParts<Gateway> for Anybody {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self> {
        let peer = parts.extensions.get::<Peer>().context("a request without a peer")?;
        let anybody = Self {
            origin: origin::of(peer.0, &parts.headers, &gateway.proxies),
        };
        anybody.take(gateway, 1)?;
        Ok(anybody)
    }
}

impl Anybody {
    /// Counts as `requests` more.
    ///
    /// # Errors
    /// `TooMany` where the address has had too many, `Busy` where everybody together has.
    pub fn take(&self, gateway: &Gateway, requests: u32) -> Result<()> {
        let now = Instant::now();
        // First: what is refused here takes nothing from the others.
        gateway.open_each.take(self.origin, requests, now)?;
        match gateway.open.take(requests, now) {
            true => Ok(()),
            false => Err(Kind::Busy.into()),
        }
    }
}

/// Typed path segments.
pub struct Path<T>(pub T);

#[derive(Deserialize)]
pub struct ChartPath {
    pub chart: B256,
}

#[derive(Deserialize)]
pub struct RecordPath {
    pub chart: B256,
    pub record: B256,
}

#[derive(Deserialize)]
pub struct VersionPath {
    pub chart: B256,
    pub record: B256,
    pub version: u32,
}

#[derive(Deserialize)]
pub struct PartyPath {
    pub chart: B256,
    pub party: Address,
}

#[derive(Deserialize)]
pub struct OperationPath {
    pub id: B256,
}

#[derive(Deserialize)]
pub struct ClaimPath {
    pub claim: B256,
}

#[derive(Deserialize)]
pub struct ClaimDocumentPath {
    pub claim: B256,
    pub document: B256,
}

#[derive(Deserialize)]
pub struct TrialPath {
    pub trial: B256,
}

#[derive(Deserialize)]
pub struct PackagePath {
    pub batch: B256,
    pub package: u32,
}

#[derive(Deserialize)]
pub struct AccountPath {
    pub account: Address,
}

#[derive(Deserialize)]
pub struct TypePath {
    #[serde(rename = "type")]
    pub resource_type: String,
}

#[derive(Deserialize)]
pub struct ResourcePath {
    #[serde(rename = "type")]
    pub resource_type: String,
    pub id: String,
}

impl<T: DeserializeOwned + Send> FromRequestParts<Gateway> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self> {
        match axum::extract::Path::from_request_parts(parts, gateway).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(error) => Err(Failure::bad_request("path", error.body_text())),
        }
    }
}

/// Typed query parameters.
pub struct Query<T>(pub T);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    pub after: Option<String>,
    pub limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadQuery {
    /// As IPFS gateways take it: `FROM:TO`, both counted, `*` for the end.
    #[serde(rename = "entity-bytes")]
    pub entity_bytes: Option<String>,
}

impl PayloadQuery {
    /// The bytes that are asked for; all without it.
    pub fn range(&self) -> Result<Range<u64>> {
        let Some(text) = &self.entity_bytes else {
            return Ok(0..u64::MAX);
        };
        let parsed = text.split_once(':').and_then(|(from, to)| {
            let from: u64 = plain(from)?;
            let end = match to {
                "*" => u64::MAX,
                to => plain(to)?.checked_add(1)?,
            };
            (from < end).then_some(from..end)
        });
        parsed.ok_or_else(|| Failure::bad_request("entity-bytes", "it is to be FROM:TO or FROM:*, in bytes from 0"))
    }
}

/// Digits, and nothing else.
fn plain(digits: &str) -> Option<u64> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsQuery {
    pub compartment: Option<u8>,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

/// The part in which the caller has claims.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    Provider,
    Insurer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimsQuery {
    #[serde(rename = "as")]
    pub whose: Option<Whose>,
    pub chart: Option<B256>,
    pub state: Option<ClaimState>,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

/// The end of a shipment at which the caller is.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Sender,
    Receiver,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShipmentsQuery {
    #[serde(rename = "as")]
    pub side: Side,
    pub open: Option<bool>,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsQuery {
    #[serde(rename = "as")]
    pub whose: Option<Whose>,
    pub chart: Option<B256>,
    /// UNIX seconds.
    pub since: Option<u64>,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

impl<T: DeserializeOwned + Send> FromRequestParts<Gateway> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self> {
        match axum::extract::Query::from_request_parts(parts, gateway).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(error) => Err(Failure::bad_request("query", error.body_text())),
        }
    }
}

/// A cursor that one of our pages gave out.
pub fn cursor<T: std::str::FromStr>(after: Option<&str>) -> Result<Option<T>> {
    after
        .map(|text| {
            text.parse()
                .map_err(|_| Failure::bad_request("after", "not a cursor that a page gave as next"))
        })
        .transpose()
}

/// At least 1, at most [`PAGE_MOST`].
pub fn page_limit(limit: Option<u32>) -> u32 {
    limit.unwrap_or(PAGE_MOST).clamp(1, PAGE_MOST)
}

/// The page that a listing's query asks for.
pub fn page(after: Option<&str>, limit: Option<u32>) -> Result<Page> {
    Ok(Page {
        after: cursor(after)?,
        limit: page_limit(limit),
    })
}

/// A JSON body of at most `MOST` bytes. More than [`JSON_BYTES_MOST`] is for the route to allow.
pub struct Json<T, const MOST: usize = JSON_BYTES_MOST>(pub T);

impl<T: DeserializeOwned, const MOST: usize> FromRequest<Gateway> for Json<T, MOST> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self> {
        let body = timeout(JSON_TIMEOUT, axum::Json::from_request(request, gateway));
        match body.await.map_err(|_| Kind::Timeout)? {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::BytesRejection(error)) => Err(unread(&error, MOST)),
            Err(error) => Err(Failure::bad_request("body", error.body_text())),
        }
    }
}

/// A body as it came, of at most [`JSON_BYTES_MOST`].
pub struct Body(pub Bytes);

impl FromRequest<Gateway> for Body {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self> {
        let body = timeout(JSON_TIMEOUT, Bytes::from_request(request, gateway));
        match body.await.map_err(|_| Kind::Timeout)? {
            Ok(bytes) => Ok(Self(bytes)),
            Err(error) => Err(unread(&error, JSON_BYTES_MOST)),
        }
    }
}

fn unread(error: &BytesRejection, most: usize) -> Failure {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::PayloadTooLarge)
            .detail(format!("at most {most} bytes"))
            .into(),
        _ => Failure::bad_request("body", error.body_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_bytes_is_two_numbers_or_has_no_end() {
        let range = |text: &str| {
            let entity_bytes = Some(text.to_owned());
            PayloadQuery { entity_bytes }.range().ok()
        };
        assert_eq!(PayloadQuery { entity_bytes: None }.range().ok(), Some(0..u64::MAX));
        assert_eq!(range("0:0"), Some(0..1));
        assert_eq!(range("5:9"), Some(5..10));
        assert_eq!(range("7:*"), Some(7..u64::MAX));
        for bad in [
            "",
            ":",
            "5",
            "5:",
            ":5",
            "9:5",
            "-1:5",
            "+1:5",
            "1:+5",
            "0:18446744073709551615",
            "*:5",
            "1:2:3",
            "a:b",
        ] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }
}
