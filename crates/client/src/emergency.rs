//! Broken glass: what a patient leaves for an emergency, and how whoever breaks the glass gets to read.
//!
//! The patient leaves a kit ([`medlock_vault::emergency`]) with the gateway and allows it on chain. A provider breaks the glass on
//! chain; custodians see that and release their shares ([`crate::custody`]); the provider puts enough of them together. Every key is
//! checked against the directory that stands on chain, every kit against the controller's signature.

use alloy::primitives::{Address, B256};
use medlock_abi::{exceptions::IExceptions, signed, terms};
use medlock_api as api;
use medlock_vault::{
    CompartmentKeys, Directory, EmergencyKit, KitBody, KitScope, KitTerms, Recipient, SealedShare, Share, VerifiedKit,
    shares::SHARES_MAX,
};

use crate::{
    Client,
    chain::Mined,
    chart::ChartState,
    error::{Error, Result},
    identity::{opened_by_one, rng},
    record::tampered,
};

/// What a patient has allowed, and left for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EmergencySettings {
    /// By the chain.
    pub allowed: bool,
    /// `None`: nobody who breaks the glass gets keys.
    pub kit: Option<KitSettings>,
}

/// The kit that the gateway keeps, whose signature is ours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KitSettings {
    /// Those that it opens.
    pub compartments: api::Compartments,
    pub custodians: Vec<Address>,
    /// How many of them it takes.
    pub threshold: u8,
    pub directory_version: u32,
    /// It is for the keys and the emergency access that stand now: no other opens.
    pub current: bool,
}

/// What became of a chart's emergency kit when its keys were rotated.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Renewal {
    /// There was none, or the glass may not be broken.
    NoKit,
    Renewed,
    /// The rotation is done, and no kit opens: allow it again to leave another.
    Failed {
        why: String,
    },
}

/// How many custodians have released their shares to us.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Readiness {
    /// Good ones.
    pub released: usize,
    pub threshold: u8,
    pub ready: bool,
    /// Custodians whose share is not the one that the kit commits to.
    pub forged: Vec<Address>,
}

/// The keys that a kit opens.
pub struct EmergencyKeys {
    pub keys: Vec<CompartmentKeys>,
    /// As in [`Readiness`].
    pub forged: Vec<Address>,
}

/// A chart's emergency access, by the chain.
struct Access {
    allowed: bool,
    /// Of the setting that stands.
    current: u32,
    /// What a kit must name to be good: now, or once it is allowed.
    serial: u32,
}

/// What custodians have sealed to us.
struct Released {
    kit: VerifiedKit,
    shares: Vec<Share>,
    forged: Vec<Address>,
}

impl Client {
    /// Leaves a kit of these compartments' keys (bit n: compartment n) with custodians, `threshold` of whom it takes, and allows that
    /// the glass of the chart is broken. Where it is allowed already it is forbidden first, which ends what is open: so that no gateway can
    /// bring back the kit of before, and with it custodians who were dropped.
    ///
    /// Custodians must be run by parties who do not run each other: `threshold` of them together can open what the kit holds at any
    /// time.
    ///
    /// # Errors
    /// [`Error::NoPublishedKey`] of a custodian.
    pub async fn allow_emergency(
        &self,
        chart: B256,
        compartments: u64,
        custodians: &[Address],
        threshold: u8,
    ) -> Result<Mined> {
        let state = self.controlled(chart).await?;
        if state.rotation_due {
            return Err(Error::Usage(
                "the chart's keys are not rotated since all grants were ended: end them all again first, which does the rest"
                    .into(),
            ));
        }
        let mut access = self.emergency_access(chart, &state).await?;
        if access.allowed {
            self.set_emergency_access(chart, &access, false).await?;
            access = self.emergency_access(chart, &state).await?;
        }
        let directory = self.directory(chart, &state).await?;
        self.leave_kit(&directory, access.serial, compartments, custodians, threshold)
            .await?;
        self.set_emergency_access(chart, &access, true).await
    }

