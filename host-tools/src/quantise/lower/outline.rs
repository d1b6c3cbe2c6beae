//! Outlines the int8 network without its numbers: what can be said of a pack before a sample is seen.

use headstart::graph::{Graph, ValueId};
use headstart::head::MAX_FEATURES;

use super::{Lowering, Why, crossing, pooled};
use crate::cut::inspect::{self, FreezePoint};
use crate::cut::layout::{self, Order};
use crate::error::LowerError;
use crate::import::imported::IntegerMeans;
use crate::import::model::Model;
use crate::import::scales::is_quantised;
use crate::quantise::calibrate::Ranges;
use crate::quantise::equalise::ChannelScales;
use crate::quantise::lowered::Lowered;
use crate::quantise::own_scales;
use crate::quantise::rounding::Quantisation;

/// The outline of [`lower`](super::lower), which samples do not change: nodes, shapes and places are those of the pack, scales are 1 and
/// weights 0.
///
/// # Errors
///
/// As [`lower`](super::lower).
pub fn outline(graph: &Graph, grid: usize) -> Result<Lowered, LowerError> {
    pooled(Lowering::of_outline(graph, &any_ranges(graph))?, grid)
}

/// The outline of [`lower_for_tail`](super::lower_for_tail), which samples do not change; scales are 1 and weights 0.
///
/// # Errors
///
/// As [`lower_for_tail`](super::lower_for_tail).
pub fn outline_for_tail(graph: &Graph) -> Result<(Lowered, Vec<usize>), LowerError> {
    crossing(Lowering::of_outline(graph, &any_ranges(graph))?)
}

/// Lists the freeze points of a simplified graph at which a pack can be made: all in front of them has an int8 form, and some of it has
/// weights.
#[must_use]
pub fn freeze_points(graph: &Graph) -> Vec<FreezePoint> {
    that_can_be_packed(graph, inspect::freeze_points(graph))
}

/// Lists the freeze points that can be packed of a simplified model, or of a part of it that ends where the model does.
#[must_use]
pub fn freeze_points_of(model: &Model, graph: &Graph) -> Vec<FreezePoint> {
    match model.ends_whole() {
        true => freeze_points(graph),
        false => that_can_be_packed(graph, inspect::freeze_points_of_part(graph)),
    }
}

fn that_can_be_packed(graph: &Graph, mut points: Vec<FreezePoint>) -> Vec<FreezePoint> {
    let possible = possible(graph);
    points.retain(|point| possible[point.value] && point.macs > 0);
    points
}

/// The first node of a simplified graph that has no int8 form, or the input; `None` if all of it has one.
#[must_use]
pub fn obstacle(graph: &Graph) -> Option<LowerError> {
    let ranges = any_ranges(graph);
    Lowering::of_outline(graph, &ranges).and_then(|mut lowering| lowering.nodes()).err()
}

/// Of every value, whether a backbone can end in it.
fn possible(graph: &Graph) -> Vec<bool> {
    let mut possible = vec![false; graph.values.len()];
    let ranges = any_ranges(graph);
    let Ok(mut lowering) = Lowering::of_outline(graph, &ranges) else { return possible };
    let orders = layout::orders(graph);
    for (index, node) in graph.nodes.iter().enumerate() {
        // What reads a node without a form has none either: its operand has no view.
        let is_there = lowering.lowered.views[node.output].is_some()
            || lowering.node(index).and_then(|()| lowering.settle(node.output)).is_ok();
        // What they hold is asked of nobody.
        lowering.lowered.tables.clear();
        possible[node.output] =
            is_there && lowering.could_end(node.output, orders[node.output].as_ref()).is_ok();
    }
    possible
}

/// The scales that the model states, and 1 for all others.
fn any_ranges(graph: &Graph) -> Ranges {
    let any = Quantisation { scale: 1.0, zero_point: 0 };
    let known = own_scales::known(graph).quantisation.into_iter();
    let scales = match is_quantised(graph) {
        true => ChannelScales::default(),
        false => ChannelScales::ones(graph),
    };
    Ranges {
        scales,
        quantisation: known.map(|known| known.or(Some(any))).collect(),
        channel_means: Vec::new(),
        features: Some(any),
        integer_means: IntegerMeans::new(),
    }
}

impl<'a> Lowering<'a> {
    fn of_outline(graph: &'a Graph, ranges: &'a Ranges) -> Result<Self, LowerError> {
        Ok(Self { is_outline: true, ..Self::new(graph, ranges)? })
    }

