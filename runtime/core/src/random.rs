//! The seeded generator.

/// A small seeded generator: PCG-XSH-RR 64/32 (O'Neill, 2014), the same numbers everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
    const INCREMENT: u64 = 1_442_695_040_888_963_407;

    /// Makes a generator; each seed has a sequence of its own.
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_add(Self::INCREMENT));
        random.next_u32();
        random
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        let state = self.0;
        self.0 = state.wrapping_mul(Self::MULTIPLIER).wrapping_add(Self::INCREMENT);
        ((((state >> 18) ^ state) >> 27) as u32).rotate_right((state >> 59) as u32)
    }

    /// A number below `bound` (0 if that is 0), uniform to 2⁻³² of `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// Puts `items` in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
            items.swap(last, self.below(bound) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_uniform_and_shuffles() {
        let mut random = Random::new(42);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[random.below(10) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
        let mut items: [u8; 20] = core::array::from_fn(|i| i as u8);
        random.shuffle(&mut items);
        let mut sorted = items;
        sorted.sort_unstable();
        assert_ne!(items, sorted);
        assert_eq!(sorted, core::array::from_fn(|i| i as u8));
    }
}
