//! Organisations and their members: who acts for whom, and with which keys.
//!
//! An organisation seals its encryption keys to each of its members. What was granted to the organisation, the members then open with keys
//! of their own hands, by accounts of their own.

use std::sync::Arc;

use alloy::primitives::{Address, B256, keccak256};
use medlock_abi::{registry::IRegistry, terms::reason};
use medlock_api as api;
use medlock_vault::{EncryptionKey, Error as VaultError, Membership, MembershipScope};
use tokio::sync::OnceCell;

use crate::{
    Client,
    chain::Mined,
    error::{Error, Result},
    gateway::Gateway,
    identity::{opened_by_one, rng},
    record::tampered,
};

const WHAT: &str = "what the organisation sealed to you";

/// Whom a client acts for.
pub(crate) struct Acting {
    organisation: Address,
    /// The organisation's, newest first; the newest is the one that stands on chain.
    keys: Vec<EncryptionKey>,
    /// Where the client asks for itself.
    own_gateway: Arc<OnceCell<Gateway>>,
}

/// What became of a new member.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct MemberSet {
    pub mined: Mined,
    /// Our keys are sealed to the member. Otherwise they have published none, or a weaker one than ours, and wait: [`Client::seal_to_members`].
    pub has_keys: bool,
}

/// To whom our keys were sealed.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct SealedToMembers {
    pub sealed: Vec<Address>,
    /// Members whose published key nothing could be sealed to: seal again once they have another.
    pub waiting: Vec<Address>,
}

impl Client {
    /// The organisation that we act for; `None`: ourselves.
    pub fn organisation(&self) -> Option<Address> {
        self.acting.as_ref().map(|acting| acting.organisation)
    }

    /// Whose grants and keyrings are ours to use.
    pub(crate) fn grantee(&self) -> Address {
        self.organisation().unwrap_or_else(|| self.address())
    }

    /// The keys that keyrings of [`Client::grantee`] open with, newest first.
    pub(crate) fn grantee_keys(&self) -> Vec<&EncryptionKey> {
        match &self.acting {
            Some(acting) => acting.keys.iter().collect(),
            None => self.identity.encryption_keys().collect(),
        }
    }

    /// The same client, which acts for an organisation that we are a member of: it reads and writes what was granted to the organisation, by
    /// our own account. On charts of our own we go on to act for ourselves.
    ///
    /// # Errors
    /// [`Error::NotMember`]; [`Error::NoMembershipKeys`] where the organisation has to seal its keys to us first; [`Error::Tampered`] where what
    /// the gateway gives is not what the organisation has published.
    pub async fn acting_for(&self, organisation: Address) -> Result<Client> {
        let own = self.for_ourselves();
        let keys = own.organisation_keys(organisation).await?;
        let gateway = own.gateway().await?.acting_for(organisation);
        Ok(Client {
            acting: Some(Arc::new(Acting {
                organisation,
                keys,
                own_gateway: own.gateway.clone(),
            })),
            gateway: Arc::new(OnceCell::new_with(Some(gateway))),
            ..own
        })
    }

    /// The same client, which acts for nobody else.
    pub fn for_ourselves(&self) -> Client {
        match &self.acting {
            None => self.clone(),
            Some(acting) => Client {
                gateway: acting.own_gateway.clone(),
                acting: None,
                ..self.clone()
            },
        }
    }

    /// The client as it acts on a chart: on one of our own, for ourselves.
    pub async fn at_chart(&self, chart: B256) -> Result<Client> {
        match self.acting {
            None => Ok(self.clone()),
            Some(_) => Ok(self.where_controlled_by(self.chart_state(chart).await?.controller)),
        }
    }

    pub(crate) fn where_controlled_by(&self, controller: Address) -> Client {
        match controller == self.address() {
            true => self.for_ourselves(),
            false => self.clone(),
        }
    }

