//! Trains a session's head on the features that a flash keeps.

use headstart::Error;
use headstart::head::sgd::Rehearsal;
use headstart::head::{Samples, ridge};
use headstart::session::Session;
use headstart::store::{FeatureLog, Flash, Store};

use crate::flash::Lend;

/// A learner that trains the head once all samples are there. It is a type, so that a firmware links the learners that it uses and no
/// others.
pub trait Train {
    /// Trains the session's head on stored features, and gives the mean loss of the last pass over them; 0 where
    /// the learner knows none. `epoch` is told of each pass and its loss.
    ///
    /// # Errors
    ///
    /// The learner's.
    fn train<S: Store>(
        session: &mut Session<'_, '_, S>,
        samples: Samples<'_>,
        epoch: impl FnMut(u32, f32),
    ) -> Result<f32, Error>;
}

/// Gradient steps from the head that is there.
#[derive(Clone, Copy, Debug)]
pub struct Sgd;

/// Ridge regression on these samples alone.
#[derive(Clone, Copy, Debug)]
pub struct Ridge;

/// Class means of these samples alone.
#[derive(Clone, Copy, Debug)]
pub struct Imprint;

impl Train for Sgd {
    #[inline(never)]
    fn train<S: Store>(
        session: &mut Session<'_, '_, S>,
        samples: Samples<'_>,
        epoch: impl FnMut(u32, f32),
    ) -> Result<f32, Error> {
        session.rehearse(samples, Rehearsal::default(), epoch)
    }
}

impl Train for Ridge {
    #[inline(never)]
    fn train<S: Store>(
        session: &mut Session<'_, '_, S>,
        samples: Samples<'_>,
        _: impl FnMut(u32, f32),
    ) -> Result<f32, Error> {
        session.solve(samples, ridge::PENALTY).map(|()| 0.0)
    }
}

impl Train for Imprint {
    #[inline(never)]
    fn train<S: Store>(
        session: &mut Session<'_, '_, S>,
        samples: Samples<'_>,
        _: impl FnMut(u32, f32),
    ) -> Result<f32, Error> {
        session.imprint(samples).map(|()| 0.0)
    }
}

/// Trains the head on everything in the log. `labels` has room for the label of each of its samples, and `learn` is the way it learns.
///
/// # Errors
///
/// [`Error::Truncated`] where the flash does not give back what the log holds; those of `learn`.
#[inline]
pub fn train_on_kept<S: Store, F: Flash + Lend, T>(
    session: &mut Session<'_, '_, S>,
    log: &mut FeatureLog<F>,
    labels: &mut [u16],
    learn: impl FnOnce(&mut Session<'_, '_, S>, Samples<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    for (sample, label) in (0..log.len()).zip(labels.iter_mut()) {
        *label = log.class(sample).ok().flatten().ok_or(Error::Truncated)?;
    }
    let labels = labels.get(..usize::from(log.len())).ok_or(Error::Truncated)?;
    let features = session.last_features()?.len();
    let length = u32::try_from(labels.len() * features).map_err(|_| Error::ShapeOverflow)?;
    let lent = log.flash().lend(log.features_start(), length, |rows| {
        learn(session, Samples::new(bytemuck::cast_slice(rows), labels, features)?)
    });
    lent.ok_or(Error::Truncated)?
}
