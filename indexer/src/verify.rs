//! The tables against the contracts' storage, at one block: every row, and every difference by name.
//!
//! What stands in no contract's storage is not compared: keyrings, documents of the ledgers' steps, all versions of a record but its last,
//! and what ended before the block. A thing that the index has never heard of cannot be asked about.
mod ledgers;

use crate::{
    Deployment, Endpoints,
    db::{Database, Pool, Row, own},
    index::{Head, View, When, address, b256, bits, bytes, flag, number, valid},
    tables::{Table, Value, end_of, is_number},
};
use alloy::{
    network::{Ethereum, TransactionBuilder},
    primitives::{Address, B256, U256, keccak256},
    providers::{Provider, RootProvider},
    rpc::types::{BlockId, TransactionRequest},
    sol_types::SolCall,
};
use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use medlock_abi::{
    audit::IAudit, exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay, terms::record_status,
};
use std::time::Duration;
use tokio::time::timeout;

/// Keys that are read from the tables, and asked about, before the next.
const KEYS_AT_ONCE: u32 = 256;
/// Questions to the node at once.
const PARALLEL: usize = 16;
/// A node that has not answered by then is not asked again.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// One value that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub table: &'static str,
    /// The key's columns, in hex or decimal.
    pub key: String,
    pub column: &'static str,
    pub in_index: String,
    pub on_chain: String,
}

/// What was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    pub block: Head,
    /// Things that were looked at: charts, records, grants and so on.
    pub things: u64,
    pub differences: u64,
}

