//! What reports have in common.

use serde::Serialize;

use crate::Head;

/// A class, and the samples that it was learned from; for places, the pictures that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// Its name.
    pub name: String,
    /// How many.
    pub samples: u32,
}

impl ClassCount {
    /// Those of a head, in its order.
    pub(super) fn of(head: &Head) -> Vec<Self> {
        let counts = head.samples().iter().copied();
        let classes = head.labels().iter().cloned().zip(counts);
        classes.map(|(name, samples)| Self { name, samples }).collect()
    }
}
