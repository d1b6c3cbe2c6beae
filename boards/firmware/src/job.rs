//! The job that is measured: evaluate, learn, commit; after a reset evaluate again.

use headstart::Error;
use headstart::head::sgd::Rehearsal;
use headstart::head::{Samples, ridge};
use headstart::pack::Pack;
use headstart::session::{Session, SessionError, Store};
use headstart::store::{FeatureLog, FlashStore, LogRegion, Region, StoreError};

use crate::clips::Clips;
use crate::flash::{MemoryError, MemoryFlash};

/// Where records live in the flash: two slots of 24 KiB.
pub const SLOTS: Region = Region { start: 0, slot_bytes: 24 << 10, slots: 2 };

/// Where features live.
pub const LOG: LogRegion = LogRegion { start: 48 << 10, samples: MOST };

/// Most samples that are kept.
const MOST: u16 = 128;

/// Bytes of flash that a job takes.
pub const FLASH_BYTES: usize = 128 << 10;

/// How the head is trained once all samples are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Learner {
    /// Gradient steps, from the head that the pack ships on.
    Sgd,
    /// The ridge solution for the new samples alone.
    Ridge,
}

/// What a job refuses.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum JobError {
    /// A rule of the runtime.
    Runtime(Error),
    /// The store or the log.
    Store(StoreError<MemoryError>),
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::Runtime(error)
    }
}

impl From<StoreError<MemoryError>> for JobError {
    fn from(error: StoreError<MemoryError>) -> Self {
        Self::Store(error)
    }
}

impl From<SessionError<StoreError<MemoryError>>> for JobError {
    fn from(error: SessionError<StoreError<MemoryError>>) -> Self {
        match error {
            SessionError::Runtime(error) => Self::Runtime(error),
            SessionError::Store(error) => Self::Store(error),
        }
    }
}

/// What a job tells while it works.
pub trait Report {
    /// The features of one input.
    fn features(&mut self, features: &[i8]);
    /// The answer to one input: the best class, its probability, whether that is enough to name it,
    /// and whether the class is right.
    fn answer(&mut self, class: u16, probability: f32, known: bool, right: bool);
    /// One sample was learned.
    fn learned(&mut self, class: u16, loss: f32);
    /// One pass over all samples.
    fn epoch(&mut self, epoch: u32, loss: f32);
    /// The head was committed: the record's bytes.
    fn committed(&mut self, record: &[u8]);
}

/// A pack, the clips, and how to learn.
#[derive(Debug)]
pub struct Job<'a> {
    /// The pack, with a head to start from.
    pub pack: Pack<'a>,
    /// What is learned and measured.
    pub clips: Clips<'a>,
    /// How.
    pub learner: Learner,
}

impl Job<'_> {
    /// Answers all inputs to measure with, learns, and commits. `ram` is as
    /// [`Session::open`] takes it; `flash` has [`FLASH_BYTES`].
    ///
    /// # Errors
    ///
    /// Those of the session, the store and the log.
    pub fn learn(
        &self,
        ram: &mut [u8],
        flash: &mut [u8],
        report: &mut impl Report,
    ) -> Result<(), JobError> {
        let digest = self.pack.backbone_digest();
        let (slots, log_memory) = flash.split_at_mut(LOG.start as usize);
        let region = LogRegion { start: 0, ..LOG };
        let features = u32::try_from(self.pack.feature_len()).map_err(|_| Error::ShapeOverflow)?;
        let mut log_flash = MemoryFlash::new(log_memory);
        let mut log = FeatureLog::open(&mut log_flash, region, &digest, features)?;
        log.clear(&digest)?;
        let store = FlashStore::open(MemoryFlash::new(slots), SLOTS, &digest)?;
        let mut session = Session::open(&self.pack, ram, store)?;
        self.measure(&mut session, report)?;
        for (input, label) in self.clips.to_learn() {
            let loss = session.learn(signed(input), label)?;
            let class = session.class(label)?;
            log.append(class, session.last_features()?)?;
            report.features(session.last_features()?);
            report.learned(class, loss);
        }
        let mut labels = [0; MOST as usize];
        let count = usize::from(log.len());
        for (sample, label) in (0..log.len()).zip(&mut labels) {
            *label = log.class(sample)?.unwrap_or(0);
        }
        let start = log.features_start() as usize;
        let rows = &log_flash.bytes()[start..start + count * features as usize];
        let samples = Samples::new(signed(rows), &labels[..count], features as usize)?;
        match self.learner {
            Learner::Sgd => {
                let epoch = |epoch, loss| report.epoch(epoch, loss);
                session.rehearse(samples, Rehearsal::default(), epoch)?;
            }
            Learner::Ridge => session.solve(samples, ridge::PENALTY)?,
        }
        session.commit()?;
        Ok(())
    }

    /// Answers all inputs to measure with again, with the head that the flash holds.
    ///
    /// # Errors
    ///
    /// As [`learn`](Self::learn)'s; [`Error::NoSamples`] if the flash holds no head.
    pub fn measure_again(
        &self,
        ram: &mut [u8],
        flash: &mut [u8],
        report: &mut impl Report,
    ) -> Result<(), JobError> {
        let digest = self.pack.backbone_digest();
        let slots = &mut flash[..LOG.start as usize];
        let mut store = FlashStore::open(MemoryFlash::new(slots), SLOTS, &digest)?;
        let length = store.load(ram)?.ok_or(Error::NoSamples)?;
        let found = ram.len();
        let record = ram.get(..length).ok_or(Error::BufferLength { expected: length, found })?;
        report.committed(record);
        let mut session = Session::open(&self.pack, ram, store)?;
        self.measure(&mut session, report)
    }

    fn measure<S: Store>(
        &self,
        session: &mut Session<'_, '_, S>,
        report: &mut impl Report,
    ) -> Result<(), JobError> {
        for (input, label) in self.clips.to_measure() {
            let answer = session.predict(signed(input))?;
            let (class, probability, known) =
                (answer.class, answer.probability, answer.label.is_some());
            let right = session.labels().nth(class.into()) == Some(label);
            report.features(session.last_features()?);
            report.answer(class, probability, known, right);
        }
        Ok(())
    }
}

/// Bytes as the integers that they are.
fn signed(bytes: &[u8]) -> &[i8] {
    bytemuck::cast_slice(bytes)
}
