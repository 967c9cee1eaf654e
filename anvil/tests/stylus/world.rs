//! A chain without blocks: one state, and transactions that change it.

use alloy::{sol, sol_types::SolCall};
use medlock_anvil::{
    arbos::{ARB_WASM, CHAIN_OWNER, Rules},
    executor::{BlockContext, BlockHashes, Checks, Executor, genesis_code},
    stylus::code,
};
use revm::{
    DatabaseRef,
    context::{
        TxEnv,
        result::{ExecutionResult, HaltReason},
    },
    database::{CacheDB, DatabaseCommit, EmptyDB},
    primitives::{Address, B256, Bytes, TxKind, U256, hex},
    state::{AccountInfo, Bytecode},
};

sol! {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
    function programVersion(address program) external view returns (uint16 version);
}

/// Calldata: 64 bytes store and return a value, 32 bytes load one, anything else reverts with it.
/// Before it stores, the program writes its slot 0 to be rolled back when it reverts.
pub const CELL: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "storage_load_bytes32" (func $load (param i32 i32)))
  (import "vm_hooks" "storage_cache_bytes32" (func $store (param i32 i32)))
  (import "vm_hooks" "storage_flush_cache" (func $flush (param i32)))
  (import "vm_hooks" "msg_reentrant" (func $reentrant (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (call $args (i32.const 64))
    (if (i32.eq (local.get $len) (i32.const 32)) (then
      (call $load (i32.const 64) (i32.const 0))
      (call $result (i32.const 0) (i32.const 32))
      (return (i32.const 0))))
    (if (i32.eq (local.get $len) (i32.const 64)) (then
      (call $store (i32.const 64) (i32.const 96))
      (call $flush (i32.const 0))
      (call $result (i32.const 96) (i32.const 32))
      (return (i32.const 0))))
    (i32.store8 (i32.const 31) (i32.const 1))
    (call $store (i32.const 1024) (i32.const 0))
    (call $flush (i32.const 0))
    (call $result (i32.const 64) (local.get $len))
    (i32.const 1)))"#;

/// Calldata: kind (0 call, 1 delegate, 2 static), address, value, input. Returns the status, the
/// reentrancy flag and what the callee returned.
pub const FORWARD: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "msg_reentrant" (func $reentrant (result i32)))
  (import "vm_hooks" "return_data_size" (func $size (result i32)))
  (import "vm_hooks" "read_return_data" (func $read (param i32 i32 i32) (result i32)))
  (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "vm_hooks" "delegate_call_contract"
    (func $delegate (param i32 i32 i32 i64 i32) (result i32)))
  (import "vm_hooks" "static_call_contract"
    (func $static (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (local $in i32) (local $status i32)
    (call $args (i32.const 0))
    (local.set $in (i32.sub (local.get $len) (i32.const 53)))
    (block $done
      (if (i32.eq (i32.load8_u (i32.const 0)) (i32.const 1)) (then
        (local.set $status (call $delegate
          (i32.const 1) (i32.const 53) (local.get $in) (i64.const -1) (i32.const 60000)))
        (br $done)))
      (if (i32.eq (i32.load8_u (i32.const 0)) (i32.const 2)) (then
        (local.set $status (call $static
          (i32.const 1) (i32.const 53) (local.get $in) (i64.const -1) (i32.const 60000)))
        (br $done)))
      (local.set $status (call $call (i32.const 1) (i32.const 53) (local.get $in)
        (i32.const 21) (i64.const -1) (i32.const 60000))))
    (i32.store8 (i32.const 40000) (local.get $status))
    (i32.store8 (i32.const 40001) (call $reentrant))
    (drop (call $read (i32.const 40002) (i32.const 0) (call $size)))
    (call $result (i32.const 40000) (i32.add (call $size) (i32.const 2)))
    (i32.const 0)))"#;

/// EVM: calls the address in the first word with the rest, gives back what it gave.
pub const EVM_FORWARD: &str = "6020360380602060003760006000826000600060003\
                           55af13d600060003e6025573d6000fd5b3d6000f3";

pub const SENDER: Address = Address::repeat_byte(0xaa);
pub const RICH: U256 = U256::from_limbs([0, 1_000_000, 0, 0]);
pub const GAS: u64 = 2_000_000_000;

pub struct World {
    pub executor: Executor,
    pub db: CacheDB<EmptyDB>,
    pub timestamp: u64,
}

impl World {
    pub fn new() -> Self {
        Self::with_rules(Rules::default())
    }

    /// A chain with its genesis contracts and a rich sender.
    pub fn with_rules(rules: Rules) -> Self {
        let mut db = CacheDB::new(EmptyDB::default());
        for account in [SENDER, CHAIN_OWNER] {
            db.insert_account_info(account, AccountInfo::from_balance(RICH));
        }
        for (account, code) in genesis_code() {
            db.insert_account_info(account, AccountInfo::from_bytecode(Bytecode::new_legacy(code)));
        }
        Self {
            executor: Executor::with_rules(rules),
            db,
            timestamp: 1_750_000_000,
        }
    }

    /// Commits a transaction of the sender, at a gas price of zero.
    pub fn send(&mut self, kind: TxKind, data: impl Into<Bytes>, value: U256) -> ExecutionResult {
        let tx = TxEnv {
            kind,
            data: data.into(),
            value,
            ..self.tx(SENDER)
        };
        self.commit(tx)
    }

    /// A transaction that calls nothing yet.
    pub fn tx(&self, caller: Address) -> TxEnv {
        let nonce = self.db.basic_ref(caller).unwrap().map_or(0, |account| account.nonce);
        TxEnv {
            caller,
            gas_limit: GAS,
            nonce,
            chain_id: Some(412_346),
            ..TxEnv::default()
        }
    }

    pub fn commit(&mut self, tx: TxEnv) -> ExecutionResult {
        self.commit_within(tx, GAS)
    }

    /// Commits a transaction in a block of that gas limit.
    pub fn commit_within(&mut self, tx: TxEnv, gas_limit: u64) -> ExecutionResult {
        let block = BlockContext {
            chain_id: 412_346,
            number: 7,
            l1_number: 7,
            timestamp: self.timestamp,
            basefee: 0,
            gas_limit,
            coinbase: Address::repeat_byte(0xcc),
            prevrandao: B256::ZERO,
            hashes: BlockHashes::new(0, (0..7).map(|n| B256::repeat_byte(n + 1))),
        };
        let done = self.executor.transact(&mut self.db, &block, tx, Checks::ALL).unwrap();
        self.db.commit(done.state);
        done.result
    }

    pub fn call(&mut self, to: Address, data: impl Into<Bytes>) -> ExecutionResult {
        self.send(TxKind::Call(to), data, U256::ZERO)
    }

    pub fn output(&mut self, to: Address, data: impl Into<Bytes>) -> Bytes {
        let result = self.call(to, data);
        assert!(result.is_success(), "{result:?}");
        result.into_output().unwrap()
    }

    pub fn deploy(&mut self, code: &[u8]) -> ExecutionResult {
        let mut init = vec![0x7f];
        init.extend(U256::from(code.len()).to_be_bytes::<32>());
        init.extend(hex!("80602b6000396000f300"));
        init.extend(code);
        self.send(TxKind::Create, init, U256::ZERO)
    }

    pub fn deployed(&mut self, code: &[u8]) -> Address {
        match self.deploy(code) {
            ExecutionResult::Success { output, .. } => *output.address().unwrap(),
            other => panic!("not deployed: {other:?}"),
        }
    }

    pub fn activate(&mut self, program: Address, value: U256) -> ExecutionResult {
        let data = activateProgramCall { program }.abi_encode();
        self.send(TxKind::Call(ARB_WASM), data, value)
    }

    /// Deploys and activates a program.
    pub fn program(&mut self, wat: &str) -> Address {
        let at = self.deployed(&code::encode(&wat::parse_str(wat).unwrap()));
        let result = self.activate(at, U256::from(10u128.pow(18)));
        assert!(result.is_success(), "{result:?}");
        at
    }

    pub fn slot(&self, account: Address, slot: u64) -> U256 {
        self.db.storage_ref(account, U256::from(slot)).unwrap()
    }

    pub fn balance(&self, account: Address) -> U256 {
        self.db.basic_ref(account).unwrap().unwrap_or_default().balance
    }
}

pub fn words(words: &[u64]) -> Vec<u8> {
    words
        .iter()
        .flat_map(|word| U256::from(*word).to_be_bytes::<32>())
        .collect()
}

pub fn forward(kind: u8, to: Address, value: u64, input: &[u8]) -> Vec<u8> {
    let mut data = vec![kind];
    data.extend(to);
    data.extend(words(&[value]));
    data.extend(input);
    data
}

pub fn evm_forward(to: Address, input: &[u8]) -> Vec<u8> {
    [to.into_word().as_slice(), input].concat()
}

pub fn halted(result: &ExecutionResult) -> String {
    match result {
        ExecutionResult::Halt {
            reason: HaltReason::PrecompileErrorWithContext(why),
            gas,
            ..
        } => {
            assert_eq!(gas.total_gas_spent(), GAS);
            why.clone()
        }
        other => panic!("did not halt with a reason: {other:?}"),
    }
}
