//! The int8 backbone of a pack on any Burn backend: float arithmetic on its integers.
//!
//! Every step is the one that the runtime's kernels define. Float32 holds integers below 2^24 exactly, in whatever
//! order a backend adds them, and a GPU's tensor cores hold operands of eight bits; so the result is that of the
//! kernels, bit by bit, where no sum passes 2^24. Which convolutions that is said of is computed from their weights when a
//! backbone is uploaded; those that might pass it are put together from two that cannot.
//!
//! Values are held less their zero points, as `[N, channels, height, width]`: padding is zero, and a convolution
//! reads its operand as it is.

mod arrange;
mod conv;
mod elementwise;
mod pool;
#[cfg(test)]
mod tests;

use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use burn::tensor::ops::{Device, FloatTensor};
use burn::tensor::{Shape, Slice, TensorData};

use super::ops::{Plane, greatest, scalar};
use super::tensor::Array;
use super::{ExecuteError, FloatBackend};
use crate::backbone;
use crate::graph::{GraphError, Window as GraphWindow};
use crate::kernels::activation::tables;
use crate::network::{
    AveragePool, Binary, GridPool, IntegerMean, Node, TABLE_BYTES, Value, ValueId, Window,
    concat_operands,
};
use crate::pack::Pack;

/// Integers of this magnitude and above are not all float32.
const EXACT: i64 = 1 << 24;

/// A pack's backbone on a Burn backend, its weights uploaded.
pub struct Integers<B: FloatBackend> {
    device: Device<B>,
    values: Vec<Value>,
    steps: Vec<Step<B>>,
    crossing: Vec<ValueId>,
    /// For each value how many nodes read it; what crosses to the head counts as one more.
    readers: Vec<usize>,
    not_proven: Vec<u32>,
}

/// A node, and what of it lies on the device.
enum Step<B: FloatBackend> {
    Conv(ValueId, conv::Convolution<B>),
    Table(ValueId, elementwise::Table<B>),
    Binary(Binary),
    MaxPool(ValueId, Window),
    Mean(ValueId, pool::Mean<B>),
    IntegerMean(ValueId, pool::IntegerMean<B>),
    Concat(u8, Vec<(ValueId, f32)>),
    Pad(ValueId, arrange::Padding),
    Permute(ValueId, arrange::Order<B>),
    Softmax(ValueId, elementwise::Softmax<B>),
}

/// Tensors of a pass, `[N, channels, height, width]`, less their zero points.
struct Pass<'a, B: FloatBackend> {
    values: &'a [Value],
    tensors: Vec<Option<FloatTensor<B>>>,
    samples: usize,
}

impl<B: FloatBackend> Pass<'_, B> {
    /// A value that exists already: opening the pack checked the order.
    fn operand(&self, id: ValueId) -> Result<Array<B>, ExecuteError> {
        let undefined = || ExecuteError::Undefined { value: id.to_string() };
        let value = self.values.get(id as usize).ok_or_else(undefined)?;
        let primitive = self.tensors.get(id as usize).cloned().flatten().ok_or_else(undefined)?;
        Ok(Array { primitive, shape: extents(value, self.samples).to_vec() })
    }

    /// An operand whose integers stand in the result as they are, less the result's zero point.
    fn rebased(&self, id: ValueId, to: &Value) -> Result<Array<B>, ExecuteError> {
        let mut x = self.operand(id)?;
        let own = f32::from(self.values[id as usize].zero_point);
        let shift = own - f32::from(to.zero_point);
        if shift != 0.0 {
            x.primitive = B::float_add_scalar(x.primitive, scalar(shift));
        }
        Ok(x)
    }
}

