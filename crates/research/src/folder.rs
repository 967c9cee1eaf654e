//! A published trial: a folder with `trial.json`, which names all other files.
//!
//! ```text
//! trial.json            this index
//! protocol-1.pdf        of each version: protocol, plan (JSON), consent form; the plan's full text
//! plan-1.json
//! plan-1.pdf
//! form-1.pdf
//! batches/SITE-1.jsonl  each batch
//! results-0.json        each results file
//! ```
//!
//! The names are the index's to choose; it cannot lead out of the folder.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::json::{self, Unreadable};
use crate::trial;

/// The index's own name.
pub const INDEX: &str = "trial.json";
/// Room for some 50,000 batches.
pub const INDEX_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Of one folder: enough for each batch that an index can name. Whoever lists a folder stops here.
pub const FILES_MAX: usize = 100_000;
pub const NAME_BYTES_MAX: usize = 200;

const FORMAT: &str = "medlock/v1/trial/folder";

/// The files of a published trial: their names, relative and with `/` between, and how to get one's bytes.
///
/// `read` is asked for these names alone, one at a time; `None`: it could not be read.
pub struct Folder<'a> {
    names: BTreeSet<String>,
    read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

impl<'a> Folder<'a> {
    pub fn new(names: impl IntoIterator<Item = String>, read: &'a dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        Self {
            names: names.into_iter().collect(),
            read,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        (self.read)(self.names.get(name)?)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// `trial.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub trial: B256,
    pub sponsor: Address,
    /// The public registration number.
    pub registration: String,
    /// From version 1, all of them.
    pub versions: Vec<VersionFiles>,
    pub batches: Vec<BatchName>,
    pub results: Vec<ResultsName>,
}

/// Files of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionFiles {
    pub version: u8,
    pub protocol: String,
    pub plan: String,
    /// The full text that the plan names by digest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::present")]
    pub plan_document: Option<String>,
    pub form: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchName {
    pub site: Address,
    pub sequence: u32,
    pub file: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultsName {
    /// From 0.
    pub number: u8,
    pub file: String,
}

/// Why `trial.json` was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    #[error("trial.json cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("the registration number in trial.json is none: {0}")]
    Registration(#[from] trial::RegistrationError),
    #[error("trial.json must name the versions 1, 2, 3 and so on, once each; where {expected} belongs stands {given}")]
    Versions { given: u8, expected: u8 },
    #[error("trial.json names no version; name the files of version 1 at least")]
    NoVersions,
    #[error("trial.json names batch {sequence} of {site} twice")]
    BatchTwice { site: Address, sequence: u32 },
    #[error("trial.json names results {number} twice")]
    ResultsTwice { number: u8 },
    #[error(
        "trial.json names a file by a name that is refused; use letters, digits, '.', '_', '-' and '/', relative to the folder and without '..'"
    )]
    FileName,
}

impl Index {
    /// # Errors
    /// [`IndexError`].
    pub fn read(bytes: &[u8]) -> Result<Self, IndexError> {
        let wire: Wire = json::read(bytes, INDEX_BYTES_MAX)?;
        json::require_format(&wire.format, FORMAT)?;
        let index = Self {
            trial: wire.trial,
            sponsor: wire.sponsor,
            registration: wire.registration,
            versions: wire.versions,
            batches: wire.batches,
            results: wire.results,
        };
        index.require_sound()?;
        Ok(index)
    }

    /// # Errors
    /// [`IndexError`].
    pub fn to_json(&self) -> Result<String, IndexError> {
        self.require_sound()?;
        let index = self.clone();
        Ok(json::canonical(&Wire {
            format: FORMAT.to_owned(),
            trial: index.trial,
            sponsor: index.sponsor,
            registration: index.registration,
            versions: index.versions,
            batches: index.batches,
            results: index.results,
        }))
    }

    /// Every file that it names, as often as it does.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let versions = self.versions.iter().flat_map(|files| {
            [
                Some(&files.protocol),
                Some(&files.plan),
                files.plan_document.as_ref(),
                Some(&files.form),
            ]
        });
        let batches = self.batches.iter().map(|batch| &batch.file);
        let results = self.results.iter().map(|results| &results.file);
        versions.flatten().chain(batches).chain(results).map(String::as_str)
    }

    fn require_sound(&self) -> Result<(), IndexError> {
        trial::normalised_registration(&self.registration)?;
        if self.versions.is_empty() {
            return Err(IndexError::NoVersions);
        }
        for (files, place) in self.versions.iter().zip(1_usize..) {
            // The 256th stands where none belongs.
            let expected = u8::try_from(place).unwrap_or(0);
            if files.version != expected || expected == 0 {
                let given = files.version;
                return Err(IndexError::Versions { given, expected });
            }
        }
        let mut batches = BTreeSet::new();
        for &BatchName { site, sequence, .. } in &self.batches {
            if !batches.insert((site, sequence)) {
                return Err(IndexError::BatchTwice { site, sequence });
            }
        }
        let mut results = BTreeSet::new();
        for &ResultsName { number, .. } in &self.results {
            if !results.insert(number) {
                return Err(IndexError::ResultsTwice { number });
            }
        }
        if !self.files().all(is_name) {
            return Err(IndexError::FileName);
        }
        Ok(())
    }
}

/// A relative path that stays inside, on every system.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    name.len() <= NAME_BYTES_MAX && name.split('/').all(is_part)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    trial: B256,
    sponsor: Address,
    registration: String,
    versions: Vec<VersionFiles>,
    batches: Vec<BatchName>,
    results: Vec<ResultsName>,
}
