//! Every role at every route, cell by cell. A route that is not in the table fails the test, as does a cell that changes.
use medlock_api::header::ORGANISATION;

use super::*;

/// Who asks. Columns of the table, in this order.
const ROLES: [&str; 15] = [
    "nobody",
    "patient",
    "other patient",
    "granted",
    "expired",
    "revoked",
    "reading delegate",
    "granting delegate",
    "member of granted",
    "ex-member",
    "insurer",
    "issuer",
    "other gateway",
    "member for granted",
    "ex-member for granted",
];

/// Method and path as the OpenAPI document has them, what is asked in the paths' places, and the status for each role.
///
/// Behind a colon: how many things are listed or found, or the verdict's reason. The chart's directory and the insurer's keyring are not in the
/// store: who is let through to them gets 502. A membership is kept, given, and removed in this order. The payload is asked for before those who may read have signed a receipt; the clinic has.
const TABLE: &str = "
GET     /fhir/metadata                                                  -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
GET     /fhir/{type}                                                    Consent            401  200:4           200:0         200:1      200:1        200:1         200:0         200:4         200:0         200:0         200:1                        200:0         200:0         200:1         403
GET     /fhir/{type}                                                    DocumentReference  401  200:2           200:0         200:1      200:0        200:0         200:2         200:0         200:0         200:0         200:1                        200:0         200:0         200:1         403
GET     /fhir/{type}                                                    Provenance         401  200:2           200:0         200:1      200:0        200:0         200:2         200:0         200:0         200:0         200:1                        200:0         200:0         200:1         403
GET     /fhir/{type}                                                    AuditEvent         401  200:1           200:0         200:0      200:0        200:0         200:0         200:0         200:0         200:0         200:0                        200:0         200:0         200:0         403
POST    /fhir/{type}                                                    Consent            401  422             422           422        422          422           422           422           422           422           422                          422           422           422           422
POST    /fhir/{type}/_search                                            Consent            401  200:4           200:0         200:1      200:1        200:1         200:0         200:4         200:0         200:0         200:1                        200:0         200:0         200:1         403
GET     /fhir/{type}/{id}                                               Consent            401  200             404           200        404          404           404           200           404           404           404                          404           404           200           403
GET     /fhir/{type}/{id}                                               DocumentReference  401  200             404           200        404          404           200           404           404           404           404                          404           404           200           403
GET     /fhir/{type}/{id}                                               Provenance         401  200             404           200        404          404           200           404           404           404           404                          404           404           200           403
GET     /fhir/{type}/{id}                                               AuditEvent         401  200             404           404        404          404           404           404           404           404           404                          404           404           404           403
GET     /fhir/{type}/{id}                                               Patient            401  200             404           200        404          404           200           200           404           404           200                          404           404           200           403
GET     /health                                                         -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
GET     /ready                                                          -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
POST    /v1/blocks                                                      -                  401  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
POST    /v1/blocks/missing                                              -                  401  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
GET     /v1/charts                                                      -                  401  200:1           200:1         200:0      200:0        200:0         200:0         200:0         200:0         200:0         200:0                        200:0         200:0         200:0         200:0
GET     /v1/charts/{chart}                                              -                  401  200             403           200        403          403           200           200           403           403           200                          403           403           200           403
GET     /v1/charts/{chart}/directory                                    -                  401  502             403           502        403          403           502           502           403           403           502                          403           403           502           403
GET     /v1/charts/{chart}/grants                                       -                  401  200:3           403           200:1      403          403           200:0         200:3         403           403           200:1                        403           403           200:1         403
GET     /v1/charts/{chart}/keyring                                      -                  401  403             403           200        403          403           403           403           403           403           502                          403           403           200           403
GET     /v1/charts/{chart}/reads                                        -                  401  200:1           403           403        403          403           403           403           403           403           403                          403           403           403           403
GET     /v1/charts/{chart}/records                                      -                  401  200:2           403           200:1      403          403           200:2         200:0         403           403           200:1                        403           403           200:1         403
GET     /v1/charts/{chart}/records/{record}/erasure                     -                  401  409             403           403        403          403           403           403           403           403           403                          403           403           403           403
POST    /v1/charts/{chart}/records/{record}/erasure                     -                  401  409             403           403        403          403           403           403           403           403           403                          403           403           403           403
GET     /v1/charts/{chart}/records/{record}/versions                    -                  401  200:1           403           200:1      403          403           200:1         403           403           403           403                          403           403           200:1         403
GET     /v1/charts/{chart}/records/{record}/versions/{version}/payload  -                  401  403             403           200        403          403           403           403           403           403           403                          403           403           403           403
POST    /v1/charts/{chart}/records/{record}/versions/{version}/reads    -                  401  200             403           200        403          403           200           403           403           403           403                          403           403           200           403
GET     /v1/charts/{chart}/emergency                                    -                  401  204             403           403        403          403           403           403           403           403           403                          403           403           403           403
PUT     /v1/charts/{chart}/emergency                                    -                  401  400             403           403        403          403           403           403           403           403           403                          403           403           403           403
DELETE  /v1/charts/{chart}/emergency                                    -                  401  204             403           403        403          403           403           403           403           403           403                          403           403           403           403
GET     /v1/charts/{chart}/emergency/shares                             -                  401  403             403           403        403          403           403           403           403           403           403                          403           403           403           403
PUT     /v1/charts/{chart}/emergency/shares/{party}                     -                  401  403             403           403        403          403           403           403           403           403           403                          403           403           403           403
GET     /v1/charts/{chart}/emergencies                                  -                  401  200:0           200:0          200:0       200:0         200:0          200:0          200:0          200:0          200:0          200:0                         200:0          200:0          200:0          200:0
GET     /v1/claims                                                              provider           401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 403
GET     /v1/claims                                                              insurer            401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 403
GET     /v1/claims                                                              chart              401 200:0 403 403 403 403 200:0 403 403 403 403 403 403 403 403
GET     /v1/claims/facts                                                        provider           401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 403
GET     /v1/claims/facts                                                        insurer            401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 403
GET     /v1/claims/facts                                                        chart              401 200:0 403 403 403 403 200:0 403 403 403 403 403 403 403 403
GET     /v1/claims/{claim}                                                      -                  401 403 403 403 403 403 403 403 403 403 403 403 403 403 403
GET     /v1/claims/{claim}/documents/{document}                                 -                  401 403 403 403 403 403 403 403 403 403 403 403 403 403 403
GET     /v1/insurers/{account}                                                  -                  401 200 200 200 200 200 200 200 200 200 200 200 200 200 200
GET     /v1/supply/shipments                                                    -                  401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 403
GET     /v1/supply/units                                                        -                  401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 403
GET     /v1/supply/recalls                                                      -                  401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0
GET     /v1/supply/batches/{batch}/custody/{package}                            -                  401 403 403 403 403 403 403 403 403 403 403 403 403 403 403
GET     /v1/trials                                                              -                  401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0
GET     /v1/trials/{trial}                                                      -                  401 403 403 403 403 403 403 403 403 403 403 403 403 403 403
GET     /v1/trials/{trial}/sites                                                -                  401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0
GET     /v1/trials/{trial}/batches                                              -                  401 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0 200:0
GET     /v1/custody                                                     -                  401  200:0           200:0         200:0      200:0        200:0         200:0         200:0         200:0         200:0         200:0                        200:0         200:0         200:0         200:0
POST    /v1/decisions                                                   -                  401  200:controller  200:no-grant  200:grant  200:expired  200:no-grant  200:delegate  200:no-grant  200:no-grant  200:no-grant  200:compartment-not-granted  200:no-grant  200:no-grant  200:no-grant  200:no-grant
GET     /v1/deployment                                                  -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
GET     /v1/grants                                                      -                  401  200:0           200:0         200:1      200:1        200:0         200:0         200:0         200:0         200:0         200:1                        200:0         200:0         200:1         403
GET     /v1/memberships                                                 -                  401  200:0           200:0         200:1      200:0        200:0         200:0         200:0         200:1         200:0         200:0                        200:0         200:0         200:1         200:0
PUT     /v1/memberships/{account}/keys                                  -                  401  403             403           204        403          403           403           403           403           403           403                          403           403           403           403
GET     /v1/memberships/{account}/keys                                  -                  401  403             403           403        403          403           403           403           200           403           403                          403           403           200           403
DELETE  /v1/memberships/{account}/keys                                  -                  401  204             204           204        204          204           204           204           204           204           204                          204           204           204           204
GET     /v1/parties/{account}                                           -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
GET     /v1/relay/operations                                            -                  401  404             404           404        404          404           404           404           404           404           404                          404           404           404           404
POST    /v1/relay/operations                                            -                  401  404             404           404        404          404           404           404           404           404           404                          404           404           404           404
GET     /v1/relay/operations/{id}                                       -                  401  404             404           404        404          404           404           404           404           404           404                          404           404           404           404
POST    /v1/sessions                                                    -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
POST    /v1/sessions/challenge                                          -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
GET     /v1/status                                                      -                  200  200             200           200        200          200           200           200           200           200           200                          200           200           200           200
DELETE  /v1/sessions                                                    -                  401  204             204           204        204          204           204           204           204           204           204                          204           204           204           204
DELETE  /v1/sessions/all                                                -                  401  204             204           204        204          204           204           204           204           204           204                          204           204           204           204
";

