//! The arithmetic of int8 nodes.
//!
//! [`generic`] is the written definition: plain loops, always compiled. Every other kernel equals
//! it bit for bit. [`Kernels`] is chosen once, by what the CPU has or by name.

#[cfg(headstart_vectors)]
#[macro_use]
mod unroll;

#[cfg(all(feature = "std", target_arch = "aarch64"))]
mod aarch64;
#[cfg(feature = "std")]
pub(crate) mod activation;
pub(crate) mod arena;
#[cfg(feature = "std")]
mod channels;
pub(crate) mod chunk;
#[cfg(headstart_vectors)]
mod columns;
#[cfg(headstart_vectors)]
mod copy;
#[cfg(any(all(headstart_dsp, not(headstart_helium)), all(test, feature = "std")))]
mod cortex_m;
#[cfg(feature = "std")]
mod elementwise;
pub mod generic;
#[cfg(any(headstart_helium, all(test, feature = "std")))]
mod helium;
mod isa;
pub(crate) mod linear;
#[cfg(headstart_vectors)]
mod padded;
mod portable;
#[cfg(any(headstart_dsp, all(test, feature = "std")))]
mod scratch;
pub mod squares;
#[cfg(headstart_vectors)]
mod steps;
#[cfg(feature = "std")]
pub(crate) mod team;
#[cfg(headstart_vectors)]
mod tiles;
#[cfg(all(test, feature = "std"))]
mod twins;
#[cfg(all(headstart_vectors, target_arch = "wasm32"))]
mod wasm32;
mod work;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86_64;

pub use isa::{Isa, UnknownIsa};

use crate::network::{BinaryOp, Window};
use generic::{Activation, Convolution, Mean, Output, Table, Tensor, Term};
use work::{Portable, Work};

/// The kernels of one instruction set, which this CPU has.
#[derive(Clone, Copy, Debug)]
pub struct Kernels(Chosen);

/// The capability that each instruction set's kernels ask for.
#[derive(Clone, Copy, Debug)]
enum Chosen {
    Generic,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2(x86_64::Avx2),
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    AvxVnni(x86_64::AvxVnni),
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx512Vnni(x86_64::Avx512Vnni),
    #[cfg(all(feature = "std", target_arch = "aarch64"))]
    Neon(aarch64::Neon),
    #[cfg(all(feature = "std", target_arch = "aarch64"))]
    DotProd(aarch64::DotProd),
    #[cfg(all(headstart_vectors, target_arch = "wasm32"))]
    Simd128(wasm32::Simd128),
    #[cfg(all(headstart_dsp, not(headstart_helium)))]
    Dsp(cortex_m::CortexM),
    #[cfg(headstart_helium)]
    Helium(helium::Helium),
}

/// Runs `$call` on the chosen fast kernels, or else `$generic`.
macro_rules! dispatch {
    ($chosen:expr, $kernels:ident => $call:expr, $generic:expr) => {
        match $chosen {
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Chosen::Avx2($kernels) => $call,
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Chosen::AvxVnni($kernels) => $call,
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Chosen::Avx512Vnni($kernels) => $call,
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Chosen::Neon($kernels) => $call,
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Chosen::DotProd($kernels) => $call,
            #[cfg(all(headstart_vectors, target_arch = "wasm32"))]
            Chosen::Simd128($kernels) => $call,
            #[cfg(all(headstart_dsp, not(headstart_helium)))]
            Chosen::Dsp($kernels) => $call,
            #[cfg(headstart_helium)]
            Chosen::Helium($kernels) => $call,
            Chosen::Generic => $generic,
        }
    };
}

impl Kernels {
    /// The kernels for `isa`; `None` if they are not compiled or this CPU does not run them.
    #[must_use]
    pub fn new(isa: Isa) -> Option<Self> {
        match isa {
            Isa::Generic => Some(Chosen::Generic),
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Isa::Avx2 => x86_64::Avx2::new().map(Chosen::Avx2),
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Isa::AvxVnni => x86_64::AvxVnni::new().map(Chosen::AvxVnni),
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Isa::Avx512Vnni => x86_64::Avx512Vnni::new().map(Chosen::Avx512Vnni),
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Isa::Neon => aarch64::Neon::new().map(Chosen::Neon),
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Isa::DotProd => aarch64::DotProd::new().map(Chosen::DotProd),
            #[cfg(all(headstart_vectors, target_arch = "wasm32"))]
            Isa::Simd128 => wasm32::Simd128::new().map(Chosen::Simd128),
            #[cfg(all(headstart_dsp, not(headstart_helium)))]
            Isa::Dsp => cortex_m::CortexM::new().map(Chosen::Dsp),
            #[cfg(headstart_helium)]
            Isa::Helium => helium::Helium::new().map(Chosen::Helium),
            _ => None,
        }
        .map(Self)
    }

