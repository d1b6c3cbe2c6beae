//! Whether an update makes what was known before worse.
//!
//! Every sample that was there before is held out once. Two heads are learned without it, one from the
//! samples before and one from those after the update, and both answer it. So nothing has to be kept
//! from learning, and a bad update shows in the answers to samples that it did not bring. The heads are
//! discriminants, whatever the learner: nine of them take about as long as `auto` does.
//!
//! Few samples tell a lost point badly if answers are only counted. So each pair of answers is compared by
//! `σ(m / 2t)`: how far the right logit leads the best other one, `m`, at the temperature `t` that held-out loss chose
//! for each of the two heads. The mean of the differences is the loss, their spread its standard error. Beside it stands
//! what is known of the update itself: how surely the head before contradicts its labels, and how far its features lie
//! from all that was known. A loss alone, or one that contradiction explains, is harm.
//!
//! Where too many labels are contradicted, those that are contradicted surely are set aside and the rest is what is
//! learned, and judged: half a batch of wrong labels is no reason to lose the other half. That is for updates which are
//! large beside what was known; small ones are learned whole, for a person may well teach just what the head gets wrong.
//!
//! The limits were set on updates of hand signs (`examples/harm.rs`, seeds from 1000) and measured on others.

mod answers;
mod backbones;
mod before;
mod corrections;
mod effect;
mod heavy;
mod parts;
mod rest;
mod side;

pub use self::backbones::{Adoption, between};
use self::before::Before;
pub use self::corrections::{CORRECTED_PART, Corrections};
use self::effect::DOUBTFUL;
pub use self::effect::{Effect, Harm, MARGIN, MARGIN_OF_NEW_CLASSES};
use crate::samples::SampleId;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// The outcome of [`settle`]: the effect of an update, and the new samples that are set aside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// The effect of what is learned; `None` where no known sample can be held out.
    pub effect: Option<Effect>,
    /// New samples with doubtful labels, which are not learned.
    pub aside: Vec<SampleId>,
}

/// Measures what the step from `old` to `new` does, and takes new samples with doubtful labels out of `new`. Both are in their order ([`FeatureCache::sort`]). So many samples were `given`, known ones among
/// them: what was set aside once is set aside when it is given again. Heads are learned in so many bytes of `memory`, from a part of
/// the samples if need be.
///
/// # Errors
/// [`TrainingProblem::Samples`].
pub fn settle(
    old: &FeatureCache,
    new: &mut FeatureCache,
    given: usize,
    memory: usize,
) -> Result<Settled, TrainingProblem> {
    let Some(before) = Before::new(old, new, memory)? else { return Ok(Settled::default()) };
    let Some((mut effect, doubts)) = before.measure(new)? else { return Ok(Settled::default()) };
    effect.given = given as u32;
    let all = Settled { effect: Some(effect), aside: Vec::new() };
    let doubtful = doubts.iter().filter(|(_, doubt)| *doubt > DOUBTFUL).map(|(id, _)| *id);
    let aside: Vec<SampleId> = doubtful.collect();
    if effect.outright().is_some() || !effect.is_doubted() || aside.is_empty() {
        return Ok(all);
    }
    let mut rest = new.clone();
    rest.forget_samples(&aside);
    rest.sort();
    let Some((effect, _)) = before.measure(&rest)? else { return Ok(all) };
    *new = rest;
    Ok(Settled { effect: Some(effect), aside })
}

