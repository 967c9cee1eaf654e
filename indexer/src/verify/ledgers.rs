//! Claims, supply and trials: what the queries answer against what the contracts do.
//!
//! The contracts keep sums where the tables keep what they are of, so a thing is asked for as any reader would ask.
use super::{Chain, Compared};
use crate::{
    db::Row,
    index::{View, When, address, b256, flag, number},
    tables::Table,
};
use alloy::primitives::Address;
use anyhow::{Context, Result, bail};
use medlock_abi::{claims::IClaims, supply::ISupply, terms::shipment, trials::ITrials};

/// Told of where a key of a table has no thing: the tables contradict each other.
const NOT_FOUND: &str = "a row of the index that its own queries do not find";

macro_rules! same {
    ($compared:ident, $($column:literal: $indexed:expr, $on_chain:expr;)+) => {
        $($compared.same($column, &$indexed, &$on_chain);)+
    };
}

impl Chain {
    /// At the block.
    async fn view(&self) -> Result<View> {
        Ok(View::open(self.pool.reading().await?, When::Block(self.block.number)).await?)
    }

    pub(super) async fn compare_ledgers(&self, row: &Row, compared: &mut Compared<'_>) -> Result<()> {
        match compared.table {
            Table::Claim | Table::InsurerSetting | Table::CurrencySetting => self.compare_claims(row, compared).await,
            Table::DrugBatch | Table::Unit | Table::UnitOffer | Table::Shipment | Table::Recall | Table::Dispensing => {
                self.compare_supply(row, compared).await
            }
            Table::Trial | Table::TrialVersion | Table::Site | Table::Consent | Table::DataBatch => {
                self.compare_trials(row, compared).await
            }
            other => bail!("{} is not compared", other.name()),
        }
    }

    async fn compare_claims(&self, row: &Row, compared: &mut Compared<'_>) -> Result<()> {
        let claims = self.deployment.claims;
        match compared.table {
            Table::Claim => {
                let claim = b256(row, "claim")?;
                let mut view = self.view().await?;
                let indexed = view.claim(claim).await?.context(NOT_FOUND)?;
                let found = self.call(claims, IClaims::claimOfCall { claim }).await?;
                same! { compared,
                    "provider": indexed.provider, found.provider;
                    "insurer": indexed.insurer, found.insurer;
                    "claim_step.state": indexed.state, found.state;
                    "claim_step.serial": indexed.serial, found.serial;
                    "currency": indexed.currency, found.currency;
                    "currency_version": indexed.currency_version, found.currencyVersion;
                    "submitted at": indexed.submitted_at, found.submittedAt;
                    "claim_step.deadline": indexed.deadline, found.deadline;
                    "rounds": indexed.rounds, found.rounds;
                    "appeals": indexed.appeals, found.appeals;
                    "claim_step.reason_code": indexed.reason_code, found.reasonCode;
                    "claim_step.amount": indexed.amount, found.amount;
                }
                let namespace = if indexed.shared { Address::ZERO } else { indexed.insurer };
                let (provider, fingerprint) = (indexed.provider, indexed.fingerprint);
                let last = view.last_claim_of_service(namespace, provider, fingerprint).await?;
                let call = IClaims::serviceOfCall {
                    namespace,
                    provider,
                    fingerprint,
                };
                let found = self.call(claims, call).await?;
                same! { compared, "the service's last claim": last.unwrap_or_default(), found.claim; }
            }
            Table::InsurerSetting => {
                let insurer = address(row, "insurer")?;
                let found = self.call(claims, IClaims::insurerOfCall { insurer }).await?;
                same! { compared,
                    "serial": number::<u32>(row, "serial")?, found.serial;
                    "shared": flag(row, "shared")?, found.shared;
                }
            }
            _ => {
                let (insurer, currency) = (address(row, "insurer")?, number(row, "currency")?);
                let version: u32 = number(row, "version")?;
                let call = IClaims::tokenOfCall {
                    insurer,
                    currency,
                    version,
                };
                let found = self.call(claims, call).await?;
                same! { compared,
                    "token": address(row, "token")?, found.token;
                    "scale": number::<u8>(row, "scale")?, found.scale;
                }
                let latest = self.call(claims, IClaims::currencyOfCall { insurer, currency }).await?;
                // The contract keeps of the latest alone whether it is accepted.
                if version >= latest.version {
                    same! { compared,
                        "version": version, latest.version;
                        "accepted": flag(row, "accepted")?, latest.accepted;
                    }
                }
            }
        }
        Ok(())
    }

