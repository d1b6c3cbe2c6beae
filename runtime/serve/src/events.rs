//! What happens, told to all who listen.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::sync::broadcast::{Receiver, Sender};

/// So many events wait for a slow listener; older ones are lost to it.
const WAITING: usize = 64;
/// So many listen at once.
const LISTENERS: usize = 8;

/// Tells of events.
#[derive(Debug)]
pub(crate) struct Events {
    listeners: Sender<Event>,
    /// The state's head, whose file is another one after each commit.
    head: PathBuf,
    seen: Mutex<Option<[i64; 4]>>,
    revision: AtomicU64,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    /// JSON of one line.
    pub(crate) data: String,
}

impl Event {
    pub(crate) fn new(name: &'static str, what: &impl Serialize) -> Self {
        Self { name, data: serde_json::to_string(what).unwrap_or_default() }
    }
}

#[derive(Serialize)]
struct Revision {
    revision: u64,
}

impl Events {
    pub(crate) fn new(head: PathBuf) -> Self {
        let events = Self {
            listeners: Sender::new(WAITING),
            head,
            seen: Mutex::new(None),
            revision: AtomicU64::new(0),
        };
        events.look();
        events
    }

    /// Hears what happens from now on; `None` where too many listen.
    pub(crate) fn listen(&self) -> Option<Receiver<Event>> {
        let listener = self.listeners.subscribe();
        (self.listeners.receiver_count() <= LISTENERS).then_some(listener)
    }

    pub(crate) fn is_heard(&self) -> bool {
        self.listeners.receiver_count() > 0
    }

    pub(crate) fn tell(&self, name: &'static str, what: &impl Serialize) {
        if self.is_heard() {
            // Whoever listened may be gone meanwhile.
            let _ = self.listeners.send(Event::new(name, what));
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

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::*;

    #[test]
    fn a_slow_listener_loses_the_oldest_events_and_one_that_is_gone_gives_its_place() {
        let events = Events::new("/no/such/head".into());
        let mut listener = events.listen().unwrap();
        for number in 0..200 {
            events.tell("count", &number);
        }
        assert_eq!(listener.try_recv().unwrap_err(), TryRecvError::Lagged(136));
        assert_eq!(listener.try_recv().unwrap().data, "136");
        let others: Vec<_> = (1..LISTENERS).map(|_| events.listen().unwrap()).collect();
        assert!(events.listen().is_none());
        drop(others);
        assert!(events.listen().is_some());
    }
}
