//! Decodes JPEG, PNG, WebP and BMP to rows of 1 or 3 bytes a pixel.

use std::io::Cursor;

use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
};

use super::SampleProblem;
use super::jpeg;
use super::kind::Kind;

/// The longest side that is read, in pixels.
const MAX_SIDE: u32 = 20_000;
/// The most bytes of decoded pixels.
const MAX_BYTES: u64 = 256 << 20;

/// Decodes to 1 byte a pixel where the file is grey, else 3. The format is known by the content:
/// photos are often named wrongly. `channels` are the model's; only one with 1 or 3 takes pictures.
/// `to_the_level` is [`InputShape::to_the_level`](super::InputShape::to_the_level).
pub(super) fn decode(
    content: &[u8],
    channels: usize,
    to_the_level: bool,
) -> Result<super::Decoded, SampleProblem> {
    if channels != 1 && channels != 3 {
        return Err(SampleProblem::NoImageInput { channels });
    }
    let pixels = read(content, to_the_level)?;
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    Ok(if is_grey(&pixels) {
        super::Decoded::Pixels { width, height, channels: 1, bytes: pixels.into_luma8().into_raw() }
    } else {
        super::Decoded::Pixels { width, height, channels: 3, bytes: pixels.into_rgb8().into_raw() }
    })
}

