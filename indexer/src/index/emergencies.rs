//! Broken glass, as the events tell it. Whether an emergency still holds is for the chain to say: it also ends with the chart's
//! grants, with its emergency access and with its controller.
use super::{Page, Position, Result, View, answer::*};
use crate::db::Row;
use alloy::primitives::{Address, B256};

/// One opening of a chart by one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    pub chart: B256,
    pub party: Address,
    /// Whose credential was used; zero: the party's own.
    pub organisation: Address,
    /// Bit n: compartment n.
    pub compartments: u64,
    /// `medlock_abi::terms::emergency`.
    pub reason_code: u16,
    /// UNIX seconds.
    pub opened_at: u64,
    /// UNIX seconds: when its time is over, unless it was ended before.
    pub until: u64,
    /// UNIX seconds: when it was closed before its time. `None`: it was not.
    pub closed_at: Option<u64>,
    pub position: Position,
}

macro_rules! emergencies {
    ($which:literal) => {
        concat!(
            "SELECT e.chart, e.party, e.organisation, e.compartments, e.reason_code, e.until, e.valid_from, b.time,
                    z.time AS ended_at
             FROM emergency AS e
             JOIN block AS b ON b.number = e.valid_from >> 24
             LEFT JOIN block AS z ON e.valid_to < $1 AND z.number = e.valid_to >> 24
             WHERE e.valid_from < $1 AND ",
            $which
        )
    };
}

impl View {
    /// Those on `chart`, ended or not, newest first: at most `limit` that came before `before`, if it is given.
    pub async fn emergencies(&mut self, chart: B256, before: Option<Position>, limit: u32) -> Result<Vec<Emergency>> {
        const SQL: &str = emergencies!("e.valid_from < $3 AND e.chart = $2 ORDER BY e.valid_from DESC LIMIT $4");
        let args = vec![chart.into(), place_before(before).into(), rows_most(limit).into()];
        self.rows(SQL, args, emergency_row).await
    }

    /// Those of them that are of `party`.
    pub async fn emergencies_of(
        &mut self,
        chart: B256,
        party: Address,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Emergency>> {
        const SQL: &str =
            emergencies!("e.valid_from < $3 AND e.chart = $2 AND e.party = $5 ORDER BY e.valid_from DESC LIMIT $4");
        let most = rows_most(limit);
        let args = vec![chart.into(), place_before(before).into(), most.into(), party.into()];
        self.rows(SQL, args, emergency_row).await
    }

    /// Those on whatever chart that nobody has closed, and whose time was not over at the view's block.
    pub async fn open_emergencies(&mut self, page: Page) -> Result<Vec<Emergency>> {
        // By the place in the chain, which has an index: nothing that is open was opened before the first block that is as young
        // as the time box is long.
        const SQL: &str = emergencies!(
            "e.valid_to >= $1 AND e.until > $2 AND e.valid_from > $3
             AND e.valid_from >= coalesce((SELECT number << 24 FROM block WHERE time >= $5 ORDER BY time, number LIMIT 1), $1)
             ORDER BY e.valid_from LIMIT $4"
        );
        let now = self.block().time;
        let since = now.saturating_sub(medlock_abi::terms::emergency::OPEN_S);
        let (after, limit) = page.bounds();
        let args = vec![clamp(now).into(), after.into(), limit.into(), clamp(since).into()];
        self.rows(SQL, args, emergency_row).await
    }
}

fn place_before(before: Option<Position>) -> i64 {
    before.map_or(i64::MAX, Position::place)
}

fn emergency_row(row: &Row) -> Result<Emergency> {
    let until = number(row, "until")?;
    let ended_at: Option<u64> = maybe(row, "ended_at")?;
    Ok(Emergency {
        chart: b256(row, "chart")?,
        party: address(row, "party")?,
        organisation: address(row, "organisation")?,
        compartments: bits(row, "compartments")?,
        reason_code: number(row, "reason_code")?,
        opened_at: number(row, "time")?,
        // The next opening ends the row too, and comes long after.
        closed_at: ended_at.filter(|ended_at| *ended_at < until),
        until,
        position: position(row)?,
    })
}
