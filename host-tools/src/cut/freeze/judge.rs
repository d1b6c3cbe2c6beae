//! Judges the best cuts once more, on the features that a device computes.

use super::{Candidate, Score};

/// Most cuts that are packed to be judged.
const MOST: usize = 6;

/// Puts that candidate first which is best on int8 features, of those that are `wanted` and were compared on the most samples. Cuts are judged
/// best first, until none that is left could be better: int8 features are hardly better than float ones. The usual cut is judged always, and kept unless
/// another one answers more samples right. `score` packs a cut and scores its features on the samples of [`finals`](super::finals); `None`
/// if they say nothing.
///
/// # Errors
///
/// Whatever `score` says.
pub fn judge<E>(
    candidates: &mut [Candidate],
    wanted: impl Fn(&Candidate) -> bool,
    mut score: impl FnMut(&Candidate) -> Result<Option<Score>, E>,
) -> Result<(), E> {
    let samples = candidates.iter().filter(|c| wanted(c)).map(|c| c.samples).max();
    let may_win: Vec<usize> = (0..candidates.len())
        .filter(|&at| wanted(&candidates[at]) && Some(candidates[at].samples) == samples)
        .collect();
    let mut one = |candidate: &mut Candidate| -> Result<(), E> {
        let found = score(candidate)?;
        let (accuracy, error) = found.map_or((0.0, f64::INFINITY), |s| (s.accuracy, s.error));
        candidate.int8 = Some(OnInt8 { accuracy, error });
        Ok(())
    };
    let usual = may_win.iter().copied().find(|&at| candidates[at].usual);
    if let Some(usual) = usual {
        one(&mut candidates[usual])?;
    }
    let error = |c: &Candidate| c.int8.map_or(c.error, |int8| int8.error);
    let first = |candidates: &[Candidate], of: &[usize]| {
        let best =
            |a: &&usize, b: &&usize| error(&candidates[**a]).total_cmp(&error(&candidates[**b]));
        of.iter().min_by(best).copied()
    };
    for _ in 0..MOST {
        match first(candidates, &may_win) {
            Some(best) if candidates[best].int8.is_none() => one(&mut candidates[best])?,
            _ => break,
        }
    }
    let judged: Vec<usize> =
        may_win.into_iter().filter(|&at| candidates[at].int8.is_some()).collect();
    let Some(mut best) = first(candidates, &judged) else { return Ok(()) };
    let accuracy = |at: usize| candidates[at].int8.map_or(0.0, |int8| int8.accuracy);
    if let Some(usual) = usual.filter(|&usual| accuracy(usual) >= accuracy(best)) {
        best = usual;
    }
    candidates[..=best].rotate_right(1);
    Ok(())
}

/// What a head reaches on the features that a device computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnInt8 {
    /// Cross-validated share of right answers.
    pub accuracy: f64,
    /// Cross-validated squared error of the outputs.
    pub error: f64,
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::cut::freeze::tests::candidate;

    /// Judges candidates with these float errors, where int8 has those; gives the order, and who was judged.
    fn judged(float: &[f64], int8: &[f64], usual: Option<usize>) -> (Vec<usize>, Vec<usize>) {
        let mut all: Vec<Candidate> = (0..float.len()).map(|at| candidate(at, float[at])).collect();
        if let Some(usual) = usual {
            all[usual].usual = true;
        }
        let mut asked = Vec::new();
        let score = |c: &Candidate| -> Result<Option<Score>, Infallible> {
            asked.push(c.value);
            let error = int8[c.value];
            Ok(Some(Score { accuracy: 1.0 - error, spread: 0.0, error, answers: Vec::new() }))
        };
        judge(&mut all, |_| true, score).unwrap();
        (all.iter().map(|c| c.value).collect(), asked)
    }

    #[test]
    fn a_cut_that_int8_spoils_loses_to_the_next() {
        let (order, asked) = judged(&[0.1, 0.2, 0.3], &[0.5, 0.21, 0.3], None);
        assert_eq!((order, asked), (vec![1, 0, 2], vec![0, 1]));
        let (order, asked) = judged(&[0.1, 0.2, 0.3], &[0.11, 0.2, 0.3], None);
        assert_eq!((order, asked), (vec![0, 1, 2], vec![0]));
    }

    #[test]
    fn the_usual_cut_stays_unless_another_is_more_right_in_int8() {
        let (order, asked) = judged(&[0.1, 0.2, 0.3], &[0.4, 0.35, 0.31], Some(2));
        assert_eq!((order, asked), (vec![2, 0, 1], vec![2, 0, 1]));
        let (order, _) = judged(&[0.1, 0.2, 0.3], &[0.15, 0.2, 0.3], Some(2));
        assert_eq!(order, [0, 1, 2]);
    }

    #[test]
    fn no_more_than_some_cuts_are_packed() {
        let float: Vec<f64> = (0..20).map(|at| 0.1 + 0.001 * f64::from(at)).collect();
        let int8: Vec<f64> = (0..20).map(|at| 0.9 - 0.01 * f64::from(at)).collect();
        let (order, asked) = judged(&float, &int8, None);
        assert_eq!(asked, (0..MOST).collect::<Vec<_>>());
        assert_eq!(order[0], MOST - 1);
    }
}
