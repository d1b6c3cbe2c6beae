//! Messages: requests of the host, replies of the board.

use serde::{Deserialize, Serialize};

/// The version of the protocol. A board answers `Hello` of any version.
pub const VERSION: u16 = 1;

/// The class of an answer's truth that the head does not know.
pub const UNKNOWN_CLASS: u16 = u16::MAX;

/// A request of a host to a board. Each may be repeated, and is done once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Begins a session, and asks who the board is.
    Hello {
        /// The host's version of the protocol.
        version: u16,
    },
    /// Bytes of the next sample, as int8, from `offset` on. 0 begins another sample.
    Sample {
        /// Where the bytes belong: as many as came before.
        offset: u32,
        /// The bytes, at most [`DATA`](crate::DATA).
        bytes: &'a [u8],
    },
    /// Asks for the class of the sample.
    Predict,
    /// Asks for the class of a sample whose class is known.
    Evaluate {
        /// The sample's known class.
        label: &'a str,
    },
    /// Begins to learn: what was learned and not committed is dropped, unless this transaction is the one that is open.
    Begin {
        /// The number that names what is going to be learned; not 0.
        transaction: u64,
    },
    /// Learns the sample.
    Learn {
        /// Number of the sample in the transaction, from 0.
        index: u32,
        /// The sample's class.
        label: &'a str,
    },
    /// Trains on the features of all samples of the transaction.
    Train {
        /// The learner.
        learner: Learner,
    },
    /// Makes what was learned durable.
    Commit,
    /// Asks what the board has learned.
    Status,
    /// Asks for a class of the head.
    Class {
        /// The class's number.
        index: u16,
    },
    /// Forgets a class, or everything that was learned.
    Forget {
        /// The class to forget; `None` for everything.
        label: Option<&'a str>,
    },
    /// Asks for bytes of the head record that was committed last.
    Head {
        /// The first byte that is asked for.
        offset: u32,
    },
    /// Begins to replace the pack.
    Update {
        /// How many bytes the new pack has.
        bytes: u32,
        /// The SHA-256 that stands in its header, which covers the digests of all sections.
        id: [u8; 32],
        /// Whether a head that was learned on another backbone may be forgotten.
        forget: bool,
    },
    /// Bytes of the new pack, from `offset` on.
    Write {
        /// Where the bytes belong: as many as came before.
        offset: u32,
        /// The bytes, at most [`DATA`](crate::DATA).
        bytes: &'a [u8],
    },
    /// Verifies the new pack, and starts with it.
    Activate,
}

/// A learner that trains a head on features that the board keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Learner {
    /// Steps of gradients, many times over all samples, from the head that is there.
    Sgd,
    /// Least squares in closed form, of these samples alone.
    Ridge,
    /// The means of classes, of these samples alone.
    Imprint,
}

/// A reply of a board.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// The reply to `Hello`: what the board says of itself.
    Hello(Hello<'a>),
    /// The reply to `Sample`, `Write` and `Update`: so many bytes are there.
    Received {
        /// How many bytes are there.
        bytes: u32,
    },
    /// The reply to `Predict` and `Evaluate`: the answer to the sample.
    Answer(Answer<'a>),
    /// The reply to `Begin` and `Learn`: so many samples of the transaction are learned.
    Learned {
        /// How many samples are learned.
        samples: u32,
        /// How many of them have features that are kept to train on.
        kept: u32,
        /// Whether the transaction was committed before: then there is nothing left to do.
        committed: bool,
        /// The loss of the sample before the step, in nats; 0 with `Begin`.
        loss: f32,
    },
    /// The reply to `Train`: the head is trained.
    Trained {
        /// How many samples were trained on.
        samples: u32,
        /// The mean loss of the last pass, in nats; 0 where the learner knows none.
        loss: f32,
    },
    /// The reply to `Commit`: what was learned is durable.
    Committed {
        /// The number of the commit.
        number: u64,
    },
    /// The reply to `Status`: what the board has learned.
    Status(Status),
    /// The reply to `Class`: a class of the head.
    Class {
        /// The class's name.
        label: &'a str,
        /// How many samples the class was learned from.
        samples: u32,
    },
    /// The reply to `Forget`: so many classes are left.
    Forgotten {
        /// How many classes are left.
        classes: u16,
    },
    /// The reply to `Head`: a part of the head record.
    Head {
        /// How many bytes the whole record has; 0 if nothing was committed.
        bytes: u32,
        /// The bytes that stand at the offset.
        part: &'a [u8],
    },
    /// The reply to `Activate`: the board starts anew.
    Activated,
    /// The reply to any request that was not done.
    Refused(Refusal),
}

/// A board's description of itself, with which it answers a greeting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// The board's version of the protocol.
    pub version: u16,
    /// The board's name, as in the host's list.
    pub board: &'a str,
    /// The version of the board's firmware.
    pub firmware: &'a str,
    /// The SHA-256 in the header of the pack in use.
    pub pack: [u8; 32],
    /// The digest of the backbone, which heads are bound to.
    pub backbone: [u8; 32],
    /// The shape of the pack's input.
    pub input: Input,
    /// The most classes that the head can have.
    pub max_classes: u16,
    /// How many classes the head has.
    pub classes: u16,
    /// The most bytes of a new pack.
    pub room: u32,
    /// The transaction that is open; 0 if none is.
    pub transaction: u64,
    /// How many samples of the open transaction the board has learned.
    pub learned: u32,
    /// Why nothing can be learned or predicted, if that is so.
    pub problem: Option<Refusal>,
}

