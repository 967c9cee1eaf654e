//! What there is, and what it can be searched by: the one table.

use super::super::system;

/// A resource type that is served.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    pub name: &'static str,
    /// What it stands for.
    pub documentation: &'static str,
    /// It can be created, not only read.
    pub create: bool,
    /// Empty: it is read by id alone.
    pub parameters: &'static [Parameter],
    /// The elements of a summary (R4: those marked as summary in the base definition), without those that all have.
    pub summary: &'static [&'static str],
    /// The elements without which it is not valid.
    pub mandatory: &'static [&'static str],
}

#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: ParameterKind,
    /// Where the values stand: FHIRPath without the type, element by element. One that is a URL is the value of that extension.
    pub paths: &'static [&'static [&'static str]],
    /// Its canonical definition.
    pub definition: &'static str,
    /// What R4 leaves to the server.
    pub documentation: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// `system`: of a plain code, which has its system from its binding.
    Token {
        system: Option<&'static str>,
    },
    Date,
    /// To resources of this server, of this type.
    Literal {
        target: &'static str,
    },
    /// To accounts, which no server has resources for: `:identifier` alone.
    Logical,
}

const BY_IDENTIFIER: &str = "Only with the modifier :identifier: an account has no resource that could be referred to. \
     The identifier is urn:ietf:rfc:3986|did:pkh:eip155:<chain id>:0x<account>.";

const fn date(name: &'static str, paths: &'static [&'static [&'static str]], definition: &'static str) -> Parameter {
    let kind = ParameterKind::Date;
    Parameter {
        name,
        kind,
        paths,
        definition,
        documentation: None,
    }
}

