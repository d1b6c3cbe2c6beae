//! Personalises a Headstart pack on a Linux board.
//!
//! [`samples`] reads folders of images and arrays, [`state`] keeps what was learned. The binary `headstart-edge` puts them
//! together; the host tools read samples and states through the same code.
#![forbid(unsafe_code)]

mod error;
pub mod samples;
pub mod state;

pub use error::Error;
