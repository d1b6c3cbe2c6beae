//! A backbone on a Burn backend, which takes many samples at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use headstart::kernels::Kernels;
use headstart::pack::Pack;

use super::Extractor;
use crate::Error;
use crate::backend::Backend;

/// Memory that the values of a batch may take.
#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
const BATCH_BYTES: usize = 256 << 20;
/// Most samples of a batch.
#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
const MOST: usize = 64;

type Run = Box<dyn Fn(&[i8]) -> Result<Vec<i8>, String> + Send + Sync>;

/// A pack's backbone in float arithmetic on its integers, compared with the int8 kernels on made-up samples.
pub struct Batches<'p> {
    pack: Pack<'p>,
    backend: Backend,
    run: Run,
    size: usize,
    exact: bool,
}

impl<'p> Batches<'p> {
    /// Uploads the backbone and tries it.
    ///
    /// # Errors
    /// Why it cannot be used: the backend fails, or gives features that are more than a step from those of the kernels.
    pub fn open(pack: Pack<'p>, backend: Backend, kernels: Kernels) -> Result<Self, String> {
        let (run, size, exact) = upload(&pack, backend)?;
        let mut batches = Self { pack, backend, run, size, exact };
        let furthest = batches.furthest(kernels)?;
        if furthest > 1 {
            return Err(format!(
                "its features are {furthest} steps from those of the int8 kernels"
            ));
        }
        batches.exact &= furthest == 0;
        Ok(batches)
    }

    /// What it runs on.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Samples that it is best given at once.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether its features are those of the int8 kernels: by proof for every sample, and found so when it was opened.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The features of preprocessed samples, one after another.
    ///
    /// # Errors
    /// What the backend says.
    pub fn features(&self, inputs: &[i8]) -> Result<Vec<i8>, String> {
        // A GPU's backend ends in a panic where memory or compiler fail: that is a reason too.
        let features = catch_unwind(AssertUnwindSafe(|| (self.run)(inputs)))
            .unwrap_or_else(|_| Err("it ended in a panic".to_owned()))?;
        if features.len() == self.feature_bytes(inputs) {
            return Ok(features);
        }
        Err("it gave features of another length".to_owned())
    }

    /// Bytes of the features of so many preprocessed samples.
    pub(super) fn feature_bytes(&self, inputs: &[i8]) -> usize {
        inputs.len() / elements(&self.pack).max(1) * self.pack.feature_len()
    }

    /// What it said, as an error.
    pub fn error(&self, reason: String) -> Error {
        Error::Engine { engine: self.backend.to_string(), reason }
    }

    /// The greatest difference from the kernels' features, on two samples of noise.
    fn furthest(&self, kernels: Kernels) -> Result<u8, String> {
        let mut state = 0x2545_F491_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 as i8
        };
        let elements = elements(&self.pack);
        let inputs: Vec<i8> = (0..2 * elements).map(|_| noise()).collect();
        let found = self.features(&inputs)?;
        let mut extractor = Extractor::new(self.pack, kernels, 1);
        let mut furthest = 0;
        for (input, found) in inputs.chunks(elements).zip(found.chunks(self.pack.feature_len())) {
            extractor.input.copy_from_slice(input);
            let expected = extractor.run().map_err(|e| e.to_string())?;
            let apart = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
            furthest = furthest.max(apart.unwrap_or(0));
        }
        Ok(furthest)
    }
}

fn elements(pack: &Pack<'_>) -> usize {
    let input = pack.input();
    input.height as usize * input.width as usize * input.channels as usize
}

#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
fn upload(pack: &Pack<'_>, backend: Backend) -> Result<(Run, usize, bool), String> {
    use headstart::burn::Integers;

    use crate::backend::on_backend;
    use crate::state::Problem;

    let uploaded = on_backend!(backend, B, device => {
        Integers::<B>::new(pack, device)
            .map(|integers| {
                let live = integers.live_elements().saturating_mul(size_of::<f32>());
                let size = (BATCH_BYTES / live.max(1)).clamp(1, MOST);
                let exact = integers.is_exact();
                let run = move |inputs: &[i8]| integers.features(inputs).map_err(|e| e.to_string());
                (Box::new(run) as Run, size, exact)
            })
            .map_err(|error| Problem::Engine(error.to_string()))
    });
    uploaded.map_err(|problem| match problem {
        Problem::Engine(reason) => reason,
        other => other.to_string(),
    })
}

#[cfg(not(any(feature = "ndarray", feature = "candle", feature = "flex")))]
fn upload(_: &Pack<'_>, _: Backend) -> Result<(Run, usize, bool), String> {
    Err(crate::state::Problem::EngineMissing.to_string())
}
