//! The tables against a model of the contracts, over random histories with random reorgs.
use super::*;
use crate::{
    Index, IndexError, Page, When,
    decode::decode,
    index::{Asked, Decision, all_statements},
};
use alloy::{
    primitives::{Address, Bytes, IntoLogData, LogData, U256, keccak256},
    rpc::types::Log,
};
use databases::{KINDS, Kind};
use dump::{Db, dump};
use medlock_abi::{
    audit::IAudit,
    exceptions::IExceptions,
    records::IRecords::{self, Question},
    registry::IRegistry,
    relay::IRelay,
    terms::{action, credential_status as status, effect, power, purpose, reason, record_status, role},
};
use medlock_dice::Dice;
use std::collections::{BTreeMap, BTreeSet};

#[path = "../../tests/support/databases.rs"]
mod databases;
#[path = "../../tests/support/dump.rs"]
mod dump;
mod ledgers;

async fn open(database: &str) -> Store {
    Store::open(&database.parse().unwrap(), &DEPLOYMENT, GENESIS)
        .await
        .unwrap()
}

const DEPLOYMENT: Deployment = Deployment {
    registry: Address::repeat_byte(0xaa),
    records: Address::repeat_byte(0xbb),
    exceptions: Address::repeat_byte(0xcc),
    relay: Address::repeat_byte(0xdd),
    audit: Address::repeat_byte(0xee),
    claims: Address::repeat_byte(0xa1),
    supply: Address::repeat_byte(0xa2),
    trials: Address::repeat_byte(0xa3),
    start_block: 1,
    chain_id: 412_346,
    genesis_hash: B256::repeat_byte(0x99),
};
const GENESIS: Block = Block {
    number: 0,
    hash: DEPLOYMENT.genesis_hash,
    parent: B256::ZERO,
    time: 1_000,
};

#[tokio::test]
async fn random_histories_with_reorgs_give_the_tables_of_a_straight_replay() {
    let (mut reasons, mut reached) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..24 {
        let folder = tempfile::tempdir().unwrap();
        // Live into one kind of database, replayed into the other.
        let kinds = if seed % 2 == 0 {
            KINDS
        } else {
            [Kind::Postgres, Kind::Sqlite]
        };
        let [live, fresh] = kinds.map(|kind| kind.fresh(folder.path(), "index"));
        let mut dice = Dice(seed);
        let mut chain = vec![Mined {
            block: GENESIS,
            logs: vec![],
            after: Contracts::default(),
        }];
        let mut store = open(&live).await;
        for _ in 0..40 {
            if dice.one_in(4) {
                reorg(&mut store, &mut chain, &mut dice).await;
            }
            if dice.one_in(8) {
                store.close().await;
                store = open(&live).await;
            }
            for _ in 0..=dice.below(5) {
                mine(&mut chain, &mut dice);
            }
            catch_up(&mut store, &chain, &mut dice).await;
        }
        let mut replayed = open(&fresh).await;
        catch_up(&mut replayed, &chain, &mut dice).await;
        assert_eq!(dump(&live).await, dump(&fresh).await, "seed {seed}");
        let index = Index::open(&live.parse().unwrap()).await.unwrap();
        reasons.extend(answers_match(&index, &chain, &mut dice, seed).await);
        let asked = ledgers::answers_match(&index, &chain, &mut dice).await;
        if seed < 2 {
            look_rows_up(&mut store, kinds[0], asked).await;
        }
        reached.extend(chain.iter().flat_map(|mined| mined.after.ledgers.reached()));
        tables_match(&live, &chain[chain.len() - 1].after).await;
        index.close().await;
    }
    let all = (0..=u8::MAX).filter(|reason| reason::text(*reason) != "unknown-reason");
    assert_eq!(reasons, all.collect(), "the histories lead to every answer there is");
    assert_eq!(
        reached,
        ledgers::everything(),
        "and the ledgers to every state there is"
    );
}

#[tokio::test]
async fn the_code_knows_every_table_and_column_of_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let database = kind.fresh(folder.path(), "index");
        open(&database).await.close().await;
        let mut db = Db::open(&database).await;
        let mut known: Vec<_> = Table::ALL.iter().map(|table| table.name().to_owned()).collect();
        known.extend(["deployment", "event", "block"].map(String::from));
        known.sort();
        assert_eq!(db.tables().await, known);
        for table in Table::ALL {
            let name = table.name();
            let sql = match kind {
                Kind::Sqlite => format!("SELECT name FROM pragma_table_info('{name}') ORDER BY cid"),
                Kind::Postgres => format!(
                    "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{name}'
                     ORDER BY ordinal_position"
                ),
            };
            assert_eq!(db.texts(&sql).await, table.columns().collect::<Vec<_>>(), "{name}");
        }
    }
}

#[tokio::test]
async fn decisions_ends_and_rollbacks_look_rows_up_and_scan_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let question = Question {
        chart: B256::ZERO,
        grantee: Address::ZERO,
        member: Address::ZERO,
        compartment: 0,
        recordId: B256::ZERO,
        purpose: purpose::TREAT,
        action: action::READ,
    };
    for kind in KINDS {
        let mut store = open(&kind.fresh(folder.path(), "index")).await;
        let none = Value::Word(B256::ZERO);
        let mut statements: Vec<_> = undoing().into_iter().map(|sql| (sql, vec![Value::Int(0)])).collect();
        let asked = all_statements(&Asked {
            question: question.clone(),
            at: 0,
            is_present: false,
        });
        statements.extend(asked.into_iter().map(|(sql, args)| (sql.to_owned(), args)));
        for table in Table::ALL.iter().filter(|table| table.ends()) {
            match kind {
                Kind::Sqlite => {
                    let args = [vec![none.clone(); table.key().len()], vec![Value::Int(0)]].concat();
                    statements.push((sqlite::end_sql(*table, 4), vec![args; 4].concat()));
                }
                // Takes arrays: asked of PostgreSQL as a statement with empty ones.
                Kind::Postgres => {
                    let sql = (1..=table.key().len() + 2).fold(postgres::end_sql(*table), |sql, n| {
                        sql.replace(&format!("${n}::"), "'{}'::")
                    });
                    statements.push((sql, vec![]));
                }
            }
        }
        look_rows_up(&mut store, kind, statements).await;
    }
}

