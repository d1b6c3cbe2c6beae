//! The operators, one a file, on Burn's rank-dynamic primitives.
//!
//! Operands and result have been through [`Op::output_shape`], have at least one element each, and
//! windows slide over one to three dimensions. Every operator is made of primitives that all CPU
//! backends have: what candle lacks (padding in pooling, differing strides) is put together here.

mod activation;
mod average_pool;
mod batch_normalization;
mod binary;
mod concat;
mod conv;
mod gemm;
mod global_average_pool;
mod matmul;
mod max_pool;
mod max_pool_indices;
mod pad;
mod plane;
mod prelu;
mod reduce_mean;
mod resize;
mod slice;
mod softmax;
mod transpose;
mod volume;

use std::vec::Vec;

pub(super) use max_pool::greatest;
pub(super) use pad::pad_constant;
pub(super) use plane::{Plane, convolve};
pub(super) use slice::{select, slice};

use burn::tensor::Scalar;
use burn::tensor::ops::FloatTensor;

use super::tensor::{Array, reshape};
use crate::burn::FloatBackend;
use crate::graph::{GraphError, Op};

/// The result of `op`, whose shape is `result`.
///
/// # Errors
///
/// [`GraphError::TooManyElements`] if an operand grows past the limit when it is padded.
pub(super) fn apply<B: FloatBackend>(
    op: &Op,
    operands: Vec<Array<B>>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let mut rest = operands.into_iter();
    let Some(x) = rest.next() else {
        return Err(GraphError::Operands { found: 0 });
    };
    let mut operand = || rest.next().ok_or(GraphError::Operands { found: 1 });
    Ok(match op {
        Op::Conv(conv) => conv::apply(conv, x, operand()?, operand().ok(), result)?,
        Op::BatchNormalization { epsilon } => {
            let parameters = [operand()?, operand()?, operand()?, operand()?];
            batch_normalization::apply(*epsilon, x, parameters)
        }
        Op::Activation(activation) => activation::apply::<B>(*activation, x.primitive),
        Op::PRelu => prelu::apply(x, operand()?),
        Op::Binary(binary) => binary::apply(*binary, x, operand()?, result),
        Op::MaxPool(pool) => max_pool::apply(pool, x, result)?,
        Op::MaxPoolIndices(pool) => max_pool_indices::apply(pool, x, result)?,
        Op::AveragePool(pool) => average_pool::apply(pool, x, result)?,
        Op::GlobalAveragePool => global_average_pool::apply(x, result),
        Op::ReduceMean { axes, .. } => reduce_mean::apply(axes, x, result),
        Op::Softmax { axis, flatten } => softmax::apply(*axis, *flatten, x),
        Op::Concat { axis } => concat::apply(*axis, x, rest),
        Op::Pad(pad) => pad::apply(pad, x)?,
        Op::Reshape { shape } => reshape::<B>(x.primitive, shape),
        Op::Transpose { permutation } => transpose::apply(permutation, x),
        Op::Gemm(gemm) => gemm::apply(gemm, x, operand()?, operand().ok()),
        Op::MatMul => matmul::apply(x, operand()?, result),
        Op::Resize(resize) => resize::apply(resize, x),
    })
}

/// A float attribute as Burn takes it.
pub(super) fn scalar(value: f32) -> Scalar {
    Scalar::Float(f64::from(value))
}
