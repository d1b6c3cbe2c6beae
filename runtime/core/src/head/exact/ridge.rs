//! Least squares on one-hot targets with a penalty, from exact sums.

use super::Statistics;
use super::system::{Centre, System};
use crate::Error;

/// Writes the head that minimises `Σ ‖W q + b − y‖² + penalty · s · ‖W‖²` over all samples, for one-hot
/// `y`, where `s` is the mean over the features of their centred sum of squares.
///
/// Every sample weighs the same, features are centred and not scaled, and the bias is free: it is
/// scikit-learn's `Ridge(alpha = penalty · s)` on the raw features. 1e-3 to 1 is the useful range of
/// `penalty`. A class without samples is predicted as 0.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] or [`Error::Inaccurate`] if `penalty` is too small;
/// [`Error::NotFinite`] if it is negative or not a number; [`Error::NoSamples`]; [`Error::BufferLength`] or
/// [`Error::ShapeOverflow`] if a buffer does not fit.
pub fn ridge(
    statistics: &Statistics<'_>,
    penalty: f64,
    weights: &mut [f32],
    bias: &mut [f32],
    scratch: &mut [f64],
) -> Result<(), Error> {
    let mut system = System::new(statistics, Centre::Mean, weights, bias, scratch)?;
    let features = statistics.feature_len();
    let mean = system.trace() / features as f64;
    // Samples that are all the same need no weights.
    system.factor(if mean > 0.0 { penalty * mean } else { penalty.max(1.0) })?;
    let samples = i64::from(statistics.samples());
    for (class, (weights, bias)) in weights.chunks_exact_mut(features).zip(bias).enumerate() {
        let of_class = i64::from(statistics.counts()[class]);
        let sums = statistics.sums(class).iter().zip(&*system.totals);
        for (target, (&sum, &total)) in system.vector.iter_mut().zip(sums) {
            let whole = samples * i64::from(sum) - of_class * total as i64;
            *target = whole as f64 / samples as f64;
        }
        system.solve()?;
        let mut at_mean = 0.0;
        for ((weight, value), total) in weights.iter_mut().zip(&*system.vector).zip(&*system.totals)
        {
            *weight = *value as f32;
            at_mean += value * (total / samples as f64);
        }
        *bias = (of_class as f64 / samples as f64 - at_mean) as f32;
    }
    Ok(())
}
