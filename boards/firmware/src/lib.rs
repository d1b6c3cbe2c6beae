//! What the firmware of every board shares: the cable's end, the job that is measured, and a flash in
//! memory.
//!
//! It needs neither `std` nor a heap, and runs on a host too: so a board's work can be replayed at
//! a desk and compared bit by bit.
#![no_std]
#![deny(unsafe_code)]

pub mod cable;
#[cfg(feature = "chip")]
mod chip;
pub mod clips;
pub mod flash;
pub mod job;

pub use clips::Clips;
pub use flash::MemoryFlash;
pub use job::{Job, JobError, Report, Ridge, Sgd, Train};
