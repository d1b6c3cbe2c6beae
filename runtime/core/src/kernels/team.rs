//! Several threads on one image, in step: every node is divided into as many parts, and whoever is free
//! takes the next one. So a thread that the system does not let run holds the others up by one part at
//! most.
#![allow(unsafe_code, reason = "threads share the arena; this module alone divides it")]

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::arena::Sources;
use crate::Error;

/// Rounds of waiting before a thread lets others run: some microseconds, the time of a small part.
const PATIENCE: u32 = 500;

/// Where a node's result lies, and what of it belongs together.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Bytes of the arena.
    pub(crate) out: Range<usize>,
    /// A part is a whole number of so many bytes.
    pub(crate) unit: usize,
}

/// The arena, shared by the threads of one call of [`in_step`].
#[derive(Clone, Copy)]
struct Memory {
    start: *mut i8,
    length: usize,
}

// SAFETY: `in_step` gives each thread its own part of a step's result, and all of them the rest of
// the arena to read.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// What a step may read, and the bytes `part` of the arena to write.
    ///
    /// # Safety
    /// No other thread reads or writes `part`, and none writes outside of `out`, while the result
    /// lives. `part` lies in `out`, and that in the arena.
    unsafe fn divide<'a>(
        self,
        out: &Range<usize>,
        part: Range<usize>,
    ) -> (Sources<'a>, &'a mut [i8]) {
        // SAFETY: the caller's.
        unsafe {
            let before = core::slice::from_raw_parts(self.start, out.start);
            let behind =
                core::slice::from_raw_parts(self.start.add(out.end), self.length - out.end);
            let result = core::slice::from_raw_parts_mut(self.start.add(part.start), part.len());
            (Sources::new(before, behind, out.end), result)
        }
    }
}

/// How far a step is.
#[derive(Default)]
struct Progress {
    /// Parts that somebody took, and more: counted on by those who come too late.
    taken: AtomicUsize,
    made: AtomicUsize,
}

impl Progress {
    /// The next of so many parts that nobody has taken.
    fn take(&self, parts: usize) -> Option<usize> {
        Some(self.taken.fetch_add(1, Ordering::Relaxed)).filter(|&part| part < parts)
    }
}

/// Tells the other threads, when a thread ends before its last step, not to wait for it.
struct Alive<'a> {
    failed: &'a AtomicBool,
    done: bool,
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.failed.store(true, Ordering::Release);
        }
    }
}

