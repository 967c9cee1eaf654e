//! Whether what was published of a trial is what was anchored, and whether the results are those that were planned.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use medlock_abi::terms;
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::batch::{Batch, BatchError, BatchFile, Header, Place};
use crate::chain::{ChainBatch, ChainResults, ChainTrial, ChainVersion};
use crate::finding::{Document, Finding, Severity};
use crate::folder::{self, Folder, Index, VersionFiles};
use crate::participants;
use crate::results::{Plan, Results, compare, compare_plans};
use crate::sites;
use crate::trial::{file_digest, registration_digest};

/// What was found, and how much was looked at. As JSON:
/// `{"trial":"0x…","sound":true,"findings":[{"severity","code","finding"}],"checked":{"documents","batches","rows","results","outcomes"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// By the chain's facts.
    pub trial: B256,
    /// In the order of the trial: facts, versions, batches, results, files left over.
    pub findings: Vec<Finding>,
    pub checked: Checked,
}

/// How much was there, and as it was anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Checked {
    /// Protocols, plans and forms.
    pub documents: u32,
    pub batches: u32,
    pub rows: u64,
    pub results: u32,
    /// Outcomes of results that were compared with a plan.
    pub outcomes: u32,
}

impl Report {
    /// Nothing is worse than a note.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.worst().is_none_or(|worst| worst == Severity::Note)
    }

    /// `None`: nothing was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).max()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Report", 4)?;
        object.serialize_field("trial", &self.trial)?;
        object.serialize_field("sound", &self.is_sound())?;
        object.serialize_field("findings", &self.findings)?;
        object.serialize_field("checked", &self.checked)?;
        object.end()
    }
}

/// Checks a published trial against the chain's facts. All is looked at, whatever was found before.
#[must_use]
pub fn verify(chain: &ChainTrial, folder: &Folder<'_>) -> Report {
    let contradictions = chain.contradictions();
    let mut check = Check {
        chain,
        folder,
        report: Report {
            trial: chain.trial,
            findings: contradictions.into_iter().map(Finding::Contradiction).collect(),
            checked: Checked::default(),
        },
        plans: BTreeMap::new(),
    };
    check.chain_notes();
    if let Some(index) = check.index() {
        check.versions(&index);
        check.batches(&index);
        check.results(&index);
        check.left_over(&index);
    }
    check.report
}

struct Check<'a> {
    chain: &'a ChainTrial,
    folder: &'a Folder<'a>,
    report: Report,
    /// Those that are as registered, by version.
    plans: BTreeMap<u8, Plan>,
}

