use std::path::Path;

use headstart::graph::{
    Activation, AveragePool, Binary, Conv, Gemm, Graph, MaxPool, Node, Op, Pad, PadMode, ValueId,
    Window,
};

use super::groups::{Group, Groups, Role, role};
use super::*;
use crate::float::{FloatGraph, Run};

/// A graph under construction; constants are waves.
#[derive(Default)]
struct Build {
    graph: Graph,
}

impl Build {
    /// An input, and eight channels that a convolution writes.
    fn new() -> (Self, ValueId) {
        let mut build = Self::default();
        let x = build.graph.add_value("x", vec![1, 2, 6, 6]);
        build.graph.inputs.push(x);
        let x = build.conv(x, &[8, 2, 3, 3], 1);
        (build, x)
    }

    fn constant(&mut self, shape: &[usize]) -> ValueId {
        let id = self.graph.values.len();
        let count: usize = shape.iter().product();
        let wave = |at: usize| {
            let wave = ((at * 7 + id * 3) as f32 * 1.7).sin();
            // Never near 0, and of other sizes in other places.
            (0.3 + 0.1 * (at % 5) as f32) * if wave < 0.0 { wave - 0.2 } else { wave + 0.2 }
        };
        self.graph
            .add_constant(format!("c{id}"), shape.to_vec(), (0..count).map(wave).collect())
            .unwrap()
    }

    fn op(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let name = format!("n{}", self.graph.values.len());
        self.graph.add_node(name.clone(), op, inputs.to_vec(), name).unwrap()
    }

    fn conv(&mut self, x: ValueId, shape: &[usize; 4], groups: usize) -> ValueId {
        let (weight, bias) = (self.constant(shape), self.constant(&shape[..1]));
        self.op(Op::Conv(Conv { window: same(shape[2]), groups }), &[x, weight, bias])
    }

    fn point(&mut self, x: ValueId) -> ValueId {
        let channels = self.graph.values[x].shape[1];
        self.conv(x, &[channels, channels, 1, 1], 1)
    }

    fn act(&mut self, x: ValueId, activation: Activation) -> ValueId {
        self.op(Op::Activation(activation), &[x])
    }

    fn two(&mut self, op: Binary, a: ValueId, b: ValueId) -> ValueId {
        self.op(Op::Binary(op), &[a, b])
    }

    fn pad(&mut self, x: ValueId, mode: PadMode) -> ValueId {
        self.op(Op::Pad(Pad { begin: vec![0, 0, 1, 1], end: vec![0, 0, 1, 2], mode }), &[x])
    }

    fn gate(&mut self, mean: ValueId) -> ValueId {
        let x = self.conv(mean, &[3, 8, 1, 1], 1);
        let x = self.act(x, Activation::Relu);
        let x = self.conv(x, &[8, 3, 1, 1], 1);
        self.act(x, HARD)
    }

    fn dense(&mut self, x: ValueId, shape: &[usize], is_product: bool) -> ValueId {
        let weight = self.constant(shape);
        if is_product {
            return self.op(Op::MatMul, &[x, weight]);
        }
        let bias = self.constant(&[1, shape[0]]);
        let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true };
        self.op(Op::Gemm(gemm), &[x, weight, bias])
    }

    fn with(&mut self, op: Binary, x: ValueId, shape: &[usize]) -> ValueId {
        let constant = self.constant(shape);
        self.two(op, x, constant)
    }
}

fn same(kernel: usize) -> Window {
    Window {
        pads_begin: vec![kernel / 2; 2],
        pads_end: vec![kernel / 2; 2],
        ..Window::new(&[kernel; 2])
    }
}

const HARD: Activation = Activation::HardSigmoid { alpha: 0.2, beta: 0.5 };

type Block = fn(&mut Build, ValueId) -> ValueId;

