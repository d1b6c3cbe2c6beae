//! Every operator's int8 form stays close to its float form, on random weights and inputs.

mod lowering {
    mod statistics;
}

use std::path::Path;

use headstart::backbone::{Backbone, Threads};
use headstart::graph::{
    Activation, AveragePool, Binary, Conv, Coordinates, Gemm, Graph, Interpolation, MaxPool,
    MaxPoolIndices, Op, Pad, PadMode, Resize as Sampling, Rounding, ValueId, Window,
};
use headstart::network::{Activation as ComputedActivation, Curve, LINES_BYTES, Node};
use headstart::pack::{Contents, Pack, Preprocessing, Provenance, Resize, emit};
use headstart::preprocess;
use headstart_tools::cut::layout::order_of;
use headstart_tools::float::{FloatGraph, Run, pool};
use headstart_tools::quantise::calibrate::Statistics;
use headstart_tools::quantise::lower::lower;
use headstart_tools::quantise::lowered::{Lowered, LoweredNode};
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::rules::Rules;
use headstart_tools::quantise::sample::Sample;
use headstart_tools::quantise::write::{Description, pack_bytes};

/// A small linear congruential generator; values in −1…1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    fn list(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// A graph under construction; `x` is its latest tensor.
struct Build {
    graph: Graph,
    noise: Noise,
    x: ValueId,
}

impl Build {
    fn new(input: &[usize]) -> Self {
        let mut graph = Graph::default();
        let x = graph.add_value("input", input.to_vec());
        graph.inputs.push(x);
        Self { graph, noise: Noise(7), x }
    }

    fn constant(&mut self, shape: &[usize]) -> ValueId {
        let data = self.noise.list(shape.iter().product());
        let name = format!("c{}", self.graph.values.len());
        self.graph.add_constant(name, shape.to_vec(), data).unwrap()
    }

    fn op(&mut self, op: Op, others: &[ValueId]) -> &mut Self {
        let name = format!("n{}", self.graph.values.len());
        let inputs = [&[self.x], others].concat();
        self.x = self.graph.add_node(name.clone(), op, inputs, name).unwrap();
        self
    }

    fn with_constant(&mut self, op: Op, shape: &[usize]) -> &mut Self {
        let constant = self.constant(shape);
        self.op(op, &[constant])
    }

    fn conv(&mut self, weight: &[usize], window: Window, groups: usize) -> &mut Self {
        let (weight, bias) = (self.constant(weight), self.constant(&weight[..1]));
        self.op(Op::Conv(Conv { window, groups }), &[weight, bias])
    }

    fn activation(&mut self, activation: Activation) -> &mut Self {
        self.op(Op::Activation(activation), &[])
    }
}

fn window(kernel: [usize; 2], stride: usize, dilation: usize, pads: [usize; 4]) -> Window {
    let [top, left, bottom, right] = pads;
    Window {
        kernel: kernel.to_vec(),
        strides: vec![stride; 2],
        dilations: vec![dilation; 2],
        pads_begin: vec![top, left],
        pads_end: vec![bottom, right],
    }
}

fn square(kernel: usize, stride: usize, pad: usize) -> Window {
    window([kernel; 2], stride, 1, [pad; 4])
}

/// The int8 network, calibrated on noise.
fn lowered(graph: &Graph, float: &FloatGraph, grid: usize, noise: &mut Noise) -> Lowered {
    let elements = graph.values[graph.inputs[0]].shape.iter().product();
    let samples: Vec<Sample> = (0..24).map(|_| noise.list(elements).into()).collect();
    let seen = Statistics::gather(graph, float, &samples, grid, || ()).unwrap();
    let ranges = seen.ranges(Rules::default());
    lower(graph, &ranges, grid).unwrap()
}

