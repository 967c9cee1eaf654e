//! Claims: what a provider bills an insurer for, and what becomes of it. A claim's documents are sealed to its parties; the gateway lists what
//! stands on chain, and nothing of it is believed that the chain does not say.

mod compare;
mod listed;
mod payment;
mod signals;
mod submit;

use alloy::primitives::{Address, B256};
use medlock_abi::claims::IClaims::{self, Adjudicated, ClaimSubmitted, Link};
use medlock_api::{
    self as api, Purpose,
    claims::{ClaimHistory, ClaimState, ClaimStep, Insurer, claim_reason_code},
};
use medlock_billing::{
    Amount, ClaimDocument, Currency, Decision, FingerprintKey, Salt, Verdict, claim_id,
    fhir::{self, Claim as FhirClaim, ClaimResponse, Reference},
    time::DateTime,
};
use medlock_dag::{Block, dag_cbor_block};
use medlock_fhir::Label;
use medlock_vault::{DocumentScope, Metadata, Recipient, SealedDocument, Zeroizing};
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::compare::chain_state;
pub use self::{
    compare::ComparedClaim,
    payment::ClaimPayment,
    signals::Signals,
    submit::{NewClaim, Submitted},
};
use crate::{
    Client, NewDocument, OpenChart,
    chain::Mined,
    chart::digest,
    error::{Error, Result},
    identity::{opened_by_one, rng},
    platform::now,
    record::tampered,
    terms::number_of,
};

/// The compartment of claims, where the fingerprint key lies too.
pub const CLAIMS: u8 = Label::Claims as u8;
const FINGERPRINT_SOURCE: &[u8] = b"medlock/v1/fingerprint-key";
const FINGERPRINT_MEDIA_TYPE: &str = "application/vnd.medlock.fingerprint-key";
const CLAIM_MEDIA_TYPE: &str = "application/vnd.medlock.claim+cbor";
const DECISION_MEDIA_TYPE: &str = "application/vnd.medlock.decision+cbor";
const WHAT: &str = "the claim";
/// A step may have been mined in between, again: then the gateway is behind, and no liar.
const ELSEWHERE: &str = "it stands elsewhere on chain; if a step was just taken, ask again";

/// Whose claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimsOf {
    /// Ours (or the organisation's that we act for), as a provider.
    Provider,
    /// Ours, as an insurer.
    Insurer,
    /// All about a chart of ours.
    Chart(B256),
}

/// A claim whose documents were opened and compared with the chain.
pub struct OpenClaim {
    pub history: ClaimHistory,
    pub document: ClaimDocument,
    pub claim: FhirClaim,
    /// The last decision, where there is one with a document.
    pub decision: Option<(Decision, ClaimResponse)>,
}

/// A claim as far as we may see it.
pub struct SeenClaim {
    pub history: ClaimHistory,
    /// What came with each step, for people.
    pub messages: Vec<Option<String>>,
    /// Its documents, where we are a party; the patient opens none.
    pub open: Option<OpenClaim>,
}

impl SeenClaim {
    #[must_use]
    pub fn billed(&self) -> Option<Amount> {
        Some(self.open.as_ref()?.claim.total)
    }

    /// By the last decision.
    #[must_use]
    pub fn approved(&self) -> Option<Amount> {
        let (decision, _) = self.open.as_ref()?.decision.as_ref()?;
        decision.verdict.amount()
    }

    /// As JSON: the history, its messages, amounts as text, and the FHIR Claim and ClaimResponse where they are open.
    ///
    /// # Errors
    /// [`Error::Tampered`] where a document is no JSON.
    pub fn told(&self) -> Result<Value> {
        let resource = |content: Option<&Vec<u8>>| match content {
            Some(content) => serde_json::from_slice(content).map_err(tampered(WHAT)),
            None => Ok(Value::Null),
        };
        let open = self.open.as_ref();
        let decision = open.and_then(|open| open.decision.as_ref());
        Ok(serde_json::json!({
            "history": self.history, "messages": self.messages,
            "billed": self.billed().map(|amount| amount.to_string()), "approved": self.approved().map(|amount| amount.to_string()),
            "claim": resource(open.map(|open| &open.document.claim))?,
            "response": resource(decision.map(|(decision, _)| &decision.response))?,
        }))
    }
}

