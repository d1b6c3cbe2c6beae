//! Pack, head and flash in one piece of the caller's memory: learn, answer, commit.

mod classes;
mod handle;
mod kept;
mod learn;

pub use classes::*;
pub use handle::*;
pub use kept::*;
pub use learn::*;
