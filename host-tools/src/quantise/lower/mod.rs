//! From the float graph and its ranges to the int8 nodes of a pack.

mod affine;
mod binary;
mod conv;
mod curve;
mod join;
mod order;
mod outline;
mod pool;
mod resize;
mod table;

pub use outline::{freeze_points, freeze_points_of, obstacle, outline, outline_for_tail};

use headstart::graph::{Graph, Node as GraphNode, Op, ValueId};
use headstart::network::Node;

use crate::cut::layout;
use crate::error::{LowerError, NoForm as Why};
use crate::import::scales;
use crate::quantise::calibrate::Ranges;
use crate::quantise::equalise::absorbed;
use crate::quantise::lowered::{Lowered, LoweredNode, LoweredValue, Order, View, channels_last};
use crate::quantise::own_scales;
use crate::quantise::rounding::Quantisation;

/// Lowers a simplified graph with one output, which is pooled to a `grid × grid` map of features
/// if it is an image that is larger than that. Where its axes cannot be told apart, all of it are features.
///
/// # Errors
///
/// [`LowerError`] names the first node without an int8 form.
pub fn lower(graph: &Graph, ranges: &Ranges, grid: usize) -> Result<Lowered, LowerError> {
    pooled(Lowering::new(&absorbed(graph, &ranges.scales), ranges)?, grid)
}

fn pooled(mut lowering: Lowering<'_>, grid: usize) -> Result<Lowered, LowerError> {
    let graph = lowering.graph;
    lowering.nodes()?;
    lowering.features(grid).map_err(|why| at_freeze_point(graph, graph.outputs[0], why))?;
    let mut lowered = lowering.lowered;
    order::reorder(&mut lowered);
    Ok(lowered)
}

/// Lowers a simplified graph for a tail, which reads its outputs as they are; also gives their places among [`Lowered::crossing`].
///
/// # Errors
///
/// As [`lower`].
pub fn lower_for_tail(graph: &Graph, ranges: &Ranges) -> Result<(Lowered, Vec<usize>), LowerError> {
    crossing(Lowering::new(&absorbed(graph, &ranges.scales), ranges)?)
}

fn crossing(mut lowering: Lowering<'_>) -> Result<(Lowered, Vec<usize>), LowerError> {
    let graph = lowering.graph;
    lowering.nodes()?;
    let mut values = Vec::with_capacity(graph.outputs.len());
    for &output in &graph.outputs {
        let (value, _) =
            lowering.image(output).map_err(|why| at_freeze_point(graph, output, why))?;
        values.push(value);
    }
    let mut lowered = lowering.lowered;
    lowered.crossing.clone_from(&values);
    lowered.crossing.sort_unstable();
    lowered.crossing.dedup();
    let mut places = Vec::with_capacity(values.len());
    for value in &values {
        let place = lowered.crossing.binary_search(value).expect("it holds each of these values");
        if places.contains(&place) {
            let why =
                "two features of the tail are one tensor on the device: freeze one node later";
            return Err(at_freeze_point(graph, graph.outputs[places.len()], why.into()));
        }
        places.push(place);
    }
    // One feature: the order of execution may change as for any backbone.
    if lowered.crossing.len() == 1 && lowered.crossing[0] as usize + 1 == lowered.values.len() {
        let last = lowered.crossing[0];
        order::reorder(&mut lowered);
        lowered.crossing = vec![last];
    }
    Ok((lowered, places))
}

fn at_freeze_point(graph: &Graph, value: ValueId, why: Why) -> LowerError {
    LowerError { node: graph.values[value].name.clone(), operator: "freeze point", why }
}

/// Channels with a function of their own, over all nodes: of each 256 results are computed, and kept where no curve gives them.
const MOST_FUNCTION_CHANNELS: usize = 1 << 18;

