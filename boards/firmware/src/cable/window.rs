//! One flash, shared by stores that each see a part of it.

use core::cell::RefCell;

use headstart::store::{Flash, Geometry};

use super::Place;
use crate::flash::{Lend, Mapped};

/// A part of a flash, as if it were one.
#[derive(Debug)]
pub(super) struct Window<'f, F> {
    flash: &'f RefCell<F>,
    place: Place,
}

impl<F> Clone for Window<'_, F> {
    fn clone(&self) -> Self {
        Self { flash: self.flash, place: self.place }
    }
}

impl<'f, F: Flash> Window<'f, F> {
    pub(super) fn new(flash: &'f RefCell<F>, place: Place) -> Self {
        Self { flash, place }
    }

    /// Offsets in the flash of a part of the window. A store asks for nothing outside the capacity that
    /// it was told.
    fn at(&self, offset: u32) -> u32 {
        self.place.start.saturating_add(offset.min(self.place.bytes))
    }
}

impl<F: Flash> Flash for Window<'_, F> {
    type Error = F::Error;

    fn geometry(&self) -> Geometry {
        Geometry { capacity: self.place.bytes, ..self.flash.borrow().geometry() }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.flash.borrow_mut().read(self.at(offset), bytes)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        self.flash.borrow_mut().write(self.at(offset), bytes)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.flash.borrow_mut().erase(self.at(from), self.at(to))
    }

    fn barrier(&mut self) -> Result<(), F::Error> {
        self.flash.borrow_mut().barrier()
    }
}

impl<F: Mapped> Lend for Window<'_, F> {
    fn lend<T>(&self, start: u32, length: u32, work: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let start = self.place.start.checked_add(start)?;
        self.flash.borrow().bytes(start, length).map(work)
    }
}
