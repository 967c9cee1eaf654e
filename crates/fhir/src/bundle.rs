//! Taking a Bundle apart and putting it together again.

use std::collections::{BTreeSet, HashMap};
use std::str;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{self, Json, ParseError};
use crate::sensitive::{self, Classifier, Topic};
use crate::{BUNDLE_BYTES_MAX, DEPTH_MAX, ENTRIES_MAX, Error, Label, MEDIA_TYPE};
use crate::{describe, release};

/// Around a resource in a Bundle: the Bundle, its list, and the entry.
const BUNDLE_DEPTH: usize = 3;

/// A Bundle in pieces. The resources point into the bytes that were split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle<'a> {
    pub form: Form,
    /// What stands around the resources.
    pub frame: Frame,
    /// The resources, in the Bundle's order.
    pub entries: Vec<Entry<'a>>,
    /// How many different Patients are in it or are referred to. Who names them by identifier alone is not counted.
    pub patients: usize,
}

/// How resources are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Bundle,
    /// A Bundle of type `history`: the newest version of a resource comes first.
    History,
    /// One resource, other than a Bundle.
    Resource,
    /// One resource a line (NDJSON, as of Bulk Data exports).
    Lines,
}

/// One resource of a Bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its place in the Bundle, from 0.
    pub index: usize,
    /// `Bundle.entry.fullUrl`.
    pub full_url: Option<String>,
    /// `resourceType`: one of R4's.
    pub resource_type: String,
    /// `Resource.id`.
    pub id: Option<String>,
    /// When it happened, as the resource writes it (FHIR `dateTime`).
    pub date: Option<String>,
    /// What it is, for a list; never a person's name. At most 200 characters.
    pub title: Option<String>,
    /// The compartment it belongs to.
    pub label: Label,
    /// Why the label is [`Label::Sensitive`], if it is.
    pub topic: Option<Topic>,
    /// Always [`MEDIA_TYPE`].
    pub media_type: &'static str,
    /// The exact bytes of the resource.
    pub source: &'a [u8],
}

/// The bytes of a Bundle before, between and after its resources.
///
/// It holds `fullUrl`s and request URLs, so it tells how many resources of which
/// type there are, sensitive ones included: store it in a compartment of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// One more than there are resources.
    parts: Vec<String>,
}

/// Takes an R4 Bundle apart.
///
/// Nothing of the result is reformatted: [`join`] of the frame and the sources is
/// `bundle`, byte for byte.
///
/// # Errors
/// Any of [`Error`] but `Count` and `NotAFrame`. The whole Bundle is refused: no
/// part of it is imported on the quiet.
pub fn split(bundle: &[u8]) -> Result<Bundle<'_>, Error> {
    let text = check_text(bundle)?;
    split_bundle(text)
}

/// [`split`], which also takes one resource, or one a line.
///
/// # Errors
/// Those of [`split`].
pub fn split_any(bytes: &[u8]) -> Result<Bundle<'_>, Error> {
    let text = check_text(bytes)?;
    if let Ok(whole) = serde_json::from_str::<&RawValue>(text) {
        let is_resource = type_of(text).is_some_and(|name| name != "Bundle" && release::is_type(&name));
        return match is_resource {
            true => split_resources(text, Form::Resource, &[whole]),
            false => split_bundle(text),
        };
    }
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty());
    // Otherwise it is broken JSON of another kind, and the fault stands where that breaks off.
    let is_lines = lines.next().is_some_and(|(_, line)| type_of(line).is_some()) && lines.next().is_some();
    if !is_lines {
        return split_bundle(text);
    }
    let mut resources = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if resources.len() == ENTRIES_MAX {
            return Err(Error::TooManyEntries {
                entries: resources.len() + 1,
                entries_max: ENTRIES_MAX,
            });
        }
        resources.push(serde_json::from_str(line).map_err(|e| Error::NotJson {
            line: index + 1,
            column: e.column(),
        })?);
    }
    split_resources(text, Form::Lines, &resources)
}

/// Whether this is one R4 resource that may stand in a Bundle.
#[must_use]
pub fn is_resource(bytes: &[u8]) -> bool {
    let is_shallow = !is_deeper(bytes, DEPTH_MAX - BUNDLE_DEPTH);
    is_shallow && check_text(bytes).is_ok_and(|text| Scan::default().add(text, 0, None, text).is_ok())
}

