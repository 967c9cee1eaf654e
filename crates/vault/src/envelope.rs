//! The envelope: the dag-cbor block whose digest is the on-chain pointer. It links to the payload and carries the
//! payload's data key, sealed to the compartment's public key. Making one needs no secret of the patient.
use std::io::{Read, Write};

use cid::Cid;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use zeroize::Zeroizing;

use crate::{
    Binding, CompartmentKeys, DataKey, Error, Metadata, PayloadSeal, PublicKey, cbor, compartment,
    hedged::Hedged,
    payload::{HEADER_BYTES, check_binding, commitment, open_payload},
    seal::{self, Sealed, Suite},
    streaming::{RangeOpener, StreamError, open_stream, read_up_to},
};

/// An envelope block at most: under 500 bytes with X25519, under 2 KiB with X-Wing.
pub const ENVELOPE_BYTES_MAX: usize = 4096;

const WHAT: &str = "envelope";
const FORMAT_VERSION: u64 = 1;
const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;
const SHA2_256: u64 = 0x12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Of `sealed`.
    pub suite: Suite,
    pub chart: [u8; 32],
    pub record_id: [u8; 32],
    pub version: u32,
    /// On-chain pointer of the version before; zero for version 1.
    pub previous: [u8; 32],
    pub compartment: u8,
    /// Epoch of the compartment whose key opens `sealed`.
    pub epoch: u32,
    pub payload: Cid,
    /// Length of the payload.
    pub payload_bytes: u64,
    /// As in the payload's header.
    pub commitment: [u8; 32],
    pub sealed: Sealed,
}

impl Envelope {
    /// Seals the data key of the payload that is stored under the CID `payload` to a compartment's current key.
    /// `binding` must be the one that the payload was sealed with.
    ///
    /// # Errors
    /// [`Error::BadPublicKey`]; [`Error::Malformed`] for an impossible binding, epoch or CID.
    pub fn seal(
        rng: &mut impl CryptoRng,
        binding: &Binding,
        epoch: u32,
        recipient: &PublicKey,
        payload: Cid,
        seal: &PayloadSeal,
    ) -> Result<Self, Error> {
        let mut envelope = Self {
            suite: recipient.suite(),
            chart: binding.chart,
            record_id: binding.record_id,
            version: binding.version,
            previous: binding.previous,
            compartment: binding.compartment,
            epoch,
            payload,
            payload_bytes: seal.payload_bytes,
            commitment: seal.commitment,
            sealed: Sealed {
                encapsulated: Vec::new(),
                ciphertext: Vec::new(),
            },
        };
        envelope.check(binding)?;
        let info = envelope.info(binding);
        let mut rng = Hedged::new(rng, "medlock/v1/envelope/hedge", seal.data_key.expose(), &[&info]);
        envelope.sealed = seal::seal(&mut rng, recipient, &info, seal.data_key.expose())?;
        Ok(envelope)
    }

    /// The data key. `binding` says what the caller asked the chain for; `keys` must be of the envelope's epoch.
    ///
    /// # Errors
    /// [`Error::Binding`] when the envelope is of another record, version or compartment; [`Error::WrongCompartment`],
    /// [`Error::WrongEpoch`], [`Error::WrongSuite`] when the keys are; [`Error::Unopened`] on a wrong key, chain or contract, or altered bytes.
    pub fn open(&self, binding: &Binding, keys: &CompartmentKeys) -> Result<DataKey, Error> {
        self.check(binding)?;
        if keys.compartment != self.compartment {
            return Err(Error::WrongCompartment {
                given: keys.compartment,
                expected: self.compartment,
            });
        }
        if keys.epoch != self.epoch {
            return Err(Error::WrongEpoch {
                given: keys.epoch,
                expected: self.epoch,
            });
        }
        let key = keys.private.open(self.suite, &self.info(binding), &self.sealed, WHAT)?;
        DataKey::from_slice(&key)
    }

    /// The whole way from blocks to plaintext: opens the data key, checks that `payload` is the payload described
    /// here, and opens it. The caller has checked both blocks against their CIDs.
    ///
    /// # Errors
    /// As [`Envelope::open`] and [`open_payload`]; [`Error::PayloadMismatch`].
    pub fn open_record(
        &self,
        binding: &Binding,
        keys: &CompartmentKeys,
        payload: &[u8],
    ) -> Result<(Metadata, Zeroizing<Vec<u8>>), Error> {
        if payload.len() as u64 != self.payload_bytes {
            return Err(Error::PayloadMismatch { field: "length" });
        }
        if commitment(payload)? != self.commitment {
            return Err(Error::PayloadMismatch { field: "commitment" });
        }
        open_payload(&self.open(binding, keys)?, binding, payload)
    }

    /// For byte ranges of the content. `start`: the payload's first [`RangeOpener::start_bytes`] bytes, or more.
    ///
    /// # Errors
    /// As [`Envelope::open`] and [`RangeOpener::new`]; [`Error::PayloadMismatch`].
    pub fn open_ranges(&self, binding: &Binding, keys: &CompartmentKeys, start: &[u8]) -> Result<RangeOpener, Error> {
        let data_key = self.open(binding, keys)?;
        let header = start.get(..HEADER_BYTES).ok_or(Error::Truncated)?;
        if commitment(header)? != self.commitment {
            return Err(Error::PayloadMismatch { field: "commitment" });
        }
        RangeOpener::new(&data_key, binding, self.payload_bytes, start)
    }

