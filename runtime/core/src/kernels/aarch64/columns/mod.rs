//! Depthwise convolutions: blocks of 16 channels, tiles of four pixels of a row.

mod dotprod;
mod edge;
mod neon;

/// Channels of a block.
const CHANNELS: usize = 16;
/// Bytes of a block that hold biases and multipliers, before the weights.
const RECORDS: usize = 128;
/// Where in a block multipliers are, behind the biases.
const MULTIPLIERS: usize = 64;

/// Writes a block's biases and multipliers.
///
/// # Safety
/// `block` is writable for [`RECORDS`] bytes and aligned to 64.
unsafe fn prepare_records(records: &[[u8; 8]], block: *mut u8) {
    let (mut bias, mut multiplier) = ([0_i32; CHANNELS], [0.0_f32; CHANNELS]);
    for (channel, &[a, b, c, d, e, f, g, h]) in records.iter().enumerate() {
        bias[channel] = i32::from_le_bytes([a, b, c, d]);
        multiplier[channel] = f32::from_le_bytes([e, f, g, h]);
    }
    // SAFETY: the caller's.
    unsafe {
        block.cast::<[i32; CHANNELS]>().write(bias);
        block.add(MULTIPLIERS).cast::<[f32; CHANNELS]>().write(multiplier);
    }
}

/// A tap's weights, zero for channels that the block lacks.
///
/// # Safety
/// `weights` is readable for `channels` bytes.
unsafe fn tap(weights: *const i8, channels: usize) -> [i8; CHANNELS] {
    let mut row = [0; CHANNELS];
    // SAFETY: the caller's; no more than 16 bytes are copied.
    unsafe { row.as_mut_ptr().copy_from_nonoverlapping(weights, channels.min(CHANNELS)) };
    row
}
