use core::f64::consts::FRAC_1_SQRT_2;

use serde::{Deserialize, Serialize};

use super::Facts;

/// A function of one element.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Activation {
    /// Rectifier: `max(x, 0)`.
    Relu,
    /// Clamp: `min(max(x, min), max)`; a missing bound is infinite.
    Clip {
        /// Lower bound.
        min: f32,
        /// Upper bound; if below `min`, every result is `max`, as ONNX says.
        max: f32,
    },
    /// Leaky rectifier: `x` if `x ≥ 0`, else `alpha · x`.
    LeakyRelu {
        /// Slope of the negative side.
        alpha: f32,
    },
    /// Logistic function: `1 / (1 + e^-x)`.
    Sigmoid,
    /// Piecewise linear sigmoid: `max(0, min(1, alpha · x + beta))`.
    HardSigmoid {
        /// Slope of the middle part.
        alpha: f32,
        /// Value of the middle part at 0.
        beta: f32,
    },
    /// Piecewise swish: `x · max(0, min(1, x / 6 + 1/2))`.
    HardSwish,
    /// Swish: `x / (1 + e^-x)`.
    Silu,
    /// Hyperbolic tangent.
    Tanh,
    /// Exponential linear unit: `x` if `x ≥ 0`, else `alpha · (e^x − 1)`.
    Elu {
        /// How far below 0 the function goes.
        alpha: f32,
    },
    /// Scaled exponential linear unit: `gamma · x` if `x ≥ 0`, else `gamma · alpha · (e^x − 1)`.
    Selu {
        /// How far below 0 the function goes, before it is scaled.
        alpha: f32,
        /// Factor of the whole function.
        gamma: f32,
    },
    /// Gaussian error linear unit: `x · (1 + erf(x / √2)) / 2`.
    Gelu,
    /// Its approximation: `x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2`.
    GeluTanh,
    /// `x · tanh(ln(1 + e^x))`.
    Mish,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// Error function.
    Erf,
    /// `x` to a power; no number where `x` is negative and the exponent is not whole.
    Power {
        /// The exponent.
        exponent: f32,
    },
    /// Exponential function: `e^x`.
    Exp,
}

#[cfg(test)]
impl Activation {
    /// One of each kind, in the order of their numbers in packs.
    pub(crate) const EACH: [Self; 18] = [
        Self::Relu,
        Self::Clip { min: -1.0, max: 1.5 },
        Self::LeakyRelu { alpha: 0.1 },
        Self::Sigmoid,
        Self::HardSigmoid { alpha: 0.2, beta: 0.5 },
        Self::HardSwish,
        Self::Silu,
        Self::Tanh,
        Self::Elu { alpha: 0.7 },
        Self::Selu { alpha: 1.67, gamma: 1.05 },
        Self::Gelu,
        Self::GeluTanh,
        Self::Mish,
        Self::Softplus,
        Self::Softsign,
        Self::Erf,
        Self::Power { exponent: 2.0 },
        Self::Exp,
    ];
}

impl Activation {
    /// The function's value at `x`, in double precision so that tables round it once.
    #[must_use]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Relu => x.max(0.0),
            Self::Clip { min, max } => x.max(f64::from(min)).min(f64::from(max)),
            Self::LeakyRelu { alpha } if x < 0.0 => f64::from(alpha) * x,
            Self::LeakyRelu { .. } => x,
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Self::HardSigmoid { alpha, beta } => {
                (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0)
            }
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Silu => x / (1.0 + libm::exp(-x)),
            Self::Tanh => libm::tanh(x),
            Self::Elu { alpha } => exponential_linear(x, alpha),
            Self::Selu { alpha, gamma } => f64::from(gamma) * exponential_linear(x, alpha),
            Self::Gelu => x * 0.5 * (1.0 + libm::erf(x * FRAC_1_SQRT_2)),
            Self::GeluTanh => {
                let line = GELU_SLOPE * (x + GELU_CUBE * x * x * x);
                x * 0.5 * (1.0 + libm::tanh(line))
            }
            Self::Mish => x * libm::tanh(softplus(x)),
            Self::Softplus => softplus(x),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Erf => libm::erf(x),
            Self::Power { exponent } => libm::pow(x, f64::from(exponent)),
            Self::Exp => libm::exp(x),
        }
    }

    /// The bounds of a function that leaves what lies between them as it is; `None` for any other.
    #[must_use]
    pub fn clamp(self) -> Option<(f32, f32)> {
        match self {
            Self::Relu => Some((0.0, f32::INFINITY)),
            Self::Clip { min, max } => Some((min, max)),
            Self::LeakyRelu { .. }
            | Self::Sigmoid
            | Self::HardSigmoid { .. }
            | Self::HardSwish
            | Self::Silu
            | Self::Tanh
            | Self::Elu { .. }
            | Self::Selu { .. }
            | Self::Gelu
            | Self::GeluTanh
            | Self::Mish
            | Self::Softplus
            | Self::Softsign
            | Self::Erf
            | Self::Power { .. }
            | Self::Exp => None,
        }
    }
}

/// `√(2/π)`: slope of the tangent's argument at 0 in [`Activation::GeluTanh`].
pub const GELU_SLOPE: f64 = 0.797_884_560_802_865_4;

/// Factor of the cube there; Hendrycks and Gimpel 2016, <https://arxiv.org/abs/1606.08415>.
pub const GELU_CUBE: f64 = 0.044_715;

fn exponential_linear(x: f64, alpha: f32) -> f64 {
    if x < 0.0 { f64::from(alpha) * libm::expm1(x) } else { x }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// The name is ONNX's; `Silu` is no operator of ONNX, `GeluTanh` a form of one. A sigmoid's results are probabilities, each of its own question.
pub(super) fn facts(activation: Activation) -> Facts {
    let (name, gives_probabilities) = match activation {
        Activation::Relu => ("Relu", false),
        Activation::Clip { .. } => ("Clip", false),
        Activation::LeakyRelu { .. } => ("LeakyRelu", false),
        Activation::Sigmoid => ("Sigmoid", true),
        Activation::HardSigmoid { .. } => ("HardSigmoid", false),
        Activation::HardSwish => ("HardSwish", false),
        Activation::Silu => ("Silu", false),
        Activation::Tanh => ("Tanh", false),
        Activation::Elu { .. } => ("Elu", false),
        Activation::Selu { .. } => ("Selu", false),
        Activation::Gelu => ("Gelu", false),
        Activation::GeluTanh => ("GeluTanh", false),
        Activation::Mish => ("Mish", false),
        Activation::Softplus => ("Softplus", false),
        Activation::Softsign => ("Softsign", false),
        Activation::Erf => ("Erf", false),
        Activation::Power { .. } => ("Pow", false),
        Activation::Exp => ("Exp", false),
    };
    Facts {
        name,
        operands: 1..=1,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: true,
        gives_probabilities,
        commutes_with_rounding: activation.clamp().is_some(),
    }
}
