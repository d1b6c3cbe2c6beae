//! What the firmware of every board shares: the cable's end, training on kept features, and a flash in memory.
//!
//! It needs neither `std` nor a heap, and runs on a host too: so a board's work can be replayed at
//! a desk and compared bit by bit.
#![no_std]
#![deny(unsafe_code)]

pub mod cable;
#[cfg(feature = "chip")]
mod chip;
pub mod flash;
pub mod training;

pub use flash::MemoryFlash;
