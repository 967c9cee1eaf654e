//! The committed OpenAPI document is the one that the routes make. After a change:
//! `UPDATE_OPENAPI=1 cargo test -p medlock-gateway --test openapi`, and read the difference.

#[test]
fn the_committed_document_is_the_one_that_the_routes_make() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let made = medlock_gateway::openapi_json();
    let document: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    // Every route but the document's own.
    assert_eq!(
        document["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|item| item.as_object().unwrap().len())
            .sum::<usize>(),
        57
    );
    let ids: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    // OpenAPI 3.1, 4.8.10: generators of clients refuse the document otherwise.
    assert_eq!(
        ids.iter().collect::<std::collections::HashSet<_>>().len(),
        ids.len(),
        "{ids:?}"
    );
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == made,
        "gateway/openapi.json is stale: UPDATE_OPENAPI=1 cargo test -p medlock-gateway --test openapi"
    );
}

/// Under Node, as Chromium is not among the tests' tools: the script that browsers get, on the committed document.
#[test]
fn the_page_draws_every_route_and_schema() {
    let at = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let files = ["tests/docs.mjs", "src/docs/page.js", "openapi.json"];
    let run = std::process::Command::new("node").args(files.map(at)).output();
    let run = run.expect("node is installed by tools/setup-node.sh");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(String::from_utf8_lossy(&run.stdout), "57 operations\n");
}
