//! The shared and the static library that C programs link. They have every function of the crate, and nothing else.

pub use headstart_c::*;
