//! Writes packs: the only place beside the parsers that knows the format.

use std::vec::Vec;

use super::container::{
    self, ACTIVATIONS, CHANNELS, HEAD, MANIFEST, NODES, ORDER, SIGNATURE, Sections, TABLES, TAIL,
    VALUES, WEIGHTS,
};
use super::signature::{MESSAGE_BYTES, Signature, family_is_valid, key_name};
use super::tail::TailSection;
use super::{BackboneSpec, Input, Manifest, ManifestV1, Plan, Provenance};
use crate::Error;
use crate::network::{Node, Value};

/// Everything that stands in a pack. `values[0]` is the input, `values[k + 1]` node `k`'s result.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// Where the pack came from.
    pub provenance: Provenance<'a>,
    /// The input tensor and its preprocessing.
    pub input: Input,
    /// Most classes that the head may grow to.
    pub max_classes: u32,
    /// The tensors: the input, then the result of each node.
    pub values: Vec<Value>,
    /// The nodes in the order of execution.
    pub nodes: Vec<Node<'a>>,
    /// Convolution weights.
    pub weights: Vec<i8>,
    /// Channel records: bias and multiplier.
    pub channels: Vec<(i32, f32)>,
    /// Tables of functions.
    pub tables: Vec<u8>,
    /// The section of a trainable tail, if the pack keeps one.
    pub tail: Option<Vec<u8>>,
    /// A head record to ship, if there is one.
    pub head: Option<Vec<u8>>,
}

/// The pack as bytes; the same contents give the same bytes. Opens the result before giving it.
///
/// # Errors
///
/// The rule that the contents break, as [`Pack::open`](super::Pack::open) says it.
pub fn emit(contents: &Contents<'_>) -> Result<Vec<u8>, Error> {
    let arena_bytes = contents.values.iter().map(|v| v.range().end).max().unwrap_or(0);
    let tail = contents.tail.as_deref().map(TailSection::parse).transpose()?;
    let last = contents.values.last().map_or(0, Value::elements);
    let features = tail.map_or(last, |tail| tail.head_inputs);
    let plan = u32::try_from(arena_bytes)
        .ok()
        .and_then(|arena| Plan::new(arena, features, contents.max_classes))
        .ok_or(Error::ShapeOverflow)?;
    let nodes = u32::try_from(contents.nodes.len()).map_err(|_| Error::ShapeOverflow)?;
    let manifest = Manifest::V1(ManifestV1 {
        provenance: contents.provenance,
        backbone: BackboneSpec { input: contents.input, nodes },
        plan,
    });
    let mut values = Vec::new();
    contents.values.iter().for_each(|value| value.emit(&mut values));
    let mut node_bytes = Vec::new();
    for (index, node) in (0_u32..).zip(&contents.nodes) {
        let bytes = postcard::to_allocvec(node).map_err(|_| Error::BadNode { index })?;
        node_bytes.extend_from_slice(&bytes);
    }
    let mut channels = Vec::new();
    for (bias, multiplier) in &contents.channels {
        channels.extend_from_slice(&bias.to_le_bytes());
        channels.extend_from_slice(&multiplier.to_le_bytes());
    }
    let mut bodies = Vec::from([
        (MANIFEST, postcard::to_allocvec(&manifest).map_err(|_| Error::BadManifest)?),
        (VALUES, values),
        (NODES, node_bytes),
        (WEIGHTS, bytemuck::cast_slice(&contents.weights).to_vec()),
        (CHANNELS, channels),
        (TABLES, contents.tables.clone()),
    ]);
    if let Some(tail) = &contents.tail {
        bodies.push((TAIL, tail.clone()));
    }
    if let Some(head) = &contents.head {
        bodies.push((HEAD, head.clone()));
    }
    // So that programs that do not know the node say that they are too old, and others read packs without it.
    let is_newer = contents.nodes.iter().any(|node| matches!(node, Node::Activation(_)));
    let bytes = container::emit(if is_newer { ACTIVATIONS } else { 1 }, &bodies);
    super::Pack::open(&bytes)?;
    Ok(bytes)
}

/// Signs a pack: its bytes with a signature, in place of one that they may have. `signer` signs the message that it is given with the
/// Ed25519 key that belongs to `public_key`.
///
/// # Errors
///
/// Those of [`Pack::open`](super::Pack::open); [`Error::OtherFamily`] for a name that no board family
/// can have.
pub fn sign(
    bytes: &[u8],
    family: &str,
    counter: u64,
    public_key: &[u8; 32],
    signer: impl FnOnce(&[u8; MESSAGE_BYTES]) -> [u8; 64],
) -> Result<Vec<u8>, Error> {
    if !family_is_valid(family) {
        return Err(Error::OtherFamily);
    }
    super::Pack::open(bytes)?;
    let sections = Sections::parse(bytes)?;
    let mut signature =
        Signature { family, counter, key: key_name(public_key), signature: [0; 64] };
    signature.signature = signer(&signature.message(&sections));
    let present = ORDER.into_iter().filter(|&kind| kind != SIGNATURE);
    let mut bodies: Vec<_> = present
        .filter_map(|kind| sections.get(kind).map(|(body, _)| (kind, body.to_vec())))
        .collect();
    bodies.push((SIGNATURE, signature.emit()));
    let bytes = container::emit(sections.version, &bodies);
    super::Pack::open(&bytes)?;
    Ok(bytes)
}