    async fn compare_supply(&self, row: &Row, compared: &mut Compared<'_>) -> Result<()> {
        let supply = self.deployment.supply;
        match compared.table {
            Table::DrugBatch => {
                let batch = b256(row, "batch")?;
                let indexed = self.view().await?.drug_batch(batch).await?.context(NOT_FOUND)?;
                let found = self.call(supply, ISupply::batchOfCall { batch }).await?;
                same! { compared,
                    "maker": indexed.maker, found.maker;
                    "gtin": indexed.gtin, found.gtin;
                    "registered at": indexed.registered_at, found.registeredAt;
                    "expiry": indexed.expiry, found.expiry;
                    "root": indexed.root, found.root;
                    "packages": indexed.packages, found.count;
                    "recalls": indexed.recalls, found.recalls;
                }
            }
            Table::Unit => {
                let (batch, unit) = (b256(row, "batch")?, number(row, "unit")?);
                let indexed = self.view().await?.unit(batch, unit).await?.context(NOT_FOUND)?;
                let found = self.call(supply, ISupply::unitOfCall { batch, unit }).await?;
                same! { compared,
                    "to": indexed.to, found.to;
                    "holder": indexed.holder, found.holder;
                    "step": indexed.step, found.step;
                    "last": indexed.last, found.last;
                    "shipment": indexed.shipment, found.shipment;
                    "decommissioned": indexed.decommissioned, found.decommissioned;
                }
            }
            Table::UnitOffer => {
                let step = number(row, "step")?;
                let found = self.call(supply, ISupply::stepOfCall { step }).await?;
                same! { compared,
                    "previous": number::<u64>(row, "previous")?, found.previous;
                    "shipment": number::<u64>(row, "shipment")?, found.shipment;
                }
            }
            Table::Shipment => {
                let shipment = number(row, "shipment")?;
                let indexed = self.view().await?.shipment(shipment).await?.context(NOT_FOUND)?;
                let found = self.call(supply, ISupply::shipmentOfCall { shipment }).await?;
                same! { compared,
                    "sender": indexed.sender, found.from;
                    "receiver": indexed.receiver, found.to;
                    "kind": indexed.kind, found.kind;
                    "shipment_closing.state": indexed.state(), found.state;
                    "offered at": indexed.offered_at, found.offeredAt;
                    "open": row.int("valid_from")?.is_some(), found.state == shipment::OPEN;
                }
            }
            Table::Recall => {
                let call = ISupply::recallOfCall {
                    batch: b256(row, "batch")?,
                    number: number(row, "number")?,
                };
                let found = self.call(supply, call).await?;
                same! { compared,
                    "from_package": number::<u32>(row, "from_package")?, found.from;
                    "to_package": number::<u32>(row, "to_package")?, found.to;
                    "class": number::<u8>(row, "class")?, found.class;
                    "reason_code": number::<u8>(row, "reason_code")?, found.reasonCode;
                }
            }
            _ => {
                let (batch, serial) = (b256(row, "batch")?, b256(row, "serial")?);
                let product = self.view().await?.drug_batch(batch).await?.context(NOT_FOUND)?;
                let call = ISupply::dispensedOfCall {
                    maker: product.maker,
                    gtin: product.gtin,
                    serial,
                };
                let found = self.call(supply, call).await?;
                same! { compared,
                    "dispensed_by": address(row, "dispensed_by")?, found.by;
                    "package": number::<u32>(row, "package")?, found.index;
                }
            }
        }
        Ok(())
    }

