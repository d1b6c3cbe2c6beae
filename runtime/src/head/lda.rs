//! Linear discriminant analysis of samples that are fewer than their features.
//!
//! [`exact::lda`](super::exact::lda) solves for one number a feature. With fewer samples the same head is a
//! combination of samples, and the products of samples, which are integers, say which: nothing is cubic
//! in the features. The covariance within the classes is `Σ = a ZᵀZ + b I`, with samples `Z` centred at
//! their class means, and by Woodbury's identity
//!
//! ```text
//! Σ⁻¹ m = (m − a Zᵀ (b I + a ZZᵀ)⁻¹ Z m) / b
//! ```
//!
//! All of it is float64, in one order, and the residual is checked. Products are computed once and
//! serve every shrinkage and every part of the samples.

use super::exact::cholesky::{dot, factor, solve, start};
use super::numeric::{Scratch, expect_len, product, sum};
use super::{MAX_CLASSES, Samples};
use crate::Error;

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

/// Float64 elements that [`coefficients`] needs.
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

/// Writes the head as a combination of samples, and its biases: the weights of a class are
/// `Σ coefficients[class][i] · row(i)`, over the samples of `samples`, and its logit for another sample is the
/// same combination of products. `products` holds those of all samples that `samples` selects from.
///
/// The head is that of [`exact::lda`](super::exact::lda); for `shrinkage` see there, but it may not be 0.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] or [`Error::Inaccurate`] if `shrinkage` is too small;
/// [`Error::NotFinite`] unless it is in 0…1 and above 0; [`Error::NoSamples`]; [`Error::ClassOutOfRange`];
/// [`Error::ShapeOverflow`]; [`Error::BufferLength`].
pub fn coefficients(
    samples: Samples<'_>,
    products: &[i32],
    shrinkage: f64,
    coefficients: &mut [f64],
    bias: &mut [f64],
    scratch: &mut [f64],
) -> Result<(), Error> {
    let (count, classes) = (samples.len(), bias.len());
    if !(1..=MAX_CLASSES).contains(&classes) {
        return Err(Error::ShapeOverflow);
    }
    expect_len(coefficients.len(), product(&[classes, count])?)?;
    if count == 0 {
        return Err(Error::NoSamples);
    }
    if !(shrinkage > 0.0 && shrinkage <= 1.0) {
        return Err(Error::NotFinite);
    }
    let largest = (0..count).map(|sample| samples.position(sample)).max().unwrap_or(0);
    let needed = products_len(largest + 1)?;
    if products.len() < needed {
        return Err(Error::BufferLength { expected: needed, found: products.len() });
    }
    let mut memory = Scratch::new(scratch, scratch_len(count, classes)?)?;
    let triangle = memory.take(products_len(count)?)?;
    let [counts, target, solution, residual] =
        [classes, count, count, count].map(|length| memory.take(length).unwrap_or_default());
    let means = memory.take(classes * count)?;
    let corners = memory.take(classes * classes)?;

    counts.fill(0.0);
    for sample in 0..count {
        let class = samples.label(sample);
        let range = Error::ClassOutOfRange { class, classes: classes as u16 };
        *counts.get_mut(usize::from(class)).ok_or(range)? += 1.0;
    }
    let kernel = Kernel { samples, products };
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
        residual.iter_mut().zip(&*solution).for_each(|(r, x)| *r = b * x);
        for i in 0..count {
            let mut row = 0.0;
            for j in 0..i {
                let entry = a * centred(i, j, means);
                row += entry * solution[j];
                residual[j] += entry * solution[i];
            }
            residual[i] += row + a * centred(i, i, means) * solution[i];
        }
        let (mut error, mut size) = (0.0, 0.0);
        for (found, target) in residual.iter().zip(&*target) {
            error += (found - target) * (found - target);
            size += target * target;
        }
        if error > TOLERANCE * TOLERANCE * size {
            return Err(Error::Inaccurate);
        }
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

/// Writes the weights of a combination of samples.
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

impl Kernel<'_> {
    fn entry(&self, i: usize, j: usize) -> f64 {
        let (i, j) = (self.samples.position(i), self.samples.position(j));
        f64::from(self.products[start(i.max(j)) + i.min(j)])
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::head::exact;
    use crate::head::testing::Blobs;

    #[test]
    fn the_head_is_that_of_exact_sums() {
        for (per_class, features, shrinkage) in
            [(6, 40, 0.1), (12, 9, 0.3), (1, 30, 0.5), (5, 40, 1.0)]
        {
            let blobs = Blobs::new(3, per_class, features, 2.0, 4);
            // Every other sample in another order, and a class without samples.
            let mut indices: vec::Vec<u32> = (0..3 * per_class as u32).rev().step_by(2).collect();
            indices.rotate_left(1);
            let samples = blobs.samples().select(&indices).unwrap();
            let (count, classes) = (samples.len(), 4);
            let mut all = vec![0; products_len(blobs.samples().len()).unwrap()];
            products(blobs.samples(), &mut all).unwrap();
            let (mut combination, mut bias) = (vec![f64::NAN; classes * count], vec![0.0; classes]);
            let mut scratch = vec![f64::NAN; scratch_len(count, classes).unwrap()];
            coefficients(samples, &all, shrinkage, &mut combination, &mut bias, &mut scratch)
                .unwrap();
            let mut found = vec![0.0; classes * features];
            weights(samples, &combination, &mut found, &mut vec![0.0; features]).unwrap();

            let (mut counts, mut sums) = (vec![0; classes], vec![0; classes * features]);
            let mut squares = vec![0; exact::products_len(features).unwrap()];
            let mut statistics =
                exact::Statistics::new(&mut counts, &mut sums, &mut squares, features).unwrap();
            samples.iter().for_each(|(row, class)| statistics.add(row, class).unwrap());
            let (mut expected, mut expected_bias) =
                (vec![0.0; classes * features], vec![0.0; classes]);
            let mut scratch = vec![0.0; exact::scratch_len(features, classes).unwrap()];
            exact::lda(&statistics, shrinkage, &mut expected, &mut expected_bias, &mut scratch)
                .unwrap();
            let largest = expected.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() <= 1e-5 * largest, "{found} {expected}");
            }
            for (found, expected) in bias.iter().zip(&expected_bias) {
                let error = (*found as f32 - expected).abs();
                assert!(error <= 1e-5 * expected.abs().max(1.0), "{found} {expected}");
            }
        }
    }

    #[test]
    fn input_is_checked() {
        let blobs = Blobs::new(2, 2, 5, 2.0, 4);
        let samples = blobs.samples();
        let mut all = [0; 10];
        products(samples, &mut all).unwrap();
        assert!(products(samples, &mut all[1..]).is_err());
        let (mut out, mut bias) = ([0.0; 8], [0.0; 2]);
        let mut scratch = vec![0.0; scratch_len(4, 2).unwrap()];
        let mut run = |samples, products: &[i32], shrinkage| {
            coefficients(samples, products, shrinkage, &mut out, &mut bias, &mut scratch)
        };
        assert_eq!(run(samples, &all, 0.5), Ok(()));
        for wrong in [0.0, -1.0, 1.5, f64::NAN] {
            assert_eq!(run(samples, &all, wrong), Err(Error::NotFinite));
        }
        let short = Error::BufferLength { expected: 10, found: 9 };
        assert_eq!(run(samples, &all[1..], 0.5), Err(short));
        let three = Blobs::new(4, 1, 5, 2.0, 4);
        let range = Error::ClassOutOfRange { class: 2, classes: 2 };
        assert_eq!(run(three.samples(), &all, 0.5), Err(range));
        assert!(weights(samples, &out, &mut [0.0; 9], &mut [0.0; 5]).is_err());
    }
}
