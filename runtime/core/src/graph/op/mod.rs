mod resize;

pub use resize::{Coordinates, Interpolation, MAX_RESIZE, Resize, Rounding};

use std::vec::Vec;

use serde::{Deserialize, Serialize};

/// A sliding window over the spatial dimensions (one to three of them, after batch and channels).
///
/// Every list has one entry a spatial dimension, padding is explicit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Extent of the window.
    pub kernel: Vec<usize>,
    /// Step between windows.
    pub strides: Vec<usize>,
    /// Distance between the elements that a window reads.
    pub dilations: Vec<usize>,
    /// Padding before the first element.
    pub pads_begin: Vec<usize>,
    /// Padding after the last element.
    pub pads_end: Vec<usize>,
}

impl Window {
    /// A window of that extent over neighbouring elements, without padding, that moves by one.
    #[must_use]
    pub fn new(kernel: &[usize]) -> Self {
        let each = |n: usize| core::iter::repeat_n(n, kernel.len()).collect::<Vec<_>>();
        Self {
            kernel: kernel.to_vec(),
            strides: each(1),
            dilations: each(1),
            pads_begin: each(0),
            pads_end: each(0),
        }
    }
}

/// `Conv`: operands `x [N, C, …]`, `weight [M, C / groups, kernel…]` and optionally `bias [M]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// Where the kernel reads.
    pub window: Window,
    /// Channel groups; as many as channels for a depthwise convolution.
    pub groups: usize,
}

/// `MaxPool`: operand `x [N, C, …]`; padding never wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPool {
    /// Where the window reads. With ONNX's `ceil_mode` the end padding is already extended.
    pub window: Window,
}

/// The second result of `MaxPool`: where in all of `x [N, C, …]` the maximum of each window stands;
/// the first one of several. The graph knows floats only, so it is a whole number in float32, and
/// `x` has at most [`MAX_INDEXED`](super::MAX_INDEXED) elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPoolIndices {
    /// Where the window reads.
    pub window: Window,
    /// Whether the elements of each plane are counted column by column.
    pub column_major: bool,
}

/// `AveragePool`: operand `x [N, C, …]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AveragePool {
    /// Where the window reads. With ONNX's `ceil_mode` the end padding is already extended.
    pub window: Window,
    /// Whether padding counts in the divisor (as zeros).
    pub count_include_pad: bool,
    /// How much of `pads_end` was added by `ceil_mode`: it never counts in the divisor.
    pub ceil_extra: Vec<usize>,
}

/// `Gemm`: operands `a`, `b` (rank 2) and optionally `c`; `alpha · a' · b' + beta · c`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f32,
    /// Factor of `c`.
    pub beta: f32,
    /// Whether `a` is transposed first.
    pub trans_a: bool,
    /// Whether `b` is transposed first.
    pub trans_b: bool,
}

/// What stands in the padding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PadMode {
    /// One value.
    Constant(f32),
    /// The tensor mirrored about its edge element.
    Reflect,
    /// The edge element.
    Edge,
    /// The tensor again and again.
    Wrap,
}

/// `Pad`: operand `x`; amounts per dimension, never negative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// Before the first element of each dimension.
    pub begin: Vec<usize>,
    /// After the last element of each dimension.
    pub end: Vec<usize>,
    /// What stands there.
    pub mode: PadMode,
}

/// A function of one element.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, min), max)`; a missing bound is infinite.
    Clip {
        /// Lower bound.
        min: f32,
        /// Upper bound; if below `min`, every result is `max`, as ONNX says.
        max: f32,
    },
    /// `x` if `x ≥ 0`, else `alpha · x`
    LeakyRelu {
        /// Slope of the negative side.
        alpha: f32,
    },
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// `max(0, min(1, alpha · x + beta))`
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at 0.
        beta: f32,
    },
    /// `x · max(0, min(1, x / 6 + 1/2))`
    HardSwish,
    /// `x / (1 + e^-x)`, also called swish
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
}

/// An operator of two operands that broadcast by NumPy's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a − b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
}

/// What a node computes. Shapes of attributes are resolved: no operator reads a shape from a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Convolution.
    Conv(Conv),
    /// `(x − mean) / √(variance + epsilon) · scale + bias`; operands `x, scale, bias, mean, variance`.
    BatchNormalization {
        /// Added to the variance.
        epsilon: f32,
    },
    /// A function of one element; operand `x`.
    Activation(Activation),
    /// `x` if `x ≥ 0`, else `slope · x`; operands `x, slope`, the slope broadcast to `x`.
    PRelu,
    /// An operator of two operands.
    Binary(Binary),
    /// Maximum over a window.
    MaxPool(MaxPool),
    /// Place of the maximum over a window.
    MaxPoolIndices(MaxPoolIndices),
    /// Mean over a window.
    AveragePool(AveragePool),
    /// Mean over all spatial dimensions, which stay with extent 1.
    GlobalAveragePool,
    /// Mean over some axes.
    ReduceMean {
        /// The axes, ascending.
        axes: Vec<usize>,
        /// Whether they stay with extent 1.
        keep_dims: bool,
    },
    /// Normalised exponentials along one axis (with `flatten`, along it and all that follow:
    /// opset < 13).
    Softmax {
        /// The axis.
        axis: usize,
        /// Whether the axes after it belong to the same sum.
        flatten: bool,
    },
    /// Tensors side by side along one axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Padding.
    Pad(Pad),
    /// The same elements in another shape (also `Flatten`, `Squeeze`, `Unsqueeze`).
    Reshape {
        /// The new shape, batch included.
        shape: Vec<usize>,
    },
    /// Axes in another order: axis `i` of the result is axis `permutation[i]` of the operand.
    Transpose {
        /// Where each axis comes from.
        permutation: Vec<usize>,
    },
    /// Matrix product with scaling, transposition and bias.
    Gemm(Gemm),
    /// Matrix product with NumPy's rules for batches and vectors.
    MatMul,
    /// Spatial axes sampled anew.
    Resize(Resize),
}

impl Op {
    /// The operator's ONNX name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Conv(_) => "Conv",
            Self::BatchNormalization { .. } => "BatchNormalization",
            Self::Activation(Activation::Relu) => "Relu",
            Self::Activation(Activation::Clip { .. }) => "Clip",
            Self::Activation(Activation::LeakyRelu { .. }) => "LeakyRelu",
            Self::Activation(Activation::Sigmoid) => "Sigmoid",
            Self::Activation(Activation::HardSigmoid { .. }) => "HardSigmoid",
            Self::Activation(Activation::HardSwish) => "HardSwish",
            Self::Activation(Activation::Silu) => "Silu",
            Self::PRelu => "PRelu",
            Self::Binary(Binary::Add) => "Add",
            Self::Binary(Binary::Sub) => "Sub",
            Self::Binary(Binary::Mul) => "Mul",
            Self::Binary(Binary::Div) => "Div",
            Self::MaxPool(_) | Self::MaxPoolIndices(_) => "MaxPool",
            Self::AveragePool(_) => "AveragePool",
            Self::GlobalAveragePool => "GlobalAveragePool",
            Self::ReduceMean { .. } => "ReduceMean",
            Self::Softmax { .. } => "Softmax",
            Self::Concat { .. } => "Concat",
            Self::Pad(_) => "Pad",
            Self::Reshape { .. } => "Reshape",
            Self::Transpose { .. } => "Transpose",
            Self::Gemm(_) => "Gemm",
            Self::MatMul => "MatMul",
            Self::Resize(_) => "Resize",
        }
    }
}
