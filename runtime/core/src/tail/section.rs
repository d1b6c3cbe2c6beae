//! The section `TAIL` as a graph, and back.

use std::string::String;
use std::vec;
use std::vec::Vec;

use half::f16;
use serde::{Deserialize, Serialize};

use super::{Crossing, Tail};
use crate::Error;
use crate::graph::{Graph, Node, Op, Value, ValueId, elements};
use crate::pack::{MAX_CROSSING, Pack, TAIL_VERSION, TailSection, TailStorage};

/// Most nodes, and most values.
const MAX_NODES: usize = 1 << 16;

/// The description of any version.
#[derive(Serialize, Deserialize)]
enum Description {
    V1(DescriptionV1),
}

#[derive(Serialize, Deserialize)]
struct DescriptionV1 {
    values: Vec<DescribedValue>,
    nodes: Vec<DescribedNode>,
    inputs: Vec<u32>,
    output: u32,
}

#[derive(Serialize, Deserialize)]
struct DescribedValue {
    name: String,
    shape: Vec<u32>,
    constant: bool,
}

#[derive(Serialize, Deserialize)]
struct DescribedNode {
    name: String,
    op: Op,
    inputs: Vec<u32>,
    output: u32,
}

/// The section's bytes for a graph of one output whose inputs are the pack's values `crossing`, rising.
///
/// # Errors
///
/// [`Error::BadTail`] for a graph of another form, [`Error::NotFinite`] for a constant that the storage
/// cannot hold, [`Error::ShapeOverflow`] past a limit.
pub fn emit(graph: &Graph, crossing: &[u32], storage: TailStorage) -> Result<Vec<u8>, Error> {
    section(graph, crossing, storage, false)
}

/// The section's bytes for a graph whose output is a map `[1, channels, height, width]`, each place of which the head
/// reads by itself: one answer a place.
///
/// # Errors
///
/// As [`emit`]; [`Error::BadTail`] for an output of another form.
pub fn emit_per_place(
    graph: &Graph,
    crossing: &[u32],
    storage: TailStorage,
) -> Result<Vec<u8>, Error> {
    section(graph, crossing, storage, true)
}

fn section(
    graph: &Graph,
    crossing: &[u32],
    storage: TailStorage,
    per_place: bool,
) -> Result<Vec<u8>, Error> {
    let narrow = |n: usize| u32::try_from(n).map_err(|_| Error::ShapeOverflow);
    let list = |ids: &[usize]| ids.iter().map(|&id| narrow(id)).collect::<Result<Vec<_>, _>>();
    let [output] = graph.outputs[..] else { return Err(Error::BadTail) };
    if graph.inputs.len() != crossing.len() || crossing.len() > MAX_CROSSING {
        return Err(Error::BadTail);
    }
    let mut values = Vec::with_capacity(graph.values.len());
    let mut constants = Vec::new();
    for value in &graph.values {
        values.push(DescribedValue {
            name: value.name.clone(),
            shape: list(&value.shape)?,
            constant: value.constant.is_some(),
        });
        for &number in value.constant.iter().flat_map(|data| data.iter()) {
            match element_bytes(storage, &value.shape) {
                2 => constants.extend(checked_half(number)?.to_le_bytes()),
                _ => constants.extend(number.to_le_bytes()),
            }
        }
    }
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for Node { name, op, inputs, output } in &graph.nodes {
        let (inputs, output) = (list(inputs)?, narrow(*output)?);
        nodes.push(DescribedNode { name: name.clone(), op: op.clone(), inputs, output });
    }
    let (inputs, output_id) = (list(&graph.inputs)?, narrow(output)?);
    let description = Description::V1(DescriptionV1 { values, nodes, inputs, output: output_id });
    let description = postcard::to_allocvec(&description).map_err(|_| Error::BadTail)?;
    let shape = graph.values.get(output).map(|value| value.shape.as_slice()).unwrap_or_default();
    let head_inputs = head_inputs(shape, per_place)?;

    let mut bytes = Vec::new();
    bytes.extend(TAIL_VERSION.to_le_bytes());
    bytes.push(u8::from(storage == TailStorage::F16) | (u8::from(per_place) << 1));
    bytes.push(u8::try_from(crossing.len()).map_err(|_| Error::ShapeOverflow)?);
    bytes.extend(narrow(head_inputs)?.to_le_bytes());
    bytes.extend(narrow(description.len())?.to_le_bytes());
    bytes.extend(crossing.iter().flat_map(|id| id.to_le_bytes()));
    bytes.extend(description);
    bytes.extend(constants);
    Ok(bytes)
}

