//! The FHIR R4 facade: what the other routes say, in FHIR's words, and nothing more. Every resource that these tests meet goes through
//! fhir.resources, a validator of others.
use std::sync::Mutex;

use super::*;
use medlock_abi::relay::IRelay;
use medlock_api::Operation;
use medlock_fhir::facade::{self, facts};

const FHIR_JSON: &str = "application/fhir+json";

/// A caller, and what has come back so far.
struct Reader<'a> {
    world: &'a World,
    token: String,
    seen: &'a Seen,
}

#[derive(Default)]
struct Seen(Mutex<Vec<Value>>);

impl Seen {
    fn take(&self, resource: &Value) {
        self.0.lock().unwrap().push(resource.clone());
    }

    /// All of them by the validator that `tools/setup-python.sh` installs.
    fn validate(self) {
        let seen = self.0.into_inner().unwrap();
        let texts: Vec<_> = seen.iter().map(Value::to_string).collect();
        for (resource, faults) in seen.iter().zip(medlock_peers::fhir_faults(&texts)) {
            assert!(faults.is_empty(), "{faults:?}: {resource:#}");
        }
    }
}

impl<'a> Reader<'a> {
    async fn new(world: &'a World, signer: &PrivateKeySigner, seen: &'a Seen) -> Self {
        let token = world.sign_in(signer).await;
        Self { world, token, seen }
    }

