//! What crosses the crates.

pub mod drawings;
pub mod shift;
pub mod stamps;
