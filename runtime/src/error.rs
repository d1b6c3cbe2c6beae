//! What can be wrong with bytes, shapes and buffers.

/// Every error of the runtime: flat, `Copy`, without strings, named after the rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the structure that they announce does.
    Truncated,
    /// Bytes follow the end of the structure.
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
        /// The section's kind, or `HEAD`er as zeros.
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
        /// Its index.
        index: u32,
    },
    /// A node does not decode, reads what does not exist yet, or its shapes do not fit.
    BadNode {
        /// Its index.
        index: u32,
    },
    /// A count, extent or product is past its limit.
    ShapeOverflow,
    /// The memory plan is not what the graph needs.
    PlanMismatch,
    /// A head belongs to another backbone.
    BackboneMismatch,
    /// A caller's buffer has another length than the plan says.
    BufferLength {
        /// What the plan says.
        expected: usize,
        /// What was given.
        found: usize,
    },
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
            Self::ShapeOverflow => f.write_str("a count or extent is past its limit"),
            Self::PlanMismatch => f.write_str("the memory plan is not what the graph needs"),
            Self::BackboneMismatch => f.write_str("this head was learned on another backbone"),
            Self::BufferLength { expected, found } => {
                write!(f, "a buffer of {found} bytes where the plan says {expected}")
            }
        }
    }
}

impl core::error::Error for Error {}
