//! Files of others into records: FHIR by resource, everything else whole.
//!
//! Importing again adds nothing twice. A resource that has a name of its own (its `fullUrl`; type and id, where the importer
//! says whose they are) is always the same record of this importer, and changed content is its next version; one without is
//! known by its content. What was a version once is not made one again: so repeating any of several imports changes
//! nothing, and what stopped half-way is completed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Read,
};

use alloy::primitives::{B256, keccak256};
use futures::{StreamExt, TryStreamExt};
use medlock_abi::terms::record_status;
use medlock_api::Purpose;
use medlock_fhir::{BUNDLE_BYTES_MAX, Bundle, Entry, Form, Frame, Label, dicom, hl7v2};
use medlock_vault::Metadata;
use serde::Serialize;

use crate::{
    Content, Document, NewDocument, NewFile, OpenChart, Stored,
    bundle::{FRAMES, FrameEntry, FrameRecord, READS_AT_ONCE},
    detect::{HEAD_BYTES, Kind, detect},
    error::{Error, Result},
};

/// Records looked up on chain at the same time.
const LOOKUPS_AT_ONCE: usize = 16;
/// Versions of one record that are read to be compared, the newest: each is a read in the chart's log.
const VERSIONS_READ_MAX: u32 = 16;
/// Records of demographics that are looked through for the chart's Patient.
const PATIENTS_READ_MAX: usize = 8;
/// Longer, and it goes into the frame alone: metadata have 64 KiB in all.
const NAME_BYTES_MAX: usize = 2_048;
/// The longest FHIR dateTime, with nine digits of a second, has 35.
const DATE_BYTES_MAX: usize = 40;
const TITLE_CHARS_MAX: usize = 200;
/// Why nothing goes into a record any more.
const SHREDDED: &str = "the chart's controller has shredded this record";

/// How files are imported.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// For what is read that is there already, to compare it.
    pub purpose: Purpose,
    /// In place of what the content looks like.
    pub kind: Option<Kind>,
    /// Of documents; resources have their own.
    pub category: Option<Label>,
    /// Of documents.
    pub media_type: Option<String>,
    /// Of documents.
    pub title: Option<String>,
    /// All of it goes into the sensitive compartment.
    pub sensitive: bool,
    /// Whose ids the resources have that come without a `fullUrl`: with it, equal type and id are the same record.
    pub source: Option<String>,
    /// Take files about several patients, and a Patient that does not look like the chart's.
    pub any_patient: bool,
    /// Only say what would be done. Reads what has to be compared.
    pub dry_run: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            purpose: Purpose::from_code("TREAT").expect("treatment is a purpose"),
            kind: None,
            category: None,
            media_type: None,
            title: None,
            sensitive: false,
            source: None,
            any_patient: false,
            dry_run: false,
        }
    }
}

/// What an import did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    pub kind: Kind,
    /// Records that the file is, now or before: its resources, messages or itself, and a frame.
    pub records: usize,
    /// Those that were not there yet, and new versions of others.
    pub stored: Vec<Stored>,
    /// What became of each resource or document, in the file's order.
    pub entries: Vec<ImportedEntry>,
    /// The record by which the file comes back as it came ([`OpenChart::original`]). None where an entry was refused.
    pub frame: Option<B256>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ImportedEntry {
    pub resource_type: Option<String>,
    pub title: Option<String>,
    pub date: Option<String>,
    pub category: &'static str,
    /// Why it is sensitive.
    pub topic: Option<&'static str>,
    pub compartment: u8,
    pub record_id: B256,
    /// The version that this content is.
    pub version: u32,
    pub outcome: Outcome,
    /// Why it was refused.
    pub why: Option<&'static str>,
    /// Earlier content stays there, in a compartment that this must not go into.
    pub elsewhere: Option<B256>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Added,
    Amended,
    Unchanged,
    Refused,
}

impl Imported {
    pub fn count(&self, outcome: Outcome) -> usize {
        self.entries.iter().filter(|entry| entry.outcome == outcome).count()
    }
}

impl OpenChart {
    /// Splits FHIR R4 resources, encrypts and adds each in the compartment that fits it.
    ///
    /// # Errors
    /// Those of [`OpenChart::import_file`].
    pub async fn import(&self, bytes: &[u8], progress: impl Fn(u64, u64)) -> Result<Imported> {
        self.import_resources(bytes, &ImportOptions::default(), progress).await
    }

