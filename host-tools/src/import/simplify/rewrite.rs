use std::sync::Arc;

use headstart::graph::{Graph, Node, Op, Scale, Value, ValueId};

use crate::import::imported::Aliases;

/// Elements of weights that are rewritten whatever the network, and for each that it has. Real networks have a normalisation or
/// two behind each layer.
const ANY_WORK: u64 = 1 << 23;
const WORK_PER_ELEMENT: u64 = 8;

/// A graph while rules change it, with an index of who makes and who reads each value.
pub(super) struct Rewrite<'a> {
    graph: Graph,
    /// The nodes that may read each value, some of them more than once or no more.
    read_by: Vec<Vec<usize>>,
    /// Whether each value is an output of the graph.
    is_output: Vec<bool>,
    /// The number that all elements of a constant are, where that was asked for.
    uniform: Vec<Option<Option<f32>>>,
    /// Elements of weights that rules may still rewrite.
    work: u64,
    /// The node that defines each value.
    producer: Vec<Option<usize>>,
    /// How many operands and graph outputs each value is.
    readers: Vec<usize>,
    removed: Vec<bool>,
    aliases: &'a mut Aliases,
}

impl<'a> Rewrite<'a> {
    /// Starts with the part of `graph` that its outputs need.
    pub(super) fn new(graph: &Graph, aliases: &'a mut Aliases) -> Self {
        let graph = cut(graph);
        let mut producer = vec![None; graph.values.len()];
        let mut readers = vec![0; graph.values.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            producer[node.output] = Some(index);
            node.inputs.iter().for_each(|&input| readers[input] += 1);
        }
        graph.outputs.iter().for_each(|&output| readers[output] += 1);
        let mut read_by: Vec<Vec<usize>> = vec![Vec::new(); graph.values.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            for &input in &node.inputs {
                if read_by[input].last() != Some(&index) {
                    read_by[input].push(index);
                }
            }
        }
        let mut is_output = vec![false; graph.values.len()];
        graph.outputs.iter().for_each(|&output| is_output[output] = true);
        let constants = graph.values.iter().filter_map(|value| value.constant.as_ref());
        let elements: u64 = constants.map(|data| data.len() as u64).sum();
        let removed = vec![false; graph.nodes.len()];
        let uniform = vec![None; graph.values.len()];
        let work = ANY_WORK.saturating_add(elements.saturating_mul(WORK_PER_ELEMENT));
        Self { graph, read_by, is_output, uniform, work, producer, readers, removed, aliases }
    }

    /// Takes the work of rewriting `elements` of weights; `false` where so much was rewritten already that the rest stays
    /// as it is. Without a limit, a chain of nodes behind one large weight would cost their product.
    pub(super) fn take(&mut self, elements: usize) -> bool {
        match self.work.checked_sub(elements as u64) {
            Some(left) => {
                self.work = left;
                true
            }
            None => false,
        }
    }

    /// The number that all elements of a constant are.
    pub(super) fn uniform(&mut self, value: ValueId) -> Option<f32> {
        *self.uniform[value].get_or_insert_with(|| {
            let data = self.graph.values[value].constant.as_deref()?;
            let &first = data.first()?;
            data.iter().all(|&x| x == first).then_some(first)
        })
    }

    /// The graph without what nothing reads any more.
    pub(super) fn finish(mut self) -> Graph {
        let mut removed = self.removed.iter();
        self.graph.nodes.retain(|_| !removed.next().expect("rules remove nodes, and add none"));
        cut(&self.graph)
    }

    /// Nodes, removed ones counted.
    pub(super) fn node_count(&self) -> usize {
        self.graph.nodes.len()
    }

    /// Whether a node is gone.
    pub(super) fn is_removed(&self, node: usize) -> bool {
        self.removed[node]
    }

    /// A node.
    pub(super) fn node(&self, node: usize) -> &Node {
        &self.graph.nodes[node]
    }

    /// Operand `index` of a node.
    pub(super) fn operand(&self, node: usize, index: usize) -> ValueId {
        self.graph.nodes[node].inputs[index]
    }

    /// A value.
    pub(super) fn value(&self, value: ValueId) -> &Value {
        &self.graph.values[value]
    }

    /// The shape of a node's output.
    pub(super) fn output_shape(&self, node: usize) -> &[usize] {
        &self.graph.values[self.graph.nodes[node].output].shape
    }

