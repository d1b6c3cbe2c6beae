//! The generic loops compiled for AVX2: the same integers from vectors twice as wide.
#![allow(unsafe_code, reason = "a function with a target feature is called after detecting it")]

use super::generic::{self, Output, Tensor};
use crate::backbone::{ChannelRecords, Window};

/// Proof that this CPU has AVX2.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// `None` on a CPU without AVX2. The answer is cached by the standard library.
    #[must_use]
    pub fn new() -> Option<Self> {
        std::is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// See [`generic::conv`].
    #[allow(clippy::too_many_arguments, reason = "the generic kernel's arguments and the token")]
    pub fn conv(
        self,
        x: Tensor<'_>,
        window: &Window,
        groups: usize,
        weights: &[i8],
        channels: ChannelRecords<'_>,
        to: Output,
        out: &mut [i8],
    ) {
        #[target_feature(enable = "avx2")]
        fn compiled(
            x: Tensor<'_>,
            window: &Window,
            groups: usize,
            weights: &[i8],
            channels: ChannelRecords<'_>,
            to: Output,
            out: &mut [i8],
        ) {
            generic::conv(x, window, groups, weights, channels, to, out);
        }
        // SAFETY: the token proves that the CPU has AVX2.
        unsafe { compiled(x, window, groups, weights, channels, to, out) }
    }

    /// See [`generic::depthwise`].
    pub fn depthwise(
        self,
        x: Tensor<'_>,
        window: &Window,
        weights: &[i8],
        channels: ChannelRecords<'_>,
        to: Output,
        out: &mut [i8],
    ) {
        #[target_feature(enable = "avx2")]
        fn compiled(
            x: Tensor<'_>,
            window: &Window,
            weights: &[i8],
            channels: ChannelRecords<'_>,
            to: Output,
            out: &mut [i8],
        ) {
            generic::depthwise(x, window, weights, channels, to, out);
        }
        // SAFETY: the token proves that the CPU has AVX2.
        unsafe { compiled(x, window, weights, channels, to, out) }
    }
}
