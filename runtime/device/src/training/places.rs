//! Training a tail that answers a class for each place of a picture, through Burn.

use headstart::burn::FloatBackend;
use headstart::burn::backend::{Autodiff, AutodiffBackend, Device};
use headstart::burn::tail::{Settings, TailTrainer};
use headstart::head::Random;
use headstart::pack::Pack;
use headstart::tail::Tail;

use super::TailOptions;
use super::augment::{Augment, augmented};
use super::descent::{Lesson, descend, failed};
use super::progress::{Keep, Kept};
use super::tail::{Certainty, Run, balanced};
use super::trial::{self, Changes};
use crate::Head;
use crate::backend::{Backend, on_backend};
use crate::segmentation::{VOID, mask_len};
use crate::state::{FeatureCache, Problem};

/// Weight of the overlap beside the cross-entropy.
const DICE: f32 = 1.0;

/// Trains the tail and a last layer for the cache's classes on its masks, and writes their record. `epoch` is
/// told how many are done, and the mean loss of the last one.
///
/// Each place's target is how its pixels of the mask are shared among the classes. The record's held-out numbers
/// count places, not pictures.
///
/// # Errors
/// Those of [`tail::train`](super::tail::train).
pub fn train(
    cache: &FeatureCache,
    pack: &Pack<'_>,
    initial: Option<&Head>,
    options: &TailOptions,
    keep: Option<Keep<'_>>,
    epoch: impl FnMut(usize, f32),
) -> Result<Vec<u8>, Problem> {
    let broken = || Problem::Training(headstart::Error::BadTail);
    let tail = Tail::parse(pack)?.ok_or_else(broken)?;
    let map = tail.map().ok_or_else(broken)?;
    let backend = options.backend.or(Backend::fastest()).ok_or(Problem::EngineMissing)?;
    let kept = Kept::new(keep, cache, pack, options, backend);
    let run = Run { cache, pack, tail, initial, options };
    let masks = Masks::new(cache, pack, map);
    on_backend!(backend, B, device => places::<Autodiff<B>>(device, &run, &masks, kept, epoch))
}

/// Pictures to learn from, and pictures to measure on.
pub(super) fn split(cache: &FeatureCache, options: &TailOptions) -> (Vec<usize>, Vec<usize>) {
    let mut train: Vec<usize> = (0..cache.len()).collect();
    Random::new(options.seed).shuffle(&mut train);
    let spared = train.len() * usize::from(options.held_out) / 100;
    let held = train.split_off(train.len() - spared);
    (train, held)
}

/// How many places of these pictures the head answers as most of their pixels are, and how many there are.
pub(super) fn right(
    cache: &FeatureCache,
    pack: &Pack<'_>,
    head: &Head,
    samples: &[usize],
) -> Result<(u32, u32), Problem> {
    let broken = || Problem::Training(headstart::Error::BadTail);
    let map = Tail::parse(pack)?.and_then(|tail| tail.map()).ok_or_else(broken)?;
    let masks = Masks::new(cache, pack, map);
    let (mut right, mut counted) = (0, 0);
    for &sample in samples {
        let answers = head.mask(masks.features(sample), map)?.ok_or_else(broken)?;
        let targets = masks.targets(sample, |mask, _| mask.to_vec());
        let rows = answers.classes().iter().zip(targets.chunks_exact(masks.classes));
        for (&answer, targets) in rows.filter(|(_, targets)| targets.iter().sum::<f32>() > 0.0) {
            right += u32::from(usize::from(answer) == greatest(targets));
            counted += 1;
        }
    }
    Ok((right, counted))
}

/// See [`trial`].
pub(super) fn changes(run: &Run<'_>, backend: Backend) -> Result<Changes, Problem> {
    let map = run.tail.map().ok_or(Problem::Training(headstart::Error::BadTail))?;
    let masks = Masks::new(run.cache, run.pack, map);
    on_backend!(backend, B, device => second_step::<Autodiff<B>>(device, run, &masks))
}

fn places<B: FloatBackend + AutodiffBackend>(
    device: &Device<B>,
    run: &Run<'_>,
    masks: &Masks<'_>,
    kept: Kept<'_>,
    epoch: impl FnMut(usize, f32),
) -> Result<Vec<u8>, Problem> {
    let (lesson, train) = OfPlaces::new(run, masks);
    let trainer = lesson.trainer::<B>(device, &train, run.settings())?;
    let (learned, held_out) = descend(&lesson, trainer, &train, run.options, kept, epoch)?;
    let certainty = Certainty { temperature: 1.0, unknown_threshold: 0.0, held_out };
    run.write(learned, &masks.counts(), certainty)
}

