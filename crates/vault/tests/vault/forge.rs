//! A second writer of payloads, made from `docs/formats.md` alone: it checks the real one, and makes what it never would.
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use medlock_vault::Binding;
use sha2::Sha256;

pub struct Forge {
    pub header: [u8; 80],
    pub key: [u8; 32],
    nonce_prefix: [u8; 7],
    aad: Vec<u8>,
}

impl Forge {
    pub fn new(data_key: &[u8; 32], salt: &[u8; 32], binding: &Binding, metadata_bytes: u32) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(salt), data_key);
        let (mut key, mut commitment, mut nonce_prefix) = ([0; 32], [0; 32], [0; 7]);
        hkdf.expand(b"medlock/v1/payload/key\x00\x01", &mut key).unwrap();
        hkdf.expand(b"medlock/v1/payload/commitment\x00\x01", &mut commitment)
            .unwrap();
        hkdf.expand(b"medlock/v1/payload/nonce\x00\x01", &mut nonce_prefix)
            .unwrap();
        let header: [u8; 80] = [
            &b"MEDLOCKP\x01\x00\x00\x01"[..],
            &metadata_bytes.to_be_bytes(),
            salt,
            &commitment,
        ]
        .concat()
        .try_into()
        .unwrap();
        let mut forge = Self {
            header,
            key,
            nonce_prefix,
            aad: Vec::new(),
        };
        forge.bind(header, binding);
        forge
    }

    /// Takes another header as associated data.
    pub fn bind(&mut self, header: [u8; 80], binding: &Binding) {
        self.header = header;
        self.aad = [
            &header[..],
            &binding.chain_id.to_be_bytes(),
            &binding.records,
            &binding.chart,
            &binding.record_id,
            &binding.version.to_be_bytes(),
            &binding.previous,
            &[binding.compartment],
        ]
        .concat();
    }

    pub fn aad(&self) -> &[u8] {
        &self.aad
    }

    pub fn nonce(&self, index: u32, last: bool) -> [u8; 12] {
        [&self.nonce_prefix[..], &index.to_be_bytes(), &[last.into()]]
            .concat()
            .try_into()
            .unwrap()
    }

    pub fn chunk(&self, index: u32, last: bool, plaintext: &[u8]) -> Vec<u8> {
        let nonce = self.nonce(index, last);
        Aes256Gcm::new(&self.key.into())
            .encrypt(
                &nonce.into(),
                Payload {
                    msg: plaintext,
                    aad: &self.aad,
                },
            )
            .unwrap()
    }

    /// A whole payload around any metadata chunk and any region.
    pub fn payload(&self, first: &[u8], region: &[u8]) -> Vec<u8> {
        let mut out = self.header.to_vec();
        out.extend(self.chunk(0, false, first));
        let chunks = region.chunks(65_536).collect::<Vec<_>>();
        for (index, chunk) in chunks.iter().enumerate() {
            out.extend(self.chunk(index as u32 + 1, index + 1 == chunks.len(), chunk));
        }
        out
    }
}

/// A metadata chunk of 256 bytes.
pub fn first(encoding: u8, content_bytes: u64, metadata: &[u8]) -> Vec<u8> {
    let mut out = vec![encoding];
    out.extend(content_bytes.to_be_bytes());
    out.extend((metadata.len() as u32).to_be_bytes());
    out.extend(metadata);
    assert!(out.len() <= 256);
    out.resize(256, 0);
    out
}

/// dag-cbor of `{"mediaType": "application/dicom"}`.
pub const METADATA: &[u8] = b"\xa1\x69mediaType\x71application/dicom";

/// `content`, 0x80, zeros up to `length`.
pub fn padded(content: &[u8], length: usize) -> Vec<u8> {
    let mut out = content.to_vec();
    out.push(0x80);
    assert!(out.len() <= length);
    out.resize(length, 0);
    out
}
