//! Receipts in the chain: anchored in batches, and proved one by one.
use alloy::{primitives::U256, sol_types::SolStruct as _};
use medlock_abi::audit::IAudit;
use medlock_api::ReadEntry;
use medlock_gateway::Anchoring;
use sqlx::{Connection as _, SqliteConnection};

use super::*;

/// A world with a record that the clinic may read, and a gateway account that may anchor and can pay.
struct Reads {
    world: World,
    labs: Written,
    patient: String,
    clinic: String,
}

/// Anchors whatever there is, at once.
fn at_once() -> Anchoring {
    Anchoring {
        every: Duration::ZERO,
        poll: Duration::from_millis(20),
        raise_after: Duration::from_secs(1),
        ..Anchoring::default()
    }
}

impl Reads {
    async fn start() -> Self {
        let world = World::with_chart().await;
        let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
        world.store.put(labs.blocks.clone()).await.unwrap();
        let gateway = world.gateway.address();
        let credential = IRegistry::issueCredentialCall {
            party: gateway,
            roles: role::GATEWAY,
            expiry: 0,
            document: B256::repeat_byte(2),
        };
        let owner = world.chain.accounts()[0].signer.clone();
        world.send(&owner, world.deployment.registry, credential).await;
        let ether = U256::from(10).pow(U256::from(18));
        world.rpc("anvil_setBalance", json!([gateway, ether])).await;
        let patient = world.sign_in(&world.patient).await;
        let clinic = world.sign_in(&world.clinic).await;
        Self {
            world,
            labs,
            patient,
            clinic,
        }
    }

    async fn read(&self) {
        let request = self.world.receipt(&self.world.clinic, &self.labs, |_| ());
        ok_bytes(self.world.read(&self.clinic, &request)).await;
    }

