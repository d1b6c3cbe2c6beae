//! Teaches in a session on the host, as a board is taught over the cable.

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use headstart::head::Samples;
use headstart::kernels::Kernels;
use headstart::pack::Pack;
use headstart::session::Session;
use headstart::store::Store;
use headstart_device::extract::Extractor;
use headstart_device::samples::{Dataset, InputShape, SampleFile};
use headstart_firmware::training::{Imprint, Ridge, Sgd, Train};
use serde_json::json;

/// A store in memory.
struct Memory(Option<Vec<u8>>);

impl Store for &mut Memory {
    type Error = Infallible;

    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Infallible> {
        let Some(record) = &self.0 else { return Ok(None) };
        if let Some(place) = buffer.get_mut(..record.len()) {
            place.copy_from_slice(record);
        }
        Ok(Some(record.len()))
    }

    fn commit(&mut self, record: &[u8]) -> Result<(), Infallible> {
        self.0 = Some(record.to_vec());
        Ok(())
    }
}

type Sample = (String, Vec<i8>);

/// Samples of a folder, class by class.
fn samples(pack: &Pack<'_>, folder: &str) -> anyhow::Result<Vec<Sample>> {
    let mut extractor = Extractor::new(*pack, Kernels::best(), 1);
    let data = Dataset::labelled(Path::new(folder))?;
    let sample = |sample: &headstart_device::samples::LabelledFile| {
        let decoded = SampleFile::read(&sample.path)?.decode(&InputShape::from(pack.input()))?;
        let refused = |error| anyhow!("{}: {error}", sample.path.display());
        extractor.preprocess(&decoded).map_err(refused)?;
        Ok((data.classes[sample.label].clone(), extractor.input().to_vec()))
    };
    data.samples.iter().map(sample).collect()
}

/// In the order of a lesson: the first of each class, the second of each, and so on.
fn in_turn(samples: &[Sample]) -> Vec<&Sample> {
    let classes: Vec<&[Sample]> = samples.chunk_by(|a, b| a.0 == b.0).collect();
    let most = classes.iter().map(|class| class.len()).max().unwrap_or(0);
    (0..most).flat_map(|rank| classes.iter().filter_map(move |class| class.get(rank))).collect()
}

fn with_session<T>(
    pack: &Pack<'_>,
    memory: &mut Memory,
    work: impl FnOnce(&mut Session<'_, '_, &mut Memory>) -> Result<T, headstart::Error>,
) -> anyhow::Result<T> {
    let length = usize::try_from(pack.plan().ram_bytes())?;
    let mut words = vec![0_u32; length.div_ceil(4)];
    let ram = &mut bytemuck::cast_slice_mut(&mut words)[..length];
    let mut session = Session::open(pack, ram, memory)?;
    Ok(work(&mut session)?)
}

pub(crate) fn teach(pack: &str, learner: &str, out: &str, folders: &[&str]) -> anyhow::Result<()> {
    let bytes = fs::read(pack).with_context(|| pack.to_owned())?;
    let pack = Pack::open(&bytes).map_err(|error| anyhow!("{pack}: {error}"))?;
    let mut memory = Memory(None);
    if !["sgd", "ridge", "imprint", "step"].contains(&learner) {
        bail!("the learner is sgd, ridge, imprint or step, not '{learner}'");
    }
    for folder in folders {
        let samples = samples(&pack, folder)?;
        with_session(&pack, &mut memory, |session| {
            let (mut features, mut labels) = (vec![], vec![]);
            for (label, input) in in_turn(&samples) {
                session.learn(input, label)?;
                features.extend_from_slice(session.last_features()?);
                labels.push(session.class(label)?);
            }
            let samples = Samples::new(&features, &labels, pack.feature_len())?;
            match learner {
                "sgd" => Sgd::train(session, samples, |_, _| ()),
                "ridge" => Ridge::train(session, samples, |_, _| ()),
                "imprint" => Imprint::train(session, samples, |_, _| ()),
                _ => Ok(0.0),
            }?;
            Ok(session.commit())
        })??;
    }
    fs::write(out, memory.0.unwrap_or_default()).with_context(|| out.to_owned())
}

pub(crate) fn eval(pack: &str, head: &str, folder: &str) -> anyhow::Result<()> {
    let bytes = fs::read(pack).with_context(|| pack.to_owned())?;
    let pack = Pack::open(&bytes).map_err(|error| anyhow!("{pack}: {error}"))?;
    let mut memory = Memory(Some(fs::read(head).with_context(|| head.to_owned())?));
    let samples = samples(&pack, folder)?;
    let (right, first) = with_session(&pack, &mut memory, |session| {
        let (mut right, mut first, mut last) = (0_u32, vec![], "");
        for (label, input) in &samples {
            let answer = session.predict(input)?;
            let (class, probability) = (answer.class, answer.probability);
            right += u32::from(session.labels().nth(class.into()) == Some(label));
            if label != last {
                first.push(probability);
                last = label;
            }
        }
        Ok((right, first))
    })?;
    let accuracy = f64::from(right) / samples.len() as f64;
    println!("{}", json!({ "accuracy": accuracy, "first_of_each_class": first }));
    Ok(())
}
