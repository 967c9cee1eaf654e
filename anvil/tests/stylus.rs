//! Programs as contracts: deployed, activated and called in transactions, nested with EVM code.

use alloy::{
    sol,
    sol_types::{SolCall, SolError, SolEvent},
};
use medlock_anvil::{
    executor::{BlockContext, Checks, Executor},
    stylus::{
        arbwasm::{ProgramActivated, ProgramInsufficientValue, ProgramUpToDate},
        code,
        programs::ARB_WASM,
    },
};
use revm::{
    DatabaseRef,
    context::{
        TxEnv,
        result::{ExecutionResult, HaltReason},
    },
    database::{CacheDB, DatabaseCommit, EmptyDB},
    primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256},
    state::AccountInfo,
};

sol! {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
    function programVersion(address program) external view returns (uint16 version);
}

/// Calldata: 64 bytes store and return a value, 32 bytes load one, anything else reverts with it.
/// Before it stores, the program writes its slot 0 to be rolled back when it reverts.
const CELL: &str = r#"(module
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
const FORWARD: &str = r#"(module
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

/// Calls itself with the same calldata until a call fails, then returns 32 zero bytes plus one
/// for every level that came back.
const DIVE: &str = r#"(module
  (import "vm_hooks" "contract_address" (func $me (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "return_data_size" (func $size (result i32)))
  (import "vm_hooks" "read_return_data" (func $read (param i32 i32 i32) (result i32)))
  (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (call $me (i32.const 0))
    (drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64) (i64.const -1)
      (i32.const 200)))
    (drop (call $read (i32.const 100) (i32.const 0) (call $size)))
    (i32.store (i32.const 100) (i32.add (i32.const 1) (i32.load (i32.const 100))))
    (call $result (i32.const 100) (i32.const 32))
    (i32.const 0)))"#;

/// EVM: calls the address in the first word with the rest, gives back what it gave.
const EVM_FORWARD: &str = "6020360380602060003760006000826000600060003\
                           55af13d600060003e6025573d6000fd5b3d6000f3";

const SENDER: Address = Address::repeat_byte(0xaa);
const RICH: U256 = U256::from_limbs([0, 1_000_000, 0, 0]);
const GAS: u64 = 2_000_000_000;

struct World {
    executor: Executor,
    db: CacheDB<EmptyDB>,
    timestamp: u64,
    nonce: u64,
}

impl World {
    fn new() -> Self {
        let mut db = CacheDB::new(EmptyDB::default());
        db.insert_account_info(SENDER, AccountInfo::from_balance(RICH));
        Self {
            executor: Executor::new(),
            db,
            timestamp: 1_750_000_000,
            nonce: 0,
        }
    }

    /// Commits a transaction of the sender, at a gas price of zero.
    fn send(&mut self, kind: TxKind, data: impl Into<Bytes>, value: U256) -> ExecutionResult {
        let block = BlockContext {
            chain_id: 412_346,
            number: 7,
            l1_number: 7,
            timestamp: self.timestamp,
            basefee: 0,
            gas_limit: GAS,
            coinbase: Address::repeat_byte(0xcc),
            prevrandao: B256::ZERO,
        };
        let tx = TxEnv {
            caller: SENDER,
            kind,
            data: data.into(),
            value,
            gas_limit: GAS,
            nonce: self.nonce,
            chain_id: Some(block.chain_id),
            ..TxEnv::default()
        };
        self.nonce += 1;
        let done = self.executor.transact(&mut self.db, &block, tx, Checks::ALL).unwrap();
        self.db.commit(done.state);
        done.result
    }

    fn call(&mut self, to: Address, data: impl Into<Bytes>) -> ExecutionResult {
        self.send(TxKind::Call(to), data, U256::ZERO)
    }

    fn output(&mut self, to: Address, data: impl Into<Bytes>) -> Bytes {
        let result = self.call(to, data);
        assert!(result.is_success(), "{result:?}");
        result.into_output().unwrap()
    }

    fn deploy(&mut self, code: &[u8]) -> ExecutionResult {
        let mut init = vec![0x7f];
        init.extend(U256::from(code.len()).to_be_bytes::<32>());
        init.extend(hex!("80602b6000396000f300"));
        init.extend(code);
        self.send(TxKind::Create, init, U256::ZERO)
    }

