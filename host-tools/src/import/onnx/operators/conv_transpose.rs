//! Transposed convolutions.

use headstart::graph::{Op, ValueId};

use super::take::{Taken, take};
use super::window::kernel_shape;
use super::{Bound, Context, NodeView, Outcome, extent};
use crate::import::transposed::{self, Axis, MAX_AMOUNT};

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
    let cells = transposed::cells(&axes);
    let of_blocks = transposed::shape(&axes, [of_weight[1], groups, of_weight[0] / groups]);
    let count = headstart::graph::elements(&of_blocks).map_err(|error| error.to_string())?;
    context.take_work(count as u64)?;
    let (op, weights) = transposed::convolution(&axes, &data, &of_weight, groups);
    let op = Op::Conv(op);
    let mut inputs = vec![x];
    if let Some(bias) = bias {
        let data: Vec<f32> = bias.iter().flat_map(|&b| std::iter::repeat_n(b, cells)).collect();
        inputs.push(context.derived_constant(node, "bias", vec![data.len()], data)?);
    }
    inputs.insert(1, context.derived_constant(node, "weight", of_blocks, weights)?);
    if cells == 1 && axes.iter().all(Axis::is_exact) {
        return context.add(node, op, inputs);
    }
    let blocks = context.derived(node, "blocks", op, inputs)?;
    let [split, turn, whole] = transposed::places(&axes, shape[0], outputs);
    let split = context.derived(node, "split", split, vec![blocks])?;
    let turned = context.derived(node, "turned", turn, vec![split])?;
    if axes.iter().all(Axis::is_exact) {
        return context.add(node, whole, vec![turned]);
    }
    let whole = context.derived(node, "whole", whole, vec![turned])?;
    let taken = axes.iter().enumerate();
    let taken =
        taken.map(|(at, axis)| Taken { axis: at + 2, places: (0..axis.result as usize).collect() });
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
        axes.push(Axis::new([kernel[at] as i64, stride, dilation], extent, pad, result)?);
    }
    Ok(axes)
}
