//! Time and memory of backbone, head and whole answer, on a made-up sample.

mod commit;
mod layers;
mod times;

use std::time::Duration;

use headstart::head::{HeadParts, LinearHead, sgd};
use headstart::pack::Pack;
use serde::Serialize;

pub use self::commit::Commits;
pub use self::layers::Layer;
pub use self::times::Times;
use self::times::measure;
use super::handle::Device;
use crate::engine::Batches;
use crate::extract::{Compute, Extractor};
use crate::samples::Decoded;
use crate::state::StateProblem;
use crate::{Error, Head, memory};

/// Classes of the head that stands in where there is none.
const STAND_IN_CLASSES: usize = 10;

/// Options of [`Device::bench`]: what it measures beside the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BenchOptions {
    /// Also measures each node of the backbone, on one thread.
    pub layers: bool,
}

/// Time and memory that [`Device::bench`] measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// How many threads shared one sample.
    pub threads: usize,
    /// The instruction set of the kernels that ran.
    pub isa: &'static str,
    /// The engine that ran the backbone, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// A sample's share of the time of a batch; absent without an engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Milliseconds of the backbone for one sample.
    pub backbone_ms: Times,
    /// Milliseconds of a whole answer: preprocessing of a picture of the model's own size, backbone and head; without reading and decoding
    /// a file.
    pub predict_ms: Times,
    /// Microseconds of one stochastic gradient step of the head on one sample.
    pub head_step_us: Times,
    /// Times of learning ten samples, and of making what was learned durable; `null` with a trainable tail, or where no folder can be made
    /// beside the state's, or in the working folder.
    pub commit: Option<Commits>,
    /// The most memory that the process had resident, with backbone, head and answers; `null` where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// Size of the pack in bytes.
    pub pack_bytes: usize,
    /// Size of the head's record in bytes.
    pub head_bytes: usize,
    /// Each node of the backbone with its time, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<Layer>>,
}

/// How long an engine takes for a batch of samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Batch {
    /// How many samples the engine takes at once.
    pub samples: usize,
    /// Milliseconds: a sample's share of the batch's time.
    pub sample_ms: Times,
}

impl Device {
    /// Measures this device on a made-up sample. Without a head anywhere, one of 10 classes stands in. Learning and commits are
    /// measured in a temporary folder beside the state's.
    ///
    /// # Errors
    /// Those of the state's files and of an engine.
    pub fn bench(&self, options: BenchOptions) -> Result<Measured, Error> {
        let pack = self.pack();
        let head = match self.head() {
            Ok(head) => Head::clone(&head),
            Err(Error::State { problem: StateProblem::NoHead, .. }) => self.stand_in_head()?,
            Err(error) => return Err(error),
        };
        let extraction = self.answering().extraction();
        let (batches, Compute { kernels, threads, .. }) = (extraction.batches(), self.compute);
        let sample = sample(&pack);
        let wrong = |problem| Error::pack(self.pack_file().path(), problem);
        let backbone = measure(|| {
            let mut extractor = Extractor::new(pack, kernels, threads);
            extractor.preprocess(&sample).map_err(wrong)?;
            Ok(move || match batches {
                Some(batches) => {
                    batches.features(extractor.input()).map(drop).map_err(|e| batches.error(e))
                }
                None => extractor.run().map(drop).map_err(wrong),
            })
        })?;
        let predict = self.measure_answers(&head, &sample)?;
        let batch = batches.map(|batches| self.measure_batch(batches, &sample)).transpose()?;
        let step = self.measure_step(&head, &sample)?;
        // Learning takes more, by how much depends on what was learned.
        let peak_rss_bytes = memory::peak();
        let commit = commit::measure(self, &head, predict[predict.len() / 2])?;
        let layers = options.layers.then(|| layers::measure(&pack, kernels, &sample));
        Ok(Measured {
            threads,
            isa: kernels.isa().name(),
            backend: batches.map(|batches| batches.backend().to_string()),
            batch,
            backbone_ms: Times::new(&backbone, 1e3),
            predict_ms: Times::new(&predict, 1e3),
            head_step_us: Times::new(&step, 1e6),
            commit,
            peak_rss_bytes,
            pack_bytes: self.pack_file().bytes(),
            head_bytes: head.record_bytes(),
            layers: layers.transpose().map_err(wrong)?,
        })
    }

