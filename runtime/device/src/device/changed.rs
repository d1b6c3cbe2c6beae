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
#[derive(Clone, Debug)]
pub(super) struct Shape {
    settings: Settings,
    bits: Bits,
    hidden: Option<usize>,
}

impl Shape {
    pub(super) fn of(settings: &Settings, bits: Bits, head: &Head) -> Self {
        Self { settings: settings.clone(), bits, hidden: head.hidden_units() }
    }

    /// What differs from the one before.
    pub(super) fn changes(&self, before: &Self) -> Vec<ChangedSetting> {
        let said = |shape: &Self| {
            let none = || "none".to_owned();
            let settings = &shape.settings;
            let (limit, views) = (settings.false_accepts, settings.views);
            let of_heads = [
                ("learner", settings.learner_name().to_owned()),
                ("false_accepts", limit.map_or_else(none, |limit| limit.to_string())),
                ("half", settings.half.to_string()),
                ("kept_bits", if shape.bits == Bits::Four { "4" } else { "8" }.to_owned()),
                ("hidden", shape.hidden.map_or_else(none, |units| units.to_string())),
                ("views", views.map_or_else(|| "auto".to_owned(), |views| views.to_string())),
                ("max_bytes", settings.max_bytes.map_or_else(none, |bytes| bytes.to_string())),
            ];
            let of_tails = settings.tail.said().into_iter().map(|(setting, values)| {
                let usual = || "usual".to_owned();
                let said = if values.is_empty() { usual() } else { values.join(", ") };
                (setting.name(), said)
            });
            of_heads.into_iter().chain(of_tails)
        };
        let pairs = said(before).zip(said(self));
        let changed = pairs.filter(|((_, before), (_, now))| before != now);
        changed
            .map(|((setting, before), (_, now))| ChangedSetting { setting, before, now })
            .collect()
    }
}
