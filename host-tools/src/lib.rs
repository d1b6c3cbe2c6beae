//! From a pretrained model to a pack: import, simplify, freeze, calibrate, quantise, plan, write.
//!
//! A folder a step, each above the one before: [`import`] reads a model, [`cut`] finds where it is frozen,
//! [`quantise`] makes a pack of what is frozen, and [`ship`] brings packs and personal models to where they are used. Above all of them, [`tasks`]
//! does whole pieces of work.
#![forbid(unsafe_code)]

pub mod cut;
pub mod error;
pub mod float;
pub mod import;
pub mod quantise;
pub mod ship;
pub mod tasks;

#[cfg(test)]
mod reference;
