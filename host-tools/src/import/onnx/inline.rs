//! Calls of a model's own functions, replaced by what the functions do.

use std::collections::HashMap;

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::attributes::NodeView;
use super::parts::Function;
use super::{MAX_NODES, MAX_OPERANDS};
use crate::error::Problem;

/// Deepest nesting of calls. Exporters nest a module a level.
const MAX_CALLS_DEEP: usize = 32;

/// Most bytes that all calls together repeat of what the file says once, whatever the file, and for each of its bytes.
const ANY_BYTES: usize = 1 << 24;
const BYTES_PER_BYTE: usize = 8;

/// The version of ONNX's operators that each node of the graph has, calls replaced in place.
///
/// # Errors
///
/// [`Problem::Limit`] for calls that become too many nodes or nest too deep.
pub(super) fn inline(
    graph: &mut GraphProto,
    functions: &[Function],
    opset: i64,
    file_bytes: usize,
) -> Result<Vec<i64>, Problem> {
    if functions.is_empty() {
        return Ok(vec![opset; graph.node.len()]);
    }
    let mut by_name: HashMap<(&str, &str), Option<&Function>> = HashMap::new();
    for function in functions {
        // Of several of one name it is not known which one is called.
        let is_only = |known: &mut Option<&Function>| *known = None;
        let name = (function.domain.as_str(), function.name.as_str());
        let known = function.overload.is_empty().then_some(function);
        by_name.entry(name).and_modify(is_only).or_insert(known);
    }
    let mut left = ANY_BYTES.saturating_add(file_bytes.saturating_mul(BYTES_PER_BYTE));
    // Nodes that wait, the next one last, with their operator set and how deep they stand.
    let mut waiting: Vec<(NodeProto, i64, usize)> =
        std::mem::take(&mut graph.node).into_iter().rev().map(|node| (node, opset, 0)).collect();
    let (mut done, mut opsets) = (Vec::with_capacity(waiting.len()), Vec::new());
    let mut operands = 0;
    while let Some((node, opset, depth)) = waiting.pop() {
        let view = NodeView::new(&node, opset);
        let found = by_name.get(&(view.domain(), view.operator())).copied().flatten();
        let Some(function) = found else {
            operands += node.input.len();
            done.push(node);
            opsets.push(opset);
            continue;
        };
        let what = "the functions of the model call each other too deep";
        Problem::check_limit(what, depth + 1, MAX_CALLS_DEEP)?;
        let what = "the functions of the model are called so often that it has too many nodes";
        Problem::check_limit(what, done.len() + waiting.len() + function.nodes.len(), MAX_NODES)?;
        let what = "the functions of the model are called so often that it has too many operands";
        Problem::check_limit(what, operands, MAX_OPERANDS)?;
        // What names grow by is counted too.
        let names: usize = node.output.first().map_or(0, String::len) + view.name.len();
        let repeated =
            function.bytes.saturating_add(names.saturating_mul(4 * function.nodes.len()));
        left = left.checked_sub(repeated).ok_or(Problem::Limit {
            what: "the functions of the model are called so often that they repeat too many bytes",
            found: repeated as u64,
            limit: left as u64,
        })?;
        let opset = function.opset.unwrap_or(opset);
        let body = body(&node, &view.name, function);
        waiting.extend(body.into_iter().rev().map(|node| (node, opset, depth + 1)));
    }
    graph.node = done;
    Ok(opsets)
}

/// The nodes of a function, with the names and attributes of a call.
fn body(call: &NodeProto, name: &str, function: &Function) -> Vec<NodeProto> {
    let prefix = call.output.iter().find(|name| !name.is_empty()).map_or(name, String::as_str);
    let mut names: HashMap<&str, String> = HashMap::new();
    for (index, inner) in function.inputs.iter().enumerate() {
        names.insert(inner, call.input.get(index).cloned().unwrap_or_default());
    }
    let mut passed = Vec::new();
    for (index, inner) in function.outputs.iter().enumerate() {
        let outer = call.output.get(index).cloned().unwrap_or_default();
        if outer.is_empty() {
            continue;
        }
        // A function may give an operand, or one result twice.
        if let Some(source) = names.get(inner.as_str()) {
            passed.push((source.clone(), outer));
        } else {
            names.insert(inner, outer);
        }
    }
    let renamed = |inner: &String| match names.get(inner.as_str()) {
        Some(outer) => outer.clone(),
        None if inner.is_empty() => String::new(),
        None => format!("{prefix}/{inner}"),
    };
    let mut nodes: Vec<NodeProto> = Vec::with_capacity(function.nodes.len() + passed.len());
    for (node, stated) in function.nodes.iter().zip(&function.stated) {
        let mut node = node.clone();
        let inner = NodeView::new(&node, 0).name;
        node.name = Some(format!("{name}/{inner}"));
        node.input = node.input.iter().map(renamed).collect();
        node.output = node.output.iter().map(renamed).collect();
        for (attribute, outer) in stated {
            node.attribute.retain(|known| known.name.as_ref() != Some(attribute));
            let said = call.attribute.iter().chain(&function.defaults.attribute);
            if let Some(said) = said.into_iter().find(|said| said.name.as_ref() == Some(outer)) {
                let mut said = said.clone();
                said.name = Some(attribute.clone());
                node.attribute.push(said);
            }
        }
        nodes.push(node);
    }
    for (source, outer) in passed {
        nodes.push(NodeProto {
            name: Some(format!("{name}/{outer}")),
            op_type: Some("Identity".to_owned()),
            input: vec![source],
            output: vec![outer],
            ..NodeProto::default()
        });
    }
    nodes
}
