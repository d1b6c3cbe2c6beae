//! Memory on the stack in which inputs are laid out: no more of it than a node needs.

use core::mem::MaybeUninit;

/// Words that were not written yet.
pub(super) type Words = [MaybeUninit<u32>];

/// Most words: four pixels of 576 products (a 3 × 3 kernel over 64 channels), or three rows of 192
/// columns of a depthwise kernel.
pub(super) const MOST: usize = 4 * 576 / 2;

/// Words of the frame for small nodes.
pub(super) const SMALL: usize = 304;

/// Runs `work` on at least `needed` words, if there can be so many.
pub(super) fn with(needed: usize, work: impl FnOnce(&mut Words)) {
    match needed {
        ..=SMALL => stack::<SMALL>(work),
        _ => stack::<MOST>(work),
    }
}

/// A frame of its own, so that the larger one is not paid for where the smaller one is used.
#[inline(never)]
fn stack<const WORDS: usize>(work: impl FnOnce(&mut Words)) {
    work(&mut [const { MaybeUninit::uninit() }; WORDS]);
}
