//! The host's side: a [`Board`] at the other end of a [`Port`].
//!
//! Whatever happens to the line, the host or the board, each request is done once or known not to be
//! done: lost and damaged frames are sent again, a port that went away is opened again, and a board
//! that was reset is taught again what it had not committed.

mod board;
mod learn;
mod link;
mod port;
mod update;

pub use board::{Answer, Board, Class, Greeting};
pub use learn::{Lesson, Outcome, Sample};
pub use link::Timing;
#[cfg(feature = "serial")]
pub use port::SerialPort;
pub use port::{Port, TcpPort, open};

use crate::Refusal;

/// An error between host and board.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port cannot be opened.
    #[error("{port}: cannot be opened ({reason}): check the cable, the name and its permissions")]
    Port {
        /// The port's name.
        port: String,
        /// The operating system's reason.
        reason: std::io::Error,
    },
    /// The port's name says no known kind of port.
    #[error("{port}: is neither tcp:HOST:PORT nor a serial port that this program can open")]
    PortName {
        /// The name that was given.
        port: String,
    },
    /// The board does not answer.
    #[error(
        "{port}: no answer for {seconds} s: is it a Headstart board, with power, and does nothing else use the port?"
    )]
    Silent {
        /// The port's name.
        port: String,
        /// How many seconds were waited.
        seconds: u64,
    },
    /// The board has answered, and does so no more.
    #[error(
        "{port}: no answer for {seconds} s, after {answered} answers: does the board still run, with power, and does the line lose bytes?"
    )]
    FellSilent {
        /// The port's name.
        port: String,
        /// How many seconds were waited.
        seconds: u64,
        /// How many requests were answered before.
        answered: u64,
    },
    /// The board answers too slowly.
    #[error(
        "{port}: the board was not done after {seconds} s, which is far too slow: check the cable and its speed"
    )]
    Slow {
        /// The port's name.
        port: String,
        /// How many seconds were waited.
        seconds: u64,
    },
    /// The board refuses the request.
    #[error("the board refuses: {0}")]
    Refused(Refusal),
    /// The reply does not answer the request.
    #[error("the board answers something else: use firmware and program of the same release")]
    Answer,
    /// The board says it has more classes than any pack has.
    #[error(
        "the board says that it has {found} classes, and packs have at most {most}: use firmware and program of the same release"
    )]
    TooManyClasses {
        /// How many classes it said.
        found: u16,
        /// The most classes of any pack.
        most: u16,
    },
    /// A label or name is too long for a frame.
    #[error("a name is too long for the cable: use at most 64 bytes")]
    TooLong,
    /// There is nothing learned to commit.
    #[error(
        "the board has learned nothing that is not committed: what was held is gone if it was started again since"
    )]
    NothingLearned,
    /// Learned samples were lost before they were committed.
    #[error(
        "the board was started again before it had committed: the {samples} samples that it had learned are gone, teach them again"
    )]
    Gone {
        /// How many samples were lost.
        samples: u32,
    },
    /// The board starts again and again.
    #[error("the board was started again {0} times while it worked: check its power")]
    Restarts(u32),
}

impl Error {
    /// A program's exit status: 1 where the input was refused, 2 where the machine failed.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Refused(Refusal::Flash | Refusal::Internal) => 2,
            Self::Refused(_) | Self::PortName { .. } | Self::TooLong | Self::NothingLearned => 1,
            Self::Port { .. }
            | Self::Silent { .. }
            | Self::FellSilent { .. }
            | Self::Answer
            | Self::Slow { .. }
            | Self::TooManyClasses { .. }
            | Self::Gone { .. }
            | Self::Restarts(_) => 2,
        }
    }

    /// Whether the board has lost what was sent to it, so that it must be sent again.
    fn is_lost(&self) -> bool {
        matches!(
            self,
            Self::Refused(
                Refusal::NotGreeted
                    | Refusal::Sequence { .. }
                    | Refusal::Incomplete { .. }
                    | Refusal::Order { .. }
            )
        )
    }
}
