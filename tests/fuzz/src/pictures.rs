//! Fuzzes pictures and masks.

use std::io::Cursor;

use headstart_device::segmentation::Mask;

use crate::{crc32, decode};

/// Most pixels of a picture that is decoded each time; of larger ones, which take milliseconds, one of many.
const PIXELS: u64 = 1 << 14;

/// Reads a picture, by its content: JPEG or PNG.
pub fn image(data: &[u8]) {
    let data = sealed(data);
    if is_quick(&data) {
        decode("sample.png", &data);
        decode("sample.jpg", &data);
    }
}

/// Reads a mask: a PNG whose numbers are classes.
pub fn mask(data: &[u8]) {
    let data = sealed(data);
    if is_quick(&data)
        && let Ok(mask) = Mask::decode(&data)
    {
        let [height, width] = mask.size();
        assert_eq!(mask.classes().len(), height * width);
    }
}

/// The bytes of a PNG with right check sums; any others as they are.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    let mut at = 8;
    if !bytes.starts_with(b"\x89PNG") {
        return bytes;
    }
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        if end.saturating_add(4) > bytes.len() {
            break;
        }
        let check = crc32(&bytes[at + 4..end]).to_be_bytes();
        bytes[end..end + 4].copy_from_slice(&check);
        at = end + 4;
    }
    bytes
}

/// Whether a picture is small, or one of the few large ones.
fn is_quick(data: &[u8]) -> bool {
    let reader = image::ImageReader::new(Cursor::new(data)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    size.is_none_or(|(width, height)| u64::from(width) * u64::from(height) <= PIXELS)
        || crc32(data).is_multiple_of(256)
}
