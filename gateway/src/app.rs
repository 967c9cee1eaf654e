//! The web application, which is a part of this program: files by path, packed ahead, under a policy that lets a page talk to this gateway
//! and to the chain's endpoint and to nobody else.
use std::sync::Arc;

use alloy::primitives::Address;
use anyhow::{Context as _, Result};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use medlock_api::Deployment;
use serde::Serialize;

use crate::state::Gateway;

/// A file of the application, and the same packed.
struct File {
    path: &'static str,
    whole: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/app.rs"));
/// Where what is shown begins.
const INDEX: &str = "/index.html";
/// Files below have their content's hash in their name.
const HASHED: &str = "/app/";
const MISSING: &str = "This gateway was built without the web application: `make dapp`, and build again.\n";
/// What a page may use of a device. Scanning a code takes a camera.
const PERMISSIONS: &str = "camera=(self), publickey-credentials-create=(self), publickey-credentials-get=(self), geolocation=(), \
                           microphone=(), payment=(), usb=()";

/// What the application is told.
#[derive(Clone)]
pub struct App {
    /// JSON-RPC of the chain, as browsers reach it.
    rpc: String,
    custodians: Vec<Address>,
    policy: HeaderValue,
}

impl App {
    /// # Errors
    /// Where `rpc` is not `http(s)://host[:port][/path]`.
    pub fn new(rpc: String, custodians: Vec<Address>) -> Result<Self> {
        let origin =
            origin(&rpc).with_context(|| format!("{rpc} is not http(s)://host[:port]/…, as browsers need it"))?;
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; \
             frame-src blob:; connect-src 'self' {origin}; worker-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types medlock"
        );
        Ok(Self {
            rpc,
            custodians,
            policy: policy.parse().context("the policy of the application's pages")?,
        })
    }
}

/// Whether [`Config::app_rpc_url`](crate::Config::app_rpc_url) takes this URL.
pub fn is_app_rpc(url: &str) -> bool {
    origin(url).is_some()
}

/// Scheme, host and port. What else stands in a URL would end up in a header.
fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    // A policy has no place for an IPv6 address.
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:".contains(letter);
    (matches!(scheme, "http" | "https") && !host.is_empty() && host.chars().all(plain))
        .then(|| &url[..scheme.len() + 3 + host.len()])
}

/// `/` and the files that it names.
pub fn router(app: Option<App>) -> Router<Gateway> {
    let Some(app) = app else {
        return Router::new();
    };
    let app = Arc::new(app);
    let config = app.clone();
    let mut router = Router::new().route(
        "/app/config.json",
        get(async move |State(gateway): State<Gateway>| configuration(&config, &gateway)),
    );
    if FILES.is_empty() {
        return router.route("/", get(async || (StatusCode::NOT_FOUND, MISSING)));
    }
    for file in FILES {
        let app = app.clone();
        let path = if file.path == INDEX { "/" } else { file.path };
        router = router.route(path, get(async move |headers: HeaderMap| app.answer(file, &headers)));
    }
    router
}

#[derive(Serialize)]
struct Configuration {
    rpc: String,
    relay: bool,
    /// Whom a patient may choose to keep shares of emergency keys.
    custodians: Vec<Address>,
    deployment: Deployment,
}

fn configuration(app: &App, gateway: &Gateway) -> Json<Configuration> {
    Json(Configuration {
        rpc: app.rpc.clone(),
        relay: gateway.relay.is_some(),
        custodians: app.custodians.clone(),
        deployment: gateway.described(),
    })
}

impl App {
    fn answer(&self, file: &'static File, asked: &HeaderMap) -> Response {
        let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let (coding, body) = packed(file, accepted.unwrap_or_default());
        let caching = match file.path.starts_with(HASHED) {
            true => "public, max-age=31536000, immutable",
            false => "no-cache",
        };
        let mut answer = body.into_response();
        let headers = answer.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, media_type(file.path)),
            (header::CACHE_CONTROL, caching),
            (header::VARY, "accept-encoding"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        // Of scripts too: a worker goes by the policy that it comes with.
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        answer
    }
}

/// The smallest form that is accepted.
fn packed(file: &'static File, accepted: &str) -> (Option<&'static str>, &'static [u8]) {
    let takes = |coding: &str| {
        accepted.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            parts.next() == Some(coding) && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    match (file.brotli, file.gzip) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.whole),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_origin_gets_into_the_policy() {
        for (url, expected) in [
            ("http://127.0.0.1:8547", Some("http://127.0.0.1:8547")),
            ("https://node.example/v3/key?x=1", Some("https://node.example")),
            ("http://[::1]:8547/", None),
            ("wss://node.example", None),
            ("https://", None),
            ("https://a b", None),
            ("https://a; script-src *", None),
            ("https://user:secret@node.example", None),
            ("node.example", None),
        ] {
            assert_eq!(origin(url), expected, "{url}");
            assert_eq!(App::new(url.into(), Vec::new()).is_ok(), expected.is_some(), "{url}");
            assert_eq!(is_app_rpc(url), expected.is_some(), "{url}");
        }
    }

    #[test]
    fn the_smallest_accepted_form_is_taken() {
        static FILE: File = File {
            path: "/app/x.js",
            whole: b"whole",
            gzip: Some(b"gzip"),
            brotli: Some(b"br"),
        };
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip;q=1.0, br;q=0", Some("gzip")),
            ("gzip , deflate", Some("gzip")),
            ("", None),
            ("brotli, xgzip", None),
        ] {
            assert_eq!(packed(&FILE, accepted).0, coding, "{accepted}");
        }
    }
}