fn split_bundle(text: &str) -> Result<Bundle<'_>, Error> {
    let outer = parse_outer(text)?;
    let raw_entries = outer.entry.as_deref().unwrap_or_default();
    if raw_entries.is_empty() {
        return Err(Error::Empty);
    }
    if raw_entries.len() > ENTRIES_MAX {
        return Err(Error::TooManyEntries {
            entries: raw_entries.len(),
            entries_max: ENTRIES_MAX,
        });
    }
    let resources = raw_entries
        .iter()
        .enumerate()
        .map(|(index, entry)| entry.resource.ok_or(Error::NoResource { index }))
        .collect::<Result<Vec<_>, _>>()?;
    let mut scan = Scan {
        labelled: outer.is_labelled()?,
        ..Scan::default()
    };
    for (index, (entry, resource)) in raw_entries.iter().zip(&resources).enumerate() {
        scan.add(text, index, entry.full_url.as_deref(), resource.get())?;
    }
    let form = match outer.kind.as_deref() {
        Some("history") => Form::History,
        _ => Form::Bundle,
    };
    scan.finish(form, frame(text, &resources))
}

fn split_resources<'a>(text: &'a str, form: Form, resources: &[&'a RawValue]) -> Result<Bundle<'a>, Error> {
    // In a Bundle, where they are exported, they stand deeper.
    if is_deeper(text.as_bytes(), DEPTH_MAX - BUNDLE_DEPTH) {
        return Err(Error::TooDeep {
            depth_max: DEPTH_MAX - BUNDLE_DEPTH,
        });
    }
    let mut scan = Scan::default();
    for (index, resource) in resources.iter().enumerate() {
        scan.add(text, index, None, resource.get())?;
    }
    scan.finish(form, frame(text, resources))
}

/// What an object says to be.
fn type_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "resourceType")]
        resource_type: String,
    }
    serde_json::from_str(text)
        .ok()
        .map(|Typed { resource_type }| resource_type)
}

/// Puts a Bundle together: the resources, in the order they had.
///
/// # Errors
/// [`Error::Count`] if there are too few or too many.
pub fn join(frame: &Frame, resources: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, Error> {
    if resources.len() != frame.resources() {
        return Err(Error::Count {
            expected: frame.resources(),
            got: resources.len(),
        });
    }
    let mut bundle = Vec::new();
    for (i, part) in frame.parts.iter().enumerate() {
        bundle.extend_from_slice(part.as_bytes());
        if let Some(resource) = resources.get(i) {
            bundle.extend_from_slice(resource.as_ref());
        }
    }
    Ok(bundle)
}

impl Frame {
    /// The media type of [`Frame::to_bytes`].
    pub const MEDIA_TYPE: &'static str = "application/vnd.medlock.bundle-frame+json";

    /// How many resources go into it.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.parts.len() - 1
    }

    /// What stands before the first resource, between any two, and after the last.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    /// The form to store: JSON, `{"version":1,"parts":[...]}`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::json!({ "version": 1, "parts": self.parts })
            .to_string()
            .into_bytes()
    }

    /// # Errors
    /// [`Error::NotAFrame`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Stored {
            version: u32,
            parts: Vec<String>,
        }
        match serde_json::from_slice(bytes) {
            Ok(Stored { version: 1, parts }) if !parts.is_empty() => Ok(Self { parts }),
            _ => Err(Error::NotAFrame),
        }
    }
}

/// The parts of the Bundle that are looked at. All else is kept but not read.
#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
    #[serde(rename = "fhirVersion")]
    fhir_version: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
    #[serde(borrow)]
    entry: Option<Vec<OuterEntry<'a>>>,
}

#[derive(Deserialize)]
struct OuterEntry<'a> {
    #[serde(rename = "fullUrl")]
    full_url: Option<String>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
}

impl Outer<'_> {
    /// Whether the Bundle as a whole is labelled as sensitive. Refuses another release.
    fn is_labelled(&self) -> Result<bool, Error> {
        let not_r4 = |found: &str| Error::NotR4 {
            index: None,
            found: found.to_owned(),
        };
        if self
            .fhir_version
            .as_deref()
            .is_some_and(|version| !release::is_r4_version(version))
        {
            return Err(not_r4("the Bundle states a fhirVersion of another release"));
        }
        let Some(meta) = self.meta else {
            return Ok(false);
        };
        // As the `meta` of an object, which is what the two look into.
        let text = format!("{{\"meta\":{}}}", meta.get());
        let bundle = json::parse(&text).map_err(|_| Error::Malformed { line: 1, column: 1 })?;
        if release::profile(&bundle).is_some() {
            return Err(not_r4("the Bundle states a profile of another release"));
        }
        Ok(sensitive::is_labelled(&bundle))
    }
}

/// The bytes as text, if they are anything that could be parsed at all.
fn check_text(bytes: &[u8]) -> Result<&str, Error> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(Error::ByteOrderMark);
    }
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(Error::TooLarge {
            bytes: bytes.len(),
            bytes_max: BUNDLE_BYTES_MAX,
        });
    }
    let text = str::from_utf8(bytes).map_err(|e| {
        let (line, column) = position(bytes, e.valid_up_to());
        Error::NotJson { line, column }
    })?;
    match text.trim_ascii_start().chars().next() {
        None => Err(Error::NoBytes),
        Some('<') => Err(Error::Xml),
        Some(_) if is_too_deep(bytes) => Err(Error::TooDeep { depth_max: DEPTH_MAX }),
        Some(_) => Ok(text),
    }
}

