use alloy_trie::{HashBuilder, proof::ProofRetainer};
use medlock_abi::{
    records::IRecords::GrantTerms,
    terms::{action, purpose, reason},
    words::records::{ChartHead, Grant, chart_slot, grant_slot, record_slot},
};

use super::*;

const RECORDS: Address = Address::repeat_byte(0x11);
const EXCEPTIONS: Address = Address::repeat_byte(0x22);
const CHART: B256 = B256::repeat_byte(0xc1);
const INSURER: Address = Address::repeat_byte(0x33);
const TIME: u64 = 1_795_000_000;

/// The root of a trie of these entries, by hashed key, and a proof for each of `targets`.
fn trie(mut entries: Vec<(B256, Vec<u8>)>, targets: &[B256]) -> (B256, Vec<Vec<Bytes>>) {
    entries.sort();
    let targets: Vec<_> = targets.iter().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets.clone()));
    for (key, value) in &entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes();
    let proof = |target: &Nibbles| {
        let nodes = nodes.matching_nodes_sorted(target);
        nodes.into_iter().map(|(_, node)| node).collect()
    };
    (root, targets.iter().map(proof).collect())
}

/// A header of 16 fields, as Arbitrum's has.
fn header(state_root: B256, number: u64, time: u64) -> Bytes {
    let mut fields: Vec<Vec<u8>> = vec![vec![0xaa; 32]; 16];
    fields[3] = state_root.to_vec();
    fields[8] = U256::from(number).to_be_bytes_trimmed_vec();
    fields[11] = U256::from(time).to_be_bytes_trimmed_vec();
    let fields: Vec<Bytes> = fields.into_iter().map(Bytes::from).collect();
    alloy_rlp::encode(fields).into()
}

fn question() -> Question {
    Question {
        chart: CHART,
        grantee: INSURER,
        member: Address::ZERO,
        compartment: 3,
        recordId: B256::ZERO,
        purpose: purpose::HPAYMT,
        action: action::READ,
    }
}

fn words() -> Vec<(B256, B256)> {
    let head = ChartHead {
        controller: Address::repeat_byte(9),
        grant_epoch: 1,
        directory_version: 2,
        exceptional: false,
        rotation_due: false,
        control_epoch: 0,
    };
    let terms = GrantTerms {
        compartments: 1 << 3,
        purposes: purpose::HPAYMT,
        actions: action::READ,
        notBefore: 0,
        expiry: TIME + 1000,
    };
    let grant = Grant::new(1, 1, 1, &terms);
    vec![
        (chart_slot(CHART), head.to_word()),
        (grant_slot(CHART, INSURER), grant.to_word()),
        (record_slot(CHART, B256::repeat_byte(5)), B256::ZERO),
    ]
}

/// Block hash and proof, in a state where much else stands.
fn proved() -> (B256, StateProof) {
    let words = words();
    let stored = |value: B256| alloy_rlp::encode(U256::from_be_bytes(value.0));
    let others = (0..200u64).map(|n| (keccak256(n.to_be_bytes()), stored(keccak256(n.to_le_bytes()))));
    let mut entries: Vec<_> = others.collect();
    let there = words.iter().filter(|(_, value)| !value.is_zero());
    entries.extend(there.map(|(slot, value)| (keccak256(slot), stored(*value))));
    let keys: Vec<_> = words.iter().map(|(slot, _)| keccak256(slot)).collect();
    let (storage_root, nodes) = trie(entries, &keys);
    let account = TrieAccount {
        nonce: 1,
        balance: U256::ZERO,
        storage_root,
        code_hash: B256::repeat_byte(0xcc),
    };
    let mut accounts: Vec<_> = (0..100u64)
        .map(|n| (keccak256(n.to_be_bytes()), vec![0xc1, n as u8 & 0x7f]))
        .collect();
    accounts.push((keccak256(RECORDS), alloy_rlp::encode(account)));
    let (state_root, mut account_nodes) = trie(accounts, &[keccak256(RECORDS)]);
    let header = header(state_root, 77, TIME);
    let slots = words.iter().zip(nodes).map(|((slot, value), nodes)| SlotProof {
        slot: *slot,
        value: *value,
        nodes,
    });
    let proof = StateProof {
        header: header.clone(),
        records: ContractProof {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
            storage_root,
            nodes: account_nodes.remove(0),
            slots: slots.collect(),
        },
        exceptions: None,
    };
    (keccak256(header), proof)
}

