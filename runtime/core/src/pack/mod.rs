//! The pack: a frozen backbone, and perhaps a head, as verified bytes.
//!
//! Bytes become a [`Pack`] only through [`Pack::open`]: limits first, then digests, then shapes.
//! Nothing is copied and nothing allocated; nodes are decoded one at a time as they run. The
//! format is written down in `FORMAT.md` beside this crate.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod container;
#[cfg(feature = "std")]
mod emit;
mod manifest;
mod signature;
mod tail;
#[cfg(feature = "signature")]
mod trust;
mod verify;

pub use container::{ALIGNMENT, MAGIC, VERSION};
#[cfg(feature = "std")]
pub use emit::{Contents, emit, sign};
pub use manifest::{
    BackboneSpec, Filter, Input, Manifest, ManifestV1, Plan, Preprocessing, Provenance, Resize,
};
pub use signature::{MAX_FAMILY_BYTES, MESSAGE_BYTES, Signature, family_is_valid, key_name};
pub use tail::{MAX_CROSSING, MAX_DESCRIPTION, TAIL_VERSION, TailSection, TailStorage};
#[cfg(feature = "signature")]
pub use trust::Trust;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::network::{Network, Node, Value};
use container::{
    ACTIVATIONS, CHANNELS, HEAD, MANIFEST, NODES, SIGNATURE, Sections, TABLES, TAIL, VALUES,
    WEIGHTS,
};

/// Most nodes of a backbone.
pub const MAX_NODES: u32 = 1 << 16;

/// A verified pack, borrowed from its bytes: weights can be read and never changed.
///
/// ```compile_fail
/// # fn f(pack: headstart::pack::Pack<'_>) {
/// let weights: &mut [i8] = pack.network().weights();
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pack<'a> {
    manifest: ManifestV1<'a>,
    network: Network<'a>,
    features: u32,
    tail: Option<TailSection<'a>>,
    head: Option<&'a [u8]>,
    signature: Option<Signature<'a>>,
    digest: [u8; 32],
}

impl<'a> Pack<'a> {
    /// Verifies `bytes` whole and borrows them.
    ///
    /// # Errors
    ///
    /// Every byte is covered by a digest or required to be zero, so any change is an error:
    /// [`Error::NotAPack`], [`Error::Truncated`], [`Error::TrailingBytes`],
    /// [`Error::UnsupportedVersion`], [`Error::DigestMismatch`], or, for bytes that were never
    /// right, the rule that they break.
    // What it keeps on the stack is not there while the pack is used.
    #[inline(never)]
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::of(&Sections::parse(bytes)?)
    }

    /// How many bytes the pack has that starts so, as its header says: of a flash, so many are given to [`open`](Self::open), which takes no
    /// more. `None` for fewer than 24 bytes, and for what starts as no pack. Nothing is verified.
    #[must_use]
    pub fn length(start: &[u8]) -> Option<usize> {
        let header = start.get(..24)?;
        let length = header.last_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
        usize::try_from(length).ok().filter(|_| header.starts_with(&MAGIC))
    }

    fn of(sections: &Sections<'a>) -> Result<Self, Error> {
        let body = |kind| sections.body(kind).unwrap_or_default();
        let (manifest, spec) = Manifest::parse(body(MANIFEST)).ok_or(Error::BadManifest)?;
        let mut pack = Self {
            manifest,
            network: Network {
                values: body(VALUES),
                nodes: body(NODES),
                node_count: manifest.backbone.nodes,
                weights: bytemuck::cast_slice(body(WEIGHTS)),
                channels: body(CHANNELS),
                tables: body(TABLES),
                has_activations: sections.version >= ACTIVATIONS,
            },
            features: 0,
            tail: sections.body(TAIL).map(TailSection::parse).transpose()?,
            head: sections.body(HEAD),
            signature: sections.body(SIGNATURE).map(Signature::parse).transpose()?,
            digest: backbone_digest(spec, sections),
        };
        pack.features = verify::verify(&pack)?;
        Ok(pack)
    }

    /// The statements of the pack's signature, if there is one; only `Pack::open_trusted` verifies it.
    #[must_use]
    pub fn signature(&self) -> Option<&Signature<'a>> {
        self.signature.as_ref()
    }

    /// SHA-256 of the backbone, which a head is bound to: over the backbone's part of the manifest and the digests of values, nodes,
    /// weights, channels, tables and, if there is one, the tail. Provenance and head do not count.
    #[must_use]
    pub fn backbone_digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Where the pack came from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance<'a> {
        &self.manifest.provenance
    }

    /// The input tensor and its preprocessing.
    #[must_use]
    pub fn input(&self) -> &Input {
        &self.manifest.backbone.input
    }

    /// Memory that a session takes.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.manifest.plan
    }

    /// The backbone's values and nodes.
    #[must_use]
    pub fn network(&self) -> &Network<'a> {
        &self.network
    }

    /// Number of nodes; there is one value more.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        self.network.node_count()
    }

    /// Description of value `index`; 0 is the input, the last one holds the features.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] past the last one.
    pub fn value(&self, index: u32) -> Result<Value, Error> {
        self.network.value(index)
    }

    /// The value that holds the features.
    ///
    /// # Errors
    ///
    /// None for a pack that was opened.
    pub fn feature_value(&self) -> Result<Value, Error> {
        self.value(self.node_count())
    }

    /// Features of one sample: the elements of the last value, or of all that a tail reads.
    #[must_use]
    pub fn feature_len(&self) -> usize {
        self.features as usize
    }

    /// The values that hold the features: the last one, or those that a tail reads, in its order.
    pub fn crossing(&self) -> impl Iterator<Item = Value> + use<'_, 'a> {
        let last = self.tail().is_none().then(|| self.node_count());
        let read = self.tail().into_iter().flat_map(TailSection::crossing);
        last.into_iter().chain(read).filter_map(|id| self.value(id).ok())
    }

    /// The trainable part between the features and the head, if the pack keeps one.
    #[must_use]
    pub fn tail(&self) -> Option<&TailSection<'a>> {
        self.tail.as_ref()
    }

    /// Inputs of the head: the features, or what the tail makes of them.
    #[must_use]
    pub fn head_inputs(&self) -> usize {
        self.tail().map_or_else(|| self.feature_len(), |tail| tail.head_inputs as usize)
    }

    /// The nodes in the order of execution, decoded as they are asked for.
    pub fn nodes(&self) -> impl Iterator<Item = Result<Node<'a>, Error>> + use<'a> {
        self.network.nodes()
    }

    /// The head record that the pack ships, if any.
    #[must_use]
    pub fn head(&self) -> Option<&'a [u8]> {
        self.head
    }
}

fn backbone_digest(spec: &[u8], sections: &Sections<'_>) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(spec);
    for kind in [VALUES, NODES, WEIGHTS, CHANNELS, TABLES] {
        digest.update(sections.get(kind).map_or(&[0; 32], |(_, digest)| digest));
    }
    if let Some((_, tail)) = sections.get(TAIL) {
        digest.update(tail);
    }
    digest.finalize().into()
}
