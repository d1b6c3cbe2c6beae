//! A pack and a state, opened together: what an application talks to. [`Device`] stands in `handle`, and each thing that it does in a
//! file of its own.

mod adopt;
mod answer;
mod apart;
#[cfg(not(target_family = "wasm"))]
pub mod bench;
mod change;
mod changed;
mod confusion;
mod copies;
mod current;
mod duplicates;
mod evaluate;
mod foreign;
mod handle;
mod history;
mod labelled;
mod learn;
mod list;
mod mend;
mod mended;
mod opened;
mod options;
mod pack_file;
mod repair;
mod report;
mod rollback;
mod status;
mod targets;
mod train;
mod trust;

pub use self::adopt::{AdoptOutcome, Adopted, KnownSamples};
pub use self::answer::{Prediction, WithBars};
#[cfg(not(target_family = "wasm"))]
pub use self::bench::{BenchOptions, Measured};
pub use self::change::{Changed, Forgotten, Merged, Relabelled, Renamed, SomeForgotten};
pub use self::changed::ChangedSetting;
pub use self::confusion::{Confusion, Wrong};
pub use self::duplicates::Duplicate;
pub use self::evaluate::{
    ClassEvaluation, ClassScore, Evaluation, PlaceEvaluation, PlaceScore, Shown,
};
pub use self::handle::Device;
pub use self::history::{CommitEntry, DamagedCommit, History};
pub use self::labelled::{Labelled, Most};
pub use self::learn::{
    Aside, GivenAs, Known, LearnOptions, Learned, LearnedHead, LearnedPlaces, Learning, Near,
    Outcome, Outweighed, Reported, Unknown, Weight,
};
pub use self::list::SampleEntry;
pub use self::mended::Mended;
pub use self::options::DeviceOptions;
pub use self::pack_file::PackFile;
pub use self::repair::{Repaired, RepairedHead};
pub use self::report::{BadFile, ClassCount};
pub use self::rollback::RolledBack;
pub use self::status::Status;
