//! The one loop: backfill and live following are the same steps, only the sizes differ.
//!
//! Each turn does one of three things: nothing, commit the blocks that follow the checkpoint, or take back what is no
//! longer on the chain. The blocks to come are fetched and decoded ahead of the writer (`ahead.rs`), and committed in
//! order. Only whole transactions change the tables, and a stop falls between them.
use crate::{
    Deployment,
    ahead::{Ahead, Ready},
    model::{Batch, Block},
    source::{EndpointState, Header, Source, SourceError, Traffic},
    store::{self, Seen, Store},
};
use anyhow::{Context, Result, bail};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// A head that goes back on the same chain is usually one endpoint of several that lags. This many polls later it
/// is taken at its word.
const BEHIND_POLLS_MOST: u32 = 5;
/// The pause after trouble doubles from the polling interval up to this.
const TROUBLE_PAUSE_MOST: Duration = Duration::from_secs(5);
/// How often the node is asked what is final: while nothing else is to do, and while there is.
const FINALITY_IDLE: Duration = Duration::from_secs(1);
const FINALITY_BUSY: Duration = Duration::from_secs(10);
/// How often the newest block is asked for while older ones wait to be written: the node is busy with those to come.
const TIP_BUSY: Duration = Duration::from_secs(10);
/// How often it is noted in the database what the node says of its chain, for those who read there.
const NOTE_PAUSE: Duration = Duration::from_secs(1);
/// How often a standby looks whether the writer has gone.
const STANDBY_POLL: Duration = Duration::from_millis(500);

/// What the pipeline tells of itself.
#[derive(Clone, Debug)]
pub struct Progress {
    /// When this process began to index.
    pub started: SystemTime,
    /// The newest block that the node has told of.
    pub chain_head: u64,
    /// The newest indexed block.
    pub indexed: u64,
    /// What the node calls safe and finalized; never lower than it was. `None`: it has no such notion, or was not asked.
    pub safe: Option<Block>,
    pub finalized: Option<Block>,
    pub counters: Counters,
    pub traffic: Arc<Traffic>,
    pub endpoints: Vec<EndpointState>,
    /// Another process writes to the database; this one takes over when that ends.
    pub standby: bool,
    pub trouble: Option<Arc<str>>,
    /// When the trouble began; it may have changed its words since.
    pub trouble_since: Option<Instant>,
    /// Set once, at the end, be it a shutdown or a failure.
    pub stopped: Option<Arc<str>>,
}

/// Since the start of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub events: u64,
    /// The chain's blocks, whether or not rows of them were kept.
    pub blocks: u64,
    pub reorgs: u64,
    /// Blocks that the deepest of them took back.
    pub reorg_deepest: u64,
    /// Reorgs that would have taken back what was final. The pipeline stops at the first.
    pub reorgs_past_finality: u64,
}

impl Progress {
    pub(crate) fn new(source: &Source) -> Self {
        Self {
            started: SystemTime::now(),
            chain_head: 0,
            indexed: 0,
            safe: None,
            finalized: None,
            counters: Counters::default(),
            traffic: source.traffic(),
            endpoints: source.endpoints(),
            standby: false,
            trouble: None,
            trouble_since: None,
            stopped: None,
        }
    }
}

pub(crate) struct Pipeline {
    deployment: Deployment,
    source: Source,
    store: Store,
    checkpoint: Block,
    poll: Duration,
    progress: watch::Sender<Progress>,
    ahead: Ahead,
    /// The chain's newest block, and when it was.
    tip: Option<(Header, Instant)>,
    finality_asked: Option<Instant>,
    noted: Option<(Seen, Instant)>,
    writer: Writer,
    /// Polls in a row at which the node was behind, on our chain.
    behind_polls: u32,
    pause: Duration,
}

/// What this process is to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// The database failed, and the connection with it, perhaps.
    Broken,
    /// Another may write.
    Standby,
    /// The only one; the checkpoint is the database's.
    Only,
}

