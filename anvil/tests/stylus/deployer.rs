//! The contracts of genesis: StylusDeployer, CacheManager, the deterministic deployment proxy.

use std::process::Command;

use alloy::{
    sol,
    sol_types::{SolCall, SolError, SolEvent},
};
use medlock_anvil::{
    arbos::{
        ARB_WASM, ARB_WASM_CACHE,
        abi::{ArbWasm, ArbWasmCache},
        genesis::{CACHE_MANAGER, CREATE2_PROXY, STYLUS_DEPLOYER},
    },
    stylus::code,
};
use revm::{
    context::result::ExecutionResult,
    primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256},
};

use crate::world::*;

sol! {
    #[derive(Debug)]
    contract StylusDeployer {
        event ContractDeployed(address deployedContract);
        error ContractDeploymentError(bytes bytecode);
        error ContractInitializationError(address newContract, bytes data);
        error RefundExcessValueError(uint256 excessValue);
        error EmptyBytecode();
        error InitValueButNotInitData();
        function deploy(bytes calldata bytecode, bytes calldata initData, uint256 initValue, bytes32 salt)
            public payable returns (address);
    }

    #[derive(Debug)]
    contract CacheManager {
        error AlreadyCached(bytes32 codehash);
        error ProgramNotActivated();
        error BidTooSmall(uint192 bid, uint192 min);
        function placeBid(address program) external payable;
        function getMinBid(address program) external view returns (uint192 min);
        function cacheSize() external view returns (uint64);
        function queueSize() external view returns (uint64);
        function isPaused() external view returns (bool);
    }
}

const FEE: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// Returns its calldata; reverts with it when it begins with a byte that is not zero.
const ECHO: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (call $args (i32.const 0))
    (call $result (i32.const 0) (local.get $len))
    (i32.ne (i32.load8_u (i32.const 0)) (i32.const 0))))"#;

fn init_code(code: &[u8]) -> Vec<u8> {
    let length = U256::from(code.len()).to_be_bytes::<32>();
    [&[0x7f][..], &length, &hex!("80602b6000396000f300"), code].concat()
}

fn echo() -> Vec<u8> {
    code::encode(&wat::parse_str(ECHO).unwrap())
}

fn deploy(bytecode: Vec<u8>, data: &[u8], value: u64, salt: B256) -> Vec<u8> {
    let call = StylusDeployer::deployCall {
        bytecode: bytecode.into(),
        initData: data.to_vec().into(),
        initValue: U256::from(value),
        salt,
    };
    call.abi_encode()
}

fn send(world: &mut World, data: Vec<u8>, value: U256) -> ExecutionResult {
    world.send(TxKind::Call(STYLUS_DEPLOYER), data, value)
}

#[test]
fn it_deploys_activates_constructs_and_gives_back_the_rest() {
    let mut world = World::new();
    let before = world.balance(SENDER);
    let result = send(&mut world, deploy(init_code(&echo()), &[0, 7], 1_000, B256::ZERO), FEE);
    let ExecutionResult::Success { logs, output, .. } = &result else {
        panic!("{result:?}")
    };
    let at = Address::from_slice(&output.data()[12..]);
    let activated = ArbWasm::ProgramActivated::decode_log(&logs[0]).unwrap();
    let deployed = StylusDeployer::ContractDeployed::decode_log(&logs[1]).unwrap();
    assert_eq!((logs.len(), activated.program, deployed.deployedContract), (2, at, at));
    // The contracts of genesis have nonce 0, so this is their first creation.
    assert_eq!(world.balance(at), U256::from(1_000));
    assert_eq!(before - world.balance(SENDER), activated.dataFee + U256::from(1_000));
    assert_eq!(world.balance(STYLUS_DEPLOYER), U256::ZERO);
    assert_eq!(world.output(at, [0, 1, 2])[..], [0, 1, 2]);

    // The same code again: no activation, and all of the value comes back.
    let before = world.balance(SENDER);
    let again = send(&mut world, deploy(init_code(&echo()), &[], 0, B256::ZERO), FEE);
    assert!(
        matches!(&again, ExecutionResult::Success { logs, .. } if logs.len() == 1),
        "{again:?}"
    );
    assert_eq!(world.balance(SENDER), before);
}

