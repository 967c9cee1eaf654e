//! The OpenAPI document as a page for people: files of our own, which load nothing from elsewhere and work without a network.
use axum::{
    Router,
    http::{HeaderName, header},
    routing::get,
};

/// Scripts and styles from this gateway alone and none inside the page, one document to fetch, nothing else. (The page's icon is
/// empty, so that no browser asks for one.)
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/docs` and the files that it names.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(
            "/docs",
            get(async || file("text/html; charset=utf-8", include_str!("docs/page.html"))),
        )
        .route(
            "/docs/page.js",
            get(async || file("text/javascript; charset=utf-8", include_str!("docs/page.js"))),
        )
        .route(
            "/docs/page.css",
            get(async || file("text/css; charset=utf-8", include_str!("docs/page.css"))),
        )
}

type File = ([(HeaderName, &'static str); 2], &'static str);

fn file(media_type: &'static str, text: &'static str) -> File {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, text)
}
