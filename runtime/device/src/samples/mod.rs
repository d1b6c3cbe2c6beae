//! Finds and reads samples on disk: which files there are, and what they hold.
//!
//! [`Dataset`] lists a folder in a stated order; [`SampleFile`] reads one file within limits, knows
//! it by its content ([`SampleId`]) and decodes it to what the model's preprocessing takes
//! ([`Decoded`]).

mod alike;
mod decoded;
mod file;
mod folder;
mod image;
mod jpeg;
mod kind;
mod npy;
mod problem;
mod recording;
mod sample;
mod stored;
mod thumbnail;

pub use alike::{alike, look_alike, spelled, told_apart};
pub use decoded::{Decoded, InputShape};
pub use file::{SampleFile, SampleId, hex, id_from_hex};
pub use folder::{Dataset, LabelledFile, MAX_CLASS_NAME_BYTES, MAX_CLASSES, MAX_SAMPLES};
pub(crate) use kind::extensions;
pub use problem::SampleProblem;
pub use recording::Recording;
pub use sample::Sample;
pub(crate) use sample::{Content, checked_pixels, checked_values};
pub(crate) use thumbnail::Thumbnail;
