//! Small inputs with their padding around them, so that no window reaches past the edge.
#![allow(unsafe_code, reason = "a buffer whose rows are written before they are read")]

use core::mem::MaybeUninit;

use super::copy::copy;
use super::generic::{Convolution, Tensor};
use crate::network::Window;

/// Bytes of the largest input that is copied: of larger ones, padding touches few pixels.
const MOST: usize = 1 << 15;

/// Room for a copy.
#[repr(align(64))]
pub(super) struct Padded([MaybeUninit<u8>; MOST]);

impl Padded {
    /// Nothing is written: what is read was written first.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; MOST])
    }

    /// The same convolution of a copy of its input that has the padding around it, where there is
    /// some and the copy fits: of the `count` output pixels from `first` on, as far as they read.
    /// `ready` sees the copy's rows before they are read; `window` becomes the copy's window.
    pub(super) fn pad<'s>(
        &'s mut self,
        c: &Convolution<'s>,
        first: usize,
        count: usize,
        window: &'s mut Window,
        ready: impl FnOnce(&mut [i8]),
    ) -> Option<Convolution<'s>> {
        let reach = |axis: usize, outputs: usize| {
            let kernel = usize::from(window.kernel[axis]) - 1;
            (outputs - 1) * usize::from(window.stride[axis])
                + kernel * usize::from(window.dilation[axis])
                + 1
        };
        let (x, padding) = (c.x, window.padding.map(usize::from));
        let (height, width) = (reach(0, c.to.height), reach(1, c.to.width));
        let bytes = height.checked_mul(width)?.checked_mul(x.channels)?;
        let touched = padding != [0, 0] || height > x.height || width > x.width;
        if !touched || bytes > MOST || count == 0 {
            return None;
        }
        let first_row = first / c.to.width;
        let last_row = (first + count - 1) / c.to.width;
        let from = first_row * usize::from(window.stride[0]);
        let rows = from..from + reach(0, last_row - first_row + 1);
        let to: *mut i8 = self.0.as_mut_ptr().cast();
        let zero_point = x.zero_point.cast_unsigned();
        let (line, before) = (width * x.channels, padding[1] * x.channels);
        let inside = x.width.min(width - padding[1]) * x.channels;
        for row in rows.clone() {
            let source = row.checked_sub(padding[0]).filter(|&y| y < x.height);
            // SAFETY: rows are below `height`, so that all of this lies in the copy's `bytes`.
            unsafe {
                let to = to.add(row * line);
                let Some(y) = source else {
                    to.write_bytes(zero_point, line);
                    continue;
                };
                let source = &x.data[y * x.width * x.channels..][..inside];
                to.write_bytes(zero_point, before);
                copy(source.as_ptr(), inside, to.add(before));
                to.add(before + inside).write_bytes(zero_point, line - before - inside);
            }
        }
        window.padding = [0, 0];
        // SAFETY: the rows that these output pixels read were written above; others are not read.
        let data = unsafe {
            ready(core::slice::from_raw_parts_mut(to.add(rows.start * line), rows.len() * line));
            core::slice::from_raw_parts(to, bytes)
        };
        Some(Convolution { x: Tensor { data, height, width, ..x }, window, ..*c })
    }
}
