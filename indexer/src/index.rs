//! Queries. Clonable; reads only, beside the writer, each answer from one statement and so from one state.
use crate::{
    decide::{DelegateFacts, EmergencyFacts, Facts, GrantFacts, RecordFacts, RuleFacts, decide},
    model::Block,
    pipeline::Progress,
    store,
};
use alloy::primitives::{Address, B256, Bytes};
use medlock_abi::{
    records::IRecords::Question,
    terms::{credential_status, reason, record_status, role},
};
use sqlx::{
    Row, Sqlite, SqlitePool, ValueRef,
    query::Query,
    sqlite::{SqliteArguments, SqlitePoolOptions, SqliteRow},
};
use std::{fmt, path::Path, str::FromStr, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

/// Readers at once; more wait. SQLite reads are short and two cores are the usual machine.
const READERS_MOST: u32 = 8;
/// Rows in one page, whatever the caller asks for: bounds memory.
pub const PAGE_MOST: u32 = 1000;
/// How often an index without a pipeline in its process looks for a new head.
const DETACHED_POLL: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("index database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row holds what this build never writes.
    #[error("index database: column {column} holds an impossible value")]
    Corrupt { column: &'static str },
    #[error("block {wanted} was not indexed in time; the index is at block {head}")]
    Deadline { wanted: u64, head: u64 },
    /// The pipeline has ended, so the wait is for nothing.
    #[error("the indexer has stopped: {why}")]
    Stopped { why: Arc<str> },
}

type Result<T> = std::result::Result<T, IndexError>;

/// A block that an answer speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub number: u64,
    pub hash: B256,
    /// UNIX seconds.
    pub time: u64,
}

impl From<Block> for Head {
    fn from(block: Block) -> Self {
        Self {
            number: block.number,
            hash: block.hash,
            time: block.time,
        }
    }
}

/// Where an event stands. Lists are in this order, and a page begins after one.
/// As text: "block.log", decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub block_number: u64,
    pub log_index: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.block_number, self.log_index)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> std::result::Result<Self, PositionError> {
        let (block, log) = text.split_once('.').ok_or(PositionError)?;
        // No signs or blanks, and no number that SQL cannot hold.
        let number = |digits: &str| match digits.parse::<i64>() {
            Ok(n) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok(n.unsigned_abs()),
            _ => Err(PositionError),
        };
        Ok(Self {
            block_number: number(block)?,
            log_index: number(log)?,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position: two decimal numbers joined by a dot are wanted")]
pub struct PositionError;

/// Which part of a list. `limit` 0 or above [`PAGE_MOST`] means [`PAGE_MOST`].
/// The next page begins after the `position` of the last item; a page shorter than the limit is the last one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    pub after: Option<Position>,
    pub limit: u32,
}

impl Page {
    fn bounds(self) -> (i64, i64, i64) {
        let (block, log) = self
            .after
            .map_or((-1, -1), |p| (clamp(p.block_number), clamp(p.log_index)));
        let limit = if self.limit == 0 {
            PAGE_MOST
        } else {
            self.limit.min(PAGE_MOST)
        };
        (block, log, i64::from(limit))
    }
}

/// A chart as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    pub chart: B256,
    pub controller: Address,
    pub grant_epoch: u32,
    pub directory_version: u32,
    /// sha2-256 digest of the directory block's CID.
    pub directory: B256,
    /// How often control has passed on.
    pub control_epoch: u32,
    /// The event that gave the controller the chart: its opening, or a transfer.
    pub position: Position,
    /// UNIX seconds, of that event's block.
    pub controlled_since: u64,
}

/// One version of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub chart: B256,
    pub record_id: B256,
    pub version: u32,
    pub compartment: u8,
    /// Of the record as it stands: see `medlock_abi::terms::record_status`.
    pub status: u8,
    pub author: Address,
    pub codec: u8,
    /// sha2-256 digest of the envelope's CID. What is shredded has none on chain any more; here it is as it was logged.
    pub pointer: B256,
    /// The pointer of the version before; zero for version 1.
    pub previous: B256,
    /// UNIX seconds, of this version's block; of a record taken from a batch, of the batch's.
    pub created_at: u64,
    /// The block and transaction of this version's event.
    pub block_number: u64,
    pub block_hash: B256,
    pub log_index: u64,
    pub tx_hash: B256,
    /// The event that added the record (version 1). Listings of records are in this order.
    pub position: Position,
}

