//! Transposed convolutions, as convolutions that give all cells of a block as channels.
//!
//! Cell `o = stride · q + r` of an axis is the sum of `x[i] · w[stride · (q − i) + r + padding]`. So each `r` is a convolution of its own
//! over the same window: together they are one, and its channels become blocks of places. No product with a zero that was put between
//! elements is computed; where the kernel is no multiple of the stride, some weights are 0.

use headstart::graph::{Conv, Op, Window};

/// Largest extent, step or padding of a window.
pub(super) const MAX_AMOUNT: i64 = 1 << 16;

/// One axis: the cells of the result, and the window of the convolution.
pub(super) struct Axis {
    pub(super) stride: i64,
    dilation: i64,
    kernel: i64,
    pad: i64,
    /// Cells of the result.
    pub(super) result: i64,
    /// Extent of the window, and its padding before and behind.
    window: i64,
    before: i64,
    behind: i64,
    /// Blocks that it gives.
    pub(super) blocks: i64,
}

impl Axis {
    /// An axis of `extent` elements under a kernel, with `pad` cells before the result that are not of it. All numbers are at most
    /// [`MAX_AMOUNT`], but for `extent` and `result`, which are far from overflowing.
    ///
    /// # Errors
    ///
    /// The text says why no convolution gives that result.
    pub(super) fn new(
        [kernel, stride, dilation]: [i64; 3],
        extent: i64,
        pad: i64,
        result: i64,
    ) -> Result<Self, String> {
        let reach = (kernel - 1) * dilation + 1;
        if result < 1 || pad >= reach {
            return Err(format!("a result of extent {result} with padding {pad} before it"));
        }
        let before = (reach - 1 - pad).div_euclid(stride);
        // The least tap that some cell of a block reads; −⌊−a/b⌋ rounds up.
        let least = -(stride - 1 + pad).div_euclid(stride);
        let blocks = (-(-result).div_euclid(stride)).max(extent + least);
        let (window, behind) = (before - least + 1, blocks - least - extent);
        if behind >= window {
            return Err(format!(
                "a result of extent {result}, some of which no element of {extent} reaches"
            ));
        }
        Ok(Self { stride, dilation, kernel, pad, result, window, before, behind, blocks })
    }

    /// Whether the blocks are the result, and no part of a block is over.
    pub(super) fn is_exact(&self) -> bool {
        self.blocks * self.stride == self.result
    }
}

/// Cells of a block, along all axes.
pub(super) fn cells(axes: &[Axis]) -> usize {
    axes.iter().map(|axis| axis.stride as usize).product()
}

/// The shape of the convolution's weights `[M · cells, C / group, window…]`, for `outputs` channels that each group gives of `depth`.
pub(super) fn shape(axes: &[Axis], [outputs, groups, depth]: [usize; 3]) -> Vec<usize> {
    let windows = axes.iter().map(|axis| axis.window as usize);
    [outputs * groups * cells(axes), depth].into_iter().chain(windows).collect()
}

/// The convolution that gives blocks, and its weights, of those of the transposed one, `[C, M / group, kernel…]`.
pub(super) fn convolution(
    axes: &[Axis],
    data: &[f32],
    of_weight: &[usize],
    groups: usize,
) -> (Conv, Vec<f32>) {
    let (depth, outputs) = (of_weight[0] / groups, of_weight[1]);
    let taps_of: usize = of_weight[2..].iter().product();
    let each = |of: fn(&Axis) -> i64| axes.iter().map(|axis| of(axis) as usize).collect::<Vec<_>>();
    let windows = each(|a| a.window);
    let taps: usize = windows.iter().product();
    let mut weights = Vec::new();
    for output in 0..outputs * groups {
        let (group, output) = (output / outputs, output % outputs);
        for cell in 0..cells(axes) {
            // Where each tap of the window reads the kernel.
            let places: Vec<Option<usize>> =
                (0..taps).map(|tap| kernel_place(axes, cell, tap)).collect();
            for input in 0..depth {
                let first = ((group * depth + input) * outputs + output) * taps_of;
                weights.extend(places.iter().map(|place| place.map_or(0.0, |at| data[first + at])));
            }
        }
    }
    let mut window = Window::new(&windows);
    (window.pads_begin, window.pads_end) = (each(|a| a.before), each(|a| a.behind));
    (Conv { window, groups }, weights)
}

/// What makes places of the blocks: the axes `[N, M, stride…, blocks…]`, then `[N, M, blocks and strides in turn]`, then whole axes.
pub(super) fn places(axes: &[Axis], batch: usize, outputs: usize) -> [Op; 3] {
    let rank = axes.len();
    let extents = |of: fn(&Axis) -> i64| axes.iter().map(move |axis| of(axis) as usize);
    let all = || [batch, outputs].into_iter();
    let split = all().chain(extents(|a| a.stride)).chain(extents(|a| a.blocks)).collect();
    let turn = (0..rank).flat_map(|axis| [2 + rank + axis, 2 + axis]);
    let permutation = [0, 1].into_iter().chain(turn).collect();
    let whole = all().chain(extents(|a| a.blocks * a.stride)).collect();
    [Op::Reshape { shape: split }, Op::Transpose { permutation }, Op::Reshape { shape: whole }]
}

/// The kernel's element that a tap of the window reads for a cell of a block.
fn kernel_place(axes: &[Axis], mut cell: usize, mut tap: usize) -> Option<usize> {
    let (mut at, mut step) = (0, 1);
    for axis in axes.iter().rev() {
        let (stride, window) = (axis.stride as usize, axis.window as usize);
        let (r, t) = ((cell % stride) as i64, (tap % window) as i64);
        (cell, tap) = (cell / stride, tap / window);
        let place = axis.stride * (axis.before - t) + r + axis.pad;
        if place < 0 || place % axis.dilation != 0 || place / axis.dilation >= axis.kernel {
            return None;
        }
        at += (place / axis.dilation) as usize * step;
        step *= axis.kernel as usize;
    }
    Some(at)
}
