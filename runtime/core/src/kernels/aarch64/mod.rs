//! Kernels for aarch64.
#![allow(unsafe_code, reason = "functions with target features, loads and stores")]

mod add;
mod columns;
mod linear;
mod requantise;
mod table;
mod tile;

use crate::kernels::columns as depthwise;
use crate::kernels::generic::{Convolution, Output, Table, Term};
use crate::kernels::tiles;
use crate::kernels::work::{Instructions, STEP, Step, Work};

/// Proof that this CPU has NEON, which every aarch64 CPU under an operating system has.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Neon(());

/// Proof that this CPU has the dot-product instructions too.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct DotProd(Neon);

impl Neon {
    pub(in crate::kernels) fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    /// See [`linear::dots`](crate::kernels::linear::dots).
    pub(in crate::kernels) fn dots(self, rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
        // SAFETY: the token proves the feature.
        unsafe { linear::dots(rows, x) }
    }
}

impl DotProd {
    pub(in crate::kernels) fn new() -> Option<Self> {
        let found = std::arch::is_aarch64_feature_detected!("dotprod");
        Neon::new().filter(|_| found).map(Self)
    }
}

macro_rules! kernels {
    ($name:ident) => {
        impl Instructions for $name {
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

        impl $name {
            /// Runs portable loops; NEON is part of what the compiler assumes on aarch64.
            pub(in crate::kernels) fn apply(self, work: impl Work) {
                work.run(self);
            }

            pub(in crate::kernels) fn conv(
                self,
                c: &Convolution<'_>,
                first: usize,
                out: &mut [i8],
            ) {
                tiles::conv(self, c, first, out);
            }

            pub(in crate::kernels) fn add(
                self,
                a: Term<'_>,
                b: Term<'_>,
                to: &Output,
                out: &mut [i8],
            ) {
                // SAFETY: the token proves the feature.
                unsafe { add::add(a, b, to, out) }
            }

            pub(in crate::kernels) fn depthwise(
                self,
                c: &Convolution<'_>,
                first: usize,
                out: &mut [i8],
            ) {
                depthwise::depthwise(self, c, first, out);
            }
        }
    };
}

kernels!(Neon);
kernels!(DotProd);
