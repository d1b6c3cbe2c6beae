//! Headstart for C and C++: what `headstart.h` declares.
//!
//! | face | for | stands on |
//! | --- | --- | --- |
//! | [`session`], with [`pack`] and [`flash`] | firmware: the caller's memory, no heap, no operating system | the core |
//! | `device` | Linux: a pack and a state folder | `headstart-device` |
//!
//! It is thin: types in, types out. Both faces give the bytes that every other door gives. `headstart.h` is made of these sources by
//! `cbindgen`, and a test holds the two against each other.
//!
//! # Unsafe code
//!
//! A door for C takes pointers that it cannot check. What each function needs of them stands in its documentation; all of them
//! refuse null pointers where one is needed. No panic crosses: with `device` each call catches them, and without it, in firmware, the
//! core does not panic on any input.
#![cfg_attr(not(feature = "device"), no_std)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the documentation is the header's, where every function is called from C; what pointers must lead to is said there"
)]

pub mod answer;
mod call;
#[cfg(feature = "device")]
pub mod device;
pub mod flash;
pub mod pack;
pub mod session;
pub mod status;
