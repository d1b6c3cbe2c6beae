//! What one call gives more than once.

use std::collections::HashMap;

use serde::Serialize;

use crate::samples::{Sample, SampleId};

/// One of several files with the same content, and the class that it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenAs {
    /// The sample's file.
    pub file: String,
    /// The class that it was given; `null` for a picture with a mask.
    pub class: Option<String>,
}

/// A new sample that shows what another one shows, though their files differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    /// The new sample's file.
    pub file: String,
    /// The new sample's class.
    pub class: String,
    /// The other sample's file, or its id where its file is not known.
    pub like: String,
    /// The other sample's class.
    pub like_class: String,
}

/// Places of samples that have one content.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// Those that were given different classes, or masks: which is right cannot be told. In the order in which they came.
    pub(super) conflicts: Vec<Vec<usize>>,
    /// Those that were given again with the same.
    pub(super) duplicates: usize,
}

impl Given {
    /// Samples in their order, each with its name and what it shows.
    pub(super) fn of<T: PartialEq>(samples: impl IntoIterator<Item = (SampleId, T)>) -> Self {
        let mut places = HashMap::<SampleId, usize>::new();
        let mut groups: Vec<(T, bool, Vec<usize>)> = Vec::new();
        for (at, (id, shows)) in samples.into_iter().enumerate() {
            match places.get(&id) {
                None => {
                    places.insert(id, groups.len());
                    groups.push((shows, false, vec![at]));
                }
                Some(&group) => {
                    let (first, is_conflict, files) = &mut groups[group];
                    *is_conflict |= *first != shows;
                    files.push(at);
                }
            }
        }
        let mut given = Self::default();
        for (_, is_conflict, files) in groups {
            if is_conflict {
                given.conflicts.push(files);
            } else {
                given.duplicates += files.len() - 1;
            }
        }
        given
    }

    /// Whether the sample at each of so many places is learned from.
    pub(super) fn learned(&self, count: usize) -> Vec<bool> {
        let mut learned = vec![true; count];
        self.conflicts.iter().flatten().for_each(|&at| learned[at] = false);
        learned
    }

    /// The conflicts, for a person.
    pub(super) fn named(
        &self,
        samples: &[Sample<'_>],
        class: impl Fn(usize) -> Option<String>,
    ) -> Vec<Vec<GivenAs>> {
        let entry = |&at: &usize| {
            let file = samples[at].title(at).display().to_string();
            GivenAs { file, class: class(at) }
        };
        self.conflicts.iter().map(|files| files.iter().map(entry).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_counted_and_what_contradicts_itself_is_named() {
        let samples = [(1, 'a'), (2, 'b'), (1, 'a'), (3, 'c'), (2, 'a'), (1, 'a'), (2, 'b')];
        let given = Given::of(samples.map(|(id, class)| ([id; 16], class)));
        assert_eq!((given.duplicates, &given.conflicts[..]), (2, &[vec![1, 4, 6]][..]));
        assert_eq!(given.learned(7), [true, false, true, true, false, true, false]);
    }
}
