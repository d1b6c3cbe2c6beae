//! Training the tail of a pack on cached features, on an engine.
//!
//! A tail answers for a sample, or gives a class for each place of a picture: `task` says what differs, `samples` and `places` do it.

mod augment;
mod descent;
mod masks;
mod options;
mod places;
mod progress;
mod run;
mod samples;
mod setback;
mod task;
mod train;
mod trial;

pub use crate::state::Augment;
pub use descent::Step;
pub use options::{Optimiser, TailOptions};
pub use progress::Keep;
pub use setback::{Setback, setback};
pub use train::{steps, train};
pub use trial::{distance, trusted};
