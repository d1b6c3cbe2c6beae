//! Nodes of the graph as nodes of the file; some become two or three.

use headstart::graph::{
    Activation, Binary, Coordinates, Interpolation, Node, Op, PadMode, Resize, Rounding, Window,
};
use rten_onnx::onnx::{AttributeProto, AttributeType, NodeProto};

use super::{ExportError, Writer};

impl Writer<'_> {
    /// Writes one node with all its operands.
    pub(super) fn write_node(&mut self, node: &Node) -> Result<(), ExportError> {
        let name = |id: &usize| self.names[*id].clone();
        let inputs: Vec<_> = node.inputs.iter().map(name).collect();
        let output = self.names[node.output].clone();
        match &node.op {
            Op::Activation(Activation::Silu) => {
                self.gated(node, "Sigmoid", vec![], &inputs[0], &output);
            }
            // HardSwish itself came with operator set 14.
            Op::Activation(Activation::HardSwish) => {
                let attributes = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
                self.gated(node, "HardSigmoid", attributes, &inputs[0], &output);
            }
            Op::Softmax { axis, flatten: true } => {
                self.flattened_softmax(node, *axis, &inputs[0], &output);
            }
            op => {
                let (inputs, attributes) = self.parts(node, op, inputs, &output)?;
                self.push(&node.name, op.name(), inputs, output, attributes);
            }
        }
        Ok(())
    }

    /// Operands and attributes of a node that stays one.
    fn parts(
        &mut self,
        node: &Node,
        op: &Op,
        mut inputs: Vec<String>,
        output: &str,
    ) -> Result<(Vec<String>, Vec<AttributeProto>), ExportError> {
        let attributes = match op {
            Op::Conv(conv) => {
                let mut attributes = window(&conv.window);
                attributes.push(int("group", conv.groups));
                attributes.push(ints("dilations", &conv.window.dilations));
                attributes
            }
            Op::MaxPool(pool) => {
                let mut attributes = window(&pool.window);
                attributes.push(ints("dilations", &pool.window.dilations));
                attributes
            }
            Op::MaxPoolIndices(_) => {
                return Err(ExportError::Node {
                    node: node.name.clone(),
                    operator: op.name(),
                    what: "the places of the maxima are integers, and only floats are written",
                });
            }
            Op::AveragePool(pool) => {
                if pool.window.dilations.iter().any(|&n| n != 1) {
                    return Err(ExportError::Node {
                        node: node.name.clone(),
                        operator: op.name(),
                        what: "an average pool with dilations needs operator set 19",
                    });
                }
                let mut stated = pool.window.clone();
                let rounds_up = pool.ceil_extra.iter().any(|&n| n > 0);
                for (end, extra) in stated.pads_end.iter_mut().zip(&pool.ceil_extra) {
                    *end -= extra;
                }
                let mut attributes = window(&stated);
                attributes.push(int("ceil_mode", usize::from(rounds_up)));
                attributes.push(int("count_include_pad", usize::from(pool.count_include_pad)));
                attributes
            }
            Op::BatchNormalization { epsilon } => vec![float("epsilon", *epsilon)],
            Op::Activation(Activation::Clip { min, max }) => {
                let bounds = [("min", *min), ("max", *max)];
                for (bound, number) in bounds {
                    inputs.push(match number.is_finite() {
                        true => self.number(format!("{output}_{bound}"), number),
                        false => String::new(),
                    });
                }
                vec![]
            }
            Op::Activation(Activation::LeakyRelu { alpha }) => vec![float("alpha", *alpha)],
            Op::Activation(Activation::HardSigmoid { alpha, beta }) => {
                vec![float("alpha", *alpha), float("beta", *beta)]
            }
            Op::ReduceMean { axes, keep_dims } => {
                vec![ints("axes", axes), int("keepdims", usize::from(*keep_dims))]
            }
            Op::Softmax { axis, .. } | Op::Concat { axis } => vec![int("axis", *axis)],
            Op::Pad(pad) => {
                let amounts: Vec<_> = pad.begin.iter().chain(&pad.end).map(|&n| n as i64).collect();
                inputs.push(self.integers(format!("{output}_pads"), &amounts));
                let mode = match pad.mode {
                    PadMode::Constant(value) => {
                        inputs.push(self.number(format!("{output}_value"), value));
                        "constant"
                    }
                    PadMode::Reflect => "reflect",
                    PadMode::Edge => "edge",
                    PadMode::Wrap => {
                        return Err(ExportError::Node {
                            node: node.name.clone(),
                            operator: op.name(),
                            what: "padding of mode wrap needs operator set 19",
                        });
                    }
                };
                vec![string("mode", mode)]
            }
            Op::Reshape { shape } => {
                let shape = self.batched(shape);
                inputs.push(self.integers(format!("{output}_shape"), &shape));
                vec![]
            }
            Op::Resize(resize) => {
                let mode = match resize.interpolation {
                    Interpolation::Linear => "linear",
                    Interpolation::Nearest(_) => "nearest",
                };
                let coordinates = match resize.coordinates {
                    Coordinates::HalfPixel => "half_pixel",
                    Coordinates::PytorchHalfPixel => "pytorch_half_pixel",
                    Coordinates::AlignCorners => "align_corners",
                    Coordinates::Asymmetric => "asymmetric",
                };
                let mut attributes = vec![
                    string("mode", mode),
                    string("coordinate_transformation_mode", coordinates),
                ];
                if let Interpolation::Nearest(rounding) = resize.interpolation {
                    let rounding = match rounding {
                        Rounding::PreferFloor => "round_prefer_floor",
                        Rounding::PreferCeil => "round_prefer_ceil",
                        Rounding::Floor => "floor",
                        Rounding::Ceil => "ceil",
                    };
                    attributes.push(string("nearest_mode", rounding));
                }
                inputs.push(String::new());
                let operand = &self.graph.values[node.inputs[0]].shape;
                let plain = Resize::linear(&operand[2..], &resize.extents);
                if resize.scales == plain.scales {
                    // A product with a rounded scale may miss the extent.
                    let sizes = operand[..2].iter().chain(&resize.extents);
                    let sizes: Vec<i64> = sizes.map(|&extent| extent as i64).collect();
                    inputs.push(String::new());
                    inputs.push(self.integers(format!("{output}_sizes"), &sizes));
                } else {
                    let scales = [&[1.0; 2][..], &resize.scales].concat();
                    inputs.push(self.numbers(format!("{output}_scales"), &scales));
                }
                attributes
            }
            Op::Transpose { permutation } => vec![ints("perm", permutation)],
            Op::Gemm(gemm) => vec![
                float("alpha", gemm.alpha),
                float("beta", gemm.beta),
                int("transA", usize::from(gemm.trans_a)),
                int("transB", usize::from(gemm.trans_b)),
            ],
            Op::Activation(_) | Op::PRelu | Op::Binary(_) | Op::GlobalAveragePool | Op::MatMul => {
                vec![]
            }
        };
        Ok((inputs, attributes))
    }

    /// `x · gate(x)`.
    fn gated(
        &mut self,
        node: &Node,
        gate: &str,
        attributes: Vec<AttributeProto>,
        x: &str,
        output: &str,
    ) {
        let between = format!("{output}_gate");
        let gate_name = format!("{}_gate", node.name);
        self.push(&gate_name, gate, vec![x.to_owned()], between.clone(), attributes);
        let product = Op::Binary(Binary::Mul).name();
        self.push(&node.name, product, vec![x.to_owned(), between], output.to_owned(), vec![]);
    }

    /// A softmax over several dimensions, which are one while it runs.
    fn flattened_softmax(&mut self, node: &Node, axis: usize, x: &str, output: &str) {
        let shape = &self.graph.values[node.output].shape;
        let mut flat = self.batched(&shape[..axis]);
        flat.push(-1);
        let full = self.batched(shape);
        let flat = self.integers(format!("{output}_flat_shape"), &flat);
        let full = self.integers(format!("{output}_shape"), &full);
        let [before, after] = [format!("{output}_flat"), format!("{output}_flat_softmax")];
        let name = |part: &str| format!("{}_{part}", node.name);
        self.push(&name("flat"), "Reshape", vec![x.to_owned(), flat], before.clone(), vec![]);
        let attributes = vec![int("axis", axis)];
        self.push(&node.name, "Softmax", vec![before], after.clone(), attributes);
        self.push(&name("full"), "Reshape", vec![after, full], output.to_owned(), vec![]);
    }

    /// A shape whose batch, if open, is what it was before.
    fn batched(&self, shape: &[usize]) -> Vec<i64> {
        let extent = |(i, &extent): (usize, &usize)| match (self.open_batch, i) {
            (true, 0) => 0,
            _ => extent as i64,
        };
        shape.iter().enumerate().map(extent).collect()
    }

    fn push(
        &mut self,
        name: &str,
        operator: &str,
        input: Vec<String>,
        output: String,
        attribute: Vec<AttributeProto>,
    ) {
        self.proto.node.push(NodeProto {
            name: Some(name.to_owned()),
            op_type: Some(operator.to_owned()),
            input,
            output: vec![output],
            attribute,
            domain: None,
        });
    }
}

/// Kernel, strides and padding.
fn window(window: &Window) -> Vec<AttributeProto> {
    let pads = [window.pads_begin.as_slice(), &window.pads_end].concat();
    vec![
        ints("kernel_shape", &window.kernel),
        ints("strides", &window.strides),
        ints("pads", &pads),
    ]
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(r#type), ..Default::default() }
}

fn int(name: &str, value: usize) -> AttributeProto {
    AttributeProto { i: Some(value as i64), ..attribute(name, AttributeType::INT) }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|&value| value as i64).collect();
    AttributeProto { ints, ..attribute(name, AttributeType::INTS) }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, AttributeType::FLOAT) }
}

fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.to_owned()), ..attribute(name, AttributeType::STRING) }
}
