//! Compares the int8 backbone with the float graph, tensor by tensor: what quantisation cost.

use headstart::backbone::Backbone;
use headstart::graph::{Graph, ValueId};
use headstart::network::Value;
use headstart::pack::Pack;
use headstart::preprocess;
use rayon::prelude::*;

use crate::cut::layout::order_of;
use crate::error::Error;
use crate::float::{FloatGraph, Run, pool};
use crate::quantise::lowered::{Lowered, View};
use crate::quantise::sample::Sample;

/// Sums that measure one tensor's noise: squares and products of its float elements `r` and int8 elements `q`, a channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise {
    /// `[Σ r², Σ q², Σ r·q]`, a channel each where they are equalised, else of all.
    sums: Vec<[f64; 3]>,
    /// Whether equalisation gave each channel a factor of its own.
    equalised: bool,
}

impl Noise {
    fn merge(&mut self, other: &Self) {
        self.equalised = other.equalised;
        self.sums.resize(self.sums.len().max(other.sums.len()), [0.0; 3]);
        for (a, b) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
            *a += b;
        }
    }

    /// Signal-to-noise ratio in decibels. An equalised tensor carries a factor a channel that the
    /// next layer takes back; the best one is taken out before the noise is measured. `None` for a float tensor that is zero
    /// everywhere: there is no signal.
    #[must_use]
    pub fn decibels(&self) -> Option<f64> {
        let signal: f64 = self.sums.iter().map(|sums| sums[0]).sum();
        if signal == 0.0 {
            return None;
        }
        let noise = self.sums.iter().map(|&[rr, qq, rq]| {
            if self.equalised && qq > 0.0 { rr - rq * rq / qq } else { rr - 2.0 * rq + qq }
        });
        Some(10.0 * (signal / noise.sum::<f64>().max(f64::MIN_POSITIVE)).log10())
    }

    /// Cosine of the angle between the elements of both, over all samples; factors of an equalised tensor's
    /// channels are taken out as for [`decibels`](Self::decibels). `None` where both are zero everywhere: nothing is compared.
    #[must_use]
    pub fn cosine(&self) -> Option<f64> {
        let [mut rr, mut qq, mut rq] = [0.0; 3];
        for &[real, quantised, both] in &self.sums {
            let factor = if self.equalised && quantised > 0.0 { both / quantised } else { 1.0 };
            rr += real;
            qq += factor * factor * quantised;
            rq += factor * both;
        }
        between(rr, qq, rq)
    }
}

/// The cosine between two vectors of these squares, and this product; `None` where both are zero.
fn between(aa: f64, bb: f64, ab: f64) -> Option<f64> {
    let norms = (aa * bb).sqrt();
    if norms > 0.0 { Some(ab / norms) } else { (aa != bb).then_some(0.0) }
}

/// What running samples through both graphs showed.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// The noise of each value of the pack; `None` where the graph has no such tensor.
    pub noise: Vec<Option<Noise>>,
    /// Samples that the noise comes from: some of all.
    pub looked_into: usize,
    /// The cosine between int8 and float features, a sample each; `None` where both are zero.
    pub cosines: Vec<Option<f64>>,
    /// The float features, a row a sample.
    pub float_features: Vec<Vec<f32>>,
    /// The features as the device computes them, in real numbers, a row a sample.
    pub int8_features: Vec<Vec<f32>>,
}

/// Mean and least cosine of many samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosines {
    /// The mean of the cosines.
    pub mean: f64,
    /// The least of the cosines.
    pub least: f64,
}

impl Cosines {
    /// Sums up one cosine a sample, of those that have one; `None` where none has.
    #[must_use]
    pub fn of(each: &[Option<f64>]) -> Option<Self> {
        let each: Vec<f64> = each.iter().copied().flatten().collect();
        let least = each.iter().copied().reduce(f64::min)?;
        Some(Self { mean: each.iter().sum::<f64>() / each.len() as f64, least })
    }
}

/// How many features never change from sample to sample: nothing can be learned from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Still {
    /// How many of the float features.
    pub float: usize,
    /// How many of the int8 features.
    pub int8: usize,
    /// How many features there are.
    pub of: usize,
}

