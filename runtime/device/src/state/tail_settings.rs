//! How a state's tails are trained: what was asked for once, and holds until something else is asked for.

use std::str::FromStr;

use crate::request::Setting;

/// The most bytes of all of it as text.
pub(super) const MAX_TEXT: usize = 4096;
const PART: &str = "a number from 0 to below 1";

/// Settings of training the tail of a pack that keeps one; where a field is `None`, its default holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TailSettings {
    /// Passes over the samples, at least 1; 30 by default.
    pub epochs: Option<usize>,
    /// How many samples a step takes, 1 to 1024; 20 by default, of pictures with masks 8.
    pub batch: Option<usize>,
    /// The rule by which gradients change the weights; AdamW by default.
    pub optimiser: Option<Optimiser>,
    /// Largest step size, above 0; 0.001 by default, with SGD 0.01.
    pub rate: Option<f32>,
    /// Part of the training in which the step size rises, 0 to below 1; 0.1 by default.
    pub warm_up: Option<f32>,
    /// Momentum of SGD, the part of the last step that goes into the next, 0 to below 1; 0.9 by default.
    pub momentum: Option<f32>,
    /// Decay of the weights, 0 to below 1; 0.01 by default, with SGD 0.0001.
    pub weight_decay: Option<f32>,
    /// Longest gradient, longer ones are scaled to it, 0 for any; 1 by default.
    pub clip: Option<f32>,
    /// Part of the probability that is spread over all classes, 0 to below 1; 0.1 by default, of pictures with masks 0.
    pub label_smoothing: Option<f32>,
    /// Lets every class count the same, however few samples it has.
    pub balanced: bool,
    /// Percent of each class that is held out to tell the best epoch, 0 to 90; 10 by default.
    pub held_out: Option<u8>,
    /// Epochs without a better one after which training stops, at least 1; 10 by default.
    pub patience: Option<usize>,
    /// Seed of all that is random; 1 by default.
    pub seed: Option<u64>,
    /// Patterns of the layers that are trained beside the last one; all where there is none.
    pub train: Vec<String>,
    /// Patterns of layers that are not trained.
    pub freeze: Vec<String>,
    /// Random changes to pictures, where the tail begins at the input.
    pub augment: Augment,
    /// The form in which the tail's weights are kept; float16 by default.
    pub storage: Option<TailWeights>,
}

/// The rule by which gradients change a tail's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimiser {
    /// Adam with decoupled decay.
    AdamW,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// The form in which a tail's weights are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailWeights {
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
}

/// Random changes to a picture before a tail sees it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augment {
    /// Mirrors the picture left to right, every second time.
    pub flip: bool,
    /// Moves the picture by up to an eighth on each axis; the edge fills what is left.
    pub crop: bool,
    /// Changes brightness, contrast and saturation by up to a fifth, each on its own.
    pub colour: bool,
}

impl Augment {
    /// Whether any of these changes is made.
    #[must_use]
    pub fn any(self) -> bool {
        self.flip || self.crop || self.colour
    }
}

impl TailSettings {
    /// These settings, and those of before where nothing is set here.
    #[must_use]
    pub fn over(&self, before: &Self) -> Self {
        let patterns = |ours: &[String], theirs: &[String]| {
            if ours.is_empty() { theirs.to_vec() } else { ours.to_vec() }
        };
        Self {
            epochs: self.epochs.or(before.epochs),
            batch: self.batch.or(before.batch),
            optimiser: self.optimiser.or(before.optimiser),
            rate: self.rate.or(before.rate),
            warm_up: self.warm_up.or(before.warm_up),
            momentum: self.momentum.or(before.momentum),
            weight_decay: self.weight_decay.or(before.weight_decay),
            clip: self.clip.or(before.clip),
            label_smoothing: self.label_smoothing.or(before.label_smoothing),
            balanced: self.balanced || before.balanced,
            held_out: self.held_out.or(before.held_out),
            patience: self.patience.or(before.patience),
            seed: self.seed.or(before.seed),
            train: patterns(&self.train, &before.train),
            freeze: patterns(&self.freeze, &before.freeze),
            augment: if self.augment.any() { self.augment } else { before.augment },
            storage: self.storage.or(before.storage),
        }
    }

