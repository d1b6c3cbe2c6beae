//! Writes the int8 network to the bytes of a pack.

use headstart::Error;
use headstart::network::{Node, Value};
use headstart::pack::{Contents, Input, Preprocessing, Provenance, emit};

use crate::quantise::lowered::{Lowered, LoweredNode};
use crate::quantise::plan::{Aim, plan};

/// The parts of a pack beside its network.
#[derive(Clone, Debug)]
pub struct Description<'a> {
    /// Where the pack came from.
    pub provenance: Provenance<'a>,
    /// How pixels become input values.
    pub preprocessing: Preprocessing,
    /// The most classes that the head may grow to.
    pub max_classes: u32,
    /// The aim of the arena's plan.
    pub arena: Aim,
    /// The section of a trainable tail.
    pub tail: Option<Vec<u8>>,
    /// A head record to ship.
    pub head: Option<Vec<u8>>,
}

/// Writes the bytes of a pack.
///
/// # Errors
///
/// The rule of the format that the network breaks: an extent past a limit, say.
pub fn pack_bytes(lowered: &Lowered, description: &Description<'_>) -> Result<Vec<u8>, Error> {
    let narrow = |n: usize| u32::try_from(n).map_err(|_| Error::ShapeOverflow);
    let mut values = Vec::with_capacity(lowered.values.len());
    let plan = plan(lowered, description.arena);
    let places = plan.offsets.into_iter().zip(plan.kept_rows);
    for (value, (offset, kept_rows)) in lowered.values.iter().zip(places) {
        let [height, width, channels] = value.extents;
        values.push(Value {
            offset: narrow(offset)?,
            height: narrow(height)?,
            width: narrow(width)?,
            channels: narrow(channels)?,
            scale: value.quantisation.scale,
            zero_point: value.quantisation.zero_point,
            kept_rows,
        });
    }
    let operand_bytes: Vec<Vec<u8>> = lowered.nodes.iter().map(operand_bytes).collect();
    let nodes = lowered.nodes.iter().zip(&operand_bytes).map(|(node, bytes)| match node {
        LoweredNode::Plain(node) => *node,
        LoweredNode::Concat { axis, .. } => Node::Concat { axis: *axis, operands: bytes },
    });
    let first = values.first().ok_or(Error::BadManifest)?;
    emit(&Contents {
        provenance: description.provenance,
        input: Input {
            height: first.height,
            width: first.width,
            channels: first.channels,
            channels_first: lowered.channels_first,
            preprocessing: description.preprocessing,
        },
        max_classes: description.max_classes,
        nodes: nodes.collect(),
        weights: lowered.weights.clone(),
        channels: lowered.channels.clone(),
        tables: lowered.tables.clone(),
        tail: description.tail.clone(),
        head: description.head.clone(),
        values,
    })
}

fn operand_bytes(node: &LoweredNode) -> Vec<u8> {
    match node {
        LoweredNode::Plain(_) => Vec::new(),
        LoweredNode::Concat { operands, .. } => operands
            .iter()
            .flat_map(|(value, multiplier)| {
                value.to_le_bytes().into_iter().chain(multiplier.to_le_bytes())
            })
            .collect(),
    }
}
