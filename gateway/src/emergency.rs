//! Broken glass: kits of sealed keys, and the shares that custodians release of them.
//!
//! This gateway cannot open any of it. What it keeps stands for nothing by itself either: custodians and parties check the
//! controller's signature, and ask the chain whether the glass is broken. It asks the chain too, each time: so that nobody learns
//! who keeps whose keys, and nothing is served to a party whose time is over.
use alloy::primitives::{Address, B256};
use anyhow::anyhow;
use medlock_abi::terms::{emergency, reason};
use medlock_api::{
    Compartments, Custody, Emergencies, Emergency, EmergencyShare, EmergencyShares, Kind, OpenEmergency,
};
use medlock_indexer::{Page, Position};
use medlock_vault::{Domain, EmergencyKit, KitBody, KitScope, SealedShare};

use crate::{
    access::{Acting, Role, forbidden},
    chain::Block,
    handlers::charts::next,
    problem::{Failure, Result},
    state::Gateway,
};

/// Glass that is broken at a block.
struct Broken {
    /// The chart's, at that block.
    controller: Address,
    /// UNIX seconds.
    until: u64,
}

impl Gateway {
    /// Keeps a kit in the place of the chart's earlier one. To the controller.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`; `BadRequest` for what is no kit of the chart, of the keys and the emergency access that stand, signed
    /// by the controller; `IndexBehind` where it is of a later directory or access than our node knows; chain trouble.
    pub async fn put_kit(&self, account: Address, chart: B256, bytes: &[u8]) -> Result<()> {
        let standing = self.standing(chart, Acting::for_itself(account)).await?;
        standing.controller_only()?;
        let refused = |error: medlock_vault::Error| Failure::bad_request("body", error.to_string());
        let kit = EmergencyKit::decode(bytes).map_err(refused)?;
        if kit.body.directory_version > standing.directory_version {
            let cause = anyhow!("a kit is of a directory that the node does not know yet");
            return Err(Failure::caused(Kind::IndexBehind, cause));
        }
        let found = self.chain.chart_of(&standing.block, chart).await?;
        let access = self.chain.emergency_access_of(&standing.block, chart).await?;
        let is_allowed = access.allowed && access.controlEpoch == found.controlEpoch;
        let scope = KitScope {
            domain: Domain {
                chain_id: self.deployment.chain_id,
                records: self.deployment.records.into_array(),
            },
            chart: chart.0,
            directory_version: standing.directory_version,
            // A kit is there before it is allowed to break the glass, which counts the serial up.
            serial: access.serial.saturating_add(u32::from(!is_allowed)),
        };
        if kit.body.serial > scope.serial {
            let cause = anyhow!("a kit is for emergency access that the node does not know yet");
            return Err(Failure::caused(Kind::IndexBehind, cause));
        }
        let kit = kit.verify(&scope, account).map_err(refused)?;
        let custodians: Vec<_> = kit.body().custodians().map(Address::from).collect();
        let set = kit.body().set.digest();
        self.db
            .put_kit(chart, account, (bytes, set.into()), &custodians)
            .await?;
        Ok(())
    }

    /// Removes a chart's kit, with all that was released of it. To the controller.
    pub async fn remove_kit(&self, account: Address, chart: B256) -> Result<()> {
        self.standing(chart, Acting::for_itself(account))
            .await?
            .controller_only()?;
        Ok(self.db.remove_kit(chart).await?)
    }

    /// The kit of a chart, where there is one: to the controller, to the custodians that it names, and to whoever has broken the
    /// glass.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`, alike for everybody else and for a chart that there is not; chain trouble.
    pub async fn kit(&self, account: Address, chart: B256) -> Result<Option<Vec<u8>>> {
        let block = self.latest().await?;
        let controller = self.chain.chart_of(&block, chart).await?.controller;
        let kit = self.db.kit(chart, controller).await?;
        let is_named = match &kit {
            Some(bytes) => index_of(&stored(bytes)?.body, account).is_some(),
            None => false,
        };
        let is_controller = !controller.is_zero() && controller == account;
        if !is_named && !is_controller && self.broken(&block, chart, account).await?.is_none() {
            return Err(forbidden(reason::NO_GRANT));
        }
        Ok(kit)
    }

    /// A page of the emergencies that the index has as open, for which `custodian` holds a share that it has not released. A hint: the
    /// chain is not asked here, for which anybody could have it asked very often. The custodian asks it, and so does [`Gateway::release`].
    pub async fn custody(&self, custodian: Address, page: Page) -> Result<Custody> {
        let block = self.latest().await?;
        let listed = self.index_at(&block).await?.open_emergencies(page).await?;
        let next = next(&listed, page.limit, |emergency| emergency.position.to_string());
        let mut emergencies = Vec::new();
        for emergency in listed {
            let (chart, party, until) = (emergency.chart, emergency.party, emergency.until);
            if self.db.is_release_due(chart, party, custodian, until).await? {
                emergencies.push(OpenEmergency { chart, party, until });
            }
        }
        Ok(Custody { emergencies, next })
    }

