//! From a pretrained model to a pack: import, simplify, freeze, calibrate, quantise, plan, write.
#![forbid(unsafe_code)]

pub mod board;
pub mod calibrate;
pub mod cli;
pub mod commands;
pub mod compare;
pub mod decoder;
pub mod equalise;
pub mod error;
pub mod export;
pub mod freeze;
pub mod heads;
pub mod image;
pub mod inputs;
pub mod inspect;
pub mod keys;
pub mod lower;
pub mod model;
pub mod onnx;
pub mod personalised;
pub mod plan;
pub mod quantise;
pub mod quantised;
pub mod scales;
pub mod simplify;
pub mod tail;
pub mod tflite;
pub mod write;

#[cfg(test)]
mod reference;
