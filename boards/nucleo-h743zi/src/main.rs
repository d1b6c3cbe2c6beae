//! A NUCLEO-H743ZI at the cable: USART3, which its ST-LINK carries to the host's USB.
#![no_std]
#![no_main]

use core::arch::asm;

use cortex_m::peripheral::{DWT, Peripherals, SCB};
use defmt_rtt as _;
use embassy_stm32::flash::Flash;
use embassy_stm32::rcc::{
    AHBPrescaler, APBPrescaler, HSIPrescaler, Pll, PllDiv, PllMul, PllPreDiv, PllSource, Sysclk,
    VoltageScale,
};
use embassy_stm32::usart::{Config, Uart};
use headstart_firmware::cable::{Addressed, Board, Layout, Place, Region, Serial, run};

/// Where flash is read.
const BASE: usize = 0x0800_0000;
const SECTOR: u32 = 128 << 10;

/// Behind the firmware's sector.
const LAYOUT: Layout = Layout {
    packs: [
        Place { start: SECTOR, bytes: 4 * SECTOR },
        Place { start: 5 * SECTOR, bytes: 4 * SECTOR },
    ],
    heads: Region { start: 9 * SECTOR, slot_bytes: SECTOR, slots: 2 },
    journal: Region { start: 11 * SECTOR, slot_bytes: SECTOR, slots: 2 },
    features: Place { start: 13 * SECTOR, bytes: 3 * SECTOR },
};

const BOARD: Board = Board { name: "nucleo-h743zi", firmware: env!("CARGO_PKG_VERSION") };

/// For sessions: all RAM but what static data and the stack take.
const MEMORY: usize = 448 << 10;
/// Of the core, Hz.
const CLOCK: u32 = 400_000_000;

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut core = defmt::unwrap!(Peripherals::take());
    // Data is not cached: what is written to flash is read back from flash.
    core.SCB.enable_icache();
    core.DCB.enable_trace();
    DWT::unlock();
    core.DWT.enable_cycle_counter();
    let peripherals = embassy_stm32::init(clocks());
    let uart = Uart::new_blocking(
        peripherals.USART3,
        peripherals.PD9,
        peripherals.PD8,
        Config::default(),
    );
    let mut port = Serial::new(defmt::unwrap!(uart), DWT::cycle_count, CLOCK);
    let driver = Flash::new_blocking(peripherals.FLASH);
    // SAFETY: flash is read from there on, and this is the only driver.
    let flash = unsafe { Addressed::new(driver, BASE, ignoring_bus_faults) };
    defmt::info!("serving");
    run(BOARD, flash, &LAYOUT, memory(), &mut port);
    SCB::sys_reset()
}

/// 64 MHz of the internal oscillator · 50 / 4 / 2.
fn clocks() -> embassy_stm32::Config {
    let mut config = embassy_stm32::Config::default();
    let rcc = &mut config.rcc;
    rcc.hsi = Some(HSIPrescaler::DIV1);
    rcc.pll1 = Some(Pll {
        source: PllSource::HSI,
        prediv: PllPreDiv::DIV4,
        mul: PllMul::MUL50,
        fracn: None,
        divp: Some(PllDiv::DIV2),
        divq: None,
        divr: None,
    });
    rcc.sys = Sysclk::PLL1_P;
    rcc.ahb_pre = AHBPrescaler::DIV2;
    rcc.apb1_pre = APBPrescaler::DIV2;
    rcc.apb2_pre = APBPrescaler::DIV2;
    rcc.apb3_pre = APBPrescaler::DIV2;
    rcc.apb4_pre = APBPrescaler::DIV2;
    rcc.voltage_scale = VoltageScale::Scale1;
    config
}

/// A word of flash that a power cut left torn fails its error correction, and reading it is a bus fault. With the
/// fault mask set and `BFHFNMIGN` the read goes on (Armv7-M Architecture Reference Manual, B3.2.8); what it
/// gives has no right digest.
fn ignoring_bus_faults(read: &mut dyn FnMut()) {
    const BFHFNMIGN: u32 = 1 << 8;
    // SAFETY: nothing else runs that uses the SCB; a bit of a register is set and cleared again.
    unsafe {
        let scb = &*SCB::PTR;
        scb.ccr.modify(|ccr| ccr | BFHFNMIGN);
        asm!("cpsid f", options(nomem, nostack));
        read();
        asm!("dsb", "cpsie f", options(nostack));
        // Bus fault status: written ones clear it.
        scb.cfsr.write(0xFF00);
        scb.ccr.modify(|ccr| ccr & !BFHFNMIGN);
    }
}

headstart_firmware::memory!(MEMORY);
headstart_firmware::restart_on_faults!();
