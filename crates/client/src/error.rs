//! What can go wrong, in the words of what to do about it.

use alloy::primitives::{Address, B256};

use crate::fault::Fault;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller asked for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    #[error("cannot reach the chain at {url}: {detail}. Is it running? `medlock dev` starts one")]
    ChainUnreachable { url: String, detail: String },
    #[error("the chain at {url} refused {doing}: {detail}")]
    Chain { url: String, doing: String, detail: String },
    #[error("{doing}: {fault}")]
    Contract { doing: String, fault: Fault },
    #[error("{doing}: {fault}")]
    Reverted { doing: String, fault: String },
    #[error("transaction {transaction} has no receipt yet; look for it again before you repeat the step")]
    NotMined { transaction: B256 },
    #[error(
        "operation {operation} is with the gateway and not mined yet; look for it again before you repeat the step"
    )]
    NotRelayed { operation: B256 },
    #[error("cannot reach the gateway at {url}: {detail}. Is it running? `medlock dev` starts one")]
    GatewayUnreachable { url: String, detail: String },
    /// The gateway's own problem document.
    #[error("the gateway answered {status} {kind}: {detail}")]
    Problem {
        status: u16,
        /// The slug of the problem's type (`medlock_api::Kind`).
        kind: String,
        detail: String,
        /// Stable text where a kind has more than one cause; for a refused decision, its reason.
        reason: Option<String>,
    },
    #[error("the gateway's answer to {doing} is not understood: {detail}")]
    GatewayAnswer { doing: String, detail: String },
    #[error("the gateway serves another deployment ({detail}); refusing to talk to it")]
    OtherDeployment { detail: String },
    /// Bytes that do not match their digest or do not decrypt under their binding.
    #[error("{what} is not what the chain says it is: {detail}. Nothing was released; try another replica")]
    Tampered { what: String, detail: String },
    #[error("{party} has published no encryption key, or has revoked it; they must run `medlock keys publish` first")]
    NoPublishedKey { party: Address },
    #[error("{member} is not a member of {organisation}; the organisation must run `medlock member set {member}`")]
    NotMember { organisation: Address, member: Address },
    #[error("{organisation} has to seal its keys to you: {detail}; it must run `medlock member seal`")]
    NoMembershipKeys {
        organisation: Address,
        detail: &'static str,
    },
    /// The keyring holds no key for this compartment and epoch.
    #[error("your keyring does not open compartment {compartment} of epoch {epoch}: {detail}")]
    NoCompartmentKey {
        compartment: u8,
        epoch: u32,
        detail: String,
    },
    /// Fewer shares than it takes were released so far. `forged`: custodians whose share is not what the kit commits to.
    #[error(
        "{released} of the {needed} custodians' shares are released that it takes to open this chart; try again in a moment{}",
        forged_by(.forged)
    )]
    EmergencyPending {
        released: usize,
        needed: u8,
        forged: Vec<Address>,
    },
    #[error(
        "this chart has no emergency kit for the keys that stand: its patient has left no keys with custodians, or has to leave them anew"
    )]
    NoEmergencyKit { chart: B256 },
    #[error("there is no chart {chart} on this chain")]
    UnknownChart { chart: B256 },
    #[error("chart {chart} is not controlled by {caller}; only its controller can do this")]
    NotController { chart: B256, caller: Address },
    #[error("{grantee} has no grant on this chart")]
    NoGrant { grantee: Address },
    #[error("there is no record {record} in this chart")]
    UnknownRecord { record: B256 },
    #[error(
        "record {record} stands there already, but is not what you are adding: {author} added it, or it is in another compartment"
    )]
    RecordTaken { record: B256, author: Address },
    #[error(
        "{grantee} would lose what its present grant allows, but keep the keys to it: revoke that grant first, then grant anew"
    )]
    GrantNarrowed { grantee: Address },
    #[error("record {record} has no version {version}; the latest is {latest}")]
    UnknownVersion { record: B256, version: u32, latest: u32 },
    #[error("the keys of chart {chart} were rotated again and again while records were being sealed; try again")]
    KeysRotated { chart: B256 },
    #[error("the wallet's user said no; nothing was sent")]
    WalletRejected,
    #[error("the wallet: {0}")]
    Wallet(String),
    /// A file of content that cannot be read or written.
    #[error("{0}")]
    File(String),
    /// A key file that cannot be read, written or opened.
    #[error("key file {0}")]
    KeyFile(String),
    /// A file that nothing sensible could be made of.
    #[error("{0}")]
    Unsuitable(String),
    #[error(
        "the file is about {patients} patients, and a chart is one person's; import each into their own chart, or all of it with --any-patient"
    )]
    SeveralPatients { patients: usize },
    #[error(
        "the Patient in the file was born on another day than the Patient of this chart; is it the right chart? --any-patient imports it"
    )]
    OtherPatient,
    #[error("record {record} was changed by somebody else while it was to be amended; import again")]
    Changed { record: B256 },
    #[error("message {index}: {fault}")]
    Message {
        index: usize,
        fault: medlock_fhir::hl7v2::Error,
    },
    #[error(transparent)]
    Dicom(#[from] medlock_fhir::dicom::Error),
    #[error(transparent)]
    Deployment(#[from] medlock_deployment::Error),
    #[error(transparent)]
    Vault(#[from] medlock_vault::Error),
    #[error(transparent)]
    Bundle(#[from] medlock_fhir::Error),
}

impl Error {
    /// True where the same call may succeed later without anybody changing anything else.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::ChainUnreachable { .. }
            | Self::GatewayUnreachable { .. }
            | Self::EmergencyPending { .. }
            | Self::KeysRotated { .. }
            | Self::Deployment(medlock_deployment::Error::Rpc { .. }) => true,
            Self::Problem { status, .. } => *status == 503 || *status == 429,
            _ => false,
        }
    }

    /// True where the fault is in a file that was to be imported. Others can be.
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::Unsuitable(_)
                | Self::SeveralPatients { .. }
                | Self::OtherPatient
                | Self::Message { .. }
                | Self::Dicom(_)
                | Self::Bundle(_)
                | Self::File(_)
        )
    }

    /// Something of the caller's that nothing sensible can be made of, and why.
    pub(crate) fn unsuitable(why: impl std::fmt::Display) -> Self {
        Self::Unsuitable(why.to_string())
    }

    /// True where the contract or the gateway said no to this caller.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Problem { status, .. } => matches!(status, 401 | 403 | 404),
            Self::Contract { fault, .. } => fault.is_refusal(),
            // A gateway does not tell an unknown chart from a forbidden one; neither do we.
            Self::UnknownChart { .. }
            | Self::NotController { .. }
            | Self::NoGrant { .. }
            | Self::NotMember { .. }
            | Self::NoEmergencyKit { .. } => true,
            _ => false,
        }
    }
}

fn forged_by(custodians: &[Address]) -> String {
    match custodians {
        [] => String::new(),
        some => {
            let some: Vec<_> = some.iter().map(Address::to_string).collect();
            format!(" (what came of {} is forged or damaged)", some.join(", "))
        }
    }
}
