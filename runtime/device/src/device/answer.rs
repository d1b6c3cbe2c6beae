//! Answers.
//!
//! The head that answers is the one that was committed last, by this process or another one. It is read once, and again when its
//! file is another one: a commit replaces it whole. Memory of answers is used again, so that one after the first
//! allocates nothing (on one thread of kernels, with a head without a tail).

use std::sync::Arc;

use headstart::pack::Pack;

use super::handle::Device;
use super::opened::Memory;
use crate::extract::{Buffers, Compute, Extractor, Job};
use crate::model::Logits;
use crate::observer::{Observer, Watched, Work};
use crate::samples::{Decoded, InputShape, Sample, SampleFile};
use crate::segmentation::Mask;
use crate::state::StateProblem;
use crate::{Answer, Error, Head};

/// The answer of a device to one sample.
#[derive(Clone, Debug)]
pub struct Prediction {
    head: Arc<Head>,
    said: Said,
}

#[derive(Clone, Debug)]
enum Said {
    Class(Answer),
    Places(Mask),
}

/// An answer with the probability of every class, in the order of [`Prediction::classes`]; none where there is a class for each place.
pub type WithBars = (Prediction, Vec<f32>);

impl Prediction {
    /// The class that is answered; `None` for "unknown", and where there is a class for each place.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.best().filter(|_| !self.is_unknown())
    }

    /// The most probable class, known or not; `None` where there is a class for each place.
    #[must_use]
    pub fn best(&self) -> Option<&str> {
        let Said::Class(answer) = &self.said else { return None };
        self.head.labels().get(answer.class).map(String::as_str)
    }

    /// The probability of the most probable class, 0 to 1; `None` where there is a class for each place.
    #[must_use]
    pub fn probability(&self) -> Option<f32> {
        let Said::Class(answer) = &self.said else { return None };
        Some(answer.probability)
    }

    /// Whether the probability is below the head's threshold: the sample is of none of the classes, or hard to tell.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(&self.said, Said::Class(answer) if answer.unknown)
    }

    /// The class of each pixel, numbered as [`classes`](Self::classes) are, where the pack answers that.
    #[must_use]
    pub fn mask(&self) -> Option<&Mask> {
        match &self.said {
            Said::Class(_) => None,
            Said::Places(mask) => Some(mask),
        }
    }

    /// The shares of a mask's pixels, by class; classes that it does not show are left out. Pixels without an answer have no share.
    #[must_use]
    pub fn shares(&self) -> Vec<(&str, f64)> {
        let Some(mask) = self.mask() else { return Vec::new() };
        let mut counts = [0_usize; 256];
        mask.classes().iter().for_each(|&class| counts[usize::from(class)] += 1);
        let all = mask.classes().len() as f64;
        let names = self.classes().iter().zip(counts).filter(|(_, count)| *count > 0);
        names.map(|(name, count)| (name.as_str(), count as f64 / all)).collect()
    }

    /// The classes of the head that answered.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        self.head.labels()
    }
}

impl Device {
    /// The head in use: the state's, else the one that the pack ships.
    ///
    /// # Errors
    /// [`StateProblem::NoHead`] where there is neither, [`StateProblem::OtherPack`] for one of another backbone.
    pub fn head(&self) -> Result<Arc<Head>, Error> {
        let mut current = self.head.lock().unwrap_or_else(|e| e.into_inner());
        let stamp = current.stamp();
        if let Some((_, head)) = current.read.as_ref().filter(|(read, _)| *read == stamp) {
            return Ok(head.clone());
        }
        let of_state = self.state.as_ref().map(|_| self.state_head());
        let head = match of_state.transpose()?.flatten() {
            Some(head) => Some(head),
            None => self.pack_head()?,
        };
        let none = || match &self.state {
            Some(folder) => self.no_head(folder),
            None => Error::state(self.pack.file().path(), StateProblem::NoHead),
        };
        let head = Arc::new(head.ok_or_else(none)?);
        self.keep_counter()?;
        current.read = Some((stamp, head.clone()));
        Ok(head)
    }

    /// Answers one sample.
    ///
    /// # Errors
    /// [`Error::Sample`] and [`Error::Pack`] for a sample that cannot be read or does not fit the model; those of
    /// [`head`](Self::head).
    pub fn predict(&self, sample: &Sample<'_>) -> Result<Prediction, Error> {
        let head = self.head()?;
        let mut memory = self.memory();
        let said = self.answer(&head, sample, &mut memory);
        self.memory.lock().unwrap_or_else(|e| e.into_inner()).push(memory);
        Ok(Prediction { said: said?, head })
    }

