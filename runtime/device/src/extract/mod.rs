//! From files to features: image by image on several threads, or in batches on an engine.

mod compute;
mod extractor;
mod job;

pub use compute::{Compute, Declined, Extraction};
pub use extractor::{Buffers, Extractor};
pub(crate) use job::Job;
