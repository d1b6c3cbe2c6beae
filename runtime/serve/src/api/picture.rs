//! Whether a picture is one, and no larger than is taken: known from its first bytes, before anything is decoded.

use std::io::Cursor;

use image::{ImageDecoder, ImageReader, Limits};

use crate::refusal::Refusal;

const NPY: &[u8] = b"\x93NUMPY";
/// What a header may make a decoder take.
const MOST_BYTES: u64 = 8 << 20;

/// Refuses what is no picture and no array, and pictures of more pixels than these.
pub(crate) fn check(content: &[u8], pixels: u64) -> Result<(), Refusal> {
    if content.is_empty() {
        return Err(Refusal::input("the picture is empty"));
    }
    // An array takes no more than its bytes.
    if content.starts_with(NPY) {
        return Ok(());
    }
    let no_picture =
        |why: &str| Refusal::input(format!("is no JPEG, PNG, WebP, BMP or .npy file ({why})"));
    let reader = ImageReader::new(Cursor::new(content)).with_guessed_format();
    let mut reader = reader.map_err(|error| no_picture(&error.to_string()))?;
    if reader.format().is_none() {
        return Err(no_picture("its first bytes are none's"));
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| no_picture(&error.to_string()))?;
    let (width, height) = decoder.dimensions();
    let found = u64::from(width) * u64::from(height);
    if found > pixels || decoder.total_bytes() > 4 * pixels {
        return Err(Refusal::too_large(format!(
            "the picture has {width} x {height} pixels, and {pixels} are taken: scale it down"
        )));
    }
    Ok(())
}

/// What browsers call a picture, by its first bytes.
pub(super) fn kind(content: &[u8]) -> &'static str {
    match image::guess_format(content) {
        Ok(image::ImageFormat::Jpeg) => "image/jpeg",
        Ok(image::ImageFormat::Png) => "image/png",
        Ok(image::ImageFormat::WebP) => "image/webp",
        Ok(image::ImageFormat::Bmp) => "image/bmp",
        _ => "application/octet-stream",
    }
}

/// A small picture of it, as a JPEG file.
pub(super) fn thumbnail(content: &[u8], side: u32) -> Result<Vec<u8>, Refusal> {
    let failed =
        |error: image::ImageError| Refusal::cannot(format!("the copy cannot be shown: {error}"));
    let mut limits = Limits::default();
    limits.max_alloc = Some(256 << 20);
    let reader = ImageReader::new(Cursor::new(content)).with_guessed_format();
    let mut reader = reader.map_err(|error| Refusal::machine(error.to_string()))?;
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let orientation = decoder.orientation().ok();
    let mut picture =
        image::DynamicImage::from_decoder(decoder).map_err(failed)?.thumbnail(side, side);
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let mut bytes = Cursor::new(Vec::new());
    picture.into_rgb8().write_to(&mut bytes, image::ImageFormat::Jpeg).map_err(failed)?;
    Ok(bytes.into_inner())
}
