//! Answers from features with a learned head.

use std::path::Path;
use std::sync::Arc;

use headstart::graph::Resize;
use headstart::head::{HeadRecord, Learner, LinearHead, Storage, argmax, softmax};
use headstart::pack::Pack;
use headstart::tail::{RECORD_MAGIC, RECORD_VERSION, Tail, TailRecord};

use crate::Error;
use crate::engine::{Backend, TailModel};
use crate::hidden::HiddenLayer;
use crate::model::{Logits, Model};
use crate::segmentation::Mask;
use crate::state::{StateProblem, newer_than};

/// The answer of a head to one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The most probable class.
    pub class: usize,
    /// The probability of `class`, 0 to 1.
    pub probability: f32,
    /// Whether the probability is below the head's threshold: the sample is of none of the classes,
    /// or hard to tell.
    pub unknown: bool,
}

/// A fully-connected layer of a head; the first one reads raw int8 features.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The weights, `[output][input]`.
    pub weights: &'a [f32],
    /// The bias of each output.
    pub bias: &'a [f32],
}

/// The version of a record that begins so, where a later program wrote it.
pub(crate) fn newer(front: &[u8]) -> Option<u16> {
    let found = newer_than(front, &RECORD_MAGIC, RECORD_VERSION);
    let behind = |error| match error {
        headstart::Error::UnsupportedVersion { found } => Some(found),
        _ => None,
    };
    let last = || HiddenLayer::split(front).and_then(|(_, last)| HeadRecord::parse(last).map(drop));
    found.or_else(|| last().err().and_then(behind))
}

/// A head record, unpacked.
#[derive(Clone, Debug)]
pub struct Head {
    labels: Vec<String>,
    samples: Vec<u32>,
    model: Model,
    tail: Option<Arc<TailModel>>,
    temperature: f32,
    unknown_threshold: f32,
    held_out: Option<(u32, u32)>,
    learner: Learner,
    prototypes: Option<Vec<i8>>,
    record_bytes: usize,
    storage: Storage,
}

impl Head {
    /// Checks and unpacks a record; `path` is where the bytes came from.
    ///
    /// # Errors
    /// [`Error::State`] for a damaged record or one of another backbone.
    pub fn parse(path: &Path, bytes: &[u8], backbone: &[u8; 32]) -> Result<Self, Error> {
        Self::behind(path, bytes, backbone, bytes.len())
    }

    /// Checks and unpacks a record for the pack that it is to work with, whose tail stands before the head.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse); [`RequestProblem::NoEngine`](crate::RequestProblem::NoEngine) where this build runs no tails.
    pub fn parse_for(path: &Path, bytes: &[u8], pack: &Pack<'_>) -> Result<Self, Error> {
        let backbone = pack.backbone_digest();
        if pack.tail().is_none() {
            return Self::parse(path, bytes, &backbone);
        }
        if Backend::fastest().is_none() {
            return Err(Error::no_engine(path, pack));
        }
        Self::with_tail(path, bytes, pack, &backbone)
    }

    fn with_tail(
        path: &Path,
        bytes: &[u8],
        pack: &Pack<'_>,
        backbone: &[u8; 32],
    ) -> Result<Self, Error> {
        let refuse = |e| Error::state(path, StateProblem::of_head(e));
        let tail = Tail::parse(pack).map_err(refuse)?;
        let mut tail = tail.ok_or_else(|| refuse(headstart::Error::BadTail))?;
        let mut rest = bytes;
        // Without a record of its own it is the pack's tail as it is.
        if bytes.starts_with(&RECORD_MAGIC) {
            let (record, behind) = TailRecord::split(bytes, &tail, backbone).map_err(refuse)?;
            record.apply(&mut tail);
            rest = behind;
        }
        let mut head = Self::behind(path, rest, backbone, bytes.len())?;
        let (expected, found) = (pack.head_inputs(), head.model.inputs);
        if head.model.hidden.is_some() || expected != found {
            return Err(refuse(headstart::Error::BufferLength { expected, found }));
        }
        head.tail = Some(TailModel::new(tail).map_err(refuse)?.into());
        Ok(head)
    }

    fn behind(
        path: &Path,
        bytes: &[u8],
        backbone: &[u8; 32],
        record_bytes: usize,
    ) -> Result<Self, Error> {
        let refuse = |e| Error::state(path, StateProblem::of_head(e));
        let (hidden, record) = HiddenLayer::split(bytes).map_err(refuse)?;
        let record = HeadRecord::parse_for(record, backbone).map_err(refuse)?;
        let (classes, inputs) = (record.classes(), record.feature_len());
        if let Some(found) = hidden.as_ref().map(|layer| layer.bias.len()).filter(|n| *n != inputs)
        {
            return Err(refuse(headstart::Error::BufferLength { expected: inputs, found }));
        }
        // The record's own length bounds both: it was checked.
        let (mut weights, mut bias) = (vec![0.0; classes * inputs], vec![0.0; classes]);
        record.read(&mut weights, &mut bias).map_err(refuse)?;
        Ok(Self {
            labels: record.labels().map(str::to_owned).collect(),
            samples: record.samples().collect(),
            model: Model { hidden, weights, bias, inputs },
            temperature: record.temperature(),
            unknown_threshold: record.unknown_threshold(),
            held_out: record.held_out(),
            learner: record.learner(),
            prototypes: record.prototypes().map(<[i8]>::to_vec),
            tail: None,
            record_bytes,
            storage: record.storage(),
        })
    }

