//! What a commit costs beside learning a batch of ten samples.

use std::path::Path;
use std::time::{Duration, Instant};

use headstart::head::Random;
use headstart::head::pooled::on_threads;
use serde::Serialize;

use super::super::handle::Device;
use super::times::Times;
use crate::state::{FeatureCache, StateFolder, StateProblem};
use crate::training::{self, Choice, harm};
use crate::{Error, Head, memory};

/// Samples that are learned before a commit, at most.
const BATCH: usize = 10;
/// Samples a class of the cache that stands in where there is none, or too small a one.
const STAND_IN_SAMPLES: usize = 10;
const RUNS: usize = 15;

/// How long it takes to learn a few samples, and to commit them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Commits {
    /// How many samples are kept, the batch included.
    pub samples: usize,
    /// Milliseconds of `learn` for the batch: preprocessing and backbone, whether it does harm, and a head of all samples. Pictures are not
    /// decoded, and nothing is learned as crops.
    pub learn_ms: Times,
    /// Milliseconds of the commit: features of the batch (all of them where they are few), commit and head, each a file that is written,
    /// synchronised and renamed, and the folder with it.
    pub commit_ms: Times,
    /// The median time of a commit as a share of that of learning.
    pub share: f64,
}

/// Commits to a temporary folder beside the state's, or in the working folder; nothing of it is left.
pub(super) fn measure(
    device: &Device,
    head: &Head,
    sample: Duration,
) -> Result<Option<Commits>, Error> {
    let pack = device.pack();
    if pack.tail().is_some() {
        return Ok(None);
    }
    let digest = pack.backbone_digest();
    let kept = match &device.state {
        Some(folder) => folder.features(&digest, pack.feature_len())?,
        None => None,
    };
    let mut cache = match kept.filter(|cache| cache.classes().len() > 1 && cache.len() > BATCH) {
        Some(cache) => cache,
        None => stand_in(pack.feature_len(), head),
    };
    cache.sort();
    // All but the batch was known: samples from all over it, as their order is that of what they are.
    let batch: Vec<_> =
        cache.ids().iter().step_by(cache.len().div_ceil(BATCH).max(2)).copied().collect();
    let mut known = cache.clone();
    known.forget_samples(&batch);
    known.sort();
    let passes = sample * batch.len() as u32;
    let (mut learn, mut commit) = (Vec::new(), Vec::new());
    let beside = device.state().and_then(Path::parent).filter(|path| path.is_dir());
    let mut folder = tempfile::Builder::new();
    folder.prefix(".headstart-bench-");
    let Ok(place) = folder.tempdir_in(beside.unwrap_or(Path::new("."))) else { return Ok(None) };
    let state = StateFolder::new(place.path());
    let lock = state.lock()?;
    let failed = |problem| Error::training(place.path(), problem);
    let threads = device.compute.threads;
    let train = |cache: &FeatureCache| {
        on_threads(threads, || training::train(cache, None, Choice::auto(), digest)).map_err(failed)
    };
    lock.commit(&known, &digest, &train(&known)?, "bench")?;
    let gone = || Error::state(place.path(), StateProblem::NoFeatures);
    let known = state.features(&digest, pack.feature_len())?.ok_or_else(gone)?;
    for run in 0..RUNS {
        let mut next = known.clone();
        next.merge(&cache);
        // Another label each time: what is the same already is not written again.
        next.label(&batch[0], (run % cache.classes().len()) as u16);
        next.sort();
        let mut settled = next.clone();
        let begun = Instant::now();
        let given = batch.len();
        on_threads(threads, || harm::settle(&known, &mut settled, given, memory::free()))
            .map_err(failed)?;
        let record = train(&next)?;
        learn.push(passes + begun.elapsed());
        let begun = Instant::now();
        lock.commit(&next, &digest, &record, "bench")?;
        commit.push(begun.elapsed());
    }
    learn.sort_unstable();
    commit.sort_unstable();
    let (learn_ms, commit_ms) = (Times::new(&learn, 1e3), Times::new(&commit, 1e3));
    let share = commit_ms.median / learn_ms.median;
    Ok(Some(Commits { samples: cache.len(), learn_ms, commit_ms, share }))
}

/// Random features, some of each class.
fn stand_in(features: usize, head: &Head) -> FeatureCache {
    let (mut cache, mut random) = (FeatureCache::new(features), Random::new(1));
    for name in head.labels() {
        let label = cache.class(name).expect("a head has no more classes than a cache can");
        for _ in 0..STAND_IN_SAMPLES {
            let row: Vec<i8> = (0..features).map(|_| random.next_u32() as i8).collect();
            let id = std::array::from_fn(|_| random.next_u32() as u8);
            cache.insert(id, label, &row);
        }
    }
    cache
}