/// Blocks by what is special about them; a convolution reads what they give.
const BLOCKS: &[(&str, Block)] = &[
    ("relu", |b, x| b.act(x, Activation::Relu)),
    ("clip", |b, x| b.act(x, Activation::Clip { min: 0.0, max: 0.5 })),
    ("two clips", |b, x| {
        let a = b.act(x, Activation::Clip { min: 0.0, max: 0.5 });
        let c = b.point(x);
        let c = b.act(c, Activation::Clip { min: 0.0, max: 0.2 });
        b.two(Binary::Add, a, c)
    }),
    ("a clip on both sides", |b, x| b.act(x, Activation::Clip { min: -0.3, max: 0.5 })),
    ("leaky", |b, x| b.act(x, Activation::LeakyRelu { alpha: 0.1 })),
    ("swish", |b, x| b.act(x, Activation::Silu)),
    ("hard swish", |b, x| b.act(x, Activation::HardSwish)),
    ("sigmoid", |b, x| b.act(x, Activation::Sigmoid)),
    ("hard sigmoid", |b, x| b.act(x, HARD)),
    ("a slope a channel", |b, x| {
        let slope = b.constant(&[8, 1, 1]);
        b.op(Op::PRelu, &[x, slope])
    }),
    ("a depthwise convolution", |b, x| b.conv(x, &[8, 1, 3, 3], 8)),
    ("a depthwise convolution of two results a channel", |b, x| b.conv(x, &[16, 1, 3, 3], 8)),
    ("a convolution of groups", |b, x| b.conv(x, &[6, 4, 3, 3], 2)),
    ("normalisation", |b, x| {
        let x = b.act(x, Activation::Silu);
        let parameters = [0; 3].map(|_| b.constant(&[8]));
        let variance = b.graph.add_constant("variance", vec![8], vec![0.7; 8]).unwrap();
        let inputs = [x, parameters[0], parameters[1], parameters[2], variance];
        b.op(Op::BatchNormalization { epsilon: 1e-3 }, &inputs)
    }),
    ("a residual sum", |b, x| {
        let y = b.point(x);
        let sum = b.two(Binary::Add, x, y);
        let y = b.conv(sum, &[8, 8, 3, 3], 1);
        b.two(Binary::Sub, sum, y)
    }),
    ("a residual sum behind a swish", |b, x| {
        let x = b.act(x, Activation::HardSwish);
        let y = b.point(x);
        let sum = b.two(Binary::Add, x, y);
        b.act(sum, Activation::Silu)
    }),
    ("a number is added", |b, x| b.with(Binary::Add, x, &[])),
    ("a number is multiplied", |b, x| b.with(Binary::Mul, x, &[1])),
    ("divided by a number", |b, x| b.with(Binary::Div, x, &[1, 1, 1, 1])),
    ("a number is divided", |b, x| {
        let (one, x) = (b.constant(&[1]), b.act(x, Activation::Sigmoid));
        b.two(Binary::Div, one, x)
    }),
    ("from a number", |b, x| {
        let one = b.constant(&[1]);
        b.two(Binary::Sub, one, x)
    }),
    ("a number a channel is added", |b, x| b.with(Binary::Add, x, &[8, 1, 1])),
    ("a number a channel is taken away", |b, x| b.with(Binary::Sub, x, &[1, 8, 1, 1])),
    ("from a number a channel", |b, x| {
        let constant = b.constant(&[1, 8, 1, 1]);
        b.two(Binary::Sub, constant, x)
    }),
    ("a number a channel is multiplied", |b, x| b.with(Binary::Mul, x, &[8, 1, 1])),
    ("divided by a number a channel", |b, x| b.with(Binary::Div, x, &[8, 1, 1])),
    ("a number a column is added", |b, x| b.with(Binary::Add, x, &[6])),
    ("a number a column is multiplied", |b, x| b.with(Binary::Mul, x, &[6])),
    ("side by side", |b, x| {
        let y = b.point(x);
        b.op(Op::Concat { axis: 1 }, &[x, y])
    }),
    ("side by side, twice", |b, x| {
        let y = b.point(x);
        let y = b.op(Op::Concat { axis: 1 }, &[x, y]);
        let y = b.op(Op::MaxPool(MaxPool { window: same(3) }), &[y]);
        let z = b.conv(y, &[4, 16, 1, 1], 1);
        let z = b.act(z, Activation::HardSwish);
        b.op(Op::Concat { axis: 1 }, &[y, z])
    }),
    ("side by side and as one", |b, x| {
        let y = b.point(x);
        let y = b.op(Op::Concat { axis: 1 }, &[x, y]);
        b.op(Op::Softmax { axis: 1, flatten: false }, &[y])
    }),
    ("side by side in a sum", |b, x| {
        let y = b.point(x);
        let y = b.op(Op::Concat { axis: 1 }, &[x, y]);
        let z = b.point(y);
        b.two(Binary::Add, y, z)
    }),
    ("a clip of channels side by side", |b, x| {
        let y = b.point(x);
        let y = b.op(Op::Concat { axis: 1 }, &[x, y]);
        b.act(y, Activation::Clip { min: 0.0, max: 0.5 })
    }),
    ("a clip of a product", |b, x| {
        let y = b.point(x);
        let y = b.two(Binary::Mul, x, y);
        b.act(y, Activation::Clip { min: 0.0, max: 0.1 })
    }),
    ("maxima", |b, x| b.op(Op::MaxPool(MaxPool { window: same(3) }), &[x])),
    ("means", |b, x| {
        let pool = AveragePool { window: same(3), count_include_pad: true, ceil_extra: vec![0; 2] };
        let x = b.act(x, Activation::Silu);
        b.op(Op::AveragePool(pool), &[x])
    }),
    ("padding", |b, x| b.pad(x, PadMode::Constant(0.0))),
    ("padding of ones", |b, x| b.pad(x, PadMode::Constant(1.0))),
    ("reflection", |b, x| b.pad(x, PadMode::Reflect)),
    ("softmax", |b, x| b.op(Op::Softmax { axis: 1, flatten: false }, &[x])),
    ("a turn", |b, x| {
        let turned = b.op(Op::Transpose { permutation: vec![0, 1, 3, 2] }, &[x]);
        b.act(turned, Activation::HardSwish)
    }),
    ("a turn of channels", |b, x| {
        let turned = b.op(Op::Transpose { permutation: vec![0, 2, 1, 3] }, &[x]);
        let turned = b.act(turned, Activation::HardSwish);
        b.op(Op::Transpose { permutation: vec![0, 2, 1, 3] }, &[turned])
    }),
    ("another shape", |b, x| {
        let flat = b.op(Op::Reshape { shape: vec![1, 8, 36] }, &[x]);
        let flat = b.act(flat, Activation::HardSwish);
        b.op(Op::Reshape { shape: vec![1, 8, 4, 9] }, &[flat])
    }),
    ("another shape that mixes channels", |b, x| {
        let mixed = b.op(Op::Reshape { shape: vec![1, 4, 12, 6] }, &[x]);
        b.act(mixed, Activation::HardSwish)
    }),
    ("squeeze and excite", |b, x| {
        let x = b.act(x, Activation::HardSwish);
        let mean = b.op(Op::GlobalAveragePool, &[x]);
        let gate = b.gate(mean);
        b.two(Binary::Mul, x, gate)
    }),
    ("squeeze and excite by matrices", |b, x| {
        let x = b.act(x, Activation::Silu);
        let mean = b.op(Op::ReduceMean { axes: vec![2, 3], keep_dims: false }, &[x]);
        let gate = b.dense(mean, &[8, 3], true);
        let gate = b.act(gate, Activation::Relu);
        let gate = b.dense(gate, &[8, 3], false);
        let gate = b.act(gate, Activation::Sigmoid);
        let gate = b.op(Op::Reshape { shape: vec![1, 8, 1, 1] }, &[gate]);
        b.two(Binary::Mul, gate, x)
    }),
    ("squeeze and excite before a sum", |b, x| {
        let y = b.point(x);
        let mean = b.op(Op::GlobalAveragePool, &[y]);
        let gate = b.gate(mean);
        let y = b.two(Binary::Mul, y, gate);
        b.two(Binary::Add, x, y)
    }),
    ("squeeze and excite with a sum inside", |b, x| {
        let mean = b.op(Op::GlobalAveragePool, &[x]);
        let gate = b.gate(mean);
        let product = b.two(Binary::Mul, x, gate);
        b.two(Binary::Add, x, product)
    }),
    ("a gate that a convolution reads", |b, x| {
        let gate = b.act(x, Activation::Sigmoid);
        let y = b.point(gate);
        let product = b.two(Binary::Mul, y, gate);
        b.two(Binary::Add, product, gate)
    }),
    ("products of products", |b, x| {
        let (y, z) = (b.point(x), b.point(x));
        let y = b.two(Binary::Mul, x, y);
        let z = b.two(Binary::Mul, y, z);
        let z = b.op(Op::MaxPool(MaxPool { window: same(3) }), &[z]);
        b.two(Binary::Mul, z, y)
    }),
    ("a square", |b, x| b.two(Binary::Mul, x, x)),
    ("a square in a sum", |b, x| {
        let square = b.two(Binary::Mul, x, x);
        b.two(Binary::Add, square, x)
    }),
    ("a product side by side with another", |b, x| {
        let y = b.point(x);
        let product = b.two(Binary::Mul, x, y);
        b.op(Op::Concat { axis: 1 }, &[product, y])
    }),
    ("a quotient", |b, x| {
        let below = b.act(x, Activation::Sigmoid);
        b.two(Binary::Div, x, below)
    }),
    ("a gate a place", |b, x| {
        let gate = b.conv(x, &[1, 8, 1, 1], 1);
        let gate = b.act(gate, Activation::Sigmoid);
        b.two(Binary::Mul, x, gate)
    }),
    ("one constant of two nodes", |b, x| {
        let (weight, bias) = (b.constant(&[8, 8, 1, 1]), b.constant(&[8]));
        let conv = || Op::Conv(Conv { window: same(1), groups: 1 });
        let x = b.op(conv(), &[x, weight, bias]);
        let x = b.op(conv(), &[x, weight, bias]);
        b.act(x, Activation::Relu)
    }),
    ("one number in the bias of a matrix product", |b, x| {
        let mean = b.op(Op::ReduceMean { axes: vec![2, 3], keep_dims: false }, &[x]);
        let weight = b.constant(&[8, 8]);
        let bias = b.constant(&[1]);
        let gemm = Gemm { alpha: 0.5, beta: 2.0, trans_a: false, trans_b: false };
        let y = b.op(Op::Gemm(gemm), &[mean, weight, bias]);
        let y = b.op(Op::Reshape { shape: vec![1, 8, 1, 1] }, &[y]);
        b.act(y, Activation::HardSwish)
    }),
];

