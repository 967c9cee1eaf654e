//! Claims: what was submitted, how each came to where it stands, and what its insurer has set.
//!
//! Whether a claim still holds its service depends on the time: `medlock_abi::terms::claim_state::holds` tells, of a state and a deadline.
use super::{
    Page, Position, Result, View,
    answer::*,
    view::{page, paged, pick, valid},
};
use crate::{db::Row, tables::Value};
use alloy::primitives::{Address, B256, U256};
use medlock_abi::terms::claim_state;
use std::collections::HashMap;

/// A claim as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub claim: B256,
    pub chart: B256,
    pub provider: Address,
    pub insurer: Address,
    /// The provider, or its member.
    pub submitted_by: Address,
    pub document: B256,
    /// The same for the same service of the chart, whoever bills it.
    pub fingerprint: B256,
    /// ISO 4217.
    pub currency: u16,
    /// A commitment to the amount.
    pub billed: B256,
    /// Of the insurer's setting of the currency, whose token the claim is paid in.
    pub currency_version: u32,
    /// The service is held in the registry that insurers share, and otherwise in the insurer's own.
    pub shared: bool,
    /// The claim that held the service there before; zero: none.
    pub previous: B256,
    /// UNIX seconds.
    pub submitted_at: u64,
    /// `medlock_abi::terms::claim_state`.
    pub state: u8,
    pub serial: u8,
    /// UNIX seconds, of the last step.
    pub stepped_at: u64,
    /// UNIX seconds, of what is due next; 0: nothing is.
    pub deadline: u64,
    /// How often information was requested, and how often it was appealed.
    pub rounds: u8,
    pub appeals: u8,
    /// A commitment to what the last decision has approved; zero: nothing.
    pub amount: B256,
    /// Of the last decision, or of the reversal: `medlock_abi::terms::claim_reason`; 0: none.
    pub reason_code: u16,
    /// Of its submission.
    pub position: Position,
}

/// A step of a claim. What its event does not tell is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimStep {
    /// The claim's from here on; 1: it was submitted.
    pub serial: u8,
    /// The event's name in the ABI.
    pub event: String,
    pub state: u8,
    /// Who took it: a party, or its member.
    pub acted_by: Address,
    /// What came with it; of a payment outside of the chain the digest of its reference.
    pub document: B256,
    pub amount: B256,
    pub reason_code: u16,
    /// UNIX seconds; 0 of a review: what was due stays due.
    pub deadline: u64,
    pub token: Address,
    pub value: U256,
    pub tx_hash: B256,
    /// UNIX seconds.
    pub at: u64,
    pub position: Position,
}

/// A record that a claim rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimLink {
    pub record_id: B256,
    /// Of the version that is meant.
    pub pointer: B256,
    /// UNIX seconds: when the chain was first told of that version. `None`: it was not, before the claim.
    pub written_at: Option<u64>,
    /// UNIX seconds: the same of the record's first version.
    pub created_at: Option<u64>,
}

/// What there is to look for signs of fraud in, without opening a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimFacts {
    pub claim: Claim,
    pub links: Vec<ClaimLink>,
}

/// Whose claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimsOf {
    Chart(B256),
    Provider(Address),
    Insurer(Address),
}

/// Where an insurer's claims are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InsurerSetting {
    pub serial: u32,
    /// In the registry that insurers share.
    pub shared: bool,
    pub position: Position,
}

/// A currency of an insurer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencySetting {
    /// ISO 4217.
    pub currency: u16,
    pub version: u32,
    pub accepted: bool,
    /// Zero: none.
    pub token: Address,
    /// One minor unit is 10^`scale` units of the token.
    pub scale: u8,
    pub position: Position,
}

/// No state has this number.
const ANY_STATE: u8 = 0;

