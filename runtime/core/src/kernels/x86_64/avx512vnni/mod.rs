//! AVX-512 with VNNI: `vpdpbusd` multiplies 64 pairs and adds each four of them at once.
//!
//! It takes unsigned bytes on one side: inputs are offset by 128 there, and every bias has
//! `128 · Σ w` taken off.
#![allow(unsafe_code, reason = "functions with target features, loads and stores")]

mod add;
mod columns;
mod requantise;
mod squares;
mod tile;

use crate::kernels::columns as depthwise;
use crate::kernels::generic::{Convolution, Output, Table, Term};
use crate::kernels::squares::{Line, Pairs, SIDE, Square};
use crate::kernels::tiles;
use crate::kernels::work::{Instructions, Work};
use crate::kernels::x86_64::avx2::table;

/// Proof that this CPU has AVX-512 F, BW, VL and VNNI.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Avx512Vnni(());

impl Avx512Vnni {
    /// `None` on a CPU without them. The answer is cached by the standard library.
    pub(in crate::kernels) fn new() -> Option<Self> {
        let found = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512vl")
            && std::is_x86_feature_detected!("avx512vnni");
        found.then_some(Self(()))
    }

    /// Runs portable loops compiled for this instruction set.
    pub(in crate::kernels) fn apply(self, work: impl Work) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
        fn run(set: Avx512Vnni, work: impl Work) {
            work.run(set);
        }
        // SAFETY: the token proves that the CPU has these features.
        unsafe { run(self, work) }
    }

    pub(in crate::kernels) fn conv(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        tiles::conv(self, c, first, out);
    }

    pub(in crate::kernels) fn add(self, a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
        // SAFETY: the token proves the features.
        unsafe { add::add(a, b, to, out) }
    }

    /// See [`squares::product`](crate::kernels::squares::product).
    pub(in crate::kernels) fn product(self, a: &[Line], b: &[Line], out: &mut Square) {
        // SAFETY: the token proves the features.
        unsafe { squares::product(a, b, out) }
    }

    /// See [`squares::whole_product`](crate::kernels::squares::whole_product).
    pub(in crate::kernels) fn whole_product(
        self,
        a: &[Pairs],
        b: &[Pairs],
        out: &mut [[i32; SIDE]; SIDE],
    ) {
        // SAFETY: the token proves the features.
        unsafe { squares::whole_product(a, b, out) }
    }

    pub(in crate::kernels) fn depthwise(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        depthwise::depthwise(self, c, first, out);
    }
}

/// Rounding is what the compiler finds: it has an instruction that narrows.
impl Instructions for Avx512Vnni {
    #[inline(always)]
    fn look_up(self, table: &Table, elements: &mut [i8]) {
        // SAFETY: the token proves AVX-512 F, which includes AVX2.
        unsafe { table::look_up(table, elements) }
    }
}

/// A mask of the first `count` lanes; all of them from 32 on. Its low half masks 16 lanes.
#[inline(always)]
fn low_bits(count: usize) -> u32 {
    if count >= 32 { u32::MAX } else { (1 << count) - 1 }
}

/// A mask of the first `count` lanes of 64.
#[inline(always)]
fn low_bits_of_64(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}
