//! Arbitrum's precompiles: answers, errors, events and gas.

use alloy::sol_types::{SolCall, SolError, SolEvent};
use medlock_anvil::{
    arbos::{
        ARB_GAS_INFO, ARB_INFO, ARB_OWNER_PUBLIC, ARB_SYS, ARB_WASM, ARB_WASM_CACHE, CHAIN_OWNER, Rules, Version,
        abi::{ArbGasInfo, ArbInfo, ArbOwnerPublic, ArbSys, ArbWasm, ArbWasmCache},
        genesis::CACHE_MANAGER,
    },
    stylus::code,
};
use revm::{
    context::{TxEnv, result::ExecutionResult},
    primitives::{Address, B256, Bytes, TxKind, U256, address, hex, keccak256},
};

use crate::world::*;

const DAY: u64 = 86_400;

/// Gas of a call beside what every transaction pays.
fn spent(result: &ExecutionResult, data: &[u8]) -> u64 {
    let calldata: u64 = data.iter().map(|&byte| if byte == 0 { 4 } else { 16 }).sum();
    result.gas().total_gas_spent() - 21_000 - calldata
}

/// Calls a method of a precompile: its answer, and the gas of the precompile alone.
fn ask<C: SolCall>(world: &mut World, at: Address, call: C) -> (C::Return, u64) {
    let data = call.abi_encode();
    let result = world.call(at, data.clone());
    assert!(result.is_success(), "{result:?}");
    let answer = C::abi_decode_returns(result.output().unwrap()).unwrap();
    (answer, spent(&result, &data))
}

/// What a call reverts with.
fn refusal<C: SolCall>(world: &mut World, at: Address, call: C) -> Bytes {
    match world.call(at, call.abi_encode()) {
        ExecutionResult::Revert { output, .. } => output,
        other => panic!("{other:?}"),
    }
}

fn owner_call(world: &mut World, at: Address, data: Vec<u8>) -> ExecutionResult {
    let tx = TxEnv {
        kind: TxKind::Call(at),
        data: data.into(),
        ..world.tx(CHAIN_OWNER)
    };
    world.commit(tx)
}

#[test]
fn questions_are_answered_at_nitros_prices() {
    let mut world = World::new();
    let w = &mut world;
    // 800 to open the state, 100 for the parameters, 3 a word.
    assert_eq!(ask(w, ARB_WASM, ArbWasm::stylusVersionCall {}), (2, 903));
    assert_eq!(ask(w, ARB_WASM, ArbWasm::inkPriceCall {}), (10_000, 903));
    assert_eq!(ask(w, ARB_WASM, ArbWasm::maxStackDepthCall {}), (22_000, 903));
    let (init, gas) = ask(w, ARB_WASM, ArbWasm::minInitGasCall {});
    assert_eq!((init.gas, init.cached, gas), (8_832, 352, 906));
    assert_eq!(ask(w, ARB_WASM, ArbWasm::blockCacheSizeCall {}).0, 32);

    assert_eq!(ask(w, ARB_SYS, ArbSys::arbBlockNumberCall {}), (U256::from(7), 803));
    assert_eq!(ask(w, ARB_SYS, ArbSys::arbOSVersionCall {}).0, U256::from(106));
    assert_eq!(ask(w, ARB_SYS, ArbSys::arbChainIDCall {}).0, U256::from(412_346));
    assert!(ask(w, ARB_SYS, ArbSys::isTopLevelCallCall {}).0);
    let alias = ArbSys::mapL1SenderContractAddressToL2AliasCall {
        sender: Address::with_last_byte(1),
        unused: Address::ZERO,
    };
    // A pure function opens no state: two words in, one out.
    let expected = address!("1111000000000000000000000000000000001112");
    assert_eq!(ask(w, ARB_SYS, alias), (expected, 9));

    let rich = ArbInfo::getBalanceCall { account: CHAIN_OWNER };
    assert_eq!(ask(w, ARB_INFO, rich), (RICH, 800 + 700 + 6));
    let code = ArbInfo::getCodeCall { account: ARB_SYS };
    assert_eq!(ask(w, ARB_INFO, code), (vec![0xfe].into(), 800 + 2_100 + 3 + 3 + 9));

    assert_eq!(
        ask(w, ARB_GAS_INFO, ArbGasInfo::getMinimumGasPriceCall {}).0,
        U256::from(100_000_000)
    );
    assert_eq!(
        ask(w, ARB_GAS_INFO, ArbGasInfo::getL1BaseFeeEstimateCall {}),
        (U256::ZERO, 1_603)
    );
    let (prices, gas) = ask(w, ARB_GAS_INFO, ArbGasInfo::getPricesInWeiCall {});
    // This world's base fee is zero.
    assert_eq!((prices._0, prices._5, gas), (U256::ZERO, U256::ZERO, 800 + 1_600 + 18));
    assert_eq!(
        ask(w, ARB_GAS_INFO, ArbGasInfo::getGasAccountingParamsCall {}).0._1,
        U256::from(32_000_000)
    );

    let (owners, gas) = ask(w, ARB_OWNER_PUBLIC, ArbOwnerPublic::getAllChainOwnersCall {});
    assert_eq!((owners, gas), (vec![CHAIN_OWNER], 800 + 1_600 + 9));
    assert!(!ask(w, ARB_OWNER_PUBLIC, ArbOwnerPublic::isChainOwnerCall { addr: SENDER }).0);
    assert!(
        !ask(
            w,
            ARB_OWNER_PUBLIC,
            ArbOwnerPublic::isCalldataPriceIncreaseEnabledCall {}
        )
        .0
    );
}