    /// All settings in their order, each with the values that were set.
    #[must_use]
    pub fn said(&self) -> [(Setting, Vec<String>); 17] {
        fn one<T: ToString>(setting: Setting, value: Option<T>) -> (Setting, Vec<String>) {
            (setting, value.iter().map(T::to_string).collect())
        }
        let optimiser = self.optimiser.map(|optimiser| match optimiser {
            Optimiser::AdamW => "adamw",
            Optimiser::Sgd => "sgd",
        });
        let storage = self.storage.map(|storage| match storage {
            TailWeights::F16 => "f16",
            TailWeights::F32 => "f32",
        });
        let Augment { flip, crop, colour } = self.augment;
        let changes = [(flip, "flip"), (crop, "crop"), (colour, "colour")];
        let changes: Vec<&str> =
            changes.into_iter().filter_map(|(made, name)| made.then_some(name)).collect();
        [
            one(Setting::Epochs, self.epochs),
            one(Setting::Batch, self.batch),
            one(Setting::Optimiser, optimiser),
            one(Setting::Rate, self.rate),
            one(Setting::WarmUp, self.warm_up),
            one(Setting::Momentum, self.momentum),
            one(Setting::WeightDecay, self.weight_decay),
            one(Setting::Clip, self.clip),
            one(Setting::LabelSmoothing, self.label_smoothing),
            one(Setting::Balanced, self.balanced.then_some(true)),
            one(Setting::HeldOut, self.held_out),
            one(Setting::Patience, self.patience),
            one(Setting::Seed, self.seed),
            (Setting::Train, self.train.clone()),
            (Setting::Freeze, self.freeze.clone()),
            one(Setting::Augment, self.augment.any().then(|| changes.join(","))),
            one(Setting::Storage, storage),
        ]
    }

    /// The first that was set.
    #[must_use]
    pub fn given(&self) -> Option<Setting> {
        self.said()
            .into_iter()
            .find_map(|(setting, values)| (!values.is_empty()).then_some(setting))
    }

    /// As text: a line a value, `name value`, in the order of [`said`](Self::said).
    pub(super) fn emit(&self) -> String {
        let lines = self.said().into_iter().flat_map(|(setting, values)| {
            values.into_iter().map(move |value| format!("{} {value}\n", setting.name()))
        });
        lines.collect()
    }

