//! Operators of two operands; sums of equal shapes have a loop of their own.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use super::super::generic::{self, Output, Tensor};
use super::{Rounding, Sum, inner};
use crate::backbone::BinaryOp;

pub(super) fn binary(
    op: BinaryOp,
    (a, scale_a): (Tensor<'_>, f32),
    (b, scale_b): (Tensor<'_>, f32),
    to: Output,
    out: &mut [i8],
) {
    let equal = a.data.len() == out.len() && b.data.len() == out.len();
    if op != BinaryOp::Add || !equal || out.is_empty() {
        return generic::binary(op, (a, scale_a), (b, scale_b), to, out);
    }
    let sum = Sum {
        a: a.data.as_ptr(),
        b: b.data.as_ptr(),
        out: out.as_mut_ptr(),
        count: out.len(),
        zero_a: a.zero_point.into(),
        zero_b: b.zero_point.into(),
        scale_a,
        scale_b,
        to: Rounding::new(&to),
    };
    // SAFETY: all three are `count` bytes long, at least one.
    unsafe { inner::add(&sum) };
}
