//! Moves factors into the weights around a tensor.

use headstart::graph::{Binary, Graph, Node, Op, ValueId};

use super::ChannelScales;

/// The graph whose tensors are those of `graph`, divided by their scales: weights and offsets are others, and functions of one element have to
/// be told the scales of what they read and write.
#[must_use]
pub fn absorbed(graph: &Graph, scales: &ChannelScales) -> Graph {
    let mut readers = vec![0_usize; graph.values.len()];
    graph.nodes.iter().flat_map(|node| &node.inputs).for_each(|&id| readers[id] += 1);
    let mut work = Work { absorbed: graph.clone(), readers };
    for (index, node) in graph.nodes.iter().enumerate() {
        work.node(index, node, scales);
    }
    work.absorbed
}

struct Work {
    absorbed: Graph,
    readers: Vec<usize>,
}

impl Work {
    fn node(&mut self, index: usize, node: &Node, scales: &ChannelScales) {
        let (from, to) = (scales.of(node.inputs[0]), scales.of(node.output));
        let is_scaled = |&id: &ValueId| scales.of(id).is_some();
        if to.is_none() && !node.inputs.iter().any(is_scaled) {
            return;
        }
        let read = |channel: usize| from.map_or(1.0, |scales| scales[channel]);
        let written = |channel: usize| to.map_or(1.0, |scales| scales[channel]);
        match &node.op {
            Op::Conv(conv) => {
                let shape = self.shape(node.inputs[1]);
                let (outputs, depth) = (shape[0], shape[1]);
                let taps: usize = shape[2..].iter().product();
                let in_group = outputs / conv.groups;
                self.edit(index, 1, |weights| {
                    for (at, weight) in weights.iter_mut().enumerate() {
                        let (output, channel) = (at / taps / depth, at / taps % depth);
                        *weight *= read(output / in_group * depth + channel) / written(output);
                    }
                });
                self.bias(index, node, outputs, written);
            }
            Op::Gemm(_) | Op::MatMul => {
                let transposed = matches!(&node.op, Op::Gemm(gemm) if gemm.trans_b);
                let columns = self.shape(node.inputs[1])[1];
                self.edit(index, 1, |weights| {
                    for (at, weight) in weights.iter_mut().enumerate() {
                        let (row, column) = (at / columns, at % columns);
                        let (input, output) =
                            if transposed { (column, row) } else { (row, column) };
                        *weight *= read(input) / written(output);
                    }
                });
                let outputs = self.shape(node.output)[1];
                self.bias(index, node, outputs, written);
            }
            Op::BatchNormalization { .. } => {
                self.edit(index, 1, |scale| each(scale, |c, s| s * read(c) / written(c)));
                self.edit(index, 2, |bias| each(bias, |c, b| b / written(c)));
                self.edit(index, 3, |mean| each(mean, |c, m| m / read(c)));
            }
            // A constant with a number a channel is in the scales of the sum. One number is in a table.
            Op::Binary(Binary::Add | Binary::Sub) => {
                let is_constant = |&at: &usize| {
                    let constant = &self.absorbed.values[node.inputs[at]].constant;
                    constant.as_ref().is_some_and(|constant| constant.len() > 1)
                };
                if let Some(at) = (0..2).find(is_constant) {
                    self.edit(index, at, |constant| each(constant, |c, v| v / written(c)));
                }
            }
            // Whatever commutes with a factor, and tables, which are told.
            _ => {}
        }
    }

    fn shape(&self, value: ValueId) -> Vec<usize> {
        self.absorbed.values[value].shape.clone()
    }

    /// Divides the third operand by the scales of the outputs, of which it has one number each, or one for all.
    fn bias(&mut self, index: usize, node: &Node, outputs: usize, written: impl Fn(usize) -> f32) {
        let Some(&id) = node.inputs.get(2) else { return };
        let is_one = self.absorbed.values[id].constant.as_ref().is_some_and(|c| c.len() == 1);
        let own = self.edit(index, 2, |bias| {
            if is_one {
                *bias = vec![bias[0]; outputs];
            }
            each(bias, |c, b| b / written(c));
        });
        if is_one {
            self.absorbed.values[own].shape = vec![outputs];
        }
    }

    /// Changes a constant operand for this node alone, and gives the operand.
    fn edit(&mut self, index: usize, at: usize, change: impl FnOnce(&mut Vec<f32>)) -> ValueId {
        let id = self.absorbed.nodes[index].inputs[at];
        let Some(constant) = &self.absorbed.values[id].constant else { return id };
        let mut data = constant.to_vec();
        change(&mut data);
        if self.readers.get(id).is_none_or(|&readers| readers == 1) {
            self.absorbed.values[id].constant = Some(data.into());
            return id;
        }
        // Other nodes read it as it was.
        let mut own = self.absorbed.values[id].clone();
        own.constant = Some(data.into());
        self.absorbed.values.push(own);
        let id = self.absorbed.values.len() - 1;
        self.absorbed.nodes[index].inputs[at] = id;
        id
    }
}

fn each(list: &mut [f32], change: impl Fn(usize, f32) -> f32) {
    list.iter_mut().enumerate().for_each(|(channel, value)| *value = change(channel, *value));
}
