//! Tokens and sessions: random, compared by their digests.

use std::fmt::Write;
use std::io;

use sha2::{Digest, Sha256};

/// A random text of 128 bits.
#[derive(Clone)]
pub(crate) struct Secret(String);

/// Says nothing of it.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// What is kept of one: equal where the secrets are, in a time that tells nothing of where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace([u8; 32]);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// Where the operating system has no random numbers.
    pub(crate) fn new() -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let mut text = String::with_capacity(32);
        for byte in bytes {
            write!(text, "{byte:02x}").map_err(io::Error::other)?;
        }
        Ok(Self(text))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn trace(&self) -> Trace {
        Trace::of(&self.0)
    }
}

impl Trace {
    pub(super) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}
