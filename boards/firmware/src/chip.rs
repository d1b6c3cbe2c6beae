//! A macro that ends every chip's `main.rs`, in the names of its own crates (`cortex-m`, `cortex-m-rt`, `defmt`).

/// Handlers of panics and hard faults: the board tells the place and starts anew, with the head that was committed last.
#[macro_export]
macro_rules! restart_on_faults {
    () => {
        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
            match info.location() {
                Some(place) => defmt::error!("panic at {=str}:{=u32}", place.file(), place.line()),
                None => defmt::error!("panic"),
            }
            cortex_m::peripheral::SCB::sys_reset()
        }

        #[cortex_m_rt::exception]
        unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
            defmt::error!("hard fault at {=u32:x}", frame.pc());
            cortex_m::peripheral::SCB::sys_reset()
        }
    };
}

/// A function `memory`, to be called once, that gives so many bytes of static memory, aligned to four.
#[macro_export]
macro_rules! memory {
    ($bytes:expr) => {
        fn memory() -> &'static mut [u8] {
            static mut WORDS: [u32; $bytes / 4] = [0; $bytes / 4];
            let words = &raw mut WORDS;
            // SAFETY: the only reference, as this is called once; words are bytes.
            unsafe { core::slice::from_raw_parts_mut(words.cast(), $bytes) }
        }
    };
}
