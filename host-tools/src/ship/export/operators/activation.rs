use headstart::graph::{Activation, Binary, Op};
use rten_onnx::onnx::{AttributeProto, NodeProto};

use super::attributes::float;
use super::{Writer, node_proto, output};

pub(super) fn write(writer: &mut Writer<'_>, activation: Activation, proto: &mut NodeProto) {
    match activation {
        Activation::Relu | Activation::Sigmoid => {}
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
    }
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
    proto.op_type = Some(Op::Binary(Binary::Mul).name().to_owned());
    proto.input.push(between);
}
