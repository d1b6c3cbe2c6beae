//! Judges cuts on the features that a device computes.

use headstart::pack::{Input, Pack};
use headstart_device::samples::Dataset;
use rayon::prelude::*;

use super::calibration::spread;
use super::error::Error;
use super::options::PackOptions;
use super::watch::{Watch, go_on};
use crate::cut::freeze::{self, Candidate};
use crate::error::Error as Refused;
use crate::import::model::Model;
use crate::import::scales;
use crate::quantise::compare::int8_features;
use crate::quantise::inputs;
use crate::quantise::plan::Aim;
use crate::quantise::quantised::{Settings, quantise};
use crate::quantise::sample::Sample;

/// Samples that calibrate a cut which is only to be judged.
const CALIBRATED: usize = 32;

/// Most classes of a pack that nobody keeps.
const CLASSES: u32 = 1;

/// What cuts are judged with.
pub(super) struct Judge<'a> {
    pub(super) options: &'a PackOptions,
    pub(super) watch: &'a dyn Watch,
    pub(super) model: &'a Model,
    pub(super) input: &'a Input,
    pub(super) labelled: &'a Dataset,
}

impl Judge<'_> {
    /// Puts that candidate first which is best on int8 features, of those that are `wanted`. Without calibration samples, as a model
    /// with scales of its own allows, float features stay the judge: they are rounded as the model says.
    ///
    /// # Errors
    ///
    /// What cannot be packed or read.
    pub(super) fn judge(
        &self,
        candidates: &mut [Candidate],
        wanted: impl Fn(&Candidate) -> bool,
    ) -> Result<(), Error> {
        let Some(folder) = &self.options.calib else { return Ok(()) };
        if scales::is_quantised(&self.model.imported.graph) {
            return Ok(());
        }
        let files = Dataset::unlabelled(folder)?.samples;
        let files: Vec<_> =
            spread(files.len(), CALIBRATED).into_iter().map(|at| files[at].clone()).collect();
        // What is wrong with others is told by the calibration of the chosen cut.
        let (calibration, _) = inputs::sound(self.input, &files, || ());
        let calibration: Vec<Sample> = calibration.into_iter().map(|(sample, _)| sample).collect();
        if calibration.is_empty() {
            return Ok(());
        }
        let labels: Vec<usize> = self.labelled.samples.iter().map(|sample| sample.label).collect();
        let finals = freeze::finals(&labels);
        let labels: Vec<usize> = finals.iter().map(|&at| labels[at]).collect();
        freeze::judge(candidates, wanted, |candidate| {
            let features = self.features(candidate, &calibration, &finals)?;
            Ok(freeze::cross_validate(features, &labels))
        })
    }

    /// The int8 features of some labelled samples, a row each.
    fn features(
        &self,
        candidate: &Candidate,
        calibration: &[Sample],
        samples: &[usize],
    ) -> Result<Vec<Vec<f32>>, Error> {
        go_on(self.watch)?;
        let graph = self.model.cut_at(&candidate.tensor)?;
        let settings = Settings {
            freeze_point: candidate.tensor.clone(),
            grid: candidate.grid,
            preprocessing: self.input.preprocessing,
            max_classes: CLASSES,
            arena: Aim::Speed,
            tail: None,
            per_place: false,
        };
        let quantised = quantise(self.model, &graph, calibration.into(), settings, || ())?;
        let pack = Pack::open(&quantised.bytes).map_err(Refused::NewPack)?;
        let features = samples.par_iter().map(|&at| {
            let values = inputs::read(self.input, &self.labelled.samples[at].path)?;
            int8_features(&pack, &values)
        });
        Ok(features.collect::<Result<_, Refused>>()?)
    }
}
