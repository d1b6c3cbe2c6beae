//! What happens, told to all who listen.

use std::collections::VecDeque;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;

/// So many events wait for a slow listener; older ones are lost to it.
const WAITING: usize = 64;
/// So many listen at once.
const LISTENERS: usize = 8;
/// So often something is said where nothing happens: a listener that is gone is found by it.
const BEAT: Duration = Duration::from_secs(15);

/// Tells of events.
#[derive(Debug)]
pub(crate) struct Events {
    listeners: Mutex<Vec<Arc<Queue>>>,
    /// The state's head, whose file is another one after each commit.
    head: PathBuf,
    seen: Mutex<Option<[i64; 4]>>,
    revision: AtomicU64,
}

/// Events that a listener has not heard.
#[derive(Debug, Default)]
struct Queue {
    inside: Mutex<Inside>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    events: VecDeque<Arc<str>>,
    is_over: bool,
}

/// Hears events, until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener(Arc<Queue>);

#[derive(Serialize)]
struct Revision {
    revision: u64,
}

impl Queue {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Events {
    pub(crate) fn new(head: PathBuf) -> Self {
        let events = Self {
            listeners: Mutex::default(),
            head,
            seen: Mutex::new(None),
            revision: AtomicU64::new(0),
        };
        events.look();
        events
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Arc<Queue>>> {
        let mut listeners = self.listeners.lock().unwrap_or_else(|e| e.into_inner());
        // Those that are gone left the queue to this one alone.
        listeners.retain(|queue| Arc::strong_count(queue) > 1);
        listeners
    }

    /// A listener that has heard this; `None` where too many listen.
    pub(crate) fn listen(&self, first: &str) -> Option<Listener> {
        let mut listeners = self.listeners();
        if listeners.len() >= LISTENERS {
            return None;
        }
        let queue = Arc::new(Queue::default());
        queue.inside().events.push_back(first.into());
        listeners.push(queue.clone());
        Some(Listener(queue))
    }

    pub(crate) fn is_heard(&self) -> bool {
        !self.listeners().is_empty()
    }

    pub(crate) fn tell(&self, name: &str, what: &impl Serialize) {
        let listeners = self.listeners();
        if listeners.is_empty() {
            return;
        }
        let event: Arc<str> = line(name, what).into();
        for queue in listeners.iter() {
            let mut inside = queue.inside();
            if inside.events.len() == WAITING {
                inside.events.pop_front();
            }
            inside.events.push_back(event.clone());
            queue.bell.notify_all();
        }
    }

    /// Ends all who listen.
    pub(crate) fn end(&self) {
        for queue in self.listeners().iter() {
            queue.inside().is_over = true;
            queue.bell.notify_all();
        }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// Tells it where the head is another one, whoever made it.
    pub(crate) fn look(&self) {
        let found = std::fs::metadata(&self.head).ok();
        let found = found
            .map(|file| [file.dev() as i64, file.ino() as i64, file.ctime(), file.ctime_nsec()]);
        let mut seen = self.seen.lock().unwrap_or_else(|e| e.into_inner());
        if *seen != found {
            *seen = found;
            let revision = 1 + self.revision.fetch_add(1, Ordering::Relaxed);
            drop(seen);
            self.tell("changed", &Revision { revision });
        }
    }
}

impl Listener {
    /// What is said next, as a stream has it; `None` at the end.
    pub(crate) fn next(&self) -> Option<Arc<str>> {
        let inside = self.0.inside();
        let nothing = |inside: &mut Inside| inside.events.is_empty() && !inside.is_over;
        let (mut inside, waited) = self
            .0
            .bell
            .wait_timeout_while(inside, BEAT, nothing)
            .unwrap_or_else(|e| e.into_inner());
        if waited.timed_out() {
            return Some(":\n\n".into());
        }
        if inside.is_over {
            return None;
        }
        inside.events.pop_front()
    }
}

/// An event as a stream has it. JSON is one line.
pub(crate) fn line(name: &str, what: &impl Serialize) -> String {
    let data = serde_json::to_string(what).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_listener_loses_the_oldest_events_and_one_that_is_gone_gives_its_place() {
        let events = Events::new("/no/such/head".into());
        let listener = events.listen(&line("hello", &1)).unwrap();
        for number in 0..200 {
            events.tell("count", &number);
        }
        assert_eq!(&*listener.next().unwrap(), "event: count\ndata: 136\n\n");
        let others: Vec<_> = (1..LISTENERS).map(|_| events.listen("").unwrap()).collect();
        assert!(events.listen("").is_none());
        drop(others);
        assert!(events.listen("").is_some());
        events.end();
        assert!(listener.next().is_none());
    }
}
