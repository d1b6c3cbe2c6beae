//! Teaches and asks a device with an operating system: a Headstart pack and what was learned with it, as a library.
//!
//! # Quick start
//!
//! ```no_run
//! use headstart_device::{Device, LearnOptions, Outcome, Sample};
//!
//! # fn main() -> Result<(), headstart_device::Error> {
//! let device = Device::open("model.hspk", "mine")?; // the pack, and the folder of what was learned
//! let photos = device.read("photos".as_ref(), None)?; // one folder a class
//! if let Outcome::Rejected(report) = device.learn(&photos, &LearnOptions::default(), &())? {
//!     println!("not learned: {}", report.rejected().unwrap_or_default());
//! }
//! let answer = device.predict(&Sample::rgb(2, 1, &[255, 0, 0, 0, 0, 255]))?;
//! println!("{}", answer.label().unwrap_or("unknown"));
//! # Ok(())
//! # }
//! ```
//!
//! The examples `teach`, `learn_folder` and `live` are whole programs. The command line `headstart-edge` is thin on top of this crate, and leaves the
//! same bytes.
//!
//! # What there is
//!
//! | to | there is |
//! | --- | --- |
//! | open, learn, answer, correct, go back, adopt | [`Device`] |
//! | say what a sample is, and what it shows | [`Sample`], [`Labelled`] |
//! | choose how it is learned | [`LearnOptions`] |
//! | watch and stop long work | [`Observer`] |
//! | know who is at fault | [`Error`], [`Fault`] |
//!
//! Below stand the parts, for measurements and for the host tools: [`samples`] reads folders of images and arrays, [`extract`]
//! turns them into features, [`training`] makes heads of these, a [`Head`] answers, and [`state`] keeps what was learned.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! | --- | --- |
//! | `flex`, `ndarray`, `candle` | training of tails, and of heads by autodiff, on these backends of Burn |
//! | `cuda`, `candle-cuda` | these, and the backbone, on an NVIDIA GPU |
//! | `signature` | devices that use signed packs only: [`DeviceOptions::trust`](DeviceOptions) |
//!
//! # Rust
//!
//! The oldest Rust that builds this crate is the `rust-version` of its manifest, 1.95.
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
mod os;
pub mod plain;
mod request;
pub mod samples;
pub mod segmentation;
pub mod shown;
pub mod state;
pub mod training;

pub use device::*;
pub use error::{Error, Fault};
pub use head::{Answer, Head, Layer};
pub use headstart::head::Learner;
pub use hidden::MAX_UNITS;
pub use observer::{Event, Observer, Work};
/// The files of a browser, which are in memory: `put` them before a device is opened, `read` what it wrote.
#[cfg(target_family = "wasm")]
pub use os::files;
pub use request::{RequestProblem, Setting};
pub use samples::Sample;
pub use state::{Augment, Optimiser, TailSettings, TailWeights};
