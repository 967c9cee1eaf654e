//! What looks like fraud. A signal is a reason to look, never a finding: each names the claims and says in plain words what is odd.
//!
//! - [`shared_fingerprints`], [`shared_services`], [`repeated_services`]: one service, claimed more than once.
//! - [`overlaps`], [`long_days`]: a person in two places, or at work for more hours than a day has. Of services whose claims name no person
//!   ([`Claim::performers`]) neither says anything: who submitted a claim has rendered nothing.
//! - [`outside_of_life`]: services before birth or after death.
//! - [`amount_outliers`], [`count_outliers`]: far more than others bill for the same, or far more claims.
//! - [`late_records`]: records that were first written long after the service that they are to bear out.
//! - [`overdue_payments`]: what was approved, and not paid in time.
//!
//! [`ClaimFacts`] are on chain; [`ServiceFacts`] are in documents, for who may open them. Each function gives the same signals whatever
//! the order of the rows, and takes time that grows with the rows but for a logarithm. Which rows are compared (a month, an insurer) is
//! the caller's choice.
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use medlock_abi::terms::claim_state;
use serde::{Serialize, Serializer};

use crate::{
    Amount, Currency,
    fhir::{Claim, Item, Period, Serviced},
    time::{Day, Span},
};

const HOUR_S: u64 = 60 * 60;
const DAY_S: i64 = 24 * 60 * 60;
/// Two people's clocks differ by no more (UTC-12 to UTC+14): a time beside a day whose zone is unknown may be off by this.
const ZONES_S: i64 = 14 * 60 * 60;
/// Records are due within days of a service; after a month they were written for something else.
const RECORD_DELAY_S: i64 = 30 * DAY_S;
/// Below this, a median says little of what is usual.
const SAMPLE_LEAST: usize = 10;
/// A modified z-score above 3.5 is an outlier (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993), in ten-thousandths.
const OUTLIER_Z: u128 = 35_000;
/// The 0.75 quantile of the normal distribution, by which a median absolute deviation is one standard deviation; in ten-thousandths.
const NORMAL_QUANTILE: u128 = 6745;
/// The median absolute deviation counts as at least a twentieth of the median: where a tariff fixes most amounts it is zero, and every cent
/// would be an outlier.
const DEVIATION_LEAST: u128 = 20;

/// One claim, as the chain knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimFacts {
    pub id: B256,
    pub chart: B256,
    pub provider: Address,
    /// Who submitted it: the provider, or its member.
    pub by: Address,
    pub insurer: Address,
    pub fingerprint: B256,
    pub submitted_at: u64,
    /// See `terms::claim_state`.
    pub state: u8,
    /// Of what is due next; 0: nothing is.
    pub deadline: u64,
    /// ISO 4217 numeric.
    pub currency: u16,
    /// It is held in the registry that insurers share.
    pub shared: bool,
    pub links: Vec<LinkFacts>,
}

/// A record that a claim rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkFacts {
    pub record_id: B256,
    /// Of its first version.
    pub created_at: u64,
}

/// One service, as an open document tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    pub claim: B256,
    pub chart: B256,
    pub provider: Address,
    /// The persons who rendered it, as far as its claim names them: [`Claim::performers`].
    pub performers: BTreeSet<String>,
    pub encounter: String,
    pub system: String,
    pub code: String,
    /// As the claim writes it.
    pub day: Day,
    pub when: When,
    pub amount: Amount,
    /// Of the patient, as exactly as it is known.
    pub born: Option<Span>,
    pub died: Option<Span>,
}

/// When on its day a service was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// From then to then.
    Period(Span),
    /// At some time, in whatever zone; and how long it takes, where that is known.
    Day { seconds: Option<u64> },
}

