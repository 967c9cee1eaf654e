//! What was, beside what stands: grants with how they ended, versions with who wrote them for whom. For the FHIR facade, and for
//! whoever tells a chart's story.
use super::{
    IndexError, Result, View,
    answer::*,
    view::{paged, valid},
};
use crate::{
    db::Row,
    tables::{Value, end_of},
};
use alloy::primitives::{Address, B256};

/// A grant as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenGrant {
    /// With the keyring that it had last.
    pub grant: Grant,
    /// The directory version at which the pair's grants began.
    pub since: u32,
    /// Who gave it in the controller's place; `None`: the controller.
    pub delegate: Option<Address>,
    /// UNIX seconds, of the block that revoked it, or put another in its place. `None`: it stands, though perhaps expired.
    pub ended_at: Option<u64>,
}

/// A rule for one record that stands, though perhaps expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub record_id: B256,
    /// Zero: everybody but controller and delegates.
    pub grantee: Address,
    /// See `medlock_abi::terms::effect`.
    pub effect: u8,
    pub purposes: u32,
    pub actions: u8,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
    /// The chart's when the rule was set.
    pub directory_version: u32,
    /// The record's; `None`: there is no such record.
    pub compartment: Option<u8>,
    pub position: Position,
}

/// Whether the glass of a chart may be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmergencyAccess {
    pub chart: B256,
    /// False also where who controlled the chart before had allowed it.
    pub allowed: bool,
    /// The event that said so last.
    pub position: Position,
    /// UNIX seconds, of its block.
    pub set_at: u64,
}

/// A version of a record, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenVersion {
    pub record: Record,
    /// It is the record's newest.
    pub is_latest: bool,
    /// For whom the author wrote, as a member. Of several records that one author added in one transaction, the first one's.
    pub organisation: Option<Address>,
    /// The event of the version before.
    pub previous_position: Option<Position>,
    /// UNIX seconds: when it was superseded, or its record's status set last. Its own block's where neither happened.
    pub changed_at: u64,
}

impl WrittenVersion {
    /// This version's event.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            block_number: self.record.block_number,
            log_index: self.record.log_index,
        }
    }
}

/// Ended or not. A grant ends with its row, or with the epoch of its chart.
macro_rules! given {
    ($which:literal) => {
        concat!(
            "SELECT g.chart, g.grantee, g.epoch, g.compartments, g.purposes, g.actions, g.not_before, g.expiry, g.serial, g.since,
                    coalesce(k.digest, g.keyring) AS digest, g.valid_from, b.time, z.time AS ended_at, y.topics AS by_topics
             FROM grant_ AS g
             JOIN block AS b ON b.number = g.valid_from >> 24
             JOIN event AS x ON x.place = g.valid_from
             JOIN grant_epoch AS e ON e.chart = g.chart AND e.epoch = g.epoch AND e.valid_from < $1
             LEFT JOIN keyring AS k ON k.chart = g.chart AND k.grantee = g.grantee AND k.valid_from > g.valid_from
                AND k.valid_from < g.valid_to AND k.valid_from < $1
                AND k.valid_to >= CASE WHEN g.valid_to < $1 THEN g.valid_to ELSE $1 END
             LEFT JOIN block AS z ON CASE WHEN g.valid_to < e.valid_to THEN g.valid_to ELSE e.valid_to END < $1
                AND z.number = CASE WHEN g.valid_to < e.valid_to THEN g.valid_to ELSE e.valid_to END >> 24
             LEFT JOIN event AS y ON y.place = g.valid_from - 1 AND y.tx_hash = x.tx_hash AND y.contract = x.contract
                AND y.name = 'ByDelegate'
             WHERE g.valid_from < $1 AND ", $which
        )
    };
}
/// A version with what came before and after it. $5 has the compartments.
macro_rules! written {
    ($which:literal, $end:literal) => {
        concat!(
            "SELECT r.chart, r.record_id, r.compartment, r.valid_from, s.status,
                    v.version, v.author, v.codec, v.pointer, v.previous, v.created_at,
                    x.place, x.tx_hash, b.hash AS block_hash, b.time AS written_at,
                    CAST(CASE WHEN v.version = 1 THEN NULL ELSE coalesce(p.valid_from, r.valid_from) END AS BIGINT)
                        AS previous_place,
                    nb.time AS superseded_at, sb.time AS status_at,
                    l.place AS lead_place, l.name AS lead_name, l.topics AS lead_topics
             FROM (
                SELECT chart, record_id, 1 AS version, author, codec, pointer, NULL AS previous, created_at, valid_from
                FROM record WHERE ", $which, "
                UNION ALL
                SELECT chart, record_id, version, author, codec, pointer, previous, created_at, valid_from
                FROM record_version WHERE ", $which, "
             ) AS v
             JOIN record AS r ON r.chart = v.chart AND r.record_id = v.record_id
             JOIN event AS x ON x.place = v.valid_from
             JOIN block AS b ON b.number = v.valid_from >> 24
             LEFT JOIN record_status AS s ON s.chart = v.chart AND s.record_id = v.record_id
                AND s.valid_from < $1 AND s.valid_to >= $1
             LEFT JOIN block AS sb ON sb.number = s.valid_from >> 24
             LEFT JOIN record_version AS p ON p.chart = v.chart AND p.record_id = v.record_id AND p.version = v.version - 1
             LEFT JOIN record_version AS n ON n.chart = v.chart AND n.record_id = v.record_id AND n.version = v.version + 1
                AND n.valid_from < $1
             LEFT JOIN block AS nb ON nb.number = n.valid_from >> 24
             LEFT JOIN event AS l ON l.place = (
                SELECT max(e.place) FROM event AS e
                WHERE e.place < v.valid_from AND e.place >= v.valid_from - 128 AND e.tx_hash = x.tx_hash
                AND e.contract = x.contract AND e.name <> 'RecordAdded')
             WHERE v.valid_from < $1", $end
        )
    };
}
macro_rules! emergency_access {
    ($which:literal) => {
        concat!(
            "SELECT a.chart, a.valid_from, b.time,
                    CAST(CASE WHEN c.chart IS NULL THEN 0 ELSE a.allowed END AS BIGINT) AS allowed
             FROM emergency_access AS a
             JOIN block AS b ON b.number = a.valid_from >> 24
             LEFT JOIN chart AS c ON c.chart = a.chart AND c.control_epoch = a.control_epoch AND ",
            valid!(then, "c"),
            " WHERE ",
            valid!(then, "a"),
            " AND ",
            $which
        )
    };
}

