//! Finds out which axes of a tensor are places and which one holds its channels: what pooling must know.
//!
//! Convolutions have their channels behind the batch; from there on an axis is followed through transpositions,
//! reshapes and sums. So a map is pooled over its places however an exporter has turned it, and a tensor of which this
//! cannot be said is not pooled at all.

use std::ops::Range;

use headstart::graph::{Graph, Node, Op, ValueId};

/// Axes of a tensor without the batch, from 0 on: the places, outermost first, then the channels. This is the order in which features lie
/// on a device.
pub type Order = Vec<usize>;

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Nothing says it.
    Unknown,
    Channel,
    Place,
    /// Several things at once, as in a flattened map.
    Mixed,
}

use Role::{Channel, Mixed, Place, Unknown};

/// The order of every tensor's axes; `None` where it cannot be known which of them are places.
#[must_use]
pub fn orders(graph: &Graph) -> Vec<Option<Order>> {
    let mut roles: Vec<Vec<Role>> =
        graph.values.iter().map(|value| vec![Unknown; rank(&value.shape)]).collect();
    for &input in &graph.inputs {
        roles[input] = of_input(dims(&graph.values[input].shape));
    }
    for node in &graph.nodes {
        let found = of_result(graph, node, &roles);
        if found.len() == rank(&graph.values[node.output].shape) {
            roles[node.output] = found;
        }
    }
    let of_value = |(value, roles): (_, &Vec<Role>)| order(dims(value), roles);
    graph.values.iter().map(|value| &value.shape[..]).zip(&roles).map(of_value).collect()
}

/// The order of one tensor's axes.
#[must_use]
pub fn order_of(graph: &Graph, value: ValueId) -> Option<Order> {
    orders(graph).swap_remove(value)
}

/// Whether an input's own axes (batch left out) are channels first. They are unless the last of three axes alone looks
/// like colours.
#[must_use]
pub fn is_channels_first(dims: &[usize]) -> bool {
    let is_colour = |n: usize| n == 1 || n == 3;
    !matches!(dims, [first, _, last] if is_colour(*last) && !is_colour(*first))
}

fn rank(shape: &[usize]) -> usize {
    shape.len().saturating_sub(1)
}

fn dims(shape: &[usize]) -> &[usize] {
    shape.get(1..).unwrap_or_default()
}

/// Images are known by their colours; of a recording it is not known what its axes are before a layer reads it.
fn of_input(dims: &[usize]) -> Vec<Role> {
    match dims.len() {
        3 if is_channels_first(dims) => channels_first(3),
        3 => vec![Place, Place, Channel],
        rank => vec![Unknown; rank],
    }
}

/// Whether a convolution only takes elements and learned nothing: every row of its weights is a single 1 and zeros, and nothing is added.
#[must_use]
pub fn takes(graph: &Graph, node: &Node) -> bool {
    let [_, weight] = node.inputs[..] else { return false };
    let value = &graph.values[weight];
    let (Some(data), Some(&rows)) = (value.constant.as_deref(), value.shape.first()) else {
        return false;
    };
    let is_taken = |row: &[f32]| {
        row.iter().all(|&w| w == 0.0 || w == 1.0) && row.iter().filter(|&&w| w == 1.0).count() == 1
    };
    data.chunks_exact((data.len() / rows.max(1)).max(1)).all(is_taken)
}

fn channels_first(rank: usize) -> Vec<Role> {
    (0..rank).map(|axis| if axis == 0 { Channel } else { Place }).collect()
}

