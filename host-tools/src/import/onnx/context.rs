//! What is known while a model is read: its tensors by name, and the graph so far.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use headstart::graph::{Graph, Op, ValueId};

use super::attributes::NodeView;
use super::external::External;
use super::integers::{IntegerType, Integers};
use super::tensor::{Budget, decode};
use crate::error::Problem;
use crate::import::imported::{Data, Known, Tensor};

type Outcome<T> = Result<T, String>;

/// What a tensor's name stands for.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    /// A float tensor, constant or not.
    Float(ValueId),
    /// An integer tensor, which is always known.
    Integers(Integers),
    /// Int8 or uint8 constants, more of them than [`Integers`] holds.
    Bytes(Bytes),
    /// An int8 or uint8 tensor that the model computes: a float tensor that carries a scale, or that is moved
    /// elements of one that does. Only a model's input may have none yet: who reads it says it.
    Quantised(ValueId, IntegerType),
    /// An integer tensor that the model computes: a float tensor of whole numbers; of type `Bool` of 0 and 1.
    Indices(ValueId, IntegerType),
    /// An integer tensor that the model computes, as the float tensor that it stands for: what a quantiser of 16 bits or of dynamic scales
    /// would have rounded, and the products of such.
    Unrounded(ValueId, IntegerType),
    /// No tensor, but something that holds some.
    Structure(Known),
    /// A tensor of a type that no operator takes; the type's name.
    Other(String),
    /// A tensor behind a node that was not taken over: the number of that boundary.
    Behind(usize),
}

/// Weights of a quantised layer.
#[derive(Clone, Debug)]
pub(super) struct Bytes {
    /// Their dimensions.
    pub(super) shape: Vec<usize>,
    /// The elements, row-major.
    pub(super) data: Arc<[u8]>,
    /// Int8 or uint8.
    pub(super) kind: IntegerType,
}

/// The state of an import.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// The graph so far.
    pub(super) graph: Graph,
    /// Name and operator of the first node that does what it would during training.
    pub(super) training: Option<(String, String)>,
    names: HashMap<String, Bound>,
    /// The names that a node or an output reads.
    read: HashSet<String>,
    budget: Budget,
    external: External<'a>,
}

impl<'a> Context<'a> {
    /// An empty graph, of whose names `read` are read.
    pub(super) fn new(external: External<'a>, read: HashSet<String>) -> Self {
        Self {
            graph: Graph::default(),
            training: None,
            names: HashMap::new(),
            read,
            budget: Budget::default(),
            external,
        }
    }

