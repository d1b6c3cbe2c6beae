//! The candidates of the default learner and how they do on held-out samples.

use crate::Error;
use crate::checked::{product, sum};
use crate::head::calibrate::HeldOut;
use crate::head::design::Design;
use crate::head::logistic::Descent;
use crate::head::numeric::{Scratch, add_scaled};
use crate::head::samples::Groups;
use crate::head::{LinearHead, Samples, discriminants};

/// Penalties of logistic heads, falling, so that each fit starts from the last.
const LOGISTIC: [f32; 4] = [1e-2, 1e-3, 1e-4, 1e-5];
/// Penalties of discriminants.
const DISCRIMINANTS: [f32; 4] = [2e-3, 5e-4, 1e-4, 2e-5];
/// One sample in this many is held out in a fold.
const PARTS: usize = 4;

/// Where a candidate's held-out logits are kept: logistic heads, then discriminants, then those continued from the initial
/// one, the initial one itself, and one place to mix two of them.
const CONTINUED: usize = LOGISTIC.len() + DISCRIMINANTS.len();
const KEPT: usize = CONTINUED + LOGISTIC.len();
const MIXED: usize = KEPT + 1;
pub(super) const PLACES: usize = MIXED + 1;

/// A way to train a head, by indices of the penalties.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Candidate {
    /// The mean of a logistic head and of discriminants.
    Blend(usize, usize),
    /// The initial head and a logistic one that corrects it.
    Continue(usize),
    /// The mean of that and of discriminants, which know nothing of the initial head.
    Correct(usize, usize),
    /// The initial head.
    Keep,
}

/// Times that the data is split: the fewer samples, the more a second opinion is worth.
fn folds(samples: usize) -> usize {
    match samples {
        0..=600 => PARTS,
        601..=1200 => 2,
        _ => 1,
    }
}

/// The most samples that all folds together hold out.
pub(super) fn most_held_out(samples: usize, classes: usize) -> Result<usize, Error> {
    let each = sum(&[samples / PARTS, classes])?;
    Ok(samples.min(product(&[folds(samples), each])?))
}

/// Writes the positions of the samples that a fold trains on and of those that it holds out, and their counts. A class
/// with one sample is never held out.
fn split(
    samples: Samples<'_>,
    groups: &Groups<'_>,
    fold: usize,
    trained: &mut [u32],
    held: &mut [u32],
) -> (usize, usize) {
    let (mut train_count, mut held_count) = (0, 0);
    for class in 0..groups.starts.len() - 1 {
        let members = groups.class(class);
        for (number, &sample) in members.iter().enumerate() {
            let position = samples.position(sample as usize) as u32;
            if number % PARTS == fold && members.len() > 1 {
                held[held_count] = position;
                held_count += 1;
            } else {
                trained[train_count] = position;
                train_count += 1;
            }
        }
    }
    let distinct = samples.len() - samples.again().len();
    for (row, &owner) in samples.again().iter().enumerate() {
        let owner = samples.position(owner as usize) as u32;
        if !held[..held_count].contains(&owner) {
            trained[train_count] = samples.position(distinct + row) as u32;
            train_count += 1;
        }
    }
    (train_count, held_count)
}

/// Room for the positions of samples.
pub(super) struct Split<'a> {
    /// Those that a fold trains on.
    pub(super) trained: &'a mut [u32],
    /// Those that were held out so far.
    pub(super) held: &'a mut [u32],
}

/// The candidates' logits on held-out samples.
pub(super) struct Trials<'a> {
    /// `[place][sample][class]`, each place with room for `most` samples.
    pub(super) logits: &'a mut [f32],
    pub(super) most: usize,
    pub(super) classes: usize,
    /// Whether heads without the initial one may be tried.
    pub(super) fresh: bool,
    pub(super) initial: Option<LinearHead<'a>>,
    /// Samples that were held out so far.
    pub(super) held: usize,
    /// For each fold that was tried, where its held-out samples end, and by what each of its continued heads' logits are
    /// divided before they are mixed.
    pub(super) spreads: [(usize, [f32; LOGISTIC.len()]); PARTS],
    /// Folds that were tried.
    pub(super) tried: usize,
}

impl<'a> Trials<'a> {
    /// Nothing tried yet.
    pub(super) fn new(
        logits: &'a mut [f32],
        most: usize,
        classes: usize,
        initial: Option<LinearHead<'a>>,
        fresh: bool,
    ) -> Self {
        let spreads = [(0, [1.0; LOGISTIC.len()]); PARTS];
        Self { logits, most, classes, fresh, initial, held: 0, spreads, tried: 0 }
    }

