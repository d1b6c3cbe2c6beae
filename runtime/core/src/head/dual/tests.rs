//! Both learners against those from exact sums.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::head::exact;
use crate::head::testing::Blobs;

type Dual = fn(Samples<'_>, &[i32], f64, &mut [f64], &mut [f64], &mut [f64]) -> Result<(), Error>;
type Exact =
    fn(&exact::Statistics<'_>, f64, &mut [f32], &mut [f32], &mut [f64]) -> Result<(), Error>;

/// Every other sample in another order, and a class without samples.
fn heads_agree(dual: Dual, exact: Exact, per_class: usize, features: usize, setting: f64) {
    let blobs = Blobs::new(3, per_class, features, 2.0, 4);
    let mut indices: Vec<u32> = (0..3 * per_class as u32).rev().step_by(2).collect();
    indices.rotate_left(1);
    let samples = blobs.samples().select(&indices).unwrap();
    let (count, classes) = (samples.len(), 4);
    let mut all = vec![0; products_len(blobs.samples().len()).unwrap()];
    products(blobs.samples(), &mut all).unwrap();
    let (mut combination, mut bias) = (vec![f64::NAN; classes * count], vec![0.0; classes]);
    let mut scratch = vec![f64::NAN; scratch_len(count, classes).unwrap()];
    dual(samples, &all, setting, &mut combination, &mut bias, &mut scratch).unwrap();
    let mut found = vec![0.0; classes * features];
    weights(samples, &combination, &mut found, &mut vec![0.0; features]).unwrap();

    let (mut counts, mut sums) = (vec![0; classes], vec![0; classes * features]);
    let mut squares = vec![0; exact::products_len(features).unwrap()];
    let mut statistics =
        exact::Statistics::new(&mut counts, &mut sums, &mut squares, features).unwrap();
    samples.iter().for_each(|(row, class)| statistics.add(row, class).unwrap());
    let (mut expected, mut expected_bias) = (vec![0.0; classes * features], vec![0.0; classes]);
    let mut scratch = vec![0.0; exact::scratch_len(features, classes).unwrap()];
    exact(&statistics, setting, &mut expected, &mut expected_bias, &mut scratch).unwrap();
    let largest = expected.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
    assert!(largest > 0.0);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= 1e-5 * largest, "{found} {expected}");
    }
    for (found, expected) in bias.iter().zip(&expected_bias) {
        let error = (*found as f32 - expected).abs();
        assert!(error <= 1e-5 * expected.abs().max(1.0), "{found} {expected}");
    }
}

#[test]
fn discriminants_are_those_of_exact_sums() {
    for (per_class, features, shrinkage) in [(6, 40, 0.1), (12, 9, 0.3), (1, 30, 0.5), (5, 40, 1.0)]
    {
        heads_agree(lda, exact::lda, per_class, features, shrinkage);
    }
}

#[test]
fn least_squares_are_those_of_exact_sums() {
    for (per_class, features, penalty) in [(6, 40, 0.1), (12, 9, 0.3), (2, 30, 5.0), (5, 40, 100.0)]
    {
        heads_agree(ridge, exact::ridge, per_class, features, penalty);
    }
}

#[test]
fn samples_that_are_all_the_same_need_no_weights() {
    let samples = Samples::new(&[5; 12], &[0, 1, 1], 4).unwrap();
    let mut all = [0; 6];
    products(samples, &mut all).unwrap();
    let (mut out, mut bias) = ([f64::NAN; 6], [f64::NAN; 2]);
    let mut scratch = vec![0.0; scratch_len(3, 2).unwrap()];
    ridge(samples, &all, 0.1, &mut out, &mut bias, &mut scratch).unwrap();
    let mut found = [f32::NAN; 8];
    weights(samples, &out, &mut found, &mut [0.0; 4]).unwrap();
    assert!(found.iter().all(|weight| weight.abs() < 1e-6), "{found:?}");
    assert!((bias[0] - 1.0 / 3.0).abs() < 1e-6 && (bias[1] - 2.0 / 3.0).abs() < 1e-6, "{bias:?}");
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
    let three = Blobs::new(4, 1, 5, 2.0, 4);
    for (learner, wrong) in
        [(lda as Dual, &[0.0, -1.0, 1.5, f64::NAN][..]), (ridge, &[-1.0, f64::INFINITY, f64::NAN])]
    {
        let mut run = |samples, products: &[i32], setting| {
            learner(samples, products, setting, &mut out, &mut bias, &mut scratch)
        };
        assert_eq!(run(samples, &all, 0.5), Ok(()));
        for &wrong in wrong {
            assert_eq!(run(samples, &all, wrong), Err(Error::NotFinite));
        }
        let short = Error::BufferLength { expected: 10, found: 9 };
        assert_eq!(run(samples, &all[1..], 0.5), Err(short));
        let range = Error::ClassOutOfRange { class: 2, classes: 2 };
        assert_eq!(run(three.samples(), &all, 0.5), Err(range));
    }
    assert!(weights(samples, &out, &mut [0.0; 9], &mut [0.0; 5]).is_err());
}