struct Cast {
    world: World,
    signers: Vec<Option<PrivateKeySigner>>,
    /// Of each who can sign in.
    tokens: Vec<Option<String>>,
    labs: Written,
    consent: String,
    document: String,
    audit: String,
}

/// Who names the organisation that they say they act for.
fn acts_for_granted(role: usize) -> bool {
    ROLES[role].ends_with(" for granted")
}

impl Cast {
    async fn assemble() -> Self {
        let world = World::with_chart().await;
        let accounts: Vec<PrivateKeySigner> = world.chain.accounts().iter().map(|one| one.signer.clone()).collect();
        let [issuer, expired, revoked, reader, granter] = [0, 4, 5, 6, 7].map(|n: usize| accounts[n].clone());
        let new = || PrivateKeySigner::random();
        let (member, ex_member, insurer, gateway) = (new(), new(), new(), new());
        let (records, registry, exceptions) = (
            world.deployment.records,
            world.deployment.registry,
            world.deployment.exceptions,
        );
        let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
        let notes = world.write(&world.patient, B256::repeat_byte(2), NOTES, b"notes").await;
        for written in [&labs, &notes] {
            world.store.put(written.blocks.clone()).await.unwrap();
        }
        world
            .open(&world.stranger, B256::repeat_byte(0xc2), B256::repeat_byte(1))
            .await;
        for (party, roles) in [(&insurer, role::INSURER), (&gateway, role::GATEWAY)] {
            let credential = IRegistry::issueCredentialCall {
                party: party.address(),
                roles,
                expiry: 0,
                document: B256::repeat_byte(1),
            };
            world.send(&issuer, registry, credential).await;
        }
        for who in [&member, &ex_member] {
            world.set_member(&world.clinic, who.address(), 0).await;
        }
        world.remove_member(&world.clinic, ex_member.address()).await;
        for (delegate, powers) in [(&reader, power::READ), (&granter, power::GRANT)] {
            let set = IExceptions::setDelegateCall {
                actor: world.patient.address(),
                chart: CHART,
                directoryVersion: 1,
                delegate: delegate.address(),
                serial: 0,
                powers,
                expiry: 0,
            };
            world.send(&world.patient, exceptions, set).await;
        }
        world.grant(|grant| grant.grantee = revoked.address()).await;
        let revoke = IRecords::revokeCall {
            actor: world.patient.address(),
            chart: CHART,
            grantee: revoked.address(),
            version: 2,
            directory: B256::repeat_byte(0xd2),
            keyrings: Vec::new(),
        };
        world.send(&world.patient, records, revoke).await;
        let expiry = now() + 5;
        world
            .grant(|grant| {
                (grant.grantee, grant.directoryVersion) = (expired.address(), 2);
                grant.terms.expiry = expiry;
            })
            .await;
        world
            .grant(|grant| {
                (grant.grantee, grant.directoryVersion) = (insurer.address(), 2);
                (grant.terms.compartments, grant.terms.purposes) = (1 << NOTES, purpose::HPAYMT);
                grant.terms.actions = action::READ;
            })
            .await;
        eventually(async || (now() >= expiry).then_some(())).await;
        let (patient, clinic) = (world.sign_in(&world.patient).await, world.sign_in(&world.clinic).await);
        ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &labs, |_| ()))).await;
        let id = async |token: &str, search: &str| -> String {
            let bundle: Value = ok(world.get(token, &format!("/fhir/{search}"))).await;
            bundle["entry"][0]["resource"]["id"].as_str().unwrap().to_owned()
        };
        let (consent, document) = (id(&clinic, "Consent").await, id(&clinic, "DocumentReference").await);
        let audit = id(&patient, "AuditEvent").await;
        let signers = [
            None,
            Some(world.patient.clone()),
            Some(world.stranger.clone()),
            Some(world.clinic.clone()),
            Some(expired),
            Some(revoked),
            Some(reader),
            Some(granter),
            Some(member.clone()),
            Some(ex_member.clone()),
            Some(insurer),
            Some(issuer),
            Some(gateway),
            Some(member),
            Some(ex_member),
        ];
        let mut tokens = Vec::new();
        for signer in &signers {
            tokens.push(match signer {
                Some(signer) => Some(world.sign_in(signer).await),
                None => None,
            });
        }
        Self {
            world,
            signers: signers.into(),
            tokens,
            labs,
            consent,
            document,
            audit,
        }
    }

    /// The status that this role gets, and behind a colon how many things, or what answer.
    async fn ask(&self, method: &str, path: &str, place: &str, role: usize) -> String {
        let world = &self.world;
        let signer = self.signers[role].as_ref();
        let record = self.labs.record_id;
        let id = match place {
            "Consent" => &self.consent,
            "AuditEvent" => &self.audit,
            "Patient" => &alloy::hex::encode(CHART),
            _ => &self.document,
        };
        let member = self.signers[ROLES.len() - 2].as_ref().unwrap().address();
        let account = match (method, path) {
            ("PUT" | "DELETE", "/v1/memberships/{account}/keys") => member,
            _ => world.clinic.address(),
        };
        let url = path
            .replace("{chart}", &CHART.to_string())
            .replace("{record}", &record.to_string())
            .replace("{version}", "1")
            .replace("{account}", &account.to_string())
            .replace("{party}", &world.clinic.address().to_string())
            .replace("{type}", place)
            .replace("{claim}", &UNKNOWN.to_string())
            .replace("{document}", &UNKNOWN.to_string())
            .replace("{batch}", &UNKNOWN.to_string())
            .replace("{trial}", &UNKNOWN.to_string())
            .replace("{package}", "0")
            .replace("{id}", if path.starts_with("/fhir") { id } else { "0x" });
        let url = match path {
            "/v1/claims" | "/v1/claims/facts" if place == "chart" => format!("{url}?chart={CHART}"),
            "/v1/claims" | "/v1/claims/facts" => format!("{url}?as={place}"),
            "/v1/supply/shipments" => format!("{url}?as=receiver"),
            "/v1/relay/operations/{id}" => path.replace("{id}", &UNKNOWN.to_string()),
            _ => url,
        };
        let url = match path {
            "/fhir/{type}" | "/fhir/{type}/_search" => {
                format!("{url}?patient={}&_summary=count", alloy::hex::encode(CHART))
            }
            _ => url,
        };
        let mut request = world.request(method.parse().unwrap(), &url);
        if let (Some(signer), Some(token)) = (signer, &self.tokens[role]) {
            // It ends with this.
            let own = match method {
                "DELETE" => world.sign_in(signer).await,
                _ => token.clone(),
            };
            request = request.bearer_auth(own);
        }
        if acts_for_granted(role) {
            request = request.header(ORGANISATION, world.clinic.address().to_string());
        }
        // What a well-meaning caller sends.
        request = match (method, path) {
            ("POST", "/v1/decisions") => request.json(&json!({ "questions": [
                { "chart": CHART, "compartment": LABS, "purpose": "TREAT", "action": "read" }
            ] })),
            ("POST", "/v1/charts/{chart}/records/{record}/versions/{version}/reads") => {
                let reader = signer.unwrap_or(&world.stranger);
                let organisation = match acts_for_granted(role) {
                    true => world.clinic.address(),
                    false => Address::ZERO,
                };
                request.json(&world.receipt(reader, &self.labs, |receipt| receipt.organisation = organisation))
            }
            ("PUT", "/v1/memberships/{account}/keys") => {
                let organisation = signer.unwrap_or(&world.stranger).address();
                request.body(world.sealed_membership(organisation, member))
            }
            ("POST", "/v1/blocks/missing") => request.json(&json!({ "digests": [UNKNOWN] })),
            ("POST", "/v1/blocks") => request.body(car_of(&raw_block(rand32().to_vec()))),
            ("POST", "/v1/sessions/challenge") => request.json(&json!({ "account": world.clinic.address() })),
            ("POST", "/v1/sessions") => request.json(&world.challenge(signer.unwrap_or(&world.clinic)).await),
            ("POST", "/v1/relay/operations") => request.json(&json!({
                "chain_id": world.deployment.chain_id, "relay": world.deployment.relay, "call": "0x"
            })),
            ("POST", "/fhir/{type}") => request.header("content-type", "application/fhir+json").body("{}"),
            _ => request,
        };
        let wanted = (method, path) == ("GET", "/ready");
        let (status, _, body) = answer(request, wanted.then_some(Kind::ChainDown)).await;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let lists = [
            "charts",
            "grants",
            "memberships",
            "records",
            "versions",
            "reads",
            "emergencies",
            "claims",
            "facts",
            "shipments",
            "units",
            "recalls",
            "trials",
            "sites",
            "batches",
        ]
        .map(|list| body[list].as_array().map(Vec::len));
        let listed = lists.into_iter().flatten().next().map(|length| length.to_string());
        let total = body["total"].as_u64().map(|total| total.to_string());
        let verdict = body["verdicts"][0]["reason"].as_str().map(str::to_owned);
        let what = listed.or(total).or(verdict).map(|what| format!(":{what}"));
        format!("{}{}", status.as_u16(), what.unwrap_or_default())
    }
}

