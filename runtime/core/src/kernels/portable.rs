//! Portable kernels as functions of all their operands in one, always inlined: so they are compiled for the instruction set of whoever
//! applies them.

#[cfg(feature = "std")]
use super::elementwise;
#[cfg(not(feature = "std"))]
use super::generic as elementwise;
use super::generic::{self, Activation, Mean, Output, Tensor};
use crate::network::{BinaryOp, Window};

type Operand<'a> = (Tensor<'a>, f32);

#[inline(always)]
pub(super) fn binary((op, a, b, to, out): (BinaryOp, Operand<'_>, Operand<'_>, Output, &mut [i8])) {
    elementwise::binary(op, a, b, to, out);
}

#[inline(always)]
pub(super) fn activation((activation, to, elements): (&Activation<'_>, Output, &mut [i8])) {
    elementwise::activation(activation, to, elements);
}

#[inline(always)]
pub(super) fn max_pool((x, window, to, out): (Tensor<'_>, &Window, Output, &mut [i8])) {
    generic::max_pool(x, window, to, out);
}

#[inline(always)]
pub(super) fn mean((x, of, to, out): (Tensor<'_>, Mean<'_>, Output, &mut [i8])) {
    generic::mean(x, of, to, out);
}

#[inline(always)]
pub(super) fn concat(
    (x, multiplier, axis, at, to, out): (Tensor<'_>, f32, u8, usize, Output, &mut [i8]),
) {
    generic::concat(x, multiplier, axis, at, to, out);
}
