//! Normalisations by statistics of the sample itself, by their definitions.

use headstart::graph::{Activation, Binary, Conv, Op, ValueId, Window};

use super::{Bound, Context, NodeView, Outcome, extent};

/// `InstanceNormalization`: each channel less its mean, divided by its deviation.
pub(super) fn instance(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let channels = channels(context, x)?;
    let normal = normal(context, node, x)?;
    let [scale, bias] = parameters(context, node, channels)?;
    scaled(context, node, normal, scale, bias)
}

/// `GroupNormalization`: the same over groups of channels. Its factors were one a group until operator set 20, and are one a channel since.
pub(super) fn group(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let channels = channels(context, x)?;
    let shape = context.shape(x).to_vec();
    let groups = extent("num_groups", node.int("num_groups", 0)?)?;
    if groups == 0 || channels % groups != 0 {
        return Err(format!("{groups} groups of {channels} channels"));
    }
    let rest = shape[2..].iter().product::<usize>() * (channels / groups);
    let rows = Op::Reshape { shape: vec![shape[0], groups, rest] };
    let rows = context.derived(node, "rows", rows, vec![x])?;
    let normal = normal(context, node, rows)?;
    let normal = context.derived(node, "map", Op::Reshape { shape }, vec![normal])?;
    let [scale, bias] = match node.opset {
        ..21 => parameters(context, node, groups)?.map(|each| {
            each.iter().flat_map(|&n| std::iter::repeat_n(n, channels / groups)).collect()
        }),
        _ => parameters(context, node, channels)?,
    };
    scaled(context, node, normal, scale, bias)
}

/// `LRN`: `x / (bias + alpha / size · Σ x²)^beta` over neighbouring channels.
pub(super) fn local_response(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let channels = channels(context, x)?;
    let rank = context.shape(x).len();
    let size = extent("size", node.int("size", 0)?)?;
    let (alpha, beta) = (node.float("alpha", 1e-4)?, node.float("beta", 0.75)?);
    if size == 0 || !matches!(rank, 3 | 4) {
        return Err(format!("{size} neighbours in a tensor of {rank} dimensions"));
    }
    let each = Op::Activation(Activation::Power { exponent: 2.0 });
    let squares = context.derived(node, "squares", each, vec![x])?;
    let count = channels.checked_mul(channels).ok_or("too many channels")?;
    context.take_work(count as u64)?;
    let mut shape = vec![1; rank];
    (shape[0], shape[1]) = (channels, channels);
    let (before, behind) = ((size - 1) / 2, size / 2);
    let mut weights = vec![0.0; count];
    for channel in 0..channels {
        let last = channel.saturating_add(behind).min(channels - 1);
        let row = &mut weights[channel * channels..][..channels];
        row[channel.saturating_sub(before)..=last].fill(alpha / size as f32);
    }
    let weight = context.derived_constant(node, "neighbours", shape, weights)?;
    let bias = vec![node.float("bias", 1.0)?; channels];
    let bias = context.derived_constant(node, "bias", vec![channels], bias)?;
    let window = Window::new(&vec![1; rank - 2]);
    let sum = Op::Conv(Conv { window, groups: 1 });
    let sum = context.derived(node, "sum", sum, vec![squares, weight, bias])?;
    let factor = Op::Activation(Activation::Power { exponent: -beta });
    let factor = context.derived(node, "factor", factor, vec![sum])?;
    context.add(node, Op::Binary(Binary::Mul), vec![x, factor])
}

fn channels(context: &Context<'_>, x: ValueId) -> Outcome<usize> {
    match *context.shape(x) {
        [_, channels, _, ..] if channels > 0 => Ok(channels),
        ref shape => Err(format!("a tensor of shape {shape:?}; channels and places are expected")),
    }
}

/// Two known operands of so many elements: factors and offsets.
fn parameters(context: &Context<'_>, node: &NodeView<'_>, count: usize) -> Outcome<[Vec<f32>; 2]> {
    let known = |index: usize| {
        let value = context.float(node, index)?;
        let data = context.graph.values[value].constant.as_deref();
        let data =
            data.ok_or_else(|| format!("operand {index} must be known before the model runs"))?;
        match data.len() == count {
            true => Ok(data.to_vec()),
            false => {
                Err(format!("operand {index} has {} elements, {count} are expected", data.len()))
            }
        }
    };
    Ok([known(1)?, known(2)?])
}

/// Every channel of `x` less its mean, divided by its deviation.
fn normal(context: &mut Context<'_>, node: &NodeView<'_>, x: ValueId) -> Outcome<ValueId> {
    let axes: Vec<usize> = (2..context.shape(x).len()).collect();
    let mean = || Op::ReduceMean { axes: axes.clone(), keep_dims: true };
    let centre = context.derived(node, "mean", mean(), vec![x])?;
    let distance = context.derived(node, "distance", Op::Binary(Binary::Sub), vec![x, centre])?;
    let square = Op::Activation(Activation::Power { exponent: 2.0 });
    let squares = context.derived(node, "squares", square, vec![distance])?;
    let variance = context.derived(node, "variance", mean(), vec![squares])?;
    let epsilon = node.float("epsilon", 1e-5)?;
    let epsilon = context.derived_constant(node, "epsilon", vec![], vec![epsilon])?;
    let sum = Op::Binary(Binary::Add);
    let sum = context.derived(node, "bounded", sum, vec![variance, epsilon])?;
    // A product keeps the scales of both operands' channels in int8; a quotient has one scale for all deviations.
    let inverse = Op::Activation(Activation::Power { exponent: -0.5 });
    let factor = context.derived(node, "factor", inverse, vec![sum])?;
    context.derived(node, "normal", Op::Binary(Binary::Mul), vec![distance, factor])
}

/// A factor and an offset a channel.
fn scaled(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    scale: Vec<f32>,
    bias: Vec<f32>,
) -> Outcome<Bound> {
    let channels = scale.len();
    let mut operands = vec![x];
    let lists = [
        ("scale", scale),
        ("bias", bias),
        ("centre", vec![0.0; channels]),
        ("unit", vec![1.0; channels]),
    ];
    for (what, data) in lists {
        operands.push(context.derived_constant(node, what, vec![channels], data)?);
    }
    context.add(node, Op::BatchNormalization { epsilon: 0.0 }, operands)
}
