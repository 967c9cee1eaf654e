//! The tables as they stood at the end of one block.
use super::{
    IndexError, Result,
    answer::*,
    decision::{self, Asked, QUESTIONS_MOST, Tables},
};
use crate::{
    db::{Reading, Row},
    tables::{Value, end_of},
};
use alloy::primitives::{Address, B256};
use medlock_abi::{
    records::IRecords::Question,
    terms::{action, claim_state, credential_status, record_status, role},
};
use std::collections::BTreeSet;

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The newest indexed block.
    Latest,
    /// The state at the end of this block.
    Block(u64),
    /// The state at the end of the newest block at or before this time, in UNIX seconds; for times to come, as it stands.
    Time(u64),
}

/// One state of the tables, to ask: as of the end of [`View::block`], whatever is indexed meanwhile.
pub struct View {
    reading: Reading,
    block: Head,
    /// The block is the newest one: lists then come straight from their indexes.
    pub(super) latest: bool,
    /// What windows are judged at, in UNIX seconds. `None`: a block without events of ours, long past, whose time is not kept.
    at: Option<u64>,
    /// All that it was asked, so that a test can see how the databases go about it.
    #[cfg(test)]
    pub(crate) asked: Vec<(&'static str, Vec<Value>)>,
}

/// Rows of `$table` that are valid at place $1, the end of a block: of the newest block, or of any.
macro_rules! valid {
    (now, $table:literal) => {
        concat!(
            $table,
            ".valid_to = 9223372036854775807 AND ",
            $table,
            ".valid_from < $1"
        )
    };
    (then, $table:literal) => {
        concat!($table, ".valid_from < $1 AND ", $table, ".valid_to >= $1")
    };
}
pub(crate) use valid;
/// The statement of `$sql!` for this view.
macro_rules! pick {
    ($view:ident, $sql:ident $(, $arg:literal)*) => {
        if $view.latest { $sql!(now $(, $arg)*) } else { $sql!(then $(, $arg)*) }
    };
}
pub(super) use pick;
/// The end of a list's statement: after place $3, in order, $4 at most.
macro_rules! page {
    ($table:literal) => {
        concat!(
            " AND ",
            $table,
            ".valid_from > $3 ORDER BY ",
            $table,
            ".valid_from LIMIT $4"
        )
    };
}
pub(super) use page;
macro_rules! charts {
    ($when:ident, $which:literal) => {
        concat!(
            "SELECT c.chart, c.controller, c.control_epoch, e.epoch, d.version, d.digest,
                    c.valid_from, b.time
             FROM chart AS c
             JOIN grant_epoch AS e ON e.chart = c.chart AND ",
            valid!($when, "e"),
            "
             JOIN directory AS d ON d.chart = c.chart AND ",
            valid!($when, "d"),
            "
             JOIN block AS b ON b.number = c.valid_from >> 24
             WHERE ",
            valid!($when, "c"),
            " AND ",
            $which
        )
    };
}
macro_rules! charts_of {
    ($when:ident) => {
        concat!(charts!($when, "c.controller = $2"), page!("c"))
    };
}
macro_rules! records {
    ($when:ident) => {
        concat!(
            "SELECT r.chart, r.record_id, r.compartment, r.valid_from, s.status,
                    coalesce(v.version, 1) AS version, coalesce(v.author, r.author) AS author,
                    coalesce(v.codec, r.codec) AS codec, coalesce(v.pointer, r.pointer) AS pointer, v.previous,
                    coalesce(v.created_at, r.created_at) AS created_at,
                    x.place, x.tx_hash, b.hash AS block_hash
             FROM record AS r
             LEFT JOIN record_version AS v ON v.chart = r.chart AND v.record_id = r.record_id AND ",
            valid!($when, "v"),
            "
             LEFT JOIN record_status AS s ON s.chart = r.chart AND s.record_id = r.record_id AND ",
            valid!($when, "s"),
            "
             JOIN event AS x ON x.place = coalesce(v.valid_from, r.valid_from)
             JOIN block AS b ON b.number = x.place >> 24
             WHERE r.valid_from < $1 AND r.chart = $2
             AND (($5 >> CAST(r.compartment AS INTEGER)) & 1) = 1",
            page!("r")
        )
    };
}
/// Those from $4 on, $5 at most. The first version is the record itself.
macro_rules! versions {
    ($when:ident) => {
        concat!(
            "SELECT r.chart, r.record_id, r.compartment, r.valid_from, s.status,
                    v.version, v.author, v.codec, v.pointer, v.previous, v.created_at,
                    x.place, x.tx_hash, b.hash AS block_hash
             FROM record AS r
             JOIN (
                SELECT 1 AS version, author, codec, pointer, NULL AS previous, created_at, valid_from
                FROM record WHERE chart = $2 AND record_id = $3
                UNION ALL
                SELECT version, author, codec, pointer, previous, created_at, valid_from
                FROM record_version WHERE chart = $2 AND record_id = $3
             ) AS v ON v.version >= $4 AND v.valid_from < $1
             LEFT JOIN record_status AS s ON s.chart = r.chart AND s.record_id = r.record_id AND ",
            valid!($when, "s"),
            "
             JOIN event AS x ON x.place = v.valid_from
             JOIN block AS b ON b.number = x.place >> 24
             WHERE r.chart = $2 AND r.record_id = $3 ORDER BY v.version LIMIT $5"
        )
    };
}
macro_rules! grants {
    ($when:ident, $which:literal) => {
        concat!(
            "SELECT g.chart, g.grantee, g.epoch, g.compartments, g.purposes, g.actions, g.not_before, g.expiry, g.serial,
                    coalesce(k.digest, g.keyring) AS digest, g.valid_from, b.time
             FROM grant_ AS g
             JOIN grant_epoch AS e ON e.chart = g.chart AND e.epoch = g.epoch AND ", valid!($when, "e"), "
             LEFT JOIN keyring AS k ON k.chart = g.chart AND k.grantee = g.grantee AND ", valid!($when, "k"), "
             JOIN block AS b ON b.number = g.valid_from >> 24
             WHERE ", valid!($when, "g"), " AND ", $which
        )
    };
}
macro_rules! grants_page {
    ($when:ident, $which:literal) => {
        concat!(grants!($when, $which), page!("g"))
    };
}
macro_rules! party {
    ($when:ident) => {
        concat!(
            "SELECT c.issuer, c.roles, c.expiry, c.document, cb.time AS issued_at,
                    CAST(CASE WHEN i.issuer IS NULL THEN 0 ELSE 1 END AS BIGINT) AS issuer_active,
                    s.status, k.version, k.suite, k.key, kb.time AS key_valid_from, rb.time AS key_revoked_at
             FROM (SELECT $2 AS account) AS a
             LEFT JOIN credential AS c ON c.party = a.account AND ",
            valid!($when, "c"),
            "
             LEFT JOIN block AS cb ON cb.number = c.valid_from >> 24
             LEFT JOIN credential_status AS s ON s.party = a.account AND ",
            valid!($when, "s"),
            "
             LEFT JOIN issuer AS i ON i.issuer = c.issuer AND i.epoch = c.issuer_epoch AND ",
            valid!($when, "i"),
            "
             LEFT JOIN party_key AS k ON k.party = a.account AND ",
            valid!($when, "k"),
            "
             LEFT JOIN block AS kb ON kb.number = k.valid_from >> 24
             LEFT JOIN key_revocation AS r ON r.party = k.party AND r.version = k.version AND r.valid_from < $1
             LEFT JOIN block AS rb ON rb.number = r.valid_from >> 24"
        )
    };
}
macro_rules! may_act_for {
    ($when:ident) => {
        concat!(
            "SELECT count(*) AS members FROM member AS m
             JOIN credential AS c ON c.party = m.organisation
             JOIN credential_status AS s ON s.party = c.party
             JOIN issuer AS i ON i.issuer = c.issuer AND i.epoch = c.issuer_epoch
             WHERE m.organisation = $2 AND m.member = $3 AND c.roles & $4 = $4 AND s.status = $5
             AND (m.expiry = 0 OR m.expiry > $6) AND (c.expiry = 0 OR c.expiry > $6) AND ",
            valid!($when, "m"),
            " AND ",
            valid!($when, "c"),
            " AND ",
            valid!($when, "s"),
            " AND ",
            valid!($when, "i")
        )
    };
}
macro_rules! members {
    ($when:ident, $which:literal) => {
        concat!(
            "SELECT m.organisation, m.member, m.expiry, m.valid_from, b.time FROM member AS m
             JOIN block AS b ON b.number = m.valid_from >> 24
             WHERE ",
            valid!($when, "m"),
            " AND ",
            $which,
            page!("m")
        )
    };
}
/// Whoever may have a way to read record $3 of chart $2, after account $4, $5 at most.
macro_rules! candidates {
    ($when:ident) => {
        concat!(
            "SELECT account FROM (
                SELECT c.controller AS account FROM chart AS c WHERE c.chart = $2 AND ",
            valid!($when, "c"),
            "
                UNION SELECT g.grantee FROM grant_ AS g WHERE g.chart = $2 AND ",
            valid!($when, "g"),
            "
                UNION SELECT d.delegate FROM delegate AS d WHERE d.chart = $2 AND ",
            valid!($when, "d"),
            "
                UNION SELECT y.party FROM emergency AS y WHERE y.chart = $2 AND ",
            valid!($when, "y"),
            "
                UNION SELECT r.grantee FROM rule AS r WHERE r.chart = $2 AND r.record_id = $3 AND ",
            valid!($when, "r"),
            "
             ) AS a WHERE account > $4 ORDER BY account LIMIT $5"
        )
    };
}
macro_rules! live {
    ($when:ident) => {
        concat!(
            "SELECT d.digest FROM directory AS d WHERE ",
            valid!($when, "d"),
            "
             UNION
             SELECT coalesce(k.digest, g.keyring) FROM grant_ AS g
             JOIN grant_epoch AS e ON e.chart = g.chart AND e.epoch = g.epoch AND ",
            valid!($when, "e"),
            "
             LEFT JOIN keyring AS k ON k.chart = g.chart AND k.grantee = g.grantee AND ",
            valid!($when, "k"),
            "
             WHERE ",
            valid!($when, "g"),
            "
             UNION
             SELECT v.pointer FROM (
                SELECT chart, record_id, pointer FROM record WHERE valid_from < $1
                UNION ALL SELECT chart, record_id, pointer FROM record_version WHERE valid_from < $1
             ) AS v
             LEFT JOIN record_status AS s ON s.chart = v.chart AND s.record_id = v.record_id AND ",
            valid!($when, "s"),
            "
             WHERE s.status IS NULL OR s.status <> $2
             UNION
             SELECT document FROM claim_step WHERE valid_from < $1 AND document <> $3 AND state <> $4"
        )
    };
}
macro_rules! statistics {
    ($when:ident) => {
        concat!(
            "SELECT (SELECT count(*) FROM event WHERE place < $1) AS events,
                    (SELECT count(*) FROM chart AS c WHERE ", valid!($when, "c"), ") AS charts,
                    (SELECT count(*) FROM record WHERE valid_from < $1) AS records,
                    (SELECT count(*) FROM record_version WHERE valid_from < $1) AS amendments,
                    (SELECT count(*) FROM grant_ AS g
                     JOIN grant_epoch AS e ON e.chart = g.chart AND e.epoch = g.epoch AND ", valid!($when, "e"), "
                     WHERE ", valid!($when, "g"), ") AS grants,
                    (SELECT count(*) FROM credential_status AS s WHERE s.status = $2 AND ", valid!($when, "s"), ")
                        AS credentials,
                    (SELECT count(*) FROM party_key WHERE valid_from < $1) AS keys,
                    (SELECT count(*) FROM anchor WHERE valid_from < $1) AS anchors,
                    (SELECT CAST(coalesce(sum(receipts), 0) AS BIGINT) FROM anchor WHERE valid_from < $1) AS receipts"
        )
    };
}

