//! Answers that say yes.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::refusal::Refusal;

/// What a call gives.
pub(super) type Reply = Result<Response, Refusal>;

/// One JSON value.
pub(super) fn json(value: &impl Serialize) -> Reply {
    let text = serde_json::to_vec(value).map_err(|error| Refusal::machine(error.to_string()))?;
    Ok(file("application/json", text))
}

/// A file of this kind.
pub(super) fn file(kind: &'static str, content: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, kind)], content.into()).into_response()
}