impl Check<'_> {
    fn found(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    /// What the chain itself declares.
    fn chain_notes(&mut self) {
        let chain = self.chain;
        let namesakes = chain.namesakes();
        let twice = namesakes.map(|(trial, sponsor)| Finding::RegisteredTwice { trial, sponsor });
        self.report.findings.extend(twice);
        self.amendments();
        self.marks();
        self.report.findings.extend(sites::findings(chain));
        self.conclusion();
    }

    fn amendments(&mut self) {
        let chain = self.chain;
        for (version, number) in numbered(&chain.versions)
            .skip(1)
            .filter(|(version, _)| version.enrolled_then > 0)
        {
            // Batches of the same second count as before: better one too many in a note.
            let before = chain.batches.iter().filter(|batch| batch.anchored_at <= version.at);
            self.found(Finding::AmendedAfterEnrolment {
                version: number,
                enrolled: version.enrolled_then,
                batches: u32::try_from(before.count()).unwrap_or(u32::MAX),
                reason_code: version.reason_code,
            });
        }
    }

    fn marks(&mut self) {
        let chain = self.chain;
        for batch in &chain.batches {
            let (site, sequence) = (batch.site, batch.sequence);
            for flag in (0..u8::BITS).map(|bit| 1 << bit).filter(|flag| batch.flags & flag != 0) {
                self.found(Finding::Marked { site, sequence, flag });
            }
        }
    }

    fn conclusion(&mut self) {
        let chain = self.chain;
        match &chain.lock {
            None => self.found(Finding::NotLocked),
            Some(_) if chain.results.is_empty() => self.found(Finding::NoResults),
            Some(_) => {}
        }
        if let [earlier @ .., last] = &chain.results[..] {
            for results in earlier {
                let (number, by) = (results.number, last.number);
                self.found(Finding::Corrected { number, by });
            }
        }
    }

    fn index(&mut self) -> Option<Index> {
        let Some(bytes) = self.folder.get(folder::INDEX) else {
            self.found(Finding::IndexMissing);
            return None;
        };
        match Index::read(&bytes) {
            Ok(index) => {
                let chain = self.chain;
                let names = (index.trial, index.sponsor, registration_digest(&index.registration));
                if names != (chain.trial, chain.sponsor, Ok(chain.registration)) {
                    self.found(Finding::OtherTrial);
                }
                Some(index)
            }
            Err(error) => {
                self.found(Finding::IndexUnreadable(error));
                None
            }
        }
    }

    fn file(&mut self, name: &str) -> Option<Vec<u8>> {
        let bytes = self.folder.get(name);
        if bytes.is_none() {
            self.found(Finding::FileMissing { file: name.to_owned() });
        }
        bytes
    }

    fn versions(&mut self, index: &Index) {
        let chain = self.chain;
        for files in &index.versions {
            match chain.version(files.version) {
                Some(version) => self.version(files, version),
                None => self.found(Finding::VersionNotOnChain { version: files.version }),
            }
        }
        for (_, version) in numbered(&chain.versions).skip(index.versions.len()) {
            self.found(Finding::VersionMissing { version });
        }
    }

    fn version(&mut self, files: &VersionFiles, registered: &ChainVersion) {
        let version = files.version;
        self.document(
            &files.protocol,
            version,
            Document::Protocol,
            registered.documents.protocol,
        );
        self.document(&files.form, version, Document::Form, registered.documents.form);
        let plan = self.document(&files.plan, version, Document::Plan, registered.documents.plan);
        // What is not as registered is no plan to compare anything with.
        let Some(plan) = plan else { return };
        match Plan::read(&plan) {
            Ok(plan) => self.plan(files, plan),
            Err(reason) => self.found(Finding::PlanUnreadable { version, reason }),
        }
    }

    /// The bytes, if they are as registered.
    fn document(&mut self, file: &str, version: u8, document: Document, registered: B256) -> Option<Vec<u8>> {
        let bytes = self.file(file)?;
        let digest = file_digest(&bytes);
        if digest == registered {
            self.report.checked.documents += 1;
            return Some(bytes);
        }
        let is_of = numbered(&self.chain.versions)
            .find(|(other, _)| {
                let of = &other.documents;
                digest
                    == match document {
                        Document::Protocol => of.protocol,
                        Document::Plan => of.plan,
                        Document::Form => of.form,
                    }
            })
            .map(|(_, number)| number);
        self.found(Finding::DocumentDiffers {
            version,
            document,
            is_of,
        });
        None
    }

    fn plan(&mut self, files: &VersionFiles, plan: Plan) {
        let version = files.version;
        if let Some(name) = &files.plan_document
            && let Some(text) = self.file(name)
            && file_digest(&text) != plan.document
        {
            self.found(Finding::PlanDocumentDiffers { version });
        }
        let before = version.checked_sub(1).and_then(|before| self.plans.get(&before));
        let changes = before.map(|before| compare_plans(before, &plan)).unwrap_or_default();
        for difference in changes {
            self.found(Finding::OutcomeAmended { version, difference });
        }
        self.plans.insert(version, plan);
    }

    fn batches(&mut self, index: &Index) {
        let chain = self.chain;
        let mut named: BTreeMap<(Address, u32), &str> = index
            .batches
            .iter()
            .map(|batch| ((batch.site, batch.sequence), batch.file.as_str()))
            .collect();
        for anchored in &chain.batches {
            let (site, sequence) = (anchored.site, anchored.sequence);
            match named.remove(&(site, sequence)) {
                Some(file) => self.batch(anchored, file),
                None => self.found(Finding::BatchMissing { site, sequence }),
            }
        }
        for (site, sequence) in named.into_keys() {
            self.found(Finding::BatchNotOnChain { site, sequence });
        }
    }

    fn batch(&mut self, anchored: &ChainBatch, file: &str) {
        let Some(bytes) = self.file(file) else { return };
        let (site, sequence) = (anchored.site, anchored.sequence);
        let read = BatchFile::read(&bytes);
        if read.as_ref().is_ok_and(|file| *file.header() != self.header(anchored)) {
            self.found(Finding::BatchHeaderDiffers { site, sequence });
        }
        match read.and_then(|file| file.prove(anchored.root)) {
            Ok(batch) => {
                self.report.checked.batches += 1;
                self.report.checked.rows += u64::from(batch.header().count);
                self.participants(anchored, &batch);
            }
            Err(BatchError::RowsChanged { rows }) => self.found(Finding::RowsChanged { site, sequence, rows }),
            Err(BatchError::OtherRoot) => self.found(Finding::BatchChanged { site, sequence }),
            Err(reason) => self.found(Finding::BatchUnreadable { site, sequence, reason }),
        }
    }

    fn header(&self, anchored: &ChainBatch) -> Header {
        Header {
            place: Place {
                trial: self.chain.trial,
                site: anchored.site,
                sequence: anchored.sequence,
                from: anchored.from,
                to: anchored.to,
            },
            count: anchored.count,
            root: anchored.root,
        }
    }

    fn participants(&mut self, anchored: &ChainBatch, batch: &Batch) {
        // Words that name nobody are a contradiction, found before.
        let named: BTreeSet<u32> = participants::numbers(&anchored.participants)
            .unwrap_or_default()
            .into_iter()
            .collect();
        let with_rows: BTreeSet<u32> = batch.rows().iter().map(|row| row.participant).collect();
        if named != with_rows {
            self.found(Finding::ParticipantsDiffer {
                site: anchored.site,
                sequence: anchored.sequence,
                unnamed: with_rows.difference(&named).copied().collect(),
                absent: named.difference(&with_rows).copied().collect(),
            });
        }
    }

    fn results(&mut self, index: &Index) {
        let chain = self.chain;
        let mut named: BTreeMap<u8, &str> = index
            .results
            .iter()
            .map(|results| (results.number, results.file.as_str()))
            .collect();
        for anchored in &chain.results {
            match named.remove(&anchored.number) {
                Some(file) => self.results_file(anchored, file),
                None => self.found(Finding::ResultsMissing {
                    number: anchored.number,
                }),
            }
        }
        for number in named.into_keys() {
            self.found(Finding::ResultsNotAnchored { number });
        }
    }

    fn results_file(&mut self, anchored: &ChainResults, file: &str) {
        let Some(bytes) = self.file(file) else { return };
        let number = anchored.number;
        let is_anchored = file_digest(&bytes) == anchored.results;
        match is_anchored {
            true => self.report.checked.results += 1,
            false => self.found(Finding::ResultsDiffer { number }),
        }
        // What differs is still compared with the plan: it is what was published.
        let results = match Results::read(&bytes) {
            Ok(results) => results,
            Err(reason) => {
                if is_anchored {
                    self.found(Finding::ResultsUnreadable { number, reason });
                }
                return;
            }
        };
        let facts = [
            (
                Finding::ResultsOfOtherTrial { number },
                results.trial != self.chain.trial,
            ),
            (
                Finding::ResultsOfOtherVersion { number },
                results.version != anchored.version,
            ),
            (Finding::ResultsOfOtherPlan { number }, results.plan != anchored.plan),
            (Finding::ResultsOfOtherData { number }, results.data != anchored.data),
        ];
        for (finding, _) in facts.into_iter().filter(|(_, is_so)| *is_so) {
            self.found(finding);
        }
        // The plan that the chain binds the results to, whatever they say themselves.
        let Some(plan) = self.plans.get(&anchored.version) else {
            return;
        };
        let differences = compare(plan, &results);
        self.report.checked.outcomes += u32::try_from(results.outcomes.len()).unwrap_or(u32::MAX);
        for difference in differences {
            self.found(Finding::Outcome { number, difference });
        }
    }

    fn left_over(&mut self, index: &Index) {
        let named: BTreeSet<&str> = index.files().chain([folder::INDEX]).collect();
        let others: Vec<String> = self
            .folder
            .names()
            .filter(|name| !named.contains(name))
            .map(str::to_owned)
            .collect();
        for file in others {
            self.found(Finding::FileNotNamed { file });
        }
    }
}

/// With their numbers, from 1.
fn numbered(versions: &[ChainVersion]) -> impl Iterator<Item = (&ChainVersion, u8)> {
    versions.iter().zip(1..=terms::trial::VERSIONS_MOST)
}
