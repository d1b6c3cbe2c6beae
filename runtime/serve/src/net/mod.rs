//! Connections: accepting them, TLS, what stalls, and how many there may be.

pub(crate) mod certificate;
pub(crate) mod link;
mod listen;
mod places;
mod plain;
mod socket;

pub(crate) use listen::{Door, Ending, serve};
