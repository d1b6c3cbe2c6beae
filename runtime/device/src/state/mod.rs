//! The state folder: what was learned, and the features that it was learned from.
//!
//! | file | what |
//! | --- | --- |
//! | `head.hshr` | the head record: what `predict` answers with |
//! | `features.hsfc` | the [`FeatureCache`]: what the next `learn` builds on |
//! | `added-….hsfc` | the samples that came since the cache was last written whole |
//! | `commit-….hsco` | the last eight commits, each a [`Commit`]: what `rollback` returns to |
//! | `kept-samples/` | copies of the samples' files, where `learn --keep-samples` asked for them: what `adopt` learns from |
//! | `waiting-….hsfc` | a cache that lacks something of the one before, until its head is there |
//! | `names.hssn` | what the samples' files were called, as far as that is known: what `samples` shows; see [`Names`] |
//! | `adopted.hsfc` | the cache of the backbone that `adopt` is changing to, until it takes its place |
//! | `counter.hsct` | the highest security counter of the signed packs that were used |
//! | `rejected.hsco` | the last candidate that was not made current, with the reason |
//!
//! All of them are personal: they are created readable by their owner only.
//!
//! A commit replaces the cache, or what was added to it, and adds its own file, each in one step; when both are durable it replaces the head. A cut in
//! between leaves the old head with a cache that holds more; the head still answers, and the next `learn` finishes
//! the work without computing a feature twice. The head decides: a commit's file that is newer than the one of
//! the current head was cut off, and is removed by the next change.
//!
//! What a head was learned from stays until another head is there. So a cache that lacks a sample, a label or a bit of the
//! one before comes as `waiting-….hsfc`, under its head's check sum, and is renamed to `features.hsfc` behind that head. Forgetting is the
//! exception: there the samples go first.
//!
//! The cache of another backbone would leave the old head without one. So it comes as `adopted.hsfc`, and is renamed to
//! `features.hsfc` when the head is there: again the head decides, for whoever reads in between and for the next change.

mod added;
mod adopted;
mod budget;
mod cache;
mod commit;
mod edit;
mod folder;
mod four_bits;
mod kept;
mod lock;
mod names;
mod newer;
mod plain;
mod problem;
mod reader;
mod replace;
mod room;
mod salvage;
mod settings;
mod stored;
mod tail_settings;
mod waiting;

pub use cache::{Bits, FeatureCache, Insertion, MAX_VIEWS, MAX_WEIGHT};
pub use commit::Commit;
pub use edit::Merged;
pub use folder::{Found, StateFolder};
pub use kept::Kept;
pub use lock::StateLock;
pub use names::Names;
pub use problem::{StateProblem, Way};
pub(crate) use reader::newer_than;
pub use settings::{Made, Settings};
pub use tail_settings::{Augment, Optimiser, TailSettings, TailWeights};
