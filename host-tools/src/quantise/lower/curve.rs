//! Functions that are computed where channels have scales of their own: hard-swish, and lines between points that all channels
//! of a pack share. Both take eight bytes a channel, where a table takes 256.

use headstart::kernels::generic::{self, Output, Points};
use headstart::network::{Curve, FACTOR_BYTES, LINES, LINES_BYTES, TABLE_BYTES};

use super::{Lowering, Why, narrow};
use crate::quantise::rounding::Quantisation;

/// How far a result may be from what the function says, in steps: rounding alone takes half a step.
const MOST_ERROR: f64 = 0.6;

/// Intervals of the lines for a step of 1 in the function's operand: they reach from −16 to 16.
const LINES_A_UNIT: f64 = 32.0;

/// The greatest factor and point that a pack holds.
const MOST: f32 = 1e12;

/// What the channels of a function's operand and result mean: `function(x · before) / behind`, with `[before, behind]` of each channel.
pub(super) struct Channels {
    pub(super) from: Quantisation,
    pub(super) to: Quantisation,
    pub(super) scales: Vec<[f64; 2]>,
}

impl Lowering<'_> {
    /// The factors in the pack's tables, and the curve that is the function nearly; `None` where none is, or tables take less room.
    pub(super) fn curve(
        &mut self,
        channels: &Channels,
        function: &dyn Fn(f64) -> f64,
    ) -> Result<Option<(u32, Curve)>, Why> {
        let bytes = channels.scales.len() * (TABLE_BYTES - FACTOR_BYTES);
        let factors = channels.factors(1.0 / 6.0, 6.0);
        if channels.is_near(&factors, generic::Curve::HardSwish, function) {
            return Ok(Some((self.factors(&factors)?, Curve::HardSwish)));
        }
        let factors = channels.factors(LINES_A_UNIT, 1.0);
        let points = points(function);
        let table: Vec<u8> = points.as_flattened().to_vec();
        let known = self.points.iter().find(|(known, _)| *known == table).map(|&(_, at)| at);
        if (known.is_none() && bytes <= LINES_BYTES)
            || !points.iter().all(|&point| f32::from_le_bytes(point).abs() <= MOST)
            || !channels.is_near(&factors, generic::Curve::Lines(&points), function)
        {
            return Ok(None);
        }
        let points = match known {
            Some(at) => at,
            None => {
                let at = narrow(self.lowered.tables.len())?;
                self.lowered.tables.extend(&table);
                self.points.push((table, at));
                at
            }
        };
        Ok(Some((self.factors(&factors)?, Curve::Lines { points })))
    }

    fn factors(&mut self, factors: &[[u8; FACTOR_BYTES]]) -> Result<u32, Why> {
        let at = narrow(self.lowered.tables.len())?;
        self.lowered.tables.extend(factors.as_flattened());
        Ok(at)
    }
}

impl Channels {
    /// Inner and outer factors, of which a curve takes these parts.
    fn factors(&self, inner: f64, outer: f64) -> Vec<[u8; FACTOR_BYTES]> {
        let (from, to) = (f64::from(self.from.scale), f64::from(self.to.scale));
        let of_channel = |&[before, behind]: &[f64; 2]| {
            let inner = (from * before * inner) as f32;
            let outer = (outer / (to * behind)) as f32;
            let mut bytes = [0; FACTOR_BYTES];
            bytes[..4].copy_from_slice(&inner.to_le_bytes());
            bytes[4..].copy_from_slice(&outer.to_le_bytes());
            bytes
        };
        self.scales.iter().map(of_channel).collect()
    }