/// None of the statements goes through a table from end to end.
async fn look_rows_up(store: &mut Store, kind: Kind, statements: impl IntoIterator<Item = (String, Vec<Value>)>) {
    for (statement, args) in statements {
        let (explain, column) = match kind {
            Kind::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
            Kind::Postgres => ("EXPLAIN", "QUERY PLAN"),
        };
        let plan = store
            .on()
            .fetch(own(format!("{explain} {statement}")), &args)
            .await
            .unwrap();
        assert!(!plan.is_empty());
        for step in plan {
            let step = step.text(column).unwrap();
            // The questions and keys themselves are gone through one by one, as is what a statement has found itself (k, n).
            let own = [
                "SCAN q",
                "SCAN n",
                "SCAN k",
                "CONSTANT ROW",
                "VALUES CLAUSE",
                "CTE Scan on q",
                "chain",
            ];
            let scans = step.starts_with("SCAN") || step.contains("Seq Scan");
            assert!(
                !scans || own.iter().any(|own| step.contains(own)),
                "{step}: {statement}"
            );
        }
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let path = kind.fresh(folder.path(), "index");
        let mut chain = vec![Mined {
            block: GENESIS,
            logs: vec![],
            after: Contracts::default(),
        }];
        let mut dice = Dice(7);
        for _ in 0..4 {
            mine(&mut chain, &mut dice);
        }
        let mut first = open(&path).await;
        let mut second = open(&path).await;
        assert!(first.lock().await.unwrap() && !second.lock().await.unwrap());
        commit(&mut first, GENESIS, &chain[1..3]).await.unwrap();
        let before = dump(&path).await;
        let error = commit(&mut second, GENESIS, &chain[1..5]).await.unwrap_err();
        assert!(error.to_string().contains("another indexer"), "{error:#}");
        assert_eq!(dump(&path).await, before);
        // Once the first is gone, however it went, the second may write.
        drop(first);
        let mut waited = 0;
        while !second.lock().await.unwrap() {
            waited += 1;
            assert!(waited < 1_000, "the lock of a writer that has gone");
            tokio::task::yield_now().await;
        }
        commit(&mut second, chain[2].block, &chain[3..5]).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_that_contradicts_the_tables_leaves_nothing_of_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let path = kind.fresh(folder.path(), "index");
        let mut store = open(&path).await;
        let before = dump(&path).await;
        let mut chain = vec![Mined {
            block: GENESIS,
            logs: vec![],
            after: Contracts::default(),
        }];
        let opened = IRecords::ChartOpened {
            chart: id(1),
            controller: who(1),
            directory: id(2),
        };
        let amended = IRecords::RecordAmended {
            chart: id(1),
            recordId: id(3),
            author: who(1),
            version: 2,
            codec: 0x71,
            pointer: id(4),
            previous: id(5),
        };
        push(
            &mut chain,
            2,
            vec![
                (DEPLOYMENT.records, opened.to_log_data()),
                (DEPLOYMENT.records, amended.to_log_data()),
            ],
        );
        let error = format!("{:#}", commit(&mut store, GENESIS, &chain[1..]).await.unwrap_err());
        assert!(
            error.contains("RecordAmended, log 1 of block 1") && error.contains("record_version"),
            "{error}"
        );
        assert_eq!(dump(&path).await, before);
        // The chart twice: by one batch, and by two.
        let twice = vec![(DEPLOYMENT.records, opened.to_log_data()); 2];
        chain.truncate(1);
        push(&mut chain, 2, twice[..1].to_vec());
        push(&mut chain, 2, twice[..1].to_vec());
        let error = format!("{:#}", commit(&mut store, GENESIS, &chain[1..]).await.unwrap_err());
        assert!(error.contains("ChartOpened, log 0 of block 2"), "{error}");
        assert_eq!(dump(&path).await, before);
        commit(&mut store, GENESIS, &chain[1..2]).await.unwrap();
        let before = dump(&path).await;
        let error = format!(
            "{:#}",
            commit(&mut store, chain[1].block, &chain[2..]).await.unwrap_err()
        );
        assert!(error.contains("ChartOpened, log 0 of block 2"), "{error}");
        assert_eq!(dump(&path).await, before);
    }
}

#[tokio::test]
async fn a_database_of_another_deployment_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let path = kind.fresh(folder.path(), "index");
        open(&path).await.close().await;
        let elsewhere = Address::repeat_byte(0x11);
        let others: [fn(&mut Deployment, Address); 8] = [
            |d, at| d.registry = at,
            |d, at| d.records = at,
            |d, at| d.exceptions = at,
            |d, at| d.relay = at,
            |d, at| d.audit = at,
            |d, at| d.claims = at,
            |d, at| d.supply = at,
            |d, at| d.trials = at,
        ];
        for change in others {
            let mut other = DEPLOYMENT;
            change(&mut other, elsewhere);
            let Err(error) = Store::open(&path.parse().unwrap(), &other, GENESIS).await else {
                panic!("opened")
            };
            assert!(format!("{error:#}").contains("another deployment"), "{error:#}");
        }
    }
}

#[tokio::test]
async fn blocks_without_events_are_forgotten_once_old_and_a_reorg_below_them_ends_at_one_with_events() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let mut store = open(&kind.fresh(folder.path(), "index")).await;
        let opened = IRecords::ChartOpened {
            chart: id(1),
            controller: who(1),
            directory: id(2),
        };
        let mut chain = vec![Mined {
            block: GENESIS,
            logs: vec![],
            after: Contracts::default(),
        }];
        push(&mut chain, 1, vec![(DEPLOYMENT.records, opened.to_log_data())]);
        commit(&mut store, GENESIS, &chain[1..]).await.unwrap();
        let with_event = chain[1].block;
        let mut after = with_event;
        for number in [1_000, 3_000, 5_000, 2 * RECENT_BLOCKS] {
            let block = Block {
                number,
                hash: id(number),
                parent: id(number - 1),
                time: 2_000,
            };
            store
                .commit(&Batch {
                    after,
                    blocks: vec![block],
                    entries: vec![],
                    rows: Rows::of(&[block], &[]).unwrap(),
                })
                .await
                .unwrap();
            after = block;
        }
        assert_eq!(
            store.block_at_or_below(2 * RECENT_BLOCKS - 1).await.unwrap().number,
            5_000
        );
        assert_eq!(store.block_at_or_below(4_999).await.unwrap(), with_event);
        store.rollback(&with_event).await.unwrap();
        assert_eq!(store.checkpoint().await.unwrap(), with_event);
    }
}

#[test]
fn a_log_that_is_not_byte_for_byte_an_event_is_undecodable() {
    let opened = IRecords::ChartOpened {
        chart: id(1),
        controller: who(1),
        directory: id(2),
    }
    .to_log_data();
    let decoded = |address, data: LogData| decode(&DEPLOYMENT, &log(address, data, &GENESIS, 3)).map(|e| e.name);
    assert_eq!(decoded(DEPLOYMENT.records, opened.clone()).unwrap(), "ChartOpened");
    // Not an event of that contract; not of this deployment; unknown topic; no topics; too short; too long;
    // dirty padding of an address.
    let mut bad = vec![(DEPLOYMENT.registry, opened.clone()), (Address::ZERO, opened.clone())];
    let topics = opened.topics().to_vec();
    bad.push((
        DEPLOYMENT.records,
        LogData::new_unchecked(vec![id(9)], opened.data.clone()),
    ));
    bad.push((DEPLOYMENT.records, LogData::new_unchecked(vec![], opened.data.clone())));
    bad.push((
        DEPLOYMENT.records,
        LogData::new_unchecked(topics.clone(), opened.data.slice(..31)),
    ));
    let long = [opened.data.as_ref(), &[0]].concat();
    bad.push((DEPLOYMENT.records, LogData::new_unchecked(topics.clone(), long.into())));
    let mut dirty = topics;
    dirty[2].0[0] = 1;
    bad.push((DEPLOYMENT.records, LogData::new_unchecked(dirty, opened.data)));
    for (address, data) in bad {
        let error = decoded(address, data.clone())
            .expect_err(&format!("{address} {data:?}"))
            .to_string();
        assert!(error.starts_with("cannot decode log 3 of block 0"), "{error}");
    }
}

/// A block of the model chain, its logs, and the contracts' state at its end.
struct Mined {
    block: Block,
    logs: Vec<(Address, LogData)>,
    after: Contracts,
}

/// The contracts' storage, written down again from the ABI: what the tables must agree with.
#[derive(Clone, Default)]
struct Contracts {
    charts: BTreeMap<B256, ChartModel>,
    /// Number, epoch, active.
    issuers: BTreeMap<Address, (u32, u32, bool)>,
    credentials: BTreeMap<Address, CredentialModel>,
    /// Organisation and member to expiry.
    members: BTreeMap<(Address, Address), u64>,
    /// Version, key, revoked at.
    keys: BTreeMap<Address, (u32, Bytes, Option<u64>)>,
    nonces: BTreeMap<Address, U256>,
    anchors: BTreeMap<Address, Vec<B256>>,
    /// Gateway, index and the two statements.
    equivocations: BTreeSet<(Address, u64, B256, B256)>,
    ledgers: ledgers::Ledgers,
}

