//! OperationOutcome: what was wrong, where, and nothing of what was sent.

use serde_json::{Value, json};

use super::element::tidy;

/// Issues in one outcome. A caller mends the first few; an answer must not grow with what was sent.
pub const ISSUES_MAX: usize = 50;

/// What is wrong with a request, or what to know of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    issues: Vec<Issue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub severity: Severity,
    pub code: Code,
    /// FHIRPath of the element, as in `Consent.provision.actor[1]`; of search, `http.` and the parameter's name.
    pub expression: Option<String>,
    /// What to do about it, without a value that was sent.
    pub diagnostics: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    Error,
    Warning,
}

/// The issue types (R4 `issue-type`) that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// Not JSON, or not of FHIR's form.
    Structure,
    Required,
    Value,
    /// A code that is none of those that can be taken here.
    CodeInvalid,
    Extension,
    NotSupported,
    TooLong,
    Forbidden,
    NotFound,
    /// It was there: a shredded record.
    Deleted,
    Conflict,
    Login,
    Throttled,
    Transient,
    Exception,
}

impl Code {
    pub const ALL: [Self; 15] = [
        Self::Structure,
        Self::Required,
        Self::Value,
        Self::CodeInvalid,
        Self::Extension,
        Self::NotSupported,
        Self::TooLong,
        Self::Forbidden,
        Self::NotFound,
        Self::Deleted,
        Self::Conflict,
        Self::Login,
        Self::Throttled,
        Self::Transient,
        Self::Exception,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::CodeInvalid => "code-invalid",
            Self::Extension => "extension",
            Self::NotSupported => "not-supported",
            Self::TooLong => "too-long",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::Conflict => "conflict",
            Self::Login => "login",
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::Exception => "exception",
        }
    }
}

impl Outcome {
    /// One error.
    #[must_use]
    pub fn error(code: Code, diagnostics: &str) -> Self {
        let mut outcome = Self::default();
        outcome.push(Issue {
            severity: Severity::Error,
            code,
            expression: None,
            diagnostics: diagnostics.to_owned(),
        });
        outcome
    }

    /// Past [`ISSUES_MAX`] nothing is added.
    pub fn push(&mut self, issue: Issue) {
        if self.issues.len() < ISSUES_MAX {
            self.issues.push(issue);
        }
    }

    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.issues.is_empty()
    }

    /// The resource. It must hold an issue to be a valid one (R4: `OperationOutcome.issue` 1..*).
    #[must_use]
    pub fn to_resource(&self) -> Value {
        let issues: Vec<_> = self.issues.iter().map(Issue::to_element).collect();
        json!({ "resourceType": "OperationOutcome", "issue": issues })
    }
}

impl Issue {
    fn to_element(&self) -> Value {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // `expression` is of elements; of parameters R4 speaks in `location` alone ("http." and the name).
        let (expression, location) = match &self.expression {
            Some(path) if path.starts_with("http.") => (None, Some([path])),
            path => (path.as_ref().map(|path| [path]), None),
        };
        tidy(json!({
            "severity": severity,
            "code": self.code.as_str(),
            "expression": expression,
            "location": location,
            "diagnostics": self.diagnostics,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_by_expression_and_of_parameters_by_location() {
        let mut outcome = Outcome::error(Code::Structure, "not JSON");
        for expression in ["Consent.provision.actor[1]", "http.patient"] {
            outcome.push(Issue {
                severity: Severity::Warning,
                code: Code::Value,
                expression: Some(expression.to_owned()),
                diagnostics: "x".to_owned(),
            });
        }
        assert_eq!(
            outcome.to_resource(),
            json!({ "resourceType": "OperationOutcome", "issue": [
                { "severity": "error", "code": "structure", "diagnostics": "not JSON" },
                { "severity": "warning", "code": "value", "diagnostics": "x", "expression": ["Consent.provision.actor[1]"] },
                { "severity": "warning", "code": "value", "diagnostics": "x", "location": ["http.patient"] },
            ] })
        );
    }

    #[test]
    fn does_not_grow_with_what_was_sent() {
        let mut outcome = Outcome::default();
        for _ in 0..2 * ISSUES_MAX {
            outcome.push(Outcome::error(Code::Value, "x").issues()[0].clone());
        }
        assert_eq!(outcome.issues().len(), ISSUES_MAX);
    }
}
