use std::borrow::Cow;
use std::collections::BTreeMap;
use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use burn::tensor::TensorMetadata;
use burn::tensor::backend::Backend;
use burn::tensor::ops::{Device, FloatTensor};

use super::tensor::Array;
use super::{ExecuteError, Tensor, batch, ops};
use crate::graph::{Graph, GraphError, Op, Value, ValueId, elements};

/// A float graph on a Burn backend, verified and with its constants uploaded.
///
/// An input may hold several of the graph's batches along its first dimension; every result that
/// depends on it then grows alike. Intermediate values are freed after their last reader.
#[derive(Clone)]
pub struct Executor<B: Backend> {
    graph: Graph,
    device: Device<B>,
    constants: BTreeMap<ValueId, Array<B>>,
    /// For each value whether it grows with the batch; the node that forbids it otherwise.
    batched: Result<Vec<bool>, usize>,
}

/// Called with each wanted value as soon as it exists.
type Visit<'a, B> = &'a mut dyn FnMut(ValueId, &Array<B>) -> Result<(), ExecuteError>;

impl<B: Backend> Executor<B> {
    /// Verifies every shape of `graph` and uploads its constants to `device`.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Node`] or [`ExecuteError::Value`] for a broken rule of shapes,
    /// [`ExecuteError::Undefined`] for an operand that no earlier node computes,
    /// [`ExecuteError::Empty`] and [`ExecuteError::SpatialRank`] for what no backend computes.
    pub fn new(graph: &Graph, device: &Device<B>) -> Result<Self, ExecuteError> {
        verify(graph)?;
        let constants = graph
            .values
            .iter()
            .enumerate()
            .filter_map(|(id, value)| {
                let data = value.constant.as_ref()?.to_vec();
                Some((id, Array::upload(data, value.shape.clone(), device)))
            })
            .collect();
        // The constants live on the device: the graph's own copy would double the memory.
        let mut graph = graph.clone();
        graph.values.iter_mut().for_each(|value| value.constant = None);
        let batched = batch::batched(&graph);
        Ok(Self { graph, device: device.clone(), constants, batched })
    }