enum Step {
    /// Another process writes.
    Standby,
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
            ahead: Ahead::new(source.clone(), deployment),
            source,
            store,
            checkpoint,
            poll,
            progress,
            tip: None,
            finality_asked: None,
            noted: None,
            writer: Writer::Standby,
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
        self.store.close().await;
        self.progress.send_modify(|p| p.stopped = Some(why));
        outcome
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
                Ok(Step::Standby) => {
                    self.fine();
                    Some(self.poll.max(STANDBY_POLL))
                }
                Ok(step) => match self.write(step).await {
                    Ok(pause) => pause,
                    Err(error) => {
                        // Nothing of it is there. Goes on from what is.
                        self.writer = Writer::Broken;
                        Some(self.trouble(error)?)
                    }
                },
                Err(error) => {
                    if store::is_passing(&error) {
                        // The database could not be read: its connection is as good as gone.
                        self.writer = Writer::Broken;
                    }
                    Some(self.trouble(error)?)
                }
            };
            let Some(pause) = pause else { continue };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = sleep(pause) => {}
                // After trouble the pause is kept: what failed is not asked for again before it.
                () = self.source.news(), if pause == self.poll => {}
            }
        }
    }

    /// How long to pause then.
    async fn write(&mut self, step: Step) -> Result<Option<Duration>> {
        let pause = match step {
            Step::Standby | Step::Wait => Some(self.poll),
            Step::Commit(batch) => {
                self.commit(&batch).await?;
                None
            }
            Step::Rewind(to) => {
                self.rewind(to).await?;
                return Ok(None);
            }
        };
        self.note().await?;
        self.fine();
        Ok(pause)
    }

    async fn next(&mut self) -> Result<Step> {
        if self.writer != Writer::Only && !self.become_writer().await? {
            return Ok(Step::Standby);
        }
        let checkpoint = self.checkpoint;
        let tip = match self.tip {
            // The blocks that wait are older than it by far, and need no other.
            Some((tip, at)) if !self.ahead.is_empty() && at.elapsed() < TIP_BUSY => tip,
            _ => self.read_tip().await?,
        };
        let block = tip.block;
        if block.number < checkpoint.number {
            return self.behind(block).await;
        }
        self.behind_polls = 0;
        if block.number == checkpoint.number {
            return if block.hash == checkpoint.hash {
                self.read_finality(FINALITY_IDLE).await;
                Ok(Step::Wait)
            } else {
                self.walk_back(block).await
            };
        }
        self.read_finality(FINALITY_BUSY).await;
        let from = (checkpoint.number + 1).max(self.deployment.start_block);
        if from > block.number {
            // Fewer blocks than at the start: `walk_back` looks whether this is still the deployment's chain.
            return self.walk_back(block).await;
        }
        self.ahead.plan(from, &tip);
        let Ready { first, blocks, decoded } = self.ahead.take().await?;
        if from == checkpoint.number + 1 && first.parent != checkpoint.hash {
            // A tip that is older than the seam would tell of the chain that was.
            let tip = self.read_tip().await?;
            return self.walk_back(tip.block).await;
        }
        let (entries, rows) = decoded?;
        Ok(Step::Commit(Batch {
            after: checkpoint,
            blocks,
            entries,
            rows,
        }))
    }

    async fn read_tip(&mut self) -> Result<Header> {
        let tip = self.source.tip().await?;
        self.tip = Some((tip, Instant::now()));
        let number = tip.block.number;
        self.progress
            .send_if_modified(|p| std::mem::replace(&mut p.chain_head, number) != number);
        Ok(tip)
    }

    /// Asks what is final, where that was not done within `every`. No answer is no trouble: not every node knows.
    async fn read_finality(&mut self, every: Duration) {
        if self.finality_asked.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        self.finality_asked = Some(Instant::now());
        let [safe, finalized] = self.source.finality().await;
        if finalized.is_none() {
            // A node that does not know is not asked each second.
            self.finality_asked = Some(Instant::now() + FINALITY_BUSY);
        }
        let later = |new: Option<Block>, old: &mut Option<Block>| {
            let later = new.filter(|new| old.is_none_or(|old| new.number > old.number));
            later.is_some_and(|new| old.replace(new) != Some(new))
        };
        self.progress
            .send_if_modified(|p| later(safe, &mut p.safe) | later(finalized, &mut p.finalized));
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
        let finalized = self.progress.borrow().finalized;
        if let Some(finalized) = finalized.filter(|finalized| same_chain && tip.number < finalized.number) {
            // What was final cannot have gone, so it is the node that went back.
            bail!(SourceError::Torn(format!(
                "the node's newest block is {}, on the same chain as block {}, which was final: it is behind",
                tip.number, finalized.number
            )));
        }
        self.walk_back(tip).await
    }

    /// Finds the newest stored block that the chain still holds. Genesis is one, or it is another chain.
    async fn walk_back(&mut self, tip: Block) -> Result<Step> {
        self.ahead.drop_all();
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
                self.source.confirm_gone(&self.checkpoint).await?;
                self.not_past_finality(stored).await?;
                return Ok(Step::Rewind(stored));
            }
            // `identify` has seen genesis, so this happens only where the chain is swapped right now.
            number = stored
                .number
                .checked_sub(1)
                .ok_or_else(|| SourceError::Torn("the chain was reset while it was read".into()))?;
        }
    }

    /// Fails for good where going back to `to` would take back what was final, unless the chain still holds that: then
    /// only blocks that are not kept lie between.
    async fn not_past_finality(&mut self, to: Block) -> Result<()> {
        let Some(finalized) = self
            .progress
            .borrow()
            .finalized
            .filter(|block| to.number < block.number)
        else {
            return Ok(());
        };
        let now = self.source.block(finalized.number).await?;
        if now.is_some_and(|now| now.hash == finalized.hash) {
            return Ok(());
        }
        self.progress.send_modify(|p| p.counters.reorgs_past_finality += 1);
        let now = now.map_or("nothing".into(), |now| now.hash.to_string());
        bail!(
            "reorg past finality: block {} {} was final, the chain now has {now} in its place, and shares only block {} \
             {} with the index. Nothing was taken back. Where that chain is the right one, start the indexer again: it \
             then follows",
            finalized.number,
            finalized.hash,
            to.number,
            to.hash
        )
    }

    async fn commit(&mut self, batch: &Batch) -> Result<()> {
        self.store.commit(batch).await?;
        let before = self
            .checkpoint
            .number
            .max(self.deployment.start_block.saturating_sub(1));
        self.checkpoint = *batch.blocks.last().context("a batch without a block")?;
        let (number, hash, events) = (self.checkpoint.number, self.checkpoint.hash, batch.entries.len());
        tracing::debug!(number, %hash, events, "indexed");
        self.progress.send_modify(|p| {
            p.indexed = number;
            p.counters.events += events as u64;
            p.counters.blocks += number - before;
        });
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
        self.progress.send_modify(|p| {
            p.indexed = to.number;
            p.counters.reorgs += 1;
            p.counters.reorg_deepest = p.counters.reorg_deepest.max(from.number - to.number);
        });
        Ok(())
    }

    fn fine(&mut self) {
        self.pause = self.poll;
        let endpoints = self.source.endpoints();
        self.progress.send_if_modified(|p| {
            let moved = std::mem::replace(&mut p.endpoints, endpoints.clone()) != endpoints;
            p.trouble_since = None;
            p.trouble.take().is_some() | moved
        });
    }

    /// Whether this process is now the only one that writes, and where it stands.
    async fn become_writer(&mut self) -> Result<bool> {
        if self.writer == Writer::Broken {
            self.store.reconnect().await?;
            self.writer = Writer::Standby;
        }
        let only = self.store.lock().await?;
        if only {
            self.ahead.drop_all();
            self.checkpoint = self.store.checkpoint().await?;
            self.writer = Writer::Only;
        }
        let indexed = self.checkpoint.number;
        self.progress.send_if_modified(|p| {
            if only {
                p.indexed = indexed;
            }
            let moved = std::mem::replace(&mut p.standby, !only) == only;
            if only {
                return moved;
            }
            // The database has answered, and more than that a standby does not do.
            p.trouble_since = None;
            p.trouble.take().is_some() | moved
        });
        Ok(only)
    }

    /// Notes for those who read the database what the node says of its chain, where that is news.
    async fn note(&mut self) -> Result<()> {
        let seen = {
            let progress = self.progress.borrow();
            Seen {
                head: progress.chain_head,
                safe: progress.safe.map(|block| block.number),
                finalized: progress.finalized.map(|block| block.number),
            }
        };
        let due = self
            .noted
            .is_none_or(|(noted, at)| noted != seen && at.elapsed() >= NOTE_PAUSE);
        if due {
            self.store.saw(&seen).await?;
            self.noted = Some((seen, Instant::now()));
        }
        Ok(())
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
        let endpoints = self.source.endpoints();
        self.progress.send_modify(|p| {
            p.trouble = Some(trouble);
            p.trouble_since.get_or_insert_with(Instant::now);
            p.endpoints = endpoints;
        });
        Ok(self.pause)
    }
}
