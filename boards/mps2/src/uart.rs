//! Arm's CMSDK UART, polled: the machine's first serial port.

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use headstart_firmware::cable::Port;

unsafe extern "C" {
    static mut _headstart_uart: u32;
}

/// Words from the base: Cortex-M System Design Kit, technical reference manual, 4.3.
const DATA: usize = 0;
const STATE: usize = 1;
const CONTROL: usize = 2;
const DIVIDER: usize = 4;

const SEND_FULL: u32 = 1;
const RECEIVED: u32 = 2;
const ENABLE: u32 = 3;
/// The least that the UART takes; QEMU sends as fast as it can.
const LEAST_DIVIDER: u32 = 16;

/// The port, and SysTick, whose turns are its time-out: half a second to nearly one.
pub struct Uart(SYST);

impl Uart {
    /// Starts both, which nothing else may use then.
    #[must_use]
    pub fn new(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(0x00ff_ffff);
        timer.clear_current();
        timer.enable_counter();
        let uart = Self(timer);
        uart.set(DIVIDER, LEAST_DIVIDER);
        uart.set(CONTROL, ENABLE);
        uart
    }

    fn register(&self, register: usize) -> u32 {
        // SAFETY: a register of the UART, which only this uses.
        unsafe { (&raw const _headstart_uart).add(register).read_volatile() }
    }

    fn set(&self, register: usize, value: u32) {
        // SAFETY: as above.
        unsafe { (&raw mut _headstart_uart).add(register).write_volatile(value) }
    }

    /// Whether the bits of the state became those wanted in time.
    fn wait(&mut self, mask: u32, wanted: u32) -> bool {
        self.0.clear_current();
        while self.register(STATE) & mask != wanted {
            if self.0.has_wrapped() {
                return false;
            }
            // QEMU's own thread moves the bytes, and waits while a register is read.
            cortex_m::asm::delay(2000);
        }
        true
    }
}

impl Port for Uart {
    fn read(&mut self) -> Option<u8> {
        self.wait(RECEIVED, RECEIVED).then(|| self.register(DATA) as u8)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if !self.wait(SEND_FULL, 0) {
                return;
            }
            self.set(DATA, byte.into());
        }
    }
}
