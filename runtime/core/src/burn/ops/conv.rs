use burn::tensor::ops::FloatTensor;

use super::plane::{Plane, convolve, lift, lower};
use super::volume;
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;
use crate::graph::{Conv, GraphError};

/// `x` convolved with `weight`, plus `bias` a channel.
pub(super) fn apply<B: FloatBackend>(
    conv: &Conv,
    x: Array<B>,
    weight: Array<B>,
    bias: Option<Array<B>>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let bias = bias.map(|bias| bias.primitive);
    if result.len() == 5 {
        return volume::convolve(conv, x, weight, bias, result);
    }
    let plane = Plane::new(&conv.window);
    let y = convolve(&plane, conv.groups, lift(x), lift(weight), bias)?;
    Ok(lower::<B>(y, result))
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::burn::testing::{Windowed, assert_close, noise, on_every_backend, run, windowed};
    use crate::graph::{Op, Window};

    /// The definition, in plain loops over the graph's own dimensions.
    fn naive(conv: &Conv, x: &Windowed, weight: &Windowed, bias: Option<&[f32]>) -> Vec<f32> {
        let mut y = Vec::new();
        let outputs = conv.window.output(&x.shape[2..]).unwrap();
        let (per_group_in, per_group_out) = (weight.shape[1], weight.shape[0] / conv.groups);
        for n in 0..x.shape[0] {
            for m in 0..weight.shape[0] {
                for position in windowed::positions(&outputs) {
                    let mut sum = bias.map_or(0.0, |bias| bias[m]);
                    for c in 0..per_group_in {
                        let channel = m / per_group_out * per_group_in + c;
                        for tap in windowed::positions(&conv.window.kernel) {
                            let place = windowed::place(&conv.window, &position, &tap);
                            let value = x.at(n, channel, &place).unwrap_or(0.0);
                            let tap: Vec<i64> = tap.iter().map(|&t| t as i64).collect();
                            sum += value * weight.at(m, c, &tap).unwrap();
                        }
                    }
                    y.push(sum);
                }
            }
        }
        y
    }

    fn check<B: FloatBackend>(x: &[usize], weight: &[usize], window: Window, groups: usize) {
        let conv = Conv { window, groups };
        let (x, weight) = (Windowed::noise(x, 1), Windowed::noise(weight, 2));
        let bias = noise(weight.shape[0], 3);
        let expected = naive(&conv, &x, &weight, Some(&bias));
        let operands = vec![
            (&x.shape[..], x.data.clone()),
            (&weight.shape[..], weight.data.clone()),
            (&weight.shape[..1], bias),
        ];
        let (_, found) = run::<B>(Op::Conv(conv.clone()), operands.clone());
        assert_close(&found, &expected);
        let expected = naive(&conv, &x, &weight, None);
        let (_, found) = run::<B>(Op::Conv(conv), operands[..2].to_vec());
        assert_close(&found, &expected);
    }

    fn a_convolution_is_its_definition<B: FloatBackend>() {
        let window = |kernel: [usize; 2],
                      strides: [usize; 2],
                      dilations: [usize; 2],
                      begin: [usize; 2],
                      end: [usize; 2]| Window {
            kernel: kernel.to_vec(),
            strides: strides.to_vec(),
            dilations: dilations.to_vec(),
            pads_begin: begin.to_vec(),
            pads_end: end.to_vec(),
        };
        let plain = |kernel, stride: usize, pad: usize| {
            window([kernel; 2], [stride; 2], [1; 2], [pad; 2], [pad; 2])
        };
        check::<B>(&[2, 3, 7, 6], &[4, 3, 3, 3], plain(3, 1, 1), 1);
        check::<B>(&[1, 3, 9, 8], &[5, 3, 3, 3], plain(3, 2, 1), 1);
        check::<B>(&[2, 6, 5, 5], &[4, 6, 1, 1], plain(1, 1, 0), 1);
        // Groups, depthwise, depthwise with a multiplier.
        check::<B>(&[1, 4, 6, 6], &[6, 2, 3, 3], plain(3, 1, 1), 2);
        check::<B>(&[2, 8, 9, 9], &[8, 1, 3, 3], plain(3, 2, 1), 8);
        check::<B>(&[1, 3, 6, 6], &[6, 1, 5, 5], plain(5, 1, 2), 3);
        // Asymmetric padding, per-dimension padding, strides and dilations, holes.
        check::<B>(&[1, 3, 8, 8], &[4, 3, 3, 3], window([3; 2], [2; 2], [1; 2], [0; 2], [1; 2]), 1);
        check::<B>(&[1, 2, 9, 7], &[4, 2, 3, 5], window([3, 5], [1; 2], [1; 2], [1, 2], [1, 2]), 1);
        check::<B>(&[1, 2, 9, 7], &[4, 2, 3, 2], window([3, 2], [2, 3], [1; 2], [1, 0], [2, 1]), 1);
        check::<B>(&[1, 2, 9, 9], &[2, 2, 3, 3], window([3; 2], [1; 2], [2; 2], [2; 2], [2; 2]), 1);
        check::<B>(&[1, 2, 9, 9], &[2, 1, 3, 2], window([3, 2], [1; 2], [2, 3], [1, 0], [0, 2]), 2);
        check::<B>(&[1, 2, 9, 9], &[2, 2, 1, 3], window([1, 3], [1; 2], [4, 2], [0; 2], [0; 2]), 1);
    }
    on_every_backend!(a_convolution_is_its_definition);

    fn one_dimension_is_enough<B: FloatBackend>() {
        let window = |stride: usize, dilation: usize, begin: usize, end: usize| Window {
            kernel: vec![3],
            strides: vec![stride],
            dilations: vec![dilation],
            pads_begin: vec![begin],
            pads_end: vec![end],
        };
        check::<B>(&[2, 3, 11], &[4, 3, 3], window(1, 1, 1, 1), 1);
        check::<B>(&[1, 4, 11], &[4, 1, 3], window(2, 1, 0, 1), 4);
        check::<B>(&[1, 2, 11], &[3, 2, 3], window(2, 3, 2, 0), 1);
    }
    on_every_backend!(one_dimension_is_enough);

    fn three_dimensions_are_a_sum_of_planes<B: FloatBackend>() {
        let window = |strides: [usize; 3], dilations: [usize; 3], begin: [usize; 3]| Window {
            kernel: vec![2, 3, 2],
            strides: strides.to_vec(),
            dilations: dilations.to_vec(),
            pads_begin: begin.to_vec(),
            pads_end: vec![1, 0, 2],
        };
        let (x, weight) = ([2, 4, 5, 6, 4], [6, 2, 2, 3, 2]);
        check::<B>(&x, &weight, window([1; 3], [1; 3], [0, 1, 0]), 2);
        check::<B>(&x, &weight, window([2, 1, 3], [2, 1, 1], [1, 0, 2]), 2);
        let whole = Window { kernel: vec![1; 3], ..window([1; 3], [1; 3], [0; 3]) };
        check::<B>(&[1, 3, 2, 2, 2], &[4, 3, 1, 1, 1], whole, 1);
    }
    on_every_backend!(three_dimensions_are_a_sum_of_planes);

    #[test]
    fn padding_past_the_limit_is_refused() {
        let huge = vec![1 << 20; 2];
        let conv = Conv {
            window: Window {
                kernel: vec![1; 2],
                strides: huge.clone(),
                dilations: vec![1; 2],
                pads_begin: huge.clone(),
                pads_end: vec![0; 2],
            },
            groups: 1,
        };
        let op = Op::Conv(conv);
        assert_eq!(op.output_shape(&[&[1, 1, 1, 1], &[1, 1, 1, 1]]), Ok(vec![1, 1, 2, 2]));
        #[cfg(feature = "burn-flex")]
        {
            use crate::burn::testing::try_run;
            let one = (&[1, 1, 1, 1][..], vec![1.0]);
            let refused = try_run::<crate::burn::backend::Flex>(op, vec![one.clone(), one]);
            assert!(matches!(
                refused,
                Err(crate::burn::ExecuteError::Node { source: GraphError::TooManyElements, .. })
            ));
        }
    }
}