/// A grant that stands: not revoked, though perhaps not yet valid or expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub chart: B256,
    pub grantee: Address,
    pub epoch: u32,
    pub compartments: u64,
    pub purposes: u32,
    pub actions: u8,
    /// UNIX seconds.
    pub not_before: u64,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
    /// Which of the grants that the pair has had since its last revocation, from 1.
    pub serial: u8,
    /// sha2-256 digest of the keyring block's CID.
    pub keyring: B256,
    /// UNIX seconds, of the block that granted.
    pub granted_at: u64,
    pub position: Position,
}

/// What the registry knows of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub account: Address,
    /// The last one issued, whether or not it is still in force. `None`: never issued.
    pub credential: Option<Credential>,
    /// The newest published encryption key, revoked or not.
    pub key: Option<PartyKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub issuer: Address,
    /// The issuer's epoch that it was issued in has not ended.
    pub issuer_active: bool,
    /// See `medlock_abi::terms::credential_status`.
    pub status: u8,
    pub roles: u64,
    /// UNIX seconds: issued, or reinstated last.
    pub issued_at: u64,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
    pub document: B256,
}

impl Credential {
    /// As `credentialOf(..).current` of the registry, at `at` (UNIX seconds).
    #[must_use]
    pub fn is_current(&self, at: u64) -> bool {
        self.status == credential_status::ISSUED && self.issuer_active && (self.expiry == 0 || at < self.expiry)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyKey {
    pub version: u32,
    pub suite: u16,
    pub key: Bytes,
    /// UNIX seconds.
    pub valid_from: u64,
    /// UNIX seconds. `None`: not revoked.
    pub revoked_at: Option<u64>,
}

/// An answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// See `medlock_abi::terms::reason`.
    pub reason: u8,
    /// The newest indexed block with an event of ours, or newer, whose time is at or before the time asked about.
    /// No event of ours stands between it and that time. Genesis for a time before the first.
    pub block: Head,
}

/// How the index is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The newest indexed block.
    pub head: Head,
    /// The newest block that the node has told of. `None`: no pipeline runs in this process.
    pub chain_head: Option<u64>,
    /// Blocks between the two.
    pub lag_blocks: Option<u64>,
    /// What keeps the pipeline from going on at the moment (it keeps trying).
    pub trouble: Option<Arc<str>>,
    /// Why the pipeline has ended for good.
    pub stopped: Option<Arc<str>>,
}

/// What must be kept in the block store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub head: Head,
    /// sha2-256 digests of dag-cbor blocks, each once: envelopes of all versions of records that are not shredded,
    /// directories, keyrings of grants that were not ended.
    pub digests: Vec<B256>,
    /// Records in Merkle batches whose pointers are not on chain yet: their blocks are live too, and nobody here knows
    /// which they are.
    pub leaves_not_taken: u64,
}

macro_rules! chart_columns {
    () => {
        "SELECT c.chart, c.controller, c.control_epoch, e.epoch, d.version, d.digest,
                c.valid_from_block, c.valid_from_log, c.valid_from_time
         FROM chart AS c
         JOIN grant_epoch AS e ON e.chart = c.chart AND e.valid_to_block IS NULL
         JOIN directory AS d ON d.chart = c.chart AND d.valid_to_block IS NULL"
    };
}
macro_rules! record_columns {
    () => {
        "SELECT r.chart, r.record_id, r.compartment, r.valid_from_block, r.valid_from_log,
                v.version, v.author, v.codec, v.pointer, v.previous, v.created_at, s.status,
                v.valid_from_block AS block_number, v.valid_from_log AS log_index, b.hash AS block_hash, x.tx_hash
         FROM record AS r
         JOIN record_version AS v ON v.chart = r.chart AND v.record_id = r.record_id
         JOIN record_status AS s ON s.chart = r.chart AND s.record_id = r.record_id AND s.valid_to_block IS NULL
         JOIN block AS b ON b.number = v.valid_from_block
         JOIN event AS x ON x.block_number = v.valid_from_block AND x.log_index = v.valid_from_log"
    };
}
macro_rules! grant_columns {
    () => {
        "SELECT g.chart, g.grantee, g.epoch, g.compartments, g.purposes, g.actions, g.not_before, g.expiry, g.serial, k.digest,
                g.valid_from_block, g.valid_from_log, g.valid_from_time
         FROM grant_ AS g
         JOIN grant_epoch AS e ON e.chart = g.chart AND e.valid_to_block IS NULL AND e.epoch = g.epoch
         JOIN keyring AS k ON k.chart = g.chart AND k.grantee = g.grantee AND k.valid_to_block IS NULL"
    };
}
/// The end of a list's statement, of the rows of `$table` that are current: see [`list`].
macro_rules! page {
    ($table:literal) => {
        concat!(
            " AND ",
            $table,
            ".valid_to_block IS NULL",
            " AND (",
            $table,
            ".valid_from_block, ",
            $table,
            ".valid_from_log) > ($2, $3)",
            " ORDER BY ",
            $table,
            ".valid_from_block, ",
            $table,
            ".valid_from_log LIMIT $4",
        )
    };
}