const fn token(
    name: &'static str,
    paths: &'static [&'static [&'static str]],
    definition: &'static str,
    system: Option<&'static str>,
) -> Parameter {
    let kind = ParameterKind::Token { system };
    Parameter {
        name,
        kind,
        paths,
        definition,
        documentation: None,
    }
}

const fn to(
    name: &'static str,
    target: &'static str,
    paths: &'static [&'static [&'static str]],
    definition: &'static str,
) -> Parameter {
    let kind = ParameterKind::Literal { target };
    Parameter {
        name,
        kind,
        paths,
        definition,
        documentation: None,
    }
}

const fn account(name: &'static str, paths: &'static [&'static [&'static str]], definition: &'static str) -> Parameter {
    let kind = ParameterKind::Logical;
    let documentation = Some(BY_IDENTIFIER);
    Parameter {
        name,
        kind,
        paths,
        definition,
        documentation,
    }
}

const ID: Parameter = token(
    "_id",
    &[&["id"]],
    "http://hl7.org/fhir/SearchParameter/Resource-id",
    None,
);
const LAST_UPDATED: Parameter = date(
    "_lastUpdated",
    &[&["meta", "lastUpdated"]],
    "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated",
);
const CLINICAL_PATIENT: &str = "http://hl7.org/fhir/SearchParameter/clinical-patient";

pub const RESOURCES: &[Resource] = &[
    Resource {
        name: "AuditEvent",
        documentation: "A read of a record, as the reader signed for it and the gateway logged it. Who broke the glass has BTG \
             among the purposes.",
        create: false,
        parameters: &[
            ID,
            LAST_UPDATED,
            to(
                "patient",
                "Patient",
                &[&["agent", "who"], &["entity", "what"]],
                "http://hl7.org/fhir/SearchParameter/AuditEvent-patient",
            ),
            date(
                "date",
                &[&["recorded"]],
                "http://hl7.org/fhir/SearchParameter/AuditEvent-date",
            ),
            account(
                "agent",
                &[&["agent", "who"]],
                "http://hl7.org/fhir/SearchParameter/AuditEvent-agent",
            ),
            Parameter {
                name: "purpose",
                kind: ParameterKind::Token { system: None },
                paths: &[&["purposeOfEvent"]],
                definition: system::PARAMETER_AUDIT_PURPOSE,
                documentation: Some("AuditEvent.purposeOfEvent. R4 has no parameter for it."),
            },
        ],
        summary: &[
            "type",
            "subtype",
            "action",
            "recorded",
            "outcome",
            "outcomeDesc",
            "purposeOfEvent",
        ],
        mandatory: &["type", "recorded", "agent", "source"],
    },
    Resource {
        name: "Consent",
        documentation: "A grant with the rules that name its grantee; or what holds on a chart for those who have none. Created \
             from a grant that is signed.",
        create: true,
        parameters: &[
            ID,
            LAST_UPDATED,
            to("patient", "Patient", &[&["patient"]], CLINICAL_PATIENT),
            account(
                "actor",
                &[&["provision", "actor", "reference"]],
                "http://hl7.org/fhir/SearchParameter/Consent-actor",
            ),
            token(
                "purpose",
                &[&["provision", "purpose"]],
                "http://hl7.org/fhir/SearchParameter/Consent-purpose",
                None,
            ),
            date(
                "period",
                &[&["provision", "period"]],
                "http://hl7.org/fhir/SearchParameter/Consent-period",
            ),
            token(
                "status",
                &[&["status"]],
                "http://hl7.org/fhir/SearchParameter/Consent-status",
                Some(system::CONSENT_STATE),
            ),
        ],
        summary: &[
            "identifier",
            "status",
            "scope",
            "category",
            "patient",
            "dateTime",
            "performer",
            "organization",
            "sourceAttachment",
            "sourceReference",
            "policyRule",
            "verification",
            "provision",
        ],
        mandatory: &["status", "scope", "category"],
    },
    Resource {
        name: "DocumentReference",
        documentation: "One version of a record. Its content is encrypted: the attachment is a CAR stream that only a client \
             with the chart's keys can open, and is served against a signed read receipt.",
        create: false,
        parameters: &[
            ID,
            LAST_UPDATED,
            to("patient", "Patient", &[&["subject"]], CLINICAL_PATIENT),
            token(
                "status",
                &[&["status"]],
                "http://hl7.org/fhir/SearchParameter/DocumentReference-status",
                Some(system::DOCUMENT_STATUS),
            ),
            date(
                "date",
                &[&["date"]],
                "http://hl7.org/fhir/SearchParameter/DocumentReference-date",
            ),
            token(
                "identifier",
                &[&["masterIdentifier"], &["identifier"]],
                "http://hl7.org/fhir/SearchParameter/clinical-identifier",
                None,
            ),
            account(
                "author",
                &[&["author"]],
                "http://hl7.org/fhir/SearchParameter/DocumentReference-author",
            ),
            token(
                "security-label",
                &[&["securityLabel"]],
                "http://hl7.org/fhir/SearchParameter/DocumentReference-security-label",
                None,
            ),
        ],
        summary: &[
            "masterIdentifier",
            "identifier",
            "status",
            "docStatus",
            "type",
            "category",
            "subject",
            "date",
            "author",
            "relatesTo",
            "description",
            "securityLabel",
            "content",
            "context",
        ],
        mandatory: &["status", "content"],
    },
    Resource {
        name: "Patient",
        documentation: "A chart's pseudonym. It holds nothing but the chart's id.",
        create: false,
        parameters: &[],
        summary: &[
            "identifier",
            "active",
            "name",
            "telecom",
            "gender",
            "birthDate",
            "deceasedBoolean",
            "deceasedDateTime",
            "address",
            "managingOrganization",
            "link",
        ],
        mandatory: &[],
    },
    Resource {
        name: "Provenance",
        documentation: "Who wrote a version of a record, for whom, and the event on chain that says so.",
        create: false,
        parameters: &[
            ID,
            LAST_UPDATED,
            to(
                "target",
                "DocumentReference",
                &[&["target"]],
                "http://hl7.org/fhir/SearchParameter/Provenance-target",
            ),
            Parameter {
                name: "patient",
                kind: ParameterKind::Literal { target: "Patient" },
                paths: &[&[system::EXTENSION_PATIENT]],
                definition: system::PARAMETER_PROVENANCE_PATIENT,
                documentation: Some(
                    "Whose record was written. R4's parameter finds targets that are Patients, which a version is not; this \
                     is R5's, by its extension for R4.",
                ),
            },
            date(
                "recorded",
                &[&["recorded"]],
                "http://hl7.org/fhir/SearchParameter/Provenance-recorded",
            ),
            account(
                "agent",
                &[&["agent", "who"]],
                "http://hl7.org/fhir/SearchParameter/Provenance-agent",
            ),
        ],
        summary: &["target", "recorded"],
        mandatory: &["target", "recorded", "agent"],
    },
];

/// The resource of that name, if it is served.
#[must_use]
pub fn resource(name: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.name == name)
}