    /// Who is a member of ours, and of whom we are one, by the gateway's index.
    pub async fn memberships(&self) -> Result<Vec<api::Membership>> {
        self.gateway().await?.memberships().await
    }

    /// Makes an account a member of ours from now on, or sets another end, and seals our keys to it. `expiry` in UNIX seconds, 0: none.
    ///
    /// # Errors
    /// [`Error::Usage`] where our own key is not published; then nothing was sent. What fails after the transaction,
    /// [`Client::seal_to_members`] makes good.
    pub async fn set_member(&self, member: Address, expiry: u64) -> Result<MemberSet> {
        let version = self.own_key_version().await?;
        let call = IRegistry::setMemberCall {
            actor: self.address(),
            member,
            serial: self.member_serial(member).await?,
            expiry,
        };
        let mined = self.act(call).await?;
        let has_keys = self.seal_to(member, version).await?;
        Ok(MemberSet { mined, has_keys })
    }

    /// Ends a membership: the member is refused from the next block on. They have held our keys, and open with them what was sealed to those
    /// and is in their hands: draw and publish another key after this, and seal it to those who stay.
    pub async fn remove_member(&self, member: Address) -> Result<Mined> {
        let call = IRegistry::removeMemberCall {
            actor: self.address(),
            member,
            serial: self.member_serial(member).await?,
        };
        let mined = self.act(call).await?;
        // The gateway gives the block to nobody who is no member: that it goes is tidiness, and no reason to fail.
        if let Ok(gateway) = self.gateway().await {
            drop(gateway.drop_membership(member).await);
        }
        Ok(mined)
    }

    /// Seals our keys anew to the members who have none or older ones. The gateway names them; the chain says whether they are members.
    pub async fn seal_to_members(&self) -> Result<SealedToMembers> {
        let organisation = self.address();
        let version = self.own_key_version().await?;
        let mut done = SealedToMembers::default();
        for listed in self.memberships().await? {
            // The gateway's node may not know our newest key yet.
            let is_sealed = listed
                .keys
                .is_some_and(|keys| keys.current && keys.organisation_key_version == version);
            if listed.organisation != organisation || is_sealed {
                continue;
            }
            let member = listed.member;
            // Sealed to somebody whom the gateway made up, our keys would be theirs.
            if !self.is_member(organisation, member).await? {
                continue;
            }
            match self.seal_to(member, version).await? {
                true => done.sealed.push(member),
                false => done.waiting.push(member),
            }
        }
        Ok(done)
    }

    /// Whether `member` may act for the organisation at present.
    pub async fn is_member(&self, organisation: Address, member: Address) -> Result<bool> {
        let call = IRegistry::isMemberCall { organisation, member };
        self.chain.call(self.deployment.registry, call).await
    }

    /// How often a membership of ours was set or removed.
    async fn member_serial(&self, member: Address) -> Result<u32> {
        let organisation = self.address();
        let call = IRegistry::memberOfCall { organisation, member };
        Ok(self.chain.call(self.deployment.registry, call).await?.serial)
    }

    /// Seals our keys, the newest of which is of this version, to a member; `false` where they have no key that it could be done to.
    async fn seal_to(&self, member: Address, organisation_key_version: u32) -> Result<bool> {
        let (member_key_version, recipient) = match self.published_key(member).await {
            // Nobody keeps the others from theirs.
            Err(Error::NoPublishedKey { .. } | Error::Vault(VaultError::BadPublicKey)) => return Ok(false),
            key => key?,
        };
        let scope = MembershipScope {
            organisation: self.address().into_array(),
            member: member.into_array(),
            organisation_key_version,
            member_key_version,
        };
        let keys: Vec<_> = self.identity.encryption_keys().collect();
        let sealed = match Membership::seal(&mut rng(), &self.domain(), &scope, &recipient, &keys) {
            Err(VaultError::WeakerMember | VaultError::BadPublicKey) => return Ok(false),
            sealed => sealed?,
        };
        self.gateway().await?.keep_membership(member, sealed.encode()).await?;
        Ok(true)
    }

