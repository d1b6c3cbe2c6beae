use core::f32::consts::FRAC_1_SQRT_2;

use burn::tensor::ops::FloatTensor;

use super::scalar;
use crate::burn::FloatBackend;
use crate::graph::{Activation, GELU_CUBE, GELU_SLOPE};

/// The function of every element.
pub(super) fn apply<B: FloatBackend>(activation: Activation, x: FloatTensor<B>) -> FloatTensor<B> {
    match activation {
        Activation::Relu => B::relu(x),
        Activation::Clip { min, max } => clip::<B>(x, min, max),
        Activation::LeakyRelu { alpha } => {
            // Burn's own takes a maximum, which is another function for a slope above 1.
            let negative = B::float_clamp_max(x.clone(), scalar(0.0));
            B::float_add(B::relu(x), B::float_mul_scalar(negative, scalar(alpha)))
        }
        Activation::Sigmoid => B::sigmoid(x),
        Activation::HardSigmoid { alpha, beta } => hard_sigmoid::<B>(x, alpha, beta),
        Activation::HardSwish => {
            let gate = hard_sigmoid::<B>(x.clone(), 1.0 / 6.0, 0.5);
            B::float_mul(x, gate)
        }
        Activation::Silu => B::float_mul(x.clone(), B::sigmoid(x)),
        Activation::Tanh => B::float_tanh(x),
        Activation::Elu { alpha } => exponential_linear::<B>(x, alpha),
        Activation::Selu { alpha, gamma } => {
            B::float_mul_scalar(exponential_linear::<B>(x, alpha), scalar(gamma))
        }
        Activation::Gelu => {
            let share = B::float_erf(B::float_mul_scalar(x.clone(), scalar(FRAC_1_SQRT_2)));
            gaussian::<B>(x, share)
        }
        Activation::GeluTanh => {
            let square = B::float_mul(x.clone(), x.clone());
            let factor = B::float_mul_scalar(square, scalar((GELU_SLOPE * GELU_CUBE) as f32));
            let factor = B::float_add_scalar(factor, scalar(GELU_SLOPE as f32));
            let share = B::float_tanh(B::float_mul(x.clone(), factor));
            gaussian::<B>(x, share)
        }
        Activation::Mish => B::float_mul(x.clone(), B::float_tanh(softplus::<B>(x))),
        Activation::Softplus => softplus::<B>(x),
        Activation::Softsign => {
            let divisor = B::float_add_scalar(B::float_abs(x.clone()), scalar(1.0));
            B::float_div(x, divisor)
        }
        Activation::Erf => B::float_erf(x),
        Activation::Power { exponent } => B::float_powf_scalar(x, scalar(exponent)),
        Activation::Exp => B::float_exp(x),
    }
}

/// `x` from 0 on, `alpha · (e^x − 1)` below.
fn exponential_linear<B: FloatBackend>(x: FloatTensor<B>, alpha: f32) -> FloatTensor<B> {
    let negative = B::float_clamp_max(x.clone(), scalar(0.0));
    let below = B::float_add_scalar(B::float_exp(negative), scalar(-1.0));
    B::float_add(B::relu(x), B::float_mul_scalar(below, scalar(alpha)))
}

/// `x · (1 + share) / 2`.
fn gaussian<B: FloatBackend>(x: FloatTensor<B>, share: FloatTensor<B>) -> FloatTensor<B> {
    let half = B::float_mul_scalar(x, scalar(0.5));
    B::float_mul(half, B::float_add_scalar(share, scalar(1.0)))
}

/// `max(x, 0) + ln(1 + e^−|x|)`, which does not overflow.
fn softplus<B: FloatBackend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let distance = B::float_neg(B::float_abs(x.clone()));
    B::float_add(B::relu(x), B::float_log1p(B::float_exp(distance)))
}

fn hard_sigmoid<B: FloatBackend>(x: FloatTensor<B>, alpha: f32, beta: f32) -> FloatTensor<B> {
    let line = B::float_add_scalar(B::float_mul_scalar(x, scalar(alpha)), scalar(beta));
    B::float_clamp(line, scalar(0.0), scalar(1.0))
}

/// Bounds that are infinite or no numbers bind nothing; `clamp` of crossed bounds panics.
fn clip<B: FloatBackend>(x: FloatTensor<B>, min: f32, max: f32) -> FloatTensor<B> {
    match (min.is_finite(), max.is_finite()) {
        (true, true) if min <= max => B::float_clamp(x, scalar(min), scalar(max)),
        (true, true) => B::float_clamp_max(B::float_clamp_min(x, scalar(min)), scalar(max)),
        (true, false) => B::float_clamp_min(x, scalar(min)),
        (false, true) => B::float_clamp_max(x, scalar(max)),
        (false, false) => x,
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::burn::testing::{assert_close, on_every_backend, run};
    use crate::graph::Op;

    fn every_activation_is_its_definition<B: FloatBackend>() {
        let x: Vec<f32> = (-40..=40).map(|i| i as f32 / 5.0).collect();
        let infinity = f32::INFINITY;
        let bounds = [
            Activation::Clip { min: 0.0, max: 6.0 },
            Activation::Clip { min: -infinity, max: 2.0 },
            Activation::Clip { min: -1.5, max: infinity },
            Activation::Clip { min: -infinity, max: infinity },
            Activation::Clip { min: 3.0, max: -2.0 },
        ];
        let others = [Activation::LeakyRelu { alpha: 1.5 }, Activation::Power { exponent: 3.0 }];
        for activation in Activation::EACH.into_iter().chain(bounds).chain(others) {
            let expected: Vec<f32> =
                x.iter().map(|&x| activation.apply(f64::from(x)) as f32).collect();
            let operand = (&[3, 27][..], x.clone());
            let (shape, found) = run::<B>(Op::Activation(activation), vec![operand]);
            assert_eq!(shape, [3, 27]);
            assert_close(&found, &expected);
        }
    }
    on_every_backend!(every_activation_is_its_definition);
}
