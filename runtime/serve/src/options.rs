//! What is served, to whom, and within which limits.

use std::path::PathBuf;

use serde::Serialize;

use crate::camera::Source;

/// Options of a server; the default is loopback, a port that is free, learning allowed, no pictures kept.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port; 0 takes one that is free.
    pub port: u16,
    /// Whether other machines may connect: with TLS, and a token.
    pub lan: bool,
    /// Names by which requests may call this machine, beside `localhost` and the address that they came to.
    pub names: Vec<String>,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Whether copies of pictures are kept from now on.
    pub keep_samples: bool,
    /// The most pixels of a picture; `None` for [`Limits::pixels`].
    pub pixels: Option<u64>,
    /// A camera of the device.
    pub camera: Option<Source>,
    /// The model that the pack was made from, for export.
    pub model: Option<PathBuf>,
}

impl Options {
    /// The limits that hold.
    pub(crate) fn limits(&self) -> Limits {
        Limits { pixels: self.pixels.unwrap_or(LIMITS.pixels), ..LIMITS }
    }
}

/// Limits of what is taken from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The most bytes of a request's body, but for a state.
    pub body_bytes: u64,
    /// The most pixels of a picture.
    pub pixels: u64,
    /// The most bytes of a state that is put back.
    pub state_bytes: u64,
    /// The most bytes of pictures that wait.
    pub waiting_bytes: u64,
    /// The most pictures that wait.
    pub waiting_pictures: usize,
}

/// The limits of a server whose options set no others. Together they keep it within 64 MiB of what it takes when nobody asks.
pub const LIMITS: Limits = Limits {
    body_bytes: 8 << 20,
    pixels: 1 << 22,
    state_bytes: 512 << 20,
    waiting_bytes: 16 << 20,
    waiting_pictures: 4096,
};
