//! Linear discriminant analysis.
//!
//! The covariance within the classes is `Σ = a ZᵀZ + b I`, with samples `Z` centred at their class means, and by Woodbury's
//! identity
//!
//! ```text
//! Σ⁻¹ m = (m − a Zᵀ (b I + a ZZᵀ)⁻¹ Z m) / b
//! ```

use super::{Kernel, check, products_len, scratch_len};
use crate::Error;
use crate::head::Samples;
use crate::head::exact::cholesky::{dot, factor, solve, start};
use crate::head::numeric::Scratch;

/// Writes the head as a combination of samples, and its biases: the weights of a class are
/// `Σ coefficients[class][i] · row(i)`, over the samples of `samples`, and its logit for another sample is the
/// same combination of products. `products` holds those of all samples that `samples` selects from.
///
/// The head is that of [`exact::lda`](crate::head::exact::lda); for `shrinkage` see there, but it may not be 0.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] or [`Error::Inaccurate`] if `shrinkage` is too small;
/// [`Error::NotFinite`] unless it is in 0…1 and above 0; [`Error::NoSamples`]; [`Error::ClassOutOfRange`];
/// [`Error::ShapeOverflow`]; [`Error::BufferLength`].
pub fn lda(
    samples: Samples<'_>,
    products: &[i32],
    shrinkage: f64,
    coefficients: &mut [f64],
    bias: &mut [f64],
    scratch: &mut [f64],
) -> Result<(), Error> {
    let (count, classes) = (samples.len(), bias.len());
    let kernel = Kernel::new(samples, products, coefficients.len(), classes)?;
    if !(shrinkage > 0.0 && shrinkage <= 1.0) {
        return Err(Error::NotFinite);
    }
    let mut memory = Scratch::new(scratch, scratch_len(count, classes)?)?;
    let triangle = memory.take(products_len(count)?)?;
    let [counts, target, solution, residual] =
        [classes, count, count, count].map(|length| memory.take(length).unwrap_or_default());
    let means = memory.take(classes * count)?;
    let corners = memory.take(classes * classes)?;

    kernel.count(counts)?;
    // means[c][i]: the mean product of sample i with those of class c; corners: of class with class.
    means.fill(0.0);
    for i in 0..count {
        for j in 0..count {
            means[usize::from(samples.label(j)) * count + i] += kernel.entry(i, j);
        }
    }
    corners.fill(0.0);
    for (class, row) in means.chunks_exact_mut(count).enumerate() {
        row.iter_mut().for_each(|mean| *mean /= counts[class].max(1.0));
        for (sample, mean) in row.iter().enumerate() {
            let other = usize::from(samples.label(sample));
            corners[class * classes + other] += mean / counts[other];
        }
    }
    let centred = |i: usize, j: usize, means: &[f64]| {
        let (own, other) = (usize::from(samples.label(i)), usize::from(samples.label(j)));
        // Both differences first: the products are large and near to each other.
        (kernel.entry(i, j) - means[other * count + i])
            - (means[own * count + j] - corners[own * classes + other])
    };
    let mut trace = 0.0;
    for i in 0..count {
        for j in 0..=i {
            triangle[start(i) + j] = centred(i, j, means);
        }
        trace += triangle[start(i) + i];
    }
    // Multiplied by n: a = 1 − shrinkage, b = shrinkage · trace / features. One sample a class says nothing of
    // the covariance, and all directions count the same.
    let a = 1.0 - shrinkage;
    let mean = if trace > 0.0 { trace / samples.feature_len() as f64 } else { count as f64 };
    let b = shrinkage * mean;
    for i in 0..count {
        triangle[start(i)..=start(i) + i].iter_mut().for_each(|entry| *entry *= a);
        triangle[start(i) + i] += b;
    }
    factor(triangle, count)?;
    for (class, (row, bias)) in coefficients.chunks_exact_mut(count).zip(bias).enumerate() {
        if counts[class] == 0.0 {
            row.fill(0.0);
            *bias = f64::from(f32::MIN);
            continue;
        }
        let own = &means[class * count..][..count];
        for (i, target) in target.iter_mut().enumerate() {
            *target = own[i] - corners[class * classes + usize::from(samples.label(i))];
        }
        solution.copy_from_slice(target);
        solve(triangle, solution);
        check(|i, j| a * centred(i, j, means), b, solution, target, residual)?;
        // Centred at the class means, because Z is.
        let sums = &mut residual[..];
        let of_class = |other: u16| -> f64 {
            let members = (0..count).filter(|&i| samples.label(i) == other);
            members.map(|i| solution[i]).sum::<f64>() / counts[usize::from(other)]
        };
        for other in 0..classes as u16 {
            let mean = of_class(other);
            for i in (0..count).filter(|&i| samples.label(i) == other) {
                sums[i] = solution[i] - mean;
            }
        }
        // Multiplied by n above: so is the inverse of Σ.
        let factor = count as f64 / b;
        for (i, (out, centred)) in row.iter_mut().zip(sums).enumerate() {
            let hit = usize::from(samples.label(i)) == class;
            let indicator = if hit { 1.0 / counts[class] } else { 0.0 };
            *out = factor * (indicator - a * *centred);
        }
        *bias = libm::log(counts[class] / count as f64) - 0.5 * dot(row, own);
    }
    Ok(())
}
