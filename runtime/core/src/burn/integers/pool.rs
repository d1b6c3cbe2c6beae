use core::ops::Range;
use std::vec::Vec;

use burn::tensor::Slice;
use burn::tensor::ops::{Device, FloatTensor};

use super::conv::{Convolution, Sums};
use super::{EXACT, constant, plane};
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;
use crate::graph::GraphError;
use crate::kernels::generic::{bin, counted};
use crate::network::{Value, Window};

/// Means of windows, or of the bins of a grid: exact sums times `multiplier / n`.
pub(super) struct Mean<B: FloatBackend> {
    sums: How<B>,
    /// `[1, 1, height, width]`
    factors: FloatTensor<B>,
    exact: bool,
}

enum How<B: FloatBackend> {
    /// Rows of each bin, then columns of each bin.
    Bins([Vec<Range<usize>>; 2]),
    Windows(Sums<B>),
}

impl<B: FloatBackend> Mean<B> {
    pub(super) fn of_windows(
        from: &Value,
        to: &Value,
        window: Window,
        counted_padding: Option<[u16; 2]>,
        multiplier: f32,
        device: &Device<B>,
    ) -> Self {
        let extents = [from.height as usize, from.width as usize];
        let cells = |axis: usize, index: usize| match counted_padding {
            None => window.inside(axis, index, extents[axis]).len(),
            Some(behind) => {
                let padded = usize::from(window.padding[axis]) + usize::from(behind[axis]);
                counted(&window, axis, index, extents[axis] + padded)
            }
        };
        let inside = |axis: usize| {
            let range = window.inside(axis, 0, extents[axis]);
            let first = window.position(axis, 0, range.start);
            first..first + range.len()
        };
        let whole = to.height == 1 && to.width == 1 && window.dilation == [1, 1];
        let sums = if whole {
            How::Bins([Vec::from([inside(0)]), Vec::from([inside(1)])])
        } else {
            How::Windows(Convolution::of_ones(plane(&window, from, to), to, device))
        };
        let most = usize::from(window.kernel[0]) * usize::from(window.kernel[1]);
        Self::new(
            sums,
            to,
            |row, column| cells(0, row) * cells(1, column),
            most,
            multiplier,
            device,
        )
    }

    pub(super) fn of_grid(from: &Value, to: &Value, multiplier: f32, device: &Device<B>) -> Self {
        let bins = |bins: u32, extent: u32| {
            let (bins, extent) = (bins as usize, extent as usize);
            (0..bins).map(|index| bin(index, bins, extent)).collect::<Vec<_>>()
        };
        let (rows, columns) = (bins(to.height, from.height), bins(to.width, from.width));
        let counts = [&rows, &columns].map(|bins| bins.iter().map(Range::len).collect::<Vec<_>>());
        let most = counts.iter().map(|counts| counts.iter().max().copied().unwrap_or(1)).product();
        let cells = |row: usize, column: usize| counts[0][row] * counts[1][column];
        Self::new(How::Bins([rows, columns]), to, cells, most, multiplier, device)
    }

    fn new(
        sums: How<B>,
        to: &Value,
        cells: impl Fn(usize, usize) -> usize,
        most: usize,
        multiplier: f32,
        device: &Device<B>,
    ) -> Self {
        let (height, width) = (to.height as usize, to.width as usize);
        let factor = |at: usize| multiplier / cells(at / width, at % width).max(1) as f32;
        let factors = (0..height * width).map(factor).collect();
        // An element less its zero point is at most 255.
        let exact = (most as i64) < EXACT / 255;
        Self { sums, factors: constant::<B>(factors, &[1, 1, height, width], device), exact }
    }

    /// Whether no sum can pass 2^24.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// The means before they are rounded.
    pub(super) fn run(&self, x: Array<B>) -> Result<FloatTensor<B>, GraphError> {
        let sums = match &self.sums {
            How::Windows(sums) => sums.run(x)?,
            How::Bins([rows, columns]) => {
                let by_rows = summed::<B>(x.primitive, 2, rows);
                summed::<B>(by_rows, 3, columns)
            }
        };
        Ok(B::float_mul(sums, self.factors.clone()))
    }
}

/// The sum of each range along an axis.
fn summed<B: FloatBackend>(
    x: FloatTensor<B>,
    axis: usize,
    ranges: &[Range<usize>],
) -> FloatTensor<B> {
    let sum = |range: &Range<usize>| {
        let mut slices = [Slice::full(); 4];
        slices[axis] = Slice::new(range.start as isize, Some(range.end as isize), 1);
        B::float_sum_dim(B::float_slice(x.clone(), &slices), axis)
    };
    let mut sums: Vec<FloatTensor<B>> = ranges.iter().map(sum).collect();
    match sums.pop() {
        Some(only) if sums.is_empty() => only,
        Some(last) => {
            sums.push(last);
            B::float_cat(sums, axis)
        }
        None => x,
    }
}