    /// Name of the node's result `index`, if something reads it.
    pub(super) fn wanted<'n>(&self, node: &NodeView<'n>, index: usize) -> Option<&'n str> {
        node.output_at(index).filter(|&name| self.read.contains(name))
    }

    /// Notes that a node does what it would during training.
    pub(super) fn trains(&mut self, node: &NodeView<'_>) {
        let first = || (node.name.clone(), node.operator().to_owned());
        self.training.get_or_insert_with(first);
    }

    /// Gives a name its meaning, once.
    pub(super) fn bind(&mut self, name: &str, bound: Bound) -> Outcome<()> {
        match self.names.insert(name.to_owned(), bound) {
            None => Ok(()),
            Some(_) => Err(format!("defines {name:?}, which is already defined")),
        }
    }

    /// What a name stands for.
    pub(super) fn find(&self, name: &str) -> Option<&Bound> {
        self.names.get(name)
    }

    /// How much of the graph is there, to go back to.
    pub(super) fn mark(&self) -> [usize; 2] {
        [self.graph.values.len(), self.graph.nodes.len()]
    }

    /// Goes back to what was there before a node that cannot be taken over, whose results `names` are.
    pub(super) fn go_back(&mut self, [values, nodes]: [usize; 2], names: &[String]) {
        self.graph.values.truncate(values);
        self.graph.nodes.truncate(nodes);
        for name in names {
            let is_of_node = match self.names.get(name) {
                Some(
                    Bound::Float(value)
                    | Bound::Quantised(value, _)
                    | Bound::Indices(value, _)
                    | Bound::Unrounded(value, _),
                ) => *value >= values,
                _ => false,
            };
            if is_of_node {
                self.names.remove(name);
            }
        }
    }

    /// Decodes a tensor of the file.
    pub(super) fn decode(
        &mut self,
        proto: rten_onnx::onnx::TensorProto,
    ) -> Result<Tensor, Problem> {
        decode(proto, &self.external, &mut self.budget)
    }

    /// Puts a tensor into the graph.
    pub(super) fn constant(&mut self, name: &str, tensor: Tensor) -> Outcome<Bound> {
        Ok(match tensor.data {
            Data::Floats(data) => {
                let added = self.graph.add_constant(name, tensor.shape, data);
                Bound::Float(added.map_err(|error| error.to_string())?)
            }
            Data::Integers(data, kind) => {
                Bound::Integers(Integers { shape: tensor.shape, data, kind })
            }
            Data::Bytes(data, kind) => {
                Bound::Bytes(Bytes { shape: tensor.shape, data: data.into(), kind })
            }
            Data::Other(name) => Bound::Other(name),
        })
    }

    /// Elements of weights that the file holds, as far as it was read.
    pub(super) fn weights(&self) -> u64 {
        self.budget.weights()
    }

    /// Takes room for `count` floats that the file does not hold.
    pub(super) fn take_made(&mut self, count: usize) -> Outcome<()> {
        self.budget.take_made(count)
    }

    /// Takes work on `count` elements that are known.
    pub(super) fn take_work(&mut self, count: u64) -> Outcome<()> {
        self.budget.take_work(count)
    }

    /// Takes the work that a node's known operands are, before anything is done with them.
    pub(super) fn take_operands(&mut self, node: &NodeView<'_>) -> Outcome<()> {
        let known = |name: &String| match self.names.get(name)? {
            Bound::Integers(integers) => Some(integers.data.len()),
            Bound::Bytes(bytes) => Some(bytes.data.len()),
            Bound::Float(value) => self.graph.values[*value].constant.as_ref().map(|x| x.len()),
            _ => None,
        };
        let count = node.inputs().iter().filter_map(known).map(|count| count as u64).sum();
        self.take_work(count)
    }

    /// A float constant of one value.
    pub(super) fn filled(&mut self, name: &str, shape: Vec<usize>, value: f32) -> Outcome<Bound> {
        let count = headstart::graph::elements(&shape).map_err(|error| error.to_string())?;
        self.take_made(count)?;
        self.constant(name, Tensor { shape, data: Data::Floats(vec![value; count]) })
    }

    /// A float constant that the node's meaning needs, named after its result.
    pub(super) fn derived_constant(
        &mut self,
        node: &NodeView<'_>,
        what: &str,
        shape: Vec<usize>,
        data: Vec<f32>,
    ) -> Outcome<ValueId> {
        self.new_constant(format!("{}_{what}", node.output()), shape, data)
    }

    /// A float constant of that name.
    pub(super) fn new_constant(
        &mut self,
        name: String,
        shape: Vec<usize>,
        data: Vec<f32>,
    ) -> Outcome<ValueId> {
        self.take_made(data.len())?;
        self.graph.add_constant(name, shape, data).map_err(|error| error.to_string())
    }

    /// A node that the node's meaning needs beside the one of its own name.
    pub(super) fn derived(
        &mut self,
        node: &NodeView<'_>,
        what: &str,
        op: Op,
        inputs: Vec<ValueId>,
    ) -> Outcome<ValueId> {
        let name = format!("{}_{what}", node.output());
        self.graph.add_node(name.clone(), op, inputs, name).map_err(|error| error.to_string())
    }

    /// Takes an integer result, if there is room for it.
    pub(super) fn integers_result(&mut self, integers: Integers) -> Outcome<Bound> {
        self.budget.take_integers(integers.data.len())?;
        Ok(Bound::Integers(integers))
    }

    /// Operand `index`, if the node has it.
    pub(super) fn optional(&self, node: &NodeView<'_>, index: usize) -> Outcome<Option<&Bound>> {
        let Some(name) = node.input(index) else { return Ok(None) };
        let bound = self.names.get(name);
        bound.map(Some).ok_or_else(|| format!("reads {name:?}, a result that is not supported"))
    }

    /// Operand `index`.
    pub(super) fn operand(&self, node: &NodeView<'_>, index: usize) -> Outcome<&Bound> {
        self.optional(node, index)?.ok_or_else(|| format!("operand {index} is missing"))
    }

    /// Operand `index`, a float tensor; for an operator that only moves elements also a quantised one.
    pub(super) fn float(&self, node: &NodeView<'_>, index: usize) -> Outcome<ValueId> {
        match self.operand(node, index)? {
            Bound::Quantised(value, _) if moves_elements(node) => Ok(*value),
            bound => as_float(bound, index),
        }
    }

    /// Operand `index`, a float tensor, if the node has it.
    pub(super) fn optional_float(
        &self,
        node: &NodeView<'_>,
        index: usize,
    ) -> Outcome<Option<ValueId>> {
        self.optional(node, index)?.map(|bound| as_float(bound, index)).transpose()
    }

    /// Operand `index`, a known integer tensor, if the node has it.
    pub(super) fn optional_integers(
        &self,
        node: &NodeView<'_>,
        index: usize,
    ) -> Outcome<Option<Integers>> {
        match self.optional(node, index)? {
            None => Ok(None),
            Some(Bound::Integers(integers)) => Ok(Some(integers.clone())),
            Some(_) => Err(format!(
                "operand {index} is not an integer tensor that is known before the model runs; \
                 export the model with fixed shapes"
            )),
        }
    }

    /// Operand `index`, a known integer tensor.
    pub(super) fn integers(&self, node: &NodeView<'_>, index: usize) -> Outcome<Integers> {
        let integers = self.optional_integers(node, index)?;
        integers.ok_or_else(|| format!("operand {index} is missing"))
    }

    /// Operand `index`, one known number, if the node has it.
    pub(super) fn optional_number(
        &self,
        node: &NodeView<'_>,
        index: usize,
    ) -> Outcome<Option<f32>> {
        let Some(value) = self.optional_float(node, index)? else { return Ok(None) };
        match self.graph.values[value].constant.as_deref() {
            Some(&[number]) => Ok(Some(number)),
            Some(numbers) => {
                Err(format!("operand {index} has {} elements, one is expected", numbers.len()))
            }
            None => Err(format!("operand {index} must be known before the model runs")),
        }
    }

    /// The shape of a value.
    pub(super) fn shape(&self, value: ValueId) -> &[usize] {
        &self.graph.values[value].shape
    }

    /// Appends a node and gives its output.
    pub(super) fn add(
        &mut self,
        node: &NodeView<'_>,
        op: Op,
        inputs: Vec<ValueId>,
    ) -> Outcome<Bound> {
        let added = self.graph.add_node(&node.name, op, inputs, node.output());
        added.map(Bound::Float).map_err(|error| error.to_string())
    }

    /// `value` in another shape: a constant stays one, anything else gets a node of its own.
    pub(super) fn reshaped(
        &mut self,
        node: &NodeView<'_>,
        value: ValueId,
        shape: Vec<usize>,
    ) -> Outcome<ValueId> {
        let source = &self.graph.values[value];
        let name = format!("{}_as_{}", source.name, node.output());
        if let Some(data) = source.constant.clone() {
            return self.shared(name, shape, data);
        }
        let added = self.graph.add_node(name.clone(), Op::Reshape { shape }, vec![value], name);
        added.map_err(|error| error.to_string())
    }

    fn shared(&mut self, name: String, shape: Vec<usize>, data: Arc<[f32]>) -> Outcome<ValueId> {
        if headstart::graph::elements(&shape).map_err(|error| error.to_string())? != data.len() {
            return Err(format!("{} elements do not reshape to {shape:?}", data.len()));
        }
        let value = self.graph.add_value(name, shape);
        self.graph.values[value].constant = Some(data);
        Ok(value)
    }
}

