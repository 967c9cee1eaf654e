//! Compares a chain with a deployment file and the built contracts, and names every difference.
use alloy::{
    consensus::Transaction as _,
    network::TransactionResponse,
    primitives::{Address, keccak256},
    providers::Provider,
};
use medlock_abi::registry::IRegistry;
use medlock_deployment::{
    Error as Chain,
    chain::{code, is_active, read, require_chain, rpc, seconds_left},
};
use serde::Serialize;

use crate::{
    Artifacts, DeploymentFile, Error,
    artifacts::NAMES,
    steps::{hashes, link},
};

/// Something that is not as the file or the build says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The contract's name, or `file`.
    pub of: String,
    pub what: &'static str,
    pub expected: String,
    pub found: String,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub differences: Vec<Difference>,
    /// Things compared.
    pub compared: usize,
    /// Until the first of the programs expires, in seconds; absent where none is active.
    pub expires_in: Option<u64>,
}

/// What is to be so besides what the file says.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The registry's owner; `None`: the file's.
    pub owner: Option<Address>,
    /// Must be issuers now.
    pub issuers: Vec<Address>,
}

impl Verified {
    fn compare(&mut self, of: &str, what: &'static str, expected: impl ToString, found: impl ToString) -> bool {
        self.compared += 1;
        let (expected, found) = (expected.to_string(), found.to_string());
        let is_same = expected == found;
        if !is_same {
            self.differences.push(Difference {
                of: of.into(),
                what,
                expected,
                found,
            });
        }
        is_same
    }
}

/// Compares everything, whatever differs on the way.
///
/// # Errors
/// [`Error::OtherChain`], [`Error::OtherGenesis`]: nothing was compared. [`Error::Rpc`].
pub async fn verify(
    provider: &impl Provider,
    artifacts: &Artifacts,
    file: &DeploymentFile,
    expected: &Expected,
) -> Result<Verified, Error> {
    let deployment = &file.deployment;
    require_chain(provider, deployment.chain_id, deployment.genesis_hash).await?;
    let mut verified = Verified {
        differences: Vec::new(),
        compared: 0,
        expires_in: None,
    };
    let site = file.site();
    let built = hashes(&link(artifacts, &site)?);
    for (at, (name, address)) in deployment.contracts().into_iter().enumerate() {
        verified.compare("file", name, site.addresses()[at], address);
        let recorded = file.origin.code.get(name);
        let recorded = recorded.map_or_else(|| "nothing".into(), ToString::to_string);
        verified.compare(name, "code hash, as built and in the file", built[at], recorded);
        let found = code(provider, address).await?;
        if found.is_empty() {
            verified.compare(name, "code", "a program", "nothing");
            continue;
        }
        verified.compare(
            name,
            "code hash, as built and on the chain",
            built[at],
            keccak256(&found),
        );
        let active = is_active(provider, address).await?;
        verified.compare(
            name,
            "activation",
            "active",
            if active { "active" } else { "never, or expired" },
        );
        if !active {
            continue;
        }
        let left = seconds_left(provider, address).await?;
        verified.expires_in = Some(verified.expires_in.map_or(left, |least| least.min(left)));
        let named = match deployment.named_by(provider, name).await {
            Ok(named) => format!("{named:?}"),
            // Code that is not ours answers as it likes.
            Err(error) if is_contracts_fault(&error) => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        verified.compare(name, "neighbours", format!("{:?}", deployment.neighbours(name)), named);
        if at == 0 {
            match registry(provider, address, file, expected, &mut verified).await {
                Err(Error::Chain(error)) if is_contracts_fault(&error) => {
                    verified.compare(name, "owner and issuers", "an answer", error);
                }
                other => other?,
            }
        }
    }
    let creation = creation(provider, file).await?;
    verified.compare("file", "block", format!("creates {}", deployment.registry), creation);
    Ok(verified)
}

/// Owner, hand-over and issuers.
async fn registry(
    provider: &impl Provider,
    address: Address,
    file: &DeploymentFile,
    expected: &Expected,
    verified: &mut Verified,
) -> Result<(), Error> {
    let [name, ..] = NAMES;
    let wanted = expected.owner.unwrap_or(file.origin.owner);
    let owner = read(provider, name, address, IRegistry::ownerCall {}).await?;
    let pending = read(provider, name, address, IRegistry::pendingOwnerCall {}).await?;
    let found = match pending {
        pending if pending == wanted && owner != wanted => {
            format!("{owner}; {pending} was offered it and has to call acceptOwnership()")
        }
        _ => owner.to_string(),
    };
    let is_owned = verified.compare(name, "owner", wanted, found);
    if is_owned {
        // An offer of the owner's own to somebody else would give it away.
        verified.compare(
            name,
            "pending owner",
            "nobody",
            match pending {
                pending if pending.is_zero() || pending == owner => "nobody".into(),
                pending => pending.to_string(),
            },
        );
    }
    for issuer in &expected.issuers {
        let found = read(provider, name, address, IRegistry::issuerOfCall { issuer: *issuer }).await?;
        let found = if found.active { "an issuer" } else { "no issuer" };
        verified.compare(
            name,
            "issuer",
            format!("{issuer} is an issuer"),
            format!("{issuer} is {found}"),
        );
    }
    Ok(())
}

/// What the file's block creates: an index that begins after it would miss events.
async fn creation(provider: &impl Provider, file: &DeploymentFile) -> Result<String, Error> {
    let block = provider.get_block_by_number(file.deployment.block.into()).full().await;
    let Some(block) = block.map_err(rpc("read the deployment's block"))? else {
        return Ok("no such block".into());
    };
    let origin = &file.origin;
    let is_there = block.transactions.txns().any(|transaction| {
        transaction.from() == origin.deployer && transaction.nonce() == origin.nonce && transaction.to().is_none()
    });
    Ok(match is_there {
        true => format!("creates {}", file.site().addresses()[0]),
        false => "creates no contract of ours".into(),
    })
}

fn is_contracts_fault(error: &Chain) -> bool {
    match error {
        Chain::Answer { .. } | Chain::NotActivated { .. } => true,
        // A revert; whatever else a node answers says nothing about the contract.
        Chain::Rpc { source, .. } => (source.as_error_resp())
            .is_some_and(|payload| payload.as_revert_data().is_some() || payload.message.contains("revert")),
        _ => false,
    }
}
