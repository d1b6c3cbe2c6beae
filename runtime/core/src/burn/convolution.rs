//! Convolutions whose gradients are made of what CPU backends do fast.
//!
//! Burn derives a convolution's gradients from convolutions with kernels as large as the picture, and
//! those of a depthwise one channel by channel. Here a 1×1 convolution is a matrix product in all three
//! directions, others of one group are one product a tap of the kernel, and the weights' gradient of a
//! depthwise one is summed in plain loops.

use std::vec::Vec;

use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::{ConvOptions, Device, FloatTensor};
use burn::tensor::{Shape, Slice, TensorMetadata};

use super::depthwise;
use super::ops::slice;

/// Which transposed convolutions of a backend give right results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transposed {
    /// Every transposed convolution.
    All,
    /// Transposed convolutions of one group only.
    OneGroup,
    /// No transposed convolution.
    None,
}

/// A Burn backend as the executor takes it: adding one is a line.
pub trait FloatBackend: Backend {
    /// Whether the backend has gradients for its pooling; where not, it is put together from primitives.
    const POOLS: bool = true;

    /// Which transposed convolutions of the backend serve as gradients.
    const TRANSPOSES: Transposed = Transposed::All;

    /// Whether the backend convolves many groups at once; where not, a kernel for each channel is put together
    /// from products.
    const CONVOLVES_GROUPS: bool = true;

    /// Whether the backend takes single rows out of a tensor that does not lie in its memory in order.
    const SELECTS_FROM_ANY: bool = true;

    /// Whether the device's memory is the host's.
    fn is_on_host(_: &Device<Self>) -> bool {
        true
    }

    /// `x [N, C, H, W]` convolved with `weight [M, C / groups, …]`, and `bias [M]` added.
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d(x, weight, bias, options)
    }
}

#[cfg(feature = "burn-flex")]
impl FloatBackend for super::backend::Flex {}
#[cfg(feature = "burn-ndarray")]
impl FloatBackend for super::backend::NdArray {}
#[cfg(feature = "burn-cuda")]
impl FloatBackend for super::backend::Cuda {
    /// CubeCL 0.10's gives zeros where a kernel is narrower than its stride: half of a gradient in ResNet-8.
    const TRANSPOSES: Transposed = Transposed::None;

    fn is_on_host(_: &Device<Self>) -> bool {
        false
    }
}
#[cfg(feature = "burn-candle")]
#[allow(deprecated, reason = "as where it is named")]
impl FloatBackend for super::backend::Candle {
    const POOLS: bool = false;
    const TRANSPOSES: Transposed = Transposed::OneGroup;
    const CONVOLVES_GROUPS: bool = false;
    const SELECTS_FROM_ANY: bool = false;

    fn is_on_host(device: &Device<Self>) -> bool {
        *device == Device::<Self>::default()
    }

    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        // On a GPU, candle 0.10 reads a transposed kernel as if it were none: it copies it in order, and multiplies by the original.
        convolve_in_order::<Self>(x, weight, bias, options)
    }
}

/// A convolution whose kernel lies in memory in order: reshaping a kernel to its own shape puts it so, and one that does stays where it is.
#[cfg(feature = "burn-candle")]
fn convolve_in_order<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    let shape = weight.shape();
    B::conv2d(x, B::float_reshape(weight, shape), bias, options)
}

/// What the gradients need: `x`, the weights, and how they were convolved.
type State = (NodeId, NodeId, ConvOptions<2>);

#[derive(Debug)]
struct Convolution;

impl<B: FloatBackend, C: CheckpointStrategy> FloatBackend for Autodiff<B, C> {
    const POOLS: bool = B::POOLS;
    const TRANSPOSES: Transposed = B::TRANSPOSES;
    const CONVOLVES_GROUPS: bool = B::CONVOLVES_GROUPS;
    const SELECTS_FROM_ANY: bool = B::SELECTS_FROM_ANY;

    fn is_on_host(device: &Device<Self>) -> bool {
        B::is_on_host(device)
    }

    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let product = B::convolve(
            x.primitive.clone(),
            weight.primitive.clone(),
            bias.as_ref().map(|bias| bias.primitive.clone()),
            options.clone(),
        );
        match bias {
            Some(bias) => {
                let nodes = [x.node.clone(), weight.node.clone(), bias.node.clone()];
                let prepared = Backward::<B, 3>::prepare::<C>(Convolution, nodes);
                match prepared.compute_bound().stateful() {
                    OpsKind::UnTracked(prep) => prep.finish(product),
                    OpsKind::Tracked(mut prep) => {
                        let state = (prep.checkpoint(&x), prep.checkpoint(&weight), options);
                        prep.finish(state, product)
                    }
                }
            }
            None => {
                let nodes = [x.node.clone(), weight.node.clone()];
                let prepared = Backward::<B, 2>::prepare::<C>(Convolution, nodes);
                match prepared.compute_bound().stateful() {
                    OpsKind::UnTracked(prep) => prep.finish(product),
                    OpsKind::Tracked(mut prep) => {
                        let state = (prep.checkpoint(&x), prep.checkpoint(&weight), options);
                        prep.finish(state, product)
                    }
                }
            }
        }
    }
}

