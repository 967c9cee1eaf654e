//! medlock-fhir