    /// Imports one file; `progress` is told how much is done, in records or bytes. Interrupted, it is completed by
    /// repeating it.
    ///
    /// # Errors
    /// [`Error::is_bad_input`]: nothing of the file was imported. Others may come when part of it is.
    pub async fn import_file(
        &self,
        file: &Content,
        options: &ImportOptions,
        progress: impl Fn(u64, u64),
    ) -> Result<Imported> {
        // Before it is read: devices have no end.
        file.length()?;
        let mut head = Vec::new();
        let opened = file.open()?.take(HEAD_BYTES as u64).read_to_end(&mut head);
        opened.map_err(|error| file.unreadable(error))?;
        // What is said to be a document may look like anything.
        let (kind, media_type) = match (options.kind, detect(&head)) {
            (None, detected) => detected?,
            (Some(Kind::Document), detected) => match detected {
                Ok((Kind::Document, media_type)) => (Kind::Document, media_type),
                _ => (Kind::Document, "application/octet-stream"),
            },
            (Some(kind), _) => (kind, ""),
        };
        let document = |title: Option<String>, date: Option<String>, label: Label, media_type: &str| DocumentFacts {
            label: match options.sensitive {
                true => Label::Sensitive,
                false => options.category.unwrap_or(label),
            },
            metadata: Metadata {
                media_type: options.media_type.clone().unwrap_or_else(|| media_type.to_owned()),
                title: options.title.clone().or(title),
                date,
                ..Metadata::default()
            },
        };
        match kind {
            Kind::Fhir => {
                let of_documents =
                    options.category.is_some() || options.media_type.is_some() || options.title.is_some();
                if of_documents {
                    return Err(Error::Unsuitable(
                        "resources have a category, media type and title of their own; give none, or keep the file whole with --kind document"
                            .into(),
                    ));
                }
                let bytes = whole(file, BUNDLE_BYTES_MAX)?;
                self.import_resources(&bytes, options, progress).await
            }
            Kind::Hl7v2 => {
                let bytes = whole(file, hl7v2::MESSAGE_BYTES_MAX)?;
                let at = |index| move |fault| Error::Message { index, fault };
                let messages = hl7v2::messages(&bytes).map_err(at(0))?;
                let messages: Vec<_> = messages
                    .into_iter()
                    .enumerate()
                    .map(|(index, content)| {
                        let read = hl7v2::read(content).map_err(at(index))?;
                        let facts = document(
                            Some(read.title()),
                            read.sent_at.clone(),
                            read.category(),
                            hl7v2::MEDIA_TYPE,
                        );
                        Ok((facts, content))
                    })
                    .collect::<Result<_>>()?;
                self.import_messages(messages, options, progress).await
            }
            Kind::Dicom => {
                let read = dicom::read(&head)?;
                let facts = document(
                    Some(read.title()),
                    read.study_date.clone(),
                    read.category(),
                    dicom::MEDIA_TYPE,
                );
                self.import_whole(kind, file, facts, options, progress).await
            }
            Kind::Document => {
                let facts = document(file_title(file), None, Label::Documents, media_type);
                self.import_whole(kind, file, facts, options, progress).await
            }
        }
    }

    async fn import_messages(
        &self,
        messages: Vec<(DocumentFacts, &[u8])>,
        options: &ImportOptions,
        progress: impl Fn(u64, u64),
    ) -> Result<Imported> {
        let mut new: Vec<NewDocument> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for (facts, content) in messages {
            let compartment = facts.label.compartment();
            let record_id = self.client().document_record_id(self.id(), compartment, content);
            let mut entry = facts.entry(record_id);
            entry.settle(self.stands(record_id, compartment).await?);
            // The same message twice in a file is one record.
            if !seen.insert(record_id) && entry.outcome == Outcome::Added {
                entry.outcome = Outcome::Unchanged;
            }
            if entry.outcome == Outcome::Added {
                new.push(NewDocument {
                    record_id,
                    compartment,
                    metadata: facts.metadata,
                    content: content.into(),
                });
            }
            entries.push(entry);
        }
        let total = new.len() as u64;
        let stored = match options.dry_run {
            true => Vec::new(),
            false => self.add(new, |done| progress(done, total)).await?,
        };
        Ok(Imported::of_documents(Kind::Hl7v2, entries, stored))
    }