    /// Whether features can be made of a value that is there; leaves no trace.
    fn could_end(&mut self, value: ValueId, order: Option<&Order>) -> Result<(), Why> {
        let (nodes, values) = (self.lowered.nodes.len(), self.lowered.values.len());
        let found = self.unpooled(value, order.map(Vec::as_slice));
        let found = found.map(|at| (at, self.lowered.values[at as usize].extents));
        self.lowered.nodes.truncate(nodes);
        self.lowered.values.truncate(values);
        let (at, [height, width, channels]) = found?;
        let features = if order.is_some() { channels } else { height * width * channels };
        if at == 0 {
            return Err(super::NOTHING_LEFT.into());
        }
        if features > MAX_FEATURES {
            return Err("more features than a head reads".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Conv, Op, Pad, PadMode, Window};

    use super::super::MOST_FUNCTION_CHANNELS;
    use super::*;

    /// `x → map → smaller → resized → last`, all maps of 32 channels.
    fn network() -> Graph {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 3, 8, 8]);
        graph.inputs.push(x);
        let turned = Op::Transpose { permutation: vec![0, 2, 3, 1] };
        let turned = graph.add_node("turned", turned, vec![x], "turned").unwrap();
        let back = Op::Transpose { permutation: vec![0, 3, 1, 2] };
        let back = graph.add_node("back", back, vec![turned], "back").unwrap();
        let conv = |graph: &mut Graph, name: &str, x: ValueId, strides: usize| {
            let inputs = graph.values[x].shape[1];
            let data = vec![0.5; 32 * inputs];
            let shape = vec![32, inputs, 1, 1];
            let weight = graph.add_constant(format!("{name}.w"), shape, data).unwrap();
            let window = Window { strides: vec![strides; 2], ..Window::new(&[1; 2]) };
            let conv = Op::Conv(Conv { window, groups: 1 });
            graph.add_node(name, conv, vec![x, weight], name).unwrap()
        };
        let map = conv(&mut graph, "map", back, 1);
        let small = conv(&mut graph, "small", map, 2);
        let around = vec![0, 0, 2, 2];
        let pad = Op::Pad(Pad { begin: around.clone(), end: around, mode: PadMode::Wrap });
        let large = graph.add_node("large", pad, vec![small], "large").unwrap();
        let last = conv(&mut graph, "last", large, 1);
        graph.outputs.push(last);
        graph
    }

    #[test]
    fn only_what_a_pack_can_end_in_is_a_freeze_point() {
        let graph = network();
        let all = inspect::freeze_points(&graph);
        assert!(all.iter().any(|point| point.node == "last"));
        assert!(all.iter().any(|point| point.node == "turned"));
        let points: Vec<String> = freeze_points(&graph).into_iter().map(|p| p.node).collect();
        assert_eq!(points, ["map", "small"]);
    }

    /// The extents of the features at a node that is put on top of `map`.
    fn features(op: Op, grid: usize) -> [usize; 3] {
        let mut graph = network();
        let map = graph.value_named("map").unwrap();
        let end = graph.add_node("end", op, vec![map], "end").unwrap();
        let graph = graph.cut_at(&[end]).unwrap();
        outline(&graph, grid).unwrap().values.last().unwrap().extents
    }

    #[test]
    fn features_are_pooled_over_places_wherever_the_channels_stand() {
        for permutation in [[0, 1, 2, 3], [0, 2, 3, 1], [0, 2, 1, 3]] {
            let turned = || Op::Transpose { permutation: permutation.to_vec() };
            assert_eq!(features(turned(), 1), [1, 1, 32], "{permutation:?}");
            assert_eq!(features(turned(), 2), [2, 2, 32], "{permutation:?}");
        }
        let mean = || Op::ReduceMean { axes: vec![2, 3], keep_dims: false };
        assert_eq!(features(mean(), 1), [1, 1, 32]);
        // Half of the channels beside the other half, as places are: nothing is pooled.
        assert_eq!(features(Op::Reshape { shape: vec![1, 64, 32] }, 1), [64, 1, 32]);
        assert_eq!(features(Op::Reshape { shape: vec![1, 64, 4, 2, 4] }, 1), [1, 1, 2048]);
    }

    #[test]
    fn functions_of_more_channels_than_a_pack_takes_are_refused_where_they_are_too_many() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 1, 1, 1]);
        graph.inputs.push(x);
        let channels = MOST_FUNCTION_CHANNELS / 2;
        let weight = graph.add_constant("w", vec![channels, 1, 1, 1], vec![0.5; channels]).unwrap();
        let conv = Op::Conv(Conv { window: Window::new(&[1; 2]), groups: 1 });
        let mut last = graph.add_node("conv", conv, vec![x, weight], "conv").unwrap();
        for name in ["first", "second", "third"] {
            let sigmoid = Op::Activation(Activation::Sigmoid);
            last = graph.add_node(name, sigmoid, vec![last], name).unwrap();
        }
        graph.outputs.push(last);
        let refused = obstacle(&graph).unwrap();
        assert_eq!(refused.node, "third");
        assert!(refused.to_string().contains("393216 channels"), "{refused}");
    }

    #[test]
    fn an_outline_has_the_shapes_of_the_network_and_no_weights() {
        let graph = network();
        let graph = graph.cut_at(&[graph.value_named("small").unwrap()]).unwrap();
        let outline = outline(&graph, 2).unwrap();
        assert_eq!(outline.values.last().unwrap().extents, [2, 2, 32]);
        assert!(outline.weights.iter().all(|&w| w == 0) && outline.weights.len() >= 32 * 35);
        let whole = network();
        let refused = super::outline(&whole, 1).unwrap_err().to_string();
        assert!(refused.contains("'large'"), "{refused}");
    }
}
