//! Kernels for x86-64.

mod quads;

mod avx2;
mod avx512vnni;
mod avxvnni;

pub(super) use avx2::Avx2;
pub(super) use avx512vnni::Avx512Vnni;
pub(super) use avxvnni::AvxVnni;
