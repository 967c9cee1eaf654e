//! May this party use this? One question a request, and 10,000, among 1,000,000 grants.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Address, B256, keccak256},
    signers::local::PrivateKeySigner,
};
use anyhow::ensure;
use medlock_abi::records::IRecords;
use medlock_api::{DecisionReply, DecisionRequest};
use medlock_indexer::{Asked, Index};
use serde_json::json;

use super::{
    Bench, DECISIONS,
    bare::Bare,
    load::Load,
    service::{Service, deployment_file, sign_in},
};
use crate::{
    figure::{Better, Figure, Target, per_second, print_limit, quantile},
    http::{Connection, post},
    indexer::{
        Kind,
        chain::Author,
        events::{self, EVENTS_OF_GRANTS, Event, GRANTED},
        ours,
    },
};

/// Each with a hundred grants.
const CHARTS: u64 = 10_000;
const CHARTS_OF_A_BLOCK: u64 = 20;
/// Accounts that sign in: each has a grant on every chart.
const ACCOUNTS: u64 = 64;
/// Connections at once: more than enough to keep two cores busy.
const CONNECTIONS: usize = 16;
const SATURATED: Duration = Duration::from_secs(4);
const PACED: Duration = Duration::from_secs(4);
/// Different questions that are sent.
const REQUESTS: u64 = 4_096;
/// The most that a request may ask.
const QUESTIONS: u64 = 10_000;
/// Each keeps a core busy.
const BATCHES_AT_ONCE: usize = 2;
const BATCHES: Duration = Duration::from_secs(8);
const RATIO_TARGET: Target = Target::Ratio(0.5);
const LATENCY_TARGET: Target = Target::Value(5.0);
const BATCH_TARGET: Target = Target::Value(200_000.0);

static SIGNERS: LazyLock<Vec<PrivateKeySigner>> = LazyLock::new(|| {
    let key = |number: u64| keccak256([b"medlock-bench".as_slice(), &number.to_be_bytes()].concat());
    let signer = |number| PrivateKeySigner::from_bytes(&key(number));
    (0..ACCOUNTS).filter_map(|number| signer(number).ok()).collect()
});

/// Event number `n` of a chain that has little but grants, of each chart first those to [`SIGNERS`].
fn grants(n: u64) -> Event {
    let (chart, step) = (n / EVENTS_OF_GRANTS, n % EVENTS_OF_GRANTS);
    match step.checked_sub(1) {
        None => events::opened(chart),
        Some(grant) => {
            let signer = SIGNERS.get(grant as usize);
            let grantee = signer.map_or_else(|| events::grantee(chart, grant), PrivateKeySigner::address);
            events::granted(chart, grantee)
        }
    }
}

/// A gateway over an index of all that.
struct Stage {
    gateway: Service,
    database: String,
    tokens: Vec<String>,
    dir: tempfile::TempDir,
    /// The chain, whose head each answer is compared with.
    _author: Author,
}

impl Bench {
    pub fn decide(&self) -> anyhow::Result<()> {
        for kind in &self.kinds {
            let stage = self.stage(*kind)?;
            self.single(*kind, &stage)?;
            self.batch(*kind, &stage)?;
            self.databases.remove(&stage.database)?;
        }
        Ok(())
    }

    fn stage(&self, kind: Kind) -> anyhow::Result<Stage> {
        let (blocks, events) = (CHARTS / CHARTS_OF_A_BLOCK, CHARTS * EVENTS_OF_GRANTS);
        let mut author = Author::fill(&self.foundry()?, blocks, events, grants)?;
        // A head without a thousand transactions in it.
        author.end_block()?;
        let database = self.databases.create(kind)?;
        let handle = self.runtime.block_on(ours::index(author.chain(), &database))?;
        self.runtime.block_on(handle.shutdown())?;
        let dir = tempfile::tempdir()?;
        let deployment = deployment_file(dir.path(), &author.chain().deployment())?;
        let path = |path: &std::path::Path| path.display().to_string();
        let gateway = Service::start(&[
            "gateway",
            "--listen",
            "127.0.0.1:0",
            "--index-read-only",
            "--anchor-minutes",
            "0",
            "--upkeep-hours",
            "0",
            "--db",
            &database,
            "--rpc",
            &author.chain().url,
            "--deployment",
            &path(&deployment),
            "--dir",
            &path(dir.path()),
        ])?;
        let address = gateway.gateway()?;
        let tokens = SIGNERS
            .iter()
            .map(|signer| sign_in(address, signer))
            .collect::<Result<_, _>>()?;
        Ok(Stage {
            gateway,
            database,
            tokens,
            dir,
            _author: author,
        })
    }