impl ServiceFacts {
    /// What an item of the claim's document tells; nothing of one without encounter, code or day, as it can be compared with none. The
    /// patient's dates are unknown until the caller knows better.
    #[must_use]
    pub fn of(facts: &ClaimFacts, claim: &Claim, item: &Item) -> Option<Self> {
        let (system, code) = item.code()?;
        let period = match &item.serviced {
            Some(Serviced::Period(Period {
                start: Some(start),
                end: Some(end),
            })) if start.is_exact() && end.is_exact() => Some(Span {
                from: start.span().from,
                to: end.span().from,
            }),
            _ => None,
        };
        Some(Self {
            claim: facts.id,
            chart: facts.chart,
            provider: facts.provider,
            performers: claim.performers(item, facts.provider),
            encounter: item.encounter.as_ref()?.key()?,
            system: system.to_owned(),
            code: code.to_owned(),
            day: item.day()?,
            when: period.map_or(When::Day { seconds: None }, When::Period),
            amount: item.net,
            born: None,
            died: None,
        })
    }

    fn span(&self) -> Span {
        match self.when {
            When::Period(span) => span,
            When::Day { .. } => self.day.span(),
        }
    }
}

/// As JSON: `{"reason","claims"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signal {
    #[serde(rename = "reason")]
    pub kind: SignalKind,
    /// In ascending order, each once.
    pub claims: Vec<B256>,
}

/// Its text is the plain reason, and all that JSON has of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignalKind {
    #[error(
        "{count} claims that are paid or may be have the fingerprint of one service, from {providers} providers to {insurers} insurers"
    )]
    SharedFingerprint {
        count: usize,
        providers: usize,
        insurers: usize,
        /// Some are in the registry that insurers share, some in an insurer's own: no registry sees both.
        across_registries: bool,
    },
    #[error("{count} claims of {providers} providers bill the same code of the same encounter and day")]
    SharedService { count: usize, providers: usize },
    #[error("the claim bills the same code of the same encounter and day in {count} items")]
    RepeatedService { count: usize },
    #[error("one person rendered services of different encounters at the same time")]
    Overlap { performer: String },
    #[error("one person rendered {hours} hours of services on one day")]
    LongDay { performer: String, hours: u64 },
    #[error("the service was rendered before the patient was born")]
    BeforeBirth,
    #[error("the service was rendered after the patient died")]
    AfterDeath,
    #[error("the amount is {z_tenths} tenths of a standard deviation above what is usual for this code")]
    HighAmount { provider: Address, z_tenths: u64 },
    #[error("the provider made {count} claims, {z_tenths} tenths of a standard deviation above what is usual")]
    ManyClaims {
        provider: Address,
        count: usize,
        z_tenths: u64,
    },
    #[error("the claim rests on a record that was first written {days} days after the service")]
    LateRecord { record_id: B256, days: u64 },
    #[error("payment overdue: the claim is approved, and the time to pay it ended {days} days ago")]
    OverduePayment { insurer: Address, days: u64 },
}

impl Serialize for SignalKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn signal(kind: SignalKind, claims: impl IntoIterator<Item = B256>) -> Signal {
    let claims: BTreeSet<_> = claims.into_iter().collect();
    Signal {
        kind,
        claims: claims.into_iter().collect(),
    }
}

/// Claims with one fingerprint that hold the service at `now` (`terms::claim_state::holds`), whatever their registries: an insurer
/// that does not share cannot see the other's, and the contract's slots are of one provider each.
#[must_use]
pub fn shared_fingerprints(claims: &[ClaimFacts], now: u64) -> Vec<Signal> {
    let holding = claims
        .iter()
        .filter(|claim| claim_state::holds(claim.state, claim.deadline, now));
    let groups = grouped(holding, |claim| claim.fingerprint);
    let several = groups.into_values().filter(|group| count(group, |claim| claim.id) > 1);
    several
        .map(|group| {
            let kind = SignalKind::SharedFingerprint {
                count: count(&group, |claim| claim.id),
                providers: count(&group, |claim| claim.provider),
                insurers: count(&group, |claim| claim.insurer),
                across_registries: count(&group, |claim| claim.shared) > 1,
            };
            signal(kind, group.iter().map(|claim| claim.id))
        })
        .collect()
}

