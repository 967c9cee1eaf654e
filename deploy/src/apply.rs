//! Does what is not done yet of a deployment, whatever stopped it before.
//!
//! Each creation has a nonce of its own from the beginning on, so that it happens at most once and at a known address; what is on
//! the chain decides what is left to do, and the journal names the transactions that may have done it.
use std::{path::Path, time::Duration};

use alloy::{
    eips::Encodable2718,
    network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder},
    primitives::{Address, B256, TxHash},
    providers::Provider,
    rpc::types::TransactionReceipt,
    signers::local::PrivateKeySigner,
    transports::RpcError,
};
use medlock_deployment::{
    Error::OtherChain,
    chain::{code, genesis_hash, require_chain, require_chain_id, rpc},
    require_names,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    Artifacts, Deployment, DeploymentFile, Error, Site,
    artifacts::NAMES,
    deployment::Origin,
    journal::{Attempt, Journal, journal_path},
    steps::{Action, Need, Work, hashes, link},
};

/// Between two looks at the chain; doubles from the first to the last.
const POLL_FIRST: Duration = Duration::from_millis(10);
const POLL_MOST: Duration = Duration::from_secs(1);
/// A node behind a balancer may not have yet what another has told.
const READ_BACK_WAIT: Duration = Duration::from_secs(20);
/// The same for the receipt of a transaction that counts already.
const RECEIPT_WAIT: Duration = Duration::from_secs(2);
/// Transactions sent for one step, each with a higher fee.
const ATTEMPTS_MAX: usize = 10;
/// How often the steps are gone through again, because blocks were replaced.
const ROUNDS_MAX: usize = 10;
/// For the blocks after the last step.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(15 * 60);
/// What a unit of gas may cost, in per cent of what the chain asks: the base fee rises by an eighth a block at most.
const FEE_PERCENT: u128 = 200;
/// Nodes refuse a replacement that does not raise both fees by a tenth.
const RAISE_PERCENT: u128 = 113;
/// An account that has delegated itself to a contract (EIP-7702) is still its key's.
const DELEGATED: [u8; 3] = [0xef, 0x01, 0x00];

/// What a deployment is to be, besides its contracts.
#[derive(Debug, Clone)]
pub struct Terms {
    /// To whom the registry's ownership is offered at the end; `None`: the deployer keeps it.
    pub owner: Option<Address>,
    /// Accounts that may issue credentials, named by the deployer before the hand-over.
    pub issuers: Vec<Address>,
    /// The chain that is meant, whatever the endpoint says it is; `None`: the endpoint's.
    pub chain_id: Option<u64>,
    /// Blocks, its own included, that every step must have before it counts.
    pub confirmations: u64,
    /// Wei for a unit of gas, at most.
    pub fee_most: u128,
    /// After so long without being mined a transaction is sent with a higher fee.
    pub raise_after: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            owner: None,
            issuers: Vec::new(),
            chain_id: None,
            confirmations: 1,
            // A hundred times what Arbitrum One asks when it is busy.
            fee_most: 10_000_000_000,
            raise_after: Duration::from_secs(30),
        }
    }
}

/// One transaction of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it did: `deploy registry`, `activate records`, ...
    pub name: String,
    pub transaction: TxHash,
    pub gas: u64,
    pub block: u64,
    pub block_hash: B256,
    /// The address that it created or was about.
    pub contract: Address,
}

/// What happens meanwhile.
#[derive(Debug)]
pub enum Event<'a> {
    Sent {
        step: &'a str,
        transaction: TxHash,
    },
    Mined(&'a Step),
    Confirming {
        block: u64,
    },
    /// The chain has replaced the block of this step: it is looked at again, and sent again where it is gone.
    Reorganised {
        step: &'a str,
    },
}

/// A finished deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    pub deployment: Deployment,
    pub origin: Origin,
    /// All that were sent for it, in whichever run; without those that were found done by others.
    pub steps: Vec<Step>,
}

impl Deployed {
    pub fn file(&self) -> DeploymentFile {
        DeploymentFile {
            deployment: self.deployment.clone(),
            origin: self.origin.clone(),
        }
    }
}