/// Measures what the step from `old` to `new` does, with nothing taken out.
///
/// # Errors
/// [`TrainingProblem::Samples`].
pub fn effect(
    old: &FeatureCache,
    new: &FeatureCache,
    memory: usize,
) -> Result<Option<Effect>, TrainingProblem> {
    let Some(before) = Before::new(old, new, memory)? else { return Ok(None) };
    Ok(before.measure(new)?.map(|(effect, _)| effect))
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::effect::STRANGENESS;
    use super::*;

    const FEATURES: usize = 16;
    const CLASSES: usize = 3;

    /// Samples around a mean of each class; `label` and `row` say what becomes of them.
    fn add(
        cache: &mut FeatureCache,
        first: u8,
        count: u8,
        label: impl Fn(usize) -> usize,
        row: impl Fn(Vec<i8>) -> Vec<i8>,
    ) {
        let mut random = Random::new(u64::from(first));
        let names = ["cup", "jar", "mug"];
        for sample in 0..count {
            let class = usize::from(sample) % CLASSES;
            let features = (0..FEATURES).map(|at| {
                let mean = if at % CLASSES == class { 40 } else { -20 };
                mean + random.below(41) as i8 - 20
            });
            let features = row(features.collect());
            let place = cache.class(names[label(class)]).unwrap();
            cache.insert([first + sample; 16], place, &features);
        }
    }

    /// The effect of 30 samples on 36.
    fn of(label: impl Fn(usize) -> usize, row: impl Fn(Vec<i8>) -> Vec<i8>) -> Effect {
        let mut old = FeatureCache::new(FEATURES);
        add(&mut old, 0, 36, |class| class, |row| row);
        let mut new = old.clone();
        add(&mut new, 100, 30, label, row);
        old.sort();
        new.sort();
        effect(&old, &new, usize::MAX).unwrap().unwrap()
    }

    #[test]
    fn right_labels_pass_and_wrong_ones_are_contradicted() {
        let right = of(|class| class, |row| row);
        assert_eq!((right.harm(), right.held_out, right.new, right.agreed), (None, 36, 30, 30));
        assert!(right.contradiction.abs() < 0.1, "{right:?}");
        assert!((0.5..2.0).contains(&right.strangeness), "{right:?}");
        let wrong = of(|class| (class + 1) % CLASSES, |row| row);
        assert_eq!((wrong.agreed, wrong.harm().is_some()), (0, true), "{wrong:?}");
        assert!(wrong.contradiction > 0.5, "{wrong:?}");
        let flood = of(|_| 1, |row| row);
        assert!(flood.harm().is_some(), "{flood:?}");
    }

    #[test]
    fn little_memory_is_enough_to_see_wrong_labels() {
        let mut old = FeatureCache::new(FEATURES);
        add(&mut old, 0, 36, |class| class, |row| row);
        let mut new = old.clone();
        add(&mut new, 100, 30, |class| (class + 1) % CLASSES, |row| row);
        old.sort();
        new.sort();
        let whole = effect(&old, &new, usize::MAX).unwrap().unwrap();
        // Heads of a part of the samples are other heads, of as many answers.
        for memory in [0, 2000] {
            let effect = effect(&old, &new, memory).unwrap().unwrap();
            assert_ne!(effect, whole);
            assert_eq!((effect.held_out, effect.new, effect.harm().is_some()), (36, 30, true));
        }
    }

    #[test]
    fn a_covered_camera_lies_far_out_and_does_not_pass() {
        let covered = of(|class| class, |row| vec![-128; row.len()]);
        assert!(covered.strangeness > STRANGENESS && covered.harm().is_some(), "{covered:?}");
    }

    #[test]
    fn wrong_labels_among_right_ones_are_set_aside() {
        let mut old = FeatureCache::new(FEATURES);
        add(&mut old, 0, 36, |class| class, |row| row);
        let mut new = old.clone();
        add(&mut new, 100, 30, |class| class, |row| row);
        let right = new.clone();
        // A third as many with wrong labels.
        add(&mut new, 150, 15, |class| (class + 1) % CLASSES, |row| row);
        old.sort();
        new.sort();
        let all = new.clone();
        let settled = settle(&old, &mut new, 45, usize::MAX).unwrap();
        assert_eq!((settled.effect.unwrap().harm(), settled.effect.unwrap().new), (None, 30));
        let mut aside = settled.aside;
        aside.sort_unstable();
        assert_eq!(aside, (150..165).map(|id| [id; 16]).collect::<Vec<_>>());
        let mut expected = right;
        expected.sort();
        assert_eq!(new, expected);
        // Given again with what is known by now, they are set aside again; alone they are few, and learned.
        let settled = settle(&expected, &mut { all }, 45, usize::MAX).unwrap();
        assert_eq!((settled.aside.len(), settled.effect.unwrap().harm()), (15, None));
        let few = |count| {
            let mut new = expected.clone();
            add(&mut new, 150, count, |class| (class + 1) % CLASSES, |row| row);
            new.sort();
            settle(&expected, &mut new, count.into(), usize::MAX).unwrap()
        };
        assert_eq!((few(3).aside.len(), few(3).effect.unwrap().harm()), (0, None));
        // What is wrong for the most part is not taken apart.
        let mut wrong = old.clone();
        add(&mut wrong, 100, 30, |class| (class + 1) % CLASSES, |row| row);
        wrong.sort();
        let before = wrong.clone();
        let settled = settle(&old, &mut wrong, 30, usize::MAX).unwrap();
        assert!(
            settled.aside.is_empty() && settled.effect.unwrap().harm().is_some() && wrong == before
        );
    }

    #[test]
    fn a_corrected_label_counts_as_one_that_was_brought() {
        let mut old = FeatureCache::new(FEATURES);
        add(&mut old, 0, 36, |class| class, |row| row);
        let mut new = old.clone();
        new.label(&[0; 16], 1).unwrap();
        old.sort();
        new.sort();
        let effect = effect(&old, &new, usize::MAX).unwrap().unwrap();
        assert_eq!((effect.held_out, effect.new, effect.agreed), (35, 1, 0));
    }

    /// So many samples from this number on.
    fn many(cache: &mut FeatureCache, numbers: std::ops::Range<u16>, turn: usize) {
        for number in numbers {
            let mut random = Random::new(number.into());
            let class = usize::from(number) % CLASSES;
            let label = cache.class(["cup", "jar", "mug"][(class + turn) % CLASSES]).unwrap();
            let row: Vec<i8> = (0..FEATURES)
                .map(|at| {
                    let mean = if at % CLASSES == class { 20 } else { -10 };
                    mean + random.below(61) as i8 - 30
                })
                .collect();
            let mut id = [0; 16];
            id[..2].copy_from_slice(&number.to_le_bytes());
            cache.insert(id, label, &row);
        }
        cache.sort();
    }

    /// The effect of 60 samples on 900, each of which counts so much. Nearly half of their features show another class.
    fn of_heavy(weight: u16, turn: usize) -> Effect {
        let mut old = FeatureCache::new(FEATURES);
        many(&mut old, 0..900, 0);
        let mut theirs = FeatureCache::new(FEATURES);
        many(&mut theirs, 900..960, turn);
        let mut new = old.clone();
        for (at, id) in theirs.ids().iter().enumerate() {
            let class = &theirs.classes()[usize::from(theirs.labels()[at])];
            let label = new.class(class).unwrap();
            let mut row = theirs.features()[at * FEATURES..][..FEATURES].to_vec();
            row[..7].rotate_right(1);
            new.insert(*id, label, &row);
            new.set_weight(id, weight);
        }
        new.sort();
        effect(&old, &new, usize::MAX).unwrap().unwrap()
    }

    #[test]
    fn samples_that_count_as_several_are_judged_by_what_they_gain_too() {
        let [once, heavy, wrong] = [of_heavy(1, 0), of_heavy(15, 0), of_heavy(15, 2)];
        assert_eq!((once.counted, once.harm()), (None, None), "{once:?}");
        // What was known is answered worse, and the new samples gain more.
        assert_eq!((heavy.counted, heavy.harm()), (Some((900.0, 900.0)), None), "{heavy:?}");
        assert!(heavy.after_among_known < once.after_among_known && heavy.loss < 0.0, "{heavy:?}");
        // So do wrong ones, which are contradicted.
        assert_eq!((wrong.harm(), wrong.new), (Some(Harm::MostLabels), 60), "{wrong:?}");
    }

    #[test]
    fn harm_to_many_samples_is_seen_and_a_few_more_do_none() {
        for known in [700, 2000] {
            let mut old = FeatureCache::new(FEATURES);
            many(&mut old, 0..known, 0);
            let after = |more: u16, turn: usize| {
                let mut new = old.clone();
                many(&mut new, known..known + more, turn);
                effect(&old, &new, usize::MAX).unwrap().unwrap()
            };
            let one = after(1, 0);
            assert_eq!((one.harm(), one.new), (None, 1), "{one:?}");
            assert!(one.held_out >= 300 && one.loss.abs() < 0.01, "{one:?}");
            let right = after(known / 2, 0);
            assert_eq!(right.harm(), None, "{right:?}");
            assert!((0.8..1.2).contains(&right.strangeness), "{right:?}");
            let wrong = after(known / 2, 1);
            assert!(wrong.harm().is_some() && wrong.contradiction > 0.5, "{wrong:?}");
        }
    }
}
