//! What can be wrong with a state folder, each with what to do about it.

/// Why a state folder was refused.
///
/// The path stands in [`Error::State`](crate::Error::State) beside it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateProblem {
    /// The folder is something else.
    #[error("is not a folder: give another state folder")]
    NotAFolder,
    /// A file is something else.
    #[error("is not a plain file: move it elsewhere, or give another state folder")]
    NotAFile,
    /// A file cannot be read.
    #[error("cannot be read ({0}): check the permissions")]
    Unreadable(std::io::Error),
    /// A file past the size limit.
    #[error(
        "has {bytes} bytes, more than the {limit} that a file of its kind can have: run repair, which saves what can be saved"
    )]
    TooLarge {
        /// What the file has.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Features that make a file past the size limit.
    #[error(
        "would have {bytes} bytes, more than the {limit} that can be read again: learn fewer samples, or with a budget of {limit} bytes"
    )]
    WouldBeTooLarge {
        /// What the file would have.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// More samples than a file may have.
    #[error(
        "would hold {found} samples, more than the {limit} that can be read again: learn fewer, or with a budget of bytes"
    )]
    TooManySamples {
        /// How many there would be.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A head past the size limit.
    #[error(
        "would have {bytes} bytes, more than the {limit} that can be read again: pack the model with a later freeze point"
    )]
    HeadTooLarge {
        /// What the head takes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Another process learns or forgets in this folder.
    #[error("is in use by another process: wait for it and try again")]
    Busy,
    /// Neither the folder nor the pack has a head.
    #[error("holds no head, and the pack ships none: run learn first")]
    NoHead,
    /// There is nothing that was learned.
    #[error("holds no samples: check the path, or run learn first")]
    NoSamples,
    /// A head alone: learning would lose what it knows.
    #[error(
        "holds a head without the features.hsfc that it was learned from: copy the whole folder, run repair, which computes them again from copies of the samples, or ship the head in a pack"
    )]
    NoFeatures,
    /// There is no head record, and there is what it was learned from.
    #[error("has lost its head.hshr, but not what it was learned from: run repair")]
    HeadLost,
    /// The head record is refused.
    #[error("{problem}: {help}", problem = .0, help = what_helps(.0))]
    Head(headstart::Error),
    /// A head of another backbone.
    #[error(
        "was learned with backbone {found}, and the pack has {expected}: use the pack that it was learned with, or {way}"
    )]
    OtherPack {
        /// The pack's backbone, its first bytes in hexadecimal.
        expected: String,
        /// The head's.
        found: String,
        /// What leads to this pack.
        way: Way,
    },
    /// Samples of which there is no copy.
    #[error(
        "keeps copies of {kept} of its {of} samples, and {missing} are missing: learn them again with the pack that they were learned with, keeping samples, or adopt by force what is kept"
    )]
    NotAllKept {
        /// Samples that are kept.
        kept: usize,
        /// Those that are not.
        missing: usize,
        /// All samples.
        of: usize,
    },
    /// No copy of any sample.
    #[error(
        "keeps no copy of its {0} samples, and another backbone can learn from nothing else: go on with the pack that they were learned with, and learn them again there, keeping samples"
    )]
    NoneKept(usize),
    /// A copy that is another file.
    #[error(
        "is not the sample that its name says: remove it, and learn that sample again, keeping samples"
    )]
    NotThatSample,
    /// Classes that only the head of the pack before could tell.
    #[error(
        "knows classes of which no sample is kept ({0}), and the pack ships no head that knows them: go on with the pack before, or adopt by force without them"
    )]
    ClassesLost(String),
    /// A commit of another pack.
    #[error("made commit {number} with backbone {backbone}: give rollback the pack of that one")]
    CommitOfOther {
        /// The commit.
        number: u32,
        /// Its backbone, the first bytes in hexadecimal.
        backbone: String,
    },
    /// Samples of an earlier commit that are not kept.
    #[error(
        "keeps no copy of all samples of commit {0}, whose backbone is another than the current head's: go on with the current pack"
    )]
    CopiesGone(u32),
    /// A security counter that was damaged.
    #[error("is not a security counter: only the maker of this device can say how to go on")]
    Counter,
    /// A commit that is not kept.
    #[error("keeps no commit {0}: history lists them")]
    NoCommit(u32),
    /// There is one commit only.
    #[error("keeps no commit before the current one")]
    NoEarlierCommit,
    /// A commit whose samples are gone.
    #[error("no longer keeps all samples of commit {0}: learn them again")]
    SamplesGone(u32),
    /// Not a feature cache.
    #[error("is damaged (byte {at}: {reason}): run repair, which saves what can be saved")]
    Cache {
        /// The byte where reading stopped.
        at: usize,
        /// The rule that is broken.
        reason: &'static str,
    },
    /// Not a commit.
    #[error("is damaged (byte {at}: {reason}): history lists the commits that are sound")]
    Commit {
        /// The byte where reading stopped.
        at: usize,
        /// The rule that is broken.
        reason: &'static str,
    },
    /// Samples that nothing brings back.
    #[error(
        "has lost the features of {lost} of {of} samples, and the copies of these or what they show: copy features.hsfc or the commits from elsewhere, or repair by force, which goes on with {} samples",
        .of - .lost
    )]
    Lost {
        /// Samples whose features are lost.
        lost: usize,
        /// All samples.
        of: usize,
    },
    /// Features of all samples are lost, and so are the samples.
    #[error(
        "has lost the features of all samples, and no copy of one is kept; a head that is sound still answers: copy features.hsfc from elsewhere, ship the head in a pack, or learn in another state folder"
    )]
    AllLost,
    /// A feature cache of a later program.
    #[error("has format version {found}, newer than this program: update it")]
    CacheVersion {
        /// The version that was found.
        found: u16,
    },
    /// A feature cache of another backbone.
    #[error(
        "was learned on backbone {found}, the pack has {expected}: use that pack or another state folder"
    )]
    OtherBackbone {
        /// The pack's backbone, its first bytes in hexadecimal.
        expected: String,
        /// The cache's.
        found: String,
    },
    /// More classes than a head can have.
    #[error("would hold more than {limit} classes: use another state folder")]
    TooManyClasses {
        /// The most classes.
        limit: usize,
    },
    /// More classes than the pack plans memory for.
    #[error(
        "would hold {found} classes, and the pack plans memory for {limit}: pack the model again for {found}, or learn fewer classes"
    )]
    UnplannedClasses {
        /// How many there would be.
        found: usize,
        /// The pack's limit.
        limit: usize,
    },
}

/// How what was learned may come to a pack with another backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Its samples are kept, so many of so many.
    Adopt {
        /// Those that are kept.
        kept: usize,
        /// All samples.
        of: usize,
    },
    /// This commit was made with the pack, and its samples are kept.
    Return(u32),
    /// No sample is kept.
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
                f.write_str("learn again in another state folder: of the samples, no copy was kept")
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
