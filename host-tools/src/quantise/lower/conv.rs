//! Convolutions and fully-connected layers.

use headstart::graph::{
    Conv as GraphConv, Gemm, Node as GraphNode, Scale, ValueId, Window as GraphWindow,
};
use headstart::network::{Conv, Node, WeightRows, Window};

use super::{Lowering, Why, narrow};
use crate::quantise::lowered::LoweredNode;
use crate::quantise::rounding::{Quantisation, QuantisedChannel, on_scale, quantise_channel};

/// Real weights of one convolution, `[out][row][column][in / groups]`, and its bias.
pub(super) struct Kernel {
    pub(super) window: Window,
    pub(super) groups: usize,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// Real value of one step of each output channel's weights, if the model says it.
    pub(super) own: Option<Vec<f32>>,
}

pub(super) const POINT: Window =
    Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };

/// One or two spatial dimensions as rows and columns.
pub(super) fn window(window: &GraphWindow) -> Result<Window, Why> {
    let pair = |list: &[usize], missing: usize| -> Result<[u16; 2], Why> {
        let at = |i: usize| narrow(list.get(i).copied().unwrap_or(missing));
        Ok([at(0)?, at(1)?])
    };
    if window.kernel.len() > 2 {
        return Err("three spatial dimensions; one or two are supported".into());
    }
    Ok(Window {
        kernel: pair(&window.kernel, 1)?,
        stride: pair(&window.strides, 1)?,
        dilation: pair(&window.dilations, 1)?,
        padding: pair(&window.pads_begin, 0)?,
    })
}

/// Whether all sums of a channel, and its bias among them, stay within what a pack may hold.
fn fits(channel: &QuantisedChannel, bias: f32, from: Quantisation) -> bool {
    let step = f64::from(from.scale) * f64::from(channel.scale);
    let weights: i64 = channel.weights.iter().map(|&w| i64::from(w)).sum();
    let bias = (f64::from(bias) / step - f64::from(from.zero_point) * weights as f64).abs();
    bias + 128.0 * 127.0 * channel.weights.len() as f64 + 1.0 < f64::from(1_u32 << 31)
}

