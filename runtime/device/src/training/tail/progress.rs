//! How far the training of a tail has come, so that it goes on after the process was killed.

use std::time::Duration;

use headstart::pack::Pack;
use headstart::tail::training::Snapshot;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::TailOptions;
use crate::engine::{Backend, Learned};
use crate::os::Instant;
use crate::state::{FeatureCache, StateLock};
use crate::training::TrainingProblem;

const MAGIC: [u8; 8] = *b"HSTP\r\n\x1a\n";
const DIGEST_BYTES: usize = 32;

/// Everything that the rest of the training follows from, at the end of an epoch.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Progress<M> {
    /// Epochs that are done.
    pub(super) epochs: usize,
    pub(super) snapshot: Snapshot,
    pub(super) best: Option<Best<M>>,
}

/// The best that was learned so far, by the loss of what is held out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Best<M> {
    pub(super) loss: f64,
    pub(super) epoch: usize,
    pub(super) learned: Learned,
    pub(super) measured: M,
}

/// Where progress is kept, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    lock: &'a StateLock,
    every: Duration,
}

impl<'a> Keep<'a> {
    /// Keeps progress in a folder, at the end of an epoch, but not before so much time has gone since the last one.
    pub fn new(lock: &'a StateLock, every: Duration) -> Self {
        Self { lock, every }
    }
}

/// A training in progress.
pub(super) struct Kept<'a> {
    keep: Option<Keep<'a>>,
    /// Of all that the training follows from: another one does not go on from here.
    key: [u8; DIGEST_BYTES],
    last: Instant,
}

impl<'a> Kept<'a> {
    pub(super) fn new(
        keep: Option<Keep<'a>>,
        cache: &FeatureCache,
        pack: &Pack<'_>,
        options: &TailOptions,
        backend: Backend,
    ) -> Self {
        let mut key = Sha256::new_with_prefix(MAGIC);
        key.update(pack.backbone_digest());
        key.update(cache.emit(&pack.backbone_digest()));
        key.update(format!("{} {backend:?} {options:?}", env!("CARGO_PKG_VERSION")));
        Self { keep, key: key.finalize().into(), last: Instant::now() }
    }

    /// Of a training that is kept nowhere.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Self { keep: None, key: [0; DIGEST_BYTES], last: Instant::now() }
    }

    /// What a killed training of the same kind left. Anything else there is nothing to go on from.
    pub(super) fn read<M: DeserializeOwned>(&self) -> Option<Progress<M>> {
        let bytes = self.keep?.lock.training()?;
        let content = bytes.len().checked_sub(DIGEST_BYTES)?;
        let (content, digest) = bytes.split_at(content);
        let progress = content.strip_prefix(&MAGIC)?.strip_prefix(&self.key)?;
        if Sha256::digest(content)[..] != *digest {
            return None;
        }
        postcard::from_bytes(progress).ok()
    }

    /// Keeps it if it is time; `progress` is asked for only then.
    pub(super) fn write<M: Serialize>(
        &mut self,
        progress: impl FnOnce() -> Result<Progress<M>, TrainingProblem>,
    ) -> Result<(), TrainingProblem> {
        let Some(keep) = self.keep.filter(|keep| self.last.elapsed() >= keep.every) else {
            return Ok(());
        };
        let failed = |e: String| TrainingProblem::Progress(e);
        let mut bytes = [&MAGIC[..], &self.key].concat();
        bytes = postcard::to_extend(&progress()?, bytes).map_err(|e| failed(e.to_string()))?;
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        keep.lock.keep_training(&bytes).map_err(|e| failed(e.to_string()))?;
        self.last = Instant::now();
        Ok(())
    }
}