impl Tail {
    /// The tail of a pack, checked; `None` where it has none.
    ///
    /// # Errors
    ///
    /// [`Error::BadTail`] and [`Error::BadTailNode`] for a description that breaks a rule,
    /// [`Error::ShapeOverflow`] past a limit, [`Error::Truncated`] and [`Error::TrailingBytes`] for
    /// constants of another length, [`Error::NotFinite`] for one that is no number.
    pub fn parse(pack: &Pack<'_>) -> Result<Option<Self>, Error> {
        let Some(section) = pack.tail() else { return Ok(None) };
        let Ok((Description::V1(description), [])) = postcard::take_from_bytes(section.description)
        else {
            return Err(Error::BadTail);
        };
        let graph = checked(description, section)?;
        let crossing: Vec<Crossing> = pack.crossing().map(|value| Crossing::new(&value)).collect();
        let fits = graph.inputs.len() == crossing.len()
            && graph.inputs.iter().zip(&crossing).all(|(&input, crossing)| {
                let shape = graph.values.get(input).map(|value| value.shape.as_slice());
                shape.is_some_and(|shape| {
                    shape.len() >= 2
                        && shape.first() == Some(&1)
                        && elements(shape).ok() == Some(crossing.elements)
                })
            });
        let per_place = section.per_place;
        if fits { Ok(Some(Self { graph, crossing, per_place })) } else { Err(Error::BadTail) }
    }
}

/// The graph, with every shape, order and length checked.
fn checked(description: DescriptionV1, section: &TailSection<'_>) -> Result<Graph, Error> {
    let DescriptionV1 { values, nodes, inputs, output } = description;
    if values.len() > 4 * MAX_NODES || nodes.len() > MAX_NODES {
        return Err(Error::ShapeOverflow);
    }
    let ids = |list: Vec<u32>| list.into_iter().map(|id| id as ValueId).collect::<Vec<_>>();
    let mut graph =
        Graph { inputs: ids(inputs), outputs: vec![output as usize], ..Graph::default() };
    let mut defined = Vec::with_capacity(values.len());
    let mut rest = section.constants;
    for value in values {
        let shape: Vec<usize> = value.shape.into_iter().map(|extent| extent as usize).collect();
        let count = elements(&shape).map_err(|_| Error::ShapeOverflow)?;
        if count == 0 {
            return Err(Error::BadTail);
        }
        let mut constant = None;
        if value.constant {
            let element = element_bytes(section.storage, &shape);
            let bytes = count.checked_mul(element).ok_or(Error::ShapeOverflow)?;
            let (own, behind) = rest.split_at_checked(bytes).ok_or(Error::Truncated)?;
            rest = behind;
            let numbers: Vec<f32> = numbers(own, element);
            if !numbers.iter().all(|number| number.is_finite()) {
                return Err(Error::NotFinite);
            }
            constant = Some(numbers.into());
        }
        defined.push(value.constant);
        graph.values.push(Value { name: value.name, shape, constant, scale: None });
    }
    if !rest.is_empty() {
        return Err(Error::TrailingBytes);
    }
    let mut define = |id: ValueId| match defined.get_mut(id) {
        Some(place @ false) => {
            *place = true;
            true
        }
        _ => false,
    };
    if !graph.inputs.iter().all(|&id| define(id)) {
        return Err(Error::BadTail);
    }
    for (index, node) in (0_u32..).zip(nodes) {
        let bad = Error::BadTailNode { index };
        let inputs = ids(node.inputs);
        let mut shapes: Vec<&[usize]> = Vec::with_capacity(inputs.len());
        for &input in &inputs {
            let value = graph.values.get(input).filter(|_| defined.get(input) == Some(&true));
            shapes.push(value.ok_or(bad)?.shape.as_slice());
        }
        let shape = node.op.output_shape(&shapes).map_err(|_| bad)?;
        let output = node.output as usize;
        match defined.get_mut(output) {
            Some(place @ false) => *place = true,
            _ => return Err(bad),
        }
        if graph.values.get(output).is_none_or(|value| value.shape != shape) {
            return Err(bad);
        }
        graph.nodes.push(Node { name: node.name, op: node.op, inputs, output });
    }
    let last =
        graph.values.get(output as usize).filter(|_| defined.get(output as usize) == Some(&true));
    let shape = last.ok_or(Error::BadTail)?.shape.as_slice();
    let found = head_inputs(shape, section.per_place)?;
    if found != section.head_inputs as usize || shape.first() != Some(&1) {
        return Err(Error::BadTail);
    }
    Ok(graph)
}

/// What the head reads of an output of that shape: all of it, or one place of a map.
fn head_inputs(shape: &[usize], per_place: bool) -> Result<usize, Error> {
    match *shape {
        [1, channels, _, _] if per_place => Ok(channels),
        _ if per_place => Err(Error::BadTail),
        _ => elements(shape).map_err(|_| Error::ShapeOverflow),
    }
}

/// Bytes of one element of a constant of that shape.
pub(super) fn element_bytes(storage: TailStorage, shape: &[usize]) -> usize {
    if storage == TailStorage::F16 && shape.len() > 1 { 2 } else { 4 }
}

/// Little-endian float16 (2 bytes each) or float32 (4).
pub(super) fn numbers(bytes: &[u8], element: usize) -> Vec<f32> {
    match element {
        2 => bytes.as_chunks().0.iter().map(|&two| f16::from_le_bytes(two).to_f32()).collect(),
        _ => bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect(),
    }
}

/// A number as float16, if it is within its range.
pub(super) fn checked_half(number: f32) -> Result<f16, Error> {
    let half = f16::from_f32(number);
    if half.is_finite() { Ok(half) } else { Err(Error::NotFinite) }
}
