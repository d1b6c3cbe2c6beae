//! A Raspberry Pi Pico at the cable, UART0 on GP0 (out) and GP1 (in).
#![no_std]
#![no_main]

use cortex_m::peripheral::SCB;
use defmt_rtt as _;
use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::uart::{Config, Uart};
use embassy_time::{Instant, TICK_HZ};
use headstart_firmware::cable::{
    Addressed, Board, Layout, Place, Region, Serial, run, unguarded,
};

const FLASH: usize = 2 << 20;
/// Where flash is read.
const BASE: usize = 0x1000_0000;
const HEAD: u32 = 64 << 10;
const BLOCK: u32 = 4 << 10;
const FIRMWARE: u32 = 128 << 10;
const PACK: u32 = 768 << 10;

/// Behind the firmware.
const LAYOUT: Layout = Layout {
    packs: [
        Place { start: FIRMWARE, bytes: PACK },
        Place { start: FIRMWARE + PACK, bytes: PACK },
    ],
    heads: Region { start: FIRMWARE + 2 * PACK, slot_bytes: HEAD, slots: 2 },
    journal: Region { start: FIRMWARE + 2 * PACK + 2 * HEAD, slot_bytes: BLOCK, slots: 2 },
    features: Place { start: FIRMWARE + 2 * PACK + 2 * HEAD + 2 * BLOCK, bytes: 128 << 10 },
};

const BOARD: Board = Board { name: "pico", firmware: env!("CARGO_PKG_VERSION") };

/// For sessions: all RAM but what static data and the stack take.
const MEMORY: usize = 204 << 10;

#[cortex_m_rt::entry]
fn main() -> ! {
    let peripherals = embassy_rp::init(embassy_rp::config::Config::default());
    let uart = Uart::new_blocking(
        peripherals.UART0,
        peripherals.PIN_0,
        peripherals.PIN_1,
        Config::default(),
    );
    let mut port = Serial::new(uart, || Instant::now().as_ticks() as u32, TICK_HZ as u32);
    let driver = Flash::<_, Blocking, FLASH>::new_blocking(peripherals.FLASH);
    // SAFETY: flash is read from there on, and this is the only driver.
    let flash = unsafe { Addressed::new(driver, BASE, unguarded) };
    defmt::info!("serving");
    run(BOARD, flash, &LAYOUT, memory(), &mut port);
    SCB::sys_reset()
}

headstart_firmware::memory!(MEMORY);
headstart_firmware::restart_on_faults!();
