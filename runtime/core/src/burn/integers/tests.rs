//! Every node on every backend against the int8 kernels, value by value.

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use super::Integers;
use crate::backbone::Backbone;
use crate::burn::FloatBackend;
use crate::burn::testing::on_every_backend;
use crate::network::{
    Activation, AveragePool, Binary, BinaryOp, Conv, Curve, GridPool, Halves, IntegerMean, Node,
    PadMode, Value, WeightRows, Window,
};
use crate::pack::{Contents, Input, Pack, Preprocessing, Provenance, Resize, emit};

/// A pack that is put together node by node.
struct Builder {
    values: Vec<Value>,
    nodes: Vec<Node<'static>>,
    weights: Vec<i8>,
    channels: Vec<(i32, f32)>,
    tables: Vec<u8>,
    end: u32,
    state: u64,
}

impl Builder {
    fn new(extents: [u32; 3], zero_point: i8, seed: u64) -> Self {
        let mut builder = Self {
            values: vec![],
            nodes: vec![],
            weights: vec![],
            channels: vec![],
            tables: vec![],
            end: 0,
            state: seed * 2 + 1,
        };
        builder.value(extents, zero_point);
        builder
    }

    fn value(&mut self, [height, width, channels]: [u32; 3], zero_point: i8) {
        let offset = self.end;
        self.end += (height * width * channels).next_multiple_of(64);
        let scale = 0.5;
        self.values.push(Value {
            offset,
            height,
            width,
            channels,
            scale,
            zero_point,
            kept_rows: 0,
        });
    }

    /// The index of the new value.
    fn node(&mut self, node: Node<'static>, extents: [u32; 3], zero_point: i8) -> u32 {
        self.nodes.push(node);
        self.value(extents, zero_point);
        self.nodes.len() as u32
    }

    fn random(&mut self, below: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % below
    }

    /// Bytes with the extremes well represented.
    fn bytes(&mut self, count: usize, least: i8) -> Vec<i8> {
        let mut byte = || match self.random(8) {
            0 => least,
            1 => 127,
            _ => ((self.random(256) as u8).cast_signed()).max(least),
        };
        (0..count).map(|_| byte()).collect()
    }

    /// A convolution of value `input` whose results fill the range of int8.
    fn conv(&mut self, input: u32, extents: [u32; 3], groups: u32, window: Window) -> u32 {
        let from = self.values[input as usize];
        let taps = u32::from(window.kernel[0]) * u32::from(window.kernel[1]);
        let products = (taps * from.channels / groups) as usize;
        let outputs = extents[2] as usize;
        let rows = self.bytes(products * outputs, -127);
        let (weights, channels) = (self.weights.len() as u32, self.channels.len() as u32);
        if groups == from.channels && groups == extents[2] {
            // `[row][column][channel]`
            let cells = taps as usize;
            self.weights
                .extend((0..cells * outputs).map(|at| rows[at % outputs * cells + at / outputs]));
        } else {
            let layout = WeightRows { outputs: outputs / groups as usize, products };
            for group in rows.chunks(rows.len() / groups as usize) {
                self.weights.extend(layout.arrange(group));
            }
        }
        for row in rows.chunks(products) {
            let sum: i32 = row.iter().map(|&w| i32::from(w)).sum();
            let bias = self.random(40_000) as i32 - 20_000 - sum * i32::from(from.zero_point);
            let multiplier =
                0.002 * (0.5 + self.random(1000) as f32 / 1000.0) / (products as f32).sqrt();
            self.channels.push((bias, multiplier));
        }
        let conv = Conv { input, window, groups, weights, channels, min: -120, max: 127 };
        self.node(Node::Conv(conv), extents, 3)
    }

    fn table(&mut self, bytes: Vec<u8>) -> u32 {
        let start = self.tables.len() as u32;
        self.tables.extend(bytes);
        start
    }

