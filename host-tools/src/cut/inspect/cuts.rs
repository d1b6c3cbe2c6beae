//! What each sensible cut costs: in the backbone, in the feature cache, and in training what is behind it.

use headstart::graph::{Graph, ValueId};

use super::{FreezeKind, depends_on_input, find_classifier, freeze_points};

/// Samples a step for which memory is stated.
pub const BATCH: u64 = 20;

/// One cut, with everything behind it but the classifier trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The tensor, or `none` for the input.
    pub tensor: String,
    /// The node that makes it.
    pub node: String,
    /// Weights before the cut, a byte each.
    pub backbone_bytes: u64,
    /// Multiply-accumulates before the cut, once a sample.
    pub backbone_macs: u64,
    /// Multiply-accumulates behind the cut, for one answer; training takes three times as many a sample and
    /// epoch.
    pub tail_macs: u64,
    /// Numbers behind the cut that are trained.
    pub parameters: u64,
    /// Features of a sample, a byte each.
    pub feature_bytes: u64,
    /// What training takes at most with AdamW and [`BATCH`] samples a step: weights, their gradients and two
    /// moments, and all results with their gradients.
    pub training_bytes: u64,
}

/// The cuts through which everything passes, from the input on; the last one leaves the classifier alone.
#[must_use]
pub fn cuts(graph: &Graph) -> Vec<Cut> {
    let Some(classifier) = find_classifier(graph) else { return Vec::new() };
    let Ok(body) = graph.cut_at(&[classifier.features]) else { return Vec::new() };
    let mut places = vec![("none".to_owned(), String::new(), Vec::new())];
    for point in freeze_points(graph) {
        let found = body.value_named(&point.tensor).filter(|_| point.kind != FreezeKind::Branch);
        places.extend(found.map(|value| (point.tensor, point.node, vec![value])));
    }
    places
        .into_iter()
        .filter_map(|(tensor, node, frozen)| cut(&body, tensor, node, &frozen))
        .collect()
}

fn cut(body: &Graph, tensor: String, node: String, frozen: &[ValueId]) -> Option<Cut> {
    let (behind, crossing) = body.cut_behind(frozen).ok()?;
    let before = body.cut_at(&crossing).ok()?;
    let macs = |part: &Graph| part.nodes.iter().map(|node| part.multiply_accumulates(node)).sum();
    let elements = |graph: &Graph, id: ValueId| {
        graph.values[id].shape.iter().map(|&extent| extent as u64).product::<u64>()
    };
    let constants = |part: &Graph| -> u64 {
        part.values.iter().filter_map(|v| v.constant.as_ref()).map(|data| data.len() as u64).sum()
    };
    let depends = depends_on_input(&behind);
    let results: u64 =
        (0..behind.values.len()).filter(|&id| depends[id]).map(|id| elements(&behind, id)).sum();
    let parameters = constants(&behind);
    Some(Cut {
        tensor,
        node,
        backbone_bytes: constants(&before),
        backbone_macs: macs(&before),
        tail_macs: macs(&behind),
        parameters,
        feature_bytes: crossing.iter().map(|&id| elements(body, id)).sum(),
        training_bytes: 16 * parameters + 8 * BATCH * results,
    })
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Gemm, Op};

    use super::*;

    #[test]
    fn a_later_cut_trains_less_and_keeps_more() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 8]);
        graph.inputs.push(x);
        let gemm = || Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false });
        let mut y = x;
        for (layer, [from, to]) in [[8, 6], [6, 4], [4, 3]].into_iter().enumerate() {
            let data = vec![0.5; from * to];
            let weight = graph.add_constant(format!("w{layer}"), vec![from, to], data).unwrap();
            y = graph
                .add_node(format!("fc{layer}"), gemm(), vec![y, weight], format!("y{layer}"))
                .unwrap();
            if layer < 2 {
                let relu = Op::Activation(Activation::Relu);
                y = graph
                    .add_node(format!("r{layer}"), relu, vec![y], format!("z{layer}"))
                    .unwrap();
            }
        }
        graph.outputs.push(y);
        let found = cuts(&graph);
        let seen: Vec<_> = found
            .iter()
            .map(|cut| (cut.tensor.as_str(), cut.backbone_bytes, cut.parameters, cut.feature_bytes))
            .collect();
        assert_eq!(seen, [("none", 0, 72, 8), ("z0", 48, 24, 6), ("z1", 72, 0, 4)]);
        let [first, second, _] = &found[..] else { panic!("three cuts") };
        assert_eq!((first.tail_macs, second.backbone_macs, second.tail_macs), (72, 48, 24));
        // z0, y1 and z1 of 6, 4 and 4 elements.
        assert_eq!(second.training_bytes, 16 * 24 + 8 * 20 * 14);
    }
}
