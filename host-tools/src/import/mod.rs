//! Reads a model file as a float graph: ONNX or TensorFlow Lite in, simplified.

pub mod boundaries;
pub(crate) mod cost;
mod ends;
mod file;
mod finite;
pub mod imported;
pub mod integer;
pub mod model;
pub mod onnx;
pub mod scales;
pub mod simplify;
pub mod tflite;
mod transposed;

pub use file::MAX_FILE_BYTES;
