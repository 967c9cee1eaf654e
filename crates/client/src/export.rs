//! Everything in a chart that we may read, as one FHIR Bundle.
//!
//! Where one imported Bundle is all there is, it is that Bundle, byte for byte, with what was amended since in its place.
//! Otherwise it is a new one of type `collection`: every resource as its bytes are, and every other document in a
//! DocumentReference.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::{self, BufWriter, SeekFrom, Write},
    sync::{Arc, Mutex, PoisonError},
};

use alloy::primitives::B256;
use base64::{engine::GeneralPurpose, engine::general_purpose::STANDARD, write::EncoderWriter};
use futures::StreamExt;
use medlock_abi::terms::record_status;
use medlock_api::{self as api, Purpose};
use medlock_fhir::{BUNDLE_BYTES_MAX, Frame, Label, facade::time};
use medlock_vault::{Binding, Envelope, Metadata, Zeroizing};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    OpenChart, Sheet,
    bundle::{FRAMES, FrameRecord, READS_AT_ONCE},
    error::{Error, Result},
};

/// Payloads up to here are taken into memory, several at once.
const WHOLE_BYTES_MAX: u64 = 8 << 20;
/// Payloads up to here may be resources, with all that sealing adds. What is longer is a document, written as it comes.
const RESOURCE_PAYLOAD_BYTES_MAX: u64 = BUNDLE_BYTES_MAX as u64 / 4 * 5;
/// The longest document that is written into a Bundle: readers of JSON hold its base64 in memory.
const ATTACHED_PAYLOAD_BYTES_MAX: u64 = 256 << 20;
/// R4's unsignedInt.
const UNSIGNED_INT_MAX: u64 = (1 << 31) - 1;
/// Why a document that is longer than that is left out.
const TOO_LONG: &str = "longer than 256 MiB: read it with `record show --out`";

/// What an export wrote.
#[derive(Debug, Clone, Serialize)]
pub struct Exported {
    pub layout: Layout,
    /// Resources that were resources before.
    pub resources: u64,
    /// Documents in DocumentReferences.
    pub documents: u64,
    /// What is in the chart and not in the file.
    pub left_out: Vec<LeftOut>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// The Bundle that was imported.
    Imported,
    /// A Bundle of type `collection`.
    Collection,
}

/// A record that is not in an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    pub record_id: B256,
    pub compartment: u8,
    pub why: String,
    /// It should be there: what is stored is damaged or missing.
    pub damaged: bool,
}

impl OpenChart {
    /// Writes the latest version of every record that we may read for `purpose` to an empty sheet, as one FHIR R4 Bundle.
    /// Says what is left out. Each version is a read in the chart's log. `progress`: records done, and how many there are.
    ///
    /// # Errors
    /// Those of listing, of a service that cannot be reached, and of writing. What was written before an error is no
    /// export.
    pub async fn export_all(
        &self,
        purpose: Purpose,
        mut out: impl Sheet,
        progress: impl Fn(u64, u64),
    ) -> Result<Exported> {
        let chart = self.take_stock(purpose).await?;
        if chart.left_out.is_empty()
            && let Some(frame) = chart.frame_of_all()?
            && let Some(exported) = self.write_imported(frame, purpose, &mut out, &progress).await?
        {
            return Ok(exported);
        }
        out.set_len(0).map_err(unwritten)?;
        out.rewind().map_err(unwritten)?;
        self.write_collection(chart, purpose, out, &progress).await
    }

    /// What there is to export.
    async fn take_stock(&self, purpose: Purpose) -> Result<Stock> {
        let listed = self.client().records(self.id(), None).await?;
        let frames = self.frames(&listed, purpose).await?;
        let is_frame: HashSet<B256> = frames.iter().map(|(record, ..)| *record).collect();
        let mut stock = Stock::default();
        let mut known: BTreeSet<B256> = is_frame.iter().copied().collect();
        for record in listed {
            known.insert(record.record_id);
            if is_frame.contains(&record.record_id) {
                continue;
            }
            match record.status == record_status::text(record_status::CURRENT) {
                true => stock.records.push(record),
                false => stock.left_out.push(LeftOut {
                    record_id: record.record_id,
                    compartment: record.compartment,
                    why: record.status,
                    damaged: false,
                }),
            }
        }
        // Frames name what we may not read as well.
        for record in frames.iter().flat_map(|(_, frame, _)| frame.records()) {
            if !known.insert(record) {
                continue;
            }
            let found = self.on_chain(record).await?;
            let why = match found.status {
                _ if found.version == 0 => continue,
                record_status::SHREDDED => record_status::text(record_status::SHREDDED).to_owned(),
                _ => "not granted".to_owned(),
            };
            stock.left_out.push(LeftOut {
                record_id: record,
                compartment: found.compartment,
                why,
                damaged: false,
            });
        }
        stock.frames = frames.into_iter().map(|(_, frame, _)| frame).collect();
        Ok(stock)
    }

