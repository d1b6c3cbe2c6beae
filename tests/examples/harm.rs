//! Good and bad updates, and which of them `learn` rejects:
//! `cargo run --release -p headstart-tests --example harm -- photos|people TRAIN.hsfc TEST.hsfc FIRST LAST [CAMERA.hsfc...]`
//!
//! The caches are of one pack: `learn` made them from training samples, from test samples, and from pictures of
//! broken cameras under their right labels. `tests/accuracy/harm` makes them all. Each seed from FIRST to LAST − 1 draws
//! what is known, what comes, and, with `photos`, the judge: all samples that are in neither. With `people` known and new
//! ones are training samples and the judge is the test samples, which mostly show other people: what a personal
//! device never promised. The new samples come in many forms: with right labels, with 10 to 60 % wrong ones, all
//! under one label, with two labels swapped, many of one class, and from four of the cameras. One line a trial, then the sums.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use headstart::head::Random;
use headstart_device::Head;
use headstart_device::samples::SampleId;
use headstart_device::state::FeatureCache;
use headstart_device::training::{self, Choice, harm};

/// Known and new samples a class.
const SIZES: [(usize, usize); 4] = [(20, 20), (10, 20), (10, 40), (20, 40)];
const CAMERAS_A_SEED: usize = 4;

#[derive(Clone)]
struct Sample {
    id: SampleId,
    class: usize,
    row: Vec<i8>,
}

struct Data {
    names: Vec<String>,
    features: usize,
    backbone: [u8; 32],
    train: Vec<Sample>,
    test: Vec<Sample>,
    /// By the name of the cache's folder.
    cameras: Vec<(String, Vec<Sample>)>,
    other_people: bool,
}

/// A trial's outcome: its kind, what it gained on the judge, and why it was rejected.
type Trial = (String, f64, Option<harm::Harm>);

fn load(path: &str) -> anyhow::Result<(FeatureCache, [u8; 32])> {
    let bytes = std::fs::read(path)?;
    anyhow::ensure!(bytes.len() > 48, "{path} is no feature cache");
    let backbone: [u8; 32] = bytes[12..44].try_into()?;
    let features = u32::from_le_bytes(bytes[44..48].try_into()?) as usize;
    Ok((FeatureCache::parse(&bytes, &backbone, features)?, backbone))
}

fn samples(cache: &FeatureCache, names: &[String]) -> anyhow::Result<Vec<Sample>> {
    let rows = cache.features().chunks_exact(cache.feature_len());
    let all = cache.ids().iter().zip(cache.labels()).zip(rows);
    all.map(|((id, label), row)| {
        let name = &cache.classes()[usize::from(*label)];
        let class = names.iter().position(|other| other == name);
        let class = class.ok_or_else(|| anyhow::anyhow!("{name} is no class of the first"))?;
        Ok(Sample { id: *id, class, row: row.to_vec() })
    })
    .collect()
}

impl Data {
    fn cache(&self, samples: &[&[Sample]]) -> FeatureCache {
        let mut cache = FeatureCache::new(self.features);
        for sample in samples.iter().copied().flatten() {
            let label = cache.class(&self.names[sample.class]).unwrap_or_default();
            cache.insert(sample.id, label, &sample.row);
        }
        cache.sort();
        cache
    }

    fn accuracy(&self, cache: &FeatureCache, judge: &[Sample]) -> anyhow::Result<f64> {
        let record = training::train(cache, None, Choice::auto(), self.backbone)?;
        let head = Head::parse(Path::new("trial"), &record, &self.backbone)?;
        let mut right = 0;
        for sample in judge {
            let answer = head.answer(&sample.row)?.class;
            right += usize::from(head.labels()[answer] == self.names[sample.class]);
        }
        Ok(right as f64 / judge.len() as f64)
    }

    /// The first samples of each class.
    fn take(&self, samples: &mut Vec<Sample>, a_class: usize) -> Vec<Sample> {
        let mut seen = vec![0; self.names.len()];
        let (taken, rest) = samples.drain(..).partition(|sample| {
            seen[sample.class] += 1;
            seen[sample.class] <= a_class
        });
        *samples = rest;
        taken
    }

