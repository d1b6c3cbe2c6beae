//! What is said: requests of the host, replies of the board.

use serde::{Deserialize, Serialize};

/// The version of the protocol. A board answers `Hello` of any version.
pub const VERSION: u16 = 1;

/// The class of an answer's truth that the head does not know.
pub const UNKNOWN_CLASS: u16 = u16::MAX;

/// What a host asks of a board. Each may be repeated, and is done once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Begins a session: who is there?
    Hello {
        /// The host's version of the protocol.
        version: u16,
    },
    /// Bytes of the next sample, as int8, from `offset` on. 0 begins another sample.
    Sample {
        /// Where they belong: as many as came before.
        offset: u32,
        /// The bytes, at most [`DATA`](crate::DATA).
        bytes: &'a [u8],
    },
    /// The class of the sample.
    Predict,
    /// Asks for the class of a sample whose class is known.
    Evaluate {
        /// That class.
        label: &'a str,
    },
    /// Begins to learn: what was learned and not committed is dropped, unless this transaction is
    /// the one that is open.
    Begin {
        /// Names what is going to be learned; not 0.
        transaction: u64,
    },
    /// Learns the sample.
    Learn {
        /// Number of the sample in the transaction, from 0.
        index: u32,
        /// Its class.
        label: &'a str,
    },
    /// Trains on the features of all samples of the transaction.
    Train {
        /// How.
        learner: Learner,
    },
    /// Makes what was learned durable.
    Commit,
    /// What a board has learned.
    Status,
    /// A class.
    Class {
        /// Its number.
        index: u16,
    },
    /// Forgets a class, or everything that was learned.
    Forget {
        /// The class; `None` for everything.
        label: Option<&'a str>,
    },
    /// Bytes of the head record that was committed last.
    Head {
        /// From there.
        offset: u32,
    },
    /// Begins to replace the pack.
    Update {
        /// Its bytes.
        bytes: u32,
        /// The SHA-256 that stands in its header, which covers the digests of all sections.
        id: [u8; 32],
        /// Whether a head that was learned on another backbone may be forgotten.
        forget: bool,
    },
    /// Bytes of the new pack, from `offset` on.
    Write {
        /// Where they belong: as many as came before.
        offset: u32,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Verifies the new pack, and starts with it.
    Activate,
}

/// How a head is trained on features that the board keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Learner {
    /// Steps of gradients, many times over all samples, from the head that is there.
    Sgd,
    /// Least squares in closed form, of these samples alone.
    Ridge,
    /// The means of classes, of these samples alone.
    Imprint,
}

/// What a board answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// To `Hello`.
    Hello(Hello<'a>),
    /// To `Sample`, `Write` and `Update`: so many bytes are there.
    Received {
        /// Bytes.
        bytes: u32,
    },
    /// To `Predict` and `Evaluate`.
    Answer(Answer<'a>),
    /// To `Begin` and `Learn`: so many samples of the transaction are learned.
    Learned {
        /// Samples.
        samples: u32,
        /// Those of them whose features are kept to train on.
        kept: u32,
        /// Whether the transaction was committed before: then there is nothing left to do.
        committed: bool,
        /// Loss of the sample before the step; 0 with `Begin`.
        loss: f32,
    },
    /// To `Train`.
    Trained {
        /// Samples that were trained on.
        samples: u32,
        /// Mean loss of the last pass; 0 where the learner knows none.
        loss: f32,
    },
    /// To `Commit`.
    Committed {
        /// The number of the commit.
        number: u64,
    },
    /// To `Status`.
    Status(Status),
    /// To `Class`.
    Class {
        /// Its name.
        label: &'a str,
        /// Samples that it was learned from.
        samples: u32,
    },
    /// To `Forget`: so many classes are left.
    Forgotten {
        /// Classes.
        classes: u16,
    },
    /// To `Head`.
    Head {
        /// Bytes of the whole record; 0 if nothing was committed.
        bytes: u32,
        /// What stands at the offset.
        part: &'a [u8],
    },
    /// To `Activate`: the board starts anew.
    Activated,
    /// To any request: it was not done.
    Refused(Refusal),
}

/// What a board says of itself when it is greeted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// The board's version of the protocol.
    pub version: u16,
    /// Name of the board, as in the host's list.
    pub board: &'a str,
    /// Version of its firmware.
    pub firmware: &'a str,
    /// The pack that is in use: the SHA-256 of its header.
    pub pack: [u8; 32],
    /// What heads are bound to.
    pub backbone: [u8; 32],
    /// The pack's input.
    pub input: Input,
    /// Most classes.
    pub max_classes: u16,
    /// Classes of the head.
    pub classes: u16,
    /// Most bytes of a new pack.
    pub room: u32,
    /// The transaction that is open; 0 if none is.
    pub transaction: u64,
    /// Samples that it has learned.
    pub learned: u32,
    /// Why nothing can be learned or predicted, if so.
    pub problem: Option<Refusal>,
}

/// The shape of a sample: int8 `[height, width, channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Channels.
    pub channels: u32,
}

/// The answer to one sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer<'a> {
    /// The best class.
    pub class: u16,
    /// Its name.
    pub label: &'a str,
    /// Its probability.
    pub probability: f32,
    /// Whether that is too little to name it.
    pub unknown: bool,
    /// To `Evaluate`: the class of the label that came with it; [`UNKNOWN_CLASS`] where the head has
    /// no such class, and to `Predict`.
    pub truth: u16,
}

/// What a board has learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Classes of the head.
    pub classes: u16,
    /// Features of a sample.
    pub features: u32,
    /// The learner's number in a head record: 1 sgd, 2 ridge, 3 imprint; 0 without a class.
    pub learner: u8,
    /// The number of the last commit; 0 where nothing was committed, and the pack's head answers.
    pub commits: u64,
    /// Bytes of the head record that was committed last.
    pub head_bytes: u32,
    /// Samples that were learned and not committed.
    pub learned: u32,
    /// Those of them whose features are kept.
    pub kept: u32,
    /// Most samples whose features can be kept.
    pub most_kept: u32,
    /// A lower probability means "unknown".
    pub unknown_threshold: f32,
    /// Records that the flash has lost.
    pub damaged: u32,
}

/// Why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Another session is going on, or none: say hello first. After a reset of the board this is the answer
    /// to everything.
    NotGreeted,
    /// Versions of the protocol differ.
    Version {
        /// The board's.
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
        /// Bytes that are there.
        received: u32,
        /// Bytes that are needed in all.
        expected: u32,
    },
    /// No transaction is open, or the sample is not the next one of it.
    Order {
        /// Samples that were learned.
        learned: u32,
    },
    /// There is no class yet.
    NoClasses,
    /// The pack plans memory for no more.
    TooManyClasses {
        /// Most classes.
        limit: u16,
    },
    /// The label is empty, too long or not plain text.
    Label,
    /// The head has no such class.
    NoSuchClass,
    /// It is the only class: forget everything instead.
    LastClass,
    /// No features are kept to train on.
    NothingKept,
    /// More samples are kept than the memory of this learner takes.
    TooManyKept {
        /// Samples.
        kept: u32,
    },
    /// Weights became infinite, or the learner's system could not be solved; what was not committed is
    /// dropped.
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
        /// Most bytes.
        limit: u32,
    },
    /// The pack takes more RAM than there is.
    Memory {
        /// Bytes of its session.
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
    /// Something that the firmware does not expect.
    Internal,
    /// The new pack is not signed for this board by a key that its firmware knows.
    Untrusted,
    /// The new pack has a lower security counter than one that was used.
    Older {
        /// The new pack's.
        found: u64,
        /// The least that is taken.
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
