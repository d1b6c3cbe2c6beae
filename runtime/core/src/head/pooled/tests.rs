use std::vec;
use std::vec::Vec;

use super::*;
use crate::Error;
use crate::head::testing::{Blobs, accuracy};
use crate::head::{LinearHead, Samples, discriminants};

/// Sums in memory of their own.
struct Own {
    features: usize,
    weights: Vec<u8>,
    counts: Vec<u32>,
    totals: Vec<i64>,
    squares: Vec<WholeSquare>,
    pairs: Vec<Pairs>,
}

impl Own {
    fn new(features: usize, weights: Vec<u8>) -> Self {
        let classes = weights.len();
        Self {
            features,
            weights,
            counts: vec![0; classes],
            totals: vec![0; classes * features],
            squares: vec![[[0.0; SIDE]; SIDE]; squares_len(features).unwrap()],
            pairs: vec![[[99; 2]; SIDE]; pairs_len(features).unwrap()],
        }
    }

    fn sums(&mut self) -> (Sums<'_>, &mut [Pairs]) {
        let Self { features, weights, counts, totals, squares, pairs } = self;
        (Sums::new(*features, weights, counts, totals, squares).unwrap(), pairs)
    }

    fn head(&mut self, penalty: f32) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let (features, classes) = (self.features, self.weights.len());
        let length = System::squares_len(features, classes).unwrap();
        let mut squares = vec![[[f32::NAN; SIDE]; SIDE]; length];
        let (mut work, mut numbers) = (squares.clone(), vec![f64::NAN; 4 * features]);
        let mut panel = vec![[f32::NAN; SIDE]; panel_len(features).unwrap()];
        let (sums, _) = self.sums();
        let system = System::new(&sums, &mut squares, &mut numbers, &mut panel)?;
        let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
        system.solve(penalty, &mut work, &mut weights, &mut bias)?;
        Ok((weights, bias))
    }
}

fn of(samples: Samples<'_>, classes: usize) -> Own {
    let (mut counts, mut weights) = (vec![0; classes], vec![0; classes]);
    samples.count(&mut counts).unwrap();
    class_weights(&counts, &mut weights);
    let mut own = Own::new(samples.feature_len(), weights);
    let (mut sums, panel) = own.sums();
    sums.add(samples, 1, panel).unwrap();
    own
}

#[test]
fn weights_bring_classes_near_to_the_largest() {
    let mut weights = [0; 7];
    class_weights(&[100, 99, 60, 40, 7, 6, 0], &mut weights);
    assert_eq!(weights, [1, 1, 2, 3, 14, 16, 1]);
    class_weights(&[0; 7], &mut weights);
    assert_eq!(weights, [1; 7]);
}

#[test]
fn sums_have_no_order_and_what_is_taken_off_leaves_no_trace() {
    let blobs = Blobs::new(5, 130, 70, 1.0, 3);
    let samples = blobs.samples();
    let backwards: Vec<u32> = (0..650).rev().collect();
    let weights = vec![1, 2, 3, 16, 1];
    let same = |a: &Own, b: &Own| {
        assert_eq!((&a.counts, &a.totals, &a.squares), (&b.counts, &b.totals, &b.squares));
    };
    let mut forwards = Own::new(70, weights.clone());
    let (mut sums, panel) = forwards.sums();
    sums.add(samples, 1, panel).unwrap();
    let mut other = Own::new(70, weights.clone());
    let (mut sums, panel) = other.sums();
    sums.add(samples.select(&backwards).unwrap(), 1, panel).unwrap();
    same(&forwards, &other);
    // By definition, in integers.
    let mut expected = 0_i64;
    for (row, class) in samples.iter() {
        expected += i64::from(weights[usize::from(class)]) * i64::from(row[3]) * i64::from(row[69]);
    }
    assert_eq!(forwards.squares[1][3][5], expected as f64);
    let (part, rest) = backwards.split_at(200);
    let (mut sums, panel) = other.sums();
    sums.take(samples.select(part).unwrap(), 1, panel).unwrap();
    let mut some = Own::new(70, weights);
    let (mut sums, panel) = some.sums();
    sums.add(samples.select(rest).unwrap(), 1, panel).unwrap();
    same(&other, &some);
}

