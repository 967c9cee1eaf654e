//! Which operators a program may use, what ink each costs, and how it moves the stack.

use wasmparser::Operator;

/// Price and stack effect of one operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Ink.
    pub ink: u64,
    /// Values taken.
    pub pops: u32,
    /// Values given.
    pub pushes: u32,
}

/// Parameters and results of a function type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arity {
    /// Number of parameters.
    pub params: u32,
    /// Number of results.
    pub results: u32,
}

/// Ink at the head of each basic block, on top of its operators.
pub const BLOCK_HEADER: u64 = 2_450;

/// Whether a basic block ends with this operator.
pub fn ends_block(op: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        op,
        O::End
            | O::Else
            | O::Return
            | O::Loop { .. }
            | O::Br { .. }
            | O::BrTable { .. }
            | O::BrIf { .. }
            | O::If { .. }
            | O::Call { .. }
            | O::CallIndirect { .. }
    )
}

/// Price and stack effect of `op`, or `None` where programs may not use it.
///
/// `function` gives the arity of a function by index, `ty` that of a type by index. Blocks have
/// no effect here: their results are the caller's business.
pub fn effect(op: &Operator<'_>, function: impl Fn(u32) -> Arity, ty: impl Fn(u32) -> Arity) -> Option<Effect> {
    use Operator as O;
    let (ink, pops, pushes) = match op {
        O::Unreachable | O::Return | O::Nop | O::Block { .. } | O::Loop { .. } | O::Else | O::End => (1, 0, 0),
        O::I32Const { .. } | O::I64Const { .. } | O::F32Const { .. } | O::F64Const { .. } => (1, 0, 1),
        O::Drop => (9, 1, 0),
        O::Br { .. } => (765, 0, 0),
        O::BrIf { .. } | O::If { .. } => (765, 1, 0),
        O::Select => (1_250, 3, 1),
        O::Call { function_index } => {
            let arity = function(*function_index);
            (3_800, arity.params, arity.results)
        }
        O::CallIndirect { type_index, .. } => {
            let arity = ty(*type_index);
            let ink = 13_610 + 650 * u64::from(arity.params);
            (ink, arity.params + 1, arity.results)
        }
        O::BrTable { targets } => (2_400 + 325 * u64::from(targets.len()), 1, 0),
        O::LocalGet { .. } => (75, 0, 1),
        O::LocalTee { .. } => (75, 1, 1),
        O::LocalSet { .. } => (210, 1, 0),
        O::GlobalGet { .. } => (225, 0, 1),
        O::GlobalSet { .. } => (575, 1, 0),
        O::I32Load { .. } | O::I32Load8S { .. } | O::I32Load8U { .. } | O::I32Load16S { .. } | O::I32Load16U { .. } => {
            (670, 1, 1)
        }
        O::I64Load { .. }
        | O::I64Load8S { .. }
        | O::I64Load8U { .. }
        | O::I64Load16S { .. }
        | O::I64Load16U { .. }
        | O::I64Load32S { .. }
        | O::I64Load32U { .. } => (680, 1, 1),
        O::I32Store { .. } | O::I32Store8 { .. } | O::I32Store16 { .. } => (825, 2, 0),
        O::I64Store { .. } | O::I64Store8 { .. } | O::I64Store16 { .. } | O::I64Store32 { .. } => (950, 2, 0),
        O::MemorySize { .. } => (3_000, 0, 1),
        O::MemoryGrow { .. } => (8_050, 1, 1),
        O::I32Eqz => (170, 1, 1),
        O::I32Eq
        | O::I32Ne
        | O::I32LtS
        | O::I32LtU
        | O::I32GtS
        | O::I32GtU
        | O::I32LeS
        | O::I32LeU
        | O::I32GeS
        | O::I32GeU => (170, 2, 1),
        O::I64Eqz => (225, 1, 1),
        O::I64Eq
        | O::I64Ne
        | O::I64LtS
        | O::I64LtU
        | O::I64GtS
        | O::I64GtU
        | O::I64LeS
        | O::I64LeU
        | O::I64GeS
        | O::I64GeU => (225, 2, 1),
        O::I32Clz | O::I32Ctz | O::I64Clz | O::I64Ctz => (210, 1, 1),
        O::I32Add
        | O::I32Sub
        | O::I32And
        | O::I32Or
        | O::I32Xor
        | O::I32Shl
        | O::I32ShrS
        | O::I32ShrU
        | O::I32Rotl
        | O::I32Rotr => (70, 2, 1),
        O::I64Add
        | O::I64Sub
        | O::I64And
        | O::I64Or
        | O::I64Xor
        | O::I64Shl
        | O::I64ShrS
        | O::I64ShrU
        | O::I64Rotl
        | O::I64Rotr => (100, 2, 1),
        O::I32Mul | O::I64Mul => (160, 2, 1),
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU => (1_120, 2, 1),
        O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU => (1_270, 2, 1),
        O::I32Popcnt => (2_650, 1, 1),
        O::I64Popcnt => (6_000, 1, 1),
        O::I32WrapI64
        | O::I64ExtendI32S
        | O::I64ExtendI32U
        | O::I32Extend8S
        | O::I32Extend16S
        | O::I64Extend8S
        | O::I64Extend16S
        | O::I64Extend32S => (100, 1, 1),
        O::MemoryCopy { .. } | O::MemoryFill { .. } => (950, 3, 0),
        _ => return None,
    };
    Some(Effect { ink, pops, pushes })
}