/// A graph of each block between convolutions.
fn graphs() -> impl Iterator<Item = (&'static str, Graph)> {
    BLOCKS.iter().map(|(what, block)| {
        let (mut build, x) = Build::new();
        let y = block(&mut build, x);
        let channels = build.graph.values[y].shape[1];
        let z = build.conv(y, &[3, channels, 1, 1], 1);
        build.graph.outputs.push(z);
        (*what, build.graph)
    })
}

/// What every tensor of `graph` is for `sample`.
fn tensors(graph: &Graph, sample: &[f32]) -> Vec<Vec<f32>> {
    let mut found = vec![Vec::new(); graph.values.len()];
    let runner = FloatGraph::new(Path::new("test"), graph).unwrap();
    runner.run(sample, &mut |id, data| found[id] = data.to_vec()).unwrap();
    found
}

/// The absorbed graph with the scales that tables are told: what they read is multiplied by its scales, what they give divided.
fn with_told_tables(graph: &Graph, scales: &ChannelScales) -> Graph {
    let absorbed = absorbed(graph, scales);
    let mut told = Graph { nodes: vec![], ..absorbed.clone() };
    for node in absorbed.nodes {
        let may_be = matches!(node.op, Op::Activation(_) | Op::Binary(_));
        if !may_be || role(graph, &node) != Role::Free {
            told.nodes.push(node);
            continue;
        }
        let rank = graph.values[node.output].shape.len();
        let times = |told: &mut Graph, list: Vec<f32>| {
            let mut shape = vec![1; rank];
            shape[1] = list.len();
            told.add_constant(format!("s{}", told.values.len()), shape, list).unwrap()
        };
        let at = node.inputs.iter().position(|&id| graph.values[id].constant.is_none()).unwrap();
        let mut moved: Node = node.clone();
        if let Some(from) = scales.of(node.inputs[at]) {
            let factors = times(&mut told, from.to_vec());
            let product = vec![node.inputs[at], factors];
            moved.inputs[at] = told.add_node("in", Op::Binary(Binary::Mul), product, "in").unwrap();
        }
        if let Some(to) = scales.of(node.output) {
            moved.output = told.add_value("table", graph.values[node.output].shape.clone());
            let factors = times(&mut told, to.to_vec());
            let inputs = vec![moved.output, factors];
            told.nodes.push(moved);
            let op = Op::Binary(Binary::Div);
            told.nodes.push(Node { name: "out".into(), op, inputs, output: node.output });
        } else {
            told.nodes.push(moved);
        }
    }
    told
}

