//! The validator, the instrumenter and activation, on modules that nobody wrote.
//!
//! What is accepted is run three times with the same imports: as it is, instrumented, and in a counting copy that
//! calls the host at the head of each basic block. The counting copy knows prices from the table of Nitro's costs, typed
//! here a second time, and shares no code with the instrumenter.

use std::cell::Cell;

use alloy::primitives::{B256, keccak256};
use arbitrary::{Arbitrary, Result, Unstructured};
use medlock_anvil::arbos::Version;
use medlock_anvil::exec;
use medlock_anvil::stylus::activate::{Activation, activate};
use medlock_anvil::stylus::instrument::{INK_LEFT, INK_STATUS, STACK_LEFT};
use medlock_anvil::stylus::meter::MAX_STACK_WORDS;
use medlock_anvil::stylus::validate::features;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{EntityType, Instruction as I, ValType};
use wasm_smith::{Config, Module};
use wasmi::{Caller, Engine, Error, Extern, FuncType, Linker, Store, TrapCode, Val};
use wasmparser::{Operator, Parser, Payload, Validator};

use crate::cases::cases;

/// Ink of a run. A unit of ink is at most one operator, so this bounds every run.
const INK: u64 = 20_000_000;
/// Fuel of the run without ink: more than [`INK`] can buy.
const FUEL: u64 = 100 * INK;
/// Name and signature of each hook, as they stand in the documentation: `i` is i32, `I` is i64, the result after `>`.
const HOOKS: &str = "read_args i, write_result ii, exit_early i, storage_load_bytes32 ii, storage_cache_bytes32 ii, \
    storage_flush_cache i, transient_load_bytes32 ii, transient_store_bytes32 ii, call_contract iiiiIi>i, \
    delegate_call_contract iiiIi>i, static_call_contract iiiIi>i, create1 iiiii, create2 iiiiii, read_return_data iii>i, \
    return_data_size >i, emit_log iii, account_balance ii, account_codehash ii, account_code iiii>i, account_code_size i>i, \
    block_basefee i, block_coinbase i, contract_address i, msg_sender i, msg_value i, tx_gas_price i, tx_origin i, \
    block_gas_limit >I, block_number >I, block_timestamp >I, chainid >I, evm_gas_left >I, evm_ink_left >I, \
    msg_reentrant >i, tx_ink_price >i, math_div ii, math_mod ii, math_pow ii, math_add_mod iii, math_mul_mod iii, \
    native_keccak256 iii, pay_for_memory_grow i";

/// Name, parameters and results of each hook.
pub fn hooks() -> Vec<(&'static str, String, String)> {
    HOOKS
        .split(", ")
        .map(|hook| {
            let (name, types) = hook.trim().split_once(' ').unwrap();
            let (params, results) = types.split_once('>').unwrap_or((types, ""));
            (name, params.to_owned(), results.to_owned())
        })
        .collect()
}

/// A module with every hook as an import, in text.
fn imports() -> String {
    let list = |kind: &str, types: &str| {
        let types: String = types.chars().map(|c| if c == 'i' { " i32" } else { " i64" }).collect();
        format!("({kind}{types})")
    };
    hooks()
        .iter()
        .map(|(name, params, results)| {
            format!(
                "(import \"vm_hooks\" \"{name}\" (func {} {}))",
                list("param", params),
                list("result", results)
            )
        })
        .collect()
}

