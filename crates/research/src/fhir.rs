//! Trials as FHIR R4 (4.0.1) resources: a trial is a ResearchStudy, its participant a ResearchSubject.
//!
//! | Medlock | FHIR |
//! |---|---|
//! | trial: open, locked, closed | `active`, `closed-to-accrual-and-intervention`, `completed` |
//! | participant: consented, enrolled | `pending-on-study`, `on-study` |
//! | withdrew before enrolment, after | `withdrawn`, `off-study` (R4: "withdrawn" is before registration) |
//!
//! A participant is an account of this trial alone, and nothing else is said of them. What is read is what is written here: a property
//! that this module does not know is refused, since passing over it would lose what somebody meant.

use alloy_primitives::{Address, B256};
use medlock_abi::terms::{participant, trial as state};
use medlock_fhir::facade::{bytes32, system, to_json};
use serde::{Deserialize, Serialize};

use crate::json::{self, Unreadable};
use crate::participants;
use crate::trial::{self, normalised_registration};

/// Identifiers: a trial, its id; its public registration number; one version's protocol, `<version>.<digest>`; a participant,
/// `<trial>.<account>`; a participant's number at a site, `<trial>.<site>.<number>`. In lower-case hex without `0x`, accounts with it.
pub const TRIAL: &str = "urn:medlock:fhir:trial";
pub const REGISTRATION: &str = "urn:medlock:fhir:trial-registration";
pub const PROTOCOL: &str = "urn:medlock:fhir:trial-protocol";
pub const PARTICIPANT: &str = "urn:medlock:fhir:trial-participant";
pub const NUMBER: &str = "urn:medlock:fhir:trial-number";

/// The largest resource that is read: 255 protocols and some thousand sites.
pub const RESOURCE_BYTES_MAX: usize = 512 * 1024;
pub const TITLE_BYTES_MAX: usize = 1000;

/// A trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Study {
    pub trial: B256,
    /// The public registration number, in its one spelling.
    pub registration: String,
    pub title: Option<String>,
    /// `terms::trial`.
    pub state: u8,
    pub sponsor: Address,
    pub sites: Vec<Address>,
    /// Digests, from version 1.
    pub protocols: Vec<B256>,
}

/// A participant, by the account for this trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub trial: B256,
    pub participant: Address,
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Consented,
    Enrolled(Seat),
    /// `None`: before they were enrolled.
    Withdrawn(Option<Seat>),
}

/// Which participant of which site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    pub site: Address,
    /// From 1.
    pub number: u32,
}

impl Standing {
    /// From what `participantOf` says. `None`: never consented, or a status that is not known.
    #[must_use]
    pub fn of_chain(site: Address, number: u32, status: u8) -> Option<Self> {
        let seat = Seat { site, number };
        match (status, number) {
            (participant::CONSENTED, 0) => Some(Self::Consented),
            (participant::ENROLLED, 1..) => Some(Self::Enrolled(seat)),
            (participant::WITHDRAWN, 0) => Some(Self::Withdrawn(None)),
            (participant::WITHDRAWN, _) => Some(Self::Withdrawn(Some(seat))),
            _ => None,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Consented => "pending-on-study",
            Self::Enrolled(_) => "on-study",
            Self::Withdrawn(None) => "withdrawn",
            Self::Withdrawn(Some(_)) => "off-study",
        }
    }

    fn seat(self) -> Option<Seat> {
        match self {
            Self::Enrolled(seat) | Self::Withdrawn(Some(seat)) => Some(seat),
            Self::Consented | Self::Withdrawn(None) => None,
        }
    }

    fn of_code(code: &str, seat: Option<Seat>) -> Option<Self> {
        match (code, seat) {
            ("pending-on-study", None) => Some(Self::Consented),
            ("on-study", Some(seat)) => Some(Self::Enrolled(seat)),
            ("withdrawn", None) => Some(Self::Withdrawn(None)),
            ("off-study", Some(seat)) => Some(Self::Withdrawn(Some(seat))),
            _ => None,
        }
    }
}

const STUDY_STATES: [(u8, &str); 3] = [
    (state::OPEN, "active"),
    (state::LOCKED, "closed-to-accrual-and-intervention"),
    (state::CLOSED, "completed"),
];

