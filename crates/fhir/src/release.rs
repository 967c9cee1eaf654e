//! Telling FHIR R4 from other releases.
//!
//! A Bundle does not state its release, so this goes by what is unambiguous:
//! 1. a `fhirVersion` on the Bundle (some servers add one) other than 4.0 or 4.3;
//! 2. a canonical URL in `meta.profile` that names another release, in its path
//!    (`/fhir/STU3/`, `/5.0/`) or, for HL7's own profiles, after the bar (`|3.0.2`);
//! 3. a resource type that R4 and R4B do not have;
//! 4. an element whose JSON form differs in R4 (see [`shape`]).
//!
//! A Bundle that passes could still be of another release where the two agree;
//! then it reads the same either way.

use crate::json::Json;

/// Resource types of R4 (4.0.1) and R4B (4.3.0), sorted.
/// From the two releases' `profiles-resources.json`.
#[rustfmt::skip]
const TYPES: [&str; 159] = [
    "Account", "ActivityDefinition", "AdministrableProductDefinition", "AdverseEvent",
    "AllergyIntolerance", "Appointment", "AppointmentResponse", "AuditEvent", "Basic",
    "Binary", "BiologicallyDerivedProduct", "BodyStructure", "Bundle",
    "CapabilityStatement", "CarePlan", "CareTeam", "CatalogEntry", "ChargeItem",
    "ChargeItemDefinition", "Citation", "Claim", "ClaimResponse", "ClinicalImpression",
    "ClinicalUseDefinition", "CodeSystem", "Communication", "CommunicationRequest",
    "CompartmentDefinition", "Composition", "ConceptMap", "Condition", "Consent",
    "Contract", "Coverage", "CoverageEligibilityRequest", "CoverageEligibilityResponse",
    "DetectedIssue", "Device", "DeviceDefinition", "DeviceMetric", "DeviceRequest",
    "DeviceUseStatement", "DiagnosticReport", "DocumentManifest", "DocumentReference",
    "EffectEvidenceSynthesis", "Encounter", "Endpoint", "EnrollmentRequest",
    "EnrollmentResponse", "EpisodeOfCare", "EventDefinition", "Evidence", "EvidenceReport",
    "EvidenceVariable", "ExampleScenario", "ExplanationOfBenefit", "FamilyMemberHistory",
    "Flag", "Goal", "GraphDefinition", "Group", "GuidanceResponse", "HealthcareService",
    "ImagingStudy", "Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation",
    "ImplementationGuide", "Ingredient", "InsurancePlan", "Invoice", "Library", "Linkage",
    "List", "Location", "ManufacturedItemDefinition", "Measure", "MeasureReport", "Media",
    "Medication", "MedicationAdministration", "MedicationDispense", "MedicationKnowledge",
    "MedicationRequest", "MedicationStatement", "MedicinalProduct",
    "MedicinalProductAuthorization", "MedicinalProductContraindication",
    "MedicinalProductDefinition", "MedicinalProductIndication",
    "MedicinalProductIngredient", "MedicinalProductInteraction",
    "MedicinalProductManufactured", "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect",
    "MessageDefinition", "MessageHeader", "MolecularSequence", "NamingSystem",
    "NutritionOrder", "NutritionProduct", "Observation", "ObservationDefinition",
    "OperationDefinition", "OperationOutcome", "Organization", "OrganizationAffiliation",
    "PackagedProductDefinition", "Parameters", "Patient", "PaymentNotice",
    "PaymentReconciliation", "Person", "PlanDefinition", "Practitioner", "PractitionerRole",
    "Procedure", "Provenance", "Questionnaire", "QuestionnaireResponse",
    "RegulatedAuthorization", "RelatedPerson", "RequestGroup", "ResearchDefinition",
    "ResearchElementDefinition", "ResearchStudy", "ResearchSubject", "RiskAssessment",
    "RiskEvidenceSynthesis", "Schedule", "SearchParameter", "ServiceRequest", "Slot",
    "Specimen", "SpecimenDefinition", "StructureDefinition", "StructureMap", "Subscription",
    "SubscriptionStatus", "SubscriptionTopic", "Substance", "SubstanceDefinition",
    "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein",
    "SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification",
    "SupplyDelivery", "SupplyRequest", "Task", "TerminologyCapabilities", "TestReport",
    "TestScript", "ValueSet", "VerificationResult", "VisionPrescription",
];

