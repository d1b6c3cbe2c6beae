//! The kernels of this target against the definition, on random cases: so many of each kind as `HEADSTART_CASES` says when this is built.
#![no_std]
#![no_main]

extern crate alloc;

#[path = "../../../../runtime/core/tests/kernels/activation.rs"]
mod activation;
#[path = "../../../../runtime/core/tests/kernels/case.rs"]
mod case;
#[path = "../../../../runtime/core/tests/kernels/other.rs"]
mod other;

use core::panic::PanicInfo;

use activation::Function;
use case::{Case, Shape};
use defmt_semihosting as _;
use headstart::kernels::{Isa, Kernels};
use other::{DIGEST, Other};
use semihosting::{eprintln, println, process};

#[global_allocator]
static HEAP: embedded_alloc::LlffHeap = embedded_alloc::LlffHeap::empty();

fn check(case: &Case) {
    let kernels = Kernels::best();
    let expected = case.definition();
    let mut found = alloc::vec![99; expected.len()];
    if case.shape.is_depthwise() {
        kernels.depthwise(&case.convolution(), 0, &mut found);
    } else {
        kernels.conv(&case.convolution(), 0, &mut found);
    }
    assert_eq!(found, expected, "{:?} seed {}", case.shape, case.seed);
}

/// Random cases of a kind of node, where the build does not say how many.
const CASES: u64 = 2_000;

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: the only call; no clips are loaded here.
    let memory = unsafe { headstart_mps2::memory::spare(1 << 20) };
    // SAFETY: called once, before anything is allocated; the memory is nobody else's.
    unsafe { HEAP.init(memory.as_ptr() as usize, memory.len()) };
    assert_eq!(Kernels::best().isa(), Isa::Dsp);
    let cases =
        option_env!("HEADSTART_CASES").map_or(CASES, |count| count.parse().expect("a number"));
    for (shape, seed) in case::random(7, cases as usize) {
        check(&Case::new(shape, seed));
    }
    for (input, weight) in [(-128, -127), (-128, 127), (127, 127), (127, -127)] {
        for depth in [1, 16, 576, 1000] {
            let shape = Shape { columns: 2, depth, outputs: 17, ..case::POINT };
            check(&Case::new(shape, 1).filled(input, weight));
        }
        let shape =
            Shape { rows: 7, columns: 9, groups: 33, kernel: [3, 3], pad: true, ..case::POINT };
        check(&Case::new(shape, 1).filled(input, weight));
    }
    for multiplier in [0.0, -0.3, 1.0, 1e4, 3e9, -3e9, 1e30, -1e30] {
        let shape = Shape { columns: 5, depth: 9, outputs: 35, ..case::POINT };
        check(&Case::new(shape, 3).with_multiplier(multiplier));
        let shape =
            Shape { rows: 3, columns: 5, groups: 35, kernel: [3, 3], pad: true, ..case::POINT };
        check(&Case::new(shape, 3).with_multiplier(multiplier));
    }
    for seed in 0..cases {
        let (pixels, channels) = (1 + seed as usize % 4, 1 + seed as usize % 31);
        Function::new(pixels, channels, seed % 2 == 0, seed).check(&[Kernels::best()]);
    }
    let mut digest = 0;
    for seed in 0..cases.max(1000) {
        Other::new(seed).check(&[Kernels::best()], &mut digest);
        if seed == 999 {
            assert_eq!(digest, DIGEST, "another target's definition has other bits");
        }
    }
    println!("kernels equal the definition: {} random nodes of each kind", cases);
    process::exit(0)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{}", info);
    process::exit(1)
}
