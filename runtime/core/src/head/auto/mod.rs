//! The default learner: no settings, the head that answers held-out samples best.
//!
//! A logistic head and linear discriminants are trained and their mean is taken, which costs nothing to run, because both
//! are linear. Penalties compete for each of the two on samples that were not trained on; the pair of least loss (`−log`
//! of the right answer's probability at the pair's best temperature, which few samples measure better than the number of
//! right answers) is then trained on everything. With an initial head, keeping it as it is, continuing from it, and the mean of
//! that and of discriminants compete too. The last is what most adaptations take: what is continued alone stays nearer to the initial
//! head than held-out samples tell, and discriminants alone forget it. Spoken digits, a head of five people and 100 words of the
//! sixth, 18 draws: 89.9 %, without it 87.8 %, and 88.7 % without the initial head.
//!
//! Discriminants alone are right more often on photos, but lose more to labels that are wrong and to classes of uneven size. With
//! MobileNetV2 on hand signs, mean of six draws of 20 samples a class: 87.9 % of other people's photos instead of the mean's 87.3 %, and at an
//! earlier layer 96.8 % instead of 94.9 %; a ridge head in their place gives 85.6 % and 93.7 %.

mod trials;

use self::trials::{
    Candidate, PLACES, Split, Trials, discriminants_head, logistic_head, most_held_out,
};
use super::calibrate::HeldOut;
use super::design::{Design, side};
use super::logistic::Descent;
use super::numeric::{Scratch, add_scaled};
use super::samples::Groups;
use super::{Learner, LinearHead, Random, Samples, discriminants};
use crate::Error;
use crate::checked::{expect_len, product, sum};
use crate::record::check_shape;

/// The pair for samples too few to choose by: indices of the penalties.
const UNMEASURED: (usize, usize) = (2, 2);
/// The temperature of that pair, whose logits are spread by 1, extrapolated from few samples of hand signs: 0.9 to 1.4 at two a
/// class, 0.5 to 0.6 at five, 0.3 to 0.4 at twenty.
const UNMEASURED_TEMPERATURE: f32 = 1.5;
/// Fewer held-out samples cannot tell whether rows that show samples again do harm: they help more often than not.
const LEAST_HELD_OUT: usize = 64;

/// The choice of [`train`], and what it measured.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Outcome {
    /// The learner that won; `None` if the initial head is kept as it was.
    pub learner: Option<Learner>,
    /// The temperature, which divides the logits before the softmax.
    pub temperature: f32,
    /// A best probability below this means "unknown".
    pub unknown_threshold: f32,
    /// Held-out samples answered correctly, and held-out samples; `None` if every class has one sample only.
    pub held_out: Option<(u32, u32)>,
}

/// Float32 and `u32` elements that [`train`] needs for `samples` samples and `again` rows that show
/// some of them again.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn scratch_len(
    samples: usize,
    again: usize,
    features: usize,
    classes: usize,
) -> Result<(usize, usize), Error> {
    let held_out = most_held_out(samples, classes)?;
    let samples = sum(&[samples, again])?;
    let side = side(samples, features);
    let fit = Descent::scratch_len(samples, side, classes)?;
    let floats = sum(&[
        product(&[PLACES + usize::from(again > 0), held_out, classes])?,
        held_out,
        classes,
        product(&[classes, sum(&[features, 1])?])?,
        Design::scratch_len(samples, features, classes)?,
        fit.max(discriminants::solve_scratch_len(samples, side, classes)?),
    ])?;
    let indices = sum(&[Groups::scratch_len(samples, classes)?, samples, held_out])?;
    Ok((floats, indices))
}

