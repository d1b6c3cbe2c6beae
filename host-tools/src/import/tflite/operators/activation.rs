use headstart::graph::{Activation, Binary, Op};

use super::{Build, Outcome, Step, field, name, unknown};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// The functions of one element.
    pub(super) fn activation(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let activation = match name(operator) {
            "LOGISTIC" => Activation::Sigmoid,
            "RELU" => Activation::Relu,
            "RELU_0_TO_1" => Activation::Clip { min: 0.0, max: 1.0 },
            "RELU_N1_TO_1" => Activation::Clip { min: -1.0, max: 1.0 },
            "RELU6" => Activation::Clip { min: 0.0, max: 6.0 },
            "LEAKY_RELU" => {
                Activation::LeakyRelu { alpha: field(operator, |options| options.f32(0, 0.0))? }
            }
            "HARD_SWISH" => Activation::HardSwish,
            "TANH" => Activation::Tanh,
            "ELU" => Activation::Elu { alpha: 1.0 },
            "GELU" => match field(operator, |options| options.i8(0))? {
                0 => Activation::Gelu,
                _ => Activation::GeluTanh,
            },
            "EXP" => Activation::Exp,
            "ABS" => Activation::LeakyRelu { alpha: -1.0 },
            "SQRT" => Activation::Power { exponent: 0.5 },
            "RSQRT" => Activation::Power { exponent: -0.5 },
            "SQUARE" => Activation::Power { exponent: 2.0 },
            "POW" => self.power(operator)?,
            other => return Err(unknown(other)),
        };
        Ok(Step::new(Op::Activation(activation), vec![self.x(operator)?]))
    }

    /// `POW` to a power that is one number.
    fn power(&self, operator: &Operator<'_>) -> Outcome<Activation> {
        let exponent = self.operand(operator, 1)?;
        if !self.is_known(exponent) {
            return Err("to a power that is computed; one number is supported".into());
        }
        let exponent = self.number(exponent)?;
        match exponent.is_finite() {
            true => Ok(Activation::Power { exponent }),
            false => Err(format!("an exponent of {exponent}")),
        }
    }

    /// `NEG`: a product with −1.
    pub(super) fn negation(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let x = self.x(operator)?;
        let name = format!("{}_sign", self.model.tensors[output].name);
        let sign = self.made(&name, vec![], vec![-1.0])?;
        Ok(Step::new(Op::Binary(Binary::Mul), vec![x, sign]))
    }

    /// `MAXIMUM` and `MINIMUM` of a tensor and of a number: a bound.
    pub(super) fn bound(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let operands = [self.operand(operator, 0)?, self.operand(operator, 1)?];
        let (x, number) = match operands.map(|tensor| self.is_known(tensor)) {
            [false, true] => (operands[0], operands[1]),
            [true, false] => (operands[1], operands[0]),
            _ => return Err("of two computed tensors; a tensor and a number are supported".into()),
        };
        let number = self.number(number)?;
        let (min, max) = match name(operator) {
            "MAXIMUM" => (number, f32::INFINITY),
            "MINIMUM" => (f32::NEG_INFINITY, number),
            other => return Err(unknown(other)),
        };
        if number.is_nan() {
            return Err("a bound that is not a number".into());
        }
        let clip = Op::Activation(Activation::Clip { min, max });
        Ok(Step::new(clip, vec![self.computed(x)?]))
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
