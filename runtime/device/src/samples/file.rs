//! Reads one file: within limits, identified by its content, decoded.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::decoded::{Decoded, InputShape};
use super::kind::Kind;
use super::{SampleProblem, image, npy};
use crate::Error;
use crate::os::fs::{self, File};

/// The most bytes that are read of one file.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The name of a sample: the first 16 bytes of the SHA-256 of its file's content.
///
/// Renaming or copying a file keeps it; re-encoding an image changes it.
pub type SampleId = [u8; 16];

/// Parses a sample's name as reports say it, 32 hexadecimal digits; `None` for another text.
pub fn id_from_hex(text: &str) -> Option<SampleId> {
    let mut id = SampleId::default();
    if text.len() != 2 * id.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(id)
}

/// Writes bytes in hexadecimal, as reports name samples and states name files.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file's content, read once.
#[derive(Clone, Debug)]
pub struct SampleFile {
    path: PathBuf,
    kind: Kind,
    content: Vec<u8>,
}

impl SampleFile {
    /// Reads a whole file of at most 256 MiB.
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that is missing, not plain, too large, or neither a picture nor an array.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let refuse = |problem| Error::sample(path, problem);
        // The type is asked before opening: opening a pipe would wait for its writer.
        let metadata = fs::metadata(path).map_err(|e| refuse(SampleProblem::Unreadable(e)))?;
        if !metadata.is_file() {
            return Err(refuse(SampleProblem::NotAFile));
        }
        let too_large =
            |bytes| refuse(SampleProblem::FileTooLarge { bytes, limit: MAX_FILE_BYTES });
        if metadata.len() > MAX_FILE_BYTES {
            return Err(too_large(metadata.len()));
        }
        let file = File::open(path).map_err(|e| refuse(SampleProblem::Unreadable(e)))?;
        let mut content = Vec::with_capacity(metadata.len() as usize);
        // The file may have grown since it was measured.
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut content)
            .map_err(|e| refuse(SampleProblem::Unreadable(e)))?;
        if content.len() as u64 > MAX_FILE_BYTES {
            return Err(too_large(content.len() as u64));
        }
        Self::new(path, content)
    }

    /// Makes a file of content that is in memory already; `path` names it.
    ///
    /// # Errors
    /// [`Error::Sample`] for content that is too large, or that is neither a picture nor an array.
    pub fn new(path: &Path, content: Vec<u8>) -> Result<Self, Error> {
        let refuse = |problem| Error::sample(path, problem);
        let bytes = content.len() as u64;
        if bytes > MAX_FILE_BYTES {
            return Err(refuse(SampleProblem::FileTooLarge { bytes, limit: MAX_FILE_BYTES }));
        }
        // What the name promises is missed with the reason.
        let kind = Kind::of_content(&content).or_else(|| Kind::of_name(path));
        let kind = kind.ok_or_else(|| refuse(SampleProblem::UnknownKind))?;
        Ok(Self { path: path.to_owned(), kind, content })
    }

    /// Where the file was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes.
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// The bytes, by value.
    pub fn into_content(self) -> Vec<u8> {
        self.content
    }

    /// The extension that says what its content is, in small letters.
    pub(crate) fn extension(&self) -> &'static str {
        self.kind.extension()
    }

    /// The sample's name.
    pub fn id(&self) -> SampleId {
        let digest = Sha256::digest(&self.content);
        let mut id = SampleId::default();
        id.copy_from_slice(&digest[..16]);
        id
    }

    /// Decodes the file, into the form that a model with this input takes.
    ///
    /// Images: EXIF orientation applied; alpha dropped (the stored colours stand, nothing is
    /// blended); 16 bits reduced to 8 by `round(v / 257)`; a palette looked up. Grey stays one
    /// channel and colour three: matching them to the model, like resizing, belongs to the pack's
    /// [preprocessing](headstart::preprocess). Animated files give their first frame.
    ///
    /// Arrays: `float16/32/64`, `int8`, `uint8`, `int16`, either byte order, C or Fortran order
    /// (made row-major). The shape must be the model's own without batch axis; axes of extent 1,
    /// such as a batch of one, are passed over on both sides.
    ///
    /// # Errors
    /// [`Error::Sample`] with the file's name and what is wrong with it.
    pub fn decode(&self, input: &InputShape) -> Result<Decoded, Error> {
        match self.kind {
            Kind::Npy => npy::decode(&self.content, &input.axes()),
            _ => image::decode(&self.content, input.channels, input.to_the_level),
        }
        .map_err(|problem| Error::sample(&self.path, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_is_an_eighth_smaller_and_stands_in_its_corner() {
        let bytes = (0..16 * 8).collect();
        let picture = Decoded::Pixels { width: 16, height: 8, channels: 1, bytes };
        for (corner, first) in [([0, 0], 0), ([1, 1], 18), ([0, 1], 2), ([1, 0], 16)] {
            let Some(Decoded::Pixels { width, height, channels, bytes }) = picture.crop(corner)
            else {
                panic!("{corner:?} was not cropped");
            };
            assert_eq!((width, height, channels, bytes.len()), (14, 7, 1, 98));
            assert_eq!((bytes[0], bytes[97]), (first, first + 6 * 16 + 13));
        }
    }

    #[test]
    fn a_small_picture_and_an_array_have_no_crops() {
        let small = Decoded::Pixels { width: 7, height: 8, channels: 1, bytes: vec![0; 56] };
        assert_eq!(small.crop([0, 0]), None);
        assert_eq!(Decoded::Values { shape: vec![1], values: vec![0.0] }.crop([0, 0]), None);
    }
}
