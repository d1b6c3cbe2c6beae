//! The float model as data: what the importer writes, the executor runs and the quantiser reads.
//!
//! A [`Graph`] is a list of nodes in topological order over single-assignment values. Shapes are
//! static: a symbolic batch is 1 when the graph is built, and every value's first dimension may be
//! scaled by the executor when it is fed a larger batch. Tensors are row-major; images are
//! `[batch, channels, height, width]`, as ONNX has them.
//!
//! An operator is a variant of [`Op`] and a file of its name in each place that computes, reads or writes it. The compiler
//! names most of these places, not all: `docs/adding-an-operator.md` has the list.

mod error;
mod op;
mod scale;
mod shape;

pub use error::GraphError;
pub use op::{
    Activation, AveragePool, Binary, Conv, Coordinates, Facts, GELU_CUBE, GELU_SLOPE, Gemm,
    Interpolation, MAX_INDEXED, MAX_RESIZE, MaxPool, MaxPoolIndices, Op, Pad, PadMode, Resize,
    Rounding, Window,
};
pub use scale::Scale;
pub use shape::{MAX_ELEMENTS, MAX_RANK, elements};

use std::string::String;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

/// Index of a value in [`Graph::values`].
pub type ValueId = usize;

/// A tensor that flows through the graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    /// The tensor's name in the source model.
    pub name: String,
    /// The dimensions, batch included.
    pub shape: Vec<usize>,
    /// The contents, if they are known before the graph runs (a weight, say).
    pub constant: Option<Arc<[f32]>>,
    /// How the source model holds the tensor as 8-bit integers, where it is quantised already.
    pub scale: Option<Scale>,
}

/// One operator applied to values that exist before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The node's name in the source model, or one made from its operator and output.
    pub name: String,
    /// What the node computes.
    pub op: Op,
    /// The operands, in the order that [`Op`] states.
    pub inputs: Vec<ValueId>,
    /// The one value that the node defines.
    pub output: ValueId,
}

/// A network in topological order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// All values; a node's operands and output index this list.
    pub values: Vec<Value>,
    /// The nodes; each one's operands are inputs, constants or outputs of earlier nodes.
    pub nodes: Vec<Node>,
    /// Values that the caller supplies.
    pub inputs: Vec<ValueId>,
    /// Values that the caller wants.
    pub outputs: Vec<ValueId>,
}

impl Graph {
    /// Adds a value and says where it is.
    pub fn add_value(&mut self, name: impl Into<String>, shape: Vec<usize>) -> ValueId {
        self.values.push(Value { name: name.into(), shape, ..Value::default() });
        self.values.len() - 1
    }

    /// Adds a constant and says where it is.
    ///
    /// # Errors
    ///
    /// [`GraphError::DataLength`] if `data` does not fill `shape`.
    pub fn add_constant(
        &mut self,
        name: impl Into<String>,
        shape: Vec<usize>,
        data: Vec<f32>,
    ) -> Result<ValueId, GraphError> {
        if elements(&shape)? != data.len() {
            return Err(GraphError::DataLength { expected: elements(&shape)?, found: data.len() });
        }
        let constant = Some(data.into());
        self.values.push(Value { name: name.into(), shape, constant, scale: None });
        Ok(self.values.len() - 1)
    }

    /// Appends a node whose output shape follows from its operands, and gives its output.
    ///
    /// # Errors
    ///
    /// Any rule of [`Op::output_shape`] that the operands break.
    pub fn add_node(
        &mut self,
        name: impl Into<String>,
        op: Op,
        inputs: Vec<ValueId>,
        output: impl Into<String>,
    ) -> Result<ValueId, GraphError> {
        let mut shapes = Vec::with_capacity(inputs.len());
        for &input in &inputs {
            let value = self.values.get(input).ok_or(GraphError::UnknownValue { value: input })?;
            shapes.push(value.shape.as_slice());
        }
        let shape = op.output_shape(&shapes)?;
        let output = self.add_value(output, shape);
        self.nodes.push(Node { name: name.into(), op, inputs, output });
        Ok(output)
    }

    /// The node that defines `value`, by its index; `None` for inputs and constants.
    #[must_use]
    pub fn producer(&self, value: ValueId) -> Option<usize> {
        if self.values.get(value).is_some_and(|value| value.constant.is_some()) {
            return None;
        }
        // Nodes mostly stand in the order of their results; where they do not, a look at each is right.
        let found = self.nodes.binary_search_by_key(&value, |node| node.output).ok();
        found.or_else(|| self.nodes.iter().position(|node| node.output == value))
    }

    /// The value of that name; `None` if there is none.
    #[must_use]
    pub fn value_named(&self, name: &str) -> Option<ValueId> {
        self.values.iter().position(|value| value.name == name)
    }

    /// How many nodes read `value`, graph outputs counted as one reader each.
    #[must_use]
    pub fn readers(&self, value: ValueId) -> usize {
        let in_nodes =
            self.nodes.iter().flat_map(|node| &node.inputs).filter(|&&i| i == value).count();
        in_nodes + self.outputs.iter().filter(|&&o| o == value).count()
    }

