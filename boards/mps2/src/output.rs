//! What leaves the board: a file for bytes that are compared, `defmt` for everything else.

use semihosting::fs::File;
use semihosting::io::Write;

/// A file on the host, in the folder that QEMU runs in.
pub struct Output(File);

impl Output {
    /// Creates it, or ends the run.
    #[must_use]
    pub fn create(path: &core::ffi::CStr) -> Self {
        match File::create(path) {
            Ok(file) => Self(file),
            Err(_) => {
                defmt::error!("the host does not let a file be created");
                semihosting::process::exit(1)
            }
        }
    }

    /// Writes all of `bytes`, or ends the run.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.0.write_all(bytes).is_err() {
            defmt::error!("the host does not take what is written");
            semihosting::process::exit(1)
        }
    }
}

#[cfg(not(any(feature = "cases", feature = "faults")))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    match info.location() {
        Some(place) => defmt::error!("panic at {=str}:{=u32}", place.file(), place.line()),
        None => defmt::error!("panic"),
    }
    semihosting::process::exit(101)
}

/// A hard fault ends the run as a panic does.
#[cfg(not(feature = "faults"))]
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:x}", frame.pc());
    semihosting::process::exit(102)
}
