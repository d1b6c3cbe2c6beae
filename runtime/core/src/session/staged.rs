//! Inputs that come in parts: they are put where the backbone reads them, so that no second place
//! for one is needed.

use super::{Answer, Session};
use crate::Error;
use crate::backbone;
use crate::kernels::Kernels;
use crate::store::Store;

impl<S: Store> Session<'_, '_, S> {
    /// Puts a part of the next input at its place. Once all of it is there,
    /// [`learn_staged`](Self::learn_staged) or [`predict_staged`](Self::predict_staged) takes it; any
    /// other call may overwrite it.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] for a part that ends behind the input.
    pub fn stage(&mut self, offset: usize, part: &[u8]) -> Result<(), Error> {
        let place = self.scratch.get_mut(self.pack.value(0)?.range()).unwrap_or_default();
        let expected = place.len();
        let found = offset.saturating_add(part.len());
        let place = place.get_mut(offset..found).ok_or(Error::BufferLength { expected, found })?;
        place.copy_from_slice(part);
        Ok(())
    }

    /// [`learn`](Self::learn) with the input that was staged.
    ///
    /// # Errors
    ///
    /// [`Error::LabelInvalid`]; [`Error::TooManyClasses`]. Then nothing was learned, and the input is
    /// still there.
    pub fn learn_staged(&mut self, label: &str) -> Result<f32, Error> {
        let class = self.place(label)?;
        self.run_staged()?;
        self.step(class, label)
    }

    /// [`predict`](Self::predict) with the input that was staged.
    ///
    /// # Errors
    ///
    /// [`Error::NoSamples`] while there is no class.
    pub fn predict_staged(&mut self) -> Result<Answer<'_>, Error> {
        if self.classes == 0 {
            return Err(Error::NoSamples);
        }
        self.run_staged()?;
        self.answer()
    }

    fn run_staged(&mut self) -> Result<(), Error> {
        let arena: &mut [u8] = &mut self.scratch[..self.pack.plan().arena_bytes as usize];
        let arena = bytemuck::cast_slice_mut(arena);
        backbone::run_loaded(self.pack.network(), arena, Kernels::best(), |_, _, _, _| ()).map(drop)
    }
}
