//! The static library for firmware: `boards/build runtime/c/firmware TARGET`.
#![no_std]

pub use headstart_c::*;

/// The core does not panic; should it, the program stands still here, where a debugger or a watchdog finds it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