fn parse_outer(text: &str) -> Result<Outer<'_>, Error> {
    // First that it is JSON at all, and an object: then what is wrong is its shape.
    let whole: &RawValue = serde_json::from_str(text).map_err(|e| Error::NotJson {
        line: e.line(),
        column: e.column(),
    })?;
    if !whole.get().starts_with('{') {
        return Err(Error::NotAnObject);
    }
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "resourceType")]
        resource_type: Option<String>,
    }
    let not_a_bundle = |name: Option<&str>| Error::NotABundle {
        found: match name.filter(|name| release::is_type(name)) {
            Some(name) => format!("a FHIR {name}"),
            None => "JSON of another kind".to_owned(),
        },
    };
    let outer: Outer<'_> = serde_json::from_str(text).map_err(|e| {
        // The shape of something that is no Bundle is beside the point.
        match serde_json::from_str(text) {
            Ok(Typed {
                resource_type: Some(name),
            }) if name == "Bundle" => Error::Malformed {
                line: e.line(),
                column: e.column(),
            },
            Ok(Typed { resource_type }) => not_a_bundle(resource_type.as_deref()),
            Err(_) => not_a_bundle(None),
        }
    })?;
    match outer.resource_type.as_deref() {
        Some("Bundle") => Ok(outer),
        other => Err(not_a_bundle(other)),
    }
}

/// What is learned from all resources, one after the other.
#[derive(Default)]
struct Scan<'a> {
    classifier: Classifier,
    labelled: bool,
    entries: Vec<Entry<'a>>,
    /// `meta.versionId` of each entry.
    versions: Vec<Option<String>>,
    /// Whom each entry refers to, as written.
    references: Vec<Vec<String>>,
}

impl<'a> Scan<'a> {
    fn add(&mut self, text: &'a str, index: usize, full_url: Option<&str>, source: &'a str) -> Result<(), Error> {
        let resource = json::parse(source).map_err(|e| match e {
            ParseError::DuplicateProperty => Error::DuplicateProperty { index },
            ParseError::Syntax { line, column } => {
                let (first_line, first_column) = position(text.as_bytes(), offset(text, source));
                let shift = if line == 1 { first_column - 1 } else { 0 };
                Error::NotJson {
                    line: first_line + line - 1,
                    column: column + shift,
                }
            }
        })?;
        let resource_type = resource
            .text("resourceType")
            .ok_or(Error::NoResourceType { index })?
            .to_owned();
        if let Some(found) = release::foreign(index, &resource_type, &resource) {
            return Err(Error::NotR4 {
                index: Some(index),
                found,
            });
        }
        let topic = match self.labelled {
            true => Some(Topic::Labelled),
            false => self.classifier.topic(&resource_type, &resource),
        };
        let label = match topic {
            Some(_) => Label::Sensitive,
            None => Label::of(&resource_type, &resource),
        };
        let meta = resource.get("meta");
        self.versions
            .push(meta.and_then(|meta| meta.text("versionId")).map(str::to_owned));
        self.references.push(references(&resource));
        self.entries.push(Entry {
            index,
            full_url: full_url.map(str::to_owned),
            id: resource.text("id").map(str::to_owned),
            date: describe::date(&resource),
            title: describe::title(&resource_type, &resource),
            resource_type,
            label,
            topic,
            media_type: MEDIA_TYPE,
            source: source.as_bytes(),
        });
        Ok(())
    }