#[test]
fn block_hashes_are_this_chains_and_recent() {
    let mut world = World::new();
    let hash = |number: u64| ArbSys::arbBlockHashCall {
        arbBlockNum: U256::from(number),
    };
    assert_eq!(ask(&mut world, ARB_SYS, hash(6)), (B256::repeat_byte(7), 806));
    for asked in [U256::from(7), U256::MAX] {
        let call = ArbSys::arbBlockHashCall { arbBlockNum: asked };
        let error = ArbSys::InvalidBlockNumber::abi_decode(&refusal(&mut world, ARB_SYS, call)).unwrap();
        assert_eq!((error.requested, error.current), (asked, U256::from(7)));
    }
}

#[test]
fn what_is_not_there_reverts_without_a_word_and_takes_all_gas() {
    let mut world = World::new();
    let no_method = hex!("deadbeef").to_vec();
    let v60 = ArbWasm::activationGasCall {}.abi_encode();
    let short = ArbSys::arbBlockHashCall::SELECTOR.to_vec();
    let table = Address::with_last_byte(0x66);
    for (at, data) in [
        (ARB_SYS, no_method.clone()),
        (ARB_WASM, v60),
        (ARB_SYS, short),
        (table, no_method),
    ] {
        let ExecutionResult::Revert { output, gas, .. } = world.call(at, data) else {
            panic!("{at} did not revert")
        };
        assert!(output.is_empty());
        assert_eq!(gas.total_gas_spent(), GAS);
    }
    // Value for a method that takes none, and a write in a static call.
    let paid = world.send(
        TxKind::Call(ARB_WASM),
        ArbWasm::stylusVersionCall {}.abi_encode(),
        U256::ONE,
    );
    assert!(matches!(paid, ExecutionResult::Revert { .. }), "{paid:?}");
    let forwarder = world.program(FORWARD);
    let cache = ArbWasmCache::cacheProgramCall { addr: forwarder }.abi_encode();
    assert_eq!(
        world.output(forwarder, forward(2, ARB_WASM_CACHE, 0, &cache))[..],
        [2, 0]
    );
    // A view may be called statically, but not by delegation.
    let version = ArbWasm::stylusVersionCall {}.abi_encode();
    assert_eq!(world.output(forwarder, forward(2, ARB_WASM, 0, &version))[0], 0);
    assert_eq!(world.output(forwarder, forward(1, ARB_WASM, 0, &version))[..], [2, 0]);
}

#[test]
fn callers_are_counted_as_nitro_counts_them() {
    let mut world = World::new();
    let evm = world.deployed(&hex::decode(EVM_FORWARD).unwrap());
    let other = world.program(FORWARD);
    let top = ArbSys::isTopLevelCallCall {}.abi_encode();
    let caller = ArbSys::myCallersAddressWithoutAliasingCall {}.abi_encode();
    let through_two = |data: &[u8]| evm_forward(other, &forward(2, ARB_SYS, 0, data));
    let through_three = |data: &[u8]| evm_forward(evm, &through_two(data));
    assert_eq!(world.output(evm, through_two(&top))[2..], words(&[1]));
    assert_eq!(world.output(evm, through_three(&top))[2..], words(&[0]));
    assert_eq!(world.output(evm, evm_forward(ARB_SYS, &caller)), words(&[0]));
    assert_eq!(world.output(evm, through_two(&caller))[2..], SENDER.into_word()[..]);
    assert_eq!(world.output(evm, through_three(&caller))[2..], evm.into_word()[..]);
}

