//! Options of learning, as plain data.

use headstart::head::Learner;
use headstart::pack::Pack;

use crate::engine::Backend;
use crate::request::{RequestProblem, Setting};
use crate::segmentation::is_per_place;
use crate::state::{Bits, MAX_WEIGHT, Settings, TailSettings};
use crate::training::Choice;
use crate::{Error, Head, MAX_UNITS, memory};

use super::super::handle::Device;
use super::super::labelled::Labelled;

/// How [`Device::learn`] learns. The default is what suits most.
#[derive(Clone, Debug, Default)]
pub struct LearnOptions<'a> {
    /// The learner of the head. Without one, the head is trained by the engine that the device was opened with, as the state's heads are,
    /// or by `auto`.
    pub learner: Option<Learning>,
    /// Units of a hidden layer between features and classes, 1 to [`MAX_UNITS`], where an engine trains the head. Without, as many as the
    /// head before has.
    pub hidden: Option<usize>,
    /// How often each new picture is shown to the backbone, 1 to 5: whole, and as crops; 0 for 3 where `auto` learns and no class has
    /// more than 50 samples, else 1. Without, as the state does.
    pub views: Option<usize>,
    /// The most false accepts: the part of the samples of classes that were never taught which may be answered, 0 to 1, as measured by
    /// leaving each class out in turn; 1 sets no limit. Without, the state's own limit holds.
    pub false_accepts: Option<f32>,
    /// Keeps the head's weights as float16 and leaves its prototypes out: 2 bytes a weight instead of 5. Without, as the state
    /// does.
    pub half: Option<bool>,
    /// The most bytes of features to keep: where there are more, the classes that have most lose samples. `u64::MAX` sets no limit.
    /// Without, the state's own limit holds.
    pub max_bytes: Option<u64>,
    /// Bits that features are kept in from now on, those of before too.
    pub kept_bits: Option<Bits>,
    /// Keeps a copy of each sample's file from now on: what [`Device::adopt`] learns from.
    pub keep_samples: bool,
    /// The weight of these samples, the known ones among them, from now on. Without, new ones count once and known ones as before.
    pub weight: Option<Weight>,
    /// How a pack's tail is trained; what is not set here is as the state does it.
    pub tail: TailSettings,
    /// Whether what was set before for the tail no longer holds: it is trained as usual, but for what `tail` sets.
    pub tail_anew: bool,
    /// Samples that are not learned from, on which the heads before and after are compared and reported.
    pub reports: Vec<Labelled<'a>>,
    /// Bytes that training may take; without, what is free. Where `auto` would take more, `sgd` learns the head.
    pub memory: Option<usize>,
    /// Makes the head current even if it answers what was known before worse.
    pub force: bool,
}

/// The weight of samples beside others, in everything that is learned from them. It is kept with each of them, and is not changed by what
/// is learned or forgotten later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Each sample counts as so many, 1 to [`MAX_WEIGHT`].
    Each(u16),
    /// All samples together count about as much as all others that are there; each as [`MAX_WEIGHT`] samples at most.
    AsAllOthers,
}

impl Weight {
    /// Of one sample, where so many are given, and the others together count as `others`.
    pub(super) fn of_each(self, others: usize, given: usize) -> u16 {
        match self {
            Self::Each(weight) => weight,
            Self::AsAllOthers => {
                let each = others.div_ceil(given.max(1)).clamp(1, usize::from(MAX_WEIGHT));
                u16::try_from(each).unwrap_or(MAX_WEIGHT)
            }
        }
    }
}

/// A learner that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Learning {
    /// The default learner: picks and regularises by held-out accuracy, as far as memory goes.
    Auto,
    /// A learner by name: softmax regression by stochastic gradients, least squares in closed form, class means, or linear discriminants.
    Named(Learner),
}