    async fn answer(&self, request: RequestBuilder) -> (StatusCode, HeaderMap, Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, headers, body) = once(request.try_clone().unwrap()).await;
            assert_eq!(headers["content-type"], FHIR_JSON, "{}", String::from_utf8_lossy(&body));
            assert_eq!(headers["cache-control"], "no-store");
            let resource: Value = serde_json::from_slice(&body).unwrap();
            // An index that is behind is asked again, as a client does.
            if status == StatusCode::SERVICE_UNAVAILABLE && Instant::now() < deadline {
                continue;
            }
            self.seen.take(&resource);
            return (status, headers, resource);
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = self.world.get(&self.token, &format!("/fhir/{path}"));
        let (status, _, body) = self.answer(request).await;
        (status, body)
    }

    async fn ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body:#}");
        body
    }

    /// The matches, page by page, and each resource by its id the same.
    async fn search(&self, query: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut path = query.to_owned();
        loop {
            let bundle = self.ok(&path).await;
            assert_eq!(
                (&bundle["resourceType"], &bundle["type"]),
                (&json!("Bundle"), &json!("searchset"))
            );
            for entry in bundle["entry"].as_array().into_iter().flatten() {
                let resource = &entry["resource"];
                let name = format!(
                    "{}/{}",
                    resource["resourceType"].as_str().unwrap(),
                    text(&resource["id"])
                );
                assert_eq!(entry["fullUrl"], format!("{}/fhir/{name}", self.world.gateway.url()));
                assert_eq!(&self.ok(&name).await, resource);
                found.push(resource.clone());
            }
            let next = bundle["link"]
                .as_array()
                .unwrap()
                .iter()
                .find(|link| link["relation"] == "next");
            let Some(next) = next else { return found };
            path = text(&next["url"]).split_once("/fhir/").unwrap().1.to_owned();
        }
    }

    async fn total(&self, query: &str) -> u64 {
        let bundle = self.ok(&format!("{query}&_summary=count")).await;
        assert!(bundle.get("entry").is_none());
        bundle["total"].as_u64().unwrap()
    }

    /// Status and code of a refusal.
    async fn refusal(&self, path: &str) -> (u16, String) {
        let (status, body) = self.get(path).await;
        (status.as_u16(), issue(&body))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn issue(body: &Value) -> String {
    assert_eq!(body["resourceType"], "OperationOutcome", "{body:#}");
    text(&body["issue"][0]["code"]).to_owned()
}

fn did(account: Address) -> String {
    let chain = medlock_anvil::CHAIN_ID;
    format!("did:pkh:eip155:{chain}:0x{}", alloy::hex::encode(account))
}

fn chart() -> String {
    alloy::hex::encode(CHART)
}

fn record_system(record: B256) -> String {
    format!("urn:medlock:fhir:record|{}.{}", chart(), alloy::hex::encode(record))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_finds_what_the_other_routes_would_show_and_no_more() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    let again = world.amend(&world.clinic, &labs, LABS, b"labs again").await;
    let notes = world.write(&world.patient, B256::repeat_byte(2), NOTES, b"notes").await;
    for written in [&labs, &again, &notes] {
        world.store.put(written.blocks.clone()).await.unwrap();
    }
    let deny = rule(&world, &notes, Address::ZERO, effect::DENY);
    world.send(&world.patient, world.deployment.exceptions, deny).await;
    world.allow_emergency(true).await;
    let seen = Seen::default();
    let [patient, clinic, stranger] = [&world.patient, &world.clinic, &world.stranger];
    let patient = Reader::new(&world, patient, &seen).await;
    let clinic = Reader::new(&world, clinic, &seen).await;
    let stranger = Reader::new(&world, stranger, &seen).await;
    let chart = chart();

    // Consents: both to the patient, its own to the clinic, and to a stranger what is told of no chart at all.
    let all = patient.search(&format!("Consent?patient={chart}")).await;
    assert_eq!(all.len(), 2);
    let [standing, grant] = &all[..] else { unreachable!() };
    assert_eq!(standing["provision"]["type"], "deny");
    assert_eq!(grant["provision"]["type"], "permit");
    assert_eq!(grant["performer"], json!([{ "reference": format!("Patient/{chart}") }]));
    // The rule about everybody is in both for the patient; the clinic learns of no record in a compartment that it has not.
    assert_eq!(grant["provision"]["provision"].as_array().unwrap().len(), 1);
    let own = clinic.search(&format!("Consent?patient={chart}")).await;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["id"], grant["id"]);
    assert_eq!(own[0]["provision"].get("provision"), None);
    assert_eq!(clinic.search("Consent").await, own);
    assert_eq!(patient.search("Consent").await, all);
    assert_eq!(stranger.search("Consent").await, [] as [Value; 0]);
    let of_unknown = stranger
        .ok(&format!(
            "Consent?patient={}&_total=accurate",
            alloy::hex::encode(UNKNOWN)
        ))
        .await;
    let of_known = stranger.ok(&format!("Consent?patient={chart}&_total=accurate")).await;
    let said = |bundle: &Value| {
        bundle
            .to_string()
            .replace(&chart, "")
            .replace(&alloy::hex::encode(UNKNOWN), "")
    };
    assert_eq!(said(&of_known), said(&of_unknown));
    assert_eq!(of_known["total"], 0);
    for id in [text(&grant["id"]), text(&standing["id"]), "1.1", "x"] {
        assert_eq!(
            stranger.refusal(&format!("Consent/{id}")).await,
            (404, "not-found".to_owned())
        );
    }
    assert_eq!(
        clinic.refusal(&format!("Consent/{}", text(&standing["id"]))).await.0,
        404
    );
    for (query, found) in [
        (
            format!("actor:identifier=urn:ietf:rfc:3986|{}", did(world.clinic.address())),
            1,
        ),
        (format!("actor:identifier={}", did(world.stranger.address())), 0),
        ("purpose=TREAT".to_owned(), 1),
        ("purpose=HPAYMT".to_owned(), 0),
        ("status=active".to_owned(), 2),
        ("status=inactive".to_owned(), 0),
        // A grant without bounds has no period to search by.
        ("period=ge2020-01-01".to_owned(), 0),
        (format!("_id={},{}", text(&grant["id"]), "9.9"), 1),
    ] {
        assert_eq!(
            patient.total(&format!("Consent?patient={chart}&{query}")).await,
            found,
            "{query}"
        );
    }

    // Records: by compartment. All versions, page by page.
    let documents = patient
        .search(&format!("DocumentReference?patient={chart}&_count=1"))
        .await;
    let versions: Vec<_> = documents
        .iter()
        .map(|one| (text(&one["status"]), &one["securityLabel"][0]["coding"][0]["code"]))
        .collect();
    assert_eq!(
        versions,
        [
            ("superseded", &json!("3")),
            ("current", &json!("3")),
            ("current", &json!("5"))
        ]
    );
    assert_eq!(clinic.search("DocumentReference?_count=1").await, documents[..2]);
    assert_eq!(stranger.total("DocumentReference?").await, 0);
    let hidden = text(&documents[2]["id"]);
    assert_eq!(
        clinic.refusal(&format!("DocumentReference/{hidden}")).await,
        (404, "not-found".to_owned())
    );
    assert_eq!(clinic.refusal(&format!("Provenance/{hidden}")).await.0, 404);
    assert_eq!(clinic.total(&format!("DocumentReference?_id={hidden}")).await, 0);
    for (query, found) in [
        ("status=current".to_owned(), 2),
        ("security-label=urn:medlock:fhir:compartment|5".to_owned(), 1),
        (format!("identifier={}", record_system(labs.record_id)), 2),
        (format!("author:identifier={}", did(world.patient.address())), 1),
        ("date=lt2020".to_owned(), 0),
    ] {
        assert_eq!(
            patient
                .total(&format!("DocumentReference?patient={chart}&{query}"))
                .await,
            found,
            "{query}"
        );
    }
    let written = clinic
        .search(&format!(
            "Provenance?target=DocumentReference/{}",
            text(&documents[1]["id"])
        ))
        .await;
    assert_eq!(written.len(), 1);
    assert_eq!(written[0]["activity"]["coding"][0]["code"], "UPDATE");
    assert_eq!(
        written[0]["agent"][0]["who"]["identifier"]["value"],
        did(world.clinic.address())
    );
    assert_eq!(patient.ok(&format!("Patient/{chart}")).await["id"], chart);
    assert_eq!(
        stranger.refusal(&format!("Patient/{chart}")).await,
        (404, "not-found".to_owned())
    );
    assert_eq!(
        stranger
            .refusal(&format!("Patient/{}", alloy::hex::encode(UNKNOWN)))
            .await,
        (404, "not-found".to_owned())
    );

    // Reads: to the controller alone, and what a read rests on.
    ok_bytes(world.read(&clinic.token, &world.receipt(&world.clinic, &again, |r| r.version = 2))).await;
    ok_bytes(world.read(&patient.token, &world.receipt(&world.patient, &notes, |_| ()))).await;
    let audits = patient.search(&format!("AuditEvent?patient={chart}&_count=1")).await;
    assert_eq!(audits.len(), 2);
    assert_eq!(patient.search("AuditEvent").await, audits);
    let rests_on = format!("Consent/{}", text(&grant["id"]));
    assert!(audits[0]["entity"].to_string().contains(&rests_on));
    assert!(
        audits[0]["entity"]
            .to_string()
            .contains(&format!("DocumentReference/{}", text(&documents[1]["id"])))
    );
    assert!(!audits[1]["entity"].to_string().contains("Consent/"));
    assert_eq!(
        patient
            .total(&format!("AuditEvent?agent:identifier={}", did(world.clinic.address())))
            .await,
        1
    );
    for other in [&clinic, &stranger] {
        assert_eq!(other.total(&format!("AuditEvent?patient={chart}")).await, 0);
        assert_eq!(other.total("AuditEvent?").await, 0);
        let id = text(&audits[0]["id"]);
        assert_eq!(
            other.refusal(&format!("AuditEvent/{id}")).await,
            (404, "not-found".to_owned())
        );
        assert_eq!(other.total(&format!("AuditEvent?_id={id}")).await, 0);
    }

    // The grant ends: its Consent stays, inactive, to both; the records are out of the clinic's sight.
    world.revoke().await;
    let ended = clinic.search("Consent?status=inactive").await;
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["id"], grant["id"]);
    assert_eq!(patient.search("Consent?status=inactive").await.len(), 1);
    assert_eq!(clinic.total("DocumentReference?").await, 0);
    assert_eq!(clinic.refusal(&format!("Patient/{chart}")).await.0, 404);

    // Shredded: gone, and who wrote it stays known.
    world.shred(&world.patient, CHART, labs.record_id).await;
    let id = text(&documents[0]["id"]);
    assert_eq!(
        patient.refusal(&format!("DocumentReference/{id}")).await,
        (410, "deleted".to_owned())
    );
    assert_eq!(patient.total("DocumentReference?").await, 1);
    patient.ok(&format!("Provenance/{id}")).await;
    seen.validate();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_fhir_s_and_so_are_refusals() {
    let world = World::with_chart().await;
    let seen = Seen::default();
    let clinic = Reader::new(&world, &world.clinic, &seen).await;
    let fhir = |method: Method, path: &str| world.request(method, &format!("/fhir/{path}"));
    let (status, _, statement) = clinic.answer(fhir(Method::GET, "metadata")).await;
    assert_eq!((status, &statement["fhirVersion"]), (StatusCode::OK, &json!("4.0.1")));
    let url = format!("{}/fhir", world.gateway.url());
    assert_eq!(statement["implementation"]["url"], url);

    let signed = |method, path: &str| fhir(method, path).bearer_auth(&clinic.token);
    let form = "application/x-www-form-urlencoded";
    for (request, status, code) in [
        (fhir(Method::GET, "Consent"), 401, "login"),
        (fhir(Method::GET, "Consent").bearer_auth("nobody's"), 401, "login"),
        (signed(Method::GET, "Observation/1"), 404, "not-supported"),
        (signed(Method::GET, "Observation"), 404, "not-supported"),
        (signed(Method::GET, "Patient?name=x"), 405, "not-supported"),
        (signed(Method::GET, "Consent/1/_history/1"), 404, "not-supported"),
        (signed(Method::DELETE, "Consent/1.1"), 404, "not-supported"),
        (
            signed(Method::GET, "Consent").header("accept", "application/fhir+xml"),
            406,
            "not-supported",
        ),
        (signed(Method::GET, "Consent?status=wrong|x|y"), 400, "value"),
        (
            signed(Method::GET, "Consent?unheard-of=1").header("prefer", "handling=strict"),
            400,
            "not-supported",
        ),
        (signed(Method::GET, "Consent?after=nowhere"), 400, "value"),
        (signed(Method::GET, "AuditEvent?after=nowhere"), 400, "value"),
        (
            signed(Method::POST, "Consent/_search")
                .header("content-type", "text/plain")
                .body("x"),
            415,
            "not-supported",
        ),
        (signed(Method::POST, "Consent").body("{}"), 415, "not-supported"),
        (
            signed(Method::POST, "Patient")
                .header("content-type", FHIR_JSON)
                .body("{}"),
            405,
            "not-supported",
        ),
        (
            signed(Method::POST, "Consent")
                .header("content-type", FHIR_JSON)
                .body("{"),
            422,
            "structure",
        ),
        (
            signed(Method::POST, "Consent")
                .header("content-type", FHIR_JSON)
                .body(vec![b' '; 65 * 1024]),
            413,
            "too-long",
        ),
    ] {
        let asked = format!("{request:?}");
        let (answered, headers, body) = clinic.answer(request).await;
        assert_eq!(
            (answered.as_u16(), &issue(&body)[..]),
            (status, code),
            "{asked}: {body:#}"
        );
        assert_eq!(headers.contains_key("www-authenticate"), status == 401);
    }

    // What is not known is passed over, and said.
    let bundle = clinic.ok("Consent?unheard-of=1&status=active").await;
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 2);
    assert_eq!(bundle["entry"][1]["search"]["mode"], "outcome");
    assert!(text(&bundle["link"][0]["url"]).ends_with("Consent?status=active&_count=50"));
    // By a form, with parameters on either side.
    let search = signed(Method::POST, "Consent/_search?_count=1")
        .header("content-type", form)
        .body("status=active");
    let (status, _, by_form) = clinic.answer(search).await;
    assert_eq!(
        (status, &by_form["entry"]),
        (StatusCode::OK, &clinic.ok("Consent?status=active").await["entry"])
    );
    let (status, _, all) = clinic.answer(signed(Method::POST, "Consent/_search")).await;
    assert_eq!((status, all["entry"].as_array().unwrap().len()), (StatusCode::OK, 1));
    let summary = clinic.ok("Consent?_summary=text").await;
    assert_eq!(summary["entry"][0]["resource"]["meta"]["tag"][0]["code"], "SUBSETTED");
    seen.validate();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_created_from_a_signed_grant_and_comes_back_as_it_was() {
    let world = World::with_chart().await;
    let payer = world.chain.accounts()[4].signer.clone();
    let relaying = world.relaying(payer).await;
    let seen = Seen::default();
    let insurer = Address::repeat_byte(0x1a);
    let site = facade::Site {
        base: "https://gateway.example/fhir".into(),
        gateway: "https://gateway.example".into(),
        chain_id: world.deployment.chain_id,
        records: world.deployment.records.into(),
    };
    let until = now() + 3600;
    let grant = |nonce: u64| facade::Operation {
        signer: world.patient.address().into(),
        chart: CHART.0,
        directory_version: 1,
        grantee: facts::Party {
            account: insurer.into(),
            kind: facts::Kind::Device,
        },
        serial: 0,
        terms: facts::Terms {
            compartments: 1 << LABS | 1 << NOTES,
            purposes: purpose::HPAYMT | purpose::TREAT,
            actions: action::READ | action::SHARE,
            not_before: 1_700_000_000,
            expiry: until,
        },
        keyring: [7; 32],
        nonce,
        deadline: now() + 900,
        signature: None,
    };
    let signed = |mut operation: facade::Operation, signer: &PrivateKeySigner| {
        let terms = operation.terms;
        let digest = Operation::from(IRelay::Grant {
            signer: operation.signer.into(),
            chart: operation.chart.into(),
            directoryVersion: operation.directory_version,
            grantee: operation.grantee.account.into(),
            serial: operation.serial,
            compartments: terms.compartments,
            purposes: terms.purposes,
            actions: terms.actions,
            notBefore: terms.not_before,
            expiry: terms.expiry,
            keyring: operation.keyring.into(),
            nonce: alloy::primitives::U256::from(operation.nonce),
            deadline: alloy::primitives::U256::from(operation.deadline),
        })
        .signing_hash(world.deployment.chain_id, world.deployment.relay);
        operation.signature = Some(signer.sign_hash_sync(&digest).unwrap().as_bytes().to_vec());
        operation
    };
    let patient = Reader::new(&world, &world.patient, &seen).await;
    let stranger = Reader::new(&world, &world.stranger, &seen).await;
    let create = |who: &Reader, operation: &facade::Operation| {
        let consent = facade::operation_consent(operation, &site).unwrap();
        seen.take(&consent);
        let url = format!("{}/fhir/Consent", relaying.url());
        world
            .http
            .post(url)
            .bearer_auth(&who.token)
            .header("content-type", FHIR_JSON)
            .body(consent.to_string())
    };

    // Without a signature, or with somebody else's, nothing happens.
    let (status, _, body) = patient.answer(create(&patient, &grant(0))).await;
    assert_eq!((status.as_u16(), &issue(&body)[..]), (422, "required"));
    let (status, _, body) = patient
        .answer(create(&patient, &signed(grant(0), &world.stranger)))
        .await;
    assert_eq!((status.as_u16(), &issue(&body)[..]), (422, "conflict"), "{body:#}");
    assert_eq!(patient.total("Consent?purpose=HPAYMT").await, 0);

    let operation = signed(grant(0), &world.patient);
    let (status, headers, created) = patient.answer(create(&patient, &operation)).await;
    assert_eq!(status, StatusCode::CREATED, "{created:#}");
    let id = text(&created["id"]);
    assert_eq!(headers["location"], format!("{}/Consent/{id}", site.base));
    assert_eq!(patient.ok(&format!("Consent/{id}")).await, created);
    let read = facade::read_grant(created.to_string().as_bytes(), &site).unwrap();
    assert_eq!(
        (read.chart, read.grantee, read.terms),
        (CHART.0, operation.grantee, operation.terms)
    );
    assert_eq!(
        (read.keyring, read.granter),
        (operation.keyring, Some(facts::Granter::Controller))
    );
    // Once more is the same; to the letter what it stands for.
    let (status, _, again) = patient.answer(create(&patient, &operation)).await;
    assert_eq!((status, &again), (StatusCode::CREATED, &created));
    let quiet = create(&patient, &operation).header("prefer", "return=minimal");
    let (status, headers, body) = once(quiet).await;
    assert_eq!((status, body.len()), (StatusCode::CREATED, 0));
    assert!(headers["location"].to_str().unwrap().ends_with(id));
    // Who hands in another's sees no more of it than their own sight shows.
    let (status, _, body) = stranger
        .answer(create(&stranger, &signed(grant(1), &world.stranger)))
        .await;
    assert_eq!((status.as_u16(), &issue(&body)[..]), (422, "conflict"));

    // Where nothing is relayed, nothing is created.
    let consent = facade::operation_consent(&operation, &site).unwrap().to_string();
    let post = world.request(Method::POST, "/fhir/Consent").bearer_auth(&patient.token);
    let (status, _, body) = patient
        .answer(post.header("content-type", FHIR_JSON).body(consent))
        .await;
    assert_eq!((status.as_u16(), &issue(&body)[..]), (404, "not-supported"));
    seen.validate();
    relaying.shutdown().await.unwrap();
    world.stop().await;
}

