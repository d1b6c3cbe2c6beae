//! The layers of `networks`, run by the fastest kernels that are compiled and counted: a line a layer, then a multiply-accumulate's share
//! of all.

use alloc::vec;

use headstart::kernels::generic::{Output, Term};
use headstart::kernels::{Isa, Kernels};
use semihosting::{eprintln, println};

use crate::case::{Case, Shape};
use crate::networks::{DS_CNN, KWS, Layers, RESNET8, VWW};

/// Networks, and the most instructions a multiply-accumulate that their layers may take, in hundredths: what Rust 1.95 or 1.96 needs. With
/// the DSP extension, with Helium, and by portable loops on a Cortex-M0+ and on RISC-V.
const BARS: [(&str, &[Layers], [u64; 4]); 4] = [
    ("kws", KWS, [235, 90, u64::MAX, u64::MAX]),
    ("vww", VWW, [142, 46, u64::MAX, u64::MAX]),
    ("resnet8", RESNET8, [109, 28, 1250, 1000]),
    ("ds-cnn", DS_CNN, [141, 44, u64::MAX, u64::MAX]),
];

/// Tells of all layers what `count` says of them; gives 1 where a network takes more than its bar, else 0.
pub(crate) fn tell(mut count: impl FnMut(&mut dyn FnMut()) -> u64) -> i32 {
    let core = match Kernels::best().isa() {
        Isa::Dsp => 0,
        Isa::Helium => 1,
        _ if cfg!(target_arch = "arm") => 2,
        _ => 3,
    };
    let mut status = 0;
    for (name, layers, bars) in BARS {
        let (mut macs, mut instructions) = (0, 0);
        for layers in layers {
            let (products, count) = run(layers, &mut count);
            let Layers { count: times, extents, channels, groups, kernel, stride } = layers;
            println!(
                "{name} {times} x {extents:?} {channels:?} in {groups} {kernel:?}/{stride}: {count} of {products}"
            );
            macs += u64::from(*times) * products;
            instructions += u64::from(*times) * count;
        }
        let share = (100 * instructions).div_ceil(macs);
        println!("{name}: {}.{:02} instructions a multiply-accumulate", share / 100, share % 100);
        if share > bars[core] {
            eprintln!("{name}: more than {} hundredths", bars[core]);
            status = 1;
        }
    }
    status
}

/// Multiply-accumulates and instructions of one layer.
fn run(layers: &Layers, count: &mut impl FnMut(&mut dyn FnMut()) -> u64) -> (u64, u64) {
    let kernels = Kernels::best();
    let [rows, columns] = layers.extents.map(usize::from);
    let [depth, outputs] = layers.channels.map(usize::from);
    let groups = usize::from(layers.groups);
    let mut out = vec![0; rows * columns * outputs * groups];
    if depth == 0 {
        let operand = vec![3; out.len()];
        let term = Term { data: &operand, zero_point: -7, scale: 0.5 };
        let (height, width, channels) = (rows, columns, outputs);
        let to = Output { height, width, channels, zero_point: -20, min: -128, max: 127 };
        return (0, count(&mut || kernels.add(term, term, &to, &mut out)));
    }
    let kernel = layers.kernel.map(usize::from);
    let (stride, pad) = (usize::from(layers.stride), kernel != [1, 1]);
    let shape = Shape { rows, columns, depth, outputs, groups, kernel, stride, dilation: 1, pad };
    // This seed's results span all of int8, as most do.
    let case = Case::new(shape, 3);
    let c = case.convolution();
    let instructions = count(&mut || {
        if shape.is_depthwise() {
            kernels.depthwise(&c, 0, &mut out);
        } else {
            kernels.conv(&c, 0, &mut out);
        }
    });
    ((out.len() * depth * kernel[0] * kernel[1]) as u64, instructions)
}
