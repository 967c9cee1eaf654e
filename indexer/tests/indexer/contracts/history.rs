//! The story that the index tells, against one folded here from the node's logs alone.
use super::{CHART, World};
use crate::support::{SOON, databases::Kind, event::id};
use alloy::{
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
};
use medlock_abi::{
    exceptions::IExceptions,
    records::IRecords,
    terms::{effect, record_status},
};
use medlock_indexer::{Config, Head, Page, Position, View, When, spawn};
use std::collections::{BTreeMap, HashMap};

/// What is compared of a grant: place, grantee, serial, since, epoch, last keyring, delegate, end.
type Given = (Position, Address, u8, u32, u32, B256, Option<Address>, Option<u64>);
/// Of a version: place, record, version, author, organisation, place of the one before, latest, status, change.
type Written = (
    Position,
    B256,
    u32,
    Address,
    Option<Address>,
    Option<Position>,
    bool,
    u8,
    u64,
);
/// Of a rule: place, effect, expiry, directory version, compartment.
type Rule = (Position, u8, u64, u32, Option<u8>);

#[derive(Debug, Default, PartialEq)]
struct Story {
    given: Vec<Given>,
    written: Vec<Written>,
    rules: BTreeMap<(B256, Address), Rule>,
    emergency: Option<(Position, bool, u64)>,
}

impl World {
    /// At this block, the newest.
    pub(super) async fn same_history(&self, at: Head) {
        let mut view = self.handle.index().latest().await.unwrap();
        assert_eq!(view.block().number, at.number);
        assert_eq!(indexed(&mut view).await, self.folded(at.number).await);
        self.in_parts(&mut view).await;
    }