/// Signal-to-noise ratio of the int8 features in decibels.
fn decibels(graph: &Graph, grid: usize) -> f64 {
    let elements = graph.values[graph.inputs[0]].shape.iter().product();
    let mut noise = Noise(99);
    let float = FloatGraph::new(Path::new("test"), graph).unwrap();
    let lowered = lowered(graph, &float, grid, &mut noise);
    let description = Description {
        provenance: Provenance {
            model: "test",
            source_sha256: [0; 32],
            tool_version: "0",
            freeze_point: "x",
            calibration: "",
            calibration_samples: 24,
            multiply_accumulates: 0,
        },
        preprocessing: Preprocessing { resize: Resize::Stretch, mean: [0.0; 3], std: [1.0; 3] },
        max_classes: 2,
        arena: Aim::Speed,
        tail: None,
        head: None,
    };
    let bytes = pack_bytes(&lowered, &description).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let small = pack_bytes(&lowered, &Description { arena: Aim::Size, ..description }).unwrap();
    let small = Pack::open(&small).unwrap();
    let apart = without_sharing(&pack, &lowered);
    let others = [small, Pack::open(&apart).unwrap()];
    let value = pack.feature_value().unwrap();
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    let order = order_of(graph, graph.outputs[0]);
    let (mut signal, mut error) = (0.0, 0.0);
    for _ in 0..8 {
        let sample = noise.list(elements);
        let mut input = vec![0; elements];
        preprocess::values(&pack, sample.iter().copied(), &mut input).unwrap();
        let mut backbone = Backbone::new(pack, &mut arena).unwrap();
        let features = backbone.features(&input).unwrap();
        for other in others {
            for threads in [1, 3] {
                let mut arena = vec![0; other.plan().arena_bytes as usize];
                let mut threads = Threads::new(threads);
                let backbone = Backbone::new(other, &mut arena).unwrap();
                assert_eq!(backbone.with_threads(&mut threads).features(&input).unwrap(), features);
            }
        }
        let mut expected = Vec::new();
        float
            .run(&sample, &mut |id, data| {
                if id == graph.outputs[0] {
                    expected = pool(&graph.values[id].shape, data, order.as_deref(), grid);
                }
            })
            .unwrap();
        assert_eq!(features.len(), expected.len());
        for (&q, &real) in features.iter().zip(&expected) {
            let found =
                f64::from(i32::from(q) - i32::from(value.zero_point)) * f64::from(value.scale);
            signal += f64::from(real).powi(2);
            error += (found - f64::from(real)).powi(2);
        }
    }
    10.0 * (signal / error).log10()
}

/// The same pack with a place of its own for every value, all of them whole.
fn without_sharing(pack: &Pack<'_>, lowered: &Lowered) -> Vec<u8> {
    let count = pack.node_count();
    let mut values: Vec<_> = (0..=count).map(|index| pack.value(index).unwrap()).collect();
    let mut end = 0;
    for value in &mut values {
        (value.offset, value.kept_rows) = (end, 0);
        end += value.elements();
    }
    emit(&Contents {
        provenance: *pack.provenance(),
        input: *pack.input(),
        max_classes: 2,
        values,
        nodes: pack.nodes().map(Result::unwrap).collect(),
        weights: pack.network().weights().to_vec(),
        channels: lowered.channels.clone(),
        tables: pack.network().tables().to_vec(),
        tail: None,
        head: None,
    })
    .unwrap()
}

/// Builds on an 8-channel 9 × 10 image behind a first convolution, and compares on a grid of 4.
fn check(what: &str, least: f64, build: impl FnOnce(&mut Build)) {
    let mut graph = Build::new(&[1, 3, 9, 10]);
    graph.conv(&[8, 3, 3, 3], square(3, 1, 1), 1);
    build(&mut graph);
    graph.graph.outputs.push(graph.x);
    let found = decibels(&graph.graph, 4);
    assert!(found >= least, "{what}: {found:.1} dB, at least {least} were expected");
}