#[test]
fn messages_to_the_parent_chain_take_their_value_away_and_their_place_in_the_tree() {
    let mut world = World::new();
    let destination = Address::repeat_byte(0xd0);
    let mut hashes = Vec::new();
    for n in 0..3u64 {
        let call = ArbSys::sendTxToL1Call {
            destination,
            data: vec![n as u8].into(),
        };
        let result = world.send(TxKind::Call(ARB_SYS), call.abi_encode(), U256::from(n));
        let ExecutionResult::Success { logs, output, .. } = result else {
            panic!("{result:?}")
        };
        assert_eq!(output.data()[..], words(&[n])[..]);
        let sent = ArbSys::L2ToL1Tx::decode_log(logs.last().unwrap()).unwrap();
        assert_eq!((sent.caller, sent.destination), (SENDER, destination));
        assert_eq!((sent.position, sent.callvalue), (U256::from(n), U256::from(n)));
        let message = [
            SENDER.as_slice(),
            destination.as_slice(),
            &words(&[7, 7, world.timestamp, n]),
            &[n as u8],
        ];
        assert_eq!(B256::from(sent.hash), keccak256(message.concat()));
        hashes.push(keccak256(B256::from(sent.hash)));
        // The second leaf completes a pair: level 1, leaf 1.
        assert_eq!(logs.len(), if n == 1 { 2 } else { 1 });
        if n == 1 {
            let update = ArbSys::SendMerkleUpdate::decode_log(&logs[0]).unwrap();
            assert_eq!(update.hash, keccak256([hashes[0], hashes[1]].concat()));
            assert_eq!(update.position, (U256::ONE << 192) + U256::ONE);
        }
    }
    assert_eq!(world.balance(ARB_SYS), U256::ZERO);
    assert_eq!(world.balance(destination), U256::ZERO);

    let state = ArbSys::sendMerkleTreeStateCall {};
    assert!(refusal(&mut world, ARB_SYS, state.clone()).is_empty());
    let tx = TxEnv {
        kind: TxKind::Call(ARB_SYS),
        data: state.abi_encode().into(),
        ..world.tx(Address::ZERO)
    };
    let result = world.commit(tx);
    let state = ArbSys::sendMerkleTreeStateCall::abi_decode_returns(result.output().unwrap()).unwrap();
    let pair = keccak256([hashes[0], hashes[1]].concat());
    let right = keccak256([hashes[2], B256::ZERO].concat());
    assert_eq!(state.size, U256::from(3));
    assert_eq!(state.root, keccak256([pair, right].concat()));
    assert_eq!(state.partials, [hashes[2], pair]);
}

