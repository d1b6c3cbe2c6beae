//! The float operators by their definitions, in double precision and without any speed: what the
//! tests of this crate compare with.

use std::collections::HashMap;

use headstart::graph::{Binary, Gemm, Graph, Node, Op, PadMode, Scale, Value, ValueId, Window};
use headstart::network::Halves;

use crate::import::imported::IntegerMeans;

/// A tensor of the evaluation.
#[derive(Clone, Debug)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Array {
    fn from_fn(shape: &[usize], element: impl FnMut(Vec<usize>) -> f64) -> Self {
        let count = shape.iter().product::<usize>();
        let data = (0..count).map(|flat| unravel(flat, shape)).map(element).collect();
        Self { shape: shape.to_vec(), data }
    }

    /// The element at `index`, whose leading dimensions are left out where this has fewer, and
    /// whose extents of 1 stretch.
    fn at(&self, index: &[usize]) -> f64 {
        let index = &index[index.len() - self.shape.len()..];
        let flat = index.iter().zip(&self.shape).fold(0, |flat, (&i, &n)| flat * n + i % n);
        self.data[flat]
    }
}

fn unravel(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &extent) in shape.iter().enumerate().rev() {
        index[i] = flat % extent;
        flat /= extent;
    }
    index
}

/// The outputs of a graph for the values of its inputs.
pub(crate) fn run(graph: &Graph, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    run_with(graph, inputs, |_, _, array| array)
}

/// The same with every tensor rounded to the scale that it carries, as a quantised model defines it:
/// `(saturate(rne(x / scale) + zero point) − zero point) · scale`. Results of nodes that are means of integers are rounded
/// with their zero point, as `means` says.
pub(crate) fn run_rounded(
    graph: &Graph,
    means: &IntegerMeans,
    inputs: &[Vec<f32>],
) -> Vec<Vec<f32>> {
    run_with(graph, inputs, |value, node, mut array| {
        if let Some(Scale::Tensor { scale, zero_point }) = value.scale {
            let (scale, zero) = (f64::from(scale), f64::from(zero_point));
            for x in &mut array.data {
                let rounded = match means.get(node) {
                    None => (*x / scale).round_ties_even() + zero,
                    Some(Halves::AwayFromZero) => (*x / scale + zero).round(),
                    Some(Halves::Up) => (*x / scale + zero + 0.5).floor(),
                };
                *x = (rounded.clamp(-128.0, 127.0) - zero) * scale;
            }
        }
        array
    })
}

fn run_with(
    graph: &Graph,
    inputs: &[Vec<f32>],
    round: impl Fn(&Value, &str, Array) -> Array,
) -> Vec<Vec<f32>> {
    let mut known: HashMap<ValueId, Array> = HashMap::new();
    let array = |value: &Value, data: &[f32]| Array {
        shape: value.shape.clone(),
        data: data.iter().map(|&x| f64::from(x)).collect(),
    };
    for (id, value) in graph.values.iter().enumerate() {
        if let Some(data) = &value.constant {
            known.insert(id, array(value, data));
        }
    }
    for (&id, data) in graph.inputs.iter().zip(inputs) {
        let value = &graph.values[id];
        known.insert(id, round(value, "", array(value, data)));
    }
    for node in &graph.nodes {
        let operands: Vec<_> = node.inputs.iter().map(|id| &known[id]).collect();
        let result = evaluate(&node.op, &operands, &graph.values[node.output].shape);
        known.insert(node.output, round(&graph.values[node.output], &node.name, result));
    }
    let result = |id: &ValueId| known[id].data.iter().map(|&x| x as f32).collect();
    graph.outputs.iter().map(result).collect()
}

/// Evaluates a node whose operands are all constant.
pub(crate) fn fold(node: &Node, operands: &[&Value]) -> Option<Vec<f32>> {
    let arrays = operands.iter().map(|value| {
        let data = value.constant.as_ref()?.iter().map(|&x| f64::from(x)).collect();
        Some(Array { shape: value.shape.clone(), data })
    });
    let arrays = arrays.collect::<Option<Vec<_>>>()?;
    let shapes: Vec<_> = operands.iter().map(|value| value.shape.as_slice()).collect();
    let shape = node.op.output_shape(&shapes).ok()?;
    let result = evaluate(&node.op, &arrays.iter().collect::<Vec<_>>(), &shape);
    Some(result.data.iter().map(|&x| x as f32).collect())
}

/// Inputs of a graph that look like noise.
pub(crate) fn noise(graph: &Graph, seed: u32) -> Vec<Vec<f32>> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f64::from(state) / f64::from(u32::MAX) * 8.0 - 4.0) as f32
    };
    let mut fill = |id: &ValueId| {
        (0..graph.values[*id].shape.iter().product::<usize>()).map(|_| next()).collect()
    };
    graph.inputs.iter().map(&mut fill).collect()
}