    /// The part of the graph that `outputs` need, with values numbered anew and inputs kept.
    ///
    /// # Errors
    ///
    /// [`GraphError::UnknownValue`] if an output does not exist.
    pub fn cut_at(&self, outputs: &[ValueId]) -> Result<Self, GraphError> {
        let mut needed = vec![false; self.values.len()];
        for &output in outputs {
            *needed.get_mut(output).ok_or(GraphError::UnknownValue { value: output })? = true;
        }
        for node in self.nodes.iter().rev() {
            if needed[node.output] {
                node.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        self.inputs.iter().for_each(|&input| needed[input] = true);
        let mut renumbered = vec![usize::MAX; self.values.len()];
        let mut part = Self::default();
        for (old, value) in self.values.iter().enumerate().filter(|&(old, _)| needed[old]) {
            renumbered[old] = part.values.len();
            part.values.push(value.clone());
        }
        let translate = |ids: &[ValueId]| ids.iter().map(|&id| renumbered[id]).collect::<Vec<_>>();
        for node in self.nodes.iter().filter(|node| needed[node.output]) {
            part.nodes.push(Node {
                name: node.name.clone(),
                op: node.op.clone(),
                inputs: translate(&node.inputs),
                output: renumbered[node.output],
            });
        }
        part.inputs = translate(&self.inputs);
        part.outputs = translate(outputs);
        Ok(part)
    }

    /// The part of the graph behind `frozen`: what is left to do when these values, and all that they need, are computed elsewhere. Its
    /// inputs are the values that cross the cut, in the order of their ids here; these ids come with it.
    ///
    /// # Errors
    ///
    /// [`GraphError::UnknownValue`] if a frozen value does not exist.
    pub fn cut_behind(&self, frozen: &[ValueId]) -> Result<(Self, Vec<ValueId>), GraphError> {
        let mut done = vec![false; self.values.len()];
        for &value in frozen {
            *done.get_mut(value).ok_or(GraphError::UnknownValue { value })? = true;
        }
        for node in self.nodes.iter().rev() {
            if done[node.output] {
                node.inputs.iter().for_each(|&input| done[input] = true);
            }
        }
        self.inputs.iter().for_each(|&input| done[input] = true);
        // What depends on nothing that is supplied is a constant of either part.
        let mut rest = self.clone();
        let depends = self.depends_on_inputs();
        let mut crossing: Vec<ValueId> = Vec::new();
        let late = |node: &Node| !done[node.output] || !depends[node.output];
        let read = self.nodes.iter().filter(|node| late(node)).flat_map(|node| &node.inputs);
        crossing.extend(read.chain(&self.outputs).filter(|&&id| done[id] && depends[id]));
        crossing.sort_unstable();
        crossing.dedup();
        rest.nodes.retain(|node| late(node));
        rest.inputs.clone_from(&crossing);
        Ok((rest.cut_at(&self.outputs)?, crossing))
    }

    /// Whether each value depends on what the caller supplies, by its index.
    #[must_use]
    pub fn depends_on_inputs(&self) -> Vec<bool> {
        let mut depends = vec![false; self.values.len()];
        self.inputs.iter().for_each(|&input| depends[input] = true);
        for node in &self.nodes {
            depends[node.output] = node.inputs.iter().any(|&input| depends[input]);
        }
        depends
    }

    /// How many multiply-accumulates one node takes: those of its weights, one a product.
    #[must_use]
    pub fn multiply_accumulates(&self, node: &Node) -> u64 {
        let shape = |&id: &ValueId| self.values[id].shape.as_slice();
        let elements: u64 = shape(&node.output).iter().map(|&n| n as u64).product();
        let products = node.op.products(&node.inputs.iter().map(shape).collect::<Vec<_>>());
        elements.saturating_mul(products)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relu() -> Op {
        Op::Activation(Activation::Relu)
    }

    #[test]
    fn a_cut_keeps_every_branch_that_it_needs_and_nothing_else() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 4]);
        graph.inputs.push(x);
        let a = graph.add_node("a", relu(), vec![x], "a").unwrap();
        let b = graph.add_node("b", relu(), vec![x], "b").unwrap();
        let dead = graph.add_node("dead", relu(), vec![b], "dead").unwrap();
        let sum = graph.add_node("sum", Op::Binary(Binary::Add), vec![a, b], "sum").unwrap();
        let tail = graph.add_node("tail", relu(), vec![sum], "tail").unwrap();
        graph.outputs.extend([tail, dead]);

        let part = graph.cut_at(&[sum]).unwrap();

        let names: Vec<_> = part.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "sum"]);
        assert_eq!(part.values[part.outputs[0]].name, "sum");
        assert_eq!(graph.cut_at(&[99]), Err(GraphError::UnknownValue { value: 99 }));
    }
}
