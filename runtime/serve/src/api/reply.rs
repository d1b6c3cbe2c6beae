//! Answers that say yes.

use serde::Serialize;

use crate::http::Response;
use crate::refusal::Refusal;

/// What a call gives.
pub(super) type Reply = Result<Response, Refusal>;

/// One JSON value.
pub(super) fn json(value: &impl Serialize) -> Reply {
    let text = serde_json::to_vec(value).map_err(|error| Refusal::machine(error.to_string()))?;
    Ok(Response::new("application/json", text))
}