impl View {
    /// The grants that were ever given on `chart`, by when.
    pub async fn given(&mut self, chart: B256, page: Page) -> Result<Vec<GivenGrant>> {
        const SQL: &str = given!("g.chart = $2 AND g.valid_from > $3 ORDER BY g.valid_from LIMIT $4");
        self.rows(SQL, paged(chart, page), given_row).await
    }

    /// Those of them that were given to `grantee`.
    pub async fn given_to(&mut self, chart: B256, grantee: Address, page: Page) -> Result<Vec<GivenGrant>> {
        const SQL: &str =
            given!("g.chart = $2 AND g.grantee = $5 AND g.valid_from > $3 ORDER BY g.valid_from LIMIT $4");
        let mut args = paged(chart, page);
        args.push(grantee.into());
        self.rows(SQL, args, given_row).await
    }

    /// The grant that this event gave.
    pub async fn given_at(&mut self, position: Position) -> Result<Option<GivenGrant>> {
        const SQL: &str = given!("g.valid_from = $2");
        self.row(SQL, vec![position.place().into()], given_row).await
    }

    /// The event of the grant that `grantee` had on `chart` at the end of `block`; expired or not.
    pub async fn granted_then(&mut self, chart: B256, grantee: Address, block: u64) -> Result<Option<Position>> {
        const SQL: &str = "SELECT valid_from FROM grant_
             WHERE valid_from < $1 AND chart = $2 AND grantee = $3 AND valid_from < $4 AND valid_to >= $4";
        let args = vec![chart.into(), grantee.into(), end_of(block).into()];
        self.row(SQL, args, position).await
    }

    /// The charts on which `grantee` was ever given a grant, in the order of their names, after `after`.
    pub async fn charts_given_to(&mut self, grantee: Address, after: B256, limit: u32) -> Result<Vec<B256>> {
        const SQL: &str = "SELECT DISTINCT chart FROM grant_
             WHERE valid_from < $1 AND grantee = $2 AND chart > $3 ORDER BY chart LIMIT $4";
        let args = vec![grantee.into(), after.into(), rows_most(limit).into()];
        self.rows(SQL, args, |row| b256(row, "chart")).await
    }

    /// The rules that stand on `chart`, for whomever.
    pub async fn rules(&mut self, chart: B256, page: Page) -> Result<Vec<Rule>> {
        const SQL: &str = concat!(
            "SELECT r.record_id, r.grantee, r.effect, r.purposes, r.actions, r.expiry, r.directory_version, r.valid_from,
                    c.compartment
             FROM rule AS r
             LEFT JOIN record AS c ON c.chart = r.chart AND c.record_id = r.record_id AND c.valid_from < $1
             WHERE ",
            valid!(then, "r"),
            " AND r.chart = $2 AND r.valid_from > $3 ORDER BY r.valid_from LIMIT $4"
        );
        self.rows(SQL, paged(chart, page), rule_row).await
    }

