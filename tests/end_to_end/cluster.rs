//! More than one machine: two gateways and two indexers keep the promises that one of each keeps, also while one of each is killed.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use alloy::{primitives::B256, providers::Provider};
use medlock_client::{
    Client, Error, Identity, Metadata, NewDocument,
    api::{Action, Question, RelayState},
};
use medlock_fhir::Label;
use medlock_tests::{World, cluster::Cluster, eventually, patient_request, treat};

use crate::{promises, relay};

/// For one thing to be done, while a process is killed and another takes over its work.
const PATIENCE: Duration = Duration::from_secs(60);
/// Before something is tried again.
const PAUSE: Duration = Duration::from_millis(20);
/// What a gateway asks for that has had too many sign-ins from one address.
const TOO_MANY_PAUSE: Duration = Duration::from_secs(1);

/// What people do all the time, each in a loop of its own: how often each was done.
#[derive(Default)]
struct Work {
    done: [AtomicUsize; 4],
    is_over: AtomicBool,
}

const READS: usize = 0;
const ADDED: usize = 1;
const RELAYED: usize = 2;
const ASKED: usize = 3;

impl Work {
    fn did(&self, what: usize) -> usize {
        self.done[what].fetch_add(1, SeqCst) + 1
    }

    fn counts(&self) -> [usize; 4] {
        self.done.each_ref().map(|count| count.load(SeqCst))
    }

    /// Until each was done `times` more.
    async fn goes_on(&self, times: usize) {
        let from = self.counts();
        let deadline = Instant::now() + PATIENCE;
        while self.counts().iter().zip(from).any(|(now, from)| *now < from + times) {
            assert!(Instant::now() < deadline, "{from:?}, then {:?}", self.counts());
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Repeats what fails for a passing reason, as a person would.
async fn insisting<T, F: Future<Output = Result<T, Error>>>(what: &str, attempt: impl Fn() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => {
                assert!(error.is_transient() && Instant::now() < deadline, "{what}: {error}");
                let is_too_many = matches!(error, Error::Problem { status: 429, .. });
                tokio::time::sleep(if is_too_many { TOO_MANY_PAUSE } else { PAUSE }).await;
            }
        }
    }
}

fn note(client: &Client, chart: B256, number: usize) -> NewDocument {
    let text = format!("note {number}");
    NewDocument {
        record_id: client.record_id(chart, text.as_bytes()),
        compartment: Label::Documents.compartment(),
        metadata: Metadata::default(),
        content: text.into_bytes().into(),
    }
}

/// Adds notes to a chart, one at a time, until it is over: how many.
async fn adds(work: Arc<Work>, what: usize, client: Client, chart: B256) -> usize {
    let mut number = 0;
    while !work.is_over.load(SeqCst) {
        insisting("add", || {
            let client = client.clone();
            async move {
                let open = client.chart(chart).await?;
                open.add(vec![note(&client, chart, number)], |_| ()).await
            }
        })
        .await;
        work.did(what);
        number += 1;
    }
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_each_keep_the_promises_also_while_one_of_each_is_killed() {
    let mut world = World::start().await;
    let mut cluster = Cluster::start(&mut world).await;
    relay::without_money(&world, cluster.payer.address()).await;
    promises::revoked_readers(&world).await;
    promises::visible_reads(&world).await;
    promises::old_signatures(&world).await;

    let (patient, clinic, chart) = world.treated().await;
    let poor = world
        .dev
        .client(Identity::generate().unwrap())
        .await
        .unwrap()
        .via_relay();
    let labels = medlock_client::default_labels();
    let (own, _) = poor.open_chart(&labels, Default::default()).await.unwrap();
    let record = clinic.records(chart, None).await.unwrap()[0].record_id;
    let payer = cluster.payer.address();
    let nonce = async || world.chain().provider().get_transaction_count(payer).await.unwrap();
    let (paid_before, relayed_before) = (nonce().await, poor.relayed().await.unwrap().len());

    let work = Arc::new(Work::default());
    let reader = {
        let (work, clinic) = (work.clone(), clinic.clone());
        tokio::spawn(async move {
            while !work.is_over.load(SeqCst) {
                insisting("read", || {
                    let clinic = clinic.clone();
                    async move {
                        let open = clinic.chart(chart).await?;
                        open.read(record, None, treat()).await
                    }
                })
                .await;
                work.did(READS);
            }
        })
    };
    let asker = {
        let (work, endpoints) = (work.clone(), world.dev.endpoints.clone());
        let (deployment, identity) = (world.dev.deployment.clone(), clinic.identity().clone());
        tokio::spawn(async move {
            while !work.is_over.load(SeqCst) {
                let reply = insisting("ask", || {
                    let (endpoints, deployment, identity) = (endpoints.clone(), deployment.clone(), identity.clone());
                    // Signs in anew each time: the challenge is of one gateway, the session of the other.
                    async move {
                        let client = Client::connect(&endpoints, deployment, identity).await?;
                        let question = Question {
                            chart,
                            compartment: Label::Documents.compartment(),
                            record_id: None,
                            purpose: treat(),
                            action: Action::READ,
                            at: None,
                        };
                        client.gateway().await?.decisions(vec![question], false).await
                    }
                })
                .await;
                assert!(reply.verdicts[0].allowed);
                work.did(ASKED);
            }
        })
    };
    let writer = tokio::spawn(adds(work.clone(), ADDED, clinic.clone(), chart));
    let poor_writer = tokio::spawn(adds(work.clone(), RELAYED, poor.clone(), own));
    work.goes_on(3).await;
    cluster.kill_one_of_each().await;
    work.goes_on(8).await;
    work.is_over.store(true, SeqCst);
    reader.await.unwrap();
    asker.await.unwrap();
    let (added, relayed) = (writer.await.unwrap(), poor_writer.await.unwrap());

    // Nothing that was confirmed is lost.
    for (client, chart, count) in [(&clinic, chart, added), (&poor, own, relayed)] {
        let open = client.chart(chart).await.unwrap();
        for number in 0..count {
            let note = note(client, chart, number);
            let purpose = if chart == own { patient_request() } else { treat() };
            let read = open.read(note.record_id, None, purpose).await.unwrap();
            assert_eq!((read.version, read.content.as_slice()), (1, &*note.content));
        }
    }
    let reads = patient.reads(chart).await.unwrap();
    let of_record = reads.iter().filter(|read| read.entry.receipt.record_id == record);
    assert!(of_record.count() >= work.counts()[READS]);
    let sequences: Vec<u64> = reads.iter().map(|read| read.entry.sequence).collect();
    assert!(sequences.is_sorted() && sequences.iter().collect::<BTreeSet<_>>().len() == sequences.len());
    // Each operation was paid for once.
    let operations = poor.relayed().await.unwrap();
    assert!(operations.iter().all(|operation| operation.state == RelayState::Mined));
    let operations = operations.len() - relayed_before;
    assert_eq!((operations as u64, operations), (nonce().await - paid_before, relayed));

    // Those who are left keep the promises alone.
    promises::revoked_readers(&world).await;
    promises::visible_reads(&world).await;
    promises::old_signatures(&world).await;
    let gateway = cluster.gateways[1].take().expect("it was not killed");
    let log = gateway.stop();
    assert!(!log.contains("panicked"), "{log}");
    eventually("nobody answers any more", || async {
        let answer = reqwest::get(format!("{}/ready", world.dev.endpoints.gateway))
            .await
            .unwrap();
        (answer.status().as_u16() >= 502).then_some(())
    })
    .await;
}
