//! A decoder for segmentation on top of any backbone: the backbone's maps of several sizes become one.
//!
//! Each map passes a 1×1 convolution to a common width. From the coarsest on, what was found is enlarged
//! (bilinear), added to the next finer map and smoothed by a 3×3 convolution and a ReLU. This is the feature
//! pyramid of Lin et al. (2017) with the smoothing inside the path, as U-Net has it.

use headstart::graph::{Activation, Binary, Conv, Graph, GraphError, Op, Resize, ValueId, Window};

use crate::cut::inspect::{FreezeKind, freeze_points, freeze_points_of_part};
use crate::error::{Error, ModelProblem};
use crate::import::model::Model;

/// Options of a decoder that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoder {
    /// Channels of every map in the decoder, and of its result.
    pub width: usize,
    /// Input pixels for one of the result's on each axis; finer maps are not read.
    pub stride: usize,
    /// Seed of the weights.
    pub seed: u64,
}

/// A model with a decoder in place of what stood behind its feature maps.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The model. Its output is the map `[1, width, height, width]` that a layer of classes reads place by place.
    pub model: Model,
    /// The maps that the decoder reads, from the finest on.
    pub maps: Vec<ValueId>,
}

impl Decoder {
    /// Puts a decoder on top of `model`. Its nodes are called `decoder.lateral.N` and `decoder.smooth.N`, where 0 is the finest map.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] for a model without feature maps of that stride.
    pub fn append(&self, model: &Model) -> Result<Decoded, Error> {
        let maps = self.maps(model)?;
        let refuse = |problem| model.lacks(ModelProblem::Decoder(problem));
        let mut decoded = model.clone();
        let mut layers =
            Layers { graph: &mut decoded.imported.graph, random: self.seed, width: self.width };
        let output = layers.stack(&maps).map_err(refuse)?;
        let made = &decoded.imported.graph.values[model.imported.graph.values.len()..];
        let weights = made.iter().filter_map(|value| value.constant.as_ref());
        decoded.imported.weights += weights.map(|data| data.len() as u64).sum::<u64>();
        // What stood behind the maps is no part of the model any more.
        let graph = decoded.imported.graph.cut_at(&[output]).map_err(refuse)?;
        let name = |&map: &ValueId| graph.value_named(&model.imported.graph.values[map].name);
        let maps = maps.iter().filter_map(name).collect();
        decoded.imported.graph = graph;
        Ok(Decoded { model: decoded, maps })
    }

    /// The last narrow map of each size through which everything passes.
    ///
    /// Narrow, because inside a block a map may be expanded: it is then wider than twice the narrowest of its size.
    fn maps(&self, model: &Model) -> Result<Vec<ValueId>, Error> {
        let graph = model.simplified();
        let refuse = || model.lacks(ModelProblem::NoMaps { stride: self.stride });
        let [1, _, rows, columns] = graph.values[graph.inputs[0]].shape[..] else {
            return Err(refuse());
        };
        let points =
            if model.ends_whole() { freeze_points(&graph) } else { freeze_points_of_part(&graph) };
        let found: Vec<([usize; 2], usize, &str)> = points
            .iter()
            .filter(|point| point.kind == FreezeKind::Trunk)
            .filter_map(|point| match point.shape[..] {
                [1, channels, height, width] => {
                    Some(([height, width], channels, point.tensor.as_str()))
                }
                _ => None,
            })
            .filter(|&([height, width], ..)| {
                let coarse = |extent: usize, of: usize| of.div_ceil(extent) >= self.stride;
                height > 1 && width > 1 && coarse(height, rows) && coarse(width, columns)
            })
            .collect();
        let mut maps = Vec::new();
        let mut sizes: Vec<[usize; 2]> = found.iter().map(|&(size, ..)| size).collect();
        sizes.dedup();
        for size in sizes {
            let of_size = || found.iter().filter(|&&(other, ..)| other == size);
            let narrowest = of_size().map(|&(_, channels, _)| channels).min();
            let narrow = |channels| narrowest.is_some_and(|narrowest| channels <= 2 * narrowest);
            if let Some(&(.., tensor)) = of_size().rfind(|&&(_, channels, _)| narrow(channels)) {
                maps.push(model.value_named(tensor)?);
            }
        }
        maps.dedup();
        if maps.is_empty() { Err(refuse()) } else { Ok(maps) }
    }
}

/// Layers with fresh weights.
struct Layers<'a> {
    graph: &'a mut Graph,
    random: u64,
    width: usize,
}

