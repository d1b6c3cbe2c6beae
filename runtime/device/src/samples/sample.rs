//! A sample, wherever it is: in a file, or in memory.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::{InputShape, SampleFile, SampleProblem, stored};
use crate::Error;

/// One sample: a picture, or the model's own values.
///
/// It is named by the content of its file. A sample that is in memory has the name of the file that it would be: for pixels the
/// PNG that is not compressed (8 bits a channel, rows without a filter, one `IDAT` of stored blocks), for values the `.npy`
/// file that `numpy.save` writes of a float32 array of the model's shape. It gives the features that this file gives.
#[derive(Clone, Debug)]
pub struct Sample<'a>(pub(crate) Content<'a>);

/// The kinds of samples that there are.
#[derive(Clone)]
pub(crate) enum Content<'a> {
    /// A file, which is read when it is needed.
    File(Cow<'a, Path>),
    /// The bytes of a file.
    Encoded { name: Cow<'a, Path>, bytes: Cow<'a, [u8]> },
    /// `height` rows of `width` pixels of 1 or 3 channels.
    Pixels { width: usize, height: usize, channels: usize, bytes: Cow<'a, [u8]> },
    /// The model's own input values, in its own order.
    Values(Cow<'a, [f32]>),
}

/// Says what it is, not what is in it.
impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Encoded { name, bytes } => write!(f, "{}: {} bytes", name.display(), bytes.len()),
            Self::Pixels { width, height, channels, .. } => {
                write!(f, "{width}x{height} pixels of {channels} bytes")
            }
            Self::Values(values) => write!(f, "{} values", values.len()),
        }
    }
}

impl<'a> Sample<'a> {
    /// A sample in a file: a JPEG, PNG, WebP or BMP picture, or a `.npy` array.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Content::File(Cow::Owned(path.into())))
    }

    /// A sample that is the content of a file, in memory; `name` stands in errors.
    #[must_use]
    pub fn encoded(name: &'a Path, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self(Content::Encoded { name: name.into(), bytes: bytes.into() })
    }

    /// A colour picture in memory: `height` rows of `width` pixels of red, green and blue, without padding.
    #[must_use]
    pub fn rgb(width: usize, height: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Self {
        Self(Content::Pixels { width, height, channels: 3, bytes: pixels.into() })
    }

    /// A grey picture in memory: `height` rows of `width` levels, without padding.
    #[must_use]
    pub fn grey(width: usize, height: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Self {
        Self(Content::Pixels { width, height, channels: 1, bytes: pixels.into() })
    }

    /// A sample of the model's own input values, in the order of its own axes, without a batch axis.
    #[must_use]
    pub fn values(values: impl Into<Cow<'a, [f32]>>) -> Self {
        Self(Content::Values(values.into()))
    }

    /// Path of the sample's file; `None` for a sample in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Content::File(path) | Content::Encoded { name: path, .. } => Some(path),
            Content::Pixels { .. } | Content::Values(_) => None,
        }
    }

    /// Where the pixels or values of a sample in memory begin: of those that were lent, the lender's own place.
    #[must_use]
    pub fn memory(&self) -> Option<*const u8> {
        match &self.0 {
            Content::File(_) | Content::Encoded { .. } => None,
            Content::Pixels { bytes, .. } => Some(bytes.as_ptr()),
            Content::Values(values) => Some(values.as_ptr().cast()),
        }
    }

    /// Its file's name below that folder, or alone where it lies elsewhere; what is no text of it is replaced.
    pub(crate) fn name_in(&self, folder: &Path) -> Option<String> {
        let path = self.path()?;
        let below = path.strip_prefix(folder).ok().filter(|below| below.file_name().is_some());
        let name = below.map(Path::as_os_str).or(path.file_name())?;
        Some(name.to_string_lossy().into_owned())
    }

    /// What errors and reports call it; `place` is where it stands among others, from 0 on.
    pub(crate) fn title(&self, place: usize) -> PathBuf {
        self.path().map_or_else(|| PathBuf::from(format!("sample {place}")), Path::to_owned)
    }

    /// Its file: read, or written as it would be.
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that cannot be read, for pixels that do not fill the picture, and for values that are not as many as
    /// the model takes.
    pub(crate) fn load(&self, input: &InputShape, place: usize) -> Result<SampleFile, Error> {
        let refuse = |problem| Error::sample(&self.title(place), problem);
        match &self.0 {
            Content::File(path) => SampleFile::read(path),
            Content::Encoded { name, bytes } => SampleFile::new(name, bytes.to_vec()),
            Content::Pixels { width, height, channels, bytes } => {
                let [width, height] =
                    checked_pixels(*width, *height, *channels, bytes.len()).map_err(refuse)?;
                let content = stored::png(width, height, *channels, bytes);
                SampleFile::new(&self.title(place).with_added_extension("png"), content)
            }
            Content::Values(values) => {
                checked_values(values, input).map_err(refuse)?;
                let content = stored::npy(&input.axes(), values);
                SampleFile::new(&self.title(place).with_added_extension("npy"), content)
            }
        }
    }
}

/// Width and height of a picture of so many bytes.
pub(crate) fn checked_pixels(
    width: usize,
    height: usize,
    channels: usize,
    bytes: usize,
) -> Result<[u32; 2], SampleProblem> {
    let expected = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(channels));
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(w), Ok(h)) if w > 0 && h > 0 && expected == Some(bytes) => Ok([w, h]),
        _ => Err(SampleProblem::PixelCount { width, height, channels, bytes }),
    }
}

/// Refuses values that are not as many as the model takes, or not numbers, as a file of them is refused.
pub(crate) fn checked_values(values: &[f32], input: &InputShape) -> Result<(), SampleProblem> {
    let axes = input.axes();
    if values.len() != axes.iter().product::<usize>() {
        let (found, expected) = (vec![values.len()], axes.to_vec());
        return Err(SampleProblem::Shape { found, expected });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(SampleProblem::NotFinite { index }),
        None => Ok(()),
    }
}