impl View {
    pub(crate) async fn open(mut reading: Reading, when: When) -> Result<Self> {
        macro_rules! block {
            ($which:literal) => {
                concat!(
                    "SELECT b.number, b.hash, b.time, c.safe, c.finalized, (SELECT max(number) FROM block) AS newest
                     FROM block AS b JOIN chain AS c ON c.id = 1 WHERE b.number = ",
                    $which
                )
            };
        }
        const NEWEST: &str = block!("(SELECT max(number) FROM block WHERE number <= $1)");
        // Before the first of all blocks, there was nothing.
        const AT: &str =
            block!("coalesce((SELECT number FROM block WHERE time <= $1 ORDER BY time DESC, number DESC LIMIT 1), 0)");
        let (sql, which) = match when {
            When::Latest => (NEWEST, i64::MAX),
            When::Block(number) => (NEWEST, clamp(number)),
            When::Time(at) => (AT, clamp(at)),
        };
        let rows = reading.fetch(sql, &[Value::Int(which)]).await?;
        let row = rows.first().ok_or(IndexError::Corrupt { column: "number" })?;
        let (block, newest) = (head_row(row)?, number::<u64>(row, "newest")?);
        let at = match when {
            When::Block(wanted) if wanted > newest => {
                return Err(IndexError::Ahead { wanted, head: newest });
            }
            When::Block(wanted) if wanted != block.number => None,
            When::Latest | When::Block(_) => Some(block.time),
            When::Time(at) => Some(at),
        };
        Ok(Self {
            reading,
            latest: block.number == newest,
            block,
            at,
            #[cfg(test)]
            asked: vec![],
        })
    }

