//! A Headstart pack and what was learned with it, as a library: everything that a device with an operating system can do.
//!
//! A [`Device`] opens both. It learns [labelled samples](Labelled), answers, measures itself, is corrected, goes back to an earlier
//! commit and takes over another backbone; whoever watches long work is an [`Observer`]. Programs, the command line
//! `headstart-edge` among them, are thin on top of it.
//!
//! Below stand its parts, for measurements and for the host tools: [`samples`] reads folders of images and arrays, [`extract`]
//! turns them into features, [`training`] makes heads of these, a [`Head`] answers, and [`state`] keeps what was learned.
#![deny(unsafe_code)]

mod device;
pub mod engine;
mod error;
pub mod extract;
mod head;
mod hidden;
pub mod memory;
mod model;
mod observer;
mod request;
pub mod samples;
pub mod segmentation;
pub mod state;
pub mod training;

pub use device::*;
pub use error::{Error, Fault};
pub use head::{Answer, Head, Layer};
pub use headstart::head::Learner;
pub use hidden::MAX_UNITS;
pub use observer::{Event, Observer, Work};
pub use request::{RequestProblem, Setting};
pub use samples::Sample;