/// Why a resource is not read, or not written. `path` is FHIRPath; nothing of what was sent is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the resource cannot be read: {0}; send what this program writes")]
    Unreadable(#[from] Unreadable),
    #[error("{path}: {says}")]
    Element { path: &'static str, says: &'static str },
}

fn refuse<T>(path: &'static str, says: &'static str) -> Result<T, Refusal> {
    Err(Refusal::Element { path, says })
}

/// A resource of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Study(Study),
    Subject(Subject),
}

impl Resource {
    /// Reads what [`research_study`] or [`research_subject`] writes, by the type that it says.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read(bytes: &[u8], chain_id: u64) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "resourceType")]
            resource_type: String,
        }
        let typed: Typed = json::read(bytes, RESOURCE_BYTES_MAX)?;
        match typed.resource_type.as_str() {
            STUDY_TYPE => read_research_study(bytes, chain_id).map(Self::Study),
            SUBJECT_TYPE => read_research_subject(bytes, chain_id).map(Self::Subject),
            _ => refuse(
                "Resource.resourceType",
                "this must be a ResearchStudy or a ResearchSubject",
            ),
        }
    }
}

/// The ResearchStudy, in FHIR's canonical JSON.
///
/// # Errors
/// [`Refusal::Element`], of facts that no trial has.
pub fn research_study(study: &Study, chain_id: u64) -> Result<String, Refusal> {
    require_study(study)?;
    Ok(written(&StudyResource::of(study, chain_id)))
}

/// Reads what [`research_study`] writes: the same study.
///
/// # Errors
/// [`Refusal`].
pub fn read_research_study(bytes: &[u8], chain_id: u64) -> Result<Study, Refusal> {
    let resource: StudyResource = json::read(bytes, RESOURCE_BYTES_MAX)?;
    if resource.resource_type != STUDY_TYPE {
        return refuse("ResearchStudy.resourceType", "this must be a ResearchStudy");
    }
    let (trial, registration) = match &resource.identifier[..] {
        [trial, registration] if trial.system == TRIAL && registration.system == REGISTRATION => {
            (bytes32(&trial.value).map(B256::from), registration.value.clone())
        }
        _ => {
            return refuse(
                "ResearchStudy.identifier",
                "two are wanted: the trial's id, then its registration number",
            );
        }
    };
    let Some(trial) = trial else {
        return refuse(
            "ResearchStudy.identifier[0].value",
            "a trial's id is 64 lower-case hex digits",
        );
    };
    let known = STUDY_STATES.iter().find(|(_, code)| *code == resource.status);
    let Some((state, _)) = known else {
        return refuse(
            "ResearchStudy.status",
            "a trial is active, closed-to-accrual-and-intervention or completed",
        );
    };
    let Some(sponsor) = account(&resource.sponsor, ORGANIZATION, chain_id) else {
        return refuse(
            "ResearchStudy.sponsor",
            "a sponsor is an Organization named by did:pkh of this chain",
        );
    };
    let sites: Option<Vec<Address>> = resource
        .site
        .iter()
        .map(|site| account(site, LOCATION, chain_id))
        .collect();
    let Some(sites) = sites else {
        return refuse(
            "ResearchStudy.site",
            "a site is a Location named by did:pkh of this chain",
        );
    };
    let protocols: Option<Vec<B256>> = (1..)
        .zip(&resource.protocol)
        .map(|(version, of)| protocol(of, version))
        .collect();
    let Some(protocols) = protocols else {
        return refuse(
            "ResearchStudy.protocol",
            "a protocol is a PlanDefinition named <version>.<digest>, in order from 1",
        );
    };
    let study = Study {
        trial,
        registration,
        title: resource.title.clone(),
        state: *state,
        sponsor,
        sites,
        protocols,
    };
    require_study(&study)?;
    if StudyResource::of(&study, chain_id) != resource {
        return refuse(
            "ResearchStudy",
            "ids and identifiers must be lower-case and of the same trial",
        );
    }
    Ok(study)
}

/// The ResearchSubject, in FHIR's canonical JSON.
///
/// # Errors
/// [`Refusal::Element`], of a number that no participant has.
pub fn research_subject(subject: &Subject, chain_id: u64) -> Result<String, Refusal> {
    require_subject(subject)?;
    Ok(written(&SubjectResource::of(subject, chain_id)))
}

