//! Every reader of blocks and streams, given good ones altered at random. None may panic or allocate much; what is taken is in the one form
//! that the writer gives it, and is what it says it is.
use cid::multihash::Multihash;
use ipld_core::ipld::Ipld;
use medlock_dag::{
    BLOCK_BYTES_MAX, Block, Cid, DAG_CBOR, DAG_PB, FileError, FileReader, LINKS_MAX, RAW, car, dag_cbor_block, digest,
    file, links, raw_block,
};
use medlock_mutate::{Fuzz, Shape, unmeasured};
use sha2::{Digest, Sha256};

/// Inputs are at most 64 KiB, whatever they say of their lengths.
const ALLOCATED_BYTES_MAX: u64 = 512 * 1024;

/// Some of what was altered must have been taken: else the fuzzing is shallow.
fn fuzz(name: &str, seeds: &[Vec<u8>], shape: Shape<'_>, check: impl Fn(&[u8]) -> bool) {
    let fuzz = Fuzz {
        name,
        seeds,
        shape,
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 1,
    };
    for seed in seeds {
        assert!(check(seed), "{name}: a seed is refused");
    }
    let tally = fuzz.run(check);
    println!("{name}: {} of {} altered inputs were taken", tally.taken, tally.cases);
    assert!(tally.cases == 1 || tally.taken > 0, "{name}: nothing altered was taken");
}

/// The block that `bytes` are: an attacker names what they made.
fn named(codec: u64, bytes: &[u8]) -> Block {
    let hash = Multihash::wrap(0x12, &Sha256::digest(bytes)).unwrap();
    Block::verify(Cid::new_v1(codec, hash), bytes.to_vec()).unwrap()
}

#[test]
fn car_streams() {
    let blocks = [
        raw_block(b"a payload".to_vec()),
        dag_cbor_block(b"\xa1\x61v\x01".to_vec()),
        raw_block(Vec::new()),
    ];
    let roots = [blocks[1].cid, blocks[0].cid];
    let seeds = [
        car::write(&[], &[]).unwrap(),
        car::write(&roots[..1], &blocks).unwrap(),
        car::write(&roots, &blocks[..2]).unwrap(),
    ];
    fuzz("CAR", &seeds, Shape::Bytes, |bytes| {
        let whole = car::read(bytes);
        // In pieces it is the same stream.
        let mut reader = car::Reader::new();
        let mut pieces = Vec::new();
        let pushed = bytes.chunks(7).try_for_each(|piece| {
            pieces.extend(reader.push(piece)?);
            Ok(())
        });
        let in_pieces = pushed.and_then(|()| Ok((reader.finish()?, pieces)));
        let Ok((roots, blocks)) = whole else {
            assert_eq!(in_pieces, whole);
            return false;
        };
        assert_eq!(car::write(&roots, &blocks).unwrap(), bytes);
        for block in &blocks {
            assert_eq!(
                digest(&block.cid).unwrap(),
                <[u8; 32]>::from(Sha256::digest(&block.bytes))
            );
        }
        assert_eq!(in_pieces, Ok((roots, blocks)));
        true
    });
}

/// dag-pb of a UnixFS file node (<https://github.com/ipfs/specs/blob/main/UNIXFS.md>): child, content bytes, tree bytes.
fn node(links: &[(Cid, u64, u64)]) -> Vec<u8> {
    fn varint(out: &mut Vec<u8>, mut number: u64) {
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    }
    fn bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
        out.push(field << 3 | 2);
        varint(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
    fn number(out: &mut Vec<u8>, field: u8, number: u64) {
        out.push(field << 3);
        varint(out, number);
    }
    let mut out = Vec::new();
    for (cid, _, tree) in links {
        let mut link = Vec::new();
        bytes(&mut link, 1, &cid.to_bytes());
        bytes(&mut link, 2, b"");
        number(&mut link, 3, *tree);
        bytes(&mut out, 2, &link);
    }
    let mut data = Vec::new();
    number(&mut data, 1, 2);
    number(&mut data, 3, links.iter().map(|(_, content, _)| content).sum());
    for (_, content, _) in links {
        number(&mut data, 4, *content);
    }
    bytes(&mut out, 1, &data);
    out
}

/// What a node says, read without any care: the last of each field counts, and what is unknown or left over does not.
fn read_node(bytes: &[u8]) -> Vec<(Cid, u64, u64)> {
    fn varint(rest: &mut &[u8]) -> u64 {
        let length = rest.iter().position(|byte| *byte < 0x80).unwrap() + 1;
        let (number, more) = rest.split_at(length);
        *rest = more;
        number
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f))
    }
    fn fields(mut rest: &[u8]) -> Vec<(u64, u64, &[u8])> {
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let (field, number) = (varint(&mut rest), varint(&mut rest));
            let (bytes, more) = rest.split_at(if field & 7 == 2 { number as usize } else { 0 });
            fields.push((field >> 3, number, bytes));
            rest = more;
        }
        fields
    }
    let mut out = Vec::new();
    let mut sizes = Vec::new();
    for (field, _, bytes) in fields(bytes) {
        let mut link = (None, 0);
        for (inner, number, bytes) in fields(bytes) {
            match (field, inner) {
                (2, 1) => link.0 = Some(Cid::try_from(bytes).unwrap()),
                (2, 3) => link.1 = number,
                (1, 4) => sizes.push(number),
                _ => {}
            }
        }
        out.extend(link.0.map(|cid| (cid, 0, link.1)));
    }
    for (link, size) in out.iter_mut().zip(sizes) {
        link.1 = size;
    }
    out
}

