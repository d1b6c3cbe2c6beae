//! A pool over windows of unlike sizes, as exporters write it out, as one product over places.
//!
//! PyTorch has no operator for it: places are gathered, so many for each window as the largest has, those too many are made 0 by a mask,
//! and what is left is added up and divided by each window's own size. All of that is linear and the same in every channel, so that one
//! matrix of places by places says it. In int8 its elements are then rounded once, and no constant with a number for each place is left.

use std::collections::BTreeSet;

use headstart::graph::{Binary, Graph, Node, Op, ValueId};

use crate::cut::layout::takes;

/// Most elements and terms of sums that are followed, over all tensors between the map and the pool.
const MAX_TERMS: usize = 1 << 22;

/// Most nodes between the map and the pool.
const MAX_CHAIN: usize = 256;

/// Most masks that are looked at in vain.
const MAX_VAIN: usize = 8;

/// Most elements of the matrix.
const MAX_MATRIX: usize = 1 << 20;

/// The graph with every such pool as a product; `None` where there is none.
pub(super) fn merged(graph: &Graph) -> Option<Graph> {
    let masks = graph.nodes.iter().filter(|node| masked(graph, node).is_some());
    let masks: Vec<ValueId> = masks.map(|node| node.output).collect();
    let (mut merged, mut vain) = (None::<Graph>, 0);
    for mask in masks {
        let graph = merged.as_ref().unwrap_or(graph);
        // A pool along both axes has two masks, the second of which is gone with the first.
        let Some(first) = graph.nodes.iter().position(|node| node.output == mask) else { continue };
        match pool(graph, first).and_then(|pool| replaced(graph, &pool)) {
            Some(with) => merged = Some(with),
            None => vain += 1,
        }
        if vain == MAX_VAIN {
            break;
        }
    }
    merged
}

/// The computed operand of a product with a mask of zeros and ones.
fn masked(graph: &Graph, node: &Node) -> Option<ValueId> {
    let (x, constant) = scaled(graph, node)?;
    let mut data = constant.iter();
    let is_mask = data.all(|&c| c == 0.0 || c == 1.0)
        && constant.contains(&0.0)
        && constant.contains(&1.0)
        && node.op == Op::Binary(Binary::Mul);
    is_mask.then_some(x)
}

/// The computed operand and the constant of a product or a quotient.
fn scaled<'a>(graph: &'a Graph, node: &Node) -> Option<(ValueId, &'a [f32])> {
    let &[a, b] = &node.inputs[..] else { return None };
    let known = |value: ValueId| graph.values[value].constant.as_deref();
    match (&node.op, known(a), known(b)) {
        (Op::Binary(Binary::Mul | Binary::Div), None, Some(constant)) => Some((a, constant)),
        (Op::Binary(Binary::Mul), Some(constant), None) => Some((b, constant)),
        _ => None,
    }
}

/// What is replaced: the map, the last node, and how much each place of the map is of each place of its result.
struct Pool {
    map: ValueId,
    last: usize,
    /// `[places of the map][places of the result]`.
    matrix: Vec<f32>,
}

/// The pool that the mask at node `first` belongs to.
fn pool(graph: &Graph, first: usize) -> Option<Pool> {
    let map = map_before(graph, graph.nodes[first].output)?;
    let &[1, channels, ..] = &graph.values[map].shape[..] else { return None };
    let (sums, chain) = follow(graph, map)?;
    let mut read_by = vec![Vec::new(); graph.values.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| read_by[input].push(at));
    }
    for &last in chain.iter().rev().take_while(|&&at| at > first) {
        let mut inside = BTreeSet::from([last]);
        for &at in chain.iter().rev().skip_while(|&&at| at >= last) {
            if read_by[graph.nodes[at].output].iter().any(|reader| inside.contains(reader)) {
                inside.insert(at);
            }
        }
        let is_closed = inside.iter().filter(|&&at| at != last).all(|&at| {
            let output = graph.nodes[at].output;
            read_by[output].iter().all(|reader| inside.contains(reader))
                && !graph.outputs.contains(&output)
                && graph.values[output].scale.is_none()
        });
        if !inside.contains(&first) || !is_closed {
            continue;
        }
        let output = graph.nodes[last].output;
        let matrix = sums[output].as_ref()?.matrix(graph, map, channels, output);
        if let Some(matrix) = matrix {
            return Some(Pool { map, last, matrix });
        }
    }
    None
}

/// The tensor in front of all that only moves elements before the mask.
fn map_before(graph: &Graph, mask: ValueId) -> Option<ValueId> {
    let mut at = mask;
    for node in graph.nodes.iter().rev() {
        if node.output != at {
            continue;
        }
        at = match &node.op {
            Op::Reshape { .. } | Op::Transpose { .. } => node.inputs[0],
            Op::Conv(_) if takes(graph, node) => node.inputs[0],
            _ => match scaled(graph, node) {
                Some((x, _)) => x,
                None => break,
            },
        };
    }
    (at != mask).then_some(at)
}

