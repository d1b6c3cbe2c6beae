//! Does the job that is measured: evaluate, learn, commit; after a reset evaluate again.

use headstart::Error;
use headstart::pack::Pack;
use headstart::session::{Session, SessionError};
use headstart::store::{FeatureLog, FlashStore, LogRegion, Region, Store, StoreError};
use headstart_firmware::flash::{MemoryError, MemoryFlash};
use headstart_firmware::training::{Train, train_on_kept};

use crate::clips::Clips;

/// The region of the flash that holds records: two slots of 24 KiB.
pub const SLOTS: Region = Region { start: 0, slot_bytes: 24 << 10, slots: 2 };

/// The region of the flash that holds features.
pub const LOG: LogRegion = LogRegion { start: 48 << 10, samples: MOST };

/// Most samples that are kept.
const MOST: u16 = 128;

/// Bytes of flash that a job takes.
pub const FLASH_BYTES: usize = 128 << 10;

/// A reason why a job was not done.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum JobError {
    /// A rule of the runtime was broken.
    Runtime(Error),
    /// The store or the log failed.
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

/// A session whose store is memory that behaves as flash does.
pub type BoardSession<'p, 'm> = Session<'p, 'm, FlashStore<MemoryFlash<'m>>>;

/// A listener to a job's progress.
pub trait Report {
    /// The features of one input.
    fn features(&mut self, features: &[i8]);
    /// Receives the answer to one input: the best class, its probability, whether that is enough to name it, and whether the class is
    /// right.
    fn answer(&mut self, class: u16, probability: f32, known: bool, right: bool);
    /// One sample was learned.
    fn learned(&mut self, class: u16, loss: f32);
    /// One pass over all samples.
    fn epoch(&mut self, epoch: u32, loss: f32);
    /// The head was committed: the bytes of the record.
    fn committed(&mut self, record: &[u8]);
}

/// A pack, with the clips that it learns from and is measured with.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The pack, with a head to start from.
    pub pack: &'a Pack<'a>,
    /// The inputs to learn from and to measure with.
    pub clips: Clips<'a>,
}

impl<'p> Job<'p> {
    /// Opens a session with what the first part of the flash, [`SLOTS`], holds.
    ///
    /// # Errors
    ///
    /// Those of the session and the store.
    pub fn session<'m>(
        &self,
        ram: &'m mut [u8],
        flash: &'m mut [u8],
    ) -> Result<BoardSession<'p, 'm>, JobError> {
        let digest = self.pack.backbone_digest();
        let slots = &mut flash[..LOG.start as usize];
        let store = FlashStore::open(MemoryFlash::new(slots), SLOTS, &digest)?;
        Ok(Session::open(self.pack, ram, store)?)
    }

    /// Answers all inputs to measure with, learns, and commits. `ram` is as
    /// [`Session::open`] takes it; `flash` has [`FLASH_BYTES`].
    ///
    /// # Errors
    ///
    /// Those of the session, the store and the log.
    #[inline(never)]
    pub fn learn<L: Train>(
        &self,
        ram: &mut [u8],
        flash: &mut [u8],
        report: &mut impl Report,
    ) -> Result<(), JobError> {
        let (slots, log_memory) = flash.split_at_mut(LOG.start as usize);
        // Used where it was returned: a session that is moved is on the stack twice.
        let mut opened = self.session(ram, slots);
        let session = opened.as_mut().map_err(|error| *error)?;
        self.measure(session, report)?;
        self.learn_clips::<L>(session, log_memory, report)?;
        Ok(session.commit()?)
    }

    /// Learns one sample after another, keeps their features, and trains on all of them.
    #[inline(never)]
    fn learn_clips<L: Train>(
        &self,
        session: &mut BoardSession<'_, '_>,
        log_memory: &mut [u8],
        report: &mut impl Report,
    ) -> Result<(), JobError> {
        let digest = self.pack.backbone_digest();
        let features = u32::try_from(self.pack.feature_len()).map_err(|_| Error::ShapeOverflow)?;
        let region = LogRegion { start: 0, ..LOG };
        let mut opened = FeatureLog::open(MemoryFlash::new(log_memory), region, &digest, features);
        let log = opened.as_mut().map_err(|error| *error)?;
        log.clear(&digest)?;
        for (input, label) in self.clips.to_learn() {
            let loss = session.learn(signed(input), label)?;
            let class = session.class(label)?;
            log.append(class, session.last_features()?)?;
            report.features(session.last_features()?);
            report.learned(class, loss);
        }
        Ok(train::<L>(session, log, report)?)
    }

    /// Answers all inputs to measure with again, with the head that the flash holds.
    ///
    /// # Errors
    ///
    /// As [`learn`](Self::learn)'s; [`Error::NoSamples`] if the flash holds no head.
    #[inline(never)]
    pub fn measure_again(
        &self,
        ram: &mut [u8],
        flash: &mut [u8],
        report: &mut impl Report,
    ) -> Result<(), JobError> {
        let digest = self.pack.backbone_digest();
        read_back(&digest, ram, flash, report)?;
        let mut opened = self.session(ram, flash);
        self.measure(opened.as_mut().map_err(|error| *error)?, report)
    }

    #[inline(never)]
    fn measure(
        &self,
        session: &mut BoardSession<'_, '_>,
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

/// Reports the record that the flash holds.
#[inline(never)]
fn read_back(
    digest: &[u8; 32],
    ram: &mut [u8],
    flash: &mut [u8],
    report: &mut impl Report,
) -> Result<(), JobError> {
    let slots = MemoryFlash::new(&mut flash[..LOG.start as usize]);
    let mut store = FlashStore::open(slots, SLOTS, digest)?;
    let length = store.load(ram)?.ok_or(Error::NoSamples)?;
    let found = ram.len();
    let record = ram.get(..length).ok_or(Error::BufferLength { expected: length, found })?;
    report.committed(record);
    Ok(())
}

/// Trains on everything in the log. Labels are on the stack only here.
#[inline(never)]
fn train<L: Train>(
    session: &mut BoardSession<'_, '_>,
    log: &mut FeatureLog<MemoryFlash<'_>>,
    report: &mut impl Report,
) -> Result<(), Error> {
    let mut labels = [0; MOST as usize];
    train_on_kept(session, log, &mut labels, |session, samples| {
        L::train(session, samples, |epoch, loss| report.epoch(epoch, loss)).map(drop)
    })
}
