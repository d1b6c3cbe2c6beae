//! Frames from a camera of the device: motion JPEG from a pipe, a file, an IP camera or, with the feature `v4l`, a camera of Video4Linux.
//!
//! A camera is read all the time, and only its newest frame waits to be answered: a frame that comes while another one waits takes its place.
//! A plain file is read as fast as it is answered, so that nothing of it is lost. A source that ends or breaks is told, and tried again.

mod feed;
mod mjpeg;
mod smooth;
mod source;
#[cfg(feature = "v4l")]
mod video4linux;

pub use feed::{Feed, Next, State};
pub use mjpeg::{Frames, MAX_FRAME_BYTES};
pub use smooth::{Smoothed, Smoother};
pub use source::{BadSource, Source};
