//! Bodies of requests, within limits of size and time.

use std::fs::File;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::Call;
use crate::app::App;
use crate::headers::sole;
use crate::refusal::Refusal;

/// A body is there within this time.
const PATIENCE: Duration = Duration::from_secs(20);
/// A JSON text is no longer.
const MOST_JSON: u64 = 256 << 10;
/// The next part of a state comes within this time, and all of it within that.
const PART: Duration = Duration::from_secs(10);
const STATE: Duration = Duration::from_secs(600);

/// What a call's body is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// It has none; what comes is not looked at.
    Nothing,
    /// A JSON object, or nothing.
    Json,
    /// A picture, or a form of pictures.
    Pictures,
    /// A saved state.
    State,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Given {
    Nothing,
    /// The body, and the room that it takes until it is dropped.
    Whole {
        bytes: Vec<u8>,
        _room: OwnedSemaphorePermit,
    },
    /// The body as a file without a name: a cut leaves nothing of it. Only so many are there at once.
    File {
        file: File,
        _place: OwnedSemaphorePermit,
    },
}

impl Takes {
    /// Receives a body.
    pub(super) async fn receive(
        self,
        app: &App,
        head: &Parts,
        body: Body,
    ) -> Result<Given, Refusal> {
        match self {
            Self::Nothing => Ok(Given::Nothing),
            Self::Json => whole(app, length(&head.headers, MOST_JSON)?, body).await,
            Self::Pictures => whole(app, length(&head.headers, app.limits.body_bytes)?, body).await,
            Self::State => {
                length(&head.headers, app.limits.state_bytes)?;
                file(app, body).await
            }
        }
    }
}

/// How long the body is, which is no more than `most`.
fn length(headers: &HeaderMap, most: u64) -> Result<u32, Refusal> {
    let length = sole(headers, "content-length").map_or(Ok(0), str::parse::<u64>);
    let length = length.map_err(|_| Refusal::input("the body's length is no number"))?;
    let too_large =
        || Refusal::too_large(format!("the body has more than {most} bytes: send less at once"));
    (length <= most)
        .then_some(length)
        .and_then(|length| length.try_into().ok())
        .ok_or_else(too_large)
}

async fn whole(app: &App, length: u32, body: Body) -> Result<Given, Refusal> {
    let room = app.unfinished.clone().try_acquire_many_owned(length);
    let room =
        room.map_err(|_| Refusal::busy("too many bodies are being read: send this one again"))?;
    let by = Instant::now() + PATIENCE;
    // Memory that nothing was written into takes none.
    let (mut bytes, mut body) = (Vec::with_capacity(length as usize), body.into_data_stream());
    while let Some(part) = timeout_at(by, body.next()).await.map_err(|_| slow())? {
        bytes.extend_from_slice(&sound(part)?);
    }
    Ok(Given::Whole { bytes, _room: room })
}

async fn file(app: &App, body: Body) -> Result<Given, Refusal> {
    let machine = |error: std::io::Error| Refusal::machine(format!("receiving the state: {error}"));
    let place = app.coming.clone().try_acquire_owned();
    let place =
        place.map_err(|_| Refusal::busy("two states are being received: send this one again"))?;
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(machine)?);
    let (by, mut body) = (Instant::now() + STATE, body.into_data_stream());
    while let Some(part) =
        timeout_at(by.min(Instant::now() + PART), body.next()).await.map_err(|_| slow())?
    {
        file.write_all(&sound(part)?).await.map_err(machine)?;
    }
    file.flush().await.map_err(machine)?;
    file.rewind().await.map_err(machine)?;
    Ok(Given::File { file: file.into_std().await, _place: place })
}

fn slow() -> Refusal {
    Refusal::new(408, "caller", "the body came too slowly")
}

fn sound(part: Result<Bytes, axum::Error>) -> Result<Bytes, Refusal> {
    part.map_err(|_| Refusal::input("the body ended early"))
}

impl Call<'_> {
    /// The bytes of the body.
    pub(super) fn whole(&self) -> &[u8] {
        match &self.given {
            Given::Whole { bytes, .. } => bytes,
            Given::Nothing | Given::File { .. } => &[],
        }
    }

    /// A body of JSON; an empty one is the default.
    pub(super) fn json<T: DeserializeOwned + Default>(&self) -> Result<T, Refusal> {
        let bytes = self.whole();
        if bytes.is_empty() {
            return Ok(T::default());
        }
        let kind = sole(&self.head.headers, "content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::kind(
                "the body is no application/json: send it with that Content-Type",
            ));
        }
        serde_json::from_slice(bytes).map_err(|error| Refusal::input(format!("the body: {error}")))
    }
}
