//! Host functions as programs see them in transactions: what the vectors, which run one program by itself, cannot show.

use medlock_anvil::{arbos::Rules, stylus::meter::INK_PRICE};
use revm::{
    context::TxEnv,
    primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256},
    state::{AccountInfo, Bytecode},
};

use crate::world::*;

/// Makes the calls that its calldata lists, one after another: kind (0 call, 1 delegate, 2 static), address, length of
/// the input in one byte, input. Returns of each one the status, the length of what it returned in one byte, and that.
const SEQUENCE: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "return_data_size" (func $size (result i32)))
  (import "vm_hooks" "read_return_data" (func $read (param i32 i32 i32) (result i32)))
  (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "vm_hooks" "delegate_call_contract" (func $delegate (param i32 i32 i32 i64 i32) (result i32)))
  (import "vm_hooks" "static_call_contract" (func $static (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (local $at i32) (local $to i32) (local $in i32) (local $n i32) (local $out i32) (local $kind i32) (local $status i32)
    (call $args (i32.const 0))
    (local.set $out (i32.const 20000))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $len)))
      (local.set $kind (i32.load8_u (local.get $at)))
      (local.set $to (i32.add (local.get $at) (i32.const 1)))
      (local.set $in (i32.add (local.get $at) (i32.const 22)))
      (local.set $n (i32.load8_u (i32.add (local.get $at) (i32.const 21))))
      (if (i32.eqz (local.get $kind)) (then (local.set $status
        (call $call (local.get $to) (local.get $in) (local.get $n) (i32.const 60000) (i64.const -1) (i32.const 60100)))))
      (if (i32.eq (local.get $kind) (i32.const 1)) (then (local.set $status
        (call $delegate (local.get $to) (local.get $in) (local.get $n) (i64.const -1) (i32.const 60100)))))
      (if (i32.eq (local.get $kind) (i32.const 2)) (then (local.set $status
        (call $static (local.get $to) (local.get $in) (local.get $n) (i64.const -1) (i32.const 60100)))))
      (i32.store8 (local.get $out) (local.get $status))
      (i32.store8 (i32.add (local.get $out) (i32.const 1)) (call $size))
      (drop (call $read (i32.add (local.get $out) (i32.const 2)) (i32.const 0) (call $size)))
      (local.set $out (i32.add (local.get $out) (i32.add (call $size) (i32.const 2))))
      (local.set $at (i32.add (local.get $in) (local.get $n)))
      (br $next)))
    (call $result (i32.const 20000) (i32.sub (local.get $out) (i32.const 20000)))
    (i32.const 0)))"#;

/// 64 bytes: stores a transient word. 32 bytes: returns one. 65 bytes: stores one and reverts.
const TRANSIENT: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "transient_load_bytes32" (func $load (param i32 i32)))
  (import "vm_hooks" "transient_store_bytes32" (func $store (param i32 i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (call $args (i32.const 0))
    (if (i32.eq (local.get $len) (i32.const 32)) (then
      (call $load (i32.const 0) (i32.const 64))
      (call $result (i32.const 64) (i32.const 32))
      (return (i32.const 0))))
    (call $store (i32.const 0) (i32.const 32))
    (i32.eq (local.get $len) (i32.const 65))))"#;

/// Looks at the account in its calldata twice with one hook and returns the ink of both looks, little-endian.
fn looker(import: &str, look: &str) -> String {
    format!(
        r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "evm_ink_left" (func $ink (result i64)))
  (import "vm_hooks" {import})
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (local $start i64)
    (call $args (i32.const 0))
    (local.set $start (call $ink)) {look}
    (i64.store (i32.const 100) (i64.sub (local.get $start) (call $ink)))
    (local.set $start (call $ink)) {look}
    (i64.store (i32.const 108) (i64.sub (local.get $start) (call $ink)))
    (call $result (i32.const 100) (i32.const 16))
    (i32.const 0)))"#
    )
}

