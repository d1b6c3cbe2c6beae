//! What differs between one answer a sample and a class for each place.

use super::descent::{Changes, Epoch};
use super::progress::Kept;
use crate::Head;
use crate::engine::Backend;
use crate::training::TrainingProblem;

/// A training of one of both kinds.
pub(super) trait Task {
    /// Samples that are measured on.
    fn held(&self) -> &[usize];

    /// Trains, and gives the record.
    fn learn(
        &self,
        backend: Backend,
        kept: Kept<'_>,
        epoch: Epoch<'_>,
    ) -> Result<Vec<u8>, TrainingProblem>;

    /// What the second of two plain gradient steps changes.
    fn changes(&self, backend: Backend) -> Result<Changes, TrainingProblem>;

    /// How many answers of the head to these samples are right, and how many there are.
    fn right(&self, head: &Head, samples: &[usize]) -> Result<(u32, u32), TrainingProblem>;

    /// How many of so many answers to so many samples are independent of each other.
    fn independent(&self, answers: u32, samples: usize) -> usize;
}