/// What wasm-smith shall keep to so that most of it is accepted.
fn near(u: &mut Unstructured<'_>) -> Result<Config> {
    let memory = *u.choose(&["1 1", "0 0", "1 1", "2 2", "1 3", "1"])?;
    let exports = format!(
        "(module (memory (export \"memory\") {memory})
           (func (export \"user_entrypoint\") (param i32) (result i32) unreachable))"
    );
    // Bulk memory brings passive segments, which are refused, so it comes without any segments.
    let bulk = u.ratio(1, 3)?;
    Ok(Config {
        available_imports: Some(wat::parse_str(format!("(module {})", imports())).unwrap()),
        exports: Some(wat::parse_str(exports).unwrap()),
        allow_start_export: false,
        allow_floats: u.ratio(1, 16)?,
        bulk_memory_enabled: bulk,
        disallow_traps: u.arbitrary()?,
        exceptions_enabled: false,
        gc_enabled: false,
        compact_imports_enabled: false,
        reference_types_enabled: false,
        simd_enabled: false,
        relaxed_simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        extended_const_enabled: false,
        memory64_enabled: false,
        saturating_float_to_int_enabled: false,
        max_memories: 1,
        max_tables: if bulk { 0 } else { 1 },
        max_table_elements: 200,
        max_data_segments: if bulk { 0 } else { 4 },
        max_element_segments: if bulk { 0 } else { 4 },
        max_type_size: 200,
        max_funcs: 12,
        max_globals: 8,
        max_imports: 12,
        max_instructions: 400,
        ..Config::default()
    })
}

#[test]
fn instrumentation_changes_nothing_but_the_ink_and_counts_it_exactly() {
    let (generated, accepted, ran) = (Cell::new(0), Cell::new(0), Cell::new(0));
    cases("instrumented modules", 1_500, 8_192, |u| {
        let config = near(u)?;
        let wasm = Module::new(config, u)?.to_bytes();
        generated.set(generated.get() + 1);
        if let Some(activation) = accept(&wasm) {
            accepted.set(accepted.get() + 1);
            let outcome = compare(&wasm, &activation, i32::arbitrary(u)?);
            ran.set(ran.get() + u32::from(outcome == Compared::InFull));
        }
        Ok(())
    });
    let (generated, accepted, ran) = (generated.get(), accepted.get(), ran.get());
    println!("{generated} modules, {accepted} accepted, {ran} compared to the end");
    // A test that accepts nothing says nothing.
    assert!(accepted * 5 >= generated, "{accepted} of {generated} modules accepted");
    assert!(ran * 2 >= accepted, "{ran} of {accepted} modules compared to the end");
}

#[test]
fn modules_of_every_kind_are_accepted_or_refused_in_words() {
    cases("modules of every kind", 1_000, 4_096, |u| {
        let config = Config {
            allow_invalid_funcs: u.ratio(1, 8)?,
            ..Config::arbitrary(u)?
        };
        let wasm = Module::new(config, u)?.to_bytes();
        if let Some(activation) = accept(&wasm) {
            compare(&wasm, &activation, i32::arbitrary(u)?);
        }
        Ok(())
    });
}

#[test]
fn damaged_programs_are_accepted_or_refused_in_words() {
    let programs: Vec<Vec<u8>> = programs();
    cases("damaged programs", 3_000, 512, |u| {
        let mut wasm = u.choose(&programs)?.clone();
        for _ in 0..u.int_in_range(1..=8)? {
            damage(&mut wasm, u)?;
        }
        if let Some(activation) = accept(&wasm) {
            compare(&wasm, &activation, i32::arbitrary(u)?);
        }
        Ok(())
    });
}

#[test]
fn bytes_are_refused_in_words() {
    cases("bytes as modules", 2_000, 512, |u| {
        let mut wasm = if u.arbitrary()? {
            b"\0asm\x01\0\0\0".to_vec()
        } else {
            Vec::new()
        };
        wasm.extend(u.bytes(u.len())?);
        accept(&wasm);
        Ok(())
    });
}

/// wasmi 2.0.0 merged the comparison into the `select` and took whatever stood in its register for the local.
#[test]
fn a_select_on_a_local_that_is_zero_takes_the_right_value() {
    let module = |condition: &str| {
        let text = format!(
            r#"(module
              (import "vm_hooks" "write_result" (func $result (param i32 i32)))
              (memory (export "memory") 1 1)
              (global $g (mut i64) (i64.const 1000))
              (func (export "user_entrypoint") (param i32) (result i32)
                (global.set $g (i64.sub (global.get $g) (i64.const 100)))
                (i32.store8 (i32.const 0) (select (i32.const 7) (i32.const 8) {condition}))
                (call $result (i32.const 0) (i32.const 1))
                i32.const 0))"#
        );
        wat::parse_str(text).unwrap()
    };
    for (condition, of_zero, of_one) in [
        ("(i32.eqz (local.get 0))", 7, 8),
        ("(i32.eq (local.get 0) (i32.const 0))", 7, 8),
        ("(i32.ne (local.get 0) (i32.const 0))", 8, 7),
        ("(i32.ne (i32.const 0) (local.get 0))", 8, 7),
        ("(i32.eqz (i32.eqz (local.get 0)))", 8, 7),
        ("(local.get 0)", 8, 7),
    ] {
        let call = |calldata: &[u8]| exec::Call {
            calldata: calldata.to_vec().into(),
            gas: exec::CALL_GAS,
        };
        let report = exec::run(&module(condition), &[call(&[]), call(&[1])], false).unwrap();
        let outputs: Vec<_> = report.calls.iter().map(|call| call.output.to_vec()).collect();
        assert_eq!(outputs, [vec![of_zero], vec![of_one]], "{condition}");
    }
}

/// The programs beside Nitro's vectors, as binaries.
fn programs() -> Vec<Vec<u8>> {
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut paths: Vec<_> = [vectors.clone(), vectors.join("probes")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 20, "the vectors are gone");
    paths.iter().map(|path| wat::parse_file(path).unwrap()).collect()
}

/// One thing that goes wrong with bytes.
pub fn damage(bytes: &mut Vec<u8>, u: &mut Unstructured<'_>) -> Result<()> {
    if bytes.is_empty() {
        bytes.push(u.arbitrary()?);
        return Ok(());
    }
    let at = u.choose_index(bytes.len())?;
    match u.int_in_range(0..=5)? {
        0 => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
        1 => bytes[at] = u.arbitrary()?,
        2 => bytes[at] = *u.choose(&[0x00, 0x7f, 0x80, 0xff, 0x0b, 0x41])?,
        3 => bytes.insert(at, u.arbitrary()?),
        4 => drop(bytes.remove(at)),
        _ => bytes.truncate(at),
    }
    Ok(())
}

/// Activates a module; what is accepted must be valid once instrumented.
fn accept(wasm: &[u8]) -> Option<Activation> {
    match activate(wasm, Version::default().several_results()) {
        Ok(activation) => {
            let instrumented = &activation.instrumented.wasm;
            if let Err(error) = Validator::new_with_features(features()).validate_all(instrumented) {
                panic!("instrumented code is not valid: {error}\n{}", text(wasm));
            }
            Some(activation)
        }
        Err(rejection) => {
            assert!(!rejection.to_string().is_empty());
            None
        }
    }
}

fn text(wasm: &[u8]) -> String {
    alloy::primitives::hex::encode(wasm)
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Returned(i32),
    Trap(TrapCode),
    /// It could not be instantiated: a segment does not fit.
    NotStarted,
    /// The counting copy had counted all the ink there was.
    Counted,
}

/// All that can be seen of a run.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    end: End,
    memory: Option<B256>,
    calls: Vec<(&'static str, Vec<u64>)>,
}

/// What the host knows while a module runs.
#[derive(Default)]
struct Host {
    calls: Vec<(&'static str, Vec<u64>)>,
    counted: u64,
    exhausted: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Compared {
    InFull,
    OutOfInk,
    OutOfStack,
}

/// Runs the three forms of a module and compares them.
fn compare(wasm: &[u8], activation: &Activation, argument: i32) -> Compared {
    let mut config = wasmi::Config::default();
    config.set_max_recursion_depth(100_000);
    config.set_max_stack_height(64 << 20);
    config.consume_fuel(true);
    let engine = Engine::new(&config);

    let (counting, mut store, _) = run(&engine, &copy(wasm, true), argument, |_, _| {});
    let (counted, exhausted) = (store.data().counted, store.data().exhausted);
    let (metered, mut store_metered, globals) = run(&engine, &activation.instrumented.wasm, argument, |store, get| {
        get(store, INK_LEFT)
            .unwrap()
            .set(&mut *store, Val::I64(INK as i64))
            .unwrap();
    });
    if metered.end == End::NotStarted {
        assert_eq!(counting.end, End::NotStarted, "{}", text(wasm));
        return Compared::InFull;
    }
    let number = |store: &Store<Host>, name: &str| match globals(store, name).unwrap().get(store) {
        Val::I32(number) => number as u32 as u64,
        Val::I64(number) => number as u64,
        other => panic!("{other:?}"),
    };
    let out_of_ink = number(&store_metered, INK_STATUS) != 0;
    let words = number(&store_metered, STACK_LEFT);
    if words == 0 && !out_of_ink {
        // Deep recursion: the plain forms know no such limit.
        assert!(matches!(metered.end, End::Trap(_)), "{}", text(wasm));
        return Compared::OutOfStack;
    }
    assert_eq!(
        out_of_ink,
        exhausted,
        "out of ink: instrumented {out_of_ink}, counted {exhausted}\n{}",
        text(wasm)
    );
    if out_of_ink {
        return Compared::OutOfInk;
    }
    let used = INK - number(&store_metered, INK_LEFT);
    assert_eq!(
        used,
        counted,
        "ink: instrumented {used} {:?}, counted {counted} {:?}\n{}",
        metered.end,
        counting.end,
        text(wasm)
    );
    if matches!(metered.end, End::Returned(_)) && !leaves_by_branch(wasm) {
        assert_eq!(
            words,
            u64::from(MAX_STACK_WORDS),
            "stack words are not given back\n{}",
            text(wasm)
        );
    }
    let (plain, ..) = run(&engine, &copy(wasm, false), argument, |_, _| {});
    assert_eq!(plain, metered, "instrumentation changed the outcome\n{}", text(wasm));
    assert_eq!(plain, counting, "counting changed the outcome\n{}", text(wasm));
    // Nothing is left to drop late.
    store.data_mut().calls.clear();
    store_metered.data_mut().calls.clear();
    Compared::InFull
}

/// Whether some function may be left by a branch to its own label. Nitro's rules give stack words back before `return` and
/// at a function's end only, so such a function keeps them.
fn leaves_by_branch(wasm: &[u8]) -> bool {
    use Operator as O;
    Parser::new(0).parse_all(wasm).any(|payload| {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else {
            return false;
        };
        let mut open = 0;
        body.get_operators_reader()
            .unwrap()
            .into_iter()
            .any(|op| match op.unwrap() {
                O::Block { .. } | O::Loop { .. } | O::If { .. } => {
                    open += 1;
                    false
                }
                O::End => {
                    open = u32::saturating_sub(open, 1);
                    false
                }
                O::Br { relative_depth } | O::BrIf { relative_depth } => relative_depth == open,
                O::BrTable { targets } => {
                    targets.default() == open || targets.targets().any(|target| target.unwrap() == open)
                }
                _ => false,
            })
    })
}

type Globals = Box<dyn Fn(&Store<Host>, &str) -> Option<wasmi::Global>>;

/// Instantiates and enters a module after `prepare`.
fn run(
    engine: &Engine,
    wasm: &[u8],
    argument: i32,
    prepare: impl FnOnce(&mut Store<Host>, &dyn Fn(&Store<Host>, &str) -> Option<wasmi::Global>),
) -> (Outcome, Store<Host>, Globals) {
    let module =
        wasmi::Module::new(engine, wasm).unwrap_or_else(|error| panic!("does not compile: {error}\n{}", text(wasm)));
    let mut store = Store::new(engine, Host::default());
    store.set_fuel(FUEL).unwrap();
    let Ok(instance) = linker(engine).instantiate_and_start(&mut store, &module) else {
        let outcome = Outcome {
            end: End::NotStarted,
            memory: None,
            calls: Vec::new(),
        };
        return (outcome, store, Box::new(|_, _| None));
    };
    let globals = move |store: &Store<Host>, name: &str| instance.get_global(store, name);
    prepare(&mut store, &globals);
    let entrypoint = instance.get_typed_func::<i32, i32>(&store, "user_entrypoint").unwrap();
    let end = match entrypoint.call(&mut store, argument) {
        Ok(status) => End::Returned(status),
        Err(error) => match error.as_trap_code() {
            Some(code) => End::Trap(code),
            None if store.data().exhausted => End::Counted,
            None => panic!("{error}\n{}", text(wasm)),
        },
    };
    let memory = instance.get_memory(&store, "memory").unwrap();
    let outcome = Outcome {
        end,
        memory: Some(keccak256(memory.data(&store))),
        calls: std::mem::take(&mut store.data_mut().calls),
    };
    (outcome, store, Box::new(globals))
}

/// Hooks that answer with a hash of what they were asked and leave it in memory where they can.
fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    let types = |types: &str| -> Vec<wasmi::ValType> {
        types
            .chars()
            .map(|c| {
                if c == 'i' {
                    wasmi::ValType::I32
                } else {
                    wasmi::ValType::I64
                }
            })
            .collect()
    };
    for (name, params, results) in hooks() {
        let ty = FuncType::new(types(&params), types(&results));
        linker
            .func_new(
                "vm_hooks",
                name,
                ty,
                move |mut caller: Caller<'_, Host>, params, results| {
                    // The instrumented form calls this one by itself.
                    if name == "pay_for_memory_grow" {
                        return Ok(());
                    }
                    let args: Vec<u64> = params
                        .iter()
                        .map(|value| match value {
                            Val::I32(value) => *value as u32 as u64,
                            Val::I64(value) => *value as u64,
                            _ => unreachable!("hooks take integers"),
                        })
                        .collect();
                    let mut asked = name.as_bytes().to_vec();
                    asked.extend(caller.data().calls.len().to_le_bytes());
                    asked.extend(args.iter().flat_map(|arg| arg.to_le_bytes()));
                    let hash = keccak256(&asked);
                    let number = u64::from_le_bytes(hash[..8].try_into().unwrap());
                    match results {
                        [value @ Val::I32(_)] => *value = Val::I32(number as i32),
                        [value @ Val::I64(_)] => *value = Val::I64(number as i64),
                        _ => {}
                    }
                    if let (Some(at), Some(Extern::Memory(memory))) = (args.last(), caller.get_export("memory")) {
                        // A pointer out of range writes nothing.
                        let _ = memory.write(&mut caller, *at as usize, hash.as_slice());
                    }
                    caller.data_mut().calls.push((name, args));
                    Ok(())
                },
            )
            .unwrap();
    }
    linker
        .func_wrap("count", "ink", |mut caller: Caller<'_, Host>, ink: u64| {
            let host = caller.data_mut();
            if host.counted.saturating_add(ink) > INK {
                host.exhausted = true;
                return Err(Error::new("all ink is counted"));
            }
            host.counted += ink;
            Ok(())
        })
        .unwrap();
    linker
}