fn car_of(block: &Block) -> Vec<u8> {
    car::write(&[block.cid], [block]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_gets_at_every_route_what_the_table_says() {
    let cast = Cast::assemble().await;
    let mut asked = std::collections::BTreeSet::new();
    let mut found = String::from("\n");
    for row in TABLE.trim().lines() {
        let mut words = row.split_whitespace();
        let [method, path, place] = std::array::from_fn(|_| words.next().unwrap());
        asked.insert((method.to_owned(), path.to_owned()));
        let mut statuses = Vec::new();
        for role in 0..ROLES.len() {
            statuses.push(cast.ask(method, path, place, role).await);
        }
        found += &format!("{method:6} {path:70} {place} {}\n", statuses.join(" "));
    }
    let cells = |table: &str| -> Vec<Vec<String>> {
        let rows = table.trim().lines();
        rows.map(|row| row.split_whitespace().map(str::to_owned).collect())
            .collect()
    };
    for (wanted, got) in cells(TABLE).iter().zip(cells(&found)) {
        for (role, (wanted, got)) in wanted.iter().zip(&got).skip(3).enumerate() {
            assert_eq!(wanted, got, "{}: the table would be{found}", ROLES[role]);
        }
        assert_eq!(wanted.len(), 3 + ROLES.len());
    }
    let document: Value = serde_json::from_str(&medlock_gateway::openapi_json()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let route = (method.to_uppercase(), path.clone());
            assert!(asked.contains(&route), "{route:?} is not in the table");
        }
    }
    cast.world.stop().await;
}
