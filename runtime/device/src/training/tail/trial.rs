//! Whether a GPU's gradients are the CPU's: asked before a tail is trained on them.

use headstart::pack::Pack;

use super::TailOptions;
use super::descent::Changes;
use super::train::{run, task};
use crate::Head;
use crate::engine::Backend;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// Farthest that a tensor's gradient may be from the CPU's, as a part of its length. Tensor cores round operands to 11
/// bits, which moved gradients by less than a hundredth; a kernel that is wrong moves them by more than their length.
const FARTHEST: f64 = 0.1;

/// Tensors whose gradients are shorter than this part of the longest one say little.
const SHORT: f64 = 0.01;

/// Chooses the backend to train on: the one of `options`, or the fastest CPU backend where that one is on a GPU whose gradients of two
/// steps on these samples are not the CPU's. Then how far they are, as a part of their length, stands beside it.
///
/// What was found by it: transposed kernels that candle 0.10 misreads on a GPU, and what CubeCL 0.10 leaves out of transposed convolutions (both in
/// `headstart::burn`, which goes around them).
///
/// # Errors
/// Those of [`train`](super::train).
pub fn trusted(
    cache: &FeatureCache,
    pack: &Pack<'_>,
    initial: Option<&Head>,
    options: &TailOptions,
) -> Result<(Option<Backend>, Option<f64>), TrainingProblem> {
    let (Some(gpu), Some(cpu)) = (options.backend, Backend::fastest()) else {
        return Ok((options.backend, None));
    };
    if !gpu.is_on_gpu() {
        return Ok((Some(gpu), None));
    }
    let apart = distance(cache, pack, initial, options, [gpu, cpu])?;
    Ok(if apart <= FARTHEST { (Some(gpu), None) } else { (Some(cpu), Some(apart)) })
}

/// Measures how far the first backend's gradients are from the second one's: of the trained tensor where that is farthest, as a part of its
/// length.
///
/// # Errors
/// Those of [`train`](super::train).
pub fn distance(
    cache: &FeatureCache,
    pack: &Pack<'_>,
    initial: Option<&Head>,
    options: &TailOptions,
    backends: [Backend; 2],
) -> Result<f64, TrainingProblem> {
    let [found, expected] = backends.map(|b| changes(cache, pack, initial, options, b));
    Ok(apart(&found?, &expected?))
}

/// What the second of two plain gradient steps changes on that backend. The first leaves a last layer through which
/// gradients pass: a new one is zero.
fn changes(
    cache: &FeatureCache,
    pack: &Pack<'_>,
    initial: Option<&Head>,
    options: &TailOptions,
    backend: Backend,
) -> Result<Changes, TrainingProblem> {
    task(&run(cache, pack, initial, options)?)?.changes(backend)
}

/// The greatest distance of a tensor's changes from those of the CPU, as a part of their length.
fn apart(found: &Changes, expected: &Changes) -> f64 {
    let length = |numbers: &mut dyn Iterator<Item = f32>| {
        numbers.map(|n| f64::from(n) * f64::from(n)).sum::<f64>().sqrt()
    };
    let lengths: Vec<f64> = expected.iter().map(|row| length(&mut row.iter().copied())).collect();
    let longest = lengths.iter().fold(0.0_f64, |most, &length| most.max(length));
    let rows = found.iter().zip(expected).zip(lengths);
    let distances = rows.filter(|(_, length)| *length > SHORT * longest).map(|(row, of)| {
        let distance = length(&mut row.0.iter().zip(row.1).map(|(a, b)| a - b)) / of;
        if distance.is_finite() { distance } else { f64::INFINITY }
    });
    distances.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_that_is_elsewhere_shows_and_a_short_one_does_not() {
        let expected = vec![vec![3.0, 4.0], vec![0.0, 0.1], vec![0.001, 0.0]];
        assert_eq!(apart(&expected, &expected), 0.0);
        let mut found = expected.clone();
        found[2] = vec![-0.5, 0.0];
        assert_eq!(apart(&found, &expected), 0.0);
        found[1] = vec![0.0, -0.1];
        assert!((apart(&found, &expected) - 2.0).abs() < 1e-6);
        found[0][0] = f32::NAN;
        assert_eq!(apart(&found, &expected), f64::INFINITY);
    }
}
