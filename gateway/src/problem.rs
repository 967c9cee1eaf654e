//! Failures as answers: problem+json (RFC 9457). A 4xx names the fault; a 5xx tells nothing and is logged once, here.
use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use medlock_api::{Kind, Problem, media_type};
use medlock_dag::Cid;

/// When to come back after a passing trouble.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What a handler fails with.
#[derive(Debug)]
pub struct Failure {
    problem: Box<Problem>,
    /// For the log alone. Must hold no account, chart, token or body.
    cause: Option<anyhow::Error>,
    retry_after: Option<u64>,
}

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn bad_request(field: &str, detail: impl Into<String>) -> Self {
        Problem::new(Kind::BadRequest).field(field).detail(detail).into()
    }

    /// A 5xx and why.
    pub fn caused(kind: Kind, cause: impl Into<anyhow::Error>) -> Self {
        Self {
            problem: Box::new(Problem::new(kind)),
            cause: Some(cause.into()),
            retry_after: None,
        }
    }

    /// A 5xx about the block `cid`.
    pub fn block(kind: Kind, cid: &Cid, cause: impl Into<anyhow::Error>) -> Self {
        let mut failure = Self::caused(kind, cause);
        failure.problem.digest = medlock_dag::digest(cid).ok().map(Into::into);
        failure
    }

    /// When to come back, in seconds, where it is known better than "soon".
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub fn kind(&self) -> Option<Kind> {
        self.problem.kind()
    }

    /// What Retry-After says; `None`: coming back does not help by itself.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.or(match self.kind() {
            Some(Kind::Busy | Kind::ChainDown | Kind::IndexBehind | Kind::TooMany) => Some(RETRY_AFTER_SECONDS),
            _ => None,
        })
    }

    #[cfg(test)]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            cause: None,
            retry_after: None,
        }
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Problem::new(kind).into()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(cause: anyhow::Error) -> Self {
        Self::caused(Kind::Internal, cause)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(cause: sqlx::Error) -> Self {
        Self::caused(Kind::Internal, anyhow::Error::from(cause).context("gateway database"))
    }
}

impl From<medlock_indexer::IndexError> for Failure {
    fn from(cause: medlock_indexer::IndexError) -> Self {
        use medlock_indexer::IndexError::{Deadline, Stopped};
        let kind = if matches!(cause, Deadline { .. } | Stopped { .. }) {
            Kind::IndexBehind
        } else {
            Kind::Internal
        };
        Self::caused(kind, cause)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause:#}"))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after_seconds();
        let Self { problem, cause, .. } = self;
        // The table of kinds holds valid codes only; its test says so.
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = problem.kind();
        if status.is_server_error() {
            let cause = cause.map(|cause| format!("{cause:#}")).unwrap_or_default();
            tracing::error!(
                status = status.as_u16(),
                problem = kind.map_or("", Kind::slug),
                cause,
                "request failed"
            );
        }
        let mut response = (status, Json(*problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::PROBLEM));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(Kind::NoSession | Kind::SessionExpired) = kind {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