impl Still {
    /// Counts them in two kinds of features, rows of samples; `None` of fewer than two samples, which say nothing of it.
    #[must_use]
    pub fn of(float: &[Vec<f32>], int8: &[Vec<f32>]) -> Option<Self> {
        let still = |rows: &[Vec<f32>]| -> Option<usize> {
            let (first, rest) = rows.split_first().filter(|(_, rest)| !rest.is_empty())?;
            let is_still = |(at, x): (usize, &f32)| rest.iter().all(|row| row.get(at) == Some(x));
            Some(first.iter().enumerate().filter(|feature| is_still(*feature)).count())
        };
        let of = float.first().map_or(0, Vec::len);
        Some(Self { float: still(float)?, int8: still(int8)?, of })
    }

    /// Whether samples cannot be told apart by these features at all, or not once they are int8.
    #[must_use]
    pub fn is_dead(self) -> bool {
        self.float == self.of || self.int8 == self.of
    }
}

/// Cosines between two kinds of features, rows of samples, each less its mean over the samples: what all samples share
/// says nothing of their classes, and where it is large, it hides in a plain cosine that the rest is lost. `None` of features that
/// never change.
#[must_use]
pub fn centred(float: &[Vec<f32>], int8: &[Vec<f32>]) -> Option<Cosines> {
    let less_mean = |rows: &[Vec<f32>]| -> Vec<Vec<f32>> {
        let length = rows.first().map_or(0, Vec::len);
        let mean = |at: usize| rows.iter().map(|row| f64::from(row[at])).sum::<f64>();
        let means: Vec<f64> = (0..length).map(|at| mean(at) / rows.len() as f64).collect();
        rows.iter()
            .map(|row| row.iter().zip(&means).map(|(&x, m)| (f64::from(x) - m) as f32).collect())
            .collect()
    };
    let (float, int8) = (less_mean(float), less_mean(int8));
    Cosines::of(&float.iter().zip(&int8).map(|(a, b)| cosine(a, b)).collect::<Vec<_>>())
}

/// How a pack's features differ from those of the float graph.
#[derive(Clone, Copy, Debug)]
pub struct FeatureCosines {
    /// As they are.
    pub plain: Option<Cosines>,
    /// Less their mean over the samples.
    pub centred: Option<Cosines>,
    /// Features that never change.
    pub still: Option<Still>,
}

/// Compares a pack's features with those of the float graph.
///
/// # Errors
///
/// Whatever either of them refuses.
pub fn feature_cosines(
    pack: &Pack<'_>,
    graph: &Graph,
    float: &FloatGraph,
    samples: &[&Sample],
) -> Result<FeatureCosines, Error> {
    let (grid, order) = (grid(pack)?, order_of(graph, graph.outputs[0]));
    let both = samples.par_iter().map(|sample| {
        let (sample, mut real) = (sample.values(), Vec::new());
        float.run(&sample, &mut |id, data| {
            if graph.outputs.contains(&id) {
                real = pool(&graph.values[id].shape, data, order.as_deref(), grid);
            }
        })?;
        Ok((real, run_int8(pack, &sample, |_, _, _, _| ())?))
    });
    let (float, int8): (Vec<_>, Vec<_>) =
        both.collect::<Result<Vec<_>, Error>>()?.into_iter().unzip();
    let plain: Vec<_> = float.iter().zip(&int8).map(|(a, b)| cosine(a, b)).collect();
    let (centred, still) = (centred(&float, &int8), Still::of(&float, &int8));
    Ok(FeatureCosines { plain: Cosines::of(&plain), centred, still })
}

impl Comparison {
    /// What the features of one sample show.
    fn of_features(float: Vec<f32>, int8: Vec<f32>) -> Self {
        Self {
            cosines: vec![cosine(&float, &int8)],
            float_features: vec![float],
            int8_features: vec![int8],
            ..Self::default()
        }
    }

