//! Taking back what was learned.

use super::{Session, SessionError};
use crate::Error;
use crate::store::Store;

impl<S: Store> Session<'_, '_, S> {
    /// Returns to the head that was committed last, as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// As those of [`open`](Self::open). Then there is no class.
    pub fn revert(&mut self) -> Result<(), SessionError<S::Error>> {
        (self.classes, self.label_bytes, self.seen) = (0, 0, 0);
        self.unknown_threshold = 0.0;
        self.learner = super::Learner::Sgd;
        self.centre.fill(self.pack.feature_value()?.zero_point);
        self.load()
    }

    /// Removes a class, with its weights and its name; `false` if there is none of that name. What its samples
    /// did to the weights of other classes stays. Classes behind it move up by one.
    pub fn forget(&mut self, label: &str) -> bool {
        let Some(class) = self.labels().position(|known| known == label) else { return false };
        let (features, classes) = (self.centre.len(), self.classes);
        let start: usize = self.labels().take(class).map(|label| 1 + label.len()).sum();
        self.label_table.copy_within(start + 1 + label.len()..self.label_bytes, start);
        self.label_bytes -= 1 + label.len();
        self.label_table[self.label_bytes..].fill(0);
        self.weights.copy_within((class + 1) * features..classes * features, class * features);
        self.weights[(classes - 1) * features..][..features].fill(0.0);
        self.bias.copy_within(class + 1..classes, class);
        self.counts.copy_within(class + 1..classes, class);
        self.classes -= 1;
        true
    }

    /// Copies the record that was committed last to this session's scratch memory, and gives it; `None` if
    /// there is none.
    ///
    /// # Errors
    ///
    /// Those of the store; [`Error::BufferLength`] for a record that is too long for this pack.
    pub fn committed(&mut self) -> Result<Option<&[u8]>, SessionError<S::Error>> {
        let found = self.scratch.len();
        match self.store.load(self.scratch).map_err(SessionError::Store)? {
            None => Ok(None),
            Some(expected) => {
                let record = self.scratch.get(..expected);
                Ok(Some(record.ok_or(Error::BufferLength { expected, found })?))
            }
        }
    }
}
