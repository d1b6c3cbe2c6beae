//! Functions and operators of elements: loops over neighbouring channels, which a compiler makes vectors of.

use super::activation::TOGETHER;
pub(super) use super::activation::activation;
use super::activation::look_up_each;
use super::channels::{Function, by_channel};
use super::generic::{Output, Table, Tensor};
use super::work::{Instructions, Portable, Step};
use crate::network::BinaryOp;

/// [`generic::look_up`](super::generic::look_up), the same elements.
#[inline(always)]
pub(super) fn look_up(set: impl Instructions, tables: &[Table], elements: &mut [i8]) {
    if let [table] = tables {
        return set.look_up(table, elements);
    }
    let first = (0..).step_by(TOGETHER);
    for (first, together) in first.zip(tables.chunks(TOGETHER)) {
        for pixel in elements.chunks_exact_mut(tables.len()) {
            look_up_each(together, &mut pixel[first..]);
        }
    }
}

type Operand<'a> = (Tensor<'a>, f32);

/// [`generic::binary`](super::generic::binary), bit for bit.
#[inline(always)]
pub(super) fn binary(
    set: impl Instructions,
    op: BinaryOp,
    a: Operand<'_>,
    b: Operand<'_>,
    to: Output,
    out: &mut [i8],
) {
    // Sums and products are the same in either order.
    match op {
        BinaryOp::Add if is_channels(&b.0, &to) && a.0.data.len() == out.len() => {
            add_channels(a, b, &to, out);
        }
        BinaryOp::Add if is_channels(&a.0, &to) && b.0.data.len() == out.len() => {
            add_channels(b, a, &to, out);
        }
        BinaryOp::Mul if is_channels(&b.0, &to) && a.0.data.len() == out.len() => {
            scale_channels(set, a.0, b.0, a.1, &to, out);
        }
        BinaryOp::Mul if is_channels(&a.0, &to) && b.0.data.len() == out.len() => {
            scale_channels(set, b.0, a.0, a.1, &to, out);
        }
        BinaryOp::Add => each(a.0, b.0, to, out, |x, y| x as f32 * a.1 + y as f32 * b.1),
        BinaryOp::Mul => each(a.0, b.0, to, out, |x, y| (x * y) as f32 * a.1),
        BinaryOp::Div => each(a.0, b.0, to, out, |x, y| x as f32 / y as f32 * a.1),
    }
}

/// Whether every pixel reads the same of an operand: a number a channel, or one for all.
fn is_channels(x: &Tensor<'_>, to: &Output) -> bool {
    (x.height, x.width) == (1, 1) && (x.channels == to.channels || x.channels == 1)
}

/// What such an operand says for a channel, less its zero point.
#[inline(always)]
fn number(x: &Tensor<'_>, channel: usize) -> f32 {
    let q = x.data[if x.channels == 1 { 0 } else { channel }];
    f32::from(q) - f32::from(x.zero_point)
}

#[inline(always)]
fn add_channels((x, scale): Operand<'_>, (y, other): Operand<'_>, to: &Output, out: &mut [i8]) {
    let numbers = |channel| [number(&y, channel) * other, scale];
    // Two infinities may be no number.
    by_channel(Portable, &Sum, numbers, x.zero_point, to, Some(x.data), out);
}

/// What a squeeze-and-excite block does last: one pass over its tensor.
#[inline(always)]
fn scale_channels(
    set: impl Instructions,
    x: Tensor<'_>,
    y: Tensor<'_>,
    scale: f32,
    to: &Output,
    out: &mut [i8],
) {
    let numbers = |channel| [number(&y, channel), scale];
    by_channel(set, &Product, numbers, x.zero_point, to, Some(x.data), out);
}

/// [`BinaryOp::Add`] of what the channel adds, scaled already.
struct Sum;

impl Function for Sum {
    #[inline(always)]
    fn replace(&self, x: &mut Step, [added, scale]: [&Step; 2]) {
        for ((x, added), scale) in x.iter_mut().zip(added).zip(scale) {
            *x = *x * scale + added;
        }
    }
}

/// [`BinaryOp::Mul`]; products of two integers of nine bits are exact in float32.
struct Product;

impl Function for Product {
    #[inline(always)]
    fn replace(&self, x: &mut Step, [factor, scale]: [&Step; 2]) {
        for ((x, factor), scale) in x.iter_mut().zip(factor).zip(scale) {
            *x = *x * factor * scale;
        }
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