    /// Adds what later samples showed.
    fn extend(&mut self, later: Self) {
        self.looked_into += later.looked_into;
        if self.noise.is_empty() {
            self.noise = vec![None; later.noise.len()];
        }
        for (sum, part) in self.noise.iter_mut().zip(later.noise) {
            if let Some(part) = part {
                sum.get_or_insert_with(Noise::default).merge(&part);
            }
        }
        self.cosines.extend(later.cosines);
        self.float_features.extend(later.float_features);
        self.int8_features.extend(later.int8_features);
    }
}

/// Samples that one thread adds up.
const CHUNK: usize = 8;

/// Samples on which all tensors are compared, spread evenly over all. To look at every tensor takes a third of a sample's time, and their
/// noise is known from some of them; features are compared of all.
const LOOKED_INTO: usize = 128;

/// A float graph and the pack that was made of it.
pub struct Pair<'a> {
    /// The pack.
    pub pack: Pack<'a>,
    /// The backbone in float32.
    pub graph: &'a Graph,
    /// The float graph, ready to run.
    pub float: &'a FloatGraph,
    /// The places of the graph's tensors in the pack.
    pub lowered: &'a Lowered,
    /// The tensors whose channels were equalised.
    pub equalised: &'a [ValueId],
}

impl Pair<'_> {
    /// Compares `count` samples in both graphs, on as many threads as the memory of a run allows. Each is loaded when its turn comes, once,
    /// and not kept. What is found does not depend on the number of threads. Samples that `load` refuses are left out, and
    /// told with the reason; unless `skip_bad`, nothing is run any more once there is one.
    ///
    /// # Errors
    ///
    /// Whatever either of them refuses.
    pub fn compare(
        &self,
        count: usize,
        skip_bad: bool,
        load: impl Fn(usize) -> Result<Vec<f32>, Error> + Sync,
        done: impl Fn() + Sync,
    ) -> Result<(Comparison, Vec<(usize, Error)>), Error> {
        let (mut all, mut all_bad) = (Comparison::default(), Vec::new());
        let indices: Vec<usize> = (0..count).collect();
        let threads = rayon::current_num_threads().min(self.float.at_once()).max(1);
        for wave in indices.chunks(CHUNK * threads) {
            let step = count.div_ceil(LOOKED_INTO);
            let goes_on = skip_bad || all_bad.is_empty();
            let parts: Vec<(Comparison, Vec<(usize, Error)>)> = wave
                .par_chunks(CHUNK)
                .map(|chunk| {
                    let (mut part, mut bad) = (Comparison::default(), Vec::new());
                    for &index in chunk {
                        match load(index) {
                            Ok(sample) if goes_on && index % step == 0 => {
                                part.extend(self.compare_one(&sample)?);
                            }
                            Ok(sample) if goes_on => part.extend(self.compare_features(&sample)?),
                            Ok(_) => {}
                            Err(error) => bad.push((index, error)),
                        }
                        done();
                    }
                    Ok((part, bad))
                })
                .collect::<Result<_, Error>>()?;
            for (part, bad) in parts {
                all.extend(part);
                all_bad.extend(bad);
            }
        }
        Ok((all, all_bad))
    }

    fn compare_features(&self, sample: &[f32]) -> Result<Comparison, Error> {
        let int8_features = run_int8(&self.pack, sample, |_, _, _, _| ())?;
        let (grid, order) = (grid(&self.pack)?, order_of(self.graph, self.graph.outputs[0]));
        let mut float_features = Vec::new();
        self.float.run_for(&self.graph.outputs, sample, &mut |id, data| {
            float_features = pool(&self.graph.values[id].shape, data, order.as_deref(), grid);
        })?;
        Ok(Comparison::of_features(float_features, int8_features))
    }

    /// The same, and all tensors.
    fn compare_one(&self, sample: &[f32]) -> Result<Comparison, Error> {
        let mut quantised: Vec<(Value, Vec<i8>)> = Vec::new();
        let int8_features = run_int8(&self.pack, sample, |index, value, row, data| {
            // Values may come in strips of rows, those of several values in turn.
            while quantised.len() <= index {
                quantised.push((*value, Vec::new()));
            }
            let (whole, stored) = &mut quantised[index];
            *whole = *value;
            stored.resize(value.elements() as usize, 0);
            stored[row * value.row_bytes()..][..data.len()].copy_from_slice(data);
        })?;
        let mut noise: Vec<Option<Noise>> = vec![None; quantised.len()];
        let mut float_features = Vec::new();
        let (grid, order) = (grid(&self.pack)?, order_of(self.graph, self.graph.outputs[0]));
        self.float.run(sample, &mut |id, data| {
            if let Some(view) = &self.lowered.views[id]
                && let Some((value, stored)) = quantised.get(view.value as usize)
            {
                let equalised = self.equalised.contains(&id);
                noise[view.value as usize] =
                    Some(compare_tensor(view, value, stored, data, equalised));
            }
            if self.graph.outputs.contains(&id) {
                float_features = pool(&self.graph.values[id].shape, data, order.as_deref(), grid);
            }
        })?;
        Ok(Comparison {
            noise,
            looked_into: 1,
            ..Comparison::of_features(float_features, int8_features)
        })
    }
}

