//! Sessions, receipts and emergency kits, in SQLite or PostgreSQL. Whatever a call here returned for is on disk.
//!
//! Several gateways may share a database, also such of one account: what must be unique is kept so by its constraints, and
//! nothing that they have to agree about is held in memory. Each account has its own chain of receipts.
use std::{collections::BTreeMap, sync::LazyLock};

use alloy::primitives::{Address, B256};
use anyhow::{Context as _, ensure};
use medlock_abi::terms::reason;
use medlock_api::{Purpose, ReadEntry, ReadRequest, Receipt};
use medlock_indexer::Deployment;
use medlock_sql::{Database, Pool, Result, Row, Settings, impossible, is_missing_table, migrations};
use medlock_vault::Membership;
use sqlx::migrate::Migrator;

use crate::{access::Acting, membership::MEMBERS_MOST, read::Place, session::SESSIONS_MOST};

static SQLITE: LazyLock<Migrator> = LazyLock::new(|| {
    migrations!(
        "../migrations/sqlite":
        "0001_gateway",
        "0002_upkeep",
        "0003_shared",
        "0004_relay",
        "0005_anchor",
        "0006_smart_accounts",
        "0007_erasure",
        "0008_membership",
        "0009_emergency",
    )
});
static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
    migrations!(
        "../migrations/postgres":
        "0001_gateway",
        "0002_relay",
        "0003_anchor",
        "0004_smart_accounts",
        "0005_erasure",
        "0006_membership",
        "0007_emergency",
    )
});

const DEPLOYMENT: &str = "SELECT * FROM deployment";

const SETTINGS: Settings = Settings {
    application: "medlock-gateway",
    // Of its own: an index may be in the same database, and removes its tables when it is built anew.
    schema: "medlock_gateway",
    // SQLite has one writer, the rest read; PostgreSQL's server has its own limit, and many gateways.
    connections_most: 8,
};
/// Sign-ins wait for each other, so that no account gets more sessions than it may have.
const SIGN_IN_LOCK: &str = "medlock/gateway/sign-in";
/// Memberships that are kept wait for each other, so that no organisation gets more than it may have.
const MEMBERSHIP_LOCK: &str = "medlock/gateway/membership";
/// An ended session is told from an unknown one for this long.
const ENDED_SECONDS: u64 = 24 * 3600;

/// A receipt that was checked, and the decision that the read rests on.
pub struct Checked<'a> {
    pub request: &'a ReadRequest,
    pub block: u64,
    pub block_hash: B256,
    pub reason: u8,
    /// UNIX seconds.
    pub received_at: u64,
}

/// A version whose envelope was to be removed.
pub struct Erased {
    /// What the envelope linked to, by its digest.
    pub payload: B256,
    /// UNIX seconds.
    pub erased_at: u64,
    /// Every store has said that it is gone.
    pub is_confirmed: bool,
}

#[derive(Clone)]
pub struct Db {
    pool: Pool,
    deployment: Deployment,
    account: Address,
    challenge_key: [u8; 32],
    /// Appends to this gateway's chain of receipts wait for each other.
    receipts_lock: String,
}

/// Whose tables a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// Those of this deployment's gateways.
    Ours,
    /// Another's; and why that is known.
    Others(String),
}

