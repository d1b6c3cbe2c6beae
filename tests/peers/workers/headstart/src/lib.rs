//! What the Headstart workers share.

use anyhow::Context;
use headstart::kernels::{Isa, Kernels};
use headstart::pack::Pack;
use headstart_device::extract::Extractor;

/// The backbone on the kernels of `HEADSTART_ISA`, else the CPU's best; on `HEADSTART_THREADS` threads, else one.
pub fn extractor(pack: Pack<'_>) -> anyhow::Result<Extractor<'_>> {
    let kernels = match std::env::var("HEADSTART_ISA") {
        Ok(name) => {
            let isa: Isa = name.parse()?;
            Kernels::new(isa).with_context(|| format!("this CPU does not run {isa}"))?
        }
        Err(_) => Kernels::best(),
    };
    let threads = std::env::var("HEADSTART_THREADS").map_or(Ok(1), |count| count.parse())?;
    Ok(Extractor::new(pack, kernels, threads))
}