/// Puts the contracts on the chain, in one go and without a file: for tests and measurements. `signer` pays and is the registry's owner.
///
/// # Errors
/// As [`apply`].
pub async fn deploy(
    provider: &impl Provider,
    signer: &PrivateKeySigner,
    artifacts: &Artifacts,
) -> Result<Deployed, Error> {
    let terms = Terms::default();
    let site = next_site(provider, signer.address()).await?;
    let linked = link(artifacts, &site)?;
    let journal = Journal::unwritten(site, hashes(&linked));
    let mut apply = Apply {
        wallet: EthereumWallet::from(signer.clone()),
        work: Work::new(provider, site, linked, &terms),
        journal,
        waited: Vec::new(),
        tell: &mut |_| (),
    };
    apply.run(None).await
}

/// Does what is left of the deployment whose file is to stand at `out`, and writes that file.
///
/// Begins it where there is neither file nor journal; goes on where there is one. With a finished deployment it does what
/// `terms` want beyond it, and activates what has expired.
///
/// # Errors
/// See [`Error`]. Whatever it is: what is on the chain and in the journal counts, and the next call goes on from there.
pub async fn apply(
    provider: &impl Provider,
    signer: &PrivateKeySigner,
    artifacts: &Artifacts,
    terms: &Terms,
    out: &Path,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Deployed, Error> {
    let deployer = signer.address();
    if let Some(chain_id) = terms.chain_id {
        require_chain_id(provider, chain_id).await?;
    }
    let file = DeploymentFile::load_if_there(out)?;
    let begin = async || match &file {
        Some(file) => Ok(file.site()),
        None => next_site(provider, deployer)
            .await
            .and_then(|site| match terms.chain_id {
                Some(expected) if expected != site.chain_id => Err(OtherChain {
                    expected,
                    found: site.chain_id,
                }
                .into()),
                _ => Ok(site),
            }),
    };
    let mut linked = Vec::new();
    let journal = Journal::open(&journal_path(out), begin, |site| {
        linked = link(artifacts, site)?;
        Ok(hashes(&linked))
    })
    .await?;
    let site = journal.site;
    agree(out, file.as_ref(), &site, deployer)?;
    require_chain(provider, site.chain_id, site.genesis_hash).await?;
    let work = Work::new(provider, site, linked, terms);
    let wallet = EthereumWallet::from(signer.clone());
    let mut apply = Apply {
        wallet,
        work,
        journal,
        waited: Vec::new(),
        tell,
    };
    let deployed = apply.run(file.as_ref()).await?;
    deployed.file().save(out)?;
    apply.journal.remove()?;
    Ok(deployed)
}

/// File, journal and account belong to one deployment.
pub(crate) fn agree(out: &Path, file: Option<&DeploymentFile>, site: &Site, deployer: Address) -> Result<(), Error> {
    if let Some(file) = file
        && file.site() != *site
    {
        return Err(Error::Journal {
            path: journal_path(out),
            reason: format!("is of another deployment than {}", out.display()),
        });
    }
    if site.deployer != deployer {
        return Err(Error::OtherDeployer {
            expected: site.deployer,
            found: deployer,
        });
    }
    Ok(())
}

/// Where the deployer's next transactions would put a deployment.
pub(crate) async fn next_site(provider: &impl Provider, deployer: Address) -> Result<Site, Error> {
    let chain_id = provider.get_chain_id().await.map_err(rpc("chain id"))?;
    let genesis_hash = genesis_hash(provider).await?;
    let nonce = count(provider, deployer).await?;
    let pending = provider.get_transaction_count(deployer).pending().await;
    let waiting = pending.map_err(rpc("count the deployer's transactions"))?;
    if waiting > nonce {
        return Err(Error::Waiting {
            account: deployer,
            count: waiting - nonce,
        });
    }
    Ok(Site {
        chain_id,
        genesis_hash,
        deployer,
        nonce,
    })
}

/// Transactions of the account that are mined.
async fn count(provider: &impl Provider, account: Address) -> Result<u64, Error> {
    let count = provider.get_transaction_count(account).await;
    Ok(count.map_err(rpc("count the deployer's transactions"))?)
}

/// Refuses an owner that could never accept: nobody, the deployer, and, unless it is said to be an account with a key, an address without code.
pub async fn check_owner(
    provider: &impl Provider,
    deployer: Address,
    owner: Address,
    is_eoa: bool,
) -> Result<(), Error> {
    if owner.is_zero() || owner == deployer {
        return Err(Error::NoHandOver { owner });
    }
    let code = code(provider, owner).await?;
    let is_contract = !code.is_empty() && !code.starts_with(&DELEGATED);
    match (is_contract, is_eoa) {
        (false, false) => Err(Error::OwnerWithoutCode { owner }),
        (true, true) => Err(Error::OwnerWithCode { owner }),
        _ => Ok(()),
    }
}

/// Wei for a unit of gas as the chain asks, and what is offered for it.
///
/// # Errors
/// [`Error::Fee`] where it asks for more than `most`.
pub(crate) async fn fees(provider: &impl Provider, most: u128) -> Result<(u128, u128), Error> {
    let asked = provider.get_gas_price().await.map_err(rpc("ask for the gas price"))?;
    if asked > most {
        return Err(Error::Fee { asked, most });
    }
    Ok((asked, (asked.saturating_mul(FEE_PERCENT) / 100).min(most).max(1)))
}

struct Apply<'a, P> {
    wallet: EthereumWallet,
    work: Work<'a, P>,
    journal: Journal,
    /// Transactions that this run has sent, or found on their way.
    waited: Vec<TxHash>,
    tell: &'a mut (dyn FnMut(Event<'_>) + Send),
}