#[derive(Clone, Copy)]
struct CredentialModel {
    issuer: Address,
    epoch: u32,
    roles: u64,
    expiry: u64,
    issued_at: u64,
    status: u8,
}

#[derive(Clone)]
struct ChartModel {
    controller: Address,
    control_epoch: u32,
    controlled_since: u64,
    offered: Option<Address>,
    exceptional: bool,
    epoch: u32,
    directory: (u32, B256),
    records: BTreeMap<B256, RecordModel>,
    /// By root: author, time, compartment.
    batches: BTreeMap<B256, (Address, u64, u8)>,
    grants: BTreeMap<Address, IRecords::Granted>,
    rules: BTreeMap<(B256, Address), IExceptions::RuleSet>,
    /// `powers` 0: removed.
    delegates: BTreeMap<Address, IExceptions::DelegateSet>,
    /// Allowed, serial, control epoch.
    emergency_access: (bool, u32, u32),
    /// `until` 0: closed.
    emergencies: BTreeMap<Address, IExceptions::EmergencyOpened>,
}

#[derive(Clone, Copy)]
struct RecordModel {
    compartment: u8,
    version: u32,
    pointer: B256,
    created_at: u64,
    /// Of its first version.
    first_created_at: u64,
    status: u8,
}

fn over(expiry: u64, now: u64) -> bool {
    expiry != 0 && expiry <= now
}

impl ChartModel {
    /// As `powersOf` of exceptions, but for the controller.
    fn powers(&self, delegate: Address, now: u64) -> u8 {
        let Some(entry) = self.delegates.get(&delegate) else {
            return 0;
        };
        let alive = entry.controlEpoch == self.control_epoch && !over(entry.expiry, now);
        let parent_alive = entry.parent == self.controller
            || self
                .delegates
                .get(&entry.parent)
                .is_some_and(|parent| parent.serial == entry.parentSerial && self.powers(entry.parent, now) != 0);
        if alive && parent_alive { entry.powers } else { 0 }
    }

    /// Those above `delegate`, up to the controller.
    fn givers(&self, delegate: Address) -> Vec<Address> {
        let mut givers = vec![delegate];
        while let Some(entry) = self.delegates.get(&givers[givers.len() - 1])
            && givers.len() < 4
        {
            givers.push(entry.parent);
        }
        givers
    }

    /// What a rule about this record says to `grantee`; the directory version that it is of.
    fn rule(&self, q: &Question, grantee: Address, now: u64) -> Option<(u8, u32)> {
        let rule = self.rules.get(&(q.recordId, grantee))?;
        let fits = rule.purposes & q.purpose > 0 && rule.actions & q.action > 0 && !over(rule.expiry, now);
        fits.then_some((rule.effect, rule.directoryVersion))
    }

    fn is_emergency(&self, q: &Question, now: u64) -> bool {
        self.emergencies.get(&q.grantee).is_some_and(|opened| {
            now < opened.until
                && opened.grantEpoch == self.epoch
                && self.emergency_access == (true, opened.serial, self.control_epoch)
                && opened.compartments & (1 << q.compartment) > 0
                && (q.purpose, q.action) == (purpose::ETREAT, action::READ)
        })
    }

    /// As `decide` of records finds it before it looks at the record.
    fn access(&self, q: &Question, now: u64) -> u8 {
        if q.grantee == self.controller {
            return reason::CONTROLLER;
        }
        let grant = self.grants.get(&q.grantee);
        let by_grant = match grant {
            None => reason::NO_GRANT,
            Some(g) if g.epoch != self.epoch => reason::REVOKED,
            Some(g) if now < g.notBefore => reason::NOT_YET_VALID,
            Some(g) if over(g.expiry, now) => reason::EXPIRED,
            Some(g) if g.compartments & (1 << q.compartment) == 0 => reason::COMPARTMENT,
            Some(g) if g.purposes & q.purpose == 0 => reason::PURPOSE,
            Some(g) if g.actions & q.action == 0 => reason::ACTION,
            Some(_) => reason::GRANT,
        };
        let in_person = q.member.is_zero();
        let wanted = match q.action {
            action::READ => power::READ,
            action::WRITE => power::WRITE,
            action::SHARE => power::GRANT,
            _ => 0,
        };
        let is_delegate = in_person && self.powers(q.grantee, now) & wanted != 0;
        let denies = |grantee| self.rule(q, grantee, now).is_some_and(|rule| rule.0 == effect::DENY);
        let denied = denies(q.grantee) || !in_person && denies(q.member) || !is_delegate && denies(Address::ZERO);
        let in_force = matches!(
            by_grant,
            reason::GRANT | reason::COMPARTMENT | reason::PURPOSE | reason::ACTION
        );
        let added = self
            .rule(q, q.grantee, now)
            .zip(grant)
            .is_some_and(|(rule, grant)| rule.0 == effect::ALLOW && rule.1 >= grant.since);
        match by_grant {
            _ if denied && in_force => reason::DENIED,
            _ if denied => by_grant,
            reason::GRANT => reason::GRANT,
            reason::COMPARTMENT if added => reason::RULE,
            _ if is_delegate => reason::DELEGATE,
            _ if in_person && self.is_emergency(q, now) => reason::EMERGENCY,
            _ => by_grant,
        }
    }
}

impl Contracts {
    /// As the contract's `decide`, over storage.
    /// All accounts that the histories know, in order.
    fn everybody(&self) -> BTreeSet<Address> {
        let controllers = self.charts.values().map(|chart| chart.controller);
        (0..10).map(who).chain(controllers).collect()
    }

    fn decide(&self, q: &Question, now: u64) -> u8 {
        if q.compartment > 63 || q.purpose.count_ones() != 1 || q.action.count_ones() != 1 {
            return reason::MALFORMED;
        }
        let Some(chart) = self.charts.get(&q.chart) else {
            return reason::UNKNOWN_CHART;
        };
        if !q.member.is_zero() && !self.may_act_for(q.grantee, q.member, 0, now) {
            return reason::NOT_MEMBER;
        }
        let access = chart.access(q, now);
        match chart.records.get(&q.recordId) {
            _ if access >= 16 || q.recordId.is_zero() => access,
            None => reason::UNKNOWN_RECORD,
            Some(record) if record.compartment != q.compartment => reason::RECORD_COMPARTMENT,
            Some(record) if record.status == record_status::SHREDDED => reason::SHREDDED,
            Some(_) => access,
        }
    }

    /// As `hasRoles` of the registry, over storage.
    fn has_roles(&self, party: Address, roles: u64, now: u64) -> bool {
        self.credentials.get(&party).is_some_and(|held| {
            let (_, epoch, active) = self.issuers[&held.issuer];
            held.status == status::ISSUED
                && held.roles & roles == roles
                && (held.expiry == 0 || now < held.expiry)
                && active
                && epoch == held.epoch
        })
    }

    /// As `mayActFor` of the registry, over storage.
    fn may_act_for(&self, organisation: Address, member: Address, roles: u64, now: u64) -> bool {
        let expiry = self.members.get(&(organisation, member));
        expiry.is_some_and(|expiry| *expiry == 0 || now < *expiry)
            && self.has_roles(organisation, roles | role::ORGANISATION, now)
    }