/// Claims that bill the same code of the same encounter of a chart, on the same day: also where it is not the first item, or
/// another provider's, so that the fingerprints differ. Give services of claims that hold.
#[must_use]
pub fn shared_services(services: &[ServiceFacts]) -> Vec<Signal> {
    let groups = grouped(services, |&service| identity(service)).into_values();
    let several = groups.filter(|group| count(group, |service| service.claim) > 1);
    several
        .map(|group| {
            let kind = SignalKind::SharedService {
                count: count(&group, |service| service.claim),
                providers: count(&group, |service| service.provider),
            };
            signal(kind, group.iter().map(|service| service.claim))
        })
        .collect()
}

/// Claims that bill a service in more than one of their items, which no fingerprint tells. Give each service once.
#[must_use]
pub fn repeated_services(services: &[ServiceFacts]) -> Vec<Signal> {
    let groups = grouped(services, |&service| (service.claim, identity(service)));
    let several = groups.into_iter().filter(|(_, group)| group.len() > 1);
    several
        .map(|((claim, _), group)| signal(SignalKind::RepeatedService { count: group.len() }, [claim]))
        .collect()
}

/// What makes a service the same whoever bills it: chart, encounter, code with its system, day.
fn identity(service: &ServiceFacts) -> (B256, &str, &str, &str, &Day) {
    let (encounter, system, code) = (&service.encounter, &service.system, &service.code);
    (
        service.chart,
        encounter.as_str(),
        system.as_str(),
        code.as_str(),
        &service.day,
    )
}

/// Services of one person at the same time, for different encounters. Only those with a period can tell. One signal for each
/// stretch of time without a gap.
#[must_use]
pub fn overlaps(services: &[ServiceFacts]) -> Vec<Signal> {
    let timed = services.iter().filter_map(|service| match service.when {
        When::Period(span) if span.from < span.to => Some((service, span)),
        _ => None,
    });
    let by_person = timed.flat_map(|(service, span)| {
        let performers = service.performers.iter();
        performers.map(move |performer| (performer.as_str(), service, span))
    });
    let mut signals = Vec::new();
    for (performer, mut visits) in grouped(by_person, |(performer, ..)| *performer) {
        visits.sort_by_key(|(_, service, span)| (*span, service.chart, &service.encounter, service.claim));
        let mut stretch = Stretch::default();
        for (_, service, span) in visits {
            if stretch.ends.first().is_some_and(|(end, _)| *end <= span.from) {
                signals.extend(std::mem::take(&mut stretch).signal(performer));
            }
            stretch.add(service, span);
        }
        signals.extend(stretch.signal(performer));
    }
    signals
}