/// IHE PCF, "expiring": the Consent and what it allows end together.
#[tokio::test(flavor = "multi_thread")]
async fn pcf_an_expiring_consent_ends_with_what_it_allows() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(labs.blocks.clone()).await.unwrap();
    // Enough for what follows to be done before, on a busy machine too.
    let expiry = now() + 15;
    world.grant(|grant| grant.terms.expiry = expiry).await;
    let seen = Seen::default();
    let clinic = Reader::new(&world, &world.clinic, &seen).await;
    let consent = clinic.search("Consent?status=active").await.pop().unwrap();
    let end = facade::time::instant(expiry - 1);
    assert_eq!(consent["provision"]["period"]["end"], end);
    assert_eq!(clinic.total(&format!("Consent?period=ap{end}&status=active")).await, 1);
    ok_bytes(world.read(&clinic.token, &world.receipt(&world.clinic, &labs, |_| ()))).await;
    assert_eq!(clinic.total("DocumentReference?").await, 1);
    // The first grant was replaced.
    assert_eq!(clinic.total("Consent?status=inactive").await, 1);

    eventually(async || (now() >= expiry).then_some(())).await;
    assert_eq!(clinic.total("Consent?status=active").await, 0);
    let ended = clinic.ok(&format!("Consent/{}", text(&consent["id"]))).await;
    assert_eq!(
        (&ended["status"], &ended["meta"]["lastUpdated"]),
        (&json!("inactive"), &json!(facade::time::instant(expiry)))
    );
    assert_eq!(clinic.total("DocumentReference?").await, 0);
    assert_eq!(
        refusal(world.read(&clinic.token, &world.receipt(&world.clinic, &labs, |_| ()))).await,
        "expired"
    );
    seen.validate();
    world.stop().await;
}

