//! Instructions of the layers of four small networks, without a pack: a line a layer, then a multiply-accumulate's share of all.
//!
//! It ends with 1 where a network takes more than its bar. What stands between layers is not counted (`profile` counts it, of a pack),
//! nor are pools.
#![no_std]
#![no_main]

#[path = "../../../../runtime/core/tests/kernels/case.rs"]
#[allow(dead_code, reason = "the tests of kernels use all of it")]
mod case;
#[path = "../networks.rs"]
mod networks;

extern crate alloc;

use core::panic::PanicInfo;

use case::{Case, Shape};
use cortex_m::peripheral::Peripherals;
use defmt_semihosting as _;
use headstart::kernels::{Isa, Kernels};
use headstart::kernels::generic::{Output, Term};
use headstart_mps2::clock::Clock;
use networks::{DS_CNN, KWS, Layers, RESNET8, VWW};
use semihosting::{eprintln, println, process};

#[global_allocator]
static HEAP: embedded_alloc::LlffHeap = embedded_alloc::LlffHeap::empty();

/// Networks, and the most instructions a multiply-accumulate that their layers may take with the DSP extension and with Helium, in
/// hundredths: what Rust 1.95 or 1.96 needs.
const BARS: [(&str, &[Layers], [u64; 2]); 4] = [
    ("kws", KWS, [238, 90]),
    ("vww", VWW, [143, 46]),
    ("resnet8", RESNET8, [109, 28]),
    ("ds-cnn", DS_CNN, [140, 43]),
];

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: the only call; no clips are loaded here.
    let memory = unsafe { headstart_mps2::memory::spare(8 << 20) };
    // SAFETY: called once, before anything is allocated; the memory is nobody else's.
    unsafe { HEAP.init(memory.as_ptr() as usize, memory.len()) };
    let mut clock = Clock::new(Peripherals::take().expect("nothing took them before").SYST);
    let mut status = 0;
    let helium = Kernels::best().isa() == Isa::Helium;
    for (name, layers, bars) in BARS {
        let bar = bars[usize::from(helium)];
        let (mut macs, mut instructions) = (0, 0);
        for layers in layers {
            let (products, count) = run(layers, &mut clock);
            let Layers { count: times, extents, channels, groups, kernel, stride } = layers;
            println!(
                "{name} {times} x {extents:?} {channels:?} in {groups} {kernel:?}/{stride}: {count} of {products}"
            );
            macs += u64::from(*times) * products;
            instructions += u64::from(*times) * count;
        }
        let share = (100 * instructions).div_ceil(macs);
        println!("{name}: {}.{:02} instructions a multiply-accumulate", share / 100, share % 100);
        if share > bar {
            eprintln!("{name}: more than {bar} hundredths");
            status = 1;
        }
    }
    process::exit(status)
}

/// Multiply-accumulates and instructions of one layer.
fn run(layers: &Layers, clock: &mut Clock) -> (u64, u64) {
    let kernels = Kernels::best();
    let [rows, columns] = layers.extents.map(usize::from);
    let [depth, outputs] = layers.channels.map(usize::from);
    let groups = usize::from(layers.groups);
    let mut out = alloc::vec![0; rows * columns * outputs * groups];
    if depth == 0 {
        let operand = alloc::vec![3; out.len()];
        let term = Term { data: &operand, zero_point: -7, scale: 0.5 };
        let (height, width, channels) = (rows, columns, outputs);
        let to = Output { height, width, channels, zero_point: -20, min: -128, max: 127 };
        return (0, clock.count(|| kernels.add(term, term, &to, &mut out)).0);
    }
    let kernel = layers.kernel.map(usize::from);
    let (stride, pad) = (usize::from(layers.stride), kernel != [1, 1]);
    let shape = Shape { rows, columns, depth, outputs, groups, kernel, stride, dilation: 1, pad };
    // This seed's results span all of int8, as most do.
    let case = Case::new(shape, 3);
    let c = case.convolution();
    let (count, ()) = clock.count(|| {
        if shape.is_depthwise() {
            kernels.depthwise(&c, 0, &mut out);
        } else {
            kernels.conv(&c, 0, &mut out);
        }
    });
    ((out.len() * depth * kernel[0] * kernel[1]) as u64, count)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{}", info);
    process::exit(1)
}
