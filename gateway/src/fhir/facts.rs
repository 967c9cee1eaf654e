//! Facts for resources, out of the index and the log of reads.
use std::collections::HashMap;

use alloy::primitives::{Address, B256};
use medlock_abi::terms::{effect, reason};
use medlock_api::{Compartments, Kind, Problem, ReadEntry};
use medlock_fhir::facade::facts::{
    Effect, Grant, Granter, Kind as PartyKind, Party, Place, Previous, Read, Rule, Standing, Status, Terms, Version,
};
use medlock_indexer::{EmergencyAccess, GivenGrant, Page, Position, Record, View, WrittenVersion};

use crate::problem::{Failure, Result};

/// Rules in one Consent: as many as `CONSENT_BYTES_MAX` of the facade holds.
const RULES_MOST: usize = 500;
/// Rules that stand on one chart. Each takes a transaction of the controller's.
const CHART_RULES_MOST: usize = 10_000;

/// One state of the index, and what was looked up in it.
pub struct Facts {
    pub view: View,
    gateway: Address,
    kinds: HashMap<Address, PartyKind>,
    /// What a read's version is in the index.
    read: HashMap<(B256, B256, u32), Option<Record>>,
}

impl Facts {
    pub fn new(view: View, gateway: Address) -> Self {
        Self {
            view,
            gateway,
            kinds: HashMap::new(),
            read: HashMap::new(),
        }
    }

    async fn party(&mut self, account: Address) -> Result<Party> {
        let kind = match self.kinds.get(&account) {
            Some(kind) => *kind,
            None => {
                let kind = PartyKind::of_roles(self.view.roles(account).await?);
                self.kinds.insert(account, kind);
                kind
            }
        };
        Ok(Party {
            account: account.into(),
            kind,
        })
    }

    /// All rules that stand on `chart`.
    ///
    /// # Errors
    /// `PayloadTooLarge` beyond [`CHART_RULES_MOST`].
    pub async fn rules(&mut self, chart: B256) -> Result<Vec<medlock_indexer::Rule>> {
        let mut rules: Vec<medlock_indexer::Rule> = Vec::new();
        loop {
            let after = rules.last().map(|rule| rule.position);
            let page = self.view.rules(chart, Page { after, limit: 0 }).await?;
            if page.is_empty() {
                return Ok(rules);
            }
            rules.extend(page);
            if rules.len() > CHART_RULES_MOST {
                return Err(too_many(CHART_RULES_MOST));
            }
        }
    }

    /// `sees_all`: else only the rules about records that the grantee's own grant, or a rule that names them, reaches.
    ///
    /// # Errors
    /// `PayloadTooLarge` beyond [`RULES_MOST`]: left out, a denial would be none.
    pub async fn grant(&mut self, given: GivenGrant, rules: &[medlock_indexer::Rule], sees_all: bool) -> Result<Grant> {
        let GivenGrant {
            grant,
            since,
            delegate,
            ended_at,
        } = given;
        let rules: Vec<_> = if sees_all {
            concerning(grant.grantee, rules).cloned().collect()
        } else if ended_at.is_some() {
            // Nothing is left that they could be exceptions to.
            Vec::new()
        } else {
            within_reach(grant.grantee, grant.compartments, rules)
        };
        if rules.len() > RULES_MOST {
            return Err(too_many(RULES_MOST));
        }
        Ok(Grant {
            chart: grant.chart.0,
            grantee: self.party(grant.grantee).await?,
            terms: Terms {
                compartments: grant.compartments,
                purposes: grant.purposes,
                actions: grant.actions,
                not_before: grant.not_before,
                expiry: grant.expiry,
            },
            since,
            serial: grant.serial,
            epoch: grant.epoch,
            keyring: grant.keyring.0,
            place: place(grant.position),
            granted_at: grant.granted_at,
            granter: Some(delegate.map_or(Granter::Controller, |delegate| Granter::Delegate(delegate.into()))),
            ended_at,
            rules: rules.iter().filter_map(rule).collect(),
        })
    }

    pub async fn version(&mut self, written: &WrittenVersion) -> Result<Version> {
        let record = &written.record;
        let status = Status::of_number(record.status)
            .ok_or_else(|| anyhow::anyhow!("the index has a record of status {}", record.status))?;
        Ok(Version {
            chart: record.chart.0,
            record_id: record.record_id.0,
            version: record.version,
            latest: written.is_latest,
            compartment: record.compartment,
            status,
            author: self.party(record.author).await?,
            organisation: written.organisation.map(Into::into),
            pointer: record.pointer.0,
            previous: (record.version > 1).then(|| Previous {
                pointer: record.previous.0,
                place: written.previous_position.map(place),
            }),
            created_at: record.created_at,
            changed_at: written.changed_at,
            place: place(written.position()),
            tx: record.tx_hash.0,
        })
    }

