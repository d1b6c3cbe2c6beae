//! Takes a pretrained model and makes of it a pack for a device that learns.
#![forbid(unsafe_code)]

pub mod inspect;
pub mod onnx;
pub mod simplify;

#[cfg(test)]
mod reference;