/// Rows of `$table` that were valid at $4.
macro_rules! at {
    ($table:literal) => {
        concat!(
            $table,
            ".valid_from_time <= $4 AND (",
            $table,
            ".valid_to_time IS NULL OR ",
            $table,
            ".valid_to_time > $4)"
        )
    };
}

/// All that a decision may depend on, at one time. $1 chart, $2 grantee, $3 record, $4 time, $5 member, $6 nobody,
/// $7 the role of organisations, $8 the status of credentials that are issued.
pub(crate) const DECIDE: &str = concat!(
    "SELECT b.number, b.hash, b.time,
            c.controller, c.control_epoch, e.epoch AS grant_epoch,
            g.epoch, g.compartments, g.purposes, g.actions, g.not_before, g.expiry, g.since,
            r.compartment, rs.status,
            rg.effect AS rg_effect, rg.purposes AS rg_purposes, rg.actions AS rg_actions, rg.expiry AS rg_expiry,
                rg.directory_version AS rg_directory_version,
            rm.effect AS rm_effect, rm.purposes AS rm_purposes, rm.actions AS rm_actions, rm.expiry AS rm_expiry,
                rm.directory_version AS rm_directory_version,
            re.effect AS re_effect, re.purposes AS re_purposes, re.actions AS re_actions, re.expiry AS re_expiry,
                re.directory_version AS re_directory_version,
            d1.serial AS d1_serial, d1.powers AS d1_powers, d1.expiry AS d1_expiry, d1.depth AS d1_depth,
                d1.parent_serial AS d1_parent_serial, d1.control_epoch AS d1_control_epoch,
            d2.serial AS d2_serial, d2.powers AS d2_powers, d2.expiry AS d2_expiry, d2.depth AS d2_depth,
                d2.parent_serial AS d2_parent_serial, d2.control_epoch AS d2_control_epoch,
            d3.serial AS d3_serial, d3.powers AS d3_powers, d3.expiry AS d3_expiry, d3.depth AS d3_depth,
                d3.parent_serial AS d3_parent_serial, d3.control_epoch AS d3_control_epoch,
            y.compartments AS y_compartments, y.until AS y_until, y.grant_epoch AS y_grant_epoch, y.serial AS y_serial,
            a.allowed AS a_allowed, a.serial AS a_serial, a.control_epoch AS a_control_epoch,
            $5 = $6 OR EXISTS (
                SELECT 1 FROM member AS m
                JOIN credential AS mc ON mc.party = m.organisation
                JOIN credential_status AS ms ON ms.party = mc.party
                JOIN issuer AS mi ON mi.issuer = mc.issuer AND mi.epoch = mc.issuer_epoch
                WHERE m.organisation = $2 AND m.member = $5 AND mc.roles & $7 = $7 AND ms.status = $8
                AND (m.expiry = 0 OR m.expiry > $4) AND (mc.expiry = 0 OR mc.expiry > $4)
                AND ",
    at!("m"),
    " AND ",
    at!("mc"),
    " AND ",
    at!("ms"),
    " AND ",
    at!("mi"),
    ") AS may_act
     FROM block AS b
     LEFT JOIN chart AS c ON c.chart = $1 AND ",
    at!("c"),
    " LEFT JOIN grant_epoch AS e ON e.chart = $1 AND ",
    at!("e"),
    " LEFT JOIN grant_ AS g ON g.chart = $1 AND g.grantee = $2 AND ",
    at!("g"),
    " LEFT JOIN record AS r ON r.chart = $1 AND r.record_id = $3 AND ",
    at!("r"),
    " LEFT JOIN record_status AS rs ON rs.chart = $1 AND rs.record_id = $3 AND ",
    at!("rs"),
    " LEFT JOIN rule AS rg ON rg.chart = $1 AND rg.record_id = $3 AND rg.grantee = $2 AND ",
    at!("rg"),
    " LEFT JOIN rule AS rm ON rm.chart = $1 AND rm.record_id = $3 AND rm.grantee = $5 AND $5 <> $6 AND ",
    at!("rm"),
    " LEFT JOIN rule AS re ON re.chart = $1 AND re.record_id = $3 AND re.grantee = $6 AND ",
    at!("re"),
    " LEFT JOIN delegate AS d1 ON d1.chart = $1 AND d1.delegate = $2 AND ",
    at!("d1"),
    " LEFT JOIN delegate AS d2 ON d2.chart = $1 AND d2.delegate = d1.parent AND ",
    at!("d2"),
    " LEFT JOIN delegate AS d3 ON d3.chart = $1 AND d3.delegate = d2.parent AND ",
    at!("d3"),
    " LEFT JOIN emergency AS y ON y.chart = $1 AND y.party = $2 AND ",
    at!("y"),
    " LEFT JOIN emergency_access AS a ON a.chart = $1 AND ",
    at!("a"),
    " WHERE b.number = coalesce(
        (SELECT number FROM block WHERE time <= $4 ORDER BY time DESC, number DESC LIMIT 1), 0)",
);

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// A page of the list that `key` names. The statement takes $1: the key, $2 and $3: block and log of the position to
/// begin after, $4: the limit. What else it takes is bound by the caller, from $5.
fn list(sql: &'static str, key: &[u8], page: Page) -> Statement {
    let (block, log, limit) = page.bounds();
    sqlx::query(sql).bind(key.to_vec()).bind(block).bind(log).bind(limit)
}

