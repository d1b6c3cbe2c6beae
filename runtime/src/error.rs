//! What can be wrong with bytes, shapes and buffers.

/// Every error of the runtime: flat, `Copy`, without strings, named after the rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the structure that they announce does.
    Truncated,
    /// The file does not start with the magic of its kind.
    NotAPack,
    /// The format version is newer than this runtime.
    UnsupportedVersion {
        /// The version that was found.
        found: u16,
    },
    /// A digest does not match its bytes.
    DigestMismatch,
    /// A count, extent or product is past its limit.
    ShapeOverflow,
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
        match self {
            Self::Truncated => f.write_str("the bytes end too early: the file was cut short"),
            Self::NotAPack => f.write_str("this is not a Headstart file"),
            Self::UnsupportedVersion { found } => {
                write!(f, "format version {found} is newer than this runtime: update the runtime")
            }
            Self::DigestMismatch => {
                f.write_str("a digest does not match: the file was changed or damaged")
            }
            Self::ShapeOverflow => f.write_str("a count or extent is past its limit"),
            Self::BackboneMismatch => f.write_str("this head was learned on another backbone"),
            Self::BufferLength { expected, found } => {
                write!(f, "a buffer of {found} bytes where the plan says {expected}")
            }
        }
    }
}

impl core::error::Error for Error {}