/// What the samples show of all channels.
fn seen(graph: &Graph, samples: &[Vec<f32>]) -> Seen {
    let channels = |id: usize| graph.values[id].shape.get(1).copied().unwrap_or(1);
    let counts = (0..graph.values.len()).map(channels);
    let ends: Vec<Vec<(f32, f32)>> = counts.map(|count| vec![(0.0, 0.0); count]).collect();
    let variances = ends.iter().map(|ends| vec![1.0; ends.len()]).collect();
    let mut seen = Seen { ends, variances };
    for sample in samples {
        for (ends, data) in seen.ends.iter_mut().zip(tensors(graph, sample)) {
            let pixels = (data.len() / ends.len()).max(1);
            for (ends, plane) in ends.iter_mut().zip(data.chunks_exact(pixels)) {
                plane.iter().for_each(|&v| *ends = (ends.0.min(v), ends.1.max(v)));
            }
        }
    }
    seen
}

fn samples() -> Vec<Vec<f32>> {
    let sample = |s: i32| (0..72).map(|i| ((i * 7 + s * 13) as f32).cos()).collect();
    (0..4).map(sample).collect()
}

/// Every tensor of the graph with scales is that of the graph without, divided by them.
fn assert_the_same(what: &str, graph: &Graph, scales: &ChannelScales) {
    let told = with_told_tables(graph, scales);
    for sample in samples() {
        let (before, after) = (tensors(graph, &sample), tensors(&told, &sample));
        for node in &graph.nodes {
            let (before, after) = (&before[node.output], &after[node.output]);
            assert_eq!(before.len(), after.len());
            let most = before.iter().fold(1e-3_f32, |most, v| most.max(v.abs()));
            let channels = scales.of(node.output).map_or(1, <[f32]>::len);
            let pixels = before.len() / channels;
            for (at, (a, b)) in before.iter().zip(after).enumerate() {
                let b = b * scales.of(node.output).map_or(1.0, |scales| scales[at / pixels]);
                let apart = (a - b).abs();
                assert!(apart <= 1e-4 * most, "{what}, {}: {a} {b}", node.name);
            }
        }
    }
}

