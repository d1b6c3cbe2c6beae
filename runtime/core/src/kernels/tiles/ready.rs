//! Biases and multipliers as the inner loops read them.

use core::mem::MaybeUninit;

use super::{PANEL, Tile};
use crate::network::{BLOCK, WeightRows};

/// Output channels whose biases are made ready together.
pub(super) const CHUNK: usize = 1024;

/// Biases and multipliers of up to [`CHUNK`] channels.
pub(super) struct Ready {
    bias: [MaybeUninit<[i32; BLOCK]>; CHUNK / BLOCK],
    multiplier: [MaybeUninit<[f32; BLOCK]>; CHUNK / BLOCK],
}

impl Ready {
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            bias: [const { MaybeUninit::uninit() }; CHUNK / BLOCK],
            multiplier: [const { MaybeUninit::uninit() }; CHUNK / BLOCK],
        }
    }

    /// Makes channels ready, whole panels of them: there are zeros behind the last one. `stride` is
    /// the bytes of a channel's weights.
    pub(super) fn fill<T: Tile>(
        &mut self,
        isa: T,
        records: &[[u8; 8]],
        weights: &[i8],
        stride: usize,
    ) -> (&[i32], &[f32]) {
        let blocks = WeightRows { outputs: records.len(), products: stride };
        let whole = records.len().next_multiple_of(PANEL) / BLOCK;
        let (bias, multiplier) = (&mut self.bias[..whole], &mut self.multiplier[..whole]);
        for (block, (bias, multiplier)) in bias.iter_mut().zip(&mut *multiplier).enumerate() {
            let (bias, multiplier) = (bias.write([0; BLOCK]), multiplier.write([0.0; BLOCK]));
            let width = blocks.width(block);
            if width > 0 {
                let records = &records[block * BLOCK..];
                let records = &records[..records.len().min(BLOCK)];
                let weights = &weights[block * BLOCK * stride..][..width * stride];
                isa.ready_block(records, weights, width, bias, multiplier);
            }
        }
        // SAFETY: the loop wrote all of both.
        let (bias, multiplier): (&[[i32; BLOCK]], &[[f32; BLOCK]]) = unsafe {
            (
                core::slice::from_raw_parts(bias.as_ptr().cast(), whole),
                core::slice::from_raw_parts(multiplier.as_ptr().cast(), whole),
            )
        };
        (bias.as_flattened(), multiplier.as_flattened())
    }
}

/// Reads biases and multipliers, one channel after another.
pub(in crate::kernels) fn read_records(
    records: &[[u8; 8]],
    bias: &mut [i32; BLOCK],
    multiplier: &mut [f32; BLOCK],
) {
    for (record, (bias, multiplier)) in records.iter().zip(bias.iter_mut().zip(multiplier)) {
        let [a, b, c, d, e, f, g, h] = *record;
        *bias = i32::from_le_bytes([a, b, c, d]);
        *multiplier = f32::from_le_bytes([e, f, g, h]);
    }
}