#[test]
fn convolutions_of_every_kind() {
    let relu = Activation::Relu;
    check("plain", 30.0, |g| {
        g.activation(relu).conv(&[5, 8, 3, 3], square(3, 1, 1), 1);
    });
    check("strided with asymmetric padding", 30.0, |g| {
        g.conv(&[6, 8, 3, 3], window([3, 3], 2, 1, [0, 0, 1, 1]), 1).activation(relu);
    });
    check("depthwise", 30.0, |g| {
        g.conv(&[8, 1, 3, 3], square(3, 1, 1), 8)
            .activation(Activation::Clip { min: 0.0, max: 2.0 });
    });
    check("depthwise with a multiplier", 30.0, |g| {
        g.conv(&[16, 1, 3, 3], square(3, 2, 1), 8);
    });
    for stride in [1, 2] {
        check("a block that runs in strips", 28.0, |g| {
            g.conv(&[24, 8, 1, 1], square(1, 1, 0), 1).activation(relu);
            g.conv(&[24, 1, 3, 3], square(3, stride, 1), 24).activation(relu);
            g.conv(&[6, 24, 1, 1], square(1, 1, 0), 1);
        });
        check("half a block that runs in strips", 28.0, |g| {
            g.conv(&[8, 1, 5, 5], square(5, stride, 2), 8).activation(relu);
            g.conv(&[6, 8, 1, 1], square(1, 1, 0), 1);
        });
    }
    check("grouped", 30.0, |g| {
        g.conv(&[12, 2, 1, 1], square(1, 1, 0), 4);
    });
    check("dilated, oblong", 30.0, |g| {
        g.conv(&[4, 8, 3, 2], window([3, 2], 1, 2, [2, 1, 2, 1]), 1);
    });
}

#[test]
fn activations_of_every_kind() {
    for activation in [
        Activation::LeakyRelu { alpha: 0.1 },
        Activation::Sigmoid,
        Activation::HardSigmoid { alpha: 0.2, beta: 0.5 },
        Activation::HardSwish,
        Activation::Silu,
        Activation::Tanh,
        Activation::Elu { alpha: 0.7 },
        Activation::Selu { alpha: 1.67, gamma: 1.05 },
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Mish,
        Activation::Softplus,
        Activation::Softsign,
        Activation::Erf,
        Activation::Power { exponent: 2.0 },
        Activation::Clip { min: -0.5, max: 0.5 },
    ] {
        check(Op::Activation(activation).name(), 30.0, |g| {
            g.activation(activation);
        });
    }
    // Its greatest results take the range; the many small ones have few steps of it.
    check("Exp", 15.0, |g| {
        g.activation(Activation::Exp);
    });
    for activation in [Activation::HardSwish, Activation::Silu, Activation::Sigmoid] {
        check("a function of channels with scales", 28.0, |g| {
            g.conv(&[24, 8, 1, 1], square(1, 1, 0), 1).activation(activation);
            g.conv(&[6, 24, 1, 1], square(1, 1, 0), 1);
        });
    }
    check("PRelu a channel", 30.0, |g| {
        g.with_constant(Op::PRelu, &[8, 1, 1]);
    });
    check("PRelu", 30.0, |g| {
        g.with_constant(Op::PRelu, &[1]);
    });
    check("Softmax over channels", 28.0, |g| {
        g.op(Op::Softmax { axis: 1, flatten: false }, &[]);
    });
}

/// Of a function between convolutions of so many channels, twice: the nodes that are not convolutions, and the bytes of all tables.
fn functions(channels: usize, activation: Activation) -> (Vec<Node<'static>>, usize) {
    let mut graph = Build::new(&[1, 3, 9, 10]);
    for inputs in [3, channels] {
        graph.conv(&[channels, inputs, 3, 3], square(3, 1, 1), 1).activation(activation);
    }
    graph.conv(&[8, channels, 1, 1], square(1, 1, 0), 1);
    graph.graph.outputs.push(graph.x);
    let float = FloatGraph::new(Path::new("test"), &graph.graph).unwrap();
    let lowered = lowered(&graph.graph, &float, 100, &mut Noise(5));
    let nodes = lowered.nodes.iter().filter_map(|node| match node {
        LoweredNode::Plain(Node::Conv(_)) => None,
        LoweredNode::Plain(node) => Some(*node),
        LoweredNode::Concat { .. } => panic!("nothing is concatenated"),
    });
    (nodes.collect(), lowered.tables.len())
}

