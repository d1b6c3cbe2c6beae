//! From a pretrained model to a pack: import, simplify, freeze, calibrate, quantise, plan, write.
#![forbid(unsafe_code)]

pub mod calibrate;
pub mod inspect;
pub mod lower;
pub mod onnx;
pub mod plan;
pub mod quantise;
pub mod simplify;
pub mod write;

#[cfg(test)]
mod reference;
