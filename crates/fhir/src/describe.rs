//! What a resource is about, for the encrypted metadata beside it.

use crate::json::Json;

/// A title is cut here: it is for a list on a screen.
const TITLE_CHARS_MAX: usize = 200;

/// The `code`s of a CodeableConcept, a Coding, or a list of either.
pub(crate) fn codes(concept: Option<&Json>) -> Vec<&str> {
    let mut codes = Vec::new();
    if let Some(concept) = concept {
        concept.objects(&mut |object| {
            if let Some(Json::Text(code)) = object.get("code") {
                codes.push(code.as_str());
            }
        });
    }
    codes
}

/// When it happened, as the resource writes it (FHIR `date`, `dateTime` or
/// `instant`): the clinical time where there is one, else the time of recording.
/// A birth date is no such time.
pub(crate) fn date(resource: &Json) -> Option<String> {
    /// Properties that hold a time, or a Period or Timing with one, best first.
    const PROPERTIES: [&str; 21] = [
        "effectiveDateTime",
        "effectivePeriod",
        "effectiveInstant",
        "occurrenceDateTime",
        "occurrencePeriod",
        "performedDateTime",
        "performedPeriod",
        "onsetDateTime",
        "onsetPeriod",
        "started",
        "billablePeriod",
        "period",
        "servicedDate",
        "authoredOn",
        "whenHandedOver",
        "start",
        "date",
        "recordedDate",
        "recorded",
        "issued",
        "created",
    ];
    PROPERTIES.iter().find_map(|name| {
        let value = resource.get(name)?;
        let text = match value {
            Json::Text(text) => text,
            period => period.text("start").or_else(|| period.text("end"))?,
        };
        Some(text.to_owned())
    })
}

/// What to call it in a list. None where that would be a person's name.
pub(crate) fn title(resource_type: &str, resource: &Json) -> Option<String> {
    /// Concepts and strings that say what the resource is, best first.
    const PROPERTIES: [&str; 12] = [
        "title",
        "code",
        "vaccineCode",
        "medicationCodeableConcept",
        "medicationReference",
        "procedureCode",
        "name",
        "type",
        "specialty",
        "category",
        "description",
        "class",
    ];
    if matches!(resource_type, "Patient" | "Person" | "RelatedPerson" | "Practitioner") {
        return None;
    }
    let title = PROPERTIES.iter().find_map(|name| concept_text(resource.get(name)?))?;
    Some(title.chars().take(TITLE_CHARS_MAX).collect())
}

/// The text of a string, a Coding, a CodeableConcept or the first of a list of these.
fn concept_text(value: &Json) -> Option<&str> {
    let first = value.items().first()?;
    if let Json::Text(text) = first {
        return Some(text);
    }
    first.text("text").or_else(|| first.text("display")).or_else(|| {
        first
            .get("coding")?
            .items()
            .iter()
            .find_map(|coding| coding.text("display"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn finds_the_clinical_time_before_the_administrative_one() {
        let of = |text: &str| date(&parse(text).unwrap());
        assert_eq!(
            of(r#"{"issued":"2020-02-02T00:00:00Z","effectiveDateTime":"2020-01"}"#).as_deref(),
            Some("2020-01")
        );
        assert_eq!(
            of(r#"{"period":{"start":"2019-05-03"}}"#).as_deref(),
            Some("2019-05-03")
        );
        assert_eq!(of(r#"{"birthDate":"1970-01-01"}"#), None);
    }

    #[test]
    fn titles_what_it_is_and_never_who() {
        let concept = r#"{"code":{"coding":[{"code":"1"},{"code":"2","display":"Asthma"}]}}"#;
        assert_eq!(title("Condition", &parse(concept).unwrap()).as_deref(), Some("Asthma"));
        let list = r#"{"type":[{"text":"Check up"}]}"#;
        assert_eq!(title("Encounter", &parse(list).unwrap()).as_deref(), Some("Check up"));
        let person = r#"{"name":"Ada Lovelace"}"#;
        assert_eq!(title("Patient", &parse(person).unwrap()), None);
        let long = format!(r#"{{"title":"{}"}}"#, "é".repeat(300));
        assert_eq!(title("List", &parse(&long).unwrap()).unwrap().chars().count(), 200);
    }
}
