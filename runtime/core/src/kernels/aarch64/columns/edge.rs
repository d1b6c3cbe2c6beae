use core::mem::MaybeUninit;

use super::CHANNELS;
use crate::kernels::columns::Run;

/// Columns that the widest tile reads: four pixels of five columns with stride 2.
const MOST_COLUMNS: usize = 11;
/// Rows of the largest kernel.
const MOST_ROWS: usize = 5;
/// Pixels of the largest tile.
const MOST_PIXELS: usize = 4;

/// What a tile reads at an edge, with all channels of a block and with what stands for padding;
/// and its results. So a kernel has one loop, for whole blocks inside the input.
pub(super) struct Edge {
    inputs: [[[MaybeUninit<i8>; CHANNELS]; MOST_COLUMNS]; MOST_ROWS],
    results: [[MaybeUninit<i8>; CHANNELS]; MOST_PIXELS],
}

impl Edge {
    /// Nothing is written: what is read was written first.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            inputs: [const { [[MaybeUninit::uninit(); CHANNELS]; MOST_COLUMNS] }; MOST_ROWS],
            results: [[MaybeUninit::uninit(); CHANNELS]; MOST_PIXELS],
        }
    }

    /// The tile itself where nothing is missing, or the same of a copy of its inputs, whose results
    /// [`store`](Self::store) puts where they go.
    ///
    /// # Safety
    /// Inputs are readable as the run says, which a tile of that many `columns` reads.
    #[inline(always)]
    pub(super) unsafe fn whole<'a>(&mut self, run: &Run<'a>, columns: usize) -> Run<'a> {
        if is_whole(run) {
            return *run;
        }
        // SAFETY: the caller's.
        unsafe { self.copy(run, columns) }
    }

    /// # Safety
    /// As [`whole`](Self::whole) says.
    #[inline(never)]
    unsafe fn copy<'a>(&mut self, run: &Run<'a>, columns: usize) -> Run<'a> {
        let mut rows = run.rows;
        let channels = run.channels.min(CHANNELS);
        for (ky, row) in self.inputs[..run.kernel].iter_mut().enumerate() {
            for (column, to) in row[..columns].iter_mut().enumerate() {
                let x = run.column + column.cast_signed();
                to.fill(MaybeUninit::new(run.zero_point));
                if run.inside[ky] && x >= 0 && x < run.width.cast_signed() {
                    let to: *mut i8 = to.as_mut_ptr().cast();
                    // SAFETY: the pixel lies inside the input; no more than the block's channels
                    // are read.
                    unsafe {
                        let from = run.rows[ky].offset(x * run.step.cast_signed());
                        if channels == CHANNELS {
                            to.copy_from_nonoverlapping(from, CHANNELS);
                        } else {
                            to.copy_from_nonoverlapping(from, channels);
                        }
                    }
                }
            }
            rows[ky] = row.as_ptr().cast();
        }
        let out = self.results.as_mut_ptr().cast();
        Run { rows, column: 0, step: CHANNELS, out_step: CHANNELS, out, ..*run }
    }

    /// Puts the results of `pixels` where they go.
    ///
    /// # Safety
    /// What [`whole`](Self::whole) gave was computed; the run's `out` is writable.
    #[inline(always)]
    pub(super) unsafe fn store(&self, run: &Run<'_>, pixels: usize) {
        if is_whole(run) {
            return;
        }
        for (pixel, results) in self.results[..pixels].iter().enumerate() {
            // SAFETY: no more than the block's channels are written.
            unsafe {
                let to = run.out.add(pixel * run.out_step);
                let results = results.as_ptr().cast();
                to.copy_from_nonoverlapping(results, run.channels.min(CHANNELS));
            }
        }
    }
}

/// Whether all inputs lie inside and the block has all channels.
fn is_whole(run: &Run<'_>) -> bool {
    run.whole && run.channels == CHANNELS
}
