//! The arithmetic of int8 nodes.
//!
//! [`generic`] is the written definition: plain loops, always compiled. Every other kernel equals
//! it bit for bit. Which one runs is decided by what the CPU has.

pub mod generic;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub mod x86_64;

use crate::backbone::{ChannelRecords, Window};
use generic::{Output, Tensor};

/// A convolution by the fastest kernel that this CPU runs; see [`generic::conv`].
pub fn conv(
    x: Tensor<'_>,
    window: &Window,
    groups: usize,
    weights: &[i8],
    channels: ChannelRecords<'_>,
    to: Output,
    out: &mut [i8],
) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if let Some(avx2) = x86_64::Avx2::new() {
        return avx2.conv(x, window, groups, weights, channels, to, out);
    }
    generic::conv(x, window, groups, weights, channels, to, out);
}

/// A convolution of each channel on its own by the fastest kernel that this CPU runs; see
/// [`generic::depthwise`].
pub fn depthwise(
    x: Tensor<'_>,
    window: &Window,
    weights: &[i8],
    channels: ChannelRecords<'_>,
    to: Output,
    out: &mut [i8],
) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if let Some(avx2) = x86_64::Avx2::new() {
        return avx2.depthwise(x, window, weights, channels, to, out);
    }
    generic::depthwise(x, window, weights, channels, to, out);
}
