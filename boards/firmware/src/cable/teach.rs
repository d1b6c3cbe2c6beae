//! Learning over the cable, one transaction at a time.
//!
//! ```text
//!          Begin(t)              Learn(0…)            Train           Commit
//!   idle ───────────▶ t, 0 ───────────────▶ t, n ─────────▶ t, n ─────────────▶ idle, t is noted
//!     ▲   reverts to the last commit                                             in the journal
//!     └──────────────── a reset, Begin of another one, a learner that diverged ──┘
//! ```
//!
//! `Begin` of the open transaction goes on with it, and `Begin` of the one that was committed last says so.
//! So a host never has to guess what became of a request whose reply was lost.

use core::cell::RefCell;

use headstart::Error;
use headstart::pack::Pack;
use headstart::session::{Session, SessionError};
use headstart::store::{FeatureLog, Flash, LogRegion, StoreError};
use headstart_cable::{Answer, Learner, Refusal, Reply, Status, UNKNOWN_CLASS};

use super::journal::{Heads, digest};
use super::layout::Layout;
use super::window::Window;
use super::{events, refusal, session_refusal, store_refusal};
use crate::flash::Mapped;
use crate::training::{Imprint, Ridge, Sgd, Train, train_on_kept};

/// Most samples whose features are kept.
const MOST: u16 = 256;

/// The session of a board, its open transaction, and the features of that one's samples.
pub(super) struct Teacher<'f, 'm, F: Mapped> {
    pack: &'f Pack<'f>,
    session: Session<'f, 'm, Heads<'f, F>>,
    flash: &'f RefCell<F>,
    window: Window<'f, F>,
    log: Option<FeatureLog<Window<'f, F>>>,
    most_kept: u16,
    /// Bytes of the sample that are there.
    staged: u32,
    transaction: u64,
    learned: u32,
    trained: Option<(Learner, u32, f32)>,
}

impl<'f, 'm, F: Mapped> Teacher<'f, 'm, F> {
    #[inline(never)]
    pub(super) fn open(
        flash: &'f RefCell<F>,
        layout: &'f Layout,
        pack: &'f Pack<'f>,
        memory: &'m mut [u8],
    ) -> Result<Self, Refusal> {
        let (needed, available) = (pack.plan().ram_bytes(), memory.len());
        let short = || Refusal::Memory {
            needed: u32::try_from(needed).unwrap_or(u32::MAX),
            available: u32::try_from(available).unwrap_or(u32::MAX),
        };
        let length = usize::try_from(needed).map_err(|_| short())?;
        let memory = memory.get_mut(..length).ok_or_else(short)?;
        let backbone = pack.backbone_digest();
        let heads = match Heads::open(flash, layout, &backbone) {
            Err(StoreError::OtherBackbone { .. }) if may_forget(flash, layout, &backbone) => {
                Self::erase(flash, layout, &backbone)?
            }
            other => other.map_err(store_refusal)?,
        };
        let needed = pack.plan().record_bytes();
        let available = heads.capacity();
        if needed as usize > available {
            return Err(Refusal::Slot { needed, available: available as u32 });
        }
        let window = Window::new(flash, layout.features);
        let most_kept = most_kept(&window, pack.feature_len());
        let session = Session::open(pack, memory, heads).map_err(session_refusal)?;
        Ok(Self {
            pack,
            session,
            flash,
            window,
            log: None,
            most_kept,
            staged: 0,
            transaction: 0,
            learned: 0,
            trained: None,
        })
    }

