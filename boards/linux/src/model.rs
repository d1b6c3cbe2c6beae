//! A head's numbers at work: one layer on the int8 features, or two with a ReLU in between.

use headstart::Error;
use headstart::head::LinearHead;

use crate::hidden::HiddenLayer;

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
        let mut logits = vec![0.0; self.bias.len()];
        match &self.hidden {
            None => self.last()?.logits(features, &mut logits)?,
            Some(hidden) => {
                let units = hidden.units(features)?;
                let rows = self.weights.chunks_exact(self.inputs).zip(&self.bias);
                for (logit, (row, bias)) in logits.iter_mut().zip(rows) {
                    *logit = bias + row.iter().zip(&units).map(|(w, x)| w * x).sum::<f32>();
                }
            }
        }
        Ok(logits)
    }
}
