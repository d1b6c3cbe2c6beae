//! Trains the head of a frozen, quantised network on the device that uses it.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "burn")]
pub mod burn;
mod error;
#[cfg(feature = "float-graph")]
pub mod graph;

pub use error::Error;
