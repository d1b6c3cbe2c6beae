//! Finds and makes cuts of a model: the layers that could be frozen, the best of them, and what is trained behind.

pub mod decoder;
pub mod freeze;
pub mod inspect;
pub mod layout;
pub mod sides;
pub mod tail;