    /// The block that every answer speaks of: the newest indexed one with an event of ours, or newer, that is not after what was
    /// asked for. No event of ours stands between the two.
    pub fn block(&self) -> Head {
        self.block
    }

    pub async fn chart(&mut self, chart: B256) -> Result<Option<Chart>> {
        let sql = pick!(self, charts, "c.chart = $2");
        self.row(sql, vec![chart.into()], chart_row).await
    }

    /// The charts that `controller` controls.
    pub async fn charts_of(&mut self, controller: Address, page: Page) -> Result<Vec<Chart>> {
        let sql = pick!(self, charts_of);
        self.rows(sql, paged(controller, page), chart_row).await
    }

    /// The latest version of each record in `compartments` (bit n: compartment n), in the order in which they were added.
    pub async fn records(&mut self, chart: B256, compartments: u64, page: Page) -> Result<Vec<Record>> {
        let mut args = paged(chart, page);
        args.push(Value::bits(compartments));
        self.rows(pick!(self, records), args, record_row).await
    }

    /// The versions of a record after version `after` (0: from the first), ascending, at most [`PAGE_MOST`].
    /// Empty where there is no such record.
    pub async fn versions(&mut self, chart: B256, record_id: B256, after: u32) -> Result<Vec<Record>> {
        let first = u64::from(after) + 1;
        self.some_versions(chart, record_id, first, PAGE_MOST).await
    }

