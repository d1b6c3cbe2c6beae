//! Rewrites an imported graph into fewer nodes that compute the same.
//!
//! Every rule is a function of one node: it looks backwards from there, and rewrites that node in
//! place. A rule never drops a value that something else still reads. [`simplify`] applies all of
//! them until none fires. Only `places`, which needs more than a node for what it replaces, goes before them.

mod activation;
mod affine;
mod batch_norm;
mod fold;
mod gelu;
mod identity;
mod matrix;
mod pad;
mod places;
mod rewrite;
mod shape;
#[cfg(test)]
mod testing;

use headstart::graph::{Graph, Node, Value};

use crate::import::imported::Aliases;
use rewrite::Rewrite;

/// A function that evaluates a node whose operands are all constant; `None` if it cannot.
pub type Fold<'a> = dyn FnMut(&Node, &[&Value]) -> Option<Vec<f32>> + 'a;

type Rule = fn(&mut Rewrite<'_>, usize) -> bool;

const RULES: &[Rule] = &[
    identity::remove,
    matrix::matmul_to_gemm,
    batch_norm::into_producer,
    affine::into_producer,
    activation::merge_bounds,
    activation::fuse_product,
    activation::fuse_scaled,
    gelu::fuse,
    pad::into_window,
    shape::merge,
];

/// Passes over the graph after which it is left as it is; each one shortens every chain of nodes,
/// so that real networks take three or four.
const MAX_PASSES: usize = 32;

/// Simplifies a graph: same inputs, same outputs, same values to within float rounding.
///
/// Names that vanish although the graph still has their value are added to `aliases`.
#[must_use]
pub fn simplify(graph: &Graph, aliases: &mut Aliases, evaluate: &mut Fold<'_>) -> Graph {
    let pooled = places::merged(graph);
    let mut rewrite = Rewrite::new(pooled.as_ref().unwrap_or(graph), aliases);
    for _ in 0..MAX_PASSES {
        let mut changed = false;
        for node in 0..rewrite.node_count() {
            for rule in RULES {
                changed |= !rewrite.is_removed(node) && rule(&mut rewrite, node);
            }
            changed |= !rewrite.is_removed(node) && fold::constant(&mut rewrite, node, evaluate);
        }
        if !changed {
            break;
        }
    }
    rewrite.finish()
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Binary, Op};

    use super::testing::{Sketch, gemm};

    /// Each step would rewrite all weights: some do, and the rest stays as it is.
    #[test]
    fn a_chain_behind_a_large_layer_is_not_rewritten_again_and_again() {
        let mut sketch = Sketch::new(&[1, 16]);
        let weight = sketch.weight(&[16, 16384]);
        let factor = sketch.constant(&[], &[0.5]);
        let mut y = sketch.node(gemm(false), &[0, weight]);
        for _ in 0..60 {
            y = sketch.node(Op::Binary(Binary::Mul), &[y, factor]);
        }
        let simple = sketch.check(&[y]);
        assert!((2..61).contains(&simple.nodes.len()), "{}", simple.nodes.len());
    }
}
