//! Rewrites a module so that it counts its own ink and stack.
//!
//! Four globals are added. Each basic block first takes its ink, each function takes and gives
//! back its stack words, `memory.fill` and `memory.copy` pay by the byte, and `memory.grow` is
//! preceded by a call to `pay_for_memory_grow`. The added operators are counted, because
//! activation charges for them; their numbers are part of the rules.

use wasm_encoder::{
    BlockType as EncodedBlock, CodeSection, ConstExpr, DataSection, ElementSection, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction as I, MemorySection, MemoryType,
    Module, TableSection, TypeSection, ValType,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::{BlockType, FunctionBody, Operator, Payload};

use crate::{
    meter::{MAX_PAGES, MAX_STACK_WORDS},
    opcode::{self, BLOCK_HEADER},
    validate::{Facts, Rejection, parser},
};

/// Export of the global that holds the ink left (i64).
pub const INK_LEFT: &str = "stylus_ink_left";
/// Export of the global that is 1 once ink has run out (i32).
pub const INK_STATUS: &str = "stylus_ink_status";
/// Export of the global that holds the stack words left (i32); 0 once they have run out.
pub const STACK_LEFT: &str = "stylus_stack_left";

/// How many globals instrumentation adds.
pub const ADDED_GLOBALS: u32 = 4;
/// Words of every frame besides its values and locals.
const FRAME_WORDS: u32 = 4;
/// Largest frame in words.
const MAX_FRAME_WORDS: u32 = 10_240;
/// Most values on the operand stack at once.
const MAX_VALUES: u32 = 4_096;
/// Ink a byte of `memory.fill` and `memory.copy`.
const BULK_INK_PER_BYTE: i64 = 100;

/// A rewritten module.
#[derive(Clone, Debug)]
pub struct Instrumented {
    /// The WASM that is run.
    pub wasm: Vec<u8>,
    /// Operators in all functions, added ones included.
    pub operators: u64,
}

/// Indices of the added globals.
#[derive(Clone, Copy)]
struct Globals {
    ink: u32,
    status: u32,
    stack: u32,
    scratch: u32,
}

/// Rewrites a validated module.
///
/// # Errors
/// [`Rejection`] when a function's frame is too large.
pub fn instrument(wasm: &[u8], facts: &Facts) -> Result<Instrumented, Rejection> {
    let globals = Globals {
        ink: facts.globals,
        status: facts.globals + 1,
        stack: facts.globals + 2,
        scratch: facts.globals + 3,
    };
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    let mut functions = FunctionSection::new();
    let mut tables = TableSection::new();
    let mut memories = MemorySection::new();
    let mut global_section = GlobalSection::new();
    let mut exports = ExportSection::new();
    let mut elements = ElementSection::new();
    let mut code = CodeSection::new();
    let mut data = DataSection::new();
    let mut operators = 0;
    let mut types_of_defined = facts.functions[facts.imported..].iter();
    let mut copy = RoundtripReencoder;

    for payload in parser().parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                copy.parse_type_section(&mut types, section).map_err(rejected)?;
            }
            Payload::ImportSection(section) => {
                copy.parse_import_section(&mut imports, section).map_err(rejected)?;
            }
            Payload::FunctionSection(section) => {
                copy.parse_function_section(&mut functions, section).map_err(rejected)?;
            }
            Payload::TableSection(section) => {
                copy.parse_table_section(&mut tables, section).map_err(rejected)?;
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    let most = u64::from(MAX_PAGES);
                    memories.memory(MemoryType {
                        minimum: memory.initial,
                        maximum: Some(memory.maximum.unwrap_or(most).min(most)),
                        memory64: false,
                        shared: false,
                        page_size_log2: None,
                    });
                }
            }
            Payload::GlobalSection(section) => {
                copy.parse_global_section(&mut global_section, section)
                    .map_err(rejected)?;
            }
            Payload::ExportSection(section) => {
                copy.parse_export_section(&mut exports, section).map_err(rejected)?;
            }
            Payload::ElementSection(section) => {
                copy.parse_element_section(&mut elements, section).map_err(rejected)?;
            }
            Payload::DataSection(section) => {
                copy.parse_data_section(&mut data, section).map_err(rejected)?;
            }
            Payload::CodeSectionEntry(body) => {
                let ty = types_of_defined.next().copied().unwrap_or(u32::MAX);
                let (function, count) = rewrite(&body, facts.ty(ty).params, facts, globals)?;
                code.function(&function);
                operators += count;
            }
            _ => {}
        }
    }

    let number = |val_type| GlobalType {
        val_type,
        mutable: true,
        shared: false,
    };
    global_section.global(number(ValType::I64), &ConstExpr::i64_const(0));
    global_section.global(number(ValType::I32), &ConstExpr::i32_const(0));
    global_section.global(number(ValType::I32), &ConstExpr::i32_const(MAX_STACK_WORDS as i32));
    global_section.global(number(ValType::I32), &ConstExpr::i32_const(0));
    exports.export(INK_LEFT, ExportKind::Global, globals.ink);
    exports.export(INK_STATUS, ExportKind::Global, globals.status);
    exports.export(STACK_LEFT, ExportKind::Global, globals.stack);

    let mut module = Module::new();
    module.section(&types);
    module.section(&imports);
    module.section(&functions);
    module.section(&tables);
    module.section(&memories);
    module.section(&global_section);
    module.section(&exports);
    module.section(&elements);
    module.section(&code);
    module.section(&data);
    Ok(Instrumented {
        wasm: module.finish(),
        operators,
    })
}

