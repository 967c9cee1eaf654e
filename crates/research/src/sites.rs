//! What the chain shows of each site: that it was dismissed, batches that never came, whose data there are none of, and of which time the data are.

use crate::chain::{ChainBatch, ChainSite, ChainTrial};
use crate::finding::{Finding, LISTED_MAX};
use crate::participants;

/// Site by site.
pub(crate) fn findings(chain: &ChainTrial) -> Vec<Finding> {
    chain.sites.iter().flat_map(|site| of_site(chain, site)).collect()
}

fn of_site(chain: &ChainTrial, site: &ChainSite) -> Vec<Finding> {
    let anchored = chain.batches.iter().filter(|batch| batch.site == site.site);
    let mut batches: Vec<&ChainBatch> = anchored.collect();
    batches.sort_by_key(|batch| batch.sequence);
    let mut found = Vec::new();
    found.extend(dismissed(site, &batches));
    // Until the lock both may still come.
    if chain.lock.is_some() {
        found.extend(never_anchored(site, &batches));
        found.extend(without_data(site, &batches));
    }
    found.extend(periods(site, batches));
    found
}

fn dismissed(site: &ChainSite, batches: &[&ChainBatch]) -> Option<Finding> {
    (!site.active).then(|| Finding::SiteDismissed {
        site: site.site,
        enrolled: site.enrolled,
        withdrawn: site.withdrawn,
        batches: u32::try_from(batches.len()).unwrap_or(u32::MAX),
    })
}

/// `batches`: by their numbers. A site numbers them from 1.
fn never_anchored(site: &ChainSite, batches: &[&ChainBatch]) -> Vec<Finding> {
    let mut before = 0;
    let mut found = Vec::new();
    for batch in batches {
        if batch.sequence.saturating_sub(before) > 1 {
            found.push(Finding::BatchNeverAnchored {
                site: site.site,
                first: before + 1,
                last: batch.sequence - 1,
            });
        }
        before = batch.sequence;
    }
    found
}

fn without_data(site: &ChainSite, batches: &[&ChainBatch]) -> Option<Finding> {
    let words = participants::united(batches.iter().map(|batch| batch.participants.as_slice()));
    // No numbers at all: nobody has data yet, or the words are a contradiction, found before.
    let named = participants::numbers(&words).unwrap_or_default();
    let with_data = named.partition_point(|number| *number <= site.enrolled);
    let with_data = u32::try_from(with_data).unwrap_or(u32::MAX);
    let without = site.enrolled.saturating_sub(with_data);
    let numbers = (1..=site.enrolled).filter(|number| named.binary_search(number).is_err());
    (without > 0).then(|| Finding::WithoutData {
        site: site.site,
        enrolled: site.enrolled,
        withdrawn: site.withdrawn,
        without,
        first: numbers.take(LISTED_MAX).collect(),
    })
}

/// `batches`: by their numbers.
fn periods(site: &ChainSite, mut batches: Vec<&ChainBatch>) -> Vec<Finding> {
    let site = site.site;
    let reversed = behind(&batches, |batch| batch.from);
    batches.sort_by_key(|batch| batch.from);
    let mut overlapping = behind(&batches, |batch| batch.to);
    overlapping.sort_unstable();
    let found = [
        (!overlapping.is_empty()).then_some(Finding::PeriodsOverlap {
            site,
            sequences: overlapping,
        }),
        (!reversed.is_empty()).then_some(Finding::PeriodsReversed {
            site,
            sequences: reversed,
        }),
    ];
    found.into_iter().flatten().collect()
}

/// Numbers of those that begin before what one of those before them `reaches`.
fn behind(batches: &[&ChainBatch], reaches: impl Fn(&ChainBatch) -> u64) -> Vec<u32> {
    let mut reached = 0;
    let mut found = Vec::new();
    for &batch in batches {
        if batch.from < reached {
            found.push(batch.sequence);
        }
        reached = reached.max(reaches(batch));
    }
    found
}
