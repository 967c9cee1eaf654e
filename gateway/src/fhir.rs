//! The FHIR R4 facade over this gateway: who may see which resource, and where its facts come from. What the resources look like
//! is `medlock_fhir::facade`, pure.
//!
//! It must never show what the other routes would not: whoever may not see a resource finds none, by id, by search or by
//! its count. One request looks at one block of the chain, and at the index from that block on.
mod create;
mod facts;
mod outcome;
mod search;

use alloy::primitives::B256;
use medlock_api::{Compartments, Kind};
use medlock_fhir::facade::{self, Site};
use medlock_indexer::{GivenGrant, Position, WrittenVersion};
use serde_json::Value;

use crate::{
    access::{Acting, Standing},
    chain::Block,
    problem::Result,
    state::Gateway,
};
use facts::Facts;

pub use create::Created;
pub use outcome::{BASE, answered, outcome, resource};

/// What one request sees with: one block, one state of the index, one who asks.
struct Sight<'a> {
    gateway: &'a Gateway,
    site: Site,
    acting: Acting,
    block: Block,
    /// UNIX seconds: what has ended by then is inactive.
    now: u64,
    facts: Facts,
}

/// A resource by its id.
pub enum Found {
    Resource(Value),
    /// It was there: its record is shredded.
    Deleted,
    /// There is none, or none that the caller may see.
    None,
}

impl From<Option<Value>> for Found {
    fn from(resource: Option<Value>) -> Self {
        resource.map_or(Self::None, Self::Resource)
    }
}

impl Gateway {
    pub fn fhir_site(&self) -> Site {
        Site {
            base: format!("{}{BASE}", self.site.uri),
            gateway: self.site.uri.clone(),
            chain_id: self.deployment.chain_id,
            records: self.deployment.records.into(),
        }
    }

    async fn sight(&self, acting: Acting) -> Result<Sight<'_>> {
        let block = self.latest().await?;
        self.require_member(&block, acting).await?;
        let view = self.index_at(&block).await?;
        Ok(Sight {
            gateway: self,
            site: self.fhir_site(),
            acting,
            block,
            now: block.time.max(self.now()),
            facts: Facts::new(view, self.account()),
        })
    }

    /// The resource of this type (a name of [`facade::search::RESOURCES`]) and id, as whoever acts sees it.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown` for who is no member; chain trouble, `IndexBehind`.
    pub async fn fhir_resource(&self, acting: Acting, name: &str, id: &str) -> Result<Found> {
        self.sight(acting).await?.resource(name, id).await
    }
}

impl Sight<'_> {
    async fn resource(&mut self, name: &str, id: &str) -> Result<Found> {
        let place = || id.parse::<Position>().ok().filter(|place| place.to_string() == id);
        match (name, place()) {
            ("Patient", _) => self.patient(id).await.map(Found::from),
            ("AuditEvent", _) => self.audit_event(id).await.map(Found::from),
            ("Consent", Some(place)) => self.consent(place).await.map(Found::from),
            ("Provenance", Some(place)) => {
                let version = self.version(place).await?;
                let provenance = version.map(|version| facade::provenance(&version, &self.site));
                Ok(provenance.into())
            }
            ("DocumentReference", Some(place)) => Ok(match self.version(place).await? {
                None => Found::None,
                Some(version) => match facade::document_reference(&version, &self.site) {
                    Some(resource) => Found::Resource(resource),
                    None => Found::Deleted,
                },
            }),
            _ => Ok(Found::None),
        }
    }

    /// What the caller is to `chart`; `None`: nothing at present.
    async fn standing(&self, chart: B256) -> Result<Option<Standing>> {
        match self.gateway.standing_at(self.block, chart, self.acting).await {
            Ok(standing) => Ok(Some(standing)),
            Err(failure) if failure.kind() == Some(Kind::ForbiddenOrUnknown) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn patient(&self, id: &str) -> Result<Option<Value>> {
        let Some(chart) = chart_of(id) else {
            return Ok(None);
        };
        let standing = self.standing(chart).await?;
        Ok(standing.map(|_| facade::patient(&chart.0)))
    }

    async fn consent(&mut self, place: Position) -> Result<Option<Value>> {
        if let Some(given) = self.facts.view.given_at(place).await? {
            let sees_all = self.sees_grants(given.grant.chart).await?;
            if !sees_all && given.grant.grantee != self.acting.grantee() {
                return Ok(None);
            }
            let rules = self.facts.rules(given.grant.chart).await?;
            return self.grant_consent(given, &rules, sees_all).await;
        }
        let Some(access) = self.facts.view.emergency_access_at(place).await? else {
            return Ok(None);
        };
        if !self.sees_grants(access.chart).await? {
            return Ok(None);
        }
        let rules = self.facts.rules(access.chart).await?;
        Ok(facade::standing_consent(&facts::standing(&access, &rules)?, &self.site).ok())
    }

    /// Whether the caller sees everybody's grants on `chart`.
    async fn sees_grants(&self, chart: B256) -> Result<bool> {
        Ok(self
            .standing(chart)
            .await?
            .is_some_and(|standing| standing.sees_grants()))
    }

    /// `sees_all`: with the rules about records beyond the grantee's reach.
    async fn grant_consent(
        &mut self,
        given: GivenGrant,
        rules: &[medlock_indexer::Rule],
        sees_all: bool,
    ) -> Result<Option<Value>> {
        let grant = self.facts.grant(given, rules, sees_all).await?;
        // Of terms that a Consent cannot say there is none.
        Ok(facade::consent(&grant, &self.site, self.now).ok())
    }

    /// The version that the event at `place` wrote, where the caller may read its compartment.
    async fn version(&mut self, place: Position) -> Result<Option<facade::facts::Version>> {
        let Some(written) = self.facts.view.written_at(place).await? else {
            return Ok(None);
        };
        let standing = self.standing(written.record.chart).await?;
        if !standing.is_some_and(|standing| is_readable(&standing, &written)) {
            return Ok(None);
        }
        self.facts.version(&written).await.map(Some)
    }

    async fn audit_event(&mut self, id: &str) -> Result<Option<Value>> {
        let Some((gateway, sequence)) = id.split_once('.') else {
            return Ok(None);
        };
        let sequence = sequence.parse::<u64>().ok().filter(|n| n.to_string() == sequence);
        let Some(sequence) = sequence.filter(|_| gateway == hex::encode(self.gateway.account())) else {
            return Ok(None);
        };
        let Some(entry) = self.gateway.db.receipt(sequence).await? else {
            return Ok(None);
        };
        let standing = self.standing(entry.receipt.chart).await?;
        if standing.is_none_or(|standing| standing.controller_only().is_err()) {
            return Ok(None);
        }
        let read = self.facts.read(&entry).await?;
        Ok(Some(facade::audit_event(&read, &self.site)))
    }
}

fn is_readable(standing: &Standing, written: &WrittenVersion) -> bool {
    Compartments(standing.readable()).contains(written.record.compartment)
}

/// The chart that a Patient's id names.
fn chart_of(id: &str) -> Option<B256> {
    facade::bytes32(id).map(B256::from)
}
