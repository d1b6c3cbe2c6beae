//! From cached features to a head record.

mod stand_in;

use headstart::Error;
use headstart::head::calibrate::HeldOut;
use headstart::head::{
    HeadParts, Learner, LinearHead, Random, Samples, Storage, auto, imprint, ridge, sgd,
};

use self::stand_in::stand_ins;
use crate::Head;
use crate::state::FeatureCache;

/// Seed of every choice in training: the same samples always give the same head.
const SEED: u64 = 1;
/// One sample in this many is held out at a time.
const PARTS: usize = 4;
/// Up to so many samples each part is held out once; with more, one part says enough.
const FEW: usize = 600;
/// Ridge penalties that compete on held-out samples.
const PENALTIES: [f32; 3] = [1e-2, 1e-3, 1e-4];
/// The temperature of logits with spread 1 where nothing can be held out: the same as `auto` takes.
const UNMEASURED_TEMPERATURE: f32 = 0.25;

/// How the head is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Picks and regularises by held-out accuracy.
    Auto,
    /// Softmax regression by stochastic gradients.
    Sgd,
    /// Least squares in closed form.
    Ridge,
    /// Class means.
    Imprint,
}

/// Trains a head on everything in the cache and writes its record.
///
/// `initial` is a head that stands for samples which are not in the cache: each of its labels must
/// be a class of the cache. `auto` and `sgd` start from it. Its classes without samples are
/// represented by one stand-in each, and so the record keeps a prototype of every class for the
/// next device.
///
/// # Errors
/// Those of the learners; [`Error::NoSamples`] for an empty cache.
pub fn train(
    cache: &FeatureCache,
    initial: Option<&Head>,
    choice: Choice,
    backbone: [u8; 32],
) -> Result<Vec<u8>, Error> {
    if cache.is_empty() {
        return Err(Error::NoSamples);
    }
    let before = Before::new(cache, initial)?;
    let (features, labels) = before.with_stand_ins(cache);
    let with_stand_ins = labels.len() > cache.len();
    let task = Task {
        samples: Samples::new(&features, &labels, cache.feature_len())?,
        labels: &labels,
        classes: cache.classes().len(),
        before: &before,
    };
    let trained = match choice {
        Choice::Auto => task.automatic()?,
        Choice::Sgd => task.explicit(Learner::Sgd, &[Fit::Sgd])?,
        Choice::Ridge => task.explicit(Learner::Ridge, &PENALTIES.map(Fit::Ridge))?,
        Choice::Imprint => task.explicit(Learner::Imprint, &[Fit::Imprint])?,
    };
    let labels: Vec<&str> = cache.classes().iter().map(String::as_str).collect();
    let counts = cache.counts().into_iter().zip(&before.samples);
    let samples: Vec<u32> = counts.map(|(new, old)| new.saturating_add(*old)).collect();
    let prototypes = before.prototypes(cache);
    let parts = HeadParts {
        head: LinearHead::new(&trained.weights, &trained.bias, cache.feature_len())?,
        backbone_digest: backbone,
        labels: &labels,
        samples: &samples,
        learner: trained.learner,
        storage: Storage::F32,
        temperature: trained.temperature,
        unknown_threshold: trained.unknown_threshold,
        // Stand-ins are never held out: without them, the number would leave old classes out.
        held_out: trained.held_out.filter(|_| !with_stand_ins),
        prototypes: Some(&prototypes),
    };
    let mut record = vec![0; parts.encoded_len()?];
    parts.emit(&mut record)?;
    Ok(record)
}

/// What the initial head says about the cache's classes; zeros for classes that it does not know.
struct Before {
    /// Weights and bias, logits at temperature 1; `None` without an initial head.
    head: Option<(Vec<f32>, Vec<f32>)>,
    learner: Learner,
    /// Samples of each class that the initial head was learned from.
    samples: Vec<u32>,
    /// Whether the initial head knows the class.
    known: Vec<bool>,
    /// `[class][feature]`.
    stand_ins: Vec<i8>,
}

impl Before {
    fn new(cache: &FeatureCache, initial: Option<&Head>) -> Result<Self, Error> {
        let (classes, feature_len) = (cache.classes().len(), cache.feature_len());
        let mut before = Self {
            head: None,
            learner: Learner::Other,
            samples: vec![0; classes],
            known: vec![false; classes],
            stand_ins: vec![0; classes * feature_len],
        };
        let Some(head) = initial else { return Ok(before) };
        before.learner = head.learner();
        let (mut weights, mut bias) = (vec![0.0; classes * feature_len], vec![0.0; classes]);
        let linear = head.linear()?;
        let stand_ins = stand_ins(head, &mean(cache))?;
        for (from, label) in head.labels().iter().enumerate() {
            let Some(to) = cache.classes().iter().position(|name| name == label) else { continue };
            let (from_row, to_row) = (from * feature_len, to * feature_len);
            for at in 0..feature_len {
                weights[to_row + at] = linear.weights()[from_row + at] / head.temperature();
                before.stand_ins[to_row + at] = stand_ins[from_row + at];
            }
            bias[to] = linear.bias()[from] / head.temperature();
            before.samples[to] = head.samples()[from];
            before.known[to] = true;
        }
        before.head = Some((weights, bias));
        Ok(before)
    }

