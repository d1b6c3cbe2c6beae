//! What the Headstart workers share.

use anyhow::Context;
use headstart::kernels::{Isa, Kernels};
use headstart_device::extract::Engine;

/// Kernels by `HEADSTART_ISA`, else the CPU's best; threads by `HEADSTART_THREADS`, else one.
pub fn engine() -> anyhow::Result<Engine> {
    let kernels = match std::env::var("HEADSTART_ISA") {
        Ok(name) => {
            let isa: Isa = name.parse()?;
            Kernels::new(isa).with_context(|| format!("this CPU does not run {isa}"))?
        }
        Err(_) => Kernels::best(),
    };
    let threads = std::env::var("HEADSTART_THREADS").map_or(Ok(1), |count| count.parse())?;
    Ok(Engine { kernels, threads })
}