    fn deployed(&mut self, code: &[u8]) -> Address {
        match self.deploy(code) {
            ExecutionResult::Success { output, .. } => *output.address().unwrap(),
            other => panic!("not deployed: {other:?}"),
        }
    }

    fn activate(&mut self, program: Address, value: U256) -> ExecutionResult {
        let data = activateProgramCall { program }.abi_encode();
        self.send(TxKind::Call(ARB_WASM), data, value)
    }

    /// Deploys and activates a program.
    fn program(&mut self, wat: &str) -> Address {
        let at = self.deployed(&code::encode(&wat::parse_str(wat).unwrap()));
        let result = self.activate(at, U256::from(10u128.pow(18)));
        assert!(result.is_success(), "{result:?}");
        at
    }

    fn slot(&self, account: Address, slot: u64) -> U256 {
        self.db.storage_ref(account, U256::from(slot)).unwrap()
    }

    fn balance(&self, account: Address) -> U256 {
        self.db.basic_ref(account).unwrap().unwrap_or_default().balance
    }
}

fn words(words: &[u64]) -> Vec<u8> {
    words
        .iter()
        .flat_map(|word| U256::from(*word).to_be_bytes::<32>())
        .collect()
}

fn forward(kind: u8, to: Address, value: u64, input: &[u8]) -> Vec<u8> {
    let mut data = vec![kind];
    data.extend(to);
    data.extend(words(&[value]));
    data.extend(input);
    data
}

fn evm_forward(to: Address, input: &[u8]) -> Vec<u8> {
    [to.into_word().as_slice(), input].concat()
}