    /// What the kernels and the backend make of three samples.
    #[track_caller]
    fn check<B: FloatBackend>(mut self, exact: bool) {
        let first = self.values[0];
        let samples = self.bytes(3 * first.elements() as usize, -128);
        let bytes = emit(&Contents {
            provenance: Provenance {
                model: "by hand",
                source_sha256: [7; 32],
                tool_version: "0",
                freeze_point: "last",
                calibration: "none",
                calibration_samples: 0,
                multiply_accumulates: 1,
            },
            input: Input {
                height: first.height,
                width: first.width,
                channels: first.channels,
                channels_first: true,
                preprocessing: Preprocessing {
                    resize: Resize::Stretch,
                    mean: [0.0; 3],
                    std: [1.0; 3],
                },
            },
            max_classes: 2,
            values: self.values,
            nodes: self.nodes,
            weights: self.weights,
            channels: self.channels,
            tables: self.tables,
            tail: None,
            head: None,
        });
        let bytes = bytes.unwrap();
        let pack = Pack::open(&bytes).unwrap();
        let integers = Integers::<B>::new(&pack, &Default::default()).unwrap();
        assert_eq!(integers.is_exact(), exact, "{:?}", integers.not_proven());
        let ids: Vec<u32> = (0..=pack.node_count()).collect();
        let mut found = Vec::new();
        integers.observe(&samples, &ids, |id, data| found.push((id, data.to_vec()))).unwrap();
        let mut arena = vec![0; pack.plan().arena_bytes as usize];
        let mut backbone = Backbone::new(pack, &mut arena).unwrap();
        let mut features = Vec::new();
        for (index, sample) in samples.chunks(first.elements() as usize).enumerate() {
            let last = backbone
                .run(sample, |id, value, _, expected| {
                    let part = value.elements() as usize;
                    let found = &found[id as usize].1[index * part..][..part];
                    let wrong = found.iter().zip(expected).position(|(a, b)| a != b);
                    assert_eq!(wrong, None, "value {id} of sample {index}");
                })
                .unwrap();
            features.extend_from_slice(last);
        }
        assert_eq!(integers.features(&samples).unwrap(), features);
        assert!(integers.features(&samples[1..]).is_err() || first.elements() == 1);
        assert!(integers.features(&[]).is_err());
        assert!(integers.live_elements() >= first.elements() as usize);
    }
}

const fn window(
    kernel: [u16; 2],
    stride: [u16; 2],
    dilation: [u16; 2],
    padding: [u16; 2],
) -> Window {
    Window { kernel, stride, dilation, padding }
}

const POINT: Window = window([1; 2], [1; 2], [1; 2], [0; 2]);

fn convolutions_are_those_of_the_kernels<B: FloatBackend>() {
    let cases = [
        // Input, output, groups, window.
        ([5, 7, 3], [5, 7, 20], 1, POINT),
        ([9, 8, 3], [4, 4, 8], 1, window([3; 2], [2; 2], [1; 2], [0; 2])),
        ([9, 9, 3], [5, 5, 8], 1, window([3; 2], [2; 2], [1; 2], [1; 2])),
        ([8, 8, 6], [8, 8, 6], 6, window([3; 2], [1; 2], [1; 2], [1; 2])),
        ([8, 9, 5], [4, 4, 5], 5, window([5; 2], [2; 2], [1; 2], [1, 0])),
        ([8, 9, 4], [8, 9, 12], 4, window([3, 2], [1; 2], [1; 2], [1, 1])),
        ([7, 7, 6], [7, 7, 4], 2, window([3; 2], [1; 2], [1; 2], [1; 2])),
        ([12, 5, 2], [4, 2, 3], 1, window([3, 2], [3, 2], [2, 1], [0, 0])),
        // Less of the input than fits, and padding behind as much as before.
        ([9, 9, 2], [2, 2, 3], 1, window([3; 2], [2; 2], [1; 2], [1; 2])),
        ([1, 1, 70], [1, 1, 33], 1, POINT),
        ([1, 1, 1], [1, 1, 1], 1, POINT),
    ];
    for (seed, (from, to, groups, window)) in (1..).zip(cases) {
        for zero_point in [-128, 0, 127] {
            let mut builder = Builder::new(from, zero_point, seed);
            let first = builder.conv(0, to, groups, window);
            builder.conv(first, [to[0], to[1], 5], 1, POINT);
            builder.check::<B>(true);
        }
    }
}
on_every_backend!(convolutions_are_those_of_the_kernels);

