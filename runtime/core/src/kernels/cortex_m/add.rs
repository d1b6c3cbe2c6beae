//! Sums of two operands of equal length.
#![allow(unsafe_code, reason = "the inner loop takes pointers that this driver bounds")]

use super::super::generic::{Output, Term};
use super::{Sum, clamp, inner};

pub(super) fn add(a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
    let count = out.len().min(a.data.len()).min(b.data.len());
    if count == 0 {
        return;
    }
    let sum = Sum {
        a: a.data.as_ptr(),
        b: b.data.as_ptr(),
        out: out.as_mut_ptr(),
        count,
        zero_a: a.zero_point.into(),
        zero_b: b.zero_point.into(),
        scale_a: a.scale,
        scale_b: b.scale,
        zero_point: to.zero_point.into(),
    };
    // SAFETY: all three are at least `count` bytes long, at least one.
    unsafe { inner::add(&sum) };
    clamp(to, &mut out[..count]);
}
