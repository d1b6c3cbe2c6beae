//! Makes what leaves the host: heads in packs, keys, images for boards, personal models as ONNX.

pub mod board;
pub mod export;
pub mod heads;
pub mod image;
pub mod keys;
pub mod personalised;