/// How far a step is.
enum Progress {
    Done(Option<Step>),
    /// What it rests on is gone from the chain.
    Lost,
}

impl<P: Provider> Apply<'_, P> {
    async fn run(&mut self, file: Option<&DeploymentFile>) -> Result<Deployed, Error> {
        for _ in 0..ROUNDS_MAX {
            if let Some(steps) = self.round().await? {
                return self.finish(file, steps).await;
            }
            sleep(POLL_MOST).await;
        }
        Err(Error::Unsettled)
    }

    /// Every step, to its end. `None`: a block was replaced meanwhile.
    async fn round(&mut self) -> Result<Option<Vec<Step>>, Error> {
        let mut steps = Vec::new();
        for action in self.work.actions() {
            match self.step(action).await? {
                Progress::Done(step) => steps.extend(step),
                Progress::Lost => {
                    let step = action.to_string();
                    (self.tell)(Event::Reorganised { step: &step });
                    return Ok(None);
                }
            }
        }
        Ok(self.is_settled(&steps).await?.then_some(steps))
    }

    async fn finish(&self, file: Option<&DeploymentFile>, steps: Vec<Step>) -> Result<Deployed, Error> {
        let site = self.work.site;
        let first = self.work.at[0];
        let block = match file {
            Some(file) => file.deployment.block,
            None => {
                let created = steps.iter().find(|step| step.contract == first);
                let created = created.ok_or(Error::Unwitnessed { contract: NAMES[0] })?;
                created.block
            }
        };
        let deployment = self.work.deployment(block);
        let (owner, wanted) = (self.work.owner().await?, self.work.terms.owner);
        if Some(owner) != wanted {
            // Another owner is one that was handed to since, and the file says so already.
            let handed = file.is_some_and(|file| file.origin.owner == owner);
            if !handed {
                require_names(NAMES[0], first, vec![site.deployer], vec![owner])?;
            }
        }
        deployment.check_links(self.work.provider).await?;
        let before = file.map_or(site.deployer, |file| file.origin.owner);
        let origin = Origin::new(&site, wanted.unwrap_or(before), self.work.hashes());
        Ok(Deployed {
            deployment,
            origin,
            steps,
        })
    }

    async fn step(&mut self, action: Action) -> Result<Progress, Error> {
        let name = action.to_string();
        for _ in 0..ATTEMPTS_MAX {
            if self.work.is_done(action).await? {
                return Ok(Progress::Done(self.result(action, &name).await?));
            }
            let count = count(self.work.provider, self.work.site.deployer).await?;
            let nonce = match action {
                Action::Create(at) => {
                    let nonce = self.work.site.nonce + at as u64;
                    if count > nonce {
                        self.explain_taken(action, &name, nonce).await?;
                        continue;
                    }
                    if count < nonce {
                        return Ok(Progress::Lost);
                    }
                    nonce
                }
                // Whatever waits there is replaced, not joined by another.
                _ => count,
            };
            if !self.waits(&name, nonce).await {
                self.send(action, &name, nonce).await?;
            }
            if self.is_mined(&name, nonce).await? {
                self.read_back(action).await?;
            }
        }
        Err(Error::NotMined {
            step: name,
            attempts: ATTEMPTS_MAX,
        })
    }

    fn last(&self, step: &str) -> Option<&Attempt> {
        self.journal.attempts.iter().rev().find(|attempt| attempt.step == step)
    }

    /// The last transaction of this step at `nonce`, and whether the node has it.
    async fn waiting(&self, step: &str, nonce: u64) -> Option<(Attempt, bool)> {
        let attempt = self.last(step).filter(|attempt| attempt.nonce == nonce)?;
        let found = self.work.provider.get_transaction_by_hash(attempt.transaction).await;
        Some((attempt.clone(), matches!(found, Ok(Some(_)))))
    }

    /// Whether one of an earlier run is on its way, which has only to be waited for. For this run's own that was in vain.
    async fn waits(&mut self, step: &str, nonce: u64) -> bool {
        match self.waiting(step, nonce).await {
            Some((attempt, true)) if !self.waited.contains(&attempt.transaction) => {
                self.waited.push(attempt.transaction);
                true
            }
            _ => false,
        }
    }

    /// Writes the transaction down, then hands it over. Whether it arrived shows when it is mined.
    async fn send(&mut self, action: Action, step: &str, nonce: u64) -> Result<(), Error> {
        let need = self.work.need(action).await?;
        let (_, mut fee) = fees(self.work.provider, self.work.terms.fee_most).await?;
        let mut tip = 1;
        if let Some((last, is_there)) = self.waiting(step, nonce).await {
            fee = fee.max(if is_there { raised(last.fee) } else { last.fee });
            tip = if is_there { raised(last.tip) } else { last.tip };
        }
        if fee > self.work.terms.fee_most {
            // What was sent stays in force.
            return Ok(());
        }
        self.require_funds(&need, fee, step).await?;
        let request = self
            .work
            .request(action, need.value())
            .with_chain_id(self.work.site.chain_id)
            .with_nonce(nonce)
            .with_gas_limit(need.gas_limit())
            .with_max_fee_per_gas(fee)
            .with_max_priority_fee_per_gas(tip.min(fee));
        let not_sent = |reason: String| Error::NotSent {
            step: step.into(),
            reason,
        };
        let signed = request.build(&self.wallet).await;
        let signed = signed.map_err(|error| not_sent(error.to_string()))?;
        let transaction = *signed.tx_hash();
        self.journal.append(Attempt {
            step: step.into(),
            nonce,
            transaction,
            fee,
            tip,
        })?;
        self.waited.push(transaction);
        let sent = self.work.provider.send_raw_transaction(&signed.encoded_2718()).await;
        match sent {
            Ok(_) => (self.tell)(Event::Sent { step, transaction }),
            // Lost on the way there or back: it may have arrived.
            Err(error) if !matches!(error, RpcError::ErrorResp(_)) => {}
            // Another took the nonce, or a dearer one waits at it: the next look at the chain says which.
            Err(error) if is_overtaken(&error.to_string()) => {}
            Err(error) => return Err(not_sent(error.to_string())),
        }
        Ok(())
    }

    async fn require_funds(&self, need: &Need, fee: u128, step: &str) -> Result<(), Error> {
        let account = self.work.site.deployer;
        let balance = self.work.provider.get_balance(account).await;
        let balance = balance.map_err(rpc("ask for the deployer's balance"))?;
        let needed = need.reserve(fee);
        if balance >= needed {
            return Ok(());
        }
        Err(Error::Funds {
            what: step.into(),
            account,
            balance,
            needed,
        })
    }

    /// Waits for a transaction of this step at `nonce`. False: something else took the nonce, or it is time to raise the fee.
    ///
    /// # Errors
    /// [`Error::Reverted`].
    async fn is_mined(&mut self, step: &str, nonce: u64) -> Result<bool, Error> {
        let mut until = Instant::now() + self.work.terms.raise_after;
        let (mut pause, mut is_taken) = (POLL_FIRST, false);
        loop {
            // A node that does not answer now is asked again; what was sent is on its way.
            if let Ok(Some(receipt)) = self.receipt(step, Some(nonce)).await {
                return match receipt.status() {
                    true => Ok(true),
                    false => Err(Error::Reverted {
                        step: step.into(),
                        transaction: receipt.transaction_hash,
                    }),
                };
            }
            let taken = count(self.work.provider, self.work.site.deployer).await;
            if !is_taken && taken.is_ok_and(|count| count > nonce) {
                is_taken = true;
                until = until.min(Instant::now() + RECEIPT_WAIT);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL_MOST);
        }
    }

    /// Until the state shows what the receipt says.
    async fn read_back(&self, action: Action) -> Result<(), Error> {
        let until = Instant::now() + READ_BACK_WAIT;
        while !self.work.is_done(action).await? && Instant::now() < until {
            sleep(POLL_MOST).await;
        }
        Ok(())
    }

    /// Of the transaction that did this step, if one of the journal did.
    async fn result(&mut self, action: Action, name: &str) -> Result<Option<Step>, Error> {
        if self.last(name).is_none() {
            return Ok(None);
        }
        let until = Instant::now() + READ_BACK_WAIT;
        let receipt = loop {
            if let Some(receipt) = self.receipt(name, None).await? {
                break receipt;
            }
            // Done by somebody else, which only an activation can be, or known to another node first.
            if Instant::now() >= until {
                return Ok(None);
            }
            sleep(POLL_MOST).await;
        };
        let step = Step {
            name: name.into(),
            transaction: receipt.transaction_hash,
            gas: receipt.gas_used,
            // A mined transaction has a block; the library's type also serves pending ones.
            block: receipt.block_number.unwrap_or_default(),
            block_hash: receipt.block_hash.unwrap_or_default(),
            contract: self.work.subject(action),
        };
        (self.tell)(Event::Mined(&step));
        Ok(Some(step))
    }

    /// The receipt of a transaction for this step (at `nonce`): of the one that succeeded, if one did.
    async fn receipt(&self, step: &str, nonce: Option<u64>) -> Result<Option<TransactionReceipt>, Error> {
        let of_step = |attempt: &&Attempt| attempt.step == step && nonce.is_none_or(|nonce| attempt.nonce == nonce);
        let mut found = None;
        for attempt in self.journal.attempts.iter().rev().filter(of_step) {
            let receipt = self.work.provider.get_transaction_receipt(attempt.transaction).await;
            match receipt.map_err(rpc("ask for a receipt"))? {
                Some(receipt) if receipt.status() => return Ok(Some(receipt)),
                Some(receipt) => found = Some(receipt),
                None => {}
            }
        }
        Ok(found.filter(|_| nonce.is_some()))
    }

    /// The nonce of a creation is used up, and the contract is not there: why, unless it is about to appear.
    async fn explain_taken(&self, action: Action, step: &str, nonce: u64) -> Result<(), Error> {
        match self.receipt(step, Some(nonce)).await? {
            // A node that lags says that there is no code.
            Some(receipt) if receipt.status() => self.read_back(action).await,
            Some(receipt) => Err(Error::Reverted {
                step: step.into(),
                transaction: receipt.transaction_hash,
            }),
            None => Err(Error::NonceTaken {
                step: step.into(),
                account: self.work.site.deployer,
                nonce,
            }),
        }
    }

    /// Waits for the confirmations; false where a step's block is not the chain's any more.
    async fn is_settled(&mut self, steps: &[Step]) -> Result<bool, Error> {
        let Some(last) = steps.iter().map(|step| step.block).max() else {
            return Ok(true);
        };
        let block = last + self.work.terms.confirmations.saturating_sub(1);
        let until = Instant::now() + CONFIRMED_WITHIN;
        (self.tell)(Event::Confirming { block });
        let mut pause = POLL_FIRST;
        loop {
            let head = self.work.provider.get_block_number().await;
            let head = head.map_err(rpc("ask for the latest block"))?;
            for step in steps {
                let receipt = self.work.provider.get_transaction_receipt(step.transaction).await;
                let receipt = receipt.map_err(rpc("ask for a receipt"))?;
                if receipt.and_then(|receipt| receipt.block_hash) != Some(step.block_hash) {
                    (self.tell)(Event::Reorganised { step: &step.name });
                    return Ok(false);
                }
            }
            if head >= block {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Err(Error::Unconfirmed { head, block });
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL_MOST);
        }
    }
}

fn raised(fee: u128) -> u128 {
    (fee.saturating_mul(RAISE_PERCENT) / 100).max(fee.saturating_add(1))
}

/// go-ethereum's words, which Nitro and others share.
fn is_overtaken(refusal: &str) -> bool {
    ["nonce too low", "already known", "underpriced"]
        .iter()
        .any(|words| refusal.contains(words))
}
