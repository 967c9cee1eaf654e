//! The names of code systems, identifier systems and extensions: HL7's, and Medlock's own (`urn:medlock:fhir:`).
//! What each of ours means stands in `docs/fhir.md`.

/// Codes of HL7, DICOM and LOINC.
pub const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub const CONSENT_ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
pub const CONSENT_SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
pub const DATA_OPERATION: &str = "http://terminology.hl7.org/CodeSystem/v3-DataOperation";
pub const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
pub const ROLE_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleClass";
pub const PROVENANCE_PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
pub const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
pub const AUDIT_EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
pub const AUDIT_ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
pub const AUDIT_SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
pub const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
pub const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
pub const RESTFUL_INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
pub const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";
pub const CONSENT_STATE: &str = "http://hl7.org/fhir/consent-state-codes";
pub const DOCUMENT_STATUS: &str = "http://hl7.org/fhir/document-reference-status";
pub const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
pub const LOINC: &str = "http://loinc.org";
/// Of identifiers whose value is a URI: accounts are `did:pkh:eip155:<chain id>:0x<account>`.
pub const URI: &str = "urn:ietf:rfc:3986";

/// Compartment numbers, `0` to `63`, each chart's own; and `none`, which no record has.
pub const COMPARTMENT: &str = "urn:medlock:fhir:compartment";
/// Numbers of purpose bits that HL7 has no code for.
pub const PURPOSE_BIT: &str = "urn:medlock:fhir:purpose-bit";
/// Numbers of action bits that HL7 has no code for.
pub const ACTION_BIT: &str = "urn:medlock:fhir:action-bit";

/// Identifiers: a chart; a grantee's grants on a chart, `<chart>.<account>`; a record, `<chart>.<record>`; a version,
/// `<chart>.<record>.<version>`; an envelope's digest; a chain event, `<transaction>.<log>`; an entry in a gateway's log of
/// reads, its hash. All in lower-case hex without `0x`, the account with it.
pub const CHART: &str = "urn:medlock:fhir:chart";
pub const GRANT: &str = "urn:medlock:fhir:grant";
pub const RECORD: &str = "urn:medlock:fhir:record";
pub const VERSION: &str = "urn:medlock:fhir:version";
pub const POINTER: &str = "urn:medlock:fhir:pointer";
pub const EVENT: &str = "urn:medlock:fhir:event";
pub const RECEIPT: &str = "urn:medlock:fhir:receipt";

/// Consent: what a grant is beyond its terms.
pub const EXTENSION_GRANT: &str = "urn:medlock:fhir:extension:grant";
/// Consent: what is signed of a grant beyond its terms, and the signature.
pub const EXTENSION_OPERATION: &str = "urn:medlock:fhir:extension:operation";
/// Consent.provision.provision: the directory version at which the rule was set.
pub const EXTENSION_RULE: &str = "urn:medlock:fhir:extension:rule-directory-version";
/// On a dateTime without a value: UNIX seconds past the year 9999.
pub const EXTENSION_SECONDS: &str = "urn:medlock:fhir:extension:unix-seconds";
/// Provenance: HL7's own, from R5, for whose data it is.
pub const EXTENSION_PATIENT: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient";

/// Search parameters that R4 does not define.
pub const PARAMETER_AUDIT_PURPOSE: &str = "urn:medlock:fhir:search:AuditEvent-purpose";
pub const PARAMETER_PROVENANCE_PATIENT: &str = "urn:medlock:fhir:search:Provenance-patient";
