//! Patient: a chart's pseudonym, and nothing else.

use serde_json::{Value, json};

use super::element::{coding, identifier};
use super::facts::Bytes32;
use super::system;

/// The Patient that other resources refer to. Who it is stands in a record that only those read who were granted it.
#[must_use]
pub fn patient(chart: &Bytes32) -> Value {
    let id = hex::encode(chart);
    json!({
        "resourceType": "Patient",
        "id": id,
        "meta": { "security": [coding(system::OBSERVATION_VALUE, "PSEUDED", Some("pseudonymized"))] },
        "identifier": [identifier(system::CHART, &id)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_nothing_but_the_chart() {
        let patient = patient(&[0x5a; 32]);
        let mut names: Vec<_> = patient.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["id", "identifier", "meta", "resourceType"]);
        assert_eq!(patient["id"], "5a".repeat(32), "64 characters, which is FHIR's most");
    }
}
