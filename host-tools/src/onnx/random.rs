/// Words of the state.
const WORDS: usize = 624;

/// Distance of the words that are mixed.
const MIDDLE: usize = 397;

/// The Mersenne Twister MT19937 (M. Matsumoto and T. Nishimura, 1998) with the seeding of its authors'
/// 2002 version, which is what NumPy's `RandomState` of a single number uses.
pub(super) struct Twister {
    state: [u32; WORDS],
    next: usize,
}

impl Twister {
    /// The sequence of `seed`.
    pub(super) fn new(seed: u32) -> Self {
        let mut state = [seed; WORDS];
        for i in 1..WORDS {
            let before = state[i - 1];
            state[i] = (before ^ before >> 30).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { state, next: WORDS }
    }

    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            for i in 0..WORDS {
                let joined = self.state[i] & 1 << 31 | self.state[(i + 1) % WORDS] & !(1 << 31);
                let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + MIDDLE) % WORDS] ^ joined >> 1 ^ twist;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    /// The next number of 0 to below 1, in 53 bits of two words.
    pub(super) fn uniform(&mut self) -> f64 {
        let (high, low) = (self.word() >> 5, self.word() >> 6);
        (f64::from(high) * f64::from(1 << 26) + f64::from(low)) / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The first words and the 10,000th of the authors' default seed, as in the C++ standard.
        let mut twister = Twister::new(5489);
        assert_eq!(twister.word(), 3_499_211_612);
        assert_eq!(twister.word(), 581_869_302);
        let last = (2..10_000).map(|_| twister.word()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn uniform_numbers_are_numpys() {
        let mut twister = Twister::new(0);
        let found = [twister.uniform(), twister.uniform(), twister.uniform()];
        assert_eq!(
            found,
            [0.548_813_503_927_324_8, 0.715_189_366_372_419_5, 0.602_763_376_071_643_9]
        );
    }
}
