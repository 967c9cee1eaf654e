//! Clinical trials: a sponsor fixes plans before the first participant, participants consent under accounts of that trial alone, sites enrol them and
//! anchor data, and anybody checks what was published against the chain.

use std::sync::Arc;

use alloy::{
    primitives::{Address, B256},
    rpc::types::Filter,
    signers::local::PrivateKeySigner,
    sol_types::{SolCall, SolEvent as _},
};
use hkdf::Hkdf;
use medlock_abi::{
    terms::participant,
    trials::ITrials::{self, ITrialsEvents},
};
use medlock_api::trials::{Trial, TrialHistory};
use medlock_research::{
    batch::{Batch, Row},
    chain::{ChainBatch, ChainLock, ChainResults, ChainSite, ChainTrial, ChainVersion},
    consent::{Consent, Expected, participant_key_info},
    data::{Link, chain_all},
    events::Logged,
    fhir::{Resource, Standing, Study, Subject, research_study, research_subject},
    results::Plan,
    trial::{Documents, file_digest, normalised_registration, registration_digest, trial_id},
};
use medlock_vault::Zeroizing;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use crate::{
    Chain, Client, Identity,
    chain::Mined,
    error::{Error, Result},
    platform::now,
    record::{random, tampered},
};

const WHAT: &str = "the trial";

/// The events that [`Logged`] is made of: consents and withdrawals are many, and the views count them.
const LOGGED: [B256; 5] = [
    ITrials::TrialAmended::SIGNATURE_HASH,
    ITrials::SiteSet::SIGNATURE_HASH,
    ITrials::Enrolled::SIGNATURE_HASH,
    ITrials::BatchAnchored::SIGNATURE_HASH,
    ITrials::ResultsAnchored::SIGNATURE_HASH,
];

/// The files of a version: their digests go on chain.
#[derive(Debug, Clone, Copy)]
pub struct TrialFiles<'a> {
    pub protocol: &'a [u8],
    /// A [`medlock_research::results::Plan`].
    pub plan: &'a [u8],
    /// What participants are shown.
    pub form: &'a [u8],
}

impl TrialFiles<'_> {
    /// A plan that is none is refused: results could never be compared with it.
    fn digests(&self) -> Result<Documents> {
        Plan::read(self.plan).map_err(Error::unsuitable)?;
        Ok(Documents::of(self.protocol, self.plan, self.form))
    }
}

/// What [`Client::compare_trial_resource`] has found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ComparedResource {
    pub trial: B256,
    /// FHIRPath of each element that the chain has otherwise.
    pub differs: Vec<&'static str>,
}

/// A consent that was given. The participant keeps document and salt: without them nobody can tell who consented.
#[derive(Clone, serde::Serialize)]
pub struct Consented {
    /// The account that takes part in this trial alone.
    pub participant: Address,
    pub version: u8,
    /// The document, as its digest is of it.
    pub document: String,
    pub salt: B256,
    pub mined: Mined,
}

impl Consented {
    /// What the participant keeps, and shows to the site: the document with the salt of its digest.
    #[must_use]
    pub fn kept(&self) -> String {
        let Self {
            participant,
            document,
            salt,
            ..
        } = self;
        serde_json::json!({ "participant": participant, "document": document, "salt": salt }).to_string()
    }
}

/// As [`Consented::kept`] writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    participant: Address,
    document: String,
    salt: B256,
}

/// Where somebody stands in a trial, by the account that they have in it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Participation {
    pub participant: Address,
    pub site: Address,
    /// At the site; 0: never enrolled.
    pub number: u32,
    /// `terms::participant`; 0: never consented.
    pub status: u8,
    /// Of the trial, which they last consented to; 0: none.
    pub version: u8,
    /// The least version that participants must have consented to.
    pub version_wanted: u8,
}

impl Client {
    /// Registers a trial under its public registration number (a sponsor).
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for what is no registration number.
    pub async fn register_trial(&self, registration: &str, files: TrialFiles<'_>) -> Result<(B256, Mined)> {
        let registration = registration_digest(registration).map_err(Error::unsuitable)?;
        let documents = files.digests()?;
        let call = ITrials::registerTrialCall {
            actor: self.address(),
            registration,
            protocol: documents.protocol,
            plan: documents.plan,
            form: documents.form,
            document: B256::ZERO,
        };
        let mined = self.act_on(self.deployment.trials, call).await?;
        Ok((trial_id(self.address(), registration), mined))
    }

