//! FHIR R4 (`docs/fhir.md`). Failures become OperationOutcomes in `fhir::answered`.
use std::time::UNIX_EPOCH;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use medlock_api::{Kind, schema::Hex20};
use medlock_fhir::facade::{
    Code, Issue, Outcome, Severity, capability_statement,
    search::{Handling, Resource, handling, parse, resource as known, searchset},
};

use crate::{
    extract::{Anybody, Body, Caller, Path, ResourcePath, TypePath},
    fhir::{Created, Found, outcome, resource},
    handlers::relay::name,
    problem::{Failure, Result},
    state::Gateway,
};

const JSON: [&str; 2] = ["application/fhir+json", "application/json"];
const FORM: &str = "application/x-www-form-urlencoded";

/// What this endpoint does: its CapabilityStatement. For everybody.
#[utoipa::path(get, path = "/fhir/metadata", operation_id = "fhir_metadata", tag = "fhir",
    responses((status = 200, body = Object, content_type = "application/fhir+json"), (status = "4XX", body = Object, content_type = "application/fhir+json"), (status = "5XX", body = Object, content_type = "application/fhir+json")))]
pub async fn metadata(State(gateway): State<Gateway>, _: Anybody, headers: HeaderMap) -> Result<Response> {
    acceptable(&headers)?;
    let built = gateway
        .started
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let statement = capability_statement(&gateway.fhir_site(), env!("CARGO_PKG_VERSION"), built);
    Ok(resource(StatusCode::OK, statement))
}

/// A resource by its id, if the caller may see it.
#[utoipa::path(get, path = "/fhir/{type}/{id}", operation_id = "fhir_read", tag = "fhir", security(("session" = [])),
    params(("type" = String, Path, description = "AuditEvent, Consent, DocumentReference, Patient, Provenance"), ("id" = String, Path,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Object, content_type = "application/fhir+json"), (status = "4XX", body = Object, content_type = "application/fhir+json"), (status = "5XX", body = Object, content_type = "application/fhir+json")))]
pub async fn read(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(path): Path<ResourcePath>,
    headers: HeaderMap,
) -> Result<Response> {
    acceptable(&headers)?;
    let Some(resource_type) = known(&path.resource_type) else {
        return Ok(not_served());
    };
    let found = gateway
        .fhir_resource(caller.acting(), resource_type.name, &path.id)
        .await?;
    Ok(match found {
        Found::Resource(found) => resource(StatusCode::OK, found),
        Found::Deleted => refused(StatusCode::GONE, Code::Deleted, "the record is shredded"),
        Found::None => refused(
            StatusCode::NOT_FOUND,
            Code::NotFound,
            "there is no such resource, or none that you may see",
        ),
    })
}

/// A search, by the parameters that the CapabilityStatement names.
#[utoipa::path(get, path = "/fhir/{type}", operation_id = "fhir_search", tag = "fhir", security(("session" = [])),
    params(("type" = String, Path, description = "AuditEvent, Consent, DocumentReference, Provenance"), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Object, content_type = "application/fhir+json"), (status = "4XX", body = Object, content_type = "application/fhir+json"), (status = "5XX", body = Object, content_type = "application/fhir+json")))]
pub async fn search(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(path): Path<TypePath>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    acceptable(&headers)?;
    found(
        &gateway,
        &caller,
        &path.resource_type,
        &headers,
        &query.unwrap_or_default(),
    )
    .await
}

/// The same, with parameters in the body as well: no chart or account stands in a log of URLs.
#[utoipa::path(post, path = "/fhir/{type}/_search", operation_id = "fhir_search_by_form", tag = "fhir", security(("session" = [])),
    params(("type" = String, Path, description = "AuditEvent, Consent, DocumentReference, Provenance"), ("medlock-organisation" = Option<Hex20>, Header,)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object, content_type = "application/fhir+json"), (status = "4XX", body = Object, content_type = "application/fhir+json"), (status = "5XX", body = Object, content_type = "application/fhir+json")))]
pub async fn search_by_form(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(path): Path<TypePath>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Body(body): Body,
) -> Result<Response> {
    acceptable(&headers)?;
    let body = match media_type(&headers) {
        Some(FORM) => form(&body)?,
        // Nothing need stand in it.
        None if body.is_empty() => "",
        _ => return Ok(unsupported("the body of a search is application/x-www-form-urlencoded")),
    };
    let query = [query.as_deref().unwrap_or_default(), body].join("&");
    found(&gateway, &caller, &path.resource_type, &headers, &query).await
}

