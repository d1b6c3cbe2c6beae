//! Every compiled kernel equals the generic one, bit for bit, and the generic one its definition.
#![cfg(feature = "std")]

mod kernels {
    pub(crate) mod activation;
    pub(crate) mod case;
    pub(crate) mod other;
}

use std::sync::LazyLock;

use headstart::kernels::generic::{self, Mean, Output, Tensor, Term};
use headstart::kernels::{Isa, Kernels};
use headstart::network::{BinaryOp, Halves, Window};
use kernels::activation::Function;
use kernels::case::{Case, POINT, Shape};
use kernels::other::{DIGEST, Other};
use proptest::prelude::*;

/// The kernels of every instruction set that is compiled.
///
/// # Panics
///
/// Where this CPU lacks one of them: kernels that did not run were not tested. The variable
/// `HEADSTART_UNTESTED_ISA` names those that one accepts untested, separated by commas.
fn compiled() -> Vec<Kernels> {
    let accepted = std::env::var("HEADSTART_UNTESTED_ISA").unwrap_or_default();
    let accepted: Vec<&str> = accepted.split(',').collect();
    let present = |isa: &Isa| match Kernels::new(*isa) {
        Some(kernels) => Some(kernels),
        None if accepted.contains(&isa.name()) => None,
        None => panic!(
            "this CPU lacks {isa}, so that its kernels cannot be tested here; run the tests on one \
             that has it, or set HEADSTART_UNTESTED_ISA={isa} to go on without"
        ),
    };
    let compiled: Vec<Kernels> =
        Isa::ALL.iter().filter(|isa| isa.is_compiled()).filter_map(present).collect();
    let names: Vec<&str> = compiled.iter().map(|kernels| kernels.isa().name()).collect();
    println!("kernels that ran: {}", names.join(", "));
    compiled
}

/// Random cases: 100,000, or as many as `PROPTEST_CASES` says, where a CPU is emulated.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(100_000, |count| count.parse().expect("a number"))
}

