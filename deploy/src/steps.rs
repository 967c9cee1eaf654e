//! The steps of a deployment, each one transaction: what it sends, what it takes, and how the chain shows that it is done.
use std::fmt;

use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, B256, U256, keccak256},
    providers::Provider,
    rpc::types::{TransactionRequest, state::AccountOverride},
    sol_types::SolCall,
    transports::RpcError,
};
use medlock_abi::registry::IRegistry;
use medlock_deployment::chain::{ARB_WASM, ArbWasm, code, is_active, read, reverted_with, rpc};

use crate::{Artifact, Artifacts, Deployment, Error, Links, Site, Terms, artifacts::NAMES};

/// What is offered when the data fee is asked for; only the fee is taken, and this much is never sent.
const FEE_OFFER_WEI: u128 = 1_000_000_000_000_000_000;
/// The fee is priced by demand and may rise until the transaction is mined; the excess comes back.
const FEE_MARGIN_PERCENT: u64 = 20;
/// What a transaction takes may rise, too: on a live chain a part of the gas pays for data on its parent. What is left comes back.
const GAS_MARGIN_PERCENT: u64 = 10;
/// Of `setIssuer` and `transferOwnership` while there is no registry to ask: what they take at most, without the parent chain's part.
const REGISTRY_CALL_GAS: u64 = 120_000;

/// One transaction's work. Contracts by their index in [`NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create(usize),
    Activate(usize),
    NameIssuer(Address),
    /// Ownership of the registry, which the new owner has to accept.
    Offer(Address),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(at) => write!(f, "deploy {}", NAMES[*at]),
            Self::Activate(at) => write!(f, "activate {}", NAMES[*at]),
            Self::NameIssuer(issuer) => write!(f, "name issuer {issuer}"),
            Self::Offer(owner) => write!(f, "offer ownership to {owner}"),
        }
    }
}

/// What a step takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    pub gas: u64,
    /// Wei that ArbWasm takes for an activation.
    pub data_fee: U256,
}

impl Need {
    pub fn gas_limit(&self) -> u64 {
        self.gas + self.gas * GAS_MARGIN_PERCENT / 100
    }

    /// Wei to send along.
    pub fn value(&self) -> U256 {
        self.data_fee + self.data_fee * U256::from(FEE_MARGIN_PERCENT) / U256::from(100)
    }

    /// Wei that the account must hold for it, where a unit of gas costs up to `fee`.
    pub fn reserve(&self, fee: u128) -> U256 {
        U256::from(self.gas_limit()) * U256::from(fee) + self.value()
    }
}

/// A deployment at one place: its linked contracts, and what is to be so in the end.
pub(crate) struct Work<'a, P> {
    pub provider: &'a P,
    pub site: Site,
    pub at: [Address; NAMES.len()],
    pub terms: &'a Terms,
    linked: Vec<Artifact>,
}

impl<'a, P: Provider> Work<'a, P> {
    pub fn new(provider: &'a P, site: Site, linked: Vec<Artifact>, terms: &'a Terms) -> Self {
        let at = site.addresses();
        Self {
            provider,
            site,
            at,
            terms,
            linked,
        }
    }

    /// In the order in which they are done; the hand-over is the last.
    pub fn actions(&self) -> Vec<Action> {
        let contracts = 0..NAMES.len();
        let issuers = self.terms.issuers.iter().copied();
        (contracts.clone().map(Action::Create))
            .chain(contracts.map(Action::Activate))
            .chain(issuers.map(Action::NameIssuer))
            .chain(self.terms.owner.map(Action::Offer))
            .collect()
    }

    /// As the contracts' addresses follow from the site. `block`: that of the first creation.
    pub fn deployment(&self, block: u64) -> Deployment {
        let [registry, records, exceptions, relay, audit, claims, supply, trials] = self.at;
        Deployment {
            chain_id: self.site.chain_id,
            genesis_hash: self.site.genesis_hash,
            registry,
            records,
            exceptions,
            relay,
            audit,
            claims,
            supply,
            trials,
            block,
        }
    }

    /// Whom the step creates or calls about.
    pub fn subject(&self, action: Action) -> Address {
        match action {
            Action::Create(at) | Action::Activate(at) => self.at[at],
            Action::NameIssuer(_) | Action::Offer(_) => self.registry(),
        }
    }

    /// Whether the chain is as the step leaves it, whoever did it.
    ///
    /// # Errors
    /// [`Error::OtherCode`] where something else stands in a contract's place.
    pub async fn is_done(&self, action: Action) -> Result<bool, Error> {
        match action {
            Action::Create(at) => {
                let found = code(self.provider, self.at[at]).await?;
                if !found.is_empty() && *found != self.linked[at].code {
                    return Err(Error::OtherCode {
                        contract: NAMES[at],
                        address: self.at[at],
                    });
                }
                Ok(!found.is_empty())
            }
            Action::Activate(at) => self.is_activated(at).await,
            Action::NameIssuer(issuer) => {
                let call = IRegistry::issuerOfCall { issuer };
                Ok(self.is_active_registry().await?
                    && read(self.provider, NAMES[0], self.registry(), call).await?.active)
            }
            Action::Offer(owner) => {
                if !self.is_active_registry().await? {
                    return Ok(false);
                }
                let pending = read(self.provider, NAMES[0], self.registry(), IRegistry::pendingOwnerCall {}).await?;
                Ok(pending == owner || self.owner().await? == owner)
            }
        }
    }

