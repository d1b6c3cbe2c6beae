//! Sends one request at a time, again and again until its reply is here.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::{Error, Port};
use crate::{FRAME, Frame, REPLY, Receiver, Reply, Request, encode, parse};

/// Times that the host waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a reply may take before the request is sent again; twice as long the second time, and four times from then on.
    pub retry: Duration,
    /// How long the host waits before it gives up; ten times as long for what may take minutes.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { retry: Duration::from_secs(1), patience: Duration::from_secs(30) }
    }
}

/// Between two attempts to open a port.
const REOPEN: Duration = Duration::from_millis(200);

/// A session over a port.
pub(super) struct Link {
    port: Box<dyn Port>,
    timing: Timing,
    receiver: Receiver,
    session: u32,
    sequence: u32,
    open: bool,
    payload: Vec<u8>,
    /// Requests that were answered.
    answered: u64,
}

impl Link {
    pub(super) fn open(mut port: Box<dyn Port>, timing: Timing) -> Result<Self, Error> {
        port.open().map_err(|reason| Error::Port { port: port.name(), reason })?;
        Ok(Self {
            port,
            timing,
            receiver: Receiver::new(),
            session: 0,
            sequence: 0,
            open: true,
            payload: Vec::new(),
            answered: 0,
        })
    }

    /// Refuses to wait on for a board that answers, but so slowly that `allowed` beside its patience is over.
    pub(super) fn on_time(&self, start: Instant, allowed: Duration) -> Result<(), Error> {
        let elapsed = start.elapsed();
        if elapsed > self.timing.patience + allowed {
            return Err(Error::Slow { port: self.port.name(), seconds: elapsed.as_secs() });
        }
        Ok(())
    }

    /// Begins another session; the next request must be `Hello`.
    pub(super) fn begin(&mut self) {
        // The state of a hasher is random.
        let random = RandomState::new().build_hasher().finish();
        (self.session, self.sequence) = (random as u32 & !REPLY, 0);
    }

    /// The reply to a request, which is sent again until it comes.
    pub(super) fn call(&mut self, request: &Request<'_>) -> Result<Reply<'_>, Error> {
        self.sequence = self.sequence.wrapping_add(1);
        let frame = Frame { session: self.session, sequence: self.sequence, body: *request };
        let mut buffer = [0; FRAME];
        let bytes = &*encode(&frame, &mut buffer).ok_or(Error::TooLong)?;
        let slow = matches!(request, Request::Train { .. } | Request::Activate);
        let patience = self.timing.patience * if slow { 10 } else { 1 };
        let (start, mut retry) = (Instant::now(), self.timing.retry);
        while start.elapsed() < patience {
            if !self.open {
                self.open = self.port.open().is_ok();
                if !self.open {
                    std::thread::sleep(REOPEN.min(patience));
                    continue;
                }
            }
            self.open = self.port.write(bytes).is_ok() && self.wait(retry)?;
            if !self.open {
                // A server may take every connection and close it at once.
                std::thread::sleep(REOPEN.min(patience));
                continue;
            }
            if self.is_reply() {
                self.answered = self.answered.saturating_add(1);
                return match parse::<Reply<'_>>(&self.payload) {
                    Some(Frame { body: Reply::Refused(refusal), .. }) => {
                        Err(Error::Refused(refusal))
                    }
                    Some(Frame { body, .. }) => Ok(body),
                    None => Err(Error::Answer),
                };
            }
            // A board that is slow is not to be kept busy with copies.
            retry = (2 * retry).min(4 * self.timing.retry);
        }
        let (port, seconds) = (self.port.name(), patience.as_secs());
        Err(match self.answered {
            0 => Error::Silent { port, seconds },
            answered => Error::FellSilent { port, seconds, answered },
        })
    }

    /// Waits for the reply; `false` if the port went away.
    fn wait(&mut self, retry: Duration) -> Result<bool, Error> {
        let start = Instant::now();
        self.payload.clear();
        let mut buffer = [0; 1024];
        loop {
            let wait = retry.saturating_sub(start.elapsed());
            let Ok(read) = self.port.read(&mut buffer, wait) else { return Ok(false) };
            for &byte in &buffer[..read] {
                let Some(payload) = self.receiver.push(byte) else { continue };
                self.payload.clear();
                self.payload.extend(payload);
                if self.is_reply() {
                    return Ok(true);
                }
            }
            // What has come by now was read, however long this host was not running.
            if wait.is_zero() {
                return Ok(true);
            }
        }
    }

    /// Whether what came last is the reply to what was sent last: session and number stand first, as a
    /// frame of any body has them.
    fn is_reply(&self) -> bool {
        type Numbers = (u32, u32);
        let numbers = postcard::take_from_bytes::<Numbers>(&self.payload);
        numbers.is_ok_and(|((session, sequence), rest)| {
            !rest.is_empty() && session == self.session | REPLY && sequence == self.sequence
        })
    }
}
