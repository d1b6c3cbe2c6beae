//! Histories of learning and forgetting against what is left in the end.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::head::testing::{Blobs, accuracy};
use crate::head::{LinearHead, Random};

/// Statistics with their own memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    counts: Vec<u32>,
    sums: Vec<i32>,
    products: Vec<i32>,
    features: usize,
}

impl Owned {
    fn new(features: usize, classes: usize) -> Self {
        let products = vec![0; products_len(features).unwrap()];
        Self { counts: vec![0; classes], sums: vec![0; classes * features], products, features }
    }

    fn of(samples: &[Sample], features: usize, classes: usize) -> Self {
        let mut owned = Self::new(features, classes);
        let mut view = owned.view();
        samples.iter().for_each(|(row, class)| view.add(row, *class).unwrap());
        owned
    }

    fn view(&mut self) -> Statistics<'_> {
        Statistics::new(&mut self.counts, &mut self.sums, &mut self.products, self.features)
            .unwrap()
    }

    /// The bits of both heads.
    fn heads(&mut self) -> Vec<u32> {
        let (features, classes) = (self.features, self.counts.len());
        let mut scratch = vec![f64::NAN; scratch_len(features, classes).unwrap()];
        let (mut weights, mut bias) = (vec![f32::NAN; classes * features], vec![f32::NAN; classes]);
        let mut bits = Vec::new();
        let view = self.view();
        for learner in [ridge, lda] {
            learner(&view, 0.1, &mut weights, &mut bias, &mut scratch).unwrap();
            bits.extend(weights.iter().chain(&bias).map(|number| number.to_bits()));
        }
        bits
    }
}

type Sample = (Vec<i8>, u16);

fn sample(random: &mut Random, features: usize, classes: usize) -> Sample {
    // Extremes are as likely as anything else.
    let value = |random: &mut Random| match random.below(4) {
        0 => -128,
        1 => 127,
        _ => random.next_u32() as i8,
    };
    let row = (0..features).map(|_| value(random)).collect();
    (row, random.below(classes as u32) as u16)
}

#[test]
fn any_history_leaves_what_its_samples_leave() {
    for seed in 0..1000 {
        let mut random = Random::new(seed);
        let (features, classes) = (1 + random.below(9) as usize, 1 + random.below(4) as usize);
        let mut owned = Owned::new(features, classes);
        let mut there: Vec<Sample> = Vec::new();
        let mut other = Owned::new(features, classes);
        let mut view = owned.view();
        for _ in 0..random.below(40) + 5 {
            match random.below(9) {
                0..=3 => {
                    let (row, class) = sample(&mut random, features, classes);
                    view.add(&row, class).unwrap();
                    there.push((row, class));
                }
                4 | 5 if !there.is_empty() => {
                    let at = random.below(there.len() as u32) as usize;
                    let (row, class) = there.swap_remove(at);
                    view.remove(&row, class).unwrap();
                }
                // A class is forgotten.
                6 => {
                    let class = random.below(classes as u32) as u16;
                    for (row, _) in there.iter().filter(|(_, c)| *c == class) {
                        view.remove(row, class).unwrap();
                    }
                    there.retain(|(_, c)| *c != class);
                }
                // Another device's samples join, perhaps under other class numbers.
                7 => {
                    let theirs: Vec<Sample> =
                        (0..4).map(|_| sample(&mut random, features, classes)).collect();
                    other = Owned::of(&theirs, features, classes);
                    let shift = random.below(classes as u32) as u16;
                    let map: Vec<u16> =
                        (0..classes as u16).map(|c| (c + shift) % classes as u16).collect();
                    view.merge(&other.view(), &map).unwrap();
                    there.extend(theirs.into_iter().map(|(row, c)| (row, map[usize::from(c)])));
                }
                // Two classes become one.
                _ => {
                    let (from, to) = (random.below(classes as u32), random.below(classes as u32));
                    view.join(from as u16, to as u16).unwrap();
                    for (_, class) in &mut there {
                        if *class == from as u16 {
                            *class = to as u16;
                        }
                    }
                }
            }
        }
        random.shuffle(&mut there);
        let mut expected = Owned::of(&there, features, classes);
        assert_eq!(owned, expected, "seed {seed}");
        if !there.is_empty() {
            assert_eq!(owned.heads(), expected.heads(), "seed {seed}");
        }
        assert!(other.features == features);
    }
}

