//! What a file holds: its bytes say so. Names are often wrong, and tell only what was meant where the bytes say nothing.

use std::io::Read;
use std::path::Path;

use image::ImageFormat;

use crate::os::fs::File;

/// As many bytes as tell.
const FRONT: usize = 32;
const NPY: &[u8] = b"\x93NUMPY";

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    WebP,
    Bmp,
    Npy,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::WebP, Self::Bmp, Self::Npy];

    /// By how the content begins.
    pub(super) fn of_content(content: &[u8]) -> Option<Self> {
        if content.starts_with(NPY) {
            return Some(Self::Npy);
        }
        match image::guess_format(content).ok()? {
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::WebP => Some(Self::WebP),
            ImageFormat::Bmp if has_bmp_header(content) => Some(Self::Bmp),
            _ => None,
        }
    }

    /// By extension, in any case.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jpeg" | "jpe" | "jfif" => Some(Self::Jpeg),
            other => Self::ALL.into_iter().find(|kind| kind.extension() == other),
        }
    }

    /// By the first bytes of a plain file whose name says nothing; `None` where they say nothing either, or cannot be read.
    pub(super) fn of_front(path: &Path) -> Option<Self> {
        let mut front = Vec::with_capacity(FRONT);
        File::open(path).ok()?.take(FRONT as u64).read_to_end(&mut front).ok()?;
        Self::of_content(&front)
    }

    /// The one that a copy has.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Npy => "npy",
        }
    }

    /// Of a picture.
    pub(super) fn format(self) -> Option<ImageFormat> {
        match self {
            Self::Jpeg => Some(ImageFormat::Jpeg),
            Self::Png => Some(ImageFormat::Png),
            Self::WebP => Some(ImageFormat::WebP),
            Self::Bmp => Some(ImageFormat::Bmp),
            Self::Npy => None,
        }
    }
}

/// Extensions that copies of samples have.
pub(crate) fn extensions() -> impl Iterator<Item = &'static str> {
    Kind::ALL.into_iter().map(Kind::extension)
}

/// Whether the header behind the two letters, which begin many a text, has a length that there is.
fn has_bmp_header(content: &[u8]) -> bool {
    let length = content.get(14..18).and_then(|bytes| bytes.try_into().ok());
    matches!(length.map(u32::from_le_bytes), Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_picture_is_one_whatever_its_name() {
        let cases: [(&[u8], Option<Kind>); 8] = [
            (b"\xff\xd8\xff\xe0", Some(Kind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(Kind::Png)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Kind::WebP)),
            (b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Some(Kind::Bmp)),
            (b"BMW is a maker of cars, and this is a text", None),
            (b"\x93NUMPY\x01\0", Some(Kind::Npy)),
            (b"GIF89a", None),
            (b"", None),
        ];
        for (content, kind) in cases {
            assert_eq!(Kind::of_content(content), kind, "{content:?}");
        }
        let names = ["a.JPG", "b.jpeg", "c.webp", "d.Bmp", "e.npy", "f.gif", "g"];
        let kinds = names.map(|name| Kind::of_name(Path::new(name)));
        let [jpeg, webp] = [Kind::Jpeg, Kind::WebP].map(Some);
        assert_eq!(kinds, [jpeg, jpeg, webp, Some(Kind::Bmp), Some(Kind::Npy), None, None]);
    }
}
