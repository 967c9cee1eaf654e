//! What must hold, by what a process said before it was killed.

use std::collections::HashSet;

use medlock_dag::Block;
use medlock_store::{Replica, Store};

use super::child::block;
use super::store;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Absent,
    Present,
    /// Something that would change it was begun and not confirmed.
    Either,
}

pub struct Model {
    /// By id.
    pub blocks: Vec<Block>,
    known: Vec<Known>,
    /// Whose adding began after the last collection did.
    fresh: HashSet<usize>,
}

impl Model {
    pub fn new(ids: usize) -> Self {
        Self {
            blocks: (0..ids).map(block).collect(),
            known: vec![Known::Absent; ids],
            fresh: HashSet::new(),
        }
    }

    pub fn ids(&self) -> usize {
        self.known.len()
    }

    pub fn all(&self, known: Known) -> Vec<usize> {
        (0..self.ids()).filter(|id| self.known[*id] == known).collect()
    }

    /// Takes down whole lines: whether something was begun and not confirmed.
    pub fn hear(&mut self, said: &str) -> bool {
        let mut under_way = 0;
        // A last line without its end was not said.
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        for line in whole.lines() {
            let mut words = line.split(' ');
            let what = [words.next(), words.next()];
            let ids = || words.clone().map(|id| id.parse::<usize>().unwrap());
            let [Some(when), what] = what else { continue };
            match (when, what) {
                ("gc", _) => self.fresh.clear(),
                ("begin", Some("put")) => {
                    self.fresh.extend(ids());
                    self.set(
                        ids(),
                        |known| {
                            if known == Known::Absent { Known::Either } else { known }
                        },
                    );
                }
                ("done", Some("put")) => self.set(ids(), |_| Known::Present),
                ("begin", Some("remove")) => self.set(ids(), |_| Known::Either),
                ("done", Some("remove")) => self.set(ids(), |_| Known::Absent),
                ("begin", Some("sweep")) => {
                    let doomed = self.doomed(&ids().collect());
                    self.set(
                        doomed,
                        |known| {
                            if known == Known::Present { Known::Either } else { known }
                        },
                    );
                }
                ("done", Some("sweep")) => {
                    let doomed = self.doomed(&ids().collect());
                    self.set(doomed, |_| Known::Absent);
                }
                _ => continue,
            }
            match when {
                "begin" => under_way += 1,
                "done" => under_way -= 1,
                _ => {}
            }
        }
        under_way > 0
    }

    /// All that was not certain was swept.
    pub fn swept(&mut self) {
        for known in &mut self.known {
            if *known == Known::Either {
                *known = Known::Absent;
            }
        }
    }

    fn doomed(&self, keep: &HashSet<usize>) -> Vec<usize> {
        (0..self.ids())
            .filter(|id| !keep.contains(id) && !self.fresh.contains(id))
            .collect()
    }

    fn set(&mut self, ids: impl IntoIterator<Item = usize>, change: impl Fn(Known) -> Known) {
        for id in ids {
            self.known[id] = change(self.known[id]);
        }
    }

    pub async fn assert_holds(&self, replicas: &[Replica], quorum: usize) {
        let mut parts = Vec::new();
        for replica in replicas {
            parts.push(match replica.clone() {
                Replica::Embedded(store) => Store::Embedded(store),
                Replica::Kubo(store) => Store::Kubo(store),
            });
        }
        let whole = store(replicas.to_vec(), quorum);
        for (id, (known, block)) in self.known.iter().zip(&self.blocks).enumerate() {
            let mut copies = 0;
            for part in &parts {
                // An error is a block that is not whole: a kill leaves none.
                match part.get(&block.cid).await {
                    Ok(Some(got)) if got == *block => copies += 1,
                    Ok(None) => {}
                    other => panic!("block {id} in {}: {other:?}", part.name()),
                }
            }
            match known {
                Known::Present => assert!(copies >= quorum, "block {id} is in {copies} stores"),
                Known::Absent => assert_eq!(copies, 0, "block {id} is back"),
                Known::Either => {}
            }
            let has = whole.has(&block.cid).await.unwrap();
            assert_eq!(has, copies > 0, "block {id}");
        }
    }
}
