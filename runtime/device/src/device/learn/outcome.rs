//! Reports of learning.

use serde::Serialize;

use super::super::changed::ChangedSetting;
use super::super::report::{BadFile, ClassCount};
use super::given::{GivenAs, Near};
use super::reports::Reported;
use crate::training::harm::Effect;

/// Outcome of learning: whether what was learned answers from now on.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<R = Learned> {
    /// What was learned was committed, and answers from now on.
    Committed(R),
    /// What was learned was rejected, since it answers what was known before worse. It is kept as the rejected candidate, the head before
    /// still answers, and nothing else is changed.
    Rejected(R),
}

impl<R> Outcome<R> {
    pub(in super::super) fn of(report: R, is_rejected: impl FnOnce(&R) -> bool) -> Self {
        if is_rejected(&report) { Self::Rejected(report) } else { Self::Committed(report) }
    }

    /// The report of what was learned, committed or not.
    pub fn report(&self) -> &R {
        match self {
            Self::Committed(report) | Self::Rejected(report) => report,
        }
    }

    /// The report of what was learned, committed or not, by value.
    pub fn into_report(self) -> R {
        match self {
            Self::Committed(report) | Self::Rejected(report) => report,
        }
    }
}

/// A report of what was learned.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "there is one of a call, and it is not kept")]
pub enum Learned {
    /// The report of a pack that answers one class a sample.
    Head(LearnedHead),
    /// The report of a pack that answers a class for each place.
    Places(LearnedPlaces),
}

impl Learned {
    /// How many samples were learned from, those of earlier calls included.
    #[must_use]
    pub fn samples(&self) -> usize {
        match self {
            Self::Head(learned) => learned.samples,
            Self::Places(learned) => learned.samples,
        }
    }

    /// The classes that are known now.
    #[must_use]
    pub fn classes(&self) -> &[ClassCount] {
        match self {
            Self::Head(learned) => &learned.classes,
            Self::Places(learned) => &learned.classes,
        }
    }

    /// Share of held-out samples, or places of pictures, that are answered rightly.
    #[must_use]
    pub fn held_out_accuracy(&self) -> Option<f64> {
        match self {
            Self::Head(learned) => learned.held_out_accuracy,
            Self::Places(learned) => learned.held_out_accuracy,
        }
    }

    /// Why what was learned was not made current; `None` where it was.
    #[must_use]
    pub fn rejected(&self) -> Option<&str> {
        match self {
            Self::Head(learned) => learned.rejected.as_deref(),
            Self::Places(learned) => learned.rejected.as_deref(),
        }
    }
}

/// Report of what was learned by a pack that answers one class a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedHead {
    /// How many samples the head was learned from, those of earlier calls included.
    pub samples: usize,
    /// How many samples were not known before.
    pub new_samples: usize,
    /// How many samples were there under another class: the newest label stands.
    pub corrected_samples: usize,
    /// How many samples the budget of bytes left no room for, of the classes that have most.
    pub dropped_samples: usize,
    /// How many samples the state keeps a copy of.
    pub kept_samples: usize,
    /// How many files have content that was given before in this call, under the same class: it is learned once.
    pub duplicate_samples: usize,
    /// Files with one content that were given different classes. Which class is right cannot be told, so they are not learned; a sample
    /// that was known keeps its class.
    pub conflicts: Vec<Vec<GivenAs>>,
    /// New samples that show what another one shows, as a picture that was saved again does. They are learned. At most 64 are told, of the
    /// first 4,000 new samples or so.
    pub near_duplicates: Vec<Near>,
    /// New samples whose labels look wrong: the head before surely prefers another class. They are not learned from, unless by force.
    pub set_aside: Vec<Aside>,
    /// Files that were passed over because neither their name nor their content is a sample's.
    pub skipped_files: usize,
    /// Bad samples that were left out, as the caller allowed.
    pub bad_files: Vec<BadFile>,
    /// Seconds that learning took.
    pub seconds: f64,
    /// The share of `seconds` that training took; the rest is mostly the backbone.
    pub training_seconds: f64,
    /// Share of held-out samples that are answered rightly.
    pub held_out_accuracy: Option<f64>,
    /// The learner of the head.
    pub learner: &'static str,
    /// Whether `auto` would have taken more memory than there is; then `sgd` learned the head.
    pub short_of_memory: bool,
    /// The kernels or the engine that computed the features of new samples.
    pub backbone: String,
    /// The classes that are known now.
    pub classes: Vec<ClassCount>,
    /// Pairs of classes that look the same, one of which the samples brought.
    pub look_alike: Vec<[String; 2]>,
    /// A best probability below this means "unknown".
    pub unknown_threshold: f32,
    /// Effect of the threshold, as measured by leaving each class out in turn; absent without a limit to false accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
    /// Whether the threshold of a limit to false accepts is that of before, because it cannot be measured any more.
    pub threshold_kept: bool,
    /// Settings of the state that this call changed.
    pub changed_settings: Vec<ChangedSetting>,
    /// Size of the head's record in bytes.
    pub head_bytes: usize,
    /// Effect of the new samples on those that were known before; `null` where there were none, or nothing is new.
    pub known_samples: Option<Known>,
    /// How little these samples count, where many of before leave them little room; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outweighed: Option<Outweighed>,
    /// Accuracy before and after on the samples that were not learned from.
    pub reports: Vec<Reported>,
    /// Why the head was not made current; `null` where it was.
    pub rejected: Option<String>,
}

