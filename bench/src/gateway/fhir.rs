//! Searches for Consents, beside HAPI FHIR's JPA server on H2: the same resources in both, the same searches, the same answers.
//!
//! HAPI serves everybody everything, without sign-in; ours looks up the session, the chain's head and who the caller is to the
//! chart, for each. An actor's reference is an identifier with us; HAPI's JPA server cannot search by those, so its copies refer to the
//! account literally.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use alloy::primitives::{Address, B256, keccak256};
use anyhow::{Context, ensure};
use medlock_abi::{
    records::IRecords::{GrantTerms, grantCall, openChartCall},
    terms::{action, purpose},
};
use medlock_client::{Client, now};
use serde_json::{Value, json};

use super::{Bench, load::Load, world::World};
use crate::{
    figure::{Better, Figure, quantile},
    http::{Connection, get, with_body},
};

const HAPI: &str = "HAPI FHIR 8.8.0, JPA on H2";
const CHARTS: u64 = 40;
const GRANTS: u64 = 100;
/// Whom grants are for: so many that each has one on many charts.
const GRANTEES: u64 = 200;
const DAY_S: u64 = 86_400;
/// Resources of a page, of both.
const COUNT: usize = 20;
/// Different searches of a kind.
const SEARCHES: u64 = 256;
/// Keeps two cores busy.
const CONNECTIONS: usize = 4;
const SATURATED: Duration = Duration::from_secs(4);
/// HAPI compiles what it runs often.
const WARM: Duration = Duration::from_secs(20);

/// A kind of search: what it is called, and its parameters beside the patient.
type Search = (&'static str, fn(u64, Server, &World) -> String);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Ours,
    Theirs,
}

const KINDS: [Search; 3] = [
    ("patient", |_, _, _| String::new()),
    ("patient and actor", |number, server, world| {
        let actor = grantee(number % CHARTS, number % GRANTS);
        match server {
            Server::Ours => {
                let did = did(world, actor);
                format!("&actor:identifier=urn:ietf:rfc:3986%7C{did}")
            }
            Server::Theirs => format!("&actor=Device/{}", literal(actor)),
        }
    }),
    ("patient and period", |number, _, _| {
        format!("&period=ge{}&period=le2500-01-01", 2100 + number % 20)
    }),
];

impl Bench {
    pub fn fhir(&self) -> anyhow::Result<()> {
        let world = World::start(&self.artifacts)?;
        let client = self.runtime.block_on(world.newcomer())?;
        self.runtime.block_on(fill(&world, &client))?;
        let token = world.session(&client)?;
        let ours = world.gateway.gateway()?;
        let consents = all_consents(ours, &token)?;
        ensure!(consents.len() as u64 == CHARTS * GRANTS, "{} Consents", consents.len());
        for is_cached in [false, true] {
            let hapi = Hapi::start(self, is_cached)?;
            hapi.load(&world, &consents)?;
            self.compare(&world, &token, &hapi, is_cached)?;
        }
        Ok(())
    }

    fn compare(&self, world: &World, token: &str, hapi: &Hapi, is_cached: bool) -> anyhow::Result<()> {
        let ours = world.gateway.gateway()?;
        for (name, more) in KINDS {
            let requests = |server: Server| {
                let headers = [("authorization", token), ("accept", "application/fhir+json")];
                let path = |number: u64| {
                    let (chart, more) = (hex(chart(number % CHARTS)), more(number, server, world));
                    format!("/fhir/Consent?patient=Patient/{chart}{more}&_count={COUNT}")
                };
                (0..SEARCHES)
                    .map(|number| get(&path(number), &headers))
                    .collect::<Vec<_>>()
            };
            let [our_requests, their_requests] = [Server::Ours, Server::Theirs].map(requests);
            same_answers(ours, &our_requests, hapi.address, &their_requests).context(name)?;
            let load = |address, requests| Load {
                address,
                requests,
                connections: CONNECTIONS,
                is_right: |body| body.len() > 100,
            };
            let (us, them) = (load(ours, &our_requests), load(hapi.address, &their_requests));
            us.saturate(SATURATED / 2)?;
            them.saturate(WARM)?;
            let (mut rates, mut their_rates, mut medians, mut their_medians) = (vec![], vec![], vec![], vec![]);
            for round in 0..self.rounds {
                // Each goes first every other time.
                for turn in 0..2 {
                    if (round + turn) % 2 == 0 {
                        rates.push(us.saturate(SATURATED)?);
                    } else {
                        their_rates.push(them.saturate(SATURATED)?);
                    }
                }
                // What the slower one can well bear.
                let rate = rates[round].min(their_rates[round]) / 4.0;
                medians.push(quantile(&us.paced(rate, SATURATED)?, 0.5));
                their_medians.push(quantile(&them.paced(rate, SATURATED)?, 0.5));
            }
            let peer = if is_cached {
                "HAPI FHIR, results of a minute ago"
            } else {
                HAPI
            };
            let what = format!("search of {} Consents by {name}, pages of {COUNT}", CHARTS * GRANTS);
            for (name, unit, better, medlock, theirs) in [
                (
                    format!("{what}, {CONNECTIONS} connections"),
                    "requests/s",
                    Better::Higher,
                    rates,
                    their_rates,
                ),
                (
                    format!("{what}, median at a quarter of the slower one's"),
                    "ms",
                    Better::Lower,
                    medians,
                    their_medians,
                ),
            ] {
                Figure {
                    name,
                    unit,
                    better,
                    target: None,
                    medlock,
                    peer: Some((peer, theirs)),
                }
                .print()?;
            }
        }
        Ok(())
    }
}

