//! Queries. Clonable; reads only, beside the writer, each answer from one state of the tables.
mod answer;
mod claims;
mod decision;
mod desk;
mod emergencies;
mod history;
mod supply;
mod trials;
mod view;

pub use answer::*;
pub use claims::{Claim, ClaimFacts, ClaimLink, ClaimStep, ClaimsOf, CurrencySetting, InsurerSetting};
pub use decision::Asked;
#[cfg(test)]
pub(crate) use decision::all_statements;
use decision::{QUESTIONS_MOST, Tables};
use desk::Desk;
pub use emergencies::Emergency;
pub use history::{EmergencyAccess, GivenGrant, Rule, WrittenVersion};
pub use supply::{
    Closing, CustodyStep, Dispensing, DrugBatch, Recall, Shipment, ShipmentsOf, Unit, UnitOffer, UnitPlace,
};
pub use trials::{DataBatch, DataLock, Participant, Site, Trial, TrialResult, TrialVersion};
pub(crate) use view::valid;
pub use view::{View, When};

use crate::{
    Deployment,
    db::{Database, Pool},
    pipeline::Progress,
    store::{self, CHANNEL},
    tables::Value,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use medlock_abi::records::IRecords::Question;
use medlock_sql::is_missing_table;
use sqlx::postgres::PgListener;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout, timeout_at},
};

/// How often an index without a pipeline in its process looks for a new head, where the database does not tell.
const DETACHED_POLL: Duration = Duration::from_millis(50);

/// Statements of one list of questions at the same time: enough to keep two cores busy, and to leave others some.
const STATEMENTS_AT_ONCE: usize = 4;

/// How long closing waits for those who still read.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("index database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row holds what this build never writes.
    #[error("index database: column {column} holds an impossible value")]
    Corrupt { column: &'static str },
    #[error("block {wanted} was not indexed in time; the index is at block {head}")]
    Deadline { wanted: u64, head: u64 },
    #[error("block {wanted} is not indexed yet; the index is at block {head}")]
    Ahead { wanted: u64, head: u64 },
    /// Blocks without events of ours are kept for a while only.
    #[error("the time of a block after {block}, long past, is not kept: ask about a time, or about block {block}")]
    TimeNotKept { block: u64 },
    #[error("there is no index in {0}: `medlock index` makes one")]
    Absent(String),
    #[error(
        "the index in {0} is of another build of Medlock: use that build, or build the index anew \
         (medlock index --from-genesis)"
    )]
    OtherBuild(String),
    /// The pipeline has ended, so the wait is for nothing.
    #[error("the indexer has stopped: {why}")]
    Stopped { why: Arc<str> },
}

type Result<T> = std::result::Result<T, IndexError>;

/// The index, to ask.
#[derive(Clone)]
pub struct Index {
    pool: Pool,
    desk: Desk,
    /// `None`: another process runs the pipeline.
    progress: Option<watch::Receiver<Progress>>,
}

impl Index {
    /// Opens an index that another process writes. It must exist, and have this build's tables.
    pub async fn open(database: &Database) -> Result<Self> {
        let absent = || IndexError::Absent(database.to_string());
        if let Database::Sqlite(path) = database
            && !path.exists()
        {
            return Err(absent());
        }
        let index = Self::open_with(database, None).await?;
        const SQL: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
        let rows = match index.pool.fetch(SQL, &[]).await {
            Err(error) if is_missing_table(&error) => return Err(absent()),
            rows => rows?,
        };
        let schema: Vec<_> = rows
            .iter()
            .map(|row| Ok((row.int("version")?, row.bytes("checksum")?.map(<[u8]>::to_vec))))
            .collect::<sqlx::Result<_>>()?;
        let ours = store::schema(&index.pool)
            .into_iter()
            .map(|(version, sum)| (Some(version), Some(sum)));
        if !ours.eq(schema) {
            return Err(IndexError::OtherBuild(database.to_string()));
        }
        Ok(index)
    }

    pub(crate) async fn open_with(database: &Database, progress: Option<watch::Receiver<Progress>>) -> Result<Self> {
        let pool = Pool::open(database).await?;
        let desk = Desk::open(&pool);
        Ok(Self { pool, desk, progress })
    }

    /// The newest indexed block. Genesis where nothing was indexed yet.
    pub async fn head(&self) -> Result<Head> {
        const SQL: &str = "SELECT b.number, b.hash, b.time, c.safe, c.finalized
             FROM block AS b JOIN chain AS c ON c.id = 1 ORDER BY b.number DESC LIMIT 1";
        let rows = self.pool.fetch(SQL, &[]).await?;
        head_row(rows.first().ok_or(IndexError::Corrupt { column: "number" })?)
    }

    /// What this index mirrors.
    pub async fn deployment(&self) -> Result<Deployment> {
        let rows = self.pool.fetch(DEPLOYMENT, &[]).await?;
        deployment_row(rows.first().ok_or(IndexError::Corrupt { column: "id" })?)
    }

    /// The tables as they stand, or stood.
    pub async fn view(&self, when: When) -> Result<View> {
        View::open(self.pool.reading().await?, when).await
    }

