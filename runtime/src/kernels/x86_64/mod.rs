//! Kernels for x86-64.

mod avx2;
mod avx512vnni;

pub(super) use avx2::Avx2;
pub(super) use avx512vnni::Avx512Vnni;