    async fn import_whole(
        &self,
        kind: Kind,
        content: &Content,
        facts: DocumentFacts,
        options: &ImportOptions,
        progress: impl Fn(u64, u64),
    ) -> Result<Imported> {
        let compartment = facts.label.compartment();
        let record_id = self.client().content_record_id(self.id(), compartment, content).await?;
        let mut entry = facts.entry(record_id);
        entry.settle(self.stands(record_id, compartment).await?);
        let mut stored = None;
        if entry.outcome == Outcome::Added && !options.dry_run {
            let total = content.length()?;
            let file = NewFile {
                content: content.clone(),
                compartment,
                metadata: facts.metadata,
            };
            let (added, new) = self.add_file(file, |done| progress(done, total)).await?;
            if added != record_id {
                return Err(Error::File(format!(
                    "{content} changed while it was read; import it again"
                )));
            }
            stored = new;
        }
        Ok(Imported::of_documents(kind, vec![entry], stored.into_iter().collect()))
    }

    /// How a record of ours stands that is known by its content.
    async fn stands(&self, record: B256, compartment: u8) -> Result<Standing> {
        let found = self.on_chain(record).await?;
        if found.version == 0 {
            return Ok(Standing::Absent);
        }
        if found.status == record_status::SHREDDED {
            return Ok(Standing::Shredded);
        }
        self.is_ours(record, compartment).await?;
        Ok(Standing::Present)
    }

    async fn import_resources(
        &self,
        bytes: &[u8],
        options: &ImportOptions,
        progress: impl Fn(u64, u64),
    ) -> Result<Imported> {
        let bundle = medlock_fhir::split_any(bytes)?;
        if bundle.patients > 1 && !options.any_patient {
            return Err(Error::SeveralPatients {
                patients: bundle.patients,
            });
        }
        let plan = self.plan(&bundle, options).await?;
        if !options.any_patient {
            self.check_patient(&bundle, &plan.entries, options.purpose).await?;
        }
        let frame = self.frame_of(&bundle, &plan)?;
        let new_frame = match &frame {
            Some(frame) => self.on_chain(frame.record_id).await?.version == 0,
            None => false,
        };
        let mut imported = Imported {
            kind: Kind::Fhir,
            records: plan.entries.len() + usize::from(frame.is_some()),
            stored: Vec::new(),
            frame: frame.as_ref().map(|frame| frame.record_id),
            entries: plan.entries,
        };
        if options.dry_run {
            return Ok(imported);
        }
        let by = |outcome| {
            let entries = &imported.entries;
            let order = plan.order.iter().copied();
            order.filter(move |index| entries[*index].outcome == outcome)
        };
        let mut new: Vec<_> = by(Outcome::Added)
            .map(|index| NewDocument {
                record_id: imported.entries[index].record_id,
                compartment: imported.entries[index].compartment,
                metadata: metadata(&bundle.entries[index]),
                content: bundle.entries[index].source.into(),
            })
            .collect();
        let amended: Vec<_> = by(Outcome::Amended).collect();
        // Last, so that a frame on chain says that everything in it is there.
        let (last, only_frame) = match (frame.filter(|_| new_frame), amended.is_empty()) {
            (Some(frame), true) => {
                new.push(frame);
                (None, false)
            }
            (frame, _) => (frame, true),
        };
        let total = (new.len() + amended.len() + usize::from(only_frame && last.is_some())) as u64;
        let mut done = new.len() as u64;
        imported.stored = self.add(new, |done| progress(done, total)).await?;
        for index in amended {
            let entry = &imported.entries[index];
            let source = &bundle.entries[index];
            let stored = self
                .amend_next(entry.record_id, entry.version - 1, metadata(source), source.source)
                .await?;
            imported.stored.push(stored);
            done += 1;
            progress(done, total);
        }
        if let Some(frame) = last {
            imported.stored.extend(self.add(vec![frame], |_| ()).await?);
            progress(total, total);
        }
        Ok(imported)
    }

