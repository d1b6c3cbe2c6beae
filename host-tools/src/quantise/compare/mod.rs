//! Compares the int8 backbone with the float graph, tensor by tensor: what quantisation cost.

mod cosines;
mod heads;
mod int8;
mod noise;

use headstart::graph::{Graph, ValueId};
use headstart::network::Value;
use headstart::pack::Pack;
use rayon::prelude::*;

use crate::cut::layout::order_of;
use crate::error::Error;
use crate::float::{FloatGraph, Run, pool};
use crate::quantise::lowered::Lowered;

pub use cosines::{Cosines, FeatureCosines, Still, centred, cosine};
pub use heads::Heads;
use int8::grid;
pub use int8::int8_features;
pub(in crate::quantise) use int8::run_int8;
pub use noise::Noise;
pub(in crate::quantise) use noise::compare_tensor;

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
        let int8 = int8_features(&self.pack, sample)?;
        let (grid, order) = (grid(&self.pack)?, order_of(self.graph, self.graph.outputs[0]));
        let mut float_features = Vec::new();
        self.float.run_for(&self.graph.outputs, sample, &mut |id, data| {
            float_features = pool(&self.graph.values[id].shape, data, order.as_deref(), grid);
        })?;
        Ok(Comparison::of_features(float_features, int8))
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