    /// Erases all heads and all features.
    pub(super) fn erase(
        flash: &'f RefCell<F>,
        layout: &Layout,
        backbone: &[u8; 32],
    ) -> Result<Heads<'f, F>, Refusal> {
        erase_features(&mut Window::new(flash, layout.features))?;
        Heads::format(flash, layout, backbone).map_err(store_refusal)
    }

    pub(super) fn classes(&self) -> u16 {
        self.session.samples().len() as u16
    }

    pub(super) fn transaction(&self) -> u64 {
        self.transaction
    }

    pub(super) fn learned(&self) -> u32 {
        self.learned
    }

    /// Whether there is a head beside the pack's own.
    pub(super) fn is_personal(&mut self) -> bool {
        self.session.store().commits() > 0
    }

    fn kept(&self) -> u32 {
        self.log.as_ref().map_or(0, |log| log.len().into())
    }

    fn input_bytes(&self) -> u32 {
        self.pack.value(0).map_or(0, |value| value.elements())
    }

    pub(super) fn sample(&mut self, offset: u32, bytes: &[u8]) -> Result<u32, Refusal> {
        if offset == 0 {
            self.staged = 0;
        }
        let (received, expected) = (self.staged, self.input_bytes());
        let end = u32::try_from(bytes.len()).ok().and_then(|length| offset.checked_add(length));
        let end = end.filter(|&end| offset == received && end <= expected);
        let end = end.ok_or(Refusal::Incomplete { received, expected })?;
        self.session.stage(offset as usize, bytes).map_err(refusal)?;
        self.staged = end;
        Ok(end)
    }

    /// The sample is there, and is used up.
    fn take_sample(&mut self) -> Result<(), Refusal> {
        let (received, expected) = (self.staged, self.input_bytes());
        if received < expected {
            return Err(Refusal::Incomplete { received, expected });
        }
        self.staged = 0;
        Ok(())
    }

    pub(super) fn answer(&mut self, truth: Option<&str>) -> Result<Answer<'_>, Refusal> {
        if self.classes() == 0 {
            return Err(Refusal::NoClasses);
        }
        self.take_sample()?;
        let found = self.session.predict_staged().map_err(refusal)?;
        let (class, probability, unknown) = (found.class, found.probability, found.label.is_none());
        let truth = truth.and_then(|truth| self.session.labels().position(|label| label == truth));
        let label = self.session.labels().nth(class.into()).unwrap_or_default();
        let truth = truth.map_or(UNKNOWN_CLASS, |class| class as u16);
        Ok(Answer { class, label, probability, unknown, truth })
    }

    pub(super) fn begin(&mut self, transaction: u64) -> Result<Reply<'static>, Refusal> {
        if transaction == 0 {
            return Err(Refusal::Malformed);
        }
        if transaction == self.transaction {
            return Ok(self.reply(false, 0.0));
        }
        self.revert()?;
        if self.is_committed(transaction)? {
            return Ok(self.reply(true, 0.0));
        }
        self.log = None;
        if self.most_kept > 0 {
            let (backbone, features) = (self.pack.backbone_digest(), self.pack.feature_len());
            let region = LogRegion { start: 0, samples: self.most_kept };
            let window = self.window.clone();
            let mut log = FeatureLog::open(window, region, &backbone, features as u32)
                .map_err(store_refusal)?;
            log.clear(&backbone).map_err(store_refusal)?;
            self.log = Some(log);
        }
        self.transaction = transaction;
        Ok(self.reply(false, 0.0))
    }

    fn reply(&self, committed: bool, loss: f32) -> Reply<'static> {
        Reply::Learned { samples: self.learned, kept: self.kept(), committed, loss }
    }

    /// Back to the last commit, without a transaction.
    fn revert(&mut self) -> Result<(), Refusal> {
        if self.learned > 0 {
            events::dropped(self.learned);
        }
        (self.transaction, self.learned, self.staged) = (0, 0, 0);
        (self.trained, self.log) = (None, None);
        self.session.revert().map_err(session_refusal)
    }

    /// Whether this transaction made the record that was committed last.
    fn is_committed(&mut self, transaction: u64) -> Result<bool, Refusal> {
        let entry = self.session.store().journal.read().map_err(store_refusal)?;
        if entry.transaction != transaction {
            return Ok(false);
        }
        let record = self.session.committed().map_err(session_refusal)?;
        Ok(record.is_some_and(|record| digest(record) == entry.record))
    }

    pub(super) fn learn(&mut self, index: u32, label: &str) -> Result<Reply<'static>, Refusal> {
        let learned = self.learned;
        if self.transaction == 0 || index > learned || index.saturating_add(1) < learned {
            return Err(Refusal::Order { learned });
        }
        if index < learned {
            return Ok(self.reply(false, 0.0));
        }
        self.take_sample()?;
        let loss = self.session.learn_staged(label).map_err(refusal)?;
        self.learned = learned.saturating_add(1);
        self.trained = None;
        self.keep(label, loss);
        Ok(self.reply(false, loss))
    }

    /// Tells of the sample that was learned, and keeps its features if there is room.
    fn keep(&mut self, label: &str, loss: f32) {
        let Ok(class) = self.session.class(label) else { return };
        events::learned(class, loss);
        let Some(log) = &mut self.log else { return };
        let Ok(features) = self.session.last_features() else { return };
        // A full log, or a flash that does not take them: the sample was learned all the same, and the
        // host sees that its features are not kept.
        let _ = log.append(class, features);
    }

    #[inline(never)]
    pub(super) fn train(&mut self, learner: Learner) -> Result<Reply<'static>, Refusal> {
        if self.transaction == 0 {
            return Err(Refusal::Order { learned: 0 });
        }
        if let Some((_, samples, loss)) = self.trained.filter(|(last, ..)| *last == learner) {
            return Ok(Reply::Trained { samples, loss });
        }
        self.staged = 0;
        let log = self.log.as_mut().filter(|log| !log.is_empty()).ok_or(Refusal::NothingKept)?;
        match train(&mut self.session, log, learner) {
            Ok(loss) => {
                let samples = self.kept();
                events::trained(samples, self.classes());
                self.trained = Some((learner, samples, loss));
                Ok(Reply::Trained { samples, loss })
            }
            // Nothing was changed.
            Err(Error::BufferLength { .. }) => Err(Refusal::TooManyKept { kept: self.kept() }),
            Err(error) => {
                self.revert()?;
                Err(refusal(error))
            }
        }
    }

    pub(super) fn commit(&mut self) -> Result<u64, Refusal> {
        self.staged = 0;
        if self.transaction == 0 {
            return Err(Refusal::Order { learned: 0 });
        }
        self.session.store().transaction = self.transaction;
        match self.session.commit() {
            Ok(()) => {}
            Err(SessionError::Runtime(error)) => {
                self.revert()?;
                return Err(refusal(error));
            }
            // It may be tried again.
            Err(SessionError::Store(error)) => return Err(store_refusal(error)),
        }
        (self.transaction, self.learned, self.trained, self.log) = (0, 0, None, None);
        let number = self.session.store().commits();
        events::committed(number);
        Ok(number)
    }

    pub(super) fn status(&mut self) -> Result<Status, Refusal> {
        self.staged = 0;
        let record = self.session.committed().map_err(session_refusal)?;
        let head_bytes = record.map_or(0, |record| record.len() as u32);
        let classes = self.classes();
        let learner = if classes == 0 { 0 } else { self.session.learner().id() };
        let store = self.session.store();
        let (commits, damaged) = (store.commits(), store.damaged());
        Ok(Status {
            classes,
            features: self.pack.feature_len() as u32,
            learner,
            commits,
            head_bytes,
            learned: self.learned,
            kept: self.kept(),
            most_kept: self.most_kept.into(),
            unknown_threshold: self.session.unknown_threshold(),
            damaged,
        })
    }

    pub(super) fn class(&self, index: u16) -> Result<Reply<'_>, Refusal> {
        let label = self.session.labels().nth(index.into()).ok_or(Refusal::NoSuchClass)?;
        let samples = self.session.samples().get(usize::from(index)).copied().unwrap_or(0);
        Ok(Reply::Class { label, samples })
    }

    pub(super) fn head(&mut self, offset: u32, most: usize) -> Result<Reply<'_>, Refusal> {
        self.staged = 0;
        let record = self.session.committed().map_err(session_refusal)?.unwrap_or_default();
        let rest = record.get(offset as usize..).unwrap_or_default();
        let part = rest.get(..most).unwrap_or(rest);
        Ok(Reply::Head { bytes: record.len() as u32, part })
    }

    /// Forgets a class, or everything; what was not committed too.
    pub(super) fn forget(
        &mut self,
        layout: &'f Layout,
        label: Option<&str>,
    ) -> Result<u16, Refusal> {
        self.revert()?;
        let Some(label) = label else {
            let backbone = self.pack.backbone_digest();
            *self.session.store() = Self::erase(self.flash, layout, &backbone)?;
            self.revert()?;
            events::forgotten(self.classes());
            return Ok(self.classes());
        };
        // What a flash did not take before.
        self.session.store().finish_forgetting().map_err(store_refusal)?;
        if self.session.labels().eq([label]) {
            return Err(Refusal::LastClass);
        }
        if !self.session.forget(label) {
            return Err(Refusal::NoSuchClass);
        }
        erase_features(&mut self.window)?;
        self.session.store().transaction = 0;
        self.session.commit().map_err(session_refusal)?;
        self.session.store().finish_forgetting().map_err(store_refusal)?;
        events::forgotten(self.classes());
        Ok(self.classes())
    }
}

