//! The electronic consent of one participant to one version of a trial.
//!
//! The document says what was consented to, by which account, at which site and when; its salted digest is the `document` word of
//! `ITrials.consent`. The participant keeps document and salt and shows them to whom they will: without the salt nobody can tell by
//! trying names who consented.

use std::fmt;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::json::{self, Unreadable};

/// The longest name that a participant types.
pub const NAME_BYTES_MAX: usize = 200;
/// The largest document: a name of escaped quotation marks alone, and the rest under 500 bytes.
pub const CONSENT_BYTES_MAX: usize = 1024;

const FORMAT: &str = "medlock/v1/trial/consent";

/// For HKDF-SHA256 (RFC 5869) over a participant's root secret: what derives the key of the account that takes part in this trial, and in
/// no other. Nothing that two trials see leads from one account to the other. A trial has the same id on every chain, and so the account.
#[must_use]
pub fn participant_key_info(trial: B256) -> Vec<u8> {
    [b"medlock/v1/trial/participant", trial.as_slice()].concat()
}

/// What a participant agreed to. `Debug` leaves the name out.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    pub trial: B256,
    /// The trial's, whose form it is.
    pub version: u8,
    /// The digest of the consent form that was shown.
    pub form: B256,
    pub site: Address,
    /// The participant's account for this trial.
    pub participant: Address,
    /// UNIX seconds by the participant's clock.
    pub at: u64,
    /// As the participant typed it, in the place of a signature; never needed.
    pub name: Option<Zeroizing<String>>,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent")
            .field("trial", &self.trial)
            .field("version", &self.version)
            .field("form", &self.form)
            .field("site", &self.site)
            .field("participant", &self.participant)
            .field("at", &self.at)
            .field("has_name", &self.name.is_some())
            .finish()
    }
}

/// What a consent must be, by the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub trial: B256,
    pub version: u8,
    /// The version's form.
    pub form: B256,
    pub site: Address,
    pub participant: Address,
    /// The word that the consent was given with.
    pub document: B256,
}

/// Why a document is not the consent that is wanted. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    #[error("the consent cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error(
        "the consent is not written canonically (RFC 8785), so its digest says nothing: take the file as it was made, unformatted"
    )]
    NotCanonical,
    #[error(
        "the name must have 1 to {NAME_BYTES_MAX} bytes and no control characters; leave it out to consent without"
    )]
    Name,
    #[error("a consent is to a version from 1; take the trial's current one")]
    Version,
    #[error("the time must fit in 40 bits: UNIX seconds, not milliseconds")]
    Time,
    #[error("the consent is for another trial")]
    OtherTrial,
    #[error("the consent is to version {given}, not to {expected}: ask for a consent to that one")]
    OtherVersion { given: u8, expected: u8 },
    #[error("the consent is to another form than the version's: the participant was shown something else")]
    OtherForm,
    #[error("the consent names another site")]
    OtherSite,
    #[error("the consent is another account's")]
    OtherParticipant,
    #[error("document and salt do not have the digest on chain: one of them was changed, or is another consent's")]
    OtherDigest,
}

impl Consent {
    /// The document, as RFC 8785 has it: one text for each consent.
    ///
    /// # Errors
    /// [`ConsentError::Name`], [`ConsentError::Version`], [`ConsentError::Time`].
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, ConsentError> {
        self.require_sound()?;
        // Large enough that the name is never left behind in a smaller buffer.
        let mut bytes = Zeroizing::new(Vec::with_capacity(CONSENT_BYTES_MAX));
        serde_json::to_writer(&mut *bytes, &Wire::of(self)).expect("a Vec takes all, and the names are text");
        Ok(bytes)
    }

    /// Reads what [`Self::to_json`] writes, and nothing else.
    ///
    /// # Errors
    /// [`ConsentError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ConsentError> {
        let wire: OwnedWire = json::read(bytes, CONSENT_BYTES_MAX)?;
        json::require_format(&wire.format, FORMAT)?;
        let consent = Self {
            trial: wire.trial,
            version: wire.version,
            form: wire.form,
            site: wire.site,
            participant: wire.participant,
            at: wire.at,
            name: wire.name,
        };
        if consent.to_json()?.as_slice() != bytes {
            return Err(ConsentError::NotCanonical);
        }
        Ok(consent)
    }

    /// The `document` word of `consent`. `salt`: random, for this consent alone; the participant keeps it with the document.
    ///
    /// # Errors
    /// As [`Self::to_json`].
    pub fn digest(&self, salt: &[u8; 32]) -> Result<B256, ConsentError> {
        Ok(salted_digest(salt, &self.to_json()?))
    }

    /// The consent, if it is the one that stands on chain.
    ///
    /// # Errors
    /// What differs first.
    pub fn check(bytes: &[u8], salt: &[u8; 32], expected: &Expected) -> Result<Self, ConsentError> {
        let consent = Self::read(bytes)?;
        if consent.trial != expected.trial {
            return Err(ConsentError::OtherTrial);
        }
        if consent.version != expected.version {
            return Err(ConsentError::OtherVersion {
                given: consent.version,
                expected: expected.version,
            });
        }
        if consent.form != expected.form {
            return Err(ConsentError::OtherForm);
        }
        if consent.site != expected.site {
            return Err(ConsentError::OtherSite);
        }
        if consent.participant != expected.participant {
            return Err(ConsentError::OtherParticipant);
        }
        if salted_digest(salt, bytes) != expected.document {
            return Err(ConsentError::OtherDigest);
        }
        Ok(consent)
    }

    fn require_sound(&self) -> Result<(), ConsentError> {
        if self.version == 0 {
            return Err(ConsentError::Version);
        }
        if self.at > medlock_abi::terms::TIME_MOST {
            return Err(ConsentError::Time);
        }
        match &self.name {
            Some(name) if !json::is_plain(name, NAME_BYTES_MAX) => Err(ConsentError::Name),
            _ => Ok(()),
        }
    }
}

/// The label and the salt have fixed lengths, so that no other salt and document have the same bytes.
fn salted_digest(salt: &[u8; 32], document: &[u8]) -> B256 {
    let digest = Sha256::new()
        .chain_update(FORMAT)
        .chain_update(salt)
        .chain_update(document);
    B256::from(<[u8; 32]>::from(digest.finalize()))
}

/// In the order of the names, which makes it canonical.
#[derive(Serialize)]
struct Wire<'a> {
    at: u64,
    form: B256,
    format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    participant: Address,
    site: Address,
    trial: B256,
    version: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedWire {
    at: u64,
    form: B256,
    format: String,
    #[serde(default, deserialize_with = "name")]
    name: Option<Zeroizing<String>>,
    participant: Address,
    site: Address,
    trial: B256,
    version: u8,
}

fn name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(json::present(deserializer)?.map(Zeroizing::new))
}

impl<'a> Wire<'a> {
    fn of(consent: &'a Consent) -> Self {
        Self {
            at: consent.at,
            form: consent.form,
            format: FORMAT,
            name: consent.name.as_ref().map(|name| name.as_str()),
            participant: consent.participant,
            site: consent.site,
            trial: consent.trial,
            version: consent.version,
        }
    }
}