/// Reads what [`research_subject`] writes: the same subject.
///
/// # Errors
/// [`Refusal`].
pub fn read_research_subject(bytes: &[u8], chain_id: u64) -> Result<Subject, Refusal> {
    let resource: SubjectResource = json::read(bytes, RESOURCE_BYTES_MAX)?;
    if resource.resource_type != SUBJECT_TYPE {
        return refuse("ResearchSubject.resourceType", "this must be a ResearchSubject");
    }
    let of = &resource.study;
    let trial = (of.resource_type == STUDY_TYPE && of.identifier.system == TRIAL)
        .then(|| bytes32(&of.identifier.value).map(B256::from))
        .flatten();
    let Some(trial) = trial else {
        return refuse(
            "ResearchSubject.study",
            "a study is a ResearchStudy named by the trial's id",
        );
    };
    let Some(participant) = account(&resource.individual, PATIENT, chain_id) else {
        return refuse(
            "ResearchSubject.individual",
            "an individual is a Patient named by did:pkh of this chain, and by nothing else",
        );
    };
    let seat = match &resource.identifier[..] {
        [_] => None,
        [_, number] if number.system == NUMBER => match seat(&number.value) {
            Some(seat) => Some(seat),
            None => {
                return refuse(
                    "ResearchSubject.identifier[1].value",
                    "a number at a site is <trial>.<site>.<number>",
                );
            }
        },
        _ => {
            return refuse(
                "ResearchSubject.identifier",
                "the participant is wanted, then the number at the site, if any",
            );
        }
    };
    let Some(standing) = Standing::of_code(&resource.status, seat) else {
        return refuse(
            "ResearchSubject.status",
            "it is pending-on-study or withdrawn without a number at a site, on-study or off-study with one",
        );
    };
    let subject = Subject {
        trial,
        participant,
        standing,
    };
    require_subject(&subject)?;
    if SubjectResource::of(&subject, chain_id) != resource {
        return refuse(
            "ResearchSubject",
            "ids and identifiers must be lower-case and of the same trial and account",
        );
    }
    Ok(subject)
}

fn require_study(study: &Study) -> Result<(), Refusal> {
    let registration = normalised_registration(&study.registration).ok();
    if registration.as_ref() != Some(&study.registration) {
        return refuse(
            "ResearchStudy.identifier[1].value",
            "a registration number is written in capitals, as in NCT01234567",
        );
    }
    let digest = trial::registration_digest(&study.registration);
    if digest.map(|digest| trial::trial_id(study.sponsor, digest)) != Ok(study.trial) {
        return refuse(
            "ResearchStudy.identifier[0].value",
            "the id is not that of this sponsor and registration number",
        );
    }
    if study
        .title
        .as_ref()
        .is_some_and(|title| !json::is_plain(title, TITLE_BYTES_MAX))
    {
        return refuse("ResearchStudy.title", "a title is one line of at most 1,000 bytes");
    }
    if !STUDY_STATES.iter().any(|(known, _)| *known == study.state) {
        return refuse("ResearchStudy.status", "a trial is open, locked or closed");
    }
    if study.protocols.is_empty() || study.protocols.len() > usize::from(state::VERSIONS_MOST) {
        return refuse("ResearchStudy.protocol", "a trial has 1 to 255 versions");
    }
    Ok(())
}

fn require_subject(subject: &Subject) -> Result<(), Refusal> {
    match subject.standing.seat() {
        Some(seat) if participants::require_number(seat.number).is_err() => refuse(
            "ResearchSubject.identifier[1].value",
            "a site numbers its participants from 1 to 32,767",
        ),
        _ => Ok(()),
    }
}