    pub async fn record_version(&mut self, chart: B256, record_id: B256, version: u32) -> Result<Option<Record>> {
        let found = self.some_versions(chart, record_id, version.into(), 1).await?;
        Ok(found.into_iter().find(|found| found.version == version))
    }

    async fn some_versions(&mut self, chart: B256, record_id: B256, first: u64, most: u32) -> Result<Vec<Record>> {
        let args = vec![chart.into(), record_id.into(), Value::Int(clamp(first)), most.into()];
        self.rows(pick!(self, versions), args, record_row).await
    }

    /// The grants that stand on `chart`.
    pub async fn grants(&mut self, chart: B256, page: Page) -> Result<Vec<Grant>> {
        let sql = pick!(self, grants_page, "g.chart = $2");
        self.rows(sql, paged(chart, page), grant_row).await
    }

    /// The grants that stand and were given to `grantee`.
    pub async fn grants_to(&mut self, grantee: Address, page: Page) -> Result<Vec<Grant>> {
        let sql = pick!(self, grants_page, "g.grantee = $2");
        self.rows(sql, paged(grantee, page), grant_row).await
    }

    /// The grant of `grantee` on `chart`, where it stands.
    pub async fn grant(&mut self, chart: B256, grantee: Address) -> Result<Option<Grant>> {
        let sql = pick!(self, grants, "g.chart = $2 AND g.grantee = $3");
        self.row(sql, vec![chart.into(), grantee.into()], grant_row).await
    }

