//! How long work is watched, and stopped.

use std::path::PathBuf;

/// Whoever watches work that takes long: a progress bar, a page, a notebook. `()` watches nothing.
///
/// It is called from the threads that do the work.
pub trait Observer: Sync {
    /// Something has happened.
    fn on(&self, event: Event<'_>) {
        let _ = event;
    }

    /// Whether the work is to end. It is asked between samples, between epochs and before anything is committed; the call
    /// then ends with [`Error::Stopped`](crate::Error::Stopped), and nothing is changed.
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Observer for () {}

/// What an [`Observer`] hears.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// So many steps of this work begin.
    Begun {
        /// The work.
        work: Work,
        /// Its steps.
        steps: usize,
    },
    /// One more step is done.
    Stepped(Work),
    /// An epoch of a tail's training is done.
    Epoch {
        /// Epochs that are done, those of a training that was cut off before included.
        done: usize,
        /// Its mean loss.
        loss: f32,
    },
    /// The work is over, whether it was done or not.
    Ended(Work),
    /// Files were passed over because of their names.
    Skipped(&'a [PathBuf]),
    /// The engine that was asked for does not run the backbone.
    Declined {
        /// The engine.
        engine: &'a str,
        /// Why not; the int8 kernels run it.
        reason: &'a str,
    },
    /// The engine that was asked for does not train: its gradients are not the CPU's.
    Distrusted {
        /// The engine.
        engine: &'a str,
        /// How far its gradients are from the CPU's, as a part of their length.
        apart: f64,
        /// What trains instead.
        instead: &'a str,
    },
}

/// Work that takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Features of the samples that are learned, a step a sample.
    Features,
    /// Features of samples that are learned again, a step a sample.
    FeaturesAgain,
    /// Features of the samples that both heads are compared on, a step a sample.
    Reporting,
    /// Answers, a step a sample.
    Answering,
    /// The training of a tail, a step an epoch.
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
