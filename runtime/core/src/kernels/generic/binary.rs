use super::{Output, Tensor};
use crate::network::BinaryOp;

/// One operand of a sum: `scale · (q − zero point)`.
#[derive(Clone, Copy, Debug)]
pub struct Term<'a> {
    /// The elements.
    pub data: &'a [i8],
    /// The integer that stands for 0.
    pub zero_point: i8,
    /// Factor of the integers less their zero point.
    pub scale: f32,
}

impl<'a> Term<'a> {
    /// Makes a term of all elements of a tensor, and their factor.
    #[must_use]
    pub fn new((x, scale): (Tensor<'a>, f32)) -> Self {
        Self { data: x.data, zero_point: x.zero_point, scale }
    }
}

/// Adds two terms, element by element; all have one length.
#[inline(always)]
pub fn add(a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
    let real =
        |q: i8, term: &Term<'_>| (i32::from(q) - i32::from(term.zero_point)) as f32 * term.scale;
    for ((result, &x), &y) in out.iter_mut().zip(a.data).zip(b.data) {
        *result = to.quantise(real(x, &a) + real(y, &b));
    }
}

/// Applies an operator to two operands that broadcast to the result; see [`BinaryOp`] for the arithmetic.
#[inline(always)]
pub fn binary(
    op: BinaryOp,
    (a, scale_a): (Tensor<'_>, f32),
    (b, scale_b): (Tensor<'_>, f32),
    to: Output,
    out: &mut [i8],
) {
    let zero_a = i32::from(a.zero_point);
    let zero_b = i32::from(b.zero_point);
    let combine = |qa: i8, qb: i8| {
        let (qa, qb) = (i32::from(qa) - zero_a, i32::from(qb) - zero_b);
        to.quantise(match op {
            BinaryOp::Add => qa as f32 * scale_a + qb as f32 * scale_b,
            BinaryOp::Mul => (qa * qb) as f32 * scale_a,
            BinaryOp::Div => qa as f32 / qb as f32 * scale_a,
        })
    };
    if a.data.len() == out.len() && b.data.len() == out.len() {
        for ((result, &qa), &qb) in out.iter_mut().zip(a.data).zip(b.data) {
            *result = combine(qa, qb);
        }
        return;
    }
    let (a_steps, b_steps) = (steps(&a), steps(&b));
    for (index, pixel) in out.chunks_exact_mut(to.channels).enumerate() {
        let (row, column) = (index / to.width, index % to.width);
        let start = |steps: [usize; 3]| row * steps[0] + column * steps[1];
        for (channel, result) in pixel.iter_mut().enumerate() {
            let qa = a.data[start(a_steps) + channel * a_steps[2]];
            let qb = b.data[start(b_steps) + channel * b_steps[2]];
            *result = combine(qa, qb);
        }
    }
}

/// Steps in memory along rows, columns and channels; 0 along a broadcast axis.
fn steps(x: &Tensor<'_>) -> [usize; 3] {
    let unless_one = |extent: usize, step: usize| if extent == 1 { 0 } else { step };
    [
        unless_one(x.height, x.width * x.channels),
        unless_one(x.width, x.channels),
        unless_one(x.channels, 1),
    ]
}