    /// Whether the glass of `chart` may be broken; `None`: nobody has ever said.
    pub async fn emergency_access(&mut self, chart: B256) -> Result<Option<EmergencyAccess>> {
        const SQL: &str = emergency_access!("a.chart = $2");
        self.row(SQL, vec![chart.into()], emergency_access_row).await
    }

    /// The same, where this event is the one that said so last.
    pub async fn emergency_access_at(&mut self, position: Position) -> Result<Option<EmergencyAccess>> {
        const SQL: &str = emergency_access!("a.valid_from = $2");
        self.row(SQL, vec![position.place().into()], emergency_access_row).await
    }

    /// All versions of records in `compartments` (bit n: compartment n), by their events; the page begins after one.
    pub async fn written(&mut self, chart: B256, compartments: u64, page: Page) -> Result<Vec<WrittenVersion>> {
        const SQL: &str = written!(
            "chart = $2 AND valid_from > $3",
            " AND (($5 >> CAST(r.compartment AS INTEGER)) & 1) = 1 ORDER BY v.valid_from LIMIT $4"
        );
        let mut args = paged(chart, page);
        args.push(Value::bits(compartments));
        self.rows(SQL, args, written_row).await
    }

    /// The version that this event wrote.
    pub async fn written_at(&mut self, position: Position) -> Result<Option<WrittenVersion>> {
        const SQL: &str = written!("valid_from = $2", "");
        self.row(SQL, vec![position.place().into()], written_row).await
    }

    /// The roles of the account's credential, in force or not; 0: it was never issued one.
    pub async fn roles(&mut self, account: Address) -> Result<u64> {
        const SQL: &str = concat!(
            "SELECT c.roles FROM credential AS c WHERE ",
            valid!(then, "c"),
            " AND c.party = $2"
        );
        let roles = self.row(SQL, vec![account.into()], |row| bits(row, "roles")).await?;
        Ok(roles.unwrap_or(0))
    }
}

fn given_row(row: &Row) -> Result<GivenGrant> {
    let grant = grant_row(row)?;
    let delegate = match row.bytes("by_topics")? {
        Some(topics) => party_of(topics, 1, grant.chart)?,
        None => None,
    };
    Ok(GivenGrant {
        since: number(row, "since")?,
        delegate,
        ended_at: maybe(row, "ended_at")?,
        grant,
    })
}

fn rule_row(row: &Row) -> Result<Rule> {
    Ok(Rule {
        record_id: b256(row, "record_id")?,
        grantee: address(row, "grantee")?,
        effect: number(row, "effect")?,
        purposes: number(row, "purposes")?,
        actions: number(row, "actions")?,
        expiry: number(row, "expiry")?,
        directory_version: number(row, "directory_version")?,
        compartment: maybe(row, "compartment")?,
        position: position(row)?,
    })
}

fn emergency_access_row(row: &Row) -> Result<EmergencyAccess> {
    Ok(EmergencyAccess {
        chart: b256(row, "chart")?,
        allowed: flag(row, "allowed")?,
        position: position(row)?,
        set_at: number(row, "time")?,
    })
}

fn written_row(row: &Row) -> Result<WrittenVersion> {
    let record = record_row(row)?;
    let place: i64 = number(row, "place")?;
    let lead: Option<i64> = maybe(row, "lead_place")?;
    // What was added in one call follows its ActedFor; an amendment follows its own at once.
    let leads = lead.is_some_and(|lead| record.version == 1 || lead == place - 1);
    let organisation = match row.bytes("lead_topics")? {
        Some(topics) if leads && row.text("lead_name")? == "ActedFor" => {
            let member = party_of(topics, 2, record.chart)?;
            let organisation = party_of(topics, 1, record.chart)?;
            organisation.filter(|_| member == Some(record.author))
        }
        _ => None,
    };
    let superseded: Option<u64> = maybe(row, "superseded_at")?;
    let set: Option<u64> = maybe(row, "status_at")?;
    let previous: Option<i64> = maybe(row, "previous_place")?;
    Ok(WrittenVersion {
        is_latest: superseded.is_none(),
        organisation,
        previous_position: previous.map(Position::of).transpose()?,
        changed_at: match superseded.max(set) {
            Some(changed_at) => changed_at,
            None => number(row, "written_at")?,
        },
        record,
    })
}

/// Of an event whose topics are its signature, a chart and accounts: account number `n`, from 1, where the chart is this one.
fn party_of(topics: &[u8], n: usize, chart: B256) -> Result<Option<Address>> {
    const CORRUPT: IndexError = IndexError::Corrupt { column: "topics" };
    let word = |n: usize| topics.get(32 * n..32 * (n + 1)).ok_or(CORRUPT);
    if word(1)? != chart.as_slice() {
        return Ok(None);
    }
    Ok(Some(Address::from_word(B256::from_slice(word(1 + n)?))))
}
