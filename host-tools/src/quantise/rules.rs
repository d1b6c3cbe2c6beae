//! What calibration may choose: how ranges are found, whether channels have scales of their own, whether means are corrected.

use std::fmt;

/// How the range of a tensor follows from what samples showed of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RangeRule {
    /// The range of the least squared error: what lies outside is clipped where that costs less than wider steps would.
    #[default]
    LeastError,
    /// Everything that was seen.
    Extremes,
    /// All but one value in ten thousand at each end.
    Percentile,
}

/// One setting of everything that calibration may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How the range of a tensor is found.
    pub ranges: RangeRule,
    /// Whether channels have scales of their own where the nodes around can hold them.
    pub channel_scales: bool,
    /// Whether biases take back what rounding the weights does to the mean of each output.
    pub bias_correction: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { ranges: RangeRule::LeastError, channel_scales: true, bias_correction: true }
    }
}

impl Rules {
    /// Other settings of one choice, the others as they are; a list for each choice, in the order in which they are tried.
    #[must_use]
    pub fn variants(self) -> [Vec<Self>; 3] {
        let all = [RangeRule::LeastError, RangeRule::Extremes, RangeRule::Percentile];
        let ranges = all.into_iter().filter(|&ranges| ranges != self.ranges);
        [
            ranges.map(|ranges| Self { ranges, ..self }).collect(),
            vec![Self { channel_scales: !self.channel_scales, ..self }],
            vec![Self { bias_correction: !self.bias_correction, ..self }],
        ]
    }
}

impl fmt::Display for RangeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeastError => "least squared error over 2048 bins",
            Self::Extremes => "all that was seen",
            Self::Percentile => "all but 0.01 % at each end",
        })
    }
}

/// As packs record it.
impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scales = match self.channel_scales {
            true => "per channel where weights or tables hold the scales",
            false => "per tensor",
        };
        write!(
            f,
            "weights per channel, symmetric, least squared error; activations {scales}, asymmetric, {}; {}",
            self.ranges,
            if self.bias_correction { "bias correction" } else { "no bias correction" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_changes_one_choice() {
        let usual = Rules::default();
        let variants = usual.variants().concat();
        assert_eq!(variants.len(), 4);
        for variant in variants {
            let changed = [
                variant.ranges != usual.ranges,
                variant.channel_scales != usual.channel_scales,
                variant.bias_correction != usual.bias_correction,
            ];
            assert_eq!(changed.into_iter().filter(|&changed| changed).count(), 1);
            assert_ne!(variant.to_string(), usual.to_string());
        }
    }
}
