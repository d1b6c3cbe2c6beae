//! Personalises a Headstart pack on a Linux board.
//!
//! [`samples`] reads folders of images and arrays, [`state`] keeps what was learned, [`PackFile`]
//! maps a pack, [`extract`] turns files into features and a [`Head`] answers. The binary
//! `headstart-edge` puts them together; the host tools read samples and states through the same
//! code.
#![deny(unsafe_code)]

pub mod engine;
mod error;
pub mod extract;
mod head;
mod hidden;
pub mod memory;
mod model;
mod pack_file;
pub mod samples;
pub mod segmentation;
pub mod state;
pub mod training;
mod trust;

pub use error::Error;
pub use head::{Answer, Head, Layer};
pub use hidden::MAX_UNITS;
pub use pack_file::PackFile;