/// Types that only other releases have, and which.
const FOREIGN_TYPES: [(&str, &str); 38] = [
    ("BodySite", "DSTU2 or STU3"),
    ("Conformance", "DSTU2"),
    ("DataElement", "DSTU2 or STU3"),
    ("DeviceComponent", "DSTU2 or STU3"),
    ("DeviceUseRequest", "DSTU2"),
    ("DiagnosticOrder", "DSTU2"),
    ("EligibilityRequest", "DSTU2 or STU3"),
    ("EligibilityResponse", "DSTU2 or STU3"),
    ("ExpansionProfile", "STU3"),
    ("ImagingManifest", "STU3"),
    ("ImagingObjectSelection", "DSTU2"),
    ("MedicationOrder", "DSTU2"),
    ("Order", "DSTU2"),
    ("OrderResponse", "DSTU2"),
    ("ProcedureRequest", "DSTU2 or STU3"),
    ("ProcessRequest", "DSTU2 or STU3"),
    ("ProcessResponse", "DSTU2 or STU3"),
    ("ReferralRequest", "DSTU2 or STU3"),
    ("Sequence", "STU3"),
    ("ServiceDefinition", "STU3"),
    ("ActorDefinition", "R5"),
    ("ArtifactAssessment", "R5"),
    ("BiologicallyDerivedProductDispense", "R5"),
    ("ConditionDefinition", "R5"),
    ("DeviceAssociation", "R5"),
    ("DeviceDispense", "R5"),
    ("DeviceUsage", "R5"),
    ("EncounterHistory", "R5"),
    ("FormularyItem", "R5"),
    ("GenomicStudy", "R5"),
    ("ImagingSelection", "R5"),
    ("InventoryItem", "R5"),
    ("InventoryReport", "R5"),
    ("NutritionIntake", "R5"),
    ("Permission", "R5"),
    ("RequestOrchestration", "R5"),
    ("TestPlan", "R5"),
    ("Transport", "R5"),
];

/// What shows that a resource is not R4, as the beginning of a sentence; none if nothing does.
pub(crate) fn foreign(index: usize, resource_type: &str, resource: &Json) -> Option<String> {
    if let Some((_, release)) = FOREIGN_TYPES.iter().find(|(name, _)| *name == resource_type) {
        return Some(format!(
            "entry {index} is a {resource_type}, which exists in FHIR {release} only"
        ));
    }
    if !is_type(resource_type) {
        // What stands here may be anything, so it is repeated only if it looks like a type.
        let named = resource_type.len() <= 64 && resource_type.bytes().all(|b| b.is_ascii_alphabetic());
        let name = if named {
            format!("a resource of type {resource_type}")
        } else {
            "a resource".into()
        };
        return Some(format!("entry {index} is {name}, which is not a type of FHIR R4"));
    }
    if let Some(release) = profile(resource) {
        return Some(format!("entry {index} states a profile of FHIR {release}"));
    }
    let (element, release) = shape(resource_type, resource)?;
    Some(format!(
        "{resource_type}.{element} of entry {index} has the form of FHIR {release}"
    ))
}

/// Whether this is a resource type of R4 or R4B.
pub(crate) fn is_type(name: &str) -> bool {
    TYPES.binary_search(&name).is_ok()
}

/// Whether a `fhirVersion` is of R4 or R4B.
pub(crate) fn is_r4_version(version: &str) -> bool {
    version == "4.0" || version == "4.3" || version.starts_with("4.0.") || version.starts_with("4.3.")
}

/// The other release that a profile in `meta.profile` names.
pub(crate) fn profile(resource: &Json) -> Option<&'static str> {
    const MARKS: [(&str, &str); 9] = [
        ("/fhir/DSTU2/", "DSTU2"),
        ("/fhir/1.0/", "DSTU2"),
        ("/fhir/STU3/", "STU3"),
        ("/fhir/3.0/", "STU3"),
        ("/fhir/R5/", "R5"),
        ("/fhir/5.0/", "R5"),
        ("/fhir/R6/", "R6"),
        ("/fhir/6.0/", "R6"),
        ("/fhir/4.6/", "R5"),
    ];
    /// Only HL7's own profiles carry the release as their business version.
    const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";
    const VERSIONS: [(&str, &str); 4] = [("|1.0", "DSTU2"), ("|3.0", "STU3"), ("|5.0", "R5"), ("|6.0", "R6")];
    let profiles = resource.get("meta")?.get("profile")?;
    profiles.items().iter().find_map(|profile| {
        let Json::Text(url) = profile else {
            return None;
        };
        let by_path = MARKS.iter().find(|(mark, _)| url.contains(mark));
        let by_version = || {
            VERSIONS
                .iter()
                .find(|(mark, _)| url.starts_with(CORE) && url.contains(mark))
        };
        by_path.or_else(by_version).map(|(_, release)| *release)
    })
}

/// Elements whose JSON form tells the release: name, and which it is.
fn shape(resource_type: &str, resource: &Json) -> Option<(&'static str, &'static str)> {
    let text = |name| matches!(resource.get(name), Some(Json::Text(_)));
    let object = |name| matches!(resource.get(name), Some(Json::Object(_)));
    let list = |name| matches!(resource.get(name), Some(Json::List(_)));
    match resource_type {
        // A code, then a Coding, then a list of concepts.
        "Encounter" if text("class") => Some(("class", "DSTU2")),
        "Encounter" if list("class") => Some(("class", "R5")),
        // A code until STU3, a concept since.
        "Condition" if text("clinicalStatus") => Some(("clinicalStatus", "DSTU2 or STU3")),
        "AllergyIntolerance" if text("clinicalStatus") => Some(("clinicalStatus", "DSTU2 or STU3")),
        // `medication[x]` until R4B, one CodeableReference since.
        "MedicationRequest" | "MedicationStatement" | "MedicationAdministration" | "MedicationDispense"
            if object("medication") =>
        {
            Some(("medication", "R5"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_table_is_sorted_and_disjoint() {
        assert!(TYPES.is_sorted());
        assert!(FOREIGN_TYPES.iter().all(|(name, _)| TYPES.binary_search(name).is_err()));
    }
}
