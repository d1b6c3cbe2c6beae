//! Gain control (PCAN): a channel's value is divided by a power of its noise, which a table approximates by parabolas.
//!
//! Wang, Getreuer, Hughes, Lyon, Saurous: Trainable frontend for robust and far-field keyword spotting (2017).

use super::{Gain, Settings};
use crate::front::exact;

/// Bits of the ratio of signal and noise behind the binary point.
pub(super) const SNR_BITS: u32 = 12;
/// The same of what comes out.
const OUT_BITS: u32 = 6;
/// Entries of the table: gains of noise 0 and 1, then four for each power of two, of which the last is not used.
pub(super) const TABLE: usize = 2 + 4 * 31;

/// The gain at a noise estimate, at most 32767.
fn gain(gain: &Gain, input_bits: u32, estimate: u32) -> i16 {
    let noise = estimate as f32 / (1_u32 << input_bits) as f32;
    let power = exact::exp(-f64::from(gain.strength) * exact::ln((noise + gain.offset).into()));
    let scaled = (1_u32 << gain.gain_bits) as f32 * power as f32;
    if scaled > 32767.0 { 32767 } else { (scaled + 0.5) as i16 }
}

pub(super) fn fill(settings: &Settings, control: &Gain, table: &mut [i16]) {
    let bits = (settings.smoothing_bits() - settings.correction_bits()) as u32;
    let at = |estimate| gain(control, bits, estimate);
    table[0] = at(0);
    table[1] = at(1);
    for (interval, entry) in table[2..].as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let start = 2_u32 << interval;
        let end = start.saturating_mul(2);
        let [first, middle, last] = [start, start + start / 2, end].map(|x| i32::from(at(x)));
        let slope = 4 * (middle - first) - (last - first);
        *entry = [first as i16, slope as i16, (last - first - slope) as i16, 0];
    }
}

/// The gain that the table has for a noise estimate.
fn look_up(table: &[i16], estimate: u32) -> i16 {
    if estimate < 2 {
        return table[estimate as usize];
    }
    let interval = 31 - estimate.leading_zeros();
    let entry = &table[2 + 4 * (interval as usize - 1)..][..4];
    let part =
        if interval < 10 { estimate << (10 - interval) } else { estimate >> (interval - 10) };
    let part = (part & 0x3ff) as i32;
    let slope = (i32::from(entry[2]) * part) >> 5;
    let sum = slope.wrapping_add(i32::from(entry[1]) << 5).wrapping_mul(part);
    (sum.wrapping_add(1 << 14) >> 15).wrapping_add(entry[0].into()) as i16
}

/// Squares small ratios and takes 1 from large ones, which makes noise quieter.
fn shrink(ratio: u32) -> u32 {
    if ratio < 2 << SNR_BITS {
        (ratio * ratio) >> (2 + 2 * SNR_BITS - OUT_BITS)
    } else {
        (ratio >> (SNR_BITS - OUT_BITS)) - (1 << OUT_BITS)
    }
}

/// Evens out the signal against the noise estimates; `shift` takes the gain's bits off.
pub(super) fn apply(table: &[i16], shift: u32, estimates: &[u32], signal: &mut [u32]) {
    for (value, &estimate) in signal.iter_mut().zip(estimates) {
        // A negative gain, which only settings far from any use give, wraps as in C.
        let gain = look_up(table, estimate) as u32;
        *value = shrink(((u64::from(*value).wrapping_mul(gain.into())) >> shift) as u32);
    }
}
