//! How often the head is right.

use std::path::Path;
use std::sync::Mutex;

use headstart::pack::Pack;
use serde::Serialize;

use super::answer::{decoded, mask};
use super::handle::Device;
use super::labelled::Labelled;
use super::report::BadFile;
use super::targets::{known_classes, truth};
use crate::extract::Job;
use crate::observer::{Event, Observer, Watched, Work};
use crate::samples::{Decoded, InputShape, SampleFile};
use crate::segmentation::{Mask, Score};
use crate::{Answer, Error, Head};

/// How often a device is right.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Evaluation {
    /// The report of a pack that answers one class a sample.
    Classes(ClassEvaluation),
    /// The report of a pack that answers a class for each place.
    Places(PlaceEvaluation),
}

/// Accuracy of a pack that answers one class a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassEvaluation {
    /// Share of samples whose most probable class is the right one, "unknown" or not.
    pub accuracy: f64,
    /// How many samples there were.
    pub samples: usize,
    /// Share of samples whose probability is below the threshold.
    pub unknown: f64,
    /// Classes that were shown or answered.
    pub classes: Vec<ClassScore>,
    /// `confusion[shown][answered]`, in the order of `classes`.
    pub confusion: Vec<Vec<u32>>,
    /// Bad samples that were left out, as the caller allowed.
    pub bad_files: Vec<BadFile>,
}

/// How often the answers of one class are right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// The class's name.
    pub name: String,
    /// How many samples show the class.
    pub samples: u32,
    /// Share of the answers with this class that was right; `null` without any.
    pub precision: Option<f64>,
    /// Share of the samples of this class that was answered right; `null` without any.
    pub recall: Option<f64>,
}

/// Accuracy of a pack that answers a class for each place, against masks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaceEvaluation {
    /// Mean intersection over union, over the classes that occur or are answered.
    pub mean_iou: Option<f64>,
    /// Share of pixels that are answered right.
    pub pixel_accuracy: Option<f64>,
    /// How many pictures there were.
    pub samples: usize,
    /// How many pixels have a class and an answer.
    pub pixels: u64,
    /// The head's classes, each with its own score.
    pub classes: Vec<PlaceScore>,
    /// Bad samples that were left out, as the caller allowed.
    pub bad_files: Vec<BadFile>,
}

/// How well the answers of one class fit masks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaceScore {
    /// The class's name.
    pub name: String,
    /// How many pixels are of the class.
    pub pixels: u64,
    /// Intersection over union of the class; `null` where it neither occurs nor is answered.
    pub iou: Option<f64>,
}

/// A picture and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Where the picture is from.
    pub path: &'a Path,
    /// The picture.
    pub picture: &'a Decoded,
    /// The class of each pixel of the picture, as it was answered.
    pub mask: &'a Mask,
}

impl Device {
    /// Measures the head in use on labelled samples.
    ///
    /// # Errors
    /// [`Error::Sample`] for samples that cannot be read, and classes that the head does not know; [`Error::Stopped`].
    pub fn evaluate(
        &self,
        samples: &Labelled<'_>,
        observer: &dyn Observer,
    ) -> Result<Evaluation, Error> {
        self.evaluate_showing(samples, observer, &|_| Ok(()))
    }

