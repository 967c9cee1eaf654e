//! What parties do in the registry: publish keys, issue and revoke credentials.

use alloy::primitives::{Address, B256};
use medlock_abi::registry::IRegistry;
use medlock_api as api;

use crate::{Client, chain::Mined, error::Result};

impl Client {
    /// Publishes our encryption key as the next version.
    pub async fn publish_key(&self) -> Result<Mined> {
        let key = self.identity.encryption().public_key();
        let party = self.address();
        let latest = self.published(party).await?;
        let call = IRegistry::publishKeyCall {
            actor: party,
            version: latest.version + 1,
            suite: key.suite().id(),
            key: key.as_bytes().to_vec().into(),
        };
        self.act(call).await
    }

    /// Lets `issuer` issue credentials, or stops it (the registry's owner).
    pub async fn set_issuer(&self, issuer: Address, active: bool) -> Result<Mined> {
        let call = IRegistry::setIssuerCall { issuer, active };
        self.send(self.deployment.registry, call).await
    }

    /// Issues or replaces a credential (issuers). `expiry` in UNIX seconds, 0: none. `document`: its digest.
    pub async fn issue_credential(&self, party: Address, roles: u64, expiry: u64, document: B256) -> Result<Mined> {
        let call = IRegistry::issueCredentialCall {
            party,
            roles,
            expiry,
            document,
        };
        self.send(self.deployment.registry, call).await
    }

    /// Revokes a credential (its issuer, or the registry's owner).
    pub async fn revoke_credential(&self, party: Address) -> Result<Mined> {
        let call = IRegistry::revokeCredentialCall { party };
        self.send(self.deployment.registry, call).await
    }

    /// Credential and key of a party, as the gateway's index has them.
    pub async fn party(&self, account: Address) -> Result<api::Party> {
        self.gateway().await?.party(account).await
    }
}
