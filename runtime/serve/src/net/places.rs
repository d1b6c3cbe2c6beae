//! How many connections there are, and which one goes when there are too many.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// So many connections are open at once.
const MOST: usize = 64;

/// The connections.
#[derive(Debug, Default)]
pub(super) struct Places {
    inside: Mutex<Vec<Arc<Place>>>,
    /// Counts what happens, to tell what is longest ago.
    clock: AtomicU64,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Whether the guard has let a request of it in.
    known: AtomicBool,
    /// Whether a request is being answered.
    busy: AtomicBool,
    used: AtomicU64,
    /// Ends what its thread waits for.
    stream: Option<TcpStream>,
}

impl Place {
    /// Ends the connection, whatever its thread does.
    fn end(&self) {
        if let Some(stream) = &self.stream {
            // One that has ended already is meant to.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Places {
    fn inside(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.inside.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// A place for one more. Where there is none, whoever has not yet asked anything goes first, then whoever was quiet longest; `None` where
    /// all are being answered.
    pub(super) fn enter(&self, stream: Option<TcpStream>) -> Option<Arc<Place>> {
        let mut inside = self.inside();
        if inside.len() >= MOST {
            let idle =
                inside.iter().enumerate().filter(|(_, place)| !place.busy.load(Ordering::Relaxed));
            let rank = |place: &Place| {
                (place.known.load(Ordering::Relaxed), place.used.load(Ordering::Relaxed))
            };
            let at = idle.min_by_key(|(_, place)| rank(place)).map(|(at, _)| at)?;
            inside.swap_remove(at).end();
        }
        let place =
            Arc::new(Place { used: AtomicU64::new(self.now()), stream, ..Place::default() });
        inside.push(place.clone());
        Some(place)
    }

    /// A request of it was let in, and is being answered.
    pub(super) fn is_let_in(&self, place: &Place) {
        place.known.store(true, Ordering::Relaxed);
        place.busy.store(true, Ordering::Relaxed);
    }

    /// Its request is answered; a body that is long, or a stream of events, may still go out.
    pub(super) fn is_answered(&self, place: &Place) {
        place.busy.store(false, Ordering::Relaxed);
        place.used.store(self.now(), Ordering::Relaxed);
    }

    /// Ends all of them.
    pub(super) fn end(&self) {
        self.inside().iter().for_each(|place| place.end());
    }

    pub(super) fn leave(&self, place: &Arc<Place>) {
        self.inside().retain(|other| !Arc::ptr_eq(other, place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_connections_ends_no_client_that_was_let_in() {
        let places = Places::default();
        let client = places.enter(None).unwrap();
        places.is_let_in(&client);
        places.is_answered(&client);
        for _ in 0..1000 {
            places.enter(None).unwrap();
        }
        let inside = places.inside();
        assert_eq!(inside.len(), MOST);
        assert!(inside.iter().any(|place| Arc::ptr_eq(place, &client)));
    }

    #[test]
    fn where_all_are_being_answered_the_next_one_waits_outside() {
        let places = Places::default();
        let clients: Vec<_> = (0..MOST).map(|_| places.enter(None).unwrap()).collect();
        clients.iter().for_each(|client| places.is_let_in(client));
        assert!(places.enter(None).is_none());
        places.is_answered(&clients[3]);
        assert!(places.enter(None).is_some());
        assert!(!places.inside().iter().any(|place| Arc::ptr_eq(place, &clients[3])));
        places.leave(&clients[4]);
        assert!(places.enter(None).is_some());
    }
}