    /// Answers one sample, with the probability of every class.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn predict_bars(&self, sample: &Sample<'_>) -> Result<WithBars, Error> {
        let head = self.head()?;
        let mut memory = self.memory();
        let said = self.answer(&head, sample, &mut memory);
        let bars = match &said {
            Ok(Said::Class(_)) => memory.logits.logits.clone(),
            _ => Vec::new(),
        };
        self.memory.lock().unwrap_or_else(|e| e.into_inner()).push(memory);
        Ok((Prediction { said: said?, head }, bars))
    }

    /// Answers many samples, which threads share, each with its own error.
    ///
    /// # Errors
    /// Those of [`head`](Self::head), and [`Error::Stopped`].
    pub fn predict_all(
        &self,
        samples: &[Sample<'_>],
        observer: &dyn Observer,
    ) -> Result<Vec<Result<Prediction, Error>>, Error> {
        self.predict_each(samples, observer, |_, prediction| Ok(prediction))
    }

    /// Answers many samples, and gives what `with` makes of each answer as soon as it is there: answers that are masks are large. `with` is
    /// told where the sample stands.
    ///
    /// # Errors
    /// As [`predict_all`](Self::predict_all).
    pub fn predict_each<T: Send>(
        &self,
        samples: &[Sample<'_>],
        observer: &dyn Observer,
        with: impl Fn(usize, Prediction) -> Result<T, Error> + Sync,
    ) -> Result<Vec<Result<T, Error>>, Error> {
        self.each_with_bars(samples, observer, |at, prediction, _| with(at, prediction))
    }

    /// Answers many samples, each with the probability of every class.
    ///
    /// # Errors
    /// As [`predict_all`](Self::predict_all).
    pub fn predict_all_bars(
        &self,
        samples: &[Sample<'_>],
        observer: &dyn Observer,
    ) -> Result<Vec<Result<WithBars, Error>>, Error> {
        self.each_with_bars(samples, observer, |_, prediction, bars| Ok((prediction, bars)))
    }

    /// Computes the features of many samples, which threads share, each with its own error: what heads are trained on, and answer from. No
    /// head is needed.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn features(
        &self,
        samples: &[Sample<'_>],
        observer: &dyn Observer,
    ) -> Result<Vec<Result<Vec<i8>, Error>>, Error> {
        let watched = Watched::begin(observer, Work::Features, samples.len());
        let extraction = &self.kept_features(self.compute);
        let job = Job { extraction, views: 1, watched: &watched };
        job.unnamed(samples, |_, _, features| Ok(features.to_vec()))
    }

    fn each_with_bars<T: Send>(
        &self,
        samples: &[Sample<'_>],
        observer: &dyn Observer,
        with: impl Fn(usize, Prediction, Vec<f32>) -> Result<T, Error> + Sync,
    ) -> Result<Vec<Result<T, Error>>, Error> {
        let (head, pack) = (self.head()?, self.pack());
        let extraction = self.answering().extraction();
        if let Some(declined) = extraction.declined() {
            declined.tell(observer);
        }
        let watched = Watched::begin(observer, Work::Answering, samples.len());
        let job = Job { extraction, views: 1, watched: &watched };
        job.unnamed(samples, |at, size, features| {
            let mut memory = Logits::default();
            let said = if self.is_per_place() {
                mask(&pack, &head, features, size).map(Said::Places)
            } else {
                head.answer_in(features, &mut memory).map(Said::Class)
            };
            let said = said.map_err(|problem| Error::pack(&samples[at].title(at), problem))?;
            with(at, Prediction { head: head.clone(), said }, memory.logits)
        })
    }

    fn memory(&self) -> Memory {
        let kept = self.memory.lock().unwrap_or_else(|e| e.into_inner()).pop();
        kept.unwrap_or_else(|| Memory {
            buffers: Buffers::new(&self.pack(), self.compute.threads),
            logits: Logits::default(),
        })
    }

    fn answer(&self, head: &Head, sample: &Sample<'_>, memory: &mut Memory) -> Result<Said, Error> {
        let pack = self.pack();
        let extraction = self.answering().extraction();
        let Compute { kernels, .. } = extraction.compute();
        let refuse = |problem| Error::pack(&sample.title(0), problem);
        let Memory { buffers, logits } = memory;
        let mut extractor = Extractor::with(pack, kernels, buffers);
        let size = extractor.show(sample, 0)?;
        let on_engine;
        let features = match extraction.batches() {
            None => extractor.run().map_err(refuse)?,
            Some(batches) => {
                on_engine = batches.features(extractor.input()).map_err(|e| batches.error(e))?;
                &on_engine[..]
            }
        };
        let said = if self.is_per_place() {
            mask(&pack, head, features, size).map(Said::Places)
        } else {
            head.answer_in(features, logits).map(Said::Class)
        };
        said.map_err(refuse)
    }
}

/// What a file holds, as this pack takes it.
pub(super) fn decoded(pack: &Pack<'_>, file: &SampleFile) -> Result<Decoded, Error> {
    file.decode(&InputShape::from(pack.input()))
}

/// The answer for a picture of these rows and columns, as large as it.
pub(super) fn mask(
    pack: &Pack<'_>,
    head: &Head,
    features: &[i8],
    size: [usize; 2],
) -> Result<Mask, headstart::Error> {
    let input = pack.input();
    let whole = input.preprocessing.resize.short_side().is_none();
    let seen = if whole { size } else { [input.height as usize, input.width as usize] };
    let mask = head.mask(features, seen)?.ok_or(headstart::Error::BadTail)?;
    if whole { Ok(mask) } else { mask.onto_picture(input, size) }
}