    /// Preprocessing, backbone and head.
    fn measure_answers(&self, head: &Head, sample: &Decoded) -> Result<Vec<Duration>, Error> {
        let (pack, Compute { kernels, threads, .. }) = (self.pack(), self.compute);
        let batches = self.answering().extraction().batches();
        let wrong = |problem| Error::pack(self.pack_file().path(), problem);
        let size = [pack.input().height as usize, pack.input().width as usize];
        let answer = |features: &[i8]| match head.mask(features, size)? {
            Some(_) => Ok(()),
            None => head.answer(features).map(drop),
        };
        measure(|| {
            let mut extractor = Extractor::new(pack, kernels, threads);
            Ok(move || {
                extractor.preprocess(sample).map_err(wrong)?;
                match batches {
                    Some(batches) => {
                        let features = batches.features(extractor.input());
                        answer(&features.map_err(|e| batches.error(e))?).map_err(wrong)
                    }
                    None => answer(extractor.run().map_err(wrong)?).map_err(wrong),
                }
            })
        })
    }

    /// A whole batch of one sample.
    fn measure_batch(&self, batches: &Batches<'_>, sample: &Decoded) -> Result<Batch, Error> {
        let Compute { kernels, threads, .. } = self.compute;
        let mut extractor = Extractor::new(self.pack(), kernels, threads);
        let wrong = |problem| Error::pack(self.pack_file().path(), problem);
        extractor.preprocess(sample).map_err(wrong)?;
        let inputs = extractor.input().repeat(batches.size());
        let times =
            measure(|| Ok(|| batches.features(&inputs).map(drop).map_err(|e| batches.error(e))))?;
        let samples = batches.size();
        Ok(Batch { samples, sample_ms: Times::new(&times, 1e3 / samples as f64) })
    }

    /// One gradient step, of a linear head; one with a hidden layer is trained whole.
    fn measure_step(&self, head: &Head, sample: &Decoded) -> Result<Vec<Duration>, Error> {
        let pack = self.pack();
        let stand_in;
        let steppable = match head.linear() {
            Some(_) => head,
            None => {
                let record = empty_head(&pack, pack.feature_len());
                let path = self.pack_file().path();
                let record = record.map_err(|e| Error::pack(path, e))?;
                stand_in = Head::parse(path, &record, &pack.backbone_digest())?;
                &stand_in
            }
        };
        let Compute { kernels, threads, .. } = self.compute;
        let wrong = |problem| Error::pack(self.pack_file().path(), problem);
        let mut extractor = Extractor::new(pack, kernels, threads);
        extractor.preprocess(sample).map_err(wrong)?;
        let features = extractor.run().map_err(wrong)?.to_vec();
        let zero_point = pack.feature_value().map_err(wrong)?.zero_point;
        let centre = vec![zero_point; features.len()];
        measure(|| {
            let linear = steppable.linear().ok_or(headstart::Error::NotAHead).map_err(wrong)?;
            let (mut weights, mut bias) = (linear.weights().to_vec(), linear.bias().to_vec());
            let mut gradient = vec![0.0; bias.len()];
            let (features, centre) = (&features, &centre);
            Ok(move || {
                let rate = 1.0;
                sgd::step(features, 0, centre, rate, &mut weights, &mut bias, &mut gradient)
                    .map(drop)
                    .map_err(wrong)
            })
        })
    }

    /// A linear head of zeros, behind the tail that the pack keeps, if it keeps one.
    fn stand_in_head(&self) -> Result<Head, Error> {
        let (path, pack) = (self.pack_file().path(), self.pack());
        let record = empty_head(&pack, pack.head_inputs()).map_err(|e| Error::pack(path, e))?;
        Head::parse_for(path, &record, &pack)
    }
}

fn empty_head(pack: &Pack<'_>, inputs: usize) -> Result<Vec<u8>, headstart::Error> {
    let labels: Vec<String> = (0..STAND_IN_CLASSES).map(|class| class.to_string()).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let weights = vec![0.0; STAND_IN_CLASSES * inputs];
    HeadParts::new(
        LinearHead::new(&weights, &[0.0; STAND_IN_CLASSES], inputs)?,
        pack.backbone_digest(),
        &labels,
        &[0; STAND_IN_CLASSES],
    )
    .to_vec()
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
