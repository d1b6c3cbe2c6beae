//! What every place for head records promises.

/// A place that keeps one head record and replaces it in one step: flash, a file, memory.
pub trait Store {
    /// The error of a store that fails.
    type Error;

    /// Copies the record that was committed last to the start of `buffer` and gives its length;
    /// `None` if there is none. A longer one than `buffer` is not copied, and its length is given.
    ///
    /// # Errors
    ///
    /// The store's own.
    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error>;

    /// Replaces the record. When this returns it is durable; after a power cut before that, the old
    /// or the new one is there, whole.
    ///
    /// # Errors
    ///
    /// The store's own; then the old record is still there.
    fn commit(&mut self, record: &[u8]) -> Result<(), Self::Error>;
}