macro_rules! claims {
    ($when:ident, $which:literal) => {
        concat!(
            "SELECT c.claim, c.chart, c.provider, c.insurer, c.submitted_by, c.document, c.fingerprint, c.currency, c.billed,
                    c.currency_version, c.shared, c.previous, c.valid_from, b.time, s.serial, s.state, sb.time AS stepped_at,
                    CASE WHEN x.name = 'ReviewBegun' THEN p.deadline ELSE s.deadline END AS deadline,
                    (SELECT count(*) FROM claim_step AS r WHERE r.claim = c.claim AND r.valid_from < $1
                        AND r.state = 3) AS rounds,
                    (SELECT count(*) FROM claim_step AS r WHERE r.claim = c.claim AND r.valid_from < $1
                        AND r.state = 7) AS appeals,
                    d.amount, d.reason_code, s.reason_code AS own_reason
             FROM claim AS c
             JOIN block AS b ON b.number = c.valid_from >> 24
             JOIN claim_step AS s ON s.claim = c.claim AND ", valid!($when, "s"), "
             JOIN block AS sb ON sb.number = s.valid_from >> 24
             JOIN event AS x ON x.place = s.valid_from
             LEFT JOIN claim_step AS p ON p.claim = s.claim AND p.valid_to = s.valid_from
             LEFT JOIN claim_step AS d ON d.claim = c.claim AND d.valid_from = (
                SELECT max(a.valid_from) FROM claim_step AS a JOIN event AS y ON y.place = a.valid_from
                WHERE a.claim = c.claim AND a.valid_from < $1 AND y.name = 'Adjudicated')
             WHERE c.valid_from < $1 AND ", $which
        )
    };
}
/// $5: in this state alone; 0: in any.
macro_rules! claims_page {
    ($when:ident, $which:literal) => {
        concat!(claims!($when, $which), " AND ($5 = 0 OR s.state = $5)", page!("c"))
    };
}
/// Submitted since time $5.
macro_rules! claims_since {
    ($when:ident, $which:literal) => {
        concat!(
            claims!($when, $which),
            " AND c.valid_from >= coalesce(
                (SELECT number << 24 FROM block WHERE time >= $5 ORDER BY time, number LIMIT 1), $1)",
            page!("c")
        )
    };
}
macro_rules! of {
    ($view:ident, $of:ident, $sql:ident) => {
        match $of {
            ClaimsOf::Chart(_) => pick!($view, $sql, "c.chart = $2"),
            ClaimsOf::Provider(_) => pick!($view, $sql, "c.provider = $2"),
            ClaimsOf::Insurer(_) => pick!($view, $sql, "c.insurer = $2"),
        }
    };
}
/// A pointer that two versions share is taken for the earlier one's.
macro_rules! links {
    ($which:literal) => {
        concat!(
            "SELECT l.claim, l.record_id, l.pointer,
                    coalesce(
                        (SELECT r.created_at FROM record AS r WHERE r.chart = c.chart AND r.record_id = l.record_id
                            AND r.pointer = l.pointer AND r.valid_from < l.valid_from),
                        (SELECT min(v.created_at) FROM record_version AS v WHERE v.chart = c.chart
                            AND v.record_id = l.record_id AND v.pointer = l.pointer AND v.valid_from < l.valid_from)
                    ) AS written_at,
                    (SELECT f.created_at FROM record AS f WHERE f.chart = c.chart AND f.record_id = l.record_id
                        AND f.valid_from < l.valid_from) AS created_at
             FROM claim_link AS l
             JOIN claim AS c ON c.claim = l.claim
             WHERE l.valid_from < $1 AND ",
            $which,
            " ORDER BY l.valid_from, l.number"
        )
    };
}

impl View {
    pub async fn claim(&mut self, claim: B256) -> Result<Option<Claim>> {
        let sql = pick!(self, claims, "c.claim = $2");
        self.row(sql, vec![claim.into()], claim_row).await
    }

    /// Those that stand in `state`, if it is given, in the order in which they were submitted.
    pub async fn claims(&mut self, of: ClaimsOf, state: Option<u8>, page: Page) -> Result<Vec<Claim>> {
        let mut args = paged(of.key(), page);
        args.push(state.unwrap_or(ANY_STATE).into());
        self.rows(of!(self, of, claims_page), args, claim_row).await
    }

