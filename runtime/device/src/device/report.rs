//! What reports have in common.

use serde::Serialize;

use super::labelled::Labelled;
use crate::{Error, Head};

/// A class, and the samples that it was learned from; for places, the pictures that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class's name.
    pub name: String,
    /// How many samples, or pictures, the class has.
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

/// A sample that was left out because it is bad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadFile {
    /// The sample's file.
    pub file: String,
    /// What is wrong with the file.
    pub error: String,
}

impl BadFile {
    /// The bad ones, each with its place among the samples.
    ///
    /// # Errors
    /// All of them, where no other sample is left.
    pub(super) fn unless_all(
        samples: &Labelled<'_>,
        bad: Vec<(usize, Error)>,
    ) -> Result<Vec<Self>, Error> {
        if bad.len() == samples.len() {
            return Err(Error::Samples(bad.into_iter().map(|(_, error)| error).collect()));
        }
        let entry = |(at, error): (usize, Error)| {
            let file = samples.samples[at].title(at).display().to_string();
            Self { file, error: error.to_string() }
        };
        Ok(bad.into_iter().map(entry).collect())
    }
}
