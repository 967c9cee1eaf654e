//! Which modules are accepted for activation.

use wasmparser::{
    CompositeInnerType, ElementItems, ExternalKind, Operator, Parser, Payload, TypeRef, ValType, Validator,
    WasmFeatures,
};

use crate::{
    imports::{HOOKS_MODULE, PAY_FOR_MEMORY_GROW, signature},
    meter::MAX_PAGES,
    opcode::{self, Arity},
};

/// The export that a call enters.
pub const ENTRYPOINT: &str = "user_entrypoint";
/// The export that hooks read and write.
pub const MEMORY: &str = "memory";
/// Exports with this prefix belong to the machine.
const RESERVED_EXPORT: &str = "stylus";

const MAX_SEGMENTS: usize = 128;
const MAX_EXPORTS: usize = 1_024;
const MAX_FUNCTIONS: usize = 4_096;
const MAX_LOCALS: u32 = 348;
const MAX_OPERATORS: usize = 65_536;
const MAX_IMPORTS: usize = 513;
const MAX_TABLE_ENTRIES: u64 = 4_096;

/// Why a module is refused, in words for its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejection(pub String);

impl From<wasmparser::BinaryReaderError> for Rejection {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self(error.to_string())
    }
}

/// What the rest of activation needs to know of an accepted module.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Arity of each function type.
    pub types: Vec<Arity>,
    /// Type index of each function, imports first.
    pub functions: Vec<u32>,
    /// How many of them are imported.
    pub imported: usize,
    /// Index of the imported `pay_for_memory_grow`.
    pub pay_for_memory_grow: Option<u32>,
    /// Initial pages of memory.
    pub pages: u16,
    /// Number of globals.
    pub globals: u32,
    /// Bytes that data segments put into memory.
    pub data_bytes: u64,
    /// Encoded bytes of the data segments.
    pub data_entry_bytes: u64,
    /// Encoded bytes of the element segments.
    pub element_entry_bytes: u64,
}

impl Facts {
    /// Arity of a function by index.
    pub fn function(&self, index: u32) -> Arity {
        let ty = self.functions.get(index as usize).copied().unwrap_or(u32::MAX);
        self.ty(ty)
    }

    /// Arity of a type by index.
    pub fn ty(&self, index: u32) -> Arity {
        self.types.get(index as usize).copied().unwrap_or_default()
    }
}

/// The WebAssembly proposals that programs may use.
pub fn features() -> WasmFeatures {
    WasmFeatures::WASM1
        | WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
}

/// A parser that reads nothing beyond [`features`].
pub fn parser() -> Parser {
    let mut parser = Parser::new(0);
    parser.set_features(features());
    parser
}

