//! What can be wrong with bytes, shapes and buffers.

/// Every error of the runtime: flat, `Copy`, without strings, named after the rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the structure that they announce does.
    Truncated,
    /// Bytes follow the end of the structure, or its padding is not zero.
    TrailingBytes,
    /// The file does not start with the magic of a pack.
    NotAPack,
    /// The format version is newer than this runtime.
    UnsupportedVersion {
        /// The version that was found.
        found: u16,
    },
    /// A digest does not match its bytes.
    DigestMismatch {
        /// The section's kind in the file; zeros for the pack's header.
        section: [u8; 4],
    },
    /// A section is missing, repeated, out of order, unaligned or outside the file.
    BadSection {
        /// The section's kind.
        section: [u8; 4],
    },
    /// The manifest does not decode, or breaks a rule.
    BadManifest,
    /// An entry of the value table breaks a rule.
    BadValue {
        /// The value's index in the table.
        index: u32,
    },
    /// A node does not decode, reads what does not exist yet, or its shapes do not fit.
    BadNode {
        /// The node's index.
        index: u32,
    },
    /// The section of the trainable tail does not decode, or reads values that are not kept.
    BadTail,
    /// A node of the trainable tail breaks a rule of shapes or of order.
    BadTailNode {
        /// The node's index.
        index: u32,
    },
    /// This runtime trains and runs heads only, and the pack keeps a trainable tail.
    TailNotRunnable {
        /// The tail's first node, counted on from those of the backbone.
        node: u32,
    },
    /// A count, extent or product is past its limit.
    ShapeOverflow,
    /// The memory plan is not what the graph needs.
    PlanMismatch,
    /// The pack has no signature, and this runtime uses signed packs only.
    Unsigned,
    /// The pack was signed with a key that this runtime does not trust.
    UnknownKey {
        /// The first bytes of the SHA-256 of the public key.
        key: [u8; 8],
    },
    /// The signature is not that of the pack.
    SignatureInvalid,
    /// The pack is for another family of boards.
    OtherFamily,
    /// The pack is older than one that was used here.
    Downgrade {
        /// The pack's security counter.
        found: u64,
        /// The least counter that is accepted.
        least: u64,
    },
    /// A head belongs to another backbone. The digests are named by their first bytes.
    BackboneMismatch {
        /// The backbone that is asked for.
        expected: [u8; 4],
        /// The backbone that the head was learned on.
        found: [u8; 4],
    },
    /// A caller's buffer has another length than it must have, in elements.
    BufferLength {
        /// The length that is needed, in elements.
        expected: usize,
        /// The length that was given, in elements.
        found: usize,
    },
    /// A caller's memory does not start at a multiple of that many bytes.
    Misaligned {
        /// The multiple, in bytes.
        alignment: usize,
    },
    /// One class more than the pack plans memory for.
    TooManyClasses {
        /// The most classes that the pack plans for.
        limit: usize,
    },
    /// The bytes do not start with the magic of a head record.
    NotAHead,
    /// A field has a value that its format does not allow.
    FieldInvalid {
        /// Where the field starts, in bytes from the start of the structure.
        offset: usize,
    },
    /// A class label is empty, longer than 64 bytes, not UTF-8, has control characters, or stands
    /// there twice.
    LabelInvalid {
        /// The class's number.
        class: u16,
    },
    /// A number that must be finite is not.
    NotFinite,
    /// There is no sample to learn from.
    NoSamples,
    /// A sample's label is not one of the head's classes.
    ClassOutOfRange {
        /// The sample's label.
        class: u16,
        /// The number of classes.
        classes: u16,
    },
    /// A sample index is past the end of the samples.
    SampleOutOfRange {
        /// The sample's index.
        index: usize,
        /// The number of samples.
        samples: usize,
    },
    /// A matrix that must be positive definite is not: regularise more.
    NotPositiveDefinite {
        /// The row whose pivot was not positive.
        row: usize,
    },
    /// One sample more than exact sums hold.
    TooManySamples {
        /// The most samples that the sums hold.
        limit: u32,
    },
    /// A sample is to be forgotten that cannot have been learned.
    NotLearned,
    /// A linear system was solved with a residual above the tolerance: regularise more.
    Inaccurate,
    /// A front end's sample rate, window or step is outside its range.
    FrontWindow,
    /// A front end's channels or band limits are outside their range, or not below half the sample rate.
    FrontBands,
    /// A front end's noise reduction, gain control or scale is outside its range.
    FrontGain,
    /// A rate of sound is outside its range, or the ratio of two takes too large a filter.
    FrontRate,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = |section: &[u8; 4]| match core::str::from_utf8(section) {
            Ok(name) if name.bytes().all(|b| b.is_ascii_uppercase()) => *section,
            _ => *b"????",
        };
        let text = |section: [u8; 4]| section.map(char::from);
        match self {
            Self::Truncated => f.write_str("the bytes end too early: the file was cut short"),
            Self::TrailingBytes => f.write_str("bytes follow the end: the file was added to"),
            Self::NotAPack => f.write_str("this is not a Headstart pack"),
            Self::UnsupportedVersion { found } => {
                write!(f, "format version {found} is newer than this runtime: update the runtime")
            }
            Self::DigestMismatch { section } => {
                let [a, b, c, d] = text(name(section));
                write!(
                    f,
                    "the digest of section {a}{b}{c}{d} does not match: the file was changed or damaged"
                )
            }
            Self::BadSection { section } => {
                let [a, b, c, d] = text(name(section));
                write!(f, "section {a}{b}{c}{d} is missing, repeated or misplaced")
            }
            Self::BadManifest => f.write_str("the manifest breaks a rule of the format"),
            Self::BadValue { index } => write!(f, "value {index} breaks a rule of the format"),
            Self::BadNode { index } => write!(f, "node {index} breaks a rule of the format"),
            Self::BadTail => f.write_str("the trainable tail breaks a rule of the format"),
            Self::BadTailNode { index } => {
                write!(f, "node {index} of the trainable tail breaks a rule of the format")
            }
            Self::TailNotRunnable { node } => write!(
                f,
                "node {node} is the first of the pack's trainable tail, whose float arithmetic runs where there is an operating system and an engine for it: pack the model without its tail for this board",
            ),
            Self::ShapeOverflow => f.write_str("a count or extent is past its limit"),
            Self::PlanMismatch => f.write_str("the memory plan is not what the graph needs"),
            Self::Unsigned => {
                f.write_str("the pack is not signed: get a signed one from its maker")
            }
            Self::UnknownKey { key } => write!(
                f,
                "the pack was signed with the key {:016x}, which is not trusted here",
                u64::from_be_bytes(*key)
            ),
            Self::SignatureInvalid => {
                f.write_str("the signature is not that of this pack: it was changed after signing")
            }
            Self::OtherFamily => f.write_str("the pack is for another family of boards"),
            Self::Downgrade { found, least } => write!(
                f,
                "the pack has security counter {found}, and one with {least} was used here: get a newer pack"
            ),
            Self::BackboneMismatch { expected, found } => write!(
                f,
                "this head was learned on another backbone ({:08x}…, here it is {:08x}…): learn it again",
                u32::from_be_bytes(*found),
                u32::from_be_bytes(*expected)
            ),
            Self::BufferLength { expected, found } => {
                write!(f, "a buffer of {found} elements where {expected} are needed")
            }
            Self::Misaligned { alignment } => {
                write!(f, "memory that does not start at a multiple of {alignment} bytes")
            }
            Self::TooManyClasses { limit } => {
                write!(f, "the pack plans memory for {limit} classes: no more can be learned")
            }
            Self::NotAHead => f.write_str("this is not a head record"),
            Self::FieldInvalid { offset } => {
                write!(f, "the field at byte {offset} has a value that the format does not allow")
            }
            Self::LabelInvalid { class } => write!(
                f,
                "the label of class {class} is empty, twice there, longer than 64 bytes or not plain text"
            ),
            Self::NotFinite => f.write_str("a weight is infinite or not a number"),
            Self::NoSamples => f.write_str("there is no sample to learn from"),
            Self::ClassOutOfRange { class, classes } => {
                write!(f, "a sample is of class {class}, but the head has {classes} classes")
            }
            Self::SampleOutOfRange { index, samples } => {
                write!(f, "sample {index} is asked for, but there are {samples}")
            }
            Self::NotPositiveDefinite { row } => {
                write!(f, "the matrix is not positive definite (row {row}): regularise more")
            }
            Self::TooManySamples { limit } => {
                write!(f, "exact sums hold {limit} samples: no more can be learned")
            }
            Self::NotLearned => f.write_str("a sample that was never learned cannot be forgotten"),
            Self::Inaccurate => {
                f.write_str("the linear system was not solved accurately: regularise more")
            }
            Self::FrontWindow => {
                f.write_str("the front end's sample rate, window or step is outside its range")
            }
            Self::FrontBands => {
                f.write_str("the front end's channels or bands are outside their range: they end below half the sample rate")
            }
            Self::FrontRate => f.write_str("a rate of sound is outside 1000 to 192000 Hz, or the ratio of two takes too large a filter"),
            Self::FrontGain => {
                f.write_str("the front end's noise reduction, gain control or scale is outside its range")
            }
        }
    }
}

impl core::error::Error for Error {}
