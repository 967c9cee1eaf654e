//! `claims`: what providers ask insurers to pay for services on a chart, how it is decided, and that it was paid.
//!
//! A claim's id is the hash of what was submitted, so storage keeps only what later steps need; whoever holds the submission
//! proves it by the id. Amounts are salted commitments, and documents digests: the contract decides who may take which step, from where and
//! until when, and that no service is billed twice, and learns neither. Each step names the claim's serial, so none runs twice and
//! none that was signed for an earlier state takes effect in a later one.
//!
//! Consent and credentials are looked at when a claim is submitted. Whoever loses theirs afterwards stays the party of the claims that stand: an
//! ended licence frees nobody from an answer, and a revoked grant takes no payment away.
//!
//! Implements [`IClaims`] of `medlock-abi`, which holds every event, error and struct. It must never learn an amount that is not paid in a
//! token, nor move a token but from the insurer who approved to the provider who claimed. Start reading at [`Claims`], then
//! `Claims::submit`; how a slot is packed stands in [`slots`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod slots;
#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U16, U32},
};
use alloy_sol_types::{SolCall, sol};
use medlock_abi::{
    claims::IClaims::{self, NewClaim},
    link::{self, Placeholder, linked},
    records::IRecords::{Question, decideCall, recordOfCall},
    registry::IRegistry::{hasRolesCall, mayActForCall},
    terms::{
        action,
        claim::{
            AMOUNT_MOST, APPEAL_DECISION_S, APPEAL_S, APPEALS_MOST, BATCH_MOST, CURRENCY_MOST, DECISION_S,
            INFORMATION_ROUNDS_MOST, INFORMATION_S, LINKS_MOST, PAYMENT_S, SCALE_MOST,
        },
        claim_reason,
        claim_state::{self as state, holds},
        purpose, record_status, role,
    },
};
use medlock_calls::{ask, log};
use stylus_sdk::{
    prelude::*,
    storage::{StorageB256, StorageMap},
};

use crate::slots::{ClaimHead, ClaimInsurer, Setting, Token};

sol! {
    /// ERC-20; many tokens answer with nothing.
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// States in which a decision is the insurer's to make, as bits.
const UNDECIDED: u16 = bit(state::RECEIVED) | bit(state::IN_REVIEW) | bit(state::APPEALED);
/// States that may lead to an appeal, while its window is open.
const APPEALABLE: u16 = bit(state::DENIED) | bit(state::PARTLY_APPROVED);
/// States in which an amount is approved.
const PAYABLE: u16 = bit(state::APPROVED) | bit(state::PARTLY_APPROVED);

/// Every error a method can answer with; the fields are documented in [`IClaims`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    NotActor(IClaims::NotActor),
    ZeroDigest(IClaims::ZeroDigest),
    BatchSize(IClaims::BatchSize),
    LinkCount(IClaims::LinkCount),
    CurrencyRange(IClaims::CurrencyRange),
    OwnClaim(IClaims::OwnClaim),
    UnknownRecord(IClaims::UnknownRecord),
    RecordStatus(IClaims::RecordStatus),
    StalePointer(IClaims::StalePointer),
    NoConsent(IClaims::NoConsent),
    NotCredentialed(IClaims::NotCredentialed),
    NotInsurer(IClaims::NotInsurer),
    CurrencyNotAccepted(IClaims::CurrencyNotAccepted),
    ClaimExists(IClaims::ClaimExists),
    DuplicateService(IClaims::DuplicateService),
    UnknownClaim(IClaims::UnknownClaim),
    NotParty(IClaims::NotParty),
    ClaimSerial(IClaims::ClaimSerial),
    ClaimState(IClaims::ClaimState),
    InformationRounds(IClaims::InformationRounds),
    MalformedDecision(IClaims::MalformedDecision),
    UnknownReasonCode(IClaims::UnknownReasonCode),
    NotOverdue(IClaims::NotOverdue),
    AppealWindowOver(IClaims::AppealWindowOver),
    AppealWindowOpen(IClaims::AppealWindowOpen),
    ZeroAmount(IClaims::ZeroAmount),
    AmountTooLarge(IClaims::AmountTooLarge),
    OtherAmount(IClaims::OtherAmount),
    NoToken(IClaims::NoToken),
    NotToken(IClaims::NotToken),
    TokenRefused(IClaims::TokenRefused),
    MalformedCurrency(IClaims::MalformedCurrency),
    InsurerSerial(IClaims::InsurerSerial),
    CurrencyVersion(IClaims::CurrencyVersion),
}