    /// The account's credential and newest key; both `None` where the registry knows nothing of it.
    pub async fn party(&mut self, account: Address) -> Result<Party> {
        let rows = self.fetch(pick!(self, party), vec![account.into()]).await?;
        let row = rows.first().ok_or(IndexError::Corrupt { column: "account" })?;
        let credential = match row.bytes("issuer")? {
            None => None,
            Some(_) => Some(Credential {
                issuer: address(row, "issuer")?,
                issuer_active: flag(row, "issuer_active")?,
                status: number(row, "status")?,
                roles: bits(row, "roles")?,
                issued_at: number(row, "issued_at")?,
                expiry: number(row, "expiry")?,
                document: b256(row, "document")?,
            }),
        };
        let key = match row.bytes("key")? {
            None => None,
            Some(_) => Some(PartyKey {
                version: number(row, "version")?,
                suite: number(row, "suite")?,
                key: bytes(row, "key")?,
                valid_from: number(row, "key_valid_from")?,
                revoked_at: maybe(row, "key_revoked_at")?,
            }),
        };
        Ok(Party {
            account,
            credential,
            key,
        })
    }

    /// What `mayActForAt` of the registry says: whether `member` is a member of the organisation, and that has a credential in
    /// force with ORGANISATION and every bit of `roles`.
    pub async fn may_act_for(&mut self, organisation: Address, member: Address, roles: u64) -> Result<bool> {
        let at = self.time()?;
        let args = vec![
            organisation.into(),
            member.into(),
            Value::bits(roles | role::ORGANISATION),
            credential_status::ISSUED.into(),
            Value::Int(clamp(at)),
        ];
        let rows = self.fetch(pick!(self, may_act_for), args).await?;
        let row = rows.first().ok_or(IndexError::Corrupt { column: "members" })?;
        flag(row, "members")
    }

    /// Who was made a member of `organisation` and was not removed; whether that still counts is for [`View::may_act_for`].
    pub async fn members(&mut self, organisation: Address, page: Page) -> Result<Vec<Member>> {
        let sql = pick!(self, members, "m.organisation = $2");
        self.rows(sql, paged(organisation, page), member_row).await
    }

    /// The organisations that made `member` one.
    pub async fn memberships(&mut self, member: Address, page: Page) -> Result<Vec<Member>> {
        let sql = pick!(self, members, "m.member = $2");
        self.rows(sql, paged(member, page), member_row).await
    }

    /// What `decide` of the contract says, or said. For a time, windows are judged at that time.
    ///
    /// The index lags the chain by moments: whether someone may read *now* is for the contract to say (ADR 7).
    pub async fn decide(&mut self, questions: &[Question]) -> Result<Vec<Decision>> {
        let (at, block) = (self.time()?, self.block.number);
        let mut answers = Vec::with_capacity(questions.len());
        for some in questions.chunks(QUESTIONS_MOST) {
            let asked = |question: &Question| Asked {
                question: question.clone(),
                at,
                is_present: false,
            };
            let asked: Vec<_> = some.iter().map(asked).collect();
            let tables = Tables::Of(&mut self.reading);
            answers.extend(decision::answers(&asked, Some(block), tables).await?);
        }
        Ok(answers)
    }

    /// Who could read this record for `purpose` (one bit), by account, after `after` (zero: from the first): at most `limit`
    /// accounts are looked at, and at most [`PAGE_MOST`]. The second value is where to go on, while there are more to look at.
    /// Empty where there is no such record.
    pub async fn readers(
        &mut self,
        chart: B256,
        record_id: B256,
        purpose: u32,
        after: Address,
        limit: u32,
    ) -> Result<(Vec<Reader>, Option<Address>)> {
        let Some(record) = self.some_versions(chart, record_id, 1, 1).await?.pop() else {
            return Ok((vec![], None));
        };
        let limit = rows_most(limit);
        let args = vec![chart.into(), record_id.into(), after.into(), limit.into()];
        let rows = self.fetch(pick!(self, candidates), args).await?;
        let accounts: Vec<Address> = rows.iter().map(|row| address(row, "account")).collect::<Result<_>>()?;
        let more = accounts.last().copied().filter(|_| accounts.len() == limit as usize);
        let question = |grantee: &Address| Question {
            chart,
            grantee: *grantee,
            member: Address::ZERO,
            compartment: record.compartment,
            recordId: record_id,
            purpose,
            action: action::READ,
        };
        let questions: Vec<_> = accounts.iter().map(question).collect();
        let answers = self.decide(&questions).await?;
        let readers = accounts.into_iter().zip(answers).filter(|(_, answer)| answer.allowed);
        let readers = readers.map(|(account, answer)| Reader {
            account,
            reason: answer.reason,
        });
        Ok((readers.collect(), more))
    }

