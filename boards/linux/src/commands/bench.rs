//! `bench`: time and memory of backbone, head and whole prediction, on a made-up sample.

mod commit;
mod layers;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use headstart::head::{HeadParts, LinearHead, sgd};
use headstart::pack::Pack;
use headstart_device::engine::Batches;
use headstart_device::extract::{Compute, Extractor};
use headstart_device::samples::Decoded;
use headstart_device::{Head, PackFile};
use serde::Serialize;

use self::layers::Layer;
use crate::cli::Bench;
use crate::output::{self, Report};

/// Each measurement runs so long, after one warm-up run, but so many times at least.
const BUDGET: Duration = Duration::from_millis(1500);
const LEAST_RUNS: usize = 10;
const MOST_RUNS: usize = 1000;
/// Classes of the head that stands in where there is none.
const STAND_IN_CLASSES: usize = 10;

#[derive(Serialize)]
struct Measured {
    threads: usize,
    /// The instruction set of the kernels that ran.
    isa: &'static str,
    /// With `--engine`: the backend that ran the backbone.
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    /// With `--engine`: a sample's share of the time of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Batch>,
    backbone_ms: Times,
    /// Preprocessing of a picture of the model's own size, backbone and head; without reading and
    /// decoding a file.
    predict_ms: Times,
    /// One stochastic gradient step of the head on one sample.
    head_step_us: Times,
    /// Learning ten samples, and making what was learned durable; `null` with a trainable tail, or where no folder
    /// can be made beside the state's, or in the working folder.
    commit: Option<commit::Commits>,
    /// With backbone, head and predictions.
    peak_rss_bytes: u64,
    pack_bytes: usize,
    head_bytes: usize,
    /// With `--layers`: each node of the backbone.
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Vec<Layer>>,
}

#[derive(Serialize)]
struct Batch {
    samples: usize,
    sample_ms: Times,
}

#[derive(Serialize)]
struct Times {
    median: f64,
    min: f64,
}

