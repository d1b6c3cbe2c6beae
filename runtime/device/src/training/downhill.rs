//! Discriminants that go on downhill, where there are not too many samples.
//!
//! Discriminants take all classes for clouds of one shape. Those of spoken digits are not, and a softmax regression tells them
//! better; of photos the discriminants are the better ones. So they are moved by gradients of the softmax loss, with Nesterov's
//! momentum (`i / (i + 3)`), each turned by the inverse of the covariance within the classes: without that, 40 steps and a penalty
//! gain a fifth of what 20 do with it. How many steps are good, held-out loss says: where labels are wrong, none.
//!
//! Measured on features of 3,000 spoken digits: two points more, with a fifth of the labels wrong half a point; of photos of hand
//! signs a quarter of a point, and none with wrong labels, since no step is taken. A step is a pass over the samples, so there is a
//! limit to their number, which counts alone decide.

use headstart::head::calibrate::HeldOut;
use headstart::head::{Samples, softmax};

use super::TrainingProblem;
use super::known::{Linear, Pooled};
use crate::memory::filled;

/// The most features, elements of all rows, and products of these with classes.
const MOST_FEATURES: usize = 640;
const MOST_ELEMENTS: usize = 1_250_000;
const MOST_PRODUCTS: usize = 16_000_000;
/// Numbers of steps that compete. What comes first of those that are no better ends it.
const STAGES: [usize; 3] = [5, 10, 20];
/// Added to the diagonal of the covariance, as a part of it, and of one step of int8.
const RIDGE: f64 = 0.1;

/// Whether so many rows are few enough.
pub(super) fn is_worth(rows: usize, features: usize, classes: usize) -> bool {
    let elements = rows.saturating_mul(features);
    features <= MOST_FEATURES
        && elements <= MOST_ELEMENTS
        && elements.saturating_mul(classes) <= MOST_PRODUCTS
}

/// The most bytes that it takes.
pub(super) fn bytes(features: usize, classes: usize) -> usize {
    if features > MOST_FEATURES {
        return 0;
    }
    let squares = 2 * features * features * size_of::<f64>();
    let answers = (MOST_ELEMENTS / features.max(1)).saturating_mul(classes + 1);
    let heads = 8_usize.saturating_mul(features).saturating_mul(classes);
    squares.saturating_add(answers.saturating_add(heads).saturating_mul(size_of::<f32>()))
}

/// What is descended on.
pub(super) struct Slope<'a> {
    rows: &'a [Samples<'a>],
    /// What a sample of each class weighs.
    weights: Vec<f32>,
    mean: Vec<f64>,
    /// `L` with `L Lᵀ` the covariance and its ridge, `[row][column]`.
    factor: Vec<f64>,
}

