//! Reasons why a state folder is refused, each with what to do about it.

use crate::shown::counted;

/// A reason why a state folder was refused.
///
/// The path stands in [`Error::State`](crate::Error::State) beside it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateProblem {
    /// The path leads to something other than a folder.
    #[error("is not a folder: give another state folder")]
    NotAFolder,
    /// A path in the folder leads to something other than a plain file.
    #[error("is not a plain file: move it elsewhere, or give another state folder")]
    NotAFile,
    /// A file cannot be read.
    #[error("cannot be read ({0}): check the permissions")]
    Unreadable(std::io::Error),
    /// A file is larger than its size limit.
    #[error(
        "has {bytes} bytes, more than the {limit} that a file of its kind can have: run repair, which saves what can be saved"
    )]
    TooLarge {
        /// How many bytes the file has.
        bytes: u64,
        /// The most bytes of such a file.
        limit: u64,
    },
    /// The features would make a file larger than can be read again.
    #[error(
        "would have {bytes} bytes, more than the {limit} that can be read again: learn fewer samples, or with a budget of {limit} bytes"
    )]
    WouldBeTooLarge {
        /// How many bytes the file would have.
        bytes: u64,
        /// The most bytes of such a file.
        limit: u64,
    },
    /// The file would hold more samples than can be read again.
    #[error(
        "would hold {found} samples, more than the {limit} that can be read again: learn fewer, or with a budget of bytes"
    )]
    TooManySamples {
        /// How many there would be.
        found: usize,
        /// The most samples.
        limit: usize,
    },
    /// The head would be larger than can be read again.
    #[error(
        "would have {bytes} bytes, more than the {limit} that can be read again: pack the model with a later freeze point"
    )]
    HeadTooLarge {
        /// How many bytes the head takes.
        bytes: usize,
        /// The most bytes of a head.
        limit: usize,
    },
    /// Another process learns or forgets in this folder.
    #[error("is in use by another process: wait for it and try again")]
    Busy,
    /// Neither the folder nor the pack has a head.
    #[error("holds no head, and the pack ships none: run learn first")]
    NoHead,
    /// The folder holds nothing that was learned.
    #[error("holds no samples: check the path, or run learn first")]
    NoSamples,
    /// The folder holds a head without the features that it was learned from: learning would lose what it knows.
    #[error(
        "holds a head without the features.hsfc that it was learned from: copy the whole folder, run repair, which computes them again from copies of the samples, or ship the head in a pack"
    )]
    NoFeatures,
    /// The head record is lost, and what it was learned from is there.
    #[error("has lost its head.hshr, but not what it was learned from: run repair")]
    HeadLost,
    /// The head record is refused.
    #[error("{problem}: {help}", problem = .0, help = what_helps(.0))]
    Head(headstart::Error),
    /// The head was learned with another backbone.
    #[error(
        "was learned with backbone {found}, and the pack has {expected}: use the pack that it was learned with, or {way}"
    )]
    OtherPack {
        /// The pack's backbone, its first bytes in hexadecimal.
        expected: String,
        /// The head's backbone, its first bytes in hexadecimal.
        found: String,
        /// What brings what was learned to this pack.
        way: Way,
    },
    /// Some samples have no copy.
    #[error(
        "keeps copies of {kept} of its {of} samples, and {missing} are missing: learn them again with the pack that they were learned with, keeping samples, or adopt by force what is kept"
    )]
    NotAllKept {
        /// How many samples are kept.
        kept: usize,
        /// How many samples are missing.
        missing: usize,
        /// How many samples there are in all.
        of: usize,
    },
    /// None of so many samples has a copy.
    #[error(
        "keeps no copy of its {0} samples, and another backbone can learn from nothing else: go on with the pack that they were learned with, and learn them again there, keeping samples"
    )]
    NoneKept(usize),
    /// A copy is not the sample that its name says.
    #[error(
        "is not the sample that its name says: remove it, and learn that sample again, keeping samples"
    )]
    NotThatSample,
    /// No sample is kept of some classes, and the pack ships no head that knows them.
    #[error(
        "knows classes of which no sample is kept ({0}), and the pack ships no head that knows them: go on with the pack before, or adopt by force without them"
    )]
    ClassesLost(String),
    /// The commit was made with another pack.
    #[error("made commit {number} with backbone {backbone}: give rollback the pack of that one")]
    CommitOfOther {
        /// The commit's number.
        number: u32,
        /// The commit's backbone, its first bytes in hexadecimal.
        backbone: String,
    },
    /// Not all samples of the earlier commit of this number are kept.
    #[error(
        "keeps no copy of all samples of commit {0}, whose backbone is another than the current head's: go on with the current pack"
    )]
    CopiesGone(u32),
    /// The security counter is damaged.
    #[error("is not a security counter: only the maker of this device can say how to go on")]
    Counter,
    /// No commit of this number is kept.
    #[error("keeps no commit {0}: history lists them")]
    NoCommit(u32),
    /// There is no commit before the current one.
    #[error("keeps no commit before the current one")]
    NoEarlierCommit,
    /// The samples of this commit are no longer all kept.
    #[error("no longer keeps all samples of commit {0}: learn them again, or go further back")]
    SamplesGone(u32),
    /// The file is not a sound feature cache.
    #[error("is damaged (byte {at}: {reason}): run repair, which saves what can be saved")]
    Cache {
        /// The byte where reading stopped.
        at: usize,
        /// The rule that is broken.
        reason: &'static str,
    },
    /// The file is not a sound commit.
    #[error("is damaged (byte {at}: {reason}): history lists the commits that are sound")]
    Commit {
        /// The byte where reading stopped.
        at: usize,
        /// The rule that is broken.
        reason: &'static str,
    },
    /// The features of some samples are lost, and nothing brings them back.
    #[error(
        "has lost the features of {lost} of {of} samples, and the copies of these or what they show: copy features.hsfc or the commits from elsewhere, or repair by force, which goes on with {}",
        counted(.of - .lost, "sample")
    )]
    Lost {
        /// How many samples lost their features.
        lost: usize,
        /// How many samples there are in all.
        of: usize,
    },
    /// Features of all samples are lost, and so are the samples.
    #[error(
        "has lost the features of all samples, and no copy of one is kept; a head that is sound still answers: copy features.hsfc from elsewhere, ship the head in a pack, or learn in another state folder"
    )]
    AllLost,
    /// The file was written by a later program. It is sound, and never taken for damage.
    #[error(
        "was made by a newer version of this program (format version {found}): update this one, which changes nothing here"
    )]
    CacheVersion {
        /// The version that was found.
        found: u16,
    },
    /// The feature cache was learned on another backbone.
    #[error(
        "was learned on backbone {found}, the pack has {expected}: use that pack or another state folder"
    )]
    OtherBackbone {
        /// The pack's backbone, its first bytes in hexadecimal.
        expected: String,
        /// The cache's backbone, its first bytes in hexadecimal.
        found: String,
    },
    /// The state would hold more classes than a head can have.
    #[error("would hold more than {limit} classes: use another state folder")]
    TooManyClasses {
        /// The most classes.
        limit: usize,
    },
    /// The state would hold more classes than the pack plans memory for.
    #[error(
        "would hold {found} classes, and the pack plans memory for {limit}: pack the model again for {found}, or learn fewer classes"
    )]
    UnplannedClasses {
        /// How many classes there would be.
        found: usize,
        /// The most classes that the pack plans for.
        limit: usize,
    },
}

