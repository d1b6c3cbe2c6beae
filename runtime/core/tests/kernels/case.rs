//! A convolution to test kernels with: its shape, its bytes, and what it must give.

extern crate alloc;

use alloc::{vec, vec::Vec};

use headstart::kernels::generic::{Convolution, Output, Tensor};
use headstart::network::{ChannelRecords, WeightRows, Window};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Extents of the output.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Inputs of a group.
    pub(crate) depth: usize,
    /// Outputs of a group.
    pub(crate) outputs: usize,
    pub(crate) groups: usize,
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    /// Whether half of the kernel's reach is padding.
    pub(crate) pad: bool,
}

impl Shape {
    pub(crate) fn is_depthwise(&self) -> bool {
        self.depth == 1 && self.outputs == 1 && self.groups > 1
    }

    fn padding(&self) -> [usize; 2] {
        self.kernel.map(|k| if self.pad { (k - 1) * self.dilation / 2 } else { 0 })
    }

    /// Extents of the smallest input that has room for the output's windows.
    fn input(&self) -> [usize; 2] {
        let outputs = [self.rows, self.columns];
        let padding = self.padding();
        [0, 1].map(|axis| {
            let reach = (self.kernel[axis] - 1) * self.dilation + 1;
            ((outputs[axis] - 1) * self.stride + reach - 2 * padding[axis]).max(1)
        })
    }
}

pub(crate) const POINT: Shape = Shape {
    rows: 1,
    columns: 1,
    depth: 1,
    outputs: 1,
    groups: 1,
    kernel: [1, 1],
    stride: 1,
    dilation: 1,
    pad: false,
};

/// So many shapes of every kind, each with a seed for its bytes.
#[allow(dead_code, reason = "tests that have proptest draw from there")]
pub(crate) fn random(seed: u64, count: usize) -> impl Iterator<Item = (Shape, u64)> {
    let mut state = seed | 1;
    let mut below = move |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as usize % bound
    };
    (0..count).map(move |_| {
        let kind = below(4);
        let each = kind >= 2;
        let kernel = match kind {
            0 => [1, 1],
            1 => [1 + below(5), 1 + below(5)],
            _ => [[3, 3], [5, 5], [3, 3], [2, 3]][below(4)],
        };
        let shape = Shape {
            rows: 1 + below(8),
            columns: 1 + below(12),
            depth: if each { 1 } else { 1 + below(40) },
            outputs: if each { 1 } else { 1 + below(50) },
            groups: if each { 2 + below(40) } else { [1, 1, 1, 2, 3][below(5)] },
            kernel,
            stride: 1 + below(if each { 2 } else { 3 }),
            dilation: [1, 1, 1, 2][below(4)],
            pad: below(3) > 0,
        };
        (shape, below(1 << 24) as u64)
    })
}

/// Depthwise shapes of more rows than a kernel lays out at a time, and convolutions of 3 × 3 whose rows end in all places of a tile.
#[allow(dead_code, reason = "tests that have proptest draw from there")]
pub(crate) fn large() -> impl Iterator<Item = Shape> {
    let depthwise =
        [(40, 13), (21, 25), (30, 60), (9, 100)].into_iter().flat_map(|(rows, columns)| {
            [1, 2].map(|stride| {
                let kernel = [3, 3];
                Shape { rows, columns, groups: 6, kernel, stride, pad: true, ..POINT }
            })
        });
    let whole = (1..14).flat_map(|columns| {
        [(1, 1), (3, 2), (8, 1), (16, 2)].map(|(depth, stride)| {
            let (kernel, rows, outputs) = ([3, 3], 5, 20);
            Shape { rows, columns, depth, outputs, kernel, stride, pad: true, ..POINT }
        })
    });
    depthwise.chain(whole)
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) shape: Shape,
    pub(crate) seed: u64,
    window: Window,
    input: Vec<i8>,
    /// `[out][row][column][in / groups]`.
    rows: Vec<i8>,
    weights: Vec<i8>,
    records: Vec<u8>,
    to: Output,
    zero_point: i8,
}

/// Bytes with the extremes well represented.
fn bytes(count: usize, state: &mut u64, least: i8) -> Vec<i8> {
    let mut next = || {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let byte = (*state >> 56) as u8 as i8;
        match (*state >> 40) % 8 {
            0 => least,
            1 => 127,
            _ => byte.max(least),
        }
    };
    (0..count).map(|_| next()).collect()
}

