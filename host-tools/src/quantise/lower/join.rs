//! Tensors of more axes than nodes have, with neighbouring axes joined that a node treats alike.

use headstart::graph::ValueId;

use super::{Lowering, Why, extents};
use crate::quantise::lowered::{LoweredNode, View};
use crate::quantise::rounding::Quantisation;

/// Axes that the device's tensors have: rows, columns and channels.
pub(super) const MOST_AXES: usize = 3;

/// Extents with the axes before and behind `axis` joined.
pub(super) fn around(dims: &[usize], axis: usize) -> Vec<usize> {
    let product = |dims: &[usize]| dims.iter().product();
    vec![product(&dims[..axis]), dims[axis], product(&dims[axis + 1..])]
}

/// Extents of two operands, with neighbouring axes joined along which the same one of them, both or none is repeated.
pub(super) fn alike(a: &[usize], b: &[usize]) -> [Vec<usize>; 2] {
    let (mut joined, mut last) = ([Vec::new(), Vec::new()], None);
    for (&a, &b) in a.iter().zip(b).filter(|&(&a, &b)| a > 1 || b > 1) {
        let kind = (a > 1, b > 1);
        if last.replace(kind) == Some(kind) {
            for (list, extent) in joined.iter_mut().zip([a, b]) {
                *list.last_mut().expect("one was pushed before") *= extent;
            }
        } else {
            joined[0].push(a);
            joined[1].push(b);
        }
    }
    joined
}

impl Lowering<'_> {
    /// A view's elements with other extents, copied if they must be.
    pub(super) fn reshaped(&mut self, view: &View, dims: &[usize]) -> Result<View, Why> {
        if let Some(reshaped) = view.reshape(dims) {
            return Ok(reshaped);
        }
        let order = view.order_for_reshape(dims);
        let value = self.in_order(view, &order)?;
        let copied = View::contiguous(value, view.dims.clone(), &order);
        copied.reshape(dims).ok_or_else(|| format!("a reshape to {dims:?} that mixes axes").into())
    }

    /// [`define`](Self::define) of a node whose result has other extents, which lie in `order`.
    pub(super) fn define_as(
        &mut self,
        output: ValueId,
        node: LoweredNode,
        dims: Vec<usize>,
        order: &[usize],
        quantisation: Quantisation,
    ) -> Result<(), Why> {
        let own = self.dims(output)?;
        let value = self.push(node, extents(&dims, order), quantisation);
        let view = View::contiguous(value, dims, order);
        let view = if view.dims == own { Some(view) } else { view.reshape(&own) };
        self.lowered.views[output] = Some(view.ok_or("a result of axes that were joined")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_joined_where_both_operands_go_along_them_alike() {
        assert_eq!(alike(&[2, 3, 4, 5], &[2, 3, 1, 1]), [vec![6, 20], vec![6, 1]]);
        assert_eq!(alike(&[2, 3, 4, 5], &[2, 1, 1, 5]), [vec![2, 12, 5], vec![2, 1, 5]]);
        assert_eq!(alike(&[1, 3, 1, 5], &[1, 3, 1, 5]), [vec![15], vec![15]]);
        assert_eq!(around(&[2, 3, 4, 5], 1), [2, 3, 20]);
    }
}
