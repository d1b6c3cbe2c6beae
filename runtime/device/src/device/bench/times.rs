//! Times of one piece of work, done many times over.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Error;

/// Each measurement runs so long, after one warm-up run, but so many times at least.
pub(super) const BUDGET: Duration = Duration::from_millis(1500);
pub(super) const LEAST_RUNS: usize = 10;
pub(super) const MOST_RUNS: usize = 1000;
/// Median and minimum of many runs of one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Times {
    /// The median: half of the runs took as long, or longer.
    pub median: f64,
    /// The shortest run.
    pub min: f64,
}

impl Times {
    /// `sorted` has an entry.
    pub(super) fn new(sorted: &[Duration], per_second: f64) -> Self {
        let at = |index: usize| sorted[index].as_secs_f64() * per_second;
        Self { median: at(sorted.len() / 2), min: at(0) }
    }
}

/// Times the work that `prepare` makes; the times are sorted.
pub(super) fn measure<W: FnMut() -> Result<(), Error>>(
    prepare: impl FnOnce() -> Result<W, Error>,
) -> Result<Vec<Duration>, Error> {
    let mut work = prepare()?;
    work()?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < LEAST_RUNS || (times.len() < MOST_RUNS && start.elapsed() < BUDGET) {
        let begun = Instant::now();
        work()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}
