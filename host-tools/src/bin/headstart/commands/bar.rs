//! How far long work is, and what was tried.

use std::sync::{Mutex, MutexGuard};

use headstart_tools::tasks::{Tried, Watch};
use indicatif::ProgressBar;

use super::candidates;
use super::report::Report;

/// A progress bar for each work, one after another.
pub(super) struct Bar {
    report: Report,
    all: bool,
    bar: Mutex<ProgressBar>,
}

impl Bar {
    /// None before work begins; with `all`, all cuts that were tried are shown.
    pub(super) fn new(report: Report, all: bool) -> Self {
        Self { report, all, bar: Mutex::new(ProgressBar::hidden()) }
    }

    fn bar(&self) -> MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Watch for Bar {
    fn begun(&self, work: &'static str, steps: usize) {
        *self.bar() = self.report.progress(steps, work);
    }

    fn done(&self, done: usize, steps: usize) {
        let bar = self.bar();
        bar.set_length(steps as u64);
        bar.set_position(done as u64);
    }

    fn stepped(&self) {
        self.bar().inc(1);
    }

    fn ended(&self) {
        self.bar().finish_and_clear();
    }

    fn tried(&self, tried: &Tried) {
        if !self.report.json {
            candidates::print(tried, self.all);
        }
    }
}
