//! WebSocket connections and their subscriptions.

use std::time::Duration;

use alloy::primitives::B128;
use alloy::rpc::types::Filter;
use axum::extract::ws::{Message, WebSocket};
use serde::Serialize;
use serde_json::value::RawValue;

use super::filters::{EVENTS_PER_POLL_MAX, Wanted, check};
use super::server::{Shared, error_text};
use super::{Params, RpcError, answer, dispatch, handle, types};
use crate::chain::{Event, random};
use crate::stopped;

/// Subscriptions of one connection.
pub const SUBSCRIPTIONS_MAX: usize = 64;
/// A client that does not take a message for so long is disconnected.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// One WebSocket: requests one after another, subscriptions between them.
pub struct Connection {
    shared: Shared,
    socket: WebSocket,
    subscriptions: Vec<(B128, Wanted)>,
    next_event: u64,
}

/// The client is gone, or has to go.
struct Gone;

impl Connection {
    pub fn new(shared: Shared, socket: WebSocket) -> Self {
        Self {
            shared,
            socket,
            subscriptions: Vec::new(),
            next_event: 0,
        }
    }

    /// Serves until the client or the server goes.
    pub async fn run(mut self) {
        let mut news = self.shared.node.chain.news();
        let mut stop = self.shared.stop.clone();
        self.next_event = self.shared.node.chain.ledger().next_event();
        loop {
            let outcome = tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.request(text.to_string()).await,
                    Some(Ok(Message::Binary(bytes))) => match String::from_utf8(bytes.into()) {
                        Ok(text) => self.request(text).await,
                        Err(error) => self.send(error_text(RpcError::parse(error.utf8_error()))).await,
                    },
                    // Pongs are sent by the protocol layer.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
                },
                changed = news.changed() => match changed {
                    Ok(()) => self.announce().await,
                    Err(_) => Err(Gone),
                },
                () = stopped(&mut stop) => {
                    // Best effort: whoever does not listen will notice the closed socket.
                    let _ = self.socket.send(Message::Close(None)).await;
                    return;
                }
            };
            if outcome.is_err() {
                return;
            }
        }
    }

    async fn request(&mut self, message: String) -> Result<(), Gone> {
        // A new subscription is not told of what happened before it.
        self.announce().await?;
        let node = self.shared.node.clone();
        let mut subscriptions = std::mem::take(&mut self.subscriptions);
        let (answer, subscriptions) = {
            let place = self.shared.lanes.enter(&message).await;
            let handled = tokio::task::spawn_blocking(move || {
                let _place = place;
                let answer = handle(&node, &message, &mut |node, method, params| match method {
                    "eth_subscribe" => subscribe(&params, &mut subscriptions),
                    "eth_unsubscribe" => unsubscribe(&params, &mut subscriptions),
                    _ => dispatch(node, method, params),
                });
                (answer, subscriptions)
            });
            handled.await.map_err(|error| {
                tracing::error!(%error, "a request panicked; closing its connection");
                Gone
            })?
        };
        self.subscriptions = subscriptions;
        match answer {
            Some(answer) => self.send(answer).await,
            None => Ok(()),
        }
    }

    /// Tells the subscriptions of what happened since the last time.
    async fn announce(&mut self) -> Result<(), Gone> {
        loop {
            let events = self
                .shared
                .node
                .chain
                .ledger()
                .events(self.next_event, EVENTS_PER_POLL_MAX);
            let Some(events) = events else {
                tracing::warn!("a WebSocket client fell too far behind; closing its connection");
                return Err(Gone);
            };
            if events.is_empty() {
                return Ok(());
            }
            self.next_event += events.len() as u64;
            let subscriptions = std::mem::take(&mut self.subscriptions);
            for event in &events {
                for (id, wanted) in &subscriptions {
                    self.tell(*id, wanted, event).await?;
                }
            }
            self.subscriptions = subscriptions;
        }
    }

    /// Sends what `event` has for a subscription. Log by log: those of one block, once for each subscription, would
    /// take gigabytes.
    async fn tell(&mut self, id: B128, wanted: &Wanted, event: &Event) -> Result<(), Gone> {
        match (wanted, event) {
            (Wanted::Blocks, Event::Added(block)) => self.send(notice(id, &types::header(block))).await,
            (Wanted::Pending { full: false }, Event::Pending(pooled)) => {
                self.send(notice(id, pooled.transaction.hash())).await
            }
            (Wanted::Pending { full: true }, Event::Pending(pooled)) => {
                self.send(notice(id, &types::waiting(pooled))).await
            }
            (Wanted::Logs(filter), Event::Added(block) | Event::Removed(block)) => {
                let removed = matches!(event, Event::Removed(_));
                for index in 0..block.transactions.len() {
                    for log in types::logs(block, index, removed, |log| filter.matches(log)) {
                        self.send(notice(id, &log)).await?;
                    }
                    // Others get their turn also where nothing matches.
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn send(&mut self, message: String) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_TIMEOUT, self.socket.send(Message::Text(message.into()))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

fn subscribe(params: &Params<'_>, subscriptions: &mut Vec<(B128, Wanted)>) -> Result<Box<RawValue>, RpcError> {
    let wanted = match params.get::<String>(0)?.as_str() {
        "newHeads" => Wanted::Blocks,
        "logs" => {
            let filter: Filter = params.optional(1)?.unwrap_or_default();
            check(&filter)?;
            Wanted::Logs(Box::new(filter))
        }
        "newPendingTransactions" => Wanted::Pending {
            full: params.optional(1)?.unwrap_or(false),
        },
        other => {
            return Err(RpcError::invalid_params(format!(
                "no \"{}\" subscription",
                super::excerpt(other)
            )));
        }
    };
    if subscriptions.len() >= SUBSCRIPTIONS_MAX {
        return Err(RpcError::limit(format!(
            "at most {SUBSCRIPTIONS_MAX} subscriptions on one connection"
        )));
    }
    let id = B128::from_slice(&random()[..16]);
    subscriptions.push((id, wanted));
    answer(&id)
}

fn unsubscribe(params: &Params<'_>, subscriptions: &mut Vec<(B128, Wanted)>) -> Result<Box<RawValue>, RpcError> {
    let id: B128 = params.get(0)?;
    let before = subscriptions.len();
    subscriptions.retain(|(other, _)| *other != id);
    answer(&(subscriptions.len() < before))
}

fn notice<T: Serialize>(subscription: B128, result: &T) -> String {
    #[derive(Serialize)]
    struct Notice<'a, T> {
        jsonrpc: &'static str,
        method: &'static str,
        params: Inner<'a, T>,
    }
    #[derive(Serialize)]
    struct Inner<'a, T> {
        subscription: B128,
        result: &'a T,
    }
    let params = Inner { subscription, result };
    // Serializing our own types into memory does not fail.
    serde_json::to_string(&Notice {
        jsonrpc: "2.0",
        method: "eth_subscription",
        params,
    })
    .unwrap_or_default()
}
