//! A batch of events folded into rows, so that each table is written at once. Pure.
use crate::{
    apply::{Act, Change, apply},
    model::{Block, Entry},
    tables::{CURRENT, Table, Value, place},
};
use alloy::primitives::map::HashMap;
use anyhow::{Context, Result, bail};

/// What a batch does to one table: first what ends, then what begins.
#[derive(Debug, Default)]
pub struct Changes {
    /// The tables hold a current row of each of these keys: its columns, then the place of the event that ends it.
    pub ended: Vec<Vec<Value>>,
    /// They may.
    pub ended_if_any: Vec<Vec<Value>>,
    /// Rows to insert: a value for each of the table's columns.
    pub begun: Vec<Vec<Value>>,
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
    let mut newest: HashMap<Key, Newest> = HashMap::default();
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
        let place = place(entry.block_number, entry.log_index).with_context(|| entry.describe())?;
        let place = Value::Int(place);
        for Change { table, act, mut row } in changes {
            let (_, changes) = &mut tables[table as usize];
            if !table.ends() {
                row.push(place.clone());
                changes.begun.push(row);
                continue;
            }
            let key = Key::of(table, &row)?;
            match (act, newest.get(&key)) {
                (Act::Begin, Some(Newest::Begun(_))) | (Act::Follow | Act::End, Some(Newest::Ended)) => {
                    bail!("{}: {}", entry.describe(), contradiction(table));
                }
                (_, Some(Newest::Begun(at))) => {
                    let ended = changes.begun[*at].last_mut().context("a row without columns")?;
                    *ended = place.clone();
                }
                (Act::Begin, None) | (_, Some(Newest::Ended)) => {}
                (Act::Follow | Act::End, None) => changes.ended.push(ended(table, &row, &place)),
                (Act::Replace | Act::EndAny, None) => changes.ended_if_any.push(ended(table, &row, &place)),
            }
            let now = if matches!(act, Act::End | Act::EndAny) {
                Newest::Ended
            } else {
                row.extend([place.clone(), CURRENT.into()]);
                changes.begun.push(row);
                Newest::Begun(changes.begun.len() - 1)
            };
            newest.insert(key, now);
        }
    }
    Ok(tables)
}

fn ended(table: Table, row: &[Value], place: &Value) -> Vec<Value> {
    [&row[..table.key().len()], std::slice::from_ref(place)].concat()
}

/// A thing of a table: the table, and its key's columns in a row. They have a length of their own in each table.
#[derive(PartialEq, Eq, Hash)]
struct Key(Table, [u8; KEY_BYTES]);

/// Of the longest key: chart, record, account.
const KEY_BYTES: usize = 32 + 32 + 20;

impl Key {
    fn of(table: Table, row: &[Value]) -> Result<Self> {
        let (mut key, mut length) = ([0; KEY_BYTES], 0);
        for value in row.iter().take(table.key().len()) {
            let number;
            let bytes = match value {
                Value::Word(word) => word.as_slice(),
                Value::Account(account) => account.as_slice(),
                Value::Int(of_key) => {
                    number = of_key.to_be_bytes();
                    number.as_slice()
                }
                other => bail!("a key of {} holds {other:?}", table.name()),
            };
            key[length..length + bytes.len()].copy_from_slice(bytes);
            length += bytes.len();
        }
        Ok(Self(table, key))
    }
}

/// What is wrong with a change that cannot be.
pub fn contradiction(table: Table) -> String {
    format!(
        "it contradicts the tables: {} has a row that it denies, or lacks one that it tells of",
        table.name()
    )
}
