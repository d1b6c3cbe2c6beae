//! Solves for the heads that follow from sums.

use super::layout::Layout;
use super::parallel::rows;
use super::sums::{Sums, blocks};
use super::triangle::{back, factor, subtract};
use crate::Error;
use crate::checked::{expect_len, product, sum};
use crate::kernels::squares::{Line, SIDE, Square};
use crate::record::check_shape;

/// The linear system of a head, without its penalty: the covariance within the classes and the classes' means, of scaled features.
#[derive(Debug)]
pub struct System<'a> {
    features: usize,
    counts: &'a [u32],
    layout: Layout,
    mean: &'a [f64],
    scale: &'a [f64],
    squares: &'a [Square],
}

impl<'a> System<'a> {
    /// How many squares [`new`](Self::new) needs; [`solve`](Self::solve) needs as many once more.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeOverflow`] if they cannot be counted.
    pub fn squares_len(features: usize, classes: usize) -> Result<usize, Error> {
        let triangle = super::squares_len(features)?;
        sum(&[triangle, product(&[blocks(features), classes.div_ceil(SIDE)])?])
    }

    /// How many float64 elements [`new`](Self::new) needs.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeOverflow`] if they cannot be counted.
    pub fn numbers_len(features: usize) -> Result<usize, Error> {
        product(&[4, features])
    }

    /// Computes the system from sums. `panel` is scratch memory of [`panel_len`](super::panel_len).
    ///
    /// # Errors
    ///
    /// [`Error::NoSamples`]; [`Error::BufferLength`].
    pub fn new(
        sums: &'a Sums<'_>,
        squares: &'a mut [Square],
        numbers: &'a mut [f64],
        panel: &mut [Line],
    ) -> Result<Self, Error> {
        let (features, counts) = (sums.feature_len(), sums.counts());
        expect_len(squares.len(), Self::squares_len(features, counts.len())?)?;
        expect_len(numbers.len(), Self::numbers_len(features)?)?;
        let needed = super::panel_len(features)?;
        if panel.len() < needed {
            return Err(Error::BufferLength { expected: needed, found: panel.len() });
        }
        if counts.iter().all(|&count| count == 0) {
            return Err(Error::NoSamples);
        }
        let layout = Layout { blocks: blocks(features), classes: counts.len() };
        let (mean, rest) = numbers.split_at_mut(features);
        let (scale, rest) = rest.split_at_mut(features);
        let (centre, within) = rest.split_at_mut(features);
        let weight = measure(sums, mean, scale, centre, within);
        let (mean, scale, centre) = (&*mean, &*scale, &*centre);

        // The covariance of everything first, from whole numbers; then what lies between the classes is taken off.
        let whole = Layout { blocks: layout.blocks, classes: 0 };
        rows(layout, 0..layout.blocks, squares, &|row, squares| {
            squares[layout.blocks - row..].as_flattened_mut().as_flattened_mut().fill(0.0);
            let from = &sums.squares()[whole.start(row)..];
            for (block, (square, from)) in
                (row..).zip(squares.iter_mut().zip(from)).take(layout.blocks - row)
            {
                let part = |block: usize| block * SIDE..features.min((block + 1) * SIDE);
                let (own, other) = (part(row), part(block));
                square.as_flattened_mut().fill(0.0);
                for ((line, from), i) in square.iter_mut().zip(from).zip(own) {
                    let (factor, share) = (scale[i] / weight, weight * centre[i]);
                    for (((x, whole), m), s) in line
                        .iter_mut()
                        .zip(from)
                        .zip(&centre[other.clone()])
                        .zip(&scale[other.clone()])
                    {
                        *x = ((whole - share * m) * (factor * s)) as f32;
                    }
                }
            }
        });
        for first in (0..counts.len()).step_by(SIDE) {
            let group = first..counts.len().min(first + SIDE);
            let lines = group.len();
            panel[..layout.blocks * SIDE].as_flattened_mut().fill(0.0);
            for (line, class) in group.enumerate() {
                let count = f64::from(counts[class]);
                let size = libm::sqrt(f64::from(sums.weights()[class]) * count / weight);
                for (feature, &total) in sums.totals(class).iter().enumerate() {
                    let apart = total as f64 / count.max(1.0) - centre[feature];
                    panel[feature / SIDE * SIDE + line][feature % SIDE] =
                        (size * apart * scale[feature]) as f32;
                }
            }
            let (panel, _) = panel.as_chunks::<SIDE>();
            let panel = &panel[..layout.blocks];
            rows(layout, 0..layout.blocks, squares, &|row, squares| {
                // Lines past the last class are zeros, which are left out.
                let (a, squares) = (&panel[row][..lines], &mut squares[..layout.blocks - row]);
                subtract(a, &panel[row..], squares, |_| SIDE);
            });
        }
        for (class, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            for (feature, &total) in sums.totals(class).iter().enumerate() {
                let block = feature / SIDE;
                let place = layout.start(block) + layout.blocks - block + class / SIDE;
                let apart = total as f64 / f64::from(count) - mean[feature];
                squares[place][feature % SIDE][class % SIDE] = (apart * scale[feature]) as f32;
            }
        }
        Ok(Self { features, counts, layout, mean, scale, squares })
    }