    /// Amends a record that stands at `version`.
    async fn amend_next(&self, record: B256, version: u32, metadata: Metadata, content: &[u8]) -> Result<Stored> {
        let latest = self.latest(record).await?;
        if latest.version != version {
            return Err(Error::Changed { record });
        }
        let before = Document {
            record_id: record,
            version,
            compartment: latest.compartment,
            previous: B256::ZERO,
            pointer: latest.pointer,
            metadata: Metadata::default(),
            content: (),
        };
        self.amend(&before, metadata, content).await
    }

    /// The frame to add. None where an entry is not stored.
    fn frame_of(&self, bundle: &Bundle<'_>, plan: &Plan) -> Result<Option<NewDocument>> {
        if plan.entries.iter().any(|entry| entry.outcome == Outcome::Refused) {
            return Ok(None);
        }
        let entries = plan.entries.iter().zip(&plan.marks).map(|(entry, mark)| FrameEntry {
            record: entry.record_id,
            version: entry.version,
            mark: *mark,
        });
        let content = FrameRecord::new(&bundle.frame, entries.collect())?.to_bytes()?;
        Ok(Some(NewDocument {
            record_id: self.client().record_id(self.id(), &content),
            compartment: FRAMES,
            metadata: Metadata {
                media_type: Frame::MEDIA_TYPE.into(),
                ..Metadata::default()
            },
            content: content.into(),
        }))
    }

    /// Decides what each entry becomes, by what stands on chain.
    async fn plan(&self, bundle: &Bundle<'_>, options: &ImportOptions) -> Result<Plan> {
        let names = self.names(bundle, options);
        let labels = labels(bundle, &names, options);
        let ids = names.iter().flat_map(|name| [name.record, name.sensitive]);
        let found = self.look_up(ids.collect()).await?;
        let marks: Vec<B256> = bundle.entries.iter().map(|entry| self.mark(entry.source)).collect();
        let targets: Vec<Target> = names
            .iter()
            .map(|name| Target::choose(name, labels[&name.record], &found))
            .collect();
        let mut states = self.states(&names, &targets, &marks, &found, options.purpose).await?;

        let mut order: Vec<usize> = (0..bundle.entries.len()).collect();
        if bundle.form == Form::History {
            // The oldest version first.
            order.reverse();
        }
        let mut planned: BTreeMap<usize, ImportedEntry> = BTreeMap::new();
        for &index in &order {
            let (entry, target) = (&bundle.entries[index], &targets[index]);
            let state = states.entry(target.record).or_default();
            let (outcome, version, why) = state.decide(marks[index]);
            let label = Label::from_compartment(target.compartment).unwrap_or(Label::Other);
            planned.insert(
                index,
                ImportedEntry {
                    resource_type: Some(entry.resource_type.clone()),
                    title: entry.title.clone(),
                    date: entry.date.clone(),
                    category: label.as_str(),
                    topic: entry.topic.map(|topic| topic.as_str()),
                    compartment: target.compartment,
                    record_id: target.record,
                    version,
                    outcome,
                    why,
                    elsewhere: target.elsewhere,
                },
            );
        }
        Ok(Plan {
            entries: planned.into_values().collect(),
            marks,
            order,
        })
    }

    /// Which record each entry is.
    fn names(&self, bundle: &Bundle<'_>, options: &ImportOptions) -> Vec<Name> {
        let mut seen: BTreeMap<B256, u32> = BTreeMap::new();
        let mut names = Vec::with_capacity(bundle.entries.len());
        for entry in &bundle.entries {
            let identity = identity(entry, options.source.as_deref());
            let source = match &identity {
                Some(identity) => identity.clone(),
                None => {
                    // Identical resources in one file are still different records.
                    let digest = keccak256(entry.source);
                    let occurrence = seen.entry(digest).or_default();
                    *occurrence += 1;
                    [&occurrence.to_be_bytes()[..], digest.as_slice()].concat()
                }
            };
            names.push(Name {
                record: self.client().record_id(self.id(), &source),
                sensitive: self
                    .client()
                    .record_id(self.id(), &[b"sensitive ", &source[..]].concat()),
                by_content: identity.is_none(),
            });
        }
        names
    }

