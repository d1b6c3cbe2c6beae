//! Runs float graphs on samples: every tensor of a pass, statistics over passes, and features pooled as a device does.

use std::path::{Path, PathBuf};

use headstart::burn::backend::Flex;
use headstart::burn::{Executor, Tensor};
use headstart::graph::{Graph, ValueId};
use rayon::prelude::*;

use crate::error::Error;
use crate::import::cost::most_alive;
use crate::quantise::sample::Sample;

/// Bytes that runs at the same time take in all, about.
const MEMORY: u64 = 192 << 20;

/// Samples whose statistics are summed by one thread.
const CHUNK: usize = 8;

/// Gives every tensor of one pass through the graph to a visitor, inputs included.
pub trait Run: Sync {
    /// The error of a run that fails.
    type Error: Send;

    /// Runs one input, which is as long as the graph's input, and shows the tensors to the visitor.
    ///
    /// # Errors
    ///
    /// What the executor cannot do.
    fn run(&self, input: &[f32], see: &mut dyn FnMut(ValueId, &[f32])) -> Result<(), Self::Error>;

    /// How many runs may go on at the same time, by the memory that each takes.
    fn at_once(&self) -> usize {
        usize::MAX
    }
}

/// A float graph that shows all of its tensors.
pub struct FloatGraph {
    executor: Executor<Flex>,
    model: PathBuf,
    input: Vec<usize>,
    computed: Vec<ValueId>,
    at_once: usize,
}

impl FloatGraph {
    /// Readies `graph`, which came from `model`.
    ///
    /// # Errors
    ///
    /// [`Error::Execute`].
    pub fn new(model: &Path, graph: &Graph) -> Result<Self, Error> {
        let execute = |problem| Error::Execute { model: model.to_owned(), problem };
        let computed = (0..graph.values.len())
            .filter(|&value| graph.inputs.contains(&value) || graph.producer(value).is_some())
            .collect();
        Ok(Self {
            executor: Executor::new(graph, &Default::default()).map_err(execute)?,
            model: model.to_owned(),
            input: graph.values[graph.inputs[0]].shape.clone(),
            computed,
            at_once: at_once(graph),
        })
    }
}

/// Runs of `graph` that together take no more than [`MEMORY`]: what is alive in each of them, and a copy that is looked at.
fn at_once(graph: &Graph) -> usize {
    let alive = most_alive(graph).map_or(1, |(_, elements)| elements.max(1));
    usize::try_from(MEMORY / alive.saturating_mul(8)).unwrap_or(usize::MAX).max(1)
}

impl FloatGraph {
    /// Runs one input and shows these tensors alone.
    ///
    /// # Errors
    ///
    /// [`Error::Execute`].
    pub fn run_for(
        &self,
        wanted: &[ValueId],
        input: &[f32],
        see: &mut dyn FnMut(ValueId, &[f32]),
    ) -> Result<(), Error> {
        let input = Tensor { shape: self.input.clone(), data: input.to_vec() };
        self.executor
            .observe(&[input], wanted, |value, tensor| see(value, &tensor.data))
            .map_err(|problem| Error::Execute { model: self.model.clone(), problem })
    }

    /// How many runs may go on at the same time: as many as there are threads, and memory for.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        rayon::current_num_threads().min(self.at_once).max(1)
    }

    /// Shows only some of the tensors from now on.
    #[must_use]
    pub fn showing(mut self, wanted: impl Fn(ValueId) -> bool) -> Self {
        self.computed.retain(|&value| wanted(value));
        self
    }
}

impl Run for FloatGraph {
    type Error = Error;

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn run(&self, input: &[f32], see: &mut dyn FnMut(ValueId, &[f32])) -> Result<(), Error> {
        self.run_for(&self.computed, input, see)
    }
}

