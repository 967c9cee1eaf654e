//! Programs as contracts: deployed, activated and called in transactions, nested with EVM code.

use alloy::sol_types::{SolCall, SolError, SolEvent};
use medlock_anvil::{
    arbos::{
        ARB_WASM,
        abi::ArbWasm::{ProgramActivated, ProgramInsufficientValue, ProgramUpToDate},
    },
    stylus::code,
};
use revm::{
    context::result::{ExecutionResult, HaltReason},
    primitives::{Address, Bytes, TxKind, U256, hex, keccak256},
};

use crate::world::*;

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
    // Nitro refuses what it cannot decompress without a word and leaves the rest of the gas.
    let refused = world.activate(nonsense, U256::from(10u128.pow(18)));
    let ExecutionResult::Revert { output, gas, .. } = refused else {
        panic!("{refused:?}")
    };
    assert!(output.is_empty() && gas.total_gas_spent() < 2_000_000);
}