#[test]
fn sums_are_right_at_the_bound_and_not_past_it() {
    let mut owned = Owned::new(2, 1);
    let mut view = owned.view();
    for _ in 0..MAX_SAMPLES {
        view.add(&[-128, 127], 0).unwrap();
    }
    let full = Error::TooManySamples { limit: MAX_SAMPLES };
    assert_eq!(view.add(&[0, 0], 0), Err(full));
    let mut one = Owned::of(&[(vec![1, 1], 0)], 2, 1);
    assert_eq!(view.merge(&one.view(), &[0]), Err(full));
    let samples = MAX_SAMPLES as i32;
    assert_eq!(owned.products, [samples * 16_384, -samples * 16_256, samples * 16_129]);
    assert_eq!(owned.sums, [-128 * samples, 127 * samples]);
    owned.counts[0] += 1;
    let again = Statistics::new(&mut owned.counts, &mut owned.sums, &mut owned.products, 2);
    assert_eq!(again.unwrap_err(), full);
}

#[test]
fn what_no_samples_can_have_left_is_refused() {
    let good = Owned::of(&[(vec![5, -7], 0), (vec![100, 3], 1)], 2, 2);
    let refused = |mut bad: Owned| {
        Statistics::new(&mut bad.counts, &mut bad.sums, &mut bad.products, 2).err()
    };
    assert_eq!(refused(good.clone()), None);
    for (feature, (index, value)) in [(0, (0, 129)), (1, (3, -129)), (0, (0, -130))] {
        let mut bad = good.clone();
        bad.sums[index] = value;
        assert_eq!(refused(bad), Some(Error::FieldInvalid { offset: feature }));
    }
    for (feature, (index, value)) in [(0, (0, -1)), (1, (1, 32_769)), (1, (2, 1)), (0, (0, 5))] {
        let mut bad = good.clone();
        bad.products[index] = value;
        assert_eq!(refused(bad), Some(Error::FieldInvalid { offset: feature }), "{index}");
    }
    let mut short = good.clone();
    short.products.pop();
    assert_eq!(refused(short), Some(Error::BufferLength { expected: 3, found: 2 }));
}

#[test]
fn a_sample_that_was_never_learned_is_not_forgotten() {
    let mut owned = Owned::of(&[(vec![5, -7], 0), (vec![100, 3], 1)], 2, 3);
    let before = owned.clone();
    let mut view = owned.view();
    // No sample of that class; a sum that one sample cannot leave; the last one, but another.
    assert_eq!(view.remove(&[5, -7], 2), Err(Error::NotLearned));
    assert_eq!(view.remove(&[6, -7], 0), Err(Error::NotLearned));
    let class = Error::ClassOutOfRange { class: 3, classes: 3 };
    assert_eq!(view.remove(&[5, -7], 3), Err(class));
    assert_eq!(view.add(&[5, -7], 3), Err(class));
    assert!(view.add(&[5], 0).is_err() && view.merge(&before.clone().view(), &[0, 1, 3]).is_err());
    assert_eq!(owned, before);
    let mut view = owned.view();
    view.remove(&[100, 3], 1).unwrap();
    view.remove(&[5, -7], 0).unwrap();
    assert_eq!(owned, Owned::new(2, 3));
}

