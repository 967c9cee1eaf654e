//! All that a decision may depend on, in one statement that looks up by key.
use super::{Decision, IndexError, Result, answer::*};
use crate::{
    db::Row,
    decide::{DelegateFacts, EmergencyFacts, Facts, GrantFacts, RecordFacts, RuleFacts, decide},
    tables::Value,
};
use alloy::primitives::Address;
use medlock_abi::{
    records::IRecords::Question,
    terms::{credential_status, reason, role},
};
use std::sync::LazyLock;

/// Questions in one statement, the largest number that fits first; each is prepared once.
pub const SIZES: [usize; 3] = [64, 8, 1];
/// What a question binds: its place, chart, grantee, record, member.
const FIELDS: usize = 5;
/// What all questions have in common, bound first: $1 the block, or NULL for the newest that is not after the time, $2 nobody,
/// $3 the role of organisations, $4 the status of credentials that are issued, $5 the time.
const COMMON: usize = 5;

/// Rows of `$table` that were valid at the end of the block asked about.
macro_rules! valid {
    ($table:literal) => {
        concat!(
            $table,
            ".valid_from_block <= b.number AND ",
            $table,
            ".valid_to_block > b.number"
        )
    };
}

/// The same for a table whose rows never end.
macro_rules! there {
    ($table:literal) => {
        concat!($table, ".valid_from_block <= b.number")
    };
}

