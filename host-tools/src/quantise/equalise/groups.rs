//! Which tensors of a graph may have a scale a channel, and which of them share it.
//!
//! A channel may be divided by a factor wherever the node that writes it can divide by it and every node that reads it can take it back.
//! Weights do both. A function of one element does both by a table a channel. Sums, clamps, maxima and means hand factors on, so that
//! what they read and write shares them. A product has those of its operands, multiplied, and channels side by side have those of theirs.
//! All else has one scale.

use headstart::graph::{Activation, Binary, Graph, Node, Op, PadMode, ValueId};

/// Tensors that share the factors of their channels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) members: Vec<ValueId>,
    pub(super) channels: usize,
    /// The operands of the product whose factors these are.
    pub(super) product: Option<[ValueId; 2]>,
    /// The tensors whose channels stand side by side in these, and how many each has; empty where the factors are no others'.
    pub(super) joined: Vec<(ValueId, usize)>,
    /// Results of clamps from 0, and their upper bounds: as integers these are the same in all channels.
    pub(super) bounds: Vec<(ValueId, f32)>,
}

/// Axes of a tensor that a table a channel can be made of, batch included.
const MOST_AXES: usize = 4;

/// Channels of all groups together: a graph with more has one scale a tensor.
const MOST_CHANNELS: usize = 1 << 22;

/// The groups of a graph: those of operands stand before those of products and of channels side by side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    /// The group of every value; `None` for a tensor of one scale.
    pub(super) of: Vec<Option<usize>>,
}

/// How a node treats the factors of what it reads and writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    /// Weights or a table take factors back and give others.
    Free,
    /// The result has the operands' factors.
    Same,
    /// The result has the factors of both operands, multiplied.
    Product,
    /// The result has the factors of its operands, side by side.
    Joined,
    /// The second operand has one scale, the result has the factors of the first.
    First,
    /// All have one scale.
    One,
}

impl Groups {
    pub(super) fn new(graph: &Graph) -> Self {
        let mut sets = Sets::new(graph);
        let (mut products, mut joins) = (Vec::new(), Vec::new());
        let mut bounds = Vec::new();
        for node in &graph.nodes {
            match role(graph, node) {
                Role::Free => {}
                Role::Same => computed(graph, node).for_each(|id| sets.unite(id, node.output)),
                Role::First => {
                    sets.unite(node.inputs[0], node.output);
                    sets.fix(node.inputs[1]);
                }
                Role::Product => products.push(node),
                Role::Joined => joins.push(node),
                Role::One => {
                    computed(graph, node).for_each(|id| sets.fix(id));
                    sets.fix(node.output);
                }
            }
            if let Op::Activation(Activation::Clip { max, .. }) = node.op {
                bounds.push((node.output, max));
            }
        }
        sets.settle(graph, &products, &joins);
        let mut groups = Self { all: Vec::new(), of: vec![None; graph.values.len()] };
        let mut group_of = vec![None; graph.values.len() + 1];
        // Nodes stand behind what they read: so do the groups of products.
        for value in graph.nodes.iter().map(|node| node.output) {
            let root = sets.root(value);
            if root == sets.one() {
                continue;
            }
            let group = *group_of[root].get_or_insert_with(|| {
                let channels = graph.values[value].shape[1];
                groups.all.push(Group { channels, ..Group::default() });
                groups.all.len() - 1
            });
            groups.all[group].members.push(value);
            groups.of[value] = Some(group);
        }
        for product in products {
            if let Some(group) = groups.of[product.output]
                && groups.of[product.output] != groups.of[product.inputs[0]]
                && groups.of[product.output] != groups.of[product.inputs[1]]
            {
                groups.all[group].product = Some([product.inputs[0], product.inputs[1]]);
            }
        }
        for join in joins {
            if let Some(group) = groups.of[join.output] {
                let channels = |&id: &ValueId| (id, graph.values[id].shape[1]);
                groups.all[group].joined = join.inputs.iter().map(channels).collect();
            }
        }
        for (value, bound) in bounds {
            if let Some(group) = groups.of[value] {
                groups.all[group].bounds.push((value, bound));
            }
        }
        let channels =
            groups.all.iter().fold(0, |sum: usize, group| sum.saturating_add(group.channels));
        if channels > MOST_CHANNELS {
            return Self { all: Vec::new(), of: vec![None; graph.values.len()] };
        }
        groups
    }
}

/// The operands of a node that are not constant.
fn computed<'a>(graph: &'a Graph, node: &'a Node) -> impl Iterator<Item = ValueId> + 'a {
    node.inputs.iter().copied().filter(|&id| graph.values[id].constant.is_none())
}

