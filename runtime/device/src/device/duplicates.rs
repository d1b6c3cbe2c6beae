//! Samples that teach nothing new.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::handle::Device;
use crate::Error;
use crate::request::{RequestProblem, Setting};
use crate::samples::{Sample, SampleId, Thumbnail, hex};
use crate::segmentation::row_len;
use crate::state::StateProblem;
use crate::training::near::near;

/// At most so many pairs are compared by their files.
const MOST_COMPARED: usize = 1024;
/// So many features tell by themselves: two samples that differ are not near by chance.
const MANY_FEATURES: usize = 64;

/// A sample that shows what another one shows, though their files differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// The sample's id.
    pub id: String,
    /// The name of the sample's file; `null` where that is not known.
    pub file: Option<String>,
    /// The sample's class.
    pub class: String,
    /// The other sample's id.
    pub like: String,
    /// The name of the other sample's file; `null` where that is not known.
    pub like_file: Option<String>,
    /// The other sample's class.
    pub like_class: String,
}

impl Device {
    /// The samples that show what another one shows, those under different classes first: without them the device knows as much. Features
    /// point at them, and the kept copies tell; where one of the two has no copy, only many features do. At most 1,024 are told, of the first
    /// 4,000 samples or so.
    ///
    /// # Errors
    /// [`StateProblem::NoSamples`], [`StateProblem::NoFeatures`]; [`RequestProblem::NotOfPlaces`].
    pub fn duplicates(&self) -> Result<Vec<Duplicate>, Error> {
        let (folder, pack) = (self.folder()?, self.pack());
        if self.is_per_place() {
            return Err(self.refuse(RequestProblem::NotOfPlaces(Setting::Doubtful)));
        }
        let cache = folder.features(&pack.backbone_digest(), row_len(&pack));
        // The head says what to do with another backbone.
        let cache = cache.map_err(|error| self.state_head().err().unwrap_or(error))?;
        let none = || match folder.head() {
            Ok(Some(_)) => Error::state(folder.path(), StateProblem::NoFeatures),
            Ok(None) => Error::state(folder.path(), StateProblem::NoSamples),
            Err(error) => error,
        };
        let mut cache = cache.ok_or_else(none)?;
        cache.sort();
        let mut found = near(&cache, &cache.ids().iter().copied().collect::<HashSet<_>>());
        found.truncate(MOST_COMPARED);
        let (kept, input) = (folder.kept()?, self.input());
        let mut read = BTreeMap::<SampleId, Option<Thumbnail>>::new();
        for id in found.iter().flat_map(|(a, b)| [a, b]) {
            read.entry(*id).or_insert_with(|| {
                let sample = Sample::file(kept.get(id)?);
                let decoded = sample.load(&input, 0).ok()?.decode(&input).ok()?;
                Some(Thumbnail::of(&decoded))
            });
        }
        let shows = |id: &SampleId| read.get(id).and_then(Option::as_ref);
        found.retain(|(a, b)| match (shows(a), shows(b)) {
            (Some(a), Some(b)) => a.is_like(b),
            _ => cache.feature_len() >= MANY_FEATURES,
        });
        let names = folder.sample_names();
        let class = |id: &SampleId| cache.name_of(id).unwrap_or_default().to_owned();
        let entry = |(a, b): (SampleId, SampleId)| Duplicate {
            id: hex(&a),
            file: names.get(&a).cloned(),
            class: class(&a),
            like: hex(&b),
            like_file: names.get(&b).cloned(),
            like_class: class(&b),
        };
        let mut found: Vec<Duplicate> = found.into_iter().map(entry).collect();
        found.sort_by_key(|pair| pair.class == pair.like_class);
        Ok(found)
    }
}
