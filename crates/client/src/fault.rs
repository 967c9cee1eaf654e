//! Errors of our contracts, in words that say what to do.

use std::fmt;

use alloy::{primitives::Address, sol_types::SolInterface};
use medlock_abi::{
    claims::IClaims::IClaimsErrors, exceptions::IExceptions::IExceptionsErrors, records::IRecords::IRecordsErrors,
    registry::IRegistry::IRegistryErrors, relay::IRelay::IRelayErrors, supply::ISupply::ISupplyErrors, terms,
    trials::ITrials::ITrialsErrors,
};

/// An error of one of our contracts.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    Records(IRecordsErrors),
    Registry(IRegistryErrors),
    Relay(IRelayErrors),
    Exceptions(IExceptionsErrors),
    Claims(IClaimsErrors),
    Supply(ISupplyErrors),
    Trials(ITrialsErrors),
}

impl Fault {
    /// The interfaces share some selectors (`ZeroAddress`, ...); those decode as `Records`.
    pub fn decode(data: &[u8]) -> Option<Self> {
        IRecordsErrors::abi_decode(data)
            .map(Fault::Records)
            .or_else(|_| IRegistryErrors::abi_decode(data).map(Fault::Registry))
            .or_else(|_| IRelayErrors::abi_decode(data).map(Fault::Relay))
            .or_else(|_| IExceptionsErrors::abi_decode(data).map(Fault::Exceptions))
            .or_else(|_| IClaimsErrors::abi_decode(data).map(Fault::Claims))
            .or_else(|_| ISupplyErrors::abi_decode(data).map(Fault::Supply))
            .or_else(|_| ITrialsErrors::abi_decode(data).map(Fault::Trials))
            .ok()
    }
}

impl Fault {
    /// Its name in the ABI.
    pub fn name(&self) -> String {
        // Each interface has a function of its own for it, outside of the trait.
        macro_rules! name {
            ($($variant:ident $interface:ident)+) => {
                match self {
                    $(Fault::$variant(fault) => (fault.selector(), $interface::name_by_selector(fault.selector())),)+
                }
            };
        }
        let (selector, name) = name!(
            Records IRecordsErrors Registry IRegistryErrors Relay IRelayErrors Exceptions IExceptionsErrors
            Claims IClaimsErrors Supply ISupplyErrors Trials ITrialsErrors
        );
        name.map_or_else(|| hex::encode(selector), str::to_owned)
    }