impl<'a> Slope<'a> {
    /// `None` where the covariance has no factor, or a class no samples.
    pub(super) fn new(
        pooled: Pooled,
        rows: &'a [Samples<'a>],
    ) -> Result<Option<Self>, TrainingProblem> {
        let Pooled { mean, mut covariance, weights } = pooled;
        let features = mean.len();
        for at in 0..features {
            let own = &mut covariance[at * features + at];
            *own += RIDGE * (*own + 1.0);
        }
        let is_whole = weights.iter().all(|weight| *weight > 0.0);
        let slope = Self { rows, weights, mean, factor: covariance };
        let mut slope = Some(slope).filter(|_| is_whole);
        if slope.as_mut().is_some_and(|slope| !factorise(&mut slope.factor, features)) {
            slope = None;
        }
        Ok(slope)
    }

    /// How many steps from this head, learned from these rows, answer held-out samples with the least loss: their number, and
    /// the answers then. `None` where the head itself does, whose loss is given.
    pub(super) fn measure(
        &self,
        start: &Linear,
        test: Samples<'_>,
        loss: f32,
    ) -> Result<Option<(usize, Vec<f32>)>, TrainingProblem> {
        let (mut least, mut best) = (loss, None);
        self.run(start, STAGES[STAGES.len() - 1], |steps, head| {
            if !STAGES.contains(&steps) {
                return Ok(true);
            }
            let answers = head.answers(test)?;
            if !answers.iter().all(|answer| answer.is_finite()) {
                return Ok(false);
            }
            let (_, loss) = HeldOut::new(&answers, test, head.bias.len())?.temperature();
            let is_better = loss < least;
            if is_better {
                (least, best) = (loss, Some((steps, answers)));
            }
            Ok(is_better)
        })?;
        Ok(best)
    }

    /// The head after so many steps.
    pub(super) fn head(&self, start: &Linear, steps: usize) -> Result<Linear, TrainingProblem> {
        self.run(start, steps, |_, _| Ok(true))
    }

    /// Goes so many steps, unless `go_on` ends it: it sees their number and the head after each.
    fn run(
        &self,
        start: &Linear,
        steps: usize,
        mut go_on: impl FnMut(usize, &Linear) -> Result<bool, TrainingProblem>,
    ) -> Result<Linear, TrainingProblem> {
        let (features, classes) = (self.mean.len(), start.bias.len());
        let mut head = start.clone();
        // With the biases at the mean, where they do not depend on the weights.
        let mut bias: Vec<f32> = (0..classes).map(|class| self.at_mean(&head, class)).collect();
        let mut velocity = filled(0.0_f32, classes * features)?;
        let mut bias_velocity = vec![0.0_f32; classes];
        let mut ahead = head.clone();
        for step in 0..steps {
            let keep = step as f32 / (step as f32 + 3.0);
            let both = ahead.weights.iter_mut().zip(&head.weights).zip(&velocity);
            both.for_each(|((ahead, weight), velocity)| *ahead = weight + keep * velocity);
            for class in 0..classes {
                let own = bias[class] + keep * bias_velocity[class];
                ahead.bias[class] = self.off_mean(&ahead, class, own);
            }
            let (gradient, of_bias) = self.gradient(&ahead)?;
            for class in 0..classes {
                let range = class * features..(class + 1) * features;
                let turned = self.turned(&gradient[range.clone()], of_bias[class]);
                let own = velocity[range.clone()].iter_mut().zip(&mut head.weights[range]);
                for ((velocity, weight), turned) in own.zip(turned) {
                    *velocity = keep * *velocity - turned;
                    *weight += *velocity;
                }
                bias_velocity[class] = keep * bias_velocity[class] - of_bias[class];
                bias[class] += bias_velocity[class];
                head.bias[class] = self.off_mean(&head, class, bias[class]);
            }
            if !go_on(step + 1, &head)? {
                break;
            }
        }
        Ok(head)
    }

    /// The gradient of the loss for the weights, and for the biases. Sums are over the samples in their order.
    fn gradient(&self, head: &Linear) -> Result<(Vec<f32>, Vec<f32>), TrainingProblem> {
        let (features, classes) = (self.mean.len(), head.bias.len());
        let mut gradient = filled(0.0_f32, classes * features)?;
        let mut of_bias = vec![0.0_f32; classes];
        for samples in self.rows {
            let mut all = head.answers(*samples)?;
            for (errors, (row, label)) in all.chunks_exact_mut(classes).zip(samples.iter()) {
                softmax(errors, 1.0);
                errors[usize::from(label)] -= 1.0;
                let weight = self.weights[usize::from(label)];
                let lines = gradient.chunks_exact_mut(features).zip(&mut of_bias);
                for (error, (line, of_bias)) in errors.iter().zip(lines) {
                    let error = weight * error;
                    *of_bias += error;
                    line.iter_mut().zip(row).for_each(|(sum, &q)| *sum += error * f32::from(q));
                }
            }
        }
        Ok((gradient, of_bias))
    }

    /// A class's gradient, around the mean, times the inverse of the covariance.
    fn turned(&self, gradient: &[f32], of_bias: f32) -> Vec<f32> {
        let features = self.mean.len();
        let around = gradient.iter().zip(&self.mean);
        let mut x: Vec<f64> =
            around.map(|(sum, mean)| f64::from(*sum) - f64::from(of_bias) * mean).collect();
        for row in 0..features {
            let line = &self.factor[row * features..][..=row];
            let known = line[..row].iter().zip(&x).map(|(l, x)| l * x).sum::<f64>();
            x[row] = (x[row] - known) / line[row];
        }
        for row in (0..features).rev() {
            let line = &self.factor[row * features..][..=row];
            x[row] /= line[row];
            let found = x[row];
            x[..row].iter_mut().zip(line).for_each(|(x, l)| *x -= l * found);
        }
        x.into_iter().map(|x| x as f32).collect()
    }

    fn along_mean(&self, head: &Linear, class: usize) -> f64 {
        let weights = &head.weights[class * self.mean.len()..][..self.mean.len()];
        weights.iter().zip(&self.mean).map(|(weight, mean)| f64::from(*weight) * mean).sum()
    }

    fn at_mean(&self, head: &Linear, class: usize) -> f32 {
        (f64::from(head.bias[class]) + self.along_mean(head, class)) as f32
    }

    fn off_mean(&self, head: &Linear, class: usize, bias: f32) -> f32 {
        (f64::from(bias) - self.along_mean(head, class)) as f32
    }
}

