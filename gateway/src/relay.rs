//! Operations that accounts have signed: the gateway submits them to `relay`, and pays for the gas.
//!
//! [`Gateway::relay`] takes one on: nothing is paid for what the contracts would refuse. [`sender`] does the rest, in whatever
//! process holds the payer's lock; [`queue`] has the rows, [`fee`] and [`fault`] are pure. ADR 16 has the reasons.
//!
//! Who asks need not be who signed: a passkey or a contract cannot sign in, and for them the relay was made. What is asked for counts
//! against the quota of the session's account; as accounts cost nothing, all of them together have one too.
pub mod fault;
pub mod fee;
pub mod queue;
mod sender;

use std::time::Duration;

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    signers::local::PrivateKeySigner,
    sol_types::SolError as _,
};
use medlock_abi::relay::IRelay;
use medlock_api::{Kind, Operation, Problem, RelayRequest, RelayState, RelayedOperation};
use medlock_sql::Pool;
use tokio::sync::Notify;

use crate::{
    chain::Tried,
    problem::{Failure, Result},
    state::Gateway,
};
use fee::Fee;
use queue::{Accepted, DAY_SECONDS, New, Queue, Repeated};
pub use sender::run;

/// Calldata of one operation: 64 records, or a revocation with as many keyrings as the contract takes, have under 9 KiB, a passkey's
/// signature under 3.
pub const OPERATION_BYTES_MOST: usize = 16 * 1024;
/// What one operation may cost: three times the dearest, those records (3.9 million with the margin).
pub const OPERATION_GAS_MOST: u64 = 12_000_000;
/// Beyond an eighth more than the estimate: the chain may have dropped the programs from its cache by then. What is not used is
/// not paid.
const GAS_MARGIN: u64 = 200_000;

/// That a gateway relays, and with whose money.
pub struct Relay {
    /// Pays. Nothing else may send from its account; the gateways on one database may share it.
    pub key: PrivateKeySigner,
    pub limits: RelayLimits,
}

/// How much is relayed, and how hard.
#[derive(Clone, Copy, Debug)]
pub struct RelayLimits {
    /// Accepted of one account in a day (UTC). A patient does a few; a clinic without gas of its own some hundred.
    pub operations_per_day: u64,
    /// Of one account: the gas limits of those operations.
    pub gas_per_day: u64,
    /// Of all accounts together: with `fee_per_gas_most`, what a day costs at most.
    pub gas_per_day_all: u64,
    /// Wei that a unit of gas may cost, tip included. While the chain asks for more, operations wait.
    pub fee_per_gas_most: u64,
    /// How long a transaction may wait before its fee is raised.
    pub raise_after: Duration,
    /// From one look at the chain to the next while something is on its way; what is handed in here is looked at at once.
    pub poll: Duration,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self {
            operations_per_day: 200,
            gas_per_day: 100_000_000,
            gas_per_day_all: 5_000_000_000,
            // Arbitrum asks for a hundredth to a tenth of a gwei on a usual day.
            fee_per_gas_most: 2_000_000_000,
            // Arbitrum mines what it takes within a second.
            raise_after: Duration::from_secs(30),
            poll: Duration::from_secs(1),
        }
    }
}

/// What handlers and the sender work with.
pub struct Relaying {
    key: PrivateKeySigner,
    limits: RelayLimits,
    queue: Queue,
    /// Something was handed in.
    wake: Notify,
}

impl Relaying {
    pub fn new(relay: Relay, pool: Pool) -> Self {
        Self {
            key: relay.key,
            limits: relay.limits,
            queue: Queue::new(pool),
            wake: Notify::new(),
        }
    }

    pub fn payer(&self) -> Address {
        self.key.address()
    }

    /// How many operations are in each state.
    pub async fn states(&self) -> sqlx::Result<Vec<(RelayState, u64)>> {
        self.queue.states().await
    }
}

impl Gateway {
    /// Takes an operation on, for `account`; whether it was new. The same one again is the same one. What came to nothing is
    /// checked anew.
    ///
    /// # Errors
    /// `RelayOff`, `OperationInvalid`, `IdempotencyKeyReused`, `OperationRefused`, `RelayQuota`, `RelayUnfunded`, `Busy`, chain
    /// trouble. After an error nothing is in the queue.
    pub async fn relay(
        &self,
        account: Address,
        name: Option<&str>,
        request: &RelayRequest,
    ) -> Result<(bool, RelayedOperation)> {
        let relaying = self.relaying()?;
        let operation = self.addressed(request)?;
        let digest = operation.signing_hash(self.deployment.chain_id, self.deployment.relay);
        match relaying.queue.repeated(digest, account, name, self.now()).await? {
            Repeated::Present(stored) => return Ok((false, stored.body)),
            Repeated::NameTaken => return Err(Kind::IdempotencyKeyReused.into()),
            Repeated::No => (),
        }
        let gas_limit = self.affordable(relaying, &operation, &request.call).await?;
        let now = self.now();
        let new = New {
            digest,
            account,
            signer: operation.signer(),
            method: operation.method(),
            call: &request.call,
            deadline: operation.deadline().saturating_to(),
            gas_limit,
            now,
        };
        match relaying.queue.accept(&new, name, &relaying.limits).await? {
            Accepted::New(stored) => {
                relaying.wake.notify_one();
                Ok((true, stored.body))
            }
            Accepted::Present(stored) => Ok((false, stored.body)),
            Accepted::NameTaken => Err(Kind::IdempotencyKeyReused.into()),
            Accepted::OverQuota => Err(Failure::from(Kind::RelayQuota).retry_after(DAY_SECONDS - now % DAY_SECONDS)),
            Accepted::QueueFull => Err(Kind::Busy.into()),
        }
    }

