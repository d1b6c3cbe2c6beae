//! What a commit costs beside learning a batch of ten samples.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use headstart::head::Random;
use headstart::pack::Pack;
use headstart_device::state::{FeatureCache, StateFolder};
use headstart_device::training::{self, Choice, harm};
use headstart_device::{Error, Head, memory};
use serde::Serialize;

use super::Times;
use crate::cli::Bench;

/// Samples that are learned before a commit, at most.
const BATCH: usize = 10;
/// Samples a class of the cache that stands in where there is none, or too small a one.
const STAND_IN_SAMPLES: usize = 10;
const RUNS: usize = 15;

#[derive(Serialize)]
pub(super) struct Commits {
    /// Samples that are kept, the batch included.
    samples: usize,
    /// What `learn` does with the batch: preprocessing and backbone, whether it does harm, and a head of all samples. Pictures
    /// are not decoded, and nothing is learned as crops.
    pub(super) learn_ms: Times,
    /// Features of the batch (all of them where they are few), commit and head: each a file that is written, synchronised and
    /// renamed, and the folder with it.
    pub(super) commit_ms: Times,
    /// The medians' quotient.
    share: f64,
}

/// Commits to a temporary folder beside the state's, or in the working folder; nothing of it is left.
pub(super) fn measure(
    args: &Bench,
    pack: &Pack<'_>,
    head: &Head,
    sample: Duration,
) -> anyhow::Result<Option<Commits>> {
    if pack.tail().is_some() {
        return Ok(None);
    }
    let digest = pack.backbone_digest();
    let kept = match &args.state {
        Some(path) => StateFolder::new(path).features(&digest, pack.feature_len())?,
        None => None,
    };
    let mut cache = match kept.filter(|cache| cache.classes().len() > 1 && cache.len() > BATCH) {
        Some(cache) => cache,
        None => stand_in(pack.feature_len(), head)?,
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
    let beside = args.state.as_deref().and_then(Path::parent).filter(|path| path.is_dir());
    let mut folder = tempfile::Builder::new();
    folder.prefix(".headstart-bench-");
    let Ok(place) = folder.tempdir_in(beside.unwrap_or(Path::new("."))) else { return Ok(None) };
    let state = StateFolder::new(place.path());
    let lock = state.lock()?;
    let problem = |problem| Error::State { path: place.path().to_owned(), problem };
    let train = |cache: &FeatureCache| {
        training::train(cache, None, Choice::auto(), digest).map_err(problem)
    };
    lock.commit(&known, &digest, &train(&known)?, "bench")?;
    let known = state.features(&digest, pack.feature_len())?.context("the commit is gone")?;
    for run in 0..RUNS {
        let mut next = known.clone();
        next.merge(&cache);
        // Another label each time: what is the same already is not written again.
        next.label(&batch[0], (run % cache.classes().len()) as u16);
        next.sort();
        let mut settled = next.clone();
        let begun = Instant::now();
        harm::settle(&known, &mut settled, batch.len(), memory::free()).map_err(problem)?;
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
fn stand_in(features: usize, head: &Head) -> anyhow::Result<FeatureCache> {
    let (mut cache, mut random) = (FeatureCache::new(features), Random::new(1));
    for name in head.labels() {
        let label = cache.class(name).context("too many classes")?;
        for _ in 0..STAND_IN_SAMPLES {
            let row: Vec<i8> = (0..features).map(|_| random.next_u32() as i8).collect();
            let id = std::array::from_fn(|_| random.next_u32() as u8);
            cache.insert(id, label, &row);
        }
    }
    Ok(cache)
}
