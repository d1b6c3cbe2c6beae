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
            | Self::Silu => None,
        }
    }
}

/// The name is ONNX's; `Silu` is no operator of ONNX. A sigmoid's results are probabilities, each of its own question.
pub(super) fn facts(activation: Activation) -> Facts {
    let (name, gives_probabilities) = match activation {
        Activation::Relu => ("Relu", false),
        Activation::Clip { .. } => ("Clip", false),
        Activation::LeakyRelu { .. } => ("LeakyRelu", false),
        Activation::Sigmoid => ("Sigmoid", true),
        Activation::HardSigmoid { .. } => ("HardSigmoid", false),
        Activation::HardSwish => ("HardSwish", false),
        Activation::Silu => ("Silu", false),
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