/// Of each element of a tensor, the elements of the map that it is a sum of, and how often.
struct Sums {
    /// Where the terms of each element begin, and the end.
    starts: Vec<u32>,
    terms: Vec<(u32, f32)>,
}

impl Sums {
    fn new() -> Self {
        Self { starts: vec![0], terms: Vec::new() }
    }

    fn of(&self, element: usize) -> &[(u32, f32)] {
        &self.terms[self.starts[element] as usize..self.starts[element + 1] as usize]
    }

    fn push(&mut self, terms: impl IntoIterator<Item = (u32, f32)>) {
        self.terms.extend(terms);
        // Far fewer than `MAX_TERMS`, twice.
        self.starts.push(self.terms.len() as u32);
    }

    /// What they take of the room.
    fn size(&self) -> usize {
        self.starts.len() + self.terms.len()
    }

    /// The matrix that the sums are in every channel of a result of that shape.
    fn matrix(
        &self,
        graph: &Graph,
        map: ValueId,
        channels: usize,
        result: ValueId,
    ) -> Option<Vec<f32>> {
        let shape = &graph.values[result].shape;
        let &[1, of_result, ..] = &shape[..] else { return None };
        let from = graph.values[map].shape[2..].iter().product::<usize>();
        let to = shape[2..].iter().product::<usize>();
        let count = from.checked_mul(to).filter(|count| (1..=MAX_MATRIX).contains(count))?;
        if of_result != channels {
            return None;
        }
        let mut matrix = vec![0.0; count];
        for place in 0..to {
            let terms = self.of(place);
            for channel in 1..channels {
                let others = self.of(channel * to + place).iter();
                let moved = terms.iter().map(|&(at, share)| (at + (channel * from) as u32, share));
                if !others.copied().eq(moved) {
                    return None;
                }
            }
            for &(at, share) in terms {
                let at = at as usize;
                *matrix.get_mut(at * to + place).filter(|_| at < from)? += share;
            }
        }
        Some(matrix)
    }
}

/// The sums of every tensor that is made of `map` by moving, scaling and adding elements, and the nodes that do it.
fn follow(graph: &Graph, map: ValueId) -> Option<(Vec<Option<Sums>>, Vec<usize>)> {
    let mut sums: Vec<Option<Sums>> = (0..graph.values.len()).map(|_| None).collect();
    let mut own = Sums::new();
    let count = graph.values[map].shape.iter().product::<usize>();
    let mut left = MAX_TERMS.checked_sub(count.checked_mul(2)?)?;
    (0..count).for_each(|at| own.push([(at as u32, 1.0)]));
    sums[map] = Some(own);
    let mut chain = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        if node.inputs.iter().all(|&input| sums[input].is_none()) {
            continue;
        }
        let Some(found) = of_node(graph, node, &sums, left) else { continue };
        left = left.saturating_sub(found.size());
        sums[node.output] = Some(found);
        chain.push(at);
        if chain.len() > MAX_CHAIN {
            break;
        }
    }
    Some((sums, chain))
}

