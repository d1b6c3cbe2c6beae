use headstart::graph::{Conv, Op, ValueId, Window};

use super::super::attributes::axis;
use super::super::integers::Integers;
use super::shape_arithmetic::ranges;
use super::{Bound, Context, NodeView, Outcome};

/// `Gather`: of known integers, or of a float tensor at known places.
pub(super) fn gather(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let indices = context.integers(node, 1)?;
    let at = node.int("axis", 0)?;
    if let Bound::Integers(x) = context.operand(node, 0)? {
        let result = x.gather(&indices, at)?;
        return context.integers_result(result);
    }
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let at = axis(at, shape.len())?;
    let picked = indices.data.iter().map(|&index| axis(index, shape[at]));
    let picked = picked.collect::<Outcome<Vec<usize>>>()?;
    if (0..shape[at]).eq(picked.iter().copied()) {
        // All of them, as PyTorch writes the mean of a map with channels last.
        let shape = [&shape[..at], &indices.shape, &shape[at + 1..]].concat();
        return context.add(node, Op::Reshape { shape }, vec![x]);
    }
    if indices.shape.len() != 1 {
        return Err(UNSUPPORTED.to_owned());
    }
    let name = node.output().to_owned();
    pick(context, node, x, at, &picked, &name)
}

/// `Slice` of a float tensor: of its channels.
pub(super) fn slice(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    if let Bound::Integers(_) = context.operand(node, 0)? {
        return super::shape_arithmetic::slice(context, node);
    }
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let mut found: Option<(usize, Vec<usize>)> = None;
    for [along, start, end, step] in ranges(context, node)? {
        let along = axis(along, shape.len())?;
        let all = Integers::list((0..shape[along] as i64).collect());
        let picked = all.slice(0, start, end, step)?.extents()?;
        if (0..shape[along]).eq(picked.iter().copied()) {
            continue;
        }
        if found.replace((along, picked)).is_some() {
            return Err(UNSUPPORTED.to_owned());
        }
    }
    match found {
        None => Ok(Bound::Float(x)),
        Some((along, picked)) => {
            let name = node.output().to_owned();
            pick(context, node, x, along, &picked, &name)
        }
    }
}

/// `Split` of the channels of a float tensor, into parts of stated or of equal sizes.
pub(super) fn split(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let along = axis(node.int("axis", 0)?, shape.len())?;
    let stated = match node.opset {
        ..13 => node.ints("split")?.map(<[i64]>::to_vec),
        _ => context.optional_integers(node, 1)?.map(|list| list.data),
    };
    let count = node.output_count();
    let sizes: Vec<usize> = match stated {
        Some(list) => Integers::list(list).extents()?,
        None => {
            let each = shape[along].div_ceil(count.max(1));
            (0..count).map(|part| each.min(shape[along].saturating_sub(part * each))).collect()
        }
    };
    if sizes.len() != count || sizes.contains(&0) || sizes.iter().sum::<usize>() != shape[along] {
        return Err(format!("{} elements split into {count} parts of {sizes:?}", shape[along]));
    }
    let (mut start, mut first) = (0, None);
    for (part, size) in sizes.into_iter().enumerate() {
        let picked: Vec<usize> = (start..start + size).collect();
        start += size;
        if part == 0 {
            let name = node.output().to_owned();
            first = Some(pick(context, node, x, along, &picked, &name)?);
        } else if let Some(name) = context.wanted(node, part) {
            let bound = pick(context, node, x, along, &picked, name)?;
            context.bind(name, bound)?;
        }
    }
    first.ok_or_else(|| "a split into no parts".to_owned())
}

const UNSUPPORTED: &str = "some elements of the model's data along axes other than its channels; cut the model before this node, or \
                           choose a model without it";

/// Some of the channels of maps, in any order: a product with ones and zeros, which is exact in float32 and in int8.
fn pick(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    along: usize,
    picked: &[usize],
    name: &str,
) -> Outcome<Bound> {
    let shape = context.shape(x).to_vec();
    if (0..shape[along]).eq(picked.iter().copied()) {
        return Ok(Bound::Float(x));
    }
    let spatial = shape.len().saturating_sub(2);
    if along != 1 || !(2..=3).contains(&spatial) || picked.is_empty() {
        return Err(UNSUPPORTED.to_owned());
    }
    let count = picked.len().checked_mul(shape[1]).ok_or("too many channels")?;
    context.take_work(count as u64)?;
    let mut of_weight = vec![1; shape.len()];
    (of_weight[0], of_weight[1]) = (picked.len(), shape[1]);
    context.take_made(count)?;
    let mut ones = vec![0.0; count];
    picked.iter().enumerate().for_each(|(row, &channel)| ones[row * shape[1] + channel] = 1.0);
    let weight = context.graph.add_constant(format!("{name}_channels"), of_weight, ones);
    let weight = weight.map_err(|error| error.to_string())?;
    let conv = Op::Conv(Conv { window: Window::new(&vec![1; spatial]), groups: 1 });
    let node_name = if name == node.output() { node.name.as_str() } else { name };
    let added = context.graph.add_node(node_name, conv, vec![x, weight], name);
    added.map(Bound::Float).map_err(|error| error.to_string())
}