#[test]
fn a_sample_that_counts_as_several_is_so_many_samples() {
    let blobs = Blobs::new(3, 20, 70, 1.0, 3);
    let samples = blobs.samples();
    let (some, rest): (Vec<u32>, Vec<u32>) = (0..60).partition(|at| at % 4 == 1);
    let mut often = rest.clone();
    (0..7).for_each(|_| often.extend(&some));
    let mut repeated = Own::new(70, vec![2, 1, 5]);
    let (mut sums, panel) = repeated.sums();
    sums.add(samples.select(&often).unwrap(), 1, panel).unwrap();
    let mut counted = Own::new(70, vec![2, 1, 5]);
    let (mut sums, panel) = counted.sums();
    sums.add(samples, 1, panel).unwrap();
    sums.add(samples.select(&some).unwrap(), 6, panel).unwrap();
    let same = |a: &Own, b: &Own| {
        assert_eq!((&a.counts, &a.totals, &a.squares), (&b.counts, &b.totals, &b.squares));
    };
    same(&repeated, &counted);
    let (mut sums, panel) = counted.sums();
    sums.take(samples.select(&some).unwrap(), 7, panel).unwrap();
    let mut without = Own::new(70, vec![2, 1, 5]);
    let (mut sums, panel) = without.sums();
    sums.add(samples.select(&rest).unwrap(), 1, panel).unwrap();
    same(&counted, &without);
    for times in [0, MAX_TIMES + 1] {
        let (mut sums, panel) = counted.sums();
        assert_eq!(sums.add(samples, times, panel), Err(Error::ShapeOverflow));
    }
}

#[test]
fn the_head_is_that_of_the_discriminants() {
    for (classes, per_class, features) in [(4, 60, 20), (5, 40, 64), (3, 50, 130), (70, 4, 65)] {
        let blobs = Blobs::new(classes, per_class, features, 1.0, 9);
        let samples = blobs.samples();
        let (mut weights, mut bias) = blobs.head();
        let needed = discriminants::scratch_len(samples.len(), features, classes).unwrap();
        let mut scratch = vec![0.0; needed];
        discriminants::train(samples, 1e-3, &mut weights, &mut bias, &mut scratch).unwrap();
        let expected = LinearHead::new(&weights, &bias, features).unwrap();
        let (own_weights, own_bias) = of(samples, classes).head(1e-3).unwrap();
        let found = LinearHead::new(&own_weights, &own_bias, features).unwrap();
        // The same logits, but for a factor and what all classes have in common.
        let differences = |head: LinearHead<'_>| -> Vec<f32> {
            let mut logits = vec![0.0; classes];
            let all = samples.iter().flat_map(|(row, _)| {
                head.logits(row, &mut logits).unwrap();
                logits.iter().map(|logit| logit - logits[0]).collect::<Vec<_>>()
            });
            all.collect()
        };
        let (expected, found) = (differences(expected), differences(found));
        let largest = |of: &[f32]| of.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let (longest, factor) = (largest(&expected), largest(&expected) / largest(&found));
        for (found, expected) in found.iter().zip(&expected) {
            let error = (found * factor - expected).abs() / longest;
            assert!(error < 5e-3, "{features}: {} {expected}", found * factor);
        }
    }
}

#[test]
fn separable_classes_are_told_apart_and_absent_ones_are_never_answered() {
    let blobs = Blobs::new(6, 30, 100, 2.0, 4);
    let few: Vec<u32> = (0..180).filter(|at| !(30..60).contains(at) && at % 5 != 1).collect();
    let samples = blobs.samples().select(&few).unwrap();
    let (weights, bias) = of(samples, 6).head(5e-4).unwrap();
    let head = LinearHead::new(&weights, &bias, 100).unwrap();
    assert!(accuracy(head, samples) > 0.98);
    assert_eq!((bias[1], &weights[100..103]), (f32::MIN, &[0.0; 3][..]));
    let mut found = vec![0.0; samples.len() * 6];
    let mut panel = vec![[f32::NAN; SIDE]; panel_len(100).unwrap()];
    logits(head, samples, &mut found, &mut panel).unwrap();
    let mut expected = vec![0.0; 6];
    for (found, (row, _)) in found.chunks_exact(6).zip(samples.iter()) {
        head.logits(row, &mut expected).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-4 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn samples_that_are_all_the_same_and_no_samples_have_an_end() {
    let samples = Samples::new(&[7; 40], &[0, 0, 1, 1], 10).unwrap();
    let (weights, bias) = of(samples, 2).head(1e-3).unwrap();
    assert!(weights.iter().chain(&bias).all(|number| number.is_finite()));
    assert_eq!(Own::new(10, vec![1, 1]).head(1e-3).unwrap_err(), Error::NoSamples);
    let blobs = Blobs::new(3, 4, 40, 1.0, 4);
    let refused = of(blobs.samples(), 3).head(0.0).unwrap_err();
    assert!(matches!(refused, Error::NotPositiveDefinite { .. }), "{refused:?}");
}

#[test]
fn shapes_and_labels_are_checked() {
    let samples = Samples::new(&[1, 2, 3, 4], &[0, 2], 2).unwrap();
    let mut own = Own::new(2, vec![1, 1]);
    let (mut sums, panel) = own.sums();
    let refused = sums.add(samples, 1, panel).unwrap_err();
    assert_eq!(refused, Error::ClassOutOfRange { class: 2, classes: 2 });
    assert!(sums.add(samples, 1, &mut panel[1..]).is_err());
    assert_eq!(own.counts, [0, 0]);
    assert!(Sums::new(2, &[1], &mut [0; 2], &mut [0; 4], &mut []).is_err());
}