    /// Keeps the share that `custodian` has sealed to `party`, while that has broken the glass.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown` for whoever is no custodian of the chart, and for a party that has not broken the glass; `BadRequest`
    /// for another share than the custodian's own of the kit that stands, sealed to the party; chain trouble.
    pub async fn release(&self, custodian: Address, chart: B256, party: Address, bytes: &[u8]) -> Result<()> {
        let block = self.latest().await?;
        let broken = self.broken(&block, chart, party).await?;
        let broken = broken.ok_or_else(|| forbidden(reason::NO_GRANT))?;
        let kit = self.db.kit(chart, broken.controller).await?;
        let kit = kit.ok_or_else(|| forbidden(reason::NO_GRANT))?;
        let body = stored(&kit)?.body;
        let index = index_of(&body, custodian).ok_or_else(|| forbidden(reason::NO_GRANT))?;
        let refused = |why: String| Failure::bad_request("body", why);
        let share = SealedShare::decode(bytes).map_err(|error| refused(error.to_string()))?;
        let is_due = share.set == body.set.digest()
            && share.index == index
            && share.recipient == party.into_array()
            && share.suite >= body.key.suite();
        let due = "it is to be your own share of the kit that stands, sealed to the party under a suite as strong as the kit's";
        if !is_due {
            return Err(refused(due.into()));
        }
        match self
            .db
            .put_release((chart, party, custodian), body.set.digest().into(), bytes, broken.until)
            .await?
        {
            true => Ok(()),
            false => Err(refused(due.into())),
        }
    }

    /// What custodians have released to `party`, while it has broken the glass.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`; chain trouble.
    pub async fn shares(&self, party: Address, chart: B256) -> Result<EmergencyShares> {
        let block = self.latest().await?;
        let broken = self.broken(&block, chart, party).await?;
        let broken = broken.ok_or_else(|| forbidden(reason::NO_GRANT))?;
        let shares = match self.db.kit(chart, broken.controller).await? {
            Some(_) => self.db.releases(chart, party, broken.until).await?,
            None => Vec::new(),
        };
        let shares = shares.into_iter().map(|(custodian, share)| EmergencyShare {
            custodian,
            share: share.into(),
        });
        Ok(EmergencyShares {
            shares: shares.collect(),
        })
    }

    /// The emergencies on a chart, newest first: to the controller all, to anybody else their own, which may be none. So it says nothing
    /// of whether there is such a chart.
    ///
    /// # Errors
    /// Chain trouble.
    pub async fn emergencies(
        &self,
        account: Address,
        chart: B256,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Emergencies> {
        let block = self.latest().await?;
        let controller = self.chain.chart_of(&block, chart).await?.controller;
        let mut index = self.index_at(&block).await?;
        let is_controller = !controller.is_zero() && controller == account;
        let found = match is_controller {
            true => index.emergencies(chart, before, limit).await?,
            false => index.emergencies_of(chart, account, before, limit).await?,
        };
        let next = next(&found, limit, |emergency| emergency.position.to_string());
        let mut emergencies = Vec::with_capacity(found.len());
        for found in found {
            let may_be_open = found.closed_at.is_none() && found.until > block.time;
            emergencies.push(Emergency {
                chart,
                party: found.party,
                organisation: (!found.organisation.is_zero()).then_some(found.organisation),
                compartments: Compartments(found.compartments),
                reason: emergency::text(found.reason_code).into(),
                reason_code: found.reason_code,
                opened_at: found.opened_at,
                until: found.until,
                closed_at: found.closed_at,
                open: may_be_open && self.broken(&block, chart, found.party).await?.is_some(),
            });
        }
        Ok(Emergencies { emergencies, next })
    }

    /// Whether `party` has broken the glass of `chart`, and may read for that at present, by the chain's time and the clock's.
    async fn broken(&self, block: &Block, chart: B256, party: Address) -> Result<Option<Broken>> {
        let standing = match self.standing_at(*block, chart, Acting::for_itself(party)).await {
            Ok(standing) => standing,
            Err(failure) if failure.kind() == Some(Kind::ForbiddenOrUnknown) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        match standing.role {
            Role::Other(rights) if rights.emergency != 0 => Ok(Some(Broken {
                controller: standing.controller,
                until: self.chain.emergency_of(block, chart, party).await?.until,
            })),
            _ => Ok(None),
        }
    }
}

/// A kit out of the database. It was whole when it was put there.
fn stored(bytes: &[u8]) -> Result<EmergencyKit> {
    EmergencyKit::decode(bytes).map_err(|error| Failure::caused(Kind::Internal, error))
}

/// Which share is a custodian's, from 1.
fn index_of(body: &KitBody, custodian: Address) -> Option<u8> {
    let place = body
        .custodians()
        .position(|account| account == custodian.into_array())?;
    u8::try_from(place + 1).ok()
}
