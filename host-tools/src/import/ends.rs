//! Where a graph ends that was not taken over whole.

use headstart::graph::{Graph, ValueId};

use crate::import::imported::{Output, Source};

/// Makes what boundaries read outputs of the graph: in front of the others if the model's first output lies behind one.
pub(super) fn end_at(graph: &mut Graph, outputs: &mut [Output], frontier: Vec<ValueId>) {
    let depends = graph.depends_on_inputs();
    let mut is_output = vec![false; graph.values.len()];
    graph.inputs.iter().chain(&graph.outputs).for_each(|&id| is_output[id] = true);
    let mut ends: Vec<ValueId> = frontier;
    ends.retain(|&id| depends[id] && !std::mem::replace(&mut is_output[id], true));
    if !outputs.first().is_some_and(|output| matches!(output.source, Source::Behind)) {
        graph.outputs.extend(ends);
        return;
    }
    for output in outputs {
        match &mut output.source {
            Source::Floats(place) | Source::Indices(place, _) | Source::Quantised(place, _) => {
                *place += ends.len();
            }
            Source::Known(_) | Source::Behind => {}
        }
    }
    graph.outputs.splice(0..0, ends);
}
