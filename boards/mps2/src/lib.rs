//! The board: its memory, its clock, and how it tells what happens.
#![no_std]

pub mod clock;
pub mod flash;
pub mod memory;
pub mod output;
pub mod uart;

unsafe extern "C" {
    fn DefaultHandler();
}

/// The vectors behind those of the core: no program here enables an interrupt, so a table of 240 or 480 is
/// left out. One stays, so that the section is there.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [unsafe extern "C" fn(); 1] = [DefaultHandler];
