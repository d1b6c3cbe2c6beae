//! Flash of a chip that a driver of `embedded-storage` writes, and that is read at its addresses.

use core::cell::RefCell;
use core::slice;

use embedded_storage::nor_flash::NorFlash;
use headstart::pack::Pack;
use headstart::store::{Flash, Geometry, Nor};

use super::{Active, Board, Device, Layout, Port, active, serve};
use crate::flash::Mapped;

/// A function that runs reads which may meet words that a power cut left torn. On most chips it only calls what it is given; where error
/// correction makes such a read a bus fault, it must let the read go on with any value.
pub type Guard = fn(&mut dyn FnMut());

/// The guard of chips whose reads cannot fail: it only calls what it is given.
pub fn unguarded(read: &mut dyn FnMut()) {
    read();
}

/// A driver and the address of its first byte.
pub struct Addressed<D> {
    driver: Nor<D>,
    base: usize,
    guard: Guard,
}

impl<D: NorFlash> Addressed<D> {
    /// Takes a driver whose flash can be read from address `base` on.
    ///
    /// # Safety
    ///
    /// All of the driver's capacity can be read from `base` on, and only this writes to it.
    #[must_use]
    pub unsafe fn new(driver: D, base: usize, guard: Guard) -> Self {
        Self { driver: Nor::new(driver), base, guard }
    }
}

impl<D: NorFlash> Flash for Addressed<D> {
    type Error = D::Error;

    fn geometry(&self) -> Geometry {
        self.driver.geometry()
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), D::Error> {
        let mut result = Ok(());
        (self.guard)(&mut || result = self.driver.read(offset, bytes));
        result
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), D::Error> {
        self.driver.write(offset, bytes)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), D::Error> {
        self.driver.erase(from, to)
    }

    fn barrier(&mut self) -> Result<(), D::Error> {
        self.driver.barrier()
    }
}

impl<D: NorFlash> Mapped for Addressed<D> {
    fn bytes(&self, start: u32, length: u32) -> Option<&[u8]> {
        let end = start.checked_add(length)?;
        let inside = end <= self.driver.geometry().capacity;
        let start = (self.base + start as usize) as *const u8;
        // SAFETY: `new` promises that the flash is there; writing to it takes `&mut self`.
        inside.then(|| unsafe { slice::from_raw_parts(start, length as usize) })
    }
}

/// Serves the host until the board must start anew. `memory` is for sessions and starts at a multiple of 4.
#[inline(never)]
pub fn run<D: NorFlash>(
    board: Board,
    flash: Addressed<D>,
    layout: &Layout,
    memory: &mut [u8],
    port: &mut impl Port,
) {
    run_with(board, flash, layout, memory, port, active, |device| device);
}

/// Serves the host until the board must start anew, with packs that this maker has signed and no others; otherwise as [`run`].
#[cfg(feature = "signed")]
#[inline(never)]
pub fn run_signed<D: NorFlash>(
    board: Board,
    flash: Addressed<D>,
    layout: &Layout,
    maker: &'static super::Maker,
    memory: &mut [u8],
    port: &mut impl Port,
) {
    let choose = |flash: &RefCell<_>, layout: &Layout| super::active_signed(flash, layout, maker);
    run_with(board, flash, layout, memory, port, choose, |device| device.trusting(maker));
}

fn run_with<D: NorFlash>(
    board: Board,
    flash: Addressed<D>,
    layout: &Layout,
    memory: &mut [u8],
    port: &mut impl Port,
    choose: impl Fn(&RefCell<Addressed<D>>, &Layout) -> Option<Active>,
    prepare: impl for<'f, 'm> FnOnce(Device<'f, 'm, Addressed<D>>) -> Device<'f, 'm, Addressed<D>>,
) {
    let (base, guard) = (flash.base, flash.guard);
    let flash = RefCell::new(flash);
    let mut chosen = None;
    guard(&mut || chosen = choose(&flash, layout));
    let pack = chosen.and_then(|chosen| {
        let start = layout.packs[usize::from(chosen.place & 1)].start as usize;
        let (start, length) = ((base + start) as *const u8, chosen.bytes as usize);
        // SAFETY: the pack was verified there, and the cable writes to the place that is not in use.
        Pack::open(unsafe { slice::from_raw_parts(start, length) }).ok()
    });
    let device = Device::new(board, &flash, layout, pack.as_ref().zip(chosen), memory);
    serve(prepare(device), port);
}
