//! Programs and requests made to hurt, against the real program in a process of its own: each gets a precise answer, the
//! others are served meanwhile, and memory stays bounded.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy::primitives::{Address, address, hex};
use alloy::sol;
use alloy::sol_types::SolCall;
use medlock_anvil::dev_accounts;
use medlock_anvil::stylus::code::{NO_DICTIONARY, PREFIX, encode};
use serde_json::{Value, json};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, Instruction as I, MemorySection, MemoryType, Module, TypeSection, ValType,
};

sol! {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
}

const ARB_WASM: Address = address!("0000000000000000000000000000000000000071");
/// The most that the process may ever have had in memory, all attacks together. One contract's frames may hold 128 pages
/// (8 MiB), and so many executions run at once; the rest is compiled code.
const RESIDENT_BYTES_MAX: u64 = 512 << 20;
/// How long anything may take before the test gives up. Only a hang is that slow.
const PATIENCE: Duration = Duration::from_secs(300);
/// More than the server executes at a time.
const STORM: usize = 96;
/// Messages that the server executes at a time (`EXECUTIONS_AT_A_TIME_MAX` there).
const EXECUTIONS_AT_A_TIME_MAX: usize = 8;
/// Gas of each endless call: enough that the storm lasts.
const STORM_GAS: u64 = 4_000_000;

/// The program under attack.
struct Target {
    process: Child,
    url: String,
    client: reqwest::Client,
}

impl Target {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_medlock-anvil"))
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| Some(line.strip_prefix("Listening on ")?.split(' ').next()?.to_owned()))
            .expect("it says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { process, url, client }
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let answer = post(&self.client, &self.url, body).await;
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{method}: {error}: {answer}"))
    }

    async fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Sends as alice; the receipt.
    async fn send(&self, to: Address, data: &[u8], value: &str, gas: u64) -> Value {
        let request = json!({
            "from": dev_accounts()[0].address, "to": to, "input": hex::encode_prefixed(data),
            "value": value, "gas": format!("0x{gas:x}"),
        });
        let hash = self.ok("eth_sendTransaction", json!([request])).await;
        self.ok("eth_getTransactionReceipt", json!([hash])).await
    }

    /// Puts code at an address of its own.
    async fn place(&self, number: u8, code: &[u8]) -> Address {
        let at = Address::repeat_byte(0x40 + number);
        self.ok("anvil_setCode", json!([at, hex::encode_prefixed(code)])).await;
        at
    }

    /// The answer to `eth_call` of the activation.
    async fn try_activation(&self, at: Address) -> Value {
        let data = activateProgramCall { program: at }.abi_encode();
        let request = json!({
            "from": dev_accounts()[0].address, "to": ARB_WASM, "input": hex::encode_prefixed(data), "value": "0xde0b6b3a7640000",
        });
        self.call("eth_call", json!([request, "latest"])).await
    }

    async fn activate(&self, at: Address) -> Value {
        let data = activateProgramCall { program: at }.abi_encode();
        self.send(ARB_WASM, &data, "0xde0b6b3a7640000", 32_000_000).await
    }

    /// Its threads that are running or ready to.
    fn busy_threads(&self) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        // A thread may end while it is looked at.
        let stats = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
        stats
            .filter(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" R")))
            .count()
    }

    /// The most memory that it ever had.
    fn resident_bytes_peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        1024 * line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn post(client: &reqwest::Client, url: &str, body: String) -> String {
    let request = client.post(url).header("content-type", "application/json").body(body);
    request.send().await.unwrap().text().await.unwrap()
}

/// A module with one page of memory and a user entrypoint of these instructions, changed by `more`.
struct Build {
    types: TypeSection,
    functions: FunctionSection,
    globals: GlobalSection,
    exports: ExportSection,
    code: CodeSection,
    data: DataSection,
}

