//! The Burn backends that a feature of this crate compiles, at float32: one line each.

pub use burn::backend::Autodiff;
pub use burn::tensor::backend::AutodiffBackend;

/// Burn's own CPU backend: the fastest on a host, and the default there.
#[cfg(feature = "burn-flex")]
pub type Flex = burn_flex::Flex;

/// The backend on the `ndarray` crate.
#[cfg(feature = "burn-ndarray")]
pub type NdArray = burn_ndarray::NdArray<f32>;

/// The backend on Hugging Face's `candle`.
#[cfg(feature = "burn-candle")]
#[allow(
    deprecated,
    reason = "0.21 is the last release with candle, and a board may only have that"
)]
pub type Candle = burn_candle::Candle<f32, i64>;
