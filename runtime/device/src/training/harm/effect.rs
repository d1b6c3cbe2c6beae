//! What an update does to what was known, and which of it is harm.

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
pub(super) const STRANGENESS: f64 = 3.0;
const STRANGE_GAIN: f64 = 0.01;
const STRANGE_CONTRADICTION: f64 = 0.1;
const STRANGE_AGREEMENT: f64 = 0.5;
/// Labels are looked at one by one where they are contradicted by so much, on the whole or in one class.
const DOUBT: f64 = 0.1;
const CLASS_DOUBT: f64 = 0.3;
/// Then those are set aside to which the head before prefers another class by so much.
pub(super) const DOUBTFUL: f64 = 0.4;
/// Labels that are contradicted by so much on the whole, or of which such a part would be set aside, are wrong for the
/// most part: nothing is learned of them.
const MOSTLY_WRONG: f64 = 0.5;
const DOUBTFUL_PART: f64 = 2.0 / 3.0;
/// The part of labels that would be set aside, all of one class, from which on nothing is learned of them.
const FLOOD_PART: f64 = 0.5;

/// Effect of an update on samples that were known before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effect {
    /// Samples that were held out.
    pub held_out: u32,
    /// Right answers of the head before.
    pub before: u32,
    /// Right answers of the head after.
    pub after: u32,
    /// Right answers of the head after, among the classes that were known before.
    pub after_among_known: u32,
    /// The part of the answers, among the classes that were known before, that was lost, each weighed by how sure it is; below 0 for a
    /// gain. Where samples count as several, each is weighed by that too, and new ones that do are held out and asked as well.
    pub loss: f64,
    /// The loss's standard error.
    pub error: f64,
    /// The loss in the class that lost most.
    pub class_loss: f64,
    /// How many labels the update brought for known classes, new samples and corrections.
    pub new: u32,
    /// How many of these labels the head before agrees with.
    pub agreed: u32,
    /// How many of these labels the head before contradicts, surely.
    pub doubtful: u32,
    /// The most of the contradicted labels in one class.
    pub doubtful_of_one: u32,
    /// How many samples were known before.
    pub known: u32,
    /// How many samples were given, known ones among them.
    pub given: u32,
    /// Sums of what the new labels and the known samples count, where any counts as several.
    pub counted: Option<(f64, f64)>,
    /// How much more likely other classes are to the head before than the labels that the update gives, as probability, beyond what it does
    /// on samples that it was not learned from.
    pub contradiction: f64,
    /// The contradiction in the class where it is largest.
    pub class_contradiction: f64,
    /// Mean square distance of the new samples from the mean of the known ones, in units of what that is for these.
    pub strangeness: f64,
}

/// Kinds of harm that an update does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// The samples that were known before are answered worse.
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
    /// Why this update is harm, by the limits of this module; `None` for an update that does no harm.
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
    pub(super) fn outright(&self) -> Option<Harm> {
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

    /// What the new labels can do: 1 where they are a third of the samples before or more, less in proportion; 1 too where they were
    /// asked to count as several, however few they are.
    fn share(&self) -> f64 {
        let once = (f64::from(self.new), f64::from(self.known));
        let (new, known) = self.counted.unwrap_or(once);
        if new > once.0 { 1.0 } else { (FULL_SHARE * new / known).min(1.0) }
    }

    /// Whether as much was given. A small update may well show just what the head before gets wrong.
    fn is_large(&self) -> bool {
        FULL_SHARE * f64::from(self.given) >= f64::from(self.known)
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.is_large() && (self.contradiction > DOUBT || self.class_contradiction > CLASS_DOUBT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            // A few that count as several.
            (
                Effect {
                    loss: 0.05,
                    contradiction: 0.3,
                    known: 450,
                    counted: Some((150.0, 450.0)),
                    ..fine
                },
                Some(Harm::Labels),
            ),
            (
                Effect {
                    loss: -0.2,
                    contradiction: 0.6,
                    known: 3000,
                    counted: Some((60.0, 3000.0)),
                    ..fine
                },
                Some(Harm::MostLabels),
            ),
            (Effect { loss: 0.05, contradiction: 0.3, counted: Some((30.0, 450.0)), ..fine }, None),
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