    /// One random call to the registry that it would take, at `now`: its event.
    fn call_registry(&mut self, dice: &mut Dice, now: u64, party: Address, digest: B256) -> LogData {
        let other = who(1 + dice.below(6));
        let expiry = [0, now + 1 + dice.below(40)][dice.below(2) as usize];
        let status_is =
            |contracts: &Self, wanted| contracts.credentials.get(&party).is_some_and(|c| c.status == wanted);
        match dice.below(10) {
            0 | 1 if self.issuers.get(&other).is_some_and(|issuer| issuer.2) => {
                let credential = CredentialModel {
                    issuer: other,
                    epoch: self.issuers[&other].1,
                    roles: dice.number(),
                    expiry,
                    issued_at: now,
                    status: status::ISSUED,
                };
                self.credentials.insert(party, credential);
                IRegistry::CredentialIssued {
                    party,
                    issuer: other,
                    issuerEpoch: credential.epoch,
                    roles: credential.roles,
                    expiry,
                    document: digest,
                }
                .to_log_data()
            }
            2 if status_is(self, status::ISSUED) => {
                self.credentials.get_mut(&party).unwrap().status = status::SUSPENDED;
                IRegistry::CredentialSuspended { party, by: other }.to_log_data()
            }
            3 if status_is(self, status::SUSPENDED) => {
                let held = self.credentials.get_mut(&party).unwrap();
                (held.status, held.issued_at) = (status::ISSUED, now);
                IRegistry::CredentialReinstated {
                    party,
                    issuer: held.issuer,
                    issuerEpoch: held.epoch,
                    roles: held.roles,
                    expiry: held.expiry,
                    document: digest,
                    by: other,
                }
                .to_log_data()
            }
            4 if self.credentials.contains_key(&party) && !status_is(self, status::REVOKED) => {
                self.credentials.get_mut(&party).unwrap().status = status::REVOKED;
                IRegistry::CredentialRevoked { party, by: other }.to_log_data()
            }
            5 => {
                self.members.insert((party, other), expiry);
                IRegistry::MemberSet {
                    organisation: party,
                    member: other,
                    expiry,
                }
                .to_log_data()
            }
            6 if self.members.remove(&(party, other)).is_some() => IRegistry::MemberRemoved {
                organisation: party,
                member: other,
            }
            .to_log_data(),
            7 if self.keys.get(&party).is_some_and(|key| key.2.is_none()) => {
                let (version, _, revoked_at) = self.keys.get_mut(&party).unwrap();
                *revoked_at = Some(now);
                IRegistry::KeyRevoked {
                    party,
                    version: *version,
                }
                .to_log_data()
            }
            8 => {
                let version = self.keys.get(&party).map_or(1, |key| key.0 + 1);
                let key = Bytes::copy_from_slice(digest.as_slice());
                self.keys.insert(party, (version, key.clone(), None));
                IRegistry::KeyPublished {
                    party,
                    version,
                    suite: 1,
                    key,
                }
                .to_log_data()
            }
            _ => {
                let count = self.issuers.len() as u32;
                let issuer = self.issuers.entry(party).or_insert((count + 1, 0, false));
                issuer.2 = !issuer.2;
                issuer.1 += u32::from(issuer.2);
                IRegistry::IssuerSet {
                    issuer: party,
                    number: issuer.0,
                    epoch: issuer.1,
                    active: issuer.2,
                }
                .to_log_data()
            }
        }
    }

    /// One random call, at `now`: its events.
    fn call(&mut self, dice: &mut Dice, now: u64) -> Vec<(Address, LogData)> {
        let digest = id(dice.number());
        let chart_id = id(1 + dice.below(3));
        let party = who(1 + dice.below(6));
        match dice.below(16) {
            0..4 => vec![(DEPLOYMENT.registry, self.call_registry(dice, now, party, digest))],
            4 => vec![self.call_relay_or_audit(dice, party, digest)],
            5..10 if self.charts.contains_key(&chart_id) => {
                let chart = self.charts.get_mut(&chart_id).unwrap();
                let Some(event) = chart.call_exceptions(chart_id, dice, now, party) else {
                    return vec![];
                };
                let mut logs = vec![(DEPLOYMENT.exceptions, event)];
                if !std::mem::replace(&mut chart.exceptional, true) {
                    let made = IRecords::MadeExceptional { chart: chart_id };
                    logs.insert(0, (DEPLOYMENT.records, made.to_log_data()));
                }
                logs
            }
            _ => {
                let mut events = self.call_records(chart_id, dice, now, party, digest);
                if dice.one_in(4) {
                    // Who acted for whom changes no table but that of the events.
                    let by = IRecords::ByDelegate {
                        chart: chart_id,
                        delegate: party,
                        power: power::WRITE,
                    };
                    events.insert(0, by.to_log_data());
                }
                events.into_iter().map(|event| (DEPLOYMENT.records, event)).collect()
            }
        }
    }

    fn call_relay_or_audit(&mut self, dice: &mut Dice, party: Address, digest: B256) -> (Address, LogData) {
        let anchors = self.anchors.entry(party).or_default();
        match dice.below(3) {
            0 => {
                let nonce = self.nonces.entry(party).or_default();
                // A step over all 64-bit numbers, since a nonce has 256 bits.
                *nonce += U256::from(dice.number()) << 60;
                let cancelled = IRelay::Cancelled {
                    signer: party,
                    nonce: *nonce,
                };
                (DEPLOYMENT.relay, cancelled.to_log_data())
            }
            1 if !anchors.is_empty() => {
                let index = dice.below(anchors.len() as u64);
                let second = anchors[index as usize];
                self.equivocations.insert((party, index, digest, second));
                let proved = IAudit::EquivocationProved {
                    gateway: party,
                    index,
                    first: digest,
                    second,
                    by: who(3),
                };
                (DEPLOYMENT.audit, proved.to_log_data())
            }
            _ => {
                let anchored = IAudit::Anchored {
                    gateway: party,
                    index: anchors.len() as u64,
                    anchor: digest,
                    previous: anchors.last().copied().unwrap_or_default(),
                    root: id(dice.number()),
                    count: dice.number() as u32,
                };
                anchors.push(digest);
                (DEPLOYMENT.audit, anchored.to_log_data())
            }
        }
    }

