//! The personalised network as one float graph: backbone, pooling, head, probabilities.

use headstart::graph::{Binary, Gemm, Graph, GraphError, Op, ValueId};
use headstart::head::HeadRecord;
use headstart::pack::{Pack, Value};

use crate::error::Error;
use crate::model::Model;

/// The float backbone of `model` with the head on top. Outputs: `logits` and `probabilities`,
/// `[1, classes]` each. The head was learned on int8 features; here it reads real ones.
///
/// # Errors
///
/// [`Error::Option`] if the model has no such freeze point, [`Error::Execute`] if the parts do not
/// fit each other.
pub fn personalised(model: &Model, pack: &Pack<'_>, head: &HeadRecord<'_>) -> Result<Graph, Error> {
    let mut graph = model.cut_at(pack.provenance().freeze_point)?;
    let features = pack.feature_value().map_err(Error::NewPack)?;
    append(&mut graph, &features, head).map_err(|problem| Error::Execute {
        model: model.path.clone(),
        problem: problem.to_string(),
    })?;
    Ok(graph)
}

fn append(graph: &mut Graph, value: &Value, head: &HeadRecord<'_>) -> Result<(), GraphError> {
    let frozen = graph.outputs[0];
    let features = pooled(graph, frozen, value)?;
    let (classes, count) = (head.classes(), head.feature_len());
    let (mut weights, mut bias) = (vec![0.0; classes * count], vec![0.0; classes]);
    head.read(&mut weights, &mut bias).map_err(|problem| GraphError::Shape(problem.to_string()))?;
    // On real x, q = x / s + z: Σ w · q + b = Σ (w / s) · x + (b + z · Σ w).
    for (bias, row) in bias.iter_mut().zip(weights.chunks_exact(count)) {
        let sum: f64 = row.iter().map(|&w| f64::from(w)).sum();
        *bias = (f64::from(*bias) + f64::from(value.zero_point) * sum) as f32;
    }
    weights.iter_mut().for_each(|w| *w /= value.scale);
    let weights = add_constant(graph, "head.weight", vec![classes, count], weights)?;
    let bias = add_constant(graph, "head.bias", vec![classes], bias)?;
    let gemm = Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true });
    let logits = add(graph, gemm, vec![features, weights, bias], "logits")?;
    let cold = add_constant(graph, "head.coldness", vec![1], vec![1.0 / head.temperature()])?;
    let scaled = add(graph, Op::Binary(Binary::Mul), vec![logits, cold], "head.scaled")?;
    let softmax = Op::Softmax { axis: 1, flatten: false };
    let probabilities = add(graph, softmax, vec![scaled], "probabilities")?;
    graph.outputs = vec![logits, probabilities];
    Ok(())
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
        .unwrap_or_default()
}