impl StateProblem {
    /// What is wrong with a head record.
    pub(crate) fn of_head(problem: headstart::Error) -> Self {
        match problem {
            headstart::Error::UnsupportedVersion { found } => Self::CacheVersion { found },
            problem => Self::Head(problem),
        }
    }
}

/// Ways to bring what was learned to a pack with another backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The samples are kept, all or some: they can be learned again.
    Adopt {
        /// How many samples are kept.
        kept: usize,
        /// How many samples there are in all.
        of: usize,
    },
    /// This commit was made with the pack, and its samples are kept: return to it.
    Return(u32),
    /// No sample is kept: learning must start anew.
    Anew,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Adopt { kept, of } => write!(
                f,
                "adopt this one, which learns again from the samples ({kept} of {of} are kept)"
            ),
            Self::Return(number) => {
                write!(f, "return with rollback to commit {number}, which was made with this one")
            }
            Self::Anew => {
                f.write_str("learn again into another state folder; it cannot be adopted, for no copies of its samples were kept")
            }
        }
    }
}

/// What helps with a head record that is refused.
fn what_helps(problem: &headstart::Error) -> &'static str {
    match problem {
        headstart::Error::BackboneMismatch { .. } => "use the pack that it was learned on",
        _ => "run repair, which brings it back from a commit, or learns it again from the features",
    }
}
