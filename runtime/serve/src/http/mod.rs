//! HTTP/1.1, as far as the calls need it: heads by `httparse`, bodies of a stated length, answers with a length or a stream of events.
//!
//! What could be read in two ways is refused: a body without a length, a body in chunks, two lengths, a head with more lines or bytes than any
//! client of ours sends.

mod body;
mod head;
mod response;

pub(crate) use body::{Body, Input, Upload};
pub(crate) use head::{BadHead, Head, Headers, Method, Request};
pub(crate) use response::{Content, Response};
