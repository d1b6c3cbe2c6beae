//! Exact heads are scikit-learn's: `exact/golden.py` says how its numbers were made.

use headstart::head::Random;
use headstart::head::exact::{Statistics, lda, products_len, ridge, scratch_len};

const CLASSES: usize = 3;
const FEATURES: usize = 13;

#[test]
fn ridge_and_lda_have_the_coefficients_of_scikit_learn() {
    let mut products = vec![0; products_len(FEATURES).unwrap()];
    let (mut counts, mut sums) = ([0; CLASSES], [0; CLASSES * FEATURES]);
    let mut statistics = Statistics::new(&mut counts, &mut sums, &mut products, FEATURES).unwrap();
    let mut random = Random::new(7);
    for sample in 0..40 {
        let label = sample % CLASSES;
        let row: [i8; FEATURES] = std::array::from_fn(|feature| {
            let centre = ((feature * 37 + label * 61) % 97) as i32 - 100;
            (centre + random.below(90) as i32) as i8
        });
        statistics.add(&row, label as u16).unwrap();
    }
    let numbers: Vec<f64> = include_str!("exact/golden.txt")
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let (of_ridge, of_lda) = numbers.split_at((FEATURES + 1) * CLASSES);
    let mut scratch = vec![0.0; scratch_len(FEATURES, CLASSES).unwrap()];
    let (mut weights, mut bias) = ([0.0; CLASSES * FEATURES], [0.0; CLASSES]);
    ridge(&statistics, 0.01, &mut weights, &mut bias, &mut scratch).unwrap();
    compare(&weights, &bias, of_ridge);
    lda(&statistics, 0.1, &mut weights, &mut bias, &mut scratch).unwrap();
    compare(&weights, &bias, of_lda);
}

fn compare(weights: &[f32], bias: &[f32], expected: &[f64]) {
    assert_eq!(weights.len() + bias.len(), expected.len());
    for (found, expected) in weights.iter().chain(bias).zip(expected) {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 1e-6 * expected.abs().max(0.01), "{found} {expected}");
    }
}
