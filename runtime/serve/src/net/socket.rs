//! A socket with deadlines.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A client that takes nothing for so long is dropped.
const STALL: Duration = Duration::from_secs(10);
/// What still comes from a client that was refused is read for so long, and no more of it, so that the refusal arrives.
const LINGER: Duration = Duration::from_secs(2);
const MOST_LINGER: u64 = 4 << 20;

/// A socket whose reads end at a deadline, however slowly bytes drip, and whose writes do not stall.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    deadline: Instant,
}

impl Socket {
    /// A socket whose reads fail until they are given time.
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(STALL))?;
        Ok(Self { stream, deadline: Instant::now() })
    }

    /// Reads fail from this instant on.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// The next byte, which stays; `None` where none comes.
    pub(super) fn peek(&self) -> Option<u8> {
        self.arm().ok()?;
        let mut first = [0];
        (self.stream.peek(&mut first).ok()? == 1).then_some(first[0])
    }

    /// Ends what is said here, and waits a moment for the client's end.
    pub(super) fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        self.deadline = Instant::now() + LINGER;
        let _ = io::copy(&mut self.take(MOST_LINGER), &mut io::sink());
    }

    fn arm(&self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        self.stream.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
