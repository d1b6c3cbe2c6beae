//! What heads reach on the features of both graphs.

use crate::cut::freeze::{self, Score};

/// Cross-validated closed-form heads on float and on int8 features of the same samples.
#[derive(Clone, Debug)]
pub struct Heads {
    /// On features of the float graph.
    pub float: Score,
    /// On features as the device computes them.
    pub int8: Score,
    /// The share of samples for which both give the same answer, 0…1.
    pub agreement: f64,
    /// How many samples there are.
    pub samples: usize,
}

impl Heads {
    /// Learns and asks heads of both kinds; `None` where there are too few classes or samples, or features that are no numbers.
    #[must_use]
    pub fn of(float: &[Vec<f32>], int8: &[Vec<f32>], labels: &[usize]) -> Option<Self> {
        let float = freeze::cross_validate(float.to_vec(), labels)?;
        let int8 = freeze::cross_validate(int8.to_vec(), labels)?;
        let same = float.answers.iter().zip(&int8.answers).filter(|(a, b)| a == b).count();
        let samples = labels.len();
        Some(Self { agreement: same as f64 / samples.max(1) as f64, float, int8, samples })
    }

    /// The standard error of the accuracy on float features: that of a share of so many samples and of two right and two wrong
    /// ones more (Agresti and Coull 1998), so that it is no 0 where all are right.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let samples = self.samples as f64 + 4.0;
        let share = (self.float.accuracy * self.samples as f64 + 2.0) / samples;
        (share * (1.0 - share) / samples).sqrt()
    }

    /// Whether int8 features are worse than chance explains: by more than the standard error.
    #[must_use]
    pub fn fall(&self) -> bool {
        self.float.accuracy - self.int8.accuracy > self.standard_error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_is_more_than_the_standard_error() {
        let score = |accuracy| Score { accuracy, spread: 0.0, error: 0.0, answers: Vec::new() };
        let heads = |float, int8| Heads {
            float: score(float),
            int8: score(int8),
            agreement: 1.0,
            samples: 96,
        };
        // √(0.5 · 0.5 / 100)
        assert!((heads(0.5, 0.5).standard_error() - 0.05).abs() < 1e-9);
        assert!(heads(0.5, 0.44).fall() && !heads(0.5, 0.46).fall() && !heads(0.5, 0.9).fall());
        assert!(!heads(1.0, 0.99).fall() && heads(1.0, 0.9).fall());
    }
}
