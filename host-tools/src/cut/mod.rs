//! Where a model is cut: the layers that could be frozen, the best of them, and what is trained behind.

pub mod decoder;
pub mod freeze;
pub mod inspect;
pub mod layout;
pub mod sides;
pub mod tail;