#[test]
fn a_decision_follows_from_the_block_s_hash() {
    let (hash, proof) = proved();
    let proved = proof.verify(hash, RECORDS, EXCEPTIONS).unwrap();
    assert_eq!((proved.block_number, proved.block_time), (77, TIME));
    assert_eq!(proved.decide(&question(), TIME), Ok(reason::GRANT));
    assert_eq!(proved.decide(&question(), TIME + 1000), Ok(reason::EXPIRED));
    let treatment = Question {
        purpose: purpose::TREAT,
        ..question()
    };
    assert_eq!(proved.decide(&treatment, TIME), Ok(reason::PURPOSE));
    // That there is no such record is proved too.
    let of_record = |record| Question {
        recordId: B256::repeat_byte(record),
        ..question()
    };
    assert_eq!(proved.decide(&of_record(5), TIME), Ok(reason::UNKNOWN_RECORD));
    // What is not in the proof is not taken for absent.
    assert!(matches!(
        proved.decide(&of_record(6), TIME),
        Err(ProofError::Missing(_))
    ));
    let nobody = Question {
        grantee: RECORDS,
        ..question()
    };
    assert!(matches!(proved.decide(&nobody, TIME), Err(ProofError::Missing(_))));
}

#[test]
fn nothing_else_follows() {
    let (hash, proof) = proved();
    let verify = |proof: &StateProof| proof.verify(hash, RECORDS, EXCEPTIONS);
    assert!(matches!(
        proof.verify(B256::ZERO, RECORDS, EXCEPTIONS),
        Err(ProofError::Header(_))
    ));
    assert_eq!(
        proof.verify(hash, EXCEPTIONS, EXCEPTIONS),
        Err(ProofError::Account(EXCEPTIONS))
    );

    type Edit = fn(&mut StateProof);
    let edits: [Edit; 11] = [
        |p| p.header = Bytes::from([&p.header[..], &[0]].concat()),
        |p| p.records.nonce += 1,
        |p| p.records.balance = U256::from(1),
        |p| p.records.code_hash = B256::ZERO,
        |p| p.records.storage_root = alloy_trie::EMPTY_ROOT_HASH,
        |p| drop(p.records.nodes.pop()),
        |p| p.records.nodes.clear(),
        |p| p.records.slots[1].value = B256::ZERO,
        |p| p.records.slots[1].slot = p.records.slots[0].slot,
        |p| p.records.slots[2].value = p.records.slots[1].value,
        |p| p.exceptions = Some(p.records.clone()),
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let mut proof = proof.clone();
        edit(&mut proof);
        assert!(verify(&proof).is_err(), "edit {n}");
    }
    // Each byte of each node, and each node left out or added.
    for slot in 0..proof.records.slots.len() {
        for node in 0..proof.records.slots[slot].nodes.len() {
            let bytes = proof.records.slots[slot].nodes[node].to_vec();
            for at in 0..bytes.len() {
                let (mut proof, mut bytes) = (proof.clone(), bytes.clone());
                bytes[at] ^= 1;
                proof.records.slots[slot].nodes[node] = bytes.into();
                assert!(verify(&proof).is_err());
            }
            let mut without = proof.clone();
            without.records.slots[slot].nodes.remove(node);
            assert!(verify(&without).is_err());
        }
    }
    for at in 0..proof.header.len() {
        let mut proof = proof.clone();
        let mut header = proof.header.to_vec();
        header[at] ^= 1;
        proof.header = header.into();
        assert!(matches!(verify(&proof), Err(ProofError::Header(_))));
    }
}

#[test]
fn a_header_is_read_or_refused() {
    let root = B256::repeat_byte(7);
    assert_eq!(read_header(&header(root, 300, TIME)), Some((root, 300, TIME)));
    let whole = header(root, 300, TIME);
    for length in 0..whole.len() {
        assert_eq!(read_header(&whole[..length]), None);
    }
    let short: Vec<Bytes> = vec![Bytes::from(vec![1; 32]); 11];
    assert_eq!(read_header(&alloy_rlp::encode(short)), None);
    let mut long = vec![Bytes::from(vec![1; 32]); 16];
    assert_eq!(read_header(&alloy_rlp::encode(&long)), None, "a number of 32 bytes");
    long[8] = Bytes::from(vec![1]);
    long[11] = Bytes::from(vec![1]);
    assert!(read_header(&alloy_rlp::encode(&long)).is_some());
    assert_eq!(read_header(&[0x80]), None);
}
