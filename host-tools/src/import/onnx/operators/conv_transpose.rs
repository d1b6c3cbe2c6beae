//! Transposed convolutions, as convolutions that give all cells of a block as channels.
//!
//! Cell `o = stride · q + r` of an axis is the sum of `x[i] · w[stride · (q − i) + r + padding]`. So each `r` is a convolution of its own
//! over the same window: together they are one, and its channels become blocks of places. No product with a zero that was put between
//! elements is computed; where the kernel is no multiple of the stride, some weights are 0.

use headstart::graph::{Conv, Op, ValueId, Window};

use super::take::{Taken, take};
use super::window::kernel_shape;
use super::{Bound, Context, NodeView, Outcome, extent};

/// Largest extent, step or padding of a window.
const MAX_AMOUNT: i64 = 1 << 16;

/// One axis: the cells of the result, and the window of the convolution.
struct Axis {
    stride: i64,
    dilation: i64,
    kernel: i64,
    pad: i64,
    result: i64,
    /// Extent of the window, and its padding before and behind.
    window: i64,
    before: i64,
    behind: i64,
    /// Blocks that it gives.
    blocks: i64,
}

/// `ConvTranspose`: `x [N, C, …]`, `weight [C, M / group, kernel…]`, optionally `bias [M]`.
pub(super) fn conv_transpose(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (x, weight) = (context.float(node, 0)?, context.float(node, 1)?);
    let bias = context.optional_float(node, 2)?;
    let (shape, of_weight) = (context.shape(x).to_vec(), context.shape(weight).to_vec());
    let known =
        |context: &Context<'_>, value: ValueId| context.graph.values[value].constant.clone();
    let data = known(context, weight).ok_or("weights that are not known before the model runs")?;
    let bias = match bias {
        Some(bias) => {
            Some(known(context, bias).ok_or("a bias that is not known before the model runs")?)
        }
        None => None,
    };
    let groups = extent("group", node.int("group", 1)?)?;
    let rank = shape.len().saturating_sub(2);
    if !matches!(rank, 1 | 2) || of_weight.len() != shape.len() || of_weight[0] != shape[1] {
        return Err(format!(
            "a weight of shape {of_weight:?} over a tensor of shape {shape:?}; one or two spatial dimensions are supported"
        ));
    }
    if groups == 0
        || shape[1] % groups != 0
        || bias.as_ref().is_some_and(|b| b.len() != of_weight[1] * groups)
    {
        return Err(format!("{groups} groups of {} channels", shape[1]));
    }
    if let Some(stated) = kernel_shape(node)?.filter(|stated| *stated != of_weight[2..]) {
        return Err(format!("kernel_shape is {stated:?}, the weight has {:?}", &of_weight[2..]));
    }
    let axes = axes(node, &shape[2..], &of_weight[2..])?;
    let outputs = of_weight[1] * groups;
    let cells: usize = axes.iter().map(|axis| axis.stride as usize).product();
    let (op, weight, bias) =
        blocks(context, node, &axes, &data, &of_weight, groups, bias.as_deref())?;
    let inputs: Vec<ValueId> = [x, weight].into_iter().chain(bias).collect();
    let is_exact = |axis: &Axis| axis.blocks * axis.stride == axis.result;
    if cells == 1 && axes.iter().all(is_exact) {
        return context.add(node, op, inputs);
    }
    let blocks = context.derived(node, "blocks", op, inputs)?;
    let extents = |of: fn(&Axis) -> i64| axes.iter().map(move |axis| of(axis) as usize);
    // [N, M, stride…, blocks…] to [N, M, blocks and strides in turn].
    let split =
        [shape[0], outputs].into_iter().chain(extents(|a| a.stride)).chain(extents(|a| a.blocks));
    let split = Op::Reshape { shape: split.collect() };
    let split = context.derived(node, "split", split, vec![blocks])?;
    let places = (0..rank).flat_map(|axis| [2 + rank + axis, 2 + axis]);
    let turn = Op::Transpose { permutation: [0, 1].into_iter().chain(places).collect() };
    let turned = context.derived(node, "turned", turn, vec![split])?;
    let whole = Op::Reshape {
        shape: [shape[0], outputs].into_iter().chain(extents(|a| a.blocks * a.stride)).collect(),
    };
    if axes.iter().all(is_exact) {
        return context.add(node, whole, vec![turned]);
    }
    let whole = context.derived(node, "whole", whole, vec![turned])?;
    let taken = extents(|a| a.result).enumerate();
    let taken = taken.map(|(at, extent)| Taken { axis: at + 2, places: (0..extent).collect() });
    take(context, node, whole, taken.collect(), node.output()).map(Bound::Float)
}