    /// None where something of it cannot be read, or is no resource any more.
    async fn write_imported(
        &self,
        record: &FrameRecord,
        purpose: Purpose,
        out: &mut impl Sheet,
        progress: &impl Fn(u64, u64),
    ) -> Result<Option<Exported>> {
        let mut newest: BTreeMap<B256, u32> = BTreeMap::new();
        for entry in &record.entries {
            let version = newest.entry(entry.record).or_default();
            *version = entry.version.max(*version);
        }
        // Of several versions of one resource, as in a history, the last stands for what it is today.
        let wanted = record.entries.iter().map(|entry| {
            let is_newest = newest.get(&entry.record) == Some(&entry.version);
            (entry.record, (!is_newest).then_some(entry.version))
        });
        let wanted: Vec<(B256, Option<u32>)> = wanted.collect();
        let total = record.entries.len() as u64;
        let frame = record.frame()?;
        let mut parts = frame.parts();
        let mut out = BufWriter::new(out);
        let mut fetched = futures::stream::iter(wanted)
            .map(|(record, version)| self.fetch_small(record, version, purpose))
            .buffered(READS_AT_ONCE);
        let mut done = 0;
        while let Some(read) = fetched.next().await {
            let content = match read {
                Ok(Fetched::Whole(_, content)) if medlock_fhir::is_resource(&content) => content,
                Err(error) if is_everybodys(&error) => return Err(error),
                Ok(_) | Err(_) => return Ok(None),
            };
            write_part(&mut out, parts.next())?;
            out.write_all(&content).map_err(unwritten)?;
            done += 1;
            progress(done, total);
        }
        write_part(&mut out, parts.next())?;
        out.flush().map_err(unwritten)?;
        Ok(Some(Exported {
            layout: Layout::Imported,
            resources: done,
            documents: 0,
            left_out: Vec::new(),
        }))
    }

    async fn write_collection(
        &self,
        stock: Stock,
        purpose: Purpose,
        out: impl Sheet,
        progress: &impl Fn(u64, u64),
    ) -> Result<Exported> {
        let total = stock.records.len() as u64;
        let mut left_out = stock.left_out;
        let mut collection = Collection::begin(out)?;
        let mut fetched = futures::stream::iter(stock.records)
            .map(|record| async move {
                let read = self.fetch_small(record.record_id, None, purpose).await;
                (record, read)
            })
            .buffered(READS_AT_ONCE);
        let mut done = 0;
        while let Some((record, read)) = fetched.next().await {
            let added = match read {
                Ok(Fetched::Whole(metadata, content)) => collection.add(&record, &metadata, &content),
                Ok(Fetched::Large(binding, pointer, envelope)) => {
                    self.add_large(&mut collection, &record, *binding, pointer, *envelope)
                        .await
                }
                Err(error) => Err(error),
            };
            match added {
                Ok(()) => {}
                Err(error) if is_everybodys(&error) => return Err(error),
                Err(error) => left_out.push(LeftOut {
                    record_id: record.record_id,
                    compartment: record.compartment,
                    damaged: is_damage(&error),
                    why: error.to_string(),
                }),
            }
            done += 1;
            progress(done, total);
        }
        collection.finish(left_out)
    }

