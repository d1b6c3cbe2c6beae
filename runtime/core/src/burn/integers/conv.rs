use std::vec;
use std::vec::Vec;

use burn::tensor::ops::{Device, FloatTensor};
use burn::tensor::{Shape, Slice, TensorMetadata};

use super::{EXACT, constant, cropped, plane, quantise, range};
use crate::burn::FloatBackend;
use crate::burn::ops::{Plane, convolve, pad_constant, scalar, slice};
use crate::burn::tensor::Array;
use crate::graph::GraphError;
use crate::network::{Conv, Value};
use crate::pack::Pack;

/// What the weights are divided by where their sums are too long: `w = 16 · high + low`, `low` in −8…7.
const STEP: i64 = 16;

/// What a long bias is divided by: its quotient times this is a float32 for every int32.
const LONG: i64 = 256;

/// A convolution, its weights as `[outputs, inputs / groups, rows, columns]`.
pub(super) struct Convolution<B: FloatBackend> {
    plane: Plane,
    groups: usize,
    to: Value,
    /// All of a channel, or the low bits of it.
    low: Part<B>,
    /// The other bits of channels whose products might pass 2^24. `16 · high + low` is one sum of two exact numbers: it
    /// is rounded once, like the integer sum when it becomes a float.
    high: Option<Part<B>>,
    /// What is left of biases that are too long alone, for the same kind of sum.
    long: Option<FloatTensor<B>>,
    /// `[1, outputs, 1, 1]`
    multipliers: FloatTensor<B>,
    bounds: [i64; 2],
    exact: bool,
}

/// Weights and bias on the device.
struct Part<B: FloatBackend> {
    weights: Array<B>,
    bias: FloatTensor<B>,
}

/// The integers of a convolution, a row an output channel.
#[derive(Default)]
struct Rows {
    /// `[output][input][row][column]`
    weights: Vec<i64>,
    /// Of operands less their zero point.
    bias: Vec<i64>,
}

/// A convolution's integers as parts no sum of which passes 2^24, if `exact`.
struct Parts {
    low: Rows,
    high: Rows,
    long: Vec<i64>,
    exact: bool,
}

/// Whether no sum of some of a channel's products and its bias, in any order, passes 2^24.
fn is_exact(weights: &[i64], bias: i64, [low, high]: [i64; 2]) -> bool {
    // Padding is 0, and so is what is not added yet.
    let greatest = |w: &i64| (w * low).max(w * high).max(0);
    let least = |w: &i64| (w * low).min(w * high).min(0);
    let above = weights.iter().map(greatest).sum::<i64>() + bias.max(0);
    let below = weights.iter().map(least).sum::<i64>() + bias.min(0);
    above < EXACT && -below < EXACT
}

/// `n` less the nearest multiple of `step`.
fn rest(n: i64, step: i64) -> i64 {
    (n + step / 2).rem_euclid(step) - step / 2
}

impl Rows {
    fn push(&mut self, weights: impl Iterator<Item = i64>, bias: i64) {
        self.weights.extend(weights);
        self.bias.push(bias);
    }

    /// Each channel whole, or without the greatest part of its bias, or in high and low bits: the first that is exact.
    fn parts(&self, between: [i64; 2]) -> Parts {
        let products = self.weights.len() / self.bias.len().max(1);
        let (mut low, mut high, mut long) = (Self::default(), Self::default(), Vec::new());
        let mut exact = true;
        for (weights, &bias) in self.weights.chunks(products.max(1)).zip(&self.bias) {
            let short = [bias, rest(bias, LONG)];
            if let Some(short) = short.into_iter().find(|&short| is_exact(weights, short, between))
            {
                low.push(weights.iter().copied(), short);
                high.push(weights.iter().map(|_| 0), 0);
                long.push(bias - short);
                continue;
            }
            let quotient = |n: i64| (n - rest(n, STEP)) / STEP;
            low.push(weights.iter().map(|&w| rest(w, STEP)), rest(bias, STEP));
            high.push(weights.iter().map(|&w| quotient(w)), quotient(bias));
            long.push(0);
            exact &= [&low, &high].iter().all(|part| {
                let row = &part.weights[part.weights.len() - products..];
                is_exact(row, part.bias[part.bias.len() - 1], between)
            });
        }
        Parts { low, high, long, exact }
    }

