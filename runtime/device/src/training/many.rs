//! What `auto` does with many samples: linear discriminants from sums of whole numbers ([`pooled`]).
//!
//! With few samples a logistic head beside the discriminants, and crops of each picture, are worth their time. With many the
//! discriminants alone answer photos as well: of 1,400 photos of hand signs (MobileNetV3, ten draws) 98.1 % are right instead of the mean's
//! 97.6 %, with a fifth of the labels wrong 94.8 instead of 94.5. And they cost one pass over the samples, which fast kernels make. Of
//! spoken digits they alone are a point worse; there, and wherever held-out loss agrees, they go on downhill (`downhill`).

use headstart::Error;
use headstart::head::Samples;
use headstart::head::calibrate::HeldOut;
use headstart::head::pooled::{
    Line, Pairs, Square, System, WholeSquare, pairs_len, panel_len, squares_len,
};

use super::downhill::{self, Slope};
use super::known::{Counted, Known, Linear};
use crate::training::TrainingProblem;

/// Up to so many samples are few.
const FEW: usize = 600;
/// Samples are fewer than this part of their features, or the systems of samples are the smaller ones.
const FEATURES_A_SAMPLE: usize = 2;
/// One sample of a class in this many is held out, or fewer: of more than this many samples, about these.
const PART: usize = 4;
const MOST_HELD_OUT: usize = 2048;
/// Penalties that compete on held-out samples.
const PENALTIES: [f32; 3] = [2e-3, 5e-4, 1e-4];
/// Where nothing can be held out.
const UNMEASURED: usize = 1;
const UNMEASURED_TEMPERATURE: f32 = 0.25;

/// Whether so many samples are many.
pub(super) fn are_many(samples: usize, features: usize) -> bool {
    samples > FEW && features <= FEATURES_A_SAMPLE * samples
}

/// Bytes that learning a head takes beside the samples.
pub(super) fn bytes(features: usize, classes: usize) -> Result<usize, Error> {
    let squares = squares_len(features)?.saturating_mul(size_of::<WholeSquare>());
    let system = System::squares_len(features, classes)?.saturating_mul(2 * size_of::<Square>());
    let panel = panel_len(features)?.saturating_mul(size_of::<Line>());
    let panel = panel.saturating_add(pairs_len(features)?.saturating_mul(size_of::<Pairs>()));
    // Heads of all penalties, sums of twice their size, and logits of what is held out.
    let a_class = (5 + PENALTIES.len()) * features + 2 * MOST_HELD_OUT;
    let rest = a_class.saturating_mul(classes).saturating_mul(size_of::<f32>());
    let rest = rest.saturating_add(downhill::bytes(features, classes));
    Ok(squares.saturating_add(system).saturating_add(panel).saturating_add(rest))
}

/// A head, and what samples that it was not learned from say of it.
pub(super) struct Measured {
    pub(super) head: Linear,
    pub(super) temperature: f32,
    pub(super) unknown_threshold: f32,
    pub(super) held_out: Option<(u32, u32)>,
}

/// One sample of a class in so many is held out.
pub(super) fn step(samples: usize) -> usize {
    PART.max(samples.div_ceil(MOST_HELD_OUT))
}

/// Which samples are held out, of classes that stand one behind the other: of each class the first one and every so many more, so
/// that what is chosen depends on the samples alone. A class keeps one to learn from.
pub(super) fn held_out(labels: &[u16], classes: usize) -> Vec<u32> {
    let (mut counts, mut seen) = (vec![0_usize; classes], vec![0_usize; classes]);
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let step = step(labels.len());
    let chosen = labels.iter().zip(0..).filter(|(label, _)| {
        let class = usize::from(**label);
        seen[class] += 1;
        (seen[class] - 1) % step == 0 && counts[class] > 1
    });
    chosen.map(|(_, at)| at).collect()
}