const STUDY_TYPE: &str = "ResearchStudy";
const SUBJECT_TYPE: &str = "ResearchSubject";
const ORGANIZATION: &str = "Organization";
const LOCATION: &str = "Location";
const PATIENT: &str = "Patient";
const PLAN_DEFINITION: &str = "PlanDefinition";

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StudyResource {
    #[serde(rename = "resourceType")]
    resource_type: String,
    id: String,
    identifier: Vec<Identifier>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::present")]
    title: Option<String>,
    protocol: Vec<Reference>,
    status: String,
    sponsor: Reference,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    site: Vec<Reference>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectResource {
    #[serde(rename = "resourceType")]
    resource_type: String,
    identifier: Vec<Identifier>,
    status: String,
    study: Reference,
    individual: Reference,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identifier {
    system: String,
    value: String,
}

/// A logical reference: no server has a resource that could be fetched.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "type")]
    resource_type: String,
    identifier: Identifier,
}

impl StudyResource {
    fn of(study: &Study, chain_id: u64) -> Self {
        let id = hex::encode(study.trial);
        let status = STUDY_STATES.iter().find(|(known, _)| *known == study.state);
        let protocols = (1_u32..).zip(&study.protocols);
        Self {
            resource_type: STUDY_TYPE.to_owned(),
            identifier: vec![
                identifier(TRIAL, id.clone()),
                identifier(REGISTRATION, study.registration.clone()),
            ],
            id,
            title: study.title.clone(),
            protocol: protocols
                .map(|(version, digest)| {
                    reference(PLAN_DEFINITION, PROTOCOL, format!("{version}.{}", hex::encode(digest)))
                })
                .collect(),
            status: status.map(|(_, code)| (*code).to_owned()).unwrap_or_default(),
            sponsor: party(ORGANIZATION, study.sponsor, chain_id),
            site: study
                .sites
                .iter()
                .map(|site| party(LOCATION, *site, chain_id))
                .collect(),
        }
    }
}

impl SubjectResource {
    fn of(subject: &Subject, chain_id: u64) -> Self {
        let trial = hex::encode(subject.trial);
        let own = identifier(PARTICIPANT, format!("{trial}.0x{}", hex::encode(subject.participant)));
        let number = subject.standing.seat().map(|seat| {
            let site = hex::encode(seat.site);
            identifier(NUMBER, format!("{trial}.0x{site}.{}", seat.number))
        });
        Self {
            resource_type: SUBJECT_TYPE.to_owned(),
            identifier: [own].into_iter().chain(number).collect(),
            status: subject.standing.code().to_owned(),
            study: reference(STUDY_TYPE, TRIAL, trial),
            individual: party(PATIENT, subject.participant, chain_id),
        }
    }
}

fn identifier(system: &str, value: String) -> Identifier {
    Identifier {
        system: system.to_owned(),
        value,
    }
}

fn reference(resource_type: &str, system: &str, value: String) -> Reference {
    Reference {
        resource_type: resource_type.to_owned(),
        identifier: identifier(system, value),
    }
}

fn party(resource_type: &str, account: Address, chain_id: u64) -> Reference {
    let did = format!("did:pkh:eip155:{chain_id}:0x{}", hex::encode(account));
    reference(resource_type, system::URI, did)
}

fn account(reference: &Reference, resource_type: &str, chain_id: u64) -> Option<Address> {
    if reference.resource_type != resource_type || reference.identifier.system != system::URI {
        return None;
    }
    let prefix = format!("did:pkh:eip155:{chain_id}:");
    address(reference.identifier.value.strip_prefix(&prefix)?)
}

fn address(text: &str) -> Option<Address> {
    let mut bytes = [0; 20];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
    Some(Address::from(bytes))
}

fn protocol(reference: &Reference, version: u32) -> Option<B256> {
    if reference.resource_type != PLAN_DEFINITION || reference.identifier.system != PROTOCOL {
        return None;
    }
    let digest = reference.identifier.value.strip_prefix(&format!("{version}."))?;
    bytes32(digest).map(B256::from)
}

/// Of `<trial>.<site>.<number>`; that it is this trial is compared afterwards.
fn seat(value: &str) -> Option<Seat> {
    let (rest, number) = value.rsplit_once('.')?;
    let (_, site) = rest.split_once('.')?;
    Some(Seat {
        site: address(site)?,
        number: number.parse().ok()?,
    })
}

/// FHIR's JSON has no empty lists.
fn not_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Reference>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    match list.is_empty() {
        true => Err(serde::de::Error::invalid_length(0, &"one element or more")),
        false => Ok(list),
    }
}

fn written(resource: &impl Serialize) -> String {
    to_json(serde_json::to_value(resource).expect("the resources have text for names and no failing serializer"))
}
