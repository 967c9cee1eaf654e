//! What a client may send that is no client: over bare sockets, at the real gateway. Each is answered with what is wrong with it, or cut off, and the
//! gateway serves on.
use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use futures::future::join_all;
use medlock_gateway::{CONNECTIONS_EACH_MOST, JSON_BYTES_MOST};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::*;

/// What the layer of HTTP answers by itself is a status without a body; all else is a problem.
const BARE: [u16; 2] = [400, 431];

/// One answer off the wire.
#[derive(Debug)]
struct Raw {
    status: u16,
    /// In lower case, without the status line.
    head: String,
    body: Vec<u8>,
}

impl Raw {
    fn problem(&self) -> Problem {
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The next answer on a connection; `None`: it was closed.
async fn next(stream: &mut TcpStream) -> Option<Raw> {
    timeout(PATIENCE, async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            // A reset is an end as well.
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await.ok()?;
        Some(Raw { status, head, body })
    })
    .await
    .expect("neither answered nor closed")
}

async fn closed(stream: &mut TcpStream) {
    let read = timeout(PATIENCE, stream.read(&mut [0; 1])).await.expect("it is closed");
    assert!(matches!(read, Ok(0) | Err(_)), "there is more");
}

impl World {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.gateway.addr()).await.unwrap()
    }

    /// Sends `bytes` on a connection of their own; what comes back first.
    async fn raw(&self, bytes: impl AsRef<[u8]>) -> Option<Raw> {
        let mut stream = self.connect().await;
        // It may be answered and closed before all is sent.
        let _ = stream.write_all(bytes.as_ref()).await;
        next(&mut stream).await
    }

    async fn serves(&self) {
        let health: medlock_api::Health = ok(self.request(Method::GET, "/health")).await;
        assert_eq!(health.status, "ok");
        let _: medlock_api::Deployment = ok(self.request(Method::GET, "/v1/deployment")).await;
    }

    /// That no request ended as a failure of the gateway's, and none is still at work.
    async fn unharmed(&self) {
        self.serves().await;
        let server = self.gateway.serve_metrics(([127, 0, 0, 1], 0).into()).await.unwrap();
        eventually(async || {
            let seen = metrics::scrape(&server).await;
            let failed = seen
                .iter()
                .filter(|(name, _)| name.starts_with("medlock_gateway_requests_total") && name.contains("5xx"));
            assert_eq!(failed.count(), 0, "{seen:#?}");
            (seen["medlock_gateway_requests_at_work"] == 0.0).then_some(())
        })
        .await;
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: gateway\r\n\r\n")
}

fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_none_are_refused() {
    let world = World::start().await;
    let long = "x".repeat(200_000);
    let host = "host: gateway\r\n";
    // `None`: closed without a word.
    let cases = [
        (
            "a long value",
            format!("GET /health HTTP/1.1\r\n{host}a: {long}\r\n\r\n"),
            Some(431),
        ),
        (
            "a long name",
            format!("GET /health HTTP/1.1\r\n{host}{long}: a\r\n\r\n"),
            Some(431),
        ),
        (
            "many headers",
            format!("GET /health HTTP/1.1\r\n{host}{}\r\n", "a: b\r\n".repeat(1000)),
            Some(431),
        ),
        ("a long path", get(&format!("/{long}")), Some(431)),
        ("a long query", get(&format!("/health?{long}")), Some(431)),
        ("no HTTP", "hello\r\n\r\n".to_owned(), Some(400)),
        (
            "TLS",
            "\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03".repeat(20),
            Some(400),
        ),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), None),
        ("NUL in the path", get("/hea\0lth"), Some(400)),
        ("a space in the path", get("/hea lth"), Some(400)),
        (
            "NUL in a value",
            format!("GET /health HTTP/1.1\r\n{host}a: b\0c\r\n\r\n"),
            Some(400),
        ),
        (
            "CR in a value",
            format!("GET /health HTTP/1.1\r\n{host}a: b\rc: d\r\n\r\n"),
            Some(400),
        ),
        (
            "a folded value",
            format!("GET /health HTTP/1.1\r\n{host}a: b\r\n c: d\r\n\r\n"),
            Some(400),
        ),
        (
            "a space before the colon",
            format!("GET /health HTTP/1.1\r\n{host}a : b\r\n\r\n"),
            Some(400),
        ),
        (
            "no colon",
            format!("GET /health HTTP/1.1\r\n{host}ab\r\n\r\n"),
            Some(400),
        ),
    ];
    let mut wrong = Vec::new();
    for (case, bytes, expected) in cases {
        let mut stream = world.connect().await;
        // It may be answered and closed before all is sent.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let status = match next(&mut stream).await {
            Some(answer) if BARE.contains(&answer.status) && answer.body.is_empty() => Some(answer.status),
            Some(other) => panic!("{case}: {other:?}"),
            None => None,
        };
        if status != expected {
            wrong.push((case, status, expected));
        }
        closed(&mut stream).await;
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    world.unharmed().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_smuggled_behind_another() {
    let world = World::start().await;
    let hidden = get("/v1/deployment");
    let request = |headers: &str, body: &str| {
        format!(
            "POST /v1/sessions/challenge HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n{headers}\r\n{body}"
        )
    };
    let chunked = format!("0\r\n\r\n{hidden}");
    let length = format!("content-length: {}\r\n", chunked.len());
    let te = "transfer-encoding: chunked\r\n";
    // Each is answered once, as an empty body is no JSON, or no request at all; what stands behind is not looked at.
    let cases = [
        ("both", request(&format!("{length}{te}"), &chunked)),
        ("both, the other way round", request(&format!("{te}{length}"), &chunked)),
        (
            "lengths that differ",
            request(&format!("content-length: 0\r\n{length}"), &hidden),
        ),
        ("two lengths in one", request("content-length: 0, 5\r\n", &hidden)),
        ("a length with a sign", request("content-length: +5\r\n", &hidden)),
        ("a negative length", request("content-length: -1\r\n", &hidden)),
        ("a length in hex", request("content-length: 0x5\r\n", &hidden)),
        (
            "a length that overflows",
            request("content-length: 18446744073709551617\r\n", &hidden),
        ),
        (
            "an encoding of another name",
            request("transfer-encoding: xchunked\r\n", &chunked),
        ),
        (
            "chunked, and then not",
            request("transfer-encoding: chunked, identity\r\n", &chunked),
        ),
        ("a chunk of a negative size", request(te, &format!("-1\r\n{hidden}"))),
        ("a chunk of no size", request(te, &format!("\r\n{hidden}"))),
        (
            "a chunk that overflows",
            request(te, &format!("fffffffffffffffff\r\n{hidden}")),
        ),
        (
            "a chunk longer than it says",
            request(te, &format!("2\r\n{{}}{hidden}")),
        ),
        (
            "in the first HTTP",
            request(te, &chunked).replace("HTTP/1.1", "HTTP/1.0"),
        ),
    ];
    for (case, bytes) in cases {
        let mut stream = world.connect().await;
        let _ = stream.write_all(bytes.as_bytes()).await;
        let answer = next(&mut stream).await.unwrap_or_else(|| panic!("{case}: closed"));
        assert_eq!(answer.status, 400, "{case}: {answer:?}");
        if !answer.body.is_empty() {
            assert_eq!(answer.problem().kind(), Some(Kind::BadRequest), "{case}");
        }
        closed(&mut stream).await;
    }
    // One after the other, as it is meant, both are answered.
    let mut stream = world.connect().await;
    let pair = [get("/health"), get("/v1/deployment")].concat();
    stream.write_all(pair.as_bytes()).await.unwrap();
    for part in ["\"ok\"", "chain_id"] {
        let answer = next(&mut stream).await.unwrap();
        assert!(String::from_utf8(answer.body).unwrap().contains(part));
    }
    world.unharmed().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_where_they_say_or_nowhere() {
    let world = World::with_chart().await;
    let nowhere = [
        "/v1/../health",
        "/./health",
        "/health/",
        "//health",
        "/health//",
        "/HEALTH",
        "/v1%2fdeployment",
        "/v1/%2e%2e/health",
        "/v1/sessions/..%2f..%2fhealth",
        "/docs/..%2f..%2f..%2fetc%2fpasswd",
        "/docs/../../etc/passwd",
        "/docs/%00",
        "/%2e%2e%5c%2e%2e%5cetc",
        "/openapi.json%00.html",
    ];
    for path in nowhere {
        let answer = world.raw(get(path)).await.unwrap();
        assert_eq!(answer.problem().kind(), Some(Kind::NoRoute), "{path}");
    }
    let account = world.clinic.address();
    let bad = [
        "%00".to_owned(),
        "%ff%fe".to_owned(),
        "..%2f..".to_owned(),
        "%252e%252e".to_owned(),
        "0x".to_owned(),
        format!("{account}%00"),
        format!("{account}%0d%0aset-cookie:%20a=b"),
        format!("{account}/"),
        "%0d%0a%0d%0a<script>".to_owned(),
        "1".repeat(20_000),
    ];
    for name in bad {
        let Some(answer) = world.raw(get(&format!("/v1/parties/{name}"))).await else {
            panic!("{name}: closed");
        };
        // A byte that a path cannot hold is no HTTP.
        if !answer.body.is_empty() {
            let kind = answer.problem().kind().unwrap();
            assert!(matches!(kind, Kind::BadRequest | Kind::NoRoute), "{name}: {kind:?}");
        } else {
            assert_eq!(answer.status, 400, "{name}");
        }
        assert!(
            !answer.head.contains("set-cookie") && !answer.head.contains("script"),
            "{answer:?}"
        );
    }
    // With a session it is the same.
    let token = world.sign_in(&world.patient).await;
    for path in ["..%2f..%2fhealth", "%00", "%2e%2e", "..", &"f".repeat(20_000)] {
        let head = format!("GET /v1/charts/{path}/reads HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
        let answer = world.raw(head).await.unwrap();
        assert_eq!(answer.problem().kind(), Some(Kind::BadRequest), "{path:.40}");
    }
    // A target in full is answered for its path; who is named in it, or in Host, changes nothing.
    let absolute = "GET http://elsewhere.example/v1/deployment HTTP/1.1\r\nhost: elsewhere.example\r\n\r\n";
    assert_eq!(world.raw(absolute).await.unwrap().status, 200);
    for odd in [
        "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
        "CONNECT gateway:443 HTTP/1.1\r\nhost: a\r\n\r\n",
    ] {
        let answer = world.raw(odd).await.unwrap();
        assert!((400..500).contains(&answer.status), "{odd}: {answer:?}");
    }
    world.unharmed().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_bombs_are_refused_for_what_they_are() {
    let world = World::with_chart().await;
    let token = world.sign_in(&world.patient).await;
    let bearer = format!("authorization: Bearer {token}\r\n");
    let account = world.clinic.address();
    let fits = JSON_BYTES_MOST - 100;
    let deep = |open: &str, close: &str, count: usize| [open.repeat(count), "1".into(), close.repeat(count)].concat();
    let account_of = |value: &str| format!("{{\"account\":{value}}}");
    let bombs = [
        deep("[", "]", fits / 2),
        deep("{\"a\":", "}", fits / 6),
        "[".repeat(fits),
        "{\"account\":".repeat(fits / 11),
        account_of(&deep("[", "]", fits / 2 - 20)),
        account_of(&"9".repeat(fits - 20)),
        account_of("1e999999999"),
        account_of("-1e-999999999"),
        account_of(&format!("\"{}\"", "\\u0000".repeat(1000))),
        account_of("\"\\ud800\""),
        format!("{{\"account\":\"{account}\",\"account\":\"{account}\"}}"),
        format!("{{\"account\":\"{account}\",\"admin\":true}}"),
        format!("{{\"account\":\"{account}\"}} {{}}"),
        "\u{feff}{}".to_owned(),
        String::new(),
        "null".to_owned(),
    ];
    for bomb in &bombs {
        let answer = world.raw(post("/v1/sessions/challenge", "", bomb)).await.unwrap();
        assert_eq!(answer.problem().kind(), Some(Kind::BadRequest), "{:.40}", bomb);
    }
    for path in ["/v1/decisions", "/v1/relay/operations", "/fhir/Consent"] {
        for bomb in &bombs {
            let answer = world.raw(post(path, &bearer, bomb)).await.unwrap();
            assert!((400..500).contains(&answer.status), "{path} {:.40}: {answer:?}", bomb);
        }
    }
    // Questions may be 4 MiB.
    let most = 4 * 1024 * 1024 - 100;
    let questions = |value: &str| format!("{{\"questions\":{value}}}");
    for bomb in [
        questions(&deep("[", "]", most / 2 - 20)),
        questions(&deep("[{\"chart\":", "}]", most / 12 - 20)),
        questions(&format!("[{}null]", "null,".repeat(most / 5 - 20))),
        questions(&format!("[{}1]", "1,".repeat(most / 2 - 20))),
    ] {
        let answer = world.raw(post("/v1/decisions", &bearer, &bomb)).await.unwrap();
        assert_eq!(answer.problem().kind(), Some(Kind::BadRequest), "{:.40}", bomb);
    }
    // Too long by what it says, and by what it sends.
    let long = post("/v1/sessions/challenge", "", &" ".repeat(JSON_BYTES_MOST + 1));
    assert_eq!(
        world.raw(long).await.unwrap().problem().kind(),
        Some(Kind::PayloadTooLarge)
    );
    let said = "POST /v1/sessions/challenge HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000000000\r\n\r\n{";
    assert_eq!(
        world.raw(said).await.unwrap().problem().kind(),
        // It says that more comes, and nothing comes.
        Some(Kind::Timeout)
    );
    let mut stream = world.connect().await;
    let head = "POST /v1/sessions/challenge HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..100 {
        if stream
            .write_all(format!("1000\r\n{}\r\n", " ".repeat(0x1000)).as_bytes())
            .await
            .is_err()
        {
            break;
        }
    }
    assert_eq!(
        next(&mut stream).await.unwrap().problem().kind(),
        Some(Kind::PayloadTooLarge)
    );
    world.unharmed().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_by_the_byte_is_cut_off() {
    let world = World::start().await;
    // A head that never ends: a byte a second is a life sign to whoever counts silence alone.
    let mut drip = world.connect().await;
    let since = Instant::now();
    drip.write_all(b"GET /health HTTP/1.1\r\nhost: gateway\r\na: ")
        .await
        .unwrap();
    let cut_off = async {
        loop {
            tokio::select! {
                read = drip.read_u8() => break read,
                () = tokio::time::sleep(Duration::from_millis(500)) => if drip.write_all(b"b").await.is_err() {
                    break drip.read_u8().await;
                },
            }
        }
    };
    // What says nothing at all, and what has been served and then says nothing.
    let mut silent = world.connect().await;
    let mut idle = world.connect().await;
    idle.write_all(get("/health").as_bytes()).await.unwrap();
    assert_eq!(next(&mut idle).await.unwrap().status, 200);
    // A body by the byte.
    let mut body = world.connect().await;
    let head = "POST /v1/sessions/challenge HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    body.write_all(head.as_bytes()).await.unwrap();

    let (cut, (), (), slow) = tokio::join!(
        timeout(PATIENCE, cut_off),
        closed(&mut silent),
        closed(&mut idle),
        next(&mut body)
    );
    assert!(
        cut.expect("it is cut off in time").is_err(),
        "no answer: it has not asked"
    );
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
    assert_eq!(slow.unwrap().problem().kind(), Some(Kind::Timeout));
    world.unharmed().await;
    world.stop().await;
}

/// A process that holds connections open, and says nothing on them.
struct Holder(Child);

impl Holder {
    /// `count` of them, from as many addresses as it takes.
    fn hold(to: SocketAddr, count: usize, each: usize) -> Self {
        let program = "
import resource, socket, sys
port, count, each = map(int, sys.argv[1:])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = []
for number in range(count):
    address = '127.0.%d.%d' % (1 + number // each // 200, 1 + number // each % 200)
    held.append(socket.create_connection(('127.0.0.1', port), 30, (address, 0)))
    held[-1].sendall(b'GET /health HTTP/1.1\\r\\n')
print('held', flush=True)
sys.stdin.read()
";
        let mut child = Command::new("python3")
            .args([
                "-c",
                program,
                &to.port().to_string(),
                &count.to_string(),
                &each.to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is not installed");
        let mut said = [0; 5];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).expect("it holds them");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Of this process, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// For each connection that waits: the sockets' buffers are the kernel's.
const BYTES_EACH_MOST: u64 = 24 * 1024;
const HELD: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_that_hang_keep_nobody_from_being_served() {
    // Three in four files are for connections, and another test may have some.
    let files = format!("--nofile={}:", HELD * 2);
    let pid = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, &files]).status();
    assert!(
        raised.expect("prlimit is not installed").success(),
        "{} open files are not allowed here",
        HELD * 2
    );
    let mut world = World::start().await;
    world.serves().await;
    let before = resident();
    let to = world.gateway.addr();
    let holder = tokio::task::spawn_blocking(move || Holder::hold(to, HELD, 250))
        .await
        .unwrap();
    let each = resident().saturating_sub(before) / HELD as u64;
    // Somebody who comes now.
    world.http = reqwest::Client::new();
    for _ in 0..5 {
        world.sign_in(&world.clinic).await;
    }
    // All of them are open still, and none was refused.
    let server = world.gateway.serve_metrics(([127, 0, 0, 1], 0).into()).await.unwrap();
    let seen = metrics::scrape(&server).await;
    assert!(seen["medlock_gateway_connections"] > HELD as f64, "{seen:#?}");
    assert_eq!(
        seen[r#"medlock_gateway_refused_total{limit="connections-at-once"}"#],
        0.0
    );
    assert!(each <= BYTES_EACH_MOST, "{each} bytes for each connection");
    println!("{each} bytes for each connection");
    drop(holder);
    world.unharmed().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_its_share_of_connections_and_no_more() {
    let world = World::start().await;
    let to = world.gateway.addr();
    let from = |address: [u8; 4]| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        socket.connect(to).await.unwrap()
    };
    let greedy = join_all((0..CONNECTIONS_EACH_MOST).map(|_| from([127, 0, 0, 7]))).await;
    // All of them are accepted once another one, that came later, is served.
    eventually(async || {
        let mut one_more = from([127, 0, 0, 7]).await;
        let _ = one_more.write_all(get("/health").as_bytes()).await;
        next(&mut one_more).await.is_none().then_some(())
    })
    .await;
    let mut other = from([127, 0, 0, 8]).await;
    other.write_all(get("/health").as_bytes()).await.unwrap();
    assert_eq!(next(&mut other).await.unwrap().status, 200);
    // A place that is given back is another's.
    drop(greedy);
    eventually(async || {
        let mut one_more = from([127, 0, 0, 7]).await;
        let _ = one_more.write_all(get("/health").as_bytes()).await;
        next(&mut one_more).await.map(drop)
    })
    .await;
    world.unharmed().await;
    world.stop().await;
}

/// What is asked of the node says how long an answer takes, and does not drown in the noise of a clock.
#[tokio::test(flavor = "multi_thread")]
async fn a_chart_that_does_not_exist_takes_as_much_as_one_that_is_not_yours() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(labs.blocks.clone()).await.unwrap();
    let token = world.sign_in(&world.stranger).await;
    let asked = async |request: RequestBuilder| {
        let before = world.node.calls.load(SeqCst);
        let (status, headers, body) = answer(request, None).await;
        let calls = world.node.calls.load(SeqCst) - before;
        assert!(!headers.contains_key("medlock-block"));
        (calls, status, body)
    };
    let paths = [
        "",
        "/directory",
        "/keyring",
        "/grants",
        "/records",
        "/reads",
        "/records/{record}/versions",
        "/records/{record}/versions/1/payload",
    ];
    let record = labs.record_id.to_string();
    for path in paths {
        let of = |chart: B256| {
            world.get(
                &token,
                &format!("/v1/charts/{chart}{}", path.replace("{record}", &record)),
            )
        };
        assert_eq!(asked(of(CHART)).await, asked(of(UNKNOWN)).await, "{path}");
    }
    let read = |chart: B256| {
        let request = world.receipt(&world.stranger, &labs, |receipt| receipt.chart = chart);
        world.read(&token, &request)
    };
    assert_eq!(asked(read(CHART)).await, asked(read(UNKNOWN)).await);
    let question = |chart: B256| {
        let questions =
            json!({ "questions": [{ "chart": chart, "compartment": LABS, "purpose": "TREAT", "action": "read" }] });
        world
            .request(Method::POST, "/v1/decisions")
            .bearer_auth(&token)
            .json(&questions)
    };
    assert_eq!(asked(question(CHART)).await.0, asked(question(UNKNOWN)).await.0);
    for path in [
        "/fhir/Consent?patient={chart}",
        "/fhir/DocumentReference?patient={chart}",
        "/fhir/Patient/{chart}",
    ] {
        let of = |chart: B256| world.get(&token, &path.replace("{chart}", &format!("{chart:x}")));
        let ([calls, others], [status, theirs]) = {
            let (one, two) = (asked(of(CHART)).await, asked(of(UNKNOWN)).await);
            ([one.0, two.0], [one.1, two.1])
        };
        assert_eq!((calls, status), (others, theirs), "{path}");
    }
    world.stop().await;
}
