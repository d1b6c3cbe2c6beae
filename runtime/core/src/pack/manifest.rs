//! The manifest: what the pack says about its model, as versioned `postcard`.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::record;

/// The manifest of any version. The variant's index is the first byte of its section.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Manifest<'a> {
    /// The first version.
    #[serde(borrow)]
    V1(ManifestV1<'a>),
}

impl<'a> Manifest<'a> {
    /// The manifest of a section's bytes, and the bytes of its [`BackboneSpec`], part by part: who wrote them down again to take
    /// their digest would need the encoder, on a microcontroller too.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<(ManifestV1<'a>, &'a [u8])> {
        let (&0, bytes) = bytes.split_first()? else { return None };
        let (provenance, bytes) = postcard::take_from_bytes(bytes).ok()?;
        let (backbone, behind) = postcard::take_from_bytes(bytes).ok()?;
        let spec = bytes.get(..bytes.len().checked_sub(behind.len())?)?;
        let (plan, behind) = postcard::take_from_bytes(behind).ok()?;
        behind.is_empty().then_some((ManifestV1 { provenance, backbone, plan }, spec))
    }
}

/// The first version's manifest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ManifestV1<'a> {
    /// Where the pack came from.
    #[serde(borrow)]
    pub provenance: Provenance<'a>,
    /// Shape of the input, and how pixels become input values. With the nodes and weights it is what a head is bound to.
    pub backbone: BackboneSpec,
    /// Memory that a session takes.
    pub plan: Plan,
}

/// Where a pack came from, so that it can be made again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Provenance<'a> {
    /// The model's name: the source file's stem.
    pub model: &'a str,
    /// SHA-256 of the source model's file.
    #[serde(deserialize_with = "digest")]
    pub source_sha256: [u8; 32],
    /// Version of the tool that wrote the pack.
    pub tool_version: &'a str,
    /// The tensor at which the backbone was cut.
    pub freeze_point: &'a str,
    /// The calibration's settings, in words.
    pub calibration: &'a str,
    /// Samples that calibrated the ranges.
    pub calibration_samples: u32,
    /// Multiply-accumulates of one backbone pass.
    pub multiply_accumulates: u64,
}

/// The same as the derived code, which takes one byte after another, in a loop: 450 bytes of code less.
fn digest<'de, D: Deserializer<'de>>(bytes: D) -> Result<[u8; 32], D::Error> {
    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = [u8; 32];

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("32 bytes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<[u8; 32], A::Error> {
            let mut digest = [0; 32];
            for byte in &mut digest {
                *byte = bytes.next_element()?.ok_or_else(|| A::Error::custom("32 bytes"))?;
            }
            Ok(digest)
        }
    }

    bytes.deserialize_tuple(32, Bytes)
}

/// Shape of the input and of the features, and how pixels become input values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BackboneSpec {
    /// The input tensor and how it is made.
    pub input: Input,
    /// Number of nodes; node `k` defines value `k + 1`, value 0 is the input.
    pub nodes: u32,
}

/// The input tensor: `[height, width, channels]`, int8, row-major; its scale is value 0's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Input {
    /// Number of rows.
    pub height: u32,
    /// Number of columns.
    pub width: u32,
    /// Channels; 1 or 3 if pixels are fed.
    pub channels: u32,
    /// The model's own axis order: `[channels, height, width]` if so, `[height, width, channels]` if
    /// not. Samples that are given as values stand in it.
    pub channels_first: bool,
    /// From pixels to values.
    pub preprocessing: Preprocessing,
}

/// From pixels (0…255) to the model's input values: resize, crop, then `(pixel − mean) / std`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Preprocessing {
    /// How the picture is brought to the input's size.
    pub resize: Resize,
    /// Mean of each channel, in pixel units.
    pub mean: [f32; 3],
    /// Standard deviation of each channel, in pixel units; never 0.
    pub std: [f32; 3],
}

