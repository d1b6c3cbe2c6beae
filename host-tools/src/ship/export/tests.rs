use headstart::graph::{
    Activation, AveragePool, Binary, Conv, Coordinates, Gemm, Interpolation, MaxPool, Op, Pad,
    PadMode, Resize, Rounding, Window,
};
use rten_onnx::onnx::ModelProto;

use super::*;
use crate::import::onnx::import_bytes;
use crate::reference;

/// A graph under construction; value 0 is its input.
struct Sketch(Graph);

impl Sketch {
    fn new(shape: &[usize]) -> Self {
        let mut graph = Graph::default();
        let x = graph.add_value("x", shape.to_vec());
        graph.inputs.push(x);
        Self(graph)
    }

    /// All constants have one name, which no file may have.
    fn weight(&mut self, shape: &[usize]) -> ValueId {
        let count = shape.iter().product::<usize>();
        let data = (0..count).map(|i| 0.25 + (i * 7 % 11) as f32 / 8.0).collect();
        self.0.add_constant("w", shape.to_vec(), data).unwrap()
    }

    fn node(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let name = format!("t{}", self.0.values.len());
        self.0.add_node(name.clone(), op, inputs.to_vec(), name).unwrap()
    }

    /// Writes and reads the graph with that output, and compares what both compute.
    fn round_trip(&mut self, output: ValueId) -> Graph {
        self.0.outputs = vec![output];
        let bytes = to_onnx(&self.0, &[]).unwrap();
        let imported = import_bytes(&bytes, "exported", None).unwrap();
        reference::assert_same(&self.0, &imported.graph, 1e-6);
        imported.graph
    }
}

fn window(kernel: usize, stride: usize, begin: usize, end: usize) -> Window {
    Window {
        kernel: vec![kernel; 2],
        strides: vec![stride; 2],
        dilations: vec![1; 2],
        pads_begin: vec![begin; 2],
        pads_end: vec![end; 2],
    }
}

fn batch_is_open(bytes: &[u8]) -> bool {
    let model = ModelProto::parse_buf(bytes).unwrap();
    let kind = model.graph.unwrap().input[0].r#type.clone().unwrap();
    kind.tensor_type.unwrap().shape.unwrap().dim[0].dim_param.is_some()
}

#[test]
fn every_operator_survives_the_round_trip() {
    let infinity = f32::INFINITY;
    let pad = |mode| Op::Pad(Pad { begin: vec![0, 0, 1, 0], end: vec![0, 0, 2, 1], mode });
    let pool = |count_include_pad, end, extra| {
        Op::AveragePool(AveragePool {
            window: window(3, 2, 1, end),
            count_include_pad,
            ceil_extra: vec![extra; 2],
        })
    };
    let of_image = [
        Op::Activation(Activation::Relu),
        Op::Activation(Activation::Clip { min: -0.5, max: infinity }),
        Op::Activation(Activation::Clip { min: -infinity, max: 0.5 }),
        Op::Activation(Activation::Clip { min: 0.0, max: 6.0 }),
        Op::Activation(Activation::LeakyRelu { alpha: 0.1 }),
        Op::Activation(Activation::Sigmoid),
        Op::Activation(Activation::HardSigmoid { alpha: 0.3, beta: 0.4 }),
        Op::Activation(Activation::HardSwish),
        Op::Activation(Activation::Silu),
        Op::Activation(Activation::Tanh),
        Op::Activation(Activation::Elu { alpha: 0.7 }),
        Op::Activation(Activation::Selu { alpha: 1.67, gamma: 1.05 }),
        Op::Activation(Activation::Gelu),
        Op::Activation(Activation::GeluTanh),
        Op::Activation(Activation::Mish),
        Op::Activation(Activation::Softplus),
        Op::Activation(Activation::Softsign),
        Op::Activation(Activation::Erf),
        Op::Activation(Activation::Power { exponent: 2.0 }),
        Op::Activation(Activation::Exp),
        Op::MaxPool(MaxPool { window: window(2, 2, 0, 1) }),
        pool(false, 1, 0),
        pool(true, 1, 0),
        pool(true, 2, 1),
        Op::GlobalAveragePool,
        Op::ReduceMean { axes: vec![2, 3], keep_dims: false },
        Op::ReduceMean { axes: vec![1], keep_dims: true },
        Op::Softmax { axis: 1, flatten: false },
        Op::Softmax { axis: 1, flatten: true },
        Op::Softmax { axis: 2, flatten: true },
        pad(PadMode::Constant(1.5)),
        pad(PadMode::Reflect),
        pad(PadMode::Edge),
        Op::Reshape { shape: vec![1, 12, 3] },
        Op::Transpose { permutation: vec![0, 2, 3, 1] },
        Op::Resize(Resize::linear(&[3, 3], &[5, 2])),
        Op::Resize(Resize {
            coordinates: Coordinates::Asymmetric,
            interpolation: Interpolation::Nearest(Rounding::Floor),
            ..Resize::linear(&[3, 3], &[6, 6])
        }),
        Op::Resize(Resize { scales: vec![2.1, 2.3], ..Resize::linear(&[3, 3], &[6, 6]) }),
        Op::Concat { axis: 1 },
    ];
    for op in of_image {
        let mut sketch = Sketch::new(&[1, 4, 3, 3]);
        let y = sketch.node(op.clone(), &[0]);
        sketch.round_trip(y);
        assert!(batch_is_open(&to_onnx(&sketch.0, &[]).unwrap()), "{op:?}");
    }
}