    /// Appends a version (the sponsor). `reason`: of `terms::amendment`. `reconsent`: who does not consent to it takes no part any more.
    pub async fn amend_trial(&self, trial: B256, files: TrialFiles<'_>, reason: u8, reconsent: bool) -> Result<Mined> {
        let stands = self.trial_now(trial).await?;
        let documents = files.digests()?;
        let call = ITrials::amendTrialCall {
            actor: self.address(),
            trial,
            version: stands.version.saturating_add(1),
            protocol: documents.protocol,
            plan: documents.plan,
            form: documents.form,
            reasonCode: reason,
            reconsent,
            document: B256::ZERO,
        };
        self.act_on(self.deployment.trials, call).await
    }

    /// Names a site, or dismisses it (the sponsor).
    pub async fn set_trial_site(&self, trial: B256, site: Address, active: bool) -> Result<Mined> {
        let set = self.trials_call(ITrials::siteOfCall { trial, site }).await?;
        let call = ITrials::setSiteCall {
            actor: self.address(),
            trial,
            site,
            serial: set.serial,
            active,
        };
        self.act_on(self.deployment.trials, call).await
    }

    /// The same client under the account that takes part in this trial alone: derived from our root secret, without funds, so a gateway submits
    /// for it. Nothing on chain leads from it to us, or to what we are in another trial.
    ///
    /// # Errors
    /// [`Error::Usage`] where the derived key is none, which does not happen.
    pub fn as_participant(&self, trial: B256) -> Result<Client> {
        let mut key = Zeroizing::new([0; 32]);
        let expanded = Hkdf::<Sha256>::new(None, self.identity.root().expose());
        // RFC 5869 section 2.3: expanding fails only past 255 * 32 bytes.
        expanded
            .expand(&participant_key_info(trial), &mut *key)
            .expect("32 bytes are asked for");
        let signer = PrivateKeySigner::from_slice(&*key).map_err(|_| Error::Usage("no key of a participant".into()))?;
        let identity: Identity = self.identity.with_key(signer);
        Ok(Client {
            chain: Chain::new(self.chain.url(), self.deployment.chain_id, identity.signer())?,
            identity,
            gateway: Arc::default(),
            acting: None,
            is_relayed: true,
            ..self.clone()
        })
    }

    /// Consents to the current version of a trial, to take part at `site`. `form`: the form as it was shown; `name`: as the participant typed it.
    ///
    /// # Errors
    /// [`Error::Tampered`] where the form is not that of the version.
    pub async fn consent_to_trial(
        &self,
        trial: B256,
        site: Address,
        form: &[u8],
        name: Option<&str>,
    ) -> Result<Consented> {
        let version = self.trial_now(trial).await?.version;
        let planned = self.trials_call(ITrials::versionOfCall { trial, version }).await?;
        if file_digest(form) != planned.form {
            return Err(tampered(WHAT)("the consent form is not the one of its current version"));
        }
        let us = self.as_participant(trial)?;
        let consent = Consent {
            trial,
            version,
            form: planned.form,
            site,
            participant: us.address(),
            at: now(),
            name: name.map(|name| Zeroizing::new(name.to_owned())),
        };
        let salt = random();
        let document = consent.digest(&salt.0).map_err(Error::unsuitable)?;
        let text = consent.to_json().map_err(Error::unsuitable)?;
        let call = ITrials::consentCall {
            actor: us.address(),
            trial,
            site,
            version,
            document,
        };
        let mined = us.act_on(us.deployment.trials, call).await?;
        Ok(Consented {
            participant: us.address(),
            version,
            document: String::from_utf8_lossy(&text).into_owned(),
            salt,
            mined,
        })
    }

    /// As [`Client::check_consent`], of what a participant has kept and shows.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] also for a file that is none, or another participant's.
    pub async fn check_kept_consent(&self, trial: B256, participant: Address, kept: &[u8]) -> Result<Consent> {
        // Its own words could repeat what the document says.
        let none = |_| Error::Unsuitable("the file is no consent that a participant has kept".into());
        let kept: Kept = serde_json::from_slice(kept).map_err(none)?;
        if kept.participant != participant {
            return Err(Error::Unsuitable("the consent is another participant's".into()));
        }
        self.check_consent(trial, participant, kept.document.as_bytes(), kept.salt)
            .await
    }