    async fn set_emergency_access(&self, chart: B256, access: &Access, allowed: bool) -> Result<Mined> {
        let call = IExceptions::setEmergencyAccessCall {
            actor: self.address(),
            chart,
            serial: access.current,
            allowed,
        };
        self.act(call).await
    }

    /// Forbids that the glass is broken: what is open ends, and no kit that was left before opens any more, also not after it is
    /// allowed again. Then has the gateway forget the kit.
    pub async fn forbid_emergency(&self, chart: B256) -> Result<Mined> {
        let state = self.controlled(chart).await?;
        let access = self.emergency_access(chart, &state).await?;
        let mined = self.set_emergency_access(chart, &access, false).await?;
        // It opens nothing any more: that it goes is tidiness, and no reason to fail.
        if let Ok(gateway) = self.gateway().await {
            drop(gateway.delete_emergency_kit(chart).await);
        }
        Ok(mined)
    }

    /// What is allowed on a chart of ours, and what we have left for it.
    ///
    /// # Errors
    /// [`Error::Tampered`] for a kit that we have not signed.
    pub async fn emergency_settings(&self, chart: B256) -> Result<EmergencySettings> {
        let state = self.controlled(chart).await?;
        let access = self.emergency_access(chart, &state).await?;
        let kit = match self.own_kit(chart).await? {
            Some(kit) => Some(KitSettings {
                compartments: api::Compartments(self.compartments_of(&kit)?),
                custodians: kit.custodians().map(Address::from).collect(),
                threshold: kit.set.threshold,
                directory_version: kit.directory_version,
                current: kit.directory_version == state.directory_version
                    && kit.serial == access.serial
                    && !state.rotation_due,
            }),
            None => None,
        };
        Ok(EmergencySettings {
            allowed: access.allowed,
            kit,
        })
    }

    /// Breaks the glass of a chart, for us in person: reads for ETREAT on these compartments, for four hours. It stands on chain, and
    /// the patient sees it. `organisation`: whose credential is used; zero: our own.
    ///
    /// # Errors
    /// [`Error::Contract`] where the patient does not allow it, we have no credential, or it is too soon after the last time.
    pub async fn break_glass(
        &self,
        chart: B256,
        compartments: u64,
        reason_code: u16,
        organisation: Address,
    ) -> Result<Mined> {
        let call = IExceptions::breakGlassCall {
            actor: self.address(),
            chart,
            organisation,
            compartments,
            reasonCode: reason_code,
        };
        self.act(call).await
    }

    /// Ends an emergency before its time: the controller's to do, or the party's own.
    pub async fn close_emergency(&self, chart: B256, party: Address) -> Result<Mined> {
        let call = IExceptions::closeEmergencyCall {
            actor: self.address(),
            chart,
            party,
        };
        self.act(call).await
    }

    /// Who has broken the chart's glass, newest first, by the gateway's index: all to the controller, to anybody else their own.
    pub async fn emergencies(&self, chart: B256) -> Result<Vec<api::Emergency>> {
        self.gateway().await?.emergencies(chart).await
    }

    /// How far the custodians are, after we have broken the glass.
    ///
    /// # Errors
    /// [`Error::NoEmergencyKit`]; a refusal where our glass is whole.
    pub async fn emergency_ready(&self, chart: B256) -> Result<Readiness> {
        let state = self.chart_state(chart).await?;
        let released = self.released(chart, &state).await?;
        let (count, threshold) = (released.shares.len(), released.kit.set().set().threshold);
        Ok(Readiness {
            released: count,
            threshold,
            ready: count >= threshold.into(),
            forged: released.forged,
        })
    }

