//! All that a decision may depend on, looked up by key: in one statement for most charts, in two for those with exceptions.
use super::{Decision, IndexError, Result, answer::*};
use crate::{
    db::{Pool, Reading, Row},
    tables::Value,
};
use alloy::primitives::{Address, B256};
use medlock_abi::{
    records::IRecords::Question,
    terms::{DELEGATE_DEPTH_MOST, credential_status, reason, record_status, role},
    words::exceptions::Rule,
};
use medlock_consent::{DelegateFacts, EmergencyFacts, Facts, GrantFacts, RecordFacts, decide};
use std::{
    iter::{Peekable, repeat_n},
    str::Split,
    sync::LazyLock,
};

/// Questions in one statement: the smallest number that all fit into, with room to spare; each is prepared once.
const SIZES: [usize; 4] = [1, 4, 16, 64];
/// Questions in one statement at most.
pub const QUESTIONS_MOST: usize = SIZES[SIZES.len() - 1];
/// What a question binds: its number, chart, grantee, record, member and time. Room to spare has no number.
const FIELDS: usize = 6;
/// What all questions have in common, bound first: $1 the block, or NULL for the newest that is not after the question's time,
/// $2 nobody, $3 the role of organisations, $4 the status of credentials that are issued.
const COMMON: usize = 4;

/// Rows of `$table` that were valid at the end of the block asked about.
macro_rules! valid {
    ($table:literal) => {
        concat!($table, ".valid_from < b.ended AND ", $table, ".valid_to >= b.ended")
    };
}

/// What every decision may depend on, as numbers, in the order in which they are read.
const FACTS: [&str; 15] = [
    "q.n",
    "CASE WHEN c.controller IS NULL THEN NULL WHEN c.controller = q.grantee THEN 1 ELSE 0 END",
    "c.control_epoch",
    "e.epoch",
    "g.epoch",
    "g.compartments",
    "g.purposes",
    "g.actions",
    "g.not_before",
    "g.expiry",
    "g.since",
    "r.compartment",
    "rs.status",
    concat!(
        "CASE WHEN q.member = $2 OR EXISTS (
            SELECT 1 FROM member AS m
            JOIN credential AS mc ON mc.party = m.organisation
            JOIN credential_status AS ms ON ms.party = mc.party
            JOIN issuer AS mi ON mi.issuer = mc.issuer AND mi.epoch = mc.issuer_epoch
            WHERE m.organisation = q.grantee AND m.member = q.member AND mc.roles & $3 = $3 AND ms.status = $4
            AND (m.expiry = 0 OR m.expiry > q.at) AND (mc.expiry = 0 OR mc.expiry > q.at)
            AND ",
        valid!("m"),
        " AND ",
        valid!("mc"),
        " AND ",
        valid!("ms"),
        " AND ",
        valid!("mi"),
        ") THEN 1 ELSE 0 END"
    ),
    // Whether anything beside chart, grant and record may bear on the question, at whatever time.
    "CASE WHEN EXISTS (SELECT 1 FROM rule AS x WHERE x.chart = q.chart AND x.record_id = q.record_id)
        OR EXISTS (SELECT 1 FROM delegate AS x WHERE x.chart = q.chart AND x.delegate = q.grantee)
        OR EXISTS (SELECT 1 FROM emergency AS x WHERE x.chart = q.chart AND x.party = q.grantee)
     THEN 1 ELSE 0 END",
];

const TABLES: &str = concat!(
    " FROM q
     JOIN (SELECT number, hash, time, (number + 1) << 24 AS ended FROM block) AS b ON b.number = coalesce(
        $1, (SELECT number FROM block WHERE time <= q.at ORDER BY time DESC, number DESC LIMIT 1), 0)
     JOIN chain AS f ON f.id = 1
     LEFT JOIN chart AS c ON c.chart = q.chart AND ",
    valid!("c"),
    " LEFT JOIN grant_epoch AS e ON e.chart = q.chart AND ",
    valid!("e"),
    " LEFT JOIN grant_ AS g ON g.chart = q.chart AND g.grantee = q.grantee AND ",
    valid!("g"),
    " LEFT JOIN record AS r ON r.chart = q.chart AND r.record_id = q.record_id AND r.valid_from < b.ended
      LEFT JOIN record_status AS rs ON rs.chart = q.chart AND rs.record_id = q.record_id AND ",
    valid!("rs"),
);