    /// Tries every candidate on all folds of these samples. What was tried before is forgotten.
    pub(super) fn run(
        &mut self,
        samples: Samples<'_>,
        groups: &Groups<'_>,
        places: &mut Split<'_>,
        weights: &mut [f32],
        bias: &mut [f32],
        memory: &mut [f32],
    ) -> Result<(), Error> {
        (self.held, self.tried) = (0, 0);
        for fold in 0..folds(samples.distinct().len()) {
            let (trained, held) = (&mut *places.trained, &mut places.held[self.held..]);
            let (train_count, held_count) = split(samples, groups, fold, trained, held);
            if held_count > 0 {
                let train = samples.select(&trained[..train_count])?;
                let test = samples.select(&held[..held_count])?;
                self.fold(train, test, weights, bias, memory)?;
            }
        }
        Ok(())
    }

    /// Trains every candidate and keeps its logits on `test`.
    fn fold(
        &mut self,
        train: Samples<'_>,
        test: Samples<'_>,
        weights: &mut [f32],
        bias: &mut [f32],
        memory: &mut [f32],
    ) -> Result<(), Error> {
        let mut scratch = Scratch::new(memory, 0)?;
        let mut design = Design::build(train, weights, self.classes, &mut scratch)?;
        let memory = scratch.rest();
        for (start, initial) in [(0, None), (CONTINUED, self.initial)] {
            let wanted = if start == 0 { self.fresh } else { initial.is_some() };
            if !wanted {
                continue;
            }
            let mut scratch = Scratch::new(&mut *memory, 0)?;
            let mut descent = Descent::new(&design, initial, &mut scratch)?;
            for (place, penalty) in LOGISTIC.into_iter().enumerate() {
                descent.run(&mut design, penalty)?;
                descent.head(&mut design, weights, bias);
                if initial.is_none() {
                    normalise(descent.logits(), weights, bias);
                } else if let Some((_, spreads)) = self.spreads.get_mut(self.tried) {
                    spreads[place] = spread(descent.logits(), self.classes);
                }
                self.keep(start + place, weights, bias, test)?;
            }
        }
        if self.fresh {
            for penalty in 0..DISCRIMINANTS.len() {
                let place = LOGISTIC.len() + penalty;
                discriminants_head(&mut design, penalty, weights, bias, memory)?;
                self.keep(place, weights, bias, test)?;
            }
        }
        if let Some(head) = self.initial {
            self.keep(KEPT, head.weights(), head.bias(), test)?;
        }
        self.held += test.len();
        if let Some((end, _)) = self.spreads.get_mut(self.tried) {
            *end = self.held;
        }
        self.tried += 1;
        Ok(())
    }

    /// Writes the logits of a head to its place, behind those of earlier folds.
    fn keep(
        &mut self,
        place: usize,
        weights: &[f32],
        bias: &[f32],
        test: Samples<'_>,
    ) -> Result<(), Error> {
        let head = LinearHead::new(weights, bias, test.feature_len())?;
        let start = (place * self.most + self.held) * self.classes;
        let rows = self.logits[start..].chunks_exact_mut(self.classes);
        rows.zip(test.iter()).try_for_each(|(logits, (row, _))| head.logits(row, logits))
    }

    /// The candidate of least loss and its temperature; of equal ones the first. What rests on the initial head alone is taken
    /// only where it is better by more than a standard error: few samples are soon answered rightly by a head that is wrong
    /// elsewhere, and the mean of two errs less.
    pub(super) fn best(&mut self, test: Samples<'_>) -> Result<(Candidate, f32), Error> {
        let pairs = (0..LOGISTIC.len())
            .flat_map(|logistic| (0..DISCRIMINANTS.len()).map(move |second| (logistic, second)));
        let continued = (0..LOGISTIC.len()).map(Candidate::Continue);
        let (fresh, has_initial) = (self.fresh, self.initial.is_some());
        let blends = pairs.clone().map(|(logistic, second)| Candidate::Blend(logistic, second));
        let corrected = pairs.map(|(logistic, second)| Candidate::Correct(logistic, second));
        let candidates = [Candidate::Keep]
            .into_iter()
            .chain(continued)
            .filter(|_| has_initial)
            .chain(blends.filter(|_| fresh))
            .chain(corrected.filter(|_| fresh && has_initial));
        let mut best = (Candidate::Keep, 1.0, f32::INFINITY);
        let mut mixed = best;
        for candidate in candidates {
            let (temperature, loss) = self.answers(candidate, test)?.temperature();
            let found = (candidate, temperature, loss);
            if loss < best.2 {
                best = found;
            }
            if loss < mixed.2 && matches!(candidate, Candidate::Blend(..) | Candidate::Correct(..))
            {
                mixed = found;
            }
        }
        let alone = match best.0 {
            Candidate::Keep => KEPT,
            Candidate::Continue(penalty) => CONTINUED + penalty,
            Candidate::Blend(..) | Candidate::Correct(..) => return Ok((best.0, best.1)),
        };
        if mixed.2.is_infinite() {
            return Ok((best.0, best.1));
        }
        let length = self.answers(mixed.0, test)?.logits().len();
        let answers = |place: usize| {
            let logits = &self.logits[place * self.most * self.classes..][..length];
            HeldOut::new(logits, test, self.classes)
        };
        let (lead, error) = answers(alone)?.lead(best.1, &answers(MIXED)?, mixed.1);
        let chosen = if lead > error { best } else { mixed };
        Ok((chosen.0, chosen.1))
    }