    /// Whether a consent is the one that stands on chain for this participant: what a site asks before it enrols them. `digest` is in the event,
    /// which the node that we use tells of.
    pub async fn check_consent(&self, trial: B256, participant: Address, bytes: &[u8], salt: B256) -> Result<Consent> {
        let found = self.participation_of(trial, participant).await?;
        if found.status == 0 {
            return Err(Error::Unsuitable(format!(
                "{participant} has never consented to this trial"
            )));
        }
        let version = found.version;
        let planned = self.trials_call(ITrials::versionOfCall { trial, version }).await?;
        let filter = Filter::new()
            .event_signature(ITrials::Consented::SIGNATURE_HASH)
            .topic1(trial)
            .topic2(participant.into_word());
        let consents = self.trial_events(filter).await?;
        let document = consents.into_iter().rev().find_map(|(_, event)| match event {
            ITrialsEvents::Consented(consented) => Some(consented.document),
            _ => None,
        });
        let expected = Expected {
            trial,
            version,
            form: planned.form,
            site: found.site,
            participant,
            document: document.unwrap_or_default(),
        };
        Consent::check(bytes, &salt.0, &expected).map_err(Error::unsuitable)
    }

    /// Enrols who has consented (the site). Gives the participant's number at the site.
    pub async fn enrol(&self, trial: B256, participant: Address) -> Result<(u32, Mined)> {
        let call = ITrials::enrolCall {
            actor: self.address(),
            trial,
            participant,
        };
        let mined = self.act_on(self.deployment.trials, call).await?;
        Ok((self.participation_of(trial, participant).await?.number, mined))
    }

    /// Ends our consent to a trial, for good.
    pub async fn withdraw_from_trial(&self, trial: B256) -> Result<Mined> {
        let us = self.as_participant(trial)?;
        let call = ITrials::withdrawConsentCall {
            actor: us.address(),
            trial,
        };
        us.act_on(us.deployment.trials, call).await
    }

    /// Where we stand in a trial.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where there is no such trial.
    pub async fn participation(&self, trial: B256) -> Result<Participation> {
        let participant = self.as_participant(trial)?.address();
        self.participation_of(trial, participant).await
    }

    async fn participation_of(&self, trial: B256, participant: Address) -> Result<Participation> {
        let stands = self.trial_now(trial).await?;
        let call = ITrials::participantOfCall { trial, participant };
        let found = self.trials_call(call).await?;
        Ok(Participation {
            participant,
            site: found.site,
            number: found.number,
            status: found.status,
            version: found.version,
            version_wanted: stands.consentVersion,
        })
    }

    /// Anchors data (the site). Whoever has withdrawn, or not consented anew where that is wanted, may not be in them.
    pub async fn anchor_trial_data(&self, batch: &Batch) -> Result<Mined> {
        let header = batch.header();
        let call = ITrials::anchorBatchCall {
            actor: self.address(),
            trial: header.place.trial,
            sequence: header.place.sequence,
            from: header.place.from,
            to: header.place.to,
            root: header.root,
            count: header.count,
            participants: batch.participants(),
            document: B256::ZERO,
        };
        self.act_on(self.deployment.trials, call).await
    }

    /// Locks the data, as many batches as there are (the sponsor).
    pub async fn lock_trial_data(&self, trial: B256) -> Result<Mined> {
        let counts = self.trials_call(ITrials::countsOfCall { trial }).await?;
        let call = ITrials::lockDataCall {
            actor: self.address(),
            trial,
            batches: counts.batches,
        };
        self.act_on(self.deployment.trials, call).await
    }

    /// Anchors results by the plan of the current version (the sponsor): a [`medlock_research::results::Results`] file.
    pub async fn anchor_trial_results(&self, trial: B256, results: &[u8]) -> Result<Mined> {
        let (stands, counts) = (
            self.trial_now(trial).await?,
            self.trials_call(ITrials::countsOfCall { trial }).await?,
        );
        let call = ITrials::anchorResultsCall {
            actor: self.address(),
            trial,
            version: stands.version,
            number: counts.results,
            results: file_digest(results),
            document: B256::ZERO,
        };
        self.act_on(self.deployment.trials, call).await
    }

    /// Ends a trial whose data are locked (the sponsor).
    pub async fn close_trial(&self, trial: B256) -> Result<Mined> {
        let call = ITrials::closeTrialCall {
            actor: self.address(),
            trial,
        };
        self.act_on(self.deployment.trials, call).await
    }

    /// All trials, by the gateway's index.
    pub async fn trials(&self) -> Result<Vec<Trial>> {
        self.gateway().await?.trials().await
    }

