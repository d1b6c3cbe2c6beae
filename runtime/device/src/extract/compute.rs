//! Choices of what computes features.

use headstart::kernels::Kernels;
use headstart::pack::Pack;

use super::Extractor;
use crate::engine::{Backend, Batches};
use crate::observer::{Event, Observer};

/// The means that compute features: the int8 kernels on some threads, or a Burn engine in their place.
#[derive(Clone, Copy, Debug)]
pub struct Compute {
    /// The kernels of one instruction set. They also check an engine's features.
    pub kernels: Kernels,
    /// How many threads decode and preprocess samples, and run the kernels; at least 1.
    pub threads: usize,
    /// The engine that runs the backbone in place of the kernels, if any.
    pub engine: Option<Backend>,
}

/// A pack's backbone, ready to compute features.
pub struct Extraction<'p> {
    pack: Pack<'p>,
    compute: Compute,
    batches: Option<Batches<'p>>,
    declined: Option<Declined>,
}

/// An engine that does not run the backbone; the kernels do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// The engine that was named.
    pub engine: Backend,
    /// Why the engine does not run the backbone.
    pub reason: String,
}

impl Default for Compute {
    /// The fastest kernels that this CPU has, on all of its cores.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { kernels: Kernels::best(), threads, engine: None }
    }
}

impl Compute {
    /// Readies the backbone for answers, where an engine's features may be a step from the kernels'. Where the engine fails, the kernels
    /// run it.
    #[must_use]
    pub fn open<'p>(self, pack: Pack<'p>) -> Extraction<'p> {
        self.open_within(pack, 1)
    }

    /// Readies the backbone for features that are kept: an engine runs it only where its features are the kernels' own, since features of
    /// both are learned from together.
    #[must_use]
    pub fn open_exact<'p>(self, pack: Pack<'p>) -> Extraction<'p> {
        self.open_within(pack, 0)
    }

    fn open_within<'p>(self, pack: Pack<'p>, steps: u8) -> Extraction<'p> {
        let kernels = Extraction { pack, compute: self, batches: None, declined: None };
        let Some(engine) = self.engine else { return kernels };
        match self.upload(pack, engine, steps) {
            Ok(batches) => Extraction { batches: Some(batches), ..kernels },
            Err(reason) => Extraction { declined: Some(Declined { engine, reason }), ..kernels },
        }
    }

    /// The backbone on that engine, if its features are within so many steps of the kernels'; 0 by proof.
    fn upload<'p>(self, pack: Pack<'p>, engine: Backend, steps: u8) -> Result<Batches<'p>, String> {
        let batches = Batches::open(pack, engine)?;
        match furthest(pack, &batches, self.kernels)? {
            found @ 2.. => {
                Err(format!("its features are {found} steps from those of the int8 kernels"))
            }
            found if steps > 0 || found == 0 && batches.is_proven() => Ok(batches),
            _ => Err("its features may be a step from theirs, and are not mixed with them".into()),
        }
    }
}

/// The greatest difference from the kernels' features, on two samples of noise.
fn furthest(pack: Pack<'_>, batches: &Batches<'_>, kernels: Kernels) -> Result<u8, String> {
    let mut state = 0x2545_F491_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 as i8
    };
    let mut extractor = Extractor::new(pack, kernels, 1);
    let elements = extractor.input().len();
    let inputs: Vec<i8> = (0..2 * elements).map(|_| noise()).collect();
    let found = batches.features(&inputs)?;
    let mut furthest = 0;
    for (input, found) in inputs.chunks(elements).zip(found.chunks(pack.feature_len())) {
        let expected = extractor.run_on(input).map_err(|e| e.to_string())?;
        let apart = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
        furthest = furthest.max(apart.unwrap_or(0));
    }
    Ok(furthest)
}

impl<'p> Extraction<'p> {
    /// The pack whose backbone this is.
    pub fn pack(&self) -> Pack<'p> {
        self.pack
    }

    /// The kernels or the engine that were chosen.
    pub fn compute(&self) -> Compute {
        self.compute
    }

    /// The backbone on the engine; `None` where the kernels run it.
    pub fn batches(&self) -> Option<&Batches<'p>> {
        self.batches.as_ref()
    }

    /// Why the engine that was chosen does not run the backbone, if it does not.
    pub fn declined(&self) -> Option<&Declined> {
        self.declined.as_ref()
    }
}

impl Declined {
    /// Says so.
    pub(crate) fn tell(&self, observer: &dyn Observer) {
        let Self { engine, reason } = self;
        observer.on(Event::Declined { engine: &engine.to_string(), reason });
    }
}

/// What runs the backbone.
impl std::fmt::Display for Extraction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.batches {
            Some(batches) => batches.backend().fmt(f),
            None => write!(f, "int8 kernels ({})", self.compute.kernels.isa().name()),
        }
    }
}

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { engine, reason } = self;
        write!(f, "the int8 kernels run the backbone instead of {engine}: {reason}")
    }
}
