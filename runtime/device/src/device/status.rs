//! What was learned.

use std::collections::BTreeMap;

use serde::Serialize;

use super::foreign::copies;
use super::handle::Device;
use super::report::ClassCount;
use crate::Error;
use crate::os::fs;
use crate::samples::hex;
use crate::segmentation::row_len;
use crate::state::{Bits, FeatureCache, Kept, Settings};

/// Report of [`Device::status`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The name of the model that was packed.
    pub model: String,
    /// The tensor where the model was frozen.
    pub freeze_point: String,
    /// The first eight bytes of the backbone's digest.
    pub backbone: String,
    /// How many features a sample has.
    pub features: usize,
    /// Where the head in use comes from: `state`, or `pack` for the one that the pack ships.
    pub head: &'static str,
    /// The learner of the head in use.
    pub learner: &'static str,
    /// Units of the hidden layer; `null` for a linear head.
    pub hidden_units: Option<usize>,
    /// How many samples the head was learned from.
    pub samples: usize,
    /// The head's classes.
    pub classes: Vec<ClassCount>,
    /// Share of held-out samples that the head answers rightly.
    pub held_out_accuracy: Option<f64>,
    /// A best probability below this means "unknown".
    pub unknown_threshold: f32,
    /// The learner that was asked for, which learns the next head too; `auto` where none was.
    pub learns_with: &'static str,
    /// The limit to false accepts that was asked for; `null` without one.
    pub false_accepts: Option<f32>,
    /// Whether heads are kept as float16.
    pub half: bool,
    /// How often each new picture is shown to the backbone, where that was asked for.
    pub views: Option<u8>,
    /// The most bytes of features that are kept, where that was asked for.
    pub max_bytes: Option<u64>,
    /// Settings of training a tail that were asked for, by their names.
    pub tail: BTreeMap<&'static str, String>,
    /// Size of the head's record in bytes.
    pub head_bytes: usize,
    /// How many samples have their features cached; more than `samples` where learning was cut off before its head was stored.
    pub cached_samples: usize,
    /// How many samples the state keeps a copy of.
    pub kept_samples: usize,
    /// Bytes that the copies take.
    pub kept_bytes: u64,
    /// Bits in which each cached feature is kept.
    pub feature_bits: u8,
}

impl Device {
    /// Reports what was learned, and what answers.
    ///
    /// # Errors
    /// [`StateProblem::NoHead`](crate::state::StateProblem::NoHead); those of the state's files.
    pub fn status(&self) -> Result<Status, Error> {
        let (folder, pack) = (self.folder()?, self.pack());
        let head = self.head()?;
        let of_state = folder.head()?.is_some();
        let cache = folder.features(&pack.backbone_digest(), row_len(&pack))?;
        let kept = match &cache {
            Some(cache) => copies(folder, cache)?,
            None => Kept::new(),
        };
        let classes = ClassCount::of(&head);
        let settings = if of_state { folder.settings(&head) } else { Settings::default() };
        let provenance = pack.provenance();
        Ok(Status {
            model: provenance.model.to_owned(),
            freeze_point: provenance.freeze_point.to_owned(),
            backbone: hex(&pack.backbone_digest()[..8]),
            features: pack.feature_len(),
            head: if of_state { "state" } else { "pack" },
            learner: head.learner().name(),
            hidden_units: head.hidden_units(),
            samples: classes.iter().map(|c| c.samples as usize).sum(),
            classes,
            held_out_accuracy: head.held_out_accuracy(),
            unknown_threshold: head.unknown_threshold(),
            learns_with: settings.learner_name(),
            false_accepts: settings.false_accepts,
            half: settings.half,
            views: settings.views,
            max_bytes: settings.max_bytes,
            tail: tail(&settings),
            head_bytes: head.record_bytes(),
            cached_samples: cache.as_ref().map_or(0, FeatureCache::len),
            kept_samples: kept.len(),
            kept_bytes: bytes(&kept),
            feature_bits: match cache.map(|cache| cache.bits()) {
                Some(Bits::Four) => 4,
                Some(Bits::Eight) | None => 8,
            },
        })
    }
}

/// What was asked for of a tail's training.
fn tail(settings: &Settings) -> BTreeMap<&'static str, String> {
    let said = settings.tail.said().into_iter().filter(|(_, values)| !values.is_empty());
    said.map(|(setting, values)| (setting.name(), values.join(", "))).collect()
}

/// What copies take; one that is gone meanwhile takes nothing.
fn bytes(kept: &Kept) -> u64 {
    kept.values().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
}