/// Runs `case` on all kernels, whole and in two parts.
fn check(kernels: &[Kernels], case: &Case) {
    let expected = case.definition();
    let depthwise = case.shape.is_depthwise();
    let run = |kernels: Kernels, first: usize, out: &mut [i8]| {
        if depthwise {
            kernels.depthwise(&case.convolution(), first, out);
        } else {
            kernels.conv(&case.convolution(), first, out);
        }
    };
    let mut found = vec![0; expected.len()];
    for &kernels in kernels {
        found.fill(99);
        run(kernels, 0, &mut found);
        assert_eq!(found, expected, "{} on {:?}", kernels.isa(), case.shape);
        let channels = case.convolution().to.channels;
        let pixels = expected.len() / channels;
        // Parts of an image, as several threads take them.
        let part = case.seed as usize % (pixels + 1);
        found.fill(99);
        let (front, back) = found.split_at_mut(part * channels);
        run(kernels, 0, front);
        run(kernels, part, back);
        assert_eq!(found, expected, "{} in parts on {:?}", kernels.isa(), case.shape);
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let extents = (1_usize..9, 1_usize..9, 1_usize..24, 1_usize..40, 1_usize..4);
    let window = (1_usize..6, 1_usize..6, 1_usize..4, 1_usize..3, any::<bool>());
    let kind = prop_oneof![Just("point"), Just("grouped"), Just("depthwise"), Just("square")];
    (extents, window, kind).prop_map(
        |((rows, columns, depth, outputs, groups), (kh, kw, stride, dilation, pad), kind)| {
            let kernel = match kind {
                "point" => [1, 1],
                "square" => [3 + kh % 2 * 2; 2],
                _ => [kh, kw],
            };
            let each = matches!(kind, "depthwise" | "square");
            let dilation = if kind == "square" { 1 } else { dilation };
            Shape {
                rows,
                columns,
                depth: if each { 1 } else { depth },
                outputs: if each { 1 } else { outputs },
                groups: if each { depth * groups } else { groups },
                kernel,
                stride,
                dilation,
                pad,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases())
    })]

    #[test]
    fn every_compiled_kernel_equals_the_definition(shape in shapes(), seed in any::<u64>()) {
        static KERNELS: LazyLock<Vec<Kernels>> = LazyLock::new(compiled);
        check(&KERNELS, &Case::new(shape, seed));
    }

    /// Every operator on operands of which each axis may be the result's or 1.
    #[test]
    fn operands_that_broadcast_are_combined_as_defined(
        extents in [1_usize..5, 1_usize..6, 1_usize..70],
        (ones_a, ones_b) in any::<([bool; 3], [bool; 3])>(),
        op in prop::sample::select(vec![BinaryOp::Add, BinaryOp::Mul, BinaryOp::Div]),
        zero_points in any::<[i8; 3]>(),
        seed in any::<u64>(),
    ) {
        static KERNELS: LazyLock<Vec<Kernels>> = LazyLock::new(compiled);
        let mut state = seed;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as i8
        };
        let mut operand = |ones: [bool; 3], zero_point| {
            let at = |axis: usize| if ones[axis] { 1 } else { extents[axis] };
            let shape = [at(0), at(1), at(2)];
            let data: Vec<i8> = (0..shape.iter().product()).map(|_| byte()).collect();
            (shape, data, zero_point)
        };
        let (a, b) = (operand(ones_a, zero_points[0]), operand(ones_b, zero_points[1]));
        fn tensor((shape, data, zero_point): &([usize; 3], Vec<i8>, i8)) -> Tensor<'_> {
            let &[height, width, channels] = shape;
            Tensor { data, height, width, channels, zero_point: *zero_point }
        }
        let scales = if op == BinaryOp::Add { (0.3, -0.8) } else { (0.07, 1.0) };
        let operands = || ((tensor(&a), scales.0), (tensor(&b), scales.1));
        let [height, width, channels] = extents;
        let to = Output { height, width, channels, zero_point: zero_points[2], min: -100, max: 90 };
        let mut expected = vec![0; extents.iter().product()];
        generic::binary(op, operands().0, operands().1, to, &mut expected);
        for kernels in KERNELS.iter() {
            let mut found = vec![99; expected.len()];
            kernels.binary(op, operands().0, operands().1, to, &mut found);
            prop_assert_eq!(&found, &expected, "{}", kernels.isa());
        }
    }

    #[test]
    fn activations_are_as_defined(
        (pixels, channels) in (1_usize..6, 1_usize..150),
        lines in any::<bool>(),
        seed in any::<u64>(),
    ) {
        static KERNELS: LazyLock<Vec<Kernels>> = LazyLock::new(compiled);
        Function::new(pixels, channels, lines, seed).check(&KERNELS);
    }
}

/// Operators, tables, pools and concatenations; and the definition has the bits that it has on every other target.
#[test]
fn other_nodes_are_as_defined() {
    let (kernels, mut digest) = (compiled(), 0);
    for seed in 0..u64::from(cases().max(1000)) {
        Other::new(seed).check(&kernels, &mut digest);
        if seed == 999 {
            assert_eq!(digest, DIGEST, "{digest:#x}");
        }
    }
}

/// So many pixels that tables are made, by channels that a step of a kernel leaves over; and more channels than a row of a kernel takes.
#[test]
fn activations_of_many_pixels_are_as_defined() {
    let kernels = compiled();
    for (seed, channels) in (0..).zip([1, 2, 3, 7, 16, 24, 63, 64, 65, 100, 130, 512, 513, 1030]) {
        for pixels in [3, 511, 512, 600] {
            for lines in [false, true] {
                Function::new(pixels, channels, lines, seed).check(&kernels);
            }
        }
    }
}

