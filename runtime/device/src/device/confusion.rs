//! How often the samples that were learned are answered rightly, each held out.

use serde::Serialize;

use super::evaluate::ClassScore;
use super::handle::Device;
use crate::Error;
use crate::request::{RequestProblem, Setting};

/// Accuracy on the samples that were learned, each answered by a head that was learned without it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// How many samples there are.
    pub samples: usize,
    /// Share of the samples that are answered with their own class.
    pub accuracy: f64,
    /// The classes that samples show.
    pub classes: Vec<ClassScore>,
    /// `confusion[shown][answered]`, in the order of `classes`.
    pub confusion: Vec<Vec<u32>>,
    /// The samples that are answered with another class, the surest first.
    pub wrong: Vec<Wrong>,
}

/// A sample that is answered with another class than its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wrong {
    /// The sample's id.
    pub id: String,
    /// The name of the sample's file; `null` where that is not known.
    pub file: Option<String>,
    /// The class that the sample was given.
    pub class: String,
    /// The class that is answered.
    pub answer: String,
    /// The probability of `answer`.
    pub probability: f32,
}

impl Device {
    /// Answers each sample that was learned by a head of three quarters of the others, and counts what is answered for which class. The
    /// wrong ones are the doubtful ones of [`samples`](Self::samples).
    ///
    /// # Errors
    /// Those of [`samples`](Self::samples); [`RequestProblem::NotOfPlaces`].
    pub fn confusion(&self) -> Result<Confusion, Error> {
        if self.is_per_place() {
            return Err(self.refuse(RequestProblem::NotOfPlaces(Setting::Doubtful)));
        }
        let all = self.samples(None, false)?;
        let mut names: Vec<&str> = Vec::new();
        for sample in &all {
            if !names.contains(&sample.class.as_str()) {
                names.push(&sample.class);
            }
        }
        let place = |name: &str| names.iter().position(|known| *known == name);
        let mut confusion = vec![vec![0_u32; names.len()]; names.len()];
        for at in all.iter().filter_map(|sample| place(&sample.class)) {
            confusion[at][at] += 1;
        }
        let mut wrong = Vec::new();
        for doubt in self.samples(None, true)? {
            let (Some(answer), Some(probability)) = (doubt.answer, doubt.probability) else {
                continue;
            };
            // A class of the pack's own head without samples here is never answered: no held-out head knows it.
            let (Some(shown), Some(answered)) = (place(&doubt.class), place(&answer)) else {
                continue;
            };
            confusion[shown][shown] = confusion[shown][shown].saturating_sub(1);
            confusion[shown][answered] += 1;
            wrong.push(Wrong {
                id: doubt.id,
                file: doubt.file,
                class: doubt.class,
                answer,
                probability,
            });
        }
        let right: u32 = (0..names.len()).map(|at| confusion[at][at]).sum();
        Ok(Confusion {
            samples: all.len(),
            accuracy: f64::from(right) / all.len().max(1) as f64,
            classes: ClassScore::of(&names, &confusion),
            confusion,
            wrong,
        })
    }
}
