//! Searches: every resource that the caller may see is made and matched as it is served, chart by chart, in a fixed order.
use std::collections::BTreeSet;

use alloy::primitives::B256;
use medlock_fhir::facade::{
    self,
    search::{Query, matches},
};
use medlock_indexer::{Page, Position};
use serde_json::Value;

use super::{Found, Sight};
use crate::{
    access::{Acting, Standing},
    problem::{Failure, Result},
    state::Gateway,
};

/// What one request looks at: resources, rules in them, and charts. A page ends there though more may match behind it.
const LOOKED_MOST: usize = 5000;
/// Resources, or charts, fetched at once.
const CHUNK: u32 = 100;

/// A page of matches.
pub struct Matches {
    pub page: Vec<Value>,
    /// Where the next one begins.
    pub next: Option<String>,
    /// All matches, where that was asked for.
    pub total: Option<u64>,
}

/// Behind which resource to go on: its chart, and its place or number in it. As text "chart-place", lower-case hex and decimal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cursor {
    chart: B256,
    within: Within,
}

/// Where a resource stands among those of its type and chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// The chart's Consent without a grant, before all grants.
    First,
    Place(Position),
    /// Of the gateway's log of reads.
    Sequence(u64),
    /// Behind them all.
    Last,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let (chart, within) = text.split_once('-')?;
        let within = match within {
            "first" => Within::First,
            "last" => Within::Last,
            text if text.contains('.') => Within::Place(text.parse().ok()?),
            text => Within::Sequence(text.parse().ok()?),
        };
        Some(Self {
            chart: super::chart_of(chart)?,
            within,
        })
    }

    fn text(&self) -> String {
        let chart = hex::encode(self.chart);
        match self.within {
            Within::First => format!("{chart}-first"),
            Within::Last => format!("{chart}-last"),
            Within::Place(place) => format!("{chart}-{place}"),
            Within::Sequence(sequence) => format!("{chart}-{sequence}"),
        }
    }
}

/// What is made of what was found, and whether to go on.
struct Collecting<'a> {
    query: &'a Query,
    /// Matches to keep; one more shows that there is another page.
    most: usize,
    page: Vec<Value>,
    matched: u64,
    /// The last one on the page.
    last: Option<Cursor>,
    looked: usize,
    end: Option<End>,
}

enum End {
    /// There is another match behind the page.
    More,
    /// [`LOOKED_MOST`], at this resource.
    Weary(Cursor),
}

impl Collecting<'_> {
    /// Takes the resource at `cursor`; `None`: there is nothing to see at it. Whether to go on.
    fn take(&mut self, cursor: Cursor, weight: usize, resource: Option<Value>) -> bool {
        if let Some(resource) = resource.filter(|resource| matches(self.query, resource)) {
            if self.page.len() == self.most && self.most > 0 {
                self.end = Some(End::More);
                return false;
            }
            self.matched += 1;
            if self.most > 0 {
                self.page.push(resource);
                self.last = Some(cursor.clone());
            }
        }
        self.looked += weight;
        if self.looked >= LOOKED_MOST {
            self.end = Some(End::Weary(cursor));
            return false;
        }
        true
    }
}

impl Gateway {
    /// A page of what `query` asks for, as whoever acts sees it.
    ///
    /// # Errors
    /// `BadRequest` for a cursor that no page gave, and for a total beyond [`LOOKED_MOST`]; `ForbiddenOrUnknown` for who is no member; chain
    /// trouble, `IndexBehind`.
    pub async fn fhir_search(&self, acting: Acting, query: &Query) -> Result<Matches> {
        let mut sight = self.sight(acting).await?;
        if let Some(ids) = query.ids() {
            return sight.by_ids(query, &ids).await;
        }
        let after = match query.after.as_deref() {
            None => None,
            Some(text) => Some(
                Cursor::read(text)
                    .ok_or_else(|| Failure::bad_request("after", "not a cursor that a page gave as next"))?,
            ),
        };
        let mut counted = None;
        if query.total && (query.count == 0 || after.is_some()) {
            counted = Some(sight.count(query).await?);
        }
        if query.count == 0 {
            return Ok(Matches {
                page: Vec::new(),
                next: None,
                total: counted,
            });
        }
        let found = sight.collect(query, query.count, after).await?;
        let next = match &found.end {
            None => None,
            Some(End::More) => found.last.as_ref().map(Cursor::text),
            Some(End::Weary(cursor)) => Some(cursor.text()),
        };
        let total = match (query.total, counted) {
            (false, _) => None,
            (true, Some(counted)) => Some(counted),
            (true, None) if next.is_none() => Some(found.matched),
            (true, None) => Some(sight.count(query).await?),
        };
        Ok(Matches {
            page: found.page,
            next,
            total,
        })
    }
}

