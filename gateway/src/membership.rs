//! Organisations' keys, sealed to their members: kept for whoever is a member now, and given to nobody else.
//!
//! What is sealed here cannot be opened here. That a block was made by the organisation shows its session alone; the member's client checks
//! what is in it against the chain.
use alloy::primitives::Address;
use medlock_abi::terms::reason;
use medlock_api::{Kind, Membership as Body, MembershipKeys, Problem};
use medlock_dag::{Block, dag_cbor_block};
use medlock_indexer::{Member, Page, View};
use medlock_vault::{Membership, membership::MEMBERSHIP_BYTES_MAX};

use crate::{
    access::{Acting, forbidden},
    problem::{Failure, Result},
    state::Gateway,
};

/// Sealed memberships of one organisation: the staff of the largest hospitals.
pub const MEMBERS_MOST: u64 = 10_000;
/// Memberships in one page: each takes some questions to the index.
pub const PAGE_MOST: u32 = 100;

impl Gateway {
    /// Keeps the keys that `organisation` has sealed to `member`.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown` where the member is none; `BadRequest` for anything else than a membership of these two; `PayloadTooLarge`;
    /// `TooMany`; chain trouble.
    pub async fn keep_membership(&self, organisation: Address, member: Address, block: &[u8]) -> Result<()> {
        if block.len() > MEMBERSHIP_BYTES_MAX {
            let most = format!("at most {MEMBERSHIP_BYTES_MAX} bytes");
            return Err(Problem::new(Kind::PayloadTooLarge).detail(most).into());
        }
        let latest = self.latest().await?;
        let acting = Acting::for_organisation(member, organisation);
        self.require_member(&latest, acting).await?;
        let odd = |error: medlock_vault::Error| Failure::bad_request("body", error.to_string());
        let membership = Membership::decode(block).map_err(odd)?;
        membership
            .expect(&organisation.into_array(), &member.into_array())
            .map_err(odd)?;
        match self.db.keep_membership(&membership, self.now()).await? {
            true => Ok(()),
            false => Err(Problem::new(Kind::TooMany)
                .detail(format!(
                    "keys are kept for {MEMBERS_MOST} members: remove those of who is none any more"
                ))
                .into()),
        }
    }

    /// The keys that `organisation` has sealed to `member`, who is one now.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`, also where there are none; chain trouble.
    pub async fn membership(&self, organisation: Address, member: Address) -> Result<Block> {
        let latest = self.latest().await?;
        let acting = Acting::for_organisation(member, organisation);
        self.require_member(&latest, acting).await?;
        let block = self.db.membership(organisation, member).await?;
        block.map(dag_cbor_block).ok_or_else(|| forbidden(reason::NO_GRANT))
    }

    /// Who is a member of `account`, and of whom `account` is one, in the order in which they came to be.
    ///
    /// # Errors
    /// `IndexBehind`, chain trouble.
    pub async fn memberships(&self, account: Address, page: Page) -> Result<Vec<(Member, Body)>> {
        let block = self.latest().await?;
        let mut view = self.index_at(&block).await?;
        let mut members = view.members(account, page).await?;
        members.extend(view.memberships(account, page).await?);
        members.sort_by_key(|member| member.position);
        members.truncate(page.limit as usize);
        let now = block.time.max(self.now());
        let own = key_version(&mut view, account).await?;
        let mut bodies = Vec::with_capacity(members.len());
        for member in members {
            let (organisation, who) = (member.organisation, member.member);
            let is_running = member.expiry == 0 || now < member.expiry;
            let in_force = is_running && view.may_act_for(organisation, who, 0).await?;
            let keys = match self.db.membership_versions(organisation, who).await? {
                None => None,
                Some((organisation_key_version, member_key_version)) => {
                    // One of the two is the account.
                    let (other, kept, kept_of_other) = match organisation == account {
                        true => (who, organisation_key_version, member_key_version),
                        false => (organisation, member_key_version, organisation_key_version),
                    };
                    let current = own == Some(kept) && key_version(&mut view, other).await? == Some(kept_of_other);
                    Some(MembershipKeys {
                        organisation_key_version,
                        member_key_version,
                        current,
                    })
                }
            };
            let body = Body {
                organisation,
                member: who,
                expiry: member.expiry,
                since: member.since,
                in_force,
                keys,
            };
            bodies.push((member, body));
        }
        Ok(bodies)
    }
}

/// The newest key that a party has published, unless it has revoked it.
async fn key_version(view: &mut View, party: Address) -> Result<Option<u32>> {
    let key = view.party(party).await?.key;
    Ok(key.filter(|key| key.revoked_at.is_none()).map(|key| key.version))
}
