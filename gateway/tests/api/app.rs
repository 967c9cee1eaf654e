//! The web application as a browser gets it. (What it does is tested in a browser: `tests/browser`.)

use reqwest::{Method, StatusCode, header};

use super::World;

#[tokio::test]
async fn pages_talk_to_this_gateway_and_to_the_chain_and_to_nobody_else() {
    let world = World::start().await;
    let page = world.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let header = |name: header::HeaderName| page.headers()[name].to_str().unwrap().to_owned();
    let policy = header(header::CONTENT_SECURITY_POLICY);
    for part in [
        "default-src 'none'".to_owned(),
        "script-src 'self' 'wasm-unsafe-eval'".to_owned(),
        format!("connect-src 'self' {}", world.rpc_url),
        "require-trusted-types-for 'script'".to_owned(),
        "frame-ancestors 'none'".to_owned(),
    ] {
        assert!(policy.split("; ").any(|one| one == part), "{part} is not in {policy}");
    }
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
        "{policy}"
    );
    assert_eq!(header(header::CACHE_CONTROL), "no-cache");
    assert_eq!(header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    let html = page.text().await.unwrap();
    assert!(
        !html.contains("://") && !html.contains("<style") && !html.contains("onload"),
        "{html}"
    );

    // Every script comes under the same policy, since a worker goes by its own.
    let script = html.split('"').find(|part| part.ends_with(".js")).unwrap();
    for (coding, expected) in [("br", Some("br")), ("gzip", Some("gzip")), ("identity", None)] {
        let request = world
            .request(Method::GET, script)
            .header(header::ACCEPT_ENCODING, coding);
        let answer = request.send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], policy.as_str());
        assert_eq!(headers[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        let found = headers
            .get(header::CONTENT_ENCODING)
            .map(|coding| coding.to_str().unwrap());
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_page_is_told_where_the_chain_is_and_what_the_gateway_serves() {
    let world = World::start().await;
    let answer = world.request(Method::GET, "/app/config.json").send().await.unwrap();
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let config: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(config["rpc"], world.rpc_url.as_str());
    assert_eq!(config["relay"], false);
    let deployment = world.request(Method::GET, "/v1/deployment").send().await.unwrap();
    assert_eq!(
        config["deployment"],
        deployment.json::<serde_json::Value>().await.unwrap()
    );
}

#[tokio::test]
async fn nothing_but_the_applications_own_files_is_served() {
    let world = World::start().await;
    for path in [
        "/index.html",
        "/app/",
        "/app/none.js",
        "/app/../index.html",
        "/.built",
        "/index.html.br",
        "/app/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let answer = world.request(Method::GET, path).send().await.unwrap();
        // A client makes `/` of a path that leads up.
        let is_page = answer.url().path() == "/" || answer.url().path() == "/index.html" && path.contains("..");
        assert!(
            answer.status() == StatusCode::NOT_FOUND || is_page,
            "{path}: {}",
            answer.status()
        );
    }
}
