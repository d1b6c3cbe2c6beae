//! A pack that owns its map, and what computes with it.

use std::sync::Arc;

use headstart::pack::Pack;
use self_cell::self_cell;

use super::pack_file::PackFile;
use crate::Error;
use crate::extract::{Buffers, Compute, Extraction};
use crate::model::Logits;

/// A verified pack and its security counter.
#[derive(Debug)]
struct Verified<'a> {
    pack: Pack<'a>,
    counter: u64,
}

self_cell!(
    struct Cell {
        owner: PackFile,
        #[covariant]
        dependent: Verified,
    }
    impl {Debug}
);

/// A pack with the file that it is borrowed from.
#[derive(Debug)]
pub(super) struct OpenPack(Cell);

impl OpenPack {
    /// Verifies the pack.
    ///
    /// # Errors
    /// [`Error::Pack`].
    pub(super) fn new(file: PackFile) -> Result<Self, Error> {
        Cell::try_new(file, |file| file.trusted().map(|(pack, counter)| Verified { pack, counter }))
            .map(Self)
    }

    pub(super) fn file(&self) -> &PackFile {
        self.0.borrow_owner()
    }

    pub(super) fn pack(&self) -> Pack<'_> {
        self.0.borrow_dependent().pack
    }

    pub(super) fn counter(&self) -> u64 {
        self.0.borrow_dependent().counter
    }
}

self_cell!(
    struct Computing {
        owner: Arc<OpenPack>,
        #[covariant]
        dependent: Extraction,
    }
);

/// What computes the features of answers, ready.
pub(super) struct Answering(Computing);

impl Answering {
    /// Opens it. An engine takes the backbone's weights to where it runs.
    pub(super) fn new(pack: Arc<OpenPack>, compute: Compute) -> Self {
        Self(Computing::new(pack, |pack| compute.open(pack.pack())))
    }

    pub(super) fn extraction(&self) -> &Extraction<'_> {
        self.0.borrow_dependent()
    }
}

/// What an answer is computed in.
pub(super) struct Memory {
    pub(super) buffers: Buffers,
    pub(super) logits: Logits,
}
