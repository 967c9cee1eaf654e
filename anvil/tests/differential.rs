//! Plain EVM behaviour, compared with Foundry's anvil transaction by transaction on random programs of calls.
//!
//! Both chains start with the same accounts, chain id, base fee, coinbase and gas limit, get the same raw transactions
//! at the same times, and have to agree on everything that can be asked, down to the roots of the accounts' storage. What
//! must differ stands in [`MUST_DIFFER`].

#[path = "common/cases.rs"]
mod cases;
#[path = "common/trie.rs"]
mod trie;

mod differ {
    pub mod node;
    pub mod program;
    pub mod shape;
    pub mod transaction;
}

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256, hex};
use arbitrary::{Result, Unstructured};
use serde_json::{Value, json};

use cases::cases;
use differ::node::Pair;
use differ::program;
use differ::shape;
use differ::transaction;

/// What is another on the two chains, with the reason: here, on Foundry's anvil, why. The generators leave out what could
/// see it.
pub const MUST_DIFFER: [[&str; 3]; 11] = [
    ["PREVRANDAO is 1", "random", "Arbitrum has no beacon chain"],
    [
        "BLOCKHASH is a hash of the number",
        "this chain's",
        "Arbitrum gives the L1 block's",
    ],
    [
        "a gas limit above 32,000,000 is refused",
        "up to the block's",
        "Nitro's limit of one transaction",
    ],
    [
        "a tip is ignored",
        "goes to the coinbase",
        "Arbitrum's rule; here nobody offers one",
    ],
    [
        "a refusal has code -32000",
        "-32003",
        "go-ethereum's code is what clients of Nitro get",
    ],
    [
        "block.number follows the clock",
        "counts blocks",
        "it is L1's; a pair moves the clock 12 s a block, so both agree",
    ],
    ["a blob transaction is refused", "mined", "Arbitrum has no blobs"],
    ["precompiles at 0x64 and above", "none", "ArbOS"],
    [
        "a transaction below its intrinsic gas, or of type 7702 without authorizations, is refused",
        "accepted and never mined",
        "ours says so at once",
    ],
    [
        "a legacy transaction signed for another chain is refused",
        "mined",
        "EIP-155 is there to prevent that",
    ],
    [
        "no block hashes in the state",
        "EIP-2935's contract",
        "so the state roots are others; accounts are compared one by one",
    ],
];

/// Contracts of a scenario.
const CONTRACTS: usize = 3;
/// Transactions of a scenario, after the contracts are there.
const TRANSACTIONS: usize = 6;

#[test]
fn random_programs_of_calls_do_the_same_as_on_foundrys_anvil() {
    // After a failure the two chains are no longer alike: the next run starts others.
    let alike: RefCell<Option<Pair>> = RefCell::default();
    let (mined, succeeded, refused) = (Cell::new(0), Cell::new(0), Cell::new(0));
    cases("programs of calls", 150, 16_384, |u| {
        let mut pair = alike.take().unwrap_or_else(Pair::start);
        let mut targets = pair.known();
        // Where the contracts will be, so that they can call each other in circles.
        let creator = pair.sender(0);
        let nonce = pair.nonce(creator.address());
        targets.extend((0..CONTRACTS as u64).map(|i| creator.address().create(nonce + i)));
        for _ in 0..CONTRACTS {
            let code = program::runtime(u, &targets)?;
            let raw = transaction::deploy(&creator, pair.nonce(creator.address()), &program::init(&code));
            let outcome = pair.send(&raw);
            assert!(outcome.is_mined(), "{outcome:?}");
        }
        for _ in 0..TRANSACTIONS {
            let planned = transaction::arbitrary(u, &pair, &targets)?;
            pair.compare_calls(&planned.request);
            match pair.send(&planned.raw) {
                differ::node::Outcome::Mined { success } => {
                    mined.set(mined.get() + 1);
                    succeeded.set(succeeded.get() + u32::from(success));
                }
                differ::node::Outcome::Refused => refused.set(refused.get() + 1),
            }
        }
        pair.compare_accounts(&targets);
        alike.replace(Some(pair));
        Ok(())
    });
    let (mined, succeeded, refused) = (mined.get(), succeeded.get(), refused.get());
    let pair = alike.take().expect("the last case succeeded");
    let (estimates, close) = (pair.estimates.get(), pair.close_estimates.get());
    println!("{estimates} estimates, {close} within 4%");
    assert!(
        close * 10 >= estimates * 9,
        "only {close} of {estimates} estimates are close"
    );
    println!("{mined} transactions mined, {succeeded} succeeded, {refused} refused");
    assert!(
        succeeded * 4 >= mined,
        "too few succeed to say much: {succeeded} of {mined}"
    );
    assert!(refused > 0 && succeeded < mined, "failures must be compared, too");
}