/// Moves the indices of defined functions by one, for the import that counts.
struct Shift {
    imported: u32,
}

impl Reencode for Shift {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> std::result::Result<u32, reencode::Error<Self::Error>> {
        Ok(if function < self.imported {
            function
        } else {
            function + 1
        })
    }
}

/// The module itself, or with a call of `count::ink` at the head of each basic block and before each bulk operator.
///
/// Either way the condition of each `select` goes through a local, because wasmi 2.0.0 gets some others wrong.
fn copy(wasm: &[u8], counting: bool) -> Vec<u8> {
    let mut types = wasm_encoder::TypeSection::new();
    let mut imports = wasm_encoder::ImportSection::new();
    let mut functions = wasm_encoder::FunctionSection::new();
    let mut tables = wasm_encoder::TableSection::new();
    let mut memories = wasm_encoder::MemorySection::new();
    let mut globals = wasm_encoder::GlobalSection::new();
    let mut exports = wasm_encoder::ExportSection::new();
    let mut elements = wasm_encoder::ElementSection::new();
    let mut code = wasm_encoder::CodeSection::new();
    let mut data = wasm_encoder::DataSection::new();
    let mut signatures: Vec<u32> = Vec::new();
    let mut function_types: Vec<u32> = Vec::new();
    let mut shift = Shift { imported: 0 };
    let mut body_index = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.unwrap() {
            Payload::TypeSection(section) => {
                signatures = section
                    .clone()
                    .into_iter_err_on_gc_types()
                    .map(|ty| ty.unwrap().params().len() as u32)
                    .collect();
                shift.parse_type_section(&mut types, section).unwrap();
            }
            Payload::ImportSection(section) => {
                shift.imported = section.clone().into_imports().count() as u32;
                shift.parse_import_section(&mut imports, section).unwrap();
            }
            Payload::FunctionSection(section) => {
                function_types = section.clone().into_iter().map(|ty| ty.unwrap()).collect();
                shift.parse_function_section(&mut functions, section).unwrap();
            }
            Payload::TableSection(section) => shift.parse_table_section(&mut tables, section).unwrap(),
            Payload::MemorySection(section) => {
                for memory in section {
                    let mut memory = shift.memory_type(memory.unwrap()).unwrap();
                    memory.maximum = Some(memory.maximum.unwrap_or(128).min(128));
                    memories.memory(memory);
                }
            }
            Payload::GlobalSection(section) => shift.parse_global_section(&mut globals, section).unwrap(),
            Payload::ExportSection(section) => shift.parse_export_section(&mut exports, section).unwrap(),
            Payload::ElementSection(section) => shift.parse_element_section(&mut elements, section).unwrap(),
            Payload::DataSection(section) => shift.parse_data_section(&mut data, section).unwrap(),
            Payload::CodeSectionEntry(body) => {
                let params = signatures[function_types[body_index] as usize];
                code.function(&copy_function(
                    &mut shift,
                    &body,
                    params,
                    counting.then_some(&signatures),
                ));
                body_index += 1;
            }
            _ => {}
        }
    }
    let count = types.len();
    types.ty().function([ValType::I64], []);
    imports.import("count", "ink", EntityType::Function(count));
    let mut module = wasm_encoder::Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&tables)
        .section(&memories)
        .section(&globals)
        .section(&exports)
        .section(&elements)
        .section(&code)
        .section(&data);
    module.finish()
}