impl OpenClaim {
    /// As a FHIR R4 ExplanationOfBenefit.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where the documents do not make one.
    pub fn explanation(&self) -> Result<String> {
        let response = self.decision.as_ref().map(|(_, response)| response);
        fhir::explanation(&self.claim, response, &chain_state(&self.history)).map_err(Error::unsuitable)
    }
}

/// What an insurer says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// All that is billed.
    Approve,
    /// Minor units of the claim's currency, and a reason of `terms::claim_reason`.
    ApprovePart {
        minor: u64,
        reason: u16,
    },
    Deny {
        reason: u16,
    },
}

impl Client {
    /// Puts the chart's fingerprint key where whoever may read its claims finds it (the chart's controller): with it providers and insurers
    /// compute the same fingerprint for the same service. `None`: it stands there already.
    pub async fn share_fingerprint_key(&self, chart: B256) -> Result<Option<Mined>> {
        let open = self.chart(chart).await?;
        let record_id = self.record_id(chart, FINGERPRINT_SOURCE);
        if open.on_chain(record_id).await?.version != 0 {
            return Ok(None);
        }
        let key = FingerprintKey::derive(self.identity.root().expose(), chart);
        let document = NewDocument {
            record_id,
            compartment: CLAIMS,
            metadata: Metadata {
                media_type: FINGERPRINT_MEDIA_TYPE.into(),
                ..Metadata::default()
            },
            content: key.expose().to_vec().into(),
        };
        let stored = open.add(vec![document], |_| ()).await?;
        Ok(stored.first().map(|stored| stored.mined))
    }

    /// Joins the registry of services that insurers share, or leaves it (insurers).
    pub async fn set_insurer(&self, shared: bool) -> Result<Mined> {
        let insurer = self.grantee();
        let set = self.claims_call(IClaims::insurerOfCall { insurer }).await?;
        let call = IClaims::setInsurerCall {
            actor: self.address(),
            insurer,
            serial: set.serial,
            shared,
        };
        self.act_on(self.deployment.claims, call).await
    }

    /// Accepts claims in a currency from now on, or does not any more (insurers). `token`: what [`Client::pay_claim_in_token`] moves for claims
    /// that come from now on, one minor unit being 10^`scale` of its units; only with a currency that is accepted.
    pub async fn set_currency(
        &self,
        currency: Currency,
        accepted: bool,
        token: Option<(Address, u8)>,
    ) -> Result<Mined> {
        let (insurer, currency) = (self.grantee(), currency.numeric());
        let set = self.claims_call(IClaims::currencyOfCall { insurer, currency }).await?;
        let (token, scale) = token.unwrap_or_default();
        let call = IClaims::setCurrencyCall {
            actor: self.address(),
            insurer,
            currency,
            version: set.version + 1,
            accepted,
            token,
            scale,
        };
        self.act_on(self.deployment.claims, call).await
    }

    /// What an insurer accepts, by the gateway's index.
    pub async fn insurer(&self, insurer: Address) -> Result<Insurer> {
        self.gateway().await?.insurer(insurer).await
    }

    /// Claims, by the gateway's index, in the order in which they were submitted. Those about a chart and those at an insurer are compared with the
    /// contract's events: all are there, of the parties and the document that were submitted. Where each stands is the gateway's word
    /// ([`Client::claim`] compares that too).
    ///
    /// # Errors
    /// [`Error::Tampered`] where the gateway leaves one out.
    pub async fn claims(&self, of: ClaimsOf, state: Option<ClaimState>) -> Result<Vec<api::claims::Claim>> {
        let client = match of {
            ClaimsOf::Chart(_) => self.for_ourselves(),
            _ => self.clone(),
        };
        let told = client.told_claims(of, state).await;
        match client.may_have_been_behind(&told).await? {
            true => client.told_claims(of, state).await,
            false => told,
        }
    }

