//! The executor, on programs that call random hooks with random arguments: each other, themselves, EVM code, precompiles.
//!
//! The chain runs them as transactions. Beside it a second state, revm's own database, gets the same transactions through
//! the executor alone; gas, logs, output and a state root that is computed from nothing have to agree.

use std::cell::Cell;

use alloy::primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256};
use alloy::sol;
use alloy::sol_types::SolCall;
use alloy_trie::TrieAccount;
use arbitrary::{Result, Unstructured};
use medlock_anvil::executor::{BlockContext, BlockHashes, Checks, Executor, genesis_code};
use medlock_anvil::stylus::code::encode;
use medlock_anvil::{Config, Handle, spawn};
use revm::context::TxEnv;
use revm::context::result::ExecutionResult;
use revm::database::{AccountState, CacheDB, DatabaseCommit, EmptyDB};
use revm::state::{AccountInfo, Bytecode};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, Instruction as I, MemArg, MemorySection, MemoryType, Module, TypeSection, ValType,
};

use crate::cases::cases;
use crate::trie::{storage_root, trie_root};
use crate::wasm::hooks;

sol! {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
}

const ARB_WASM: Address = Address::with_last_byte(0x71);
const FEE_WEI: u64 = 100_000_000;
/// Programs of a case.
const PROGRAMS: usize = 2;
/// Calls of a case.
const CALLS: usize = 4;
/// Statements of a program.
const STATEMENTS_MAX: usize = 24;
/// Seconds between blocks.
const BLOCK_SECONDS: u64 = 12;
/// EVM: calls the address in the first word with the rest and with its value, gives back what it gave.
const FORWARD: &[u8] = &hex!("6020360380602060003760006000826000346000355af13d600060003e6024573d6000fd5b3d6000f3");

/// The chain, and the second state.
struct World {
    runtime: Runtime,
    handle: Handle,
    client: reqwest::Client,
    executor: Executor,
    db: CacheDB<EmptyDB>,
    timestamp: u64,
    coinbase: Address,
}

/// A transaction to send.
struct Tx {
    from: usize,
    to: Option<Address>,
    input: Bytes,
    value: u64,
    gas: u64,
}