/// HAPI FHIR's server, as tools/setup-hapi.sh built it. Dropping it ends it.
struct Hapi {
    child: Child,
    _stdin: ChildStdin,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Hapi {
    /// `is_cached`: as it comes, where the same search within a minute is answered with what the first one found.
    fn start(bench: &Bench, is_cached: bool) -> anyhow::Result<Self> {
        let home = bench.tools.join("hapi");
        ensure!(home.is_dir(), "{} is missing: run tools/setup-hapi.sh", home.display());
        let dir = tempfile::tempdir()?;
        let mut child = Command::new("java")
            .arg("-Xmx4g")
            .arg("-cp")
            .arg(format!("{0}/classes:{0}/jars/*", home.display()))
            .arg("medlock.bench.HapiServer")
            .arg(dir.path())
            .arg(is_cached.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start java")?;
        let mut said = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut said)?;
        let port: u16 = said.trim().parse().context("HAPI FHIR did not start")?;
        Ok(Self {
            _stdin: child.stdin.take().context("its input")?,
            child,
            address: ([127, 0, 0, 1], port).into(),
            _dir: dir,
        })
    }

    fn load(&self, world: &World, consents: &[Value]) -> anyhow::Result<()> {
        let mut connection = Connection::open(self.address)?;
        for consent in consents {
            let path = format!("/fhir/Consent/{}", consent["id"].as_str().context("an id")?);
            let body = theirs(world, consent)?.to_string();
            connection.answer(&with_body(
                "PUT",
                &path,
                &[("content-type", "application/fhir+json")],
                body.as_bytes(),
            ))?;
        }
        Ok(())
    }
}

impl Drop for Hapi {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Consent as HAPI can find it by its actor.
fn theirs(world: &World, consent: &Value) -> anyhow::Result<Value> {
    let mut consent = consent.clone();
    let reference = &mut consent["provision"]["actor"][0]["reference"];
    let did = reference["identifier"]["value"].as_str().context("an actor")?;
    let account: Address = did.rsplit(':').next().unwrap_or_default().parse()?;
    ensure!(did == self::did(world, account), "{did}");
    *reference = json!({ "reference": format!("Device/{}", literal(account)) });
    Ok(consent)
}

/// Both find the same for each of the requests.
fn same_answers(
    ours: SocketAddr,
    our_requests: &[Vec<u8>],
    theirs: SocketAddr,
    their_requests: &[Vec<u8>],
) -> anyhow::Result<()> {
    let (mut ours, mut theirs) = (Connection::open(ours)?, Connection::open(theirs)?);
    let mut found = 0;
    for (our_request, their_request) in our_requests.iter().zip(their_requests) {
        let us: Value = serde_json::from_slice(ours.answer(our_request)?)?;
        let them: Value = serde_json::from_slice(theirs.answer(their_request)?)?;
        let (us, them) = (ids(&us), ids(&them));
        // In an order of their own, so that of several pages the first may differ.
        let is_same = if us.len() == COUNT {
            us.len() == them.len()
        } else {
            us == them
        };
        ensure!(is_same, "ours: {us:?}, theirs: {them:?}");
        found += us.len();
    }
    ensure!(found > 0, "nothing is found");
    Ok(())
}

fn ids(bundle: &Value) -> BTreeSet<&str> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["resource"]["id"].as_str()).collect()
}

/// What a controller's search gives, page by page.
fn all_consents(gateway: SocketAddr, token: &str) -> anyhow::Result<Vec<Value>> {
    let mut connection = Connection::open(gateway)?;
    let mut consents = Vec::new();
    let mut path = Some("/fhir/Consent?_count=100".to_owned());
    while let Some(next) = path {
        let page: Value = serde_json::from_slice(connection.answer(&get(&next, &[("authorization", token)]))?)?;
        let entries = page["entry"].as_array().into_iter().flatten();
        consents.extend(entries.map(|entry| entry["resource"].clone()));
        let mut links = page["link"].as_array().into_iter().flatten();
        let next = links
            .find(|link| link["relation"] == "next")
            .and_then(|link| link["url"].as_str());
        path = next.and_then(|url| url.find("/fhir/").map(|at| url[at..].to_owned()));
    }
    Ok(consents)
}

/// Charts of one controller, with grants to many: some end, each another year.
async fn fill(world: &World, client: &Client) -> anyhow::Result<()> {
    let records = world.deployment.records;
    for number in 0..CHARTS {
        let (actor, chart) = (client.address(), chart(number));
        let directory = B256::repeat_byte(1);
        client
            .chain()
            .send(
                records,
                openChartCall {
                    actor,
                    chart,
                    directory,
                },
            )
            .await?;
        for grant in 0..GRANTS {
            let call = grantCall {
                actor,
                chart,
                directoryVersion: 1,
                grantee: grantee(number, grant),
                serial: 0,
                terms: GrantTerms {
                    compartments: 0b1111,
                    purposes: purpose::TREAT | purpose::HPAYMT,
                    actions: action::READ,
                    notBefore: 0,
                    expiry: now() + DAY_S * 365 * (60 + grant),
                },
                keyring: B256::repeat_byte(2),
            };
            client.chain().send(records, call).await?;
        }
    }
    Ok(())
}

fn chart(number: u64) -> B256 {
    keccak256([b"chart of a search".as_slice(), &number.to_be_bytes()].concat())
}

fn grantee(chart: u64, number: u64) -> Address {
    let number = (chart * 7 + number) % GRANTEES;
    Address::from_word(keccak256(
        [b"grantee of a search".as_slice(), &number.to_be_bytes()].concat(),
    ))
}

fn hex(chart: B256) -> String {
    alloy::hex::encode(chart)
}

fn literal(account: Address) -> String {
    alloy::hex::encode(account)
}

fn did(world: &World, account: Address) -> String {
    format!("did:pkh:eip155:{}:0x{}", world.deployment.chain_id, literal(account))
}
