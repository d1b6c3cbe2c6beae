//! The epochs of a training: batches in a seeded order, the best so far, an early stop, and what is kept for a restart.

use headstart::head::Random;
use headstart::tail::training::{Optimiser, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TailOptions;
use super::progress::{Best, Kept, Progress};
use crate::engine::{Learned, TailTrainer};
use crate::training::TrainingProblem;

/// Told how many epochs are done, and the mean loss of the last one; its error ends the training.
pub(super) type Epoch<'a> = &'a mut dyn FnMut(usize, f32) -> Result<(), TrainingProblem>;

/// The changes of one step, a row a trained tensor.
pub(super) type Changes = Vec<Vec<f32>>;

/// One step of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Indices of the step's samples in the cache.
    pub samples: Vec<usize>,
    /// The step size.
    pub rate: f32,
}

/// What is learned from, and what it is measured on.
pub(super) trait Lesson {
    /// What the record needs of held-out samples.
    type Measured: Clone + Serialize + DeserializeOwned;

    /// One step of that size on these samples. Returns their mean loss.
    fn step(
        &self,
        trainer: &mut dyn TailTrainer,
        batch: &[usize],
        rate: f32,
        random: &mut Random,
    ) -> Result<f32, TrainingProblem>;

    /// The loss of what is held out, infinite where training diverged; `None` where nothing is.
    fn measure(
        &self,
        trainer: &dyn TailTrainer,
    ) -> Result<Option<(f64, Self::Measured)>, TrainingProblem>;
}

/// Trains on the samples `train`, and gives the best of it; where nothing is held out that is the last.
pub(super) fn descend<L: Lesson>(
    lesson: &L,
    mut trainer: Box<dyn TailTrainer>,
    train: &[usize],
    options: &TailOptions,
    mut kept: Kept<'_>,
    epoch: Epoch<'_>,
) -> Result<(Learned, Option<L::Measured>), TrainingProblem> {
    let mut best: Option<Best<L::Measured>> = None;
    let mut before = 0;
    if let Some(progress) = kept.read()
        && trainer.restore(&progress.snapshot)?
    {
        (before, best) = (progress.epochs, progress.best);
    }
    for done in before + 1..=options.epochs {
        let (steps, mut random) = steps(train, options, done);
        let mut losses = 0.0;
        for Step { samples, rate } in &steps {
            let loss = lesson.step(&mut *trainer, samples, *rate, &mut random)?;
            losses += loss * samples.len() as f32;
        }
        if let Some((loss, measured)) = lesson.measure(&*trainer)? {
            if best.as_ref().is_none_or(|best| loss < best.loss) {
                let learned = trainer.learned()?;
                best = Some(Best { loss, epoch: done, learned, measured });
            } else if best.as_ref().is_some_and(|best| done - best.epoch >= options.patience) {
                break;
            }
        }
        kept.write(|| {
            let snapshot = trainer.snapshot()?;
            Ok(Progress { epochs: done, snapshot, best: best.clone() })
        })?;
        epoch(done, losses / train.len() as f32)?;
    }
    Ok(match best {
        Some(best) => (best.learned, Some(best.measured)),
        None => (trainer.learned()?, None),
    })
}

/// Two steps on the first samples of `train`, and what the second one changed.
pub(super) fn second_step<L: Lesson>(
    lesson: &L,
    mut trainer: Box<dyn TailTrainer>,
    train: &[usize],
    options: &TailOptions,
) -> Result<Changes, TrainingProblem> {
    let batch = &train[..train.len().min(options.batch)];
    lesson.step(&mut *trainer, batch, 1.0, &mut Random::new(options.seed))?;
    let before = trainer.learned()?;
    lesson.step(&mut *trainer, batch, 1.0, &mut Random::new(options.seed))?;
    let after = trainer.learned()?;
    let change = |before: &[f32], after: &[f32]| -> Vec<f32> {
        before.iter().zip(after).map(|(before, after)| after - before).collect()
    };
    let tail = before.0.values().zip(after.0.values()).map(|(b, a)| change(b, a));
    let last = [change(&before.1.weights, &after.1.weights), change(&before.1.bias, &after.1.bias)];
    Ok(tail.chain(last).collect())
}

/// Settings of plain gradient descent, with gradients as they are.
pub(super) fn plain(usual: Settings) -> Settings {
    Settings { optimiser: Optimiser::Sgd { momentum: 0.0 }, weight_decay: 0.0, clip: None, ..usual }
}

