//! The file that a sample in memory would be: one stated form, whatever library or program writes it.
//!
//! A sample is named by its file's content, and a picture can be written as a file in many ways. So that one in memory has a name too, this
//! is the one that counts.

use crc::{CRC_32_ISO_HDLC, Crc};

/// The most bytes of a stored deflate block.
const BLOCK: usize = 65_535;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// Adler-32 takes its sums modulo the largest prime below 2¹⁶ (RFC 1950).
const ADLER: u32 = 65_521;

/// A PNG of 8 bits a channel, not compressed: signature, `IHDR`, one `IDAT`, `IEND`; rows without a filter, in stored
/// deflate blocks that are as long as they can be.
///
/// `bytes` are `height` rows of `width` pixels of 1 (grey) or 3 (RGB) channels.
pub(super) fn png(width: u32, height: u32, channels: usize, bytes: &[u8]) -> Vec<u8> {
    let row = width as usize * channels;
    let mut rows = Vec::with_capacity(bytes.len() + height as usize);
    for line in bytes.chunks_exact(row.max(1)) {
        rows.push(0);
        rows.extend_from_slice(line);
    }
    let colours = if channels == 1 { 0 } else { 2 };
    let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &[&sizes[..], &[8, colours, 0, 0, 0]].concat());
    chunk(&mut file, b"IDAT", &zlib(&rows));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    file.extend((content.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(content);
    let sum = CRC.checksum(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951).
fn zlib(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = content.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler(content).to_be_bytes());
    stream
}

fn adler(content: &[u8]) -> u32 {
    let (mut low, mut high) = (1, 0);
    // So many bytes keep both sums below 2³².
    for part in content.chunks(5552) {
        for &byte in part {
            low += u32::from(byte);
            high += low;
        }
        (low, high) = (low % ADLER, high % ADLER);
    }
    high << 16 | low
}

/// A `.npy` file of version 1.0 as `numpy.save` writes it: little-endian float32 in C order.
pub(super) fn npy(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let axes = if let [axis] = &axes[..] { format!("{axis},") } else { axes.join(", ") };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    const FRONT: usize = 10;
    let whole = (FRONT + header.len() + 1).next_multiple_of(64);
    header.extend(std::iter::repeat_n(' ', whole - FRONT - header.len() - 1));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::samples::hex;

    fn digest(bytes: &[u8]) -> String {
        hex(&Sha256::digest(bytes)[..8])
    }

    #[test]
    fn a_picture_is_read_back_by_another_library() {
        for (width, height, channels) in [(1, 1, 1), (3, 2, 3), (200, 150, 3), (301, 400, 1)] {
            let bytes: Vec<u8> =
                (0..width * height * channels).map(|at| (at * 7 + at / 251) as u8).collect();
            let file = png(width as u32, height as u32, channels, &bytes);
            let read = image::load_from_memory(&file).unwrap();
            let read = match channels {
                1 => read.into_luma8().into_raw(),
                _ => read.into_rgb8().into_raw(),
            };
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn the_forms_never_change() {
        let picture: Vec<u8> = (0..=255).collect();
        assert_eq!(digest(&png(16, 16, 1, &picture)), "0b51d6574f1b17ae");
        // As NumPy 2 writes `numpy.save(file, numpy.arange(6, dtype="float32").reshape(1, 2, 3))`.
        let values: Vec<f32> = (0..6).map(|value| value as f32).collect();
        assert_eq!(digest(&npy(&[1, 2, 3], &values)), "b2b40b3ca92ca1cb");
    }
}