/// IHE PCF, "parent for infant": a parent consents in the infant's place, and it is said who did.
#[tokio::test(flavor = "multi_thread")]
async fn pcf_a_parent_consents_for_an_infant() {
    let world = World::start().await;
    // The hospital's key opened the infant's chart; the parent stands for the infant.
    let directory = world.seal_keys();
    world.open(&world.patient, CHART, digest(&directory[0])).await;
    world.store.put(directory.to_vec()).await.unwrap();
    let parent = &world.stranger;
    let delegate = IExceptions::setDelegateCall {
        actor: world.patient.address(),
        chart: CHART,
        directoryVersion: 1,
        delegate: parent.address(),
        serial: 0,
        powers: power::READ | power::GRANT | power::REVOKE,
        expiry: 0,
    };
    world.send(&world.patient, world.deployment.exceptions, delegate).await;
    let grant = IRecords::grantCall {
        actor: parent.address(),
        chart: CHART,
        directoryVersion: 1,
        grantee: world.clinic.address(),
        serial: 0,
        terms: IRecords::GrantTerms {
            compartments: 1 << LABS,
            purposes: purpose::TREAT,
            actions: action::READ,
            notBefore: 0,
            expiry: 0,
        },
        keyring: B256::repeat_byte(8),
    };
    world.send(parent, world.deployment.records, grant).await;
    let labs = world.write(&world.patient, B256::repeat_byte(1), LABS, b"weight").await;
    world.store.put(labs.blocks.clone()).await.unwrap();

    let seen = Seen::default();
    let clinic = Reader::new(&world, &world.clinic, &seen).await;
    let parent = Reader::new(&world, parent, &seen).await;
    let consent = clinic.search("Consent").await.pop().unwrap();
    let performer = &consent["performer"][0];
    assert_eq!(
        (&performer["type"], &performer["identifier"]["value"]),
        (&json!("RelatedPerson"), &json!(did(world.stranger.address())))
    );
    ok_bytes(world.read(&clinic.token, &world.receipt(&world.clinic, &labs, |_| ()))).await;
    // The parent sees consents and records as the infant would, but for who has read: that is the controller's.
    assert_eq!(parent.search(&format!("Consent?patient={}", chart())).await, [consent]);
    assert_eq!(parent.total(&format!("DocumentReference?patient={}", chart())).await, 1);
    assert_eq!(parent.total(&format!("AuditEvent?patient={}", chart())).await, 0);
    // Only where the chart is named: a delegate's are not searched for unasked.
    assert_eq!(parent.total("Consent?").await, 0);
    seen.validate();
    world.stop().await;
}

