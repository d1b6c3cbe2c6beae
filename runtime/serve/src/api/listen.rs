//! Events, as a stream.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse;
use axum::response::sse::{self, Sse};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::Call;
use super::reply::Reply;
use crate::events::Event;
use crate::refusal::Refusal;

/// So often something is said where nothing happens: a listener that is gone is found by it.
const BEAT: Duration = Duration::from_secs(15);

#[derive(Serialize)]
struct Hello {
    revision: u64,
    learning: bool,
    waiting: usize,
}

pub(super) fn events(Call { app, .. }: Call<'_>) -> Reply {
    let listener = app.events.listen();
    let listener =
        listener.ok_or_else(|| Refusal::busy("too many listen already: end another page"))?;
    let hello = Hello {
        revision: app.events.revision(),
        learning: app.teacher.is_learning(),
        waiting: app.teacher.listing().pictures,
    };
    let first = Some(Event::new("hello", &hello));
    let events = stream::unfold((first, listener), |(first, mut listener)| async {
        let event = match first {
            Some(event) => said(event),
            None => heard(&mut listener).await?,
        };
        Some((Ok::<_, Infallible>(event), (None, listener)))
    });
    Ok(Sse::new(events).into_response())
}

/// What is said next; `None` at the end.
async fn heard(listener: &mut Receiver<Event>) -> Option<sse::Event> {
    loop {
        match timeout(BEAT, listener.recv()).await {
            Err(_) => return Some(sse::Event::default().comment("")),
            Ok(Ok(event)) => return Some(said(event)),
            // The oldest are lost to a slow listener.
            Ok(Err(RecvError::Lagged(_))) => {}
            Ok(Err(RecvError::Closed)) => return None,
        }
    }
}

fn said(event: Event) -> sse::Event {
    sse::Event::default().event(event.name).data(event.data)
}