#[test]
fn channels_with_scales_share_a_curve_where_that_is_smaller() {
    for (activation, channels) in [(Activation::Silu, 40), (Activation::Sigmoid, 17)] {
        let (nodes, bytes) = functions(channels, activation);
        assert_eq!(bytes, LINES_BYTES + 2 * 8 * channels, "{activation:?}");
        let points = |node: &Node<'_>| match node {
            Node::Activation(ComputedActivation { curve: Curve::Lines { points }, .. }) => *points,
            other => panic!("{other:?}"),
        };
        assert_eq!(nodes.iter().map(points).collect::<Vec<_>>(), [0; 2], "{activation:?}");
    }
    let (nodes, bytes) = functions(3, Activation::HardSwish);
    assert_eq!(bytes, 2 * 8 * 3);
    assert!(nodes.iter().all(|node| matches!(
        node,
        Node::Activation(ComputedActivation { curve: Curve::HardSwish, .. })
    )));
    // A table a channel where curves are larger: 16 channels take 4096 bytes.
    let (nodes, bytes) = functions(16, Activation::Silu);
    assert_eq!(bytes, 2 * 16 * 256);
    assert!(nodes.iter().all(|node| matches!(node, Node::Table { per_channel: true, .. })));
}

#[test]
fn operands_that_are_constant() {
    for (op, reach) in [(Binary::Add, 30.0), (Binary::Sub, 30.0), (Binary::Mul, 30.0)] {
        check("one number", reach, |g| {
            g.with_constant(Op::Binary(op), &[1]);
        });
        check("one a channel", reach, |g| {
            g.with_constant(Op::Binary(op), &[1, 8, 1, 1]);
        });
    }
    check("batch normalisation", 30.0, |g| {
        let parameters: Vec<_> = (0..3).map(|_| g.constant(&[8])).collect();
        let variance = g.graph.add_constant("variance", vec![8], vec![0.5; 8]).unwrap();
        let operands = [parameters[0], parameters[1], parameters[2], variance];
        g.op(Op::BatchNormalization { epsilon: 1e-5 }, &operands).activation(Activation::Relu);
    });
}

#[test]
fn branches_that_meet() {
    for op in [Binary::Add, Binary::Sub, Binary::Mul] {
        check(Op::Binary(op).name(), 30.0, |g| {
            let skip = g.x;
            g.conv(&[8, 8, 1, 1], square(1, 1, 0), 1).op(Op::Binary(op), &[skip]);
        });
    }
    check("Div", 25.0, |g| {
        let skip = g.x;
        g.activation(Activation::HardSigmoid { alpha: 0.02, beta: 0.8 });
        let divisor = g.x;
        g.x = skip;
        g.op(Op::Binary(Binary::Div), &[divisor]);
    });
    check("squeeze and excite", 30.0, |g| {
        let skip = g.x;
        g.op(Op::GlobalAveragePool, &[])
            .conv(&[2, 8, 1, 1], square(1, 1, 0), 1)
            .activation(Activation::Relu)
            .conv(&[8, 2, 1, 1], square(1, 1, 0), 1)
            .activation(Activation::Sigmoid)
            .op(Op::Binary(Binary::Mul), &[skip]);
    });
    for axis in 1..4 {
        check("Concat", 30.0, |g| {
            let skip = g.x;
            g.activation(Activation::Relu).op(Op::Concat { axis }, &[skip]);
        });
    }
}

#[test]
fn pooling_and_padding() {
    check("MaxPool", 30.0, |g| {
        g.op(Op::MaxPool(MaxPool { window: square(3, 2, 1) }), &[]);
    });
    for count_include_pad in [false, true] {
        check("AveragePool", 30.0, |g| {
            let pool =
                AveragePool { window: square(3, 2, 1), count_include_pad, ceil_extra: vec![0; 2] };
            g.op(Op::AveragePool(pool), &[]);
        });
    }
    for axes in [vec![2, 3], vec![2], vec![3]] {
        for keep_dims in [false, true] {
            check("ReduceMean", 25.0, |g| {
                g.op(Op::ReduceMean { axes: axes.clone(), keep_dims }, &[]);
            });
        }
    }
    for mode in [PadMode::Constant(0.5), PadMode::Reflect, PadMode::Edge] {
        check("Pad", 30.0, |g| {
            let (begin, end) = (vec![0, 0, 1, 2], vec![0, 0, 3, 1]);
            g.op(Op::Pad(Pad { begin, end, mode }), &[]);
        });
    }
}