    /// All claims for one service of a chart, whichever provider bills it, and in whichever registry it is held.
    pub async fn claims_of_service(&mut self, fingerprint: B256, page: Page) -> Result<Vec<Claim>> {
        let mut args = paged(fingerprint, page);
        args.push(ANY_STATE.into());
        let sql = pick!(self, claims_page, "c.fingerprint = $2");
        self.rows(sql, args, claim_row).await
    }

    /// The last claim of a provider for a service in the registry of an insurer (`namespace`), or in that which insurers share (zero).
    pub async fn last_claim_of_service(
        &mut self,
        namespace: Address,
        provider: Address,
        fingerprint: B256,
    ) -> Result<Option<B256>> {
        const SQL: &str = "SELECT claim FROM claim
             WHERE valid_from < $1 AND fingerprint = $2 AND provider = $3 AND shared = $4 AND ($4 = 1 OR insurer = $5)
             ORDER BY valid_from DESC LIMIT 1";
        let args = vec![
            fingerprint.into(),
            provider.into(),
            namespace.is_zero().into(),
            namespace.into(),
        ];
        self.row(SQL, args, |row| b256(row, "claim")).await
    }

    /// How a claim came to where it stands: from its submission on. A claim has far less than 256 steps.
    pub async fn claim_steps(&mut self, claim: B256) -> Result<Vec<ClaimStep>> {
        const SQL: &str =
            "SELECT s.serial, s.state, s.acted_by, s.document, s.amount, s.reason_code, s.deadline, s.token, s.value,
                    s.valid_from, b.time, x.name, x.tx_hash
             FROM claim_step AS s
             JOIN block AS b ON b.number = s.valid_from >> 24
             JOIN event AS x ON x.place = s.valid_from
             WHERE s.valid_from < $1 AND s.claim = $2 ORDER BY s.valid_from";
        self.rows(SQL, vec![claim.into()], step_row).await
    }

    /// The records that a claim rests on.
    pub async fn claim_links(&mut self, claim: B256) -> Result<Vec<ClaimLink>> {
        const SQL: &str = links!("l.claim = $2");
        self.rows(SQL, vec![claim.into()], link_row).await
    }

    /// Claims that were submitted at `since` (UNIX seconds) or later, with what they rest on: for whoever looks for signs of fraud.
    pub async fn claim_facts(&mut self, of: ClaimsOf, since: u64, page: Page) -> Result<Vec<ClaimFacts>> {
        let mut args = paged(of.key(), page);
        args.push(clamp(since).into());
        let claims = self.rows(of!(self, of, claims_since), args, claim_row).await?;
        let (Some(first), Some(last)) = (claims.first(), claims.last()) else {
            return Ok(vec![]);
        };
        let sql = match of {
            ClaimsOf::Chart(_) => links!("c.chart = $2 AND c.valid_from >= $3 AND c.valid_from <= $4"),
            ClaimsOf::Provider(_) => links!("c.provider = $2 AND c.valid_from >= $3 AND c.valid_from <= $4"),
            ClaimsOf::Insurer(_) => links!("c.insurer = $2 AND c.valid_from >= $3 AND c.valid_from <= $4"),
        };
        let (from, to) = (first.position.place(), last.position.place());
        let mut links: HashMap<B256, Vec<ClaimLink>> = HashMap::new();
        for row in &self.fetch(sql, vec![of.key(), from.into(), to.into()]).await? {
            links.entry(b256(row, "claim")?).or_default().push(link_row(row)?);
        }
        let with_links = |claim: Claim| ClaimFacts {
            links: links.remove(&claim.claim).unwrap_or_default(),
            claim,
        };
        Ok(claims.into_iter().map(with_links).collect())
    }

    /// `None`: it has never set it, and does not share.
    pub async fn insurer_setting(&mut self, insurer: Address) -> Result<Option<InsurerSetting>> {
        const SQL: &str = concat!(
            "SELECT s.serial, s.shared, s.valid_from FROM insurer_setting AS s WHERE s.insurer = $2 AND ",
            valid!(then, "s")
        );
        self.row(SQL, vec![insurer.into()], insurer_setting_row).await
    }

