//! From "these numbers of these batches" to what the contract wants: cuts that make units of them, and items that are offered.
use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use medlock_abi::{
    supply::ISupply::{Item, unitOfReturn},
    terms::BATCH_MOST,
};

/// A unit as it stands: where it begins, and what `unitOf` says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    pub batch: B256,
    pub from: u32,
    /// The number after its last.
    pub to: u32,
    pub holder: Address,
    /// The step that it was offered for last.
    pub last: u64,
    /// The open shipment that it is in, 0: none.
    pub shipment: u64,
    /// The reason code, 0: it is not.
    pub decommissioned: u8,
}

impl Unit {
    pub fn read(batch: B256, from: u32, unit: &unitOfReturn) -> Self {
        Self {
            batch,
            from,
            to: unit.to,
            holder: unit.holder,
            last: unit.last,
            shipment: unit.shipment,
            decommissioned: unit.decommissioned,
        }
    }
}

/// Serials of a batch from `from` on, below `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    pub batch: B256,
    pub from: u32,
    pub to: u32,
}

/// One call of `split`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub batch: B256,
    pub unit: u32,
    /// Ascending, inside of the unit.
    pub cuts: Vec<u32>,
}

/// Calls, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub splits: Vec<Split>,
    /// The items of each call of `offer`: ascending, at most [`BATCH_MOST`].
    pub offers: Vec<Vec<Item>>,
}

/// Why the numbers cannot be shipped as they were asked for. Nothing is planned then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("nothing is to be shipped; name at least one range of serials")]
    Nothing,
    #[error("the range from {from} to below {to} is empty; its end comes after its beginning")]
    EmptyRange { batch: B256, from: u32, to: u32 },
    #[error("serial number {index} is in two of the ranges; name it once")]
    RangesOverlap { batch: B256, index: u32 },
    #[error("two of the units that were read have serial number {index}; read them again at one block")]
    UnitsOverlap { batch: B256, index: u32 },
    #[error("serial number {index} is not held by the sender; leave it out, or accept its shipment first")]
    NotHeld { batch: B256, index: u32 },
    #[error("serial number {index} is in shipment {shipment}, which is open; wait until it is closed, or withdraw it")]
    InTransit { batch: B256, index: u32, shipment: u64 },
    #[error("serial number {index} was taken out of the supply (reason code {reason_code}); leave it out")]
    Decommissioned { batch: B256, index: u32, reason_code: u8 },
}

/// What `sender` has to call to ship these runs, to one receiver. `units`: those of the batches, at least the sender's own, read at one
/// block. Runs that touch are shipped as one.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(sender: Address, units: &[Unit], runs: &[Run]) -> Result<Plan, PlanError> {
    let units = ordered(units)?;
    let mut items = Vec::new();
    let mut cuts: BTreeMap<(B256, u32), Vec<u32>> = BTreeMap::new();
    for Run { batch, from, to } in joined(runs)? {
        let mut at = from;
        // Each round leaves one unit behind.
        while at < to {
            let unit = held(sender, &units, batch, at)?;
            let end = unit.to.min(to);
            let of_unit = cuts.entry((batch, unit.from)).or_default();
            of_unit.extend([at, end].into_iter().filter(|cut| unit.from < *cut && *cut < unit.to));
            items.push(Item {
                batch,
                unit: at,
                last: unit.last,
            });
            at = end;
        }
    }
    if items.is_empty() {
        return Err(PlanError::Nothing);
    }
    let splits = cuts.into_iter().flat_map(|((batch, from), cuts)| {
        // What one call leaves whole begins at its last cut.
        let begins = std::iter::once(from).chain(cuts.iter().copied().skip(BATCH_MOST - 1).step_by(BATCH_MOST));
        let calls = begins.zip(cuts.chunks(BATCH_MOST));
        let calls: Vec<_> = calls
            .map(|(unit, cuts)| Split {
                batch,
                unit,
                cuts: cuts.to_vec(),
            })
            .collect();
        calls
    });
    Ok(Plan {
        splits: splits.collect(),
        offers: items.chunks(BATCH_MOST).map(<[Item]>::to_vec).collect(),
    })
}

fn ordered(units: &[Unit]) -> Result<Vec<Unit>, PlanError> {
    let mut units = units.to_vec();
    units.sort_unstable_by_key(|unit| (unit.batch, unit.from));
    let overlap = units
        .windows(2)
        .find(|pair| pair[0].batch == pair[1].batch && pair[1].from < pair[0].to);
    match overlap {
        Some(pair) => Err(PlanError::UnitsOverlap {
            batch: pair[1].batch,
            index: pair[1].from,
        }),
        None => Ok(units),
    }
}

/// In their order; what touches is one.
fn joined(runs: &[Run]) -> Result<Vec<Run>, PlanError> {
    if let Some(Run { batch, from, to }) = runs.iter().find(|run| run.from >= run.to).copied() {
        return Err(PlanError::EmptyRange { batch, from, to });
    }
    let mut runs = runs.to_vec();
    runs.sort_unstable();
    let mut joined: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match joined
            .last_mut()
            .filter(|before| before.batch == run.batch && run.from <= before.to)
        {
            Some(before) if run.from < before.to => {
                return Err(PlanError::RangesOverlap {
                    batch: run.batch,
                    index: run.from,
                });
            }
            Some(before) => before.to = run.to,
            None => joined.push(run),
        }
    }
    Ok(joined)
}

/// The sender's unit that has this number, and can be offered.
fn held(sender: Address, units: &[Unit], batch: B256, index: u32) -> Result<Unit, PlanError> {
    let behind = units.partition_point(|unit| (unit.batch, unit.from) <= (batch, index));
    let unit = behind.checked_sub(1).map(|place| units[place]);
    let unit = unit
        .filter(|unit| unit.batch == batch && index < unit.to && unit.holder == sender)
        .ok_or(PlanError::NotHeld { batch, index })?;
    if unit.decommissioned != 0 {
        return Err(PlanError::Decommissioned {
            batch,
            index,
            reason_code: unit.decommissioned,
        });
    }
    if unit.shipment != 0 {
        return Err(PlanError::InTransit {
            batch,
            index,
            shipment: unit.shipment,
        });
    }
    Ok(unit)
}