    /// True where the contract said no to this caller, not to what it sent.
    pub fn is_refusal(&self) -> bool {
        use IClaimsErrors as C;
        use IExceptionsErrors as X;
        use IRecordsErrors as R;
        use IRegistryErrors as G;
        use ISupplyErrors as S;
        use ITrialsErrors as T;
        matches!(
            self,
            Fault::Claims(C::NotParty(_) | C::NotInsurer(_) | C::NoConsent(_) | C::NotCredentialed(_))
                | Fault::Supply(
                    S::NotCredentialed(_) | S::NotHolder(_) | S::NotReceiver(_) | S::NotSender(_) | S::MayNotRecall(_)
                )
                | Fault::Trials(
                    T::NotCredentialed(_) | T::NotSponsor(_) | T::NotSite(_) | T::NotParticipant(_) | T::OtherSite(_)
                )
                | Fault::Exceptions(
                    X::NoEmergencyAccess(_)
                        | X::NotCredentialed(_)
                        | X::CoolDown(_)
                        | X::NotController(_)
                        | X::NotActor(_)
                )
                | Fault::Records(
                    R::NotActor(_)
                        | R::UnknownChart(_)
                        | R::NotController(_)
                        | R::NotOffered(_)
                        | R::NotWriter(_)
                        | R::NotCredentialed(_)
                        | R::NoGrant(_)
                )
                | Fault::Registry(
                    G::NotActor(_)
                        | G::NotOwner(_)
                        | G::NotPendingOwner(_)
                        | G::NotIssuer(_)
                        | G::NotCredentialIssuer(_)
                        | G::NotOrganisation(_)
                )
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use IExceptionsErrors as X;
        use IRecordsErrors as R;
        use IRegistryErrors as G;
        match self {
            Fault::Records(fault) => match fault {
                R::UnknownChart(e) => write!(f, "there is no chart {} on this chain", e.chart),
                R::NotController(e) => write!(f, "{} does not control this chart", e.actor),
                R::NotOffered(e) => write!(f, "control of this chart is not offered to {}", e.actor),
                R::NotWriter(e) => write!(
                    f,
                    "{} may not write to compartment {}: {}",
                    e.actor,
                    e.compartment,
                    terms::reason::text(e.reason)
                ),
                R::NotCredentialed(e) => write!(
                    f,
                    "{} has no current provider credential; an issuer of the registry can issue one",
                    if e.organisation.is_zero() {
                        e.actor
                    } else {
                        e.organisation
                    }
                ),
                R::DirectoryVersion(e) => write!(
                    f,
                    "directory version {} was named, {} is expected: the chart's keys have been rotated",
                    e.given, e.expected
                ),
                R::RotationDue(e) => write!(
                    f,
                    "all grants of chart {} were ended, and its keys not rotated yet: its controller has to end them all again, which does the rest",
                    e.chart
                ),
                R::GrantEpoch(e) => write!(
                    f,
                    "grant epoch {} was named, {} is next: all grants were ended meanwhile, perhaps from another device",
                    e.given, e.expected
                ),
                R::StalePointer(_) => write!(f, "the record was amended since you read it: read it again first"),
                R::GrantSerial(_) => write!(
                    f,
                    "the grant was changed or ended since you read it, perhaps from another device: look again first"
                ),
                R::LastSerial(e) => write!(
                    f,
                    "{} has had as many grants as fit between two revocations: revoke first, then grant",
                    e.grantee
                ),
                R::RecordStatus(e) => write!(f, "record {} is {}", e.recordId, terms::record_status::text(e.status)),
                R::NoGrant(e) => write!(f, "{} has no grant on this chart", e.grantee),
                R::RecordExists(e) => write!(f, "record {} exists already", e.recordId),
                R::UnknownRecord(e) => write!(f, "there is no record {} in this chart", e.recordId),
                R::ChartExists(e) => write!(f, "chart {} exists already", e.chart),
                R::BatchSize(e) => {
                    write!(f, "a batch of {}; between 1 and {} are taken", e.given, e.most)
                }
                R::EmptyGrant(_) => write!(
                    f,
                    "the grant allows nothing: name a compartment, a purpose and an action"
                ),
                R::GrantWindow(e) => write!(
                    f,
                    "the grant would never be in force: it starts at {} and expires at {}",
                    e.notBefore, e.expiry
                ),
                R::GrantToController(_) => {
                    write!(f, "the grantee controls this chart and needs no grant")
                }
                other => write!(f, "{other:?}"),
            },
            Fault::Registry(fault) => match fault {
                G::NotOwner(e) => write!(f, "{} does not own the registry", e.caller),
                G::NotIssuer(e) => write!(f, "{} is not an issuer of the registry", e.caller),
                G::NoCredential(e) => write!(f, "{} has no credential", e.party),
                G::NotCredentialIssuer(e) => write!(
                    f,
                    "the credential is {}'s to decide about, or the registry owner's, not {}'s",
                    e.issuer, e.caller
                ),
                G::CredentialStatus(e) => write!(
                    f,
                    "the credential of {} is {}",
                    e.party,
                    terms::credential_status::text(e.status)
                ),
                G::IssuerEpochEnded(e) => write!(
                    f,
                    "{} was dismissed after it issued this credential; a new one must be issued",
                    e.issuer
                ),
                G::NotOrganisation(e) => write!(f, "{} has no current credential as an organisation", e.actor),
                G::NotMember(e) => write!(f, "{} is not a member of {}", e.member, e.organisation),
                G::MemberSerial(_) => write!(
                    f,
                    "the membership was changed since you read it, perhaps from another device: look again first"
                ),
                G::UnknownKey(e) => write!(f, "{} has published no key version {}", e.party, e.version),
                G::KeyAlreadyRevoked(e) => write!(f, "key version {} of {} is revoked already", e.version, e.party),
                G::ExpiryInPast(e) => {
                    write!(f, "the expiry {} is not after the chain's time {}", e.expiry, e.now)
                }
                other => write!(f, "{other:?}"),
            },
            Fault::Relay(fault) => match fault {
                IRelayErrors::BadSignature(e) => {
                    write!(
                        f,
                        "the signature is not that of {} for this chain and contract",
                        e.signer
                    )
                }
                IRelayErrors::SignatureExpired(e) => write!(
                    f,
                    "the signature was good until {}, and it is {} by now: do it again",
                    e.deadline, e.now
                ),
                IRelayErrors::SignatureCancelled(_) => {
                    write!(f, "what was signed before was cancelled, perhaps from another device")
                }
                other => write!(f, "{other:?}"),
            },
            Fault::Exceptions(fault) => match fault {
                X::NoEmergencyAccess(_) => {
                    write!(f, "the patient does not allow that the glass of this chart is broken")
                }
                X::NotCredentialed(e) => write!(
                    f,
                    "{} has no current provider credential, in person or by an organisation; an issuer of the registry can issue one",
                    e.actor
                ),
                X::CoolDown(e) => write!(
                    f,
                    "you have broken the glass of this chart within a day: again in {} minutes",
                    e.from.saturating_sub(crate::now()).div_ceil(60)
                ),
                X::EmergencySerial(_) => write!(
                    f,
                    "emergency access was changed since you read it, perhaps from another device: look again first"
                ),
                X::NotController(e) => write!(
                    f,
                    "{} does not control this chart, and has no power for this from who does",
                    e.actor
                ),
                X::NoEmergency(e) => write!(f, "{} has no open emergency on this chart", e.party),
                X::UnknownReasonCode(e) => write!(f, "there is no reason {}", e.reasonCode),
                X::EmptyEmergency(_) => write!(f, "name a compartment at least"),
                other => write!(f, "{other:?}"),
            },
            Fault::Claims(fault) => claims(fault, f),
            Fault::Supply(fault) => supply(fault, f),
            Fault::Trials(fault) => trials(fault, f),
        }
    }
}

fn uncredentialed(party: Address, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "{party} has no current credential for this; an issuer of the registry can issue one"
    )
}

