//! Trains a head record from cached features.

mod compact;
pub mod doubts;
mod downhill;
mod fit;
pub mod harm;
mod inherited;
mod known;
mod many;
pub mod near;
mod outweighed;
mod problem;
pub mod settled;
mod stand_in;
mod strangers;
pub mod tail;
mod weights;

use std::path::Path;

use headstart::Error;
use headstart::head::{HeadParts, Learner, Samples, Storage, auto};

pub use self::compact::{compact, with_threshold};
use self::fit::{Fit, Task};
use self::inherited::Inherited;
pub use self::outweighed::outweighed;
pub use self::problem::TrainingProblem;
pub use self::strangers::{LEAST_CLASSES, Limit, Strangers};
use crate::Head;
use crate::engine::Backend;
use crate::memory;
use crate::samples::SampleId;
use crate::state::{FeatureCache, Settings};

/// Ridge penalties that compete on held-out samples, as parts of the sum of squares of the centred features.
const PENALTIES: [f64; 3] = [1e-2, 1e-3, 1e-4];

/// Shrinkages of the covariance that compete in the same way.
const SHRINKAGES: [f64; 4] = [0.01, 0.05, 0.2, 0.6];

/// A learner to train the head with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Picks and regularises by held-out accuracy; `Sgd` where that takes more memory.
    Auto {
        /// Bytes that training may take.
        memory: usize,
    },
    /// Softmax regression by stochastic gradients.
    Sgd,
    /// Least squares in closed form.
    Ridge,
    /// Class means.
    Imprint,
    /// Linear discriminant analysis.
    Lda,
    /// Softmax regression through Burn's autodiff.
    Burn {
        /// The Burn backend that trains.
        backend: Backend,
        /// Units of a hidden layer, 1 to [`MAX_UNITS`](crate::MAX_UNITS); without, the head is linear.
        hidden: Option<usize>,
    },
}

impl Choice {
    /// The default choice: `Auto`, in all memory that is free.
    #[must_use]
    pub fn auto() -> Self {
        Self::Auto { memory: memory::free() }
    }

    /// Changes `Auto` to `Sgd` if that would take more than its memory for these samples, beside a head that stands for others where there
    /// is one.
    ///
    /// # Errors
    /// [`TrainingProblem::Samples`] if it cannot be counted.
    pub fn within_memory(
        self,
        cache: &FeatureCache,
        beside_head: bool,
    ) -> Result<Self, TrainingProblem> {
        let Self::Auto { memory } = self else { return Ok(self) };
        let (again, classes) = (weights::again_len(cache), cache.classes().len());
        if !beside_head && many::are_many(cache.len(), cache.feature_len()) {
            let bytes = many::bytes(cache.feature_len(), classes)?;
            return Ok(if bytes > memory { Self::Sgd } else { self });
        }
        // Each class may get a stand-in.
        let samples = cache.len() + classes;
        let (floats, indices) = auto::scratch_len(samples, again, cache.feature_len(), classes)?;
        let rows = (samples + again).saturating_mul(cache.feature_len());
        let bytes = floats.saturating_add(indices).saturating_mul(size_of::<f32>());
        Ok(if bytes.saturating_add(rows) > memory { Self::Sgd } else { self })
    }

    /// The choice of learner that these settings ask for.
    #[must_use]
    pub fn by(settings: &Settings) -> Self {
        settings.learner.map_or_else(Self::auto, Self::of)
    }

    /// The choice that trains as this learner did; `Auto` where Burn had trained.
    pub fn of(learner: Learner) -> Self {
        match learner {
            Learner::Sgd => Self::Sgd,
            Learner::Ridge => Self::Ridge,
            Learner::Imprint => Self::Imprint,
            Learner::Lda => Self::Lda,
            Learner::Logistic | Learner::Blend | Learner::Other => Self::auto(),
        }
    }
}

/// Trains a head on everything in the cache and writes its record.
///
/// `initial` is a head that stands for samples which are not in the cache: each of its labels must
/// be a class of the cache. `auto` and `sgd` start from it. Its classes without samples are
/// represented by one stand-in each, and so the record keeps a prototype of every class for the
/// next device.
///
/// # Errors
/// [`TrainingProblem::Samples`], [`TrainingProblem::Engine`] or [`TrainingProblem::EngineMissing`].
pub fn train(
    cache: &FeatureCache,
    initial: Option<&Head>,
    choice: Choice,
    backbone: [u8; 32],
) -> Result<Vec<u8>, TrainingProblem> {
    if cache.is_empty() {
        return Err(TrainingProblem::Samples(Error::NoSamples));
    }
    let inherited = Inherited::new(cache, initial)?;
    let (features, labels) = inherited.with_stand_ins(cache);
    let task = Task {
        samples: Samples::new(&features, &labels, cache.feature_len())?,
        labels: &labels,
        classes: cache.classes().len(),
        inherited: &inherited,
        with_stand_ins: labels.len() > cache.len(),
        crops: cache.again(),
        times: weights::times(cache),
    };
    let trained = match choice.within_memory(cache, initial.is_some())? {
        Choice::Auto { .. } => task.automatic()?,
        Choice::Sgd => task.explicit(Learner::Sgd, &[Fit::Sgd])?,
        Choice::Ridge => task.explicit(Learner::Ridge, &PENALTIES.map(Fit::Ridge))?,
        Choice::Burn { backend, hidden } => {
            task.explicit(Learner::Other, &[Fit::Engine(backend, hidden)])?
        }
        Choice::Lda => task.explicit(Learner::Lda, &SHRINKAGES.map(Fit::Lda))?,
        Choice::Imprint => task.explicit(Learner::Imprint, &[Fit::Imprint])?,
    };
    let labels: Vec<&str> = cache.classes().iter().map(String::as_str).collect();
    let counts = cache.counts().into_iter().zip(&inherited.samples);
    let samples: Vec<u32> = counts.map(|(new, old)| new.saturating_add(*old)).collect();
    let prototypes = inherited.prototypes(cache);
    let parts = HeadParts {
        head: trained.model.last()?,
        backbone_digest: backbone,
        labels: &labels,
        samples: &samples,
        learner: trained.learner,
        storage: Storage::F32,
        temperature: trained.temperature,
        unknown_threshold: trained.unknown_threshold,
        held_out: trained.held_out,
        prototypes: trained.model.hidden.is_none().then_some(&prototypes),
    };
    let mut record = vec![0; parts.encoded_len()?];
    parts.emit(&mut record)?;
    let hidden = trained.model.hidden.map_or_else(Vec::new, |layer| layer.emit());
    Ok([hidden, record].concat())
}

/// The head of all samples but these.
fn without(
    cache: &FeatureCache,
    ids: &[SampleId],
    choice: Choice,
    backbone: [u8; 32],
) -> Result<Head, TrainingProblem> {
    let mut rest = cache.clone();
    rest.forget_samples(ids);
    rest.drop_empty_classes(&[]);
    rest.sort();
    let record = train(&rest, None, choice, backbone)?;
    let head = Head::parse(Path::new("head"), &record, &backbone);
    head.map_err(|_| TrainingProblem::Samples(Error::NotAHead))
}