/// Calldata: 1 or 2 (create1, create2), value, salt, init code. Returns the address and what the init code reverted with.
const MAKER: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "return_data_size" (func $size (result i32)))
  (import "vm_hooks" "read_return_data" (func $read (param i32 i32 i32) (result i32)))
  (import "vm_hooks" "create1" (func $create1 (param i32 i32 i32 i32 i32)))
  (import "vm_hooks" "create2" (func $create2 (param i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (local $n i32)
    (call $args (i32.const 0))
    (local.set $n (i32.sub (local.get $len) (i32.const 65)))
    (if (i32.eq (i32.load8_u (i32.const 0)) (i32.const 1))
      (then (call $create1 (i32.const 65) (local.get $n) (i32.const 1) (i32.const 20000) (i32.const 30000)))
      (else (call $create2 (i32.const 65) (local.get $n) (i32.const 1) (i32.const 33) (i32.const 20000) (i32.const 30000))))
    (if (i32.ne (i32.load (i32.const 30000)) (call $size)) (then (unreachable)))
    (drop (call $read (i32.const 20020) (i32.const 0) (call $size)))
    (call $result (i32.const 20000) (i32.add (call $size) (i32.const 20)))
    (i32.const 0)))"#;

/// Calls the address in its calldata with the value after it and no gas; returns the status and the ink of the call.
const PAYER: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "evm_ink_left" (func $ink (result i64)))
  (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (local $start i64)
    (call $args (i32.const 0))
    (local.set $start (call $ink))
    (i32.store8 (i32.const 100) (call $call
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 20) (i64.const 0) (i32.const 200)))
    (i64.store (i32.const 101) (i64.sub (local.get $start) (call $ink)))
    (call $result (i32.const 100) (i32.const 9))
    (i32.const 0)))"#;

/// 64 bytes: stores a word and flushes. 65 bytes: stores one and does not. Else: its slot 1 as it sees it at first,
/// after it stored 5 there by calling itself, and after it cleared its cache.
const CACHED: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "contract_address" (func $me (param i32)))
  (import "vm_hooks" "storage_load_bytes32" (func $load (param i32 i32)))
  (import "vm_hooks" "storage_cache_bytes32" (func $store (param i32 i32)))
  (import "vm_hooks" "storage_flush_cache" (func $flush (param i32)))
  (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (call $args (i32.const 0))
    (if (i32.ge_u (local.get $len) (i32.const 64)) (then
      (call $store (i32.const 0) (i32.const 32))
      (if (i32.eq (local.get $len) (i32.const 64)) (then (call $flush (i32.const 0))))
      (return (i32.const 0))))
    (i32.store8 (i32.const 531) (i32.const 1))
    (i32.store8 (i32.const 563) (i32.const 5))
    (call $load (i32.const 500) (i32.const 100))
    (call $me (i32.const 600))
    (drop (call $call (i32.const 600) (i32.const 500) (i32.const 64) (i32.const 700) (i64.const -1) (i32.const 800)))
    (call $load (i32.const 500) (i32.const 132))
    (call $flush (i32.const 1))
    (call $load (i32.const 500) (i32.const 164))
    (call $result (i32.const 100) (i32.const 96))
    (i32.const 0)))"#;

