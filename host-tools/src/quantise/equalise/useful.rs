use headstart::graph::{Activation, Graph, Node, Op, ValueId};

use crate::import::scales::STEEP;

/// The values of a tensor that its reader tells apart; beyond them the reader's result hardly changes, and no step need be spent.
/// `readers` are the nodes that read each value, by place.
pub(in crate::quantise) fn useful(
    graph: &Graph,
    readers: &[Vec<usize>],
    value: ValueId,
) -> (f32, f32) {
    let everything = (f32::NEG_INFINITY, f32::INFINITY);
    let [reader] = readers[value][..] else { return everything };
    let Node { op: Op::Activation(activation), .. } = graph.nodes[reader] else {
        return everything;
    };
    if graph.outputs.contains(&value) {
        return everything;
    }
    match activation {
        Activation::HardSwish => (-3.0, f32::INFINITY),
        // Of a step, which is a line as steep as that, the operand's own range is what says how near to it a sign is known.
        Activation::HardSigmoid { alpha, beta } if alpha > 0.0 && alpha < STEEP => {
            (-beta / alpha, (1.0 - beta) / alpha)
        }
        // Beyond them sigmoid is within half a step of 1/255 from 0 and 1, and silu within 0.003 from 0.
        Activation::Sigmoid => (-8.0, 8.0),
        Activation::Silu => (-8.0, f32::INFINITY),
        // Beyond it they are within 0.003 from their bounds.
        Activation::Mish | Activation::Softplus => (-8.0, f32::INFINITY),
        Activation::Elu { .. } | Activation::Selu { .. } => (-6.0, f32::INFINITY),
        Activation::Gelu | Activation::GeluTanh => (-4.0, f32::INFINITY),
        Activation::Tanh | Activation::Erf => (-4.0, 4.0),
        Activation::Softsign
        | Activation::Power { .. }
        | Activation::Exp
        | Activation::HardSigmoid { .. }
        | Activation::Relu
        | Activation::Clip { .. }
        | Activation::LeakyRelu { .. } => everything,
    }
}
