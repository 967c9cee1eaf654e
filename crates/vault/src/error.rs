use alloy_primitives::Address;

/// Everything that can go wrong in the vault. No variant carries a key or plaintext.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("this is not a {what}: it does not begin as one")]
    NotThis { what: &'static str },
    #[error("{what} has format version {version}, which this program does not know; a newer one may")]
    UnknownVersion { what: &'static str, version: u64 },
    #[error("suite {suite} is unknown here; a newer program may know it")]
    UnknownSuite { suite: u16 },
    #[error("the key is of suite {given}, and this is sealed under suite {expected}")]
    WrongSuite { given: u16, expected: u16 },
    #[error(
        "the keys of compartment {compartment} are post-quantum (X-Wing) and the recipient's key is not: sealed to it, they would lose that"
    )]
    WeakerRecipient { compartment: u8 },
    #[error(
        "the organisation has post-quantum (X-Wing) keys and the member's key is not: sealed to it, they would lose that; the member must publish an x-wing key"
    )]
    WeakerMember,
    #[error("{what} is malformed: {why}")]
    Malformed { what: &'static str, why: String },
    #[error("{what} is not in its one canonical encoding")]
    NotCanonical { what: &'static str },
    #[error("{what} is {size} long, over the limit of {most}")]
    TooLarge { what: &'static str, size: u64, most: u64 },
    #[error("compartment {compartment} is out of range: compartments are 0..63")]
    CompartmentRange { compartment: u8 },

    #[error("the payload is cut short")]
    Truncated,
    #[error("the data key is not the one that this payload commits to")]
    Commitment,
    #[error("chunk {index} of the payload is not authentic: altered, moved, cut, or of another record")]
    Chunk { index: u32 },
    #[error("the payload's padding is not as the format has it")]
    Padding,
    #[error("the payload declares {declared} bytes of content and holds another number")]
    ContentLength { declared: u64 },
    #[error("the payload's compressed content is damaged")]
    Compression,
    #[error(
        "bytes {start}..{end} cannot be opened alone: the range is empty, or past the {content} bytes of content, or the content is compressed"
    )]
    Range { start: u64, end: u64, content: u64 },

    #[error("the envelope is of another {field} than asked for")]
    Binding { field: &'static str },
    #[error("the payload is not the one that the envelope describes: its {field} differs")]
    PayloadMismatch { field: &'static str },
    #[error("the key is of compartment {given}, the envelope of compartment {expected}")]
    WrongCompartment { given: u8, expected: u8 },
    #[error("the key is of epoch {given}, the envelope of epoch {expected}")]
    WrongEpoch { given: u32, expected: u32 },
    #[error("{what} does not open with this key: wrong key, or altered")]
    Unopened { what: &'static str },
    #[error("the public key is of low order or malformed and must not be used")]
    BadPublicKey,
    #[error("the encapsulated key is of low order or malformed")]
    BadEncapsulatedKey,

    #[error("no history was granted for compartment {compartment}: epoch {epoch} is before the grant")]
    NoHistory { compartment: u8, epoch: u32 },
    #[error("the directory no longer holds the link to epoch {epoch} of compartment {compartment}")]
    NoLink { compartment: u8, epoch: u32 },
    #[error("the private key of compartment {compartment}, epoch {epoch}, does not match the directory's public key")]
    KeyMismatch { compartment: u8, epoch: u32 },
    #[error("the directory does not list compartment {compartment}")]
    UnknownCompartment { compartment: u8 },

    #[error("the controller's signature is not a well-formed 65-byte signature with low s")]
    SignatureForm,
    #[error("it is signed by {signer}, not by the controller {controller}")]
    NotController { signer: Address, controller: Address },
    #[error("the keyring is of another {field} than asked for")]
    KeyringScope { field: &'static str },
    #[error("the membership is of another {field} than asked for")]
    MembershipScope { field: &'static str },
    #[error("the document is of another {field} than asked for")]
    DocumentScope { field: &'static str },
    #[error("the document is not sealed to this account")]
    NotRecipient,

    #[error("the emergency kit is of another {field} than the chain has at present")]
    KitScope { field: &'static str },
    #[error(
        "the chart has post-quantum keys (X-Wing), and the key of whoever broke the glass is weaker: they must publish another"
    )]
    WeakerPartyKey,

    #[error("{what} is not a valid key")]
    InvalidKey { what: &'static str },
    #[error("the key file's {parameter} of {given} is outside {least}..={most}")]
    KdfParameter {
        parameter: &'static str,
        given: u32,
        least: u32,
        most: u32,
    },
    #[error(
        "the key file does not open: the passphrase is wrong, or the file was altered (the two cannot be told apart)"
    )]
    Passphrase,

    #[error("{threshold} of {shares} shares is not allowed: 2 <= threshold <= shares <= 32")]
    ShareCounts { threshold: u8, shares: usize },
    #[error("custodian {index} is another one's account, or has another one's key")]
    CustodianTwice { index: usize },
    #[error("the share or its set is of another {field} than asked for")]
    ShareScope { field: &'static str },
    #[error("there is no share {index} in a set of {shares}")]
    NoSuchShare { index: u8, shares: u8 },
    #[error("share {index} is not the one that the set commits to: it is forged or damaged")]
    ForgedShare { index: u8 },
    #[error("share {index} is given twice")]
    ShareTwice { index: u8 },
    #[error("{given} shares are given and {needed} are needed")]
    TooFewShares { given: usize, needed: u8 },
    #[error("the shares belong together, but what they rebuild is not the secret of the published key")]
    RootMismatch,

    #[error("{given} words are given; the words of a root secret are 24")]
    WordCount { given: usize },
    #[error("word {position} is not in the list of words")]
    UnknownWord { position: usize },
    #[error("the words do not belong together: one of them is another word of the list, or they are out of order")]
    WordChecksum,
}

impl Error {
    pub(crate) fn malformed(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Malformed {
            what,
            why: why.to_string(),
        }
    }
}