impl<B: FloatBackend> Integers<B> {
    /// Decodes the nodes and uploads what they hold.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Backend`]; none of the pack's, which was verified when it was opened.
    pub fn new(pack: &Pack<'_>, device: &Device<B>) -> Result<Self, ExecuteError> {
        let values: Vec<Value> = (0..=pack.node_count())
            .map(|id| pack.value(id))
            .collect::<Result<_, _>>()
            .map_err(of_pack)?;
        // What each value can be, less its zero point.
        let mut ranges = vec![range(&values[0], i8::MIN, i8::MAX)];
        let mut readers = vec![0; values.len()];
        let mut steps = Vec::with_capacity(values.len());
        let mut not_proven = Vec::new();
        for (index, (node, to)) in (0_u32..).zip(pack.nodes().zip(&values[1..])) {
            let node = node.map_err(of_pack)?;
            node.operands(|id| readers[id as usize] += 1);
            let from = |id: ValueId| &values[id as usize];
            let mut exact = true;
            let mut bounds = range(to, i8::MIN, i8::MAX);
            steps.push(match node {
                Node::Conv(c) => {
                    bounds = range(to, c.min, c.max);
                    let prepared = conv::Convolution::new(
                        pack,
                        &c,
                        (from(c.input), ranges[c.input as usize]),
                        to,
                        device,
                    );
                    exact = prepared.is_exact();
                    Step::Conv(c.input, prepared)
                }
                Node::Table { input, table, per_channel } => {
                    let count = if per_channel { from(input).channels as usize } else { 1 };
                    let tables = pack.network().table(table, count * TABLE_BYTES).as_chunks().0;
                    Step::Table(input, elementwise::Table::new(tables, from(input), to, device))
                }
                // Whatever an activation computes, it has 256 results a channel.
                Node::Activation(activation) => {
                    let input = from(activation.input);
                    let function = backbone::activation(pack.network(), &activation, input);
                    let function = function.map_err(of_pack)?;
                    let tables = tables(&function, backbone::output(to, i8::MIN, i8::MAX));
                    let table = elementwise::Table::new(&tables, input, to, device);
                    Step::Table(activation.input, table)
                }
                Node::Binary(binary) => {
                    bounds = range(to, binary.min, binary.max);
                    Step::Binary(binary)
                }
                Node::MaxPool { input, window } => {
                    bounds = ranges[input as usize];
                    Step::MaxPool(input, window)
                }
                Node::AveragePool(AveragePool { input, window, counted_padding, multiplier }) => {
                    let mean = pool::Mean::of_windows(
                        from(input),
                        to,
                        window,
                        counted_padding,
                        multiplier,
                        device,
                    );
                    exact = mean.is_exact();
                    Step::Mean(input, mean)
                }
                Node::GridPool(GridPool { input, multiplier }) => {
                    let mean = pool::Mean::of_grid(from(input), to, multiplier, device);
                    exact = mean.is_exact();
                    Step::Mean(input, mean)
                }
                Node::IntegerMean(IntegerMean { input, window, halves }) => {
                    let mean = pool::IntegerMean::new(from(input), to, window, halves, device);
                    exact = mean.is_exact();
                    Step::IntegerMean(input, mean)
                }
                Node::Concat { axis, operands } => {
                    Step::Concat(axis, concat_operands(operands).collect())
                }
                Node::Pad { input, before, mode } => {
                    Step::Pad(input, arrange::Padding::new(from(input), to, before, mode))
                }
                Node::Permute { input, extents, strides } => {
                    Step::Permute(input, arrange::Order::new(to, extents, strides, device))
                }
                Node::Softmax { input, table, multiplier } => {
                    let table = &pack.network().tables()[table as usize..];
                    Step::Softmax(input, elementwise::Softmax::new(table, multiplier, device))
                }
            });
            ranges.push(bounds);
            if !exact {
                not_proven.push(index);
            }
        }
        let crossing: Vec<ValueId> = match pack.tail() {
            Some(tail) => tail.crossing().collect(),
            None => vec![pack.node_count()],
        };
        crossing.iter().for_each(|&id| readers[id as usize] += 1);
        Ok(Self { device: device.clone(), values, steps, crossing, readers, not_proven })
    }

