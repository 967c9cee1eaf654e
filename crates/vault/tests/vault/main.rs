//! Behaviour of the vault from outside: what opens, and above all what must not.
mod directory;
mod document;
mod emergency;
mod envelope;
mod forge;
mod fuzz;
mod keyfile;
mod keyring;
mod membership;
mod mnemonic;
mod payload;
mod published;
mod repeated;
mod secrets;
mod shares;
mod streaming;
mod suites;
mod textbook;
mod vectors;
mod webcrypto;

use std::convert::Infallible;

use medlock_vault::{
    Binding, Cid, Domain, Metadata,
    rand_core::{Rng, TryCryptoRng, TryRng},
};
use sha2::{Digest, Sha256};

/// Deterministic bytes for tests: block i is SHA-256(seed || i as 8 bytes, big-endian).
pub struct TestRng {
    seed: String,
    counter: u64,
    ready: Vec<u8>,
}

impl TestRng {
    pub fn new(seed: &str) -> Self {
        Self {
            seed: seed.into(),
            counter: 0,
            ready: Vec::new(),
        }
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill_bytes(&mut out);
        out
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        self.fill_bytes(&mut out);
        out
    }
}

impl TryRng for TestRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        while self.ready.len() < out.len() {
            self.ready.extend(Sha256::digest(
                [self.seed.as_bytes(), &self.counter.to_be_bytes()].concat(),
            ));
            self.counter += 1;
        }
        out.copy_from_slice(&self.ready[..out.len()]);
        self.ready.drain(..out.len());
        Ok(())
    }
}
impl TryCryptoRng for TestRng {}

/// An RNG that is stuck at one byte.
pub struct Stuck(pub u8);

impl TryRng for Stuck {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.fill(self.0);
        Ok(())
    }
}
impl TryCryptoRng for Stuck {}

pub const DOMAIN: Domain = Domain {
    chain_id: 412_346,
    records: [0xac; 20],
};

pub fn binding() -> Binding {
    Binding {
        chain_id: DOMAIN.chain_id,
        records: DOMAIN.records,
        chart: [0xc4; 32],
        record_id: [0x4d; 32],
        version: 2,
        previous: [0x99; 32],
        compartment: 3,
    }
}

/// `binding()` with one field changed, each in turn.
pub fn other_bindings() -> Vec<(&'static str, Binding)> {
    let mut all = Vec::new();
    let mut other = |field, change: fn(&mut Binding)| {
        let mut changed = binding();
        change(&mut changed);
        all.push((field, changed));
    };
    other("chain", |binding| binding.chain_id += 1);
    other("contract", |binding| binding.records[19] ^= 1);
    other("chart", |binding| binding.chart[31] ^= 1);
    other("record", |binding| binding.record_id[0] ^= 0x80);
    other("version", |binding| binding.version += 1);
    other("previous version", |binding| binding.previous[7] ^= 1);
    other("compartment", |binding| binding.compartment += 1);
    all
}

pub fn metadata() -> Metadata {
    Metadata {
        media_type: "application/fhir+json".into(),
        resource_type: Some("Observation".into()),
        date: Some("2024-05-03T10:00:00+02:00".into()),
        title: Some("Glucose, fasting".into()),
        source: Some("urn:uuid:8f0f2c1e-0000-4000-8000-000000000001".into()),
    }
}

/// Metadata of content that is stored as it is.
pub fn stored() -> Metadata {
    Metadata {
        media_type: "application/dicom".into(),
        ..Metadata::default()
    }
}

/// The CID of a single raw block, as the store makes it.
pub fn raw_cid(bytes: &[u8]) -> Cid {
    let digest = cid::multihash::Multihash::wrap(0x12, &Sha256::digest(bytes)).unwrap();
    Cid::new_v1(0x55, digest)
}

/// JSON of about `length` bytes that compresses.
pub fn json(length: usize) -> Vec<u8> {
    let line = br#"{"resourceType":"Observation","status":"final","valueQuantity":{"value":5.40,"unit":"mmol/L"}},"#;
    line.iter().copied().cycle().take(length).collect()
}
