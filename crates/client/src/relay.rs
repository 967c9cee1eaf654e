//! Signed operations: what we do without a transaction of our own. The gateway submits them and pays; we look on the chain whether
//! it did.

use std::time::Duration;

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolCall,
};
use medlock_abi::{
    exceptions::IExceptions,
    records::IRecords,
    registry::IRegistry,
    relay::IRelay::{self, Resealed},
    signed,
};
use medlock_api::{Operation, RelayRequest, RelayState, RelayedOperation};
use medlock_deployment::Deployment;

use crate::{
    Client,
    chain::{Mined, contract_error},
    error::{Error, Result},
    now,
    platform::{sleep, timeout},
    step::Step,
};

/// For how long a signature is good: a gateway may have to raise its fee some times, and nobody should hold it for long.
const GOOD_SECONDS: u64 = 15 * 60;
/// How long the gateway may take; its fee is raised a few times within that.
const WAIT: Duration = Duration::from_secs(180);
/// First pause between two looks; doubles up to [`POLL_MOST`].
const POLL_FIRST: Duration = Duration::from_millis(20);
const POLL_MOST: Duration = Duration::from_secs(1);

/// A call of ours that has a signed operation which does the same.
pub(crate) trait Act: SolCall {
    fn contract(deployment: &Deployment) -> Address;

    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation;
}

impl Client {
    /// The same client, whose operations the gateway submits and pays for. What no signed operation does is refused before
    /// anything is sent.
    pub fn via_relay(mut self) -> Self {
        self.is_relayed = true;
        self
    }

    /// The same client, which sends transactions of its own and pays their fees: for what others ask of an account and no signed operation does.
    pub fn by_own_transactions(mut self) -> Self {
        self.is_relayed = false;
        self
    }

    /// Has the gateway submit an operation that we sign, and waits until it is mined.
    ///
    /// # Errors
    /// [`Error::Contract`] where a contract refuses it; [`Error::NotRelayed`] where it takes too long: it may be mined yet.
    pub async fn relay(&self, operation: Operation) -> Result<Mined> {
        let (chain_id, relay) = (self.deployment.chain_id, self.deployment.relay);
        self.watch.tell(Step::Signing {
            doing: operation.method(),
        });
        let digest = operation.signing_hash(chain_id, relay);
        let signature = self
            .identity
            .signer()
            .sign(&operation.statement(), &signed::domain(chain_id, relay))
            .await?;
        let call = Bytes::from(operation.call(signature.into()));
        let request = RelayRequest {
            chain_id,
            relay,
            call: call.clone(),
        };
        let waiting = async {
            let gateway = self.gateway().await?;
            let mut relayed = check_id(digest, gateway.submit(&request).await?)?;
            self.watch.tell(Step::Relayed { operation: digest });
            let mut pause = POLL_FIRST;
            while !relayed.state.is_over() {
                sleep(pause).await;
                pause = (pause * 2).min(POLL_MOST);
                relayed = gateway.relayed(digest).await?;
            }
            Ok::<_, Error>(relayed)
        };
        let relayed = timeout(WAIT, waiting)
            .await
            .map_err(|_| Error::NotRelayed { operation: digest })??;
        let mined = self.outcome(&relayed, &call).await?;
        self.watch.tell(Step::Mined { mined });
        Ok(mined)
    }

    /// Operations that we have had relayed, or signed, oldest first.
    pub async fn relayed(&self) -> Result<Vec<RelayedOperation>> {
        self.gateway().await?.all_relayed().await
    }

    /// Voids all that we have signed and nobody has submitted.
    pub async fn cancel_all(&self) -> Result<Mined> {
        self.act(IRelay::cancelAllCall {}).await
    }

    /// Does it, by a transaction of our own or by the gateway's.
    pub(crate) async fn act<C: Act>(&self, call: C) -> Result<Mined> {
        self.act_at(C::contract(&self.deployment), call, C::operation).await
    }

    /// Does what a ledger takes, in the same way: one kind of operation carries every call of theirs.
    pub(crate) async fn act_on<C: SolCall>(&self, ledger: Address, call: C) -> Result<Mined> {
        let operation = |call: &C, signer, nonce, deadline| {
            Operation::from(IRelay::LedgerCall {
                signer,
                ledger,
                call: call.abi_encode().into(),
                nonce,
                deadline,
            })
        };
        self.act_at(ledger, call, operation).await
    }

    /// `operation`: what is signed in the call's place, of signer, nonce and deadline.
    async fn act_at<C: SolCall>(
        &self,
        contract: Address,
        call: C,
        operation: impl FnOnce(&C, Address, U256, U256) -> Operation,
    ) -> Result<Mined> {
        if !self.is_relayed {
            return self.chain.send_watched(contract, call, &self.watch).await;
        }
        let signer = self.address();
        let nonce = self.chain.call(self.deployment.relay, IRelay::nonceOfCall { signer });
        let deadline = U256::from(now() + GOOD_SECONDS);
        let operation = operation(&call, signer, nonce.await?, deadline);
        self.relay(operation).await
    }

    /// Sends what no signed operation does.
    pub(crate) async fn send<C: SolCall>(&self, to: Address, call: C) -> Result<Mined> {
        self.own_transactions()?;
        self.chain.send_watched(to, call, &self.watch).await
    }

    /// # Errors
    /// [`Error::Usage`] where all is to be relayed.
    pub(crate) fn own_transactions(&self) -> Result<()> {
        match self.is_relayed {
            false => Ok(()),
            true => Err(no_operation()),
        }
    }