    /// Whether the features are proven to be those of the int8 kernels: no sum of any sample can pass 2^24. If not, they may differ by a
    /// step.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.not_proven.is_empty()
    }

    /// Indices of the nodes whose sums may pass 2^24, so that the features are not proven to be those of the int8 kernels.
    #[must_use]
    pub fn not_proven(&self) -> &[u32] {
        &self.not_proven
    }

    /// Most elements of the values that live at a time, for one sample; each takes four bytes, and so does the copy
    /// that a convolution may make of its operand for each cell of its kernel.
    #[must_use]
    pub fn live_elements(&self) -> usize {
        let elements = |id: usize| self.values[id].elements() as usize;
        let mut left = self.readers.clone();
        let (mut live, mut most) = (elements(0), elements(0));
        for (index, step) in self.steps.iter().enumerate() {
            live += elements(index + 1);
            most = most.max(live);
            step.operands(|id| {
                left[id as usize] -= 1;
                if left[id as usize] == 0 {
                    live -= elements(id as usize);
                }
            });
        }
        most
    }

    /// The features of samples that stand one after another, each int8 `[height, width, channels]` in the pack's input
    /// scale (see [`preprocess`](crate::preprocess)): [`Pack::feature_len`] a sample.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Sample`] if `inputs` is not a whole number of samples; [`ExecuteError::Backend`].
    pub fn features(&self, inputs: &[i8]) -> Result<Vec<i8>, ExecuteError> {
        let mut parts = vec![Vec::new(); self.crossing.len()];
        let samples = self.observe(inputs, &self.crossing, |id, data| {
            for (part, &crossing) in parts.iter_mut().zip(&self.crossing) {
                if crossing == id {
                    *part = data.to_vec();
                }
            }
        })?;
        let mut features = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        for sample in 0..samples {
            for part in &parts {
                let length = part.len() / samples;
                features.extend_from_slice(&part[sample * length..][..length]);
            }
        }
        Ok(features)
    }

    /// Runs the backbone and shows values as they come to be, with the elements of all samples, int8
    /// `[sample, height, width, channels]`. The input is value 0. Returns the number of samples.
    ///
    /// # Errors
    ///
    /// Those of [`features`](Self::features).
    pub fn observe(
        &self,
        inputs: &[i8],
        wanted: &[ValueId],
        mut see: impl FnMut(ValueId, &[i8]),
    ) -> Result<usize, ExecuteError> {
        let elements = self.values[0].elements() as usize;
        if inputs.is_empty() || !inputs.len().is_multiple_of(elements) {
            return Err(ExecuteError::Sample { index: inputs.len() / elements });
        }
        let samples = inputs.len() / elements;
        let mut left = self.readers.clone();
        let mut pass =
            Pass { values: &self.values, tensors: vec![None; self.values.len()], samples };
        pass.tensors[0] = Some(self.upload(inputs, samples));
        for (id, value) in (0..).zip(&self.values) {
            if let Some(index) = (id as usize).checked_sub(1) {
                let step = &self.steps[index];
                let at_node = |source| ExecuteError::Node { node: index.to_string(), source };
                let result = self.execute(step, value, &pass).map_err(|failure| match failure {
                    Failure::Shape(source) => at_node(source),
                    Failure::Execute(error) => error,
                })?;
                pass.tensors[id as usize] = Some(result);
                step.operands(|id| {
                    left[id as usize] -= 1;
                    if left[id as usize] == 0 {
                        pass.tensors[id as usize] = None;
                    }
                });
            }
            if wanted.contains(&id) {
                see(id, &self.download(pass.operand(id)?, value)?);
            }
        }
        Ok(samples)
    }

    fn execute(
        &self,
        step: &Step<B>,
        to: &Value,
        pass: &Pass<'_, B>,
    ) -> Result<FloatTensor<B>, Failure> {
        let bounds = range(to, i8::MIN, i8::MAX);
        Ok(match step {
            Step::Conv(input, conv) => conv.run(pass.operand(*input)?)?,
            Step::Table(input, table) => table.run(pass.operand(*input)?),
            Step::Binary(binary) => {
                let operands = [pass.operand(binary.a)?, pass.operand(binary.b)?];
                elementwise::binary(binary, operands, range(to, binary.min, binary.max))
            }
            Step::MaxPool(input, window) => {
                let x = pass.operand(*input)?;
                let window = graph_window(window, &self.values[*input as usize], to);
                let extents = window.output(&x.shape[2..])?;
                let pooled = [x.shape[0], x.shape[1], extents[0], extents[1]];
                let y = greatest(&window, x, &pooled)?;
                // Padding is −∞; a window of nothing else has the least integer.
                B::float_clamp_min(cropped::<B>(y, &pooled, to), scalar(bounds[0] as f32))
            }
            Step::Mean(input, mean) => quantise::<B>(mean.run(pass.operand(*input)?)?, bounds),
            Step::IntegerMean(input, mean) => mean.run(pass.operand(*input)?, bounds)?,
            Step::Concat(axis, operands) => {
                let mut tensors = Vec::with_capacity(operands.len());
                for &(id, multiplier) in operands {
                    let scaled =
                        B::float_mul_scalar(pass.operand(id)?.primitive, scalar(multiplier));
                    tensors.push(quantise::<B>(scaled, bounds));
                }
                B::float_cat(tensors, arrange::AXES[usize::from(*axis)])
            }
            Step::Pad(input, padding) => padding.run(pass.rebased(*input, to)?, &self.device)?,
            Step::Permute(input, order) => order.run(pass.rebased(*input, to)?),
            Step::Softmax(input, softmax) => {
                quantise::<B>(softmax.run(pass.operand(*input)?), bounds)
            }
        })
    }

    fn upload(&self, inputs: &[i8], samples: usize) -> FloatTensor<B> {
        let value = &self.values[0];
        let zero_point = f32::from(value.zero_point);
        let data: Vec<f32> = inputs.iter().map(|&q| f32::from(q) - zero_point).collect();
        let [n, c, h, w] = extents(value, samples);
        let pixels = B::float_from_data(TensorData::new(data, [n, h, w, c]), &self.device);
        B::float_permute(pixels, &[0, 3, 1, 2])
    }

    fn download(&self, x: Array<B>, value: &Value) -> Result<Vec<i8>, ExecuteError> {
        let primitive = B::float_permute(x.primitive, &[0, 2, 3, 1]);
        let zero_point = i32::from(value.zero_point);
        let integer = |real: f32| {
            i8::try_from(real as i32 + zero_point).map_err(|_| {
                ExecuteError::Backend(format!("it gave {real} for an integer of 8 bits"))
            })
        };
        Array::<B> { primitive, shape: x.shape }.download()?.data.into_iter().map(integer).collect()
    }
}

