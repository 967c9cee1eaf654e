//! `callTracer` and `4byteTracer`: the frames as go-ethereum prints them.

use std::collections::BTreeMap;

use alloy::sol_types::{Panic, Revert, SolError};
use alloy_rpc_types_trace::geth::{CallConfig, CallFrame, CallLogFrame, FourByteFrame};
use revm::interpreter::InstructionResult;
use revm::primitives::U256;

use super::{Calls, Frame, FrameKind, Part, failure};

/// What `callTracer` prints. `gas_used` is the receipt's; `first_log` is the block's log index of the transaction's
/// first log.
///
/// # Errors
/// A frame could not be serialized.
pub fn call_trace(
    calls: &Calls,
    config: CallConfig,
    gas_limit: u64,
    gas_used: u64,
    first_log: u64,
) -> serde_json::Result<String> {
    let with_log = config.with_log.unwrap_or_default();
    let mut out = String::new();
    /// A frame that is printed up to its sub-frames.
    struct Open<'c> {
        rest: std::slice::Iter<'c, Part>,
        failed: bool,
        children: usize,
    }
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = calls.frames.first().map(|frame| (frame, false));
    while let Some((frame, inside_failure)) = next {
        let failed = inside_failure || !frame.result.is_ok();
        let mut shown = shown(frame);
        if open.is_empty() {
            (shown.gas, shown.gas_used) = (U256::from(gas_limit), U256::from(gas_used));
        }
        if with_log && !failed {
            shown.logs = logs(frame, first_log);
        }
        let text = serde_json::to_string(&shown)?;
        // The sub-frames are added by hand, so that depth costs no stack.
        out.push_str(text.strip_suffix('}').unwrap_or(&text));
        let rest = frame.parts.iter();
        let children = 0;
        open.push(Open { rest, failed, children });
        next = None;
        while let Some(last) = open.last_mut() {
            let child = last.rest.by_ref().find_map(|part| match part {
                Part::Frame(index) => calls.frames.get(*index),
                Part::Log { .. } => None,
            });
            if let Some(child) = child {
                out.push_str(if last.children == 0 { r#","calls":["# } else { "," });
                last.children += 1;
                next = Some((child, last.failed));
                break;
            }
            out.push_str(if last.children == 0 { "}" } else { "]}" });
            open.pop();
        }
    }
    Ok(out)
}

/// What `4byteTracer` prints: how often each selector was called with how many bytes after it.
pub fn four_byte_trace(calls: &Calls) -> FourByteFrame {
    let mut counts = BTreeMap::new();
    for frame in &calls.frames {
        let is_call = !frame.kind.is_create() && frame.kind != FrameKind::SelfDestruct;
        if let Some((selector, rest)) = frame.input.split_first_chunk::<4>()
            && is_call
            && !frame.is_precompile
        {
            let key = format!("0x{}-{}", revm::primitives::hex::encode(selector), rest.len());
            *counts.entry(key).or_default() += 1;
        }
    }
    FourByteFrame(counts)
}

fn shown(frame: &Frame) -> CallFrame {
    let failed = !frame.result.is_ok();
    let reverted = frame.result == InstructionResult::Revert;
    let error = failed.then(|| frame.detail.clone().unwrap_or_else(|| failure(frame.result).to_owned()));
    let output = (!failed || reverted).then(|| frame.output.clone());
    CallFrame {
        from: frame.from,
        gas: U256::from(frame.gas),
        gas_used: U256::from(frame.gas_used),
        // A creation that failed has no address to show.
        to: frame.to.filter(|_| !(failed && frame.kind.is_create())),
        input: frame.input.clone(),
        output: output.filter(|output| !output.is_empty()),
        error,
        revert_reason: reverted.then(|| revert_reason(&frame.output)).flatten(),
        value: frame.value,
        typ: frame.kind.name().to_owned(),
        ..CallFrame::default()
    }
}

fn logs(frame: &Frame, first_log: u64) -> Vec<CallLogFrame> {
    let mut position = 0;
    let mut logs = Vec::new();
    for part in &frame.parts {
        match part {
            Part::Frame(_) => position += 1,
            Part::Log { log, index } => logs.push(CallLogFrame {
                address: Some(log.address),
                topics: Some(log.topics().to_vec()),
                data: Some(log.data.data.clone()),
                position: Some(position),
                index: Some(first_log + index),
            }),
        }
    }
    logs
}

/// The words in `Error(string)` and `Panic(uint256)` (Solidity ABI).
pub fn revert_reason(data: &[u8]) -> Option<String> {
    let error = Revert::abi_decode(data).map(|error| error.reason);
    error
        .or_else(|_| Panic::abi_decode(data).map(|panic| panic.to_string()))
        .ok()
}
