//! Samples in parts, each of which is held out once.

use crate::state::FeatureCache;

/// Parts of samples, each held out once.
pub(super) const PARTS: usize = 4;

/// Samples of which every `step`-th of a class goes into one of [`PARTS`] parts, where it is chosen.
pub(super) fn in_parts(
    cache: &FeatureCache,
    step: usize,
    is_chosen: impl Fn(usize, usize) -> bool,
) -> Vec<Vec<usize>> {
    let mut counts = vec![0; cache.classes().len()];
    let mut parts = vec![Vec::new(); PARTS];
    for (at, &label) in cache.labels().iter().enumerate() {
        let place = &mut counts[usize::from(label)];
        if is_chosen(at, label.into())
            && let Some(part) = parts.get_mut(*place % step)
        {
            part.push(at);
        }
        *place += 1;
    }
    parts
}