    /// keccak256 of each contract's code.
    pub fn hashes(&self) -> [B256; NAMES.len()] {
        hashes(&self.linked)
    }

    /// The registry's owner now.
    pub async fn owner(&self) -> Result<Address, Error> {
        Ok(read(self.provider, NAMES[0], self.registry(), IRegistry::ownerCall {}).await?)
    }

    /// What the step takes as the chain is; as it will be, while the contracts are not there.
    ///
    /// # Errors
    /// [`Error::ActivationRefused`], [`Error::NotOwner`]: the step cannot succeed.
    pub async fn need(&self, action: Action) -> Result<Need, Error> {
        let data_fee = match action {
            Action::Activate(at) => self.data_fee(at).await?,
            Action::NameIssuer(_) | Action::Offer(_) => {
                if !self.is_active_registry().await? {
                    let (gas, data_fee) = (REGISTRY_CALL_GAS, U256::ZERO);
                    return Ok(Need { gas, data_fee });
                }
                let owner = self.owner().await?;
                if owner != self.site.deployer {
                    return Err(Error::NotOwner {
                        owner,
                        deployer: self.site.deployer,
                    });
                }
                U256::ZERO
            }
            Action::Create(_) => U256::ZERO,
        };
        // With the margin: the fee is priced by demand, and may have risen since it was asked for.
        let mut need = Need { gas: 0, data_fee };
        let request = self.request(action, need.value());
        // On what is mined: what waits may be this very step, at a fee that is too low.
        let estimate = self.provider.estimate_gas(request).block(BlockId::latest());
        let estimate = match action {
            Action::Activate(at) => estimate.account_overrides(self.as_if_created(at)),
            _ => estimate.account_overrides([self.as_if_rich()]),
        };
        need.gas = estimate.await.map_err(rpc("estimate gas"))?;
        Ok(need)
    }

    /// What is to be sent, without nonce, gas and fees.
    pub fn request(&self, action: Action, value: U256) -> TransactionRequest {
        let request = TransactionRequest::default().with_from(self.site.deployer);
        let call = |to, input: Vec<u8>| request.clone().with_to(to).with_input(input);
        match action {
            Action::Create(at) => request.with_deploy_code(self.linked[at].init_code()),
            Action::Activate(at) => {
                let input = ArbWasm::activateProgramCall { program: self.at[at] };
                call(ARB_WASM, input.abi_encode()).with_value(value)
            }
            Action::NameIssuer(issuer) => {
                let input = IRegistry::setIssuerCall { issuer, active: true };
                call(self.registry(), input.abi_encode())
            }
            Action::Offer(pending) => {
                let input = IRegistry::transferOwnershipCall { pending };
                call(self.registry(), input.abi_encode())
            }
        }
    }

    fn registry(&self) -> Address {
        self.at[0]
    }

    async fn is_active_registry(&self) -> Result<bool, Error> {
        self.is_activated(0).await
    }

    async fn is_activated(&self, at: usize) -> Result<bool, Error> {
        Ok(!code(self.provider, self.at[at]).await?.is_empty() && is_active(self.provider, self.at[at]).await?)
    }

    async fn data_fee(&self, at: usize) -> Result<U256, Error> {
        let quote = self.request(Action::Activate(at), U256::from(FEE_OFFER_WEI));
        let asked = self
            .provider
            .call(quote)
            .account_overrides(self.as_if_created(at))
            .await;
        match asked {
            Ok(data) if data.is_empty() => Err(medlock_deployment::Error::NoPrograms.into()),
            Ok(data) => match ArbWasm::activateProgramCall::abi_decode_returns(&data) {
                Ok(answer) => Ok(answer.dataFee),
                Err(_) => Err(medlock_deployment::Error::Answer {
                    contract: "ArbWasm",
                    address: ARB_WASM,
                    data,
                }
                .into()),
            },
            // Somebody has done it since: there is nothing to pay, and the step is found done.
            Err(error) if reverted_with::<ArbWasm::ProgramUpToDate>(&error) => Ok(U256::ZERO),
            Err(RpcError::ErrorResp(payload)) => Err(Error::ActivationRefused {
                contract: NAMES[at],
                address: self.at[at],
                reason: payload.to_string(),
            }),
            Err(source) => Err(rpc("ask for the activation fee")(source).into()),
        }
    }

    fn as_if_created(&self, at: usize) -> [(Address, AccountOverride); 2] {
        let code = AccountOverride {
            code: Some(self.linked[at].code.clone().into()),
            ..Default::default()
        };
        [(self.at[at], code), self.as_if_rich()]
    }

    /// What a step takes can be asked by an account that could not pay for it yet.
    fn as_if_rich(&self) -> (Address, AccountOverride) {
        let rich = AccountOverride {
            balance: Some(U256::from(FEE_OFFER_WEI) * U256::from(1_000)),
            ..Default::default()
        };
        (self.site.deployer, rich)
    }
}

/// The contracts as they are to stand on the chain, in the order of [`NAMES`]. The registry begins with the deployer as its owner.
pub(crate) fn link(artifacts: &Artifacts, site: &Site) -> Result<Vec<Artifact>, Error> {
    let links = Links::foresee(site.deployer, site.nonce, site.deployer);
    let linked = artifacts.iter().map(|artifact| artifact.link(&links));
    Ok(linked.collect::<Result<_, _>>()?)
}

/// keccak256 of each contract's code, as the chain has it.
pub(crate) fn hashes(linked: &[Artifact]) -> [B256; NAMES.len()] {
    std::array::from_fn(|at| keccak256(&linked[at].code))
}