#[test]
fn nodes_of_files() {
    const FILE_BYTES_MAX: u64 = 1 << 40;
    let content: Vec<u8> = (0..700_000_u32).map(|at| (at % 251) as u8).collect();
    let (root, blocks) = file(&content);
    let root = blocks.iter().find(|block| block.cid == root).unwrap();
    let (one, two) = (raw_block(vec![1]).cid, named(DAG_PB, &root.bytes).cid);
    let seeds = [
        root.bytes.clone(),
        node(&[(one, 1, 1)]),
        node(&[(one, 1, 1), (two, 700_000, 700_200), (one, 300, 300)]),
    ];
    let leaves = blocks.iter().filter(|block| block.cid.codec() == RAW);
    let leaves: Vec<_> = leaves
        .map(|leaf| (leaf.cid, leaf.bytes.len() as u64, leaf.bytes.len() as u64))
        .collect();
    assert_eq!(node(&leaves), seeds[0]);
    fuzz("file node", &seeds, Shape::Bytes, |bytes| {
        let node = named(DAG_PB, bytes);
        let listed = links(&node);
        let mut reader = FileReader::new(node.cid, FILE_BYTES_MAX).unwrap();
        let mut content_bytes = 0;
        match reader.accept(node.clone()) {
            Ok(content) => assert!(content.is_empty()),
            Err(error) => {
                assert!(!matches!(
                    error,
                    FileError::OutOfOrder { .. } | FileError::AfterEnd { .. }
                ));
                // It stays as it was.
                assert_eq!(reader.wanted(), Some(node.cid));
                return false;
            }
        }
        assert_eq!(crate::node(&read_node(bytes)), bytes);
        let listed = listed.unwrap();
        assert!((1..=LINKS_MAX).contains(&listed.len()));
        // What it wants next is what the node lists, in order; leaves that are not as long as it says are refused.
        assert_eq!(reader.wanted(), Some(listed[0]));
        if listed[0] == one && reader.accept(raw_block(vec![1])).is_ok() {
            content_bytes += 1;
            assert_eq!(reader.wanted(), listed.get(1).copied());
        }
        assert!(reader.finish().is_err() || content_bytes == listed.len());
        true
    });
}

/// Which links a dag-cbor value has, by IPLD's own library.
fn walk(value: &Ipld, found: &mut Vec<Cid>) {
    match value {
        Ipld::Link(cid) => found.extend(digest(cid).is_ok().then_some(*cid)),
        Ipld::List(list) => list.iter().for_each(|item| walk(item, found)),
        Ipld::Map(map) => map.values().for_each(|item| walk(item, found)),
        _ => {}
    }
}

#[test]
fn links_of_dag_cbor() {
    let leaf = raw_block(b"leaf".to_vec()).cid;
    let link = |cid: &Cid| [&b"\xd8\x2a\x58\x25\x00"[..], &cid.to_bytes()].concat();
    let node = dag_cbor_block(b"\xa0".to_vec()).cid;
    let seeds = [
        [
            &b"\xa2\x61a\x83"[..],
            &link(&leaf),
            b"\xfb\x3f\xf8\0\0\0\0\0\0\x20\x61b",
            &link(&node),
        ]
        .concat(),
        [&b"\x82"[..], &link(&node), b"\xa1\x65title\x64Scan"].concat(),
        b"\xa3\x61v\x01\x65chart\x58\x20cccccccccccccccccccccccccccccccc\x65label\xf6".to_vec(),
    ];
    fuzz("dag-cbor", &seeds, Shape::Cbor, |bytes| {
        let found = links(&named(DAG_CBOR, bytes));
        // A raw block of the same bytes has none.
        assert_eq!(links(&named(RAW, bytes)), Ok(Vec::new()));
        // That library also takes what is not in its one form.
        let mut value = None;
        unmeasured(|| value = serde_ipld_dagcbor::from_slice::<Ipld>(bytes).ok());
        let value = value.filter(|value| serde_ipld_dagcbor::to_vec(value).unwrap() == bytes);
        if let (Some(value), true) = (value, found != Err("nested too deeply")) {
            let mut expected = Vec::new();
            walk(&value, &mut expected);
            // It sorts keys in another order than they are written in.
            let mut found = found.clone().expect("IPLD's library takes it");
            found.sort();
            expected.sort();
            assert_eq!(found, expected);
        }
        found.is_ok()
    });
}

#[test]
fn blocks_are_what_their_name_says() {
    let good = raw_block(b"allergies".to_vec());
    let seeds = [good.bytes.clone(), vec![0; BLOCK_BYTES_MAX.min(2_000)]];
    let fuzz = Fuzz {
        name: "block",
        seeds: &seeds,
        shape: Shape::Bytes,
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 1,
    };
    fuzz.run(|bytes| {
        let verified = Block::verify(good.cid, bytes.to_vec());
        assert_eq!(verified.is_ok(), bytes == good.bytes);
        verified.is_ok()
    });
}
