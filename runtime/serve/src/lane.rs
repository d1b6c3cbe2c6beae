//! Work that goes on one after another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::refusal::Refusal;

/// A lane in which one piece of work is done at a time, and only so many wait.
#[derive(Debug)]
pub(crate) struct Lane {
    turn: Mutex<()>,
    /// How many wait or work.
    inside: AtomicUsize,
    most: usize,
}

/// One that is in the lane.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lane {
    /// A lane for `most` that wait or work.
    pub(crate) fn new(most: usize) -> Self {
        Self { turn: Mutex::new(()), inside: AtomicUsize::new(0), most }
    }

    /// Does the work when it is its turn.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.inside);
        if before >= self.most {
            return Err(Refusal::busy("too many wait for this already: leave this one out"));
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_too_many_wait_the_next_is_refused() {
        let lane = Lane::new(2);
        std::thread::scope(|scope| {
            let third = lane.run(|| {
                // It waits until this one is done.
                scope.spawn(|| lane.run(|| Ok(())));
                while lane.inside.load(Ordering::Relaxed) < 2 {
                    std::thread::yield_now();
                }
                lane.run(|| Ok(()))
            });
            assert_eq!(third.unwrap_err().status, 503);
        });
        assert_eq!(lane.run(|| Ok(7)), Ok(7));
    }
}