impl LearnOptions<'_> {
    /// The learner, where none was named.
    pub(super) fn learning(&self) -> Learning {
        self.learner.unwrap_or(Learning::Auto)
    }

    /// Bytes that training may take.
    pub(super) fn memory(&self) -> usize {
        self.memory.unwrap_or_else(memory::free)
    }

    /// Whether the device's engine trains the head.
    pub(super) fn trains_on_engine(&self, engine: Option<Backend>) -> bool {
        engine.is_some() && self.learner.is_none()
    }

    /// The limit to false accepts that is asked for, if one is.
    pub(super) fn limit(&self) -> Option<f32> {
        self.false_accepts.filter(|part| *part < 1.0)
    }

    /// The settings of the state from now on: those of before, but for what is asked for.
    pub(super) fn settings(&self, before: Settings, engine: Option<Backend>) -> Settings {
        let learner = match self.learner {
            Some(Learning::Named(learner)) => Some(learner),
            Some(Learning::Auto) => None,
            None => before.learner.filter(|_| engine.is_none()),
        };
        Settings {
            learner,
            false_accepts: self.false_accepts.map_or(before.false_accepts, |_| self.limit()),
            half: self.half.unwrap_or(before.half),
            views: match self.views {
                Some(views) => u8::try_from(views).ok().filter(|&views| views > 0),
                None => before.views,
            },
            max_bytes: match self.max_bytes {
                Some(bytes) => Some(bytes).filter(|&bytes| bytes < u64::MAX),
                None => before.max_bytes,
            },
            tail: if self.tail_anew { self.tail.clone() } else { self.tail.over(&before.tail) },
        }
    }

    /// How the head is trained, on top of this one.
    pub(super) fn choice(
        &self,
        settings: &Settings,
        engine: Option<Backend>,
        before: Option<&Head>,
    ) -> Choice {
        if let Some(backend) = engine.filter(|_| self.trains_on_engine(engine)) {
            let hidden = self.hidden.or(before.and_then(Head::hidden_units));
            return Choice::Burn { backend, hidden };
        }
        settings.learner.map_or(Choice::Auto { memory: self.memory() }, Choice::of)
    }

    /// Refuses what does not fit the pack, or this program.
    pub(super) fn check(&self, device: &Device) -> Result<(), Error> {
        let pack = device.pack();
        self.refuse_ranges(device)?;
        let needs_engine = self.hidden.is_some() && pack.tail().is_none();
        if needs_engine && !self.trains_on_engine(device.compute.engine) {
            return Err(device.refuse(RequestProblem::NeedsEngine(Setting::Hidden)));
        }
        let Some(_) = pack.tail() else {
            return match self.tail.given() {
                Some(setting) => Err(device.refuse(RequestProblem::NoTail(setting))),
                None => Ok(()),
            };
        };
        if let Some(problem) = self.refused_by_tail(&pack) {
            return Err(device.refuse(problem));
        }
        if Backend::fastest().is_none() {
            return Err(Error::no_engine(device.pack_file().path(), &pack));
        }
        let of_pictures = [
            (self.views.is_some(), Setting::Views),
            (!self.reports.is_empty(), Setting::Reports),
            (self.max_bytes.is_some(), Setting::MaxBytes),
            (self.kept_bits.is_some(), Setting::KeptBits),
        ];
        let given = of_pictures.into_iter().find_map(|(given, setting)| given.then_some(setting));
        match given.filter(|_| is_per_place(&pack)) {
            Some(setting) => Err(device.refuse(RequestProblem::NotOfPlaces(setting))),
            None => Ok(()),
        }
    }

    /// What is not for a pack with a tail.
    fn refused_by_tail(&self, pack: &Pack<'_>) -> Option<RequestProblem> {
        let of_heads = [
            (self.learning() != Learning::Auto, Setting::Learner),
            (self.hidden.is_some(), Setting::Hidden),
        ];
        let given = of_heads.into_iter().find_map(|(given, setting)| given.then_some(setting));
        if let Some(setting) = given {
            Some(RequestProblem::OfHeads(setting))
        } else if self.false_accepts.is_some() {
            Some(RequestProblem::Strangers)
        } else if self.half == Some(true) {
            Some(RequestProblem::OfHeads(Setting::Half))
        } else if self.weight.is_some() {
            Some(RequestProblem::OfHeads(Setting::Weight))
        } else if self.kept_bits.is_some() && !is_per_place(pack) {
            Some(RequestProblem::OfHeads(Setting::KeptBits))
        } else {
            self.keep_samples.then_some(RequestProblem::TailKeep)
        }
    }

    fn refuse_ranges(&self, device: &Device) -> Result<(), Error> {
        let outside = |setting, found: String, allowed| {
            Err(device.refuse(RequestProblem::OutOfRange { setting, found, allowed }))
        };
        if let Some(views) = self.views.filter(|views| *views > 5) {
            let allowed = "a number from 1 to 5, or 0 for as many as suit";
            return outside(Setting::Views, views.to_string(), allowed);
        }
        if let Some(Learning::Named(
            learner @ (Learner::Logistic | Learner::Blend | Learner::Other),
        )) = self.learner
        {
            let allowed = "auto, sgd, ridge, imprint or lda";
            return outside(Setting::Learner, learner.to_string(), allowed);
        }
        if let Some(units) = self.hidden.filter(|units| !(1..=MAX_UNITS).contains(units)) {
            return outside(Setting::Hidden, units.to_string(), "a number from 1 to 4096");
        }
        if let Some(Weight::Each(weight)) = self.weight
            && !(1..=MAX_WEIGHT).contains(&weight)
        {
            return outside(Setting::Weight, weight.to_string(), "a number from 1 to 100");
        }
        if let Some(part) = self.false_accepts.filter(|part| !(0.0..=1.0).contains(part)) {
            return outside(Setting::FalseAccepts, part.to_string(), "a number from 0 to 1");
        }
        match self.tail.out_of_range() {
            Some((setting, found, allowed)) => outside(setting, found, allowed),
            None => Ok(()),
        }
    }
}
