//! Measures by cross-validation what a closed-form linear head reaches on features.

use super::kernel::Matrix;

/// Strengths of the regularisation that are tried, relative to the mean square of a sample.
const STRENGTHS: [f64; 5] = [0.001, 0.01, 0.03, 0.1, 0.3];

/// Folds of the cross-validation.
const FOLDS: usize = 5;

/// Accuracy of a head on samples that it did not see.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Share of right answers.
    pub accuracy: f64,
    /// Standard deviation of that share over the folds.
    pub spread: f64,
    /// Mean squared error of the outputs, summed over the classes: less noisy than the accuracy.
    pub error: f64,
    /// The class that each sample was taken for while it was held out, the last time that it was.
    pub answers: Vec<usize>,
}

/// Assignments of samples to folds in which each class is spread evenly; `repeats` different ones.
///
/// The order within a class comes from a fixed multiplicative sequence: the same samples always
/// get the same folds.
pub(super) fn folds(labels: &[usize], repeats: usize) -> Vec<Vec<usize>> {
    let classes = labels.iter().max().map_or(0, |&label| label + 1);
    let assignment = |repeat: usize| {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(repeat as u64 + 1);
        let mut fold = vec![0; labels.len()];
        for class in 0..classes {
            let mut keyed: Vec<(u64, usize)> = Vec::new();
            for (sample, _) in labels.iter().enumerate().filter(|&(_, &label)| label == class) {
                state =
                    state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                keyed.push((state >> 16, sample));
            }
            keyed.sort_unstable();
            for (rank, &(_, sample)) in keyed.iter().enumerate() {
                fold[sample] = (rank + class) % FOLDS;
            }
        }
        fold
    };
    (0..repeats).map(assignment).collect()
}

/// The best score over [`STRENGTHS`] of a least-squares head on `samples`, one row of features each.
///
/// All folds come from one inverse: with `G = (K + λI)⁻¹` the errors of a fold that was left out
/// are `(G_ff)⁻¹ (G·T)_f` (the leave-out formula of kernel ridge regression, e.g. Rifkin and
/// Lippert, "Notes on Regularized Least Squares", 2007). The bias is a feature of constant value.
pub(super) fn validate(
    mut samples: Vec<Vec<f32>>,
    labels: &[usize],
    folds: &[Vec<usize>],
) -> Option<Score> {
    standardise(&mut samples);
    let products = Matrix::products(&samples);
    drop(samples);
    let scale = products.mean_of_diagonal().max(f64::MIN_POSITIVE);
    STRENGTHS
        .iter()
        .filter_map(|strength| {
            let inverse = products.regularised_inverse(strength * scale, scale)?;
            left_out(&inverse, labels, folds)
        })
        .min_by(|a, b| a.error.total_cmp(&b.error))
}

fn left_out(inverse: &Matrix, labels: &[usize], folds: &[Vec<usize>]) -> Option<Score> {
    let classes = labels.iter().max().map_or(0, |&label| label + 1);
    let target = |sample: usize, class: usize| if labels[sample] == class { 1.0 } else { -1.0 };
    // G·T, one row a sample.
    let weights: Vec<Vec<f64>> = (0..labels.len())
        .map(|sample| {
            let mut row = vec![0.0; classes];
            for (other, &value) in inverse.row(sample).iter().enumerate() {
                row[labels[other]] += 2.0 * value;
                row.iter_mut().for_each(|sum| *sum -= value);
            }
            row
        })
        .collect();
    let (mut right_shares, mut error) = (Vec::new(), 0.0);
    let mut answers = vec![0; labels.len()];
    for assignment in folds {
        for fold in 0..FOLDS {
            let held: Vec<usize> =
                (0..labels.len()).filter(|&sample| assignment[sample] == fold).collect();
            if held.is_empty() {
                continue;
            }
            let block = Matrix {
                order: held.len(),
                rows: held
                    .iter()
                    .flat_map(|&i| held.iter().map(move |&j| inverse.row(i)[j]))
                    .collect(),
            };
            let block = block.regularised_inverse(0.0, 0.0)?;
            let mut right = 0;
            for (position, &sample) in held.iter().enumerate() {
                let mut output: Vec<f64> =
                    (0..classes).map(|class| target(sample, class)).collect();
                for (&value, &other) in block.row(position).iter().zip(&held) {
                    for (class, output) in output.iter_mut().enumerate() {
                        *output -= value * weights[other][class];
                    }
                }
                for (class, output) in output.iter().enumerate() {
                    error += (output - target(sample, class)).powi(2);
                }
                let answer = (0..classes).max_by(|&a, &b| output[a].total_cmp(&output[b]));
                answers[sample] = answer.expect("each label is one of the classes");
                right += usize::from(answers[sample] == labels[sample]);
            }
            right_shares.push(right as f64 / held.len() as f64);
        }
    }
    let count = right_shares.len().max(1) as f64;
    let accuracy = right_shares.iter().sum::<f64>() / count;
    let variance = right_shares.iter().map(|share| (share - accuracy).powi(2)).sum::<f64>() / count;
    error /= (labels.len() * folds.len()).max(1) as f64;
    Some(Score { accuracy, spread: variance.sqrt(), error, answers })
}

