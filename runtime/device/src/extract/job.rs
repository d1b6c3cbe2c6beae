//! Many files, on several threads or in batches.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Compute, Extraction, Extractor};
use crate::Error;
use crate::engine::Batches;
use crate::samples::SampleFile;

/// How files are worked on: [`all`](Job::all) of them, or [`one_by_one`](Job::one_by_one).
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What computes their features.
    pub extraction: &'a Extraction<'a>,
    /// How often each picture is shown to it; see [`Extractor::views`].
    pub views: usize,
    /// Called after each file.
    pub done: &'a (dyn Fn() + Sync),
}

impl Job<'_> {
    /// `work` on the features of every file, in the files' order; on none where they are not `wanted`.
    ///
    /// # Errors
    /// The first one in that order, whatever the number of threads.
    pub fn all<T: Send>(
        &self,
        files: &[&Path],
        wanted: impl Fn(&SampleFile) -> bool + Sync,
        work: impl Fn(&SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, Error> {
        self.features(files, true, wanted, work).into_iter().collect()
    }

    /// `work` on the features of every file, in the files' order, each with its own error.
    pub fn one_by_one<T: Send>(
        &self,
        files: &[&Path],
        work: impl Fn(&SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Vec<Result<T, Error>> {
        self.features(files, false, |_| true, work)
    }

    fn features<T: Send>(
        &self,
        files: &[&Path],
        stop: bool,
        wanted: impl Fn(&SampleFile) -> bool + Sync,
        work: impl Fn(&SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Vec<Result<T, Error>> {
        let (extraction, views) = (self.extraction, self.views);
        if let Some(batches) = extraction.batches() {
            let prepare = |files: &[&Path]| {
                each(extraction, files, stop, &|| (), |extractor, file| {
                    let inputs =
                        if wanted(&file) { extractor.inputs(&file, views)? } else { Vec::new() };
                    Ok((file, inputs))
                })
            };
            return in_batches(batches, views, files, (stop, self.done), &prepare, work);
        }
        each(extraction, files, stop, self.done, |extractor, file| {
            let rows = if wanted(&file) { extractor.views(&file, views)? } else { Vec::new() };
            work(&file, &rows)
        })
    }
}

/// Applies `work` to every file and gives the results in the files' order. The threads share
/// the files; where there are fewer files, threads share a file.
///
/// With `stop`, no further file is begun after an error. Files are begun in order, so the first
/// error of the list is the same for any number of threads. `done` is called after each file.
fn each<T: Send>(
    extraction: &Extraction<'_>,
    files: &[&Path],
    stop: bool,
    done: &(dyn Fn() + Sync),
    work: impl Fn(&mut Extractor<'_>, SampleFile) -> Result<T, Error> + Sync,
) -> Vec<Result<T, Error>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Mutex<Vec<(usize, Result<T, Error>)>> =
        Mutex::new(Vec::with_capacity(files.len()));
    let Compute { kernels, threads, .. } = extraction.compute();
    let workers = threads.clamp(1, files.len().max(1));
    let worker = || {
        let mut extractor = Extractor::new(extraction.pack(), kernels, threads / workers);
        while !(stop && failed.load(Ordering::Relaxed)) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(at) else { break };
            let result = SampleFile::read(path).and_then(|f| work(&mut extractor, f));
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

/// The files' features, batch by batch: while one runs, the next is decoded.
fn in_batches<T>(
    batches: &Batches<'_>,
    views: usize,
    files: &[&Path],
    (stop, done): (bool, &(dyn Fn() + Sync)),
    prepare: &(impl Fn(&[&Path]) -> Vec<Prepared> + Sync),
    work: impl Fn(&SampleFile, &[i8]) -> Result<T, Error>,
) -> Vec<Result<T, Error>> {
    let mut results = Vec::with_capacity(files.len());
    std::thread::scope(|scope| {
        let begin = |files| {
            std::thread::Builder::new()
                .spawn_scoped(scope, move || prepare(files))
                .map_err(|_| files)
        };
        let mut chunks = files.chunks((batches.size() / views.max(1)).max(1));
        let mut next = chunks.next().map(begin);
        while let Some(begun) = next.take() {
            let prepared = match begun {
                Ok(thread) => {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                }
                // Where the machine has no thread left, this one does the work.
                Err(files) => prepare(files),
            };
            next = chunks.next().map(begin);
            let inputs: Vec<i8> =
                prepared.iter().flatten().flat_map(|(_, inputs)| inputs).copied().collect();
            let features =
                if inputs.is_empty() { Ok(Vec::new()) } else { batches.features(&inputs) };
            let mut rest = features.as_deref().unwrap_or_default();
            for prepared in prepared {
                results.push(prepared.and_then(|(file, inputs)| {
                    if let (Err(reason), false) = (&features, inputs.is_empty()) {
                        return Err(batches.error(reason.clone()));
                    }
                    let (rows, behind) = rest.split_at(batches.feature_bytes(&inputs));
                    rest = behind;
                    work(&file, rows)
                }));
                done();
            }
            if stop && results.iter().any(Result::is_err) {
                break;
            }
        }
    });
    results
}
