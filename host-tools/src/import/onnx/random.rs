use rand_mt::Mt;

/// The numbers that NumPy's `RandomState` gives for a seed of one number: the Mersenne Twister
/// MT19937, two words a number.
pub(super) struct Uniform(Mt);

impl Uniform {
    /// The sequence of `seed`.
    pub(super) fn new(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// The next number of 0 to below 1, in 53 bits of two words.
    pub(super) fn next(&mut self) -> f64 {
        let (high, low) = (self.0.next_u32() >> 5, self.0.next_u32() >> 6);
        (f64::from(high) * f64::from(1 << 26) + f64::from(low)) / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_numbers_are_numpys() {
        let mut uniform = Uniform::new(0);
        let found = [uniform.next(), uniform.next(), uniform.next()];
        assert_eq!(
            found,
            [0.548_813_503_927_324_8, 0.715_189_366_372_419_5, 0.602_763_376_071_643_9]
        );
    }
}
