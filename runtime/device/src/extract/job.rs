//! Many samples, on several threads or in batches.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Compute, Extraction, Extractor};
use crate::engine::Batches;
use crate::error::{Error, Fault};
use crate::observer::Watched;
use crate::samples::{InputShape, Sample, SampleFile};

/// How samples are worked on: [`all`](Job::all) of them, all but [bad ones](Job::sound), or [without their files](Job::unnamed). `work`
/// is told where each of them stands.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// What computes their features.
    pub(crate) extraction: &'a Extraction<'a>,
    /// How often each picture is shown to it; see [`Extractor::views`].
    pub(crate) views: usize,
    /// Hears of each sample, and can stop the work.
    pub(crate) watched: &'a Watched<'a>,
}

/// What is asked of a sample, beside whether it can be shown to the backbone.
pub(crate) type Check<'a> = &'a (dyn Fn(usize, &SampleFile) -> Result<(), Error> + Sync);

/// What came of samples of which some were bad: where each bad one stands, and why.
pub(crate) struct Sound<T> {
    /// One a sample; `None` for bad ones.
    pub(crate) results: Vec<Option<T>>,
    pub(crate) bad: Vec<(usize, Error)>,
}

impl Job<'_> {
    /// `work` on the features of every sample, in the samples' order; on none where they are not `wanted`. After a bad one
    /// the others are only checked, so that all bad ones are known at once.
    ///
    /// # Errors
    /// [`Error::Samples`] with all that are bad, whatever the number of threads; [`Error::Stopped`].
    pub(crate) fn all<T: Send>(
        &self,
        samples: &[Sample<'_>],
        wanted: impl Fn(&SampleFile) -> bool + Sync,
        check: Check<'_>,
        work: impl Fn(usize, &SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, Error> {
        let found = self.unless_stopped(self.features(samples, Some(check), wanted, work))?;
        let Sound { results, bad } = sound(found)?;
        if bad.is_empty() {
            return Ok(results.into_iter().flatten().collect());
        }
        Err(Error::Samples(bad.into_iter().map(|(_, error)| error).collect()))
    }

    /// Computes what `work` makes of samples; where `skip_bad`, without those that are bad.
    ///
    /// # Errors
    /// As [`all`](Self::all); with `skip_bad` only what is no sample's fault.
    pub(crate) fn sound<T: Send>(
        &self,
        samples: &[Sample<'_>],
        skip_bad: bool,
        wanted: impl Fn(&SampleFile) -> bool + Sync,
        check: Check<'_>,
        work: impl Fn(usize, &SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Result<Sound<T>, Error> {
        if skip_bad {
            return sound(self.unless_stopped(self.features(samples, None, wanted, work))?);
        }
        let results = self.all(samples, wanted, check, work)?;
        Ok(Sound { results: results.into_iter().map(Some).collect(), bad: Vec::new() })
    }

    /// `work` on the features of every sample's one view, in the samples' order, each with its own error; it is told the rows and
    /// columns of the picture. What is in memory is not written as a file first.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub(crate) fn unnamed<T: Send>(
        &self,
        samples: &[Sample<'_>],
        work: impl Fn(usize, [usize; 2], &[i8]) -> Result<T, Error> + Sync,
    ) -> Result<Vec<Result<T, Error>>, Error> {
        let extraction = self.extraction;
        let (ends, done) = (self.ends(None), || self.watched.step());
        let found = if let Some(batches) = extraction.batches() {
            let prepare = |first: usize, samples: &[Sample<'_>]| {
                each(extraction, (first, samples), &ends, &|| (), |extractor, at, sample| {
                    let size = extractor.show(sample, at)?;
                    Ok(Some((size, extractor.input().to_vec())))
                })
            };
            let work = |at: usize, size: &[usize; 2], rows: &[i8]| work(at, *size, rows);
            in_batches(batches, 1, samples, (&ends, &done), &prepare, work)
        } else {
            each(extraction, (0, samples), &ends, &done, |extractor, at, sample| {
                let size = extractor.show(sample, at)?;
                let features = extractor.run().map_err(|e| Error::pack(&sample.title(at), e))?;
                work(at, size, features).map(Some)
            })
        };
        let found = self.unless_stopped(found)?;
        Ok(found.into_iter().filter_map(Result::transpose).collect())
    }

    /// When this work ends early.
    fn ends<'e>(&'e self, check: Option<Check<'e>>) -> Ends<'e> {
        Ends { check, failed: AtomicBool::new(false), watched: self.watched }
    }

    fn unless_stopped<T>(&self, found: T) -> Result<T, Error> {
        if self.watched.is_stopped() { Err(Error::Stopped) } else { Ok(found) }
    }

    /// `None` for samples that were only checked.
    fn features<T: Send>(
        &self,
        samples: &[Sample<'_>],
        check: Option<Check<'_>>,
        wanted: impl Fn(&SampleFile) -> bool + Sync,
        work: impl Fn(usize, &SampleFile, &[i8]) -> Result<T, Error> + Sync,
    ) -> Vec<Result<Option<T>, Error>> {
        let (extraction, views) = (self.extraction, self.views);
        let (ends, done) = (self.ends(check), || self.watched.step());
        let input = InputShape::from(extraction.pack().input());
        // The file, once what takes the place of the work has been done, if something does.
        let file = |extractor: &mut Extractor<'_>, at: usize, sample: &Sample<'_>| {
            let file = sample.load(&input, at)?;
            let Some(check) = ends.only_check() else { return Ok(Some(file)) };
            extractor.check(&file)?;
            check(at, &file).map(|()| None)
        };
        if let Some(batches) = extraction.batches() {
            let prepare = |first: usize, samples: &[Sample<'_>]| {
                each(extraction, (first, samples), &ends, &|| (), |extractor, at, sample| {
                    let Some(file) = file(extractor, at, sample)? else { return Ok(None) };
                    let inputs =
                        if wanted(&file) { extractor.inputs(&file, views)? } else { Vec::new() };
                    Ok(Some((file, inputs)))
                })
            };
            return in_batches(batches, views, samples, (&ends, &done), &prepare, work);
        }
        each(extraction, (0, samples), &ends, &done, |extractor, at, sample| {
            let Some(file) = file(extractor, at, sample)? else { return Ok(None) };
            let rows = if wanted(&file) { extractor.views(&file, views)? } else { Vec::new() };
            work(at, &file, &rows).map(Some)
        })
    }
}

/// Tells bad samples from what is no sample's fault.
fn sound<T>(found: Vec<Result<Option<T>, Error>>) -> Result<Sound<T>, Error> {
    let (mut results, mut bad) = (Vec::with_capacity(found.len()), Vec::new());
    for (at, found) in found.into_iter().enumerate() {
        match found {
            Ok(result) => results.push(result),
            Err(error) if error.fault() == Fault::Input => {
                bad.push((at, error));
                results.push(None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Sound { results, bad })
}

/// When work ends early.
struct Ends<'a> {
    /// What the samples behind a bad one are asked, instead of their features; without, each of them is worked on.
    check: Option<Check<'a>>,
    failed: AtomicBool,
    /// Who may end the work.
    watched: &'a Watched<'a>,
}

impl Ends<'_> {
    /// The check that takes the place of the work, once a sample was bad.
    fn only_check(&self) -> Option<Check<'_>> {
        self.check.filter(|_| self.failed.load(Ordering::Relaxed))
    }
}

/// Applies `work` to every sample and gives the results in the samples' order. The threads share
/// the samples; where there are fewer samples, threads share one. `first` is the place of the first of them.
///
/// Bad samples are the same ones for any number of threads: whoever is not worked on is checked. `done` is called after
/// each sample.
fn each<T: Send>(
    extraction: &Extraction<'_>,
    (first, samples): (usize, &[Sample<'_>]),
    ends: &Ends<'_>,
    done: &(dyn Fn() + Sync),
    work: impl Fn(&mut Extractor<'_>, usize, &Sample<'_>) -> Result<Option<T>, Error> + Sync,
) -> Vec<Result<Option<T>, Error>> {
    let next = AtomicUsize::new(0);
    type Results<T> = Vec<(usize, Result<Option<T>, Error>)>;
    let results: Mutex<Results<T>> = Mutex::new(Vec::with_capacity(samples.len()));
    let Compute { kernels, threads, .. } = extraction.compute();
    let workers = threads.clamp(1, samples.len().max(1));
    let worker = || {
        let mut extractor = Extractor::new(extraction.pack(), kernels, threads / workers);
        while !ends.watched.is_stopped() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(sample) = samples.get(at) else { break };
            let at_all = first + at;
            let result = work(&mut extractor, at_all, sample);
            ends.failed.fetch_or(result.is_err(), Ordering::Relaxed);
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

/// What is known of a sample, and its preprocessed views; `None` for one that was only checked.
type Prepared<S> = Result<Option<(S, Vec<i8>)>, Error>;

/// The samples' features, batch by batch: while one runs, the next is decoded.
fn in_batches<S: Send, T>(
    batches: &Batches<'_>,
    views: usize,
    samples: &[Sample<'_>],
    (ends, done): (&Ends<'_>, &(dyn Fn() + Sync)),
    prepare: &(impl Fn(usize, &[Sample<'_>]) -> Vec<Prepared<S>> + Sync),
    work: impl Fn(usize, &S, &[i8]) -> Result<T, Error>,
) -> Vec<Result<Option<T>, Error>> {
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
            let whole = prepared.iter().flatten().flatten();
            let inputs: Vec<i8> = whole.flat_map(|(_, inputs)| inputs).copied().collect();
            // Of a call that is refused nothing is computed any more.
            let is_refused = ends.only_check().is_some();
            let features = if inputs.is_empty() || is_refused {
                Ok(Vec::new())
            } else {
                batches.features(&inputs)
            };
            let mut rest = features.as_deref().unwrap_or_default();
            for prepared in prepared {
                let at = results.len();
                results.push(prepared.and_then(|prepared| {
                    let Some((known, inputs)) = prepared.filter(|_| !is_refused) else {
                        return Ok(None);
                    };
                    if let (Err(reason), false) = (&features, inputs.is_empty()) {
                        return Err(batches.error(reason.clone()));
                    }
                    let (rows, behind) = rest.split_at(batches.feature_bytes(&inputs));
                    rest = behind;
                    work(at, &known, rows).map(Some)
                }));
                done();
            }
            if ends.watched.is_stopped() {
                break;
            }
        }
    });
    results
}
