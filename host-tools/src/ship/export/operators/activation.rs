use std::f32::consts::FRAC_1_SQRT_2;

use headstart::graph::{Activation, Binary, GELU_CUBE, GELU_SLOPE, Op};
use rten_onnx::onnx::{AttributeProto, NodeProto};

use super::attributes::float;
use super::{Writer, node_proto, output};

pub(super) fn write(writer: &mut Writer<'_>, activation: Activation, proto: &mut NodeProto) {
    match activation {
        Activation::Relu
        | Activation::Sigmoid
        | Activation::Tanh
        | Activation::Softplus
        | Activation::Softsign
        | Activation::Erf
        | Activation::Exp => {}
        Activation::Clip { min, max } => {
            for (bound, number) in [("min", min), ("max", max)] {
                proto.input.push(match number.is_finite() {
                    true => writer.number(format!("{}_{bound}", output(proto)), number),
                    false => String::new(),
                });
            }
        }
        Activation::LeakyRelu { alpha } => proto.attribute = vec![float("alpha", alpha)],
        Activation::HardSigmoid { alpha, beta } => proto.attribute = hard_sigmoid(alpha, beta),
        // HardSwish itself came with operator set 14.
        Activation::HardSwish => gated(writer, "HardSigmoid", hard_sigmoid(1.0 / 6.0, 0.5), proto),
        Activation::Silu => gated(writer, "Sigmoid", vec![], proto),
        Activation::Elu { alpha } => proto.attribute = vec![float("alpha", alpha)],
        Activation::Selu { alpha, gamma } => {
            proto.attribute = vec![float("alpha", alpha), float("gamma", gamma)];
        }
        Activation::Power { exponent } => {
            proto.input.push(writer.number(format!("{}_exponent", output(proto)), exponent));
        }
        // Gelu and Mish themselves came with operator sets 20 and 18.
        Activation::Gelu => {
            let x = proto.input[0].clone();
            let scaled = with_number(writer, proto, ("scaled", "Mul"), &x, FRAC_1_SQRT_2);
            let share = part(writer, proto, ("share", "Erf"), &[&scaled]);
            gaussian(writer, &x, &share, proto);
        }
        Activation::GeluTanh => {
            let x = proto.input[0].clone();
            let square = part(writer, proto, ("square", "Mul"), &[&x, &x]);
            let factor = GELU_SLOPE * GELU_CUBE;
            let curve = with_number(writer, proto, ("curve", "Mul"), &square, factor as f32);
            let slope = with_number(writer, proto, ("slope", "Add"), &curve, GELU_SLOPE as f32);
            let line = part(writer, proto, ("line", "Mul"), &[&x, &slope]);
            let share = part(writer, proto, ("share", "Tanh"), &[&line]);
            gaussian(writer, &x, &share, proto);
        }
        Activation::Mish => {
            let x = proto.input[0].clone();
            let softplus = part(writer, proto, ("softplus", "Softplus"), &[&x]);
            let gate = part(writer, proto, ("gate", "Tanh"), &[&softplus]);
            product(proto, gate);
        }
    }
}

/// A node before the one that is written, of that name's end and operator; its result's name.
fn part(
    writer: &mut Writer<'_>,
    proto: &NodeProto,
    (what, operator): (&str, &str),
    operands: &[&str],
) -> String {
    let between = format!("{}_{what}", output(proto));
    let name = format!("{}_{what}", proto.name.as_deref().unwrap_or_default());
    let operands = operands.iter().map(|&name| name.to_owned()).collect();
    writer.proto.node.push(node_proto(name, operator, operands, between.clone()));
    between
}

/// [`part`] of one tensor and a number.
fn with_number(
    writer: &mut Writer<'_>,
    proto: &NodeProto,
    (what, operator): (&str, &str),
    x: &str,
    number: f32,
) -> String {
    let number = writer.number(format!("{}_{what}_number", output(proto)), number);
    part(writer, proto, (what, operator), &[x, &number])
}

/// `x · (share + 1) / 2`.
fn gaussian(writer: &mut Writer<'_>, x: &str, share: &str, proto: &mut NodeProto) {
    let gate = with_number(writer, proto, ("gate", "Add"), share, 1.0);
    let twice = part(writer, proto, ("twice", "Mul"), &[x, &gate]);
    let half = writer.number(format!("{}_half", output(proto)), 0.5);
    proto.input = vec![twice];
    product(proto, half);
}

/// The node as the product of its operand and another tensor.
fn product(proto: &mut NodeProto, other: String) {
    proto.op_type = Some(Op::Binary(Binary::Mul).name().to_owned());
    proto.input.push(other);
}

fn hard_sigmoid(alpha: f32, beta: f32) -> Vec<AttributeProto> {
    vec![float("alpha", alpha), float("beta", beta)]
}

/// `x · gate(x)`: two nodes.
fn gated(
    writer: &mut Writer<'_>,
    gate: &str,
    attributes: Vec<AttributeProto>,
    proto: &mut NodeProto,
) {
    let between = format!("{}_gate", output(proto));
    let name = format!("{}_gate", proto.name.as_deref().unwrap_or_default());
    let mut first = node_proto(name, gate, proto.input.clone(), between.clone());
    first.attribute = attributes;
    writer.proto.node.push(first);
    product(proto, between);
}
