//! Runs sample inputs through the float graph to learn the range of every tensor.

use headstart::graph::{Graph, Value, ValueId};
use rayon::prelude::*;

use crate::cut::layout::orders;
use crate::float::{Run, over_samples, pool};
use crate::import::imported::IntegerMeans;
use crate::quantise::rounding::{HISTOGRAM_BYTES, Histogram, Quantisation};
use crate::quantise::sample::Sample;

/// Known ranges of the graph's tensors.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// The quantisation of every tensor; `None` where neither the model nor samples say it.
    pub quantisation: Vec<Option<Quantisation>>,
    /// The mean of every channel of every tensor over the calibration samples; empty if unknown.
    pub channel_means: Vec<Vec<f32>>,
    /// The quantisation of the features after pooling; without it they keep that of the map.
    pub features: Option<Quantisation>,
    /// Nodes that the model defines as means of integers.
    pub integer_means: IntegerMeans,
}

/// Finds the ranges of all tensors of `graph`, and of its output pooled to a `grid × grid` map.
///
/// `done` is called once for every pass of a sample: twice a sample.
///
/// # Errors
///
/// Whatever the executor says.
pub fn calibrate<R: Run>(
    graph: &Graph,
    runner: &R,
    samples: &[Sample],
    grid: usize,
    done: impl Fn() + Sync,
) -> Result<Ranges, R::Error> {
    let orders = orders(graph);
    let pooled = |value: ValueId, data: &[f32]| {
        pool(&graph.values[value].shape, data, orders[value].as_deref(), grid)
    };
    let extremes = over_samples(
        samples,
        runner.at_once(),
        &Extremes::new(graph),
        |extremes, sample| {
            runner.run(sample, &mut |value, data| extremes.add(graph, pooled, value, data))?;
            done();
            Ok(())
        },
        Extremes::merge,
    )?;
    let pooled_slot = graph.values.len();
    let computed = graph.nodes.len() + graph.inputs.len() + 1;
    let histograms = over_samples(
        samples,
        runner.at_once().min(HISTOGRAMS_BYTES / (computed * HISTOGRAM_BYTES)),
        &extremes.histograms(),
        |histograms, sample| {
            runner.run(sample, &mut |value, data| {
                histograms[value].add(data);
                if graph.outputs.contains(&value) {
                    histograms[pooled_slot].add(&pooled(value, data));
                }
            })?;
            done();
            Ok(())
        },
        |all, part| all.iter_mut().zip(part).for_each(|(a, b)| a.merge(b)),
    )?;
    let mut quantisation: Vec<Option<Quantisation>> =
        histograms.par_iter().map(|histogram| Some(histogram.best_quantisation())).collect();
    let features = quantisation.pop().flatten();
    let integer_means = IntegerMeans::new();
    Ok(Ranges { quantisation, channel_means: extremes.means(), features, integer_means })
}

/// Bytes of histograms that threads fill at the same time.
const HISTOGRAMS_BYTES: usize = 64 << 20;

/// Channels of all tensors whose means are kept; beyond them a tensor's means are unknown, and no bias is corrected by them.
const MOST_CHANNELS: usize = 1 << 22;

/// Least and greatest value and the channel sums of every tensor; the pooled output comes last.
#[derive(Clone, Debug)]
struct Extremes {
    ends: Vec<(f32, f32)>,
    sums: Vec<Vec<f64>>,
    samples: usize,
}

impl Extremes {
    fn new(graph: &Graph) -> Self {
        let mut room = MOST_CHANNELS;
        let mut channels = |value: &Value| {
            let found = value.shape.get(1).copied().filter(|_| value.constant.is_none());
            let left = found.and_then(|channels| room.checked_sub(channels));
            room = left.unwrap_or(room);
            left.and(found).unwrap_or(0)
        };
        Self {
            ends: vec![(0.0, 0.0); graph.values.len() + 1],
            sums: graph.values.iter().map(|value| vec![0.0; channels(value)]).collect(),
            samples: 0,
        }
    }

    fn add(
        &mut self,
        graph: &Graph,
        pooled: impl Fn(ValueId, &[f32]) -> Vec<f32>,
        value: ValueId,
        data: &[f32],
    ) {
        self.widen(value, data);
        if graph.inputs.contains(&value) {
            self.samples += 1;
        }
        let sums = &mut self.sums[value];
        if let Some(pixels) = data.len().checked_div(sums.len()).filter(|&n| n > 0) {
            for (sum, channel) in sums.iter_mut().zip(data.chunks_exact(pixels)) {
                *sum += channel.iter().map(|&v| f64::from(v)).sum::<f64>() / pixels as f64;
            }
        }
        if graph.outputs.contains(&value) {
            self.widen(graph.values.len(), &pooled(value, data));
        }
    }

    fn widen(&mut self, slot: usize, data: &[f32]) {
        let (low, high) = &mut self.ends[slot];
        for &value in data.iter().filter(|value| value.is_finite()) {
            *low = low.min(value);
            *high = high.max(value);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.ends.iter_mut().zip(&other.ends) {
            *a = (a.0.min(b.0), a.1.max(b.1));
        }
        for (a, b) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
            *a += b;
        }
        self.samples += other.samples;
    }

    fn histograms(&self) -> Vec<Histogram> {
        self.ends.iter().map(|&(low, high)| Histogram::new(low, high)).collect()
    }

    fn means(&self) -> Vec<Vec<f32>> {
        let count = self.samples.max(1) as f64;
        self.sums.iter().map(|sums| sums.iter().map(|sum| (sum / count) as f32).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headstart::graph::{Activation, Op};

    /// A graph of one ReLU, run by hand.
    struct Relu;

    impl Run for Relu {
        type Error = ();

        fn run(&self, input: &[f32], see: &mut dyn FnMut(ValueId, &[f32])) -> Result<(), ()> {
            see(0, input);
            see(1, &input.iter().map(|v| v.max(0.0)).collect::<Vec<_>>());
            Ok(())
        }
    }

    #[test]
    fn ranges_and_means_follow_the_samples() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2, 1, 2]);
        graph.inputs.push(x);
        let relu = Op::Activation(Activation::Relu);
        let y = graph.add_node("relu", relu, vec![x], "y").unwrap();
        graph.outputs.push(y);
        let samples: Vec<Sample> =
            (0..20).map(|i| vec![-1.0, 1.0, i as f32 / 10.0, 0.1].into()).collect();

        let ranges = calibrate(&graph, &Relu, &samples, 1, || ()).unwrap();

        let of_y = ranges.quantisation[y].unwrap();
        assert_eq!(of_y.zero_point, -128);
        assert_eq!(ranges.channel_means[x], [0.0, 0.525]);
        assert_eq!(ranges.channel_means[y][0], 0.5);
        assert!(ranges.features.unwrap().scale < of_y.scale);
    }
}
