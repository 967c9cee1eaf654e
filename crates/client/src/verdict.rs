//! A verdict that somebody hands over: who signed it, and whether it follows from the chain, without asking any gateway.

use alloy::{
    primitives::{Address, B256},
    providers::{Provider, ProviderBuilder},
};
use medlock_abi::terms::reason;
use medlock_api::SignedVerdict;
use medlock_deployment::Deployment;
use serde::Serialize;

use crate::{
    error::{Error, Result},
    signer_of,
};

/// The largest `verdict.json`: a proof has some 20 KiB, and a hundred times that on a chain with a deep state.
pub const VERDICT_BYTES_MOST: u64 = 2 * 1024 * 1024;

/// What there is to a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Who signed it. Whether that is a gateway to be believed, the registry says.
    pub gateway: Address,
    /// It follows from the hash of its block, whoever signed it: the state then, and the rules of the contract.
    pub proved: bool,
    /// UNIX seconds of the block, where that is proved. The verdict speaks of `verdict.at`, over the state at this block.
    pub block_time: Option<u64>,
}

/// Checks a verdict against the deployment, and against the hash that its block has on a chain that the caller trusts.
///
/// # Errors
/// [`Error::Tampered`] where anything of it does not hold.
pub fn check(signed: &SignedVerdict, deployment: &Deployment, block_hash: B256) -> Result<Checked> {
    let verdict = &signed.verdict;
    let tampered = |detail: &str| Error::Tampered {
        what: "the verdict".into(),
        detail: detail.into(),
    };
    if (signed.chain_id, signed.records) != (deployment.chain_id, deployment.records) {
        return Err(tampered("it is about another deployment"));
    }
    if !verdict.is_consistent() {
        return Err(tampered("it contradicts its own reason"));
    }
    let hash = signed
        .signing_hash()
        .ok_or_else(|| tampered("it is not among those that were signed"))?;
    let gateway = signer_of(&hash, &signed.signature).ok_or_else(|| tampered("it is not signed"))?;
    if verdict.block_hash != block_hash {
        return Err(tampered("its block is not the chain's"));
    }
    let Some(proof) = &signed.proof else {
        return Ok(Checked {
            gateway,
            proved: false,
            block_time: None,
        });
    };
    let fault = |error: medlock_consent::ProofError| tampered(&format!("its proof does not hold: {error}"));
    let proved = proof
        .verify(block_hash, deployment.records, deployment.exceptions)
        .map_err(fault)?;
    if proved.block_number != verdict.block_number {
        return Err(tampered("its block has another number"));
    }
    let found = proved.decide(&verdict.question(), verdict.at).map_err(fault)?;
    if found != verdict.reason_code {
        return Err(tampered(&format!("the contracts say {}", reason::text(found))));
    }
    Ok(Checked {
        gateway,
        proved: true,
        block_time: Some(proved.block_time),
    })
}

/// The hash of block `number`, as the node at `rpc` has it; `None`: it has none.
///
/// # Errors
/// [`Error::Chain`] where it is not reached.
pub async fn block_hash(rpc: &str, number: u64) -> Result<Option<B256>> {
    let fault = |detail: String| Error::Chain {
        url: rpc.to_owned(),
        doing: "eth_getBlockByNumber".to_owned(),
        detail,
    };
    let url = rpc.parse().map_err(|_| fault("the URL cannot be read".into()))?;
    let block = ProviderBuilder::new()
        .connect_http(url)
        .get_block_by_number(number.into())
        .await;
    Ok(block
        .map_err(|error| fault(error.to_string()))?
        .map(|block| block.header.hash))
}
