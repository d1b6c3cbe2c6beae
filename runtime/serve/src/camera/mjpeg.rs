//! Motion JPEG as single pictures: JPEG files one behind another, with anything in between, as in a multipart answer.
//!
//! Segments are walked (ITU-T T.81, B.1.1), so that a small picture inside of one, as cameras put it into EXIF, ends nothing.

use std::io::{self, ErrorKind, Read};

/// A frame is no larger.
pub const MAX_FRAME_BYTES: usize = 4 << 20;
/// So many bytes are read at once.
const READ: usize = 64 << 10;
const START: [u8; 3] = [0xFF, 0xD8, 0xFF];

/// The frames of a stream.
#[derive(Debug)]
pub struct Frames<R> {
    stream: R,
    /// What was read and is not yet given.
    buffer: Vec<u8>,
    /// How much of the buffer is known to be of the frame, from its start on; 0 where no frame has begun.
    seen: usize,
    in_scan: bool,
    has_ended: bool,
}

/// What stands in the buffer.
enum Found {
    Frame(usize),
    /// It goes on behind what is there.
    More,
    /// No JPEG: these bytes are passed over.
    Broken(usize),
}

impl<R: Read> Frames<R> {
    /// The frames of a stream of bytes.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: Vec::new(), seen: 0, in_scan: false, has_ended: false }
    }

    /// The next whole frame; `None` at the end of the stream, whatever was begun there.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn next_frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.find() {
                Found::Frame(length) => {
                    let rest = self.buffer.split_off(length);
                    self.restart();
                    return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
                }
                Found::Broken(bytes) => {
                    self.buffer.drain(..bytes.min(self.buffer.len()));
                    self.restart();
                    continue;
                }
                Found::More => {}
            }
            if self.has_ended {
                return Ok(None);
            }
            self.read()?;
        }
    }

    fn restart(&mut self) {
        (self.seen, self.in_scan) = (0, false);
    }

    fn read(&mut self) -> io::Result<()> {
        let before = self.buffer.len();
        self.buffer.resize(before + READ, 0);
        let read = loop {
            match self.stream.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        self.has_ended = read? == 0;
        Ok(())
    }

    fn find(&mut self) -> Found {
        if self.seen == 0 {
            let start = self.buffer.windows(START.len()).position(|bytes| bytes == START);
            match start {
                // A start may be cut by the end of what was read.
                None => self.buffer.drain(..self.buffer.len().saturating_sub(START.len() - 1)),
                Some(start) => self.buffer.drain(..start),
            };
            if start.is_none() {
                return Found::More;
            }
            self.seen = 2;
        }
        loop {
            if self.seen > MAX_FRAME_BYTES {
                return Found::Broken(START.len());
            }
            let rest = self.buffer.get(self.seen..).unwrap_or_default();
            if self.in_scan {
                let Some(at) = rest.iter().position(|&byte| byte == 0xFF) else {
                    self.seen += rest.len();
                    return Found::More;
                };
                self.seen += at;
                match rest.get(at + 1) {
                    None => return Found::More,
                    // A byte of data, or a restart.
                    Some(0 | 0xD0..=0xD7) => self.seen += 2,
                    Some(_) => self.in_scan = false,
                }
                continue;
            }
            match rest {
                [0xFF, 0xFF, ..] => self.seen += 1,
                [0xFF, 0xD9, ..] => return Found::Frame(self.seen + 2),
                [0xFF, 0x01 | 0xD0..=0xD7, ..] => self.seen += 2,
                [0xFF, 0x00 | 0xD8, ..] => return Found::Broken(self.seen + 1),
                [0xFF, marker, high, low, ..] => {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    if length < 2 {
                        return Found::Broken(self.seen + 1);
                    }
                    self.in_scan = *marker == 0xDA;
                    self.seen += 2 + length;
                }
                [] | [0xFF, ..] => return Found::More,
                _ => return Found::Broken(self.seen),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Rgb, RgbImage};

    use super::*;

    fn jpeg(level: u8) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_fn(40, 30, |x, y| Rgb([level, x as u8 * 6, y as u8 * 8]));
        picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    /// A JPEG with a whole other one in a segment of its own.
    fn with_inside() -> Vec<u8> {
        let (outer, inner) = (jpeg(9), jpeg(200));
        let length = u16::try_from(inner.len() + 2).unwrap().to_be_bytes();
        [&outer[..2], &[0xFF, 0xE1], &length, &inner, &outer[2..]].concat()
    }

    /// Gives a few bytes at a time.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    fn all(stream: Vec<u8>, at_once: usize) -> Vec<Vec<u8>> {
        let mut frames = Frames::new(Slow(stream, at_once));
        std::iter::from_fn(|| frames.next_frame().unwrap()).collect()
    }

    #[test]
    fn frames_are_told_apart_however_they_come() {
        let expected = [jpeg(1), with_inside(), jpeg(3)];
        let head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 700\r\n\r\n";
        let mut stream = Vec::new();
        for frame in &expected {
            stream.extend(head);
            stream.extend(frame);
            stream.extend(b"\r\n");
        }
        for at_once in [1, 2, 3, 7, 64, 1 << 20] {
            assert!(all(stream.clone(), at_once) == expected, "{at_once}");
            assert!(all(expected.concat(), at_once) == expected, "{at_once}");
        }
    }

    #[test]
    fn what_is_broken_is_passed_over_and_the_next_frame_comes() {
        let good = jpeg(5);
        for broken in [
            &good[..good.len() / 2],
            &good[..30],
            b"\xff\xd8\xff\xe0\0\0",
            b"\xff\xd8\xff\xe0\0",
            b"\xff\xd8\xff",
            b"nothing",
        ] {
            let stream = [&good, broken, &good, &good].concat();
            let found = all(stream, 100);
            // Where the cut is in the data of the scan, what follows ends at the next marker.
            assert!(found.first() == Some(&good) && found.last() == Some(&good), "{broken:?}");
        }
        assert!(all(good[..good.len() - 1].to_vec(), 100).is_empty());
    }

    #[test]
    fn a_frame_without_end_takes_no_more_than_its_limit() {
        struct Endless(u64);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let head = b"\xff\xd8\xff\xda\0\x02";
                let from = usize::try_from(self.0).unwrap();
                if from >= 20 << 20 {
                    return Ok(0);
                }
                for (at, byte) in buffer.iter_mut().enumerate() {
                    *byte = *head.get(from + at).unwrap_or(&7);
                }
                self.0 += buffer.len() as u64;
                Ok(buffer.len())
            }
        }
        let mut frames = Frames::new(Endless(0));
        assert!(frames.next_frame().unwrap().is_none());
        assert!(frames.buffer.capacity() < 4 * MAX_FRAME_BYTES, "{}", frames.buffer.capacity());
    }
}