    /// [`Envelope::open_record`] of a payload of any length: its content goes to `out` as with
    /// [`open_stream`](crate::open_stream), and **counts only when this returns without an error**.
    ///
    /// # Errors
    /// As [`Envelope::open`] and [`open_stream`](crate::open_stream); [`Error::PayloadMismatch`].
    pub fn open_record_stream(
        &self,
        binding: &Binding,
        keys: &CompartmentKeys,
        mut payload: impl Read,
        out: impl Write,
    ) -> Result<Metadata, StreamError> {
        let data_key = self.open(binding, keys)?;
        let mut header = [0; HEADER_BYTES];
        let read = read_up_to(&mut payload, &mut header)?;
        if commitment(&header[..read])? != self.commitment {
            return Err(Error::PayloadMismatch { field: "commitment" }.into());
        }
        let payload = header.chain(payload);
        let opened = open_stream(&data_key, binding, self.payload_bytes, payload, out);
        opened.map_err(|error| match error {
            StreamError::Vault(Error::Truncated) => Error::PayloadMismatch { field: "length" }.into(),
            error => error,
        })
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&Wire {
            v: FORMAT_VERSION,
            suite: self.suite.id(),
            chart: ByteArray::new(self.chart),
            record: ByteArray::new(self.record_id),
            version: self.version,
            previous: ByteArray::new(self.previous),
            compartment: self.compartment,
            epoch: self.epoch,
            payload: self.payload,
            payload_bytes: self.payload_bytes,
            commitment: ByteArray::new(self.commitment),
            encapsulated: ByteBuf::from(self.sealed.encapsulated.as_slice()),
            sealed: ByteBuf::from(self.sealed.ciphertext.as_slice()),
        })
    }

    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`],
    /// [`Error::UnknownSuite`], [`Error::CompartmentRange`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        cbor::check_version(WHAT, bytes, ENVELOPE_BYTES_MAX, FORMAT_VERSION)?;
        let wire: Wire = cbor::decode(WHAT, bytes, ENVELOPE_BYTES_MAX)?;
        let suite = Suite::new(wire.suite)?;
        compartment::check(wire.compartment, wire.epoch)?;
        check_payload_cid(&wire.payload)?;
        Ok(Self {
            suite,
            chart: wire.chart.into_array(),
            record_id: wire.record.into_array(),
            version: wire.version,
            previous: wire.previous.into_array(),
            compartment: wire.compartment,
            epoch: wire.epoch,
            payload: wire.payload,
            payload_bytes: wire.payload_bytes,
            commitment: wire.commitment.into_array(),
            sealed: Sealed {
                encapsulated: wire.encapsulated.into_vec(),
                ciphertext: wire.sealed.into_vec(),
            },
        })
    }

    fn check(&self, binding: &Binding) -> Result<(), Error> {
        check_binding(binding)?;
        compartment::check(self.compartment, self.epoch)?;
        check_payload_cid(&self.payload)?;
        for (field, same) in [
            ("chart", self.chart == binding.chart),
            ("record", self.record_id == binding.record_id),
            ("version", self.version == binding.version),
            ("previous version", self.previous == binding.previous),
            ("compartment", self.compartment == binding.compartment),
        ] {
            if !same {
                return Err(Error::Binding { field });
            }
        }
        Ok(())
    }

    /// What the seal is bound to: everything in the envelope but the seal itself, and the deployment.
    fn info(&self, binding: &Binding) -> Vec<u8> {
        // The one field of variable length stands last.
        [
            &b"medlock/v1/envelope"[..],
            &self.suite.id().to_be_bytes(),
            &binding.to_bytes(),
            &self.epoch.to_be_bytes(),
            &self.commitment,
            &self.payload_bytes.to_be_bytes(),
            &self.payload.to_bytes(),
        ]
        .concat()
    }
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    v: u64,
    suite: u16,
    chart: ByteArray<32>,
    record: ByteArray<32>,
    version: u32,
    previous: ByteArray<32>,
    compartment: u8,
    epoch: u32,
    payload: Cid,
    payload_bytes: u64,
    commitment: ByteArray<32>,
    encapsulated: ByteBuf,
    sealed: ByteBuf,
}

/// A payload is a UnixFS file: one raw leaf, or a dag-pb node over several; always sha2-256.
fn check_payload_cid(cid: &Cid) -> Result<(), Error> {
    let fits = cid.version() == cid::Version::V1
        && matches!(cid.codec(), RAW | DAG_PB)
        && cid.hash().code() == SHA2_256
        && cid.hash().size() == 32;
    if fits {
        Ok(())
    } else {
        Err(Error::malformed(
            WHAT,
            "the payload's CID is not CIDv1, raw or dag-pb, sha2-256",
        ))
    }
}
