//! `headstart-replay`: lays inputs out for a board's job, and does the same job on the host.
//!
//! ```text
//! headstart-replay clips PACK LEARN MEASURE OUT   folders with one folder a digit → clips
//! headstart-replay run   PACK CLIPS sgd|ridge FOLDER  first.bin and second.bin, as the board writes them
//! headstart-replay teach PACK sgd|ridge|imprint|step OUT FOLDER...  the head after a lesson of each folder
//! headstart-replay eval  PACK HEAD FOLDER         what that head answers
//! ```

mod lesson;

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use headstart::kernels::Kernels;
use headstart::pack::Pack;
use headstart_device::extract::Extractor;
use headstart_device::samples::{Dataset, InputShape, SampleFile};
use headstart_firmware::training::{Ridge, Sgd};
use headstart_replay::{Clips, Job, Report, job};
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["clips", pack, learn, measure, out] => clips(pack, [learn, measure], out),
        ["run", pack, clips, learner, folder] => run(pack, clips, learner, Path::new(folder)),
        ["teach", pack, learner, out, ref folders @ ..] => {
            lesson::teach(pack, learner, out, folders)
        }
        ["eval", pack, head, folder] => lesson::eval(pack, head, folder),
        _ => bail!(
            "usage: headstart-replay clips PACK LEARN MEASURE OUT | run PACK CLIPS LEARNER FOLDER \
             | teach PACK LEARNER OUT FOLDER... | eval PACK HEAD FOLDER"
        ),
    }
}

fn clips(pack: &str, folders: [&str; 2], out: &str) -> anyhow::Result<()> {
    let bytes = fs::read(pack).with_context(|| pack.to_owned())?;
    let pack = Pack::open(&bytes).map_err(|error| anyhow!("{pack}: {error}"))?;
    let mut extractor = Extractor::new(pack, Kernels::best(), 1);
    let (mut counts, mut labels, mut inputs) = (vec![], vec![], vec![]);
    for folder in folders {
        let data = Dataset::labelled(Path::new(folder))?;
        counts.push(u32::try_from(data.samples.len())?);
        for sample in &data.samples {
            let name = &data.classes[sample.label];
            let label: u8 = name.parse().ok().filter(|&label| label < 10).with_context(|| {
                format!("{folder}: the class '{name}' is none of the digits 0 to 9")
            })?;
            labels.push(label);
            let decoded =
                SampleFile::read(&sample.path)?.decode(&InputShape::from(pack.input()))?;
            let refused = |error| anyhow!("{}: {error}", sample.path.display());
            extractor.preprocess(&decoded).map_err(refused)?;
            inputs.extend(extractor.input().iter().map(|&q| q.cast_unsigned()));
        }
    }
    let each = u32::try_from(inputs.len() / labels.len())?;
    let header = [counts[0], counts[1], each].map(u32::to_le_bytes);
    fs::write(out, [b"HSCL".as_slice(), header.as_flattened(), &labels, &inputs].concat())?;
    Ok(())
}

#[derive(Default)]
struct Told {
    bytes: Vec<u8>,
    right: u32,
    answers: u32,
    learned: u32,
}

impl Report for Told {
    fn features(&mut self, features: &[i8]) {
        self.bytes.extend(features.iter().map(|&q| q.cast_unsigned()));
    }

    fn answer(&mut self, class: u16, probability: f32, known: bool, right: bool) {
        self.bytes.extend(class.to_le_bytes());
        self.bytes.extend(probability.to_bits().to_le_bytes());
        self.bytes.extend([u8::from(known), u8::from(right)]);
        self.right += u32::from(right);
        self.answers += 1;
    }

    fn learned(&mut self, _: u16, _: f32) {
        self.learned += 1;
    }

    fn epoch(&mut self, _: u32, _: f32) {}

    fn committed(&mut self, record: &[u8]) {
        self.bytes.extend(record);
    }
}

fn run(pack: &str, clips: &str, learner: &str, folder: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(pack).with_context(|| pack.to_owned())?;
    let pack = Pack::open(&bytes).map_err(|error| anyhow!("{pack}: {error}"))?;
    let clip_bytes = fs::read(clips).with_context(|| clips.to_owned())?;
    let clips = Clips::parse(&clip_bytes).with_context(|| format!("{clips}: no clips"))?;
    let job = Job { pack: &pack, clips };
    let length = usize::try_from(pack.plan().ram_bytes())?;
    let mut words = vec![0_u32; length.div_ceil(4)];
    let ram = &mut bytemuck::cast_slice_mut(&mut words)[..length];
    let mut flash = vec![0; job::FLASH_BYTES];
    let refused = |error| anyhow!("{error:?}");
    let (mut before, mut after) = (Told::default(), Told::default());
    match learner {
        "sgd" => job.learn::<Sgd>(ram, &mut flash, &mut before),
        "ridge" => job.learn::<Ridge>(ram, &mut flash, &mut before),
        other => bail!("the learner is sgd or ridge, not '{other}'"),
    }
    .map_err(refused)?;
    job.measure_again(ram, &mut flash, &mut after).map_err(refused)?;
    fs::write(folder.join("first.bin"), &before.bytes)?;
    fs::write(folder.join("second.bin"), &after.bytes)?;
    let share = |told: &Told| f64::from(told.right) / f64::from(told.answers.max(1));
    let summary = json!({
        "accuracy_before": share(&before),
        "accuracy_after": share(&after),
        "answers": after.answers,
        "learned": before.learned,
        "features": pack.feature_len(),
        "record_bytes": after.bytes.len() - after.answers as usize * (pack.feature_len() + 8),
        "arena_bytes": pack.plan().arena_bytes,
        "head_bytes": pack.plan().head_bytes,
        "learner_bytes": pack.plan().learner_bytes,
        "ram_bytes": pack.plan().ram_bytes(),
        "pack_bytes": bytes.len(),
        "macs": pack.provenance().multiply_accumulates,
    });
    println!("{summary}");
    Ok(())
}