    /// The latest version of each currency that the insurer has ever set, by number.
    pub async fn currency_settings(&mut self, insurer: Address) -> Result<Vec<CurrencySetting>> {
        const SQL: &str =
            "SELECT s.currency, s.version, s.accepted, s.token, s.scale, s.valid_from FROM currency_setting AS s
             WHERE s.insurer = $2 AND s.valid_from < $1 AND NOT EXISTS (
                SELECT 1 FROM currency_setting AS n
                WHERE n.insurer = s.insurer AND n.currency = s.currency AND n.version > s.version AND n.valid_from < $1)
             ORDER BY s.currency";
        self.rows(SQL, vec![insurer.into()], currency_setting_row).await
    }

    /// One version: what claims that were submitted under it are paid by.
    pub async fn currency_setting(
        &mut self,
        insurer: Address,
        currency: u16,
        version: u32,
    ) -> Result<Option<CurrencySetting>> {
        const SQL: &str = "SELECT currency, version, accepted, token, scale, valid_from FROM currency_setting
             WHERE insurer = $2 AND currency = $3 AND version = $4 AND valid_from < $1";
        let args = vec![insurer.into(), currency.into(), version.into()];
        self.row(SQL, args, currency_setting_row).await
    }
}

impl ClaimsOf {
    fn key(self) -> Value {
        match self {
            Self::Chart(chart) => chart.into(),
            Self::Provider(account) | Self::Insurer(account) => account.into(),
        }
    }
}

fn claim_row(row: &Row) -> Result<Claim> {
    let state = number(row, "state")?;
    let decided: Option<u16> = maybe(row, "reason_code")?;
    Ok(Claim {
        claim: b256(row, "claim")?,
        chart: b256(row, "chart")?,
        provider: address(row, "provider")?,
        insurer: address(row, "insurer")?,
        submitted_by: address(row, "submitted_by")?,
        document: b256(row, "document")?,
        fingerprint: b256(row, "fingerprint")?,
        currency: number(row, "currency")?,
        billed: b256(row, "billed")?,
        currency_version: number(row, "currency_version")?,
        shared: flag(row, "shared")?,
        previous: b256(row, "previous")?,
        submitted_at: number(row, "time")?,
        serial: number(row, "serial")?,
        stepped_at: number(row, "stepped_at")?,
        deadline: number(row, "deadline")?,
        rounds: number(row, "rounds")?,
        appeals: number(row, "appeals")?,
        amount: match decided {
            Some(_) => b256(row, "amount")?,
            None => B256::ZERO,
        },
        reason_code: match state {
            claim_state::REVERSED => number(row, "own_reason")?,
            _ => decided.unwrap_or(0),
        },
        state,
        position: position(row)?,
    })
}

fn step_row(row: &Row) -> Result<ClaimStep> {
    Ok(ClaimStep {
        serial: number(row, "serial")?,
        event: row.text("name")?.to_owned(),
        state: number(row, "state")?,
        acted_by: address(row, "acted_by")?,
        document: b256(row, "document")?,
        amount: b256(row, "amount")?,
        reason_code: number(row, "reason_code")?,
        deadline: number(row, "deadline")?,
        token: address(row, "token")?,
        value: b256(row, "value")?.into(),
        tx_hash: b256(row, "tx_hash")?,
        at: number(row, "time")?,
        position: position(row)?,
    })
}

fn link_row(row: &Row) -> Result<ClaimLink> {
    Ok(ClaimLink {
        record_id: b256(row, "record_id")?,
        pointer: b256(row, "pointer")?,
        written_at: maybe(row, "written_at")?,
        created_at: maybe(row, "created_at")?,
    })
}

fn insurer_setting_row(row: &Row) -> Result<InsurerSetting> {
    Ok(InsurerSetting {
        serial: number(row, "serial")?,
        shared: flag(row, "shared")?,
        position: position(row)?,
    })
}

fn currency_setting_row(row: &Row) -> Result<CurrencySetting> {
    Ok(CurrencySetting {
        currency: number(row, "currency")?,
        version: number(row, "version")?,
        accepted: flag(row, "accepted")?,
        token: address(row, "token")?,
        scale: number(row, "scale")?,
        position: position(row)?,
    })
}
