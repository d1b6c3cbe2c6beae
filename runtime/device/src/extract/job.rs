//! Many samples, on several threads or in batches.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Compute, Extraction, Extractor};
use crate::Error;
use crate::engine::Batches;
use crate::observer::Watched;
use crate::samples::{InputShape, Sample, SampleFile};

/// How samples are worked on: [`all`](Job::all) of them, or [`one_by_one`](Job::one_by_one). `work` is told where each
/// of them stands.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// What computes their features.
    pub(crate) extraction: &'a Extraction<'a>,
    /// How often each picture is shown to it; see [`Extractor::views`].
    pub(crate) views: usize,
    /// Hears of each sample, and can stop the work.
    pub(crate) watched: &'a Watched<'a>,
}

impl Job<'_> {
    /// `work` on the features of every sample, in the samples' order; on none where they are not `wanted`.
    ///
    /// # Errors
    /// The first one in that order, whatever the number of threads; [`Error::Stopped`].
    pub(crate) fn all<T: Send>(
        &self,
        samples: &[Sample<'_>],
        wanted: impl Fn(&SampleFile) -> bool + Sync,
        work: impl Fn(usize, &SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, Error> {
        let found = self.features(samples, true, wanted, work);
        self.unless_stopped(found.into_iter().collect::<Result<_, _>>()?)
    }

    /// `work` on the features of every sample, in the samples' order, each with its own error.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub(crate) fn one_by_one<T: Send>(
        &self,
        samples: &[Sample<'_>],
        work: impl Fn(usize, &SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Result<Vec<Result<T, Error>>, Error> {
        self.unless_stopped(self.features(samples, false, |_| true, work))
    }

    fn unless_stopped<T>(&self, found: T) -> Result<T, Error> {
        if self.watched.is_stopped() { Err(Error::Stopped) } else { Ok(found) }
    }

    fn features<T: Send>(
        &self,
        samples: &[Sample<'_>],
        stop: bool,
        wanted: impl Fn(&SampleFile) -> bool + Sync,
        work: impl Fn(usize, &SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Vec<Result<T, Error>> {
        let (extraction, views) = (self.extraction, self.views);
        let is_stopped = || self.watched.is_stopped();
        let ends: Ends<'_> = (stop, &is_stopped);
        let done = || self.watched.step();
        if let Some(batches) = extraction.batches() {
            let prepare = |first: usize, samples: &[Sample<'_>]| {
                each(extraction, (first, samples), ends, &|| (), |extractor, _, file| {
                    let inputs =
                        if wanted(&file) { extractor.inputs(&file, views)? } else { Vec::new() };
                    Ok((file, inputs))
                })
            };
            return in_batches(batches, views, samples, (ends, &done), &prepare, work);
        }
        each(extraction, (0, samples), ends, &done, |extractor, at, file| {
            let rows = if wanted(&file) { extractor.views(&file, views)? } else { Vec::new() };
            work(at, &file, &rows)
        })
    }
}

/// Whether to end at an error, and who may end the work.
type Ends<'a> = (bool, &'a (dyn Fn() -> bool + Sync));

/// Applies `work` to every sample's file and gives the results in the samples' order. The threads share
/// the samples; where there are fewer samples, threads share one. `first` is the place of the first of them.
///
/// With `stop`, no further sample is begun after an error. Samples are begun in order, so the first
/// error of the list is the same for any number of threads. `done` is called after each sample.
fn each<T: Send>(
    extraction: &Extraction<'_>,
    (first, samples): (usize, &[Sample<'_>]),
    (stop, is_stopped): Ends<'_>,
    done: &(dyn Fn() + Sync),
    work: impl Fn(&mut Extractor<'_>, usize, SampleFile) -> Result<T, Error> + Sync,
) -> Vec<Result<T, Error>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Mutex<Vec<(usize, Result<T, Error>)>> =
        Mutex::new(Vec::with_capacity(samples.len()));
    let Compute { kernels, threads, .. } = extraction.compute();
    let input = InputShape::from(extraction.pack().input());
    let workers = threads.clamp(1, samples.len().max(1));
    let worker = || {
        let mut extractor = Extractor::new(extraction.pack(), kernels, threads / workers);
        let ends = || is_stopped() || stop && failed.load(Ordering::Relaxed);
        while !ends() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(sample) = samples.get(at) else { break };
            let file = sample.load(&input, first + at);
            let result = file.and_then(|file| work(&mut extractor, first + at, file));
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.lock().unwrap_or_else(|e| e.into_inner()).push((at, result));
            done();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            // Where the machine has no thread left, this one does the work.
            let _ = std::thread::Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
    let mut results = results.into_inner().unwrap_or_else(|e| e.into_inner());
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A file and its preprocessed views.
type Prepared = Result<(SampleFile, Vec<i8>), Error>;

/// The samples' features, batch by batch: while one runs, the next is decoded.
fn in_batches<T>(
    batches: &Batches<'_>,
    views: usize,
    samples: &[Sample<'_>],
    (ends, done): (Ends<'_>, &(dyn Fn() + Sync)),
    prepare: &(impl Fn(usize, &[Sample<'_>]) -> Vec<Prepared> + Sync),
    work: impl Fn(usize, &SampleFile, &[i8]) -> Result<T, Error>,
) -> Vec<Result<T, Error>> {
    let mut results = Vec::with_capacity(samples.len());
    std::thread::scope(|scope| {
        let size = (batches.size() / views.max(1)).max(1);
        let begin = |(chunk, samples)| {
            std::thread::Builder::new()
                .spawn_scoped(scope, move || prepare(chunk * size, samples))
                .map_err(|_| (chunk, samples))
        };
        let mut chunks = samples.chunks(size).enumerate();
        let mut next = chunks.next().map(begin);
        while let Some(begun) = next.take() {
            let prepared = match begun {
                Ok(thread) => {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                }
                // Where the machine has no thread left, this one does the work.
                Err((chunk, samples)) => prepare(chunk * size, samples),
            };
            next = chunks.next().map(begin);
            let inputs: Vec<i8> =
                prepared.iter().flatten().flat_map(|(_, inputs)| inputs).copied().collect();
            let features =
                if inputs.is_empty() { Ok(Vec::new()) } else { batches.features(&inputs) };
            let mut rest = features.as_deref().unwrap_or_default();
            for prepared in prepared {
                let at = results.len();
                results.push(prepared.and_then(|(file, inputs)| {
                    if let (Err(reason), false) = (&features, inputs.is_empty()) {
                        return Err(batches.error(reason.clone()));
                    }
                    let (rows, behind) = rest.split_at(batches.feature_bytes(&inputs));
                    rest = behind;
                    work(at, &file, rows)
                }));
                done();
            }
            if ends.0 && results.iter().any(Result::is_err) || ends.1() {
                break;
            }
        }
    });
    results
}