/// Replaces a symmetric matrix by its Cholesky factor, in the lower triangle; whether it has one.
fn factorise(matrix: &mut [f64], size: usize) -> bool {
    for row in 0..size {
        let (done, rest) = matrix.split_at_mut(row * size);
        let line = &mut rest[..=row];
        for column in 0..row {
            let above = &done[column * size..][..=column];
            let known = line[..column].iter().zip(above).map(|(a, b)| a * b).sum::<f64>();
            line[column] = (line[column] - known) / above[column];
        }
        let left = line[row] - line[..row].iter().map(|x| x * x).sum::<f64>();
        if !(left > 0.0 && left.is_finite()) {
            return false;
        }
        line[row] = left.sqrt();
    }
    true
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use headstart::head::Random;

    use super::*;
    use crate::Head;
    use crate::state::FeatureCache;
    use crate::training::{Choice, train};

    /// Three classes of 300 samples: two narrow ones, and a wide one around them; so many of ten labels are wrong.
    fn clouds(seed: u64, wrong: u32) -> FeatureCache {
        let mut random = Random::new(seed);
        let mut cache = FeatureCache::new(12);
        for sample in 0..900_u16 {
            let class = usize::from(sample) % 3;
            let width = [10, 10, 90][class];
            let row: Vec<i8> = (0..12)
                .map(|at| {
                    let mean = if at % 3 == class { 22 } else { 0 };
                    (mean + random.below(2 * width + 1) as i32 - width as i32) as i8
                })
                .collect();
            let shown = if random.below(10) < wrong { random.below(3) as usize } else { class };
            let label = cache.class(["cup", "jar", "mug"][shown]).unwrap();
            let mut id = [0; 16];
            id[..2].copy_from_slice(&sample.to_le_bytes());
            cache.insert(id, label, &row);
        }
        cache.sort();
        cache
    }

    fn right(head: impl Fn(&[i8]) -> usize, names: &[String], test: &FeatureCache) -> usize {
        let rows = test.features().chunks_exact(12).zip(test.labels());
        rows.filter(|(row, label)| names[head(row)] == test.classes()[usize::from(**label)]).count()
    }

    #[test]
    fn steps_help_where_classes_have_other_shapes_and_are_measured() {
        let (cache, test) = (clouds(1, 0), clouds(2, 0));
        let record = train(&cache, None, Choice::auto(), [7; 32]).unwrap();
        let head = Head::parse(Path::new("head"), &record, &[7; 32]).unwrap();
        let found = right(|row| head.answer(row).unwrap().class, head.labels(), &test);
        let record = train(&cache, None, Choice::Lda, [7; 32]).unwrap();
        let lda = Head::parse(Path::new("head"), &record, &[7; 32]).unwrap();
        let by_lda = right(|row| lda.answer(row).unwrap().class, lda.labels(), &test);
        let (held_right, held) = head.held_out().unwrap();
        assert!(found > by_lda + 9, "{found} {by_lda}");
        let (part, of_held) = (found as f64 / 900.0, f64::from(held_right) / f64::from(held));
        assert!((part - of_held).abs() < 0.06, "{part} {of_held}");
    }

    #[test]
    fn a_factor_and_its_solution_are_those_of_the_matrix() {
        let matrix = [4.0, 2.0, 0.4, 2.0, 3.0, 0.5, 0.4, 0.5, 2.0];
        let mut factor = matrix;
        assert!(factorise(&mut factor, 3));
        let slope = Slope {
            rows: &[],
            weights: vec![],
            mean: vec![1.0, 0.0, 0.0],
            factor: factor.to_vec(),
        };
        let x = slope.turned(&[3.0, 2.0, -1.0], 2.0);
        for (row, expected) in matrix.chunks_exact(3).zip([1.0, 2.0, -1.0]) {
            let found: f64 = row.iter().zip(&x).map(|(a, x)| a * f64::from(*x)).sum();
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
        assert!(!factorise(&mut [1.0, 2.0, 2.0, 1.0], 2));
    }

    #[test]
    fn counts_alone_say_where_it_is_done() {
        assert!(is_worth(2700, 384, 10) && is_worth(1400, 576, 10));
        assert!(!is_worth(1400, 1280, 10) && !is_worth(50_000, 384, 10));
        assert!(!is_worth(2000, 384, 1000));
    }
}