/// Computes a part of a step.
type Work<'w, T, M> =
    dyn Fn(&T, &Sources<'_>, usize, &mut M, &mut [i8]) -> Result<(), Error> + Sync + 'w;

/// Threads that work on one input together, each with something of its own; they sleep in between.
#[derive(Debug)]
pub(crate) struct Team<M> {
    /// Threads besides the caller's; `None` if there are none.
    pool: Option<rayon::ThreadPool>,
    own: std::vec::Vec<M>,
}

impl<M: Default + Send> Team<M> {
    /// A team of so many threads, the caller's among them; of one where the system gives no more.
    pub(crate) fn new(threads: usize) -> Self {
        let others = threads.saturating_sub(1);
        let pool = (others > 0)
            .then(|| rayon::ThreadPoolBuilder::new().num_threads(others).build().ok())
            .flatten();
        let size = if pool.is_some() { threads } else { 1 };
        Self { pool, own: core::iter::repeat_with(M::default).take(size).collect() }
    }

    /// Whether the caller's thread is not alone.
    pub(crate) fn is_shared(&self) -> bool {
        self.pool.is_some()
    }

    /// Calls `work` for every step and part with what the step may read, the number of the part's first
    /// unit, what is the thread's own, and the part. There are as many threads as `own`;
    /// none begins a step before the one before is whole.
    ///
    /// # Errors
    ///
    /// The first error of `work`; [`Error::ShapeOverflow`] for a step that does not fit the arena.
    pub(crate) fn in_step<T: Sync>(
        &mut self,
        arena: &mut [i8],
        steps: &[(Step, T)],
        work: &Work<'_, T, M>,
    ) -> Result<(), Error> {
        let fits = |Step { out, unit }: &Step| {
            out.start <= out.end
                && out.end <= arena.len()
                && out.len().checked_rem(*unit) == Some(0)
        };
        if !steps.iter().all(|(step, _)| fits(step)) {
            return Err(Error::ShapeOverflow);
        }
        let memory = Memory { start: arena.as_mut_ptr(), length: arena.len() };
        let parts = self.own.len();
        let progress: std::vec::Vec<_> = steps.iter().map(|_| Progress::default()).collect();
        let failed = AtomicBool::new(false);
        let run = |own: &mut M| {
            // The whole of it is captured, which may be sent; its pointer alone may not.
            let memory: &Memory = &memory;
            let mut alive = Alive { failed: &failed, done: false };
            for ((step, what), progress) in steps.iter().zip(&progress) {
                let units = step.out.len() / step.unit;
                while let Some(part) = progress.take(parts) {
                    let first = units * part / parts;
                    let end = units * (part + 1) / parts;
                    if first < end {
                        let part =
                            step.out.start + first * step.unit..step.out.start + end * step.unit;
                        // SAFETY: each part is taken once, parts do not overlap and lie in `out`, and
                        // `fits` saw that it lies in the arena. Nobody is in another step: the wait below
                        // ends when all parts of this one are made.
                        let (sources, out) = unsafe { memory.divide(&step.out, part) };
                        work(what, &sources, first, own, out)?;
                    }
                    progress.made.fetch_add(1, Ordering::Release);
                }
                let mut rounds = 0_u32;
                while progress.made.load(Ordering::Acquire) < parts {
                    if failed.load(Ordering::Acquire) {
                        return Ok(());
                    }
                    rounds = rounds.saturating_add(1);
                    if rounds < PATIENCE {
                        core::hint::spin_loop();
                    } else {
                        std::thread::yield_now();
                    }
                }
            }
            alive.done = true;
            Ok(())
        };
        let Some((mine, others)) = self.own.split_first_mut() else { return Ok(()) };
        let Some(pool) = &self.pool else { return run(mine) };
        let mut ended = std::vec![Ok(()); others.len()];
        let result = pool.in_place_scope(|scope| {
            let run = &run;
            for (own, ended) in others.iter_mut().zip(&mut ended) {
                scope.spawn(move |_| *ended = run(own));
            }
            run(mine)
        });
        ended.into_iter().fold(result, Result::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps that fill either half of 24 bytes from the other in turn, by units of two bytes.
    fn steps() -> std::vec::Vec<(Step, usize)> {
        (0..40)
            .map(|k| (Step { out: k % 2 * 12..k % 2 * 12 + 12, unit: 2 }, 12 - k % 2 * 12))
            .collect()
    }

    #[test]
    fn no_part_is_made_before_the_step_before_it_is_whole() {
        for threads in [1, 2, 3, 7, 16] {
            let mut team = Team::<usize>::new(threads);
            let mut arena = [0_i8; 24];
            team.in_step(&mut arena, &steps(), &|&from, sources, first, own, out| {
                *own += out.len();
                let all = sources.tensor(from..from + 12);
                assert!(all.iter().all(|&n| n == all[0]), "a part is missing");
                let part = &all[2 * first..][..out.len()];
                out.iter_mut().zip(part).for_each(|(o, &n)| *o = n + 1);
                Ok(())
            })
            .unwrap();
            assert_eq!(arena, [[39_i8; 12], [40; 12]].concat()[..]);
            assert_eq!(team.own.iter().sum::<usize>(), 40 * 12);
        }
    }

    #[test]
    fn an_error_ends_all_threads() {
        let mut team = Team::<()>::new(3);
        let failing = |_: &usize, _: &Sources<'_>, first: usize, (): &mut (), _: &mut [i8]| {
            if first == 2 { Err(Error::ShapeOverflow) } else { Ok(()) }
        };
        assert_eq!(team.in_step(&mut [0; 24], &steps(), &failing), Err(Error::ShapeOverflow));
        assert_eq!(team.in_step(&mut [0; 8], &steps(), &failing), Err(Error::ShapeOverflow));
    }
}
