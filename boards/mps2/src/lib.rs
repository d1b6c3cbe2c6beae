//! The board: its memory, its clock, and how it tells what happens.
#![no_std]

pub mod clock;
pub mod flash;
pub mod memory;
pub mod output;
pub mod uart;