fn second_step<B: FloatBackend + AutodiffBackend>(
    device: &Device<B>,
    run: &Run<'_>,
    masks: &Masks<'_>,
) -> Result<Changes, Problem> {
    let (lesson, train) = OfPlaces::new(run, masks);
    let trainer = lesson.trainer::<B>(device, &train, trial::settings(run.settings()))?;
    trial::second_step(&lesson, trainer, &train, run.options)
}

/// A class for each place.
struct OfPlaces<'a> {
    run: &'a Run<'a>,
    masks: &'a Masks<'a>,
    held: Vec<usize>,
}

impl<'a> OfPlaces<'a> {
    /// What is measured on, and the pictures to learn from.
    fn new(run: &'a Run<'a>, masks: &'a Masks<'a>) -> (Self, Vec<usize>) {
        let (train, held) = split(run.cache, run.options);
        (Self { run, masks, held }, train)
    }

    fn trainer<B: FloatBackend + AutodiffBackend>(
        &self,
        device: &Device<B>,
        train: &[usize],
        settings: Settings,
    ) -> Result<TailTrainer<B>, Problem> {
        let Self { run, masks, .. } = self;
        let (graph, trained, last) = (&run.tail.graph, run.trained()?, run.last_layer());
        let mut trainer = TailTrainer::per_place(device, graph, &trained, last, settings, DICE)
            .map_err(failed)?;
        if run.options.balanced {
            let mut counts = vec![0.0; masks.classes];
            for &sample in train {
                let targets = masks.targets(sample, |mask, _| mask.to_vec());
                for row in targets.chunks_exact(masks.classes) {
                    counts.iter_mut().zip(row).for_each(|(count, &part)| *count += f64::from(part));
                }
            }
            trainer.weigh_classes(&balanced(&counts));
        }
        Ok(trainer)
    }
}

impl<B: FloatBackend + AutodiffBackend> Lesson<B> for OfPlaces<'_> {
    /// Held-out places that are answered as most of their pixels are, and all of them.
    type Measured = (u32, u32);

    fn step(
        &self,
        trainer: &mut TailTrainer<B>,
        batch: &[usize],
        rate: f32,
        random: &mut Random,
    ) -> Result<f32, Problem> {
        let Self { run, masks, .. } = self;
        let options = run.options;
        let mut inputs = vec![Vec::new(); run.tail.graph.inputs.len()];
        let mut targets = Vec::new();
        for &sample in batch {
            // The mask moves as its picture does.
            let mut twin = random.clone();
            run.append(&mut inputs, masks.features(sample), Some((options.augment, random)))?;
            let augment = Augment { colour: false, ..options.augment };
            targets.extend(masks.targets(sample, |mask, shape| {
                match augment.any() && inputs.len() == 1 {
                    true => augmented(mask, shape, augment, run.levels(), &mut twin),
                    false => mask.to_vec(),
                }
            }));
        }
        trainer.step_towards(&inputs, batch.len(), targets, rate).map_err(failed)
    }

    fn measure(&self, trainer: &TailTrainer<B>) -> Result<Option<(f64, (u32, u32))>, Problem> {
        let held = Some(&self.held[..]).filter(|held| !held.is_empty());
        held.map(|held| measure(self.run, self.masks, trainer, held)).transpose()
    }
}

/// Mean cross-entropy of the places of some pictures; how many are answered as most of their pixels are, and of
/// how many. Training that diverges has an infinite loss.
fn measure<B: FloatBackend + AutodiffBackend>(
    run: &Run<'_>,
    masks: &Masks<'_>,
    trainer: &TailTrainer<B>,
    held: &[usize],
) -> Result<(f64, (u32, u32)), Problem> {
    let (mut loss, mut right, mut counted) = (0.0, 0_u32, 0_u32);
    for batch in held.chunks(run.options.batch) {
        let mut inputs = vec![Vec::new(); run.tail.graph.inputs.len()];
        let mut targets = Vec::new();
        for &sample in batch {
            run.append(&mut inputs, masks.features(sample), None)?;
            targets.extend(masks.targets(sample, |mask, _| mask.to_vec()));
        }
        let logits = trainer.logits(&inputs, batch.len()).map_err(failed)?;
        let rows = logits.chunks_exact(masks.classes).zip(targets.chunks_exact(masks.classes));
        for (logits, targets) in rows.filter(|(_, targets)| targets.iter().sum::<f32>() > 0.0) {
            let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
            let log = |logit: &f32| f64::from(logit - most) - sum.ln();
            let pairs = logits.iter().zip(targets).filter(|(_, target)| **target > 0.0);
            loss -= pairs.map(|(logit, target)| f64::from(*target) * log(logit)).sum::<f64>();
            right += u32::from(greatest(logits) == greatest(targets));
            counted += 1;
        }
    }
    let mean = loss / f64::from(counted.max(1));
    Ok((if mean.is_finite() { mean } else { f64::INFINITY }, (right, counted.max(1))))
}