    fn single(&self, kind: Kind, stage: &Stage) -> anyhow::Result<()> {
        let requests: Vec<_> = (0..REQUESTS)
            .map(|number| stage.request((number % ACCOUNTS) as usize, number * 7919..number * 7919 + 1))
            .collect();
        let answer = Connection::open(stage.gateway.gateway()?)?
            .answer(&requests[0])?
            .to_vec();
        let reply: DecisionReply = serde_json::from_slice(&answer)?;
        ensure!(reply.verdicts.len() == 1 && reply.verdicts[0].allowed, "{reply:?}");
        let bare = Bare::start(stage.dir.path(), &answer)?;
        let load = |address| Load {
            address,
            requests: &requests,
            connections: CONNECTIONS,
            is_right: |body| body.windows(14).any(|window| window == b"\"allowed\":true"),
        };
        let (ours, theirs) = (load(stage.gateway.gateway()?), load(bare.address));
        // Connections are opened, statements prepared, pages read.
        ours.saturate(SATURATED / 2)?;
        theirs.saturate(SATURATED / 2)?;
        let (mut rates, mut bare_rates, mut medians, mut p99s) = (vec![], vec![], vec![], vec![]);
        for round in 0..self.rounds {
            // Each goes first every other time.
            for turn in 0..2 {
                if (round + turn) % 2 == 0 {
                    rates.push(ours.saturate(SATURATED)?);
                } else {
                    bare_rates.push(theirs.saturate(SATURATED)?);
                }
            }
            let latencies = ours.paced(rates[round] / 2.0, PACED)?;
            medians.push(quantile(&latencies, 0.5));
            p99s.push(quantile(&latencies, 0.99));
        }
        let what = format!(
            "one question a request among {} grants in {kind:?}",
            CHARTS * events::GRANTS_OF_A_CHART
        );
        Figure {
            name: format!("{what}, {CONNECTIONS} connections"),
            unit: "requests/s",
            better: Better::Higher,
            target: Some(RATIO_TARGET),
            medlock: rates,
            peer: Some(("bare axum handler", bare_rates)),
        }
        .print()?;
        for (name, target, medlock) in [("median", None, medians), ("p99", Some(LATENCY_TARGET), p99s)] {
            Figure {
                name: format!("{what}, {name} at half of that"),
                unit: "ms",
                better: Better::Lower,
                target,
                medlock,
                peer: None,
            }
            .print()?;
        }
        Ok(())
    }

    fn batch(&self, kind: Kind, stage: &Stage) -> anyhow::Result<()> {
        let requests: Vec<_> = (0..ACCOUNTS as usize)
            .map(|account| stage.request(account, 0..QUESTIONS))
            .collect();
        let answer = Connection::open(stage.gateway.gateway()?)?
            .answer(&requests[0])?
            .to_vec();
        let reply: DecisionReply = serde_json::from_slice(&answer)?;
        let allowed = reply.verdicts.iter().filter(|verdict| verdict.allowed).count();
        ensure!(allowed as u64 == QUESTIONS, "{allowed} of {QUESTIONS} are allowed");
        let load = Load {
            address: stage.gateway.gateway()?,
            requests: &requests,
            connections: BATCHES_AT_ONCE,
            // The first is looked at above; to look at all of them would be half of the work.
            is_right: |body| body.len() as u64 > QUESTIONS * 300,
        };
        let (mut rounds, mut spent) = (vec![], vec![]);
        for _ in 0..self.rounds {
            let (before, begun) = (stage.gateway.processor_s()?, Instant::now());
            let rate = load.saturate(BATCHES)? * QUESTIONS as f64;
            spent.push((stage.gateway.processor_s()? - before) * 1e6 / (rate * begun.elapsed().as_secs_f64()));
            rounds.push(rate);
        }
        let what = format!(
            "{QUESTIONS} questions a request among {} grants in {kind:?}",
            CHARTS * events::GRANTS_OF_A_CHART
        );
        Figure {
            name: format!("{what}, {BATCHES_AT_ONCE} at once"),
            unit: "decisions/s",
            better: Better::Higher,
            target: Some(BATCH_TARGET),
            medlock: rounds,
            peer: None,
        }
        .print()?;
        Figure {
            name: format!("processor time of the gateway: {what}"),
            unit: "us/decision",
            better: Better::Lower,
            target: None,
            medlock: spent,
            peer: None,
        }
        .print()?;
        self.parts(&what, stage, &reply)
    }

