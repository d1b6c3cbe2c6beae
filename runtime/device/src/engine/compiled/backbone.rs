//! A backbone's integers, in float.

use headstart::burn::Integers;
use headstart::pack::Pack;

use super::super::Backend;
use super::super::work::{RunBackbone, Uploaded};
use super::backends::{failed, on_backend};
use crate::training::TrainingProblem;

/// Memory that the values of a batch may take.
const BATCH_BYTES: usize = 256 << 20;
/// Most samples of a batch.
const MOST: usize = 64;

/// The backbone on that engine.
pub(in crate::engine) fn upload_backbone(
    pack: &Pack<'_>,
    backend: Backend,
) -> Result<Uploaded, TrainingProblem> {
    on_backend!(backend, B, device => {
        let integers = Integers::<B>::new(pack, device).map_err(failed)?;
        let live = integers.live_elements().saturating_mul(size_of::<f32>());
        let size = (BATCH_BYTES / live.max(1)).clamp(1, MOST);
        let proven = integers.is_exact();
        let run = move |inputs: &[i8]| integers.features(inputs).map_err(|e| e.to_string());
        Ok(Uploaded { run: Box::new(run) as RunBackbone, size, proven })
    })
}
