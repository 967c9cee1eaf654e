//! What [`apply`](crate::apply()) would do, and what it would cost. Sends nothing, writes nothing.
use std::path::Path;

use alloy::{
    primitives::{Address, U256},
    providers::Provider,
};
use medlock_deployment::chain::{require_chain, require_chain_id, rpc};

use crate::{
    Artifacts, DeploymentFile, Error, Site, Terms,
    apply::{agree, fees, next_site},
    artifacts::NAMES,
    journal::{Journal, journal_path},
    steps::{Work, link},
};

/// The steps of a deployment on a chain as it is now. Amounts in wei.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub site: Site,
    /// Whether it goes on with what an earlier run began or finished.
    pub is_begun: bool,
    pub contracts: [(&'static str, Address); NAMES.len()],
    pub steps: Vec<Planned>,
    pub balance: U256,
    /// For a unit of gas, as the chain asks.
    pub gas_price: u128,
    /// The same, as is offered at first: what is above the chain's price comes back.
    pub gas_offer: u128,
}

/// A step that is done, or what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub name: String,
    /// What it creates or is about.
    pub contract: Address,
    pub is_done: bool,
    pub gas: u64,
    /// What ArbWasm takes for an activation.
    pub data_fee: U256,
    /// Gas at the chain's price, and the data fee.
    pub cost: U256,
    /// The same with what may be added: the data fee rises with every activation, gas with what the parent chain asks.
    pub cost_most: U256,
    /// What the account must be able to spend on it, at the price that is offered.
    pub reserve: U256,
}

impl Plan {
    pub fn gas(&self) -> u64 {
        self.steps.iter().map(|step| step.gas).sum()
    }

    pub fn cost(&self) -> U256 {
        self.steps.iter().map(|step| step.cost).sum()
    }

    /// What the account must hold: a step's surplus is back before the next, so it is the most that any step needs after
    /// those before it.
    pub fn needed(&self) -> U256 {
        let mut spent = U256::ZERO;
        let mut needed = U256::ZERO;
        for step in &self.steps {
            needed = needed.max(spent + step.reserve);
            spent += step.cost_most;
        }
        needed
    }

    pub fn missing(&self) -> U256 {
        self.needed().saturating_sub(self.balance)
    }

    /// # Errors
    /// [`Error::Funds`] where the account holds less than is needed.
    pub fn require_funds(&self) -> Result<(), Error> {
        if self.missing().is_zero() {
            return Ok(());
        }
        Err(Error::Funds {
            what: "the deployment".into(),
            account: self.site.deployer,
            balance: self.balance,
            needed: self.needed(),
        })
    }
}

/// Plans the deployment whose file is, or is to be, at `out`.
///
/// # Errors
/// As [`apply`](crate::apply()), for what can be known before.
pub async fn plan(
    provider: &impl Provider,
    deployer: Address,
    artifacts: &Artifacts,
    terms: &Terms,
    out: &Path,
) -> Result<Plan, Error> {
    if let Some(chain_id) = terms.chain_id {
        require_chain_id(provider, chain_id).await?;
    }
    let file = DeploymentFile::load_if_there(out)?;
    let journal = Journal::look(&journal_path(out))?;
    let begun = (journal.map(|journal| journal.site)).or(file.as_ref().map(DeploymentFile::site));
    let site = match begun {
        Some(site) => {
            agree(out, file.as_ref(), &site, deployer)?;
            require_chain(provider, site.chain_id, site.genesis_hash).await?;
            site
        }
        None => next_site(provider, deployer).await?,
    };
    let work = Work::new(provider, site, link(artifacts, &site)?, terms);
    let (gas_price, gas_offer) = fees(provider, terms.fee_most).await?;
    let mut steps = Vec::new();
    for action in work.actions() {
        let is_done = work.is_done(action).await?;
        let mut step = Planned {
            name: action.to_string(),
            contract: work.subject(action),
            is_done,
            gas: 0,
            data_fee: U256::ZERO,
            cost: U256::ZERO,
            cost_most: U256::ZERO,
            reserve: U256::ZERO,
        };
        if !is_done {
            let need = work.need(action).await?;
            step.gas = need.gas;
            step.data_fee = need.data_fee;
            step.cost = U256::from(need.gas) * U256::from(gas_price) + need.data_fee;
            step.cost_most = need.reserve(gas_price);
            step.reserve = need.reserve(gas_offer);
        }
        steps.push(step);
    }
    let balance = provider.get_balance(deployer).await;
    Ok(Plan {
        site,
        is_begun: begun.is_some(),
        contracts: std::array::from_fn(|at| (NAMES[at], work.at[at])),
        steps,
        balance: balance.map_err(rpc("ask for the deployer's balance"))?,
        gas_price,
        gas_offer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(cost_most: u64, reserve: u64) -> Planned {
        Planned {
            name: String::new(),
            contract: Address::ZERO,
            is_done: false,
            gas: 1,
            data_fee: U256::ZERO,
            cost: U256::from(cost_most - 1),
            cost_most: U256::from(cost_most),
            reserve: U256::from(reserve),
        }
    }

    fn plan(steps: Vec<Planned>, balance: u64) -> Plan {
        Plan {
            site: Site {
                chain_id: 1,
                genesis_hash: Default::default(),
                deployer: Address::repeat_byte(1),
                nonce: 0,
            },
            is_begun: false,
            contracts: NAMES.map(|name| (name, Address::ZERO)),
            steps,
            balance: U256::from(balance),
            gas_price: 1,
            gas_offer: 2,
        }
    }

    #[test]
    fn an_account_needs_the_dearest_step_on_top_of_those_before_it() {
        let steps = vec![planned(10, 25), planned(5, 40), planned(1, 2)];
        let poor = plan(steps.clone(), 49);
        assert_eq!(poor.cost(), U256::from(13));
        assert_eq!(poor.needed(), U256::from(50));
        assert_eq!(poor.missing(), U256::ONE);
        let refused = poor.require_funds().unwrap_err().to_string();
        assert!(refused.contains("0.000000000000000001 ETH are missing"), "{refused}");
        plan(steps, 50).require_funds().unwrap();
        plan(Vec::new(), 0).require_funds().unwrap();
    }
}
