//! The shared library that C programs link. It has every function of the crate, and nothing else.

pub use headstart_c::*;