    fn finish(mut self, form: Form, frame: Frame) -> Result<Bundle<'a>, Error> {
        if form != Form::History {
            check_names(&self.entries, &self.versions)?;
        }
        let by_name = self.by_name();
        let patients = self.patients(&by_name);
        self.spread(&by_name);
        Ok(Bundle {
            form,
            frame,
            entries: self.entries,
            patients,
        })
    }

    /// What references may call an entry.
    fn by_name(&self) -> HashMap<String, usize> {
        let mut by_name = HashMap::new();
        for entry in &self.entries {
            if let Some(id) = &entry.id {
                by_name.insert(format!("{}/{id}", entry.resource_type), entry.index);
            }
            if let Some(url) = &entry.full_url {
                by_name.insert(url.clone(), entry.index);
            }
        }
        by_name
    }

    /// The Patients that are here, and those elsewhere that are referred to.
    fn patients(&self, by_name: &HashMap<String, usize>) -> usize {
        let own_name = |entry: &Entry<'_>| {
            let named = entry.full_url.clone();
            named
                .or_else(|| entry.id.as_ref().map(|id| format!("Patient/{id}")))
                .unwrap_or_else(|| format!("#{}", entry.index))
        };
        let mut patients = BTreeSet::new();
        let is_patient = |entry: &&Entry<'_>| entry.resource_type == "Patient";
        patients.extend(self.entries.iter().filter(is_patient).map(own_name));
        for name in self.references.iter().flatten() {
            match find(by_name, name) {
                Some(target) if self.entries[target].resource_type == "Patient" => {
                    patients.insert(own_name(&self.entries[target]));
                }
                None if last_two(unversioned(name)).starts_with("Patient/") => {
                    patients.insert(unversioned(name).to_owned());
                }
                _ => {}
            }
        }
        patients.len()
    }

    /// Makes sensitive what refers to something sensitive, and what refers to that.
    fn spread(&mut self, by_name: &HashMap<String, usize>) {
        let mut referrers = vec![Vec::new(); self.entries.len()];
        for (source, references) in self.references.iter().enumerate() {
            for name in references {
                if let Some(target) = find(by_name, name) {
                    referrers[target].push(source);
                }
            }
        }
        // Each entry is queued at most once: when it becomes sensitive.
        let is_sensitive = |entry: &&Entry<'_>| entry.topic.is_some();
        let mut queue: Vec<_> = self.entries.iter().filter(is_sensitive).map(|e| e.index).collect();
        while let Some(target) = queue.pop() {
            for &source in &referrers[target] {
                let carries_over =
                    sensitive::carries_over(&self.entries[source].resource_type, &self.entries[target].resource_type);
                if carries_over && self.entries[source].topic.is_none() {
                    self.entries[source].topic = Some(Topic::Related);
                    self.entries[source].label = Label::Sensitive;
                    queue.push(source);
                }
            }
        }
    }
}

