//! Where head records live, and where one survives any power cut: slots of NOR flash.
//!
//! A region of flash is divided into two or more slots of whole erase blocks. Commits go round
//! them, so that all wear alike, and the record that was committed last is never touched:
//!
//! ```text
//! erase the next slot → payload → header → barrier → read back, compare
//!                     → commit word → barrier → read it back
//! ```
//!
//! [`FlashStore::open`] takes the slot with the highest sequence number among those whose digest and
//! commit word are right. After a cut at any instant that is the last acknowledged record, or the
//! one that was being committed. What is assumed of the flash, and the bytes of a slot, stand in
//! `FORMAT.md`.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)
)]

mod erase;
mod error;
mod feature_log;
mod find;
mod flash;
mod flash_store;
mod medium;
#[cfg(feature = "embedded-storage")]
mod nor;
mod payload;
mod promise;
mod put;
mod slot;

pub use error::StoreError;
pub use feature_log::{FeatureLog, LogRegion};
pub use flash::{Flash, Geometry};
pub use flash_store::{FlashStore, Region};
#[cfg(feature = "embedded-storage")]
pub use nor::Nor;
pub use promise::Store;
