//! Reads samples as the float graph takes them, preprocessed exactly as the device does it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use headstart::graph::Graph;
use headstart::pack::{Input, Preprocessing};
use headstart::preprocess::{self, Picture};
use headstart_device::samples::{Dataset, Decoded, InputShape, LabelledFile, SampleFile};
use rayon::prelude::*;

use crate::error::Error;
use crate::quantise::lower;
use crate::quantise::sample::Sample;

/// The graph's input as the pack will describe it.
///
/// # Errors
///
/// [`Error::Input`] if the input is no tensor of one to three dimensions behind a batch of 1.
pub fn describe(model: &Path, graph: &Graph, preprocessing: Preprocessing) -> Result<Input, Error> {
    let shape = &graph.values[graph.inputs[0]].shape;
    let refuse = || Error::Input { model: model.to_owned(), shape: shape.clone() };
    let Some((1, dims)) = shape.split_first() else { return Err(refuse()) };
    if dims.is_empty() || dims.len() > 3 {
        return Err(refuse());
    }
    let (channels_first, order) = lower::input_order(dims);
    let [height, width, channels] = lower::extents(dims, &order);
    let narrow = |n: usize| u32::try_from(n).map_err(|_| refuse());
    Ok(Input {
        height: narrow(height)?,
        width: narrow(width)?,
        channels: narrow(channels)?,
        channels_first,
        preprocessing,
    })
}

/// Most bytes of pictures that are kept for calibration: large inputs are measured on fewer of them.
const MAX_KEPT_BYTES: usize = 1 << 28;

/// The most samples of `input` that calibration keeps.
#[must_use]
pub fn most_kept(input: &Input) -> usize {
    let elements = [input.height, input.width, input.channels].map(|n| n as usize);
    let elements = elements.into_iter().fold(1, usize::saturating_mul);
    (MAX_KEPT_BYTES / elements.max(1)).max(1)
}

/// Loads the values of every sample that is sound, in the model's own axis order and on all threads, each with its class; names the files that
/// are refused.
pub fn sound(
    input: &Input,
    files: &[LabelledFile],
    done: impl Fn() + Sync,
) -> (Vec<(Sample, usize)>, Vec<Error>) {
    let input = Arc::new(*input);
    let each = files.par_iter().map(|file| {
        let found = read_sample(&input, &file.path);
        done();
        found.map(|sample| (sample, file.label))
    });
    let (mut samples, mut bad) = (Vec::new(), Vec::new());
    for found in each.collect::<Vec<_>>() {
        match found {
            Ok(sample) => samples.push(sample),
            Err(error) => bad.push(error),
        }
    }
    (samples, bad)
}

/// Takes bad files out of the dataset and says what is wrong with them. Files are read that `asked` names, by the labels of
/// all samples: where some of those are taken out, others may be asked for.
pub fn sift(
    input: &Input,
    dataset: &mut Dataset,
    asked: impl Fn(&[usize]) -> Vec<usize>,
) -> Vec<Error> {
    let (input, mut sound, mut all_bad) = (Arc::new(*input), HashSet::new(), Vec::new());
    loop {
        let labels: Vec<usize> = dataset.samples.iter().map(|sample| sample.label).collect();
        let asked = asked(&labels);
        let new = asked.par_iter().filter(|&&at| !sound.contains(&dataset.samples[at].path));
        let read = new.map(|&at| (at, read_sample(&input, &dataset.samples[at].path).err()));
        let mut bad = HashSet::new();
        for (at, error) in read.collect::<Vec<_>>() {
            if let Some(error) = error {
                bad.insert(at);
                all_bad.push(error);
            } else {
                sound.insert(dataset.samples[at].path.clone());
            }
        }
        if bad.is_empty() {
            return all_bad;
        }
        let mut at = 0..;
        dataset.samples.retain(|_| at.next().is_none_or(|at| !bad.contains(&at)));
    }
}

/// Reads the values of one sample, in the model's own axis order.
///
/// # Errors
///
/// [`Error::Samples`] and [`Error::Picture`] for a file that is refused.
pub fn read(input: &Input, path: &Path) -> Result<Vec<f32>, Error> {
    Ok(read_sample(&Arc::new(*input), path)?.values().into_owned())
}

fn read_sample(input: &Arc<Input>, path: &Path) -> Result<Sample, Error> {
    match SampleFile::read(path)?.decode(&InputShape::from(input.as_ref()))? {
        Decoded::Values { values, .. } => Ok(values.into()),
        Decoded::Pixels { width, height, channels, bytes } => {
            let picture = Picture { pixels: &bytes, width, height, channels };
            from_picture(input, picture)
                .map_err(|problem| Error::Picture { path: path.to_owned(), problem })
        }
    }
}

fn from_picture(input: &Arc<Input>, picture: Picture<'_>) -> Result<Sample, headstart::Error> {
    let pixels = input.height as usize * input.width as usize;
    let channels = input.channels as usize;
    let mut levels = vec![0; pixels * channels];
    preprocess::levels(input, picture, |index, channel, level| {
        let at = if input.channels_first { channel * pixels + index / channels } else { index };
        levels[at] = level;
    })?;
    Ok(Sample::of_levels(levels, input))
}