    async fn add_large(
        &self,
        collection: &mut Collection<impl Sheet>,
        record: &api::Version,
        binding: Binding,
        pointer: B256,
        envelope: Envelope,
    ) -> Result<()> {
        if envelope.payload_bytes <= RESOURCE_PAYLOAD_BYTES_MAX {
            let keys = self.keys_of(&envelope).await?;
            let (metadata, content) = self.fetch_payload(binding, pointer, envelope).await?.open(&keys)?;
            return collection.add(record, &metadata, &content);
        }
        if envelope.payload_bytes > ATTACHED_PAYLOAD_BYTES_MAX {
            return Err(Error::Unsuitable(TOO_LONG.into()));
        }
        let before = collection.begin_document(false)?;
        let attachment = Attachment::new(collection.out.get_ref())?;
        match self.open_to(&binding, envelope, attachment.clone(), |_, _| ()).await {
            Ok(metadata) => {
                let attached = attachment.finish()?;
                collection.end_document(record, &metadata, &attached)
            }
            Err(error) => {
                drop(attachment);
                collection.take_back(before)?;
                Err(error)
            }
        }
    }

    /// Reads a version that is not long; of another, only its envelope.
    async fn fetch_small(&self, record: B256, version: Option<u32>, purpose: Purpose) -> Result<Fetched> {
        let (binding, pointer, envelope) = self.fetch_envelope(record, version, purpose).await?;
        if envelope.payload_bytes > WHOLE_BYTES_MAX {
            return Ok(Fetched::Large(Box::new(binding), pointer, Box::new(envelope)));
        }
        let keys = self.keys_of(&envelope).await?;
        let (metadata, content) = self.fetch_payload(binding, pointer, envelope).await?.open(&keys)?;
        Ok(Fetched::Whole(metadata, content))
    }
}

enum Fetched {
    Whole(Metadata, Zeroizing<Vec<u8>>),
    Large(Box<Binding>, B256, Box<Envelope>),
}

/// What a chart holds that is to be exported.
#[derive(Default)]
struct Stock {
    /// Current, and not a frame; oldest first.
    records: Vec<api::Version>,
    /// Newest first.
    frames: Vec<FrameRecord>,
    left_out: Vec<LeftOut>,
}

