//! The frozen part of a network: its nodes, and their execution in a caller's arena.

pub(crate) mod arena;
mod channels;
mod node;
mod run;
pub(crate) mod strips;
mod weights;

pub use channels::ChannelRecords;
pub use node::{
    AveragePool, Binary, BinaryOp, CHANNEL_BYTES, Conv, GridPool, Node, OPERAND_BYTES, PadMode,
    SOFTMAX_TABLE_BYTES, TABLE_BYTES, ValueId, Window, concat_operands,
};
pub use run::Backbone;
#[cfg(feature = "std")]
pub use run::Threads;
pub(crate) use run::{run, run_loaded};
pub use weights::{BLOCK, QUAD, WeightRows};