    async fn look_up(&self, ids: BTreeSet<B256>) -> Result<HashMap<B256, Found>> {
        futures::stream::iter(ids)
            .map(|record| async move {
                let found = self.on_chain(record).await?;
                let is_ours = match found.version {
                    0 => return Ok(None),
                    // Ids are keyed, so that nobody guesses one; but who sees ours on its way may be faster.
                    1 if found.author != self.client().address() => {
                        let author = found.author;
                        return Err(Error::RecordTaken { record, author });
                    }
                    _ => Found {
                        version: found.version,
                        compartment: found.compartment,
                        status: found.status,
                    },
                };
                Ok(Some((record, is_ours)))
            })
            .buffered(LOOKUPS_AT_ONCE)
            .try_filter_map(|found: Option<_>| async { Ok(found) })
            .try_collect()
            .await
    }

    /// What is known of the records that stand already. Our frames tell of most; the rest is read.
    async fn states(
        &self,
        names: &[Name],
        targets: &[Target],
        marks: &[B256],
        found: &HashMap<B256, Found>,
        purpose: Purpose,
    ) -> Result<HashMap<B256, State>> {
        let mut states: HashMap<B256, State> = HashMap::new();
        let mut has_named = false;
        for ((name, target), mark) in names.iter().zip(targets).zip(marks) {
            let Some(found) = found.get(&target.record) else {
                continue;
            };
            let state = states.entry(target.record).or_insert_with(|| State {
                version: found.version,
                status: found.status,
                ..State::default()
            });
            match name.by_content {
                // Whoever has added it since, the first version is what its id was made of.
                true => drop(state.marks.insert(1, *mark)),
                false => has_named = true,
            }
        }
        if !has_named {
            return Ok(states);
        }
        for (record, version, mark) in self.known(purpose).await? {
            if let Some(state) = states.get_mut(&record) {
                state.marks.entry(version).or_insert(mark);
            }
        }
        let mut unknown = BTreeSet::new();
        for (target, mark) in targets.iter().zip(marks) {
            if let Some(state) = states.get(&target.record)
                && state.status == record_status::CURRENT
                && !state.marks.values().any(|known| known == mark)
            {
                let from = state.version.saturating_sub(VERSIONS_READ_MAX) + 1;
                let versions = (from..=state.version).filter(|version| !state.marks.contains_key(version));
                let is_amended = state.version > 1;
                unknown.extend(versions.map(|version| (target.record, target.compartment, version, is_amended)));
            }
        }
        let read: Vec<_> = futures::stream::iter(unknown)
            .map(|(record, compartment, version, is_amended)| async move {
                // Whose the first version of others is, was looked up with them.
                if version == 1 && is_amended {
                    self.is_ours(record, compartment).await?;
                }
                let read = self.compare(record, version, purpose).await?;
                Ok::<_, Error>((record, version, read))
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        for (record, version, mark) in read {
            let state = states.entry(record).or_default();
            match mark {
                Some(mark) => drop(state.marks.insert(version, mark)),
                None => state.is_unreadable = true,
            }
        }
        Ok(states)
    }

    /// The mark of a version that stands already. None where it cannot be read.
    async fn compare(&self, record: B256, version: u32, purpose: Purpose) -> Result<Option<B256>> {
        match self.read(record, Some(version), purpose).await {
            Ok(document) => Ok(Some(self.mark(&document.content))),
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Record, version and mark of what we have imported before, as far as our newest frames say it.
    async fn known(&self, purpose: Purpose) -> Result<Vec<(B256, u32, B256)>> {
        let listed = match self.client().records(self.id(), Some(FRAMES)).await {
            Err(error) if error.is_refusal() => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut known = Vec::new();
        for (record, frame, content) in self.frames(&listed, purpose).await? {
            // Its id is made of its content and our root secret: nobody else's says what we have done.
            if self.client().record_id(self.id(), &content) == record {
                known.extend(
                    frame
                        .entries
                        .iter()
                        .map(|entry| (entry.record, entry.version, entry.mark)),
                );
            }
        }
        Ok(known)
    }

    /// Refuses a Patient that is new here and was born on another day than the one who is here.
    async fn check_patient(&self, bundle: &Bundle<'_>, planned: &[ImportedEntry], purpose: Purpose) -> Result<()> {
        let is_new = |(entry, planned): &(&Entry<'_>, &ImportedEntry)| {
            entry.resource_type == "Patient" && planned.outcome == Outcome::Added
        };
        let born: Vec<_> = bundle
            .entries
            .iter()
            .zip(planned)
            .filter(is_new)
            .filter_map(|(entry, _)| birth_date(entry.source))
            .collect();
        if born.is_empty() {
            return Ok(());
        }
        let listed = match self
            .client()
            .records(self.id(), Some(Label::Demographics.compartment()))
            .await
        {
            Err(error) if error.is_refusal() => return Ok(()),
            listed => listed?,
        };
        let current = record_status::text(record_status::CURRENT);
        let listed = listed.iter().filter(|record| record.status == current);
        for record in listed.take(PATIENTS_READ_MAX) {
            let document = match self.read(record.record_id, None, purpose).await {
                Err(error) if error.is_transient() => return Err(error),
                Err(_) => continue,
                Ok(document) => document,
            };
            if document.metadata.resource_type.as_deref() != Some("Patient") {
                continue;
            }
            let here = birth_date(&document.content);
            // `1970` and `1970-05-03` may be the same day.
            let differs = |here: &str| {
                born.iter()
                    .any(|born| !born.starts_with(here) && !here.starts_with(born))
            };
            if here.is_some_and(|here| differs(&here)) {
                return Err(Error::OtherPatient);
            }
        }
        Ok(())
    }
}

struct Plan {
    entries: Vec<ImportedEntry>,
    marks: Vec<B256>,
    /// In which the entries are carried out.
    order: Vec<usize>,
}

/// The records that an entry may be.
struct Name {
    record: B256,
    /// Where `record` stands in a compartment that is not sensitive, and the entry is.
    sensitive: B256,
    /// The ids are made of the content, so that whatever has them has it.
    by_content: bool,
}

struct Found {
    version: u32,
    compartment: u8,
    status: u8,
}

struct Target {
    record: B256,
    compartment: u8,
    elsewhere: Option<B256>,
}

impl Target {
    /// A record stays in its compartment, but nothing sensitive goes into one that is not. What was sensitive once stays so:
    /// a resource may be held to be sensitive for what stood beside it in another file.
    fn choose(name: &Name, label: Label, found: &HashMap<B256, Found>) -> Self {
        let sensitive = Label::Sensitive.compartment();
        let stands = |record: &B256| found.get(record).map(|found| found.compartment);
        if let Some(compartment) = stands(&name.sensitive) {
            return Self {
                record: name.sensitive,
                compartment,
                elsewhere: stands(&name.record).map(|_| name.record),
            };
        }
        match stands(&name.record) {
            Some(compartment) if label == Label::Sensitive && compartment != sensitive => Self {
                record: name.sensitive,
                compartment: sensitive,
                elsewhere: Some(name.record),
            },
            Some(compartment) => Self {
                record: name.record,
                compartment,
                elsewhere: None,
            },
            None => Self {
                record: name.record,
                compartment: label.compartment(),
                elsewhere: None,
            },
        }
    }
}

/// A record as it stands, and as it will be when the entries before are carried out.
#[derive(Default)]
struct State {
    version: u32,
    status: u8,
    marks: BTreeMap<u32, B256>,
    is_unreadable: bool,
}

impl State {
    /// Outcome and version of content with this mark, and why it is refused.
    fn decide(&mut self, mark: B256) -> (Outcome, u32, Option<&'static str>) {
        let refused = |why| (Outcome::Refused, 0, Some(why));
        if self.status == record_status::SHREDDED {
            return refused(SHREDDED);
        }
        if let Some((version, _)) = self.marks.iter().find(|(_, known)| **known == mark) {
            return (Outcome::Unchanged, *version, None);
        }
        if self.status == record_status::ENTERED_IN_ERROR {
            return refused("this record is marked as entered in error, and nobody amends it any more");
        }
        if self.is_unreadable {
            return refused("this record is there already, and cannot be read to be compared");
        }
        self.version += 1;
        self.marks.insert(self.version, mark);
        match self.version {
            1 => (Outcome::Added, 1, None),
            version => (Outcome::Amended, version, None),
        }
    }
}

enum Standing {
    Absent,
    Present,
    Shredded,
}

/// What is known of a document before it is read.
struct DocumentFacts {
    label: Label,
    metadata: Metadata,
}

impl DocumentFacts {
    fn entry(&self, record_id: B256) -> ImportedEntry {
        ImportedEntry {
            resource_type: None,
            title: self.metadata.title.clone(),
            date: self.metadata.date.clone(),
            category: self.label.as_str(),
            topic: None,
            compartment: self.label.compartment(),
            record_id,
            version: 1,
            outcome: Outcome::Added,
            why: None,
            elsewhere: None,
        }
    }
}

impl ImportedEntry {
    fn settle(&mut self, standing: Standing) {
        (self.outcome, self.why) = match standing {
            Standing::Absent => (Outcome::Added, None),
            Standing::Present => (Outcome::Unchanged, None),
            Standing::Shredded => (Outcome::Refused, Some(SHREDDED)),
        };
    }
}

impl Imported {
    fn of_documents(kind: Kind, entries: Vec<ImportedEntry>, stored: Vec<Stored>) -> Self {
        Self {
            kind,
            records: entries.len(),
            stored,
            entries,
            frame: None,
        }
    }
}

/// What names a resource for ever, as the source of its record's id. None: its content does.
fn identity(entry: &Entry<'_>, source: Option<&str>) -> Option<Vec<u8>> {
    const GLOBAL: [&str; 4] = ["http://", "https://", "urn:uuid:", "urn:oid:"];
    let url = entry.full_url.as_deref();
    let url = url.filter(|url| GLOBAL.iter().any(|scheme| url.starts_with(scheme)));
    let parts = match (url, source, &entry.id) {
        (Some(url), _, _) => ["resource", &entry.resource_type, url, ""],
        (None, Some(source), Some(id)) => ["resource-of", &entry.resource_type, source, id],
        _ => return None,
    };
    Some(parts.join("\n").into_bytes())
}

/// By record: where one of several versions in a file is sensitive, all are.
fn labels(bundle: &Bundle<'_>, names: &[Name], options: &ImportOptions) -> HashMap<B256, Label> {
    let mut labels = HashMap::new();
    for (entry, name) in bundle.entries.iter().zip(names) {
        let label = if options.sensitive {
            Label::Sensitive
        } else {
            entry.label
        };
        let held = labels.entry(name.record).or_insert(label);
        if label == Label::Sensitive {
            *held = label;
        }
    }
    labels
}

fn metadata(entry: &Entry<'_>) -> Metadata {
    let short = |text: &Option<String>, bytes_max: usize| text.clone().filter(|text| text.len() <= bytes_max);
    Metadata {
        media_type: medlock_fhir::MEDIA_TYPE.into(),
        resource_type: Some(entry.resource_type.clone()),
        date: short(&entry.date, DATE_BYTES_MAX),
        title: entry.title.clone(),
        source: short(&entry.full_url, NAME_BYTES_MAX),
    }
}

fn birth_date(resource: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Born {
        birth_date: Option<String>,
    }
    serde_json::from_slice::<Born>(resource).ok()?.birth_date
}

/// Its name, which may be anything.
fn file_title(file: &Content) -> Option<String> {
    let name = file.name()?;
    let title: String = name
        .chars()
        .filter(|letter| !letter.is_control())
        .take(TITLE_CHARS_MAX)
        .collect();
    Some(title).filter(|title| !title.is_empty())
}

/// Refused before it is read: what cannot be taken must not fill the memory first.
fn whole(file: &Content, bytes_max: usize) -> Result<Vec<u8>> {
    let too_large = |bytes: u64| {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Err(medlock_fhir::Error::TooLarge { bytes, bytes_max }.into())
    };
    let bytes = file.length()?;
    if bytes > bytes_max as u64 {
        return too_large(bytes);
    }
    let mut content = Vec::new();
    let read = file.open()?.take(bytes_max as u64 + 1).read_to_end(&mut content);
    read.map_err(|error| file.unreadable(error))?;
    // It may have grown since.
    match content.len() > bytes_max {
        true => too_large(content.len() as u64),
        false => Ok(content),
    }
}