    /// Features and labels of the cache, and a stand-in for each known class that it has no sample
    /// of.
    fn with_stand_ins(&self, cache: &FeatureCache) -> (Vec<i8>, Vec<u16>) {
        let (mut features, mut labels) = (cache.features().to_vec(), cache.labels().to_vec());
        let rows = self.stand_ins.chunks_exact(cache.feature_len());
        for (class, (row, count)) in rows.zip(cache.counts()).enumerate() {
            if self.known[class] && count == 0 {
                features.extend_from_slice(row);
                labels.push(class as u16);
            }
        }
        (features, labels)
    }

    /// The mean of each class's samples, those before (at least one, where the class was known) and
    /// those now.
    fn prototypes(&self, cache: &FeatureCache) -> Vec<i8> {
        let feature_len = cache.feature_len();
        let mut sums = vec![0_i64; self.stand_ins.len()];
        let mut counts = vec![0_i64; self.known.len()];
        let mut add = |class: usize, row: &[i8], count: i64| {
            let sums = &mut sums[class * feature_len..][..feature_len];
            sums.iter_mut().zip(row).for_each(|(sum, q)| *sum += count * i64::from(*q));
            counts[class] += count;
        };
        for (class, row) in self.stand_ins.chunks_exact(feature_len).enumerate() {
            if self.known[class] {
                add(class, row, i64::from(self.samples[class].max(1)));
            }
        }
        for (row, label) in cache.features().chunks_exact(feature_len).zip(cache.labels()) {
            add(usize::from(*label), row, 1);
        }
        let means = sums.chunks_exact(feature_len).zip(counts);
        means
            .flat_map(|(sums, count)| {
                sums.iter().map(move |sum| (*sum as f64 / count.max(1) as f64).round() as i8)
            })
            .collect()
    }
}

/// The mean of all samples.
fn mean(cache: &FeatureCache) -> Vec<f32> {
    let mut sums = vec![0_i64; cache.feature_len()];
    for row in cache.features().chunks_exact(cache.feature_len()) {
        sums.iter_mut().zip(row).for_each(|(sum, q)| *sum += i64::from(*q));
    }
    sums.into_iter().map(|sum| sum as f32 / cache.len() as f32).collect()
}

/// A learner with its setting.
#[derive(Clone, Copy)]
enum Fit {
    Sgd,
    Ridge(f32),
    Imprint,
}

struct Trained {
    weights: Vec<f32>,
    bias: Vec<f32>,
    learner: Learner,
    temperature: f32,
    unknown_threshold: f32,
    held_out: Option<(u32, u32)>,
}

struct Task<'a> {
    samples: Samples<'a>,
    labels: &'a [u16],
    classes: usize,
    before: &'a Before,
}

