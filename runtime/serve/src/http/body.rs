//! Bodies of requests.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

/// What a body is read from, within a time that can be set.
pub(crate) trait Input: Read {
    /// Reads fail from this instant on.
    fn set_deadline(&mut self, deadline: Instant);

    /// Tells the client that its body is awaited.
    fn go_on(&mut self) -> io::Result<()>;
}

/// A body, for whoever reads it.
pub(crate) trait Upload: Read {
    /// How much of it was not read.
    fn left(&self) -> u64;

    /// Gives the client so long for what comes next.
    fn within(&mut self, patience: Duration);
}

/// The body of a request, which is not read yet.
pub(crate) struct Body<'a> {
    input: &'a mut dyn Input,
    /// What was read with the head.
    begun: &'a mut Vec<u8>,
    left: u64,
    /// Whether the client waits to be told before it sends.
    waits: bool,
}

impl<'a> Body<'a> {
    pub(crate) fn new(
        input: &'a mut dyn Input,
        begun: &'a mut Vec<u8>,
        length: u64,
        waits: bool,
    ) -> Self {
        Self { input, begun, left: length, waits }
    }
}

impl Upload for Body<'_> {
    fn left(&self) -> u64 {
        self.left
    }

    fn within(&mut self, patience: Duration) {
        self.input.set_deadline(Instant::now() + patience);
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        if std::mem::take(&mut self.waits) && self.begun.is_empty() {
            self.input.go_on()?;
        }
        let read = if self.begun.is_empty() {
            self.input.read(&mut buffer[..most])?
        } else {
            let read = self.begun.len().min(most);
            buffer[..read].copy_from_slice(&self.begun[..read]);
            self.begun.drain(..read);
            read
        };
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}