    /// A gateway says that an operation is mined, or why it is not: the first is looked up.
    async fn outcome(&self, relayed: &RelayedOperation, call: &Bytes) -> Result<Mined> {
        let doing = &relayed.method;
        match (relayed.state, relayed.tx) {
            (RelayState::Mined, Some(tx)) => self.chain.relayed(doing, tx, self.deployment.relay, call).await,
            _ => match &relayed.revert {
                Some(revert) => Err(contract_error(doing, revert)),
                None => Err(Error::Reverted {
                    doing: doing.clone(),
                    fault: format!(
                        "the gateway says that operation {} is {}",
                        relayed.id,
                        relayed.state.text()
                    ),
                }),
            },
        }
    }
}

fn no_operation() -> Error {
    Error::Usage(
        "this takes a transaction of your own: there is no signed operation for it that a gateway could relay".into(),
    )
}

/// A gateway speaks of the operation that was asked about.
pub(crate) fn check_id(asked: B256, relayed: RelayedOperation) -> Result<RelayedOperation> {
    if relayed.id == asked {
        return Ok(relayed);
    }
    Err(Error::GatewayAnswer {
        doing: "a relayed operation".into(),
        detail: "it is another one".into(),
    })
}

impl Act for IRecords::openChartCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::OpenChart(IRelay::OpenChart {
            signer,
            chart: self.chart,
            directory: self.directory,
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::setDirectoryCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::SetDirectory(IRelay::SetDirectory {
            signer,
            chart: self.chart,
            version: self.version,
            directory: self.directory,
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::grantCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::Grant(IRelay::Grant {
            signer,
            chart: self.chart,
            directoryVersion: self.directoryVersion,
            grantee: self.grantee,
            serial: self.serial,
            compartments: self.terms.compartments,
            purposes: self.terms.purposes,
            actions: self.terms.actions,
            notBefore: self.terms.notBefore,
            expiry: self.terms.expiry,
            keyring: self.keyring,
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::revokeCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        let resealed = |keyring: &IRecords::Keyring| Resealed {
            grantee: keyring.grantee,
            keyring: keyring.keyring,
        };
        Operation::Revoke(IRelay::Revoke {
            signer,
            chart: self.chart,
            grantee: self.grantee,
            version: self.version,
            directory: self.directory,
            keyrings: self.keyrings.iter().map(resealed).collect(),
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::revokeAllCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::RevokeAll(IRelay::RevokeAll {
            signer,
            chart: self.chart,
            epoch: self.epoch,
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::addRecordsCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        let record = |record: &IRecords::NewRecord| IRelay::NewRecord {
            recordId: record.recordId,
            compartment: record.compartment,
            codec: record.codec,
            pointer: record.pointer,
        };
        Operation::AddRecords(IRelay::AddRecords {
            signer,
            chart: self.chart,
            organisation: self.organisation,
            directoryVersion: self.directoryVersion,
            records: self.records.iter().map(record).collect(),
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::amendRecordCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::AmendRecord(IRelay::AmendRecord {
            signer,
            chart: self.chart,
            organisation: self.organisation,
            directoryVersion: self.directoryVersion,
            recordId: self.recordId,
            previous: self.previous,
            codec: self.codec,
            pointer: self.pointer,
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::enterInErrorCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::EnterInError(IRelay::EnterInError {
            signer,
            chart: self.chart,
            organisation: self.organisation,
            recordId: self.recordId,
            previous: self.previous,
            nonce,
            deadline,
        })
    }
}

impl Act for IRecords::shredRecordCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.records
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::ShredRecord(IRelay::ShredRecord {
            signer,
            chart: self.chart,
            recordId: self.recordId,
            nonce,
            deadline,
        })
    }
}

impl Act for IRegistry::publishKeyCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.registry
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::PublishKey(IRelay::PublishKey {
            signer,
            version: self.version,
            suite: self.suite,
            key: self.key.clone(),
            nonce,
            deadline,
        })
    }
}

impl Act for IRegistry::setMemberCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.registry
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::SetMember(IRelay::SetMember {
            signer,
            member: self.member,
            serial: self.serial,
            expiry: self.expiry,
            nonce,
            deadline,
        })
    }
}

impl Act for IRegistry::removeMemberCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.registry
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::RemoveMember(IRelay::RemoveMember {
            signer,
            member: self.member,
            serial: self.serial,
            nonce,
            deadline,
        })
    }
}

impl Act for IExceptions::setEmergencyAccessCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.exceptions
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::SetEmergencyAccess(IRelay::SetEmergencyAccess {
            signer,
            chart: self.chart,
            serial: self.serial,
            allowed: self.allowed,
            nonce,
            deadline,
        })
    }
}

impl Act for IExceptions::breakGlassCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.exceptions
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::BreakGlass(IRelay::BreakGlass {
            signer,
            chart: self.chart,
            organisation: self.organisation,
            compartments: self.compartments,
            reasonCode: self.reasonCode,
            nonce,
            deadline,
        })
    }
}

impl Act for IExceptions::closeEmergencyCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.exceptions
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::CloseEmergency(IRelay::CloseEmergency {
            signer,
            chart: self.chart,
            party: self.party,
            nonce,
            deadline,
        })
    }
}

impl Act for IRelay::cancelAllCall {
    fn contract(deployment: &Deployment) -> Address {
        deployment.relay
    }
    fn operation(&self, signer: Address, nonce: U256, deadline: U256) -> Operation {
        Operation::CancelAll(IRelay::CancelAll {
            signer,
            nonce,
            deadline,
        })
    }
}
