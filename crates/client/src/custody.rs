//! What a custodian does: it keeps one share of an emergency key for each patient who chose it, and hands it on where the chain says that
//! the glass is broken. It needs no funds but to publish its encryption key once, and keeps nothing but its key file.
//!
//! It must never believe a gateway that somebody has broken the glass, release a share of a kit that the chart's controller has not signed
//! for that chart, seal to a key that does not stand on chain, or tell in a log whose chart it was.

use std::{collections::BTreeMap, time::Duration};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use medlock_abi::{
    exceptions::IExceptions::{self, emergencyAccessOfReturn, emergencyOfReturn},
    records::IRecords::{self, chartOfReturn},
};
use medlock_api as api;
use medlock_consent::EmergencyFacts;

use crate::{
    Client,
    error::{Error, Result},
    identity::{opened_by_one, rng},
    now,
    record::tampered,
};

/// What one look brought.
#[derive(Debug, Default)]
pub struct Served {
    /// Shares handed on.
    pub released: usize,
    /// Emergencies that the gateway calls open, and the chain does not.
    pub not_open: usize,
    /// Why others were not: they are tried again at the next look.
    pub failed: Vec<Error>,
}

/// What could not be released, and is tried again later and later: so that nobody who makes many emergencies that come to nothing keeps
/// a custodian from the others. It forgets what is over.
#[derive(Default)]
pub struct PutOff(BTreeMap<(B256, Address, u64), Wait>);

struct Wait {
    until: u64,
    pause: Duration,
}

/// First wait; doubles up to [`PAUSE_MOST`].
const PAUSE_FIRST: Duration = Duration::from_secs(2);
const PAUSE_MOST: Duration = Duration::from_secs(300);

impl PutOff {
    fn is_due(&self, emergency: &api::OpenEmergency) -> bool {
        self.0.get(&key(emergency)).is_none_or(|wait| wait.until <= now())
    }

    fn failed(&mut self, emergency: &api::OpenEmergency) {
        let before = self.0.get(&key(emergency)).map(|wait| wait.pause);
        let pause = before.map_or(PAUSE_FIRST, |pause| (pause * 2).min(PAUSE_MOST));
        let until = now() + pause.as_secs();
        self.0.insert(key(emergency), Wait { until, pause });
    }
}

fn key(emergency: &api::OpenEmergency) -> (B256, Address, u64) {
    (emergency.chart, emergency.party, emergency.until)
}

impl Client {
    /// Looks once for open emergencies of charts whose shares we keep, and releases those that are due.
    ///
    /// # Errors
    /// Where the gateway cannot be asked which there are. What is wrong with one emergency stands in the answer, and holds up no other.
    pub async fn serve_custody_once(&self, put_off: &mut PutOff) -> Result<Served> {
        let mut served = Served::default();
        put_off.0.retain(|(.., until), _| *until > now());
        for emergency in self.gateway().await?.custody().await? {
            if !put_off.is_due(&emergency) {
                continue;
            }
            match self.release_share(&emergency).await {
                Ok(true) => served.released += 1,
                Ok(false) => {
                    put_off.failed(&emergency);
                    served.not_open += 1;
                }
                Err(error) => {
                    put_off.failed(&emergency);
                    served.failed.push(error);
                }
            }
        }
        Ok(served)
    }

    /// `false`: the chain does not say that it is open.
    async fn release_share(&self, emergency: &api::OpenEmergency) -> Result<bool> {
        let (chart, party) = (emergency.chart, emergency.party);
        let (records, exceptions) = (self.deployment.records, self.deployment.exceptions);
        let (hash, time) = self.chain.latest().await?;
        let at = BlockId::from(hash);
        let head = self.chain.call_at(records, IRecords::chartOfCall { chart }, at).await?;
        let access = IExceptions::emergencyAccessOfCall { chart };
        let access = self.chain.call_at(exceptions, access, at).await?;
        let opened = IExceptions::emergencyOfCall { chart, party };
        let opened = self.chain.call_at(exceptions, opened, at).await?;
        if !is_open(&head, &access, &opened, time.max(now())) {
            return Ok(false);
        }
        let state = self.chart_state(chart).await?;
        let kit = self.standing_kit(chart, &state).await?;
        let recipient = self.recipient(party).await?;
        let custodian = self.address().into_array();
        let faulty = |error| match error {
            medlock_vault::Error::WeakerPartyKey => Error::Vault(error),
            error => tampered("our share of an emergency kit")(error),
        };
        let none = medlock_vault::Error::ShareScope { field: "recipient" };
        let suite = kit.share_of(&custodian).ok_or_else(|| faulty(none))?.suite;
        let keys = self.identity.encryption_keys();
        let share = opened_by_one(keys, suite, "share", |key| {
            kit.release(&mut rng(), &custodian, key, &recipient)
        });
        let share = share.map_err(faulty)?;
        let gateway = self.gateway().await?;
        gateway.release_share(chart, party, share.encode()).await?;
        Ok(true)
    }