/// What else a decision depends on where there are exceptions.
const MORE_FACTS: [&str; 40] = [
    "rg.effect",
    "rg.purposes",
    "rg.actions",
    "rg.expiry",
    "rg.directory_version",
    "rm.effect",
    "rm.purposes",
    "rm.actions",
    "rm.expiry",
    "rm.directory_version",
    "re.effect",
    "re.purposes",
    "re.actions",
    "re.expiry",
    "re.directory_version",
    "d1.serial",
    "d1.powers",
    "d1.expiry",
    "d1.depth",
    "d1.parent_serial",
    "d1.control_epoch",
    "d2.serial",
    "d2.powers",
    "d2.expiry",
    "d2.depth",
    "d2.parent_serial",
    "d2.control_epoch",
    "d3.serial",
    "d3.powers",
    "d3.expiry",
    "d3.depth",
    "d3.parent_serial",
    "d3.control_epoch",
    "a.allowed",
    "a.serial",
    "a.control_epoch",
    "y.compartments",
    "y.until",
    "y.grant_epoch",
    "y.serial",
];

const MORE_TABLES: &str = concat!(
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
    " LEFT JOIN emergency_access AS a ON a.chart = q.chart AND ",
    valid!("a"),
    " LEFT JOIN emergency AS y ON y.chart = q.chart AND y.party = q.grantee AND ",
    valid!("y"),
);