static RECORDS: Placeholder = link::RECORDS;
static REGISTRY: Placeholder = link::REGISTRY;
static RELAY: Placeholder = link::RELAY;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Claims {
    /// By id.
    claims: StorageMap<B256, Claim>,
    /// By keccak256(namespace, provider, fingerprint): the last claim for the service. The namespace is an insurer, or zero: what
    /// insurers share. The provider is in it, so nobody keeps out another's claim.
    services: StorageMap<B256, StorageB256>,
    /// See [`Setting`]: serial, and whether it shares.
    insurers: StorageMap<Address, StorageB256>,
    /// By insurer, then ISO 4217 number.
    currencies: StorageMap<Address, StorageMap<U16, Currency>>,
}

#[storage]
pub struct Claim {
    /// See [`ClaimHead`].
    head: StorageB256,
    /// See [`ClaimInsurer`].
    insurer: StorageB256,
    /// Commitment to what the last decision approves; zero: nothing.
    amount: StorageB256,
}

#[storage]
pub struct Currency {
    /// See [`Setting`]: the latest version, and whether it is accepted.
    latest: StorageB256,
    /// By version; see [`Token`]. Kept, so that what was promised when a claim was submitted is what it is paid in.
    tokens: StorageMap<U32, StorageB256>,
}

/// (provider, insurer, state, serial, currency, currency version, submitted at, deadline, rounds, appeals, reason code, amount).
type ClaimFacts = (Address, Address, u8, u8, u16, u32, u64, u64, u8, u8, u16, B256);

#[public]
impl Claims {
    /// (records, registry, relay).
    pub fn neighbours(&self) -> (Address, Address, Address) {
        (linked(&RECORDS), linked(&REGISTRY), linked(&RELAY))
    }

    /// Submits claims of one provider, all or none. By a credentialed provider; `organisation`: the provider, whom the actor is a member of.
    /// Each rests on current records of its chart, in the versions named, which the chart lets the insurer read for payment at
    /// this moment; goes to a current insurer in a currency that it accepts; and is for a service that no other claim holds with this
    /// insurer or, where it shares, with any that did when theirs was submitted.
    ///
    /// # Errors
    /// `NotActor`, `BatchSize`; for each claim `ZeroDigest`, `CurrencyRange`, `LinkCount`, `OwnClaim`, `UnknownRecord`, `RecordStatus`,
    /// `StalePointer`, `NoConsent`, `NotInsurer`; `NotCredentialed`; for each claim `ClaimExists`, `CurrencyNotAccepted`, `DuplicateService`.
    /// # Events
    /// `ClaimSubmitted` for each, in the order given.
    pub fn submit_claims(&mut self, actor: Address, organisation: Address, claims: Vec<NewClaim>) -> Result<(), Error> {
        self.require_actor(actor)?;
        if claims.is_empty() || claims.len() > BATCH_MOST {
            return Err(IClaims::BatchSize {
                // Calldata of 2^32 claims cannot be paid for.
                given: claims.len() as u32,
                most: BATCH_MOST as u32,
            }
            .into());
        }
        let provider = if organisation.is_zero() { actor } else { organisation };
        let mut asked = None;
        for claim in &claims {
            require_form(claim, provider)?;
            self.require_consent(claim)?;
            // Most batches go to one.
            let insurer = claim.insurer;
            if asked != Some(insurer) {
                asked = Some(insurer);
                if !self.is_credentialed(insurer, insurer, role::INSURER) {
                    return Err(IClaims::NotInsurer { insurer }.into());
                }
            }
        }
        self.require_credentialed(actor, provider, role::PROVIDER)?;
        for claim in claims {
            // A service or a claim that stands twice in the batch is found here; the revert takes back what was written before it.
            self.submit(actor, provider, claim)?;
        }
        Ok(())
    }

    /// Tells the provider that the claim is being looked at; the deadline stays. By the insurer or its member.
    ///
    /// # Errors
    /// `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`.
    /// # Events
    /// `ReviewBegun`.
    pub fn begin_review(&mut self, actor: Address, claim: B256, serial: u8) -> Result<(), Error> {
        let from = bit(state::RECEIVED) | bit(state::APPEALED);
        let (head, _) = self.require_insurers(actor, claim, serial, from)?;
        let serial = self.step(claim, head, state::IN_REVIEW, head.deadline);
        log(
            self.vm(),
            IClaims::ReviewBegun {
                claim,
                serial,
                by: actor,
            },
        );
        Ok(())
    }

