use super::Quantisation;
use crate::quantise::rules::RangeRule;

const BINS: usize = 2048;

/// Bytes of a histogram that has counted something.
pub const HISTOGRAM_BYTES: usize = 8 * BINS;

/// Steps of the search for a range: each end is tried at that many fractions of its extreme.
const STEPS: u32 = 48;

/// The part of all values that [`RangeRule::Percentile`] leaves out at each end.
const TAIL: f64 = 1e-4;

/// Counts of the values that a tensor took, over all calibration samples.
#[derive(Clone, Debug)]
pub struct Histogram {
    low: f32,
    high: f32,
    /// Empty until something is counted: most values of a graph are constants.
    counts: Vec<u64>,
}

impl Histogram {
    /// An empty histogram over `[low, high]`, widened to hold 0.
    #[must_use]
    pub fn new(low: f32, high: f32) -> Self {
        Self { low: low.min(0.0), high: high.max(0.0), counts: Vec::new() }
    }

    /// Counts values divided by `scale`; those outside the range count at its ends.
    pub fn add(&mut self, values: &[f32], scale: f32) {
        if self.counts.is_empty() && !values.is_empty() {
            self.counts = vec![0; BINS];
        }
        let factor = BINS as f32 / (self.high - self.low).max(f32::MIN_POSITIVE);
        let inverse = 1.0 / scale;
        let (low, most) = (self.low, (BINS - 1) as f32);
        // Of a known length, so that no bin has to be checked again.
        let Some(counts) = self.counts.first_chunk_mut::<BINS>() else { return };
        for &value in values {
            let bin = ((value * inverse - low) * factor).max(0.0).min(most) as u16;
            counts[usize::from(bin) % BINS] += 1;
        }
    }

    /// Adds the counts of another histogram over the same range.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.counts.clone_from(&other.counts);
        } else {
            self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        }
    }

    /// The quantisation that this rule gives.
    #[must_use]
    pub fn quantisation(&self, rule: RangeRule) -> Quantisation {
        match rule {
            RangeRule::LeastError => self.of_least_error(),
            RangeRule::Extremes => Quantisation::of_range(self.low, self.high),
            RangeRule::Percentile => self.without_tails(),
        }
    }

    /// The quantisation of all values but the outermost [`TAIL`] at each end.
    fn without_tails(&self) -> Quantisation {
        let all: u64 = self.counts.iter().sum();
        let most = (all as f64 * TAIL) as u64;
        let (below, above) =
            (within(self.counts.iter(), most), within(self.counts.iter().rev(), most));
        let width = (self.high - self.low) / BINS as f32;
        Quantisation::of_range(self.low + width * below as f32, self.high - width * above as f32)
    }

    /// The quantisation of least mean squared error, found over pairs of ends (coordinate descent
    /// from the extremes). Zeros cost nothing in any of them and do not count.
    fn of_least_error(&self) -> Quantisation {
        let (mut low, mut high) = (self.low, self.high);
        let mut best = self.squared_error(low, high);
        for _ in 0..3 {
            let before = best;
            for step in 1..=STEPS {
                let fraction = step as f32 / STEPS as f32;
                let candidates = [(self.low * fraction, high), (low, self.high * fraction)];
                for (l, h) in candidates {
                    let error = self.squared_error(l, h);
                    if error < best {
                        (best, low, high) = (error, l, h);
                    }
                }
            }
            if best >= before {
                break;
            }
        }
        Quantisation::of_range(low, high)
    }

    /// Sum of squared errors if `[low, high]` is quantised to 256 steps: a twelfth of a squared
    /// step for what lies inside (uniform rounding error), the squared distance to the end for
    /// what is clipped.
    fn squared_error(&self, low: f32, high: f32) -> f64 {
        let width = f64::from(self.high - self.low) / BINS as f64;
        let (low, high) = (f64::from(low), f64::from(high));
        let rounding = ((high - low) / 255.0).powi(2) / 12.0;
        let zero_bin = (f64::from(-self.low) / width.max(f64::MIN_POSITIVE)) as usize;
        let counted = self.counts.iter().enumerate().filter(|&(bin, &n)| n > 0 && bin != zero_bin);
        counted
            .map(|(bin, &count)| {
                let centre = f64::from(self.low) + (bin as f64 + 0.5) * width;
                let clipped = (low - centre).max(centre - high).max(0.0);
                count as f64 * (rounding + clipped * clipped)
            })
            .sum()
    }
}

/// How many of the first counts come to no more than `most` together.
fn within<'a>(counts: impl Iterator<Item = &'a u64>, most: u64) -> usize {
    let sums = counts.scan(0_u64, |sum, &count| {
        *sum += count;
        Some(*sum)
    });
    sums.take_while(|&sum| sum <= most).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_among_many_values_is_clipped() {
        let mut histogram = Histogram::new(-1.0, 100.0);
        let bulk: Vec<f32> = (0..1_000_000).map(|i| (i % 2001) as f32 / 1000.0 - 1.0).collect();
        histogram.add(&bulk, 1.0);
        histogram.add(&[100.0], 1.0);
        let quantisation = histogram.quantisation(RangeRule::LeastError);
        assert!(quantisation.scale < 50.0 / 255.0, "{quantisation:?}");
        assert!(quantisation.real(-128) <= -0.95, "{quantisation:?}");
    }

    #[test]
    fn values_past_the_ends_count_there_and_what_is_no_number_at_the_lower_one() {
        let mut histogram = Histogram::new(-1.0, 1.0);
        histogram.add(&[-9.0, f32::NEG_INFINITY, f32::NAN, 2.0, f32::INFINITY, 0.0], 1.0);
        let count = |bin: usize| histogram.counts[bin];
        assert_eq!([count(0), count(BINS / 2), count(BINS - 1)], [3, 1, 2]);
        assert_eq!(histogram.counts.iter().sum::<u64>(), 6);
    }

    #[test]
    fn tails_are_left_out_at_both_ends() {
        let mut histogram = Histogram::new(-100.0, 50.0);
        histogram.add(&vec![-1.0; 500_000], 1.0);
        histogram.add(&vec![1.0; 500_000], 1.0);
        histogram.add(&[-100.0, 50.0], 1.0);
        let found = histogram.quantisation(RangeRule::Percentile);
        assert!((found.real(-128) + 1.0).abs() < 0.1, "{found:?}");
        assert!((found.real(127) - 1.0).abs() < 0.1, "{found:?}");
        let all = histogram.quantisation(RangeRule::Extremes);
        assert_eq!(all, Quantisation::of_range(-100.0, 50.0));
        let nothing = Histogram::new(0.0, 0.0).quantisation(RangeRule::Percentile);
        assert_eq!(nothing, Quantisation::of_range(0.0, 0.0));
    }

    #[test]
    fn evenly_spread_values_keep_their_extremes() {
        let mut histogram = Histogram::new(0.0, 6.0);
        histogram.add(&(0..=6000).map(|i| i as f32 / 1000.0).collect::<Vec<_>>(), 1.0);
        let quantisation = histogram.quantisation(RangeRule::LeastError);
        assert_eq!(quantisation, Quantisation::of_range(0.0, 6.0));
    }
}
