//! Linear discriminant analysis, from exact sums.

use super::Statistics;
use super::system::{Centre, System};
use crate::Error;

/// Writes the head of classes that are normally distributed around their means with one covariance.
///
/// `Σ = (1 − shrinkage) · S + shrinkage · (trace S / features) · I`, where `S` is the covariance within the
/// classes; `weights = Σ⁻¹ m`, `bias = log(samples of the class / all) − ½ m · weights`. It is
/// scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)` on the raw features.
/// 0.01 to 0.9 is the useful range; with fewer samples than features it must not be 0. A class without samples gets zero
/// weights and the bias `f32::MIN`: it is never the answer.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] or [`Error::Inaccurate`] if `shrinkage` is too small;
/// [`Error::NotFinite`] unless it is in 0…1; [`Error::NoSamples`]; [`Error::BufferLength`] or
/// [`Error::ShapeOverflow`] if a buffer does not fit.
pub fn lda(
    statistics: &Statistics<'_>,
    shrinkage: f64,
    weights: &mut [f32],
    bias: &mut [f32],
    scratch: &mut [f64],
) -> Result<(), Error> {
    let mut system = System::new(statistics, Centre::ClassMeans, weights, bias, scratch)?;
    if !(0.0..=1.0).contains(&shrinkage) {
        return Err(Error::NotFinite);
    }
    let (features, samples) = (statistics.feature_len(), f64::from(statistics.samples()));
    // The system is n / (1 − shrinkage) times Σ; the factor is taken back from its solution. Where only
    // the diagonal counts, its weight is so large that the rest is below rounding.
    let kept = (1.0 - shrinkage).max(1e-12);
    let trace = system.trace();
    // One sample a class: nothing is known of the covariance, and all directions count the same.
    let mean = if trace > 0.0 { trace / features as f64 } else { samples };
    system.factor(shrinkage / kept * mean)?;
    for (class, (weights, bias)) in weights.chunks_exact_mut(features).zip(bias).enumerate() {
        let (count, sums) = (statistics.counts()[class], statistics.sums(class));
        if count == 0 {
            weights.fill(0.0);
            *bias = f32::MIN;
            continue;
        }
        let count = f64::from(count);
        for (target, &sum) in system.vector.iter_mut().zip(sums) {
            *target = f64::from(sum) / count;
        }
        system.solve()?;
        let factor = samples / kept;
        for (weight, value) in weights.iter_mut().zip(&*system.vector) {
            *weight = (value * factor) as f32;
        }
        let square = system.along(sums) / count * factor;
        *bias = (libm::log(count / samples) - 0.5 * square) as f32;
    }
    Ok(())
}