    async fn told_claims(&self, of: ClaimsOf, state: Option<ClaimState>) -> Result<Vec<api::claims::Claim>> {
        let Some(submitted) = self.submitted_on_chain(of, 0).await? else {
            return self.gateway().await?.claims(of, state).await;
        };
        // In every state, or whatever is left out could be said to stand in another.
        let mut listed = self.gateway().await?.claims(of, None).await?;
        let all: Vec<_> = listed.iter().collect();
        self.require_listed(of, submitted, &all).await?;
        listed.retain(|claim| state.is_none_or(|state| claim.state == state));
        Ok(listed)
    }

    /// A claim and its steps. Where it stands and who its parties are is the chain's word.
    ///
    /// # Errors
    /// [`Error::Tampered`] where the gateway tells of another claim than the chain.
    pub async fn claim(&self, claim: B256) -> Result<ClaimHistory> {
        let told = self.told_claim(claim).await;
        match self.may_have_been_behind(&told).await? {
            true => self.told_claim(claim).await,
            false => told,
        }
    }

    async fn told_claim(&self, claim: B256) -> Result<ClaimHistory> {
        let history = self.gateway().await?.claim(claim).await?;
        let told = &history.claim;
        let on_chain = self.claims_call(IClaims::claimOfCall { claim }).await?;
        let submission = submission(&history);
        let is_it = told.claim == claim && claim_id(told.provider, &submission) == claim;
        let stands = (told.state.number(), told.serial, told.deadline.unwrap_or(0))
            == (on_chain.state, on_chain.serial, on_chain.deadline);
        if !is_it {
            return Err(tampered(WHAT)("its parties, document or records are another claim's"));
        }
        if !stands || told.approved.unwrap_or_default() != on_chain.amount {
            return Err(tampered(WHAT)(ELSEWHERE));
        }
        let (amount, code) = last_decision(&history).map_or((B256::ZERO, 0), |step| {
            (step.amount.unwrap_or_default(), reason_code(step.reason.as_deref()))
        });
        let serials = history.steps.iter().map(|step| step.serial);
        let leads_there = history.steps.last().is_some_and(|step| step.state == told.state);
        // A reversal has a reason of its own.
        let is_decided =
            amount == on_chain.amount && (code == on_chain.reasonCode || told.state == ClaimState::Reversed);
        if !serials.eq(1..=told.serial) || !leads_there || !is_decided {
            return Err(tampered(WHAT)("its steps are not those that led to where it stands"));
        }
        Ok(history)
    }

    /// Opens a claim's documents (its parties) and compares them with the chain: the claim is the one that was submitted, the amounts are
    /// those that were committed to, and the last decision is what its document says. With the chart at hand the fingerprint is computed anew too.
    ///
    /// # Errors
    /// [`Error::Tampered`], which names what does not match.
    pub async fn open_claim(&self, claim: B256, key: Option<&FingerprintKey>) -> Result<OpenClaim> {
        self.open_history(self.claim(claim).await?, key).await
    }

    /// `history`: from [`Client::claim`].
    async fn open_history(&self, history: ClaimHistory, key: Option<&FingerprintKey>) -> Result<OpenClaim> {
        let told = &history.claim;
        let claim = told.claim;
        let (document, fhir) = self.open_document(&history, key).await?;
        let decision = match last_decision(&history).and_then(|step| Some((step, step.document?))) {
            None => None,
            Some((step, digest)) => {
                let content = self.claim_document(claim, digest, claim, told.insurer).await?;
                let decision = Decision::decode(&content).map_err(tampered(WHAT))?;
                let response = decision
                    .check(&adjudicated(claim, step), fhir.total)
                    .map_err(tampered(WHAT))?;
                Some((decision, response))
            }
        };
        Ok(OpenClaim {
            history,
            document,
            claim: fhir,
            decision,
        })
    }

