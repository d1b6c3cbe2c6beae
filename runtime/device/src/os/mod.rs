//! What the library asks of the system below it: files, a clock, memory. A browser has no files: there they are in memory.

#[cfg(not(target_family = "wasm"))]
mod system;
#[cfg(not(target_family = "wasm"))]
pub(crate) use self::system::{Instant, fs, map, tempfile};

#[cfg(not(windows))]
pub(crate) mod folder;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use self::windows::folder;

#[cfg(any(target_family = "wasm", test))]
#[cfg_attr(
    not(target_family = "wasm"),
    allow(dead_code, unused_imports, unreachable_pub, reason = "elsewhere only its tests use it")
)]
mod browser;
#[cfg(target_family = "wasm")]
pub use self::browser::fs as files;
#[cfg(target_family = "wasm")]
pub(crate) use self::browser::{Instant, fs, map, tempfile};
