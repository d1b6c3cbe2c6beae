//! The samples that the head was learned from, and those that seem to be of another class.

use serde::Serialize;

use super::handle::Device;
use crate::Error;
use crate::request::{RequestProblem, Setting};
use crate::samples::hex;
use crate::segmentation::row_len;
use crate::state::StateProblem;
use crate::training::doubts::{self, Doubt};

/// A sample that was learned from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleEntry {
    /// The sample's id: the first 16 bytes of the SHA-256 of its file.
    pub id: String,
    /// The name of the sample's file below the folder that it was learned from; `null` where that is not known.
    pub file: Option<String>,
    /// The class that the sample was given.
    pub class: String,
    /// How many samples this one counts as.
    pub weight: u16,
    /// The class that a head answers which was learned without this sample; `null` unless the sample is doubtful.
    pub answer: Option<String>,
    /// The probability of `answer`.
    pub probability: Option<f32>,
}

impl Device {
    /// The samples, of this class or of all; only those that a head that was learned without them answers with another class, the
    /// surest first, where `doubtful` ones are asked for.
    ///
    /// # Errors
    /// [`StateProblem::NoSamples`], [`StateProblem::NoFeatures`], [`RequestProblem::NoClass`], [`RequestProblem::LooksLike`];
    /// [`RequestProblem::NotOfPlaces`] for doubtful pictures with masks.
    pub fn samples(&self, class: Option<&str>, doubtful: bool) -> Result<Vec<SampleEntry>, Error> {
        let (folder, pack) = (self.folder()?, self.pack());
        let cache = folder.features(&pack.backbone_digest(), row_len(&pack));
        // The head says what to do with another backbone.
        let cache = cache.map_err(|error| self.state_head().err().unwrap_or(error))?;
        let mut cache = match cache {
            Some(cache) => cache,
            None => {
                let problem = match folder.head()? {
                    Some(_) => StateProblem::NoFeatures,
                    None => StateProblem::NoSamples,
                };
                return Err(Error::state(folder.path(), problem));
            }
        };
        self.keep_counter()?;
        if row_len(&pack) == pack.feature_len() {
            cache.sort();
        } else if doubtful {
            return Err(self.refuse(RequestProblem::NotOfPlaces(Setting::Doubtful)));
        }
        let names = folder.sample_names();
        let name = |label: u16| cache.classes()[usize::from(label)].clone();
        let mut samples: Vec<SampleEntry> = if doubtful {
            let doubts = doubts::doubts(&cache)
                .map_err(|problem| Error::training(folder.path(), problem))?;
            let entry = |doubt: Doubt| SampleEntry {
                id: hex(&cache.ids()[doubt.sample]),
                file: names.get(&cache.ids()[doubt.sample]).cloned(),
                class: name(cache.labels()[doubt.sample]),
                weight: cache.weights()[doubt.sample],
                answer: Some(name(doubt.answer)),
                probability: Some(doubt.probability),
            };
            doubts.into_iter().map(entry).collect()
        } else {
            let samples = cache.ids().iter().zip(cache.labels());
            let entry = |(id, label): (&[u8; 16], &u16)| SampleEntry {
                id: hex(id),
                file: names.get(id).cloned(),
                class: name(*label),
                weight: cache.weight(id),
                answer: None,
                probability: None,
            };
            samples.map(entry).collect()
        };
        if let Some(class) = class {
            if !cache.classes().iter().any(|name| name == class) {
                return Err(self.refuse(RequestProblem::no_class(class, cache.classes())));
            }
            samples.retain(|sample| sample.class == *class);
        }
        Ok(samples)
    }
}
