//! What each node of the backbone costs, on one thread.

use std::time::{Duration, Instant};

use headstart::backbone::Backbone;
use headstart::kernels::Kernels;
use headstart::network::{Node, Value};
use headstart::pack::Pack;
use serde::Serialize;

use super::times::{BUDGET, LEAST_RUNS, MOST_RUNS, Times};
use crate::extract::Extractor;
use crate::samples::Decoded;

/// One node of the backbone and its time, from the end of the node before it to its own end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// What the node computes.
    pub node: &'static str,
    /// Rows, columns and channels of the result.
    pub shape: [u32; 3],
    /// How many multiply-accumulates the node takes.
    pub macs: u64,
    /// Microseconds that the node took.
    pub us: Times,
}

/// Times every node on the sample, many times over.
pub(super) fn measure(
    pack: &Pack<'_>,
    kernels: Kernels,
    sample: &Decoded,
) -> Result<Vec<Layer>, headstart::Error> {
    let mut extractor = Extractor::new(*pack, kernels, 1);
    extractor.preprocess(sample)?;
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    let mut backbone = Backbone::new(*pack, &mut arena)?.with_kernels(kernels);
    let mut times = vec![Vec::new(); pack.nodes().count()];
    let start = Instant::now();
    for run in 0..MOST_RUNS {
        if run > LEAST_RUNS && start.elapsed() > BUDGET {
            break;
        }
        let mut taken = vec![Duration::ZERO; times.len()];
        let mut before = Instant::now();
        backbone.run(extractor.input(), |value, _, _, _| {
            // Value 0 is the input; a node may run in several strips.
            if let Some(node) = (value as usize).checked_sub(1) {
                taken[node] += before.elapsed();
            }
            before = Instant::now();
        })?;
        // The first run warms up.
        if run > 0 {
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
        }
    }
    let nodes = (1..).zip(pack.nodes()).zip(times);
    nodes
        .map(|((index, node), mut times)| {
            let (node, value) = (node?, pack.value(index)?);
            times.sort_unstable();
            Ok(Layer {
                node: name(&node, pack, &value)?,
                shape: [value.height, value.width, value.channels],
                macs: macs(&node, pack, &value)?,
                us: Times::new(&times, 1e6),
            })
        })
        .collect()
}

fn name(node: &Node<'_>, pack: &Pack<'_>, value: &Value) -> Result<&'static str, headstart::Error> {
    Ok(match node {
        Node::Conv(conv) if conv.is_depthwise(&pack.value(conv.input)?, value) => "depthwise",
        Node::Conv(_) => "conv",
        Node::Table { .. } => "table",
        Node::Activation(_) => "activation",
        Node::Binary(_) => "binary",
        Node::MaxPool { .. } => "max pool",
        Node::AveragePool(_) | Node::IntegerMean(_) => "average pool",
        Node::GridPool(_) => "grid pool",
        Node::Concat { .. } => "concat",
        Node::Pad { .. } => "pad",
        Node::Permute { .. } => "permute",
        Node::Softmax { .. } => "softmax",
    })
}

/// Multiply-accumulates of a convolution, padding included; 0 of any other node.
fn macs(node: &Node<'_>, pack: &Pack<'_>, value: &Value) -> Result<u64, headstart::Error> {
    let Node::Conv(conv) = node else { return Ok(0) };
    let each = conv.weights_per_channel(&pack.value(conv.input)?).unwrap_or(0);
    Ok(u64::from(value.elements()) * u64::from(each))
}