impl Stock {
    /// The newest frame that holds all records, and no others.
    fn frame_of_all(&self) -> Result<Option<&FrameRecord>> {
        let records: BTreeSet<B256> = self.records.iter().map(|record| record.record_id).collect();
        for frame in &self.frames {
            if frame.records() == records && is_bundle(&frame.frame()?) {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }
}

/// Whether a Bundle comes of a frame, whatever resources are put into it: its text may be anything.
fn is_bundle(frame: &Frame) -> bool {
    // With versions, as the same fullUrl may be there twice.
    let stand_ins: Vec<_> = (0..frame.resources())
        .map(|index| format!(r#"{{"resourceType":"Basic","meta":{{"versionId":"{index}"}}}}"#))
        .collect();
    let joined = medlock_fhir::join(frame, &stand_ins);
    joined.is_ok_and(|bundle| medlock_fhir::split(&bundle).is_ok_and(|split| split.frame == *frame))
}

/// A fault that is not one record's.
fn is_everybodys(error: &Error) -> bool {
    error.is_transient()
        || matches!(
            error,
            Error::File(_) | Error::ChainUnreachable { .. } | Error::Chain { .. }
        )
}

fn is_damage(error: &Error) -> bool {
    match error {
        Error::Problem { status, .. } => !matches!(status, 401 | 403 | 410),
        Error::NoCompartmentKey { .. } | Error::Unsuitable(_) => false,
        _ => !error.is_refusal(),
    }
}

/// A Bundle in the making.
struct Collection<S: Sheet> {
    out: BufWriter<S>,
    entries: u64,
    resources: u64,
    documents: u64,
    /// Each may be there once (bdl-7).
    full_urls: HashSet<String>,
}

impl<S: Sheet> Collection<S> {
    fn begin(out: S) -> Result<Self> {
        let mut out = BufWriter::new(out);
        out.write_all(br#"{"resourceType":"Bundle","type":"collection""#)
            .map_err(unwritten)?;
        Ok(Self {
            out,
            entries: 0,
            resources: 0,
            documents: 0,
            full_urls: HashSet::new(),
        })
    }

    fn add(&mut self, record: &api::Version, metadata: &Metadata, content: &[u8]) -> Result<()> {
        if record.compartment == FRAMES && metadata.media_type == Frame::MEDIA_TYPE {
            return Ok(());
        }
        if metadata.media_type != medlock_fhir::MEDIA_TYPE || !medlock_fhir::is_resource(content) {
            self.begin_document(content.is_empty())?;
            let attachment = Attachment::new(self.out.get_ref())?;
            attachment.clone().write_all(content).map_err(unwritten)?;
            let attached = attachment.finish()?;
            return self.end_document(record, metadata, &attached);
        }
        self.separate()?;
        self.write("{")?;
        if let Some(url) = &metadata.source
            && self.full_urls.insert(url.clone())
        {
            self.write(&format!("\"fullUrl\":{},", json!(url)))?;
        }
        self.write("\"resource\":")?;
        self.out.write_all(content).map_err(unwritten)?;
        self.write("}")?;
        self.entries += 1;
        self.resources += 1;
        Ok(())
    }

    /// Up to the attachment's data. Gives where the entry begins, if it has to be taken back.
    fn begin_document(&mut self, is_empty: bool) -> Result<u64> {
        self.out.flush().map_err(unwritten)?;
        let before = self.out.get_mut().stream_position().map_err(unwritten)?;
        self.separate()?;
        self.write(r#"{"resource":{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"#)?;
        // R4 has no empty base64.
        if !is_empty {
            self.write("\"data\":\"")?;
        }
        self.out.flush().map_err(unwritten)?;
        Ok(before)
    }

    fn end_document(&mut self, record: &api::Version, metadata: &Metadata, attached: &Attached) -> Result<()> {
        let before = if attached.bytes == 0 { "" } else { "\"," };
        let mut rest = format!("{before}\"contentType\":{}", json!(media_type(&metadata.media_type)));
        if attached.bytes <= UNSIGNED_INT_MAX {
            rest.push_str(&format!(",\"size\":{}", attached.bytes));
        }
        if let Some(title) = metadata.title.as_deref().and_then(fhir_string) {
            rest.push_str(&format!(",\"title\":{}", json!(title)));
        }
        if let Some(date) = metadata.date.as_deref().filter(|date| is_date_time(date)) {
            rest.push_str(&format!(",\"creation\":{}", json!(date)));
        }
        rest.push_str("}}]");
        if record.compartment == Label::Sensitive.compartment() {
            // So that it is sensitive wherever it is imported.
            let restricted = json!({ "security": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"
            }] });
            rest.push_str(&format!(",\"meta\":{restricted}"));
        }
        let mut url = attached.urn(0);
        let mut times = 0;
        while !self.full_urls.insert(url.clone()) {
            times += 1;
            url = attached.urn(times);
        }
        rest.push_str(&format!("}},\"fullUrl\":{}}}", json!(url)));
        self.write(&rest)?;
        self.entries += 1;
        self.documents += 1;
        Ok(())
    }

    fn take_back(&mut self, before: u64) -> Result<()> {
        let file = self.out.get_mut();
        file.set_len(before).map_err(unwritten)?;
        file.seek(SeekFrom::Start(before)).map_err(unwritten)?;
        Ok(())
    }

    fn separate(&mut self) -> Result<()> {
        self.write(match self.entries {
            0 => ",\"entry\":[\n",
            _ => ",\n",
        })
    }

    fn finish(mut self, left_out: Vec<LeftOut>) -> Result<Exported> {
        // R4: an array is never empty.
        if self.entries > 0 {
            self.write("\n]")?;
        }
        if !left_out.is_empty() {
            let subsetted = json!({ "tag": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"
            }] });
            self.write(&format!(",\"meta\":{subsetted}"))?;
        }
        self.write("}\n")?;
        self.out.flush().map_err(unwritten)?;
        Ok(Exported {
            layout: Layout::Collection,
            resources: self.resources,
            documents: self.documents,
            left_out,
        })
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).map_err(unwritten)
    }
}

/// Bytes on their way onto a sheet as base64, from another thread as well.
struct Attachment<S: Sheet>(Arc<Mutex<Option<Encoding<S>>>>);

struct Encoding<S: Sheet> {
    out: EncoderWriter<'static, GeneralPurpose, BufWriter<S>>,
    hasher: Sha256,
    bytes: u64,
}

/// What was written.
struct Attached {
    hash: [u8; 32],
    bytes: u64,
}

impl<S: Sheet> Clone for Attachment<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Sheet> Attachment<S> {
    fn new(out: &S) -> Result<Self> {
        let out = BufWriter::new(out.another().map_err(unwritten)?);
        Ok(Self(Arc::new(Mutex::new(Some(Encoding {
            out: EncoderWriter::new(out, &STANDARD),
            hasher: Sha256::new(),
            bytes: 0,
        })))))
    }

