//! How a state's heads are learned: what was asked for once, and holds until something else is asked for.

use headstart::head::Learner;

use super::tail_settings::MAX_TEXT;
use super::{StateFolder, StateProblem, TailSettings};
use crate::Head;
use crate::state::reader::Reader;

/// Learners that can be asked for, by their number in a file; 0 stands for none of them.
const LEARNERS: [Learner; 4] = [Learner::Sgd, Learner::Ridge, Learner::Imprint, Learner::Lda];
/// What stands for no limit to false accepts: all may be answered.
const NO_LIMIT: f32 = 1.0;

/// The most bytes of settings in a file.
pub(super) const MAX_SETTINGS_BYTES: usize = 20 + MAX_TEXT;
/// The most crops that can be asked for.
const MAX_ASKED_VIEWS: u8 = 5;

/// Settings of learning that shape a head, beside its samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The learner that was named; `None` for the default.
    pub learner: Option<Learner>,
    /// At most this part of what was never taught is answered, 0 to below 1; without, the learner's own threshold stands.
    pub false_accepts: Option<f32>,
    /// Whether weights are kept as float16, without prototypes.
    pub half: bool,
    /// How often each new picture is shown to the backbone, 1 to 5; `None` for as often as suits.
    pub views: Option<u8>,
    /// The most bytes of features that are kept.
    pub max_bytes: Option<u64>,
    /// Settings of training a pack's tail.
    pub tail: TailSettings,
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
        Self { learner, half: head.is_half(), ..Self::default() }
    }

    /// The learner's name.
    #[must_use]
    pub fn learner_name(&self) -> &'static str {
        self.learner.map_or("auto", Learner::name)
    }

    /// Eight bytes: the learner's number, 1 for half, how often pictures are shown or 0, 1 where more follows, and the limit as
    /// float32; 1 for none. Then, where more follows, eight bytes with the most bytes of features, 0 for any number, four with a
    /// length, and as much text of how tails are trained. Numbers are little-endian.
    pub(super) fn emit(&self) -> Vec<u8> {
        let at = self.learner.and_then(|learner| LEARNERS.iter().position(|l| *l == learner));
        let learner = at.map_or(0, |at| at as u8 + 1);
        let [a, b, c, d] = self.false_accepts.unwrap_or(NO_LIMIT).to_le_bytes();
        let tail = self.tail.emit();
        let more = self.max_bytes.is_some() || !tail.is_empty();
        let views = self.views.unwrap_or(0);
        let mut bytes = vec![learner, self.half.into(), views, more.into(), a, b, c, d];
        if more {
            bytes.extend(self.max_bytes.unwrap_or(0).to_le_bytes());
            bytes.extend((tail.len() as u32).to_le_bytes());
            bytes.extend(tail.as_bytes());
        }
        bytes
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, StateProblem> {
        let [learner, half, views, more] = reader.array()?;
        let limit = f32::from_le_bytes(reader.array()?);
        let named = usize::from(learner).checked_sub(1).map(|at| LEARNERS.get(at).copied());
        let (Some(learner), 0..=1, true, 0..=MAX_ASKED_VIEWS, 0..=1) = (
            named.unwrap_or(Some(Learner::Other)),
            half,
            (0.0..=NO_LIMIT).contains(&limit),
            views,
            more,
        ) else {
            return Err(reader.broken("a setting is out of its range"));
        };
        let (mut max_bytes, mut tail) = (None, TailSettings::default());
        if more == 1 {
            max_bytes = Some(u64::from_le_bytes(reader.array()?)).filter(|&bytes| bytes > 0);
            let length = reader.count(MAX_TEXT)?;
            let text = std::str::from_utf8(reader.take(length)?).ok();
            let found = text.and_then(TailSettings::parse);
            tail = found.ok_or_else(|| reader.broken("settings of a tail are not as written"))?;
            if max_bytes.is_none() && tail == TailSettings::default() {
                return Err(reader.broken("no setting follows where one should"));
            }
        }
        Ok(Self {
            views: Some(views).filter(|&views| views > 0),
            max_bytes,
            tail,
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
#[derive(Clone, Debug, Default)]
pub struct Made<'a> {
    /// The note, for people.
    pub note: &'a str,
    /// Settings by which the head was learned, where the head does not tell them itself.
    pub settings: Option<Settings>,
}

impl<'a> Made<'a> {
    /// A note with settings, which are left out where the head tells the same.
    #[must_use]
    pub fn by(note: &'a str, settings: &Settings, head: &Head) -> Self {
        let settings =
            Some(settings.clone()).filter(|settings| *settings != Settings::said_by(head));
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
                    let plain = Settings { learner, false_accepts, half, ..Default::default() };
                    let tail = TailSettings { rate: Some(0.05), ..Default::default() };
                    let all = [
                        Settings { views: Some(5), ..plain.clone() },
                        Settings { max_bytes: Some(1 << 40), ..plain.clone() },
                        Settings { tail, ..plain.clone() },
                        plain,
                    ];
                    for settings in all {
                        let bytes = settings.emit();
                        let mut reader = Reader { bytes: &bytes, at: 0 };
                        assert_eq!(Settings::read(&mut reader).unwrap(), settings);
                        assert_eq!(reader.at, bytes.len());
                        let is_plain =
                            settings.max_bytes.is_none() && settings.tail.given().is_none();
                        assert_eq!(bytes.len() == 8, is_plain);
                        let mut short = Reader { bytes: &bytes[..bytes.len() - 1], at: 0 };
                        assert!(Settings::read(&mut short).is_err());
                    }
                }
            }
        }
        let bytes = Settings::default().emit();
        for (at, forged) in
            [(0, 5), (1, 2), (2, 6), (3, 1), (3, 2), (7, 0x40), (7, 0xbf), (7, 0xff)]
        {
            // What may follow is that nothing follows.
            let mut bytes = [&bytes[..], &[0; 12]].concat();
            bytes[at] = forged;
            assert!(Settings::read(&mut Reader { bytes: &bytes, at: 0 }).is_err(), "{at} {forged}");
        }
    }
}
