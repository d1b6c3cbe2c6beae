//! Executes the frozen part of a network in a caller's arena.

mod operands;
mod run;
mod strips;

#[cfg(feature = "burn")]
pub(crate) use operands::{activation, output};
pub use run::Backbone;
#[cfg(feature = "std")]
pub use run::Threads;
pub(crate) use run::{run, run_loaded};