    /// One random call to records, with its events; none where records would refuse it.
    fn call_records(
        &mut self,
        chart_id: B256,
        dice: &mut Dice,
        now: u64,
        party: Address,
        digest: B256,
    ) -> Vec<LogData> {
        let Some(chart) = self.charts.get_mut(&chart_id) else {
            let chart = ChartModel {
                controller: party,
                control_epoch: 0,
                controlled_since: now,
                offered: None,
                exceptional: false,
                epoch: 1,
                directory: (1, digest),
                records: BTreeMap::new(),
                batches: BTreeMap::new(),
                grants: BTreeMap::new(),
                rules: BTreeMap::new(),
                delegates: BTreeMap::new(),
                emergency_access: (false, 0, 0),
                emergencies: BTreeMap::new(),
            };
            self.charts.insert(chart_id, chart);
            let opened = IRecords::ChartOpened {
                chart: chart_id,
                controller: party,
                directory: digest,
            };
            return vec![opened.to_log_data()];
        };
        let next_directory = |chart: &mut ChartModel| {
            chart.directory = (chart.directory.0 + 1, digest);
            IRecords::DirectorySet {
                chart: chart_id,
                version: chart.directory.0,
                directory: digest,
            }
            .to_log_data()
        };
        let stands = chart.grants.get(&party).is_some_and(|g| g.epoch == chart.epoch);
        match dice.below(24) {
            0 | 1 => vec![next_directory(chart)],
            2 if dice.one_in(2) => {
                chart.epoch += 1;
                let ended = IRecords::AllRevoked {
                    chart: chart_id,
                    epoch: chart.epoch,
                };
                vec![ended.to_log_data(), next_directory(chart)]
            }
            3 if stands => {
                chart.grants.remove(&party);
                let revoked = IRecords::Revoked {
                    chart: chart_id,
                    grantee: party,
                };
                vec![revoked.to_log_data(), next_directory(chart)]
            }
            4 if stands => {
                if let Some(grant) = chart.grants.get_mut(&party) {
                    grant.keyring = digest;
                }
                let set = IRecords::KeyringSet {
                    chart: chart_id,
                    grantee: party,
                    keyring: digest,
                };
                vec![set.to_log_data()]
            }
            5..11 if party != chart.controller => {
                let (serial, since) = match chart.grants.get(&party) {
                    Some(held) if stands => (held.serial + 1, held.since),
                    _ => (1, chart.directory.0),
                };
                let granted = IRecords::Granted {
                    chart: chart_id,
                    grantee: party,
                    serial,
                    since,
                    epoch: chart.epoch,
                    compartments: dice.number(),
                    purposes: dice.number() as u32,
                    actions: dice.number() as u8,
                    notBefore: if dice.one_in(2) { now + dice.below(20) } else { 0 },
                    expiry: if dice.one_in(2) { now + 1 + dice.below(60) } else { 0 },
                    keyring: digest,
                };
                let data = granted.to_log_data();
                chart.grants.insert(party, granted);
                vec![data]
            }
            11 => {
                let to = if dice.one_in(4) { Address::ZERO } else { party };
                chart.offered = (!to.is_zero()).then_some(to);
                vec![IRecords::ControlOffered { chart: chart_id, to }.to_log_data()]
            }
            12 if let Some(offered) = chart.offered.filter(|_| dice.one_in(2)) => {
                chart.offered = None;
                chart.control_epoch += 1;
                (chart.controller, chart.controlled_since) = (offered, now);
                let accepted = IRecords::ControlAccepted {
                    chart: chart_id,
                    controller: offered,
                    controlEpoch: chart.control_epoch,
                };
                let mut events = vec![accepted.to_log_data()];
                if chart.grants.remove(&offered).is_some() {
                    let revoked = IRecords::Revoked {
                        chart: chart_id,
                        grantee: offered,
                    };
                    events.push(revoked.to_log_data());
                }
                events.push(next_directory(chart));
                events
            }
            13 => {
                let (compartment, root) = (60 + dice.below(4) as u8, digest);
                chart.batches.insert(root, (party, now, compartment));
                let added = IRecords::BatchAdded {
                    chart: chart_id,
                    root,
                    author: party,
                    compartment,
                    codec: 0x71,
                    count: 1 + dice.below(1 << 31) as u32,
                };
                vec![added.to_log_data()]
            }
            _ => chart.call_record(chart_id, dice, now, party, digest),
        }
    }
}

impl ChartModel {
    /// One random call about one record, with its event; none where records would refuse it.
    fn call_record(&mut self, chart: B256, dice: &mut Dice, now: u64, author: Address, pointer: B256) -> Vec<LogData> {
        let record_id = id(100 + dice.below(6));
        let batch = self.batches.iter().nth(dice.below(3) as usize);
        let Some(record) = self.records.get_mut(&record_id) else {
            let (event, created_at, compartment) = match batch {
                Some((root, (author, created_at, compartment))) => {
                    let taken = IRecords::RecordTakenFromBatch {
                        chart,
                        recordId: record_id,
                        root: *root,
                        author: *author,
                        createdAt: *created_at,
                        compartment: *compartment,
                        codec: 0x71,
                        pointer,
                    };
                    (taken.to_log_data(), *created_at, *compartment)
                }
                None => {
                    let compartment = 60 + dice.below(4) as u8;
                    let added = IRecords::RecordAdded {
                        chart,
                        recordId: record_id,
                        author,
                        compartment,
                        codec: 0x71,
                        pointer,
                    };
                    (added.to_log_data(), now, compartment)
                }
            };
            let record = RecordModel {
                compartment,
                version: 1,
                pointer,
                created_at,
                first_created_at: created_at,
                status: record_status::CURRENT,
            };
            self.records.insert(record_id, record);
            return vec![event];
        };
        match record.status {
            record_status::CURRENT if dice.one_in(10) => {
                record.status = record_status::ENTERED_IN_ERROR;
                let entered = IRecords::RecordEnteredInError {
                    chart,
                    recordId: record_id,
                    by: author,
                };
                vec![entered.to_log_data()]
            }
            record_status::CURRENT | record_status::ENTERED_IN_ERROR if dice.one_in(12) => {
                record.status = record_status::SHREDDED;
                let shredded = IRecords::RecordShredded {
                    chart,
                    recordId: record_id,
                };
                vec![shredded.to_log_data()]
            }
            record_status::CURRENT => {
                record.version += 1;
                record.created_at = now;
                let amended = IRecords::RecordAmended {
                    chart,
                    recordId: record_id,
                    author,
                    version: record.version,
                    codec: 0x71,
                    pointer,
                    previous: std::mem::replace(&mut record.pointer, pointer),
                };
                vec![amended.to_log_data()]
            }
            _ => vec![],
        }
    }

    /// One random call to exceptions, with its event; `None` where exceptions would refuse it.
    fn call_exceptions(&mut self, chart: B256, dice: &mut Dice, now: u64, party: Address) -> Option<LogData> {
        let expiry = [0, now + 1 + dice.below(40)][dice.below(2) as usize];
        match dice.below(8) {
            0..3 => {
                let (record_id, _) = self.records.iter().nth(dice.below(6) as usize)?;
                let grantee = if dice.one_in(5) { Address::ZERO } else { party };
                let effect = [effect::NONE, effect::DENY, effect::ALLOW][dice.below(3) as usize];
                if effect == effect::ALLOW && grantee.is_zero() {
                    return None;
                }
                let says = effect != effect::NONE;
                let set = IExceptions::RuleSet {
                    chart,
                    recordId: *record_id,
                    grantee,
                    effect,
                    purposes: if says { dice.number() as u32 } else { 0 },
                    actions: if says { dice.number() as u8 } else { 0 },
                    expiry: if says { expiry } else { 0 },
                    directoryVersion: self.directory.0,
                };
                let event = set.to_log_data();
                if says {
                    self.rules.insert((*record_id, grantee), set);
                } else {
                    self.rules.remove(&(*record_id, grantee));
                }
                Some(event)
            }
            3 | 4 => {
                // By the controller, or by a delegate who may.
                let parent = if dice.one_in(3) {
                    self.controller
                } else {
                    who(1 + dice.below(6))
                };
                let (most, ends, depth, parent_serial) = if parent == self.controller {
                    (power::EVERY, 0, 1, 0)
                } else {
                    let powers = self.powers(parent, now);
                    let entry = self.delegates.get(&parent).filter(|_| powers & power::DELEGATE != 0)?;
                    (powers, entry.expiry, entry.depth + 1, entry.serial)
                };
                let held = self.delegates.get(&party);
                let of_another = self.powers(party, now) != 0
                    && parent != self.controller
                    && held.is_some_and(|held| held.parent != parent);
                if depth > 3 || party == self.controller || self.givers(parent).contains(&party) || of_another {
                    return None;
                }
                let powers = (dice.number() as u8 | power::DELEGATE) & most;
                let set = IExceptions::DelegateSet {
                    chart,
                    delegate: party,
                    parent,
                    serial: held.map_or(1, |held| held.serial + 1),
                    powers,
                    expiry: if ends == 0 { expiry } else { ends },
                    depth,
                    parentSerial: parent_serial,
                    controlEpoch: self.control_epoch,
                };
                let event = set.to_log_data();
                self.delegates.insert(party, set);
                Some(event)
            }
            5 if dice.one_in(3) => {
                let entry = self.delegates.get_mut(&party).filter(|entry| entry.powers != 0)?;
                entry.powers = 0;
                entry.serial += 1;
                let removed = IExceptions::DelegateRemoved {
                    chart,
                    delegate: party,
                    serial: entry.serial,
                    by: entry.parent,
                };
                Some(removed.to_log_data())
            }
            6 => {
                let allowed = !dice.one_in(3);
                self.emergency_access = (allowed, self.emergency_access.1 + 1, self.control_epoch);
                let set = IExceptions::EmergencyAccessSet {
                    chart,
                    allowed,
                    serial: self.emergency_access.1,
                    controlEpoch: self.control_epoch,
                };
                Some(set.to_log_data())
            }
            _ => {
                let (allowed, serial, control_epoch) = self.emergency_access;
                match self.emergencies.get_mut(&party) {
                    Some(open) if now < open.until => {
                        if !dice.one_in(4) {
                            return None;
                        }
                        open.until = 0;
                        let closed = IExceptions::EmergencyClosed {
                            chart,
                            party,
                            by: party,
                        };
                        Some(closed.to_log_data())
                    }
                    _ if allowed && control_epoch == self.control_epoch => {
                        let opened = IExceptions::EmergencyOpened {
                            chart,
                            party,
                            organisation: if dice.one_in(2) { Address::ZERO } else { who(1) },
                            compartments: dice.number(),
                            reasonCode: 1,
                            until: now + 20,
                            grantEpoch: self.epoch,
                            serial,
                        };
                        let event = opened.to_log_data();
                        self.emergencies.insert(party, opened);
                        Some(event)
                    }
                    _ => None,
                }
            }
        }
    }
}

