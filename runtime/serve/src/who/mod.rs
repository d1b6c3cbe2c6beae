//! Who may: which requests are answered at all.
//!
//! A request passes rates, then `Host`, then where it comes from, then its session or token. Nothing of its body is read before.

mod guard;
mod rates;
mod secret;

pub(crate) use guard::{Guard, Pass};
pub(crate) use secret::Secret;
