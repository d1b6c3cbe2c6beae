//! What an application calls: learn, predict and commit, in one piece of the caller's memory.
//!
//! ```no_run
//! # fn run<S: headstart::store::Store>(bytes: &[u8], ram: &mut [u8], store: S, input: &[i8])
//! # -> Result<(), headstart::session::SessionError<S::Error>> {
//! use headstart::{pack::Pack, session::Session};
//!
//! let pack = Pack::open(bytes)?;
//! let mut session = Session::open(&pack, ram, store)?; // ram: exactly pack.plan().ram_bytes()
//! session.learn(input, "mug")?; // one labelled sample; new names become new classes
//! let answer = session.predict(input)?; // label and probability, or "unknown"
//! session.commit()?; // durable when this returns
//! # Ok(())
//! # }
//! ```

use crate::Error;
use crate::backbone;
use crate::head::sgd::Rehearsal;
use crate::head::{
    HeadParts, HeadRecord, Learner, LinearHead, Samples, argmax, imprint, ridge, sgd, softmax,
};
use crate::kernels::Kernels;
use crate::pack::Pack;
use crate::record::{label_is_valid, table_labels};
use crate::store::Store;

mod edit;
mod staged;

/// Step size of one sample; see [`sgd::step`].
const RATE: f32 = 0.5;

/// The centre of the features moves by this part of the distance to a new sample, or more while
/// there are few.
const SLOWEST: u32 = 8;

/// What ridge's scores are multiplied by to become logits: they have spread 1 at most.
const RIDGE_TEMPERATURE: f32 = 0.25;

/// Why a session did not do what it was asked: a rule of the runtime, or its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SessionError<E> {
    /// A rule of the runtime was broken.
    Runtime(Error),
    /// The store failed.
    Store(E),
}

impl<E> From<Error> for SessionError<E> {
    fn from(error: Error) -> Self {
        Self::Runtime(error)
    }
}

impl<E: core::fmt::Display> core::fmt::Display for SessionError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Runtime(error) => error.fmt(f),
            Self::Store(error) => write!(f, "the store failed: {error}"),
        }
    }
}

impl<E: core::fmt::Debug + core::fmt::Display> core::error::Error for SessionError<E> {}

/// The answer to one input.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Answer<'s> {
    /// The class; `None` if it is unknown.
    pub label: Option<&'s str>,
    /// Probability of the best class, also if that is not enough to name it.
    pub probability: f32,
    /// The best class, also if it is unknown.
    pub class: u16,
}

/// A pack, its head in memory, and the store that the head came from.
///
/// The memory, from its start; `F` features, at most `K` classes:
///
/// ```text
///  4KF  weights, float32, [class][feature]
///   4K  biases, float32
///   4K  logits and their gradient, float32
///   4K  samples of each class, u32
///    …  activations of a backbone pass, or a head record
///    F  the features' centre, int8
///  65K  labels: one byte length and the text, each
/// ```
#[derive(Debug)]
pub struct Session<'p, 'm, S> {
    pack: &'p Pack<'p>,
    store: S,
    weights: &'m mut [f32],
    bias: &'m mut [f32],
    gradient: &'m mut [f32],
    counts: &'m mut [u32],
    scratch: &'m mut [u8],
    centre: &'m mut [i8],
    label_table: &'m mut [u8],
    label_bytes: usize,
    classes: usize,
    unknown_threshold: f32,
    seen: u32,
    learner: Learner,
}

/// Whether [`Session::open`] takes this pack, so that a device can tell before it gives up another.
///
/// # Errors
///
/// [`Error::TailNotRunnable`] for a pack with a trainable tail.
pub fn accepts(pack: &Pack<'_>) -> Result<(), Error> {
    match pack.tail() {
        None => Ok(()),
        Some(_) => Err(Error::TailNotRunnable { node: pack.node_count() }),
    }
}