/// The sums of a node's result; `None` for a node that does anything else, or for more than `most` terms.
fn of_node(graph: &Graph, node: &Node, sums: &[Option<Sums>], most: usize) -> Option<Sums> {
    let x = node.inputs[0];
    let shape = |value: ValueId| &graph.values[value].shape[..];
    let result = shape(node.output);
    let count = result.iter().product::<usize>();
    let mut found = Sums::new();
    match &node.op {
        Op::Reshape { .. } => {
            let x = sums[x].as_ref()?;
            (x.terms.len() + count <= most).then_some(())?;
            (0..count).for_each(|at| found.push(x.of(at).iter().copied()));
        }
        Op::Transpose { permutation } => {
            let (from, x) = (shape(x), sums[x].as_ref()?);
            (x.terms.len() + count <= most).then_some(())?;
            let stride = |axis: &usize| from[axis + 1..].iter().product::<usize>();
            let strides: Vec<usize> = permutation.iter().map(stride).collect();
            for at in 0..count {
                found.push(x.of(place(at, result, &strides)).iter().copied());
            }
        }
        Op::Conv(conv) if takes(graph, node) => {
            let (from, of, x) = (shape(x), shape(node.inputs[1]), sums[x].as_ref()?);
            let data = graph.values[node.inputs[1]].constant.as_deref()?;
            let row = data.len() / of[0].max(1);
            let each = of[2..].iter().product::<usize>();
            let places = result[2..].iter().product::<usize>();
            let extent = from[2..].iter().product::<usize>();
            for output in 0..result[0] * of[0] {
                let (sample, output) = (output / of[0], output % of[0]);
                let one = data[output * row..][..row].iter().position(|&w| w == 1.0)?;
                let group = output / (of[0] / conv.groups);
                let channel = sample * from[1] + group * of[1] + one / each;
                for at in 0..places {
                    let read = read(&conv.window, one % each, at, &result[2..], &from[2..]);
                    match read {
                        Some(read) => {
                            found.push(x.of(channel * extent + read).iter().copied());
                        }
                        None => found.push([]),
                    }
                    (found.size() <= most).then_some(())?;
                }
            }
        }
        Op::Binary(op @ (Binary::Add | Binary::Sub)) => {
            let &[a, b] = &node.inputs[..] else { return None };
            let sign = if *op == Binary::Add { 1.0 } else { -1.0 };
            if shape(a) != result || shape(b) != result {
                return None;
            }
            let (a, b) = (sums[a].as_ref()?, sums[b].as_ref()?);
            (a.terms.len() + b.terms.len() + count <= most).then_some(())?;
            for at in 0..count {
                let of_b = b.of(at).iter().map(|&(at, share)| (at, sign * share));
                found.push(a.of(at).iter().copied().chain(of_b));
            }
        }
        Op::Binary(op) => {
            let (x, constant) = scaled(graph, node)?;
            let other = node.inputs.iter().copied().find(|&input| input != x)?;
            let (own, x) = (shape(other), { (shape(x) == result).then_some(sums[x].as_ref()?)? });
            (x.terms.len() + count <= most).then_some(())?;
            // Axes that the constant has not, or of which it has one place, are the same everywhere.
            let missing = result.len().checked_sub(own.len())?;
            let stride = |axis: usize| match axis.checked_sub(missing) {
                Some(axis) if own[axis] > 1 => own[axis + 1..].iter().product::<usize>(),
                _ => 0,
            };
            let strides: Vec<usize> = (0..result.len()).map(stride).collect();
            for at in 0..count {
                let number = constant[place(at, result, &strides)];
                let factor = if *op == Binary::Div { 1.0 / number } else { number };
                let terms = x.of(at).iter().filter(|_| factor != 0.0);
                found.push(terms.map(|&(at, share)| (at, share * factor)));
            }
        }
        _ => return None,
    }
    Some(found)
}

/// Where element `at` of a tensor of that shape lies in one of those strides.
fn place(mut at: usize, shape: &[usize], strides: &[usize]) -> usize {
    let mut found = 0;
    for (&extent, &stride) in shape.iter().zip(strides).rev() {
        found += at % extent * stride;
        at /= extent;
    }
    found
}

/// The place of a map that a tap of a window reads for a place of the result; `None` for padding.
fn read(
    window: &headstart::graph::Window,
    mut tap: usize,
    mut at: usize,
    result: &[usize],
    extents: &[usize],
) -> Option<usize> {
    let (mut found, mut stride) = (0, 1);
    for axis in (0..extents.len()).rev() {
        let (own, of_tap) = (at % result[axis], tap % window.kernel[axis]);
        (at, tap) = (at / result[axis], tap / window.kernel[axis]);
        let from = own * window.strides[axis] + of_tap * window.dilations[axis];
        let from = from.checked_sub(window.pads_begin[axis]).filter(|&at| at < extents[axis])?;
        found += from * stride;
        stride *= extents[axis];
    }
    Some(found)
}

/// The graph with the product in the place of the pool's last node.
fn replaced(graph: &Graph, pool: &Pool) -> Option<Graph> {
    let &Pool { map, last, ref matrix } = pool;
    let end = &graph.nodes[last];
    let result = graph.values[end.output].shape.clone();
    let (channels, to) = (result[1], result[2..].iter().product::<usize>());
    let from = matrix.len() / to;
    let mut with = Graph { nodes: graph.nodes[..last].to_vec(), ..graph.clone() };
    let name = |what: &str| format!("{}_{what}", graph.values[end.output].name);
    let flat = Op::Reshape { shape: vec![1, channels, from] };
    let flat = with.add_node(name("places"), flat, vec![map], name("places")).ok()?;
    let weight = with.add_constant(name("shares"), vec![from, to], matrix.clone()).ok()?;
    let product = with.add_node(name("pooled"), Op::MatMul, vec![flat, weight], name("pooled"));
    let node = Node {
        name: end.name.clone(),
        op: Op::Reshape { shape: result },
        inputs: vec![product.ok()?],
        output: end.output,
    };
    with.nodes.push(node);
    with.nodes.extend_from_slice(&graph.nodes[last + 1..]);
    let mut needed = vec![false; with.values.len()];
    with.outputs.iter().for_each(|&output| needed[output] = true);
    for node in with.nodes.iter().rev() {
        if needed[node.output] {
            node.inputs.iter().for_each(|&input| needed[input] = true);
        }
    }
    with.nodes.retain(|node| needed[node.output]);
    Some(with)
}
