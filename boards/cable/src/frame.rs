//! Finds messages in a stream of bytes, and drops damaged ones.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)
)]

use crc::{CRC_32_ISO_HDLC, Crc};
use postcard::ser_flavors::{Cobs, Slice, crc::CrcModifier};
use serde::{Deserialize, Serialize};

/// The most bytes of a sample, a head record or a pack in one message.
pub const DATA: usize = 512;
/// The most bytes of a message with its header and its check sum.
pub const BODY: usize = 640;
/// The most bytes of a frame: the body, one byte for each 254 of it, and a zero on either side.
pub const FRAME: usize = BODY + BODY / 254 + 3;

const CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
const CHECK_BYTES: usize = 4;

/// The bit that is set in the session of every reply, and in that of no request: so an echo is no answer.
pub const REPLY: u32 = 1 << 31;

/// A message with what tells a repeated one: the session that its host has chosen, and a number in it. A reply has those of its request,
/// and the bit [`REPLY`] in its session.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame<T> {
    /// The host's session.
    pub session: u32,
    /// The request's number in the session: one more each time.
    pub sequence: u32,
    /// The message in the frame.
    pub body: T,
}

/// Writes a frame to the start of `buffer`, and gives it: `00`, COBS of the message and its CRC, `00`.
/// `None` if the message is too long.
#[must_use]
pub fn encode<'b, T: Serialize>(
    frame: &Frame<T>,
    buffer: &'b mut [u8; FRAME],
) -> Option<&'b mut [u8]> {
    let (first, rest) = buffer.split_first_mut()?;
    // What came before on the line, garbage or half a frame, ends here.
    *first = 0;
    let cobs = Cobs::try_new(Slice::new(rest)).ok()?;
    let modifier = CrcModifier::new(cobs, CHECK.digest());
    let length = postcard::serialize_with_flavor(frame, modifier).ok()?.len();
    buffer.get_mut(..length.checked_add(1)?)
}

/// Parses the payload that [`Receiver::push`] gave to its message; `None` if it is none that this version knows, or bytes follow it.
#[must_use]
pub fn parse<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Option<Frame<T>> {
    match postcard::take_from_bytes(payload) {
        Ok((frame, [])) => Some(frame),
        _ => None,
    }
}

/// Collects bytes to frames. Whatever is no frame with the right check sum is dropped.
#[derive(Debug)]
pub struct Receiver {
    buffer: [u8; FRAME],
    length: usize,
    whole: bool,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// A receiver that has seen nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffer: [0; FRAME], length: 0, whole: false }
    }

    /// Takes one byte. With the last one of a frame it gives the payload: a message without its check
    /// sum, for [`parse`].
    pub fn push(&mut self, byte: u8) -> Option<&[u8]> {
        if self.whole {
            (self.whole, self.length) = (false, 0);
        }
        if byte != 0 {
            // One byte more than fits marks the frame as too long.
            if let Some(place) = self.buffer.get_mut(self.length) {
                *place = byte;
            }
            self.length = self.length.saturating_add(1).min(FRAME.saturating_add(1));
            return None;
        }
        self.whole = true;
        open(self.buffer.get_mut(..self.length)?)
    }

    /// Drops what has come of a frame: its sender went silent.
    pub fn quiet(&mut self) {
        self.length = 0;
    }

    /// Whether a frame has begun.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.length > 0 && !self.whole
    }
}

/// The payload of a frame without its zeros.
fn open(frame: &mut [u8]) -> Option<&[u8]> {
    let length = cobs::decode_in_place(frame).ok()?;
    let (payload, check) =
        frame.get(..length)?.split_at_checked(length.checked_sub(CHECK_BYTES)?)?;
    (CHECK.checksum(payload).to_le_bytes() == *check).then_some(payload)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::string::String;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::{Reply, Request};

    /// Every payload that a receiver finds.
    fn payloads(bytes: &[u8]) -> impl Iterator<Item = ([u8; FRAME], usize)> {
        let mut receiver = Receiver::new();
        bytes.iter().filter_map(move |&byte| {
            let payload = receiver.push(byte)?;
            let mut copy = [0; FRAME];
            copy[..payload.len()].copy_from_slice(payload);
            Some((copy, payload.len()))
        })
    }

    #[test]
    fn the_longest_messages_fit_a_frame() {
        let mut buffer = [0; FRAME];
        let (session, sequence, bytes) = (u32::MAX, u32::MAX, &[0xFF; DATA][..]);
        for body in [
            Request::Sample { offset: u32::MAX, bytes },
            Request::Write { offset: u32::MAX, bytes },
        ] {
            assert!(encode(&Frame { session, sequence, body }, &mut buffer).is_some());
        }
        let body = Reply::Head { bytes: u32::MAX, part: bytes };
        assert!(encode(&Frame { session, sequence, body }, &mut buffer).is_some());
        let body = Reply::Head { bytes: 0, part: &[0; BODY] };
        assert!(encode(&Frame { session, sequence, body }, &mut buffer).is_none());
    }

    /// The example of `PROTOCOL.md`.
    #[test]
    fn a_frame_has_the_bytes_that_are_written_down() {
        let mut buffer = [0; FRAME];
        let frame = Frame { session: 1, sequence: 2, body: Request::Hello { version: 1 } };
        let bytes = encode(&frame, &mut buffer).unwrap();
        let text = include_str!("../PROTOCOL.md");
        let shown: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = shown.join(" ");
        assert!(text.contains(&shown), "{shown} is not in PROTOCOL.md");
    }

    proptest! {
        #[test]
        fn garbage_never_hides_the_frame_behind_it(
            garbage in proptest::collection::vec(any::<u8>(), 0..2000),
            session: u32,
            sequence: u32,
            offset: u32,
            data in proptest::collection::vec(any::<u8>(), 0..=DATA),
        ) {
            let mut buffer = [0; FRAME];
            let body = Request::Sample { offset, bytes: &data };
            let sent = Frame { session, sequence, body };
            let mut stream = garbage;
            stream.extend(&*encode(&sent, &mut buffer).unwrap());
            let (payload, length) = payloads(&stream).last().unwrap();
            prop_assert_eq!(parse(&payload[..length]), Some(sent));
        }

        #[test]
        fn a_changed_frame_is_dropped(
            data in proptest::collection::vec(any::<u8>(), 0..=DATA),
            at: proptest::sample::Index,
            change in 1..=255_u8,
        ) {
            let mut buffer = [0; FRAME];
            let body = Request::Sample { offset: 0, bytes: &data };
            let frame = encode(&Frame { session: 1, sequence: 1, body }, &mut buffer).unwrap();
            let inside = frame.len() - 2;
            frame[1 + at.index(inside)] ^= change;
            prop_assert_eq!(payloads(frame).count(), 0);
        }
    }
}
