//! Names the compiled kernels that this CPU lacks, separated by commas: `lacking_kernels`. They cannot be tested here.
//!
//! It asks the system and not [`Kernels`](headstart::kernels::Kernels): tests that find no kernels where the CPU has them
//! shall fail.

use std::error::Error;

use headstart::kernels::Isa;

/// The word by which `/proc/cpuinfo` says that a CPU has it.
fn word(isa: Isa) -> Option<&'static str> {
    match isa {
        Isa::Generic => None,
        Isa::Avx2 => Some("avx2"),
        Isa::AvxVnni => Some("avx_vnni"),
        Isa::Avx512Vnni => Some("avx512_vnni"),
        Isa::Neon => Some("asimd"),
        Isa::DotProd => Some("asimddp"),
        other => panic!("{other} runs on no CPU with /proc/cpuinfo"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let has = |word| cpu.split_whitespace().any(|found| found == word);
    let compiled = Isa::ALL.into_iter().filter(|isa| isa.is_compiled());
    let lacking = compiled.filter(|&isa| word(isa).is_some_and(|word| !has(word)));
    println!("{}", lacking.map(Isa::name).collect::<Vec<_>>().join(","));
    Ok(())
}
