//! The learners give the same bits on every machine.
//!
//! The digests were made on x86-64; another one here or on another target means that some sum has
//! another order, that a multiplication and an addition were fused, or that a constant changed.

use headstart::head::{HeadParts, Learner, LinearHead, Random, Samples, Storage};
use headstart::head::{auto, imprint, logistic, ridge, sgd};
use sha2::{Digest, Sha256};

const CLASSES: usize = 3;

/// Integers only: class and feature give a centre, the generator the rest.
fn samples(count: usize, features: usize) -> (Vec<i8>, Vec<u16>) {
    let mut random = Random::new(7);
    let labels: Vec<u16> = (0..count).map(|sample| (sample % CLASSES) as u16).collect();
    let values = labels.iter().flat_map(|&label| {
        let mut row = Vec::new();
        for feature in 0..features {
            let centre = ((feature * 37 + usize::from(label) * 61) % 97) as i32 - 100;
            row.push((centre + random.below(90) as i32) as i8);
        }
        row
    });
    (values.collect(), labels)
}

fn digest(weights: &[f32], bias: &[f32]) -> String {
    let mut sha = Sha256::new();
    weights.iter().chain(bias).for_each(|number| sha.update(number.to_le_bytes()));
    sha.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Digests of the heads of all learners; 13 features are the primal form, 70 the dual one.
fn heads(features: usize) -> [String; 5] {
    let (values, labels) = samples(40, features);
    let samples = Samples::new(&values, &labels, features).unwrap();
    let (mut weights, mut bias) = (vec![0.0; CLASSES * features], vec![0.0; CLASSES]);
    let mut scratch = vec![0.0; 1 << 16];
    let mut indices = vec![0; 200];

    ridge::train(samples, ridge::PENALTY, &mut weights, &mut bias, &mut scratch).unwrap();
    let by_ridge = digest(&weights, &bias);
    logistic::train(samples, logistic::PENALTY, None, &mut weights, &mut bias, &mut scratch)
        .unwrap();
    let by_logistic = digest(&weights, &bias);
    imprint::train(samples, &mut [0; CLASSES], &mut weights, &mut bias).unwrap();
    let by_imprint = digest(&weights, &bias);
    let settings = sgd::Settings { epochs: 10, ..sgd::Settings::default() };
    sgd::train(samples, &settings, None, &mut weights, &mut bias, &mut scratch, &mut indices)
        .unwrap();
    let (row, class) = (samples.row(0), samples.label(0));
    let centre = vec![-60; features];
    sgd::step(row, class, &centre, 1.0, &mut weights, &mut bias, &mut [0.0; CLASSES]).unwrap();
    let by_sgd = digest(&weights, &bias);
    let outcome =
        auto::train(samples, None, 5, &mut weights, &mut bias, &mut scratch, &mut indices).unwrap();
    weights.push(outcome.temperature);
    weights.push(outcome.unknown_threshold);
    [by_ridge, by_logistic, by_imprint, by_sgd, digest(&weights, &bias)]
}

#[test]
fn every_learner_gives_the_same_bits_on_every_machine() {
    assert_eq!(
        heads(13),
        [
            "bd66e848c9b369a9",
            "9d5fd55c88327fa0",
            "0a6dadd52e2e5c06",
            "5c6d3bfe1806a1e7",
            "c2aefd57b749aa38"
        ]
    );
    assert_eq!(
        heads(70),
        [
            "5423683f84b72cec",
            "c99db6d2d818f813",
            "e1b53c17e3182a22",
            "ae436628aca93e41",
            "a74e58c03681f64f"
        ]
    );
}

#[test]
fn the_same_head_is_the_same_record() {
    let (values, labels) = samples(40, 13);
    let samples = Samples::new(&values, &labels, 13).unwrap();
    let (mut weights, mut bias, mut counts) = ([0.0; 39], [0.0; CLASSES], [0; CLASSES]);
    imprint::train(samples, &mut counts, &mut weights, &mut bias).unwrap();
    let parts = HeadParts {
        learner: Learner::Imprint,
        storage: Storage::F16,
        unknown_threshold: 0.5,
        ..HeadParts::new(
            LinearHead::new(&weights, &bias, 13).unwrap(),
            [9; 32],
            &["rock", "paper", "scissors"],
            &counts,
        )
    };
    let bytes = parts.to_vec().unwrap();
    let end: String = bytes[bytes.len() - 8..].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(end, "da18da6b6748404f");
}