/// Creates a Consent from a grant that its granter has signed. The gateway submits it and pays, as it does for `/v1/relay/operations`.
#[utoipa::path(post, path = "/fhir/{type}", operation_id = "fhir_create", tag = "fhir", security(("session" = [])),
    params(("type" = String, Path, description = "Consent"), ("idempotency-key" = Option<String>, Header,)),
    request_body(content = Object, content_type = "application/fhir+json"),
    responses((status = 201, description = "On chain", body = Object, content_type = "application/fhir+json", headers(("location" = String))), (status = 202, description = "Submitted: `content-location` says where to ask", body = Object, content_type = "application/fhir+json", headers(("content-location" = String))), (status = "4XX", body = Object, content_type = "application/fhir+json"), (status = "5XX", body = Object, content_type = "application/fhir+json")))]
pub async fn create(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(path): Path<TypePath>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response> {
    acceptable(&headers)?;
    match known(&path.resource_type) {
        None => return Ok(not_served()),
        Some(Resource { create: false, .. }) => {
            let says = "resources of this type are not created here";
            return Ok(refused(StatusCode::METHOD_NOT_ALLOWED, Code::NotSupported, says));
        }
        Some(_) => (),
    }
    if !media_type(&headers).is_some_and(|given| JSON.contains(&given)) {
        return Ok(unsupported("a resource is sent as application/fhir+json"));
    }
    let created = gateway.fhir_create(caller.account, name(&headers)?, &body).await?;
    let base = gateway.fhir_site().base;
    Ok(match created {
        Created::Consent(consent) => {
            let location = format!("{base}/Consent/{}", consent["id"].as_str().unwrap_or_default());
            let is_minimal = preferences(&headers).any(|one| one.replace([' ', '"'], "").contains("return=minimal"));
            let body = match is_minimal {
                true => StatusCode::CREATED.into_response(),
                false => resource(StatusCode::CREATED, consent),
            };
            with(body, header::LOCATION, &location)
        }
        Created::Underway(id) => {
            let mut says = Outcome::default();
            says.push(Issue {
                severity: Severity::Warning,
                code: Code::Transient,
                expression: None,
                diagnostics: "submitted; not on chain yet".to_owned(),
            });
            let place = format!("{}/v1/relay/operations/{id}", gateway.site.uri);
            with(outcome(StatusCode::ACCEPTED, &says), header::CONTENT_LOCATION, &place)
        }
        Created::Refused(says) => outcome(StatusCode::UNPROCESSABLE_ENTITY, &says),
        Created::Failed(relayed) => {
            let why = relayed.fault.as_deref().unwrap_or(relayed.state.text());
            let says = format!("the chain did not take the grant: {why}");
            refused(StatusCode::UNPROCESSABLE_ENTITY, Code::Conflict, &says)
        }
    })
}

async fn found(
    gateway: &Gateway,
    caller: &Caller,
    resource_type: &str,
    headers: &HeaderMap,
    query: &str,
) -> Result<Response> {
    let Some(resource_type) = known(resource_type) else {
        return Ok(not_served());
    };
    if resource_type.parameters.is_empty() {
        let says = "resources of this type are read by id alone";
        return Ok(refused(StatusCode::METHOD_NOT_ALLOWED, Code::NotSupported, says));
    }
    let site = gateway.fhir_site();
    let strictness = preferences(headers).map(handling).find(|one| *one == Handling::Strict);
    let query = match parse(
        resource_type,
        query,
        strictness.unwrap_or_default(),
        &site,
        gateway.now(),
    ) {
        Ok(query) => query,
        Err(says) => return Ok(outcome(StatusCode::BAD_REQUEST, &says)),
    };
    let found = gateway.fhir_search(caller.acting(), &query).await?;
    let bundle = searchset(&query, &site, found.page, found.next.as_deref(), found.total);
    Ok(resource(StatusCode::OK, bundle))
}

/// # Errors
/// `NotAcceptable` where only what is not JSON would be taken.
fn acceptable(headers: &HeaderMap) -> Result<()> {
    let mut accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let is_json = |one: &str| {
        let kind = one.split(';').next().unwrap_or_default().trim();
        ["*/*", "application/*", "json"].contains(&kind) || JSON.contains(&kind)
    };
    match headers.contains_key(header::ACCEPT) && !accepted.any(|value| value.split(',').any(is_json)) {
        true => Err(Kind::NotAcceptable.into()),
        false => Ok(()),
    }
}

/// The body's, without parameters.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

/// The `Prefer` headers (RFC 7240).
fn preferences(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok())
}

fn form(body: &Bytes) -> Result<&str> {
    std::str::from_utf8(body).map_err(|_| Failure::bad_request("body", "not UTF-8"))
}

fn with(mut response: Response, name: header::HeaderName, value: &str) -> Response {
    // Made here, of ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn refused(status: StatusCode, code: Code, says: &str) -> Response {
    outcome(status, &Outcome::error(code, says))
}

fn unsupported(says: &str) -> Response {
    refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::NotSupported, says)
}

fn not_served() -> Response {
    let says = "resources of this type are not served: see the CapabilityStatement at metadata";
    refused(StatusCode::NOT_FOUND, Code::NotSupported, says)
}