/// Whether the host allowed the head of another backbone to be forgotten for this one.
fn may_forget<F: Mapped>(flash: &RefCell<F>, layout: &Layout, backbone: &[u8; 32]) -> bool {
    let entry = super::journal::Journal::new(flash, layout).read();
    entry.is_ok_and(|entry| entry.forget_for == Some(*backbone))
}

fn erase_features<F: Flash>(window: &mut Window<'_, F>) -> Result<(), Refusal> {
    let capacity = window.geometry().capacity;
    window.erase(0, capacity).map_err(|_| Refusal::Flash)
}

/// Most samples of so many features that fit the place; 0 where it takes none.
fn most_kept<F: Flash>(window: &Window<'_, F>, features: usize) -> u16 {
    let geometry = window.geometry();
    let fits = |samples: u32| {
        let word = geometry.write.max(1);
        let entries =
            32_u32.next_multiple_of(word).checked_add(samples.checked_mul(word.max(8))?)?;
        let rows = u32::try_from(features).ok()?.checked_mul(samples)?;
        let blocks = |bytes: u32| bytes.checked_next_multiple_of(geometry.erase.max(1));
        let bytes = blocks(entries)?.checked_add(blocks(rows)?)?;
        (bytes <= geometry.capacity && features.is_multiple_of(word as usize)).then_some(samples)
    };
    (1..=MOST).rev().find(|&samples| fits(samples.into()).is_some()).unwrap_or(0)
}

/// Trains on everything in the log. Labels are on the stack only here.
#[inline(never)]
fn train<F: Mapped>(
    session: &mut Session<'_, '_, Heads<'_, F>>,
    log: &mut FeatureLog<Window<'_, F>>,
    learner: Learner,
) -> Result<f32, Error> {
    let mut labels = [0; MOST as usize];
    train_on_kept(session, log, &mut labels, |session, samples| match learner {
        Learner::Sgd => Sgd::train(session, samples, events::epoch),
        Learner::Ridge => Ridge::train(session, samples, events::epoch),
        Learner::Imprint => Imprint::train(session, samples, events::epoch),
    })
}
