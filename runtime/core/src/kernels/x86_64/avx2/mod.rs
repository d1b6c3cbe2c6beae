//! AVX2: `vpmaddwd` multiplies sixteen pairs of int16 and adds each two of them.
//!
//! `vpmaddubsw` would take twice as many bytes at once but saturates; widening keeps every sum
//! exact. A dword of four bytes is widened as its even and its odd bytes, by two shifts.
#![allow(unsafe_code, reason = "functions with target features, loads and stores")]

mod add;
mod block;
mod columns;
mod linear;
mod requantise;
pub(in crate::kernels::x86_64) mod squares;
pub(in crate::kernels::x86_64) mod table;
mod tile;

use core::arch::x86_64::__m128i;

pub(in crate::kernels::x86_64) use self::block::Block;
pub(in crate::kernels::x86_64) use self::requantise::Requantise;

use crate::kernels::columns as depthwise;
use crate::kernels::generic::{Convolution, Output, Table, Term};
use crate::kernels::squares::{Line, Pairs, SIDE, Square};
use crate::kernels::tiles;
use crate::kernels::work::{Instructions, STEP, Step, Work};

/// Proof that this CPU has AVX2.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Avx2(());

impl Avx2 {
    /// `None` on a CPU without it. The answer is cached by the standard library.
    pub(in crate::kernels) fn new() -> Option<Self> {
        std::is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Runs portable loops compiled for this instruction set.
    pub(in crate::kernels) fn apply(self, work: impl Work) {
        #[target_feature(enable = "avx2")]
        fn run(set: Avx2, work: impl Work) {
            work.run(set);
        }
        // SAFETY: the token proves that the CPU has AVX2.
        unsafe { run(self, work) }
    }

    pub(in crate::kernels) fn conv(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        tiles::conv(self, c, first, out);
    }

    pub(in crate::kernels) fn add(self, a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
        // SAFETY: the token proves the feature.
        unsafe { add::add(a, b, to, out) }
    }

    /// See [`squares::product`](crate::kernels::squares::product).
    pub(in crate::kernels) fn product(
        self,
        a: &[Line],
        b: &[Line],
        columns: usize,
        out: &mut Square,
    ) {
        // SAFETY: the token proves the feature.
        unsafe { squares::product(a, b, columns, out) }
    }

    /// See [`squares::whole_product`](crate::kernels::squares::whole_product).
    pub(in crate::kernels) fn whole_product(
        self,
        a: &[Pairs],
        b: &[Pairs],
        out: &mut [[i32; SIDE]; SIDE],
    ) {
        // SAFETY: the token proves the feature.
        unsafe { squares::whole_product(a, b, out) }
    }

    pub(in crate::kernels) fn depthwise(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        depthwise::depthwise(self, c, first, out);
    }

    /// See [`linear::dots`](crate::kernels::linear::dots).
    pub(in crate::kernels) fn dots(self, rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
        // SAFETY: the token proves the feature.
        unsafe { linear::dots(rows, x) }
    }
}

impl Instructions for Avx2 {
    #[inline(always)]
    fn round(self, reals: &Step, to: &Output) -> [i8; STEP] {
        // SAFETY: the token proves the feature.
        unsafe { requantise::step(reals, to) }
    }

    #[inline(always)]
    fn look_up(self, table: &Table, elements: &mut [i8]) {
        // SAFETY: the token proves the feature.
        unsafe { table::look_up(table, elements) }
    }
}

/// Up to 16 bytes; zeros behind them.
///
/// # Safety
/// `from` is readable for `count` bytes.
#[inline(always)]
pub(in crate::kernels::x86_64) unsafe fn load(from: *const i8, count: usize) -> __m128i {
    // SAFETY: no more than `count` bytes are read.
    unsafe {
        match count {
            16 => from.cast::<__m128i>().read_unaligned(),
            8 => {
                core::mem::transmute::<[i64; 2], __m128i>([from.cast::<i64>().read_unaligned(), 0])
            }
            _ => {
                let mut bytes = [0_i8; 16];
                bytes.as_mut_ptr().copy_from_nonoverlapping(from, count.min(16));
                core::mem::transmute::<[i8; 16], __m128i>(bytes)
            }
        }
    }
}

/// The first `count` bytes of 16.
///
/// # Safety
/// `to` is writable for `count` bytes.
#[inline(always)]
pub(in crate::kernels::x86_64) unsafe fn store(bytes: __m128i, count: usize, to: *mut i8) {
    // SAFETY: no more than `count` bytes are written.
    unsafe {
        if count == 16 {
            to.cast::<__m128i>().write_unaligned(bytes);
        } else {
            let bytes = core::mem::transmute::<__m128i, [i8; 16]>(bytes);
            to.copy_from_nonoverlapping(bytes.as_ptr(), count.min(16));
        }
    }
}