fn claims(fault: &IClaimsErrors, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use IClaimsErrors as C;
    match fault {
        C::CurrencyRange(e) => write!(f, "{} is no ISO 4217 number", e.currency),
        C::OwnClaim(_) => write!(f, "nobody is the insurer of their own claim"),
        C::UnknownRecord(e) => write!(f, "the chart has no record {}", e.recordId),
        C::RecordStatus(e) => write!(f, "record {} is {}", e.recordId, terms::record_status::text(e.status)),
        C::StalePointer(_) => write!(f, "a linked record was amended since you read it: read it again first"),
        C::NoConsent(e) => write!(
            f,
            "the patient does not let this insurer read record {} for payment (HPAYMT): {}",
            e.recordId,
            terms::reason::text(e.reason)
        ),
        C::NotCredentialed(e) => uncredentialed(e.party, f),
        C::NotInsurer(e) => write!(f, "{} has no current credential as an insurer", e.insurer),
        C::CurrencyNotAccepted(e) => write!(f, "{} accepts no claims in currency {}", e.insurer, e.currency),
        C::ClaimExists(e) => write!(f, "this very claim was submitted before, as {}", e.claim),
        C::DuplicateService(e) => write!(
            f,
            "the service was claimed before, by claim {}: that one has to be withdrawn, reversed or denied for good first",
            e.claim
        ),
        C::UnknownClaim(e) => write!(f, "there is no claim {}", e.claim),
        C::NotParty(e) => write!(f, "this step is {}'s, or a member's of it", e.party),
        C::ClaimSerial(_) => write!(f, "the claim has moved on since you read it: look again first"),
        C::ClaimState(e) => write!(
            f,
            "the claim is {}: this step does not follow",
            terms::claim_state::text(e.state)
        ),
        C::InformationRounds(e) => write!(
            f,
            "information was requested {} times, which is the most: decide",
            e.most
        ),
        C::NotOverdue(e) => write!(f, "the other party has time until {}", e.deadline),
        C::AppealWindowOver(e) => write!(f, "the time for an appeal ended at {}", e.deadline),
        C::AppealWindowOpen(e) => write!(
            f,
            "the provider may appeal until {}, or accepts the part before",
            e.deadline
        ),
        C::OtherAmount(_) => write!(f, "amount and salt are not those that were approved"),
        C::NoToken(e) => write!(
            f,
            "{} had no token for currency {} when the claim was submitted",
            e.insurer, e.currency
        ),
        C::TokenRefused(e) => write!(
            f,
            "token {} did not transfer: look at the insurer's balance and allowance",
            e.token
        ),
        C::InsurerSerial(_) | C::CurrencyVersion(_) => {
            write!(
                f,
                "the insurer's settings were changed since you read them: look again first"
            )
        }
        other => write!(f, "{other:?}"),
    }
}

