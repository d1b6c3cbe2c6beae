//! The epochs of a training: batches in a seeded order, the best so far, an early stop, and what is kept for a restart.

use headstart::burn::backend::AutodiffBackend;
use headstart::burn::tail::{Constants, LastLayer, TailTrainer};
use headstart::burn::{ExecuteError, FloatBackend};
use headstart::head::Random;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::TailOptions;
use super::progress::{Kept, Progress};
use crate::state::Problem;

/// The tail's trained constants, and the last layer.
pub(super) type Learned = (Constants, LastLayer);

/// What is learned from, and what it is measured on.
pub(super) trait Lesson<B: FloatBackend + AutodiffBackend> {
    /// What the record needs of held-out samples.
    type Measured: Clone + Serialize + DeserializeOwned;

    /// One step of that size on these samples. Returns their mean loss.
    fn step(
        &self,
        trainer: &mut TailTrainer<B>,
        batch: &[usize],
        rate: f32,
        random: &mut Random,
    ) -> Result<f32, Problem>;

    /// The loss of what is held out, infinite where training diverged; `None` where nothing is.
    fn measure(&self, trainer: &TailTrainer<B>) -> Result<Option<(f64, Self::Measured)>, Problem>;
}

/// The best that was learned so far, by the loss of what is held out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Best<M> {
    loss: f64,
    epoch: usize,
    learned: Learned,
    measured: M,
}

/// Trains on the samples `train`, and gives the best of it; where nothing is held out that is the last.
pub(super) fn descend<B: FloatBackend + AutodiffBackend, L: Lesson<B>>(
    lesson: &L,
    mut trainer: TailTrainer<B>,
    train: &[usize],
    options: &TailOptions,
    mut kept: Kept<'_>,
    mut epoch: impl FnMut(usize, f32),
) -> Result<(Learned, Option<L::Measured>), Problem> {
    let steps_an_epoch = train.len().div_ceil(options.batch);
    let steps = options.epochs * steps_an_epoch;
    let mut best: Option<Best<L::Measured>> = None;
    let mut before = 0;
    if let Some(progress) = kept.read()
        && trainer.restore(&progress.snapshot)
    {
        (before, best) = (progress.epochs, progress.best);
    }
    let mut step = before * steps_an_epoch;
    for done in before + 1..=options.epochs {
        // Of its own for each epoch, so that any of them can be the first after a restart.
        let mut random = Random::new(options.seed.wrapping_add((done as u64) << 32));
        let mut order = train.to_vec();
        random.shuffle(&mut order);
        let mut losses = 0.0;
        for batch in order.chunks(options.batch) {
            let rate = rate(options, step, steps);
            let loss = lesson.step(&mut trainer, batch, rate, &mut random)?;
            losses += loss * batch.len() as f32;
            step += 1;
        }
        if let Some((loss, measured)) = lesson.measure(&trainer)? {
            if best.as_ref().is_none_or(|best| loss < best.loss) {
                let learned = trainer.learned().map_err(failed)?;
                best = Some(Best { loss, epoch: done, learned, measured });
            } else if best.as_ref().is_some_and(|best| done - best.epoch >= options.patience) {
                break;
            }
        }
        kept.write(|| {
            let snapshot = trainer.snapshot().map_err(failed)?;
            Ok(Progress { epochs: done, snapshot, best: best.clone() })
        })?;
        epoch(done, losses / train.len() as f32);
    }
    Ok(match best {
        Some(best) => (best.learned, Some(best.measured)),
        None => (trainer.learned().map_err(failed)?, None),
    })
}

pub(super) fn failed(error: ExecuteError) -> Problem {
    Problem::Engine(error.to_string())
}

/// Rising along a line while it warms up, then falling to 0 along half a cosine.
fn rate(options: &TailOptions, step: usize, steps: usize) -> f32 {
    let warm = (options.warm_up * steps as f32) as usize;
    if step < warm {
        return options.rate * (step + 1) as f32 / warm as f32;
    }
    let part = (step - warm) as f32 / (steps - warm).max(1) as f32;
    options.rate * 0.5 * (1.0 + (std::f32::consts::PI * part).cos())
}
