//! WebAssembly with its fixed-width vectors (`simd128`): `i32x4.dot_i16x8_s` multiplies eight pairs of int16 and adds each two of them.
//!
//! The relaxed instructions would multiply bytes, but their results differ between CPUs. A dword of four bytes is widened as its even and its
//! odd bytes, by shifts, as AVX2's kernels do.
#![allow(unsafe_code, reason = "loads and stores")]

mod add;
mod columns;
mod linear;
mod requantise;
mod tile;

use crate::kernels::columns as depthwise;
use crate::kernels::generic::{Convolution, Output, Term};
use crate::kernels::tiles;
use crate::kernels::work::{Instructions, STEP, Step, Work};

/// Proof that the module has vectors: it is compiled with them, and no engine loads it without.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Simd128(());

impl Instructions for Simd128 {
    #[inline(always)]
    fn round(self, reals: &Step, to: &Output) -> [i8; STEP] {
        requantise::step(reals, to)
    }
}

impl Simd128 {
    pub(in crate::kernels) fn new() -> Option<Self> {
        Some(Self(()))
    }

    /// Runs loops: all code here is compiled for vectors.
    pub(in crate::kernels) fn apply(self, work: impl Work) {
        work.run(self);
    }

    pub(in crate::kernels) fn conv(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        tiles::conv(self, c, first, out);
    }

    pub(in crate::kernels) fn depthwise(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        depthwise::depthwise(self, c, first, out);
    }

    pub(in crate::kernels) fn add(self, a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
        add::add(a, b, to, out);
    }

    /// See [`linear::dots`](crate::kernels::linear::dots).
    pub(in crate::kernels) fn dots(self, rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
        linear::dots(rows, x)
    }
}
