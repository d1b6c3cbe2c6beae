//! The input that a graph has, and those that a model has beside it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use headstart::graph::elements;
use rten_onnx::onnx::{DataType, GraphProto, ValueInfoProto};

use super::context::{Bound, Context};
use super::define;
use crate::error::Problem;
use crate::import::imported::Known;
use crate::import::integer::IntegerType;

/// Most inputs that a message names.
const NAMED: usize = 4;

/// How many inputs a graph may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inputs {
    /// One, as a network on a device; others are left out.
    One,
    /// All of them.
    All,
}

/// The inputs that are neither constants nor bound, each once. Those that are bound get their values.
///
/// # Errors
///
/// [`Problem::Tensor`] for a name that has a value already.
pub(super) fn free<'a>(
    graph: &'a GraphProto,
    context: &mut Context<'_>,
    bindings: &mut BTreeMap<String, Known>,
) -> Result<Vec<&'a ValueInfoProto>, Problem> {
    let (mut free, mut seen) = (Vec::new(), HashSet::new());
    for info in &graph.input {
        let name = info.name.as_deref().unwrap_or_default();
        if let Some(known) = bindings.remove(name) {
            define(context, name, known)?;
        } else if context.find(name).is_none() && seen.insert(name) {
            free.push(info);
        }
    }
    Ok(free)
}

/// The inputs, those first that most nodes need alone.
pub(super) fn by_nodes<'a>(
    graph: &GraphProto,
    order: &[usize],
    mut inputs: Vec<&'a ValueInfoProto>,
) -> Vec<&'a ValueInfoProto> {
    /// The one input that a tensor needs; `None` for several.
    type Needs = Option<usize>;
    let name = |info: &'a ValueInfoProto| info.name.as_deref().unwrap_or_default();
    let places = inputs.iter().enumerate().map(|(at, &info)| (name(info), Some(at)));
    let mut needs: HashMap<&str, Needs> = places.collect();
    let mut counts = vec![0_usize; inputs.len()];
    for node in order.iter().map(|&at| &graph.node[at]) {
        let mut all = node.input.iter().filter_map(|name| needs.get(name.as_str()).copied());
        let Some(first) = all.next() else { continue };
        let of_node = first.filter(|_| all.all(|other| other == first));
        if let Some(input) = of_node {
            counts[input] += 1;
        }
        let outputs = node.output.iter().filter(|name| !name.is_empty());
        needs.extend(outputs.map(|name| (name.as_str(), of_node)));
    }
    let counts: HashMap<&str, usize> = inputs.iter().map(|&info| name(info)).zip(counts).collect();
    inputs.sort_by_key(|&info| Reverse(counts.get(name(info)).copied()));
    inputs
}

/// Takes over inputs, and gives those that are left out, with the reason.
///
/// # Errors
///
/// The first reason, where none of them can be an input here.
pub(super) fn take<'a>(
    context: &mut Context<'_>,
    inputs: &[&'a ValueInfoProto],
    size: Option<[usize; 2]>,
    how_many: Inputs,
) -> Result<Vec<(&'a str, Problem)>, Problem> {
    let name = |info: &'a ValueInfoProto| info.name.as_deref().unwrap_or_default();
    let mut refused = Vec::new();
    for &info in inputs {
        let problem = match (how_many, context.graph.inputs.first()) {
            (Inputs::One, Some(&taken)) => {
                let taken = &context.graph.values[taken].name;
                let all: Vec<&str> = inputs.iter().take(NAMED).map(|&info| name(info)).collect();
                let more = if inputs.len() > NAMED { ", …" } else { "" };
                let what = format!(
                    "is one of several inputs ({}{more}), and a backbone reads one: freeze at a tensor that needs \
                     {taken:?} only",
                    all.join(", ")
                );
                Problem::tensor(name(info), what)
            }
            _ => match add_input(context, name(info), info, size) {
                Ok(()) => continue,
                Err(problem) => problem,
            },
        };
        refused.push((name(info), problem));
    }
    if context.graph.inputs.is_empty() && !refused.is_empty() {
        return Err(refused.swap_remove(0).1);
    }
    Ok(refused)
}

fn add_input(
    context: &mut Context<'_>,
    name: &str,
    info: &ValueInfoProto,
    size: Option<[usize; 2]>,
) -> Result<(), Problem> {
    let refuse = |what: String| Problem::tensor(name, what);
    let Some(tensor) = info.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()) else {
        return Err(refuse("is an input that is no tensor".to_owned()));
    };
    let quantised = match tensor.elem_type.unwrap_or(DataType(0)) {
        DataType::FLOAT | DataType::FLOAT16 | DataType::BFLOAT16 | DataType::DOUBLE => None,
        DataType::INT8 => Some(IntegerType::Int8),
        DataType::UINT8 => Some(IntegerType::Uint8),
        other => {
            return Err(refuse(format!(
                "is an input of type {other}; export the model with a float input"
            )));
        }
    };
    let Some(dimensions) = tensor.shape.as_ref().map(|shape| &shape.dim) else {
        return Err(refuse("is an input without a shape; export the model with one".to_owned()));
    };
    let mut shape = Vec::new();
    for (i, dimension) in dimensions.iter().enumerate() {
        let stated = dimension.dim_value.filter(|&n| n > 0 || (n == 0 && i > 0));
        let other = size.filter(|_| dimensions.len() == 4 && i >= 2).map(|size| size[i - 2]);
        shape.push(match (other, stated, i) {
            (Some(extent), ..) => extent,
            (None, Some(extent), _) => usize::try_from(extent).unwrap_or(usize::MAX),
            // The batch size, which stays open in most models.
            (None, None, 0) => 1,
            (None, None, _) => {
                return Err(Problem::Open {
                    tensor: name.to_owned(),
                    dimension: i,
                    symbol: dimension.dim_param.clone().unwrap_or_else(|| "?".to_owned()),
                    is_size: dimensions.len() == 4 && i >= 2,
                });
            }
        });
    }
    if size.is_some() && shape.len() != 4 {
        return Err(refuse(format!(
            "has shape {shape:?}: only pictures can be given another size"
        )));
    }
    elements(&shape).map_err(|error| refuse(error.to_string()))?;
    let value = context.graph.add_value(name, shape);
    context.graph.inputs.push(value);
    let bound = match quantised {
        None => Bound::Float(value),
        Some(kind) => Bound::Quantised(value, kind),
    };
    context.bind(name, bound).map_err(refuse)
}