    /// Another process of the account, on the same database, which anchors.
    async fn anchoring(&self, anchoring: Anchoring) -> medlock_gateway::Handle {
        let world = &self.world;
        medlock_gateway::spawn(medlock_gateway::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: Some("https://gateway.example".into()),
            trusted_proxies: Vec::new(),
            rpc_url: world.rpc_url.clone(),
            app_rpc_url: None,
            custodians: Vec::new(),
            deployment: world.deployment,
            index: world.indexer.index(),
            upkeep: None,
            store: world.store.clone(),
            db: world.dir.path().join("gateway.sqlite").as_path().into(),
            key: PrivateKeySigner::from_bytes(&B256::repeat_byte(9)).unwrap(),
            relay: None,
            anchoring: Some(anchoring),
        })
        .await
        .unwrap()
    }

    async fn log(&self) -> Vec<ReadEntry> {
        let path = format!("/v1/charts/{CHART}/reads");
        let reads: medlock_api::Reads = ok(self.world.get(&self.patient, &path)).await;
        reads.reads
    }

    /// The log once all of it, `count` entries, is anchored.
    async fn anchored(&self, count: usize) -> Vec<ReadEntry> {
        let log = eventually(async || {
            let log = self.log().await;
            log.iter().all(|entry| entry.anchor.is_some()).then_some(log)
        })
        .await;
        assert_eq!(log.len(), count);
        for entry in &log {
            let index = entry.anchor.as_ref().unwrap().index;
            assert_eq!(entry.anchored_by(), Some(self.anchor_of(index).await), "{entry:?}");
        }
        log
    }

    async fn anchor_of(&self, index: u64) -> B256 {
        let gateway = self.world.gateway.address();
        let call = IAudit::anchorOfCall { gateway, index };
        self.world.ask_of(self.world.deployment.audit, call).await
    }

    async fn head(&self) -> IAudit::headOfReturn {
        let gateway = self.world.gateway.address();
        let call = IAudit::headOfCall { gateway };
        self.world.ask_of(self.world.deployment.audit, call).await
    }

    /// The struct hashes that are written down, by index.
    async fn written(&self) -> Vec<B256> {
        let path = self.world.dir.path().join("gateway.sqlite");
        let mut db = SqliteConnection::connect(&format!("sqlite://{}", path.display()))
            .await
            .unwrap();
        let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT anchor FROM anchor ORDER BY number")
            .fetch_all(&mut db)
            .await
            .unwrap();
        rows.iter().map(|row| B256::from_slice(row)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_anchored_in_batches_and_proved_one_by_one() {
    let reads = Reads::start().await;
    for _ in 0..3 {
        reads.read().await;
    }
    assert!(reads.log().await.iter().all(|entry| entry.anchor.is_none()));
    let anchoring = reads.anchoring(at_once()).await;
    let log = reads.anchored(3).await;
    for (position, entry) in (0..).zip(&log) {
        let anchor = entry.anchor.as_ref().unwrap();
        let place = (anchor.index, anchor.first, anchor.count, anchor.position);
        assert_eq!(place, (0, 1, 3, position));
        let statement = IAudit::Anchor {
            gateway: reads.world.gateway.address(),
            index: 0,
            previous: B256::ZERO,
            root: anchor.root,
            count: 3,
        };
        assert_eq!(statement.eip712_hash_struct(), reads.anchor_of(0).await);
        // The contract says the same.
        let verify = IAudit::verifyCall {
            statement,
            leafIndex: position,
            leaf: entry.hash,
            proof: anchor.path.clone(),
        };
        assert!(reads.world.ask_of(reads.world.deployment.audit, verify).await);
    }
    // The next one hangs on the first, and goes on after it.
    reads.read().await;
    let log = reads.anchored(4).await;
    let anchor = log[3].anchor.as_ref().unwrap();
    assert_eq!((anchor.index, anchor.first, anchor.count), (1, 4, 1));
    assert_eq!(anchor.previous, reads.anchor_of(0).await);
    // To the controller alone.
    let path = format!("/v1/charts/{CHART}/reads");
    refused(reads.world.get(&reads.clinic, &path), Kind::ForbiddenOrUnknown).await;
    anchoring.shutdown().await.unwrap();
    reads.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_was_written_and_not_sent_is_sent_as_it_stands() {
    let reads = Reads::start().await;
    reads.read().await;
    // Writes down, and cannot pay.
    let dear = Anchoring {
        fee_per_gas_most: 0,
        ..at_once()
    };
    let first = reads.anchoring(dear).await;
    let written = eventually(async || {
        let written = reads.written().await;
        (!written.is_empty()).then_some(written)
    })
    .await;
    first.shutdown().await.unwrap();
    assert_eq!(reads.head().await.anchors, 0);
    reads.read().await;
    let second = reads.anchoring(at_once()).await;
    let log = reads.anchored(2).await;
    assert_eq!(reads.anchor_of(0).await, written[0]);
    let indexes: Vec<_> = log.iter().map(|entry| entry.anchor.as_ref().unwrap().index).collect();
    assert_eq!(indexes, [0, 1]);
    second.shutdown().await.unwrap();
    reads.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_of_one_account_say_one_thing() {
    let reads = Reads::start().await;
    let processes = [reads.anchoring(at_once()).await, reads.anchoring(at_once()).await];
    for _ in 0..8 {
        reads.read().await;
    }
    reads.anchored(8).await;
    let (head, written) = (reads.head().await, reads.written().await);
    assert_eq!((head.anchors, head.receipts), (written.len() as u64, 8));
    for (index, anchor) in (0..).zip(written) {
        assert_eq!(reads.anchor_of(index).await, anchor);
    }
    for process in processes {
        process.shutdown().await.unwrap();
    }
    reads.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_that_a_reorganisation_takes_back_is_sent_again_with_the_same_content() {
    let reads = Reads::start().await;
    let height = async || {
        let height = reads.world.rpc("eth_blockNumber", json!([])).await;
        u64::from_str_radix(height.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    };
    let unanchored = height().await;
    reads.read().await;
    let anchoring = reads.anchoring(at_once()).await;
    reads.anchored(1).await;
    let before = reads.anchor_of(0).await;
    reads.world.rpc("evm_setAutomine", json!([false])).await;
    // A gateway in a hurry may have sent it twice.
    let depth = height().await - unanchored;
    reads.world.rpc("anvil_reorg", json!([depth, []])).await;
    assert_eq!(reads.anchor_of(0).await, B256::ZERO);
    // It is not said to be anchored any more.
    eventually(async || reads.log().await[0].anchor.is_none().then_some(())).await;
    // More to say now: that is for the next one.
    reads.read().await;
    reads.world.rpc("evm_setAutomine", json!([true])).await;
    let log = eventually(async || {
        reads.world.rpc("evm_mine", json!([])).await;
        let log = reads.log().await;
        log.iter().all(|entry| entry.anchor.is_some()).then_some(log)
    })
    .await;
    assert_eq!(reads.anchor_of(0).await, before);
    let counts: Vec<_> = log.iter().map(|entry| entry.anchor.as_ref().unwrap().count).collect();
    assert_eq!((counts, reads.head().await.anchors), (vec![1, 1], 2));
    anchoring.shutdown().await.unwrap();
    reads.world.stop().await;
}
