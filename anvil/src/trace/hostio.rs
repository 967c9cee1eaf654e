//! Host calls of Stylus programs: what each was given and what it gave, as Nitro's tracer lays it out.
//!
//! Arguments and results are concatenated without padding; numbers are big-endian. Consumers cut them apart by the
//! call's name, so every width below is part of the format (`cargo stylus trace` and `replay` read it).

use std::sync::Arc;

use revm::primitives::Bytes;

use super::Budget;

/// What a call takes beside its arguments and results.
const CALL_BYTES: usize = 160;
/// Most parameters of a host call.
const PARAMS_MAX: usize = 6;

/// One host call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// The hook's name.
    pub name: &'static str,
    /// What it was given. Empty if it pointed outside the program's memory.
    pub args: Bytes,
    /// What it gave. Empty if it failed.
    pub outs: Bytes,
    /// Ink before it.
    pub start_ink: u64,
    /// Ink after it.
    pub end_ink: u64,
    /// False if it ended the program by failing; what it gave is then unknown.
    pub completed: bool,
    /// The frame that it opened, as an index of the recorded frames.
    pub frame: Option<usize>,
}

/// The host calls of one running program.
#[derive(Debug)]
pub struct HostTrace {
    /// The calls so far; the last one may not have ended.
    pub calls: Vec<HostCall>,
    params: [u64; PARAMS_MAX],
    budget: Arc<Budget>,
}

/// A piece of what a call was given or gave. The numbers count the hook's parameters from 0.
#[derive(Clone, Copy, Debug)]
enum Piece {
    /// So many bytes at a pointer.
    Fixed(usize, usize),
    /// Bytes at a pointer, as many as the second parameter says.
    Span(usize, usize),
    /// Bytes at a pointer, as many as the hook's result says.
    Given(usize),
    /// The parameter itself, this wide.
    Param(usize, usize),
    /// The hook's result, this wide.
    Result(usize),
    /// The 32-bit length that the hook wrote at a pointer.
    Length(usize),
    /// The calldata.
    Calldata,
}

impl HostTrace {
    /// Records on `budget`.
    pub fn new(budget: Arc<Budget>) -> Self {
        Self {
            calls: Vec::new(),
            params: [0; PARAMS_MAX],
            budget,
        }
    }

    /// A call begins. False if the program has to end because the trace is over its budget.
    pub fn begin(&mut self, name: &'static str, params: &[u64], ink: u64, memory: &[u8]) -> bool {
        self.params = [0; PARAMS_MAX];
        for (kept, given) in self.params.iter_mut().zip(params) {
            *kept = *given;
        }
        let (args, _) = layout(name);
        let args = self.gather(args, 0, memory, &[]);
        let within = self.budget.spend(CALL_BYTES + args.len());
        if within {
            self.calls.push(HostCall {
                name,
                args,
                outs: Bytes::new(),
                start_ink: ink,
                end_ink: ink,
                completed: false,
                frame: None,
            });
        }
        within
    }

    /// The last call succeeded with `result`. False as for [`HostTrace::begin`].
    pub fn end(&mut self, result: u64, ink: u64, memory: &[u8], calldata: &[u8]) -> bool {
        let Some(name) = self.calls.last().map(|call| call.name) else {
            return true;
        };
        let (_, outs) = layout(name);
        let outs = self.gather(outs, result, memory, calldata);
        let within = self.budget.spend(outs.len());
        if let Some(call) = self.calls.last_mut() {
            call.outs = outs;
            call.end_ink = ink;
            call.completed = true;
        }
        within
    }

    /// The last call failed.
    pub fn fail(&mut self, ink: u64) {
        if let Some(call) = self.calls.last_mut() {
            call.end_ink = ink;
        }
    }

    /// The last call opened a frame.
    pub fn opens(&mut self, frame: usize) {
        if let Some(call) = self.calls.last_mut() {
            call.frame = Some(frame);
        }
    }

    /// Empty where a piece lies outside the memory: the hook itself then fails or has failed.
    fn gather(&self, pieces: &[Piece], result: u64, memory: &[u8], calldata: &[u8]) -> Bytes {
        let mut out = Vec::new();
        for piece in pieces {
            if self.put(*piece, result, memory, calldata, &mut out).is_none() {
                return Bytes::new();
            }
        }
        out.into()
    }

    fn put(&self, piece: Piece, result: u64, memory: &[u8], calldata: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let param = |index: usize| self.params.get(index).copied();
        let at = |pointer: usize, len: usize| {
            let start = usize::try_from(param(pointer)?).ok()?;
            memory.get(start..start.checked_add(len)?)
        };
        let width = |number: u64, bytes: usize| number.to_be_bytes()[8 - bytes..].to_vec();
        match piece {
            Piece::Fixed(pointer, len) => out.extend(at(pointer, len)?),
            Piece::Span(pointer, len) => out.extend(at(pointer, usize::try_from(param(len)?).ok()?)?),
            Piece::Given(pointer) => out.extend(at(pointer, usize::try_from(result).ok()?)?),
            Piece::Param(index, bytes) => out.extend(width(param(index)?, bytes)),
            Piece::Result(bytes) => out.extend(width(result, bytes)),
            Piece::Length(pointer) => out.extend(at(pointer, 4)?.iter().rev()),
            Piece::Calldata => out.extend(calldata),
        }
        Some(())
    }
}

