//! A browser: one thread, no files, a clock that the page has. Of what `std` and other crates have for files there is here what the library
//! uses, by the same names.

mod clock;
pub mod fs;
#[cfg(target_family = "wasm")]
pub(crate) mod map;
pub(crate) mod tempfile;
mod tree;

pub(crate) use self::clock::Instant;
