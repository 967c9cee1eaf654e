//! Limits by network address, as the real gateway tells addresses apart.
use std::net::IpAddr;

use medlock_gateway::OPEN_EACH_BURST;

use super::*;

/// More requests than any address has at one moment, and as many as it gets in a second beside them.
const TRIES: usize = 1000;

/// A gateway as one client sees it: at one address, or behind a proxy that names one.
struct Client {
    http: reqwest::Client,
    url: String,
    forwarded_for: Option<String>,
}

impl Client {
    fn at(gateway: &medlock_gateway::Handle, address: &str, forwarded_for: Option<&str>) -> Self {
        let address: IpAddr = address.parse().unwrap();
        Self {
            http: reqwest::Client::builder().local_address(address).build().unwrap(),
            url: gateway.url(),
            forwarded_for: forwarded_for.map(str::to_owned),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.forwarded_for {
            Some(address) => request.header("x-forwarded-for", address),
            None => request,
        }
    }

    async fn asks(&self) -> StatusCode {
        self.request(Method::GET, "/v1/deployment")
            .send()
            .await
            .unwrap()
            .status()
    }

    /// Asks until it is told that it asks too much.
    async fn exhausts(&self) {
        self.exhausts_in(TRIES).await;
    }

    /// The same, of an address that has had nearly all already.
    async fn exhausts_soon(&self) {
        self.exhausts_in(OPEN_EACH_BURST as usize / 2).await;
    }

    async fn exhausts_in(&self, tries: usize) {
        for _ in 0..tries {
            if self.asks().await == StatusCode::TOO_MANY_REQUESTS {
                return;
            }
        }
        panic!("not refused after {tries} requests");
    }

    /// The whole way in, with a wait where it is told to wait.
    async fn signs_in(&self, signer: &PrivateKeySigner) {
        let body = json!({ "account": signer.address() });
        let challenge: Value = ok(self.request(Method::POST, "/v1/sessions/challenge").json(&body)).await;
        let message = challenge["message"].as_str().unwrap();
        let signature = signer.sign_message_sync(message.as_bytes()).unwrap().to_string();
        let answer = json!({ "message": message, "signature": signature });
        let session: medlock_api::Session = ok(self.request(Method::POST, "/v1/sessions").json(&answer)).await;
        assert_eq!(session.account, signer.address());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_that_asks_too_much_keeps_nobody_else_from_signing_in() {
    let world = World::start().await;
    let loud = Client::at(&world.gateway, "127.0.0.1", None);
    loud.exhausts().await;
    let problem = refused(loud.request(Method::GET, "/v1/deployment"), Kind::TooMany).await;
    assert_eq!(problem.kind(), Some(Kind::TooMany));
    Client::at(&world.gateway, "127.0.0.2", None)
        .signs_in(&world.clinic)
        .await;

    // Another name in the header is no other address, and does not have somebody else counted.
    let forged = Client::at(&world.gateway, "127.0.0.1", Some("203.0.113.77"));
    forged.exhausts_soon().await;
    let named = Client::at(&world.gateway, "127.0.0.1", Some("127.0.0.3"));
    named.exhausts_soon().await;
    Client::at(&world.gateway, "127.0.0.3", None)
        .signs_in(&world.clinic)
        .await;
    // Whoever watches is answered.
    ok_bytes(loud.request(Method::GET, "/health")).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_those_that_it_names_are_told_apart() {
    let world = World::start().await;
    // Each with a gateway that nobody has asked yet.
    let behind = async || world.behind(&["127.0.0.1", "10.0.0.0/8"]).await;
    let gateway = behind().await;
    let by_proxy = |forwarded_for: &str| Client::at(&gateway, "127.0.0.1", Some(forwarded_for));
    let loud = by_proxy("203.0.113.1");
    loud.exhausts().await;
    for same in [
        "198.51.100.9, 203.0.113.1",
        "203.0.113.1, 10.1.2.3",
        "10.9.9.9,203.0.113.1:5000",
    ] {
        by_proxy(same).exhausts_soon().await;
    }
    by_proxy("203.0.113.2").signs_in(&world.clinic).await;
    gateway.shutdown().await.unwrap();

    let gateway = behind().await;
    let by_proxy = |forwarded_for: &str| Client::at(&gateway, "127.0.0.1", Some(forwarded_for));
    by_proxy("2001:db8:0:1::1").exhausts().await;
    by_proxy("2001:db8:0:1:ffff::2").exhausts_soon().await;
    by_proxy("2001:db8:0:2::1").signs_in(&world.clinic).await;
    gateway.shutdown().await.unwrap();

    // Not the proxy: its header is its own invention.
    let gateway = behind().await;
    Client::at(&gateway, "127.0.0.9", Some("203.0.113.3")).exhausts().await;
    Client::at(&gateway, "127.0.0.9", Some("203.0.113.4"))
        .exhausts_soon()
        .await;
    let named = Client::at(&gateway, "127.0.0.1", Some("203.0.113.3"));
    named.signs_in(&world.clinic).await;
    gateway.shutdown().await.unwrap();

    // Many addresses together meet the limit of all, which is not theirs to move.
    let gateway = behind().await;
    let server = gateway.serve_metrics(([127, 0, 0, 1], 0).into()).await.unwrap();
    let crowd: Vec<Client> = (0..50)
        .map(|n| Client::at(&gateway, "127.0.0.1", Some(&format!("192.0.2.{n}"))))
        .collect();
    let asking = (0..TRIES).map(|n| crowd[n % crowd.len()].asks());
    let answers = futures::future::join_all(asking).await;
    assert!(answers.contains(&StatusCode::SERVICE_UNAVAILABLE));
    assert!(!answers.contains(&StatusCode::TOO_MANY_REQUESTS));
    let seen = metrics::scrape(&server).await;
    assert!(seen[r#"medlock_gateway_refused_total{limit="without-session"}"#] >= 1.0);
    drop(server);
    gateway.shutdown().await.unwrap();
    world.stop().await;
}