    /// A trial's state on chain, of `terms::trial`.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where there is no such trial.
    pub async fn trial_state(&self, trial: B256) -> Result<u8> {
        Ok(self.trial_now(trial).await?.state)
    }

    /// A trial's facts, out of the index and each compared with the contract and its log: its plans, sites, data and results are all there and no
    /// others.
    ///
    /// # Errors
    /// [`Error::Tampered`] where the gateway tells of another trial than the chain; [`Error::Chain`] where our node does not have the whole log.
    pub async fn trial_facts(&self, trial: B256) -> Result<ChainTrial> {
        let told = self.told_trial(trial).await;
        match self.may_have_been_behind(&told).await? {
            true => self.told_trial(trial).await,
            false => told,
        }
    }

    async fn told_trial(&self, trial: B256) -> Result<ChainTrial> {
        let gateway = self.gateway().await?;
        let (told, sites, batches) = (
            gateway.trial(trial).await?,
            gateway.trial_sites(trial).await?,
            gateway.trial_batches(trial).await?,
        );
        let mut facts = facts(told, sites, batches);
        self.check_facts(trial, &facts).await?;
        facts.also_registered_by = self.namesakes(&facts).await?;
        match facts.contradictions().first() {
            None => Ok(facts),
            Some(contradiction) => Err(tampered(WHAT)(contradiction)),
        }
    }

    /// A trial as a FHIR R4 ResearchStudy, out of facts that were compared with the contract.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where it is registered under another number.
    pub async fn research_study(&self, trial: B256, registration: &str, title: Option<String>) -> Result<String> {
        let facts = self.trial_facts(trial).await?;
        if registration_digest(registration).map_err(Error::unsuitable)? != facts.registration {
            return Err(Error::Unsuitable("the trial is registered under another number".into()));
        }
        let registration = normalised_registration(registration).map_err(Error::unsuitable)?;
        let study = self.study(&facts, registration, title).await?;
        research_study(&study, self.deployment.chain_id).map_err(Error::unsuitable)
    }

    async fn study(&self, facts: &ChainTrial, registration: String, title: Option<String>) -> Result<Study> {
        let (sites, versions) = (facts.sites.iter(), facts.versions.iter());
        Ok(Study {
            trial: facts.trial,
            registration,
            title,
            state: self.trial_state(facts.trial).await?,
            sponsor: facts.sponsor,
            sites: sites.filter(|site| site.active).map(|site| site.site).collect(),
            protocols: versions.map(|version| version.documents.protocol).collect(),
        })
    }

    /// Compares a FHIR R4 ResearchStudy or ResearchSubject, of the form that we write, with what the chain has today. A title is nowhere on chain.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where it is neither, or of another form or chain.
    pub async fn compare_trial_resource(&self, bytes: &[u8]) -> Result<ComparedResource> {
        match Resource::read(bytes, self.deployment.chain_id).map_err(Error::unsuitable)? {
            Resource::Study(told) => self.compare_study(told).await,
            Resource::Subject(told) => self.compare_subject(told).await,
        }
    }

    async fn compare_study(&self, told: Study) -> Result<ComparedResource> {
        let facts = self.trial_facts(told.trial).await?;
        let found = self
            .study(&facts, told.registration.clone(), told.title.clone())
            .await?;
        // The trial's id, which was found, is made of sponsor and registration number: what is read has the right ones.
        let elements = [
            ("ResearchStudy.status", told.state == found.state),
            ("ResearchStudy.site", told.sites == found.sites),
            ("ResearchStudy.protocol", told.protocols == found.protocols),
        ];
        let differing = elements.into_iter().filter(|(_, is_same)| !is_same);
        Ok(ComparedResource {
            trial: told.trial,
            differs: differing.map(|(path, _)| path).collect(),
        })
    }

    async fn compare_subject(&self, told: Subject) -> Result<ComparedResource> {
        let found = self.participation_of(told.trial, told.participant).await?;
        let is_same = found.standing() == Some(told.standing);
        Ok(ComparedResource {
            trial: told.trial,
            differs: if is_same {
                vec![]
            } else {
                vec!["ResearchSubject.status"]
            },
        })
    }

