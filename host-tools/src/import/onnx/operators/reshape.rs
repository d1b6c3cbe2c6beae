use headstart::graph::{MAX_RANK, Op, elements};

use super::super::attributes::{axes, axis};
use super::{Bound, Context, NodeView, Outcome};

/// `Reshape`: 0 keeps an extent (unless `allowzero`), one −1 takes what is left.
pub(super) fn reshape(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let source = operand_shape(context, node)?;
    let target = context.integers(node, 1)?.data;
    let keep_zero = node.flag("allowzero", false)?;
    let mut shape = Vec::with_capacity(target.len());
    let mut rest = None;
    for (i, &extent) in target.iter().enumerate() {
        shape.push(match extent {
            0 if !keep_zero => *source
                .get(i)
                .ok_or_else(|| format!("{target:?} keeps dimension {i} of {source:?}"))?,
            -1 if rest.is_none() => {
                rest = Some(i);
                1
            }
            _ => usize::try_from(extent)
                .map_err(|_| format!("{target:?} is no shape for {source:?}"))?,
        });
    }
    if let Some(rest) = rest {
        let count = elements(&source).map_err(|error| error.to_string())?;
        let others = elements(&shape).map_err(|error| error.to_string())?;
        if others == 0 || count % others != 0 {
            return Err(format!("{source:?} does not reshape to {target:?}"));
        }
        shape[rest] = count / others;
    }
    with_shape(context, node, shape)
}

/// `Flatten`: two dimensions, cut at `axis`.
pub(super) fn flatten(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let source = operand_shape(context, node)?;
    let at = node.int("axis", 1)?;
    // The axis may lie one past the last dimension.
    let at = if at < 0 { axis(at, source.len())? } else { axis(at, source.len() + 1)? };
    let count = |part: &[usize]| elements(part).map_err(|error| error.to_string());
    let shape = vec![count(&source[..at])?, count(&source[at..])?];
    with_shape(context, node, shape)
}

/// `Squeeze`: drops the named dimensions, or all of extent 1.
pub(super) fn squeeze(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let source = operand_shape(context, node)?;
    let dropped = match listed_axes(context, node)? {
        Some(list) => axes(&list, source.len())?,
        None => (0..source.len()).filter(|&i| source[i] == 1).collect(),
    };
    if dropped.iter().any(|&i| source[i] != 1) {
        return Err(format!("dimensions {dropped:?} of {source:?} are not all 1"));
    }
    let kept = source.iter().enumerate().filter(|(i, _)| !dropped.contains(i));
    let shape = kept.map(|(_, &extent)| extent).collect();
    with_shape(context, node, shape)
}

/// `Unsqueeze`: new dimensions of extent 1, named by their place in the result.
pub(super) fn unsqueeze(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let source = operand_shape(context, node)?;
    let list = listed_axes(context, node)?.ok_or("axes are missing")?;
    if source.len() + list.len() > MAX_RANK {
        return Err(format!(
            "{} new dimensions; at most {MAX_RANK} in all are supported",
            list.len()
        ));
    }
    let new = axes(&list, source.len() + list.len())?;
    let mut shape = source;
    for axis in new {
        shape.insert(axis, 1);
    }
    with_shape(context, node, shape)
}

/// The axes of `Squeeze` and `Unsqueeze`: an attribute until operator set 12, an operand since.
fn listed_axes(context: &Context<'_>, node: &NodeView<'_>) -> Outcome<Option<Vec<i64>>> {
    if node.opset < 13 {
        return Ok(node.ints("axes")?.map(<[i64]>::to_vec));
    }
    Ok(context.optional_integers(node, 1)?.map(|list| list.data))
}

/// The shape of operand 0.
pub(super) fn operand_shape(context: &Context<'_>, node: &NodeView<'_>) -> Outcome<Vec<usize>> {
    if let Bound::Integers(integers) = context.operand(node, 0)? {
        return Ok(integers.shape.clone());
    }
    Ok(context.shape(context.float(node, 0)?).to_vec())
}

/// The same elements in another shape.
fn with_shape(context: &mut Context<'_>, node: &NodeView<'_>, shape: Vec<usize>) -> Outcome<Bound> {
    if let Bound::Integers(integers) = context.operand(node, 0)? {
        let result = integers.clone().reshaped(shape)?;
        return context.integers_result(result);
    }
    let x = context.float(node, 0)?;
    context.add(node, Op::Reshape { shape }, vec![x])
}
