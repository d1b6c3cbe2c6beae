//! What a call gives.

use std::path::Path;

use headstart_device::{Error, Fault};
use serde::Serialize;

/// The bytes of an answer.
pub(crate) type Reply = Result<Vec<u8>, Refusal>;

/// Why a call is not done.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    error: String,
    /// Who is at fault: `input`, `machine` or `caller`.
    fault: &'static str,
}

impl Refusal {
    pub(crate) fn caller(error: impl Into<String>) -> Self {
        Self { error: error.into(), fault: "caller" }
    }

    pub(crate) fn of_file(path: &Path, error: &std::io::Error) -> Self {
        Self::caller(format!("{}: {error}", path.display()))
    }

    pub(crate) fn emit(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let fault = match error.fault() {
            Fault::Input => "input",
            _ => "machine",
        };
        Self { error: error.to_string(), fault }
    }
}

/// An answer as JSON.
pub(crate) fn json(said: &impl Serialize) -> Reply {
    serde_json::to_vec(said).map_err(|error| Refusal::caller(error.to_string()))
}
