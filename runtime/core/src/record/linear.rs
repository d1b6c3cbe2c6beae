//! The linear head.

use super::{MAX_CLASSES, MAX_FEATURES};
use crate::Error;
use crate::checked::{expect_len, product};

/// A view of a linear head: `logits[c] = bias[c] + Σ_f weights[c][f] * features[f]`, where the
/// features are the backbone's raw int8 values; zero point and scale are part of the weights.
#[derive(Clone, Copy, Debug)]
pub struct LinearHead<'a> {
    weights: &'a [f32],
    bias: &'a [f32],
    feature_len: usize,
}

impl<'a> LinearHead<'a> {
    /// Views a head: `weights` is `[class][feature]`, row-major; `bias` has one entry a class.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeOverflow`] without a class or a feature or past [`MAX_CLASSES`];
    /// [`Error::BufferLength`] if the lengths do not fit each other.
    pub fn new(weights: &'a [f32], bias: &'a [f32], feature_len: usize) -> Result<Self, Error> {
        check_shape(weights.len(), bias.len(), feature_len)?;
        Ok(Self { weights, bias, feature_len })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.bias.len()
    }

    /// The number of features of a sample.
    pub fn feature_len(&self) -> usize {
        self.feature_len
    }

    /// The weights, `[class][feature]`.
    pub fn weights(&self) -> &'a [f32] {
        self.weights
    }

    /// The bias of each class.
    pub fn bias(&self) -> &'a [f32] {
        self.bias
    }

    /// Whether every number of the head is finite.
    pub fn is_finite(&self) -> bool {
        self.weights.iter().chain(self.bias).all(|number| number.is_finite())
    }
}

/// Checks the lengths of a head's two tables.
pub(crate) fn check_shape(weights: usize, classes: usize, feature_len: usize) -> Result<(), Error> {
    if !(1..=MAX_CLASSES).contains(&classes) || !(1..=MAX_FEATURES).contains(&feature_len) {
        return Err(Error::ShapeOverflow);
    }
    expect_len(weights, product(&[classes, feature_len])?)
}