fn sums_past_the_float_integers_are_split<B: FloatBackend>() {
    let mut builder = Builder::new([2, 2, 4000], -128, 5);
    // All of one sign, so that sums pass 2^24 indeed.
    let wide = builder.conv(0, [2, 2, 4], 1, POINT);
    builder.weights.iter_mut().for_each(|w| *w = w.saturating_abs());
    builder
        .channels
        .iter_mut()
        .for_each(|(bias, multiplier)| (*bias, *multiplier) = (-29_999_999, 3e-6));
    builder.conv(wide, [2, 2, 3], 1, POINT);
    // A bias alone can be too long.
    let channels = builder.channels.len() - 3;
    let long = [(1 << 30, 1e-7), (-(1 << 27) + 1, 9e-7), (16_777_217, 7e-6)];
    builder.channels[channels..].copy_from_slice(&long);
    builder.check::<B>(true);

    // Both at once: not proven, and here past the range of the result.
    let mut builder = Builder::new([1, 1, 4000], -128, 5);
    builder.conv(0, [1, 1, 1], 1, POINT);
    builder.channels[0] = (-(1 << 30), 1e-6);
    builder.check::<B>(false);
}
on_every_backend!(sums_past_the_float_integers_are_split);

fn elementwise_nodes_are_those_of_the_kernels<B: FloatBackend>() {
    let shape = [3, 5, 7];
    for (seed, op) in (1..).zip([BinaryOp::Add, BinaryOp::Mul, BinaryOp::Div]) {
        let mut builder = Builder::new(shape, 9, seed);
        let one: Vec<u8> = builder.bytes(256, -128).iter().map(|q| q.cast_unsigned()).collect();
        let table = builder.table(one);
        let a = builder.node(Node::Table { input: 0, table, per_channel: false }, shape, -4);
        let many: Vec<u8> =
            builder.bytes(7 * 256, -128).iter().map(|q| q.cast_unsigned()).collect();
        let table = builder.table(many);
        let b = builder.node(Node::Table { input: a, table, per_channel: true }, shape, 0);
        let mean = Node::GridPool(GridPool { input: b, multiplier: 3.0 });
        let small = builder.node(mean, [1, 1, 7], 2);
        let scale_b = if op == BinaryOp::Add { -0.8 } else { 1.0 };
        let scale_a = [0.7, 0.02, 30.0][seed as usize - 1];
        for (first, second) in [(a, b), (b, small), (small, a)] {
            let binary = Binary { op, a: first, b: second, scale_a, scale_b, min: -100, max: 120 };
            builder.node(Node::Binary(binary), shape, -11);
        }
        // Zeros divided by zeros, and by what they are.
        let zeros = builder.table(vec![0; 256]);
        let zero =
            builder.node(Node::Table { input: 0, table: zeros, per_channel: false }, shape, 0);
        for second in [zero, a] {
            let binary = Binary { op, a: zero, b: second, scale_a, scale_b, min: -100, max: 120 };
            builder.node(Node::Binary(binary), shape, 1);
        }
        let binary = Binary { op, a, b: zero, scale_a, scale_b, min: -100, max: 120 };
        builder.node(Node::Binary(binary), shape, 1);
        builder.check::<B>(true);
    }
}
on_every_backend!(elementwise_nodes_are_those_of_the_kernels);

fn activations_are_those_of_the_kernels<B: FloatBackend>() {
    let shape = [3, 20, 5];
    for (seed, points) in (1..).zip([None, Some(0.01), Some(-3.0)]) {
        let mut builder = Builder::new(shape, -9, seed);
        let numbers = |builder: &mut Builder, count: u64, of: &dyn Fn(f32) -> f32| {
            let bytes = (0..count).flat_map(|at| of(at as f32).to_le_bytes()).collect();
            builder.table(bytes)
        };
        let factors = numbers(&mut builder, 10, &|at| (at - 1.5) * 0.7);
        let curve = match points {
            None => Curve::HardSwish,
            Some(slope) => {
                let points = numbers(&mut builder, 1025, &|at| slope * at + at % 7.0);
                Curve::Lines { points }
            }
        };
        builder.node(Node::Activation(Activation { input: 0, factors, curve }), shape, 4);
        builder.check::<B>(true);
    }
}
on_every_backend!(activations_are_those_of_the_kernels);

