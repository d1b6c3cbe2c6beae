//! Good and bad updates, and which of them `learn` rejects:
//! `cargo run --release -p headstart-edge --example harm -- TRAIN.hsfc TEST.hsfc TRIALS OLD NEW`
//!
//! The caches are of the same pack: `learn` made them from training and from test samples. Each trial learns OLD samples
//! a class, then NEW more a class in eight forms: right ones, with 10 to 60 % wrong labels, all under one label, and
//! from a broken camera (a third of the features is noise). The test samples say what each one cost or gained.

use std::collections::BTreeMap;
use std::path::Path;

use headstart::head::Random;
use headstart_edge::Head;
use headstart_edge::state::FeatureCache;
use headstart_edge::training::{self, Choice, harm};

const KINDS: [&str; 8] = [
    "right",
    "10 % wrong",
    "20 % wrong",
    "30 % wrong",
    "40 % wrong",
    "60 % wrong",
    "flood",
    "camera",
];
const WRONG: [u32; 8] = [0, 10, 20, 30, 40, 60, 0, 0];

fn load(path: &str) -> anyhow::Result<(FeatureCache, [u8; 32])> {
    let bytes = std::fs::read(path)?;
    anyhow::ensure!(bytes.len() > 48, "{path} is no feature cache");
    let backbone: [u8; 32] = bytes[12..44].try_into()?;
    let features = u32::from_le_bytes(bytes[44..48].try_into()?) as usize;
    Ok((FeatureCache::parse(&bytes, &backbone, features)?, backbone))
}

fn accuracy(cache: &FeatureCache, test: &FeatureCache, backbone: [u8; 32]) -> anyhow::Result<f64> {
    let record = training::train(cache, None, Choice::Auto, backbone)?;
    let head = Head::parse(Path::new("trial"), &record, &backbone)?;
    let mut right = 0;
    for (row, &label) in test.features().chunks_exact(test.feature_len()).zip(test.labels()) {
        let answer = head.answer(row)?.class;
        right += usize::from(head.labels()[answer] == test.classes()[usize::from(label)]);
    }
    Ok(right as f64 / test.len() as f64)
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, trials, old_count, new_count] = &arguments[..] else {
        anyhow::bail!("usage: harm TRAIN.hsfc TEST.hsfc TRIALS OLD NEW");
    };
    let ((train, backbone), (test, _)) = (load(train)?, load(test)?);
    let (old_count, new_count): (usize, usize) = (old_count.parse()?, new_count.parse()?);
    let (features, classes) = (train.feature_len(), train.classes().len());
    let (mut bad, mut good) = ((0, 0), (0, 0));
    let mut by_kind: BTreeMap<&str, (u32, u32, f64)> = BTreeMap::new();
    for seed in 0..trials.parse()? {
        let mut random = Random::new(seed);
        let mut order: Vec<usize> = (0..train.len()).collect();
        random.shuffle(&mut order);
        let mut seen = vec![0; classes];
        let (mut old, mut later) = (FeatureCache::new(features), Vec::new());
        for at in order {
            let class = usize::from(train.labels()[at]);
            let row = &train.features()[at * features..][..features];
            seen[class] += 1;
            if seen[class] <= old_count {
                let label = old.class(&train.classes()[class]).unwrap_or_default();
                old.insert(train.ids()[at], label, row);
            } else if seen[class] <= old_count + new_count {
                later.push((train.ids()[at], class, row));
            }
        }
        old.sort();
        let before = accuracy(&old, &test, backbone)?;
        for (kind, wrong) in KINDS.into_iter().zip(WRONG) {
            let mut new = old.clone();
            let flood = random.below(classes as u32) as usize;
            for (id, class, row) in &later {
                let mut row = row.to_vec();
                let mut class = *class;
                if random.below(100) < wrong {
                    class = (class + 1 + random.below(classes as u32 - 1) as usize) % classes;
                }
                if kind == "flood" {
                    class = flood;
                }
                if kind == "camera" {
                    for feature in &mut row {
                        let (broken, noise) = (random.below(3) == 0, random.next_u32() as i8 / 2);
                        if broken {
                            *feature = noise;
                        }
                    }
                }
                let label = new.class(&train.classes()[class]).unwrap_or_default();
                new.insert(*id, label, &row);
            }
            new.sort();
            let gain = accuracy(&new, &test, backbone)? - before;
            let rejected = harm::effect(&old, &new)?.is_some_and(|effect| effect.is_harm());
            for (what, is) in [(&mut bad, gain < -0.02), (&mut good, gain > 0.0)] {
                what.0 += u32::from(is);
                what.1 += u32::from(is && rejected);
            }
            let entry = by_kind.entry(kind).or_default();
            *entry = (entry.0 + 1, entry.1 + u32::from(rejected), entry.2 + gain);
        }
    }
    for (kind, (count, rejected, gain)) in by_kind {
        let gain = 100.0 * gain / f64::from(count);
        println!("{kind:12} {rejected:4} of {count} rejected, mean gain {gain:+.1} points");
    }
    println!("cost more than 2 points: {} of {} rejected", bad.1, bad.0);
    println!("gained: {} of {} rejected", good.1, good.0);
    Ok(())
}