    /// The tables as they stand.
    pub async fn latest(&self) -> Result<View> {
        self.view(When::Latest).await
    }

    /// [`View::decide`] of one question, at a time.
    pub async fn decide(&self, question: &Question, at: u64) -> Result<Decision> {
        let asked = Asked {
            question: question.clone(),
            at,
            is_present: false,
        };
        if let Some(decision) = self.desk.ask(asked.clone()).await {
            return Ok(decision);
        }
        let asked = [asked];
        let answer = decision::answers(&asked, None, Tables::Newest(&self.pool)).await?.pop();
        answer.ok_or(IndexError::Corrupt { column: "n" })
    }

    /// Answers in the order of the questions, however many. Those to some may be of a later block than those to others.
    pub async fn decide_many(&self, asked: &[Asked]) -> Result<Vec<Decision>> {
        if let [one] = asked
            && let Some(decision) = self.desk.ask(one.clone()).await
        {
            return Ok(vec![decision]);
        }
        let chunks: Vec<Vec<Asked>> = asked.chunks(QUESTIONS_MOST).map(<[Asked]>::to_vec).collect();
        let answer = async |some: Vec<Asked>| decision::answers(&some, None, Tables::Newest(&self.pool)).await;
        let answers = stream::iter(chunks).map(answer).buffered(STATEMENTS_AT_ONCE);
        answers.try_concat().await
    }

    /// Waits until block `wanted` is indexed, and gives the head then; at most `within`.
    pub async fn wait_for_block(&self, wanted: u64, within: Duration) -> Result<Head> {
        let deadline = Instant::now() + within;
        // To listen to a database takes a connection of its own.
        let head = self.head().await?;
        if head.number >= wanted {
            return Ok(head);
        }
        let mut news = self.news().await?;
        loop {
            // Seen before the question, so that what happens between question and wait still wakes.
            let stopped = news.stopped();
            let head = self.head().await?;
            if head.number >= wanted {
                return Ok(head);
            }
            if let Some(why) = stopped {
                return Err(IndexError::Stopped { why });
            }
            match timeout_at(deadline, news.next()).await {
                Ok(news) => news?,
                Err(_) => {
                    return Err(IndexError::Deadline {
                        wanted,
                        head: head.number,
                    });
                }
            }
        }
    }

    /// To be woken whenever the head moves: by the pipeline of this process, by PostgreSQL's NOTIFY, or by looking.
    pub async fn news(&self) -> Result<News> {
        Ok(match (&self.progress, &self.pool) {
            (Some(progress), _) => News::Pipeline(progress.clone()),
            (None, Pool::Postgres(pool)) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                News::Database(Box::new(listener))
            }
            (None, Pool::Sqlite(_)) => News::None,
        })
    }

    /// What the pipeline of this process tells of itself. `None`: another process runs it.
    pub fn progress(&self) -> Option<Progress> {
        self.progress.as_ref().map(|progress| progress.borrow().clone())
    }

    pub async fn status(&self) -> Result<Status> {
        let progress = self.progress();
        let head = self.head().await?;
        let rows = self
            .pool
            .fetch("SELECT head FROM chain WHERE id = $1", &[Value::Int(1)])
            .await?;
        let noted: u64 = number(rows.first().ok_or(IndexError::Corrupt { column: "head" })?, "head")?;
        // What a pipeline that writes knows is newer than what it last noted.
        let known = progress.as_ref().filter(|p| !p.standby).map(|p| p.chain_head);
        let chain_head = known.unwrap_or(noted).max(head.number);
        Ok(Status {
            head,
            chain_head,
            lag_blocks: chain_head - head.number,
            standby: progress.as_ref().is_some_and(|p| p.standby),
            trouble: progress.as_ref().and_then(|p| p.trouble.clone()),
            stopped: progress.and_then(|p| p.stopped),
        })
    }

    /// Ends the connections of this and every clone; waits for views that are open, though not for ever.
    pub async fn close(&self) {
        if timeout(CLOSE_WAIT, self.pool.close()).await.is_err() {
            tracing::warn!("a view of the index is still open; its connection is left to end with it");
        }
    }
}

/// See [`Index::news`].
pub enum News {
    Pipeline(watch::Receiver<Progress>),
    Database(Box<PgListener>),
    /// SQLite tells nobody.
    None,
}

impl News {
    /// Returns once the head may have moved since the last call. May return without cause.
    pub async fn next(&mut self) -> Result<()> {
        match self {
            Self::Pipeline(progress) => progress.changed().await.map_err(|_| IndexError::Stopped {
                // The sender says why before it goes; this is only for a pipeline that was torn down.
                why: "shut down".into(),
            }),
            // Where the connection was lost, news may have been too: that is a cause to look.
            Self::Database(listener) => Ok(listener.try_recv().await.map(|_| ())?),
            Self::None => {
                sleep(DETACHED_POLL).await;
                Ok(())
            }
        }
    }

    /// Why the pipeline of this process has ended, if it has. What happens after this call wakes [`News::next`].
    fn stopped(&mut self) -> Option<Arc<str>> {
        match self {
            Self::Pipeline(progress) => progress.borrow_and_update().stopped.clone(),
            Self::Database(_) | Self::None => None,
        }
    }
}
