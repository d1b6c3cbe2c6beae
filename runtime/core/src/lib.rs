//! Trains the head of a frozen, quantised network on the device that uses it.
//!
//! The crate needs neither `std` nor a heap: a [`pack`] is borrowed from its bytes, a
//! [`backbone`] runs in a caller's arena, and learners work in caller's slices. A [`session`] is all
//! three in one piece of memory.
#![no_std]
#![deny(unsafe_code)]

/// Test cases that the tests outside share name the crate as these do.
#[cfg(test)]
extern crate self as headstart;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod backbone;
#[cfg(feature = "burn")]
pub mod burn;
mod checked;
mod error;
#[cfg(feature = "float-graph")]
pub mod graph;
pub mod head;
pub mod kernels;
pub mod network;
pub mod pack;
pub mod preprocess;
mod random;
pub mod record;
pub mod session;
pub mod store;
#[cfg(feature = "float-graph")]
pub mod tail;

pub use error::Error;
