//! Bodies of requests, within limits of size and time.

use std::io::ErrorKind;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Call;
use crate::app::Room;
use crate::refusal::Refusal;

/// A body is there within this time.
const PATIENCE: Duration = Duration::from_secs(20);
/// A JSON text is no longer.
const MOST_JSON: u64 = 256 << 10;

/// A body, and the room that it takes.
pub(super) struct Whole<'a> {
    pub(super) bytes: Vec<u8>,
    _room: Room<'a>,
}

impl<'a> Call<'a> {
    /// The whole body.
    pub(super) fn whole(&mut self, most: u64) -> Result<Whole<'a>, Refusal> {
        let length = self.body.left();
        if length > most {
            return Err(too_large(most));
        }
        let room = self.app.room(length);
        let room = room
            .ok_or_else(|| Refusal::busy("too many bodies are being read: send this one again"))?;
        self.body.within(PATIENCE);
        // Memory that nothing was written into takes none.
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        self.body.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        Ok(Whole { bytes, _room: room })
    }

    /// A body of JSON; an empty one is the default.
    pub(super) fn json<T: DeserializeOwned + Default>(&mut self) -> Result<T, Refusal> {
        let whole = self.whole(MOST_JSON)?;
        if whole.bytes.is_empty() {
            return Ok(T::default());
        }
        let kind = self.head.headers.get("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::kind(
                "the body is no application/json: send it with that Content-Type",
            ));
        }
        serde_json::from_slice(&whole.bytes)
            .map_err(|error| Refusal::input(format!("the body: {error}")))
    }
}

pub(super) fn too_large(most: u64) -> Refusal {
    Refusal::too_large(format!("the body has more than {most} bytes: send less at once"))
}

/// Why a body is not there.
pub(super) fn broken(error: &std::io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            Refusal::new(408, "caller", "the body came too slowly")
        }
        _ => Refusal::input("the body ended early"),
    }
}