    /// Asks the provider for more. By the insurer or its member, at most three times for a claim.
    ///
    /// # Errors
    /// `ZeroDigest`, `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`, `InformationRounds`.
    /// # Events
    /// `InformationRequested`.
    pub fn request_information(
        &mut self,
        actor: Address,
        claim: B256,
        serial: u8,
        document: B256,
    ) -> Result<(), Error> {
        require_digest(document)?;
        let (mut head, _) = self.require_insurers(actor, claim, serial, UNDECIDED)?;
        if head.rounds == INFORMATION_ROUNDS_MOST {
            return Err(IClaims::InformationRounds {
                most: INFORMATION_ROUNDS_MOST,
            }
            .into());
        }
        head.rounds += 1;
        let deadline = self.now() + INFORMATION_S;
        let serial = self.step(claim, head, state::INFORMATION_REQUESTED, deadline);
        log(
            self.vm(),
            IClaims::InformationRequested {
                claim,
                serial,
                by: actor,
                document,
                deadline,
            },
        );
        Ok(())
    }

    /// Gives what was asked for, late or not, while the insurer has not closed the claim. By the provider or its member.
    ///
    /// # Errors
    /// `ZeroDigest`, `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`.
    /// # Events
    /// `InformationProvided`.
    pub fn provide_information(
        &mut self,
        actor: Address,
        claim: B256,
        serial: u8,
        document: B256,
    ) -> Result<(), Error> {
        require_digest(document)?;
        let head = self.require_providers(actor, claim, serial, bit(state::INFORMATION_REQUESTED))?;
        let deadline = self.now() + DECISION_S;
        let serial = self.step(claim, head, state::IN_REVIEW, deadline);
        log(
            self.vm(),
            IClaims::InformationProvided {
                claim,
                serial,
                by: actor,
                document,
                deadline,
            },
        );
        Ok(())
    }

    /// Decides: all, a part, or nothing. By the insurer or its member, late or not, while the provider has not closed the claim. After the last
    /// appeal there is no window for another.
    ///
    /// # Errors
    /// `MalformedDecision`, `UnknownReasonCode`, `ZeroDigest`, `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`.
    /// # Events
    /// `Adjudicated`.
    #[allow(clippy::too_many_arguments)]
    pub fn adjudicate(
        &mut self,
        actor: Address,
        claim: B256,
        serial: u8,
        state: u8,
        amount: B256,
        reason_code: u16,
        document: B256,
    ) -> Result<(), Error> {
        let (has_amount, has_reason) = match state {
            state::APPROVED => (true, false),
            state::PARTLY_APPROVED => (true, true),
            state::DENIED => (false, true),
            _ => return Err(IClaims::MalformedDecision {}.into()),
        };
        if amount.is_zero() == has_amount || (reason_code != 0) != has_reason {
            return Err(IClaims::MalformedDecision {}.into());
        }
        if has_reason {
            require_reason(reason_code)?;
        }
        require_digest(document)?;
        let (head, insurer) = self.require_insurers(actor, claim, serial, UNDECIDED)?;
        let decision = Decision {
            state,
            amount,
            reason_code,
            document,
        };
        self.write_decision(actor, claim, head, insurer, decision);
        Ok(())
    }

    /// Asks for another decision. By the provider or its member, until the deadline that the decision has set; at most twice for a claim.
    ///
    /// # Errors
    /// `ZeroDigest`, `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`, `AppealWindowOver`.
    /// # Events
    /// `Appealed`.
    pub fn appeal(&mut self, actor: Address, claim: B256, serial: u8, document: B256) -> Result<(), Error> {
        require_digest(document)?;
        let mut head = self.require_providers(actor, claim, serial, APPEALABLE)?;
        let now = self.now();
        if now >= head.deadline {
            return Err(IClaims::AppealWindowOver {
                deadline: head.deadline,
            }
            .into());
        }
        // Below APPEALS_MOST: the decision on the last one left no window.
        head.appeals += 1;
        let deadline = now + APPEAL_DECISION_S;
        let serial = self.step(claim, head, state::APPEALED, deadline);
        log(
            self.vm(),
            IClaims::Appealed {
                claim,
                serial,
                by: actor,
                document,
                deadline,
            },
        );
        Ok(())
    }

    /// Ends the wait for who is overdue: by the provider, where the insurer has not decided; by the insurer, where the
    /// provider has not given information. What was approved in part before an appeal stands, all else is denied; either may be
    /// appealed as the insurer's own decision.
    ///
    /// # Errors
    /// `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`, `NotOverdue`.
    /// # Events
    /// `Adjudicated`.
    pub fn close_overdue(&mut self, actor: Address, claim: B256, serial: u8) -> Result<(), Error> {
        self.require_actor(actor)?;
        let head = self.require_claim(claim)?;
        let insurer = self.insurer_word(claim);
        let owes_information = head.state == state::INFORMATION_REQUESTED;
        let (waits, reason_code) = if owes_information {
            (insurer.insurer, claim_reason::NO_INFORMATION)
        } else {
            (head.provider, claim_reason::NO_ANSWER)
        };
        self.require_party(actor, waits)?;
        require_step(claim, &head, serial, UNDECIDED | bit(state::INFORMATION_REQUESTED))?;
        if self.now() < head.deadline {
            return Err(IClaims::NotOverdue {
                deadline: head.deadline,
            }
            .into());
        }
        let amount = self.claims.getter(claim).amount.get();
        let state = if amount.is_zero() {
            state::DENIED
        } else {
            state::PARTLY_APPROVED
        };
        let decision = Decision {
            state,
            amount,
            reason_code,
            document: B256::ZERO,
        };
        self.write_decision(actor, claim, head, insurer, decision);
        Ok(())
    }

