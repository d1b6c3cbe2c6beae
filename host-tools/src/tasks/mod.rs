//! Whole pieces of work, from files to files: what a command line or a notebook asks for in one call.
//!
//! | to | there is |
//! | --- | --- |
//! | make a pack of a model | [`pack`](pack::pack) |
//! | see where a model could be frozen | [`inspect`](inspect::inspect) |
//! | see what a pack says, and check it | [`summary`](info::summary), [`verify`](info::verify) |
//! | see what quantisation cost | [`compare`](compare::compare) |
//! | write the personalised model | [`export`](export::export) |
//!
//! Reports are JSON objects of stated keys, beside the parts that they were made of. Who asks says what helps where a request is refused:
//! [`Usage`] names no options.

mod calibration;
mod choose;
pub mod compare;
mod error;
pub mod export;
pub mod file;
pub mod info;
pub mod inspect;
mod judge;
mod options;
pub mod pack;
mod preprocessing;
mod said;
mod tried;
mod watch;

pub use error::{Error, Usage};
pub use options::{PackOptions, PreprocessOptions, Sampling, Tail, Task};
pub use tried::Tried;
pub use watch::Watch;
