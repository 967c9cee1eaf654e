//! Many records under one root.
use medlock_merkle::{leaf_of_two, proof, root};

use super::*;

/// The leaves of a tree: record ids and pointers.
struct Tree {
    leaves: Vec<(B256, B256)>,
    hashes: Vec<B256>,
    root: B256,
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}

impl Tree {
    fn new(count: usize) -> Self {
        Self::of((0..count).map(|n| (id(n), id(1_000 + n))).collect())
    }

    fn of(leaves: Vec<(B256, B256)>) -> Self {
        let hashes: Vec<B256> = leaves
            .iter()
            .map(|(id, pointer)| leaf_of_two(keccak, *id, *pointer))
            .collect();
        let root = root(keccak, &hashes).unwrap();
        Self { leaves, hashes, root }
    }

    fn count(&self) -> u32 {
        self.leaves.len() as u32
    }

    fn proof(&self, index: u32) -> Vec<B256> {
        proof(keccak, &self.hashes, index as usize).unwrap()
    }
}

impl World {
    fn add_batch(&mut self, author: Address, root: B256, count: u32) -> Result<(), Error> {
        let version = self.records.chart_of(CHART).2;
        self.by(author, |records, actor| {
            records.add_batch(actor, CHART, NOBODY, version, LABS, CODEC_DAG_CBOR, root, count)
        })
    }

    fn take(&mut self, tree: &Tree, index: u32) -> Result<(), Error> {
        let (id, pointer) = tree.leaves[index as usize];
        let proof = tree.proof(index);
        self.by(STRANGER, |records, _| {
            records.take_from_batch(CHART, tree.root, index, id, pointer, proof)
        })
    }
}

fn not_in_batch(root: B256, id: B256) -> Result<(), Error> {
    Err(IRecords::NotInBatch { root, recordId: id }.into())
}

#[test]
fn a_batch_is_added_once_by_whom_its_records_might_be() {
    let mut world = World::new();
    let tree = Tree::new(5);
    assert_eq!(
        world.add_batch(CLINIC, tree.root, 5),
        Err(not_writer(CLINIC, LABS, reason::NO_GRANT))
    );
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(world.add_batch(CLINIC, B256::ZERO, 5), Err(zero_digest()));
    assert_eq!(world.add_batch(CLINIC, tree.root, 0), Err(batch_size(0, u32::MAX)));
    for compartment in [COMPARTMENTS, u8::MAX] {
        assert_eq!(
            world.by(CLINIC, |records, actor| {
                records.add_batch(actor, CHART, NOBODY, 1, compartment, 0, tree.root, 5)
            }),
            Err(IRecords::CompartmentRange { compartment }.into())
        );
    }
    assert_eq!(world.records.batch_of(CHART, tree.root), (NOBODY, 0, 0, 0, 0));
    world.add_batch(CLINIC, tree.root, 5).unwrap();
    assert_eq!(
        world.events(),
        [Event::BatchAdded(IRecords::BatchAdded {
            chart: CHART,
            root: tree.root,
            author: CLINIC,
            compartment: LABS,
            codec: CODEC_DAG_CBOR,
            count: 5
        })]
    );
    let stored = (CLINIC, NOW, 5, LABS, CODEC_DAG_CBOR);
    assert_eq!(world.records.batch_of(CHART, tree.root), stored);
    for actor in [CLINIC, PATIENT, STRANGER] {
        assert_eq!(
            world.add_batch(actor, tree.root, 4),
            Err(IRecords::BatchExists { root: tree.root }.into())
        );
    }
    assert_eq!(world.records.batch_of(CHART, tree.root), stored);
    // Another chart does not know it.
    assert_eq!(world.records.batch_of(OTHER_CHART, tree.root), (NOBODY, 0, 0, 0, 0));
    world.add_batch(PATIENT, id(9), u32::MAX).unwrap();
    assert_eq!(world.records.batch_of(CHART, id(9)).2, u32::MAX);
}

#[test]
fn every_leaf_is_proved_at_its_place_in_its_chart_alone() {
    let mut world = World::new();
    for count in [1, 2, 5, 8] {
        let tree = Tree::new(count);
        world.add_batch(PATIENT, tree.root, tree.count()).unwrap();
        let verify =
            |chart, root, index, id, pointer, proof| world.records.verify_batch(chart, root, index, id, pointer, proof);
        for index in 0..tree.count() {
            let (leaf, pointer) = tree.leaves[index as usize];
            let proof = tree.proof(index);
            for place in 0..tree.count() + 2 {
                let verified = verify(CHART, tree.root, place, leaf, pointer, proof.clone());
                assert_eq!(verified, place == index, "leaf {index} of {count} at {place}");
            }
            assert!(!verify(OTHER_CHART, tree.root, index, leaf, pointer, proof.clone()));
            assert!(!verify(CHART, AMENDED, index, leaf, pointer, proof.clone()));
            assert!(!verify(CHART, tree.root, index, RECORD, pointer, proof.clone()));
            assert!(!verify(CHART, tree.root, index, leaf, AMENDED, proof.clone()));
            assert!(!verify(CHART, tree.root, index, pointer, leaf, proof.clone()));
            let longer = [proof, vec![leaf]].concat();
            assert!(!verify(CHART, tree.root, index, leaf, pointer, longer));
        }
    }
    assert!(!world.records.verify_batch(CHART, RECORD, 0, id(0), id(1), vec![]));
}

