use super::{Output, Tensor};
use crate::network::PadMode;

/// Copies one operand of a concatenation into its place, rescaled: `at` is where it starts along
/// `axis` (0 rows, 1 columns, 2 channels).
#[inline(always)]
pub fn concat(x: Tensor<'_>, multiplier: f32, axis: u8, at: usize, to: Output, out: &mut [i8]) {
    let zero_point = i32::from(x.zero_point);
    let mut start = [0; 3];
    start[usize::from(axis)] = at;
    for row in 0..x.height {
        for column in 0..x.width {
            let from = (row * x.width + column) * x.channels;
            let into = ((row + start[0]) * to.width + column + start[1]) * to.channels + start[2];
            let source = &x.data[from..][..x.channels];
            for (result, &q) in out[into..][..x.channels].iter_mut().zip(source) {
                *result = to.quantise((i32::from(q) - zero_point) as f32 * multiplier);
            }
        }
    }
}

/// Pads rows, columns and channels; `before` is how much stands in front of each.
pub fn pad(x: Tensor<'_>, before: [usize; 3], mode: PadMode, to: Output, out: &mut [i8]) {
    let extents = [x.height, x.width, x.channels];
    let source = |axis: usize, index: usize| -> Option<usize> {
        let last = extents[axis] - 1;
        match (index.checked_sub(before[axis]), mode) {
            (Some(inside), _) if inside <= last => Some(inside),
            (_, PadMode::Constant(_)) => None,
            (Some(behind), PadMode::Edge) => Some(behind.min(last)),
            (None, PadMode::Edge) => Some(0),
            (Some(behind), PadMode::Reflect) => Some((2 * last).saturating_sub(behind)),
            (None, PadMode::Reflect) => Some((before[axis] - index).min(last)),
        }
    };
    let fill = if let PadMode::Constant(q) = mode { q } else { x.zero_point };
    for (index, result) in out.iter_mut().enumerate() {
        let (pixel, channel) = (index / to.channels, index % to.channels);
        let at = (source(0, pixel / to.width), source(1, pixel % to.width), source(2, channel));
        *result = match at {
            (Some(y), Some(column), Some(c)) => x.data[(y * x.width + column) * x.channels + c],
            _ => fill,
        };
    }
}

/// Puts elements in another order; see [`Node::Permute`](crate::network::Node::Permute).
pub fn permute(x: &[i8], extents: [usize; 5], strides: [usize; 5], out: &mut [i8]) {
    let mut index = [0; 5];
    let mut from = 0;
    for result in out {
        *result = x[from];
        for axis in (0..5).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < extents[axis] {
                break;
            }
            from -= strides[axis] * extents[axis];
            index[axis] = 0;
        }
    }
}