/// The index, to ask.
#[derive(Clone)]
pub struct Index {
    pool: SqlitePool,
    /// `None`: another process runs the pipeline.
    progress: Option<watch::Receiver<Progress>>,
}

impl Index {
    /// Opens an index that another process writes. It must exist.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, None).await
    }

    pub(crate) async fn open_with(path: &Path, progress: Option<watch::Receiver<Progress>>) -> Result<Self> {
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS_MOST)
            .connect_with(store::options(path, false))
            .await?;
        Ok(Self { pool, progress })
    }

    /// The newest indexed block. Genesis where nothing was indexed yet.
    pub async fn head(&self) -> Result<Head> {
        let row = sqlx::query("SELECT number, hash, time FROM block ORDER BY number DESC LIMIT 1")
            .fetch_one(&self.pool)
            .await?;
        head(&row)
    }

    pub async fn chart(&self, chart: B256) -> Result<Option<Chart>> {
        const SQL: &str = concat!(chart_columns!(), " WHERE c.chart = $1 AND c.valid_to_block IS NULL");
        self.row(sqlx::query(SQL).bind(chart.to_vec()), chart_row).await
    }

    /// The charts that `controller` controls.
    pub async fn charts_of(&self, controller: Address, page: Page) -> Result<Vec<Chart>> {
        const SQL: &str = concat!(chart_columns!(), " WHERE c.controller = $1", page!("c"));
        self.rows(list(SQL, controller.as_slice(), page), chart_row).await
    }

    /// Digest of the current compartment directory.
    pub async fn directory_digest(&self, chart: B256) -> Result<Option<B256>> {
        const SQL: &str = "SELECT digest FROM directory WHERE chart = $1 AND valid_to_block IS NULL";
        self.row(sqlx::query(SQL).bind(chart.to_vec()), |row| b256(row, "digest"))
            .await
    }

    /// The latest version of each record in `compartments` (bit n: compartment n), in the order in which they were added.
    pub async fn records(&self, chart: B256, compartments: u64, page: Page) -> Result<Vec<Record>> {
        const SQL: &str = concat!(
            record_columns!(),
            " WHERE r.chart = $1 AND v.valid_to_block IS NULL AND (($5 >> r.compartment) & 1) = 1",
            page!("r")
        );
        let query = list(SQL, chart.as_slice(), page).bind(compartments.cast_signed());
        self.rows(query, record_row).await
    }

    /// The versions of a record after version `after` (0: from the first), ascending, at most [`PAGE_MOST`].
    /// Empty where there is no such record.
    pub async fn versions(&self, chart: B256, record_id: B256, after: u32) -> Result<Vec<Record>> {
        const SQL: &str = concat!(
            record_columns!(),
            " WHERE v.chart = $1 AND v.record_id = $2 AND v.version > $3 AND r.valid_to_block IS NULL
              ORDER BY v.version LIMIT $4"
        );
        let query = sqlx::query(SQL)
            .bind(chart.to_vec())
            .bind(record_id.to_vec())
            .bind(i64::from(after))
            .bind(i64::from(PAGE_MOST));
        self.rows(query, record_row).await
    }

    pub async fn record_version(&self, chart: B256, record_id: B256, version: u32) -> Result<Option<Record>> {
        const SQL: &str = concat!(
            record_columns!(),
            " WHERE v.chart = $1 AND v.record_id = $2 AND v.version = $3 AND r.valid_to_block IS NULL"
        );
        let query = sqlx::query(SQL)
            .bind(chart.to_vec())
            .bind(record_id.to_vec())
            .bind(i64::from(version));
        self.row(query, record_row).await
    }

    /// The grants that stand on `chart`.
    pub async fn grants(&self, chart: B256, page: Page) -> Result<Vec<Grant>> {
        const SQL: &str = concat!(grant_columns!(), " WHERE g.chart = $1", page!("g"));
        self.rows(list(SQL, chart.as_slice(), page), grant_row).await
    }

    /// The grants that stand and were given to `grantee`.
    pub async fn grants_to(&self, grantee: Address, page: Page) -> Result<Vec<Grant>> {
        const SQL: &str = concat!(grant_columns!(), " WHERE g.grantee = $1", page!("g"));
        self.rows(list(SQL, grantee.as_slice(), page), grant_row).await
    }

    /// The grant of `grantee` on `chart`, where it stands.
    pub async fn grant(&self, chart: B256, grantee: Address) -> Result<Option<Grant>> {
        const SQL: &str = concat!(
            grant_columns!(),
            " WHERE g.chart = $1 AND g.grantee = $2 AND g.valid_to_block IS NULL"
        );
        let query = sqlx::query(SQL).bind(chart.to_vec()).bind(grantee.to_vec());
        self.row(query, grant_row).await
    }

    /// Digest of the keyring that goes with a grant that stands.
    pub async fn keyring_digest(&self, chart: B256, grantee: Address) -> Result<Option<B256>> {
        Ok(self.grant(chart, grantee).await?.map(|grant| grant.keyring))
    }

    /// All that the chain refers to in the block store, as of the newest indexed block.
    pub async fn live(&self) -> Result<Live> {
        // One transaction, one state: nothing is left out that moves from one table to another meanwhile.
        let mut reading = self.pool.begin().await?;
        let row = sqlx::query("SELECT number, hash, time FROM block ORDER BY number DESC LIMIT 1")
            .fetch_one(&mut *reading)
            .await?;
        let head = head(&row)?;
        let rows = sqlx::query(
            "SELECT digest FROM directory WHERE valid_to_block IS NULL
             UNION
             SELECT k.digest FROM keyring AS k
             JOIN grant_ AS g ON g.chart = k.chart AND g.grantee = k.grantee AND g.valid_to_block IS NULL
             JOIN grant_epoch AS e ON e.chart = g.chart AND e.epoch = g.epoch AND e.valid_to_block IS NULL
             WHERE k.valid_to_block IS NULL
             UNION
             SELECT v.pointer AS digest FROM record_version AS v
             LEFT JOIN record_status AS s
                 ON s.chart = v.chart AND s.record_id = v.record_id AND s.valid_to_block IS NULL
             WHERE s.status IS NULL OR s.status <> $1",
        )
        .bind(i64::from(record_status::SHREDDED))
        .fetch_all(&mut *reading)
        .await?;
        let digests = rows.iter().map(|row| b256(row, "digest")).collect::<Result<_>>()?;
        let row = sqlx::query(
            "SELECT COALESCE((SELECT SUM(leaves) FROM batch), 0)
                  - (SELECT COUNT(*) FROM event WHERE name = 'RecordTakenFromBatch') AS leaves",
        )
        .fetch_one(&mut *reading)
        .await?;
        Ok(Live {
            head,
            digests,
            leaves_not_taken: number(&row, "leaves")?,
        })
    }

    /// The account's credential and newest key as they stood at `at` (UNIX seconds; for the present and for times to
    /// come, as they stand); both `None` where the registry knows nothing of it.
    pub async fn party(&self, account: Address, at: u64) -> Result<Party> {
        let row = sqlx::query(
            "SELECT c.issuer, c.roles, c.expiry, c.document, c.valid_from_time AS issued_at,
                    i.issuer IS NOT NULL AS issuer_active,
                    s.status,
                    k.version, k.suite, k.key, k.valid_from_time AS key_valid_from, r.valid_from_time AS key_revoked_at
             FROM (SELECT $1 AS account) AS a
             LEFT JOIN credential AS c ON c.party = a.account
                AND c.valid_from_time <= $2 AND (c.valid_to_time IS NULL OR c.valid_to_time > $2)
             LEFT JOIN credential_status AS s ON s.party = a.account
                AND s.valid_from_time <= $2 AND (s.valid_to_time IS NULL OR s.valid_to_time > $2)
             LEFT JOIN issuer AS i ON i.issuer = c.issuer AND i.epoch = c.issuer_epoch
                AND i.valid_from_time <= $2 AND (i.valid_to_time IS NULL OR i.valid_to_time > $2)
             LEFT JOIN party_key AS k ON k.party = a.account
                AND k.valid_from_time <= $2 AND (k.valid_to_time IS NULL OR k.valid_to_time > $2)
             LEFT JOIN key_revocation AS r ON r.party = k.party AND r.version = k.version AND r.valid_from_time <= $2",
        )
        .bind(account.as_slice())
        .bind(clamp(at))
        .fetch_one(&self.pool)
        .await?;
        let credential = match row.try_get::<Option<&[u8]>, _>("issuer")? {
            None => None,
            Some(_) => Some(Credential {
                issuer: address(&row, "issuer")?,
                issuer_active: row.try_get("issuer_active")?,
                status: number(&row, "status")?,
                roles: bits(&row, "roles")?,
                issued_at: number(&row, "issued_at")?,
                expiry: number(&row, "expiry")?,
                document: b256(&row, "document")?,
            }),
        };
        let key = match row.try_get::<Option<Vec<u8>>, _>("key")? {
            None => None,
            Some(key) => Some(PartyKey {
                version: number(&row, "version")?,
                suite: number(&row, "suite")?,
                key: key.into(),
                valid_from: number(&row, "key_valid_from")?,
                revoked_at: match row.try_get::<Option<i64>, _>("key_revoked_at")? {
                    None => None,
                    Some(_) => Some(number(&row, "key_revoked_at")?),
                },
            }),
        };
        Ok(Party {
            account,
            credential,
            key,
        })
    }

    /// What `mayActForAt` of the registry says: whether `member` was a member at `at` (UNIX seconds; for the present and
    /// for times to come, is), and the organisation's credential in force then, with ORGANISATION and every bit of `roles`.
    pub async fn may_act_for(&self, organisation: Address, member: Address, roles: u64, at: u64) -> Result<bool> {
        let row = sqlx::query(
            "SELECT EXISTS (
                SELECT 1 FROM member AS m
                JOIN credential AS c ON c.party = m.organisation
                JOIN credential_status AS s ON s.party = c.party
                JOIN issuer AS i ON i.issuer = c.issuer AND i.epoch = c.issuer_epoch
                WHERE m.organisation = $1 AND m.member = $2 AND c.roles & $3 = $3 AND s.status = $4
                AND (m.expiry = 0 OR m.expiry > $5) AND (c.expiry = 0 OR c.expiry > $5)
                AND m.valid_from_time <= $5 AND (m.valid_to_time IS NULL OR m.valid_to_time > $5)
                AND c.valid_from_time <= $5 AND (c.valid_to_time IS NULL OR c.valid_to_time > $5)
                AND s.valid_from_time <= $5 AND (s.valid_to_time IS NULL OR s.valid_to_time > $5)
                AND i.valid_from_time <= $5 AND (i.valid_to_time IS NULL OR i.valid_to_time > $5)
             ) AS may",
        )
        .bind(organisation.as_slice())
        .bind(member.as_slice())
        .bind((roles | role::ORGANISATION).cast_signed())
        .bind(i64::from(credential_status::ISSUED))
        .bind(clamp(at))
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get("may")?)
    }

    /// What `decide` of the contract says, or said, at `at` (UNIX seconds): for a time past, over the state at the end
    /// of the newest block at or before it; for the present or a time to come, over the state as it stands.
    ///
    /// The index lags the chain by moments: whether someone may read *now* is for the contract to say (ADR 7).
    pub async fn decide(&self, question: &Question, at: u64) -> Result<Decision> {
        let row = sqlx::query(DECIDE)
            .bind(question.chart.as_slice())
            .bind(question.grantee.as_slice())
            .bind(question.recordId.as_slice())
            .bind(clamp(at))
            .bind(question.member.as_slice())
            .bind(Address::ZERO.as_slice())
            .bind(role::ORGANISATION.cast_signed())
            .bind(i64::from(credential_status::ISSUED))
            .fetch_one(&self.pool)
            .await?;
        let facts = facts(&row)?;
        let reason = decide(question, &facts, at);
        Ok(Decision {
            allowed: reason::is_allowed(reason),
            reason,
            block: head(&row)?,
        })
    }

    /// Waits until block `wanted` is indexed, and gives the head then; at most `within`.
    pub async fn wait_for_block(&self, wanted: u64, within: Duration) -> Result<Head> {
        let deadline = Instant::now() + within;
        let mut progress = self.progress.clone();
        loop {
            // Seen before the question, so that what happens between question and wait still wakes.
            let stopped = progress.as_mut().and_then(|p| p.borrow_and_update().stopped.clone());
            let head = self.head().await?;
            if head.number >= wanted {
                return Ok(head);
            }
            if let Some(why) = stopped {
                return Err(IndexError::Stopped { why });
            }
            let woken = match &mut progress {
                Some(progress) => timeout_at(deadline, progress.changed()).await.map(|changed| {
                    // The sender says why before it goes; this is only for a pipeline that was torn down.
                    changed.map_err(|_| IndexError::Stopped {
                        why: "shut down".into(),
                    })
                }),
                None => timeout_at(deadline, sleep(DETACHED_POLL)).await.map(Ok),
            };
            match woken {
                Ok(woken) => woken?,
                Err(_) => {
                    return Err(IndexError::Deadline {
                        wanted,
                        head: head.number,
                    });
                }
            }
        }
    }

    pub async fn status(&self) -> Result<Status> {
        let progress = self.progress.as_ref().map(|p| p.borrow().clone());
        let head = self.head().await?;
        let chain_head = progress.as_ref().map(|p| p.chain_head);
        Ok(Status {
            head,
            chain_head,
            lag_blocks: chain_head.map(|chain_head| chain_head.saturating_sub(head.number)),
            trouble: progress.as_ref().and_then(|p| p.trouble.clone()),
            stopped: progress.and_then(|p| p.stopped),
        })
    }

    /// Ends the connections of this and every clone.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn rows<T>(&self, query: Statement, read: fn(&SqliteRow) -> Result<T>) -> Result<Vec<T>> {
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    async fn row<T>(&self, query: Statement, read: fn(&SqliteRow) -> Result<T>) -> Result<Option<T>> {
        query.fetch_optional(&self.pool).await?.as_ref().map(read).transpose()
    }
}