    /// The anchors of `gateway` from number `first` on, ascending, at most [`PAGE_MOST`].
    pub async fn anchors(&mut self, gateway: Address, first: u64) -> Result<Vec<Anchor>> {
        const SQL: &str = "SELECT a.gateway, a.number, a.anchor, a.previous, a.root, a.receipts, a.valid_from, b.time,
                CAST(CASE WHEN EXISTS (
                    SELECT 1 FROM equivocation AS e
                    WHERE e.gateway = a.gateway AND e.number = a.number AND e.valid_from < $1
                ) THEN 1 ELSE 0 END AS BIGINT) AS equivocated
             FROM anchor AS a JOIN block AS b ON b.number = a.valid_from >> 24
             WHERE a.valid_from < $1 AND a.gateway = $2 AND a.number >= $3 ORDER BY a.number LIMIT $4";
        let args = vec![gateway.into(), Value::Int(clamp(first)), PAGE_MOST.into()];
        self.rows(SQL, args, anchor_row).await
    }

    /// All that the chain refers to in the block store.
    pub async fn live(&mut self) -> Result<Live> {
        // What stands beside a payment is the digest of its reference, and no document.
        let args = vec![
            record_status::SHREDDED.into(),
            B256::ZERO.into(),
            claim_state::PAID.into(),
        ];
        let rows = self.fetch(pick!(self, live), args).await?;
        let digests: BTreeSet<B256> = rows.iter().map(|row| b256(row, "digest")).collect::<Result<_>>()?;
        const LEAVES: &str = "SELECT CAST(
                coalesce((SELECT sum(leaves) FROM batch WHERE valid_from < $1), 0)
                    - (SELECT count(*) FROM event WHERE name = 'RecordTakenFromBatch' AND place < $1) AS BIGINT)
                AS leaves";
        let rows = self.fetch(LEAVES, vec![]).await?;
        let row = rows.first().ok_or(IndexError::Corrupt { column: "leaves" })?;
        Ok(Live {
            head: self.block,
            digests: digests.into_iter().collect(),
            leaves_not_taken: number(row, "leaves")?,
        })
    }

    /// Counts every row there is: for a report, not for each request.
    pub async fn statistics(&mut self) -> Result<Statistics> {
        let sql = pick!(self, statistics);
        let rows = self.fetch(sql, vec![credential_status::ISSUED.into()]).await?;
        let row = rows.first().ok_or(IndexError::Corrupt { column: "events" })?;
        Ok(Statistics {
            events: number(row, "events")?,
            charts: number(row, "charts")?,
            records: number(row, "records")?,
            amendments: number(row, "amendments")?,
            grants: number(row, "grants")?,
            credentials: number(row, "credentials")?,
            keys: number(row, "keys")?,
            anchors: number(row, "anchors")?,
            receipts: number(row, "receipts")?,
        })
    }

    /// What windows are judged at.
    fn time(&self) -> Result<u64> {
        self.at.ok_or(IndexError::TimeNotKept {
            block: self.block.number,
        })
    }

    /// $1 is the end of the block, `args` go on from $2.
    pub(super) async fn fetch(&mut self, sql: &'static str, mut args: Vec<Value>) -> Result<Vec<Row>> {
        args.insert(0, end_of(self.block.number).into());
        #[cfg(test)]
        self.asked.push((sql, args.clone()));
        Ok(self.reading.fetch(sql, &args).await?)
    }

    pub(super) async fn rows<T>(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
        read: fn(&Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.fetch(sql, args).await?.iter().map(read).collect()
    }

    pub(super) async fn row<T>(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
        read: fn(&Row) -> Result<T>,
    ) -> Result<Option<T>> {
        self.fetch(sql, args).await?.first().map(read).transpose()
    }
}

/// $2: whose list; $3 and $4: where the page begins, and how long it is.
pub(super) fn paged(key: impl Into<Value>, page: Page) -> Vec<Value> {
    let (after, limit) = page.bounds();
    vec![key.into(), after.into(), limit.into()]
}
