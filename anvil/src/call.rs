//! Executing without committing: `eth_call` and `eth_estimateGas`.

use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use alloy::rpc::types::state::{AccountOverride, StateOverride};
use revm::context::TxEnv;
use revm::context::either::Either;
use revm::context::result::{ExecutionResult, InvalidTransaction};

use crate::arbos::node_interface::{self, NODE_INTERFACE};
use crate::chain::{Chain, TX_GAS_MAX, View};
use crate::executor::{Checks, ExecError};
use crate::rpc::{Deadline, RpcError};
use crate::state::{Change, Slot, State};
use crate::trace::call::revert_reason;

/// Gas of an `eth_call` that names none, and the most it may name: Nitro's RPC gas cap.
pub const CALL_GAS_MAX: u64 = 50_000_000;
/// What a transaction costs that only moves value.
const TRANSFER_GAS: u64 = 21_000;
/// Executions that one estimate may take. Halving 32,000,000 down to a difference of 1.5% takes far fewer.
const ESTIMATE_RUNS_MAX: usize = 48;

/// Runs `request` on `view` and returns its output.
///
/// # Errors
/// Code 3 with the revert data if it reverts, -32000 with the reason otherwise.
pub fn call(chain: &Chain, view: &View, request: TransactionRequest, deadline: Deadline) -> Result<Bytes, RpcError> {
    if request.to == Some(TxKind::Call(NODE_INTERFACE)) {
        return node_interface::answer(chain, view, request, deadline);
    }
    let gas = request.gas.unwrap_or(CALL_GAS_MAX).min(CALL_GAS_MAX);
    let env = environment(chain, view, request, gas)?;
    match run(chain, view, env)? {
        Ok(ExecutionResult::Success { output, .. }) => Ok(output.into_data()),
        Ok(failed) => Err(failure(failed, gas)),
        Err(invalid) => Err(RpcError::server(invalid)),
    }
}

/// The least gas limit, to within 1.5%, with which `request` succeeds: by trying, because refunds, the 63/64 rule and
/// a Stylus program's own look at its gas make it another number than the gas used.
///
/// # Errors
/// As [`call`]; the deadline passes.
pub fn estimate(chain: &Chain, view: &View, request: TransactionRequest, deadline: Deadline) -> Result<u64, RpcError> {
    let from = request.from.unwrap_or_default();
    let mut high = request.gas.unwrap_or(TX_GAS_MAX).min(TX_GAS_MAX);
    let price = request.max_fee_per_gas.or(request.gas_price).unwrap_or_default();
    if price > 0 {
        let spendable = view
            .state
            .balance(from)
            .saturating_sub(request.value.unwrap_or_default());
        let affordable = spendable / U256::from(price);
        high = high.min(u64::try_from(affordable).unwrap_or(u64::MAX));
    }
    let env = environment(chain, view, request, high)?;
    // Wallets that empty an account count on a plain transfer's exact price.
    let plain = matches!(env.kind, TxKind::Call(to) if view.state.account(to).is_none_or(|account| account.code.is_empty()))
        && env.data.is_empty();
    if plain && TRANSFER_GAS <= high && succeeds(chain, view, &env, TRANSFER_GAS)? {
        return Ok(TRANSFER_GAS);
    }

    let result = match run(chain, view, env.clone())? {
        Ok(result) => result,
        Err(_) => {
            return Err(RpcError::server(format!("gas required exceeds allowance ({high})")));
        }
    };
    if !result.is_success() {
        return Err(failure(result, high));
    }
    let used = result.tx_gas_used();
    let refund = result.gas().final_refunded();
    let mut low = used.saturating_sub(1);
    // What is used before refunds, a call's stipend, and the 64th that a caller keeps: most calls need no more.
    let likely = (used + refund + 2_300) * 64 / 63;
    let mut runs = 1;
    if likely < high {
        if succeeds(chain, view, &env, likely)? {
            high = likely
        } else {
            low = likely
        }
    }
    while low + 1 < high && runs < ESTIMATE_RUNS_MAX {
        if (high - low) as f64 / (high as f64) < 0.015 {
            break;
        }
        deadline.check()?;
        // Most transactions need little; do not start half-way to the limit.
        let middle = (low + (high - low) / 2).min(low.saturating_mul(2).max(low + 1));
        if succeeds(chain, view, &env, middle)? {
            high = middle
        } else {
            low = middle
        }
        runs += 1;
    }
    Ok(high)
}

