//! What waits, as go-ethereum's `txpool_` methods show it: `pending` can be mined now, `queued` has a nonce gap before.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::consensus::Transaction as _;
use alloy::primitives::{Address, U64};
use serde::Serialize;

use super::{Answer, Params, RpcError, answer, types};
use crate::chain::Chain;
use crate::pool::Pooled;

/// One value for what can be mined, one for what cannot.
#[derive(Serialize)]
struct Both<T> {
    pending: T,
    queued: T,
}

/// By the account's address in EIP-55 spelling, then by the nonce in decimal digits.
type Listed<T> = BTreeMap<String, BTreeMap<String, T>>;

pub fn dispatch(chain: &Chain, method: &str, params: &Params<'_>) -> Answer {
    match method {
        "txpool_status" => {
            let (mut pending, mut queued) = (0, 0);
            for (_, both) in everything(chain) {
                pending += both.pending.len();
                queued += both.queued.len();
            }
            answer(&Both {
                pending: U64::from(pending),
                queued: U64::from(queued),
            })
        }
        "txpool_content" => answer(&listed(chain, types::waiting)),
        "txpool_inspect" => answer(&listed(chain, summary)),
        "txpool_contentFrom" => {
            let both = waiting_of(chain, params.get(0)?);
            answer(&Both {
                pending: by_nonce(&both.pending, types::waiting),
                queued: by_nonce(&both.queued, types::waiting),
            })
        }
        _ => Err(RpcError::method_not_found(method)),
    }
}

fn listed<T>(chain: &Chain, show: impl Fn(&Pooled) -> T) -> Both<Listed<T>> {
    let mut all = Both {
        pending: BTreeMap::new(),
        queued: BTreeMap::new(),
    };
    for (sender, both) in everything(chain) {
        for (waiting, shown) in [(both.pending, &mut all.pending), (both.queued, &mut all.queued)] {
            if !waiting.is_empty() {
                shown.insert(sender.to_checksum(None), by_nonce(&waiting, &show));
            }
        }
    }
    all
}

fn by_nonce<T>(waiting: &[Arc<Pooled>], show: impl Fn(&Pooled) -> T) -> BTreeMap<String, T> {
    let shown = waiting
        .iter()
        .map(|pooled| (pooled.transaction.nonce().to_string(), show(pooled)));
    shown.collect()
}

/// go-ethereum's one line for a transaction.
fn summary(pooled: &Pooled) -> String {
    let tx = &pooled.transaction;
    let to = tx
        .to()
        .map_or_else(|| "contract creation".to_owned(), |to| to.to_checksum(None));
    let (value, gas, price) = (tx.value(), tx.gas_limit(), tx.max_fee_per_gas());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}

fn everything(chain: &Chain) -> Vec<(Address, Both<Vec<Arc<Pooled>>>)> {
    let senders: Vec<Address> = chain.pool().senders().collect();
    senders
        .into_iter()
        .map(|sender| (sender, waiting_of(chain, sender)))
        .collect()
}

fn waiting_of(chain: &Chain, sender: Address) -> Both<Vec<Arc<Pooled>>> {
    let state_nonce = chain.ledger().head_state().nonce(sender);
    let pool = chain.pool();
    let first_gap = pool.pending_nonce(sender, state_nonce);
    let (pending, queued) = pool
        .of(sender)
        .cloned()
        .partition(|pooled| (state_nonce..first_gap).contains(&pooled.transaction.nonce()));
    Both { pending, queued }
}
