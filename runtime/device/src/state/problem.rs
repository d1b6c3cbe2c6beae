//! What can be wrong with a state folder, each with what to do about it.

/// Why a state folder was refused.
///
/// The path stands in [`Error::State`](crate::Error::State) beside it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The folder is something else.
    #[error("is not a folder: give another --state")]
    NotAFolder,
    /// A file is something else.
    #[error("is not a plain file: remove it, or give another --state")]
    NotAFile,
    /// A file cannot be read.
    #[error("cannot be read ({0}): check the permissions")]
    Unreadable(std::io::Error),
    /// A file past the size limit.
    #[error("has {bytes} bytes, more than the {limit} that are read: run forget and learn again")]
    TooLarge {
        /// What the file has.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Features that make a file past the size limit.
    #[error(
        "would have {bytes} bytes, more than the {limit} that can be read again: learn fewer samples, or say learn --max-bytes {limit}"
    )]
    WouldBeTooLarge {
        /// What the file would have.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// More samples than a file may have.
    #[error(
        "would hold {found} samples, more than the {limit} that can be read again: learn fewer, or say learn --max-bytes N"
    )]
    TooManySamples {
        /// How many there would be.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A head past the size limit.
    #[error(
        "would have {bytes} bytes, more than the {limit} that can be read again: pack the model with a later --freeze"
    )]
    HeadTooLarge {
        /// What the head takes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Another process learns or forgets in this folder.
    #[error("is in use by another headstart-edge: wait for it and try again")]
    Busy,
    /// Neither the folder nor the pack has a head.
    #[error("holds no head, and the pack ships none: run learn first")]
    NoHead,
    /// There is nothing that was learned.
    #[error("holds no samples: check the path, or run learn first")]
    NoSamples,
    /// A head alone: learning would lose what it knows.
    #[error(
        "holds a head without the features.hsfc that it was learned from: copy the whole folder, ship the head in a pack, or run forget"
    )]
    NoFeatures,
    /// The head record is refused.
    #[error("{0}: use the pack that it was learned on, or run forget and learn again")]
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
        "keeps copies of {kept} of its {of} samples, and {missing} are missing: learn them again with learn --keep-samples and the pack that they were learned with, or adopt with --force what is kept"
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
        "keeps no copy of its {0} samples, and another backbone can learn from nothing else: go on with the pack that they were learned with, and learn them again there with learn --keep-samples"
    )]
    NoneKept(usize),
    /// A copy that is another file.
    #[error(
        "is not the sample that its name says: remove it, and learn that sample again with --keep-samples"
    )]
    NotThatSample,
    /// Classes that only the head of the pack before could tell.
    #[error(
        "knows classes of which no sample is kept ({0}), and the pack ships no head that knows them: go on with the pack before, or adopt with --force without them"
    )]
    ClassesLost(String),
    /// Adoption of or from a trainable tail.
    #[error(
        "a trainable tail is not adopted, and nothing is learned again into one: go on with the pack before, or learn the samples in another --state"
    )]
    TailAdopt,
    /// Copies that nothing would use.
    #[error(
        "the pack keeps a trainable tail, whose samples adopt does not learn again: leave --keep-samples out"
    )]
    TailKeep,
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
    /// No folder for the security counter.
    #[error(
        "this program uses signed packs, and keeps the newest one's security counter in the state folder: say with --state DIR where that is"
    )]
    StateNeeded,
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
    /// A class that is not there.
    #[error("knows no class {0}: status lists them")]
    NoClass(String),
    /// A sample that is not there.
    #[error("does not hold the sample {0}: give its file, or the id that samples shows")]
    NoSample(String),
    /// A name that no class can have.
    #[error("cannot name a class {0:?}: use 1 to 64 bytes of plain text")]
    BadName(String),
    /// One class would be left.
    #[error(
        "would know one class only, and answer it for everything: forget everything with --yes, or learn another class first"
    )]
    OneClassLeft,
    /// The samples do not make a head.
    #[error("no head can be learned from these samples ({0}): add samples, or use --learner auto")]
    Training(#[from] headstart::Error),
    /// Burn failed.
    #[error("no head can be trained on this engine ({0}): use another --engine, or none")]
    Engine(String),
    /// An engine that was not compiled.
    #[error(
        "this program was built without that engine: build it with --features ndarray, candle, flex or cuda, or leave --engine out"
    )]
    EngineMissing,
    /// Training that cannot be kept.
    #[error("how far the training has come cannot be kept: {0}")]
    Progress(String),
    /// A GPU for an engine that was compiled without.
    #[error(
        "this program's engine was built for the CPU alone: build it with --features {0}, or leave --device out"
    )]
    DeviceMissing(&'static str),
    /// A GPU for an engine that has none.
    #[error("{0} runs on the CPU alone: use --engine cuda or candle, or leave --device out")]
    NoSuchDevice(&'static str),
    /// A tail on a build without an engine.
    #[error(
        "the pack keeps a trainable tail, and this program was built without an engine for it: build it with --features flex, or pack the model with --tail drop"
    )]
    TailMissing,
    /// What cannot be done without training the tail again.
    #[error(
        "the pack keeps a trainable tail, which is not trained again by this: forget everything with --yes and learn what is to stay, or roll back"
    )]
    TailChange,
    /// What answers for whole pictures only.
    #[error(
        "the pack answers a class for each place of a picture, and {0} is for one answer a picture: leave it out"
    )]
    NotOfPlaces(&'static str),
    /// What is for answers a place.
    #[error(
        "the pack answers one class a picture, and {0} is for a class a place: leave it out, or pack the model with --task segmentation"
    )]
    OfPlaces(&'static str),
    /// No folder for masks.
    #[error(
        "the pack answers a class for each place of a picture: say with --masks DIR where the answers are written"
    )]
    NoMasks,
    /// A learner that is for heads.
    #[error(
        "the pack keeps a trainable tail, which is trained by gradients: leave --learner and --hidden out"
    )]
    TailLearner,
    /// Another form of a head than a tail's.
    #[error(
        "the pack keeps a trainable tail, whose weights are float16 already: say --storage, and leave --half out"
    )]
    TailHalf,
    /// Eight bits of features that were kept in four.
    #[error(
        "the features are kept in four bits, and what they lost does not come back: leave --kept-bits out, or learn in a new state folder"
    )]
    KeptBits,
    /// Features of another number of bits than the state's.
    #[error(
        "one of the two devices keeps its features in four bits, and the other one in eight: learn with --kept-bits 4 on both first"
    )]
    MergedBits,
    /// Four bits for values that cross a cut.
    #[error(
        "the pack keeps a trainable tail, whose inputs are kept as they are: leave --kept-bits out"
    )]
    TailBits,
    /// `--false-accepts` with a trainable tail, or with a pack whose own head knows classes without samples here.
    #[error(
        "--false-accepts trains a head without each class, from samples of all of them: leave it out for a pack with a trainable tail or a head of its own"
    )]
    Strangers,
    /// Too few classes to leave one out.
    #[error(
        "{found} classes do not tell what is strange to them: teach {least} or more, or leave --false-accepts out"
    )]
    FewClasses {
        /// Those that have samples.
        found: usize,
        /// As many as there must be.
        least: usize,
    },
    /// A budget that one sample of each class does not fit.
    #[error("--max-bytes {bytes} does not hold one sample of each class: {least} bytes do")]
    Budget {
        /// The budget.
        bytes: u64,
        /// What one sample of each class takes.
        least: usize,
    },
    /// An option that is for tails.
    #[error(
        "the pack keeps no trainable tail, and {0} is for one: leave it out, or pack the model with --tail keep"
    )]
    NoTail(&'static str),
    /// A pattern that names nothing.
    #[error("no layer of the tail that can be trained is called {0:?}: headstart info lists them")]
    NoLayer(String),
    /// Not a feature cache.
    #[error("is not a feature cache (byte {at}: {reason}): run forget and learn again")]
    Cache {
        /// The byte where reading stopped.
        at: usize,
        /// The rule that is broken.
        reason: &'static str,
    },
    /// A feature cache of a later program.
    #[error("has format version {found}, newer than this program: update it")]
    CacheVersion {
        /// The version that was found.
        found: u16,
    },
    /// A feature cache of another backbone.
    #[error(
        "was learned on backbone {found}, the pack has {expected}: use that pack or another --state"
    )]
    OtherBackbone {
        /// The pack's backbone, its first bytes in hexadecimal.
        expected: String,
        /// The cache's.
        found: String,
    },
    /// More classes than a head can have.
    #[error("would hold more than {limit} classes: use another --state")]
    TooManyClasses {
        /// The most classes.
        limit: usize,
    },
    /// More classes than the pack plans memory for.
    #[error(
        "would hold {found} classes, and the pack plans memory for {limit}: pack the model again with --max-classes {found}, or learn fewer classes"
    )]
    UnplannedClasses {
        /// How many there would be.
        found: usize,
        /// The pack's limit.
        limit: usize,
    },
}

/// What leads from a head to a pack with another backbone.
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
    Forget,
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
            Self::Forget => f.write_str(
                "run forget and learn again: the samples were not kept (learn --keep-samples keeps them)",
            ),
        }
    }
}
