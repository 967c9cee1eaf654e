//! The client: everything that a patient, a clinic or an insurer does with Medlock, in one library.
//!
//! It holds the keys, encrypts before anything leaves the machine, and checks everything that comes back: blocks
//! against their digests, digests against the chain, directories against the controller's signature, verdicts and
//! receipts against their signers. Start at [`Client::connect`]; [`OpenChart`] reads and writes records.
//!
//! It must never send a key or plaintext, and never hand out bytes that it has not verified.

mod backup;
mod bundle;
mod chain;
mod chart;
mod claims;
mod consent;
mod content;
mod custody;
mod detect;
mod emergency;
mod error;
mod export;
mod fault;
#[cfg(not(target_arch = "wasm32"))]
pub mod file;
mod gateway;
pub mod identity;
mod import;
mod large;
mod membership;
mod own;
mod party;
mod platform;
mod record;
mod relay;
#[cfg_attr(target_arch = "wasm32", path = "resume/nowhere.rs")]
mod resume;
mod signer;
mod step;
mod supply;
pub mod terms;
mod trials;
pub mod verdict;

use std::{path::Path, sync::Arc};

use alloy::primitives::{Address, B256, Signature};
use medlock_deployment::Deployment;
use tokio::sync::OnceCell;

pub use backup::{BackedUp, Restored};
pub use bundle::{FRAMES, default_labels};
pub use chain::{Chain, Mined};
pub use chart::{Anchoring, ChartState, Read, Revoked, RevokedAll, Rotated};
pub use claims::{
    CLAIMS, ClaimPayment, ClaimsOf, ComparedClaim, NewClaim, OpenClaim, Ruling, SeenClaim, Signals, Submitted,
    claim_reason, remittance,
};
pub use content::{Content, Readable, Sheet};
pub use custody::{PutOff, Served};
pub use detect::Kind;
pub use emergency::{EmergencyKeys, EmergencySettings, KitSettings, REASONS, Readiness, Renewal};
pub use error::{Error, Result};
pub use export::{Exported, Layout, LeftOut};
pub use fault::Fault;
pub use gateway::{Gateway, PAYLOAD_BYTES_MOST};
pub use identity::Identity;
pub use import::{ImportOptions, Imported, ImportedEntry, Outcome};
pub use large::NewFile;
pub use medlock_abi::records::IRecords::GrantTerms;
pub use medlock_api as api;
pub use medlock_billing as billing;
pub use medlock_drugs as drugs;
pub use medlock_fhir::MEDIA_TYPE as FHIR_MEDIA_TYPE;
pub use medlock_research as research;
pub use medlock_vault::{Metadata, Suite};
pub use membership::{MemberSet, SealedToMembers};
pub use platform::{Asked, now};
pub use record::{Document, NewDocument, OpenChart, RANGE_BYTES_MOST, SealedDocument, Stored};
pub use signer::{Signer, Wallet};
pub use step::Step;
pub use supply::{
    Dispensing, HandOut, HandedOut, Held, NamedDocument, RecalledPackage, Shipped, UnitRecall, document_digest,
    named_document, scanned,
};
pub use trials::{ComparedResource, Consented, Participation, TrialFiles, participation_text, trial_rows};

/// Where the client finds the world.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub rpc: String,
    pub gateway: String,
}

/// One identity at one deployment. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    chain: Chain,
    deployment: Arc<Deployment>,
    identity: Identity,
    gateway_url: String,
    gateway: Arc<OnceCell<Gateway>>,
    /// Whom we act for, if not for ourselves.
    acting: Option<Arc<membership::Acting>>,
    /// The gateway submits what we sign, and pays.
    is_relayed: bool,
    watch: step::Watch,
    /// Where uploads are noted, so that they can go on after they were broken off. None: they begin anew.
    uploads: Option<Arc<Path>>,
}

impl Client {
    /// Checks that the chain is the deployment's. The gateway is asked when it is first needed.
    pub async fn connect(endpoints: &Endpoints, deployment: Deployment, identity: Identity) -> Result<Self> {
        let chain = Chain::new(&endpoints.rpc, deployment.chain_id, identity.signer())?;
        deployment.check(chain.provider()).await?;
        Ok(Self {
            chain,
            deployment: Arc::new(deployment),
            identity,
            gateway_url: endpoints.gateway.clone(),
            gateway: Arc::default(),
            acting: None,
            is_relayed: false,
            watch: step::Watch::default(),
            uploads: None,
        })
    }

    /// Notes uploads of large files in `dir`, which need not exist: repeated after it was broken off, one goes on where it was. Nothing
    /// in that folder is secret.
    pub fn noting_uploads_in(mut self, dir: &Path) -> Self {
        self.uploads = Some(dir.into());
        self
    }

    /// The same client, which tells `watch` what its transactions go through.
    pub fn watched(mut self, watch: impl Fn(Step) + Send + Sync + 'static) -> Self {
        self.watch = step::Watch::new(watch);
        self
    }

    fn uploads(&self) -> Option<&Path> {
        self.uploads.as_deref()
    }

    pub fn address(&self) -> Address {
        self.identity.address()
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    pub async fn gateway(&self) -> Result<&Gateway> {
        self.gateway
            .get_or_try_init(|| Gateway::connect(&self.gateway_url, &self.deployment, self.identity.signer().clone()))
            .await
    }

    /// Whether to ask the gateway once more for what the chain contradicts: it may have been behind, and be no liar. Its index has the chain's latest
    /// block by then, or says so, or is given up.
    pub(crate) async fn may_have_been_behind<T>(&self, told: &Result<T>) -> Result<bool> {
        if !matches!(told, Err(Error::Tampered { .. })) {
            return Ok(false);
        }
        let latest = self.chain.block_number().await?;
        self.gateway().await?.reach(latest).await?;
        Ok(true)
    }

    fn domain(&self) -> medlock_vault::Domain {
        medlock_vault::Domain {
            chain_id: self.deployment.chain_id,
            records: self.deployment.records.into_array(),
        }
    }
}

/// The account that made `signature` over `hash`; `None`: nobody did.
fn signer_of(hash: &B256, signature: &[u8]) -> Option<Address> {
    let signature = Signature::from_raw(signature).ok()?;
    signature.recover_address_from_prehash(hash).ok()
}