#[test]
fn products_that_no_samples_have_wrap_when_they_are_merged() {
    let mut owned = [Owned::new(1, 1), Owned::new(1, 1)];
    let [mut one, mut other] = owned.each_mut().map(Owned::view);
    for view in [&mut one, &mut other] {
        (0..MAX_SAMPLES / 2).for_each(|_| view.add(&[0], 0).unwrap());
        for _ in 0..MAX_SAMPLES / 2 {
            // Never learned: sums stay possible, and squares fall below zero.
            for row in [[127], [-127]] {
                view.add(&[0], 0).unwrap();
                view.remove(&row, 0).unwrap();
            }
        }
    }
    let square = one.products(0)[0];
    assert!(square < -(1 << 30));
    one.merge(&other, &[0]).unwrap();
    assert_eq!(one.products(0), [square.wrapping_mul(2)]);
}

/// A system that is written out densely and solved by elimination.
fn eliminate(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for pivot in 0..n {
        let best = (pivot..n).max_by(|i, j| a[*i][pivot].abs().total_cmp(&a[*j][pivot].abs()));
        a.swap(pivot, best.unwrap());
        b.swap(pivot, best.unwrap());
        for row in pivot + 1..n {
            let factor = a[row][pivot] / a[pivot][pivot];
            let above = a[pivot].clone();
            a[row].iter_mut().zip(above).for_each(|(entry, above)| *entry -= factor * above);
            b[row] -= factor * b[pivot];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| a[row][column] * b[column]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    b
}

#[test]
fn both_heads_are_those_of_their_definitions() {
    let blobs = Blobs::new(3, 12, 7, 2.0, 4);
    let samples: Vec<(Vec<f64>, usize)> = blobs
        .samples()
        .iter()
        .map(|(row, c)| (row.iter().map(|&q| f64::from(q)).collect(), usize::from(c)))
        .collect();
    let (n, f) = (samples.len() as f64, 7);
    let mean_of = |class: Option<usize>| -> Vec<f64> {
        let of = samples.iter().filter(|(_, c)| class.is_none_or(|class| class == *c));
        let rows: Vec<&Vec<f64>> = of.map(|(row, _)| row).collect();
        (0..f).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64).collect()
    };
    let (mean, means) = (mean_of(None), [0, 1, 2].map(|class| mean_of(Some(class))));
    let scatter = |centre: &dyn Fn(usize) -> Vec<f64>| -> Vec<Vec<f64>> {
        let mut matrix = vec![vec![0.0; f]; f];
        for (row, class) in &samples {
            let centre = centre(*class);
            for i in 0..f {
                for j in 0..f {
                    matrix[i][j] += (row[i] - centre[i]) * (row[j] - centre[j]);
                }
            }
        }
        matrix
    };
    let mut owned = Owned::new(f, 4);
    let mut view = owned.view();
    blobs.samples().iter().for_each(|(row, class)| view.add(row, class).unwrap());
    let mut scratch = vec![0.0; scratch_len(f, 4).unwrap()];
    let (mut weights, mut bias) = (vec![0.0; 4 * f], vec![0.0; 4]);
    let close = |found: &[f32], expected: &[f64]| {
        for (found, expected) in found.iter().zip(expected) {
            let error = (f64::from(*found) - expected).abs();
            assert!(error <= 1e-6 * expected.abs().max(1e-3), "{found} {expected}");
        }
    };

    ridge(&view, 0.01, &mut weights, &mut bias, &mut scratch).unwrap();
    let mut total = scatter(&|_| mean.clone());
    let alpha = 0.01 * (0..f).map(|i| total[i][i]).sum::<f64>() / f as f64;
    (0..f).for_each(|i| total[i][i] += alpha);
    for class in 0..3 {
        let target = |i: usize| -> f64 {
            let hit = |c: &usize| if *c == class { 1.0 } else { 0.0 };
            samples.iter().map(|(row, c)| (row[i] - mean[i]) * hit(c)).sum()
        };
        let expected = eliminate(total.clone(), (0..f).map(target).collect());
        close(&weights[class * f..][..f], &expected);
        let at_mean: f64 = expected.iter().zip(&mean).map(|(w, m)| w * m).sum();
        close(&bias[class..=class], &[1.0 / 3.0 - at_mean]);
    }
    assert_eq!((&weights[3 * f..], bias[3]), (&[0.0; 7][..], 0.0));

    lda(&view, 0.2, &mut weights, &mut bias, &mut scratch).unwrap();
    let mut within = scatter(&|class| means[class].clone());
    let trace = (0..f).map(|i| within[i][i]).sum::<f64>() / n;
    for (i, row) in within.iter_mut().enumerate() {
        row.iter_mut().for_each(|entry| *entry *= 0.8 / n);
        row[i] += 0.2 * trace / f as f64;
    }
    for class in 0..3 {
        let expected = eliminate(within.clone(), means[class].clone());
        close(&weights[class * f..][..f], &expected);
        let square: f64 = expected.iter().zip(&means[class]).map(|(w, m)| w * m).sum();
        close(&bias[class..=class], &[(1.0_f64 / 3.0).ln() - square / 2.0]);
    }
    assert_eq!((&weights[3 * f..], bias[3]), (&[0.0; 7][..], f32::MIN));
    let head = LinearHead::new(&weights[..3 * f], &bias[..3], f).unwrap();
    assert!(accuracy(head, blobs.samples()) > 0.95);
}

#[test]
fn little_and_singular_input_is_solved_or_refused() {
    let mut owned = Owned::new(3, 2);
    let (mut weights, mut bias) = (vec![0.0; 6], vec![0.0; 2]);
    let mut scratch = vec![0.0; scratch_len(3, 2).unwrap()];
    let mut view = owned.view();
    for learner in [ridge, lda] {
        let refused = learner(&view, 0.1, &mut weights, &mut bias, &mut scratch);
        assert_eq!(refused, Err(Error::NoSamples));
    }
    // One sample a class, then one sample twice.
    view.add(&[10, -20, 30], 0).unwrap();
    for row in [[10, -20, 30], [-10, 20, 30]] {
        view.add(&row, 1).unwrap();
        for learner in [ridge, lda] {
            learner(&view, 0.1, &mut weights, &mut bias, &mut scratch).unwrap();
            assert!(LinearHead::new(&weights, &bias, 3).unwrap().is_finite());
        }
    }
    for learner in [ridge, lda] {
        let singular = learner(&view, 0.0, &mut weights, &mut bias, &mut scratch);
        assert!(matches!(singular, Err(Error::NotPositiveDefinite { .. } | Error::Inaccurate)));
        let wrong = learner(&view, -1.0, &mut weights, &mut bias, &mut scratch);
        assert_eq!(wrong, Err(Error::NotFinite));
        assert!(learner(&view, 0.1, &mut weights, &mut bias, &mut scratch[1..]).is_err());
        assert!(learner(&view, 0.1, &mut weights[1..], &mut bias, &mut scratch).is_err());
    }
    lda(&view, 1.0, &mut weights, &mut bias, &mut scratch).unwrap();
    assert!(LinearHead::new(&weights, &bias, 3).unwrap().is_finite());
}

#[test]
fn a_solution_that_rounding_has_spoilt_is_inaccurate() {
    // Within the classes only one direction varies, and the means lie outside of it: what is solved for grows
    // as the shrinkage falls, until the residual shows it and before a pivot does.
    let samples = [([10, -20, 30], 0), ([10, -20, 30], 1), ([-10, 20, 35], 1)];
    let samples: Vec<Sample> = samples.map(|(row, class)| (row.to_vec(), class)).into();
    let mut owned = Owned::of(&samples, 3, 2);
    let (mut weights, mut bias) = (vec![0.0; 6], vec![0.0; 2]);
    let mut scratch = vec![0.0; scratch_len(3, 2).unwrap()];
    let view = owned.view();
    let mut solve = |shrinkage| lda(&view, shrinkage, &mut weights, &mut bias, &mut scratch);
    assert_eq!(solve(1e-6), Ok(()));
    assert_eq!(solve(1e-13), Err(Error::Inaccurate));
    assert!(matches!(solve(0.0), Err(Error::NotPositiveDefinite { .. })));
}
