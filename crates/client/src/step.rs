//! What a transaction of ours is going through, for whoever shows it.

use std::sync::Arc;

use alloy::primitives::B256;
use serde::Serialize;

use crate::chain::Mined;

/// In this order.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// It waits for a signature; `doing`: the contract's method.
    Signing {
        doing: &'static str,
    },
    /// A gateway has it, and will submit it.
    Relayed {
        operation: B256,
    },
    /// A node has it.
    Sent {
        transaction: B256,
    },
    Mined {
        mined: Mined,
    },
}

/// Is told of each step, when it is reached.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<dyn Fn(Step) + Send + Sync>>);

impl Watch {
    pub fn new(watch: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watch)))
    }

    pub fn tell(&self, step: Step) {
        if let Some(watch) = &self.0 {
            watch(step);
        }
    }
}