    fn upload<B: FloatBackend>(&self, kernel: &[usize], device: &Device<B>) -> Part<B> {
        let floats = |integers: &[i64]| integers.iter().map(|&n| n as f32).collect::<Vec<f32>>();
        let weights = constant::<B>(floats(&self.weights), kernel, device);
        let bias = constant::<B>(floats(&self.bias), &[self.bias.len()], device);
        Part { weights: Array { primitive: weights, shape: kernel.to_vec() }, bias }
    }
}

impl<B: FloatBackend> Convolution<B> {
    /// `between` is what the operand can be, less its zero point.
    pub(super) fn new(
        pack: &Pack<'_>,
        conv: &Conv,
        (from, between): (&Value, [i64; 2]),
        to: &Value,
        device: &Device<B>,
    ) -> Self {
        let rows = rows(pack, conv, from, to);
        let [height, width] = conv.window.kernel.map(usize::from);
        let depth = (from.channels / conv.groups) as usize;
        let kernel = [to.channels as usize, depth, height, width];
        let Parts { low, high, long, exact } = rows.parts(between);
        let any = |numbers: &[i64]| numbers.iter().any(|&n| n != 0);
        let is_split = any(&high.weights) || any(&high.bias);
        let floats = |numbers: &[i64]| numbers.iter().map(|&n| n as f32).collect();
        let of_channels = |numbers| constant::<B>(numbers, &[1, kernel[0], 1, 1], device);
        let records = pack.network().channels(conv.channels, to.channels);
        let multipliers = (0..records.len()).map(|channel| records.get(channel).1).collect();
        Self {
            plane: plane(&conv.window, from, to),
            groups: conv.groups as usize,
            to: *to,
            low: low.upload(&kernel, device),
            high: is_split.then(|| high.upload(&kernel, device)),
            long: any(&long).then(|| of_channels(floats(&long))),
            multipliers: of_channels(multipliers),
            bounds: range(to, conv.min, conv.max),
            exact,
        }
    }

    /// Each element of a channel counted as it is, once for each cell of a window: sums of windows, and no more.
    pub(super) fn of_ones(plane: Plane, to: &Value, device: &Device<B>) -> Sums<B> {
        let channels = to.channels as usize;
        let kernel = [channels, 1, plane.kernel[0], plane.kernel[1]];
        let ones = Rows { weights: vec![1; kernel.iter().product()], bias: vec![0; channels] };
        Sums { part: ones.upload(&kernel, device), plane, to: *to }
    }

    /// Whether no sum can pass 2^24.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    pub(super) fn run(&self, x: Array<B>) -> Result<FloatTensor<B>, GraphError> {
        let part = |part: &Part<B>, x| part.sums(&self.plane, self.groups, x, &self.to);
        let mut sums = match &self.high {
            None => part(&self.low, x)?,
            Some(high) => {
                let high = B::float_mul_scalar(part(high, x.clone())?, scalar(STEP as f32));
                B::float_add(high, part(&self.low, x)?)
            }
        };
        if let Some(long) = &self.long {
            sums = B::float_add(sums, long.clone());
        }
        Ok(quantise::<B>(B::float_mul(sums, self.multipliers.clone()), self.bounds))
    }
}

/// Sums of windows, channel by channel.
pub(super) struct Sums<B: FloatBackend> {
    part: Part<B>,
    plane: Plane,
    to: Value,
}

impl<B: FloatBackend> Sums<B> {
    pub(super) fn run(&self, x: Array<B>) -> Result<FloatTensor<B>, GraphError> {
        self.part.sums(&self.plane, self.to.channels as usize, x, &self.to)
    }
}