/// Learns these samples, each as often as it counts, and rows that show some of them again: their features, and which samples they
/// show. What is held out measures each sample once, whatever it counts.
pub(super) fn train(
    of: Counted<'_>,
    labels: &[u16],
    again: &(Vec<i8>, Vec<u32>),
    classes: usize,
) -> Result<Measured, TrainingProblem> {
    let (rows, owners) = again;
    let samples = of.samples;
    let features = samples.feature_len();
    let shown: Vec<u16> = owners.iter().map(|&owner| labels[owner as usize]).collect();
    let times: Vec<u16> = owners.iter().map(|&owner| of.times[owner as usize]).collect();
    let shown = Counted { samples: Samples::new(rows, &shown, features)?, times: &times };
    let all: Vec<u32> = (0..samples.len() as u32).collect();
    let all_shown: Vec<u32> = (0..owners.len() as u32).collect();
    let mut counts = vec![0; classes];
    of.count(&all, &mut counts);
    shown.count(&all_shown, &mut counts);
    let mut known = Known::new(features, &counts)?;
    let held = held_out(labels, classes);
    let is_held = |at: &u32| held.binary_search(&owners[*at as usize]).is_ok();
    let held_rows: Vec<u32> = all_shown.iter().copied().filter(is_held).collect();
    let (rest, rest_shown) = (without(&all, &held), without(&all_shown, &held_rows));
    known.add(of, &rest)?;
    known.add(shown, &rest_shown)?;
    if held.is_empty() {
        let head = known.head(PENALTIES[UNMEASURED])?;
        let temperature = UNMEASURED_TEMPERATURE;
        return Ok(Measured { head, temperature, unknown_threshold: 0.0, held_out: None });
    }
    let test = samples.select(&held)?;
    let mut best: Option<(f32, f32, f32, Linear, Vec<f32>)> = None;
    for (penalty, head) in PENALTIES.into_iter().zip(known.heads(&PENALTIES)?) {
        let Some(head) = head else { continue };
        let answers = head.answers(test)?;
        let (temperature, loss) = HeldOut::new(&answers, test, classes)?.temperature();
        if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
            best = Some((loss, penalty, temperature, head, answers));
        }
    }
    let Some((loss, penalty, mut temperature, part, mut answers)) = best else {
        return Err(Error::NotPositiveDefinite { row: 0 }.into());
    };
    // Few samples that count for many would be learned by heart.
    let is_worth = of.times.iter().all(|&times| times == 1)
        && downhill::is_worth(all.len() + all_shown.len(), features, classes);
    let mut steps = 0;
    if is_worth {
        let rows = [samples.select(&rest)?, shown.samples.select(&rest_shown)?];
        let slope = Slope::new(known.pooled()?, &rows)?;
        let measured = slope.map(|slope| slope.measure(&part.cooled(temperature), test, loss));
        if let Some((found, theirs)) = measured.transpose()?.flatten() {
            (steps, answers) = (found, theirs);
        }
    }
    known.add(of, &held)?;
    known.add(shown, &held_rows)?;
    let mut head = known.head(penalty)?;
    if steps > 0 {
        let rows = [samples, shown.samples];
        if let Some(slope) = Slope::new(known.pooled()?, &rows)? {
            head = slope.head(&head.cooled(temperature), steps)?;
            (temperature, _) = HeldOut::new(&answers, test, classes)?.temperature();
        }
    }
    let answers = HeldOut::new(&answers, test, classes)?;
    let mut memory = vec![0.0; held.len() + classes];
    Ok(Measured {
        head,
        temperature,
        unknown_threshold: answers.unknown_threshold(temperature, &mut memory)?,
        held_out: Some((answers.correct(), held.len() as u32)),
    })
}

/// Those that are not held out, of which both are in order.
fn without(all: &[u32], held: &[u32]) -> Vec<u32> {
    all.iter().filter(|at| held.binary_search(at).is_err()).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use headstart::head::Random;

    use super::*;
    use crate::Head;
    use crate::state::FeatureCache;
    use crate::training::{self, Choice};

    /// Samples around a mean of each of five classes, in an order that the seed says.
    fn cache(samples: u16, seed: u64) -> FeatureCache {
        let mut order: Vec<u16> = (0..samples).collect();
        Random::new(seed).shuffle(&mut order);
        let mut cache = FeatureCache::new(40);
        for sample in order {
            let mut random = Random::new(sample.into());
            let class = usize::from(sample) % 5;
            let label = cache.class(["cup", "jar", "mug", "pot", "tin"][class]).unwrap();
            let rows = if sample % 50 == 7 { 3 } else { 1 };
            let row: Vec<i8> = (0..40 * rows)
                .map(|at| if at % 5 == class { 15 } else { -5 } + random.below(61) as i8 - 30)
                .collect();
            let mut id = [0; 16];
            id[..2].copy_from_slice(&(sample * 31).to_le_bytes());
            cache.insert(id, label, &row);
        }
        cache.sort();
        cache
    }

    fn learned(cache: &FeatureCache) -> Vec<u8> {
        training::train(cache, None, Choice::auto(), [7; 32]).unwrap()
    }

    #[test]
    fn the_same_samples_in_any_order_and_after_any_history_make_the_same_bytes() {
        let all = learned(&cache(900, 1));
        assert_eq!(learned(&cache(900, 2)), all);
        let mut more = cache(1000, 3);
        let ids: Vec<_> = (900..1000_u16)
            .map(|sample| {
                let mut id = [0; 16];
                id[..2].copy_from_slice(&(sample * 31).to_le_bytes());
                id
            })
            .collect();
        assert_ne!(learned(&more), all);
        more.forget_samples(&ids);
        more.sort();
        assert_eq!(learned(&more), all);
    }

    #[test]
    fn what_many_samples_teach_is_measured_on_those_that_are_held_out() {
        let head = Head::parse(Path::new("head"), &learned(&cache(900, 1)), &[7; 32]).unwrap();
        let (right, held) = head.held_out().unwrap();
        assert!((225..=230).contains(&held), "{held}");
        assert!(right as f32 > 0.9 * held as f32, "{right} of {held}");
        assert!((0.2..=0.9).contains(&head.unknown_threshold()), "{}", head.unknown_threshold());
        let (mut sure, mut correct, test) = (0.0, 0, cache(2000, 1));
        for (row, label) in test.features().chunks_exact(40).zip(test.labels()) {
            let answer = head.answer(row).unwrap();
            sure += answer.probability / 2000.0;
            correct += u32::from(answer.class == usize::from(*label));
        }
        let correct = correct as f32 / 2000.0;
        // It knows how sure it may be.
        assert!(correct > 0.9 && (correct - sure).abs() < 0.03, "{correct} {sure}");
    }

    #[test]
    fn few_samples_and_long_rows_are_learned_as_before() {
        assert!(!are_many(600, 10) && are_many(601, 10));
        assert!(are_many(700, 1400) && !are_many(700, 1401));
    }

    #[test]
    fn every_fourth_of_a_class_is_held_out_and_of_many_samples_a_stated_number() {
        let labels = [vec![0; 9], vec![1], vec![2; 2]].concat();
        assert_eq!(held_out(&labels, 4), [0, 4, 8, 10]);
        let labels: Vec<u16> = (0..100_000_u32).map(|at| (at / 10_000) as u16).collect();
        let held = held_out(&labels, 10);
        assert!((2000..2100).contains(&held.len()), "{}", held.len());
    }
}
