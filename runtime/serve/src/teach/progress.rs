//! Progress of a learn, as events.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headstart_device::{Event, Observer, Work};
use serde::Serialize;

use crate::events::Events;

/// Steps are told so often at most.
const EVERY: Duration = Duration::from_millis(100);

/// Tells of a learn, and stops it.
pub(super) struct Progress<'a> {
    pub(super) events: &'a Events,
    pub(super) stopped: &'a AtomicBool,
    shown: Mutex<Option<Shown>>,
}

struct Shown {
    at: At,
    told: Instant,
}

#[derive(Clone, Copy, Serialize)]
struct At {
    work: &'static str,
    done: usize,
    steps: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f32>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(events: &'a Events, stopped: &'a AtomicBool) -> Self {
        Self { events, stopped, shown: Mutex::new(None) }
    }
}

impl Observer for Progress<'_> {
    fn on(&self, event: Event<'_>) {
        let mut shown = self.shown.lock().unwrap_or_else(|e| e.into_inner());
        match event {
            Event::Begun { work, steps } => {
                let at = At { work: name(work), done: 0, steps, loss: None };
                self.events.tell("learning", &at);
                *shown = Some(Shown { at, told: Instant::now() });
            }
            Event::Stepped(_) => {
                let Some(shown) = &mut *shown else { return };
                shown.at.done += 1;
                if shown.at.done == shown.at.steps || shown.told.elapsed() >= EVERY {
                    self.events.tell("learning", &shown.at);
                    shown.told = Instant::now();
                }
            }
            Event::Epoch { done, loss } => {
                let Some(shown) = &mut *shown else { return };
                shown.at = At { done, loss: Some(loss), ..shown.at };
                self.events.tell("learning", &shown.at);
            }
            Event::Ended(_) => *shown = None,
            _ => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

fn name(work: Work) -> &'static str {
    match work {
        Work::Features => "features",
        Work::FeaturesAgain => "features_again",
        Work::Reporting => "reporting",
        Work::Answering => "answering",
        Work::Training => "training",
        _ => "working",
    }
}