    /// Which of our published keys the one is that we hold.
    async fn own_key_version(&self) -> Result<u32> {
        self.published_version().await?.ok_or_else(|| {
            Error::Usage(
                "the encryption key that you hold is not the one that you have published last: run `medlock keys publish`".into(),
            )
        })
    }

    /// Which of our published keys the one is that we hold; `None`: another stands on chain, or it was revoked.
    async fn published_version(&self) -> Result<Option<u32>> {
        let published = self.published(self.address()).await?;
        let is_ours = published.current && published.digest == digest(self.identity.encryption());
        Ok(is_ours.then_some(published.version))
    }

    /// Whether the encryption key that stands on chain as ours is the one that we hold.
    pub async fn is_published(&self) -> Result<bool> {
        Ok(self.published_version().await?.is_some())
    }

    /// The keys that an organisation has sealed to us, newest first.
    async fn organisation_keys(&self, organisation: Address) -> Result<Vec<EncryptionKey>> {
        let member = self.address();
        if !self.is_member(organisation, member).await? {
            return Err(Error::NotMember { organisation, member });
        }
        let none = |detail| Error::NoMembershipKeys { organisation, detail };
        let bytes = match self.gateway().await?.membership(organisation).await {
            Err(Error::Problem {
                reason: Some(reason), ..
            }) if reason == reason::text(reason::NO_GRANT) => {
                return Err(none("it has not done so yet"));
            }
            bytes => bytes?,
        };
        let membership = Membership::decode(&bytes).map_err(tampered(WHAT))?;
        let opened = self.opened_membership(&membership, organisation);
        if let Err(VaultError::Unopened { .. }) = opened {
            let present = self.published(member).await?.version;
            if membership.scope.member_key_version < present {
                return Err(none("it did so before you published your present key"));
            }
        }
        let keys = opened.map_err(tampered(WHAT))?;
        let published = self.published(organisation).await?;
        if membership.scope.organisation_key_version < published.version {
            return Err(none("it has published another key since"));
        }
        // Anybody can seal keys of their own to us.
        match keys.first().map(digest) {
            Some(newest) if newest == published.digest => Ok(keys),
            _ => Err(Error::Tampered {
                what: WHAT.into(),
                detail: "the digest of its newest key is not the one on chain".into(),
            }),
        }
    }

    fn opened_membership(
        &self,
        membership: &Membership,
        organisation: Address,
    ) -> Result<Vec<EncryptionKey>, VaultError> {
        let (domain, member) = (self.domain(), self.address().into_array());
        let keys = self.identity.encryption_keys();
        opened_by_one(keys, membership.suite, "membership", |key| {
            membership.open(&domain, &organisation.into_array(), &member, key)
        })
    }

    /// That the organisation that we act for, if we do, has published no other key since it sealed its keys to us.
    ///
    /// # Errors
    /// [`Error::NoMembershipKeys`].
    pub(crate) async fn has_newest_keys(&self) -> Result<()> {
        let Some(acting) = &self.acting else {
            return Ok(());
        };
        let organisation = acting.organisation;
        let published = self.published(organisation).await?;
        match acting.keys.first().map(digest) {
            Some(newest) if newest == published.digest => Ok(()),
            _ => Err(Error::NoMembershipKeys {
                organisation,
                detail: "it has published another key since",
            }),
        }
    }

    /// The key that a party has published last, revoked or not, as the registry has it.
    pub(crate) async fn published(&self, party: Address) -> Result<IRegistry::keyOfReturn> {
        self.chain
            .call(self.deployment.registry, IRegistry::keyOfCall { party })
            .await
    }
}

/// As the registry has it.
fn digest(key: &EncryptionKey) -> B256 {
    keccak256(key.public_key().as_bytes())
}
