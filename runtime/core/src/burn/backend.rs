//! The Burn backends that a feature of this crate compiles, at float32: one line each.

pub use burn::backend::Autodiff;
pub use burn::tensor::backend::AutodiffBackend;
pub use burn::tensor::ops::Device;

/// Burn's own CPU backend: the fastest on a host, and the default there.
#[cfg(feature = "burn-flex")]
pub type Flex = burn_flex::Flex;

/// The backend on the `ndarray` crate.
#[cfg(feature = "burn-ndarray")]
pub type NdArray = burn_ndarray::NdArray<f32>;

/// Burn's own kernels on an NVIDIA GPU. Look for a [`device`](super::device) first: without a driver it panics.
#[cfg(feature = "burn-cuda")]
pub type Cuda = burn_cuda::Cuda<f32, i32>;

/// The first NVIDIA GPU, for [`Cuda`].
#[cfg(feature = "burn-cuda")]
#[must_use]
pub fn cuda_device() -> burn_cuda::CudaDevice {
    burn_cuda::CudaDevice::new(0)
}

/// The first NVIDIA GPU, for [`Candle`]. Look for a [`device`](super::device) first: without one it panics.
#[cfg(feature = "burn-candle-cuda")]
#[allow(deprecated, reason = "as for the backend")]
#[must_use]
pub fn candle_cuda_device() -> burn_candle::CandleDevice {
    burn_candle::CandleDevice::cuda(0)
}

/// The backend on Hugging Face's `candle`.
#[cfg(feature = "burn-candle")]
#[allow(
    deprecated,
    reason = "0.21 is the last release with candle, and a board may only have that"
)]
pub type Candle = burn_candle::Candle<f32, i64>;
