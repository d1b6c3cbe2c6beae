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
mod side;

pub use self::backbones::{Adoption, between};
use self::before::Before;
use crate::samples::SampleId;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// The most that may be lost among the classes that were known before, as a part of the answers.
pub const MARGIN: f64 = 0.06;
/// The right answers that new classes may cost: telling more classes apart is harder.
pub const MARGIN_OF_NEW_CLASSES: f64 = 0.05;
/// So many points of contradiction weigh as one point that was lost.
const CONTRADICTION_WEIGHT: f64 = 0.2;
/// Updates of one in so many samples before, or more, are held to all of their contradiction.
const FULL_SHARE: f64 = 3.0;
/// The most of both together.
const MARGIN_OF_BOTH: f64 = 0.095;
/// A class whose new labels are contradicted so surely, and whose own samples lose so much, was taken over.
const CLASS_CONTRADICTION: f64 = 0.65;
const CLASS_LOSS: f64 = 0.15;
/// New samples so many times as far from the mean of the known ones as these are, which teach less than
/// a point and are contradicted by more than ten, or agreed with less than half as often as known ones: a covered or
/// broken camera.
const STRANGENESS: f64 = 3.0;
const STRANGE_GAIN: f64 = 0.01;
const STRANGE_CONTRADICTION: f64 = 0.1;
const STRANGE_AGREEMENT: f64 = 0.5;
/// Labels are looked at one by one where they are contradicted by so much, on the whole or in one class.
const DOUBT: f64 = 0.1;
const CLASS_DOUBT: f64 = 0.3;
/// Then those are set aside to which the head before prefers another class by so much.
const DOUBTFUL: f64 = 0.4;
/// Labels that are contradicted by so much on the whole, or of which such a part would be set aside, are wrong for the
/// most part: nothing is learned of them.
const MOSTLY_WRONG: f64 = 0.5;
const DOUBTFUL_PART: f64 = 2.0 / 3.0;
/// The same part where all these labels are of one class.
const FLOOD_PART: f64 = 0.5;

/// What an update did to samples that were known before, and what it is itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effect {
    /// Samples that were held out.
    pub held_out: u32,
    /// Right answers of the head before.
    pub before: u32,
    /// Right answers of the head after.
    pub after: u32,
    /// The same, among the classes that were known before.
    pub after_among_known: u32,
    /// What these answers lost, as a part of them, each weighed by how sure it is; below 0 for a gain.
    pub loss: f64,
    /// The loss's standard error.
    pub error: f64,
    /// The same loss in the class that lost most.
    pub class_loss: f64,
    /// Labels that the update brought for known classes, new samples and corrections.
    pub new: u32,
    /// Those that the head before agrees with.
    pub agreed: u32,
    /// Those to which it surely prefers another class.
    pub doubtful: u32,
    /// The most of them in one class.
    pub doubtful_of_one: u32,
    /// Samples that were known before.
    pub known: u32,
    /// Samples that were given, known ones among them.
    pub given: u32,
    /// By how much the head before prefers another class to these labels, as probability, beyond what it does on
    /// samples that it was not learned from.
    pub contradiction: f64,
    /// The same in the class that it contradicts most.
    pub class_contradiction: f64,
    /// Mean square distance of the new samples from the mean of the known ones, in units of what that is for these.
    pub strangeness: f64,
}

/// Why an update is harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// What was known is answered worse.
    Loss,
    /// New classes take over too many answers.
    NewClasses,
    /// Most labels are contradicted, or one is given to what looks like many classes.
    MostLabels,
    /// Labels that the head before contradicts make what was known worse.
    Labels,
    /// A class whose labels are contradicted loses its own samples.
    Class,
    /// The samples look like nothing that was known, and teach nothing about it.
    Strange,
}

impl Effect {
    /// What the limits above say; `None` for an update that does no harm.
    pub fn harm(&self) -> Option<Harm> {
        if let Some(harm) = self.outright() {
            return Some(harm);
        }
        let lost = if (0.0..self.error).contains(&self.loss) { 0.0 } else { self.loss };
        let answers = (f64::from(self.before) - f64::from(self.after)) / f64::from(self.held_out);
        let contradicted = self.share() * self.contradiction.max(0.0);
        let new_classes = self.after < self.after_among_known;
        if lost > MARGIN {
            Some(Harm::Loss)
        } else if lost + CONTRADICTION_WEIGHT * contradicted > MARGIN_OF_BOTH {
            Some(Harm::Labels)
        } else if self.class_contradiction > CLASS_CONTRADICTION && self.class_loss > CLASS_LOSS {
            Some(Harm::Class)
        } else {
            (new_classes && answers > MARGIN_OF_NEW_CLASSES).then_some(Harm::NewClasses)
        }
    }

