//! The whole job on Headstart: decoded photos to a trained head.
//!
//! ```text
//! headstart-job PACK TRAIN_FOLDER auto|sgd EPOCHS [TEST_FOLDER]
//! ```
//!
//! Prints one JSON object: seconds of decoding (which the job does not include), of the features (preprocessing
//! included) and of training, and the accuracy on the test folder. `auto` is what `headstart-edge learn` does, with
//! one view a sample; `sgd` makes EPOCHS passes.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use headstart::head::{LinearHead, Samples, argmax, sgd};
use headstart_device::extract::Extractor;
use headstart_device::samples::{Dataset, Decoded, InputShape, SampleFile, SampleId};
use headstart_device::state::FeatureCache;
use headstart_device::training::{self, Choice};
use headstart_device::{Head, PackFile};

/// A decoded photo, its name and its class.
type Photo = (SampleId, usize, Decoded);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (pack, train, learner, epochs, test) = match &arguments[..] {
        [pack, train, learner, epochs] => (pack, train, learner, epochs, None),
        [pack, train, learner, epochs, test] => (pack, train, learner, epochs, Some(test)),
        _ => bail!("arguments: PACK TRAIN_FOLDER auto|sgd EPOCHS [TEST_FOLDER]"),
    };
    let epochs: u32 = epochs.parse().context("EPOCHS: a whole number")?;
    let file = PackFile::open(Path::new(pack))?;
    let pack = file.pack()?;
    let input = InputShape::from(pack.input());

    let begun = Instant::now();
    let (classes, photos) = decode(Path::new(train), &input)?;
    let decode_s = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    let mut extractor = headstart_workers::extractor(pack)?;
    let mut cache = FeatureCache::new(pack.feature_len());
    for name in &classes {
        cache.class(name).context("too many classes")?;
    }
    for (id, label, photo) in &photos {
        extractor.preprocess(photo)?;
        cache.insert(*id, u16::try_from(*label)?, extractor.run()?);
    }
    let features_s = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    let (weights, bias) = match &**learner {
        "auto" => automatic(&cache, pack.backbone_digest())?,
        "sgd" => descend(&cache, classes.len(), epochs)?,
        other => bail!("{other}: neither auto nor sgd"),
    };
    let train_s = begun.elapsed().as_secs_f64();

    let accuracy = match test {
        None => None,
        Some(folder) => {
            let (_, photos) = decode(Path::new(folder), &input)?;
            let head = LinearHead::new(&weights, &bias, pack.feature_len())?;
            Some(accuracy(&mut extractor, head, &photos)?)
        }
    };
    println!(
        "{}",
        serde_json::json!({
            "decode_s": decode_s, "features_s": features_s, "train_s": train_s,
            "job_s": features_s + train_s, "samples": photos.len(), "accuracy": accuracy,
        })
    );
    Ok(())
}

fn decode(folder: &Path, input: &InputShape) -> anyhow::Result<(Vec<String>, Vec<Photo>)> {
    let data = Dataset::labelled(folder)?;
    let mut photos = Vec::with_capacity(data.samples.len());
    for sample in &data.samples {
        let file = SampleFile::read(&sample.path)?;
        photos.push((file.id(), sample.label, file.decode(input)?));
    }
    Ok((data.classes, photos))
}

/// The default learner, held-out calibration included.
fn automatic(cache: &FeatureCache, digest: [u8; 32]) -> anyhow::Result<(Vec<f32>, Vec<f32>)> {
    let record = training::train(cache, None, Choice::auto(), digest)?;
    let head = Head::parse(Path::new("head"), &record, &digest)?;
    let linear = head.linear().context("the head is not linear")?;
    Ok((linear.weights().to_vec(), linear.bias().to_vec()))
}

/// Stochastic gradients, with an eighth of the samples held out in a first descent that says how long the second is.
fn descend(
    cache: &FeatureCache,
    classes: usize,
    epochs: u32,
) -> anyhow::Result<(Vec<f32>, Vec<f32>)> {
    let settings = sgd::Settings { epochs, patience: epochs, ..Default::default() };
    let samples = Samples::new(cache.features(), cache.labels(), cache.feature_len())?;
    let (floats, indices) =
        sgd::scratch_len(samples.len(), cache.feature_len(), classes, &settings)?;
    let (mut weights, mut bias) = (vec![0.0; classes * cache.feature_len()], vec![0.0; classes]);
    let (mut scratch, mut order) = (vec![0.0; floats], vec![0; indices]);
    sgd::train(samples, &settings, None, &mut weights, &mut bias, &mut scratch, &mut order)?;
    Ok((weights, bias))
}

fn accuracy(
    extractor: &mut Extractor<'_>,
    head: LinearHead<'_>,
    photos: &[Photo],
) -> anyhow::Result<f64> {
    let mut logits = vec![0.0; head.classes()];
    let mut right = 0;
    for (_, label, photo) in photos {
        extractor.preprocess(photo)?;
        head.logits(extractor.run()?, &mut logits)?;
        right += usize::from(argmax(&logits) == *label);
    }
    Ok(right as f64 / photos.len() as f64)
}