    /// The keys of the kit, once enough custodians have released their shares to us. Shares that are forged are named, and not used.
    ///
    /// # Errors
    /// [`Error::EmergencyPending`] while there are too few; [`Error::NoEmergencyKit`]; [`Error::Tampered`] where a key is not the one
    /// that the chart's directory publishes; a refusal where our glass is whole.
    pub async fn emergency_keys(&self, chart: B256) -> Result<EmergencyKeys> {
        let state = self.chart_state(chart).await?;
        let directory = self.directory(chart, &state).await?;
        let Released { kit, shares, forged } = self.released(chart, &state).await?;
        let needed = kit.set().set().threshold;
        if shares.len() < needed.into() {
            return Err(Error::EmergencyPending {
                released: shares.len(),
                needed,
                forged,
            });
        }
        let keys = kit
            .open(&shares, &directory.body)
            .map_err(tampered("the emergency kit"))?;
        Ok(EmergencyKeys { keys, forged })
    }

    /// Whether we have broken the glass of `chart`, and our time is not over.
    pub(crate) async fn has_broken_glass(&self, chart: B256) -> Result<bool> {
        let party = self.address();
        let call = IExceptions::emergencyOfCall { chart, party };
        let opened = self.chain.call(self.deployment.exceptions, call).await?;
        Ok(opened.until > crate::now())
    }

    /// Leaves another kit for the keys of `directory`, with the compartments and custodians of the one that stands.
    pub(crate) async fn renew_kit(&self, chart: B256, directory: &Directory) -> Renewal {
        match self.renewed(chart, directory).await {
            Ok(true) => Renewal::Renewed,
            Ok(false) => Renewal::NoKit,
            Err(error) => Renewal::Failed { why: error.to_string() },
        }
    }

    async fn renewed(&self, chart: B256, directory: &Directory) -> Result<bool> {
        let state = self.chart_state(chart).await?;
        let access = self.emergency_access(chart, &state).await?;
        if !access.allowed {
            return Ok(false);
        }
        // What was left under an earlier serial, forbidding has ended. One serial has one choice of custodians, so no other can be handed to us.
        let kit = self.own_kit(chart).await?.filter(|kit| kit.serial == access.serial);
        let kit = kit.ok_or(Error::NoEmergencyKit { chart })?;
        let custodians: Vec<_> = kit.custodians().map(Address::from).collect();
        let compartments = self.compartments_of(&kit)?;
        self.leave_kit(directory, access.serial, compartments, &custodians, kit.set.threshold)
            .await?;
        Ok(true)
    }

    async fn leave_kit(
        &self,
        directory: &Directory,
        serial: u32,
        compartments: u64,
        custodians: &[Address],
        threshold: u8,
    ) -> Result<()> {
        if custodians.len() > SHARES_MAX.into() {
            let shares = custodians.len();
            return Err(medlock_vault::Error::ShareCounts { threshold, shares }.into());
        }
        let mut recipients = Vec::with_capacity(custodians.len());
        for custodian in custodians {
            recipients.push(self.recipient(*custodian).await?);
        }
        let terms = KitTerms {
            compartments,
            threshold,
            custodians: &recipients,
        };
        let root = self.identity.root();
        let body = KitBody::make(&mut rng(), &self.domain(), root, &directory.body, serial, &terms)?;
        let domain = signed::domain(self.deployment.chain_id, self.deployment.records);
        let statement = api::Statement::of(&body.statement());
        let signature = self.identity.signer().sign(&statement, &domain).await?;
        let chart = directory.body.chart.into();
        let kit = body.with_signature(signature).encode();
        self.gateway().await?.put_emergency_kit(chart, kit).await
    }

    /// Where something is sealed to a party: its published key.
    pub(crate) async fn recipient(&self, party: Address) -> Result<Recipient> {
        let (key_version, key) = self.published_key(party).await?;
        Ok(Recipient {
            account: party.into_array(),
            key_version,
            key,
        })
    }