/// Sets of values, and one of all that have one scale.
struct Sets {
    parent: Vec<usize>,
    channels: Vec<Option<usize>>,
}

impl Sets {
    fn new(graph: &Graph) -> Self {
        let count = graph.values.len();
        let channels = graph.values.iter().map(|value| match value.shape[..] {
            [1, channels, ..] if value.constant.is_none() && value.shape.len() <= MOST_AXES => {
                Some(channels)
            }
            _ => None,
        });
        let mut sets = Self { parent: (0..=count).collect(), channels: channels.collect() };
        let plain = (0..count).filter(|&id| sets.channels[id].is_none());
        let plain: Vec<ValueId> = plain.collect();
        plain.iter().chain(&graph.inputs).chain(&graph.outputs).for_each(|&id| sets.fix(id));
        sets
    }

    /// The set of the values of one scale.
    fn one(&mut self) -> usize {
        self.root(self.channels.len())
    }

    fn root(&mut self, mut value: usize) -> usize {
        while self.parent[value] != value {
            // The way is halved for whoever comes next.
            self.parent[value] = self.parent[self.parent[value]];
            value = self.parent[value];
        }
        value
    }

    fn fix(&mut self, value: usize) {
        let (one, root) = (self.one(), self.root(value));
        self.parent[root] = one;
    }

    fn unite(&mut self, a: usize, b: usize) {
        if self.channels[a] != self.channels[b] {
            self.fix(a);
            self.fix(b);
        }
        let (one, a, b) = (self.one(), self.root(a), self.root(b));
        let (from, to) = if a == one { (b, a) } else { (a, b) };
        self.parent[from] = to;
    }

