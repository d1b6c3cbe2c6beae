//! Graphs for the tests of the rules, and the check that every one of them shares.

use headstart::graph::{Activation, Conv, Gemm, Graph, Op, ValueId, Window};

use super::simplify;
use crate::reference;

/// A graph under construction; value 0 is its input.
pub(super) struct Sketch {
    graph: Graph,
}

impl Sketch {
    pub(super) fn new(input: &[usize]) -> Self {
        let mut graph = Graph::default();
        let x = graph.add_value("x", input.to_vec());
        graph.inputs.push(x);
        Self { graph }
    }

    pub(super) fn constant(&mut self, shape: &[usize], data: &[f32]) -> ValueId {
        let name = format!("c{}", self.graph.values.len());
        self.graph.add_constant(name, shape.to_vec(), data.to_vec()).unwrap()
    }

    /// A constant that looks like trained weights.
    pub(super) fn weight(&mut self, shape: &[usize]) -> ValueId {
        let count = shape.iter().product::<usize>();
        let data: Vec<_> = (0..count).map(|i| ((i * 37 % 19) as f32 - 8.5) / 8.0).collect();
        self.constant(shape, &data)
    }

    /// A constant of positive numbers.
    pub(super) fn positive(&mut self, shape: &[usize]) -> ValueId {
        let count = shape.iter().product::<usize>();
        let data: Vec<_> = (0..count).map(|i| 0.5 + (i % 7) as f32 / 4.0).collect();
        self.constant(shape, &data)
    }

    pub(super) fn node(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let name = format!("n{}", self.graph.values.len());
        let output = format!("t{}", self.graph.values.len());
        self.graph.add_node(name, op, inputs.to_vec(), output).unwrap()
    }

    pub(super) fn relu(&mut self, x: ValueId) -> ValueId {
        self.node(Op::Activation(Activation::Relu), &[x])
    }

    /// A 3×3 convolution with weights of its own.
    pub(super) fn conv(&mut self, x: ValueId, channels: usize, with_bias: bool) -> ValueId {
        let inputs = self.graph.values[x].shape[1];
        let mut operands = vec![x, self.weight(&[channels, inputs, 3, 3])];
        if with_bias {
            operands.push(self.weight(&[channels]));
        }
        self.node(conv(3, 1), &operands)
    }

    /// The graph with these outputs.
    pub(super) fn graph(&self, outputs: &[ValueId]) -> Graph {
        Graph { outputs: outputs.to_vec(), ..self.graph.clone() }
    }

    /// The simplified graph with these outputs, whose values were compared.
    pub(super) fn check(&self, outputs: &[ValueId]) -> Graph {
        let graph = self.graph(outputs);
        let simple = simplify(&graph, &mut Default::default(), &mut reference::fold);
        reference::assert_same(&graph, &simple, 1e-5);
        simple
    }
}

pub(super) fn window(kernel: usize, pad: usize) -> Window {
    Window {
        kernel: vec![kernel; 2],
        strides: vec![1; 2],
        dilations: vec![1; 2],
        pads_begin: vec![pad; 2],
        pads_end: vec![pad; 2],
    }
}

pub(super) fn conv(kernel: usize, pad: usize) -> Op {
    Op::Conv(Conv { window: window(kernel, pad), groups: 1 })
}

pub(super) fn gemm(trans_b: bool) -> Op {
    Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b })
}

/// The operators of a graph, in order.
pub(super) fn names(graph: &Graph) -> Vec<&'static str> {
    graph.nodes.iter().map(|node| node.op.name()).collect()
}
