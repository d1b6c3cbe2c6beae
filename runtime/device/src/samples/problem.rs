//! Reasons why samples and their folders are refused, each with what to do about it.

/// A reason why a sample or a folder of samples was refused.
///
/// The path stands in [`Error::Sample`](crate::Error::Sample) beside it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleProblem {
    /// The file or folder cannot be read.
    #[error("cannot be read ({0}): check the path and its permissions")]
    Unreadable(std::io::Error),
    /// The path leads to something other than a file where a pack was expected.
    #[error("is not a file: give a .hspk pack")]
    NotAPackFile,
    /// The samples are all of one class, and no other was learned before.
    #[error("one class only, and no other was learned before: add samples of a second class")]
    OneClass,
    /// No sample is left of a new class.
    #[error(
        "no sample is left of the class {0}: each of them is bad, or is given as another class too; repair them, and give a picture in one class only"
    )]
    NoneLeft(String),
    /// The samples have classes that the head does not know.
    #[error(
        "has classes that the head does not know ({0}): learn them first, or leave the folders out"
    )]
    UnknownClasses(String),
    /// The folder of samples lies inside a state folder.
    #[error(
        "lies in the state folder {}, whose files are no samples to learn: give a folder of your own", crate::shown::path(.0)
    )]
    InsideState(std::path::PathBuf),
    /// The folder of samples holds a state folder.
    #[error(
        "holds the state folder {}, which would be taken for samples: keep the state beside the samples, not among them", crate::shown::path(.0)
    )]
    HoldsState(std::path::PathBuf),
    /// The folder holds no class folders.
    #[error(
        "holds no class folders: put the files of each class into a folder with the class's name"
    )]
    NoClasses,
    /// A class folder holds no sample.
    #[error(
        "holds no JPEG, PNG, WebP, BMP or .npy file ({skipped} other files): add samples or remove the folder"
    )]
    EmptyFolder {
        /// Files that were passed over because of their extension.
        skipped: usize,
    },
    /// A folder lies inside a class folder.
    #[error(
        "is a folder inside a class folder: use one folder a class, with the files directly in it"
    )]
    NestedFolder,
    /// The folder's name cannot be a class name.
    #[error(
        "cannot be a class name (UTF-8, 1 to {limit} bytes, no control characters): rename the folder"
    )]
    ClassName {
        /// The most bytes of a name.
        limit: usize,
    },
    /// A folder of segmentation data lacks `images/` or `masks/`.
    #[error(
        "holds no folders images and masks: the pack answers a class for each place, and learns from images/NAME.jpg with masks/NAME.png"
    )]
    NoMaskFolders,
    /// The picture has no mask.
    #[error("has no mask: put it at {}, or remove the picture", crate::shown::path(expected))]
    NoMask {
        /// Where the mask should be.
        expected: std::path::PathBuf,
    },
    /// The mask has no picture.
    #[error("is a mask without a picture of that name in images: add it, or remove the mask")]
    NoPicture,
    /// Two pictures have the same name but for its ending, so one mask would belong to both.
    #[error("has the name of another picture but for its end: rename one of them and its mask")]
    SameName,
    /// The mask has another size than its picture.
    #[error(
        "has {} x {} pixels, and its picture {} x {}: make the mask as large as the picture",
        mask[1], mask[0], picture[1], picture[0]
    )]
    MaskSize {
        /// Rows and columns of the mask.
        mask: [usize; 2],
        /// Rows and columns of the picture.
        picture: [usize; 2],
    },
    /// The mask holds a class that the pack does not have.
    #[error(
        "holds class {class} at row {row}, column {column}, and the pack has {classes} classes, from 0 on: correct the mask (255 is what does not count), or pack the model for more"
    )]
    MaskClass {
        /// The class's number.
        class: u8,
        /// The row where it stands.
        row: usize,
        /// The column where it stands.
        column: usize,
        /// How many classes the pack has.
        classes: usize,
    },
    /// The file is not a readable mask, for this reason.
    #[error(
        "is not a readable mask ({0}): save it as a PNG of 8-bit grey levels or with a palette, whose numbers are classes"
    )]
    NotAMask(String),
    /// The line names no class.
    #[error(
        "has the line {0:?}, which cannot name a class: write a different name for each class, 1 to 64 bytes of plain text"
    )]
    ClassLine(String),
    /// The file names other classes than before, or not one for each class of the pack.
    #[error(
        "names {found} classes, and the pack has {classes}: write one line for each, from 0 on"
    )]
    ClassCount {
        /// How many classes the file names.
        found: usize,
        /// How many classes the pack has.
        classes: usize,
    },
    /// The folder holds too many classes or samples.
    #[error("holds more than {limit} {what}: split the data, or take fewer of each class")]
    TooMany {
        /// Whether classes or samples are counted.
        what: &'static str,
        /// The most that is taken.
        limit: usize,
    },
    /// The path does not lead to a plain file.
    #[error("is not a plain file: give an image or a .npy array")]
    NotAFile,
    /// The file's content has changed while it was learned.
    #[error("has changed while it was learned: try again when nothing writes it")]
    Changed,
    /// The file is neither a picture nor an array.
    #[error("is neither a picture nor an array: give a JPEG, PNG, WebP, BMP or .npy file")]
    UnknownKind,
    /// The file is larger than the size limit.
    #[error("has {bytes} bytes, more than the {limit} that are read: make it smaller")]
    FileTooLarge {
        /// How many bytes the file has.
        bytes: u64,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The file is not a readable image, whatever its name says, for this reason.
    #[error("is not a readable image ({0}): convert it to JPEG or PNG, or remove it")]
    NotAnImage(String),
    /// The JPEG has no end: it was cut short.
    #[error(
        "is a JPEG that was cut short (no end marker in {bytes} bytes): copy it again or remove it"
    )]
    CutShort {
        /// How many bytes the file has.
        bytes: usize,
    },
    /// The bytes do not fill the picture that they are said to be.
    #[error(
        "is said to be a picture of {width}x{height} with {channels} bytes a pixel, and has {bytes} bytes: give width, height and rows without padding"
    )]
    PixelCount {
        /// Pixels of a row.
        width: usize,
        /// Number of rows.
        height: usize,
        /// Bytes of a pixel.
        channels: usize,
        /// How many bytes there are.
        bytes: usize,
    },
    /// The image is larger than the limits.
    #[error(
        "is an image of {width}x{height}, past the limits ({side} pixels a side, {mebibytes} MiB decoded): scale it down"
    )]
    ImageTooLarge {
        /// Pixels of a row.
        width: u32,
        /// Number of rows.
        height: u32,
        /// The longest side that is read.
        side: u32,
        /// The most memory of decoded pixels, in MiB.
        mebibytes: u64,
    },
    /// The model does not take images.
    #[error(
        "is an image, but the model takes {channels} channels: give .npy arrays of the model's input values"
    )]
    NoImageInput {
        /// How many channels the model takes.
        channels: usize,
    },
    /// The `.npy` file breaks its own format.
    #[error("is not a readable .npy file (byte {at}: {reason}): save it again with numpy.save")]
    NotAnArray {
        /// The byte where reading stopped.
        at: usize,
        /// What was expected at that byte.
        reason: &'static str,
    },
    /// The `.npy` file has an element type that is not taken.
    #[error("has element type {found}: save it as float32, float64, float16, int8, uint8 or int16")]
    ElementType {
        /// The type, as the file names it.
        found: String,
    },
    /// The `.npy` file has another shape than the model's input.
    #[error(
        "has shape {found:?}, the model's input is {expected:?}: save one sample a file, without batch axis"
    )]
    Shape {
        /// The shape that the file states.
        found: Vec<usize>,
        /// The shape of the model's input.
        expected: Vec<usize>,
    },
    /// The `.wav` file breaks its own format, or ends too early, for this reason.
    #[error("is not a readable .wav file ({0}): save it again as PCM of 16 bits, or remove it")]
    NotARecording(String),
    /// The recording is past the limits.
    #[error(
        "has {samples} samples in {channels} channels at {rate} Hz, past the limits (1000 to 192000 Hz, 8 channels, 67108864 samples): convert or cut it"
    )]
    RecordingLimits {
        /// Samples a second.
        rate: u32,
        /// How many channels there are.
        channels: u16,
        /// Samples of one channel.
        samples: u32,
    },
    /// The recording has no samples.
    #[error("holds no sound: record it again, or remove it")]
    NoSound,
    /// A value is NaN, infinite or past float32.
    #[error(
        "has a value that is not a finite float32 number at index {index}: remove or repair the file"
    )]
    NotFinite {
        /// Index of the element, counted in the file's own order.
        index: usize,
    },
}
