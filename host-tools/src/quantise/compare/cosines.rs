//! How alike the features of both graphs are.

/// The cosine between two vectors of these squares, and this product; `None` where both are zero.
pub(super) fn between(aa: f64, bb: f64, ab: f64) -> Option<f64> {
    let norms = (aa * bb).sqrt();
    if norms > 0.0 { Some(ab / norms) } else { (aa != bb).then_some(0.0) }
}

/// Mean and least cosine of many samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosines {
    /// The mean of the cosines.
    pub mean: f64,
    /// The least of the cosines.
    pub least: f64,
}

impl Cosines {
    /// Sums up one cosine a sample, of those that have one; `None` where none has.
    #[must_use]
    pub fn of(each: &[Option<f64>]) -> Option<Self> {
        let each: Vec<f64> = each.iter().copied().flatten().collect();
        let least = each.iter().copied().reduce(f64::min)?;
        Some(Self { mean: each.iter().sum::<f64>() / each.len() as f64, least })
    }
}

/// How many features never change from sample to sample: nothing can be learned from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Still {
    /// How many of the float features.
    pub float: usize,
    /// How many of the int8 features.
    pub int8: usize,
    /// How many features there are.
    pub of: usize,
}

impl Still {
    /// Counts them in two kinds of features, rows of samples; `None` of fewer than two samples, which say nothing of it.
    #[must_use]
    pub fn of(float: &[Vec<f32>], int8: &[Vec<f32>]) -> Option<Self> {
        let still = |rows: &[Vec<f32>]| -> Option<usize> {
            let (first, rest) = rows.split_first().filter(|(_, rest)| !rest.is_empty())?;
            let is_still = |(at, x): (usize, &f32)| rest.iter().all(|row| row.get(at) == Some(x));
            Some(first.iter().enumerate().filter(|feature| is_still(*feature)).count())
        };
        let of = float.first().map_or(0, Vec::len);
        Some(Self { float: still(float)?, int8: still(int8)?, of })
    }

    /// Whether samples cannot be told apart by these features at all, or not once they are int8.
    #[must_use]
    pub fn is_dead(self) -> bool {
        self.float == self.of || self.int8 == self.of
    }
}

/// Cosines between two kinds of features, rows of samples, each less its mean over the samples: what all samples share
/// says nothing of their classes, and where it is large, it hides in a plain cosine that the rest is lost. `None` of features that
/// never change.
#[must_use]
pub fn centred(float: &[Vec<f32>], int8: &[Vec<f32>]) -> Option<Cosines> {
    let less_mean = |rows: &[Vec<f32>]| -> Vec<Vec<f32>> {
        let length = rows.first().map_or(0, Vec::len);
        let mean = |at: usize| rows.iter().map(|row| f64::from(row[at])).sum::<f64>();
        let means: Vec<f64> = (0..length).map(|at| mean(at) / rows.len() as f64).collect();
        rows.iter()
            .map(|row| row.iter().zip(&means).map(|(&x, m)| (f64::from(x) - m) as f32).collect())
            .collect()
    };
    let (float, int8) = (less_mean(float), less_mean(int8));
    Cosines::of(&float.iter().zip(&int8).map(|(a, b)| cosine(a, b)).collect::<Vec<_>>())
}

/// How a pack's features differ from those of the float graph.
#[derive(Clone, Copy, Debug)]
pub struct FeatureCosines {
    /// As they are.
    pub plain: Option<Cosines>,
    /// Less their mean over the samples.
    pub centred: Option<Cosines>,
    /// Features that never change.
    pub still: Option<Still>,
}

impl FeatureCosines {
    /// Compares int8 with float features, rows of the same samples.
    #[must_use]
    pub fn of(float: &[Vec<f32>], int8: &[Vec<f32>]) -> Self {
        let plain: Vec<_> = float.iter().zip(int8).map(|(a, b)| cosine(a, b)).collect();
        let (centred, still) = (centred(float, int8), Still::of(float, int8));
        Self { plain: Cosines::of(&plain), centred, still }
    }
}

/// Cosine of the angle between two vectors; 0 if one is 0, and `None` if both are.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    between(dot(a, a), dot(b, b), dot(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_is_that_of_the_angle() {
        assert_eq!(cosine(&[1.0, 0.0], &[2.0, 0.0]), Some(1.0));
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 3.0]), Some(0.0));
        assert_eq!(cosine(&[0.0], &[1.0]), Some(0.0));
        assert_eq!(cosine(&[1.0], &[0.0]), Some(0.0));
    }

    #[test]
    fn what_is_dead_has_no_cosine_and_is_counted() {
        assert_eq!(cosine(&[0.0], &[0.0]), None);
        assert_eq!(Cosines::of(&[None, None]), None);
        assert_eq!(Cosines::of(&[None, Some(0.5)]), Some(Cosines { mean: 0.5, least: 0.5 }));
        let rows = |rows: &[[f32; 3]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        let still = rows(&[[1.0, 0.0, -2.0], [1.0, 0.0, -2.0]]);
        let moving = rows(&[[1.0, 0.0, -2.0], [1.0, 0.0, 3.0]]);
        assert_eq!(centred(&still, &still), None);
        assert!(centred(&moving, &moving).unwrap().least > 0.9999);
        assert_eq!(centred(&moving, &still).unwrap().mean, 0.0);
        assert_eq!(Still::of(&moving, &still), Some(Still { float: 2, int8: 3, of: 3 }));
        assert!(Still::of(&moving, &still).unwrap().is_dead());
        assert!(!Still::of(&moving, &moving).unwrap().is_dead());
        assert_eq!(Still::of(&still[..1], &still[..1]), None);
    }

    /// Features that hardly differ beside what they share.
    #[test]
    fn what_all_samples_share_does_not_hide_that_the_rest_is_lost() {
        let float: Vec<Vec<f32>> =
            (0..8).map(|i| vec![1000.0 + i as f32, 1000.0 - (i * i % 5) as f32]).collect();
        let coarse: Vec<Vec<f32>> = vec![vec![1000.0, 1000.0]; 8];
        let plain: Vec<_> = float.iter().zip(&coarse).map(|(a, b)| cosine(a, b)).collect();
        assert!(Cosines::of(&plain).unwrap().least > 0.9999);
        assert!(centred(&float, &coarse).unwrap().mean < 0.1);
        assert!(centred(&float, &float).unwrap().least > 0.9999);
    }
}
