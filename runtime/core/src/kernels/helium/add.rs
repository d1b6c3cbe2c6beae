//! Sums of two operands of equal length.
#![allow(unsafe_code, reason = "the inner loop takes pointers that this driver bounds")]

use super::super::generic::{Output, Term};
use super::{Rounding, Sum, inner};

pub(super) fn add(a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
    let sum = Sum {
        a: a.data.as_ptr(),
        b: b.data.as_ptr(),
        out: out.as_mut_ptr(),
        count: out.len().min(a.data.len()).min(b.data.len()),
        zero_a: a.zero_point.into(),
        zero_b: b.zero_point.into(),
        scale_a: a.scale,
        scale_b: b.scale,
        rounding: Rounding::new(to),
    };
    // SAFETY: all three are at least `count` bytes long.
    unsafe { inner::add(&sum) };
}
