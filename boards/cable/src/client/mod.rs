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

/// What went wrong between host and board.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port cannot be opened.
    #[error("{port}: cannot be opened ({reason}): check the cable, the name and its permissions")]
    Port {
        /// Its name.
        port: String,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// No such kind of port.
    #[error("{port}: is neither tcp:HOST:PORT nor a serial port that this program can open")]
    PortName {
        /// Its name.
        port: String,
    },
    /// No answer.
    #[error(
        "{port}: no answer for {seconds} s: is it a Headstart board, with power, and does nothing else use the port?"
    )]
    Silent {
        /// The port.
        port: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Answers, but too few a second.
    #[error(
        "{port}: the board was not done after {seconds} s, which is far too slow: check the cable and its speed"
    )]
    Slow {
        /// The port.
        port: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The board does not do it.
    #[error("the board refuses: {0}")]
    Refused(Refusal),
    /// The answer is none to the question.
    #[error("the board answers something else: use firmware and program of the same release")]
    Answer,
    /// More classes than any pack has.
    #[error(
        "the board says that it has {found} classes, and packs have at most {most}: use firmware and program of the same release"
    )]
    TooManyClasses {
        /// How many it said.
        found: u16,
        /// Most classes.
        most: u16,
    },
    /// A label or name that no frame holds.
    #[error("a name is too long for the cable: use at most 64 bytes")]
    TooLong,
    /// There is nothing to commit.
    #[error(
        "the board has learned nothing that is not committed: what was held is gone if it was started again since"
    )]
    NothingLearned,
    /// What was learned was lost before it was committed.
    #[error(
        "the board was started again before it had committed: the {samples} samples that it had learned are gone, teach them again"
    )]
    Gone {
        /// Samples.
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
