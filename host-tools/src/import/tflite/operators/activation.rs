use headstart::graph::{Activation, Op};

use super::{Build, Outcome, Step, field, name, unknown};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// The functions of one element.
    pub(super) fn activation(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let activation = match name(operator) {
            "LOGISTIC" => Activation::Sigmoid,
            "RELU" => Activation::Relu,
            "RELU_N1_TO_1" => Activation::Clip { min: -1.0, max: 1.0 },
            "RELU6" => Activation::Clip { min: 0.0, max: 6.0 },
            "LEAKY_RELU" => {
                Activation::LeakyRelu { alpha: field(operator, |options| options.f32(0, 0.0))? }
            }
            "HARD_SWISH" => Activation::HardSwish,
            other => return Err(unknown(other)),
        };
        Ok(Step::new(Op::Activation(activation), vec![self.x(operator)?]))
    }
}

impl Step {
    /// Followed by the activation that is fused with the operator.
    pub(super) fn fused(mut self, activation: i8) -> Outcome<Self> {
        let clip = |min, max| Some(Op::Activation(Activation::Clip { min, max }));
        self.then.extend(match activation {
            0 => None,
            1 => Some(Op::Activation(Activation::Relu)),
            2 => clip(-1.0, 1.0),
            3 => clip(0.0, 6.0),
            other => {
                return Err(format!(
                    "a fused activation of kind {other}; ReLU, ReLU6 and ReLU−1…1 are supported"
                ));
            }
        });
        Ok(self)
    }
}