    /// Reads what [`emit`](Self::emit) writes; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        fn number<T: FromStr>(text: &str) -> Option<Option<T>> {
            text.parse().ok().map(Some)
        }
        let mut found = Self::default();
        for line in text.lines() {
            let (name, value) = line.split_once(' ')?;
            match name {
                "epochs" => found.epochs = number(value)?,
                "batch" => found.batch = number(value)?,
                "optimiser" => {
                    found.optimiser =
                        Some(if value == "sgd" { Optimiser::Sgd } else { Optimiser::AdamW });
                }
                "rate" => found.rate = number(value)?,
                "warm_up" => found.warm_up = number(value)?,
                "momentum" => found.momentum = number(value)?,
                "weight_decay" => found.weight_decay = number(value)?,
                "clip" => found.clip = number(value)?,
                "label_smoothing" => found.label_smoothing = number(value)?,
                "balanced" => found.balanced = true,
                "held_out" => found.held_out = number(value)?,
                "patience" => found.patience = number(value)?,
                "seed" => found.seed = number(value)?,
                "train" => found.train.push(value.to_owned()),
                "freeze" => found.freeze.push(value.to_owned()),
                "augment" => {
                    let has = |change| value.split(',').any(|one| one == change);
                    found.augment =
                        Augment { flip: has("flip"), crop: has("crop"), colour: has("colour") };
                }
                "storage" => {
                    found.storage =
                        Some(if value == "f32" { TailWeights::F32 } else { TailWeights::F16 });
                }
                _ => return None,
            }
        }
        // Whatever is written otherwise than it would be is refused.
        (found.emit() == text && found.out_of_range().is_none()).then_some(found)
    }

    /// The first that is out of its range, what it is, and what is allowed.
    #[must_use]
    pub fn out_of_range(&self) -> Option<(Setting, String, &'static str)> {
        let part = |x: f32| (0.0..1.0).contains(&x);
        let parts = [
            (self.warm_up, Setting::WarmUp),
            (self.momentum, Setting::Momentum),
            (self.weight_decay, Setting::WeightDecay),
            (self.label_smoothing, Setting::LabelSmoothing),
        ];
        let counts = [(self.epochs, Setting::Epochs), (self.patience, Setting::Patience)];
        let outside = |found: Option<(Setting, String)>, allowed| {
            found.map(|(setting, found)| (setting, found, allowed))
        };
        let real = |given: Option<f32>, setting, allowed: &dyn Fn(f32) -> bool| {
            given.filter(|x| !allowed(*x)).map(|x| (setting, x.to_string()))
        };
        let whole = |given: Option<usize>, setting, allowed: std::ops::RangeInclusive<usize>| {
            given.filter(|n| !allowed.contains(n)).map(|n| (setting, n.to_string()))
        };
        parts
            .into_iter()
            .find_map(|(given, setting)| outside(real(given, setting, &part), PART))
            .or_else(|| {
                counts.into_iter().find_map(|(given, setting)| {
                    outside(whole(given, setting, 1..=usize::MAX), "a number from 1")
                })
            })
            .or(outside(whole(self.batch, Setting::Batch, 1..=1024), "a number from 1 to 1024"))
            .or(outside(
                whole(self.held_out.map(usize::from), Setting::HeldOut, 0..=90),
                "a number from 0 to 90",
            ))
            .or(outside(
                real(self.rate, Setting::Rate, &|x| x > 0.0 && x.is_finite()),
                "a number above 0",
            ))
            .or(outside(
                real(self.clip, Setting::Clip, &|x| x >= 0.0 && x.is_finite()),
                "a number from 0",
            ))
            .or_else(|| {
                let patterns = [(&self.train, Setting::Train), (&self.freeze, Setting::Freeze)];
                patterns.into_iter().find_map(|(patterns, setting)| {
                    let wrong = patterns.iter().find(|pattern| pattern.contains(['\n', '\r']))?;
                    Some((setting, format!("{wrong:?}"), "a pattern in one line"))
                })
            })
            .or_else(|| {
                let bytes = self.emit().len();
                let found = format!("{bytes} bytes with all others");
                (bytes > MAX_TEXT).then_some((Setting::Train, found, "4096 bytes in all"))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> TailSettings {
        TailSettings {
            epochs: Some(40),
            batch: Some(7),
            optimiser: Some(Optimiser::Sgd),
            rate: Some(0.1),
            warm_up: Some(0.0),
            momentum: Some(0.95),
            weight_decay: Some(1e-5),
            clip: Some(0.0),
            label_smoothing: Some(0.3),
            balanced: true,
            held_out: Some(20),
            patience: Some(3),
            seed: Some(u64::MAX),
            train: vec!["features.18.*".into(), "a b".into()],
            freeze: vec!["*.bias".into()],
            augment: Augment { flip: true, crop: false, colour: true },
            storage: Some(TailWeights::F32),
        }
    }

    #[test]
    fn settings_are_read_back_and_anything_else_is_refused() {
        let text = all().emit();
        assert_eq!(TailSettings::parse(&text), Some(all()));
        assert_eq!(TailSettings::parse(""), Some(TailSettings::default()));
        assert_eq!(text.lines().count(), 18);
        // Without any one line it is another setting; twice, turned, cut or strange it is none.
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            let mut fewer = lines.clone();
            fewer.remove(at);
            let parsed = TailSettings::parse(&format!("{}\n", fewer.join("\n"))).unwrap();
            assert_ne!(parsed, all());
            let mut twice = lines.clone();
            twice.insert(at, lines[at]);
            let patterns = lines[at].starts_with("train") || lines[at].starts_with("freeze");
            let parsed = TailSettings::parse(&format!("{}\n", twice.join("\n")));
            assert_eq!(parsed.is_none(), !patterns, "{}", lines[at]);
        }
        let backwards: Vec<&str> = lines.iter().rev().copied().collect();
        assert_eq!(TailSettings::parse(&backwards.join("\n")), None);
        for wrong in
            ["epochs", "epochs 0\n", "rate inf\n", "rate 0.10\n", "optimiser adam\n", "size 3\n"]
        {
            assert_eq!(TailSettings::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_said_is_as_before() {
        let none = TailSettings::default();
        assert_eq!((none.over(&all()), all().over(&none)), (all(), all()));
        let some = TailSettings { rate: Some(0.2), train: vec!["x".into()], ..none };
        let both = some.over(&all());
        assert_eq!((both.rate, &both.train, both.epochs), (Some(0.2), &some.train, Some(40)));
    }

    #[test]
    fn patterns_that_cannot_be_kept_are_refused() {
        let of = |pattern: String| TailSettings { train: vec![pattern], ..Default::default() };
        assert!(of("a\nrate 5".into()).out_of_range().is_some());
        assert!(of("a".repeat(MAX_TEXT)).out_of_range().is_some());
        assert!(of("a".repeat(MAX_TEXT - 7)).out_of_range().is_none());
    }
}