/// Whether an operator may read quantised tensors as they are: it gives some of the elements that it reads.
pub(super) fn moves_elements(node: &NodeView<'_>) -> bool {
    let operators =
        ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "MaxPool", "Concat", "Shape"];
    node.domain().is_empty() && operators.contains(&node.operator())
}

fn as_float(bound: &Bound, index: usize) -> Outcome<ValueId> {
    match bound {
        Bound::Float(value) => Ok(*value),
        Bound::Integers(integers) => Err(format!(
            "operand {index} is an integer tensor ({}), a float tensor is expected; integers are \
             supported only where all operands are known before the model runs",
            integers.kind.name()
        )),
        Bound::Indices(_, kind) | Bound::Unrounded(_, kind) => Err(format!(
            "operand {index} is an integer tensor ({}) that the model computes, a float tensor \
             is expected; cut the model before this node, or choose a model without it",
            kind.name()
        )),
        Bound::Bytes(_) | Bound::Quantised(..) => Err(format!(
            "operand {index} is a quantised tensor that this operator does not take; only QuantizeLinear, \
             DequantizeLinear and the QLinear operators do: a DequantizeLinear is missing before this node"
        )),
        Bound::Structure(_) => {
            Err(format!("operand {index} is a sequence or an optional, a float tensor is expected"))
        }
        Bound::Behind(_) => {
            Err(format!("operand {index} lies behind a node that is not supported"))
        }
        Bound::Other(data_type) => Err(format!(
            "operand {index} has type {data_type}; float32, float16, bfloat16 and float64 are \
             supported"
        )),
    }
}