fn rejected<E: std::fmt::Display>(error: E) -> Rejection {
    Rejection(error.to_string())
}

/// Rewrites one function with so many parameters; returns it with its number of operators.
fn rewrite(
    body: &FunctionBody<'_>,
    params: u32,
    facts: &Facts,
    globals: Globals,
) -> Result<(Function, u64), Rejection> {
    let mut copy = RoundtripReencoder;
    let mut locals = 0u32;
    let mut groups = Vec::new();
    for group in body.get_locals_reader()? {
        let (count, ty) = group?;
        locals += count;
        groups.push((count, copy.val_type(ty).map_err(rejected)?));
    }
    let operators = body
        .get_operators_reader()?
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;

    // Ink first: the frame's height is measured over the code that results.
    let mut metered: Vec<I<'_>> = Vec::with_capacity(operators.len() * 3);
    let mut height = Height::default();
    let mut block: Vec<&Operator<'_>> = Vec::new();
    let mut ink = BLOCK_HEADER;
    for (position, op) in operators.iter().enumerate() {
        let effect = opcode::effect(op, |f| facts.function(f), |t| facts.ty(t))
            .ok_or_else(|| Rejection(format!("operator {op:?} is not allowed")))?;
        ink += effect.ink;
        block.push(op);
        if !opcode::ends_block(op) && position + 1 < operators.len() {
            continue;
        }
        take_ink(&mut metered, globals, ink);
        height.peak(2);
        for &op in &block {
            if matches!(op, Operator::MemoryCopy { .. } | Operator::MemoryFill { .. }) {
                take_bulk_ink(&mut metered, globals);
                height.peak(3);
            }
            height.step(op, facts)?;
            metered.push(copy.instruction(op.clone()).map_err(rejected)?);
        }
        block.clear();
        ink = BLOCK_HEADER;
    }

    let words = height.worst + locals + FRAME_WORDS;
    if height.worst > MAX_VALUES || words > MAX_FRAME_WORDS {
        return Err(Rejection(format!("a function's frame of {words} words is too large")));
    }

    // One local more than the rules know of; see below.
    let condition = params + locals;
    groups.push((1, ValType::I32));
    let mut function = Function::new(groups);
    let mut count = 0u64;
    let mut emit = |instruction: &I<'_>| {
        if matches!(instruction, I::Select) {
            // wasmi 2.0.0 merges `select` with a comparison of a local with zero and then reads the condition from a
            // register that does not hold the local. A condition that stands in a local is not merged. The operator is
            // not counted: it is no part of Nitro's rules.
            function.instruction(&I::LocalTee(condition));
        }
        function.instruction(instruction);
        count += 1;
    };
    for instruction in take_words(globals, words) {
        emit(&instruction);
    }
    let last = metered.len() - 1;
    for (position, instruction) in metered.iter().enumerate() {
        match instruction {
            I::Return => give_words(globals, words).iter().for_each(&mut emit),
            I::End if position == last => {
                give_words(globals, words).iter().for_each(&mut emit);
                emit(&I::Return);
            }
            I::MemoryGrow(_) => {
                if let Some(pay) = facts.pay_for_memory_grow {
                    emit(&I::GlobalSet(globals.scratch));
                    emit(&I::GlobalGet(globals.scratch));
                    emit(&I::GlobalGet(globals.scratch));
                    emit(&I::Call(pay));
                }
            }
            _ => {}
        }
        emit(instruction);
    }
    Ok((function, count))
}

