//! Medlock's cryptography: what is sealed on a client and what every other program sees only as blocks.
//!
//! - [`payload`]: one record version's content, compressed, padded, sealed in chunks.
//! - [`streaming`]: payloads of any length, and byte ranges of them.
//! - [`envelope`]: the block that links to a payload and carries its data key, sealed to a compartment.
//! - [`compartment`]: compartment keys, their epochs, and the links that lead back to earlier ones.
//! - [`directory`]: the controller's signed list of compartment public keys.
//! - [`keyring`]: compartment keys sealed to a grantee.
//! - [`membership`]: an organisation's encryption keys sealed to one of its members.
//! - [`document`]: what the parties of a ledger's case send each other.
//! - [`emergency`]: compartment keys for whoever breaks the glass, by way of custodians.
//! - [`keyfile`]: an actor's own keys at rest, under a passphrase.
//! - [`shares`]: the root secret, split among custodians.
//! - [`mnemonic`]: the root secret as 24 words.
//! - [`seal`]: HPKE (RFC 9180), the one way a key is sealed to a public key.
//! - [`signed`]: blocks that a controller signs.
//! - [`secret`]: the types that keys live in.
//! - [`binding`]: what each of these is bound to, so that none can stand in another's place.
//!
//! Start reading at [`envelope::Envelope::open_record`]: it is the whole way from a block to plaintext.
//! `docs/formats.md` describes every byte; `vectors/` holds fixed examples, good and bad.
//!
//! It must never do I/O but on readers and writers that it is given, read a clock or draw randomness of its own (the caller passes an RNG in),
//! release plaintext that is not authenticated, or let a key be printed, serialised or compared in variable time.
#![forbid(unsafe_code)]

pub mod binding;
mod cbor;
mod cipher;
pub mod compartment;
pub mod directory;
pub mod document;
pub mod emergency;
pub mod envelope;
mod error;
mod hedged;
pub mod keyfile;
pub mod keyring;
pub mod membership;
pub mod mnemonic;
pub mod payload;
pub mod seal;
pub mod secret;
pub mod shares;
pub mod signed;
mod stack;
pub mod streaming;

pub use binding::{Binding, Domain};
pub use cid::Cid;
pub use compartment::{CompartmentKeys, Link};
pub use directory::{Directory, DirectoryBody};
pub use document::{DocumentKey, DocumentScope, SealedDocument};
pub use emergency::{EmergencyKit, KitBody, KitScope, KitTerms, VerifiedKit};
pub use envelope::Envelope;
pub use error::Error;
pub use keyfile::{KdfParams, KeyFile, Secrets};
pub use keyring::{Keyring, KeyringScope};
pub use membership::{Membership, MembershipScope};
pub use mnemonic::Mnemonic;
pub use payload::{Metadata, PayloadSeal, SealedPayload, open_metadata, open_payload, seal_payload};
/// The version of `rand_core` whose `CryptoRng` this crate takes.
pub use rand_core;
pub use seal::{PublicKey, Suite};
pub use secret::{AccountKey, CompartmentPrivateKey, DataKey, EncryptionKey, HistoryKey, RootSecret};
pub use shares::{AnchoredSet, Published, Recipient, SealedShare, SetScope, Share, ShareSet};
pub use streaming::{RangeOpener, StreamError, StreamSealer, open_stream, seal_stream};
/// Buffers that are wiped when dropped.
pub use zeroize::Zeroizing;