    async fn check_facts(&self, trial: B256, facts: &ChainTrial) -> Result<()> {
        let on_chain = self.trial_now(trial).await?;
        let counts = self.trials_call(ITrials::countsOfCall { trial }).await?;
        let is_it = facts.trial == trial
            && (facts.sponsor, facts.registered_at) == (on_chain.sponsor, on_chain.registeredAt)
            && facts.versions.len() == usize::from(on_chain.version)
            && facts.batches.len() == counts.batches as usize
            && facts.results.len() == usize::from(counts.results);
        if !is_it {
            return Err(tampered(WHAT)("the gateway tells of another trial, or not all of it"));
        }
        let links = facts.batches.iter().map(|batch| Link {
            site: batch.site,
            sequence: batch.sequence,
            root: batch.root,
        });
        let locked_at = facts.lock.as_ref().map_or(0, |lock| lock.at);
        if chain_all(links) != counts.data || locked_at != counts.lockedAt {
            return Err(tampered(WHAT)("its data are not those of the chain"));
        }
        self.check_versions(facts).await?;
        self.check_sites(facts).await?;
        self.check_batches(facts).await?;
        self.check_results(facts).await?;
        self.check_log(facts, &counts).await
    }

    async fn check_versions(&self, facts: &ChainTrial) -> Result<()> {
        let trial = facts.trial;
        for (version, number) in facts.versions.iter().zip(1u8..) {
            let planned = self
                .trials_call(ITrials::versionOfCall { trial, version: number })
                .await?;
            let Documents { protocol, plan, form } = version.documents;
            let same = (protocol, plan, form, version.at, version.reason_code, version.reconsent)
                == (
                    planned.protocol,
                    planned.plan,
                    planned.form,
                    planned.at,
                    planned.reasonCode,
                    planned.reconsent,
                );
            if !same {
                return Err(tampered(WHAT)("a version of its plan is not the chain's"));
            }
        }
        Ok(())
    }

    async fn check_sites(&self, facts: &ChainTrial) -> Result<()> {
        let trial = facts.trial;
        for site in &facts.sites {
            let set = self.trials_call(ITrials::siteOfCall { trial, site: site.site }).await?;
            if (set.active, set.enrolled, set.withdrawn) != (site.active, site.enrolled, site.withdrawn) {
                return Err(tampered(WHAT)("a site is not as the chain has it"));
            }
        }
        Ok(())
    }

    async fn check_batches(&self, facts: &ChainTrial) -> Result<()> {
        let trial = facts.trial;
        for batch in &facts.batches {
            let (site, sequence) = (batch.site, batch.sequence);
            let stands = self.trials_call(ITrials::batchOfCall { trial, site, sequence }).await?;
            let same = (
                batch.count,
                batch.from,
                batch.to,
                batch.anchored_at,
                batch.flags,
                batch.version,
            ) == (
                stands.count,
                stands.from,
                stands.to,
                stands.anchoredAt,
                stands.flags,
                stands.version,
            );
            if !same {
                return Err(tampered(WHAT)("a batch of data is not as the chain has it"));
            }
        }
        Ok(())
    }

    async fn check_results(&self, facts: &ChainTrial) -> Result<()> {
        for results in &facts.results {
            let call = ITrials::resultsOfCall {
                trial: facts.trial,
                number: results.number,
            };
            if self.trials_call(call).await? != results.results {
                return Err(tampered(WHAT)("results are not those of the chain"));
            }
        }
        Ok(())
    }

    /// What no view tells.
    async fn check_log(&self, facts: &ChainTrial, counts: &ITrials::countsOfReturn) -> Result<()> {
        let filter = Filter::new().event_signature(LOGGED.to_vec()).topic1(facts.trial);
        let logged = Logged::of(self.trial_events(filter).await?);
        if !logged.is_whole(facts.versions.len(), counts) {
            return Err(self.chain.unfit(
                "eth_getLogs",
                "it does not have the trial's whole log; use a node that does",
            ));
        }
        if let Some(objection) = logged.objection(facts) {
            return Err(tampered(WHAT)(objection));
        }
        for (results, block) in facts.results.iter().zip(&logged.results) {
            if self.chain.time_of(*block).await? != results.at {
                return Err(tampered(WHAT)("results were anchored at another time"));
            }
        }
        Ok(())
    }

    /// Other sponsors under whom the same registration number stands on chain: its uniqueness is each sponsor's own.
    async fn namesakes(&self, facts: &ChainTrial) -> Result<Vec<Address>> {
        let filter = Filter::new().event_signature(ITrials::TrialRegistered::SIGNATURE_HASH);
        let events = self.trial_events(filter).await?;
        let registered = events.into_iter().filter_map(|(_, event)| match event {
            ITrialsEvents::TrialRegistered(registered) => Some(registered),
            _ => None,
        });
        let others = registered.filter(|one| one.registration == facts.registration && one.sponsor != facts.sponsor);
        Ok(others.map(|one| one.sponsor).collect())
    }

