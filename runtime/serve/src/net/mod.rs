//! Connections: accepting them, TLS, what stalls, and how many there may be.

pub(crate) mod certificate;
pub(crate) mod link;
mod listen;
mod places;
mod talk;

pub(crate) use listen::{Ending, listen, serve};
pub(crate) use talk::{Client, Talk};
