//! The personalised network as one float graph: backbone, pooling, head, probabilities.

use headstart::graph::{Activation, Binary, Gemm, Graph, GraphError, Op, ValueId};
use headstart::network::Value;
use headstart::pack::Pack;
use headstart_device::{Head, Layer};

use crate::error::{Error, ModelProblem};
use crate::import::model::Model;

/// Makes the float backbone of `model` with the head on top. Outputs: `logits` and `probabilities`, `[1, classes]` each. The head was
/// learned on int8 features; here it reads real ones.
///
/// # Errors
///
/// [`Error::Model`] if the model has no such freeze point, or the head does not fit it.
pub fn personalised(model: &Model, pack: &Pack<'_>, head: &Head) -> Result<Graph, Error> {
    let mut graph = model.cut_at(pack.provenance().freeze_point)?;
    let features = pack.feature_value().map_err(Error::NewPack)?;
    append(&mut graph, &features, head)
        .map_err(|problem| model.lacks(ModelProblem::Head(problem)))?;
    Ok(graph)
}

fn append(graph: &mut Graph, value: &Value, head: &Head) -> Result<(), GraphError> {
    let frozen = graph.outputs[0];
    let mut x = pooled(graph, frozen, value)?;
    let layers = head.layers().count();
    for (index, layer) in head.layers().enumerate() {
        let (weights, bias) = if index == 0 {
            onto_reals(layer, value)
        } else {
            (layer.weights.to_vec(), layer.bias.to_vec())
        };
        let last = index + 1 == layers;
        x = dense(graph, x, weights, bias, if last { "logits" } else { "head.hidden" })?;
        if !last {
            let relu = Op::Activation(Activation::Relu);
            x = add(graph, relu, vec![x], "head.hidden.relu")?;
        }
    }
    let logits = x;
    let cold = add_constant(graph, "head.coldness", vec![1], vec![1.0 / head.temperature()])?;
    let scaled = add(graph, Op::Binary(Binary::Mul), vec![logits, cold], "head.scaled")?;
    let softmax = Op::Softmax { axis: 1, flatten: false };
    let probabilities = add(graph, softmax, vec![scaled], "probabilities")?;
    graph.outputs = vec![logits, probabilities];
    Ok(())
}

/// A layer on int8 features as one on real ones: on real x, q = x / s + z, so that
/// Σ w · q + b = Σ (w / s) · x + (b + z · Σ w).
fn onto_reals(layer: Layer<'_>, features: &Value) -> (Vec<f32>, Vec<f32>) {
    let rows = layer.weights.chunks_exact(layer.weights.len() / layer.bias.len());
    let shifted = layer.bias.iter().zip(rows).map(|(&bias, row)| {
        let sum: f64 = row.iter().map(|&w| f64::from(w)).sum();
        (f64::from(bias) + f64::from(features.zero_point) * sum) as f32
    });
    (layer.weights.iter().map(|w| w / features.scale).collect(), shifted.collect())
}

/// Appends `x · weightsᵀ + bias`, called `name`.
fn dense(
    graph: &mut Graph,
    x: ValueId,
    weights: Vec<f32>,
    bias: Vec<f32>,
    name: &str,
) -> Result<ValueId, GraphError> {
    let outputs = bias.len();
    let shape = vec![outputs, weights.len() / outputs];
    let weights = add_constant(graph, &format!("{name}.weight"), shape, weights)?;
    let bias = add_constant(graph, &format!("{name}.bias"), vec![outputs], bias)?;
    let gemm = Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true });
    add(graph, gemm, vec![x, weights, bias], name)
}