    /// Refuses to be a custodian without a key that patients can seal to.
    ///
    /// # Errors
    /// [`Error::NoPublishedKey`].
    pub async fn is_custodian_ready(&self) -> Result<()> {
        match self.is_published().await? {
            true => Ok(()),
            false => Err(Error::NoPublishedKey { party: self.address() }),
        }
    }
}

/// What the chain says of one party's broken glass at `moment`: by its own time and by the clock, as an idle chain's time stands still.
fn is_open(chart: &chartOfReturn, access: &emergencyAccessOfReturn, opened: &emergencyOfReturn, moment: u64) -> bool {
    let facts = EmergencyFacts {
        compartments: opened.compartments,
        until: opened.until,
        grant_epoch: opened.grantEpoch,
        serial: opened.serial,
        access_allowed: access.allowed,
        access_serial: access.serial,
        access_control_epoch: access.controlEpoch,
    };
    chart.controller != Address::ZERO
        && opened.compartments != 0
        && facts.is_open(chart.grantEpoch, chart.controlEpoch, moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_nothing_waits_longer_each_time_and_keeps_nobody_else_waiting() {
        let emergency = |party| api::OpenEmergency {
            chart: B256::ZERO,
            party: Address::repeat_byte(party),
            until: u64::MAX,
        };
        let mut put_off = PutOff::default();
        assert!(put_off.is_due(&emergency(1)));
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            put_off.failed(&emergency(1));
            assert!(!put_off.is_due(&emergency(1)) && put_off.is_due(&emergency(2)));
            let wait = &put_off.0[&key(&emergency(1))];
            assert_eq!(wait.pause.as_secs(), seconds);
            assert!((now() + seconds).abs_diff(wait.until) <= 1);
        }
    }

    /// Every field that must agree, and what its disagreement means.
    #[test]
    fn an_emergency_is_open_while_all_that_it_rests_on_stands() {
        type Facts = (chartOfReturn, emergencyAccessOfReturn, emergencyOfReturn);
        let facts = || -> Facts {
            (
                chartOfReturn {
                    controller: Address::repeat_byte(1),
                    grantEpoch: 4,
                    controlEpoch: 2,
                    directoryVersion: 3,
                    directory: B256::ZERO,
                    exceptional: true,
                    rotationDue: false,
                },
                emergencyAccessOfReturn {
                    allowed: true,
                    serial: 7,
                    controlEpoch: 2,
                },
                emergencyOfReturn {
                    compartments: 1,
                    openedAt: 10,
                    until: 20,
                    grantEpoch: 4,
                    serial: 7,
                },
            )
        };
        let open = |edit: fn(&mut Facts), moment| {
            let mut facts = facts();
            edit(&mut facts);
            is_open(&facts.0, &facts.1, &facts.2, moment)
        };
        assert!(open(|_| (), 19));
        assert!(!open(|_| (), 20));
        for edit in [
            (|facts: &mut Facts| facts.0.controller = Address::ZERO) as fn(&mut Facts),
            // Control was passed on, all grants were ended, it was forbidden, and allowed again.
            |facts| facts.0.controlEpoch += 1,
            |facts| facts.0.grantEpoch += 1,
            |facts| facts.1.allowed = false,
            |facts| facts.1.serial += 2,
            |facts| facts.2.serial -= 1,
            |facts| facts.2.compartments = 0,
        ] {
            assert!(!open(edit, 15));
        }
    }
}
