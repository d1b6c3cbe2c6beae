//! A Raspberry Pi Pico 2 at the cable, UART0 on GP0 (out) and GP1 (in).
#![no_std]
#![no_main]

use cortex_m::peripheral::{DWT, Peripherals, SCB};
use defmt_rtt as _;
use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::uart::{Config, Uart};
use headstart_firmware::cable::{
    Addressed, Board, Layout, Place, Region, Serial, run, unguarded,
};

const FLASH: usize = 4 << 20;
/// Where flash is read.
const BASE: usize = 0x1000_0000;
const HEAD: u32 = 64 << 10;
const BLOCK: u32 = 4 << 10;
const MIB: u32 = 1 << 20;

/// Behind the firmware's 256 KiB.
const LAYOUT: Layout = Layout {
    packs: [
        Place { start: MIB / 4, bytes: 3 * MIB / 2 },
        Place { start: 7 * MIB / 4, bytes: 3 * MIB / 2 },
    ],
    heads: Region { start: 13 * MIB / 4, slot_bytes: HEAD, slots: 2 },
    journal: Region { start: 13 * MIB / 4 + 2 * HEAD, slot_bytes: BLOCK, slots: 2 },
    features: Place { start: 13 * MIB / 4 + 2 * HEAD + 2 * BLOCK, bytes: 128 << 10 },
};

const BOARD: Board = Board { name: "pico2", firmware: env!("CARGO_PKG_VERSION") };

/// For sessions: all RAM but what static data and the stack take.
const MEMORY: usize = 448 << 10;

#[cortex_m_rt::entry]
fn main() -> ! {
    let peripherals = embassy_rp::init(embassy_rp::config::Config::default());
    let mut core = defmt::unwrap!(Peripherals::take());
    core.DCB.enable_trace();
    core.DWT.enable_cycle_counter();
    let uart = Uart::new_blocking(
        peripherals.UART0,
        peripherals.PIN_0,
        peripherals.PIN_1,
        Config::default(),
    );
    let mut port = Serial::new(uart, DWT::cycle_count, embassy_rp::clocks::clk_sys_freq());
    let driver = Flash::<_, Blocking, FLASH>::new_blocking(peripherals.FLASH);
    // SAFETY: flash is read from there on, and this is the only driver.
    let flash = unsafe { Addressed::new(driver, BASE, unguarded) };
    defmt::info!("serving");
    run(BOARD, flash, &LAYOUT, memory(), &mut port);
    SCB::sys_reset()
}

headstart_firmware::memory!(MEMORY);
headstart_firmware::restart_on_faults!();