impl Sight<'_> {
    async fn by_ids(&mut self, query: &Query, ids: &BTreeSet<String>) -> Result<Matches> {
        let mut page = Vec::new();
        for id in ids {
            if let Found::Resource(resource) = self.resource(query.resource.name, id).await?
                && matches(query, &resource)
            {
                page.push(resource);
            }
        }
        let total = query.total.then_some(page.len() as u64);
        if query.count == 0 {
            page.clear();
        }
        // No more ids than a query may hold: one page, whatever was asked for.
        Ok(Matches {
            page,
            next: None,
            total,
        })
    }

    async fn count(&mut self, query: &Query) -> Result<u64> {
        let counted = self.collect(query, 0, None).await?;
        match counted.end {
            None => Ok(counted.matched),
            Some(_) => Err(Failure::bad_request(
                "_total",
                "too many to count in one request; search by patient, or without a total",
            )),
        }
    }

    /// From behind `after` on. `most` 0: counts.
    async fn collect<'a>(&mut self, query: &'a Query, most: usize, after: Option<Cursor>) -> Result<Collecting<'a>> {
        let mut found = Collecting {
            query,
            most,
            page: Vec::new(),
            matched: 0,
            last: None,
            looked: 0,
            end: None,
        };
        let named = query.charts();
        let mine = match &named {
            Some(_) => BTreeSet::new(),
            None => self.controlled().await?,
        };
        let mut from = after;
        loop {
            // The charts from `from` on: all that there are, or up to the last one of a chunk.
            let start = from.as_ref().map(|cursor| cursor.chart).unwrap_or_default();
            let mut last = None;
            let charts: BTreeSet<B256> = match &named {
                Some(named) => named.iter().map(B256::from).filter(|chart| *chart >= start).collect(),
                None => {
                    let mut charts = self.given(query.resource.name, start).await?;
                    last = charts.last().copied().filter(|_| charts.len() >= CHUNK as usize);
                    charts.extend(mine.range(start..));
                    charts
                }
            };
            for chart in charts
                .into_iter()
                .filter(|chart| last.is_none_or(|last| *chart <= last))
            {
                let within = from.take_if(|cursor| cursor.chart == chart).map(|cursor| cursor.within);
                from = None;
                let is_named = named.is_some() || mine.contains(&chart);
                if within == Some(Within::Last) {
                    continue;
                }
                if !self.chart(chart, is_named, within, &mut found).await? {
                    return Ok(found);
                }
                let behind = Cursor {
                    chart,
                    within: Within::Last,
                };
                if !found.take(behind, 1, None) {
                    return Ok(found);
                }
            }
            let Some(last) = last else {
                return Ok(found);
            };
            from = Some(Cursor {
                chart: last,
                within: Within::Last,
            });
        }
    }

    /// The charts that the caller controls.
    async fn controlled(&mut self) -> Result<BTreeSet<B256>> {
        let mut charts = BTreeSet::new();
        if !self.acting.is_in_person() {
            return Ok(charts);
        }
        let mut after = None;
        loop {
            let page = Page { after, limit: 0 };
            let some = self.facts.view.charts_of(self.acting.account(), page).await?;
            let Some(last) = some.last() else {
                return Ok(charts);
            };
            after = Some(last.position);
            charts.extend(some.iter().map(|chart| chart.chart));
        }
    }

    /// A chunk of the charts, from `start` on, that the caller was ever granted anything on.
    async fn given(&mut self, name: &str, start: B256) -> Result<BTreeSet<B256>> {
        // Of reads the controller alone is told.
        if name == "AuditEvent" {
            return Ok(BTreeSet::new());
        }
        // The index begins after a chart: after the one before `start`.
        let mut before = start;
        let borrowed = before.0.iter_mut().rev().find_map(|byte| {
            let (less, borrows) = byte.overflowing_sub(1);
            *byte = less;
            (!borrows).then_some(())
        });
        let before = borrowed.map_or(B256::ZERO, |()| before);
        let charts = self
            .facts
            .view
            .charts_given_to(self.acting.grantee(), before, CHUNK)
            .await?;
        Ok(charts.into_iter().collect())
    }

    /// Takes what there is of `chart` behind `within`; whether to go on. `is_named`: whatever right the caller has on it
    /// counts; else only what was granted to them.
    async fn chart(
        &mut self,
        chart: B256,
        is_named: bool,
        within: Option<Within>,
        found: &mut Collecting<'_>,
    ) -> Result<bool> {
        match found.query.resource.name {
            "Consent" => self.consents(chart, is_named, within, found).await,
            "AuditEvent" => self.audit_events(chart, within, found).await,
            name => self.versions(chart, name == "Provenance", within, found).await,
        }
    }

    async fn consents(
        &mut self,
        chart: B256,
        is_named: bool,
        within: Option<Within>,
        found: &mut Collecting<'_>,
    ) -> Result<bool> {
        let sees_all = is_named && self.sees_grants(chart).await?;
        let rules = self.facts.rules(chart).await?;
        let weight = 1 + rules.len();
        if sees_all && within.is_none() {
            let cursor = Cursor {
                chart,
                within: Within::First,
            };
            let consent = match self.facts.view.emergency_access(chart).await? {
                Some(access) => {
                    let standing = super::facts::standing(&access, &rules)?;
                    facade::standing_consent(&standing, &self.site).ok()
                }
                None => None,
            };
            if !found.take(cursor, weight, consent) {
                return Ok(false);
            }
        }
        let mut after = place(within)?;
        loop {
            let page = Page { after, limit: CHUNK };
            let some = match sees_all {
                true => self.facts.view.given(chart, page).await?,
                false => self.facts.view.given_to(chart, self.acting.grantee(), page).await?,
            };
            let Some(last) = some.last() else {
                return Ok(true);
            };
            after = Some(last.grant.position);
            for given in some {
                let cursor = Cursor {
                    chart,
                    within: Within::Place(given.grant.position),
                };
                let consent = self.grant_consent(given, &rules, sees_all).await?;
                if !found.take(cursor, weight, consent) {
                    return Ok(false);
                }
            }
        }
    }

    async fn versions(
        &mut self,
        chart: B256,
        is_provenance: bool,
        within: Option<Within>,
        found: &mut Collecting<'_>,
    ) -> Result<bool> {
        let readable = self.standing(chart).await?.as_ref().map_or(0, Standing::readable);
        if readable == 0 {
            return Ok(true);
        }
        let mut after = place(within)?;
        loop {
            let page = Page { after, limit: CHUNK };
            let some = self.facts.view.written(chart, readable, page).await?;
            let Some(last) = some.last() else {
                return Ok(true);
            };
            after = Some(last.position());
            for written in some {
                let cursor = Cursor {
                    chart,
                    within: Within::Place(written.position()),
                };
                let version = self.facts.version(&written).await?;
                let resource = match is_provenance {
                    true => Some(facade::provenance(&version, &self.site)),
                    false => facade::document_reference(&version, &self.site),
                };
                if !found.take(cursor, 1, resource) {
                    return Ok(false);
                }
            }
        }
    }

    async fn audit_events(&mut self, chart: B256, within: Option<Within>, found: &mut Collecting<'_>) -> Result<bool> {
        let standing = self.standing(chart).await?;
        if standing.is_none_or(|standing| standing.controller_only().is_err()) {
            return Ok(true);
        }
        let mut after = match within {
            None => 0,
            Some(Within::Sequence(sequence)) => sequence,
            Some(_) => return Err(no_cursor()),
        };
        loop {
            let some = self.gateway.db.receipts(chart, after, CHUNK).await?;
            let Some(last) = some.last() else {
                return Ok(true);
            };
            after = last.sequence;
            for entry in some {
                let cursor = Cursor {
                    chart,
                    within: Within::Sequence(entry.sequence),
                };
                let read = self.facts.read(&entry).await?;
                if !found.take(cursor, 1, Some(facade::audit_event(&read, &self.site))) {
                    return Ok(false);
                }
            }
        }
    }
}

fn place(within: Option<Within>) -> Result<Option<Position>> {
    match within {
        None | Some(Within::First) => Ok(None),
        Some(Within::Place(place)) => Ok(Some(place)),
        Some(_) => Err(no_cursor()),
    }
}

fn no_cursor() -> Failure {
    Failure::bad_request("after", "not a cursor that a page gave as next")
}