/// What the attributes say of each axis.
fn axes(node: &NodeView<'_>, extents: &[usize], kernel: &[usize]) -> Outcome<Vec<Axis>> {
    let rank = extents.len();
    let list = |name: &str, count: usize, default: i64| -> Outcome<Vec<i64>> {
        let list = node.ints(name)?.filter(|list| !list.is_empty());
        let list = list.map_or_else(|| vec![default; count], <[i64]>::to_vec);
        let least = i64::from(!["pads", "output_padding"].contains(&name));
        let is_sound = list.len() == count && list.iter().all(|n| (least..=MAX_AMOUNT).contains(n));
        is_sound
            .then_some(list.clone())
            .ok_or_else(|| format!("{name} of {list:?} over {rank} spatial dimensions"))
    };
    let (strides, dilations) = (list("strides", rank, 1)?, list("dilations", rank, 1)?);
    let (pads, more) = (list("pads", 2 * rank, 0)?, list("output_padding", rank, 0)?);
    let auto_pad = node.string("auto_pad", "NOTSET")?;
    let stated = match node.ints("output_shape")?.filter(|list| !list.is_empty()) {
        Some(_) => Some(list("output_shape", rank, 1)?),
        None => None,
    };
    let mut axes = Vec::with_capacity(rank);
    for at in 0..rank {
        let (stride, dilation, extent) = (strides[at], dilations[at], extents[at] as i64);
        let reach = (kernel[at] as i64 - 1) * dilation + 1;
        if !(1..=MAX_AMOUNT).contains(&reach) || extent == 0 {
            return Err(format!("a kernel of {kernel:?} over {extents:?}"));
        }
        let whole = stride * (extent - 1) + more[at] + reach;
        let wanted = match (&stated, auto_pad) {
            (Some(stated), _) => Some(stated[at]),
            (None, "SAME_UPPER" | "SAME_LOWER") => Some(extent * stride),
            _ => None,
        };
        let (pad, result) = match (wanted, auto_pad) {
            (Some(wanted), _) => {
                let total = (whole - wanted).max(0);
                let small = total / 2;
                (if auto_pad == "SAME_UPPER" { small } else { total - small }, wanted)
            }
            (None, "NOTSET" | "") => (pads[at], whole - pads[at] - pads[rank + at]),
            (None, "VALID") => (0, whole),
            (None, other) => return Err(format!("an auto_pad of {other:?}")),
        };
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
        axes.push(Axis {
            stride,
            dilation,
            kernel: kernel[at] as i64,
            pad,
            result,
            window,
            before,
            behind,
            blocks,
        });
    }
    Ok(axes)
}

/// The convolution that gives blocks, its weights `[M · cells, C / group, window…]`, and its bias.
fn blocks(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    axes: &[Axis],
    data: &[f32],
    of_weight: &[usize],
    groups: usize,
    bias: Option<&[f32]>,
) -> Outcome<(Op, ValueId, Option<ValueId>)> {
    let (depth, outputs) = (of_weight[0] / groups, of_weight[1]);
    let taps_of: usize = of_weight[2..].iter().product();
    let each = |of: fn(&Axis) -> i64| axes.iter().map(|axis| of(axis) as usize).collect::<Vec<_>>();
    let (strides, windows) = (each(|a| a.stride), each(|a| a.window));
    let (cells, taps): (usize, usize) = (strides.iter().product(), windows.iter().product());
    let shape = [&[outputs * groups * cells, depth], &windows[..]].concat();
    let count = headstart::graph::elements(&shape).map_err(|error| error.to_string())?;
    context.take_work(count as u64)?;
    let mut weights = Vec::new();
    for output in 0..outputs * groups {
        let (group, output) = (output / outputs, output % outputs);
        for cell in 0..cells {
            // Where each tap of the window reads the kernel.
            let places: Vec<Option<usize>> =
                (0..taps).map(|tap| kernel_place(axes, cell, tap)).collect();
            for input in 0..depth {
                let first = ((group * depth + input) * outputs + output) * taps_of;
                weights.extend(places.iter().map(|place| place.map_or(0.0, |at| data[first + at])));
            }
        }
    }
    let bias = match bias {
        None => None,
        Some(bias) => {
            let data: Vec<f32> = bias.iter().flat_map(|&b| std::iter::repeat_n(b, cells)).collect();
            Some(context.derived_constant(node, "bias", vec![data.len()], data)?)
        }
    };
    let weight = context.derived_constant(node, "weight", shape, weights)?;
    let mut window = Window::new(&windows);
    (window.pads_begin, window.pads_end) = (each(|a| a.before), each(|a| a.behind));
    Ok((Op::Conv(Conv { window, groups }), weight, bias))
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