/// Checks a module against the rules of activation; `several_results`: whether functions may have more than one.
///
/// # Errors
/// [`Rejection`] names the first rule that is broken.
pub fn validate(wasm: &[u8], several_results: bool) -> Result<Facts, Rejection> {
    let refused = if several_results {
        WasmFeatures::empty()
    } else {
        WasmFeatures::MULTI_VALUE
    };
    Validator::new_with_features(features().difference(refused)).validate_all(wasm)?;

    let mut facts = Facts::default();
    let mut signatures: Vec<(Vec<ValType>, Vec<ValType>)> = Vec::new();
    let mut imports: Vec<String> = Vec::new();
    let mut exports: Vec<(String, ExternalKind, u32)> = Vec::new();
    let mut growable = false;

    for payload in parser().parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        let CompositeInnerType::Func(func) = ty.composite_type.inner else {
                            return refuse("only function types are allowed");
                        };
                        facts.types.push(Arity {
                            params: func.params().len() as u32,
                            results: func.results().len() as u32,
                        });
                        signatures.push((func.params().to_vec(), func.results().to_vec()));
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(ty) = import.ty else {
                        return refuse(format!("import {} is not a function", import.name));
                    };
                    if import.module != HOOKS_MODULE {
                        return refuse(format!("import from unknown module {}", import.module));
                    }
                    let (params, results) =
                        signature(import.name).ok_or_else(|| Rejection(format!("unknown import {}", import.name)))?;
                    let given = signatures
                        .get(ty as usize)
                        .ok_or_else(|| Rejection("unknown type".into()))?;
                    if given.0 != params || given.1 != results {
                        return refuse(format!("import {} has a wrong signature", import.name));
                    }
                    if import.name == PAY_FOR_MEMORY_GROW {
                        facts.pay_for_memory_grow = Some(facts.functions.len() as u32);
                    }
                    imports.push(import.name.to_owned());
                    facts.functions.push(ty);
                }
                limit(imports.len(), MAX_IMPORTS, "imports")?;
                facts.imported = imports.len();
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    facts.functions.push(ty?);
                }
                limit(facts.functions.len() - facts.imported, MAX_FUNCTIONS, "functions")?;
            }
            Payload::TableSection(section) => {
                let mut entries = 0u64;
                for table in section {
                    entries = entries.saturating_add(table?.ty.initial);
                }
                if entries > MAX_TABLE_ENTRIES {
                    return refuse(format!("{entries} table entries; {MAX_TABLE_ENTRIES} allowed"));
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    growable = memory.maximum != Some(memory.initial);
                    facts.pages = u16::try_from(memory.initial)
                        .ok()
                        .filter(|&pages| pages <= MAX_PAGES)
                        .ok_or_else(|| {
                            Rejection(format!("{} initial memory pages; {MAX_PAGES} allowed", memory.initial))
                        })?;
                }
            }
            Payload::GlobalSection(section) => facts.globals = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    exports.push((export.name.to_owned(), export.kind, export.index));
                }
                limit(exports.len(), MAX_EXPORTS, "exports")?;
            }
            Payload::StartSection { .. } => return refuse("a start function is not allowed"),
            Payload::ElementSection(section) => {
                limit(section.count() as usize, MAX_SEGMENTS, "element segments")?;
                for element in section {
                    let element = element?;
                    let ElementItems::Functions(_) = element.items else {
                        return refuse("element segments may hold functions only");
                    };
                    facts.element_entry_bytes += element.range.end - element.range.start;
                }
            }
            Payload::DataCountSection { .. } => {
                return refuse("a data count section is not allowed; strip section 12");
            }
            Payload::DataSection(section) => {
                limit(section.count() as usize, MAX_SEGMENTS, "data segments")?;
                for data in section {
                    let data = data?;
                    if !matches!(data.kind, wasmparser::DataKind::Active { .. }) {
                        return refuse("passive data segments are not allowed");
                    }
                    facts.data_bytes += data.data.len() as u64;
                    facts.data_entry_bytes += data.range.end - data.range.start;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut locals = 0u32;
                for group in body.get_locals_reader()? {
                    locals = locals.saturating_add(group?.0);
                }
                if locals > MAX_LOCALS {
                    return refuse(format!("{locals} locals in a function; {MAX_LOCALS} allowed"));
                }
                let mut count = 0usize;
                for op in body.get_operators_reader()? {
                    let op = op?;
                    count += 1;
                    check_operator(&op)?;
                }
                limit(count, MAX_OPERATORS, "operators in a function")?;
            }
            Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::CustomSection(_)
            | Payload::End(_) => {}
            _ => return refuse("a section of this kind is not allowed"),
        }
    }

    check_exports(&exports, &imports, &facts, &signatures)?;
    if growable && facts.pay_for_memory_grow.is_none() {
        return refuse("memory can grow: give it a fixed size or import vm_hooks::pay_for_memory_grow");
    }
    Ok(facts)
}

fn check_operator(op: &Operator<'_>) -> Result<(), Rejection> {
    match opcode::effect(op, |_| Arity::default(), |_| Arity::default()) {
        Some(_) => Ok(()),
        None => {
            let text = format!("{op:?}");
            let name = text.split([' ', '{']).next().unwrap_or_default();
            refuse(format!("operator {name} is not allowed"))
        }
    }
}

fn check_exports(
    exports: &[(String, ExternalKind, u32)],
    imports: &[String],
    facts: &Facts,
    signatures: &[(Vec<ValType>, Vec<ValType>)],
) -> Result<(), Rejection> {
    let mut memory = false;
    let mut entrypoint = false;
    for (name, kind, index) in exports {
        if name.starts_with(RESERVED_EXPORT) {
            return refuse(format!("export {name}: the prefix {RESERVED_EXPORT} is reserved"));
        }
        if imports.contains(name) {
            return refuse(format!("export {name} has the name of an import"));
        }
        memory |= name == MEMORY && *kind == ExternalKind::Memory;
        if name == ENTRYPOINT && *kind == ExternalKind::Func {
            let ty = facts.functions.get(*index as usize).copied().unwrap_or(u32::MAX);
            let Some((params, results)) = signatures.get(ty as usize) else {
                return refuse("unknown type");
            };
            if params != &[ValType::I32] || results != &[ValType::I32] {
                return refuse(format!("{ENTRYPOINT} must take one i32 and return one i32"));
            }
            entrypoint = true;
        }
    }
    if !memory {
        return refuse("no memory is exported as \"memory\"");
    }
    if !entrypoint {
        return refuse(format!("no function is exported as \"{ENTRYPOINT}\""));
    }
    Ok(())
}

fn limit(count: usize, most: usize, what: &str) -> Result<(), Rejection> {
    if count > most {
        return refuse(format!("{count} {what}; {most} allowed"));
    }
    Ok(())
}

fn refuse<T>(why: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection(why.into()))
}