#[test]
fn axes_that_are_sampled_anew() {
    let resize = |extents: [usize; 2], coordinates, interpolation| {
        let scales = vec![extents[0] as f32 / 9.0, extents[1] as f32 / 10.0];
        Op::Resize(Sampling { extents: extents.to_vec(), scales, coordinates, interpolation })
    };
    let nearest = Interpolation::Nearest(Rounding::Floor);
    let cases = [
        ("repeated", [18, 30], Coordinates::Asymmetric, nearest, 30.0),
        ("along one axis", [9, 20], Coordinates::HalfPixel, Interpolation::Linear, 30.0),
        ("nearest", [14, 7], Coordinates::HalfPixel, nearest, 30.0),
        ("linear", [18, 20], Coordinates::HalfPixel, Interpolation::Linear, 30.0),
        ("by corners", [25, 13], Coordinates::AlignCorners, Interpolation::Linear, 30.0),
    ];
    for (what, extents, coordinates, interpolation, least) in cases {
        check(what, least, |g| {
            g.op(resize(extents, coordinates, interpolation), &[]);
        });
        check("with scales of its channels", 28.0, |g| {
            g.op(resize(extents, coordinates, interpolation), &[]);
            g.conv(&[6, 8, 1, 1], square(1, 1, 0), 1);
        });
    }
    check("a row", 30.0, |g| {
        let row = Sampling::linear(&[90], &[37]);
        g.op(Op::Reshape { shape: vec![1, 8, 90] }, &[]).op(Op::Resize(row), &[]);
    });
}

#[test]
fn shapes_that_move() {
    let reshape = |shape: &[usize]| Op::Reshape { shape: shape.to_vec() };
    check("channel shuffle", 30.0, |g| {
        g.op(reshape(&[1, 2, 4, 9, 10]), &[])
            .op(Op::Transpose { permutation: vec![0, 2, 1, 3, 4] }, &[])
            .op(reshape(&[1, 8, 9, 10]), &[])
            .conv(&[4, 8, 1, 1], square(1, 1, 0), 1);
    });
    check("flatten and a fully-connected layer", 30.0, |g| {
        g.op(reshape(&[1, 720]), &[]);
        let (weight, bias) = (g.constant(&[12, 720]), g.constant(&[12]));
        let gemm = Gemm { alpha: 0.5, beta: 2.0, trans_a: false, trans_b: true };
        g.op(Op::Gemm(gemm), &[weight, bias]).activation(Activation::Relu);
    });
    check("a product over the last axis", 30.0, |g| {
        g.op(reshape(&[1, 8, 90]), &[])
            .op(Op::Transpose { permutation: vec![0, 2, 1] }, &[])
            .with_constant(Op::MatMul, &[8, 5]);
    });
    check("channels last as Keras has them", 30.0, |g| {
        g.op(Op::Transpose { permutation: vec![0, 2, 3, 1] }, &[])
            .with_constant(Op::Binary(Binary::Add), &[8])
            .op(Op::Transpose { permutation: vec![0, 3, 1, 2] }, &[])
            .conv(&[4, 8, 3, 3], square(3, 1, 1), 1);
    });
}

