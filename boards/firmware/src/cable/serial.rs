//! A UART of any HAL as a port.

use embedded_hal_nb::nb;
use embedded_hal_nb::serial::{Read, Write};

use super::Port;

/// A UART, and a counter that runs on, for its time-outs.
#[derive(Debug)]
pub struct Serial<U, C> {
    uart: U,
    counter: C,
    second: u32,
}

impl<U: Read + Write, C: Fn() -> u32> Serial<U, C> {
    /// Makes a port of a UART. `counter` goes up by `second` a second, and wraps around.
    pub fn new(uart: U, counter: C, second: u32) -> Self {
        Self { uart, counter, second }
    }

    /// Tries until it is done or a second is over.
    fn within<T, E>(&mut self, mut attempt: impl FnMut(&mut U) -> nb::Result<T, E>) -> Option<T> {
        let start = (self.counter)();
        loop {
            match attempt(&mut self.uart) {
                Ok(done) => return Some(done),
                // A byte was lost or damaged; its frame's check sum will tell.
                Err(nb::Error::WouldBlock | nb::Error::Other(_)) => {}
            }
            if (self.counter)().wrapping_sub(start) > self.second {
                return None;
            }
        }
    }
}

impl<U: Read + Write, C: Fn() -> u32> Port for Serial<U, C> {
    fn read(&mut self) -> Option<u8> {
        self.within(U::read)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.within(|uart| uart.write(byte)).is_none() {
                return;
            }
        }
    }
}