pub(crate) fn run(args: &Bench) -> anyhow::Result<ExitCode> {
    let file = super::pack_file(&args.common.pack, args.state.as_deref())?;
    let (pack, counter) = file.trusted()?;
    let head = match super::head(args.state.as_deref(), &file, &pack)? {
        Some(head) => head,
        None => stand_in(&file, &pack, pack.head_inputs())?,
    };
    super::keep_counter(&file, args.state.as_deref(), counter)?;
    // A step is one of a linear head; one with a hidden layer is trained whole.
    let steppable = match head.linear() {
        Some(_) => head.clone(),
        None => stand_in(&file, &pack, pack.feature_len())?,
    };
    let sample = sample(&pack);
    let refuse =
        |problem| headstart_device::Error::State { path: args.common.pack.clone(), problem };
    let backend = args.backend.choose().map_err(refuse)?;
    let (kernels, threads) = (args.instructions.kernels(), usize::from(args.threads));
    let extraction = super::warned(Compute { kernels, threads, engine: backend }.open(pack));
    let batches = extraction.batches();
    let extractor = || Extractor::new(pack, kernels, threads);
    let backbone = measure::<anyhow::Error, _>(|| {
        let mut extractor = extractor();
        extractor.preprocess(&sample)?;
        Ok(move || match batches {
            Some(batches) => {
                batches.features(extractor.input()).map(drop).map_err(|e| batches.error(e).into())
            }
            None => Ok(extractor.run().map(drop)?),
        })
    })?;
    let size = [pack.input().height as usize, pack.input().width as usize];
    let answer = |features: &[i8]| match head.mask(features, size)? {
        Some(_) => Ok(()),
        None => head.answer(features).map(drop),
    };
    let predict = measure::<anyhow::Error, _>(|| {
        let mut extractor = extractor();
        let (answer, sample) = (&answer, &sample);
        Ok(move || {
            extractor.preprocess(sample)?;
            match batches {
                Some(batches) => {
                    let features = batches.features(extractor.input());
                    answer(&features.map_err(|e| batches.error(e))?)?;
                }
                None => answer(extractor.run()?)?,
            }
            Ok(())
        })
    })?;
    let batch = batches.map(|batches| measure_batch(batches, extractor(), &sample));
    let batch = batch.transpose()?;
    let mut extractor = extractor();
    extractor.preprocess(&sample)?;
    let features = extractor.run()?.to_vec();
    let centre = vec![pack.feature_value()?.zero_point; features.len()];
    let step = measure::<headstart::Error, _>(|| {
        let linear = steppable.linear().ok_or(headstart::Error::NotAHead)?;
        let (mut weights, mut bias) = (linear.weights().to_vec(), linear.bias().to_vec());
        let mut gradient = vec![0.0; bias.len()];
        let (features, centre) = (&features, &centre);
        Ok(move || {
            let rate = 1.0;
            sgd::step(features, 0, centre, rate, &mut weights, &mut bias, &mut gradient).map(|_| ())
        })
    })?;
    // Learning takes more, by how much depends on what was learned.
    let peak_rss_bytes = peak_rss_bytes()?;
    let commit = commit::measure(args, &pack, &head, predict[predict.len() / 2])?;
    let layers = args.layers.then(|| layers::measure(&pack, kernels, &sample)).transpose()?;
    let report = Measured {
        threads,
        isa: kernels.isa().name(),
        backend: batches.map(|batches| batches.backend().to_string()),
        batch,
        backbone_ms: Times::new(&backbone, 1e3),
        predict_ms: Times::new(&predict, 1e3),
        head_step_us: Times::new(&step, 1e6),
        commit,
        peak_rss_bytes,
        pack_bytes: file.bytes(),
        head_bytes: head.record_bytes(),
        layers,
    };
    output::print(&report, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Times the work that `prepare` makes; the times are sorted.
fn measure<E, W: FnMut() -> Result<(), E>>(
    prepare: impl FnOnce() -> Result<W, E>,
) -> Result<Vec<Duration>, E> {
    let mut work = prepare()?;
    work()?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < LEAST_RUNS || (times.len() < MOST_RUNS && start.elapsed() < BUDGET) {
        let begun = Instant::now();
        work()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// A whole batch of one sample.
fn measure_batch(
    batches: &Batches<'_>,
    mut extractor: Extractor<'_>,
    sample: &Decoded,
) -> anyhow::Result<Batch> {
    extractor.preprocess(sample)?;
    let inputs = extractor.input().repeat(batches.size());
    let times = measure::<headstart_device::Error, _>(|| {
        Ok(|| batches.features(&inputs).map(drop).map_err(|e| batches.error(e)))
    })?;
    let samples = batches.size();
    Ok(Batch { samples, sample_ms: Times::new(&times, 1e3 / samples as f64) })
}

/// A sample that is not flat: no level repeats in the next row.
fn sample(pack: &Pack<'_>) -> Decoded {
    let input = pack.input();
    let (height, width) = (input.height as usize, input.width as usize);
    let channels = input.channels as usize;
    let levels = (0..height * width * channels).map(|at| (at * 7 + at / 251) as u8);
    if channels == 1 || channels == 3 {
        Decoded::Pixels { width, height, channels, bytes: levels.collect() }
    } else {
        let values = levels.map(|level| f32::from(level) / 64.0 - 2.0).collect();
        Decoded::Values { shape: vec![height, width, channels], values }
    }
}

/// A linear head of zeros.
fn stand_in(file: &PackFile, pack: &Pack<'_>, inputs: usize) -> anyhow::Result<Head> {
    let labels: Vec<String> = (0..STAND_IN_CLASSES).map(|class| class.to_string()).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let weights = vec![0.0; STAND_IN_CLASSES * inputs];
    let record = HeadParts::new(
        LinearHead::new(&weights, &[0.0; STAND_IN_CLASSES], inputs)?,
        pack.backbone_digest(),
        &labels,
        &[0; STAND_IN_CLASSES],
    )
    .to_vec()?;
    Ok(Head::parse(file.path(), &record, &pack.backbone_digest())?)
}

/// The most memory that this process ever had resident, as the kernel counts it.
pub(super) fn peak_rss_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    Ok(kibibytes.context("/proc/self/status: no line VmHWM")? * 1024)
}

impl Times {
    /// `sorted` has an entry.
    fn new(sorted: &[Duration], per_second: f64) -> Self {
        let at = |index: usize| sorted[index].as_secs_f64() * per_second;
        Self { median: at(sorted.len() / 2), min: at(0) }
    }
}

impl Report for Measured {
    fn text(&self) -> String {
        let times = [
            ("backbone", &self.backbone_ms, "ms"),
            ("whole prediction", &self.predict_ms, "ms"),
            ("head step", &self.head_step_us, "µs"),
        ];
        let row = |name: String, t: &Times, unit: &str| {
            vec![name, format!("{:.2} {unit}", t.median), format!("{:.2} {unit}", t.min)]
        };
        let mut times = times.map(|(name, t, unit)| row(name.to_owned(), t, unit)).to_vec();
        if let Some(batch) = &self.batch {
            times.push(row(
                format!("backbone, of {} at once", batch.samples),
                &batch.sample_ms,
                "ms",
            ));
        }
        if let Some(commit) = &self.commit {
            times.push(row("learning a batch of 10".to_owned(), &commit.learn_ms, "ms"));
            times.push(row("its commit".to_owned(), &commit.commit_ms, "ms"));
        }
        let sizes = [
            ("peak memory", self.peak_rss_bytes as usize),
            ("pack", self.pack_bytes),
            ("head", self.head_bytes),
        ];
        let sizes = sizes.map(|(name, n)| vec![name.to_owned(), output::thousands(n)]);
        let ran = match &self.backend {
            Some(backend) => backend.clone(),
            None => format!("{} thread(s), {} kernels", self.threads, self.isa),
        };
        let mut text = format!(
            "one sample on {ran}\n\n{}\n\n{}",
            output::table(&["time", "median", "minimum"], times),
            output::table(&["size", "bytes"], sizes)
        );
        if let Some(layers) = &self.layers {
            text += &format!("\n\n{}", layers::table(layers));
        }
        text
    }
}
