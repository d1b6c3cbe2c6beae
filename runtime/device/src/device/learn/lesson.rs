//! One call of learning, as its steps share it.

use std::time::Instant;

use super::super::handle::Device;
use super::super::labelled::Labelled;
use super::options::LearnOptions;
use crate::Error;
use crate::observer::Observer;

/// One call of [`Device::learn`].
pub(super) struct Lesson<'a> {
    pub(super) device: &'a Device,
    pub(super) samples: &'a Labelled<'a>,
    pub(super) options: &'a LearnOptions<'a>,
    pub(super) observer: &'a dyn Observer,
    pub(super) start: Instant,
}

impl Lesson<'_> {
    /// Ends the call where its observer asks for that.
    pub(super) fn unless_stopped(&self) -> Result<(), Error> {
        if self.observer.is_stopped() { Err(Error::Stopped) } else { Ok(()) }
    }
}