    async fn compare_trials(&self, row: &Row, compared: &mut Compared<'_>) -> Result<()> {
        let (trials, trial) = (self.deployment.trials, b256(row, "trial")?);
        match compared.table {
            Table::Trial => {
                let mut view = self.view().await?;
                let indexed = view.trial(trial).await?.context(NOT_FOUND)?;
                let found = self.call(trials, ITrials::trialOfCall { trial }).await?;
                let counts = self.call(trials, ITrials::countsOfCall { trial }).await?;
                same! { compared,
                    "sponsor": indexed.sponsor, found.sponsor;
                    "registered at": indexed.registered_at, found.registeredAt;
                    "trial_version.version": indexed.version, found.version;
                    "consent version": indexed.consent_version, found.consentVersion;
                    "state": indexed.state, found.state;
                    "enrolled": indexed.enrolled, counts.enrolled;
                    "withdrawn": indexed.withdrawn, counts.withdrawn;
                    "batches": indexed.batches, counts.batches;
                    "results": indexed.results, counts.results;
                    "locked at": indexed.lock.map_or(0, |lock| lock.at), counts.lockedAt;
                    "data": indexed.data, counts.data;
                }
                for result in view.trial_results(trial).await? {
                    let number = result.number;
                    let found = self.call(trials, ITrials::resultsOfCall { trial, number }).await?;
                    same! { compared, "trial_result.results": result.results, found; }
                }
            }
            Table::TrialVersion => {
                let version = number(row, "version")?;
                let found = self.call(trials, ITrials::versionOfCall { trial, version }).await?;
                same! { compared,
                    "protocol": b256(row, "protocol")?, found.protocol;
                    "plan": b256(row, "plan")?, found.plan;
                    "form": b256(row, "form")?, found.form;
                    "reason_code": number::<u8>(row, "reason_code")?, found.reasonCode;
                    "reconsent": flag(row, "reconsent")?, found.reconsent;
                }
            }
            Table::Site => {
                let site = address(row, "site")?;
                let indexed = self.view().await?.site(trial, site).await?.context(NOT_FOUND)?;
                let found = self.call(trials, ITrials::siteOfCall { trial, site }).await?;
                same! { compared,
                    "serial": indexed.serial, found.serial;
                    "active": indexed.active, found.active;
                    "enrolled": indexed.enrolled, found.enrolled;
                    "withdrawn": indexed.withdrawn, found.withdrawn;
                    "last sequence": indexed.last_sequence, found.last;
                }
            }
            Table::Consent => {
                let participant = address(row, "participant")?;
                let indexed = self.view().await?.participant(trial, participant).await?;
                let indexed = indexed.context(NOT_FOUND)?;
                let call = ITrials::participantOfCall { trial, participant };
                let found = self.call(trials, call).await?;
                same! { compared,
                    "site": indexed.site, found.site;
                    "enrolment.number": indexed.number, found.number;
                    "version": indexed.version, found.version;
                    "status": indexed.status, found.status;
                    "since": indexed.since, found.at;
                }
            }
            _ => {
                let (site, sequence) = (address(row, "site")?, number(row, "sequence")?);
                let indexed = self.view().await?.data_batch(trial, site, sequence).await?;
                let indexed = indexed.context(NOT_FOUND)?;
                let found = self
                    .call(trials, ITrials::batchOfCall { trial, site, sequence })
                    .await?;
                same! { compared,
                    "root": indexed.root, found.root;
                    "leaves": indexed.count, found.count;
                    "period_from": indexed.from, found.from;
                    "period_to": indexed.to, found.to;
                    "anchored at": indexed.anchored_at, found.anchoredAt;
                    "flags": indexed.flags, found.flags;
                    "version": indexed.version, found.version;
                }
            }
        }
        Ok(())
    }
}