    /// A value's elements, if it is constant.
    pub(super) fn constant(&self, value: ValueId) -> Option<Arc<[f32]>> {
        self.graph.values[value].constant.clone()
    }

    /// The one number of a constant.
    pub(super) fn number(&self, value: ValueId) -> Option<f32> {
        match self.graph.values[value].constant.as_deref() {
            Some(&[number]) => Some(number),
            _ => None,
        }
    }

    /// The node that defines a value; `None` for one that the model rounds to a scale, as if it were an
    /// input: what stands before the rounding and what stands behind it are two things.
    pub(super) fn source(&self, value: ValueId) -> Option<usize> {
        self.producer[value].filter(|_| self.graph.values[value].scale.is_none())
    }

    /// The node that defines a value which has no other reader; `None` as for [`source`](Self::source).
    pub(super) fn sole_source(&self, value: ValueId) -> Option<usize> {
        self.source(value).filter(|_| self.readers[value] == 1)
    }

    /// Adds a constant whose data fills its shape, and which a quantised model holds so.
    pub(super) fn add_constant(
        &mut self,
        name: String,
        shape: Vec<usize>,
        data: Vec<f32>,
        scale: Option<Scale>,
    ) -> ValueId {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        let constant = Some(data.into());
        self.graph.values.push(Value { name, shape, constant, scale });
        self.producer.push(None);
        self.readers.push(0);
        self.read_by.push(Vec::new());
        self.is_output.push(false);
        self.uniform.push(None);
        self.graph.values.len() - 1
    }

    /// Lets a node compute its output in another way, of values that exist before it.
    pub(super) fn set(&mut self, node: usize, op: Op, inputs: Vec<ValueId>) {
        for &input in &inputs {
            self.readers[input] += 1;
            self.read_by[input].push(node);
        }
        self.graph.nodes[node].op = op;
        let old = std::mem::replace(&mut self.graph.nodes[node].inputs, inputs);
        self.release(old);
    }

    /// Gives a node the name of another, whose place it takes.
    pub(super) fn rename(&mut self, node: usize, name: String) {
        let output = &self.graph.values[self.graph.nodes[node].output].name;
        let old = std::mem::replace(&mut self.graph.nodes[node].name, name);
        self.aliases.insert(old, output);
    }

    /// Makes a node's output constant.
    pub(super) fn set_constant(&mut self, node: usize, data: Arc<[f32]>, scale: Option<Scale>) {
        let output = self.graph.nodes[node].output;
        self.graph.values[output].scale = scale;
        self.graph.values[output].constant = Some(data);
        self.uniform[output] = None;
        self.remove(node);
    }

    /// Lets all readers of a node's output read `value` instead, which is equal.
    pub(super) fn forward(&mut self, node: usize, value: ValueId) {
        let output = self.graph.nodes[node].output;
        let redirect = |id: &mut ValueId| {
            if *id == output {
                *id = value;
            }
        };
        for reader in std::mem::take(&mut self.read_by[output]) {
            self.graph.nodes[reader].inputs.iter_mut().for_each(redirect);
            self.read_by[value].push(reader);
        }
        if std::mem::take(&mut self.is_output[output]) {
            self.graph.outputs.iter_mut().for_each(redirect);
            self.is_output[value] = true;
        }
        self.readers[value] += std::mem::take(&mut self.readers[output]);
        let target = self.graph.values[value].name.clone();
        self.aliases.insert(self.graph.nodes[node].name.clone(), target.clone());
        self.aliases.insert(self.graph.values[output].name.clone(), target);
        self.remove(node);
    }

    fn remove(&mut self, node: usize) {
        self.removed[node] = true;
        self.producer[self.graph.nodes[node].output] = None;
        let inputs = std::mem::take(&mut self.graph.nodes[node].inputs);
        self.release(inputs);
    }

    /// Takes one reader from each value, and removes whatever nothing reads then.
    fn release(&mut self, mut values: Vec<ValueId>) {
        while let Some(value) = values.pop() {
            self.readers[value] -= 1;
            if self.readers[value] > 0 {
                continue;
            }
            self.graph.values[value].constant = None;
            if let Some(node) = self.producer[value].take() {
                self.removed[node] = true;
                values.append(&mut self.graph.nodes[node].inputs);
            }
        }
    }
}

fn cut(graph: &Graph) -> Graph {
    graph.cut_at(&graph.outputs).expect("a graph's outputs are its values")
}