fn of_result(graph: &Graph, node: &Node, roles: &[Vec<Role>]) -> Vec<Role> {
    let shape = |id: ValueId| dims(&graph.values[id].shape);
    let x = &roles[node.inputs[0]];
    match &node.op {
        // What only takes some of the elements leaves the axes what they are.
        Op::Conv(_) if takes(graph, node) && x.iter().any(|&role| role != Unknown) => x.clone(),
        Op::Conv(_) => channels_first(x.len()),
        // By definition they read channels first; what is known of the tensor is better.
        Op::BatchNormalization { .. }
        | Op::MaxPool(_)
        | Op::MaxPoolIndices(_)
        | Op::AveragePool(_)
        | Op::GlobalAveragePool
        | Op::Resize(_)
            if x.iter().all(|&role| role == Unknown) =>
        {
            channels_first(x.len())
        }
        Op::BatchNormalization { .. }
        | Op::MaxPool(_)
        | Op::MaxPoolIndices(_)
        | Op::AveragePool(_)
        | Op::GlobalAveragePool
        | Op::Resize(_)
        | Op::Activation(_)
        | Op::PRelu
        | Op::Softmax { .. }
        | Op::Pad(_) => x.clone(),
        Op::Binary(_) | Op::Concat { .. } => {
            let operands = node.inputs.iter().map(|&id| (shape(id), &roles[id][..]));
            side_by_side(operands, shape(node.output))
        }
        Op::ReduceMean { keep_dims: true, .. } => x.clone(),
        Op::ReduceMean { axes, .. } => {
            let kept = x.iter().enumerate().filter(|(axis, _)| !axes.contains(&(axis + 1)));
            kept.map(|(_, &role)| role).collect()
        }
        Op::Transpose { permutation } => {
            let behind = permutation.iter().skip(1);
            behind.filter_map(|axis| x.get(axis.checked_sub(1)?).copied()).collect()
        }
        Op::Reshape { .. } => reshaped(x, shape(node.inputs[0]), shape(node.output)),
        Op::Gemm(_) => vec![Channel],
        Op::MatMul => {
            let second = node.inputs[1];
            let computed = graph.values[second].constant.is_none().then_some(&roles[second][..]);
            product(x, computed, shape(node.inputs[0]))
        }
    }
}

/// Operands whose axes, counted from the last, count the same wherever they are as long as the result's.
fn side_by_side<'a>(
    operands: impl Iterator<Item = (&'a [usize], &'a [Role])>,
    result: &[usize],
) -> Vec<Role> {
    let mut merged = vec![Unknown; result.len()];
    for (dims, roles) in operands {
        let whole = merged.iter_mut().zip(result).rev().zip(dims.iter().zip(roles).rev());
        for ((merged, &result), (&extent, &role)) in whole {
            // Along a concatenation's axis all operands are shorter.
            if extent == 1 && result > 1 {
                continue;
            }
            *merged = match (*merged, role) {
                (Unknown, role) | (role, Unknown) => role,
                (a, b) if a == b => a,
                _ => Mixed,
            };
        }
    }
    merged
}

/// A matrix product over the last axis of `x`: by weights, or by another tensor's.
fn product(x: &[Role], other: Option<&[Role]>, dims: &[usize]) -> Vec<Role> {
    let mut roles = x.to_vec();
    let Some((contracted, rest)) = roles.split_last_mut() else { return roles };
    match other {
        Some(other) => *contracted = other.last().copied().unwrap_or(Unknown),
        None => {
            let has_channels =
                rest.iter().zip(dims).any(|(&role, &extent)| role == Channel && extent > 1);
            // Weights that mix the places of every channel give places.
            *contracted = if *contracted == Place && has_channels { Place } else { Channel };
        }
    }
    if *contracted == Channel {
        rest.iter_mut().filter(|role| **role == Unknown).for_each(|role| *role = Place);
    }
    roles
}

fn reshaped(x: &[Role], from: &[usize], to: &[usize]) -> Vec<Role> {
    let mut roles = vec![Unknown; to.len()];
    for Group { from: old, to: new } in groups(from, to).unwrap_or_default() {
        let long = old.clone().filter(|&axis| from[axis] > 1).map(|axis| x[axis]);
        let long: Vec<Role> = long.collect();
        let role = match long.split_first() {
            Some((first, rest)) if rest.iter().all(|role| role == first) => *first,
            Some(_) => Mixed,
            None => old.map(|axis| x[axis]).find(|&role| role != Unknown).unwrap_or(Unknown),
        };
        for axis in new.filter(|&axis| to[axis] > 1 || long.is_empty()) {
            roles[axis] = role;
        }
    }
    roles
}

