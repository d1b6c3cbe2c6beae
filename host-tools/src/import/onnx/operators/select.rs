use headstart::graph::{Op, ValueId};

use super::super::attributes::axis;
use super::super::integers::Integers;
use super::shape_arithmetic::ranges;
use super::take::{Taken, take};
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
    let result = [&shape[..at], &indices.shape, &shape[at + 1..]].concat();
    if (0..shape[at]).eq(picked.iter().copied()) {
        // All of them, as PyTorch writes the mean of a map with channels last.
        return context.add(node, Op::Reshape { shape: result }, vec![x]);
    }
    let taken = vec![Taken { axis: at, places: picked }];
    if indices.shape.len() == 1 {
        return take(context, node, x, taken, node.output()).map(Bound::Float);
    }
    let name = format!("{}_taken", node.output());
    let found = take(context, node, x, taken, &name)?;
    context.add(node, Op::Reshape { shape: result }, vec![found])
}

/// `GatherND` of a float tensor at known places: all elements behind one axis, or behind the first ones.
pub(super) fn gather_nd(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let indices = context.integers(node, 1)?;
    let batch = usize::try_from(node.int("batch_dims", 0)?).map_err(|_| "negative batch_dims")?;
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let Some((&depth, outer)) = indices.shape.split_last() else {
        return Err("indices without an axis".to_owned());
    };
    let first = batch + depth;
    if depth == 0 || first > shape.len() || batch > 1 || outer.get(..batch) != Some(&shape[..batch])
    {
        return Err(format!("indices of shape {:?} into {shape:?}", indices.shape));
    }
    // Places as numbers in the axes that they are of, flattened.
    let axes = &shape[batch..first];
    let places = indices.data.chunks_exact(depth).map(|place| {
        place.iter().zip(axes).try_fold(0_usize, |at, (&index, &extent)| {
            let next = at.checked_mul(extent).ok_or("too many elements")?;
            Ok(next + axis(index, extent)?)
        })
    });
    let places = places.collect::<Outcome<Vec<usize>>>()?;
    let count: usize = axes.iter().product();
    let result = [outer, &shape[first..]].concat();
    if batch == 0 && (0..count).eq(places.iter().copied()) {
        return context.add(node, Op::Reshape { shape: result }, vec![x]);
    }
    // The batch is one of the axes that the places are of, and its only place is 0, or one of those behind them.
    let is_one = shape[0] == 1 || (batch == 0 && shape[first..].contains(&1));
    if is_one {
        let flat = vec![1, count, shape[first..].iter().product()];
        return taken_flat(context, node, x, flat, places, result);
    }
    Err("samples of a batch; cut the model before this node, or choose a model without it"
        .to_owned())
}

/// What is taken of `x` in a shape with the axis 1 that it is taken along.
fn taken_flat(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    flat: Vec<usize>,
    places: Vec<usize>,
    result: Vec<usize>,
) -> Outcome<Bound> {
    let reshaped = context.reshaped(node, x, flat)?;
    let name = format!("{}_taken", node.output());
    let found = take(context, node, reshaped, vec![Taken { axis: 1, places }], &name)?;
    context.add(node, Op::Reshape { shape: result }, vec![found])
}

/// `Expand`: axes of extent 1 repeated.
pub(super) fn expand(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let target = context.integers(node, 1)?.extents()?;
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let rank = shape.len().max(target.len());
    let filled = |list: &[usize]| [&vec![1; rank - list.len()][..], list].concat();
    let (from, to) = (filled(&shape), filled(&target));
    if from.iter().zip(&to).any(|(&from, &to)| from != to && from != 1 && to != 1) {
        return Err(format!("{shape:?} does not expand to {target:?}"));
    }
    let times = from.iter().zip(&to).map(|(&from, &to)| if from == 1 { to } else { 1 });
    let times: Vec<usize> = times.collect();
    let x = if from == shape { x } else { context.reshaped(node, x, from)? };
    repeated(context, node, x, &times)
}

/// `Tile`: axes repeated.
pub(super) fn tile(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let times = context.integers(node, 1)?.extents()?;
    let x = context.float(node, 0)?;
    if times.len() != context.shape(x).len() {
        return Err(format!("{times:?} times {:?}", context.shape(x)));
    }
    repeated(context, node, x, &times)
}

fn repeated(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    times: &[usize],
) -> Outcome<Bound> {
    let shape = context.shape(x).to_vec();
    let mut taken = Vec::new();
    for (axis, (&extent, &times)) in shape.iter().zip(times).enumerate().filter(|(_, t)| *t.1 != 1)
    {
        let count = extent.checked_mul(times).ok_or("too many elements")?;
        context.take_made(count)?;
        taken.push(Taken { axis, places: (0..count).map(|place| place % extent).collect() });
    }
    take(context, node, x, taken, node.output()).map(Bound::Float)
}

/// `Slice` of a float tensor.
pub(super) fn slice(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    if let Bound::Integers(_) = context.operand(node, 0)? {
        return super::shape_arithmetic::slice(context, node);
    }
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let mut taken = Vec::new();
    for [along, start, end, step] in ranges(context, node)? {
        let along = axis(along, shape.len())?;
        let all = Integers::list((0..shape[along] as i64).collect());
        taken.push(Taken { axis: along, places: all.slice(0, start, end, step)?.extents()? });
    }
    take(context, node, x, taken, node.output()).map(Bound::Float)
}

/// `Split` of a float tensor along one axis, into parts of stated or of equal sizes.
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
        let taken = vec![Taken { axis: along, places: (start..start + size).collect() }];
        start += size;
        if part == 0 {
            first = Some(Bound::Float(take(context, node, x, taken, node.output())?));
        } else if let Some(name) = context.wanted(node, part) {
            let found = take(context, node, x, taken, name)?;
            context.bind(name, Bound::Float(found))?;
        }
    }
    first.ok_or_else(|| "a split into no parts".to_owned())
}
