//! The board: its memory, its clock, and how it tells what happens.
#![no_std]

pub mod clock;
pub mod memory;
pub mod output;
