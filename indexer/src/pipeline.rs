//! The one loop: backfill and live following are the same steps, only the sizes differ.
//!
//! Each turn reads the tip, then does one of three things: nothing, commit the blocks that follow the checkpoint, or
//! take back what is no longer on the chain. Only whole transactions change the tables, and a stop falls between them.
use crate::{
    Deployment,
    decode::decode,
    model::{Batch, Block},
    source::{Source, SourceError},
    store::{self, Store},
};
use anyhow::{Context, Result, bail};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};

/// A head that goes back on the same chain is usually one endpoint of several that lags. This many polls later it
/// is taken at its word.
const BEHIND_POLLS_MOST: u32 = 5;
/// The pause after trouble doubles from the polling interval up to this.
const TROUBLE_PAUSE_MOST: Duration = Duration::from_secs(5);

/// What the pipeline tells of itself.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The newest block that the node has told of.
    pub chain_head: u64,
    /// The newest indexed block.
    pub indexed: u64,
    pub trouble: Option<Arc<str>>,
    /// Set once, at the end, be it a shutdown or a failure.
    pub stopped: Option<Arc<str>>,
}

pub struct Pipeline {
    deployment: Deployment,
    source: Source,
    store: Store,
    checkpoint: Block,
    poll: Duration,
    progress: watch::Sender<Progress>,
    /// Polls in a row at which the node was behind, on our chain.
    behind_polls: u32,
    pause: Duration,
}

enum Step {
    /// The tip is the checkpoint.
    Wait,
    Commit(Batch),
    /// The chain no longer holds the checkpoint; this stored block it does.
    Rewind(Block),
}

impl Pipeline {
    pub async fn new(
        deployment: Deployment,
        source: Source,
        mut store: Store,
        poll: Duration,
        progress: watch::Sender<Progress>,
    ) -> Result<Self> {
        let checkpoint = store.checkpoint().await?;
        progress.send_modify(|p| p.indexed = checkpoint.number);
        Ok(Self {
            deployment,
            source,
            store,
            checkpoint,
            poll,
            progress,
            behind_polls: 0,
            pause: poll,
        })
    }

