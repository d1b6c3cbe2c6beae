//! A small seeded generator of random numbers.

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): the same
/// numbers from the same seed on every machine, which is all that a picture needs.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts the sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Starts a sequence that belongs to a place in a table, such as (class, picture).
    pub fn keyed(seed: u64, row: u64, column: u64) -> Self {
        let mut random = Self::new(seed);
        for key in [row, column] {
            random.state = random.next_u64() ^ key;
        }
        random
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of [`low`, `high`), from 24 bits.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.next_u64() >> 40) as f32 / (1u32 << 24) as f32;
        low + unit * (high - low)
    }

    /// One of `0..count`. The bias of the remainder is below 1e-9 for the counts used here.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next_u64() % count as u64) as usize
    }

    /// A bell-shaped number with standard deviation 1: the sum of four uniform ones, so that no
    /// logarithm of some platform's own making is involved.
    pub fn bell(&mut self) -> f32 {
        let sum: f32 = (0..4).map(|_| self.between(-0.5, 0.5)).sum();
        sum * libm::sqrtf(3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_sequence() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bell_has_unit_deviation() {
        let mut random = Random::new(1);
        let square: f32 = (0..10_000).map(|_| random.bell().powi(2)).sum();
        assert!((square / 10_000.0 - 1.0).abs() < 0.05, "{square}");
    }
}
