//! The nodes that multiply nothing, on random operands: operators of two operands, tables, pools, concatenations.

extern crate alloc;

use alloc::{vec, vec::Vec};

use headstart::kernels::Kernels;
use headstart::kernels::generic::{self, Mean, Output, Tensor};
use headstart::network::{BinaryOp, Halves, Window};

/// Of the definition's results for the first thousand cases: what every target must find.
pub(crate) const DIGEST: u64 = 0x8e25_1a3d_aa47_00aa;

/// Numbers from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as usize % bound
    }

    fn byte(&mut self) -> i8 {
        match self.below(8) {
            0 => [-128, 127, 0, -1][self.below(4)],
            _ => self.below(256) as u8 as i8,
        }
    }

    fn bytes(&mut self, count: usize) -> Vec<i8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// Mostly one that leaves results within int8.
    fn factor(&mut self, usual: f32) -> f32 {
        match self.below(16) {
            0 => [0.0, 1e30, -1e30, 1e-30][self.below(4)],
            _ => usual * (self.below(2000) as f32 / 1000.0 - 0.3),
        }
    }

    /// Few, or a few more than a step or a row of any kernel.
    fn channels(&mut self) -> usize {
        match self.below(24) {
            0 => 500 + self.below(40),
            1 => 1020 + self.below(20),
            _ => 1 + self.below(80),
        }
    }
}

enum Kind {
    Binary {
        op: BinaryOp,
        other: Vec<i8>,
        shape: [usize; 3],
        zero_point: i8,
        scales: [f32; 2],
        swap: bool,
    },
    Tables(Vec<generic::Table>),
    MaxPool(Window),
    Windows {
        window: Window,
        counted_padding: Option<[u16; 2]>,
        multiplier: f32,
    },
    Integers {
        window: Window,
        halves: Halves,
    },
    Bins(f32),
    Concat {
        multiplier: f32,
        axis: u8,
        at: usize,
    },
}

/// A node, its operand and its result's extents.
pub(crate) struct Other {
    seed: u64,
    kind: Kind,
    data: Vec<i8>,
    extents: [usize; 3],
    zero_point: i8,
    to: Output,
}

