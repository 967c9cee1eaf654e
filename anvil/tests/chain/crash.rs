//! `kill -9` of the real program, at moments that nobody chose.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy::consensus::TrieAccount;
use alloy::rpc::types::EIP1186AccountProofResponse;
use alloy_trie::Nibbles;
use alloy_trie::proof::verify_proof;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::*;

/// Times that the program is killed.
const ROUNDS: u64 = 20;
/// The most transactions that are confirmed in a round before the kill.
const CONFIRMED_MAX: u64 = 20;

struct Program {
    child: Child,
    url: String,
}

impl Program {
    async fn start(dir: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_medlock-anvil"))
            .args(["--port", "0", "--state-dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut accounts = 0;
        let listening = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                accounts +=
                    u64::from(line.trim_start().starts_with("alice ") || line.trim_start().starts_with("judy "));
                if let Some(urls) = line.strip_prefix("Listening on ") {
                    return urls.split(' ').next().unwrap().to_owned();
                }
            }
            panic!("the program ended");
        };
        let url = tokio::time::timeout(DEADLINE, listening).await.expect("in time");
        assert_eq!(accounts, 2, "the first and the last account are named");
        Self { child, url }
    }

    async fn ask(&self, client: &reqwest::Client, method: &str, params: Value) -> Option<Value> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let request = client
            .post(&self.url)
            .header("content-type", "application/json")
            .body(body);
        let answer: Value = request.send().await.ok()?.json().await.ok()?;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        Some(answer["result"].clone())
    }
}

#[tokio::test]
async fn kill_9_loses_nothing_that_was_confirmed() {
    let dir = directory("kill");
    let client = reqwest::Client::new();
    let signers = spawn(Config::default()).await.unwrap().accounts()[..4].to_vec();
    let mut receipts: Vec<Value> = Vec::new();
    let mut height = 0;
    // Which moment is as good as any other; what it was is told if it fails.
    let mut random = RandomState::new().build_hasher().finish();
    for round in 0..ROUNDS {
        let program = Arc::new(Program::start(&dir).await);
        check(&program, &client, &receipts, height).await;

        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let (kill_after, grain) = ((random >> 33) % CONFIRMED_MAX, (random >> 20) % 2_000);
        let confirmed = Arc::new(AtomicU64::new(0));
        let mut senders = tokio::task::JoinSet::new();
        for account in &signers {
            let account = account.clone();
            let (program, client, confirmed) = (program.clone(), client.clone(), confirmed.clone());
            senders.spawn(async move { send_until_killed(&program, &client, &account, &confirmed).await });
        }
        while confirmed.load(Ordering::Relaxed) < kill_after {
            tokio::task::yield_now().await;
        }
        // Not always right after an answer: some turns of the loop later.
        for _ in 0..grain {
            tokio::task::yield_now().await;
        }
        let pid = program.child.id().unwrap();
        let killed = Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .await
            .unwrap();
        assert!(killed.success(), "round {round}");
        while let Some(seen) = senders.join_next().await {
            receipts.extend(seen.unwrap());
        }
        let mut program = Arc::into_inner(program).expect("the senders have ended");
        program.child.wait().await.unwrap();
        height = receipts
            .iter()
            .map(|receipt| number(&receipt["blockNumber"]))
            .max()
            .unwrap_or(0);
    }
    assert!(!receipts.is_empty());
    let program = Program::start(&dir).await;
    check(&program, &client, &receipts, height).await;
    drop(program);
    std::fs::remove_dir_all(dir).unwrap();
}

/// Sends transfers one after another until the program is gone; what was confirmed.
async fn send_until_killed(
    program: &Program,
    client: &reqwest::Client,
    account: &medlock_anvil::DevAccount,
    confirmed: &AtomicU64,
) -> Vec<Value> {
    use alloy::eips::Encodable2718;
    let wallet = alloy::network::EthereumWallet::from(account.signer.clone());
    let mut receipts = Vec::new();
    let next = json!([account.address, "latest"]);
    let Some(nonce) = program.ask(client, "eth_getTransactionCount", next).await else {
        return receipts;
    };
    for nonce in number(&nonce).. {
        let request = transfer(1)
            .with_chain_id(412_346)
            .with_nonce(nonce)
            .with_gas_limit(21_000)
            .with_max_fee_per_gas(200_000_000)
            .with_max_priority_fee_per_gas(0);
        let raw: Bytes = request.build(&wallet).await.unwrap().encoded_2718().into();
        let Some(hash) = program.ask(client, "eth_sendRawTransaction", json!([raw])).await else {
            break;
        };
        let Some(receipt) = program.ask(client, "eth_getTransactionReceipt", json!([hash])).await else {
            break;
        };
        assert_eq!(receipt["status"], "0x1");
        receipts.push(receipt);
        confirmed.fetch_add(1, Ordering::Relaxed);
    }
    receipts
}

/// Everything that was confirmed is still there, block hashes hold, and the head's state root proves balances and nonces.
async fn check(program: &Program, client: &reqwest::Client, receipts: &[Value], height: u64) {
    let ask = async |method: &str, params: Value| program.ask(client, method, params).await.expect("it answers");
    for receipt in receipts {
        assert_eq!(
            &ask("eth_getTransactionReceipt", json!([receipt["transactionHash"]])).await,
            receipt
        );
    }
    let head = ask("eth_blockNumber", json!([])).await;
    assert!(number(&head) >= height);
    let mut parent: Option<Value> = None;
    let mut transfers = 0;
    for block in 0..=number(&head) {
        let block = ask("eth_getBlockByNumber", json!([format!("{block:#x}"), false])).await;
        let header: alloy::consensus::Header = serde_json::from_value(block.clone()).unwrap();
        assert_eq!(json!(header.hash_slow()), block["hash"]);
        if let Some(parent) = parent {
            assert_eq!(block["parentHash"], parent["hash"]);
        }
        transfers += block["transactions"].as_array().unwrap().len();
        parent = Some(block);
    }
    let proof = ask("eth_getProof", json!([NOBODY, [], "latest"])).await;
    let proof: EIP1186AccountProofResponse = serde_json::from_value(proof).unwrap();
    assert_eq!(proof.balance, U256::from(transfers), "each transfer moved one wei");
    let account = TrieAccount {
        nonce: proof.nonce,
        balance: proof.balance,
        storage_root: proof.storage_hash,
        code_hash: proof.code_hash,
    };
    let state_root: B256 = serde_json::from_value(parent.expect("genesis is there")["stateRoot"].clone()).unwrap();
    let leaf = (transfers > 0).then(|| alloy_rlp::encode(account));
    let key = Nibbles::unpack(keccak256(NOBODY));
    verify_proof(state_root, key, leaf, &proof.account_proof).unwrap();
}
