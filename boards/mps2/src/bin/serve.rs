//! The board at the cable: `headstart device --port …` at the other end teaches it.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::mem::MaybeUninit;

use cortex_m::peripheral::{Peripherals, SCB};
use defmt_semihosting as _;
use headstart::pack::Pack;
use headstart_firmware::cable::{self, Device};
use headstart_mps2::flash::{AddressFlash, layout};
use headstart_mps2::memory;
use headstart_mps2::uart::Uart;

/// What the stack takes, at most: verifying a pack, and the deepest layer under a request.
const STACK: usize = 16 << 10;

const BOARD: cable::Board = cable::Board {
    name: concat!("mps2-", env!("HEADSTART_MACHINE")),
    firmware: env!("CARGO_PKG_VERSION"),
};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut port = Uart::new(defmt::unwrap!(Peripherals::take()).SYST);
    let layout = layout();
    // SAFETY: the only calls.
    let (flash, memory) = unsafe { (AddressFlash::take(), memory::rest(STACK)) };
    let flash = RefCell::new(flash);
    let active = cable::active(&flash, &layout);
    defmt::info!("pack {}", active.map(|active| (active.place, active.bytes)));
    let pack = active.map(|active| {
        let start = layout.packs[usize::from(active.place & 1)].start;
        // SAFETY: the pack was verified there, and the cable writes to the place that is not in use.
        (open(unsafe { memory::at(start, active.bytes) }), active)
    });
    let device = Device::new(BOARD, &flash, &layout, pack, memory);
    cable::serve(device, &mut port);
    SCB::sys_reset()
}

/// The pack in static memory, so that it is not moved about on the stack. Called once.
#[inline(never)]
fn open(bytes: &'static [u8]) -> &'static Pack<'static> {
    static mut PACK: MaybeUninit<Pack<'static>> = MaybeUninit::uninit();
    let pack = match Pack::open(bytes) {
        Ok(pack) => pack,
        Err(error) => defmt::panic!("a verified pack is refused: {}", error),
    };
    let place = &raw mut PACK;
    // SAFETY: the only reference, as this is called once.
    unsafe { &mut *place }.write(pack)
}
