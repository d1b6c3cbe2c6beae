//! What crosses the crates.

pub mod drawings;
