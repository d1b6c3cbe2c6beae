//! Sends another pack: written beside the one in use, verified by the board, then used.

use super::board::{RESTARTS, greet, status};
use super::{Board, Error};
use crate::{DATA, Refusal, Reply, Request};

/// Where the SHA-256 of a pack's header stands in it.
const ID: core::ops::Range<usize> = 32..64;

impl Board {
    /// Asks whether the board has committed a head of another backbone than this one. A pack with this backbone would make that head
    /// useless: [`update`](Self::update) with it is refused once all of it was sent, unless it may forget.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub fn holds_other_head(&mut self, backbone: &[u8; 32]) -> Result<bool, Error> {
        match self.greeting.problem {
            _ if self.greeting.backbone == *backbone => Ok(false),
            Some(problem) => Ok(problem == Refusal::OtherBackbone),
            None => Ok(self.surely(status)?.commits > 0),
        }
    }

    /// Sends a pack, and has the board start with it. `false` if the board has it already. Whatever is cut off,
    /// the old pack is used until the new one is whole and verified. `forget` lets the board forget a head
    /// that was learned on another backbone.
    ///
    /// # Errors
    /// Those of the line, and what the board refuses; [`Refusal::BadPack`] for
    /// bytes that are no pack.
    pub fn update(
        &mut self,
        pack: &[u8],
        forget: bool,
        mut progress: impl FnMut(usize),
    ) -> Result<bool, Error> {
        let id = pack.get(ID).and_then(|id| id.try_into().ok());
        let id: [u8; 32] = id.ok_or(Error::Refused(Refusal::BadPack))?;
        if self.greeting.pack == id {
            return Ok(false);
        }
        for _ in 0..RESTARTS {
            match self.write(pack, id, forget, &mut progress) {
                Ok(()) => {}
                Err(error) if error.is_lost() => {}
                Err(error) => return Err(error),
            }
            self.greeting = greet(&mut self.link)?;
            if self.greeting.pack == id {
                return Ok(true);
            }
        }
        Err(Error::Restarts(RESTARTS))
    }

    fn write(
        &mut self,
        pack: &[u8],
        id: [u8; 32],
        forget: bool,
        progress: &mut impl FnMut(usize),
    ) -> Result<(), Error> {
        let bytes = u32::try_from(pack.len()).map_err(|_| Error::TooLong)?;
        let mut offset = received(self.link.call(&Request::Update { bytes, id, forget })?)?;
        loop {
            progress(offset as usize);
            let rest = pack.get(offset as usize..).ok_or(Error::Answer)?;
            if rest.is_empty() {
                break;
            }
            let bytes = rest.get(..DATA).unwrap_or(rest);
            let now = received(self.link.call(&Request::Write { offset, bytes })?)?;
            // A board that takes nothing would be written to for ever.
            if now <= offset {
                return Err(Error::Answer);
            }
            offset = now;
        }
        match self.link.call(&Request::Activate)? {
            Reply::Activated => Ok(()),
            _ => Err(Error::Answer),
        }
    }
}

/// The bytes that are there now.
fn received(reply: Reply<'_>) -> Result<u32, Error> {
    match reply {
        Reply::Received { bytes } => Ok(bytes),
        _ => Err(Error::Answer),
    }
}
