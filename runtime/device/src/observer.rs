//! Watches and stops long work.

use std::path::PathBuf;

/// A watcher of work that takes long: a progress bar, a page, a notebook. `()` watches nothing.
///
/// It is called from the threads that do the work.
pub trait Observer: Sync {
    /// Called when something has happened.
    fn on(&self, event: Event<'_>) {
        let _ = event;
    }

    /// Whether the work is to end. It is asked between samples, between epochs and before anything is committed; the call then ends with
    /// [`Error::Stopped`](crate::Error::Stopped), and nothing is changed.
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Observer for () {}

/// An event that an [`Observer`] hears of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Work begins, of so many steps.
    Begun {
        /// The work that begins.
        work: Work,
        /// How many steps it has.
        steps: usize,
    },
    /// One more step is done.
    Stepped(Work),
    /// An epoch of a tail's training is done.
    Epoch {
        /// How many epochs are done, those of a training that was cut off before included.
        done: usize,
        /// The mean loss of the epoch.
        loss: f32,
    },
    /// The work is over, whether it was done or not.
    Ended(Work),
    /// Files were passed over because of their names.
    Skipped(&'a [PathBuf]),
    /// The engine that was asked for does not run the backbone.
    Declined {
        /// The engine that does not run it.
        engine: &'a str,
        /// Why the engine does not; the int8 kernels run the backbone.
        reason: &'a str,
    },
    /// The engine that was asked for does not train: its gradients are not the CPU's.
    Distrusted {
        /// The engine that was asked for.
        engine: &'a str,
        /// How far the engine's gradients are from the CPU's, as a part of their length.
        apart: f64,
        /// The backend that trains instead.
        instead: &'a str,
    },
}

/// Kinds of work that take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Computing features of samples that are learned, a step a sample.
    Features,
    /// Computing features of samples that are learned again, a step a sample.
    FeaturesAgain,
    /// Computing features of the samples that two heads are compared on, a step a sample.
    Reporting,
    /// Answering samples, a step a sample.
    Answering,
    /// Training a tail, a step an epoch.
    Training,
}

/// Work that an observer hears of: begun, and ended when this is dropped.
pub(crate) struct Watched<'a> {
    observer: &'a dyn Observer,
    work: Work,
}

impl<'a> Watched<'a> {
    pub(crate) fn begin(observer: &'a dyn Observer, work: Work, steps: usize) -> Self {
        observer.on(Event::Begun { work, steps });
        Self { observer, work }
    }

    pub(crate) fn step(&self) {
        self.observer.on(Event::Stepped(self.work));
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.observer.is_stopped()
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.observer.on(Event::Ended(self.work));
    }
}