impl World {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let handle = runtime.block_on(spawn(Config::default())).unwrap();
        let mut db = CacheDB::new(EmptyDB::default());
        for account in handle.accounts() {
            let balance = U256::from(10).pow(U256::from(22));
            db.insert_account_info(account.address, AccountInfo::from_balance(balance));
        }
        for (address, code) in genesis_code() {
            db.insert_account_info(
                address,
                AccountInfo::from_bytecode(Bytecode::new_legacy(code)).with_nonce(0),
            );
        }
        let mut world = Self {
            runtime,
            handle,
            client: reqwest::Client::new(),
            executor: Executor::new(),
            db,
            timestamp: 0,
            coinbase: Address::ZERO,
        };
        let genesis = world.ok("eth_getBlockByNumber", json!(["latest", false]));
        world.timestamp = number(&genesis["timestamp"]) + 1_000;
        world.coinbase = serde_json::from_value(genesis["miner"].clone()).unwrap();
        assert_eq!(json!(world.root()), genesis["stateRoot"], "the genesis states differ");
        world
    }

    fn address(&self, account: usize) -> Address {
        self.handle.accounts()[account].address
    }

    fn call(&self, method: &str, params: Value) -> Value {
        serde_json::from_str(&self.ask(method, params)).unwrap()
    }

    fn ask(&self, method: &str, params: Value) -> String {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let request = self
            .client
            .post(self.handle.url())
            .header("content-type", "application/json")
            .body(body);
        self.runtime
            .block_on(async { request.send().await?.text().await })
            .expect("the server answers")
    }

    fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    fn nonce(&self, account: usize) -> u64 {
        number(&self.ok("eth_getTransactionCount", json!([self.address(account), "latest"])))
    }

    /// Sends a transaction and compares everything; the replayed result.
    fn send(&mut self, tx: &Tx) -> ExecutionResult {
        let sender = self.address(tx.from);
        let mut request = json!({
            "from": sender, "input": tx.input, "value": format!("0x{:x}", tx.value), "gas": format!("0x{:x}", tx.gas),
            "maxFeePerGas": format!("0x{FEE_WEI:x}"), "maxPriorityFeePerGas": "0x0", "nonce": format!("0x{:x}", self.nonce(tx.from)),
        });
        if let Some(to) = tx.to {
            request["to"] = json!(to);
        }
        self.timestamp += BLOCK_SECONDS;
        self.ok("evm_setNextBlockTimestamp", json!([self.timestamp]));
        let called = self.call("eth_call", json!([request, "pending"]));
        let snapshot = self.ok("evm_snapshot", json!([]));
        let (first, first_block) = self.mine(&request);
        // The same block again.
        self.ok("evm_revert", json!([snapshot]));
        self.ok("evm_setNextBlockTimestamp", json!([self.timestamp]));
        let (receipt, block) = self.mine(&request);
        for field in ["gasUsed", "status", "logsBloom"] {
            assert_eq!(first[field], receipt[field], "{field} is another the second time");
        }
        for field in ["stateRoot", "receiptsRoot", "transactionsRoot"] {
            assert_eq!(first_block[field], block[field], "{field} is another the second time");
        }

        let context = BlockContext {
            chain_id: 412_346,
            number: number(&block["number"]),
            l1_number: self.timestamp / BLOCK_SECONDS,
            timestamp: self.timestamp,
            basefee: FEE_WEI,
            gas_limit: number(&block["gasLimit"]),
            coinbase: self.coinbase,
            prevrandao: B256::with_last_byte(1),
            hashes: BlockHashes::default(),
        };
        let env = TxEnv {
            tx_type: 2,
            caller: sender,
            gas_limit: tx.gas,
            gas_price: FEE_WEI.into(),
            gas_priority_fee: Some(0),
            kind: tx.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::from(tx.value),
            data: tx.input.clone(),
            nonce: number(&request["nonce"]),
            chain_id: Some(412_346),
            ..TxEnv::default()
        };
        let before = self.db.cache.accounts.clone();
        let done = self
            .executor
            .transact(&mut self.db, &context, env, Checks::ALL)
            .expect("what the chain mined is valid");
        self.db.commit(done.state);
        let result = done.result;

        let used = result.tx_gas_used();
        assert!(used <= tx.gas, "{used} gas used of {}", tx.gas);
        assert_eq!(number(&receipt["gasUsed"]), used);
        self.trace(&receipt["transactionHash"]);
        assert_eq!(receipt["status"] == "0x1", result.is_success(), "{receipt}");
        let logs: Vec<Value> = match &result {
            ExecutionResult::Success { logs, .. } => logs
                .iter()
                .map(|log| json!([log.address, log.data.topics(), log.data.data]))
                .collect(),
            _ => Vec::new(),
        };
        let mined: Vec<Value> = receipt["logs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|log| json!([log["address"], log["topics"], log["data"]]))
            .collect();
        assert_eq!(mined, logs);
        assert_eq!(
            block["stateRoot"],
            json!(self.root()),
            "the state root is not the state's"
        );

        match &result {
            ExecutionResult::Success { output, .. } => {
                assert_eq!(called["result"], json!(output.data()), "eth_call gives another output");
            }
            ExecutionResult::Revert { output, .. } => {
                assert_eq!(called["error"]["code"], 3, "{called}");
                assert_eq!(
                    called["error"]["data"],
                    json!(output),
                    "eth_call gives other revert data"
                );
            }
            ExecutionResult::Halt { .. } => assert!(called.get("error").is_some(), "{called}"),
        }
        if !result.is_success() {
            self.assert_only_fee_and_nonce(&before, sender, used);
        }
        result
    }

    /// Looking changes nothing: the chain shows no trace that does not end as the receipt says.
    fn trace(&self, hash: &Value) {
        for options in [
            json!({"tracer": "callTracer", "timeout": "60s"}),
            json!({"tracer": "stylusTracer", "timeout": "60s"}),
            json!({"tracer": "prestateTracer"}),
            json!({"limit": 100, "timeout": "60s"}),
        ] {
            // Not parsed: frames may nest deeper than serde_json reads.
            let text = self.ask("debug_traceTransaction", json!([hash, options]));
            let is_shown = text.starts_with(r#"{"jsonrpc":"2.0","id":1,"result":"#) || text.contains("TRACE_BYTES_MAX");
            assert!(is_shown, "{options}: {}", &text[..text.len().min(500)]);
        }
    }

    fn mine(&self, request: &Value) -> (Value, Value) {
        let hash = self.ok("eth_sendTransaction", json!([request]));
        let receipt = self.ok("eth_getTransactionReceipt", json!([hash]));
        let block = self.ok("eth_getBlockByHash", json!([receipt["blockHash"], false]));
        (receipt, block)
    }

    fn assert_only_fee_and_nonce(
        &self,
        before: &revm::primitives::AddressMap<revm::database::DbAccount>,
        sender: Address,
        gas_used: u64,
    ) {
        for (address, account) in &self.db.cache.accounts {
            let Some(old) = before.get(address) else {
                assert!(account.info.is_empty(), "{address} came into being");
                continue;
            };
            let (mut nonce, mut balance) = (old.info.nonce, old.info.balance);
            if *address == sender {
                nonce += 1;
                balance -= U256::from(gas_used) * U256::from(FEE_WEI);
            }
            assert_eq!(
                (account.info.nonce, account.info.balance),
                (nonce, balance),
                "{address}"
            );
            assert_eq!(account.info.code_hash, old.info.code_hash, "{address}");
            for (slot, value) in &account.storage {
                assert_eq!(
                    *value,
                    old.storage.get(slot).copied().unwrap_or_default(),
                    "{address} {slot}"
                );
            }
        }
    }

    /// The state root, from every account and slot.
    fn root(&self) -> B256 {
        let accounts = self
            .db
            .cache
            .accounts
            .iter()
            .filter(|(_, account)| account.account_state != AccountState::NotExisting && !account.info.is_empty());
        let leaves = accounts.map(|(address, account)| {
            let slots = account.storage.iter().filter(|(_, value)| !value.is_zero());
            let leaf = TrieAccount {
                nonce: account.info.nonce,
                balance: account.info.balance,
                storage_root: storage_root(slots.map(|(slot, value)| (*slot, *value)).collect()),
                code_hash: account.info.code_hash,
            };
            (keccak256(address), alloy_rlp::encode(leaf))
        });
        trie_root(leaves.collect())
    }

    fn deploy(&mut self, code: &[u8]) -> Address {
        let mut init = vec![0x61];
        init.extend((code.len() as u16).to_be_bytes());
        init.extend(hex!("80600c6000396000f3"));
        init.extend(code);
        let address = self.address(0).create(self.nonce(0));
        let result = self.send(&Tx {
            from: 0,
            to: None,
            input: init.into(),
            value: 0,
            gas: 10_000_000,
        });
        assert!(result.is_success(), "{result:?}");
        address
    }

    fn activate(&mut self, program: Address) {
        let result = self.send(&Tx {
            from: 0,
            to: Some(ARB_WASM),
            input: activateProgramCall { program }.abi_encode().into(),
            value: 10u64.pow(15),
            gas: 10_000_000,
        });
        assert!(result.is_success(), "{result:?}");
    }
}

fn number(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no quantity"));
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn random_programs_keep_the_chains_promises() {
    let world = std::cell::RefCell::new(World::start());
    let (mut forward, tiny) = (Address::ZERO, encode(&tiny()));
    if let Ok(mut world) = world.try_borrow_mut() {
        forward = world.deploy(FORWARD);
    }
    let (sent, succeeded) = (Cell::new(0), Cell::new(0));
    cases("programs of hooks", 60, 16_384, |u| {
        let mut world = world.borrow_mut();
        let nonce = world.nonce(0);
        // Each program takes two transactions of the first account.
        let programs: Vec<Address> = (0..PROGRAMS as u64)
            .map(|i| world.address(0).create(nonce + 2 * i))
            .collect();
        let mut targets = vec![forward, world.address(4), Address::repeat_byte(0x99)];
        targets.extend([1, 2, 4, 5, 0x64, 0x71, 0x72].map(Address::with_last_byte));
        targets.extend(&programs);
        targets.extend(&programs);
        let table = Table::new(&targets, &tiny);
        for program in &programs {
            let wasm = program_of_hooks(u, &table)?;
            assert_eq!(world.deploy(&encode(&wasm)), *program);
            world.activate(*program);
        }
        for _ in 0..CALLS {
            let length = u.int_in_range(0..=40)?;
            let mut input = u.bytes(length)?.to_vec();
            let to = if u.ratio(1, 4)? {
                input.splice(0..0, u.choose(&programs)?.into_word());
                forward
            } else {
                *u.choose(&programs)?
            };
            let result = world.send(&Tx {
                from: u.int_in_range(1..=3)?,
                to: Some(to),
                input: input.into(),
                value: u.int_in_range(0..=3)?,
                gas: *u.choose(&[40_000, 200_000, 1_000_000, 5_000_000])?,
            });
            sent.set(sent.get() + 1);
            succeeded.set(succeeded.get() + u32::from(result.is_success()));
        }
        Ok(())
    });
    let (sent, succeeded) = (sent.get(), succeeded.get());
    println!("{sent} calls, {succeeded} succeeded");
    assert!(
        succeeded * 5 >= sent && succeeded < sent,
        "{succeeded} of {sent} calls succeed"
    );
}

/// What a program finds in its memory at the start.
struct Table {
    bytes: Vec<u8>,
    /// Where the addresses are, 32 bytes apart.
    addresses: u32,
    /// Where words are.
    words: u32,
    /// Where init codes are, and how long each is.
    init_codes: Vec<(u32, u32)>,
}

impl Table {
    fn new(targets: &[Address], program: &[u8]) -> Self {
        let mut bytes = Vec::new();
        for target in targets {
            bytes.extend(target.as_slice());
            bytes.extend([0; 12]);
        }
        let addresses = targets.len() as u32;
        let words = bytes.len() as u32;
        for word in [U256::ZERO, U256::from(1), U256::from(7), U256::MAX] {
            bytes.extend(word.to_be_bytes::<32>());
        }
        let mut init_codes = Vec::new();
        let mut creates = vec![0x61];
        creates.extend((program.len() as u16).to_be_bytes());
        creates.extend(hex!("80600c6000396000f3"));
        creates.extend(program);
        // A program; code that stores; REVERT with data; code that begins 0xEF; self-destruction.
        for code in [
            creates.as_slice(),
            &hex!("6001600055600a8060106000396000f3006001600155"),
            &hex!("602a60005260206000fd"),
            &hex!("60ef60005360016000f3"),
            &hex!("33ff"),
        ] {
            init_codes.push((bytes.len() as u32, code.len() as u32));
            bytes.extend(code);
        }
        Self {
            bytes,
            addresses,
            words,
            init_codes,
        }
    }

    fn pointer(&self, u: &mut Unstructured<'_>) -> Result<u32> {
        Ok(match u.int_in_range(0..=63)? {
            0 => *u.choose(&[65_504, 65_505, 65_535, 65_536, 70_000, u32::MAX, u32::MAX - 31])?,
            1..=40 => self.words + 32 * u.int_in_range(0..=3)?,
            _ => u.int_in_range(4_096..=8_192)?,
        })
    }

    fn address(&self, u: &mut Unstructured<'_>) -> Result<u32> {
        if u.ratio(1, 48)? {
            return self.pointer(u);
        }
        Ok(32 * u.int_in_range(0..=self.addresses - 1)?)
    }

    fn length(&self, u: &mut Unstructured<'_>) -> Result<u32> {
        Ok(match u.int_in_range(0..=63)? {
            0 => *u.choose(&[65_536, 65_537, u32::MAX, 1 << 24])?,
            _ => u.int_in_range(0..=160)?,
        })
    }
}

/// A program that does nothing.
fn tiny() -> Vec<u8> {
    wat::parse_str(r#"(module (memory (export "memory") 1 1) (func (export "user_entrypoint") (param i32) (result i32) i32.const 0))"#)
        .unwrap()
}

fn program_of_hooks(u: &mut Unstructured<'_>, table: &Table) -> Result<Vec<u8>> {
    let hooks = hooks();
    let types_of = |types: &str| -> Vec<ValType> {
        types
            .chars()
            .map(|c| if c == 'i' { ValType::I32 } else { ValType::I64 })
            .collect()
    };
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    for (index, (name, params, results)) in hooks.iter().enumerate() {
        types.ty().function(types_of(params), types_of(results));
        imports.import("vm_hooks", name, EntityType::Function(index as u32));
    }
    let entry = hooks.len() as u32;
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(entry);
    let pages = *u.choose(&[1, 1, 1, 2, 4])?;
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: pages,
        maximum: Some(pages + 3),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("user_entrypoint", ExportKind::Func, entry);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), table.bytes.iter().copied());

    let hook = |name: &str| hooks.iter().position(|hook| hook.0 == name).unwrap() as u32;
    let mut function = Function::new([]);
    let mut emit = |instruction: I<'_>| {
        function.instruction(&instruction);
    };
    // Calldata at 4,096.
    emit(I::I32Const(4_096));
    emit(I::Call(hook("read_args")));
    for _ in 0..u.int_in_range(1..=STATEMENTS_MAX)? {
        let at = |align| MemArg {
            offset: 6_000,
            align,
            target: wasm_encoder::MemArgTarget::Memory(0),
            ordering: None,
        };
        if u.ratio(1, 24)? {
            emit(I::I32Const(u.int_in_range(0..=4)?));
            emit(I::MemoryGrow(0));
            emit(I::Drop);
            continue;
        }
        let index = if u.arbitrary()? {
            hook(u.choose(&[
                "call_contract",
                "delegate_call_contract",
                "static_call_contract",
                "storage_load_bytes32",
                "storage_cache_bytes32",
                "storage_flush_cache",
                "emit_log",
                "create1",
                "create2",
                "transient_store_bytes32",
            ])?)
        } else {
            u.choose_index(hooks.len())? as u32
        };
        let (name, _, results) = &hooks[index as usize];
        if *name == "exit_early" && !u.ratio(1, 8)? {
            continue;
        }
        if !results.is_empty() {
            emit(I::I32Const(u.int_in_range(0..=1_000)?));
        }
        for argument in arguments(name, u, table)? {
            emit(argument);
        }
        emit(I::Call(index));
        match results.as_str() {
            "i" => emit(I::I32Store(at(2))),
            "I" => emit(I::I64Store(at(3))),
            _ => {}
        }
    }
    emit(I::I32Const(6_000));
    emit(I::I32Const(u.int_in_range(0..=1_100)?));
    emit(I::Call(hook("write_result")));
    if u.ratio(1, 16)? {
        emit(I::Unreachable);
    }
    emit(I::I32Const(*u.choose(&[0, 0, 0, 0, 1])?));
    emit(I::End);
    let mut code = CodeSection::new();
    code.function(&function);

    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&memories)
        .section(&exports)
        .section(&code)
        .section(&data);
    Ok(module.finish())
}

