//! The samples by which `pack` calibrates, and those that it holds out.

use std::path::Path;

use headstart::graph::Graph;
use headstart::pack::Preprocessing;
use headstart_device::samples::{Dataset, LabelledFile};

use super::error::{Error, Usage};
use super::options::PackOptions;
use super::preprocessing;
use super::watch::{Watch, go_on};
use crate::error::Error as Refused;
use crate::import::model::Model;
use crate::import::scales;
use crate::quantise::inputs;
use crate::quantise::quantised::Calibration;
use crate::quantise::sample::Sample;

/// Of fewer samples none is held out: each is needed for the ranges.
const FEWEST: usize = 20;

/// One of so many samples is held out at least, where there are enough of them.
const SHARE: usize = 5;

/// Most samples that are held out.
const MOST_HELD_OUT: usize = 100;

/// Samples of the calibration on which int8 is compared with float where none was held out.
const COMPARED: usize = 32;

/// What was read of the folder that shows what the device will see.
#[derive(Default)]
pub(super) struct Seen {
    /// Those from which ranges are chosen; none for a model with scales of its own, if none were given.
    pub(super) samples: Vec<Sample>,
    /// Those that only judge.
    held_out: Vec<Sample>,
    /// The classes of both lists, where the folder has classes.
    labels: Option<[Vec<usize>; 2]>,
    /// What is wrong with files that were left out.
    pub(super) bad_files: Vec<String>,
}

impl Seen {
    /// Reads the samples as the graph takes them.
    pub(super) fn read(
        watch: &dyn Watch,
        options: &PackOptions,
        model: &Model,
        graph: &Graph,
        preprocessing: Preprocessing,
    ) -> Result<Self, Error> {
        let input = inputs::describe(&model.path, graph, preprocessing)?;
        let Some(folder) = &options.calib else {
            if scales::is_quantised(graph) {
                return Ok(Self::default());
            }
            return Err(Usage::NoScales { model: model.path.clone() }.into());
        };
        let calib = Dataset::unlabelled(folder)?;
        let is_picture =
            |path: &Path| path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("npy"));
        let of_pictures = calib.samples.iter().any(|sample| is_picture(&sample.path));
        preprocessing::check_scale(model, &preprocessing, of_pictures)?;
        let most = inputs::most_kept(&input);
        let parts = split(&calib.samples, most.min(options.calib_limit as usize), most);
        watch.begun("reading", parts.iter().map(Vec::len).sum());
        let (mut bad_files, mut found) = (Vec::new(), Vec::new());
        for part in parts {
            let (samples, bad) = inputs::sound(&input, &part, || watch.stepped());
            go_on(watch)?;
            bad_files.extend(bad);
            found.push(samples);
        }
        watch.ended();
        let mut part = || found.pop().unwrap_or_default().into_iter().unzip();
        let ((held_out, second), (samples, first)): (_, (Vec<Sample>, Vec<usize>)) =
            (part(), part());
        if !bad_files.is_empty() && (samples.is_empty() || !options.sampling.skip_bad) {
            return Err(Refused::Files(bad_files).into());
        }
        let bad_files = bad_files.iter().map(ToString::to_string).collect();
        let labels = (!calib.classes.is_empty()).then_some([first, second]);
        Ok(Self { samples, held_out, labels, bad_files })
    }

    /// The samples from which ranges are chosen, and those by which the rules are.
    pub(super) fn calibration(&self) -> Calibration<'_> {
        Calibration { samples: &self.samples, held_out: &self.held_out }
    }

    /// Whether some samples have no part in the ranges.
    pub(super) fn is_held_out(&self) -> bool {
        !self.held_out.is_empty()
    }

    /// The samples on which int8 is compared with float, and their classes.
    pub(super) fn compared(&self) -> (Vec<&Sample>, Option<Vec<usize>>) {
        let (part, samples) = match self.is_held_out() {
            true => (1, &self.held_out),
            false => (0, &self.samples),
        };
        let step = if part == 1 { 1 } else { samples.len().div_ceil(COMPARED).max(1) };
        let labels = self.labels.as_ref().map(|labels| &labels[part]);
        let labels = labels.map(|labels| labels.iter().copied().step_by(step).collect());
        (samples.iter().step_by(step).collect(), labels)
    }
}

/// At most `limit` samples, spread evenly, and of the others at most [`MOST_HELD_OUT`], but no more than `most` in all. One in [`SHARE`] is among the
/// others at least, unless there are fewer than [`FEWEST`] samples.
fn split(all: &[LabelledFile], limit: usize, most: usize) -> [Vec<LabelledFile>; 2] {
    let enough = all.len() >= FEWEST;
    let count = if enough { limit.min(all.len() - all.len() / SHARE) } else { limit };
    let chosen = spread(all.len(), count);
    let mut is_chosen = vec![false; all.len()];
    chosen.iter().for_each(|&at| is_chosen[at] = true);
    let others: Vec<usize> = (0..all.len()).filter(|&at| !is_chosen[at]).collect();
    let room = most.saturating_sub(chosen.len());
    let held_out = spread(others.len(), if enough { MOST_HELD_OUT.min(room) } else { 0 });
    let file = |at: usize| all[at].clone();
    [
        chosen.into_iter().map(file).collect(),
        held_out.into_iter().map(|at| file(others[at])).collect(),
    ]
}

/// Places of at most `count` of `total` samples, spread evenly over the list: every class keeps its share.
pub(super) fn spread(total: usize, count: usize) -> Vec<usize> {
    let count = count.min(total);
    (0..count).map(|i| i * total / count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(total: usize, limit: usize, most: usize) -> [usize; 2] {
        let file = |at: usize| LabelledFile { path: format!("{at:04}").into(), label: at / 10 };
        let files: Vec<_> = (0..total).map(file).collect();
        let parts = split(&files, limit, most);
        let mut together = parts.concat();
        together.sort_by(|a, b| a.path.cmp(&b.path));
        together.dedup();
        let sizes = parts.map(|part| part.len());
        assert_eq!(together.len(), sizes[0] + sizes[1], "no sample is in both");
        sizes
    }

    #[test]
    fn one_sample_in_five_is_held_out_where_there_are_enough() {
        assert_eq!(sizes(0, 100, 1000), [0, 0]);
        assert_eq!(sizes(19, 100, 1000), [19, 0]);
        assert_eq!(sizes(19, 10, 1000), [10, 0]);
        assert_eq!(sizes(20, 100, 1000), [16, 4]);
        assert_eq!(sizes(100, 100, 1000), [80, 20]);
        assert_eq!(sizes(105, 100, 1000), [84, 21]);
        assert_eq!(sizes(1400, 100, 1000), [100, 100]);
        assert_eq!(sizes(1400, 100, 120), [100, 20]);
        assert_eq!(sizes(1400, 100, 100), [100, 0]);
    }
}
