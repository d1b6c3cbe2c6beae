//! Live answers to what the device's camera shows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::api::{self, CameraState};
use crate::app::App;
use crate::camera::{Feed, Next, Smoother, Source, State};
use crate::net::Ending;

/// So often it is looked whether the server ends.
const LOOK: Duration = Duration::from_millis(200);
/// A film in a plain file is shown no faster.
const FILM: Duration = Duration::from_millis(66);
/// So many answers are smoothed over.
const SMOOTHED: usize = 5;

/// An answer to a frame.
#[derive(Serialize)]
struct Live<'a> {
    #[serde(flatten)]
    said: &'a api::Said,
    frame: u64,
    dropped: u64,
    smoothed: Option<String>,
    changed: bool,
}

/// Answers frames until the server ends. Where nobody listens, they are shown to nobody, and not answered.
pub(crate) fn run(app: &App, source: Source, ending: &Ending) {
    let is_film = source.is_plain_file();
    let name = source.to_string();
    let feed = Feed::open(source, true);
    let (mut smoother, mut frame, mut unanswered) = (Smoother::new(SMOOTHED), 0, 0);
    while !ending.is_near() {
        match feed.next_within(LOOK) {
            None => {}
            Some(Next::Over) => return,
            Some(Next::State(state, reason)) => become_state(app, &name, state, reason),
            Some(Next::Frame { content, dropped }) => {
                let begun = Instant::now();
                frame += 1 + dropped;
                app.camera().frame = Arc::from(&content[..]);
                let answered =
                    app.events.is_heard() && api::check(&content, app.limits.pixels).is_ok();
                let said =
                    if answered { api::answer(&app.device, &content, false).ok() } else { None };
                match said {
                    Some(said) => {
                        let smoothed = smoother.next(said.label());
                        let dropped = dropped + std::mem::take(&mut unanswered);
                        let (label, changed) = (smoothed.label, smoothed.changed);
                        app.events.tell(
                            "answer",
                            &Live { said: &said, frame, dropped, smoothed: label, changed },
                        );
                    }
                    None => unanswered += 1 + dropped,
                }
                if is_film {
                    std::thread::sleep(FILM.saturating_sub(begun.elapsed()));
                }
            }
        }
    }
}

fn become_state(app: &App, source: &str, state: State, reason: Option<String>) {
    let mut camera = app.camera();
    (camera.state, camera.reason) = (state, reason.clone());
    drop(camera);
    app.events.tell("camera", &CameraState { source: source.to_owned(), state, reason });
}
