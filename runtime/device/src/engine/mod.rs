//! Burn engines: float arithmetic for heads and tails, and for the backbone on a GPU.
//!
//! Adding one is a line in [`Engine`], and one in `compiled`: that is what a build with an engine has, and the only place that
//! names Burn. Without one, the functions of the same names say [`TrainingProblem::EngineMissing`](crate::training::TrainingProblem::EngineMissing).

mod backend;
mod batches;
#[cfg_attr(not(feature = "_engine"), path = "absent.rs")]
mod compiled;
mod tail_model;
mod work;

pub use backend::{Backend, Engine, Processor};
pub use batches::Batches;
pub(crate) use compiled::{fit_head, train_tail};
pub(crate) use tail_model::TailModel;
pub(crate) use work::{Learned, TailTrainer};