/// Calldata: which hook, and three words. Returns the first one afterwards.
const MATH: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "math_div" (func $div (param i32 i32)))
  (import "vm_hooks" "math_mod" (func $mod (param i32 i32)))
  (import "vm_hooks" "math_pow" (func $pow (param i32 i32)))
  (import "vm_hooks" "math_add_mod" (func $add_mod (param i32 i32 i32)))
  (import "vm_hooks" "math_mul_mod" (func $mul_mod (param i32 i32 i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (local $hook i32)
    (call $args (i32.const 0))
    (local.set $hook (i32.load8_u (i32.const 0)))
    (if (i32.eq (local.get $hook) (i32.const 0)) (then (call $div (i32.const 1) (i32.const 33))))
    (if (i32.eq (local.get $hook) (i32.const 1)) (then (call $mod (i32.const 1) (i32.const 33))))
    (if (i32.eq (local.get $hook) (i32.const 2)) (then (call $pow (i32.const 1) (i32.const 33))))
    (if (i32.eq (local.get $hook) (i32.const 3)) (then (call $add_mod (i32.const 1) (i32.const 33) (i32.const 65))))
    (if (i32.eq (local.get $hook) (i32.const 4)) (then (call $mul_mod (i32.const 1) (i32.const 33) (i32.const 65))))
    (call $result (i32.const 1) (i32.const 32))
    (i32.const 0)))"#;

fn step(kind: u8, to: Address, input: &[u8]) -> Vec<u8> {
    [&[kind], to.as_slice(), &[input.len() as u8], input].concat()
}

/// What a step of a sequence gave: status, length, data.
fn gave(status: u8, data: &[u8]) -> Vec<u8> {
    [&[status, data.len() as u8], data].concat()
}

fn ink(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

#[test]
fn transient_storage_lasts_for_the_transaction_and_belongs_to_the_acting_account() {
    let mut world = World::new();
    let (sequence, transient) = (world.program(SEQUENCE), world.program(TRANSIENT));
    let (key, pair) = (words(&[1]), words(&[1, 9]));
    let failing = [&pair[..], &[0]].concat();
    let steps = [
        step(0, transient, &pair),
        step(0, transient, &key),
        // Reverted with its frame.
        step(0, transient, &[&words(&[1, 77])[..], &[0]].concat()),
        step(2, transient, &key),
        // A delegate sees and changes its caller's.
        step(1, transient, &key),
        step(1, transient, &words(&[1, 4])),
        step(1, transient, &key),
        step(0, transient, &key),
        // Nothing is stored in a static call.
        step(2, transient, &pair),
    ];
    let expected = [
        gave(0, &[]),
        gave(0, &words(&[9])),
        gave(2, &[]),
        gave(0, &words(&[9])),
        gave(0, &words(&[0])),
        gave(0, &[]),
        gave(0, &words(&[4])),
        gave(0, &words(&[9])),
        gave(2, &[]),
    ];
    assert_eq!(world.output(sequence, steps.concat()), expected.concat());
    assert_eq!(
        world.output(transient, key),
        words(&[0]),
        "the next transaction starts without"
    );
    assert!(!world.call(transient, failing).is_success());
}

#[test]
fn a_second_look_at_an_account_is_warm_and_at_its_code_free() {
    let mut world = World::new();
    let other = world.deployed(&[0x60; 100]);
    let cold = 2_500 * INK_PRICE;
    let balance = looker(
        r#""account_balance" (func $look (param i32 i32))"#,
        "(call $look (i32.const 0) (i32.const 200))",
    );
    let hash = looker(
        r#""account_codehash" (func $look (param i32 i32))"#,
        "(call $look (i32.const 0) (i32.const 200))",
    );
    for program in [balance, hash] {
        let at = world.program(&program);
        let looks = world.output(at, other.to_vec());
        assert_eq!(ink(&looks[..8]) - ink(&looks[8..]), cold);
    }
    let size = looker(
        r#""account_code_size" (func $look (param i32) (result i32))"#,
        "(drop (call $look (i32.const 0)))",
    );
    let code = looker(
        r#""account_code" (func $look (param i32 i32 i32 i32) (result i32))"#,
        "(drop (call $look (i32.const 0) (i32.const 0) (i32.const 100) (i32.const 200)))",
    );
    for program in [size, code] {
        let at = world.program(&program);
        let looks = world.output(at, other.to_vec());
        assert_eq!(ink(&looks[..8]) - ink(&looks[8..]), (700 + 2_600) * INK_PRICE);
        // Where there is no code, nothing is remembered: 700 and a warm access again.
        let looks = world.output(at, Address::repeat_byte(0x77).to_vec());
        assert_eq!(ink(&looks[..8]) - ink(&looks[8..]), cold);
    }
}

#[test]
fn contracts_are_created_where_the_evm_would_create_them() {
    let mut world = World::new();
    let maker = world.program(MAKER);
    let init = hex!("6001600c60003960016000f300");
    let make = |kind: u8, value: u64, init: &[u8]| {
        let salt = words(&[7]);
        [&[kind], &words(&[value])[..], &salt, init].concat()
    };
    let paid = world.send(TxKind::Call(maker), make(1, 5, &init), U256::from(8));
    let first = Address::from_slice(paid.output().unwrap());
    assert_eq!(first, maker.create(1), "a contract's nonce begins at 1");
    assert_eq!(world.balance(first), U256::from(5));
    assert_eq!(
        Address::from_slice(&world.output(maker, make(1, 0, &init))),
        maker.create(2)
    );
    // Value that is not there: no contract, and the nonce stays.
    assert_eq!(world.output(maker, make(1, 1_000, &init))[..], [0; 20]);
    assert_eq!(
        Address::from_slice(&world.output(maker, make(1, 0, &init))),
        maker.create(3)
    );

    let salted = maker.create2(B256::from(U256::from(7)), keccak256(init));
    assert_eq!(Address::from_slice(&world.output(maker, make(2, 0, &init))), salted);
    let taken = world.call(maker, make(2, 0, &init));
    assert_eq!(taken.output().unwrap()[..], [0; 20]);
    assert!(
        taken.gas().total_gas_spent() > GAS / 64 * 62,
        "a collision takes the gas that was given"
    );

    let reverts = world.output(maker, make(1, 0, &hex!("602a60005260206000fd")));
    assert_eq!(reverts, [&[0; 20][..], &words(&[42])].concat());
    // INVALID takes what it was given: all but a 64th.
    let halted = world.call(maker, make(1, 0, &[0xfe]));
    assert_eq!(halted.output().unwrap()[..], [0; 20]);
    let left = GAS - halted.gas().total_gas_spent();
    assert!((GAS / 65..GAS / 64).contains(&left), "{left} gas left");
    // In a static frame it is a failure of the program.
    let forwarder = world.program(FORWARD);
    assert_eq!(
        world.output(forwarder, forward(2, maker, 0, &make(1, 0, &init)))[..],
        [2, 0]
    );
}

#[test]
fn value_comes_with_a_stipend_that_is_the_callees_alone() {
    let mut world = World::new();
    let payer = world.program(PAYER);
    let pay = |world: &mut World, to: Address, value: u64| {
        let data = [to.as_slice(), &words(&[value])].concat();
        let result = world.send(TxKind::Call(payer), data, U256::from(value));
        let output = result.output().unwrap().clone();
        (output[0], ink(&output[1..9]))
    };
    // A log costs 375 and fits into the stipend; a write does not.
    let logs = world.deployed(&hex!("60006000a000"));
    let writes = world.deployed(&hex!("600160005500"));
    assert_eq!(pay(&mut world, logs, 0).0, 2, "no gas, no value, no stipend");
    let (status, with_log) = pay(&mut world, logs, 1);
    assert_eq!(status, 0);
    assert_eq!(pay(&mut world, writes, 1).0, 2);
    // To an account without code: 9,000 for the value, and no refund of the stipend.
    let (_, plain) = pay(&mut world, SENDER, 0);
    let (status, paid) = pay(&mut world, SENDER, 1);
    assert_eq!((status, paid - plain), (0, 9_000 * INK_PRICE));
    // The sender is warm, the contract cold; two pushes, the log, the stop.
    assert_eq!(with_log - paid, (2_500 + 6 + 375) * INK_PRICE);
    // A new account.
    let (_, new) = pay(&mut world, Address::repeat_byte(0x55), 1);
    assert_eq!(new - paid, (2_500 + 25_000) * INK_PRICE);
}

#[test]
fn the_storage_cache_is_the_frames_own_until_it_is_flushed() {
    let mut world = World::new();
    let cached = world.program(CACHED);
    // The call inside changed the slot; the frame goes on seeing what it read until it clears its cache.
    assert_eq!(world.output(cached, Bytes::new()), words(&[0, 0, 5]));
    assert_eq!(world.slot(cached, 1), U256::from(5));
    let unflushed = [&words(&[2, 8])[..], &[0]].concat();
    assert!(world.call(cached, unflushed).is_success());
    assert_eq!(world.slot(cached, 2), U256::ZERO, "what is not flushed is lost");
    assert!(world.call(cached, words(&[2, 8])).is_success());
    assert_eq!(world.slot(cached, 2), U256::from(8));
}

#[test]
fn arithmetic_keeps_the_evms_rules_at_the_edges() {
    let mut world = World::new();
    let math = world.program(MATH);
    let (zero, one, two, max) = (U256::ZERO, U256::ONE, U256::from(2), U256::MAX);
    let half = U256::ONE << 255;
    let cases = [
        (0, [max, zero, zero], zero),
        (0, [max, two, zero], max >> 1),
        (1, [max, zero, zero], zero),
        (1, [max, half, zero], half - one),
        (2, [zero, zero, zero], one),
        (2, [two, U256::from(255), zero], half),
        (2, [two, U256::from(256), zero], zero),
        (2, [max, max, zero], max),
        (3, [max, max, zero], zero),
        (3, [max, max, max], zero),
        (3, [max, one, two], zero),
        (3, [max, two, max], two),
        (4, [max, max, zero], zero),
        (4, [max, max, one], zero),
        (4, [max, max, max - one], one),
        (4, [half, two, max], one),
    ];
    for (hook, operands, expected) in cases {
        let mut data = vec![hook];
        data.extend(operands.iter().flat_map(U256::to_be_bytes::<32>));
        let result = U256::from_be_slice(&world.output(math, data));
        assert_eq!(result, expected, "hook {hook} of {operands:?}");
    }
}

#[test]
fn frames_of_both_kinds_nest_to_the_evms_depth_on_a_small_native_stack() {
    let run = || {
        let mut world = World::new();
        let evm = world.deployed(&hex::decode(EVM_FORWARD).unwrap());
        let forwarder = world.program(FORWARD);
        let cell = world.program(CELL);
        let dive = |frames: usize| {
            let mut data = words(&[1]);
            let mut to = cell;
            // Every twelfth frame is a program: 128 pages is all the memory there is.
            for frame in (0..frames - 1).rev() {
                let program = frame % 12 == 5;
                data = if program {
                    forward(0, to, 0, &data)
                } else {
                    evm_forward(to, &data)
                };
                to = if program { forwarder } else { evm };
            }
            (to, data)
        };
        let mut depth = |frames| {
            let (to, data) = dive(frames);
            let tx = TxEnv {
                kind: TxKind::Call(to),
                data: data.into(),
                gas_limit: 200 * GAS * 1_000,
                ..world.tx(SENDER)
            };
            world.commit_within(tx, u64::MAX)
        };
        let reached = depth(1_024);
        assert!(reached.is_success(), "{reached:?}");
        assert_eq!(reached.output().unwrap().len(), 32 + 2 * 85);
        let beyond = depth(1_040);
        assert_ne!(
            beyond.output().map(|output| output.len()),
            Some(32 + 2 * 86),
            "{beyond:?}"
        );
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap();
    thread.join().unwrap();
}

#[test]
fn an_account_that_delegates_to_a_program_runs_it_as_itself() {
    let mut world = World::new();
    let cell = world.program(CELL);
    let forwarder = world.program(FORWARD);
    let account = Address::repeat_byte(0x78);
    let info = AccountInfo::from_bytecode(Bytecode::new_eip7702(cell));
    world.db.insert_account_info(account, info);
    assert_eq!(world.output(account, words(&[4, 6])), words(&[6]));
    assert_eq!(
        (world.slot(account, 4), world.slot(cell, 4)),
        (U256::from(6), U256::ZERO)
    );
    // A program that calls it pays nothing for the way to the delegate.
    let plain = world.call(forwarder, forward(0, cell, 0, &words(&[9])));
    let through = world.call(forwarder, forward(0, account, 0, &words(&[9])));
    let zeros = |address: Address| address.iter().filter(|&&byte| byte == 0).count() as u64;
    let calldata = 12 * (zeros(cell) - zeros(account));
    assert_eq!(
        plain.gas().total_gas_spent() + calldata,
        through.gas().total_gas_spent()
    );
}

#[test]
fn a_program_cannot_be_destroyed_by_a_contract_it_delegates_to() {
    let mut world = World::new();
    let forwarder = world.program(FORWARD);
    let bomb = world.deployed(&hex!("33ff"));
    assert_eq!(world.output(forwarder, forward(1, bomb, 0, &[]))[..], [2, 0]);
    assert!(world.call(bomb, Bytes::new()).is_success());
    assert_eq!(world.output(forwarder, forward(0, bomb, 0, &[]))[..], [0, 0]);
}

#[test]
fn calldata_has_no_floor_price_unless_the_owner_turned_it_on() {
    for (calldata_floor, byte_gas) in [(false, 16), (true, 40)] {
        let mut world = World::with_rules(Rules {
            calldata_floor,
            ..Rules::default()
        });
        let result = world.call(Address::repeat_byte(0x42), vec![1; 10_000]);
        assert_eq!(result.gas().tx_gas_used(), 21_000 + byte_gas * 10_000);
    }
}

#[test]
fn the_evm_is_osakas() {
    let mut world = World::new();
    // PUSH1 1 CLZ PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    let clz = world.deployed(&hex!("60011e5f5260205ff3"));
    assert_eq!(world.output(clz, Bytes::new()), words(&[255]));
    let p256 = Address::from_word(B256::from(U256::from(0x100)));
    let result = world.call(p256, vec![0; 160]);
    assert_eq!(result.gas().total_gas_spent(), 21_000 + 4 * 160 + 6_900);
}
