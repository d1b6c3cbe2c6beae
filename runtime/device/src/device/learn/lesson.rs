//! One call of learning, as its steps share it.

use super::super::handle::Device;
use super::super::labelled::Labelled;
use super::options::LearnOptions;
use crate::Error;
use crate::observer::Observer;
use crate::os::Instant;
use crate::state::Settings;

/// One call of [`Device::learn`].
#[derive(Clone, Copy)]
pub(super) struct Lesson<'a> {
    pub(super) device: &'a Device,
    pub(super) samples: &'a Labelled<'a>,
    pub(super) options: &'a LearnOptions<'a>,
    pub(super) observer: &'a dyn Observer,
    pub(super) start: Instant,
    /// How the state's heads are learned, once that is known.
    pub(super) settings: &'a Settings,
}

impl Lesson<'_> {
    /// Ends the call where its observer asks for that.
    pub(super) fn unless_stopped(&self) -> Result<(), Error> {
        if self.observer.is_stopped() { Err(Error::Stopped) } else { Ok(()) }
    }
}
