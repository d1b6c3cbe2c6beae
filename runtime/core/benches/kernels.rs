//! Single kernels on every instruction set that this CPU has: layers of MobileNetV2 and ResNet-8.
#![allow(missing_docs, reason = "criterion's macros make public items without")]

#[path = "../tests/kernels/case.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod case;

use case::{Case, Shape};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use headstart::kernels::generic::{Output, Term};
use headstart::kernels::{Isa, Kernels};

const LAYER: Shape = Shape {
    rows: 1,
    columns: 1,
    depth: 1,
    outputs: 1,
    groups: 1,
    kernel: [1, 1],
    stride: 1,
    dilation: 1,
    pad: true,
};

/// A square layer.
const fn layer(extent: usize, kernel: usize, stride: usize) -> Shape {
    Shape { rows: extent, columns: extent, kernel: [kernel; 2], stride, ..LAYER }
}

fn convolutions(c: &mut Criterion) {
    let layers = [
        (
            "first 3x3 stride 2, 3 to 32 channels",
            Shape { depth: 3, outputs: 32, ..layer(112, 3, 2) },
        ),
        ("3x3, 16 to 16 channels", Shape { depth: 16, outputs: 16, ..layer(32, 3, 1) }),
        ("1x1, 24 to 144 channels", Shape { depth: 24, outputs: 144, ..layer(56, 1, 1) }),
        ("1x1, 384 to 64 channels", Shape { depth: 384, outputs: 64, ..layer(14, 1, 1) }),
        ("1x1, 320 to 1280 channels", Shape { depth: 320, outputs: 1280, ..layer(7, 1, 1) }),
        ("depthwise 3x3, 144 channels", Shape { groups: 144, ..layer(56, 3, 1) }),
        ("depthwise 3x3 stride 2, 96 channels", Shape { groups: 96, ..layer(56, 3, 2) }),
        ("depthwise 5x5, 480 channels", Shape { groups: 480, ..layer(14, 5, 1) }),
        ("depthwise 3x3, 8 channels", Shape { groups: 8, ..layer(48, 3, 1) }),
    ];
    for (name, shape) in layers {
        let case = Case::new(shape, 1);
        let convolution = case.convolution();
        let elements = shape.rows * shape.columns * convolution.to.channels;
        let products = elements * shape.kernel[0] * shape.kernel[1] * shape.depth;
        let mut out = vec![0; elements];
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(products as u64));
        for kernels in Isa::ALL.into_iter().filter_map(Kernels::new) {
            group.bench_function(BenchmarkId::from_parameter(kernels.isa()), |b| {
                b.iter(|| {
                    if shape.is_depthwise() {
                        kernels.depthwise(&convolution, 0, &mut out);
                    } else {
                        kernels.conv(&convolution, 0, &mut out);
                    }
                });
            });
        }
    }
}

fn residual_add(c: &mut Criterion) {
    const ELEMENTS: usize = 56 * 56 * 24;
    let data: Vec<i8> = (0..ELEMENTS).map(|at| (at * 7 + at / 251) as u8 as i8).collect();
    let term = |zero_point| Term { data: &data, zero_point, scale: 0.02 };
    let to = Output { height: 56, width: 56, channels: 24, zero_point: 3, min: -128, max: 127 };
    let mut out = vec![0; ELEMENTS];
    let mut group = c.benchmark_group("residual add, 56x56x24");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    for kernels in Isa::ALL.into_iter().filter_map(Kernels::new) {
        group.bench_function(BenchmarkId::from_parameter(kernels.isa()), |b| {
            b.iter(|| kernels.add(term(-5), term(9), &to, &mut out));
        });
    }
}

fn tables(c: &mut Criterion) {
    for (name, [pixels, channels], one) in [
        ("a table a channel, 56x56x72", [56 * 56, 72], false),
        ("a table a channel, 7x7x576", [7 * 7, 576], false),
        ("one table, 56x56x72", [56 * 56, 72], true),
    ] {
        let table = |c| std::array::from_fn(|q| (q * 3 + c) as u8);
        let tables: Vec<[u8; 256]> = (0..if one { 1 } else { channels }).map(table).collect();
        let mut data: Vec<i8> =
            (0..pixels * channels).map(|at| (at * 7 + at / 251) as u8 as i8).collect();
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(data.len() as u64));
        for kernels in Isa::ALL.into_iter().filter_map(Kernels::new) {
            group.bench_function(BenchmarkId::from_parameter(kernels.isa()), |b| {
                b.iter(|| kernels.look_up(&tables, &mut data));
            });
        }
    }
}

criterion_group!(benches, convolutions, residual_add, tables);
criterion_main!(benches);