/// One table for all elements, and one a channel, of counts that a step of a kernel leaves over.
#[test]
fn tables_are_looked_up_by_channel() {
    let kernels = compiled();
    for channels in (1..140).chain([256, 300]) {
        let tables: Vec<[u8; 256]> = (0..channels)
            .map(|c| std::array::from_fn(|q| (q * 7 + c * 31 + q * c / 3) as u8))
            .collect();
        for (pixels, count) in [(1, channels), (5, channels), (67, channels), (7, 1)] {
            let elements: Vec<i8> =
                (0..pixels * channels).map(|at| (at * 89 + at / 251) as u8 as i8).collect();
            let expected = elements
                .iter()
                .enumerate()
                .map(|(at, &q)| tables[at % channels % count][(i32::from(q) + 128) as usize] as i8);
            let expected: Vec<i8> = expected.collect();
            let mut found = elements.clone();
            generic::look_up(&tables[..count], &mut found);
            assert_eq!(found, expected, "generic on {channels} channels");
            for kernels in &kernels {
                let mut found = elements.clone();
                kernels.look_up(&tables[..count], &mut found);
                assert_eq!(found, expected, "{} on {channels} channels", kernels.isa());
            }
        }
    }
}

/// Every size from 1 to 129 of what kernels take in blocks: pixels, inputs, outputs.
#[test]
fn every_size_of_a_block_is_right() {
    let kernels = compiled();
    for size in 1..=129 {
        for other in [1, 7, 16, 33] {
            let seed = (size * 1000 + other) as u64;
            for shape in [
                Shape { rows: size, depth: other, outputs: other, ..POINT },
                Shape { columns: 3, depth: size, outputs: other, ..POINT },
                Shape { columns: 3, depth: other, outputs: size, ..POINT },
                Shape { columns: size, groups: other, kernel: [3, 3], pad: true, ..POINT },
                Shape {
                    columns: size,
                    groups: other,
                    kernel: [5, 5],
                    pad: true,
                    stride: 2,
                    ..POINT
                },
                Shape { columns: 5, rows: 3, groups: size, kernel: [3, 3], pad: true, ..POINT },
                Shape { columns: 9, rows: 3, groups: size, kernel: [5, 5], pad: true, ..POINT },
                Shape {
                    columns: size,
                    depth: other,
                    outputs: 3,
                    kernel: [3, 3],
                    pad: true,
                    ..POINT
                },
            ] {
                check(&kernels, &Case::new(shape, seed));
            }
        }
    }
}

/// Sums as large as they come: no lane saturates and none wraps.
#[test]
fn extremes_neither_saturate_nor_wrap() {
    let kernels = compiled();
    for (input, weight) in [(-128, -127), (-128, 127), (127, 127), (127, -127)] {
        for depth in [1, 16, 1000, 5000, 65536] {
            let shape = Shape { columns: 2, depth, outputs: 17, ..POINT };
            check(&kernels, &Case::new(shape, 1).filled(input, weight));
        }
        for kernel in [[3, 3], [5, 5], [7, 7]] {
            let shape = Shape { rows: 7, columns: 9, groups: 33, kernel, pad: true, ..POINT };
            check(&kernels, &Case::new(shape, 1).filled(input, weight));
        }
    }
}

/// Results past every int32 and every int8.
#[test]
fn large_multipliers_saturate_as_defined() {
    let kernels = compiled();
    for multiplier in [0.0, -0.3, 1.0, 1e4, 3e9, -3e9, 1e30, -1e30] {
        let shape = Shape { columns: 5, depth: 9, outputs: 35, ..POINT };
        check(&kernels, &Case::new(shape, 3).with_multiplier(multiplier));
        let shape = Shape { rows: 3, columns: 5, groups: 35, kernel: [3, 3], pad: true, ..POINT };
        check(&kernels, &Case::new(shape, 3).with_multiplier(multiplier));
    }
}

