//! The noise of a tensor: what its integers lack of its real numbers.

use headstart::network::Value;

use super::cosines::between;
use super::int8::real;
use crate::quantise::lowered::View;

/// Sums that measure one tensor's noise: squares and products of its float elements `r` and int8 elements `q`, a channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise {
    /// `[Σ r², Σ q², Σ r·q]` of each channel.
    sums: Vec<[f64; 3]>,
    /// Whether equalisation gave each channel a factor of its own.
    equalised: bool,
}

impl Noise {
    pub(super) fn merge(&mut self, other: &Self) {
        self.equalised = other.equalised;
        self.sums.resize(self.sums.len().max(other.sums.len()), [0.0; 3]);
        for (a, b) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
            *a += b;
        }
    }

    /// The squares of what the integers lack, a channel. Factors of an equalised tensor's channels are taken out as for
    /// [`decibels`](Self::decibels).
    fn of_channels(&self) -> impl Iterator<Item = f64> {
        let of = |&[rr, qq, rq]: &[f64; 3]| {
            if self.equalised && qq > 0.0 { rr - rq * rq / qq } else { rr - 2.0 * rq + qq }
        };
        self.sums.iter().map(of)
    }

    /// `[noise, signal]`: the squares of what the integers lack, and of the real numbers.
    #[must_use]
    pub fn squares(&self) -> [f64; 2] {
        [self.of_channels().sum::<f64>().max(0.0), self.sums.iter().map(|sums| sums[0]).sum()]
    }

    /// The part of a channel that is noise, 0…1, the mean over all channels that say anything: small channels count as large ones do, since
    /// what reads them may need them as much. `None` for a tensor of zeros.
    #[must_use]
    pub fn lost(&self) -> Option<f64> {
        let signals = self.sums.iter().map(|sums| sums[0]);
        let each = self.of_channels().zip(signals).filter(|&(_, signal)| signal > 0.0);
        let lost: Vec<f64> = each.map(|(noise, signal)| (noise / signal).clamp(0.0, 1.0)).collect();
        (!lost.is_empty()).then(|| lost.iter().sum::<f64>() / lost.len() as f64)
    }

    /// Signal-to-noise ratio in decibels. An equalised tensor carries a factor a channel that the
    /// next layer takes back; the best one is taken out before the noise is measured. `None` for a float tensor that is zero
    /// everywhere: there is no signal.
    #[must_use]
    pub fn decibels(&self) -> Option<f64> {
        let [noise, signal] = self.squares();
        (signal > 0.0).then(|| 10.0 * (signal / noise.max(f64::MIN_POSITIVE)).log10())
    }

    /// Cosine of the angle between the elements of both, over all samples; factors of an equalised tensor's
    /// channels are taken out as for [`decibels`](Self::decibels). `None` where both are zero everywhere: nothing is compared.
    #[must_use]
    pub fn cosine(&self) -> Option<f64> {
        let [mut rr, mut qq, mut rq] = [0.0; 3];
        for &[real, quantised, both] in &self.sums {
            let factor = if self.equalised && quantised > 0.0 { both / quantised } else { 1.0 };
            rr += real;
            qq += factor * factor * quantised;
            rq += factor * both;
        }
        between(rr, qq, rq)
    }
}

/// Places of a channel that are compared before the next channel's: what both tensors have of them stays in the first cache.
const PLACES: usize = 64;

/// Compares a graph tensor with the int8 one, through the view, channel by channel: the first axis is that of the channels.
pub(in crate::quantise) fn compare_tensor(
    view: &View,
    value: &Value,
    stored: &[i8],
    data: &[f32],
    equalised: bool,
) -> Noise {
    let (channels, step) = match (view.dims.first(), view.strides.first()) {
        (Some(&channels), Some(&step)) if channels > 0 => (channels, step),
        _ => (1, 0),
    };
    let reals: Vec<f64> = (i8::MIN..=i8::MAX).map(|q| real(value, q)).collect();
    let places = places(view);
    let mut sums = vec![[0.0; 3]; channels];
    let mut first = 0;
    for part in places.chunks(PLACES) {
        for (channel, sums) in sums.iter_mut().enumerate() {
            let Some(own) = data.get(channel * places.len() + first..) else { break };
            let mut found = [0.0; 3];
            for (&element, &place) in own.iter().zip(part) {
                let Some(&q) = stored.get(channel * step + place) else { continue };
                let (real, quantised) = (f64::from(element), reals[(i16::from(q) + 128) as usize]);
                found[0] += real * real;
                found[1] += quantised * quantised;
                found[2] += real * quantised;
            }
            sums.iter_mut().zip(found).for_each(|(sum, part)| *sum += part);
        }
        first += part.len();
    }
    Noise { sums, equalised }
}

/// Where the elements of the first channel lie, in the order of the graph's tensor.
fn places(view: &View) -> Vec<usize> {
    let mut places = vec![0];
    for (&extent, &stride) in view.dims.iter().zip(&view.strides).skip(1) {
        places = places.iter().flat_map(|&at| (0..extent).map(move |i| at + i * stride)).collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_of_zeros_has_neither_cosine_nor_noise() {
        let zero = Noise { sums: vec![[0.0; 3]], equalised: false };
        assert_eq!((zero.cosine(), zero.decibels(), zero.lost()), (None, None, None));
    }

    #[test]
    fn a_tensor_is_compared_through_its_view() {
        let value = Value {
            offset: 0,
            height: 1,
            width: 2,
            channels: 2,
            scale: 0.5,
            zero_point: 1,
            kept_rows: 0,
        };
        let view = View::contiguous(0, vec![2, 1, 2], &[1, 2, 0]);
        // Stored pixel by pixel: channels (a0, b0), (a1, b1).
        let compare = |equalised| {
            compare_tensor(&view, &value, &[3, 5, 7, 9], &[1.0, 3.0, 2.0, 5.0], equalised)
        };
        let noise = compare(false);
        // Found: channel a 1, 3 and channel b 2, 4.
        assert_eq!(noise.sums, [[10.0, 10.0, 10.0], [29.0, 20.0, 24.0]]);
        assert!((noise.lost().unwrap() - 0.5 / 29.0).abs() < 1e-9);
        assert!((noise.decibels().unwrap() - 10.0 * (39.0_f64).log10()).abs() < 1e-9);
        assert!((noise.cosine().unwrap() - 34.0 / (39.0_f64 * 30.0).sqrt()).abs() < 1e-9);
        let noise = compare(true);
        assert_eq!(noise.sums, [[10.0, 10.0, 10.0], [29.0, 20.0, 24.0]]);
        assert!(noise.decibels().unwrap() > 20.0);
        // A factor of 24/20 makes the second channel 2.4, 4.8; the first is right as it is.
        assert!((noise.cosine().unwrap() - (38.8_f64 / 39.0).sqrt()).abs() < 1e-9);
    }
}
