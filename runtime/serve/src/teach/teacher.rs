//! Learns what waits: by itself when no picture came for a while, or when it is asked to.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::time::{Duration, Instant, SystemTime};

use headstart_device::state::StateProblem;
use headstart_device::{Device, Error, Labelled, LearnOptions, Outcome, Sample};
use serde::Serialize;

use super::progress::Progress;
use super::waiting::{Held, Listing, Picture, Refused, Waiting};
use crate::events::Events;
use crate::options::Limits;
use crate::refusal::Refusal;

/// Pictures are learned so long after the last one came.
const QUIET: Duration = Duration::from_millis(300);
/// It is tried again so long after another program was found to change the state.
const AGAIN: Duration = Duration::from_secs(1);
/// Where errors say that pictures are from.
const PLACE: &str = "pictures";
/// So many may ask for a learn at once.
const MOST_JOBS: usize = 4;

/// Learns what waits, in a thread of its own.
#[derive(Debug)]
pub(crate) struct Teacher {
    desk: Mutex<Desk>,
    bell: Condvar,
    limits: Limits,
    keep_samples: bool,
    /// Changes of the state by this server come one after another.
    pub(crate) changing: Mutex<()>,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Desk {
    waiting: Waiting,
    /// When what waits is learned by itself.
    due: Option<Instant>,
    jobs: VecDeque<Job>,
    learning: bool,
    ending: bool,
    last: Option<Arc<Learned>>,
    learns: u64,
}

/// A learn that was asked for.
#[derive(Debug)]
struct Job {
    options: LearnOptions<'static>,
    done: mpsc::Sender<(u16, Arc<Learned>)>,
}

/// What a learn did.
#[derive(Debug, Serialize)]
pub(crate) struct Learned {
    outcome: &'static str,
    report: Option<headstart_device::Learned>,
    error: Option<String>,
    /// Seconds since 1970.
    at: u64,
    /// How many learns of this server there were.
    number: u64,
}

#[derive(Serialize)]
struct Count {
    pictures: usize,
    held: Option<Held>,
}

impl Teacher {
    pub(crate) fn new(limits: Limits, keep_samples: bool) -> Self {
        Self {
            desk: Mutex::default(),
            bell: Condvar::new(),
            limits,
            keep_samples,
            changing: Mutex::new(()),
            stopped: AtomicBool::new(false),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Adds pictures, each with its class and its file's name; those for which there is no room are refused. `by_itself` says whether they
    /// are learned when no more come, `first` whether nothing was learned yet.
    pub(crate) fn add<'p>(
        &self,
        pictures: impl IntoIterator<Item = (&'p str, &'p str, &'p [u8])>,
        by_itself: bool,
        first: bool,
        events: &Events,
    ) -> (usize, Vec<Refused>) {
        let mut desk = self.desk();
        let (mut taken, mut refused) = (0, Vec::new());
        for (class, file, content) in pictures {
            match desk.waiting.add(&self.limits, class, file, content) {
                Ok(()) => taken += 1,
                Err(error) => {
                    refused.push(Refused { file: file.to_owned(), class: class.to_owned(), error })
                }
            }
        }
        if taken > 0 {
            desk.waiting.held = if by_itself { None } else { Some(Held::Asked) };
            self.settle(&mut desk, first, events);
        }
        (taken, refused)
    }

    /// Drops pictures that wait, and says how many.
    pub(crate) fn discard(
        &self,
        which: impl Fn(&Picture) -> bool,
        first: bool,
        events: &Events,
    ) -> usize {
        let mut desk = self.desk();
        let dropped = desk.waiting.drop_those(which);
        if dropped > 0 {
            // What was rejected as a whole may be taken without some.
            if matches!(desk.waiting.held, Some(Held::Rejected | Held::Failed)) {
                desk.waiting.held = None;
            }
            self.settle(&mut desk, first, events);
        }
        dropped
    }

    /// Decides whether what waits is learned by itself, and tells.
    fn settle(&self, desk: &mut Desk, first: bool, events: &Events) {
        let held = desk.waiting.held;
        if matches!(held, None | Some(Held::OneClass)) {
            let lone = first && desk.waiting.is_of_one_class();
            desk.waiting.held = lone.then_some(Held::OneClass);
        }
        let by_itself = desk.waiting.held.is_none() && !desk.waiting.pictures().is_empty();
        desk.due = by_itself.then(|| Instant::now() + QUIET);
        self.tell(desk, events);
        self.bell.notify_all();
    }

    fn tell(&self, desk: &Desk, events: &Events) {
        let listing = desk.waiting.listing();
        events.tell("waiting", &Count { pictures: listing.pictures, held: listing.held });
    }

    pub(crate) fn listing(&self) -> Listing {
        self.desk().waiting.listing()
    }

    pub(crate) fn picture(&self, number: u64) -> Option<Picture> {
        let desk = self.desk();
        desk.waiting.pictures().iter().find(|picture| picture.number == number).cloned()
    }

    pub(crate) fn last(&self) -> Option<Arc<Learned>> {
        self.desk().last.clone()
    }

    pub(crate) fn is_learning(&self) -> bool {
        self.desk().learning
    }

    /// Asks for a learn of what waits.
    pub(crate) fn ask(
        &self,
        options: LearnOptions<'static>,
    ) -> Result<mpsc::Receiver<(u16, Arc<Learned>)>, Refusal> {
        let mut desk = self.desk();
        if desk.jobs.len() >= MOST_JOBS {
            return Err(Refusal::busy("several learns are asked for already: wait for them"));
        }
        let (done, answer) = mpsc::channel();
        desk.jobs.push_back(Job { options, done });
        self.bell.notify_all();
        Ok(answer)
    }

    /// Stops the learn that runs, and says whether one did.
    pub(crate) fn stop(&self) -> bool {
        let desk = self.desk();
        if desk.learning {
            self.stopped.store(true, Ordering::Relaxed);
        }
        desk.learning
    }

    /// Ends the thread, after the learn that runs, which is stopped. Gives the number of pictures that nobody learned.
    pub(crate) fn end(&self) -> usize {
        let mut desk = self.desk();
        desk.ending = true;
        self.stopped.store(true, Ordering::Relaxed);
        self.bell.notify_all();
        desk.waiting.pictures().len()
    }

    /// Learns, until it is ended.
    pub(crate) fn run(&self, device: &Device, events: &Events) {
        while let Some((job, pictures)) = self.next() {
            let (options, done) = match job {
                Some(Job { options, done }) => (options, Some(done)),
                None => (LearnOptions::default(), None),
            };
            let options = LearnOptions { keep_samples: self.keep_samples, ..options };
            let outcome = self.learn(device, events, &pictures, &options);
            let told = self.record(outcome, &pictures, done.is_some(), device, events);
            if let (Some(done), Some(told)) = (done, told) {
                // Whoever asked may be gone.
                let _ = done.send(told);
            }
        }
    }

    /// Waits for something to learn; `None` when it is to end.
    fn next(&self) -> Option<(Option<Job>, Vec<Picture>)> {
        let mut desk = self.desk();
        loop {
            if desk.ending {
                // Whoever asked is told that nothing comes.
                desk.jobs.clear();
                return None;
            }
            let now = Instant::now();
            let job = desk.jobs.pop_front();
            if job.is_some() || desk.due.is_some_and(|due| due <= now) {
                desk.due = None;
                desk.learning = true;
                self.stopped.store(false, Ordering::Relaxed);
                return Some((job, desk.waiting.pictures().to_vec()));
            }
            desk = match desk.due {
                Some(due) => {
                    let waited = self.bell.wait_timeout(desk, due - now);
                    waited.unwrap_or_else(|e| e.into_inner()).0
                }
                None => self.bell.wait(desk).unwrap_or_else(|e| e.into_inner()),
            };
        }
    }

    fn learn(
        &self,
        device: &Device,
        events: &Events,
        pictures: &[Picture],
        options: &LearnOptions<'_>,
    ) -> Result<Outcome, Error> {
        let place = Path::new(PLACE);
        let paths: Vec<_> = pictures.iter().map(|picture| place.join(&picture.file)).collect();
        // A picture that turns out to be bad is no reason to lose the others.
        let mut samples = Labelled::from_place(place).skipping_bad(true);
        for (picture, path) in pictures.iter().zip(&paths) {
            samples.add(Sample::encoded(path, &picture.content[..]), &picture.class);
        }
        let _changing = self.changing.lock().unwrap_or_else(|e| e.into_inner());
        device.learn(&samples, options, &Progress::new(events, &self.stopped))
    }

    /// Keeps what became of it, and says it to all; nothing where it is tried again by itself.
    fn record(
        &self,
        outcome: Result<Outcome, Error>,
        pictures: &[Picture],
        asked: bool,
        device: &Device,
        events: &Events,
    ) -> Option<(u16, Arc<Learned>)> {
        let mut desk = self.desk();
        desk.learning = false;
        let busy = matches!(&outcome, Err(Error::State { problem: StateProblem::Busy, .. }));
        if busy && !asked {
            desk.due = Some(Instant::now() + AGAIN);
            return None;
        }
        let (status, name, report, error) = match outcome {
            Ok(Outcome::Committed(report)) => (200, "committed", Some(report), None),
            Ok(Outcome::Rejected(report)) => (409, "rejected", Some(report), None),
            Err(error) => {
                let refusal = Refusal::from(&error);
                (refusal.status, "failed", None, Some(refusal.error))
            }
        };
        let newer =
            |picture: &Picture| pictures.iter().all(|learned| learned.number != picture.number);
        let came = desk.waiting.pictures().iter().any(newer);
        match name {
            "committed" => {
                desk.waiting.drop_those(|picture| !newer(picture));
                desk.waiting.held = None;
            }
            // What came meanwhile is tried together with them.
            _ if came => desk.waiting.held = None,
            "rejected" => desk.waiting.held = Some(Held::Rejected),
            _ => desk.waiting.held = Some(Held::Failed),
        }
        desk.learns += 1;
        let at = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        let learned = Arc::new(Learned { outcome: name, report, error, at, number: desk.learns });
        desk.last = Some(learned.clone());
        let first = device.head().is_err();
        self.settle(&mut desk, first, events);
        drop(desk);
        events.look();
        events.tell("learned", &*learned);
        Some((status, learned))
    }
}
