//! How often a class that was never taught is answered as one that was:
//! `cargo run --release -p headstart-tests --example unknown -- TRAIN.hsfc TEST.hsfc [SAMPLES [PART]]`
//!
//! The caches are of the same pack: `learn` made them from training and from test samples. Each class in turn is
//! left out of what is learned, from SAMPLES a class (all without), and its test samples are the strangers. With PART the threshold is the one of `learn --false-accepts PART`, measured on the classes that
//! are learned, and what it says of them is printed beside what happens.

use std::path::Path;

use headstart_device::Head;
use headstart_device::state::FeatureCache;
use headstart_device::training::{self, Choice, Strangers};

fn load(path: &str) -> anyhow::Result<(FeatureCache, [u8; 32])> {
    let bytes = std::fs::read(path)?;
    anyhow::ensure!(bytes.len() > 48, "{path} is no feature cache");
    let backbone: [u8; 32] = bytes[12..44].try_into()?;
    let features = u32::from_le_bytes(bytes[44..48].try_into()?) as usize;
    Ok((FeatureCache::parse(&bytes, &backbone, features)?, backbone))
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (train, test, most, part) = match &arguments[..] {
        [train, test] => (train, test, usize::MAX, None),
        [train, test, most] => (train, test, most.parse()?, None),
        [train, test, most, part] => (train, test, most.parse()?, Some(part.parse()?)),
        _ => anyhow::bail!("usage: unknown TRAIN.hsfc TEST.hsfc [SAMPLES [PART]]"),
    };
    let ((train, backbone), (test, _)) = (load(train)?, load(test)?);
    println!("stranger  threshold  strangers answered  known called unknown  right among known");
    let mut all = [0_u32; 6];
    for stranger in train.classes() {
        let mut known = FeatureCache::new(train.feature_len());
        let mut taken = vec![0; train.classes().len()];
        let rows = train.features().chunks_exact(train.feature_len());
        for ((id, &label), row) in train.ids().iter().zip(train.labels()).zip(rows) {
            let (name, taken) =
                (&train.classes()[usize::from(label)], &mut taken[usize::from(label)]);
            if name != stranger && *taken < most {
                let label = known.class(name).unwrap_or_default();
                known.insert(*id, label, row);
                *taken += 1;
            }
        }
        known.sort();
        let mut record = training::train(&known, None, Choice::auto(), backbone)?;
        if let Some(part) = part {
            let limit = Strangers::measure(&known, Choice::auto(), backbone)?.limit(part);
            record = training::with_threshold(&record, backbone, limit.threshold)?;
            let [answered, given_up] = [limit.answered, limit.given_up].map(|x| 100.0 * x);
            println!(
                "stated: {answered:.1} % of strangers answered, {given_up:.1} % of right answers given up"
            );
        }
        let head = Head::parse(Path::new("trial"), &record, &backbone)?;
        let mut counts = [0_u32; 6];
        for (row, &label) in test.features().chunks_exact(test.feature_len()).zip(test.labels()) {
            let (answer, name) = (head.answer(row)?, &test.classes()[usize::from(label)]);
            if name == stranger {
                counts[0] += 1;
                counts[1] += u32::from(!answer.unknown);
            } else {
                counts[2] += 1;
                counts[3] += u32::from(answer.unknown);
                counts[4] += u32::from(!answer.unknown);
                counts[5] += u32::from(!answer.unknown && head.labels()[answer.class] == *name);
            }
        }
        let share = |part: u32, whole: u32| 100.0 * f64::from(part) / f64::from(whole.max(1));
        let row = |counts: [u32; 6]| {
            [share(counts[1], counts[0]), share(counts[3], counts[2]), share(counts[5], counts[4])]
        };
        let [answered, unknown, right] = row(counts);
        println!(
            "{stranger:8}  {:9.2}  {answered:18.1}  {unknown:20.1}  {right:17.1}",
            head.unknown_threshold()
        );
        all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        if Some(stranger) == train.classes().last() {
            let [answered, unknown, right] = row(all);
            println!("{:8}  {:9}  {answered:18.1}  {unknown:20.1}  {right:17.1}", "all", "");
        }
    }
    Ok(())
}