    /// The claim's own document alone.
    async fn open_document(
        &self,
        history: &ClaimHistory,
        key: Option<&FingerprintKey>,
    ) -> Result<(ClaimDocument, FhirClaim)> {
        let told = &history.claim;
        let content = self
            .claim_document(told.claim, told.document, told.chart, told.provider)
            .await?;
        let document = ClaimDocument::decode(&content).map_err(tampered(WHAT))?;
        let fhir = document.check(&submitted(history), key).map_err(tampered(WHAT))?;
        Ok((document, fhir))
    }

    /// A claim, its messages and, for its parties, its documents. With a purpose the chart's fingerprint key is read too, and the service's
    /// fingerprint computed anew.
    pub async fn see_claim(&self, claim: B256, purpose: Option<Purpose>) -> Result<SeenClaim> {
        let history = self.claim(claim).await?;
        let told = &history.claim;
        if ![told.provider, told.insurer].contains(&self.grantee()) {
            let messages = vec![None; history.steps.len()];
            return Ok(SeenClaim {
                history,
                messages,
                open: None,
            });
        }
        let key = match purpose {
            None => None,
            Some(purpose) => Some(self.chart(told.chart).await?.fingerprint_key(purpose).await?),
        };
        let open = self.open_history(history.clone(), key.as_ref()).await?;
        let mut messages = Vec::with_capacity(history.steps.len());
        for step in &history.steps {
            messages.push(self.claim_message(&history, step).await?);
        }
        Ok(SeenClaim {
            history,
            messages,
            open: Some(open),
        })
    }

    /// What came with a step, for people: the text of a request, an answer or an appeal.
    pub async fn claim_message(&self, history: &ClaimHistory, step: &ClaimStep) -> Result<Option<String>> {
        let claim = &history.claim;
        let author = match step.event.as_str() {
            "InformationRequested" => claim.insurer,
            "InformationProvided" | "Appealed" => claim.provider,
            _ => return Ok(None),
        };
        let Some(digest) = step.document else { return Ok(None) };
        let content = self.claim_document(claim.claim, digest, claim.claim, author).await?;
        let text = std::str::from_utf8(&content).map_err(|_| tampered(WHAT)("a message is not text"))?;
        Ok(Some(text.to_owned()))
    }

    /// Fetches and opens a document that is sealed to us, or to the organisation that we act for.
    async fn claim_document(
        &self,
        claim: B256,
        document: B256,
        subject: B256,
        author: Address,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let block = self.gateway().await?.claim_document(claim, document).await?;
        if B256::from(<[u8; 32]>::from(Sha256::digest(&block))) != document {
            return Err(tampered(WHAT)("a document is not the one whose digest is on chain"));
        }
        let sealed = SealedDocument::decode(&block).map_err(tampered(WHAT))?;
        let scope = self.document_scope(subject, author);
        let account = self.grantee().into_array();
        let suite = sealed.key_of(&account).map(|key| key.suite);
        let suite = suite.ok_or_else(|| Error::Unsuitable("the document is not sealed to you".into()))?;
        let opened = opened_by_one(self.grantee_keys(), suite, WHAT, |key| {
            sealed.open(&self.domain(), &scope, &account, key)
        });
        Ok(opened.map_err(tampered(WHAT))?.1)
    }

    fn document_scope(&self, subject: B256, author: Address) -> DocumentScope {
        DocumentScope {
            ledger: self.deployment.claims.into_array(),
            subject: subject.0,
            author: author.into_array(),
        }
    }

    /// Seals a document of ours to the other party and ourselves, and has the gateway keep it. Its digest is what a step tells the chain.
    async fn put_document(&self, subject: B256, media_type: &str, content: &[u8], other: Address) -> Result<B256> {
        let recipients = self.readers_of_document(other).await?;
        let block = self.seal_document(subject, media_type, content, &recipients)?;
        let digest = digest(&block)?;
        self.gateway().await?.upload(vec![block]).await?;
        Ok(digest)
    }

    /// Ourselves and the other party.
    async fn readers_of_document(&self, other: Address) -> Result<[Recipient; 2]> {
        Ok([self.recipient(self.grantee()).await?, self.recipient(other).await?])
    }

