//! Blocks of places as channels, and back: reshapes and a transposition, which move elements and compute nothing.

use headstart::graph::{Op, ValueId};

use super::{Bound, Context, NodeView, Outcome, extent};

/// `SpaceToDepth`.
pub(super) fn space_to_depth(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let ([n, c, height, width], b) = blocks(context, node, x)?;
    if height % b != 0 || width % b != 0 {
        return Err(format!("blocks of {b} × {b} in a map of {height} × {width}"));
    }
    let split = vec![n, c, height / b, b, width / b, b];
    let split = context.derived(node, "blocks", Op::Reshape { shape: split }, vec![x])?;
    let turn = Op::Transpose { permutation: vec![0, 3, 5, 1, 2, 4] };
    let turned = context.derived(node, "turned", turn, vec![split])?;
    let channels = c.checked_mul(b * b).ok_or("too many channels")?;
    let shape = vec![n, channels, height / b, width / b];
    context.add(node, Op::Reshape { shape }, vec![turned])
}

/// `DepthToSpace`: which of the channels are a block's is said by its mode.
pub(super) fn depth_to_space(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let ([n, c, height, width], b) = blocks(context, node, x)?;
    if c % (b * b) != 0 {
        return Err(format!("blocks of {b} × {b} from {c} channels"));
    }
    let channels = c / (b * b);
    let (split, permutation) = match node.string("mode", "DCR")? {
        "DCR" => (vec![n, b, b, channels, height, width], vec![0, 3, 4, 1, 5, 2]),
        "CRD" => (vec![n, channels, b, b, height, width], vec![0, 1, 4, 2, 5, 3]),
        other => return Err(format!("mode {other:?}; DCR and CRD are supported")),
    };
    let split = context.derived(node, "blocks", Op::Reshape { shape: split }, vec![x])?;
    let turned = context.derived(node, "turned", Op::Transpose { permutation }, vec![split])?;
    let places = [height, width].map(|extent| extent.checked_mul(b).ok_or("too many places"));
    let [height, width] = [places[0]?, places[1]?];
    context.add(node, Op::Reshape { shape: vec![n, channels, height, width] }, vec![turned])
}

/// The extents of `x`, and of a block.
fn blocks(context: &Context<'_>, node: &NodeView<'_>, x: ValueId) -> Outcome<([usize; 4], usize)> {
    let shape = context.shape(x);
    let extents: [usize; 4] =
        shape.try_into().map_err(|_| format!("a tensor of shape {shape:?}; maps are supported"))?;
    let block = extent("blocksize", node.int("blocksize", 0)?)?;
    match block {
        1..=256 => Ok((extents, block)),
        _ => Err(format!("a blocksize of {block}; 1 to 256 are supported")),
    }
}
