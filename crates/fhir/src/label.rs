//! Which compartment a resource belongs to.

use std::fmt;
use std::str::FromStr;

use crate::describe;
use crate::json::Json;

/// The categories that a patient grants by.
///
/// The discriminants are the compartment numbers of the default map. They are
/// stable: charts opened with that map depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Label {
    Demographics = 0,
    Allergies = 1,
    Medications = 2,
    Conditions = 3,
    Labs = 4,
    Vitals = 5,
    Immunisations = 6,
    Encounters = 7,
    Procedures = 8,
    Imaging = 9,
    Claims = 10,
    Documents = 11,
    CarePlans = 12,
    Administrative = 13,
    Other = 14,
    /// Mental health, substance use, sexual and reproductive health, HIV, violence,
    /// genetics, and what the source labelled as restricted.
    Sensitive = 15,
}

impl Label {
    pub const ALL: [Self; 16] = [
        Self::Demographics,
        Self::Allergies,
        Self::Medications,
        Self::Conditions,
        Self::Labs,
        Self::Vitals,
        Self::Immunisations,
        Self::Encounters,
        Self::Procedures,
        Self::Imaging,
        Self::Claims,
        Self::Documents,
        Self::CarePlans,
        Self::Administrative,
        Self::Other,
        Self::Sensitive,
    ];

    /// The compartment number in the default map (0..63).
    #[must_use]
    pub fn compartment(self) -> u8 {
        self as u8
    }

    /// The label of a compartment of the default map.
    #[must_use]
    pub fn from_compartment(compartment: u8) -> Option<Self> {
        Self::ALL.get(usize::from(compartment)).copied()
    }

    /// The name in commands and JSON, in kebab-case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Demographics => "demographics",
            Self::Allergies => "allergies",
            Self::Medications => "medications",
            Self::Conditions => "conditions",
            Self::Labs => "labs",
            Self::Vitals => "vitals",
            Self::Immunisations => "immunisations",
            Self::Encounters => "encounters",
            Self::Procedures => "procedures",
            Self::Imaging => "imaging",
            Self::Claims => "claims",
            Self::Documents => "documents",
            Self::CarePlans => "care-plans",
            Self::Administrative => "administrative",
            Self::Other => "other",
            Self::Sensitive => "sensitive",
        }
    }

    /// The label of a resource before sensitivity is looked at.
    pub(crate) fn of(resource_type: &str, resource: &Json) -> Self {
        match resource_type {
            "Patient" | "Person" | "RelatedPerson" => Self::Demographics,
            "AllergyIntolerance" => Self::Allergies,
            "Medication"
            | "MedicationAdministration"
            | "MedicationDispense"
            | "MedicationKnowledge"
            | "MedicationRequest"
            | "MedicationStatement" => Self::Medications,
            "AdverseEvent"
            | "ClinicalImpression"
            | "Condition"
            | "DetectedIssue"
            | "FamilyMemberHistory"
            | "Flag"
            | "RiskAssessment" => Self::Conditions,
            "Observation" => observation(resource),
            "DiagnosticReport" => report(resource),
            "Specimen" => Self::Labs,
            "Immunization" | "ImmunizationEvaluation" | "ImmunizationRecommendation" => Self::Immunisations,
            "Appointment" | "AppointmentResponse" | "Encounter" | "EpisodeOfCare" => Self::Encounters,
            "Device" | "DeviceRequest" | "DeviceUseStatement" | "Procedure" | "ServiceRequest" | "SupplyDelivery"
            | "SupplyRequest" | "VisionPrescription" => Self::Procedures,
            "BodyStructure" | "ImagingStudy" | "Media" => Self::Imaging,
            "Account"
            | "ChargeItem"
            | "Claim"
            | "ClaimResponse"
            | "Contract"
            | "Coverage"
            | "CoverageEligibilityRequest"
            | "CoverageEligibilityResponse"
            | "EnrollmentRequest"
            | "EnrollmentResponse"
            | "ExplanationOfBenefit"
            | "Invoice"
            | "PaymentNotice"
            | "PaymentReconciliation" => Self::Claims,
            "Binary"
            | "Communication"
            | "CommunicationRequest"
            | "Composition"
            | "DocumentManifest"
            | "DocumentReference"
            | "QuestionnaireResponse" => Self::Documents,
            "CarePlan" | "CareTeam" | "Goal" | "NutritionOrder" | "RequestGroup" | "Task" => Self::CarePlans,
            "AuditEvent"
            | "Consent"
            | "Endpoint"
            | "Group"
            | "HealthcareService"
            | "InsurancePlan"
            | "Location"
            | "Organization"
            | "OrganizationAffiliation"
            | "Practitioner"
            | "PractitionerRole"
            | "Provenance"
            | "Schedule"
            | "Slot" => Self::Administrative,
            _ => Self::Other,
        }
    }
}

