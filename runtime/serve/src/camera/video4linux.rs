//! A camera of Video4Linux, as motion JPEG.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use v4l::buffer::Type;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;
use v4l::video::Capture;
use v4l::{Device, FourCC};

/// What is asked of a camera; it may give another size.
const SIZE: [u32; 2] = [640, 480];
const MOTION_JPEG: &[u8; 4] = b"MJPG";
/// The next frame comes within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Frames that the driver may fill while one is read.
const BUFFERS: u32 = 4;

/// Frames of a camera, one behind the other.
pub(super) struct Camera {
    stream: Stream<'static>,
    /// The frame that is being read, and how much of it was.
    frame: Vec<u8>,
    read: usize,
}

impl Camera {
    /// # Errors
    /// Where `path` is no camera, is used by another program, or gives no motion JPEG.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let device = Device::with_path(path)?;
        let mut format = device.format()?;
        [format.width, format.height] = SIZE;
        format.fourcc = FourCC::new(MOTION_JPEG);
        let given = device.set_format(&format)?.fourcc;
        if given.repr != *MOTION_JPEG {
            let other = format!(
                "the camera gives {given} and no motion JPEG: convert it with another program, and give that one's output with -"
            );
            return Err(io::Error::other(other));
        }
        let mut stream = Stream::with_buffers(&device, Type::VideoCapture, BUFFERS)?;
        stream.set_timeout(PATIENCE);
        Ok(Self { stream, frame: Vec::new(), read: 0 })
    }
}

impl Read for Camera {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.frame.len() {
            let (frame, about) = self.stream.next()?;
            let length = usize::try_from(about.bytesused).unwrap_or(usize::MAX).min(frame.len());
            self.frame.clear();
            self.frame.extend_from_slice(&frame[..length]);
            self.read = 0;
        }
        let mut rest = &self.frame[self.read..];
        let read = rest.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_camera_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path(), Path::new("/dev/null"), Path::new("/dev/video-none")] {
            assert!(Camera::open(path).is_err(), "{}", path.display());
        }
    }
}
