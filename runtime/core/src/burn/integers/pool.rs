use core::ops::Range;
use std::vec::Vec;

use burn::tensor::Slice;
use burn::tensor::ops::{Device, FloatTensor};

use super::conv::{Convolution, Sums};
use super::{EXACT, constant, plane, scalar};
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;
use crate::graph::GraphError;
use crate::kernels::generic::{bin, counted};
use crate::network::{Halves, Value, Window};

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
        Ok(B::float_mul(self.sums(x)?, self.factors.clone()))
    }

    fn sums(&self, x: Array<B>) -> Result<FloatTensor<B>, GraphError> {
        Ok(match &self.sums {
            How::Windows(sums) => sums.run(x)?,
            How::Bins([rows, columns]) => {
                let by_rows = summed::<B>(x.primitive, 2, rows);
                summed::<B>(by_rows, 3, columns)
            }
        })
    }
}

/// Most cells of a window for which the quotients below are told apart: a mean is at most 128, of which a product in
/// float32 is wrong by less than 2^-15, and they are 1/(4 · cells) from the next integer.
const MOST_CELLS: usize = 1 << 12;

/// Means of integers as they stand, rounded in integers: `⌊(|Σ| + ⌊n / 2⌋) / n⌋` with the sum's sign, or
/// `⌊(Σ + n / 2) / n⌋`. Something between 0 and the next step is added before the product, so that its error never shows.
pub(super) struct IntegerMean<B: FloatBackend> {
    mean: Mean<B>,
    halves: Halves,
    /// The zero points in each sum, and what is added to it, `[1, 1, height, width]` as the factors `1 / n`.
    zeros: FloatTensor<B>,
    half: FloatTensor<B>,
    zero_point: f32,
    exact: bool,
}

impl<B: FloatBackend> IntegerMean<B> {
    pub(super) fn new(
        from: &Value,
        to: &Value,
        window: Window,
        halves: Halves,
        device: &Device<B>,
    ) -> Self {
        let [height, width] = [to.height as usize, to.width as usize];
        let cells = |at: usize| {
            let rows = window.inside(0, at / width, from.height as usize).len();
            (rows * window.inside(1, at % width, from.width as usize).len()).max(1)
        };
        let each = |of: &dyn Fn(usize) -> f32| {
            let list = (0..height * width).map(|at| of(cells(at))).collect();
            constant::<B>(list, &[1, 1, height, width], device)
        };
        let zero_point = f32::from(to.zero_point);
        let half = |cells: usize| match halves {
            Halves::AwayFromZero => (cells / 2) as f32 + 0.5,
            Halves::Up => cells as f32 / 2.0 + 0.25,
        };
        let mean = Mean::of_windows(from, to, window, None, 1.0, device);
        let most = usize::from(window.kernel[0]) * usize::from(window.kernel[1]);
        let exact = mean.is_exact() && most <= MOST_CELLS;
        let zeros = each(&|cells| cells as f32 * zero_point);
        Self { mean, halves, zeros, half: each(&|cells| half(cells)), zero_point, exact }
    }

    /// Whether the means are those of the kernels by proof.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// The means less the zero point.
    pub(super) fn run(
        &self,
        x: Array<B>,
        [least, greatest]: [i64; 2],
    ) -> Result<FloatTensor<B>, GraphError> {
        let sums = B::float_add(self.mean.sums(x)?, self.zeros.clone());
        let quotient = |sums: FloatTensor<B>| {
            let more = B::float_add(sums, self.half.clone());
            B::float_floor(B::float_mul(more, self.mean.factors.clone()))
        };
        let means = match self.halves {
            Halves::AwayFromZero => {
                let sign = B::float_sign(sums.clone());
                B::float_mul(quotient(B::float_abs(sums)), sign)
            }
            Halves::Up => quotient(sums),
        };
        let means = B::float_sub_scalar(means, scalar(self.zero_point));
        Ok(B::float_clamp(means, scalar(least as f32), scalar(greatest as f32)))
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
