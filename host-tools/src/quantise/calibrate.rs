//! Runs sample inputs through the float graph to learn the range of every tensor.

use headstart::graph::{Graph, Value, ValueId};
use rayon::prelude::*;

use crate::cut::layout::orders;
use crate::float::{Run, over_samples, pool};
use crate::import::imported::IntegerMeans;
use crate::import::scales::is_quantised;
use crate::quantise::equalise::{self, ChannelScales, Seen};
use crate::quantise::rounding::{HISTOGRAM_BYTES, Histogram, Quantisation};
use crate::quantise::rules::Rules;
use crate::quantise::sample::Sample;

/// Known ranges of the graph's tensors.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// The scales of channels by which tensors are divided before they are quantised.
    pub scales: ChannelScales,
    /// The quantisation of every tensor, divided by its channels' scales; `None` where neither the model nor samples say it.
    pub quantisation: Vec<Option<Quantisation>>,
    /// The mean of every channel of every tensor, divided by its scale, over the calibration samples; empty where
    /// biases are not to be corrected by them.
    pub channel_means: Vec<Vec<f32>>,
    /// The quantisation of the features after pooling; without it they keep that of the map.
    pub features: Option<Quantisation>,
    /// Nodes that the model defines as means of integers.
    pub integer_means: IntegerMeans,
}

impl Ranges {
    /// Nothing is known of any tensor of `graph`.
    #[must_use]
    pub fn unknown(graph: &Graph) -> Self {
        Self {
            scales: ChannelScales::default(),
            quantisation: vec![None; graph.values.len()],
            channel_means: Vec::new(),
            features: None,
            integer_means: IntegerMeans::new(),
        }
    }
}

/// What samples showed of every tensor of a graph, from which ranges follow by any [`Rules`].
pub struct Statistics {
    extremes: Extremes,
    /// The scales of channels, if rules have them.
    scales: ChannelScales,
    /// Counts of the values divided by the scales, and as they are; each tensor's, and those of the pooled output last. The second list
    /// is empty where no tensor has scales.
    histograms: [Vec<Histogram>; 2],
}

impl Statistics {
    /// Runs the samples, and looks at all tensors of `graph` and at its output pooled to a `grid × grid` map. A model that is quantised already
    /// keeps one scale a tensor.
    ///
    /// `done` is called once for every pass of a sample: twice a sample.
    ///
    /// # Errors
    ///
    /// Whatever the executor says.
    pub fn gather<R: Run>(
        graph: &Graph,
        runner: &R,
        samples: &[Sample],
        grid: usize,
        done: impl Fn() + Sync,
    ) -> Result<Self, R::Error> {
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
        let scales = match is_quantised(graph) {
            true => ChannelScales::default(),
            false => ChannelScales::choose(graph, &extremes.seen()),
        };
        let plain = ChannelScales::default();
        let kinds: Vec<&ChannelScales> = match scales.is_empty() {
            true => vec![&plain],
            false => vec![&scales, &plain],
        };
        let empty: Vec<_> = kinds.iter().map(|scales| extremes.histograms(graph, scales)).collect();
        let pooled_slot = graph.values.len();
        let computed = kinds.len() * (graph.nodes.len() + graph.inputs.len() + 1);
        let found = over_samples(
            samples,
            runner.at_once().min(HISTOGRAMS_BYTES / (computed * HISTOGRAM_BYTES)),
            &empty,
            |found, sample| {
                runner.run(sample, &mut |value, data| {
                    for (histograms, scales) in found.iter_mut().zip(&kinds) {
                        let one = [1.0];
                        let scales = scales.of(value).unwrap_or(&one);
                        for (plane, &scale) in planes(data, scales.len()).zip(scales) {
                            histograms[value].add(plane, scale);
                        }
                        if graph.outputs.contains(&value) {
                            histograms[pooled_slot].add(&pooled(value, data), 1.0);
                        }
                    }
                })?;
                done();
                Ok(())
            },
            |all, part| {
                all.iter_mut().flatten().zip(part.iter().flatten()).for_each(|(a, b)| a.merge(b));
            },
        )?;
        let mut found = found.into_iter();
        let histograms = [found.next().unwrap_or_default(), found.next().unwrap_or_default()];
        Ok(Self { extremes, scales, histograms })
    }

    /// Whether scales of channels are a choice: some tensor may have them.
    #[must_use]
    pub fn has_scales(&self) -> bool {
        !self.scales.is_empty()
    }

    /// The ranges that follow by these rules.
    #[must_use]
    pub fn ranges(&self, rules: Rules) -> Ranges {
        let is_plain = !rules.channel_scales && self.has_scales();
        let scales = if is_plain { ChannelScales::default() } else { self.scales.clone() };
        let histograms = &self.histograms[usize::from(is_plain)];
        let range = |histogram: &Histogram| Some(histogram.quantisation(rules.ranges));
        let mut quantisation: Vec<Option<Quantisation>> =
            histograms.par_iter().map(range).collect();
        let features = quantisation.pop().flatten();
        let channel_means = match rules.bias_correction {
            true => self.extremes.means(&scales),
            false => Vec::new(),
        };
        let integer_means = IntegerMeans::new();
        Ranges { scales, quantisation, channel_means, features, integer_means }
    }
}