    /// Gives up the appeal, so that the part is paid without waiting for the window to end, and the time for the payment begins. By the provider
    /// or its member.
    ///
    /// # Errors
    /// `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`.
    /// # Events
    /// `PartAccepted`.
    pub fn accept_part(&mut self, actor: Address, claim: B256, serial: u8) -> Result<(), Error> {
        let head = self.require_providers(actor, claim, serial, bit(state::PARTLY_APPROVED))?;
        let deadline = self.now() + PAYMENT_S;
        let serial = self.step(claim, head, state::APPROVED, deadline);
        log(
            self.vm(),
            IClaims::PartAccepted {
                claim,
                serial,
                by: actor,
                deadline,
            },
        );
        Ok(())
    }

    /// States that the approved amount was paid outside of the chain. By the insurer or its member; of a part only once the
    /// provider cannot appeal any more, or payment would take the appeal away.
    ///
    /// # Errors
    /// `ZeroDigest`, `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`, `AppealWindowOpen`.
    /// # Events
    /// `Paid`.
    pub fn record_payment(&mut self, actor: Address, claim: B256, serial: u8, remittance: B256) -> Result<(), Error> {
        require_digest(remittance)?;
        let (head, _) = self.require_payable(actor, claim, serial)?;
        let serial = self.step(claim, head, state::PAID, 0);
        log(
            self.vm(),
            IClaims::Paid {
                claim,
                serial,
                by: actor,
                remittance,
            },
        );
        Ok(())
    }

    /// Pays the approved amount from the insurer's account to the provider's, in the token that the insurer had for the currency when
    /// the claim was submitted, and out of the allowance that it has given this contract. By the insurer or its member, as `recordPayment`.
    /// The amount is the one that was committed to, so who may call decides when it is paid, and nothing else.
    ///
    /// # Errors
    /// `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`, `AppealWindowOpen`, `OtherAmount`, `ZeroAmount`, `AmountTooLarge`,
    /// `NoToken`, `TokenRefused`, `NotToken`.
    /// # Events
    /// `PaidInToken`.
    pub fn pay_in_token(
        &mut self,
        actor: Address,
        claim: B256,
        serial: u8,
        amount: U256,
        salt: B256,
    ) -> Result<(), Error> {
        let (head, insurer) = self.require_payable(actor, claim, serial)?;
        let opened = self.hash(&[claim, amount.into(), salt]);
        if opened != self.claims.getter(claim).amount.get() {
            return Err(IClaims::OtherAmount {}.into());
        }
        if amount.is_zero() {
            return Err(IClaims::ZeroAmount {}.into());
        }
        let most = U256::from(AMOUNT_MOST);
        if amount > most {
            return Err(IClaims::AmountTooLarge { amount, most }.into());
        }
        let Token { token, scale } = self.token(insurer.insurer, head.currency, insurer.currency_version);
        if token.is_zero() {
            return Err(IClaims::NoToken {
                insurer: insurer.insurer,
                currency: head.currency,
            }
            .into());
        }
        // Below 2^64 times 10^36.
        let value = (0..scale).fold(amount, |value, _| value * U256::from(10));

        let serial = self.step(claim, head, state::PAID, 0);
        log(
            self.vm(),
            IClaims::PaidInToken {
                claim,
                serial,
                by: actor,
                token,
                value,
            },
        );
        self.transfer(token, insurer.insurer, head.provider, value)
    }

    /// Takes an approval or a payment back; how the money returns is between the parties. By the insurer or its member. The service is free:
    /// the provider may claim it again.
    ///
    /// # Errors
    /// `UnknownReasonCode`, `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`.
    /// # Events
    /// `Reversed`.
    pub fn reverse_claim(&mut self, actor: Address, claim: B256, serial: u8, reason_code: u16) -> Result<(), Error> {
        require_reason(reason_code)?;
        let (head, insurer) = self.require_insurers(actor, claim, serial, PAYABLE | bit(state::PAID))?;
        let serial = self.step(claim, head, state::REVERSED, 0);
        self.write_reason(claim, insurer, reason_code);
        log(
            self.vm(),
            IClaims::Reversed {
                claim,
                serial,
                by: actor,
                reasonCode: reason_code,
            },
        );
        Ok(())
    }

