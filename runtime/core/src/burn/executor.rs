use std::collections::BTreeMap;
use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use burn::tensor::TensorMetadata;
use burn::tensor::ops::{Device, FloatTensor};

use super::tensor::Array;
use super::{ExecuteError, Tensor, batch, ops};
use crate::burn::FloatBackend;
use crate::graph::{Graph, GraphError, Value, ValueId, elements};

/// A float graph on a Burn backend, verified and with its constants uploaded.
///
/// An input may hold several of the graph's batches along its first dimension; every result that
/// depends on it then grows alike. Intermediate values are freed after their last reader.
#[derive(Clone)]
pub struct Executor<B: FloatBackend> {
    graph: Graph,
    device: Device<B>,
    constants: BTreeMap<ValueId, Array<B>>,
    /// For each value whether it grows with the batch; the node that forbids it otherwise.
    batched: Result<Vec<bool>, usize>,
}

/// Called with each wanted value as soon as it exists.
type Visit<'a, B> = &'a mut dyn FnMut(ValueId, &Array<B>) -> Result<(), ExecuteError>;

impl<B: FloatBackend> Executor<B> {
    /// Verifies every shape of `graph` and uploads its constants to `device`.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Node`] or [`ExecuteError::Value`] for a broken rule of shapes,
    /// [`ExecuteError::Undefined`] for an operand that no earlier node computes,
    /// [`ExecuteError::Empty`] for a node that would compute something from nothing, and
    /// [`ExecuteError::SpatialRank`] for what no backend computes.
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
        self.evaluate(arrays, &BTreeMap::new(), wanted, &mut |id, array| {
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
        self.forward_with(inputs, &BTreeMap::new())
    }

    /// The graph's outputs as tensors of the backend, computed with other tensors in place of some constants; otherwise as
    /// [`forward`](Self::forward).
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn forward_with(
        &self,
        inputs: Vec<FloatTensor<B>>,
        constants: &BTreeMap<ValueId, FloatTensor<B>>,
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
        self.evaluate(arrays, constants, &self.graph.outputs, &mut |id, array| {
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
        replaced: &BTreeMap<ValueId, FloatTensor<B>>,
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
                    Some(constant) => Some(match replaced.get(&id) {
                        Some(other) => {
                            Array { primitive: other.clone(), shape: constant.shape.clone() }
                        }
                        None => constant.clone(),
                    }),
                    // The last reader takes the tensor, so that a backend may reuse its memory.
                    None if readers[id] == 0 => values[id].take(),
                    None => values[id].clone(),
                };
                operands.push(array.ok_or_else(|| undefined(&self.graph, id))?);
            }
            let grows = self.batched.as_ref().is_ok_and(|batched| batched[node.output]);
            let op = node.op.with_batch(if grows { factor } else { 1 });
            let at_node = |source| ExecuteError::Node { node: node.name.clone(), source };
            let shapes: Vec<&[usize]> = operands.iter().map(|x| x.shape.as_slice()).collect();
            let shape = op.output_shape(&shapes).map_err(at_node)?;
            let array = if shape.contains(&0) {
                Array::upload(vec![], shape, &self.device)
            } else {
                let primitive = ops::apply::<B>(&op, operands, &shape).map_err(at_node)?;
                Array { primitive, shape }
            };
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
                    let own = found.checked_div(expected).unwrap_or(1);
                    rest == expected_rest
                        && own.checked_mul(expected) == Some(found)
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

/// Checks everything that Burn would panic on and that does not depend on the batch.
fn verify(graph: &Graph) -> Result<(), ExecuteError> {
    let mut defined = vec![false; graph.values.len()];
    for (id, value) in graph.values.iter().enumerate() {
        let at_value = |source| ExecuteError::Value { value: value.name.clone(), source };
        let expected = elements(&value.shape).map_err(at_value)?;
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
        if node.op.facts().slides_window && shape.len() > 5 {
            return Err(ExecuteError::SpatialRank { node: node.name.clone() });
        }
        let empty = |&&id: &&ValueId| graph.values[id].shape.contains(&0);
        if let Some(&id) = node.inputs.iter().find(empty).filter(|_| !shape.contains(&0)) {
            return Err(ExecuteError::Empty { value: graph.values[id].name.clone() });
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::backend::Autodiff;
    use burn::tensor::TensorData;
    use burn::tensor::backend::AutodiffBackend;

    use super::*;
    use crate::burn::testing::{assert_close, noise, on_every_backend};
    use crate::graph::{Activation, Binary, Conv, Gemm, Op, Window};

    /// A residual block and a classifier: `x [1, 2, 4, 4]` to `y [1, 3]`.
    fn network() -> Graph {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2, 4, 4]);
        graph.inputs.push(x);
        let weight = graph.add_constant("weight", vec![2, 2, 3, 3], noise(36, 1)).unwrap();
        let matrix = graph.add_constant("matrix", vec![3, 2], noise(6, 2)).unwrap();
        let window = Window {
            kernel: vec![3; 2],
            strides: vec![1; 2],
            dilations: vec![1; 2],
            pads_begin: vec![1; 2],
            pads_end: vec![1; 2],
        };
        let conv = Op::Conv(Conv { window, groups: 1 });
        let conv = graph.add_node("conv", conv, vec![x, weight], "conv").unwrap();
        let silu = Op::Activation(Activation::Silu);
        let silu = graph.add_node("silu", silu, vec![conv], "silu").unwrap();
        let sum = graph.add_node("sum", Op::Binary(Binary::Add), vec![silu, x], "sum").unwrap();
        let pool = graph.add_node("pool", Op::GlobalAveragePool, vec![sum], "pool").unwrap();
        let flat = Op::Reshape { shape: vec![1, 2] };
        let flat = graph.add_node("flat", flat, vec![pool], "flat").unwrap();
        let gemm = Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true });
        let y = graph.add_node("gemm", gemm, vec![flat, matrix], "y").unwrap();
        graph.outputs.push(y);
        graph
    }

    fn input(batch: usize, seed: u32) -> Tensor {
        Tensor { shape: vec![batch, 2, 4, 4], data: noise(batch * 32, seed) }
    }

    fn executor<B: FloatBackend>(graph: &Graph) -> Result<Executor<B>, ExecuteError> {
        Executor::new(graph, &Default::default())
    }

    fn a_larger_batch_is_many_single_runs<B: FloatBackend>() {
        let executor = executor::<B>(&network()).unwrap();
        let batch = input(3, 9);
        let together = executor.run(core::slice::from_ref(&batch)).unwrap();
        assert_eq!(together[0].shape, [3, 3]);
        for (image, expected) in batch.data.chunks(32).zip(together[0].data.chunks(3)) {
            let image = Tensor { shape: vec![1, 2, 4, 4], data: image.to_vec() };
            assert_close(&executor.run(&[image]).unwrap()[0].data, expected);
        }
    }
    on_every_backend!(a_larger_batch_is_many_single_runs);

    fn wanted_values_are_seen_and_missing_ones_named<B: FloatBackend>() {
        let mut graph = network();
        let wanted = ["x", "silu", "sum", "matrix"].map(|name| graph.value_named(name).unwrap());
        let executor = executor::<B>(&graph).unwrap();
        let mut seen = BTreeMap::new();
        executor
            .observe(&[input(1, 4)], &wanted, |id, t| drop(seen.insert(id, t.clone())))
            .unwrap();
        assert_eq!(seen.len(), 4);
        let expected: Vec<f32> =
            (0..32).map(|i| seen[&wanted[1]].data[i] + seen[&wanted[0]].data[i]).collect();
        assert_close(&seen[&wanted[2]].data, &expected);
        assert_eq!(seen[&wanted[3]].shape, [3, 2]);

        let nothing = graph.add_value("nothing", vec![1]);
        let executor = self::executor::<B>(&graph).unwrap();
        let refused = executor.observe(&[input(1, 4)], &[nothing], |_, _| ());
        assert_eq!(refused, Err(ExecuteError::Undefined { value: "nothing".to_string() }));
    }
    on_every_backend!(wanted_values_are_seen_and_missing_ones_named);

    /// The gradient of the sum of the outputs, by Burn and by differences.
    fn gradient_is_the_slope<B: FloatBackend + AutodiffBackend>() {
        let executor = executor::<B>(&network()).unwrap();
        let image = input(1, 6);
        let data = TensorData::new(image.data.clone(), image.shape.clone());
        let x = B::float_from_data(data, &Default::default());
        let x = B::float_set_require_grad(x, true);
        let outputs = executor.forward(vec![x.clone()]).unwrap();
        let gradients = B::backward(B::float_sum(outputs[0].clone()));
        let gradient = B::grad(&x, &gradients).unwrap();
        let gradient = Array::<B::InnerBackend> { primitive: gradient, shape: image.shape.clone() };
        let gradient = gradient.download().unwrap().data;
        let sum_at = |i: usize, step: f32| {
            let mut moved = image.clone();
            moved.data[i] += step;
            executor.run(&[moved]).unwrap()[0].data.iter().sum::<f32>()
        };
        for (i, &found) in gradient.iter().enumerate() {
            let slope = (sum_at(i, 0.05) - sum_at(i, -0.05)) / 0.1;
            assert!((found - slope).abs() < 1e-3, "element {i}: {found} instead of {slope}");
        }
        assert!(gradient.iter().any(|g| g.abs() > 0.01));
    }

    fn autodiff_goes_through<B: FloatBackend>() {
        gradient_is_the_slope::<Autodiff<B>>();
    }
    on_every_backend!(autodiff_goes_through, in float32);

    fn what_is_wrong_is_refused_by_name<B: FloatBackend>() {
        let executor = executor::<B>(&network()).unwrap();
        assert_eq!(executor.run(&[]), Err(ExecuteError::InputCount { expected: 1, found: 0 }));
        let mut wide = input(1, 1);
        wide.shape[3] = 5;
        assert!(matches!(executor.run(&[wide]), Err(ExecuteError::InputShape { .. })));
        let mut short = input(1, 1);
        short.data.pop();
        assert!(matches!(executor.run(&[short]), Err(ExecuteError::InputShape { .. })));

        let mut graph = network();
        graph.nodes.swap(0, 1);
        let refused = self::executor::<B>(&graph).err();
        assert_eq!(refused, Some(ExecuteError::Undefined { value: "conv".to_string() }));

        let mut graph = network();
        graph.values[1].constant = Some(Arc::from([0.0; 3]));
        assert!(matches!(self::executor::<B>(&graph), Err(ExecuteError::Value { .. })));

        let mut graph = network();
        let last = graph.values.len() - 1;
        graph.values[last].shape = vec![1, 4];
        assert!(matches!(self::executor::<B>(&graph), Err(ExecuteError::Node { .. })));

        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 0]);
        graph.inputs.push(x);
        let mean = Op::ReduceMean { axes: vec![1], keep_dims: true };
        graph.add_node("mean", mean, vec![x], "mean").unwrap();
        assert_eq!(
            self::executor::<B>(&graph).err(),
            Some(ExecuteError::Empty { value: "x".to_string() })
        );
    }
    on_every_backend!(what_is_wrong_is_refused_by_name);

    fn nothing_reshapes_and_adds_to_nothing<B: FloatBackend>() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![0, 3, 4]);
        graph.inputs.push(x);
        let shape = Op::Reshape { shape: vec![3, 4, 0] };
        let y = graph.add_node("y", shape, vec![x], "y").unwrap();
        let one = graph.add_constant("one", vec![1], vec![1.0]).unwrap();
        let z = graph.add_node("z", Op::Binary(Binary::Add), vec![y, one], "z").unwrap();
        graph.outputs.extend([x, z]);
        let executor = executor::<B>(&graph).unwrap();
        let nothing = |shape: &[usize]| Tensor { shape: shape.to_vec(), data: vec![] };
        let found = executor.run(&[nothing(&[0, 3, 4])]).unwrap();
        assert_eq!(found, [nothing(&[0, 3, 4]), nothing(&[3, 4, 0])]);
        let refused = executor.run(&[Tensor { shape: vec![1, 3, 4], data: noise(12, 1) }]);
        assert!(matches!(refused, Err(ExecuteError::InputShape { .. })));
    }
    on_every_backend!(nothing_reshapes_and_adds_to_nothing);

    fn a_mixed_batch_runs_alone_only<B: FloatBackend>() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2]);
        graph.inputs.push(x);
        let turned = Op::Transpose { permutation: vec![1, 0] };
        let y = graph.add_node("turned", turned, vec![x], "y").unwrap();
        graph.outputs.push(y);
        let executor = executor::<B>(&graph).unwrap();
        let run = |batch: usize| {
            executor.run(&[Tensor { shape: vec![batch, 2], data: noise(2 * batch, 1) }])
        };
        assert_eq!(run(1).unwrap()[0].shape, [2, 1]);
        assert_eq!(run(2), Err(ExecuteError::FixedBatch { node: "turned".to_string() }));
    }
    on_every_backend!(a_mixed_batch_runs_alone_only);
}