    /// Writes the head for a penalty, which is relative to features of mean squared norm 1; 1e-4 to 2e-3 is its useful
    /// range. Its logits are brought to the length that makes the classes' means lead by about 1. A class without samples is
    /// never the answer.
    ///
    /// # Errors
    ///
    /// [`Error::NotPositiveDefinite`] if the penalty is too small; [`Error::BufferLength`].
    pub fn solve(
        &self,
        penalty: f32,
        work: &mut [Square],
        weights: &mut [f32],
        bias: &mut [f32],
    ) -> Result<(), Error> {
        let (features, layout) = (self.features, self.layout);
        expect_len(bias.len(), self.counts.len())?;
        check_shape(weights.len(), bias.len(), features)?;
        expect_len(work.len(), self.squares.len())?;
        work.copy_from_slice(self.squares);
        for block in 0..layout.blocks {
            let diagonal = &mut work[layout.start(block)];
            (0..SIDE).for_each(|at| diagonal[at][at] += penalty);
        }
        factor(layout, work)?;
        let place = |feature: usize, class: usize| {
            let block = feature / SIDE;
            layout.start(block) + layout.blocks - block + class / SIDE
        };
        // Squared lengths of the classes' means, as the covariance measures them.
        let lengths = (0..bias.len()).map(|class| {
            (0..features).fold(0.0, |sum, feature| {
                let x = f64::from(work[place(feature, class)][feature % SIDE][class % SIDE]);
                sum + x * x
            })
        });
        let mut all = 0.0;
        for (bias, length) in bias.iter_mut().zip(lengths) {
            *bias = length as f32;
            all += length;
        }
        let present = self.counts.iter().filter(|&&count| count > 0).count();
        let unit = if all > 0.0 { all / present as f64 } else { 1.0 };
        back(layout, work);
        for (class, (row, bias)) in weights.chunks_exact_mut(features).zip(bias).enumerate() {
            if self.counts[class] == 0 {
                row.fill(0.0);
                *bias = f32::MIN;
                continue;
            }
            let mut at_mean = 0.0;
            for (feature, weight) in row.iter_mut().enumerate() {
                let x = f64::from(work[place(feature, class)][feature % SIDE][class % SIDE]);
                let scaled = x * self.scale[feature] / unit;
                at_mean += scaled * self.mean[feature];
                *weight = scaled as f32;
            }
            *bias = (-0.5 * f64::from(*bias) / unit - at_mean) as f32;
        }
        Ok(())
    }
}

/// Writes the mean of the classes' means, the scale of each feature (see [`crate::head::standardise`]) and the weighted mean of all
/// samples; gives the sum of their weights.
fn measure(
    sums: &Sums<'_>,
    mean: &mut [f64],
    scale: &mut [f64],
    centre: &mut [f64],
    within: &mut [f64],
) -> f64 {
    let counts = sums.counts();
    let present = counts.iter().filter(|&&count| count > 0).count() as f64;
    let samples = counts.iter().map(|&count| f64::from(count)).sum::<f64>();
    let each = || (0..counts.len()).filter(|&class| counts[class] > 0);
    let weight_of = |class: usize| f64::from(sums.weights()[class]);
    let weight = each().map(|class| weight_of(class) * f64::from(counts[class])).sum::<f64>();
    mean.fill(0.0);
    centre.fill(0.0);
    // The scale's memory holds the classes' own squares first, and then what lies between them.
    scale.fill(0.0);
    for class in each() {
        let (count, own) = (f64::from(counts[class]), weight_of(class));
        let all = mean.iter_mut().zip(&mut *centre).zip(&mut *scale);
        for (((mean, centre), square), &total) in all.zip(sums.totals(class)) {
            let total = total as f64;
            *mean += total / count / present;
            *centre += own * total / weight;
            *square += own * total * total / count;
        }
    }
    let layout = Layout { blocks: blocks(sums.feature_len()), classes: 0 };
    for (feature, (within, square)) in within.iter_mut().zip(&mut *scale).enumerate() {
        let whole = sums.squares()[layout.start(feature / SIDE)][feature % SIDE][feature % SIDE];
        *within = ((whole - *square) / weight).max(0.0);
        *square = 0.0;
    }
    for class in each() {
        let count = f64::from(counts[class]);
        for ((between, &total), mean) in scale.iter_mut().zip(sums.totals(class)).zip(&*mean) {
            let apart = total as f64 / count - mean;
            *between += apart * apart / present;
        }
    }
    let all = || scale.iter().zip(&*within);
    let spread = all().map(|(between, within)| libm::sqrt(between + within)).sum::<f64>();
    let floor = (0.05 * spread / mean.len() as f64).max(1e-3);
    let freedom = if samples > present { samples / (samples - present) } else { 1.0 };
    let mut energy = 0.0;
    for (scale, &within) in scale.iter_mut().zip(&*within) {
        let between = *scale;
        let relevance = (libm::sqrt(between) + floor) / (libm::sqrt(within * freedom) + floor);
        *scale = relevance / (libm::sqrt(between + within) + floor);
        energy += *scale * *scale * (between + within);
    }
    if energy > 0.0 {
        let factor = 1.0 / libm::sqrt(energy);
        scale.iter_mut().for_each(|scale| *scale *= factor);
    }
    weight
}
