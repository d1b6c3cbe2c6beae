//! Scores how well answers fit masks.

use super::{Mask, VOID};

/// Counts of pixels by class and answered class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// `[true class][answer]`.
    pixels: Vec<Vec<u64>>,
}

impl Score {
    /// A score of so many classes, with nothing counted yet.
    pub fn new(classes: usize) -> Self {
        Self { pixels: vec![vec![0; classes]; classes] }
    }

    /// Counts the pixels of one picture; those without a class, or without an answer, do not count.
    ///
    /// # Panics
    /// For classes that were not announced.
    pub fn add(&mut self, truth: &Mask, answer: &Mask) {
        for (&truth, &answer) in truth.classes().iter().zip(answer.classes()) {
            if truth != VOID && answer != VOID {
                self.pixels[usize::from(truth)][usize::from(answer)] += 1;
            }
        }
    }

    /// Adds the counts of another score.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.pixels.iter_mut().flatten().zip(other.pixels.iter().flatten()) {
            *own += other;
        }
    }

    /// How many pixels are of a class.
    pub fn of_class(&self, class: usize) -> u64 {
        self.pixels[class].iter().sum()
    }

    /// How many pixels were counted.
    pub fn total(&self) -> u64 {
        self.pixels.iter().flatten().sum()
    }

    /// Intersection over union of a class: the pixels that are it and were answered so, as a share of those that are it or were answered
    /// so. `None` where there are none.
    pub fn iou(&self, class: usize) -> Option<f64> {
        let answered: u64 = self.pixels.iter().map(|row| row[class]).sum();
        let both = self.pixels[class][class];
        let union = self.of_class(class) + answered - both;
        (union > 0).then(|| both as f64 / union as f64)
    }

    /// The mean intersection over union, over the classes that have one.
    pub fn mean_iou(&self) -> Option<f64> {
        let found: Vec<f64> = (0..self.pixels.len()).filter_map(|class| self.iou(class)).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    }

    /// Share of counted pixels that were answered right.
    pub fn accuracy(&self) -> Option<f64> {
        let right: u64 = (0..self.pixels.len()).map(|class| self.pixels[class][class]).sum();
        (self.total() > 0).then(|| right as f64 / self.total() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intersection_over_union_is_counted_by_hand() {
        let truth = Mask::new(2, 4, vec![0, 0, 1, 1, 1, VOID, 2, 2]);
        let answer = Mask::new(2, 4, vec![0, 1, 1, 1, 0, 1, VOID, 2]);
        let mut score = Score::new(4);
        score.add(&truth, &answer);
        assert_eq!(score.iou(0), Some(1.0 / 3.0));
        assert_eq!(score.iou(1), Some(2.0 / 4.0));
        assert_eq!(score.iou(2), Some(1.0));
        assert_eq!(score.iou(3), None);
        assert_eq!(score.mean_iou(), Some((1.0 / 3.0 + 0.5 + 1.0) / 3.0));
        assert_eq!((score.total(), score.accuracy()), (6, Some(4.0 / 6.0)));
        let mut twice = score.clone();
        twice.merge(&score);
        assert_eq!((twice.total(), twice.mean_iou()), (12, score.mean_iou()));
        assert_eq!(Score::new(2).mean_iou(), None);
    }
}