/// What [`DECIDE`] found.
fn facts(row: &SqliteRow) -> Result<Facts> {
    /// `has!("column")`: the row that the column is of was there.
    macro_rules! has {
        ($column:expr) => {
            !row.try_get_raw($column)?.is_null()
        };
    }
    macro_rules! rule {
        ($table:literal) => {
            if has!(concat!($table, "_effect")) {
                Some(RuleFacts {
                    effect: number(row, concat!($table, "_effect"))?,
                    purposes: number(row, concat!($table, "_purposes"))?,
                    actions: number(row, concat!($table, "_actions"))?,
                    expiry: number(row, concat!($table, "_expiry"))?,
                    directory_version: number(row, concat!($table, "_directory_version"))?,
                })
            } else {
                None
            }
        };
    }
    macro_rules! delegate {
        ($table:literal) => {
            if has!(concat!($table, "_serial")) {
                Some(DelegateFacts {
                    serial: number(row, concat!($table, "_serial"))?,
                    powers: number(row, concat!($table, "_powers"))?,
                    expiry: number(row, concat!($table, "_expiry"))?,
                    depth: number(row, concat!($table, "_depth"))?,
                    parent_serial: number(row, concat!($table, "_parent_serial"))?,
                    control_epoch: number(row, concat!($table, "_control_epoch"))?,
                })
            } else {
                None
            }
        };
    }
    let mut facts = Facts {
        may_act: row.try_get("may_act")?,
        rule_for_grantee: rule!("rg"),
        rule_for_member: rule!("rm"),
        rule_for_everybody: rule!("re"),
        delegations: [delegate!("d1"), delegate!("d2"), delegate!("d3")]
            .into_iter()
            .map_while(|entry| entry)
            .collect(),
        ..Facts::default()
    };
    if has!("controller") {
        facts.controller = Some(address(row, "controller")?);
        facts.control_epoch = number(row, "control_epoch")?;
        facts.grant_epoch = number(row, "grant_epoch")?;
    }
    if has!("epoch") {
        facts.grant = Some(GrantFacts {
            epoch: number(row, "epoch")?,
            compartments: bits(row, "compartments")?,
            purposes: number(row, "purposes")?,
            actions: number(row, "actions")?,
            not_before: number(row, "not_before")?,
            expiry: number(row, "expiry")?,
            since: number(row, "since")?,
        });
    }
    if has!("compartment") {
        facts.record = Some(RecordFacts {
            compartment: number(row, "compartment")?,
            status: number(row, "status")?,
        });
    }
    // Nobody breaks the glass of a chart that has never allowed it.
    if has!("y_serial") && has!("a_serial") {
        facts.emergency = Some(EmergencyFacts {
            compartments: bits(row, "y_compartments")?,
            until: number(row, "y_until")?,
            grant_epoch: number(row, "y_grant_epoch")?,
            serial: number(row, "y_serial")?,
            access_allowed: row.try_get("a_allowed")?,
            access_serial: number(row, "a_serial")?,
            access_control_epoch: number(row, "a_control_epoch")?,
        });
    }
    Ok(facts)
}

