//! An int8 network before it has an arena: what lowering makes, planning places and a pack holds.

mod view;

pub use view::{Order, View, channels_last};

use headstart::network::Node;

use crate::quantise::rounding::Quantisation;

/// An int8 node before it is written.
#[derive(Clone, Debug)]
pub enum LoweredNode {
    /// Any node that owns nothing.
    Plain(Node<'static>),
    /// A concatenation of values with their multipliers.
    Concat {
        /// The axis: 0 rows, 1 columns, 2 channels.
        axis: u8,
        /// The value of each operand, and its multiplier: input scale / output scale.
        operands: Vec<(u32, f32)>,
    },
}

impl LoweredNode {
    /// Calls `read` with every value that the node reads.
    pub fn operands(&self, mut read: impl FnMut(u32)) {
        match self {
            Self::Plain(node) => node.operands(read),
            Self::Concat { operands, .. } => operands.iter().for_each(|&(value, _)| read(value)),
        }
    }
}

/// An int8 tensor before it has a place in the arena.
#[derive(Clone, Copy, Debug)]
pub struct LoweredValue {
    /// Rows, columns, channels.
    pub extents: [usize; 3],
    /// The scale and zero point of its integers.
    pub quantisation: Quantisation,
}

/// The int8 network, and what a pack keeps of it.
#[derive(Clone, Debug, Default)]
pub struct Lowered {
    /// The values: 0 is the input, and node `k` defines value `k + 1`.
    pub values: Vec<LoweredValue>,
    /// The nodes, in the order of execution.
    pub nodes: Vec<LoweredNode>,
    /// All convolution weights.
    pub weights: Vec<i8>,
    /// Bias and multiplier of every output channel.
    pub channels: Vec<(i32, f32)>,
    /// Tables of functions.
    pub tables: Vec<u8>,
    /// Where each tensor of the graph can be seen.
    pub views: Vec<Option<View>>,
    /// The values that a tail reads, rising; empty where the last value holds the features.
    pub crossing: Vec<u32>,
    /// Whether the model's own axes are `[channels, height, width]`.
    pub channels_first: bool,
    /// Differences between the int8 network and what a quantised model says, a line each.
    pub differences: Vec<String>,
}