/// Writes the head of these samples. `seed` chooses which are held out; rows that show a sample again
/// ([`Samples::showing_again`]) are trained on wherever the sample is, and never held out. Where 64 or more held-out samples are answered
/// better without such rows, by more than a standard error of the loss, none is trained on: where little things tell classes
/// apart, a crop that has lost them says something wrong.
///
/// An `initial` head has the same features and classes (see [`super::grow`]) and stands for the samples that it was
/// learned from: where a class has no sample here, only keeping it and continuing from it are tried, its row
/// stays as it is, and the others learn to be told apart from each other only. So a new class can be told from
/// absent ones only if something stands for those: add their prototypes (see [`super::imprint`]) to the samples.
///
/// # Errors
///
/// [`Error::NoSamples`]; [`Error::ClassOutOfRange`]; [`Error::BufferLength`] or
/// [`Error::ShapeOverflow`] if a buffer does not fit; [`Error::NotFinite`] if the initial head has
/// logits past float32.
pub fn train(
    samples: Samples<'_>,
    initial: Option<LinearHead<'_>>,
    seed: u64,
    weights: &mut [f32],
    bias: &mut [f32],
    scratch: &mut [f32],
    indices: &mut [u32],
) -> Result<Outcome, Error> {
    let (features, classes) = (samples.feature_len(), bias.len());
    check_shape(weights.len(), classes, features)?;
    if samples.is_empty() {
        return Err(Error::NoSamples);
    }
    if let Some(head) = initial {
        expect_len(head.feature_len(), features)?;
        expect_len(head.classes(), classes)?;
    }
    let distinct = samples.distinct();
    let (floats, needed) = scratch_len(distinct.len(), samples.again().len(), features, classes)?;
    let most = most_held_out(distinct.len(), classes)?;
    let mut indices = Scratch::new(indices, needed)?;
    let mut scratch = Scratch::new(scratch, floats)?;
    let groups = Groups::new(distinct, classes, &mut Random::new(seed), &mut indices)?;
    let (trained, held) = (indices.take(samples.len())?, indices.take(most)?);
    let logits = scratch.take(product(&[PLACES, most, classes])?)?;
    let shows_again = !samples.again().is_empty();
    let kept = scratch.take(if shows_again { product(&[most, classes])? } else { 0 })?;
    let threshold_memory = scratch.take(sum(&[most, classes])?)?;
    let (second_weights, second_bias) = (scratch.take(weights.len())?, scratch.take(classes)?);
    let memory = scratch.rest();

    let everywhere = (0..classes).all(|class| !groups.class(class).is_empty());
    let fresh = initial.is_none() || everywhere;
    let mut trials = Trials::new(logits, most, classes, initial, fresh);
    let mut places = Split { trained, held };
    trials.run(samples, &groups, &mut places, weights, bias, memory)?;
    let mut taught = samples;
    let mut outcome = Outcome {
        learner: None,
        temperature: UNMEASURED_TEMPERATURE,
        unknown_threshold: 0.0,
        held_out: None,
    };
    let chosen = if trials.held > 0 {
        let test = samples.select(&places.held[..trials.held])?;
        let (mut chosen, mut temperature) = trials.best(test)?;
        let kept = kept.get_mut(..trials.held * classes).unwrap_or_default();
        if shows_again {
            // The next trials write over them.
            kept.copy_from_slice(trials.answers(chosen, test)?.logits());
        }
        if shows_again && trials.held >= LEAST_HELD_OUT {
            // The same samples are held out, and none of them is shown again.
            trials.run(distinct, &groups, &mut places, weights, bias, memory)?;
            let test = samples.select(&places.held[..trials.held])?;
            let (alone, its_temperature) = trials.best(test)?;
            let before = HeldOut::new(kept, test, classes)?;
            let (lead, error) =
                trials.answers(alone, test)?.lead(its_temperature, &before, temperature);
            if lead > error {
                (chosen, temperature, taught) = (alone, its_temperature, distinct);
            }
        }
        let test = samples.select(&places.held[..trials.held])?;
        // An initial head is at temperature 1: samples of some classes say little of the others' logits.
        let measured = (0..classes).all(|class| groups.class(class).len() > 1);
        let guess = !measured && matches!(chosen, Candidate::Keep | Candidate::Continue(_));
        if guess {
            temperature = 1.0;
        }
        let answers = match taught.again() {
            [] => trials.answers(chosen, test)?,
            _ => HeldOut::new(kept, test, classes)?,
        };
        outcome.temperature = temperature;
        let threshold = answers.unknown_threshold(temperature, threshold_memory)?;
        outcome.unknown_threshold = threshold.min(if guess { 0.5 } else { 1.0 });
        outcome.held_out = Some((answers.correct(), trials.held as u32));
        chosen
    } else if initial.is_some() {
        outcome.temperature = 1.0;
        Candidate::Continue(0)
    } else {
        Candidate::Blend(UNMEASURED.0, UNMEASURED.1)
    };
    outcome.learner = match chosen {
        Candidate::Keep => None,
        Candidate::Blend(..) | Candidate::Correct(..) => Some(Learner::Blend),
        Candidate::Continue(_) => Some(Learner::Logistic),
    };
    let mut scratch = Scratch::new(memory, 0)?;
    match (chosen, initial) {
        (Candidate::Keep, Some(head)) => {
            weights.copy_from_slice(head.weights());
            bias.copy_from_slice(head.bias());
        }
        _ => {
            let mut design = Design::build(taught, weights, classes, &mut scratch)?;
            let memory = scratch.rest();
            match chosen {
                Candidate::Blend(logistic, second) | Candidate::Correct(logistic, second) => {
                    let initial = initial.filter(|_| matches!(chosen, Candidate::Correct(..)));
                    logistic_head(&mut design, initial, logistic, true, weights, bias, memory)?;
                    discriminants_head(&mut design, second, second_weights, second_bias, memory)?;
                    add_scaled(weights, 1.0, second_weights);
                    add_scaled(bias, 1.0, second_bias);
                }
                Candidate::Continue(penalty) => {
                    logistic_head(&mut design, initial, penalty, false, weights, bias, memory)?;
                }
                Candidate::Keep => {}
            }
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::head::imprint;
    use crate::head::testing::{Blobs, accuracy};

    fn fit(
        samples: Samples<'_>,
        classes: usize,
        initial: Option<LinearHead<'_>>,
        fill: f32,
    ) -> (Outcome, Vec<f32>, Vec<f32>) {
        let features = samples.feature_len();
        let again = samples.again().len();
        let (floats, indices) =
            scratch_len(samples.len() - again, again, features, classes).unwrap();
        let (mut scratch, mut indices) = (vec![fill; floats], vec![u32::MAX; indices]);
        let (mut weights, mut bias) = (vec![fill; classes * features], vec![fill; classes]);
        let outcome =
            train(samples, initial, 1, &mut weights, &mut bias, &mut scratch, &mut indices)
                .unwrap();
        assert!(weights.iter().chain(&bias).all(|number| number.is_finite()));
        (outcome, weights, bias)
    }

    #[test]
    fn separable_classes_are_learned_and_measured_on_held_out_samples() {
        for (per_class, features) in [(10, 60), (16, 12)] {
            let blobs = Blobs::new(5, per_class, features, 2.0, 8);
            let (outcome, weights, bias) = fit(blobs.samples(), 5, None, f32::NAN);
            let head = LinearHead::new(&weights, &bias, features).unwrap();
            assert!(accuracy(head, blobs.samples()) > 0.98);
            assert_eq!(outcome.learner, Some(Learner::Blend));
            let (correct, total) = outcome.held_out.unwrap();
            assert_eq!(total as usize, 5 * per_class);
            assert!(correct as f32 > 0.9 * total as f32, "{correct}");
            assert!((0.2..=0.9).contains(&outcome.unknown_threshold), "{outcome:?}");
            // What stood in the scratch memory does not matter.
            assert_eq!(fit(blobs.samples(), 5, None, 0.0), (outcome, weights, bias));
        }
    }

    #[test]
    fn a_held_out_sample_is_not_trained_on_in_another_guise() {
        // Noise with labels: only a sample that was seen can be told from the others.
        let blobs = Blobs::new(2, 20, 200, 0.0, 3);
        let rows: Vec<(&[i8], u16)> = blobs.samples().iter().collect();
        let twice = || rows.iter().chain(&rows);
        let features: Vec<i8> = twice().flat_map(|(row, _)| row.iter().copied()).collect();
        let labels: Vec<u16> = twice().map(|(_, label)| *label).collect();
        let samples = Samples::new(&features, &labels, 200).unwrap();
        let owners: Vec<u32> = (0..40).collect();
        let share = |samples| {
            let (correct, total) = fit(samples, 2, None, 0.0).0.held_out.unwrap();
            (correct as f32 / total as f32, total)
        };
        let (again, total) = share(samples.showing_again(&owners).unwrap());
        assert_eq!(total, 40);
        assert!(again < 0.75, "{again}");
        assert!(share(samples).0 > 0.75);
        assert!(samples.showing_again(&[41; 40]).is_err());
    }

    #[test]
    fn rows_that_mislead_are_not_trained_on_and_those_that_help_are() {
        // Of each class 48; the first half are samples.
        let blobs = Blobs::new(3, 48, 40, 0.6, 5);
        let row = |class: usize, at: usize| blobs.samples().row(48 * (class % 3) + at);
        let all: Vec<(usize, usize)> = (0..72).map(|at| (at / 24, at % 24)).collect();
        let owners: Vec<u32> = (0..72).collect();
        let labels: Vec<u16> = all.iter().chain(&all).map(|(class, _)| *class as u16).collect();
        let with = |again: &[&[i8]]| {
            let own = all.iter().map(|&(class, at)| row(class, at));
            let features = own.chain(again.iter().copied()).collect::<Vec<_>>().concat();
            let samples = Samples::new(&features, &labels[..72 + again.len()], 40).unwrap();
            fit(samples.showing_again(&owners[..again.len()]).unwrap(), 3, None, f32::NAN)
        };
        let alone = with(&[]);
        let of_others: Vec<&[i8]> = all.iter().map(|&(class, at)| row(class + 1, at)).collect();
        assert_eq!(with(&of_others), alone);
        // As good as new samples.
        let more: Vec<&[i8]> = all.iter().map(|&(class, at)| row(class, 24 + at)).collect();
        assert_ne!(with(&more), alone);
    }

    #[test]
    fn a_view_trains_the_same_head_as_a_copy() {
        let blobs = Blobs::new(3, 8, 10, 1.0, 2);
        let indices: Vec<u32> = (0..24).rev().step_by(2).collect();
        let view = blobs.samples().select(&indices).unwrap();
        let features: Vec<i8> = view.iter().flat_map(|(row, _)| row.iter().copied()).collect();
        let labels: Vec<u16> = view.iter().map(|(_, label)| label).collect();
        let copy = Samples::new(&features, &labels, 10).unwrap();
        assert_eq!(fit(view, 3, None, 0.0), fit(copy, 3, None, 0.0));
    }

    #[test]
    fn one_sample_a_class_one_class_and_an_absent_class_are_enough() {
        let blobs = Blobs::new(4, 1, 30, 3.0, 6);
        let (outcome, weights, bias) = fit(blobs.samples(), 4, None, 0.0);
        let head = LinearHead::new(&weights, &bias, 30).unwrap();
        assert_eq!((accuracy(head, blobs.samples()), outcome.held_out), (1.0, None));
        let blobs = Blobs::new(1, 6, 3, 3.0, 6);
        for classes in [1, 3] {
            let (outcome, weights, bias) = fit(blobs.samples(), classes, None, 0.0);
            let head = LinearHead::new(&weights, &bias, 3).unwrap();
            assert_eq!(accuracy(head, blobs.samples()), 1.0);
            assert_eq!(outcome.held_out, Some((6, 6)));
            assert!(outcome.temperature.is_finite());
        }
    }

    #[test]
    fn a_good_initial_head_is_kept_and_a_misled_one_is_continued() {
        let many = Blobs::new(4, 60, 20, 1.2, 3);
        let (outcome, weights, bias) = fit(many.samples(), 4, None, 0.0);
        let (mut old_weights, mut old_bias) = many.head();
        let old = LinearHead::new(&weights, &bias, 20).unwrap();
        crate::head::grow(old, outcome.temperature, &mut old_weights, &mut old_bias).unwrap();
        let old = LinearHead::new(&old_weights, &old_bias, 20).unwrap();

        // Four samples of two classes that the head knows already.
        let indices = [0, 1, 60, 61];
        let few = many.samples().select(&indices).unwrap();
        let (_, weights, bias) = fit(few, 4, Some(old), 0.0);
        let new = LinearHead::new(&weights, &bias, 20).unwrap();
        assert!(accuracy(new, many.samples()) > accuracy(old, many.samples()) - 0.03);

        let shifted = many.shifted(&[0, 1]);
        let (outcome, weights, bias) = fit(shifted.samples(), 4, Some(old), 0.0);
        assert_eq!(outcome.learner, Some(Learner::Logistic));
        assert_eq!((&weights[40..], &bias[2..]), (&old_weights[40..], &old_bias[2..]));
        // Of the two that have samples; nothing tells them from the absent ones.
        let old = LinearHead::new(&old_weights[..40], &old_bias[..2], 20).unwrap();
        let new = LinearHead::new(&weights[..40], &bias[..2], 20).unwrap();
        let (before, after) = (accuracy(old, shifted.samples()), accuracy(new, shifted.samples()));
        assert!(before < 0.7 && after > 0.9, "{before} {after}");
    }

    /// The same classes in two domains: what tells them apart is mostly the same in both, and what does not is larger and goes
    /// its own way through all features.
    fn domain(own: u64, per_class: usize, seed: u64) -> (Vec<i8>, Vec<u16>) {
        const FEATURES: usize = 48;
        const CLASSES: usize = 6;
        let normals = |seed: u64, count: usize| -> Vec<f32> {
            let mut random = Random::new(seed);
            let mut uniform = || random.next_u32() as f32 / u32::MAX as f32 - 0.5;
            (0..count).map(|_| (0..4).map(|_| uniform()).sum()).collect()
        };
        let shared = normals(11, CLASSES * FEATURES);
        let shift = normals(20 + own, CLASSES * FEATURES);
        let directions = normals(30 + own, 8 * FEATURES);
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for sample in 0..CLASSES * per_class {
            let class = sample % CLASSES;
            let noise = normals(1000 * seed + sample as u64, FEATURES + 8);
            for at in 0..FEATURES {
                let place = class * FEATURES + at;
                let common: f32 =
                    (0..8).map(|d| noise[FEATURES + d] * directions[d * FEATURES + at]).sum();
                let value = 0.8 * shared[place] + 0.3 * shift[place] + noise[at] + 2.0 * common;
                features.push((value * 20.0) as i8);
            }
            labels.push(class as u16);
        }
        (features, labels)
    }

    #[test]
    fn an_initial_head_of_another_domain_makes_no_head_worse() {
        let head_of = |(features, labels): &(Vec<i8>, Vec<u16>),
                       initial: Option<LinearHead<'_>>| {
            fit(Samples::new(features, labels, 48).unwrap(), 6, initial, 0.0)
        };
        let (mut with, mut without, mut kept) = (0.0, 0.0, 0.0);
        for draw in 0..6 {
            let (outcome, mut weights, mut bias) = head_of(&domain(2 * draw, 60, 1), None);
            weights.iter_mut().chain(&mut bias).for_each(|number| *number /= outcome.temperature);
            let old = LinearHead::new(&weights, &bias, 48).unwrap();
            let (own, test) = (domain(2 * draw + 1, 5, 2), domain(2 * draw + 1, 100, 3));
            let test = Samples::new(&test.0, &test.1, 48).unwrap();
            let right = |initial| {
                let (_, weights, bias) = head_of(&own, initial);
                accuracy(LinearHead::new(&weights, &bias, 48).unwrap(), test) / 6.0
            };
            with += right(Some(old));
            without += right(None);
            kept += accuracy(old, test) / 6.0;
        }
        assert!(with > without.max(kept) + 0.05, "{with} {without} {kept}");
    }

    #[test]
    fn a_new_class_is_told_from_old_ones_by_their_prototypes() {
        // A head for the first four of five classes, and their class means.
        let all = Blobs::new(5, 40, 24, 2.0, 7);
        let first: Vec<u32> = (0..160).collect();
        let known = all.samples().select(&first).unwrap();
        let (outcome, weights, bias) = fit(known, 4, None, 0.0);
        let old = LinearHead::new(&weights, &bias, 24).unwrap();
        let (mut grown, mut grown_bias) = all.head();
        crate::head::grow(old, outcome.temperature, &mut grown, &mut grown_bias).unwrap();
        let old = LinearHead::new(&grown, &grown_bias, 24).unwrap();
        let (mut means, mut means_bias, mut counts) = (vec![0.0; 96], [0.0; 4], [0; 4]);
        imprint::train(known, &mut counts, &mut means, &mut means_bias).unwrap();
        let mut features = vec![0; 96];
        imprint::prototypes(&means, &mut features).unwrap();
        let mut labels = vec![0, 1, 2, 3];
        for sample in 160..170 {
            features.extend(all.samples().row(sample));
            labels.push(4);
        }
        let new = Samples::new(&features, &labels, 24).unwrap();
        let (outcome, weights, bias) = fit(new, 5, Some(old), 0.0);
        let head = LinearHead::new(&weights, &bias, 24).unwrap();
        let after = accuracy(head, all.samples());
        assert!(after > 0.97, "{after} {outcome:?}");
    }

    #[test]
    fn buffers_and_labels_are_checked() {
        let blobs = Blobs::new(3, 2, 4, 1.0, 1);
        let (mut weights, mut bias) = blobs.head();
        let (floats, indices) = scratch_len(6, 0, 4, 3).unwrap();
        let (mut scratch, mut indices) = (vec![0.0; floats], vec![0; indices]);
        let short = &mut scratch[1..];
        let error = train(blobs.samples(), None, 1, &mut weights, &mut bias, short, &mut indices);
        assert!(matches!(error, Err(Error::BufferLength { .. })));
        let error = train(
            blobs.samples(),
            None,
            1,
            &mut weights[..8],
            &mut bias[..2],
            &mut scratch,
            &mut indices,
        );
        assert_eq!(error.unwrap_err(), Error::ClassOutOfRange { class: 2, classes: 2 });
        let nobody = blobs.samples().select(&[]).unwrap();
        let error = train(nobody, None, 1, &mut weights, &mut bias, &mut scratch, &mut indices);
        assert_eq!(error.unwrap_err(), Error::NoSamples);
        assert_eq!(scratch_len(usize::MAX, 0, 2, 2).unwrap_err(), Error::ShapeOverflow);
    }

    #[test]
    fn features_that_never_change_give_a_finite_head() {
        // Found at random: nothing but roundings is left of the gradient.
        let mut random = Random::new(1_593_271_813_963_881_814);
        let labels: Vec<u16> = (0..11).map(|_| random.below(2) as u16).collect();
        let values = [-128; 11 * 12];
        fit(Samples::new(&values, &labels, 12).unwrap(), 2, None, f32::NAN);
    }

    proptest::proptest! {
        #[test]
        fn any_samples_give_a_finite_head(
            seed in 0_u64..,
            count in 1_usize..40,
            features in 1_usize..30,
            classes in 1_u32..6,
            extreme in 0_u32..4,
        ) {
            let mut random = Random::new(seed);
            let values: Vec<i8> = (0..count * features)
                .map(|_| match extreme {
                    0 => [-128, 127][random.below(2) as usize],
                    1 => -128,
                    2 => i8::from(random.below(9) == 0),
                    _ => random.next_u32() as i8,
                })
                .collect();
            let labels: Vec<u16> = (0..count).map(|_| random.below(classes) as u16).collect();
            let samples = Samples::new(&values, &labels, features).unwrap();
            let (outcome, ..) = fit(samples, classes as usize, None, f32::NAN);
            proptest::prop_assert!(outcome.temperature.is_finite() && outcome.temperature > 0.0);
            proptest::prop_assert!((0.0..=1.0).contains(&outcome.unknown_threshold));
        }
    }
}
