//! A model file as a float graph: ONNX or TensorFlow Lite in, simplified.

pub mod model;
pub mod onnx;
pub mod scales;
pub mod simplify;
pub mod tflite;