impl<'p, 'm, S: Store> Session<'p, 'm, S> {
    /// Loads the head that was committed last, or else the one that the pack ships, or else starts
    /// without a class.
    ///
    /// `ram` has exactly [`Plan::ram_bytes`](crate::pack::Plan::ram_bytes) bytes and starts at a
    /// multiple of 4. A head's temperature is taken into its weights; prototypes are left behind.
    ///
    /// # Errors
    ///
    /// That of [`accepts`]; [`Error::BufferLength`] for other memory, or for a record that is too long for this pack;
    /// [`Error::Misaligned`]; those of [`HeadRecord::parse_for`]; [`Error::TooManyClasses`];
    /// [`Error::NotFinite`] for a head whose logits are not finite for all features; and those of the
    /// store.
    #[inline(never)]
    pub fn open(
        pack: &'p Pack<'p>,
        ram: &'m mut [u8],
        store: S,
    ) -> Result<Self, SessionError<S::Error>> {
        accepts(pack)?;
        let (plan, features) = (pack.plan(), pack.feature_len());
        let expected = usize::try_from(plan.ram_bytes()).map_err(|_| Error::ShapeOverflow)?;
        if ram.len() != expected {
            return Err(Error::BufferLength { expected, found: ram.len() }.into());
        }
        let most = plan.max_classes as usize;
        // Opening the pack has checked the plan: its parts add up to the length above.
        let (numbers, rest) = ram.split_at_mut(plan.head_bytes as usize + 8 * most);
        let (scratch, rest) = rest.split_at_mut(plan.arena_bytes.max(plan.record_bytes()) as usize);
        let (centre, label_table) = rest.split_at_mut(features);
        let (floats, counts) = numbers.split_at_mut(plan.head_bytes as usize + 4 * most);
        let misaligned = |_| Error::Misaligned { alignment: 4 };
        let floats: &mut [f32] = bytemuck::try_cast_slice_mut(floats).map_err(misaligned)?;
        let counts: &mut [u32] = bytemuck::try_cast_slice_mut(counts).map_err(misaligned)?;
        let (weights, floats) = floats.split_at_mut(features * most);
        let (bias, gradient) = floats.split_at_mut(most);
        let centre: &mut [i8] = bytemuck::cast_slice_mut(centre);
        centre.fill(pack.feature_value()?.zero_point);
        let mut session = Self {
            pack,
            store,
            weights,
            bias,
            gradient,
            counts,
            scratch,
            centre,
            label_table,
            label_bytes: 0,
            classes: 0,
            unknown_threshold: 0.0,
            seen: 0,
            learner: Learner::Sgd,
        };
        session.load()?;
        Ok(session)
    }

    #[inline(never)]
    fn load(&mut self) -> Result<(), SessionError<S::Error>> {
        let (features, found) = (self.centre.len(), self.scratch.len());
        let loaded = self.store.load(self.scratch).map_err(SessionError::Store)?;
        let bytes = match loaded {
            Some(length) => Some(
                self.scratch
                    .get(..length)
                    .ok_or(Error::BufferLength { expected: length, found })?,
            ),
            None => self.pack.head(),
        };
        let Some(bytes) = bytes else { return Ok(()) };
        let record = HeadRecord::parse_for(bytes, &self.pack.backbone_digest())?;
        if record.feature_len() != features {
            return Err(
                Error::BufferLength { expected: features, found: record.feature_len() }.into()
            );
        }
        let (classes, limit) = (record.classes(), self.bias.len());
        if classes > limit {
            return Err(Error::TooManyClasses { limit }.into());
        }
        let (weights, bias) = (&mut self.weights[..classes * features], &mut self.bias[..classes]);
        record.read(weights, bias)?;
        let temperature = record.temperature();
        for (row, bias) in weights.chunks_exact_mut(features).zip(bias) {
            // A class that is never the answer has the least bias that there is, and keeps it.
            *bias = (*bias / temperature).max(f32::MIN);
            let mut most = libm::fabsf(*bias);
            for weight in row {
                *weight /= temperature;
                most += 128.0 * libm::fabsf(*weight);
            }
            // No features have a larger logit than this one.
            if !most.is_finite() {
                return Err(Error::NotFinite.into());
            }
        }
        for (count, samples) in self.counts.iter_mut().zip(record.samples()) {
            *count = samples;
        }
        let labels = record.label_table();
        self.label_table[..labels.len()].copy_from_slice(labels);
        self.label_bytes = labels.len();
        self.classes = classes;
        self.unknown_threshold = record.unknown_threshold();
        self.learner = record.learner();
        Ok(())
    }