/// The steps of an epoch, counted from 1, and the generator for what else is random in it.
pub(super) fn steps(train: &[usize], options: &TailOptions, epoch: usize) -> (Vec<Step>, Random) {
    // Of its own for each epoch, so that any of them can be the first after a restart.
    let mut random = Random::new(options.seed.wrapping_add((epoch as u64) << 32));
    let mut order = train.to_vec();
    random.shuffle(&mut order);
    let of_an_epoch = train.len().div_ceil(options.batch);
    let (before, all) = ((epoch - 1) * of_an_epoch, options.epochs * of_an_epoch);
    let step = |(at, samples): (usize, &[usize])| Step {
        samples: samples.to_vec(),
        rate: rate(options, before + at, all),
    };
    (order.chunks(options.batch).enumerate().map(step).collect(), random)
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

#[cfg(test)]
mod tests {
    use headstart::tail::training::{Constants, LastLayer, Snapshot};

    use super::*;

    #[test]
    fn the_rate_rises_along_a_line_and_falls_along_half_a_cosine() {
        let options = TailOptions { rate: 2.0, warm_up: 0.25, ..TailOptions::usual() };
        let rates: Vec<f32> = (0..16).map(|step| rate(&options, step, 16)).collect();
        assert_eq!(rates[..5], [0.5, 1.0, 1.5, 2.0, 2.0]);
        assert!((rates[10] - 1.0).abs() < 1e-6 && rates[15] < 0.04, "{rates:?}");
        assert!(rates[4..].windows(2).all(|pair| pair[1] < pair[0]), "{rates:?}");
        let at_once = TailOptions { warm_up: 0.0, ..options };
        assert_eq!(rate(&at_once, 0, 16), 2.0);
    }

    /// A bias, which each step lowers by its size.
    struct Lowered(f32);

    impl TailTrainer for Lowered {
        fn weigh_classes(&mut self, _: &[f32]) -> Result<(), TrainingProblem> {
            Ok(())
        }

        fn step(&mut self, _: &[Vec<f32>], _: &[u16], rate: f32) -> Result<f32, TrainingProblem> {
            self.0 -= rate;
            Ok(0.0)
        }

        fn step_towards(
            &mut self,
            inputs: &[Vec<f32>],
            _: usize,
            _: Vec<f32>,
            rate: f32,
        ) -> Result<f32, TrainingProblem> {
            self.step(inputs, &[], rate)
        }

        fn logits(&self, _: &[Vec<f32>], _: usize) -> Result<Vec<f32>, TrainingProblem> {
            Ok(Vec::new())
        }

        fn learned(&self) -> Result<Learned, TrainingProblem> {
            Ok((Constants::new(), LastLayer { weights: Vec::new(), bias: vec![self.0] }))
        }

        fn snapshot(&self) -> Result<Snapshot, TrainingProblem> {
            Ok(Snapshot::default())
        }

        fn restore(&mut self, _: &Snapshot) -> Result<bool, TrainingProblem> {
            Ok(false)
        }
    }

    /// Whatever was learned, these are the losses of what is held out.
    struct Told<'a>(&'a [f64], std::cell::Cell<usize>);

    impl Lesson for Told<'_> {
        type Measured = usize;

        fn step(
            &self,
            trainer: &mut dyn TailTrainer,
            _: &[usize],
            rate: f32,
            _: &mut Random,
        ) -> Result<f32, TrainingProblem> {
            trainer.step(&[], &[], rate)
        }

        fn measure(&self, _: &dyn TailTrainer) -> Result<Option<(f64, usize)>, TrainingProblem> {
            let epoch = self.1.replace(self.1.get() + 1);
            Ok(self.0.get(epoch).map(|&loss| (loss, epoch + 1)))
        }
    }

    /// The epoch that was kept, its bias, the last epoch that was reported, and the bias after each.
    fn told(losses: &[f64], patience: usize) -> (Option<usize>, f32, usize, Vec<f32>) {
        let options =
            TailOptions { epochs: 8, batch: 2, patience, warm_up: 0.0, ..TailOptions::usual() };
        let lesson = Told(losses, Default::default());
        let mut reported = 0;
        let mut epoch = |done, _| {
            reported = done;
            Ok(())
        };
        let trainer = Box::new(Lowered(0.5));
        let found = descend(&lesson, trainer, &[0, 1], &options, Kept::nowhere(), &mut epoch);
        let ((_, kept), best) = found.unwrap();
        // The same steps, by hand.
        let (mut again, mut biases) = (0.5, Vec::new());
        for step in 0..options.epochs {
            again -= rate(&options, step, options.epochs);
            biases.push(again);
        }
        (best, kept.bias[0], reported, biases)
    }

    #[test]
    fn an_observer_ends_a_training() {
        let options = TailOptions { epochs: 8, batch: 2, ..TailOptions::usual() };
        let mut epochs = 0;
        let mut epoch = |done, _| {
            epochs = done;
            if done < 3 { Ok(()) } else { Err(TrainingProblem::EngineMissing) }
        };
        let lesson = Told(&[], Default::default());
        let trainer = Box::new(Lowered(0.5));
        let ended = descend(&lesson, trainer, &[0, 1], &options, Kept::nowhere(), &mut epoch);
        assert!(matches!(ended, Err(TrainingProblem::EngineMissing)));
        assert_eq!(epochs, 3);
    }

    #[test]
    fn the_best_epoch_is_kept_and_long_enough_without_a_better_one_is_the_end() {
        let losses = [3.0, 2.0, 2.5, 1.0, 1.5, 1.2, 0.1, 0.1];
        let (best, kept, reported, biases) = told(&losses, 2);
        // Epoch 6 is the second without a better one than epoch 4.
        assert_eq!((best, reported), (Some(4), 5));
        assert_eq!(kept, biases[3]);
        assert!(biases.windows(2).all(|pair| pair[0] != pair[1]), "{biases:?}");
        let (best, kept, reported, biases) = told(&[], 2);
        assert_eq!((best, reported), (None, 8), "nothing is held out");
        assert_eq!(kept, biases[7]);
    }
}
