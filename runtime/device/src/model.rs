//! A head's numbers at work: one layer on the int8 features, or two with a ReLU in between.

use headstart::Error;
use headstart::head::LinearHead;

use crate::hidden::HiddenLayer;

/// Memory of answers: hidden units and logits.
#[derive(Debug, Default)]
pub(crate) struct Logits {
    units: Vec<f32>,
    pub(crate) logits: Vec<f32>,
}

/// From features to logits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    /// Stands between the features and the last layer.
    pub(crate) hidden: Option<HiddenLayer>,
    /// The last layer, `[class][input]`; its inputs are the features or the hidden units.
    pub(crate) weights: Vec<f32>,
    /// One a class.
    pub(crate) bias: Vec<f32>,
    /// Inputs of the last layer.
    pub(crate) inputs: usize,
}

impl Model {
    /// The last layer as the runtime sees it.
    pub(crate) fn last(&self) -> Result<LinearHead<'_>, Error> {
        LinearHead::new(&self.weights, &self.bias, self.inputs)
    }

    /// The logit of each class.
    pub(crate) fn logits(&self, features: &[i8]) -> Result<Vec<f32>, Error> {
        let mut memory = Logits::default();
        self.logits_in(features, &mut memory)?;
        Ok(memory.logits)
    }

    /// Computes the logits in memory that is used again.
    pub(crate) fn logits_in(&self, features: &[i8], memory: &mut Logits) -> Result<(), Error> {
        let Logits { units, logits } = memory;
        logits.clear();
        match &self.hidden {
            Some(hidden) => {
                hidden.units_in(features, units)?;
                logits.extend(self.each_of(units));
            }
            None => {
                logits.resize(self.bias.len(), 0.0);
                self.last()?.logits(features, logits)?;
            }
        }
        Ok(())
    }

    /// The last layer's result for each place of a map, `[input][place]` before and `[class][place]` after.
    pub(crate) fn last_of_places(&self, inputs: &[f32], places: usize) -> Vec<f32> {
        let rows = self.weights.chunks_exact(self.inputs).zip(&self.bias);
        let mut logits = Vec::with_capacity(self.bias.len() * places);
        for (row, &bias) in rows {
            let mut sums = vec![bias; places];
            for (weight, plane) in row.iter().zip(inputs.chunks_exact(places)) {
                sums.iter_mut().zip(plane).for_each(|(sum, x)| *sum += weight * x);
            }
            logits.extend(sums);
        }
        logits
    }

    /// The last layer's result for what stands before it.
    pub(crate) fn last_of(&self, inputs: &[f32]) -> Vec<f32> {
        self.each_of(inputs).collect()
    }

    fn each_of(&self, inputs: &[f32]) -> impl Iterator<Item = f32> {
        let rows = self.weights.chunks_exact(self.inputs).zip(&self.bias);
        let sum = move |row: &[f32]| row.iter().zip(inputs).map(|(w, x)| w * x).sum::<f32>();
        rows.map(move |(row, bias)| bias + sum(row))
    }
}
