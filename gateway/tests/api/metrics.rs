//! What Prometheus reads of a gateway, and that it says nothing about anybody.
use super::*;

/// Values by name with labels.
pub async fn scrape(server: &medlock_indexer::Server) -> BTreeMap<String, f64> {
    let answer = reqwest::get(format!("http://{}/metrics", server.addr())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.text().await.unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(pair).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_was_done_and_name_nobody() {
    let world = World::with_chart().await;
    let server = world.gateway.serve_metrics(([127, 0, 0, 1], 0).into()).await.unwrap();
    let clinic = world.sign_in(&world.clinic).await;
    let written = world.write(&world.clinic, B256::repeat_byte(0xa7), LABS, b"labs").await;
    let car = car::write(&[written.payload], &written.blocks).unwrap();
    let car_bytes = car.len() as f64;
    let _: Value = ok(world.upload(&clinic, car)).await;
    ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()))).await;
    ok_bytes(world.payload(&clinic, &written)).await;
    refusal(world.get(&clinic, &format!("/v1/charts/{UNKNOWN}/grants"))).await;
    let account = world.clinic.address();
    let _: Value = ok(world.request(Method::GET, &format!("/v1/parties/{account}"))).await;
    // Where there is no route, and by no method that there is.
    for path in ["nobody", "metrics"] {
        let answer = world
            .request(Method::GET, &format!("/{path}/{CHART}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    let public = world.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(public.status(), StatusCode::NOT_FOUND, "never on the public port");
    let made_up = Method::from_bytes(b"PATIENT0001").unwrap();
    world.request(made_up, "/v1/grants").send().await.unwrap();

    let seen = scrape(&server).await;
    let of = |name: &str| {
        *seen
            .get(&format!("medlock_gateway_{name}"))
            .unwrap_or_else(|| panic!("{name}: {seen:#?}"))
    };
    let reads = r#"{route="/v1/charts/{chart}/records/{record}/versions/{version}/reads",method="POST",status="2xx"}"#;
    assert_eq!(of(&format!("requests_total{reads}")), 1.0);
    assert_eq!(of(&format!("request_duration_seconds_count{reads}")), 1.0);
    let within = reads.replace("2xx\"}", "2xx\",le=\"+Inf\"}");
    assert_eq!(of(&format!("request_duration_seconds_bucket{within}")), 1.0);
    assert_eq!(of(r#"requests_total{route="none",method="GET",status="4xx"}"#), 3.0);
    assert_eq!(
        of(r#"requests_total{route="/v1/grants",method="other",status="4xx"}"#),
        1.0
    );
    assert_eq!((of("sessions_opened_total"), of("receipts_filed_total")), (1.0, 1.0));
    assert_eq!(of("requests_at_work"), 0.0);
    assert!(of("received_bytes_total") > car_bytes && of("sent_bytes_total") > written.payload_bytes as f64);
    assert_eq!((of("chain_up"), of("index_up")), (1.0, 1.0));
    assert!(of("chain_head_block") > 0.0);
    assert!(of("index_lag_blocks") <= of("chain_head_block"));
    assert_eq!(
        of(&format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))),
        1.0
    );

    // One address asks more than the open routes give it.
    for _ in 0..1000 {
        let answer = world.request(Method::GET, "/v1/deployment").send().await.unwrap();
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    let seen = scrape(&server).await;
    assert!(seen[r#"medlock_gateway_refused_total{limit="without-session-by-address"}"#] >= 1.0);

    // No label holds an account, a chart, a record, or a path: hex of any length, or what a client made up.
    for name in seen.keys() {
        let name = name.to_lowercase();
        for secret in [
            account.to_string(),
            CHART.to_string(),
            UNKNOWN.to_string(),
            written.record_id.to_string(),
        ] {
            assert!(!name.contains(&secret.to_lowercase()[2..]), "{name}");
        }
        assert!(
            !name.contains("0x") && !name.contains("nobody") && !name.contains("patient0001"),
            "{name}"
        );
    }
    drop(server);
    world.stop().await;
}