fn greatest(values: &[f32]) -> usize {
    (0..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

/// The masks in the rows of a cache, behind the features.
struct Masks<'a> {
    cache: &'a FeatureCache,
    features: usize,
    /// Rows and columns of a mask.
    extents: [usize; 2],
    /// Rows and columns of the map.
    map: [usize; 2],
    classes: usize,
}

impl<'a> Masks<'a> {
    fn new(cache: &'a FeatureCache, pack: &Pack<'_>, map: [usize; 2]) -> Self {
        let extents = [pack.input().height as usize, pack.input().width as usize];
        let features = cache.feature_len() - mask_len(pack);
        Self { cache, features, extents, map, classes: cache.classes().len() }
    }

    fn row(&self, sample: usize) -> (&'a [i8], &'a [i8]) {
        let row = self.cache.feature_len();
        self.cache.features()[sample * row..][..row].split_at(self.features)
    }

    fn features(&self, sample: usize) -> &'a [i8] {
        self.row(sample).0
    }

    /// Shares of the classes, `[place][class]`; zeros where most pixels have no class. `view` shows the mask, of
    /// shape `[1, 1, rows, columns]`, otherwise.
    fn targets(
        &self,
        sample: usize,
        view: impl FnOnce(&[f32], &[usize; 4]) -> Vec<f32>,
    ) -> Vec<f32> {
        let ([height, width], [rows, columns]) = (self.extents, self.map);
        let mask = self.row(sample).1.iter().map(|class| f32::from(class.cast_unsigned()));
        let mask = view(&mask.collect::<Vec<f32>>(), &[1, 1, height, width]);
        let bin = |at: usize, of: usize, extent: usize| {
            at * extent / of..((at + 1) * extent).div_ceil(of)
        };
        let mut targets = Vec::with_capacity(rows * columns * self.classes);
        let mut counts = vec![0_u32; self.classes];
        for row in 0..rows {
            for column in 0..columns {
                counts.fill(0);
                let (ys, xs) = (bin(row, rows, height), bin(column, columns, width));
                let pixels = (ys.len() * xs.len()) as u32;
                for line in ys.map(|y| &mask[y * width..][..width]) {
                    for &class in &line[xs.clone()] {
                        if let Some(count) = counts.get_mut(class as usize) {
                            *count += 1;
                        }
                    }
                }
                let sum: u32 = counts.iter().sum();
                let share = if 2 * sum > pixels { 1.0 / sum as f32 } else { 0.0 };
                targets.extend(counts.iter().map(|&count| count as f32 * share));
            }
        }
        targets
    }

    /// Pictures that show each class.
    fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.classes];
        for sample in 0..self.cache.len() {
            let mut seen = vec![false; usize::from(VOID) + 1];
            self.row(sample).1.iter().for_each(|c| seen[usize::from(c.cast_unsigned())] = true);
            for (count, seen) in counts.iter_mut().zip(seen) {
                *count += u32::from(seen);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_shares_of_pixels_and_void_does_not_count() {
        let mut cache = FeatureCache::new(2 + 16);
        for name in ["background", "dog", "cat"] {
            cache.class(name);
        }
        let void = VOID.cast_signed();
        let mask = [0, 0, 1, 1, 0, 1, 1, 1, void, void, 2, 2, void, 2, 2, void];
        cache.insert([1; 16], 0, &[&[5, 6][..], &mask].concat());
        let masks = Masks { cache: &cache, features: 2, extents: [4; 2], map: [2; 2], classes: 3 };
        let targets = masks.targets(0, |mask, shape| {
            assert_eq!(shape, &[1, 1, 4, 4]);
            mask.to_vec()
        });
        let third = 1.0 / 3.0;
        let expected = [0.75, 0.25, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0 * third];
        assert_eq!(targets, expected);
        assert_eq!(masks.features(0), [5, 6]);
        assert_eq!(masks.counts(), [1, 1, 1]);
    }
}