#[test]
fn tensors_of_more_axes_than_the_device_has() {
    let reshape = |shape: &[usize]| Op::Reshape { shape: shape.to_vec() };
    for axes in [vec![1], vec![2], vec![1, 3, 4], vec![2, 3]] {
        check("a mean over some of four axes", 27.0, |g| {
            g.op(reshape(&[1, 2, 4, 9, 10]), &[])
                .op(Op::ReduceMean { axes: axes.clone(), keep_dims: false }, &[]);
        });
    }
    check("branches that are weighed against each other", 25.0, |g| {
        let x = g.x;
        g.activation(Activation::Relu).op(reshape(&[1, 1, 8, 9, 10]), &[]);
        let first = g.x;
        g.x = x;
        g.activation(Activation::Sigmoid).op(reshape(&[1, 1, 8, 9, 10]), &[]);
        g.op(Op::Concat { axis: 1 }, &[first]);
        let both = g.x;
        g.op(Op::ReduceMean { axes: vec![3, 4], keep_dims: true }, &[])
            .op(Op::Softmax { axis: 1, flatten: false }, &[])
            .op(Op::Binary(Binary::Mul), &[both])
            .op(Op::ReduceMean { axes: vec![1], keep_dims: false }, &[])
            .conv(&[4, 8, 1, 1], square(1, 1, 0), 1);
    });
    for axis in 1..5 {
        check("side by side", 28.0, |g| {
            g.op(reshape(&[1, 2, 4, 9, 10]), &[]);
            let x = g.x;
            g.activation(Activation::Relu).op(Op::Concat { axis }, &[x]);
        });
    }
}

#[test]
fn a_signal_of_one_dimension() {
    let mut graph = Build::new(&[1, 4, 50]);
    let line = |kernel: usize, stride: usize, pad: usize| Window {
        kernel: vec![kernel],
        strides: vec![stride],
        dilations: vec![1],
        pads_begin: vec![pad],
        pads_end: vec![pad],
    };
    graph.conv(&[8, 4, 5], line(5, 2, 2), 1).activation(Activation::Relu);
    graph.op(Op::MaxPool(MaxPool { window: line(2, 2, 0) }), &[]);
    graph.conv(&[6, 8, 3], line(3, 1, 1), 1);
    graph.graph.outputs.push(graph.x);
    let found = decibels(&graph.graph, 2);
    assert!(found >= 30.0, "{found:.1} dB");
}

#[test]
fn what_only_the_float_executor_runs_is_refused_by_node_with_advice() {
    let cube = |kernel: usize| Window {
        kernel: vec![kernel; 3],
        strides: vec![1; 3],
        dilations: vec![1; 3],
        pads_begin: vec![0; 3],
        pads_end: vec![0; 3],
    };
    let volume: &[usize] = &[1, 2, 4, 4, 4];
    let average = AveragePool { window: cube(2), count_include_pad: false, ceil_extra: vec![0; 3] };
    let indices = MaxPoolIndices { window: square(2, 1, 0), column_major: false };
    let wrap = Pad { begin: vec![0, 0, 1, 0], end: vec![0; 4], mode: PadMode::Wrap };
    let cases = [
        (volume, Op::Conv(Conv { window: cube(1), groups: 1 })),
        (volume, Op::MaxPool(MaxPool { window: cube(2) })),
        (volume, Op::AveragePool(average)),
        (&[1, 2, 4, 4], Op::MaxPoolIndices(indices)),
        (&[1, 2, 4, 4], Op::Pad(wrap)),
    ];
    for (input, op) in cases {
        let mut graph = Build::new(input);
        match &op {
            Op::Conv(_) => graph.with_constant(op.clone(), &[3, 2, 1, 1, 1]),
            _ => graph.op(op.clone(), &[]),
        };
        graph.graph.outputs.push(graph.x);
        let graph = graph.graph;
        let elements = input.iter().product();
        let samples: Vec<Sample> = vec![Noise(3).list(elements).into()];
        let float = FloatGraph::new(Path::new("test"), &graph).unwrap();
        let seen = Statistics::gather(&graph, &float, &samples, 1, || ()).unwrap();
        let ranges = seen.ranges(Rules::default());
        let refused = lower(&graph, &ranges, 1).unwrap_err();
        assert_eq!((refused.node, refused.operator), (graph.nodes[0].name.clone(), op.name()));
        let why = refused.why.to_string();
        assert!(why.contains("no int8 form") || why.contains("are supported"), "{why}");
    }
}