/// Compares `database` with the contracts' storage at the end of a block, and gives each difference to `differs`.
///
/// `block`: by number; the newest indexed one where it is `None`. The node must still hold that block's state. Fails where node
/// or database do not answer, and where the node's chain has another block in its place: that is the indexer's to mend.
pub async fn verify(
    database: &Database,
    endpoints: &Endpoints,
    deployment: Deployment,
    block: Option<u64>,
    mut differs: impl FnMut(Difference),
) -> Result<Verified> {
    let url = endpoints.urls.iter().find(|url| url.starts_with("http"));
    let url = url.context("verifying asks over HTTP: name an http(s):// endpoint")?;
    let provider = RootProvider::new_http(url.parse().context("the endpoint's URL cannot be read")?);
    let pool = Pool::open(database).await?;
    let view = View::open(pool.reading().await?, block.map_or(When::Latest, When::Block)).await?;
    let block = view.block();
    drop(view);
    let chain = Chain {
        provider,
        deployment,
        block,
        pool: pool.clone(),
    };
    chain.check().await?;
    let mut verified = Verified {
        block,
        things: 0,
        differences: 0,
    };
    for subject in SUBJECTS {
        let mut after: Option<Vec<Value>> = None;
        loop {
            let rows = subject.rows(&pool, block, after.as_deref()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(key_of(subject.table, last)?);
            let compared = stream::iter(&rows)
                .map(|row| chain.compare(subject.table, row))
                .buffered(PARALLEL);
            let compared: Vec<Vec<Difference>> = compared.try_collect().await?;
            verified.things += rows.len() as u64;
            for difference in compared.into_iter().flatten() {
                verified.differences += 1;
                differs(difference);
            }
        }
    }
    // A reorg in the middle would have been compared with the wrong rows.
    chain.check().await?;
    let again = View::open(pool.reading().await?, When::Block(block.number)).await?;
    ensure!(
        again.block().hash == block.hash,
        "the index left block {} while it was compared: try again",
        block.number
    );
    drop(again);
    pool.close().await;
    Ok(verified)
}

/// A table to go through: its keys, and what else is needed of each.
struct Subject {
    table: Table,
    /// Columns and joins beside the table's own row `t`, at block $1; keys are `k`.
    more: &'static str,
    joins: &'static str,
}

const SUBJECTS: [Subject; 29] = [
    Subject {
        table: Table::Chart,
        more: ", e.epoch, d.version, d.digest",
        joins: concat!(
            " LEFT JOIN grant_epoch AS e ON e.chart = k.chart AND ",
            valid!(then, "e"),
            " LEFT JOIN directory AS d ON d.chart = k.chart AND ",
            valid!(then, "d")
        ),
    },
    Subject::plain(Table::ControlOffer),
    Subject {
        table: Table::Record,
        more: ", coalesce(v.version, 1) AS v_version, coalesce(v.author, t.author) AS v_author,
            coalesce(v.codec, t.codec) AS v_codec, coalesce(v.pointer, t.pointer) AS v_pointer,
            coalesce(v.created_at, t.created_at) AS v_created_at, s.status",
        joins: concat!(
            " LEFT JOIN record_version AS v ON v.chart = k.chart AND v.record_id = k.record_id AND ",
            valid!(then, "v"),
            " LEFT JOIN record_status AS s ON s.chart = k.chart AND s.record_id = k.record_id AND ",
            valid!(then, "s")
        ),
    },
    Subject::plain(Table::Batch),
    Subject::plain(Table::Grant),
    Subject::plain(Table::Rule),
    Subject::plain(Table::Delegate),
    Subject::plain(Table::EmergencyAccess),
    Subject::plain(Table::Emergency),
    Subject::plain(Table::Issuer),
    Subject {
        table: Table::Credential,
        more: ", s.status",
        joins: concat!(
            " LEFT JOIN credential_status AS s ON s.party = k.party AND ",
            valid!(then, "s")
        ),
    },
    Subject::plain(Table::Member),
    Subject {
        table: Table::PartyKey,
        more: ", r.version AS revoked",
        joins: " LEFT JOIN key_revocation AS r ON r.party = k.party AND r.version = t.version AND r.valid_from < $1",
    },
    Subject::plain(Table::Nonce),
    Subject::plain(Table::Anchor),
    Subject::plain(Table::Claim),
    Subject::plain(Table::InsurerSetting),
    Subject::plain(Table::CurrencySetting),
    Subject::plain(Table::DrugBatch),
    Subject::plain(Table::Unit),
    Subject::plain(Table::UnitOffer),
    Subject::plain(Table::Shipment),
    Subject::plain(Table::Recall),
    Subject::plain(Table::Dispensing),
    Subject::plain(Table::Trial),
    Subject::plain(Table::TrialVersion),
    Subject::plain(Table::Site),
    Subject::plain(Table::Consent),
    Subject::plain(Table::DataBatch),
];

impl Subject {
    const fn plain(table: Table) -> Self {
        Self {
            table,
            more: "",
            joins: "",
        }
    }

    /// The next keys after `after`, each with its row at the block; NULLs where it has none.
    async fn rows(&self, pool: &Pool, block: Head, after: Option<&[Value]>) -> Result<Vec<Row>> {
        let (name, key) = (self.table.name(), self.table.key());
        let keys = key.join(", ");
        let mut args = vec![Value::from(end_of(block.number)), Value::from(KEYS_AT_ONCE)];
        let mut from = String::new();
        if let Some(after) = after {
            let places: Vec<_> = (0..after.len()).map(|n| format!("${}", n + 3)).collect();
            from = format!(" AND ({keys}) > ({})", places.join(", "));
            args.extend_from_slice(after);
        }
        let on: Vec<_> = key.iter().map(|column| format!("t.{column} = k.{column}")).collect();
        let of = |alias: &str, columns: &[&str]| {
            let columns: Vec<_> = columns.iter().map(|column| format!("{alias}.{column}")).collect();
            columns.join(", ")
        };
        let valid = if self.table.ends() {
            valid!(then, "t")
        } else {
            "t.valid_from < $1"
        };
        let values = self.table.values();
        let comma = if values.is_empty() { "" } else { ", " };
        let sql = format!(
            "SELECT {}{comma}{}, t.valid_from{}
             FROM (SELECT DISTINCT {keys} FROM {name} WHERE valid_from < $1{from} ORDER BY {keys} LIMIT $2) AS k
             LEFT JOIN {name} AS t ON {} AND {valid}{} ORDER BY {}",
            of("k", key),
            of("t", values),
            self.more,
            on.join(" AND "),
            self.joins,
            of("k", key)
        );
        let rows = pool.fetch(own(sql), &args).await;
        rows.with_context(|| format!("read {name}"))
    }
}

/// The columns of a row's key.
fn key_of(table: Table, row: &Row) -> Result<Vec<Value>> {
    let value = |column: &&'static str| -> Result<Value> {
        if is_number(column) {
            return Ok(Value::Int(row.int(column)?.context("a key without a number")?));
        }
        let bytes = row.bytes(column)?.context("a key that is not there")?;
        Ok(match bytes.len() {
            20 => Value::from(Address::from_slice(bytes)),
            32 => Value::from(B256::from_slice(bytes)),
            other => bail!("a key of {other} bytes in {}", table.name()),
        })
    };
    table.key().iter().map(value).collect()
}