/// The work in progress.
struct Lowering<'a> {
    graph: &'a Graph,
    ranges: &'a Ranges,
    lowered: Lowered,
    /// For each value how many nodes and outputs read it, and the last node that does.
    readers: Vec<(usize, Option<usize>)>,
    /// Whether the model brings scales along.
    is_quantised: bool,
    /// Whether weights are left out.
    is_outline: bool,
    /// Points of curves, and where they stand among the tables.
    points: Vec<(Vec<u8>, u32)>,
    /// Channels that have been given functions of their own.
    function_channels: usize,
}

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph, ranges: &'a Ranges) -> Result<Self, LowerError> {
        let lowered = Lowered { views: vec![None; graph.values.len()], ..Lowered::default() };
        let is_quantised = scales::is_quantised(graph);
        let mut readers = vec![(0, None); graph.values.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&id| readers[id] = (readers[id].0 + 1, Some(index)));
        }
        graph.outputs.iter().for_each(|&id| readers[id].0 += 1);
        let mut lowering = Self {
            graph,
            ranges,
            lowered,
            readers,
            is_quantised,
            is_outline: false,
            points: Vec::new(),
            function_channels: 0,
        };
        let input = graph.inputs[0];
        lowering.input(input).map_err(|why| LowerError {
            node: graph.values[input].name.clone(),
            operator: "input",
            why,
        })?;
        Ok(lowering)
    }

    fn input(&mut self, input: ValueId) -> Result<(), Why> {
        let dims = self.dims(input)?;
        let (channels_first, order) = input_order(&dims);
        self.lowered.channels_first = channels_first;
        let extents = extents(&dims, &order);
        self.lowered.values.push(LoweredValue { extents, quantisation: self.range(input)? });
        self.lowered.views[input] = Some(View::contiguous(0, dims, &order));
        Ok(())
    }

    /// All nodes that are not part of another one's int8 form.
    fn nodes(&mut self) -> Result<(), LowerError> {
        for (index, node) in self.graph.nodes.iter().enumerate() {
            if self.lowered.views[node.output].is_none() {
                self.node(index).and_then(|()| self.settle(node.output)).map_err(|why| {
                    LowerError { node: node.name.clone(), operator: node.op.name(), why }
                })?;
            }
        }
        Ok(())
    }

    fn node(&mut self, index: usize) -> Result<(), Why> {
        let node = &self.graph.nodes[index];
        match &node.op {
            Op::Conv(conv) => self.conv(node, conv),
            Op::Gemm(gemm) => self.gemm(node, gemm),
            Op::MatMul => self.matmul(node),
            Op::BatchNormalization { epsilon } => self.batch_normalization(node, *epsilon),
            Op::Activation(activation) => self.activation(node, *activation),
            Op::PRelu => self.prelu(node),
            Op::Binary(op) => self.binary(node, *op),
            Op::MaxPool(pool) => self.max_pool(node, pool),
            Op::MaxPoolIndices(_) => Err("the places of the maxima have no int8 form".into()),
            Op::Resize(resize) => self.resize(node, resize),
            Op::AveragePool(pool) => self.average_pool(node, pool),
            Op::GlobalAveragePool => {
                let rank = self.dims(node.inputs[0])?.len();
                self.mean(node, &(1..rank).collect::<Vec<_>>())
            }
            Op::ReduceMean { axes, .. } => {
                let axes: Option<Vec<usize>> =
                    axes.iter().map(|axis| axis.checked_sub(1)).collect();
                self.mean(node, &axes.ok_or("a mean over the batch has no meaning on a device")?)
            }
            Op::Softmax { axis, flatten } => self.softmax(node, *axis, *flatten),
            Op::Concat { axis } => self.concat(node, *axis),
            Op::Pad(pad) => self.pad(node, pad),
            Op::Reshape { shape } => self.reshape(node, shape),
            Op::Transpose { permutation } => self.transpose(node, permutation),
        }
    }

    /// Extents of a tensor without its batch, which must be 1.
    fn dims(&self, value: ValueId) -> Result<Vec<usize>, Why> {
        match self.graph.values[value].shape.split_first() {
            Some((1, dims)) if !dims.is_empty() => Ok(dims.to_vec()),
            _ => Err(format!(
                "a tensor of shape {:?} has no batch of 1 in front",
                self.graph.values[value].shape
            )
            .into()),
        }
    }

    fn view(&self, value: ValueId) -> Result<View, Why> {
        self.lowered.views[value]
            .clone()
            .ok_or_else(|| "a constant stands where the backbone needs a computed tensor".into())
    }

    fn constant(&self, value: ValueId) -> Option<&'a [f32]> {
        self.graph.values[value].constant.as_deref()
    }

    /// What the integers of a graph tensor mean.
    fn range(&self, value: ValueId) -> Result<Quantisation, Why> {
        self.ranges.quantisation[value]
            .ok_or_else(|| Why::NoRange { tensor: self.graph.values[value].name.clone() })
    }

    /// Rounds a graph tensor to the scale that the model gives it, if it is of another.
    fn settle(&mut self, output: ValueId) -> Result<(), Why> {
        let (Some(view), Some(to)) =
            (self.lowered.views[output].clone(), own_scales::own(&self.graph.values[output]))
        else {
            return Ok(());
        };
        if self.quantisation(view.value) != to {
            let value = self.table_of(view.value, to, |x| x)?;
            self.lowered.views[output] = Some(View { value, ..view });
        }
        Ok(())
    }

    /// Counts channels that get functions of their own.
    fn count_functions(&mut self, channels: usize) -> Result<(), Why> {
        self.function_channels = self.function_channels.saturating_add(channels);
        if self.function_channels > MOST_FUNCTION_CHANNELS {
            return Err(format!(
                "up to here functions of {} channels, more than the {MOST_FUNCTION_CHANNELS} of a pack",
                self.function_channels
            )
            .into());
        }
        Ok(())
    }

    fn quantisation(&self, value: u32) -> Quantisation {
        self.lowered.values[value as usize].quantisation
    }

    /// The only reader of `value`, unless it is wanted outside.
    fn sole_reader(&self, value: ValueId) -> Option<&'a GraphNode> {
        match self.readers[value] {
            (1, Some(index)) => Some(&self.graph.nodes[index]),
            _ => None,
        }
    }

    /// The tensor that a node's result becomes when a clamp behind it is fused, and its bounds. A result that
    /// the model rounds before the clamp stays as it is.
    fn fused_clamp(&self, node: &GraphNode) -> (ValueId, f32, f32) {
        if own_scales::own(&self.graph.values[node.output]).is_none()
            && let Some(reader) = self.sole_reader(node.output)
            && let Op::Activation(activation) = reader.op
            && let Some((min, max)) = activation.clamp()
            && min <= max
        {
            return (reader.output, min, max);
        }
        (node.output, f32::NEG_INFINITY, f32::INFINITY)
    }

    /// Bounds of a clamp as integers of the tensor that it gives.
    fn clamp(quantisation: Quantisation, min: f32, max: f32) -> (i8, i8) {
        (quantisation.quantise(f64::from(min)), quantisation.quantise(f64::from(max)))
    }

    /// Appends a node and gives the value that it defines.
    fn push(&mut self, node: LoweredNode, extents: [usize; 3], quantisation: Quantisation) -> u32 {
        self.lowered.nodes.push(node);
        self.lowered.values.push(LoweredValue { extents, quantisation });
        u32::try_from(self.lowered.values.len() - 1).expect("a graph has far fewer nodes")
    }

    /// Appends the node that defines graph tensor `output`, whose elements lie in `order`.
    fn define(
        &mut self,
        output: ValueId,
        node: LoweredNode,
        order: &[usize],
        quantisation: Quantisation,
    ) -> Result<(), Why> {
        let dims = self.dims(output)?;
        let value = self.push(node, extents(&dims, order), quantisation);
        self.lowered.views[output] = Some(View::contiguous(value, dims, order));
        Ok(())
    }

    /// A value that holds the view's elements in `order`, with the extents that follow from it:
    /// the view's own one if it is so, else a copy.
    fn in_order(&mut self, view: &View, order: &[usize]) -> Result<u32, Why> {
        self.in_order_as(view, order, extents(&view.dims, order))
    }

    /// [`in_order`](Self::in_order) with other extents of as many elements.
    fn in_order_as(
        &mut self,
        view: &View,
        order: &[usize],
        extents: [usize; 3],
    ) -> Result<u32, Why> {
        if view.lies_in(order) && self.lowered.values[view.value as usize].extents == extents {
            return Ok(view.value);
        }
        let mut axes: Vec<(usize, usize)> = Vec::new();
        for &axis in order.iter().filter(|&&axis| view.dims[axis] > 1) {
            match axes.last_mut() {
                Some((extent, stride)) if *stride == view.strides[axis] * view.dims[axis] => {
                    *extent *= view.dims[axis];
                    *stride = view.strides[axis];
                }
                _ => axes.push((view.dims[axis], view.strides[axis])),
            }
        }
        if axes.len() > 5 {
            return Err("a transposition of more than five axes".into());
        }
        let (mut lengths, mut strides) = ([1; 5], [0; 5]);
        let skip = 5 - axes.len();
        for (i, (extent, stride)) in axes.into_iter().enumerate() {
            lengths[skip + i] = narrow(extent)?;
            strides[skip + i] = narrow(stride)?;
        }
        let node = Node::Permute { input: view.value, extents: lengths, strides };
        Ok(self.push(LoweredNode::Plain(node), extents, self.quantisation(view.value)))
    }

    /// [`in_order`](Self::in_order) with channels last.
    fn image(&mut self, value: ValueId) -> Result<(u32, Order), Why> {
        let view = self.view(value)?;
        if view.dims.len() > 3 {
            return Err(format!(
                "a tensor of {} dimensions is no image; one or two spatial dimensions are supported",
                view.dims.len() + 1
            )
            .into());
        }
        let order = channels_last(view.dims.len());
        Ok((self.in_order(&view, &order)?, order))
    }

    fn reshape(&mut self, node: &GraphNode, shape: &[usize]) -> Result<(), Why> {
        let view = self.view(node.inputs[0])?;
        let Some((1, dims)) = shape.split_first() else {
            return Err(format!("a reshape to {shape:?} moves elements into the batch").into());
        };
        self.lowered.views[node.output] = Some(self.reshaped(&view, dims)?);
        Ok(())
    }

    fn transpose(&mut self, node: &GraphNode, permutation: &[usize]) -> Result<(), Why> {
        let Some((0, rest)) = permutation.split_first() else {
            return Err("a transposition that moves the batch".into());
        };
        let axes: Vec<usize> = rest.iter().map(|axis| axis - 1).collect();
        self.lowered.views[node.output] = Some(self.view(node.inputs[0])?.transpose(&axes));
        Ok(())
    }

    /// Makes the last value hold the features: channels last, pooled to the grid, or all elements as they stand in
    /// the model where it is not known what its axes are.
    fn features(&mut self, grid: usize) -> Result<(), Why> {
        let output = self.graph.outputs[0];
        let order = layout::order_of(self.graph, output);
        let value = self.unpooled(output, order.as_deref())?;
        let [height, width, channels] = self.lowered.values[value as usize].extents;
        let (rows, columns) = (height.min(grid), width.min(grid));
        let pooled = if order.is_none() || (rows, columns) == (height, width) {
            value
        } else {
            let from = self.quantisation(value);
            let to = self.ranges.features.unwrap_or(from);
            let node = pool::grid_node(value, ratio(from.scale, to.scale));
            self.push(LoweredNode::Plain(node), [rows, columns, channels], to)
        };
        if pooled as usize + 1 != self.lowered.values.len() || pooled == 0 {
            return Err(NOTHING_LEFT.into());
        }
        Ok(())
    }

    /// A value of the elements of `output` with its axes in `order`, or as they stand in the model.
    fn unpooled(&mut self, output: ValueId, order: Option<&[usize]>) -> Result<u32, Why> {
        let view = self.view(output)?;
        match order {
            Some(order) => self.in_order(&view, order),
            None => self.in_order(&view, &(0..view.dims.len()).collect::<Vec<_>>()),
        }
    }
}

/// What is said of a cut in front of which nothing is computed.
pub const NOTHING_LEFT: &str = "nothing is left of the backbone";

/// Whether an input's own axes (batch left out) are channels first, and the order in which its
/// elements lie on the device.
#[must_use]
pub fn input_order(dims: &[usize]) -> (bool, Vec<usize>) {
    match layout::is_channels_first(dims) {
        true => (true, channels_last(dims.len())),
        false => (false, (0..dims.len()).collect()),
    }
}

/// Rows, columns and channels of a tensor that lies in `order`: the innermost axis holds the
/// channels, and more than three axes are one row of elements.
#[must_use]
pub fn extents(dims: &[usize], order: &[usize]) -> [usize; 3] {
    match *order {
        [a] => [1, 1, dims[a]],
        [a, b] => [dims[a], 1, dims[b]],
        [a, b, c] => [dims[a], dims[b], dims[c]],
        _ => [1, 1, dims.iter().product()],
    }
}

fn narrow<T: TryFrom<usize>>(n: usize) -> Result<T, Why> {
    T::try_from(n).map_err(|_| format!("an extent of {n} is too large").into())
}

fn ratio(a: f32, b: f32) -> f32 {
    (f64::from(a) / f64::from(b)) as f32
}
