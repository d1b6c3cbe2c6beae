//! `learn --report`: how often heads from before and after are right on other samples, such as those of the place
//! that a device came from.

use std::path::{Path, PathBuf};

use headstart::pack::Pack;
use headstart_device::extract::{Compute, Job};
use headstart_device::samples::{Dataset, Problem};
use headstart_device::{Error, Head};
use serde::Serialize;

use crate::output;

/// A folder's samples as features.
pub(super) struct Shown {
    folder: PathBuf,
    classes: Vec<String>,
    samples: Vec<(usize, Vec<i8>)>,
}

/// What two heads say of a folder.
#[derive(Serialize)]
pub(super) struct Reported {
    data: String,
    samples: usize,
    /// Share that the head before answers rightly; `null` without one.
    before: Option<f64>,
    after: f64,
}

impl Shown {
    /// Reads a folder whose classes are all among `known`.
    ///
    /// # Errors
    /// Those of reading and of the backbone, and [`Problem::UnknownClasses`].
    pub(super) fn read(
        folder: &Path,
        known: &[String],
        pack: Pack<'_>,
        compute: Compute,
    ) -> Result<Self, Error> {
        let data = Dataset::labelled(folder)?;
        output::warn_skipped(&data.skipped);
        let unknown: Vec<&str> =
            data.classes.iter().filter(|c| !known.contains(c)).map(String::as_str).collect();
        if !unknown.is_empty() {
            let problem = Problem::UnknownClasses(unknown.join(", "));
            return Err(Error::Sample { path: folder.to_owned(), problem });
        }
        let paths: Vec<&Path> = data.samples.iter().map(|s| s.path.as_path()).collect();
        let bar = output::progress("reading the report's samples", paths.len());
        let extraction = compute.open(pack);
        let job = Job { extraction: &extraction, views: 1, done: &|| bar.inc(1) };
        let features = job.all(&paths, |_| true, |_, features| Ok(features.to_vec()));
        bar.finish_and_clear();
        let samples = data.samples.iter().map(|sample| sample.label).zip(features?).collect();
        Ok(Self { folder: folder.to_owned(), classes: data.classes, samples })
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
            data: self.folder.display().to_string(),
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

/// The reports as a table.
pub(super) fn table(reports: &[Reported]) -> String {
    let rows = reports.iter().map(|report| {
        vec![
            report.data.clone(),
            report.samples.to_string(),
            output::percent(report.before),
            output::percent(Some(report.after)),
        ]
    });
    output::table(&["report", "samples", "right before", "right after"], rows)
}