fn copy_function(
    shift: &mut Shift,
    body: &wasmparser::FunctionBody<'_>,
    params: u32,
    counting: Option<&Vec<u32>>,
) -> wasm_encoder::Function {
    let mut locals: Vec<(u32, ValType)> = Vec::new();
    for group in body.get_locals_reader().unwrap() {
        let (count, ty) = group.unwrap();
        locals.push((count, shift.val_type(ty).unwrap()));
    }
    let length = params + locals.iter().map(|(count, _)| count).sum::<u32>();
    locals.push((1, ValType::I32));
    let mut function = wasm_encoder::Function::new(locals);
    let count = I::Call(shift.imported);
    let operators: Vec<Operator<'_>> = body
        .get_operators_reader()
        .unwrap()
        .into_iter()
        .map(|op| op.unwrap())
        .collect();
    for block in operators.split_inclusive(closes_block) {
        if let Some(signatures) = counting {
            let ink: u64 = 2_450 + block.iter().map(|op| price(op, signatures)).sum::<u64>();
            function.instruction(&I::I64Const(ink as i64)).instruction(&count);
        }
        for op in block {
            if matches!(op, Operator::Select) {
                function.instruction(&I::LocalTee(length));
            }
            if counting.is_some() && matches!(op, Operator::MemoryCopy { .. } | Operator::MemoryFill { .. }) {
                function
                    .instruction(&I::LocalTee(length))
                    .instruction(&I::I64ExtendI32U)
                    .instruction(&I::I64Const(100))
                    .instruction(&I::I64Mul)
                    .instruction(&count)
                    .instruction(&I::LocalGet(length));
            }
            function.instruction(&shift.instruction(op.clone()).unwrap());
        }
    }
    function
}