/// Places first, then the channels, if every axis is one of them. Axes of one element may be anything.
fn order(dims: &[usize], roles: &[Role]) -> Option<Order> {
    if dims.len() <= 1 {
        return Some((0..dims.len()).collect());
    }
    let of = |role: Role| (0..dims.len()).filter(move |&axis| roles[axis] == role);
    let is_long = |axis: &usize| dims[*axis] > 1;
    let channels = match (of(Channel).filter(is_long).count(), of(Channel).next()) {
        (1, _) => of(Channel).find(is_long)?,
        (0, Some(axis)) => axis,
        (0, None) => (0..dims.len()).find(|axis| dims[*axis] == 1)?,
        _ => return None,
    };
    let places: Vec<usize> = (0..dims.len()).filter(|&axis| axis != channels).collect();
    let known = places.iter().all(|&axis| roles[axis] == Place || dims[axis] == 1);
    (known && places.len() <= 2).then(|| places.into_iter().chain([channels]).collect())
}

/// Neighbouring axes of one shape that hold as many elements as neighbouring axes of another.
pub(crate) struct Group {
    pub(crate) from: Range<usize>,
    pub(crate) to: Range<usize>,
}

/// How the axes of a reshape belong together; `None` for shapes of other sizes, or without an element.
pub(crate) fn groups(from: &[usize], to: &[usize]) -> Option<Vec<Group>> {
    if from.iter().product::<usize>() != to.iter().product::<usize>() || from.contains(&0) {
        return None;
    }
    let mut groups = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < from.len() || j < to.len() {
        let (start_i, start_j) = (i, j);
        let (mut a, mut b) = (1, 1);
        loop {
            if a <= b && i < from.len() && (a < b || i == start_i) {
                a *= from[i];
                i += 1;
            } else if j < to.len() && (b < a || j == start_j) {
                b *= to[j];
                j += 1;
            } else {
                break;
            }
        }
        groups.push(Group { from: start_i..i, to: start_j..j });
    }
    Some(groups)
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Binary, Conv, Window};

    use super::*;

    /// A graph, and a convolution to `channels` on top of its input.
    struct Sketch(Graph);

    impl Sketch {
        fn new(shape: &[usize]) -> Self {
            let mut graph = Graph::default();
            let x = graph.add_value("x", shape.to_vec());
            graph.inputs.push(x);
            Self(graph)
        }

        fn weight(&mut self, shape: &[usize]) -> ValueId {
            let data = vec![0.5; shape.iter().product()];
            self.0.add_constant("w", shape.to_vec(), data).unwrap()
        }

        fn node(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
            let name = format!("t{}", self.0.values.len());
            self.0.add_node(name.clone(), op, inputs.to_vec(), name).unwrap()
        }

        fn conv(&mut self, x: ValueId, channels: usize) -> ValueId {
            let shape = self.0.values[x].shape.clone();
            let mut weight = vec![1; shape.len()];
            (weight[0], weight[1]) = (channels, shape[1]);
            let weight = self.weight(&weight);
            let window = Window::new(&vec![1; shape.len() - 2]);
            self.node(Op::Conv(Conv { window, groups: 1 }), &[x, weight])
        }

        fn transpose(&mut self, x: ValueId, permutation: &[usize]) -> ValueId {
            self.node(Op::Transpose { permutation: permutation.to_vec() }, &[x])
        }

        fn reshape(&mut self, x: ValueId, shape: &[usize]) -> ValueId {
            self.node(Op::Reshape { shape: shape.to_vec() }, &[x])
        }

        fn order(&self, value: ValueId) -> Option<Order> {
            order_of(&self.0, value)
        }
    }

    #[test]
    fn channels_are_followed_through_transpositions() {
        let mut sketch = Sketch::new(&[1, 8, 6, 3]);
        let x = sketch.transpose(0, &[0, 3, 1, 2]);
        let map = sketch.conv(x, 96);
        assert_eq!(sketch.order(map), Some(vec![1, 2, 0]));
        let last = sketch.transpose(map, &[0, 2, 3, 1]);
        assert_eq!(sketch.order(last), Some(vec![0, 1, 2]));
        let relu = sketch.node(Op::Activation(Activation::Relu), &[last]);
        let sum = sketch.node(Op::Binary(Binary::Add), &[last, relu]);
        assert_eq!(sketch.order(sum), Some(vec![0, 1, 2]));
        let mean = Op::ReduceMean { axes: vec![1, 2], keep_dims: true };
        let mean = sketch.node(mean, &[sum]);
        assert_eq!(sketch.order(mean), Some(vec![0, 1, 2]));
        let between = sketch.transpose(map, &[0, 2, 1, 3]);
        assert_eq!(sketch.order(between), Some(vec![0, 2, 1]));
    }

    #[test]
    fn a_pooled_vector_that_gets_places_back_has_its_channels_last() {
        let mut sketch = Sketch::new(&[1, 3, 8, 8]);
        let map = sketch.conv(0, 96);
        let pooled = sketch.node(Op::GlobalAveragePool, &[map]);
        let flat = sketch.reshape(pooled, &[1, 96]);
        assert_eq!(sketch.order(flat), Some(vec![0]));
        let again = sketch.reshape(flat, &[1, 1, 1, 96]);
        assert_eq!(sketch.order(again), Some(vec![0, 1, 2]));
        let last = sketch.transpose(pooled, &[0, 2, 3, 1]);
        assert_eq!(sketch.order(last), Some(vec![0, 1, 2]));
    }

    #[test]
    fn places_become_tokens_and_tokens_have_their_channels_last() {
        let mut sketch = Sketch::new(&[1, 3, 8, 8]);
        let map = sketch.conv(0, 12);
        let rows = sketch.reshape(map, &[1, 12, 64]);
        assert_eq!(sketch.order(rows), Some(vec![1, 0]));
        let tokens = sketch.transpose(rows, &[0, 2, 1]);
        assert_eq!(sketch.order(tokens), Some(vec![0, 1]));
        let weight = sketch.weight(&[12, 20]);
        let wide = sketch.node(Op::MatMul, &[tokens, weight]);
        assert_eq!(sketch.order(wide), Some(vec![0, 1]));
        // Every token with every other: no axis is one of channels.
        let turned = sketch.transpose(tokens, &[0, 2, 1]);
        let scores = sketch.node(Op::MatMul, &[tokens, turned]);
        assert_eq!(sketch.order(scores), None);
        let mixed = sketch.node(Op::MatMul, &[scores, tokens]);
        assert_eq!(sketch.order(mixed), Some(vec![0, 1]));
        // Weights that mix the tokens of a channel.
        let weight = sketch.weight(&[64, 64]);
        let along = sketch.node(Op::MatMul, &[turned, weight]);
        assert_eq!(sketch.order(along), Some(vec![1, 0]));
    }

    #[test]
    fn shuffled_channels_are_channels_and_a_flattened_map_is_unknown() {
        let mut sketch = Sketch::new(&[1, 3, 4, 5]);
        let map = sketch.conv(0, 6);
        let split = sketch.reshape(map, &[1, 2, 3, 4, 5]);
        assert_eq!(sketch.order(split), None);
        let swapped = sketch.transpose(split, &[0, 2, 1, 3, 4]);
        let shuffled = sketch.reshape(swapped, &[1, 6, 4, 5]);
        assert_eq!(sketch.order(shuffled), Some(vec![1, 2, 0]));
        let flat = sketch.reshape(map, &[1, 120]);
        let unfolded = sketch.reshape(flat, &[1, 6, 4, 5]);
        assert_eq!((sketch.order(flat), sketch.order(unfolded)), (Some(vec![0]), None));
    }

    #[test]
    fn a_recording_is_known_once_a_layer_reads_it() {
        let mut sketch = Sketch::new(&[1, 50, 9]);
        let relu = sketch.node(Op::Activation(Activation::Relu), &[0]);
        assert_eq!(sketch.order(relu), None);
        let weight = sketch.weight(&[9, 20]);
        let dense = sketch.node(Op::MatMul, &[relu, weight]);
        assert_eq!(sketch.order(dense), Some(vec![0, 1]));
        let map = sketch.conv(relu, 7);
        assert_eq!(sketch.order(map), Some(vec![1, 0]));
    }

    #[test]
    fn a_map_of_one_channel_has_places() {
        let mut sketch = Sketch::new(&[1, 3, 4, 5]);
        let map = sketch.conv(0, 1);
        assert_eq!(sketch.order(map), Some(vec![1, 2, 0]));
        let last = sketch.transpose(map, &[0, 2, 3, 1]);
        assert_eq!(sketch.order(last), Some(vec![0, 1, 2]));
    }
}