impl<B: FloatBackend> Backward<B, 3> for Convolution {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [of_x, of_weight, of_bias] = ops.parents.map(|node| node.map(|node| node.id));
        if let Some(node) = of_bias {
            grads.register::<B>(node, bias_gradient::<B>(gradient.clone()));
        }
        register::<B>([of_x, of_weight], gradient, ops.state, grads, checkpointer);
    }
}

impl<B: FloatBackend> Backward<B, 2> for Convolution {
    type State = State;

    fn backward(self, ops: Ops<State, 2>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        register::<B>(parents, gradient, ops.state, grads, checkpointer);
    }
}

/// Registers the gradients of `x` and of the weights, where they are wanted.
fn register<B: FloatBackend>(
    [of_x, of_weight]: [Option<NodeId>; 2],
    gradient: FloatTensor<B>,
    (x, weight, options): State,
    grads: &mut Gradients,
    checkpointer: &mut Checkpointer,
) {
    let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
    let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
    if let Some(node) = of_weight {
        let found =
            weight_gradient::<B>(x.clone(), weight.clone(), gradient.clone(), options.clone());
        grads.register::<B>(node, found);
    }
    if let Some(node) = of_x {
        grads.register::<B>(node, x_gradient::<B>(x, weight, gradient, options));
    }
}

/// The sum over batch and places.
fn bias_gradient<B: Backend>(gradient: FloatTensor<B>) -> FloatTensor<B> {
    let shape = gradient.shape();
    let rows = B::float_reshape(gradient, Shape::from([shape[0], shape[1], shape[2] * shape[3]]));
    let sums = B::float_sum_dim(B::float_sum_dim(rows, 2), 0);
    B::float_reshape(sums, Shape::from([shape[1]]))
}

/// `x`'s gradient is the result's, its strides filled with zeros, convolved with the kernel turned around.
fn x_gradient<B: FloatBackend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    let [outputs, inputs, height, width] = weight.shape().dims();
    let (x_shape, shape) = (x.shape(), gradient.shape());
    let groups = options.groups;
    let reach = [0, 1].map(|axis| ([height, width][axis] - 1) * options.dilation[axis]);
    // Rows and columns behind the last place that any window reads.
    let unread = [0, 1].map(|axis| {
        let read = (shape[2 + axis] - 1) * options.stride[axis] + reach[axis] + 1;
        (x_shape[2 + axis] + 2 * options.padding[axis]).saturating_sub(read)
    });
    let strided = options.stride != [1, 1];
    // Not all backends transpose a convolution that leaves different remainders.
    let is_plain = strided && unread[0] == unread[1] && options.stride[0] == options.stride[1];
    let transposes = match B::TRANSPOSES {
        Transposed::All => true,
        Transposed::OneGroup => groups == 1,
        Transposed::None => false,
    };
    if is_plain && transposes {
        return B::conv2d_x_backward(x, weight, gradient, options);
    }
    let turned = match [height, width] {
        [1, 1] => weight,
        _ => B::float_flip(weight, &[2, 3]),
    };
    let turned = if groups == 1 {
        B::float_swap_dims(turned, 0, 1)
    } else {
        let grouped = Shape::from([groups, outputs / groups, inputs, height, width]);
        let swapped = B::float_swap_dims(B::float_reshape(turned, grouped), 1, 2);
        B::float_reshape(swapped, Shape::from([groups * inputs, outputs / groups, height, width]))
    };
    let padding = [0, 1].map(|axis| reach[axis].saturating_sub(options.padding[axis]));
    // Of padding that is wider than the kernel reaches, the gradient is cut away again.
    let beyond = [0, 1].map(|axis| options.padding[axis].saturating_sub(reach[axis]));
    let inner = |gradient: FloatTensor<B>| {
        let along = |axis: usize| {
            let end = beyond[axis] + x_shape[2 + axis];
            Slice::new(beyond[axis] as isize, Some(end as isize), 1)
        };
        match beyond {
            [0, 0] => gradient,
            _ => B::float_slice(gradient, &[Slice::full(), Slice::full(), along(0), along(1)]),
        }
    };
    // Nor do all backends pad rows and columns differently.
    if !strided && unread == [0, 0] && padding[0] == padding[1] {
        let options = ConvOptions::new([1, 1], padding, options.dilation, groups);
        return inner(B::convolve(gradient, turned, None, options));
    }
    let extents = [0, 1].map(|axis| {
        2 * padding[axis] + (shape[2 + axis] - 1) * options.stride[axis] + 1 + unread[axis]
    });
    let filled = Shape::from([shape[0], shape[1], extents[0], extents[1]]);
    let zeros = B::float_zeros(filled, &B::float_device(&gradient), gradient.dtype().into());
    let place = |axis: usize| {
        let end = padding[axis] + (shape[2 + axis] - 1) * options.stride[axis] + 1;
        Slice::new(padding[axis] as isize, Some(end as isize), options.stride[axis] as isize)
    };
    let slices = [Slice::full(), Slice::full(), place(0), place(1)];
    let gradient = B::float_slice_assign(zeros, &slices, gradient);
    let options = ConvOptions::new([1, 1], [0, 0], options.dilation, groups);
    inner(B::convolve(gradient, turned, None, options))
}