    /// Computes the features of one input, int8 as for [`learn`](Self::learn): what a feature cache keeps.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] for an input of another length.
    pub fn features(&mut self, input: &[i8]) -> Result<&[i8], Error> {
        features(self.pack, self.scratch, input)
    }

    /// The features that the last [`learn`](Self::learn), [`predict`](Self::predict) or
    /// [`features`](Self::features) worked on. They mean nothing after any other call.
    ///
    /// # Errors
    ///
    /// None for a pack that was opened.
    pub fn last_features(&self) -> Result<&[i8], Error> {
        last_features(self.pack, self.scratch)
    }

    /// The class of a label; a new label becomes a new class, which nothing is answered with yet.
    ///
    /// # Errors
    ///
    /// [`Error::LabelInvalid`]; [`Error::TooManyClasses`].
    pub fn class(&mut self, label: &str) -> Result<u16, Error> {
        let class = self.place(label)?;
        self.add(class, label);
        Ok(class as u16)
    }

    /// Learns from one labelled input, int8 `[height, width, channels]` as
    /// [`preprocess`](crate::preprocess) makes it. A new label becomes a new class. Returns the loss
    /// before the step.
    ///
    /// # Errors
    ///
    /// [`Error::LabelInvalid`]; [`Error::TooManyClasses`]; [`Error::BufferLength`] for an input of
    /// another length. Then nothing was learned.
    pub fn learn(&mut self, input: &[i8], label: &str) -> Result<f32, Error> {
        let class = self.place(label)?;
        features(self.pack, self.scratch, input)?;
        self.step(class, label)
    }

    /// One gradient step on the features that the last pass left.
    fn step(&mut self, class: usize, label: &str) -> Result<f32, Error> {
        self.add(class, label);
        let features = last_features(self.pack, self.scratch)?;
        let length = features.len();
        let classes = self.classes;
        let loss = sgd::step(
            features,
            class as u16,
            self.centre,
            RATE,
            &mut self.weights[..classes * length],
            &mut self.bias[..classes],
            &mut self.gradient[..classes],
        )?;
        self.counts[class] = self.counts[class].saturating_add(1);
        self.learner = Learner::Sgd;
        let part = self.seen.saturating_add(2).min(SLOWEST) as f32;
        self.seen = self.seen.saturating_add(1);
        for (centre, &feature) in self.centre.iter_mut().zip(features) {
            let distance = f32::from(feature) - f32::from(*centre);
            // Between the two, so that the cast loses nothing.
            *centre = (f32::from(*centre) + libm::rintf(distance / part)) as i8;
        }
        Ok(loss)
    }

    /// Trains on stored features of samples that [`learn`](Self::learn) has seen, in the memory that
    /// a backbone pass takes otherwise: see [`sgd::rehearse`]. Returns the last epoch's mean loss.
    ///
    /// # Errors
    ///
    /// Those of [`sgd::rehearse`]; [`Error::BufferLength`] if there are more samples than that memory
    /// has words. After [`Error::NotFinite`] the head is of no use: open the session anew.
    pub fn rehearse(
        &mut self,
        samples: Samples<'_>,
        settings: Rehearsal,
        progress: impl FnMut(u32, f32),
    ) -> Result<f32, Error> {
        let (classes, features) = (self.classes, self.centre.len());
        let memory: &mut [u32] = words(self.scratch);
        let found = memory.len();
        let order = memory
            .get_mut(..samples.len())
            .ok_or(Error::BufferLength { expected: samples.len(), found })?;
        self.learner = Learner::Sgd;
        sgd::rehearse(
            samples,
            settings,
            &mut self.weights[..classes * features],
            &mut self.bias[..classes],
            &mut self.gradient[..classes],
            self.centre,
            order,
            progress,
        )
    }