const FACTS: &str = concat!(
    "SELECT q.n, b.number, b.hash, b.time, f.safe, f.finalized,
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
            CAST(CASE WHEN q.member = $2 OR EXISTS (
                SELECT 1 FROM member AS m
                JOIN credential AS mc ON mc.party = m.organisation
                JOIN credential_status AS ms ON ms.party = mc.party
                JOIN issuer AS mi ON mi.issuer = mc.issuer AND mi.epoch = mc.issuer_epoch
                WHERE m.organisation = q.grantee AND m.member = q.member AND mc.roles & $3 = $3 AND ms.status = $4
                AND (m.expiry = 0 OR m.expiry > $5) AND (mc.expiry = 0 OR mc.expiry > $5)
                AND ",
    valid!("m"),
    " AND ",
    valid!("mc"),
    " AND ",
    valid!("ms"),
    " AND ",
    valid!("mi"),
    ") THEN 1 ELSE 0 END AS BIGINT) AS may_act
     FROM q
     JOIN block AS b ON b.number = coalesce(
        $1, (SELECT number FROM block WHERE time <= $5 ORDER BY time DESC, number DESC LIMIT 1), 0)
     JOIN chain AS f ON f.id = 1
     LEFT JOIN chart AS c ON c.chart = q.chart AND ",
    valid!("c"),
    " LEFT JOIN grant_epoch AS e ON e.chart = q.chart AND ",
    valid!("e"),
    " LEFT JOIN grant_ AS g ON g.chart = q.chart AND g.grantee = q.grantee AND ",
    valid!("g"),
    " LEFT JOIN record AS r ON r.chart = q.chart AND r.record_id = q.record_id AND ",
    there!("r"),
    " LEFT JOIN record_status AS rs ON rs.chart = q.chart AND rs.record_id = q.record_id AND ",
    valid!("rs"),
    " LEFT JOIN rule AS rg ON rg.chart = q.chart AND rg.record_id = q.record_id AND rg.grantee = q.grantee AND ",
    valid!("rg"),
    " LEFT JOIN rule AS rm ON rm.chart = q.chart AND rm.record_id = q.record_id AND rm.grantee = q.member
        AND q.member <> $2 AND ",
    valid!("rm"),
    " LEFT JOIN rule AS re ON re.chart = q.chart AND re.record_id = q.record_id AND re.grantee = $2 AND ",
    valid!("re"),
    " LEFT JOIN delegate AS d1 ON d1.chart = q.chart AND d1.delegate = q.grantee AND ",
    valid!("d1"),
    " LEFT JOIN delegate AS d2 ON d2.chart = q.chart AND d2.delegate = d1.parent AND ",
    valid!("d2"),
    " LEFT JOIN delegate AS d3 ON d3.chart = q.chart AND d3.delegate = d2.parent AND ",
    valid!("d3"),
    " LEFT JOIN emergency AS y ON y.chart = q.chart AND y.party = q.grantee AND ",
    valid!("y"),
    " LEFT JOIN emergency_access AS a ON a.chart = q.chart AND ",
    valid!("a"),
);

/// The statement for each of [`SIZES`].
static DECIDE: LazyLock<[&str; SIZES.len()]> = LazyLock::new(|| {
    SIZES.map(|questions| {
        let question = |n| {
            let first = COMMON + n * FIELDS;
            let fields: Vec<_> = (1..=FIELDS).map(|field| format!("${}", first + field)).collect();
            format!("({})", fields.join(", "))
        };
        let questions: Vec<_> = (0..questions).map(question).collect();
        let questions = questions.join(", ");
        let sql = format!("WITH q (n, chart, grantee, record_id, member) AS (VALUES {questions}) {FACTS}");
        // For the life of the process, as any other statement.
        &*sql.leak()
    })
});

/// The statement that [`Asked::of`] prepares for the first of `questions`, as many as it holds.
pub struct Asked<'a> {
    pub sql: &'static str,
    pub args: Vec<Value>,
    pub questions: &'a [Question],
}

impl<'a> Asked<'a> {
    /// `questions` in as few statements as there are sizes for. `block`: see [`COMMON`]; `at` in UNIX seconds.
    pub fn of(mut questions: &'a [Question], block: Option<i64>, at: u64) -> Vec<Self> {
        let mut asked = Vec::new();
        for (size, sql) in SIZES.into_iter().zip(*DECIDE) {
            while let Some((now, later)) = questions.split_at_checked(size) {
                asked.push(Self::one(sql, now, block, at));
                questions = later;
            }
        }
        asked
    }

    fn one(sql: &'static str, questions: &'a [Question], block: Option<i64>, at: u64) -> Self {
        let mut args = Vec::with_capacity(COMMON + questions.len() * FIELDS);
        args.extend([
            block.map_or(Value::Null, Value::Int),
            Address::ZERO.into(),
            Value::bits(role::ORGANISATION),
            credential_status::ISSUED.into(),
            Value::Int(clamp(at)),
        ]);
        for (question, n) in questions.iter().zip(0i64..) {
            args.extend([
                n.into(),
                question.chart.into(),
                question.grantee.into(),
                question.recordId.into(),
                question.member.into(),
            ]);
        }
        Self { sql, args, questions }
    }

    /// The answers, in the order of the questions.
    pub fn answers(&self, rows: &[Row], at: u64) -> Result<Vec<Decision>> {
        let mut answers = vec![None; self.questions.len()];
        for row in rows {
            let n: usize = number(row, "n")?;
            let (Some(question), Some(answer)) = (self.questions.get(n), answers.get_mut(n)) else {
                return Err(IndexError::Corrupt { column: "n" });
            };
            let reason = decide(question, &facts(row)?, at);
            *answer = Some(Decision {
                allowed: reason::is_allowed(reason),
                reason,
                block: head_row(row)?,
            });
        }
        let all: Option<Vec<_>> = answers.into_iter().collect();
        all.ok_or(IndexError::Corrupt { column: "n" })
    }
}

/// What [`FACTS`] found.
fn facts(row: &Row) -> Result<Facts> {
    /// `has!("column")`: the row that the column is of was there.
    macro_rules! has {
        ($column:expr) => {
            row.int($column)?.is_some()
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
        may_act: flag(row, "may_act")?,
        rule_for_grantee: rule!("rg"),
        rule_for_member: rule!("rm"),
        rule_for_everybody: rule!("re"),
        delegations: [delegate!("d1"), delegate!("d2"), delegate!("d3")]
            .into_iter()
            .map_while(|entry| entry)
            .collect(),
        ..Facts::default()
    };
    if has!("control_epoch") {
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
            status: status(row)?,
        });
    }
    // Nobody breaks the glass of a chart that has never allowed it.
    if has!("y_serial") && has!("a_serial") {
        facts.emergency = Some(EmergencyFacts {
            compartments: bits(row, "y_compartments")?,
            until: number(row, "y_until")?,
            grant_epoch: number(row, "y_grant_epoch")?,
            serial: number(row, "y_serial")?,
            access_allowed: flag(row, "a_allowed")?,
            access_serial: number(row, "a_serial")?,
            access_control_epoch: number(row, "a_control_epoch")?,
        });
    }
    Ok(facts)
}