fn weight_gradient<B: FloatBackend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    let [outputs, inputs, height, width] = weight.shape().dims();
    let [batch, channels, rows, columns] = x.shape().dims();
    if inputs == 1 && options.groups == outputs && channels == outputs {
        return depthwise::weight_gradient::<B>(x, weight, gradient, options);
    }
    if options.groups != 1 {
        return group_by_group::<B>(x, weight, gradient, options);
    }
    let [_, _, out_rows, out_columns] = gradient.shape().dims();
    let places = batch * out_rows * out_columns;
    // [outputs, places], and for each tap the inputs that it saw: [places, inputs].
    // Side by side, row by row: a permutation would go through memory one number at a time.
    let wide = |x: FloatTensor<B>, channels: usize| {
        let pixels = places / batch;
        let x = B::float_reshape(x, Shape::from([batch * channels, pixels]));
        let sample = |at: usize| {
            let rows =
                Slice::new((at * channels) as isize, Some(((at + 1) * channels) as isize), 1);
            B::float_slice(x.clone(), &[rows, Slice::full()])
        };
        if batch == 1 { x } else { B::float_cat((0..batch).map(sample).collect(), 1) }
    };
    let gradient = wide(gradient, outputs);
    let product = |seen: FloatTensor<B>| {
        let seen = B::float_swap_dims(wide(seen, inputs), 0, 1);
        B::float_matmul(gradient.clone(), seen)
    };
    if [height, width] == [1, 1] && options.stride == [1, 1] && options.padding == [0, 0] {
        return B::float_reshape(product(x), weight.shape());
    }
    let [above, left] = options.padding;
    let padded = if options.padding == [0, 0] {
        x
    } else {
        let shape = Shape::from([batch, channels, rows + 2 * above, columns + 2 * left]);
        let zeros = B::float_zeros(shape, &B::float_device(&x), x.dtype().into());
        let inner = |before: usize, extent: usize| {
            Slice::new(before as isize, Some((before + extent) as isize), 1)
        };
        let place = [Slice::full(), Slice::full(), inner(above, rows), inner(left, columns)];
        B::float_slice_assign(zeros, &place, x)
    };
    let mut taps = Vec::with_capacity(height * width);
    for row in 0..height {
        for column in 0..width {
            let along = |axis: usize, tap: usize, extent: usize| {
                let start = tap * options.dilation[axis];
                let end = start + (extent - 1) * options.stride[axis] + 1;
                Slice::new(start as isize, Some(end as isize), options.stride[axis] as isize)
            };
            let slices = [
                Slice::full(),
                Slice::full(),
                along(0, row, out_rows),
                along(1, column, out_columns),
            ];
            let found = product(slice::<B>(padded.clone(), &slices));
            taps.push(B::float_reshape(found, Shape::from([outputs, inputs, 1])));
        }
    }
    B::float_reshape(B::float_cat(taps, 2), weight.shape())
}

/// The gradients of each group's weights, one behind the other.
fn group_by_group<B: FloatBackend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    let groups = options.groups;
    // The part of a dimension that belongs to a group.
    let part = |of: &FloatTensor<B>, axis: usize, group: usize| {
        let extent = of.shape()[axis] / groups;
        let own = Slice::new((group * extent) as isize, Some(((group + 1) * extent) as isize), 1);
        let slices: Vec<Slice> =
            (0..4).map(|at| if at == axis { own } else { Slice::full() }).collect();
        B::float_slice(of.clone(), &slices)
    };
    let each = (0..groups).map(|group| {
        let options = ConvOptions { groups: 1, ..options.clone() };
        let (x, gradient) = (part(&x, 1, group), part(&gradient, 1, group));
        weight_gradient::<B>(x, part(&weight, 0, group), gradient, options)
    });
    B::float_cat(each.collect(), 0)
}
