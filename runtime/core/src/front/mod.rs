//! From recordings to a network's input: sound as spectrograms.
//!
//! A front end takes samples as they come, in pieces of any length, and hands out a frame of values whenever one is whole: the
//! same bits as of the whole recording at once, on every machine. Its tables are made from its settings when it is opened, in
//! memory that the caller lends and whose size the settings state. What the numbers are stands in [`micro`] (integers) and
//! [`mel`] (float32); [`resample`] brings sound to the rate that they want.

mod exact;
mod fixed;
pub mod mel;
pub mod micro;
mod real;
pub mod resample;

pub use mel::Mel;
pub use micro::Micro;
pub use resample::Resampler;