fn head(row: &SqliteRow) -> Result<Head> {
    Ok(Head {
        number: number(row, "number")?,
        hash: b256(row, "hash")?,
        time: number(row, "time")?,
    })
}

fn chart_row(row: &SqliteRow) -> Result<Chart> {
    Ok(Chart {
        chart: b256(row, "chart")?,
        controller: address(row, "controller")?,
        control_epoch: number(row, "control_epoch")?,
        grant_epoch: number(row, "epoch")?,
        directory_version: number(row, "version")?,
        directory: b256(row, "digest")?,
        position: position(row)?,
        controlled_since: number(row, "valid_from_time")?,
    })
}

fn record_row(row: &SqliteRow) -> Result<Record> {
    Ok(Record {
        chart: b256(row, "chart")?,
        record_id: b256(row, "record_id")?,
        version: number(row, "version")?,
        compartment: number(row, "compartment")?,
        status: number(row, "status")?,
        author: address(row, "author")?,
        codec: number(row, "codec")?,
        pointer: b256(row, "pointer")?,
        previous: b256(row, "previous")?,
        created_at: number(row, "created_at")?,
        block_number: number(row, "block_number")?,
        block_hash: b256(row, "block_hash")?,
        log_index: number(row, "log_index")?,
        tx_hash: b256(row, "tx_hash")?,
        position: position(row)?,
    })
}