/// Twelve operators: trap with the status set when `ink` is not there, else take it.
fn take_ink(code: &mut Vec<I<'_>>, globals: Globals, ink: u64) {
    let ink = ink as i64;
    code.extend([
        I::GlobalGet(globals.ink),
        I::I64Const(ink),
        I::I64LtU,
        I::If(EncodedBlock::Empty),
        I::I32Const(1),
        I::GlobalSet(globals.status),
        I::Unreachable,
        I::End,
        I::GlobalGet(globals.ink),
        I::I64Const(ink),
        I::I64Sub,
        I::GlobalSet(globals.ink),
    ]);
}

/// Seventeen operators before `memory.fill` and `memory.copy`, whose length is on the stack.
fn take_bulk_ink(code: &mut Vec<I<'_>>, globals: Globals) {
    code.extend([
        I::GlobalSet(globals.scratch),
        I::GlobalGet(globals.ink),
        I::GlobalGet(globals.ink),
        I::GlobalGet(globals.scratch),
        I::I64ExtendI32U,
        I::I64Const(BULK_INK_PER_BYTE),
        I::I64Mul,
        I::I64Sub,
        I::GlobalSet(globals.ink),
        I::GlobalGet(globals.ink),
        I::I64LtU,
        I::If(EncodedBlock::Empty),
        I::I32Const(1),
        I::GlobalSet(globals.status),
        I::Unreachable,
        I::End,
        I::GlobalGet(globals.scratch),
    ]);
}

/// Twelve operators at a function's entry.
fn take_words(globals: Globals, words: u32) -> [I<'static>; 12] {
    let words = words as i32;
    [
        I::GlobalGet(globals.stack),
        I::I32Const(words),
        I::I32LeU,
        I::If(EncodedBlock::Empty),
        I::I32Const(0),
        I::GlobalSet(globals.stack),
        I::Unreachable,
        I::End,
        I::GlobalGet(globals.stack),
        I::I32Const(words),
        I::I32Sub,
        I::GlobalSet(globals.stack),
    ]
}

/// Four operators before each return.
fn give_words(globals: Globals, words: u32) -> [I<'static>; 4] {
    [
        I::GlobalGet(globals.stack),
        I::I32Const(words as i32),
        I::I32Add,
        I::GlobalSet(globals.stack),
    ]
}

/// Follows the operand stack's height; results of a block count from its start.
#[derive(Default)]
struct Height {
    now: u32,
    worst: u32,
    scopes: Vec<u32>,
    /// Blocks opened inside code that cannot be reached; `None` in reachable code.
    dead: Option<u32>,
}

impl Height {
    fn push(&mut self, values: u32) {
        self.now = self.now.saturating_add(values);
        self.worst = self.worst.max(self.now);
    }

    fn pop(&mut self, values: u32) {
        self.now = self.now.saturating_sub(values);
    }

    /// `values` more than now, for a moment.
    fn peak(&mut self, values: u32) {
        if self.dead.is_none() {
            self.worst = self.worst.max(self.now.saturating_add(values));
        }
    }

    fn open(&mut self, block: BlockType, facts: &Facts) {
        let results = match block {
            BlockType::Empty => 0,
            BlockType::Type(_) => 1,
            BlockType::FuncType(ty) => facts.ty(ty).results,
        };
        self.push(results);
        self.scopes.push(self.now);
    }

    fn step(&mut self, op: &Operator<'_>, facts: &Facts) -> Result<(), Rejection> {
        use Operator as O;
        if let Some(depth) = self.dead {
            match op {
                O::Block { .. } | O::Loop { .. } | O::If { .. } => self.dead = Some(depth + 1),
                O::End if depth > 0 => self.dead = Some(depth - 1),
                O::Else if depth == 0 => {
                    self.dead = None;
                    self.now = self.scopes.last().copied().unwrap_or(0);
                }
                O::End => {
                    self.dead = None;
                    self.now = self.scopes.pop().unwrap_or(0);
                }
                _ => {}
            }
            return Ok(());
        }
        match op {
            O::Block { blockty } | O::Loop { blockty } => self.open(*blockty, facts),
            O::If { blockty } => {
                self.pop(1);
                self.open(*blockty, facts);
            }
            O::Else => self.now = self.scopes.last().copied().unwrap_or(0),
            O::End => self.now = self.scopes.pop().unwrap_or(self.now),
            O::Br { .. } | O::BrTable { .. } | O::Return | O::Unreachable => self.dead = Some(0),
            _ => {
                let effect = opcode::effect(op, |f| facts.function(f), |t| facts.ty(t))
                    .ok_or_else(|| Rejection(format!("operator {op:?} is not allowed")))?;
                if matches!(op, O::Call { .. } | O::CallIndirect { .. }) {
                    self.push(effect.pushes);
                    self.pop(effect.pops);
                } else {
                    self.pop(effect.pops);
                    self.push(effect.pushes);
                }
            }
        }
        Ok(())
    }
}