/// Arguments that mean something, mostly.
fn arguments(name: &str, u: &mut Unstructured<'_>, table: &Table) -> Result<Vec<I<'static>>> {
    let p = |value: u32| I::I32Const(value as i32);
    let gas = |u: &mut Unstructured<'_>| -> Result<I<'static>> {
        Ok(I::I64Const(*u.choose(&[-1, -1, 0, 1, 2_300, 100_000, i64::MAX])?))
    };
    let init = |u: &mut Unstructured<'_>| -> Result<(u32, u32)> {
        if u.ratio(1, 8)? {
            Ok((table.pointer(u)?, table.length(u)?))
        } else {
            Ok(*u.choose(&table.init_codes)?)
        }
    };
    // Value: mostly none, as few programs have any.
    let value = |u: &mut Unstructured<'_>| -> Result<u32> {
        Ok(table.words + if u.ratio(1, 4)? { 32 * u.int_in_range(0..=3)? } else { 0 })
    };
    Ok(match name {
        "call_contract" => vec![
            p(table.address(u)?),
            p(table.pointer(u)?),
            p(table.length(u)?),
            p(value(u)?),
            gas(u)?,
            p(table.pointer(u)?),
        ],
        "delegate_call_contract" | "static_call_contract" => {
            vec![
                p(table.address(u)?),
                p(table.pointer(u)?),
                p(table.length(u)?),
                gas(u)?,
                p(table.pointer(u)?),
            ]
        }
        "create1" | "create2" => {
            let (code, length) = init(u)?;
            let mut list = vec![p(code), p(length), p(value(u)?)];
            if name == "create2" {
                list.push(p(table.pointer(u)?));
            }
            list.extend([p(table.pointer(u)?), p(table.pointer(u)?)]);
            list
        }
        "emit_log" => vec![p(table.pointer(u)?), p(table.length(u)?), p(u.int_in_range(0..=5)?)],
        "account_balance" | "account_codehash" => vec![p(table.address(u)?), p(table.pointer(u)?)],
        "account_code_size" => vec![p(table.address(u)?)],
        "account_code" => vec![
            p(table.address(u)?),
            p(table.length(u)?),
            p(table.length(u)?),
            p(table.pointer(u)?),
        ],
        "read_return_data" => vec![p(table.pointer(u)?), p(table.length(u)?), p(table.length(u)?)],
        "write_result" => vec![p(table.pointer(u)?), p(table.length(u)?)],
        "native_keccak256" => vec![p(table.pointer(u)?), p(table.length(u)?), p(table.pointer(u)?)],
        "pay_for_memory_grow" => vec![p(*u.choose(&[0, 1, 2, 65_536, u32::MAX])?)],
        "storage_flush_cache" | "exit_early" => vec![p(u.int_in_range(0..=1)?)],
        _ => {
            let count = hooks()
                .iter()
                .find(|hook| hook.0 == name)
                .map_or(0, |hook| hook.1.len());
            (0..count).map(|_| Ok(p(table.pointer(u)?))).collect::<Result<_>>()?
        }
    })
}
