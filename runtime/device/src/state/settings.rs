//! How a state's heads are learned: what was asked for once, and holds until something else is asked for.

use headstart::head::Learner;

use super::{StateFolder, StateProblem};
use crate::Head;
use crate::state::reader::Reader;

/// Learners that can be asked for, by their number in a file; 0 stands for none of them.
const LEARNERS: [Learner; 4] = [Learner::Sgd, Learner::Ridge, Learner::Imprint, Learner::Lda];
/// What stands for no limit to false accepts: all may be answered.
const NO_LIMIT: f32 = 1.0;

/// Bytes of settings in a file.
pub(super) const SETTINGS_BYTES: usize = 8;

/// Settings of learning that shape a head, beside its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// The learner that was named; `None` for the default.
    pub learner: Option<Learner>,
    /// At most this part of what was never taught is answered, 0 to below 1; without, the learner's own threshold stands.
    pub false_accepts: Option<f32>,
    /// Whether weights are kept as float16, without prototypes.
    pub half: bool,
}

impl Settings {
    /// The settings that a head itself tells. Commits store settings only where they differ from these.
    #[must_use]
    pub fn said_by(head: &Head) -> Self {
        // How a tail is trained, and kept, is said anew each time.
        if head.has_tail() {
            return Self::default();
        }
        let learner = Some(head.learner()).filter(|learner| LEARNERS.contains(learner));
        Self { learner, false_accepts: None, half: head.is_half() }
    }

    /// The learner's name.
    #[must_use]
    pub fn learner_name(&self) -> &'static str {
        self.learner.map_or("auto", Learner::name)
    }

    /// Eight bytes: the learner's number, 1 for half, two of zero, and the limit as float32, little-endian; 1 for none.
    pub(super) fn emit(&self) -> [u8; SETTINGS_BYTES] {
        let at = self.learner.and_then(|learner| LEARNERS.iter().position(|l| *l == learner));
        let learner = at.map_or(0, |at| at as u8 + 1);
        let [a, b, c, d] = self.false_accepts.unwrap_or(NO_LIMIT).to_le_bytes();
        [learner, self.half.into(), 0, 0, a, b, c, d]
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, StateProblem> {
        let [learner, half, 0, 0] = reader.array()? else {
            return Err(reader.broken("a reserved byte is not zero"));
        };
        let limit = f32::from_le_bytes(reader.array()?);
        let named = usize::from(learner).checked_sub(1).map(|at| LEARNERS.get(at).copied());
        let (Some(learner), 0..=1, true) =
            (named.unwrap_or(Some(Learner::Other)), half, (0.0..=NO_LIMIT).contains(&limit))
        else {
            return Err(reader.broken("a setting is out of its range"));
        };
        Ok(Self {
            learner: Some(learner).filter(|learner| *learner != Learner::Other),
            false_accepts: Some(limit).filter(|limit| *limit < NO_LIMIT),
            half: half == 1,
        })
    }
}

impl StateFolder {
    /// Reads how the head of this state was learned: what its commit says, or where that cannot be read the head itself.
    #[must_use]
    pub fn settings(&self, head: &Head) -> Settings {
        let said = || {
            let bytes = self.head().ok().flatten()?;
            let numbers = self.numbers().ok()?;
            let commits = numbers.into_iter().rev();
            let mut read = commits.filter_map(|number| self.commit(number).ok().flatten());
            read.find(|(_, commit)| commit.head == bytes)?.1.settings
        };
        said().unwrap_or_else(|| Settings::said_by(head))
    }
}

/// Origin of a commit: its note, and the settings of its head.
#[derive(Clone, Copy, Debug, Default)]
pub struct Made<'a> {
    /// The note, for people.
    pub note: &'a str,
    /// Settings by which the head was learned, where the head does not tell them itself.
    pub settings: Option<Settings>,
}

impl<'a> Made<'a> {
    /// A note with settings, which are left out where the head tells the same.
    #[must_use]
    pub fn by(note: &'a str, settings: Settings, head: &Head) -> Self {
        let settings = Some(settings).filter(|settings| *settings != Settings::said_by(head));
        Self { note, settings }
    }
}

impl<'a> From<&'a str> for Made<'a> {
    fn from(note: &'a str) -> Self {
        Self { note, settings: None }
    }
}

impl<'a> From<&'a String> for Made<'a> {
    fn from(note: &'a String) -> Self {
        note.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_back_and_anything_else_is_refused() {
        for learner in [None, Some(Learner::Sgd), Some(Learner::Lda)] {
            for false_accepts in [None, Some(0.0), Some(0.05)] {
                for half in [false, true] {
                    let settings = Settings { learner, false_accepts, half };
                    let bytes = settings.emit();
                    let read = Settings::read(&mut Reader { bytes: &bytes, at: 0 }).unwrap();
                    assert_eq!(read, settings);
                }
            }
        }
        let bytes = Settings::default().emit();
        for (at, forged) in [(0, 5), (1, 2), (2, 1), (3, 1), (7, 0x40), (7, 0xbf), (7, 0xff)] {
            let mut bytes = bytes;
            bytes[at] = forged;
            assert!(Settings::read(&mut Reader { bytes: &bytes, at: 0 }).is_err(), "{at} {forged}");
        }
    }
}
