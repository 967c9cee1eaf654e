//! Entity tags (RFC 9110, section 8.8.3) of JSON answers to GET: a client that asks for a listing again names what it has, and is told
//! that nothing has changed. Strong, by the bytes alone. (A FHIR resource's tag would be its version, and these have none.)
use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use sha2::{Digest as _, Sha256};
use utoipa::openapi::{
    OpenApi as Document, RefOr, ResponseBuilder,
    path::{ParameterBuilder, ParameterIn},
    schema::{ObjectBuilder, Type},
};

/// Longer answers have no tag: a page has at most some hundred kilobytes.
const TAGGED_BYTES_MOST: usize = 4 * 1024 * 1024;
/// Resources of FHIR.
const UNTAGGED: &str = "/fhir";

pub async fn tagged(request: Request, next: Next) -> Response {
    let is_asked = request.method() == Method::GET && !request.uri().path().starts_with(UNTAGGED);
    let known = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .cloned()
        .collect();
    let response = next.run(request).await;
    if !is_asked || response.status() != StatusCode::OK || !is_json(response.headers()) {
        return response;
    }
    // Made in memory, so its length is known; a stream's is not.
    let length = response.body().size_hint().exact();
    if length.is_none_or(|length| length > TAGGED_BYTES_MOST as u64) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, TAGGED_BYTES_MOST).await else {
        // It has just said that it is shorter.
        parts.status = StatusCode::INTERNAL_SERVER_ERROR;
        return Response::from_parts(parts, Body::empty());
    };
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
    let is_known = names(known, &tag);
    // Hex digits in quotes are a valid header value.
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes() == b"application/json")
}

/// Whether one of these lists of tags has `tag`, weak or strong.
fn names(lists: Vec<HeaderValue>, tag: &str) -> bool {
    let lists = lists.iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Says so in the document, of every route that answers a GET in JSON.
pub fn documented(mut document: Document) -> Document {
    for (path, item) in &mut document.paths.paths {
        let Some(operation) = item.get.as_mut().filter(|_| !path.starts_with(UNTAGGED)) else {
            continue;
        };
        let answers_json = operation
            .responses
            .responses
            .get("200")
            .is_some_and(|response| match response {
                RefOr::T(response) => response.content.contains_key("application/json"),
                RefOr::Ref(_) => false,
            });
        if !answers_json {
            continue;
        }
        let known = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .description(Some("The ETag of an answer that the caller has"))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        operation.parameters.get_or_insert_default().push(known.build().into());
        let unchanged = ResponseBuilder::new().description("The caller has this answer").build();
        operation.responses.responses.insert("304".into(), unchanged.into());
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_by_itself_weakly_in_a_list_or_whatever_it_is() {
        let known = |lists: &[&'static str]| {
            names(
                lists.iter().map(|list| HeaderValue::from_static(list)).collect(),
                "\"ab\"",
            )
        };
        for lists in [
            &["\"ab\""][..],
            &["W/\"ab\""],
            &["\"x\", \"ab\""],
            &["\"x\"", "W/\"y\",\"ab\""],
            &["*"],
        ] {
            assert!(known(lists), "{lists:?}");
        }
        for lists in [&[][..], &[""], &["ab"], &["\"AB\""], &["\"ab"], &["\"x\",\"y\""]] {
            assert!(!known(lists), "{lists:?}");
        }
    }
}
