//! Float graphs on any Burn backend.
//!
//! One generic [`Executor`] runs a [`Graph`](crate::graph::Graph): for calibration, for comparison
//! with the int8 backbone, and, under Burn's `Autodiff`, for training. It works on Burn's
//! rank-dynamic primitives (`B::float_*`, `B::conv2d`), not on `Tensor<B, D>`, because the ranks of
//! a graph are data. Operators stand in `ops`, one a file. Burn itself is named nowhere outside
//! this module, so moving to its next release is one change.

#[cfg(any(
    feature = "burn-flex",
    feature = "burn-ndarray",
    feature = "burn-candle",
    feature = "burn-cuda"
))]
pub mod backend;
mod batch;
mod convolution;
mod depthwise;
#[cfg(any(feature = "burn-cuda", feature = "burn-candle-cuda"))]
pub mod device;
mod error;
mod executor;
#[cfg(test)]
mod gradients;
pub mod head;
mod integers;
mod ops;
pub mod tail;
mod tensor;
#[cfg(test)]
mod testing;

pub use convolution::FloatBackend;
pub use error::ExecuteError;
pub use executor::Executor;
pub use integers::Integers;
pub use tensor::Tensor;