fn supply(fault: &ISupplyErrors, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use ISupplyErrors as S;
    match fault {
        S::NotCredentialed(e) => uncredentialed(e.actor, f),
        S::MalformedGtin(e) => write!(f, "{} is no GTIN: its check digit is another", e.gtin),
        S::ExpiryInPast(e) => write!(f, "the expiry {} is not after the chain's time {}", e.expiry, e.now),
        S::BatchExists(e) => write!(f, "this lot is registered already, as batch {}", e.batch),
        S::UnknownBatch(e) => write!(f, "there is no batch {}", e.batch),
        S::UnknownUnit(e) => write!(f, "no unit of the batch begins at package {}", e.unit),
        S::UnitMoved(e) => write!(f, "unit {} was offered since you read it: look again first", e.unit),
        S::NotHolder(e) => write!(f, "unit is {}'s, not {}'s", e.holder, e.actor),
        S::InTransit(e) => write!(f, "unit {} is in shipment {}, which is open", e.unit, e.shipment),
        S::UnitDecommissioned(e) => write!(f, "unit {} was taken out of the supply", e.unit),
        S::ShipmentToSelf(_) => write!(f, "a shipment goes to somebody else"),
        S::CustodyCycle(e) => write!(f, "{} has had unit {} before: it goes back as a return", e.to, e.unit),
        S::NotEarlierHolder(e) => write!(
            f,
            "{} has never had unit {}, so it does not go back there",
            e.to, e.unit
        ),
        S::TooManyHolders(e) => write!(f, "unit {} has had {} holders, which is the most", e.unit, e.most),
        S::BatchExpired(e) => write!(f, "the batch expired at {}", e.expiry),
        S::Recalled(e) => write!(f, "recalled, by recall {} of the batch", e.number),
        S::UnknownShipment(e) => write!(f, "there is no shipment {}", e.shipment),
        S::ShipmentNotOpen(e) => write!(f, "shipment {} was closed before", e.shipment),
        S::NotReceiver(e) => write!(f, "the shipment is for {}, not for {}", e.to, e.actor),
        S::NotSender(e) => write!(f, "the shipment is from {}, not from {}", e.from, e.actor),
        S::NotInUnit(e) => write!(
            f,
            "package {} is not in this unit, which has {} to {}",
            e.index, e.from, e.to
        ),
        S::NotInBatch(_) => write!(f, "the serial is not in this batch: never made, or another batch's"),
        S::AlreadyDispensed(e) => write!(
            f,
            "this serial was dispensed before, by {} at {}: one of the two packages is false",
            e.by, e.at
        ),
        S::MayNotRecall(e) => write!(f, "{} is neither the maker of the batch nor a regulator", e.actor),
        S::RecallNumber(_) => write!(f, "the batch was recalled since you read it: look again first"),
        other => write!(f, "{other:?}"),
    }
}

/// Of a trial, by its name.
fn state(state: u8) -> &'static str {
    let named = terms::trial::STATES.iter().find(|(_, number)| *number == state);
    named.map_or("in an unknown state", |(name, _)| name)
}

fn trials(fault: &ITrialsErrors, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use ITrialsErrors as T;
    match fault {
        T::NotCredentialed(e) => uncredentialed(e.actor, f),
        T::TrialExists(e) => write!(f, "this registration number is taken already, by trial {}", e.trial),
        T::UnknownTrial(e) => write!(f, "there is no trial {}", e.trial),
        T::NotSponsor(e) => write!(f, "the trial is {}'s, not {}'s", e.sponsor, e.actor),
        T::TrialState(e) => write!(f, "the trial is {}: this does not follow", state(e.state)),
        T::TrialVersion(e) => write!(
            f,
            "version {} was named, {} is expected: look again first",
            e.given, e.expected
        ),
        T::SiteSerial(_) => write!(f, "the site was set since you read it: look again first"),
        T::NotSite(e) => write!(f, "{} is no active site of this trial", e.site),
        T::NotParticipant(e) => write!(f, "{} has not consented to this trial", e.participant),
        T::OtherSite(e) => write!(f, "{} consented at site {}", e.participant, e.site),
        T::ConsentWithdrawn(e) => write!(f, "{} withdrew at {}, for good", e.participant, e.at),
        T::AlreadyConsented(e) => write!(f, "{} has consented to version {} already", e.participant, e.version),
        T::ConsentOutdated(e) => write!(
            f,
            "{} has consented to version {}, and version {} or later is wanted",
            e.participant, e.version, e.least
        ),
        T::AlreadyEnrolled(e) => write!(f, "{} is enrolled already, as number {}", e.participant, e.number),
        T::SequenceTaken(e) => write!(f, "site {} has anchored batch {} already", e.site, e.sequence),
        T::PeriodBeforeRegistration(_) => write!(f, "the data are from before the trial was registered"),
        T::PeriodInFuture(_) => write!(f, "the data's period ends in the future"),
        T::NotParticipating(e) => write!(
            f,
            "participant {} of the site was never enrolled, has withdrawn, or has not consented to what is wanted now",
            e.number
        ),
        T::BatchCount(e) => write!(
            f,
            "there are {} batches, {} were named: look again first",
            e.current, e.given
        ),
        other => write!(f, "{other:?}"),
    }
}
