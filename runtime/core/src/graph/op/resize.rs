//! Sampling the spatial axes of a tensor anew: ONNX's `Resize`, linear or to the nearest element.

use std::format;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

/// Most elements of the operand times those of the result on one resized axis.
pub const MAX_RESIZE: usize = 1 << 24;

/// `Resize`: operand `x [N, C, …]`, whose spatial axes are sampled anew, one after another.
///
/// Every list has one entry a spatial axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resize {
    /// Extents of the result.
    pub extents: Vec<usize>,
    /// Elements of the result for one of the operand; above 0.
    pub scales: Vec<f32>,
    /// Which place of the operand an element of the result stands for.
    pub coordinates: Coordinates,
    /// How the elements around that place make one.
    pub interpolation: Interpolation,
}

/// How element `i` of `n` in the result finds its place among the `m` elements of the operand, by ONNX's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coordinates {
    /// Places by centres: `(i + 1/2) / scale − 1/2`.
    HalfPixel,
    /// Places by centres, but 0 where `n` is 1: `(i + 1/2) / scale − 1/2`.
    PytorchHalfPixel,
    /// Places by corners: `i · (m − 1) / (n − 1)`, 0 where `n` is 1.
    AlignCorners,
    /// Places by first elements: `i / scale`.
    Asymmetric,
}

/// How the operand's elements around a place become one element of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interpolation {
    /// The nearest element.
    Nearest(Rounding),
    /// The two neighbours, weighted by nearness.
    Linear,
}

/// Which element counts as the nearest to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rounding {
    /// The nearest; the lower of two.
    PreferFloor,
    /// The nearest; the upper of two.
    PreferCeil,
    /// The element before the place, however near the next one is.
    Floor,
    /// The element behind the place, however near the one before is.
    Ceil,
}

impl Resize {
    /// Linear resizing to these extents, with half-pixel places: what image libraries call bilinear.
    #[must_use]
    pub fn linear(operand: &[usize], extents: &[usize]) -> Self {
        let scales = operand.iter().zip(extents).map(|(&m, &n)| n as f32 / m.max(1) as f32);
        Self {
            extents: extents.to_vec(),
            scales: scales.collect(),
            coordinates: Coordinates::HalfPixel,
            interpolation: Interpolation::Linear,
        }
    }

    /// What element `index` of spatial axis `axis` reads of an operand of that extent: two elements and their
    /// shares, which may be the same element.
    ///
    /// `None` for an axis that is not there or an operand without elements.
    #[must_use]
    pub fn taps(&self, axis: usize, extent: usize, index: usize) -> Option<[(usize, f32); 2]> {
        let place = self.place(axis, extent, index)?;
        let last = extent.checked_sub(1)?;
        let inside = |place: f64| place.clamp(0.0, last as f64) as usize;
        let low = libm::floor(place);
        let share = place - low;
        Some(match self.interpolation {
            Interpolation::Linear => {
                [(inside(low), (1.0 - share) as f32), (inside(low + 1.0), share as f32)]
            }
            Interpolation::Nearest(rounding) => {
                let up = match rounding {
                    Rounding::PreferFloor => share > 0.5,
                    Rounding::PreferCeil => share >= 0.5,
                    Rounding::Floor => false,
                    Rounding::Ceil => share > 0.0,
                };
                let nearest = inside(if up { low + 1.0 } else { low });
                [(nearest, 1.0), (nearest, 0.0)]
            }
        })
    }

    /// The place that element `index` of spatial axis `axis` stands for, counted in elements of an operand of that extent from the middle
    /// of its first one; it may lie outside.
    ///
    /// `None` for an axis that is not there or an operand without elements.
    #[must_use]
    pub fn place(&self, axis: usize, extent: usize, index: usize) -> Option<f64> {
        let (&count, &scale) = (self.extents.get(axis)?, self.scales.get(axis)?);
        let last = extent.checked_sub(1)?;
        // The exact ratio where that is what the scale is the float32 of: places then fall on elements.
        let is_ratio = count as f32 / extent as f32 == scale;
        let scale = if is_ratio { count as f64 / extent as f64 } else { f64::from(scale) };
        let at = index as f64;
        Some(match self.coordinates {
            Coordinates::PytorchHalfPixel | Coordinates::AlignCorners if count == 1 => 0.0,
            Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => (at + 0.5) / scale - 0.5,
            Coordinates::AlignCorners => at * last as f64 / (count as f64 - 1.0),
            Coordinates::Asymmetric => at / scale,
        })
    }
}

pub(super) fn facts() -> Facts {
    Facts {
        name: "Resize",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(resize: &Resize, x: &[usize]) -> Result<Vec<usize>, GraphError> {
    let spatial = x.get(2..).unwrap_or_default();
    let Resize { extents, scales, .. } = resize;
    let fits = !spatial.is_empty()
        && extents.len() == spatial.len()
        && scales.len() == spatial.len()
        && scales.iter().all(|&scale| scale.is_finite() && scale > 0.0)
        && spatial.iter().zip(extents).all(|(&from, &to)| {
            from.checked_mul(to).is_some_and(|product| (1..=MAX_RESIZE).contains(&product))
        });
    if !fits {
        return mismatch(format!("{x:?} resized to {extents:?} by {scales:?}"));
    }
    Ok([&x[..2], extents].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(resize: &Resize, extent: usize) -> Vec<f32> {
        let place = |index| {
            let [(a, share_a), (b, share_b)] = resize.taps(0, extent, index).unwrap();
            a as f32 * share_a + b as f32 * share_b
        };
        (0..resize.extents[0]).map(place).collect()
    }

    #[test]
    fn places_are_those_of_onnx() {
        let mut resize = Resize::linear(&[2], &[4]);
        assert_eq!(read(&resize, 2), [0.0, 0.25, 0.75, 1.0]);
        resize.coordinates = Coordinates::AlignCorners;
        assert_eq!(read(&resize, 2), [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
        resize.coordinates = Coordinates::Asymmetric;
        assert_eq!(read(&resize, 2), [0.0, 0.5, 1.0, 1.0]);
        for (rounding, expected) in [
            (Rounding::PreferFloor, [0.0, 0.0, 1.0, 1.0]),
            (Rounding::PreferCeil, [0.0, 1.0, 1.0, 1.0]),
            (Rounding::Floor, [0.0, 0.0, 1.0, 1.0]),
            (Rounding::Ceil, [0.0, 1.0, 1.0, 1.0]),
        ] {
            resize.interpolation = Interpolation::Nearest(rounding);
            assert_eq!(read(&resize, 2), expected, "{rounding:?}");
        }
        resize.coordinates = Coordinates::HalfPixel;
        resize.interpolation = Interpolation::Nearest(Rounding::PreferFloor);
        assert_eq!(read(&resize, 2), [0.0, 0.0, 1.0, 1.0]);
        let mut one = Resize::linear(&[5], &[1]);
        assert_eq!(read(&one, 5), [2.0]);
        one.coordinates = Coordinates::PytorchHalfPixel;
        assert_eq!(read(&one, 5), [0.0]);
        assert_eq!(one.taps(1, 5, 0), None);
        assert_eq!(one.taps(0, 0, 0), None);
    }
}