/// IHE PCF, "deny except break-glass".
#[tokio::test(flavor = "multi_thread")]
async fn pcf_nobody_reads_unless_the_glass_is_broken() {
    let world = World::start().await;
    let keys = world.seal_keys();
    world.open(&world.patient, CHART, digest(&keys[0])).await;
    world.store.put(keys.to_vec()).await.unwrap();
    let notes = world.write(&world.patient, B256::repeat_byte(1), NOTES, b"notes").await;
    world.store.put(notes.blocks.clone()).await.unwrap();
    for allowed in [true, false] {
        world.allow_emergency(allowed).await;
    }
    let seen = Seen::default();
    let clinic = Reader::new(&world, &world.clinic, &seen).await;
    let patient = Reader::new(&world, &world.patient, &seen).await;
    let etreat = Purpose::from_code("ETREAT").unwrap();
    let read = || {
        world.read(
            &clinic.token,
            &world.receipt(&world.clinic, &notes, |r| r.purpose = etreat),
        )
    };
    let standing = async || patient.search("Consent").await.pop().unwrap();
    let denied = standing().await;
    assert_eq!(denied["provision"], json!({ "type": "deny" }));

    world.allow_emergency(true).await;
    let excepted = standing().await;
    assert_eq!(excepted["provision"]["type"], "deny");
    assert_eq!(excepted["provision"]["provision"][0]["purpose"][0]["code"], "BTG");
    assert_ne!(excepted["id"], denied["id"]);
    assert_eq!(
        patient.refusal(&format!("Consent/{}", text(&denied["id"]))).await.0,
        404
    );
    assert_eq!(refusal(read()).await, "no-grant");
    assert_eq!(patient.total("AuditEvent?purpose=BTG").await, 0);

    world.break_glass(1 << NOTES).await;
    ok_bytes(read()).await;
    let broken = patient.search("AuditEvent?purpose=BTG").await;
    assert_eq!(broken.len(), 1);
    assert_eq!(
        broken[0]["agent"][0]["who"]["identifier"]["value"],
        did(world.clinic.address())
    );
    let codes: Vec<_> = broken[0]["purposeOfEvent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["coding"][0]["code"]))
        .collect();
    assert_eq!(codes, ["BTG", "ETREAT"]);
    assert_eq!(clinic.total(&format!("DocumentReference?patient={}", chart())).await, 1);
    seen.validate();
    world.stop().await;
}

/// IHE PCF, "sensitivity labels": what is labelled apart stays apart, but for what a rule names.
#[tokio::test(flavor = "multi_thread")]
async fn pcf_labels_keep_sensitive_records_apart() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    let hidden = world
        .write(&world.patient, B256::repeat_byte(2), NOTES, b"psychiatry")
        .await;
    let named = world
        .write(&world.patient, B256::repeat_byte(3), NOTES, b"a referral")
        .await;
    for written in [&labs, &hidden, &named] {
        world.store.put(written.blocks.clone()).await.unwrap();
    }
    let seen = Seen::default();
    let clinic = Reader::new(&world, &world.clinic, &seen).await;
    let consent = async || clinic.search("Consent?status=active").await.pop().unwrap();
    let labels = |provision: &Value| {
        let labels = provision["securityLabel"].as_array().unwrap().iter();
        labels.map(|label| text(&label["code"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels(&consent().await["provision"]), ["3"]);
    let allow = rule(&world, &named, world.clinic.address(), effect::ALLOW);
    world.send(&world.patient, world.deployment.exceptions, allow).await;
    let provision = &consent().await["provision"];
    let exceptions = provision["provision"].as_array().unwrap();
    assert_eq!(exceptions.len(), 1);
    assert_eq!(exceptions[0]["type"], "permit");
    let record = format!("{}.{}", chart(), alloy::hex::encode(named.record_id));
    assert_eq!(exceptions[0]["data"][0]["reference"]["identifier"]["value"], record);
    assert!(labels(&exceptions[0]).contains(&"5".to_owned()));
    let read = |written: &Written| world.read(&clinic.token, &world.receipt(&world.clinic, written, |_| ()));
    ok_bytes(read(&labs)).await;
    ok_bytes(read(&named)).await;
    assert_eq!(refusal(read(&hidden)).await, "unknown-record");
    let by_label = async |label: &str| clinic.total(&format!("DocumentReference?security-label={label}")).await;
    assert_eq!((by_label("3").await, by_label("5").await), (1, 0));
    seen.validate();
    world.stop().await;
}