#[test]
fn every_kind_of_block_computes_the_same() {
    for (what, graph) in graphs() {
        let scales = ChannelScales::choose(&graph, &seen(&graph, &samples()));
        assert_the_same(what, &graph, &scales);
    }
}

/// Where nothing bounds the scales they may be whatever they like.
#[test]
fn any_scales_leave_the_network_as_it_is() {
    for (what, graph) in graphs() {
        let mut number = 0.0_f32;
        let mut any = |group: &Group| -> Vec<f32> {
            let next = |_| {
                number += 1.0;
                if group.bounds.is_empty() { (number * 1.3).sin().exp2() } else { 1.0 }
            };
            (0..group.channels).map(next).collect()
        };
        let scales = ChannelScales::of_groups(&Groups::new(&graph), &mut any);
        assert_the_same(what, &graph, &scales);
    }
}

fn scaled(what: &str) -> (Graph, Vec<bool>) {
    let graph = graphs().find(|(name, _)| *name == what).unwrap().1;
    let ones = ChannelScales::ones(&graph);
    let scaled = graph.nodes.iter().map(|node| ones.of(node.output).is_some()).collect();
    (graph, scaled)
}

#[test]
fn scales_go_as_far_as_nodes_can_hold_them() {
    // The first convolution, what the block holds, the last convolution, which leaves the graph.
    assert_eq!(scaled("hard swish").1, [true, true, false]);
    assert_eq!(scaled("leaky").1, [true, true, false]);
    assert_eq!(scaled("a clip on both sides").1, [false, false, false]);
    assert_eq!(scaled("softmax").1, [false, false, false]);
    assert_eq!(scaled("side by side").1, [true, true, true, false]);
    assert_eq!(scaled("side by side and as one").1, [false, false, false, false, false]);
    assert_eq!(scaled("padding of ones").1, [false, false, false]);
    let (graph, found) = scaled("squeeze and excite");
    assert_eq!(found, [[true; 8].as_slice(), &[false]].concat());
    let groups = Groups::new(&graph);
    let products: Vec<_> = groups.all.iter().filter_map(|group| group.product).collect();
    assert_eq!(products.len(), 1);
    // A gate in front of a sum keeps one scale.
    let (graph, found) = scaled("squeeze and excite before a sum");
    let gate = graph.nodes.iter().position(|n| n.op == Op::Activation(HARD)).unwrap();
    assert!(!found[gate] && found[gate + 1] && found[gate + 2]);
}

#[test]
fn a_tensor_that_leaves_the_graph_has_one_scale() {
    let (mut graph, found) = scaled("a residual sum");
    assert!(found[..5].iter().all(|&found| found));
    let sum = graph.nodes[2].output;
    graph.outputs.push(sum);
    let ones = ChannelScales::ones(&graph);
    let found = graph.nodes.iter().map(|node| ones.of(node.output).is_some());
    assert!(found.eq([false; 6]));
}

#[test]
fn channels_that_would_fill_the_memory_have_one_scale_a_tensor() {
    for (channels, found) in [(1 << 21, [true, true, false]), (1 << 22, [false; 3])] {
        let mut graph = Graph::default();
        let mut x = graph.add_value("x", vec![1, channels, 1, 1]);
        graph.inputs.push(x);
        for name in ["a", "b", "c"] {
            let silu = Op::Activation(Activation::Silu);
            x = graph.add_node(name, silu, vec![x], name).unwrap();
        }
        graph.outputs.push(x);
        let groups = Groups::new(&graph);
        let of = graph.nodes.iter().map(|node| groups.of[node.output].is_some());
        assert!(of.eq(found), "{channels}");
    }
}