/// By category (R4 `observation-category`), else by the vital signs profile's codes.
fn observation(resource: &Json) -> Label {
    /// <https://hl7.org/fhir/R4/observation-vitalsigns.html>, with pulse oximetry.
    const VITAL_SIGNS: [&str; 13] = [
        "85353-1", "9279-1", "8867-4", "2708-6", "59408-5", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5",
        "85354-9", "8480-6", "8462-4",
    ];
    let categories = describe::codes(resource.get("category"));
    let is = |code: &str| categories.contains(&code);
    if is("laboratory") {
        Label::Labs
    } else if is("vital-signs") {
        Label::Vitals
    } else if is("imaging") {
        Label::Imaging
    } else if is("procedure") {
        Label::Procedures
    } else if describe::codes(resource.get("code"))
        .iter()
        .any(|code| VITAL_SIGNS.contains(code))
    {
        Label::Vitals
    } else {
        Label::Other
    }
}

/// By category: HL7 v2 table 0074 or the LOINC codes of US Core.
fn report(resource: &Json) -> Label {
    /// Imaging sections of v2-0074 and "Radiology" in LOINC.
    const IMAGING: [&str; 11] = [
        "RAD",
        "CT",
        "CUS",
        "IMG",
        "NMR",
        "NMS",
        "OUS",
        "RUS",
        "RX",
        "VUS",
        "LP29684-5",
    ];
    /// Notes in LOINC terms: cardiology, and the US Core clinical note types.
    const NOTES: [&str; 6] = ["LP29708-2", "34117-2", "11488-4", "18842-5", "11506-3", "28570-0"];
    let categories = describe::codes(resource.get("category"));
    if categories
        .iter()
        .any(|code| IMAGING.contains(code) || code.eq_ignore_ascii_case("imaging"))
    {
        Label::Imaging
    } else if categories.iter().any(|code| NOTES.contains(code)) {
        Label::Documents
    } else {
        Label::Labs
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not a [`Label`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no category {0:?}; choose one of: {list}", list = Label::ALL.map(Label::as_str).join(", "))]
pub struct UnknownLabel(pub String);

impl FromStr for Label {
    type Err = UnknownLabel;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|label| label.as_str() == word);
        known.ok_or_else(|| UnknownLabel(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back_to_the_label() {
        for label in Label::ALL {
            assert_eq!(label.as_str().parse(), Ok(label));
            assert_eq!(Label::from_compartment(label.compartment()), Some(label));
            assert!(label.compartment() < 64);
        }
        assert_eq!(Label::from_compartment(16), None);
        assert!("teeth".parse::<Label>().unwrap_err().to_string().contains("allergies"));
    }

    #[test]
    fn observations_and_reports_go_by_category() {
        let label = |resource_type: &str, body: &str| Label::of(resource_type, &crate::json::parse(body).unwrap());
        let category = |code: &str| format!(r#"{{"category":[{{"coding":[{{"code":"{code}"}}]}}]}}"#);
        assert_eq!(label("Observation", &category("laboratory")), Label::Labs);
        assert_eq!(label("Observation", &category("vital-signs")), Label::Vitals);
        assert_eq!(label("Observation", &category("imaging")), Label::Imaging);
        assert_eq!(label("Observation", &category("exam")), Label::Other);
        assert_eq!(
            label("Observation", r#"{"code":{"coding":[{"code":"8867-4"}]}}"#),
            Label::Vitals
        );
        assert_eq!(label("DiagnosticReport", &category("LAB")), Label::Labs);
        assert_eq!(label("DiagnosticReport", &category("RAD")), Label::Imaging);
        assert_eq!(label("DiagnosticReport", &category("LP29708-2")), Label::Documents);
        assert_eq!(label("NutritionOrder", "{}"), Label::CarePlans);
        assert_eq!(label("Basic", "{}"), Label::Other);
    }
}
