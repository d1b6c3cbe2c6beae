//! Sums of many samples, and the heads that follow from them.

use std::collections::BTreeMap;

use headstart::Error;
use headstart::head::pooled::{
    Line, SIDE, Square, Sums, System, WholeSquare, class_weights, logits, pairs_len, panel_len,
    squares_len,
};
use headstart::head::{LinearHead, Samples};

use crate::memory::{Aligned, OutOfMemory, filled};
use crate::training::TrainingProblem;

/// Memory of so many lines.
fn lines(count: usize) -> Result<Aligned<f32>, OutOfMemory> {
    Aligned::filled(0.0, count.saturating_mul(SIDE))
}

fn of_lines(memory: &mut Aligned<f32>) -> &mut [Line] {
    memory.numbers().as_chunks_mut().0
}

fn of_squares(memory: &mut Aligned<f32>) -> &mut [Square] {
    of_lines(memory).as_chunks_mut().0
}

/// A head.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Linear {
    /// The same head with logits divided by a temperature.
    pub(super) fn cooled(&self, temperature: f32) -> Self {
        let divide = |numbers: &[f32]| numbers.iter().map(|x| x / temperature).collect();
        Self { weights: divide(&self.weights), bias: divide(&self.bias) }
    }

    /// `[sample, class]`.
    pub(super) fn answers(&self, samples: Samples<'_>) -> Result<Vec<f32>, TrainingProblem> {
        let features = samples.feature_len();
        let head = LinearHead::new(&self.weights, &self.bias, features)?;
        let mut panel = lines(panel_len(features)?)?;
        let mut found = filled(0.0, samples.len().saturating_mul(self.bias.len()))?;
        logits(head, samples, &mut found, of_lines(&mut panel))?;
        Ok(found)
    }
}

/// Samples, and how often each of them counts.
#[derive(Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) samples: Samples<'a>,
    pub(super) times: &'a [u16],
}

impl Counted<'_> {
    /// How many samples of each class these are, each as often as it counts.
    pub(super) fn count(&self, which: &[u32], counts: &mut [u32]) {
        for &at in which {
            let label = self.samples.label(at as usize);
            counts[usize::from(label)] += u32::from(self.times[at as usize]);
        }
    }

    /// These samples by how often they count: equal ones are multiplied together.
    fn by_times(&self, which: &[u32]) -> BTreeMap<u16, Vec<u32>> {
        let mut groups = BTreeMap::<u16, Vec<u32>>::new();
        which.iter().for_each(|&at| groups.entry(self.times[at as usize]).or_default().push(at));
        groups
    }
}

/// Sums of samples.
#[derive(Clone)]
pub(super) struct Known {
    features: usize,
    weights: Vec<u8>,
    counts: Vec<u32>,
    totals: Vec<i64>,
    squares: Vec<WholeSquare>,
}

impl Known {
    /// Of no samples, that will weigh what classes of these sizes weigh.
    pub(super) fn new(features: usize, counts: &[u32]) -> Result<Self, TrainingProblem> {
        let mut weights = vec![0; counts.len()];
        class_weights(counts, &mut weights);
        Ok(Self {
            features,
            weights,
            counts: vec![0; counts.len()],
            totals: filled(0, counts.len().saturating_mul(features))?,
            squares: filled([[0.0; SIDE]; SIDE], squares_len(features)?)?,
        })
    }

    /// Whether classes of these sizes weigh what they weigh here.
    pub(super) fn weighs(&self, counts: &[u32]) -> bool {
        let mut weights = vec![0; counts.len()];
        class_weights(counts, &mut weights);
        weights == self.weights
    }

    fn sums(&mut self) -> Result<Sums<'_>, Error> {
        let Self { features, weights, counts, totals, squares } = self;
        Sums::new(*features, weights, counts, totals, squares)
    }

    /// Scratch memory of sums.
    fn pairs(&self) -> Result<Aligned<[i16; 2]>, TrainingProblem> {
        Ok(Aligned::filled([0; 2], pairs_len(self.features)?.saturating_mul(SIDE))?)
    }

    /// Adds these of the samples, each as often as it counts.
    pub(super) fn add(&mut self, of: Counted<'_>, which: &[u32]) -> Result<(), TrainingProblem> {
        let mut pairs = self.pairs()?;
        for (times, which) in of.by_times(which) {
            let pairs = pairs.numbers().as_chunks_mut().0;
            self.sums()?.add(of.samples.select(&which)?, times, pairs)?;
        }
        Ok(())
    }

    pub(super) fn take(&mut self, of: Counted<'_>, which: &[u32]) -> Result<(), TrainingProblem> {
        let mut pairs = self.pairs()?;
        for (times, which) in of.by_times(which) {
            let pairs = pairs.numbers().as_chunks_mut().0;
            self.sums()?.take(of.samples.select(&which)?, times, pairs)?;
        }
        Ok(())
    }

    /// A head for each penalty; `None` where it is too small for these samples.
    pub(super) fn heads(
        &mut self,
        penalties: &[f32],
    ) -> Result<Vec<Option<Linear>>, TrainingProblem> {
        let (features, classes) = (self.features, self.counts.len());
        let length = System::squares_len(features, classes)?;
        let mut squares = lines(length.saturating_mul(SIDE))?;
        let mut work = lines(length.saturating_mul(SIDE))?;
        let mut numbers = filled(0.0, System::numbers_len(features)?)?;
        let mut panel = lines(panel_len(features)?)?;
        let sums = self.sums()?;
        let system =
            System::new(&sums, of_squares(&mut squares), &mut numbers, of_lines(&mut panel))?;
        let mut heads = Vec::new();
        for &penalty in penalties {
            let mut weights = filled(0.0, classes.saturating_mul(features))?;
            let mut bias = vec![0.0; classes];
            heads.push(
                match system.solve(penalty, of_squares(&mut work), &mut weights, &mut bias) {
                    Ok(()) => Some(Linear { weights, bias }),
                    Err(Error::NotPositiveDefinite { .. }) => None,
                    Err(error) => return Err(error.into()),
                },
            );
        }
        Ok(heads)
    }

    /// The head of this penalty, or of the least one above it that is not too small.
    pub(super) fn head(&mut self, penalty: f32) -> Result<Linear, TrainingProblem> {
        let mut penalty = penalty;
        loop {
            if let Some(head) = self.heads(&[penalty])?.pop().flatten() {
                return Ok(head);
            }
            if penalty > 1.0 {
                return Err(Error::NotPositiveDefinite { row: 0 }.into());
            }
            penalty *= 4.0;
        }
    }
}

