//! Data and models that tests of several crates share.

pub mod carried;
pub mod drawings;
pub mod shift;
pub mod stamps;

/// The Rust on pages compiles: each page that has some stands here.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/guide/microcontrollers.md")]
    mod microcontrollers {}
    #[doc = include_str!("../../docs/guide/rust-program.md")]
    mod rust_program {}
}
