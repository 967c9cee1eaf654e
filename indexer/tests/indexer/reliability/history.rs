//! A chain that grows at random and goes back at random.
use super::Dice;
use crate::support::{
    chain::Chain,
    event::{added, amended, granted, id, opened, who},
};
use alloy::primitives::{IntoLogData, LogData};
use alloy::providers::Provider;
use medlock_abi::records::IRecords;
use std::collections::{BTreeMap, BTreeSet};

/// How deep a reorg goes at most.
pub const DEPTH_MOST: u64 = 64;
const EVENTS_MOST: u64 = 5;

pub struct History {
    pub chain: Chain,
    pub dice: Dice,
    charts: Charts,
    /// Of the newest blocks, ascending; the last is of the head.
    marks: Vec<Mark>,
    /// No two blocks tell of the same, or a reorg could lead to what was.
    ids: u64,
}

/// A block to go back to.
struct Mark {
    height: u64,
    snapshot: serde_json::Value,
    charts: Charts,
}

/// What the events so far say: those to come must fit.
type Charts = BTreeMap<u64, Chart>;

#[derive(Clone, Default)]
struct Chart {
    /// Newest version of each.
    records: BTreeMap<u64, u32>,
    grants: BTreeSet<u64>,
}

impl History {
    pub async fn on(chain: Chain, blocks: u64) -> Self {
        let _: serde_json::Value = chain.rpc.raw_request("evm_setAutomine".into(), (false,)).await.unwrap();
        let mut history = Self {
            chain,
            dice: Dice::fresh(),
            charts: Charts::new(),
            marks: Vec::new(),
            ids: 0,
        };
        history.mark().await;
        history.grow(blocks).await;
        history
    }

    pub fn height(&self) -> u64 {
        self.marks[self.marks.len() - 1].height
    }

    /// Some blocks more.
    pub async fn grow(&mut self, blocks: u64) {
        for _ in 0..blocks {
            let events: Vec<_> = (0..=self.dice.below(EVENTS_MOST)).map(|_| self.event()).collect();
            self.chain.block_of(events).await;
            self.mark().await;
        }
    }

    /// Takes back `depth` blocks, or as many as there are, and puts as many as `blocks` in their place.
    pub async fn reorg(&mut self, depth: u64, blocks: u64) {
        let depth = usize::try_from(depth).unwrap().min(self.marks.len() - 1);
        self.marks.truncate(self.marks.len() - depth);
        let Mark { snapshot, charts, .. } = self.marks.pop().unwrap();
        self.chain.revert(&snapshot).await;
        self.charts = charts;
        self.mark().await;
        self.grow(blocks).await;
    }

    /// Now and then a reorg, else a block more.
    pub async fn stir(&mut self) {
        if self.dice.one_in(5) {
            let depth = 1 + self.dice.below(8);
            let blocks = (depth + self.dice.below(3)).saturating_sub(1);
            self.reorg(depth, blocks).await;
        } else {
            self.grow(1).await;
        }
    }

    async fn mark(&mut self) {
        let (height, _) = self.chain.tip().await;
        self.marks.push(Mark {
            height,
            snapshot: self.chain.snapshot().await,
            charts: self.charts.clone(),
        });
        if self.marks.len() as u64 > DEPTH_MOST + 1 {
            self.marks.remove(0);
        }
    }

    fn event(&mut self) -> LogData {
        self.ids += 1;
        let (new, dice) = (self.ids, &mut self.dice);
        let nth = dice.below(self.charts.len().max(1) as u64) as usize;
        let Some((chart, held)) = self.charts.iter_mut().nth(nth) else {
            self.charts.insert(new, Chart::default());
            return opened(id(new), who(1));
        };
        let one = |of: usize, dice: &mut Dice| dice.below(of.max(1) as u64) as usize;
        let chart = id(*chart);
        match dice.below(10) {
            0 => {
                self.charts.insert(new, Chart::default());
                opened(id(new), who(1))
            }
            1..4 => {
                let nth = one(held.records.len(), dice);
                let Some((record, version)) = held.records.iter_mut().nth(nth) else {
                    held.records.insert(new, 1);
                    return added(chart, new, who(2), 3);
                };
                *version += 1;
                amended(chart, *record, who(3), *version)
            }
            4..6 => {
                let grantee = dice.below(5);
                held.grants.insert(grantee);
                granted(chart, who(grantee), new)
            }
            6 => match held.grants.pop_first() {
                Some(grantee) => IRecords::Revoked {
                    chart,
                    grantee: who(grantee),
                }
                .into_log_data(),
                None => {
                    held.grants.insert(4);
                    granted(chart, who(4), new)
                }
            },
            _ => {
                held.records.insert(new, 1);
                added(chart, new, who(2), 3)
            }
        }
    }
}