    /// At every block of the past, from an index in either database.
    pub(super) async fn same_history_in_every_database(&self) {
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let config = Config {
                endpoints: self._anvil.url().into(),
                deployment: self.deployment,
                database: kind.fresh(self.folder.path(), "history").parse().unwrap(),
                poll_ms: 20,
            };
            let handle = spawn(config).await.unwrap();
            handle.wait_for_block(self.head().number, SOON).await.unwrap();
            let index = handle.index();
            for (head, _) in &self.history {
                let mut view = index.view(When::Block(head.number)).await.unwrap();
                let story = indexed(&mut view).await;
                assert_eq!(story, self.folded(head.number).await, "{kind:?}, block {}", head.number);
            }
            self.in_parts(&mut index.latest().await.unwrap()).await;
            handle.shutdown().await.unwrap();
        }
    }

    /// By one event, by one grantee, and page by page: the same.
    async fn in_parts(&self, view: &mut View) {
        let (chart, all) = (id(CHART), Page::default());
        let given = view.given(chart, all).await.unwrap();
        for one in &given {
            let position = one.grant.position;
            assert_eq!(view.given_at(position).await.unwrap().as_ref(), Some(one));
            let then = view.granted_then(chart, one.grant.grantee, position.block_number).await;
            assert!(then.unwrap().is_some_and(|then| then >= position));
        }
        for grantee in self.accounts() {
            let found = view.given_to(chart, grantee, all).await.unwrap();
            let wanted: Vec<_> = given
                .iter()
                .filter(|one| one.grant.grantee == grantee)
                .cloned()
                .collect();
            assert_eq!(found, wanted);
            let charts = view.charts_given_to(grantee, B256::ZERO, 0).await.unwrap();
            assert_eq!(charts, if wanted.is_empty() { vec![] } else { vec![chart] });
            assert!(view.charts_given_to(grantee, chart, 0).await.unwrap().is_empty());
            let roles = view
                .party(grantee)
                .await
                .unwrap()
                .credential
                .map_or(0, |held| held.roles);
            assert_eq!(view.roles(grantee).await.unwrap(), roles);
        }
        let written = view.written(chart, u64::MAX, all).await.unwrap();
        let mut after = None;
        for one in &written {
            assert_eq!(view.written_at(one.position()).await.unwrap().as_ref(), Some(one));
            let page = Page { after, limit: 1 };
            assert_eq!(
                &view.written(chart, u64::MAX, page).await.unwrap()[..],
                std::slice::from_ref(one)
            );
            after = Some(one.position());
        }
        let labs: Vec<_> = written.into_iter().filter(|one| one.record.compartment == 3).collect();
        assert_eq!(view.written(chart, 1 << 3, all).await.unwrap(), labs);
        let elsewhere = Position {
            block_number: 0,
            log_index: 0,
        };
        assert_eq!(view.given_at(elsewhere).await.unwrap(), None);
        assert_eq!(view.written_at(elsewhere).await.unwrap(), None);
        assert_eq!(view.emergency_access_at(elsewhere).await.unwrap(), None);
        if let Some(access) = view.emergency_access(chart).await.unwrap() {
            assert_eq!(view.emergency_access_at(access.position).await.unwrap(), Some(access));
        }
    }

    async fn folded(&self, last: u64) -> Story {
        let (records, exceptions) = (self.deployment.records, self.deployment.exceptions);
        let filter = Filter::new()
            .address(vec![records, exceptions])
            .from_block(0)
            .to_block(last);
        let logs = self.rpc.get_logs(&filter).await.unwrap();
        let mut times = HashMap::new();
        let mut story = Story::default();
        let mut compartments = HashMap::new();
        let mut epoch = 0;
        // Of whom the logs that follow in this transaction are.
        let mut lead: Option<(B256, Log)> = None;
        for log in logs {
            let (block, tx) = (log.block_number.unwrap(), log.transaction_hash.unwrap());
            let time = match times.get(&block) {
                Some(time) => *time,
                None => {
                    let found = self.rpc.get_block_by_number(block.into()).await.unwrap().unwrap();
                    times.insert(block, found.header.timestamp);
                    found.header.timestamp
                }
            };
            let place = Position {
                block_number: block,
                log_index: log.log_index.unwrap(),
            };
            lead.take_if(|(of, _)| *of != tx);
            let leading = lead.clone().map(|(_, log)| log);
            let end = |given: &mut Vec<Given>, which: &dyn Fn(&Given) -> bool| {
                for one in given.iter_mut().filter(|one| one.7.is_none() && which(one)) {
                    one.7 = Some(time);
                }
            };
            macro_rules! on {
                ($event:ty) => {
                    (log.topics()[0] == <$event>::SIGNATURE_HASH)
                        .then(|| log.log_decode::<$event>().unwrap().inner.data)
                };
            }
            if let Some(event) = on!(IRecords::Granted) {
                end(&mut story.given, &|one| one.1 == event.grantee);
                let delegate =
                    leading.and_then(|log| Some(log.log_decode::<IRecords::ByDelegate>().ok()?.inner.delegate));
                let (serial, since) = (event.serial, event.since);
                story.given.push((
                    place,
                    event.grantee,
                    serial,
                    since,
                    event.epoch,
                    event.keyring,
                    delegate,
                    None,
                ));
                epoch = event.epoch;
            } else if let Some(event) = on!(IRecords::Revoked) {
                end(&mut story.given, &|one| one.1 == event.grantee);
            } else if on!(IRecords::AllRevoked).is_some() {
                end(&mut story.given, &|_| true);
            } else if let Some(event) = on!(IRecords::KeyringSet) {
                let open = story
                    .given
                    .iter_mut()
                    .find(|one| one.1 == event.grantee && one.7.is_none());
                open.unwrap().5 = event.keyring;
            } else if on!(IRecords::ByDelegate).is_some() || on!(IRecords::ActedFor).is_some() {
                lead = Some((tx, log));
                continue;
            } else if let Some(event) = on!(IRecords::RecordAdded) {
                compartments.insert(event.recordId, event.compartment);
                let organisation = leading.clone().and_then(|log| acted_for(&log));
                lead = leading.map(|log| (tx, log));
                let (record, author) = (event.recordId, event.author);
                story.written.push((
                    place,
                    record,
                    1,
                    author,
                    organisation,
                    None,
                    true,
                    record_status::CURRENT,
                    time,
                ));
                continue;
            } else if let Some(event) = on!(IRecords::RecordTakenFromBatch) {
                compartments.insert(event.recordId, event.compartment);
                let (record, author) = (event.recordId, event.author);
                story
                    .written
                    .push((place, record, 1, author, None, None, true, record_status::CURRENT, time));
            } else if let Some(event) = on!(IRecords::RecordAmended) {
                let organisation = leading.and_then(|log| acted_for(&log));
                let before = story.written.iter_mut().rfind(|one| one.1 == event.recordId).unwrap();
                (before.6, before.8) = (false, time);
                let (previous, status) = (before.0, before.7);
                let (record, version, author) = (event.recordId, event.version, event.author);
                story.written.push((
                    place,
                    record,
                    version,
                    author,
                    organisation,
                    Some(previous),
                    true,
                    status,
                    time,
                ));
            } else if let Some(event) = on!(IRecords::RecordEnteredInError) {
                became(
                    &mut story.written,
                    event.recordId,
                    record_status::ENTERED_IN_ERROR,
                    time,
                );
            } else if let Some(event) = on!(IRecords::RecordShredded) {
                became(&mut story.written, event.recordId, record_status::SHREDDED, time);
            } else if let Some(event) = on!(IExceptions::RuleSet) {
                let key = (event.recordId, event.grantee);
                if event.effect == effect::NONE {
                    story.rules.remove(&key);
                } else {
                    let rule = (place, event.effect, event.expiry, event.directoryVersion, None);
                    story.rules.insert(key, rule);
                }
            } else if let Some(event) = on!(IExceptions::EmergencyAccessSet) {
                story.emergency = Some((place, event.allowed, time));
            } else if on!(IRecords::ControlAccepted).is_some() {
                // What the one before allowed, the next has not.
                story.emergency = story.emergency.map(|(place, _, time)| (place, false, time));
            }
            lead = None;
        }
        for ((record, _), rule) in &mut story.rules {
            rule.4 = compartments.get(record).copied();
        }
        assert!(story.given.iter().all(|one| one.4 <= epoch));
        story
    }
}