fn grant_row(row: &SqliteRow) -> Result<Grant> {
    Ok(Grant {
        chart: b256(row, "chart")?,
        grantee: address(row, "grantee")?,
        epoch: number(row, "epoch")?,
        compartments: bits(row, "compartments")?,
        purposes: number(row, "purposes")?,
        actions: number(row, "actions")?,
        not_before: number(row, "not_before")?,
        expiry: number(row, "expiry")?,
        serial: number(row, "serial")?,
        keyring: b256(row, "digest")?,
        granted_at: number(row, "valid_from_time")?,
        position: position(row)?,
    })
}

fn position(row: &SqliteRow) -> Result<Position> {
    Ok(Position {
        block_number: number(row, "valid_from_block")?,
        log_index: number(row, "valid_from_log")?,
    })
}

fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> Result<T> {
    T::try_from(row.try_get::<i64, _>(column)?).map_err(|_| IndexError::Corrupt { column })
}

/// A bit set: all 64 bits count.
fn bits(row: &SqliteRow, column: &'static str) -> Result<u64> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned())
}

fn b256(row: &SqliteRow, column: &'static str) -> Result<B256> {
    B256::try_from(row.try_get::<&[u8], _>(column)?).map_err(|_| IndexError::Corrupt { column })
}

fn address(row: &SqliteRow, column: &'static str) -> Result<Address> {
    Address::try_from(row.try_get::<&[u8], _>(column)?).map_err(|_| IndexError::Corrupt { column })
}

/// A number to compare with SQL's: past 2^63 there is nothing to tell apart.
fn clamp(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