/// The Bundle invariant bdl-7: a fullUrl once, or with different versions. The same of type and id where there is none.
fn check_names(entries: &[Entry<'_>], versions: &[Option<String>]) -> Result<(), Error> {
    let mut urls = HashMap::new();
    let mut ids = HashMap::new();
    for (entry, version) in entries.iter().zip(versions) {
        let second = entry.index;
        match (&entry.full_url, &entry.id) {
            (Some(url), _) => {
                if let Some(first) = urls.insert((url, version), second) {
                    return Err(Error::DuplicateFullUrl { first, second });
                }
            }
            (None, Some(id)) => {
                if let Some(first) = ids.insert((&entry.resource_type, id, version), second) {
                    return Err(Error::DuplicateId { first, second });
                }
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// The entry that a reference names: as it is written, or by type and id.
fn find(by_name: &HashMap<String, usize>, name: &str) -> Option<usize> {
    let name = unversioned(name);
    by_name.get(name).or_else(|| by_name.get(last_two(name))).copied()
}

fn unversioned(name: &str) -> &str {
    name.split_once("/_history/").map_or(name, |(name, _)| name)
}

fn frame(text: &str, resources: &[&RawValue]) -> Frame {
    let mut parts = Vec::with_capacity(resources.len() + 1);
    let mut at = 0;
    for resource in resources {
        let start = offset(text, resource.get());
        parts.push(text[at..start].to_owned());
        at = start + resource.get().len();
    }
    parts.push(text[at..].to_owned());
    Frame { parts }
}

/// Where `part`, a slice of `text`, begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

/// Line and column, from 1, of a byte offset.
fn position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |i| i + 1);
    (
        before.iter().filter(|byte| **byte == b'\n').count() + 1,
        offset - line_start + 1,
    )
}

/// Whether objects and lists nest deeper than any resource's. Looked at before
/// parsing, which would take as much memory or stack as the input tells it to.
pub(crate) fn is_too_deep(bytes: &[u8]) -> bool {
    is_deeper(bytes, DEPTH_MAX)
}

fn is_deeper(bytes: &[u8], depth_max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > depth_max {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The `reference`s of a resource, those to contained resources aside.
fn references(resource: &Json) -> Vec<String> {
    let mut references = Vec::new();
    resource.objects(&mut |object| {
        if let Some(Json::Text(name)) = object.get("reference")
            && !name.starts_with('#')
        {
            references.push(name.clone());
        }
    });
    references
}

/// `Type/id` at the end of an absolute URL.
fn last_two(url: &str) -> &str {
    let start = url.rmatch_indices('/').nth(1).map_or(0, |(i, _)| i + 1);
    &url[start..]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ADOLESCENT: &[u8] = include_bytes!("../../../tests/fixtures/bundles/adolescent.json");
    const INFANT: &[u8] = include_bytes!("../../../tests/fixtures/bundles/infant.json");
    const TODDLER: &[u8] = include_bytes!("../../../tests/fixtures/bundles/toddler.json");

    /// A Bundle around `entries`, which are written out with their braces.
    fn bundle(entries: &str) -> String {
        format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}"#)
    }

    fn entry(resource: &str) -> String {
        format!(r#"{{"resource":{resource}}}"#)
    }

    fn refusal(bundle: &str) -> Error {
        split(bundle.as_bytes()).unwrap_err()
    }

    fn sources(bundle: &Bundle<'_>) -> Vec<Vec<u8>> {
        bundle.entries.iter().map(|entry| entry.source.to_vec()).collect()
    }

    #[test]
    fn real_bundles_come_back_byte_for_byte() {
        for bytes in [ADOLESCENT, INFANT, TODDLER] {
            let bundle = split(bytes).unwrap();
            let stored = Frame::from_bytes(&bundle.frame.to_bytes()).unwrap();
            assert!(join(&stored, &sources(&bundle)).unwrap() == bytes);
        }
    }

    #[test]
    fn odd_spacing_key_order_escapes_and_decimals_come_back_byte_for_byte() {
        let odd = "\n\t{ \"entry\" : [ {\"x\":1.50,\"resource\" :\r\n {\"valueDecimal\": 0.10e+02, \
                   \"resourceType\":\"Basic\",\"id\":\"\\u00e9é\"} ,\"fullUrl\":\"urn:a\"},\n\
                   {\"\\u0072esource\":{\"resourceType\":\"Basic\"}} ]  , \"type\":\"collection\",\
                   \"signature\": {\"data\":\"e30=\"}, \"resourceType\":\"Bundle\"}\n\n";
        let bundle = split(odd.as_bytes()).unwrap();
        assert_eq!(bundle.entries.len(), 2);
        assert_eq!(bundle.entries[0].id.as_deref(), Some("éé"));
        assert_eq!(bundle.entries[0].full_url.as_deref(), Some("urn:a"));
        assert!(bundle.entries[0].source.starts_with(b"{\"valueDecimal\": 0.10e+02,"));
        assert_eq!(join(&bundle.frame, &sources(&bundle)).unwrap(), odd.as_bytes());
    }

    #[test]
    fn the_main_fixture_fills_the_compartments_that_the_demo_needs() {
        let bundle = split(ADOLESCENT).unwrap();
        assert_eq!(bundle.entries.len(), 798);
        let mut counts = BTreeMap::new();
        for entry in &bundle.entries {
            *counts.entry(entry.label).or_insert(0) += 1;
        }
        for label in Label::ALL {
            assert!(counts.contains_key(&label), "{label}: {counts:?}");
        }
        assert_eq!(counts[&Label::Allergies], 1);
        assert_eq!(counts[&Label::Immunisations], 47);
        assert_eq!(counts[&Label::Imaging], 2);
        assert!(counts[&Label::Sensitive] < 250, "most of it stays usable: {counts:?}");
        for entry in &bundle.entries {
            assert_eq!(entry.label == Label::Sensitive, entry.topic.is_some());
            assert_eq!(entry.media_type, MEDIA_TYPE);
            assert!(entry.full_url.is_some() && entry.id.is_some());
            let dated = !matches!(
                entry.label,
                Label::Demographics | Label::Administrative | Label::Procedures | Label::Sensitive
            );
            assert!(
                !dated || entry.date.is_some(),
                "{} {}",
                entry.index,
                entry.resource_type
            );
        }
        let screening = bundle
            .entries
            .iter()
            .find(|entry| entry.title.as_deref() == Some("Depression screening (procedure)"));
        assert_eq!(screening.unwrap().topic, Some(Topic::MentalHealth));
    }

    #[test]
    fn describes_an_entry() {
        let text = bundle(
            r#"{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Condition","id":"a","onsetDateTime":"2014-09-05","code":{"coding":[{"system":"http://snomed.info/sct","code":"195967001","display":"Asthma"}]}}}"#,
        );
        let bundle = split(text.as_bytes()).unwrap();
        let entry = &bundle.entries[0];
        assert_eq!(
            (entry.index, &entry.resource_type[..], entry.label, entry.topic),
            (0, "Condition", Label::Conditions, None)
        );
        assert_eq!(entry.full_url.as_deref(), Some("urn:uuid:1"));
        assert_eq!(entry.id.as_deref(), Some("a"));
        assert_eq!(entry.date.as_deref(), Some("2014-09-05"));
        assert_eq!(entry.title.as_deref(), Some("Asthma"));
    }

    #[test]
    fn what_refers_to_something_sensitive_is_sensitive_too() {
        let text = bundle(
            &[
                r#"{"fullUrl":"urn:p","resource":{"resourceType":"Patient","id":"p"}}"#,
                r#"{"fullUrl":"urn:c","resource":{"resourceType":"Condition","id":"c","code":{"text":"Depression"}}}"#,
                r#"{"fullUrl":"urn:e","resource":{"resourceType":"Encounter","id":"e","diagnosis":[{"condition":{"reference":"https://x.org/fhir/Condition/c/_history/2"}}]}}"#,
                r#"{"fullUrl":"urn:o","resource":{"resourceType":"Observation","encounter":{"reference":"urn:e"},"category":[{"coding":[{"code":"vital-signs"}]}]}}"#,
                r#"{"fullUrl":"urn:k","resource":{"resourceType":"Claim","id":"k","item":[{"encounter":[{"reference":"urn:e"}]}]}}"#,
                r#"{"fullUrl":"urn:b","resource":{"resourceType":"ExplanationOfBenefit","claim":{"reference":"Claim/k"}}}"#,
                r#"{"fullUrl":"urn:k2","resource":{"resourceType":"Claim","patient":{"reference":"urn:p"}}}"#,
            ]
            .join(","),
        );
        let topics: Vec<_> = split(text.as_bytes())
            .unwrap()
            .entries
            .iter()
            .map(|entry| entry.topic)
            .collect();
        let related = Some(Topic::Related);
        assert_eq!(
            topics,
            [None, Some(Topic::MentalHealth), related, None, related, related, None]
        );
    }

    #[test]
    fn a_label_on_the_bundle_holds_all_of_it_back() {
        let text = r#"{"resourceType":"Bundle","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]},"entry":[{"resource":{"resourceType":"Patient"}}]}"#;
        let bundle = split(text.as_bytes()).unwrap();
        assert_eq!(bundle.entries[0].label, Label::Sensitive);
        assert_eq!(bundle.entries[0].topic, Some(Topic::Labelled));
    }

    #[test]
    fn says_what_is_wrong_with_a_file_that_is_no_bundle() {
        assert_eq!(refusal(""), Error::NoBytes);
        assert_eq!(refusal(" \n"), Error::NoBytes);
        assert_eq!(refusal("<Bundle xmlns=\"http://hl7.org/fhir\"/>"), Error::Xml);
        assert_eq!(refusal("{\n  \"a\": nope}"), Error::NotJson { line: 2, column: 9 });
        assert!(matches!(refusal(&bundle("")[..40]), Error::NotJson { .. }));
        assert_eq!(
            split(b"\x1f\x8b\x08\x00").unwrap_err(),
            Error::NotJson { line: 1, column: 2 },
            "gzip"
        );
        let lines = "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\"}";
        assert_eq!(refusal(lines), Error::NotJson { line: 2, column: 1 });
        for scalar in ["[]", "1", "null", "\"Bundle\""] {
            assert_eq!(refusal(scalar), Error::NotAnObject);
        }
        let found = |text: &str| match refusal(text) {
            Error::NotABundle { found } => found,
            other => panic!("{other:?}"),
        };
        assert_eq!(found(r#"{"resourceType":"Patient","entry":3}"#), "a FHIR Patient");
        assert_eq!(found(r#"{"name":"secret"}"#), "JSON of another kind");
        assert_eq!(found(r#"{"resourceType":"secret"}"#), "JSON of another kind");
        assert_eq!(found(r#"{"resourceType":7}"#), "JSON of another kind");
    }

    #[test]
    fn says_what_is_wrong_inside_a_bundle() {
        assert_eq!(refusal(&bundle("")), Error::Empty);
        assert_eq!(refusal(r#"{"resourceType":"Bundle"}"#), Error::Empty);
        let patient = entry(r#"{"resourceType":"Patient"}"#);
        for none in ["{}", r#"{"resource":null}"#, r#"{"request":{"method":"DELETE"}}"#] {
            assert_eq!(
                refusal(&bundle(&format!("{patient},{none}"))),
                Error::NoResource { index: 1 }
            );
        }
        for untyped in ["{}", "[]", "\"Patient\"", "7", r#"{"resourceType":7}"#] {
            assert_eq!(refusal(&bundle(&entry(untyped))), Error::NoResourceType { index: 0 });
        }
        assert!(matches!(
            refusal(r#"{"resourceType":"Bundle","entry":{"a":1}}"#),
            Error::Malformed { line: 1, .. }
        ));
        assert!(matches!(
            refusal(r#"{"resourceType":"Bundle","entry":[],"entry":[]}"#),
            Error::Malformed { .. }
        ));
        for twice in [
            r#"{"resourceType":"Patient","resourceType":"Patient"}"#,
            r#"{"resourceType":"Condition","code":{"text":"HIV","te\u0078t":"a cold"}}"#,
        ] {
            assert_eq!(refusal(&bundle(&entry(twice))), Error::DuplicateProperty { index: 0 });
        }
    }

    #[test]
    fn refuses_the_same_full_url_twice_unless_versions_tell_them_apart() {
        let patient = |version: &str| {
            format!(
                r#"{{"fullUrl":"urn:p","resource":{{"resourceType":"Patient","meta":{{"versionId":"{version}"}}}}}}"#
            )
        };
        let twice = |a, b| bundle(&[patient(a), entry(r#"{"resourceType":"Basic"}"#), patient(b)].join(","));
        assert_eq!(
            refusal(&twice("1", "1")),
            Error::DuplicateFullUrl { first: 0, second: 2 }
        );
        assert_eq!(split(twice("1", "2").as_bytes()).unwrap().entries.len(), 3);
        let history = twice("1", "1").replace("collection", "history");
        assert_eq!(split(history.as_bytes()).unwrap().entries.len(), 3);
    }

    #[test]
    fn one_resource_or_one_a_line_come_back_byte_for_byte() {
        let one = " {\"resourceType\":\"Observation\",\"valueDecimal\":1.00}\r\n";
        let lines = "{\"resourceType\":\"Patient\",\"id\":\"é\"}\r\n\n {\"resourceType\":\"Basic\"} \n{\"resourceType\":\"Basic\"}";
        for (text, form, count) in [
            (one, Form::Resource, 1),
            (lines, Form::Lines, 3),
            (&bundle(&entry(one)), Form::Bundle, 1),
        ] {
            let read = split_any(text.as_bytes()).unwrap();
            assert_eq!((read.form, read.entries.len()), (form, count));
            assert_eq!(join(&read.frame, &sources(&read)).unwrap(), text.as_bytes());
        }
        let refused = |text: &str| split_any(text.as_bytes()).unwrap_err();
        assert_eq!(
            refused("{\"resourceType\":\"Patient\"}\n{\"a\":\n"),
            Error::NotJson { line: 2, column: 5 }
        );
        assert_eq!(
            refused("{\"resourceType\":\"Patient\"}\n7"),
            Error::NoResourceType { index: 1 }
        );
        assert!(matches!(refused("{\n\"resourceType\":\n"), Error::NotJson { .. }));
        assert!(matches!(
            refused("{\"a\":1}\n{\"a\":2}"),
            Error::NotJson { line: 2, .. }
        ));
        assert!(matches!(
            refused("{\"resourceType\":\"Teapot\"}"),
            Error::NotABundle { .. }
        ));
        assert_eq!(refused("\u{feff}{\"resourceType\":\"Patient\"}"), Error::ByteOrderMark);
        let twice = r#"{"resourceType":"Patient","id":"a"}"#;
        assert_eq!(
            refused(&format!("{twice}\n{twice}")),
            Error::DuplicateId { first: 0, second: 1 }
        );
        let deep = format!(r#"{{"resourceType":"Basic","x":{}{}}}"#, "[".repeat(97), "]".repeat(97));
        assert_eq!(refused(&deep), Error::TooDeep { depth_max: 97 });
        assert!(is_resource(one.as_bytes()) && is_resource(bundle("").as_bytes()));
        for none in ["", "7", "{}", "{\"resourceType\":\"Teapot\"}", lines, &deep] {
            assert!(!is_resource(none.as_bytes()), "{none}");
        }
        let history = bundle(&entry(twice)).replace("collection", "history");
        assert_eq!(split_any(history.as_bytes()).unwrap().form, Form::History);
    }

    #[test]
    fn counts_the_patients_that_it_is_about() {
        let patients = |entries: &[&str]| split(bundle(&entries.join(",")).as_bytes()).unwrap().patients;
        let patient = r#"{"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","id":"p"}}"#;
        let other = r#"{"fullUrl":"urn:uuid:q","resource":{"resourceType":"Patient","id":"q"}}"#;
        let about = |name: &str| {
            entry(&format!(
                r#"{{"resourceType":"Basic","subject":{{"reference":"{name}"}}}}"#
            ))
        };
        assert_eq!(
            patients(&[
                patient,
                &about("urn:uuid:p"),
                &about("Patient/p/_history/1"),
                &about("https://x.org/Patient/p")
            ]),
            1
        );
        assert_eq!(
            patients(&[
                patient,
                &about("Practitioner/p"),
                &about("Patient?identifier=a|1"),
                &about("#p")
            ]),
            1
        );
        assert_eq!(patients(&[patient, other]), 2);
        assert_eq!(
            patients(&[
                &about("Patient/1"),
                &about("Patient/2"),
                &about("https://x.org/fhir/Patient/2")
            ]),
            3
        );
        assert_eq!(patients(&[&about("Group/1")]), 0);
    }

    #[test]
    fn refuses_other_releases_of_fhir() {
        let not_r4 = |text: &str| match refusal(text) {
            Error::NotR4 { found, .. } => found,
            other => panic!("{text}: {other:?}"),
        };
        for (resource, says) in [
            (
                r#"{"resourceType":"MedicationOrder"}"#,
                "MedicationOrder, which exists in FHIR DSTU2",
            ),
            (
                r#"{"resourceType":"NutritionIntake"}"#,
                "NutritionIntake, which exists in FHIR R5",
            ),
            (
                r#"{"resourceType":"Teapot"}"#,
                "type Teapot, which is not a type of FHIR R4",
            ),
            (r#"{"resourceType":"Jane Doe 1970"}"#, "entry 0 is a resource, which"),
            (
                r#"{"resourceType":"Encounter","class":"ambulatory"}"#,
                "Encounter.class of entry 0 has the form of FHIR DSTU2",
            ),
            (r#"{"resourceType":"Encounter","class":[{}]}"#, "R5"),
            (
                r#"{"resourceType":"Condition","clinicalStatus":"active"}"#,
                "DSTU2 or STU3",
            ),
            (
                r#"{"resourceType":"MedicationRequest","medication":{"concept":{}}}"#,
                "R5",
            ),
            (
                r#"{"resourceType":"Patient","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/Patient|5.0.0"]}}"#,
                "profile of FHIR R5",
            ),
            (
                r#"{"resourceType":"Patient","meta":{"profile":["http://hl7.org/fhir/STU3/patient.html"]}}"#,
                "STU3",
            ),
        ] {
            let found = not_r4(&bundle(&entry(resource)));
            assert!(found.contains(says), "{found}");
        }
        let stated =
            r#"{"resourceType":"Bundle","fhirVersion":"5.0.0","entry":[{"resource":{"resourceType":"Patient"}}]}"#;
        assert!(not_r4(stated).contains("fhirVersion"));
        assert!(split(stated.replace("5.0.0", "4.0.1").as_bytes()).is_ok());
        let profiled = r#"{"resourceType":"Bundle","meta":{"profile":"http://hl7.org/fhir/5.0/StructureDefinition/Bundle"},"entry":[{"resource":{"resourceType":"Patient"}}]}"#;
        assert!(not_r4(profiled).contains("profile"));
        // Guides have versions of their own.
        let guide = r#"{"resourceType":"Patient","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|5.0.1"]}}"#;
        assert!(split(bundle(&entry(guide)).as_bytes()).is_ok());
    }

    #[test]
    fn refuses_bombs_before_parsing_them() {
        let too_large = vec![b' '; BUNDLE_BYTES_MAX + 1];
        assert_eq!(
            split(&too_large).unwrap_err(),
            Error::TooLarge {
                bytes: BUNDLE_BYTES_MAX + 1,
                bytes_max: BUNDLE_BYTES_MAX
            }
        );
        let deep = |levels: usize| {
            let lists = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            bundle(&entry(&format!(r#"{{"resourceType":"Basic","x":{lists}}}"#)))
        };
        // Bundle, entry list, entry and resource are four levels themselves.
        assert!(split(deep(DEPTH_MAX - 4).as_bytes()).is_ok());
        assert_eq!(refusal(&deep(DEPTH_MAX - 3)), Error::TooDeep { depth_max: DEPTH_MAX });
        assert_eq!(refusal(&deep(1_000_000)), Error::TooDeep { depth_max: DEPTH_MAX });
        assert_eq!(refusal(&"[".repeat(1_000_000)), Error::TooDeep { depth_max: DEPTH_MAX });
        // Brackets in strings are no nesting.
        let text = entry(&format!(r#"{{"resourceType":"Basic","id":"\"{}"}}"#, "[".repeat(1_000)));
        assert!(split(bundle(&text).as_bytes()).is_ok());
        let many = vec![entry("{}"); ENTRIES_MAX + 1].join(",");
        assert!(matches!(refusal(&bundle(&many)), Error::TooManyEntries { .. }));
    }

    #[test]
    fn errors_repeat_nothing_of_the_patient() {
        for text in [
            bundle(&entry(r#"{"resourceType":"Patient","id":"Jane Doe","id":"Jane Doe"}"#)),
            bundle(&entry(r#"{"resourceType":"Jane Doe"}"#)),
            r#"{"resourceType":"Bundle","type":["Jane Doe"],"entry":"Jane Doe"}"#.to_owned(),
            r#"{"resourceType":"Jane Doe"}"#.to_owned(),
            r#"{"resourceType":"Bundle","fhirVersion":"Jane Doe","entry":[{"resource":{}}]}"#.to_owned(),
            r#"{"Jane Doe": Jane Doe}"#.to_owned(),
        ] {
            let error = refusal(&text);
            assert!(!format!("{error} {error:?}").contains("Jane"), "{error:?}");
        }
    }

    #[test]
    fn joins_only_with_every_resource() {
        let bundle = split(INFANT).unwrap();
        let mut sources = sources(&bundle);
        sources.pop();
        assert_eq!(
            join(&bundle.frame, &sources),
            Err(Error::Count {
                expected: sources.len() + 1,
                got: sources.len()
            })
        );
        for bad in [
            &b""[..],
            b"{}",
            br#"{"version":2,"parts":["a"]}"#,
            br#"{"version":1,"parts":[]}"#,
        ] {
            assert_eq!(Frame::from_bytes(bad), Err(Error::NotAFrame));
        }
    }
}