/// Whose tables are there. Changes nothing.
///
/// # Errors
/// Where the database is not reached.
pub async fn look(database: &Database, deployment: Deployment) -> Result<Found> {
    let Some(pool) = Pool::look(database, &SETTINGS).await? else {
        return Ok(Found::Nothing);
    };
    let rows = pool.fetch(DEPLOYMENT, &[]).await;
    pool.close().await;
    match rows {
        Ok(rows) => Ok(match rows.first().map(|row| is_of(row, deployment)) {
            None => Found::Nothing,
            Some(Ok(())) => Found::Ours,
            Some(Err(error)) => Found::Others(error.to_string()),
        }),
        Err(error) if is_missing_table(&error) => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}

impl Db {
    /// Opens or creates the tables and brings their schema up to date. `random` becomes the challenge key of new ones.
    ///
    /// Refuses tables of another deployment, of a newer build, or where this gateway's last receipt does not hash to what is
    /// written beside it.
    pub async fn open(
        database: &Database,
        deployment: Deployment,
        account: Address,
        random: [u8; 32],
    ) -> anyhow::Result<Self> {
        let name = || format!("gateway database {database}");
        let pool = Pool::open(database, &SETTINGS)
            .await
            .with_context(|| format!("open {}", name()))?;
        pool.migrate(&SQLITE, &POSTGRES)
            .await
            .with_context(|| format!("bring {} to this build's schema", name()))?;
        let mut db = Self {
            pool,
            deployment,
            account,
            challenge_key: random,
            receipts_lock: format!("medlock/gateway/receipts/{account}"),
        };
        db.claim().await.with_context(name)?;
        db.check_tail().await.with_context(name)?;
        Ok(db)
    }

    /// Authenticates the challenges of all gateways on this database.
    pub fn challenge_key(&self) -> &[u8; 32] {
        &self.challenge_key
    }

    /// Uses up `nonce` and opens a session; `false` where the nonce was used before.
    pub async fn open_session(
        &self,
        (nonce, nonce_expires_at): (&str, u64),
        token_hash: B256,
        account: Address,
        now: u64,
        expires_at: u64,
    ) -> Result<bool> {
        let mut tx = self.pool.alone(SIGN_IN_LOCK).await?;
        tx.execute("DELETE FROM used_nonce WHERE expires_at <= $1", &[now.into()])
            .await?;
        let ended = now.saturating_sub(ENDED_SECONDS);
        tx.execute("DELETE FROM session WHERE expires_at <= $1", &[ended.into()])
            .await?;
        let fresh = tx
            .execute(
                "INSERT INTO used_nonce (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                &[nonce.into(), nonce_expires_at.into()],
            )
            .await?
            == 1;
        if fresh {
            tx.execute(
                "INSERT INTO session (token_hash, account, created_at, expires_at) VALUES ($1, $2, $3, $4)",
                &[token_hash.into(), account.into(), now.into(), expires_at.into()],
            )
            .await?;
            tx.execute(
                "DELETE FROM session WHERE account = $1 AND token_hash NOT IN
                 (SELECT token_hash FROM session WHERE account = $1
                  ORDER BY created_at DESC, CASE WHEN token_hash = $2 THEN 0 ELSE 1 END LIMIT $3)",
                &[account.into(), token_hash.into(), SESSIONS_MOST.into()],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(fresh)
    }

    /// Account and expiry of a session, ended or not.
    pub async fn session(&self, token_hash: B256) -> Result<Option<(Address, u64)>> {
        let sql = "SELECT account, expires_at FROM session WHERE token_hash = $1";
        let row = self.pool.first(sql, &[token_hash.into()]).await?;
        row.map(|row| Ok((row.fixed("account")?, row.number("expires_at")?)))
            .transpose()
    }

    pub async fn close_session(&self, token_hash: B256) -> Result<()> {
        let sql = "DELETE FROM session WHERE token_hash = $1";
        self.pool.execute(sql, &[token_hash.into()]).await.map(|_| ())
    }

    /// Ends all sessions of `account`. A sign-in that is on its way comes before this or after it.
    pub async fn close_sessions(&self, account: Address) -> Result<()> {
        let mut tx = self.pool.alone(SIGN_IN_LOCK).await?;
        tx.execute("DELETE FROM session WHERE account = $1", &[account.into()])
            .await?;
        tx.commit().await
    }

    /// How many blocks the chain referred to in this gateway's last round of upkeep.
    pub async fn referred(&self) -> Result<Option<u64>> {
        let sql = "SELECT referred FROM upkeep WHERE gateway = $1";
        let row = self.pool.first(sql, &[self.account.into()]).await?;
        row.map(|row| row.number("referred")).transpose()
    }

    pub async fn set_referred(&self, blocks: u64) -> Result<()> {
        let sql = "INSERT INTO upkeep (gateway, referred) VALUES ($1, $2)
                   ON CONFLICT (gateway) DO UPDATE SET referred = excluded.referred";
        self.pool
            .execute(sql, &[self.account.into(), blocks.into()])
            .await
            .map(|_| ())
    }

    /// Links the receipt to this gateway's chain; `None` where its nonce was seen before.
    pub async fn append_receipt(&self, checked: &Checked<'_>) -> Result<Option<ReadEntry>> {
        let receipt = &checked.request.receipt;
        // Before the tail is read: no two entries, of whatever process, get one place.
        let mut tx = self.pool.alone(&self.receipts_lock).await?;
        let seen = "SELECT sequence FROM receipt WHERE gateway = $1 AND nonce = $2";
        if tx
            .first(seen, &[self.account.into(), receipt.nonce.into()])
            .await?
            .is_some()
        {
            return Ok(None);
        }
        let tail = "SELECT sequence, hash FROM receipt WHERE gateway = $1 ORDER BY sequence DESC LIMIT 1";
        let (last, previous) = match tx.first(tail, &[self.account.into()]).await? {
            Some(row) => (row.number::<u64>("sequence")?, row.fixed("hash")?),
            None => (0, B256::ZERO),
        };
        let mut entry = ReadEntry {
            sequence: last + 1,
            receipt: receipt.clone(),
            signature: checked.request.signature.clone(),
            block: checked.block,
            block_hash: checked.block_hash,
            reason: reason::text(checked.reason).into(),
            reason_code: checked.reason,
            received_at: checked.received_at,
            previous,
            hash: B256::ZERO,
            anchor: None,
        };
        entry.hash = self.link_hash(&entry);
        tx.execute(
            "INSERT INTO receipt (gateway, sequence, chart, record_id, version, pointer, reader, organisation, purpose, read_at,
                nonce, signature, block_number, block_hash, reason, received_at, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
            &[
                self.account.into(),
                entry.sequence.into(),
                receipt.chart.into(),
                receipt.record_id.into(),
                receipt.version.into(),
                receipt.pointer.into(),
                receipt.reader.into(),
                receipt.organisation.into(),
                receipt.purpose.bit().into(),
                receipt.read_at.into(),
                receipt.nonce.into(),
                entry.signature[..].into(),
                entry.block.into(),
                entry.block_hash.into(),
                entry.reason_code.into(),
                entry.received_at.into(),
                entry.previous.into(),
                entry.hash.into(),
            ],
        )
        .await?;
        tx.commit().await?;
        Ok(Some(entry))
    }

    /// The newest receipt of whoever acts, for whom they act, for this version, at this gateway.
    pub async fn latest_receipt(
        &self,
        acting: Acting,
        (chart, record_id, version): Place,
    ) -> Result<Option<ReadEntry>> {
        let sql = "SELECT * FROM receipt WHERE gateway = $1 AND reader = $2 AND chart = $3 AND record_id = $4 AND version = $5
                   AND organisation = $6 ORDER BY sequence DESC LIMIT 1";
        let place = [
            self.account.into(),
            acting.account().into(),
            chart.into(),
            record_id.into(),
            version.into(),
            acting.organisation().into(),
        ];
        let row = self.pool.first(sql, &place).await?;
        row.as_ref().map(|row| self.entry(row)).transpose()
    }

    /// The receipt at this place in this gateway's chain.
    pub async fn receipt(&self, sequence: u64) -> Result<Option<ReadEntry>> {
        let sql = "SELECT * FROM receipt WHERE gateway = $1 AND sequence = $2";
        let row = self.pool.first(sql, &[self.account.into(), sequence.into()]).await?;
        row.as_ref().map(|row| self.entry(row)).transpose()
    }

    /// The reads of `chart` at this gateway after sequence `after`, ascending.
    pub async fn receipts(&self, chart: B256, after: u64, limit: u32) -> Result<Vec<ReadEntry>> {
        let sql =
            "SELECT * FROM receipt WHERE gateway = $1 AND chart = $2 AND sequence > $3 ORDER BY sequence LIMIT $4";
        let page = [self.account.into(), chart.into(), after.into(), limit.into()];
        let rows = self.pool.fetch(sql, &page).await?;
        rows.iter().map(|row| self.entry(row)).collect()
    }

    /// Notes what the envelope of a version links to, before it is removed. What was noted before stays.
    pub async fn note_erasure(&self, (chart, record_id, version): Place, payload: B256, now: u64) -> Result<()> {
        let sql = "INSERT INTO erasure (chart, record_id, version, payload, erased_at, confirmed)
                   VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING";
        let values = [
            chart.into(),
            record_id.into(),
            version.into(),
            payload.into(),
            now.into(),
        ];
        self.pool.execute(sql, &values).await.map(|_| ())
    }

    /// Notes whether every store has said that the envelope is gone.
    pub async fn confirm_erasure(&self, (chart, record_id, version): Place, is_confirmed: bool) -> Result<()> {
        let sql = "UPDATE erasure SET confirmed = $4 WHERE chart = $1 AND record_id = $2 AND version = $3";
        let confirmed = u8::from(is_confirmed);
        let values = [chart.into(), record_id.into(), version.into(), confirmed.into()];
        self.pool.execute(sql, &values).await.map(|_| ())
    }

    /// What was noted of the versions of a record.
    pub async fn erasures(&self, chart: B256, record_id: B256) -> Result<BTreeMap<u32, Erased>> {
        let sql = "SELECT * FROM erasure WHERE chart = $1 AND record_id = $2";
        let rows = self.pool.fetch(sql, &[chart.into(), record_id.into()]).await?;
        let erased = |row: &Row| {
            let erased = Erased {
                payload: row.fixed("payload")?,
                erased_at: row.number("erased_at")?,
                is_confirmed: row.number::<u8>("confirmed")? == 1,
            };
            Ok((row.number("version")?, erased))
        };
        rows.iter().map(erased).collect()
    }

    /// Keeps the sealed keys of a membership in the place of those before; `false` where the organisation has as many as it may have.
    pub async fn keep_membership(&self, membership: &Membership, now: u64) -> Result<bool> {
        let scope = &membership.scope;
        let (organisation, member) = (Address::from(scope.organisation), Address::from(scope.member));
        let mut tx = self.pool.alone(MEMBERSHIP_LOCK).await?;
        let others = "SELECT count(*) AS others FROM membership WHERE organisation = $1 AND member <> $2";
        let row = tx.first(others, &[organisation.into(), member.into()]).await?;
        let others: u64 = row.ok_or_else(|| impossible("others"))?.number("others")?;
        if others >= MEMBERS_MOST {
            return Ok(false);
        }
        tx.execute(
            "INSERT INTO membership (organisation, member, organisation_key_version, member_key_version, block, kept_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (organisation, member) DO UPDATE SET organisation_key_version = excluded.organisation_key_version,
                member_key_version = excluded.member_key_version, block = excluded.block, kept_at = excluded.kept_at",
            &[
                organisation.into(),
                member.into(),
                scope.organisation_key_version.into(),
                scope.member_key_version.into(),
                membership.encode()[..].into(),
                now.into(),
            ],
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The sealed keys of a membership, as they were given.
    pub async fn membership(&self, organisation: Address, member: Address) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT block FROM membership WHERE organisation = $1 AND member = $2";
        let row = self.pool.first(sql, &[organisation.into(), member.into()]).await?;
        let block = |row: Row| Ok(row.bytes("block")?.ok_or_else(|| impossible("block"))?.to_vec());
        row.map(block).transpose()
    }

    /// Which keys the sealed keys of a membership stand between: the organisation's and the member's, by their versions.
    pub async fn membership_versions(&self, organisation: Address, member: Address) -> Result<Option<(u32, u32)>> {
        let sql = "SELECT organisation_key_version, member_key_version FROM membership WHERE organisation = $1 AND member = $2";
        let row = self.pool.first(sql, &[organisation.into(), member.into()]).await?;
        row.map(|row| {
            Ok((
                row.number("organisation_key_version")?,
                row.number("member_key_version")?,
            ))
        })
        .transpose()
    }

    pub async fn drop_membership(&self, organisation: Address, member: Address) -> Result<()> {
        let sql = "DELETE FROM membership WHERE organisation = $1 AND member = $2";
        let values = [organisation.into(), member.into()];
        self.pool.execute(sql, &values).await.map(|_| ())
    }

    /// Keeps `kit` in the place of the chart's earlier one, whose released shares go with it.
    /// `set`: the digest of its share set, by which shares are known to be of it.
    pub async fn put_kit(
        &self,
        chart: B256,
        controller: Address,
        (kit, set): (&[u8], B256),
        custodians: &[Address],
    ) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        // First of all: this row is what two at a time wait for.
        tx.execute(
            "INSERT INTO emergency_kit (chart, controller, kit, share_set) VALUES ($1, $2, $3, $4)
             ON CONFLICT (chart) DO UPDATE SET controller = excluded.controller, kit = excluded.kit, share_set = excluded.share_set",
            &[chart.into(), controller.into(), kit.into(), set.into()],
        )
        .await?;
        tx.execute("DELETE FROM emergency_share WHERE chart = $1", &[chart.into()])
            .await?;
        tx.execute("DELETE FROM emergency_custodian WHERE chart = $1", &[chart.into()])
            .await?;
        for custodian in custodians {
            tx.execute(
                "INSERT INTO emergency_custodian (chart, custodian) VALUES ($1, $2)
                 ON CONFLICT DO NOTHING",
                &[chart.into(), (*custodian).into()],
            )
            .await?;
        }
        tx.commit().await
    }

    /// With all that was released of it.
    pub async fn remove_kit(&self, chart: B256) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        for sql in [
            "DELETE FROM emergency_share WHERE chart = $1",
            "DELETE FROM emergency_custodian WHERE chart = $1",
            "DELETE FROM emergency_kit WHERE chart = $1",
        ] {
            tx.execute(sql, &[chart.into()]).await?;
        }
        tx.commit().await
    }

    /// The kit of `chart` that stands, if `controller` put it there.
    pub async fn kit(&self, chart: B256, controller: Address) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT kit FROM emergency_kit WHERE chart = $1 AND controller = $2";
        let row = self.pool.first(sql, &[chart.into(), controller.into()]).await?;
        let kit = |row: Row| Ok(row.bytes("kit")?.ok_or_else(|| impossible("kit"))?.to_vec());
        row.map(kit).transpose()
    }

    /// Whether the kit of `chart` names `custodian`, who has not released its share to `party` for the emergency that ends at
    /// `until`.
    pub async fn is_release_due(&self, chart: B256, party: Address, custodian: Address, until: u64) -> Result<bool> {
        let sql = "SELECT c.custodian FROM emergency_custodian AS c
                   JOIN emergency_kit AS k ON k.chart = c.chart
                   LEFT JOIN emergency_share AS s
                      ON s.chart = c.chart AND s.custodian = c.custodian AND s.party = $2 AND s.until = $4 AND s.share_set = k.share_set
                   WHERE c.chart = $1 AND c.custodian = $3 AND s.custodian IS NULL";
        let values = [chart.into(), party.into(), custodian.into(), until.into()];
        Ok(self.pool.first(sql, &values).await?.is_some())
    }

    /// Keeps a share of `set` that `custodian` has sealed to `party`, as long as the kit that stands has that set; `false`: it has not any more.
    pub async fn put_release(
        &self,
        (chart, party, custodian): (B256, Address, Address),
        set: B256,
        share: &[u8],
        until: u64,
    ) -> Result<bool> {
        let sql = "INSERT INTO emergency_share (chart, party, custodian, share, until, share_set)
                   SELECT chart, $2, $3, $4, $5, share_set FROM emergency_kit WHERE chart = $1 AND share_set = $6
                   ON CONFLICT (chart, party, custodian)
                   DO UPDATE SET share = excluded.share, until = excluded.until, share_set = excluded.share_set";
        let values = [
            chart.into(),
            party.into(),
            custodian.into(),
            share.into(),
            until.into(),
            set.into(),
        ];
        Ok(self.pool.execute(sql, &values).await? == 1)
    }

    /// What custodians have sealed to `party` for the emergency that ends at `until`.
    pub async fn releases(&self, chart: B256, party: Address, until: u64) -> Result<Vec<(Address, Vec<u8>)>> {
        let sql = "SELECT s.custodian, s.share FROM emergency_share AS s
                   JOIN emergency_kit AS k ON k.chart = s.chart AND k.share_set = s.share_set
                   WHERE s.chart = $1 AND s.party = $2 AND s.until = $3 ORDER BY s.custodian";
        let rows = self
            .pool
            .fetch(sql, &[chart.into(), party.into(), until.into()])
            .await?;
        let release = |row: &Row| {
            let share = row.bytes("share")?.ok_or_else(|| impossible("share"))?;
            Ok((row.fixed("custodian")?, share.to_vec()))
        };
        rows.iter().map(release).collect()
    }

    /// Removes what was released for emergencies that are over.
    pub async fn remove_releases(&self, now: u64) -> Result<()> {
        let sql = "DELETE FROM emergency_share WHERE until <= $1";
        self.pool.execute(sql, &[now.into()]).await.map(|_| ())
    }

    /// For the relay's own tables.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    pub async fn ping(&self) -> Result<()> {
        self.pool.fetch("SELECT 1", &[]).await.map(|_| ())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn link_hash(&self, entry: &ReadEntry) -> B256 {
        entry.link_hash(self.deployment.chain_id, self.deployment.records)
    }

    async fn claim(&mut self) -> anyhow::Result<()> {
        let ours = self.deployment;
        self.pool
            .execute(
                "INSERT INTO deployment (id, chain_id, genesis_hash, records, challenge_key)
                 VALUES (1, $1, $2, $3, $4) ON CONFLICT DO NOTHING",
                &[
                    ours.chain_id.into(),
                    ours.genesis_hash.into(),
                    ours.records.into(),
                    self.challenge_key[..].into(),
                ],
            )
            .await?;
        let row = self.pool.first(DEPLOYMENT, &[]).await?;
        let row = row.context("the row of the deployment is gone")?;
        is_of(&row, self.deployment)?;
        self.challenge_key = row.fixed::<B256>("challenge_key")?.0;
        Ok(())
    }

    async fn check_tail(&self) -> anyhow::Result<()> {
        let sql = "SELECT * FROM receipt WHERE gateway = $1 ORDER BY sequence DESC LIMIT 1";
        if let Some(row) = self.pool.first(sql, &[self.account.into()]).await? {
            let entry = self.entry(&row)?;
            ensure!(
                entry.hash == self.link_hash(&entry),
                "receipt {} does not match its hash: it was altered; restore the database from a copy",
                entry.sequence
            );
        }
        Ok(())
    }

    fn entry(&self, row: &Row) -> Result<ReadEntry> {
        let reason_code: u8 = row.number("reason")?;
        Ok(ReadEntry {
            sequence: row.number("sequence")?,
            receipt: Receipt {
                chart: row.fixed("chart")?,
                record_id: row.fixed("record_id")?,
                version: row.number("version")?,
                pointer: row.fixed("pointer")?,
                reader: row.fixed("reader")?,
                organisation: row.fixed("organisation")?,
                purpose: Purpose::from_bit(row.number("purpose")?).ok_or_else(|| impossible("purpose"))?,
                gateway: row.fixed("gateway")?,
                read_at: row.number("read_at")?,
                nonce: row.fixed("nonce")?,
            },
            signature: row
                .bytes("signature")?
                .ok_or_else(|| impossible("signature"))?
                .to_vec()
                .into(),
            block: row.number("block_number")?,
            block_hash: row.fixed("block_hash")?,
            reason: reason::text(reason_code).into(),
            reason_code,
            received_at: row.number("received_at")?,
            previous: row.fixed("previous")?,
            hash: row.fixed("hash")?,
            anchor: None,
        })
    }
}

/// Refuses the tables of another deployment.
fn is_of(row: &Row, deployment: Deployment) -> anyhow::Result<()> {
    let ours = (deployment.chain_id, deployment.genesis_hash, deployment.records);
    let stored: (u64, B256, Address) = (
        row.number("chain_id")?,
        row.fixed("genesis_hash")?,
        row.fixed("records")?,
    );
    ensure!(
        stored == ours,
        "it belongs to another deployment ({stored:?}, not {ours:?}): move it away, or name another"
    );
    Ok(())
}

#[cfg(test)]
mod tests;
