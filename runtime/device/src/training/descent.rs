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

/// One step of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Places of its samples in the cache.
    pub samples: Vec<usize>,
    /// Its size.
    pub rate: f32,
}

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
    let mut best: Option<Best<L::Measured>> = None;
    let mut before = 0;
    if let Some(progress) = kept.read()
        && trainer.restore(&progress.snapshot)
    {
        (before, best) = (progress.epochs, progress.best);
    }
    for done in before + 1..=options.epochs {
        let (steps, mut random) = steps(train, options, done);
        let mut losses = 0.0;
        for Step { samples, rate } in &steps {
            let loss = lesson.step(&mut trainer, samples, *rate, &mut random)?;
            losses += loss * samples.len() as f32;
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use headstart::burn::backend::{Autodiff, Flex};
    use headstart::burn::tail::Settings;
    use headstart::graph::{Gemm, Graph, Op};

    use super::*;

    type B = Autodiff<Flex>;

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

    /// Whatever was learned, these are the losses of what is held out.
    struct Told<'a>(&'a [f64], std::cell::Cell<usize>);

    impl Lesson<B> for Told<'_> {
        type Measured = usize;

        fn step(
            &self,
            trainer: &mut TailTrainer<B>,
            batch: &[usize],
            rate: f32,
            _: &mut Random,
        ) -> Result<f32, Problem> {
            let labels: Vec<u16> = batch.iter().map(|&sample| sample as u16).collect();
            trainer.step(&[vec![1.0; 2 * batch.len()]], &labels, rate).map_err(failed)
        }

        fn measure(&self, _: &TailTrainer<B>) -> Result<Option<(f64, usize)>, Problem> {
            let epoch = self.1.replace(self.1.get() + 1);
            Ok(self.0.get(epoch).map(|&loss| (loss, epoch + 1)))
        }
    }

    /// The epoch that was kept, its bias, the last epoch that was reported, and the bias after each.
    fn told(losses: &[f64], patience: usize) -> (Option<usize>, f32, usize, Vec<f32>) {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2]);
        graph.inputs.push(x);
        let weight = graph.add_constant("w", vec![2, 2], vec![1.0, 0.5, 0.0, 1.0]).unwrap();
        let gemm = Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false });
        let y = graph.add_node("fc", gemm, vec![x, weight], "y").unwrap();
        graph.outputs.push(y);
        let options =
            TailOptions { epochs: 8, batch: 2, patience, warm_up: 0.0, ..TailOptions::usual() };
        let settings = Settings {
            optimiser: options.optimiser,
            weight_decay: 0.0,
            clip: None,
            label_smoothing: 0.0,
        };
        let last = || LastLayer { weights: vec![0.0; 4], bias: vec![0.5, -0.5] };
        let trainer = || TailTrainer::<B>::new(&graph, &[weight], last(), settings).unwrap();
        let lesson = Told(losses, Default::default());
        let mut reported = 0;
        let found = descend(&lesson, trainer(), &[0, 1], &options, Kept::nowhere(), |done, _| {
            reported = done;
        });
        let ((_, kept), best) = found.unwrap();
        // The same steps, by hand.
        let (mut again, mut biases) = (trainer(), Vec::new());
        for step in 0..options.epochs {
            let rate = rate(&options, step, options.epochs);
            again.step(&[vec![1.0; 4]], &[0, 1], rate).unwrap();
            biases.push(again.learned().unwrap().1.bias[0]);
        }
        (best, kept.bias[0], reported, biases)
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
