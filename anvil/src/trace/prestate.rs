//! `prestateTracer`: what a transaction found in the state, and what it changed.
//!
//! It needs no recording: an execution's journal holds every account and slot that it looked at, also where a frame
//! that looked was reverted. That includes what the machine itself reads, such as the entry of a Stylus program in the
//! table of ArbWasm.

use std::collections::BTreeMap;

use alloy_rpc_types_trace::geth::{AccountState, DiffMode, PreStateConfig, PreStateFrame, PreStateMode};
use revm::primitives::{Address, B256};
use revm::state::{Account, EvmState};

use super::{Budget, TraceError};
use crate::state::State;

/// What an account takes beside its code and slots.
const ACCOUNT_BYTES: usize = 256;
/// What a slot takes with its value.
const SLOT_BYTES: usize = 64;

/// What the tracer prints of a transaction that ran on `before` and left `after`.
///
/// # Errors
/// It is more than the budget has left.
pub fn prestate(
    before: &State,
    after: &EvmState,
    config: PreStateConfig,
    budget: &Budget,
) -> Result<PreStateFrame, TraceError> {
    let (mut found, mut changed) = (BTreeMap::new(), DiffMode::default());
    for (address, account) in after {
        let pre = pre_state(before, *address, account, config);
        let now = account
            .info
            .code
            .as_ref()
            .filter(|_| config.code_enabled() && config.is_diff_mode());
        let code = pre.code.as_ref().map_or(0, |code| code.len()) + now.map_or(0, |code| code.len());
        if !budget.spend(ACCOUNT_BYTES + code + pre.storage.len() * SLOT_BYTES) {
            return Err(budget.exceeded().unwrap_or(TraceError::TooLarge));
        }
        // An account that did not exist is no part of the state before.
        let existed = before.account(*address).is_some();
        if !config.is_diff_mode() {
            if existed {
                found.insert(*address, pre);
            }
            continue;
        }
        let Some((pre, post)) = difference(pre, account, config) else {
            continue;
        };
        if existed {
            changed.pre.insert(*address, pre);
        }
        if !account.is_selfdestructed() {
            changed.post.insert(*address, post);
        }
    }
    Ok(match config.is_diff_mode() {
        true => PreStateFrame::Diff(changed),
        false => PreStateFrame::Default(PreStateMode(found)),
    })
}

/// The account and every slot that was looked at, before the transaction.
fn pre_state(before: &State, address: Address, account: &Account, config: PreStateConfig) -> AccountState {
    let known = before.account(address).filter(|_| config.code_enabled());
    let code = known.map(|known| known.code.original_bytes());
    let mut state = AccountState::from_account_info(before.nonce(address), before.balance(address), code);
    if config.storage_enabled() {
        for slot in account.storage.keys() {
            let value = before.storage(address, *slot);
            state.storage.insert(B256::from(*slot), value.into());
        }
    }
    state
}

/// What the account was, with the slots that changed and were not zero, and what is different afterwards; `None` if
/// nothing is.
fn difference(
    mut pre: AccountState,
    account: &Account,
    config: PreStateConfig,
) -> Option<(AccountState, AccountState)> {
    let mut post = AccountState::default();
    let info = &account.info;
    if pre.balance != Some(info.balance) {
        post.balance = Some(info.balance);
    }
    if pre.nonce.unwrap_or_default() != info.nonce {
        post.nonce = Some(info.nonce);
    }
    let code = info.code.as_ref().map(|code| code.original_bytes()).unwrap_or_default();
    if config.code_enabled() && pre.code.clone().unwrap_or_default() != code {
        post.code = Some(code);
    }
    let mut changed = account.is_selfdestructed() || post != AccountState::default();
    for (slot, was) in std::mem::take(&mut pre.storage) {
        let now = account.storage.get(&slot.into()).map(|slot| slot.present_value);
        let now = B256::from(now.unwrap_or_default());
        if was == now {
            continue;
        }
        changed = true;
        if !was.is_zero() {
            pre.storage.insert(slot, was);
        }
        if !now.is_zero() {
            post.storage.insert(slot, now);
        }
    }
    changed.then_some((pre, post))
}
