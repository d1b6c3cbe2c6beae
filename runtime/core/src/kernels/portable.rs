//! Portable kernels with all their operands, to be compiled for the instruction set of whoever runs them.

#[cfg(feature = "std")]
use super::elementwise;
#[cfg(feature = "std")]
use super::generic::Table;
use super::generic::{self, Activation, Mean, Output, Tensor};
use super::work::{Instructions, Work};
use crate::network::{BinaryOp, Window};

pub(super) struct Binary<'a> {
    pub(super) op: BinaryOp,
    pub(super) a: (Tensor<'a>, f32),
    pub(super) b: (Tensor<'a>, f32),
    pub(super) to: Output,
    pub(super) out: &'a mut [i8],
}

impl Work for Binary<'_> {
    #[inline(always)]
    #[cfg(feature = "std")]
    fn run(self, set: impl Instructions) {
        elementwise::binary(set, self.op, self.a, self.b, self.to, self.out);
    }

    #[inline(always)]
    #[cfg(not(feature = "std"))]
    fn run(self, _: impl Instructions) {
        generic::binary(self.op, self.a, self.b, self.to, self.out);
    }
}

#[cfg(feature = "std")]
pub(super) struct LookUp<'a> {
    pub(super) tables: &'a [Table],
    pub(super) elements: &'a mut [i8],
}

#[cfg(feature = "std")]
impl Work for LookUp<'_> {
    #[inline(always)]
    fn run(self, set: impl Instructions) {
        elementwise::look_up(set, self.tables, self.elements);
    }
}

pub(super) struct Function<'a> {
    pub(super) activation: &'a Activation<'a>,
    pub(super) to: Output,
    pub(super) elements: &'a mut [i8],
}

impl Work for Function<'_> {
    #[inline(always)]
    #[cfg(feature = "std")]
    fn run(self, set: impl Instructions) {
        elementwise::activation(set, self.activation, self.to, self.elements);
    }

    #[inline(always)]
    #[cfg(not(feature = "std"))]
    fn run(self, _: impl Instructions) {
        generic::activation(self.activation, self.to, self.elements);
    }
}

pub(super) struct MaxPool<'a> {
    pub(super) x: Tensor<'a>,
    pub(super) window: &'a Window,
    pub(super) to: Output,
    pub(super) out: &'a mut [i8],
}

impl Work for MaxPool<'_> {
    #[inline(always)]
    fn run(self, _: impl Instructions) {
        generic::max_pool(self.x, self.window, self.to, self.out);
    }
}

pub(super) struct MeanPool<'a> {
    pub(super) x: Tensor<'a>,
    pub(super) of: Mean<'a>,
    pub(super) to: Output,
    pub(super) out: &'a mut [i8],
}

impl Work for MeanPool<'_> {
    #[inline(always)]
    fn run(self, _: impl Instructions) {
        generic::mean(self.x, self.of, self.to, self.out);
    }
}

pub(super) struct Concat<'a> {
    pub(super) x: Tensor<'a>,
    pub(super) multiplier: f32,
    pub(super) axis: u8,
    pub(super) at: usize,
    pub(super) to: Output,
    pub(super) out: &'a mut [i8],
}

impl Work for Concat<'_> {
    #[inline(always)]
    fn run(self, _: impl Instructions) {
        generic::concat(self.x, self.multiplier, self.axis, self.at, self.to, self.out);
    }
}

/// A depthwise convolution whose window no kernel has columns for.
#[cfg(headstart_vectors)]
pub(super) struct Depthwise<'a> {
    pub(super) c: &'a generic::Convolution<'a>,
    pub(super) first: usize,
    pub(super) out: &'a mut [i8],
}

#[cfg(headstart_vectors)]
impl Work for Depthwise<'_> {
    #[inline(always)]
    fn run(self, _: impl Instructions) {
        generic::depthwise(self.c, self.first, self.out);
    }
}
