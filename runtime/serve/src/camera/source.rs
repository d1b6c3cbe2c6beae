//! Where frames come from.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A camera answers, and sends its next bytes, within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// The head of a camera's answer is no longer.
const MOST_HEAD: u64 = 16 << 10;

/// A camera of the device.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// Motion JPEG on standard input.
    Stdin,
    /// A file or a named pipe of motion JPEG.
    File(PathBuf),
    /// Motion JPEG of an IP camera.
    Http(Address),
    /// A device file of Video4Linux.
    #[cfg(feature = "v4l")]
    Video4Linux(PathBuf),
}

/// The address of an IP camera.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Host and port.
    host: String,
    path: String,
    /// User and password.
    user: Option<String>,
}

/// Why a text names no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSource {
    /// TLS is not spoken.
    #[error(
        "https is not read: give the camera's http address, or read it with another program and give its output with -"
    )]
    Https,
    /// The address has no host, or characters that no address has.
    #[error("is no address of a camera: http://HOST[:PORT]/PATH is")]
    Address,
    /// A device file of Video4Linux, in a program without the feature `v4l`.
    #[cfg(not(feature = "v4l"))]
    #[error(
        "is read by another program: give its output, as of `ffmpeg -f v4l2 -input_format mjpeg -i /dev/video0 -c copy -f mjpeg -`, with -"
    )]
    Video4Linux,
}

impl FromStr for Source {
    type Err = BadSource;

    fn from_str(text: &str) -> Result<Self, BadSource> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if text.starts_with("https://") {
            return Err(BadSource::Https);
        }
        if text.starts_with("/dev/video") {
            #[cfg(feature = "v4l")]
            return Ok(Self::Video4Linux(text.into()));
            #[cfg(not(feature = "v4l"))]
            return Err(BadSource::Video4Linux);
        }
        let Some(rest) = text.strip_prefix("http://") else { return Ok(Self::File(text.into())) };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        // What ends a line would be another header.
        if host.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadSource::Address);
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        Ok(Self::Http(Address { host, path: format!("/{path}"), user }))
    }
}

/// Without the password.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Http(Address { host, path, .. }) => write!(f, "http://{host}{path}"),
            #[cfg(feature = "v4l")]
            Self::Video4Linux(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Source {
    /// Whether it is a plain file, which waits until it is read.
    #[must_use]
    pub fn is_plain_file(&self) -> bool {
        matches!(self, Self::File(path) if path.is_file())
    }

    /// Opens it. A named pipe waits for its writer.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Stdin => Ok(Box::new(io::stdin())),
            Self::File(path) => Ok(Box::new(File::open(path)?)),
            Self::Http(address) => Ok(Box::new(address.open()?)),
            #[cfg(feature = "v4l")]
            Self::Video4Linux(path) => Ok(Box::new(super::video4linux::Camera::open(path)?)),
        }
    }
}

impl Address {
    /// Asks by HTTP/1.0: an answer in chunks belongs to 1.1.
    fn open(&self) -> io::Result<impl Read + Send + use<>> {
        let mut addresses = self.host.to_socket_addrs()?;
        let none = || io::Error::new(ErrorKind::NotFound, "the host has no address");
        let mut stream = TcpStream::connect_timeout(&addresses.next().ok_or_else(none)?, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let user = self
            .user
            .as_ref()
            .map(|user| format!("Authorization: Basic {}\r\n", base64(user.as_bytes())));
        let user = user.unwrap_or_default();
        write!(
            stream,
            "GET {} HTTP/1.0\r\nHost: {}\r\nAccept: */*\r\n{user}\r\n",
            self.path, self.host
        )?;
        let mut reader = BufReader::new(stream);
        let mut head = (&mut reader).take(MOST_HEAD);
        let mut line = Vec::new();
        head.read_until(b'\n', &mut line)?;
        let first = String::from_utf8_lossy(&line).trim().to_owned();
        if first.split(' ').nth(1) != Some("200") {
            let refused =
                format!("the camera answers {:?}", first.chars().take(80).collect::<String>());
            return Err(io::Error::other(refused));
        }
        loop {
            line.clear();
            if head.read_until(b'\n', &mut line)? == 0 {
                return Err(io::Error::new(
                    ErrorKind::UnexpectedEof,
                    "the camera's answer ends in its head",
                ));
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                return Ok(reader);
            }
        }
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_by_how_they_are_written() {
        let source = |text: &str| text.parse::<Source>();
        assert_eq!(source("-"), Ok(Source::Stdin));
        assert_eq!(source("film.mjpeg"), Ok(Source::File("film.mjpeg".into())));
        let shown = |text: &str| source(text).unwrap().to_string();
        assert_eq!(shown("http://10.0.0.9/video.mjpg"), "http://10.0.0.9:80/video.mjpg");
        // The password is not shown.
        assert_eq!(shown("http://me:secret@cam.local:8080"), "http://cam.local:8080/");
        assert!(!format!("{:?}", source("http://me:secret@cam.local/")).contains("secret"));
        for bad in ["http://", "http:///x", "http://a b/", "http://a/\r\nX: y", "http://ü/"] {
            assert_eq!(source(bad), Err(BadSource::Address), "{bad:?}");
        }
        assert_eq!(source("https://cam/"), Err(BadSource::Https));
        #[cfg(not(feature = "v4l"))]
        assert_eq!(source("/dev/video0"), Err(BadSource::Video4Linux));
        #[cfg(feature = "v4l")]
        assert_eq!(source("/dev/video0"), Ok(Source::Video4Linux("/dev/video0".into())));
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("me:secret", "bWU6c2VjcmV0"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