    fn seal_document(
        &self,
        subject: B256,
        media_type: &str,
        content: &[u8],
        recipients: &[Recipient; 2],
    ) -> Result<Block> {
        let metadata = Metadata {
            media_type: media_type.into(),
            ..Metadata::default()
        };
        let scope = self.document_scope(subject, self.grantee());
        let sealed = SealedDocument::seal(&mut rng(), &self.domain(), &scope, &metadata, content, recipients);
        Ok(dag_cbor_block(sealed?.encode()))
    }

    /// Begins the review of a claim (its insurer).
    pub async fn review_claim(&self, claim: B256) -> Result<Mined> {
        let serial = self.claim_serial(claim).await?;
        let actor = self.address();
        self.act_on(
            self.deployment.claims,
            IClaims::beginReviewCall { actor, claim, serial },
        )
        .await
    }

    /// Asks the provider for information (the insurer).
    pub async fn request_claim_information(&self, claim: B256, text: &str) -> Result<Mined> {
        let (serial, document) = self.message(claim, text).await?;
        let call = IClaims::requestInformationCall {
            actor: self.address(),
            claim,
            serial,
            document,
        };
        self.act_on(self.deployment.claims, call).await
    }

    /// Answers the insurer's question (the provider).
    pub async fn provide_claim_information(&self, claim: B256, text: &str) -> Result<Mined> {
        let (serial, document) = self.message(claim, text).await?;
        let call = IClaims::provideInformationCall {
            actor: self.address(),
            claim,
            serial,
            document,
        };
        self.act_on(self.deployment.claims, call).await
    }

    /// Appeals a denial or the approval of a part (the provider).
    pub async fn appeal_claim(&self, claim: B256, text: &str) -> Result<Mined> {
        let (serial, document) = self.message(claim, text).await?;
        let call = IClaims::appealCall {
            actor: self.address(),
            claim,
            serial,
            document,
        };
        self.act_on(self.deployment.claims, call).await
    }

    /// Decides a claim (the insurer), whose documents were opened and compared with the chain before.
    pub async fn decide_claim(&self, open: &OpenClaim, ruling: Ruling) -> Result<Mined> {
        let claim = &open.history.claim;
        let total = open.claim.total;
        let verdict = match ruling {
            Ruling::Approve => Verdict::Approved {
                amount: total,
                salt: Salt::generate(&mut rng()),
            },
            Ruling::ApprovePart { minor, reason } => Verdict::PartlyApproved {
                amount: Amount::new(total.currency, minor),
                salt: Salt::generate(&mut rng()),
                reason,
            },
            Ruling::Deny { reason } => Verdict::Denied { reason },
        };
        let request = Reference::claim(claim.claim);
        let response = ClaimResponse::decided(&open.claim, request, &verdict, DateTime::at(now()));
        let response = response.write().map_err(Error::unsuitable)?;
        self.adjudicate(open, verdict, response.into_bytes()).await
    }

    /// Decides a claim as a FHIR R4 ClaimResponse of the insurer's own says, which the provider gets as it is: its total benefit is what is paid, and
    /// a reason of the ledger's says why that is not all.
    ///
    /// # Errors
    /// [`Error::Unsuitable`], which names the element that decides nothing about this claim.
    pub async fn decide_claim_by_response(&self, open: &OpenClaim, response: Vec<u8>) -> Result<Mined> {
        let id = open.history.claim.claim;
        let read = ClaimResponse::read(&response).map_err(Error::unsuitable)?;
        let verdict = read.verdict(id, &open.claim, &mut rng());
        self.adjudicate(open, verdict.map_err(Error::unsuitable)?, response)
            .await
    }