/// The index answers as the contracts would: for any time, and in its lists for the present.
async fn answers_match(index: &Index, chain: &[Mined], dice: &mut Dice, seed: u64) -> BTreeSet<u8> {
    let mut reasons = BTreeSet::new();
    let (first, last) = (chain[0].block.time, &chain[chain.len() - 1]);
    for _ in 0..800 {
        let compartments = if dice.one_in(9) { 5 } else { 4 };
        let mut question = Question {
            chart: id(1 + dice.below(4)),
            grantee: who(1 + dice.below(7)),
            member: if dice.one_in(4) {
                who(1 + dice.below(6))
            } else {
                Address::ZERO
            },
            compartment: 60 + dice.below(compartments) as u8,
            recordId: if dice.one_in(2) {
                B256::ZERO
            } else {
                id(100 + dice.below(7))
            },
            purpose: match dice.below(9) {
                0 => 3,
                1..4 => purpose::ETREAT,
                _ => purpose::ALL[dice.below(7) as usize].1,
            },
            action: if dice.one_in(9) {
                0
            } else {
                action::ALL[dice.below(3) as usize].1
            },
        };
        let at = first - 5 + dice.below(last.block.time - first + 80);
        let then = chain
            .iter()
            .rev()
            .find(|mined| mined.block.time <= at)
            .unwrap_or(&chain[0]);
        // Often about what a rule speaks of.
        let charts = then.after.charts.iter();
        let rules = charts.flat_map(|(id, chart)| chart.rules.keys().map(move |key| (id, chart, key)));
        if let Some((id, chart, (record, grantee))) = rules.collect::<Vec<_>>().get(dice.below(40) as usize) {
            question.chart = **id;
            question.recordId = *record;
            question.compartment = chart.records[record].compartment;
            if !grantee.is_zero() {
                question.grantee = *grantee;
            }
        }
        let Decision { allowed, reason, block } = index.decide(&question, at).await.unwrap();
        assert_eq!(
            reason,
            then.after.decide(&question, at),
            "seed {seed}, at {at}: {question:?}"
        );
        assert_eq!(allowed, reason < 16);
        reasons.insert(reason);
        assert!(block.number <= then.block.number && (block.time <= at || block.number == 0));
        assert_eq!(block.hash, chain[block.number as usize].block.hash);
    }
    assert_eq!(index.head().await.unwrap().hash, last.block.hash);
    past_answers_match(index, chain, dice).await;
    totals_match(index, chain).await;
    let mut view = index.latest().await.unwrap();
    for (chart_id, model) in &last.after.charts {
        let chart = view.chart(*chart_id).await.unwrap().unwrap();
        assert_eq!(
            (
                (chart.controller, chart.control_epoch, chart.controlled_since),
                chart.grant_epoch,
                (chart.directory_version, chart.directory)
            ),
            (
                (model.controller, model.control_epoch, model.controlled_since),
                model.epoch,
                model.directory
            )
        );
        assert!(
            view.charts_of(model.controller, Page::default())
                .await
                .unwrap()
                .contains(&chart)
        );
        let standing: BTreeMap<_, _> = model.grants.iter().filter(|(_, g)| g.epoch == model.epoch).collect();
        let grants = view.grants(*chart_id, Page::default()).await.unwrap();
        assert_eq!(grants.len(), standing.len());
        for grant in &grants {
            let g = standing[&grant.grantee];
            assert_eq!(
                (
                    grant.compartments,
                    grant.purposes,
                    grant.actions,
                    grant.not_before,
                    grant.expiry,
                    grant.serial,
                    grant.keyring
                ),
                (
                    g.compartments,
                    g.purposes,
                    g.actions,
                    g.notBefore,
                    g.expiry,
                    g.serial,
                    g.keyring
                )
            );
            assert!(
                view.grants_to(grant.grantee, Page::default())
                    .await
                    .unwrap()
                    .contains(grant)
            );
        }
        // Compartments 61 and 63, page by page.
        let mask = 1 << 61 | 1 << 63;
        let mut listed = Vec::new();
        loop {
            let after = listed.last().map(|record: &crate::Record| record.position);
            let page = view.records(*chart_id, mask, Page { after, limit: 2 }).await.unwrap();
            listed.extend_from_slice(&page);
            if page.len() < 2 {
                break;
            }
        }
        let mut expected: Vec<_> = model
            .records
            .iter()
            .filter(|(_, record)| mask & (1 << record.compartment) != 0)
            .collect();
        expected.sort_by_key(|(id, _)| listed.iter().position(|r| r.record_id == **id));
        assert_eq!(listed.len(), expected.len());
        for (record, (id, expected)) in listed.iter().zip(expected) {
            let version = &expected.version;
            assert_eq!((record.record_id, record.compartment), (*id, expected.compartment));
            assert_eq!((record.version, record.pointer), (*version, expected.pointer));
            assert_eq!(
                (record.status, record.created_at),
                (expected.status, expected.created_at)
            );
            assert_eq!(record.block_hash, chain[record.block_number as usize].block.hash);
            let versions = view.versions(*chart_id, *id, 0).await.unwrap();
            assert_eq!(versions.len(), *version as usize);
            for pair in versions.windows(2) {
                assert_eq!(
                    (pair[1].version, pair[1].previous),
                    (pair[0].version + 1, pair[0].pointer)
                );
            }
            assert_eq!(versions.last(), Some(record));
            assert_eq!(
                view.record_version(*chart_id, *id, *version).await.unwrap().as_ref(),
                Some(record)
            );
        }
    }
    for account in (1..8).map(who) {
        // Some of the blocks that are the last of their second, since times are what is asked about; and a time to come.
        for (i, mined) in chain.iter().enumerate() {
            let time = mined.block.time;
            let superseded = chain.get(i + 1).is_some_and(|next| next.block.time == time);
            if superseded || !dice.one_in(8) {
                continue;
            }
            registry_answers_match(index, &mined.after, account, time).await;
        }
        registry_answers_match(index, &last.after, account, last.block.time + 20).await;
    }
    reasons
}

