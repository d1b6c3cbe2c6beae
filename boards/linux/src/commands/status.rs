//! `status`: what was learned.

use std::process::ExitCode;

use headstart_device::PackFile;
use headstart_device::segmentation::row_len;
use headstart_device::state::{Bits, FeatureCache, StateFolder};
use serde::Serialize;

use super::classes::{self, Class};
use super::kept;
use crate::cli::Status;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Standing {
    model: String,
    freeze_point: String,
    backbone: String,
    features: usize,
    /// `state`, or `pack` where the head that the pack ships is in use.
    head: &'static str,
    learner: &'static str,
    /// Units of the hidden layer; `null` for a linear head.
    hidden_units: Option<usize>,
    samples: usize,
    classes: Vec<Class>,
    held_out_accuracy: Option<f64>,
    unknown_threshold: f32,
    head_bytes: usize,
    /// Samples whose features are cached; more than `samples` where a `learn` was cut off before
    /// its head was stored.
    cached_samples: usize,
    /// Those of which the state keeps a copy, and what the copies take.
    kept_samples: usize,
    kept_bytes: u64,
    /// In how many bits each of these features is kept.
    feature_bits: u8,
}

pub(crate) fn run(args: &Status) -> anyhow::Result<ExitCode> {
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let (pack, counter) = file.trusted()?;
    let state = StateFolder::new(&args.state);
    let of_state = state.head()?.is_some();
    let head = super::required_head(Some(&args.state), &file, &pack)?;
    super::keep_counter(&file, Some(&args.state), counter)?;
    let cache = state.features(&pack.backbone_digest(), row_len(&pack))?;
    let kept = cache.as_ref().map(|cache| kept::of(&state, cache)).transpose()?.unwrap_or_default();
    let kept_bytes = kept::bytes(&kept);
    let classes = classes::of(&head);
    let provenance = pack.provenance();
    let standing = Standing {
        model: provenance.model.to_owned(),
        freeze_point: provenance.freeze_point.to_owned(),
        backbone: super::backbone_name(&pack),
        features: pack.feature_len(),
        head: if of_state { "state" } else { "pack" },
        learner: head.learner().name(),
        hidden_units: head.hidden_units(),
        samples: classes.iter().map(|c| c.samples as usize).sum(),
        classes,
        held_out_accuracy: head.held_out_accuracy(),
        unknown_threshold: head.unknown_threshold(),
        head_bytes: head.record_bytes(),
        cached_samples: cache.as_ref().map_or(0, FeatureCache::len),
        kept_samples: kept.len(),
        kept_bytes,
        feature_bits: match cache.map(|cache| cache.bits()) {
            Some(Bits::Four) => 4,
            _ => 8,
        },
    };
    output::print(&standing, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Standing {
    fn text(&self) -> String {
        let learner = match self.hidden_units {
            Some(units) => format!("{}, {units} hidden units", self.learner),
            None => self.learner.to_owned(),
        };
        let facts = [
            ("model", format!("{}, frozen at {}", self.model, self.freeze_point)),
            (
                "backbone",
                format!("{}, {} features", self.backbone, output::thousands(self.features)),
            ),
            (
                "head",
                format!("{} bytes, from the {}", output::thousands(self.head_bytes), self.head),
            ),
            ("learner", learner),
            ("held-out accuracy", output::percent(self.held_out_accuracy)),
            ("unknown below", output::percent(Some(f64::from(self.unknown_threshold)))),
            ("samples", output::thousands(self.samples)),
            ("cached samples", output::thousands(self.cached_samples)),
            (
                "kept samples",
                format!(
                    "{}, {} bytes",
                    output::thousands(self.kept_samples),
                    output::thousands(usize::try_from(self.kept_bytes).unwrap_or(usize::MAX))
                ),
            ),
            ("bits a feature", self.feature_bits.to_string()),
        ];
        format!("{}\n\n{}", output::facts(facts), classes::table(&self.classes, "samples"))
    }
}
