use super::Output;
use crate::network::{FACTOR_BYTES, LINES};

/// A function of real numbers with factors a channel, as [`Activation`](crate::network::Activation) states it.
#[derive(Clone, Copy, Debug)]
pub struct Activation<'a> {
    /// Inner and outer factor of every channel.
    pub factors: &'a [[u8; FACTOR_BYTES]],
    /// The function.
    pub curve: Curve<'a>,
    /// The operand's integer that stands for 0.
    pub zero_point: i8,
}

/// Points of lines, float32, little-endian.
pub type Points = [[u8; 4]; LINES + 1];

/// The function of an [`Activation`].
#[derive(Clone, Copy, Debug)]
pub enum Curve<'a> {
    /// `u · min(max(u + 0.5, 0), 1)`.
    HardSwish,
    /// Lines between 1025 points: the results for `u` of −512, −511 … 512.
    Lines(&'a Points),
}

impl Activation<'_> {
    /// The result for `q` in a channel of these factors.
    #[inline(always)]
    pub(in crate::kernels) fn result(&self, q: i8, [inner, outer]: [f32; 2], to: &Output) -> i8 {
        let u = (i32::from(q) - i32::from(self.zero_point)) as f32 * inner;
        let real = match self.curve {
            Curve::HardSwish => hard_swish(u),
            Curve::Lines(points) => on_lines(points, u),
        };
        to.quantise(real * outer)
    }
}

/// As in [`Output::quantise`], not by `max` and `min`.
#[inline(always)]
pub(in crate::kernels) fn hard_swish(u: f32) -> f32 {
    let part = u + 0.5;
    let part = if part > 0.0 { part } else { 0.0 };
    u * if part < 1.0 { part } else { 1.0 }
}

#[inline(always)]
fn on_lines(points: &Points, u: f32) -> f32 {
    let t = u + (LINES / 2) as f32;
    // Below 0 it is 0.
    let line = (t as usize).min(LINES - 1);
    let (from, to) = (f32::from_le_bytes(points[line]), f32::from_le_bytes(points[line + 1]));
    from + (to - from) * (t - line as f32)
}

/// The inner and the outer factor.
#[inline(always)]
pub(in crate::kernels) fn factors([a, b, c, d, e, f, g, h]: [u8; FACTOR_BYTES]) -> [f32; 2] {
    [f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h])]
}

/// Replaces every element by the function's result. Elements are whole pixels.
#[inline(always)]
pub fn activation(activation: &Activation<'_>, to: Output, elements: &mut [i8]) {
    for (q, &channel) in elements.iter_mut().zip(activation.factors.iter().cycle()) {
        *q = activation.result(*q, factors(channel), &to);
    }
}
