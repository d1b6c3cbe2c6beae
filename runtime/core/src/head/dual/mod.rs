//! Closed forms for samples that are fewer than their features.
//!
//! [`exact`](super::exact) solves for one number a feature. With fewer samples the same head is a combination of
//! samples, and the products of samples, which are integers, say which: nothing is cubic in the features. All of it is float64,
//! in one order, and the residual is checked. Products are computed once and serve every penalty, every shrinkage and
//! every part of the samples.

mod lda;
mod ridge;

pub use lda::lda;
pub use ridge::ridge;

use super::exact::cholesky::start;
use super::{MAX_CLASSES, Samples};
use crate::Error;
use crate::checked::{expect_len, product, sum};

/// The most features: so many products of two int8 stay below 2³¹.
const MAX_FEATURES: usize = (1 << 17) - 1;
/// Largest residual that is accepted, as a part of the right-hand side.
const TOLERANCE: f64 = 1e-6;

/// Elements of [`products`]: `samples · (samples + 1) / 2`.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn products_len(samples: usize) -> Result<usize, Error> {
    super::exact::products_len(samples)
}

/// Writes the inner product of every two samples, `products[i (i + 1) / 2 + j]` for `j ≤ i`.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] past 131,071 features; [`Error::BufferLength`].
pub fn products(samples: Samples<'_>, products: &mut [i32]) -> Result<(), Error> {
    expect_len(products.len(), products_len(samples.len())?)?;
    if samples.feature_len() > MAX_FEATURES {
        return Err(Error::ShapeOverflow);
    }
    let mut rest = products;
    for row in 0..samples.len() {
        let (line, after) = rest.split_at_mut(row + 1);
        let own = samples.row(row);
        for (other, product) in line.iter_mut().enumerate() {
            let pairs = own.iter().zip(samples.row(other));
            *product = pairs.map(|(&a, &b)| i32::from(i16::from(a) * i16::from(b))).sum();
        }
        rest = after;
    }
    Ok(())
}

/// Float64 elements that [`lda`] and [`ridge`] need.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn scratch_len(samples: usize, classes: usize) -> Result<usize, Error> {
    sum(&[
        products_len(samples)?,
        product(&[classes, samples])?,
        product(&[classes, sum(&[classes, 1])?])?,
        product(&[3, samples])?,
    ])
}

/// Writes the weights of a head that is a combination of samples.
///
/// # Errors
///
/// [`Error::BufferLength`] if lengths do not fit.
pub fn weights(
    samples: Samples<'_>,
    coefficients: &[f64],
    weights: &mut [f32],
    scratch: &mut [f64],
) -> Result<(), Error> {
    let features = samples.feature_len();
    expect_len(scratch.len(), features)?;
    expect_len(
        product(&[weights.len(), samples.len()])?,
        product(&[coefficients.len(), features])?,
    )?;
    for (coefficients, weights) in
        coefficients.chunks_exact(samples.len()).zip(weights.chunks_exact_mut(features))
    {
        scratch.fill(0.0);
        for ((row, _), coefficient) in samples.iter().zip(coefficients) {
            let pairs = scratch.iter_mut().zip(row);
            pairs.for_each(|(sum, &q)| *sum += coefficient * f64::from(q));
        }
        weights.iter_mut().zip(&*scratch).for_each(|(weight, sum)| *weight = *sum as f32);
    }
    Ok(())
}

/// Products of samples of a selection.
struct Kernel<'a> {
    samples: Samples<'a>,
    products: &'a [i32],
}

impl<'a> Kernel<'a> {
    /// Checks what both learners are given.
    fn new(
        samples: Samples<'a>,
        products: &'a [i32],
        coefficients: usize,
        classes: usize,
    ) -> Result<Self, Error> {
        if !(1..=MAX_CLASSES).contains(&classes) {
            return Err(Error::ShapeOverflow);
        }
        expect_len(coefficients, product(&[classes, samples.len()])?)?;
        let last = (0..samples.len()).map(|sample| samples.position(sample)).max();
        let needed = products_len(last.ok_or(Error::NoSamples)? + 1)?;
        if products.len() < needed {
            return Err(Error::BufferLength { expected: needed, found: products.len() });
        }
        Ok(Self { samples, products })
    }

    /// Samples of each class.
    fn count(&self, counts: &mut [f64]) -> Result<(), Error> {
        let classes = counts.len() as u16;
        counts.fill(0.0);
        for sample in 0..self.samples.len() {
            let class = self.samples.label(sample);
            let range = Error::ClassOutOfRange { class, classes };
            *counts.get_mut(usize::from(class)).ok_or(range)? += 1.0;
        }
        Ok(())
    }

    fn entry(&self, i: usize, j: usize) -> f64 {
        let (i, j) = (self.samples.position(i), self.samples.position(j));
        f64::from(self.products[start(i.max(j)) + i.min(j)])
    }
}

/// Whether `(entries + diagonal · I) solution = target`, with entries that are computed anew.
fn check(
    entry: impl Fn(usize, usize) -> f64,
    diagonal: f64,
    solution: &[f64],
    target: &[f64],
    residual: &mut [f64],
) -> Result<(), Error> {
    residual.iter_mut().zip(solution).for_each(|(r, x)| *r = diagonal * x);
    for i in 0..solution.len() {
        let mut row = 0.0;
        for j in 0..i {
            let entry = entry(i, j);
            row += entry * solution[j];
            residual[j] += entry * solution[i];
        }
        residual[i] += row + entry(i, i) * solution[i];
    }
    let (mut error, mut size) = (0.0, 0.0);
    for (found, target) in residual.iter().zip(target) {
        error += (found - target) * (found - target);
        size += target * target;
    }
    if error <= TOLERANCE * TOLERANCE * size { Ok(()) } else { Err(Error::Inaccurate) }
}

#[cfg(test)]
mod tests;
