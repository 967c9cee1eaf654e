//! What the chain tells of: Medlock's everyday events, valid in their order and always the same.

use alloy::primitives::{Address, B256, IntoLogData, LogData, U256, keccak256};
use medlock_abi::{
    records::IRecords::{ChartOpened, Granted, RecordAdded, RecordAmended, Revoked},
    registry::IRegistry::KeyPublished,
    terms::{action, purpose, suite},
};

/// Which of the deployment's contracts logs an event: its place in [`super::chain::Chain::contracts`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    Registry = 0,
    Records = 1,
}

pub type Event = (Contract, LogData);

/// Events of each chart of a [`mix`].
const STORY: u64 = 50;
/// Charts that are written to in turns.
const AT_ONCE: u64 = 20;
/// Grants of each chart of a [`mix`]. The first is revoked at the end.
const GRANTS: u64 = 4;
const FIRST_GRANT: u64 = 2;
const FIRST_RECORD: u64 = FIRST_GRANT + GRANTS;
/// Each so many events of records, the one before is amended.
const AMENDED_EVERY: u64 = 6;
/// Practitioners, who are granted access to many charts.
const PRACTITIONERS: u64 = 10_000;
/// Grants of each chart of [`grants`].
pub const GRANTS_OF_A_CHART: u64 = 100;
/// Events of each chart of [`grants`].
pub const EVENTS_OF_GRANTS: u64 = GRANTS_OF_A_CHART + 1;
const CODEC: u8 = 0x71;
const COMPARTMENT: u8 = 1;

/// Event number `n` of everyday work: charts are opened with a key, granted, written to, amended, and a grant ends.
pub fn mix(n: u64) -> Event {
    let (group, within) = (n / (AT_ONCE * STORY), n % (AT_ONCE * STORY));
    let chart = group * AT_ONCE + within % AT_ONCE;
    story(chart, within / AT_ONCE)
}

/// Event number `n` of a chain that has little but grants.
pub fn grants(n: u64) -> Event {
    let (chart, step) = (n / EVENTS_OF_GRANTS, n % EVENTS_OF_GRANTS);
    match step.checked_sub(1) {
        None => opened(chart),
        Some(grant) => granted(chart, grantee(chart, grant)),
    }
}

/// Whom grant `number` of a chart of [`grants`] is for.
pub fn grantee(chart: u64, number: u64) -> Address {
    party("practitioner", (chart * GRANTS_OF_A_CHART + number) % PRACTITIONERS)
}

pub fn chart_id(chart: u64) -> B256 {
    id("chart", chart)
}

fn story(chart: u64, step: u64) -> Event {
    const LAST: u64 = STORY - 1;
    let whom = |number| party("practitioner", (chart * GRANTS + number) % PRACTITIONERS);
    match step {
        0 => {
            let published = KeyPublished {
                party: controller(chart),
                version: 1,
                suite: suite::X25519,
                key: id("key", chart).to_vec().into(),
            };
            (Contract::Registry, published.into_log_data())
        }
        1 => opened(chart),
        FIRST_GRANT..FIRST_RECORD => granted(chart, whom(step - FIRST_GRANT)),
        LAST => {
            let revoked = Revoked {
                chart: chart_id(chart),
                grantee: whom(0),
            };
            (Contract::Records, revoked.into_log_data())
        }
        _ => (Contract::Records, written(chart, step - FIRST_RECORD, whom(1))),
    }
}

/// Event number `number` of the chart's records.
fn written(chart: u64, number: u64, author: Address) -> LogData {
    let record = |number| chart * STORY + number;
    let version = |record, version: u64| id("pointer", record * 2 + version);
    if number % AMENDED_EVERY == AMENDED_EVERY - 1 {
        let record = record(number - 1);
        return RecordAmended {
            chart: chart_id(chart),
            recordId: id("record", record),
            author,
            version: 2,
            codec: CODEC,
            pointer: version(record, 1),
            previous: version(record, 0),
        }
        .into_log_data();
    }
    let record = record(number);
    RecordAdded {
        chart: chart_id(chart),
        recordId: id("record", record),
        author,
        compartment: COMPARTMENT,
        codec: CODEC,
        pointer: version(record, 0),
    }
    .into_log_data()
}

pub fn opened(chart: u64) -> Event {
    let opened = ChartOpened {
        chart: chart_id(chart),
        controller: controller(chart),
        directory: id("directory", chart),
    };
    (Contract::Records, opened.into_log_data())
}

pub fn granted(chart: u64, grantee: Address) -> Event {
    let granted = Granted {
        chart: chart_id(chart),
        grantee,
        serial: 1,
        since: 1,
        epoch: 1,
        compartments: 1 << COMPARTMENT,
        purposes: purpose::TREAT,
        actions: action::READ | action::WRITE,
        notBefore: 0,
        expiry: 0,
        keyring: id("keyring", chart),
    };
    (Contract::Records, granted.into_log_data())
}

/// What the grants of [`grants`] allow.
pub const GRANTED: (u8, u32, u8) = (COMPARTMENT, purpose::TREAT, action::READ);

fn controller(chart: u64) -> Address {
    party("patient", chart)
}

fn party(kind: &str, number: u64) -> Address {
    Address::from_word(id(kind, number))
}

/// Spread as real ids are: they are digests or random.
fn id(kind: &str, number: u64) -> B256 {
    keccak256([kind.as_bytes(), &U256::from(number).to_be_bytes::<32>()].concat())
}
