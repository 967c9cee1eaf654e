//! A batch of events folded into rows, so that each table is written at once. Pure.
use crate::{
    apply::{Act, Change, apply},
    model::{Block, Entry},
    tables::{CURRENT, Table, Value},
};
use alloy::primitives::map::HashMap;
use anyhow::{Context, Result, bail};

/// Where an event stands: block, log.
type Place = (i64, i64);

/// A row to insert.
#[derive(Debug)]
pub struct Row {
    /// The key's columns and those of the values.
    pub values: Vec<Value>,
    pub from: Place,
    /// The event of the same batch that ended it, or `(CURRENT, 0)`.
    pub to: Place,
}

/// A row of the tables to end.
#[derive(Debug)]
pub struct Ended {
    pub key: Vec<Value>,
    pub to: Place,
}

/// What a batch does to one table: first what ends, then what begins.
#[derive(Debug, Default)]
pub struct Changes {
    /// The tables hold a current row of each of these keys.
    pub ended: Vec<Ended>,
    /// They may.
    pub ended_if_any: Vec<Ended>,
    pub begun: Vec<Row>,
}

/// Where a key's newest row of this batch is.
enum Newest {
    /// Current, in `begun`.
    Begun(usize),
    Ended,
}

/// The changes of each table, in the order of [`Table::ALL`]. `blocks` holds the block of every entry; both ascend.
///
/// Fails where the events contradict each other.
pub fn fold(blocks: &[Block], entries: &[Entry]) -> Result<Vec<(Table, Changes)>> {
    let mut tables: Vec<_> = Table::ALL.iter().map(|table| (*table, Changes::default())).collect();
    let mut newest: HashMap<(Table, Vec<Value>), Newest> = HashMap::default();
    let mut blocks = blocks.iter().peekable();
    for entry in entries {
        while blocks.next_if(|block| block.number < entry.block_number).is_some() {}
        let Some(block) = blocks.peek().filter(|block| block.number == entry.block_number) else {
            bail!(
                "log {} of block {} has no block in its batch",
                entry.log_index,
                entry.block_number
            );
        };
        let changes = apply(&entry.event, block.time).with_context(|| entry.describe())?;
        let place = (number(entry.block_number)?, number(entry.log_index)?);
        for change in changes {
            let Change { table, act, row } = change;
            let (_, changes) = &mut tables[table as usize];
            if !table.ends() {
                changes.begun.push(Row {
                    values: row,
                    from: place,
                    to: place,
                });
                continue;
            }
            // Each key as it stands in its table's rows, so that none is copied twice.
            let key = row[..table.key().len()].to_vec();
            let before = newest.get(&(table, key.clone()));
            let possible = match (act, before) {
                (Act::Begin, None | Some(Newest::Ended)) | (Act::Replace | Act::EndAny, Some(Newest::Ended)) => true,
                (Act::Begin, Some(Newest::Begun(_))) | (Act::Follow | Act::End, Some(Newest::Ended)) => false,
                (_, Some(Newest::Begun(at))) => {
                    changes.begun[*at].to = place;
                    true
                }
                (Act::Follow | Act::End, None) => {
                    changes.ended.push(Ended {
                        key: key.clone(),
                        to: place,
                    });
                    true
                }
                (Act::Replace | Act::EndAny, None) => {
                    changes.ended_if_any.push(Ended {
                        key: key.clone(),
                        to: place,
                    });
                    true
                }
            };
            if !possible {
                bail!("{}: {}", entry.describe(), contradiction(table));
            }
            let now = if matches!(act, Act::End | Act::EndAny) {
                Newest::Ended
            } else {
                changes.begun.push(Row {
                    values: row,
                    from: place,
                    to: (CURRENT, 0),
                });
                Newest::Begun(changes.begun.len() - 1)
            };
            newest.insert((table, key), now);
        }
    }
    Ok(tables)
}

/// What is wrong with a change that cannot be.
pub fn contradiction(table: Table) -> String {
    format!(
        "it contradicts the tables: {} has a row that it denies, or lacks one that it tells of",
        table.name()
    )
}

/// A number as SQL holds it. Fails past 2^63.
pub fn number(value: u64) -> Result<i64> {
    i64::try_from(value).with_context(|| format!("{value} does not fit a 64-bit signed column"))
}
