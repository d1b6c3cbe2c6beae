//! A backbone on an engine, which takes many samples at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use headstart::pack::Pack;

use super::Backend;
use super::compiled::upload_backbone;
use super::work::Uploaded;
use crate::Error;
use crate::training::TrainingProblem;

/// A pack's backbone in float arithmetic on its integers.
pub struct Batches<'p> {
    pack: Pack<'p>,
    backend: Backend,
    uploaded: Uploaded,
}

impl<'p> Batches<'p> {
    /// Uploads the backbone.
    ///
    /// # Errors
    /// Why that cannot be.
    pub(crate) fn open(pack: Pack<'p>, backend: Backend) -> Result<Self, String> {
        let uploaded = upload_backbone(&pack, backend).map_err(|problem| match problem {
            TrainingProblem::Engine(reason) => reason,
            other => other.to_string(),
        })?;
        Ok(Self { pack, backend, uploaded })
    }

    /// The Burn backend that runs the backbone.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// How many samples are best computed at once.
    pub fn size(&self) -> usize {
        self.uploaded.size
    }

    /// Whether its features are those of the int8 kernels for every sample, by proof.
    pub(crate) fn is_proven(&self) -> bool {
        self.uploaded.proven
    }

    /// The features of preprocessed samples, one after another.
    ///
    /// # Errors
    /// What the backend says.
    pub fn features(&self, inputs: &[i8]) -> Result<Vec<i8>, String> {
        // A GPU's backend ends in a panic where memory or compiler fail: that is a reason too.
        let features = catch_unwind(AssertUnwindSafe(|| (self.uploaded.run)(inputs)))
            .unwrap_or_else(|_| Err("it ended in a panic".to_owned()))?;
        if features.len() == self.feature_bytes(inputs) {
            return Ok(features);
        }
        Err("it gave features of another length".to_owned())
    }

    /// Bytes of the features of so many preprocessed samples.
    pub(crate) fn feature_bytes(&self, inputs: &[i8]) -> usize {
        let input = self.pack.input();
        let elements = input.height as usize * input.width as usize * input.channels as usize;
        inputs.len() / elements.max(1) * self.pack.feature_len()
    }

    /// Turns an engine's message into an error.
    pub fn error(&self, reason: String) -> Error {
        Error::Engine { engine: self.backend.to_string(), reason }
    }
}
