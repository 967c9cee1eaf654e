//! A real chain with eight contracts that log whatever they are told to, so that any event, good or bad, can be had.
use alloy::signers::local::PrivateKeySigner;
use alloy::{
    network::{EthereumWallet, TransactionBuilder},
    primitives::{Address, B256, Bytes, IntoLogData, LogData},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::{TransactionReceipt, TransactionRequest},
};
use medlock_indexer::Deployment;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

pub struct Chain {
    pub url: String,
    pub rpc: DynProvider,
    pub deployment: Deployment,
    _node: Node,
}

/// What keeps the chain going.
enum Node {
    Ours {
        _handle: medlock_anvil::Handle,
    },
    Foundrys {
        _process: Box<Child>,
        /// Its home: it keeps old states there, which nobody else deletes once it is killed.
        _home: tempfile::TempDir,
    },
}

impl Chain {
    /// Starts a chain on a free port and deploys the contracts, in one block each. Nothing on it is ever final.
    pub async fn start() -> Self {
        Self::start_with(u64::MAX).await
    }

    /// The same, where blocks are final once so many stand above them.
    pub async fn start_with(finalized_depth: u64) -> Self {
        let config = medlock_anvil::Config {
            finalized_depth,
            safe_depth: finalized_depth / 2,
            ..Default::default()
        };
        let anvil = medlock_anvil::spawn(config).await.unwrap();
        let signer = anvil.accounts()[0].signer.clone();
        Self::on(anvil.url(), signer, Node::Ours { _handle: anvil }).await
    }