impl Other {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let extents = [1 + draw.below(7), 1 + draw.below(7), draw.channels()];
        let [height, width, channels] = extents;
        let zero_point = draw.byte();
        let (a, b) = (draw.byte(), draw.byte());
        let [min, max] = if draw.below(2) == 0 { [-128, 127] } else { [a.min(b), a.max(b)] };
        let mut to = Output { height, width, channels, zero_point: draw.byte(), min, max };
        let kind = match draw.below(9) {
            0..3 => {
                let op =
                    [BinaryOp::Mul, BinaryOp::Mul, BinaryOp::Add, BinaryOp::Div][draw.below(4)];
                let ones = [
                    [true, true, false],
                    [true; 3],
                    [false, false, true],
                    [false; 3],
                    [true, false, true],
                ];
                let ones = ones[draw.below(5)];
                let shape = [0, 1, 2].map(|axis| if ones[axis] { 1 } else { extents[axis] });
                let scales = match op {
                    BinaryOp::Add => [draw.factor(0.7), draw.factor(0.7)],
                    _ => [draw.factor(0.03), 1.0],
                };
                let other = draw.bytes(shape.iter().product());
                Kind::Binary {
                    op,
                    other,
                    shape,
                    zero_point: draw.byte(),
                    scales,
                    swap: draw.below(3) == 0,
                }
            }
            3 => {
                let count = if draw.below(2) == 0 { 1 } else { channels };
                let step = 1 + 2 * draw.below(100);
                let table =
                    |c: usize| core::array::from_fn(|q| (q * step + c * 31 + q * c / 3) as u8);
                Kind::Tables((0..count).map(table).collect())
            }
            4 => Kind::MaxPool(window(&mut draw, &mut to)),
            5 => {
                let window = window(&mut draw, &mut to);
                let counted_padding = [None, Some(window.padding), Some([0, 1])][draw.below(3)];
                Kind::Windows { window, counted_padding, multiplier: draw.factor(2.0) }
            }
            6 => {
                let halves = [Halves::AwayFromZero, Halves::Up][draw.below(2)];
                Kind::Integers { window: window(&mut draw, &mut to), halves }
            }
            7 => {
                (to.height, to.width) = (1 + draw.below(height), 1 + draw.below(width));
                Kind::Bins(draw.factor(2.0))
            }
            _ => {
                let (axis, at) = (draw.below(3), draw.below(5));
                let extent = [&mut to.height, &mut to.width, &mut to.channels];
                let [rows, columns, depth] = extent;
                *[rows, columns, depth][axis] += at + draw.below(3);
                let multiplier = if draw.below(2) == 0 { 1.0 } else { draw.factor(2.0) };
                Kind::Concat { multiplier, axis: axis as u8, at }
            }
        };
        let data = draw.bytes(height * width * channels);
        Self { seed, kind, data, extents, zero_point, to }
    }

    fn operand(&self) -> Tensor<'_> {
        let [height, width, channels] = self.extents;
        Tensor { data: &self.data, height, width, channels, zero_point: self.zero_point }
    }

    fn mean(&self) -> Option<Mean<'_>> {
        Some(match &self.kind {
            Kind::Windows { window, counted_padding, multiplier } => {
                Mean::Windows { window, counted_padding: *counted_padding, multiplier: *multiplier }
            }
            Kind::Integers { window, halves } => Mean::Integers { window, halves: *halves },
            Kind::Bins(multiplier) => Mean::Bins { multiplier: *multiplier },
            _ => return None,
        })
    }

    /// The result by these kernels, or by the definition.
    fn run(&self, kernels: Option<Kernels>) -> Vec<i8> {
        let (x, to) = (self.operand(), self.to);
        let mut out = vec![99; to.height * to.width * to.channels];
        match &self.kind {
            Kind::Binary {
                op,
                other,
                shape: [height, width, channels],
                zero_point,
                scales,
                swap,
            } => {
                let y = Tensor {
                    data: other,
                    height: *height,
                    width: *width,
                    channels: *channels,
                    zero_point: *zero_point,
                };
                let (a, b) = if *swap { (y, x) } else { (x, y) };
                let (a, b) = ((a, scales[0]), (b, scales[1]));
                match kernels {
                    Some(kernels) => kernels.binary(*op, a, b, to, &mut out),
                    None => generic::binary(*op, a, b, to, &mut out),
                }
            }
            Kind::Tables(tables) => {
                out.copy_from_slice(&self.data);
                match kernels {
                    Some(kernels) => kernels.look_up(tables, &mut out),
                    None => generic::look_up(tables, &mut out),
                }
            }
            Kind::MaxPool(window) => match kernels {
                Some(kernels) => kernels.max_pool(x, window, to, &mut out),
                None => generic::max_pool(x, window, to, &mut out),
            },
            Kind::Concat { multiplier, axis, at } => match kernels {
                Some(kernels) => kernels.concat(x, *multiplier, *axis, *at, to, &mut out),
                None => generic::concat(x, *multiplier, *axis, *at, to, &mut out),
            },
            Kind::Windows { .. } | Kind::Integers { .. } | Kind::Bins(_) => {
                let mean = self.mean().unwrap();
                match kernels {
                    Some(kernels) => kernels.mean(x, mean, to, &mut out),
                    None => generic::mean(x, mean, to, &mut out),
                }
            }
        }
        out
    }

    /// Whether all kernels give what the definition gives, which is added to a digest.
    pub(crate) fn check(&self, kernels: &[Kernels], digest: &mut u64) {
        let expected = self.run(None);
        for &kernels in kernels {
            let what = (kernels.isa(), self.seed, self.extents);
            assert!(self.run(Some(kernels)) == expected, "{what:?}");
        }
        for &q in &expected {
            *digest = (*digest ^ u64::from(q as u8)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// A window, and the result's extents for it: every window has a cell inside the input.
fn window(draw: &mut Draw, to: &mut Output) -> Window {
    let mut axis = |extent: &mut usize| {
        let kernel = 1 + draw.below(*extent + 1);
        let (stride, dilation) = (1 + draw.below(3), 1);
        let padding = draw.below(kernel.min(3));
        let room = *extent + padding;
        *extent = if room > kernel { (room - kernel) / stride + 1 } else { 1 };
        [kernel, stride, dilation, padding].map(|n| n as u16)
    };
    let (rows, columns) = (axis(&mut to.height), axis(&mut to.width));
    let [kernel, stride, dilation, padding] = [0, 1, 2, 3].map(|at| [rows[at], columns[at]]);
    Window { kernel, stride, dilation, padding }
}