/// `state` with a request's overrides applied.
pub fn overridden(state: &State, overrides: StateOverride) -> Result<State, RpcError> {
    let mut state = state.clone();
    for (address, account) in overrides {
        let change = override_change(&state, address, account)?;
        state.apply(&[change]);
    }
    Ok(state)
}

fn override_change(state: &State, address: Address, account: AccountOverride) -> Result<Change, RpcError> {
    if account.state.is_some() && account.state_diff.is_some() {
        return Err(RpcError::invalid_params(format!(
            "account {address} has both 'state' and 'stateDiff'"
        )));
    }
    if account.move_precompile_to.is_some() {
        return Err(RpcError::invalid_params(
            "movePrecompileToAddress is not supported".to_owned(),
        ));
    }
    let mut change = state.unchanged(address);
    change.balance = account.balance.unwrap_or(change.balance);
    change.nonce = account.nonce.unwrap_or(change.nonce);
    change.code = account.code.into_iter().collect();
    change.wiped = account.state.is_some();
    let slots = account.state.or(account.state_diff).unwrap_or_default();
    change.storage = slots
        .into_iter()
        .map(|(key, value)| Slot {
            key: key.into(),
            value: value.into(),
        })
        .collect();
    Ok(change)
}

/// The transaction that `request` asks for, with `gas` as its limit.
///
/// # Errors
/// The sender cannot pay for it, or fields contradict each other.
pub fn environment(chain: &Chain, view: &View, request: TransactionRequest, gas: u64) -> Result<TxEnv, RpcError> {
    let caller = request.from.unwrap_or_default();
    let value = request.value.unwrap_or_default();
    let balance = view.state.balance(caller);
    let gas_price = request.max_fee_per_gas.or(request.gas_price).unwrap_or_default();
    let want = value.saturating_add(U256::from(gas_price).saturating_mul(U256::from(gas)));
    if want > balance && (gas_price > 0 || !value.is_zero()) {
        return Err(RpcError::server(format!(
            "insufficient funds for gas * price + value: address {caller} have {balance} want {want}"
        )));
    }
    if let Some(id) = request.chain_id
        && id != chain.chain_id
    {
        return Err(RpcError::server(format!(
            "chain id {id} is not this chain's, {}",
            chain.chain_id
        )));
    }
    let data = request
        .input
        .try_into_unique_input()
        .map_err(|error| RpcError::invalid_params(error.to_string()))?;
    let authorizations = request.authorization_list.unwrap_or_default();
    // Whoever creates names data and no address.
    let kind = request.to.unwrap_or(TxKind::Create);
    Ok(TxEnv {
        tx_type: if authorizations.is_empty() { 2 } else { 4 },
        caller,
        gas_limit: gas,
        gas_price,
        gas_priority_fee: Some(0),
        kind,
        value,
        data: data.unwrap_or_default(),
        nonce: request.nonce.unwrap_or_else(|| view.state.nonce(caller)),
        chain_id: Some(chain.chain_id),
        access_list: request.access_list.unwrap_or_default(),
        authorization_list: authorizations.into_iter().map(Either::Left).collect(),
        ..TxEnv::default()
    })
}

fn run(chain: &Chain, view: &View, env: TxEnv) -> Result<Result<ExecutionResult, InvalidTransaction>, RpcError> {
    match chain
        .executor
        .transact(view.state.clone(), &view.context, env, Checks::NONE)
    {
        Ok(outcome) => Ok(Ok(outcome.result)),
        Err(ExecError::Invalid(invalid)) => Ok(Err(invalid)),
        Err(error) => Err(RpcError::internal(error)),
    }
}

fn succeeds(chain: &Chain, view: &View, env: &TxEnv, gas: u64) -> Result<bool, RpcError> {
    let env = TxEnv {
        gas_limit: gas,
        ..env.clone()
    };
    Ok(matches!(run(chain, view, env)?, Ok(result) if result.is_success()))
}

fn failure(result: ExecutionResult, gas: u64) -> RpcError {
    match result {
        ExecutionResult::Revert { output, .. } => RpcError::reverted(revert_reason(&output), output),
        ExecutionResult::Halt { reason, .. } => match reason {
            revm::context::result::HaltReason::OutOfGas(_) => {
                RpcError::server(format!("out of gas: gas required exceeds allowance ({gas})"))
            }
            other => RpcError::server(other),
        },
        ExecutionResult::Success { .. } => RpcError::internal("a success is no failure"),
    }
}