/// Residual sums of every length that a step of a kernel leaves over, in float32 as defined.
#[test]
fn sums_of_two_tensors_are_as_defined() {
    let kernels = compiled();
    let byte = |at: usize, factor: usize| (at * factor + at / 251) as u8 as i8;
    for count in 1..300 {
        let a: Vec<i8> = (0..count).map(|at| byte(at + count, 89)).collect();
        let b: Vec<i8> = (0..count).map(|at| byte(at, 151)).collect();
        for (scale_a, scale_b) in [(0.5, -0.3), (0.01, 0.7), (1e30, 1e30), (0.0, 2.5)] {
            let first = Term { data: &a, zero_point: -7, scale: scale_a };
            let second = Term { data: &b, zero_point: 90, scale: scale_b };
            let [min, max] = if count % 2 == 0 { [-128, 127] } else { [-20, 30] };
            let to = Output { height: 1, width: 1, channels: count, zero_point: -20, min, max };
            let expected = a.iter().zip(&b).map(|(&x, &y)| {
                let real =
                    (i32::from(x) + 7) as f32 * scale_a + (i32::from(y) - 90) as f32 * scale_b;
                let rounded = real.round_ties_even().clamp(-1e6, 1e6) as i32;
                (rounded - 20).clamp(min.into(), max.into()) as i8
            });
            let expected: Vec<i8> = expected.collect();
            for kernels in &kernels {
                let mut found = vec![99; count];
                kernels.add(first, second, &to, &mut found);
                assert_eq!(found, expected, "{} on {count} elements", kernels.isa());
            }
        }
    }
}

/// Sums from end to end, windows of every count of cells, also cut by padding: the quotient of whole numbers.
#[test]
fn means_of_integers_round_halves_as_stated() {
    let kernels = compiled();
    let (height, width, channels) = (9, 7, 70);
    let data: Vec<i8> = (0..height * width * channels)
        .map(|i| [-128, 127, -1, 0, 1, (i * 31 % 251) as i16 - 125][(i / 7) % 6] as i8)
        .collect();
    for (kernel, stride, padding) in [
        ([2, 2], 2, 0),
        ([2, 2], 1, 1),
        ([4, 3], 1, 2),
        ([3, 3], 2, 1),
        ([1, 2], 1, 0),
        ([9, 7], 1, 0),
    ] {
        let window = Window {
            kernel,
            stride: [stride; 2],
            dilation: [1; 2],
            padding: kernel.map(|k| padding.min(k - 1)),
        };
        let count = |axis: usize, extent: usize| {
            let padded = extent + 2 * usize::from(window.padding[axis]);
            (padded - usize::from(kernel[axis])) / usize::from(stride) + 1
        };
        let (rows, columns) = (count(0, height), count(1, width));
        for halves in [Halves::AwayFromZero, Halves::Up] {
            let mut expected = Vec::new();
            for (row, column, channel) in (0..rows * columns * channels)
                .map(|i| (i / channels / columns, i / channels % columns, i % channels))
            {
                let (mut sum, mut cells) = (0.0_f64, 0.0);
                for ky in window.inside(0, row, height) {
                    for kx in window.inside(1, column, width) {
                        let y = window.position(0, row, ky);
                        let at = (y * width + window.position(1, column, kx)) * channels + channel;
                        sum += f64::from(data[at]);
                        cells += 1.0;
                    }
                }
                let mean = sum / cells;
                expected.push(match halves {
                    Halves::AwayFromZero => mean.round() as i8,
                    Halves::Up => (mean + 0.5).floor() as i8,
                });
            }
            let x = Tensor { data: &data, height, width, channels, zero_point: 3 };
            let to = Output {
                height: rows,
                width: columns,
                channels,
                zero_point: 3,
                min: -128,
                max: 127,
            };
            for kernels in &kernels {
                let mut found = vec![99; expected.len()];
                kernels.mean(x, Mean::Integers { window: &window, halves }, to, &mut found);
                assert_eq!(found, expected, "{} on {window:?}, {halves:?}", kernels.isa());
            }
        }
    }
}

/// The generic kernel is one of the compiled ones; it is reached by its own name too.
#[test]
fn the_generic_kernel_is_the_definition() {
    let case = Case::new(Shape { columns: 5, depth: 9, outputs: 35, ..POINT }, 3);
    let mut found = vec![0; case.definition().len()];
    generic::conv(&case.convolution(), 0, &mut found);
    assert_eq!(found, case.definition());
}