    /// Foundry's, from the tools that tools/setup-node.sh installs.
    pub async fn start_foundrys() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let tools = std::env::var_os("MEDLOCK_TOOLS").map_or_else(|| root.join(".tools"), PathBuf::from);
        let home = tempfile::tempdir().unwrap();
        let mut process = Command::new(tools.join("node/node_modules/.bin/anvil"))
            .env("HOME", home.path())
            .args(["--port", "0", "--chain-id", "412346"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Foundry's anvil: run tools/setup-node.sh");
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let listening = async {
            loop {
                let line = output.next_line().await.unwrap().expect("anvil ended");
                if let Some(address) = line.strip_prefix("Listening on ") {
                    return format!("http://{}", address.trim());
                }
            }
        };
        let url = tokio::time::timeout(Duration::from_secs(60), listening).await.unwrap();
        // The first of the development accounts that every such node has.
        let signer = medlock_anvil::dev_accounts()[0].signer.clone();
        let node = Node::Foundrys {
            _process: Box::new(process),
            _home: home,
        };
        // It tells of each request, and would wait for a reader once the pipe is full. Ends with the process.
        tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
        Self::on(url, signer, node).await
    }

    pub fn ws(&self) -> String {
        self.url.replace("http://", "ws://")
    }

    async fn on(url: String, signer: PrivateKeySigner, node: Node) -> Self {
        let rpc = ProviderBuilder::new()
            // No nonce is remembered: reorgs take transactions back.
            .with_simple_nonce_management()
            .wallet(EthereumWallet::from(signer))
            .connect_http(url.parse().unwrap())
            .erased();
        let (registry, start_block) = deploy(&rpc).await;
        let (records, _) = deploy(&rpc).await;
        let (exceptions, _) = deploy(&rpc).await;
        let (relay, _) = deploy(&rpc).await;
        let (audit, _) = deploy(&rpc).await;
        let (claims, _) = deploy(&rpc).await;
        let (supply, _) = deploy(&rpc).await;
        let (trials, _) = deploy(&rpc).await;
        let genesis = rpc.get_block(0.into()).await.unwrap().unwrap();
        let chain_id = rpc.get_chain_id().await.unwrap();
        let deployment = Deployment {
            registry,
            records,
            exceptions,
            relay,
            audit,
            claims,
            supply,
            trials,
            start_block,
            chain_id,
            genesis_hash: genesis.header.hash,
        };
        Self {
            url,
            rpc,
            deployment,
            _node: node,
        }
    }

    /// Deploys another contract that logs what it is told, which is not ours.
    pub async fn stranger(&self) -> Address {
        deploy(&self.rpc).await.0
    }

    /// Logs each event of `records`, in a transaction and so a block of its own.
    pub async fn records(&self, events: impl IntoIterator<Item = LogData>) {
        for event in events {
            self.log(self.deployment.records, event).await;
        }
    }

    pub async fn registry(&self, event: impl IntoLogData) {
        self.log(self.deployment.registry, event.into_log_data()).await;
    }

    pub async fn log(&self, contract: Address, data: LogData) {
        let sent = *self
            .rpc
            .send_transaction(call(contract, &data))
            .await
            .unwrap()
            .tx_hash();
        receipt(&self.rpc, sent).await;
    }

    /// Sends a log's transaction, which waits for a block.
    pub async fn pend(&self, contract: Address, data: LogData) {
        let _: serde_json::Value = self.rpc.raw_request("evm_setAutomine".into(), (false,)).await.unwrap();
        let request = call(contract, &data).with_gas_limit(1_000_000);
        // Its receipt comes with the block.
        _ = self.rpc.send_transaction(request).await.unwrap();
    }

    pub async fn automine(&self) {
        let _: serde_json::Value = self.rpc.raw_request("evm_setAutomine".into(), (true,)).await.unwrap();
    }

    /// Mines `logs` together in one block.
    pub async fn log_in_one_block(&self, logs: &[(Address, LogData)]) {
        let _: serde_json::Value = self.rpc.raw_request("evm_setAutomine".into(), (false,)).await.unwrap();
        let sender: Address = self.rpc.get_accounts().await.unwrap()[0];
        let nonce = self.rpc.get_transaction_count(sender).await.unwrap();
        let mut sent = Vec::new();
        for ((contract, data), nonce) in logs.iter().zip(nonce..) {
            // The gas limit is given, since an estimate does not know the transactions before it.
            let request = call(*contract, data).with_nonce(nonce).with_gas_limit(1_000_000);
            sent.push(*self.rpc.send_transaction(request).await.unwrap().tx_hash());
        }
        self.mine(1).await;
        self.automine().await;
        for sent in sent {
            receipt(&self.rpc, sent).await;
        }
    }

    /// Mines a block of `logs`. Blocks are not to come by themselves (`evm_setAutomine`). One request a log: nothing is
    /// estimated, and no receipt is asked for.
    pub async fn block_of(&self, logs: impl IntoIterator<Item = LogData>) {
        let sender: Address = medlock_anvil::dev_accounts()[0].signer.address();
        let nonce = self.rpc.get_transaction_count(sender).await.unwrap();
        for (data, nonce) in logs.into_iter().zip(nonce..) {
            let request = call(self.deployment.records, &data)
                .with_nonce(nonce)
                .with_gas_limit(1_000_000)
                .with_max_fee_per_gas(100_000_000_000)
                .with_max_priority_fee_per_gas(0);
            _ = self.rpc.send_transaction(request).await.unwrap();
        }
        self.mine(1).await;
    }

    /// The next block is this much later than it would be.
    pub async fn pass_time(&self, seconds: u64) {
        let _: serde_json::Value = self
            .rpc
            .raw_request("evm_increaseTime".into(), (seconds,))
            .await
            .unwrap();
    }

    /// Mines empty blocks.
    pub async fn mine(&self, blocks: u64) {
        let _: serde_json::Value = self
            .rpc
            .raw_request("anvil_mine".into(), (format!("{blocks:#x}"),))
            .await
            .unwrap();
    }

    pub async fn snapshot(&self) -> serde_json::Value {
        self.rpc.raw_request("evm_snapshot".into(), ()).await.unwrap()
    }

    pub async fn revert(&self, snapshot: &serde_json::Value) {
        assert!(
            self.rpc
                .raw_request::<_, bool>("evm_revert".into(), (snapshot,))
                .await
                .unwrap()
        );
    }

    /// Replaces the newest blocks by as many empty ones.
    pub async fn reorg(&self, depth: u64) {
        let _: serde_json::Value = self
            .rpc
            .raw_request("anvil_reorg".into(), json!([depth, []]))
            .await
            .unwrap();
    }

    pub async fn tip(&self) -> (u64, B256) {
        let block = self.rpc.get_block_by_number(Default::default()).await.unwrap().unwrap();
        (block.header.number, block.header.hash)
    }
}

/// Address and block of a new emitter.
async fn deploy(rpc: &DynProvider) -> (Address, u64) {
    let request = TransactionRequest::default().with_deploy_code(emitter());
    let sent = *rpc.send_transaction(request).await.unwrap().tx_hash();
    let receipt = receipt(rpc, sent).await;
    (receipt.contract_address.unwrap(), receipt.block_number.unwrap())
}

/// Of a mined transaction that succeeded. (alloy's own wait counts blocks upwards, and hangs where a reorg takes some back.)
pub async fn receipt(rpc: &DynProvider, sent: B256) -> TransactionReceipt {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let wait = async {
        loop {
            tick.tick().await;
            if let Some(receipt) = rpc.get_transaction_receipt(sent).await.unwrap() {
                return receipt;
            }
        }
    };
    let receipt = tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    assert!(receipt.status());
    receipt
}

fn call(contract: Address, data: &LogData) -> TransactionRequest {
    let mut input = vec![data.topics().len() as u8];
    input.extend(data.topics().iter().flat_map(|topic| topic.0));
    input.extend_from_slice(&data.data);
    TransactionRequest::default().with_to(contract).with_input(input)
}

/// Init code of a contract whose call data is one byte n, n topics of 32 bytes, data; it logs them as they are.
fn emitter() -> Bytes {
    const TABLE_ENTRY: usize = 7;
    // n; n, offset of the data; copy the data to memory 0; length, n.
    let mut code = vec![0x5f, 0x35, 0x5f, 0x1a, 0x80, 0x60, 5, 0x1b, 0x60, 1, 0x01];
    code.extend([0x80, 0x36, 0x03, 0x80, 0x91, 0x5f, 0x37, 0x90]);
    let mut target = code.len() + 5 * TABLE_ENTRY + 3;
    let mut bodies = Vec::new();
    for n in 0..5u8 {
        // if n == n: jump
        code.extend([0x80, 0x60, n, 0x14, 0x60, u8::try_from(target).unwrap(), 0x57]);
        let mut body = vec![0x5b];
        for topic in (0..n).rev() {
            body.extend([0x60, 1 + 32 * topic, 0x35]);
        }
        // length, offset 0, LOGn, STOP
        body.extend([0x80 + n + 1, 0x5f, 0xa0 + n, 0x00]);
        target += body.len();
        bodies.extend(body);
    }
    // Five topics or more: revert.
    code.extend([0x5f, 0x5f, 0xfd]);
    code.extend(bodies);
    let mut init = vec![
        0x60,
        u8::try_from(code.len()).unwrap(),
        0x80,
        0x60,
        9,
        0x5f,
        0x39,
        0x5f,
        0xf3,
    ];
    init.extend(code);
    init.into()
}