    /// Writes what is left. Without it, an error of the last bytes would be lost.
    fn finish(&self) -> Result<Attached> {
        let encoding = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut encoding = encoding.ok_or_else(|| unwritten(io::ErrorKind::BrokenPipe.into()))?;
        encoding
            .out
            .finish()
            .and_then(|mut out| out.flush())
            .map_err(unwritten)?;
        Ok(Attached {
            hash: encoding.hasher.finalize().into(),
            bytes: encoding.bytes,
        })
    }
}

impl<S: Sheet> Write for Attachment<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut encoding = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let encoding = encoding.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        encoding.out.write_all(bytes)?;
        encoding.hasher.update(bytes);
        encoding.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Attached {
    /// A UUID of version 8 (RFC 9562) of the content; `times`: of the same content, how many are before it.
    fn urn(&self, times: u64) -> String {
        let hash = Sha256::new()
            .chain_update(self.hash)
            .chain_update(times.to_be_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        bytes[6] = bytes[6] & 0x0F | 0x80;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let hex = hex::encode(bytes);
        format!(
            "urn:uuid:{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

/// R4's `code`; a writer may have said anything.
fn media_type(text: &str) -> &str {
    let is_code = text.contains('/')
        && text
            .split(' ')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic()));
    if is_code { text } else { "application/octet-stream" }
}

/// R4's `string`: something to see, and no control characters.
fn fhir_string(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// R4's `dateTime`, which has a time zone where it has a time of day, and seconds.
fn is_date_time(text: &str) -> bool {
    time::parse(text).is_some_and(|moment| match moment.precision {
        time::Precision::Year | time::Precision::Month | time::Precision::Day => !moment.zoned,
        time::Precision::Minute => false,
        time::Precision::Second | time::Precision::Fraction => moment.zoned,
    })
}

fn write_part(out: &mut impl Write, part: Option<&str>) -> Result<()> {
    out.write_all(part.unwrap_or_default().as_bytes()).map_err(unwritten)
}

fn unwritten(error: io::Error) -> Error {
    Error::File(format!("cannot write the export: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fhir_takes_gets_into_an_attachment() {
        assert_eq!(media_type("text/plain; charset=utf-8"), "text/plain; charset=utf-8");
        for none in ["", "pdf", " a/b", "a/b  c", "a/\u{e9}", "a/b\n"] {
            assert_eq!(media_type(none), "application/octet-stream");
        }
        assert_eq!(fhir_string(" a\u{0}\u{1b}[2Jb ").as_deref(), Some("a[2Jb"));
        assert_eq!(fhir_string(" \n"), None);
        for date in [
            "2026",
            "2026-05",
            "2026-05-03",
            "2026-05-03T10:00:00+02:00",
            "2026-05-03T10:00:00.123Z",
        ] {
            assert!(is_date_time(date), "{date}");
        }
        for none in ["", "yesterday", "2026-05-03T10:00", "2026-05-03T10:00:00", "2026-02-31"] {
            assert!(!is_date_time(none), "{none}");
        }
    }

    #[test]
    fn text_that_a_frame_must_not_have_makes_no_bundle() {
        let frame = |parts: &[&str]| {
            let json = json!({ "version": 1, "parts": parts }).to_string();
            Frame::from_bytes(json.as_bytes()).unwrap()
        };
        let head = r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":"#;
        assert!(is_bundle(&frame(&[head, "}]}"])));
        for parts in [
            &[head, "}"][..],
            &["", ""],
            &["", "\n", ""],
            // More resources than records.
            &[head, r#"},{"resource":{"resourceType":"Basic"}}]}"#],
            // The record's place is in a string.
            &[
                r#"{"resourceType":"Bundle","x":""#,
                r#"","entry":[{"resource":{"resourceType":"Basic"}}]}"#,
            ],
        ] {
            assert!(!is_bundle(&frame(parts)), "{parts:?}");
        }
    }
}