#[test]
fn answers_have_the_shape_of_foundrys_anvil() {
    let mut pair = Pair::start();
    let sender = pair.sender(0);
    // Logs a word; then every type of transaction that there is.
    let code = hex!("602a60005260206000a000");
    let raw = transaction::deploy(&sender, 0, &program::init(&code));
    assert!(pair.send(&raw).is_mined());
    let target = sender.address().create(0);
    let mut differences = BTreeSet::new();
    for kind in transaction::KINDS {
        let raw = transaction::plain(&sender, pair.nonce(sender.address()), kind, target);
        assert!(pair.send(&raw).is_mined());
        let hash = json!(alloy::primitives::keccak256(&raw));
        let number = pair.ours.ok("eth_blockNumber", json!([]));
        for (method, params) in [
            ("eth_getTransactionByHash", json!([hash])),
            ("eth_getTransactionReceipt", json!([hash])),
            (
                "eth_getTransactionByBlockNumberAndIndex",
                json!([pair.foundry.ok("eth_blockNumber", json!([])), "0x0"]),
            ),
            ("eth_getRawTransactionByHash", json!([hash])),
        ] {
            let (ours, theirs) = match method {
                "eth_getTransactionByBlockNumberAndIndex" => (
                    pair.ours.ok(method, json!([number, "0x0"])),
                    pair.foundry.ok(method, params),
                ),
                _ => (pair.ours.ok(method, params.clone()), pair.foundry.ok(method, params)),
            };
            differences.extend(shape::differences(method, &ours, &theirs));
        }
        for (method, params) in [
            ("eth_getBlockByNumber", json!(["latest", true])),
            ("eth_getBlockByNumber", json!(["latest", false])),
            ("eth_getLogs", json!([{}])),
            ("eth_feeHistory", json!(["0x1", "latest", [50]])),
            ("eth_getProof", json!([target, [B256::ZERO], "latest"])),
            ("eth_getBlockReceipts", json!(["latest"])),
            ("eth_getBlockTransactionCountByNumber", json!(["latest"])),
            ("eth_getTransactionCount", json!([sender.address(), "latest"])),
            ("eth_gasPrice", json!([])),
            ("eth_chainId", json!([])),
            ("net_version", json!([])),
            ("eth_syncing", json!([])),
            ("eth_getStorageAt", json!([target, "0x0", "latest"])),
            ("eth_getCode", json!([Address::ZERO, "latest"])),
        ] {
            let (ours, theirs) = (pair.ours.ok(method, params.clone()), pair.foundry.ok(method, params));
            differences.extend(shape::differences(method, &ours, &theirs));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn precompiles_give_the_same_answers_for_any_input() {
    let pair = Pair::start();
    let differences: RefCell<BTreeMap<u8, String>> = RefCell::default();
    cases("precompiles", 500, 1_024, |u| {
        let address: u8 = u.int_in_range(1..=0x12)?;
        let input = program::precompile_input(address, u)?;
        let request = json!({
            "from": pair.sender(0).address(), "to": Address::with_last_byte(address),
            "input": hex::encode_prefixed(&input), "gas": "0x4c4b40",
        });
        if let Some(difference) = pair.calls_differ(&request) {
            differences.borrow_mut().entry(address).or_insert(difference);
        }
        Ok(())
    });
    let differences = differences.into_inner();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn opcodes_answer_the_same_for_any_operands() {
    let pair = Pair::start();
    cases("opcodes", 500, 1_024, |u| {
        let code = program::operators(u)?;
        let at = Address::with_last_byte(0xee);
        let request = json!({"from": pair.sender(0).address(), "to": at, "gas": "0x4c4b40"});
        let overrides = json!({at.to_string(): {"code": hex::encode_prefixed(code)}});
        pair.compare_answers("eth_call", json!([request, "latest", overrides]));
        Ok(())
    });
}

/// A quantity, in whatever way it is written.
pub fn quantity(value: &Value) -> U256 {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Whether the generator may use the value `u` picked.
pub fn chance(u: &mut Unstructured<'_>, one_in: u8) -> Result<bool> {
    u.ratio(1, one_in)
}