    async fn adjudicate(&self, open: &OpenClaim, verdict: Verdict, response: Vec<u8>) -> Result<Mined> {
        let claim = &open.history.claim;
        let decision = Decision {
            claim: claim.claim,
            verdict,
            response,
        };
        // What the provider would refuse is not sent.
        let amount = decision.verdict.commitment(claim.claim);
        let (state, reason_code) = (decision.verdict.state(), decision.verdict.reason().unwrap_or(0));
        let said = Adjudicated {
            claim: claim.claim,
            serial: claim.serial,
            by: self.address(),
            state,
            amount,
            reasonCode: reason_code,
            document: B256::ZERO,
            deadline: 0,
        };
        decision
            .check(&said, open.claim.total)
            .map_err(|mismatches| Error::Usage(mismatches.to_string()))?;
        let content = decision.encode();
        let document = self
            .put_document(claim.claim, DECISION_MEDIA_TYPE, &content, claim.provider)
            .await?;
        let call = IClaims::adjudicateCall {
            actor: self.address(),
            claim: claim.claim,
            serial: claim.serial,
            state,
            amount,
            reasonCode: reason_code,
            document,
        };
        self.act_on(self.deployment.claims, call).await
    }

    /// Closes a claim whose other party is overdue.
    pub async fn close_overdue_claim(&self, claim: B256) -> Result<Mined> {
        let serial = self.claim_serial(claim).await?;
        let actor = self.address();
        self.act_on(
            self.deployment.claims,
            IClaims::closeOverdueCall { actor, claim, serial },
        )
        .await
    }

    /// Is content with the part that was approved (the provider).
    pub async fn accept_part_of_claim(&self, claim: B256) -> Result<Mined> {
        let serial = self.claim_serial(claim).await?;
        let actor = self.address();
        self.act_on(self.deployment.claims, IClaims::acceptPartCall { actor, claim, serial })
            .await
    }

    /// Says that a claim was paid outside of the chain (the insurer). Of `reference` a digest is told, which nobody can guess back without
    /// the salt that comes back with it.
    pub async fn record_claim_payment(&self, claim: B256, reference: &str) -> Result<(Mined, B256)> {
        let serial = self.claim_serial(claim).await?;
        let salt = crate::record::random();
        let remittance = remittance(salt, reference);
        let call = IClaims::recordPaymentCall {
            actor: self.address(),
            claim,
            serial,
            remittance,
        };
        let mined = self.act_on(self.deployment.claims, call).await?;
        Ok((mined, salt))
    }

    /// Takes an approval or a payment back, for good (the insurer).
    pub async fn reverse_claim(&self, claim: B256, reason: u16) -> Result<Mined> {
        let call = IClaims::reverseClaimCall {
            actor: self.address(),
            claim,
            serial: self.claim_serial(claim).await?,
            reasonCode: reason,
        };
        self.act_on(self.deployment.claims, call).await
    }

    /// Withdraws a claim, for good (the provider).
    pub async fn withdraw_claim(&self, claim: B256) -> Result<Mined> {
        let serial = self.claim_serial(claim).await?;
        let actor = self.address();
        self.act_on(self.deployment.claims, IClaims::withdrawCall { actor, claim, serial })
            .await
    }

    /// The claim's serial, and a message of ours to its other party.
    async fn message(&self, claim: B256, text: &str) -> Result<(u8, B256)> {
        if text.trim().is_empty() {
            return Err(Error::Usage("an empty message says nothing".into()));
        }
        let on_chain = self.claims_call(IClaims::claimOfCall { claim }).await?;
        let parties = [on_chain.provider, on_chain.insurer];
        let ours = self.grantee();
        let other = parties.into_iter().find(|party| *party != ours);
        let other = other
            .filter(|_| parties.contains(&ours))
            .ok_or_else(|| not_ours(claim))?;
        let document = self
            .put_document(claim, "text/plain;charset=utf-8", text.as_bytes(), other)
            .await?;
        Ok((on_chain.serial, document))
    }

    async fn claim_serial(&self, claim: B256) -> Result<u8> {
        let on_chain = self.claims_call(IClaims::claimOfCall { claim }).await?;
        match on_chain.serial {
            0 => Err(not_ours(claim)),
            serial => Ok(serial),
        }
    }