    /// Measures the head in use on labelled samples, and gives `show` each picture with its answer, where there is a class for each place;
    /// otherwise as [`evaluate`](Self::evaluate).
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and those of `show`.
    pub fn evaluate_showing(
        &self,
        samples: &Labelled<'_>,
        observer: &dyn Observer,
        show: &(dyn Fn(Shown<'_>) -> Result<(), Error> + Sync),
    ) -> Result<Evaluation, Error> {
        let head = self.head()?;
        self.check_samples(samples)?;
        if !samples.skipped.is_empty() {
            observer.on(Event::Skipped(&samples.skipped));
        }
        if let Some(declined) = self.declined() {
            declined.tell(observer);
        }
        if self.is_per_place() {
            self.places(&head, samples, observer, show).map(Evaluation::Places)
        } else {
            self.classes(&head, samples, observer).map(Evaluation::Classes)
        }
    }

    fn classes(
        &self,
        head: &Head,
        samples: &Labelled<'_>,
        observer: &dyn Observer,
    ) -> Result<ClassEvaluation, Error> {
        let labels = self.labels(samples)?;
        let known = known_classes(&samples.classes, head.labels())
            .map_err(|problem| Error::sample(&samples.origin, problem))?;
        let extraction = self.answering().extraction();
        let watched = Watched::begin(observer, Work::Answering, samples.len());
        let job = Job { extraction, views: 1, watched: &watched };
        let answer = |_: usize, file: &SampleFile, features: &[i8]| {
            head.answer(features).map_err(|problem| Error::pack(file.path(), problem))
        };
        let skip = samples.skips_bad;
        let found = job.sound(&samples.samples, skip, |_| true, &|_, _| Ok(()), answer)?;
        let pairs = labels.into_iter().zip(found.results);
        let pairs = pairs.filter_map(|(label, answer)| Some((known[label], answer?)));
        let (shown, answers): (Vec<usize>, Vec<Answer>) = pairs.unzip();
        let bad_files = BadFile::unless_all(samples, found.bad)?;
        Ok(ClassEvaluation { bad_files, ..ClassEvaluation::new(&shown, &answers, head.labels()) })
    }

    fn places(
        &self,
        head: &Head,
        samples: &Labelled<'_>,
        observer: &dyn Observer,
        show: &(dyn Fn(Shown<'_>) -> Result<(), Error> + Sync),
    ) -> Result<PlaceEvaluation, Error> {
        let pack: Pack<'_> = self.pack();
        let truths = self.truths(samples)?;
        let extraction = self.answering().extraction();
        let watched = Watched::begin(observer, Work::Answering, samples.len());
        let job = Job { extraction, views: 1, watched: &watched };
        let score = Mutex::new(Score::new(head.labels().len()));
        let check = |at: usize, file: &SampleFile| {
            truth(&pack, file, truths[at], &decoded(&pack, file)?).map(drop)
        };
        let found = job.sound(
            &samples.samples,
            samples.skips_bad,
            |_| true,
            &check,
            |at, file, features| {
                let picture = decoded(&pack, file)?;
                let truth = truth(&pack, file, truths[at], &picture)?;
                let size = picture.size(&InputShape::from(pack.input()));
                let mask = mask(&pack, head, features, size)
                    .map_err(|problem| Error::pack(file.path(), problem))?;
                score.lock().unwrap_or_else(|e| e.into_inner()).add(&truth, &mask);
                show(Shown { path: file.path(), picture: &picture, mask: &mask })
            },
        )?;
        let scored: Vec<()> = found.results.into_iter().flatten().collect();
        let bad_files = BadFile::unless_all(samples, found.bad)?;
        let score = score.into_inner().unwrap_or_else(|e| e.into_inner());
        let of_class = |(class, name): (usize, &String)| PlaceScore {
            name: name.clone(),
            pixels: score.of_class(class),
            iou: score.iou(class),
        };
        Ok(PlaceEvaluation {
            mean_iou: score.mean_iou(),
            pixel_accuracy: score.accuracy(),
            samples: scored.len(),
            pixels: score.total(),
            classes: head.labels().iter().enumerate().map(of_class).collect(),
            bad_files,
        })
    }
}

impl ClassScore {
    /// Those of a matrix, `confusion[shown][answered]`.
    pub(super) fn of(names: &[impl AsRef<str>], confusion: &[Vec<u32>]) -> Vec<Self> {
        let share = |part: u32, whole: u32| (whole > 0).then(|| f64::from(part) / f64::from(whole));
        let score = |(at, name): (usize, &_)| {
            let samples = confusion[at].iter().sum();
            let answered = confusion.iter().map(|row| row[at]).sum();
            let right = confusion[at][at];
            let (precision, recall) = (share(right, answered), share(right, samples));
            Self { name: AsRef::<str>::as_ref(name).to_owned(), samples, precision, recall }
        };
        names.iter().enumerate().map(score).collect()
    }
}

impl ClassEvaluation {
    fn new(shown: &[usize], answers: &[Answer], labels: &[String]) -> Self {
        let mut used = vec![false; labels.len()];
        for class in shown.iter().copied().chain(answers.iter().map(|a| a.class)) {
            used[class] = true;
        }
        let mut place = vec![0; labels.len()];
        let names: Vec<&String> =
            labels.iter().zip(&used).filter(|(_, u)| **u).map(|(l, _)| l).collect();
        for (at, (class, _)) in used.iter().enumerate().filter(|(_, used)| **used).enumerate() {
            place[class] = at;
        }
        let mut confusion = vec![vec![0_u32; names.len()]; names.len()];
        for (class, answer) in shown.iter().zip(answers) {
            confusion[place[*class]][place[answer.class]] += 1;
        }
        let classes = ClassScore::of(&names, &confusion);
        let of_all = |count: usize| count as f64 / shown.len() as f64;
        let right = shown.iter().zip(answers).filter(|(class, a)| **class == a.class).count();
        Self {
            accuracy: of_all(right),
            samples: shown.len(),
            unknown: of_all(answers.iter().filter(|a| a.unknown).count()),
            classes,
            confusion,
            bad_files: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(class: usize, unknown: bool) -> Answer {
        Answer { class, probability: 0.5, unknown }
    }

    #[test]
    fn counts_precision_and_recall_are_those_of_the_matrix() {
        let labels = ["a", "unused", "b", "c"].map(str::to_owned);
        let answers = [answer(0, false), answer(2, false), answer(2, true), answer(3, true)];
        let result = ClassEvaluation::new(&[0, 0, 2, 2], &answers, &labels);
        assert_eq!((result.accuracy, result.samples, result.unknown), (0.5, 4, 0.5));
        assert_eq!(result.confusion, [[1, 1, 0], [0, 1, 1], [0, 0, 0]]);
        let shares: Vec<_> = result
            .classes
            .iter()
            .map(|c| (c.name.as_str(), c.samples, c.precision, c.recall))
            .collect();
        assert_eq!(
            shares,
            [
                ("a", 2, Some(1.0), Some(0.5)),
                ("b", 2, Some(0.5), Some(0.5)),
                ("c", 0, Some(0.0), None)
            ]
        );
    }
}
