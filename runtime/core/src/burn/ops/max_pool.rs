use burn::tensor::ops::FloatTensor;
use burn::tensor::{BoolDType, Slice};

use super::plane::{Plane, lift, lower};
use super::slice;
use super::volume;
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;
use crate::graph::{GraphError, MaxPool, Window};

/// The maximum over each window.
pub(super) fn apply<B: FloatBackend>(
    pool: &MaxPool,
    x: Array<B>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    if result.len() == 5 {
        return volume::pool(&pool.window, x, greatest);
    }
    greatest(&pool.window, x, result)
}

/// The maximum over each window of a line or a plane.
pub(in crate::burn) fn greatest<B: FloatBackend>(
    window: &Window,
    x: Array<B>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let plane = Plane::new(window);
    let padded = plane.pad(lift(x), f32::NEG_INFINITY)?;
    let y = if plane.dilations == [1, 1] && B::POOLS {
        B::max_pool2d(padded.primitive, plane.kernel, plane.strides, [0; 2], [1; 2], false)
    } else {
        dilated(&plane, padded)
    };
    Ok(lower::<B>(y, result))
}

/// The greatest of the tensors that each element of the window sees: candle has no dilation here,
/// and no gradient.
fn dilated<B: FloatBackend>(plane: &Plane, x: Array<B>) -> FloatTensor<B> {
    let reach = plane.reach();
    let seen = |row: usize, column: usize| {
        let axis = |axis: usize, tap: usize| {
            let start = tap * plane.dilations[axis];
            let end = x.shape[2 + axis] - (reach[axis] - 1) + start;
            Slice::new(start as isize, Some(end as isize), plane.strides[axis] as isize)
        };
        let slices = [Slice::full(), Slice::full(), axis(0, row), axis(1, column)];
        slice::<B>(x.primitive.clone(), &slices)
    };
    let mut greatest = seen(0, 0);
    for tap in 1..plane.kernel[0] * plane.kernel[1] {
        let other = seen(tap / plane.kernel[1], tap % plane.kernel[1]);
        let greater = B::float_greater(other.clone(), greatest.clone(), BoolDType::Native);
        greatest = B::float_mask_where(greatest, greater, other);
    }
    greatest
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::burn::testing::{Windowed, assert_close, on_every_backend, run, windowed};
    use crate::graph::{Op, Window};

    fn check<B: FloatBackend>(
        shape: &[usize],
        kernel: &[usize],
        steps: [usize; 2],
        pads: [usize; 2],
    ) {
        let rank = kernel.len();
        let window = Window {
            kernel: kernel.to_vec(),
            strides: std::vec![steps[0]; rank],
            dilations: std::vec![steps[1]; rank],
            pads_begin: std::vec![pads[0]; rank],
            pads_end: std::vec![pads[1]; rank],
        };
        let mut x = Windowed::noise(shape, 5);
        // Below zero, so that a zero in the padding would win.
        x.data.iter_mut().for_each(|v| *v -= 2.0);
        let mut expected = Vec::new();
        for n in 0..shape[0] {
            for c in 0..shape[1] {
                for position in windowed::positions(&window.output(&shape[2..]).unwrap()) {
                    let taps = windowed::positions(kernel);
                    let seen = taps
                        .iter()
                        .filter_map(|tap| x.at(n, c, &windowed::place(&window, &position, tap)));
                    expected.push(seen.fold(f32::NEG_INFINITY, f32::max));
                }
            }
        }
        let op = Op::MaxPool(MaxPool { window });
        let (_, found) = run::<B>(op, std::vec![(shape, x.data)]);
        assert_close(&found, &expected);
    }

    fn padding_never_wins<B: FloatBackend>() {
        check::<B>(&[2, 3, 8, 7], &[2, 2], [2, 1], [0, 0]);
        check::<B>(&[1, 2, 8, 7], &[3, 3], [2, 1], [1, 1]);
        check::<B>(&[1, 2, 8, 7], &[3, 2], [1, 1], [0, 2]);
        check::<B>(&[1, 2, 9, 9], &[3, 2], [2, 2], [1, 0]);
        check::<B>(&[2, 3, 9], &[3], [2, 1], [1, 1]);
        check::<B>(&[1, 3, 9], &[3], [1, 3], [0, 1]);
        check::<B>(&[2, 3, 5, 6, 7], &[2, 3, 2], [2, 1], [1, 0]);
        check::<B>(&[1, 2, 5, 6, 7], &[3, 2, 2], [1, 2], [0, 1]);
    }
    on_every_backend!(padding_never_wins);
}
