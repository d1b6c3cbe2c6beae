//! What the library asks of the system below it: files, a clock, memory. A browser has no files: there they are in memory.

#[cfg(not(target_family = "wasm"))]
mod system;
#[cfg(not(target_family = "wasm"))]
pub(crate) use self::system::{Instant, fs, map, tempfile};

#[cfg(any(target_family = "wasm", test))]
mod browser;
#[cfg(target_family = "wasm")]
pub use self::browser::fs as files;
#[cfg(target_family = "wasm")]
pub(crate) use self::browser::{Instant, fs, map, tempfile};
