//! A process that indexes, to be killed: this test program again, started to run one test alone, which tells line by line
//! how far it is.
use crate::support::{POLL_MS, SOON, chain::Chain};
use medlock_indexer::{Deployment, spawn};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::{oneshot, watch},
};

/// That test's name, and the variable that tells it what to index.
const NAME: &str = "reliability::process::indexes_until_its_input_ends";
const ORDERS: &str = "MEDLOCK_INDEXER_ORDERS";

/// What a process tells of itself.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub standby: bool,
    pub trouble: Option<String>,
    /// How long it took from the start until it had written something, or had nothing to write.
    pub at_work: Option<Duration>,
    pub stopped: Option<String>,
}

pub struct Process {
    child: Child,
    told: watch::Receiver<Told>,
}

impl Process {
    pub fn start(chain: &Chain, url: &str, database: &str) -> Self {
        let Deployment {
            start_block,
            chain_id,
            genesis_hash,
            ..
        } = chain.deployment;
        let orders = json!({
            "url": url, "database": database, "contracts": chain.deployment.contracts(),
            "start_block": start_block, "chain_id": chain_id, "genesis_hash": genesis_hash,
        });
        let begun = Instant::now();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
            .env(ORDERS, orders.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, told) = watch::channel(Told::default());
        // Ends with the process.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // The harness says something too; the last line may be half a one.
                let Ok(Value::Object(line)) = serde_json::from_str(&line) else {
                    continue;
                };
                let text = |key: &str| line[key].as_str().map(String::from);
                tell.send_modify(|told| {
                    told.standby = line["standby"] == true;
                    told.trouble = text("trouble");
                    told.stopped = text("stopped");
                    if line["at_work"] == true && told.at_work.is_none() {
                        told.at_work = Some(begun.elapsed());
                    }
                });
            }
        });
        Self { child, told }
    }

    pub fn told(&self) -> Told {
        self.told.borrow().clone()
    }

    /// Waits until what it tells is so.
    pub async fn until(&mut self, what: &str, is: impl Fn(&Told) -> bool) -> Told {
        let told = tokio::time::timeout(SOON, self.told.wait_for(is)).await;
        let told = told.map(|told| told.map(|told| told.clone()));
        match told {
            Ok(Ok(told)) => told,
            Ok(Err(_)) => panic!("the process ended before: {what}"),
            Err(_) => panic!("not in time: {what}; it told {:?}", self.told()),
        }
    }

    /// Whether what it tells is so before long.
    pub async fn is_within(&mut self, limit: Duration, is: impl Fn(&Told) -> bool) -> bool {
        let told = tokio::time::timeout(limit, self.told.wait_for(is)).await;
        told.is_ok_and(|told| told.is_ok())
    }

    /// How long it took to be back at work.
    pub async fn at_work(&mut self) -> Duration {
        let told = self.until("it is at work", |told| told.at_work.is_some()).await;
        told.at_work.unwrap()
    }

    /// SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
        let status = self.child.wait().await.unwrap();
        assert_eq!(status.signal(), Some(9), "it ended by itself: {:?}", self.told());
    }

    /// Lets it end in order.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        let status = tokio::time::timeout(SOON, self.child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{:?}", self.told());
    }
}

/// Nothing to show by itself: it is started by the tests beside it.
#[test]
fn indexes_until_its_input_ends() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work(serde_json::from_str(&orders).unwrap()));
}

async fn work(orders: Value) {
    let field = |name: &str| orders[name].clone();
    let [registry, records, exceptions, relay, audit, claims, supply, trials] =
        serde_json::from_value(field("contracts")).unwrap();
    let config = medlock_indexer::Config {
        endpoints: orders["url"].as_str().unwrap().into(),
        deployment: Deployment {
            registry,
            records,
            exceptions,
            relay,
            audit,
            claims,
            supply,
            trials,
            start_block: orders["start_block"].as_u64().unwrap(),
            chain_id: orders["chain_id"].as_u64().unwrap(),
            genesis_hash: serde_json::from_value(field("genesis_hash")).unwrap(),
        },
        database: orders["database"].as_str().unwrap().parse().unwrap(),
        poll_ms: POLL_MS,
    };
    // Its input ends with whoever started it, too.
    let (end, mut ended) = oneshot::channel();
    std::thread::spawn(move || {
        _ = std::io::stdin().read_to_end(&mut Vec::new());
        _ = end.send(());
    });
    let handle = spawn(config).await.unwrap();
    let (mut news, mut begun_at, mut last) = (handle.index().news().await.unwrap(), None, String::new());
    loop {
        let now = handle.progress();
        if now.standby || begun_at.is_none() {
            begun_at = Some(now.indexed);
        }
        let at_work =
            !now.standby && now.chain_head > 0 && (begun_at != Some(now.indexed) || now.indexed == now.chain_head);
        let line = json!({
            "standby": now.standby, "trouble": now.trouble.as_deref(), "stopped": now.stopped.as_deref(), "at_work": at_work,
        });
        let line = line.to_string();
        if line != last {
            // The harness may have left a line open. Whoever started this may be gone.
            _ = std::io::stdout().write_all(format!("\n{line}\n").as_bytes());
            last = line;
        }
        tokio::select! {
            _ = &mut ended => break,
            _ = news.next(), if now.stopped.is_none() => {}
        }
    }
    handle.shutdown().await.unwrap();
}