fn halted(result: &ExecutionResult) -> String {
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

#[test]
fn a_program_runs_only_once_it_is_activated_and_the_excess_fee_comes_back() {
    let mut world = World::new();
    let wasm = wat::parse_str(CELL).unwrap();
    let deployed = code::encode(&wasm);
    let cell = world.deployed(&deployed);

    let early = world.call(cell, words(&[5, 6]));
    assert!(halted(&early).contains("not activated"));

    let before = world.balance(SENDER);
    let poor = world.activate(cell, U256::from(1));
    let refusal = ProgramInsufficientValue::abi_decode(poor.output().unwrap()).unwrap();
    assert_eq!(refusal.have, U256::from(1));
    assert_eq!(world.balance(SENDER), before, "a failed activation keeps nothing");

    let value = U256::from(10u128.pow(18));
    let result = world.activate(cell, value);
    let ExecutionResult::Success { logs, output, .. } = &result else {
        panic!("{result:?}")
    };
    let event = ProgramActivated::decode_log(&logs[0]).unwrap();
    assert_eq!(logs[0].address, ARB_WASM);
    assert_eq!(event.codehash, keccak256(&deployed));
    assert_eq!(event.program, cell);
    let answer = activateProgramCall::abi_decode_returns(output.data()).unwrap();
    assert_eq!((answer.version, answer.dataFee), (2, event.dataFee));
    assert_eq!(
        event.dataFee, refusal.want,
        "a reverted activation leaves no demand behind"
    );
    assert_eq!(world.balance(SENDER), before - event.dataFee);
    assert_eq!(world.balance(ARB_WASM), U256::ZERO);

    assert_eq!(world.output(cell, words(&[5, 6])), words(&[6]));
    assert_eq!(world.output(cell, words(&[5])), words(&[6]));
    let again = world.activate(cell, value);
    assert_eq!(again.output().unwrap()[..4], ProgramUpToDate::SELECTOR);
    let question = programVersionCall { program: cell }.abi_encode();
    assert_eq!(world.output(ARB_WASM, question.clone()), words(&[2]));

    world.timestamp += 366 * 86_400;
    assert!(halted(&world.call(cell, words(&[5]))).contains("expired"));
    assert!(!world.call(ARB_WASM, question).is_success());
    assert!(world.activate(cell, value).is_success());
    assert_eq!(world.output(cell, words(&[5])), words(&[6]));
}

#[test]
fn a_revert_carries_its_data_and_undoes_its_writes() {
    let mut world = World::new();
    let cell = world.program(CELL);
    let result = world.call(cell, *b"no");
    let ExecutionResult::Revert { output, gas, .. } = result else {
        panic!("{result:?}")
    };
    assert_eq!(&output[..], b"no");
    assert!(gas.total_gas_spent() < 100_000, "the remaining gas is kept");
    assert_eq!(world.slot(cell, 0), U256::ZERO);
}

#[test]
fn evm_and_programs_call_each_other_in_every_way() {
    let mut world = World::new();
    let cell = world.program(CELL);
    let forwarder = world.program(FORWARD);
    let evm = world.deployed(&hex::decode(EVM_FORWARD).unwrap());

    // EVM -> program -> EVM -> program, and what the innermost returns comes all the way out.
    let store = evm_forward(cell, &words(&[1, 77]));
    let nested = evm_forward(forwarder, &forward(0, evm, 0, &store));
    assert_eq!(world.output(evm, nested), [&[0, 0][..], &words(&[77])].concat());
    assert_eq!(world.slot(cell, 1), U256::from(77));

    // The callee's revert data reaches the program that called it; its own writes stay undone.
    let refused = world.output(forwarder, forward(0, cell, 0, b"no"));
    assert_eq!(&refused[..], b"\x02\x00no");
    assert_eq!(world.slot(cell, 0), U256::ZERO);

    // Delegated code writes the caller's storage, and a static call lets nothing be written.
    let delegated = world.output(forwarder, forward(1, cell, 0, &words(&[2, 88])));
    assert_eq!(delegated, [&[0, 0][..], &words(&[88])].concat());
    assert_eq!(world.slot(forwarder, 2), U256::from(88));
    let forbidden = world.output(forwarder, forward(2, cell, 0, &words(&[3, 99])));
    assert_eq!(&forbidden[..], [2, 0]);
    assert_eq!(world.slot(cell, 3), U256::ZERO);
    let allowed = world.output(forwarder, forward(2, cell, 0, &words(&[1])));
    assert_eq!(allowed, [&[0, 0][..], &words(&[77])].concat());

    // A program that is entered again while it runs knows.
    let inner = forward(2, cell, 0, &words(&[1]));
    let reentered = world.output(forwarder, forward(0, forwarder, 0, &inner));
    assert_eq!(reentered, [&[0, 0, 0, 1][..], &words(&[77])].concat());
}

#[test]
fn value_moves_with_a_call_and_not_without_the_means() {
    let mut world = World::new();
    let forwarder = world.program(FORWARD);
    let payee = Address::repeat_byte(0xdd);
    let pay = forward(0, payee, 1_000, &[]);
    assert_eq!(&world.output(forwarder, pay.clone())[..], [2, 0]);
    let result = world.send(TxKind::Call(forwarder), pay, U256::from(1_500));
    assert_eq!(&result.output().unwrap()[..], [0, 0]);
    assert_eq!(world.balance(payee), U256::from(1_000));
    assert_eq!(world.balance(forwarder), U256::from(500));
}

#[test]
fn calls_nest_until_gas_or_depth_ends_them_and_never_on_the_native_stack() {
    let mut world = World::new();
    let dive = world.program(DIVE);
    let output = world.output(dive, Bytes::new());
    let levels = u32::from_le_bytes(output[..4].try_into().unwrap());
    assert!((100..=1_024).contains(&levels), "{levels} levels");
}

#[test]
fn only_programs_may_begin_with_the_reserved_byte() {
    let mut world = World::new();
    for code in [&hex!("ef")[..], &hex!("ef0001"), &hex!("ef0100aabb"), &hex!("eff1")] {
        let result = world.deploy(code);
        let ExecutionResult::Halt { reason, .. } = result else {
            panic!("{result:?}")
        };
        assert_eq!(reason, HaltReason::CreateContractStartingWithEF);
    }
    let nonsense = world.deployed(&hex!("eff0000000"));
    let refused = world.activate(nonsense, U256::from(10u128.pow(18)));
    assert!(halted(&refused).contains("brotli"));
}