impl Case {
    pub(crate) fn new(shape: Shape, seed: u64) -> Self {
        let mut state = seed | 1;
        let [height, width] = shape.input();
        let (channels, outputs) = (shape.depth * shape.groups, shape.outputs * shape.groups);
        let products = shape.kernel[0] * shape.kernel[1] * shape.depth;
        let narrow = |pair: [usize; 2]| pair.map(|n| n as u16);
        let window = Window {
            kernel: narrow(shape.kernel),
            stride: narrow([shape.stride; 2]),
            dilation: narrow([shape.dilation; 2]),
            padding: narrow(shape.padding()),
        };
        let input = bytes(height * width * channels, &mut state, i8::MIN);
        let rows = bytes(products * outputs, &mut state, -127);
        let records = (0..outputs).flat_map(|c| {
            let bias = (c as i32 * 37 - 500).to_le_bytes();
            bias.into_iter().chain((0.0007 * (c % 50) as f32 + 0.0003).to_le_bytes())
        });
        let zero = bytes(2, &mut state, i8::MIN);
        let [min, max] = if seed.is_multiple_of(3) { [i8::MIN, i8::MAX] } else { [-120, 126] };
        let to = Output {
            height: shape.rows,
            width: shape.columns,
            channels: outputs,
            zero_point: zero[1],
            min,
            max,
        };
        let records = records.collect();
        let mut case = Self {
            shape,
            seed,
            window,
            input,
            rows,
            weights: vec![],
            records,
            to,
            zero_point: zero[0],
        };
        case.arrange();
        case
    }

    /// The same with every input and weight the same.
    pub(crate) fn filled(mut self, input: i8, weight: i8) -> Self {
        self.input.fill(input);
        self.rows.fill(weight);
        self.arrange();
        self
    }

    pub(crate) fn with_multiplier(mut self, multiplier: f32) -> Self {
        for record in self.records.chunks_exact_mut(8) {
            record[4..].copy_from_slice(&multiplier.to_le_bytes());
        }
        self
    }

    /// Lays the weights out as the pack has them.
    fn arrange(&mut self) {
        let shape = &self.shape;
        let products = shape.kernel[0] * shape.kernel[1] * shape.depth;
        if shape.is_depthwise() {
            let groups = shape.groups;
            let order = (0..products).flat_map(|tap| (0..groups).map(move |c| c * products + tap));
            self.weights = order.map(|at| self.rows[at]).collect();
            return;
        }
        let layout = WeightRows { outputs: shape.outputs, products };
        let group_bytes = layout.bytes().unwrap();
        self.weights = vec![0; group_bytes * shape.groups];
        for (index, &weight) in self.rows.iter().enumerate() {
            let (output, product) = (index / products, index % products);
            let start = output / shape.outputs * group_bytes;
            self.weights[start + layout.index(output % shape.outputs, product)] = weight;
        }
    }

    pub(crate) fn convolution(&self) -> Convolution<'_> {
        let [height, width] = self.shape.input();
        let channels = self.shape.depth * self.shape.groups;
        Convolution {
            x: Tensor { data: &self.input, height, width, channels, zero_point: self.zero_point },
            window: &self.window,
            groups: self.shape.groups,
            weights: &self.weights,
            channels: ChannelRecords::new(&self.records),
            to: self.to,
        }
    }

    /// The result, from the formula: one sum after another, in int64 and float32.
    pub(crate) fn definition(&self) -> Vec<i8> {
        let shape = &self.shape;
        let ([height, width], padding) = (shape.input(), shape.padding());
        let channels = shape.depth * shape.groups;
        let records = ChannelRecords::new(&self.records);
        let mut results = Vec::new();
        for index in 0..shape.rows * shape.columns * self.to.channels {
            let (pixel, output) = (index / self.to.channels, index % self.to.channels);
            let (bias, multiplier) = records.get(output);
            let group = output / shape.outputs;
            let mut sum = i64::from(bias);
            let taps = shape.kernel[0] * shape.kernel[1];
            for tap in 0..taps {
                let y =
                    pixel / shape.columns * shape.stride + tap / shape.kernel[1] * shape.dilation;
                let x =
                    pixel % shape.columns * shape.stride + tap % shape.kernel[1] * shape.dilation;
                let inside = (padding[0]..height + padding[0]).contains(&y)
                    && (padding[1]..width + padding[1]).contains(&x);
                for i in 0..shape.depth {
                    let weight = self.rows[(output * taps + tap) * shape.depth + i];
                    let input = if inside {
                        let at = (y - padding[0]) * width + x - padding[1];
                        self.input[at * channels + group * shape.depth + i]
                    } else {
                        self.zero_point
                    };
                    sum += i64::from(input) * i64::from(weight);
                }
            }
            let real = sum as i32 as f32 * multiplier;
            let (low, high) = (i32::from(self.to.min), i32::from(self.to.max));
            let rounded = libm::rintf(real).clamp(-1e6, 1e6) as i32;
            let result = (rounded + i32::from(self.to.zero_point)).clamp(low, high);
            results.push(result as i8);
        }
        results
    }
}
