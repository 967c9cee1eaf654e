//! Which packages in a patient's chart a recall is about. The patient's client asks; nobody learns which packages it has.
use std::collections::BTreeMap;

use alloy_primitives::B256;
use medlock_abi::{supply::ISupply::RecallIssued, terms::recall};
use serde::{Deserialize, Serialize};

/// A package, as a chart's record of its dispensing names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispensed {
    pub batch: B256,
    /// Its number in the batch.
    pub index: u32,
    /// The leaf's data.
    pub serial: B256,
}

/// A package of the chart that was recalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concerned<'a> {
    /// Its place in the list of packages that was given.
    pub place: usize,
    pub package: Dispensed,
    /// At least one, the most dangerous first; of one class the earliest first.
    pub recalls: Vec<&'a RecallIssued>,
}

/// The packages, in their order, that one of the recalls reaches. An event that is given twice counts once.
pub fn concerned<'a>(packages: &[Dispensed], recalls: &'a [RecallIssued]) -> Vec<Concerned<'a>> {
    let mut of_batch: BTreeMap<B256, Vec<&RecallIssued>> = BTreeMap::new();
    for event in recalls {
        let known = of_batch.entry(event.batch).or_default();
        if !known.contains(&event) {
            known.push(event);
        }
    }
    for events in of_batch.values_mut() {
        events.sort_by_key(|event| (severity(event.class), event.number));
    }
    let reached = packages.iter().enumerate().filter_map(|(place, package)| {
        let events = of_batch.get(&package.batch)?;
        let reaches = |event: &&&RecallIssued| event.from <= package.index && package.index < event.to;
        let recalls: Vec<_> = events.iter().filter(reaches).copied().collect();
        (!recalls.is_empty()).then_some(Concerned {
            place,
            package: *package,
            recalls,
        })
    });
    reached.collect()
}

/// A class that is not known here is taken for the worst.
const fn severity(class: u8) -> u8 {
    match class {
        recall::CLASS_II | recall::CLASS_III => class,
        _ => recall::CLASS_I,
    }
}
