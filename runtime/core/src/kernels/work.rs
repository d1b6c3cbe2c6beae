//! Portable loops that are compiled for the instruction set of whoever runs them.

#[cfg(feature = "std")]
use super::generic::{Output, Table, entry};

/// Elements of a step: what loops over neighbouring elements take at once.
#[cfg(feature = "std")]
pub(super) const STEP: usize = 32;

/// Numbers of the elements of a step.
#[cfg(feature = "std")]
pub(super) type Step = [f32; STEP];

/// A node's loops and all that they read, as one value.
///
/// [`run`](Self::run) is always inlined (`#[inline(always)]` on every implementation): so the function with the target features holds the
/// loops. A closure or a function's name that is called there is inlined only if it is short, and is compiled for the least CPU if not.
pub(super) trait Work {
    /// Does it.
    fn run(self, set: impl Instructions);
}

/// What portable loops leave to an instruction set: what a compiler does not find by itself. All of it is always inlined.
pub(super) trait Instructions: Copy {
    /// [`Output::quantise`] of numbers that are none but numbers.
    #[cfg(feature = "std")]
    #[inline(always)]
    fn round(self, reals: &Step, to: &Output) -> [i8; STEP] {
        let mut results = [0; STEP];
        for (result, real) in results.iter_mut().zip(reals) {
            *result = to.quantise(*real);
        }
        results
    }

    /// Replaces every element by its entry.
    #[cfg(feature = "std")]
    #[inline(always)]
    fn look_up(self, table: &Table, elements: &mut [i8]) {
        elements.iter_mut().for_each(|q| *q = entry(table, *q));
    }
}

/// Nothing but what the compiler finds.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Instructions for Portable {}