fn acted_for(log: &Log) -> Option<Address> {
    Some(log.log_decode::<IRecords::ActedFor>().ok()?.inner.organisation)
}

fn became(written: &mut [Written], record: B256, status: u8, time: u64) {
    for one in written.iter_mut().filter(|one| one.1 == record) {
        (one.7, one.8) = (status, time);
    }
}

async fn indexed(view: &mut View) -> Story {
    let (chart, all) = (id(CHART), Page::default());
    let given = view.given(chart, all).await.unwrap().into_iter().map(|one| {
        let grant = one.grant;
        let (epoch, keyring) = (grant.epoch, grant.keyring);
        let (position, grantee, serial) = (grant.position, grant.grantee, grant.serial);
        (
            position,
            grantee,
            serial,
            one.since,
            epoch,
            keyring,
            one.delegate,
            one.ended_at,
        )
    });
    let written = view
        .written(chart, u64::MAX, all)
        .await
        .unwrap()
        .into_iter()
        .map(|one| {
            let (position, record) = (one.position(), one.record);
            let (id, version, author) = (record.record_id, record.version, record.author);
            let (before, latest) = (one.previous_position, one.is_latest);
            (
                position,
                id,
                version,
                author,
                one.organisation,
                before,
                latest,
                record.status,
                one.changed_at,
            )
        });
    let rules = view.rules(chart, all).await.unwrap().into_iter().map(|one| {
        let rule = (
            one.position,
            one.effect,
            one.expiry,
            one.directory_version,
            one.compartment,
        );
        ((one.record_id, one.grantee), rule)
    });
    let emergency = view.emergency_access(chart).await.unwrap();
    Story {
        given: given.collect(),
        written: written.collect(),
        rules: rules.collect(),
        emergency: emergency.map(|access| (access.position, access.allowed, access.set_at)),
    }
}