/// The elements of each channel, of which there are so many.
fn planes(data: &[f32], channels: usize) -> impl Iterator<Item = &[f32]> {
    data.chunks_exact((data.len() / channels.max(1)).max(1))
}

/// Bytes of histograms that threads fill at the same time.
const HISTOGRAMS_BYTES: usize = 64 << 20;

/// Channels of all tensors that are told apart; beyond them a tensor counts as one channel.
const MOST_CHANNELS: usize = 1 << 22;

/// Least and greatest value and the sum of every channel of every tensor; the pooled output comes last, as one channel.
#[derive(Clone, Debug)]
struct Extremes {
    ends: Vec<Vec<(f32, f32)>>,
    /// Sums of means, and of means of squares, over the places of a sample.
    sums: Vec<Vec<[f64; 2]>>,
    samples: usize,
}

impl Extremes {
    fn new(graph: &Graph) -> Self {
        let mut room = MOST_CHANNELS;
        let mut channels = |value: &Value| {
            let found = value.shape.get(1).copied().filter(|_| value.constant.is_none());
            let left = found.and_then(|channels| room.checked_sub(channels));
            room = left.unwrap_or(room);
            left.and(found).unwrap_or(1).max(1)
        };
        let counts: Vec<usize> = graph.values.iter().map(&mut channels).chain([1]).collect();
        Self {
            ends: counts.iter().map(|&count| vec![(0.0, 0.0); count]).collect(),
            sums: counts.iter().map(|&count| vec![[0.0; 2]; count]).collect(),
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
        if graph.inputs.contains(&value) {
            self.samples += 1;
        }
        self.widen(value, data);
        if graph.outputs.contains(&value) {
            self.widen(graph.values.len(), &pooled(value, data));
        }
    }

    fn widen(&mut self, slot: usize, data: &[f32]) {
        let channels = self.ends[slot].len();
        let all = self.ends[slot].iter_mut().zip(&mut self.sums[slot]);
        for (((low, high), [sum, squares]), plane) in all.zip(planes(data, channels)) {
            // In one go: each of the four waits for itself alone. Both ends hold 0.
            let (mut own, mut own_squares) = (0.0_f64, 0.0_f32);
            for &value in plane {
                let finite = if value.is_finite() { value } else { 0.0 };
                *low = low.min(finite);
                *high = high.max(finite);
                own += f64::from(value);
                own_squares += value * value;
            }
            let places = plane.len() as f64;
            *sum += own / places;
            *squares += f64::from(own_squares) / places;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.ends.iter_mut().flatten().zip(other.ends.iter().flatten()) {
            *a = (a.0.min(b.0), a.1.max(b.1));
        }
        for (a, b) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
            *a = [a[0] + b[0], a[1] + b[1]];
        }
        self.samples += other.samples;
    }

    /// Empty histograms over what each tensor reaches, divided by its channels' scales, as far as its readers tell its values apart.
    fn histograms(&self, graph: &Graph, scales: &ChannelScales) -> Vec<Histogram> {
        let readers = equalise::readers(graph);
        let of = |(value, ends): (ValueId, &Vec<(f32, f32)>)| {
            let mut all = (0.0_f32, 0.0_f32);
            for (channel, &(low, high)) in ends.iter().enumerate() {
                let scale = scales.of(value).map_or(1.0, |scales| scales[channel]);
                let (least, most) = match value < graph.values.len() {
                    true => equalise::useful(graph, &readers, value),
                    false => (f32::NEG_INFINITY, f32::INFINITY),
                };
                all.0 = all.0.min(low.max(least) / scale);
                all.1 = all.1.max(high.min(most) / scale);
            }
            Histogram::new(all.0, all.1)
        };
        self.ends.iter().enumerate().map(of).collect()
    }

    fn seen(&self) -> Seen {
        let count = self.samples.max(1) as f64;
        let variance =
            |&[sum, squares]: &[f64; 2]| (squares / count - (sum / count).powi(2)).max(0.0) as f32;
        let variances = self.sums.iter().map(|sums| sums.iter().map(variance).collect());
        Seen { ends: self.ends.clone(), variances: variances.collect() }
    }

    fn means(&self, scales: &ChannelScales) -> Vec<Vec<f32>> {
        let count = self.samples.max(1) as f64;
        let of = |(value, sums): (ValueId, &Vec<[f64; 2]>)| {
            let mean = |(channel, [sum, _]): (usize, &[f64; 2])| {
                let scale = scales.of(value).map_or(1.0, |scales| scales[channel]);
                (sum / count / f64::from(scale)) as f32
            };
            sums.iter().enumerate().map(mean).collect()
        };
        self.sums.iter().enumerate().map(of).collect()
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

        let seen = Statistics::gather(&graph, &Relu, &samples, 1, || ()).unwrap();
        let ranges = seen.ranges(Rules::default());

        let of_y = ranges.quantisation[y].unwrap();
        assert_eq!(of_y.zero_point, -128);
        assert_eq!(ranges.channel_means[x], [0.0, 0.525]);
        assert_eq!(ranges.channel_means[y][0], 0.5);
        assert!(ranges.features.unwrap().scale < of_y.scale);
    }
}