fn pools_are_those_of_the_kernels<B: FloatBackend>() {
    let windows = [
        ([4, 3], window([2; 2], [2; 2], [1; 2], [0; 2])),
        ([9, 7], window([3; 2], [1; 2], [1; 2], [1; 2])),
        ([5, 4], window([3, 2], [2; 2], [1; 2], [1, 1])),
        ([5, 3], window([3; 2], [1, 2], [2, 1], [0; 2])),
        ([1, 1], window([9, 7], [1; 2], [1; 2], [0; 2])),
        ([1, 1], window([6, 7], [1; 2], [1; 2], [1, 0])),
    ];
    for (seed, ([rows, columns], window)) in (1..).zip(windows) {
        let mut builder = Builder::new([9, 7, 4], -7, seed);
        builder.node(Node::MaxPool { input: 0, window }, [rows, columns, 4], -7);
        for counted_padding in [None, Some([0, 0]), Some([1, 1])] {
            let pool = AveragePool { input: 0, window, counted_padding, multiplier: 1.3 };
            builder.node(Node::AveragePool(pool), [rows, columns, 4], 5);
        }
        for halves in [Halves::AwayFromZero, Halves::Up] {
            let pool = IntegerMean { input: 0, window, halves };
            builder.node(Node::IntegerMean(pool), [rows, columns, 4], -7);
        }
        let pool = GridPool { input: 0, multiplier: 1.7 };
        builder.node(Node::GridPool(pool), [rows.min(9), columns.min(7), 4], 5);
        builder.check::<B>(true);
    }
}
on_every_backend!(pools_are_those_of_the_kernels);

fn arrangements_are_those_of_the_kernels<B: FloatBackend>() {
    let mut builder = Builder::new([4, 5, 6], -20, 3);
    for mode in [PadMode::Constant(7), PadMode::Reflect, PadMode::Edge] {
        builder.node(Node::Pad { input: 0, before: [1, 2, 3], mode }, [7, 8, 11], 4);
        builder.node(Node::Pad { input: 0, before: [0, 0, 1], mode }, [4, 6, 7], -20);
    }
    // Channels in front, every second row, and a transposition.
    let orders = [
        ([5, 6, 4], [1, 4, 5, 6, 1], [0, 30, 6, 1, 1]),
        ([4, 5, 6], [6, 4, 5, 1, 1], [1, 30, 6, 0, 0]),
        ([2, 5, 6], [1, 2, 5, 6, 1], [0, 60, 6, 1, 0]),
        ([5, 4, 6], [1, 5, 4, 6, 1], [0, 6, 30, 1, 0]),
    ];
    for (to, extents, strides) in orders {
        builder.node(Node::Permute { input: 0, extents, strides }, to, -20);
        builder.node(Node::Permute { input: 0, extents, strides }, to, 30);
    }
    for (axis, to) in [(0, [8, 5, 6]), (1, [4, 10, 6]), (2, [4, 5, 12])] {
        let mut operands = Vec::new();
        for (id, multiplier) in [(0_u32, 0.75_f32), (0, 1.0)] {
            operands.extend(id.to_le_bytes());
            operands.extend(multiplier.to_le_bytes());
        }
        builder.node(
            Node::Concat { axis, operands: Box::leak(operands.into_boxed_slice()) },
            to,
            11,
        );
    }
    builder.check::<B>(true);
}
on_every_backend!(arrangements_are_those_of_the_kernels);

fn softmax_is_that_of_the_kernels<B: FloatBackend>() {
    for (seed, channels) in (1..).zip([1, 2, 10, 77]) {
        let mut builder = Builder::new([2, 3, channels], -3, seed);
        let entries = (0..256).map(|distance| libm::expf(-0.05 * distance as f32).to_le_bytes());
        let table = builder.table(entries.flatten().collect());
        builder.node(Node::Softmax { input: 0, table, multiplier: 255.0 }, [2, 3, channels], -128);
        builder.check::<B>(true);
    }
}
on_every_backend!(softmax_is_that_of_the_kernels);