fn read(content: &[u8], to_the_level: bool) -> Result<DynamicImage, SampleProblem> {
    let format = Kind::of_content(content).and_then(Kind::format).ok_or_else(|| {
        SampleProblem::NotAnImage("its content is neither JPEG, PNG, WebP nor BMP".to_owned())
    })?;
    if format == ImageFormat::Jpeg && !has_jpeg_end(content) {
        return Err(SampleProblem::CutShort { bytes: content.len() });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(not_an_image)?;
    let (width, height) = decoder.dimensions();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // 4 bytes a pixel stand for the conversion to 8-bit RGB that follows.
    let needed = decoder.total_bytes().max(u64::from(width).saturating_mul(u64::from(height)) * 4);
    if limits.check_dimensions(width, height).is_err() || needed > MAX_BYTES {
        return Err(SampleProblem::ImageTooLarge {
            width,
            height,
            side: MAX_SIDE,
            mebibytes: MAX_BYTES >> 20,
        });
    }
    decoder.set_limits(limits).map_err(not_an_image)?;
    // A damaged EXIF block is no reason to refuse a picture.
    let orientation = decoder.orientation().ok();
    let exact = (to_the_level && format == ImageFormat::Jpeg)
        .then(|| jpeg::decode(content))
        .flatten()
        .filter(|pixels| [pixels.width, pixels.height] == [width, height])
        .and_then(dynamic);
    let mut pixels = match exact {
        Some(pixels) => pixels,
        None => DynamicImage::from_decoder(decoder).map_err(not_an_image)?,
    };
    if let Some(orientation) = orientation {
        pixels.apply_orientation(orientation);
    }
    Ok(pixels)
}

fn dynamic(pixels: jpeg::Pixels) -> Option<DynamicImage> {
    let jpeg::Pixels { width, height, channels, bytes } = pixels;
    match channels {
        1 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        _ => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
    }
}

fn not_an_image(error: ImageError) -> SampleProblem {
    SampleProblem::NotAnImage(error.to_string())
}

fn is_grey(pixels: &DynamicImage) -> bool {
    matches!(
        pixels,
        DynamicImage::ImageLuma8(_)
            | DynamicImage::ImageLumaA8(_)
            | DynamicImage::ImageLuma16(_)
            | DynamicImage::ImageLumaA16(_)
    )
}

/// Whether a JPEG's scan comes to an end of image (`FF D9`): the decoder fills what is missing with
/// grey instead of complaining.
///
/// Segments are walked up to the first scan (ITU-T T.81, B.1.1.2), because an EXIF thumbnail has an
/// end of its own. In the scan's data every `FF` is followed by 0 or a restart marker, so the first
/// `FF D9` there ends the image.
fn has_jpeg_end(content: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    let mut rest = content.get(2..).unwrap_or_default();
    while let [0xFF, marker, tail @ ..] = rest {
        if *marker == 0xFF {
            // A fill byte.
            rest = &rest[1..];
            continue;
        }
        if *marker == START_OF_SCAN {
            return tail.windows(2).any(|pair| pair == [0xFF, 0xD9]);
        }
        let [high, low, ..] = tail else { return false };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = tail.get(length..).unwrap_or_default();
    }
    // Not a well-formed run of segments: leave the verdict to the decoder if there is any end at
    // all.
    content.windows(2).any(|pair| pair == [0xFF, 0xD9])
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

    use super::super::Decoded;
    use super::*;

    fn png(pixels: impl Into<DynamicImage>) -> Vec<u8> {
        encode(pixels, ImageFormat::Png)
    }

    fn encode(pixels: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        pixels.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn bytes_of(content: &[u8], channels: usize) -> (usize, usize, Vec<u8>) {
        match decode(content, channels, false).unwrap() {
            Decoded::Pixels { width, height, bytes, .. } => (width, height, bytes),
            Decoded::Values { .. } => panic!("an image gave values"),
        }
    }

    #[test]
    fn grey_keeps_one_channel_and_colour_three() {
        let grey = png(GrayImage::from_raw(2, 1, vec![7, 250]).unwrap());
        let rgb = png(RgbImage::from_raw(1, 1, vec![1, 2, 3]).unwrap());
        for model_channels in [1, 3] {
            let expected =
                |width, channels, bytes| Decoded::Pixels { width, height: 1, channels, bytes };
            assert_eq!(decode(&grey, model_channels, false).unwrap(), expected(2, 1, vec![7, 250]));
            assert_eq!(decode(&rgb, model_channels, false).unwrap(), expected(1, 3, vec![1, 2, 3]));
        }
    }

    #[test]
    fn alpha_is_dropped_and_sixteen_bits_are_rounded() {
        let alpha = png(RgbaImage::from_pixel(1, 1, Rgba([10, 20, 30, 0])));
        assert_eq!(bytes_of(&alpha, 3), (1, 1, vec![10, 20, 30]));
        let deep: ImageBuffer<Luma<u16>, Vec<u16>> =
            ImageBuffer::from_raw(4, 1, vec![0, 128, 129, 65_535]).unwrap();
        assert_eq!(bytes_of(&png(deep), 1), (4, 1, vec![0, 0, 1, 255]));
        let deep: ImageBuffer<Rgb<u16>, Vec<u16>> =
            ImageBuffer::from_pixel(1, 1, Rgb([257, 514, 771]));
        assert_eq!(bytes_of(&png(deep), 3), (1, 1, vec![1, 2, 3]));
    }

    #[test]
    fn one_by_one_and_ten_thousand_wide_are_read() {
        let tiny = encode(RgbImage::from_pixel(1, 1, Rgb([50, 50, 50])), ImageFormat::Jpeg);
        assert_eq!(bytes_of(&tiny, 3).2.len(), 3);
        let wide = png(GrayImage::from_pixel(10_000, 3, Luma([5])));
        assert_eq!(bytes_of(&wide, 3), (10_000, 3, vec![5; 30_000]));
    }

    #[test]
    fn an_image_past_the_limits_is_refused_before_it_is_decoded() {
        // A header that claims 60,000 x 60,000 pixels, with its check sum; there is no data behind
        // it.
        let mut claim = png(GrayImage::from_pixel(1, 1, Luma([5])));
        claim[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        claim[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        let crc = crc32(&claim[12..29]);
        claim[29..33].copy_from_slice(&crc.to_be_bytes());
        assert!(matches!(
            decode(&claim, 3, false),
            Err(SampleProblem::ImageTooLarge { width: 60_000, height: 60_000, .. })
        ));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| {
                if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 }
            })
        })
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for content in [&b""[..], b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a      "]
        {
            assert!(matches!(
                decode(content, 3, false),
                Err(SampleProblem::NotAnImage(_) | SampleProblem::CutShort { .. })
            ));
        }
        let whole = png(RgbImage::from_pixel(9, 9, Rgb([1, 2, 3])));
        assert!(matches!(
            decode(&whole, 4, false),
            Err(SampleProblem::NoImageInput { channels: 4 })
        ));
    }

    #[test]
    fn a_cut_jpeg_or_png_is_refused_at_every_length() {
        let pixels = RgbImage::from_fn(16, 16, |x, y| Rgb([x as u8 * 16, y as u8 * 16, 90]));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
            let whole = encode(pixels.clone(), format);
            assert!(decode(&whole, 3, false).is_ok());
            // The last bytes of a PNG are its end chunk, after the last pixel.
            let end = if format == ImageFormat::Png { whole.len() - 16 } else { whole.len() };
            for cut in 0..end {
                assert!(
                    decode(&whole[..cut], 3, false).is_err(),
                    "{format:?} cut to {cut} of {}",
                    whole.len()
                );
            }
        }
    }

    #[test]
    fn a_picture_is_the_same_in_every_format_that_loses_nothing() {
        let pixels = RgbImage::from_fn(13, 7, |x, y| Rgb([x as u8 * 16, y as u8 * 30, 90]));
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
            let (width, height, bytes) = bytes_of(&encode(pixels.clone(), format), 3);
            assert_eq!((width, height, &bytes), (13, 7, pixels.as_raw()), "{format:?}");
        }
    }

    #[test]
    fn a_photo_is_read_to_the_level_only_where_that_is_asked_for() {
        let photo = include_bytes!("jpeg/photos/420.jpg");
        let [before, exact] =
            [false, true].map(|to_the_level| read(photo, to_the_level).unwrap().into_rgb8());
        assert_eq!(exact.as_raw(), &jpeg::decode(photo).unwrap().bytes);
        // The faster decoder's own pixels, which heads were learned from.
        let decoder = ImageReader::with_format(Cursor::new(photo), ImageFormat::Jpeg);
        assert_eq!(before, decoder.decode().unwrap().into_rgb8());
        let apart = before.as_raw().iter().zip(exact.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(matches!(apart, Some(1..=4)), "{apart:?}");
    }

    #[test]
    fn exif_orientation_turns_the_picture() {
        let pixels =
            RgbImage::from_fn(16, 8, |x, _| if x < 8 { Rgb([255; 3]) } else { Rgb([0; 3]) });
        let plain = encode(pixels, ImageFormat::Jpeg);
        // Orientation 6 (turn 90° clockwise) as one big-endian TIFF entry in an APP1 segment.
        let mut turned = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 34];
        turned
            .extend(b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
        turned.extend(&plain[2..]);
        let (width, height, bytes) = bytes_of(&turned, 3);
        assert_eq!((width, height), (8, 16));
        assert!(bytes[0] > 240 && bytes[bytes.len() - 1] < 15);
    }
}