    async fn trial_events(&self, filter: Filter) -> Result<Vec<(u64, ITrialsEvents)>> {
        let filter = filter.address(self.deployment.trials);
        self.chain.events(&filter, self.deployment.block).await
    }

    async fn trial_now(&self, trial: B256) -> Result<ITrials::trialOfReturn> {
        let found = self.trials_call(ITrials::trialOfCall { trial }).await?;
        match found.version {
            0 => Err(Error::Unsuitable(format!("there is no trial {trial} on this chain"))),
            _ => Ok(found),
        }
    }

    async fn trials_call<C: SolCall>(&self, call: C) -> Result<C::Return> {
        self.chain.call(self.deployment.trials, call).await
    }
}

impl Participation {
    /// Whether they take part no more, until they consent to the trial as it was amended.
    #[must_use]
    pub fn must_consent_anew(&self) -> bool {
        matches!(self.status, participant::CONSENTED | participant::ENROLLED) && self.version < self.version_wanted
    }

    /// As FHIR tells it. `None`: never consented.
    fn standing(&self) -> Option<Standing> {
        Standing::of_chain(self.site, self.number, self.status)
    }

    /// As a FHIR R4 ResearchSubject.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for who has never consented.
    pub fn research_subject(&self, trial: B256, chain_id: u64) -> Result<String> {
        let standing = self.standing();
        let subject = Subject {
            trial,
            participant: self.participant,
            standing: standing.ok_or_else(|| Error::unsuitable("you have never consented to this trial"))?,
        };
        research_subject(&subject, chain_id).map_err(Error::unsuitable)
    }
}

/// Rows of data, `{"participant":1,"data":…}` a line. Each gets a salt of its own.
///
/// # Errors
/// [`Error::Unsuitable`], which names the line and repeats nothing of it.
pub fn trial_rows(lines: &str) -> Result<Vec<Row>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        participant: u32,
        data: Value,
    }
    let lines = lines.lines().zip(1..).filter(|(line, _)| !line.is_empty());
    let rows = lines.map(|(line, number)| {
        let read: Line = serde_json::from_str(line)
            // Its own words could repeat what the row says.
            .map_err(|error| Error::Unsuitable(format!("line {number} is no row, at column {}", error.column())))?;
        Ok(Row {
            participant: read.participant,
            salt: random(),
            payload: read.data.to_string().into_bytes(),
        })
    });
    rows.collect()
}

/// Where a participant stands, in words.
#[must_use]
pub fn participation_text(status: u8) -> &'static str {
    let known = participant::ALL.iter().find(|(_, number)| *number == status);
    known.map_or("never consented", |(name, _)| name)
}

fn facts(
    told: TrialHistory,
    sites: Vec<medlock_api::trials::TrialSite>,
    batches: Vec<medlock_api::trials::TrialBatch>,
) -> ChainTrial {
    let trial = told.trial;
    let versions = told.versions.into_iter().map(|version| ChainVersion {
        documents: Documents {
            protocol: version.protocol,
            plan: version.plan,
            form: version.form,
        },
        at: version.at,
        reason_code: version.reason_code,
        reconsent: version.reconsent,
        enrolled_then: version.enrolled_before,
    });
    let sites = sites.into_iter().map(|site| ChainSite {
        site: site.site,
        active: site.active,
        enrolled: site.enrolled,
        withdrawn: site.withdrawn,
    });
    let batches = batches.into_iter().map(|batch| ChainBatch {
        site: batch.site,
        sequence: batch.sequence,
        root: batch.root,
        count: batch.count,
        from: batch.from,
        to: batch.to,
        anchored_at: batch.anchored_at,
        flags: batch.flags,
        version: batch.version,
        participants: batch.participants,
    });
    let results = told.results.into_iter().map(|results| ChainResults {
        number: results.number,
        version: results.version,
        plan: results.plan,
        data: results.data,
        results: results.results,
        at: results.at,
    });
    ChainTrial {
        trial: trial.trial,
        sponsor: trial.sponsor,
        registration: trial.registration,
        // The index is not asked: the log tells.
        also_registered_by: Vec::new(),
        registered_at: trial.registered_at,
        versions: versions.collect(),
        sites: sites.collect(),
        batches: batches.collect(),
        lock: trial.lock.map(|lock| ChainLock {
            batches: lock.batches,
            data: lock.data,
            at: lock.at,
        }),
        results: results.collect(),
    }
}