/// A statement for each of [`SIZES`], for the life of the process as any other.
type Statements = LazyLock<[&'static str; SIZES.len()]>;
static ASK_PLAIN: Statements = LazyLock::new(|| statements(&FACTS, TABLES));
static ASK_EXCEPTIONS: Statements =
    LazyLock::new(|| statements(&[&FACTS[..], &MORE_FACTS].concat(), &[TABLES, MORE_TABLES].concat()));

/// A row for each block that answers speak of, which mostly is one, with the facts about all of its questions as one text: to pass rows
/// and columns on, each by itself, takes longer than to find them.
fn statements(facts: &[&str], tables: &str) -> [&'static str; SIZES.len()] {
    SIZES.map(|questions| {
        let question = |n| {
            let first = COMMON + n * FIELDS;
            let fields: Vec<_> = (1..=FIELDS).map(|field| format!("${}", first + field)).collect();
            format!("({})", fields.join(", "))
        };
        let questions: Vec<_> = (0..questions).map(question).collect();
        let questions = questions.join(", ");
        let form = vec!["%s"; facts.len()].join(",");
        let facts = facts.join(", ");
        let sql = format!(
            "WITH q (n, chart, grantee, record_id, member, at) AS (VALUES {questions})
             SELECT b.number, b.hash, b.time, f.safe, f.finalized, string_agg(format('{form}', {facts}), ';') AS facts
             {tables} WHERE q.n IS NOT NULL GROUP BY b.number, b.hash, b.time, f.safe, f.finalized"
        );
        &*sql.leak()
    })
}

/// Every statement that decisions are made from, as asked about `question`.
#[cfg(test)]
pub fn all_statements(question: &Asked) -> Vec<(&'static str, Vec<Value>)> {
    let ask = |statements: &Statements, questions: usize| {
        let asked = vec![question.clone(); questions];
        let all: Vec<_> = (0..questions).collect();
        ask(**statements, &asked, &all, None)
    };
    let sizes = SIZES.into_iter();
    sizes
        .flat_map(|questions| [&ASK_PLAIN, &ASK_EXCEPTIONS].map(|statements| ask(statements, questions)))
        .collect()
}

/// A question, and the time that it is about.
#[derive(Clone, Debug)]
pub struct Asked {
    pub question: Question,
    /// UNIX seconds.
    pub at: u64,
    /// That is the present: what begins by then has not begun before a block says so, for the contract goes by blocks alone.
    pub is_present: bool,
}

/// Where to ask.
pub enum Tables<'a> {
    /// Each answer speaks of one state of the tables, though not all of the same.
    Newest(&'a Pool),
    /// All answers speak of the same state.
    Of(&'a mut Reading),
}

impl Tables<'_> {
    async fn fetch(&mut self, sql: &'static str, args: &[Value]) -> sqlx::Result<Vec<Row>> {
        match self {
            Self::Newest(pool) => pool.fetch(sql, args).await,
            Self::Of(reading) => reading.fetch(sql, args).await,
        }
    }
}

/// The answers to at most [`QUESTIONS_MOST`] questions, in their order. `block`: see [`COMMON`].
pub async fn answers(asked: &[Asked], block: Option<u64>, mut tables: Tables<'_>) -> Result<Vec<Decision>> {
    if asked.is_empty() {
        return Ok(vec![]);
    }
    let mut answers = vec![None; asked.len()];
    let all: Vec<_> = (0..asked.len()).collect();
    let (sql, args) = ask(*ASK_PLAIN, asked, &all, block);
    let mut exceptional = Vec::new();
    for row in tables.fetch(sql, &args).await? {
        let head = head_row(&row)?;
        for facts in row.text("facts")?.split(';') {
            let mut numbers = Numbers::of(facts);
            let (n, facts) = plain_facts(&mut numbers)?;
            if numbers.flag("exceptional")? {
                exceptional.push(n);
            } else {
                answer(asked, &mut answers, n, head, &facts)?;
            }
        }
    }
    if !exceptional.is_empty() {
        let (sql, args) = ask(*ASK_EXCEPTIONS, asked, &exceptional, block);
        for row in tables.fetch(sql, &args).await? {
            let head = head_row(&row)?;
            for facts in row.text("facts")?.split(';') {
                let mut numbers = Numbers::of(facts);
                let (n, facts) = plain_facts(&mut numbers)?;
                numbers.flag("exceptional")?;
                let facts = exceptions(facts, &mut numbers)?;
                answer(asked, &mut answers, n, head, &facts)?;
            }
        }
    }
    let all: Option<Vec<_>> = answers.into_iter().collect();
    all.ok_or(IndexError::Corrupt { column: "n" })
}

fn answer(asked: &[Asked], answers: &mut [Option<Decision>], n: usize, block: Head, facts: &Facts) -> Result<()> {
    let (
        Some(Asked {
            question,
            at,
            is_present,
        }),
        Some(answer),
    ) = (asked.get(n), answers.get_mut(n))
    else {
        return Err(IndexError::Corrupt { column: "n" });
    };
    let mut reason = decide(question, facts, *at);
    if *is_present && reason::is_allowed(reason) && block.time < *at {
        let then = decide(question, facts, block.time);
        if !reason::is_allowed(then) {
            reason = then;
        }
    }
    let allowed = reason::is_allowed(reason);
    *answer = Some(Decision { allowed, reason, block });
    Ok(())
}

/// The statement that asks those of `asked` that `which` numbers, and what it binds.
fn ask(
    statements: [&'static str; SIZES.len()],
    asked: &[Asked],
    which: &[usize],
    block: Option<u64>,
) -> (&'static str, Vec<Value>) {
    let smallest = SIZES.iter().position(|size| which.len() <= *size);
    let smallest = smallest.expect("no more questions than QUESTIONS_MOST");
    let mut args = Vec::with_capacity(COMMON + SIZES[smallest] * FIELDS);
    args.extend([
        block.map_or(Value::Null, |block| Value::Int(clamp(block))),
        Address::ZERO.into(),
        Value::bits(role::ORGANISATION),
        credential_status::ISSUED.into(),
    ]);
    for n in which {
        let Asked { question, at, .. } = &asked[*n];
        args.extend([
            Value::Int(*n as i64),
            question.chart.into(),
            question.grantee.into(),
            question.recordId.into(),
            question.member.into(),
            Value::Int(clamp(*at)),
        ]);
    }
    let room = [
        Value::Null,
        B256::ZERO.into(),
        Address::ZERO.into(),
        B256::ZERO.into(),
        Address::ZERO.into(),
        Value::Int(0),
    ];
    args.extend(repeat_n(room, SIZES[smallest] - which.len()).flatten());
    (statements[smallest], args)
}

/// What both statements begin with: the question's number, and the facts without exceptions.
fn plain_facts(row: &mut Numbers<'_>) -> Result<(usize, Facts)> {
    let n = row.number("n")?;
    let facts = Facts {
        is_controller: row.maybe::<u8>("controller")?.map(|is_controller| is_controller != 0),
        control_epoch: row.maybe("control_epoch")?.unwrap_or_default(),
        grant_epoch: row.maybe("epoch")?.unwrap_or_default(),
        grant: match row.maybe("epoch")? {
            None => row.skip(6),
            Some(epoch) => Some(GrantFacts {
                epoch,
                compartments: row.bits("compartments")?,
                purposes: row.number("purposes")?,
                actions: row.number("actions")?,
                not_before: row.number("not_before")?,
                expiry: row.number("expiry")?,
                since: row.number("since")?,
            }),
        },
        record: match row.maybe("compartment")? {
            None => row.skip(1),
            Some(compartment) => Some(RecordFacts {
                compartment,
                // One that is current has no row that says so.
                status: row.maybe("status")?.unwrap_or(record_status::CURRENT),
            }),
        },
        may_act: row.flag("may_act")?,
        ..Facts::default()
    };
    Ok((n, facts))
}

/// What [`MORE_FACTS`] adds.
fn exceptions(facts: Facts, row: &mut Numbers<'_>) -> Result<Facts> {
    let rule_for_grantee = rule(row)?;
    let rule_for_member = rule(row)?;
    let rule_for_everybody = rule(row)?;
    let delegations: Vec<_> = (0..DELEGATE_DEPTH_MOST)
        .map(|_| delegation(row))
        .collect::<Result<_>>()?;
    Ok(Facts {
        rule_for_grantee,
        rule_for_member,
        rule_for_everybody,
        delegations: delegations.into_iter().map_while(|entry| entry).collect(),
        emergency: emergency(row)?,
        ..facts
    })
}

fn rule(row: &mut Numbers<'_>) -> Result<Option<Rule>> {
    let Some(effect) = row.maybe("effect")? else {
        return Ok(row.skip(4));
    };
    Ok(Some(Rule {
        effect,
        purposes: row.number("purposes")?,
        actions: row.number("actions")?,
        expiry: row.number("expiry")?,
        directory_version: row.number("directory_version")?,
    }))
}

fn delegation(row: &mut Numbers<'_>) -> Result<Option<DelegateFacts>> {
    let Some(serial) = row.maybe("serial")? else {
        return Ok(row.skip(5));
    };
    Ok(Some(DelegateFacts {
        serial,
        powers: row.number("powers")?,
        expiry: row.number("expiry")?,
        depth: row.number("depth")?,
        parent_serial: row.number("parent_serial")?,
        control_epoch: row.number("control_epoch")?,
    }))
}

fn emergency(row: &mut Numbers<'_>) -> Result<Option<EmergencyFacts>> {
    let Some(access_allowed) = row.maybe::<i64>("allowed")? else {
        // Nobody breaks the glass of a chart that has never allowed it.
        return Ok(row.skip(6));
    };
    let access_serial = row.number("serial")?;
    let access_control_epoch = row.number("control_epoch")?;
    if row.is_null() {
        return Ok(row.skip(4));
    }
    Ok(Some(EmergencyFacts {
        compartments: row.bits("compartments")?,
        until: row.number("until")?,
        grant_epoch: row.number("grant_epoch")?,
        serial: row.number("serial")?,
        access_allowed: access_allowed != 0,
        access_serial,
        access_control_epoch,
    }))
}

/// The numbers of one question, one after the other.
struct Numbers<'a>(Peekable<Split<'a, char>>);

impl<'a> Numbers<'a> {
    fn of(facts: &'a str) -> Self {
        Self(facts.split(',').peekable())
    }

    /// A number, or NULL.
    fn maybe<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<Option<T>> {
        let corrupt = IndexError::Corrupt { column };
        match self.0.next() {
            None => Err(corrupt),
            Some("") => Ok(None),
            Some(text) => {
                let number = text.parse::<i64>().ok().and_then(|number| T::try_from(number).ok());
                number.map(Some).ok_or(corrupt)
            }
        }
    }

    fn number<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<T> {
        self.maybe(column)?.ok_or(IndexError::Corrupt { column })
    }

    fn bits(&mut self, column: &'static str) -> Result<u64> {
        Ok(self.number::<i64>(column)?.cast_unsigned())
    }

    fn flag(&mut self, column: &'static str) -> Result<bool> {
        Ok(self.number::<i64>(column)? != 0)
    }

    /// Whether the next number is NULL.
    fn is_null(&mut self) -> bool {
        self.0.peek().is_none_or(|text| text.is_empty())
    }

    /// Past `columns` of a row that was not there.
    fn skip<T>(&mut self, columns: usize) -> Option<T> {
        self.0.by_ref().take(columns).for_each(drop);
        None
    }
}
