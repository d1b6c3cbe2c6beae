//! Returns to an earlier commit, as a new one.

use serde::Serialize;

use super::change::Change;
use super::changed::{ChangedSetting, Shape};
use super::foreign::{Foreign, has_copies};
use super::handle::Device;
use super::history::DamagedCommit;
use crate::observer::Observer;
use crate::samples::{SampleId, hex};
use crate::state::{Commit, FeatureCache, Made, Settings, StateFolder, StateProblem};
use crate::{Error, Head};

/// Outcome of [`Device::rollback`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// The commit whose head answers now.
    pub to: u32,
    /// How many samples that head was learned from.
    pub samples: usize,
    /// How many samples that head does not have; they are no longer kept.
    pub dropped_samples: usize,
    /// Numbers of commits that were passed over because their samples are no longer kept, falling.
    pub passed_over: Vec<u32>,
    /// Commits that were stepped over because their files are damaged, falling.
    pub damaged: Vec<DamagedCommit>,
    /// Settings of the state that this changed: those of the commit hold again.
    pub changed_settings: Vec<ChangedSetting>,
}

type Numbered = ([u8; 32], Commit);

/// How the note of a commit begins that a rollback made; the number that it returned to follows.
const NOTE: &str = "rollback to ";

impl Device {
    /// Returns to an earlier commit: the one of this number, or the one before the current. A rollback is itself a commit: behind one,
    /// that is the commit before the one that it returned to, so that each goes back one lesson more. Commits whose samples are no longer
    /// kept are passed over. Samples that the commit does not have are no longer kept. Behind an adoption, a device that was opened with the
    /// old pack returns to the last commit of its backbone, and computes that one's features again, from the kept samples.
    ///
    /// # Errors
    /// [`StateProblem::NoCommit`], [`StateProblem::NoEarlierCommit`], [`StateProblem::SamplesGone`], [`StateProblem::Commit`] for a
    /// damaged commit that was asked for by its number, or where there is no sound one before the current (else those are stepped over),
    /// [`StateProblem::CommitOfOther`], [`StateProblem::CopiesGone`]; [`Error::Stopped`] while features are computed.
    pub fn rollback(&self, to: Option<u32>, observer: &dyn Observer) -> Result<RolledBack, Error> {
        match self.state_head() {
            Err(other @ Error::State { problem: StateProblem::OtherPack { .. }, .. }) => {
                self.across(to, other, observer)
            }
            // What else there is to say is said there.
            _ => self.within(to),
        }
    }

    /// To a commit of the current head's backbone, whose features are cached.
    fn within(&self, to: Option<u32>) -> Result<RolledBack, Error> {
        let backbone = self.pack().backbone_digest();
        let change = Change::begin(self)?;
        let folder = self.folder()?;
        let refuse = |problem| Error::state(folder.path(), problem);
        let Before { found, passed_over, damaged } = match to {
            Some(number) => Before { found: folder.commit(number)?, ..Before::default() },
            None => before_current(folder, |(digest, commit)| {
                // Of another backbone: it is named, for its own pack returns to it.
                *digest != backbone || commit.is_of(&change.cache)
            })?,
        };
        let missing = to.map_or(StateProblem::NoEarlierCommit, StateProblem::NoCommit);
        let (digest, found) = found.ok_or_else(|| refuse(missing))?;
        let found = &found;
        if digest != backbone {
            return Err(refuse(of_other(&digest, found)));
        }
        let gone = || refuse(StateProblem::SamplesGone(found.number));
        let cache = found.cache(&change.cache).ok_or_else(gone)?;
        let head = Head::parse_for(folder.path(), &found.head, &self.pack())?;
        let before = folder.settings(&change.of_state);
        let before = Shape::of(&before, cache.bits(), &change.of_state);
        let changed_settings = shape(found, &cache, &head).changes(&before);
        let note = note(found);
        let made = Made { note: &note, settings: found.settings.clone() };
        change.lock.commit(&cache, &backbone, &found.head, made)?;
        let dropped_samples = change.cache.len() - cache.len();
        let (to, samples) = (found.number, cache.len());
        Ok(RolledBack { to, samples, dropped_samples, passed_over, damaged, changed_settings })
    }