/// Panics unless two graphs give the same outputs, to within `tolerance` of their magnitude.
pub(crate) fn assert_same(a: &Graph, b: &Graph, tolerance: f32) {
    for seed in 1..4 {
        let inputs = noise(a, seed);
        for (x, y) in run(a, &inputs).iter().zip(run(b, &inputs)) {
            assert_eq!(x.len(), y.len());
            for (x, y) in x.iter().zip(y) {
                assert!((x - y).abs() <= tolerance * (1.0 + x.abs()), "{x} became {y}");
            }
        }
    }
}

fn evaluate(op: &Op, operands: &[&Array], shape: &[usize]) -> Array {
    let x = operands[0];
    let of = |element: &dyn Fn(Vec<usize>) -> f64| Array::from_fn(shape, element);
    match op {
        Op::Activation(activation) => of(&|i| activation.apply(x.at(&i))),
        Op::PRelu => of(&|i| match x.at(&i) {
            v if v < 0.0 => v * operands[1].at(&i),
            v => v,
        }),
        Op::Binary(binary) => of(&|i| {
            let (a, b) = (x.at(&i), operands[1].at(&i));
            match binary {
                Binary::Add => a + b,
                Binary::Sub => a - b,
                Binary::Mul => a * b,
                Binary::Div => a / b,
            }
        }),
        Op::BatchNormalization { epsilon } => of(&|i| {
            let channel = |k: usize| operands[k].data[i[1]];
            let deviation = (channel(4) + f64::from(*epsilon)).sqrt();
            (x.at(&i) - channel(3)) / deviation * channel(1) + channel(2)
        }),
        Op::Conv(conv) => of(&|i| {
            let weight = operands[1];
            let (inputs, outputs) = (weight.shape[1], weight.shape[0] / conv.groups);
            let mut sum = operands.get(2).map_or(0.0, |bias| bias.data[i[1]]);
            for channel in 0..inputs {
                for (k, at) in taps(&conv.window, &i[2..], &x.shape[2..]) {
                    let Some(at) = at else { continue };
                    let from = [i[0], i[1] / outputs * inputs + channel];
                    sum += x.at(&[&from[..], &at].concat())
                        * weight.at(&[&[i[1], channel][..], &k].concat());
                }
            }
            sum
        }),
        Op::MaxPool(pool) => of(&|i| {
            let taps = taps(&pool.window, &i[2..], &x.shape[2..]);
            let inside = taps.into_iter().filter_map(|(_, at)| at);
            inside.fold(f64::NEG_INFINITY, |most, at| most.max(x.at(&[&i[..2], &at].concat())))
        }),
        Op::MaxPoolIndices(_) => unreachable!("no test of this crate computes places"),
        Op::AveragePool(pool) => of(&|i| {
            let taps = taps(&pool.window, &i[2..], &x.shape[2..]);
            let counts = |k: &Vec<usize>| {
                (0..k.len()).all(|d| {
                    let window = &pool.window;
                    let padded = x.shape[2 + d] + window.pads_begin[d] + window.pads_end[d];
                    let reached = i[2 + d] * window.strides[d] + k[d] * window.dilations[d];
                    reached < padded - pool.ceil_extra[d]
                })
            };
            let (mut sum, mut count) = (0.0, 0.0);
            for (k, at) in taps {
                count += f64::from(at.is_some() || (pool.count_include_pad && counts(&k)));
                sum += at.map_or(0.0, |at| x.at(&[&i[..2], &at].concat()));
            }
            sum / count
        }),
        Op::GlobalAveragePool => mean(x, &(2..x.shape.len()).collect::<Vec<_>>(), shape),
        Op::ReduceMean { axes, .. } => mean(x, axes, shape),
        Op::Softmax { axis, flatten } => softmax(x, *axis, *flatten),
        Op::Concat { axis } => of(&|mut i| {
            for part in operands {
                match i[*axis].checked_sub(part.shape[*axis]) {
                    Some(rest) => i[*axis] = rest,
                    None => return part.at(&i),
                }
            }
            unreachable!("an index past all parts")
        }),
        Op::Pad(pad) => of(&|i| {
            let mut at = Vec::new();
            for (d, &position) in i.iter().enumerate() {
                let last = x.shape[d] as isize - 1;
                let from = position as isize - pad.begin[d] as isize;
                at.push(match pad.mode {
                    _ if (0..=last).contains(&from) => from,
                    PadMode::Constant(value) => return f64::from(value),
                    PadMode::Edge => from.clamp(0, last),
                    PadMode::Wrap => from.rem_euclid(last + 1),
                    PadMode::Reflect if from < 0 => -from,
                    PadMode::Reflect => 2 * last - from,
                } as usize);
            }
            x.at(&at)
        }),
        Op::Reshape { .. } => Array { shape: shape.to_vec(), data: x.data.clone() },
        Op::Transpose { permutation } => of(&|i| {
            let mut from = vec![0; i.len()];
            permutation.iter().zip(i).for_each(|(&axis, position)| from[axis] = position);
            x.at(&from)
        }),
        Op::Gemm(gemm) => of(&|i| {
            let Gemm { alpha, beta, trans_a, trans_b } = *gemm;
            let depth = x.shape[usize::from(!trans_a)];
            let a = |k: usize| if trans_a { x.at(&[k, i[0]]) } else { x.at(&[i[0], k]) };
            let b = |k: usize| operands[1].at(&if trans_b { [i[1], k] } else { [k, i[1]] });
            let product: f64 = (0..depth).map(|k| a(k) * b(k)).sum();
            let c = operands.get(2).map_or(0.0, |c| c.at(&i));
            f64::from(alpha) * product + f64::from(beta) * c
        }),
        Op::MatMul => matmul(x, operands[1], shape),
        Op::Resize(resize) => of(&|i| {
            let axes = i.len() - 2;
            let corners = (0..1_usize << axes).map(|corner| {
                let (mut at, mut share) = (i[..2].to_vec(), 1.0);
                for axis in 0..axes {
                    let taps = resize.taps(axis, x.shape[2 + axis], i[2 + axis]).unwrap();
                    let (place, own) = taps[corner >> axis & 1];
                    at.push(place);
                    share *= f64::from(own);
                }
                share * x.at(&at)
            });
            corners.sum()
        }),
    }
}