    /// Takes a claim back before it is decided, or gives up the appeal; the service is free. Not what is approved: the insurer may
    /// be paying it. By the provider or its member.
    ///
    /// # Errors
    /// `NotActor`, `UnknownClaim`, `NotParty`, `ClaimSerial`, `ClaimState`, `AppealWindowOver`.
    /// # Events
    /// `Withdrawn`.
    pub fn withdraw(&mut self, actor: Address, claim: B256, serial: u8) -> Result<(), Error> {
        let from = UNDECIDED | bit(state::INFORMATION_REQUESTED) | APPEALABLE;
        let head = self.require_providers(actor, claim, serial, from)?;
        if APPEALABLE & bit(head.state) != 0 && self.now() >= head.deadline {
            return Err(IClaims::AppealWindowOver {
                deadline: head.deadline,
            }
            .into());
        }
        let serial = self.step(claim, head, state::WITHDRAWN, 0);
        log(
            self.vm(),
            IClaims::Withdrawn {
                claim,
                serial,
                by: actor,
            },
        );
        Ok(())
    }

    /// (provider, insurer, state, serial, currency, currency version, submitted at, deadline, rounds, appeals, reason code, amount).
    pub fn claim_of(&self, claim: B256) -> ClaimFacts {
        let head = self.head(claim);
        let insurer = self.insurer_word(claim);
        (
            head.provider,
            insurer.insurer,
            head.state,
            head.serial,
            head.currency,
            insurer.currency_version,
            insurer.submitted_at,
            head.deadline,
            head.rounds,
            head.appeals,
            insurer.reason_code,
            self.claims.getter(claim).amount.get(),
        )
    }

    /// The id that this claim of this provider has, or would have.
    pub fn claim_id_of(&self, provider: Address, claim: NewClaim) -> B256 {
        self.id(provider, &claim)
    }

    /// (claim, holds): the last claim for this service there, and whether it keeps others out at present.
    pub fn service_of(&self, namespace: Address, provider: Address, fingerprint: B256) -> (B256, bool) {
        let claim = self.services.get(self.service(namespace, provider, fingerprint));
        (claim, self.holds(&self.head(claim)))
    }

    /// Joins the registry that insurers share, or leaves it, for claims from now on: what was submitted before stays where it is, and holds
    /// there. By an insurer or its member.
    ///
    /// # Errors
    /// `NotActor`, `NotCredentialed`, `InsurerSerial`.
    /// # Events
    /// `InsurerSet`.
    pub fn set_insurer(&mut self, actor: Address, insurer: Address, serial: u32, shared: bool) -> Result<(), Error> {
        self.require_actor(actor)?;
        self.require_credentialed(actor, insurer, role::INSURER)?;
        let held = self.setting(insurer);
        if serial != held.number {
            return Err(IClaims::InsurerSerial {
                given: serial,
                current: held.number,
            }
            .into());
        }
        let setting = Setting {
            // One more each transaction: 2^32 of them cannot be paid for.
            number: serial + 1,
            yes: shared,
        };
        self.insurers.setter(insurer).set(setting.to_word());
        log(
            self.vm(),
            IClaims::InsurerSet {
                insurer,
                serial: setting.number,
                shared,
                by: actor,
            },
        );
        Ok(())
    }

    /// (serial, shared).
    pub fn insurer_of(&self, insurer: Address) -> (u32, bool) {
        let setting = self.setting(insurer);
        (setting.number, setting.yes)
    }

    /// Accepts a currency, with a token that stands for it or without one, or does not accept it any more. By an insurer or its member. Claims
    /// that stand keep the version under which they were submitted.
    ///
    /// # Errors
    /// `NotActor`, `CurrencyRange`, `MalformedCurrency`, `NotToken`, `NotCredentialed`, `CurrencyVersion`.
    /// # Events
    /// `CurrencySet`.
    #[allow(clippy::too_many_arguments)]
    pub fn set_currency(
        &mut self,
        actor: Address,
        insurer: Address,
        currency: u16,
        version: u32,
        accepted: bool,
        token: Address,
        scale: u8,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        require_currency(currency)?;
        let has_token = !token.is_zero();
        if scale > SCALE_MOST || has_token && !accepted || scale != 0 && !has_token {
            return Err(IClaims::MalformedCurrency {}.into());
        }
        if has_token {
            self.require_code(token)?;
        }
        self.require_credentialed(actor, insurer, role::INSURER)?;
        // One more each transaction: 2^32 of them cannot be paid for.
        let next = self.latest(insurer, currency).number + 1;
        if version != next {
            return Err(IClaims::CurrencyVersion { given: version, next }.into());
        }

        let setting = Setting {
            number: version,
            yes: accepted,
        };
        let mut of_insurer = self.currencies.setter(insurer);
        let mut slots = of_insurer.setter(U16::from(currency));
        slots.latest.set(setting.to_word());
        if has_token {
            let token = Token { token, scale };
            slots.tokens.setter(U32::from(version)).set(token.to_word());
        }
        log(
            self.vm(),
            IClaims::CurrencySet {
                insurer,
                currency,
                version,
                accepted,
                token,
                scale,
                by: actor,
            },
        );
        Ok(())
    }