    /// The graph's outputs for `inputs`, in the graph's order.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::InputCount`], [`ExecuteError::InputShape`] for inputs that are not the
    /// graph's, [`ExecuteError::FixedBatch`] for a larger batch than the graph allows.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, ExecuteError> {
        let mut found = BTreeMap::new();
        self.observe(inputs, &self.graph.outputs, |id, tensor| {
            found.insert(id, tensor.clone());
        })?;
        self.graph.outputs.iter().map(|id| self.take(&found, *id)).collect()
    }

    /// Runs what `wanted` needs and shows each of these values, in the order of their computation;
    /// only one of them is in the host's memory at a time.
    ///
    /// # Errors
    ///
    /// As [`Self::run`], and [`ExecuteError::Undefined`] for a value that nothing computes.
    pub fn observe(
        &self,
        inputs: &[Tensor],
        wanted: &[ValueId],
        mut visit: impl FnMut(ValueId, &Tensor),
    ) -> Result<(), ExecuteError> {
        if inputs.len() != self.graph.inputs.len() {
            return Err(self.input_count(inputs.len()));
        }
        let mut arrays = Vec::with_capacity(inputs.len());
        for (tensor, value) in inputs.iter().zip(self.input_values()) {
            if elements(&tensor.shape).ok() != Some(tensor.data.len()) {
                return Err(input_shape(value, &tensor.shape));
            }
            arrays.push(Array::upload(tensor.data.clone(), tensor.shape.clone(), &self.device));
        }
        self.evaluate(arrays, wanted, &mut |id, array| {
            visit(id, &array.clone().download()?);
            Ok(())
        })
    }

    /// The graph's outputs as tensors of the backend: differentiable where the backend is.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn forward(
        &self,
        inputs: Vec<FloatTensor<B>>,
    ) -> Result<Vec<FloatTensor<B>>, ExecuteError> {
        if inputs.len() != self.graph.inputs.len() {
            return Err(self.input_count(inputs.len()));
        }
        let arrays = inputs
            .into_iter()
            .zip(self.input_values())
            .map(|(primitive, value)| {
                let shape = primitive.shape().to_vec();
                let scalar = value.shape.is_empty() && shape == [1];
                Array { primitive, shape: if scalar { vec![] } else { shape } }
            })
            .collect();
        let mut found = BTreeMap::new();
        self.evaluate(arrays, &self.graph.outputs, &mut |id, array| {
            found.insert(id, array.primitive.clone());
            Ok(())
        })?;
        self.graph.outputs.iter().map(|id| self.take(&found, *id)).collect()
    }

    fn take<T: Clone>(&self, found: &BTreeMap<ValueId, T>, id: ValueId) -> Result<T, ExecuteError> {
        found.get(&id).cloned().ok_or_else(|| undefined(&self.graph, id))
    }

    fn input_values(&self) -> impl Iterator<Item = &Value> {
        self.graph.inputs.iter().map(|&id| &self.graph.values[id])
    }

    fn input_count(&self, found: usize) -> ExecuteError {
        ExecuteError::InputCount { expected: self.graph.inputs.len(), found }
    }

    fn evaluate(
        &self,
        inputs: Vec<Array<B>>,
        wanted: &[ValueId],
        visit: Visit<'_, B>,
    ) -> Result<(), ExecuteError> {
        let factor = self.batch_factor(&inputs)?;
        let mut is_wanted = vec![false; self.graph.values.len()];
        for &id in wanted {
            *is_wanted.get_mut(id).ok_or_else(|| undefined(&self.graph, id))? = true;
        }
        let (needed, mut readers) = self.needed(&is_wanted);
        let mut values: Vec<Option<Array<B>>> = vec![None; self.graph.values.len()];
        for (&id, array) in self.graph.inputs.iter().zip(inputs) {
            values[id] = Some(array);
        }
        for (id, _) in is_wanted.iter().enumerate().filter(|&(_, &wanted)| wanted) {
            match values[id].as_ref().or_else(|| self.constants.get(&id)) {
                Some(array) => visit(id, array)?,
                None if self.graph.producer(id).is_some() => {}
                None => return Err(undefined(&self.graph, id)),
            }
        }
        for (index, node) in self.graph.nodes.iter().enumerate() {
            if !needed[index] {
                continue;
            }
            let mut operands = Vec::with_capacity(node.inputs.len());
            for &id in &node.inputs {
                readers[id] -= 1;
                let array = match self.constants.get(&id) {
                    Some(constant) => Some(constant.clone()),
                    // The last reader takes the tensor, so that a backend may reuse its memory.
                    None if readers[id] == 0 => values[id].take(),
                    None => values[id].clone(),
                };
                operands.push(array.ok_or_else(|| undefined(&self.graph, id))?);
            }
            let grows = self.batched.as_ref().is_ok_and(|batched| batched[node.output]);
            let op = scaled(&node.op, if grows { factor } else { 1 });
            let at_node = |source| ExecuteError::Node { node: node.name.clone(), source };
            let shapes: Vec<&[usize]> = operands.iter().map(|x| x.shape.as_slice()).collect();
            let shape = op.output_shape(&shapes).map_err(at_node)?;
            let primitive = ops::apply::<B>(&op, operands, &shape).map_err(at_node)?;
            let array = Array { primitive, shape };
            if is_wanted[node.output] {
                visit(node.output, &array)?;
            }
            if readers[node.output] > 0 {
                values[node.output] = Some(array);
            }
        }
        Ok(())
    }

    /// How many of the graph's batches the inputs hold.
    fn batch_factor(&self, inputs: &[Array<B>]) -> Result<usize, ExecuteError> {
        let mut factor = None;
        for (array, value) in inputs.iter().zip(self.input_values()) {
            let fits = match (array.shape.split_first(), value.shape.split_first()) {
                (Some((&found, rest)), Some((&expected, expected_rest))) => {
                    let own = found / expected;
                    rest == expected_rest
                        && found % expected == 0
                        && own > 0
                        && *factor.get_or_insert(own) == own
                }
                (found, expected) => found.is_none() && expected.is_none(),
            };
            if !fits {
                return Err(input_shape(value, &array.shape));
            }
        }
        let factor = factor.unwrap_or(1);
        match self.batched {
            Err(index) if factor > 1 => {
                Err(ExecuteError::FixedBatch { node: self.graph.nodes[index].name.clone() })
            }
            _ => Ok(factor),
        }
    }

    /// Per node whether its output is needed, and per value how many needed nodes read it.
    fn needed(&self, wanted: &[bool]) -> (Vec<bool>, Vec<usize>) {
        let mut readers = vec![0_usize; self.graph.values.len()];
        let mut needed = vec![false; self.graph.nodes.len()];
        for (index, node) in self.graph.nodes.iter().enumerate().rev() {
            if wanted[node.output] || readers[node.output] > 0 {
                needed[index] = true;
                node.inputs.iter().for_each(|&id| readers[id] += 1);
            }
        }
        (needed, readers)
    }
}

