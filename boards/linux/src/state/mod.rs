//! The state folder: what was learned, and the features that it was learned from.
//!
//! | file | what |
//! | --- | --- |
//! | `head.hshr` | the head record: what `predict` answers with |
//! | `features.hsfc` | the [`FeatureCache`]: what the next `learn` builds on |
//!
//! Both are personal: they are created readable by their owner only.
//!
//! `learn` replaces first the cache, then the head, each in one step. A cut between the two leaves
//! the old head with a cache that holds more; the head still answers, and the next `learn` finishes
//! the work without computing a feature twice.

mod cache;
mod edit;
mod folder;
mod problem;
mod replace;

pub use cache::{FeatureCache, Insertion, MAX_VIEWS};
pub use edit::Merged;
pub use folder::{StateFolder, StateLock};
pub use problem::Problem;
