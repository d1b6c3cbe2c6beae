//! Events, as a stream.

use serde::Serialize;

use super::Call;
use super::reply::Reply;
use crate::events::line;
use crate::http::{Content, Response};
use crate::refusal::Refusal;

#[derive(Serialize)]
struct Hello {
    revision: u64,
    learning: bool,
    waiting: usize,
}

pub(super) fn events(Call { app, .. }: Call<'_>) -> Reply {
    let hello = Hello {
        revision: app.events.revision(),
        learning: app.teacher.is_learning(),
        waiting: app.teacher.listing().pictures,
    };
    let listener = app.events.listen(&line("hello", &hello));
    let listener =
        listener.ok_or_else(|| Refusal::busy("too many listen already: end another page"))?;
    Ok(Response::of("text/event-stream", Content::Events(listener)))
}