/// Visits of one person without a gap between them.
#[derive(Default)]
struct Stretch<'a> {
    claims: Vec<B256>,
    /// (end, encounter) of the visit that lasts longest, and of the one of another encounter that does: enough to see whether the next visit
    /// begins within one of another encounter.
    ends: Vec<(i64, (B256, &'a str))>,
    is_double: bool,
}

impl<'a> Stretch<'a> {
    fn add(&mut self, service: &'a ServiceFacts, span: Span) {
        let encounter = (service.chart, service.encounter.as_str());
        let mut ends = self.ends.iter();
        self.is_double |= ends.any(|(end, other)| *other != encounter && *end > span.from);
        match self.ends.iter_mut().find(|(_, other)| *other == encounter) {
            Some((end, _)) => *end = span.to.max(*end),
            None => self.ends.push((span.to, encounter)),
        }
        self.ends.sort_by_key(|(end, _)| std::cmp::Reverse(*end));
        self.ends.truncate(2);
        self.claims.push(service.claim);
    }

    fn signal(self, performer: &str) -> Option<Signal> {
        let performer = performer.to_owned();
        self.is_double
            .then(|| signal(SignalKind::Overlap { performer }, self.claims))
    }
}

/// Days on which one person rendered more than 24 hours of services. A period counts on each day (UTC) that it is on, a service
/// without times as long as it takes.
#[must_use]
pub fn long_days(services: &[ServiceFacts]) -> Vec<Signal> {
    let mut days: BTreeMap<(&str, i64), (u64, Vec<B256>)> = BTreeMap::new();
    for service in services {
        let worked: Vec<_> = match service.when {
            When::Day { seconds: Some(seconds) } => vec![(service.day.span().from.div_euclid(DAY_S), seconds)],
            When::Day { seconds: None } => vec![],
            When::Period(span) => by_day(span).collect(),
        };
        for performer in &service.performers {
            for (day, seconds) in &worked {
                let (sum, claims) = days.entry((performer.as_str(), *day)).or_default();
                *sum = sum.saturating_add(*seconds);
                claims.push(service.claim);
            }
        }
    }
    let long = days.into_iter().filter(|(_, (seconds, _))| *seconds > DAY_S as u64);
    long.map(|((performer, _), (seconds, claims))| {
        let (performer, hours) = (performer.to_owned(), seconds.div_ceil(HOUR_S));
        signal(SignalKind::LongDay { performer, hours }, claims)
    })
    .collect()
}

/// Nobody renders one service for longer: past it, a period says when a stay was, and not who worked.
const WORK_DAYS_MAX: i64 = 7;

/// (day, seconds) of a span on each day that it is on; nothing of a stay.
fn by_day(span: Span) -> impl Iterator<Item = (i64, u64)> {
    let (first, last) = (span.from.div_euclid(DAY_S), span.to.saturating_sub(1).div_euclid(DAY_S));
    let is_stay = last.saturating_sub(first) >= WORK_DAYS_MAX;
    (first..=last).take_while(move |_| !is_stay).map(move |day| {
        let part = Span {
            from: span.from.max(day.saturating_mul(DAY_S)),
            to: span.to.min((day + 1).saturating_mul(DAY_S)),
        };
        (day, part.seconds())
    })
}

/// Services before birth or after death, where neither the precision of the dates nor a time zone can explain it.
#[must_use]
pub fn outside_of_life(services: &[ServiceFacts]) -> Vec<Signal> {
    let mut signals = Vec::new();
    for service in services {
        // Days are compared with days; beside a time, a day may have begun or ended elsewhere.
        let slack = match service.when {
            When::Period(_) => ZONES_S,
            When::Day { .. } => 0,
        };
        let span = service.span();
        if service
            .born
            .is_some_and(|born| span.to.saturating_add(slack) <= born.from)
        {
            signals.push(signal(SignalKind::BeforeBirth, [service.claim]));
        }
        if service
            .died
            .is_some_and(|died| span.from >= died.to.saturating_add(slack))
        {
            signals.push(signal(SignalKind::AfterDeath, [service.claim]));
        }
    }
    sorted(signals)
}

/// Services whose amount is far above what all together bill for the same code in the same currency: a modified z-score,
/// 0.6745 (amount - median) / MAD, above 3.5. MAD is the median of the absolute differences from the median, at least a twentieth of it. A code with
/// fewer than ten services says nothing.
#[must_use]
pub fn amount_outliers(services: &[ServiceFacts]) -> Vec<Signal> {
    let key = |service: &&ServiceFacts| -> (Currency, String, String) {
        (service.amount.currency, service.system.clone(), service.code.clone())
    };
    let mut signals = Vec::new();
    for group in grouped(services, key).into_values() {
        let amounts: Vec<_> = group.iter().map(|service| service.amount.minor).collect();
        for (index, z_tenths) in high_outliers(&amounts) {
            let ServiceFacts { provider, claim, .. } = *group[index];
            signals.push(signal(SignalKind::HighAmount { provider, z_tenths }, [claim]));
        }
    }
    sorted(signals)
}

/// Providers with far more claims than the others among these rows, by the same score as [`amount_outliers`], from ten providers on.
#[must_use]
pub fn count_outliers(claims: &[ClaimFacts]) -> Vec<Signal> {
    let groups: Vec<_> = grouped(claims, |claim| claim.provider).into_iter().collect();
    let counts: Vec<_> = groups
        .iter()
        .map(|(_, group)| count(group, |claim| claim.id) as u64)
        .collect();
    high_outliers(&counts)
        .map(|(index, z_tenths)| {
            let (provider, group) = &groups[index];
            let kind = SignalKind::ManyClaims {
                provider: *provider,
                count: count(group, |claim| claim.id),
                z_tenths,
            };
            signal(kind, group.iter().map(|claim| claim.id))
        })
        .collect()
}

/// Claims that rest on a record whose first version is from more than 30 days after the claim's last service. Of claims
/// without services here nothing is said.
#[must_use]
pub fn late_records(claims: &[ClaimFacts], services: &[ServiceFacts]) -> Vec<Signal> {
    let mut ends: BTreeMap<B256, i64> = BTreeMap::new();
    for service in services {
        let end = ends.entry(service.claim).or_insert(i64::MIN);
        *end = service.span().to.max(*end);
    }
    let mut signals = Vec::new();
    for claim in claims {
        let Some(end) = ends.get(&claim.id) else {
            continue;
        };
        for link in &claim.links {
            let after = i64::try_from(link.created_at).unwrap_or(i64::MAX).saturating_sub(*end);
            if after > RECORD_DELAY_S {
                let kind = SignalKind::LateRecord {
                    record_id: link.record_id,
                    days: after.div_euclid(DAY_S).unsigned_abs(),
                };
                signals.push(signal(kind, [claim.id]));
            }
        }
    }
    sorted(signals)
}

/// Whether an approved claim is not paid in time: nothing closes it, and whoever waits has to ask.
#[must_use]
pub fn is_payment_overdue(state: u8, deadline: u64, now: u64) -> bool {
    state == claim_state::APPROVED && (1..=now).contains(&deadline)
}

/// Claims whose payment is overdue at `now`.
#[must_use]
pub fn overdue_payments(claims: &[ClaimFacts], now: u64) -> Vec<Signal> {
    let overdue = claims
        .iter()
        .filter(|claim| is_payment_overdue(claim.state, claim.deadline, now));
    let signals = overdue.map(|claim| {
        let kind = SignalKind::OverduePayment {
            insurer: claim.insurer,
            days: (now - claim.deadline) / DAY_S as u64,
        };
        signal(kind, [claim.id])
    });
    sorted(signals.collect())
}

/// (index, z in tenths) of each value that is an outlier upwards. Whole numbers throughout: values and deviations count twice and four
/// times, as a median of an even number of values lies between two.
fn high_outliers(values: &[u64]) -> impl Iterator<Item = (usize, u64)> {
    let median_2 = median_2(values.iter().map(|value| u128::from(*value)).collect());
    let deviation_2 = move |value: u64| (2 * u128::from(value)).abs_diff(median_2);
    let deviation_4 = self::median_2(values.iter().map(|value| deviation_2(*value)).collect());
    let deviation_4 = deviation_4.max((2 * median_2).div_ceil(DEVIATION_LEAST)).max(1);
    let is_sample = values.len() >= SAMPLE_LEAST;
    values.iter().enumerate().filter_map(move |(index, value)| {
        let above = 2 * u128::from(*value) > median_2;
        // At most 2^66 times what is below 2^14.
        let z = 2 * deviation_2(*value) * NORMAL_QUANTILE / deviation_4;
        let is_outlier = is_sample && above && z > OUTLIER_Z;
        is_outlier.then(|| (index, u64::try_from(z / 1000).unwrap_or(u64::MAX)))
    })
}

/// Twice the median; 0 of nothing.
fn median_2(mut values: Vec<u128>) -> u128 {
    values.sort_unstable();
    match values.len() {
        0 => 0,
        length => values[(length - 1) / 2] + values[length / 2],
    }
}

fn grouped<T, K: Ord>(rows: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> BTreeMap<K, Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

/// How many different ones there are.
fn count<T, K: Ord>(group: &[T], key: impl Fn(&T) -> K) -> usize {
    group.iter().map(key).collect::<BTreeSet<_>>().len()
}

fn sorted(mut signals: Vec<Signal>) -> Vec<Signal> {
    signals.sort_by(|one, other| one.claims.cmp(&other.claims));
    signals
}