/// How a picture is brought to the input's height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Resize {
    /// Both axes are scaled on their own.
    Stretch,
    /// The shorter side is scaled to that many pixels, the aspect ratio kept, and the middle cut
    /// out. Not below the input's larger extent.
    ShortSide(u32),
    /// [`Stretch`](Self::Stretch) by another library's filter.
    StretchBy(Filter),
    /// [`ShortSide`](Self::ShortSide) by another library's filter. With Pillow's the longer side is rounded down and the middle
    /// begins at half of what is cut off, rounded to the even number: so do torchvision's `Resize` and `CenterCrop`.
    ShortSideBy(u32, Filter),
}

impl Resize {
    /// How many pixels the shorter side is scaled to; `None` where both sides are.
    #[must_use]
    pub fn short_side(self) -> Option<u32> {
        match self {
            Self::Stretch | Self::StretchBy(_) => None,
            Self::ShortSide(side) | Self::ShortSideBy(side, _) => Some(side),
        }
    }

    /// The filter of another library that resizes the picture; `None` for our own.
    #[must_use]
    pub fn filter(self) -> Option<Filter> {
        match self {
            Self::Stretch | Self::ShortSide(_) => None,
            Self::StretchBy(filter) | Self::ShortSideBy(_, filter) => Some(filter),
        }
    }
}

/// A filter of the library that a network's pictures were resized with in training.
///
/// Ours is a bilinear one, widened where a picture shrinks, with one rounding: Pillow's `BILINEAR` rounds between rows and
/// columns as well, so up to one level is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Filter {
    /// Pillow's `BILINEAR`: what torchvision's transforms use unless told otherwise.
    PilBilinear,
    /// Pillow's `BICUBIC`: what most of timm's models use.
    PilBicubic,
    /// OpenCV's `INTER_LINEAR`: two pixels on each axis, however much the picture shrinks.
    OpenCvBilinear,
    /// OpenCV's `INTER_CUBIC`: four pixels on each axis, however much the picture shrinks.
    OpenCvBicubic,
    /// OpenCV's `INTER_AREA`: the mean of what a pixel covers.
    OpenCvArea,
}

/// The memory that a session takes, in bytes, each part exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Plan {
    /// Activations of one backbone pass.
    pub arena_bytes: u32,
    /// Most classes that the head may grow to.
    pub max_classes: u32,
    /// Weights and biases of a float32 head of `max_classes`.
    pub head_bytes: u32,
    /// Memory for learning from single samples, beside the head: a gradient, a number of samples and a label a class, and the features'
    /// centre.
    pub learner_bytes: u32,
}

impl Plan {
    /// The plan for an arena and a head over `features` features; `None` past the address space.
    #[must_use]
    pub fn new(arena_bytes: u32, features: u32, max_classes: u32) -> Option<Self> {
        let head_bytes = features.checked_add(1)?.checked_mul(max_classes)?.checked_mul(4)?;
        let label_bytes = max_classes.checked_mul(record::LABEL_SLOT)?;
        let learner_bytes = max_classes.checked_mul(8)?.checked_add(label_bytes)?;
        let learner_bytes = learner_bytes.checked_add(features)?;
        head_bytes.checked_add(record::longest_overhead(max_classes)?)?;
        Some(Self { arena_bytes, max_classes, head_bytes, learner_bytes })
    }

    /// The longest head record that a session reads or writes.
    #[must_use]
    pub fn record_bytes(&self) -> u32 {
        let overhead = record::longest_overhead(self.max_classes).unwrap_or(u32::MAX);
        self.head_bytes.saturating_add(overhead)
    }

    /// Bytes that a [`Session`](crate::session::Session) takes in all. Activations and a head record
    /// are never there at the same time, and share their place.
    #[must_use]
    pub fn ram_bytes(&self) -> u64 {
        u64::from(self.arena_bytes.max(self.record_bytes()))
            .saturating_add(u64::from(self.head_bytes))
            .saturating_add(u64::from(self.learner_bytes))
    }
}
