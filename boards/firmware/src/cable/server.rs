//! Turns frames into requests, each done once.

use headstart_cable::{FRAME, Frame, REPLY, Receiver, Refusal, Reply, Request, encode, parse};

use super::Device;
use crate::flash::Mapped;

/// A board at its end of the cable, which takes bytes and gives replies back.
///
/// | the frame's session | its number | what happens |
/// | --- | --- | --- |
/// | the one that goes on | the last one | the last reply is sent again, nothing is done |
/// | the one that goes on | the next one | the request is done |
/// | the one that goes on | an older one | nothing: a late copy |
/// | the one that goes on | a later one | refused |
/// | one with the bit of replies | any | nothing: an echo |
/// | another one | any | `Hello` begins it, anything else is refused |
pub struct Server<'f, 'm, F: Mapped> {
    device: Device<'f, 'm, F>,
    receiver: Receiver,
    session: Option<u32>,
    sequence: u32,
    reply: [u8; FRAME],
    /// Bytes of the last reply; 0 where it is no longer there.
    length: usize,
}

impl<'f, 'm, F: Mapped> Server<'f, 'm, F> {
    /// A server that knows no host yet.
    pub fn new(device: Device<'f, 'm, F>) -> Self {
        Self {
            device,
            receiver: Receiver::new(),
            session: None,
            sequence: 0,
            reply: [0; FRAME],
            length: 0,
        }
    }

    /// Takes a byte from the host, and gives the bytes of a reply if one is due.
    pub fn push(&mut self, byte: u8) -> Option<&[u8]> {
        let payload = self.receiver.push(byte)?;
        let ((session, sequence), _) = postcard::take_from_bytes::<(u32, u32)>(payload).ok()?;
        if session & REPLY != 0 {
            // What this board has sent itself.
            return None;
        }
        let request = parse::<Request<'_>>(payload).map(|frame| frame.body);
        let ahead = sequence.wrapping_sub(self.sequence);
        let goes_on = self.session == Some(session);
        let body = if goes_on && ahead == 0 && self.length > 0 {
            return self.reply.get(..self.length);
        } else if goes_on && ahead > u32::MAX / 2 {
            return None;
        } else if goes_on && ahead == 1
            || !goes_on && matches!(request, Some(Request::Hello { .. }))
        {
            (self.session, self.sequence) = (Some(session), sequence);
            match request {
                Some(request) => self.device.reply(request),
                None => Reply::Refused(Refusal::Malformed),
            }
        } else if goes_on {
            Reply::Refused(Refusal::Sequence { expected: self.sequence.wrapping_add(1) })
        } else {
            Reply::Refused(Refusal::NotGreeted)
        };
        let kept = self.session == Some(session) && self.sequence == sequence;
        let length =
            encode(&Frame { session: session | REPLY, sequence, body }, &mut self.reply)?.len();
        // A refusal that belongs to another request takes the place of the last reply.
        self.length = if kept { length } else { 0 };
        self.reply.get(..length)
    }

    /// Drops half a frame, because nothing came for a while.
    pub fn quiet(&mut self) {
        self.receiver.quiet();
    }

    /// Whether the board must start anew, once its last reply is sent.
    #[must_use]
    pub fn must_restart(&self) -> bool {
        self.device.must_restart()
    }
}
