//! Events of the contracts, short to write.
use alloy::primitives::{Address, B256, IntoLogData, LogData, U256};
use medlock_abi::{
    records::IRecords,
    terms::{action, purpose},
};

pub fn opened(chart: B256, controller: Address) -> LogData {
    IRecords::ChartOpened {
        chart,
        controller,
        directory: id(1000),
    }
    .into_log_data()
}

pub fn added(chart: B256, record: u64, author: Address, compartment: u8) -> LogData {
    IRecords::RecordAdded {
        chart,
        recordId: id(record),
        author,
        compartment,
        codec: 0x71,
        pointer: id(record + 2000),
    }
    .into_log_data()
}

pub fn amended(chart: B256, record: u64, author: Address, version: u32) -> LogData {
    IRecords::RecordAmended {
        chart,
        recordId: id(record),
        author,
        version,
        codec: 0x71,
        pointer: id(record + 2000 + u64::from(version)),
        previous: id(record + 1999 + u64::from(version)),
    }
    .into_log_data()
}

pub fn granted(chart: B256, grantee: Address, compartments: u64) -> LogData {
    IRecords::Granted {
        chart,
        grantee,
        serial: 1,
        since: 1,
        epoch: 1,
        compartments,
        purposes: purpose::TREAT,
        actions: action::READ | action::WRITE,
        notBefore: 0,
        expiry: 0,
        keyring: id(3000),
    }
    .into_log_data()
}

pub fn id(n: u64) -> B256 {
    U256::from(n + 1).into()
}

pub fn who(n: u64) -> Address {
    Address::from_word(id(n))
}