/// The same questions at once, at some blocks: what the contracts held then, and who could read.
async fn past_answers_match(index: &Index, chain: &[Mined], dice: &mut Dice) {
    let newest = chain.len() as u64 - 1;
    for _ in 0..6 {
        let then = &chain[dice.below(newest + 1) as usize];
        let (wanted, contracts) = (then.block, &then.after);
        let mut view = index.view(When::Block(wanted.number)).await.unwrap();
        // The newest kept block without a later event before `wanted`.
        let kept = view.block();
        assert_eq!(kept.hash, chain[kept.number as usize].block.hash);
        let question = Question {
            chart: id(1),
            grantee: who(1),
            member: Address::ZERO,
            compartment: 60,
            recordId: B256::ZERO,
            purpose: purpose::TREAT,
            action: action::READ,
        };
        if kept.number < wanted.number {
            let events = chain[kept.number as usize + 1..=wanted.number as usize].iter();
            assert!(events.flat_map(|mined| &mined.logs).next().is_none());
            let refused = view.decide(std::slice::from_ref(&question)).await;
            assert!(matches!(refused, Err(IndexError::TimeNotKept { .. })), "{refused:?}");
            continue;
        }
        let questions: Vec<_> = (0..90)
            .map(|_| Question {
                chart: id(1 + dice.below(4)),
                grantee: who(1 + dice.below(7)),
                compartment: 60 + dice.below(4) as u8,
                ..question.clone()
            })
            .collect();
        let answers = view.decide(&questions).await.unwrap();
        assert_eq!(answers.len(), questions.len());
        for (question, answer) in questions.iter().zip(answers) {
            assert_eq!(answer.reason, contracts.decide(question, wanted.time), "{question:?}");
            assert_eq!(answer.block, kept);
        }
        for (chart_id, chart) in &contracts.charts {
            let standing = chart.grants.iter().filter(|(_, grant)| grant.epoch == chart.epoch);
            let standing: BTreeMap<_, _> = standing.map(|(grantee, grant)| (*grantee, grant.keyring)).collect();
            let listed = view.grants(*chart_id, Page::default()).await.unwrap();
            assert!(listed.is_sorted_by_key(|grant| grant.position));
            let listed: BTreeMap<_, _> = listed.iter().map(|grant| (grant.grantee, grant.keyring)).collect();
            assert_eq!(listed, standing);
            let records = view.records(*chart_id, u64::MAX, Page::default()).await.unwrap();
            let records: BTreeMap<_, _> = records
                .iter()
                .map(|r| (r.record_id, (r.version, r.pointer, r.status)))
                .collect();
            let expected = chart.records.iter();
            let expected: BTreeMap<_, _> = expected
                .map(|(id, r)| (*id, (r.version, r.pointer, r.status)))
                .collect();
            assert_eq!(records, expected);
            let Some((record_id, record)) = chart.records.first_key_value() else {
                continue;
            };
            for purpose in [purpose::TREAT, purpose::ETREAT] {
                // Two at a time.
                let (mut readers, mut after) = (Vec::new(), Some(Address::ZERO));
                while let Some(from) = after {
                    let (page, next) = view.readers(*chart_id, *record_id, purpose, from, 2).await.unwrap();
                    readers.extend(page.into_iter().map(|reader| (reader.account, reader.reason)));
                    after = next;
                }
                let mut expected = Vec::new();
                for account in contracts.everybody() {
                    let question = Question {
                        chart: *chart_id,
                        grantee: account,
                        compartment: record.compartment,
                        recordId: *record_id,
                        purpose,
                        ..question.clone()
                    };
                    let reason = contracts.decide(&question, wanted.time);
                    if reason::is_allowed(reason) {
                        expected.push((account, reason));
                    }
                }
                assert_eq!(readers, expected, "block {}", wanted.number);
            }
        }
        for account in contracts.everybody() {
            let members: BTreeSet<_> = contracts
                .members
                .keys()
                .filter(|(of, _)| *of == account)
                .copied()
                .collect();
            let listed = view.members(account, Page::default()).await.unwrap();
            assert_eq!(
                listed
                    .iter()
                    .map(|m| (m.organisation, m.member))
                    .collect::<BTreeSet<_>>(),
                members
            );
            let of: BTreeSet<_> = contracts
                .members
                .keys()
                .filter(|(_, is)| *is == account)
                .copied()
                .collect();
            let listed = view.memberships(account, Page::default()).await.unwrap();
            assert_eq!(
                listed
                    .iter()
                    .map(|m| (m.organisation, m.member))
                    .collect::<BTreeSet<_>>(),
                of
            );
            let anchors = contracts.anchors.get(&account).cloned().unwrap_or_default();
            let listed = view.anchors(account, 0).await.unwrap();
            assert_eq!(listed.iter().map(|anchor| anchor.anchor).collect::<Vec<_>>(), anchors);
            for anchor in listed {
                let mut proved = contracts.equivocations.iter();
                let proved = proved.any(|(gateway, number, ..)| (*gateway, *number) == (account, anchor.number));
                assert_eq!(anchor.equivocated, proved);
            }
        }
    }
    let ahead = index.view(When::Block(newest + 1)).await;
    assert!(matches!(ahead, Err(IndexError::Ahead { .. })));
}

async fn totals_match(index: &Index, chain: &[Mined]) {
    let contracts = &chain[chain.len() - 1].after;
    let statistics = index.latest().await.unwrap().statistics().await.unwrap();
    let charts = || contracts.charts.values();
    let records = charts().flat_map(|chart| chart.records.values());
    let standing = charts().flat_map(|chart| chart.grants.values().filter(|grant| grant.epoch == chart.epoch));
    let events: usize = chain.iter().map(|mined| mined.logs.len()).sum();
    let issued = contracts
        .credentials
        .values()
        .filter(|held| held.status == status::ISSUED);
    let count = |n: usize| n as u64;
    assert_eq!(
        (
            statistics.events,
            statistics.charts,
            statistics.records,
            statistics.amendments
        ),
        (
            count(events),
            count(contracts.charts.len()),
            count(records.clone().count()),
            records.map(|record| u64::from(record.version) - 1).sum()
        )
    );
    let anchors = contracts.anchors.values().map(Vec::len).sum();
    assert_eq!(
        (statistics.grants, statistics.credentials, statistics.anchors),
        (count(standing.count()), count(issued.count()), count(anchors))
    );
}

