//! Creating a Consent: the signed grant that it stands for goes through the relay, and comes back as the resource that the chain
//! made of it.
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bytes, U256};
use medlock_abi::relay::IRelay;
use medlock_api::{Operation, RelayRequest, RelayState, RelayedOperation};
use medlock_fhir::facade::{Code, Issue, Outcome, Severity, read_operation};
use medlock_indexer::Page;
use serde_json::Value;
use tokio::time::sleep;

use crate::{access::Acting, problem::Result, state::Gateway};

/// How long a creation waits for its transaction: Arbitrum mines within a second. Below the time that a request has.
const MINED_WAIT: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What became of a Consent that was sent.
pub enum Created {
    /// It is on chain.
    Consent(Value),
    /// It is submitted, and will be, unless the chain says no.
    Underway(B256),
    /// It is none that can be created.
    Refused(Outcome),
    /// The chain said no.
    Failed(Box<RelayedOperation>),
}

impl Gateway {
    /// Submits the grant that `consent` (JSON) stands for, for `account`.
    ///
    /// # Errors
    /// Those of [`Gateway::relay`].
    pub async fn fhir_create(&self, account: Address, name: Option<&str>, consent: &[u8]) -> Result<Created> {
        let operation = match read_operation(consent, &self.fhir_site()) {
            Ok(operation) => operation,
            Err(outcome) => return Ok(Created::Refused(outcome)),
        };
        let Some(signature) = operation.signature else {
            let mut outcome = Outcome::default();
            outcome.push(Issue {
                severity: Severity::Error,
                code: Code::Required,
                expression: Some("Consent.extension".to_owned()),
                diagnostics: "a Consent is created from a signed grant: this one has no signature".to_owned(),
            });
            return Ok(Created::Refused(outcome));
        };
        let terms = operation.terms;
        let (chart, grantee) = (B256::from(operation.chart), Address::from(operation.grantee.account));
        let grant = Operation::from(IRelay::Grant {
            signer: operation.signer.into(),
            chart,
            directoryVersion: operation.directory_version,
            grantee,
            serial: operation.serial,
            compartments: terms.compartments,
            purposes: terms.purposes,
            actions: terms.actions,
            notBefore: terms.not_before,
            expiry: terms.expiry,
            keyring: operation.keyring.into(),
            nonce: U256::from(operation.nonce),
            deadline: U256::from(operation.deadline),
        });
        let request = RelayRequest {
            chain_id: self.deployment.chain_id,
            relay: self.deployment.relay,
            call: Bytes::from(grant.call(signature.into())),
        };
        let (_, mut relayed) = self.relay(account, name, &request).await?;
        let deadline = Instant::now() + MINED_WAIT;
        while !relayed.state.is_over() && Instant::now() < deadline {
            sleep(LOOK_AGAIN).await;
            relayed = self.relayed(account, relayed.id).await?;
        }
        match (relayed.state, relayed.block) {
            (RelayState::Mined, Some(block)) => {
                let consent = self.granted_in(account, (chart, grantee), block).await?;
                // Taken back by a reorganisation meanwhile: the relay goes on with it.
                Ok(consent.map_or(Created::Underway(relayed.id), Created::Consent))
            }
            (state, _) if state.is_over() => Ok(Created::Failed(relayed.into())),
            _ => Ok(Created::Underway(relayed.id)),
        }
    }

    /// The Consent of the pair's last grant in `block`, as its granter sees it.
    async fn granted_in(
        &self,
        caller: Address,
        (chart, grantee): (B256, Address),
        block: u64,
    ) -> Result<Option<Value>> {
        let mut sight = self.sight(Acting::for_itself(caller)).await?;
        let mut page = Page::default();
        let mut found = None;
        loop {
            let some = sight.facts.view.given_to(chart, grantee, page).await?;
            let Some(last) = some.last() else {
                break;
            };
            page.after = Some(last.grant.position);
            found = some
                .into_iter()
                .rfind(|given| given.grant.position.block_number == block)
                .or(found);
        }
        let Some(given) = found else {
            return Ok(None);
        };
        let rules = sight.facts.rules(chart).await?;
        let sees_all = sight.sees_grants(chart).await?;
        sight.grant_consent(given, &rules, sees_all).await
    }
}