    /// Whether every result of the curve, in every channel, is what the function says, but for [`MOST_ERROR`]. Where all channels are
    /// alike one of them is asked.
    fn is_near(
        &self,
        factors: &[[u8; FACTOR_BYTES]],
        curve: generic::Curve<'_>,
        function: &dyn Fn(f64) -> f64,
    ) -> bool {
        let sound = |factor: &[u8; 4]| f32::from_le_bytes(*factor).abs() <= MOST;
        if !factors.as_flattened().as_chunks().0.iter().all(sound) {
            return false;
        }
        let are_alike = self.scales.windows(2).all(|pair| pair[0] == pair[1]);
        let factors = &factors[..if are_alike { factors.len().min(1) } else { factors.len() }];
        let zero_point = self.from.zero_point;
        let activation = generic::Activation { factors, curve, zero_point };
        let to = Output {
            height: 1,
            width: 1,
            channels: factors.len(),
            zero_point: self.to.zero_point,
            min: i8::MIN,
            max: i8::MAX,
        };
        (i8::MIN..=i8::MAX).all(|q| {
            let mut found = vec![q; factors.len()];
            generic::activation(&activation, to, &mut found);
            let real = self.from.real(q);
            found.iter().zip(&self.scales).all(|(&found, &[before, behind])| {
                let steps = function(real * before) / behind / f64::from(self.to.scale);
                let exact = (steps + f64::from(self.to.zero_point)).clamp(-128.0, 127.0);
                (f64::from(found) - exact).abs() <= MOST_ERROR
            })
        })
    }
}

/// Points of lines that are as far above a function as below it, so that they are twice as near as lines between its own points. Where it is
/// straight they are the function.
fn points(function: &dyn Fn(f64) -> f64) -> Box<Points> {
    let at = |place: f64| function((place - (LINES / 2) as f64) / LINES_A_UNIT);
    // How far the function is from the line in the middle of an interval.
    let bend = |line: f64| at(line + 0.5) - (at(line) + at(line + 1.0)) / 2.0;
    let point = |index: usize| {
        let place = index as f64;
        (at(place) + (bend(place - 1.0) + bend(place)) / 4.0) as f32
    };
    let mut points = Box::new([[0; 4]; LINES + 1]);
    for (index, bytes) in points.iter_mut().enumerate() {
        *bytes = point(index).to_le_bytes();
    }
    points
}

#[cfg(test)]
mod tests {
    use headstart::graph::Activation;

    use super::*;

    fn channels(reach: f32) -> Channels {
        let from = Quantisation::of_range(-8.0, 8.0);
        let to = Quantisation::of_range(-0.3 * reach, reach);
        Channels { from, to, scales: vec![[1.0, 1.0], [0.5, 0.7], [2.0, 1.6]] }
    }

    /// Whether lines are the function nearly, whose results reach so far.
    fn are_near(reach: f32, function: impl Fn(f64) -> f64) -> bool {
        let (channels, points) = (channels(reach), points(&function));
        let factors = channels.factors(LINES_A_UNIT, 1.0);
        channels.is_near(&factors, generic::Curve::Lines(&points), &function)
    }

    #[test]
    fn lines_are_taken_where_steps_are_large_beside_their_error_alone() {
        for activation in [Activation::Silu, Activation::Sigmoid] {
            assert!(are_near(1.0, |x| activation.apply(x)), "{activation:?}");
        }
        assert!(!are_near(0.001, |x| Activation::Silu.apply(x)));
        // Straight between places that are points: exact, however small steps are. Elsewhere a corner is cut.
        let straight = Activation::HardSigmoid { alpha: 0.2, beta: 0.5 };
        assert!(are_near(0.01, |x| straight.apply(x)));
        let cut = Activation::HardSigmoid { alpha: 0.17, beta: 0.493 };
        assert!(!are_near(0.01, |x| cut.apply(x)));
        assert!(!are_near(1.0, |x| 1.0 / x));
    }

    #[test]
    fn hard_swish_is_known_by_what_it_gives() {
        let near = |activation: Activation| {
            let channels = channels(1.0);
            let factors = channels.factors(1.0 / 6.0, 6.0);
            channels.is_near(&factors, generic::Curve::HardSwish, &|x| activation.apply(x))
        };
        assert!(near(Activation::HardSwish));
        assert!(!near(Activation::Silu));
    }
}