/// The shape of a sample: int8 `[height, width, channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Number of rows.
    pub height: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of channels.
    pub channels: u32,
}

/// The answer to one sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer<'a> {
    /// The best class.
    pub class: u16,
    /// The name of the best class.
    pub label: &'a str,
    /// The probability of the best class.
    pub probability: f32,
    /// Whether the probability is too low to name the class.
    pub unknown: bool,
    /// In an answer to `Evaluate`, the class of the label that came with it; [`UNKNOWN_CLASS`] where the head has no such class, and in an
    /// answer to `Predict`.
    pub truth: u16,
}

/// A board's report of what it has learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// How many classes the head has.
    pub classes: u16,
    /// How many features a sample has.
    pub features: u32,
    /// The learner's number in a head record: 1 sgd, 2 ridge, 3 imprint; 0 without a class.
    pub learner: u8,
    /// The number of the last commit; 0 where nothing was committed, and the pack's head answers.
    pub commits: u64,
    /// Bytes of the head record that was committed last.
    pub head_bytes: u32,
    /// How many samples were learned and not committed.
    pub learned: u32,
    /// How many of them have features that are kept.
    pub kept: u32,
    /// The most samples whose features can be kept.
    pub most_kept: u32,
    /// The probability below which an answer is "unknown".
    pub unknown_threshold: f32,
    /// How many records the flash has lost.
    pub damaged: u32,
}