    /// Answers one sample from its features.
    ///
    /// # Errors
    /// [`headstart::Error::BufferLength`] for features of another length than the head's.
    pub fn answer(&self, features: &[i8]) -> Result<Answer, headstart::Error> {
        self.answer_in(features, &mut Logits::default())
    }

    /// Gives the probability of every class for one sample's features, in the order of [`labels`](Self::labels).
    ///
    /// # Errors
    /// [`headstart::Error::BufferLength`] for features of another length than the head's.
    pub fn probabilities(&self, features: &[i8]) -> Result<Vec<f32>, headstart::Error> {
        let mut memory = Logits::default();
        self.answer_in(features, &mut memory)?;
        Ok(memory.logits)
    }

    /// Answers one sample in memory that is used again.
    pub(crate) fn answer_in(
        &self,
        features: &[i8],
        memory: &mut Logits,
    ) -> Result<Answer, headstart::Error> {
        let logits = self.logits(features, memory)?;
        let class = argmax(logits);
        softmax(logits, self.temperature);
        let probability = logits[class];
        Ok(Answer { class, probability, unknown: probability < self.unknown_threshold })
    }

    /// Gives each pixel of a picture of these rows and columns a class: the logits of the places are interpolated linearly, and the largest
    /// wins. `None` for a head that answers for the whole picture.
    ///
    /// # Errors
    /// [`headstart::Error::BufferLength`] for features of another length than the head's.
    pub fn mask(
        &self,
        features: &[i8],
        [height, width]: [usize; 2],
    ) -> Result<Option<Mask>, headstart::Error> {
        let Some(tail) = &self.tail else { return Ok(None) };
        let Some([rows, columns]) = tail.map() else { return Ok(None) };
        let places = rows * columns;
        let logits = self.model.last_of_places(&tail.run(features)?, places);
        let resize = &Resize::linear(&[rows, columns], &[height, width]);
        let taps = |axis: usize, extent: usize, count: usize| {
            (0..count).filter_map(move |at| resize.taps(axis, extent, at)).collect::<Vec<_>>()
        };
        let (of_rows, of_columns) = (taps(0, rows, height), taps(1, columns, width));
        let mut classes = Vec::with_capacity(height * width);
        let mut line = vec![0.0_f32; columns];
        for [(above, share), (below, rest)] in of_rows {
            let start = classes.len();
            let mut best = vec![f32::NEG_INFINITY; width];
            classes.resize(start + width, 0_u8);
            for (class, plane) in logits.chunks_exact(places).enumerate() {
                let (upper, lower) = (&plane[above * columns..], &plane[below * columns..]);
                for ((x, a), b) in line.iter_mut().zip(upper).zip(lower) {
                    *x = share * a + rest * b;
                }
                let pixels = classes[start..].iter_mut().zip(&mut best).zip(&of_columns);
                for ((answer, best), [(left, share), (right, rest)]) in pixels {
                    let logit = share * line[*left] + rest * line[*right];
                    if logit > *best {
                        (*best, *answer) = (logit, class as u8);
                    }
                }
            }
        }
        Ok(Some(Mask::new(height, width, classes)))
    }