    pub(super) fn answers<'s>(
        &'s mut self,
        candidate: Candidate,
        test: Samples<'s>,
    ) -> Result<HeldOut<'s>, Error> {
        let (stride, length) = (self.most * self.classes, self.held * self.classes);
        let place = match candidate {
            Candidate::Continue(penalty) => CONTINUED + penalty,
            Candidate::Keep => KEPT,
            Candidate::Blend(logistic, second) => {
                let (logits, mixed) = self.logits.split_at_mut(MIXED * stride);
                mixed[..length].copy_from_slice(&logits[logistic * stride..][..length]);
                let second = (LOGISTIC.len() + second) * stride;
                add_scaled(&mut mixed[..length], 1.0, &logits[second..][..length]);
                MIXED
            }
            Candidate::Correct(logistic, second) => {
                let (logits, mixed) = self.logits.split_at_mut(MIXED * stride);
                let second = (LOGISTIC.len() + second) * stride;
                mixed[..length].copy_from_slice(&logits[second..][..length]);
                let continued = &logits[(CONTINUED + logistic) * stride..][..length];
                let mut start = 0;
                for (end, spreads) in self.spreads.iter().take(self.tried) {
                    let fold = start..end * self.classes;
                    start = fold.end;
                    let factor = 1.0 / spreads[logistic];
                    add_scaled(&mut mixed[fold.clone()], factor, &continued[fold]);
                }
                MIXED
            }
        };
        HeldOut::new(&self.logits[place * stride..][..length], test, self.classes)
    }
}

/// A logistic head, down the same path of penalties as in the trials; its logits are spread by 1 where they are `mixed`
/// with others.
pub(super) fn logistic_head(
    design: &mut Design<'_>,
    initial: Option<LinearHead<'_>>,
    penalty: usize,
    mixed: bool,
    weights: &mut [f32],
    bias: &mut [f32],
    memory: &mut [f32],
) -> Result<(), Error> {
    let mut scratch = Scratch::new(memory, 0)?;
    let mut descent = Descent::new(design, initial, &mut scratch)?;
    for penalty in &LOGISTIC[..=penalty] {
        descent.run(design, *penalty)?;
    }
    descent.head(design, weights, bias);
    if mixed {
        normalise(descent.logits(), weights, bias);
    }
    Ok(())
}

/// Discriminants whose logits are spread by 1; zeros if the penalty is too small for these samples.
pub(super) fn discriminants_head(
    design: &mut Design<'_>,
    penalty: usize,
    weights: &mut [f32],
    bias: &mut [f32],
    memory: &mut [f32],
) -> Result<(), Error> {
    let solution = match discriminants::solve(design, DISCRIMINANTS[penalty], memory) {
        Err(Error::NotPositiveDefinite { .. } | Error::Inaccurate) => {
            weights.fill(0.0);
            bias.fill(0.0);
            return Ok(());
        }
        other => other?,
    };
    design.head(solution.coefficients, solution.intercepts, weights, bias);
    normalise(solution.logits, weights, bias);
    Ok(())
}

/// Divides a head by the [`spread`] of its logits on the samples that it was trained on. So heads of different learners and
/// folds can be compared and added.
fn normalise(logits: &[f32], weights: &mut [f32], bias: &mut [f32]) {
    let spread = spread(logits, bias.len());
    weights.iter_mut().chain(bias).for_each(|number| *number /= spread);
}

/// The root mean square of logits' distance from each sample's mean; 1 where there is none.
fn spread(logits: &[f32], classes: usize) -> f32 {
    let mut square = 0.0;
    for row in logits.chunks_exact(classes) {
        let mean = row.iter().sum::<f32>() / classes as f32;
        square += row.iter().map(|logit| (logit - mean) * (logit - mean)).sum::<f32>();
    }
    let spread = libm::sqrtf(square / logits.len() as f32);
    if spread > 0.0 { spread } else { 1.0 }
}