    /// Where the time of a batch goes: its parts alone, in this process.
    fn parts(&self, what: &str, stage: &Stage, reply: &DecisionReply) -> anyhow::Result<()> {
        let asked = asked(&reply.verdicts[0].grantee);
        let index = self.runtime.block_on(Index::open(&stage.database.parse()?))?;
        let alone = (0..self.rounds).map(|_| {
            let begun = Instant::now();
            let both = self
                .runtime
                .block_on(async { tokio::join!(index.decide_many(&asked), index.decide_many(&asked)) });
            let decided = both.0?.len() + both.1?.len();
            Ok(per_second(decided, begun.elapsed()))
        });
        let alone = alone.collect::<anyhow::Result<Vec<_>>>()?;
        print_limit(&format!("the index alone: {what}"), "decisions/s", &alone)?;
        self.runtime.block_on(index.close());
        let body = body(0..QUESTIONS);
        let mut parts = [("read JSON", vec![]), ("hash", vec![]), ("write JSON", vec![])];
        for _ in 0..self.rounds {
            let begun = Instant::now();
            let request: DecisionRequest = serde_json::from_slice(&body)?;
            ensure!(request.questions.len() as u64 == QUESTIONS, "questions are missing");
            parts[0].1.push(per_second(QUESTIONS as usize, begun.elapsed()));
            let begun = Instant::now();
            ensure!(reply.signing_hash(1, Address::ZERO) != B256::ZERO, "no hash");
            parts[1].1.push(per_second(QUESTIONS as usize, begun.elapsed()));
            let begun = Instant::now();
            ensure!(!serde_json::to_vec(reply)?.is_empty(), "nothing written");
            parts[2].1.push(per_second(QUESTIONS as usize, begun.elapsed()));
        }
        for (part, rounds) in parts {
            print_limit(&format!("{part} alone, on one core: {what}"), "decisions/s", &rounds)?;
        }
        Ok(())
    }
}

impl Stage {
    /// As `account`, about these charts.
    fn request(&self, account: usize, charts: std::ops::Range<u64>) -> Vec<u8> {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &self.tokens[account]),
        ];
        post(DECISIONS, &headers, &body(charts))
    }
}

fn body(charts: std::ops::Range<u64>) -> Vec<u8> {
    let (compartment, ..) = GRANTED;
    let question = |chart: u64| json!({ "chart": events::chart_id(chart % CHARTS), "compartment": compartment, "purpose": "TREAT", "action": "read" });
    json!({ "questions": charts.map(question).collect::<Vec<_>>() })
        .to_string()
        .into_bytes()
}

/// The same, as the index is asked.
fn asked(grantee: &Address) -> Vec<Asked> {
    let (compartment, purpose, action) = GRANTED;
    let asked = |chart| Asked {
        question: IRecords::Question {
            chart: events::chart_id(chart),
            grantee: *grantee,
            member: Address::ZERO,
            compartment,
            recordId: B256::ZERO,
            purpose,
            action,
        },
        at: medlock_client::now(),
        is_present: true,
    };
    (0..QUESTIONS).map(asked).collect()
}