/// What no query shows yet: the current rows are what the contracts hold.
async fn tables_match(database: &str, contracts: &Contracts) {
    let mut db = Db::open(database).await;
    let hex = match db {
        Db::Sqlite(_) => "hex",
        Db::Postgres(_) => "hex_of",
    };
    if let Db::Postgres(_) = db {
        let function =
            "CREATE FUNCTION pg_temp.hex_of(bytea) RETURNS text AS 'SELECT upper(encode($1, ''hex''))' LANGUAGE sql";
        db.texts(function).await;
    }
    let mut rows = async |sql: &'static str| {
        let sql = match hex {
            "hex" => sql.to_owned(),
            _ => sql.replace("hex(", "pg_temp.hex_of("),
        };
        let rows = db.texts(&sql).await;
        let (listed, rows) = (rows.len(), BTreeSet::from_iter(rows));
        assert_eq!(listed, rows.len(), "{sql}");
        rows
    };
    let mut expected = BTreeSet::new();
    for (id, chart) in &contracts.charts {
        if let Some(offered) = chart.offered {
            expected.insert(format!("{id:X} offered {offered:X}"));
        }
        for (root, (author, _, compartment)) in &chart.batches {
            expected.insert(format!("{id:X} batch {root:X} {author:X} {compartment}"));
        }
        for ((record, grantee), rule) in &chart.rules {
            expected.insert(format!("{id:X} rule {record:X} {grantee:X} {}", rule.effect));
        }
        for (delegate, entry) in chart.delegates.iter().filter(|(_, entry)| entry.powers != 0) {
            expected.insert(format!(
                "{id:X} delegate {delegate:X} {} {}",
                entry.serial, entry.powers
            ));
        }
        let (allowed, serial, _) = chart.emergency_access;
        if serial != 0 {
            expected.insert(format!("{id:X} access {} {serial}", u8::from(allowed)));
        }
        for (party, opened) in chart.emergencies.iter().filter(|(_, opened)| opened.until != 0) {
            expected.insert(format!("{id:X} emergency {party:X} {}", opened.until));
        }
    }
    let found = rows(
        "SELECT hex(chart) || ' offered ' || hex(offered_to) FROM control_offer WHERE valid_to = 9223372036854775807
         UNION ALL
         SELECT hex(chart) || ' batch ' || hex(root) || ' ' || hex(author) || ' ' || compartment FROM batch
         UNION ALL
         SELECT hex(chart) || ' rule ' || hex(record_id) || ' ' || hex(grantee) || ' ' || effect FROM rule
         WHERE valid_to = 9223372036854775807
         UNION ALL
         SELECT hex(chart) || ' delegate ' || hex(delegate) || ' ' || serial || ' ' || powers FROM delegate
         WHERE valid_to = 9223372036854775807
         UNION ALL
         SELECT hex(chart) || ' access ' || allowed || ' ' || serial FROM emergency_access
         WHERE valid_to = 9223372036854775807
         UNION ALL
         SELECT hex(chart) || ' emergency ' || hex(party) || ' ' || until FROM emergency
         WHERE valid_to = 9223372036854775807",
    )
    .await;
    assert_eq!(found, expected);

    let nonces = contracts.nonces.iter();
    let mut expected: BTreeSet<_> = nonces
        .map(|(signer, nonce)| format!("nonce {signer:X} {:X}", B256::from(*nonce)))
        .collect();
    for (gateway, anchors) in &contracts.anchors {
        for (index, anchor) in anchors.iter().enumerate() {
            expected.insert(format!("anchor {gateway:X} {index} {anchor:X}"));
        }
    }
    for (gateway, index, first, second) in &contracts.equivocations {
        expected.insert(format!("equivocation {gateway:X} {index} {first:X} {second:X}"));
    }
    let found = rows(
        "SELECT 'nonce ' || hex(signer) || ' ' || hex(nonce) FROM nonce WHERE valid_to = 9223372036854775807
         UNION ALL
         SELECT 'anchor ' || hex(gateway) || ' ' || number || ' ' || hex(anchor) FROM anchor
         UNION ALL
         SELECT 'equivocation ' || hex(gateway) || ' ' || number || ' ' || hex(first) || ' ' || hex(second)
         FROM equivocation",
    )
    .await;
    assert_eq!(found, expected);
}

async fn registry_answers_match(index: &Index, contracts: &Contracts, account: Address, at: u64) {
    let mut view = index.view(When::Time(at)).await.unwrap();
    let party = view.party(account).await.unwrap();
    let in_force = party.credential.as_ref().is_some_and(|held| held.is_current(at));
    assert_eq!(in_force, contracts.has_roles(account, 0, at), "{account} at {at}");
    let held = contracts.credentials.get(&account);
    assert_eq!(
        party
            .credential
            .map(|c| (c.issuer, c.roles, c.expiry, c.issued_at, c.status)),
        held.map(|c| (c.issuer, c.roles, c.expiry, c.issued_at, c.status))
    );
    assert_eq!(
        party.key.map(|k| (k.version, k.key, k.revoked_at)),
        contracts.keys.get(&account).cloned()
    );
    for member in (1..7).map(who) {
        for roles in [0, role::PROVIDER] {
            assert_eq!(
                view.may_act_for(account, member, roles).await.unwrap(),
                contracts.may_act_for(account, member, roles, at),
                "{member} for {account} at {at}"
            );
        }
    }
}

fn mine(chain: &mut Vec<Mined>, dice: &mut Dice) {
    let tip = &chain[chain.len() - 1];
    let (mut after, elapsed) = (tip.after.clone(), dice.below(3));
    let now = tip.block.time + elapsed;
    let calls = if dice.one_in(3) { 0 } else { dice.below(6) };
    let mut logs: Vec<_> = (0..calls).flat_map(|_| after.call(dice, now)).collect();
    // Dice of their own, so that the other contracts' histories lead where they led without them.
    let mut own = Dice(
        tip.block.hash.0[..8]
            .iter()
            .fold(0, |seed, byte| seed << 8 | u64::from(*byte)),
    );
    if own.one_in(2) {
        for _ in 0..=own.below(6) {
            let Contracts { charts, ledgers, .. } = &mut after;
            logs.extend(ledgers.call(charts, &mut own, now));
        }
    }
    push(chain, elapsed, logs);
    chain.last_mut().unwrap().after = after;
}

fn push(chain: &mut Vec<Mined>, elapsed: u64, logs: Vec<(Address, LogData)>) {
    let tip = &chain[chain.len() - 1];
    let block = Block {
        number: tip.block.number + 1,
        hash: keccak256(format!("{} {elapsed} {logs:?}", tip.block.hash)),
        parent: tip.block.hash,
        time: tip.block.time + elapsed,
    };
    let after = tip.after.clone();
    chain.push(Mined { block, logs, after });
}

/// Drops blocks from the end of the chain and takes them back from the store, as the pipeline would.
async fn reorg(store: &mut Store, chain: &mut Vec<Mined>, dice: &mut Dice) {
    let depth = if dice.one_in(5) {
        chain.len() as u64
    } else {
        1 + dice.below(6)
    };
    chain.truncate(chain.len().saturating_sub(depth as usize).max(1));
    // A block that no history had before, or the new one could equal the old.
    push(chain, dice.below(3), vec![]);
    chain.last_mut().unwrap().block.hash = id(dice.number());
    let mut number = chain.len() as u64 - 1;
    loop {
        let stored = store.block_at_or_below(number).await.unwrap();
        if chain[stored.number as usize].block == stored {
            return store.rollback(&stored).await.unwrap();
        }
        number = stored.number - 1;
    }
}

/// Commits what the store lacks, in random steps.
async fn catch_up(store: &mut Store, chain: &[Mined], dice: &mut Dice) {
    loop {
        let checkpoint = store.checkpoint().await.unwrap();
        let from = checkpoint.number as usize + 1;
        if from == chain.len() {
            return;
        }
        let to = (from + dice.below(7) as usize).min(chain.len() - 1);
        commit(store, checkpoint, &chain[from..=to]).await.unwrap();
    }
}

async fn commit(store: &mut Store, after: Block, mined: &[Mined]) -> Result<()> {
    store.commit(&batch(after, mined)?).await
}

fn batch(after: Block, mined: &[Mined]) -> Result<Batch> {
    let last = mined.last().unwrap().block;
    let blocks: Vec<_> = mined
        .iter()
        .filter(|m| !m.logs.is_empty() || m.block == last)
        .map(|m| m.block)
        .collect();
    let entries: Vec<_> = mined
        .iter()
        .flat_map(|m| {
            m.logs
                .iter()
                .zip(0..)
                .map(|((address, data), i)| log(*address, data.clone(), &m.block, i))
        })
        .map(|log| decode(&DEPLOYMENT, &log).unwrap())
        .collect();
    let rows = Rows::of(&blocks, &entries)?;
    Ok(Batch {
        after,
        blocks,
        entries,
        rows,
    })
}

fn log(address: Address, data: LogData, block: &Block, log_index: u64) -> Log {
    Log {
        inner: alloy::primitives::Log { address, data },
        block_hash: Some(block.hash),
        block_number: Some(block.number),
        transaction_hash: Some(keccak256(block.hash)),
        log_index: Some(log_index),
        ..Log::default()
    }
}

fn id(n: u64) -> B256 {
    keccak256(n.to_be_bytes())
}

fn who(n: u64) -> Address {
    Address::from_word(id(n))
}