    /// Decides of every product, and of channels side by side, whose factors they have. What is decided of one may change another: until
    /// nothing changes.
    fn settle(&mut self, graph: &Graph, products: &[&Node], joins: &[&Node]) {
        loop {
            let mut writers = vec![0; self.parent.len()];
            for node in &graph.nodes {
                if matches!(role(graph, node), Role::Free | Role::Product | Role::Joined) {
                    let root = self.root(node.output);
                    writers[root] += 1;
                }
            }
            // A bound is the same integer in all channels: it takes part in choosing their factors.
            for node in graph.nodes.iter().filter(|node| is_clip(node)) {
                let root = self.root(node.output);
                writers[root] += 1;
            }
            let mut changed = joins.iter().any(|join| self.settle_join(join, &writers));
            if changed {
                continue;
            }
            for product in products {
                let one = self.one();
                let root = self.root(product.output);
                let operands = [product.inputs[0], product.inputs[1]].map(|id| self.root(id));
                if operands == [one, one] && root == one {
                    continue;
                }
                if root == one || operands == [one, one] {
                    self.fix(product.output);
                    product.inputs.iter().for_each(|&id| self.fix(id));
                    changed = true;
                } else if operands.contains(&root) {
                    // Its factors are those of one operand: the other has none.
                    let other = product.inputs[usize::from(operands[0] == root)];
                    if self.root(other) != one {
                        // Both operands have the result's factors: only 1 is its own square.
                        self.fix(other);
                        changed = true;
                    }
                } else if writers[root] > 1 || operands.contains(&one) {
                    // Others write the same factors: they are those of the larger operand, a gate has none.
                    let elements = |id: ValueId| graph.values[id].shape.iter().product::<usize>();
                    let second = elements(product.inputs[1]) > elements(product.inputs[0]);
                    let larger = match operands.iter().position(|&root| root == one) {
                        Some(fixed) => 1 - fixed,
                        None => usize::from(second),
                    };
                    self.unite(product.inputs[larger], product.output);
                    self.fix(product.inputs[1 - larger]);
                    changed = true;
                }
                if changed {
                    break;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// Gives a tensor of channels side by side, and its operands, one scale where it cannot have theirs; says whether that is new.
    fn settle_join(&mut self, join: &Node, writers: &[usize]) -> bool {
        let (one, root) = (self.one(), self.root(join.output));
        let operands: Vec<usize> = join.inputs.iter().map(|&id| self.root(id)).collect();
        let are_one = |operands: &[usize]| operands.iter().all(|&operand| operand == one);
        if root == one && are_one(&operands) {
            return false;
        }
        // Another node writes the same factors, or they would be parts of themselves.
        let is_bound = root == one || writers[root] > 1 || operands.contains(&root);
        if is_bound || are_one(&operands) {
            self.fix(join.output);
            join.inputs.iter().for_each(|&id| self.fix(id));
        }
        is_bound || are_one(&operands)
    }
}

fn is_clip(node: &Node) -> bool {
    matches!(node.op, Op::Activation(Activation::Clip { .. }))
}

/// What a node does with factors.
pub(super) fn role(graph: &Graph, node: &Node) -> Role {
    let shape = |at: usize| graph.values[node.inputs[at]].shape.as_slice();
    let is_constant = |at: usize| graph.values[node.inputs[at]].constant.is_some();
    let has_weights = || !is_constant(0) && (1..node.inputs.len()).all(is_constant);
    let if_so = |so: bool, role: Role| if so { role } else { Role::One };
    match &node.op {
        Op::Conv(_) | Op::BatchNormalization { .. } => if_so(has_weights(), Role::Free),
        Op::Gemm(gemm) => if_so(has_weights() && !gemm.trans_a, Role::Free),
        Op::MatMul => {
            if_so(has_weights() && shape(0).len() == 2 && shape(1).len() == 2, Role::Free)
        }
        Op::Activation(activation) => match *activation {
            Activation::Relu | Activation::LeakyRelu { .. } => Role::Same,
            Activation::Clip { min, max } => if_so(min == 0.0 && max > 0.0, Role::Same),
            Activation::Sigmoid
            | Activation::HardSigmoid { .. }
            | Activation::HardSwish
            | Activation::Silu
            | Activation::Tanh
            | Activation::Elu { .. }
            | Activation::Selu { .. }
            | Activation::Gelu
            | Activation::GeluTanh
            | Activation::Mish
            | Activation::Softplus
            | Activation::Softsign
            | Activation::Erf
            | Activation::Power { .. }
            | Activation::Exp => Role::Free,
        },
        Op::PRelu => if_so(is_constant(1), Role::Same),
        Op::Binary(op) => match [0, 1].map(is_constant) {
            [false, false] => of_two(*op, shape(0), shape(1)),
            [false, true] => with_constant(*op, shape(0), shape(1), false),
            [true, false] => with_constant(*op, shape(1), shape(0), true),
            [true, true] => Role::One,
        },
        Op::MaxPool(_) | Op::AveragePool(_) | Op::GlobalAveragePool | Op::Resize(_) => Role::Same,
        Op::ReduceMean { axes, .. } => if_so(axes.iter().all(|&axis| axis > 1), Role::Same),
        Op::Pad(pad) => {
            let is_zero = !matches!(pad.mode, PadMode::Constant(value) if value != 0.0);
            if_so(
                is_zero && pad.begin.starts_with(&[0; 2]) && pad.end.starts_with(&[0; 2]),
                Role::Same,
            )
        }
        // What a channel holds stays together.
        Op::Reshape { shape: to } => {
            if_so(to.len() > 1 && shape(0).len() > 1 && to[..2] == shape(0)[..2], Role::Same)
        }
        Op::Transpose { permutation } => if_so(permutation.starts_with(&[0, 1]), Role::Same),
        Op::Concat { axis } => {
            let computed = (0..node.inputs.len()).all(|at| !is_constant(at));
            if_so(*axis == 1 && computed, Role::Joined)
        }
        Op::Softmax { .. } | Op::MaxPoolIndices(_) => Role::One,
    }
}

fn of_two(op: Binary, a: &[usize], b: &[usize]) -> Role {
    let both = a.len() == b.len() && a.get(1) == b.get(1) && a.len() > 1;
    match op {
        Binary::Add | Binary::Sub if both => Role::Same,
        Binary::Mul if both => Role::Product,
        Binary::Mul | Binary::Div if a.len() == b.len() && b.len() > 1 && (b[1] == 1 || both) => {
            Role::First
        }
        _ => Role::One,
    }
}

/// An operand of shape `x` and a constant of shape `constant`, which stands first if `reversed`.
fn with_constant(op: Binary, x: &[usize], constant: &[usize], reversed: bool) -> Role {
    let count: usize = constant.iter().product();
    match op {
        // A table holds them.
        Binary::Add | Binary::Sub if count == 1 => Role::Free,
        Binary::Div if reversed && count == 1 => Role::Free,
        Binary::Div if reversed => Role::One,
        Binary::Mul | Binary::Div => Role::Same,
        Binary::Add | Binary::Sub => {
            // The constant's only axis is that of the channels.
            let missing = x.len().saturating_sub(constant.len());
            let is_own = |(at, &extent): (usize, &usize)| extent == 1 || at + missing == 1;
            let own = constant.iter().enumerate().all(is_own) && x.get(1) == Some(&count);
            if own { Role::Same } else { Role::One }
        }
    }
}