/// `op` for `factor` of the graph's batches: only a reshape states the batch.
fn scaled(op: &Op, factor: usize) -> Cow<'_, Op> {
    match op {
        Op::Reshape { shape } if factor > 1 && !shape.is_empty() => {
            let mut shape = shape.clone();
            shape[0] = shape[0].saturating_mul(factor);
            Cow::Owned(Op::Reshape { shape })
        }
        _ => Cow::Borrowed(op),
    }
}

/// Checks everything that Burn would panic on and that does not depend on the batch.
fn verify(graph: &Graph) -> Result<(), ExecuteError> {
    let mut defined = vec![false; graph.values.len()];
    for (id, value) in graph.values.iter().enumerate() {
        let at_value = |source| ExecuteError::Value { value: value.name.clone(), source };
        let expected = elements(&value.shape).map_err(at_value)?;
        if expected == 0 {
            return Err(ExecuteError::Empty { value: value.name.clone() });
        }
        if let Some(data) = &value.constant {
            if data.len() != expected {
                let found = data.len();
                return Err(at_value(GraphError::DataLength { expected, found }));
            }
            defined[id] = true;
        }
    }
    for &id in &graph.inputs {
        *defined.get_mut(id).ok_or_else(|| undefined(graph, id))? = true;
    }
    for node in &graph.nodes {
        if let Some(&id) = node.inputs.iter().find(|&&id| defined.get(id) != Some(&true)) {
            return Err(undefined(graph, id));
        }
        let at_node = |source| ExecuteError::Node { node: node.name.clone(), source };
        let shapes: Vec<&[usize]> =
            node.inputs.iter().map(|&id| graph.values[id].shape.as_slice()).collect();
        let shape = node.op.output_shape(&shapes).map_err(at_node)?;
        let output = graph.values.get(node.output).ok_or_else(|| undefined(graph, node.output))?;
        if output.shape != shape {
            let what = format!("its output has shape {shape:?}, not {:?}", output.shape);
            return Err(at_node(GraphError::Shape(what)));
        }
        let windowed = matches!(node.op, Op::Conv(_) | Op::MaxPool(_) | Op::AveragePool(_));
        if windowed && shape.len() > 4 {
            return Err(ExecuteError::SpatialRank { node: node.name.clone() });
        }
        if core::mem::replace(&mut defined[node.output], true) {
            let what = format!("'{}' is computed twice", output.name);
            return Err(at_node(GraphError::Shape(what)));
        }
    }
    match graph.outputs.iter().find(|&&id| defined.get(id) != Some(&true)) {
        Some(&id) => Err(undefined(graph, id)),
        None => Ok(()),
    }
}

fn undefined(graph: &Graph, id: ValueId) -> ExecuteError {
    let value = graph.values.get(id).map_or_else(|| id.to_string(), |value| value.name.clone());
    ExecuteError::Undefined { value }
}

fn input_shape(value: &Value, found: &[usize]) -> ExecuteError {
    ExecuteError::InputShape {
        input: value.name.clone(),
        expected: value.shape.clone(),
        found: found.to_vec(),
    }
}