    /// Replaces the head by the ridge solution for stored features, in the memory that a backbone
    /// pass takes otherwise: see [`ridge::train_packed`]. Classes without samples get the score 0.
    ///
    /// # Errors
    ///
    /// Those of [`ridge::train_packed`]; [`Error::BufferLength`] if the samples are too many for that
    /// memory. Then, or where there are no samples, the head is what it was; after any other error
    /// open the session anew.
    pub fn solve(&mut self, samples: Samples<'_>, penalty: f32) -> Result<(), Error> {
        let (classes, features) = (self.classes, self.centre.len());
        let weights = &mut self.weights[..classes * features];
        let bias = &mut self.bias[..classes];
        if samples.is_empty() {
            return Err(Error::NoSamples);
        }
        ridge::train_packed(samples, penalty, weights, bias, words(self.scratch))?;
        for number in weights.iter_mut().chain(bias) {
            *number /= RIDGE_TEMPERATURE;
        }
        self.learner = Learner::Ridge;
        Ok(())
    }

    /// Replaces the head by the class means of stored features: see [`imprint::train`]. Classes without
    /// samples are never the answer then.
    ///
    /// # Errors
    ///
    /// [`Error::NoSamples`], and then the head is what it was; [`Error::ClassOutOfRange`].
    pub fn imprint(&mut self, samples: Samples<'_>) -> Result<(), Error> {
        let (classes, features) = (self.classes, self.centre.len());
        if samples.is_empty() {
            return Err(Error::NoSamples);
        }
        let weights = &mut self.weights[..classes * features];
        imprint::train(samples, &mut self.counts[..classes], weights, &mut self.bias[..classes])?;
        self.learner = Learner::Imprint;
        Ok(())
    }

