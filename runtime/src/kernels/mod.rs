//! The arithmetic of int8 nodes.
//!
//! [`generic`] is the written definition: plain loops, always compiled. Every other kernel equals
//! it bit for bit.

pub mod generic;