/// The features of one sample as a device computes them, in real numbers; `see` gets every value on the way.
fn run_int8(
    pack: &Pack<'_>,
    sample: &[f32],
    mut see: impl FnMut(usize, &Value, usize, &[i8]),
) -> Result<Vec<f32>, Error> {
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    let mut run = || {
        let mut input = vec![0; pack.value(0)?.elements() as usize];
        preprocess::values(pack, sample.iter().copied(), &mut input)?;
        let mut backbone = Backbone::new(*pack, &mut arena)?;
        let features = backbone.run(&input, |index, value, row, data| {
            see(index as usize, value, row, data);
        })?;
        let value = pack.feature_value()?;
        Ok(features.iter().map(|&q| real(&value, q) as f32).collect())
    };
    run().map_err(Error::NewPack)
}

/// Rows of the feature map; rows and columns were limited by the same grid.
fn grid(pack: &Pack<'_>) -> Result<usize, Error> {
    let value = pack.feature_value().map_err(Error::NewPack)?;
    Ok(value.height.max(value.width) as usize)
}

fn real(value: &Value, q: i8) -> f64 {
    f64::from(i32::from(q) - i32::from(value.zero_point)) * f64::from(value.scale)
}

/// Places of a channel that are compared before the next channel's: what both tensors have of them stays in the first cache.
const PLACES: usize = 64;

/// Compares a graph tensor with the int8 one, through the view, channel by channel: the first axis is that of the channels.
fn compare_tensor(
    view: &View,
    value: &Value,
    stored: &[i8],
    data: &[f32],
    equalised: bool,
) -> Noise {
    let (channels, step) = match (view.dims.first(), view.strides.first()) {
        (Some(&channels), Some(&step)) if channels > 0 => (channels, step),
        _ => (1, 0),
    };
    let reals: Vec<f64> = (i8::MIN..=i8::MAX).map(|q| real(value, q)).collect();
    let places = places(view);
    // Channels count by themselves only where each has a factor of its own.
    let mut sums = vec![[0.0; 3]; if equalised { channels } else { 1 }];
    let mut first = 0;
    for part in places.chunks(PLACES) {
        for channel in 0..channels {
            let Some(own) = data.get(channel * places.len() + first..) else { break };
            let mut found = [0.0; 3];
            for (&element, &place) in own.iter().zip(part) {
                let Some(&q) = stored.get(channel * step + place) else { continue };
                let (real, quantised) = (f64::from(element), reals[(i16::from(q) + 128) as usize]);
                found[0] += real * real;
                found[1] += quantised * quantised;
                found[2] += real * quantised;
            }
            let sums = &mut sums[if equalised { channel } else { 0 }];
            sums.iter_mut().zip(found).for_each(|(sum, part)| *sum += part);
        }
        first += part.len();
    }
    Noise { sums, equalised }
}

/// Where the elements of the first channel lie, in the order of the graph's tensor.
fn places(view: &View) -> Vec<usize> {
    let mut places = vec![0];
    for (&extent, &stride) in view.dims.iter().zip(&view.strides).skip(1) {
        places = places.iter().flat_map(|&at| (0..extent).map(move |i| at + i * stride)).collect();
    }
    places
}