    /// All updates of a seed, beside what is known and the judge.
    #[allow(clippy::type_complexity, reason = "three lists")]
    fn draw(&self, seed: u64) -> (Vec<Sample>, Vec<(String, Vec<Sample>)>, Vec<Sample>) {
        let mut random = Random::new(seed);
        let (old, new) = SIZES[seed as usize % SIZES.len()];
        let classes = self.names.len();
        let mut pool = self.train.clone();
        if !self.other_people {
            pool.extend(self.test.clone());
        }
        random.shuffle(&mut pool);
        let known = self.take(&mut pool, old);
        let right = self.take(&mut pool, new);
        let one = random.below(classes as u32) as usize;
        let other = (one + 1 + random.below(classes as u32 - 1) as usize) % classes;
        let (mut many, rest): (Vec<_>, Vec<_>) = pool.into_iter().partition(|s| s.class == one);
        let judged_too = many.split_off(many.len().min(2 * new));
        let judge = if self.other_people {
            self.test.clone()
        } else {
            rest.into_iter().chain(judged_too).collect()
        };
        let mut labelled = |label: &mut dyn FnMut(&mut Random, usize) -> usize| {
            let each = right.iter().cloned();
            each.map(|s| Sample { class: label(&mut random, s.class), ..s }).collect::<Vec<_>>()
        };
        let mut updates = Vec::new();
        for wrong in [0, 10, 20, 30, 40, 50, 60] {
            let samples = labelled(&mut |random, class| {
                if random.below(100) < wrong {
                    (class + 1 + random.below(classes as u32 - 1) as usize) % classes
                } else {
                    class
                }
            });
            updates.push((format!("{wrong} % wrong"), samples));
        }
        updates.push(("all one label".to_owned(), labelled(&mut |_, _| one)));
        let swap = |class| {
            if class == one {
                other
            } else if class == other {
                one
            } else {
                class
            }
        };
        updates.push(("two swapped".to_owned(), labelled(&mut |_, class| swap(class))));
        updates.push(("many of one".to_owned(), many));
        for turn in 0..CAMERAS_A_SEED.min(self.cameras.len()) {
            let at = (seed as usize * CAMERAS_A_SEED + turn) % self.cameras.len();
            let (name, samples) = &self.cameras[at];
            let mut samples = samples.clone();
            random.shuffle(&mut samples);
            updates.push((format!("camera: {name}"), self.take(&mut samples, new)));
        }
        (known, updates, judge)
    }

    fn trials(&self, seed: u64) -> anyhow::Result<Vec<Trial>> {
        let (known, updates, judge) = self.draw(seed);
        let old = self.cache(&[&known]);
        let before = self.accuracy(&old, &judge)?;
        let mut trials = Vec::new();
        for (kind, update) in updates {
            let mut new = self.cache(&[&known, &update]);
            let settled = harm::settle(&old, &mut new, update.len(), usize::MAX)?;
            // Of what would be learned.
            let gain = self.accuracy(&new, &judge)? - before;
            let (effect, aside) = (settled.effect.unwrap_or_default(), settled.aside.len());
            let of = update.len();
            println!(
                "{seed} {kind}: gain {:+.2}, {aside} of {of} aside, {effect:?} {:?}",
                100.0 * gain,
                effect.harm()
            );
            trials.push((kind, gain, effect.harm()));
        }
        Ok(trials)
    }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [judge, train, test, first, last, cameras @ ..] = &arguments[..] else {
        anyhow::bail!("usage: harm photos|people TRAIN.hsfc TEST.hsfc FIRST LAST [CAMERA.hsfc...]");
    };
    let (cache, backbone) = load(train)?;
    let names = cache.classes().to_vec();
    let camera = |path: &String| {
        let name = Path::new(path).parent().and_then(Path::file_name).unwrap_or_default();
        Ok((name.to_string_lossy().into_owned(), samples(&load(path)?.0, &names)?))
    };
    let data = Data {
        features: cache.feature_len(),
        backbone,
        train: samples(&cache, &names)?,
        test: samples(&load(test)?.0, &names)?,
        cameras: cameras.iter().map(camera).collect::<anyhow::Result<_>>()?,
        other_people: judge == "people",
        names,
    };
    let (next, last) = (AtomicU64::new(first.parse()?), last.parse()?);
    let all = Mutex::new(Vec::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= last {
                return Ok(());
            }
            let trials = data.trials(seed)?;
            all.lock().map_err(|_| anyhow::anyhow!("another thread failed"))?.extend(trials);
        }
    };
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = |worker: std::thread::ScopedJoinHandle<'_, _>| worker.join();
        workers
            .into_iter()
            .try_for_each(|w| done(w).map_err(|_| anyhow::anyhow!("a thread failed"))?)
    })?;
    summary(&all.into_inner()?);
    Ok(())
}

fn summary(trials: &[Trial]) {
    let mut kinds: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        kinds.entry(&trial.0).or_default().push(trial);
    }
    let count = |trials: &[&Trial], is: fn(f64) -> bool| {
        let all: Vec<_> = trials.iter().filter(|trial| is(trial.1)).collect();
        (all.len(), all.iter().filter(|trial| trial.2.is_some()).count())
    };
    type Judged = fn(f64) -> bool;
    let (cost, gained): (Judged, Judged) = (|gain| gain < -0.02, |gain| gain > 0.0);
    let line = |name: &str, trials: &[&Trial]| {
        let ((bad, caught), (good, refused)) = (count(trials, cost), count(trials, gained));
        let mean = 100.0 * trials.iter().map(|t| t.1).sum::<f64>() / trials.len() as f64;
        let rejected = trials.iter().filter(|t| t.2.is_some()).count();
        println!(
            "{name:18} {:4} trials, mean gain {mean:+6.1}, {rejected:4} rejected; \
             cost more than 2 points: {caught} of {bad} rejected; gained: {refused} of {good} rejected",
            trials.len()
        );
    };
    for (kind, trials) in &kinds {
        line(kind, trials);
    }
    line("all", &trials.iter().collect::<Vec<_>>());
}
