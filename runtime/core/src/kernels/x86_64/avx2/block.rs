use core::arch::x86_64::*;

use super::requantise::Requantise;
use crate::kernels::tiles::Panel;
use crate::network::{BLOCK, QUAD};

/// A block of 16 output channels as two vectors of eight: what a product begins and ends with.
#[derive(Clone, Copy)]
pub(in crate::kernels::x86_64) struct Block {
    /// What sums begin with.
    pub(in crate::kernels::x86_64) bias: [__m256i; 2],
    /// The first quad's weights.
    pub(in crate::kernels::x86_64) weights: *const i8,
    /// Bytes of a quad's weights.
    pub(in crate::kernels::x86_64) step: usize,
    multiplier: [__m256; 2],
    /// The channels that the weights have room for.
    masks: [__m256i; 2],
    /// Channels in use.
    channels: usize,
    /// Where the panel's first pixel goes.
    out: *mut i8,
}

impl Block {
    /// Block `index` of a panel.
    ///
    /// # Safety
    /// The panel has such a block.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::kernels::x86_64) unsafe fn new(panel: &Panel<'_>, index: usize) -> Self {
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        let width = panel.width(index);
        let width_lanes = _mm256_set1_epi32(width as i32);
        // SAFETY: biases and multipliers of a whole panel are there; so are its weights and results.
        unsafe {
            let bias: *const __m256i = panel.bias.as_ptr().add(index * BLOCK).cast();
            let multiplier = panel.multiplier.as_ptr().add(index * BLOCK);
            let before = index * panel.runs * panel.quads * BLOCK * QUAD;
            Self {
                bias: [_mm256_loadu_si256(bias), _mm256_loadu_si256(bias.add(1))],
                weights: panel.weights.as_ptr().add(before),
                step: width * QUAD,
                multiplier: [_mm256_loadu_ps(multiplier), _mm256_loadu_ps(multiplier.add(8))],
                masks: [
                    _mm256_cmpgt_epi32(width_lanes, lanes),
                    _mm256_cmpgt_epi32(width_lanes, _mm256_add_epi32(lanes, _mm256_set1_epi32(8))),
                ],
                channels: (panel.channels - index * BLOCK).min(BLOCK),
                out: panel.out.add(index * BLOCK),
            }
        }
    }

    /// The weights of the quad at `at`. `FULL` says that there are 16 channels.
    ///
    /// # Safety
    /// `at` is readable for a quad.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::kernels::x86_64) unsafe fn quad<const FULL: bool>(
        &self,
        at: *const i8,
    ) -> [__m256i; 2] {
        let at = [at, at.wrapping_add(32)];
        // SAFETY: a full quad has 64 bytes; in another one the mask keeps the loads within it.
        unsafe {
            if FULL {
                at.map(|at| _mm256_loadu_si256(at.cast()))
            } else {
                [
                    _mm256_maskload_epi32(at[0].cast(), self.masks[0]),
                    _mm256_maskload_epi32(at[1].cast(), self.masks[1]),
                ]
            }
        }
    }

    /// Requantises the sums of pixel `first` of the panel, and of the next one where `second` has
    /// some, and stores them.
    ///
    /// # Safety
    /// The panel has these pixels.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::kernels::x86_64) unsafe fn finish(
        &self,
        panel: &Panel<'_>,
        first: usize,
        sums: [__m256i; 2],
        second: Option<[__m256i; 2]>,
    ) {
        let [c, d] = second.unwrap_or(sums);
        let [low, high] = self.multiplier;
        let requantise = Requantise::new(panel.to);
        let results = requantise.in_order([sums[0], sums[1], c, d], [low, high, low, high]);
        // SAFETY: the stores keep to the block's channels.
        unsafe {
            let out = self.out.add(first * panel.out_stride);
            super::store(_mm256_castsi256_si128(results), self.channels, out);
            if second.is_some() {
                let results = _mm256_extracti128_si256::<1>(results);
                super::store(results, self.channels, out.add(panel.out_stride));
            }
        }
    }
}