    /// Runs until `stop` turns true, or something is wrong that waiting does not mend.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<()> {
        let outcome = self.turns(&mut stop).await;
        let why: Arc<str> = match &outcome {
            Ok(()) => "shut down".into(),
            Err(error) => {
                tracing::error!("indexer stopped: {error:#}");
                format!("{error:#}").into()
            }
        };
        let closed = self.store.close().await;
        self.progress.send_modify(|p| p.stopped = Some(why));
        outcome.and(closed)
    }

    async fn turns(&mut self, stop: &mut watch::Receiver<bool>) -> Result<()> {
        loop {
            // Reading may be broken off at any point; writing never.
            let step = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                step = self.next() => step,
            };
            let pause = match step {
                Ok(Step::Wait) => {
                    self.fine();
                    Some(self.poll)
                }
                Ok(Step::Commit(batch)) => match self.commit(&batch).await {
                    Ok(()) => {
                        self.fine();
                        None
                    }
                    Err(error) => Some(self.unwritten(error).await?),
                },
                Ok(Step::Rewind(to)) => match self.rewind(to).await {
                    Ok(()) => None,
                    Err(error) => Some(self.unwritten(error).await?),
                },
                Err(error) => Some(self.trouble(error)?),
            };
            if let Some(pause) = pause {
                tokio::select! {
                    biased;
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                    () = sleep(pause) => {}
                }
            }
        }
    }

    async fn next(&mut self) -> Result<Step> {
        let newest = self.source.tip().await?;
        let tip = newest.block;
        self.progress
            .send_if_modified(|p| std::mem::replace(&mut p.chain_head, tip.number) != tip.number);
        let checkpoint = self.checkpoint;
        if tip.number < checkpoint.number {
            return self.behind(tip).await;
        }
        self.behind_polls = 0;
        if tip.number == checkpoint.number {
            return if tip.hash == checkpoint.hash {
                Ok(Step::Wait)
            } else {
                self.walk_back(tip).await
            };
        }
        let from = (checkpoint.number + 1).max(self.deployment.start_block);
        if from > tip.number {
            // Fewer blocks than at the start: `walk_back` looks whether this is still the deployment's chain.
            return self.walk_back(tip).await;
        }
        let chunk = self.source.chunk(from, &newest).await?;
        if from == checkpoint.number + 1 && chunk.first.parent != checkpoint.hash {
            return self.walk_back(tip).await;
        }
        let entries = chunk
            .logs
            .iter()
            .map(|log| decode(&self.deployment, log))
            .collect::<Result<_, _>>()?;
        Ok(Step::Commit(Batch {
            after: checkpoint,
            blocks: chunk.blocks,
            entries,
        }))
    }

    /// The chain is shorter than what was indexed.
    async fn behind(&mut self, tip: Block) -> Result<Step> {
        let stored = self.store.block_at_or_below(tip.number).await?;
        let same_chain = self
            .source
            .block(stored.number)
            .await?
            .is_some_and(|block| block.hash == stored.hash);
        if same_chain && self.behind_polls < BEHIND_POLLS_MOST {
            self.behind_polls += 1;
            return Ok(Step::Wait);
        }
        self.walk_back(tip).await
    }

    /// Finds the newest stored block that the chain still holds. Genesis is one, or it is another chain.
    async fn walk_back(&mut self, tip: Block) -> Result<Step> {
        self.source.identify().await?;
        let mut number = tip.number.min(self.checkpoint.number);
        loop {
            let stored = self.store.block_at_or_below(number).await?;
            if self
                .source
                .block(stored.number)
                .await?
                .is_some_and(|block| block.hash == stored.hash)
            {
                if stored == self.checkpoint {
                    // The chain went away and came back, or a header named a parent that the node denies.
                    bail!(SourceError::Torn(format!(
                        "block {number} is on the chain, its child is not"
                    )));
                }
                return Ok(Step::Rewind(stored));
            }
            // `identify` has seen genesis, so this happens only where the chain is swapped right now.
            number = stored
                .number
                .checked_sub(1)
                .ok_or_else(|| SourceError::Torn("the chain was reset while it was read".into()))?;
        }
    }

    async fn commit(&mut self, batch: &Batch) -> Result<()> {
        self.store.commit(batch).await?;
        self.checkpoint = *batch.blocks.last().context("a batch without a block")?;
        let (number, hash, events) = (self.checkpoint.number, self.checkpoint.hash, batch.entries.len());
        tracing::debug!(number, %hash, events, "indexed");
        self.progress.send_modify(|p| p.indexed = number);
        Ok(())
    }

    async fn rewind(&mut self, to: Block) -> Result<()> {
        let from = self.checkpoint;
        self.store
            .rollback(&to)
            .await
            .with_context(|| format!("roll back to block {}", to.number))?;
        self.checkpoint = to;
        self.behind_polls = 0;
        tracing::info!(from = from.number, to = to.number, hash = %to.hash, "reorg: rolled back");
        self.progress.send_modify(|p| p.indexed = to.number);
        Ok(())
    }

    fn fine(&mut self) {
        self.pause = self.poll;
        self.progress.send_if_modified(|p| p.trouble.take().is_some());
    }

    /// A write failed: nothing of it is there. Goes on from what is.
    async fn unwritten(&mut self, error: anyhow::Error) -> Result<Duration> {
        let pause = self.trouble(error)?;
        self.store.reconnect().await?;
        self.checkpoint = self.store.checkpoint().await?;
        Ok(pause)
    }

    /// How long to pause before trying again; an error where trying again does not help.
    ///
    /// A reorg tears an answer or two, and a node that restarts or lags may err for minutes: whatever the node does
    /// short of serving another chain, the next answer may be right. Likewise a disk that is full now.
    fn trouble(&mut self, error: anyhow::Error) -> Result<Duration> {
        if error.downcast_ref::<SourceError>().is_none() && !store::is_passing(&error) {
            return Err(error);
        }
        self.pause = (self.pause * 2).min(TROUBLE_PAUSE_MOST);
        tracing::warn!("trying again: {error:#}");
        let trouble: Arc<str> = format!("{error:#}").into();
        self.progress.send_modify(|p| p.trouble = Some(trouble));
        Ok(self.pause)
    }
}
