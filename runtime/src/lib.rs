//! Trains the head of a frozen, quantised network on the device that uses it.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "std", test))]
extern crate std;

mod error;
#[cfg(feature = "float-graph")]
pub mod graph;
pub mod head;

pub use error::Error;
