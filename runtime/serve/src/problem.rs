//! Why a server does not start, or ends.

use std::path::PathBuf;

/// Why a server does not start, or ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The device refuses what it is to serve.
    #[error(transparent)]
    Device(#[from] headstart_device::Error),
    /// The port cannot be had.
    #[error("port {port} cannot be had ({reason}): choose another one, or end what uses it")]
    Port {
        /// The port.
        port: u16,
        /// The operating system's message.
        reason: std::io::Error,
    },
    /// The device's key cannot be read or made.
    #[error("{}: is not the key and certificate of this server ({reason}): remove it, and another one is made", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with the key.
        reason: String,
    },
    /// The machine failed.
    #[error("{what} failed: {reason}")]
    Machine {
        /// What was being done.
        what: &'static str,
        /// The operating system's message.
        reason: std::io::Error,
    },
}

impl ServeError {
    pub(crate) fn machine(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |reason| Self::Machine { what, reason }
    }
}
