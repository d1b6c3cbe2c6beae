//! Keeps samples that wait to be run, many at a time.

use std::borrow::Cow;
use std::sync::Arc;

use headstart::pack::{Input, Preprocessing};

/// The values of one sample in the model's own axis order, in as little memory as they need.
#[derive(Clone, Debug)]
pub struct Sample(Stored);

#[derive(Clone, Debug)]
enum Stored {
    Values(Vec<f32>),
    /// A picture's levels, a byte each instead of four, and what makes values of them.
    Levels(Vec<u8>, Arc<Input>),
}

impl Sample {
    /// A picture whose levels lie as the values will.
    pub(super) fn of_levels(levels: Vec<u8>, input: &Arc<Input>) -> Self {
        Self(Stored::Levels(levels, input.clone()))
    }

    /// The values, as real numbers.
    #[must_use]
    pub fn values(&self) -> Cow<'_, [f32]> {
        match &self.0 {
            Stored::Values(values) => Cow::Borrowed(values),
            Stored::Levels(levels, input) => Cow::Owned(values(levels, input)),
        }
    }
}

impl From<Vec<f32>> for Sample {
    fn from(values: Vec<f32>) -> Self {
        Self(Stored::Values(values))
    }
}

fn values(levels: &[u8], input: &Input) -> Vec<f32> {
    let channels = (input.channels as usize).max(1);
    let Preprocessing { mean, std, .. } = input.preprocessing;
    let value = |level: u8, channel: usize| (f32::from(level) - mean[channel]) / std[channel];
    if input.channels_first {
        let planes = levels.chunks((levels.len() / channels).max(1)).enumerate();
        planes
            .flat_map(|(channel, plane)| plane.iter().map(move |&level| value(level, channel)))
            .collect()
    } else {
        let pixels = levels.chunks(channels);
        pixels
            .flat_map(|pixel| {
                pixel.iter().enumerate().map(|(channel, &level)| value(level, channel))
            })
            .collect()
    }
}