    pub async fn read(&mut self, entry: &ReadEntry) -> Result<Read> {
        let receipt = &entry.receipt;
        let key = (receipt.chart, receipt.record_id, receipt.version);
        let record = match self.read.get(&key) {
            Some(record) => record.clone(),
            None => {
                let record = self.view.record_version(key.0, key.1, key.2).await?;
                self.read.insert(key, record.clone());
                record
            }
        };
        // A reorganisation can put another version in the place of the one that was read.
        let record = record.filter(|record| record.pointer == receipt.pointer);
        let organisation = Some(receipt.organisation).filter(|account| !account.is_zero());
        let grant_place = match entry.reason_code {
            reason::GRANT => {
                let grantee = organisation.unwrap_or(receipt.reader);
                self.view
                    .granted_then(receipt.chart, grantee, entry.block)
                    .await?
                    .map(place)
            }
            _ => None,
        };
        Ok(Read {
            gateway: self.gateway.into(),
            sequence: entry.sequence,
            chart: receipt.chart.0,
            record_id: receipt.record_id.0,
            version: receipt.version,
            pointer: receipt.pointer.0,
            reader: self.party(receipt.reader).await?,
            organisation: organisation.map(Into::into),
            purpose: receipt.purpose.bit(),
            read_at: receipt.read_at,
            received_at: entry.received_at,
            reason: entry.reason_code,
            block: entry.block,
            block_hash: entry.block_hash.0,
            hash: entry.hash.0,
            version_place: record.as_ref().map(|record| Place {
                block: record.block_number,
                log: record.log_index,
            }),
            compartment: record.map(|record| record.compartment),
            grant_place,
        })
    }
}

/// # Errors
/// `PayloadTooLarge` beyond [`RULES_MOST`].
pub fn standing(access: &EmergencyAccess, rules: &[medlock_indexer::Rule]) -> Result<Standing> {
    let denied = |rule: &&medlock_indexer::Rule| rule.grantee.is_zero() && rule.effect == effect::DENY;
    let denied: Vec<_> = rules.iter().filter(denied).filter_map(rule).collect();
    if denied.len() > RULES_MOST {
        return Err(too_many(RULES_MOST));
    }
    Ok(Standing {
        chart: access.chart.0,
        emergency_access: access.allowed,
        place: place(access.position),
        set_at: access.set_at,
        denied,
    })
}

/// Those that name the grantee, or everybody.
fn concerning(grantee: Address, rules: &[medlock_indexer::Rule]) -> impl Iterator<Item = &medlock_indexer::Rule> {
    rules
        .iter()
        .filter(move |rule| rule.grantee == grantee || rule.grantee.is_zero())
}

/// Those of them that the grantee may know of: who may not use a compartment learns of no record in it.
fn within_reach(grantee: Address, compartments: u64, rules: &[medlock_indexer::Rule]) -> Vec<medlock_indexer::Rule> {
    let reached = |record: B256| {
        concerning(grantee, rules)
            .any(|rule| rule.record_id == record && rule.grantee == grantee && rule.effect == effect::ALLOW)
    };
    let granted = |rule: &medlock_indexer::Rule| {
        rule.compartment
            .is_some_and(|compartment| Compartments(compartments).contains(compartment))
    };
    concerning(grantee, rules)
        .filter(|rule| granted(rule) || reached(rule.record_id))
        .cloned()
        .collect()
}

fn rule(rule: &medlock_indexer::Rule) -> Option<Rule> {
    let effect = match rule.effect {
        effect::ALLOW => Effect::Allow,
        effect::DENY => Effect::Deny,
        _ => return None,
    };
    Some(Rule {
        record_id: rule.record_id.0,
        names_grantee: !rule.grantee.is_zero(),
        effect,
        purposes: rule.purposes,
        actions: rule.actions,
        expiry: rule.expiry,
        directory_version: rule.directory_version,
    })
}

fn place(position: Position) -> Place {
    Place {
        block: position.block_number,
        log: position.log_index,
    }
}

fn too_many(most: usize) -> Failure {
    Problem::new(Kind::PayloadTooLarge)
        .detail(format!(
            "more than {most} rules for single records concern this; ask POST /v1/decisions instead"
        ))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLINIC: Address = Address::repeat_byte(1);

    fn about(record: u8, grantee: Address, effect: u8, compartment: Option<u8>) -> medlock_indexer::Rule {
        medlock_indexer::Rule {
            record_id: B256::repeat_byte(record),
            grantee,
            effect,
            purposes: 1,
            actions: 1,
            expiry: 0,
            directory_version: 1,
            compartment,
            position: Position {
                block_number: 1,
                log_index: record.into(),
            },
        }
    }

    #[test]
    fn a_grantee_learns_of_rules_within_reach_and_of_no_others() {
        let everybody = Address::ZERO;
        let rules = [
            about(1, everybody, effect::DENY, Some(3)),
            about(2, everybody, effect::DENY, Some(4)),
            about(3, CLINIC, effect::ALLOW, Some(4)),
            about(3, everybody, effect::DENY, Some(4)),
            about(4, CLINIC, effect::DENY, Some(4)),
            about(5, Address::repeat_byte(2), effect::ALLOW, Some(3)),
            about(6, everybody, effect::DENY, None),
        ];
        let seen: Vec<_> = within_reach(CLINIC, 1 << 3, &rules)
            .into_iter()
            .map(|rule| (rule.record_id[0], rule.effect))
            .collect();
        assert_eq!(seen, [(1, effect::DENY), (3, effect::ALLOW), (3, effect::DENY)]);
        assert_eq!(concerning(CLINIC, &rules).count(), 6);
    }
}