    /// Answers with the best class for one input, int8 as for [`learn`](Self::learn).
    ///
    /// # Errors
    ///
    /// [`Error::NoSamples`] while there is no class; [`Error::BufferLength`] for an input of another
    /// length.
    pub fn predict(&mut self, input: &[i8]) -> Result<Answer<'_>, Error> {
        if self.classes == 0 {
            return Err(Error::NoSamples);
        }
        features(self.pack, self.scratch, input)?;
        self.answer()
    }

    /// The answer to the features that the last pass left; there is a class.
    fn answer(&mut self) -> Result<Answer<'_>, Error> {
        let features = last_features(self.pack, self.scratch)?;
        let (length, logits) = (features.len(), &mut self.gradient[..self.classes]);
        let weights = &self.weights[..self.classes * length];
        LinearHead::new(weights, &self.bias[..self.classes], length)?.logits(features, logits)?;
        softmax(logits, 1.0);
        let best = argmax(logits);
        let probability = logits[best];
        let known = probability >= self.unknown_threshold;
        Ok(Answer {
            label: self.labels().nth(best).filter(|_| known),
            probability,
            class: best as u16,
        })
    }

    /// Stores the head. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::NoSamples`] while there is no class; [`Error::NotFinite`] if learning diverged; those
    /// of the store. Then the head that was committed before is still there.
    pub fn commit(&mut self) -> Result<(), SessionError<S::Error>> {
        let length = self.emit()?;
        self.store.commit(&self.scratch[..length]).map_err(SessionError::Store)
    }

    /// Writes the head's record to the scratch memory. What it keeps on the stack is gone when the
    /// store works.
    #[inline(never)]
    fn emit(&mut self) -> Result<usize, Error> {
        if self.classes == 0 {
            return Err(Error::NoSamples);
        }
        let (classes, features) = (self.classes, self.centre.len());
        let weights = &self.weights[..classes * features];
        let parts = HeadParts {
            learner: self.learner,
            unknown_threshold: self.unknown_threshold,
            ..HeadParts::new(
                LinearHead::new(weights, &self.bias[..classes], features)?,
                self.pack.backbone_digest(),
                &[],
                &self.counts[..classes],
            )
        };
        let labels = table_labels(&self.label_table[..self.label_bytes]);
        parts.emit_labelled(labels, self.scratch)
    }

    /// The class that a label has, or that it would get.
    fn place(&self, label: &str) -> Result<usize, Error> {
        let class = self.labels().position(|known| known == label).unwrap_or(self.classes);
        if !label_is_valid(label) {
            return Err(Error::LabelInvalid { class: class as u16 });
        }
        if class == self.bias.len() {
            return Err(Error::TooManyClasses { limit: class });
        }
        Ok(class)
    }

    /// Adds a class at its place, unless it is there.
    fn add(&mut self, class: usize, label: &str) {
        if class < self.classes {
            return;
        }
        let length = self.centre.len();
        self.weights[class * length..][..length].fill(0.0);
        self.bias[class] = 0.0;
        self.counts[class] = 0;
        // Every label has a slot of the longest one's size: there is room.
        let slot = &mut self.label_table[self.label_bytes..][..=label.len()];
        slot[0] = label.len() as u8;
        slot[1..].copy_from_slice(label.as_bytes());
        self.label_bytes += slot.len();
        self.classes += 1;
    }

    /// The labels, in the order of classes.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        table_labels(&self.label_table[..self.label_bytes])
    }

    /// Samples that each class was learned from, in the order of classes.
    #[must_use]
    pub fn samples(&self) -> &[u32] {
        &self.counts[..self.classes]
    }

    /// The learner of the head that is there.
    #[must_use]
    pub fn learner(&self) -> Learner {
        self.learner
    }

    /// The probability below which an answer is "unknown".
    #[must_use]
    pub fn unknown_threshold(&self) -> f32 {
        self.unknown_threshold
    }

    /// The store that heads are loaded from and committed to.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Sets the probability below which an answer is "unknown"; it is stored with the head. A head
    /// that was learned here from the start has 0: nothing is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] unless it is in 0…1.
    pub fn unknown_below(&mut self, probability: f32) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(Error::NotFinite);
        }
        self.unknown_threshold = probability;
        Ok(())
    }

    /// Gives the store back. What was not committed is lost.
    pub fn close(self) -> S {
        self.store
    }
}

/// Runs the backbone in the first part of `scratch`.
fn features<'s>(pack: &Pack<'_>, scratch: &'s mut [u8], input: &[i8]) -> Result<&'s [i8], Error> {
    let arena = &mut scratch[..pack.plan().arena_bytes as usize];
    backbone::run(
        pack.network(),
        bytemuck::cast_slice_mut(arena),
        Kernels::best(),
        input,
        |_, _, _, _| (),
    )?;
    last_features(pack, scratch)
}

/// The features that the last backbone pass left in `scratch`.
fn last_features<'s>(pack: &Pack<'_>, scratch: &'s [u8]) -> Result<&'s [i8], Error> {
    Ok(bytemuck::cast_slice(&scratch[pack.feature_value()?.range()]))
}

/// The words in `scratch`, which begins at a multiple of 4 in a session.
fn words<T: bytemuck::Pod>(scratch: &mut [u8]) -> &mut [T] {
    let whole = scratch.len() / 4 * 4;
    bytemuck::try_cast_slice_mut(&mut scratch[..whole]).unwrap_or_default()
}
