//! Instructions of the layers of four small networks, without a pack: a line a layer, then a multiply-accumulate's share of all.
//!
//! It ends with 1 where a network takes more than its bar. What stands between layers is not counted (`profile` counts it, of a pack),
//! nor are pools.
#![no_std]
#![no_main]

#[path = "../../../../runtime/core/tests/kernels/case.rs"]
#[allow(dead_code, reason = "the tests of kernels use all of it")]
mod case;
#[path = "../counted.rs"]
mod counted;
#[path = "../networks.rs"]
mod networks;

extern crate alloc;

use core::panic::PanicInfo;

use cortex_m::peripheral::Peripherals;
use defmt_semihosting as _;
use headstart_mps2::clock::Clock;
use semihosting::{eprintln, process};

#[global_allocator]
static HEAP: embedded_alloc::LlffHeap = embedded_alloc::LlffHeap::empty();

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: the only call; no clips are loaded here.
    let memory = unsafe { headstart_mps2::memory::spare(8 << 20) };
    // SAFETY: called once, before anything is allocated; the memory is nobody else's.
    unsafe { HEAP.init(memory.as_ptr() as usize, memory.len()) };
    let mut clock = Clock::new(Peripherals::take().expect("nothing took them before").SYST);
    process::exit(counted::tell(|work| clock.count(work).0))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{}", info);
    process::exit(1)
}
