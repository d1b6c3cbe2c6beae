//! Where a convolution's weights lie in the pack: one layout that every kernel reads as it is.
//!
//! The weights of an output channel are a row of `K` products, `[row][column][in / groups]`. Rows
//! stand side by side in blocks of [`BLOCK`] channels, four products of each in turn:
//!
//! ```text
//! group 0: block 0: products 0..4 of channels 0..16   64 bytes
//!                   products 4..8 of channels 0..16   64 bytes
//!                   …
//!          block 1: products 0..4 of channels 16..32
//!          …
//!          last block: as many channels as are left, rounded up to a multiple of 4
//! group 1: …
//! ```
//!
//! `K` is rounded up to a multiple of 4; what was added by rounding is zero. 64 bytes are one
//! AVX-512 register for `vpdpbusd`, four NEON registers for `sdot`, and 16 words of four products
//! for a Cortex-M's `smlad`. A depthwise convolution has no rows to lay out: its weights are
//! `[row][column][channel]`.

/// How many output channels stand in a block.
pub const BLOCK: usize = 16;

/// How many weights of a channel stand side by side.
pub const QUAD: usize = 4;

/// The layout of one group's weights: a row for each output channel, in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WeightRows {
    /// Output channels of the group.
    pub outputs: usize,
    /// Products of an output channel.
    pub products: usize,
}

impl WeightRows {
    /// Groups of four products, the last one filled up.
    #[must_use]
    pub const fn quads(self) -> usize {
        self.products.div_ceil(QUAD)
    }

    /// Bytes of one group; `None` past the address space.
    #[must_use]
    pub fn bytes(self) -> Option<usize> {
        let outputs = self.outputs.checked_next_multiple_of(QUAD)?;
        self.products.checked_next_multiple_of(QUAD)?.checked_mul(outputs)
    }

    /// Channels that block `block` has room for: [`BLOCK`], or what is left, rounded up to four.
    #[must_use]
    pub const fn width(self, block: usize) -> usize {
        let left = self.outputs.saturating_sub(block.saturating_mul(BLOCK));
        if left >= BLOCK { BLOCK } else { left.next_multiple_of(QUAD) }
    }

    /// Where product `product` of channel `output` lies.
    #[must_use]
    pub const fn index(self, output: usize, product: usize) -> usize {
        let block = output / BLOCK;
        let quad = product / QUAD * self.width(block) + output % BLOCK;
        block * BLOCK * self.quads() * QUAD + quad * QUAD + product % QUAD
    }

    /// Whether everything that rounding up added is zero. `weights` is one group.
    #[must_use]
    pub(crate) fn padding_is_zero(self, weights: &[i8]) -> bool {
        let zero = |output, product| weights.get(self.index(output, product)) == Some(&0);
        let all_outputs = self.outputs.next_multiple_of(QUAD);
        let all_products = self.products.next_multiple_of(QUAD);
        (0..all_outputs).all(|output| {
            let first = if output < self.outputs { self.products } else { 0 };
            (first..all_products).all(|product| zero(output, product))
        })
    }

    /// Rows `[output][product]` of one group as they lie in the pack.
    ///
    /// # Panics
    ///
    /// If there are fewer than `outputs · products` weights.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn arrange(self, rows: &[i8]) -> std::vec::Vec<i8> {
        let mut weights = std::vec![0; self.bytes().unwrap_or(0)];
        for (output, row) in rows.chunks_exact(self.products).take(self.outputs).enumerate() {
            for (product, &weight) in row.iter().enumerate() {
                weights[self.index(output, product)] = weight;
            }
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_a_place_of_its_own() {
        for (outputs, products) in [(1, 1), (16, 4), (17, 5), (24, 27), (40, 3), (47, 9)] {
            let rows = WeightRows { outputs, products };
            let places = (0..outputs).flat_map(|o| (0..products).map(move |p| rows.index(o, p)));
            let places: std::collections::BTreeSet<usize> = places.collect();
            assert_eq!(places.len(), outputs * products);
            assert!(places.last().copied() < rows.bytes());
        }
    }

    #[cfg(feature = "std")]
    #[test]
    fn what_rounding_adds_is_zero_and_seen_if_it_is_not() {
        let rows = WeightRows { outputs: 18, products: 5 };
        let mut weights = rows.arrange(&[1; 90]);
        assert_eq!(weights.iter().filter(|&&w| w == 1).count(), 90);
        assert!(rows.padding_is_zero(&weights));
        for index in 0..weights.len() {
            if weights[index] == 0 {
                weights[index] = 1;
                assert!(!rows.padding_is_zero(&weights), "byte {index}");
                weights[index] = 0;
            }
        }
    }
}