struct Chain {
    provider: RootProvider<Ethereum>,
    deployment: Deployment,
    block: Head,
    pool: Pool,
}

impl Chain {
    /// That the node's chain holds the block.
    async fn check(&self) -> Result<()> {
        let Head { number, hash, .. } = self.block;
        let found = timeout(CALL_TIMEOUT, self.provider.get_block_by_number(number.into())).await;
        let found = found
            .context("the node did not answer in time")?
            .context("ask for the block")?;
        let found = found.map(|block| block.header.hash);
        ensure!(
            found == Some(hash),
            "the index has {hash} for block {number}, the node's chain has {}: let the indexer follow it first",
            found.map_or("none".into(), |hash| hash.to_string())
        );
        Ok(())
    }

    async fn call<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let call = self.provider.call(request).block(BlockId::from(self.block.hash));
        let answer = timeout(CALL_TIMEOUT, async { call.await }).await;
        let answer = answer.with_context(|| format!("{}: the node did not answer in time", C::SIGNATURE))?;
        let answer = answer.with_context(|| format!("{} at block {}", C::SIGNATURE, self.block.number))?;
        C::abi_decode_returns(&answer).with_context(|| format!("the answer to {}", C::SIGNATURE))
    }

    /// One thing of `table`, as `row` has it, against the contract.
    async fn compare(&self, table: Table, row: &Row) -> Result<Vec<Difference>> {
        let key = key_of(table, row)?;
        let mut compared = Compared {
            table,
            key: &key,
            differences: Vec::new(),
        };
        let there = row.int("valid_from")?.is_some();
        let Deployment {
            registry,
            records,
            exceptions,
            relay,
            audit,
            ..
        } = self.deployment;
        macro_rules! same {
            ($($column:literal: $indexed:expr, $on_chain:expr;)+) => {
                $(compared.same($column, &$indexed, &$on_chain);)+
            };
        }
        match table {
            Table::Chart => {
                let chart = b256(row, "chart")?;
                let found = self.call(records, IRecords::chartOfCall { chart }).await?;
                same! {
                    "controller": address(row, "controller")?, found.controller;
                    "control_epoch": number::<u32>(row, "control_epoch")?, found.controlEpoch;
                    "grant_epoch.epoch": number::<u32>(row, "epoch")?, found.grantEpoch;
                    "directory.version": number::<u32>(row, "version")?, found.directoryVersion;
                    "directory.digest": b256(row, "digest")?, found.directory;
                }
            }
            Table::ControlOffer => {
                let chart = b256(row, "chart")?;
                let found = self.call(records, IRecords::offeredToCall { chart }).await?;
                let indexed = if there {
                    address(row, "offered_to")?
                } else {
                    Address::ZERO
                };
                same! { "offered_to": indexed, found; }
            }
            Table::Record => {
                let (chart, record_id) = (b256(row, "chart")?, b256(row, "record_id")?);
                let call = IRecords::recordOfCall {
                    chart,
                    recordId: record_id,
                };
                let found = self.call(records, call).await?;
                let status = crate::index::status(row)?;
                // A tombstone has none.
                let pointer = match status {
                    record_status::SHREDDED => B256::ZERO,
                    _ => b256(row, "v_pointer")?,
                };
                same! {
                    "author": address(row, "v_author")?, found.author;
                    "created_at": number::<u64>(row, "v_created_at")?, found.createdAt;
                    "version": number::<u32>(row, "v_version")?, found.version;
                    "compartment": number::<u8>(row, "compartment")?, found.compartment;
                    "status": status, found.status;
                    "codec": number::<u8>(row, "v_codec")?, found.codec;
                    "pointer": pointer, found.pointer;
                }
            }
            Table::Batch => {
                let (chart, root) = (b256(row, "chart")?, b256(row, "root")?);
                let found = self.call(records, IRecords::batchOfCall { chart, root }).await?;
                same! {
                    "author": address(row, "author")?, found.author;
                    "compartment": number::<u8>(row, "compartment")?, found.compartment;
                    "codec": number::<u8>(row, "codec")?, found.codec;
                    "leaves": number::<u32>(row, "leaves")?, found.count;
                }
            }
            Table::Grant => {
                let (chart, grantee) = (b256(row, "chart")?, address(row, "grantee")?);
                let found = self.call(records, IRecords::grantOfCall { chart, grantee }).await?;
                if there {
                    same! {
                        "epoch": number::<u32>(row, "epoch")?, found.epoch;
                        "since": number::<u32>(row, "since")?, found.since;
                        "serial": number::<u8>(row, "serial")?, found.serial;
                        "compartments": bits(row, "compartments")?, found.terms.compartments;
                        "purposes": number::<u32>(row, "purposes")?, found.terms.purposes;
                        "actions": number::<u8>(row, "actions")?, found.terms.actions;
                        "not_before": number::<u64>(row, "not_before")?, found.terms.notBefore;
                        "expiry": number::<u64>(row, "expiry")?, found.terms.expiry;
                    }
                } else {
                    same! { "epoch": 0, found.epoch; }
                }
            }
            Table::Rule => {
                let call = IExceptions::ruleOfCall {
                    chart: b256(row, "chart")?,
                    recordId: b256(row, "record_id")?,
                    grantee: address(row, "grantee")?,
                };
                let found = self.call(exceptions, call).await?;
                if there {
                    same! {
                        "effect": number::<u8>(row, "effect")?, found.effect;
                        "purposes": number::<u32>(row, "purposes")?, found.purposes;
                        "actions": number::<u8>(row, "actions")?, found.actions;
                        "expiry": number::<u64>(row, "expiry")?, found.expiry;
                        "directory_version": number::<u32>(row, "directory_version")?, found.directoryVersion;
                    }
                } else {
                    same! { "effect": 0, found.effect; }
                }
            }
            Table::Delegate => {
                let (chart, delegate) = (b256(row, "chart")?, address(row, "delegate")?);
                let found = self
                    .call(exceptions, IExceptions::delegateOfCall { chart, delegate })
                    .await?;
                if there {
                    same! {
                        "parent": address(row, "parent")?, found.parent;
                        "serial": number::<u32>(row, "serial")?, found.serial;
                        "powers": number::<u8>(row, "powers")?, found.powers;
                        "expiry": number::<u64>(row, "expiry")?, found.expiry;
                        "depth": number::<u8>(row, "depth")?, found.depth;
                        "parent_serial": number::<u32>(row, "parent_serial")?, found.parentSerial;
                        "control_epoch": number::<u32>(row, "control_epoch")?, found.controlEpoch;
                    }
                } else {
                    same! { "powers": 0, found.powers; }
                }
            }
            Table::EmergencyAccess => {
                let chart = b256(row, "chart")?;
                let found = self
                    .call(exceptions, IExceptions::emergencyAccessOfCall { chart })
                    .await?;
                same! {
                    "allowed": flag(row, "allowed")?, found.allowed;
                    "serial": number::<u32>(row, "serial")?, found.serial;
                    "control_epoch": number::<u32>(row, "control_epoch")?, found.controlEpoch;
                }
            }
            Table::Emergency => {
                let (chart, party) = (b256(row, "chart")?, address(row, "party")?);
                let found = self
                    .call(exceptions, IExceptions::emergencyOfCall { chart, party })
                    .await?;
                if there {
                    same! {
                        "compartments": bits(row, "compartments")?, found.compartments;
                        "until": number::<u64>(row, "until")?, found.until;
                        "grant_epoch": number::<u32>(row, "grant_epoch")?, found.grantEpoch;
                        "serial": number::<u32>(row, "serial")?, found.serial;
                    }
                } else {
                    // The contract keeps one that was closed, until then.
                    same! { "open": false, found.until > self.block.time; }
                }
            }
            Table::Issuer => {
                let issuer = address(row, "issuer")?;
                let found = self.call(registry, IRegistry::issuerOfCall { issuer }).await?;
                same! { "active": there, found.active; }
                if there {
                    same! {
                        "number": number::<u32>(row, "number")?, found.number;
                        "epoch": number::<u32>(row, "epoch")?, found.epoch;
                    }
                }
            }
            Table::Credential => {
                let party = address(row, "party")?;
                let found = self.call(registry, IRegistry::credentialOfCall { party }).await?;
                same! {
                    "issuer": address(row, "issuer")?, found.issuer;
                    "roles": bits(row, "roles")?, found.roles;
                    "expiry": number::<u64>(row, "expiry")?, found.expiry;
                    "document": b256(row, "document")?, found.document;
                    "credential_status.status": number::<u8>(row, "status")?, found.status;
                }
            }
            Table::Member => {
                let (organisation, member) = (address(row, "organisation")?, address(row, "member")?);
                let found = self
                    .call(registry, IRegistry::memberOfCall { organisation, member })
                    .await?;
                same! { "member": there, found.since != 0 && found.endedAt == 0; }
                if there {
                    same! { "expiry": number::<u64>(row, "expiry")?, found.expiry; }
                }
            }
            Table::PartyKey => {
                let party = address(row, "party")?;
                let found = self.call(registry, IRegistry::keyOfCall { party }).await?;
                same! {
                    "version": number::<u32>(row, "version")?, found.version;
                    "suite": number::<u16>(row, "suite")?, found.suite;
                    "key (keccak)": keccak256(bytes(row, "key")?), found.digest;
                    "key_revocation": row.int("revoked")?.is_some(), found.revokedAt != 0;
                }
            }
            Table::Nonce => {
                let signer = address(row, "signer")?;
                let found = self.call(relay, IRelay::nonceOfCall { signer }).await?;
                same! { "nonce": U256::from_be_bytes(b256(row, "nonce")?.0), found; }
            }
            Table::Anchor => {
                let (gateway, index) = (address(row, "gateway")?, number(row, "number")?);
                let found = self.call(audit, IAudit::anchorOfCall { gateway, index }).await?;
                same! { "anchor": b256(row, "anchor")?, found; }
            }
            _ => self.compare_ledgers(row, &mut compared).await?,
        }
        Ok(compared.differences)
    }
}

/// The differences of one thing.
struct Compared<'a> {
    table: Table,
    key: &'a [Value],
    differences: Vec<Difference>,
}

impl Compared<'_> {
    fn same<T: PartialEq + std::fmt::Display>(&mut self, column: &'static str, in_index: &T, on_chain: &T) {
        if in_index == on_chain {
            return;
        }
        let key = self.table.key().iter().zip(self.key);
        let key: Vec<_> = key
            .map(|(column, value)| match value {
                Value::Int(number) => format!("{column} {number}"),
                Value::Word(word) => format!("{column} {word}"),
                Value::Account(account) => format!("{column} {account}"),
                other => format!("{column} {other:?}"),
            })
            .collect();
        self.differences.push(Difference {
            table: self.table.name(),
            key: key.join(", "),
            column,
            in_index: in_index.to_string(),
            on_chain: on_chain.to_string(),
        });
    }
}

/// A difference in one line.
impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            table,
            key,
            column,
            in_index,
            on_chain,
        } = self;
        write!(
            f,
            "{table} ({key}): {column} is {in_index} in the index, {on_chain} on chain"
        )
    }
}