/// Each feature to mean 0 and about the same deviation; one that hardly varies stays small.
fn standardise(samples: &mut [Vec<f32>]) {
    let (count, length) = (samples.len().max(1) as f32, samples.first().map_or(0, Vec::len));
    let mut mean = vec![0.0_f32; length];
    for row in samples.iter() {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
    }
    let mut variance = vec![0.0_f32; length];
    for row in samples.iter_mut() {
        for ((value, mean), variance) in row.iter_mut().zip(&mean).zip(&mut variance) {
            *value -= mean;
            *variance += *value * *value / count;
        }
    }
    let overall = (variance.iter().sum::<f32>() / length.max(1) as f32).sqrt();
    let factors: Vec<f32> =
        variance.iter().map(|v| 1.0 / (v.sqrt() + 0.1 * overall).max(f32::MIN_POSITIVE)).collect();
    for row in samples {
        row.iter_mut().zip(&factors).for_each(|(value, factor)| *value *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes of samples: the first feature tells them apart, the others are noise.
    fn samples(signal: f32) -> (Vec<Vec<f32>>, Vec<usize>) {
        let mut state = 7_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let labels: Vec<usize> = (0..60).map(|i| i % 2).collect();
        let rows = labels
            .iter()
            .map(|&label| {
                let mut row: Vec<f32> = (0..8).map(|_| noise()).collect();
                row[0] += if label == 1 { signal } else { -signal };
                row
            })
            .collect();
        (rows, labels)
    }

    #[test]
    fn what_can_be_told_apart_scores_high_and_noise_does_not() {
        let (rows, labels) = samples(3.0);
        let folds = folds(&labels, 2);
        let good = validate(rows, &labels, &folds).unwrap();
        assert_eq!(good.accuracy, 1.0);
        let (rows, labels) = samples(0.0);
        let poor = validate(rows, &labels, &folds).unwrap();
        assert!(poor.accuracy < 0.75 && poor.error > good.error);
    }

    #[test]
    fn the_leave_out_formula_is_training_without_the_fold() {
        let (mut rows, labels) = samples(0.5);
        standardise(&mut rows);
        let folds = folds(&labels, 1);
        let (ridge, constant) = (3.0, 2.0);
        let inverse = Matrix::products(&rows).regularised_inverse(ridge, constant).unwrap();
        let score = left_out(&inverse, &labels, &folds).unwrap();
        let mut error = 0.0;
        for fold in 0..FOLDS {
            let kept: Vec<usize> = (0..60).filter(|&i| folds[0][i] != fold).collect();
            let part: Vec<Vec<f32>> = kept.iter().map(|&i| rows[i].clone()).collect();
            let inverse = Matrix::products(&part).regularised_inverse(ridge, constant).unwrap();
            for held in (0..60).filter(|&i| folds[0][i] == fold) {
                let mut output = 0.0;
                for (i, &k) in kept.iter().enumerate() {
                    let product: f32 = rows[held].iter().zip(&rows[k]).map(|(a, b)| a * b).sum();
                    for (j, &other) in kept.iter().enumerate() {
                        let sign = if labels[other] == 1 { 1.0 } else { -1.0 };
                        output += (f64::from(product) + constant) * inverse.row(i)[j] * sign;
                    }
                }
                let target = if labels[held] == 1 { 1.0 } else { -1.0 };
                error += 2.0 * (output - target).powi(2) / 60.0;
            }
        }
        assert!((score.error - error).abs() < 1e-4 * error, "{} and {error}", score.error);
    }

    #[test]
    fn every_fold_has_its_share_of_every_class() {
        let labels: Vec<usize> = (0..50).map(|i| i / 25).collect();
        for assignment in folds(&labels, 3) {
            for fold in 0..FOLDS {
                for class in 0..2 {
                    let count = (0..50).filter(|&i| assignment[i] == fold && labels[i] == class);
                    assert_eq!(count.count(), 5);
                }
            }
        }
        assert_ne!(folds(&labels, 2)[0], folds(&labels, 2)[1]);
    }
}