    async fn claims_call<C: alloy::sol_types::SolCall>(&self, call: C) -> Result<C::Return> {
        self.chain.call(self.deployment.claims, call).await
    }
}

impl OpenChart {
    /// The chart's fingerprint key: derived by its controller, read by others where the controller left it. Each reading is in the chart's log.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where the patient has not shared it, or not with us.
    pub async fn fingerprint_key(&self, purpose: Purpose) -> Result<FingerprintKey> {
        let client = &self.client;
        let state = client.chart_state(self.id()).await?;
        if state.controller == client.address() {
            return Ok(FingerprintKey::derive(client.identity.root().expose(), self.id()));
        }
        let listed = client.gateway().await?.records(self.id(), Some(CLAIMS)).await?;
        for record in listed.iter().filter(|record| record.author == state.controller) {
            let on_chain = self.on_chain(record.record_id).await?;
            // Somebody else's key would make two fingerprints of one service.
            if on_chain.author != state.controller {
                continue;
            }
            let document = self.read(record.record_id, None, purpose).await?;
            if document.metadata.media_type == FINGERPRINT_MEDIA_TYPE {
                let key = FingerprintKey::from_slice(&document.content);
                return key.map_err(Error::unsuitable);
            }
        }
        Err(Error::Unsuitable(
            "the patient has not shared the chart's fingerprint key with you: they run `medlock claim share CHART`, and grant you the compartment of claims".into(),
        ))
    }
}

/// The number of a reason by its name.
///
/// # Errors
/// [`Error::Usage`], which lists the names.
pub fn claim_reason(name: &str) -> Result<u16> {
    number_of(&medlock_abi::terms::claim_reason::ALL, name)
}

/// What [`Client::record_claim_payment`] tells: keccak256(salt, reference).
#[must_use]
pub fn remittance(salt: B256, reference: &str) -> B256 {
    alloy::primitives::keccak256([salt.as_slice(), reference.as_bytes()].concat())
}

fn links(history: &ClaimHistory) -> Vec<Link> {
    let links = history.links.iter().map(|link| Link {
        recordId: link.record_id,
        pointer: link.pointer,
    });
    links.collect()
}

fn submission(history: &ClaimHistory) -> IClaims::NewClaim {
    let claim = &history.claim;
    IClaims::NewClaim {
        chart: claim.chart,
        insurer: claim.insurer,
        document: claim.document,
        fingerprint: claim.fingerprint,
        currency: claim.currency,
        billed: claim.billed,
        links: links(history),
    }
}

/// The event as the gateway tells of it; the claim's id proves all that matters of it.
fn submitted(history: &ClaimHistory) -> ClaimSubmitted {
    let claim = &history.claim;
    ClaimSubmitted {
        claim: claim.claim,
        chart: claim.chart,
        insurer: claim.insurer,
        provider: claim.provider,
        by: claim.submitted_by,
        document: claim.document,
        fingerprint: claim.fingerprint,
        currency: claim.currency,
        billed: claim.billed,
        links: links(history),
        currencyVersion: claim.currency_version,
        shared: claim.shared,
        previous: claim.previous.unwrap_or_default(),
        deadline: claim.deadline.unwrap_or_default(),
    }
}

fn last_decision(history: &ClaimHistory) -> Option<&ClaimStep> {
    history.steps.iter().rfind(|step| step.event == "Adjudicated")
}

/// 0: none.
fn reason_code(name: Option<&str>) -> u16 {
    name.and_then(claim_reason_code).unwrap_or(0)
}

fn adjudicated(claim: B256, step: &ClaimStep) -> Adjudicated {
    Adjudicated {
        claim,
        serial: step.serial,
        by: step.by,
        state: step.state.number(),
        amount: step.amount.unwrap_or_default(),
        reasonCode: reason_code(step.reason.as_deref()),
        document: step.document.unwrap_or_default(),
        deadline: step.deadline.unwrap_or_default(),
    }
}

fn not_ours(claim: B256) -> Error {
    Error::Unsuitable(format!("there is no claim {claim} of yours on this chain"))
}
