//! The float model as data: what the importer writes, the executor runs and the quantiser reads.
//!
//! A [`Graph`] is a list of nodes in topological order over single-assignment values. Shapes are
//! static: a symbolic batch is 1 when the graph is built, and every value's first dimension may be
//! scaled by the executor when it is fed a larger batch. Tensors are row-major; images are
//! `[batch, channels, height, width]`, as ONNX has them.

mod error;
mod op;
mod shape;

pub use error::GraphError;
pub use op::{Activation, AveragePool, Binary, Conv, Gemm, MaxPool, Op, Pad, PadMode, Window};
pub use shape::{MAX_ELEMENTS, MAX_RANK, elements};

use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

/// Index of a value in [`Graph::values`].
pub type ValueId = usize;

/// A tensor that flows through the graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    /// Its name in the source model.
    pub name: String,
    /// Its dimensions, batch included.
    pub shape: Vec<usize>,
    /// Its contents, if they are known before the graph runs (a weight, say).
    pub constant: Option<Arc<[f32]>>,
}

/// One operator applied to values that exist before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name in the source model, or one made from its operator and output.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Its operands, in the order that [`Op`] states.
    pub inputs: Vec<ValueId>,
    /// The one value that it defines.
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
        self.values.push(Value { name: name.into(), shape, constant: None });
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
        self.values.push(Value { name: name.into(), shape, constant: Some(data.into()) });
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
        self.nodes.iter().position(|node| node.output == value)
    }

    /// The value of that name.
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
}
