//! How many connections there are, and which one goes when there are too many.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use tokio::task::AbortHandle;

/// So many connections are open at once.
const MOST: usize = 64;

/// The connections.
#[derive(Debug, Default)]
pub(super) struct Places {
    inside: Mutex<Vec<Arc<Place>>>,
    /// Counts what happens, to tell what is longest ago.
    clock: Arc<AtomicU64>,
}

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// Whether the guard has let a request of it in.
    known: AtomicBool,
    /// Whether a request is being answered.
    busy: AtomicBool,
    used: AtomicU64,
    clock: Arc<AtomicU64>,
    /// The task that talks on it.
    task: OnceLock<AbortHandle>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Inside {
    places: Arc<Places>,
    place: Arc<Place>,
}

/// A place whose request is being answered.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Place>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Relaxed);
        self.0.now();
    }
}

impl Inside {
    pub(super) fn place(&self) -> Arc<Place> {
        self.place.clone()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.places.inside().retain(|other| !Arc::ptr_eq(other, &self.place));
    }
}

impl Place {
    /// The task that is ended where this place is needed.
    pub(super) fn is_kept_by(&self, task: AbortHandle) {
        // Each place has one task.
        let _ = self.task.set(task);
    }

    /// Ends the connection, whatever it waits for.
    fn end(&self) {
        self.task.get().inspect(|task| task.abort());
    }

    fn now(&self) {
        self.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// A request of it was let in. Its body may still come, for as long as nobody else needs the place.
    pub(crate) fn is_let_in(&self) {
        self.known.store(true, Ordering::Relaxed);
        self.now();
    }

    /// Its request is there, and is answered until the guard is dropped; then a long answer, or a stream of events, may still go out.
    pub(crate) fn answers(self: &Arc<Self>) -> Busy {
        self.busy.store(true, Ordering::Relaxed);
        Busy(self.clone())
    }
}

impl Places {
    fn inside(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.inside.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A place for one more. Where there is none, whoever has not yet asked anything goes first, then whoever was quiet longest; `None` where
    /// all are being answered.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Inside> {
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
        let place = Arc::new(Place { clock: self.clock.clone(), ..Place::default() });
        place.now();
        inside.push(place.clone());
        Some(Inside { places: self.clone(), place })
    }

    /// Ends all of them.
    pub(super) fn end(&self) {
        self.inside().iter().for_each(|place| place.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_connections_ends_no_client_that_was_let_in() {
        let places = Arc::new(Places::default());
        let client = places.enter().unwrap();
        client.place.is_let_in();
        let flood: Vec<_> = (0..1000).map(|_| places.enter().unwrap()).collect();
        assert_eq!(places.inside().len(), MOST);
        assert!(places.inside().iter().any(|place| Arc::ptr_eq(place, &client.place)));
        drop(flood);
        assert_eq!(places.inside().len(), 1);
    }

    #[test]
    fn where_all_are_being_answered_the_next_one_waits_outside() {
        let places = Arc::new(Places::default());
        let mut clients: Vec<_> = (0..MOST).map(|_| places.enter().unwrap()).collect();
        let mut busy: Vec<_> = clients.iter().map(|client| client.place.answers()).collect();
        assert!(places.enter().is_none());
        busy.remove(3);
        let other = places.enter().unwrap();
        let _busy = other.place.answers();
        assert!(!places.inside().iter().any(|place| Arc::ptr_eq(place, &clients[3].place)));
        assert!(places.enter().is_none());
        clients.truncate(5);
        assert!(places.enter().is_some());
    }
}
