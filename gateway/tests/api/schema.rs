//! Requests that schemathesis makes from the OpenAPI document, valid ones and others: no answer is a failure of the gateway's, and none is
//! one that the document does not have.
use super::*;

/// Requests to one operation in each of schemathesis's phases.
const EXAMPLES: &str = "10";
/// The same requests every time.
const SEED: &str = "20261129";
/// It makes up bytes for them, as it knows no dag-cbor.
const HOOKS: &str =
    "import schemathesis\nschemathesis.serializer.alias('application/vnd.ipld.dag-cbor', 'application/octet-stream')\n";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_document_allows_is_answered_as_it_says() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(labs.blocks.clone()).await.unwrap();
    // Things that are there, beside those that it makes up.
    let config = world.dir.path().join("schemathesis.toml");
    let hooks = world.dir.path().join("hooks.py");
    std::fs::write(&hooks, HOOKS).unwrap();
    let parameters = format!(
        "hooks = \"{}\"\n[parameters]\n\"path.chart\" = \"{CHART}\"\n\"path.record\" = \"{}\"\n\"path.version\" = 1\n\
         \"path.account\" = \"{}\"\n\"path.type\" = \"Consent\"\n",
        hooks.display(),
        labs.record_id,
        world.clinic.address()
    );
    std::fs::write(&config, parameters).unwrap();
    for signer in [&world.patient, &world.clinic] {
        let token = world.sign_in(signer).await;
        let output = medlock_peers::python("schemathesis")
            .current_dir(world.dir.path())
            .args([
                "-m",
                "schemathesis.cli",
                "--config-file",
                config.to_str().unwrap(),
                "run",
            ])
            .arg(format!("{}/openapi.json", world.gateway.url()))
            .args(["--header", &format!("Authorization: Bearer {token}")])
            .args(["--max-examples", EXAMPLES, "--seed", SEED, "--no-color"])
            // Not by links between routes, which it guesses wrongly.
            .args(["--phases", "examples,coverage,fuzzing"])
            .args([
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ])
            // What would end the session, and what takes a CAR, which it cannot make.
            .args(["--exclude-path", "/v1/sessions", "--exclude-path", "/v1/sessions/all"])
            .args(["--exclude-path", "/v1/blocks"])
            .output()
            .expect("python3 is not installed");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        // The chart's own routes were not only refused.
        let refused = said.split("403 Forbidden").nth(1).unwrap_or_default();
        let refused = refused.split("\n\n").nth(1).unwrap_or_default();
        assert!(
            !refused
                .lines()
                .any(|line| line.ends_with("GET /v1/charts/{chart}/records")),
            "{said}"
        );
    }
    world.stop().await;
}
