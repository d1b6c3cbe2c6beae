//! The operators, one a file (pools in one): attributes, facts and the rule of shapes.

mod activation;
mod batch_normalization;
mod binary;
mod concat;
mod conv;
mod facts;
mod gemm;
mod matmul;
mod pad;
mod pool;
mod prelu;
mod reduce_mean;
mod reshape;
mod resize;
mod softmax;
mod transpose;
mod window;

pub use activation::{Activation, GELU_CUBE, GELU_SLOPE};
pub use binary::Binary;
pub use conv::Conv;
pub use facts::Facts;
pub use gemm::Gemm;
pub use pad::{Pad, PadMode};
pub use pool::{AveragePool, MAX_INDEXED, MaxPool, MaxPoolIndices};
pub use resize::{Coordinates, Interpolation, MAX_RESIZE, Resize, Rounding};
pub use window::Window;

use std::borrow::Cow;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{GraphError, elements};

/// The operation of a node. Shapes of attributes are resolved: no operator reads a shape from a tensor.
///
/// A pack's tail names operators and functions by their number here, so new ones go last and attributes stay as
/// they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Convolution.
    Conv(Conv),
    /// Normalisation by statistics of training: `(x − mean) / √(variance + epsilon) · scale + bias`; operands `x, scale, bias, mean,
    /// variance`.
    BatchNormalization {
        /// Small number that is added to the variance.
        epsilon: f32,
    },
    /// A function of one element; operand `x`.
    Activation(Activation),
    /// Leaky rectifier with a trained slope: `x` if `x ≥ 0`, else `slope · x`; operands `x, slope`, the slope broadcast to `x`.
    PRelu,
    /// An operator of two operands.
    Binary(Binary),
    /// Maximum over a window.
    MaxPool(MaxPool),
    /// Place of the maximum over a window, as a number.
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
        /// The axis of the sums, or the first one of them.
        axis: usize,
        /// Whether the axes after it belong to the same sum.
        flatten: bool,
    },
    /// Tensors side by side along one axis.
    Concat {
        /// The axis along which the tensors stand.
        axis: usize,
    },
    /// Values around a tensor: constants, its own mirrored or repeated, or its edge.
    Pad(Pad),
    /// Elements in another shape, in their order (also `Flatten`, `Squeeze`, `Unsqueeze`).
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
        self.facts().name
    }

    /// Facts that are true of the operator whatever its operands.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            Self::Conv(_) => conv::facts(),
            Self::BatchNormalization { .. } => batch_normalization::facts(),
            Self::Activation(activation) => activation::facts(*activation),
            Self::PRelu => prelu::facts(),
            Self::Binary(binary) => binary::facts(*binary),
            Self::MaxPool(_) => pool::max_facts(),
            Self::MaxPoolIndices(_) => pool::max_indices_facts(),
            Self::AveragePool(_) => pool::average_facts(),
            Self::GlobalAveragePool => pool::global_average_facts(),
            Self::ReduceMean { .. } => reduce_mean::facts(),
            Self::Softmax { .. } => softmax::facts(),
            Self::Concat { .. } => concat::facts(),
            Self::Pad(pad) => pad::facts(pad),
            Self::Reshape { .. } => reshape::facts(),
            Self::Transpose { .. } => transpose::facts(),
            Self::Gemm(_) => gemm::facts(),
            Self::MatMul => matmul::facts(),
            Self::Resize(_) => resize::facts(),
        }
    }

    /// Shape of the result for operands of these shapes.
    ///
    /// # Errors
    ///
    /// [`GraphError::Operands`] for the wrong number of operands, [`GraphError::Shape`] for shapes
    /// that do not fit together, [`GraphError::TooManyElements`] for a result past the limit.
    pub fn output_shape(&self, operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
        if !self.facts().operands.contains(&operands.len()) {
            return Err(GraphError::Operands { found: operands.len() });
        }
        let x = operands[0];
        let shape = match self {
            Self::Conv(conv) => conv::output_shape(conv, operands)?,
            Self::BatchNormalization { .. } => batch_normalization::output_shape(operands)?,
            Self::Activation(_) => x.to_vec(),
            Self::PRelu => prelu::output_shape(operands)?,
            Self::Binary(_) => binary::output_shape(operands)?,
            Self::MaxPool(pool) => pool::output_shape(&pool.window, x)?,
            Self::MaxPoolIndices(pool) => pool::max_indices_output_shape(pool, x)?,
            Self::AveragePool(pool) => pool::output_shape(&pool.window, x)?,
            Self::GlobalAveragePool => pool::global_output_shape(x)?,
            Self::ReduceMean { axes, keep_dims } => reduce_mean::output_shape(axes, *keep_dims, x)?,
            Self::Softmax { axis, .. } => softmax::output_shape(*axis, x)?,
            Self::Concat { axis } => concat::output_shape(*axis, operands)?,
            Self::Pad(pad) => pad::output_shape(pad, x)?,
            Self::Reshape { shape } => reshape::output_shape(shape, x)?,
            Self::Transpose { permutation } => transpose::output_shape(permutation, x)?,
            Self::Gemm(gemm) => gemm::output_shape(gemm, operands)?,
            Self::MatMul => matmul::output_shape(operands)?,
            Self::Resize(resize) => resize::output_shape(resize, x)?,
        };
        elements(&shape)?;
        Ok(shape)
    }

    /// Multiply-accumulates of the operator's weights for one element of the result; 0 for an operator without.
    /// The operands have been through [`Op::output_shape`].
    pub(super) fn products(&self, operands: &[&[usize]]) -> u64 {
        match self {
            Self::Conv(_) => conv::products(operands),
            Self::Gemm(gemm) => gemm::products(gemm, operands),
            Self::MatMul => matmul::products(operands),
            Self::BatchNormalization { .. }
            | Self::Activation(_)
            | Self::PRelu
            | Self::Binary(_)
            | Self::MaxPool(_)
            | Self::MaxPoolIndices(_)
            | Self::AveragePool(_)
            | Self::GlobalAveragePool
            | Self::ReduceMean { .. }
            | Self::Softmax { .. }
            | Self::Concat { .. }
            | Self::Pad(_)
            | Self::Reshape { .. }
            | Self::Transpose { .. }
            | Self::Resize(_) => 0,
        }
    }

    /// Adapts the operator to a batch that is `factor` times as large: only a reshape states the batch.
    #[must_use]
    pub fn with_batch(&self, factor: usize) -> Cow<'_, Self> {
        match self {
            Self::Reshape { shape } if factor > 1 && !shape.is_empty() => {
                let mut shape = shape.clone();
                shape[0] = shape[0].saturating_mul(factor);
                Cow::Owned(Self::Reshape { shape })
            }
            Self::Conv(_)
            | Self::BatchNormalization { .. }
            | Self::Activation(_)
            | Self::PRelu
            | Self::Binary(_)
            | Self::MaxPool(_)
            | Self::MaxPoolIndices(_)
            | Self::AveragePool(_)
            | Self::GlobalAveragePool
            | Self::ReduceMean { .. }
            | Self::Softmax { .. }
            | Self::Concat { .. }
            | Self::Pad(_)
            | Self::Reshape { .. }
            | Self::Transpose { .. }
            | Self::Gemm(_)
            | Self::MatMul
            | Self::Resize(_) => Cow::Borrowed(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    /// What the tails of packs have in them: a number may be added, and none changed.
    #[test]
    fn operators_keep_their_numbers() {
        let window = Window::new(&[1]);
        let conv = Conv { window: window.clone(), groups: 1 };
        let indices = MaxPoolIndices { window: window.clone(), column_major: false };
        let average =
            AveragePool { window: window.clone(), count_include_pad: false, ceil_extra: vec![0] };
        let pad = Pad { begin: vec![0], end: vec![0], mode: PadMode::Edge };
        let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false };
        let operators = [
            Op::Conv(conv),
            Op::BatchNormalization { epsilon: 0.0 },
            Op::Activation(Activation::Relu),
            Op::PRelu,
            Op::Binary(Binary::Add),
            Op::MaxPool(MaxPool { window }),
            Op::MaxPoolIndices(indices),
            Op::AveragePool(average),
            Op::GlobalAveragePool,
            Op::ReduceMean { axes: vec![1], keep_dims: true },
            Op::Softmax { axis: 1, flatten: false },
            Op::Concat { axis: 1 },
            Op::Pad(pad),
            Op::Reshape { shape: vec![1] },
            Op::Transpose { permutation: vec![0] },
            Op::Gemm(gemm),
            Op::MatMul,
            Op::Resize(Resize::linear(&[1], &[1])),
        ];
        let binaries = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div];
        for (number, op) in (0..).zip(operators) {
            assert_eq!(postcard::to_allocvec(&op).unwrap()[0], number, "{op:?}");
        }
        for (number, activation) in (0..).zip(Activation::EACH) {
            let bytes = postcard::to_allocvec(&Op::Activation(activation)).unwrap();
            assert_eq!(bytes[..2], [2, number], "{activation:?}");
        }
        for (number, binary) in (0..).zip(binaries) {
            assert_eq!(postcard::to_allocvec(&Op::Binary(binary)).unwrap(), [4, number]);
        }
    }
}