fn name(op: &Operator<'_>) -> String {
    let text = format!("{op:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// "A block ends at End, Else, Return, Loop, Br, BrTable, BrIf, If, Call, CallIndirect."
fn closes_block(op: &Operator<'_>) -> bool {
    [
        "End",
        "Else",
        "Return",
        "Loop",
        "Br",
        "BrTable",
        "BrIf",
        "If",
        "Call",
        "CallIndirect",
    ]
    .contains(&name(op).as_str())
}

/// The table of prices, by the operators' names.
fn price(op: &Operator<'_>, signatures: &[u32]) -> u64 {
    match op {
        Operator::CallIndirect { type_index, .. } => return 13_610 + 650 * u64::from(signatures[*type_index as usize]),
        Operator::BrTable { targets } => return 2_400 + 325 * u64::from(targets.len()),
        _ => {}
    }
    let name = name(op);
    let narrow = name.starts_with("I32");
    let rest = name.strip_prefix("I32").or(name.strip_prefix("I64")).unwrap_or(&name);
    let by_width = |i32: u64, i64: u64| if narrow { i32 } else { i64 };
    match rest {
        "Unreachable" | "Return" | "Nop" | "Const" | "F32Const" | "F64Const" | "Block" | "Loop" | "Else" | "End" => 1,
        "Drop" => 9,
        "Br" | "BrIf" | "If" => 765,
        "Select" => 1_250,
        "Call" => 3_800,
        "LocalGet" | "LocalTee" => 75,
        "LocalSet" => 210,
        "GlobalGet" => 225,
        "GlobalSet" => 575,
        "Store" | "Store8" | "Store16" | "Store32" => by_width(825, 950),
        load if load.starts_with("Load") => by_width(670, 680),
        "MemorySize" => 3_000,
        "MemoryGrow" => 8_050,
        "Eqz" | "Eq" | "Ne" | "LtS" | "LtU" | "GtS" | "GtU" | "LeS" | "LeU" | "GeS" | "GeU" => by_width(170, 225),
        "Clz" | "Ctz" => 210,
        "Add" | "Sub" | "And" | "Or" | "Xor" | "Shl" | "ShrS" | "ShrU" | "Rotl" | "Rotr" => by_width(70, 100),
        "Mul" => 160,
        "DivS" | "DivU" | "RemS" | "RemU" => by_width(1_120, 1_270),
        "Popcnt" => by_width(2_650, 6_000),
        "WrapI64" => 100,
        extend if extend.starts_with("Extend") => 100,
        "MemoryCopy" | "MemoryFill" => 950,
        other => panic!("{other} was accepted and has no price"),
    }
}
