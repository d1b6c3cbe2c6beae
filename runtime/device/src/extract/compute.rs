//! What computes features, said once.

use headstart::kernels::Kernels;
use headstart::pack::Pack;

use super::Batches;
use crate::backend::Backend;

/// What computes features: the int8 kernels on some threads, or a Burn engine in their place.
#[derive(Clone, Copy, Debug)]
pub struct Compute {
    /// The instruction set's kernels. They also try what an engine gives.
    pub kernels: Kernels,
    /// Threads that decode and preprocess samples, and run the kernels; at least 1.
    pub threads: usize,
    /// What runs the backbone instead of the kernels.
    pub engine: Option<Backend>,
}

/// A pack's backbone, ready to compute features.
pub struct Extraction<'p> {
    pack: Pack<'p>,
    compute: Compute,
    batches: Option<Batches<'p>>,
    declined: Option<Declined>,
}

/// An engine that does not run the backbone: the kernels do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// The engine that was named.
    pub engine: Backend,
    /// Why it does not.
    pub reason: String,
}

impl Compute {
    /// The backbone for answers: an engine's features may be a step from the kernels'. Where the engine fails, the kernels run it.
    #[must_use]
    pub fn open<'p>(self, pack: Pack<'p>) -> Extraction<'p> {
        self.open_where(pack, |_| true)
    }

    /// The same for features that are kept: an engine runs it only where its features are the kernels' own, since
    /// features of both are learned from together.
    #[must_use]
    pub fn open_exact<'p>(self, pack: Pack<'p>) -> Extraction<'p> {
        self.open_where(pack, Batches::is_exact)
    }

    fn open_where<'p>(
        self,
        pack: Pack<'p>,
        fits: impl FnOnce(&Batches<'p>) -> bool,
    ) -> Extraction<'p> {
        let kernels = Extraction { pack, compute: self, batches: None, declined: None };
        let Some(engine) = self.engine else { return kernels };
        let reason = match Batches::open(pack, engine, self.kernels) {
            Ok(batches) if fits(&batches) => {
                return Extraction { batches: Some(batches), ..kernels };
            }
            Ok(_) => {
                "its features may be a step from theirs, and are not mixed with them".to_owned()
            }
            Err(reason) => reason,
        };
        Extraction { declined: Some(Declined { engine, reason }), ..kernels }
    }
}

impl<'p> Extraction<'p> {
    /// The pack whose backbone it is.
    pub fn pack(&self) -> Pack<'p> {
        self.pack
    }

    /// What was chosen.
    pub fn compute(&self) -> Compute {
        self.compute
    }

    /// The backbone on the engine, if one runs it.
    pub fn batches(&self) -> Option<&Batches<'p>> {
        self.batches.as_ref()
    }

    /// Why the engine that was chosen does not run it.
    pub fn declined(&self) -> Option<&Declined> {
        self.declined.as_ref()
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
