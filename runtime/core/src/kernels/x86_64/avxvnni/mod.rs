//! AVX-VNNI: `vpdpbusd` on vectors of 32 bytes, on CPUs without AVX-512.
//!
//! As with [`avx512vnni`](super::avx512vnni), inputs are offset by 128, and every bias has
//! `128 · Σ w` taken off. What multiplies nothing is what AVX2 has.
#![allow(unsafe_code, reason = "functions with target features, loads and stores")]

mod columns;
mod tile;

use super::Avx2;
use crate::kernels::columns as depthwise;
use crate::kernels::generic::{Convolution, Output, Term};
use crate::kernels::tiles;
use crate::kernels::work::Work;

/// Proof that this CPU has AVX2 and AVX-VNNI.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct AvxVnni(Avx2);

impl AvxVnni {
    /// `None` on a CPU without them. The answer is cached by the standard library.
    pub(in crate::kernels) fn new() -> Option<Self> {
        let avx2 = Avx2::new()?;
        std::is_x86_feature_detected!("avxvnni").then_some(Self(avx2))
    }

    /// Runs portable loops compiled for AVX2.
    pub(in crate::kernels) fn apply(self, work: impl Work) {
        self.0.apply(work);
    }

    pub(in crate::kernels) fn conv(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        tiles::conv(self, c, first, out);
    }

    pub(in crate::kernels) fn add(self, a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
        self.0.add(a, b, to, out);
    }

    pub(in crate::kernels) fn depthwise(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        depthwise::depthwise(self, c, first, out);
    }
}
