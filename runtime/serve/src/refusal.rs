//! Answers that say no, and why.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headstart_device::samples::SampleProblem;
use headstart_device::state::StateProblem;
use headstart_device::{Error, Fault, RequestProblem};
use serde::Serialize;

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Who is at fault: `input`, `state`, `caller`, `machine` or `who`.
    pub(crate) fault: &'static str,
    pub(crate) error: String,
    /// Seconds after which it may be tried again.
    pub(crate) retry_after: Option<u32>,
    /// Whether a wrong token was given.
    pub(crate) is_guess: bool,
}

#[derive(Serialize)]
struct Said<'a> {
    error: &'a str,
    fault: &'a str,
}

impl Refusal {
    pub(crate) fn new(status: u16, fault: &'static str, error: impl Into<String>) -> Self {
        Self { status, fault, error: error.into(), retry_after: None, is_guess: false }
    }

    pub(crate) fn input(error: impl Into<String>) -> Self {
        Self::new(400, "input", error)
    }

    pub(crate) fn too_large(error: impl Into<String>) -> Self {
        Self::new(413, "input", error)
    }

    pub(crate) fn cannot(error: impl Into<String>) -> Self {
        Self::new(409, "caller", error)
    }

    pub(crate) fn missing(error: impl Into<String>) -> Self {
        Self::new(404, "caller", error)
    }

    pub(crate) fn kind(error: impl Into<String>) -> Self {
        Self::new(415, "caller", error)
    }

    pub(crate) fn stranger(status: u16, error: impl Into<String>) -> Self {
        Self::new(status, "who", error)
    }

    pub(crate) fn busy(error: impl Into<String>) -> Self {
        let refusal = Self::new(503, "machine", error);
        Self { retry_after: Some(1), ..refusal }
    }

    pub(crate) fn machine(error: impl Into<String>) -> Self {
        Self::new(500, "machine", error)
    }
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        let fault = match error.fault() {
            Fault::Input => "input",
            Fault::State => "state",
            Fault::Caller => "caller",
            Fault::Machine => "machine",
        };
        Self::new(status(error), fault, error.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

fn status(error: &Error) -> u16 {
    match error {
        Error::Sample { problem, .. } => match problem {
            SampleProblem::OneClass
            | SampleProblem::NoneLeft(_)
            | SampleProblem::UnknownClasses(_) => 409,
            _ => 400,
        },
        Error::Samples(_) | Error::Pack { .. } => 400,
        Error::State { problem: StateProblem::NoHead | StateProblem::NoSamples, .. } => 404,
        Error::Request { problem, .. } => match problem {
            RequestProblem::NoClass(_)
            | RequestProblem::LooksLike { .. }
            | RequestProblem::NoSample(_) => 404,
            RequestProblem::BadName(_) | RequestProblem::OutOfRange { .. } => 400,
            _ => 409,
        },
        Error::State { .. } | Error::Training { .. } | Error::Stopped => 409,
        _ => 500,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let said = Said { error: &self.error, fault: self.fault };
        let text = serde_json::to_vec(&said).unwrap_or_default();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/json")], text).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