#[test]
fn a_leaf_becomes_a_record_as_its_author_wrote_it() {
    let mut world = World::new();
    let tree = Tree::new(5);
    world.grant(CLINIC, terms(1 << LABS));
    world.add_batch(CLINIC, tree.root, 5).unwrap();
    world.at(NOW + 9);
    // Neither a revocation nor a rotation takes back what was written before it.
    world
        .by(PATIENT, |records, actor| {
            records.revoke(actor, CHART, CLINIC, 2, ROTATED, vec![])
        })
        .unwrap();
    let (leaf, pointer) = tree.leaves[3];
    let asked = Question {
        recordId: leaf,
        ..question(PATIENT)
    };
    assert_eq!(world.reason(asked.clone()), reason::UNKNOWN_RECORD);
    world.take(&tree, 3).unwrap();
    assert_eq!(
        world.events(),
        [Event::RecordTakenFromBatch(IRecords::RecordTakenFromBatch {
            chart: CHART,
            recordId: leaf,
            root: tree.root,
            author: CLINIC,
            createdAt: NOW,
            compartment: LABS,
            codec: CODEC_DAG_CBOR,
            pointer
        })]
    );
    assert_eq!(
        world.records.record_of(CHART, leaf),
        (CLINIC, NOW, 1, LABS, status::CURRENT, CODEC_DAG_CBOR, pointer)
    );
    assert_eq!(world.reason(asked.clone()), reason::CONTROLLER);
    assert_eq!(
        world.reason(Question {
            compartment: CLAIMS,
            ..asked.clone()
        }),
        reason::RECORD_COMPARTMENT
    );
    let exists = Err(IRecords::RecordExists { recordId: leaf }.into());
    assert_eq!(world.take(&tree, 3), exists);
    // A record like others, that no leaf brings back.
    world.amend(PATIENT, leaf, pointer, AMENDED).unwrap();
    assert_eq!(world.take(&tree, 3), exists);
    world.shred(PATIENT, leaf).unwrap();
    assert_eq!(world.take(&tree, 3), exists);
    assert_eq!(world.reason(asked), reason::SHREDDED);
    // The batch says still what it said.
    assert_eq!(
        world.records.batch_of(CHART, tree.root),
        (CLINIC, NOW, 5, LABS, CODEC_DAG_CBOR)
    );
    assert!(
        world
            .records
            .verify_batch(CHART, tree.root, 3, leaf, pointer, tree.proof(3))
    );
}

#[test]
fn only_what_stands_in_a_batch_is_taken_from_it() {
    let mut world = World::new();
    // An id or a pointer of zero is none, though a leaf may hold it.
    let tree = Tree::of(vec![
        (id(0), id(1_000)),
        (B256::ZERO, id(1)),
        (id(2), B256::ZERO),
        (RECORD, POINTER),
    ]);
    let (leaf, pointer) = tree.leaves[0];
    let take = |world: &mut World, chart, root, index, id, pointer, proof: Vec<B256>| {
        world.by(STRANGER, |records, _| {
            records.take_from_batch(chart, root, index, id, pointer, proof)
        })
    };
    assert_eq!(world.take(&tree, 0), not_in_batch(tree.root, leaf));
    world.add_batch(PATIENT, tree.root, 4).unwrap();
    for (chart, root, index, id, pointer, proof) in [
        (OTHER_CHART, tree.root, 0, leaf, pointer, tree.proof(0)),
        (CHART, POINTER, 0, leaf, pointer, tree.proof(0)),
        (CHART, tree.root, 1, leaf, pointer, tree.proof(0)),
        (CHART, tree.root, 4, leaf, pointer, tree.proof(0)),
        (CHART, tree.root, 0, leaf, AMENDED, tree.proof(0)),
        (CHART, tree.root, 0, AMENDED, pointer, tree.proof(0)),
        (CHART, tree.root, 0, leaf, pointer, tree.proof(1)),
        (CHART, tree.root, 0, leaf, pointer, vec![]),
        // Two hashes are no leaf, though what is hashed above them is the root.
        (
            CHART,
            tree.root,
            0,
            tree.hashes[0],
            tree.hashes[1],
            tree.proof(0)[1..].to_vec(),
        ),
    ] {
        assert_eq!(
            take(&mut world, chart, root, index, id, pointer, proof),
            not_in_batch(root, id)
        );
    }
    assert_eq!(world.take(&tree, 1), Err(IRecords::ZeroId {}.into()));
    assert_eq!(world.take(&tree, 2), Err(zero_digest()));
    world.take(&tree, 0).unwrap();
    // A record that stands already is not replaced by a leaf of the same id.
    world.add(PATIENT, vec![record(RECORD, CLAIMS)]).unwrap();
    assert_eq!(
        world.take(&tree, 3),
        Err(IRecords::RecordExists { recordId: RECORD }.into())
    );
}
