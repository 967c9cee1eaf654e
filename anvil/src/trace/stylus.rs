//! `stylusTracer`: the host calls of Stylus programs, as Nitro prints them and `cargo stylus trace` reads them.
//!
//! A list of steps in order. A program's run begins with `user_entrypoint` and ends with `user_returned`. A host call
//! that calls another contract carries its address and `steps`; what EVM code calls, and what a program creates, shows
//! as a step of its own whose name begins with `evm_`.

use std::borrow::Cow;

use revm::primitives::{Address, Bytes};
use serde::Serialize;

use super::hostio::HostCall;
use super::{Calls, Frame, FrameKind, Part};
use crate::stylus::runtime::Ending;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step<'c> {
    name: &'static str,
    args: Cow<'c, Bytes>,
    outs: Cow<'c, Bytes>,
    start_ink: u64,
    end_ink: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
    /// The frame whose steps are nested here; `Some(None)` nests none.
    #[serde(skip)]
    nested: Option<Option<&'c Frame>>,
}

/// What `stylusTracer` prints.
///
/// # Errors
/// A step could not be serialized.
pub fn stylus_trace(calls: &Calls) -> serde_json::Result<String> {
    let mut out = String::from("[");
    let mut open = vec![steps(calls, calls.frames.first()).into_iter()];
    let mut first = true;
    while let Some(last) = open.last_mut() {
        let Some(step) = last.next() else {
            open.pop();
            out.push_str(if open.is_empty() { "]" } else { "]}" });
            first = false;
            continue;
        };
        if !first {
            out.push(',');
        }
        let text = serde_json::to_string(&step)?;
        match step.nested {
            None => {
                out.push_str(&text);
                first = false;
            }
            // Nested by hand, so that depth costs no stack.
            Some(frame) => {
                out.push_str(text.strip_suffix('}').unwrap_or(&text));
                out.push_str(r#","steps":["#);
                open.push(steps(calls, frame).into_iter());
                first = true;
            }
        }
    }
    Ok(out)
}

/// The steps of one frame, without those nested in them.
fn steps<'c>(calls: &'c Calls, frame: Option<&'c Frame>) -> Vec<Step<'c>> {
    let Some(frame) = frame else { return Vec::new() };
    let Some(run) = &frame.program else {
        return frame
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Frame(index) => calls.frames.get(*index).map(entered),
                Part::Log { .. } => None,
            })
            .collect();
    };
    let mut steps = vec![Step {
        args: Cow::Owned(be32(frame.input.len() as u32)),
        ..plain("user_entrypoint", run.start_ink)
    }];
    // A call that failed is missing, as on Nitro: what it was given need not even exist.
    for call in run.calls.iter().filter(|call| call.completed) {
        let opened = call.frame.and_then(|index| calls.frames.get(index));
        let nests = call.name.ends_with("call_contract");
        if let Some(created) = opened.filter(|_| !nests) {
            steps.push(entered(created));
        }
        steps.push(Step {
            name: call.name,
            args: Cow::Borrowed(&call.args),
            outs: Cow::Borrowed(&call.outs),
            start_ink: call.start_ink,
            end_ink: call.end_ink,
            address: nests.then(|| callee(call, opened)),
            nested: nests.then_some(opened),
        });
    }
    if let Some(status) = match run.ending {
        Ending::Return => Some(0),
        Ending::Revert => Some(1),
        Ending::Failure | Ending::OutOfInk | Ending::OutOfStack => None,
    } {
        steps.push(Step {
            outs: Cow::Owned(be32(status)),
            ..plain("user_returned", run.end_ink)
        });
    }
    steps
}

/// A frame that no host call stands for.
fn entered(frame: &Frame) -> Step<'_> {
    let name = match frame.kind {
        FrameKind::Call => "evm_call_contract",
        FrameKind::CallCode => "evm_callcode",
        FrameKind::DelegateCall => "evm_delegate_call_contract",
        FrameKind::StaticCall => "evm_static_call_contract",
        FrameKind::Create => "evm_create1",
        FrameKind::Create2 => "evm_create2",
        FrameKind::SelfDestruct => "evm_self_destruct",
    };
    Step {
        address: Some(frame.to.unwrap_or_default()),
        nested: Some(Some(frame)),
        ..plain(name, 0)
    }
}

/// Whom a call was for, also where it was refused before it opened a frame: its arguments begin with the address.
fn callee(call: &HostCall, opened: Option<&Frame>) -> Address {
    let named = || call.args.get(..20).map(Address::from_slice);
    opened.and_then(|frame| frame.to).or_else(named).unwrap_or_default()
}

fn plain(name: &'static str, ink: u64) -> Step<'static> {
    Step {
        name,
        args: Cow::Owned(Bytes::new()),
        outs: Cow::Owned(Bytes::new()),
        start_ink: ink,
        end_ink: ink,
        address: None,
        nested: None,
    }
}

fn be32(number: u32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}