#[test]
fn a_program_lives_a_year_and_may_be_kept_alive_after_a_month() {
    let mut world = World::new();
    let program = world.program(CELL);
    let deployed = code::encode(&wat::parse_str(CELL).unwrap());
    let codehash = keccak256(&deployed);
    let start = world.timestamp;
    let began = start - 400;
    let left = ArbWasm::programTimeLeftCall { program };
    // Ages count from the beginning of the hour.
    assert_eq!(ask(&mut world, ARB_WASM, left.clone()).0, 365 * DAY - 400);
    assert_eq!(
        ask(&mut world, ARB_WASM, ArbWasm::programVersionCall { program }).1,
        800 + 100 + 2_600 + 800 + 6
    );
    let (size, _) = ask(&mut world, ARB_WASM, ArbWasm::codehashAsmSizeCall { codehash });
    assert_eq!(size % 1024, 0, "Nitro remembers whole KiB");

    let keep = ArbWasm::codehashKeepaliveCall { codehash }.abi_encode();
    let value = U256::from(10u128.pow(18));
    world.timestamp = began + 31 * DAY - 1;
    let early = world.send(TxKind::Call(ARB_WASM), keep.clone(), value);
    let error = ArbWasm::ProgramKeepaliveTooSoon::abi_decode(early.output().unwrap()).unwrap();
    assert_eq!(error.ageInSeconds, 31 * DAY - 1);

    world.timestamp = began + 31 * DAY;
    let poor = world.send(TxKind::Call(ARB_WASM), keep.clone(), U256::ZERO);
    assert_eq!(poor.output().unwrap()[..4], ArbWasm::ProgramInsufficientValue::SELECTOR);
    let before = world.balance(SENDER);
    let kept = world.send(TxKind::Call(ARB_WASM), keep.clone(), value);
    let ExecutionResult::Success { logs, .. } = &kept else {
        panic!("{kept:?}")
    };
    let event = ArbWasm::ProgramLifetimeExtended::decode_log(&logs[0]).unwrap();
    assert_eq!(
        (event.codehash, before - world.balance(SENDER)),
        (codehash, event.dataFee)
    );
    assert_eq!(ask(&mut world, ARB_WASM, left.clone()).0, 365 * DAY);

    // Another account with the same code needs no activation of its own, and expires with it.
    let twin = world.deployed(&deployed);
    assert_eq!(world.output(twin, words(&[1, 2])), words(&[2]));
    let again = world.activate(twin, value);
    assert_eq!(again.output().unwrap()[..], ArbWasm::ProgramUpToDate {}.abi_encode());
    world.timestamp += 365 * DAY;
    assert_eq!(world.output(twin, words(&[1])), words(&[2]));
    world.timestamp += 1;
    let error = ArbWasm::ProgramExpired::abi_decode(&refusal(&mut world, ARB_WASM, left)).unwrap();
    assert_eq!(error.ageInSeconds, 365 * DAY + 1);
    let late = world.send(TxKind::Call(ARB_WASM), keep, value);
    assert_eq!(late.output().unwrap()[..4], ArbWasm::ProgramExpired::SELECTOR);
    assert!(world.activate(twin, value).is_success());
    assert_eq!(world.output(program, words(&[1])), words(&[0]));
}

#[test]
fn only_code_that_is_a_program_can_be_activated() {
    let mut world = World::new();
    let value = U256::from(10u128.pow(18));
    let nobody = world.activate(Address::repeat_byte(0x99), value);
    assert_eq!(nobody.output().unwrap()[..], ArbWasm::ProgramNotWasm {}.abi_encode());
    // ArbOS 51 does not tell why when there is other code.
    let evm = world.deployed(&hex::decode(EVM_FORWARD).unwrap());
    let ExecutionResult::Revert { output, gas, .. } = world.activate(evm, value) else {
        panic!("activated")
    };
    assert!(output.is_empty() && gas.total_gas_spent() < 1_800_000);
    // A module that is refused takes all gas.
    let broken = world.deployed(&code::encode(b"\0asm\x01\0\0\0"));
    assert!(halted(&world.activate(broken, value)).contains("memory"));
    let version = ArbWasm::programVersionCall { program: evm };
    assert_eq!(
        refusal(&mut world, ARB_WASM, version)[..],
        ArbWasm::ProgramNotActivated {}.abi_encode()
    );
}

#[test]
fn the_cache_is_the_managers_and_the_owners() {
    let mut world = World::new();
    let program = world.program(CELL);
    let codehash = keccak256(code::encode(&wat::parse_str(CELL).unwrap()));
    let (managers, _) = ask(&mut world, ARB_WASM_CACHE, ArbWasmCache::allCacheManagersCall {});
    assert_eq!(managers, [CACHE_MANAGER]);
    let cache = ArbWasmCache::cacheProgramCall { addr: program }.abi_encode();
    let stranger = world.call(ARB_WASM_CACHE, cache.clone());
    assert!(!stranger.is_success() && stranger.gas().total_gas_spent() == GAS);

    let cold = world.call(program, words(&[1])).gas().total_gas_spent();
    let done = owner_call(&mut world, ARB_WASM_CACHE, cache.clone());
    let ExecutionResult::Success { logs, .. } = &done else {
        panic!("{done:?}")
    };
    let event = ArbWasmCache::UpdateProgramCache::decode_log(&logs[0]).unwrap();
    assert_eq!(
        (event.manager, event.codehash, event.cached),
        (CHAIN_OWNER, codehash, true)
    );
    let cached = ArbWasmCache::codehashIsCachedCall { codehash };
    assert!(ask(&mut world, ARB_WASM_CACHE, cached.clone()).0);
    let (init, _) = ask(&mut world, ARB_WASM, ArbWasm::programInitGasCall { program });
    let warm = world.call(program, words(&[1])).gas().total_gas_spent();
    assert_eq!(cold - warm, init.gas - init.gasWhenCached);
    // Nothing happens twice.
    let again = owner_call(&mut world, ARB_WASM_CACHE, cache);
    assert!(matches!(&again, ExecutionResult::Success { logs, .. } if logs.is_empty()));
    let evict = ArbWasmCache::evictCodehashCall { codehash }.abi_encode();
    assert!(owner_call(&mut world, ARB_WASM_CACHE, evict).is_success());
    assert!(!ask(&mut world, ARB_WASM_CACHE, cached).0);
}