impl Build {
    fn new(locals: Vec<(u32, ValType)>, instructions: &[I<'_>]) -> Self {
        let mut build = Self {
            types: TypeSection::new(),
            functions: FunctionSection::new(),
            globals: GlobalSection::new(),
            exports: ExportSection::new(),
            code: CodeSection::new(),
            data: DataSection::new(),
        };
        build.types.ty().function([ValType::I32], [ValType::I32]);
        build.exports.export("memory", ExportKind::Memory, 0);
        build.exports.export("user_entrypoint", ExportKind::Func, 0);
        build.function(0, locals, instructions);
        build
    }

    fn function(&mut self, ty: u32, locals: Vec<(u32, ValType)>, instructions: &[I<'_>]) {
        self.functions.function(ty);
        let mut function = Function::new(locals);
        for instruction in instructions {
            function.instruction(instruction);
        }
        function.instruction(&I::End);
        self.code.function(&function);
    }

    fn finish(self) -> Vec<u8> {
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: Some(1),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut module = Module::new();
        module
            .section(&self.types)
            .section(&self.functions)
            .section(&memories)
            .section(&self.globals)
            .section(&self.exports)
            .section(&self.code)
            .section(&self.data);
        module.finish()
    }
}

const ZERO: I<'static> = I::I32Const(0);

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// What becomes of an attack.
enum Fate {
    /// Activation is refused, in words like these.
    Refused(&'static str),
    /// It is activated; a call with 30,000,000 gas succeeds.
    Runs,
    /// It is activated; a call fails and takes this much gas at least.
    Fails(u64),
}

fn attacks() -> Vec<(&'static str, Vec<u8>, Fate)> {
    use Fate::{Fails, Refused, Runs};
    let module = |locals, instructions: &[I<'_>]| Build::new(locals, instructions).finish();
    let thousand = [ValType::I32; 1_000];

    let mut nested = vec![I::Block(BlockType::Empty); 32_000];
    nested.extend(vec![I::End; 32_000]);
    nested.push(ZERO);
    let mut table = vec![I::Block(BlockType::Empty), I::LocalGet(0)];
    table.extend([I::BrTable(vec![0; 65_000].into(), 0), I::End, ZERO]);

    // Every call moves a thousand values: work that grows with the square of the code.
    let mut calls = Build::new(Vec::new(), &[ZERO]);
    calls.types.ty().function(thousand, thousand);
    let mut pass: Vec<I<'_>> = (0..1_000).map(I::LocalGet).collect();
    calls.function(1, Vec::new(), &pass);
    pass.extend(vec![I::Call(1); 40_000]);
    calls.function(1, Vec::new(), &pass);

    let mut blocks = Build::new(Vec::new(), &[ZERO]);
    blocks.types.ty().function(thousand, thousand);
    let mut wide: Vec<I<'_>> = (0..1_000).map(I::LocalGet).collect();
    for _ in 0..25_000 {
        wide.extend([I::Block(BlockType::FunctionType(1)), I::End]);
    }
    blocks.function(1, Vec::new(), &wide);

    let mut branches = Build::new(Vec::new(), &[ZERO]);
    branches.types.ty().function(thousand, thousand);
    let mut jump: Vec<I<'_>> = vec![I::Block(BlockType::FunctionType(1)), I::End];
    jump.splice(0..0, (0..1_000).map(I::LocalGet));
    jump.extend([ZERO, I::BrTable(vec![0; 60_000].into(), 0)]);
    branches.function(1, Vec::new(), &jump);

    let mut types = Build::new(Vec::new(), &[ZERO]);
    for _ in 0..40_000 {
        types.types.ty().function([], []);
    }
    let mut functions = Build::new(Vec::new(), &[ZERO]);
    let mut crowd = Build::new(Vec::new(), &[ZERO]);
    functions.types.ty().function(thousand, []);
    for i in 0..4_096 {
        if i < 4_095 {
            functions.function(1, vec![(348, ValType::I64)], &[]);
        }
        crowd.function(0, Vec::new(), &[ZERO]);
    }
    let mut globals = Build::new(Vec::new(), &[ZERO]);
    let number = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    for _ in 0..25_000 {
        globals.globals.global(number, &ConstExpr::i32_const(0));
    }
    let mut exports = Build::new(Vec::new(), &[ZERO]);
    for i in 0..1_023 {
        exports.exports.export(&format!("e{i}"), ExportKind::Func, 0);
    }
    let mut segments = Build::new(Vec::new(), &[ZERO]);
    for _ in 0..129 {
        segments.data.active(0, &ConstExpr::i32_const(0), [7; 10]);
    }
    let mut outside = Build::new(Vec::new(), &[ZERO]);
    outside.data.active(0, &ConstExpr::i32_const(-1), [7; 10]);
    let imports: String = (0..514)
        .map(|_| "(import \"vm_hooks\" \"msg_reentrant\" (func (result i32)))")
        .collect();
    let entry = |body: &str| {
        format!(
            "(module (memory (export \"memory\") 1 1) (func (export \"user_entrypoint\") (param i32) (result i32) {body}))"
        )
    };
    let grow = r#"(module (import "vm_hooks" "pay_for_memory_grow" (func (param i32))) (memory (export "memory") 0)
        (func (export "user_entrypoint") (param i32) (result i32)
          (loop (drop (memory.grow (i32.const 1))) (br 0)) i32.const 0))"#;
    let greedy = r#"(module (import "vm_hooks" "pay_for_memory_grow" (func (param i32))) (memory (export "memory") 0)
        (func (export "user_entrypoint") (param i32) (result i32)
          (i32.ne (memory.grow (i32.const PAGES)) (i32.const -1))))"#;

    vec![
        (
            "an endless loop",
            wat(&entry("(loop (br 0)) i32.const 0")),
            Fails(29_000_000),
        ),
        (
            "endless recursion",
            wat(r#"(module (memory (export "memory") 1 1)
            (func $f (export "user_entrypoint") (param i32) (result i32) (call $f (local.get 0))))"#),
            Fails(29_000_000),
        ),
        ("a loop that grows memory", wat(grow), Fails(29_000_000)),
        // The hook takes 16 bits: 65,536 pages cost nothing, and memory.grow refuses them.
        ("4 GiB at once", wat(&greedy.replace("PAGES", "65536")), Runs),
        (
            "65,535 pages at once",
            wat(&greedy.replace("PAGES", "-1")),
            Fails(29_000_000),
        ),
        ("a trap", wat(&entry("unreachable")), Fails(0)),
        ("32,000 nested blocks", module(Vec::new(), &nested), Runs),
        ("65,000 targets of one br_table", module(Vec::new(), &table), Runs),
        (
            "65,536 locals",
            module(vec![(65_536, ValType::I32)], &[ZERO]),
            Refused("locals"),
        ),
        (
            "49,000 locals",
            module(vec![(49_000, ValType::I32)], &[ZERO]),
            Refused("49000 locals"),
        ),
        (
            "65,537 operators",
            module(Vec::new(), &[vec![I::Nop; 65_535], vec![ZERO]].concat()),
            Refused("65537 operators"),
        ),
        ("40,000 calls of a thousand values", calls.finish(), Runs),
        (
            "25,000 blocks of a thousand values",
            blocks.finish(),
            Refused("words is too large"),
        ),
        ("60,000 branches of a thousand values", branches.finish(), Runs),
        ("40,000 types", types.finish(), Runs),
        ("4,096 functions of 1,348 locals", functions.finish(), Runs),
        ("4,097 functions", crowd.finish(), Refused("4097 functions")),
        ("25,000 globals", globals.finish(), Runs),
        ("1,025 exports", exports.finish(), Refused("1025 exports")),
        ("129 data segments", segments.finish(), Refused("129 data segments")),
        ("a data segment outside memory", outside.finish(), Fails(0)),
        (
            "514 imports",
            wat(&format!(
                "(module {imports} (memory (export \"memory\") 1 1)
            (func (export \"user_entrypoint\") (param i32) (result i32) i32.const 0))"
            )),
            Refused("514 imports"),
        ),
        (
            "4,097 table entries",
            wat(r#"(module (memory (export "memory") 1 1) (table 4097 funcref)
            (func (export "user_entrypoint") (param i32) (result i32) i32.const 0))"#),
            Refused("4097 table entries"),
        ),
        (
            "129 pages",
            wat(r#"(module (memory (export "memory") 129 129)
            (func (export "user_entrypoint") (param i32) (result i32) i32.const 0))"#),
            Refused("129 initial memory pages"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_modules_are_refused_in_words_or_pay_for_what_they_do() {
    let target = Target::start();
    for (number, (name, wasm, fate)) in attacks().into_iter().enumerate() {
        println!("{name}: {} bytes", wasm.len());
        let at = target.place(number as u8, &encode(&wasm)).await;
        let tried = target.try_activation(at).await;
        let receipt = target.activate(at).await;
        if let Fate::Refused(words) = fate {
            let message = tried["error"]["message"]
                .as_str()
                .unwrap_or_else(|| panic!("{name} is accepted: {tried}"));
            assert!(message.contains(words), "{name}: {message}");
            assert_eq!(receipt["status"], "0x0", "{name}");
            assert_eq!(
                receipt["gasUsed"], "0x1e84800",
                "{name}: a failed activation takes all gas"
            );
        } else {
            assert!(tried.get("error").is_none(), "{name}: {tried}");
            assert_eq!(receipt["status"], "0x1", "{name}");
        }
        let receipt = target.send(at, &[], "0x0", 30_000_000).await;
        let gas = u64::from_str_radix(&receipt["gasUsed"].as_str().unwrap()[2..], 16).unwrap();
        match fate {
            Fate::Runs => assert_eq!(receipt["status"], "0x1", "{name}"),
            Fate::Fails(least) => {
                assert_eq!(receipt["status"], "0x0", "{name}");
                assert!(gas >= least, "{name} takes {gas} gas");
            }
            // Not activated: refused when called, all gas gone.
            Fate::Refused(_) => {
                assert_eq!(receipt["status"], "0x0", "{name}");
                assert_eq!(gas, 30_000_000, "{name}");
            }
        }
        println!("    peak {} MiB", target.resident_bytes_peak() >> 20);
    }
    let peak = target.resident_bytes_peak();
    assert!(peak < RESIDENT_BYTES_MAX, "{} MiB", peak >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_no_program_is_neither_activated_nor_run() {
    let target = Target::start();
    let bomb = encode(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1_000);
    let mut cut = encode(&wat(r#"(module (memory (export "memory") 1 1))"#));
    cut.truncate(cut.len() - 3);
    let header = [PREFIX.as_slice(), &[NO_DICTIONARY]].concat();
    // As on Nitro, a revert tells nothing of why code does not decode: the reason stands in the chain's log.
    let (silent, halt) = ("execution reverted", "not activated");
    for (number, (name, code, activation, call)) in [
        ("a brotli bomb", bomb, silent, halt),
        ("a cut stream", cut, silent, halt),
        ("an empty stream", header.clone(), silent, halt),
        ("no dictionary byte", PREFIX.to_vec(), silent, "opcode not found"),
        (
            "an unknown dictionary",
            [PREFIX.as_slice(), &[9, 1, 2]].concat(),
            silent,
            halt,
        ),
        ("noise", [header, vec![0xa5; 2_000]].concat(), silent, halt),
        ("compressed noise", encode(&[0xa5; 100]), "magic", halt),
        ("an empty module", encode(b""), "", halt),
    ]
    .into_iter()
    .enumerate()
    {
        let at = target.place(number as u8, &code).await;
        let tried = target.try_activation(at).await;
        let message = tried["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("{name} is accepted: {tried}"));
        assert!(message.contains(activation), "{name}: {message}");
        let receipt = target.send(at, &[], "0x0", 100_000).await;
        assert_eq!(
            (&receipt["status"], &receipt["gasUsed"]),
            (&json!("0x0"), &json!("0x186a0")),
            "{name}"
        );
        let called = target.call("eth_call", json!([{"to": at}, "latest"])).await;
        let message = called["error"]["message"].as_str().unwrap();
        assert!(message.contains(call), "{name}: {message}");
    }

    // No code at all is a Solidity error; ArbOS 51 does not tell why when there is other code.
    let plain = target.place(100, &hex!("600160005500")).await;
    let selector = alloy::primitives::keccak256("ProgramNotWasm()");
    for (at, data) in [
        (plain, "0x".to_owned()),
        (dev_accounts()[3].address, hex::encode_prefixed(&selector[..4])),
        (Address::repeat_byte(0x99), hex::encode_prefixed(&selector[..4])),
    ] {
        let tried = target.try_activation(at).await;
        assert_eq!(tried["error"]["data"], json!(data), "{tried}");
    }
    // What begins 0xEF and is no program halts.
    for (number, prefix) in [
        [0xef, 0x00, 0x00, 0x00],
        [0xef, 0xf0, 0x01, 0x00],
        [0xef, 0xf1, 0x00, 0x00],
    ]
    .into_iter()
    .enumerate()
    {
        let at = target.place(110 + number as u8, &prefix).await;
        let receipt = target.send(at, &[], "0x0", 100_000).await;
        assert_eq!(
            (&receipt["status"], &receipt["gasUsed"]),
            (&json!("0x0"), &json!("0x186a0")),
            "{prefix:x?}"
        );
        // EIP-3541: nobody can create it.
        let init = [hex!("6004600c60003960046000f3").as_slice(), &prefix].concat();
        let created = target
            .call("eth_call", json!([{"data": hex::encode_prefixed(init)}, "latest"]))
            .await;
        assert!(created.get("error").is_some(), "{prefix:x?} was created");
    }
}

/// Two programs that need more pages together than there are. The price of that must not wrap around.
#[tokio::test(flavor = "multi_thread")]
async fn pages_beyond_the_limit_of_a_transaction_cannot_be_had() {
    let target = Target::start();
    let inner = r#"(module (memory (export "memory") 127 127)
        (func (export "user_entrypoint") (param i32) (result i32) i32.const 0))"#;
    let inner = target.place(0, &encode(&wat(inner))).await;
    let to: String = inner.as_slice().iter().map(|byte| format!("\\{byte:02x}")).collect();
    let outer = format!(
        r#"(module
          (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
          (import "vm_hooks" "write_result" (func $result (param i32 i32)))
          (memory (export "memory") 2 2) (data (i32.const 0) "{to}")
          (func (export "user_entrypoint") (param i32) (result i32)
            (i32.store8 (i32.const 200) (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64) (i64.const -1) (i32.const 100)))
            (call $result (i32.const 200) (i32.const 1)) i32.const 0))"#
    );
    let outer = target.place(1, &encode(&wat(&outer))).await;
    for at in [inner, outer] {
        assert_eq!(target.activate(at).await["status"], "0x1");
    }
    let result = target
        .ok("eth_call", json!([{"to": outer, "gas": "0x2faf080"}, "latest"]))
        .await;
    assert_eq!(result, "0x02", "the inner program was entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_endless_programs_stalls_nobody() {
    let target = Target::start();
    let endless = target
        .place(
            0,
            &encode(&wat(r#"(module (memory (export "memory") 1 1)
            (func (export "user_entrypoint") (param i32) (result i32) (loop (br 0)) i32.const 0))"#)),
        )
        .await;
    assert_eq!(target.activate(endless).await["status"], "0x1");
    // JUMPDEST PUSH0 JUMP
    let spinning = target.place(1, &hex!("5b5f56")).await;

    let answered = Arc::new(AtomicUsize::new(0));
    let storm: Vec<_> = (0..STORM)
        .map(|i| {
            let (client, url, answered) = (target.client.clone(), target.url.clone(), answered.clone());
            let to = if i % 2 == 0 { endless } else { spinning };
            tokio::spawn(async move {
                let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": to, "gas": format!("0x{STORM_GAS:x}")}, "latest"]});
                let answer = post(&client, &url, body.to_string()).await;
                answered.fetch_add(1, Ordering::SeqCst);
                answer
            })
        })
        .collect();
    // The storm is on once something of it is answered; from then on others must come through while it lasts.
    while answered.load(Ordering::SeqCst) == 0 {
        target.ok("eth_blockNumber", json!([])).await;
    }
    let before = answered.load(Ordering::SeqCst);
    let mut served = 0;
    for _ in 0..20 {
        target.ok("eth_blockNumber", json!([])).await;
        target.send(Address::repeat_byte(0x99), &[], "0x1", 21_000).await;
        served += 1;
    }
    let during = answered.load(Ordering::SeqCst) - before;
    println!("{served} rounds of others while {during} of {STORM} endless calls were answered");
    assert!(
        during < STORM / 2,
        "others waited for {during} of {STORM} endless calls"
    );
    for call in storm {
        let answer: Value = serde_json::from_str(&call.await.unwrap()).unwrap();
        let message = answer["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        assert!(message.contains("out of gas"), "{message}");
    }
    let peak = target.resident_bytes_peak();
    assert!(peak < RESIDENT_BYTES_MAX, "{} MiB", peak >> 20);
}

/// Work goes on when its client hangs up, and keeps its place meanwhile: otherwise a client that comes and goes would have
/// as many threads work for it as it likes.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_hang_up_do_not_get_more_than_their_share() {
    let target = Target::start();
    let endless = target
        .place(
            0,
            &encode(&wat(r#"(module (memory (export "memory") 1 1)
            (func (export "user_entrypoint") (param i32) (result i32) (loop (br 0)) i32.const 0))"#)),
        )
        .await;
    assert_eq!(target.activate(endless).await["status"], "0x1");
    let params = json!([{"to": endless, "gas": "0x2faf080"}, "latest"]);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": params}).to_string();
    for _ in 0..STORM {
        // A client of its own, so that its connection ends with it.
        let client = reqwest::Client::new();
        let (url, body) = (target.url.clone(), call.clone());
        let waiting = tokio::spawn(async move { post(&client, &url, body).await });
        // By the time that others are answered, the call is executed, or waits for a place.
        for _ in 0..4 {
            target.ok("eth_blockNumber", json!([])).await;
        }
        waiting.abort();
        // An error: it was cut off.
        let _ = waiting.await;
        // A thread that has just answered somebody else may be counted as well.
        let busy = target.busy_threads();
        assert!(
            busy <= EXECUTIONS_AT_A_TIME_MAX + 4,
            "{busy} threads work for clients that hung up"
        );
    }
}
