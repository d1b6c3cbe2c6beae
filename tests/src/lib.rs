//! What crosses the crates.

pub mod carried;
pub mod drawings;
pub mod shift;
pub mod stamps;