/// Accumulates over the samples on as many threads as may run at once. The result does not depend on how many those are:
/// chunks of samples are accumulated in order, and merged in order.
pub(crate) fn over_samples<A: Clone + Send + Sync, E: Send>(
    samples: &[Sample],
    at_once: usize,
    empty: &A,
    add: impl Fn(&mut A, &[f32]) -> Result<(), E> + Sync,
    merge: impl Fn(&mut A, &A),
) -> Result<A, E> {
    let mut all = empty.clone();
    // What chunks have accumulated is not kept longer than need be: there may be much of it.
    let threads = rayon::current_num_threads().min(at_once).max(1);
    for wave in samples.chunks(CHUNK * threads) {
        let parts: Vec<A> = wave
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut part = empty.clone();
                chunk.iter().try_for_each(|sample| add(&mut part, &sample.values()))?;
                Ok(part)
            })
            .collect::<Result<_, E>>()?;
        parts.iter().for_each(|part| merge(&mut all, part));
    }
    Ok(all)
}

/// Pools a tensor to the means over the bins of a `grid × grid` map: what the device computes of the freeze point, in real numbers.
///
/// `order` are the tensor's axes without the batch, places first and channels last (see [`layout`]); that is the order
/// of the result too. Without places, or without an order, all elements stay as they are.
///
/// [`layout`]: crate::cut::layout
#[must_use]
pub fn pool(shape: &[usize], data: &[f32], order: Option<&[usize]>, grid: usize) -> Vec<f32> {
    let Some((&channel_axis, places)) = order.and_then(<[usize]>::split_last) else {
        return data.to_vec();
    };
    let of = |axis: usize| (shape[axis + 1], shape[axis + 2..].iter().product::<usize>());
    let [(height, down), (width, along)] = match *places {
        [] => return data.to_vec(),
        [row] => [of(row), (1, 0)],
        [row, column, ..] => [of(row), of(column)],
    };
    let (channels, step) = of(channel_axis);
    let bin =
        |i: usize, bins: usize, extent: usize| i * extent / bins..((i + 1) * extent).div_ceil(bins);
    let (rows, columns) = (height.min(grid), width.min(grid));
    let mut pooled = Vec::with_capacity(rows * columns * channels);
    for row in 0..rows {
        for column in 0..columns {
            let (ys, xs) = (bin(row, rows, height), bin(column, columns, width));
            let count = (ys.len() * xs.len()) as f32;
            for channel in 0..channels {
                let places = ys.clone().flat_map(|y| xs.clone().map(move |x| (y, x)));
                let cells = places.map(|(y, x)| data[channel * step + y * down + x * along]);
                pooled.push(cells.sum::<f32>() / count);
            }
        }
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_of_means_has_channels_last() {
        let data: Vec<f32> = (0..18).map(|v| v as f32).collect();
        // Two channels of 3 × 3; bins of two rows and columns overlap in the middle.
        let pooled = pool(&[1, 2, 3, 3], &data, Some(&[1, 2, 0]), 2);
        assert_eq!(pooled, [2.0, 11.0, 3.0, 12.0, 5.0, 14.0, 6.0, 15.0]);
        assert_eq!(pool(&[1, 4], &data[..4], Some(&[0]), 2), data[..4]);
        assert_eq!(pool(&[1, 2, 3, 3], &data, None, 1), data);
    }

    #[test]
    fn a_map_is_pooled_alike_however_its_axes_stand() {
        let (c, h, w) = (3, 4, 5);
        let at = |channel: usize, y: usize, x: usize| (channel * 31 + y * 7 + x * x) as f32;
        let first: Vec<f32> = (0..c * h * w).map(|i| at(i / (h * w), i / w % h, i % w)).collect();
        let last: Vec<f32> = (0..c * h * w).map(|i| at(i % c, i / (w * c), i / c % w)).collect();
        let between: Vec<f32> = (0..c * h * w).map(|i| at(i / w % c, i / (c * w), i % w)).collect();
        for grid in 1..4 {
            let expected = pool(&[1, c, h, w], &first, Some(&[1, 2, 0]), grid);
            assert_eq!(pool(&[1, h, w, c], &last, Some(&[0, 1, 2]), grid), expected);
            assert_eq!(pool(&[1, h, c, w], &between, Some(&[0, 2, 1]), grid), expected);
        }
    }
}