    /// (latest version, accepted).
    pub fn currency_of(&self, insurer: Address, currency: u16) -> (u32, bool) {
        let setting = self.latest(insurer, currency);
        (setting.number, setting.yes)
    }

    /// (token, scale).
    pub fn token_of(&self, insurer: Address, currency: u16, version: u32) -> (Address, u8) {
        let Token { token, scale } = self.token(insurer, currency, version);
        (token, scale)
    }
}

struct Decision {
    state: u8,
    amount: B256,
    reason_code: u16,
    document: B256,
}

impl Claims {
    fn now(&self) -> u64 {
        self.vm().block_timestamp()
    }

    /// The caller is who acts, or the relay, which has checked their signature.
    fn require_actor(&self, actor: Address) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        if caller != actor && caller != linked(&RELAY) {
            return Err(IClaims::NotActor { caller, actor }.into());
        }
        Ok(())
    }

    /// The linked records are current, in the versions named, and the chart lets the insurer read each for payment. What is not answered is a no.
    fn require_consent(&self, claim: &NewClaim) -> Result<(), Error> {
        let records = linked(&RECORDS);
        for link in &claim.links {
            let record_id = link.recordId;
            let question = recordOfCall {
                chart: claim.chart,
                recordId: record_id,
            };
            let Some(record) = ask(self.vm(), records, &question).filter(|record| record.version != 0) else {
                return Err(IClaims::UnknownRecord { recordId: record_id }.into());
            };
            if record.status != record_status::CURRENT {
                return Err(IClaims::RecordStatus {
                    recordId: record_id,
                    status: record.status,
                }
                .into());
            }
            if record.pointer != link.pointer {
                return Err(IClaims::StalePointer {
                    given: link.pointer,
                    current: record.pointer,
                }
                .into());
            }
            let question = decideCall {
                question: Question {
                    chart: claim.chart,
                    grantee: claim.insurer,
                    member: Address::ZERO,
                    compartment: record.compartment,
                    recordId: record_id,
                    purpose: purpose::HPAYMT,
                    action: action::READ,
                },
            };
            let reason = match ask(self.vm(), records, &question) {
                Some(answer) if answer.allowed => continue,
                Some(answer) => answer.reason,
                None => 0,
            };
            return Err(IClaims::NoConsent {
                recordId: record_id,
                reason,
            }
            .into());
        }
        Ok(())
    }

    fn submit(&mut self, actor: Address, provider: Address, new: NewClaim) -> Result<(), Error> {
        let claim = self.id(provider, &new);
        if self.head(claim).state != 0 {
            return Err(IClaims::ClaimExists { claim }.into());
        }
        let currency = self.latest(new.insurer, new.currency);
        if !currency.yes {
            return Err(IClaims::CurrencyNotAccepted {
                insurer: new.insurer,
                currency: new.currency,
            }
            .into());
        }
        let shared = self.setting(new.insurer).yes;
        let own = self.service(new.insurer, provider, new.fingerprint);
        let everybodys = self.service(Address::ZERO, provider, new.fingerprint);
        let (in_own, in_everybodys) = (self.services.get(own), self.services.get(everybodys));
        if self.holds(&self.head(in_own)) {
            return Err(IClaims::DuplicateService { claim: in_own }.into());
        }
        // There an insurer that has left still meets the claims that it has there.
        let is_looked_at = shared || self.insurer_word(in_everybodys).insurer == new.insurer;
        if is_looked_at && self.holds(&self.head(in_everybodys)) {
            return Err(IClaims::DuplicateService { claim: in_everybodys }.into());
        }

        let now = self.now();
        let head = ClaimHead {
            provider,
            state: state::RECEIVED,
            serial: 1,
            deadline: now + DECISION_S,
            currency: new.currency,
            rounds: 0,
            appeals: 0,
        };
        let insurer = ClaimInsurer {
            insurer: new.insurer,
            submitted_at: now,
            currency_version: currency.number,
            reason_code: 0,
        };
        let mut slots = self.claims.setter(claim);
        slots.head.set(head.to_word());
        slots.insurer.set(insurer.to_word());
        let (service, previous) = if shared {
            (everybodys, in_everybodys)
        } else {
            (own, in_own)
        };
        self.services.setter(service).set(claim);
        log(
            self.vm(),
            IClaims::ClaimSubmitted {
                claim,
                chart: new.chart,
                insurer: new.insurer,
                provider,
                by: actor,
                document: new.document,
                fingerprint: new.fingerprint,
                currency: new.currency,
                billed: new.billed,
                links: new.links,
                currencyVersion: currency.number,
                shared,
                previous,
                deadline: head.deadline,
            },
        );
        Ok(())
    }

    /// Writes and announces a decision, with the time for the payment, or else the window for an appeal where there can be one.
    fn write_decision(
        &mut self,
        actor: Address,
        claim: B256,
        head: ClaimHead,
        insurer: ClaimInsurer,
        decision: Decision,
    ) {
        let now = self.now();
        let deadline = match decision.state {
            state::APPROVED => now + PAYMENT_S,
            _ if head.appeals < APPEALS_MOST => now + APPEAL_S,
            _ => now,
        };
        let serial = self.step(claim, head, decision.state, deadline);
        self.write_reason(claim, insurer, decision.reason_code);
        self.claims.setter(claim).amount.set(decision.amount);
        log(
            self.vm(),
            IClaims::Adjudicated {
                claim,
                serial,
                by: actor,
                state: decision.state,
                amount: decision.amount,
                reasonCode: decision.reason_code,
                document: decision.document,
                deadline,
            },
        );
    }

    /// The last thing of a payment: the claim is written as paid, so a token that calls back finds nothing to be paid. A token answers
    /// with a word that is 1 or, where it is old, with nothing.
    fn transfer(&mut self, token: Address, from: Address, to: Address, value: U256) -> Result<(), Error> {
        let data = transferFromCall { from, to, value }.abi_encode();
        let context = Call::new_mutating(self);
        let Ok(answer) = call(self.vm(), context, token, &data) else {
            return Err(IClaims::TokenRefused { token }.into());
        };
        if answer.is_empty() {
            return self.require_code(token);
        }
        if answer.get(..32) != Some(B256::with_last_byte(1).as_slice()) {
            return Err(IClaims::TokenRefused { token }.into());
        }
        Ok(())
    }

    /// Where there is no contract every call succeeds.
    fn require_code(&self, token: Address) -> Result<(), Error> {
        if self.vm().code_size(token) == 0 {
            return Err(IClaims::NotToken { token }.into());
        }
        Ok(())
    }

    /// Whether the registry says at this moment that the party has these roles and that the actor is the party, or a member of it.
    fn is_credentialed(&self, actor: Address, party: Address, roles: u64) -> bool {
        let registry = linked(&REGISTRY);
        let answer = if actor == party {
            ask(self.vm(), registry, &hasRolesCall { party, roles })
        } else {
            let question = mayActForCall {
                organisation: party,
                member: actor,
                roles,
            };
            ask(self.vm(), registry, &question)
        };
        answer.unwrap_or(false)
    }

    fn require_credentialed(&self, actor: Address, party: Address, roles: u64) -> Result<(), Error> {
        if !self.is_credentialed(actor, party, roles) {
            return Err(IClaims::NotCredentialed { actor, party, roles }.into());
        }
        Ok(())
    }

    /// The actor is the party or, at this moment, a member of it.
    fn require_party(&self, actor: Address, party: Address) -> Result<(), Error> {
        if actor != party && !self.is_credentialed(actor, party, 0) {
            return Err(IClaims::NotParty { actor, party }.into());
        }
        Ok(())
    }

    fn require_claim(&self, claim: B256) -> Result<ClaimHead, Error> {
        let head = self.head(claim);
        if head.state == 0 {
            return Err(IClaims::UnknownClaim { claim }.into());
        }
        Ok(head)
    }

    /// The actor may take a step of the provider's, from one of these states.
    fn require_providers(&self, actor: Address, claim: B256, serial: u8, from: u16) -> Result<ClaimHead, Error> {
        self.require_actor(actor)?;
        let head = self.require_claim(claim)?;
        self.require_party(actor, head.provider)?;
        require_step(claim, &head, serial, from)?;
        Ok(head)
    }

    /// The actor may take a step of the insurer's, from one of these states.
    fn require_insurers(
        &self,
        actor: Address,
        claim: B256,
        serial: u8,
        from: u16,
    ) -> Result<(ClaimHead, ClaimInsurer), Error> {
        self.require_actor(actor)?;
        let head = self.require_claim(claim)?;
        let insurer = self.insurer_word(claim);
        self.require_party(actor, insurer.insurer)?;
        require_step(claim, &head, serial, from)?;
        Ok((head, insurer))
    }

    /// An amount is approved, and the provider cannot appeal.
    fn require_payable(&self, actor: Address, claim: B256, serial: u8) -> Result<(ClaimHead, ClaimInsurer), Error> {
        let (head, insurer) = self.require_insurers(actor, claim, serial, PAYABLE)?;
        if head.state == state::PARTLY_APPROVED && self.now() < head.deadline {
            return Err(IClaims::AppealWindowOpen {
                deadline: head.deadline,
            }
            .into());
        }
        Ok((head, insurer))
    }

    /// See `claimIdOf`.
    fn id(&self, provider: Address, claim: &NewClaim) -> B256 {
        let links: Vec<_> = claim
            .links
            .iter()
            .flat_map(|link| [link.recordId, link.pointer])
            .collect();
        self.hash(&[
            provider.into_word(),
            claim.chart,
            claim.insurer.into_word(),
            claim.document,
            claim.fingerprint,
            U256::from(claim.currency).into(),
            claim.billed,
            self.hash(&links),
        ])
    }

    /// Where the claim for a service stands.
    fn service(&self, namespace: Address, provider: Address, fingerprint: B256) -> B256 {
        self.hash(&[namespace.into_word(), provider.into_word(), fingerprint])
    }

    fn hash(&self, words: &[B256]) -> B256 {
        self.vm().native_keccak256(&words.concat())
    }

    fn holds(&self, head: &ClaimHead) -> bool {
        holds(head.state, head.deadline, self.now())
    }

    fn head(&self, claim: B256) -> ClaimHead {
        ClaimHead::from_word(self.claims.getter(claim).head.get())
    }

    fn insurer_word(&self, claim: B256) -> ClaimInsurer {
        ClaimInsurer::from_word(self.claims.getter(claim).insurer.get())
    }

    fn setting(&self, insurer: Address) -> Setting {
        Setting::from_word(self.insurers.get(insurer))
    }

    fn latest(&self, insurer: Address, currency: u16) -> Setting {
        let of_insurer = self.currencies.getter(insurer);
        Setting::from_word(of_insurer.getter(U16::from(currency)).latest.get())
    }

    fn token(&self, insurer: Address, currency: u16, version: u32) -> Token {
        let of_insurer = self.currencies.getter(insurer);
        let slots = of_insurer.getter(U16::from(currency));
        Token::from_word(slots.tokens.get(U32::from(version)))
    }

    /// Moves the claim on, and gives its serial from now on.
    fn step(&mut self, claim: B256, head: ClaimHead, state: u8, deadline: u64) -> u8 {
        let next = ClaimHead {
            state,
            // Requests and appeals are few, and between two of them so are the steps: a claim has far less than 256.
            serial: head.serial + 1,
            deadline,
            ..head
        };
        self.claims.setter(claim).head.set(next.to_word());
        next.serial
    }

    fn write_reason(&mut self, claim: B256, insurer: ClaimInsurer, reason_code: u16) {
        if insurer.reason_code == reason_code {
            return;
        }
        let word = ClaimInsurer { reason_code, ..insurer }.to_word();
        self.claims.setter(claim).insurer.set(word);
    }
}

