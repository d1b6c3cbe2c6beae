//! The Burn backends that this build has, and where they run.

use crate::request::RequestProblem;

/// A Burn backend; each needs the feature of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Burn's backend on the `ndarray` crate.
    Ndarray,
    /// Burn's backend on Hugging Face's `candle`; on a GPU with the feature `candle-cuda`.
    Candle,
    /// Burn's own CPU backend.
    Flex,
    /// Burn's own kernels on an NVIDIA GPU.
    Cuda,
}

/// Where a backend runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// The CPU.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

/// A backend and where it runs: compiled, and looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend {
    pub(crate) engine: Engine,
    pub(crate) device: Processor,
}

impl Engine {
    /// The engine's name; the feature that compiles it has the same name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndarray => "ndarray",
            Self::Candle => "candle",
            Self::Flex => "flex",
            Self::Cuda => "cuda",
        }
    }

    fn is_compiled(self) -> bool {
        match self {
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Candle => cfg!(feature = "candle"),
            Self::Flex => cfg!(feature = "flex"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// Why no GPU can be used by it.
    fn look_for_gpu(self) -> Result<(), String> {
        match self {
            #[cfg(feature = "cuda")]
            Self::Cuda => headstart::burn::device::find_with_compiler().map_err(|e| e.to_string()),
            #[cfg(feature = "candle-cuda")]
            Self::Candle => headstart::burn::device::find().map_err(|e| e.to_string()),
            _ => Err("it was built without one".to_owned()),
        }
    }
}

impl Backend {
    /// Chooses the backend that was asked for, on the processor that was asked for: for `cuda` the GPU, for others the CPU where none was
    /// named. Where no GPU is found it is a CPU backend, and the reason stands beside it.
    ///
    /// # Errors
    /// [`RequestProblem::EngineMissing`], [`RequestProblem::DeviceMissing`], [`RequestProblem::NoSuchDevice`].
    pub fn choose(
        engine: Engine,
        device: Option<Processor>,
    ) -> Result<(Self, Option<String>), RequestProblem> {
        if !engine.is_compiled() {
            return Err(RequestProblem::EngineMissing);
        }
        let usual = if engine == Engine::Cuda { Processor::Cuda } else { Processor::Cpu };
        let device = device.unwrap_or(usual);
        let cpu = match engine {
            Engine::Cuda => Self { engine: Engine::Flex, device: Processor::Cpu },
            _ => Self { engine, device: Processor::Cpu },
        };
        match (engine, device) {
            (_, Processor::Cpu) => Ok((cpu, None)),
            (Engine::Ndarray | Engine::Flex, _) => Err(RequestProblem::NoSuchDevice(engine.name())),
            (Engine::Candle, _) if cfg!(not(feature = "candle-cuda")) => {
                Err(RequestProblem::DeviceMissing("candle-cuda"))
            }
            _ => match engine.look_for_gpu() {
                Ok(()) => Ok((Self { engine, device }, None)),
                Err(reason) => Ok((cpu, Some(reason))),
            },
        }
    }

    /// The fastest backend that is compiled in, on the CPU; `None` where none is.
    #[must_use]
    pub fn fastest() -> Option<Self> {
        let engines = [Engine::Flex, Engine::Ndarray, Engine::Candle];
        let engine = engines.into_iter().find(|engine| engine.is_compiled())?;
        Some(Self { engine, device: Processor::Cpu })
    }

    /// Whether the backend runs on a GPU.
    #[must_use]
    pub fn is_on_gpu(self) -> bool {
        self.device != Processor::Cpu
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let device = if self.is_on_gpu() { "the GPU" } else { "the CPU" };
        write!(f, "{} on {device}", self.engine.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_compiled_or_has_no_gpu_is_refused_by_name() {
        for engine in [Engine::Ndarray, Engine::Candle, Engine::Flex, Engine::Cuda] {
            let chosen = Backend::choose(engine, None);
            assert_eq!(chosen.is_ok(), engine.is_compiled(), "{}", engine.name());
        }
        if cfg!(feature = "flex") {
            let refused = Backend::choose(Engine::Flex, Some(Processor::Cuda)).unwrap_err();
            assert!(refused.to_string().contains("flex runs on the CPU alone"), "{refused}");
        }
        if cfg!(all(feature = "candle", not(feature = "candle-cuda"))) {
            let refused = Backend::choose(Engine::Candle, Some(Processor::Cuda)).unwrap_err();
            assert_eq!(refused, RequestProblem::DeviceMissing("candle-cuda"));
        }
    }

    #[test]
    fn without_a_gpu_it_is_the_cpu_and_the_reason() {
        for engine in [Engine::Candle, Engine::Cuda] {
            let Ok((backend, reason)) = Backend::choose(engine, Some(Processor::Cuda)) else {
                continue;
            };
            assert_eq!(backend.is_on_gpu(), reason.is_none());
            assert!(reason.is_none_or(|reason| !reason.is_empty()));
        }
        if cfg!(feature = "cuda") {
            let (backend, reason) = Backend::choose(Engine::Cuda, Some(Processor::Cpu)).unwrap();
            assert_eq!((backend.to_string().as_str(), reason), ("flex on the CPU", None));
        }
    }
}