impl<B: FloatBackend> Part<B> {
    fn sums(
        &self,
        plane: &Plane,
        groups: usize,
        x: Array<B>,
        to: &Value,
    ) -> Result<FloatTensor<B>, GraphError> {
        let [outputs, depth] = [self.weights.shape[0], self.weights.shape[1]];
        if !B::CONVOLVES_GROUPS
            && depth == 1
            && groups == outputs
            && groups == x.shape[1]
            && groups > 1
        {
            return self.tap_by_tap(plane, x, to);
        }
        let y = convolve(plane, groups, x, self.weights.clone(), Some(self.bias.clone()))?;
        let found = y.shape().to_vec();
        Ok(cropped::<B>(y, &found, to))
    }

    /// A depthwise convolution as a sum over the kernel of what it meets, times the channels' weights.
    fn tap_by_tap(
        &self,
        plane: &Plane,
        x: Array<B>,
        to: &Value,
    ) -> Result<FloatTensor<B>, GraphError> {
        let channels = self.weights.shape[0];
        let x = pad_constant(
            x,
            &[0, 0, plane.begin[0], plane.begin[1]],
            &[0, 0, plane.end[0], plane.end[1]],
            0.0,
        )?;
        let outputs = [to.height as usize, to.width as usize];
        let of_channel = |x| B::float_reshape(x, Shape::from([1, channels, 1, 1]));
        let mut sum = None;
        for tap in 0..plane.kernel[0] * plane.kernel[1] {
            let place = [tap / plane.kernel[1], tap % plane.kernel[1]];
            let met = |axis: usize| {
                let start = place[axis] * plane.dilations[axis];
                let end = start + (outputs[axis] - 1) * plane.strides[axis] + 1;
                Slice::new(start as isize, Some(end as isize), plane.strides[axis] as isize)
            };
            let met =
                slice::<B>(x.primitive.clone(), &[Slice::full(), Slice::full(), met(0), met(1)]);
            let one = |at: usize| Slice::new(at as isize, Some(at as isize + 1), 1);
            let cells = [Slice::full(), Slice::full(), one(place[0]), one(place[1])];
            let weights = of_channel(B::float_slice(self.weights.primitive.clone(), &cells));
            let products = B::float_mul(met, weights);
            sum = Some(match sum {
                None => B::float_add(products, of_channel(self.bias.clone())),
                Some(sum) => B::float_add(sum, products),
            });
        }
        sum.ok_or(GraphError::Operands { found: 0 })
    }
}

/// The integers of a convolution, and its bias as if the operand's zero point were 0.
fn rows(pack: &Pack<'_>, conv: &Conv, from: &Value, to: &Value) -> Rows {
    let [height, width] = conv.window.kernel.map(usize::from);
    let (taps, groups) = (height * width, conv.groups as usize);
    let depth = from.channels as usize / groups;
    let outputs = to.channels as usize;
    let all = &pack.network().weights()[conv.weights as usize..];
    let layout = conv.weight_rows(from, to);
    let depthwise = conv.is_depthwise(from, to);
    let group_bytes = layout.and_then(|rows| rows.bytes()).unwrap_or(0);
    let weight = |output: usize, input: usize, tap: usize| match layout {
        Some(rows) if !depthwise => {
            let (group, channel) = (output / rows.outputs, output % rows.outputs);
            all[group * group_bytes + rows.index(channel, tap * depth + input)]
        }
        _ => all[tap * outputs + output],
    };
    let mut weights = Vec::with_capacity(outputs * depth * taps);
    for output in 0..outputs {
        for input in 0..depth {
            weights.extend((0..taps).map(|tap| i64::from(weight(output, input, tap))));
        }
    }
    let records = pack.network().channels(conv.channels, to.channels);
    let zero_point = i64::from(from.zero_point);
    let bias = weights.chunks((depth * taps).max(1)).enumerate().map(|(output, row)| {
        i64::from(records.get(output).0) + zero_point * row.iter().sum::<i64>()
    });
    let bias = bias.collect();
    Rows { weights, bias }
}
