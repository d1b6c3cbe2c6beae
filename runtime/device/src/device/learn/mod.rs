//! Learning: samples → features, computed once → head → harm → the state folder.

mod before;
mod given;
mod harm;
mod head;
mod lesson;
mod named;
mod options;
mod outcome;
mod places;
mod reports;
mod tail;

pub use self::given::{GivenAs, Near};
use self::lesson::Lesson;
pub use self::options::{LearnOptions, Learning, Weight};
pub use self::outcome::{
    Aside, Known, Learned, LearnedHead, LearnedPlaces, Outcome, Outweighed, Unknown,
};
pub use self::reports::Reported;
use super::handle::Device;
use super::labelled::Labelled;
use crate::Error;
use crate::observer::{Event, Observer};
use crate::os::Instant;
use crate::state::Settings;

impl Device {
    /// Learns labelled samples on top of what was learned before: their features are computed once, the head is trained
    /// on all samples, what that does to the known ones is measured, and then it is committed, or rejected.
    ///
    /// A sample that is there already costs nothing, and under another class it is a correction. Answers go on with the head before
    /// while this runs; the new one is durable, and answers, when this returns [`Outcome::Committed`].
    ///
    /// # Errors
    /// [`Error::Sample`] for samples that cannot be read, [`Error::Request`] for options that do not fit the pack,
    /// [`Error::State`] for a state that cannot take them, [`Error::Training`], [`Error::Machine`], [`Error::Stopped`]. The
    /// state is then as it was before.
    pub fn learn(
        &self,
        samples: &Labelled<'_>,
        options: &LearnOptions<'_>,
        observer: &dyn Observer,
    ) -> Result<Outcome, Error> {
        let _changing = self.changing();
        let start = Instant::now();
        options.check(self)?;
        self.check_samples(samples)?;
        for compared in &options.reports {
            self.check_samples(compared)?;
        }
        if !samples.skipped.is_empty() {
            observer.on(Event::Skipped(&samples.skipped));
        }
        let settings = &Settings::default();
        let lesson = Lesson { device: self, samples, options, observer, start, settings };
        let learned = if self.is_per_place() {
            Learned::Places(lesson.learn_places()?)
        } else {
            Learned::Head(lesson.learn_head()?)
        };
        Ok(Outcome::of(learned, |learned| learned.rejected().is_some()))
    }

    /// Refuses options that do not fit the pack, or this program, as [`learn`](Self::learn) does.
    ///
    /// # Errors
    /// [`Error::Request`].
    pub fn check(&self, options: &LearnOptions<'_>) -> Result<(), Error> {
        options.check(self)
    }
}
