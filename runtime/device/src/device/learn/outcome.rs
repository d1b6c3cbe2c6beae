//! What learning did.

use serde::Serialize;

use super::super::changed::ChangedSetting;
use super::super::report::{BadFile, ClassCount};
use super::given::{GivenAs, Near};
use super::reports::Reported;
use crate::training::harm::Effect;

/// Whether what was learned answers from now on.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<R = Learned> {
    /// It was committed.
    Committed(R),
    /// It answers what was known before worse. It is kept as the rejected candidate, the head before still answers, and
    /// nothing else is changed.
    Rejected(R),
}

impl<R> Outcome<R> {
    pub(in super::super) fn of(report: R, is_rejected: impl FnOnce(&R) -> bool) -> Self {
        if is_rejected(&report) { Self::Rejected(report) } else { Self::Committed(report) }
    }

    /// What was learned, committed or not.
    pub fn report(&self) -> &R {
        match self {
            Self::Committed(report) | Self::Rejected(report) => report,
        }
    }

    /// What was learned, committed or not, by value.
    pub fn into_report(self) -> R {
        match self {
            Self::Committed(report) | Self::Rejected(report) => report,
        }
    }
}

/// What was learned.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "there is one of a call, and it is not kept")]
pub enum Learned {
    /// By a pack that answers one class a sample.
    Head(LearnedHead),
    /// By a pack that answers a class for each place.
    Places(LearnedPlaces),
}

impl Learned {
    /// Samples that were learned from, those of earlier calls included.
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

/// What was learned by a pack that answers one class a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedHead {
    /// Samples that the head was learned from, those of earlier calls included.
    pub samples: usize,
    /// Those that were not known before.
    pub new_samples: usize,
    /// Samples that were there under another class: the newest label stands.
    pub corrected_samples: usize,
    /// Samples that the budget of bytes left no room for, of the classes that have most.
    pub dropped_samples: usize,
    /// Samples of which the state keeps a copy.
    pub kept_samples: usize,
    /// Files whose content was given before in this call, under the same class: it is learned once.
    pub duplicate_samples: usize,
    /// Files with one content that were given different classes. Which is right cannot be told, so they are not learned;
    /// a sample that was known keeps its class.
    pub conflicts: Vec<Vec<GivenAs>>,
    /// New samples that show the same as another one, as a picture that was saved again does. They are learned. At most 64 are
    /// told, of the first 4,000 new samples or so.
    pub near_duplicates: Vec<Near>,
    /// New samples whose labels look wrong: the head before surely prefers another class. They are not learned from,
    /// unless by force.
    pub set_aside: Vec<Aside>,
    /// Files that were passed over because neither name nor content is a sample's.
    pub skipped_files: usize,
    /// Bad samples that were left out, as the call allowed.
    pub bad_files: Vec<BadFile>,
    /// How long it took.
    pub seconds: f64,
    /// The share of `seconds` that training took; the rest is mostly the backbone.
    pub training_seconds: f64,
    /// Share of held-out samples that are answered rightly.
    pub held_out_accuracy: Option<f64>,
    /// What learned the head.
    pub learner: &'static str,
    /// Whether `auto` would have taken more memory than there is; then `sgd` learned the head.
    pub short_of_memory: bool,
    /// What computed the features of new samples.
    pub backbone: String,
    /// The classes that are known now.
    pub classes: Vec<ClassCount>,
    /// Pairs of classes that look the same, one of which the samples brought.
    pub look_alike: Vec<[String; 2]>,
    /// A best probability below this means "unknown".
    pub unknown_threshold: f32,
    /// With a limit to false accepts: what the threshold does, as measured by leaving each class out in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
    /// Whether the threshold of a limit to false accepts is that of before, because it cannot be measured any more.
    pub threshold_kept: bool,
    /// Settings of the state that are others now than before.
    pub changed_settings: Vec<ChangedSetting>,
    /// Size of the head's record.
    pub head_bytes: usize,
    /// What the new samples did to those that were known before; `null` where there were none, or
    /// nothing is new.
    pub known_samples: Option<Known>,
    /// Where many samples of before leave little room for these: how little.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outweighed: Option<Outweighed>,
    /// Accuracy before and after on the samples that were not learned from.
    pub reports: Vec<Reported>,
    /// Why the head was not made current; `null` where it was.
    pub rejected: Option<String>,
}

/// Samples that count for little beside those of before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outweighed {
    /// What the others count together for each one that one of these counts.
    pub others: f64,
    /// Share of these samples that the head answers rightly, which it was learned from.
    pub together: f64,
    /// The same share, held out, of a head of these samples alone.
    pub alone: f64,
}

/// What a threshold does to samples of classes that were never taught.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Unknown {
    /// Part of the samples of classes that the head did not know which is answered all the same.
    pub false_accepts: f64,
    /// Part of the right answers to held-out samples of known classes that becomes "unknown".
    pub given_up: f64,
}

/// A sample that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aside {
    /// Its file.
    pub file: String,
    /// The class that it was given.
    pub class: String,
}

/// What an update did to what was known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Known {
    /// Known samples that were held out.
    pub held_out: u32,
    /// Those that were answered rightly without the update.
    pub right_before: u32,
    /// Those that are answered rightly with it.
    pub right_after: u32,
    /// Labels for known classes that the update brought.
    pub new: u32,
    /// Those of them that the head before agrees with.
    pub agreed: u32,
    /// What the answers lost, as a part of them, each weighed by how sure it is; where samples count as several, with what such new
    /// ones gain, each as it counts.
    pub loss: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// By how much the head before prefers other classes to these labels, beyond its usual mistakes.
    pub contradiction: f64,
    /// How far out the new samples lie, in units of the known ones' distance from their mean.
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

/// What was learned by a pack that answers a class for each place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedPlaces {
    /// Pictures that were learned from, those of earlier calls included.
    pub samples: usize,
    /// Those that were not known before.
    pub new_samples: usize,
    /// Pictures that were there with another mask: the newest stands.
    pub corrected_samples: usize,
    /// Files whose content was given before in this call, with the same mask: it is learned once.
    pub duplicate_samples: usize,
    /// Files with one content that were given different masks: they are not learned.
    pub conflicts: Vec<Vec<GivenAs>>,
    /// Files that were passed over because neither name nor content is a sample's.
    pub skipped_files: usize,
    /// Bad samples that were left out, as the call allowed.
    pub bad_files: Vec<BadFile>,
    /// How long it took.
    pub seconds: f64,
    /// The share of `seconds` that training took.
    pub training_seconds: f64,
    /// The most memory that this process ever had resident; `null` where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// Share of the held-out pictures' places that are answered as most of their pixels are.
    pub held_out_accuracy: Option<f64>,
    /// The classes, each with the pictures that show it.
    pub classes: Vec<ClassCount>,
    /// Size of the head's record.
    pub head_bytes: usize,
    /// Why the head was not made current; `null` where it was.
    pub rejected: Option<String>,
}