/// A report of samples that count for little beside those of before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outweighed {
    /// How much the others count together for each one that one of these counts.
    pub others: f64,
    /// Share of these samples that the head answers rightly, which it was learned from.
    pub together: f64,
    /// Share of these samples that a head of them alone answers rightly, while they are held out.
    pub alone: f64,
}

/// Effect of a threshold on samples of classes that were never taught.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Unknown {
    /// Part of the samples of classes that the head did not know which is answered all the same.
    pub false_accepts: f64,
    /// Part of the right answers to held-out samples of known classes that becomes "unknown".
    pub given_up: f64,
}

/// A new sample that was set aside because its label looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aside {
    /// The sample's file.
    pub file: String,
    /// The class that it was given.
    pub class: String,
}

/// Effect of an update on what was known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Known {
    /// How many known samples were held out.
    pub held_out: u32,
    /// How many of them were answered rightly without the update.
    pub right_before: u32,
    /// How many of them are answered rightly with the update.
    pub right_after: u32,
    /// How many labels for known classes the update brought.
    pub new: u32,
    /// How many of these labels the head before agrees with.
    pub agreed: u32,
    /// The part of the answers that was lost, each weighed by how sure it is. Where samples count as several, each is weighed by that too,
    /// and what such new ones gain is added.
    pub loss: f64,
    /// The standard error of `loss`.
    pub standard_error: f64,
    /// How much more likely other classes are than the given labels to the head before, beyond its usual mistakes.
    pub contradiction: f64,
    /// Distance of the new samples from the known ones' mean, in units of the known ones' own distance from it.
    pub strangeness: f64,
}

impl From<Effect> for Known {
    fn from(effect: Effect) -> Self {
        Self {
            held_out: effect.held_out,
            right_before: effect.before,
            right_after: effect.after,
            new: effect.new,
            agreed: effect.agreed,
            loss: effect.loss,
            standard_error: effect.error,
            contradiction: effect.contradiction,
            strangeness: effect.strangeness,
        }
    }
}

/// Report of what was learned by a pack that answers a class for each place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedPlaces {
    /// How many pictures were learned from, those of earlier calls included.
    pub samples: usize,
    /// How many pictures were not known before.
    pub new_samples: usize,
    /// How many pictures were there with another mask: the newest stands.
    pub corrected_samples: usize,
    /// How many files have content that was given before in this call, with the same mask: it is learned once.
    pub duplicate_samples: usize,
    /// Files with one content that were given different masks: they are not learned.
    pub conflicts: Vec<Vec<GivenAs>>,
    /// Files that were passed over because neither their name nor their content is a sample's.
    pub skipped_files: usize,
    /// Bad samples that were left out, as the caller allowed.
    pub bad_files: Vec<BadFile>,
    /// Seconds that learning took.
    pub seconds: f64,
    /// The share of `seconds` that training took.
    pub training_seconds: f64,
    /// The most memory that this process ever had resident; `null` where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// Share of the held-out pictures' places that are answered as most of their pixels are.
    pub held_out_accuracy: Option<f64>,
    /// The classes, each with the number of pictures that show it.
    pub classes: Vec<ClassCount>,
    /// Size of the head's record in bytes.
    pub head_bytes: usize,
    /// Settings of the state that are others now than before.
    pub changed_settings: Vec<ChangedSetting>,
    /// Why the head was not made current; `null` where it was.
    pub rejected: Option<String>,
}
