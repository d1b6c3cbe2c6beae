//! The job that is measured on a board, and replayed on a host: the same code, so that both can be compared bit by bit.
//!
//! It needs neither `std` nor a heap. The program `headstart-replay` is the host's end.
#![no_std]
#![forbid(unsafe_code)]

pub mod clips;
pub mod job;

pub use clips::Clips;
pub use job::{Job, JobError, Report};
