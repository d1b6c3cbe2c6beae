//! The kernels of this target against the definition, on random cases: so many of each kind as `HEADSTART_CASES` says when this is built.
#![no_std]
#![no_main]

#[path = "../../../../runtime/core/tests/kernels/activation.rs"]
mod activation;
#[path = "../../../../runtime/core/tests/kernels/case.rs"]
mod case;
#[path = "../../../../runtime/core/tests/kernels/other.rs"]
mod other;
#[path = "../../../../runtime/core/tests/kernels/target.rs"]
mod target;

use core::panic::PanicInfo;

use defmt_semihosting as _;
use headstart::kernels::{Isa, Kernels};
use semihosting::{eprintln, println, process};

#[global_allocator]
static HEAP: embedded_alloc::LlffHeap = embedded_alloc::LlffHeap::empty();

/// Random cases of a kind of node, where the build does not say how many.
const CASES: u64 = 2_000;

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: the only call; no clips are loaded here.
    let memory = unsafe { headstart_mps2::memory::spare(1 << 20) };
    // SAFETY: called once, before anything is allocated; the memory is nobody else's.
    unsafe { HEAP.init(memory.as_ptr() as usize, memory.len()) };
    let fastest = match env!("HEADSTART_MACHINE") {
        // Built for an M0+, whose instructions all of these machines run.
        _ if cfg!(not(target_abi = "eabihf")) => Isa::Generic,
        "an547" => Isa::Helium,
        _ => Isa::Dsp,
    };
    assert_eq!(Kernels::best().isa(), fastest);
    let cases =
        option_env!("HEADSTART_CASES").map_or(CASES, |count| count.parse().expect("a number"));
    target::equal_the_definition(cases);
    println!("kernels equal the definition: {} random nodes of each kind", cases);
    process::exit(0)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{}", info);
    process::exit(1)
}
