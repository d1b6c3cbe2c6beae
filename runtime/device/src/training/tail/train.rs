//! From cached features to the record of a trained tail.

use headstart::pack::Pack;
use headstart::tail::Tail;

use super::TailOptions;
use super::descent::{self, Step};
use super::places::OfPlaces;
use super::progress::{Keep, Kept};
use super::run::Run;
use super::samples::{self, OfSamples};
use super::task::Task;
use crate::Head;
use crate::engine::Backend;
use crate::segmentation::is_per_place;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// Trains the tail and a last layer for the cache's classes, and writes their record. `epoch` is told how
/// many are done, and the mean loss of the last one; its error ends the training.
///
/// Where the pack answers each place of a picture, what is learned from are the cache's masks: each place's target is how its
/// pixels are shared among the classes, and the record's held-out numbers count places.
///
/// `initial` is the pack's own head: training starts from its last layer. All that is random follows from
/// the seed, so that the same samples give the same record. A training that was killed goes on behind the last epoch that
/// was kept, and gives the record that it would have given.
///
/// # Errors
/// [`TrainingProblem::Engine`], [`TrainingProblem::EngineMissing`], [`TrainingProblem::NoLayer`], [`TrainingProblem::Samples`], [`TrainingProblem::Progress`].
pub fn train(
    cache: &FeatureCache,
    pack: &Pack<'_>,
    initial: Option<&Head>,
    options: &TailOptions,
    keep: Option<Keep<'_>>,
    epoch: &mut dyn FnMut(usize, f32) -> Result<(), TrainingProblem>,
) -> Result<Vec<u8>, TrainingProblem> {
    let run = run(cache, pack, initial, options)?;
    let backend = options.backend.or(Backend::fastest()).ok_or(TrainingProblem::EngineMissing)?;
    let kept = Kept::new(keep, cache, pack, options, backend);
    task(&run)?.learn(backend, kept, epoch)
}

/// Gives the steps that [`train`] takes, a row an epoch, where it is not ended early: another trainer that takes them from the same weights
/// learns the same. Of a sample with several crops, which are drawn in between, they do not tell which.
#[must_use]
pub fn steps(cache: &FeatureCache, options: &TailOptions) -> Vec<Vec<Step>> {
    let (train, _) = samples::split(cache, options);
    (1..=options.epochs).map(|epoch| descent::steps(&train, options, epoch).0).collect()
}

/// A training with the pack's tail.
pub(super) fn run<'a>(
    cache: &'a FeatureCache,
    pack: &'a Pack<'a>,
    initial: Option<&'a Head>,
    options: &'a TailOptions,
) -> Result<Run<'a>, TrainingProblem> {
    let tail = Tail::parse(pack)?.ok_or(TrainingProblem::Samples(headstart::Error::BadTail))?;
    Ok(Run { cache, pack, tail, initial, options })
}

/// The task of a training, of the kind that the pack's tail is.
pub(super) fn task<'a>(run: &'a Run<'a>) -> Result<Box<dyn Task + 'a>, TrainingProblem> {
    Ok(if is_per_place(run.pack) {
        Box::new(OfPlaces::new(run)?)
    } else {
        Box::new(OfSamples::new(run))
    })
}
