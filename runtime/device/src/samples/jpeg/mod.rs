//! Photos to the level as libjpeg-turbo decodes them, and so Pillow, OpenCV and torchvision: the "slow" integer transform,
//! triangle filters where colours are stored at half size, and its rounding of colours.
//!
//! Decoders agree on what a JPEG file means to about a level of brightness only; colours at half size then differ by up to four. A
//! network that is to see what it saw in training needs the same levels, so this is chosen where a pack names a
//! filter. What is rare (arithmetic coding, 12 bits, CMYK, RGB, progressive files that lack scans) is left to the `image` crate, and
//! so is the verdict on damaged files: [`decode`] then gives nothing.

mod block;
mod colour;
mod component;
mod frame;
mod huffman;
mod inverse;
mod scan;
mod segments;

use frame::Frame;
use segments::Segments;

/// The most bytes that planes, coefficients and pixels take together.
const MAX_BYTES: u64 = 512 << 20;
/// The most scans of a file. Encoders write ten; each costs a walk over all blocks, however short it is.
const MAX_SCANS: usize = 100;

/// Rows of 1 (grey) or 3 (red, green, blue) bytes a pixel.
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: usize,
    pub(super) bytes: Vec<u8>,
}

/// The picture; `None` for a file that is damaged or of a kind that is not read here.
pub(super) fn decode(content: &[u8]) -> Option<Pixels> {
    let mut segments = Segments::new(content)?;
    let mut scans = 0;
    while let Some((marker, body)) = segments.next()? {
        match marker {
            segments::START_OF_SCAN => {
                scans += 1;
                if scans > MAX_SCANS {
                    return None;
                }
                segments.scan(body)?;
            }
            _ => segments.read(marker, body)?,
        }
    }
    let (frame, colours) = segments.finish()?;
    pixels(frame, colours)
}

fn pixels(mut frame: Frame, colours: segments::Colours) -> Option<Pixels> {
    frame.transform()?;
    let bytes = colour::convert(&frame, colours);
    let (width, height) = (u32::try_from(frame.width).ok()?, u32::try_from(frame.height).ok()?);
    Some(Pixels { width, height, channels: frame.components.len(), bytes })
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::samples::hex;

    /// Photos, and the begin of the SHA-256 of Pillow 13.0's pixels.
    const PHOTOS: [(&[u8], [u32; 2], &str); 8] = [
        (include_bytes!("photos/444.jpg"), [45, 37], "2bdaa2ccfa2985a7ed1d4872e4fcdf09"),
        (include_bytes!("photos/422.jpg"), [45, 37], "ee946d518f2f991c9a1821f993eb0bc2"),
        (include_bytes!("photos/440.jpg"), [20, 16], "5e5d63a3b04a3a85c2da1439c7a46275"),
        (include_bytes!("photos/420.jpg"), [45, 37], "cf8fc3a0e6a61501af21751fd5d0b697"),
        (include_bytes!("photos/420-narrow.jpg"), [4, 3], "8367e99a44dcad6c42c3d103eb6b3f74"),
        (
            include_bytes!("photos/420-progressive.jpg"),
            [45, 37],
            "cf8fc3a0e6a61501af21751fd5d0b697",
        ),
        (include_bytes!("photos/420-restarts.jpg"), [45, 37], "cf8fc3a0e6a61501af21751fd5d0b697"),
        (include_bytes!("photos/grey.jpg"), [45, 37], "3f0bbe44414d21d9c3fa32314a4468b6"),
    ];

    #[test]
    fn photos_have_the_pixels_that_pillow_gives_them() {
        for (at, (content, size, digest)) in PHOTOS.into_iter().enumerate() {
            let pixels = decode(content).unwrap();
            assert_eq!([pixels.width, pixels.height], size, "{at}");
            assert_eq!(hex(&Sha256::digest(&pixels.bytes)[..16]), digest, "{at}");
        }
    }

    #[test]
    fn a_photo_cut_anywhere_gives_nothing() {
        for (content, ..) in PHOTOS {
            for end in 0..content.len() {
                assert!(decode(&content[..end]).is_none(), "{end} of {}", content.len());
            }
        }
    }

    #[test]
    fn a_photo_with_a_wrong_byte_gives_pixels_or_nothing() {
        for (content, ..) in PHOTOS {
            for at in 0..content.len() {
                for value in [0, 1, 0x7F, 0xFF, content[at] ^ 0x11] {
                    let mut content = content.to_vec();
                    content[at] = value;
                    if let Some(pixels) = decode(&content) {
                        let count = pixels.width as usize * pixels.height as usize;
                        assert_eq!(pixels.bytes.len(), count * pixels.channels);
                    }
                }
            }
        }
    }

    #[test]
    fn a_frame_that_needs_more_than_the_limit_gives_nothing() {
        let content = PHOTOS[0].0;
        let size = content.windows(4).position(|bytes| bytes == [0, 37, 0, 45]).unwrap();
        let mut claim = content.to_vec();
        claim[size..size + 4].fill(0xFF);
        assert!(decode(&claim).is_none());
    }
}
