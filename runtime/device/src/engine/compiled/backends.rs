//! The Burn backend that an [`Engine`](crate::engine::Engine) stands for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use headstart::burn::ExecuteError;

use crate::training::TrainingProblem;

/// Does `$work`, a `Result<_, TrainingProblem>`, with `$B` as the backend's type and `$device` as a reference to its device.
macro_rules! on_backend {
    ($backend:expr, $B:ident, $device:ident => $work:expr) => {{
        use headstart::burn::backend;
        use $crate::engine::{Engine, Processor};
        match ($backend.engine, $backend.device) {
            #[cfg(feature = "flex")]
            (Engine::Flex, Processor::Cpu) => {
                on_backend!(backend::Flex, Default::default(), $B, $device => $work)
            }
            #[cfg(feature = "ndarray")]
            (Engine::Ndarray, Processor::Cpu) => {
                on_backend!(backend::NdArray, Default::default(), $B, $device => $work)
            }
            #[cfg(feature = "candle")]
            (Engine::Candle, Processor::Cpu) => {
                on_backend!(backend::Candle, Default::default(), $B, $device => $work)
            }
            #[cfg(feature = "candle-cuda")]
            (Engine::Candle, Processor::Cuda) => {
                on_backend!(backend::Candle, backend::candle_cuda_device(), $B, $device => $work)
            }
            #[cfg(feature = "cuda")]
            (Engine::Cuda, Processor::Cuda) => {
                on_backend!(backend::Cuda, backend::cuda_device(), $B, $device => $work)
            }
            _ => Err($crate::training::TrainingProblem::EngineMissing),
        }
    }};
    ($type:ty, $make:expr, $B:ident, $device:ident => $work:expr) => {{
        type $B = $type;
        $crate::engine::compiled::backends::caught(|| {
            let $device: &headstart::burn::backend::Device<$B> = &$make;
            $work
        })
    }};
}
pub(super) use on_backend;

/// A GPU's backend ends in a panic where memory or compiler fail.
pub(super) fn caught<T>(
    work: impl FnOnce() -> Result<T, TrainingProblem>,
) -> Result<T, TrainingProblem> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(TrainingProblem::Engine("it ended in a panic".to_owned())))
}

/// An engine's error.
pub(super) fn failed(error: ExecuteError) -> TrainingProblem {
    TrainingProblem::Engine(error.to_string())
}
