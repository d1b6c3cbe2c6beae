//! Functions and operators of elements, pixel by pixel: loops over neighbouring channels, which a compiler makes vectors of.

use super::activation::TOGETHER;
pub(super) use super::activation::activation;
use super::generic::{Output, Table, Tensor, entry};
use crate::network::BinaryOp;

/// [`generic::look_up`](super::generic::look_up), the same elements.
#[inline(always)]
pub(super) fn look_up(tables: &[Table], elements: &mut [i8]) {
    if let [table] = tables {
        elements.iter_mut().for_each(|q| *q = entry(table, *q));
        return;
    }
    let first = (0..).step_by(TOGETHER);
    for (first, together) in first.zip(tables.chunks(TOGETHER)) {
        for pixel in elements.chunks_exact_mut(tables.len()) {
            for (q, table) in pixel[first..].iter_mut().zip(together) {
                *q = entry(table, *q);
            }
        }
    }
}

/// [`generic::binary`](super::generic::binary), bit for bit.
#[inline(always)]
pub(super) fn binary(
    op: BinaryOp,
    (a, scale_a): (Tensor<'_>, f32),
    (b, scale_b): (Tensor<'_>, f32),
    to: Output,
    out: &mut [i8],
) {
    match op {
        BinaryOp::Add => each(a, b, to, out, |a, b| a as f32 * scale_a + b as f32 * scale_b),
        BinaryOp::Mul => each(a, b, to, out, |a, b| (a * b) as f32 * scale_a),
        BinaryOp::Div => each(a, b, to, out, |a, b| a as f32 / b as f32 * scale_a),
    }
}

/// `real` of integers less their zero points, rounded.
#[inline(always)]
fn each(a: Tensor<'_>, b: Tensor<'_>, to: Output, out: &mut [i8], real: impl Fn(i32, i32) -> f32) {
    let (zero_a, zero_b) = (i32::from(a.zero_point), i32::from(b.zero_point));
    let combine =
        |qa: i8, qb: i8| to.quantise(real(i32::from(qa) - zero_a, i32::from(qb) - zero_b));
    if a.data.len() == out.len() && b.data.len() == out.len() {
        for ((result, &qa), &qb) in out.iter_mut().zip(a.data).zip(b.data) {
            *result = combine(qa, qb);
        }
        return;
    }
    for (index, pixel) in out.chunks_exact_mut(to.channels).enumerate() {
        let place = [index / to.width, index % to.width];
        let (a, b) = (at(&a, place), at(&b, place));
        match (a, b) {
            (&[qa], &[qb]) => pixel.fill(combine(qa, qb)),
            (&[qa], b) => {
                pixel.iter_mut().zip(b).for_each(|(result, &qb)| *result = combine(qa, qb))
            }
            (a, &[qb]) => {
                pixel.iter_mut().zip(a).for_each(|(result, &qa)| *result = combine(qa, qb))
            }
            (a, b) => {
                for ((result, &qa), &qb) in pixel.iter_mut().zip(a).zip(b) {
                    *result = combine(qa, qb);
                }
            }
        }
    }
}

/// The channels of an operand, or its only one, that a pixel of the result reads.
#[inline(always)]
fn at<'a>(x: &Tensor<'a>, [row, column]: [usize; 2]) -> &'a [i8] {
    let row = if x.height == 1 { 0 } else { row };
    let column = if x.width == 1 { 0 } else { column };
    &x.data[(row * x.width + column) * x.channels..][..x.channels]
}
