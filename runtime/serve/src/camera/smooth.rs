//! Answers that do not flicker.

use std::collections::VecDeque;

/// The most common of the last answers.
///
/// Of the last `length` answers the most common one is the smoothed answer, "unknown" being one of them. Of several that are as common, the
/// one that is the smoothed answer already stays; otherwise the newest of them is it. It has changed where it is another one than before, and
/// at the first answer.
#[derive(Clone, Debug)]
pub struct Smoother {
    length: usize,
    last: VecDeque<Option<String>>,
    present: Option<Option<String>>,
}

/// An answer among those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smoothed {
    /// The smoothed label; `None` for "unknown".
    pub label: Option<String>,
    /// Whether the smoothed label is another one than before.
    pub changed: bool,
}

impl Smoother {
    /// One over so many answers, at least 1.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { length: length.max(1), last: VecDeque::new(), present: None }
    }

    /// The smoothed label as it is; `None` for "unknown", and before the first answer.
    #[must_use]
    pub fn present(&self) -> Option<&str> {
        self.present.as_ref()?.as_deref()
    }

    /// Takes the next answer, `None` for "unknown".
    pub fn next(&mut self, label: Option<&str>) -> Smoothed {
        if self.last.len() == self.length {
            self.last.pop_front();
        }
        self.last.push_back(label.map(str::to_owned));
        let count = |label: &Option<String>| self.last.iter().filter(|last| *last == label).count();
        let most = self.last.iter().map(count).max().unwrap_or(0);
        let stays = self.present.as_ref().filter(|present| count(present) == most);
        let newest = || self.last.iter().rev().find(|label| count(label) == most);
        let label = stays.or_else(newest).cloned().unwrap_or(None);
        let changed = self.present.as_ref() != Some(&label);
        self.present = Some(label.clone());
        Smoothed { label, changed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(length: usize, answers: &str) -> String {
        let mut smoother = Smoother::new(length);
        let one = |answer: char| {
            let label = (answer != '-').then(|| answer.to_string());
            let Smoothed { label, changed } = smoother.next(label.as_deref());
            let mark = if changed { "!" } else { "" };
            format!("{}{mark}", label.unwrap_or_else(|| "-".to_owned()))
        };
        answers.chars().map(one).collect()
    }

    #[test]
    fn the_most_common_of_the_last_answers_is_told_and_a_tie_changes_nothing() {
        assert_eq!(said(1, "aab-a"), "a!ab!-!a!");
        assert_eq!(said(3, "aabab"), "a!aaab!");
        assert_eq!(said(3, "abbcc"), "a!ab!bc!");
        assert_eq!(said(5, "aaaabbbb"), "a!aaaaab!b");
        // "Unknown" is an answer as others are.
        assert_eq!(said(3, "a--aa"), "a!a-!-a!");
        assert_eq!(said(0, "ab"), "a!b!");
    }
}
