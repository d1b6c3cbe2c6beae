//! From cached features to a head record.

mod before;
mod fit;
mod stand_in;

use headstart::Error;
use headstart::head::{HeadParts, Learner, LinearHead, Samples, Storage};

use self::before::Before;
use self::fit::{Fit, Task};
use crate::Head;
use crate::state::FeatureCache;

/// Ridge penalties that compete on held-out samples.
const PENALTIES: [f32; 3] = [1e-2, 1e-3, 1e-4];

/// How the head is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Picks and regularises by held-out accuracy.
    Auto,
    /// Softmax regression by stochastic gradients.
    Sgd,
    /// Least squares in closed form.
    Ridge,
    /// Class means.
    Imprint,
}

/// Trains a head on everything in the cache and writes its record.
///
/// `initial` is a head that stands for samples which are not in the cache: each of its labels must
/// be a class of the cache. `auto` and `sgd` start from it. Its classes without samples are
/// represented by one stand-in each, and so the record keeps a prototype of every class for the
/// next device.
///
/// # Errors
/// Those of the learners; [`Error::NoSamples`] for an empty cache.
pub fn train(
    cache: &FeatureCache,
    initial: Option<&Head>,
    choice: Choice,
    backbone: [u8; 32],
) -> Result<Vec<u8>, Error> {
    if cache.is_empty() {
        return Err(Error::NoSamples);
    }
    let before = Before::new(cache, initial)?;
    let (features, labels) = before.with_stand_ins(cache);
    let task = Task {
        samples: Samples::new(&features, &labels, cache.feature_len())?,
        labels: &labels,
        classes: cache.classes().len(),
        before: &before,
        with_stand_ins: labels.len() > cache.len(),
    };
    let trained = match choice {
        Choice::Auto => task.automatic()?,
        Choice::Sgd => task.explicit(Learner::Sgd, &[Fit::Sgd])?,
        Choice::Ridge => task.explicit(Learner::Ridge, &PENALTIES.map(Fit::Ridge))?,
        Choice::Imprint => task.explicit(Learner::Imprint, &[Fit::Imprint])?,
    };
    let labels: Vec<&str> = cache.classes().iter().map(String::as_str).collect();
    let counts = cache.counts().into_iter().zip(&before.samples);
    let samples: Vec<u32> = counts.map(|(new, old)| new.saturating_add(*old)).collect();
    let prototypes = before.prototypes(cache);
    let parts = HeadParts {
        head: LinearHead::new(&trained.weights, &trained.bias, cache.feature_len())?,
        backbone_digest: backbone,
        labels: &labels,
        samples: &samples,
        learner: trained.learner,
        storage: Storage::F32,
        temperature: trained.temperature,
        unknown_threshold: trained.unknown_threshold,
        held_out: trained.held_out,
        prototypes: Some(&prototypes),
    };
    let mut record = vec![0; parts.encoded_len()?];
    parts.emit(&mut record)?;
    Ok(record)
}
