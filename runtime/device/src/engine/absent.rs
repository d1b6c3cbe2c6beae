//! What is there where no engine is compiled in: the functions of `compiled`, none of which can do its work.

use headstart::graph::{Graph, ValueId};
use headstart::head::Samples;
use headstart::pack::Pack;
use headstart::tail::training::{LastLayer, Settings};

use super::Backend;
use super::work::{RunTail, TailTrainer, Uploaded};
use crate::model::Model;
use crate::training::TrainingProblem;

pub(crate) fn fit_head(
    _: Backend,
    _: Option<usize>,
    _: Samples<'_>,
    _: usize,
    _: u64,
) -> Result<Model, TrainingProblem> {
    Err(TrainingProblem::EngineMissing)
}

pub(crate) fn train_tail(
    _: Backend,
    _: &Graph,
    _: &[ValueId],
    _: (LastLayer, Settings),
    _: Option<f32>,
) -> Result<Box<dyn TailTrainer>, TrainingProblem> {
    Err(TrainingProblem::EngineMissing)
}

pub(super) fn upload_tail(_: &Graph) -> Result<RunTail, TrainingProblem> {
    Err(TrainingProblem::EngineMissing)
}

pub(super) fn upload_backbone(_: &Pack<'_>, _: Backend) -> Result<Uploaded, TrainingProblem> {
    Err(TrainingProblem::EngineMissing)
}