/// What lies within the classes, of numbers of one row.
pub(super) struct Pooled {
    /// Mean of all samples, each weighed as its class weighs it.
    pub(super) mean: Vec<f64>,
    /// Covariance within the classes, `[row][column]`.
    pub(super) covariance: Vec<f64>,
    /// Weight of a sample of each class, so that all together weigh 1; 0 for a class without samples.
    pub(super) weights: Vec<f32>,
}

impl Known {
    /// Mean and covariance of these sums.
    pub(super) fn pooled(&self) -> Result<Pooled, TrainingProblem> {
        let features = self.features;
        let own = |class: usize| f64::from(self.weights[class]);
        let present: Vec<usize> =
            (0..self.counts.len()).filter(|&class| self.counts[class] > 0).collect();
        let all: f64 =
            present.iter().map(|&class| own(class) * f64::from(self.counts[class])).sum();
        let mut mean = filled(0.0, features)?;
        let mut covariance = filled(0.0, features.saturating_mul(features))?;
        // Squares of an upper triangle, one row of squares after the other.
        let blocks = features.div_ceil(SIDE);
        let start = |row: usize| row * blocks - row * row.saturating_sub(1) / 2;
        for row in 0..features {
            for column in 0..=row {
                let (upper, lower) = (column / SIDE, row / SIDE);
                let square = &self.squares[start(upper) + lower - upper];
                covariance[row * features + column] = square[column % SIDE][row % SIDE];
            }
        }
        for &class in &present {
            let totals = &self.totals[class * features..][..features];
            let count = f64::from(self.counts[class]);
            for (row, &total) in totals.iter().enumerate() {
                let part = own(class) * total as f64;
                mean[row] += part / all;
                let line = covariance[row * features..][..=row].iter_mut().zip(totals);
                line.for_each(|(square, &other)| *square -= part * other as f64 / count);
            }
        }
        covariance.iter_mut().for_each(|square| *square /= all);
        for row in 0..features {
            for column in 0..row {
                covariance[column * features + row] = covariance[row * features + column];
            }
        }
        let weights = (0..self.counts.len()).map(|class| match self.counts[class] {
            0 => 0.0,
            _ => (own(class) / all) as f32,
        });
        Ok(Pooled { mean, covariance, weights: weights.collect() })
    }
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    #[test]
    fn mean_and_covariance_are_those_of_the_definition() {
        let (features, count) = (130, 40);
        let mut random = Random::new(3);
        let rows: Vec<i8> = (0..features * count).map(|_| random.below(256) as u8 as i8).collect();
        let labels: Vec<u16> = (0..count).map(|at| u16::from(at % 4 == 0)).collect();
        let times: Vec<u16> = (0..count).map(|at| 1 + (at % 3) as u16).collect();
        let of =
            Counted { samples: Samples::new(&rows, &labels, features).unwrap(), times: &times };
        let all: Vec<u32> = (0..count as u32).collect();
        let mut counts = vec![0; 2];
        of.count(&all, &mut counts);
        let mut known = Known::new(features, &counts).unwrap();
        known.add(of, &all).unwrap();
        let pooled = known.pooled().unwrap();
        let value = |at: usize, feature: usize| f64::from(rows[at * features + feature]);
        let weight =
            |at: usize| f64::from(times[at]) * f64::from(pooled.weights[usize::from(labels[at])]);
        assert!(((0..count).map(weight).sum::<f64>() - 1.0).abs() < 1e-6);
        let mean_of = |class: u16, feature: usize| {
            let own = (0..count).filter(|&at| labels[at] == class);
            own.map(|at| f64::from(times[at]) * value(at, feature)).sum::<f64>()
                / f64::from(counts[usize::from(class)])
        };
        for (a, b) in [(0, 0), (3, 100), (100, 3), (129, 64), (70, 129)] {
            let within = (0..count).map(|at| {
                let apart = |feature| value(at, feature) - mean_of(labels[at], feature);
                weight(at) * apart(a) * apart(b)
            });
            let found = pooled.covariance[a * features + b];
            assert!((within.sum::<f64>() - found).abs() < 1e-2, "{a} {b}: {found}");
            let mean: f64 = (0..count).map(|at| weight(at) * value(at, a)).sum();
            assert!((mean - pooled.mean[a]).abs() < 1e-4);
        }
    }
}
