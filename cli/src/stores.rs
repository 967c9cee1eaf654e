//! Where a gateway keeps blocks: one store, or several that hold the same.

use std::path::Path;

use anyhow::Context;
use medlock_store::{Embedded, Kubo, KuboOptions, Replica, Replicated, Store};

/// Stores by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stores {
    /// Folders and URLs of IPFS nodes, the nearest first. None: the folder that the services keep.
    pub places: Vec<String>,
    /// How many of them an upload waits for. None: more than half.
    pub quorum: Option<usize>,
}

impl Stores {
    /// How many of so many an upload waits for.
    pub fn quorum_of(&self, stores: usize) -> usize {
        self.quorum.unwrap_or(stores / 2 + 1)
    }

    /// Opens them; `own` is the folder in the place of none.
    pub fn open(&self, own: &Path) -> anyhow::Result<Store> {
        let mut replicas = self
            .places
            .iter()
            .map(|place| replica(place))
            .collect::<Result<Vec<_>, _>>()?;
        if replicas.is_empty() {
            replicas.push(Embedded::open(own)?.into());
        }
        let quorum = self.quorum_of(replicas.len());
        // Checks the quorum, also of one.
        let replicated = Replicated::new(replicas.clone(), quorum)?;
        Ok(match (replicas.pop(), replicas.is_empty()) {
            (Some(Replica::Embedded(store)), true) => Store::Embedded(store),
            (Some(Replica::Kubo(store)), true) => Store::Kubo(store),
            _ => Store::Replicated(replicated),
        })
    }
}

/// Whether a place is an IPFS node, and no folder.
pub fn is_node(place: &str) -> bool {
    place.contains("://")
}

fn replica(place: &str) -> anyhow::Result<Replica> {
    if is_node(place) {
        return Ok(Kubo::new(place, KuboOptions::default())?.into());
    }
    let store = Embedded::open(place).with_context(|| format!("open the block store {place}"))?;
    Ok(store.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(places: &[&str], quorum: Option<usize>) -> anyhow::Result<Store> {
        let own = tempfile::tempdir().unwrap();
        let places = places.iter().map(|place| place.to_string()).collect();
        Stores { places, quorum }.open(own.path())
    }

    #[test]
    fn a_folder_a_node_or_several_of_them() {
        assert!(matches!(open(&[], None), Ok(Store::Embedded(_))));
        assert!(matches!(open(&["http://127.0.0.1:5001"], None), Ok(Store::Kubo(_))));
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let dirs = dirs.each_ref().map(|dir| dir.path().to_str().unwrap());
        let three = [dirs[0], "http://127.0.0.1:5001", dirs[1]];
        let Ok(Store::Replicated(store)) = open(&three, None) else {
            panic!("three are replicas");
        };
        assert!(Store::Replicated(store).name().starts_with("2 of "));
        for (places, quorum) in [(&three[..], 4), (&three[..], 0), (&[][..], 2)] {
            let error = open(places, Some(quorum)).err().unwrap().to_string();
            assert!(error.contains("quorum"), "{error}");
        }
        assert!(open(&["ftp://127.0.0.1"], None).is_err());
        // One folder twice is no replica.
        let error = format!("{:#}", open(&[dirs[0], dirs[0]], None).err().unwrap());
        assert!(error.contains("in use"), "{error}");
    }
}
