//! Whether an update makes what was known worse, and how that is said.

use headstart::head::pooled::on_threads;

use super::super::handle::Device;
use super::options::LearnOptions;
use crate::Error;
use crate::state::FeatureCache;
use crate::training::harm::{self, Effect, Harm, Settled};

/// What the update does, as far as it can be told, and what is set aside of it.
pub(super) fn settle(
    device: &Device,
    options: &LearnOptions<'_>,
    known: &FeatureCache,
    new: &mut FeatureCache,
    given: usize,
) -> Result<Settled, Error> {
    let pack = device.pack();
    // Pixels alone tell too little of what an update does.
    if pack.tail().is_some() && pack.node_count() == 0 {
        return Ok(Settled::default());
    }
    let path = device.folder()?.path();
    let (force, memory) = (options.force, options.memory());
    let settled = on_threads(device.compute.threads, || {
        if force {
            let effect = harm::effect(known, new, memory)?;
            return Ok(Settled { effect, aside: Vec::new() });
        }
        harm::settle(known, new, given, memory)
    });
    settled.map_err(|problem| Error::training(path, problem))
}

pub(super) fn reason(effect: &Effect, harm: Harm) -> String {
    let percent = |part: f64| format!("{:.0} %", 100.0 * part);
    let why = match harm {
        Harm::Loss if effect.counted.is_some() => format!(
            "all samples together, each as it counts, lose {} of their answers",
            percent(effect.loss)
        ),
        Harm::Loss => format!("what was known loses {} of its answers", percent(effect.loss)),
        Harm::NewClasses => "the new classes take over answers of the old ones".to_owned(),
        Harm::MostLabels => format!(
            "most labels look wrong (the head before surely prefers another class to {} of {})",
            effect.doubtful, effect.given
        ),
        Harm::Labels => format!(
            "the labels look wrong (the head before prefers another class by {}) and cost what was known",
            percent(effect.contradiction)
        ),
        Harm::Class => format!(
            "the labels of one class look wrong (another one is preferred by {}), and it loses {} of its answers",
            percent(effect.class_contradiction),
            percent(effect.class_loss)
        ),
        Harm::Strange => format!(
            "the samples lie {:.1} times as far out as the known ones and teach nothing about these: is the camera covered or broken?",
            effect.strangeness
        ),
    };
    format!(
        "{why}; of {} samples that were known before, {} were answered rightly without the new ones and {} with them, and the head before agrees with the labels of {} of {} new ones: look at them",
        effect.held_out, effect.before, effect.after, effect.agreed, effect.new
    )
}
