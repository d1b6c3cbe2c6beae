//! Several threads on one image, in step: every node is divided among all of them.
#![allow(unsafe_code, reason = "threads share the arena; this module alone divides it")]

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::Error;
use crate::backbone::arena::Sources;

/// Rounds of waiting before a thread lets others run: more threads than cores must end too.
const PATIENCE: u32 = 20_000;

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

/// Computes one thread's part of a step.
type Work<'w, T> = dyn Fn(&T, &Sources<'_>, usize, &mut [i8]) -> Result<(), Error> + Sync + 'w;

/// Calls `work` for every step and thread with what the step may read, the number of the first unit
/// of the thread's part, and the part. No thread begins a step before all have ended the one before.
///
/// # Errors
///
/// The first error of `work`; [`Error::ShapeOverflow`] for a step that does not fit the arena.
pub(crate) fn in_step<T: Sync>(
    threads: usize,
    arena: &mut [i8],
    steps: &[(Step, T)],
    work: &Work<'_, T>,
) -> Result<(), Error> {
    let fits = |Step { out, unit }: &Step| {
        out.start <= out.end && out.end <= arena.len() && out.len().checked_rem(*unit) == Some(0)
    };
    if !steps.iter().all(|(step, _)| fits(step)) {
        return Err(Error::ShapeOverflow);
    }
    let memory = Memory { start: arena.as_mut_ptr(), length: arena.len() };
    let (arrived, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let run = |index: usize| {
        // The whole of it is captured, which may be sent; its pointer alone may not.
        let memory: &Memory = &memory;
        let mut alive = Alive { failed: &failed, done: false };
        for (number, (step, what)) in steps.iter().enumerate() {
            let units = step.out.len() / step.unit;
            let first = units * index / threads;
            let end = units * (index + 1) / threads;
            if first < end {
                let part = step.out.start + first * step.unit..step.out.start + end * step.unit;
                // SAFETY: parts of different threads do not overlap, lie in `out`, and `fits` saw
                // that it lies in the arena; threads are in the same step by the wait below.
                let (sources, out) = unsafe { memory.divide(&step.out, part) };
                work(what, &sources, first, out)?;
            }
            arrived.fetch_add(1, Ordering::AcqRel);
            let mut rounds = 0_u32;
            while arrived.load(Ordering::Acquire) < (number + 1) * threads {
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
    std::thread::scope(|scope| {
        let run = &run;
        let others: std::vec::Vec<_> =
            (1..threads).map(|index| scope.spawn(move || run(index))).collect();
        let own = run(0);
        others.into_iter().fold(own, |result, other| {
            let ended = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result.and(ended)
        })
    })
}