#[test]
fn a_program_that_just_ran_costs_the_same_again_until_arbos_60() {
    let twice = |version| {
        let mut world = World::with_rules(Rules {
            version,
            ..Rules::default()
        });
        let forwarder = world.program(FORWARD);
        let cell = world.program(CELL);
        let once = forward(2, cell, 0, &words(&[1]));
        let nested = forward(2, forwarder, 0, &once);
        let single = world.call(forwarder, once.clone());
        let double = world.call(forwarder, nested.clone());
        let gas = |result: &ExecutionResult, data: &[u8]| spent(result, data);
        let (init, _) = ask(&mut world, ARB_WASM, ArbWasm::programInitGasCall { program: forwarder });
        (
            gas(&double, &nested) - gas(&single, &once),
            init.gas - init.gasWhenCached,
        )
    };
    let (v51, init) = twice(Version::V51);
    let (v60, _) = twice(Version::V60);
    assert_eq!(v51 - v60, init);
}

#[test]
fn arbos_60_puts_programs_together_from_fragments() {
    let wasm = wat::parse_str(CELL).unwrap();
    let half = code::encode(&wasm).len() / 2 + 4;
    let pieces = code::encode_fragments(&wasm, half);
    assert_eq!(pieces.len(), 2);
    let value = U256::from(10u128.pow(18));

    let mut old = World::new();
    assert!(!old.deploy(&pieces[0]).is_success(), "51 knows no fragments");

    let mut world = World::with_rules(Rules {
        version: Version::V60,
        ..Rules::default()
    });
    assert_eq!(ask(&mut world, ARB_SYS, ArbSys::arbOSVersionCall {}).0, U256::from(115));
    let fragments: Vec<Address> = pieces.iter().map(|piece| world.deployed(piece)).collect();
    let root = world.deployed(&code::encode_root(&wasm, &fragments));
    let alone = world.activate(fragments[0], value);
    assert!(
        matches!(&alone, ExecutionResult::Revert { output, .. } if output.is_empty()),
        "{alone:?}"
    );
    assert!(
        !world.call(fragments[0], Bytes::new()).is_success(),
        "a fragment is never run"
    );
    assert!(!world.call(root, words(&[1])).is_success());

    assert!(world.activate(root, value).is_success());
    assert_eq!(world.output(root, words(&[1, 5])), words(&[5]));
    assert_eq!(world.output(root, words(&[1])), words(&[5]));
    let evm = world.deployed(&hex::decode(EVM_FORWARD).unwrap());
    let refused = world.activate(evm, value);
    assert_eq!(refused.output().unwrap()[..], ArbWasm::ProgramNotWasm {}.abi_encode());

    // A root whose second fragment is no fragment.
    let broken = world.deployed(&code::encode_root(&wasm, &[fragments[0], evm]));
    assert!(matches!(world.activate(broken, value), ExecutionResult::Revert { .. }));
    assert_eq!(
        ask(
            &mut world,
            ARB_OWNER_PUBLIC,
            ArbOwnerPublic::getMaxStylusContractFragmentsCall {}
        ),
        (2, 903)
    );
}

#[test]
fn several_results_are_refused_from_arbos_60_on() {
    let program = code::encode(
        &wat::parse_str(
            r#"(module (memory (export "memory") 1 1)
              (func $two (result i32 i32) (i32.const 0) (i32.const 0))
              (func (export "user_entrypoint") (param i32) (result i32) (i32.add (call $two))))"#,
        )
        .unwrap(),
    );
    let value = U256::from(10u128.pow(18));
    let mut v51 = World::new();
    let at = v51.deployed(&program);
    assert!(v51.activate(at, value).is_success());
    let mut v60 = World::with_rules(Rules {
        version: Version::V60,
        ..Rules::default()
    });
    let at = v60.deployed(&program);
    assert!(halted(&v60.activate(at, value)).contains("multi-value"));
}