    /// The fastest kernels that this CPU runs.
    #[must_use]
    pub fn best() -> Self {
        let found = Isa::ALL.into_iter().rev().find_map(Self::new);
        found.unwrap_or(Self(Chosen::Generic))
    }

    /// The instruction set of these kernels.
    #[must_use]
    pub fn isa(self) -> Isa {
        match self.0 {
            Chosen::Generic => Isa::Generic,
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Chosen::Avx2(_) => Isa::Avx2,
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Chosen::AvxVnni(_) => Isa::AvxVnni,
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Chosen::Avx512Vnni(_) => Isa::Avx512Vnni,
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Chosen::Neon(_) => Isa::Neon,
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Chosen::DotProd(_) => Isa::DotProd,
            #[cfg(all(headstart_vectors, target_arch = "wasm32"))]
            Chosen::Simd128(_) => Isa::Simd128,
            #[cfg(all(headstart_dsp, not(headstart_helium)))]
            Chosen::Dsp(_) => Isa::Dsp,
            #[cfg(headstart_helium)]
            Chosen::Helium(_) => Isa::Helium,
        }
    }

    /// Computes a convolution in any number of groups: [`generic::conv`], bit for bit.
    pub fn conv(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        dispatch!(self.0, kernels => kernels.conv(c, first, out), portable_conv(c, first, out));
    }

    /// Computes a convolution of each channel on its own: [`generic::depthwise`], bit for bit.
    pub fn depthwise(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        dispatch!(
            self.0,
            kernels => kernels.depthwise(c, first, out),
            portable_depthwise(c, first, out)
        );
    }

    /// Adds two terms element by element: [`generic::add`], bit for bit.
    pub fn add(self, a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
        dispatch!(self.0, kernels => kernels.add(a, b, to, out), generic::add(a, b, to, out));
    }

    /// Applies an operator to two operands that broadcast: [`generic::binary`], bit for bit.
    pub fn binary(
        self,
        op: BinaryOp,
        a: (Tensor<'_>, f32),
        b: (Tensor<'_>, f32),
        to: Output,
        out: &mut [i8],
    ) {
        if op == BinaryOp::Add && a.0.data.len() == out.len() && b.0.data.len() == out.len() {
            return self.add(Term::new(a), Term::new(b), &to, out);
        }
        self.compiled(portable::Binary { op, a, b, to, out });
    }

    /// Replaces every element by its entry in a table: [`generic::look_up`], the same elements.
    pub fn look_up(self, tables: &[Table], elements: &mut [i8]) {
        #[cfg(feature = "std")]
        self.compiled(portable::LookUp { tables, elements });
        #[cfg(not(feature = "std"))]
        generic::look_up(tables, elements);
    }

    /// Replaces every element by the result of a function: [`generic::activation`], bit for bit.
    pub fn activation(self, activation: &Activation<'_>, to: Output, elements: &mut [i8]) {
        self.compiled(portable::Function { activation, to, elements });
    }

    /// Takes the greatest element of each window: [`generic::max_pool`], bit for bit.
    pub fn max_pool(self, x: Tensor<'_>, window: &Window, to: Output, out: &mut [i8]) {
        self.compiled(portable::MaxPool { x, window, to, out });
    }

    /// Takes means over windows or over the bins of a grid: [`generic::mean`], bit for bit.
    pub fn mean(self, x: Tensor<'_>, of: Mean<'_>, to: Output, out: &mut [i8]) {
        self.compiled(portable::MeanPool { x, of, to, out });
    }

    /// Copies one operand of a concatenation into its place: [`generic::concat`], bit for bit.
    pub fn concat(
        self,
        x: Tensor<'_>,
        multiplier: f32,
        axis: u8,
        at: usize,
        to: Output,
        out: &mut [i8],
    ) {
        self.compiled(portable::Concat { x, multiplier, axis, at, to, out });
    }

    /// Portable loops, compiled for the instruction set.
    fn compiled(self, work: impl Work) {
        #[cfg(feature = "std")]
        dispatch!(self.0, kernels => kernels.apply(work), work.run(Portable));
        #[cfg(not(feature = "std"))]
        alone(work);
    }
}

/// Portable loops, once, whatever the kernels, in a frame of their own: what they keep on the stack is not there while other nodes run.
#[cfg(not(feature = "std"))]
#[inline(never)]
fn alone(work: impl Work) {
    work.run(Portable);
}

/// [`generic::conv`], once, in a frame of its own.
#[inline(never)]
fn portable_conv(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    generic::conv(c, first, out);
}

/// [`generic::depthwise`], once, in a frame of its own.
#[inline(never)]
fn portable_depthwise(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    generic::depthwise(c, first, out);
}