impl Task<'_> {
    fn initial(&self) -> Result<Option<LinearHead<'_>>, Error> {
        let head = self.before.head.as_ref();
        head.map(|(weights, bias)| LinearHead::new(weights, bias, self.samples.feature_len()))
            .transpose()
    }

    fn empty_head(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; self.classes * self.samples.feature_len()], vec![0.0; self.classes])
    }

    fn automatic(&self) -> Result<Trained, Error> {
        let (mut weights, mut bias) = self.empty_head();
        let (floats, indices) =
            auto::scratch_len(self.samples.len(), self.samples.feature_len(), self.classes)?;
        let outcome = auto::train(
            self.samples,
            self.initial()?,
            SEED,
            &mut weights,
            &mut bias,
            &mut vec![0.0; floats],
            &mut vec![0; indices],
        )?;
        Ok(Trained {
            weights,
            bias,
            learner: outcome.learner.unwrap_or(self.before.learner),
            temperature: outcome.temperature,
            unknown_threshold: outcome.unknown_threshold,
            held_out: outcome.held_out,
        })
    }

    /// The best of `fits` by the loss on held-out samples, trained on everything.
    fn explicit(&self, learner: Learner, fits: &[Fit]) -> Result<Trained, Error> {
        let (order, folds) = self.folds();
        let held_indices: Vec<u32> =
            folds.iter().flat_map(|range| &order[range.clone()]).copied().collect();
        let mut best: Option<(f32, Fit, Vec<f32>)> = None;
        if !held_indices.is_empty() {
            for fit in fits {
                let logits = self.held_out_logits(*fit, &order, &folds)?;
                let held =
                    HeldOut::new(&logits, self.samples.select(&held_indices)?, self.classes)?;
                let (_, loss) = held.temperature();
                if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                    best = Some((loss, *fit, logits));
                }
            }
        }
        let fit = best.as_ref().map_or(fits[0], |(_, fit, _)| *fit);
        let (weights, bias) = self.fit(fit, self.samples)?;
        let mut trained = Trained {
            weights,
            bias,
            learner,
            temperature: 1.0,
            unknown_threshold: 0.0,
            held_out: None,
        };
        if let Some((_, _, logits)) = best {
            let held = HeldOut::new(&logits, self.samples.select(&held_indices)?, self.classes)?;
            (trained.temperature, _) = held.temperature();
            let mut memory = vec![0.0; held_indices.len() + self.classes];
            trained.unknown_threshold = held.unknown_threshold(trained.temperature, &mut memory)?;
            trained.held_out = Some((held.correct(), held_indices.len() as u32));
        } else if learner != Learner::Sgd {
            trained.temperature = UNMEASURED_TEMPERATURE * self.spread(&trained)?;
        }
        Ok(trained)
    }

    /// Samples by part, and the range of each part that is held out. A class with one sample is
    /// never held out.
    fn folds(&self) -> (Vec<u32>, Vec<std::ops::Range<usize>>) {
        let mut random = Random::new(SEED);
        let mut parts: [Vec<u32>; PARTS] = Default::default();
        let mut never = Vec::new();
        for class in 0..self.classes {
            let members = self.labels.iter().enumerate().filter(|(_, l)| usize::from(**l) == class);
            let mut members: Vec<u32> = members.map(|(at, _)| at as u32).collect();
            random.shuffle(&mut members);
            if let [single] = members[..] {
                never.push(single);
            } else {
                members.iter().enumerate().for_each(|(at, member)| parts[at % PARTS].push(*member));
            }
        }
        let count = if self.labels.len() <= FEW { PARTS } else { 1 };
        let mut ranges = Vec::new();
        let mut order = Vec::with_capacity(self.labels.len());
        for (at, part) in parts.iter().enumerate() {
            if at < count && !part.is_empty() {
                ranges.push(order.len()..order.len() + part.len());
            }
            order.extend(part);
        }
        order.extend(never);
        (order, ranges)
    }

    /// `[held-out sample, class]`, fold by fold.
    fn held_out_logits(
        &self,
        fit: Fit,
        order: &[u32],
        folds: &[std::ops::Range<usize>],
    ) -> Result<Vec<f32>, Error> {
        let mut logits = Vec::new();
        for range in folds {
            let train: Vec<u32> = [&order[..range.start], &order[range.end..]].concat();
            let (weights, bias) = self.fit(fit, self.samples.select(&train)?)?;
            let head = LinearHead::new(&weights, &bias, self.samples.feature_len())?;
            let test = self.samples.select(&order[range.clone()])?;
            for (row, _) in test.iter() {
                let start = logits.len();
                logits.resize(start + self.classes, 0.0);
                head.logits(row, &mut logits[start..])?;
            }
        }
        Ok(logits)
    }

    fn fit(&self, fit: Fit, samples: Samples<'_>) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let (mut weights, mut bias) = self.empty_head();
        let (count, features) = (samples.len(), samples.feature_len());
        match fit {
            Fit::Sgd => {
                let settings = sgd::Settings { seed: SEED, ..Default::default() };
                let (floats, indices) = sgd::scratch_len(count, features, self.classes, &settings)?;
                let (mut floats, mut indices) = (vec![0.0; floats], vec![0; indices]);
                let initial = self.initial()?;
                sgd::train(
                    samples,
                    &settings,
                    initial,
                    &mut weights,
                    &mut bias,
                    &mut floats,
                    &mut indices,
                )?;
            }
            Fit::Ridge(penalty) => {
                let mut scratch = vec![0.0; ridge::scratch_len(count, features, self.classes)?];
                ridge::train(samples, penalty, &mut weights, &mut bias, &mut scratch)?;
            }
            Fit::Imprint => {
                imprint::train(samples, &mut vec![0; self.classes], &mut weights, &mut bias)?;
            }
        }
        Ok((weights, bias))
    }

    /// Root mean square of the logits' distance from their sample's mean, on all samples.
    fn spread(&self, trained: &Trained) -> Result<f32, Error> {
        let head = LinearHead::new(&trained.weights, &trained.bias, self.samples.feature_len())?;
        let mut logits = vec![0.0; self.classes];
        let mut square = 0.0_f64;
        for (row, _) in self.samples.iter() {
            head.logits(row, &mut logits)?;
            let mean = logits.iter().sum::<f32>() / self.classes as f32;
            square += logits.iter().map(|l| f64::from(l - mean).powi(2)).sum::<f64>();
        }
        let spread = (square / (self.samples.len() * self.classes) as f64).sqrt() as f32;
        Ok(if spread > 0.0 { spread } else { 1.0 })
    }
}
