#![no_std]
pub mod clock;