impl Layers<'_> {
    fn stack(&mut self, maps: &[ValueId]) -> Result<ValueId, GraphError> {
        let mut above: Option<ValueId> = None;
        for (level, &map) in maps.iter().enumerate().rev() {
            let mut x = self.conv(map, &format!("decoder.lateral.{level}"), 1)?;
            if let Some(above) = above {
                let spatial = |graph: &Graph, id: ValueId| graph.values[id].shape[2..].to_vec();
                let (from, to) = (spatial(self.graph, above), spatial(self.graph, x));
                let resize = Op::Resize(Resize::linear(&from, &to));
                let above = self.node(resize, vec![above], &format!("decoder.enlarge.{level}"))?;
                let add = Op::Binary(Binary::Add);
                x = self.node(add, vec![x, above], &format!("decoder.add.{level}"))?;
            }
            x = self.conv(x, &format!("decoder.smooth.{level}"), 3)?;
            let relu = Op::Activation(Activation::Relu);
            above = Some(self.node(relu, vec![x], &format!("decoder.relu.{level}"))?);
        }
        above.ok_or(GraphError::Operands { found: 0 })
    }

    fn node(&mut self, op: Op, inputs: Vec<ValueId>, name: &str) -> Result<ValueId, GraphError> {
        self.graph.add_node(name, op, inputs, format!("{name}.result"))
    }

    /// A convolution that keeps the extents. Its weights are uniform with the variance 2 / fan-in before a ReLU
    /// and 1 / fan-in without one (He et al., 2015), its bias 0.
    fn conv(&mut self, x: ValueId, name: &str, kernel: usize) -> Result<ValueId, GraphError> {
        let channels = self.graph.values[x].shape[1];
        let fan_in = channels * kernel * kernel;
        let variance = if kernel > 1 { 2.0 } else { 1.0 } / fan_in as f64;
        let bound = (3.0 * variance).sqrt();
        let weights = (0..self.width * fan_in).map(|_| (bound * self.between()) as f32).collect();
        let shape = vec![self.width, channels, kernel, kernel];
        let weight = self.graph.add_constant(format!("{name}.weight"), shape, weights)?;
        let zeros = vec![0.0; self.width];
        let bias = self.graph.add_constant(format!("{name}.bias"), vec![self.width], zeros)?;
        let pads = vec![kernel / 2; 2];
        let window =
            Window { pads_begin: pads.clone(), pads_end: pads, ..Window::new(&[kernel; 2]) };
        self.node(Op::Conv(Conv { window, groups: 1 }), vec![x, weight, bias], name)
    }

    /// A number of −1…1, by SplitMix64 (Steele, Lea, Flood, 2014).
    fn between(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::import::onnx::testing::{Builder, ints};

    /// Four convolutions with stride 2 on 32×32, the second with an expansion behind it, and a classifier.
    fn model() -> Model {
        let halve = || vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])];
        let imported = Builder::new(13, &[0, 3, 32, 32])
            .weight("a", &[4, 3, 3, 3])
            .weight("b", &[6, 4, 3, 3])
            .weight("wide", &[20, 6, 1, 1])
            .weight("c", &[8, 20, 3, 3])
            .weight("d", &[10, 8, 3, 3])
            .weight("m", &[10, 5])
            .node("Conv", &["x", "a"], "half", halve())
            .node("Conv", &["half", "b"], "quarter", halve())
            .node("Conv", &["quarter", "wide"], "expanded", vec![])
            .node("Conv", &["expanded", "c"], "eighth", halve())
            .node("Conv", &["eighth", "d"], "sixteenth", halve())
            .node("GlobalAveragePool", &["sixteenth"], "mean", vec![])
            .node("Flatten", &["mean"], "flat", vec![])
            .node("MatMul", &["flat", "m"], "y", vec![])
            .import("y")
            .unwrap();
        Model { path: PathBuf::from("test.onnx"), imported }
    }

    #[test]
    fn a_decoder_reads_the_last_narrow_map_of_each_size() {
        for (stride, expected) in [
            (4, &["quarter", "eighth", "sixteenth"][..]),
            (2, &["half", "quarter", "eighth", "sixteenth"]),
            (16, &["sixteenth"]),
        ] {
            let decoder = Decoder { width: 7, stride, seed: 1 };
            let Decoded { model, maps } = decoder.append(&model()).unwrap();
            let graph = &model.imported.graph;
            let names: Vec<_> = maps.iter().map(|&id| graph.values[id].name.as_str()).collect();
            assert_eq!(names, expected);
            let side = 32 / stride;
            assert_eq!(graph.values[graph.outputs[0]].shape, [1, 7, side, side]);
        }
        let refused = Decoder { width: 7, stride: 32, seed: 1 }.append(&model()).unwrap_err();
        assert!(refused.to_string().contains("a stride of 32"), "{refused}");
    }

    #[test]
    fn weights_follow_from_the_seed_and_have_he_variance() {
        let weights = |seed| {
            let Decoded { model, .. } =
                Decoder { width: 48, stride: 4, seed }.append(&model()).unwrap();
            let graph = model.imported.graph;
            let id = graph.value_named("decoder.smooth.0.weight").unwrap();
            graph.values[id].constant.clone().unwrap()
        };
        let first = weights(1);
        assert_eq!(first, weights(1));
        assert_ne!(first, weights(2));
        let square: f64 = first.iter().map(|&w| f64::from(w).powi(2)).sum();
        let variance = square / first.len() as f64 * (48.0 * 9.0) / 2.0;
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