/// Cosine of the angle between two vectors; 0 if one is 0, and `None` if both are.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    between(dot(a, a), dot(b, b), dot(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_is_that_of_the_angle() {
        assert_eq!(cosine(&[1.0, 0.0], &[2.0, 0.0]), Some(1.0));
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 3.0]), Some(0.0));
        assert_eq!(cosine(&[0.0], &[1.0]), Some(0.0));
        assert_eq!(cosine(&[1.0], &[0.0]), Some(0.0));
    }

    #[test]
    fn what_is_dead_has_no_cosine_and_is_counted() {
        assert_eq!(cosine(&[0.0], &[0.0]), None);
        assert_eq!(Cosines::of(&[None, None]), None);
        assert_eq!(Cosines::of(&[None, Some(0.5)]), Some(Cosines { mean: 0.5, least: 0.5 }));
        let rows = |rows: &[[f32; 3]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        let still = rows(&[[1.0, 0.0, -2.0], [1.0, 0.0, -2.0]]);
        let moving = rows(&[[1.0, 0.0, -2.0], [1.0, 0.0, 3.0]]);
        assert_eq!(centred(&still, &still), None);
        assert!(centred(&moving, &moving).unwrap().least > 0.9999);
        assert_eq!(centred(&moving, &still).unwrap().mean, 0.0);
        assert_eq!(Still::of(&moving, &still), Some(Still { float: 2, int8: 3, of: 3 }));
        assert!(Still::of(&moving, &still).unwrap().is_dead());
        assert!(!Still::of(&moving, &moving).unwrap().is_dead());
        assert_eq!(Still::of(&still[..1], &still[..1]), None);
        let zero = Noise { sums: vec![[0.0; 3]], equalised: false };
        assert_eq!((zero.cosine(), zero.decibels()), (None, None));
    }

    /// Features that hardly differ beside what they share.
    #[test]
    fn what_all_samples_share_does_not_hide_that_the_rest_is_lost() {
        let float: Vec<Vec<f32>> =
            (0..8).map(|i| vec![1000.0 + i as f32, 1000.0 - (i * i % 5) as f32]).collect();
        let coarse: Vec<Vec<f32>> = vec![vec![1000.0, 1000.0]; 8];
        let plain: Vec<_> = float.iter().zip(&coarse).map(|(a, b)| cosine(a, b)).collect();
        assert!(Cosines::of(&plain).unwrap().least > 0.9999);
        assert!(centred(&float, &coarse).unwrap().mean < 0.1);
        assert!(centred(&float, &float).unwrap().least > 0.9999);
    }

    #[test]
    fn a_tensor_is_compared_through_its_view() {
        let value = Value {
            offset: 0,
            height: 1,
            width: 2,
            channels: 2,
            scale: 0.5,
            zero_point: 1,
            kept_rows: 0,
        };
        let view = View::contiguous(0, vec![2, 1, 2], &[1, 2, 0]);
        // Stored pixel by pixel: channels (a0, b0), (a1, b1).
        let compare = |equalised| {
            compare_tensor(&view, &value, &[3, 5, 7, 9], &[1.0, 3.0, 2.0, 5.0], equalised)
        };
        let noise = compare(false);
        // Found: channel a 1, 3 and channel b 2, 4.
        assert_eq!(noise.sums, [[39.0, 30.0, 34.0]]);
        assert!((noise.decibels().unwrap() - 10.0 * (39.0_f64).log10()).abs() < 1e-9);
        assert!((noise.cosine().unwrap() - 34.0 / (39.0_f64 * 30.0).sqrt()).abs() < 1e-9);
        let noise = compare(true);
        assert_eq!(noise.sums, [[10.0, 10.0, 10.0], [29.0, 20.0, 24.0]]);
        assert!(noise.decibels().unwrap() > 20.0);
        // A factor of 24/20 makes the second channel 2.4, 4.8; the first is right as it is.
        assert!((noise.cosine().unwrap() - (38.8_f64 / 39.0).sqrt()).abs() < 1e-9);
    }
}
