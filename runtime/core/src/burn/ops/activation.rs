use burn::tensor::ops::FloatTensor;

use super::scalar;
use crate::burn::FloatBackend;
use crate::graph::Activation;

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
    }
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
        let activations = [
            Activation::Relu,
            Activation::Clip { min: 0.0, max: 6.0 },
            Activation::Clip { min: -infinity, max: 2.0 },
            Activation::Clip { min: -1.5, max: infinity },
            Activation::Clip { min: -infinity, max: infinity },
            Activation::Clip { min: 3.0, max: -2.0 },
            Activation::LeakyRelu { alpha: 0.1 },
            Activation::LeakyRelu { alpha: 1.5 },
            Activation::Sigmoid,
            Activation::HardSigmoid { alpha: 0.2, beta: 0.5 },
            Activation::HardSwish,
            Activation::Silu,
        ];
        for activation in activations {
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
