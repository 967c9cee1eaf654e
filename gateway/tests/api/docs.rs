//! The page of the OpenAPI document, as a browser fetches it.
use super::*;

/// Of page, script and style together.
const PAGE_BYTES_MOST: usize = 60_000;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_nothing_from_elsewhere_and_nothing_inline() {
    let world = World::start().await;
    let mut bytes = 0;
    for (path, media_type) in [
        ("/docs", "text/html"),
        ("/docs/page.js", "text/javascript"),
        ("/docs/page.css", "text/css"),
    ] {
        let (status, headers, body) = once(world.request(Method::GET, path)).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(media_type));
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"),
            "{policy}"
        );
        assert_eq!(headers.get_all("content-security-policy").iter().count(), 1);
        bytes += body.len();
        let text = String::from_utf8(body).unwrap();
        // Nothing of another host, and nothing that the policy would refuse.
        for never in [
            "http://",
            "https://",
            "src=\"//",
            " style=",
            "<style",
            " onclick",
            " onload",
            "innerHTML",
            "eval(",
        ] {
            assert!(!text.contains(never), "{path}: {never}");
        }
        if path == "/docs" {
            assert_eq!(text.matches("<script").count(), 1);
            assert!(text.contains(r#"<script src="/docs/page.js" defer></script>"#));
            assert!(text.contains(r#"href="/docs/page.css""#));
        }
    }
    assert!(bytes < PAGE_BYTES_MOST, "{bytes}");
    // Every other answer keeps the policy that allows nothing.
    let (_, headers, _) = once(world.request(Method::GET, "/openapi.json")).await;
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; frame-ancestors 'none'"
    );
    world.stop().await;
}