impl Lowering<'_> {
    pub(super) fn conv(&mut self, node: &GraphNode, conv: &GraphConv) -> Result<(), Why> {
        let weight =
            self.constant(node.inputs[1]).ok_or("its weights are computed, not constant")?;
        let bias = self.bias(node)?;
        let shape = &self.graph.values[node.inputs[1]].shape;
        let (outputs, depth) = (shape[0], shape[1]);
        let taps: usize = shape[2..].iter().product();
        let mut weights = Vec::with_capacity(weight.len());
        for output in weight.chunks_exact(depth * taps) {
            for tap in 0..taps {
                weights.extend((0..depth).map(|channel| output[channel * taps + tap]));
            }
        }
        let bias = bias.map_or_else(|| vec![0.0; outputs], <[f32]>::to_vec);
        let (x, order) = self.image(node.inputs[0])?;
        let own = self.own_scales(node, 0, outputs, 1.0);
        let window = window(&conv.window)?;
        let kernel = Kernel { window, groups: conv.groups, weights, bias, own };
        self.convolve(node, x, &order, kernel)
    }

    pub(super) fn gemm(&mut self, node: &GraphNode, gemm: &Gemm) -> Result<(), Why> {
        if gemm.trans_a {
            return Err("a transposed first operand; export the model with transA = 0".into());
        }
        let bias = match self.bias(node)? {
            Some([bias]) => Some(vec![*bias; self.graph.values[node.output].shape[1]]),
            other => other.map(<[f32]>::to_vec),
        };
        let scaled = |list: Vec<f32>, factor: f32| list.into_iter().map(|v| v * factor).collect();
        let weights = self.matrix(node.inputs[1], gemm.trans_b)?;
        let bias = bias.map(|bias| scaled(bias, gemm.beta));
        let outputs = self.outputs(node)?;
        let own = self.own_scales(node, usize::from(!gemm.trans_b), outputs, gemm.alpha);
        self.dense(node, scaled(weights, gemm.alpha), bias, own)
    }

    pub(super) fn matmul(&mut self, node: &GraphNode) -> Result<(), Why> {
        let weights = self.matrix(node.inputs[1], false)?;
        let outputs = self.outputs(node)?;
        let own = self.own_scales(node, 1, outputs, 1.0);
        self.dense(node, weights, None, own)
    }

    /// How many a product gives for each row: the extent of its last axis.
    fn outputs(&self, node: &GraphNode) -> Result<usize, Why> {
        Ok(*self.dims(node.output)?.last().ok_or("a product without an axis")?)
    }

    /// The model's own scale of every output channel, which lie along `axis` of the weights, times `factor`.
    fn own_scales(
        &mut self,
        node: &GraphNode,
        axis: usize,
        outputs: usize,
        factor: f32,
    ) -> Option<Vec<f32>> {
        let found = match &self.graph.values[node.inputs[1]].scale {
            Some(Scale::Constant { scales, .. }) if scales.len() == 1 => {
                Some(vec![scales[0]; outputs])
            }
            Some(Scale::Constant { scales, axis: own }) if *own == axis => Some(scales.to_vec()),
            _ => None,
        };
        if found.is_none() && self.is_quantised {
            self.lowered.differences.push(format!(
                "node '{}': its weights have no scale a channel of their own and are quantised here",
                node.name
            ));
        }
        let factor = factor.abs();
        found
            .map(|scales| scales.into_iter().map(|scale| scale * factor).collect::<Vec<f32>>())
            .filter(|scales| scales.len() == outputs && scales.iter().all(|s| *s > 0.0))
    }

    fn bias(&self, node: &GraphNode) -> Result<Option<&'_ [f32]>, Why> {
        match node.inputs.get(2) {
            None => Ok(None),
            Some(&id) => Ok(Some(self.constant(id).ok_or("its bias is computed, not constant")?)),
        }
    }

    /// A constant matrix as `[outputs][inputs]`.
    fn matrix(&self, value: ValueId, transposed: bool) -> Result<Vec<f32>, Why> {
        let data = self
            .constant(value)
            .ok_or("a product of two computed tensors (attention) has no int8 form here")?;
        let [rows, columns] = self.graph.values[value].shape[..] else {
            return Err("a product with a constant of other than two dimensions".into());
        };
        if transposed {
            return Ok(data.to_vec());
        }
        Ok((0..columns).flat_map(|c| (0..rows).map(move |r| data[r * columns + c])).collect())
    }

    /// A fully-connected layer over the last axis: a convolution of extent 1.
    fn dense(
        &mut self,
        node: &GraphNode,
        weights: Vec<f32>,
        bias: Option<Vec<f32>>,
        own: Option<Vec<f32>>,
    ) -> Result<(), Why> {
        let view = self.view(node.inputs[0])?;
        let order: Vec<usize> = (0..view.dims.len()).collect();
        if order.len() > 3 {
            return Err(format!("a product over {} dimensions", order.len() + 1).into());
        }
        let outputs = self.outputs(node)?;
        let x = self.in_order(&view, &order)?;
        let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
        self.convolve(node, x, &order, Kernel { window: POINT, groups: 1, weights, bias, own })
    }

    /// Quantises a kernel and appends the convolution, with a clamp behind it fused.
    pub(super) fn convolve(
        &mut self,
        node: &GraphNode,
        x: u32,
        order: &[usize],
        kernel: Kernel,
    ) -> Result<(), Why> {
        let (output, min, max) = self.fused_clamp(node);
        let from = self.quantisation(x);
        let to = self.range(output)?;
        let (min, max) = Self::clamp(to, min, max);
        let outputs = kernel.bias.len();
        let channels = self.lowered.values[x as usize].extents[2];
        let depthwise = kernel.groups == channels && kernel.groups == outputs;
        let conv = Conv {
            input: x,
            window: kernel.window,
            groups: narrow(kernel.groups)?,
            weights: narrow(self.lowered.weights.len())?,
            channels: narrow(self.lowered.channels.len())?,
            min,
            max,
        };
        let row = kernel.weights.len() / outputs;
        let means = self.means(node.inputs[0], channels);
        let mut quantised = Vec::with_capacity(kernel.weights.len());
        let (mut cut, mut replaced) = (0, 0);
        let real = kernel.bias.iter().zip(kernel.weights.chunks_exact(row));
        for (index, (&bias, real)) in real.enumerate() {
            if self.is_outline {
                self.lowered.channels.push((0, 1.0));
                quantised.extend(std::iter::repeat_n(0, row));
                continue;
            }
            let own = kernel.own.as_ref().map(|scales| scales[index]);
            let held = own
                .and_then(|scale| on_scale(real, scale))
                .filter(|(channel, _)| fits(channel, bias, from));
            replaced += usize::from(own.is_some() && held.is_none());
            let is_held = held.is_some();
            let channel = match held {
                Some((channel, beyond)) => {
                    cut += beyond;
                    channel
                }
                None => {
                    let least = bias.abs() / (from.scale * (1_u32 << 29) as f32);
                    quantise_channel(real, least)
                }
            };
            let depth = channels / kernel.groups;
            let first = index / (outputs / kernel.groups) * depth;
            // The mean error of the rounded weights on the mean input is taken from the bias:
            // "bias correction", Nagel et al. 2019, https://arxiv.org/abs/1906.04721, section 4.2.
            let drift: f64 = means.as_ref().map_or(0.0, |means| {
                real.iter()
                    .zip(&channel.weights)
                    .enumerate()
                    .map(|(i, (&w, &q))| {
                        let error = f64::from(f32::from(q) * channel.scale) - f64::from(w);
                        error * f64::from(means[first + i % depth])
                    })
                    .sum()
            });
            let step = f64::from(from.scale) * f64::from(channel.scale);
            let weight_sum: i64 = channel.weights.iter().map(|&w| i64::from(w)).sum();
            let bias = ((f64::from(bias) - drift) / step).round_ties_even() as i64;
            let bias = bias - i64::from(from.zero_point) * weight_sum;
            let bias = i32::try_from(bias).map_err(|_| "a bias that overflows its integers")?;
            let multiplier = if is_held {
                // As ONNX Runtime rounds it.
                from.scale * channel.scale / to.scale
            } else {
                (step / f64::from(to.scale)) as f32
            };
            self.lowered.channels.push((bias, multiplier));
            quantised.extend(channel.weights);
        }
        if cut > 0 {
            self.lowered.differences.push(format!(
                "node '{}': {cut} of {} weights are −128, which packs do not hold: they are −127, one step less",
                node.name,
                kernel.weights.len()
            ));
        }
        if replaced > 0 {
            self.lowered.differences.push(format!(
                "node '{}': {replaced} of {outputs} channels have weights that are more than 127 steps from 0, or a \
                 bias too large for their scale: they are quantised here, by half a step of 1/127 of the largest \
                 weight at most",
                node.name
            ));
        }
        if depthwise {
            quantised = (0..row)
                .flat_map(|tap| (0..outputs).map(move |channel| (tap, channel)))
                .map(|(tap, channel)| quantised[channel * row + tap])
                .collect();
        } else {
            let rows = WeightRows { outputs: outputs / kernel.groups, products: row };
            quantised = quantised
                .chunks_exact(rows.outputs * row)
                .flat_map(|group| rows.arrange(group))
                .collect();
        }
        self.lowered.weights.extend(quantised);
        self.define(output, LoweredNode::Plain(Node::Conv(conv)), order, to)
    }

    /// The mean of every channel of a node's operand, if calibration knows it.
    fn means(&self, value: ValueId, channels: usize) -> Option<Vec<f32>> {
        self.ranges.channel_means.get(value).filter(|means| means.len() == channels).cloned()
    }
}