#[test]
fn its_address_vouches_for_code_salt_and_constructor() {
    let mut world = World::new();
    let (salt, data) = (B256::repeat_byte(5), [0, 9]);
    let result = send(&mut world, deploy(init_code(&echo()), &data, 0, salt), FEE);
    let at = Address::from_slice(&result.output().unwrap()[12..]);
    let mixed = keccak256([salt.as_slice(), &data].concat());
    assert_eq!(at, STYLUS_DEPLOYER.create2(mixed, keccak256(init_code(&echo()))));
    let taken = send(&mut world, deploy(init_code(&echo()), &data, 0, salt), FEE);
    assert_eq!(
        taken.output().unwrap()[..4],
        StylusDeployer::ContractDeploymentError::SELECTOR
    );
}

#[test]
fn it_says_why_it_does_not_deploy_and_leaves_nothing_behind() {
    let mut world = World::new();
    let before = world.balance(SENDER);
    let empty = send(&mut world, deploy(Vec::new(), &[], 0, B256::ZERO), FEE);
    assert_eq!(
        empty.output().unwrap()[..],
        StylusDeployer::EmptyBytecode {}.abi_encode()
    );
    let lost = send(&mut world, deploy(init_code(&echo()), &[], 5, B256::ZERO), FEE);
    assert_eq!(
        lost.output().unwrap()[..],
        StylusDeployer::InitValueButNotInitData {}.abi_encode()
    );
    let refused = send(&mut world, deploy(init_code(&echo()), b"no", 5, B256::ZERO), FEE);
    let error = StylusDeployer::ContractInitializationError::abi_decode(refused.output().unwrap()).unwrap();
    assert_eq!(error.data, Bytes::from_static(b"no"));
    let poor = send(&mut world, deploy(init_code(&echo()), &[], 0, B256::ZERO), U256::ONE);
    assert_eq!(poor.output().unwrap()[..4], ArbWasm::ProgramInsufficientValue::SELECTOR);
    // Init code that reverts: REVERT with one word of memory.
    let reverted = send(
        &mut world,
        deploy(hex!("602a60005260206000fd").to_vec(), &[], 0, B256::ZERO),
        FEE,
    );
    assert_eq!(reverted.output().unwrap()[..], words(&[42]));
    // Code that is no program cannot be activated.
    let evm = send(&mut world, deploy(init_code(&[0x00]), &[], 0, B256::ZERO), FEE);
    assert!(matches!(evm, ExecutionResult::Revert { .. }), "{evm:?}");
    assert_eq!(world.balance(SENDER), before);
}

#[test]
fn the_cache_manager_caches_for_whoever_bids() {
    let mut world = World::new();
    let program = world.deployed(&echo());
    let bid = CacheManager::placeBidCall { program }.abi_encode();
    let early = world.call(CACHE_MANAGER, bid.clone());
    assert_eq!(
        early.output().unwrap()[..],
        CacheManager::ProgramNotActivated {}.abi_encode()
    );
    assert!(world.activate(program, FEE).is_success());
    let question = CacheManager::getMinBidCall { program }.abi_encode();
    assert_eq!(world.output(CACHE_MANAGER, question), words(&[0]));
    assert!(world.call(CACHE_MANAGER, bid.clone()).is_success());
    let codehash = keccak256(echo());
    let cached = ArbWasmCache::codehashIsCachedCall { codehash }.abi_encode();
    assert_eq!(world.output(ARB_WASM_CACHE, cached), words(&[1]));
    let twice = world.call(CACHE_MANAGER, bid);
    assert_eq!(
        twice.output().unwrap()[..],
        CacheManager::AlreadyCached { codehash }.abi_encode()
    );
    let size = ArbWasm::codehashAsmSizeCall { codehash }.abi_encode();
    let size = world.output(ARB_WASM, size);
    assert_eq!(
        world.output(CACHE_MANAGER, CacheManager::queueSizeCall {}.abi_encode()),
        size
    );
    assert_eq!(
        world.output(CACHE_MANAGER, CacheManager::isPausedCall {}.abi_encode()),
        words(&[0])
    );
}

#[test]
fn the_deployment_proxy_creates_at_the_address_that_everybody_expects() {
    let mut world = World::new();
    let init = hex!("6001600c60003960016000f300");
    let salt = B256::repeat_byte(3);
    let at = world.output(CREATE2_PROXY, [salt.as_slice(), &init].concat());
    assert_eq!(Address::from_slice(&at), CREATE2_PROXY.create2(salt, keccak256(init)));
}

#[test]
fn the_committed_bytecode_is_what_the_sources_compile_to() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts/compile.js");
    let run = Command::new("node").args([script, "--check"]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success(),
        "{said} (tools/setup-node.sh --tests installs the compiler)"
    );
}