    /// The kit that the gateway keeps of a chart of ours, which we have signed; of whichever keys. Without that, a gateway could have us
    /// seal the next keys to custodians of its own.
    async fn own_kit(&self, chart: B256) -> Result<Option<KitBody>> {
        let Some(bytes) = self.gateway().await?.emergency_kit(chart).await? else {
            return Ok(None);
        };
        let kit = EmergencyKit::decode(&bytes).map_err(tampered("the emergency kit"))?;
        let scope = KitScope {
            domain: self.domain(),
            chart: chart.0,
            directory_version: kit.body.directory_version,
            serial: kit.body.serial,
        };
        let kit = kit
            .verify(&scope, self.address())
            .map_err(tampered("the emergency kit"))?;
        Ok(Some(kit.body().clone()))
    }

    fn compartments_of(&self, kit: &KitBody) -> Result<u64> {
        let opened = kit.compartments(&self.domain(), self.identity.root());
        opened.map_err(tampered("the emergency kit"))
    }

    /// The kit that stands, signed by the chart's controller; and what custodians have sealed to us of it.
    async fn released(&self, chart: B256, state: &ChartState) -> Result<Released> {
        let gateway = self.gateway().await?;
        let released = gateway.emergency_shares(chart).await?;
        let kit = self.standing_kit(chart, state).await?;
        let (mut shares, mut forged) = (Vec::<Share>::new(), Vec::new());
        for released in released {
            match self.opened_share(&kit, &released.share) {
                // The gateway said who sealed it; the share says whose it is.
                Ok(share) if shares.iter().all(|known| known.index() != share.index()) => shares.push(share),
                Ok(_) => (),
                Err(_) => forged.push(released.custodian),
            }
        }
        Ok(Released { kit, shares, forged })
    }

    /// The kit for what the chain says at present.
    pub(crate) async fn standing_kit(&self, chart: B256, state: &ChartState) -> Result<VerifiedKit> {
        let bytes = self.gateway().await?.emergency_kit(chart).await?;
        let bytes = bytes.ok_or(Error::NoEmergencyKit { chart })?;
        let kit = EmergencyKit::decode(&bytes).map_err(tampered("the emergency kit"))?;
        let scope = KitScope {
            domain: self.domain(),
            chart: chart.0,
            directory_version: state.directory_version,
            serial: self.emergency_access(chart, state).await?.serial,
        };
        kit.verify(&scope, state.controller).map_err(|error| match error {
            // Left behind by a rotation: no fault of the gateway's.
            medlock_vault::Error::KitScope { field } if field != "chart" => Error::NoEmergencyKit { chart },
            error => tampered("the emergency kit")(error),
        })
    }

    fn opened_share(&self, kit: &VerifiedKit, share: &[u8]) -> std::result::Result<Share, medlock_vault::Error> {
        let share = SealedShare::decode(share)?;
        let keys = self.identity.encryption_keys();
        opened_by_one(keys, share.suite, "share", |key| {
            share.open(kit.set(), &self.address().into_array(), key)
        })
    }

    async fn emergency_access(&self, chart: B256, state: &ChartState) -> Result<Access> {
        let call = IExceptions::emergencyAccessOfCall { chart };
        let access = self.chain.call(self.deployment.exceptions, call).await?;
        // What an earlier controller allowed is not allowed.
        let allowed = access.allowed && access.controlEpoch == state.control_epoch;
        Ok(Access {
            allowed,
            current: access.serial,
            serial: access.serial.saturating_add(u32::from(!allowed)),
        })
    }
}

/// The reason codes of broken glass, with what people are told.
pub const REASONS: [(u16, &str); terms::emergency::ALL.len()] = [
    (
        terms::emergency::UNABLE_TO_CONSENT,
        "the patient cannot be asked (unconscious, confused, a small child alone)",
    ),
    (
        terms::emergency::LIFE_THREATENING,
        "life or limb is in danger, and asking would take too long",
    ),
    (
        terms::emergency::PUBLIC_DANGER,
        "others are in danger: an outbreak, a poisoning",
    ),
    (
        terms::emergency::OTHER,
        "another reason, stated in the provider's own files",
    ),
];
