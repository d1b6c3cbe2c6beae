//! The frozen part of a network as data: its values, its nodes, and the rules that tie them.

mod activation;
mod chain;
mod channels;
mod node;
mod rules;
mod value;
mod weights;

pub use activation::{Activation, Curve, FACTOR_BYTES, LINES, LINES_BYTES};
pub(crate) use chain::{Chain, MOST_STAGES, Part, Stage};
pub use channels::ChannelRecords;
pub use node::{
    AveragePool, Binary, BinaryOp, CHANNEL_BYTES, Conv, GridPool, Halves, IntegerMean, Node,
    OPERAND_BYTES, PadMode, SOFTMAX_TABLE_BYTES, TABLE_BYTES, ValueId, Window, concat_operands,
};
pub use value::{MAX_ELEMENTS, MAX_EXTENT, Value};
pub use weights::{BLOCK, QUAD, WeightRows};

use crate::Error;

/// Values and nodes, and what the nodes refer to, borrowed from the sections of a pack. Nodes are decoded one at a
/// time as they are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    pub(crate) values: &'a [u8],
    pub(crate) nodes: &'a [u8],
    pub(crate) node_count: u32,
    pub(crate) weights: &'a [i8],
    pub(crate) channels: &'a [u8],
    pub(crate) tables: &'a [u8],
    /// Whether a node may be an [`Activation`], which packs of version 1 do not have.
    pub(crate) has_activations: bool,
}

impl<'a> Network<'a> {
    /// Number of nodes; there is one value more.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        self.node_count
    }

    /// Description of value `index`; 0 is the input, the last one holds the features.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] past the last one.
    pub fn value(&self, index: ValueId) -> Result<Value, Error> {
        Value::parse(self.values, index)
    }

    /// The nodes in the order of execution, decoded as they are asked for.
    pub fn nodes(&self) -> impl Iterator<Item = Result<Node<'a>, Error>> + use<'a> {
        let mut rest = self.nodes;
        (0..self.node_count).map(move |index| {
            let (node, behind) =
                postcard::take_from_bytes(rest).map_err(|_| Error::BadNode { index })?;
            rest = behind;
            Ok(node)
        })
    }

    /// All convolution weights.
    #[must_use]
    pub fn weights(&self) -> &'a [i8] {
        self.weights
    }

    /// `count` channel records from `first` on; empty if they are not all there.
    #[must_use]
    pub fn channels(&self, first: u32, count: u32) -> ChannelRecords<'a> {
        let start = (first as usize).saturating_mul(CHANNEL_BYTES);
        let end = start.saturating_add((count as usize).saturating_mul(CHANNEL_BYTES));
        ChannelRecords::new(self.channels.get(start..end).unwrap_or(&[]))
    }

    /// `length` bytes of the tables of functions from `start` on; empty if they are not all there.
    #[must_use]
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn table(&self, start: u32, length: usize) -> &'a [u8] {
        let start = start as usize;
        self.tables.get(start..start.saturating_add(length)).unwrap_or(&[])
    }

    /// All tables of functions.
    #[must_use]
    pub fn tables(&self) -> &'a [u8] {
        self.tables
    }
}
