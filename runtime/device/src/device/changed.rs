//! Which settings a command has changed.

use serde::Serialize;

use crate::Head;
use crate::state::{Bits, Settings};

/// A setting of learning that changed with an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedSetting {
    /// The setting's name.
    pub setting: &'static str,
    /// The value before.
    pub before: String,
    /// The value now.
    pub now: String,
}

/// All that shapes a head beside its samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    settings: Settings,
    bits: Bits,
    hidden: Option<usize>,
}

impl Shape {
    pub(super) fn of(settings: Settings, bits: Bits, head: &Head) -> Self {
        Self { settings, bits, hidden: head.hidden_units() }
    }

    /// What differs from the one before.
    pub(super) fn changes(&self, before: &Self) -> Vec<ChangedSetting> {
        let said = |shape: &Self| {
            let none = || "none".to_owned();
            let limit = shape.settings.false_accepts;
            [
                ("learner", shape.settings.learner_name().to_owned()),
                ("false_accepts", limit.map_or_else(none, |limit| limit.to_string())),
                ("half", shape.settings.half.to_string()),
                ("kept_bits", if shape.bits == Bits::Four { "4" } else { "8" }.to_owned()),
                ("hidden", shape.hidden.map_or_else(none, |units| units.to_string())),
            ]
        };
        let pairs = said(before).into_iter().zip(said(self));
        let changed = pairs.filter(|((_, before), (_, now))| before != now);
        changed
            .map(|((setting, before), (_, now))| ChangedSetting { setting, before, now })
            .collect()
    }
}