#[test]
fn operators_with_weights_survive_the_round_trip() {
    let mut sketch = Sketch::new(&[1, 4, 5, 5]);
    let kernel = sketch.weight(&[4, 2, 3, 3]);
    let [a, b, c, d] = [0; 4].map(|_| sketch.weight(&[4]));
    let channels = sketch.weight(&[4, 1, 1]);
    let matrix = sketch.weight(&[4, 3]);
    let bias = sketch.weight(&[3]);
    let conv = Op::Conv(Conv { window: window(3, 2, 0, 1), groups: 2 });
    let y = sketch.node(conv, &[0, kernel, a]);
    let y = sketch.node(Op::BatchNormalization { epsilon: 0.01 }, &[y, a, b, c, d]);
    let y = sketch.node(Op::PRelu, &[y, channels]);
    let y = sketch.node(Op::Binary(Binary::Div), &[y, channels]);
    let y = sketch.node(Op::Binary(Binary::Sub), &[channels, y]);
    let y = sketch.node(Op::GlobalAveragePool, &[y]);
    let y = sketch.node(Op::Reshape { shape: vec![1, 4] }, &[y]);
    let gemm = Gemm { alpha: 0.5, beta: 2.0, trans_a: false, trans_b: false };
    let z = sketch.node(Op::Gemm(gemm), &[y, matrix, bias]);
    let product = sketch.node(Op::MatMul, &[y, matrix]);
    let y = sketch.node(Op::Binary(Binary::Add), &[z, product]);
    let graph = sketch.round_trip(y);
    let names: Vec<_> = graph.nodes.iter().map(|node| node.op.name()).collect();
    assert_eq!(names.len(), sketch.0.nodes.len());
    assert!(batch_is_open(&to_onnx(&sketch.0, &[]).unwrap()));
}

#[test]
fn the_batch_is_fixed_where_samples_would_mix() {
    let mixing = [
        Op::Transpose { permutation: vec![1, 0, 2] },
        Op::Reshape { shape: vec![2, 3] },
        Op::Softmax { axis: 0, flatten: true },
        Op::ReduceMean { axes: vec![0], keep_dims: true },
        Op::Concat { axis: 0 },
    ];
    for op in mixing {
        let mut sketch = Sketch::new(&[1, 2, 3]);
        let y = sketch.node(op.clone(), &[0]);
        sketch.round_trip(y);
        assert!(!batch_is_open(&to_onnx(&sketch.0, &[]).unwrap()), "{op:?}");
    }
}

#[test]
fn outputs_that_no_node_makes_are_written_too() {
    let mut sketch = Sketch::new(&[1, 2]);
    let weight = sketch.weight(&[1, 2]);
    let y = sketch.node(Op::Activation(Activation::Relu), &[0]);
    sketch.0.outputs = vec![0, weight, y, y];
    let bytes = to_onnx(&sketch.0, &[]).unwrap();
    let graph = import_bytes(&bytes, "exported", None).unwrap().graph;
    assert_eq!(graph.outputs.len(), 4);
    reference::assert_same(&sketch.0, &graph, 1e-6);
}

#[test]
fn metadata_is_written_and_dilated_average_pools_are_refused() {
    let mut sketch = Sketch::new(&[1, 2, 5, 5]);
    let mut dilated = window(2, 1, 0, 0);
    let y = sketch.node(Op::Activation(Activation::Relu), &[0]);
    sketch.0.outputs = vec![y];
    let bytes = to_onnx(&sketch.0, &[("labels", "[\"cup\",\"mug\"]")]).unwrap();
    let model = ModelProto::parse_buf(&bytes).unwrap();
    assert_eq!(model.metadata_props[0].key.as_deref(), Some("labels"));
    assert_eq!(model.metadata_props[0].value.as_deref(), Some("[\"cup\",\"mug\"]"));

    dilated.dilations = vec![2; 2];
    let pool = AveragePool { window: dilated, count_include_pad: false, ceil_extra: vec![0; 2] };
    let y = sketch.node(Op::AveragePool(pool), &[y]);
    sketch.0.outputs = vec![y];
    assert!(matches!(to_onnx(&sketch.0, &[]), Err(ExportError::Node { .. })));
}
