//! Learning as a transaction: all samples, once, whatever is reset meanwhile.

use crc::{CRC_64_XZ, Crc};

use super::board::{RESTARTS, greet, send_sample, status};
use super::{Board, Error};
use crate::{Learner, Refusal, Reply, Request};

/// A labelled sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The sample's class.
    pub label: String,
    /// The values, int8 `[height, width, channels]`.
    pub input: Vec<i8>,
}

/// A task for learning: samples, the learner, and whether to commit.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// The samples, in their order.
    pub samples: &'a [Sample],
    /// The learner that trains the head when all samples are there; `None` leaves the head at one step a sample.
    pub learner: Option<Learner>,
    /// Whether the head is committed after training.
    pub commit: bool,
}

/// Outcome of a lesson.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Whether the board had committed this very lesson last, and nothing was done.
    pub known: bool,
    /// How many samples the board keeps the features of.
    pub kept: u32,
    /// How many samples were trained on.
    pub trained: u32,
    /// The mean loss of the last pass, in nats; 0 where the learner knows none.
    pub loss: f32,
    /// The number of the commit; `None` if nothing was committed.
    pub commit: Option<u64>,
    /// How often the board had to be taught from the start, or from a part of it on.
    pub restarts: u32,
}

const NAME: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);

impl Lesson<'_> {
    /// The transaction: a number that is that of no other lesson, but for a chance of 2⁻⁶⁴.
    fn transaction(&self, backbone: &[u8; 32]) -> u64 {
        let mut digest = NAME.digest();
        digest.update(backbone);
        digest.update(&[self.learner.map_or(0, |learner| 1 + learner as u8)]);
        for sample in self.samples {
            digest.update(&sample.label.len().to_le_bytes());
            digest.update(sample.label.as_bytes());
            let bytes: Vec<u8> = sample.input.iter().map(|q| q.cast_unsigned()).collect();
            digest.update(&bytes);
        }
        digest.finalize().max(1)
    }
}

impl Board {
    /// Asks whether the board can keep what such a lesson needs, before any sample is sent. Learning from a set keeps features in
    /// flash; steps keep nothing.
    ///
    /// # Errors
    /// [`Refusal::NothingKept`]; else as [`status`](Self::status).
    pub fn check_room(&mut self, learner: Option<Learner>) -> Result<(), Error> {
        if learner.is_some() && self.surely(status)?.most_kept == 0 {
            return Err(Error::Refused(Refusal::NothingKept));
        }
        Ok(())
    }

    /// Teaches the board all samples, each once, trains and commits. A board that was reset is taught from
    /// its last commit on; a host that was stopped goes on where it was. `progress` is told the number
    /// of samples that are learned.
    ///
    /// # Errors
    /// Those of the line, and what the board refuses. Nothing was committed then, unless the line was lost while the board did it: the
    /// same lesson again says so.
    pub fn learn(
        &mut self,
        lesson: Lesson<'_>,
        mut progress: impl FnMut(usize),
    ) -> Result<Outcome, Error> {
        let transaction = lesson.transaction(&self.greeting.backbone);
        let mut restarts = 0;
        loop {
            match self.once(lesson, transaction, &mut progress) {
                Err(error) if error.is_lost() && restarts < RESTARTS => {
                    restarts += 1;
                    self.greeting = greet(&mut self.link)?;
                }
                Err(error) if error.is_lost() => return Err(Error::Restarts(restarts)),
                done => {
                    let outcome = done?;
                    // What the next greeting would say.
                    let held = !outcome.known && outcome.commit.is_none();
                    self.greeting.transaction = if held { transaction } else { 0 };
                    self.greeting.learned = if held { lesson.samples.len() as u32 } else { 0 };
                    return Ok(Outcome { restarts, ..outcome });
                }
            }
        }
    }

    fn once(
        &mut self,
        lesson: Lesson<'_>,
        transaction: u64,
        progress: &mut impl FnMut(usize),
    ) -> Result<Outcome, Error> {
        let link = &mut self.link;
        let Reply::Learned { samples, mut kept, committed, .. } =
            link.call(&Request::Begin { transaction })?
        else {
            return Err(Error::Answer);
        };
        let mut outcome =
            Outcome { known: committed, kept, trained: 0, loss: 0.0, commit: None, restarts: 0 };
        if committed {
            progress(lesson.samples.len());
            return Ok(outcome);
        }
        for (sample, index) in lesson.samples.iter().zip(0_u32..).skip(samples as usize) {
            progress(index as usize);
            send_sample(link, &sample.input)?;
            let reply = link.call(&Request::Learn { index, label: &sample.label })?;
            let Reply::Learned { kept: now, loss, .. } = reply else { return Err(Error::Answer) };
            (kept, outcome.loss) = (now, loss);
        }
        progress(lesson.samples.len());
        outcome.kept = kept;
        if let Some(learner) = lesson.learner {
            let Reply::Trained { samples, loss } = link.call(&Request::Train { learner })? else {
                return Err(Error::Answer);
            };
            (outcome.trained, outcome.loss) = (samples, loss);
        }
        if lesson.commit {
            let Reply::Committed { number } = link.call(&Request::Commit)? else {
                return Err(Error::Answer);
            };
            outcome.commit = Some(number);
        }
        Ok(outcome)
    }
}