    /// Harm of which no part is worth learning.
    fn outright(&self) -> Option<Harm> {
        let usual = f64::from(self.before) / f64::from(self.held_out);
        let strange = self.strangeness > STRANGENESS
            && self.loss > -STRANGE_GAIN
            && (self.contradiction > STRANGE_CONTRADICTION
                || f64::from(self.agreed) < STRANGE_AGREEMENT * usual * f64::from(self.new));
        // Samples that are known already are not contradicted.
        let part = |of_new: f64| of_new / f64::from(self.given.max(1));
        let contradicted = part(self.contradiction * f64::from(self.new));
        let wrong = self.share() * contradicted > MOSTLY_WRONG
            || self.is_large() && part(f64::from(self.doubtful)) > DOUBTFUL_PART
            || self.is_large() && part(f64::from(self.doubtful_of_one)) > FLOOD_PART;
        strange.then_some(Harm::Strange).or(wrong.then_some(Harm::MostLabels))
    }

    /// What the new labels can do: 1 where they are a third of the samples before or more, less in proportion.
    fn share(&self) -> f64 {
        (FULL_SHARE * f64::from(self.new) / f64::from(self.known)).min(1.0)
    }

    /// Whether as much was given. A small update may well show just what the head before gets wrong.
    fn is_large(&self) -> bool {
        FULL_SHARE * f64::from(self.given) >= f64::from(self.known)
    }

    fn is_doubted(&self) -> bool {
        self.is_large() && (self.contradiction > DOUBT || self.class_contradiction > CLASS_DOUBT)
    }
}

/// What an update is settled to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// Of what is learned; `None` where no known sample can be held out.
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

/// The same effect, with nothing taken out.
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

    #[test]
    fn each_limit_has_its_reason() {
        let fine = Effect {
            held_out: 100,
            before: 90,
            after: 90,
            after_among_known: 90,
            known: 90,
            new: 30,
            given: 30,
            ..Default::default()
        };
        let cases = [
            (fine, None),
            (Effect { loss: 0.07, error: 0.01, ..fine }, Some(Harm::Loss)),
            // No more than chance.
            (Effect { loss: 0.07, error: 0.08, ..fine }, None),
            (Effect { loss: 0.05, contradiction: 0.3, ..fine }, Some(Harm::Labels)),
            (Effect { loss: -0.05, contradiction: 0.3, ..fine }, None),
            (Effect { loss: 0.05, contradiction: 0.3, known: 450, ..fine }, None),
            (Effect { class_loss: 0.2, class_contradiction: 0.8, ..fine }, Some(Harm::Class)),
            (Effect { strangeness: 4.0, contradiction: 0.2, ..fine }, Some(Harm::Strange)),
            (Effect { strangeness: 4.0, contradiction: 0.2, loss: -0.02, ..fine }, None),
            (Effect { strangeness: 4.0, agreed: 13, ..fine }, Some(Harm::Strange)),
            (Effect { strangeness: 4.0, agreed: 14, ..fine }, None),
            (Effect { doubtful: 16, doubtful_of_one: 16, ..fine }, Some(Harm::MostLabels)),
            (Effect { doubtful: 20, doubtful_of_one: 15, ..fine }, None),
            (Effect { after: 84, ..fine }, Some(Harm::NewClasses)),
            (Effect { loss: -0.05, contradiction: 0.6, ..fine }, Some(Harm::MostLabels)),
            (Effect { doubtful: 21, ..fine }, Some(Harm::MostLabels)),
            (Effect { doubtful: 20, ..fine }, None),
            (Effect { doubtful: 21, given: 60, ..fine }, None),
            (Effect { doubtful: 30, known: 91, ..fine }, None),
        ];
        for (effect, harm) in cases {
            assert_eq!(effect.harm(), harm, "{effect:?}");
        }
    }
}