/// A state in a set of them.
const fn bit(state: u8) -> u16 {
    1 << state
}

fn require_digest(digest: B256) -> Result<(), Error> {
    if digest.is_zero() {
        return Err(IClaims::ZeroDigest {}.into());
    }
    Ok(())
}

fn require_currency(currency: u16) -> Result<(), Error> {
    if currency == 0 || currency > CURRENCY_MOST {
        return Err(IClaims::CurrencyRange { currency }.into());
    }
    Ok(())
}

/// One that an insurer may state.
fn require_reason(code: u16) -> Result<(), Error> {
    if !claim_reason::is_an_insurers(code) {
        return Err(IClaims::UnknownReasonCode { reasonCode: code }.into());
    }
    Ok(())
}

fn require_form(claim: &NewClaim, provider: Address) -> Result<(), Error> {
    require_digest(claim.document)?;
    require_digest(claim.fingerprint)?;
    require_digest(claim.billed)?;
    require_currency(claim.currency)?;
    if claim.links.is_empty() || claim.links.len() > LINKS_MOST {
        return Err(IClaims::LinkCount {
            // Calldata of 2^32 links cannot be paid for.
            given: claim.links.len() as u32,
            most: LINKS_MOST as u32,
        }
        .into());
    }
    if claim.insurer == provider {
        return Err(IClaims::OwnClaim { provider }.into());
    }
    Ok(())
}

/// The claim stands where the caller read it, and that is one of these states.
fn require_step(claim: B256, head: &ClaimHead, serial: u8, from: u16) -> Result<(), Error> {
    if serial != head.serial {
        return Err(IClaims::ClaimSerial {
            given: serial,
            current: head.serial,
        }
        .into());
    }
    if from & bit(head.state) == 0 {
        return Err(IClaims::ClaimState {
            claim,
            state: head.state,
        }
        .into());
    }
    Ok(())
}