/// A reason why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Another session is going on, or none: say hello first. After a reset of the board this is the answer
    /// to everything.
    NotGreeted,
    /// Versions of the protocol differ.
    Version {
        /// The board's version of the protocol.
        board: u16,
    },
    /// The request's number does not follow the one before.
    Sequence {
        /// The number that was expected.
        expected: u32,
    },
    /// The request is none that the board knows.
    Malformed,
    /// Bytes came that do not follow those before, or a sample or pack was used before it was whole.
    Incomplete {
        /// How many bytes are there.
        received: u32,
        /// How many bytes are needed in all.
        expected: u32,
    },
    /// No transaction is open, or the sample is not the next one of it.
    Order {
        /// How many samples were learned.
        learned: u32,
    },
    /// There is no class yet.
    NoClasses,
    /// The pack plans memory for no more classes.
    TooManyClasses {
        /// The most classes of the pack.
        limit: u16,
    },
    /// The label is empty, too long or not plain text.
    Label,
    /// The head has no such class.
    NoSuchClass,
    /// The class is the only one: forget everything instead.
    LastClass,
    /// No features are kept to train on.
    NothingKept,
    /// More samples are kept than the memory of this learner takes.
    TooManyKept {
        /// How many samples are kept.
        kept: u32,
    },
    /// Training diverged: weights became infinite, or the learner's system could not be solved. What was not committed is dropped.
    Diverged,
    /// The flash does not take or give what it should.
    Flash,
    /// The flash holds a head of another backbone: forget everything first, or use that backbone's pack.
    OtherBackbone,
    /// The board has no pack that it can use.
    NoPack,
    /// The new pack is not whole, or breaks a rule of the format.
    BadPack,
    /// The new pack is not the one that was announced.
    OtherPack,
    /// The new pack is longer than its place.
    TooLong {
        /// The most bytes of a pack.
        limit: u32,
    },
    /// The pack takes more RAM than there is.
    Memory {
        /// Bytes of the pack's session.
        needed: u32,
        /// Bytes that there are.
        available: u32,
    },
    /// A head record takes more than a slot of the board's flash.
    Slot {
        /// Bytes of the longest record.
        needed: u32,
        /// Bytes of a slot.
        available: u32,
    },
    /// The firmware came to something that it does not expect.
    Internal,
    /// The new pack is not signed for this board by a key that its firmware knows.
    Untrusted,
    /// The new pack has a lower security counter than one that was used.
    Older {
        /// The new pack's security counter.
        found: u64,
        /// The least counter that is taken.
        least: u64,
    },
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotGreeted => f.write_str("it was started again, or serves another program"),
            Self::Version { board } => write!(
                f,
                "its firmware speaks version {board} of the protocol, this program version {VERSION}: use those of the same release"
            ),
            Self::Sequence { expected } => {
                write!(f, "a request came out of order (number {expected} was expected)")
            }
            Self::Malformed => f.write_str(
                "its firmware does not know this request: use firmware and program of the same release",
            ),
            Self::Incomplete { received, expected } => {
                write!(f, "{received} bytes are there of {expected}")
            }
            Self::Order { learned } => {
                write!(f, "another sample was expected: {learned} are learned")
            }
            Self::NoClasses => f.write_str("it knows no class yet: learn first"),
            Self::TooManyClasses { limit } => {
                write!(f, "its pack plans memory for {limit} classes: no more can be learned")
            }
            Self::Label => f.write_str(
                "a class name is empty, longer than 64 bytes or not plain text: rename the folder",
            ),
            Self::NoSuchClass => f.write_str("it knows no such class"),
            Self::LastClass => {
                f.write_str("it is the only class: forget everything instead")
            }
            Self::NothingKept => f.write_str(
                "it has no room in its flash for the features of a sample: it can learn by steps only",
            ),
            Self::TooManyKept { kept } => write!(
                f,
                "{kept} samples are too many for the memory of this learner: learn fewer at a time, or by gradients"
            ),
            Self::Diverged => f.write_str(
                "learning diverged, and what was not committed was dropped: use another learner",
            ),
            Self::Flash => f.write_str(
                "its flash does not take or give what it should; the last commit is still in force",
            ),
            Self::OtherBackbone => f.write_str(
                "it holds a head that was learned on another backbone, and keeps no samples to learn again from: use that pack, or forget everything and teach it again",
            ),
            Self::NoPack => f.write_str("it has no pack that it can use: send it one"),
            Self::BadPack => f.write_str("the new pack is damaged or no pack; the old one is used"),
            Self::OtherPack => f.write_str("the new pack is not the one that was announced"),
            Self::TooLong { limit: 0 } => f.write_str(
                "its flash has no place for another pack: it takes packs by flashing only",
            ),
            Self::TooLong { limit } => {
                write!(f, "the new pack is longer than the {limit} bytes that its flash has for one")
            }
            Self::Memory { needed, available } => write!(
                f,
                "the pack needs {needed} bytes of RAM for its session, and there are {available}: pack it for fewer classes, or take a smaller model"
            ),
            Self::Slot { needed, available } => write!(
                f,
                "a head of the pack takes {needed} bytes, and a slot of its flash holds {available}: pack it for fewer classes"
            ),
            Self::Internal => f.write_str("its firmware met something that it does not expect"),
            Self::Untrusted => f.write_str(
                "the new pack is not signed for this board by a key that its firmware knows: have its maker sign it",
            ),
            Self::Older { found, least } => write!(
                f,
                "the new pack's security counter is {found}, and a pack with {least} was used: take a newer one"
            ),
        }
    }
}

impl core::error::Error for Refusal {}