    /// To a commit of another backbone than the current head's, whose features are computed again.
    fn across(
        &self,
        to: Option<u32>,
        other: Error,
        observer: &dyn Observer,
    ) -> Result<RolledBack, Error> {
        let _changing = self.changing();
        let backbone = self.pack().backbone_digest();
        let state = Foreign::begin(self)?;
        let folder = self.folder()?;
        let mut passed_over = Vec::new();
        let found = match to {
            Some(number) => folder
                .commit(number)?
                .ok_or_else(|| state.refuse(StateProblem::NoCommit(number)))?,
            None => {
                let is_its = |(digest, _): &Numbered| *digest == backbone;
                let whole = folder.newest_commit(|found| {
                    let is_whole = has_copies(&found.1, &state.kept);
                    passed_over.extend((is_its(found) && !is_whole).then_some(found.1.number));
                    is_its(found) && is_whole
                })?;
                match whole {
                    Some(found) => found,
                    // The pack is a new one, or no commit of it has copies of all its samples.
                    None => folder.newest_commit(is_its)?.ok_or(other)?,
                }
            }
        };
        let (digest, found) = &found;
        if *digest != backbone {
            return Err(state.refuse(of_other(digest, found)));
        }
        let ids: Vec<SampleId> = found.samples.iter().map(|(id, _)| *id).collect();
        let gone = || state.refuse(StateProblem::CopiesGone(found.number));
        if !has_copies(found, &state.kept) {
            return Err(gone());
        }
        let cache = state.features(self, &ids, observer)?;
        let cache = found.cache(&cache).ok_or_else(gone)?;
        let head = Head::parse(self.folder()?.path(), &found.head, &backbone)?;
        let before = Shape::of(&state.settings(), cache.bits(), &state.head);
        let changed_settings = shape(found, &cache, &head).changes(&before);
        let note = note(found);
        let made = Made { note: &note, settings: found.settings.clone() };
        state.lock.adopt(&cache, &backbone, &found.head, made)?;
        // Behind the commit, as adopt does it.
        self.raise_counter(&state.lock)?;
        let dropped_samples = state.cache.len() - cache.len();
        let damaged =
            if to.is_none() { damaged(folder, Some(found.number), None)? } else { Vec::new() };
        let damaged = damaged.into_iter().map(named).collect();
        let (to, samples) = (found.number, cache.len());
        Ok(RolledBack { to, samples, dropped_samples, passed_over, damaged, changed_settings })
    }
}

/// What there is before the current commit.
#[derive(Default)]
struct Before {
    found: Option<Numbered>,
    passed_over: Vec<u32>,
    damaged: Vec<DamagedCommit>,
}

/// The newest commit before the current one that is sound, holds something else and `can` be returned to, and those that
/// cannot; the newest of all where the current one's file is damaged. Where none can be, the newest of those: its error says why.
///
/// # Errors
/// That of the newest damaged one, where none is sound.
fn before_current(folder: &StateFolder, can: impl Fn(&Numbered) -> bool) -> Result<Before, Error> {
    let head = folder.head()?;
    let is_current = |(_, commit): &Numbered| Some(&commit.head) == head.as_ref();
    let current = folder.newest_commit(is_current)?.map(|(_, commit)| commit);
    let end = current.as_ref().map(|current| first_made(folder, current)).transpose()?;
    let is_before = |(_, found): &Numbered| {
        end.is_none_or(|end| found.number < end)
            && !current.as_ref().is_some_and(|current| current.holds_the_same(found))
    };
    let mut passed_over = Vec::new();
    let found = folder.newest_commit(|found| {
        let is_wanted = is_before(found) && can(found);
        passed_over.extend((is_before(found) && !is_wanted).then_some(found.1.number));
        is_wanted
    })?;
    let (found, passed_over) = match found {
        Some(found) => (Some(found), passed_over),
        None => (folder.newest_commit(is_before)?, Vec::new()),
    };
    let to = found.as_ref().map(|(_, found)| found.number);
    let mut damaged = damaged(folder, to, end)?;
    if found.is_none() && !damaged.is_empty() {
        return Err(damaged.swap_remove(0).1);
    }
    Ok(Before { found, passed_over, damaged: damaged.into_iter().map(named).collect() })
}

/// Commits between these two numbers whose files are damaged, the newest first.
fn damaged(
    folder: &StateFolder,
    behind: Option<u32>,
    before: Option<u32>,
) -> Result<Vec<(u32, Error)>, Error> {
    let is_between = |number: u32| {
        behind.is_none_or(|behind| number > behind) && before.is_none_or(|before| number < before)
    };
    let found = folder.commits()?.rev().filter(|(number, _)| is_between(*number));
    Ok(found.filter_map(|(number, found)| Some((number, found.err()?))).collect())
}

fn named((number, error): (u32, Error)) -> DamagedCommit {
    DamagedCommit { number, problem: error.to_string() }
}

/// The number under which what a commit holds was learned. A rollback only repeats an earlier commit: what it undid lies between the two,
/// and going there would be no step back.
fn first_made(folder: &StateFolder, commit: &Commit) -> Result<u32, Error> {
    let mut number = commit.number;
    let mut note = commit.note.clone();
    while let Some(to) = returned_to(&note).filter(|to| *to < number) {
        number = to;
        let found = folder.newest_commit(|(_, found)| found.number == to)?;
        // One that is no longer kept, or damaged, tells no more than its number.
        note = found.map(|(_, found)| found.note).unwrap_or_default();
    }
    Ok(number)
}

fn returned_to(note: &str) -> Option<u32> {
    note.strip_prefix(NOTE)?.parse().ok()
}

fn of_other(digest: &[u8; 32], commit: &Commit) -> StateProblem {
    StateProblem::CommitOfOther { number: commit.number, backbone: hex(&digest[..8]) }
}

/// What shapes the head of a commit.
fn shape(commit: &Commit, cache: &FeatureCache, head: &Head) -> Shape {
    let settings = commit.settings.clone().unwrap_or_else(|| Settings::said_by(head));
    Shape::of(&settings, cache.bits(), head)
}

fn note(commit: &Commit) -> String {
    format!("{NOTE}{}", commit.number)
}