/// What a window reads: positions in the kernel, and in the input unless that is padding.
fn taps(
    window: &Window,
    output: &[usize],
    spatial: &[usize],
) -> Vec<(Vec<usize>, Option<Vec<usize>>)> {
    let place = |flat: usize| {
        let k = unravel(flat, &window.kernel);
        let at = (0..k.len())
            .map(|d| {
                let padded = output[d] * window.strides[d] + k[d] * window.dilations[d];
                padded.checked_sub(window.pads_begin[d]).filter(|&at| at < spatial[d])
            })
            .collect();
        (k, at)
    };
    (0..window.kernel.iter().product()).map(place).collect()
}

fn mean(x: &Array, axes: &[usize], shape: &[usize]) -> Array {
    let kept = (0..x.shape.len()).filter(|d| !axes.contains(d)).map(|d| x.shape[d]);
    let mut sums = vec![0.0; kept.product()];
    for (flat, value) in x.data.iter().enumerate() {
        let index = unravel(flat, &x.shape);
        let place = (0..index.len())
            .filter(|d| !axes.contains(d))
            .fold(0, |place, d| place * x.shape[d] + index[d]);
        sums[place] += value;
    }
    let count = x.data.len() / sums.len();
    sums.iter_mut().for_each(|sum| *sum /= count as f64);
    Array { shape: shape.to_vec(), data: sums }
}

fn softmax(x: &Array, axis: usize, flatten: bool) -> Array {
    let inner = if flatten { 1 } else { x.shape[axis + 1..].iter().product() };
    let along = x.shape[axis..].iter().product::<usize>() / inner;
    let mut result = x.clone();
    for outer in 0..x.data.len() / (along * inner) {
        for i in 0..inner {
            let places: Vec<_> =
                (0..along).map(|k| outer * along * inner + k * inner + i).collect();
            let most = places.iter().map(|&p| x.data[p]).fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = places.iter().map(|&p| (x.data[p] - most).exp()).sum();
            places.iter().for_each(|&p| result.data[p] = (x.data[p] - most).exp() / sum);
        }
    }
    result
}

fn matmul(a: &Array, b: &Array, shape: &[usize]) -> Array {
    let mut a = a.clone();
    let mut b = b.clone();
    let mut full = shape.to_vec();
    if b.shape.len() == 1 {
        b.shape.push(1);
        full.push(1);
    }
    if a.shape.len() == 1 {
        a.shape.insert(0, 1);
        full.insert(full.len() - 1, 1);
    }
    let depth = a.shape[a.shape.len() - 1];
    let mut result = Array::from_fn(&full, |i| {
        let (batch, [row, column]) = (&i[..i.len() - 2], [i[i.len() - 2], i[i.len() - 1]]);
        (0..depth)
            .map(|k| a.at(&[batch, &[row, k]].concat()) * b.at(&[batch, &[k, column]].concat()))
            .sum()
    });
    result.shape = shape.to_vec();
    result
}