/// What to take of a call's arguments before it and of its results after it.
fn layout(name: &str) -> (&'static [Piece], &'static [Piece]) {
    use Piece::{Calldata, Fixed, Given, Length, Param, Result, Span};
    match name {
        "read_args" => (&[], &[Calldata]),
        "write_result" => (&[Span(0, 1)], &[]),
        "exit_early" => (&[Param(0, 4)], &[]),
        "storage_load_bytes32" | "transient_load_bytes32" => (&[Fixed(0, 32)], &[Fixed(1, 32)]),
        "storage_cache_bytes32" | "transient_store_bytes32" => (&[Fixed(0, 32), Fixed(1, 32)], &[]),
        "storage_flush_cache" => (&[Param(0, 1)], &[]),
        "call_contract" => (
            &[Fixed(0, 20), Param(4, 8), Fixed(3, 32), Span(1, 2)],
            &[Length(5), Result(1)],
        ),
        "delegate_call_contract" | "static_call_contract" => {
            (&[Fixed(0, 20), Param(3, 8), Span(1, 2)], &[Length(4), Result(1)])
        }
        "create1" => (&[Fixed(2, 32), Span(0, 1)], &[Fixed(3, 20), Length(4)]),
        "create2" => (&[Fixed(2, 32), Fixed(3, 32), Span(0, 1)], &[Fixed(4, 20), Length(5)]),
        "read_return_data" => (&[Param(1, 4), Param(2, 4)], &[Given(0)]),
        "return_data_size" | "msg_reentrant" | "tx_ink_price" => (&[], &[Result(4)]),
        "emit_log" => (&[Param(2, 4), Span(0, 1)], &[]),
        "account_balance" | "account_codehash" => (&[Fixed(0, 20)], &[Fixed(1, 32)]),
        "account_code" => (&[Fixed(0, 20), Param(1, 4), Param(2, 4)], &[Given(3)]),
        "account_code_size" => (&[Fixed(0, 20)], &[Result(4)]),
        "block_basefee" | "msg_value" | "tx_gas_price" => (&[], &[Fixed(0, 32)]),
        "block_coinbase" | "contract_address" | "msg_sender" | "tx_origin" => (&[], &[Fixed(0, 20)]),
        "block_gas_limit" | "block_number" | "block_timestamp" | "chainid" | "evm_gas_left" | "evm_ink_left" => {
            (&[], &[Result(8)])
        }
        "math_div" | "math_mod" | "math_pow" => (&[Fixed(0, 32), Fixed(1, 32)], &[Fixed(0, 32)]),
        "math_add_mod" | "math_mul_mod" => (&[Fixed(0, 32), Fixed(1, 32), Fixed(2, 32)], &[Fixed(0, 32)]),
        "native_keccak256" => (&[Span(0, 1)], &[Fixed(2, 32)]),
        "pay_for_memory_grow" => (&[Param(0, 2)], &[]),
        _ => (&[], &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stylus::imports::{names, signature};

    #[test]
    fn every_hook_is_laid_out_within_its_parameters() {
        for name in names() {
            let (params, results) = signature(name).unwrap();
            let (args, outs) = layout(name);
            assert!(params.len() <= PARAMS_MAX);
            assert!(!args.is_empty() || !outs.is_empty(), "{name} has no layout");
            for piece in args.iter().chain(outs) {
                let used = match *piece {
                    Piece::Fixed(a, _) | Piece::Given(a) | Piece::Param(a, _) | Piece::Length(a) => a,
                    Piece::Span(a, b) => a.max(b),
                    Piece::Result(_) => {
                        assert_eq!(results.len(), 1, "{name} has no result");
                        continue;
                    }
                    Piece::Calldata => continue,
                };
                assert!(used < params.len(), "{name} has no parameter {used}");
            }
        }
    }

    #[test]
    fn arguments_are_taken_before_and_results_after() {
        let mut trace = HostTrace::new(Budget::new(super::super::TRACE_TIMEOUT));
        let mut memory = vec![0u8; 128];
        memory[31] = 7;
        memory[63] = 2;
        assert!(trace.begin("math_div", &[0, 32], 100, &memory));
        memory[31] = 3;
        assert!(trace.end(0, 90, &memory, &[]));
        let call = &trace.calls[0];
        assert_eq!((call.args[31], call.args[63], call.outs[31]), (7, 2, 3));
        assert_eq!((call.start_ink, call.end_ink, call.completed), (100, 90, true));

        // A pointer beyond the memory: nothing is invented.
        assert!(trace.begin("native_keccak256", &[100, 100, 0], 90, &memory));
        trace.fail(0);
        assert!(trace.calls[1].args.is_empty() && !trace.calls[1].completed);
    }
}