    /// An operation that `account` has submitted or signed.
    ///
    /// # Errors
    /// `RelayOff`; `ForbiddenOrUnknown`, alike for another's and for none.
    pub async fn relayed(&self, account: Address, digest: B256) -> Result<RelayedOperation> {
        match self.relaying()?.queue.operation(digest).await? {
            Some(stored) if [stored.account, stored.body.signer].contains(&account) => Ok(stored.body),
            _ => Err(Kind::ForbiddenOrUnknown.into()),
        }
    }

    /// Those that `account` has submitted or signed, after sequence `after`, and the sequence of the last.
    ///
    /// # Errors
    /// `RelayOff`.
    pub async fn all_relayed(
        &self,
        account: Address,
        after: u64,
        limit: u32,
    ) -> Result<(Vec<RelayedOperation>, Option<u64>)> {
        let found = self.relaying()?.queue.operations(account, after, limit).await?;
        let last = found.last().map(|stored| stored.sequence);
        Ok((found.into_iter().map(|stored| stored.body).collect(), last))
    }

    fn relaying(&self) -> Result<&Relaying> {
        self.relay.as_ref().ok_or_else(|| Kind::RelayOff.into())
    }

    /// The operation, signed for this deployment.
    fn addressed(&self, request: &RelayRequest) -> Result<Operation> {
        if request.call.len() > OPERATION_BYTES_MOST {
            let problem = Problem::new(Kind::PayloadTooLarge);
            return Err(problem.detail(format!("at most {OPERATION_BYTES_MOST} bytes")).into());
        }
        let (operation, _) = Operation::decode(&request.call).ok_or_else(|| invalid("malformed"))?;
        if request.chain_id != self.deployment.chain_id {
            return Err(invalid("chain-id"));
        }
        if request.relay != self.deployment.relay {
            return Err(invalid("contract"));
        }
        Ok(operation)
    }

    /// The gas limit for an operation that the contracts would take now, and that can be paid for.
    async fn affordable(&self, relaying: &Relaying, operation: &Operation, call: &Bytes) -> Result<u64> {
        let block = self.latest().await?;
        // The chain's clock stands still while nothing is mined.
        let now = U256::from(block.time.max(self.now()));
        if operation.deadline() < now {
            let deadline = operation.deadline();
            return Err(refused(&IRelay::SignatureExpired { deadline, now }.abi_encode().into()));
        }
        let (payer, relay) = (relaying.payer(), self.deployment.relay);
        if let Tried::Reverted(revert) = self.chain.try_call(block.hash, payer, relay, call.clone()).await? {
            return Err(refused(&revert));
        }
        let gas = match self.chain.estimate(payer, relay, call.clone()).await? {
            Tried::Done(gas) => gas,
            Tried::Reverted(revert) => return Err(refused(&revert)),
        };
        let gas_limit = gas.saturating_add(gas / 8).saturating_add(GAS_MARGIN);
        if gas_limit > OPERATION_GAS_MOST {
            return Err(invalid("gas"));
        }
        let (base, tip) = self.chain.fees().await?;
        let bound = relaying.limits.fee_per_gas_most;
        let fee = Fee::first(base, tip, bound).map_or(bound, |fee| fee.most);
        if self.chain.balance(payer).await? < U256::from(gas_limit) * U256::from(fee) {
            let cause = anyhow::anyhow!("the paying account {payer} has not enough left");
            return Err(Failure::caused(Kind::RelayUnfunded, cause));
        }
        Ok(gas_limit)
    }
}

fn invalid(reason: &str) -> Failure {
    Problem::new(Kind::OperationInvalid).reason(reason).into()
}

fn refused(revert: &Bytes) -> Failure {
    let (name, detail) = fault::read(revert);
    let problem = Problem::new(Kind::OperationRefused).reason(name).revert(revert.clone());
    match detail {
        Some(detail) => problem.detail(detail).into(),
        None => problem.into(),
    }
}
