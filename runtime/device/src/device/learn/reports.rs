//! How often heads from before and after are right on samples that are not learned from, such as those of the place
//! that a device came from.

use std::path::PathBuf;

use serde::Serialize;

use super::super::handle::Device;
use super::super::labelled::Labelled;
use super::super::report::BadFile;
use super::super::targets::known_classes;
use crate::extract::Job;
use crate::observer::{Event, Observer, Watched, Work};
use crate::samples::SampleFile;
use crate::{Error, Head};

/// Samples that are not learned from, as features.
pub(super) struct Compared {
    origin: PathBuf,
    classes: Vec<String>,
    samples: Vec<(usize, Vec<i8>)>,
}

/// How often the heads before and after are right on samples that were not learned from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reported {
    /// Where the samples are from.
    pub data: String,
    /// How many samples there are.
    pub samples: usize,
    /// Share that the head before answers rightly; `null` without such a head.
    pub before: Option<f64>,
    /// Share that the head after answers rightly.
    pub after: f64,
}

impl Compared {
    /// Computes the features of samples whose classes are all among `known`.
    ///
    /// # Errors
    /// Those of reading and of the backbone, and
    /// [`SampleProblem::UnknownClasses`](crate::samples::SampleProblem::UnknownClasses).
    pub(super) fn read(
        device: &Device,
        data: &Labelled<'_>,
        known: &[String],
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        if !data.skipped.is_empty() {
            observer.on(Event::Skipped(&data.skipped));
        }
        known_classes(&data.classes, known)
            .map_err(|problem| Error::sample(&data.origin, problem))?;
        let labels = device.labels(data)?;
        let kernels = crate::extract::Compute { engine: None, ..device.compute };
        let extraction = kernels.open(device.pack());
        let watched = Watched::begin(observer, Work::Reporting, data.len());
        let job = Job { extraction: &extraction, views: 1, watched: &watched };
        let (skip, row) = (data.skips_bad, |_: usize, _: &SampleFile, row: &[i8]| Ok(row.to_vec()));
        let found = job.sound(&data.samples, skip, |_| true, &|_, _| Ok(()), row)?;
        BadFile::unless_all(data, found.bad)?;
        let samples = labels.into_iter().zip(found.results);
        let samples = samples.filter_map(|(label, row)| Some((label, row?))).collect();
        Ok(Self { origin: data.origin.clone(), classes: data.classes.clone(), samples })
    }

    /// The report on both heads.
    ///
    /// # Errors
    /// None for heads of the same pack.
    pub(super) fn report(
        &self,
        before: Option<&Head>,
        after: &Head,
    ) -> Result<Reported, headstart::Error> {
        Ok(Reported {
            data: self.origin.display().to_string(),
            samples: self.samples.len(),
            before: before.map(|head| self.accuracy(head)).transpose()?,
            after: self.accuracy(after)?,
        })
    }

    fn accuracy(&self, head: &Head) -> Result<f64, headstart::Error> {
        let mut right = 0_usize;
        for (label, features) in &self.samples {
            let class = head.answer(features)?.class;
            right += usize::from(head.labels().get(class) == self.classes.get(*label));
        }
        Ok(right as f64 / self.samples.len() as f64)
    }
}
