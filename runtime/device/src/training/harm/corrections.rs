//! How much of what was known an update gives another class.
//!
//! A correction takes a sample away from those that the update is judged by: where all are corrected, none is left to
//! hold out. But each correction is itself a contradiction of the head before, so above a stated part they are harm.

use crate::state::FeatureCache;

/// The part of what was known, or of one class, beyond which corrections must be forced.
pub const CORRECTED_PART: f64 = 0.5;
/// One sample can be wrong, however few there are.
const FEW: u32 = 1;
/// So many of one class, however few it has.
const FEW_OF_A_CLASS: u32 = 3;

/// Known samples that an update gives another class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corrections {
    /// How many samples were known before, and are there after.
    pub known: u32,
    /// How many of these get another class.
    pub corrected: u32,
    /// The classes between which the most of them move, from and to, and how many.
    pub most: Option<(String, String, u32)>,
    /// The class that loses the largest part of its samples to other classes that were known: its name, how many, of how many.
    pub worst: Option<(String, u32, u32)>,
}

impl Corrections {
    /// Finds the known samples that the step from `old` to `new` gives another class.
    #[must_use]
    pub fn between(old: &FeatureCache, new: &FeatureCache) -> Self {
        let classes = old.classes();
        let mut found = Self::default();
        // By the class before: samples, and those that go to another one that was known.
        let mut of_class = vec![(0_u32, 0_u32); classes.len()];
        let mut ways = std::collections::BTreeMap::<(&str, &str), u32>::new();
        for (id, &label) in old.ids().iter().zip(old.labels()) {
            let (Some(after), before) = (new.name_of(id), &classes[usize::from(label)]) else {
                continue;
            };
            found.known += 1;
            let counts = &mut of_class[usize::from(label)];
            counts.0 += 1;
            if after != before {
                found.corrected += 1;
                *ways.entry((before, after)).or_default() += 1;
                counts.1 += u32::from(classes.iter().any(|name| name == after));
            }
        }
        let most = ways.into_iter().max_by_key(|(way, count)| (*count, std::cmp::Reverse(*way)));
        found.most = most.map(|((from, to), count)| (from.to_owned(), to.to_owned(), count));
        let part = |(of, lost): (u32, u32)| f64::from(lost) / f64::from(of.max(1));
        let worst = (0..classes.len()).filter(|&at| of_class[at].1 > FEW_OF_A_CLASS);
        let worst = worst.max_by(|&a, &b| part(of_class[a]).total_cmp(&part(of_class[b])));
        found.worst = worst.map(|at| (classes[at].clone(), of_class[at].1, of_class[at].0));
        found
    }

    /// Why these corrections are not taken; `None` where they are few.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        let is_most = |part: u32, of: u32| f64::from(part) > CORRECTED_PART * f64::from(of);
        let what = if self.corrected > FEW && is_most(self.corrected, self.known) {
            format!("{} of the {} samples that were known before", self.corrected, self.known)
        } else {
            let (class, lost, of) =
                self.worst.as_ref().filter(|(_, lost, of)| is_most(*lost, *of))?;
            format!("{lost} of the {of} known samples of {class}")
        };
        let (from, to, count) = self.most.as_ref()?;
        Some(format!(
            "{what} would get another class ({count} of {from} become {to}), and what is corrected is not there to judge by: look at them, and where only a name has changed, rename the class"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["cup", "jar", "mug", "pot"];

    /// `count` samples of each of four classes; those that `label` moves stand elsewhere.
    fn cache(count: u8, label: impl Fn(u8, usize) -> &'static str) -> FeatureCache {
        let mut cache = FeatureCache::new(1);
        for name in NAMES {
            cache.class(name);
        }
        for id in 0..4 * count {
            let class = cache.class(label(id, usize::from(id) % 4)).unwrap();
            cache.insert([id; 16], class, &[id as i8]);
        }
        cache.sort();
        cache
    }

    fn refused(count: u8, label: impl Fn(u8, usize) -> &'static str) -> Option<String> {
        Corrections::between(&cache(count, |_, class| NAMES[class]), &cache(count, label)).refused()
    }

    #[test]
    fn more_than_half_of_what_was_known_is_refused_by_name() {
        let rotated =
            |most: u8| move |id: u8, class: usize| NAMES[(class + usize::from(id < most)) % 4];
        for (count, taken, too_many) in [(20, 40, 41), (20, 0, 80), (1, 1, 3), (2, 2, 5)] {
            assert_eq!(refused(count, rotated(taken)), None, "{taken} of {count} a class");
            let reason = refused(count, rotated(too_many)).unwrap();
            assert!(reason.contains(&format!("{too_many} of the {}", 4 * count)), "{reason}");
        }
        // New names are corrections too: nothing of what was known is left.
        let reason = refused(20, |_, class| ["a", "b", "c", "d"][class]).unwrap();
        assert!(reason.contains("20 of cup become a"), "{reason}");
    }

    #[test]
    fn a_class_that_becomes_another_is_refused_and_one_of_a_few_samples_is_not() {
        let swapped =
            |id: u8, class: usize| NAMES[if class < 2 && id < 60 { 1 - class } else { class }];
        let reason = refused(20, swapped).unwrap();
        assert!(reason.contains("15 of the 20 known samples of"), "{reason}");
        // A name that is new takes nothing from another class.
        assert_eq!(refused(20, |_, class| ["a", "jar", "mug", "pot"][class]), None);
        assert_eq!(refused(3, |_, class| ["jar", "jar", "mug", "pot"][class]), None);
    }
}
