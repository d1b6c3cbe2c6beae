//! The filter bank: triangles that overlap by half, even on the mel scale, with weights of 12 bits.

use super::Settings;
use crate::Error;
use crate::front::exact;

/// Bits of a weight.
pub(super) const WEIGHT_BITS: u32 = 12;

/// 1127 ln(1 + hz / 700), in float32 as written here.
fn mel(hz: f32) -> f32 {
    1127.0 * libm::log1pf(hz / 700.0)
}

/// Where a bank's triangles lie. There is one more of them than channels: the first only falls.
#[derive(Clone, Copy)]
pub(super) struct Bands {
    triangles: usize,
    lowest: f32,
    spacing: f32,
    hz_per_bin: f32,
    /// The first frequency of the transform that is used.
    pub(super) first: usize,
}

impl Bands {
    pub(super) fn new(settings: &Settings) -> Self {
        let triangles = usize::from(settings.channels) + 1;
        let lowest = mel(settings.lower_hz);
        let bins = settings.transform() / 2;
        let hz_per_bin = 0.5 * settings.sample_rate as f32 / bins as f32;
        Self {
            triangles,
            lowest,
            spacing: (mel(settings.upper_hz) - lowest) / triangles as f32,
            hz_per_bin,
            first: (1.5 + settings.lower_hz / hz_per_bin) as usize,
        }
    }

    /// The upper end of a triangle's rise, in mel.
    fn centre(&self, triangle: usize) -> f32 {
        self.lowest + self.spacing * (triangle + 1) as f32
    }

    fn mel(&self, bin: usize) -> f32 {
        mel(bin as f32 * self.hz_per_bin)
    }

    /// Calls `put` with each triangle and the frequencies, from the first to before the second number, that lie between the
    /// centre before it and its own.
    fn each(&self, bins: usize, mut put: impl FnMut(usize, usize, usize)) -> Result<(), Error> {
        let mut start = self.first;
        for triangle in 0..self.triangles {
            let centre = self.centre(triangle);
            let mut end = start;
            while self.mel(end) <= centre {
                end += 1;
                if end > bins {
                    return Err(Error::FrontBands);
                }
            }
            put(triangle, start, end);
            start = end;
        }
        Ok(())
    }

    /// The number of frequencies that are used.
    ///
    /// # Errors
    ///
    /// [`Error::FrontBands`] if they reach half the sample rate.
    pub(super) fn used(&self, bins: usize) -> Result<usize, Error> {
        let mut last = self.first;
        self.each(bins, |_, _, end| last = end)?;
        Ok(last - self.first)
    }

    /// Fills in where each triangle ends and the weights of each frequency: in the channel whose triangle rises there, and in the
    /// one whose triangle falls.
    pub(super) fn fill(
        &self,
        bins: usize,
        ends: &mut [u16],
        weights: &mut [[i16; 2]],
    ) -> Result<(), Error> {
        self.each(bins, |triangle, start, end| {
            ends[triangle] = end as u16;
            let centre = self.centre(triangle);
            let before = if triangle == 0 { self.lowest } else { self.centre(triangle - 1) };
            for bin in start..end {
                let weight = (centre - self.mel(bin)) / (centre - before);
                weights[bin - self.first] = [quantise(weight), quantise(1.0 - weight)];
            }
        })
    }
}

fn quantise(weight: f32) -> i16 {
    exact::floor(f64::from(weight * (1 << WEIGHT_BITS) as f32 + 0.5)) as i16
}

/// The magnitude of each channel: the square root of the weighted energies, without the last `shift` bits.
pub(super) fn apply(
    first: usize,
    ends: &[u16],
    weights: &[[i16; 2]],
    energies: &[u32],
    shift: u32,
    signal: &mut [u32],
) {
    let (mut start, mut carried) = (first, 0_i64);
    for (triangle, &end) in ends.iter().enumerate() {
        let end = usize::from(end);
        let (mut sum, mut next) = (carried, 0_i64);
        let used = energies[start..end].iter().zip(&weights[start - first..end - first]);
        for (&energy, &[here, there]) in used {
            // Wraps as the reference's unsigned sums do.
            let energy = i64::from(energy as i32);
            sum = sum.wrapping_add(energy * i64::from(here));
            next = next.wrapping_add(energy * i64::from(there));
        }
        // The first triangle belongs to no channel.
        if let Some(channel) = triangle.checked_sub(1) {
            signal[channel] = root(sum as u64) >> shift;
        }
        (start, carried) = (end, next);
    }
}

/// The square root, rounded; below 2³² at most 65535.
fn root(number: u64) -> u32 {
    match u32::try_from(number) {
        Ok(number) => root_of_word(number),
        Err(_) => {
            let floor = number.isqrt();
            let up = number - floor * floor > floor && floor != u64::from(u32::MAX);
            (floor + u64::from(up)) as u32
        }
    }
}

fn root_of_word(number: u32) -> u32 {
    let floor = number.isqrt();
    let up = number - floor * floor > floor && floor != u32::from(u16::MAX);
    floor + u32::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_rounded_to_the_nearest() {
        for number in (0..200_000_u64).chain((1..64).flat_map(|bit| (1 << bit) - 2..(1 << bit) + 3))
        {
            let exact = libm::sqrt(number as f64);
            let limit = if number >> 32 == 0 { 65535.0 } else { 4294967295.0 };
            assert_eq!(f64::from(root(number)), libm::round(exact).min(limit), "{number}");
        }
    }
}