    fn logits<'m>(
        &self,
        features: &[i8],
        memory: &'m mut Logits,
    ) -> Result<&'m mut [f32], headstart::Error> {
        if let Some(tail) = &self.tail {
            if tail.map().is_some() {
                // There is no one answer.
                return Err(headstart::Error::BadTail);
            }
            memory.logits.clear();
            memory.logits.extend(self.model.last_of(&tail.run(features)?));
            return Ok(&mut memory.logits);
        }
        self.model.logits_in(features, memory)?;
        Ok(&mut memory.logits)
    }

    /// Whether a tail stands before the last layer.
    pub fn has_tail(&self) -> bool {
        self.tail.is_some()
    }

    /// The last layer, whatever it reads; `None` behind a hidden one.
    pub(crate) fn last(&self) -> Option<LinearHead<'_>> {
        self.model.last().ok().filter(|_| self.model.hidden.is_none())
    }

    /// The weights and the bias; `None` for a head with a hidden layer.
    pub fn linear(&self) -> Option<LinearHead<'_>> {
        self.model.last().ok().filter(|_| self.model.hidden.is_none() && !self.has_tail())
    }

    /// The layers from the features to the logits, with a ReLU after each but the last.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'_>> {
        let hidden = self.model.hidden.iter();
        let hidden = hidden.map(|layer| Layer { weights: &layer.weights, bias: &layer.bias });
        hidden.chain([Layer { weights: &self.model.weights, bias: &self.model.bias }])
    }

    /// Units of the hidden layer, if there is one.
    pub fn hidden_units(&self) -> Option<usize> {
        self.model.hidden.as_ref().map(|layer| layer.bias.len())
    }

    /// Class names in the order of classes.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How many samples each class was learned from.
    pub fn samples(&self) -> &[u32] {
        &self.samples
    }

    /// The temperature, which divides the logits before the softmax.
    pub fn temperature(&self) -> f32 {
        self.temperature
    }

    /// The probability below which the best class is "unknown".
    pub fn unknown_threshold(&self) -> f32 {
        self.unknown_threshold
    }

    /// Share of held-out samples answered correctly when the head was learned; `None` if not
    /// measured.
    pub fn held_out_accuracy(&self) -> Option<f64> {
        self.held_out.map(|(correct, total)| f64::from(correct) / f64::from(total))
    }

    /// Samples, or places of pictures, that were held out when the head was learned: those that were answered correctly, and all.
    pub fn held_out(&self) -> Option<(u32, u32)> {
        self.held_out
    }

    /// The learner that made the head.
    pub fn learner(&self) -> Learner {
        self.learner
    }

    /// A feature vector that can stand for each class's samples, `[class][feature]`.
    pub fn prototypes(&self) -> Option<&[i8]> {
        self.prototypes.as_deref()
    }

    /// Whether the weights are kept as float16.
    pub fn is_half(&self) -> bool {
        self.storage == Storage::F16
    }

    /// Size of the head record in bytes.
    pub fn record_bytes(&self) -> usize {
        self.record_bytes
    }
}

#[cfg(test)]
mod tests {
    use headstart::head::HeadParts;

    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    fn record() -> Vec<u8> {
        let parts = HeadParts {
            learner: Learner::Ridge,
            temperature: 2.0,
            unknown_threshold: 0.7,
            held_out: Some((3, 4)),
            ..HeadParts::new(
                LinearHead::new(&[1.0, 0.0, 0.0, 1.0], &[0.0, 0.0], 2).unwrap(),
                BACKBONE,
                &["mug", "cup"],
                &[3, 4],
            )
        };
        parts.to_vec().unwrap()
    }

    #[test]
    fn a_probability_below_the_threshold_is_unknown() {
        let head = Head::parse(Path::new("x"), &record(), &BACKBONE).unwrap();
        // Logits 4 and 1 at temperature 2: 1 / (1 + e^−1.5) = 0.8176; 4 and 3: 1 / (1 + e^−0.5) =
        // 0.6225.
        let sure = head.answer(&[4, 1]).unwrap();
        assert!((sure.probability - 0.8176).abs() < 1e-4 && sure.class == 0 && !sure.unknown);
        let unsure = head.answer(&[3, 4]).unwrap();
        assert!((unsure.probability - 0.6225).abs() < 1e-4 && unsure.class == 1 && unsure.unknown);
        assert_eq!(
            (head.labels(), head.samples()),
            (&["mug", "cup"].map(str::to_owned)[..], &[3, 4][..])
        );
        assert_eq!(head.held_out_accuracy(), Some(0.75));
        assert!(head.answer(&[1]).is_err());
    }

    #[test]
    fn the_version_of_a_later_program_is_told_from_damage() {
        let exact = record();
        let hidden = HiddenLayer { weights: vec![1.0; 6], bias: vec![0.5; 2] }.emit();
        let tail = [&RECORD_MAGIC[..], &[1, 0, 0, 0], &[0; 40]].concat();
        for (record, at) in [(exact, 8), (hidden, 8), (tail, 8), (b"HS\x02\0".to_vec(), 2)] {
            let named = [("none", 0), ("known", record[at]), ("later", record[at] + 1)];
            for (name, version) in named {
                let mut changed = record.clone();
                changed[at] = version;
                let found = newer(&changed);
                assert_eq!(found.is_some(), name == "later", "{name} {at}: {found:?}");
            }
        }
        let mut later = record();
        later[8] = 9;
        let message = Head::parse(Path::new("x"), &later, &BACKBONE).unwrap_err().to_string();
        let words = ["newer version of this program", "format version 9"];
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
        assert!(!message.contains("repair"), "{message}");
    }

    #[test]
    fn the_head_of_another_backbone_is_refused_with_its_path() {
        let error = Head::parse(Path::new("mine/head.hshr"), &record(), &[8; 32]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("mine/head.hshr") && text.contains("07070707"), "{text}");
        assert_eq!(error.exit_status(), 1);
    }
}
