//! Least squares on one-hot targets with a penalty.
//!
//! With samples `Z` centred at their mean and centred one-hot targets `Y`, the weights are `Yᵀ (Z Zᵀ + λ I)⁻¹ Z`.

use super::{Kernel, check, products_len, scratch_len};
use crate::Error;
use crate::head::Samples;
use crate::head::exact::cholesky::{dot, factor, solve, start};
use crate::head::numeric::Scratch;

/// Writes the ridge head as a combination of samples, and its biases; both are laid out as [`lda`](super::lda()) does.
///
/// The head is that of [`exact::ridge`](crate::head::exact::ridge); for `penalty` see there.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] or [`Error::Inaccurate`] if `penalty` is too small;
/// [`Error::NotFinite`] if it is negative or not a number; [`Error::NoSamples`]; [`Error::ClassOutOfRange`];
/// [`Error::ShapeOverflow`]; [`Error::BufferLength`].
pub fn ridge(
    samples: Samples<'_>,
    products: &[i32],
    penalty: f64,
    coefficients: &mut [f64],
    bias: &mut [f64],
    scratch: &mut [f64],
) -> Result<(), Error> {
    let (count, classes) = (samples.len(), bias.len());
    let kernel = Kernel::new(samples, products, coefficients.len(), classes)?;
    if !(penalty.is_finite() && penalty >= 0.0) {
        return Err(Error::NotFinite);
    }
    let mut memory = Scratch::new(scratch, scratch_len(count, classes)?)?;
    let triangle = memory.take(products_len(count)?)?;
    let [counts, means, target, residual] =
        [classes, count, count, count].map(|length| memory.take(length).unwrap_or_default());
    kernel.count(counts)?;
    // The mean product of a sample with all of them, and of all with all.
    let samples_f64 = count as f64;
    for (i, mean) in means.iter_mut().enumerate() {
        *mean = (0..count).map(|j| kernel.entry(i, j)).sum::<f64>() / samples_f64;
    }
    let corner = means.iter().sum::<f64>() / samples_f64;
    // Both differences first: the products are large and near to each other.
    let centred =
        |i: usize, j: usize, means: &[f64]| (kernel.entry(i, j) - means[j]) - (means[i] - corner);
    let mut trace = 0.0;
    for i in 0..count {
        for j in 0..=i {
            triangle[start(i) + j] = centred(i, j, means);
        }
        trace += triangle[start(i) + i];
    }
    let mean = trace / samples.feature_len() as f64;
    // Samples that are all the same need no weights.
    let diagonal = if mean > 0.0 { penalty * mean } else { penalty.max(1.0) };
    (0..count).for_each(|i| triangle[start(i) + i] += diagonal);
    factor(triangle, count)?;
    for (class, (row, bias)) in coefficients.chunks_exact_mut(count).zip(bias).enumerate() {
        let share = counts[class] / samples_f64;
        for (i, target) in target.iter_mut().enumerate() {
            let hit = usize::from(samples.label(i)) == class;
            *target = f64::from(u8::from(hit)) - share;
        }
        row.copy_from_slice(target);
        solve(triangle, row);
        check(|i, j| centred(i, j, means), diagonal, row, target, residual)?;
        // Of samples that are centred.
        let excess = row.iter().sum::<f64>() / samples_f64;
        row.iter_mut().for_each(|coefficient| *coefficient -= excess);
        *bias = share - dot(row, means);
    }
    Ok(())
}
