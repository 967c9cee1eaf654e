//! What is to be written, table by table.
use super::fold::{Changes, contradiction};
use crate::tables::{Table, Value};
use anyhow::{Result, ensure};

/// One table's rows to insert or to end.
#[derive(Debug)]
pub enum Work {
    Insert {
        table: &'static str,
        columns: Vec<&'static str>,
        /// A value for each column.
        rows: Vec<Vec<Value>>,
        /// The table, and the one that must hold the thing that each row is about.
        of: Option<(Table, Table)>,
    },
    End {
        table: Table,
        /// Each key's columns, then the place of the event that ends its current row.
        rows: Vec<Vec<Value>>,
        /// Each key must have a current row.
        must: bool,
    },
}

/// A row was there that an event denies, or was not there that it tells of.
#[derive(Debug, thiserror::Error)]
#[error("{}", contradiction(*.0))]
pub struct Contradiction(Table);

impl Work {
    /// What `changes` take: first what ends, then what begins.
    pub fn of(table: Table, changes: Changes) -> [Self; 3] {
        let end = |rows, must| Self::End { table, rows, must };
        let Changes {
            ended,
            ended_if_any,
            begun,
        } = changes;
        let insert = Self::Insert {
            table: table.name(),
            columns: table.columns().collect(),
            rows: begun,
            of: table.of().map(|of| (table, of)),
        };
        [end(ended, true), end(ended_if_any, false), insert]
    }

    pub fn table(&self) -> &'static str {
        match self {
            Self::Insert { table, .. } => table,
            Self::End { table, .. } => table.name(),
        }
    }

    pub fn rows(&self) -> &[Vec<Value>] {
        match self {
            Self::Insert { rows, .. } | Self::End { rows, .. } => rows,
        }
    }

    /// That the thing is there that a row of `n`, whose columns are so called, is about: a condition of SQL's. `None`: it is
    /// about nothing that must be.
    pub fn condition(&self) -> Option<String> {
        let Self::Insert { of: Some((_, of)), .. } = self else {
            return None;
        };
        let on: Vec<_> = of.key().iter().map(|key| format!("o.{key} = n.{key}")).collect();
        let (name, on) = (of.name(), on.join(" AND "));
        Some(format!("EXISTS (SELECT 1 FROM {name} AS o WHERE {on})"))
    }

    /// Whether `touched` rows is right, where `asked` were given.
    pub fn check(&self, touched: u64, asked: usize) -> Result<()> {
        match self {
            Self::End { table, must: true, .. }
            | Self::Insert {
                of: Some((table, _)), ..
            } => {
                ensure!(touched == asked as u64, Contradiction(*table));
            }
            Self::End { .. } | Self::Insert { .. } => {}
        }
        Ok(())
    }
}