impl<B: FloatBackend> Step<B> {
    fn operands(&self, mut read: impl FnMut(ValueId)) {
        match self {
            Self::Conv(input, _)
            | Self::Table(input, _)
            | Self::MaxPool(input, _)
            | Self::Mean(input, _)
            | Self::IntegerMean(input, _)
            | Self::Pad(input, _)
            | Self::Permute(input, _)
            | Self::Softmax(input, _) => read(*input),
            Self::Binary(Binary { a, b, .. }) => [*a, *b].into_iter().for_each(read),
            Self::Concat(_, operands) => operands.iter().for_each(|&(id, _)| read(id)),
        }
    }
}

/// What can go wrong at a node.
enum Failure {
    Shape(GraphError),
    Execute(ExecuteError),
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        Self::Shape(error)
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        Self::Execute(error)
    }
}

fn of_pack(error: crate::Error) -> ExecuteError {
    ExecuteError::Backend(error.to_string())
}

/// The least and the greatest of a value less its zero point.
fn range(value: &Value, min: i8, max: i8) -> [i64; 2] {
    [min, max].map(|bound| i64::from(bound) - i64::from(value.zero_point))
}

fn extents(value: &Value, samples: usize) -> [usize; 4] {
    [samples, value.channels as usize, value.height as usize, value.width as usize]
}

/// `clamp(rne(real), least, greatest)`, for bounds that are integers below 2^9.
///
/// As in the kernels: clamped first, and the sum with 1.5 · 2^23 leaves no fraction, in any arithmetic that rounds each
/// sum to the nearest, ties to even. No backend's own rounding is needed, which candle puts together from eight steps.
fn quantise<B: FloatBackend>(real: FloatTensor<B>, [least, greatest]: [i64; 2]) -> FloatTensor<B> {
    const MAGIC: f32 = 12_582_912.0;
    let x = B::float_clamp(real, scalar(least as f32), scalar(greatest as f32));
    B::float_sub_scalar(B::float_add_scalar(x, scalar(MAGIC)), scalar(MAGIC))
}

/// The window with as much padding behind the input as its output needs.
fn graph_window(window: &Window, from: &Value, to: &Value) -> GraphWindow {
    let both = |pair: [u16; 2]| pair.map(usize::from).to_vec();
    let [kernel, strides, dilations, before] =
        [window.kernel, window.stride, window.dilation, window.padding].map(both);
    let behind = |axis: usize, extent: u32, windows: u32| {
        let reach = (kernel[axis] - 1) * dilations[axis] + 1;
        let read = (windows as usize - 1) * strides[axis] + reach;
        read.saturating_sub(extent as usize + before[axis])
    };
    let behind = vec![behind(0, from.height, to.height), behind(1, from.width, to.width)];
    GraphWindow { kernel, strides, dilations, pads_begin: before, pads_end: behind }
}

/// Without the rows and columns that `to` does not have: it may leave some of the input unread.
fn cropped<B: FloatBackend>(x: FloatTensor<B>, found: &[usize], to: &Value) -> FloatTensor<B> {
    let (height, width) = (to.height as usize, to.width as usize);
    if found[2..] == [height, width] {
        return x;
    }
    let up_to = |end: usize| Slice::new(0, Some(end as isize), 1);
    B::float_slice(x, &[Slice::full(), Slice::full(), up_to(height), up_to(width)])
}

fn plane(window: &Window, from: &Value, to: &Value) -> Plane {
    Plane::new(&graph_window(window, from, to))
}

/// Numbers on the device, in that shape.
fn constant<B: FloatBackend>(
    data: Vec<f32>,
    shape: &[usize],
    device: &Device<B>,
) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(data, Shape::from(shape.to_vec())), device)
}