/// The features `[1, features]`, channels last, as the device orders them. The mean over the bins
/// of the grid is a product with a constant matrix, whatever the bins' extents.
fn pooled(graph: &mut Graph, frozen: ValueId, value: &Value) -> Result<ValueId, GraphError> {
    let shape = graph.values[frozen].shape.clone();
    let (channels, height, width) = match shape[..] {
        [_, c, h, w] => (c, h, w),
        [_, c, l] => (c, l, 1),
        _ => return Ok(frozen),
    };
    let (rows, columns) = (value.height as usize, value.width as usize);
    let mut means = vec![0.0; height * width * rows * columns];
    let bin =
        |i: usize, bins: usize, extent: usize| i * extent / bins..((i + 1) * extent).div_ceil(bins);
    for row in 0..rows {
        for column in 0..columns {
            let (ys, xs) = (bin(row, rows, height), bin(column, columns, width));
            let share = 1.0 / (ys.len() * xs.len()) as f32;
            for (y, x) in ys.flat_map(|y| xs.clone().map(move |x| (y, x))) {
                means[(y * width + x) * rows * columns + row * columns + column] = share;
            }
        }
    }
    let reshape = |shape: Vec<usize>| Op::Reshape { shape };
    let flat = reshape(vec![1, channels, height * width]);
    let flat = add(graph, flat, vec![frozen], "head.flat")?;
    let means = add_constant(graph, "head.grid", vec![height * width, rows * columns], means)?;
    let grid = add(graph, Op::MatMul, vec![flat, means], "head.pooled")?;
    let last = Op::Transpose { permutation: vec![0, 2, 1] };
    let last = add(graph, last, vec![grid], "head.channels_last")?;
    add(graph, reshape(vec![1, rows * columns * channels]), vec![last], "head.features")
}

/// Appends a node that is called as its result is.
fn add(graph: &mut Graph, op: Op, inputs: Vec<ValueId>, name: &str) -> Result<ValueId, GraphError> {
    let name = fresh(graph, name);
    graph.add_node(name.clone(), op, inputs, name)
}

fn add_constant(
    graph: &mut Graph,
    name: &str,
    shape: Vec<usize>,
    data: Vec<f32>,
) -> Result<ValueId, GraphError> {
    let name = fresh(graph, name);
    graph.add_constant(name, shape, data)
}

/// `name`, or the first of `name_1`, `name_2`, … that no tensor of the model has.
fn fresh(graph: &Graph, name: &str) -> String {
    let numbered = (1..).map(|n| format!("{name}_{n}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| graph.value_named(name).is_none())
        .expect("there are more numbers than tensors")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use headstart::head::{HeadParts, LinearHead};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::float::FloatGraph;
    use crate::float::Run;

    const FEATURES: Value = Value {
        offset: 0,
        height: 1,
        width: 1,
        channels: 3,
        scale: 0.5,
        zero_point: -2,
        kept_rows: 0,
    };

    /// A record of two classes over `inputs` inputs.
    fn record(inputs: usize) -> Vec<u8> {
        let weights: Vec<f32> = (0..2 * inputs).map(|i| 0.3 - 0.17 * i as f32).collect();
        let parts = HeadParts {
            temperature: 2.0,
            ..HeadParts::new(
                LinearHead::new(&weights, &[0.25, -0.5], inputs).unwrap(),
                [7; 32],
                &["mug", "cup"],
                &[1, 1],
            )
        };
        parts.to_vec().unwrap()
    }

    /// The bytes of a hidden layer of two units, as a state folder holds them before the record.
    fn hidden() -> Vec<u8> {
        let mut bytes = b"HSHIDE\x1a\n\x01\0\0\0\x03\0\0\0\x02\0\0\0".to_vec();
        let numbers = [0.5_f32, -0.25, 0.1, -0.2, 0.3, -0.4, 0.5, 0.6];
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        bytes
    }

    #[test]
    fn the_float_graph_answers_as_the_device_does() {
        for bytes in [record(3), [hidden(), record(2)].concat()] {
            let head = Head::parse(Path::new("head"), &bytes, &[7; 32]).unwrap();
            let mut graph = Graph::default();
            let x = graph.add_value("x", vec![1, 3]);
            (graph.inputs, graph.outputs) = (vec![x], vec![x]);
            append(&mut graph, &FEATURES, &head).unwrap();
            let float = FloatGraph::new(Path::new("test"), &graph).unwrap();
            for q in [[-2, -2, -2], [5, -9, 30], [-128, 127, 0], [60, 61, -62]] {
                let real = q.map(|q| (f32::from(q) + 2.0) * 0.5);
                let mut probabilities = Vec::new();
                let mut see = |id, data: &[f32]| {
                    if id == graph.outputs[1] {
                        probabilities = data.to_vec();
                    }
                };
                float.run(&real, &mut see).unwrap();
                let answer = head.answer(&q).unwrap();
                let found = probabilities[answer.class];
                assert!((found - answer.probability).abs() < 1e-5, "{q:?}: {found} {answer:?}");
            }
        }
    }
}
